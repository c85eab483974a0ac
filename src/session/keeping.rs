//! What of a run is kept: its log in memory and on disk, and how far the learner is.
//!
//! Invariant: what the keeper has is the log or, while it cannot be written, the beginning of it; as soon as it can be, it is written whole.

use crate::engine::agent::Place;
use crate::engine::{Command, WorldCommand};

use super::play::Session;
use super::runlog::{Entry, FORM, Header, Keeper, Progress, What};

impl Session {
    /// Keeps the log with `keeper` from now on, as it grows.
    pub fn keep_with(&mut self, keeper: Box<dyn Keeper>) {
        self.keeper = Some(keeper);
        self.keep_anew();
    }

    /// The log is only written down from now on, not held in memory: nobody goes back in time.
    pub fn forget_log(&mut self) {
        self.keeps_log = false;
        self.log = Vec::new();
        self.entries = 0;
    }

    /// What enters is kept somewhere.
    pub(super) fn keeps(&self) -> bool {
        self.keeps_log || self.keeper.is_some()
    }

    /// What the run is of.
    pub fn header(&self) -> Header {
        Header {
            kinlab: FORM,
            lab: self.lab.scenario.id.clone(),
            fingerprint: self.lab.fingerprint.clone(),
            seed: self.engine.config().seed,
            vars: self.lab.changed_vars.clone(),
        }
    }

    /// The whole log as its file holds it.
    pub fn log_text(&self) -> String {
        let header = serde_json::to_string(&self.header()).unwrap_or_default() + "\n";
        self.log.iter().map(Entry::text).fold(header, |text, line| text + &line)
    }

    /// Everything that entered up to the present instant, in its order.
    pub fn entries(&self) -> &[Entry] {
        &self.log[..self.entries.min(self.log.len())]
    }

    /// Seconds at the keyboard that earlier sittings took.
    pub fn played_before(&mut self, seconds: u64) {
        self.wall_before = seconds;
    }

    /// Keeps how far the clock came, so that a run taken up or reported later ends where it was left.
    pub fn keep_end(&mut self) {
        if self.keeper.is_some() {
            self.keep(What::Clock);
        }
        self.kept_progress = None;
        self.keep_progress();
    }

    /// Adds an entry at the present instant. In the past most entries begin another branch there.
    pub(super) fn keep(&mut self, what: What) {
        if self.replaying {
            return;
        }
        if self.in_the_past() {
            if what.is_timeless() {
                self.keep_timeless(what);
                return;
            }
            match &what {
                What::Clock => return,
                What::Line(line) if super::vocabulary::about_the_lab(line) => {
                    self.keep_within(what);
                    return;
                }
                _ => self.branch_here(),
            }
        }
        let entry = Entry { at_us: self.now().since(self.epoch()).0, what };
        let text = self.keeper.is_some().then(|| entry.text());
        self.kept_us = entry.at_us;
        // A clock mark is only for the file: it says how far the run came.
        if entry.what != What::Clock && self.keeps_log {
            self.log.push(entry);
            self.entries += 1;
        }
        self.write_down(text);
    }

    /// Appends to what the keeper has, or writes everything when it has less than the log.
    pub(super) fn write_down(&mut self, text: Option<String>) {
        if self.unkept && self.keeps_log {
            self.keep_anew();
            return;
        }
        match self.keeper.as_mut().zip(text).map(|(keeper, text)| keeper.append(&text)) {
            Some(Err(error)) if !self.unkept => {
                self.unkept = true;
                self.notices.push(format!("progress is not saved: {error}; kinlab goes on trying"));
            }
            Some(Ok(())) if self.unkept => {
                self.unkept = false;
                self.notices.push("progress is saved again".to_owned());
            }
            _ => {}
        }
    }

    /// Writes the whole log: after going back, or when the last write failed.
    pub(super) fn keep_anew(&mut self) {
        let Some(mut keeper) = self.keeper.take() else { return };
        let clock = Entry { at_us: self.newest.since(self.epoch()).0, what: What::Clock };
        match keeper.replace(&(self.log_text() + &clock.text())) {
            Ok(()) if self.unkept => {
                self.unkept = false;
                self.notices.push("progress is saved again".to_owned());
            }
            Ok(()) => {}
            Err(error) if !self.unkept => {
                self.unkept = true;
                self.notices.push(format!("progress is not saved: {error}; kinlab goes on trying"));
            }
            Err(_) => {}
        }
        self.keeper = Some(keeper);
    }

    /// How far the learner is.
    pub fn progress(&self) -> Progress {
        let view = self.lab_view();
        Progress {
            steps: view.steps.into_iter().map(|step| (step.title, step.done)).collect(),
            points: view.points,
            hints: self.run.hints_taken(),
            elapsed_us: self.now().since(self.epoch()).0,
            initials: self.run.named("initials").map(str::to_owned),
            wall_seconds: self.wall_before + self.wall.as_secs(),
        }
    }

    /// Keeps how far the learner is, when that changed.
    pub fn keep_progress(&mut self) {
        if self.keeper.is_none() || self.replaying || self.in_the_past() {
            return;
        }
        let progress = self.progress();
        let key = (progress.steps.clone(), progress.points, progress.hints, progress.initials.clone(), progress.wall_seconds / 60);
        if self.kept_progress.as_ref() == Some(&key) {
            return;
        }
        if let Some(Err(error)) = self.keeper.as_mut().map(|keeper| keeper.progress(&progress))
            && !self.unkept
        {
            self.unkept = true;
            self.notices.push(format!("progress is not saved: {error}; kinlab goes on trying"));
        }
        self.kept_progress = Some(key);
    }

    /// The last checkpoint of a flow of the agent.
    pub(super) fn place_of(&self, flow: usize) -> Option<Place> {
        self.log.iter().rev().find_map(|entry| match &entry.what {
            What::Place(index, place) if *index == flow => Some(place.clone()),
            _ => None,
        })
    }

    /// Something the learner did with the clock; checks look at it.
    pub(super) fn note_act(&mut self, act: &str) {
        if self.acts.insert(act.to_owned()) {
            self.run.act(act);
            self.keep(What::Act(act.to_owned()));
            self.evaluate();
        }
    }

    /// Carries out a command that is no line, and keeps it.
    pub(super) fn outside(&mut self, command: WorldCommand) -> Result<(), String> {
        self.engine.apply(&Command::World(command.clone())).map_err(|error| error.to_string())?;
        self.keep(What::World(Box::new(command)));
        Ok(())
    }
}
