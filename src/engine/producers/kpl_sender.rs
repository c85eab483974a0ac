//! Sending as the Kinesis Producer Library does: one queue per predicted shard, local rate limits of 150 % of a shard's, drained every
//! 25 ms, immediate retries, optional aggregation.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::engine::kinesis::bucket::TokenBucket;
use crate::engine::kinesis::store::{Payload, Remade, Remake};
use crate::engine::kinesis::{Ctx, DataStream, Placed, PutTotals};
use crate::engine::kpl;
use crate::engine::limits::Limits;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::pending::{Body, Pending};
use super::settings::Settings;
use super::tick::Sent;

/// Local limit in percent of a shard's.
const RATE_LIMIT_PERCENT: u64 = 150;
/// AggregationMaxSize, bytes.
const AGGREGATION_MAX_SIZE: u64 = 51_200;
/// Records of one PutRecords call.
const COLLECTION_MAX_COUNT: u64 = 500;

#[derive(Debug, Clone)]
struct Queue {
    items: VecDeque<Pending>,
    records: TokenBucket,
    bytes: TokenBucket,
}

impl Queue {
    fn new(limits: &Limits, now: VirtualTime) -> Self {
        Self {
            items: VecDeque::new(),
            records: TokenBucket::full(limits.shard_write_records * RATE_LIMIT_PERCENT / 100, now),
            bytes: TokenBucket::full(limits.shard_write_bytes * RATE_LIMIT_PERCENT / 100, now),
        }
    }
}

/// The sender.
#[derive(Debug, Clone)]
pub struct KplSender {
    queues: BTreeMap<u32, Queue>,
    /// Shards ever opened when the shard map was fetched: a change means that the stream was resharded.
    map_version: (u64, u32),
    outstanding: u64,
    since: VirtualTime,
}

impl KplSender {
    /// An empty sender.
    pub fn new(now: VirtualTime) -> Self {
        Self { queues: BTreeMap::new(), map_version: (0, 0), outstanding: 0, since: now }
    }

    /// User records in its queues.
    pub fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.queues.clear();
        self.outstanding = 0;
    }

    /// Puts a record into the queue of its predicted shard.
    pub fn push(&mut self, stream: &DataStream, limits: &Limits, now: VirtualTime, pending: Pending) {
        self.refresh(stream, limits, now);
        self.outstanding += 1;
        self.enqueue(stream, limits, now, pending);
    }

    fn enqueue(&mut self, stream: &DataStream, limits: &Limits, now: VirtualTime, pending: Pending) {
        let shard = stream.map.shard_of(pending.hash).unwrap_or(0);
        self.queues.entry(shard).or_insert_with(|| Queue::new(limits, now)).items.push_back(pending);
    }

    /// Fetches the shard map anew after a reshard and distributes the queues over the new shards, oldest first.
    fn refresh(&mut self, stream: &DataStream, limits: &Limits, now: VirtualTime) {
        let version = (stream.incarnation, stream.next_shard);
        if version == self.map_version {
            return;
        }
        self.map_version = version;
        let mut waiting: Vec<Pending> = std::mem::take(&mut self.queues).into_values().flat_map(|queue| queue.items).collect();
        waiting.sort_by_key(|pending| (pending.handed, pending.event_time));
        for pending in waiting {
            self.enqueue(stream, limits, now, pending);
        }
    }

    /// The oldest event time still waiting.
    pub fn oldest_event_time(&self) -> Option<VirtualTime> {
        self.queues.values().filter_map(|queue| queue.items.front()).map(|pending| pending.event_time).min()
    }

    /// Drains the queues as far as local and remote limits allow.
    pub fn drain(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, settings: &Settings, sent: &mut Sent) {
        let now = ctx.now;
        self.refresh(stream, ctx.limits, now);
        let full_call = self.outstanding >= COLLECTION_MAX_COUNT;
        for (shard, queue) in &mut self.queues {
            queue.records.refill(now);
            queue.bytes.refill(now);
            if let Some(ttl) = settings.record_ttl {
                while queue.items.front().is_some_and(|pending| now.since(pending.handed) > ttl) {
                    queue.items.pop_front();
                    self.outstanding -= 1;
                    sent.expired += 1;
                }
            }
            let mut totals = PutTotals::default();
            if settings.aggregate {
                queue.drain_aggregated(ctx, stream, settings, &mut totals, sent);
            } else {
                queue.drain_single(ctx, stream, *shard, settings, full_call, &mut totals, sent);
            }
            if totals.refused_records > 0 {
                sent.refused_shards.insert(*shard);
            }
            self.outstanding -= totals.accepted_user_records;
            stream.book_shard(ctx, *shard, &totals);
            sent.totals.add(&totals);
        }
        let attempted = sent.totals.accepted_records + sent.totals.refused_records;
        sent.calls += attempted.div_ceil(COLLECTION_MAX_COUNT);
    }

    /// When the producer should look again while records wait.
    pub fn next_drain(&self, now: VirtualTime) -> VirtualTime {
        let tick = super::tick::TICK.0;
        let elapsed = now.since(self.since).0;
        VirtualTime(self.since.0 + (elapsed / tick + 1) * tick)
    }
}

