//! A sliding window over time for all partitions at once: one log of rows in the order of their arrival, and one place up to which they have
//! left. What has left a partition's window has left it before the next row of the partition comes, so the results are those of a log for each.

use super::calls::{Added, Call, Passage};
use super::keys::{KeyTable, hashes};
use crate::sql::column::Column;
use crate::sql::plan::{Extent, SlidingWindow};

/// Rows that have left, or keys that nobody has any more, before they are cleared away.
const SLACK: usize = 4096;

/// The window.
#[derive(Debug, Clone)]
pub(super) struct LogWindow {
    range: i64,
    keys: KeyTable,
    /// Rows of each key in the window.
    rows_of: Vec<u32>,
    times: Vec<i64>,
    numbers: Vec<u32>,
    /// Rows of the log that have left.
    head: usize,
    /// Rows that were cleared away before.
    gone: u64,
    calls: Vec<Call>,
    hashes: Vec<u64>,
    until: Vec<usize>,
}

impl LogWindow {
    /// The window, when it reaches back over time and none of its calls looks at single rows.
    pub(super) fn of(window: &SlidingWindow) -> Option<Self> {
        let Extent::Range(range) = window.extent else { return None };
        Some(Self {
            range,
            keys: KeyTable::default(),
            rows_of: Vec::new(),
            times: Vec::new(),
            numbers: Vec::new(),
            head: 0,
            gone: 0,
            calls: window.calls.iter().map(|(_, call)| Call::new(call)).collect::<Option<_>>()?,
            hashes: Vec::new(),
            until: Vec::new(),
        })
    }

    /// Rows in the window.
    pub(super) fn held(&self) -> usize {
        self.times.len() - self.head
    }

    /// Rows come in: the results of the calls.
    pub(super) fn take(&mut self, window: &SlidingWindow, key: &[Column], args: &[Vec<Column>], times: &[i64]) -> Vec<Added> {
        let new = self.times.len();
        let mut hash = std::mem::take(&mut self.hashes);
        hashes(key.iter(), times.len(), &mut hash);
        let compared: Vec<usize> = (0..key.len()).collect();
        for (row, hash) in hash.iter().enumerate() {
            let number = self.keys.number(key, &compared, row, *hash);
            self.numbers.push(number);
        }
        self.hashes = hash;
        self.times.extend_from_slice(times);
        self.until.clear();
        let mut end = self.head;
        for (row, time) in times.iter().enumerate() {
            while end < new + row && self.times[end].saturating_add(self.range) < *time {
                end += 1;
            }
            self.until.push(end);
        }
        for (call, args) in self.calls.iter_mut().zip(args) {
            call.keep(args, new, times.len());
        }
        self.pass(window, new, end)
    }

    /// Rows that no later one can see leave.
    pub(super) fn settle(&mut self, window: &SlidingWindow, now: i64) {
        let left = self.times[self.head..].partition_point(|time| time.saturating_add(self.range) < now);
        if left > 0 {
            self.until.clear();
            self.pass(window, self.times.len(), self.head + left);
        }
    }

    fn pass(&mut self, window: &SlidingWindow, new: usize, end: usize) -> Vec<Added> {
        let passage = Passage { numbers: &self.numbers, keys: self.keys.len(), head: self.head, new, until: &self.until, end, gone: self.gone };
        let added = self.calls.iter_mut().zip(&window.calls).map(|(state, (_, call))| state.pass(call, &passage)).collect();
        self.rows_of.resize(self.keys.len(), 0);
        for number in &self.numbers[new..] {
            self.rows_of[*number as usize] += 1;
        }
        for number in &self.numbers[self.head..end] {
            let rows = &mut self.rows_of[*number as usize];
            *rows -= 1;
        }
        self.head = end;
        self.clear_away();
        added
    }

    fn clear_away(&mut self) {
        if self.head < SLACK || self.head * 2 < self.times.len() {
            return;
        }
        let rows = self.head;
        self.times.drain(..rows);
        self.numbers.drain(..rows);
        self.calls.iter_mut().for_each(|call| call.forget(rows));
        self.gone += rows as u64;
        self.head = 0;
        let wanted: Vec<bool> = self.rows_of.iter().map(|rows| *rows > 0).collect();
        let unused = wanted.iter().filter(|wanted| !**wanted).count();
        if unused < SLACK || unused * 2 < wanted.len() {
            return;
        }
        let mut next = 0..;
        let renumbered: Vec<u32> = wanted.iter().map(|wanted| if *wanted { next.next().unwrap_or(0) } else { 0 }).collect();
        self.numbers.iter_mut().for_each(|number| *number = renumbered[*number as usize]);
        self.keys.retain(&wanted);
        self.calls.iter_mut().for_each(|call| call.retain(&wanted));
        self.rows_of.retain(|rows| *rows > 0);
    }
}
