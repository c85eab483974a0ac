//! Joins: of two streams over their windows, and of a stream with a table.

use std::collections::VecDeque;
use std::sync::Arc;

use super::merge::{Frontier, Merge};
use super::{Context, Row};
use crate::sql::bound::{Bound, Env};
use crate::sql::plan::{Extent, JoinPlan};
use crate::sql::value::{Key, KeyMap, KeyRef, Value};

/// A row that waits in its side's window.
#[derive(Debug, Clone)]
struct Waiting {
    row: Row,
    matched: bool,
    /// The last instant at which it can meet others.
    until: i64,
    key: Option<Key>,
}

/// A side: rows in the order of arrival, found by key.
#[derive(Debug, Clone, Default)]
struct Side {
    rows: VecDeque<Waiting>,
    gone: u64,
    index: KeyMap<VecDeque<u64>>,
}

impl Side {
    fn push(&mut self, waiting: Waiting) {
        let id = self.gone + self.rows.len() as u64;
        if let Some(key) = &waiting.key {
            self.index.entry(key.clone()).or_default().push_back(id);
        }
        self.rows.push_back(waiting);
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.rows.pop_front()?;
        if let Some(key) = &waiting.key
            && let Some(ids) = self.index.get_mut(key)
        {
            ids.pop_front();
            if ids.is_empty() {
                self.index.swap_remove(key);
            }
        }
        self.gone += 1;
        Some(waiting)
    }
}

/// Both sides and the order in which their rows are taken.
#[derive(Debug, Clone)]
pub(super) struct JoinState {
    merge: Merge,
    sides: [Side; 2],
}

impl JoinState {
    pub(super) fn new() -> Self {
        Self { merge: Merge::new(2), sides: [Side::default(), Side::default()] }
    }

    pub(super) fn held(&self) -> usize {
        self.sides.iter().map(|side| side.rows.len()).sum::<usize>() + self.merge.held()
    }

    pub(super) fn row(&mut self, plan: &JoinPlan, port: usize, row: Row, context: &mut Context<'_>, out: &mut Vec<Row>) {
        self.merge.push(port, row);
        self.work(plan, context, out);
    }

    pub(super) fn frontier(&mut self, plan: &JoinPlan, port: usize, frontier: Frontier, context: &mut Context<'_>, out: &mut Vec<Row>) -> Frontier {
        self.merge.advance(port, frontier);
        self.work(plan, context, out);
        let frontier = self.merge.frontier();
        self.expire(plan, frontier, out);
        frontier
    }

    fn work(&mut self, plan: &JoinPlan, context: &mut Context<'_>, out: &mut Vec<Row>) {
        while let Some((port, row)) = self.merge.pop() {
            self.expire(plan, row.time.saturating_mul(2), out);
            self.take(plan, port, row, context, out);
        }
    }

    /// Rows whose time to meet others is over leave; unmatched ones of a kept side with NULLs, in the order of their ends.
    fn expire(&mut self, plan: &JoinPlan, frontier: Frontier, out: &mut Vec<Row>) {
        loop {
            let end = |side: usize| {
                self.sides[side]
                    .rows
                    .front()
                    .map(|waiting| waiting.until)
                    .filter(|until| *until < i64::MAX && frontier >= until.saturating_mul(2).saturating_add(1))
            };
            let side = match (end(0), end(1)) {
                (Some(a), Some(b)) => usize::from(b < a),
                (Some(_), None) => 0,
                (None, Some(_)) => 1,
                (None, None) => return,
            };
            if let Some(waiting) = self.sides[side].pop() {
                let at = waiting.until;
                Self::unmatched(plan, side, &waiting, at, out);
            }
        }
    }

    fn unmatched(plan: &JoinPlan, side: usize, waiting: &Waiting, at: i64, out: &mut Vec<Row>) {
        if !waiting.matched && [plan.keep_left, plan.keep_right][side] {
            let nulls = std::iter::repeat_n(Value::Null, plan.widths[1 - side]);
            let cells: Arc<[Value]> = if side == 0 {
                waiting.row.cells.iter().cloned().chain(nulls).collect()
            } else {
                nulls.chain(waiting.row.cells.iter().cloned()).collect()
            };
            out.push(Row { time: at, cells, live: at });
        }
    }

