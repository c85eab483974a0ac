//! Line mode: the session as sentences. Data goes to standard output, narration to standard error.

use core::time::Duration;
use std::io::{BufRead, Write};

use crate::engine::time::VirtualTime;
use crate::session::Session;
use crate::session::driver::Outcome;
use crate::session::showing::{accounting, status};

/// What standard output carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Sentences and the answers of commands.
    #[default]
    Text,
    /// The journal's events, one JSON object a line.
    Jsonl,
}

/// Where the two kinds of text go.
pub struct Output<'o> {
    /// Data.
    pub data: &'o mut dyn Write,
    /// Narration.
    pub narration: &'o mut dyn Write,
    /// Form of the data.
    pub format: Format,
}

impl Output<'_> {
    fn tell(&mut self, session: &mut Session) -> std::io::Result<()> {
        for notice in session.take_notices() {
            writeln!(self.narration, "{notice}")?;
        }
        if self.format == Format::Jsonl {
            for event in session.take_events() {
                writeln!(self.data, "{}", serde_json::to_string(&event)?)?;
            }
        }
        Ok(())
    }

    /// Writes what came of a line.
    ///
    /// # Errors
    /// What writing said.
    pub fn outcome(&mut self, outcome: &Outcome) -> std::io::Result<()> {
        if !outcome.output.is_empty() && self.format == Format::Text {
            self.data.write_all(outcome.output.as_bytes())?;
            if !outcome.output.ends_with('\n') {
                writeln!(self.data)?;
            }
        }
        if !outcome.message.is_empty() {
            writeln!(self.narration, "{}", outcome.message)?;
        }
        Ok(())
    }
}

/// Plays a session from lines. With `play_on` the clock runs to that instant once the lines end, as fast as it can or, with a way to sleep in
/// `paced`, at the session's speed. Gives whether all commands worked.
///
/// # Errors
/// What writing said; a closed pipe among it.
pub fn play(
    session: &mut Session,
    input: &mut dyn BufRead,
    interactive: bool,
    play_on: Option<VirtualTime>,
    paced: Option<&dyn Fn(Duration)>,
    output: &mut Output<'_>,
) -> std::io::Result<bool> {
    writeln!(output.narration, "{}", status(session).trim_end())?;
    let mut good = true;
    let mut line = Vec::new();
    loop {
        output.tell(session)?;
        if interactive {
            write!(output.narration, "> ")?;
            output.narration.flush()?;
        }
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let mut text = String::from_utf8_lossy(&line).into_owned();
        // A backslash at the end of a line continues it, as in a shell.
        while text.trim_end_matches(['\n', '\r']).ends_with('\\') {
            let kept = text.trim_end_matches(['\n', '\r']).len() - 1;
            text.truncate(kept);
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            text.push_str(&String::from_utf8_lossy(&line));
        }
        let outcome = session.line(&text);
        output.outcome(&outcome)?;
        good &= !outcome.failed;
        if outcome.quit {
            output.tell(session)?;
            return Ok(good);
        }
    }
    if let Some(until) = play_on {
        while session.now() < until {
            let next = session.now().next_second().min(until);
            if let Some(sleep) = paced {
                let percent = session.speed_percent().unwrap_or(100);
                sleep(Duration::from_micros(next.since(session.now()).0 * 100 / u64::from(percent.max(1))));
            }
            session.advance(next);
            output.tell(session)?;
        }
    }
    Ok(good)
}

/// The end of a run: progress, accounting, seed and hash.
///
/// # Errors
/// What writing said.
pub fn summary(session: &Session, output: &mut Output<'_>) -> std::io::Result<()> {
    let view = session.lab_view();
    let done = view.steps.iter().filter(|step| step.done).count();
    let hash = session.world().journal_hash();
    if output.format == Format::Jsonl {
        let view_of_world = session.view(&crate::engine::view::Wants::default());
        let line = serde_json::json!({
            "summary": { "lab": view.id, "steps_done": done, "steps": view.steps.len(), "points": view.points.0, "points_in_all": view.points.1,
                "accounting": view_of_world.accounting, "seed": view_of_world.seed, "journal_hash": hash }
        });
        return writeln!(output.data, "{line}");
    }
    writeln!(
        output.data,
        "Summary of {} at {}: {done} of {} steps done, {} of {} points.",
        view.id,
        session.now(),
        view.steps.len(),
        view.points.0,
        view.points.1
    )?;
    output.data.write_all(accounting(session).as_bytes())?;
    writeln!(output.data, "Seed {}, journal {hash}", session.world().config().seed)
}
