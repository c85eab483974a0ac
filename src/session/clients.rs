//! Clients beside the learner: what they ask, and the way back to them.
//!
//! Invariant: what a client asks enters the world as a command at the present instant, is kept in the log like a line, and is answered once. What
//! needs time, a function or a subscription, is answered when the world's clock has come there; nobody's clock is moved for it.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::api::kinesis::SubscribeToShardEvent;
use crate::api::{ErrorCode, Request, Response, ServiceError};
use crate::engine::s3::part;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::{Command, Reply, WorldCommand};

use super::play::Session;
use super::requests::Begun;
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
        let settled = self.settle_invocations();
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
        count > 0 || pushed || settled
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
        let place = object_of(&request);
        match self.begin(*request) {
            Ok(Begun::Done(answer)) => {
                let answer = self.exact_object(place, answer);
                asked.back.answer(Ok(answer));
            }
            Ok(Begun::Invocation(id)) => self.invocations.push((id, Some(asked.back))),
            // The first event comes at once.
            Ok(Begun::Subscription(id)) => {
                subscriptions.push(Subscription { id, told: VirtualTime(0), looked: VirtualTime(0), to: asked.back.subscribe() });
            }
            Err(error) => asked.back.answer(Err(error)),
        }
    }

    /// An object's bytes as they are, in base64: the CLI shows text as text, a client wants every byte.
    fn exact_object(&self, place: Option<Place>, mut answer: Response) -> Response {
        if let (Some(Place { bucket, key, range }), Response::Other(value)) = (place, &mut answer)
            && let Some(object) = self.engine.services().s3.object(&bucket, &key)
        {
            let (from, to) = range.and_then(|range| part(&range, object.bytes.len())).unwrap_or((0, object.bytes.len()));
            value["Body"] = json!(STANDARD.encode(&object.bytes[from..to]));
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
            // The clock may have gone back since.
            subscription.told = subscription.told.min(now);
            subscription.looked = subscription.looked.min(now);
            if subscription.to.readiness() != Readiness::Ready {
                return subscription.to.readiness() == Readiness::Busy;
            }
            let due = now.since(subscription.told) >= HEARTBEAT || self.engine.kinesis().has_something(now, subscription.id);
            if !due || now.since(subscription.looked) < PUSH_EVERY {
                return true;
            }
            subscription.looked = now;
            if self.keeps_log {
                self.keep(What::Push(subscription.id));
            }
            match self.engine.apply(&Command::Push(subscription.id)) {
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

/// What a request reads of which object.
struct Place {
    bucket: String,
    key: String,
    range: Option<String>,
}

/// The object that a request reads.
fn object_of(request: &Request) -> Option<Place> {
    let Request::Other(call) = request else { return None };
    let text = |name: &str| call.body[name].as_str().unwrap_or_default().to_owned();
    let reads = call.operation.service == "s3api" && call.operation.name == "GetObject";
    reads.then(|| Place { bucket: text("Bucket"), key: text("Key"), range: call.body["Range"].as_str().map(str::to_owned) })
}

/// Whether a request changes something beside limits and counters. A discovery with a function does what the function does.
fn changes(request: &Request) -> bool {
    if matches!(request, Request::Other(call) if call.body["InputProcessingConfiguration"].is_object()) {
        return true;
    }
    let name = request.operation().name();
    !["Get", "List", "Describe", "Head", "Discover", "Subscribe", "Query", "Scan", "BatchGet"].iter().any(|verb| name.starts_with(verb))
}

/// Whether a request carries records: there are too many of them for the journal.
fn is_data(request: &Request) -> bool {
    let name = request.operation().name();
    matches!(name, "PutRecord" | "PutRecords" | "PutRecordBatch" | "PutObject" | "UploadPart" | "Invoke") || name.ends_with("Item")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Call, decode_json};
    use crate::lab::{Lab, embedded};
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    /// What came back, and how many events.
    #[derive(Debug, Default)]
    struct Came {
        answers: Vec<Result<Response, ServiceError>>,
        events: usize,
    }

    #[derive(Debug, Clone, Default)]
    struct Seen(Arc<Mutex<Came>>);

    impl Seen {
        fn answers(&self) -> usize {
            self.0.lock().expect("free").answers.len()
        }

        fn last(&self) -> Result<Response, ServiceError> {
            self.0.lock().expect("free").answers.last().cloned().expect("an answer")
        }
    }

    impl Back for Seen {
        fn answer(self: Box<Self>, answer: Result<Response, ServiceError>) {
            self.0.lock().expect("free").answers.push(answer);
        }
        fn subscribe(self: Box<Self>) -> Box<dyn Subscriber> {
            self
        }
    }

    impl Subscriber for Seen {
        fn readiness(&self) -> Readiness {
            Readiness::Ready
        }
        fn event(&mut self, event: SubscribeToShardEvent) {
            self.0.lock().expect("free").events += event.records.len();
        }
    }

    #[derive(Debug, Clone, Default)]
    struct Waiting(Arc<Mutex<VecDeque<Asked>>>);

    impl Clients for Waiting {
        fn next(&mut self) -> Option<Asked> {
            self.0.lock().expect("free").pop_front()
        }
    }

    struct Desk {
        session: Session,
        waiting: Waiting,
        seen: Seen,
    }

    impl Desk {
        fn new() -> Self {
            let (_, files) = embedded::find("lab1").expect("exists");
            let mut session = Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("builds");
            session.keep_checkpoints();
            let waiting = Waiting::default();
            session.serve(Box::new(waiting.clone()));
            Self { session, waiting, seen: Seen::default() }
        }

        fn ask(&mut self, request: Request) {
            let asked = Asked { ask: Ask::Request(Box::new(request)), client: "test".to_owned(), back: Box::new(self.seen.clone()) };
            self.waiting.0.lock().expect("free").push_back(asked);
            self.session.answer_clients();
        }

        fn kinesis(&mut self, operation: &str, body: &serde_json::Value) {
            let operation = crate::api::kinesis::Operation::from_name(operation).expect("there");
            let request = decode_json(operation, body.to_string().as_bytes(), crate::api::ModelYear::Current).expect("good");
            self.ask(Request::Kinesis(request));
        }

        fn lambda(&mut self, operation: &str, body: &serde_json::Value) {
            self.ask(Request::Other(Call::of("lambda", operation, body).expect("good")));
        }

        fn run(&mut self, seconds: u64) {
            self.session.advance(self.session.now() + VirtualDuration::from_secs(seconds));
            self.session.answer_clients();
        }

        fn put(&mut self) {
            self.kinesis("PutRecord", &json!({"StreamName": "s", "Data": "YQ==", "PartitionKey": "k"}));
        }
    }

    /// A stream with a subscription, six seconds after the start.
    fn subscribed() -> Desk {
        let mut desk = Desk::new();
        desk.kinesis("CreateStream", &json!({"StreamName": "s", "ShardCount": 1}));
        desk.run(2);
        let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s";
        desk.kinesis("RegisterStreamConsumer", &json!({"StreamARN": arn, "ConsumerName": "c"}));
        let Ok(Response::Kinesis(crate::api::kinesis::KinesisResponse::RegisterStreamConsumer(answer))) = desk.seen.last() else { panic!("refused") };
        desk.run(2);
        let position = json!({"Type": "TRIM_HORIZON"});
        desk.kinesis(
            "SubscribeToShard",
            &json!({"ConsumerARN": answer.consumer.consumer_arn, "ShardId": "shardId-000000000000", "StartingPosition": position}),
        );
        desk.run(2);
        desk
    }

    #[test]
    fn going_back_undoes_what_clients_did_and_what_was_pushed_to_them() {
        let (mut straight, mut bent) = (subscribed(), subscribed());
        for _ in 0..3 {
            bent.run(1);
            bent.put();
        }
        bent.run(1);
        assert_eq!(bent.seen.0.lock().expect("free").events, 3, "records are pushed");
        bent.session.rewind(VirtualDuration::from_secs(4)).expect("possible");
        assert_eq!(bent.session.now(), straight.session.now());
        let pushes = |desk: &Desk| desk.session.log_text().matches("\"push\"").count();
        assert_eq!(pushes(&bent), pushes(&straight), "what was pushed in the future that is gone is not pushed again");
        bent.run(4);
        straight.run(4);
        assert_eq!(bent.session.world().journal_hash(), straight.session.world().journal_hash());
        let stored = |desk: &Desk| desk.session.world().kinesis().stream("s").expect("there").accepted_records;
        assert_eq!((stored(&bent), stored(&straight)), (0, 0));
        // The subscription began before the instant gone back to: it goes on.
        bent.put();
        bent.run(1);
        assert_eq!(bent.seen.0.lock().expect("free").events, 4);
    }

    #[test]
    fn an_invocation_is_answered_when_the_clock_has_come_there() {
        let mut desk = Desk::new();
        let code = STANDARD.encode("exports.handler = async (event) => ({ twice: event.n * 2 });");
        let role = "arn:aws:iam::123456789012:role/r";
        desk.lambda(
            "CreateFunction",
            &json!({"FunctionName": "f", "Runtime": "nodejs20.x", "Role": role, "Handler": "index.handler", "Code": {"ZipFile": code}}),
        );
        desk.run(2);
        let (before, answers) = (desk.session.now(), desk.seen.answers());
        let payload = STANDARD.encode("{\"n\":21}");
        desk.lambda("Invoke", &json!({"FunctionName": "f", "Payload": payload}));
        assert_eq!((desk.session.now(), desk.seen.answers()), (before, answers), "nobody's clock is moved");
        desk.lambda("Invoke", &json!({"FunctionName": "f", "Payload": payload, "InvocationType": "Event"}));
        assert_eq!(desk.seen.last(), Ok(Response::Other(json!({"StatusCode": 202}))));
        desk.run(5);
        assert_eq!(desk.seen.answers(), answers + 2);
        let Ok(Response::Other(answer)) = desk.seen.last() else { panic!("refused") };
        assert_eq!(answer["Payload"], json!({"twice": 42}));
        assert!(desk.session.invocations.is_empty(), "what nobody waits for is not held");
    }

    #[test]
    fn a_discovery_with_a_function_is_answered_when_the_function_has() {
        let mut desk = Desk::new();
        let code = STANDARD.encode(
            "exports.handler = async (e) => ({ records: e.records.map((r) => ({ recordId: r.recordId, result: 'Ok', data: Buffer.from('{\"n\":1}').toString('base64') })) });",
        );
        let role = "arn:aws:iam::123456789012:role/r";
        desk.lambda(
            "CreateFunction",
            &json!({"FunctionName": "f", "Runtime": "nodejs20.x", "Role": role, "Handler": "index.handler", "Code": {"ZipFile": code}}),
        );
        desk.kinesis("CreateStream", &json!({"StreamName": "s", "ShardCount": 1}));
        desk.run(3);
        desk.put();
        let answers = desk.seen.answers();
        let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s";
        let processor = json!({"InputLambdaProcessor": {"ResourceARN": "arn:aws:lambda:us-east-1:123456789012:function:f"}});
        let body = json!({"ResourceARN": arn, "RoleARN": role, "InputProcessingConfiguration": processor});
        desk.ask(Request::Other(Call::of("kinesisanalytics", "DiscoverInputSchema", &body).expect("good")));
        assert_eq!(desk.seen.answers(), answers, "the function runs");
        desk.run(1);
        let Ok(Response::Other(answer)) = desk.seen.last() else { panic!("refused") };
        assert_eq!(
            (answer["InputSchema"]["RecordColumns"][0]["Name"].as_str(), &answer["ProcessedInputRecords"][0]),
            (Some("n"), &json!("{\"n\":1}"))
        );
    }
}
