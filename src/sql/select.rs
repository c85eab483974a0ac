//! Queries to operators: FROM, WHERE, GROUP BY, windows, select list, ORDER BY.

use std::sync::Arc;

use super::ast::{
    Alias, Bound as FrameBound, Expr, Ident, Item, JoinKind, Kind, OrderItem, Query, QueryBody, Relation, Select, WindowRef, WindowSpec,
};
use super::bind::{Bindable, Binder, Grouping, Place, TableRows, UserFunction, comparable, extent};
use super::bound::{Bound, Env, Typed};
use super::diagnostic::{Diagnostic, Span, near_miss};
use super::functions::Clock;
use super::plan::{Extent, JoinPlan, MonotonicTerm, Node, Operator, Plan, SlidingWindow, SortTerm, TableFunction};
use super::scope::{Class, Column, Named, Scope, just_before, looks_before, rounds_up, written};
use super::types::{Family, SqlType};
use super::value::Value;

/// A table that is there from the start.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<(String, SqlType)>,
    pub rows: Arc<[Arc<[Value]>]>,
}

/// Plans queries into a plan.
pub(super) struct Planner<'p> {
    pub plan: &'p mut Plan,
    pub tables: &'p [Table],
    pub functions: &'p [UserFunction],
    pub warnings: &'p mut Vec<Diagnostic>,
    pub depth: usize,
}

/// What a query or relation turned out to be.
#[derive(Debug, Clone)]
pub(super) struct Rel {
    pub node: usize,
    /// Column n is cell n.
    pub columns: Vec<Column>,
    /// Rows are there from the start.
    pub finite: bool,
    /// OVER: its extent when it is read by a join.
    pub window: Option<Extent>,
    /// It is a join of streams: its rows carry how long they live.
    pub composite: bool,
    /// Its rows come from a GROUP BY: all rows of an instant at once.
    pub grouped: bool,
}

fn error<T>(span: Span, message: impl Into<String>) -> Bindable<T> {
    Err(Box::new(Diagnostic::error(span, message)))
}

