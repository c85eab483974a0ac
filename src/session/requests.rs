//! AWS operations, wherever they come from: typed lines, the short words, clients of the endpoint.

use serde_json::{Value, json};

use crate::api::kinesis::KinesisResponse;
use crate::api::{Call, Request, Response, ServiceError};
use crate::engine::lambda::Outcome as Invoked;
use crate::engine::{Command, Engine, Reply};

use super::play::Session;

/// What an operation has come to when it was applied.
#[derive(Debug)]
pub(super) enum Begun {
    /// Its answer.
    Done(Response),
    /// A function runs: its outcome comes later.
    Invocation(u64),
    /// A subscription runs: its events come later.
    Subscription(u64),
}

impl Session {
    /// Begins an operation.
    pub(super) fn begin(&mut self, request: Request) -> Result<Begun, ServiceError> {
        let command = match request {
            Request::Kinesis(request) => Command::Kinesis(Box::new(request)),
            Request::Other(call) => Command::Service(call),
        };
        match self.engine.apply(&command)? {
            Reply::Kinesis(answer) => Ok(Begun::Done(Response::Kinesis(*answer))),
            Reply::Service(answer) => Ok(Begun::Done(Response::Other(answer))),
            Reply::Invoked(id) => Ok(Begun::Invocation(id)),
            Reply::Subscribed(id) => Ok(Begun::Subscription(id)),
            Reply::Pushed(_) | Reply::Done => Err(ServiceError::internal_failure()),
        }
    }

    /// Carries out an operation; an invocation of a function is waited for.
    pub(super) fn call(&mut self, request: Request) -> Result<Response, ServiceError> {
        match self.begin(request)? {
            Begun::Done(answer) => Ok(answer),
            Begun::Invocation(id) => self.wait_for_invocation(id).map(Response::Other),
            Begun::Subscription(_) => Ok(Response::Kinesis(KinesisResponse::SubscribeToShard)),
        }
    }

    /// Carries out an operation of a service by its name.
    pub(super) fn call_service(&mut self, service: &str, operation: &str, body: &Value) -> Result<Value, ServiceError> {
        match self.engine.apply(&Command::Service(Call::of(service, operation, body)?))? {
            Reply::Service(answer) => Ok(answer),
            Reply::Invoked(id) => self.wait_for_invocation(id),
            _ => Ok(json!({})),
        }
    }

    /// Lets time pass until an invocation has its outcome.
    fn wait_for_invocation(&mut self, id: u64) -> Result<Value, ServiceError> {
        loop {
            self.answer_wants();
            if let Some(outcome) = outcome_of(&mut self.engine, id) {
                return outcome;
            }
            let Some(next) = self.engine.next_event_at() else { return Ok(json!({"StatusCode": 500})) };
            self.advance(next.max(self.now()));
        }
    }

    /// Answers clients whose invocations have their outcome. Says whether there were any.
    pub(super) fn settle_invocations(&mut self) -> bool {
        let before = self.invocations.len();
        let engine = &mut self.engine;
        self.invocations.retain_mut(|(id, back)| {
            let Some(outcome) = outcome_of(engine, *id) else { return true };
            if let Some(back) = back.take() {
                back.answer(outcome.map(Response::Other));
            }
            false
        });
        self.invocations.len() < before
    }
}

/// The answer that an invocation was begun for, once it is there.
fn outcome_of(engine: &mut Engine, id: u64) -> Option<Result<Value, ServiceError>> {
    engine.take_discovered(id).or_else(|| engine.take_invoked(id).map(|outcome| Ok(answer_of(outcome))))
}

/// What the Invoke operation answers, the payload with it.
fn answer_of(outcome: Invoked) -> Value {
    let error = |payload: Value| json!({"StatusCode": 200, "FunctionError": "Unhandled", "ExecutedVersion": "$LATEST", "Payload": payload});
    let good = |payload: Value| json!({"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": payload});
    match outcome {
        Invoked::Answer(text) => good(serde_json::from_str::<Value>(&text).unwrap_or(Value::Null)),
        Invoked::Native(kept) => {
            let taken = kept.iter().filter(|kept| **kept).count();
            good(json!({"kept": taken, "dropped": kept.len() - taken}))
        }
        Invoked::Error { kind, message, trace } => error(json!({"errorType": kind, "errorMessage": message, "trace": trace})),
        Invoked::TimedOut => error(json!({"errorMessage": "Task timed out"})),
        other => error(json!({"errorMessage": format!("{other:?}")})),
    }
}
