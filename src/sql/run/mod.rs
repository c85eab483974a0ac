//! A program at work: rows go in with their ROWTIME, the clock is moved, rows of every stream come out.
//!
//! Invariants: ROWTIME of a stream never decreases; every row of a pump either reaches its stream or becomes one row of the error stream; the
//! same rows in other batches give the same results.

mod aggregate;
mod calls;
mod context;
mod flow;
mod fold;
mod forest;
mod group;
mod join;
mod keys;
mod log;
mod lookup;
mod merge;
mod partition;
mod places;
mod sliding;
mod sort;
mod spread;
mod streams;
mod sums;
mod table;
mod vector;
mod work;

use std::sync::Arc;

use super::functions::Clock;
use super::plan::{Operator, Plan};
use super::value::{RowError, Value};

use context::{Context, Evaluation, Failure};
use flow::{Buffers, Cause, Flowing};
use merge::{Frontier, Merge};
use places::{Place, Places};
use streams::StreamState;
use work::State;

pub use flow::{Batch, Row};
pub use group::group_table;

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

/// Where an operator's rows go.
#[derive(Debug, Clone, Copy)]
enum Parent {
    Node(usize, usize),
    Pump(usize),
    Nowhere,
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

/// A program at work.
#[derive(Debug, Clone)]
pub struct Running {
    plan: Arc<Plan>,
    states: Vec<State>,
    parents: Vec<Parent>,
    streams: Vec<StreamState>,
    flows: Vec<Flow>,
    clock: Clock,
    now: Frontier,
    /// The clock before the batch that is coming in, how far it is at each of its rows, and the cause of the first.
    since: Clock,
    moments: Vec<i64>,
    first: Cause,
    /// Rows that failed since the last batch came in, and where.
    failed: Vec<(Failure, Place)>,
    places: Places,
    errors: Vec<ErrorRow>,
    error_count: u64,
    seed: u64,
    /// Rows go in one by one: some operator's output depends on how its frontier runs between them.
    singly: bool,
    spare: Buffers,
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
        let places = Places::of(&plan, &parents, &streams);
        let states = (0..plan.nodes.len()).map(|at| State::fresh(&plan, at, seed)).collect();
        let flows = vec![Flow::default(); plan.nodes.len()];
        let clock = Clock { start, now: start };
        let singly = plan.nodes.iter().any(|node| match &node.operator {
            Operator::TimeSort(_) => true,
            // A ROWTIME of the row's own choice lags behind the clock.
            Operator::Project(_, time) => time.is_some(),
            _ => false,
        });
        Self {
            plan,
            states,
            parents,
            streams,
            flows,
            clock,
            now: i64::MIN,
            since: clock,
            moments: Vec::new(),
            first: 0,
            failed: Vec::new(),
            places,
            errors: Vec::new(),
            error_count: 0,
            seed,
            singly,
            spare: Buffers::default(),
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
        self.since = self.clock;
        self.moments.clear();
        self.moments.push(self.now.div_euclid(2).max(time));
        self.advance(time.saturating_mul(2));
        self.cells.clear();
        self.cells.extend(cells);
        self.cells.resize(self.plan.streams[stream].columns.len(), Value::Null);
        self.cells.push(Value::Ms(time));
        let cells = self.cells.drain(..).collect();
        let mut rows = self.buffer();
        rows.push(Row { time, cells, live: i64::MAX, cause: self.first + 1 });
        self.publish(stream, Flowing::Rows(rows));
        self.settled();
    }

    /// Rows for a source stream, as if they were inserted one after the other. The result is the same; it is only faster.
    pub fn insert_batch(&mut self, stream: usize, batch: &Batch) {
        if batch.len() < 2 || self.singly {
            let width = self.plan.streams[stream].columns.len();
            for row in 0..batch.len() {
                self.insert(stream, batch.times()[row], (0..width).map(|cell| batch.value(row, cell)));
            }
            return;
        }
        self.since = self.clock;
        let mut now = self.now.div_euclid(2);
        self.moments.clear();
        self.moments.extend(batch.times().iter().map(|time| {
            now = now.max(*time);
            now
        }));
        let causes = (0..batch.len() as Cause).map(|row| self.first + 2 * row + 1).collect();
        let batch = batch.entering(self.plan.streams[stream].columns.len(), causes);
        let reached = batch.times().iter().copied().max().unwrap_or(i64::MIN);
        self.publish(stream, Flowing::Batch(batch));
        self.advance(reached.saturating_mul(2));
        self.settled();
    }

