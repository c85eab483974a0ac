//! Streams between pumps: what goes into one, who reads it, how far it is.

use super::context::Failure;
use super::flow::{Batch, Flowing, Row};
use super::merge::{Frontier, Merge};
use super::vector::Moments;
use super::{Context, Evaluation, Parent, Running};
use crate::sql::cast;
use crate::sql::column::{Column, ColumnBuilder};
use crate::sql::plan::{PumpPlan, StreamPlan};
use crate::sql::types::SqlType;
use crate::sql::value::{Outcome, RowError, Value};

/// A stream at work.
#[derive(Debug, Clone)]
pub(super) struct StreamState {
    /// Operators that read it, in the order of their pumps.
    pub(super) scans: Vec<usize>,
    /// Pumps that write to it, in order.
    pub(super) writers: Vec<usize>,
    pub(super) merge: Merge,
    pub(super) last: i64,
    pub(super) frontier: Frontier,
    pub(super) out: Vec<Flowing>,
    pub(super) keep: bool,
    pub(super) rows: u64,
}

impl Running {
    /// The clock, now and while what is coming in goes through.
    pub(super) fn at(&self) -> Moments<'_> {
        Moments { clock: self.since, first: self.first, at: &self.moments }
    }

    pub(super) fn buffer(&mut self) -> Vec<Row> {
        self.spare.take()
    }

    pub(super) fn recycle(&mut self, rows: Vec<Row>) {
        self.spare.give(rows);
    }

    /// Rows come into a stream and go on to those who read it.
    pub(super) fn publish(&mut self, stream: usize, mut flowing: Flowing) {
        self.in_order(stream, &mut flowing);
        let state = &mut self.streams[stream];
        state.rows += flowing.len() as u64;
        if state.keep && flowing.len() > 0 {
            match (&flowing, state.out.last_mut()) {
                (Flowing::Rows(rows), Some(Flowing::Rows(kept))) => kept.extend_from_slice(rows),
                _ => state.out.push(flowing.clone()),
            }
        }
        let readers = state.scans.len();
        for at in 0..readers {
            let scan = self.streams[stream].scans[at];
            self.flows[scan].rows_in += flowing.len() as u64;
            if at + 1 == readers {
                self.emit(scan, flowing);
                return;
            }
            self.emit(scan, flowing.clone());
        }
        if let Flowing::Rows(rows) = flowing {
            self.recycle(rows);
        }
    }

    /// Rows that are older than what their stream already holds are given up.
    fn in_order(&mut self, stream: usize, flowing: &mut Flowing) {
        let mut last = self.streams[stream].last;
        let mut late = Vec::new();
        let mut see = |at: usize, time: i64| {
            if time < last {
                late.push(at as u32);
            }
            last = last.max(time);
        };
        match &flowing {
            Flowing::Rows(rows) => rows.iter().enumerate().for_each(|(at, row)| see(at, row.time)),
            Flowing::Batch(batch) => batch.times().iter().enumerate().for_each(|(at, time)| see(at, *time)),
        }
        self.streams[stream].last = last;
        if late.is_empty() {
            return;
        }
        let place = self.places.stream_of(stream);
        let give_up = |row: &Row| {
            let error = RowError::new("OutOfOrderRow", "the row is older than what its stream already holds");
            (Failure { error, time: row.time, cells: row.cells.clone(), cause: row.cause }, place)
        };
        match flowing {
            Flowing::Rows(rows) => {
                self.failed.extend(late.iter().map(|at| give_up(&rows[*at as usize])));
                let mut at = 0u32..;
                rows.retain(|_| at.next().is_none_or(|at| late.binary_search(&at).is_err()));
            }
            Flowing::Batch(batch) => {
                self.failed.extend(late.iter().map(|at| give_up(&batch.row(*at as usize))));
                *batch = batch.pick((0..batch.len() as u32).filter(|at| late.binary_search(at).is_err()).collect());
            }
        }
    }

    pub(super) fn stream_frontier(&mut self, stream: usize, frontier: Frontier) {
        if frontier <= self.streams[stream].frontier {
            return;
        }
        self.streams[stream].frontier = frontier;
        for at in 0..self.streams[stream].scans.len() {
            let scan = self.streams[stream].scans[at];
            self.forward(scan, frontier);
        }
    }

    /// An operator's rows go on.
    pub(super) fn emit(&mut self, node: usize, flowing: Flowing) {
        if flowing.len() == 0 {
            if let Flowing::Rows(rows) = flowing {
                self.recycle(rows);
            }
            return;
        }
        self.flows[node].rows_out += flowing.len() as u64;
        match self.parents[node] {
            Parent::Node(parent, port) => self.flow_in(parent, port, flowing),
            Parent::Pump(pump) => self.pump(pump, flowing),
            Parent::Nowhere => {}
        }
    }

    /// An operator's frontier goes on.
    pub(super) fn forward(&mut self, node: usize, frontier: Frontier) {
        match self.parents[node] {
            Parent::Node(parent, port) => self.frontier_in(parent, port, frontier),
            Parent::Pump(pump) => {
                let stream = self.plan.pumps[pump].target;
                let state = &mut self.streams[stream];
                if let Some(writer) = state.writers.iter().position(|writer| *writer == pump) {
                    state.merge.advance(writer, frontier);
                    self.release(stream);
                }
            }
            Parent::Nowhere => {}
        }
    }

    /// Rows of several writers that nothing can come before any more.
    fn release(&mut self, stream: usize) {
        let mut rows = self.buffer();
        let moments = Moments { clock: self.since, first: self.first, at: &self.moments };
        while let Some((_, row)) = self.streams[stream].merge.pop(&moments) {
            rows.push(row);
        }
        if rows.is_empty() {
            self.recycle(rows);
        } else {
            self.publish(stream, Flowing::Rows(rows));
        }
        let frontier = self.streams[stream].merge.frontier();
        self.stream_frontier(stream, frontier);
    }

    /// A pump's rows into its stream.
    fn pump(&mut self, pump: usize, flowing: Flowing) {
        let plan = self.plan.clone();
        let pump_plan = &plan.pumps[pump];
        let stream = pump_plan.target;
        let alone = self.streams[stream].writers.len() == 1;
        let assigned = if pump_plan.as_is && alone { flowing } else { self.assign(pump, pump_plan, &plan.streams[stream], flowing) };
        if alone {
            self.publish(stream, assigned);
        } else if let Some(writer) = self.streams[stream].writers.iter().position(|writer| *writer == pump) {
            let mut rows = assigned.into_rows();
            for row in rows.drain(..) {
                self.streams[stream].merge.push(writer, row);
            }
            self.recycle(rows);
            self.release(stream);
        }
    }

    /// Select items as cells of the target.
    fn assign(&mut self, pump: usize, plan: &PumpPlan, target: &StreamPlan, flowing: Flowing) -> Flowing {
        let place = self.places.pump(pump);
        let mut errors = Vec::new();
        let moments = Moments { clock: self.since, first: self.first, at: &self.moments };
        let mut context = Context { moments, errors: &mut errors };
        let assigned = match flowing {
            Flowing::Rows(mut rows) => {
                rows.retain_mut(|row| {
                    let cells: Result<Vec<Value>, RowError> = target
                        .columns
                        .iter()
                        .zip(&plan.assign)
                        .map(|(column, source)| {
                            let value = source.as_ref().map_or(Value::Null, |(cell, _)| row.cells.get(*cell).cloned().unwrap_or(Value::Null));
                            stored(value, source.as_ref(), column)
                        })
                        .chain([Ok(Value::Ms(row.time))])
                        .collect();
                    match context.outcome(cells.map(|cells| Value::Record(cells.into())), &row.cells, row.time, row.cause) {
                        Some(Value::Record(cells)) => {
                            *row = Row { time: row.time, cells, live: i64::MAX, cause: row.cause };
                            true
                        }
                        _ => false,
                    }
                });
                Flowing::Rows(rows)
            }
            Flowing::Batch(batch) => Flowing::Batch(assigned(plan, target, &batch, &mut context)),
        };
        self.failed.extend(errors.into_iter().map(|failure| (failure, place)));
        assigned
    }
}

