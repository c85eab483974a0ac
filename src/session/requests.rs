//! AWS operations, wherever they come from: typed lines, the short words, and clients beside the learner that speak to the endpoint.
//!
//! Invariant: what a client asks enters the world as a command at the present instant, is kept in the log like a line, and is answered once.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::kinesis::{KinesisRequest, KinesisResponse, SubscribeToShardEvent};
use crate::api::{Call, ErrorCode, Request, Response, ServiceError};
use crate::engine::lambda::Outcome as Invoked;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::{Command, Reply, WorldCommand};

use super::play::Session;
use super::runlog::What;

/// Requests answered in one turn at most: the screen has to move, too.
const TURN_MAX: usize = 200;
/// A subscription without records says so this often.
const HEARTBEAT: VirtualDuration = VirtualDuration::from_secs(5);
/// Time between two events of a subscription, and until a client that is behind is looked at again.
const PUSH_EVERY: VirtualDuration = VirtualDuration::from_millis(50);
const LOOK_AGAIN: VirtualDuration = VirtualDuration::from_millis(5);

/// What a client wants.
#[derive(Debug)]
pub enum Ask {
    /// An AWS operation.
    Request(Box<Request>),
    /// An empty world, as test suites want it between two tests.
    Reset,
}

/// A client's request and the way back to it.
#[derive(Debug)]
pub struct Asked {
    /// What.
    pub ask: Ask,
    /// Who, for the journal.
    pub client: String,
    /// The way back.
    pub back: Box<dyn Back>,
}

/// The way back to a client.
pub trait Back: Debug + Send {
    /// Answers.
    fn answer(self: Box<Self>, answer: Result<Response, ServiceError>);
    /// Answers with a subscription: events follow until the subscriber is dropped.
    fn subscribe(self: Box<Self>) -> Box<dyn Subscriber>;
}

/// Whether a subscriber takes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It does.
    Ready,
    /// It has not read the events before.
    Busy,
    /// It is gone.
    Gone,
}

/// A client that gets the events of a subscription.
pub trait Subscriber: Debug {
    /// Whether it takes an event now.
    fn readiness(&self) -> Readiness;
    /// Hands an event over.
    fn event(&mut self, event: SubscribeToShardEvent);
}

/// Clients that wait for answers.
pub trait Clients: Debug {
    /// The next request, if one waits.
    fn next(&mut self) -> Option<Asked>;
}

/// Clients and their subscriptions.
#[derive(Debug)]
pub(super) struct Served {
    clients: Box<dyn Clients>,
    subscriptions: Vec<Subscription>,
}

#[derive(Debug)]
struct Subscription {
    id: u64,
    /// When its client was told something, and when the shard was looked at.
    told: VirtualTime,
    looked: VirtualTime,
    to: Box<dyn Subscriber>,
}

impl Session {
    /// Carries out an operation; an invocation of a function is waited for.
    pub(super) fn call(&mut self, request: Request) -> Result<Response, ServiceError> {
        let command = match request {
            Request::Kinesis(request) => Command::Kinesis(Box::new(request)),
            Request::Other(call) => Command::Service(call),
        };
        match self.engine.apply(&command)? {
            Reply::Kinesis(answer) => Ok(Response::Kinesis(*answer)),
            Reply::Service(answer) => Ok(Response::Other(answer)),
            Reply::Invoked(id) => Ok(Response::Other(self.invoked(id))),
            Reply::Subscribed(_) => Ok(Response::Kinesis(KinesisResponse::SubscribeToShard)),
            Reply::Pushed(_) | Reply::Done => Err(ServiceError::internal_failure()),
        }
    }

    /// Carries out an operation of a service by its name.
    pub(super) fn call_service(&mut self, service: &str, operation: &str, body: &Value) -> Result<Value, ServiceError> {
        match self.engine.apply(&Command::Service(Call::of(service, operation, body)?))? {
            Reply::Service(answer) => Ok(answer),
            _ => Ok(json!({})),
        }
    }

