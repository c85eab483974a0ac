//! The way in: puts and the source stream, what opens and takes apart, the function that transforms.

use std::sync::Arc;

use crate::engine::firehose::record::{Failure, Origin, Rec};
use crate::engine::firehose::transform;
use crate::engine::kinesis::{Ctx, Kinesis, ReadRequest, shard_id};
use crate::engine::kpl::{self, Deaggregated};
use crate::engine::lambda::Caller;
use crate::engine::limits::MIB;
use crate::engine::metrics::Metric;
use crate::engine::time::VirtualTime;

use super::{DeliveryStream, Due, Env, SUB_RECORDS_MAX};

impl DeliveryStream {
    /// Takes records of a put: for each whether the quotas let it pass.
    pub fn put(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, records: impl Iterator<Item = Arc<[u8]>>) -> Vec<bool> {
        let now = ctx.now;
        for quota in &mut self.quotas {
            quota.refill(now);
        }
        let enforce = ctx.limits.enforce_throughput;
        let request = !enforce || self.quotas[1].admits(1);
        if request {
            self.quotas[1].take(1);
        }
        let (mut taken, mut bytes, mut throttled) = (0, 0, 0);
        let mut passed = Vec::new();
        for data in records {
            let size = data.len() as u64;
            let pass = request && (!enforce || (self.quotas[0].admits(1) && self.quotas[2].admits(size)));
            passed.push(pass);
            if pass {
                self.quotas[0].take(1);
                self.quotas[2].take(size);
                taken += 1;
                bytes += size;
                ctx.bill.firehose_bytes += size.div_ceil(5 << 10).max(1) * (5 << 10);
                self.enter(ctx, env, data, now, None);
            } else {
                throttled += 1;
            }
        }
        let dimensions = self.dimensions();
        ctx.metrics.add_many(Metric::IncomingRecords, &dimensions, now, taken, 1);
        ctx.metrics.add_many(Metric::IncomingBytes, &dimensions, now, bytes, 1);
        ctx.metrics.add_many(Metric::IncomingPutRequests, &dimensions, now, 1, 1);
        ctx.metrics.add_many(Metric::ThrottledRecords, &dimensions, now, throttled, 1);
        if throttled > 0 && self.tally.throttled == 0 {
            self.say(
                ctx,
                "throttled",
                format!("{throttled} of {} records of a put were refused: the quota of the delivery stream is used up", taken + throttled),
                true,
            );
        }
        self.tally.throttled += throttled;
        passed
    }

    /// A record enters: backup, decompression, taking apart, then the function or the buffer.
    pub(super) fn enter(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, data: Arc<[u8]>, arrival: VirtualTime, origin: Option<Arc<Origin>>) {
        self.tally.incoming += 1;
        self.tally.incoming_bytes += data.len() as u64;
        self.taps.enter(ctx.now, &data);
        let settings = self.settings.clone();
        if settings.backup.is_some() {
            self.back_up(ctx, &data);
        }
        let id = self.records;
        self.records += 1;
        if ctx.trail.is(origin.as_ref().map(|origin| origin.sequence.as_str()), &data) {
            ctx.trail.enter(&self.name, id);
            let how = if origin.is_some() { "read it from its source" } else { "took it by a put" };
            self.trace(ctx, format!("{how}, {} bytes", data.len()));
        }
        let record = Rec { data, arrival, id, origin, keys: None };
        let pieces = match transform::open(&settings.processing, &record) {
            Ok(None) => None,
            Ok(Some(pieces)) if pieces.len() > SUB_RECORDS_MAX && settings.processing.split.is_some() => {
                let text = format!("The record holds {} records, more than {SUB_RECORDS_MAX}.", pieces.len());
                return self.fail(ctx, &record, "processing-failed", &Failure::new("RecordDeAggregation.TooManyRecords", text), None);
            }
            Ok(Some(pieces)) => Some(pieces),
            Err((kind, failure)) => return self.fail(ctx, &record, kind, &failure, None),
        };
        match pieces {
            None => self.process(ctx, env, record),
            Some(pieces) => {
                self.tally.expanded += pieces.len() as i64 - 1;
                for data in pieces {
                    let id = self.records;
                    self.records += 1;
                    if ctx.trail.holds(&self.name, record.id) {
                        ctx.trail.enter(&self.name, id);
                    }
                    self.process(ctx, env, Rec { data: data.into(), id, ..record.clone() });
                }
            }
        }
    }

