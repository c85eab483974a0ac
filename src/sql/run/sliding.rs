//! Sliding windows: one row out per row in, at once.

use std::sync::Arc;

use super::aggregate::{Accumulator, Rolling, WindowRows};
use super::merge::Frontier;
use super::{Context, Row};
use crate::sql::plan::{Aggregate, Extent, SlidingWindow};
use crate::sql::value::{Key, KeyMap, KeyRef, Outcome, Value};

/// Rows that LAG and NTH_VALUE can look back in a window without end.
const LOOK_BACK: usize = 100_000;
/// Partitions between two sweeps of those that have become empty.
const SWEEP: usize = 4096;

/// A partition of a window.
#[derive(Debug, Clone, Default)]
struct Partition {
    rows: WindowRows,
    /// Rows that have left since the start.
    gone: u64,
    rolling: Vec<Rolling>,
    /// Windows without end need no rows.
    total: Vec<Accumulator>,
}

/// All windows of an operator.
#[derive(Debug, Clone)]
pub(super) struct SlidingState {
    windows: Vec<KeyMap<Partition>>,
    sweep_at: usize,
    /// Rows in all windows.
    held: usize,
    scratch: Scratch,
}

/// What is used anew with every row: keys and arguments of all windows, results, a row that leaves.
#[derive(Debug, Clone, Default)]
struct Scratch {
    keys: Vec<Value>,
    args: Vec<Value>,
    results: Vec<(usize, Outcome)>,
    left: Vec<Value>,
}

impl SlidingState {
    pub(super) fn new(windows: &[SlidingWindow]) -> Self {
        Self { windows: vec![KeyMap::default(); windows.len()], sweep_at: SWEEP, held: 0, scratch: Scratch::default() }
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn row(&mut self, windows: &[SlidingWindow], width: usize, row: &Row, context: &mut Context<'_>, out: &mut Vec<Row>) {
        // Everything is evaluated before anything changes: a row that fails leaves no trace.
        let Self { windows: partitions, held, scratch, .. } = self;
        scratch.keys.clear();
        scratch.args.clear();
        scratch.results.clear();
        for window in windows {
            for expr in &window.partition {
                let Some(value) = context.eval(expr, row) else { return };
                scratch.keys.push(value);
            }
            for arg in window.calls.iter().flat_map(|(_, call)| &call.args) {
                let Some(value) = context.eval(arg, row) else { return };
                scratch.args.push(value);
            }
        }
        let (mut keys, mut args) = (scratch.keys.as_slice(), scratch.args.as_slice());
        for (window, partitions) in windows.iter().zip(partitions) {
            let (key, arity) = (KeyRef(&keys[..window.partition.len()]), window.calls.iter().map(|(_, call)| call.args.len()).sum());
            let at = partitions.get_index_of(&key).unwrap_or_else(|| partitions.insert_full(Key(key.0.into()), Partition::default()).0);
            let partition = &mut partitions[at];
            let before = partition.rows.len();
            partition.enter(window, row.time, &args[..arity], &mut scratch.left, &mut scratch.results);
            *held = *held + partition.rows.len() - before;
            keys = &keys[window.partition.len()..];
            args = &args[arity..];
        }
        // New cells stand behind the row's own.
        let added = std::iter::repeat_n(Value::Null, width.saturating_sub(row.cells.len()));
        let mut cells: Arc<[Value]> = row.cells.iter().cloned().chain(added).collect();
        let Some(own) = Arc::get_mut(&mut cells) else { return };
        let mut failed = false;
        for (cell, result) in scratch.results.drain(..) {
            match context.outcome(result, &row.cells, row.time) {
                Some(value) => own[cell] = value,
                None => failed = true,
            }
        }
        if !failed {
            out.push(Row { time: row.time, cells, live: row.live });
        }
    }

    /// Forgets partitions whose rows have all left.
    pub(super) fn settle(&mut self, windows: &[SlidingWindow], frontier: Frontier) {
        let count: usize = self.windows.iter().map(KeyMap::len).sum();
        if count < self.sweep_at {
            return;
        }
        let now = frontier.div_euclid(2);
        let held = &mut self.held;
        for (window, partitions) in windows.iter().zip(&mut self.windows) {
            if let Extent::Range(range) = window.extent {
                partitions.retain(|_, partition| {
                    let lives = partition.rows.newest().is_some_and(|time| time.saturating_add(range) >= now);
                    if !lives {
                        *held -= partition.rows.len();
                    }
                    lives
                });
            }
        }
        self.sweep_at = (self.windows.iter().map(KeyMap::len).sum::<usize>() * 2).max(SWEEP);
    }
}

impl Partition {
    /// A row comes in: the results of the window's calls, each with its cell.
    fn enter(&mut self, window: &SlidingWindow, time: i64, args: &[Value], left: &mut Vec<Value>, results: &mut Vec<(usize, Outcome)>) {
        let count = window.calls.len();
        self.rolling.resize_with(count, Rolling::default);
        let unbounded = window.extent == Extent::Unbounded;
        if unbounded {
            self.total.resize_with(count, Accumulator::default);
        }
        // Rows that are too old leave first.
        match window.extent {
            Extent::Range(range) => {
                while self.rows.oldest().is_some_and(|old| old.saturating_add(range) < time) {
                    self.leave(window, left);
                }
            }
            Extent::Rows(rows) => {
                while self.rows.len() as u64 > rows {
                    self.leave(window, left);
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
            self.rows.push(time, args);
            if unbounded && self.rows.len() > LOOK_BACK {
                self.rows.pop(left);
            }
        }
        let mut at = 0;
        for (index, (cell, call)) in window.calls.iter().enumerate() {
            let from_rows = !unbounded || matches!(call.function, Aggregate::Lag | Aggregate::Nth);
            let result = if from_rows { self.rolling[index].result(call, &self.rows, at) } else { self.total[index].finish(call) };
            results.push((*cell, result));
            at += call.args.len();
        }
    }

    fn leave(&mut self, window: &SlidingWindow, left: &mut Vec<Value>) {
        if !self.rows.pop(left) {
            return;
        }
        let mut at = 0;
        for ((_, call), rolling) in window.calls.iter().zip(&mut self.rolling) {
            rolling.leave(call, &left[at..at + call.args.len()], self.gone);
            at += call.args.len();
        }
        self.gone += 1;
    }
}
