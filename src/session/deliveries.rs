//! Deliveries to real destinations: carried out once, their outcomes recorded, so that replay and rewind never send anything again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::engine::firehose::endpoint::Outcome;
use crate::engine::firehose::outward::{Answer, Next, Order};
use crate::engine::{Command, WorldCommand};

use super::handlers::Courier;
use super::play::Session;
use super::runlog::What;

fn fingerprint(order: &Order) -> String {
    let mut hasher = Sha256::new();
    for part in order.parts() {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(&part);
    }
    STANDARD.encode(&hasher.finalize()[..18])
}

impl Session {
    /// Deliveries of these streams go to these URLs, by `courier`, from now on. What lies in the log of the run is done first, as it was.
    pub fn deliver_with(&mut self, courier: Box<dyn Courier>, places: Vec<(String, String)>) {
        self.handlers.courier = Some(courier);
        self.handlers.places = places;
    }

    /// Where time passes that was not lived through yet, streams have the destinations that this run was started with.
    pub(super) fn turn_outward(&mut self) {
        if self.handlers.places.is_empty() || self.handlers.resuming || self.in_the_past() || self.entries < self.log.len() {
            return;
        }
        for (stream, url) in self.handlers.places.clone() {
            if self.engine.services().firehose.outward(&stream) != Some(url.as_str())
                && let Err(error) = self.outside(WorldCommand::DeliverTo { stream, url })
            {
                self.notices.push(error);
            }
        }
    }

    /// Carries out every attempt that waits for its destination.
    pub(super) fn carry_orders(&mut self) {
        for order in self.engine.orders() {
            let key = fingerprint(&order);
            let outcome = match self.handlers.receipts.get(&key) {
                Some(outcome) => outcome.clone(),
                None => {
                    let outcome = match (&mut self.handlers.courier, order.first()) {
                        (_, Next::Done(outcome)) => outcome,
                        (Some(courier), Next::Ask(..)) => courier.carry(&order),
                        (None, Next::Ask(..)) => nobody(&order),
                    };
                    self.handlers.receipts.insert(key.clone(), outcome.clone());
                    self.keep(What::Delivered(key, Box::new(outcome.clone())));
                    outcome
                }
            };
            let command = WorldCommand::Delivered { stream: order.stream.to_string(), delivery: order.delivery, outcome };
            if let Err(error) = self.engine.apply(&Command::World(command)) {
                self.notices.push(format!("delivery stream {}: {error}", order.stream));
            }
        }
    }
}

/// Nothing is sent in a run that was not told to.
fn nobody(order: &Order) -> Outcome {
    match order.judge(1, &Answer::Unreachable(format!("this run sends nothing: start it with --deliver-to {}=URL", order.stream))) {
        Next::Done(outcome) => outcome,
        Next::Ask(..) => Outcome::Taken(Vec::new()),
    }
}
