//! Somebody at the keyboard who knows the way: types the lines of a script into the command overlay, key by key at a human pace, and lets the world
//! run between them. Time comes from outside, so the same script makes the same keys; the world stands still while something is typed, so what a
//! line meets does not depend on how fast that goes.

use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::time::VirtualDuration;
use crate::lab::beats::Cue;
use crate::session::driver::Act;
use crate::session::view::SessionView;

use super::action::ActionId;
use super::app::{App, Overlay};
use super::keys::{Chord, Key};

/// How long an answer that lies over the screen is left there, and how long one line of it at the edge.
const READ: Duration = Duration::from_millis(2600);
const GLANCE: Duration = Duration::from_millis(700);
/// Keys after which a long line is typed faster: nobody watches two hundred characters at the same pace.
const PATIENCE: usize = 48;

/// What happens next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A key is pressed.
    Key(Chord),
    /// The driver does something.
    Act(Act),
    /// Nothing for so long.
    Later(Duration),
    /// The world has to go on first.
    World,
    /// The script is over.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Next,
    Typing(Vec<char>, usize),
    Reading(bool),
    Playing { until_us: u64, check: Option<(String, u64)> },
}

/// A script being typed.
#[derive(Debug, Clone)]
pub struct Demo {
    cues: VecDeque<Cue>,
    typing: Duration,
    /// Nothing happens before.
    at: Duration,
    phase: Phase,
    /// Title of each check by its id.
    checks: Vec<(String, String)>,
    keys: usize,
}

impl Demo {
    /// A script with the time of one key.
    pub fn new(cues: Vec<Cue>, typing: Duration) -> Self {
        Self { cues: cues.into(), typing, at: Duration::from_millis(900), phase: Phase::Next, checks: Vec::new(), keys: 0 }
    }

    /// With the titles of a lab's checks, for scripts that wait for one.
    pub fn with_checks(self, checks: Vec<(String, String)>) -> Self {
        Self { checks, ..self }
    }

    /// The time of the next key: never twice the same, and always the same again.
    fn pace(&self, nth: usize) -> Duration {
        let uneven = (self.keys * 37 + nth * 53) % 60;
        let base = if nth > PATIENCE { self.typing / 4 } else { self.typing };
        base * (70 + u32::try_from(uneven).unwrap_or(0)) / 100
    }

    fn met(&self, view: &SessionView, check: &str) -> bool {
        let title = self.checks.iter().find(|(id, _)| id == check).map(|(_, title)| title);
        title.is_some_and(|title| view.lab.marks.iter().any(|mark| mark.glyph == '✓' && mark.label == *title))
    }

    fn play(&mut self, until_us: u64, check: Option<(String, u64)>) -> Step {
        self.phase = Phase::Playing { until_us, check };
        Step::Act(Act::PlayTo(until_us))
    }

    /// What happens at `now`.
    pub fn next(&mut self, now: Duration, app: &App, view: &SessionView) -> Step {
        if now < self.at {
            return Step::Later(self.at.saturating_sub(now));
        }
        let (elapsed, second) = (view.clock.elapsed_us, VirtualDuration::SECOND.0);
        match self.phase.clone() {
            Phase::Next => match self.cues.pop_front() {
                None => Step::End,
                Some(Cue::Do(line)) => {
                    self.at = now + self.typing * 5;
                    match app.look.keymap.keys(ActionId::Commands).first() {
                        Some(open) => {
                            self.phase = Phase::Typing(line.chars().collect(), 0);
                            Step::Key(*open)
                        }
                        // Somebody took the key away; the line works without it.
                        None => {
                            self.phase = Phase::Reading(false);
                            Step::Act(Act::Line(line))
                        }
                    }
                }
                Some(Cue::Play(time)) => self.play(elapsed + time.0, None),
                Some(Cue::Until(check, most)) => self.play((elapsed / second + 1) * second, Some((check, elapsed + most.0))),
            },
            Phase::Typing(line, nth) => match line.get(nth) {
                Some(c) => {
                    let c = *c;
                    self.keys += 1;
                    self.phase = Phase::Typing(line, nth + 1);
                    self.at = now + self.pace(nth);
                    Step::Key(Chord::plain(Key::Char(c)))
                }
                None => {
                    self.phase = Phase::Reading(false);
                    self.at = now + GLANCE;
                    Step::Key(Chord::plain(Key::Enter))
                }
            },
            Phase::Reading(read) => match app.overlays.last() {
                // A refused line stays on the screen: that is where the script ends.
                Some(Overlay::Output(output)) if output.failed => Step::End,
                Some(_) if !read => {
                    self.phase = Phase::Reading(true);
                    self.at = now + READ;
                    Step::Later(READ)
                }
                Some(_) => {
                    self.at = now + GLANCE / 2;
                    Step::Key(Chord::plain(Key::Esc))
                }
                None => {
                    self.phase = Phase::Next;
                    self.at = now + GLANCE;
                    Step::Later(GLANCE)
                }
            },
            Phase::Playing { until_us, .. } if elapsed < until_us || !view.clock.paused => Step::World,
            Phase::Playing { check: Some((check, most)), .. } if elapsed < most && !self.met(view, &check) => {
                self.play(((elapsed / second + 1) * second).min(most), Some((check, most)))
            }
            Phase::Playing { .. } => {
                self.phase = Phase::Next;
                self.at = now + GLANCE / 2;
                Step::Later(GLANCE / 2)
            }
        }
    }
}
