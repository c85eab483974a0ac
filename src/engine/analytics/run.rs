//! An application at work: records of its source become rows, rows of its streams go to screens and outputs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::application::{Application, Destination, Status};
use crate::api::{ErrorCode, ServiceError};
use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, Kinesis};
use crate::engine::s3::S3;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::sql::decoder::Decoder;
use crate::sql::run::{Row, Running};
use crate::sql::types::SqlType;
use crate::sql::value::Value as Cell;

/// Time between two looks at the source.
const TICK_MS: u64 = 250;
/// Rows remembered of each in-application stream.
const ROWS_SHOWN: usize = 200;
/// Undelivered rows of an output after which the application reads no further.
const UNDELIVERED_MAX: usize = 100_000;

/// Records on their way to a destination.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Id of the output.
    pub output: String,
    /// Where they go.
    pub to: Destination,
    /// Partition key and bytes of each.
    pub records: Vec<(String, Arc<[u8]>)>,
}

/// Rows of an in-application stream, for screens.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The newest rows: ROWTIME in milliseconds, cells.
    pub rows: VecDeque<(i64, Vec<String>)>,
    /// Rows in this second and in the last one.
    pub second: (u64, u64, u64),
}

/// A program at work.
#[derive(Debug, Clone)]
pub struct Run {
    /// The program.
    pub running: Running,
    /// Counter of the next record by shard.
    pub next: BTreeMap<u32, u64>,
    /// When it started.
    pub since: VirtualTime,
    /// Records read.
    pub records: u64,
    /// Rows by in-application stream.
    pub shown: BTreeMap<usize, Shown>,
    /// The code names the shard, number or key of a record.
    origin: bool,
    rows_out: u64,
}

impl Application {
    /// A running application goes on with a new program: its windows and forests begin anew.
    pub(super) fn restart(&mut self, ctx: &mut Ctx<'_>, seed: u64) -> Result<(), ServiceError> {
        let Some(next) = self.run.as_ref().map(|run| run.next.clone()) else { return Ok(()) };
        self.run = Some(self.begin(ctx.now, next, seed)?);
        self.say(ctx, "restarted", "saved and run: windows and forests begin anew", false);
        Ok(())
    }

    fn begin(&self, now: VirtualTime, next: BTreeMap<u32, u64>, seed: u64) -> Result<Run, ServiceError> {
        let program = self.compile()?;
        let origin = ["shard_id", "sequence_number", "partition_key"].iter().any(|name| self.code.to_lowercase().contains(name));
        let running = Running::new(program.plan, now.millis() as i64, seed ^ 0x5d1);
        let shown = (0..running.plan().streams.len()).map(|stream| (stream, Shown::default())).collect();
        Ok(Run { running, next, since: now, records: 0, shown, origin, rows_out: 0 })
    }

    /// Starts.
    ///
    /// # Errors
    /// No input, no code, code that does not compile.
    pub fn start(
        &mut self,
        ctx: &mut Ctx<'_>,
        kinesis: &Kinesis,
        s3: &S3,
        position: &str,
        seed: u64,
        wait: VirtualDuration,
    ) -> Result<(), ServiceError> {
        let Some(input) = &self.input else {
            return Err(ServiceError::new(
                ErrorCode::InvalidApplicationConfigurationException,
                "The application has no streaming source: add an input first",
            ));
        };
        if self.code.trim().is_empty() {
            return Err(ServiceError::new(ErrorCode::InvalidApplicationConfigurationException, "The application has no code"));
        }
        let stream = kinesis.stream(&input.stream).ok_or_else(|| ServiceError::resource_not_found(format!("Stream {} not found", input.stream)))?;
        let next: BTreeMap<u32, u64> = match (position, &self.stopped_at) {
            ("LAST_STOPPED_POINT", Some(stopped)) => stopped.clone(),
            ("TRIM_HORIZON", _) => stream.shards.values().map(|shard| (shard.number, shard.log.first())).collect(),
            _ => stream.shards.values().map(|shard| (shard.number, shard.log.next())).collect(),
        };
        if self.reference.is_some() {
            self.synchronise(ctx, s3)?;
        }
        let run = self.begin(ctx.now + wait, next, seed)?;
        self.run = Some(run);
        self.status = Status::Starting;
        self.say(ctx, "starting", format!("from {position}"), false);
        Ok(())
    }

    /// Stops; where it was is remembered.
    pub fn stop(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(run) = self.run.take() {
            self.stopped_at = Some(run.next);
        }
        self.status = Status::Ready;
        self.say(ctx, "stopped", "stopped", false);
    }

    /// When it looks next.
    pub fn next_wake(&self, now: VirtualTime) -> Option<VirtualTime> {
        self.run.as_ref()?;
        Some(VirtualTime::from_millis((now.millis() / TICK_MS + 1) * TICK_MS))
    }

