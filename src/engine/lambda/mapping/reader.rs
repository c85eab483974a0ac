//! A shard of a mapping: what was read of it, its lanes, its tumbling window.
//!
//! The records of a shard are spread over its lanes by the hash of their partition key. A lane has one batch under way at a time, so records
//! of a key stay in order; a lane that tries again does not hold the others up.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::kinesis::hash::HashKey;
use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, DataStream, ReadRequest};
use crate::engine::limits::MIB;
use crate::engine::time::{VirtualDuration, VirtualTime};

/// Time between two reads of a shard without news.
pub const IDLE_POLL: VirtualDuration = VirtualDuration::SECOND;
/// Time between two reads of a shard that had records.
pub const BUSY_POLL: VirtualDuration = VirtualDuration::from_millis(250);
/// Bytes of data in one event: the payload limit is 6 MB and base64 takes a third more.
const BATCH_BYTES: u64 = 4_400_000;
/// Records of one read at most.
const READ_MOST: u64 = 10_000;
/// Records that wait in one lane before the shard is read no further.
const LANE_MOST: usize = 10_000;

/// Which call ends a tumbling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Its time is over.
    Final,
    /// Its state is too large; the window goes on with a fresh one.
    Early,
}

/// A batch under way.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Number within the mapping.
    pub id: u64,
    /// Shard.
    pub shard: u32,
    /// Lane of the shard.
    pub lane: usize,
    /// Counters of its records, rising; none in a call that ends a window.
    pub records: Arc<[u64]>,
    /// The call ends a window.
    pub closes: Option<Closing>,
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

/// A batch to try again.
#[derive(Debug, Clone)]
pub struct Again {
    /// Its records.
    pub records: Vec<u64>,
    /// It ends a window.
    pub closes: Option<Closing>,
    /// Attempts so far.
    pub attempts: u32,
    /// Not before this instant.
    pub not_before: VirtualTime,
}

/// Records of a shard whose partition keys fall into one class.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    /// Records read and not yet in a batch.
    pub queue: VecDeque<u64>,
    /// The batch under way.
    pub running: Option<Batch>,
    /// A batch to try again, before anything else.
    pub again: Option<Again>,
    /// Batches are at most this long until one works (bisecting).
    pub at_most: Option<usize>,
    /// Since when fewer records than a batch wait for company.
    waits_since: Option<VirtualTime>,
}

impl Lane {
    fn is_free(&self) -> bool {
        self.running.is_none() && self.again.is_none()
    }

    fn is_empty(&self) -> bool {
        self.is_free() && self.queue.is_empty()
    }

    /// Puts records back before those that wait.
    pub fn put_back(&mut self, records: &[u64]) {
        for counter in records.iter().rev() {
            self.queue.push_front(*counter);
        }
    }
}

/// A tumbling window of a shard.
#[derive(Debug, Clone)]
pub struct Window {
    /// Its beginning, a multiple of its length since 1970.
    pub start: VirtualTime,
    /// Its end.
    pub end: VirtualTime,
    /// What the function answered last, JSON.
    pub state: Arc<str>,
    /// The state is too large: the window's next call is its early end.
    pub full: bool,
}

/// A shard of a mapping.
#[derive(Debug, Clone)]
pub struct ShardReader {
    /// Counter of the next record to read.
    pub next: u64,
    /// When GetRecords was called last, and whether it had news.
    polled: (VirtualTime, bool),
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// The window under way, with tumbling windows.
    pub window: Option<Window>,
    /// Read to the end of a closed shard; its last batches may be under way.
    ended: bool,
    /// Read to its end, and done with.
    pub finished: bool,
    /// Invocations of this shard.
    pub invocations: u64,
    /// Guards wake-ups: only the last one counts.
    pub token: u64,
    /// Run of the mapping that looks at it.
    pub awake: u32,
}

/// What a shard's records make next.
enum Next {
    Batch(Vec<u64>, Option<Closing>),
    Wait(VirtualTime),
    Nothing,
}

/// A batch's settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Records of a batch at most.
    pub(super) batch_size: u64,
    /// How long a small batch waits for company.
    pub(super) company: VirtualDuration,
    /// Lanes.
    pub(super) parallel: usize,
    /// Length of tumbling windows; zero without.
    pub(super) tumbling: VirtualDuration,
}

