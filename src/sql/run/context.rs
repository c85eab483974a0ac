//! What operators share while they work: the clock, and the list of rows that failed.

use std::sync::Arc;

use super::flow::{Batch, Cause, Row};
use super::vector::{self, Moments};
use crate::sql::bound::{Bound, Env};
use crate::sql::column::Column;
use crate::sql::value::{Outcome, RowError, Value};

/// A row that was given up.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) error: RowError,
    pub(super) time: i64,
    pub(super) cells: Arc<[Value]>,
    pub(super) cause: Cause,
}

pub(super) struct Context<'c> {
    pub(super) moments: Moments<'c>,
    pub(super) errors: &'c mut Vec<Failure>,
}

impl Context<'_> {
    pub(super) fn eval(&mut self, expr: &Bound, row: &Row) -> Option<Value> {
        self.eval_at(expr, &row.cells, row.time, row.cause)
    }

    /// The value, or an error row.
    pub(super) fn eval_at(&mut self, expr: &Bound, cells: &Arc<[Value]>, time: i64, cause: Cause) -> Option<Value> {
        let outcome = expr.eval(&Env { cells, out_time: time, clock: self.moments.clock(cause), params: &[] });
        self.outcome(outcome, cells, time, cause)
    }

    pub(super) fn outcome(&mut self, outcome: Outcome, cells: &Arc<[Value]>, time: i64, cause: Cause) -> Option<Value> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(Failure { error, time, cells: cells.clone(), cause });
                None
            }
        }
    }
}

/// Expressions evaluated over one batch, one after the other: a row fails with the first of them that fails.
#[derive(Debug, Default)]
pub(super) struct Evaluation {
    /// Rows that failed, in their order.
    pub(super) failed: Vec<(u32, RowError)>,
}

impl Evaluation {
    pub(super) fn column(&mut self, expr: &Bound, batch: &Batch, context: &Context<'_>) -> Column {
        let evaluated = vector::eval(expr, batch, &context.moments);
        self.fail(evaluated.failed);
        evaluated.column
    }

    /// More rows, in their order, that failed unless they have before.
    pub(super) fn fail(&mut self, failed: Vec<(u32, RowError)>) {
        if !failed.is_empty() {
            self.failed.extend(failed);
            // Of two errors of a row the earlier one stays.
            self.failed.sort_by_key(|(row, _)| *row);
            self.failed.dedup_by_key(|(row, _)| *row);
        }
    }

    /// The rows that did not fail; none when all are good.
    pub(super) fn good(&self, rows: usize) -> Option<Vec<u32>> {
        if self.failed.is_empty() {
            return None;
        }
        let mut failed = self.failed.iter().map(|(row, _)| *row).peekable();
        Some((0..rows as u32).filter(|row| failed.next_if_eq(row).is_none()).collect())
    }

    /// Tells of the rows that failed.
    pub(super) fn report(self, batch: &Batch, context: &mut Context<'_>) {
        for (row, error) in self.failed {
            let row = row as usize;
            let failure = Failure { error, time: batch.times()[row], cells: batch.cells(row), cause: batch.causes()[row] };
            context.errors.push(failure);
        }
    }
}
