//! Operators at work: what comes into one, what it holds, what goes on.

use super::flow::{Batch, Flowing, Row};
use super::group::{GroupPlan, GroupState, StaggerState};
use super::join::JoinState;
use super::lookup::LookupState;
use super::merge::{Frontier, Merge};
use super::sliding::SlidingState;
use super::sort::{DistinctState, SortState, TimeSortState};
use super::table::TableState;
use super::vector::Moments;
use super::{Context, Evaluation, Failure, Running};
use crate::sql::bound::{Bound, Typed};
use crate::sql::plan::{Operator, Plan};
use crate::sql::value::{RowError, Value};

/// Rows that one operator may hold; a program beyond it is stopped with an error row instead of eating the machine.
const HELD_MAX: usize = 20_000_000;
/// Rows that an operator may come to hold for each that comes in.
const HELD_FOR_ONE: usize = 16;

/// State of an operator.
#[derive(Debug, Clone)]
pub(super) enum State {
    None,
    Sliding(SlidingState),
    Group(GroupState),
    Stagger(StaggerState),
    Join(Box<JoinState>),
    Lookup(LookupState),
    Distinct(DistinctState),
    Sort(SortState),
    TimeSort(TimeSortState),
    Union(Merge),
    Table(TableState),
}

impl State {
    /// An operator's state as at the start.
    pub(super) fn fresh(plan: &Plan, at: usize, seed: u64) -> Self {
        match &plan.nodes[at].operator {
            Operator::Sliding(windows, _) => Self::Sliding(SlidingState::new(windows)),
            Operator::Group { keys, terms, calls, .. } => Self::Group(GroupState::new(GroupPlan { keys, terms, calls })),
            Operator::Stagger { .. } => Self::Stagger(StaggerState::default()),
            Operator::Join(join) => Self::Join(Box::new(JoinState::new(join))),
            Operator::Lookup { rows, equal, .. } => Self::Lookup(LookupState::new(rows, equal)),
            Operator::Distinct { .. } => Self::Distinct(DistinctState::default()),
            Operator::Sort { .. } => Self::Sort(SortState::default()),
            Operator::TimeSort(_) => Self::TimeSort(TimeSortState::default()),
            Operator::Union => Self::Union(Merge::new(2)),
            Operator::Table(function) => Self::Table(TableState::new(function, seed ^ (at as u64) << 32)),
            Operator::Scan(_) | Operator::Finite(_) | Operator::Filter(_) | Operator::Project(..) => Self::None,
        }
    }

    /// Rows that it holds.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Sliding(state) => state.held(),
            Self::Group(state) => state.held(),
            Self::Stagger(state) => state.held(),
            Self::Join(state) => state.held(),
            Self::Distinct(state) => state.held(),
            Self::Sort(state) => state.held(),
            Self::TimeSort(state) => state.held(),
            Self::Union(merge) => merge.held(),
            Self::Table(state) => state.held(),
            Self::None | Self::Lookup(_) => 0,
        }
    }
}

impl Running {
    /// Rows come into an operator.
    pub(super) fn flow_in(&mut self, node: usize, port: usize, flowing: Flowing) {
        let count = flowing.len();
        self.flows[node].rows_in += count as u64;
        if count > 1 && self.states[node].held() + count * HELD_FOR_ONE > HELD_MAX {
            // Near the limit rows go on one by one, so that the same row goes beyond it in whatever batches they came.
            for row in flowing.into_rows() {
                self.work(node, port, Flowing::Rows(vec![row]));
            }
        } else {
            self.work(node, port, flowing);
        }
    }

