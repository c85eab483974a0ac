//! Expressions after their names are resolved: a tree over the cells of a row, with the types known.

use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;

use super::cast;
use super::functions::{self, Clock, Function};
use super::interval::Unit;
use super::logparse::LogParser;
use super::matching::{Like, similar};
use super::types::SqlType;
use super::value::{Outcome, POWERS, RowError, Value};

/// An expression and its type.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The expression.
    pub expr: Bound,
    /// Its type.
    pub ty: SqlType,
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arith {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

/// A resolved expression.
#[allow(missing_docs, reason = "each variant's sentence names its parts")]
#[derive(Debug, Clone)]
pub enum Bound {
    /// A constant.
    Const(Value),
    /// A cell of the row.
    Cell(usize),
    /// ROWTIME of the row about to be produced.
    OutTime,
    /// A parameter of a function's body.
    Param(usize),
    /// A record's field.
    Field(Box<Bound>, usize),
    /// Sign.
    Neg(Box<Bound>, SqlType),
    /// NOT.
    Not(Box<Bound>),
    /// AND.
    And(Box<Bound>, Box<Bound>),
    /// OR.
    Or(Box<Bound>, Box<Bound>),
    /// A comparison.
    Compare(&'static str, Box<Bound>, Box<Bound>),
    /// Arithmetic on numbers; the type is the result's.
    Number(Arith, Box<Bound>, Box<Bound>, SqlType),
    /// Milliseconds or months added: datetime or interval with interval. `months` says which.
    Shift { sign: i64, months: bool, at: Box<Bound>, by: Box<Bound>, ty: SqlType },
    /// An interval times or by a number.
    Scale(bool, Box<Bound>, Box<Bound>),
    /// The difference of two datetimes, trimmed to a qualifier.
    Difference(Box<Bound>, Box<Bound>, SqlType),
    /// CAST.
    Cast(Box<Bound>, SqlType, SqlType),
    /// CASE.
    Case(Vec<(Bound, Bound)>, Box<Bound>),
    /// IN a list.
    In(Box<Bound>, Vec<Bound>),
    /// IS NULL.
    IsNull(Box<Bound>),
    /// IS TRUE, IS FALSE.
    IsBool(Box<Bound>, bool),
    /// IS DISTINCT FROM.
    Distinct(Box<Bound>, Box<Bound>),
    /// LIKE with a constant pattern.
    Like(Box<Bound>, Arc<Like>),
    /// SIMILAR TO with a constant pattern.
    Similar(Box<Bound>, Arc<Regex>),
    /// LIKE or SIMILAR TO with a pattern of the row: similar, text, pattern, escape.
    Match(bool, Box<Bound>, Box<Bound>, Option<Box<Bound>>),
    /// EXTRACT.
    Extract(Box<Bound>, SqlType, Unit),
    /// FLOOR, CEIL to a unit.
    ToUnit(bool, Box<Bound>, SqlType, Unit),
    /// A function.
    Call(Function, Vec<Bound>, SqlType),
    /// A text parser.
    Parse(Arc<LogParser>, Box<Bound>),
    /// A user's function: parameters, NULL for NULL, body.
    User(Vec<Bound>, bool, Arc<Typed>),
    /// A row of values.
    Row(Vec<Bound>),
    /// A temporal predicate over four instants.
    Temporal(&'static str, &'static str, Box<[Bound; 4]>),
}

/// What an expression sees.
#[derive(Debug, Clone, Copy)]
pub struct Env<'a> {
    /// Cells of the row.
    pub cells: &'a [Value],
    /// ROWTIME of the row about to be produced.
    pub out_time: i64,
    /// The clock.
    pub clock: Clock,
    /// Arguments of the function whose body is evaluated.
    pub params: &'a [Value],
}

fn logic(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}

fn truth(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Bool)
}

fn ms(value: &Value) -> i64 {
    match value {
        Value::Ms(ms) | Value::Int(ms) => *ms,
        _ => 0,
    }
}

