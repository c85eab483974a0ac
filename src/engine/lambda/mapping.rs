//! Event source mappings: a function reads a stream shard by shard, batch after batch.
//!
//! A shard is read in order. A batch that fails is tried again and blocks its shard, until it works, is split, or is given up by the
//! settings. With a parallelisation factor several batches of a shard run at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, DataStream, ReadRequest, shard_id};
use crate::engine::limits::MIB;
use crate::engine::time::{VirtualDuration, VirtualTime};

/// Time between two reads of a shard without news.
pub const IDLE_POLL: VirtualDuration = VirtualDuration::SECOND;
/// Time between two reads of a shard that had records.
const BUSY_POLL: VirtualDuration = VirtualDuration::from_millis(250);
/// Bytes of data in one event: the payload limit is 6 MB and base64 takes a third more.
const BATCH_BYTES: u64 = 4_400_000;

/// A batch under way.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Number within the mapping.
    pub id: u64,
    /// Shard.
    pub shard: u32,
    /// Counter of the first record.
    pub first: u64,
    /// Counter after the last record.
    pub next: u64,
    /// Attempts before this one.
    pub attempts: u32,
    /// When this attempt began.
    pub started: VirtualTime,
    /// Arrival of the oldest record.
    pub oldest: VirtualTime,
    /// The invocation, of a handler outside.
    pub invocation: Option<u64>,
    /// What a rule kept and has not put yet.
    pub pending: Vec<Arc<[u8]>>,
    /// Records that a rule dropped.
    pub dropped: u64,
    /// Records put so far in this attempt.
    pub put: u64,
    /// Put calls of this attempt.
    pub calls: u32,
}

/// A shard of a mapping.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Counter of the next record to give to a batch.
    pub next: u64,
    /// Counter up to which GetRecords has read.
    pub read: u64,
    /// When GetRecords was called last, and whether it had news.
    pub polled: (VirtualTime, bool),
    /// MillisBehindLatest.
    pub behind_ms: u64,
    /// Batches under way.
    pub running: Vec<Batch>,
    /// A batch to try again: first, next, attempts, not before.
    pub again: Option<(u64, u64, u32, VirtualTime)>,
    /// Batches are at most this long until one works (bisecting).
    pub at_most: Option<u64>,
    /// Since when fewer records than a batch wait for company.
    pub waits_since: Option<VirtualTime>,
    /// Read to its end.
    pub finished: bool,
    /// Invocations of this shard.
    pub invocations: u64,
    /// Guards wake-ups: only the last one counts.
    pub token: u64,
    /// Run of the mapping that looks at it.
    pub awake: u32,
}

/// A mapping.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// UUID.
    pub uuid: String,
    /// Function.
    pub function: Arc<str>,
    /// Stream.
    pub stream: String,
    /// Its ARN.
    pub arn: String,
    /// Enabled.
    pub enabled: bool,
    /// Guards wake-ups.
    pub run: u32,
    /// `LATEST`, `TRIM_HORIZON` or `AT_TIMESTAMP`.
    pub position: String,
    /// For `AT_TIMESTAMP`.
    pub timestamp: Option<VirtualTime>,
    /// Records of a batch at most.
    pub batch_size: u64,
    /// How long a small batch waits for company.
    pub window: VirtualDuration,
    /// Batches of a shard at a time.
    pub parallel: usize,
    /// Attempts more; `None` = until it expires.
    pub retries: Option<u32>,
    /// Records older than this are given up.
    pub max_age: Option<VirtualDuration>,
    /// Halve a batch that fails.
    pub bisect: bool,
    /// Where the description of given-up batches goes.
    pub on_failure: Option<String>,
    /// `ReportBatchItemFailures`.
    pub report_failures: bool,
    /// When it changed last.
    pub modified: VirtualTime,
    /// `OK`, `PROBLEM: …`.
    pub result: String,
    /// Shards.
    pub lanes: BTreeMap<u32, Lane>,
    /// Records read in batches that ended well.
    pub read: u64,
    /// Records kept and dropped by a rule in batches that ended well.
    pub kept: u64,
    /// Records dropped by a rule.
    pub dropped: u64,
    /// Records put by attempts that failed afterwards: they are put again.
    pub duplicates: u64,
    /// Records of batches that were given up.
    pub discarded: u64,
    /// Iterator age of the last batch, milliseconds.
    pub age_ms: u64,
    /// Number of the next batch.
    pub batches: u64,
}

/// What a lane does next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Begin this batch.
    Begin(Batch),
    /// Look again then.
    Wait(VirtualTime),
    /// Nothing more will come, or nothing before a batch ends.
    Idle,
}