    fn work(&mut self, node: usize, port: usize, flowing: Flowing) {
        let mut errors = Vec::new();
        let mut out = self.buffer();
        let mut batches = Vec::new();
        let plan = &self.plan;
        let mut context = Context { moments: Moments { clock: self.since, first: self.first, at: &self.moments }, errors: &mut errors };
        let state = &mut self.states[node];
        let mut forward = None;
        let mut used = None;
        let last = match &flowing {
            Flowing::Rows(rows) => rows.last().map(|row| row.cause),
            Flowing::Batch(batch) => batch.causes().last().copied(),
        };
        match (&plan.nodes[node].operator, &mut *state, flowing) {
            (Operator::Filter(predicate), _, Flowing::Batch(batch)) => batches.push(Flowing::Batch(filtered(predicate, batch, &mut context))),
            (Operator::Project(items, None), _, Flowing::Batch(batch)) => batches.push(Flowing::Batch(projected(items, &batch, &mut context))),
            (Operator::Group { keys, terms, calls, .. }, State::Group(state), flowing) => {
                state.take(GroupPlan { keys, terms, calls }, &flowing.into_batch(), &mut context, &mut batches);
            }
            (Operator::Sliding(windows, width), State::Sliding(state), flowing) => {
                state.take(windows, *width, &flowing.into_batch(), &mut context, &mut batches);
            }
            (Operator::Join(join), State::Join(state), flowing) => state.take(join, port, flowing.into_batch(), &mut context, &mut batches),
            (operator, state, flowing) => {
                let mut rows = flowing.into_rows();
                for row in rows.drain(..) {
                    each(operator, state, port, row, &mut self.cells, &mut context, &mut out);
                }
                if let (Operator::TimeSort(slack), State::TimeSort(state)) = (operator, state) {
                    forward = Some(state.frontier(*slack));
                }
                used = Some(rows);
            }
        }
        if state.held() > HELD_MAX {
            let error =
                RowError::new("StateTooLarge", format!("{} holds more than {HELD_MAX} rows; make its window smaller", plan.nodes[node].label));
            errors.push(Failure { error, time: self.clock.now, cells: Vec::new().into(), cause: last.unwrap_or(self.first) });
            *state = State::fresh(plan, node, self.seed);
        }
        if let Some(rows) = used {
            self.recycle(rows);
        }
        self.give_up(node, errors);
        self.emit(node, Flowing::Rows(out));
        for batch in batches {
            self.emit(node, batch);
        }
        if let Some(frontier) = forward {
            self.forward(node, frontier);
        }
    }

    fn give_up(&mut self, node: usize, errors: Vec<Failure>) {
        let place = self.places.node(node);
        self.failed.extend(errors.into_iter().map(|failure| (failure, place)));
    }

    /// An operator learns how far its input is.
    pub(super) fn frontier_in(&mut self, node: usize, port: usize, frontier: Frontier) {
        let mut errors = Vec::new();
        let mut out = self.buffer();
        let mut batches = Vec::new();
        let mut context = Context { moments: Moments { clock: self.since, first: self.first, at: &self.moments }, errors: &mut errors };
        let mut on = Some(frontier);
        match (&self.plan.nodes[node].operator, &mut self.states[node]) {
            (Operator::Group { keys, terms, calls, .. }, State::Group(state)) => {
                state.settle(GroupPlan { keys, terms, calls }, frontier, &mut context, &mut batches);
            }
            (Operator::Stagger { calls, .. }, State::Stagger(state)) => state.settle(calls, frontier, &mut context, &mut out),
            (Operator::Join(join), State::Join(state)) => on = Some(state.settle(join, port, frontier, &mut context, &mut batches)),
            (Operator::Sort { terms, of_time, keep_time, width }, State::Sort(state)) => {
                on = Some(state.settle(terms, of_time.as_ref(), *keep_time, *width, frontier, &context.moments, &mut out));
            }
            (Operator::TimeSort(_), _) => on = None,
            (Operator::Union, State::Union(merge)) => {
                merge.advance(port, frontier);
                while let Some((_, row)) = merge.pop(&context.moments) {
                    out.push(row);
                }
                on = Some(merge.frontier());
            }
            (Operator::Table(function), State::Table(state)) => state.settle(function, frontier, &context, &mut out),
            (Operator::Sliding(windows, _), State::Sliding(state)) => state.settle(windows, frontier),
            _ => {}
        }
        self.give_up(node, errors);
        self.emit(node, Flowing::Rows(out));
        for batch in batches {
            self.emit(node, batch);
        }
        if let Some(on) = on {
            self.forward(node, on);
        }
    }
}

