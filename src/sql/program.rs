//! Application code to a plan: streams, functions, pumps, and the checks between them.

use std::sync::Arc;

use super::ast::{ColumnDef, Ident, Query, Statement};
use super::bind::{Binder, Place, UserFunction};
use super::bound::Typed;
use super::diagnostic::{Diagnostic, Severity, Span, near_miss};
use super::parse;
use super::plan::{Plan, PumpPlan, StreamPlan};
use super::scope::{Column, Scope, written};
use super::select::{Planner, Table};
use super::types::SqlType;
use super::value::Value;

/// Application code has at most 100 KB.
const CODE_MAX: usize = 100 * 1024;

/// A stream of the application's input.
#[derive(Debug, Clone)]
pub struct SourceStream {
    /// Name, case kept.
    pub name: String,
    /// Columns: name, type, NOT NULL.
    pub columns: Vec<(String, SqlType, bool)>,
}

/// A reference table.
#[derive(Debug, Clone)]
pub struct ReferenceTable {
    /// Name, case kept.
    pub name: String,
    /// Columns.
    pub columns: Vec<(String, SqlType)>,
    /// Rows.
    pub rows: Vec<Vec<Value>>,
}

/// What a program can read from outside.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Input streams.
    pub sources: Vec<SourceStream>,
    /// Reference tables.
    pub tables: Vec<ReferenceTable>,
}

/// A checked program and its warnings.
#[derive(Debug, Clone)]
pub struct Program {
    /// What runs.
    pub plan: Arc<Plan>,
    /// What it can run with.
    pub warnings: Vec<Diagnostic>,
}

/// Columns that the service adds to its input streams; reached by name, no part of `*`.
const HIDDEN: [(&str, SqlType); 4] = [
    ("APPROXIMATE_ARRIVAL_TIME", SqlType::Timestamp),
    ("SHARD_ID", SqlType::Varchar(64)),
    ("SEQUENCE_NUMBER", SqlType::Varchar(128)),
    ("PARTITION_KEY", SqlType::Varchar(256)),
];

fn error_stream() -> StreamPlan {
    let columns = [
        ("ERROR_TIME", SqlType::Timestamp),
        ("ERROR_LEVEL", SqlType::Varchar(10)),
        ("ERROR_NAME", SqlType::Varchar(32)),
        ("MESSAGE", SqlType::Varchar(4096)),
        ("DATA_ROWTIME", SqlType::Timestamp),
        ("DATA_ROW", SqlType::Varchar(49_152)),
        ("PUMP_NAME", SqlType::Varchar(128)),
    ];
    let columns = columns.into_iter().map(|(name, ty)| Column::new(name, ty)).collect();
    StreamPlan { name: "error_stream".to_owned(), columns, source: false, declared: false }
}

struct Compiler {
    plan: Plan,
    tables: Vec<Table>,
    functions: Vec<UserFunction>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// Streams that a pump has used.
    used: Vec<bool>,
    text: String,
}

impl Program {
    /// Compiles application code.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the text.
    pub fn compile(text: &str, catalog: &Catalog) -> Result<Self, Vec<Diagnostic>> {
        if text.len() > CODE_MAX {
            let message = format!("the code has {} bytes; an application takes at most {CODE_MAX}", text.len());
            return Err(vec![Diagnostic::error(Span { start: 0, end: 0 }, message)]);
        }
        let (statements, errors) = parse::program(text);
        let mut compiler = Compiler {
            plan: Plan::default(),
            tables: Vec::new(),
            functions: Vec::new(),
            errors,
            warnings: Vec::new(),
            used: Vec::new(),
            text: text.to_owned(),
        };
        for source in &catalog.sources {
            let mut columns: Vec<Column> =
                source.columns.iter().map(|(name, ty, not_null)| Column { not_null: *not_null, ..Column::new(name, ty.clone()) }).collect();
            for (name, ty) in HIDDEN {
                if !columns.iter().any(|column| column.name == name) {
                    columns.push(Column { hidden: true, ..Column::new(name, ty) });
                }
            }
            // A declared column of a hidden one's name takes its place.
            for column in &mut columns {
                column.hidden = HIDDEN.iter().any(|(name, _)| *name == column.name);
            }
            compiler.plan.streams.push(StreamPlan { name: source.name.clone(), columns, source: true, declared: false });
            compiler.used.push(true);
        }
        for table in &catalog.tables {
            let rows: Vec<Arc<[Value]>> = table.rows.iter().map(|row| row.clone().into()).collect();
            compiler.tables.push(Table { name: table.name.clone(), columns: table.columns.clone(), rows: rows.into() });
        }
        compiler.plan.streams.push(error_stream());
        compiler.used.push(true);
        compiler.program(&statements);
        compiler.errors.sort_by_key(|error| error.span.start);
        if compiler.errors.is_empty() {
            compiler.warnings.sort_by_key(|warning| warning.span.start);
            Ok(Self { plan: Arc::new(compiler.plan), warnings: compiler.warnings })
        } else {
            Err(compiler.errors)
        }
    }
}

