//! Reading the source of an application: a stream shard by shard within the shards' read limits, or what enters a delivery stream.
//!
//! Rows carry the arrival of their record, and must come in its order. So records that were read wait until every shard is read beyond them; a
//! shard whose reads are refused holds the application's clock back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Env;
use super::application::{Application, invalid};
use crate::api::ServiceError;
use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, DataStream, Kinesis, ReadRequest, shard_id};
use crate::engine::limits::MIB;
use crate::engine::time::{VirtualDuration, VirtualTime};

/// Time between two GetRecords calls on a shard that is read to its tip.
const READ_PAUSE: VirtualDuration = VirtualDuration::SECOND;
/// Records of one GetRecords call.
const RECORDS_PER_CALL: u64 = 10_000;
/// Records read from a shard that may wait for others, or for a function.
const AHEAD_MAX: u64 = 10_000;

/// What an application reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A data stream.
    Stream(String),
    /// A delivery stream.
    Firehose(String),
}

impl Source {
    /// In words: the name of a data stream, or `delivery stream NAME`.
    pub fn text(&self) -> String {
        match self {
            Self::Stream(name) => name.clone(),
            Self::Firehose(name) => format!("delivery stream {name}"),
        }
    }
}

/// A shard as an application reads it.
#[derive(Debug, Clone, Copy)]
struct Lane {
    /// Counter of the next record for the program.
    next: u64,
    /// Counter up to which GetRecords has read.
    read: u64,
    /// Everything that arrived before this millisecond is read.
    through: u64,
    /// When GetRecords was called last and answered.
    polled: Option<VirtualTime>,
    /// The last answer left records behind.
    more: bool,
    /// MillisBehindLatest of the last answer, or of the first unread record when the call was refused.
    behind_ms: u64,
}

impl Lane {
    const fn at(next: u64, through: u64) -> Self {
        Self { next, read: next, through, polled: None, more: false, behind_ms: 0 }
    }
}

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Shard.
    pub shard: u32,
    /// Place in its log.
    pub counter: u64,
    /// Sequence number.
    pub sequence: String,
    /// Partition key.
    pub key: String,
}

/// A record on its way into the program.
#[derive(Debug, Clone)]
pub struct Taken {
    /// ROWTIME of its rows.
    pub at: VirtualTime,
    /// Its bytes.
    pub data: Arc<[u8]>,
    /// In-application input stream, from 0.
    pub target: usize,
    /// Number within a delivery stream as this application reads it.
    pub number: u64,
    /// Of a record of a data stream.
    pub origin: Option<Origin>,
}

impl Taken {
    /// The record id of an event.
    pub fn record_id(&self) -> String {
        self.origin.as_ref().map_or_else(|| format!("4955{:052}", self.number), |origin| origin.sequence.clone())
    }
}

/// How far an application has read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Guards against another stream of the name.
    incarnation: u64,
    lanes: BTreeMap<u32, Lane>,
    /// Records of a delivery stream that are not in the program yet.
    inbox: VecDeque<Taken>,
    taken: u64,
    /// Everything that arrived before this millisecond is read.
    through: u64,
    /// Reads that were refused.
    pub refused: u64,
    /// Records of a delivery stream that went before they were read.
    pub missed: u64,
}

impl Reading {
    /// From a starting position. `stopped` is where the application stopped last.
    ///
    /// # Errors
    /// The source is not there, or has no such position.
    pub(super) fn from(
        env: &mut Env<'_>,
        application: &Arc<str>,
        source: &Source,
        position: &str,
        stopped: Option<Self>,
    ) -> Result<Self, ServiceError> {
        match source {
            Source::Stream(name) => {
                let stream = env.kinesis.stream(name).ok_or_else(|| ServiceError::resource_not_found(format!("Stream {name} not found")))?;
                if position == "LAST_STOPPED_POINT"
                    && let Some(stopped) = stopped
                    && stopped.incarnation == stream.incarnation
                {
                    // What was read and not processed is read again.
                    let lanes = stopped.lanes.iter().map(|(number, lane)| (*number, Lane::at(lane.next, 0))).collect();
                    return Ok(Self { incarnation: stopped.incarnation, lanes, ..Self::default() });
                }
                let oldest = position == "TRIM_HORIZON";
                let lanes =
                    stream.shards.values().map(|shard| (shard.number, Lane::at(if oldest { shard.log.first() } else { shard.log.next() }, 0)));
                Ok(Self { incarnation: stream.incarnation, lanes: lanes.collect(), ..Self::default() })
            }
            Source::Firehose(name) => {
                if position == "TRIM_HORIZON" {
                    return Err(invalid("The starting position TRIM_HORIZON is not available for an Amazon Kinesis Firehose delivery stream"));
                }
                let stream = env.firehose.stream_mut(name);
                let stream = stream.ok_or_else(|| ServiceError::resource_not_found(format!("Firehose {name} not found")))?;
                let fresh = stream.taps.attach(application);
                if position == "LAST_STOPPED_POINT" && !fresh {
                    return Ok(stopped.unwrap_or_default());
                }
                stream.taps.skip(application);
                Ok(Self::default())
            }
        }
    }

