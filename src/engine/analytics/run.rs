//! An application at work: records of its source become rows, rows of its streams go to screens and outputs.

use std::collections::{BTreeMap, VecDeque};

use super::Env;
use super::application::{Application, Status};
use super::outputs::{Delivery, cell_text};
use super::processing::{Batch, Processed};
use super::source::{Reading, Source, Taken};
use crate::api::{ErrorCode, ServiceError};
use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, Kinesis, shard_id};
use crate::engine::metrics::{Dimensions, Flow, Metric};
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::sql::decode::Schema;
use crate::sql::decoder::Decoder;
use crate::sql::run::Running;
use crate::sql::value::{RowError, Value as Cell};

/// Time between two looks at the source.
const TICK_MS: u64 = 250;
/// Rows remembered of each in-application stream.
const ROWS_SHOWN: usize = 200;
/// Undelivered rows of an output after which the application reads no further.
const UNDELIVERED_MAX: usize = 100_000;

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
    /// How far the source is read.
    pub reading: Reading,
    /// When it started.
    pub since: VirtualTime,
    /// Records that came into the program, or that its function has prepared.
    pub records: u64,
    /// Rows by in-application stream.
    pub shown: BTreeMap<usize, Shown>,
    /// What the function that prepares records has done.
    pub processed: Processed,
    /// Records that it prepares now.
    pub(super) batch: Option<Batch>,
    /// MillisBehindLatest.
    pub behind_ms: u64,
    /// The second that was measured last.
    measured: u64,
    /// Records and bytes that came in and are not in the metrics yet.
    unmeasured: (u64, u64),
    /// The code names the shard, number or key of a record.
    origin: bool,
    rows_out: u64,
}

/// Records on their way into the input streams of a program.
pub(super) struct Feed<'r> {
    running: &'r mut Running,
    records: &'r mut u64,
    unmeasured: &'r mut (u64, u64),
    decoder: Decoder<'r>,
    target: usize,
    origin: bool,
}

impl Feed<'_> {
    /// A record for an input stream. `origin` are its shard id, sequence number and partition key.
    fn put(&mut self, target: usize, at: VirtualTime, data: &[u8], origin: impl FnOnce() -> [Cell; 3]) {
        self.count(data);
        if target != self.target {
            self.decoder.flush(self.running, self.target);
            self.target = target;
        }
        let at = at.millis() as i64;
        if self.origin {
            let [shard, sequence, key] = origin();
            self.decoder.feed(self.running, target, at, data, &[Cell::Ms(at), shard, sequence, key]);
        } else {
            self.decoder.feed(self.running, target, at, data, &[Cell::Ms(at)]);
        }
    }

    fn count(&mut self, data: &[u8]) {
        *self.records += 1;
        self.unmeasured.0 += 1;
        self.unmeasured.1 += data.len() as u64;
    }

    /// A record that was taken, with the bytes that a function made of it.
    pub(super) fn record(&mut self, record: &Taken, data: &[u8]) {
        self.put(record.target, record.at, data, || match &record.origin {
            Some(origin) => [Cell::text(shard_id(origin.shard)), Cell::text(origin.sequence.clone()), Cell::text(origin.key.clone())],
            None => [Cell::Null, Cell::Null, Cell::Null],
        });
    }

    /// A record that a function refused becomes a row of the error stream.
    pub(super) fn refused(&mut self, record: &Taken, why: &str) {
        self.count(&record.data);
        self.decoder.flush(self.running, self.target);
        self.running.input_error(&RowError::new("InputProcessingFailed", why), record.at.millis() as i64, &record.data);
    }

    /// A record that a function dropped.
    pub(super) fn dropped(&mut self, record: &Taken) {
        self.count(&record.data);
    }

    /// Everything is in the program.
    pub(super) fn end(mut self) {
        self.decoder.flush(self.running, self.target);
    }
}

impl Run {
    /// Begins to feed records.
    pub(super) fn feed<'r>(&'r mut self, schema: &'r Schema) -> Feed<'r> {
        Feed {
            decoder: Decoder::new(schema, if self.origin { 4 } else { 1 }),
            running: &mut self.running,
            records: &mut self.records,
            unmeasured: &mut self.unmeasured,
            target: 0,
            origin: self.origin,
        }
    }
}

impl Application {
    /// A running application goes on with a new program: its windows and forests begin anew.
    pub(super) fn restart(&mut self, ctx: &mut Ctx<'_>, seed: u64) -> Result<(), ServiceError> {
        let Some(reading) = self.run.as_ref().map(|run| run.reading.clone()) else { return Ok(()) };
        self.run = Some(self.begin(ctx.now, reading, seed)?);
        self.say(ctx, "restarted", "saved and run: windows and forests begin anew", false);
        Ok(())
    }

    pub(super) fn begin(&self, now: VirtualTime, mut reading: Reading, seed: u64) -> Result<Run, ServiceError> {
        reading.spread(self.input.as_ref().map_or(1, |input| input.parallelism));
        let program = self.compile()?;
        let origin = ["shard_id", "sequence_number", "partition_key"].iter().any(|name| self.code.to_lowercase().contains(name));
        let running = Running::new(program.plan, now.millis() as i64, seed ^ 0x5d1);
        let shown = (0..running.plan().streams.len()).map(|stream| (stream, Shown::default())).collect();
        let processed = Processed::default();
        Ok(Run {
            running,
            reading,
            since: now,
            records: 0,
            shown,
            processed,
            batch: None,
            behind_ms: 0,
            measured: 0,
            unmeasured: (0, 0),
            origin,
            rows_out: 0,
        })
    }