impl Planner<'_> {
    fn add(&mut self, operator: Operator, inputs: Vec<usize>, label: impl Into<String>) -> usize {
        self.plan.nodes.push(Node { operator, inputs, label: label.into() });
        self.plan.nodes.len() - 1
    }

    fn rows_of(&self, node: usize) -> Option<Arc<[Arc<[Value]>]>> {
        match &self.plan.nodes[node].operator {
            Operator::Finite(rows) => Some(rows.clone()),
            _ => None,
        }
    }

    /// Plans a query. `top` says that it stands directly in a pump.
    pub fn query(&mut self, query: &Query) -> Bindable<Rel> {
        match &query.body {
            QueryBody::Select(select) => self.select(select, &query.order, query.within, query.span),
            QueryBody::Values(rows) => self.values(rows, query.span),
            QueryBody::Set { op, all, left, right } => {
                let (a, b) = (self.query(left)?, self.query(right)?);
                if a.finite && b.finite {
                    return self.finite_set(op, *all, &a, &b, query.span);
                }
                if a.finite != b.finite {
                    return error(query.span, "a stream and a table cannot be united");
                }
                if *op != "UNION" || !*all {
                    let wrong = Diagnostic::error(query.span, format!("{op} is not possible on streams: UNION ALL is the only operator for them"));
                    return Err(Box::new(wrong));
                }
                let rel = self.union(a, b, query.span)?;
                if query.order.is_empty() { Ok(rel) } else { self.order_union(rel, &query.order, query.span) }
            }
        }
    }

    fn visible(columns: &[Column]) -> Vec<usize> {
        (0..columns.len()).filter(|at| !columns[*at].hidden).collect()
    }

    /// Both sides projected to the same types, then merged by ROWTIME.
    fn union(&mut self, a: Rel, b: Rel, span: Span) -> Bindable<Rel> {
        let (left, right) = (Self::visible(&a.columns), Self::visible(&b.columns));
        if left.len() != right.len() {
            return error(span, format!("UNION ALL of {} and {} columns: the numbers must agree", left.len(), right.len()));
        }
        let mut types = Vec::new();
        for (x, y) in left.iter().zip(&right) {
            let (x, y) = (&a.columns[*x].ty, &b.columns[*y].ty);
            types.push(
                x.unify(y).ok_or_else(|| Box::new(Diagnostic::error(span, format!("UNION ALL of {x} and {y}: the types must be of one family"))))?,
            );
        }
        let mut side = |rel: &Rel, cells: &[usize]| {
            let items = cells
                .iter()
                .zip(&types)
                .map(|(cell, ty)| {
                    let from = &rel.columns[*cell].ty;
                    let expr = if from == ty || *from == SqlType::Null {
                        Bound::Cell(*cell)
                    } else {
                        Bound::Cast(Box::new(Bound::Cell(*cell)), from.clone(), ty.clone())
                    };
                    Typed { expr, ty: ty.clone() }
                })
                .collect();
            self.add(Operator::Project(items, None), vec![rel.node], "columns of UNION ALL")
        };
        let inputs = vec![side(&a, &left), side(&b, &right)];
        let mut columns: Vec<Column> = left.iter().zip(types).map(|(cell, ty)| Column::new(&a.columns[*cell].name, ty)).collect();
        for (column, (x, y)) in columns.iter_mut().zip(left.iter().zip(&right)) {
            let (x, y) = (&a.columns[*x], &b.columns[*y]);
            if x.class == y.class {
                column.class = x.class;
                if let (Some(f), Some(g)) = (&x.of_time, &y.of_time)
                    && f.same(g)
                {
                    column.of_time = Some(f.clone());
                }
            }
        }
        columns.push(Column::rowtime());
        let node = self.add(Operator::Union, inputs, "UNION ALL, merged by ROWTIME");
        Ok(Rel { node, columns, finite: false, window: None, composite: false, grouped: false })
    }

    fn order_union(&mut self, rel: Rel, order: &[OrderItem], span: Span) -> Bindable<Rel> {
        let scope = Scope { columns: rel.columns.clone(), relations: Vec::new() };
        let width = rel.columns.len();
        let terms = self.sort_terms(order, &scope, width, None)?;
        let cells = terms.iter().map(|(typed, ..)| typed.clone()).collect::<Vec<_>>();
        self.sorted(rel, &scope, cells, order, span, width)
    }

    fn values(&mut self, rows: &[Vec<Expr>], span: Span) -> Bindable<Rel> {
        let scope = Scope::default();
        let mut all: Vec<Arc<[Value]>> = Vec::new();
        let mut types: Vec<SqlType> = Vec::new();
        for row in rows {
            let mut cells = Vec::new();
            for (at, expr) in row.iter().enumerate() {
                let typed = self.bind_in(&scope, expr, "VALUES")?;
                let env = Env { cells: &[], out_time: 0, clock: Clock::default(), params: &[] };
                cells.push(typed.expr.eval(&env).map_err(|why| Box::new(Diagnostic::error(expr.span, why.message)))?);
                match types.get_mut(at) {
                    None => types.push(typed.ty),
                    Some(ty) => {
                        *ty = ty
                            .unify(&typed.ty)
                            .ok_or_else(|| Box::new(Diagnostic::error(expr.span, format!("{ty} and {} in one column of VALUES", typed.ty))))?;
                    }
                }
            }
            if cells.len() != types.len() {
                return error(span, "the rows of VALUES must have the same number of columns");
            }
            all.push(cells.into());
        }
        let columns = types.into_iter().enumerate().map(|(at, ty)| Column::new(&format!("EXPR${at}"), ty)).collect();
        Ok(self.finite(all.into(), columns))
    }

    fn finite(&mut self, rows: Arc<[Arc<[Value]>]>, columns: Vec<Column>) -> Rel {
        let node = self.add(Operator::Finite(rows), Vec::new(), "table");
        Rel { node, columns, finite: true, window: None, composite: false, grouped: false }
    }

    fn finite_set(&mut self, op: &str, all: bool, a: &Rel, b: &Rel, span: Span) -> Bindable<Rel> {
        let (Some(left), Some(right)) = (self.rows_of(a.node), self.rows_of(b.node)) else { return error(span, "only tables can stand here") };
        if a.columns.len() != b.columns.len() {
            return error(span, "both sides must have the same number of columns");
        }
        let same = |x: &Arc<[Value]>, y: &Arc<[Value]>| x.iter().zip(y.iter()).all(|(x, y)| x.same(y));
        let mut rows: Vec<Arc<[Value]>> = Vec::new();
        match op {
            "UNION" => rows.extend(left.iter().chain(right.iter()).cloned()),
            "EXCEPT" => rows.extend(left.iter().filter(|x| !right.iter().any(|y| same(x, y))).cloned()),
            _ => rows.extend(left.iter().filter(|x| right.iter().any(|y| same(x, y))).cloned()),
        }
        if !all {
            let mut distinct: Vec<Arc<[Value]>> = Vec::new();
            for row in rows {
                if !distinct.iter().any(|known| same(known, &row)) {
                    distinct.push(row);
                }
            }
            rows = distinct;
        }
        Ok(self.finite(rows.into(), a.columns.clone()))
    }

    /// Binds an expression where neither aggregates nor analytic calls may stand.
    fn bind_in(&mut self, scope: &Scope, expr: &Expr, clause: &'static str) -> Bindable<Typed> {
        let functions = self.functions;
        let mut subqueries = |query: &Query| self.subquery(query);
        let mut binder = Binder {
            scope,
            place: Place::Inside,
            functions,
            params: &[],
            grouping: None,
            windows: &[],
            sliding: None,
            clause,
            width: 0,
            results: 0,
            subqueries: &mut subqueries,
        };
        binder.bind(expr)
    }

    /// A subquery in an expression: it must be over tables.
    fn subquery(&mut self, query: &Query) -> Bindable<TableRows> {
        let rel = self.query(query)?;
        if !rel.finite {
            return error(query.span, "a subquery in an expression can only read tables; join the stream instead");
        }
        let rows = self.rows_of(rel.node).map(|rows| rows.to_vec()).unwrap_or_default();
        Ok((rel.columns.iter().map(|column| column.ty.clone()).collect(), rows))
    }

    fn relation(&mut self, relation: &Relation, windows: &[(Ident, WindowSpec)]) -> Bindable<(Rel, Scope)> {
        match relation {
            Relation::Named { name, window, alias } => {
                let Some(last) = name.last() else { return error(Span::default(), "an empty name") };
                let mut rel = self.named(last)?;
                rel.window = Self::join_window(window.as_ref(), windows)?;
                named_scope(rel, alias.as_ref(), Some(&last.name))
            }
            Relation::Derived(query, window, alias) => {
                let mut rel = self.query(query)?;
                rel.window = Self::join_window(window.as_ref(), windows)?;
                named_scope(rel, alias.as_ref(), None)
            }
            Relation::Function { name, cursor, args, alias } => {
                let rel = self.table_function(name, cursor, args)?;
                named_scope(rel, alias.as_ref(), None)
            }
            Relation::Join { kind, left, right, on, using, span } => {
                let (left, right) = (self.relation(left, windows)?, self.relation(right, windows)?);
                self.join(*kind, left, right, on.as_ref(), using, *span)
            }
        }
    }

    fn named(&mut self, name: &Ident) -> Bindable<Rel> {
        if let Some(stream) = self.plan.stream(&name.name) {
            if name.name == "error_stream" {
                return error(name.span, "error_stream cannot be read by a program; an output can be attached to it");
            }
            let mut columns = self.plan.streams[stream].columns.clone();
            columns.push(Column::rowtime());
            let node = self.add(Operator::Scan(stream), Vec::new(), format!("rows of {}", written(&name.name)));
            return Ok(Rel { node, columns, finite: false, window: None, composite: false, grouped: false });
        }
        if let Some(table) = self.tables.iter().find(|table| table.name == name.name) {
            let columns = table.columns.iter().map(|(name, ty)| Column::new(name, ty.clone())).collect();
            return Ok(self.finite(table.rows.clone(), columns));
        }
        let known: Vec<&str> = self
            .plan
            .streams
            .iter()
            .map(|stream| stream.name.as_str())
            .filter(|name| *name != "error_stream")
            .chain(self.tables.iter().map(|table| table.name.as_str()))
            .collect();
        if let Some(exact) = known.iter().find(|known| known.eq_ignore_ascii_case(&name.name)) {
            let message = format!("there is no stream '{}'; there is {}, whose case counts in quotes", name.name, written(exact));
            return Err(Box::new(Diagnostic::error(name.span, message).with_fix(format!("write {}", written(exact)), written(exact))));
        }
        let wrong = Diagnostic::error(name.span, format!("there is no stream or table '{}'; there are: {}", name.name, known.join(", ")));
        Err(Box::new(match near_miss(&name.name, known) {
            Some(near) => wrong.with_fix(format!("write {}", written(near)), written(near)),
            None => wrong,
        }))
    }

    fn join_window(window: Option<&WindowRef>, windows: &[(Ident, WindowSpec)]) -> Bindable<Option<Extent>> {
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

    fn join(
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
    fn join_tables(
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

    fn table_function(&mut self, name: &Ident, cursor: &Query, args: &[Expr]) -> Bindable<Rel> {
        let input = self.query(cursor)?;
        if input.finite {
            return error(cursor.span, "a table function reads a stream");
        }
        // The function sees the cursor's columns only.
        let visible = Self::visible(&input.columns);
        let items: Vec<Typed> = visible.iter().map(|at| Typed { expr: Bound::Cell(*at), ty: input.columns[*at].ty.clone() }).collect();
        let mut columns: Vec<Column> = visible.iter().map(|at| input.columns[*at].clone()).collect();
        let node = self.add(Operator::Project(items, None), vec![input.node], "cursor");
        let scope = Scope::default();
        let mut literals = Vec::new();
        for arg in args {
            let typed = self.bind_in(&scope, arg, "a table function")?;
            let env = Env { cells: &[], out_time: 0, clock: Clock::default(), params: &[] };
            literals.push(typed.expr.eval(&env).map_err(|why| Box::new(Diagnostic::error(arg.span, why.message)))?);
        }
        let span_of = |at: usize| args.get(at).map_or(name.span, |arg| arg.span);
        let number = |at: usize, what: &str, low: i64, high: i64, default: Option<i64>| -> Bindable<i64> {
            match (literals.get(at), default) {
                (None, Some(default)) => Ok(default),
                (Some(Value::Int(value)), _) if (low..=high).contains(value) => Ok(*value),
                _ => error(span_of(at), format!("{}: {what} is a number from {low} to {high}", name.name)),
            }
        };
        let column = |at: usize, columns: &[Column]| -> Bindable<usize> {
            let Some(Value::Text(wanted)) = literals.get(at) else {
                return error(span_of(at), format!("{}: a column name in single quotes is expected", name.name));
            };
            let exact = columns.iter().position(|column| *column.name == **wanted);
            let folded = exact.or_else(|| columns.iter().position(|column| column.name.eq_ignore_ascii_case(wanted)));
            match folded {
                Some(at) => Ok(at),
                None => {
                    let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                    error(span_of(at), format!("the cursor has no column '{wanted}'; it has {}", known.join(", ")))
                }
            }
        };
        let numeric = |columns: &[Column]| -> Vec<(usize, String)> {
            columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.ty.is_integer() || column.ty.is_approximate())
                .map(|(at, column)| (at, column.name.clone()))
                .collect()
        };
        let (function, label) = match name.name.as_str() {
            "TOP_K_ITEMS_TUMBLING" => {
                let cell = column(0, &columns)?;
                let k = number(1, "K", 1, 100_000, None)?;
                let window = number(2, "the window in seconds", 1, 3600, None)?;
                let ty = columns[cell].ty.clone();
                columns = vec![Column::new("ITEM", SqlType::Varchar(1024)), Column::new("ITEM_COUNT", SqlType::BigInt)];
                (TableFunction::TopK(cell, ty, k as usize, window * 1000), format!("the {k} most frequent items of every {window} s"))
            }
            "COUNT_DISTINCT_ITEMS_TUMBLING" => {
                let cell = column(0, &columns)?;
                let window = number(1, "the window in seconds", 1, 3600, None)?;
                columns = vec![Column::new("NUMBER_OF_DISTINCT_ITEMS", SqlType::BigInt)];
                (TableFunction::CountDistinct(cell, window * 1000), format!("distinct items of every {window} s"))
            }
            "GROUP_RANK" => {
                let cell = column(0, &columns)?;
                let word = |at: usize| match literals.get(at) {
                    Some(Value::Text(text)) => text.trim().to_ascii_lowercase(),
                    _ => String::new(),
                };
                let Some(Value::Text(out)) = literals.get(1) else { return error(span_of(1), "GROUP_RANK: the name of the rank column is expected") };
                let output = match word(3).as_str() {
                    "asc" => Some(true),
                    "desc" => Some(false),
                    _ => None,
                };
                let idle = number(4, "maxIdle in milliseconds", 0, i64::MAX, Some(0))?;
                let most = number(5, "outputMax", 0, i64::MAX, Some(0))?;
                columns.push(Column::new(out, SqlType::Integer));
                let ascending = word(2) != "desc";
                (TableFunction::GroupRank { cell, ascending, output, idle, most: most as usize }, "ranks within equal ROWTIME".to_owned())
            }
            "RANDOM_CUT_FOREST" | "RANDOM_CUT_FOREST_WITH_EXPLANATION" => {
                let trees = number(0, "numberOfTrees", 1, 1000, Some(100))?;
                let sample = number(1, "subSampleSize", 10, 1000, Some(256))?;
                let decay = number(2, "timeDecay", 1, 2_147_483_647, Some(100_000))?;
                let shingle = number(3, "shingleSize", 1, 30, Some(1))?;
                if sample >= decay {
                    return error(span_of(2), format!("subSampleSize {sample} must be less than timeDecay {decay}"));
                }
                let cells = numeric(&columns);
                if let Some(column) = columns.iter().find(|column| matches!(column.ty, SqlType::Decimal(..))) {
                    let message = format!(
                        "{}: the column {} is {}; the forest takes no DECIMAL: CAST({} AS DOUBLE)",
                        name.name,
                        column.name,
                        column.ty,
                        written(&column.name)
                    );
                    return error(cursor.span, message);
                }
                if cells.is_empty() || cells.len() > 30 {
                    return error(cursor.span, format!("{}: 1 to 30 numeric columns are expected, found {}", name.name, cells.len()));
                }
                columns.push(Column::new("ANOMALY_SCORE", SqlType::Double));
                let explain = if name.name.ends_with("EXPLANATION") {
                    columns.push(Column::new("ANOMALY_EXPLANATION", SqlType::Varchar(20_480)));
                    Some(literals.get(4).is_some_and(Value::is_true))
                } else {
                    None
                };
                let label = format!("anomaly scores: {trees} trees of {sample} points, shingle {shingle}");
                (
                    TableFunction::Forest {
                        cells,
                        trees: trees as usize,
                        sample: sample as usize,
                        decay: decay as u64,
                        shingle: shingle as usize,
                        explain,
                    },
                    label,
                )
            }
            "HOTSPOTS" => {
                let window = number(0, "windowSize", 100, 1000, None)?;
                let radius = literals.get(1).and_then(Value::number).filter(|radius| *radius > 0.0);
                let Some(radius) = radius else { return error(span_of(1), "HOTSPOTS: scanRadius is a number above 0") };
                let least = number(2, "minimumNumberOfPointsInAHotspot", 2, window, None)?;
                let cells: Vec<usize> = numeric(&columns).into_iter().map(|(at, _)| at).collect();
                if cells.is_empty() {
                    return error(cursor.span, "HOTSPOTS needs numeric columns");
                }
                columns.push(Column::new("HOTSPOTS_RESULT", SqlType::Varchar(10_240)));
                (TableFunction::Hotspots { cells, window: window as usize, radius, least: least as usize }, "hotspots of the last records".to_owned())
            }
            _ => {
                const KNOWN: [&str; 6] = [
                    "TOP_K_ITEMS_TUMBLING",
                    "COUNT_DISTINCT_ITEMS_TUMBLING",
                    "GROUP_RANK",
                    "RANDOM_CUT_FOREST",
                    "RANDOM_CUT_FOREST_WITH_EXPLANATION",
                    "HOTSPOTS",
                ];
                let wrong = Diagnostic::error(name.span, format!("there is no table function '{}'; there are {}", name.name, KNOWN.join(", ")));
                return Err(Box::new(match near_miss(&name.name, KNOWN) {
                    Some(near) => wrong.with_fix(format!("write {near}"), near),
                    None => wrong,
                }));
            }
        };
        columns.push(Column::rowtime());
        let node = self.add(Operator::Table(function), vec![node], label);
        Ok(Rel { node, columns, finite: false, window: None, composite: false, grouped: false })
    }

    #[allow(clippy::too_many_lines)]
    fn select(&mut self, select: &Select, order: &[OrderItem], within: Option<i64>, span: Span) -> Bindable<Rel> {
        self.depth += 1;
        for (at, (name, _)) in select.windows.iter().enumerate() {
            if select.windows[..at].iter().any(|(other, _)| other.name == name.name) {
                return error(name.span, format!("the window '{}' is defined twice", name.name));
            }
        }
        let mut relations = select.from.iter();
        let Some(first) = relations.next() else { return error(span, "FROM is empty") };
        let (mut rel, mut scope) = self.relation(first, &select.windows)?;
        for relation in relations {
            let right = self.relation(relation, &select.windows)?;
            // A comma join's equalities stand in WHERE: they pair rows all the same.
            let on = select.filter.as_ref().filter(|_| !rel.finite || !right.0.finite);
            let on = on.filter(|filter| {
                let mut both = scope.clone();
                let offset = both.columns.len();
                both.columns.extend(right.1.columns.iter().cloned());
                both.relations.extend(right.1.relations.iter().map(|r| Named { from: r.from + offset, to: r.to + offset, ..r.clone() }));
                self.bind_in(&both, filter, "WHERE").is_ok()
            });
            (rel, scope) = self.join(JoinKind::Inner, (rel, scope), right, on, &[], span)?;
        }
        if let Some(filter) = &select.filter {
            let typed = self.bind_in(&scope, filter, "WHERE")?;
            if !matches!(typed.ty.family(), Family::Boolean | Family::Null) {
                return error(filter.span, format!("WHERE needs a condition, found {}", typed.ty));
            }
            if let Some(rows) = self.rows_of(rel.node) {
                let kept: Vec<Arc<[Value]>> = rows.iter().filter(|row| test(&typed.expr, row)).cloned().collect();
                rel = self.finite(kept.into(), rel.columns.clone());
            } else {
                rel.node = self.add(Operator::Filter(typed.expr), vec![rel.node], "WHERE");
            }
        }
        let aggregates = select.items.iter().any(|item| matches!(item, Item::Expr(expr, _) if has_aggregate(expr)))
            || select.having.as_ref().is_some_and(has_aggregate);
        let grouped = select.group.is_some() || select.stagger.is_some();
        if select.having.is_some() && !grouped && !rel.finite {
            return error(select.having.as_ref().map_or(span, |having| having.span), "HAVING needs GROUP BY");
        }
        if aggregates && !grouped && !rel.finite {
            return error(
                select.span,
                "an aggregate without GROUP BY would never end on a stream; add GROUP BY STEP(s.ROWTIME BY INTERVAL '1' MINUTE)",
            );
        }
        if grouped || (aggregates && rel.finite) {
            return self.grouped(select, order, within, span, rel, &scope);
        }
        // Plain rows, with analytic calls.
        let functions = self.functions;
        let width = scope.columns.len();
        let mut items = Vec::new();
        let mut sort = Vec::new();
        let (windows, results) = {
            let mut subqueries = |query: &Query| self.subquery(query);
            let mut binder = Binder {
                scope: &scope,
                place: Place::Select,
                functions,
                params: &[],
                grouping: None,
                windows: &select.windows,
                sliding: Some(Vec::new()),
                clause: "the select list",
                width,
                results: 0,
                subqueries: &mut subqueries,
            };
            bind_items(&mut binder, &select.items, &scope, &mut items)?;
            for item in order {
                sort.push(bind_order(&mut binder, item, &items, &scope)?);
            }
            (binder.sliding.unwrap_or_default(), binder.results)
        };
        let mut inner = scope.clone();
        if results > 0 {
            if rel.finite {
                return error(span, "a call with OVER needs a stream");
            }
            let mut types = vec![SqlType::Null; results];
            for (cell, call) in windows.iter().flat_map(|window| &window.calls) {
                types[cell - width] = call.ty.clone();
            }
            inner.columns.extend(types.into_iter().map(|ty| Column { hidden: true, ..Column::new("", ty) }));
            let label = windows.iter().map(window_words).collect::<Vec<_>>().join("; ");
            rel.node = self.add(Operator::Sliding(windows, width + results), vec![rel.node], label);
        }
        self.finish(select, order, within, span, rel, &inner, items, sort)
    }

    #[allow(clippy::too_many_arguments, clippy::too_many_lines)]
    fn grouped(&mut self, select: &Select, order: &[OrderItem], within: Option<i64>, span: Span, mut rel: Rel, scope: &Scope) -> Bindable<Rel> {
        let empty = Vec::new();
        let terms = select.group.as_ref().or(select.stagger.as_ref().map(|(keys, _)| keys)).unwrap_or(&empty);
        let mut keys: Vec<Typed> = Vec::new();
        let mut direct = 0;
        let mut wrong: Vec<Diagnostic> = Vec::new();
        for term in terms {
            if has_over(term) {
                return error(term.span, "a call with OVER cannot stand in GROUP BY; compute it in a subquery");
            }
            // An ordinal or an alias of the select list may stand for its expression.
            let meant = group_term(term, &select.items, scope);
            let typed = match self.bind_in(scope, meant, "GROUP BY") {
                Ok(typed) => typed,
                Err(found) => {
                    // The other terms are looked at all the same: several findings at once.
                    wrong.push(*found);
                    continue;
                }
            };
            let new = !keys.iter().any(|key| key.expr.same(&typed.expr));
            if select.group.is_some() && scope.names_rowtime(&typed.expr) && new {
                direct += 1;
                if direct == 2 {
                    return error(term.span, "only one term of GROUP BY may name ROWTIME; group by one of them, or compute the other in a subquery");
                }
            }
            if new {
                keys.push(typed);
            }
        }
        if let Some(first) = wrong.pop() {
            self.warnings.extend(wrong);
            return Err(Box::new(first));
        }
        let mut monotonic = Vec::new();
        for (key, typed) in keys.iter().enumerate() {
            if scope.class(&typed.expr).moves() {
                let of_time = scope.of_time(&typed.expr);
                // Rows of an inner group at an instant still belong to the moment before it.
                let up = rounds_up(&typed.expr) || of_time.as_ref().is_some_and(looks_before);
                monotonic.push(MonotonicTerm { key, of_time, up });
            }
        }
        if select.group.is_some() && monotonic.is_empty() && !rel.finite {
            let place = terms.first().map_or(span, |term| term.span);
            let alias =
                scope.relations.first().and_then(|relation| relation.name.clone()).map_or_else(String::new, |name| format!("{}.", written(&name)));
            let mut wrong = Diagnostic::error(
                place,
                "GROUP BY on a stream needs a term that moves with time, or the groups never close: STEP or FLOOR of ROWTIME",
            );
            if let Some(last) = terms.last() {
                let end = Span { start: last.span.end, end: last.span.end };
                wrong.fix = Some(super::diagnostic::Fix {
                    title: format!("add STEP({alias}ROWTIME BY INTERVAL '1' MINUTE)"),
                    span: end,
                    text: format!(", STEP({alias}ROWTIME BY INTERVAL '1' MINUTE)"),
                });
            }
            return Err(Box::new(wrong));
        }
        let functions = self.functions;
        let mut items = Vec::new();
        let mut sort = Vec::new();
        let key_count = keys.len();
        let (calls, having) = {
            let mut subqueries = |query: &Query| self.subquery(query);
            let mut binder = Binder {
                scope,
                place: Place::Select,
                functions,
                params: &[],
                grouping: Some(Grouping { keys: keys.clone(), calls: Vec::new() }),
                windows: &select.windows,
                sliding: None,
                clause: "a grouped query",
                width: 0,
                results: 0,
                subqueries: &mut subqueries,
            };
            bind_items(&mut binder, &select.items, scope, &mut items)?;
            let having = match &select.having {
                None => None,
                Some(having) => {
                    let typed = binder.bind(having)?;
                    if !matches!(typed.ty.family(), Family::Boolean | Family::Null) {
                        return error(having.span, format!("HAVING needs a condition, found {}", typed.ty));
                    }
                    Some(typed.expr)
                }
            };
            for item in order {
                sort.push(bind_order(&mut binder, item, &items, scope)?);
            }
            (binder.grouping.map(|grouping| grouping.calls).unwrap_or_default(), having)
        };
        // Columns of the groups' rows: keys, then aggregates. A key of a closed group is its value just before the closing instant.
        let earlier = just_before();
        let mut columns: Vec<Column> = keys
            .iter()
            .map(|key| {
                let of_time =
                    scope.of_time(&key.expr).and_then(|f| if rounds_up(&key.expr) { Some(f) } else { f.map_cells(&|_| Some(earlier.clone())) });
                Column { class: scope.class(&key.expr), of_time, ..Column::new("", key.ty.clone()) }
            })
            .collect();
        columns.extend(calls.iter().map(|call| {
            // MIN and MAX of ROWTIME go with time.
            let time = call.args.first().is_some_and(|arg| scope.names_rowtime(arg))
                && matches!(
                    call.function,
                    super::plan::Aggregate::Min | super::plan::Aggregate::Max | super::plan::Aggregate::First | super::plan::Aggregate::Last
                );
            Column { class: if time { Class::Asc } else { Class::None }, ..Column::new("", call.ty.clone()) }
        }));
        let inner = Scope { columns, relations: Vec::new() };
        let finite = rel.finite;
        if let Some(rows) = self.rows_of(rel.node) {
            let rows = super::run::group_table(&keys, &calls, &rows, key_count == 0);
            let kept: Vec<Arc<[Value]>> = rows.into_iter().filter(|row| having.as_ref().is_none_or(|having| test(having, row))).collect();
            rel = self.finite(kept.into(), inner.columns.clone());
        } else {
            let (operator, label) = match &select.stagger {
                Some((_, range)) => (
                    Operator::Stagger { keys, range: *range, calls },
                    format!("stagger: the first row of a key opens its window, which closes {} s later", range / 1000),
                ),
                None => {
                    let words = if monotonic.iter().all(|term| term.of_time.is_some()) {
                        "tumbling groups: they close when ROWTIME or the clock passes the end of the window"
                    } else {
                        "groups: they close when a row with another value of the monotonic term arrives"
                    };
                    (Operator::Group { keys, terms: monotonic, calls, finite }, words.to_owned())
                }
            };
            rel.node = self.add(operator, vec![rel.node], label);
            if let Some(having) = having {
                rel.node = self.add(Operator::Filter(having), vec![rel.node], "HAVING");
            }
        }
        rel.grouped = true;
        rel.columns.clone_from(&inner.columns);
        self.finish(select, order, within, span, rel, &inner, items, sort)
    }

    /// Select list, DISTINCT, ORDER BY.
    #[allow(clippy::too_many_arguments, clippy::too_many_lines)]
    fn finish(
        &mut self,
        select: &Select,
        order: &[OrderItem],
        within: Option<i64>,
        span: Span,
        rel: Rel,
        scope: &Scope,
        items: Vec<Output>,
        sort: Vec<Typed>,
    ) -> Bindable<Rel> {
        let mut time: Option<&Output> = None;
        let mut shown: Vec<&Output> = Vec::new();
        for item in &items {
            if item.rowtime {
                if time.is_some() {
                    return error(item.span, "AS ROWTIME stands twice");
                }
                if item.typed.ty != SqlType::Timestamp {
                    return error(item.span, format!("AS ROWTIME needs a TIMESTAMP, found {}", item.typed.ty));
                }
                let asserted = within.is_some() || matches!(item.typed.expr, Bound::OutTime);
                if !asserted && !scope.class(&item.typed.expr).moves() && !rel.finite {
                    return error(
                        item.span,
                        "AS ROWTIME needs an expression that moves with time: ROWTIME itself, MIN or MAX of it, MONOTONIC(…), or ORDER BY … WITHIN",
                    );
                }
                time = Some(item);
            } else {
                shown.push(item);
            }
        }
        let mut columns: Vec<Column> = Vec::new();
        for item in &shown {
            let mut name = item.name.clone();
            let mut suffix = 0;
            while columns.iter().any(|column| column.name == name) {
                name = format!("{}{suffix}", item.name);
                suffix += 1;
            }
            let (class, of_time) = (scope.class(&item.typed.expr), if time.is_some() { None } else { scope.of_time(&item.typed.expr) });
            columns.push(Column { class, of_time, ..Column::new(&name, item.typed.ty.clone()) });
        }
        let width = columns.len();
        let mut exprs: Vec<Typed> = shown.iter().map(|item| item.typed.clone()).collect();
        if let Some(rows) = self.rows_of(rel.node) {
            let mut out: Vec<Arc<[Value]>> = Vec::new();
            for row in rows.iter() {
                let env = Env { cells: row, out_time: 0, clock: Clock::default(), params: &[] };
                let cells: Result<Vec<Value>, _> = exprs.iter().map(|typed| typed.expr.eval(&env)).collect();
                if let Ok(cells) = cells
                    && !(select.distinct && out.iter().any(|known| known.iter().zip(&cells).all(|(a, b)| a.same(b))))
                {
                    out.push(cells.into());
                }
            }
            return Ok(self.finite(out.into(), columns));
        }
        columns.push(Column::rowtime());
        let names = columns.iter().filter(|column| !column.hidden).map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(slack) = within {
            let [item] = order else { return error(span, "ORDER BY … WITHIN sorts by one timestamp") };
            let Some(time) = time else {
                return error(item.expr.span, "ORDER BY … WITHIN needs the same expression AS ROWTIME in the select list");
            };
            if item.descending {
                return error(item.expr.span, "ORDER BY … WITHIN gives ROWTIME and goes up; DESC is not possible");
            }
            if sort[0].ty != SqlType::Timestamp {
                return error(item.expr.span, format!("ORDER BY … WITHIN sorts by a TIMESTAMP, found {}", sort[0].ty));
            }
            if !sort[0].expr.same(&time.typed.expr) {
                return error(item.expr.span, "ORDER BY … WITHIN needs the same expression AS ROWTIME in the select list");
            }
            if matches!(sort[0].expr, Bound::OutTime) {
                return error(item.expr.span, "ROWTIME inside ORDER BY … WITHIN must be written with its stream: alias.ROWTIME");
            }
            exprs.push(time.typed.clone());
            let project = self.add(Operator::Project(exprs, None), vec![rel.node], format!("select {names}"));
            let node = self.add(
                Operator::TimeSort(slack),
                vec![project],
                format!("rows wait until one {} s newer has come, then leave in order", slack / 1000),
            );
            for column in &mut columns {
                if !column.rowtime {
                    column.of_time = None;
                }
            }
            return Ok(Rel { node, columns, finite: false, window: None, composite: false, grouped: false });
        }
        let sorted = !order.is_empty();
        let terms: Vec<Typed> = sort;
        if sorted {
            exprs.extend(terms.iter().cloned());
        }
        let node = self.add(Operator::Project(exprs, time.map(|item| item.typed.expr.clone())), vec![rel.node], format!("select {names}"));
        let mut out = Rel { node, columns: columns.clone(), finite: false, window: None, composite: rel.composite, grouped: rel.grouped };
        if select.distinct {
            let all: Vec<usize> = (0..width).collect();
            let monotonic: Vec<usize> = all.iter().copied().filter(|at| columns[*at].class.moves()).collect();
            if monotonic.is_empty() {
                return error(
                    select.span,
                    "SELECT DISTINCT on a stream needs an item that moves with time, or its memory never ends: FLOOR or STEP of ROWTIME",
                );
            }
            let compared = all
                .into_iter()
                .filter(|at| !matches!(shown[*at].typed.expr, Bound::OutTime) && !is_rowtime_cell(&shown[*at].typed.expr, scope))
                .collect();
            out.node = self.add(
                Operator::Distinct { compared, monotonic },
                vec![out.node],
                "DISTINCT: a row leaves when it is first seen; forgotten when time moves on",
            );
        }
        if sorted {
            return self.sorted_projection(out, scope, &terms, order, width, span);
        }
        Ok(out)
    }

    /// A sort behind a projection whose cells after `width` are the sort's terms.
    fn sorted_projection(&mut self, rel: Rel, scope: &Scope, terms: &[Typed], order: &[OrderItem], width: usize, span: Span) -> Bindable<Rel> {
        let Some(leading) = terms.first() else { return error(span, "ORDER BY is empty") };
        let class = scope.class(&leading.expr);
        if !class.moves() {
            return error(order[0].expr.span, "ORDER BY on a stream begins with a term that moves with time, such as FLOOR(s.ROWTIME TO MINUTE)");
        }
        let is_time = matches!(leading.expr, Bound::OutTime) || is_rowtime_cell(&leading.expr, scope);
        let keep_time = is_time || rel.grouped;
        let of_time = if keep_time { Some(Bound::Cell(0)) } else { scope.of_time(&leading.expr) };
        let planned = order
            .iter()
            .enumerate()
            .map(|(at, item)| SortTerm { cell: width + at, descending: item.descending, nulls_first: item.nulls_first.unwrap_or(item.descending) })
            .collect();
        let node = self.add(
            Operator::Sort { terms: planned, of_time, keep_time, width },
            vec![rel.node],
            "ORDER BY: rows wait until the leading term moves on, then leave sorted",
        );
        Ok(Rel { node, ..rel })
    }

    fn sort_terms(&mut self, order: &[OrderItem], scope: &Scope, _width: usize, _select: Option<&Select>) -> Bindable<Vec<(Typed, bool)>> {
        let mut terms = Vec::new();
        for item in order {
            terms.push((self.bind_in(scope, &item.expr, "ORDER BY")?, item.descending));
        }
        Ok(terms)
    }

    /// ORDER BY on top of UNION ALL.
    fn sorted(&mut self, rel: Rel, scope: &Scope, terms: Vec<Typed>, order: &[OrderItem], span: Span, _width: usize) -> Bindable<Rel> {
        let visible = Self::visible(&rel.columns);
        let mut exprs: Vec<Typed> = visible.iter().map(|at| Typed { expr: Bound::Cell(*at), ty: rel.columns[*at].ty.clone() }).collect();
        let width = exprs.len();
        exprs.extend(terms.iter().cloned());
        let node = self.add(Operator::Project(exprs, None), vec![rel.node], "terms of ORDER BY");
        let mut columns: Vec<Column> = visible.iter().map(|at| rel.columns[*at].clone()).collect();
        columns.push(Column::rowtime());
        self.sorted_projection(Rel { node, columns, ..rel }, scope, &terms, order, width, span)
    }
}

fn is_rowtime_cell(expr: &Bound, scope: &Scope) -> bool {
    matches!(expr, Bound::Cell(at) if scope.columns.get(*at).is_some_and(|column| column.rowtime))
}

/// An item of the select list, bound.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub name: String,
    pub typed: Typed,
    /// AS ROWTIME.
    pub rowtime: bool,
    pub span: Span,
}

