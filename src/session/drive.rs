//! The session as the dashboard drives it.

use core::time::Duration;

use crate::api::ModelYear;
use crate::api::cli;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::view::Wants;

use super::code::CodeReport;
use super::driver::{Act, Driver, Outcome, Turn};
use super::play::Session;
use super::runlog::What;
use super::view::{ClockView, SessionView};
use super::vocabulary;

/// Longest wait of a step to the next event.
const STEP_MAX: VirtualDuration = VirtualDuration::from_secs(60);
/// Time between two frames while the world runs.
const FRAME: Duration = Duration::from_millis(50);
/// Time between two looks for requests of clients, and while they come one after the other.
const ASK_EVERY: Duration = Duration::from_millis(15);
const BUSY: Duration = Duration::from_millis(1);

impl Session {
    /// Wanted speed in percent of real time; `None` = as fast as possible.
    pub fn speed_percent(&self) -> Option<u32> {
        self.clock.speed_percent()
    }

    fn clock_view(&self) -> ClockView {
        ClockView {
            paused: self.clock.paused(),
            speed_percent: self.clock.speed_percent(),
            real_percent: self.clock.real_percent(),
            in_the_past: self.in_the_past(),
            newest_us: self.newest.since(self.epoch()).0,
            elapsed_us: self.now().since(self.epoch()).0,
            duration_us: self.ends().since(self.epoch()).0,
        }
    }

    fn shift(&mut self, micros: i64) -> Outcome {
        self.clock.set_paused(true);
        let by = VirtualDuration(micros.unsigned_abs());
        self.stop_at = None;
        if micros >= 0 {
            return match self.travel(self.now() + by) {
                Ok(()) => Outcome::default(),
                Err(error) => Outcome::refused(error),
            };
        }
        match self.rewind(by) {
            Ok(()) => {
                self.note_act("rewind");
                Outcome::said(format!("Back at {}.", self.now().clock_text()))
            }
            Err(error) => Outcome::refused(error),
        }
    }

    fn step_event(&mut self) -> Outcome {
        self.clock.set_paused(true);
        let (before, until) = (self.world().journal().total(), self.now() + STEP_MAX);
        while self.world().journal().total() == before && self.now() < until {
            let next = self.world().next_event_at().unwrap_or(until).min(self.now().next_second()).min(until);
            self.advance(next.max(VirtualTime(self.now().0 + 1)));
        }
        Outcome::default()
    }

    fn solve(&mut self) -> Outcome {
        let solution = self.lab().lab.steps.get(self.lab().current()).map(|step| step.spec.solution.clone()).unwrap_or_default();
        if let Some(step) = self.lab().lab.steps.get(self.lab().current()) {
            let act = crate::lab::run::applied(&step.spec.id);
            self.note_act(&act);
        }
        let mut outcome = Outcome::said("The solution of this step was carried out.");
        for line in solution {
            let done = self.line(&line);
            if done.failed {
                return done;
            }
            outcome.output.push_str(&done.output);
        }
        self.clock.forget();
        outcome
    }

    /// Back to the beginning of the step; from there, to the beginning of the one before.
    fn back_a_step(&mut self) -> Outcome {
        let began = self.lab().step_began();
        if self.lab().current() == 0 || self.now().since(began) > VirtualDuration::from_secs(2) {
            return match self.reset_step() {
                Ok(()) => Outcome::said("At the beginning of this step."),
                Err(error) => Outcome::refused(error),
            };
        }
        match self.reset_to_step_before() {
            Ok(()) => Outcome::said("At the beginning of the step before."),
            Err(error) => Outcome::refused(error),
        }
    }

    /// `speed 4`, `pause`: lines about the pace; `None` when it is another line.
    pub(super) fn speed_line(&mut self, line: &str) -> Option<Outcome> {
        let mut words = line.split_whitespace();
        match (words.next()?, words.next()) {
            ("speed", Some("max")) => {
                self.clock.set_speed(None);
                self.note_act("faster");
                Some(Outcome::said("As fast as possible."))
            }
            ("speed", Some(text)) => {
                let percent = text.trim_end_matches('x').parse::<f64>().ok().map(|factor| libm::round(factor * 100.0) as u32);
                let known = percent.is_some_and(|percent| self.clock.set_speed(Some(percent)));
                if known && percent > Some(100) {
                    self.note_act("faster");
                }
                Some(if known { Outcome::said(format!("Speed {text}.")) } else { Outcome::refused("speeds are 0.25 0.5 1 2 4 8 16 32 64 max") })
            }
            ("go", None) => {
                self.clock.set_paused(false);
                Some(Outcome::said("Time runs."))
            }
            ("pause", None) => {
                self.clock.set_paused(true);
                self.note_act("pause");
                Some(Outcome::said("Time stands still."))
            }
            _ => None,
        }
    }
}

