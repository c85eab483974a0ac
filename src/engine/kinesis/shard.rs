//! One shard: its range of the hash space, its log, its limits, and what the screens want to know of it.

use std::collections::VecDeque;

use crate::engine::limits::Limits;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::view::Load;

use super::bucket::TokenBucket;
use super::hash::HashKey;
use super::hot_keys::HotKeys;
use super::sequence::{CLOSED_COUNTER, SequenceNumber};
use super::store::ShardLog;

/// Seconds of load kept per shard.
const LOAD_SECONDS: usize = 120;

/// A shard of a stream.
#[derive(Debug, Clone)]
pub struct Shard {
    /// Number within the stream; ids count up and are never used again.
    pub number: u32,
    /// Where it came from.
    pub parent: Option<u32>,
    /// The second parent of a merge.
    pub adjacent_parent: Option<u32>,
    /// First hash key, inclusive.
    pub start: HashKey,
    /// Last hash key, inclusive.
    pub end: HashKey,
    /// When it opened.
    pub created: VirtualTime,
    /// The creation second written into sequence numbers: after every record of the parents.
    pub created_secs: u64,
    /// When it was closed by a split or merge.
    pub closed: Option<VirtualTime>,
    /// Its records.
    pub log: ShardLog,
    /// Write budget, bytes.
    pub write_bytes: TokenBucket,
    /// Write budget, records.
    pub write_records: TokenBucket,
    /// Read budget, shared by all GetRecords callers.
    pub reads: ReadBudget,
    /// Budget of GetShardIterator calls.
    pub iterator_calls: TokenBucket,
    /// Load by the second.
    pub loads: LoadHistory,
    /// Frequent partition keys.
    pub hot_keys: HotKeys,
    /// A fault of the lab: every write is refused.
    pub stalled: bool,
}

impl Shard {
    /// A new open shard with full budgets.
    pub fn new(number: u32, start: HashKey, end: HashKey, now: VirtualTime, created_secs: u64, limits: &Limits) -> Self {
        Self {
            number,
            parent: None,
            adjacent_parent: None,
            start,
            end,
            created: now,
            created_secs,
            closed: None,
            log: ShardLog::default(),
            write_bytes: TokenBucket::full(limits.shard_write_bytes, now),
            write_records: TokenBucket::full(limits.shard_write_records, now),
            reads: ReadBudget::new(limits, now),
            iterator_calls: TokenBucket::full(limits.shard_read_calls, now),
            loads: LoadHistory::default(),
            hot_keys: HotKeys::default(),
            stalled: false,
        }
    }

    /// Takes writes.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Was open at an instant.
    pub fn was_open_at(&self, at: VirtualTime) -> bool {
        self.created <= at && self.closed.is_none_or(|closed| closed > at)
    }

    /// The sequence number of a record.
    pub fn sequence_number(&self, counter: u64, arrival: VirtualTime) -> SequenceNumber {
        SequenceNumber { shard_created_secs: self.created_secs, counter, record_secs: arrival.secs(), shard: self.number }
    }

    /// Below every record of the shard.
    pub fn starting_sequence_number(&self) -> SequenceNumber {
        SequenceNumber { shard_created_secs: self.created_secs, counter: 0, record_secs: self.created_secs, shard: self.number }
    }

    /// Above every record of a closed shard.
    pub fn ending_sequence_number(&self) -> Option<SequenceNumber> {
        self.closed.map(|closed| SequenceNumber {
            shard_created_secs: self.created_secs,
            counter: CLOSED_COUNTER,
            record_secs: closed.secs(),
            shard: self.number,
        })
    }

    /// Admits one record if both budgets allow it, and takes it from them.
    pub fn admit(&mut self, bytes: u64, now: VirtualTime) -> bool {
        self.write_bytes.refill(now);
        self.write_records.refill(now);
        if !self.stalled && self.write_bytes.admits(bytes) && self.write_records.admits(1) {
            self.write_bytes.take(bytes);
            self.write_records.take(1);
            true
        } else {
            false
        }
    }
}

