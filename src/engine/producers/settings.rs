//! What a producer does, after the lab file has been read and the command line of its start applied.

use serde::{Deserialize, Serialize};

use crate::engine::time::{VirtualDuration, VirtualTime};

/// Which program it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProducerKind {
    /// AWS SDK: PutRecord or PutRecords, retry with back-off.
    Sdk,
    /// Kinesis Producer Library.
    Kpl,
    /// The replay tool of the original Lab1, which sits on the KPL.
    Replay,
    /// Kinesis Agent.
    Agent,
    /// Records from `--input`, sent with the SDK.
    Input,
}

impl ProducerKind {
    /// The word in lab files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sdk => "sdk",
            Self::Kpl => "kpl",
            Self::Replay => "replay",
            Self::Agent => "agent",
            Self::Input => "input",
        }
    }

    /// Sends through the KPL.
    pub const fn is_kpl(self) -> bool {
        matches!(self, Self::Kpl | Self::Replay)
    }
}

/// Watermark records of the replay tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermarks {
    /// At least this often.
    pub every: VirtualDuration,
    /// And after this many events.
    pub every_records: u64,
    /// The record; `${watermark}` stands for the event time.
    pub payload: String,
    /// One per open shard, sent with the shard's first hash key.
    pub per_shard: bool,
}

/// Settings in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which program it stands for.
    pub kind: ProducerKind,
    /// The stream it writes to.
    pub target: String,
    /// The target is a delivery stream.
    pub delivery: bool,
    /// One PutRecord per record instead of PutRecords.
    pub single: bool,
    /// Records of one PutRecords call at most.
    pub batch: usize,
    /// Bytes of one PutRecords call at most.
    pub batch_bytes: u64,
    /// The KPL packs user records.
    pub aggregate: bool,
    /// User records in buffers at most; the source waits beyond.
    pub outstanding: u64,
    /// A record that is older than this is given up.
    pub record_ttl: Option<VirtualDuration>,
    /// A record waits at most this long for company (RecordMaxBufferedTime, maxBufferAgeMillis).
    pub buffered: VirtualDuration,
    /// Attempts per record of the SDK at most; `None` = for ever.
    pub attempts: Option<u32>,
    /// First back-off of the SDK.
    pub backoff: VirtualDuration,
    /// Longest back-off of the SDK.
    pub backoff_cap: VirtualDuration,
    /// The classic bug: failed entries of PutRecords are ignored and lost.
    pub ignore_failures: bool,
    /// Watermark records.
    pub watermark: Option<Watermarks>,
    /// Time between two report lines.
    pub report: Option<VirtualDuration>,
    /// Event seconds per second, in thousandths; of sources with an event-time axis.
    pub speedup_permille: Option<u64>,
    /// Where on the event-time axis it starts.
    pub seek: Option<VirtualTime>,
    /// The region of its command line, for its log.
    pub region: String,
}

impl Settings {
    /// Defaults of a kind.
    pub fn new(kind: ProducerKind, target: &str) -> Self {
        let kpl = kind.is_kpl();
        Self {
            kind,
            target: target.to_owned(),
            delivery: false,
            single: false,
            batch: 500,
            batch_bytes: if kind == ProducerKind::Agent { 4 << 20 } else { 5 << 20 },
            aggregate: false,
            outstanding: if kpl { 10_000 } else { 5_000 },
            record_ttl: kpl.then_some(VirtualDuration::from_secs(30)),
            buffered: VirtualDuration::from_millis(if kind == ProducerKind::Agent { 60_000 } else { 100 }),
            attempts: None,
            backoff: VirtualDuration::from_millis(100),
            backoff_cap: VirtualDuration::from_millis(10_000),
            ignore_failures: false,
            watermark: None,
            report: None,
            speedup_permille: None,
            seek: None,
            region: "us-east-1".to_owned(),
        }
    }

    /// These settings with the overrides of a start.
    pub fn with(&self, overrides: &Overrides) -> Self {
        let mut settings = self.clone();
        if let Some(stream) = &overrides.stream {
            settings.target.clone_from(stream);
        }
        if let Some(region) = &overrides.region {
            settings.region.clone_from(region);
        }
        settings.aggregate = overrides.aggregate.unwrap_or(self.aggregate);
        settings.speedup_permille = overrides.speedup_permille.or(self.speedup_permille);
        settings.seek = overrides.seek.or(self.seek);
        if overrides.no_watermark {
            settings.watermark = None;
        }
        settings.report = overrides.report.or(self.report);
        settings.ignore_failures = overrides.ignore_failures.unwrap_or(self.ignore_failures);
        settings
    }
}

/// What a start may change: the flags of the replay tool and the knobs of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Overrides {
    /// `-streamName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// `-streamRegion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// `-speedup`, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speedup_permille: Option<u64>,
    /// `-aggregate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<bool>,
    /// `-seek`: event time to start at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seek: Option<VirtualTime>,
    /// `-noWatermark`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_watermark: bool,
    /// `-statisticsFrequency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<VirtualDuration>,
    /// One partition key for all records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Lose failed entries instead of sending them again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_failures: Option<bool>,
}