impl Driver for Session {
    fn view(&mut self, wants: &Wants) -> SessionView {
        let mut lab = self.lab_view();
        lab.marks = self.timeline_marks(std::mem::take(&mut lab.marks));
        SessionView {
            world: Session::view(self, wants),
            lab,
            clock: self.clock_view(),
            notices: self.recent_notices(),
            drafts: self.drafts.clone(),
            branches: self.branch_views(),
            compared: self.compared_view(wants.history_seconds),
        }
    }

    fn act(&mut self, act: Act) -> Outcome {
        match act {
            Act::Line(line) => {
                let outcome = self.line(&line);
                self.clock.forget();
                outcome
            }
            Act::TogglePause => {
                self.clock.set_paused(!self.clock.paused());
                if self.clock.paused() {
                    self.note_act("pause");
                }
                Outcome::default()
            }
            Act::Pause(paused) => {
                self.stop_at = None;
                self.clock.set_paused(paused);
                Outcome::default()
            }
            Act::Faster | Act::Slower => {
                self.clock.shift_speed(act == Act::Faster);
                if act == Act::Faster {
                    self.note_act("faster");
                }
                Outcome::default()
            }
            Act::StepEvent => self.step_event(),
            Act::Shift(micros) => self.shift(micros),
            Act::ToStart => self.shift(-(i64::try_from(self.now().since(self.epoch()).0).unwrap_or(i64::MAX))),
            Act::ToNow => match self.travel(self.newest) {
                Ok(()) => Outcome::said("This is the newest instant."),
                Err(error) => Outcome::refused(error),
            },
            Act::Hint => self.line("hint"),
            Act::ResetStep => match self.reset_step() {
                Ok(()) => Outcome::said("The step begins anew."),
                Err(error) => Outcome::refused(error),
            },
            // The dashboard asks before it skips.
            Act::NextStep => self.solve(),
            Act::PreviousStep => self.back_a_step(),
            Act::Solve => self.solve(),
            Act::Bookmark(text) => {
                let at_us = self.now().since(self.epoch()).0;
                self.bookmarks.push((self.now(), text.clone()));
                self.keep(What::Bookmark(at_us, text));
                Outcome::said("Bookmark set.")
            }
            Act::PlayTo(elapsed_us) => {
                self.stop_at = Some(self.epoch() + VirtualDuration(elapsed_us));
                self.clock.set_paused(false);
                Outcome::default()
            }
            Act::Mark(number) => {
                self.mark(number);
                Outcome::default()
            }
            Act::Return(number) => {
                self.clock.set_paused(true);
                self.stop_at = None;
                match self.return_to(number) {
                    Ok(()) => Outcome::default(),
                    Err(error) => Outcome::refused(error),
                }
            }
        }
    }

    fn turn(&mut self, wall: Duration, _budget: Duration) -> Turn {
        self.wall = wall;
        if self.clock.paused() {
            // Clients are answered while time stands still; what needs time waits for it.
            let asked = self.answer_clients();
            return Turn { changed: asked, sleep: self.served.is_some().then_some(if asked { BUSY } else { ASK_EVERY }) };
        }
        // What arrives outside belongs to the newest instant.
        if !self.in_the_past() {
            self.look_at_files(wall);
        }
        let now = self.now();
        let target = self.clock.target(wall, now);
        let target = self.stop_at.map_or(target, |stop| target.min(stop));
        if target > now {
            self.advance(target);
        }
        let arrived = self.stop_at.is_some_and(|stop| self.now() >= stop);
        if arrived {
            self.stop_at = None;
            self.clock.set_paused(true);
        }
        let asked = self.answer_clients();
        let sleep = match (self.clock.speed_percent(), self.served.is_some()) {
            (None, _) => Duration::ZERO,
            (_, false) => FRAME,
            (_, true) if asked => BUSY,
            (_, true) => ASK_EVERY,
        };
        Turn { changed: asked || arrived || self.now() != now, sleep: Some(sleep) }
    }

    fn complete(&self, line: &str) -> Vec<(String, String)> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if words.first().is_some_and(|word| word == "aws") {
            let year = if self.world().config().limits.modern { ModelYear::Current } else { ModelYear::Y2018 };
            let head = line.rsplit_once(' ').map_or("", |(head, _)| head);
            return cli::completions(&words, year).into_iter().map(|found| (format!("{head} {}", found.word), found.hint)).collect();
        }
        vocabulary::words().filter(|(word, _)| word.starts_with(line)).map(|(word, doc)| (word.to_owned(), doc.to_owned())).collect()
    }

    fn code_report(&self, application: &str, code: &str) -> CodeReport {
        Session::code_report(self, application, code)
    }

    fn keep_draft(&mut self, application: &str, code: Option<String>) {
        Session::keep_draft(self, application, code);
    }

    fn report(&self) -> Option<super::report::Report> {
        Some(Session::report(self))
    }

    fn leave(&mut self) -> Result<String, String> {
        self.keep_progress();
        Ok(format!("{} of {} points, journal {}", self.lab_view().points.0, self.lab_view().points.1, self.world().journal_hash()))
    }
}