    /// Reads what arrived, lets the clock move, and takes out what its outputs deliver.
    pub fn work(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis) -> Vec<Delivery> {
        if self.status == Status::Starting {
            self.status = Status::Running;
            self.say(ctx, "running", "RUNNING: rows flow", false);
        }
        let Some(input) = &self.input else { return Vec::new() };
        let full = self.outputs.iter().any(|output| output.pending.len() > UNDELIVERED_MAX);
        let Some(run) = &mut self.run else { return Vec::new() };
        let now_ms = ctx.now.millis();
        if !full && let Some(stream) = kinesis.stream(&input.stream) {
            let shards = stream.shards.len().max(1);
            // Arrival, shard, place in the log, place of the shard among the shards.
            let mut rows: Vec<(VirtualTime, u32, u64, usize)> = Vec::new();
            for (place, shard) in stream.shards.values().enumerate() {
                let next = run.next.entry(shard.number).or_insert_with(|| shard.log.first());
                *next = (*next).max(shard.log.first());
                // Within this millisecond more may still arrive: it is read with the next look.
                while let Some(slot) = shard.log.slot(*next).filter(|slot| slot.arrival.millis() < now_ms) {
                    rows.push((slot.arrival, shard.number, *next, place));
                    *next += 1;
                }
            }
            rows.sort_unstable();
            let mut buffer = ReadBuffer::default();
            let mut decoder = Decoder::new(&input.schema, if run.origin { 4 } else { 1 });
            let mut filled = 0;
            for (arrival, number, counter, place) in rows {
                let Some(shard) = stream.shards.get(&number) else { continue };
                let Some(read) = shard.log.read(counter, ctx.remake, &mut buffer) else { continue };
                run.records += 1;
                if ctx.trail.in_range(&input.stream, number, counter, counter + 1) {
                    let text =
                        format!("a row of {}_{:03}, ROWTIME {}", input.prefix, place * input.parallelism / shards + 1, arrival.clock_millis_text());
                    ctx.trail.note(ctx.now, format!("application {}", self.name), text);
                }
                // Contiguous shards share an input stream.
                let target = place * input.parallelism / shards;
                let at = arrival.millis() as i64;
                if target != filled {
                    decoder.flush(&mut run.running, filled);
                    filled = target;
                }
                if run.origin {
                    let shard_id = Cell::text(crate::engine::kinesis::shard_id(number));
                    let sequence_number = Cell::text(shard.sequence_number(counter, read.arrival).to_string());
                    decoder.feed(&mut run.running, target, at, read.data, &[Cell::Ms(at), shard_id, sequence_number, Cell::text(read.key)]);
                } else {
                    decoder.feed(&mut run.running, target, at, read.data, &[Cell::Ms(at)]);
                }
            }
            decoder.flush(&mut run.running, filled);
        }
        run.running.advance_to(now_ms as i64 - 1);
        self.collect(ctx.now)
    }

    /// Rows for screens and outputs.
    fn collect(&mut self, now: VirtualTime) -> Vec<Delivery> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let plan = run.running.plan().clone();
        for (stream, planned) in plan.streams.iter().enumerate() {
            let delivered = self.outputs.iter().any(|output| output.stream == planned.name);
            let (count, rows) = run.running.drain_newest(stream, if delivered { usize::MAX } else { ROWS_SHOWN });
            let shown = run.shown.entry(stream).or_default();
            if shown.second.0 != now.secs() {
                shown.second = (now.secs(), 0, if shown.second.0 + 1 == now.secs() { shown.second.1 } else { 0 });
            }
            if rows.is_empty() {
                continue;
            }
            shown.second.1 += count;
            run.rows_out += count;
            let skip = rows.len().saturating_sub(ROWS_SHOWN);
            for row in &rows[skip..] {
                if shown.rows.len() == ROWS_SHOWN {
                    shown.rows.pop_front();
                }
                let cells = planned
                    .columns
                    .iter()
                    .zip(row.cells.iter())
                    .filter(|(column, _)| !column.hidden)
                    .map(|(column, cell)| cell_text(cell, &column.ty))
                    .collect();
                shown.rows.push_back((row.time, cells));
            }
            for output in self.outputs.iter_mut().filter(|output| output.stream == planned.name) {
                let newline = output.csv || matches!(output.to, Destination::Firehose(_));
                for row in &rows {
                    let record = if output.csv { csv(planned, row) } else { json_row(planned, row) };
                    let record = if newline { record + "\n" } else { record };
                    self.numbered += 1;
                    output.pending.push((format!("{}-{}", output.stream, self.numbered), record.into_bytes().into()));
                }
            }
        }
        run.running.drain_errors();
        self.outputs
            .iter_mut()
            .filter(|output| !output.pending.is_empty())
            .map(|output| Delivery { output: output.id.clone(), to: output.to.clone(), records: std::mem::take(&mut output.pending) })
            .collect()
    }

    /// Counts what was taken, and keeps the rest for the next look.
    pub fn give_back(&mut self, delivery: Delivery) {
        if let Some(output) = self.outputs.iter_mut().find(|output| output.id == delivery.output) {
            output.pending.splice(0..0, delivery.records);
        }
    }

    /// Counts delivered records of an output.
    pub fn delivered(&mut self, output: &str, records: u64) {
        if let Some(output) = self.outputs.iter_mut().find(|known| known.id == output) {
            output.delivered += records;
        }
    }
}

/// A cell as screens show it.
fn cell_text(cell: &Cell, ty: &SqlType) -> String {
    if cell.is_null() { String::new() } else { cell.to_text(ty) }
}

fn json_row(stream: &crate::sql::plan::StreamPlan, row: &Row) -> String {
    let object: Map<String, Value> = stream
        .columns
        .iter()
        .zip(row.cells.iter())
        .filter(|(column, _)| !column.hidden)
        .map(|(column, cell)| (column.name.clone(), cell.to_json(&column.ty)))
        .collect();
    Value::Object(object).to_string()
}

fn csv(stream: &crate::sql::plan::StreamPlan, row: &Row) -> String {
    let cells: Vec<String> = stream
        .columns
        .iter()
        .zip(row.cells.iter())
        .filter(|(column, _)| !column.hidden)
        .map(|(column, cell)| {
            let text = cell_text(cell, &column.ty);
            if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
        })
        .collect();
    cells.join(",")
}
