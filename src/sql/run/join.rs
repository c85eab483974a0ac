//! Joins of two streams over their windows.
//!
//! Invariants: rows of both sides are taken by time, those of the left side first; a row meets those of the other side's window in the order of
//! their arrival.

use std::collections::VecDeque;
use std::sync::Arc;

use super::context::{Context, Evaluation, Failure};
use super::flow::{Batch, Cause, Flowing};
use super::keys::{KeyTable, hashes};
use super::merge::Frontier;
use crate::sql::bound::Env;
use crate::sql::column::{Column, ColumnBuilder};
use crate::sql::plan::{Extent, JoinPlan};
use crate::sql::value::{RowError, Value};

/// Rows that have left, or keys that nobody has any more, before they are cleared away.
const SLACK: usize = 4096;

/// A batch with its keys, whose rows from `next` on wait for the other side to come as far.
#[derive(Debug, Clone)]
struct Coming {
    batch: Batch,
    key: Vec<Column>,
    hashes: Vec<u64>,
    failed: VecDeque<(u32, RowError)>,
    next: usize,
}

/// A row in its side's window.
#[derive(Debug, Clone)]
struct Waiting {
    /// The batch, counted since the start, and the row in it.
    batch: u64,
    row: u32,
    time: i64,
    /// The last instant at which it can meet others.
    until: i64,
    matched: bool,
    /// Its key, and the next row with the same one.
    key: Option<u32>,
    next: Option<u64>,
}

/// The rows of a key, in the order of their arrival.
#[derive(Debug, Clone, Copy, Default)]
struct Chain {
    first: Option<u64>,
    last: u64,
}

/// A side: batches that are coming, and rows in the order of arrival, found by key.
#[derive(Debug, Clone, Default)]
struct Side {
    coming: VecDeque<Coming>,
    frontier: Option<Frontier>,
    rows: VecDeque<Waiting>,
    gone: u64,
    /// Batches that rows wait in or come from, and how many have gone.
    batches: VecDeque<Batch>,
    batches_gone: u64,
    keys: KeyTable,
    chains: Vec<Chain>,
}

impl Side {
    /// ROWTIME of the next row to be taken.
    fn front(&self) -> Option<i64> {
        self.coming.front().map(|coming| coming.batch.times()[coming.next])
    }

    fn at(&self, id: u64) -> &Waiting {
        &self.rows[(id - self.gone) as usize]
    }

    fn push(&mut self, waiting: Waiting) {
        let id = self.gone + self.rows.len() as u64;
        if let Some(key) = waiting.key {
            let chain = &mut self.chains[key as usize];
            match chain.first {
                None => chain.first = Some(id),
                Some(_) => {
                    let last = chain.last;
                    self.rows[(last - self.gone) as usize].next = Some(id);
                }
            }
            chain.last = id;
        }
        self.rows.push_back(waiting);
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.rows.pop_front()?;
        if let Some(key) = waiting.key {
            // The oldest row is the first of its key.
            self.chains[key as usize].first = waiting.next;
        }
        self.gone += 1;
        Some(waiting)
    }

    /// Batches and keys that no row needs any more are cleared away.
    fn clear_away(&mut self) {
        let needed = self.rows.front().map_or(u64::MAX, |waiting| waiting.batch);
        while self.batches.len() > self.coming.len() && self.batches_gone < needed {
            self.batches.pop_front();
            self.batches_gone += 1;
        }
        if self.chains.len() < SLACK || self.chains.len() < self.rows.len() * 2 {
            return;
        }
        let wanted: Vec<bool> = self.chains.iter().map(|chain| chain.first.is_some()).collect();
        let mut next = 0..;
        let renumbered: Vec<u32> = wanted.iter().map(|wanted| if *wanted { next.next().unwrap_or(0) } else { 0 }).collect();
        self.rows.iter_mut().filter_map(|waiting| waiting.key.as_mut()).for_each(|key| *key = renumbered[*key as usize]);
        self.chains.retain(|chain| chain.first.is_some());
        self.keys.retain(&wanted);
    }
}

/// A row of the output: the batches and rows of its sides.
#[derive(Debug, Clone, Copy)]
struct Met {
    sides: [Option<(u64, u32)>; 2],
    time: i64,
    live: i64,
    cause: Cause,
}

/// Both sides and the order in which their rows are taken.
#[derive(Debug, Clone)]
pub(super) struct JoinState {
    sides: [Side; 2],
    last: Cause,
    /// Cells that the condition reads, and room for a row of them.
    read: Vec<usize>,
    cells: Vec<Value>,
    /// The columns of a key, which are all compared.
    compared: Vec<usize>,
    met: Vec<Met>,
}

impl JoinState {
    pub(super) fn new(plan: &JoinPlan) -> Self {
        let mut read = Vec::new();
        plan.on.iter().for_each(|on| on.cells(&mut read));
        read.sort_unstable();
        read.dedup();
        Self {
            sides: Default::default(),
            last: 0,
            read,
            cells: vec![Value::Null; plan.widths[0] + plan.widths[1]],
            compared: (0..plan.equal.len()).collect(),
            met: Vec::new(),
        }
    }

