//! Words for time: letting it pass, going back, other futures, the way of one record.

use std::fmt::Write as _;

use crate::engine::generate::duration::Dur;
use crate::engine::time::VirtualDuration;
use crate::engine::view::Wants;

use super::driver::Outcome;
use super::play::Session;

/// Carries out a word for time; `None` when it is another one.
pub(super) fn carry_out(session: &mut Session, word: &str, rest: &[&str]) -> Option<Outcome> {
    Some(match (word, rest) {
        ("run" | "sleep", [text]) => match duration(text) {
            Ok(by) => {
                session.advance(session.now() + by);
                Outcome::said(format!("Time {}.", session.now().clock_text()))
            }
            Err(error) => Outcome::refused(error),
        },
        ("rewind", [text]) => match duration(text).and_then(|by| session.rewind(by)).map(|()| session.note_act("rewind")) {
            Ok(()) => Outcome::said(format!("Back at {}.", session.now().clock_text())),
            Err(error) => Outcome::refused(error),
        },
        ("now", []) => match session.travel(session.newest) {
            Ok(()) => Outcome::said(format!("Time {}, the newest instant.", session.now().clock_text())),
            Err(error) => Outcome::refused(error),
        },
        ("follow", ["off"]) => match session.follow(None) {
            Ok(()) => Outcome::said("No record is followed."),
            Err(error) => Outcome::refused(error),
        },
        ("follow", []) => Outcome::data(trail(session)),
        ("follow", [stream, shard, rest @ ..]) if rest.len() < 2 => {
            let number = shard.rsplit('-').next().and_then(|text| text.parse::<u32>().ok());
            let Some(number) = number else { return Some(Outcome::refused(format!("'{shard}' is no shard: write its number or shardId-…"))) };
            match session.follow(Some((stream, number, rest.first().copied()))) {
                Ok(()) => Outcome::data(trail(session)),
                Err(error) => Outcome::refused(error),
            }
        }
        ("follow", _) => {
            Outcome::refused("follow STREAM SHARD [SEQUENCE-NUMBER] follows a record, the newest one without a number; follow off ends it")
        }
        ("branches", []) => Outcome::data(branches(session)),
        ("branch", [name]) => match session.switch_branch(name) {
            Ok(()) => Outcome::said(format!("Branch {name} at {}, its newest instant.", session.now().clock_text())),
            Err(error) => Outcome::refused(error),
        },
        ("compare", ["off"]) => match session.compare_with(None) {
            Ok(()) => Outcome::said("Charts show one branch."),
            Err(error) => Outcome::refused(error),
        },
        ("compare", [name]) => match session.comparison(name).and_then(|text| session.compare_with(Some(name)).map(|()| text)) {
            Ok(text) => Outcome::data(text),
            Err(error) => Outcome::refused(error),
        },
        ("branch" | "compare", _) => Outcome::refused("branch NAME goes to another future, compare NAME shows two; 'branches' lists them"),
        ("run" | "sleep" | "rewind", _) => Outcome::refused("write a duration with its unit: run 12s, run 2m, rewind 30s"),
        _ => return None,
    })
}

/// The stations of the record being followed.
fn trail(session: &Session) -> String {
    let Some(trail) = session.view(&Wants::default()).trail else {
        return "No record is followed: follow STREAM SHARD [SEQUENCE-NUMBER]\n".to_owned();
    };
    let mut text = format!("{}  {}\n{}\n", trail.from, trail.record.sequence_number, trail.record.text);
    for step in &trail.steps {
        let _ = writeln!(text, "{}  {:<32} {}", step.at.clock_millis_text(), step.place, step.text);
    }
    text
}

/// One line per branch.
fn branches(session: &Session) -> String {
    let span = |us: u64| format!("{:02}:{:02}", us / 60_000_000, us / 1_000_000 % 60);
    session
        .branch_views()
        .iter()
        .map(|branch| {
            let began = branch.began_us.map_or_else(|| "from the start".to_owned(), |us| format!("from {}", span(us)));
            let sign = if branch.current { "* " } else { "  " };
            let lines = if branch.lines.is_empty() { String::new() } else { format!("  {}", branch.lines.join("; ")) };
            format!("{sign}{} {began} to {}{lines}\n", branch.name, span(branch.newest_us))
        })
        .collect()
}

fn duration(text: &str) -> Result<VirtualDuration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(VirtualDuration::from_secs(seconds));
    }
    text.parse::<Dur>().map(|duration| duration.0)
}
