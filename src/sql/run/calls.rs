//! Calls over a window's log: what each keeps of the log's rows, and its state by key, in flat arrays.

use std::collections::VecDeque;

use super::aggregate::Rolling;
use super::sums::Doubles;
use crate::sql::column::{Column, ColumnBuilder, Slots};
use crate::sql::plan::{Aggregate, AggregateCall};
use crate::sql::types::SqlType;
use crate::sql::value::{RowError, Value};

/// What a call gives over a batch, and the rows for which it fails.
#[derive(Debug, Clone)]
pub(super) struct Added {
    pub(super) column: Column,
    pub(super) failed: Vec<(u32, RowError)>,
}

/// Rows that came and went while a batch went in.
pub(super) struct Passage<'l> {
    pub(super) numbers: &'l [u32],
    pub(super) keys: usize,
    /// The first row that has not left before, and the first one that is new.
    pub(super) head: usize,
    pub(super) new: usize,
    /// For each new row, the first one that has not left when it comes.
    pub(super) until: &'l [usize],
    /// The first one that has not left behind them.
    pub(super) end: usize,
    /// Rows that were cleared away before.
    pub(super) gone: u64,
}

impl Passage<'_> {
    /// Calls `leave` and `enter` with rows and their keys in their order; what `enter` returns is the result of the row.
    fn run<S, R>(&self, state: &mut S, leave: impl Fn(&mut S, usize, usize), enter: impl Fn(&mut S, usize, usize) -> R) -> Vec<R> {
        let mut head = self.head;
        let mut results = Vec::with_capacity(self.until.len());
        for (row, until) in self.until.iter().enumerate() {
            while head < *until {
                leave(state, head, self.numbers[head] as usize);
                head += 1;
            }
            let row = self.new + row;
            results.push(enter(state, row, self.numbers[row] as usize));
        }
        while head < self.end {
            leave(state, head, self.numbers[head] as usize);
            head += 1;
        }
        results
    }
}

/// Candidates of MIN or MAX by key: places of rows and their values, best first.
#[derive(Debug, Clone)]
pub(super) struct Best<T> {
    most: bool,
    by_key: Vec<VecDeque<(u64, T)>>,
    /// Values of the rows that are coming in.
    fresh: Vec<Option<T>>,
}

impl<T: Copy + PartialOrd> Best<T> {
    fn new(most: bool) -> Self {
        Self { most, by_key: Vec::new(), fresh: Vec::new() }
    }

    fn pass(&mut self, passage: &Passage<'_>) -> Vec<Option<T>> {
        let Self { most, by_key, fresh } = self;
        by_key.resize_with(passage.keys, VecDeque::new);
        passage.run(
            by_key,
            |by_key, row, key| {
                let best = &mut by_key[key];
                if best.front().is_some_and(|(place, _)| *place == passage.gone + row as u64) {
                    best.pop_front();
                }
            },
            |by_key, row, key| {
                let best = &mut by_key[key];
                if let Some(value) = fresh[row - passage.new] {
                    while best.back().is_some_and(|(_, last)| if *most { *last <= value } else { *last >= value }) {
                        best.pop_back();
                    }
                    best.push_back((passage.gone + row as u64, value));
                }
                best.front().map(|(_, value)| *value)
            },
        )
    }

    fn any(&mut self, value: impl Fn(T) -> Value) -> Vec<Rolling> {
        let candidates = |best: VecDeque<(u64, T)>| best.into_iter().map(|(place, one)| (place, value(one))).collect();
        std::mem::take(&mut self.by_key).into_iter().map(|best| Rolling::of_best(candidates(best))).collect()
    }
}

fn slots<T: Copy + Default>(results: Vec<Option<T>>) -> Slots<T> {
    let nulls = results.iter().map(Option::is_none).collect();
    Slots::with_nulls(results.into_iter().map(Option::unwrap_or_default).collect(), nulls)
}

/// A call: what it keeps of the log's rows, and its state by key.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Rows(Vec<i64>),
    Count(Vec<bool>, Vec<i64>),
    /// SUM and AVG of DOUBLE.
    Numbers(Vec<Option<f64>>, Vec<Doubles>),
    /// MIN and MAX of integers, of times, of doubles.
    BestInt(Best<i64>),
    BestTime(Best<i64>),
    BestNumber(Best<f64>),
    Any(Vec<Value>, Vec<Rolling>),
}

