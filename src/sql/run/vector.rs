//! Expressions over batches: column at a time where that cannot change what a row would give, row by row where it could.
//!
//! Invariant: the values and errors are those of [`Bound::eval`] on each row. A kernel meets an error only by giving up: the rows are then
//! evaluated one by one, which keeps what AND, OR and CASE leave out.

use std::cmp::Ordering;
use std::sync::Arc;

use super::flow::{Batch, Cause};
use super::merge::Frontier;
use crate::sql::bound::{Arith, Bound, Env, arithmetic};
use crate::sql::cast;
use crate::sql::column::{Column, ColumnBuilder, Slots, Texts};
use crate::sql::functions::{self, Clock, Function};
use crate::sql::pattern::midnight;
use crate::sql::types::SqlType;
use crate::sql::value::{RowError, Value};

/// The clock while a batch is worked on: it moves with every row of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments<'m> {
    /// Before the batch.
    pub(super) clock: Clock,
    /// Cause of the clock at the first row.
    pub(super) first: Cause,
    /// How far the rows of the batch have come at each of them, rising.
    pub(super) at: &'m [i64],
}

impl Moments<'_> {
    /// The clock at a cause.
    pub(super) fn clock(&self, cause: Cause) -> Clock {
        let row = cause.checked_sub(self.first).map(|behind| (behind / 2) as usize);
        let now = row.and_then(|row| self.at.get(row)).copied().unwrap_or(self.clock.now);
        Clock { now: now.max(self.clock.now), ..self.clock }
    }

    /// What lets a row go that waits for a frontier: the row itself when it has come, else what moves the clock so far.
    pub(super) fn free(&self, cause: Cause, frontier: Frontier) -> Cause {
        let Some(behind) = cause.checked_sub(self.first) else { return self.when(frontier) };
        // Mostly it is one of the next few rows.
        let from = (behind / 2) as usize;
        let near = self.at.get(from..(from + 8).min(self.at.len())).unwrap_or_default();
        match near.iter().position(|at| at.saturating_mul(2) >= frontier) {
            Some(0) => cause,
            Some(rows) => self.first + 2 * (from + rows) as Cause,
            None => cause.max(self.when(frontier)),
        }
    }

    /// What moves the clock so far that a frontier is reached.
    pub(super) fn when(&self, frontier: Frontier) -> Cause {
        if self.at.is_empty() {
            return self.first;
        }
        self.first + 2 * self.at.partition_point(|at| at.saturating_mul(2) < frontier) as Cause
    }
}

/// Values over a batch, and the rows that have none, in their order.
#[derive(Debug)]
pub(super) struct Evaluated {
    pub(super) column: Column,
    pub(super) failed: Vec<(u32, RowError)>,
}

/// An expression over a batch.
pub(super) fn eval(expr: &Bound, batch: &Batch, moments: &Moments<'_>) -> Evaluated {
    if let Some(cells) = batch.only_row() {
        return match expr.eval(&Env { cells, out_time: batch.times()[0], clock: clock(batch, moments, 0), params: &[] }) {
            Ok(value) => Evaluated { column: Column::Repeat(value), failed: Vec::new() },
            Err(error) => Evaluated { column: Column::Repeat(Value::Null), failed: vec![(0, error)] },
        };
    }
    match column(expr, batch, moments) {
        Some(column) => Evaluated { column, failed: Vec::new() },
        None => each(expr, batch, moments),
    }
}

/// The clock at a row.
fn clock(batch: &Batch, moments: &Moments<'_>, row: usize) -> Clock {
    batch.causes().get(row).map_or(moments.clock, |cause| moments.clock(*cause))
}

/// Row by row.
fn each(expr: &Bound, batch: &Batch, moments: &Moments<'_>) -> Evaluated {
    let mut read = Vec::new();
    expr.cells(&mut read);
    let mut cells = vec![Value::Null; batch.width()];
    let mut builder = ColumnBuilder::default();
    let mut failed = Vec::new();
    for row in 0..batch.len() {
        for cell in &read {
            if let Some(slot) = cells.get_mut(*cell) {
                *slot = batch.value(row, *cell);
            }
        }
        match expr.eval(&Env { cells: &cells, out_time: batch.times()[row], clock: clock(batch, moments, row), params: &[] }) {
            Ok(value) => builder.push(value),
            Err(error) => {
                builder.push_null();
                failed.push((row as u32, error));
            }
        }
    }
    Evaluated { column: builder.finish(), failed }
}

