//! `kinlab screen`: one frame of the dashboard on standard output.

use std::io::Write;

use clap::Args;

use crate::engine::generate::duration::Dur;
use crate::export::frame::{FrameOptions, render_svg, render_text};
use crate::session::Session;
use crate::session::driver::Driver;
use crate::tui::ids::Screen;

use super::play::theme_of;
use super::sources::{complain, load};
use super::{OK, Pace, USAGE};

#[derive(Debug, Clone, Args)]
pub(super) struct FrameArguments {
    /// Lab id, the beginning of one, or a folder.
    pub(super) lab: String,
    /// Virtual time since the start at which the frame is taken.
    #[arg(long)]
    pub(super) at: Dur,
    /// overview, streams, firehose, analytics, metrics or journal.
    #[arg(long, default_value = "overview")]
    pub(super) screen: String,
    /// Columns x rows.
    #[arg(long, default_value = "120x40")]
    pub(super) size: String,
    /// Theme; matters for svg.
    #[arg(long, default_value = "ansi")]
    pub(super) theme: String,
    /// text or svg.
    #[arg(long, default_value = "text")]
    pub(super) format: String,
}

/// Columns and rows of a text such as `120x40`.
pub(super) fn size_of(text: &str) -> Result<(u16, u16), String> {
    let parsed = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    parsed
        .filter(|(width, height)| (1..=1000).contains(width) && (1..=1000).contains(height))
        .ok_or_else(|| format!("'{text}' is no size; write columns x rows, for example 120x40"))
}

pub(super) fn screen_of(name: &str) -> Result<Screen, String> {
    Screen::ALL
        .iter()
        .copied()
        .find(|known| known.title().eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("no screen is named '{name}'; there are {}", Screen::ALL.map(|screen| screen.title().to_lowercase()).join(", ")))
}

/// Lines that bring a lab to life when nobody says which: the solution of its first two steps without the long waits.
pub(super) fn opening(lab: &crate::lab::Lab) -> Vec<String> {
    lab.steps.iter().take(2).flat_map(|step| step.spec.solution.clone()).filter(|line| !line.starts_with("run 6")).collect()
}

fn draw(arguments: &FrameArguments, pace: &Pace) -> Result<Result<String, u8>, String> {
    let screen = screen_of(&arguments.screen)?;
    let (width, height) = size_of(&arguments.size)?;
    let theme = theme_of(Some(&arguments.theme))?;
    let lab = match load(&arguments.lab) {
        Ok(lab) => lab,
        Err(errors) => return Ok(Err(complain(&errors))),
    };
    let lines = match &pace.script {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?.lines().map(str::to_owned).collect(),
        None => opening(&lab),
    };
    let mut session = Session::new(lab, pace.seed)?;
    super::play::equip(&mut session, pace)?;
    for line in &lines {
        let outcome = session.line(line);
        if outcome.failed {
            return Err(format!("'{line}': {}", outcome.message));
        }
    }
    session.advance(session.epoch() + arguments.at.0);
    let options = FrameOptions { theme, ..FrameOptions::new(screen, width, height) };
    let view = Driver::view(&mut session, &options.wants());
    match arguments.format.as_str() {
        "text" => Ok(Ok(render_text(&view, &options))),
        "svg" => Ok(Ok(render_svg(&view, &options))),
        other => Err(format!("no format is named '{other}'; there are text and svg")),
    }
}

pub(super) fn screen(arguments: &FrameArguments, pace: &Pace) -> std::io::Result<u8> {
    match draw(arguments, pace) {
        Ok(Ok(text)) => std::io::stdout().lock().write_all(text.as_bytes()).map(|()| OK),
        Ok(Err(code)) => Ok(code),
        Err(error) => {
            eprintln!("error: {error}");
            Ok(USAGE)
        }
    }
}