impl Call {
    /// None for a call that looks at single rows.
    pub(super) fn new(call: &AggregateCall) -> Option<Self> {
        if call.distinct {
            return None;
        }
        Some(match call.function {
            Aggregate::CountStar => Self::Rows(Vec::new()),
            Aggregate::Count => Self::Count(Vec::new(), Vec::new()),
            Aggregate::Sum | Aggregate::Avg if call.input == SqlType::Double && call.ty == SqlType::Double => Self::Numbers(Vec::new(), Vec::new()),
            Aggregate::Min | Aggregate::Max => {
                let most = call.function == Aggregate::Max;
                match call.input {
                    SqlType::Double | SqlType::Real => Self::BestNumber(Best::new(most)),
                    SqlType::Timestamp => Self::BestTime(Best::new(most)),
                    _ if call.input.is_integer() => Self::BestInt(Best::new(most)),
                    _ => Self::Any(Vec::new(), Vec::new()),
                }
            }
            Aggregate::Sum
            | Aggregate::Avg
            | Aggregate::Any
            | Aggregate::Every
            | Aggregate::StddevPop
            | Aggregate::StddevSamp
            | Aggregate::VarPop
            | Aggregate::VarSamp => Self::Any(Vec::new(), Vec::new()),
            Aggregate::First | Aggregate::Last | Aggregate::Nth | Aggregate::Lag | Aggregate::ExpAvg => return None,
        })
    }

    /// Keeps what it needs of new rows, `held` being in the log already.
    pub(super) fn keep(&mut self, args: &[Column], held: usize, rows: usize) {
        let none = Column::Repeat(Value::Null);
        let arg = args.first().unwrap_or(&none);
        // Values of other kinds than their column's type says.
        let wide = match (&mut *self, arg) {
            (Self::Rows(_) | Self::Count(..) | Self::Any(..), _)
            | (_, Column::Repeat(Value::Null))
            | (Self::Numbers(..) | Self::BestNumber(_), Column::Numbers(_) | Column::Repeat(Value::Num(_)))
            | (Self::BestInt(_), Column::Ints(_) | Column::Repeat(Value::Int(_)))
            | (Self::BestTime(_), Column::Times(_) | Column::Repeat(Value::Ms(_))) => None,
            (Self::Numbers(kept, sums), _) => {
                let values = kept.iter().map(|number| number.map_or(Value::Null, Value::Num)).collect();
                Some((values, std::mem::take(sums).into_iter().map(Rolling::of_doubles).collect()))
            }
            (Self::BestInt(best), _) => Some((vec![Value::Null; held], best.any(Value::Int))),
            (Self::BestTime(best), _) => Some((vec![Value::Null; held], best.any(Value::Ms))),
            (Self::BestNumber(best), _) => Some((vec![Value::Null; held], best.any(Value::Num))),
        };
        if let Some((kept, states)) = wide {
            *self = Self::Any(kept, states);
        }
        match self {
            Self::Rows(_) => {}
            Self::Count(kept, _) => kept.extend((0..rows).map(|row| args.iter().all(|arg| !arg.is_null(row)))),
            Self::Numbers(kept, _) => kept.extend(numbers(arg, rows)),
            Self::BestNumber(best) => {
                best.fresh.clear();
                best.fresh.extend(numbers(arg, rows));
            }
            Self::BestInt(best) | Self::BestTime(best) => {
                best.fresh.clear();
                best.fresh.extend((0..rows).map(|row| match arg {
                    Column::Ints(slots) | Column::Times(slots) => slots.get(row),
                    Column::Repeat(Value::Int(value) | Value::Ms(value)) => Some(*value),
                    _ => None,
                }));
            }
            Self::Any(kept, _) => kept.extend((0..rows).map(|row| arg.value(row))),
        }
    }