fn bind_items(binder: &mut Binder<'_>, items: &[Item], scope: &Scope, out: &mut Vec<Output>) -> Bindable<()> {
    for item in items {
        match item {
            Item::Star(name, span) => {
                if binder.grouping.is_some() {
                    return error(*span, "* cannot stand in a grouped query: name the grouped columns and aggregates");
                }
                let range = match name {
                    None => 0..scope.columns.len(),
                    Some(name) => match scope.relations.iter().find(|relation| relation.name.as_deref() == Some(&name.name)) {
                        Some(relation) => relation.from..relation.to,
                        None => return error(name.span, format!("no relation is named '{}' here", name.name)),
                    },
                };
                for at in range {
                    let column = &scope.columns[at];
                    if !column.hidden {
                        out.push(Output {
                            name: column.name.clone(),
                            typed: Typed { expr: Bound::Cell(at), ty: column.ty.clone() },
                            rowtime: false,
                            span: *span,
                        });
                    }
                }
            }
            Item::Expr(expr, alias) => {
                let typed = binder.bind(expr)?;
                let rowtime = alias.as_ref().is_some_and(|alias| alias.name == "ROWTIME" && !alias.quoted);
                let name = match (alias, &expr.kind) {
                    (Some(alias), _) => alias.name.clone(),
                    (None, Kind::Name(parts)) => parts.last().map_or_else(String::new, |part| part.name.clone()),
                    _ => format!("EXPR${}", out.len()),
                };
                out.push(Output { name, typed, rowtime, span: expr.span });
            }
        }
    }
    Ok(())
}

