//! The function that prepares records before they become rows: batches, answers, what is tried again.
//!
//! One invocation runs at a time. As long as it has not ended well, its records and all behind them wait, and so does the application's clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Env;
use super::application::Application;
use super::source::{Source, Taken, metadata};
use crate::engine::kinesis::Ctx;
use crate::engine::lambda::function::Program;
use crate::engine::lambda::{Caller, Lambda, Outcome, name_of};
use crate::engine::metrics::{Dimensions, Flow, Metric};
use crate::engine::time::{VirtualDuration, VirtualTime};

/// Bytes of an event: what an invocation may carry is 6 MB.
pub(super) const EVENT_BYTES: usize = 6_000_000;
/// What a record takes of an event beside its data.
pub(super) const RECORD_BYTES: usize = 400;
/// Failed invocations are told of at first, then every eighth time.
const TOLD: u32 = 3;

/// Records that a function prepares.
#[derive(Debug, Clone)]
pub struct Batch {
    records: Vec<Taken>,
    /// The invocation under way; none while it waits for another attempt.
    invocation: Option<u64>,
    /// Attempts that failed.
    failures: u32,
    started: VirtualTime,
    /// No attempt before.
    again_at: VirtualTime,
}

/// What the function has done since the application started.
#[derive(Debug, Clone, Default)]
pub struct Processed {
    /// Records that became rows.
    pub ok: u64,
    /// Records that it dropped.
    pub dropped: u64,
    /// Records that went to the error stream.
    pub failed: u64,
    /// Invocations that failed.
    pub failures: u64,
    /// Why the last one failed; none when it ended well.
    pub trouble: Option<String>,
}

/// What a function said of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on with these bytes.
    Ok(Arc<[u8]>),
    /// It vanishes.
    Dropped,
    /// It goes to the error stream.
    Failed(&'static str),
}

/// The event of an invocation.
pub(super) fn event(invocation: &str, application: &str, stream: &str, records: &[Taken]) -> String {
    let records: Vec<Value> = records
        .iter()
        .map(|record| {
            let (name, metadata) = metadata(record);
            json!({"recordId": record.record_id(), name: metadata, "data": STANDARD.encode(&record.data)})
        })
        .collect();
    json!({"invocationId": invocation, "applicationArn": application, "streamArn": stream, "records": records}).to_string()
}

/// Why an invocation failed as a whole; `None` when it answered.
pub(super) fn failure(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Answer(_) | Outcome::Native(_) => return None,
        Outcome::Error { kind, message, .. } => format!("{kind}: {message}"),
        Outcome::TimedOut => "the function timed out".to_owned(),
        Outcome::Throttled => "the function is throttled: no concurrency is left".to_owned(),
        Outcome::TooLarge => "its answer is larger than 6 MB".to_owned(),
        Outcome::Missing => "the function does not exist".to_owned(),
    })
}

/// The answers by record id; an id that was answered twice has none.
pub(super) fn answers(parsed: &Value) -> Option<BTreeMap<&str, Option<&Value>>> {
    let mut by_id = BTreeMap::new();
    for record in parsed["records"].as_array()? {
        if let Some(id) = record["recordId"].as_str() {
            by_id.entry(id).and_modify(|known| *known = None).or_insert(Some(record));
        }
    }
    Some(by_id)
}

/// What a function said of each record.
///
/// # Errors
/// Why the invocation is worth nothing and is tried again.
pub(super) fn verdicts(outcome: &Outcome, records: &[Taken]) -> Result<Vec<Verdict>, String> {
    if let Some(why) = failure(outcome) {
        return Err(why);
    }
    let text = match outcome {
        Outcome::Native(kept) => {
            let verdict = |(keep, record): (&bool, &Taken)| if *keep { Verdict::Ok(record.data.clone()) } else { Verdict::Dropped };
            return Ok(kept.iter().zip(records).map(verdict).collect());
        }
        Outcome::Answer(text) => text,
        _ => return Ok(Vec::new()),
    };
    let parsed: Value = serde_json::from_str(text).unwrap_or_default();
    let by_id = answers(&parsed).ok_or("its answer has no list of records")?;
    let verdict = |record: &Taken| {
        let Some(answer) = by_id.get(record.record_id().as_str()) else { return Verdict::Failed("the function did not answer its recordId") };
        let Some(answer) = answer else { return Verdict::Failed("the function answered its recordId more than once") };
        match answer["result"].as_str() {
            Some("Dropped") => Verdict::Dropped,
            Some("ProcessingFailed") => Verdict::Failed("the function answered ProcessingFailed"),
            Some("Ok") => match answer["data"].as_str().map(|data| STANDARD.decode(data)) {
                Some(Ok(data)) => Verdict::Ok(data.into()),
                Some(Err(_)) => Verdict::Failed("the function answered data that is not base64"),
                None => Verdict::Failed("the function answered Ok without data"),
            },
            _ => Verdict::Failed("the function answered a result other than Ok, Dropped and ProcessingFailed"),
        }
    };
    Ok(records.iter().map(verdict).collect())
}

