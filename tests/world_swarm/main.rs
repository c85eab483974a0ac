//! A seeded swarm over the whole world: random stories in random labs, with every operation of every service, faults, SQL edits, journeys in time,
//! branches and clients. The invariants are checked after every event (inside the engine, in this build), and each story is played three times:
//! as it is; in other steps of time and with looks back; and again from its own log. All three must give the same journal.
//!
//! A failure is made shorter, printed, and its run is written below `target/` for `kinlab replay`. What it finds becomes a test beside the code
//! that was wrong: a seed means another story as soon as a service has one more operation.
//! `KINLAB_SWARM_SEED=n` plays one seed, `KINLAB_SWARM_SEEDS=10000` makes a soak of it, `KINLAB_SWARM_FROM=n` begins there.
#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/dice.rs"]
mod dice;
mod requests;
mod story;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use kinlab::api::{Request, Response, ServiceError};
use kinlab::engine::time::VirtualDuration;
use kinlab::lab::{Lab, embedded};
use kinlab::session::Session;
use kinlab::session::clients::{Ask, Asked, Back, Clients, Subscriber};
use kinlab::session::driver::{Act, Driver};

use dice::Dice;
use story::{Deed, Story};

fn load(name: &str) -> Lab {
    let (_, files) = embedded::find(name).expect("the labs are built in");
    Lab::load(&files).expect("the labs load")
}

/// Requests that wait to be taken by the session.
#[derive(Debug, Default, Clone)]
struct Waiting(Arc<Mutex<VecDeque<Asked>>>);

impl Clients for Waiting {
    fn next(&mut self) -> Option<Asked> {
        self.0.lock().ok()?.pop_front()
    }
}

/// Counts answers: each request has one at most.
#[derive(Debug)]
struct Counted(Arc<Mutex<u64>>);

impl Back for Counted {
    fn answer(self: Box<Self>, _: Result<Response, ServiceError>) {
        *self.0.lock().expect("nobody panics with it") += 1;
    }

    fn subscribe(self: Box<Self>) -> Box<dyn Subscriber> {
        Box::new(Listener)
    }
}

#[derive(Debug)]
struct Listener;

impl Subscriber for Listener {
    fn readiness(&self) -> kinlab::session::clients::Readiness {
        kinlab::session::clients::Readiness::Ready
    }

    fn event(&mut self, _: kinlab::api::kinesis::SubscribeToShardEvent) {}
}

/// How a story is played. What comes out must not depend on it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// As it is.
    Plain,
    /// In pieces of 137 ms, with saved worlds, looking back before some deeds.
    Restless,
}

/// What came of it.
#[derive(Debug, PartialEq)]
struct End {
    hash: String,
    at: u64,
    failed: u64,
    log: String,
}

fn play(story: &Story, way: Way) -> (End, Session) {
    let mut session = Session::new(Arc::new(load(story.lab)), Some(story.seed)).expect("the labs can be built");
    let (waiting, answered) = (Waiting::default(), Arc::new(Mutex::new(0)));
    if story.clients {
        session.serve(Box::new(waiting.clone()));
    }
    if way == Way::Restless {
        session.set_granularity(VirtualDuration::from_millis(137));
        session.keep_checkpoints();
    }
    let mut restless = Dice(story.seed ^ 0x5eed);
    let (mut failed, mut asked) = (0, 0);
    for deed in &story.deeds {
        // Clients live in the newest instant; who looks back with them has left it.
        if way == Way::Restless && !story.clients && restless.roll(6) == 0 {
            let here = (session.now(), session.in_the_past());
            let by = restless.roll(50_000_000);
            session.rewind(VirtualDuration(by)).unwrap_or_else(|error| panic!("no way back: {error}"));
            // A line in the present is part of the run, whatever it does.
            if session.in_the_past() && restless.percent(50) {
                session.line("shards");
            }
            session.travel(here.0).unwrap_or_else(|error| panic!("no way on to {}: {error}", here.0));
            assert_eq!((session.now(), session.in_the_past()), here, "a look back ends where it began");
        }
        let outcome = match deed {
            Deed::Line(line) => session.line(line),
            Deed::Ask(service, name, body) => {
                let request = request(service, name, body);
                asked += u64::from(request.is_some());
                if let (Some(request), Ok(mut queue)) = (request, waiting.0.lock()) {
                    queue.push_back(Asked {
                        ask: Ask::Request(Box::new(request)),
                        client: "swarm".into(),
                        back: Box::new(Counted(answered.clone())),
                    });
                }
                session.serve_until(session.now());
                continue;
            }
            Deed::Wait(micros) => {
                let until = session.now() + VirtualDuration(*micros);
                if story.clients {
                    session.serve_until(until);
                } else {
                    session.advance(until);
                }
                continue;
            }
            Deed::Back(micros) => session.act(Act::Shift(-(*micros as i64))),
            Deed::Now => session.act(Act::ToNow),
            Deed::Reset => session.act(Act::ResetStep),
            Deed::Solve => session.act(Act::Solve),
            Deed::Next => session.act(Act::NextStep),
            Deed::Hint => session.act(Act::Hint),
        };
        failed += u64::from(outcome.failed);
        assert_eq!(session.broken_rule(), None, "after {deed:?}");
    }
    assert_eq!(session.broken_rule(), None, "at the end");
    assert!(*answered.lock().expect("nobody panics with it") <= asked, "each request is answered once");
    let end = End { hash: session.world().journal_hash(), at: session.now().0, failed, log: session.log_text() };
    (end, session)
}

