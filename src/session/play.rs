//! The session: virtual time in whole seconds of checks, and the log of lines that is the run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::Blob;
use crate::api::cli::{FileSource, NoFiles};
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::view::{View, Wants};
use crate::engine::{Budget, Command, Engine};
use crate::lab::view::LabView;
use crate::lab::{Lab, LabRun, build_world};

use super::branches::Branches;
use super::clients::{Back, Served};
use super::clock::Clock;
use super::driver::Outcome;
use super::handlers::Handlers;
use super::outside::AgentRun;
use super::runlog::{Entry, Keeper, What};
use super::travel::Saved;

/// A lab being played.
#[derive(Debug)]
pub struct Session {
    pub(super) lab: Arc<Lab>,
    seed: Option<u64>,
    pub(super) engine: Engine,
    pub(super) run: LabRun,
    /// Everything that entered, with its instant: with the seed, this is the run. In the past, what is still to come stands in it, too.
    pub(super) log: Vec<Entry>,
    /// Entries of the log that are done: all of them, except in the past.
    pub(super) entries: usize,
    /// The last instant of this branch.
    pub(super) newest: VirtualTime,
    /// The instant at which the learner's run begins: the lab's own preparation lies before it.
    pub(super) begins: VirtualTime,
    /// When lines that let time pass ended, by their instant and text.
    pub(super) passages: BTreeMap<(VirtualTime, String), VirtualTime>,
    /// A line is being carried out that is part of the run.
    pub(super) within_line: bool,
    /// The branch being played, and the others.
    pub(super) branches: Branches,
    /// What the learner did with the clock, at any time: going back does not undo it.
    pub(super) acts: BTreeSet<String>,
    /// Bookmarks, in the order they were set.
    pub(super) bookmarks: Vec<(VirtualTime, String)>,
    /// Lints of the coach that say nothing.
    pub(super) muted: BTreeSet<String>,
    /// The record being followed; going back in time does not end it.
    pub(super) followed: Option<crate::engine::trail::Followed>,
    /// Code being written, by application.
    pub(super) drafts: BTreeMap<String, String>,
    pub(super) keeper: Option<Box<dyn Keeper>>,
    /// The keeper has less than the log.
    pub(super) unkept: bool,
    /// Instant of the last thing kept, microseconds since the start.
    pub(super) kept_us: u64,
    pub(super) kept_progress: Option<ProgressKey>,
    pub(super) agent: Option<AgentRun>,
    /// Reads what lines name with file://.
    files: Option<Box<dyn FileSource>>,
    /// Handlers and what they answered.
    pub(super) handlers: Handlers,
    /// Time passes in pieces of at most this much; only a proof that pieces do not matter sets it.
    granularity: VirtualDuration,
    /// The last shard iterator that a command answered.
    pub(super) iterator: Option<String>,
    pub(super) notices: Vec<String>,
    /// An entry of the log is being done again.
    pub(super) replaying: bool,
    /// Saved worlds, oldest first; only kept for front ends that go back in time by keys.
    pub(super) saved: Vec<Arc<Saved>>,
    pub(super) keeps_checkpoints: bool,
    /// Seconds between two saved worlds.
    pub(super) save_every: u64,
    pub(super) clock: Clock,
    /// Clients of the endpoint.
    pub(super) served: Option<Served>,
    /// Invocations whose outcome is to come, and who waits for it.
    pub(super) invocations: Vec<(u64, Option<Box<dyn Back>>)>,
    /// The log stays in memory: front ends go back in time with it. A bare endpoint only writes it down.
    pub(super) keeps_log: bool,
    /// Seconds at the keyboard before this process, and since it began; part of the progress, not of the run.
    pub(super) wall_before: u64,
    pub(super) wall: core::time::Duration,
    /// Where time running by itself stops.
    pub(super) stop_at: Option<VirtualTime>,
    /// Moments to come back to: number, instant, entries of the log.
    pub(super) marks: Vec<(usize, VirtualTime, usize)>,
}

/// What of the progress is worth writing again when it changes: steps, points, hints, initials, minutes at the keyboard.
pub(super) type ProgressKey = (Vec<(String, bool)>, (u32, u32), usize, Option<String>, u64);

/// Files as a session reads them: from the front end, or again from the log.
#[derive(Debug)]
pub(super) struct SessionFiles<'s>(pub(super) &'s mut Session);

