//! What a delivery stream sends: deliveries with their retries, lines below the error prefix, copies for backup, and what becomes of each.

use std::sync::Arc;

use crate::engine::firehose::config::Kind;
use crate::engine::firehose::endpoint::Outcome;
use crate::engine::firehose::outward::Order;
use crate::engine::firehose::prefix::{self, format_there, format_time};
use crate::engine::firehose::record::{Failure, Rec, destination_line, processing_line};
use crate::engine::kinesis::Ctx;
use crate::engine::metrics::Metric;
use crate::engine::random::Substream;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::{Closed, Delivered, DeliveryStream, Due, Env, KEPT, Lines, OBJECTS_SHOWN};

/// What is delivered.
#[derive(Debug, Clone)]
pub(super) enum Parcel {
    /// An object for a bucket.
    Object { bucket: String, key: String, bytes: Arc<[u8]>, encoding: &'static str, role: Role },
    /// Records for the destination's own interface.
    Records { records: Vec<Rec> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Data,
    Errors,
    Backup,
    /// Redshift's staging object; COPY follows.
    Staging,
    /// Redshift's manifest of a batch that was skipped.
    Manifest,
}

#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) parcel: Parcel,
    pub(super) records: u64,
    pub(super) source_bytes: u64,
    pub(super) oldest: VirtualTime,
    pub(super) attempts: u32,
    pub(super) first_failure: Option<VirtualTime>,
    pub(super) waits: VirtualDuration,
    pub(super) closed: Closed,
    pub(super) copy: Option<Vec<Rec>>,
    pub(super) last_error: Option<Failure>,
}

impl Delivery {
    /// One that was not tried yet.
    pub(super) const fn new(parcel: Parcel, records: u64, source_bytes: u64, oldest: VirtualTime, closed: Closed) -> Self {
        Self {
            parcel,
            records,
            source_bytes,
            oldest,
            attempts: 0,
            first_failure: None,
            waits: VirtualDuration::ZERO,
            closed,
            copy: None,
            last_error: None,
        }
    }

    /// Its records are counted nowhere else.
    pub(super) const fn is_counted(&self) -> bool {
        match &self.parcel {
            Parcel::Object { role, .. } => matches!(role, Role::Data | Role::Errors | Role::Staging),
            Parcel::Records { .. } => true,
        }
    }
}

impl DeliveryStream {
    pub(super) fn dispatch(&mut self, ctx: &mut Ctx<'_>, delivery: Delivery, after: VirtualDuration) {
        let id = self.number();
        self.deliveries.insert(id, delivery);
        self.wake(ctx, ctx.now + after, Due::Delivery(id));
    }

    pub(super) fn fail(&mut self, ctx: &mut Ctx<'_>, record: &Rec, kind: &'static str, failure: &Failure, lambda: Option<&str>) {
        let line = processing_line(record, failure, ctx.now, lambda);
        if ctx.trail.holds(&self.name, record.id) {
            self.trace(ctx, format!("{}: it goes to the error prefix ({})", failure.code, failure.message));
        }
        self.add_line(ctx, kind, &line);
    }

    pub(super) fn add_line(&mut self, ctx: &mut Ctx<'_>, kind: &'static str, line: &str) {
        let now = ctx.now;
        if !self.errors.contains_key(kind) {
            let id = self.number();
            self.errors.insert(kind, Lines { id, since: now, ..Lines::default() });
            let interval = self.settings.s3.interval.max(VirtualDuration::SECOND);
            self.wake(ctx, now + interval, Due::Errors(id));
        }
        let Some(lines) = self.errors.get_mut(kind) else { return };
        lines.text.extend_from_slice(line.as_bytes());
        lines.records += 1;
        if lines.text.len() as u64 >= self.settings.s3.size_bytes {
            let id = lines.id;
            self.write_errors(ctx, id);
        }
    }

