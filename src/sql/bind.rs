//! Binding of expressions: names to cells, calls to functions, types checked on the way.

mod aggregate;
mod arithmetic;

use std::sync::Arc;

use super::ast::{Bound as FrameBound, Call, Expr, Frame, Ident, Kind, WindowRef, WindowSpec};
use super::bound::{Bound, Typed};
use super::cast::can_cast;
use super::diagnostic::{Diagnostic, Span, near_miss};
use super::functions::{self, Function};
use super::interval::Unit;
use super::logparse::LogParser;
use super::matching::{Like, java_regex, similar};
use super::plan::{AggregateCall, Extent, SlidingWindow};
use super::scope::Scope;
use super::types::{Family, LENGTH_MAX, SqlType};
use super::value::Value;
use aggregate::aggregate_of;
use arithmetic::arithmetic;

/// A finding that stops the binding of one expression.
pub(super) type Bindable<T> = Result<T, Box<Diagnostic>>;

/// Types of the columns, and the rows, of a finite query.
pub(super) type TableRows = (Vec<SqlType>, Vec<Arc<[Value]>>);

/// A user's function.
#[derive(Debug, Clone)]
pub(super) struct UserFunction {
    pub name: String,
    pub parameters: Vec<(String, SqlType)>,
    pub returns: SqlType,
    pub strict: bool,
    pub body: Arc<Typed>,
}

/// Where the expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Select list: a bare ROWTIME is the time of the row about to be produced.
    Select,
    /// Anywhere else.
    Inside,
}

/// Grouping in force: keys by their bound form, and the aggregates found so far.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    pub keys: Vec<Typed>,
    pub calls: Vec<AggregateCall>,
}

/// Binds expressions over a scope.
pub(super) struct Binder<'s> {
    pub scope: &'s Scope,
    pub place: Place,
    pub functions: &'s [UserFunction],
    /// Parameters of the function being defined.
    pub params: &'s [(String, SqlType)],
    /// In a grouped query: the keys and aggregates.
    pub grouping: Option<Grouping>,
    /// Windows of the WINDOW clause.
    pub windows: &'s [(Ident, WindowSpec)],
    /// Analytic calls found so far; `None` where they are not allowed.
    pub sliding: Option<Vec<SlidingWindow>>,
    /// Names of what may not stand here, for the message about analytic calls.
    pub clause: &'static str,
    /// Cells before those of analytic results.
    pub width: usize,
    pub results: usize,
    /// Finite subqueries that were run beforehand.
    pub subqueries: &'s mut dyn FnMut(&super::ast::Query) -> Bindable<TableRows>,
}

fn error<T>(span: Span, message: impl Into<String>) -> Bindable<T> {
    Err(Box::new(Diagnostic::error(span, message)))
}

fn constant(value: Value, ty: SqlType) -> Typed {
    Typed { expr: Bound::Const(value), ty }
}