impl FileSource for SessionFiles<'_> {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let session = &mut *self.0;
        if session.replaying && session.lab.file(path).is_none() {
            // What was read when the line was new stands behind it.
            let recorded = session.log[session.entries..].iter().find_map(|entry| match &entry.what {
                What::File(known, bytes) if known == path => Some(bytes.0.to_vec()),
                _ => None,
            });
            return recorded.ok_or_else(|| format!("'{path}' is not part of the saved run"));
        }
        // The lab's own files come first: they are part of the run already.
        if let Some(bytes) = session.lab.file(path) {
            return Ok(bytes.to_vec());
        }
        if let Some(code) = session.draft_file(path) {
            let bytes = code.clone().into_bytes();
            session.keep(What::File(path.to_owned(), Blob::from(bytes.clone())));
            return Ok(bytes);
        }
        let Some(files) = &mut session.files else { return NoFiles.read(path) };
        let bytes = files.read(path)?;
        session.keep(What::File(path.to_owned(), Blob::from(bytes.clone())));
        Ok(bytes)
    }
}

/// Virtual time between two marks of how far the clock came.
const KEEP_CLOCK_EVERY: VirtualDuration = VirtualDuration::from_secs(10);
/// Sentences kept for front ends that do not take them.
const NOTICES_MAX: usize = 200;

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
            entries: 0,
            newest: VirtualTime(0),
            begins: VirtualTime(0),
            passages: BTreeMap::new(),
            within_line: false,
            branches: Branches::default(),
            acts: BTreeSet::new(),
            bookmarks: Vec::new(),
            muted: BTreeSet::new(),
            followed: None,
            drafts: BTreeMap::new(),
            keeper: None,
            unkept: false,
            kept_us: 0,
            kept_progress: None,
            agent: None,
            files: None,
            handlers: Handlers::default(),
            granularity: VirtualDuration::SECOND,
            iterator: None,
            notices: Vec::new(),
            replaying: false,
            saved: Vec::new(),
            keeps_checkpoints: false,
            save_every: super::travel::SAVE_EVERY_SECS,
            clock: Clock::default(),
            served: None,
            invocations: Vec::new(),
            keeps_log: true,
            wall_before: 0,
            wall: core::time::Duration::ZERO,
            stop_at: None,
            marks: Vec::new(),
        };
        session.set_up()?;
        session.evaluate();
        session.newest = session.now();
        session.begins = session.now();
        Ok(session)
    }

    /// Does what the lab does before the learner begins.
    fn set_up(&mut self) -> Result<(), String> {
        for line in self.lab.scenario.setup.clone() {
            let outcome = super::language::carry_out(self, &line);
            if outcome.failed {
                return Err(format!("setup, '{line}': {}", outcome.message));
            }
        }
        Ok(())
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
        let mut view = self.engine.view(wants);
        view.coach.retain(|line| !self.muted.contains(&line.lint));
        for line in &mut view.coach {
            line.since = self.said_since(&line.lint, &line.resource).unwrap_or(line.since);
        }
        view
    }

    /// The lab for display.
    pub fn lab_view(&self) -> LabView {
        self.run.view(self.now())
    }

    /// Sentences of the front end, shown like the session's own.
    pub fn tell(&mut self, sentences: Vec<String>) {
        self.notices.extend(sentences);
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

    /// Lets time pass in smaller pieces than a second from now on. Results must not depend on it.
    pub fn set_granularity(&mut self, pieces: VirtualDuration) {
        self.granularity = VirtualDuration(pieces.0.clamp(1, 1_000_000));
    }

    /// Lets time pass; what the log has for this time is done at its instant.
    pub fn advance(&mut self, until: VirtualTime) {
        while self.log.get(self.entries).is_some_and(|entry| self.epoch() + VirtualDuration(entry.at_us) <= until) {
            self.redo_next();
        }
        self.pass(until);
        self.newest = self.newest.max(self.now());
    }

    /// Lets time pass; checks are evaluated at every whole second.
    pub(super) fn pass(&mut self, until: VirtualTime) {
        while self.engine.now() < until {
            self.turn_outward();
            let next = self.engine.now().next_second().min(self.engine.now() + self.granularity).min(until);
            while self.engine.advance(next, Budget::UNLIMITED) == crate::engine::Progress::Wants {
                self.answer_wants();
            }
            if next.0.is_multiple_of(crate::engine::time::MICROS_PER_SECOND) {
                self.evaluate();
                self.whole_second();
            }
        }
    }

    /// What is kept at whole seconds: worlds to go back to, and how far the run came.
    fn whole_second(&mut self) {
        if self.replaying {
            return;
        }
        self.save_when_due();
        if self.in_the_past() {
            return;
        }
        self.trace_second();
        self.copy_objects();
        if self.keeper.is_some() && self.now().since(self.epoch()).0 >= self.kept_us + KEEP_CLOCK_EVERY.0 {
            self.keep(What::Clock);
        }
    }

    pub(super) fn evaluate(&mut self) {
        let step = self.run.current();
        let (commands, said) = self.run.second(&self.engine);
        if self.run.current() != step {
            // Several steps can be over at once.
            let now = self.now();
            self.run.began.resize(self.run.current() + 1, (now, self.entries));
        }
        for command in commands {
            if let Err(error) = self.engine.apply(&Command::World(command)) {
                self.notices.push(format!("timeline: {error}"));
            }
        }
        self.notices.extend(said);
        if self.notices.len() > NOTICES_MAX {
            self.notices.drain(..NOTICES_MAX / 2);
        }
        self.keep_progress();
    }

    /// Carries out a line now.
    pub fn line(&mut self, line: &str) -> Outcome {
        // The pace is not part of the run: a replay goes as fast as it can.
        if let Some(outcome) = self.speed_line(line) {
            return outcome;
        }
        // Lines that only move time are the distance between the others.
        let shows = line.trim().is_empty() || super::vocabulary::is_travel(line) || (self.in_the_past() && super::vocabulary::only_shows(line));
        if !self.replaying && !shows {
            self.keep(What::Line(line.to_owned()));
        }
        self.carry_out(line)
    }

    /// After requests of clients, as after a line.
    pub(super) fn after_requests(&mut self) {
        self.answer_wants();
        self.evaluate();
        self.copy_objects();
    }

    /// The world and the lab as at the beginning.
    pub(super) fn build_anew(&mut self) -> Result<(), String> {
        self.engine = build_world(&self.lab, self.seed)?;
        self.run = LabRun::new(self.lab.clone(), self.engine.now());
        self.iterator = None;
        self.entries = 0;
        // The lab's own lines come before everything in the log.
        let log = std::mem::take(&mut self.log);
        let done = self.set_up();
        self.evaluate();
        self.log = log;
        done
    }

    /// Forgets everything that was done; the clock stays where it is.
    pub(super) fn begin_anew(&mut self) -> Result<(), String> {
        let now = self.now();
        self.saved.clear();
        self.log.clear();
        self.build_anew()?;
        self.branches = Branches::default();
        self.newest = self.now();
        self.invocations.clear();
        self.advance(now);
        self.keep_anew();
        Ok(())
    }

    /// A line, and the checks at its instant: what was done while time stands still shows at once.
    pub(super) fn carry_out(&mut self, line: &str) -> Outcome {
        let (began, acts) = (self.now(), !super::vocabulary::is_travel(line));
        let outer = std::mem::replace(&mut self.within_line, acts);
        let outcome = super::language::carry_out(self, line);
        self.within_line = outer;
        if acts {
            let key = (began, line.to_owned());
            // The same line may have taken time here in another future.
            if self.now() > began {
                self.passages.insert(key, self.now())
            } else {
                self.passages.remove(&key)
            };
        }
        self.answer_wants();
        if !super::vocabulary::moves_time(line) {
            self.evaluate();
        }
        if !self.replaying && !self.in_the_past() {
            self.copy_objects();
        }
        outcome
    }

    /// Python handlers run with `runner` from now on.
    pub fn run_python_with(&mut self, runner: Box<dyn super::handlers::Runner>) {
        self.handlers.python = Some(runner);
    }

    /// Objects are copied to `mirror` from now on, as they are written.
    pub fn mirror_with(&mut self, mirror: Box<dyn super::handlers::Mirror>) {
        self.handlers.mirror = Some((mirror, 0));
        self.copy_objects();
    }

    /// Lines may name files from now on; what they hold becomes part of the run.
    pub fn read_files_with(&mut self, files: Box<dyn FileSource>) {
        self.files = Some(files);
    }
}

