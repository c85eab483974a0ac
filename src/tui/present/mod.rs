//! The presenter: a lab as beats, one idea on the screen at a time. Space plays a beat to its end, `b` goes back with the state of the world.
//!
//! Invariant: what a beat does reaches the world only by acts of the driver, one after the other, each after the answer to the one before; so a
//! beat plays the same whatever the speed.

pub(super) mod draw;
pub mod follow;
mod letters;
pub mod notes;
mod play;
pub mod published;
mod stage;
#[cfg(test)]
mod story;

use std::collections::VecDeque;
use std::rc::Rc;

use crate::lab::Lab;
use crate::lab::beats::{BeatSpec, Cue};
use crate::session::driver::Act;

use super::ids::{PaneId, Screen};

pub use play::{done, key, resume, turned};

/// Keys remembered for `o`.
const KEYS_SHOWN: usize = 6;

/// What the light falls on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// A pane.
    Pane(PaneId),
    /// What the last command answered.
    Output,
}

impl Spot {
    /// The spotlight of a name in a lab file.
    pub fn by_name(name: &str) -> Self {
        Self::Pane(match name {
            "map" => PaneId::HashMap,
            "pipeline" => PaneId::Pipeline,
            "programs" => PaneId::Programs,
            "consumers" => PaneId::Consumers,
            "record" => PaneId::Record,
            "race" => PaneId::Delivery,
            "functions" => PaneId::Function,
            "objects" => PaneId::Objects,
            "code" => PaneId::SqlCode,
            "streams" => PaneId::InAppStreams,
            "rows" => PaneId::SqlRows,
            "metrics" => PaneId::Charts,
            "cost" => PaneId::Cost,
            "accounting" => PaneId::Accounting,
            "journal" => PaneId::Journal,
            "output" => return Self::Output,
            _ => PaneId::Shards,
        })
    }

    /// The screen and pane that show it in the dashboard.
    fn home(self) -> (Screen, PaneId) {
        let pane = match self {
            Self::Pane(pane) => pane,
            Self::Output => PaneId::Journal,
        };
        let screen = Screen::ALL.into_iter().skip(1).find(|screen| screen.panes().contains(&pane));
        (screen.unwrap_or(Screen::Overview), pane)
    }
}

/// How far a beat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeatState {
    /// It is announced; nothing of it is done.
    Ready,
    /// It plays.
    Playing,
    /// Its end is reached.
    Over,
}

/// What the presenter waits for while time runs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wait {
    /// Time stops here, microseconds since the start.
    until_us: u64,
    /// The check waited for, and how long at most.
    check: Option<(String, u64)>,
}

/// The presenter's memory.
#[derive(Debug, Clone)]
pub struct Presenter {
    /// The beats.
    pub beats: Rc<[BeatSpec]>,
    /// Title of each check by its id, as marks on the timeline name it.
    checks: Rc<[(String, String)]>,
    /// The beat shown.
    pub at: usize,
    /// How far it is.
    pub state: BeatState,
    /// The presenter has the screen; else the dashboard has it.
    pub on: bool,
    /// The spotlighted pane has the whole screen.
    pub zoomed: bool,
    /// The last keys pressed are shown.
    pub show_keys: bool,
    /// They.
    pub keys: Vec<String>,
    /// Digits typed after `G`.
    pub typed: Option<String>,
    /// The last command, and what it answered.
    pub output: Option<(String, String)>,
    /// Why the beat stopped before its end.
    pub failed: Option<String>,
    cues: VecDeque<Cue>,
    pending: Option<Act>,
    wait: Option<Wait>,
    /// Time is not watched but jumped over.
    hurry: bool,
    /// Beat to go to, playing those before at once.
    going: Option<usize>,
}

impl Presenter {
    /// A presenter at the first beat of a lab; `None` when the lab has none.
    pub fn new(lab: &Lab) -> Option<Self> {
        let beats: Rc<[BeatSpec]> = lab.scenario.beat.iter().map(|beat| beat.get_ref().clone()).collect();
        let checks = lab.scenario.check.iter().map(|(id, check)| (id.clone(), check.title.clone())).collect();
        (!beats.is_empty()).then(|| Self::of(beats, checks))
    }

    /// A presenter at the first of some beats, of which there is one at least.
    fn of(beats: Rc<[BeatSpec]>, checks: Rc<[(String, String)]>) -> Self {
        Self {
            beats,
            checks,
            at: 0,
            state: BeatState::Ready,
            on: true,
            zoomed: false,
            show_keys: false,
            keys: Vec::new(),
            typed: None,
            output: None,
            failed: None,
            cues: VecDeque::new(),
            pending: None,
            wait: None,
            hurry: false,
            going: None,
        }
    }

    /// The beat shown.
    pub fn beat(&self) -> &BeatSpec {
        &self.beats[self.at.min(self.beats.len() - 1)]
    }

    /// What it points at.
    pub fn spot(&self) -> Spot {
        Spot::by_name(&self.beat().spotlight)
    }

    fn remember_key(&mut self, name: String) {
        self.keys.push(name);
        if self.keys.len() > KEYS_SHOWN {
            self.keys.remove(0);
        }
    }
}