    pub(super) fn held(&self) -> usize {
        let held = |side: &Side| side.rows.len() + side.coming.iter().map(|coming| coming.batch.len() - coming.next).sum::<usize>();
        self.sides.iter().map(held).sum()
    }

    pub(super) fn take(&mut self, plan: &JoinPlan, port: usize, batch: Batch, context: &mut Context<'_>, out: &mut Vec<Flowing>) {
        let Some(last) = batch.times().last().copied() else { return };
        let mut evaluation = Evaluation::default();
        let equal = plan.equal.iter().map(|(left, right)| if port == 0 { left } else { right });
        let key: Vec<Column> = equal.map(|expr| evaluation.column(expr, &batch, context)).collect();
        let mut hash = Vec::new();
        hashes(key.iter(), batch.len(), &mut hash);
        let side = &mut self.sides[port];
        side.frontier = side.frontier.max(Some(last.saturating_mul(2)));
        side.batches.push_back(batch.clone());
        side.coming.push_back(Coming { batch, key, hashes: hash, failed: evaluation.failed.into(), next: 0 });
        self.work(plan, context);
        self.tell(plan, out);
    }

    pub(super) fn settle(&mut self, plan: &JoinPlan, port: usize, frontier: Frontier, context: &mut Context<'_>, out: &mut Vec<Flowing>) -> Frontier {
        self.sides[port].frontier = self.sides[port].frontier.max(Some(frontier));
        self.work(plan, context);
        let waiting = self.sides.iter().filter_map(Side::front).map(|time| time.saturating_mul(2)).min().unwrap_or(i64::MAX);
        let frontier = self.sides.iter().map(|side| side.frontier.unwrap_or(i64::MIN)).min().unwrap_or(i64::MIN).min(waiting);
        self.expire(plan, frontier, context);
        self.tell(plan, out);
        frontier
    }

    /// Takes the rows that nothing can come before.
    fn work(&mut self, plan: &JoinPlan, context: &mut Context<'_>) {
        loop {
            let (port, time) = match (self.sides[0].front(), self.sides[1].front()) {
                (Some(a), Some(b)) if b < a => (1, b),
                (Some(a), _) => (0, a),
                (None, Some(b)) => (1, b),
                (None, None) => return,
            };
            let other = &self.sides[1 - port];
            // Of two rows at the same time the left one goes first.
            let free = time.saturating_mul(2).saturating_add(port as i64);
            if other.coming.is_empty() && other.frontier.is_none_or(|frontier| frontier < free) {
                return;
            }
            let side = &mut self.sides[port];
            let Some(coming) = side.coming.front_mut() else { return };
            let row = coming.next;
            self.last = self.last.max(context.moments.free(coming.batch.causes()[row], free));
            let cause = self.last;
            let fails = coming.failed.front().is_some_and(|(failed, _)| *failed as usize == row);
            let failed = if fails { coming.failed.pop_front() } else { None };
            let batch = side.batches_gone + (side.batches.len() - side.coming.len()) as u64;
            self.expire(plan, time.saturating_mul(2), context);
            match failed {
                None => self.meet(plan, port, batch, row, cause, context),
                Some((_, error)) => {
                    if let Some(coming) = self.sides[port].coming.front() {
                        context.errors.push(Failure { error, time, cells: coming.batch.cells(row), cause });
                    }
                }
            }
            let side = &mut self.sides[port];
            if let Some(coming) = side.coming.front_mut() {
                coming.next += 1;
                if coming.next == coming.batch.len() {
                    side.coming.pop_front();
                }
            }
        }
    }