    pub(super) fn write_errors(&mut self, ctx: &mut Ctx<'_>, id: u64) {
        let Some(kind) = self.errors.iter().find(|(_, lines)| lines.id == id).map(|(kind, _)| *kind) else { return };
        let Some(lines) = self.errors.remove(kind) else { return };
        let settings = self.settings.clone();
        let s3 = &settings.s3;
        let random = Substream::new(0x00e7_7075, &[&self.name]).child(id);
        // Search and Splunk without an error prefix use the data prefix for their failures.
        let prefix = match &s3.errors {
            Some(errors) => errors.evaluate_error(lines.since, kind, random),
            None => format!("{}{kind}/{}", s3.prefix_text, format_there("yyyy/MM/dd/HH/", lines.since, &s3.zone)),
        };
        let name = format!(
            "{}-{}-{}-{}",
            self.name,
            self.version,
            format_there("yyyy-MM-dd-HH-mm-ss", lines.since, &s3.zone),
            prefix::uuid(random.child(1))
        );
        let length = lines.text.len() as u64;
        let delivery = Delivery::new(
            Parcel::Object { bucket: s3.bucket.clone(), key: format!("{prefix}{name}"), bytes: lines.text.into(), encoding: "", role: Role::Errors },
            lines.records,
            length,
            lines.since,
            Closed::Interval,
        );
        self.dispatch(ctx, delivery, VirtualDuration::SECOND);
    }

    pub(super) fn back_up(&mut self, ctx: &mut Ctx<'_>, data: &[u8]) {
        let now = ctx.now;
        if self.backup.text.is_empty() {
            self.backup.id = self.number();
            self.backup.since = now;
            let interval = self.settings.backup.as_ref().map_or(self.settings.s3.interval, |backup| backup.interval);
            self.wake(ctx, now + interval, Due::Backup(self.backup.id));
        }
        self.backup.text.extend_from_slice(data);
        self.backup.records += 1;
        let size = self.settings.backup.as_ref().map_or(self.settings.s3.size_bytes, |backup| backup.size_bytes);
        if self.backup.text.len() as u64 >= size {
            let id = self.backup.id;
            self.write_backup(ctx, id);
        }
    }

    pub(super) fn write_backup(&mut self, ctx: &mut Ctx<'_>, id: u64) {
        if self.backup.id != id || self.backup.text.is_empty() {
            return;
        }
        let lines = std::mem::take(&mut self.backup);
        let settings = self.settings.clone();
        let s3 = settings.backup.as_ref().unwrap_or(&settings.s3);
        let random = Substream::new(0x0bac_0b0b, &[&self.name]).child(id);
        let prefix = s3.prefix.evaluate(lines.since, &[], random);
        let entry = prefix::uuid(random.child(1));
        let name = format!(
            "{}-{}-{}-{entry}{}",
            self.name,
            self.version,
            format_there("yyyy-MM-dd-HH-mm-ss", lines.since, &s3.zone),
            s3.compression.extension()
        );
        let source_bytes = lines.text.len() as u64;
        let delivery = Delivery::new(
            Parcel::Object {
                bucket: s3.bucket.clone(),
                key: format!("{prefix}{name}"),
                bytes: s3.compression.pack(lines.text, &entry).into(),
                encoding: s3.compression.encoding(),
                role: Role::Backup,
            },
            lines.records,
            source_bytes,
            lines.since,
            Closed::Interval,
        );
        self.dispatch(ctx, delivery, VirtualDuration::SECOND);
    }

