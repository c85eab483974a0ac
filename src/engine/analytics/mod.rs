//! Kinesis Data Analytics for SQL: applications over streams, and the operations of `KinesisAnalytics_20150814`.
//!
//! An application has one input, at most one reference table, code, and up to three outputs. Records become rows at their virtual arrival time;
//! windows close on rows and on the clock. Every change of a running application's code starts its state anew, as the service did.

mod application;
mod run;
mod v2;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};
use crate::engine::kinesis::{Ctx, DataStream, Kinesis};
use crate::engine::s3::S3;
use crate::engine::schedule::Wake;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::sql::discover::discover;

pub use application::{Application, Destination, Status};
use application::{invalid, text};
pub use run::Delivery;

/// Records that a discovery looks at.
const SAMPLES: usize = 100;
/// How far back samples may lie.
const SAMPLE_AGE: VirtualDuration = VirtualDuration::from_secs(60);
/// Applications of an account.
const APPLICATIONS_MAX: usize = 50;

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Analytics {
    applications: BTreeMap<Arc<str>, Application>,
    incarnations: u64,
    seed: u64,
    region: String,
    account: String,
    /// How long starting and stopping take.
    wait: VirtualDuration,
}

/// The newest records of a stream, oldest first.
fn samples(ctx: &Ctx<'_>, stream: &DataStream) -> Vec<Vec<u8>> {
    let since = ctx.now - SAMPLE_AGE;
    let mut found: Vec<(VirtualTime, Vec<u8>)> = Vec::new();
    let mut buffer = crate::engine::kinesis::store::ReadBuffer::default();
    for shard in stream.shards.values() {
        let from = shard.log.first_at(since).max(shard.log.next().saturating_sub(SAMPLES as u64));
        for counter in from..shard.log.next() {
            if let Some(read) = shard.log.read(counter, ctx.remake, &mut buffer) {
                found.push((read.arrival, read.data.to_vec()));
            }
        }
    }
    found.sort_by_key(|(at, _)| *at);
    let skip = found.len().saturating_sub(SAMPLES);
    found.into_iter().skip(skip).map(|(_, data)| data).collect()
}

impl Analytics {
    /// An account without applications.
    pub fn new(seed: u64, region: &str, account: &str, wait: VirtualDuration) -> Self {
        Self { seed, region: region.to_owned(), account: account.to_owned(), wait, ..Self::default() }
    }

    /// An application by name.
    pub fn application(&self, name: &str) -> Option<&Application> {
        self.applications.get(name)
    }

    /// All applications by name.
    pub fn applications(&self) -> impl Iterator<Item = &Application> {
        self.applications.values()
    }

    fn arn(&self, name: &str) -> String {
        format!("arn:aws:kinesisanalytics:{}:{}:application/{name}", self.region, self.account)
    }

    fn missing(&self, name: &str) -> ServiceError {
        ServiceError::resource_not_found(format!("Application {name} under account {} not found", self.account))
    }

    fn find(&mut self, name: &str) -> Result<&mut Application, ServiceError> {
        let missing = self.missing(name);
        self.applications.get_mut(name).ok_or(missing)
    }

    /// The application of a change, at the version that the caller knows.
    fn at_version(&mut self, body: &Value) -> Result<&mut Application, ServiceError> {
        let application = self.find(text(body, "ApplicationName"))?;
        let version = body["CurrentApplicationVersionId"].as_u64().unwrap_or(0);
        if version != application.version {
            return Err(ServiceError::new(
                ErrorCode::ConcurrentModificationException,
                format!("Application {} is at version {}, not at {version}", application.name, application.version),
            ));
        }
        if !matches!(application.status, Status::Ready | Status::Running) {
            return Err(ServiceError::resource_in_use(format!("Application {} is in the state {}", application.name, application.status.name())));
        }
        Ok(application)
    }

    /// An application's time has come. What it delivers is given back: destination, records.
    pub fn due(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis, name: &Arc<str>, incarnation: u64) -> Vec<Delivery> {
        let Some(application) = self.applications.get_mut(name).filter(|application| application.incarnation == incarnation) else {
            return Vec::new();
        };
        if application.status == Status::Deleting {
            self.applications.remove(name);
            return Vec::new();
        }
        // Stopped and started within one look: the start has a look of its own.
        if application.run.as_ref().is_some_and(|run| ctx.now < run.since) {
            return Vec::new();
        }
        let deliveries = application.work(ctx, kinesis);
        if let Some(next) = application.next_wake(ctx.now) {
            ctx.schedule.at(next, Wake::Analytics { application: name.clone(), incarnation });
        }
        deliveries
    }