    /// Waits for an invocation: what the Invoke operation answers, the payload with it.
    fn invoked(&mut self, id: u64) -> Value {
        let error = |payload: Value| json!({"StatusCode": 200, "FunctionError": "Unhandled", "ExecutedVersion": "$LATEST", "Payload": payload});
        let good = |payload: Value| json!({"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": payload});
        loop {
            self.answer_wants();
            if let Some(outcome) = self.engine.take_invoked(id) {
                return match outcome {
                    Invoked::Answer(text) => good(serde_json::from_str::<Value>(&text).unwrap_or(Value::Null)),
                    Invoked::Native(kept) => {
                        let taken = kept.iter().filter(|kept| **kept).count();
                        good(json!({"kept": taken, "dropped": kept.len() - taken}))
                    }
                    Invoked::Error { kind, message, trace } => error(json!({"errorType": kind, "errorMessage": message, "trace": trace})),
                    Invoked::TimedOut => error(json!({"errorMessage": "Task timed out"})),
                    other => error(json!({"errorMessage": format!("{other:?}")})),
                };
            }
            let Some(next) = self.engine.next_event_at() else { return json!({"StatusCode": 500}) };
            self.advance(next.max(self.now()));
        }
    }

    /// Clients ask from now on.
    pub fn serve(&mut self, clients: Box<dyn Clients>) {
        self.served = Some(Served { clients, subscriptions: Vec::new() });
    }

    /// The next instant at which something happens by itself, or a subscriber has to be looked at.
    pub fn next_event_at(&self) -> Option<VirtualTime> {
        let now = self.now();
        let subscriptions =
            self.served.iter().flat_map(|served| &served.subscriptions).filter_map(|subscription| match subscription.to.readiness() {
                Readiness::Gone => Some(now),
                Readiness::Busy => Some(now + LOOK_AGAIN),
                Readiness::Ready => self.engine.kinesis().has_something(now, subscription.id).then(|| subscription.looked + PUSH_EVERY),
            });
        subscriptions.chain(self.engine.next_event_at()).min()
    }

    /// Lets time pass until an instant of the wall clock and answers clients, until none waits.
    pub fn serve_until(&mut self, now: VirtualTime) {
        self.advance(now);
        while self.answer_clients() {}
    }

    /// Answers clients that wait, and hands events to subscribers. Says whether anything happened.
    pub(super) fn answer_clients(&mut self) -> bool {
        let Some(mut served) = self.served.take() else { return false };
        let mut count = 0;
        while count < TURN_MAX
            && let Some(asked) = served.clients.next()
        {
            count += 1;
            self.answer_client(asked, &mut served.subscriptions);
        }
        let pushed = self.push_events(&mut served.subscriptions);
        self.served = Some(served);
        if count > 0 {
            self.after_requests();
        }
        count > 0 || pushed
    }

    fn answer_client(&mut self, asked: Asked, subscriptions: &mut Vec<Subscription>) {
        let request = match asked.ask {
            Ask::Reset if self.keeps_log => {
                let text = "the world of a lab is not emptied by a client: x in the dashboard begins a step anew";
                asked.back.answer(Err(ServiceError::invalid_argument(text)));
                return;
            }
            Ask::Reset => {
                subscriptions.clear();
                let answer = self.begin_anew().map(|()| Response::Other(json!({"status": "ok"})));
                asked.back.answer(answer.map_err(|error| ServiceError::new(ErrorCode::InternalFailure, error)));
                return;
            }
            Ask::Request(request) => request,
        };
        if let Err(error) = self.keep_request(&request, &asked.client) {
            asked.back.answer(Err(error));
            return;
        }
        if let Request::Kinesis(subscribe @ KinesisRequest::SubscribeToShard(_)) = &*request {
            match self.engine.apply(&Command::Kinesis(Box::new(subscribe.clone()))) {
                Ok(Reply::Subscribed(id)) => {
                    // The first event comes at once.
                    let told = VirtualTime(0);
                    subscriptions.push(Subscription { id, told, looked: told, to: asked.back.subscribe() });
                }
                Ok(_) => asked.back.answer(Err(ServiceError::internal_failure())),
                Err(error) => asked.back.answer(Err(error)),
            }
            return;
        }
        let before = self.now();
        let place = object_of(&request);
        let answer = self.call(*request).map(|answer| self.exact_object(place, answer));
        asked.back.answer(answer);
        if self.now() != before {
            self.clock.forget();
        }
    }

