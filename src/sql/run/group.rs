//! GROUP BY on a stream, in batches, and stagger windows.

use std::collections::VecDeque;
use std::sync::Arc;

use super::aggregate::Accumulator;
use super::flow::{Batch, Cause, Flowing};
use super::fold::Fold;
use super::keys::{KeyTable, hashes};
use super::merge::Frontier;
use super::{Context, Evaluation, Failure, Row};
use crate::sql::bound::{Env, Typed};
use crate::sql::column::{Column, ColumnBuilder};
use crate::sql::functions::Clock;
use crate::sql::plan::{AggregateCall, MonotonicTerm};
use crate::sql::scope::next_change;
use crate::sql::value::{Key, KeyMap, KeyRef, RowError, Value};

/// Groups of the open value of the monotonic terms.
#[derive(Debug, Clone)]
pub(super) struct GroupState {
    keys: KeyTable,
    folds: Vec<Fold>,
    /// Values of the monotonic terms that are open.
    open: Option<Vec<Value>>,
    /// ROWTIME of the groups' rows, when it is known beforehand, and the frontier at which they are complete.
    closes: Option<(i64, Frontier)>,
    /// The keys that make groups differ.
    compared: Vec<usize>,
    /// What is used anew with every batch.
    key: Vec<Column>,
    args: Vec<Vec<Column>>,
    hashes: Vec<u64>,
    numbers: Vec<u32>,
}

/// What is used anew with every row.
#[derive(Debug, Clone, Default)]
struct Scratch {
    key: Vec<Value>,
    args: Vec<Value>,
}

impl Scratch {
    /// Evaluates the key; `false` when that fails, which is then an error row.
    fn key(&mut self, keys: &[Typed], row: &Row, context: &mut Context<'_>) -> bool {
        self.key.clear();
        keys.iter().all(|key| context.eval(&key.expr, row).map(|value| self.key.push(value)).is_some())
    }

    /// Evaluates the arguments of all calls.
    fn arguments(&mut self, calls: &[AggregateCall], row: &Row, context: &mut Context<'_>) -> bool {
        self.args.clear();
        calls.iter().flat_map(|call| &call.args).all(|arg| context.eval(arg, row).map(|value| self.args.push(value)).is_some())
    }

    fn add_to(&self, accumulators: &mut [Accumulator], calls: &[AggregateCall], time: i64) {
        let mut args = self.args.as_slice();
        for (accumulator, call) in accumulators.iter_mut().zip(calls) {
            let (own, rest) = args.split_at(call.args.len());
            accumulator.add(call, own, time);
            args = rest;
        }
    }
}

/// The parts of a GROUP BY.
#[derive(Clone, Copy)]
pub(super) struct GroupPlan<'p> {
    pub(super) keys: &'p [Typed],
    pub(super) terms: &'p [MonotonicTerm],
    pub(super) calls: &'p [AggregateCall],
}

impl GroupState {
    pub(super) fn new(plan: GroupPlan<'_>) -> Self {
        let GroupPlan { keys, terms, calls } = plan;
        Self {
            keys: KeyTable::default(),
            // Groups that are open at once are alike in their terms.
            compared: (0..keys.len()).filter(|at| terms.iter().all(|term| term.key != *at)).collect(),
            key: Vec::new(),
            args: calls.iter().map(|_| Vec::new()).collect(),
            folds: calls.iter().map(Fold::new).collect(),
            open: None,
            closes: None,
            hashes: Vec::new(),
            numbers: Vec::new(),
        }
    }

    pub(super) fn held(&self) -> usize {
        self.keys.len()
    }