    /// What a destination did not take is offered again.
    pub fn give_back(&mut self, name: &str, delivery: Delivery) {
        if let Some(application) = self.applications.get_mut(name) {
            application.give_back(delivery);
        }
    }

    /// Counts delivered rows of an output.
    pub fn delivered(&mut self, name: &str, output: &str, rows: u64) {
        if let Some(application) = self.applications.get_mut(name) {
            application.delivered(output, rows);
        }
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// The service's own.
    pub fn call(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis, s3: &S3, call: &Call) -> Result<Value, ServiceError> {
        let body = &call.body;
        let name = text(body, "ApplicationName").to_owned();
        match call.operation.name {
            "CreateApplication" => self.create(ctx, kinesis, &name, body),
            "ListApplications" => {
                let limit = body["Limit"].as_u64().unwrap_or(50) as usize;
                let after = text(body, "ExclusiveStartApplicationName");
                let list: Vec<&Application> = self.applications.values().filter(|application| &*application.name > after).collect();
                let shown: Vec<Value> = list
                    .iter()
                    .take(limit)
                    .map(|a| json!({"ApplicationName": &*a.name, "ApplicationARN": self.arn(&a.name), "ApplicationStatus": a.status.name()}))
                    .collect();
                Ok(json!({"ApplicationSummaries": shown, "HasMoreApplications": list.len() > limit}))
            }
            "DescribeApplication" => {
                let arn = self.arn(&name);
                let application = self.find(&name)?;
                Ok(json!({"ApplicationDetail": application.described(&arn)}))
            }
            "DiscoverInputSchema" => discovered(ctx, kinesis, s3, body),
            "StartApplication" => {
                let seed = self.seed;
                let wait = self.wait;
                let application = self.find(&name)?;
                if application.status != Status::Ready {
                    return Err(ServiceError::resource_in_use(format!("Application {name} is in the state {}", application.status.name())));
                }
                let position =
                    body["InputConfigurations"][0]["InputStartingPositionConfiguration"]["InputStartingPosition"].as_str().unwrap_or("NOW");
                application.start(ctx, kinesis, s3, position, seed, wait)?;
                let (wake, incarnation) = (application.name.clone(), application.incarnation);
                ctx.schedule.at(ctx.now + wait, Wake::Analytics { application: wake, incarnation });
                Ok(json!({}))
            }
            "StopApplication" => {
                let application = self.find(&name)?;
                if application.status != Status::Running {
                    return Err(ServiceError::resource_in_use(format!("Application {name} is in the state {}", application.status.name())));
                }
                application.stop(ctx);
                Ok(json!({}))
            }
            "DeleteApplication" => {
                let wait = self.wait;
                let application = self.find(&name)?;
                application.status = Status::Deleting;
                let (wake, incarnation) = (application.name.clone(), application.incarnation);
                ctx.schedule.at(ctx.now + wait, Wake::Analytics { application: wake, incarnation });
                Ok(json!({}))
            }
            "AddApplicationInput" => {
                let application = self.at_version(body)?;
                application.add_input(ctx, kinesis, &body["Input"])?;
                Ok(json!({}))
            }
            "AddApplicationOutput" => {
                let application = self.at_version(body)?;
                application.add_output(&body["Output"])?;
                Ok(json!({}))
            }
            "AddApplicationCloudWatchLoggingOption" => {
                let application = self.at_version(body)?;
                application.add_logging(&body["CloudWatchLoggingOption"]);
                application.version += 1;
                Ok(json!({}))
            }
            "DeleteApplicationCloudWatchLoggingOption" => {
                let application = self.at_version(body)?;
                let id = text(body, "CloudWatchLoggingOptionId");
                let before = application.logging.len();
                application.logging.retain(|(known, ..)| known != id);
                if application.logging.len() == before {
                    return Err(invalid(format!("There is no logging option {id}")));
                }
                application.version += 1;
                Ok(json!({}))
            }
            "DeleteApplicationOutput" => {
                let application = self.at_version(body)?;
                let id = text(body, "OutputId");
                let before = application.outputs.len();
                application.outputs.retain(|output| output.id != id);
                if application.outputs.len() == before {
                    return Err(invalid(format!("There is no output {id}")));
                }
                application.version += 1;
                Ok(json!({}))
            }
            "AddApplicationReferenceDataSource" => {
                let seed = self.seed;
                let application = self.at_version(body)?;
                application.add_reference(ctx, s3, &body["ReferenceDataSource"], seed)?;
                Ok(json!({}))
            }
            "DeleteApplicationReferenceDataSource" => {
                let application = self.at_version(body)?;
                application.reference = None;
                application.version += 1;
                Ok(json!({}))
            }
            "UpdateApplication" => {
                let seed = self.seed;
                let application = self.at_version(body)?;
                application.update(ctx, kinesis, s3, &body["ApplicationUpdate"], seed)?;
                Ok(json!({}))
            }
            "TagResource" | "UntagResource" | "ListTagsForResource" => {
                let arn = text(body, "ResourceARN");
                let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
                let application = self.find(&name)?;
                match call.operation.name {
                    "TagResource" => {
                        for tag in body["Tags"].as_array().into_iter().flatten() {
                            application.tags.insert(text(tag, "Key").to_owned(), text(tag, "Value").to_owned());
                        }
                        Ok(json!({}))
                    }
                    "UntagResource" => {
                        for key in body["TagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                            application.tags.remove(key);
                        }
                        Ok(json!({}))
                    }
                    _ => Ok(json!({"Tags": application.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>()})),
                }
            }
            other => Err(ServiceError::not_simulated(other)),
        }
    }

    fn create(&mut self, ctx: &mut Ctx<'_>, kinesis: &Kinesis, name: &str, body: &Value) -> Result<Value, ServiceError> {
        if self.applications.contains_key(name) {
            return Err(ServiceError::resource_in_use(format!("Application {name} already exists")));
        }
        if self.applications.len() >= APPLICATIONS_MAX {
            return Err(ServiceError::limit_exceeded(format!("The account has {APPLICATIONS_MAX} applications already")));
        }
        self.incarnations += 1;
        let mut application = Application::new(name, self.incarnations, ctx.now, text(body, "ApplicationCode"), text(body, "ApplicationDescription"));
        for tag in body["Tags"].as_array().into_iter().flatten() {
            application.tags.insert(text(tag, "Key").to_owned(), text(tag, "Value").to_owned());
        }
        for input in body["Inputs"].as_array().into_iter().flatten() {
            application.add_input(ctx, kinesis, input)?;
        }
        for output in body["Outputs"].as_array().into_iter().flatten() {
            application.add_output(output)?;
        }
        for option in body["CloudWatchLoggingOptions"].as_array().into_iter().flatten() {
            application.add_logging(option);
        }
        application.version = 1;
        application.check_code()?;
        ctx.journal.push(ctx.now, format!("application {name}"), "created", "READY", false);
        let shown = json!({"ApplicationSummary": {"ApplicationName": name, "ApplicationARN": self.arn(name), "ApplicationStatus": "READY"}});
        self.applications.insert(application.name.clone(), application);
        Ok(shown)
    }
}

fn discovered(ctx: &Ctx<'_>, kinesis: &Kinesis, s3: &S3, body: &Value) -> Result<Value, ServiceError> {
    let records = if body["S3Configuration"].is_object() {
        let bucket = text(&body["S3Configuration"], "BucketARN").trim_start_matches("arn:aws:s3:::");
        let key = text(&body["S3Configuration"], "FileKey");
        let object = s3.object(bucket, key).ok_or_else(|| invalid(format!("s3://{bucket}/{key} does not exist")))?;
        vec![object.bytes.to_vec()]
    } else {
        let arn = text(body, "ResourceARN");
        let name = arn.split_once(":stream/").map_or("", |(_, name)| name);
        let stream = kinesis.stream(name).ok_or_else(|| ServiceError::resource_not_found(format!("Stream {name} not found")))?;
        samples(ctx, stream)
    };
    if records.is_empty() {
        return Err(ServiceError::new(
            ErrorCode::UnableToDetectSchemaException,
            "No records were received from the streaming source within the last minute: there is no data to sample. Start its producer first.",
        ));
    }
    let found = discover(&records).map_err(|error| ServiceError::new(ErrorCode::UnableToDetectSchemaException, error))?;
    let raw: Vec<String> = records.iter().take(10).map(|record| String::from_utf8_lossy(record).into_owned()).collect();
    let notes: Vec<Value> = found.notes.iter().map(|(name, share, note)| json!({"Name": name, "Share": share, "Note": note})).collect();
    Ok(json!({"InputSchema": found.schema, "RawInputRecords": raw, "Notes": notes}))
}