#[cfg(test)]
mod tests {
    use super::super::runlog::Progress;
    use super::*;
    use crate::lab::embedded;
    use std::cell::RefCell;
    use std::rc::Rc;

    fn session(lab: &str) -> Session {
        let (_, files) = embedded::find(lab).expect("exists");
        Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("good")
    }

    /// A disk that can be full.
    #[derive(Debug, Clone, Default)]
    struct Memory(Rc<RefCell<(String, bool)>>);

    impl Keeper for Memory {
        fn append(&mut self, text: &str) -> Result<(), String> {
            let mut inner = self.0.borrow_mut();
            if inner.1 {
                return Err("No space left on device".to_owned());
            }
            inner.0 += text;
            Ok(())
        }
        fn replace(&mut self, text: &str) -> Result<(), String> {
            if self.0.borrow().1 {
                return Err("No space left on device".to_owned());
            }
            text.clone_into(&mut self.0.borrow_mut().0);
            Ok(())
        }
        fn progress(&mut self, _: &Progress) -> Result<(), String> {
            Ok(())
        }
    }

    const REPLAY: &str = "java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamRegion us-east-1 -speedup 600 -streamName dcb-taxi-trips";

    fn play(session: &mut Session) {
        for line in ["aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6", "run 2s", REPLAY, "run 9s", "hint"] {
            assert!(!session.line(line).failed, "{line}");
        }
    }

