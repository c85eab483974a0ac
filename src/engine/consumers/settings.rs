//! What a consumer does, after the lab file has been read.

use serde::{Deserialize, Serialize};

use crate::api::kinesis::ShardIteratorType;
use crate::engine::time::VirtualDuration;

/// Which program it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsumerKind {
    /// A plain loop of GetShardIterator and GetRecords.
    GetRecords,
    /// Kinesis Client Library: leases, checkpoints, parents first, de-aggregation.
    Kcl,
    /// Enhanced fan-out: RegisterStreamConsumer and SubscribeToShard.
    FanOut,
}

impl ConsumerKind {
    /// The word in lab files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetRecords => "get-records",
            Self::Kcl => "kcl",
            Self::FanOut => "fan-out",
        }
    }
}

/// Settings in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// Which program it stands for.
    pub kind: ConsumerKind,
    /// The stream it reads.
    pub stream: String,
    /// Reads all shards; otherwise only the first (the bug of the workshop's `readStream.py`).
    pub all_shards: bool,
    /// Where it starts on shards that it has no checkpoint for.
    pub position: ShardIteratorType,
    /// Records of one GetRecords call at most.
    pub limit: u64,
    /// Time between two polls of a shard.
    pub poll: VirtualDuration,
    /// Workers of a KCL application.
    pub workers: u32,
    /// Time between two checkpoints of a KCL application.
    pub checkpoint_every: VirtualDuration,
    /// A lease whose counter stands still for so long may be taken.
    pub failover: VirtualDuration,
    /// Children wait until their parents are finished.
    pub parents_first: bool,
}

impl ConsumerSettings {
    /// Defaults of a kind.
    pub fn new(kind: ConsumerKind, stream: &str) -> Self {
        Self {
            kind,
            stream: stream.to_owned(),
            all_shards: true,
            position: if kind == ConsumerKind::GetRecords { ShardIteratorType::Latest } else { ShardIteratorType::TrimHorizon },
            limit: 10_000,
            poll: VirtualDuration::from_millis(1000),
            workers: 1,
            checkpoint_every: VirtualDuration::from_secs(10),
            failover: VirtualDuration::from_secs(10),
            parents_first: true,
        }
    }
}