/// A row through an operator that takes them one by one.
fn each(operator: &Operator, state: &mut State, port: usize, row: Row, cells: &mut Vec<Value>, context: &mut Context<'_>, out: &mut Vec<Row>) {
    match (operator, state) {
        (Operator::Filter(predicate), _) if context.eval(predicate, &row).is_some_and(|value| value.is_true()) => out.push(row),
        (Operator::Project(items, time), _) => project(items, time.as_ref(), &row, cells, context, out),
        (Operator::Stagger { keys, range, calls }, State::Stagger(state)) => state.row(keys, *range, calls, &row, context, out),
        (Operator::Lookup { keep, stream_left, width, rows, on, equal }, State::Lookup(state)) => {
            state.row(*keep, *stream_left, *width, rows, on.as_ref(), equal, &row, context, out);
        }
        (Operator::Distinct { compared, monotonic }, State::Distinct(state)) => state.row(compared, monotonic, row, out),
        (Operator::Sort { terms, of_time, keep_time, width }, State::Sort(state)) => {
            state.row(terms, of_time.as_ref(), *keep_time, *width, row, &context.moments, out);
        }
        (Operator::TimeSort(slack), State::TimeSort(state)) => state.row(*slack, &row, context, out),
        (Operator::Union, State::Union(merge)) => {
            merge.push(port, row);
            while let Some((_, row)) = merge.pop(&context.moments) {
                out.push(row);
            }
        }
        (Operator::Table(function), State::Table(state)) => state.row(function, row, context, out),
        _ => {}
    }
}

/// WHERE over a batch.
fn filtered(predicate: &Bound, batch: Batch, context: &mut Context<'_>) -> Batch {
    let mut evaluation = Evaluation::default();
    let column = evaluation.column(predicate, &batch, context);
    evaluation.report(&batch, context);
    let rows: Vec<u32> = (0..batch.len()).filter(|row| column.is_true(*row)).map(|row| row as u32).collect();
    if rows.len() == batch.len() { batch } else { batch.pick(rows) }
}

/// A select list over a batch.
fn projected(items: &[Typed], batch: &Batch, context: &mut Context<'_>) -> Batch {
    let mut evaluation = Evaluation::default();
    let columns = items.iter().map(|item| evaluation.column(&item.expr, batch, context)).collect();
    let good = evaluation.good(batch.len());
    evaluation.report(batch, context);
    let shown = Batch::with(batch.shared_times(), columns, batch.shared_causes()).with_live(batch.shared_live());
    match good {
        None => shown,
        Some(good) => shown.pick(good),
    }
}

/// A select list over a row.
fn project(items: &[Typed], time: Option<&Bound>, row: &Row, cells: &mut Vec<Value>, context: &mut Context<'_>, out: &mut Vec<Row>) {
    let at = match time {
        None => row.time,
        Some(time) => match context.eval(time, row) {
            Some(Value::Ms(at)) => at,
            Some(_) => {
                let error = RowError::new("NotNullViolation", "ROWTIME is never NULL");
                context.errors.push(Failure { error, time: row.time, cells: row.cells.clone(), cause: row.cause });
                return;
            }
            None => return,
        },
    };
    cells.clear();
    for item in items {
        match context.eval(&item.expr, row) {
            Some(value) => cells.push(value),
            None => return,
        }
    }
    cells.push(Value::Ms(at));
    out.push(Row { time: at, cells: cells.drain(..).collect(), live: row.live, cause: row.cause });
}
