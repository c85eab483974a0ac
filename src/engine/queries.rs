//! Questions that checks ask of the world.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Engine;
use super::metrics::{Dimensions, Metric, Statistic};
use super::time::VirtualDuration;
use crate::api::Operation;

impl Engine {
    /// Properties of a resource, `kinesis:stream/NAME`; `None` when it does not exist.
    pub fn resource(&self, id: &str) -> Option<BTreeMap<String, Value>> {
        let Some(name) = id.strip_prefix("kinesis:stream/") else { return self.service_resource(id) };
        let stream = self.kinesis().stream(name)?;
        let closed = stream.shards.values().filter(|shard| !shard.is_open()).count();
        let mut properties: BTreeMap<String, Value> = [
            ("status", json!(stream.status.as_str())),
            ("mode", json!(stream.mode.as_str())),
            ("open_shards", json!(stream.open_count())),
            ("closed_shards", json!(closed)),
            ("retention_hours", json!(stream.retention_hours)),
            ("encrypted", json!(stream.key_id.is_some())),
            ("consumers", json!(stream.consumers.len())),
            ("record_limit_kib", json!(stream.record_limit_kib)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        properties.extend(stream.tags.iter().map(|(key, value)| (format!("tag.{key}"), json!(value))));
        Some(properties)
    }

    /// Properties of a resource of the other services: `firehose:deliverystream/NAME`, `lambda:function/NAME`, `s3:bucket/NAME`,
    /// `s3:prefix/BUCKET/PREFIX`, `glue:table/DATABASE.TABLE`, `iam:role/NAME`, `sns:topic/NAME`, `athena:last-query`.
    fn service_resource(&self, id: &str) -> Option<BTreeMap<String, Value>> {
        let services = self.services();
        let (kind, name) = id.split_once('/').unwrap_or((id, ""));
        let properties: Vec<(&str, Value)> = match kind {
            "firehose:deliverystream" => {
                let stream = services.firehose.stream(name)?;
                let settings = &stream.settings;
                let objects: Vec<_> = stream.objects.iter().filter(|object| !object.errors).collect();
                vec![
                    ("status", json!(stream.status.name())),
                    ("version", json!(stream.version)),
                    ("incoming", json!(stream.tally.incoming)),
                    ("delivered", json!(stream.tally.delivered)),
                    ("failed", json!(stream.tally.failed + stream.failing())),
                    ("dropped", json!(stream.tally.dropped)),
                    ("lost", json!(stream.tally.lost)),
                    ("throttled", json!(stream.tally.throttled)),
                    ("buffered", json!(stream.buffered())),
                    ("objects", json!(objects.len())),
                    ("by_size", json!(objects.iter().filter(|object| object.closed == super::firehose::stream::Closed::Size).count())),
                    ("error_objects", json!(stream.objects.len() - objects.len())),
                    ("size_mib", json!(settings.size_bytes >> 20)),
                    ("interval_s", json!(settings.interval.as_secs())),
                    ("prefix", json!(settings.s3.prefix_text)),
                    ("bucket", json!(settings.s3.bucket)),
                    ("destination", json!(settings.kind.title())),
                    ("converts", json!(settings.conversion.is_some())),
                    ("transforms", json!(settings.processing.lambda.is_some())),
                    ("week_year", json!(settings.s3.prefix_text.contains("YYYY"))),
                    ("source", json!(stream.source.as_ref().map_or("DirectPut", |_| "KinesisStreamAsSource"))),
                    ("retrying", json!(stream.retries().len())),
                ]
            }
            "lambda:function" => {
                let function = services.lambda.function(name)?;
                let mappings: Vec<_> =
                    services.lambda.mappings().map(|(_, mapping)| mapping).filter(|mapping| mapping.function == function.name).collect();
                let sum = |of: fn(&super::lambda::mapping::Mapping) -> u64| mappings.iter().map(|mapping| of(mapping)).sum::<u64>();
                vec![
                    ("runtime", json!(function.runtime)),
                    ("timeout_s", json!(function.timeout.as_secs())),
                    ("invocations", json!(function.counts.0)),
                    ("errors", json!(function.counts.1)),
                    ("throttles", json!(function.counts.2)),
                    ("mappings", json!(mappings.len())),
                    ("batch_size", json!(mappings.iter().map(|mapping| mapping.batch_size).max().unwrap_or(0))),
                    ("shards", json!(sum(|mapping| mapping.readers.len() as u64))),
                    ("shards_invoked", json!(sum(|mapping| mapping.readers.values().filter(|reader| reader.invocations > 0).count() as u64))),
                    ("read", json!(sum(|mapping| mapping.read))),
                    ("kept", json!(sum(|mapping| mapping.kept))),
                    ("filtered", json!(sum(|mapping| mapping.dropped))),
                    ("duplicates", json!(sum(|mapping| mapping.duplicates))),
                    ("age_ms", json!(mappings.iter().map(|mapping| mapping.age_ms).max().unwrap_or(0))),
                    ("denied", json!(mappings.iter().any(|mapping| mapping.result.contains("AccessDenied")))),
                    ("problem", json!(mappings.iter().any(|mapping| mapping.result.starts_with("PROBLEM")))),
                    ("too_many", json!(mappings.iter().any(|mapping| mapping.result.contains("Member must have length")))),
                ]
            }
            "s3:bucket" => {
                let bucket = services.s3.bucket(name)?;
                let bytes: u64 = bucket.objects.values().map(|object| object.bytes.len() as u64).sum();
                vec![("objects", json!(bucket.objects.len())), ("bytes", json!(bytes)), ("refuses", json!(bucket.refuses.is_some()))]
            }
            "s3:prefix" => {
                let (bucket, prefix) = name.split_once('/')?;
                let found: Vec<_> =
                    services.s3.bucket(bucket)?.objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)).collect();
                if found.is_empty() {
                    return None;
                }
                vec![("objects", json!(found.len())), ("bytes", json!(found.iter().map(|(_, object)| object.bytes.len() as u64).sum::<u64>()))]
            }
            "glue:table" => {
                let (database, table) = name.split_once('.')?;
                let table = services.glue.table(database, table)?;
                vec![("columns", json!(table.columns.len())), ("partitions", json!(table.partitions.len())), ("location", json!(table.location))]
            }
            "sns:topic" => {
                let topic = services.sns.topic(name)?;
                vec![("subscriptions", json!(topic.subscriptions.len())), ("published", json!(topic.published))]
            }
            "iam:role" => {
                let role = services.iam.role(name)?;
                vec![("policies", json!(role.policies.len() + role.attached.len()))]
            }
            "analytics:application" => {
                let application = services.analytics.application(name)?;
                let streams: Vec<&str> = application
                    .run
                    .as_ref()
                    .map(|run| run.running.plan().streams.iter().map(|stream| stream.name.as_str()).collect())
                    .unwrap_or_default();
                let types: Vec<String> = application
                    .input
                    .iter()
                    .flat_map(|input| input.schema.columns.iter().map(|column| format!("{} {}", column.name, column.ty)))
                    .collect();
                let mut list = vec![
                    ("status", json!(application.status.name())),
                    ("inputs", json!(u8::from(application.input.is_some()))),
                    ("columns", json!(types.len())),
                    ("outputs", json!(application.outputs.len())),
                    ("delivered", json!(application.outputs.iter().map(|output| output.delivered).sum::<u64>())),
                    ("reference_rows", json!(application.reference.as_ref().map_or(0, |reference| reference.rows.len()))),
                    ("records", json!(application.run.as_ref().map_or(0, |run| run.records))),
                    ("errors", json!(application.run.as_ref().map_or(0, |run| run.running.error_count()))),
                    ("streams", json!(streams.join(","))),
                    ("behind_ms", json!(application.run.as_ref().map_or(0, |run| run.behind_ms))),
                    ("refused_reads", json!(application.run.as_ref().map_or(0, |run| run.reading.refused))),
                    ("redelivered", json!(application.outputs.iter().map(|output| output.failed).sum::<u64>())),
                ];
                if let Some(run) = application.run.as_ref().filter(|_| application.input.as_ref().is_some_and(|input| input.processor.is_some())) {
                    let processed = &run.processed;
                    list.extend([
                        ("processed", json!(processed.ok)),
                        ("dropped", json!(processed.dropped)),
                        ("processing_failed", json!(processed.failed)),
                        ("processing_failures", json!(processed.failures)),
                    ]);
                }
                let mut properties: BTreeMap<String, Value> = list.drain(..).map(|(name, value)| (name.to_owned(), value)).collect();
                for text in types {
                    if let Some((name, ty)) = text.split_once(' ') {
                        properties.insert(format!("type.{name}"), json!(ty));
                    }
                }
                if let Some(run) = &application.run {
                    for (index, stream) in run.running.plan().streams.iter().enumerate() {
                        properties.insert(format!("rows.{}", stream.name), json!(run.running.rows(index)));
                    }
                }
                return Some(properties);
            }
            "athena:last-query" => {
                let execution = services.athena.executions().last()?;
                let rows = execution.result.as_ref().ok();
                let first = rows.and_then(|rows| rows.rows.first()).and_then(|row| row.first()).cloned().unwrap_or_default();
                vec![
                    ("succeeded", json!(rows.is_some())),
                    ("rows", json!(rows.map_or(0, |rows| rows.rows.len()))),
                    ("value", first),
                    ("scanned", json!(rows.map_or(0, |rows| rows.scanned))),
                    ("objects", json!(rows.map_or(0, |rows| rows.objects))),
                ]
            }
            _ => return None,
        };
        Some(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Among the newest rows of an in-application stream (at most 200, those of the last `over_ms` milliseconds by ROWTIME): how many satisfy a
    /// condition of the rule language, such as `ANOMALY_SCORE > 1`, and how many there are.
    ///
    /// # Errors
    /// A sentence, when there is no such application or stream, it does not run, or the condition cannot be read.
    pub fn in_app_rows(&self, application: &str, stream: &str, over_ms: Option<u64>, condition: &str) -> Result<(usize, usize), String> {
        let rule = crate::engine::lambda::rule::Rule::parse(&format!("keep {condition}"))?;
        let known = self.services().analytics.application(application).ok_or_else(|| format!("there is no application {application}"))?;
        let run = known.run.as_ref().ok_or_else(|| format!("application {application} is {}", known.status.name()))?;
        let mut streams = run.running.plan().streams.iter().enumerate();
        let (index, planned) =
            streams.find(|(_, known)| known.name == stream).ok_or_else(|| format!("there is no in-application stream {stream}"))?;
        let since = over_ms.map_or(i64::MIN, |over| (self.now().millis() as i64).saturating_sub(over as i64));
        let columns: Vec<_> = planned.columns.iter().filter(|column| !column.hidden).collect();
        let rows = run.shown.get(&index).into_iter().flat_map(|shown| &shown.rows).filter(|(time, _)| *time >= since);
        let (mut kept, mut all) = (0, 0);
        for (_, cells) in rows {
            let object: serde_json::Map<String, Value> = columns
                .iter()
                .zip(cells)
                .map(|(column, cell)| {
                    let value = match cell.as_str() {
                        "" => Value::Null,
                        text if column.ty.family() == crate::sql::types::Family::Number => {
                            text.parse::<f64>().map_or_else(|_| json!(text), |number| json!(number))
                        }
                        text => json!(text),
                    };
                    (column.name.clone(), value)
                })
                .collect();
            all += 1;
            kept += usize::from(rule.keeps(Value::Object(object).to_string().as_bytes()));
        }
        Ok((kept, all))
    }

    /// The last count that a query gave, and the records in data objects of a delivery stream at that instant.
    pub fn counted(&self, stream: &str) -> Option<(u64, u64)> {
        let services = self.services();
        let execution = services.athena.executions().iter().rev().find(|execution| execution.text.to_lowercase().contains("count("))?;
        let found = execution.result.as_ref().ok()?.rows.first()?.first()?.as_u64()?;
        let stream = services.firehose.stream(stream)?;
        let delivered = stream.objects.iter().filter(|object| !object.errors && object.at <= execution.at).map(|object| object.records).sum();
        Some((found, delivered))
    }

    /// How a function judges the first records of a generator and some watermarks: kept as the reference rule keeps them, of how many.
    ///
    /// # Errors
    /// A sentence: no function, no rule, no generator.
    pub fn judged(&self, function: &str, generator: &str, rule: &str, records: u64) -> Result<(u64, u64), String> {
        use super::lambda::function::Program;
        let wanted = super::lambda::rule::Rule::parse(rule)?;
        let found = self.services().lambda.function(function).ok_or_else(|| format!("there is no function {function}"))?;
        let Program::Rule(own) = &found.program else { return Err("this function is code: lambda test shows what it does".to_owned()) };
        let id = self.generator_id(generator).ok_or_else(|| format!("there is no generator {generator}"))?;
        let (mut same, mut data) = (0, Vec::new());
        for index in 0..records {
            data.clear();
            self.sample_record(id, index, &mut data);
            if index % 100 == 99 {
                data = br#"{"watermark":"2010-01-02T18:59:45.000Z","type":"watermark"}"#.to_vec();
            }
            same += u64::from(wanted.keeps(&data) == own.keeps(&data));
        }
        Ok((same, records))
    }

    /// A statistic in thousandths over the last whole seconds; `None` when nothing was ever measured.
    pub fn metric_milli(&self, metric: &str, dimensions: &[(String, String)], statistic: Statistic, over: VirtualDuration) -> Option<u64> {
        let (metric, dimensions) = (Metric::from_name(metric)?, Dimensions::from_pairs(dimensions)?);
        self.metrics().over(metric, &dimensions, self.now(), over).map(|stats| stats.milli(statistic))
    }

    /// A line of a producer's or consumer's log holds `text`.
    pub fn log_contains(&self, source: &str, text: &str) -> bool {
        self.producer(source).is_some_and(|producer| producer.log().any(|line| line.text.contains(text)))
            || self.consumer(source).is_some_and(|consumer| consumer.log().any(|line| line.text.contains(text)))
    }

    /// Shards of a stream on which GetRecords succeeded.
    pub fn shards_read(&self, stream: &str) -> usize {
        self.actions()
            .iter()
            .filter(|action| {
                action.operation == Operation::Kinesis(crate::api::kinesis::Operation::GetRecords)
                    && action.error.is_none()
                    && action.stream.as_deref() == Some(stream)
            })
            .filter_map(|action| action.shard.as_deref())
            .collect::<BTreeSet<_>>()
            .len()
    }
}
