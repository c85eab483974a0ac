//! Aggregates over a group, and over a window whose rows come and go.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::spread::Spread;
use super::sums::{Doubles, Sums};
use crate::sql::cast;
use crate::sql::plan::{Aggregate, AggregateCall};
use crate::sql::types::SqlType;
use crate::sql::value::{Key, KeySet, Outcome, Value};

/// An aggregate of a group.
#[derive(Debug, Clone)]
pub struct Accumulator {
    sums: Sums,
    best: Value,
    /// Welford's mean and squares.
    mean: f64,
    squares: f64,
    trues: i64,
    falses: i64,
    any: bool,
    seen: KeySet,
    /// Weighted sums of EXP_AVG: last instant, weight, weighted sum.
    weighted: (i64, f64, f64),
}

impl Default for Accumulator {
    fn default() -> Self {
        Self {
            sums: Sums::default(),
            best: Value::Null,
            mean: 0.0,
            squares: 0.0,
            trues: 0,
            falses: 0,
            any: false,
            seen: KeySet::default(),
            weighted: (0, 0.0, 0.0),
        }
    }
}

impl Accumulator {
    /// Takes a row's arguments.
    pub fn add(&mut self, call: &AggregateCall, args: &[Value], time: i64) {
        let value = args.first().unwrap_or(&Value::Null);
        if call.distinct && (value.is_null() || !self.seen.insert(Key([value.clone()].into()))) {
            return;
        }
        match call.function {
            Aggregate::CountStar => self.sums.count += 1,
            Aggregate::Count => self.sums.count += i64::from(args.iter().all(|value| !value.is_null())),
            Aggregate::Sum | Aggregate::Avg => self.sums.change(value, 1),
            Aggregate::Min | Aggregate::Max => {
                let wanted = if call.function == Aggregate::Min { Ordering::Less } else { Ordering::Greater };
                if !value.is_null() && (self.best.is_null() || value.compare(&self.best) == Some(wanted)) {
                    self.best = value.clone();
                }
            }
            Aggregate::StddevPop | Aggregate::StddevSamp | Aggregate::VarPop | Aggregate::VarSamp => {
                if let Some(x) = value.number().filter(|_| !value.is_null()) {
                    self.sums.count += 1;
                    let delta = x - self.mean;
                    self.mean += delta / self.sums.count as f64;
                    self.squares += delta * (x - self.mean);
                }
            }
            Aggregate::Any | Aggregate::Every => match value {
                Value::Bool(true) => self.trues += 1,
                Value::Bool(false) => self.falses += 1,
                _ => {}
            },
            Aggregate::First => {
                let skipped = call.ignore_nulls && value.is_null();
                if !self.any && !skipped {
                    self.any = true;
                    self.best = value.clone();
                }
            }
            Aggregate::Last => {
                if !(call.ignore_nulls && value.is_null()) {
                    self.best = value.clone();
                }
            }
            Aggregate::ExpAvg => {
                let half_life = match args.get(1) {
                    Some(Value::Ms(ms)) if *ms > 0 => *ms as f64,
                    _ => return,
                };
                if let Some(x) = value.number().filter(|_| !value.is_null()) {
                    let (last, weight, sum) = self.weighted;
                    let faded = if weight == 0.0 { 1.0 } else { libm::exp2(-((time - last) as f64) / half_life) };
                    self.weighted = (time, weight * faded + 1.0, sum * faded + x);
                }
            }
            Aggregate::Nth | Aggregate::Lag => {}
        }
    }

    /// The result.
    ///
    /// # Errors
    /// A sum that does not fit its type.
    pub fn finish(&self, call: &AggregateCall) -> Outcome {
        let count = self.sums.count as f64;
        Ok(match call.function {
            Aggregate::CountStar | Aggregate::Count => Value::Int(self.sums.count),
            Aggregate::Sum => return self.sums.sum(&call.ty),
            Aggregate::Avg => return self.sums.mean(&call.ty),
            Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last => self.best.clone(),
            Aggregate::StddevPop | Aggregate::VarPop if count > 0.0 => root(self.squares / count, call.function),
            Aggregate::StddevSamp | Aggregate::VarSamp if count > 1.0 => root(self.squares / (count - 1.0), call.function),
            Aggregate::Any => logic(self.trues > 0, self.trues + self.falses),
            Aggregate::Every => logic(self.falses == 0, self.trues + self.falses),
            Aggregate::ExpAvg if self.weighted.1 > 0.0 => Value::Num(self.weighted.2 / self.weighted.1),
            _ => Value::Null,
        })
    }
}