    /// Takes rows; what they close goes out before them.
    pub(super) fn take(&mut self, plan: GroupPlan<'_>, batch: &Batch, context: &mut Context<'_>, out: &mut Vec<Flowing>) {
        let GroupPlan { keys, terms, calls } = plan;
        let mut evaluation = Evaluation::default();
        let mut key = std::mem::take(&mut self.key);
        key.extend(keys.iter().map(|key| evaluation.column(&key.expr, batch, context)));
        let keyless: Vec<u32> = evaluation.failed.iter().map(|(row, _)| *row).collect();
        let mut args = std::mem::take(&mut self.args);
        for (columns, call) in args.iter_mut().zip(calls) {
            columns.extend(call.args.iter().map(|arg| evaluation.column(arg, batch, context)));
        }
        let compared = std::mem::take(&mut self.compared);
        let mut hash = std::mem::take(&mut self.hashes);
        hashes(compared.iter().map(|at| &key[*at]), batch.len(), &mut hash);
        let times = batch.times();
        let mut row = 0;
        while row < times.len() {
            if let Some((at, complete)) = self.closes
                && times[row].saturating_mul(2) >= complete
            {
                self.close(plan, at, context.moments.when(complete), context, out);
            }
            let end = match self.closes {
                Some((_, complete)) => row + times[row..].partition_point(|time| time.saturating_mul(2) < complete),
                None => times.len(),
            };
            // Until a row has other terms, or no key at all.
            let stop = self.open.as_ref().map_or(row, |open| {
                let lacks = keyless.partition_point(|failed| (*failed as usize) < row);
                let end = keyless.get(lacks).map_or(end, |failed| end.min(*failed as usize));
                terms.iter().zip(open).fold(end, |end, (term, open)| row + unchanged(&key[term.key], open, row, end))
            });
            if stop > row {
                self.add(calls, &key, &compared, &args, &hash, times, row..stop, &evaluation.failed);
                row = stop;
                continue;
            }
            if keyless.binary_search(&(row as u32)).is_ok() {
                row += 1;
                continue;
            }
            // Closed by a row: the next change of ROWTIME when it is known, else the row's own time.
            let (time, cause) = (times[row], batch.causes()[row]);
            self.close(plan, self.closes.map_or(time, |(at, _)| at.min(time)), cause, context, out);
            let clock = context.moments.clock(cause);
            self.closes = terms
                .iter()
                .filter_map(|term| {
                    let change = next_change(term.of_time.as_ref()?, time, clock)?;
                    // A group that is rounded up is named by its last instant and complete after it.
                    Some(if term.up { (change - 1, change.saturating_mul(2) - 1) } else { (change, change.saturating_mul(2)) })
                })
                .min_by_key(|(_, frontier)| *frontier);
            self.open = Some(terms.iter().map(|term| key[term.key].value(row)).collect());
        }
        key.clear();
        args.iter_mut().for_each(Vec::clear);
        (self.key, self.args, self.compared, self.hashes) = (key, args, compared, hash);
        evaluation.report(batch, context);
    }

    #[allow(clippy::too_many_arguments)]
    fn add(
        &mut self,
        calls: &[AggregateCall],
        key: &[Column],
        compared: &[usize],
        args: &[Vec<Column>],
        hash: &[u64],
        times: &[i64],
        rows: std::ops::Range<usize>,
        failed: &[(u32, RowError)],
    ) {
        let lacks = failed.partition_point(|(row, _)| (*row as usize) < rows.start);
        if let Some((row, _)) = failed.get(lacks)
            && (*row as usize) < rows.end
        {
            // A row whose arguments failed is left out.
            let row = *row as usize;
            self.add(calls, key, compared, args, hash, times, rows.start..row, failed);
            self.add(calls, key, compared, args, hash, times, row + 1..rows.end, failed);
            return;
        }
        self.numbers.clear();
        for row in rows.clone() {
            self.numbers.push(self.keys.number(key, compared, row, hash[row]));
        }
        for ((fold, call), args) in self.folds.iter_mut().zip(calls).zip(args) {
            fold.add(call, args, rows.start, &self.numbers, &times[rows.clone()], self.keys.len());
        }
    }

    /// Closes the groups when a frontier says that they are complete.
    pub(super) fn settle(&mut self, plan: GroupPlan<'_>, frontier: Frontier, context: &mut Context<'_>, out: &mut Vec<Flowing>) {
        if let Some((at, complete)) = self.closes
            && frontier >= complete
        {
            self.close(plan, at, context.moments.when(complete), context, out);
        }
    }

    fn close(&mut self, plan: GroupPlan<'_>, at: i64, cause: Cause, context: &mut Context<'_>, out: &mut Vec<Flowing>) {
        self.open = None;
        self.closes = None;
        let count = self.keys.len();
        if count == 0 {
            return;
        }
        let mut results = vec![ColumnBuilder::default(); plan.calls.len()];
        let mut whole: Vec<u32> = Vec::with_capacity(count);
        for group in 0..count {
            let mut failed = None;
            for ((fold, call), builder) in self.folds.iter().zip(plan.calls).zip(&mut results) {
                match fold.finish(call, group) {
                    Ok(value) => builder.push(value),
                    Err(error) => {
                        failed = failed.or(Some(error));
                        builder.push_null();
                    }
                }
            }
            match failed {
                None => whole.push(group as u32),
                Some(error) => {
                    let shown = (0..plan.keys.len()).map(|column| self.keys.value(group, column)).collect();
                    context.errors.push(Failure { error, time: at, cells: shown, cause });
                }
            }
        }
        self.folds.iter_mut().for_each(Fold::clear);
        let mut columns = self.keys.take(plan.keys.len());
        columns.extend(results.into_iter().map(ColumnBuilder::finish));
        let batch = Batch::with(Arc::new(vec![at; count]), columns, Arc::new(vec![cause; count]));
        let batch = if whole.len() < count { batch.pick(whole) } else { batch };
        if !batch.is_empty() {
            out.push(Flowing::Batch(batch));
        }
    }
}

