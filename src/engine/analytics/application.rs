//! One application: input, code, reference table, outputs, and the program at work.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::api::{ErrorCode, ServiceError};
use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, Kinesis};
use crate::engine::s3::S3;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::sql::decode::Schema;
use crate::sql::diagnostic::Severity;
use crate::sql::program::{Catalog, Program, ReferenceTable, SourceStream};
use crate::sql::run::{Row, Running};
use crate::sql::types::SqlType;
use crate::sql::value::Value as Cell;

/// Time between two looks at the source.
const TICK_MS: u64 = 250;
/// Rows remembered of each in-application stream.
const ROWS_SHOWN: usize = 200;
/// Outputs at most.
const OUTPUTS_MAX: usize = 3;
/// Undelivered rows of an output after which the application reads no further.
const UNDELIVERED_MAX: usize = 100_000;

/// Status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not running.
    Ready,
    /// About to run.
    Starting,
    /// Running.
    Running,
    /// Being taken away.
    Deleting,
}

impl Status {
    /// AWS's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Deleting => "DELETING",
        }
    }
}

/// The input.
#[derive(Debug, Clone)]
pub struct Input {
    /// Id, `1.1`.
    pub id: String,
    /// As it was given.
    pub body: Value,
    /// Name prefix of its in-application streams.
    pub prefix: String,
    /// Stream it reads.
    pub stream: String,
    /// In-application streams.
    pub parallelism: usize,
    /// Schema.
    pub schema: Arc<Schema>,
}

/// An output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Id.
    pub id: String,
    /// As it was given.
    pub body: Value,
    /// In-application stream.
    pub stream: String,
    /// Where it goes.
    pub to: Destination,
    /// CSV, not JSON.
    pub csv: bool,
    /// Rows delivered.
    pub delivered: u64,
    /// Records that wait.
    pub pending: Vec<(String, Arc<[u8]>)>,
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A data stream.
    Stream(String),
    /// A delivery stream.
    Firehose(String),
    /// A function.
    Lambda(String),
}

impl Destination {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Stream(name) => format!("stream {name}"),
            Self::Firehose(name) => format!("delivery stream {name}"),
            Self::Lambda(name) => format!("function {name}"),
        }
    }
}

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

/// The reference table.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Id.
    pub id: String,
    /// As it was given.
    pub body: Value,
    /// Table name.
    pub table: String,
    /// Bucket and key.
    pub object: (String, String),
    /// Schema.
    pub schema: Arc<Schema>,
    /// Rows at the last synchronisation, and how many did not fit.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that did not fit.
    pub refused: u64,
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

/// An application.
#[derive(Debug, Clone)]
pub struct Application {
    /// Name.
    pub name: Arc<str>,
    /// Guards wake-ups.
    pub incarnation: u64,
    /// Status.
    pub status: Status,
    /// Version.
    pub version: u64,
    /// When it was created.
    pub created: VirtualTime,
    /// When it changed last.
    pub updated: VirtualTime,
    /// Description.
    pub description: String,
    /// Code.
    pub code: String,
    /// Input.
    pub input: Option<Input>,
    /// Outputs.
    pub outputs: Vec<Output>,
    /// Reference table.
    pub reference: Option<Reference>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The role of an application that was made through the second API; the first one has a role with each resource.
    pub role: Option<String>,
    /// Log streams: id, ARN, role.
    pub logging: Vec<(String, String, String)>,
    /// The program at work.
    pub run: Option<Run>,
    /// Positions when it was stopped.
    stopped_at: Option<BTreeMap<u32, u64>>,
    ids: u64,
    /// Numbers output records across restarts, so that their keys repeat with the run.
    numbered: u64,
}

pub(super) fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::invalid_argument(text)
}

pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// The one destination that an output names.
fn destination_of(body: &Value) -> Result<Destination, ServiceError> {
    let arn = |member: &str| body[member]["ResourceARN"].as_str().map(stream_of).map(|name| name.rsplit(':').next().unwrap_or(name).to_owned());
    match (arn("KinesisStreamsOutput"), arn("KinesisFirehoseOutput"), arn("LambdaOutput")) {
        (Some(name), None, None) => Ok(Destination::Stream(name)),
        (None, Some(name), None) => Ok(Destination::Firehose(name)),
        (None, None, Some(name)) => Ok(Destination::Lambda(name)),
        _ => Err(invalid("Exactly one of KinesisStreamsOutput, KinesisFirehoseOutput and LambdaOutput must be given")),
    }
}

