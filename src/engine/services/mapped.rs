//! Batches of event source mappings: begun, answered, put by rules, tried again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Services;
use crate::engine::firehose::prefix::{format_time, uuid};
use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, Kinesis, shard_id};
use crate::engine::kpl::{self, Deaggregated};
use crate::engine::lambda::function::{self, Program};
use crate::engine::lambda::mapping::Step;
use crate::engine::lambda::mapping::reader::{Batch, Closing};
use crate::engine::lambda::{Caller, Due as LambdaDue, Lambda, Outcome};
use crate::engine::metrics::{Dimensions, Metric};
use crate::engine::random::Substream;
use crate::engine::schedule::Wake;
use crate::engine::time::{VirtualDuration, VirtualTime};

/// Put calls of a batch whose time is over.
const TIME_IS_OVER: u32 = u32::MAX;
/// Characters of a window's state that the journal shows.
const STATE_SHOWN: usize = 120;

impl Services {
    /// Starts what can be started on a shard of a mapping.
    pub(super) fn look(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, index: usize, shard: u32) {
        loop {
            let Some(mapping) = self.lambda.mapping_mut(index).filter(|mapping| mapping.enabled) else { return };
            let Some(stream) = kinesis.stream_mut(&mapping.stream) else { return };
            match mapping.step(ctx, stream, shard) {
                Step::Begin(batch) => self.begin(ctx, kinesis, index, batch),
                Step::Wait(at) => {
                    let at = at.max(ctx.now + VirtualDuration::from_millis(1));
                    if let Some(reader) = mapping.readers.get_mut(&shard) {
                        reader.token += 1;
                        let due = LambdaDue::Lane { mapping: index, shard, token: reader.token };
                        ctx.schedule.at(at, Wake::Lambda { due });
                    }
                    return;
                }
                Step::Idle => return,
            }
        }
    }

    fn begin(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis, index: usize, mut batch: Batch) {
        let Some(mapping) = self.lambda.mapping_mut(index) else { return };
        let (name, stream_name, age) = (mapping.function.clone(), mapping.stream.clone(), mapping.age_ms);
        ctx.metrics.add(Metric::FunctionIteratorAge, &Dimensions::Function(name.clone()), ctx.now, age);
        let Some(stream) = kinesis.stream(&stream_name) else { return };
        let records = batch.records.len() as u64;
        if follows(ctx, &stream_name, &batch) {
            let attempt = if batch.attempts == 0 { String::new() } else { format!(", attempt {}", batch.attempts + 1) };
            ctx.trail.note(ctx.now, format!("function {name}"), format!("in a batch of {records} of shard {:04}{attempt}", batch.shard));
        }
        let program = self.lambda.function(&name).map(|function| function.program.clone());
        if let Some(Program::Rule(rule)) = program {
            let mut buffer = ReadBuffer::default();
            let Some(log) = stream.shards.get(&batch.shard).map(|shard| &shard.log) else { return };
            for counter in batch.records.clone().iter() {
                let Some(read) = log.read(*counter, ctx.remake, &mut buffer) else { continue };
                let mut judge = |data: &[u8]| {
                    if rule.keeps(data) {
                        // One line each: Athena and Glue want it so.
                        let line: Arc<[u8]> = if data.ends_with(b"\n") { data.into() } else { [data, b"\n"].concat().into() };
                        batch.pending.push(line);
                    } else {
                        batch.dropped += 1;
                    }
                };
                match kpl::deaggregate(read.data, None) {
                    Deaggregated::Records(inside) => inside.iter().for_each(|record| judge(record.data)),
                    Deaggregated::Plain | Deaggregated::OutdatedShardMap => judge(read.data),
                }
            }
            let Some(after) = self.lambda.begin_rule(ctx, &name, records) else {
                return self.batch_over(ctx, kinesis, index, batch.shard, batch.id, Err("throttled: no concurrency is left".to_owned()), None);
            };
            let due = LambdaDue::Put { mapping: index, shard: batch.shard, batch: batch.id };
            if let Some(running) = self.running(index, batch.shard, batch.id) {
                *running = batch;
            }
            ctx.schedule.at(ctx.now + after, Wake::Lambda { due });
            return;
        }
        let role = self.lambda.function(&name).map_or_else(String::new, |function| function.role.clone());
        let event = self.lambda.mapping_mut(index).map(|mapping| mapping.event(ctx, stream, &batch, &role, "us-east-1"));
        let id = self.lambda.call(ctx, &name, Caller::Mapping(index), records, |_| event.unwrap_or_default(), None);
        if let Some(running) = self.running(index, batch.shard, batch.id) {
            running.invocation = Some(id);
        }
    }