    /// Moves the clock: nothing will come up to and at this instant any more.
    pub fn advance_to(&mut self, time: i64) {
        self.advance(time.saturating_mul(2));
        self.settled();
        self.advance(time.saturating_mul(2).saturating_add(1));
        self.settled();
    }

    fn advance(&mut self, frontier: Frontier) {
        if frontier <= self.now {
            return;
        }
        self.now = frontier;
        self.clock.now = self.clock.now.max(frontier.div_euclid(2));
        if self.moments.is_empty() {
            self.since = self.clock;
        }
        for stream in 0..self.streams.len() {
            if self.streams[stream].writers.is_empty() {
                self.stream_frontier(stream, frontier);
            }
        }
    }

    /// What came in has gone through: its errors are told in the order of their causes, those of one cause as rows run through the program.
    fn settled(&mut self) {
        if !self.failed.is_empty() {
            let mut failed = std::mem::take(&mut self.failed);
            failed.sort_by_key(|(failure, place)| (failure.cause, place.rank));
            for (failure, place) in failed {
                let now = self.at().clock(failure.cause).now;
                let pump = place.pump.map(|pump| self.plan.pumps[pump].name.clone());
                self.push_error(&failure.error, now, failure.time, hex_of(&failure.cells), pump);
            }
        }
        self.first += 2 * self.moments.len() as Cause + 2;
        self.moments.clear();
    }

    /// An error row for something outside: input that did not fit its schema.
    pub fn input_error(&mut self, error: &RowError, time: i64, data: &[u8]) {
        let hex = data.iter().take(24_576).map(|byte| format!("{byte:02X}")).collect();
        self.push_error(error, self.clock.now, time, hex, None);
    }

    fn push_error(&mut self, error: &RowError, now: i64, time: i64, data_row: String, pump: Option<String>) {
        self.error_count += 1;
        let at = now.max(time);
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
                state.out.push(Flowing::Rows(vec![Row { time: at, cells: cells.into(), live: i64::MAX, cause: 0 }]));
            }
        }
        self.errors.push(row);
    }

    /// Rows that a stream got since the last call.
    pub fn drain(&mut self, stream: usize) -> Vec<Row> {
        self.drain_newest(stream, usize::MAX).1
    }

    /// How many rows a stream got since the last call, and the newest of them, `most` at most.
    pub fn drain_newest(&mut self, stream: usize, most: usize) -> (u64, Vec<Row>) {
        let out = std::mem::take(&mut self.streams[stream].out);
        let count: usize = out.iter().map(Flowing::len).sum();
        let mut skip = count.saturating_sub(most);
        let mut rows = Vec::with_capacity(count - skip);
        for flowing in out {
            let skipped = skip.min(flowing.len());
            skip -= skipped;
            match flowing {
                Flowing::Rows(mut list) => rows.extend(list.drain(skipped..)),
                Flowing::Batch(batch) => rows.extend((skipped..batch.len()).map(|row| batch.row(row))),
            }
        }
        (count as u64, rows)
    }

    /// Rows that a stream got since the last call, as batches. ROWTIME is the last column of each.
    pub fn drain_batches(&mut self, stream: usize) -> Vec<Batch> {
        std::mem::take(&mut self.streams[stream].out).into_iter().map(Flowing::into_batch).collect()
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
        self.flows.iter().zip(&self.states).map(|(flow, state)| Flow { held: state.held(), ..*flow }).collect()
    }
}

/// The cells of a row in hexadecimal, as DATA_ROW shows them.
fn hex_of(cells: &[Value]) -> String {
    let text: Vec<String> = cells.iter().take(cells.len().saturating_sub(1)).map(|cell| cell.to_text(&super::types::SqlType::Timestamp)).collect();
    text.join(",").bytes().take(24_576).map(|byte| format!("{byte:02X}")).collect()
}
