//! Sliding windows: one row out per row in, at once.

use super::calls::Added;
use super::context::{Context, Evaluation, Failure};
use super::flow::{Batch, Flowing};
use super::log::LogWindow;
use super::merge::Frontier;
use super::partition::Partition;
use crate::sql::column::{Column, ColumnBuilder};
use crate::sql::plan::{Extent, SlidingWindow};
use crate::sql::value::{Key, KeyMap, KeyRef, Value};

/// Partitions between two sweeps of those that have become empty.
const SWEEP: usize = 4096;

/// A window: one log for all partitions, or each partition with its own rows.
#[derive(Debug, Clone)]
enum Window {
    Log(Box<LogWindow>),
    Partitions { partitions: KeyMap<Partition>, sweep_at: usize, held: usize },
}

/// All windows of an operator.
#[derive(Debug, Clone)]
pub(super) struct SlidingState {
    windows: Vec<Window>,
}

impl SlidingState {
    pub(super) fn new(windows: &[SlidingWindow]) -> Self {
        let window = |window: &SlidingWindow| match LogWindow::of(window) {
            Some(log) => Window::Log(Box::new(log)),
            None => Window::Partitions { partitions: KeyMap::default(), sweep_at: SWEEP, held: 0 },
        };
        Self { windows: windows.iter().map(window).collect() }
    }

    /// Rows in all windows.
    pub(super) fn held(&self) -> usize {
        let held = |window: &Window| match window {
            Window::Log(log) => log.held(),
            Window::Partitions { held, .. } => *held,
        };
        self.windows.iter().map(held).sum()
    }

    /// Takes rows; what their windows give stands behind their own cells, up to `width`.
    pub(super) fn take(&mut self, windows: &[SlidingWindow], width: usize, batch: &Batch, context: &mut Context<'_>, out: &mut Vec<Flowing>) {
        // Everything is evaluated before anything changes: a row that fails leaves no trace.
        let mut evaluation = Evaluation::default();
        let mut inputs: Vec<(Vec<Column>, Vec<Vec<Column>>)> = Vec::with_capacity(windows.len());
        for window in windows {
            let key = window.partition.iter().map(|expr| evaluation.column(expr, batch, context)).collect();
            let args = window.calls.iter().map(|(_, call)| call.args.iter().map(|arg| evaluation.column(arg, batch, context)).collect()).collect();
            inputs.push((key, args));
        }
        let good = evaluation.good(batch.len());
        evaluation.report(batch, context);
        let picked;
        let batch = match good {
            None => batch,
            Some(good) => {
                for column in inputs.iter_mut().flat_map(|(key, args)| key.iter_mut().chain(args.iter_mut().flatten())) {
                    *column = column.pick(&good);
                }
                picked = batch.pick(good);
                &picked
            }
        };
        if batch.is_empty() {
            return;
        }
        let mut columns: Vec<Column> = (0..width).map(|cell| batch.column(cell)).collect();
        let mut failed = Vec::new();
        for ((window, state), (key, args)) in windows.iter().zip(&mut self.windows).zip(&inputs) {
            let added = match state {
                Window::Log(log) => log.take(window, key, args, batch.times()),
                Window::Partitions { partitions, held, .. } => one_by_one(window, partitions, held, key, args, batch.times()),
            };
            for ((cell, _), Added { column, failed: failures }) in window.calls.iter().zip(added) {
                columns[*cell] = column;
                failed.extend(failures);
            }
        }
        let slid = Batch::whole(batch.shared_times(), columns, batch.shared_causes()).with_live(batch.shared_live());
        if failed.is_empty() {
            out.push(Flowing::Batch(slid));
            return;
        }
        let mut bad = vec![false; batch.len()];
        for (row, error) in failed {
            let row = row as usize;
            bad[row] = true;
            context.errors.push(Failure { error, time: batch.times()[row], cells: batch.cells(row), cause: batch.causes()[row] });
        }
        out.push(Flowing::Batch(slid.pick((0..bad.len() as u32).filter(|row| !bad[*row as usize]).collect())));
    }

    /// Forgets what no row can see any more.
    pub(super) fn settle(&mut self, windows: &[SlidingWindow], frontier: Frontier) {
        let now = frontier.div_euclid(2);
        for (window, state) in windows.iter().zip(&mut self.windows) {
            match (state, window.extent) {
                (Window::Log(log), _) => log.settle(window, now),
                (Window::Partitions { partitions, sweep_at, held }, Extent::Range(range)) if partitions.len() >= *sweep_at => {
                    partitions.retain(|_, partition| {
                        let lives = partition.rows.newest().is_some_and(|time| time.saturating_add(range) >= now);
                        if !lives {
                            *held -= partition.rows.len();
                        }
                        lives
                    });
                    *sweep_at = (partitions.len() * 2).max(SWEEP);
                }
                _ => {}
            }
        }
    }
}

/// Rows into partitions that keep their own.
fn one_by_one(
    window: &SlidingWindow,
    partitions: &mut KeyMap<Partition>,
    held: &mut usize,
    key: &[Column],
    args: &[Vec<Column>],
    times: &[i64],
) -> Vec<Added> {
    let mut builders = vec![(ColumnBuilder::default(), Vec::new()); window.calls.len()];
    let (mut cells, mut values, mut left, mut results) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (row, time) in times.iter().enumerate() {
        cells.clear();
        cells.extend(key.iter().map(|column| column.value(row)));
        values.clear();
        values.extend(args.iter().flatten().map(|column| column.value(row)));
        let key = KeyRef(&cells);
        let at = partitions.get_index_of(&key).unwrap_or_else(|| partitions.insert_full(Key(cells.as_slice().into()), Partition::default()).0);
        let partition = &mut partitions[at];
        let before = partition.rows.len();
        partition.enter(window, *time, &values, &mut left, &mut results);
        *held = *held + partition.rows.len() - before;
        for ((builder, failed), result) in builders.iter_mut().zip(results.drain(..)) {
            match result {
                Ok(value) => builder.push(value),
                Err(error) => {
                    builder.push(Value::Null);
                    failed.push((row as u32, error));
                }
            }
        }
    }
    builders.into_iter().map(|(builder, failed)| Added { column: builder.finish(), failed }).collect()
}