    /// Reads what the source gives now. `busy`: a function holds the records that were read before.
    pub(super) fn read(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, application: &Arc<str>, source: &Source, parallelism: usize, busy: bool) {
        let now_ms = ctx.now.millis();
        match source {
            Source::Stream(name) => match env.kinesis.stream_mut(name) {
                Some(stream) => self.read_stream(ctx, stream, busy),
                None => self.through = now_ms,
            },
            Source::Firehose(name) => {
                self.through = now_ms;
                let Some(stream) = env.firehose.stream_mut(name) else { return };
                // A delivery stream that was made anew is read from now on.
                stream.taps.attach(application);
                if busy && self.inbox.len() as u64 >= AHEAD_MAX {
                    return;
                }
                self.missed = stream.taps.missed(application);
                for record in stream.taps.take(application) {
                    let (number, target) = (self.taken, self.taken as usize % parallelism.max(1));
                    self.taken += 1;
                    self.inbox.push_back(Taken { at: record.at, data: record.data, target, number, origin: None });
                }
            }
        }
    }

    fn read_stream(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, busy: bool) {
        let now_ms = ctx.now.millis();
        if stream.incarnation != self.incarnation {
            self.incarnation = stream.incarnation;
            self.lanes.clear();
        }
        stream.trim(ctx.now);
        // New shards are children: they are read from their beginning.
        for shard in stream.shards.values() {
            self.lanes.entry(shard.number).or_insert_with(|| Lane::at(shard.log.first(), shard.created.millis()));
        }
        self.lanes.retain(|number, _| stream.shards.contains_key(number));
        let slowest = self.lanes.values().map(|lane| lane.through).min().unwrap_or(now_ms);
        for (number, lane) in &mut self.lanes {
            let Some(shard) = stream.shards.get(number) else { continue };
            lane.next = lane.next.max(shard.log.first());
            lane.read = lane.read.max(lane.next);
            // Within this millisecond more may still arrive: it is read with a later look.
            let tip = shard.log.first_at(VirtualTime::from_millis(now_ms));
            let resting = !lane.more && lane.polled.is_some_and(|at| ctx.now < at + READ_PAUSE);
            let ahead = lane.read - lane.next >= AHEAD_MAX && (busy || lane.through > slowest);
            if lane.through == u64::MAX || resting || ahead {
                continue;
            }
            let (limit, oldest) = (tip.saturating_sub(lane.read).min(RECORDS_PER_CALL), shard.log.slot(lane.read).map(|slot| slot.arrival));
            match stream.poll(ctx, ReadRequest { shard: *number, next: lane.read, limit, max_bytes: 10 * MIB }) {
                None => {
                    self.refused += 1;
                    lane.behind_ms = oldest.map_or(0, |oldest| ctx.now.since(oldest).as_millis());
                }
                Some(range) => {
                    lane.read = lane.read.max(range.next);
                    lane.polled = Some(ctx.now);
                    lane.more = lane.read < tip;
                    lane.behind_ms = range.behind_ms;
                    let last = stream.shards.get(number).and_then(|shard| shard.log.slot(lane.read.checked_sub(1)?));
                    lane.through = match last {
                        _ if range.at_end => u64::MAX,
                        Some(last) if lane.more => last.arrival.millis().max(lane.through),
                        _ => now_ms,
                    };
                }
            }
        }
        self.through = self.lanes.values().map(|lane| lane.through).min().unwrap_or(now_ms).min(now_ms);
    }

    /// Spreads what waits over so many input streams.
    pub(super) fn spread(&mut self, parallelism: usize) {
        for record in &mut self.inbox {
            record.target = record.number as usize % parallelism.max(1);
        }
    }

    /// Every record that arrived before this millisecond and is not in the program is among those that wait.
    pub(super) const fn through_ms(&self) -> u64 {
        self.through
    }

