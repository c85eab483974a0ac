//! The session: virtual time in whole seconds of checks, and the log of lines that is the run.

use std::sync::Arc;

use crate::engine::producers::{Overrides, ProducerKind, Settings, Source};
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::view::{View, Wants};
use crate::engine::{Budget, Checkpoint, Command, Engine, WorldCommand};
use crate::lab::view::LabView;
use crate::lab::{Lab, LabRun, build_world};

use super::clock::Clock;
use super::driver::Outcome;
use super::input::InputRecord;

/// A lab being played.
#[derive(Debug)]
pub struct Session {
    lab: Arc<Lab>,
    seed: Option<u64>,
    pub(super) engine: Engine,
    pub(super) run: LabRun,
    /// Every line with its instant: with the seed, this is the run.
    log: Vec<(VirtualTime, String)>,
    /// The last shard iterator that a command answered.
    pub(super) iterator: Option<String>,
    notices: Vec<String>,
    replaying: bool,
    /// Saved worlds, oldest first; only kept for front ends that go back in time by keys.
    saved: Vec<Saved>,
    keeps_checkpoints: bool,
    pub(super) clock: Clock,
}

/// A world, the lab's progress and how many lines had been carried out.
#[derive(Debug, Clone)]
struct Saved {
    world: Checkpoint,
    run: LabRun,
    iterator: Option<String>,
    lines: usize,
}

/// The producer of records from outside.
const INPUT: &str = "input";
/// Virtual time between two saved worlds.
const SAVE_EVERY_SECS: u64 = 10;
/// Sentences kept for front ends that do not take them.
const NOTICES_MAX: usize = 200;
/// Saved worlds at most; when there are more, every second one is dropped.
const SAVED_MAX: usize = 64;

impl Session {
    /// A session at the beginning of a lab.
    ///
    /// # Errors
    /// A sentence: what of the scenario cannot be built.
    pub fn new(lab: Arc<Lab>, seed: Option<u64>) -> Result<Self, String> {
        let engine = build_world(&lab, seed)?;
        let run = LabRun::new(lab.clone(), engine.now());
        let mut session = Self {
            lab,
            seed,
            engine,
            run,
            log: Vec::new(),
            iterator: None,
            notices: Vec::new(),
            replaying: false,
            saved: Vec::new(),
            keeps_checkpoints: false,
            clock: Clock::default(),
        };
        session.evaluate();
        Ok(session)
    }

    /// The present instant.
    pub fn now(&self) -> VirtualTime {
        self.engine.now()
    }

    /// The first instant.
    pub fn epoch(&self) -> VirtualTime {
        self.engine.config().epoch
    }

    /// End of the scenario.
    pub fn ends(&self) -> VirtualTime {
        self.run.ends()
    }

    /// The world.
    pub fn world(&self) -> &Engine {
        &self.engine
    }

    /// The lab's progress.
    pub fn lab(&self) -> &LabRun {
        &self.run
    }

    /// The world for display.
    pub fn view(&self, wants: &Wants) -> View {
        self.engine.view(wants)
    }

    /// The lab for display.
    pub fn lab_view(&self) -> LabView {
        self.run.view(self.now())
    }

    /// Sentences since the last call, oldest first.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// The last sentences, for screens that show them beside other things.
    pub(super) fn recent_notices(&self) -> Vec<String> {
        self.notices.iter().rev().take(20).rev().cloned().collect()
    }

    /// Events since the last call, oldest first.
    pub fn take_events(&mut self) -> Vec<crate::engine::Event> {
        self.engine.drain_events()
    }

    /// A rule of the simulation that was found broken.
    pub fn broken_rule(&self) -> Option<&str> {
        self.engine.broken_rule()
    }

    /// The lines so far, as JSON lines: instant in microseconds since the start, line.
    pub fn log_text(&self) -> String {
        let epoch = self.epoch();
        self.log.iter().map(|(at, line)| serde_json::json!({"at_us": at.since(epoch).0, "line": line}).to_string() + "\n").collect()
    }

    /// Lets time pass; checks are evaluated at every whole second.
    pub fn advance(&mut self, until: VirtualTime) {
        while self.engine.now() < until {
            let next = self.engine.now().next_second().min(until);
            self.engine.advance(next, Budget::UNLIMITED);
            if next.0.is_multiple_of(crate::engine::time::MICROS_PER_SECOND) {
                self.evaluate();
            }
        }
    }

    fn evaluate(&mut self) {
        let (commands, said) = self.run.second(&self.engine);
        for command in commands {
            if let Err(error) = self.engine.apply(&Command::World(command)) {
                self.notices.push(format!("timeline: {error}"));
            }
        }
        self.notices.extend(said);
        if self.notices.len() > NOTICES_MAX {
            self.notices.drain(..NOTICES_MAX / 2);
        }
        if self.keeps_checkpoints && !self.replaying && self.engine.now().secs().is_multiple_of(SAVE_EVERY_SECS) {
            self.save();
        }
    }

    /// Carries out a line now.
    pub fn line(&mut self, line: &str) -> Outcome {
        // Lines that only move time are the distance between the others.
        if !self.replaying && !line.trim().is_empty() && !super::language::moves_time(line) {
            self.log.push((self.engine.now(), line.to_owned()));
        }
        super::language::carry_out(self, line)
    }

