//! Finding the schema of a source from samples, with the function that prepares records when there is one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::application::{invalid, resource_of, text};
use super::outputs::cell_text;
use super::processing::{Verdict, event, native, room, verdicts};
use super::source::{Origin, Taken};
use super::{Analytics, Env};
use crate::api::{ErrorCode, ServiceError};
use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, DataStream};
use crate::engine::lambda::{Caller, Outcome};
use crate::engine::time::VirtualDuration;
use crate::sql::decode::Schema;
use crate::sql::discover::discover;

/// Records that a discovery looks at.
const SAMPLES: usize = 100;
/// Records of an answer.
const SHOWN: usize = 10;
/// How far back samples may lie.
const SAMPLE_AGE: VirtualDuration = VirtualDuration::from_secs(60);

/// A discovery whose function has not answered yet.
#[derive(Debug, Clone)]
pub(super) struct Discovery {
    records: Vec<Taken>,
}

/// The newest records of a stream, oldest first.
fn samples(ctx: &Ctx<'_>, stream: &DataStream) -> Vec<Taken> {
    let since = ctx.now - SAMPLE_AGE;
    let mut found: Vec<Taken> = Vec::new();
    let mut buffer = ReadBuffer::default();
    for shard in stream.shards.values() {
        let from = shard.log.first_at(since).max(shard.log.next().saturating_sub(SAMPLES as u64));
        for counter in from..shard.log.next() {
            if let Some(read) = shard.log.read(counter, ctx.remake, &mut buffer) {
                let sequence = shard.sequence_number(counter, read.arrival).to_string();
                let origin = Origin { shard: shard.number, counter, sequence, key: read.key.to_owned() };
                found.push(Taken { at: read.arrival, data: read.data.into(), target: 0, number: 0, origin: Some(origin) });
            }
        }
    }
    found.sort_by_key(|record| record.at);
    let skip = found.len().saturating_sub(SAMPLES);
    found.split_off(skip)
}

fn undetected(text: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::UnableToDetectSchemaException, text)
}

impl Analytics {
    /// Discovers a schema. With a function the answer is `{"Invocation": N}`: it comes with [`Self::take_discovered`].
    pub(super) fn discover(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, body: &Value) -> Result<Value, ServiceError> {
        let arn = text(body, "ResourceARN");
        let name = resource_of(arn);
        let records: Vec<Taken> = if body["S3Configuration"].is_object() {
            let bucket = text(&body["S3Configuration"], "BucketARN").trim_start_matches("arn:aws:s3:::");
            let key = text(&body["S3Configuration"], "FileKey");
            let object = env.s3.object(bucket, key).ok_or_else(|| invalid(format!("s3://{bucket}/{key} does not exist")))?;
            vec![Taken { at: ctx.now, data: object.bytes.to_vec().into(), target: 0, number: 0, origin: None }]
        } else if arn.contains(":deliverystream/") {
            let stream = env.firehose.stream(name).ok_or_else(|| ServiceError::resource_not_found(format!("Firehose {name} not found")))?;
            let taken = stream.taps.samples(ctx.now - SAMPLE_AGE).into_iter().enumerate();
            taken.map(|(number, record)| Taken { at: record.at, data: record.data, target: 0, number: number as u64, origin: None }).collect()
        } else {
            let stream = env.kinesis.stream(name).ok_or_else(|| ServiceError::resource_not_found(format!("Stream {name} not found")))?;
            samples(ctx, stream)
        };
        if records.is_empty() {
            return Err(undetected(
                "No records were received from the streaming source within the last minute: there is no data to sample. Start its producer first.",
            ));
        }
        let Some(function) = body["InputProcessingConfiguration"]["InputLambdaProcessor"]["ResourceARN"].as_str() else {
            let raw: Vec<Arc<[u8]>> = records.iter().map(|record| record.data.clone()).collect();
            return found(&raw, None);
        };
        let mut fits = room();
        let records: Vec<Taken> = records.into_iter().take_while(|record| fits(record.data.len())).collect();
        let application = self.arn("discovery");
        let native = native(env.lambda, function, records.iter().map(|record| &*record.data));
        let count = records.len() as u64;
        let id = env.lambda.call(ctx, function, Caller::Discovery, count, |invocation| event(invocation, &application, arn, &records), native);
        self.discoveries.insert(id, Discovery { records });
        Ok(json!({ "Invocation": id }))
    }

    /// The function of a discovery has answered.
    pub fn sampled(&mut self, invocation: u64, outcome: &Outcome) {
        let Some(discovery) = self.discoveries.remove(&invocation) else { return };
        let answer = verdicts(outcome, &discovery.records).map_err(|why| undetected(format!("The input processing function failed: {why}")));
        let answer = answer.and_then(|verdicts| {
            let raw: Vec<Arc<[u8]>> = discovery.records.iter().map(|record| record.data.clone()).collect();
            let good = verdicts.iter().filter_map(|verdict| if let Verdict::Ok(data) = verdict { Some(data.clone()) } else { None });
            let good: Vec<Arc<[u8]>> = good.collect();
            if good.is_empty() {
                return Err(undetected("The input processing function answered Ok for none of the sampled records."));
            }
            found(&raw, Some(&good))
        });
        self.discovered.insert(invocation, answer);
    }

    /// What came of a discovery with a function, once it is there.
    pub fn take_discovered(&mut self, invocation: u64) -> Option<Result<Value, ServiceError>> {
        self.discovered.remove(&invocation)
    }
}

/// The answer for records as they were, and as a function made them.
fn found(raw: &[Arc<[u8]>], processed: Option<&[Arc<[u8]>]>) -> Result<Value, ServiceError> {
    let texts =
        |records: &[Arc<[u8]>]| -> Vec<String> { records.iter().take(SHOWN).map(|record| String::from_utf8_lossy(record).into_owned()).collect() };
    let sampled: Vec<Vec<u8>> = processed.unwrap_or(raw).iter().map(|record| record.to_vec()).collect();
    let found = discover(&sampled).map_err(undetected)?;
    let notes: Vec<Value> = found.notes.iter().map(|(name, share, note)| json!({"Name": name, "Share": share, "Note": note})).collect();
    let parsed: Vec<Vec<String>> = Schema::from_json(&found.schema).map_or_else(
        |_| Vec::new(),
        |schema| {
            let rows = sampled.iter().flat_map(|record| schema.rows(record)).filter_map(Result::ok).take(SHOWN);
            rows.map(|cells| cells.iter().zip(&schema.columns).map(|(cell, column)| cell_text(cell, &column.ty)).collect()).collect()
        },
    );
    let mut answer = json!({"InputSchema": found.schema, "ParsedInputRecords": parsed});
    if let Some(processed) = processed {
        answer["ProcessedInputRecords"] = json!(texts(processed));
    }
    answer["RawInputRecords"] = json!(texts(raw));
    answer["Notes"] = json!(notes);
    Ok(answer)
}