    fn running(&mut self, index: usize, shard: u32, id: u64) -> Option<&mut Batch> {
        self.lambda.mapping_mut(index)?.running(shard, id)
    }

    /// A rule puts what it kept into its delivery stream, as the original function of the workshop did: one PutRecordBatch, then again what
    /// was refused after a back-off of `2 * seed^n` milliseconds.
    pub(super) fn rule_puts(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, index: usize, shard: u32, id: u64) {
        let now = ctx.now;
        let Some(name) = self.lambda.mapping_mut(index).map(|mapping| mapping.function.clone()) else { return };
        let Some(batch) = self.running(index, shard, id).cloned() else { return };
        let Some(function) = self.lambda.function(&name) else { return };
        let (timeout, failing) = (function.timeout, function.failing);
        let variable = |wanted: &[&str]| wanted.iter().find_map(|name| function.environment.get(*name).cloned());
        let target = variable(&["delivery_stream", "DELIVERY_STREAM", "firehose_stream", "stream_name"]);
        let seed = variable(&["exponential_backoff_seed"]).and_then(|text| text.parse::<f64>().ok()).unwrap_or(35.0);
        let retries = variable(&["number_of_retries"]).and_then(|text| text.parse::<u32>().ok()).unwrap_or(3);
        let role = function.role.clone();
        let over = |started: VirtualTime| now.since(started) >= timeout;
        let verdict = if batch.calls == TIME_IS_OVER || (over(batch.started) && batch.calls == 0) {
            Err(format!("Task timed out after {}.00 seconds", timeout.as_secs()))
        } else if failing {
            Err("a fault of the lab makes every call fail".to_owned())
        } else if batch.pending.is_empty() || target.is_none() {
            Ok(())
        } else if !self.iam.allows(&role, "firehose:PutRecordBatch") {
            Err(format!(
                "An error occurred (AccessDeniedException) when calling the PutRecordBatch operation: {role} is not authorized to perform: firehose:PutRecordBatch"
            ))
        } else {
            let target = target.unwrap_or_default();
            let (firehose, mut env) = self.apart();
            match firehose.put_batch(ctx, &mut env, &target, &batch.pending) {
                Err(error) => Err(format!("An error occurred ({}) when calling the PutRecordBatch operation: {}", error.code, error.message)),
                Ok(passed) => {
                    let good = passed.iter().filter(|passed| **passed).count() as u64;
                    let Some(running) = self.running(index, shard, id) else { return };
                    running.put += good;
                    let mut flags = passed.iter();
                    running.pending.retain(|_| !flags.next().copied().unwrap_or(false));
                    if running.pending.is_empty() {
                        Ok(())
                    } else {
                        running.calls += 1;
                        let calls = running.calls;
                        let left = running.pending.len();
                        let started = running.started;
                        if calls > retries {
                            Err(format!("{left} records could not be put after {retries} retries"))
                        } else {
                            let wait = VirtualDuration((libm::fmin(2.0 * libm::pow(seed, f64::from(calls)), 1e12) * 1000.0) as u64);
                            let deadline = started + timeout;
                            let at = if now + wait >= deadline {
                                running.calls = TIME_IS_OVER;
                                deadline
                            } else {
                                now + wait
                            };
                            let secs = wait.as_millis();
                            self.lambda.print(
                                &name,
                                now,
                                format!("FailedPutCount {left}, retry {calls} of {retries} in {}.{:03} s", secs / 1000, secs % 1000),
                            );
                            ctx.metrics.add(Metric::FailedPutCount, &Dimensions::Function(name.clone()), now, left as u64);
                            ctx.schedule.at(at, Wake::Lambda { due: LambdaDue::Put { mapping: index, shard, batch: id } });
                            return;
                        }
                    }
                }
            }
        };
        self.lambda.end_rule(ctx, &name, batch.started, verdict.as_ref().err().cloned());
        self.batch_over(ctx, kinesis, index, shard, id, verdict, None);
        self.look(ctx, kinesis, index, shard);
    }