    pub(super) fn process(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, record: Rec) {
        let settings = self.settings.clone();
        let Some(step) = &settings.processing.lambda else { return self.buffer(ctx, env, record) };
        let now = ctx.now;
        if self.transform.waiting.is_empty() {
            self.transform.since = now;
            self.transform.batch += 1;
            self.wake(ctx, now + step.interval, Due::Transform(self.transform.batch));
        } else if self.transform.bytes + record.data.len() as u64 > step.size_bytes {
            self.invoke(ctx, env);
            self.transform.since = now;
            self.transform.batch += 1;
            self.wake(ctx, now + step.interval, Due::Transform(self.transform.batch));
        }
        self.transform.bytes += record.data.len() as u64;
        self.transform.waiting.push(record);
        if self.transform.bytes >= step.size_bytes {
            self.invoke(ctx, env);
        }
    }

    pub(super) fn invoke(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>) {
        let records = std::mem::take(&mut self.transform.waiting);
        self.transform.bytes = 0;
        if !records.is_empty() {
            self.start_invocation(ctx, env, records, 1);
        }
    }

    pub(super) fn start_invocation(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, records: Vec<Rec>, attempt: u32) {
        let settings = self.settings.clone();
        let Some(step) = &settings.processing.lambda else { return };
        let caller = Caller::Firehose { stream: self.name.clone(), incarnation: self.incarnation };
        let arn = format!("arn:aws:firehose:{}:{}:deliverystream/{}", env.region, env.account, self.name);
        let source = self.source.as_ref().map(|source| source.arn.as_str());
        if records.iter().any(|record| ctx.trail.holds(&self.name, record.id)) {
            let function = crate::engine::lambda::name_of(&step.arn);
            self.trace(ctx, format!("in a batch of {} to function {function}, attempt {attempt}", records.len()));
        }
        let id = env
            .lambda
            .call_transform(ctx, &step.arn, caller, &records, |invocation| transform::event(invocation, &arn, source, env.region, &records));
        self.transform.running.insert(id, (records, attempt));
    }

    /// The function has answered.
    pub fn transformed(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, invocation: u64, answer: &transform::Answer) {
        let Some((records, attempt)) = self.transform.running.remove(&invocation) else { return };
        let settings = self.settings.clone();
        let Some(step) = &settings.processing.lambda else {
            // The configuration changed meanwhile: the records go on as they are.
            for record in records {
                self.buffer(ctx, env, record);
            }
            return;
        };
        let dimensions = self.dimensions();
        let verdicts = match answer {
            transform::Answer::Failed(failure) => {
                ctx.metrics.add(Metric::ExecuteProcessingSuccess, &dimensions, ctx.now, 0);
                if attempt <= step.retries {
                    self.say(ctx, "retry", format!("the function failed ({}), attempt {attempt} of {}", failure.code, step.retries + 1), true);
                    return self.start_invocation(ctx, env, records, attempt + 1);
                }
                let failure = Failure { attempts: attempt, ..failure.clone() };
                self.say(ctx, "failed", format!("{} records go to the error prefix: {} after {attempt} attempts", records.len(), failure.code), true);
                for record in &records {
                    self.fail(ctx, record, "processing-failed", &failure, Some(&step.arn));
                }
                return;
            }
            transform::Answer::Verdicts(verdicts) => verdicts,
        };
        ctx.metrics.add(Metric::ExecuteProcessingSuccess, &dimensions, ctx.now, 1);
        self.transform.samples.clear();
        self.transform.last = (0, 0, 0);
        let (mut good, mut good_bytes) = (0, 0);
        for (record, verdict) in records.into_iter().zip(verdicts) {
            if self.transform.samples.len() < 8 {
                self.transform.samples.push(transform::sample(&record, verdict));
            }
            if ctx.trail.holds(&self.name, record.id) {
                let said = match verdict {
                    transform::Verdict::Ok { data, .. } => format!("the function answered Ok, {} bytes", data.len()),
                    transform::Verdict::Dropped => "the function answered Dropped: here it ends".to_owned(),
                    transform::Verdict::Failed(failure) => format!("the function answered {}", failure.code),
                };
                self.trace(ctx, said);
            }
            match verdict {
                transform::Verdict::Ok { data, keys } => {
                    self.transform.last.0 += 1;
                    good += 1;
                    good_bytes += data.len() as u64;
                    self.buffer(ctx, env, Rec { data: data.clone(), keys: keys.clone(), ..record });
                }
                transform::Verdict::Dropped => {
                    self.transform.last.1 += 1;
                    self.tally.dropped += 1;
                }
                transform::Verdict::Failed(failure) => {
                    self.transform.last.2 += 1;
                    self.fail(ctx, &record, "processing-failed", failure, Some(&step.arn));
                }
            }
        }
        ctx.metrics.add_many(Metric::SucceedProcessingRecords, &dimensions, ctx.now, good, 1);
        ctx.metrics.add_many(Metric::SucceedProcessingBytes, &dimensions, ctx.now, good_bytes, 1);
    }