/// A term of ORDER BY: an ordinal, an alias of the select list, or an expression.
fn bind_order(binder: &mut Binder<'_>, item: &OrderItem, items: &[Output], scope: &Scope) -> Bindable<Typed> {
    match &item.expr.kind {
        Kind::Literal(Value::Int(at), _) => match items.get((*at - 1).max(0) as usize) {
            Some(output) if *at >= 1 => return Ok(output.typed.clone()),
            _ => return error(item.expr.span, format!("the select list has no item {at}")),
        },
        Kind::Name(parts) => {
            if let [single] = parts.as_slice()
                && let Some(output) = items.iter().find(|output| output.name == single.name && !output.rowtime)
                && (binder.grouping.is_some() || scope.find(parts).is_err() || !matches!(output.typed.expr, Bound::Cell(_)))
            {
                return Ok(output.typed.clone());
            }
        }
        _ => {}
    }
    binder.bind(&item.expr)
}

/// What a term of GROUP BY means: an alias of the select list when it is no column.
fn group_term<'e>(term: &'e Expr, items: &'e [Item], scope: &Scope) -> &'e Expr {
    if let Kind::Name(parts) = &term.kind
        && let [single] = parts.as_slice()
        && single.name != "ROWTIME"
        && scope.find(parts).is_err()
    {
        for item in items {
            if let Item::Expr(expr, Some(alias)) = item
                && alias.name == single.name
            {
                return expr;
            }
        }
    }
    term
}