/// Binds an expression alone, over nothing.
///
/// # Errors
/// What is wrong with it.
pub fn expression(text: &str) -> Result<Typed, Diagnostic> {
    let expr = parse::expression(text)?;
    let scope = Scope::default();
    let mut none = |query: &Query| Err(Box::new(Diagnostic::error(query.span, "there is nothing to read here")));
    let mut binder = Binder {
        scope: &scope,
        place: Place::Inside,
        functions: &[],
        params: &[],
        grouping: None,
        windows: &[],
        sliding: None,
        clause: "an expression",
        width: 0,
        results: 0,
        subqueries: &mut none,
    };
    binder.bind(&expr).map_err(|error| *error)
}

impl Compiler {
    fn fail(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(Diagnostic::error(span, message));
    }

    fn program(&mut self, statements: &[Statement]) {
        // Streams that only later text declares may be named before: say so, and let it run.
        let later: Vec<(&Ident, &[ColumnDef])> = statements
            .iter()
            .filter_map(|statement| match statement {
                Statement::Stream { name, columns, .. } => Some((name, columns.as_slice())),
                _ => None,
            })
            .collect();
        for statement in statements {
            match statement {
                Statement::Stream { replace, name, columns } => self.stream(*replace, name, columns),
                Statement::Function { replace, name, parameters, returns, strict, body } => {
                    self.function(*replace, name, parameters, returns, *strict, body);
                }
                Statement::Pump { replace, name, stopped, target, columns, query } => {
                    for wanted in names_of(query).into_iter().chain([target.name.clone()]) {
                        let unknown = self.plan.stream(&wanted).is_none() && !self.tables.iter().any(|table| table.name == wanted);
                        if unknown && let Some((ident, columns)) = later.iter().find(|(ident, _)| ident.name == wanted) {
                            self.warnings
                                .push(Diagnostic::warning(name.span, format!("the pump uses {}, which is created after it", written(&wanted))));
                            self.stream(true, ident, columns);
                        }
                    }
                    self.pump(*replace, name, *stopped, target, columns.as_deref(), query);
                }
                Statement::AlterPump { name, start } => match self.plan.pumps.iter_mut().find(|pump| pump.name == name.name) {
                    Some(pump) => pump.started = *start,
                    None => self.fail(name.span, format!("there is no pump '{}'", name.name)),
                },
                Statement::Drop { pump: true, name } => match self.plan.pumps.iter_mut().find(|pump| pump.name == name.name) {
                    Some(pump) => pump.started = false,
                    None => self.fail(name.span, format!("there is no pump '{}'", name.name)),
                },
                Statement::Drop { pump: false, name } => match self.plan.stream(&name.name) {
                    None => self.fail(name.span, format!("there is no stream '{}'", name.name)),
                    Some(stream) if self.used[stream] => self.fail(name.span, format!("the stream '{}' is in use and cannot be dropped", name.name)),
                    Some(_) => {}
                },
            }
            if self.errors.len() >= 20 {
                return;
            }
        }
    }

