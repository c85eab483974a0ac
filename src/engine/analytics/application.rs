//! One application: input, code, reference table, outputs, and how they change.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::run::Run;
use crate::api::{ErrorCode, ServiceError};
use crate::engine::kinesis::{Ctx, Kinesis};
use crate::engine::s3::S3;
use crate::engine::time::VirtualTime;
use crate::sql::decode::Schema;
use crate::sql::diagnostic::Severity;
use crate::sql::program::{Catalog, Program, ReferenceTable, SourceStream};
use crate::sql::types::SqlType;
use crate::sql::value::Value as Cell;

/// Outputs at most.
const OUTPUTS_MAX: usize = 3;

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
    pub(super) stopped_at: Option<BTreeMap<u32, u64>>,
    ids: u64,
    /// Numbers output records across restarts, so that their keys repeat with the run.
    pub(super) numbered: u64,
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

    pub(super) fn say(&self, ctx: &mut Ctx<'_>, kind: &str, text: impl Into<String>, alarm: bool) {
        ctx.journal.push(ctx.now, format!("application {}", self.name), kind, text, alarm);
    }

    /// What the code can read.
    pub fn catalog(&self) -> Catalog {
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

    pub(super) fn compile(&self) -> Result<Program, ServiceError> {
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
    pub(super) fn synchronise(&mut self, ctx: &mut Ctx<'_>, s3: &S3) -> Result<(), ServiceError> {
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
