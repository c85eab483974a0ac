//! Beats: how a lab is shown to a room. One idea each: a title, what is typed, how long the world runs, where to look, what to ask, what to say.

use serde::{Deserialize, Serialize};

use crate::engine::generate::duration::Dur;
use crate::engine::time::VirtualDuration;

/// Where a beat can point: names of panes, and `output` for what the last command answered.
pub const SPOTLIGHTS: [&str; 17] = [
    "shards",
    "map",
    "pipeline",
    "programs",
    "consumers",
    "record",
    "race",
    "functions",
    "objects",
    "code",
    "streams",
    "rows",
    "metrics",
    "cost",
    "accounting",
    "journal",
    "output",
];
/// Longest title: block letters of two lines on a projector.
const TITLE_MAX: usize = 28;
/// How long `until` waits for its check when `play` says nothing.
const UNTIL_MAX: VirtualDuration = VirtualDuration::from_secs(120);

/// `[[beat]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeatSpec {
    /// A few words, shown in block letters.
    pub title: String,
    /// One sentence below the title: the idea.
    pub say: String,
    /// Lines of the command language; `run 3s` lets time pass between them.
    #[serde(default, rename = "do")]
    pub lines: Vec<String>,
    /// Virtual time that passes after the lines.
    #[serde(default)]
    pub play: Option<Dur>,
    /// Or: until this check is met, at most `play` (two minutes when absent).
    #[serde(default)]
    pub until: Option<String>,
    /// Pane to look at, one of [`SPOTLIGHTS`].
    pub spotlight: String,
    /// A question for the room.
    #[serde(default)]
    pub ask: Option<String>,
    /// What will be seen, for the speaker.
    #[serde(default)]
    pub expect: Option<String>,
    /// Notes for the speaker.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// One thing of a script, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cue {
    /// A line is carried out.
    Do(String),
    /// Time passes.
    Play(VirtualDuration),
    /// Time passes until a check is met, at most so long.
    Until(String, VirtualDuration),
}

/// A script as cues: lines that only let time pass become time.
///
/// # Errors
/// A sentence: a duration that is none, or going back.
pub fn cues(lines: &[String]) -> Result<Vec<Cue>, String> {
    let mut cues = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some(word), ..) if word.starts_with('#') => {}
            (Some("run" | "sleep"), Some(time), None) => {
                let time: Dur = time.parse().map_err(|error| format!("'{line}': {error}"))?;
                cues.push(Cue::Play(time.0));
            }
            (Some("rewind"), ..) => return Err(format!("'{line}': a script goes forward only")),
            _ => cues.push(Cue::Do(line.clone())),
        }
    }
    Ok(cues)
}

impl BeatSpec {
    /// What happens in the beat.
    ///
    /// # Errors
    /// A sentence about a line that cannot be played.
    pub fn cues(&self) -> Result<Vec<Cue>, String> {
        let mut all = cues(&self.lines)?;
        match (&self.until, self.play) {
            (Some(check), play) => all.push(Cue::Until(check.clone(), play.map_or(UNTIL_MAX, |play| play.0))),
            (None, Some(play)) => all.push(Cue::Play(play.0)),
            (None, None) => {}
        }
        Ok(all)
    }

    /// Everything that is wrong with the beat; `known` says whether a check exists.
    pub fn problems(&self, known: impl Fn(&str) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        let length = self.title.chars().count();
        if length == 0 || length > TITLE_MAX {
            found.push(format!("beat '{}': a title has 1 to {TITLE_MAX} characters, this one {length}", self.title));
        }
        if self.title.chars().any(|c| !(c.is_ascii_alphanumeric() || " .,:?!'/+-%&=<>()".contains(c))) {
            found.push(format!("beat '{}': a title is shown in block letters: letters, digits and . , : ? ! ' / + - % & = < > ( )", self.title));
        }
        if self.say.trim().is_empty() {
            found.push(format!("beat '{}': say is empty; write the one idea as a sentence", self.title));
        }
        if !SPOTLIGHTS.contains(&self.spotlight.as_str()) {
            let near =
                crate::engine::generate::near_miss(&self.spotlight, SPOTLIGHTS).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
            found.push(format!("beat '{}': no spotlight is named '{}'.{near} There are: {}", self.title, self.spotlight, SPOTLIGHTS.join(", ")));
        }
        if let Some(check) = self.until.as_deref().filter(|check| !known(check)) {
            found.push(format!("beat '{}': until: no check is named '{check}'", self.title));
        }
        if let Err(error) = self.cues() {
            found.push(format!("beat '{}': {error}", self.title));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(text: &str) -> BeatSpec {
        toml::from_str(&format!("say = \"s\"\n{text}")).expect("TOML")
    }

    #[test]
    fn lines_and_time_become_cues() {
        let beat = beat("title = \"A\"\nspotlight = \"shards\"\ndo = [\"shards\", \"run 2s\", \"# no\", \"cost\"]\nplay = \"10s\"\n");
        let seconds = VirtualDuration::from_secs;
        let wanted = [Cue::Do("shards".to_owned()), Cue::Play(seconds(2)), Cue::Do("cost".to_owned()), Cue::Play(seconds(10))];
        assert_eq!(beat.cues(), Ok(wanted.to_vec()));
        assert_eq!(beat.problems(|_| true), Vec::<String>::new());
    }

    #[test]
    fn problems_are_sentences() {
        let beat = beat("title = \"Größe\"\nspotlight = \"shard\"\ndo = [\"run 3\", \"rewind 3s\"]\nuntil = \"nope\"\n");
        let found = beat.problems(|_| false).join("\n");
        for wanted in ["block letters", "Did you mean shards?", "no check is named 'nope'", "'run 3': '3' has no unit"] {
            assert!(found.contains(wanted), "{wanted}: {found}");
        }
    }
}