    pub(super) fn batch_answered(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, index: usize, invocation: u64, outcome: &Outcome) {
        let Some(mapping) = self.lambda.mapping_mut(index) else { return };
        let Some((shard, id)) = mapping.of_invocation(invocation) else { return };
        let (report, stream_name) = (mapping.report_failures, mapping.stream.clone());
        let Some(batch) = mapping.running(shard, id).cloned() else { return };
        let mut from = None;
        let verdict = match outcome {
            Outcome::Answer(text) => {
                let parsed: Value = serde_json::from_str(text).unwrap_or_default();
                let windowed = mapping.window_of(&batch).is_some();
                if windowed && !parsed["state"].is_object() {
                    Err("the answer has no state, which a tumbling window needs".to_owned())
                } else {
                    if windowed && mapping.take_state(&batch, &parsed["state"]) {
                        let text = format!("the state of shard {shard:04} is larger than 1 MB: its window ends early");
                        ctx.journal.push(ctx.now, format!("function {}", mapping.function), "window", text, true);
                    }
                    match parsed["batchItemFailures"].as_array().filter(|items| report && !items.is_empty()) {
                        None => Ok(()),
                        Some(items) => {
                            from = first_failure(kinesis, &stream_name, &batch, items);
                            Err(format!("{} items failed", items.len()))
                        }
                    }
                }
            }
            Outcome::Native(_) => Ok(()),
            Outcome::Error { kind, message, .. } => Err(format!("{kind}: {message}")),
            Outcome::TimedOut => Err("Function call timed out".to_owned()),
            Outcome::Throttled => Err("Function call was throttled".to_owned()),
            Outcome::TooLarge => Err("The response of the function is too large".to_owned()),
            Outcome::Missing => Err("The function does not exist".to_owned()),
        };
        self.batch_over(ctx, kinesis, index, shard, id, verdict, from);
        self.look(ctx, kinesis, index, shard);
    }

    fn batch_over(
        &mut self,
        ctx: &mut Ctx<'_>,
        kinesis: &Kinesis,
        index: usize,
        shard: u32,
        id: u64,
        verdict: Result<(), String>,
        from: Option<u64>,
    ) {
        let now = ctx.now;
        let Some(mapping) = self.lambda.mapping_mut(index) else { return };
        let Some(batch) = mapping.take(shard, id) else { return };
        if follows(ctx, &mapping.stream, &batch) {
            let text = match &verdict {
                Ok(()) => "its batch ended well".to_owned(),
                Err(why) => format!("its batch failed: {why}"),
            };
            ctx.trail.note(now, format!("function {}", mapping.function), text);
        }
        match verdict {
            Ok(()) => {
                if let (Some(Closing::Final), Some(window)) = (batch.closes, mapping.window_of(&batch)) {
                    let state: String = window.state.chars().take(STATE_SHOWN).collect();
                    let text = format!("the window {}–{} of shard {shard:04} is over: {state}", window.start.clock_text(), window.end.clock_text());
                    ctx.journal.push(now, format!("function {}", mapping.function), "window", text, false);
                }
                mapping.succeeded(&batch);
            }
            Err(why) => {
                let (what, given_up) = mapping.failed(now, &batch, &why, from);
                let what_failed = match batch.closes {
                    None => format!("a batch of {} records", batch.records.len()),
                    Some(_) => "the call that ends a window".to_owned(),
                };
                let text = format!("{what_failed} of shard {shard:04} failed ({why}): {what}");
                let place = mapping.on_failure.clone().filter(|_| given_up && batch.closes.is_none());
                // A shard that is blocked for hours says so once, then every eighth time.
                if batch.attempts < 3 || batch.attempts.is_multiple_of(8) || given_up {
                    ctx.journal.push(now, format!("function {}", mapping.function), if given_up { "given-up" } else { "retry" }, text, true);
                }
                if let Some(place) = place {
                    self.tell_failure(ctx, kinesis, index, &batch, from, &place);
                }
            }
        }
    }
}