/// How many rows from `row` to `end` have the open value of a term.
fn unchanged(column: &Column, open: &Value, row: usize, end: usize) -> usize {
    match (column, open) {
        (Column::Repeat(value), _) if value.same(open) => end - row,
        (Column::Times(slots), Value::Ms(open)) | (Column::Ints(slots), Value::Int(open)) if slots.nulls.is_none() => {
            slots.values[row..end].iter().position(|value| value != open).unwrap_or(end - row)
        }
        _ => (row..end).position(|row| !column.value(row).same(open)).unwrap_or(end - row),
    }
}

/// The row of a finished window.
fn finish(key: &Key, window: &Window, calls: &[AggregateCall], context: &mut Context<'_>, out: &mut Vec<Row>) {
    let at = window.closes;
    let cause = context.moments.when(at.saturating_mul(2));
    let mut cells: Vec<Value> = key.0.to_vec();
    for (accumulator, call) in window.accumulators.iter().zip(calls) {
        let shown: Arc<[Value]> = key.0.to_vec().into();
        match context.outcome(accumulator.finish(call), &shown, at, cause) {
            Some(value) => cells.push(value),
            None => return,
        }
    }
    cells.push(Value::Ms(at));
    out.push(Row { time: at, cells: cells.into(), live: i64::MAX, cause });
}

/// An open window of a key.
#[derive(Debug, Clone)]
struct Window {
    closes: i64,
    accumulators: Vec<Accumulator>,
}

/// Stagger windows: by key, and their keys in the order in which they close.
#[derive(Debug, Clone, Default)]
pub(super) struct StaggerState {
    windows: KeyMap<Window>,
    order: VecDeque<(i64, Key)>,
    scratch: Scratch,
}

impl StaggerState {
    pub(super) fn held(&self) -> usize {
        self.windows.len()
    }

    pub(super) fn row(&mut self, keys: &[Typed], range: i64, calls: &[AggregateCall], row: &Row, context: &mut Context<'_>, out: &mut Vec<Row>) {
        self.settle(calls, row.time.saturating_mul(2), context, out);
        if !self.scratch.key(keys, row, context) || !self.scratch.arguments(calls, row, context) {
            return;
        }
        let found = self.windows.get_index_of(&KeyRef(&self.scratch.key));
        let at = found.unwrap_or_else(|| {
            let closes = row.time.saturating_add(range);
            let key = Key(self.scratch.key.drain(..).collect());
            self.order.push_back((closes, key.clone()));
            self.windows.insert_full(key, Window { closes, accumulators: vec![Accumulator::default(); calls.len()] }).0
        });
        self.scratch.add_to(&mut self.windows[at].accumulators, calls, row.time);
    }

    pub(super) fn settle(&mut self, calls: &[AggregateCall], frontier: Frontier, context: &mut Context<'_>, out: &mut Vec<Row>) {
        while self.order.front().is_some_and(|(closes, _)| frontier >= closes.saturating_mul(2)) {
            let Some((_, key)) = self.order.pop_front() else { return };
            if let Some(window) = self.windows.swap_remove(&key) {
                finish(&key, &window, calls, context, out);
            }
        }
    }
}

/// GROUP BY over a table. `global` gives one row even of nothing.
pub fn group_table(keys: &[Typed], calls: &[AggregateCall], rows: &[Arc<[Value]>], global: bool) -> Vec<Arc<[Value]>> {
    let mut groups: KeyMap<Vec<Accumulator>> = KeyMap::default();
    let fresh = || vec![Accumulator::default(); calls.len()];
    if global {
        groups.insert(Key(Arc::default()), fresh());
    }
    for row in rows {
        let env = Env { cells: row, out_time: 0, clock: Clock::default(), params: &[] };
        let key: Result<Vec<Value>, _> = keys.iter().map(|key| key.expr.eval(&env)).collect();
        let Ok(key) = key else { continue };
        let group = groups.entry(Key(key.into())).or_insert_with(fresh);
        for (accumulator, call) in group.iter_mut().zip(calls) {
            let args: Result<Vec<Value>, _> = call.args.iter().map(|arg| arg.eval(&env)).collect();
            if let Ok(args) = args {
                accumulator.add(call, &args, 0);
            }
        }
    }
    groups
        .into_iter()
        .map(|(key, accumulators)| {
            let results = accumulators.iter().zip(calls).map(|(accumulator, call)| accumulator.finish(call).unwrap_or(Value::Null));
            key.0.iter().cloned().chain(results).collect()
        })
        .collect()
}
