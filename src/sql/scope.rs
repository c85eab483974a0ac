//! What names mean: columns of the relations of a FROM clause, and how they go with time.

use super::ast::Ident;
use super::bound::{Arith, Bound, Env};
use super::diagnostic::{Diagnostic, near_miss};
use super::functions::{Clock, Function};
use super::types::SqlType;
use super::value::Value;

/// How an expression goes with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It does not.
    None,
    /// It stays.
    Const,
    /// It never falls.
    Asc,
    /// It never rises.
    Desc,
}

impl Class {
    fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
            other => other,
        }
    }

    fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::Const, class) | (class, Self::Const) => class,
            (a, b) if a == b => a,
            _ => Self::None,
        }
    }

    /// Ascending or descending.
    pub fn moves(self) -> bool {
        matches!(self, Self::Asc | Self::Desc)
    }
}

/// A column of a relation.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name as stored.
    pub name: String,
    /// Type.
    pub ty: SqlType,
    /// Reached by name only, no part of `*`.
    pub hidden: bool,
    /// The system's ROWTIME.
    pub rowtime: bool,
    /// NOT NULL.
    pub not_null: bool,
    /// How it goes with time.
    pub class: Class,
    /// Its value as a function of the row's ROWTIME, which is cell 0, when it is one.
    pub of_time: Option<Bound>,
}

impl Column {
    /// A column that has nothing to do with time.
    pub fn new(name: &str, ty: SqlType) -> Self {
        Self { name: name.to_owned(), ty, hidden: false, rowtime: false, not_null: false, class: Class::None, of_time: None }
    }

    /// The ROWTIME of a stream.
    pub fn rowtime() -> Self {
        Self {
            hidden: true,
            rowtime: true,
            not_null: true,
            class: Class::Asc,
            of_time: Some(Bound::Cell(0)),
            ..Self::new("ROWTIME", SqlType::Timestamp)
        }
    }
}

/// A relation in scope: its names and where its columns begin.
#[derive(Debug, Clone)]
pub struct Named {
    /// Alias, or the stream's own name.
    pub name: Option<String>,
    /// First column.
    pub from: usize,
    /// Column after the last.
    pub to: usize,
}

/// Columns and relations that an expression can name.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// All columns: column n is cell n of the row.
    pub columns: Vec<Column>,
    /// Relations.
    pub relations: Vec<Named>,
}

/// What a name was found to be: a cell, then fields of records.
pub struct Found {
    /// Cell.
    pub cell: usize,
    /// Parts of the name that are record fields.
    pub rest: usize,
}

impl Scope {
    /// Finds a name.
    ///
    /// # Errors
    /// Unknown and ambiguous names, with the nearest known one.
    pub fn find(&self, parts: &[Ident]) -> Result<Found, Box<Diagnostic>> {
        let Some(first) = parts.first() else { return Err(Box::new(Diagnostic::error(super::diagnostic::Span::default(), "an empty name"))) };
        let span = parts.iter().fold(first.span, |span, part| span.to(part.span));
        // A leading schema name is left out when what follows resolves.
        for skip in 0..parts.len().min(3) {
            let rest = &parts[skip..];
            if rest.len() > 1
                && let Some(relation) = self.relations.iter().find(|relation| relation.name.as_deref() == Some(&rest[0].name))
            {
                let found = (relation.from..relation.to).find(|at| self.columns[*at].name == rest[1].name);
                return match found {
                    Some(cell) => Ok(Found { cell, rest: rest.len() - 2 }),
                    None => Err(self.unknown(&rest[1], relation.from..relation.to, &format!("{} has no column", rest[0].name))),
                };
            }
            let matching: Vec<usize> = (0..self.columns.len()).filter(|at| self.columns[*at].name == rest[0].name).collect();
            // What is declared goes before what the service adds.
            let declared: Vec<usize> = matching.iter().copied().filter(|at| !self.columns[*at].hidden).collect();
            match if declared.is_empty() { matching } else { declared }.as_slice() {
                [cell] if skip == 0 => return Ok(Found { cell: *cell, rest: rest.len() - 1 }),
                [_, _, ..] if skip == 0 => {
                    let message = format!("'{}' is a column of several relations; write alias.{}", rest[0].name, rest[0].name);
                    return Err(Box::new(Diagnostic::error(span, message)));
                }
                _ => {}
            }
        }
        if parts.len() > 1 {
            let known: Vec<&str> = self.relations.iter().filter_map(|relation| relation.name.as_deref()).collect();
            let error = Diagnostic::error(first.span, format!("no relation is named '{}' here; there are: {}", first.name, known.join(", ")));
            return Err(Box::new(match near_miss(&first.name, known) {
                Some(near) => error.with_fix(format!("write {near}"), written(near)),
                None => error,
            }));
        }
        Err(self.unknown(first, 0..self.columns.len(), "there is no column"))
    }

