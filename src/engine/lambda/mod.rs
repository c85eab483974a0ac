//! AWS Lambda: functions, invocations, event source mappings.
//!
//! Rules run inside the simulation. Node.js and Python handlers run outside: an invocation of one is a *want* that the session answers with a
//! recorded [`HandlerAnswer`] before time goes on. What an invocation takes of virtual time is modelled, never measured.

pub mod function;
pub mod mapping;
pub mod rule;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};
use crate::engine::firehose::prefix::uuid;
use crate::engine::firehose::record::Rec;
use crate::engine::kinesis::{Ctx, Kinesis};
use crate::engine::metrics::{Dimensions, Metric};
use crate::engine::random::Substream;
use crate::engine::s3::S3;
use crate::engine::schedule::Wake;
use crate::engine::time::{VirtualDuration, VirtualTime};

use function::{Function, Program};
use mapping::Mapping;

/// Payload of an answer at most, bytes.
const PAYLOAD_MAX: usize = 6 * 1024 * 1024;
/// Invocations of an account at a time.
const CONCURRENCY: u64 = 1000;
/// How long an event waits in the queue before a function.
const QUEUE_DELAY: VirtualDuration = VirtualDuration::from_millis(50);
/// Attempts more of a call that nobody waits for.
const LATER_RETRIES: u32 = 2;
/// Console lines of an invocation that reach the journal.
const CONSOLE_LINES: usize = 3;

/// What wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// An invocation is over.
    Done(u64),
    /// A shard of a mapping is looked at.
    Lane {
        /// Index of the mapping.
        mapping: usize,
        /// Shard.
        shard: u32,
        /// Guards wake-ups: only the lane's last one counts.
        token: u64,
    },
    /// New shards are looked for.
    Shards {
        /// Index of the mapping.
        mapping: usize,
        /// Guards wake-ups.
        run: u32,
    },
    /// The time of a call that nobody waits for has come.
    Again(u64),
    /// A rule puts what it kept.
    Put {
        /// Index of the mapping.
        mapping: usize,
        /// Shard.
        shard: u32,
        /// Batch.
        batch: u64,
    },
}

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A delivery stream.
    Firehose {
        /// Its name.
        stream: Arc<str>,
        /// Its incarnation.
        incarnation: u64,
    },
    /// An event source mapping, by index.
    Mapping(usize),
    /// A SQL application: for the records of its input, or for the rows of an output.
    Application {
        /// Its name.
        name: Arc<str>,
        /// Its incarnation.
        incarnation: u64,
        /// Id of the output.
        output: Option<String>,
    },
    /// A schema discovery.
    Discovery,
    /// Nobody waits for the answer (an Event invocation, a topic): it is tried twice more.
    Later {
        /// The event.
        event: Arc<str>,
        /// Attempts before this one.
        attempts: u32,
        /// What a rule says of it.
        native: Option<Vec<bool>>,
    },
    /// The Invoke operation.
    Api,
}

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A rule: for each record whether it is kept.
    Native(Vec<bool>),
    /// The answer as JSON.
    Answer(Arc<str>),
    /// The handler threw.
    Error {
        /// Type.
        kind: String,
        /// Message.
        message: String,
        /// Trace.
        trace: Vec<String>,
    },
    /// It took longer than allowed.
    TimedOut,
    /// No concurrency was left.
    Throttled,
    /// The answer is larger than 6 MB.
    TooLarge,
    /// There is no such function.
    Missing,
}

/// What a handler outside answered; recorded, so that it never runs twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HandlerAnswer {
    /// What it returned or threw.
    pub result: HandlerResult,
    /// What it printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<String>,
    /// Virtual time it slept, microseconds.
    #[serde(default)]
    pub slept_us: u64,
    /// Calls it made to services, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
}

/// What a handler returned or threw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandlerResult {
    /// JSON.
    Returned(String),
    /// An error.
    Threw {
        /// Type.
        kind: String,
        /// Message.
        message: String,
        /// Trace.
        #[serde(default)]
        trace: Vec<String>,
    },
    /// It never ended.
    Endless,
    /// It took more memory than it has.
    OutOfMemory,
}