    #[test]
    fn a_killed_run_resumes_with_the_same_world() {
        let disk = Memory::default();
        let mut first = session("lab1");
        first.keep_with(Box::new(disk.clone()));
        play(&mut first);
        let text = disk.0.borrow().0.clone();
        let saved = super::super::runlog::SavedRun::parse(&text).expect("good");
        assert_eq!(saved.header, first.header());
        let mut second = session("lab1");
        second.resume(saved.entries);
        second.advance(first.now());
        assert_eq!(second.world().journal_hash(), first.world().journal_hash());
        assert_eq!(second.lab().hints_taken(), 1);
    }

    #[test]
    fn a_full_disk_loses_nothing_once_there_is_room() {
        let disk = Memory::default();
        let mut session = session("lab1");
        session.keep_with(Box::new(disk.clone()));
        session.line("hint");
        disk.0.borrow_mut().1 = true;
        session.line("hint");
        session.line("hint");
        let said = session.take_notices().concat();
        assert_eq!(said.matches("progress is not saved: No space left").count(), 1, "{said}");
        disk.0.borrow_mut().1 = false;
        session.line("shards");
        assert_eq!(disk.0.borrow().0.matches("\"hint\"").count(), 3);
    }

    #[test]
    fn going_back_and_forward_is_the_same_world_and_a_reset_keeps_the_step_before() {
        let (mut straight, mut bent) = (session("lab1"), session("lab1"));
        bent.keep_checkpoints();
        play(&mut straight);
        play(&mut bent);
        straight.line("run 30s");
        bent.line("run 40s");
        bent.line("rewind 33s");
        bent.line("run 23s");
        assert_eq!(bent.now(), straight.now());
        assert_eq!(bent.world().journal_hash(), straight.world().journal_hash());
        // The answer that ended the step before happened at the instant the step began.
        let mut boarding = session("lab0");
        boarding.line("initials abc");
        assert_eq!(boarding.lab().current(), 1);
        boarding.line("run 5s");
        boarding.line("pause");
        boarding.reset_step().expect("possible");
        assert_eq!((boarding.lab().current(), boarding.now()), (1, boarding.epoch()));
        assert_eq!(boarding.lab().named("initials"), Some("abc"));
    }

    #[test]
    fn what_came_from_outside_stays_when_time_goes_back() {
        use super::super::input::{InputOptions, read};
        let mut session = session("lab1");
        let records = read(b"{\"a\":1}\n{\"a\":2}\n", &InputOptions::default()).records;
        session.feed("dcb-taxi-trips", records, None).expect("possible");
        assert_eq!(session.finish_input().1, 2);
        session.line("run 20s");
        session.line("rewind 2h");
        session.line("aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 1");
        session.line("run 20s");
        let stored: u64 = session.view(&Wants::default()).streams.iter().map(|stream| stream.stored_records).sum();
        assert_eq!(stored, 2);
    }
}
