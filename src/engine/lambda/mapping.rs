//! Event source mappings: a function reads a stream shard by shard, batch after batch.
//!
//! A shard is read in order. A batch that fails is tried again and blocks its lane, until it works, is split, or is given up by the
//! settings. With a parallelisation factor a shard has several lanes, one for each class of partition keys.

pub mod reader;
pub mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, DataStream, shard_id};
use crate::engine::time::{VirtualDuration, VirtualTime};

use reader::{Again, Batch, Closing, Decision, IDLE_POLL, ShardReader, Wanted};

/// Bytes of a window's state at most.
const STATE_MAX: usize = 1 << 20;

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
    /// Length of tumbling windows; zero without.
    pub tumbling: VirtualDuration,
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
    pub readers: BTreeMap<u32, ShardReader>,
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

/// What a shard does next.
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
    pub fn find_shards(&mut self, stream: &DataStream) {
        let first_time = self.readers.is_empty();
        for shard in stream.shards.values() {
            if self.readers.contains_key(&shard.number) {
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
            self.readers.insert(shard.number, ShardReader::new(next));
        }
    }

    /// Decides what a shard does now.
    pub fn step(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, shard: u32) -> Step {
        // Children wait until their parents are read to the end.
        let parents: Vec<u32> = stream.shards.get(&shard).into_iter().flat_map(|shard| [shard.parent, shard.adjacent_parent]).flatten().collect();
        if parents.iter().any(|parent| self.readers.get(parent).is_some_and(|reader| !reader.finished)) {
            return Step::Wait(ctx.now + IDLE_POLL);
        }
        let wanted = Wanted { batch_size: self.batch_size, company: self.window, parallel: self.parallel, tumbling: self.tumbling };
        let Some(reader) = self.readers.get_mut(&shard) else { return Step::Idle };
        match reader.decide(ctx, stream, shard, wanted) {
            Decision::Begin { lane, again } => self.begin(ctx.now, stream, shard, lane, again),
            Decision::Wait(at) => Step::Wait(at),
            Decision::Idle => Step::Idle,
        }
    }

    fn begin(&mut self, now: VirtualTime, stream: &DataStream, shard: u32, lane: usize, again: Again) -> Step {
        let first = again.records.first().copied();
        let oldest = first.and_then(|first| stream.shards.get(&shard)?.log.slot(first)).map_or(now, |slot| slot.arrival);
        let id = self.batches;
        self.batches += 1;
        let mut batch = Batch {
            id,
            shard,
            lane,
            records: again.records.into(),
            closes: again.closes,
            attempts: again.attempts,
            started: now,
            oldest,
            invocation: None,
            pending: Vec::new(),
            dropped: 0,
            put: 0,
            calls: 0,
        };
        if let Some(reader) = self.readers.get_mut(&shard) {
            if let Some(window) = reader.window.as_ref().filter(|_| batch.closes.is_some()) {
                batch.oldest = window.end.min(now);
            }
            reader.lanes[lane].running = Some(batch.clone());
            reader.invocations += 1;
        }
        self.age_ms = now.since(batch.oldest).as_millis();
        Step::Begin(batch)
    }

    /// A batch under way.
    pub fn running(&mut self, shard: u32, id: u64) -> Option<&mut Batch> {
        self.readers.get_mut(&shard)?.lanes.iter_mut().filter_map(|lane| lane.running.as_mut()).find(|batch| batch.id == id)
    }

    /// Takes a batch out of its lane.
    pub fn take(&mut self, shard: u32, id: u64) -> Option<Batch> {
        let lanes = &mut self.readers.get_mut(&shard)?.lanes;
        lanes.iter_mut().find_map(|lane| lane.running.take_if(|batch| batch.id == id))
    }

    /// The batch of an invocation.
    pub fn of_invocation(&self, invocation: u64) -> Option<(u32, u64)> {
        self.readers.iter().find_map(|(shard, reader)| {
            let mut running = reader.lanes.iter().filter_map(|lane| lane.running.as_ref());
            running.find(|batch| batch.invocation == Some(invocation)).map(|batch| (*shard, batch.id))
        })
    }

    /// A batch ended well.
    pub fn succeeded(&mut self, batch: &Batch) {
        self.read += batch.records.len() as u64;
        self.dropped += batch.dropped;
        self.kept += batch.put;
        "OK".clone_into(&mut self.result);
        self.closed(batch);
        if let Some(lane) = self.readers.get_mut(&batch.shard).and_then(|reader| reader.lanes.get_mut(batch.lane)) {
            lane.at_most = None;
        }
    }

    /// A call that ended a window is over.
    fn closed(&mut self, batch: &Batch) {
        let Some(reader) = self.readers.get_mut(&batch.shard) else { return };
        match (batch.closes, &mut reader.window) {
            (Some(Closing::Final), window) => *window = None,
            (Some(Closing::Early), Some(window)) => {
                window.state = "{}".into();
                window.full = false;
            }
            _ => {}
        }
    }

    /// A function answered the state of its window: whether it is too large to go on with.
    pub fn take_state(&mut self, batch: &Batch, state: &Value) -> bool {
        let Some(window) = self.readers.get_mut(&batch.shard).and_then(|reader| reader.window.as_mut()).filter(|_| batch.closes.is_none()) else {
            return false;
        };
        window.state = state.to_string().into();
        window.full = window.state.len() > STATE_MAX;
        window.full
    }

    /// The window of a batch.
    pub fn window_of(&self, batch: &Batch) -> Option<&reader::Window> {
        self.readers.get(&batch.shard)?.window.as_ref()
    }

    /// A batch failed: what becomes of it, in words, and whether it was given up. `from` is the first record that failed, when the function
    /// said so.
    pub fn failed(&mut self, now: VirtualTime, batch: &Batch, why: &str, from: Option<u64>) -> (String, bool) {
        self.result = format!("PROBLEM: {why}");
        self.duplicates += batch.put;
        let good = from.map_or(0, |from| batch.records.partition_point(|counter| *counter < from));
        let left = &batch.records[good..];
        self.read += good as u64;
        let too_old = self.max_age.is_some_and(|age| now.since(batch.oldest) > age);
        let too_often = self.retries.is_some_and(|retries| batch.attempts >= retries);
        let bisect = self.bisect;
        let Some(lane) = self.readers.get_mut(&batch.shard).and_then(|reader| reader.lanes.get_mut(batch.lane)) else {
            return (String::new(), false);
        };
        if bisect && left.len() > 1 && !too_old {
            // The first half comes first; the rest follows in halves as well. What the function said to be good is a cut of its own.
            let half = if good > 0 { left.len() } else { left.len().div_ceil(2) };
            lane.put_back(&left[half..]);
            lane.again =
                Some(Again { records: left[..half].to_vec(), closes: None, attempts: batch.attempts, not_before: now + VirtualDuration::SECOND });
            lane.at_most = Some(half);
            return (format!("split in two: {half} records are tried alone"), false);
        }
        if too_old || too_often {
            self.discarded += left.len() as u64;
            let reason = if too_old { "its records are too old" } else { "it was tried as often as allowed" };
            let place = self.on_failure.as_ref().map_or_else(String::new, |place| format!("; its description went to {place}"));
            self.closed(batch);
            return (format!("given up: {reason}{place}"), true);
        }
        let wait = VirtualDuration::from_millis(1000u64 << batch.attempts.min(6));
        lane.again = Some(Again { records: left.to_vec(), closes: batch.closes, attempts: batch.attempts + 1, not_before: now + wait });
        (format!("tried again in {} s; its {} waits", wait.as_secs(), if self.parallel > 1 { "lane" } else { "shard" }), false)
    }

    /// The event of a batch.
    pub fn event(&self, ctx: &Ctx<'_>, stream: &DataStream, batch: &Batch, role: &str, region: &str) -> String {
        let mut buffer = ReadBuffer::default();
        let shard = stream.shards.get(&batch.shard);
        let records: Vec<Value> = batch
            .records
            .iter()
            .filter_map(|counter| {
                let shard = shard?;
                let read = shard.log.read(*counter, ctx.remake, &mut buffer)?;
                let sequence = shard.sequence_number(*counter, read.arrival).to_string();
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
        let mut event = json!({"Records": records});
        if let Some(window) = self.window_of(batch) {
            let seconds = |at: VirtualTime| at.to_string().replace(".000Z", "Z");
            event["window"] = json!({"start": seconds(window.start), "end": seconds(window.end)});
            event["state"] = serde_json::from_str(&window.state).unwrap_or_else(|_| json!({}));
            event["shardId"] = json!(shard_id(batch.shard));
            event["eventSourceARN"] = json!(self.arn);
            event["isFinalInvokeForWindow"] = json!(batch.closes == Some(Closing::Final));
            event["isWindowTerminatedEarly"] = json!(batch.closes == Some(Closing::Early));
        }
        event.to_string()
    }

    /// How a shard is read, in words; empty when one batch comes after the other.
    pub fn how(&self) -> String {
        match (self.parallel, self.tumbling) {
            (1, VirtualDuration::ZERO) => String::new(),
            (1, length) => format!("windows of {} s", length.as_secs()),
            (lanes, _) => format!("{lanes} lanes a shard"),
        }
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
            "TumblingWindowInSeconds": self.tumbling.as_secs(),
        });
        shown["FunctionResponseTypes"] = if self.report_failures { json!(["ReportBatchItemFailures"]) } else { json!([]) };
        shown
    }
}
