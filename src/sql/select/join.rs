//! Joins: of two streams within a window, of a stream and a table, of tables.

use std::sync::Arc;

use crate::sql::ast::{Bound as FrameBound, Expr, Ident, JoinKind, WindowRef, WindowSpec};
use crate::sql::bind::{Bindable, comparable, extent};
use crate::sql::bound::{Bound, Env};
use crate::sql::diagnostic::{Diagnostic, Span};
use crate::sql::functions::Clock;
use crate::sql::plan::{Extent, JoinPlan, Operator};
use crate::sql::scope::{Class, Column, Named, Scope};
use crate::sql::types::Family;
use crate::sql::value::Value;

use super::{Planner, Rel, error};

impl Planner<'_> {
    pub(super) fn join_window(window: Option<&WindowRef>, windows: &[(Ident, WindowSpec)]) -> Bindable<Option<Extent>> {
        let spec = match window {
            None => return Ok(None),
            Some(WindowRef::Inline(spec)) => spec,
            Some(WindowRef::Named(name)) => match windows.iter().find(|(known, _)| known.name == name.name) {
                Some((_, spec)) => spec,
                None => return error(name.span, format!("the WINDOW clause has no window '{}'", name.name)),
            },
        };
        if !spec.partition.is_empty() {
            return error(spec.span, "PARTITION BY is not allowed in the window of a join; the ON condition pairs the rows");
        }
        let Some(frame) = &spec.frame else { return error(spec.span, "the window of a join needs RANGE or ROWS … PRECEDING") };
        if matches!(frame.start, FrameBound::Rows(_, true) | FrameBound::Interval(_, true)) {
            return error(frame.span, "a FOLLOWING window is the same as a PRECEDING window on the other side; write that");
        }
        extent(frame, true, spec.span).map(Some)
    }

    pub(super) fn join(
        &mut self,
        kind: JoinKind,
        (left, left_scope): (Rel, Scope),
        (right, right_scope): (Rel, Scope),
        on: Option<&Expr>,
        using: &[Ident],
        span: Span,
    ) -> Bindable<(Rel, Scope)> {
        let widths = [left.columns.len(), right.columns.len()];
        let mut scope = left_scope;
        let offset = widths[0];
        scope.columns.extend(right_scope.columns);
        scope.relations.extend(right_scope.relations.into_iter().map(|relation| Named {
            from: relation.from + offset,
            to: relation.to + offset,
            ..relation
        }));
        let mut conditions = Vec::new();
        if let Some(on) = on {
            let typed = self.bind_in(&scope, on, "ON")?;
            if typed.ty.family() != Family::Boolean {
                return error(on.span, format!("ON needs a condition, found {}", typed.ty));
            }
            split_and(&typed.expr, &mut conditions);
        }
        for name in using {
            let at = |range: std::ops::Range<usize>| {
                scope.columns[range.clone()].iter().position(|column| column.name == name.name).map(|at| at + range.start)
            };
            match (at(0..offset), at(offset..scope.columns.len())) {
                (Some(a), Some(b)) => {
                    comparable(name.span, &scope.columns[a].ty, &scope.columns[b].ty)?;
                    conditions.push(Bound::Compare("=", Box::new(Bound::Cell(a)), Box::new(Bound::Cell(b))));
                    scope.columns[b].hidden = true;
                }
                _ => return error(name.span, format!("both sides of USING need a column '{}'", name.name)),
            }
        }
        // Equalities between the sides are looked up, the rest is tested.
        let side = |expr: &Bound, range: std::ops::Range<usize>| expr.map_cells(&|at| range.contains(&at).then(|| Bound::Cell(at - range.start)));
        let (mut equal, mut rest) = (Vec::new(), Vec::new());
        for condition in conditions {
            if let Bound::Compare("=", a, b) = &condition {
                let all = scope.columns.len();
                if let (Some(x), Some(y)) = (side(a, 0..offset), side(b, offset..all)) {
                    equal.push((x, y));
                    continue;
                }
                if let (Some(x), Some(y)) = (side(b, 0..offset), side(a, offset..all)) {
                    equal.push((x, y));
                    continue;
                }
            }
            rest.push(condition);
        }
        let on = rest.into_iter().reduce(|a, b| Bound::And(Box::new(a), Box::new(b)));
        let (keep_left, keep_right) = (matches!(kind, JoinKind::Left | JoinKind::Full), matches!(kind, JoinKind::Right | JoinKind::Full));
        if left.finite && right.finite {
            let rel = self.join_tables(&left, &right, keep_left, keep_right, on.as_ref(), &equal, scope.columns.clone(), span)?;
            return Ok((rel, scope));
        }
        if left.finite || right.finite {
            let stream_left = !left.finite;
            if (stream_left && keep_right) || (!stream_left && keep_left) {
                return error(span, "a table has no end of its own: its unmatched rows cannot be kept; keep those of the stream");
            }
            let (stream, table) = if stream_left { (&left, &right) } else { (&right, &left) };
            let Some(rows) = self.rows_of(table.node) else { return error(span, "the table is not there") };
            // Equalities whose table side is a plain cell become an index.
            let mut indexed = Vec::new();
            let mut tested = on;
            for (a, b) in equal {
                let (own, other) = if stream_left { (a, b) } else { (b, a) };
                match other {
                    Bound::Cell(cell) => indexed.push((own, cell)),
                    other => {
                        let (stream_at, table_at) = if stream_left { (0, offset) } else { (offset, 0) };
                        let moved = |expr: &Bound, by: usize| expr.map_cells(&|at| Some(Bound::Cell(at + by)));
                        if let (Some(x), Some(y)) = (moved(&own, stream_at), moved(&other, table_at)) {
                            let test = Bound::Compare("=", Box::new(x), Box::new(y));
                            tested = Some(match tested {
                                Some(present) => Bound::And(Box::new(present), Box::new(test)),
                                None => test,
                            });
                        }
                    }
                }
            }
            let width = table.columns.len();
            let node = self.add(
                Operator::Lookup { keep: keep_left || keep_right, stream_left, width, rows, on: tested, equal: indexed },
                vec![stream.node],
                "join with a table: every row looks its partners up at once",
            );
            let rel = Rel {
                node,
                columns: scope.columns.clone(),
                finite: false,
                window: stream.window,
                composite: stream.composite,
                grouped: stream.grouped,
            };
            return Ok((rel, scope));
        }
        let mut windows = [left.window, right.window];
        if windows == [None, None] && !left.composite && !right.composite {
            let warning = Diagnostic::warning(
                span,
                "neither stream has a window: only rows of equal ROWTIME meet. Write OVER (RANGE INTERVAL '1' MINUTE PRECEDING)",
            );
            self.warnings.push(warning);
            windows = [Some(Extent::Range(0)); 2];
        }
        let plan = JoinPlan { keep_left, keep_right, windows, composite: [left.composite, right.composite], widths, on, equal };
        let node = self.add(Operator::Join(plan), vec![left.node, right.node], "join of two streams");
        // After a join only the times of the parts go with time, and approximately.
        for column in &mut scope.columns {
            if !column.rowtime {
                column.class = Class::None;
                column.of_time = None;
            }
        }
        let rel = Rel { node, columns: scope.columns.clone(), finite: false, window: None, composite: true, grouped: false };
        Ok((rel, scope))
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn join_tables(
        &mut self,
        left: &Rel,
        right: &Rel,
        keep_left: bool,
        keep_right: bool,
        on: Option<&Bound>,
        equal: &[(Bound, Bound)],
        columns: Vec<Column>,
        span: Span,
    ) -> Bindable<Rel> {
        let (Some(a), Some(b)) = (self.rows_of(left.node), self.rows_of(right.node)) else { return error(span, "only tables can stand here") };
        if a.len().saturating_mul(b.len()) > 20_000_000 {
            return error(span, "the join of these tables is too large");
        }
        let mut rows: Vec<Arc<[Value]>> = Vec::new();
        let mut met = vec![false; b.len()];
        for x in a.iter() {
            let mut found = false;
            for (at, y) in b.iter().enumerate() {
                let cells: Vec<Value> = x.iter().chain(y.iter()).cloned().collect();
                if meets(x, y, &cells, on, equal) {
                    found = true;
                    met[at] = true;
                    rows.push(cells.into());
                }
            }
            if !found && keep_left {
                rows.push(x.iter().cloned().chain(std::iter::repeat_n(Value::Null, right.columns.len())).collect());
            }
        }
        if keep_right {
            for (y, _) in b.iter().zip(&met).filter(|(_, met)| !**met) {
                rows.push(std::iter::repeat_n(Value::Null, left.columns.len()).chain(y.iter().cloned()).collect());
            }
        }
        Ok(self.finite(rows.into(), columns))
    }
}

pub(super) fn split_and(expr: &Bound, into: &mut Vec<Bound>) {
    match expr {
        Bound::And(a, b) => {
            split_and(a, into);
            split_and(b, into);
        }
        other => into.push(other.clone()),
    }
}

pub(super) fn test(expr: &Bound, row: &[Value]) -> bool {
    let env = Env { cells: row, out_time: 0, clock: Clock::default(), params: &[] };
    expr.eval(&env).is_ok_and(|value| value.is_true())
}

/// Rows of two sides meet.
fn meets(left: &[Value], right: &[Value], both: &[Value], on: Option<&Bound>, equal: &[(Bound, Bound)]) -> bool {
    let value = |expr: &Bound, cells: &[Value]| expr.eval(&Env { cells, out_time: 0, clock: Clock::default(), params: &[] });
    equal.iter().all(|(a, b)| matches!((value(a, left), value(b, right)), (Ok(a), Ok(b)) if a.compare(&b) == Some(std::cmp::Ordering::Equal)))
        && on.is_none_or(|on| test(on, both))
}