fn stream_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

impl Application {
    /// A new application.
    pub fn new(name: &str, incarnation: u64, now: VirtualTime, code: &str, description: &str) -> Self {
        Self {
            name: name.into(),
            incarnation,
            status: Status::Ready,
            version: 1,
            created: now,
            updated: now,
            description: description.to_owned(),
            code: code.to_owned(),
            input: None,
            outputs: Vec::new(),
            reference: None,
            tags: BTreeMap::new(),
            role: None,
            logging: Vec::new(),
            run: None,
            stopped_at: None,
            ids: 0,
            numbered: 0,
        }
    }

    fn id(&mut self) -> String {
        self.ids += 1;
        format!("{}.{}", self.version, self.ids)
    }

    fn say(&self, ctx: &mut Ctx<'_>, kind: &str, text: impl Into<String>, alarm: bool) {
        ctx.journal.push(ctx.now, format!("application {}", self.name), kind, text, alarm);
    }

    /// What the code can read.
    fn catalog(&self) -> Catalog {
        let mut catalog = Catalog::default();
        if let Some(input) = &self.input {
            let columns: Vec<(String, SqlType, bool)> = input.schema.columns.iter().map(|c| (c.name.clone(), c.ty.clone(), c.not_null)).collect();
            catalog.sources =
                (1..=input.parallelism).map(|n| SourceStream { name: format!("{}_{n:03}", input.prefix), columns: columns.clone() }).collect();
        }
        if let Some(reference) = &self.reference {
            let columns = reference.schema.columns.iter().map(|c| (c.name.clone(), c.ty.clone())).collect();
            catalog.tables = vec![ReferenceTable { name: reference.table.clone(), columns, rows: reference.rows.clone() }];
        }
        catalog
    }