fn root(variance: f64, function: Aggregate) -> Value {
    let root = matches!(function, Aggregate::StddevPop | Aggregate::StddevSamp);
    Value::Num(if root { libm::sqrt(variance) } else { variance })
}

fn logic(value: bool, count: i64) -> Value {
    if count == 0 { Value::Null } else { Value::Bool(value) }
}

/// Rows of a window: their times and the arguments of its calls, so many a row.
#[derive(Debug, Clone, Default)]
pub struct WindowRows {
    times: VecDeque<i64>,
    args: VecDeque<Value>,
    arity: usize,
}

impl WindowRows {
    /// Rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// ROWTIME of the oldest row.
    pub fn oldest(&self) -> Option<i64> {
        self.times.front().copied()
    }

    /// ROWTIME of the newest row.
    pub fn newest(&self) -> Option<i64> {
        self.times.back().copied()
    }

    /// A row comes in.
    pub fn push(&mut self, time: i64, args: &[Value]) {
        self.arity = args.len();
        self.times.push_back(time);
        self.args.extend(args.iter().cloned());
    }

    /// The oldest row leaves; its arguments are put into `args`.
    pub fn pop(&mut self, args: &mut Vec<Value>) -> bool {
        args.clear();
        if self.times.pop_front().is_none() {
            return false;
        }
        args.extend(self.args.drain(..self.arity));
        true
    }

    /// An argument of a row.
    fn arg(&self, row: usize, at: usize) -> &Value {
        self.args.get(row * self.arity + at).unwrap_or(&Value::Null)
    }
}

/// The part of a window's aggregate that is kept up to date as rows come and go.
#[derive(Debug, Clone, Default)]
pub struct Rolling {
    sums: Sums,
    /// Candidates of MIN and MAX: ordinal of the row and value, best first.
    best: VecDeque<(u64, Value)>,
    trues: i64,
    falses: i64,
    spread: Spread,
}

impl Rolling {
    pub(super) fn of_doubles(doubles: Doubles) -> Self {
        Self { sums: doubles.into(), ..Self::default() }
    }

    pub(super) fn of_best(best: VecDeque<(u64, Value)>) -> Self {
        Self { best, ..Self::default() }
    }

    /// A row enters; `ordinal` counts the window's rows since its start.
    pub fn enter(&mut self, call: &AggregateCall, args: &[Value], ordinal: u64) {
        self.change(call, args, 1);
        if matches!(call.function, Aggregate::Min | Aggregate::Max)
            && let Some(value) = args.first().filter(|value| !value.is_null())
        {
            let beaten = if call.function == Aggregate::Min { Ordering::Greater } else { Ordering::Less };
            while self.best.back().is_some_and(|(_, last)| matches!(last.compare(value), Some(order) if order == beaten || order == Ordering::Equal))
            {
                self.best.pop_back();
            }
            self.best.push_back((ordinal, value.clone()));
        }
    }

    /// The oldest row leaves.
    pub fn leave(&mut self, call: &AggregateCall, args: &[Value], ordinal: u64) {
        self.change(call, args, -1);
        if self.best.front().is_some_and(|(first, _)| *first == ordinal) {
            self.best.pop_front();
        }
    }

    fn change(&mut self, call: &AggregateCall, args: &[Value], sign: i64) {
        let value = args.first().unwrap_or(&Value::Null);
        match call.function {
            Aggregate::Count => self.sums.count += sign * i64::from(args.iter().all(|value| !value.is_null())),
            Aggregate::Sum | Aggregate::Avg if !call.distinct => self.sums.change(value, sign),
            Aggregate::Any | Aggregate::Every => match value {
                Value::Bool(true) => self.trues += sign,
                Value::Bool(false) => self.falses += sign,
                _ => {}
            },
            Aggregate::StddevPop | Aggregate::StddevSamp | Aggregate::VarPop | Aggregate::VarSamp => {
                value.number().into_iter().for_each(|x| self.spread.change(x, sign));
            }
            _ => {}
        }
    }