    /// An object's bytes as they are, in base64: the CLI shows text as text, a client wants every byte.
    fn exact_object(&self, place: Option<(String, String)>, mut answer: Response) -> Response {
        if let (Some((bucket, key)), Response::Other(value)) = (place, &mut answer)
            && let Some(object) = self.engine.services().s3.object(&bucket, &key)
        {
            value["Body"] = json!(STANDARD.encode(&object.bytes));
        }
        answer
    }

    /// Writes a request down before it is carried out.
    fn keep_request(&mut self, request: &Request, client: &str) -> Result<(), ServiceError> {
        let reads = !changes(request);
        if !reads && !is_data(request) {
            let text = format!("{} {} from {client}", request.operation().service(), request.operation().name());
            // A note can always be written.
            let _ = self.outside(WorldCommand::Note { kind: "client".to_owned(), text });
        }
        // Beside a lab everything counts, for reads have limits, too; a bare endpoint keeps what changes something.
        if self.keeps_log || (!reads && self.keeps()) {
            self.keep(What::Request(Box::new(request.clone())));
        }
        // What is acknowledged must be there after a crash.
        if self.unkept && !self.keeps_log && !reads {
            return Err(ServiceError::new(ErrorCode::InternalFailure, "the data directory cannot be written; nothing was changed"));
        }
        Ok(())
    }

    fn push_events(&mut self, subscriptions: &mut Vec<Subscription>) -> bool {
        let (now, mut pushed) = (self.now(), false);
        subscriptions.retain_mut(|subscription| {
            if subscription.to.readiness() != Readiness::Ready {
                return subscription.to.readiness() == Readiness::Busy;
            }
            let due = now.since(subscription.told) >= HEARTBEAT || self.engine.kinesis().has_something(now, subscription.id);
            if !due || now.since(subscription.looked) < PUSH_EVERY {
                return true;
            }
            subscription.looked = now;
            let push = WorldCommand::Push { subscription: subscription.id };
            if self.keeps_log {
                self.keep(What::World(Box::new(push.clone())));
            }
            match self.engine.apply(&Command::World(push)) {
                Ok(Reply::Pushed(Some(event))) => {
                    pushed = true;
                    // The budget of the subscription may be used up: nothing is told twice in the same instant.
                    let empty = event.records.is_empty() && now.since(subscription.told) < HEARTBEAT && event.child_shards.is_none();
                    let over = event.continuation_sequence_number.is_none();
                    if !empty {
                        subscription.told = now;
                        subscription.to.event(*event);
                    }
                    !over
                }
                _ => false,
            }
        });
        pushed
    }
}

/// Bucket and key of a request that reads an object.
fn object_of(request: &Request) -> Option<(String, String)> {
    let Request::Other(call) = request else { return None };
    let text = |name: &str| call.body[name].as_str().unwrap_or_default().to_owned();
    (call.operation.service == "s3api" && call.operation.name == "GetObject").then(|| (text("Bucket"), text("Key")))
}

/// Whether a request changes something beside limits and counters.
fn changes(request: &Request) -> bool {
    let name = request.operation().name();
    !["Get", "List", "Describe", "Head", "Discover", "Subscribe"].iter().any(|verb| name.starts_with(verb))
}

/// Whether a request carries records: there are too many of them for the journal.
fn is_data(request: &Request) -> bool {
    matches!(request.operation().name(), "PutRecord" | "PutRecords" | "PutRecordBatch" | "PutObject" | "Invoke")
}
