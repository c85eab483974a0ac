//! Kinesis Data Streams: streams, shards, limits, resharding, replay.
//!
//! [`Kinesis`] holds the streams of one account and region and answers every operation of `Kinesis_20131202`. It is synchronous and knows
//! the time only from its [`Ctx`]. Invariants: the open shards of a stream partition the hash space; counters of a shard are consecutive;
//! accepted = stored + trimmed.

pub mod bucket;
mod call;
mod describe;
pub mod fanout;
mod get;
pub mod hash;
mod hot_keys;
pub mod iterator;
mod put;
mod reshard;
pub mod sequence;
mod settings;
pub mod shard;
pub mod store;
pub mod stream;
mod tags;
mod transition;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::ServiceError;
use crate::api::kinesis::StreamStatus;

use super::cost::Bill;
use super::journal::Journal;
use super::limits::Limits;
use super::metrics::Metrics;
use super::schedule::Schedule;
use super::time::{VirtualDuration, VirtualTime};
use super::trail::Trail;

pub use get::{ReadRange, ReadRequest};
pub use put::{Placed, PutEntry, PutTotals};
pub use stream::DataStream;

use store::Remake;

/// How long control-plane operations take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waits {
    /// CreateStream until ACTIVE.
    pub create: VirtualDuration,
    /// DeleteStream until gone.
    pub delete: VirtualDuration,
    /// SplitShard and MergeShards; UpdateShardCount takes `per_shard` more for each shard touched.
    pub reshard: VirtualDuration,
    /// Each shard that UpdateShardCount touches.
    pub per_shard: VirtualDuration,
    /// Every other UPDATING.
    pub update: VirtualDuration,
    /// A fan-out consumer until ACTIVE or gone.
    pub consumer: VirtualDuration,
    /// A delivery stream until ACTIVE or gone.
    pub delivery: VirtualDuration,
}

impl Waits {
    /// Durations of the real service (see `docs/fidelity.md`).
    pub const REAL: Self = Self {
        create: VirtualDuration::from_secs(30),
        delete: VirtualDuration::from_secs(30),
        reshard: VirtualDuration::from_secs(30),
        per_shard: VirtualDuration::from_secs(1),
        update: VirtualDuration::from_secs(5),
        consumer: VirtualDuration::from_secs(10),
        delivery: VirtualDuration::from_secs(60),
    };
    /// Durations of the labs: long enough to see the state, too short to wait for.
    pub const LAB: Self = Self {
        create: VirtualDuration::from_secs(1),
        delete: VirtualDuration::from_secs(1),
        reshard: VirtualDuration::from_secs(2),
        per_shard: VirtualDuration::ZERO,
        update: VirtualDuration::from_secs(1),
        consumer: VirtualDuration::from_secs(1),
        delivery: VirtualDuration::from_secs(2),
    };
}

/// What an operation may use of the world.
pub struct Ctx<'a> {
    /// The virtual instant.
    pub now: VirtualTime,
    /// Limits in force.
    pub limits: &'a Limits,
    /// Wake-ups.
    pub schedule: &'a mut Schedule,
    /// What happened.
    pub journal: &'a mut Journal,
    /// Metrics.
    pub metrics: &'a mut Metrics,
    /// The bill.
    pub bill: &'a mut Bill,
    /// Makes generated records again.
    pub remake: &'a dyn Remake,
    /// The record being followed.
    pub trail: &'a mut Trail,
}

/// The service of one account in one region.
#[derive(Debug, Clone)]
pub struct Kinesis {
    /// Account id, 12 digits.
    pub account: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// How long things take.
    pub waits: Waits,
    streams: BTreeMap<Arc<str>, DataStream>,
    incarnations: u64,
    subscriptions: Vec<fanout::Subscription>,
    call_rates: call::CallRates,
    commitment: Option<VirtualTime>,
    touched: u64,
}

/// `shardId-000000000002`.
pub fn shard_id(number: u32) -> String {
    format!("shardId-{number:012}")
}

