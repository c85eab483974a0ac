//! Producers of the simulated world: where records come from and how they reach a stream.
//!
//! A [`Producer`] has a source (a generator with an arrival process, or records ingested from outside), buffers, and a way of sending:
//! the SDK's PutRecords with back-off, or the KPL's per-shard queues with local rate limits. It wakes per batch, never per record.
//! Invariant: offered = acknowledged + lost + outstanding, in user records.

mod delivery;
mod kpl_sender;
mod pending;
mod replay_log;
mod sdk_sender;
pub mod settings;
mod source;
mod tick;
mod view;

use std::collections::VecDeque;
use std::sync::Arc;

use super::time::{VirtualDuration, VirtualTime};
use super::view::LogLine;

pub use pending::{Body, Pending};
pub use settings::{Overrides, ProducerKind, Settings};
pub use source::Source;

use kpl_sender::KplSender;
use sdk_sender::SdkSender;

/// Lines of its own log that a producer keeps.
const LOG_LINES: usize = 200;

/// What a producer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not started, or stopped.
    Stopped,
    /// Sending.
    Running,
    /// As many records are outstanding as it allows itself: its source waits.
    Blocked,
    /// Ended by an error.
    Failed,
    /// Its source has ended and everything is sent.
    Finished,
}

impl State {
    /// The word in views and lab files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Finished => "finished",
        }
    }

    /// It has wake-ups.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Blocked)
    }
}

/// Counters of one second or of the whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// User records that its source handed over.
    pub offered: u64,
    /// User records acknowledged by the stream.
    pub acknowledged: u64,
    /// User records given up: TTL passed, retries used up, stopped with full buffers.
    pub lost: u64,
    /// Kinesis records acknowledged.
    pub stored: u64,
    /// Bytes acknowledged.
    pub stored_bytes: u64,
    /// Attempts refused by rate limits.
    pub refused: u64,
    /// PutRecords or PutRecord calls.
    pub calls: u64,
    /// Sum of the time from hand-over to acknowledgement of Kinesis records, microseconds.
    pub buffering_us: u64,
}

impl Counts {
    fn minus(self, earlier: Self) -> Self {
        Self {
            offered: self.offered - earlier.offered,
            acknowledged: self.acknowledged - earlier.acknowledged,
            lost: self.lost - earlier.lost,
            stored: self.stored - earlier.stored,
            stored_bytes: self.stored_bytes - earlier.stored_bytes,
            refused: self.refused - earlier.refused,
            calls: self.calls - earlier.calls,
            buffering_us: self.buffering_us - earlier.buffering_us,
        }
    }
}

/// How it sends.
#[derive(Debug, Clone)]
enum Sender {
    Kpl(KplSender),
    Sdk(SdkSender),
}

/// A producer.
#[derive(Debug, Clone)]
pub struct Producer {
    /// Name in the lab file.
    pub name: Arc<str>,
    /// Settings of the lab file.
    pub declared: Settings,
    /// Settings in force: the lab file's with the overrides of the last start.
    pub settings: Settings,
    /// What it is doing.
    pub state: State,
    /// Number of the present start; guards wake-ups.
    pub run: u32,
    /// Counters since its first start.
    pub total: Counts,
    source: Source,
    sender: Sender,
    started: VirtualTime,
    /// Counters at the last whole second, and what the second before that was.
    second: u64,
    at_second: Counts,
    last_second: Counts,
    /// Counters and instant of the last report line.
    reported: (VirtualTime, Counts),
    watermark_due: VirtualTime,
    watermark_records: u64,
    watermark_shards: (VirtualTime, Vec<super::kinesis::hash::HashKey>),
    refused_shards: std::collections::BTreeSet<u32>,
    hot_key: Option<HotKey>,
    rate: RateControl,
    log: VecDeque<LogLine>,
    lag: VirtualDuration,
    scratch: tick::Scratch,
}

/// A share of the records goes to one key.
#[derive(Debug, Clone)]
struct HotKey {
    key: String,
    share_permille: u32,
    until: Option<VirtualTime>,
}

/// The rate in thousandths of the producer's own: a ramp, a plateau, a ramp back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateControl {
    from: u32,
    to: u32,
    begins: VirtualTime,
    over: VirtualDuration,
    hold: Option<VirtualDuration>,
}

impl RateControl {
    const NORMAL: Self = Self { from: 1000, to: 1000, begins: VirtualTime(0), over: VirtualDuration::ZERO, hold: None };

