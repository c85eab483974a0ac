//! Consumers of the simulated world: a plain Get* loop, a KCL-like application, an enhanced fan-out reader.
//!
//! A [`Consumer`] wakes per poll and reads ranges of a shard's log without copying records it does not show. Invariants: a shard is read
//! in order; with leases, a shard has one reader at a time; children start after their parents when `parents_first` holds.

mod fanout_reader;
mod get_loop;
mod kcl;
pub mod settings;
mod shown;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::kinesis::{Ctx, DataStream, Kinesis, ReadRange};
use super::metrics::{Dimensions, Metric};
use super::time::VirtualTime;
use super::view::{ConsumerShardView, ConsumerView, LogLine};

pub use kcl::{Checkpoint, Lease};
pub use settings::{ConsumerKind, ConsumerSettings};

/// Lines of its own log that a consumer keeps.
const LOG_LINES: usize = 200;

/// What a consumer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not started, or stopped.
    Stopped,
    /// Reading.
    Running,
    /// Ended by an error.
    Failed,
}

impl State {
    /// The word in views and lab files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Running => "running",
            Self::Failed => "failed",
        }
    }
}

/// How a shard's reader fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderState {
    /// Reading.
    Reading,
    /// A child whose parents are not finished.
    WaitingForParents,
    /// The end of a closed shard was reached.
    Finished,
    /// The last call was refused.
    Throttled,
    /// Its worker is dead.
    Crashed,
}

impl ReaderState {
    const fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::WaitingForParents => "waiting-for-parents",
            Self::Finished => "finished",
            Self::Throttled => "throttled",
            Self::Crashed => "crashed",
        }
    }
}

/// One shard as a consumer reads it.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Counter of the next record.
    pub next: u64,
    /// State.
    pub state: ReaderState,
    /// MillisBehindLatest of the last answer.
    pub behind_ms: u64,
    position: &'static str,
    second: u64,
    this_second: (u64, u64),
    last_second: (u64, u64),
}

impl Reader {
    fn new(next: u64, position: &'static str) -> Self {
        Self { next, state: ReaderState::Reading, behind_ms: 0, position, second: 0, this_second: (0, 0), last_second: (0, 0) }
    }

    fn note(&mut self, now: VirtualTime, bytes: u64) {
        self.roll(now);
        self.this_second.0 += 1;
        self.this_second.1 += bytes;
    }

    fn roll(&mut self, now: VirtualTime) {
        if self.second != now.secs() {
            self.last_second = if self.second + 1 == now.secs() { self.this_second } else { (0, 0) };
            self.this_second = (0, 0);
            self.second = now.secs();
        }
    }
}

/// A consumer.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// Name in the lab file.
    pub name: Arc<str>,
    /// Settings in force.
    pub settings: ConsumerSettings,
    /// What it is doing.
    pub state: State,
    /// Number of the present start; guards wake-ups.
    pub run: u32,
    /// Records seen, after de-aggregation where the consumer does that.
    pub records: u64,
    /// Kinesis records seen.
    pub kinesis_records: u64,
    /// Bytes seen.
    pub bytes: u64,
    /// Records seen again after a crash (at-least-once).
    pub repeated: u64,
    /// Records read before an earlier record of the same key range (children before parents).
    pub out_of_order: u64,
    readers: BTreeMap<u32, Reader>,
    leases: BTreeMap<u32, Lease>,
    workers: Vec<kcl::Worker>,
    /// Subscription of each shard (fan-out).
    subscriptions: BTreeMap<u32, u64>,
    /// Highest counter ever processed per shard, to tell repeated records.
    processed: BTreeMap<u32, u64>,
    log: VecDeque<LogLine>,
}

impl Consumer {
    /// A stopped consumer.
    pub fn new(name: &str, settings: ConsumerSettings) -> Self {
        Self {
            name: name.into(),
            settings,
            state: State::Stopped,
            run: 0,
            records: 0,
            kinesis_records: 0,
            bytes: 0,
            repeated: 0,
            out_of_order: 0,
            readers: BTreeMap::new(),
            leases: BTreeMap::new(),
            workers: Vec::new(),
            subscriptions: BTreeMap::new(),
            processed: BTreeMap::new(),
            log: VecDeque::new(),
        }
    }

    /// Starts it. A KCL application keeps its lease table and goes on from its checkpoints; the others start anew.
    pub fn start(&mut self, now: VirtualTime) {
        if self.state == State::Running {
            return;
        }
        self.state = State::Running;
        self.run += 1;
        self.readers.clear();
        self.subscriptions.clear();
        self.workers = (0..self.settings.workers.max(1)).map(|_| kcl::Worker::new()).collect();
        self.say(now, format!("reading {} ({}, {})", self.settings.stream, self.settings.kind.name(), self.settings.position));
    }

    /// Stops it in good order: a KCL application checkpoints.
    pub fn stop(&mut self, now: VirtualTime) {
        if self.state == State::Running {
            self.checkpoint_all(now);
            self.state = State::Stopped;
            self.run += 1;
            self.readers.clear();
            self.subscriptions.clear();
            self.say(now, "stopped");
        }
    }