/// What a shard does next.
pub(super) enum Decision {
    Begin { lane: usize, again: Again },
    Wait(VirtualTime),
    Idle,
}

impl ShardReader {
    /// Reads from a counter on.
    pub(super) fn new(next: u64) -> Self {
        Self {
            next,
            polled: (VirtualTime(0), false),
            lanes: Vec::new(),
            window: None,
            ended: false,
            finished: false,
            invocations: 0,
            token: 0,
            awake: 0,
        }
    }

    /// Decides what the shard does now.
    pub(super) fn decide(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, shard: u32, wanted: Wanted) -> Decision {
        let now = ctx.now;
        if self.finished || !self.arrange(ctx, stream, shard, wanted.parallel) {
            return Decision::Idle;
        }
        let mut wake: Option<VirtualTime> = None;
        let mut until = |at: VirtualTime| wake = Some(wake.map_or(at, |wake| wake.min(at)));
        for (number, lane) in self.lanes.iter_mut().enumerate().filter(|(_, lane)| lane.running.is_none()) {
            match lane.again.take_if(|again| again.not_before <= now) {
                Some(again) => return Decision::Begin { lane: number, again },
                None => lane.again.iter().for_each(|again| until(again.not_before)),
            }
        }
        let hungry = self.lanes.iter().any(Lane::is_empty) && self.lanes.iter().all(|lane| lane.queue.len() < LANE_MOST);
        if hungry && !self.ended {
            self.read(ctx, stream, shard).into_iter().for_each(&mut until);
        }
        for number in 0..self.lanes.len() {
            if !self.lanes[number].is_free() {
                continue;
            }
            match self.next_batch(ctx, stream, shard, number, wanted) {
                Next::Batch(records, closes) => {
                    self.lanes[number].waits_since = None;
                    return Decision::Begin { lane: number, again: Again { records, closes, attempts: 0, not_before: now } };
                }
                Next::Wait(at) => until(at),
                Next::Nothing => {}
            }
        }
        if self.ended && self.window.is_none() && self.lanes.iter().all(Lane::is_empty) {
            self.finished = true;
            return Decision::Idle;
        }
        wake.map_or(Decision::Idle, Decision::Wait)
    }

    /// Has as many lanes as wanted. Another number waits for what is under way, so that no key is ever in two batches.
    fn arrange(&mut self, ctx: &Ctx<'_>, stream: &DataStream, shard: u32, parallel: usize) -> bool {
        if self.lanes.len() == parallel {
            return true;
        }
        if self.lanes.iter().any(|lane| lane.running.is_some()) {
            return false;
        }
        let mut waiting: Vec<u64> = Vec::new();
        for lane in std::mem::take(&mut self.lanes) {
            waiting.extend(lane.again.into_iter().flat_map(|again| again.records));
            waiting.extend(lane.queue);
        }
        waiting.sort_unstable();
        self.lanes = vec![Lane::default(); parallel];
        self.spread(ctx, stream, shard, waiting);
        true
    }

    /// Gives records to the lanes of their keys.
    fn spread(&mut self, ctx: &Ctx<'_>, stream: &DataStream, shard: u32, counters: impl IntoIterator<Item = u64>) {
        if let [lane] = self.lanes.as_mut_slice() {
            lane.queue.extend(counters);
            return;
        }
        let Some(log) = stream.shards.get(&shard).map(|shard| &shard.log) else { return };
        let mut buffer = ReadBuffer::default();
        let lanes = self.lanes.len();
        for counter in counters {
            if let Some(read) = log.read(counter, ctx.remake, &mut buffer) {
                self.lanes[lane_of(read.key, lanes)].queue.push_back(counter);
            }
        }
    }

    /// GetRecords, when it is time; else, or without news, when to come again.
    fn read(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, shard: u32) -> Option<VirtualTime> {
        let now = ctx.now;
        let pause = if self.polled.1 { BUSY_POLL } else { IDLE_POLL };
        if self.polled.0 != VirtualTime(0) && now < self.polled.0 + pause {
            return Some(self.polled.0 + pause);
        }
        match stream.poll(ctx, ReadRequest { shard, next: self.next, limit: READ_MOST, max_bytes: 10 * MIB }) {
            None if !stream.shards.contains_key(&shard) => {
                self.ended = true;
                self.window = None;
                self.lanes.iter_mut().for_each(|lane| lane.queue.clear());
                None
            }
            None => Some(now + BUSY_POLL),
            Some(range) => {
                self.polled = (now, range.next > range.first);
                self.next = range.next;
                self.spread(ctx, stream, shard, range.first..range.next);
                if range.next > range.first {
                    return None;
                }
                self.ended = range.at_end;
                Some(now + IDLE_POLL)
            }
        }
    }