fn named_scope(mut rel: Rel, alias: Option<&Alias>, own: Option<&str>) -> Bindable<(Rel, Scope)> {
    if let Some(Alias { name, columns: Some(names) }) = alias {
        let visible: Vec<usize> = (0..rel.columns.len()).filter(|at| !rel.columns[*at].hidden).collect();
        if let Some(wrong) = names.iter().find(|name| name.name == "ROWTIME") {
            return error(wrong.span, "ROWTIME can neither be renamed nor be a new name");
        }
        if visible.len() != names.len() {
            return error(name.span, format!("{} new names for {} columns: they must agree", names.len(), visible.len()));
        }
        for (at, name) in visible.into_iter().zip(names) {
            rel.columns[at].name.clone_from(&name.name);
        }
    }
    let name = alias.map(|alias| alias.name.name.clone()).or_else(|| own.map(str::to_owned));
    let scope = Scope { columns: rel.columns.clone(), relations: vec![Named { name, from: 0, to: rel.columns.len() }] };
    Ok((rel, scope))
}

fn split_and(expr: &Bound, into: &mut Vec<Bound>) {
    match expr {
        Bound::And(a, b) => {
            split_and(a, into);
            split_and(b, into);
        }
        other => into.push(other.clone()),
    }
}

fn test(expr: &Bound, row: &[Value]) -> bool {
    let env = Env { cells: row, out_time: 0, clock: Clock::default(), params: &[] };
    expr.eval(&env).is_ok_and(|value| value.is_true())
}