impl Queue {
    #[allow(clippy::too_many_arguments, reason = "one private call: context, stream, settings and the sums it adds to")]
    fn drain_single(
        &mut self,
        ctx: &mut Ctx<'_>,
        stream: &mut DataStream,
        shard: u32,
        settings: &Settings,
        full_call: bool,
        totals: &mut PutTotals,
        sent: &mut Sent,
    ) {
        let (now, limits) = (ctx.now, ctx.limits);
        while let Some(pending) = self.items.front() {
            let ripe = full_call || now.since(pending.handed) >= settings.buffered;
            if !ripe || !self.records.admits(1) || !self.bytes.admits(pending.bytes()) {
                break;
            }
            if stream.record_room(now, limits, shard) == 0 {
                // The shard takes nothing more now: everything that the local limit lets pass is refused.
                let mut bytes = 0;
                let mut records = 0;
                for waiting in &self.items {
                    if !self.records.admits(1)
                        || !self.bytes.admits(waiting.bytes())
                        || !(full_call || now.since(waiting.handed) >= settings.buffered)
                    {
                        break;
                    }
                    self.records.take(1);
                    self.bytes.take(waiting.bytes());
                    records += 1;
                    bytes += waiting.bytes();
                }
                stream.refuse(now, shard, records, bytes, totals);
                break;
            }
            self.records.take(1);
            self.bytes.take(pending.bytes());
            sent.scratch.clear();
            if let Body::Keyed(record, _) = &pending.body {
                ctx.remake.data(*record, &mut sent.scratch);
            }
            let placed = stream.place(now, limits, pending.hash, pending.payload(&sent.scratch), 1, totals);
            if matches!(placed, Placed::Throttled { .. }) {
                break;
            }
            sent.buffering_us += now.since(pending.handed).0;
            self.items.pop_front();
        }
    }

    fn drain_aggregated(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, settings: &Settings, totals: &mut PutTotals, sent: &mut Sent) {
        let (now, limits) = (ctx.now, ctx.limits);
        while let Some(first) = self.items.front() {
            let (count, size, full) = self.next_aggregate();
            if (!full && now.since(first.handed) < settings.buffered) || !self.records.admits(1) || !self.bytes.admits(size) {
                break;
            }
            self.records.take(1);
            self.bytes.take(size);
            let hash = first.hash;
            sent.scratch.clear();
            let remade: Option<Vec<Remade>> =
                self.items.iter().take(count).map(|pending| if let Body::Remade(record) = &pending.body { Some(*record) } else { None }).collect();
            let placed = match remade {
                _ if count == 1 => {
                    if let Body::Keyed(record, _) = &first.body {
                        ctx.remake.data(*record, &mut sent.scratch);
                    }
                    stream.place(now, limits, hash, first.payload(&sent.scratch), 1, totals)
                }
                Some(items) => {
                    let items: Arc<[Remade]> = items.into();
                    stream.place(now, limits, hash, Payload::Aggregate { items: &items, data_len: size as u32 }, count as u64, totals)
                }
                None => {
                    let bytes = encode(self.items.iter().take(count), ctx.remake, &mut sent.scratch);
                    stream.place(now, limits, hash, Payload::Bytes { key: "a", data: &bytes }, count as u64, totals)
                }
            };
            if matches!(placed, Placed::Throttled { .. }) {
                break;
            }
            for pending in self.items.drain(..count) {
                sent.buffering_us += now.since(pending.handed).0 / count as u64;
            }
        }
    }

    /// How many records the next aggregate takes, its exact encoded size, and whether more would not fit.
    fn next_aggregate(&self) -> (usize, u64, bool) {
        let mut size = kpl::AggregateSize::default();
        let (mut count, mut bytes) = (0, 0);
        for pending in &self.items {
            size = size.with(pending.hash, u64::from(pending.key_len), u64::from(pending.data_len));
            if count > 0 && size.bytes() > AGGREGATION_MAX_SIZE {
                return (count, bytes, true);
            }
            bytes = size.bytes();
            count += 1;
        }
        (count, bytes, false)
    }
}

fn encode<'p>(items: impl Iterator<Item = &'p Pending>, remake: &dyn Remake, scratch: &mut Vec<u8>) -> Vec<u8> {
    let mut aggregator = kpl::Aggregator::default();
    let mut made = String::new();
    for pending in items {
        scratch.clear();
        match &pending.body {
            Body::Own(key, data) => aggregator.push(key, None, data),
            Body::Keyed(record, key) => {
                remake.data(*record, scratch);
                aggregator.push(key, None, scratch);
            }
            Body::Remade(record) => {
                made.clear();
                remake.data(*record, scratch);
                remake.key(*record, scratch, &mut made);
                aggregator.push(&made, None, scratch);
            }
        }
    }
    aggregator.finish()
}

/// A queue waits at most this long before it is looked at.
pub const DRAIN_EVERY: VirtualDuration = VirtualDuration::from_millis(25);