    /// Rows whose time to meet others is over leave; unmatched ones of a kept side with NULLs, in the order of their ends.
    fn expire(&mut self, plan: &JoinPlan, frontier: Frontier, context: &Context<'_>) {
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
                self.unmatched(plan, side, &waiting, at, || context.moments.when(at.saturating_mul(2).saturating_add(1)));
            }
        }
    }

    fn unmatched(&mut self, plan: &JoinPlan, side: usize, waiting: &Waiting, at: i64, cause: impl Fn() -> Cause) {
        if !waiting.matched && [plan.keep_left, plan.keep_right][side] {
            let mut sides = [None; 2];
            sides[side] = Some((waiting.batch, waiting.row));
            self.met.push(Met { sides, time: at, live: at, cause: cause() });
        }
    }

    /// The next row of a side meets those of the other, then waits in its own window.
    fn meet(&mut self, plan: &JoinPlan, port: usize, batch: u64, row: usize, cause: Cause, context: &mut Context<'_>) {
        let other = 1 - port;
        let Some(coming) = self.sides[port].coming.front() else { return };
        let (time, live) = (coming.batch.times()[row], coming.batch.live(row));
        let until = match plan.windows[port] {
            Some(Extent::Range(range)) => time.saturating_add(range),
            Some(Extent::Rows(_) | Extent::Unbounded) => i64::MAX,
            None if plan.composite[port] => live,
            None => time,
        };
        let windowed = plan.windows[port].is_some() || (plan.composite[port] && live > time);
        let keyed = !plan.equal.is_empty();
        // NULL meets nothing.
        let meets_nothing = keyed && coming.key.iter().any(|column| column.is_null(row));
        let hash = coming.hashes[row];
        let mut candidate = if meets_nothing {
            None
        } else if keyed {
            let found = self.sides[other].keys.find(&coming.key, row, hash);
            found.and_then(|key| self.sides[other].chains[key as usize].first)
        } else {
            (!self.sides[other].rows.is_empty()).then_some(self.sides[other].gone)
        };
        let mut matched = false;
        while let Some(id) = candidate {
            let waiting = self.sides[other].at(id);
            let end = self.sides[other].gone + self.sides[other].rows.len() as u64;
            candidate = if keyed { waiting.next } else { Some(id + 1).filter(|next| *next < end) };
            // A composite side's rows can die out of order; those that are over are passed by.
            if waiting.until < time {
                continue;
            }
            let mut sides = [None; 2];
            sides[port] = Some((batch, row as u32));
            sides[other] = Some((waiting.batch, waiting.row));
            let met = Met { sides, time: time.max(waiting.time), live: until.min(waiting.until), cause };
            if !self.holds(plan, met, context) {
                continue;
            }
            let id = (id - self.sides[other].gone) as usize;
            self.sides[other].rows[id].matched = true;
            matched = true;
            self.met.push(met);
        }
        let mut waiting = Waiting { batch, row: row as u32, time, until, matched, key: None, next: None };
        if !windowed {
            self.unmatched(plan, port, &waiting, time, || cause);
            return;
        }
        let side = &mut self.sides[port];
        if keyed && !meets_nothing {
            let Side { coming, keys, chains, .. } = side;
            if let Some(coming) = coming.front() {
                let key = keys.number(&coming.key, &self.compared, row, hash);
                chains.resize(keys.len(), Chain::default());
                waiting.key = Some(key);
            }
        }
        side.push(waiting);
        if let Some(Extent::Rows(rows)) = plan.windows[port] {
            while self.sides[port].rows.len() as u64 > rows + 1 {
                if let Some(pushed_out) = self.sides[port].pop() {
                    self.unmatched(plan, port, &pushed_out, time, || cause);
                }
            }
        }
    }

    /// The condition holds between two rows.
    fn holds(&mut self, plan: &JoinPlan, met: Met, context: &mut Context<'_>) -> bool {
        let Some(on) = &plan.on else { return true };
        for cell in &self.read {
            self.cells[*cell] = self.value(plan, &met, *cell);
        }
        match on.eval(&Env { cells: &self.cells, out_time: met.time, clock: context.moments.clock(met.cause), params: &[] }) {
            Ok(value) => value.is_true(),
            Err(error) => {
                let cells: Arc<[Value]> = (0..self.cells.len()).map(|cell| self.value(plan, &met, cell)).collect();
                context.errors.push(Failure { error, time: met.time, cells, cause: met.cause });
                false
            }
        }
    }

    fn value(&self, plan: &JoinPlan, met: &Met, cell: usize) -> Value {
        let (side, cell) = if cell < plan.widths[0] { (0, cell) } else { (1, cell - plan.widths[0]) };
        met.sides[side].map_or(Value::Null, |(batch, row)| self.batch(side, batch).value(row as usize, cell))
    }

    fn batch(&self, side: usize, batch: u64) -> &Batch {
        &self.sides[side].batches[(batch - self.sides[side].batches_gone) as usize]
    }

    /// What has met goes out.
    fn tell(&mut self, plan: &JoinPlan, out: &mut Vec<Flowing>) {
        if !self.met.is_empty() {
            let mut columns = Vec::with_capacity(plan.widths[0] + plan.widths[1]);
            for side in 0..2 {
                columns.extend((0..plan.widths[side]).map(|cell| self.column(side, cell)));
            }
            let times = Arc::new(self.met.iter().map(|met| met.time).collect());
            let live = Arc::new(self.met.iter().map(|met| met.live).collect());
            let causes = Arc::new(self.met.iter().map(|met| met.cause).collect());
            out.push(Flowing::Batch(Batch::whole(times, columns, causes).with_live(Some(live))));
            self.met.clear();
        }
        self.sides.iter_mut().for_each(Side::clear_away);
    }

    /// A cell of a side over all rows that have met.
    fn column(&self, side: usize, cell: usize) -> Column {
        // The service's columns mostly lack values in whole batches.
        if self.sides[side].batches.iter().all(|batch| batch.only_null(cell)) {
            return Column::Repeat(Value::Null);
        }
        let mut builder = ColumnBuilder::default();
        let mut near: Option<(u64, &Batch)> = None;
        for met in &self.met {
            let Some((number, row)) = met.sides[side] else {
                builder.push_null();
                continue;
            };
            // Rows of one batch mostly come together.
            let batch = match near {
                Some((known, batch)) if known == number => batch,
                _ => self.batch(side, number),
            };
            near = Some((number, batch));
            batch.push_to(&mut builder, row as usize, cell);
        }
        builder.finish()
    }
}