    pub(super) fn attempt(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, id: u64) {
        let Some(mut delivery) = self.deliveries.remove(&id) else { return };
        delivery.attempts += 1;
        let now = ctx.now;
        match &delivery.parcel {
            Parcel::Object { bucket, key, bytes, encoding, role } => {
                let role = *role;
                let put = env.s3.put(now, bucket, key, bytes.clone(), encoding);
                let dimensions = self.dimensions();
                let (success, freshness) = if role == Role::Backup {
                    (Metric::BackupToS3Success, Metric::BackupToS3DataFreshness)
                } else {
                    (Metric::DeliveryToS3Success, Metric::DeliveryToS3DataFreshness)
                };
                ctx.metrics.add(success, &dimensions, now, u64::from(put.is_ok()));
                ctx.metrics.add(freshness, &dimensions, now, now.since(delivery.oldest).as_secs());
                match put {
                    Ok(()) => self.written(ctx, env, delivery, role),
                    Err(error) => {
                        let code = match error.code.name() {
                            "NoSuchBucket" => "S3.NoSuchBucket",
                            "AccessDenied" => "S3.AccessDenied",
                            _ => "S3.InternalError",
                        };
                        self.retry(ctx, id, delivery, Failure::new(code, error.message), KEPT, VirtualDuration::from_secs(60));
                    }
                }
            }
            Parcel::Records { records } => {
                // A fault of the lab stands before the real destination.
                if self.outward.is_some() && self.standin.trouble.is_none() {
                    self.deliveries.insert(id, delivery);
                    self.asking.insert(id);
                    return;
                }
                let random = Substream::new(env.seed, &["destination", &self.name]);
                let outcome = self.standin.take(&self.settings.endpoint, records, random);
                self.settle(ctx, id, delivery, outcome);
            }
        }
    }

    /// The attempts under way outside.
    pub(in crate::engine::firehose) fn orders(&self, now: VirtualTime, arn: String) -> Vec<Order> {
        let Some(url) = &self.outward else { return Vec::new() };
        let order = |id: &u64| {
            let delivery = self.deliveries.get(id)?;
            let Parcel::Records { records } = &delivery.parcel else { return None };
            Some(Order::new((&self.name, arn.clone()), (*id, delivery.attempts), now, url, &self.settings.endpoint, &self.body, records))
        };
        self.asking.iter().filter_map(order).collect()
    }

    /// What came of an attempt outside.
    pub(in crate::engine::firehose) fn answered(&mut self, ctx: &mut Ctx<'_>, id: u64, outcome: Outcome) {
        let Some(delivery) = self.deliveries.remove(&id) else { return };
        if let (Outcome::Taken(failed), Parcel::Records { records }) = (&outcome, &delivery.parcel) {
            let url = self.outward.as_deref().unwrap_or_default();
            self.standin.taken_outside(url, records, failed);
        }
        self.settle(ctx, id, delivery, outcome);
    }

    /// What becomes of records that were handed over, or not.
    fn settle(&mut self, ctx: &mut Ctx<'_>, id: u64, delivery: Delivery, outcome: Outcome) {
        let now = ctx.now;
        match &delivery.parcel {
            Parcel::Object { .. } => {}
            Parcel::Records { records } => {
                let settings = self.settings.clone();
                let dimensions = self.dimensions();
                let taken = matches!(outcome, Outcome::Taken(_));
                ctx.metrics.add(Metric::DeliveryToDestinationSuccess, &dimensions, now, u64::from(taken));
                match outcome {
                    Outcome::Taken(failed) => {
                        let good = delivery.records - failed.len() as u64;
                        ctx.metrics.add_many(Metric::DeliveryToDestinationRecords, &dimensions, now, good, 1);
                        ctx.metrics.add_many(Metric::DeliveryToDestinationBytes, &dimensions, now, delivery.source_bytes, 1);
                        self.tally.delivered += good;
                        if records.iter().any(|record| ctx.trail.holds(&self.name, record.id)) {
                            self.trace(ctx, format!("delivered to the {} destination", settings.kind.title()));
                        }
                        self.say(ctx, "delivered", format!("{good} records to the {} destination", settings.kind.title()), false);
                        let records = records.clone();
                        for (place, failure) in failed {
                            let failure = Failure { attempts: delivery.attempts, ..failure };
                            self.refuse(ctx, &records[place], &failure);
                        }
                    }
                    Outcome::Retry(failure) if failure.code == "Splunk.AckTimeout" => {
                        self.tally.duplicates += if delivery.first_failure.is_some() { delivery.records } else { 0 };
                        let ack = if let crate::engine::firehose::config::Endpoint::Splunk { ack, .. } = settings.endpoint {
                            ack
                        } else {
                            VirtualDuration::SECOND
                        };
                        self.retry(ctx, id, delivery, failure, settings.retry, ack);
                    }
                    Outcome::Retry(failure) => self.retry(ctx, id, delivery, failure, settings.retry, VirtualDuration::from_secs(120)),
                    Outcome::Final(failure) => self.give_up(ctx, delivery, failure),
                }
            }
        }
    }