fn request(service: &str, name: &str, body: &serde_json::Value) -> Option<Request> {
    let year = kinlab::api::ModelYear::Current;
    let operation = kinlab::api::Operation::of_service(service, year)?.into_iter().find(|operation| operation.name() == name)?;
    operation.decode(body, year).ok()
}

/// Plays a story in all ways; what is wrong with it, if anything.
fn judge(story: &Story) -> Result<End, String> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let (plain, session) = play(story, Way::Plain);
        let (restless, _) = play(story, Way::Restless);
        if (&plain.hash, plain.at, plain.failed) != (&restless.hash, restless.at, restless.failed) {
            return Err("in other steps of time, with looks back, the journal is another one".to_owned());
        }
        let mut again = Session::new(Arc::new(load(story.lab)), Some(story.seed))?;
        again.resume(session.entries().to_vec());
        again.advance(session.now());
        if again.world().journal_hash() != plain.hash {
            return Err("played again from its log, the journal is another one".to_owned());
        }
        Ok(plain)
    }));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    })
}

/// Leaves out deeds as long as the story still fails.
fn shrunk(mut story: Story) -> Story {
    let mut piece = story.deeds.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < story.deeds.len() {
            let mut shorter = story.clone();
            shorter.deeds.drain(at..(at + piece).min(shorter.deeds.len()));
            if judge(&shorter).is_err() { story = shorter } else { at += piece }
        }
        piece /= 2;
    }
    story
}

fn fail(story: Story) -> ! {
    let short = shrunk(story);
    let why = judge(&short).err().unwrap_or_else(|| "it fails no more when it is played alone".to_owned());
    let file = format!("{}/swarm-{}.jsonl", env!("CARGO_TARGET_TMPDIR"), short.seed);
    // A story that panics has no end; what it did is printed below.
    if let Ok((end, _)) = catch_unwind(AssertUnwindSafe(|| play(&short, Way::Plain))) {
        let _ = std::fs::write(&file, end.log);
    }
    let deeds: Vec<String> = short.deeds.iter().map(|deed| format!("  {deed:?}")).collect();
    panic!("seed {}, {}: {why}\n{}\nkinlab replay {file}\nKINLAB_SWARM_SEED={} plays it again", short.seed, short.lab, deeds.join("\n"), short.seed);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Plays every second seed, from the first or the second one: two threads share the work.
fn swarm(half: usize) {
    let seeds: Vec<u64> = match number("KINLAB_SWARM_SEED") {
        Some(seed) => vec![seed],
        None => {
            let from = number("KINLAB_SWARM_FROM").unwrap_or(0);
            (from..from + number("KINLAB_SWARM_SEEDS").unwrap_or(200)).collect()
        }
    };
    let (mut deeds, mut failed) = (0, 0);
    for seed in seeds.iter().skip(half).step_by(2) {
        let story = story::of(*seed, load);
        match judge(&story) {
            Ok(end) => {
                deeds += story.deeds.len() as u64;
                failed += end.failed;
            }
            Err(_) => fail(story),
        }
    }
    // A swarm that does nothing, or only fails, proves nothing.
    if seeds.len() >= 40 {
        assert!(failed > deeds / 50 && failed < deeds / 2, "{failed} of {deeds} deeds were refused");
    }
}

#[test]
fn whatever_is_done_to_a_world_it_keeps_its_rules_and_its_bytes() {
    swarm(0);
}

#[test]
fn and_so_does_every_other_one() {
    swarm(1);
}
