//! The session: virtual time in whole seconds of checks, and the log of lines that is the run.

use std::sync::Arc;

use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::view::{View, Wants};
use crate::engine::{Budget, Command, Engine};
use crate::lab::view::LabView;
use crate::lab::{Lab, LabRun, build_world};

/// What came of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Data: the answer of an `aws` command, a table that was asked for.
    pub output: String,
    /// Sentences for the learner.
    pub message: String,
    /// The line was refused or failed.
    pub failed: bool,
    /// Exit status in the sense of the AWS CLI: 0, 252, 254, 255.
    pub status: u8,
    /// The learner wants to leave.
    pub quit: bool,
}

impl Outcome {
    /// Data.
    pub fn data(output: impl Into<String>) -> Self {
        Self { output: output.into(), ..Self::default() }
    }
    /// A sentence.
    pub fn said(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
    /// A refusal.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { message: message.into(), failed: true, status: 255, ..Self::default() }
    }
}

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
}

impl Session {
    /// A session at the beginning of a lab.
    ///
    /// # Errors
    /// A sentence: what of the scenario cannot be built.
    pub fn new(lab: Arc<Lab>, seed: Option<u64>) -> Result<Self, String> {
        let engine = build_world(&lab, seed)?;
        let run = LabRun::new(lab.clone(), engine.now());
        let mut session = Self { lab, seed, engine, run, log: Vec::new(), iterator: None, notices: Vec::new(), replaying: false };
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
    }

    /// Carries out a line now.
    pub fn line(&mut self, line: &str) -> Outcome {
        if !self.replaying && !line.trim().is_empty() {
            self.log.push((self.engine.now(), line.to_owned()));
        }
        super::language::carry_out(self, line)
    }

    /// Goes back in time: the world is made anew and everything before the instant is done again.
    ///
    /// # Errors
    /// A sentence, when the scenario cannot be built any more.
    pub fn rewind(&mut self, by: VirtualDuration) -> Result<(), String> {
        let target = VirtualTime(self.now().0.saturating_sub(by.0).max(self.epoch().0));
        let log: Vec<(VirtualTime, String)> = std::mem::take(&mut self.log).into_iter().filter(|(at, _)| *at <= target).collect();
        let mut fresh = Self::new(self.lab.clone(), self.seed)?;
        fresh.replaying = true;
        for (at, line) in &log {
            fresh.advance(*at);
            // Lines that moved time are part of the distance to the next line.
            if !super::language::moves_time(line) {
                fresh.line(line);
            }
        }
        fresh.advance(target);
        fresh.replaying = false;
        fresh.log = log.into_iter().filter(|(_, line)| !super::language::moves_time(line)).collect();
        fresh.notices.clear();
        *self = fresh;
        Ok(())
    }
}