    /// What arrived since the last read, for a batch that waits for company.
    fn read_more(&mut self, ctx: &Ctx<'_>, stream: &DataStream, shard: u32, most: u64) {
        if let Some(range) = stream.range(ctx.now, ReadRequest { shard, next: self.next, limit: most, max_bytes: 10 * MIB })
            && range.next > self.next
        {
            self.next = range.next;
            self.spread(ctx, stream, shard, range.first..range.next);
        }
    }

    /// The next batch of a lane.
    fn next_batch(&mut self, ctx: &Ctx<'_>, stream: &DataStream, shard: u32, number: usize, wanted: Wanted) -> Next {
        let now = ctx.now;
        let Some(log) = stream.shards.get(&shard).map(|shard| &shard.log) else { return Next::Nothing };
        let expired = log.first();
        let queue = &mut self.lanes[number].queue;
        while queue.front().is_some_and(|counter| *counter < expired) {
            queue.pop_front();
        }
        let front = queue.front().and_then(|counter| log.slot(*counter)).map(|slot| slot.arrival);
        let mut end = None;
        if wanted.tumbling > VirtualDuration::ZERO || self.window.is_some() {
            if let Some(window) = &self.window {
                // A read after the window's end that found nothing: nothing more of it will come.
                let quiet = self.ended || (self.polled.0 >= window.end && !self.polled.1);
                if window.full {
                    return Next::Batch(Vec::new(), Some(Closing::Early));
                }
                if front.map_or(quiet, |arrival| arrival >= window.end) || wanted.tumbling == VirtualDuration::ZERO {
                    return Next::Batch(Vec::new(), Some(Closing::Final));
                }
                end = Some(window.end);
            } else if let Some(arrival) = front {
                let start = VirtualTime(arrival.0 / wanted.tumbling.0 * wanted.tumbling.0);
                let window = Window { start, end: start + wanted.tumbling, state: "{}".into(), full: false };
                end = Some(window.end);
                self.window = Some(window);
            }
        }
        let most = self.lanes[number].at_most.unwrap_or(usize::MAX).min(wanted.batch_size as usize).max(1);
        let mut taken = self.count(stream, shard, number, most, end);
        if taken.0 == 0 {
            return Next::Nothing;
        }
        if !taken.1 && wanted.company > VirtualDuration::ZERO {
            let since = *self.lanes[number].waits_since.get_or_insert(now);
            if now < since + wanted.company {
                // Look for more before the wait is over.
                self.read_more(ctx, stream, shard, (most - taken.0) as u64);
                taken = self.count(stream, shard, number, most, end);
                if !taken.1 {
                    return Next::Wait((now + BUSY_POLL).min(since + wanted.company));
                }
            }
        }
        Next::Batch(self.lanes[number].queue.drain(..taken.0).collect(), None)
    }

    /// How many of a lane's records one batch takes, and whether it can take no more.
    fn count(&self, stream: &DataStream, shard: u32, number: usize, most: usize, end: Option<VirtualTime>) -> (usize, bool) {
        let Some(log) = stream.shards.get(&shard).map(|shard| &shard.log) else { return (0, true) };
        let (mut count, mut bytes) = (0, 0);
        for counter in &self.lanes[number].queue {
            let Some(slot) = log.slot(*counter) else { break };
            if count == most || (count > 0 && bytes + slot.bytes() > BATCH_BYTES) || end.is_some_and(|end| slot.arrival >= end) {
                return (count, true);
            }
            bytes += slot.bytes();
            count += 1;
        }
        (count, count == most)
    }
}

/// The lane of a partition key.
pub fn lane_of(key: &str, lanes: usize) -> usize {
    (HashKey::of_partition_key(key).0 % lanes.max(1) as u128) as usize
}
