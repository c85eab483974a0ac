//! A data stream: state, settings, shards, and the operations that are under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::kinesis::{EncryptionType, MetricsName, RecordDistributionStrategy, StreamMode, StreamStatus};
use crate::engine::limits::Limits;
use crate::engine::metrics::Dimensions;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::fanout::FanoutConsumer;
use super::hash::{HashKey, ShardMap};
use super::shard::{LoadHistory, Shard};

/// Bins of the key-density histogram: the leading eight bits of the hash.
pub const DENSITY_BINS: usize = 256;

/// A change that is under way and takes effect when the stream becomes ACTIVE again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pending {
    /// CreateStream with that many shards.
    Create(u64),
    /// DeleteStream.
    Delete,
    /// SplitShard: shard and first hash key of the upper child.
    Split(u32, HashKey),
    /// MergeShards: shard and its neighbour.
    Merge(u32, u32),
    /// UpdateShardCount.
    Count(u64),
    /// New retention in hours.
    Retention(u32),
    /// Encryption on (key id) or off.
    Encryption(Option<String>),
    /// Shard-level metrics after the change.
    Monitoring(BTreeSet<MetricsName>),
    /// New capacity mode.
    Mode(StreamMode),
    /// New record limit in KiB.
    RecordSize(u32),
    /// New warm throughput in MiB/s.
    Warm(i32),
    /// New record distribution strategy.
    Distribution(RecordDistributionStrategy),
}

/// A data stream.
#[derive(Debug, Clone)]
pub struct DataStream {
    /// Name, unique in the account and region.
    pub name: Arc<str>,
    /// Tells a re-created stream of the same name apart.
    pub incarnation: u64,
    /// State.
    pub status: StreamStatus,
    /// Capacity mode.
    pub mode: StreamMode,
    /// When it was created.
    pub created: VirtualTime,
    /// Retention in hours.
    pub retention_hours: u32,
    /// Key of server-side encryption, when it is on.
    pub key_id: Option<String>,
    /// Shard-level metrics that are on.
    pub shard_metrics: BTreeSet<MetricsName>,
    /// Tags in key order.
    pub tags: BTreeMap<String, String>,
    /// Resource policy, JSON text.
    pub policy: Option<String>,
    /// All shards that are not expired, by number.
    pub shards: BTreeMap<u32, Shard>,
    /// Number of the next shard.
    pub next_shard: u32,
    /// Routing table of the open shards.
    pub map: ShardMap,
    /// Fan-out consumers by name.
    pub consumers: BTreeMap<Arc<str>, FanoutConsumer>,
    /// Record limit in KiB of data.
    pub record_limit_kib: u32,
    /// Warm throughput in MiB/s, when set.
    pub warm_mibps: Option<i32>,
    /// How records find their shard.
    pub distribution: RecordDistributionStrategy,
    /// What is under way.
    pub pending: Option<Pending>,
    /// When it is done; wake-ups of a change that was overridden come before.
    pub due: VirtualTime,
    /// Times of UpdateShardCount calls in the last 24 hours.
    pub count_calls: Vec<VirtualTime>,
    /// Times of mode switches in the last 24 hours.
    pub mode_switches: Vec<VirtualTime>,
    /// Times of encryption changes in the last 24 hours.
    pub encryption_changes: Vec<VirtualTime>,
    /// Load of the whole stream by the second.
    pub loads: LoadHistory,
    /// Accepted records per bin of the hash space, this ten-second window and the one before.
    pub density: [(u64, Box<[u32; DENSITY_BINS]>); 2],
    /// Records accepted since creation.
    pub accepted_records: u64,
    /// Bytes accepted since creation.
    pub accepted_bytes: u64,
    /// User records accepted since creation.
    pub accepted_user_records: u64,
    /// Records forgotten by trimming and with expired shards.
    pub trimmed_records: u64,
}

