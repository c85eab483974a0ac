//! GROUP BY on a stream, and stagger windows.

use std::collections::VecDeque;
use std::sync::Arc;

use super::aggregate::Accumulator;
use super::merge::Frontier;
use super::{Context, Row};
use crate::sql::bound::{Env, Typed};
use crate::sql::functions::Clock;
use crate::sql::plan::{AggregateCall, MonotonicTerm};
use crate::sql::scope::next_change;
use crate::sql::value::{Key, KeyMap, KeyRef, Value};

/// Groups of the open value of the monotonic terms.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupState {
    groups: KeyMap<Vec<Accumulator>>,
    /// Values of the monotonic terms that are open.
    open: Option<Vec<Value>>,
    /// ROWTIME of the groups' rows, when it is known beforehand, and the frontier at which they are complete.
    closes: Option<(i64, Frontier)>,
    scratch: Scratch,
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

impl GroupState {
    pub(super) fn held(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn row(
        &mut self,
        keys: &[Typed],
        terms: &[MonotonicTerm],
        calls: &[AggregateCall],
        row: &Row,
        context: &mut Context<'_>,
        out: &mut Vec<Row>,
    ) {
        self.settle(calls, row.time.saturating_mul(2), context, out);
        if !self.scratch.key(keys, row, context) {
            return;
        }
        let same = self.open.as_ref().is_some_and(|open| open.iter().zip(terms).all(|(value, term)| value.same(&self.scratch.key[term.key])));
        if !same {
            // Closed by a row: the next change of ROWTIME when it is known, else the row's own time.
            let at = self.closes.map_or(row.time, |(at, _)| at.min(row.time));
            self.close(calls, at, context, out);
            self.closes = terms
                .iter()
                .filter_map(|term| {
                    let change = next_change(term.of_time.as_ref()?, row.time, context.clock)?;
                    // A group that is rounded up is named by its last instant and complete after it.
                    Some(if term.up { (change - 1, change.saturating_mul(2) - 1) } else { (change, change.saturating_mul(2)) })
                })
                .min_by_key(|(_, frontier)| *frontier);
            self.open = Some(terms.iter().map(|term| self.scratch.key[term.key].clone()).collect());
        }
        if !self.scratch.arguments(calls, row, context) {
            return;
        }
        let found = self.groups.get_index_of(&KeyRef(&self.scratch.key));
        let at = found.unwrap_or_else(|| {
            let key = Key(self.scratch.key.drain(..).collect());
            self.groups.insert_full(key, vec![Accumulator::default(); calls.len()]).0
        });
        self.scratch.add_to(&mut self.groups[at], calls, row.time);
    }

    /// Closes the groups when a frontier says that they are complete.
    pub(super) fn settle(&mut self, calls: &[AggregateCall], frontier: Frontier, context: &mut Context<'_>, out: &mut Vec<Row>) {
        if let Some((at, complete)) = self.closes
            && frontier >= complete
        {
            self.close(calls, at, context, out);
        }
    }

    fn close(&mut self, calls: &[AggregateCall], at: i64, context: &mut Context<'_>, out: &mut Vec<Row>) {
        for (key, accumulators) in self.groups.drain(..) {
            finish(&key, &accumulators, calls, at, context, out);
        }
        self.open = None;
        self.closes = None;
    }
}

/// The row of a finished group.
fn finish(key: &Key, accumulators: &[Accumulator], calls: &[AggregateCall], at: i64, context: &mut Context<'_>, out: &mut Vec<Row>) {
    let mut cells: Vec<Value> = key.0.to_vec();
    for (accumulator, call) in accumulators.iter().zip(calls) {
        let shown: Arc<[Value]> = key.0.to_vec().into();
        match context.outcome(accumulator.finish(call), &shown, at) {
            Some(value) => cells.push(value),
            None => return,
        }
    }
    cells.push(Value::Ms(at));
    out.push(Row { time: at, cells: cells.into(), live: i64::MAX });
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
                finish(&key, &window.accumulators, calls, window.closes, context, out);
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
