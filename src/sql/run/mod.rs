//! A program at work: rows go in with their ROWTIME, the clock is moved, rows of every stream come out.
//!
//! Invariants: ROWTIME of a stream never decreases; every row of a pump either reaches its stream or becomes one row of the error stream; the
//! same rows in other batches give the same results.

mod aggregate;
mod forest;
mod group;
mod join;
mod merge;
mod sliding;
mod sort;
mod table;

use std::sync::Arc;

use super::bound::{Bound, Env, Typed};
use super::cast;
use super::functions::Clock;
use super::plan::{Operator, Plan};
use super::value::{Outcome, RowError, Value};

use group::{GroupState, StaggerState};
use join::{JoinState, LookupState};
use merge::{Frontier, Merge};
use sliding::SlidingState;
use sort::{DistinctState, SortState, TimeSortState};
use table::TableState;

pub use group::group_table;

/// A row on its way.
#[derive(Debug, Clone)]
pub struct Row {
    /// ROWTIME in milliseconds since 1970.
    pub time: i64,
    /// Cells; the last one is ROWTIME again.
    pub cells: Arc<[Value]>,
    /// A join's rows: how long they can meet others.
    pub live: i64,
}

/// A row of the error stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRow {
    /// When it happened.
    pub time: i64,
    /// ERROR_NAME.
    pub name: String,
    /// MESSAGE.
    pub message: String,
    /// ROWTIME of the offending row.
    pub data_rowtime: i64,
    /// Hexadecimal of the row's data.
    pub data_row: String,
    /// Pump; none for input coercion.
    pub pump: Option<String>,
}

/// What operators share while they work.
struct Context<'c> {
    clock: Clock,
    errors: &'c mut Vec<(RowError, i64, Arc<[Value]>)>,
}

impl Context<'_> {
    fn eval(&mut self, expr: &Bound, row: &Row) -> Option<Value> {
        self.eval_at(expr, &row.cells, row.time)
    }

    /// The value, or an error row.
    fn eval_at(&mut self, expr: &Bound, cells: &Arc<[Value]>, time: i64) -> Option<Value> {
        match expr.eval(&Env { cells, out_time: time, clock: self.clock, params: &[] }) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push((error, time, cells.clone()));
                None
            }
        }
    }

    fn outcome(&mut self, outcome: Outcome, cells: &Arc<[Value]>, time: i64) -> Option<Value> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push((error, time, cells.clone()));
                None
            }
        }
    }
}

/// State of an operator.
#[derive(Debug, Clone)]
enum State {
    None,
    Sliding(SlidingState),
    Group(GroupState),
    Stagger(StaggerState),
    Join(JoinState),
    Lookup(LookupState),
    Distinct(DistinctState),
    Sort(SortState),
    TimeSort(TimeSortState),
    Union(Merge),
    Table(TableState),
}

/// Where an operator's rows go.
#[derive(Debug, Clone, Copy)]
enum Parent {
    Node(usize, usize),
    Pump(usize),
    Nowhere,
}

/// A stream at work.
#[derive(Debug, Clone)]
struct StreamState {
    scans: Vec<usize>,
    /// Pumps that write to it, in order.
    writers: Vec<usize>,
    merge: Merge,
    last: i64,
    frontier: Frontier,
    out: Vec<Row>,
    keep: bool,
    rows: u64,
}

/// Rows in and out of an operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows that went out.
    pub rows_out: u64,
    /// Rows held.
    pub held: usize,
}

/// Rows that one operator may hold; a program beyond it is stopped with an error row instead of eating the machine.
const HELD_MAX: usize = 20_000_000;

/// A program at work.
#[derive(Debug, Clone)]
pub struct Running {
    plan: Arc<Plan>,
    states: Vec<State>,
    parents: Vec<Parent>,
    pump_of: Vec<Option<usize>>,
    streams: Vec<StreamState>,
    flows: Vec<Flow>,
    clock: Clock,
    now: Frontier,
    errors: Vec<ErrorRow>,
    error_count: u64,
    seed: u64,
    /// Buffers for rows between operators, used again.
    spare: Vec<Vec<Row>>,
    cells: Vec<Value>,
}