    /// An object is in its bucket.
    pub(super) fn written(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, delivery: Delivery, role: Role) {
        let Parcel::Object { bucket, key, bytes, .. } = &delivery.parcel else { return };
        let (now, dimensions) = (ctx.now, self.dimensions());
        let metrics = match role {
            Role::Backup => [Metric::BackupToS3Records, Metric::BackupToS3Bytes],
            _ => [Metric::DeliveryToS3Records, Metric::DeliveryToS3Bytes],
        };
        ctx.metrics.add_many(metrics[0], &dimensions, now, delivery.records, 1);
        ctx.metrics.add_many(metrics[1], &dimensions, now, bytes.len() as u64, 1);
        ctx.metrics.add(Metric::DeliveryToS3ObjectCount, &dimensions, now, 1);
        ctx.bill.s3_puts += 1;
        let what = match role {
            Role::Data | Role::Staging => "delivered",
            Role::Errors => "error-object",
            Role::Backup => "backup-object",
            Role::Manifest => "manifest",
        };
        if ctx.trail.lies_in(bucket, key) {
            self.trace(ctx, format!("delivered: it lies in s3://{bucket}/{key}"));
        }
        let late = if delivery.attempts > 1 { format!(" after {} attempts", delivery.attempts) } else { String::new() };
        self.say(
            ctx,
            what,
            format!(
                "s3://{bucket}/{key}: {} records, {} bytes, closed by {}{late}",
                delivery.records,
                bytes.len(),
                match delivery.closed {
                    Closed::Size => "size",
                    Closed::Interval => "time",
                }
            ),
            role == Role::Errors,
        );
        if self.objects.len() == OBJECTS_SHOWN {
            self.objects.pop_front();
        }
        self.objects.push_back(Delivered {
            at: now,
            bucket: bucket.clone(),
            key: key.clone(),
            records: delivery.records,
            bytes: bytes.len() as u64,
            source_bytes: delivery.source_bytes,
            closed: delivery.closed,
            errors: role == Role::Errors,
        });
        match role {
            Role::Data => self.tally.delivered += delivery.records,
            Role::Errors => self.tally.failed += delivery.records,
            Role::Backup | Role::Manifest => {}
            Role::Staging => {
                // The manifest is written at once; then COPY loads it.
                let manifest = serde_json::json!({"entries": [{"url": format!("s3://{bucket}/{key}"), "mandatory": true}]}).to_string();
                let place = format!(
                    "{}manifests/{}{}",
                    self.settings.s3.prefix_text,
                    format_time("yyyy/MM/dd/HH/", now),
                    key.rsplit('/').next().unwrap_or_default()
                );
                let _ = env.s3.put(now, bucket, &place, manifest.into_bytes().into(), "");
                let (bucket, records, oldest) = (bucket.clone(), delivery.copy.unwrap_or_default(), delivery.oldest);
                let command = self.copy_command(&bucket, &place);
                if self.copies.len() == 50 {
                    self.copies.pop_front();
                }
                self.copies.push_back((now, command, "running".to_owned()));
                let copy = Delivery {
                    waits: VirtualDuration::from_secs(300),
                    ..Delivery::new(Parcel::Records { records }, delivery.records, delivery.source_bytes, oldest, delivery.closed)
                };
                self.dispatch(ctx, copy, VirtualDuration::from_secs(2));
            }
        }
    }

    pub(super) fn copy_command(&self, bucket: &str, manifest: &str) -> String {
        let crate::engine::firehose::config::Endpoint::Redshift { table, columns, options, .. } = &self.settings.endpoint else {
            return String::new();
        };
        let columns = columns.as_ref().map_or_else(String::new, |columns| format!(" ({columns})"));
        format!("COPY {table}{columns} FROM 's3://{bucket}/{manifest}' CREDENTIALS '…' MANIFEST {options};")
    }