impl Bound {
    /// Its value over a row.
    ///
    /// # Errors
    /// Row errors.
    pub fn eval(&self, env: &Env<'_>) -> Outcome {
        Ok(match self {
            Self::Const(value) => value.clone(),
            Self::Cell(at) => env.cells.get(*at).cloned().unwrap_or(Value::Null),
            Self::OutTime => Value::Ms(env.out_time),
            Self::Param(at) => env.params.get(*at).cloned().unwrap_or(Value::Null),
            Self::Field(record, at) => match record.eval(env)? {
                Value::Record(cells) => cells.get(*at).cloned().unwrap_or(Value::Null),
                _ => Value::Null,
            },
            Self::Neg(operand, ty) => match operand.eval(env)? {
                Value::Int(value) => {
                    let negated = value.checked_neg().ok_or_else(|| RowError::new("NumericOverflow", format!("-{value} does not fit {ty}")))?;
                    cast::to_number(&Value::Int(negated), ty)?
                }
                Value::Dec(digits, scale) => Value::Dec(-digits, scale),
                Value::Num(value) => Value::Num(-value),
                Value::Ms(value) => Value::Ms(-value),
                other => other,
            },
            Self::Not(operand) => truth(logic(&operand.eval(env)?).map(|value| !value)),
            Self::And(a, b) => {
                let a = logic(&a.eval(env)?);
                if a == Some(false) {
                    return Ok(Value::Bool(false));
                }
                let b = logic(&b.eval(env)?);
                truth(if b == Some(false) { Some(false) } else { a.and(b) })
            }
            Self::Or(a, b) => {
                let a = logic(&a.eval(env)?);
                if a == Some(true) {
                    return Ok(Value::Bool(true));
                }
                let b = logic(&b.eval(env)?);
                truth(if b == Some(true) { Some(true) } else { a.and(b) })
            }
            Self::Compare(op, a, b) => {
                let order = a.eval(env)?.compare(&b.eval(env)?);
                truth(order.map(|order| match *op {
                    "=" => order == Ordering::Equal,
                    "<>" => order != Ordering::Equal,
                    "<" => order == Ordering::Less,
                    "<=" => order != Ordering::Greater,
                    ">" => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                }))
            }
            Self::Number(op, a, b, ty) => arithmetic(*op, &a.eval(env)?, &b.eval(env)?, ty)?,
            Self::Shift { sign, months, at, by, ty } => {
                let (at, by) = (at.eval(env)?, by.eval(env)?);
                if at.is_null() || by.is_null() {
                    return Ok(Value::Null);
                }
                let (at, by) = (ms(&at), ms(&by).saturating_mul(*sign));
                Value::Ms(match ty {
                    SqlType::Interval(_) => at.saturating_add(by),
                    _ if *months => super::datetime::add_months(at, by),
                    SqlType::Time => at.saturating_add(by).rem_euclid(super::datetime::DAY),
                    SqlType::Date => super::pattern::midnight(at.saturating_add(by)),
                    _ => at.saturating_add(by),
                })
            }
            Self::Scale(divide, interval, factor) => {
                let (interval, factor) = (interval.eval(env)?, factor.eval(env)?);
                let (false, Some(factor_number)) = (interval.is_null(), factor.number()) else { return Ok(Value::Null) };
                let amount = ms(&interval);
                if *divide {
                    if factor_number == 0.0 {
                        return Err(RowError::new("DivideByZero", "an interval divided by zero"));
                    }
                    match factor {
                        Value::Int(by) => Value::Ms(amount / by),
                        _ => Value::Ms(libm::trunc(amount as f64 / factor_number) as i64),
                    }
                } else {
                    match factor {
                        Value::Int(by) => Value::Ms(amount.saturating_mul(by)),
                        _ => Value::Ms(libm::trunc(amount as f64 * factor_number) as i64),
                    }
                }
            }
            Self::Difference(a, b, ty) => {
                let (a, b) = (a.eval(env)?, b.eval(env)?);
                if a.is_null() || b.is_null() {
                    return Ok(Value::Null);
                }
                let SqlType::Interval(qualifier) = ty else { return Ok(Value::Null) };
                if qualifier.is_year_month() {
                    return Ok(Value::Ms(qualifier.trim(super::datetime::months_between(ms(&a), ms(&b)))));
                }
                Value::Ms(qualifier.trim(ms(&a).saturating_sub(ms(&b))))
            }
            Self::Cast(value, from, to) => cast::cast(&value.eval(env)?, from, to, super::pattern::midnight(env.clock.start))?,
            Self::Case(branches, otherwise) => {
                for (condition, result) in branches {
                    if condition.eval(env)?.is_true() {
                        return result.eval(env);
                    }
                }
                otherwise.eval(env)?
            }
            Self::In(value, list) => {
                let value = value.eval(env)?;
                if value.is_null() {
                    return Ok(Value::Null);
                }
                let mut unknown = false;
                for item in list {
                    match value.compare(&item.eval(env)?) {
                        Some(Ordering::Equal) => return Ok(Value::Bool(true)),
                        Some(_) => {}
                        None => unknown = true,
                    }
                }
                if unknown { Value::Null } else { Value::Bool(false) }
            }
            Self::IsNull(value) => Value::Bool(value.eval(env)?.is_null()),
            Self::IsBool(value, wanted) => Value::Bool(logic(&value.eval(env)?) == Some(*wanted)),
            Self::Distinct(a, b) => Value::Bool(!a.eval(env)?.same(&b.eval(env)?)),
            Self::Like(text, like) => match text.eval(env)? {
                Value::Text(text) => Value::Bool(like.matches(&text)),
                _ => Value::Null,
            },
            Self::Similar(text, regex) => match text.eval(env)? {
                Value::Text(text) => Value::Bool(regex.is_match(&text)),
                _ => Value::Null,
            },
            Self::Match(is_similar, text, pattern, escape) => {
                let escape = match escape {
                    None => None,
                    Some(escape) => match escape.eval(env)? {
                        Value::Text(text) if text.chars().count() == 1 => text.chars().next(),
                        Value::Null => return Ok(Value::Null),
                        _ => return Err(RowError::new("InvalidPattern", "ESCAPE is exactly one character")),
                    },
                };
                let (Value::Text(text), Value::Text(pattern)) = (text.eval(env)?, pattern.eval(env)?) else { return Ok(Value::Null) };
                let wrong = |why| RowError::new("InvalidPattern", why);
                Value::Bool(if *is_similar {
                    similar(&pattern, escape).map_err(wrong)?.is_match(&text)
                } else {
                    Like::new(&pattern, escape).map_err(wrong)?.matches(&text)
                })
            }
            Self::Extract(value, ty, unit) => functions::extract(&value.eval(env)?, ty, *unit),
            Self::ToUnit(up, value, ty, unit) => functions::to_unit(*up, &value.eval(env)?, ty, *unit),
            Self::Call(function, args, ty) => {
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    values.push(arg.eval(env)?);
                }
                functions::call(*function, &values, ty, env.clock)?
            }
            Self::Parse(parser, text) => match text.eval(env)? {
                Value::Text(text) => parser.parse(&text, env.clock.now)?,
                _ => Value::Null,
            },
            Self::User(args, strict, body) => {
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    values.push(arg.eval(env)?);
                }
                if *strict && values.iter().any(Value::is_null) {
                    return Ok(Value::Null);
                }
                body.expr.eval(&Env { params: &values, ..*env })?
            }
            Self::Row(parts) => {
                let mut values = Vec::with_capacity(parts.len());
                for part in parts {
                    values.push(part.eval(env)?);
                }
                Value::Record(values.into())
            }
            Self::Temporal(strictness, name, bounds) => {
                let mut at = [0i64; 4];
                for (slot, bound) in at.iter_mut().zip(bounds.iter()) {
                    match bound.eval(env)? {
                        Value::Ms(value) => *slot = value,
                        _ => return Ok(Value::Null),
                    }
                }
                Value::Bool(temporal(strictness, name, at))
            }
        })
    }

    /// Every cell it reads goes through `f`.
    #[must_use]
    pub fn map_cells(&self, f: &dyn Fn(usize) -> Option<Self>) -> Option<Self> {
        let go = |expr: &Self| expr.map_cells(f);
        let boxed = |expr: &Self| go(expr).map(Box::new);
        let all = |list: &[Self]| list.iter().map(go).collect::<Option<Vec<_>>>();
        Some(match self {
            Self::Const(_) | Self::Param(_) => self.clone(),
            Self::Cell(at) => f(*at)?,
            Self::OutTime | Self::Temporal(..) | Self::User(..) | Self::Parse(..) | Self::Match(..) | Self::Like(..) | Self::Similar(..) => {
                return None;
            }
            Self::Field(a, at) => Self::Field(boxed(a)?, *at),
            Self::Neg(a, ty) => Self::Neg(boxed(a)?, ty.clone()),
            Self::Not(a) => Self::Not(boxed(a)?),
            Self::And(a, b) => Self::And(boxed(a)?, boxed(b)?),
            Self::Or(a, b) => Self::Or(boxed(a)?, boxed(b)?),
            Self::Compare(op, a, b) => Self::Compare(op, boxed(a)?, boxed(b)?),
            Self::Number(op, a, b, ty) => Self::Number(*op, boxed(a)?, boxed(b)?, ty.clone()),
            Self::Shift { sign, months, at, by, ty } => Self::Shift { sign: *sign, months: *months, at: boxed(at)?, by: boxed(by)?, ty: ty.clone() },
            Self::Scale(divide, a, b) => Self::Scale(*divide, boxed(a)?, boxed(b)?),
            Self::Difference(a, b, ty) => Self::Difference(boxed(a)?, boxed(b)?, ty.clone()),
            Self::Cast(a, from, to) => Self::Cast(boxed(a)?, from.clone(), to.clone()),
            Self::Case(branches, otherwise) => {
                let branches = branches.iter().map(|(a, b)| Some((go(a)?, go(b)?))).collect::<Option<Vec<_>>>()?;
                Self::Case(branches, boxed(otherwise)?)
            }
            Self::In(a, list) => Self::In(boxed(a)?, all(list)?),
            Self::IsNull(a) => Self::IsNull(boxed(a)?),
            Self::IsBool(a, wanted) => Self::IsBool(boxed(a)?, *wanted),
            Self::Distinct(a, b) => Self::Distinct(boxed(a)?, boxed(b)?),
            Self::Extract(a, ty, unit) => Self::Extract(boxed(a)?, ty.clone(), *unit),
            Self::ToUnit(up, a, ty, unit) => Self::ToUnit(*up, boxed(a)?, ty.clone(), *unit),
            Self::Call(function, args, ty) => Self::Call(*function, all(args)?, ty.clone()),
            Self::Row(parts) => Self::Row(all(parts)?),
        })
    }

    /// Adds the cells that it reads.
    pub fn cells(&self, into: &mut Vec<usize>) {
        let mut all = |parts: &mut dyn Iterator<Item = &Self>| parts.for_each(|part| part.cells(into));
        match self {
            Self::Cell(at) => into.push(*at),
            Self::Const(_) | Self::Param(_) | Self::OutTime => {}
            Self::Field(a, _)
            | Self::Neg(a, _)
            | Self::Not(a)
            | Self::Cast(a, ..)
            | Self::IsNull(a)
            | Self::IsBool(a, _)
            | Self::Like(a, _)
            | Self::Similar(a, _)
            | Self::Extract(a, ..)
            | Self::ToUnit(_, a, ..)
            | Self::Parse(_, a) => a.cells(into),
            Self::And(a, b)
            | Self::Or(a, b)
            | Self::Compare(_, a, b)
            | Self::Number(_, a, b, _)
            | Self::Shift { at: a, by: b, .. }
            | Self::Scale(_, a, b)
            | Self::Difference(a, b, _)
            | Self::Distinct(a, b) => all(&mut [&**a, &**b].into_iter()),
            Self::Case(branches, otherwise) => all(&mut branches.iter().flat_map(|(a, b)| [a, b]).chain([&**otherwise])),
            Self::In(a, list) => all(&mut list.iter().chain([&**a])),
            Self::Match(_, a, b, escape) => all(&mut [&**a, &**b].into_iter().chain(escape.as_deref())),
            Self::Call(_, args, _) | Self::User(args, ..) | Self::Row(args) => all(&mut args.iter()),
            Self::Temporal(_, _, bounds) => all(&mut bounds.iter()),
        }
    }

    /// The same text means the same expression.
    pub fn same(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

#[allow(clippy::many_single_char_names, reason = "numbers and their scales")]
pub(super) fn arithmetic(op: Arith, a: &Value, b: &Value, ty: &SqlType) -> Outcome {
    if a.is_null() || b.is_null() {
        return Ok(Value::Null);
    }
    let zero = || RowError::new("DivideByZero", "division by zero");
    match ty {
        SqlType::Real | SqlType::Double => {
            let (x, y) = (a.number().unwrap_or(0.0), b.number().unwrap_or(0.0));
            if op == Arith::Div && y == 0.0 {
                return Err(zero());
            }
            let result = match op {
                Arith::Add => x + y,
                Arith::Sub => x - y,
                Arith::Mul => x * y,
                Arith::Div => x / y,
            };
            let result = if *ty == SqlType::Real { f64::from(result as f32) } else { result };
            if result.is_finite() { Ok(Value::Num(result)) } else { Err(RowError::new("NumericOverflow", format!("the result does not fit {ty}"))) }
        }
        SqlType::Decimal(_, scale) => {
            let ((x, s), (y, t)) = (a.exact().unwrap_or((0, 0)), b.exact().unwrap_or((0, 0)));
            match op {
                Arith::Add | Arith::Sub => {
                    let common = s.max(t);
                    let (x, y) = (x * POWERS[usize::from(common - s)], y * POWERS[usize::from(common - t)]);
                    cast::decimal(if op == Arith::Add { x + y } else { x - y }, common, ty)
                }
                Arith::Mul => cast::decimal(x.saturating_mul(y), s + t, ty),
                Arith::Div => {
                    if y == 0 {
                        return Err(zero());
                    }
                    // One digit more, then rounded half up.
                    let shift = i32::from(*scale) + i32::from(t) - i32::from(s) + 1;
                    let quotient = if shift >= 0 {
                        x.checked_mul(POWERS[(shift as usize).min(38)])
                            .ok_or_else(|| RowError::new("NumericOverflow", "the quotient has too many digits"))?
                            / y
                    } else {
                        x / y.saturating_mul(POWERS[(-shift as usize).min(38)])
                    };
                    cast::decimal(quotient, scale + 1, ty)
                }
            }
        }
        _ => {
            let (Value::Int(x), Value::Int(y)) = (a, b) else { return Ok(Value::Null) };
            if op == Arith::Div && *y == 0 {
                return Err(zero());
            }
            let result = match op {
                Arith::Add => x.checked_add(*y),
                Arith::Sub => x.checked_sub(*y),
                Arith::Mul => x.checked_mul(*y),
                Arith::Div => x.checked_div(*y),
            };
            let (least, greatest) = ty.range();
            match result {
                Some(result) if result >= least && result <= greatest => Ok(Value::Int(result)),
                _ => Err(RowError::new("NumericOverflow", format!("the result does not fit {ty}"))),
            }
        }
    }
}

/// Temporal predicates over half-open periods.
fn temporal(strictness: &str, name: &str, [s1, e1, s2, e2]: [i64; 4]) -> bool {
    let strictly = strictness == "STRICTLY";
    let immediately = strictness == "IMMEDIATELY";
    match name {
        "EQUALS" => s1 == s2 && e1 == e2,
        "CONTAINS" if strictly => s1 < s2 && e1 > e2,
        // A single instant comes as a period without length: s <= t < e.
        "CONTAINS" if s2 == e2 => s1 <= s2 && s2 < e1,
        "CONTAINS" => s1 <= s2 && e1 >= e2,
        "OVERLAPS" => {
            let overlaps = s1 < e2 && s2 < e1;
            overlaps && (!strictly || (s1 < s2 && e1 < e2) || (s2 < s1 && e2 < e1))
        }
        "PRECEDES" if strictly => e1 < s2,
        "PRECEDES" if immediately => e1 == s2,
        "PRECEDES" => e1 <= s2,
        "SUCCEEDS" if strictly => s1 > e2,
        "SUCCEEDS" if immediately => s1 == e2,
        "SUCCEEDS" => s1 >= e2,
        "LAGS" => temporal(strictness, "LEADS", [s2, e2, s1, e1]),
        _ if strictly => s1 < s2 && s2 < e1 && e1 < e2,
        _ if immediately => s1 <= s2 && e1 == e2,
        _ => s1 <= s2 && s2 < e1 && e1 <= e2,
    }
}