    fn compile(&self) -> Result<Program, ServiceError> {
        Program::compile(&self.code, &self.catalog()).map_err(|findings| {
            let texts: Vec<String> =
                findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.render("code", &self.code)).collect();
            ServiceError::new(ErrorCode::CodeValidationException, format!("The application code is not valid.\n{}", texts.join("\n").trim_end()))
        })
    }

    /// The code compiles, as far as its input is known.
    ///
    /// # Errors
    /// `CodeValidationException` with every finding.
    pub fn check_code(&self) -> Result<(), ServiceError> {
        if self.input.is_none() || self.code.trim().is_empty() { Ok(()) } else { self.compile().map(drop) }
    }

    /// Names of the pumps of the code.
    ///
    /// # Errors
    /// `CodeValidationException` with every finding; an application without an input has nothing to compile against.
    pub fn pumps(&self) -> Result<Vec<String>, ServiceError> {
        if self.input.is_none() {
            return Err(invalid(format!("Application {} has no input: its streams are not known yet", self.name)));
        }
        Ok(self.compile()?.plan.pumps.iter().map(|pump| pump.name.clone()).collect())
    }

    /// Connects a source.
    ///
    /// # Errors
    /// A second input, a missing stream, a schema that cannot be.
    pub fn add_input(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis, body: &Value) -> Result<(), ServiceError> {
        if self.input.is_some() {
            return Err(ServiceError::limit_exceeded("An application has one streaming source"));
        }
        if body["KinesisFirehoseInput"].is_object() {
            return Err(ServiceError::not_simulated("a delivery stream as the source of an application"));
        }
        if body["InputProcessingConfiguration"].is_object() {
            return Err(ServiceError::not_simulated("InputProcessingConfiguration"));
        }
        let arn = text(&body["KinesisStreamsInput"], "ResourceARN");
        let stream = stream_of(arn);
        if kinesis.stream(stream).is_none() {
            return Err(invalid(format!("The stream of the input does not exist: {arn}")));
        }
        let schema = Schema::from_json(&body["InputSchema"]).map_err(|error| invalid(format!("InputSchema: {error}")))?;
        let id = self.id();
        self.input = Some(Input {
            id,
            body: body.clone(),
            prefix: text(body, "NamePrefix").to_owned(),
            stream: stream.to_owned(),
            parallelism: body["InputParallelism"]["Count"].as_u64().unwrap_or(1).clamp(1, 64) as usize,
            schema: Arc::new(schema),
        });
        self.touch(ctx.now);
        self.say(ctx, "connected", format!("reads stream {stream}"), false);
        Ok(())
    }

    fn touch(&mut self, now: VirtualTime) {
        self.version += 1;
        self.updated = now;
    }

    /// Adds an output.
    ///
    /// # Errors
    /// A fourth output, or not exactly one destination.
    pub fn add_output(&mut self, body: &Value) -> Result<(), ServiceError> {
        if self.outputs.len() >= OUTPUTS_MAX {
            return Err(ServiceError::limit_exceeded(format!("An application has at most {OUTPUTS_MAX} outputs")));
        }
        let to = destination_of(body)?;
        let stream = text(body, "Name").to_owned();
        if self.outputs.iter().any(|output| output.stream == stream && output.to == to) {
            return Err(invalid(format!("{stream} is delivered there already")));
        }
        let id = self.id();
        let csv = text(&body["DestinationSchema"], "RecordFormatType") == "CSV";
        self.outputs.push(Output { id, body: body.clone(), stream, to, csv, delivered: 0, pending: Vec::new() });
        self.version += 1;
        Ok(())
    }

    /// Changes an output; rows that wait for its old destination go to the new one.
    fn update_output(&mut self, update: &Value) -> Result<(), ServiceError> {
        let id = text(update, "OutputId");
        let output = self.outputs.iter_mut().find(|output| output.id == id).ok_or_else(|| invalid(format!("There is no output {id}")))?;
        for member in ["KinesisStreamsOutput", "KinesisFirehoseOutput", "LambdaOutput"] {
            let change = &update[format!("{member}Update")];
            if let Some(arn) = change["ResourceARNUpdate"].as_str() {
                let role = change["RoleARNUpdate"].as_str().or(output.body[member]["RoleARN"].as_str()).map(str::to_owned);
                if let Some(body) = output.body.as_object_mut() {
                    body.retain(|name, _| !name.ends_with("Output"));
                    body.insert(
                        member.to_owned(),
                        role.map_or_else(|| json!({"ResourceARN": arn}), |role| json!({"ResourceARN": arn, "RoleARN": role})),
                    );
                }
            }
        }
        if let Some(format) = update["DestinationSchemaUpdate"]["RecordFormatType"].as_str() {
            output.body["DestinationSchema"] = json!({"RecordFormatType": format});
            output.csv = format == "CSV";
        }
        if let Some(name) = update["NameUpdate"].as_str() {
            output.body["Name"] = json!(name);
            name.clone_into(&mut output.stream);
        }
        output.to = destination_of(&output.body)?;
        Ok(())
    }

    /// Names a log stream.
    pub fn add_logging(&mut self, option: &Value) {
        let id = self.id();
        self.logging.push((id, text(option, "LogStreamARN").to_owned(), text(option, "RoleARN").to_owned()));
    }

    /// Adds the reference table.
    ///
    /// # Errors
    /// A second table, a schema that cannot be, an object that is not there.
    pub fn add_reference(&mut self, ctx: &mut Ctx<'_>, s3: &S3, body: &Value, seed: u64) -> Result<(), ServiceError> {
        if self.reference.is_some() {
            return Err(ServiceError::limit_exceeded("An application has one reference table"));
        }
        let source = &body["S3ReferenceDataSource"];
        let schema = Schema::from_json(&body["ReferenceSchema"]).map_err(|error| invalid(format!("ReferenceSchema: {error}")))?;
        let id = self.id();
        self.reference = Some(Reference {
            id,
            body: body.clone(),
            table: text(body, "TableName").to_owned(),
            object: (text(source, "BucketARN").trim_start_matches("arn:aws:s3:::").to_owned(), text(source, "FileKey").to_owned()),
            schema: Arc::new(schema),
            rows: Vec::new(),
            refused: 0,
        });
        if let Err(error) = self.synchronise(ctx, s3).and_then(|()| self.restart(ctx, seed)) {
            self.reference = None;
            return Err(error);
        }
        self.touch(ctx.now);
        Ok(())
    }

    /// Reads the reference object again.
    fn synchronise(&mut self, ctx: &mut Ctx<'_>, s3: &S3) -> Result<(), ServiceError> {
        let Some(reference) = &mut self.reference else { return Ok(()) };
        let (bucket, key) = reference.object.clone();
        let object = s3.object(&bucket, &key).ok_or_else(|| invalid(format!("s3://{bucket}/{key} does not exist")))?;
        reference.rows.clear();
        reference.refused = 0;
        for row in reference.schema.rows(&object.bytes) {
            match row {
                Ok(cells) => reference.rows.push(cells),
                Err(_) => reference.refused += 1,
            }
        }
        let text =
            format!("reference table {}: {} rows from s3://{bucket}/{key}, {} did not fit", reference.table, reference.rows.len(), reference.refused);
        self.say(ctx, "synchronised", text, false);
        Ok(())
    }

    /// Changes code, input or reference data; a running application starts its state anew.
    ///
    /// # Errors
    /// What cannot be; then nothing has changed.
    pub fn update(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis, s3: &S3, body: &Value, seed: u64) -> Result<(), ServiceError> {
        let mut changed = self.clone();
        if let Some(code) = body["ApplicationCodeUpdate"].as_str() {
            code.clone_into(&mut changed.code);
        }
        for update in body["InputUpdates"].as_array().into_iter().flatten() {
            let input = changed
                .input
                .as_mut()
                .filter(|input| input.id == text(update, "InputId"))
                .ok_or_else(|| invalid(format!("There is no input {}", text(update, "InputId"))))?;
            if let Some(prefix) = update["NamePrefixUpdate"].as_str() {
                prefix.clone_into(&mut input.prefix);
                input.body["NamePrefix"] = json!(prefix);
            }
            if let Some(count) = update["InputParallelismUpdate"]["CountUpdate"].as_u64() {
                input.parallelism = count as usize;
                input.body["InputParallelism"] = json!({"Count": count});
            }
            if let Some(arn) = update["KinesisStreamsInputUpdate"]["ResourceARNUpdate"].as_str() {
                let stream = stream_of(arn);
                if kinesis.stream(stream).is_none() {
                    return Err(invalid(format!("The stream of the input does not exist: {arn}")));
                }
                stream.clone_into(&mut input.stream);
                input.body["KinesisStreamsInput"]["ResourceARN"] = json!(arn);
            }
            let schema = &update["InputSchemaUpdate"];
            if schema.is_object() {
                for (member, name) in
                    [("RecordFormatUpdate", "RecordFormat"), ("RecordEncodingUpdate", "RecordEncoding"), ("RecordColumnUpdates", "RecordColumns")]
                {
                    if !schema[member].is_null() {
                        input.body["InputSchema"][name] = schema[member].clone();
                    }
                }
                input.schema = Arc::new(Schema::from_json(&input.body["InputSchema"]).map_err(|error| invalid(format!("InputSchema: {error}")))?);
            }
        }
        for update in body["OutputUpdates"].as_array().into_iter().flatten() {
            changed.update_output(update)?;
        }
        for update in body["ReferenceDataSourceUpdates"].as_array().into_iter().flatten() {
            let reference = changed
                .reference
                .as_mut()
                .filter(|reference| reference.id == text(update, "ReferenceId"))
                .ok_or_else(|| invalid(format!("There is no reference table {}", text(update, "ReferenceId"))))?;
            if let Some(key) = update["S3ReferenceDataSourceUpdate"]["FileKeyUpdate"].as_str() {
                key.clone_into(&mut reference.object.1);
            }
            if let Some(name) = update["TableNameUpdate"].as_str() {
                name.clone_into(&mut reference.table);
            }
            if update["ReferenceSchemaUpdate"].is_object() {
                reference.schema =
                    Arc::new(Schema::from_json(&update["ReferenceSchemaUpdate"]).map_err(|error| invalid(format!("ReferenceSchema: {error}")))?);
            }
            changed.synchronise(ctx, s3)?;
        }
        changed.check_code()?;
        changed.touch(ctx.now);
        *self = changed;
        self.say(ctx, "updated", format!("version {}", self.version), false);
        self.restart(ctx, seed)
    }

    /// A running application goes on with a new program: its windows and forests begin anew.
    fn restart(&mut self, ctx: &mut Ctx<'_>, seed: u64) -> Result<(), ServiceError> {
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
            for (arrival, number, counter, place) in rows {
                let Some(shard) = stream.shards.get(&number) else { continue };
                let Some(read) = shard.log.read(counter, ctx.remake, &mut buffer) else { continue };
                run.records += 1;
                // Contiguous shards share an input stream.
                let target = place * input.parallelism / shards;
                let at = arrival.millis() as i64;
                for row in input.schema.rows(read.data) {
                    match row {
                        Ok(mut cells) => {
                            cells.push(Cell::Ms(at));
                            if run.origin {
                                cells.push(Cell::text(crate::engine::kinesis::shard_id(number)));
                                cells.push(Cell::text(shard.sequence_number(counter, read.arrival).to_string()));
                                cells.push(Cell::text(read.key));
                            }
                            run.running.insert(target, at, cells);
                        }
                        Err(error) => run.running.input_error(&error, at, read.data),
                    }
                }
            }
        }
        run.running.advance_to(now_ms as i64 - 1);
        self.collect(ctx.now)
    }

    /// Rows for screens and outputs.
    fn collect(&mut self, now: VirtualTime) -> Vec<Delivery> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let plan = run.running.plan().clone();
        for (stream, planned) in plan.streams.iter().enumerate() {
            let rows = run.running.drain(stream);
            let shown = run.shown.entry(stream).or_default();
            if shown.second.0 != now.secs() {
                shown.second = (now.secs(), 0, if shown.second.0 + 1 == now.secs() { shown.second.1 } else { 0 });
            }
            if rows.is_empty() {
                continue;
            }
            shown.second.1 += rows.len() as u64;
            run.rows_out += rows.len() as u64;
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

    /// The application as DescribeApplication shows it.
    pub fn described(&self, arn: &str) -> Value {
        let seconds = |at: VirtualTime| json!(at.millis() as f64 / 1000.0);
        let mut shown = Map::new();
        shown.insert("ApplicationName".to_owned(), json!(&*self.name));
        shown.insert("ApplicationDescription".to_owned(), json!(self.description));
        shown.insert("ApplicationARN".to_owned(), json!(arn));
        shown.insert("ApplicationStatus".to_owned(), json!(self.status.name()));
        shown.insert("CreateTimestamp".to_owned(), seconds(self.created));
        shown.insert("LastUpdateTimestamp".to_owned(), seconds(self.updated));
        if let Some(input) = &self.input {
            let names: Vec<String> = (1..=input.parallelism).map(|n| format!("{}_{n:03}", input.prefix)).collect();
            let mut body = input.body.as_object().cloned().unwrap_or_default();
            body.insert("InputId".to_owned(), json!(input.id));
            body.insert("InAppStreamNames".to_owned(), json!(names));
            if let Some(source) = body.shift_remove("KinesisStreamsInput") {
                body.insert("KinesisStreamsInputDescription".to_owned(), source);
            }
            body.entry("InputParallelism").or_insert_with(|| json!({"Count": 1}));
            shown.insert("InputDescriptions".to_owned(), json!([body]));
        }
        let outputs: Vec<Value> = self
            .outputs
            .iter()
            .map(|output| {
                let mut body: Map<String, Value> = output
                    .body
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (if name.ends_with("Output") { format!("{name}Description") } else { name.clone() }, value.clone()))
                    .collect();
                body.insert("OutputId".to_owned(), json!(output.id));
                Value::Object(body)
            })
            .collect();
        if !outputs.is_empty() {
            shown.insert("OutputDescriptions".to_owned(), json!(outputs));
        }
        if let Some(reference) = &self.reference {
            let mut body = reference.body.as_object().cloned().unwrap_or_default();
            body.insert("ReferenceId".to_owned(), json!(reference.id));
            if let Some(source) = body.shift_remove("S3ReferenceDataSource") {
                body.insert("S3ReferenceDataSourceDescription".to_owned(), source);
            }
            shown.insert("ReferenceDataSourceDescriptions".to_owned(), json!([body]));
        }
        if !self.logging.is_empty() {
            let options: Vec<Value> =
                self.logging.iter().map(|(id, arn, role)| json!({"CloudWatchLoggingOptionId": id, "LogStreamARN": arn, "RoleARN": role})).collect();
            shown.insert("CloudWatchLoggingOptionDescriptions".to_owned(), json!(options));
        }
        shown.insert("ApplicationCode".to_owned(), json!(self.code));
        shown.insert("ApplicationVersionId".to_owned(), json!(self.version));
        Value::Object(shown)
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