    /// Feeds records from outside into a stream through an SDK producer named `input`: all at once, or by event time at a speed-up in
    /// thousandths. A stream that does not exist is created with six shards. Gives the instant of the last record.
    ///
    /// # Errors
    /// AWS's text, when the stream cannot be created.
    pub fn feed(&mut self, stream: &str, mut records: Vec<InputRecord>, speedup_permille: Option<u64>) -> Result<VirtualTime, String> {
        use crate::api::kinesis::CreateStreamRequest;
        if self.engine.kinesis().stream(stream).is_none() {
            let request = CreateStreamRequest { stream_name: stream.to_owned(), shard_count: Some(6), ..CreateStreamRequest::default() };
            self.engine.apply(&Command::Kinesis(Box::new(request.into()))).map_err(|error| error.to_string())?;
            self.advance(self.now() + VirtualDuration::from_secs(2));
        }
        self.engine.define_producer(INPUT, Settings::new(ProducerKind::Input, stream), Source::outside());
        let start = WorldCommand::StartProducer { producer: INPUT.to_owned(), overrides: Overrides::default() };
        self.engine.apply(&Command::World(start)).map_err(|error| error.to_string())?;
        let begun = self.now();
        if let Some(speedup) = speedup_permille {
            // Records without a time come with the one before them.
            let mut last = records.iter().find_map(|record| record.event_time).unwrap_or_default();
            for record in &mut records {
                last = record.event_time.unwrap_or(last);
                record.event_time = Some(last);
            }
            records.sort_by_key(|record| record.event_time);
            let origin = records.first().and_then(|record| record.event_time).unwrap_or_default();
            let due = |record: &InputRecord| {
                let offset = record.event_time.unwrap_or(origin).since(origin).0;
                VirtualTime(begun.0.saturating_add((u128::from(offset) * 1000 / u128::from(speedup.max(1))) as u64))
            };
            let mut rest = records.as_slice();
            while let Some(first) = rest.first() {
                let at = due(first).next_second();
                let count = rest.iter().take_while(|record| due(record) < at).count();
                self.advance(at);
                self.ingest(&rest[..count])?;
                rest = &rest[count..];
            }
        } else {
            for chunk in records.chunks(5000) {
                self.ingest(chunk)?;
            }
        }
        self.engine.apply(&Command::World(WorldCommand::EndOfInput { producer: INPUT.to_owned() })).map_err(|error| error.to_string())?;
        Ok(self.now())
    }

    fn ingest(&mut self, records: &[InputRecord]) -> Result<(), String> {
        let records = records.iter().map(|record| record.record.clone()).collect();
        let ingest = WorldCommand::Ingest { producer: INPUT.to_owned(), records };
        self.engine.apply(&Command::World(ingest)).map(|_| ()).map_err(|error| error.to_string())
    }

    /// Lets time pass until the input is stored, at most an hour. Gives (offered, acknowledged, refused attempts).
    pub fn finish_input(&mut self) -> (u64, u64, u64) {
        let until = self.now() + VirtualDuration::from_secs(3600);
        while self.now() < until && self.engine.producer(INPUT).is_some_and(|producer| producer.state.is_active()) {
            self.advance(self.now().next_second());
        }
        self.engine.producer(INPUT).map_or((0, 0, 0), |producer| (producer.total.offered, producer.total.acknowledged, producer.total.refused))
    }

    /// Keeps saved worlds, so that going back is fast.
    pub fn keep_checkpoints(&mut self) {
        self.keeps_checkpoints = true;
        self.save();
    }

    fn save(&mut self) {
        if self.saved.len() == SAVED_MAX {
            let mut index = 0;
            self.saved.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        self.saved.push(Saved { world: self.engine.checkpoint(), run: self.run.clone(), iterator: self.iterator.clone(), lines: self.log.len() });
    }

    /// Goes back in time by so much; what was done at the instant itself stays done.
    ///
    /// # Errors
    /// A sentence, when the scenario cannot be built any more.
    pub fn rewind(&mut self, by: VirtualDuration) -> Result<(), String> {
        let target = VirtualTime(self.now().0.saturating_sub(by.0).max(self.epoch().0));
        self.go_back(target, true)
    }

    /// Goes back to the beginning of the current step and undoes everything done in it.
    ///
    /// # Errors
    /// A sentence, when the scenario cannot be built any more.
    pub fn reset_step(&mut self) -> Result<(), String> {
        self.go_back(self.run.step_began(), false)
    }

    /// Restores the nearest saved world (or makes the first one anew) and does everything before the instant again. What lay after it is gone:
    /// acting in the past starts another future.
    fn go_back(&mut self, target: VirtualTime, inclusive: bool) -> Result<(), String> {
        let before = |at: VirtualTime| at < target || (inclusive && at == target);
        let log: Vec<(VirtualTime, String)> =
            std::mem::take(&mut self.log).into_iter().filter(|(at, line)| before(*at) && !super::language::moves_time(line)).collect();
        self.saved.retain(|saved| saved.world.at() <= target && saved.lines <= log.len());
        let lines = if let Some(saved) = self.saved.last() {
            self.engine = saved.world.restore();
            self.run = saved.run.clone();
            self.iterator.clone_from(&saved.iterator);
            saved.lines
        } else {
            self.engine = build_world(&self.lab, self.seed)?;
            self.run = LabRun::new(self.lab.clone(), self.engine.now());
            self.iterator = None;
            self.evaluate();
            0
        };
        self.replaying = true;
        for (at, line) in log.iter().skip(lines) {
            self.advance(*at);
            self.line(line);
        }
        self.advance(target);
        self.replaying = false;
        self.log = log;
        self.notices.clear();
        Ok(())
    }
}