    fn stream(&mut self, replace: bool, name: &Ident, columns: &[ColumnDef]) {
        if name.name.eq_ignore_ascii_case("error_stream") {
            self.fail(name.span, "error_stream is the service's own; choose another name");
            return;
        }
        if self.tables.iter().any(|table| table.name == name.name) {
            self.fail(name.span, format!("a reference table is named '{}' already", name.name));
            return;
        }
        let mut planned: Vec<Column> = Vec::new();
        for column in columns {
            if planned.iter().any(|known| known.name == column.name.name) {
                self.fail(column.name.span, format!("the column '{}' is declared twice", column.name.name));
                continue;
            }
            planned.push(Column { not_null: column.not_null, ..Column::new(&column.name.name, column.ty.clone()) });
        }
        let stream = StreamPlan { name: name.name.clone(), columns: planned, source: false, declared: true };
        match self.plan.stream(&name.name) {
            None => {
                self.plan.streams.push(stream);
                self.used.push(false);
            }
            Some(at) if self.plan.streams[at].source => self.fail(name.span, format!("'{}' is the application's input", name.name)),
            Some(_) if !replace => {
                let wrong = Diagnostic::error(name.span, format!("a stream '{}' exists already; write CREATE OR REPLACE STREAM", name.name));
                self.errors.push(wrong);
            }
            Some(at) if self.used[at] => {
                // Created early because a pump before it needed it: that is the same stream.
                let same = self.plan.streams[at].columns.len() == stream.columns.len()
                    && self.plan.streams[at].columns.iter().zip(&stream.columns).all(|(a, b)| a.name == b.name && a.ty == b.ty)
                    && self.warnings.iter().any(|warning| warning.message.contains(&format!("{}, which is created after", written(&name.name))));
                if !same {
                    self.fail(name.span, format!("the stream '{}' is used by a pump above and cannot be defined again", name.name));
                }
            }
            Some(at) => self.plan.streams[at] = stream,
        }
    }

    fn function(&mut self, replace: bool, name: &Ident, parameters: &[(Ident, SqlType)], returns: &SqlType, strict: bool, body: &super::ast::Expr) {
        let params: Vec<(String, SqlType)> = parameters.iter().map(|(name, ty)| (name.name.clone(), ty.clone())).collect();
        let scope = Scope::default();
        let mut none = |query: &Query| Err(Box::new(Diagnostic::error(query.span, "a function's body reads nothing")));
        let bound = {
            let mut binder = Binder {
                scope: &scope,
                place: Place::Inside,
                functions: &self.functions,
                params: &params,
                grouping: None,
                windows: &[],
                sliding: None,
                clause: "a function's body",
                width: 0,
                results: 0,
                subqueries: &mut none,
            };
            binder.bind(body)
        };
        let typed = match bound {
            Ok(typed) => typed,
            Err(error) => {
                self.errors.push(*error);
                return;
            }
        };
        if !typed.ty.fits(returns) {
            self.fail(body.span, format!("the body gives {}, RETURNS says {returns}", typed.ty));
            return;
        }
        let typed = if typed.ty == *returns {
            typed
        } else {
            Typed { expr: super::bound::Bound::Cast(Box::new(typed.expr), typed.ty, returns.clone()), ty: returns.clone() }
        };
        let same =
            |function: &UserFunction| function.name == name.name && function.parameters.iter().map(|(_, ty)| ty).eq(params.iter().map(|(_, ty)| ty));
        if self.functions.iter().any(same) && !replace {
            self.fail(name.span, format!("a function '{}' with these parameters exists already", name.name));
            return;
        }
        self.functions.retain(|function| !same(function));
        self.functions.push(UserFunction { name: name.name.clone(), parameters: params, returns: returns.clone(), strict, body: Arc::new(typed) });
    }

