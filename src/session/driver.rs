//! What a front end may ask of a session. The dashboard and the line mode know only this trait, so that tests drive them with fixtures.

use core::time::Duration;

use crate::engine::view::Wants;

use super::code::CodeReport;
use super::view::SessionView;

/// Something the learner does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A line of the command language: `aws …`, `java -jar …`, `answer …`, `hint`, `speed 4`, `run 12s` …
    Line(String),
    /// Run or pause.
    TogglePause,
    /// Pause (true) or run (false).
    Pause(bool),
    /// Next faster speed: 0.25x, 0.5x, 1x, 2x, 4x, 8x, 16x, 32x, 64x, max.
    Faster,
    /// Next slower speed.
    Slower,
    /// Advance to the next event that changes something worth seeing, then pause.
    StepEvent,
    /// Move by this many virtual microseconds (negative = back), then pause.
    Shift(i64),
    /// To the start of the lab.
    ToStart,
    /// Back to the newest instant.
    ToNow,
    /// Take the next hint.
    Hint,
    /// Reset the current step (its commands are undone).
    ResetStep,
    /// Go on to the next step (allowed when done, or as a skip with the solution applied).
    NextStep,
    /// Show the previous step again (no effect on the world).
    PreviousStep,
    /// Apply the solution of the current step.
    Solve,
    /// Put a bookmark here.
    Bookmark(String),
    /// Let time run, at its speed, to so many microseconds since the start, and pause there exactly.
    PlayTo(u64),
    /// Remember this moment under a number; those of higher numbers are forgotten.
    Mark(usize),
    /// Back to the moment of a number, with everything as it was before anything was done there.
    Return(usize),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Standard output of a command (JSON of an `aws` call …); empty when there is none.
    pub output: String,
    /// Sentences for the learner: errors, confirmations.
    pub message: String,
    /// The act was refused or the command failed.
    pub failed: bool,
    /// Exit status in the sense of the AWS CLI: 0, 252, 254 …
    pub status: u8,
    /// The front end should end (`quit`).
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

/// What a turn did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Something visible changed.
    pub changed: bool,
    /// How long the front end may sleep; `None` = until input (paused or nothing scheduled).
    pub sleep: Option<Duration>,
}

/// A session as front ends see it.
pub trait Driver {
    /// Builds the view.
    fn view(&mut self, wants: &Wants) -> SessionView;
    /// Does something now.
    fn act(&mut self, act: Act) -> Outcome;
    /// Lets virtual time catch up with `wall`, the time since the session started, spending at most `budget` of processor time.
    fn turn(&mut self, wall: Duration, budget: Duration) -> Turn;
    /// Completions of a command line, best first: (text that replaces the line, what it does).
    fn complete(&self, line: &str) -> Vec<(String, String)>;
    /// What the compiler says of code for a SQL application; nothing is saved.
    fn code_report(&self, application: &str, code: &str) -> CodeReport;
    /// Keeps code that is being written, or forgets it.
    fn keep_draft(&mut self, application: &str, code: Option<String>);
    /// What came of the run up to now; `None` when the driver cannot say.
    fn report(&self) -> Option<super::report::Report> {
        None
    }
    /// Saves everything; called once before leaving. The text says where, or what went wrong.
    fn leave(&mut self) -> Result<String, String>;
}