impl Mapping {
    /// Finds the shards of the stream: new ones are read from their beginning, or from the starting position when the mapping is new.
    pub fn find_lanes(&mut self, ctx: &Ctx<'_>, stream: &DataStream) -> Vec<u32> {
        let first_time = self.lanes.is_empty();
        let mut fresh = Vec::new();
        for shard in stream.shards.values() {
            if self.lanes.contains_key(&shard.number) {
                continue;
            }
            let next = match (first_time, self.position.as_str()) {
                (true, "LATEST") => shard.log.next(),
                (true, "AT_TIMESTAMP") => self.timestamp.map_or(shard.log.first(), |at| shard.log.first_at(at)),
                _ => shard.log.first(),
            };
            if first_time && self.position == "LATEST" && !shard.is_open() {
                continue;
            }
            let lane = Lane {
                next,
                read: next,
                polled: (VirtualTime(0), false),
                behind_ms: 0,
                running: Vec::new(),
                again: None,
                at_most: None,
                waits_since: None,
                finished: false,
                invocations: 0,
                token: 0,
                awake: 0,
            };
            self.lanes.insert(shard.number, lane);
            fresh.push(shard.number);
        }
        let _ = ctx;
        fresh
    }

    /// Decides what a shard does now.
    pub fn step(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, shard: u32) -> Step {
        let (batch_size, window, parallel) = (self.batch_size, self.window, self.parallel);
        let now = ctx.now;
        // Children wait until their parents are read to the end.
        let parents: Vec<u32> = stream.shards.get(&shard).into_iter().flat_map(|shard| [shard.parent, shard.adjacent_parent]).flatten().collect();
        if parents.iter().any(|parent| self.lanes.get(parent).is_some_and(|lane| !lane.finished)) {
            return Step::Wait(now + IDLE_POLL);
        }
        let Some(lane) = self.lanes.get_mut(&shard) else { return Step::Idle };
        if lane.finished || lane.running.len() >= parallel {
            return Step::Idle;
        }
        if let Some((first, next, attempts, not_before)) = lane.again {
            if not_before > now {
                return Step::Wait(not_before);
            }
            lane.again = None;
            return self.begin(now, stream, shard, first, next, attempts);
        }
        if lane.next >= lane.read {
            let pause = if lane.polled.1 { BUSY_POLL } else { IDLE_POLL };
            if lane.polled.0 != VirtualTime(0) && now < lane.polled.0 + pause {
                return Step::Wait(lane.polled.0 + pause);
            }
            match stream.poll(ctx, ReadRequest { shard, next: lane.next, limit: 10_000, max_bytes: 10 * MIB }) {
                None if !stream.shards.contains_key(&shard) => {
                    lane.finished = true;
                    return Step::Idle;
                }
                None => return Step::Wait(now + BUSY_POLL),
                Some(range) => {
                    lane.polled = (now, range.next > range.first);
                    lane.next = lane.next.max(range.first);
                    lane.read = range.next;
                    lane.behind_ms = range.behind_ms;
                    if range.next == range.first {
                        if range.at_end {
                            lane.finished = lane.running.is_empty();
                            return if lane.finished { Step::Idle } else { Step::Wait(now + IDLE_POLL) };
                        }
                        return Step::Wait(now + IDLE_POLL);
                    }
                }
            }
        }
        let most = lane.at_most.unwrap_or(batch_size).min(batch_size).max(1);
        let waiting = lane.read - lane.next;
        if waiting < most && window > VirtualDuration::ZERO {
            let since = *lane.waits_since.get_or_insert(now);
            if now < since + window {
                // Look for more before the window is over.
                if let Some(range) = stream.range(now, ReadRequest { shard, next: lane.next, limit: most, max_bytes: 10 * MIB }) {
                    lane.read = lane.read.max(range.next);
                }
                if lane.read - lane.next < most {
                    return Step::Wait((now + BUSY_POLL).min(since + window));
                }
            }
        }
        lane.waits_since = None;
        let first = lane.next;
        let range = stream.range(now, ReadRequest { shard, next: first, limit: most.min(lane.read - first), max_bytes: BATCH_BYTES });
        let Some(range) = range.filter(|range| range.next > range.first) else {
            lane.next = lane.read;
            return Step::Wait(now + BUSY_POLL);
        };
        lane.next = range.next;
        let (first, next) = (range.first, range.next);
        self.begin(now, stream, shard, first, next, 0)
    }

    fn begin(&mut self, now: VirtualTime, stream: &DataStream, shard: u32, first: u64, next: u64, attempts: u32) -> Step {
        let oldest = stream.shards.get(&shard).and_then(|shard| shard.log.slot(first)).map_or(now, |slot| slot.arrival);
        let id = self.batches;
        self.batches += 1;
        let batch =
            Batch { id, shard, first, next, attempts, started: now, oldest, invocation: None, pending: Vec::new(), dropped: 0, put: 0, calls: 0 };
        if let Some(lane) = self.lanes.get_mut(&shard) {
            lane.running.push(batch.clone());
            lane.invocations += 1;
        }
        self.age_ms = now.since(oldest).as_millis();
        Step::Begin(batch)
    }

