//! Kinesis Data Analytics for SQL: applications over streams, and the operations of `KinesisAnalytics_20150814`.
//!
//! An application has one input, at most one reference table, code, and up to three outputs. Records become rows at their virtual arrival time;
//! windows close on rows and on the clock. Every change of a running application's code starts its state anew, as the service did.

mod application;
mod configure;
mod discovery;
mod outputs;
mod processing;
mod run;
mod source;
mod v2;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};
use crate::engine::firehose::Firehose;
use crate::engine::kinesis::{Ctx, Kinesis};
use crate::engine::lambda::{Lambda, Outcome};
use crate::engine::s3::S3;
use crate::engine::schedule::Wake;
use crate::engine::time::VirtualDuration;

pub use application::{Application, Status};
use application::{invalid, text};
use discovery::Discovery;
pub use outputs::{Delivery, Destination, Outgoing, rows_event};
pub use source::Source;

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
    /// Discoveries whose function has not answered, by invocation.
    discoveries: BTreeMap<u64, Discovery>,
    /// What came of the others.
    discovered: BTreeMap<u64, Result<Value, ServiceError>>,
}

/// What applications read, call and look things up in.
pub struct Env<'a> {
    /// Data streams.
    pub kinesis: &'a mut Kinesis,
    /// Delivery streams.
    pub firehose: &'a mut Firehose,
    /// Functions.
    pub lambda: &'a mut Lambda,
    /// Buckets.
    pub s3: &'a S3,
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

    /// An application's time has come. What it delivers is given back.
    pub fn due(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, name: &Arc<str>, incarnation: u64) -> Vec<Delivery> {
        let Some(application) = self.applications.get_mut(name).filter(|application| application.incarnation == incarnation) else {
            return Vec::new();
        };
        if application.status == Status::Deleting {
            if let Some(Source::Firehose(stream)) = application.input.as_ref().map(|input| &input.source)
                && let Some(stream) = env.firehose.stream_mut(stream)
            {
                stream.taps.detach(name);
            }
            self.applications.remove(name);
            return Vec::new();
        }
        // Stopped and started within one look: the start has a look of its own.
        if application.run.as_ref().is_some_and(|run| ctx.now < run.since) {
            return Vec::new();
        }
        let deliveries = application.work(ctx, env);
        if let Some(next) = application.next_wake(ctx.now) {
            ctx.schedule.at(next, Wake::Analytics { application: name.clone(), incarnation });
        }
        deliveries
    }

    /// A function that prepares the records of an application, or takes the rows of an output, has answered. What the application delivers
    /// after that is given back.
    pub fn answered(
        &mut self,
        ctx: &mut Ctx<'_>,
        env: &mut Env<'_>,
        (name, incarnation): (&str, u64),
        output: Option<&str>,
        invocation: u64,
        outcome: &Outcome,
    ) -> Vec<Delivery> {
        let Some(application) = self.applications.get_mut(name).filter(|application| application.incarnation == incarnation) else {
            return Vec::new();
        };
        if let Some(output) = output {
            application.answered(ctx, output, invocation, outcome);
            return Vec::new();
        }
        application.processed(ctx, invocation, outcome);
        application.go_on(ctx, env)
    }

    /// An attempt to deliver is over: what was not taken is offered again.
    pub fn attempted(&mut self, ctx: &mut Ctx<'_>, name: &str, delivery: Delivery, taken: u64, bytes: u64) {
        if let Some(application) = self.applications.get_mut(name) {
            application.attempted(ctx, delivery, taken, bytes);
        }
    }

    /// A function was called with the rows of an output.
    pub fn called(&mut self, ctx: &Ctx<'_>, name: &str, output: &str, invocation: u64, records: Vec<Outgoing>) {
        if let Some(output) = self.applications.get_mut(name).and_then(|application| application.output(output)) {
            output.called(ctx.now, invocation, records);
        }
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// The service's own.
    pub fn call(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, call: &Call) -> Result<Value, ServiceError> {
        let body = &call.body;
        let name = text(body, "ApplicationName").to_owned();
        match call.operation.name {
            "CreateApplication" => self.create(ctx, env, &name, body),
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
                let application = self.find(&name)?;
                Ok(json!({"ApplicationDetail": application.described()}))
            }
            "DiscoverInputSchema" => self.discover(ctx, env, body),
            "StartApplication" => {
                let seed = self.seed;
                let wait = self.wait;
                let application = self.find(&name)?;
                if application.status != Status::Ready {
                    return Err(ServiceError::resource_in_use(format!("Application {name} is in the state {}", application.status.name())));
                }
                let position =
                    body["InputConfigurations"][0]["InputStartingPositionConfiguration"]["InputStartingPosition"].as_str().unwrap_or("NOW");
                application.start(ctx, env, position, seed, wait)?;
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
                application.add_input(ctx, env, &body["Input"])?;
                Ok(json!({}))
            }
            "AddApplicationInputProcessingConfiguration" => {
                let seed = self.seed;
                let application = self.at_version(body)?;
                application.set_processing(ctx, text(body, "InputId"), Some(&body["InputProcessingConfiguration"]), seed)?;
                Ok(json!({}))
            }
            "DeleteApplicationInputProcessingConfiguration" => {
                let seed = self.seed;
                let application = self.at_version(body)?;
                application.set_processing(ctx, text(body, "InputId"), None, seed)?;
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
                application.add_reference(ctx, env.s3, &body["ReferenceDataSource"], seed)?;
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
                application.update(ctx, env, &body["ApplicationUpdate"], seed)?;
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

    fn create(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, name: &str, body: &Value) -> Result<Value, ServiceError> {
        if self.applications.contains_key(name) {
            return Err(ServiceError::resource_in_use(format!("Application {name} already exists")));
        }
        if self.applications.len() >= APPLICATIONS_MAX {
            return Err(ServiceError::limit_exceeded(format!("The account has {APPLICATIONS_MAX} applications already")));
        }
        self.incarnations += 1;
        let (code, description) = (text(body, "ApplicationCode"), text(body, "ApplicationDescription"));
        let mut application = Application::new(name, self.arn(name), self.incarnations, ctx.now, code, description);
        for tag in body["Tags"].as_array().into_iter().flatten() {
            application.tags.insert(text(tag, "Key").to_owned(), text(tag, "Value").to_owned());
        }
        for input in body["Inputs"].as_array().into_iter().flatten() {
            application.add_input(ctx, env, input)?;
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