/// Rows of two sides meet.
pub(super) fn meets(left: &[Value], right: &[Value], both: &[Value], on: Option<&Bound>, equal: &[(Bound, Bound)]) -> bool {
    let value = |expr: &Bound, cells: &[Value]| expr.eval(&Env { cells, out_time: 0, clock: Clock::default(), params: &[] });
    equal.iter().all(|(a, b)| matches!((value(a, left), value(b, right)), (Ok(a), Ok(b)) if a.compare(&b) == Some(std::cmp::Ordering::Equal)))
        && on.is_none_or(|on| test(on, both))
}

/// An aggregate (without OVER) stands in the expression.
fn has_aggregate(expr: &Expr) -> bool {
    any_call(expr, &|call| {
        call.over.is_none()
            && matches!(
                call.name.as_str(),
                "COUNT"
                    | "SUM"
                    | "AVG"
                    | "MIN"
                    | "MAX"
                    | "STDDEV_POP"
                    | "STDDEV_SAMP"
                    | "STDDEV"
                    | "STD_DEV"
                    | "VAR_POP"
                    | "VAR_SAMP"
                    | "VARIANCE"
                    | "ANY"
                    | "SOME"
                    | "EVERY"
                    | "FIRST_VALUE"
                    | "LAST_VALUE"
                    | "EXP_AVG"
            )
    })
}

