//! Sliding windows: one row out per row in, at once.

use std::collections::VecDeque;

use indexmap::IndexMap;

use super::aggregate::{Accumulator, Entry, Rolling};
use super::merge::Frontier;
use super::{Context, Row};
use crate::sql::plan::{Aggregate, Extent, SlidingWindow};
use crate::sql::value::{Key, Value};

/// Rows that LAG and NTH_VALUE can look back in a window without end.
const LOOK_BACK: usize = 100_000;
/// Partitions between two sweeps of those that have become empty.
const SWEEP: usize = 4096;

/// A partition of a window.
#[derive(Debug, Clone, Default)]
struct Partition {
    rows: VecDeque<Entry>,
    /// Rows that have left since the start.
    gone: u64,
    rolling: Vec<Rolling>,
    /// Windows without end need no rows.
    total: Vec<Accumulator>,
}

/// All windows of an operator.
#[derive(Debug, Clone)]
pub(super) struct SlidingState {
    windows: Vec<IndexMap<Key, Partition>>,
    sweep_at: usize,
}

impl SlidingState {
    pub(super) fn new(windows: &[SlidingWindow]) -> Self {
        Self { windows: vec![IndexMap::new(); windows.len()], sweep_at: SWEEP }
    }

    pub(super) fn held(&self) -> usize {
        self.windows.iter().map(|partitions| partitions.values().map(|partition| partition.rows.len()).sum::<usize>()).sum()
    }

    pub(super) fn row(&mut self, windows: &[SlidingWindow], width: usize, row: &Row, context: &mut Context<'_>, out: &mut Vec<Row>) {
        // Everything is evaluated before anything changes: a row that fails leaves no trace.
        let mut prepared = Vec::with_capacity(windows.len());
        for window in windows {
            let mut key = Vec::with_capacity(window.partition.len());
            for expr in &window.partition {
                let Some(value) = context.eval(expr, row) else { return };
                key.push(value);
            }
            let mut args = Vec::new();
            for (_, call) in &window.calls {
                for arg in &call.args {
                    let Some(value) = context.eval(arg, row) else { return };
                    args.push(value);
                }
            }
            prepared.push((Key(key.into()), args.into_boxed_slice()));
        }
        let mut cells: Vec<Value> = row.cells.to_vec();
        cells.resize(width, Value::Null);
        let mut failed = false;
        for ((window, partitions), (key, args)) in windows.iter().zip(&mut self.windows).zip(prepared) {
            let partition = partitions.entry(key).or_default();
            let results = partition.enter(window, row.time, args);
            for ((cell, _), result) in window.calls.iter().zip(results) {
                match context.outcome(result, &row.cells, row.time) {
                    Some(value) => cells[*cell] = value,
                    None => failed = true,
                }
            }
        }
        if !failed {
            out.push(Row { time: row.time, cells: cells.into(), live: row.live });
        }
    }

    /// Forgets partitions whose rows have all left.
    pub(super) fn settle(&mut self, windows: &[SlidingWindow], frontier: Frontier) {
        let count: usize = self.windows.iter().map(IndexMap::len).sum();
        if count < self.sweep_at {
            return;
        }
        let now = frontier.div_euclid(2);
        for (window, partitions) in windows.iter().zip(&mut self.windows) {
            if let Extent::Range(range) = window.extent {
                partitions.retain(|_, partition| partition.rows.back().is_some_and(|(time, _)| time.saturating_add(range) >= now));
            }
        }
        self.sweep_at = (self.windows.iter().map(IndexMap::len).sum::<usize>() * 2).max(SWEEP);
    }
}

impl Partition {
    fn enter(&mut self, window: &SlidingWindow, time: i64, args: Box<[Value]>) -> Vec<crate::sql::value::Outcome> {
        let count = window.calls.len();
        self.rolling.resize_with(count, Rolling::default);
        let unbounded = window.extent == Extent::Unbounded;
        if unbounded {
            self.total.resize_with(count, Accumulator::default);
        }
        // Rows that are too old leave first.
        match window.extent {
            Extent::Range(range) => {
                while self.rows.front().is_some_and(|(old, _)| old.saturating_add(range) < time) {
                    self.leave(window);
                }
            }
            Extent::Rows(rows) => {
                while self.rows.len() as u64 > rows {
                    self.leave(window);
                }
            }
            Extent::Unbounded => {}
        }
        let ordinal = self.gone + self.rows.len() as u64;
        let mut at = 0;
        for (index, (_, call)) in window.calls.iter().enumerate() {
            let own = &args[at..at + call.args.len()];
            if unbounded {
                self.total[index].add(call, own, time);
            } else {
                self.rolling[index].enter(call, own, ordinal);
            }
            at += call.args.len();
        }
        let looks_back = window.calls.iter().any(|(_, call)| matches!(call.function, Aggregate::Lag | Aggregate::Nth));
        if !unbounded || looks_back {
            self.rows.push_back((time, args));
            if unbounded && self.rows.len() > LOOK_BACK {
                self.rows.pop_front();
            }
        }
        let mut at = 0;
        let mut results = Vec::with_capacity(count);
        for (index, (_, call)) in window.calls.iter().enumerate() {
            let from_rows = !unbounded || matches!(call.function, Aggregate::Lag | Aggregate::Nth);
            results.push(if from_rows { self.rolling[index].result(call, &self.rows, at) } else { self.total[index].finish(call) });
            at += call.args.len();
        }
        results
    }

    fn leave(&mut self, window: &SlidingWindow) {
        let Some((_, args)) = self.rows.pop_front() else { return };
        let mut at = 0;
        for ((_, call), rolling) in window.calls.iter().zip(&mut self.rolling) {
            rolling.leave(call, &args[at..at + call.args.len()], self.gone);
            at += call.args.len();
        }
        self.gone += 1;
    }
}