impl Services {
    /// The description of a batch that was given up goes to a topic or a bucket; with a bucket the records go along.
    fn tell_failure(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis, index: usize, batch: &Batch, from: Option<u64>, place: &str) {
        let now = ctx.now;
        let Some(mapping) = self.lambda.mapping_mut(index) else { return };
        let left = &batch.records[from.map_or(0, |from| batch.records.partition_point(|counter| *counter < from))..];
        let Some((stream, shard)) = kinesis.stream(&mapping.stream).and_then(|stream| Some((stream, stream.shards.get(&batch.shard)?))) else {
            return;
        };
        let arrival = |counter: Option<&u64>| counter.and_then(|counter| shard.log.slot(*counter)).map_or(now, |slot| slot.arrival);
        let number = |counter: Option<&u64>| counter.map_or_else(String::new, |at| shard.sequence_number(*at, arrival(counter)).to_string());
        let too_old = mapping.max_age.is_some_and(|age| now.since(batch.oldest) > age);
        let mut told = json!({
            "requestContext": {
                "requestId": uuid(Substream::new(batch.id, &["request", &mapping.uuid])),
                "functionArn": function::arn(&mapping.function, &self.region, &self.account),
                "condition": if too_old { "RecordAgeExceeded" } else { "RetryAttemptsExhausted" },
                "approximateInvokeCount": batch.attempts + 1,
            },
        });
        if !too_old {
            let error = if from.is_some() { Value::Null } else { json!("Unhandled") };
            told["responseContext"] = json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": error});
        }
        told["version"] = json!("1.0");
        told["timestamp"] = json!(now.to_string());
        told["KinesisBatchInfo"] = json!({
            "shardId": shard_id(batch.shard),
            "startSequenceNumber": number(left.first()),
            "endSequenceNumber": number(left.last()),
            "approximateArrivalOfFirstRecord": arrival(left.first()).to_string(),
            "approximateArrivalOfLastRecord": arrival(left.last()).to_string(),
            "batchSize": left.len(),
            "streamArn": mapping.arn,
        });
        let problem = if place.starts_with("arn:aws:sns:") {
            self.publish_one(ctx, place, &json!({"Message": told.to_string()})).err()
        } else if let Some(bucket) = place.strip_prefix("arn:aws:s3:::") {
            let whole = Batch { records: left.into(), ..batch.clone() };
            let role = self.lambda.function(&mapping_name(&self.lambda, index)).map_or_else(String::new, |function| function.role.clone());
            let Some(mapping) = self.lambda.mapping_mut(index) else { return };
            told["payload"] = json!(mapping.event(ctx, stream, &whole, &role, &self.region));
            let id = uuid(Substream::new(batch.id, &["object", &mapping.uuid]));
            let key = format!("aws/lambda/{}/{}/{}-{id}", mapping.uuid, shard_id(batch.shard), format_time("yyyy/MM/dd/yyyy-MM-dd'T'HH.mm.ss", now));
            self.s3.put(now, bucket, &key, told.to_string().into_bytes().into(), "").err()
        } else {
            None
        };
        if let Some(error) = problem {
            let text = format!("the description of a batch could not be sent to {place}: {}", error.message);
            ctx.journal.push(now, format!("function {}", mapping_name(&self.lambda, index)), "undelivered", text, true);
        }
    }
}

fn mapping_name(lambda: &Lambda, index: usize) -> Arc<str> {
    lambda.mappings().find(|(at, _)| *at == index).map_or_else(|| "".into(), |(_, mapping)| mapping.function.clone())
}

/// The record that is followed is in a batch.
fn follows(ctx: &Ctx<'_>, stream: &str, batch: &Batch) -> bool {
    ctx.trail.followed().is_some_and(|followed| {
        followed.shard == batch.shard && *followed.stream == *stream && batch.records.binary_search(&followed.counter).is_ok()
    })
}

/// The first record of a batch that the function says has failed; `None` when all of it has: an item without a known number means so.
fn first_failure(kinesis: &Kinesis, stream: &str, batch: &Batch, items: &[Value]) -> Option<u64> {
    let shard = kinesis.stream(stream)?.shards.get(&batch.shard)?;
    let number = |counter: u64| shard.log.slot(counter).map(|slot| shard.sequence_number(counter, slot.arrival).to_string());
    let numbers: Vec<(String, u64)> = batch.records.iter().filter_map(|counter| Some((number(*counter)?, *counter))).collect();
    items
        .iter()
        .map(|item| numbers.iter().find(|(number, _)| item["itemIdentifier"].as_str() == Some(number)).map(|(_, counter)| *counter))
        .collect::<Option<Vec<u64>>>()?
        .into_iter()
        .min()
}