    fn unknown(&self, name: &Ident, range: std::ops::Range<usize>, what: &str) -> Box<Diagnostic> {
        let known: Vec<&str> = self.columns[range].iter().filter(|column| !column.rowtime).map(|column| column.name.as_str()).collect();
        let exact = known.iter().find(|known| known.eq_ignore_ascii_case(&name.name));
        if let Some(exact) = exact {
            let message = format!("{what} '{}'; the stream has \"{exact}\", whose case is kept only in quotes", name.name);
            return Box::new(Diagnostic::error(name.span, message).with_fix(format!("write \"{exact}\""), format!("\"{exact}\"")));
        }
        let shown = known.iter().take(12).copied().collect::<Vec<_>>().join(", ");
        let error = Diagnostic::error(name.span, format!("{what} '{}'; there are: {shown}", name.name));
        Box::new(match near_miss(&name.name, known) {
            Some(near) => error.with_fix(format!("write {near}"), written(near)),
            None => error,
        })
    }

    /// The only ROWTIME cell in scope.
    pub fn rowtime(&self) -> Option<usize> {
        let mut cells = (0..self.columns.len()).filter(|at| self.columns[*at].rowtime);
        let first = cells.next()?;
        if cells.next().is_some() { None } else { Some(first) }
    }

    /// How an expression over these columns goes with time.
    pub fn class(&self, expr: &Bound) -> Class {
        let go = |expr: &Bound| self.class(expr);
        match expr {
            Bound::Const(_) => Class::Const,
            Bound::Cell(at) => self.columns.get(*at).map_or(Class::None, |column| column.class),
            Bound::OutTime => Class::Asc,
            Bound::Neg(a, _) => go(a).reversed(),
            Bound::Number(Arith::Add, a, b, _) => go(a).both(go(b)),
            Bound::Number(Arith::Sub, a, b, _) | Bound::Difference(a, b, _) => go(a).both(go(b).reversed()),
            Bound::Number(Arith::Mul, a, b, _) => match (go(a), go(b)) {
                (class, Class::Const) => by_sign(class, b),
                (Class::Const, class) => by_sign(class, a),
                _ => Class::None,
            },
            Bound::Number(Arith::Div, a, b, _) | Bound::Scale(_, a, b) => match (go(a), go(b)) {
                (class, Class::Const) => by_sign(class, b),
                _ => Class::None,
            },
            Bound::Shift { sign, at, by, .. } => {
                let by = go(by);
                go(at).both(if *sign < 0 { by.reversed() } else { by })
            }
            Bound::ToUnit(_, a, _, _) => go(a),
            Bound::Call(function, args, _) => match function {
                Function::Monotonic => Class::Asc,
                Function::QueryTimestamp | Function::QueryDate | Function::QueryTime | Function::RowTimestamp => Class::Asc,
                Function::Floor
                | Function::Ceil
                | Function::StepNumber
                | Function::StepTime
                | Function::StepMonths
                | Function::UnixTimestamp
                | Function::ToTimestamp
                | Function::Substring
                    if args[1..].iter().all(|arg| go(arg) == Class::Const) =>
                {
                    let class = go(&args[0]);
                    if *function == Function::Substring && class.moves() { Class::None } else { class }
                }
                _ if args.iter().all(|arg| go(arg) == Class::Const) => Class::Const,
                _ => Class::None,
            },
            Bound::Cast(a, from, to) => match go(a) {
                Class::Const => Class::Const,
                class if from.family() == to.family() || (*from == SqlType::Timestamp && *to == SqlType::Date) || *to == SqlType::Timestamp => class,
                class if from.is_interval() && to.family() == super::types::Family::Number => class,
                _ => Class::None,
            },
            Bound::Case(branches, otherwise) => {
                let all = branches.iter().flat_map(|(a, b)| [a, b]).chain([&**otherwise]);
                if all.into_iter().all(|part| go(part) == Class::Const) { Class::Const } else { Class::None }
            }
            _ => Class::None,
        }
    }