    /// The result of a call that needs no more of the window's rows than their numbers.
    ///
    /// # Errors
    /// A sum that does not fit its type.
    pub(super) fn own(&self, call: &AggregateCall, numbers: impl Iterator<Item = f64> + Clone) -> Outcome {
        Ok(match call.function {
            Aggregate::Count => Value::Int(self.sums.count),
            Aggregate::Sum => return self.sums.sum(&call.ty),
            Aggregate::Avg => return self.sums.mean(&call.ty),
            Aggregate::Min | Aggregate::Max => self.best.front().map_or(Value::Null, |(_, value)| value.clone()),
            Aggregate::Any => logic(self.trues > 0, self.trues + self.falses),
            Aggregate::Every => logic(self.falses == 0, self.trues + self.falses),
            Aggregate::StddevPop | Aggregate::StddevSamp | Aggregate::VarPop | Aggregate::VarSamp => self.spread.result(call.function, numbers),
            _ => Value::Null,
        })
    }

    /// The result over the window's rows, the newest last.
    ///
    /// # Errors
    /// A sum that does not fit its type.
    pub fn result(&self, call: &AggregateCall, rows: &WindowRows, at: usize) -> Outcome {
        // `at` is where this call's arguments begin in every row.
        let arity = call.args.len();
        let values = || (0..rows.len()).map(|row| rows.arg(row, at));
        let kept = |value: &&Value| !call.ignore_nulls || !value.is_null();
        let Some(newest) = rows.len().checked_sub(1) else { return Ok(Value::Null) };
        Ok(match call.function {
            Aggregate::CountStar => Value::Int(rows.len() as i64),
            Aggregate::Sum | Aggregate::Avg if call.distinct => {
                let mut one = Accumulator::default();
                for (row, time) in rows.times.iter().enumerate() {
                    let args: Vec<Value> = (at..at + arity).map(|arg| rows.arg(row, arg).clone()).collect();
                    one.add(call, &args, *time);
                }
                return one.finish(call);
            }
            Aggregate::First => values().find(kept).cloned().unwrap_or(Value::Null),
            Aggregate::Last => values().rev().find(kept).cloned().unwrap_or(Value::Null),
            Aggregate::Nth => {
                let Some(n) = rows.arg(newest, at + 1).number().filter(|n| *n >= 1.0) else { return Ok(Value::Null) };
                let n = n as usize - 1;
                let found = if call.from_last { values().rev().filter(kept).nth(n) } else { values().filter(kept).nth(n) };
                found.cloned().unwrap_or(Value::Null)
            }
            Aggregate::Lag => {
                let n = if arity > 1 { rows.arg(newest, at + 1).number().unwrap_or(1.0).max(0.0) as usize } else { 1 };
                if n == 0 {
                    return Ok(rows.arg(newest, at).clone());
                }
                match values().rev().skip(1).filter(kept).nth(n - 1) {
                    Some(value) => value.clone(),
                    None if arity > 2 => cast::assign(rows.arg(newest, at + 2).clone(), &SqlType::Null, &call.ty)?,
                    None => Value::Null,
                }
            }
            Aggregate::ExpAvg => {
                let half_life = match rows.arg(newest, at + 1) {
                    Value::Ms(ms) if *ms > 0 => *ms as f64,
                    _ => return Ok(Value::Null),
                };
                let now = rows.times[newest];
                let (mut weights, mut sum) = (0.0, 0.0);
                for (time, value) in rows.times.iter().zip(values()) {
                    if let Some(x) = value.number() {
                        let weight = libm::exp2(-((now - time) as f64) / half_life);
                        weights += weight;
                        sum += weight * x;
                    }
                }
                if weights > 0.0 { Value::Num(sum / weights) } else { Value::Null }
            }
            _ => return self.own(call, values().filter_map(Value::number)),
        })
    }
}