    /// Kills one worker, or all: no goodbye, no checkpoint.
    pub fn crash(&mut self, now: VirtualTime, worker: Option<u32>) {
        self.say(now, worker.map_or_else(|| "all workers were killed".to_owned(), |worker| format!("worker-{worker} was killed")));
        self.crash_workers(worker);
        if self.settings.kind != ConsumerKind::Kcl || self.workers.iter().all(|worker| !worker.alive) {
            self.state = State::Stopped;
            self.run += 1;
            self.readers.clear();
            self.subscriptions.clear();
        }
    }

    /// Writes a line into its log.
    pub fn say(&mut self, at: VirtualTime, text: impl Into<String>) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { at, text: text.into() });
    }

    /// Its log, oldest line first.
    pub fn log(&self) -> impl DoubleEndedIterator<Item = &LogLine> {
        self.log.iter()
    }

    /// The lease table of a KCL application, by shard.
    pub fn leases(&self) -> &BTreeMap<u32, Lease> {
        &self.leases
    }

    /// Works one wake-up and gives the next.
    pub fn poll(&mut self, kinesis: &mut Kinesis, ctx: &mut Ctx<'_>) -> Option<VirtualTime> {
        if self.state != State::Running {
            return None;
        }
        let now = ctx.now;
        let missing = kinesis.not_found(&self.settings.stream);
        let Some(stream) = kinesis.stream_mut(&self.settings.stream) else {
            self.say(now, format!("An error occurred (ResourceNotFoundException): {}", missing.message));
            ctx.journal.push(now, format!("consumer {}", self.name), "failed", missing.message, true);
            self.state = State::Failed;
            return None;
        };
        if !stream.takes_data() {
            return Some(now + self.settings.poll);
        }
        match self.settings.kind {
            ConsumerKind::GetRecords => self.poll_get_loop(ctx, stream),
            ConsumerKind::Kcl => self.poll_kcl(ctx, stream),
            ConsumerKind::FanOut => return self.poll_fanout(ctx, kinesis),
        }
        Some(now + self.settings.poll)
    }

    /// Books a range that was read from a shard.
    fn processed(&mut self, ctx: &mut Ctx<'_>, stream: &DataStream, shard: u32, range: &ReadRange, deaggregate: bool) {
        let now = ctx.now;
        let records = range.next - range.first;
        if ctx.trail.in_range(&self.settings.stream, shard, range.first, range.next) {
            ctx.trail.note(now, format!("consumer {}", self.name), format!("read it, with {} others of its shard", records - 1));
        }
        let mut user_records = records;
        if deaggregate && records > 0 {
            user_records = shown::user_records(ctx, stream, shard, range);
        }
        self.kinesis_records += records;
        self.records += user_records;
        self.bytes += range.bytes;
        let seen = self.processed.entry(shard).or_insert(range.first.saturating_sub(1));
        if range.next > range.first {
            self.repeated += (*seen + 1).min(range.next).saturating_sub(range.first);
            *seen = (*seen).max(range.next - 1);
        }
        let dimensions = Dimensions::Consumer(self.name.clone());
        ctx.metrics.add(Metric::RecordsProcessed, &dimensions, now, user_records);
        ctx.metrics.add(Metric::DataBytesProcessed, &dimensions, now, range.bytes);
        ctx.metrics.add(Metric::MillisBehindLatest, &dimensions, now, range.behind_ms);
        if let Some(reader) = self.readers.get_mut(&shard) {
            reader.next = range.next;
            reader.behind_ms = range.behind_ms;
            reader.note(now, range.bytes);
            reader.state = if range.at_end { ReaderState::Finished } else { ReaderState::Reading };
        }
    }

    /// How far its slowest shard is behind, by shard number.
    pub fn behind(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.readers.iter().filter(|(_, reader)| reader.state != ReaderState::Finished).map(|(shard, reader)| (*shard, reader.behind_ms))
    }

    /// State of each shard's reader.
    pub fn readers(&self) -> impl Iterator<Item = ReaderState> + '_ {
        self.readers.values().map(|reader| reader.state)
    }

    /// The consumer for display.
    pub fn view(&self, now: VirtualTime) -> ConsumerView {
        let mut log: Vec<_> = self.log().rev().take(20).cloned().collect();
        log.reverse();
        let shards = self
            .readers
            .iter()
            .map(|(shard, reader)| {
                let mut reader = reader.clone();
                reader.roll(now);
                ConsumerShardView {
                    shard: *shard,
                    position: reader.position.to_owned(),
                    state: reader.state.name().to_owned(),
                    behind_ms: reader.behind_ms,
                    reads_per_second: reader.last_second.0,
                    bytes_per_second: reader.last_second.1,
                    worker: self.leases.get(shard).and_then(|lease| lease.owner).map(|owner| format!("worker-{owner}")),
                }
            })
            .collect();
        ConsumerView {
            name: self.name.to_string(),
            kind: self.settings.kind.name().to_owned(),
            state: self.state.name().to_owned(),
            stream: self.settings.stream.clone(),
            shards,
            records: self.records,
            bytes: self.bytes,
            log,
        }
    }
}
