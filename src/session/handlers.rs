//! Handlers of functions: run once, their answers recorded, so that replay and rewind never run code a second time.
//!
//! An answer is found again by the fingerprint of code, environment, event and request id. Node.js handlers are deterministic, so answers
//! beyond the book's size are made anew; Python handlers are always recorded.

use std::collections::BTreeMap;
use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::model::Service;
use crate::api::shape::{Kind, Member};
use crate::api::{Call, ErrorCode, ServiceError};
use crate::engine::firehose::endpoint::Outcome as Delivered;
use crate::engine::firehose::outward::Order;
use crate::engine::lambda::function::Program;
use crate::engine::lambda::{HandlerAnswer, HandlerResult, Want};
use crate::engine::{Command, Reply, WorldCommand};

use super::node;
use super::play::Session;
use super::runlog::{Entry, What};

/// Carries out a call that a handler makes.
pub type Handled<'w> = dyn FnMut(&Call) -> Result<Value, ServiceError> + 'w;

/// Runs handlers that the session cannot run itself.
pub trait Runner: Debug {
    /// Runs a handler to its end, making its calls in order.
    fn run(&mut self, want: &Want, file: &str, function: &str, world: &mut Handled<'_>) -> HandlerAnswer;
}

/// Carries deliveries to destinations outside the program.
pub trait Courier: Debug {
    /// Carries out what an attempt asks, to its end.
    fn carry(&mut self, order: &Order) -> Delivered;
}

/// Where written objects are copied to.
pub trait Mirror: Debug {
    /// Copies an object.
    ///
    /// # Errors
    /// A sentence: it is offered again.
    fn write(&mut self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), String>;
}

/// Bytes of answers kept in memory; beyond, only those of Python are.
const BOOK_BYTES: usize = 64 << 20;

/// Handlers and the book of their answers.
#[derive(Debug, Default)]
pub(super) struct Handlers {
    /// Runs Python, when there is one.
    pub(super) python: Option<Box<dyn Runner>>,
    /// Carries deliveries to real destinations, when there is one.
    pub(super) courier: Option<Box<dyn Courier>>,
    /// Delivery streams and the URLs of their real destinations.
    pub(super) places: Vec<(String, String)>,
    /// A run is being taken up: what passes was lived through before.
    pub(super) resuming: bool,
    /// What real destinations answered.
    pub(super) receipts: BTreeMap<String, Delivered>,
    book: BTreeMap<String, HandlerAnswer>,
    bytes: usize,
    /// Copies objects, and how many are copied.
    pub(super) mirror: Option<(Box<dyn Mirror>, usize)>,
    /// The last copy failed.
    refused: bool,
}

impl Handlers {
    /// Takes the answers of a log.
    pub(super) fn remember(&mut self, entries: &[Entry]) {
        for entry in entries {
            match &entry.what {
                What::Handler(key, answer) => {
                    self.book.insert(key.clone(), (**answer).clone());
                }
                What::Delivered(key, outcome) => {
                    self.receipts.insert(key.clone(), (**outcome).clone());
                }
                _ => {}
            }
        }
    }
}

fn fingerprint(want: &Want) -> String {
    let mut hasher = Sha256::new();
    for part in [want.sha256.as_str(), &want.request_id, &want.event] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    for (name, value) in &want.environment {
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update(value.as_bytes());
        hasher.update([0]);
    }
    hasher.update(want.timeout.0.to_le_bytes());
    hasher.update(want.now.0.to_le_bytes());
    STANDARD.encode(&hasher.finalize()[..18])
}

fn size(answer: &HandlerAnswer) -> usize {
    let result = if let HandlerResult::Returned(text) = &answer.result { text.len() } else { 200 };
    result + answer.logs.iter().map(String::len).sum::<usize>() + answer.calls.iter().map(|call| call.body.to_string().len()).sum::<usize>() + 200
}

/// The service and operation of an SDK call: `firehose`, `PutRecordBatch`, with blobs that came as bytes or as text.
///
/// # Errors
/// What is no operation here, and what the service refuses at once.
pub fn call_of(service: &str, operation: &str, params: &Value) -> Result<Call, ServiceError> {
    let name = match service.to_ascii_lowercase().as_str() {
        "s3" => "s3api".to_owned(),
        other => other.to_owned(),
    };
    if name == "kinesis" {
        let found = crate::api::kinesis::Operation::from_name(operation);
        let found = found.ok_or_else(|| ServiceError::new(ErrorCode::UnknownOperationException, format!("kinesis has no operation {operation}")))?;
        // The typed request is made where it is carried out; the call carries its checked body.
        let body = blobs(found.members(), params);
        crate::api::decode(found, &body)?;
        return Ok(Call { operation: kinesis_model(found), body });
    }
    let model = Service::by_name(&name).and_then(|service| service.operation(operation));
    let model = model.ok_or_else(|| ServiceError::new(ErrorCode::UnknownOperationException, format!("{service} {operation} is not simulated")))?;
    Call::decode(model, &blobs(model.members, params))
}

/// The operation of Kinesis as the other services' models are, so that a handler's calls are one list.
fn kinesis_model(operation: crate::api::kinesis::Operation) -> &'static crate::api::model::OperationModel {
    crate::api::model::kinesis_operation(operation)
}