    /// Reads what is new in the source stream.
    pub(super) fn poll(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, kinesis: &mut Kinesis) {
        let Some(mut source) = self.source.take() else { return };
        let dimensions = self.dimensions();
        let Some(stream) = kinesis.stream_mut(&source.stream).filter(|stream| stream.takes_data()) else {
            self.source = Some(source);
            return;
        };
        // New shards are children: they are read from their beginning.
        for shard in stream.shards.values() {
            source.next.entry(shard.number).or_insert(Some(shard.log.first()));
        }
        source.behind_ms = 0;
        let (mut records, mut bytes) = (Vec::new(), 0);
        for (number, next) in &mut source.next {
            let Some(position) = *next else { continue };
            if !stream.shards.contains_key(number) {
                *next = None;
                continue;
            }
            let Some(range) = stream.poll(ctx, ReadRequest { shard: *number, next: position, limit: 10_000, max_bytes: 10 * MIB }) else {
                ctx.metrics.add(Metric::ThrottledGetRecords, &dimensions, ctx.now, 1);
                continue;
            };
            source.behind_ms = source.behind_ms.max(range.behind_ms);
            bytes += range.bytes;
            records.extend(stream.records(ctx, *number, &range).into_iter().map(|record| (*number, record)));
            *next = if range.at_end && range.next >= stream.shards[number].log.next() { None } else { Some(range.next) };
        }
        let behind = source.behind_ms;
        ctx.metrics.add(Metric::KinesisMillisBehindLatest, &dimensions, ctx.now, behind);
        ctx.metrics.add_many(Metric::DataReadFromStreamRecords, &dimensions, ctx.now, records.len() as u64, 1);
        ctx.metrics.add_many(Metric::DataReadFromStreamBytes, &dimensions, ctx.now, bytes, 1);
        self.source = Some(source);
        for (shard, record) in records {
            let arrival = record.approximate_arrival_timestamp.map_or(ctx.now, |at| VirtualTime::from_millis(at.0 as u64));
            let origin = |key: &str, sub_sequence: u64| {
                Some(Arc::new(Origin { shard: shard_id(shard), sequence: record.sequence_number.clone(), sub_sequence, key: key.to_owned() }))
            };
            ctx.bill.firehose_bytes += (record.data.len() as u64).div_ceil(5 << 10).max(1) * (5 << 10);
            match kpl::deaggregate(&record.data, None) {
                Deaggregated::Records(inside) => {
                    for user in inside {
                        self.enter(ctx, env, user.data.into(), arrival, origin(user.partition_key, user.sub_sequence_number));
                    }
                }
                Deaggregated::Plain | Deaggregated::OutdatedShardMap => {
                    let key = record.partition_key.clone().unwrap_or_default();
                    self.enter(ctx, env, record.data.0.clone(), arrival, origin(&key, 0));
                }
            }
        }
    }

    /// A gzip payload may hold so much.
    pub(super) const fn unpacked_max() -> usize {
        64 << 20
    }
}
