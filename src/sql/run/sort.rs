//! DISTINCT, ORDER BY, and sorting by an event time within a slack.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::flow::Cause;
use super::merge::Frontier;
use super::vector::Moments;
use super::{Context, Failure, Row};
use crate::sql::bound::Bound;
use crate::sql::functions::Clock;
use crate::sql::plan::SortTerm;
use crate::sql::scope::next_change;
use crate::sql::value::{Key, KeySet, RowError, Value};

/// Rows seen since the monotonic items last changed.
#[derive(Debug, Clone, Default)]
pub(super) struct DistinctState {
    current: Option<Key>,
    seen: KeySet,
}

impl DistinctState {
    pub(super) fn held(&self) -> usize {
        self.seen.len()
    }

    pub(super) fn row(&mut self, compared: &[usize], monotonic: &[usize], row: Row, out: &mut Vec<Row>) {
        let key = |cells: &[usize]| Key(cells.iter().map(|at| row.cells[*at].clone()).collect());
        let moment = key(monotonic);
        if self.current.as_ref() != Some(&moment) {
            self.seen.clear();
            self.current = Some(moment);
        }
        if self.seen.insert(key(compared)) {
            out.push(row);
        }
    }
}

/// Rows of one value of the leading term.
#[derive(Debug, Clone, Default)]
pub(super) struct SortState {
    rows: Vec<Row>,
}

fn compare(a: &Value, b: &Value, term: &SortTerm) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => {
            if term.nulls_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (false, true) => {
            if term.nulls_first {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (false, false) => {
            let order = a.compare(b).unwrap_or(Ordering::Equal);
            if term.descending { order.reverse() } else { order }
        }
    }
}

impl SortState {
    pub(super) fn held(&self) -> usize {
        self.rows.len()
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn row(
        &mut self,
        terms: &[SortTerm],
        of_time: Option<&Bound>,
        keep_time: bool,
        width: usize,
        row: Row,
        moments: &Moments<'_>,
        out: &mut Vec<Row>,
    ) {
        self.settle(terms, of_time, keep_time, width, row.time.saturating_mul(2), moments, out);
        let leading = terms.first().map_or(0, |term| term.cell);
        if self.rows.first().is_some_and(|first| !first.cells[leading].same(&row.cells[leading])) {
            let at = self.released(of_time, moments.clock(row.cause)).unwrap_or(row.time).min(row.time);
            self.flush(terms, keep_time, width, at, row.cause, out);
        }
        self.rows.push(row);
    }

    fn released(&self, of_time: Option<&Bound>, clock: Clock) -> Option<i64> {
        next_change(of_time?, self.rows.first()?.time, clock)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn settle(
        &mut self,
        terms: &[SortTerm],
        of_time: Option<&Bound>,
        keep_time: bool,
        width: usize,
        frontier: Frontier,
        moments: &Moments<'_>,
        out: &mut Vec<Row>,
    ) -> Frontier {
        let Some(first) = self.rows.first().map(|row| row.time) else { return frontier };
        let due = if keep_time {
            Some((first, first.saturating_mul(2).saturating_add(1)))
        } else {
            self.released(of_time, moments.clock).map(|at| (at, at.saturating_mul(2)))
        };
        match due {
            Some((at, complete)) if frontier >= complete => {
                self.flush(terms, keep_time, width, at, moments.when(complete), out);
                frontier
            }
            _ if keep_time => frontier.min(first.saturating_mul(2)),
            _ => frontier,
        }
    }

    fn flush(&mut self, terms: &[SortTerm], keep_time: bool, width: usize, at: i64, cause: Cause, out: &mut Vec<Row>) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by(|a, b| {
            terms
                .iter()
                .map(|term| compare(&a.cells[term.cell], &b.cells[term.cell], term))
                .find(|order| *order != Ordering::Equal)
                .unwrap_or(Ordering::Equal)
        });
        for row in rows {
            let time = if keep_time { row.time } else { at };
            let cells = row.cells[..width].iter().cloned().chain([Value::Ms(time)]).collect();
            out.push(Row { time, cells, live: row.live, cause });
        }
    }
}

/// Rows that wait for the slack to pass. The sort's time is the last cell but ROWTIME.
#[derive(Debug, Clone, Default)]
pub(super) struct TimeSortState {
    rows: BTreeMap<(i64, u64), Row>,
    arrivals: u64,
    newest: Option<i64>,
    released: Option<i64>,
}

impl TimeSortState {
    pub(super) fn held(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn row(&mut self, slack: i64, row: &Row, context: &mut Context<'_>, out: &mut Vec<Row>) {
        let width = row.cells.len() - 2;
        let Value::Ms(time) = row.cells[width] else { return };
        if self.released.is_some_and(|released| time < released) {
            let error =
                RowError::new("OutOfOrderRow", "the row is older than rows that were already released; a wider WITHIN would have waited for it");
            context.errors.push(Failure { error, time: row.time, cells: row.cells.clone(), cause: row.cause });
            return;
        }
        let cells = row.cells[..width].iter().cloned().chain([Value::Ms(time)]).collect();
        self.rows.insert((time, self.arrivals), Row { time, cells, live: row.live, cause: row.cause });
        self.arrivals += 1;
        self.newest = Some(self.newest.map_or(time, |newest| newest.max(time)));
        let until = self.newest.unwrap_or(time).saturating_sub(slack);
        while let Some(entry) = self.rows.first_entry() {
            if entry.key().0 > until {
                break;
            }
            self.released = Some(entry.key().0);
            out.push(Row { cause: row.cause, ..entry.remove() });
        }
    }

    pub(super) fn frontier(&self, slack: i64) -> Frontier {
        self.newest.map_or(i64::MIN, |newest| newest.saturating_sub(slack).saturating_mul(2))
    }
}