    fn pump(&mut self, replace: bool, name: &Ident, stopped: bool, target: &Ident, columns: Option<&[Ident]>, query: &Query) {
        if let Some(at) = self.plan.pumps.iter().position(|pump| pump.name == name.name) {
            if !replace {
                self.fail(name.span, format!("a pump '{}' exists already; write CREATE OR REPLACE PUMP", name.name));
                return;
            }
            // The earlier one of the name is replaced: it never runs.
            self.plan.pumps[at].started = false;
            self.plan.pumps[at].name.push_str(" (replaced)");
        }
        let planned = {
            let Self { plan, tables, functions, warnings, .. } = self;
            let mut planner = Planner { plan, tables, functions, warnings, depth: 0 };
            planner.query(query)
        };
        let rel = match planned {
            Ok(rel) => rel,
            Err(error) => {
                self.errors.push(*error);
                // Findings beside the one that stopped the query, and the count of columns, which needs no names.
                let (more, warnings) = std::mem::take(&mut self.warnings).into_iter().partition(|finding| finding.severity == Severity::Error);
                let more: Vec<Diagnostic> = more;
                self.errors.extend(more);
                self.warnings = warnings;
                self.count_columns(target, columns, query);
                return;
            }
        };
        let mut read = Vec::new();
        for node in &self.plan.nodes {
            if let super::plan::Operator::Scan(stream) = node.operator {
                read.push(stream);
            }
        }
        for stream in read {
            self.used[stream] = true;
        }
        if rel.finite {
            self.fail(query.span, "the query reads only tables; a pump needs a stream");
            return;
        }
        let Some(stream) = self.plan.stream(&target.name) else {
            let known: Vec<&str> = self.plan.streams.iter().filter(|stream| stream.declared).map(|stream| stream.name.as_str()).collect();
            let exact = known.iter().find(|known| known.eq_ignore_ascii_case(&target.name));
            let others = if known.is_empty() { "none is declared before it".to_owned() } else { format!("there are: {}", known.join(", ")) };
            let wrong = Diagnostic::error(target.span, format!("there is no stream '{}' to insert into; {others}", target.name));
            let near = exact.copied().or_else(|| near_miss(&target.name, known.iter().copied()));
            self.errors.push(match near {
                Some(near) => wrong.with_fix(format!("write {}", written(near)), written(near)),
                None => wrong,
            });
            return;
        };
        if !self.plan.streams[stream].declared {
            self.fail(target.span, format!("'{}' cannot be inserted into: it is not a stream of the code", target.name));
            return;
        }
        self.used[stream] = true;
        if self.feeds(stream, rel.node) {
            self.fail(target.span, format!("the pump reads what it feeds: '{}' would go round in a circle", target.name));
            return;
        }
        let Some(assign) = self.assignment(stream, target, columns, query, &rel.columns) else { return };
        let text = self.text.get(query.span.start..query.span.end).unwrap_or_default().to_owned();
        let declared = &self.plan.streams[stream].columns;
        let as_is = rel.columns.len() == declared.len() + 1
            && assign.iter().zip(declared).enumerate().all(|(at, (source, column))| {
                !column.not_null && source.as_ref().is_some_and(|(cell, ty)| *cell == at && *ty == column.ty && !matches!(ty, SqlType::Char(_)))
            });
        self.plan.pumps.push(PumpPlan { name: name.name.clone(), target: stream, root: rel.node, assign, as_is, started: !stopped, text });
    }

    /// The number of items against the number of columns, from the text alone.
    fn count_columns(&mut self, target: &Ident, columns: Option<&[Ident]>, query: &Query) {
        let super::ast::QueryBody::Select(select) = &query.body else { return };
        let mut items = 0;
        for item in &select.items {
            match item {
                super::ast::Item::Star(..) => return,
                super::ast::Item::Expr(_, alias) => items += usize::from(alias.as_ref().is_none_or(|alias| alias.name != "ROWTIME")),
            }
        }
        let Some(stream) = self.plan.stream(&target.name).filter(|stream| self.plan.streams[*stream].declared) else { return };
        let wanted = columns.map_or(self.plan.streams[stream].columns.len(), <[Ident]>::len);
        if wanted != items {
            let message = format!("the query gives {items} columns, {} takes {wanted}: items and columns pair up by position", written(&target.name));
            self.fail(target.span, message);
        }
    }