    /// The results of new rows.
    pub(super) fn pass(&mut self, call: &AggregateCall, passage: &Passage<'_>) -> Added {
        let certain = |column| Added { column, failed: Vec::new() };
        match self {
            Self::Rows(counts) => {
                counts.resize(passage.keys, 0);
                let results = passage.run(
                    counts,
                    |counts, _, key| counts[key] -= 1,
                    |counts, _, key| {
                        counts[key] += 1;
                        counts[key]
                    },
                );
                certain(Column::Ints(Slots::new(results)))
            }
            Self::Count(kept, counts) => {
                counts.resize(passage.keys, 0);
                let results = passage.run(
                    counts,
                    |counts, row, key| counts[key] -= i64::from(kept[row]),
                    |counts, row, key| {
                        counts[key] += i64::from(kept[row]);
                        counts[key]
                    },
                );
                certain(Column::Ints(Slots::new(results)))
            }
            Self::Numbers(kept, sums) => {
                sums.resize(passage.keys, Doubles::default());
                let mean = call.function == Aggregate::Avg;
                let results = passage.run(
                    sums,
                    |sums, row, key| kept[row].into_iter().for_each(|number| sums[key].leave(number)),
                    |sums, row, key| {
                        kept[row].into_iter().for_each(|number| sums[key].enter(number));
                        sums[key].result(mean)
                    },
                );
                certain(Column::Numbers(slots(results)))
            }
            Self::BestInt(best) => certain(Column::Ints(slots(best.pass(passage)))),
            Self::BestTime(best) => certain(Column::Times(slots(best.pass(passage)))),
            Self::BestNumber(best) => certain(Column::Numbers(slots(best.pass(passage)))),
            Self::Any(kept, rolling) => {
                rolling.resize_with(passage.keys, Rolling::default);
                let mut builder = ColumnBuilder::default();
                let mut failed = Vec::new();
                let mut state = (rolling, &mut builder, &mut failed);
                let numbers = |row: usize, key: usize| {
                    let from = passage.until.get(row - passage.new).copied().unwrap_or(row);
                    (from..=row).filter(move |at| passage.numbers[*at] as usize == key)
                };
                passage.run(
                    &mut state,
                    |(rolling, ..), row, key| rolling[key].leave(call, std::slice::from_ref(&kept[row]), passage.gone + row as u64),
                    |(rolling, builder, failed), row, key| {
                        rolling[key].enter(call, std::slice::from_ref(&kept[row]), passage.gone + row as u64);
                        match rolling[key].own(call, numbers(row, key).filter_map(|at| kept[at].number())) {
                            Ok(value) => builder.push(value),
                            Err(error) => {
                                builder.push_null();
                                failed.push(((row - passage.new) as u32, error));
                            }
                        }
                    },
                );
                Added { column: builder.finish(), failed }
            }
        }
    }

    /// The first so many rows of the log are cleared away.
    pub(super) fn forget(&mut self, rows: usize) {
        match self {
            Self::Rows(_) | Self::BestInt(_) | Self::BestTime(_) | Self::BestNumber(_) => {}
            Self::Count(kept, _) => drop(kept.drain(..rows)),
            Self::Numbers(kept, _) => drop(kept.drain(..rows)),
            Self::Any(kept, _) => drop(kept.drain(..rows)),
        }
    }

    /// Only the states of some keys stay.
    pub(super) fn retain(&mut self, wanted: &[bool]) {
        fn only<T>(states: &mut Vec<T>, wanted: &[bool]) {
            let mut wanted = wanted.iter();
            states.retain(|_| wanted.next().is_some_and(|wanted| *wanted));
        }
        match self {
            Self::Rows(counts) | Self::Count(_, counts) => only(counts, wanted),
            Self::Numbers(_, sums) => only(sums, wanted),
            Self::BestInt(best) | Self::BestTime(best) => only(&mut best.by_key, wanted),
            Self::BestNumber(best) => only(&mut best.by_key, wanted),
            Self::Any(_, rolling) => only(rolling, wanted),
        }
    }
}

/// Numbers of a column that has nothing but numbers.
fn numbers(column: &Column, rows: usize) -> impl Iterator<Item = Option<f64>> + '_ {
    (0..rows).map(move |row| match column {
        Column::Numbers(slots) => slots.get(row),
        Column::Repeat(Value::Num(number)) => Some(*number),
        _ => None,
    })
}