    /// Tries again later, or gives up when the time for that is over.
    pub(super) fn retry(
        &mut self,
        ctx: &mut Ctx<'_>,
        id: u64,
        mut delivery: Delivery,
        failure: Failure,
        patience: VirtualDuration,
        longest: VirtualDuration,
    ) {
        let now = ctx.now;
        let first = *delivery.first_failure.get_or_insert(now);
        if delivery.attempts == 1 {
            self.say(ctx, "retry", format!("{}: {}; {} records wait", failure.code, failure.message, delivery.records), true);
        }
        // Stream sources keep the data as long as the stream does; the outcome is the same here.
        let over =
            if matches!(delivery.parcel, Parcel::Object { .. }) { now.since(delivery.oldest) >= patience } else { now.since(first) >= patience };
        if over {
            return self.give_up(ctx, delivery, failure);
        }
        delivery.last_error = Some(failure);
        delivery.waits =
            if delivery.waits == VirtualDuration::ZERO { VirtualDuration::SECOND } else { VirtualDuration((delivery.waits.0 * 2).min(longest.0)) };
        let at = now + delivery.waits;
        self.deliveries.insert(id, delivery);
        self.wake(ctx, at, Due::Delivery(id));
    }

    pub(super) fn give_up(&mut self, ctx: &mut Ctx<'_>, delivery: Delivery, failure: Failure) {
        match delivery.parcel {
            Parcel::Object { role, .. } => {
                if matches!(role, Role::Data | Role::Errors | Role::Staging) {
                    self.tally.lost += delivery.records;
                    self.say(
                        ctx,
                        "lost",
                        format!("{} records could not be delivered for 24 hours and are lost: {}", delivery.records, failure.code),
                        true,
                    );
                }
            }
            Parcel::Records { records } => {
                self.say(
                    ctx,
                    "failed",
                    format!("{} records were not taken for {} s: {}", records.len(), self.settings.retry.as_secs(), failure.code),
                    true,
                );
                if self.settings.kind == Kind::Redshift {
                    // The objects stay in S3; the manifest for a reload by hand lies below errors/.
                    self.tally.failed += delivery.records;
                    let settings = self.settings.clone();
                    let name = prefix::uuid(Substream::new(0x3a9f, &[&self.name]).child(delivery.oldest.0));
                    let key = format!("{}errors/manifests/{}{name}", settings.s3.prefix_text, format_time("yyyy/MM/dd/HH/", ctx.now));
                    let body = serde_json::json!({"entries": self.objects.back().map(|object| vec![serde_json::json!({"url": format!("s3://{}/{}", object.bucket, object.key), "mandatory": true})])}).to_string();
                    let manifest = Delivery::new(
                        Parcel::Object {
                            bucket: settings.s3.bucket.clone(),
                            key,
                            bytes: body.into_bytes().into(),
                            encoding: "",
                            role: Role::Manifest,
                        },
                        0,
                        0,
                        ctx.now,
                        Closed::Interval,
                    );
                    return self.dispatch(ctx, manifest, VirtualDuration::SECOND);
                }
                let failure = Failure { attempts: delivery.attempts, ..failure };
                for record in &records {
                    self.refuse(ctx, record, &failure);
                }
            }
        }
    }

    /// A record that its destination did not take goes to the bucket.
    pub(super) fn refuse(&mut self, ctx: &mut Ctx<'_>, record: &Rec, failure: &Failure) {
        use crate::engine::firehose::config::Endpoint;
        use serde_json::json;
        let settings = self.settings.clone();
        let extra = match &settings.endpoint {
            Endpoint::Search { index, rotation, type_name } => vec![
                ("esDocumentId", json!(record.record_id())),
                ("esIndexName", json!(crate::engine::firehose::endpoint::index_name(index, rotation, record.arrival))),
                ("esTypeName", json!(type_name)),
            ],
            Endpoint::Splunk { .. } => vec![("EventId", json!(record.record_id()))],
            _ => Vec::new(),
        };
        let line = destination_line(record, failure, ctx.now, extra);
        self.add_line(ctx, settings.kind.failed_type(), &line);
    }
}
