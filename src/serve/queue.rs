//! The way of requests from the endpoint's thread to the world, and of answers back.

use std::thread::Thread;

use tokio::sync::{mpsc, oneshot};

use crate::api::kinesis::SubscribeToShardEvent;
use crate::api::{Request, Response, ServiceError};
use crate::session::clients::{Ask, Asked, Back, Clients, Readiness, Subscriber};

/// Requests that wait at most; more clients wait to be let in.
const WAITING_MAX: usize = 1024;
/// Events of a subscription that its client has not read yet.
const EVENTS_MAX: usize = 4;

/// What comes back for a request.
#[derive(Debug)]
pub(super) enum Answered {
    /// An answer.
    Response(Result<Response, ServiceError>),
    /// A subscription.
    Events(mpsc::Receiver<SubscribeToShardEvent>),
}

/// Where the endpoint hands requests in.
#[derive(Debug, Clone)]
pub(super) struct Entrance {
    queue: mpsc::Sender<Asked>,
    waker: Thread,
}

/// The requests as a session takes them.
#[derive(Debug)]
pub struct Queue(mpsc::Receiver<Asked>);

pub(super) fn pair(waker: Thread) -> (Entrance, Queue) {
    let (queue, requests) = mpsc::channel(WAITING_MAX);
    (Entrance { queue, waker }, Queue(requests))
}

impl Entrance {
    /// Asks the world and waits for what comes of it; `None` when the program ends.
    async fn ask_for(&self, ask: Ask, client: &str) -> Option<Answered> {
        let (back, answer) = oneshot::channel();
        self.queue.send(Asked { ask, client: client.to_owned(), back: Box::new(OneBack(back)) }).await.ok()?;
        self.waker.unpark();
        answer.await.ok()
    }

    /// Carries out an operation.
    pub(super) async fn ask(&self, request: Request, client: &str) -> Answered {
        let answered = self.ask_for(Ask::Request(Box::new(request)), client).await;
        answered.unwrap_or_else(|| Answered::Response(Err(ServiceError::internal_failure())))
    }

    /// Carries out an operation that answers at once.
    pub(super) async fn answer(&self, request: Request, client: &str) -> Result<Response, ServiceError> {
        match self.ask(request, client).await {
            Answered::Response(answer) => answer,
            Answered::Events(_) => Err(ServiceError::internal_failure()),
        }
    }

    /// Begins an empty world.
    pub(super) async fn reset(&self, client: &str) -> Result<(), ServiceError> {
        match self.ask_for(Ask::Reset, client).await {
            Some(Answered::Response(answer)) => answer.map(|_| ()),
            _ => Err(ServiceError::internal_failure()),
        }
    }
}

impl Clients for Queue {
    fn next(&mut self) -> Option<Asked> {
        self.0.try_recv().ok()
    }
}

#[derive(Debug)]
struct OneBack(oneshot::Sender<Answered>);

impl Back for OneBack {
    fn answer(self: Box<Self>, answer: Result<Response, ServiceError>) {
        // A client that has gone needs no answer.
        let _ = self.0.send(Answered::Response(answer));
    }

    fn subscribe(self: Box<Self>) -> Box<dyn Subscriber> {
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let _ = self.0.send(Answered::Events(receiver));
        Box::new(Events(events))
    }
}

#[derive(Debug)]
struct Events(mpsc::Sender<SubscribeToShardEvent>);

impl Subscriber for Events {
    fn readiness(&self) -> Readiness {
        match (self.0.is_closed(), self.0.capacity()) {
            (true, _) => Readiness::Gone,
            (false, 0) => Readiness::Busy,
            _ => Readiness::Ready,
        }
    }

    fn event(&mut self, event: SubscribeToShardEvent) {
        let _ = self.0.try_send(event);
    }
}