    /// Records of a stream that can go into the program, in the order of their arrival: arrival, shard, place in its log, place of the shard
    /// among the shards.
    pub(super) fn ready(&self, stream: &DataStream) -> Vec<(VirtualTime, u32, u64, usize)> {
        let mut rows = Vec::new();
        for (place, shard) in stream.shards.values().enumerate() {
            let Some(lane) = self.lanes.get(&shard.number) else { continue };
            for counter in lane.next..lane.read {
                match shard.log.slot(counter) {
                    Some(slot) if slot.arrival.millis() < self.through => rows.push((slot.arrival, shard.number, counter, place)),
                    Some(_) => break,
                    None => {}
                }
            }
        }
        rows.sort_unstable();
        rows
    }

    /// The records of a delivery stream that can go into the program.
    pub(super) fn ready_inbox(&self) -> impl Iterator<Item = &Taken> {
        self.inbox.iter().take_while(|record| record.at.millis() < self.through)
    }

    /// The record of a place of a shard is in the program.
    pub(super) fn went(&mut self, shard: u32, counter: u64) {
        if let Some(lane) = self.lanes.get_mut(&shard) {
            lane.next = lane.next.max(counter + 1);
        }
    }

    /// A record that was taken is in the program.
    pub(super) fn done(&mut self, record: &Taken) {
        match &record.origin {
            Some(origin) => self.went(origin.shard, origin.counter),
            None => {
                if self.inbox.front().is_some_and(|first| first.number == record.number) {
                    self.inbox.pop_front();
                }
            }
        }
    }

    /// The first records that can go into the program, copied, as long as `fits` says so of each.
    pub(super) fn first(
        &self,
        ctx: &Ctx<'_>,
        kinesis: &Kinesis,
        source: &Source,
        parallelism: usize,
        mut fits: impl FnMut(usize) -> bool,
    ) -> Vec<Taken> {
        match source {
            Source::Firehose(_) => self.ready_inbox().take_while(|record| fits(record.data.len())).cloned().collect(),
            Source::Stream(name) => {
                let Some(stream) = kinesis.stream(name) else { return Vec::new() };
                let shards = stream.shards.len().max(1);
                let mut buffer = ReadBuffer::default();
                let mut taken = Vec::new();
                for (at, number, counter, place) in self.ready(stream) {
                    let Some(shard) = stream.shards.get(&number) else { continue };
                    let Some(read) = shard.log.read(counter, ctx.remake, &mut buffer) else { continue };
                    if !fits(read.data.len()) {
                        break;
                    }
                    let sequence = shard.sequence_number(counter, read.arrival).to_string();
                    let origin = Some(Origin { shard: number, counter, sequence, key: read.key.to_owned() });
                    taken.push(Taken { at, data: read.data.into(), target: place * parallelism / shards, number: 0, origin });
                }
                taken
            }
        }
    }

    /// How far the application is behind the tip of its source, milliseconds.
    pub(super) fn behind_ms(&self, now: VirtualTime, kinesis: &Kinesis, source: &Source) -> u64 {
        match source {
            Source::Firehose(_) => self.ready_inbox().next().map_or(0, |oldest| now.since(oldest.at).as_millis()),
            Source::Stream(name) => {
                let Some(stream) = kinesis.stream(name) else { return 0 };
                let held = |number: &u32, lane: &Lane| {
                    let slot = stream.shards.get(number)?.log.slot(lane.next).filter(|_| lane.next < lane.read)?;
                    (slot.arrival.millis() < self.through).then(|| now.since(slot.arrival).as_millis())
                };
                self.lanes.iter().map(|(number, lane)| lane.behind_ms.max(held(number, lane).unwrap_or(0))).max().unwrap_or(0)
            }
        }
    }
}

impl Application {
    /// The source's ARN, as events name it.
    pub(super) fn source_arn(&self) -> String {
        let body = self.input.as_ref().map(|input| &input.body);
        let arn = |member: &str| body.and_then(|body| body[member]["ResourceARN"].as_str());
        arn("KinesisStreamsInput").or_else(|| arn("KinesisFirehoseInput")).unwrap_or_default().to_owned()
    }
}

/// The metadata of a record in an event.
pub(super) fn metadata(record: &Taken) -> (&'static str, serde_json::Value) {
    match &record.origin {
        Some(origin) => (
            "kinesisStreamRecordMetadata",
            serde_json::json!({
                "sequenceNumber": origin.sequence,
                "partitionKey": origin.key,
                "shardId": shard_id(origin.shard),
                "approximateArrivalTimestamp": record.at.millis(),
            }),
        ),
        None => ("kinesisFirehoseRecordMetadata", serde_json::json!({"approximateArrivalTimestamp": record.at.millis()})),
    }
}
