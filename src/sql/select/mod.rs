//! Queries to operators: FROM, WHERE, GROUP BY, windows, select list, ORDER BY.

mod group;
mod join;
mod sort;
mod table;

use std::sync::Arc;

use super::functions::Clock;
use crate::sql::ast::{Alias, Expr, Ident, Item, JoinKind, Kind, OrderItem, Query, QueryBody, Relation, Select, WindowSpec};
use crate::sql::bind::{Bindable, Binder, Place, TableRows, UserFunction};
use crate::sql::bound::{Bound, Env, Typed};
use crate::sql::diagnostic::{Diagnostic, Span, near_miss};
use crate::sql::plan::{Extent, Node, Operator, Plan, SlidingWindow};
use crate::sql::scope::{Column, Named, Scope, written};
use crate::sql::types::{Family, SqlType};
use crate::sql::value::Value;

use group::has_aggregate;
use join::test;
use sort::bind_order;

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
                if query.order.is_empty() { Ok(rel) } else { self.sorted_union(rel, &query.order, query.span) }
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

fn has_over(expr: &Expr) -> bool {
    any_call(expr, &|call| call.over.is_some())
}

fn any_call(expr: &Expr, test: &dyn Fn(&crate::sql::ast::Call) -> bool) -> bool {
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