/// Texts where the model has a blob become base64; `{"__bytes": …}` is base64 already.
fn blobs(members: &[Member], params: &Value) -> Value {
    fn one(kind: Kind, value: &Value) -> Value {
        match (kind, value) {
            (_, Value::Object(object)) if object.contains_key("__bytes") => object["__bytes"].clone(),
            (Kind::Blob, Value::String(text)) => Value::String(STANDARD.encode(text)),
            (Kind::List(item), Value::Array(items)) => items.iter().map(|value| one(item.kind, value)).collect(),
            (Kind::Map(_, item), Value::Object(entries)) => entries.iter().map(|(key, value)| (key.clone(), one(item.kind, value))).collect(),
            (Kind::Structure(members), Value::Object(_)) => blobs(members, value),
            (_, other) => other.clone(),
        }
    }
    let Value::Object(entries) = params else { return json!({}) };
    entries
        .iter()
        .map(|(name, value)| {
            let kind = members.iter().find(|member| member.name == name).map(|member| member.shape.kind);
            (name.clone(), kind.map_or_else(|| value.clone(), |kind| one(kind, value)))
        })
        .collect()
}

impl Session {
    /// Answers every invocation that waits for a handler, and every delivery that waits for its destination.
    pub(super) fn answer_wants(&mut self) {
        loop {
            self.carry_orders();
            let wants = self.engine.services().lambda.wants();
            if wants.is_empty() {
                return;
            }
            for want in wants {
                let key = fingerprint(&want);
                let answer = match self.handlers.book.get(&key).cloned() {
                    Some(answer) => {
                        // The calls are made again: the world is as it was then.
                        for call in &answer.calls {
                            let _ = carry_out(&mut self.engine, call);
                        }
                        answer
                    }
                    None => self.run_handler(&want, key),
                };
                let command = WorldCommand::Answer { invocation: want.id, answer };
                if let Err(error) = self.engine.apply(&Command::World(command)) {
                    self.notices.push(format!("function {}: {error}", want.function));
                }
            }
        }
    }

    /// Copies what was written since the last call.
    pub(super) fn copy_objects(&mut self) {
        let Some((mirror, copied)) = &mut self.handlers.mirror else { return };
        let s3 = &self.engine.services().s3;
        let written = s3.written();
        *copied = (*copied).min(written.len());
        while let Some((bucket, key)) = written.get(*copied) {
            // An object that is gone again needs no copy.
            if let Some(object) = s3.object(bucket, key)
                && let Err(error) = mirror.write(bucket, key, &object.bytes)
            {
                if !self.handlers.refused {
                    self.notices.push(format!("objects are not copied: {error}; kinlab goes on trying"));
                }
                self.handlers.refused = true;
                return;
            }
            *copied += 1;
        }
        self.handlers.refused = false;
    }

    fn run_handler(&mut self, want: &Want, key: String) -> HandlerAnswer {
        let engine = &mut self.engine;
        let role = engine.services().lambda.function(&want.function).map_or_else(String::new, |function| function.role.clone());
        let mut world = |call: &Call| {
            let action = format!("{}:{}", if call.operation.service == "s3api" { "s3" } else { call.operation.service }, call.operation.name);
            if !engine.services().iam.allows(&role, &action) {
                return Err(ServiceError::new(ErrorCode::AccessDeniedException, format!("{role} is not authorized to perform: {action}")));
            }
            carry_out(engine, call)
        };
        let (answer, always) = match &want.program {
            Program::Node(file, export) => (node::run(want, file, export, &mut world), false),
            Program::Python(file, function) => match &mut self.handlers.python {
                Some(runner) => (runner.run(want, file, function, &mut world), true),
                None => (no_python(), false),
            },
            Program::Rule(_) => (no_python(), false),
        };
        let bytes = size(&answer);
        if always || self.handlers.bytes + bytes <= BOOK_BYTES {
            // Where nobody goes back in time the log on disk is enough.
            if self.keeps_log {
                self.handlers.bytes += bytes;
                self.handlers.book.insert(key.clone(), answer.clone());
            }
            self.keep(What::Handler(key, Box::new(answer.clone())));
        }
        answer
    }
}

fn no_python() -> HandlerAnswer {
    let message = "this machine has no python3 that kinlab could start: install it, or use a Node.js handler";
    let result = HandlerResult::Threw { kind: "Runtime.Unavailable".to_owned(), message: message.to_owned(), trace: Vec::new() };
    HandlerAnswer { result, logs: Vec::new(), slept_us: 0, calls: Vec::new() }
}

fn carry_out(engine: &mut crate::engine::Engine, call: &Call) -> Result<Value, ServiceError> {
    let mut call = call.clone();
    // Nothing waits inside an invocation; and a function that calls itself must not do so for ever at one instant.
    if call.operation.name == "Invoke" && call.body["InvocationType"] != "DryRun" {
        call.body["InvocationType"] = json!("Event");
    }
    let call = &call;
    let command = match crate::api::kinesis::Operation::from_name(call.operation.name).filter(|_| call.operation.service == "kinesis") {
        Some(operation) => Command::Kinesis(Box::new(crate::api::decode(operation, &call.body)?)),
        None => Command::Service(call.clone()),
    };
    match engine.apply(&command)? {
        Reply::Kinesis(answer) => Ok(crate::api::cli::body_of_answer(&crate::api::Response::Kinesis(*answer))),
        Reply::Service(answer) => Ok(answer),
        Reply::Invoked(_) => Ok(json!({"StatusCode": 202})),
        Reply::Subscribed(_) | Reply::Pushed(_) | Reply::Done => Ok(json!({})),
    }
}