    /// Pairs select items with columns.
    fn assignment(
        &mut self,
        stream: usize,
        target: &Ident,
        columns: Option<&[Ident]>,
        query: &Query,
        items: &[Column],
    ) -> Option<Vec<Option<(usize, SqlType)>>> {
        let mut items: Vec<(usize, &Column)> = items.iter().enumerate().filter(|(_, column)| !column.hidden).collect();
        let declared = self.plan.streams[stream].columns.clone();
        let mut wanted: Vec<usize> = Vec::new();
        match columns {
            None => wanted.extend(0..declared.len()),
            Some(columns) => {
                for (place, column) in columns.iter().enumerate() {
                    if column.name == "ROWTIME" && !declared.iter().any(|known| known.name == "ROWTIME") {
                        // It is the item aliased ROWTIME, which is no column, or an item of its own.
                        if items.len() == columns.len() && place < items.len() {
                            items.remove(place);
                        }
                        continue;
                    }
                    match declared.iter().position(|known| known.name == column.name) {
                        Some(at) if wanted.contains(&at) => {
                            self.fail(column.span, format!("the column '{}' stands twice", column.name));
                            return None;
                        }
                        Some(at) => wanted.push(at),
                        None => {
                            let known: Vec<&str> = declared.iter().map(|column| column.name.as_str()).collect();
                            let exact = known.iter().find(|known| known.eq_ignore_ascii_case(&column.name)).copied();
                            let wrong = Diagnostic::error(
                                column.span,
                                format!("{} has no column '{}'; it has {}", target.name, column.name, known.join(", ")),
                            );
                            self.errors.push(match exact.or_else(|| near_miss(&column.name, known.iter().copied())) {
                                Some(near) => wrong.with_fix(format!("write {}", written(near)), written(near)),
                                None => wrong,
                            });
                            return None;
                        }
                    }
                }
            }
        }
        if wanted.len() != items.len() {
            let message = format!(
                "the query gives {} columns, {} takes {}: items and columns pair up by position",
                items.len(),
                written(&target.name),
                wanted.len()
            );
            self.fail(query.span, message);
            return None;
        }
        let mut assign: Vec<Option<(usize, SqlType)>> = vec![None; declared.len()];
        let mut good = true;
        for (at, (cell, item)) in wanted.iter().zip(&items) {
            let column = &declared[*at];
            if !item.ty.fits(&column.ty) {
                let message = format!(
                    "item {} is {} and cannot be stored in {} {}; cast it: CAST({} AS {})",
                    items.iter().position(|(other, _)| other == cell).unwrap_or(0) + 1,
                    item.ty,
                    written(&column.name),
                    column.ty,
                    written(&item.name),
                    column.ty
                );
                self.errors.push(Diagnostic::error(query.span, message));
                good = false;
            }
            assign[*at] = Some((*cell, item.ty.clone()));
        }
        for (column, source) in declared.iter().zip(&assign) {
            if column.not_null && source.is_none() {
                self.fail(target.span, format!("{} is NOT NULL and gets no value", written(&column.name)));
                good = false;
            }
        }
        good.then_some(assign)
    }

    /// A node reads, directly or through pumps, what would be written.
    fn feeds(&self, stream: usize, root: usize) -> bool {
        let mut nodes = vec![root];
        let mut seen = vec![false; self.plan.streams.len()];
        while let Some(node) = nodes.pop() {
            let planned = &self.plan.nodes[node];
            nodes.extend(planned.inputs.iter().copied());
            if let super::plan::Operator::Scan(read) = planned.operator {
                if read == stream {
                    return true;
                }
                if !std::mem::replace(&mut seen[read], true) {
                    nodes.extend(self.plan.pumps.iter().filter(|pump| pump.target == read).map(|pump| pump.root));
                }
            }
        }
        false
    }
}

/// Streams that a query names.
fn names_of(query: &Query) -> Vec<String> {
    use super::ast::{QueryBody, Relation};
    fn relation(relation_: &Relation, into: &mut Vec<String>) {
        match relation_ {
            Relation::Named { name, .. } => into.extend(name.last().map(|name| name.name.clone())),
            Relation::Derived(query, ..) => body(query, into),
            Relation::Function { cursor, .. } => body(cursor, into),
            Relation::Join { left, right, .. } => {
                relation(left, into);
                relation(right, into);
            }
        }
    }
    fn body(query: &Query, into: &mut Vec<String>) {
        match &query.body {
            QueryBody::Select(select) => select.from.iter().for_each(|from| relation(from, into)),
            QueryBody::Set { left, right, .. } => {
                body(left, into);
                body(right, into);
            }
            QueryBody::Values(_) => {}
        }
    }
    let mut names = Vec::new();
    body(query, &mut names);
    names
}

/// The findings are all warnings.
pub fn only_warnings(findings: &[Diagnostic]) -> bool {
    findings.iter().all(|finding| finding.severity == Severity::Warning)
}