/// Column at a time; `None` when some row may fail.
fn column(expr: &Bound, batch: &Batch, moments: &Moments<'_>) -> Option<Column> {
    let rows = batch.len();
    let go = |expr: &Bound| column(expr, batch, moments);
    Some(match expr {
        Bound::Const(value) => Column::Repeat(value.clone()),
        Bound::Cell(at) => batch.column(*at),
        Bound::OutTime => Column::Times(Slots { values: batch.shared_times(), nulls: None }),
        Bound::Not(a) => truths(rows, &go(a)?, &Column::Repeat(Value::Null), |a, _| a.map(|a| !a)),
        Bound::And(a, b) => truths(rows, &go(a)?, &go(b)?, and),
        Bound::Or(a, b) => truths(rows, &go(a)?, &go(b)?, or),
        Bound::Compare(op, a, b) => compared(op, rows, &go(a)?, &go(b)?),
        Bound::In(value, list) if list.iter().all(|item| matches!(item, Bound::Const(_))) => {
            let value = go(value)?;
            let mut found = Column::Repeat(Value::Bool(false));
            for item in list {
                found = truths(rows, &found, &compared("=", rows, &value, &go(item)?), or);
            }
            found
        }
        Bound::IsNull(a) => {
            let a = go(a)?;
            Column::Flags(Slots::new((0..rows).map(|row| a.is_null(row)).collect()))
        }
        Bound::IsBool(a, wanted) => {
            let a = go(a)?;
            Column::Flags(Slots::new((0..rows).map(|row| truth(&a, row) == Some(*wanted)).collect()))
        }
        Bound::Like(text, like) => tested(rows, &go(text)?, |text| like.matches(text)),
        Bound::Similar(text, regex) => tested(rows, &go(text)?, |text| regex.is_match(text)),
        Bound::Number(op, a, b, ty) => number(*op, rows, &go(a)?, &go(b)?, ty)?,
        Bound::Shift { sign, months: false, at, by, ty: SqlType::Timestamp | SqlType::Interval(_) } => match (go(at)?, go(by)?) {
            (Column::Times(slots), Column::Repeat(Value::Ms(by))) => {
                let by = by.saturating_mul(*sign);
                Column::Times(Slots { values: Arc::new(slots.values.iter().map(|at| at.saturating_add(by)).collect()), nulls: slots.nulls })
            }
            _ => return certain(expr, batch, moments),
        },
        Bound::Cast(a, from, to) => {
            let a = go(a)?;
            match to {
                SqlType::Varchar(length) if from.family() == to.family() && a.texts_within(*length as usize) => a,
                _ => {
                    let today = midnight(moments.clock.start);
                    values(rows, |row| cast::cast(&a.value(row), from, to, today).ok())?
                }
            }
        }
        Bound::Case(branches, otherwise) => {
            let branches = branches.iter().map(|(condition, result)| Some((go(condition)?, go(result)?))).collect::<Option<Vec<_>>>()?;
            let otherwise = go(otherwise)?;
            let mut builder = ColumnBuilder::default();
            for row in 0..rows {
                let chosen = branches.iter().find(|(condition, _)| condition.is_true(row)).map_or(&otherwise, |(_, result)| result);
                builder.push_from(chosen, row);
            }
            builder.finish()
        }
        Bound::Extract(a, ty, unit) => {
            let a = go(a)?;
            values(rows, |row| Some(functions::extract(&a.value(row), ty, *unit)))?
        }
        Bound::ToUnit(up, a, ty, unit) => {
            let a = go(a)?;
            values(rows, |row| Some(functions::to_unit(*up, &a.value(row), ty, *unit)))?
        }
        Bound::Call(function, args, ty) => {
            let args = args.iter().map(go).collect::<Option<Vec<_>>>()?;
            called(*function, &args, ty, batch, moments)?
        }
        _ => return certain(expr, batch, moments),
    })
}

/// Row by row, when no row fails.
fn certain(expr: &Bound, batch: &Batch, moments: &Moments<'_>) -> Option<Column> {
    let Evaluated { column, failed } = each(expr, batch, moments);
    failed.is_empty().then_some(column)
}

fn values(rows: usize, mut value: impl FnMut(usize) -> Option<Value>) -> Option<Column> {
    let mut builder = ColumnBuilder::default();
    for row in 0..rows {
        builder.push(value(row)?);
    }
    Some(builder.finish())
}

fn called(function: Function, args: &[Column], ty: &SqlType, batch: &Batch, moments: &Moments<'_>) -> Option<Column> {
    match (function, args) {
        (Function::StepTime, [Column::Times(slots), Column::Repeat(Value::Ms(step))]) if *step > 0 && *ty == SqlType::Timestamp => {
            // Neighbours mostly lie in the same step.
            let mut floor = 0i64;
            let mut until = 0i64;
            let stepped = slots.values.iter().map(|at| {
                if *at < floor || *at >= until {
                    floor = at.div_euclid(*step) * step;
                    until = floor.saturating_add(*step);
                }
                floor
            });
            return Some(Column::Times(Slots { values: Arc::new(stepped.collect()), nulls: slots.nulls.clone() }));
        }
        (Function::Monotonic, [one]) => return Some(one.clone()),
        (Function::UnixTimestamp, [Column::Times(slots)]) => return Some(Column::Ints(slots.clone())),
        _ => {}
    }
    let mut cells = vec![Value::Null; args.len()];
    values(batch.len(), |row| {
        for (cell, arg) in cells.iter_mut().zip(args) {
            *cell = arg.value(row);
        }
        functions::call(function, &cells, ty, clock(batch, moments, row)).ok()
    })
}