fn has_over(expr: &Expr) -> bool {
    any_call(expr, &|call| call.over.is_some())
}

fn any_call(expr: &Expr, test: &dyn Fn(&super::ast::Call) -> bool) -> bool {
    let go = |expr: &Expr| any_call(expr, test);
    match &expr.kind {
        Kind::Call(call) => test(call) || call.args.iter().any(go),
        Kind::Unary(_, a) | Kind::Cast(a, _) | Kind::Is(_, _, a) | Kind::Qualified(a, _) | Kind::ToUnit(_, a, _) | Kind::InQuery(_, a, _) => go(a),
        Kind::Binary(_, a, b) | Kind::Distinct(_, a, b) | Kind::Temporal(_, _, a, b) => go(a) || go(b),
        Kind::Case(a, branches, b) => a.as_deref().is_some_and(go) || branches.iter().any(|(x, y)| go(x) || go(y)) || b.as_deref().is_some_and(go),
        Kind::Between(_, a, b, c) => go(a) || go(b) || go(c),
        Kind::In(_, a, list) => go(a) || list.iter().any(go),
        Kind::Match(_, _, a, b, c) => go(a) || go(b) || c.as_deref().is_some_and(go),
        Kind::Row(parts) => parts.iter().any(go),
        Kind::Literal(..) | Kind::Name(_) | Kind::Exists(_) => false,
    }
}

fn window_words(window: &SlidingWindow) -> String {
    let extent = match window.extent {
        Extent::Unbounded => "everything since the start".to_owned(),
        Extent::Range(ms) => format!("the last {} s", ms as f64 / 1000.0),
        Extent::Rows(rows) => format!("{rows} rows before"),
    };
    format!("sliding over {extent}, {} partition terms: one row out per row in, at once", window.partition.len())
}