    fn take(&mut self, plan: &JoinPlan, port: usize, row: Row, context: &mut Context<'_>, out: &mut Vec<Row>) {
        let mut key = Vec::with_capacity(plan.equal.len());
        for (left, right) in &plan.equal {
            let expr = if port == 0 { left } else { right };
            match expr.eval(&Env { cells: &row.cells, out_time: row.time, clock: context.clock, params: &[] }) {
                Ok(value) => key.push(value),
                Err(error) => {
                    context.errors.push((error, row.time, row.cells.clone()));
                    return;
                }
            }
        }
        // NULL meets nothing.
        let meets_nothing = key.iter().any(Value::is_null);
        let key = (!plan.equal.is_empty()).then(|| Key(key.into()));
        let other = 1 - port;
        // A composite side's rows can die out of order; those that are over are passed by.
        let candidates: Vec<u64> = if meets_nothing {
            Vec::new()
        } else {
            match &key {
                Some(key) => self.sides[other].index.get(key).map(|ids| ids.iter().copied().collect()).unwrap_or_default(),
                None => (self.sides[other].gone..self.sides[other].gone + self.sides[other].rows.len() as u64).collect(),
            }
        };
        let own_until = match plan.windows[port] {
            Some(Extent::Range(range)) => row.time.saturating_add(range),
            Some(Extent::Rows(_) | Extent::Unbounded) => i64::MAX,
            None if plan.composite[port] => row.live,
            None => row.time,
        };
        let mut matched = false;
        for id in candidates {
            let gone = self.sides[other].gone;
            let waiting = &mut self.sides[other].rows[(id - gone) as usize];
            if waiting.until < row.time {
                continue;
            }
            let cells: Arc<[Value]> = if port == 0 {
                row.cells.iter().chain(waiting.row.cells.iter()).cloned().collect()
            } else {
                waiting.row.cells.iter().chain(row.cells.iter()).cloned().collect()
            };
            let time = row.time.max(waiting.row.time);
            if let Some(on) = &plan.on {
                match context.eval_at(on, &cells, time) {
                    Some(value) if value.is_true() => {}
                    _ => continue,
                }
            }
            waiting.matched = true;
            matched = true;
            out.push(Row { time, cells, live: own_until.min(waiting.until) });
        }
        let waiting = Waiting { until: own_until, matched, key, row };
        let windowed = plan.windows[port].is_some() || (plan.composite[port] && waiting.row.live > waiting.row.time);
        if !windowed {
            let at = waiting.row.time;
            Self::unmatched(plan, port, &waiting, at, out);
            return;
        }
        let at = waiting.row.time;
        self.sides[port].push(waiting);
        if let Some(Extent::Rows(rows)) = plan.windows[port] {
            while self.sides[port].rows.len() as u64 > rows + 1 {
                if let Some(pushed_out) = self.sides[port].pop() {
                    Self::unmatched(plan, port, &pushed_out, at, out);
                }
            }
        }
    }
}

/// The index of a table.
#[derive(Debug, Clone)]
pub(super) struct LookupState {
    index: Arc<KeyMap<Vec<usize>>>,
}

impl LookupState {
    pub(super) fn new(rows: &[Arc<[Value]>], equal: &[(Bound, usize)]) -> Self {
        let mut index: KeyMap<Vec<usize>> = KeyMap::default();
        if !equal.is_empty() {
            for (at, row) in rows.iter().enumerate() {
                index.entry(Key(equal.iter().map(|(_, cell)| row[*cell].clone()).collect())).or_default().push(at);
            }
        }
        Self { index: Arc::new(index) }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn row(
        &self,
        keep: bool,
        stream_left: bool,
        width: usize,
        rows: &[Arc<[Value]>],
        on: Option<&Bound>,
        equal: &[(Bound, usize)],
        row: &Row,
        context: &mut Context<'_>,
        out: &mut Vec<Row>,
    ) {
        let mut key = Vec::with_capacity(equal.len());
        for (expr, _) in equal {
            let Some(value) = context.eval(expr, row) else { return };
            key.push(value);
        }
        let null = key.iter().any(Value::is_null);
        let indexed = if equal.is_empty() { None } else { Some(self.index.get(&KeyRef(&key)).map_or(&[][..], Vec::as_slice)) };
        let all: Vec<usize>;
        let candidates = match indexed {
            Some(found) => found,
            None => {
                all = (0..rows.len()).collect();
                &all
            }
        };
        let joined = |table: &mut dyn Iterator<Item = Value>| -> Arc<[Value]> {
            if stream_left { row.cells.iter().cloned().chain(table).collect() } else { table.chain(row.cells.iter().cloned()).collect() }
        };
        let mut matched = false;
        for at in candidates.iter().filter(|_| !null) {
            let cells = joined(&mut rows[*at].iter().cloned());
            if let Some(on) = on {
                match context.eval_at(on, &cells, row.time) {
                    Some(value) if value.is_true() => {}
                    _ => continue,
                }
            }
            matched = true;
            out.push(Row { time: row.time, cells, live: row.live });
        }
        if !matched && keep {
            out.push(Row { time: row.time, cells: joined(&mut std::iter::repeat_n(Value::Null, width)), live: row.live });
        }
    }
}