impl Binder<'_> {
    /// Binds an expression.
    pub fn bind(&mut self, expr: &Expr) -> Bindable<Typed> {
        // In a grouped query a grouping expression is its key.
        if let Some(grouping) = &mut self.grouping
            && !matches!(expr.kind, Kind::Literal(..))
        {
            let keys = grouping.keys.clone();
            let saved = self.grouping.take();
            let place = std::mem::replace(&mut self.place, Place::Inside);
            let sliding = self.sliding.take();
            let bound = self.bind_plain(expr);
            (self.grouping, self.place, self.sliding) = (saved, place, sliding);
            if let Ok(bound) = bound
                && let Some(at) = keys.iter().position(|key| key.expr.same(&bound.expr))
            {
                return Ok(Typed { expr: Bound::Cell(at), ty: bound.ty });
            }
        }
        self.bind_plain(expr)
    }

    fn boxed(&mut self, expr: &Expr) -> Bindable<(Box<Bound>, SqlType)> {
        let typed = self.bind(expr)?;
        Ok((Box::new(typed.expr), typed.ty))
    }

    fn logical(&mut self, expr: &Expr) -> Bindable<Box<Bound>> {
        let (bound, ty) = self.boxed(expr)?;
        if matches!(ty.family(), Family::Boolean | Family::Null) { Ok(bound) } else { error(expr.span, format!("expected a condition, found {ty}")) }
    }

    fn bind_plain(&mut self, expr: &Expr) -> Bindable<Typed> {
        let span = expr.span;
        let boolean = |expr| Ok(Typed { expr, ty: SqlType::Boolean });
        match &expr.kind {
            Kind::Literal(value, ty) => Ok(constant(value.clone(), ty.clone())),
            Kind::Name(parts) => self.name(parts, span),
            Kind::Unary("NOT", operand) => {
                let operand = self.logical(operand)?;
                boolean(Bound::Not(operand))
            }
            Kind::Unary(sign, operand) => {
                let (bound, ty) = self.boxed(operand)?;
                if ty.family() != Family::Number && !ty.is_interval() && ty != SqlType::Null {
                    return error(span, format!("{sign} needs a number or an interval, found {ty}"));
                }
                Ok(if *sign == "-" { Typed { expr: Bound::Neg(bound, ty.clone()), ty } } else { Typed { expr: *bound, ty } })
            }
            Kind::Binary("AND", a, b) => {
                let (a, b) = (self.logical(a)?, self.logical(b)?);
                boolean(Bound::And(a, b))
            }
            Kind::Binary("OR", a, b) => {
                let (a, b) = (self.logical(a)?, self.logical(b)?);
                boolean(Bound::Or(a, b))
            }
            Kind::Binary(op @ ("=" | "<>" | "<" | "<=" | ">" | ">="), a, b) => {
                let ((a, left), (b, right)) = (self.boxed(a)?, self.boxed(b)?);
                comparable(span, &left, &right)?;
                boolean(Bound::Compare(op, a, b))
            }
            Kind::Binary("||", a, b) => {
                let ((a, left), (b, right)) = (self.boxed(a)?, self.boxed(b)?);
                Self::concat(span, (*a, left), (*b, right))
            }
            Kind::Binary(op, a, b) => {
                let (a, b) = (self.bind(a)?, self.bind(b)?);
                arithmetic(span, op, a, b)
            }
            Kind::Call(call) => self.call(call, span),
            Kind::Cast(value, to) => {
                let (bound, from) = self.boxed(value)?;
                if !can_cast(&from, to) {
                    return error(span, format!("{from} cannot be cast to {to}"));
                }
                Ok(Typed { expr: Bound::Cast(bound, from, to.clone()), ty: to.clone() })
            }
            Kind::Case(operand, branches, otherwise) => self.case(span, operand.as_deref(), branches, otherwise.as_deref()),
            Kind::Between(negated, value, low, high) => {
                let ((value, ty), (low, low_ty), (high, high_ty)) = (self.boxed(value)?, self.boxed(low)?, self.boxed(high)?);
                comparable(span, &ty, &low_ty)?;
                comparable(span, &ty, &high_ty)?;
                let both = Bound::And(Box::new(Bound::Compare(">=", value.clone(), low)), Box::new(Bound::Compare("<=", value, high)));
                boolean(if *negated { Bound::Not(Box::new(both)) } else { both })
            }
            Kind::In(negated, value, list) => {
                let (value, ty) = self.boxed(value)?;
                let mut items = Vec::new();
                for item in list {
                    let typed = self.bind(item)?;
                    comparable(item.span, &ty, &typed.ty)?;
                    items.push(typed.expr);
                }
                let inside = Bound::In(value, items);
                boolean(if *negated { Bound::Not(Box::new(inside)) } else { inside })
            }
            Kind::InQuery(negated, value, query) => {
                let (value, ty) = self.boxed(value)?;
                let (types, rows) = (self.subqueries)(query)?;
                let single = types.len() == 1;
                if single {
                    comparable(span, &ty, &types[0])?;
                }
                let items = rows
                    .iter()
                    .map(|row| {
                        Bound::Const(if single {
                            row.first().cloned().unwrap_or(Value::Null)
                        } else {
                            Value::Record(row.iter().take(types.len()).cloned().collect())
                        })
                    })
                    .collect();
                let inside = Bound::In(value, items);
                boolean(if *negated { Bound::Not(Box::new(inside)) } else { inside })
            }
            Kind::Exists(query) => {
                let (_, rows) = (self.subqueries)(query)?;
                Ok(constant(Value::Bool(!rows.is_empty()), SqlType::Boolean))
            }
            Kind::Match(negated, is_similar, text, pattern, escape) => {
                let matched = self.matching(*is_similar, text, pattern, escape.as_deref())?;
                boolean(if *negated { Bound::Not(Box::new(matched)) } else { matched })
            }
            Kind::Is(negated, what, value) => {
                let (value, ty) = self.boxed(value)?;
                let tested = match *what {
                    "NULL" => Bound::IsNull(value),
                    _ if !matches!(ty.family(), Family::Boolean | Family::Null) => {
                        return error(span, format!("IS {what} needs a condition, found {ty}"));
                    }
                    "UNKNOWN" => Bound::IsNull(value),
                    what => Bound::IsBool(value, what == "TRUE"),
                };
                boolean(if *negated { Bound::Not(Box::new(tested)) } else { tested })
            }
            Kind::Distinct(negated, a, b) => {
                let ((a, left), (b, right)) = (self.boxed(a)?, self.boxed(b)?);
                comparable(span, &left, &right)?;
                let tested = Bound::Distinct(a, b);
                boolean(if *negated { Bound::Not(Box::new(tested)) } else { tested })
            }
            Kind::Qualified(inner, qualifier) => {
                let ty = SqlType::Interval(*qualifier);
                if let Kind::Binary("-", a, b) = &inner.kind {
                    let ((a, left), (b, right)) = (self.boxed(a)?, self.boxed(b)?);
                    if left.is_datetime() && left == right {
                        return Ok(Typed { expr: Bound::Difference(a, b, ty.clone()), ty });
                    }
                    return error(span, format!("({left} - {right}) {qualifier}: both must be dates, times or timestamps of one type"));
                }
                let (bound, from) = self.boxed(inner)?;
                if from.is_interval() {
                    return Ok(Typed { expr: Bound::Cast(bound, from, ty.clone()), ty });
                }
                error(span, format!("{qualifier} after parentheses makes an interval of a difference: (a - b) {qualifier}"))
            }
            Kind::ToUnit("EXTRACT", value, unit) => {
                let (bound, ty) = self.boxed(value)?;
                let has = match &ty {
                    SqlType::Null | SqlType::Timestamp => true,
                    SqlType::Date => *unit <= Unit::Day,
                    SqlType::Time => *unit >= Unit::Hour,
                    SqlType::Interval(q) => q.is_year_month() == (*unit <= Unit::Month),
                    _ => false,
                };
                if !has {
                    return error(span, format!("{ty} has no {}", unit.word()));
                }
                let result = if *unit == Unit::Second { SqlType::Decimal(5, 3) } else { SqlType::BigInt };
                Ok(Typed { expr: Bound::Extract(bound, ty, *unit), ty: result })
            }
            Kind::ToUnit(name, value, unit) => {
                let (bound, ty) = self.boxed(value)?;
                if !ty.is_datetime() && !ty.is_interval() && ty != SqlType::Null {
                    return error(span, format!("{name}(… TO {}) needs a date, time, timestamp or interval, found {ty}", unit.word()));
                }
                Ok(Typed { expr: Bound::ToUnit(*name == "CEIL", bound, ty.clone(), *unit), ty })
            }
            Kind::Row(parts) => {
                let mut exprs = Vec::new();
                let mut fields = Vec::new();
                for (at, part) in parts.iter().enumerate() {
                    let typed = self.bind(part)?;
                    fields.push((format!("EXPR${at}"), typed.ty));
                    exprs.push(typed.expr);
                }
                Ok(Typed { expr: Bound::Row(exprs), ty: SqlType::Record(fields.into()) })
            }
            Kind::Temporal(strictness, name, left, right) => {
                let (s1, e1) = self.period(left, false)?;
                let (s2, e2) = self.period(right, *name == "CONTAINS")?;
                boolean(Bound::Temporal(strictness, name, Box::new([s1, e1, s2, e2])))
            }
        }
    }

    fn period(&mut self, expr: &Expr, single: bool) -> Bindable<(Bound, Bound)> {
        if let Kind::Row(parts) = &expr.kind
            && let [start, end] = parts.as_slice()
        {
            let (start_t, end_t) = (self.bind(start)?, self.bind(end)?);
            for (part, typed) in [(start, &start_t), (end, &end_t)] {
                if !matches!(typed.ty.family(), Family::Timestamp | Family::Null) {
                    return error(part.span, format!("a period is two timestamps, found {}", typed.ty));
                }
            }
            return Ok((start_t.expr, end_t.expr));
        }
        let typed = self.bind(expr)?;
        if single && typed.ty == SqlType::Timestamp {
            return Ok((typed.expr.clone(), typed.expr));
        }
        error(expr.span, "expected a period: PERIOD(start, end)")
    }

    fn name(&mut self, parts: &[Ident], span: Span) -> Bindable<Typed> {
        if let [single] = parts {
            if let Some(at) = self.params.iter().position(|(name, _)| *name == single.name) {
                return Ok(Typed { expr: Bound::Param(at), ty: self.params[at].1.clone() });
            }
            if single.name == "ROWTIME" {
                let declared = self.scope.columns.iter().any(|column| column.name == "ROWTIME" && !column.rowtime);
                if self.place == Place::Select && !declared {
                    return Ok(Typed { expr: Bound::OutTime, ty: SqlType::Timestamp });
                }
                if !declared {
                    return match self.scope.rowtime() {
                        Some(cell) if self.grouping.is_none() => Ok(Typed { expr: Bound::Cell(cell), ty: SqlType::Timestamp }),
                        Some(_) => Ok(Typed { expr: Bound::OutTime, ty: SqlType::Timestamp }),
                        None => error(span, "ROWTIME of which stream? Write alias.ROWTIME"),
                    };
                }
            }
        }
        let found = self.scope.find(parts)?;
        if self.grouping.is_some() {
            let name = &self.scope.columns[found.cell].name;
            let shown: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            let message = format!("'{}' is neither grouped nor aggregated: put it into GROUP BY, or take MAX({name})", shown.join("."));
            return error(span, message);
        }
        let mut typed = Typed { expr: Bound::Cell(found.cell), ty: self.scope.columns[found.cell].ty.clone() };
        for part in &parts[parts.len() - found.rest..] {
            let SqlType::Record(fields) = &typed.ty else {
                return error(part.span, format!("'{}' asks for a part of a {}", part.name, typed.ty));
            };
            let Some(at) = fields.iter().position(|(name, _)| *name == part.name) else {
                let known: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                return error(part.span, format!("the record has no '{}'; it has {}", part.name, known.join(", ")));
            };
            let ty = fields[at].1.clone();
            typed = Typed { expr: Bound::Field(Box::new(typed.expr), at), ty };
        }
        Ok(typed)
    }

    fn concat(span: Span, (a, left): (Bound, SqlType), (b, right): (Bound, SqlType)) -> Bindable<Typed> {
        let length = |ty: &SqlType| ty.length().unwrap_or(1);
        let ty = match (left.family(), right.family()) {
            (Family::Text | Family::Null, Family::Text | Family::Null) => {
                let total = (length(&left) + length(&right)).min(LENGTH_MAX);
                if matches!((&left, &right), (SqlType::Char(_), SqlType::Char(_))) { SqlType::Char(total) } else { SqlType::Varchar(total) }
            }
            (Family::Bytes | Family::Null, Family::Bytes | Family::Null) => SqlType::Varbinary((length(&left) + length(&right)).min(LENGTH_MAX)),
            _ => return error(span, format!("|| joins texts, found {left} and {right}; CAST(… AS VARCHAR(n)) makes a text")),
        };
        Ok(Typed { expr: Bound::Call(Function::Concat, vec![a, b], ty.clone()), ty })
    }

    fn case(&mut self, span: Span, operand: Option<&Expr>, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Bindable<Typed> {
        let operand = operand.map(|operand| self.bind(operand)).transpose()?;
        let mut bound = Vec::new();
        let mut ty = SqlType::Null;
        for (condition, result) in branches {
            let condition = match &operand {
                None => *self.logical(condition)?,
                Some(operand) => {
                    let typed = self.bind(condition)?;
                    comparable(condition.span, &operand.ty, &typed.ty)?;
                    Bound::Compare("=", Box::new(operand.expr.clone()), Box::new(typed.expr))
                }
            };
            let result_typed = self.bind(result)?;
            ty = ty.unify(&result_typed.ty).ok_or_else(|| {
                Box::new(Diagnostic::error(
                    result.span,
                    format!("the branches of CASE give {ty} and {}: they must be of one family", result_typed.ty),
                ))
            })?;
            bound.push((condition, result_typed));
        }
        let otherwise_typed = match otherwise {
            Some(expr) => self.bind(expr)?,
            None => constant(Value::Null, SqlType::Null),
        };
        ty = ty.unify(&otherwise_typed.ty).ok_or_else(|| {
            Box::new(Diagnostic::error(span, format!("the branches of CASE give {ty} and {}: they must be of one family", otherwise_typed.ty)))
        })?;
        // Numbers of different types become one.
        let fit = |typed: Typed| {
            if typed.ty == ty || ty.family() != Family::Number || typed.ty == SqlType::Null {
                typed.expr
            } else {
                Bound::Cast(Box::new(typed.expr), typed.ty, ty.clone())
            }
        };
        let branches = bound.into_iter().map(|(condition, result)| (condition, fit(result))).collect();
        Ok(Typed { expr: Bound::Case(branches, Box::new(fit(otherwise_typed))), ty })
    }

    fn matching(&mut self, is_similar: bool, text: &Expr, pattern: &Expr, escape: Option<&Expr>) -> Bindable<Bound> {
        let ((bound, ty), (pattern_bound, pattern_ty)) = (self.boxed(text)?, self.boxed(pattern)?);
        for (expr, ty) in [(text, &ty), (pattern, &pattern_ty)] {
            if !matches!(ty.family(), Family::Text | Family::Null) {
                return error(expr.span, format!("{} compares texts, found {ty}", if is_similar { "SIMILAR TO" } else { "LIKE" }));
            }
        }
        let escape_bound = escape.map(|escape| self.boxed(escape)).transpose()?.map(|(bound, _)| bound);
        let constant_escape = match escape_bound.as_deref() {
            None => Some(None),
            Some(Bound::Const(Value::Text(text))) if text.chars().count() == 1 => Some(text.chars().next()),
            _ => None,
        };
        if let (Bound::Const(Value::Text(source)), Some(escape)) = (&*pattern_bound, constant_escape) {
            // A wrong constant pattern fails in every row, as the service reports it.
            if is_similar {
                if let Ok(regex) = similar(source, escape) {
                    return Ok(Bound::Similar(bound, Arc::new(regex)));
                }
            } else if let Ok(like) = Like::new(source, escape) {
                return Ok(Bound::Like(bound, Arc::new(like)));
            }
        }
        Ok(Bound::Match(is_similar, bound, pattern_bound, escape_bound))
    }

    fn call(&mut self, call: &Call, span: Span) -> Bindable<Typed> {
        if let Some(function) = aggregate_of(&call.name, call.over.is_some()) {
            return self.aggregate(function, call, span);
        }
        if call.over.is_some() {
            return error(span, format!("{} is no analytic function", call.name));
        }
        if call.distinct || call.star {
            return error(span, format!("{} is no aggregate: it takes neither * nor DISTINCT", call.name));
        }
        let mut args = Vec::new();
        for arg in &call.args {
            args.push(self.bind(arg)?);
        }
        // Text parsers know their columns from their literals.
        if call.name.ends_with("_LOG_PARSE") || call.name.ends_with("_LOG_PARSER") {
            let literals: Vec<Value> =
                args.iter().skip(1).map(|arg| if let Bound::Const(value) = &arg.expr { value.clone() } else { Value::Null }).collect();
            if let Some(parser) = LogParser::new(&call.name, &literals).map_err(|why| Box::new(Diagnostic::error(span, why)))? {
                let Some(text) = args.into_iter().next() else { return error(span, format!("{} takes a text first", call.name)) };
                if !matches!(text.ty.family(), Family::Text | Family::Null) {
                    return error(span, format!("{} takes a text first, found {}", call.name, text.ty));
                }
                let ty = SqlType::Record(parser.fields.clone());
                return Ok(Typed { expr: Bound::Parse(Arc::new(parser), Box::new(text.expr)), ty });
            }
        }
        if let Some(typed) = self.user_call(call, &args, span)? {
            return Ok(typed);
        }
        let types: Vec<SqlType> = args.iter().map(|arg| arg.ty.clone()).collect();
        match functions::resolve(&call.name, &types) {
            Err(why) => error(span, why),
            Ok(Some((function, ty))) => {
                if matches!(function, Function::RegexReplace | Function::SubstringRegex)
                    && let Some(Bound::Const(Value::Text(pattern))) = args.get(1).map(|arg| &arg.expr)
                    && let Err(why) = java_regex(pattern)
                {
                    return error(call.args[1].span, why);
                }
                let fits = |arg: Typed| {
                    if function == Function::Coalesce && ty.family() == Family::Number && arg.ty != ty && arg.ty != SqlType::Null {
                        Bound::Cast(Box::new(arg.expr), arg.ty, ty.clone())
                    } else {
                        arg.expr
                    }
                };
                Ok(Typed { expr: Bound::Call(function, args.into_iter().map(fits).collect(), ty.clone()), ty })
            }
            Ok(None) => {
                let own: Vec<&str> = self.functions.iter().map(|function| function.name.as_str()).collect();
                let unknown = Diagnostic::error(call.span, format!("there is no function '{}'", call.name));
                Err(Box::new(match near_miss(&call.name, functions::NAMES.into_iter().chain(own)) {
                    Some(near) => unknown.with_fix(format!("write {near}"), near),
                    None => unknown,
                }))
            }
        }
    }

    fn user_call(&self, call: &Call, args: &[Typed], span: Span) -> Bindable<Option<Typed>> {
        let named: Vec<&UserFunction> = self.functions.iter().filter(|function| function.name == call.name).collect();
        if named.is_empty() {
            return Ok(None);
        }
        let exact = |arg: &Typed, ty: &SqlType| {
            arg.ty == *ty || arg.ty == SqlType::Null || (matches!(arg.expr, Bound::Const(_)) && arg.ty.family() == ty.family())
        };
        let fitting = named
            .iter()
            .find(|function| function.parameters.len() == args.len() && args.iter().zip(&function.parameters).all(|(arg, (_, ty))| exact(arg, ty)));
        let Some(function) = fitting else {
            let found: Vec<String> = args.iter().map(|arg| arg.ty.to_string()).collect();
            let wanted: Vec<String> = named[0].parameters.iter().map(|(_, ty)| ty.to_string()).collect();
            let message = format!("{}({}) does not exist; it takes exactly ({}): cast the arguments", call.name, found.join(", "), wanted.join(", "));
            return error(span, message);
        };
        let bound = args
            .iter()
            .zip(&function.parameters)
            .map(|(arg, (_, ty))| if arg.ty == *ty { arg.expr.clone() } else { Bound::Cast(Box::new(arg.expr.clone()), arg.ty.clone(), ty.clone()) })
            .collect();
        Ok(Some(Typed { expr: Bound::User(bound, function.strict, function.body.clone()), ty: function.returns.clone() }))
    }

    /// The partition and extent of a window of an analytic call.
    fn window(&mut self, over: &WindowRef, span: Span) -> Bindable<(Vec<Bound>, Extent)> {
        let mut spec = match over {
            WindowRef::Inline(spec) => spec.clone(),
            WindowRef::Named(name) => self.named(name)?.clone(),
        };
        if let Some(base) = &spec.base {
            let base = self.named(base)?.clone();
            if spec.partition.is_empty() {
                spec.partition = base.partition;
            }
            spec.frame = spec.frame.or(base.frame);
            spec.order.extend(base.order);
        }
        if !spec.order.is_empty() {
            let only_time =
                spec.order.iter().all(|item| matches!(&item.expr.kind, Kind::Name(parts) if parts.last().is_some_and(|part| part.name == "ROWTIME")));
            if !only_time || spec.order.iter().any(|item| item.descending) {
                return error(spec.span, "ORDER BY is not allowed in the window of an aggregate: rows come in ROWTIME order");
            }
        }
        let saved = self.sliding.take();
        let place = std::mem::replace(&mut self.place, Place::Inside);
        let clause = std::mem::replace(&mut self.clause, "PARTITION BY");
        let partition: Bindable<Vec<Bound>> = spec.partition.iter().map(|expr| self.bind(expr).map(|typed| typed.expr)).collect();
        (self.sliding, self.place, self.clause) = (saved, place, clause);
        Ok((partition?, spec.frame.as_ref().map_or(Ok(Extent::Unbounded), |frame| extent(frame, false, span))?))
    }

    fn named(&self, name: &Ident) -> Bindable<&WindowSpec> {
        match self.windows.iter().find(|(known, _)| known.name == name.name) {
            Some((_, spec)) => Ok(spec),
            None => error(name.span, format!("the WINDOW clause has no window '{}'", name.name)),
        }
    }
}

