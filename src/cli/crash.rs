//! The last words of a program that failed: what, where, and how to see it again. Said on the normal screen, after the terminal was given back.

#![allow(clippy::disallowed_methods, reason = "the file of a crash is named after the time of day")]

use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine::time::VirtualTime;
use crate::session::Session;

use super::{BROKEN, home};

/// Keeps the run and says how to repeat it.
pub(super) fn tell(session: &Session, words: &str) -> u8 {
    let log = session.log_text();
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let name: String = VirtualTime::from_secs(at).to_string().chars().take(19).map(|c| if c == ':' { '-' } else { c }).collect();
    let path = home::folder().map(|home| home.join("crash").join(format!("{name}.jsonl")));
    let kept = path.filter(|path| path.parent().is_some_and(|parent| std::fs::create_dir_all(parent).is_ok()) && home::put(path, &log).is_ok());
    let what: Vec<String> = words.lines().map(|line| format!("    {line}\n")).collect();
    let events = session.view(&crate::engine::view::Wants { journal_rows: 1, ..Default::default() }).events;
    eprintln!(
        "\n  kinlab stopped: it failed, and that is its own fault.\n\n{}    at {}, event {events}, seed {}\n\n  \
         The terminal was restored. Nothing on your machine was changed.\n",
        what.concat(),
        session.now(),
        session.world().config().seed
    );
    match kept {
        Some(path) => eprintln!("    journal   {0}\n    repeat    kinlab replay {0}\n", path.display()),
        None => eprintln!("    The run, for 'kinlab replay FILE':\n{log}"),
    }
    BROKEN
}
