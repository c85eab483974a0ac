//! Aggregates of many groups: one flat array per call, indexed by the number of the group.

use std::cmp::Ordering;

use super::aggregate::Accumulator;
use super::sums::Sums;
use crate::sql::column::Column;
use crate::sql::plan::{Aggregate, AggregateCall};
use crate::sql::value::{Outcome, Value};

/// The state of one call over all groups.
#[derive(Debug, Clone)]
pub(super) enum Fold {
    Counts(Vec<i64>),
    Sums(Vec<Sums>),
    /// MIN and MAX: the order in which a value beats the best one.
    Best(Vec<Value>, Ordering),
    Any(Vec<Accumulator>),
}

impl Fold {
    pub(super) fn new(call: &AggregateCall) -> Self {
        match call.function {
            _ if call.distinct => Self::Any(Vec::new()),
            Aggregate::CountStar | Aggregate::Count => Self::Counts(Vec::new()),
            Aggregate::Sum | Aggregate::Avg => Self::Sums(Vec::new()),
            Aggregate::Min => Self::Best(Vec::new(), Ordering::Less),
            Aggregate::Max => Self::Best(Vec::new(), Ordering::Greater),
            _ => Self::Any(Vec::new()),
        }
    }

    /// Rows of a batch into their groups. `args` are the call's arguments, `groups` the numbers of the rows' groups, of which there are `count`.
    pub(super) fn add(&mut self, call: &AggregateCall, args: &[Column], from: usize, groups: &[u32], times: &[i64], count: usize) {
        match self {
            Self::Counts(counts) => {
                counts.resize(count, 0);
                if args.iter().any(Column::has_nulls) {
                    for (row, group) in groups.iter().enumerate() {
                        counts[*group as usize] += i64::from(args.iter().all(|arg| !arg.is_null(from + row)));
                    }
                } else {
                    for group in groups {
                        counts[*group as usize] += 1;
                    }
                }
            }
            Self::Sums(sums) => {
                sums.resize_with(count, Sums::default);
                for (row, group) in groups.iter().enumerate() {
                    let sum = &mut sums[*group as usize];
                    match args.first() {
                        Some(Column::Ints(slots)) => slots.get(from + row).into_iter().for_each(|value| sum.enter_exact(i128::from(value), 0)),
                        Some(Column::Numbers(slots)) => slots.get(from + row).into_iter().for_each(|value| sum.enter_number(value)),
                        Some(column) => sum.change(&column.value(from + row), 1),
                        None => {}
                    }
                }
            }
            Self::Best(best, wanted) => {
                best.resize(count, Value::Null);
                let Some(column) = args.first() else { return };
                for (row, group) in groups.iter().enumerate() {
                    let best = &mut best[*group as usize];
                    let value = column.value(from + row);
                    if !value.is_null() && (best.is_null() || value.compare(best) == Some(*wanted)) {
                        *best = value;
                    }
                }
            }
            Self::Any(accumulators) => {
                accumulators.resize_with(count, Accumulator::default);
                let mut values = vec![Value::Null; args.len()];
                for (row, group) in groups.iter().enumerate() {
                    for (value, arg) in values.iter_mut().zip(args) {
                        *value = arg.value(from + row);
                    }
                    accumulators[*group as usize].add(call, &values, times[row]);
                }
            }
        }
    }

    /// The result of a group.
    pub(super) fn finish(&self, call: &AggregateCall, group: usize) -> Outcome {
        match self {
            Self::Counts(counts) => Ok(Value::Int(counts[group])),
            Self::Sums(sums) if call.function == Aggregate::Sum => sums[group].sum(&call.ty),
            Self::Sums(sums) => sums[group].mean(&call.ty),
            Self::Best(best, _) => Ok(best[group].clone()),
            Self::Any(accumulators) => accumulators[group].finish(call),
        }
    }

    /// All groups are over.
    pub(super) fn clear(&mut self) {
        match self {
            Self::Counts(counts) => counts.clear(),
            Self::Sums(sums) => sums.clear(),
            Self::Best(best, _) => best.clear(),
            Self::Any(accumulators) => accumulators.clear(),
        }
    }
}