    /// The factor at an instant.
    fn at(&self, now: VirtualTime) -> u32 {
        let ramp = |from: u32, to: u32, elapsed: VirtualDuration| {
            if elapsed >= self.over {
                to
            } else {
                let moved = (i64::from(to) - i64::from(from)) * elapsed.0 as i64 / self.over.0.max(1) as i64;
                (i64::from(from) + moved) as u32
            }
        };
        let elapsed = now.since(self.begins);
        match self.hold {
            Some(hold) if elapsed > self.over + hold => ramp(self.to, self.from, VirtualDuration(elapsed.0 - self.over.0 - hold.0)),
            _ => ramp(self.from, self.to, elapsed),
        }
    }
}

impl Producer {
    /// The generator version that its records come from.
    pub fn generator(&self) -> Option<u16> {
        self.source.generator()
    }

    /// A stopped producer.
    pub fn new(name: &str, settings: Settings, source: Source) -> Self {
        Self {
            name: name.into(),
            declared: settings.clone(),
            sender: Self::sender(&settings, VirtualTime(0)),
            settings,
            state: State::Stopped,
            run: 0,
            total: Counts::default(),
            source,
            started: VirtualTime(0),
            second: 0,
            at_second: Counts::default(),
            last_second: Counts::default(),
            reported: (VirtualTime(0), Counts::default()),
            watermark_due: VirtualTime(0),
            watermark_records: 0,
            watermark_shards: (VirtualTime(0), Vec::new()),
            refused_shards: std::collections::BTreeSet::new(),
            hot_key: None,
            rate: RateControl::NORMAL,
            log: VecDeque::new(),
            lag: VirtualDuration::ZERO,
            scratch: tick::Scratch::default(),
        }
    }

    fn sender(settings: &Settings, now: VirtualTime) -> Sender {
        if settings.kind.is_kpl() { Sender::Kpl(KplSender::new(now)) } else { Sender::Sdk(SdkSender::default()) }
    }

    /// User records in its buffers.
    pub fn outstanding(&self) -> u64 {
        match &self.sender {
            Sender::Kpl(sender) => sender.outstanding(),
            Sender::Sdk(sender) => sender.outstanding(),
        }
    }

    /// How far the replay is behind its schedule.
    pub fn lag(&self) -> VirtualDuration {
        self.lag
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

    /// Starts it, or starts it anew. What was buffered is lost, as when the program is killed.
    pub fn start(&mut self, now: VirtualTime, overrides: &Overrides) {
        self.give_up_buffers();
        self.settings = self.declared.with(overrides);
        self.sender = Self::sender(&self.settings, now);
        self.source.start(now, &self.settings);
        self.state = State::Running;
        self.run += 1;
        self.started = now;
        self.second = now.secs();
        self.at_second = self.total;
        self.last_second = Counts::default();
        self.reported = (now, self.total);
        self.watermark_due = now + self.settings.watermark.as_ref().map_or(VirtualDuration::ZERO, |watermark| watermark.every);
        self.watermark_records = 0;
        self.watermark_shards = (VirtualTime(0), Vec::new());
        self.hot_key = overrides.key.as_ref().map(|key| HotKey { key: key.clone(), share_permille: 1000, until: None });
        self.lag = VirtualDuration::ZERO;
        for line in replay_log::start_lines(&self.settings) {
            self.say(now, line);
        }
    }

    /// Stops it; what it has buffered is lost.
    pub fn stop(&mut self) {
        if self.state.is_active() {
            self.give_up_buffers();
            self.state = State::Stopped;
            self.run += 1;
            self.last_second = Counts::default();
        }
    }

    fn give_up_buffers(&mut self) {
        self.total.lost += self.outstanding();
        match &mut self.sender {
            Sender::Kpl(sender) => sender.clear(),
            Sender::Sdk(sender) => sender.clear(),
        }
    }

    /// Changes the rate.
    pub fn set_rate(&mut self, now: VirtualTime, permille: u32, over: VirtualDuration, hold: Option<VirtualDuration>) {
        self.rate = RateControl { from: self.rate.at(now), to: permille, begins: now, over, hold };
    }

    /// Sends a share of the records to one key.
    pub fn set_hot_key(&mut self, key: String, share_permille: u32, until: Option<VirtualTime>) {
        self.hot_key = if share_permille == 0 { None } else { Some(HotKey { key, share_permille: share_permille.min(1000), until }) };
    }

    /// Takes records from outside.
    pub fn ingest(&mut self, records: &[super::command::Ingested]) {
        self.source.ingest(records);
    }

    /// No more records will come from outside.
    pub fn end_of_input(&mut self) {
        self.source.end_of_input();
    }

    /// A new version of its generator.
    pub fn replace_generator(&mut self, generator: &str, id: u16) {
        self.source.replace_generator(generator, id);
    }

    /// offered = acknowledged + lost + outstanding.
    pub fn is_balanced(&self) -> bool {
        self.total.offered == self.total.acknowledged + self.total.lost + self.outstanding()
    }
}