/// The read limits of one shard: calls, bytes of the trailing second, and the pause after a large answer.
#[derive(Debug, Clone)]
pub struct ReadBudget {
    calls: TokenBucket,
    recent: VecDeque<(VirtualTime, u64)>,
    recent_bytes: u64,
    blocked_until: VirtualTime,
    bytes_per_second: u64,
}

impl ReadBudget {
    fn new(limits: &Limits, now: VirtualTime) -> Self {
        Self {
            calls: TokenBucket::full(limits.shard_read_calls, now),
            recent: VecDeque::new(),
            recent_bytes: 0,
            blocked_until: VirtualTime(0),
            bytes_per_second: limits.shard_read_bytes,
        }
    }

    /// Takes a call, or refuses it; a refused call costs nothing.
    pub fn admit(&mut self, now: VirtualTime) -> bool {
        self.calls.refill(now);
        while let Some((at, bytes)) = self.recent.front() {
            if now.since(*at) < VirtualDuration::SECOND {
                break;
            }
            self.recent_bytes -= bytes;
            self.recent.pop_front();
        }
        if now < self.blocked_until || self.recent_bytes >= self.bytes_per_second || !self.calls.admits(1) {
            return false;
        }
        self.calls.take(1);
        true
    }

    /// Accounts for the bytes of an answer.
    pub fn deliver(&mut self, now: VirtualTime, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.recent.push_back((now, bytes));
        self.recent_bytes += bytes;
        if bytes > self.bytes_per_second {
            let micros = u128::from(bytes) * 1_000_000 / u128::from(self.bytes_per_second.max(1));
            self.blocked_until = now + VirtualDuration(micros as u64);
        }
    }
}

/// Load of past seconds, newest last.
#[derive(Debug, Clone, Default)]
pub struct LoadHistory {
    seconds: VecDeque<(u64, Load)>,
}

impl LoadHistory {
    /// The second that `now` is in.
    pub fn current(&mut self, now: VirtualTime) -> &mut Load {
        let second = now.secs();
        if self.seconds.back().is_none_or(|(at, _)| *at != second) {
            if self.seconds.len() == LOAD_SECONDS {
                self.seconds.pop_front();
            }
            self.seconds.push_back((second, Load::default()));
        }
        &mut self.seconds.back_mut().expect("just pushed").1
    }

    /// The last whole second before `now`.
    pub fn last(&self, now: VirtualTime) -> Load {
        self.second(now.secs().saturating_sub(1))
    }

    /// One second; empty when nothing happened in it.
    pub fn second(&self, second: u64) -> Load {
        self.seconds.iter().rev().take_while(|(at, _)| *at >= second).find(|(at, _)| *at == second).map_or_else(Load::default, |(_, load)| *load)
    }

    /// The whole seconds before `now`, oldest first.
    pub fn history(&self, now: VirtualTime, seconds: usize) -> Vec<Load> {
        let to = now.secs();
        let from = to.saturating_sub(seconds as u64);
        let mut loads = vec![Load::default(); seconds];
        for (at, load) in self.seconds.iter().filter(|(at, _)| (from..to).contains(at)) {
            loads[(at - from) as usize] = *load;
        }
        loads
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::limits::Era;

    #[test]
    fn five_calls_a_second_and_the_pause_after_ten_mebibytes() {
        let limits = Limits::of(Era::Current);
        let start = VirtualTime::from_secs(100);
        let mut budget = ReadBudget::new(&limits, start);
        assert_eq!((0..8).filter(|_| budget.admit(start)).count(), 5);
        let mut budget = ReadBudget::new(&limits, start);
        assert!(budget.admit(start));
        budget.deliver(start, 10 << 20);
        for second in 1..5 {
            assert!(!budget.admit(VirtualTime::from_secs(100 + second)), "blocked in second {second}");
        }
        assert!(budget.admit(VirtualTime::from_secs(105)));
    }

    #[test]
    fn two_mebibytes_in_the_trailing_second_block_the_next_call() {
        let limits = Limits::of(Era::Current);
        let start = VirtualTime::from_secs(100);
        let mut budget = ReadBudget::new(&limits, start);
        assert!(budget.admit(start));
        budget.deliver(start, 2 << 20);
        assert!(!budget.admit(start + VirtualDuration::from_millis(999)));
        assert!(budget.admit(start + VirtualDuration::from_millis(1000)));
    }
}