/// A select item as a cell of a column.
fn stored(value: Value, source: Option<&(usize, SqlType)>, column: &crate::sql::scope::Column) -> Outcome {
    let value = match source {
        None => Value::Null,
        Some((_, ty)) => cast::assign(value, ty, &column.ty)?,
    };
    if value.is_null() && column.not_null {
        return Err(RowError::new("NotNullViolation", format!("NULL for the column {}, which is NOT NULL", column.name)));
    }
    Ok(value)
}

/// The same over a batch.
fn assigned(plan: &PumpPlan, target: &StreamPlan, batch: &Batch, context: &mut Context<'_>) -> Batch {
    let mut evaluation = Evaluation::default();
    let columns = target
        .columns
        .iter()
        .zip(&plan.assign)
        .map(|(column, source)| {
            let values = source.as_ref().map_or(Column::Repeat(Value::Null), |(cell, _)| batch.column(*cell));
            let as_is = source
                .as_ref()
                .is_some_and(|(_, ty)| *ty == column.ty || matches!(column.ty, SqlType::Varchar(length) if values.texts_within(length as usize)));
            if (as_is || source.is_none()) && !(column.not_null && values.has_nulls()) {
                return values;
            }
            let (mut builder, mut failed) = (ColumnBuilder::default(), Vec::new());
            for row in 0..batch.len() {
                match stored(values.value(row), source.as_ref(), column) {
                    Ok(value) => builder.push(value),
                    Err(error) => {
                        builder.push_null();
                        failed.push((row as u32, error));
                    }
                }
            }
            evaluation.fail(failed);
            builder.finish()
        })
        .collect();
    let good = evaluation.good(batch.len());
    evaluation.report(batch, context);
    let stored = Batch::with(batch.shared_times(), columns, batch.shared_causes());
    good.map_or(stored.clone(), |good| stored.pick(good))
}