/// How long a failed invocation waits for the next attempt.
pub(super) const fn pause(failures: u32) -> VirtualDuration {
    let exponent = if failures > 5 { 4 } else { failures.saturating_sub(1) };
    VirtualDuration::from_secs(1 << exponent)
}

/// What a rule says of records; `None` of a handler.
pub(super) fn native<'r>(lambda: &Lambda, function: &str, records: impl Iterator<Item = &'r [u8]>) -> Option<Vec<bool>> {
    match &lambda.function(function)?.program {
        Program::Rule(rule) => Some(records.map(|data| rule.keeps(data)).collect()),
        Program::Node(..) | Program::Python(..) => None,
    }
}

/// Whether another record fits into an event, as its bytes come.
pub(super) fn room() -> impl FnMut(usize) -> bool {
    let mut bytes = 0;
    move |data| {
        let before = bytes;
        bytes += data.div_ceil(3) * 4 + RECORD_BYTES;
        before == 0 || bytes <= EVENT_BYTES
    }
}

/// The record is the one being followed.
fn is_followed(ctx: &Ctx<'_>, source: &Source, record: &Taken) -> bool {
    let Source::Stream(stream) = source else { return false };
    record.origin.as_ref().is_some_and(|origin| ctx.trail.in_range(stream, origin.shard, origin.counter, origin.counter + 1))
}

impl Batch {
    /// Arrival of its first record.
    pub(super) fn since(&self) -> Option<VirtualTime> {
        self.records.first().map(|record| record.at)
    }
}

impl Application {
    fn input_flow(&self) -> Dimensions {
        let id = self.input.as_ref().map_or("", |input| &input.id);
        Dimensions::Flow(self.name.clone(), Flow::Input, id.into())
    }

    /// Gives the function its next batch, or the same one again when it is time.
    pub(super) fn process(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>) {
        let Some((function, source, parallelism)) =
            self.input.as_ref().and_then(|input| Some((input.processor.clone()?, input.source.clone(), input.parallelism)))
        else {
            return;
        };
        let (arn, stream) = (self.arn.clone(), self.source_arn());
        let Some(run) = &mut self.run else { return };
        if run.batch.is_none() {
            let records = run.reading.first(ctx, env.kinesis, &source, parallelism, room());
            if records.is_empty() {
                return;
            }
            run.batch = Some(Batch { records, invocation: None, failures: 0, started: ctx.now, again_at: ctx.now });
        }
        let Some(batch) = run.batch.as_mut().filter(|batch| batch.invocation.is_none() && batch.again_at <= ctx.now) else { return };
        batch.started = ctx.now;
        if batch.records.iter().any(|record| is_followed(ctx, &source, record)) {
            let text = format!("in a batch of {} to function {}, attempt {}", batch.records.len(), name_of(&function), batch.failures + 1);
            ctx.trail.note(ctx.now, format!("application {}", self.name), text);
        }
        let records = &batch.records;
        let native = native(env.lambda, &function, records.iter().map(|record| &*record.data));
        let caller = Caller::Application { name: self.name.clone(), incarnation: self.incarnation, output: None };
        let id = env.lambda.call(ctx, &function, caller, records.len() as u64, |invocation| event(invocation, &arn, &stream, records), native);
        batch.invocation = Some(id);
    }