/// An invocation that a handler outside must answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Want {
    /// Number.
    pub id: u64,
    /// Request id.
    pub request_id: String,
    /// Function.
    pub function: Arc<str>,
    /// ARN of the function.
    pub arn: String,
    /// What runs.
    pub program: Program,
    /// Files.
    pub files: Arc<BTreeMap<String, String>>,
    /// SHA-256 of the code.
    pub sha256: String,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Time-out.
    pub timeout: VirtualDuration,
    /// Memory, MiB.
    pub memory: u64,
    /// The event as JSON.
    pub event: Arc<str>,
    /// The instant.
    pub now: VirtualTime,
    /// Seed of its randomness.
    pub seed: u64,
}

#[derive(Debug, Clone)]
struct Invocation {
    request_id: String,
    function: Arc<str>,
    caller: Caller,
    records: u64,
    event: Option<Arc<str>>,
    started: VirtualTime,
    outcome: Option<Outcome>,
}

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Lambda {
    functions: BTreeMap<Arc<str>, Function>,
    mappings: Vec<Option<Mapping>>,
    invocations: BTreeMap<u64, Invocation>,
    wants: Vec<u64>,
    /// What Invoke calls waited for.
    answered: BTreeMap<u64, Outcome>,
    /// Calls that nobody waits for and whose time comes later.
    again: BTreeMap<u64, (Arc<str>, Caller)>,
    next: u64,
    seed: u64,
    region: String,
    account: String,
}

fn missing(name: &str, region: &str, account: &str) -> ServiceError {
    ServiceError::resource_not_found(format!("Function not found: {}", function::arn(name, region, account)))
}

/// The name in a name, partial ARN or ARN.
pub fn name_of(text: &str) -> &str {
    let text = text.strip_suffix(":$LATEST").unwrap_or(text);
    text.rsplit(':').next().unwrap_or(text)
}

impl Lambda {
    /// An account without functions.
    pub fn new(seed: u64, region: &str, account: &str) -> Self {
        Self { seed, region: region.to_owned(), account: account.to_owned(), next: 1, ..Self::default() }
    }

