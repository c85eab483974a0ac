//! A checked program: streams, pumps and the operators between them.

use std::sync::Arc;

use super::bound::{Bound, Typed};
use super::scope::Column;
use super::types::SqlType;
use super::value::Value;

/// An in-application stream.
#[derive(Debug, Clone)]
pub struct StreamPlan {
    /// Name as stored.
    pub name: String,
    /// Declared columns, then hidden ones; ROWTIME follows them in every row.
    pub columns: Vec<Column>,
    /// Rows come from outside.
    pub source: bool,
    /// The code declared it (else it is a source or the service's own).
    pub declared: bool,
}

impl StreamPlan {
    /// Columns that `*` and outputs show.
    pub fn visible(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, column)| !column.hidden)
    }
}

/// A pump.
#[derive(Debug, Clone)]
pub struct PumpPlan {
    /// Name.
    pub name: String,
    /// Stream it writes to.
    pub target: usize,
    /// Its last operator.
    pub root: usize,
    /// For each column of the target: the cell, and the type it has there; NULL when absent.
    pub assign: Vec<Option<(usize, SqlType)>>,
    /// The last operator's rows are the stream's rows as they are.
    pub as_is: bool,
    /// It runs.
    pub started: bool,
    /// Its text, for showing.
    pub text: String,
}

/// An aggregate or analytic function, by its name in the dialect.
#[allow(missing_docs, reason = "the names are the dialect's")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    CountStar,
    Count,
    Sum,
    Avg,
    Min,
    Max,
    StddevPop,
    StddevSamp,
    VarPop,
    VarSamp,
    Any,
    Every,
    First,
    Last,
    Nth,
    Lag,
    ExpAvg,
}

/// A call of an aggregate.
#[derive(Debug, Clone)]
pub struct AggregateCall {
    /// Function.
    pub function: Aggregate,
    /// Arguments over the input row.
    pub args: Vec<Bound>,
    /// Type of the first argument.
    pub input: SqlType,
    /// Type of the result.
    pub ty: SqlType,
    /// DISTINCT.
    pub distinct: bool,
    /// IGNORE NULLS.
    pub ignore_nulls: bool,
    /// FROM LAST.
    pub from_last: bool,
}

/// How far a window reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything since the start.
    Unbounded,
    /// So many milliseconds back, both ends in.
    Range(i64),
    /// So many rows before.
    Rows(u64),
}

/// A sliding window and the calls over it.
#[derive(Debug, Clone)]
pub struct SlidingWindow {
    /// PARTITION BY.
    pub partition: Vec<Bound>,
    /// Extent.
    pub extent: Extent,
    /// Calls, and where their results go behind the input's cells.
    pub calls: Vec<(usize, AggregateCall)>,
}

/// A monotonic term of a group: its place among the keys, its function of ROWTIME, and whether it rounds up.
#[derive(Debug, Clone)]
pub struct MonotonicTerm {
    /// Key.
    pub key: usize,
    /// Its value as a function of ROWTIME (cell 0).
    pub of_time: Option<Bound>,
    /// CEIL.
    pub up: bool,
}

/// A term of a sort.
#[derive(Debug, Clone)]
pub struct SortTerm {
    /// Cell of the input.
    pub cell: usize,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST.
    pub nulls_first: bool,
}

/// Table functions.
#[allow(missing_docs, reason = "each variant's sentence names its parts")]
#[derive(Debug, Clone)]
pub enum TableFunction {
    /// TOP_K_ITEMS_TUMBLING: cell, k, milliseconds.
    TopK(usize, SqlType, usize, i64),
    /// COUNT_DISTINCT_ITEMS_TUMBLING: cell, milliseconds.
    CountDistinct(usize, i64),
    /// GROUP_RANK: ranked cell, ascending, order of output (`None` as received), idle ms, rows at most.
    GroupRank { cell: usize, ascending: bool, output: Option<bool>, idle: i64, most: usize },
    /// RANDOM_CUT_FOREST: cells and names, trees, sample, decay, shingle, explanation with directions.
    Forest { cells: Vec<(usize, String)>, trees: usize, sample: usize, decay: u64, shingle: usize, explain: Option<bool> },
    /// HOTSPOTS: cells, window, radius, least points.
    Hotspots { cells: Vec<usize>, window: usize, radius: f64, least: usize },
}

/// An operator.
#[allow(missing_docs, reason = "each variant's sentence names its parts")]
#[derive(Debug, Clone)]
pub enum Operator {
    /// Rows of a stream.
    Scan(usize),
    /// Rows that are there from the start.
    Finite(Arc<[Arc<[Value]>]>),
    /// WHERE.
    Filter(Bound),
    /// Select list; AS ROWTIME. The output has the items' cells and its ROWTIME.
    Project(Vec<Typed>, Option<Bound>),
    /// Analytic functions; the output has the input's cells and the results.
    Sliding(Vec<SlidingWindow>, usize),
    /// GROUP BY; the output has keys and results.
    Group { keys: Vec<Typed>, terms: Vec<MonotonicTerm>, calls: Vec<AggregateCall>, finite: bool },
    /// WINDOWED BY STAGGER; the output has keys and results.
    Stagger { keys: Vec<Typed>, range: i64, calls: Vec<AggregateCall> },
    /// Two streams.
    Join(JoinPlan),
    /// A stream and a table.
    Lookup { keep: bool, stream_left: bool, width: usize, rows: Arc<[Arc<[Value]>]>, on: Option<Bound>, equal: Vec<(Bound, usize)> },
    /// DISTINCT; cells compared, and those that are monotonic.
    Distinct { compared: Vec<usize>, monotonic: Vec<usize> },
    /// ORDER BY: terms; the leading term's function of ROWTIME; ROWTIME stays; cells kept.
    Sort { terms: Vec<SortTerm>, of_time: Option<Bound>, keep_time: bool, width: usize },
    /// T-sort: slack.
    TimeSort(i64),
    /// UNION ALL.
    Union,
    /// A table function.
    Table(TableFunction),
}

/// A join of two streams.
#[derive(Debug, Clone)]
pub struct JoinPlan {
    /// Unmatched left rows stay.
    pub keep_left: bool,
    /// Unmatched right rows stay.
    pub keep_right: bool,
    /// Windows; `None` = only the arriving row, `Some(None)` = the row carries its own time to live.
    pub windows: [Option<Extent>; 2],
    /// The side is itself a join: rows carry how long they live.
    pub composite: [bool; 2],
    /// Cells of each side.
    pub widths: [usize; 2],
    /// Condition over the cells of both.
    pub on: Option<Bound>,
    /// Equalities: left expression over left cells, right over right cells.
    pub equal: Vec<(Bound, Bound)>,
}

/// An operator in its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it does.
    pub operator: Operator,
    /// What it reads.
    pub inputs: Vec<usize>,
    /// Words for showing.
    pub label: String,
}

/// A program.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Streams: sources, declared ones, error_stream last.
    pub streams: Vec<StreamPlan>,
    /// Pumps in the order of the text.
    pub pumps: Vec<PumpPlan>,
    /// Operators; inputs stand before what reads them.
    pub nodes: Vec<Node>,
}

impl Plan {
    /// Index of a stream by its stored name.
    pub fn stream(&self, name: &str) -> Option<usize> {
        self.streams.iter().position(|stream| stream.name == name)
    }
}