    /// Takes a batch out of its lane.
    pub fn take(&mut self, shard: u32, id: u64) -> Option<Batch> {
        let lane = self.lanes.get_mut(&shard)?;
        let at = lane.running.iter().position(|batch| batch.id == id)?;
        Some(lane.running.remove(at))
    }

    /// The batch of an invocation.
    pub fn of_invocation(&self, invocation: u64) -> Option<(u32, u64)> {
        self.lanes
            .iter()
            .find_map(|(shard, lane)| lane.running.iter().find(|batch| batch.invocation == Some(invocation)).map(|batch| (*shard, batch.id)))
    }

    /// A batch ended well.
    pub fn succeeded(&mut self, batch: &Batch) {
        self.read += batch.next - batch.first;
        self.dropped += batch.dropped;
        self.kept += batch.put;
        "OK".clone_into(&mut self.result);
        if let Some(lane) = self.lanes.get_mut(&batch.shard) {
            lane.at_most = None;
        }
    }

    /// A batch failed: what becomes of it, in words, and whether it was given up. `from` is the first record that failed, when the function
    /// said so.
    pub fn failed(&mut self, now: VirtualTime, batch: &Batch, why: &str, from: Option<u64>) -> (String, bool) {
        self.result = format!("PROBLEM: {why}");
        self.duplicates += batch.put;
        let (retries, max_age, bisect) = (self.retries, self.max_age, self.bisect);
        let first = from.unwrap_or(batch.first).clamp(batch.first, batch.next);
        self.read += first - batch.first;
        let length = batch.next - first;
        let too_old = max_age.is_some_and(|age| now.since(batch.oldest) > age);
        let too_often = retries.is_some_and(|retries| batch.attempts >= retries);
        let Some(lane) = self.lanes.get_mut(&batch.shard) else { return (String::new(), false) };
        if bisect && length > 1 && !too_old {
            // The first half comes first; the rest follows in halves as well.
            let half = length.div_ceil(2);
            lane.again = Some((first, first + half, batch.attempts, now + VirtualDuration::SECOND));
            lane.next = lane.next.min(first + half);
            lane.at_most = Some(half);
            return (format!("split in two: {half} records are tried alone"), false);
        }
        if too_old || too_often {
            self.discarded += length;
            let reason = if too_old { "its records are too old" } else { "it was tried as often as allowed" };
            let place = self.on_failure.as_ref().map_or_else(String::new, |place| format!("; its description went to {place}"));
            return (format!("given up: {reason}{place}"), true);
        }
        let wait = VirtualDuration::from_millis(1000u64 << batch.attempts.min(6));
        lane.again = Some((first, batch.next, if from.is_some() { 0 } else { batch.attempts + 1 }, now + wait));
        (format!("tried again in {} s; its shard waits", wait.as_secs()), false)
    }

    /// The event of a batch.
    pub fn event(&self, ctx: &Ctx<'_>, stream: &DataStream, batch: &Batch, role: &str, region: &str) -> String {
        let Some(shard) = stream.shards.get(&batch.shard) else { return "{\"Records\":[]}".to_owned() };
        let mut buffer = ReadBuffer::default();
        let records: Vec<Value> = (batch.first..batch.next)
            .filter_map(|counter| {
                let read = shard.log.read(counter, ctx.remake, &mut buffer)?;
                let sequence = shard.sequence_number(counter, read.arrival).to_string();
                Some(json!({
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": read.key,
                        "sequenceNumber": sequence,
                        "data": STANDARD.encode(read.data),
                        "approximateArrivalTimestamp": read.arrival.millis() as f64 / 1000.0,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": format!("{}:{sequence}", shard_id(batch.shard)),
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": role,
                    "awsRegion": region,
                    "eventSourceARN": self.arn,
                }))
            })
            .collect();
        json!({"Records": records}).to_string()
    }

    /// The mapping as Lambda's answers show it.
    pub fn shown(&self, region: &str, account: &str) -> Value {
        let mut shown = json!({
            "UUID": self.uuid,
            "StartingPosition": self.position,
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.window.as_secs(),
            "ParallelizationFactor": self.parallel,
            "EventSourceArn": self.arn,
            "FunctionArn": super::function::arn(&self.function, region, account),
            "LastModified": self.modified.millis() as f64 / 1000.0,
            "LastProcessingResult": self.result,
            "State": if self.enabled { "Enabled" } else { "Disabled" },
            "StateTransitionReason": "User action",
            "DestinationConfig": {"OnFailure": self.on_failure.as_ref().map_or_else(|| json!({}), |place| json!({"Destination": place}))},
            "MaximumRecordAgeInSeconds": self.max_age.map_or(-1, |age| age.as_secs() as i64),
            "BisectBatchOnFunctionError": self.bisect,
            "MaximumRetryAttempts": self.retries.map_or(-1, i64::from),
            "TumblingWindowInSeconds": 0,
        });
        shown["FunctionResponseTypes"] = if self.report_failures { json!(["ReportBatchItemFailures"]) } else { json!([]) };
        shown
    }
}