/// The number in a shard id; also of its last four digits or the bare number, as the dashboard shows them.
pub fn shard_number(id: &str) -> Option<u32> {
    let digits = id.strip_prefix("shardId-").filter(|digits| digits.len() == 12).unwrap_or(id);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

impl Kinesis {
    /// An account without streams.
    pub fn new(account: &str, region: &str, waits: Waits) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
            waits,
            streams: BTreeMap::new(),
            incarnations: 0,
            subscriptions: Vec::new(),
            call_rates: call::CallRates::default(),
            commitment: None,
            touched: 0,
        }
    }

    /// A stream by name.
    pub fn stream(&self, name: &str) -> Option<&DataStream> {
        self.streams.get(name)
    }

    /// A stream by name, for producers and consumers of the world.
    pub fn stream_mut(&mut self, name: &str) -> Option<&mut DataStream> {
        self.streams.get_mut(name)
    }

    /// All streams by name.
    pub fn streams(&self) -> impl Iterator<Item = &DataStream> {
        self.streams.values()
    }

    /// ARN of a stream.
    pub fn arn(&self, name: &str) -> String {
        format!("arn:aws:kinesis:{}:{}:stream/{name}", self.region, self.account)
    }

    /// The text of a missing stream.
    pub fn not_found(&self, name: &str) -> ServiceError {
        ServiceError::resource_not_found(format!("Stream {name} under account {} not found.", self.account))
    }

    /// The name that a request means; both forms must agree.
    fn resolve(name: Option<&str>, arn: Option<&str>) -> Result<String, ServiceError> {
        let from_arn = arn.map(|arn| {
            arn.split_once(":stream/")
                .map(|(_, rest)| rest.split_once("/consumer/").map_or(rest, |(stream, _)| stream).to_owned())
                .ok_or_else(|| ServiceError::invalid_argument(format!("StreamARN {arn} is not the ARN of a stream.")))
        });
        match (name, from_arn.transpose()?) {
            (Some(name), Some(other)) if name != other => {
                Err(ServiceError::invalid_argument(format!("StreamName {name} and StreamARN of stream {other} name different streams.")))
            }
            (Some(name), _) => Ok(name.to_owned()),
            (None, Some(name)) => Ok(name),
            (None, None) => Err(ServiceError::invalid_argument("Either StreamName or StreamARN should be provided.")),
        }
    }

    /// The stream that a request means, in any state.
    fn find(&self, name: Option<&str>, arn: Option<&str>) -> Result<&DataStream, ServiceError> {
        let name = Self::resolve(name, arn)?;
        self.streams.get(name.as_str()).ok_or_else(|| self.not_found(&name))
    }

    fn find_mut(&mut self, name: Option<&str>, arn: Option<&str>) -> Result<&mut DataStream, ServiceError> {
        let name = Self::resolve(name, arn)?;
        if !self.streams.contains_key(name.as_str()) {
            return Err(self.not_found(&name));
        }
        self.touched += 1;
        Ok(self.streams.get_mut(name.as_str()).expect("checked above"))
    }

    /// The stream for a control operation, which must be ACTIVE.
    fn find_active(&mut self, name: Option<&str>, arn: Option<&str>) -> Result<&mut DataStream, ServiceError> {
        let account = self.account.clone();
        let stream = self.find_mut(name, arn)?;
        if stream.status == StreamStatus::Active {
            Ok(stream)
        } else {
            Err(ServiceError::resource_in_use(format!(
                "Stream {} under account {account} not ACTIVE, instead in state {}",
                stream.name, stream.status
            )))
        }
    }

    /// The stream for a data operation: a stream that never became ACTIVE is not found.
    fn find_for_data(&mut self, name: Option<&str>, arn: Option<&str>) -> Result<&mut DataStream, ServiceError> {
        let resolved = Self::resolve(name, arn)?;
        match self.streams.get(resolved.as_str()) {
            Some(stream) if stream.next_shard > 0 => {}
            _ => return Err(self.not_found(&resolved)),
        }
        Ok(self.streams.get_mut(resolved.as_str()).expect("checked above"))
    }

    /// Open shards of all streams.
    pub fn open_shards(&self) -> u64 {
        self.streams.values().map(DataStream::open_count).sum()
    }

    /// Checks the rules that always hold; the sentence names the one that is broken.
    ///
    /// # Errors
    /// A sentence naming stream and rule.
    pub fn check_invariants(&self) -> Result<(), String> {
        for stream in self.streams.values() {
            let open = stream.open_shards();
            if stream.next_shard > 0 {
                let mut expected = Some(0u128);
                for shard in &open {
                    if Some(shard.start.0) != expected || shard.end < shard.start {
                        return Err(format!(
                            "open shards of {} do not partition the hash space at {} (topology)",
                            stream.name,
                            shard_id(shard.number)
                        ));
                    }
                    expected = shard.end.0.checked_add(1);
                }
                if expected.is_some() {
                    return Err(format!("open shards of {} do not reach the end of the hash space (topology)", stream.name));
                }
            }
            let stored: u64 = stream.shards.values().map(|shard| shard.log.len()).sum();
            if stream.accepted_records != stored + stream.trimmed_records {
                return Err(format!(
                    "{}: accepted {} != stored {stored} + trimmed {} (conservation)",
                    stream.name, stream.accepted_records, stream.trimmed_records
                ));
            }
            for shard in stream.shards.values() {
                for parent in [shard.parent, shard.adjacent_parent].into_iter().flatten() {
                    if let Some(parent) = stream.shards.get(&parent)
                        && parent.created_secs >= shard.created_secs
                    {
                        return Err(format!("{}: {} does not start after its parent (order)", stream.name, shard_id(shard.number)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Closes all open segments, so that a checkpoint shares them.
    pub fn seal(&mut self) {
        for stream in self.streams.values_mut() {
            for shard in stream.shards.values_mut() {
                shard.log.seal();
            }
        }
    }
}