    /// A function by name or ARN.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name_of(name))
    }

    /// A function by name or ARN, for faults.
    pub fn function_mut(&mut self, name: &str) -> Option<&mut Function> {
        self.functions.get_mut(name_of(name))
    }

    /// All functions by name.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.values()
    }

    /// All mappings with their index.
    pub fn mappings(&self) -> impl Iterator<Item = (usize, &Mapping)> {
        self.mappings.iter().enumerate().filter_map(|(index, mapping)| mapping.as_ref().map(|mapping| (index, mapping)))
    }

    /// A mapping by index.
    pub fn mapping_mut(&mut self, index: usize) -> Option<&mut Mapping> {
        self.mappings.get_mut(index)?.as_mut()
    }

    /// Some handler outside must answer before time goes on.
    pub fn has_wants(&self) -> bool {
        !self.wants.is_empty()
    }

    /// What handlers outside must answer.
    pub fn wants(&self) -> Vec<Want> {
        self.wants.iter().filter_map(|id| self.want(*id)).collect()
    }

    fn want(&self, id: u64) -> Option<Want> {
        let invocation = self.invocations.get(&id)?;
        let function = self.functions.get(&invocation.function)?;
        Some(Want {
            id,
            request_id: invocation.request_id.clone(),
            function: function.name.clone(),
            arn: function::arn(&function.name, &self.region, &self.account),
            program: function.program.clone(),
            files: function.files.clone(),
            sha256: function.sha256.clone(),
            environment: function.environment.clone(),
            timeout: function.timeout,
            memory: function.memory,
            event: invocation.event.clone()?,
            now: invocation.started,
            seed: Substream::new(self.seed, &["handler", &function.name]).bits(id),
        })
    }

    /// Calls a function. Its outcome comes with [`Due::Done`].
    pub fn call(
        &mut self,
        ctx: &mut Ctx<'_>,
        name: &str,
        caller: Caller,
        records: u64,
        event: impl FnOnce(&str) -> String,
        native: Option<Vec<bool>>,
    ) -> u64 {
        let now = ctx.now;
        let id = self.next;
        self.next += 1;
        let request_id = uuid(Substream::new(self.seed, &["invocation"]).child(id));
        let name = name_of(name);
        let busy: u64 = self.functions.values().map(|function| function.running).sum();
        let mut invocation = Invocation { request_id, function: name.into(), caller, records, event: None, started: now, outcome: None };
        let done_at = match self.functions.get_mut(name) {
            None => {
                invocation.outcome = Some(Outcome::Missing);
                Some(now)
            }
            Some(function) if function.running >= function.reserved.unwrap_or(CONCURRENCY) || busy >= CONCURRENCY => {
                function.counts.2 += 1;
                ctx.metrics.add(Metric::Throttles, &Dimensions::Function(function.name.clone()), now, 1);
                invocation.outcome = Some(Outcome::Throttled);
                Some(now)
            }
            Some(function) => {
                function.running += 1;
                function.counts.0 += 1;
                let dimensions = Dimensions::Function(function.name.clone());
                ctx.metrics.add(Metric::Invocations, &dimensions, now, 1);
                ctx.metrics.add(Metric::ConcurrentExecutions, &dimensions, now, function.running);
                let duration = function.duration(records);
                if function.failing {
                    invocation.outcome = Some(Outcome::Error {
                        kind: "Error".to_owned(),
                        message: "a fault of the lab makes every call fail".to_owned(),
                        trace: Vec::new(),
                    });
                    Some(now + duration)
                } else if let Some(kept) = native {
                    let over = duration > function.timeout;
                    invocation.outcome = Some(if over { Outcome::TimedOut } else { Outcome::Native(kept) });
                    Some(now + duration.min(function.timeout))
                } else {
                    invocation.event = Some(event(&invocation.request_id).into());
                    self.wants.push(id);
                    None
                }
            }
        };
        self.invocations.insert(id, invocation);
        if let Some(at) = done_at {
            ctx.schedule.at(at, Wake::Lambda { due: Due::Done(id) });
        }
        id
    }

    /// Calls a function for an event; nobody waits for the answer. It goes through a queue, so that a function that causes itself needs time.
    pub fn call_later(&mut self, ctx: &mut Ctx<'_>, name: &str, event: Arc<str>, native: Option<Vec<bool>>) {
        self.call_after(ctx, name_of(name).into(), Caller::Later { event, attempts: 0, native }, QUEUE_DELAY);
    }

    fn call_after(&mut self, ctx: &mut Ctx<'_>, name: Arc<str>, caller: Caller, wait: VirtualDuration) {
        let id = self.next;
        self.next += 1;
        self.again.insert(id, (name, caller));
        ctx.schedule.at(ctx.now + wait, Wake::Lambda { due: Due::Again(id) });
    }

    /// Such a call is over: one that failed is tried again after a minute, then after two.
    pub fn later_done(&mut self, ctx: &mut Ctx<'_>, name: &Arc<str>, caller: Caller, outcome: &Outcome) {
        let Caller::Later { event, attempts, native } = caller else { return };
        if matches!(outcome, Outcome::Native(_) | Outcome::Answer(_) | Outcome::Missing) {
            return;
        }
        if attempts == LATER_RETRIES {
            let text = format!("the event is given up after {} attempts", attempts + 1);
            ctx.journal.push(ctx.now, format!("function {name}"), "given-up", text, true);
            return;
        }
        let caller = Caller::Later { event, attempts: attempts + 1, native };
        self.call_after(ctx, name.clone(), caller, VirtualDuration::from_secs(60 << attempts));
    }

    /// The time of such a call has come.
    pub fn call_again(&mut self, ctx: &mut Ctx<'_>, id: u64) {
        let Some((name, caller)) = self.again.remove(&id) else { return };
        let Caller::Later { event, native, .. } = &caller else { return };
        let (event, native) = (event.clone(), native.clone());
        self.call(ctx, &name, caller, 1, |_| event.to_string(), native);
    }

    /// A rule begins a batch: how long until it puts; `None` = no concurrency is left.
    pub fn begin_rule(&mut self, ctx: &mut Ctx<'_>, name: &str, records: u64) -> Option<VirtualDuration> {
        let busy: u64 = self.functions.values().map(|function| function.running).sum();
        let function = self.functions.get_mut(name)?;
        let dimensions = Dimensions::Function(function.name.clone());
        if function.running >= function.reserved.unwrap_or(CONCURRENCY) || busy >= CONCURRENCY {
            function.counts.2 += 1;
            ctx.metrics.add(Metric::Throttles, &dimensions, ctx.now, 1);
            return None;
        }
        function.running += 1;
        function.counts.0 += 1;
        ctx.metrics.add(Metric::Invocations, &dimensions, ctx.now, 1);
        ctx.metrics.add(Metric::ConcurrentExecutions, &dimensions, ctx.now, function.running);
        Some(function.duration(records).min(function.timeout))
    }

    /// A rule has ended a batch.
    pub fn end_rule(&mut self, ctx: &mut Ctx<'_>, name: &str, started: VirtualTime, error: Option<String>) {
        let Some(function) = self.functions.get_mut(name) else { return };
        function.running = function.running.saturating_sub(1);
        let (now, duration) = (ctx.now, ctx.now.since(started));
        function.last_duration = duration;
        let dimensions = Dimensions::Function(function.name.clone());
        ctx.metrics.add(Metric::Duration, &dimensions, now, duration.as_millis());
        ctx.metrics.add(Metric::Errors, &dimensions, now, u64::from(error.is_some()));
        ctx.bill.lambda_requests += 1;
        ctx.bill.lambda_mib_ms += function.memory * duration.as_millis().max(1);
        if let Some(error) = error {
            function.counts.1 += 1;
            function.say(now, error);
        }
    }

    /// A line of a function's log.
    pub fn print(&mut self, name: &str, at: VirtualTime, text: String) {
        if let Some(function) = self.functions.get_mut(name) {
            function.say(at, text);
        }
    }

    /// Calls the function of a delivery stream.
    pub fn call_transform(&mut self, ctx: &mut Ctx<'_>, arn: &str, caller: Caller, records: &[Rec], event: impl FnOnce(&str) -> String) -> u64 {
        let native = match self.function(arn).map(|function| &function.program) {
            Some(Program::Rule(rule)) => Some(records.iter().map(|record| rule.keeps(&record.data)).collect()),
            _ => None,
        };
        self.call(ctx, arn, caller, records.len() as u64, event, native)
    }

    /// A handler outside has answered.
    ///
    /// # Errors
    /// Nobody waits for this answer.
    pub fn answer(&mut self, ctx: &mut Ctx<'_>, id: u64, answer: &HandlerAnswer) -> Result<(), ServiceError> {
        let Some(place) = self.wants.iter().position(|want| *want == id) else {
            return Err(ServiceError::invalid_argument(format!("no invocation {id} waits for an answer")));
        };
        self.wants.remove(place);
        let Some(invocation) = self.invocations.get_mut(&id) else { return Ok(()) };
        let Some(function) = self.functions.get_mut(&invocation.function) else {
            invocation.outcome = Some(Outcome::Missing);
            ctx.schedule.at(ctx.now, Wake::Lambda { due: Due::Done(id) });
            return Ok(());
        };
        let now = invocation.started;
        let duration = function.duration(invocation.records) + VirtualDuration(answer.slept_us);
        let outcome = match &answer.result {
            _ if duration > function.timeout => Outcome::TimedOut,
            HandlerResult::Endless => Outcome::TimedOut,
            HandlerResult::Returned(text) if text.len() > PAYLOAD_MAX => Outcome::TooLarge,
            HandlerResult::Returned(text) => Outcome::Answer(text.as_str().into()),
            HandlerResult::Threw { kind, message, trace } => Outcome::Error { kind: kind.clone(), message: message.clone(), trace: trace.clone() },
            HandlerResult::OutOfMemory => Outcome::Error {
                kind: "Runtime.OutOfMemory".to_owned(),
                message: format!("Runtime exited with error: signal: killed (it has {} MB)", function.memory),
                trace: Vec::new(),
            },
        };
        let duration = if outcome == Outcome::TimedOut { function.timeout } else { duration };
        function.say(now, format!("START RequestId: {} Version: $LATEST", invocation.request_id));
        for line in &answer.logs {
            function.say(now, line.clone());
        }
        for line in answer.logs.iter().take(CONSOLE_LINES) {
            ctx.journal.push(ctx.now, format!("function {}", function.name), "console", line.clone(), false);
        }
        if answer.logs.len() > CONSOLE_LINES {
            let more = answer.logs.len() - CONSOLE_LINES;
            ctx.journal.push(ctx.now, format!("function {}", function.name), "console", format!("{more} more lines, see its log"), false);
        }
        function.say(now + duration, format!("END RequestId: {}", invocation.request_id));
        function.say(
            now + duration,
            format!(
                "REPORT RequestId: {}\tDuration: {} ms\tBilled Duration: {} ms\tMemory Size: {} MB",
                invocation.request_id,
                duration.as_millis(),
                duration.as_millis().max(1),
                function.memory
            ),
        );
        invocation.outcome = Some(outcome);
        ctx.schedule.at(now + duration, Wake::Lambda { due: Due::Done(id) });
        Ok(())
    }

    /// An invocation is over: books it and says who wants to know.
    pub fn done(&mut self, ctx: &mut Ctx<'_>, id: u64) -> Option<(Arc<str>, Caller, Outcome)> {
        let invocation = self.invocations.remove(&id)?;
        let outcome = invocation.outcome.unwrap_or(Outcome::Missing);
        let now = ctx.now;
        if let Some(function) = self.functions.get_mut(&invocation.function)
            && !matches!(outcome, Outcome::Throttled | Outcome::Missing)
        {
            function.running = function.running.saturating_sub(1);
            let duration = now.since(invocation.started);
            function.last_duration = duration;
            let dimensions = Dimensions::Function(function.name.clone());
            ctx.metrics.add(Metric::Duration, &dimensions, now, duration.as_millis());
            ctx.bill.lambda_requests += 1;
            ctx.bill.lambda_mib_ms += function.memory * duration.as_millis().max(1);
            let problem = match &outcome {
                Outcome::Error { kind, message, .. } => Some(format!("{kind}: {message}")),
                Outcome::TimedOut => Some(format!("Task timed out after {}.00 seconds", function.timeout.as_secs())),
                Outcome::TooLarge => Some("Response payload size exceeded maximum allowed payload size (6291556 bytes).".to_owned()),
                _ => None,
            };
            ctx.metrics.add(Metric::Errors, &dimensions, now, u64::from(problem.is_some()));
            if let Some(problem) = problem {
                function.counts.1 += 1;
                function.say(now, format!("{} {problem}", invocation.request_id));
                ctx.journal.push(now, format!("function {}", function.name), "error", problem, true);
            }
        }
        if invocation.caller == Caller::Api {
            self.answered.insert(id, outcome.clone());
        }
        Some((invocation.function, invocation.caller, outcome))
    }

    /// The outcome of an Invoke call, once it is there.
    pub fn take_answer(&mut self, id: u64) -> Option<Outcome> {
        self.answered.remove(&id)
    }

    /// Carries out an operation. `Invoke` answers `{"Invocation": N}` for the caller to wait for.
    ///
    /// # Errors
    /// Lambda's own.
    pub fn operate(&mut self, ctx: &mut Ctx<'_>, s3: &S3, kinesis: &Kinesis, call: &Call) -> Result<Value, ServiceError> {
        let body = &call.body;
        let (region, account) = (self.region.clone(), self.account.clone());
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let name = name_of(text("FunctionName")).to_owned();
        match call.operation.name {
            "CreateFunction" => {
                if self.functions.contains_key(name.as_str()) {
                    return Err(ServiceError::new(ErrorCode::ResourceConflictException, format!("Function already exist: {name}")));
                }
                let function = Function::create(body, s3, ctx.now)?;
                let shown = function.shown(&region, &account);
                ctx.journal.push(ctx.now, format!("function {name}"), "created", format!("{} {}", function.runtime, function.handler), false);
                self.functions.insert(function.name.clone(), function);
                Ok(shown)
            }
            "ListFunctions" => Ok(json!({"Functions": self.functions.values().map(|f| f.shown(&region, &account)).collect::<Vec<_>>()})),
            "ListEventSourceMappings" => {
                let list: Vec<Value> = self
                    .mappings()
                    .filter(|(_, m)| {
                        (name.is_empty() || *m.function == *name) && (text("EventSourceArn").is_empty() || m.arn == text("EventSourceArn"))
                    })
                    .map(|(_, m)| m.shown(&region, &account))
                    .collect();
                Ok(json!({"EventSourceMappings": list}))
            }
            "CreateEventSourceMapping" => self.create_mapping(ctx, kinesis, body, &name),
            "GetEventSourceMapping" | "UpdateEventSourceMapping" | "DeleteEventSourceMapping" => self.change_mapping(ctx, call.operation.name, body),
            operation => {
                let function = self.functions.get_mut(name.as_str()).ok_or_else(|| missing(&name, &region, &account))?;
                match operation {
                    "GetFunctionConfiguration" => Ok(function.shown(&region, &account)),
                    "GetFunction" => Ok(json!({
                        "Configuration": function.shown(&region, &account),
                        "Code": {"RepositoryType": "S3", "Files": *function.files},
                        "Concurrency": function.reserved.map(|reserved| json!({"ReservedConcurrentExecutions": reserved})),
                    })),
                    "DeleteFunction" => {
                        self.functions.remove(name.as_str());
                        Ok(json!({}))
                    }
                    "UpdateFunctionCode" => {
                        function.update_code(body, s3, ctx.now)?;
                        ctx.journal.push(ctx.now, format!("function {name}"), "updated", "its code was replaced", false);
                        Ok(function.shown(&region, &account))
                    }
                    "UpdateFunctionConfiguration" => {
                        function.configure(body)?;
                        function.modified = ctx.now;
                        ctx.journal.push(ctx.now, format!("function {name}"), "updated", "its settings were changed", false);
                        Ok(function.shown(&region, &account))
                    }
                    "PutFunctionConcurrency" => {
                        function.reserved = body["ReservedConcurrentExecutions"].as_u64();
                        Ok(json!({"ReservedConcurrentExecutions": function.reserved}))
                    }
                    "DeleteFunctionConcurrency" => {
                        function.reserved = None;
                        Ok(json!({}))
                    }
                    "Invoke" => {
                        let payload = match body["Payload"].as_str() {
                            None => "{}".to_owned(),
                            Some(text) => String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default(),
                        };
                        let event: Value = serde_json::from_str(&payload).map_err(|error| {
                            ServiceError::new(ErrorCode::InvalidParameterValueException, format!("Could not parse request body into json: {error}"))
                        })?;
                        if payload.len() > PAYLOAD_MAX {
                            return Err(ServiceError::new(
                                ErrorCode::RequestEntityTooLargeException,
                                format!("Request must be smaller than {PAYLOAD_MAX} bytes for the InvokeFunction operation"),
                            ));
                        }
                        if text("InvocationType") == "DryRun" {
                            return Ok(json!({"StatusCode": 204}));
                        }
                        let records = event["records"].as_array().or(event["Records"].as_array()).map_or(1, Vec::len) as u64;
                        let native = match &function.program {
                            Program::Rule(rule) => Some(native_records(rule, &event)),
                            _ => None,
                        };
                        if text("InvocationType") == "Event" {
                            self.call_later(ctx, &name, payload.into(), native);
                            return Ok(json!({"StatusCode": 202}));
                        }
                        let id = self.call(ctx, &name, Caller::Api, records, |_| payload, native);
                        Ok(json!({"Invocation": id}))
                    }
                    other => Err(ServiceError::not_simulated(other)),
                }
            }
        }
    }
}

/// What a rule says of the records of an event.
fn native_records(rule: &rule::Rule, event: &Value) -> Vec<bool> {
    let data = |record: &Value| {
        let text = record["data"].as_str().or_else(|| record["kinesis"]["data"].as_str()).unwrap_or_default();
        STANDARD.decode(text).unwrap_or_default()
    };
    let records = event["records"].as_array().or(event["Records"].as_array());
    records.map_or_else(|| vec![rule.keeps(event.to_string().as_bytes())], |records| records.iter().map(|record| rule.keeps(&data(record))).collect())
}