impl Running {
    /// Starts a program at an instant. `seed` is for the forests.
    pub fn new(plan: Arc<Plan>, start: i64, seed: u64) -> Self {
        let mut parents = vec![Parent::Nowhere; plan.nodes.len()];
        for (at, node) in plan.nodes.iter().enumerate() {
            for (port, input) in node.inputs.iter().enumerate() {
                parents[*input] = Parent::Node(at, port);
            }
        }
        for (at, pump) in plan.pumps.iter().enumerate() {
            parents[pump.root] = Parent::Pump(at);
        }
        let mut pump_of = vec![None; plan.nodes.len()];
        for at in (0..plan.nodes.len()).rev() {
            pump_of[at] = match parents[at] {
                Parent::Pump(pump) => Some(pump),
                Parent::Node(parent, _) => pump_of[parent],
                Parent::Nowhere => None,
            };
        }
        let mut streams: Vec<StreamState> = plan
            .streams
            .iter()
            .map(|_| StreamState {
                scans: Vec::new(),
                writers: Vec::new(),
                merge: Merge::new(0),
                last: i64::MIN,
                frontier: i64::MIN,
                out: Vec::new(),
                keep: true,
                rows: 0,
            })
            .collect();
        for (at, pump) in plan.pumps.iter().enumerate().filter(|(_, pump)| pump.started) {
            streams[pump.target].writers.push(at);
        }
        for stream in &mut streams {
            stream.merge = Merge::new(stream.writers.len());
        }
        for (at, node) in plan.nodes.iter().enumerate() {
            if let Operator::Scan(stream) = node.operator
                && pump_of[at].is_some_and(|pump| plan.pumps[pump].started)
            {
                streams[stream].scans.push(at);
            }
        }
        // Readers in the order of their pumps.
        for stream in &mut streams {
            stream.scans.sort_by_key(|scan| (pump_of[*scan], *scan));
        }
        let states = (0..plan.nodes.len()).map(|at| Self::fresh(&plan, at, seed)).collect();
        let flows = vec![Flow::default(); plan.nodes.len()];
        let clock = Clock { start, now: start };
        Self {
            plan,
            states,
            parents,
            pump_of,
            streams,
            flows,
            clock,
            now: i64::MIN,
            errors: Vec::new(),
            error_count: 0,
            seed,
            spare: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// The program.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Keeps rows of a stream for [`Self::drain`], or does not.
    pub fn keep(&mut self, stream: usize, keep: bool) {
        self.streams[stream].keep = keep;
    }

    /// A row for a source stream: cells of its declared and hidden columns. The clock moves to its instant first.
    pub fn insert(&mut self, stream: usize, time: i64, cells: impl IntoIterator<Item = Value>) {
        self.advance(time.saturating_mul(2));
        self.cells.clear();
        self.cells.extend(cells);
        self.cells.resize(self.plan.streams[stream].columns.len(), Value::Null);
        self.cells.push(Value::Ms(time));
        let cells = self.cells.drain(..).collect();
        self.publish(stream, Row { time, cells, live: i64::MAX });
    }

    /// Moves the clock: nothing will come up to and at this instant any more.
    pub fn advance_to(&mut self, time: i64) {
        self.advance(time.saturating_mul(2));
        self.advance(time.saturating_mul(2).saturating_add(1));
    }

    fn advance(&mut self, frontier: Frontier) {
        if frontier <= self.now {
            return;
        }
        self.now = frontier;
        self.clock.now = self.clock.now.max(frontier.div_euclid(2));
        for stream in 0..self.streams.len() {
            if self.streams[stream].writers.is_empty() {
                self.stream_frontier(stream, frontier);
            }
        }
    }

    /// An error row for something outside: input that did not fit its schema.
    pub fn input_error(&mut self, error: &RowError, time: i64, data: &[u8]) {
        let hex = data.iter().take(24_576).map(|byte| format!("{byte:02X}")).collect();
        self.push_error(error, time, hex, None);
    }

    fn push_error(&mut self, error: &RowError, time: i64, data_row: String, pump: Option<String>) {
        self.error_count += 1;
        let at = self.clock.now.max(time);
        let message: String = error.message.chars().take(4096).collect();
        let row = ErrorRow {
            time: at,
            name: error.name.to_owned(),
            message: message.clone(),
            data_rowtime: time,
            data_row: data_row.clone(),
            pump: pump.clone(),
        };
        if let Some(stream) = self.plan.stream("error_stream") {
            let cells = [
                Value::Ms(at),
                Value::text("ERROR"),
                Value::text(error.name),
                Value::text(message),
                Value::Ms(time),
                Value::text(data_row),
                pump.map_or(Value::Null, Value::text),
                Value::Ms(at),
            ];
            let state = &mut self.streams[stream];
            state.rows += 1;
            if state.keep {
                state.out.push(Row { time: at, cells: cells.into(), live: i64::MAX });
            }
        }
        self.errors.push(row);
    }

    /// Rows that a stream got since the last call.
    pub fn drain(&mut self, stream: usize) -> Vec<Row> {
        std::mem::take(&mut self.streams[stream].out)
    }

    /// Error rows since the last call.
    pub fn drain_errors(&mut self) -> Vec<ErrorRow> {
        std::mem::take(&mut self.errors)
    }

    /// Rows that a stream got since the start.
    pub fn rows(&self, stream: usize) -> u64 {
        self.streams[stream].rows
    }

    /// Error rows since the start.
    pub fn error_count(&self) -> u64 {
        self.error_count
    }

    /// Rows in, out and held of every operator.
    pub fn flows(&self) -> Vec<Flow> {
        self.flows.iter().zip(&self.states).map(|(flow, state)| Flow { held: held(state), ..*flow }).collect()
    }

    fn publish(&mut self, stream: usize, row: Row) {
        let state = &mut self.streams[stream];
        if row.time < state.last {
            let error = RowError::new("OutOfOrderRow", "the row is older than what its stream already holds");
            let pump = state.writers.first().map(|pump| self.plan.pumps[*pump].name.clone());
            let data = hex_of(&row.cells);
            self.push_error(&error, row.time, data, pump);
            return;
        }
        state.last = row.time;
        state.rows += 1;
        if state.keep {
            state.out.push(row.clone());
        }
        let scans = state.scans.len();
        for at in 0..scans {
            let scan = self.streams[stream].scans[at];
            self.flows[scan].rows_in += 1;
            let mut rows = self.buffer();
            rows.push(row.clone());
            self.emit(scan, rows);
        }
    }

    fn stream_frontier(&mut self, stream: usize, frontier: Frontier) {
        if frontier <= self.streams[stream].frontier {
            return;
        }
        self.streams[stream].frontier = frontier;
        for at in 0..self.streams[stream].scans.len() {
            let scan = self.streams[stream].scans[at];
            self.forward(scan, frontier);
        }
    }

    fn buffer(&mut self) -> Vec<Row> {
        self.spare.pop().unwrap_or_default()
    }

    /// An operator's rows go on.
    fn emit(&mut self, node: usize, rows: Vec<Row>) {
        if rows.is_empty() {
            self.spare.push(rows);
            return;
        }
        self.flows[node].rows_out += rows.len() as u64;
        match self.parents[node] {
            Parent::Node(parent, port) => self.rows_in(parent, port, rows),
            Parent::Pump(pump) => self.pump_rows(pump, rows),
            Parent::Nowhere => {}
        }
    }

    /// An operator's frontier goes on.
    fn forward(&mut self, node: usize, frontier: Frontier) {
        match self.parents[node] {
            Parent::Node(parent, port) => self.frontier_in(parent, port, frontier),
            Parent::Pump(pump) => {
                let stream = self.plan.pumps[pump].target;
                let state = &mut self.streams[stream];
                if let Some(writer) = state.writers.iter().position(|writer| *writer == pump) {
                    state.merge.advance(writer, frontier);
                    self.release(stream);
                }
            }
            Parent::Nowhere => {}
        }
    }

    fn release(&mut self, stream: usize) {
        while let Some((_, row)) = self.streams[stream].merge.pop() {
            self.publish(stream, row);
        }
        let frontier = self.streams[stream].merge.frontier();
        self.stream_frontier(stream, frontier);
    }

    /// A pump's rows into its stream.
    fn pump_rows(&mut self, pump: usize, mut rows: Vec<Row>) {
        let plan = self.plan.clone();
        let pump_plan = &plan.pumps[pump];
        let stream = pump_plan.target;
        let target = &plan.streams[stream];
        for row in rows.drain(..) {
            if pump_plan.as_is && self.streams[stream].writers.len() == 1 {
                self.publish(stream, row);
                continue;
            }
            let mut cells = Vec::with_capacity(target.columns.len() + 1);
            let mut failed = None;
            for (column, source) in target.columns.iter().zip(&pump_plan.assign) {
                let value = match source {
                    None => Ok(Value::Null),
                    Some((cell, ty)) => cast::assign(row.cells.get(*cell).cloned().unwrap_or(Value::Null), ty, &column.ty),
                };
                match value {
                    Ok(Value::Null) if column.not_null => {
                        failed = Some(RowError::new("NotNullViolation", format!("NULL for the column {}, which is NOT NULL", column.name)));
                    }
                    Ok(value) => cells.push(value),
                    Err(error) => failed = Some(error),
                }
                if failed.is_some() {
                    break;
                }
            }
            if let Some(error) = failed {
                let data = hex_of(&row.cells);
                self.push_error(&error, row.time, data, Some(pump_plan.name.clone()));
                continue;
            }
            cells.push(Value::Ms(row.time));
            let row = Row { time: row.time, cells: cells.into(), live: i64::MAX };
            let state = &mut self.streams[stream];
            if state.writers.len() == 1 {
                self.publish(stream, row);
            } else if let Some(writer) = state.writers.iter().position(|writer| *writer == pump) {
                state.merge.push(writer, row);
                self.release(stream);
            }
        }
        self.spare.push(rows);
    }

    fn take_errors(&mut self, node: usize, errors: Vec<(RowError, i64, Arc<[Value]>)>) {
        if errors.is_empty() {
            return;
        }
        let pump = self.pump_of[node].map(|pump| self.plan.pumps[pump].name.clone());
        for (error, time, cells) in errors {
            let data = hex_of(&cells);
            self.push_error(&error, time, data, pump.clone());
        }
    }

    fn rows_in(&mut self, node: usize, port: usize, mut rows: Vec<Row>) {
        self.flows[node].rows_in += rows.len() as u64;
        let mut errors = Vec::new();
        let mut out = self.buffer();
        let plan = &self.plan;
        let mut context = Context { clock: self.clock, errors: &mut errors };
        let state = &mut self.states[node];
        let mut forward = None;
        for row in rows.drain(..) {
            match (&plan.nodes[node].operator, &mut *state) {
                (Operator::Filter(predicate), _) if context.eval(predicate, &row).is_some_and(|value| value.is_true()) => {
                    out.push(row);
                }
                (Operator::Project(items, time), _) => project(items, time.as_ref(), &row, &mut self.cells, &mut context, &mut out),
                (Operator::Sliding(windows, width), State::Sliding(state)) => state.row(windows, *width, &row, &mut context, &mut out),
                (Operator::Group { keys, terms, calls, .. }, State::Group(state)) => state.row(keys, terms, calls, &row, &mut context, &mut out),
                (Operator::Stagger { keys, range, calls }, State::Stagger(state)) => state.row(keys, *range, calls, &row, &mut context, &mut out),
                (Operator::Join(join), State::Join(state)) => state.row(join, port, row, &mut context, &mut out),
                (Operator::Lookup { keep, stream_left, width, rows, on, equal }, State::Lookup(state)) => {
                    state.row(*keep, *stream_left, *width, rows, on.as_ref(), equal, &row, &mut context, &mut out);
                }
                (Operator::Distinct { compared, monotonic }, State::Distinct(state)) => state.row(compared, monotonic, row, &mut out),
                (Operator::Sort { terms, of_time, keep_time, width }, State::Sort(state)) => {
                    state.row(terms, of_time.as_ref(), *keep_time, *width, row, context.clock, &mut out);
                }
                (Operator::TimeSort(slack), State::TimeSort(state)) => {
                    state.row(*slack, &row, &mut context, &mut out);
                    forward = Some(state.frontier(*slack));
                }
                (Operator::Union, State::Union(merge)) => {
                    merge.push(port, row);
                    while let Some((_, row)) = merge.pop() {
                        out.push(row);
                    }
                }
                (Operator::Table(function), State::Table(state)) => state.row(function, row, &mut context, &mut out),
                _ => {}
            }
        }
        if held(state) > HELD_MAX {
            let error =
                RowError::new("StateTooLarge", format!("{} holds more than {HELD_MAX} rows; make its window smaller", plan.nodes[node].label));
            errors.push((error, self.clock.now, Vec::new().into()));
            *state = Self::fresh(plan, node, self.seed);
        }
        self.spare.push(rows);
        self.take_errors(node, errors);
        self.emit(node, out);
        if let Some(frontier) = forward {
            self.forward(node, frontier);
        }
    }

    /// The operator's state as at the start.
    fn fresh(plan: &Plan, at: usize, seed: u64) -> State {
        match &plan.nodes[at].operator {
            Operator::Sliding(windows, _) => State::Sliding(SlidingState::new(windows)),
            Operator::Group { .. } => State::Group(GroupState::default()),
            Operator::Stagger { .. } => State::Stagger(StaggerState::default()),
            Operator::Join(_) => State::Join(JoinState::new()),
            Operator::Lookup { rows, equal, .. } => State::Lookup(LookupState::new(rows, equal)),
            Operator::Distinct { .. } => State::Distinct(DistinctState::default()),
            Operator::Sort { .. } => State::Sort(SortState::default()),
            Operator::TimeSort(_) => State::TimeSort(TimeSortState::default()),
            Operator::Union => State::Union(Merge::new(2)),
            Operator::Table(function) => State::Table(TableState::new(function, seed ^ (at as u64) << 32)),
            Operator::Scan(_) | Operator::Finite(_) | Operator::Filter(_) | Operator::Project(..) => State::None,
        }
    }

    fn frontier_in(&mut self, node: usize, port: usize, frontier: Frontier) {
        let mut errors = Vec::new();
        let mut out = self.buffer();
        let mut context = Context { clock: self.clock, errors: &mut errors };
        let mut on = Some(frontier);
        match (&self.plan.nodes[node].operator, &mut self.states[node]) {
            (Operator::Group { calls, .. }, State::Group(state)) => state.settle(calls, frontier, &mut context, &mut out),
            (Operator::Stagger { calls, .. }, State::Stagger(state)) => state.settle(calls, frontier, &mut context, &mut out),
            (Operator::Join(join), State::Join(state)) => on = Some(state.frontier(join, port, frontier, &mut context, &mut out)),
            (Operator::Sort { terms, of_time, keep_time, width }, State::Sort(state)) => {
                on = Some(state.settle(terms, of_time.as_ref(), *keep_time, *width, frontier, context.clock, &mut out));
            }
            (Operator::TimeSort(_), _) => on = None,
            (Operator::Union, State::Union(merge)) => {
                merge.advance(port, frontier);
                while let Some((_, row)) = merge.pop() {
                    out.push(row);
                }
                on = Some(merge.frontier());
            }
            (Operator::Table(function), State::Table(state)) => state.settle(function, frontier, &mut out),
            (Operator::Sliding(windows, _), State::Sliding(state)) => state.settle(windows, frontier),
            _ => {}
        }
        self.take_errors(node, errors);
        self.emit(node, out);
        if let Some(on) = on {
            self.forward(node, on);
        }
    }
}

fn held(state: &State) -> usize {
    match state {
        State::Sliding(state) => state.held(),
        State::Group(state) => state.held(),
        State::Stagger(state) => state.held(),
        State::Join(state) => state.held(),
        State::Distinct(state) => state.held(),
        State::Sort(state) => state.held(),
        State::TimeSort(state) => state.held(),
        State::Union(merge) => merge.held(),
        State::Table(state) => state.held(),
        State::None | State::Lookup(_) => 0,
    }
}

fn project(items: &[Typed], time: Option<&Bound>, row: &Row, cells: &mut Vec<Value>, context: &mut Context<'_>, out: &mut Vec<Row>) {
    let at = match time {
        None => row.time,
        Some(time) => match context.eval(time, row) {
            Some(Value::Ms(at)) => at,
            Some(_) => {
                context.errors.push((RowError::new("NotNullViolation", "ROWTIME is never NULL"), row.time, row.cells.clone()));
                return;
            }
            None => return,
        },
    };
    cells.clear();
    for item in items {
        match context.eval(&item.expr, row) {
            Some(value) => cells.push(value),
            None => return,
        }
    }
    cells.push(Value::Ms(at));
    out.push(Row { time: at, cells: cells.drain(..).collect(), live: row.live });
}

/// The cells of a row in hexadecimal, as DATA_ROW shows them.
fn hex_of(cells: &[Value]) -> String {
    let text: Vec<String> = cells.iter().take(cells.len().saturating_sub(1)).map(|cell| cell.to_text(&super::types::SqlType::Timestamp)).collect();
    text.join(",").bytes().take(24_576).map(|byte| format!("{byte:02X}")).collect()
}
