//! A sliding window over time for all partitions at once: one log of rows in the order of their arrival, and one place up to which they have
//! left. What has left a partition's window has left it before the next row of the partition comes, so the results are those of a log for each.

use std::collections::VecDeque;

use super::aggregate::{Rolling, Sums};
use super::keys::{KeyTable, hashes};
use crate::sql::column::{Column, ColumnBuilder, Slots};
use crate::sql::plan::{Aggregate, AggregateCall, Extent, SlidingWindow};
use crate::sql::types::SqlType;
use crate::sql::value::{RowError, Value};

/// Rows that have left, or keys that nobody has any more, before they are cleared away.
const SLACK: usize = 4096;

/// What a call gives over a batch, and the rows for which it fails.
#[derive(Debug, Clone)]
pub(super) struct Added {
    pub(super) column: Column,
    pub(super) failed: Vec<(u32, RowError)>,
}

/// The window.
#[derive(Debug, Clone)]
pub(super) struct LogWindow {
    range: i64,
    keys: KeyTable,
    /// Rows of each key in the window.
    rows_of: Vec<u32>,
    times: Vec<i64>,
    numbers: Vec<u32>,
    /// Rows of the log that have left.
    head: usize,
    /// Rows that were cleared away before.
    gone: u64,
    calls: Vec<Call>,
    hashes: Vec<u64>,
    until: Vec<usize>,
}

/// Rows that came and went while a batch went in.
struct Passage<'l> {
    numbers: &'l [u32],
    keys: usize,
    /// The first row that has not left before, and the first one that is new.
    head: usize,
    new: usize,
    /// For each new row, the first one that has not left when it comes.
    until: &'l [usize],
    /// The first one that has not left behind them.
    end: usize,
    /// Rows that were cleared away before.
    gone: u64,
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
struct Best<T> {
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
enum Call {
    Rows(Vec<i64>),
    Count(Vec<bool>, Vec<i64>),
    /// SUM and AVG of DOUBLE.
    Numbers(Vec<Option<f64>>, Vec<Sums>),
    /// MIN and MAX of integers, of times, of doubles.
    BestInt(Best<i64>),
    BestTime(Best<i64>),
    BestNumber(Best<f64>),
    Any(Vec<Value>, Vec<Rolling>),
}

impl Call {
    fn new(call: &AggregateCall) -> Option<Self> {
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
    fn keep(&mut self, args: &[Column], held: usize, rows: usize) {
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
                Some((values, std::mem::take(sums).into_iter().map(Rolling::of_sums).collect()))
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

    fn pass(&mut self, call: &AggregateCall, passage: &Passage<'_>) -> Added {
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
                sums.resize_with(passage.keys, Sums::default);
                let mean = call.function == Aggregate::Avg;
                let results = passage.run(
                    sums,
                    |sums, row, key| kept[row].into_iter().for_each(|number| sums[key].leave_number(number)),
                    |sums, row, key| {
                        kept[row].into_iter().for_each(|number| sums[key].enter_number(number));
                        sums[key].double(mean)
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
    fn forget(&mut self, rows: usize) {
        match self {
            Self::Rows(_) | Self::BestInt(_) | Self::BestTime(_) | Self::BestNumber(_) => {}
            Self::Count(kept, _) => drop(kept.drain(..rows)),
            Self::Numbers(kept, _) => drop(kept.drain(..rows)),
            Self::Any(kept, _) => drop(kept.drain(..rows)),
        }
    }

    /// Only the states of some keys stay.
    fn retain(&mut self, wanted: &[bool]) {
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

impl LogWindow {
    /// The window, when it reaches back over time and none of its calls looks at single rows.
    pub(super) fn of(window: &SlidingWindow) -> Option<Self> {
        let Extent::Range(range) = window.extent else { return None };
        Some(Self {
            range,
            keys: KeyTable::default(),
            rows_of: Vec::new(),
            times: Vec::new(),
            numbers: Vec::new(),
            head: 0,
            gone: 0,
            calls: window.calls.iter().map(|(_, call)| Call::new(call)).collect::<Option<_>>()?,
            hashes: Vec::new(),
            until: Vec::new(),
        })
    }

    /// Rows in the window.
    pub(super) fn held(&self) -> usize {
        self.times.len() - self.head
    }

    /// Rows come in: the results of the calls.
    pub(super) fn take(&mut self, window: &SlidingWindow, key: &[Column], args: &[Vec<Column>], times: &[i64]) -> Vec<Added> {
        let new = self.times.len();
        let mut hash = std::mem::take(&mut self.hashes);
        hashes(key.iter(), times.len(), &mut hash);
        let compared: Vec<usize> = (0..key.len()).collect();
        for (row, hash) in hash.iter().enumerate() {
            let number = self.keys.number(key, &compared, row, *hash);
            self.numbers.push(number);
        }
        self.hashes = hash;
        self.times.extend_from_slice(times);
        self.until.clear();
        let mut end = self.head;
        for (row, time) in times.iter().enumerate() {
            while end < new + row && self.times[end].saturating_add(self.range) < *time {
                end += 1;
            }
            self.until.push(end);
        }
        for (call, args) in self.calls.iter_mut().zip(args) {
            call.keep(args, new, times.len());
        }
        self.pass(window, new, end)
    }

    /// Rows that no later one can see leave.
    pub(super) fn settle(&mut self, window: &SlidingWindow, now: i64) {
        let left = self.times[self.head..].partition_point(|time| time.saturating_add(self.range) < now);
        if left > 0 {
            self.until.clear();
            self.pass(window, self.times.len(), self.head + left);
        }
    }

    fn pass(&mut self, window: &SlidingWindow, new: usize, end: usize) -> Vec<Added> {
        let passage = Passage { numbers: &self.numbers, keys: self.keys.len(), head: self.head, new, until: &self.until, end, gone: self.gone };
        let added = self.calls.iter_mut().zip(&window.calls).map(|(state, (_, call))| state.pass(call, &passage)).collect();
        self.rows_of.resize(self.keys.len(), 0);
        for number in &self.numbers[new..] {
            self.rows_of[*number as usize] += 1;
        }
        for number in &self.numbers[self.head..end] {
            let rows = &mut self.rows_of[*number as usize];
            *rows -= 1;
        }
        self.head = end;
        self.clear_away();
        added
    }

    fn clear_away(&mut self) {
        if self.head < SLACK || self.head * 2 < self.times.len() {
            return;
        }
        let rows = self.head;
        self.times.drain(..rows);
        self.numbers.drain(..rows);
        self.calls.iter_mut().for_each(|call| call.forget(rows));
        self.gone += rows as u64;
        self.head = 0;
        let wanted: Vec<bool> = self.rows_of.iter().map(|rows| *rows > 0).collect();
        let unused = wanted.iter().filter(|wanted| !**wanted).count();
        if unused < SLACK || unused * 2 < wanted.len() {
            return;
        }
        let mut next = 0..;
        let renumbered: Vec<u32> = wanted.iter().map(|wanted| if *wanted { next.next().unwrap_or(0) } else { 0 }).collect();
        self.numbers.iter_mut().for_each(|number| *number = renumbered[*number as usize]);
        self.keys.retain(&wanted);
        self.calls.iter_mut().for_each(|call| call.retain(&wanted));
        self.rows_of.retain(|rows| *rows > 0);
    }
}