    /// Starts.
    ///
    /// # Errors
    /// No input, no code, code that does not compile, a position that the source does not have.
    pub(super) fn start(
        &mut self,
        ctx: &mut Ctx<'_>,
        env: &mut Env<'_>,
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
        let reading = Reading::from(env, &self.name, &input.source, position, self.stopped_at.clone())?;
        if self.reference.is_some() {
            self.synchronise(ctx, env.s3)?;
        }
        let run = self.begin(ctx.now + wait, reading, seed)?;
        self.run = Some(run);
        self.position = Some(position.to_owned());
        self.status = Status::Starting;
        self.say(ctx, "starting", format!("from {position}"), false);
        Ok(())
    }

    /// Stops; where it was is remembered.
    pub fn stop(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(run) = self.run.take() {
            self.stopped_at = Some(run.reading);
        }
        self.status = Status::Ready;
        self.say(ctx, "stopped", "stopped", false);
    }

    /// When it looks next.
    pub fn next_wake(&self, now: VirtualTime) -> Option<VirtualTime> {
        self.run.as_ref()?;
        Some(VirtualTime::from_millis((now.millis() / TICK_MS + 1) * TICK_MS))
    }

    /// Reads what arrived and goes on with it.
    pub(super) fn work(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>) -> Vec<Delivery> {
        if self.status == Status::Starting {
            self.status = Status::Running;
            self.say(ctx, "running", "RUNNING: rows flow", false);
        }
        let Some(input) = &self.input else { return Vec::new() };
        let full = self.outputs.iter().any(|output| output.waiting() > UNDELIVERED_MAX);
        let Some(run) = &mut self.run else { return Vec::new() };
        if !full {
            let before = (run.reading.refused, run.reading.missed);
            run.reading.read(ctx, env, &self.name, &input.source, input.parallelism, run.batch.is_some());
            let (refused, missed) = (run.reading.refused, run.reading.missed);
            if before.0 == 0 && refused > 0 {
                let text = format!("GetRecords is refused on a shard of {}: too many read it", input.source.text());
                self.say(ctx, "throttled", text, true);
            }
            if missed > before.1 {
                self.say(ctx, "missed", format!("{} records were gone before they could be read", missed - before.1), true);
            }
        }
        let deliveries = self.go_on(ctx, env);
        self.measure(ctx, env.kinesis);
        deliveries
    }

    /// Hands on what was read, lets the clock move, and takes out what the outputs deliver.
    pub(super) fn go_on(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>) -> Vec<Delivery> {
        if self.input.as_ref().is_some_and(|input| input.processor.is_some()) {
            self.process(ctx, env);
        } else {
            self.feed_all(ctx, env.kinesis);
        }
        let Some(run) = &mut self.run else { return Vec::new() };
        // Rows of records that a function prepares are still to come.
        let held = run.batch.as_ref().and_then(Batch::since).map_or(u64::MAX, VirtualTime::millis);
        run.running.advance_to(run.reading.through_ms().min(held) as i64 - 1);
        self.collect(ctx.now)
    }

    /// Records become rows as they are.
    fn feed_all(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis) {
        let (Some(input), Some(run)) = (&self.input, &mut self.run) else { return };
        let schema = input.schema.clone();
        match &input.source {
            Source::Firehose(_) => {
                let taken: Vec<Taken> = run.reading.ready_inbox().cloned().collect();
                let mut feed = run.feed(&schema);
                for record in &taken {
                    feed.record(record, &record.data);
                }
                feed.end();
                for record in &taken {
                    run.reading.done(record);
                }
            }
            Source::Stream(name) => {
                let Some(stream) = kinesis.stream(name) else { return };
                let shards = stream.shards.len().max(1);
                let ready = run.reading.ready(stream);
                let mut buffer = ReadBuffer::default();
                let mut feed = run.feed(&schema);
                for (arrival, number, counter, place) in &ready {
                    let Some(shard) = stream.shards.get(number) else { continue };
                    let Some(read) = shard.log.read(*counter, ctx.remake, &mut buffer) else { continue };
                    // Contiguous shards share an input stream.
                    let target = place * input.parallelism / shards;
                    if ctx.trail.in_range(name, *number, *counter, counter + 1) {
                        let text = format!("a row of {}_{:03}, ROWTIME {}", input.prefix, target + 1, arrival.clock_millis_text());
                        ctx.trail.note(ctx.now, format!("application {}", self.name), text);
                    }
                    feed.put(target, *arrival, read.data, || {
                        let sequence_number = shard.sequence_number(*counter, read.arrival).to_string();
                        [Cell::text(shard_id(*number)), Cell::text(sequence_number), Cell::text(read.key)]
                    });
                }
                feed.end();
                for (_, number, counter, _) in ready {
                    run.reading.went(number, counter);
                }
            }
        }
    }

    /// What CloudWatch sees of the input.
    fn measure(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis) {
        let (Some(input), Some(run)) = (&self.input, &mut self.run) else { return };
        run.behind_ms = run.reading.behind_ms(ctx.now, kinesis, &input.source);
        if run.measured == ctx.now.secs() {
            return;
        }
        run.measured = ctx.now.secs();
        ctx.metrics.add(Metric::MillisBehindLatest, &Dimensions::Application(self.name.clone()), ctx.now, run.behind_ms);
        let (records, bytes) = std::mem::take(&mut run.unmeasured);
        let flow = Dimensions::Flow(self.name.clone(), Flow::Input, input.id.as_str().into());
        ctx.metrics.add_many(Metric::FlowRecords, &flow, ctx.now, records, records.min(1));
        ctx.metrics.add_many(Metric::FlowBytes, &flow, ctx.now, bytes, records.min(1));
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
                for row in &rows {
                    self.numbered += 1;
                    output.push(planned, row, self.numbered);
                }
            }
        }
        run.running.drain_errors();
        self.outputs.iter_mut().filter_map(|output| output.leaving(now)).collect()
    }
}
