//! The log of a run: with the lab and the seed it *is* the run. Written as JSON lines, one per entry, as it grows.
//!
//! The file begins with a [`Header`]; entries carry microseconds since the start of the lab. A last line that is not complete (the process
//! was killed while writing) is left out.

use serde::{Deserialize, Serialize};

use crate::engine::WorldCommand;
use crate::engine::agent::Place;

/// Version of the form.
pub const FORM: u32 = 1;

/// What the run is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the form, [`FORM`].
    pub kinlab: u32,
    /// Lab id.
    pub lab: String,
    /// Fingerprint of the lab's files: another lab text is another run.
    pub fingerprint: String,
    /// Seed.
    pub seed: u64,
    /// Variables that differ from the lab file's: the learner's initials.
    #[serde(default)]
    pub vars: Vec<(String, String)>,
}

/// How far a learner is in a lab.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Titles of the steps and whether they are done.
    pub steps: Vec<(String, bool)>,
    /// Points reached and points in all.
    pub points: (u32, u32),
    /// Hints taken.
    pub hints: usize,
    /// Virtual microseconds since the start.
    pub elapsed_us: u64,
    /// The initials, when this lab asked for them.
    #[serde(default)]
    pub initials: Option<String>,
    /// Seconds at the keyboard.
    #[serde(default)]
    pub wall_seconds: u64,
}

/// Something that entered the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A line of the command language.
    Line(String),
    /// A command that is no line: records from outside.
    World(Box<WorldCommand>),
    /// An AWS operation of a client.
    Request(Box<crate::api::Request>),
    /// A subscription of a client took what there was.
    Push(u64),
    /// The learner paused, changed the speed or went back; for checks only.
    Act(String),
    /// Checkpoint of a flow of the agent.
    Place(usize, Place),
    /// What a handler outside the simulation answered, by the fingerprint of code and event.
    Handler(String, Box<crate::engine::lambda::HandlerAnswer>),
    /// What a real destination answered, by the fingerprint of the attempt.
    Delivered(String, Box<crate::engine::firehose::endpoint::Outcome>),
    /// A file that the line before names with file:// or fileb://.
    File(String, crate::api::Blob),
    /// A bookmark: microseconds since the start, and its words.
    Bookmark(u64, String),
    /// Code being written for an application, or that it was saved.
    Draft(String, Option<String>),
    /// The clock came this far.
    Clock,
}

impl What {
    /// What holds whatever happened before and after: going back does not undo it, and it begins no branch.
    pub fn is_timeless(&self) -> bool {
        matches!(self, Self::Act(_) | Self::Bookmark(..) | Self::Draft(..) | Self::Place(..) | Self::Handler(..) | Self::Delivered(..))
    }

    /// What comes from outside stays when what the learner did is undone: it arrives at the instant gone back to.
    pub fn is_from_outside(&self) -> bool {
        self.is_timeless() || matches!(self, Self::World(command) if !matches!(**command, WorldCommand::Note { .. }))
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Microseconds since the start of the lab.
    pub at_us: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

impl Entry {
    /// The entry as a line with its end.
    pub fn text(&self) -> String {
        // Texts, numbers and base64 always become JSON.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// A run read from its file.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedRun {
    /// What it is of.
    pub header: Header,
    /// Entries in their order.
    pub entries: Vec<Entry>,
    /// Line of the first entry that could not be read, and why; the run ends before it.
    pub torn: Option<(usize, String)>,
}

impl SavedRun {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence, when the first line is no header.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.split_inclusive('\n').enumerate();
        let first = lines.next().map_or("", |(_, line)| line);
        let header: Header = serde_json::from_str(first).map_err(|error| format!("line 1 is no header of a saved run: {error}"))?;
        if header.kinlab > FORM {
            return Err(format!("the run was saved in form {}; this program reads up to form {FORM}", header.kinlab));
        }
        let (mut entries, mut torn) = (Vec::new(), None);
        for (at, line) in lines {
            match serde_json::from_str::<Entry>(line).map_err(|error| error.to_string()) {
                Ok(entry) if line.ends_with('\n') => entries.push(entry),
                Ok(_) => torn = Some((at + 1, "the line has no end".to_owned())),
                Err(error) => torn = Some((at + 1, error)),
            }
            if torn.is_some() {
                break;
            }
        }
        Ok(Self { header, entries, torn })
    }
}

/// Where the log of a run is kept. Errors are sentences; the run goes on and everything is offered again.
pub trait Keeper: std::fmt::Debug {
    /// Adds to the end.
    ///
    /// # Errors
    /// Why it could not be written.
    fn append(&mut self, text: &str) -> Result<(), String>;
    /// Puts a whole log in the place of the present one, or leaves that one as it is.
    ///
    /// # Errors
    /// Why it could not be written.
    fn replace(&mut self, text: &str) -> Result<(), String>;
    /// Keeps how far the learner is.
    ///
    /// # Errors
    /// Why it could not be written.
    fn progress(&mut self, progress: &Progress) -> Result<(), String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_small_lines_and_a_torn_end_is_left_out() {
        let header = Header { kinlab: FORM, lab: "x".to_owned(), fingerprint: "f".to_owned(), seed: 7, vars: Vec::new() };
        let mut text = serde_json::to_string(&header).expect("JSON") + "\n";
        let whats = [What::Line("shards".to_owned()), What::Act("pause".to_owned()), What::Clock];
        for (at, what) in whats.iter().enumerate() {
            text += &Entry { at_us: at as u64, what: what.clone() }.text();
        }
        assert!(text.contains("{\"at_us\":0,\"line\":\"shards\"}\n") && text.contains("{\"at_us\":1,\"act\":\"pause\"}\n"), "{text}");
        let whole = SavedRun::parse(&text).expect("good");
        assert_eq!((whole.entries.len(), whole.torn), (3, None));
        for cut in 1..20 {
            let torn = SavedRun::parse(&text[..text.len() - cut]).expect("good");
            assert_eq!(torn.entries, whole.entries[..2]);
        }
        assert!(SavedRun::parse("junk").is_err());
    }
}