fn truth(column: &Column, row: usize) -> Option<bool> {
    match column {
        Column::Flags(slots) => slots.get(row),
        Column::Repeat(Value::Bool(value)) => Some(*value),
        Column::Mixed(values) => match values[row] {
            Value::Bool(value) => Some(value),
            _ => None,
        },
        _ => None,
    }
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    if a == Some(false) || b == Some(false) { Some(false) } else { a.and(b) }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    if a == Some(true) || b == Some(true) { Some(true) } else { a.and(b) }
}

fn flags(found: impl Iterator<Item = Option<bool>>) -> Column {
    let mut values = Vec::with_capacity(found.size_hint().0);
    let mut nulls = Vec::with_capacity(found.size_hint().0);
    for one in found {
        values.push(one.unwrap_or(false));
        nulls.push(one.is_none());
    }
    Column::Flags(Slots::with_nulls(values, nulls))
}

fn truths(rows: usize, a: &Column, b: &Column, f: impl Fn(Option<bool>, Option<bool>) -> Option<bool>) -> Column {
    flags((0..rows).map(|row| f(truth(a, row), truth(b, row))))
}

fn tested(rows: usize, column: &Column, test: impl Fn(&str) -> bool) -> Column {
    match column {
        Column::Texts(texts) => flags((0..rows).map(|row| texts.get(row).map(&test))),
        column => flags((0..rows).map(|row| match column.value(row) {
            Value::Text(text) => Some(test(&text)),
            _ => None,
        })),
    }
}

/// Operands of a kernel.
enum Operand<'c, T> {
    Each(&'c Slots<T>),
    Same(T),
}

impl<T: Copy> Operand<'_, T> {
    fn get(&self, row: usize) -> Option<T> {
        match self {
            Self::Each(slots) => slots.get(row),
            Self::Same(value) => Some(*value),
        }
    }
}

fn ints(column: &Column) -> Option<Operand<'_, i64>> {
    match column {
        Column::Ints(slots) => Some(Operand::Each(slots)),
        Column::Repeat(Value::Int(value)) => Some(Operand::Same(*value)),
        _ => None,
    }
}

fn times(column: &Column) -> Option<Operand<'_, i64>> {
    match column {
        Column::Times(slots) => Some(Operand::Each(slots)),
        Column::Repeat(Value::Ms(value)) => Some(Operand::Same(*value)),
        _ => None,
    }
}

fn numbers(column: &Column) -> Option<Operand<'_, f64>> {
    match column {
        Column::Numbers(slots) => Some(Operand::Each(slots)),
        Column::Repeat(Value::Num(value)) => Some(Operand::Same(*value)),
        _ => None,
    }
}

fn texts(column: &Column) -> Option<(Option<&Texts>, &str)> {
    match column {
        Column::Texts(texts) => Some((Some(&**texts), "")),
        Column::Repeat(Value::Text(text)) => Some((None, text)),
        _ => None,
    }
}

fn compared(op: &str, rows: usize, a: &Column, b: &Column) -> Column {
    let holds = |order: Ordering| match op {
        "=" => order == Ordering::Equal,
        "<>" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    };
    for (a, b) in [(ints(a), ints(b)), (times(a), times(b))] {
        if let (Some(a), Some(b)) = (a, b) {
            return flags((0..rows).map(|row| Some(holds(a.get(row)?.cmp(&b.get(row)?)))));
        }
    }
    if let (Some(a), Some(b)) = (numbers(a), numbers(b)) {
        return flags((0..rows).map(|row| a.get(row)?.partial_cmp(&b.get(row)?).map(holds)));
    }
    if let (Some((a, same_a)), Some((b, same_b))) = (texts(a), texts(b)) {
        let (same_a, same_b) = (same_a.trim_end_matches(' '), same_b.trim_end_matches(' '));
        return flags((0..rows).map(|row| {
            let a = match a {
                Some(texts) => texts.get(row)?.trim_end_matches(' '),
                None => same_a,
            };
            let b = match b {
                Some(texts) => texts.get(row)?.trim_end_matches(' '),
                None => same_b,
            };
            Some(holds(a.cmp(b)))
        }));
    }
    flags((0..rows).map(|row| a.value(row).compare(&b.value(row)).map(holds)))
}

fn number(op: Arith, rows: usize, a: &Column, b: &Column, ty: &SqlType) -> Option<Column> {
    if ty.is_integer()
        && let (Some(a), Some(b)) = (ints(a), ints(b))
    {
        let (least, greatest) = ty.range();
        let (mut values, mut nulls) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for row in 0..rows {
            let result = match (a.get(row), b.get(row)) {
                (Some(a), Some(b)) => Some(
                    match op {
                        Arith::Add => a.checked_add(b),
                        Arith::Sub => a.checked_sub(b),
                        Arith::Mul => a.checked_mul(b),
                        Arith::Div => a.checked_div(b),
                    }
                    .filter(|result| *result >= least && *result <= greatest)?,
                ),
                _ => None,
            };
            values.push(result.unwrap_or(0));
            nulls.push(result.is_none());
        }
        return Some(Column::Ints(Slots::with_nulls(values, nulls)));
    }
    values(rows, |row| arithmetic(op, &a.value(row), &b.value(row), ty).ok())
}