/// The extent of a frame, or why it is not allowed. In joins a 0 means CURRENT ROW.
pub(super) fn extent(frame: &Frame, join: bool, _span: Span) -> Bindable<Extent> {
    let span = frame.span;
    let current = |bound: &FrameBound| match bound {
        FrameBound::CurrentRow => true,
        FrameBound::Rows(0, _) | FrameBound::Interval(0, _) => join,
        _ => false,
    };
    if matches!(frame.end, Some(FrameBound::UnboundedFollowing)) || matches!(frame.start, FrameBound::UnboundedFollowing) {
        return error(span, "UNBOUNDED FOLLOWING waits for ever: a stream has no end");
    }
    if let Some(end) = &frame.end
        && !current(end)
    {
        let hint = if matches!(end, FrameBound::Rows(0, _)) {
            "write CURRENT ROW instead of 0"
        } else {
            "a window ends with the current row: AND CURRENT ROW"
        };
        return error(span, hint);
    }
    match (&frame.start, frame.rows) {
        (FrameBound::UnboundedPreceding, _) => Ok(Extent::Unbounded),
        (FrameBound::CurrentRow, true) => Ok(Extent::Rows(0)),
        (FrameBound::CurrentRow, false) => Ok(Extent::Range(0)),
        (FrameBound::Rows(n, _) | FrameBound::Interval(n, _), _) if *n < 0 => error(span, "a window has no negative size"),
        (FrameBound::Rows(_, true) | FrameBound::Interval(_, true), _) => error(span, "a window looks back: PRECEDING, not FOLLOWING"),
        (FrameBound::Rows(0, false), rows) if join => Ok(if rows { Extent::Rows(0) } else { Extent::Range(0) }),
        (FrameBound::Rows(0, false), _) => error(span, "0 PRECEDING is not allowed here; write CURRENT ROW"),
        (FrameBound::Rows(n, false), true) => Ok(Extent::Rows(*n as u64)),
        (FrameBound::Rows(..), false) => error(span, "RANGE takes an interval over ROWTIME, such as RANGE INTERVAL '1' MINUTE PRECEDING"),
        (FrameBound::Interval(ms, false), false) => Ok(Extent::Range(*ms)),
        (FrameBound::Interval(..), true) => error(span, "ROWS takes a number of rows; RANGE takes an interval"),
        (FrameBound::UnboundedFollowing, _) => error(span, "a window begins before its row"),
    }
}

/// Types of one family, or the reason.
pub(super) fn comparable(span: Span, a: &SqlType, b: &SqlType) -> Bindable<()> {
    let (x, y) = (a.family(), b.family());
    if x == y || x == Family::Null || y == Family::Null { Ok(()) } else { error(span, format!("{a} and {b} cannot be compared; cast one of them")) }
}