    /// The function has answered: its records become rows, or the batch is tried again.
    pub(super) fn processed(&mut self, ctx: &mut Ctx<'_>, invocation: u64, outcome: &Outcome) {
        let dimensions = self.input_flow();
        let Some(input) = &self.input else { return };
        let Some(run) = &mut self.run else { return };
        let Some(mut batch) = run.batch.take_if(|batch| batch.invocation == Some(invocation)) else { return };
        let now = ctx.now;
        ctx.metrics.add(Metric::InputProcessingDuration, &dimensions, now, now.since(batch.started).as_millis());
        let verdicts = match verdicts(outcome, &batch.records) {
            Ok(verdicts) => verdicts,
            Err(why) => {
                ctx.metrics.add(Metric::InputProcessingSuccess, &dimensions, now, 0);
                batch.failures += 1;
                batch.invocation = None;
                batch.again_at = now + pause(batch.failures);
                run.processed.failures += 1;
                run.processed.trouble = Some(why.clone());
                let (records, failures) = (batch.records.len(), batch.failures);
                let wait = pause(failures).as_secs();
                run.batch = Some(batch);
                if failures <= TOLD || failures.is_multiple_of(8) {
                    let text = format!("its function failed ({why}): {records} records are tried again in {wait} s, the input waits");
                    self.say(ctx, "retry", text, true);
                }
                return;
            }
        };
        ctx.metrics.add(Metric::InputProcessingSuccess, &dimensions, now, 1);
        run.processed.trouble = None;
        let (mut ok, mut bytes, mut dropped, mut failed) = (0, 0, 0, 0);
        let schema = input.schema.clone();
        let mut feed = run.feed(&schema);
        for (record, verdict) in batch.records.iter().zip(verdicts) {
            if is_followed(ctx, &input.source, record) {
                let said = match &verdict {
                    Verdict::Ok(data) => {
                        format!("its function answered Ok, {} bytes: a row with the ROWTIME {}", data.len(), record.at.clock_millis_text())
                    }
                    Verdict::Dropped => "its function answered Dropped: here it ends".to_owned(),
                    Verdict::Failed(why) => format!("{why}: a row of error_stream"),
                };
                ctx.trail.note(now, format!("application {}", self.name), said);
            }
            match verdict {
                Verdict::Ok(data) => {
                    ok += 1;
                    bytes += data.len() as u64;
                    feed.record(record, &data);
                }
                Verdict::Dropped => {
                    dropped += 1;
                    feed.dropped(record);
                }
                Verdict::Failed(why) => {
                    failed += 1;
                    feed.refused(record, why);
                }
            }
        }
        feed.end();
        for record in &batch.records {
            run.reading.done(record);
        }
        run.processed.ok += ok;
        run.processed.dropped += dropped;
        run.processed.failed += failed;
        ctx.metrics.add_many(Metric::InputProcessingOkRecords, &dimensions, now, ok, ok.min(1));
        ctx.metrics.add_many(Metric::InputProcessingOkBytes, &dimensions, now, bytes, ok.min(1));
        ctx.metrics.add_many(Metric::InputProcessingDroppedRecords, &dimensions, now, dropped, dropped.min(1));
        ctx.metrics.add_many(Metric::InputProcessingFailedRecords, &dimensions, now, failed, failed.min(1));
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Origin;
    use super::*;

    fn record(number: u64) -> Taken {
        Taken { at: VirtualTime::from_secs(5), data: b"x"[..].into(), target: 0, number, origin: None }
    }

    #[test]
    fn every_answer_of_the_contract_has_its_effect() {
        let records: Vec<Taken> = (0..7).map(record).collect();
        let id = |at: usize| records[at].record_id();
        let text = json!({"records": [
            {"recordId": id(0), "result": "Ok", "data": "YQ=="},
            {"recordId": id(1), "result": "Dropped"},
            {"recordId": id(2), "result": "ProcessingFailed", "data": "eA=="},
            {"recordId": id(3), "result": "Ok"},
            {"recordId": id(4), "result": "Ok", "data": "?"},
            {"recordId": id(5), "result": "Ok", "data": "YQ=="},
            {"recordId": id(5), "result": "Ok", "data": "YQ=="},
        ]});
        let said = verdicts(&Outcome::Answer(text.to_string().into()), &records).expect("an answer");
        assert_eq!(said[..2], [Verdict::Ok(b"a"[..].into()), Verdict::Dropped]);
        assert!(said[2..].iter().all(|verdict| matches!(verdict, Verdict::Failed(_))), "{said:?}");
        assert_eq!(verdicts(&Outcome::Native(vec![true, false]), &records[..2]), Ok(vec![Verdict::Ok(b"x"[..].into()), Verdict::Dropped]));
        for worthless in [Outcome::Answer("null".into()), Outcome::Answer("{\"records\": 3}".into()), Outcome::TimedOut, Outcome::Missing] {
            verdicts(&worthless, &records).expect_err("tried again");
        }
    }

    #[test]
    fn events_say_where_a_record_came_from() {
        let origin = Origin { shard: 3, counter: 1, sequence: "49".to_owned(), key: "k".to_owned() };
        let records = [record(0), Taken { origin: Some(origin), ..record(1) }];
        let event: Value = serde_json::from_str(&event("i", "arn:app", "arn:stream", &records)).expect("JSON");
        assert_eq!(event["records"][0]["kinesisFirehoseRecordMetadata"], json!({"approximateArrivalTimestamp": 5000}));
        assert_eq!(event["records"][1]["kinesisStreamRecordMetadata"]["shardId"], "shardId-000000000003");
        assert_eq!((&event["records"][1]["recordId"], &event["records"][1]["data"]), (&json!("49"), &json!("eA==")));
    }

    #[test]
    fn the_pause_doubles_up_to_sixteen_seconds() {
        assert_eq!((1..8).map(|failures| pause(failures).as_secs()).collect::<Vec<_>>(), [1, 2, 4, 8, 16, 16, 16]);
        let mut fits = room();
        assert!(fits(10_000_000), "one record always goes");
        assert!(!fits(1));
    }
}
