//! One application: input, code, reference table, outputs, and how they change.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::outputs::Output;
use super::run::Run;
use super::source::{Reading, Source};
use crate::api::{ErrorCode, ServiceError};
use crate::engine::kinesis::Ctx;
use crate::engine::time::VirtualTime;
use crate::sql::decode::Schema;
use crate::sql::diagnostic::Severity;
use crate::sql::program::{Catalog, Program, ReferenceTable, SourceStream};
use crate::sql::types::SqlType;
use crate::sql::value::Value as Cell;

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
    /// What it reads.
    pub source: Source,
    /// ARN of the function that prepares its records.
    pub processor: Option<String>,
    /// In-application streams.
    pub parallelism: usize,
    /// Schema.
    pub schema: Arc<Schema>,
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
    /// ARN.
    pub arn: String,
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
    /// How far it had read when it was stopped.
    pub(super) stopped_at: Option<Reading>,
    /// The starting position that it was given last.
    pub(super) position: Option<String>,
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

/// The name that an ARN ends with.
pub(super) fn resource_of(arn: &str) -> &str {
    let name = arn.rsplit('/').next().unwrap_or_default();
    name.rsplit(':').next().unwrap_or(name)
}

impl Application {
    /// A new application.
    pub fn new(name: &str, arn: String, incarnation: u64, now: VirtualTime, code: &str, description: &str) -> Self {
        Self {
            name: name.into(),
            arn,
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
            position: None,
            ids: 0,
            numbered: 0,
        }
    }

    pub(super) fn next_id(&mut self) -> String {
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

    /// The application as DescribeApplication shows it.
    pub fn described(&self) -> Value {
        let seconds = |at: VirtualTime| json!(at.millis() as f64 / 1000.0);
        let mut shown = Map::new();
        shown.insert("ApplicationName".to_owned(), json!(&*self.name));
        shown.insert("ApplicationDescription".to_owned(), json!(self.description));
        shown.insert("ApplicationARN".to_owned(), json!(self.arn));
        shown.insert("ApplicationStatus".to_owned(), json!(self.status.name()));
        shown.insert("CreateTimestamp".to_owned(), seconds(self.created));
        shown.insert("LastUpdateTimestamp".to_owned(), seconds(self.updated));
        if let Some(input) = &self.input {
            let names: Vec<String> = (1..=input.parallelism).map(|n| format!("{}_{n:03}", input.prefix)).collect();
            let mut body = input.body.as_object().cloned().unwrap_or_default();
            body.insert("InputId".to_owned(), json!(input.id));
            body.insert("InAppStreamNames".to_owned(), json!(names));
            for member in ["KinesisStreamsInput", "KinesisFirehoseInput"] {
                if let Some(source) = body.shift_remove(member) {
                    body.insert(format!("{member}Description"), source);
                }
            }
            if let Some(processing) = body.shift_remove("InputProcessingConfiguration") {
                body.insert("InputProcessingConfigurationDescription".to_owned(), processing_described(&processing));
            }
            if let Some(position) = &self.position {
                body.insert("InputStartingPositionConfiguration".to_owned(), json!({"InputStartingPosition": position}));
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

/// An input's processing configuration as descriptions show it.
pub(super) fn processing_described(processing: &Value) -> Value {
    json!({"InputLambdaProcessorDescription": processing["InputLambdaProcessor"]})
}