    /// The expression as a function of the row's ROWTIME (cell 0), when it is one.
    pub fn of_time(&self, expr: &Bound) -> Option<Bound> {
        if matches!(expr, Bound::OutTime) {
            return Some(Bound::Cell(0));
        }
        expr.map_cells(&|at| self.columns.get(at)?.of_time.clone())
    }

    /// The expression names a stream's ROWTIME.
    pub fn names_rowtime(&self, expr: &Bound) -> bool {
        expr.map_cells(&|at| (!self.columns.get(at)?.rowtime).then_some(Bound::Cell(at))).is_none()
            && expr.map_cells(&|at| Some(Bound::Cell(at))).is_some()
    }
}

fn by_sign(class: Class, factor: &Bound) -> Class {
    let env = Env { cells: &[], out_time: 0, clock: Clock::default(), params: &[] };
    match factor.eval(&env).ok().and_then(|value: Value| value.number()) {
        Some(sign) if sign > 0.0 => class,
        Some(sign) if sign < 0.0 => class.reversed(),
        Some(_) => Class::Const,
        None => Class::None,
    }
}

/// A name as it must be written.
pub fn written(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && name.starts_with(|c: char| !c.is_ascii_digit())
        && !super::lex::is_reserved(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// CEIL is the outermost rounding: its groups change a millisecond after the instant they are named by.
pub fn rounds_up(expr: &Bound) -> bool {
    match expr {
        Bound::ToUnit(up, ..) => *up,
        Bound::Call(Function::Ceil, ..) => true,
        Bound::Shift { at, .. } => rounds_up(at),
        Bound::Cast(a, ..) | Bound::Neg(a, _) => rounds_up(a),
        Bound::Call(Function::Monotonic, args, _) => args.first().is_some_and(rounds_up),
        Bound::Number(_, a, b, _) => rounds_up(a) || rounds_up(b),
        _ => false,
    }
}

/// The instant just before ROWTIME: the rows of a closed group carry values of then.
pub fn just_before() -> Bound {
    let millisecond = Box::new(Bound::Const(Value::Ms(1)));
    Bound::Shift { sign: -1, months: false, at: Box::new(Bound::Cell(0)), by: millisecond, ty: SqlType::Timestamp }
}

/// A function of ROWTIME that looks at the instant just before it.
pub fn looks_before(of_time: &Bound) -> bool {
    format!("{of_time:?}").contains(&format!("{:?}", just_before()))
}

/// The first instant after `at` at which a monotonic function of ROWTIME has another value; `None` when it never has.
pub fn next_change(of_time: &Bound, at: i64, clock: Clock) -> Option<i64> {
    let value = |at: i64| {
        let cells = [Value::Ms(at)];
        of_time.eval(&Env { cells: &cells, out_time: at, clock, params: &[] }).ok()
    };
    let now = value(at)?;
    let differs = |at: i64| value(at).is_some_and(|value| !value.same(&now));
    let mut step = 1i64;
    while !differs(at.checked_add(step)?) {
        step = step.checked_mul(2)?;
        // Beyond ten thousand years nothing is waited for.
        if step > 400_000_000_000_000 {
            return None;
        }
    }
    let (mut low, mut high) = (at + step / 2, at + step);
    if step == 1 {
        return Some(at + 1);
    }
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if differs(middle) { high = middle } else { low = middle }
    }
    Some(high)
}
