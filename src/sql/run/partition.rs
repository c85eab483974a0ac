//! A partition of a sliding window that keeps its own rows: windows counted in rows, windows without an end, and functions that look at rows.

use super::aggregate::{Accumulator, Rolling, WindowRows};
use crate::sql::plan::{Aggregate, Extent, SlidingWindow};
use crate::sql::value::{Outcome, Value};

/// Rows that LAG and NTH_VALUE can look back in a window without end.
const LOOK_BACK: usize = 100_000;

/// A partition of a window.
#[derive(Debug, Clone, Default)]
pub(super) struct Partition {
    pub(super) rows: WindowRows,
    /// Rows that have left since the start.
    gone: u64,
    rolling: Vec<Rolling>,
    /// Windows without end need no rows.
    total: Vec<Accumulator>,
}

impl Partition {
    /// A row comes in: the results of the window's calls.
    pub(super) fn enter(&mut self, window: &SlidingWindow, time: i64, args: &[Value], left: &mut Vec<Value>, results: &mut Vec<Outcome>) {
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
        for (index, (_, call)) in window.calls.iter().enumerate() {
            let from_rows = !unbounded || matches!(call.function, Aggregate::Lag | Aggregate::Nth);
            let result = if from_rows { self.rolling[index].result(call, &self.rows, at) } else { self.total[index].finish(call) };
            results.push(result);
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