impl DataStream {
    /// A stream in CREATING.
    pub fn new(name: &str, incarnation: u64, mode: StreamMode, now: VirtualTime, record_limit_kib: u32) -> Self {
        Self {
            name: name.into(),
            incarnation,
            status: StreamStatus::Creating,
            mode,
            created: now,
            retention_hours: 24,
            key_id: None,
            shard_metrics: BTreeSet::new(),
            tags: BTreeMap::new(),
            policy: None,
            shards: BTreeMap::new(),
            next_shard: 0,
            map: ShardMap::default(),
            consumers: BTreeMap::new(),
            record_limit_kib,
            warm_mibps: None,
            distribution: RecordDistributionStrategy::UserPartitionKey,
            pending: None,
            due: now,
            count_calls: Vec::new(),
            mode_switches: Vec::new(),
            encryption_changes: Vec::new(),
            loads: LoadHistory::default(),
            density: std::array::from_fn(|_| (0, Box::new([0; DENSITY_BINS]))),
            accepted_records: 0,
            accepted_bytes: 0,
            accepted_user_records: 0,
            trimmed_records: 0,
        }
    }

    /// Data operations work in this state.
    pub fn takes_data(&self) -> bool {
        matches!(self.status, StreamStatus::Active | StreamStatus::Updating)
    }

    /// Open shards in the order of their hash keys.
    pub fn open_shards(&self) -> Vec<&Shard> {
        let mut open: Vec<&Shard> = self.shards.values().filter(|shard| shard.is_open()).collect();
        open.sort_by_key(|shard| shard.start);
        open
    }

    /// Number of open shards.
    pub fn open_count(&self) -> u64 {
        self.shards.values().filter(|shard| shard.is_open()).count() as u64
    }

    /// Makes the routing table anew; called after each change of shards.
    pub fn rebuild_map(&mut self) {
        self.map = ShardMap::new(self.open_shards().iter().map(|shard| (shard.end.0, shard.number)).collect());
    }

    /// Retention as a duration.
    pub fn retention(&self) -> VirtualDuration {
        VirtualDuration::from_secs(u64::from(self.retention_hours) * 3600)
    }

    /// Forgets records and closed shards past retention. Idempotent: the outcome depends on `now` alone.
    pub fn trim(&mut self, now: VirtualTime) {
        let horizon = now - self.retention();
        let mut trimmed = 0;
        let mut expired = Vec::new();
        for (number, shard) in &mut self.shards {
            let before = shard.log.first();
            shard.log.trim(horizon);
            trimmed += shard.log.first() - before;
            if shard.closed.is_some_and(|closed| closed < horizon) {
                expired.push(*number);
            }
        }
        for number in expired {
            if let Some(shard) = self.shards.remove(&number) {
                trimmed += shard.log.len();
            }
        }
        self.trimmed_records += trimmed;
    }

    /// Encryption type as answers carry it.
    pub fn encryption_type(&self) -> EncryptionType {
        if self.key_id.is_some() { EncryptionType::Kms } else { EncryptionType::None }
    }

    /// CloudWatch dimensions of the stream.
    pub fn dimensions(&self) -> Dimensions {
        Dimensions::Stream(self.name.clone())
    }

    /// Notes an accepted record in the key-density histogram.
    pub fn note_density(&mut self, now: VirtualTime, hash: HashKey) {
        let window = now.secs() / 10;
        if self.density[0].0 != window {
            self.density.swap(0, 1);
            self.density[0].0 = window;
            self.density[0].1.fill(0);
        }
        self.density[0].1[(hash.0 >> 120) as usize] += 1;
    }

    /// Key density of the present and the last ten-second window.
    pub fn density_now(&self, now: VirtualTime) -> Vec<u64> {
        let window = now.secs() / 10;
        let mut bins = vec![0u64; DENSITY_BINS];
        for (at, counts) in &self.density {
            if *at == window || at + 1 == window {
                for (bin, count) in bins.iter_mut().zip(counts.iter()) {
                    *bin += u64::from(*count);
                }
            }
        }
        bins
    }

    /// Opens a shard with the next number.
    pub fn open_shard(&mut self, start: HashKey, end: HashKey, now: VirtualTime, created_secs: u64, limits: &Limits) -> u32 {
        let number = self.next_shard;
        self.next_shard += 1;
        self.shards.insert(number, Shard::new(number, start, end, now, created_secs, limits));
        number
    }
}
