//! `kinlab present`, `demo`, `notes` and `follow`: a lab shown to others.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use ratatui::buffer::Buffer;

use crate::lab::Lab;
use crate::session::Session;
use crate::session::driver::{Act, Driver};
use crate::tui::app::Look;
use crate::tui::dashboard::Dashboard;
use crate::tui::demo::Demo;
use crate::tui::keys::{Chord, Key};
use crate::tui::present::Presenter;
use crate::tui::present::{follow as mirror, notes as console};
use crate::tui::run::{Exit, Viewer, run_dashboard, run_viewer};

use super::exports::{Desk, cues_of};
use super::play::{LookArguments, end_of, look_of, session_of};
use super::shared::{Reading, Sharing, usual, wall_seconds};
use super::sources::{complain, load};
use super::{NOT_MET, OK, Pace, wrong};

/// How often a console looks for news.
const LOOK: Duration = Duration::from_millis(250);

/// `kinlab present`.
#[derive(Debug, Clone, Args)]
pub(super) struct PresentArguments {
    /// Lab id, the beginning of one, or a folder.
    lab: String,
    /// Minutes planned; the lab's own when absent.
    #[arg(long)]
    minutes: Option<u32>,
    /// File through which others look on; the usual place when absent.
    #[arg(long, value_name = "FILE")]
    share: Option<PathBuf>,
    #[command(flatten)]
    look: LookArguments,
}

/// `kinlab demo`.
#[derive(Debug, Clone, Args)]
pub(super) struct DemoArguments {
    /// Lab id, the beginning of one, or a folder.
    lab: String,
    /// Milliseconds for one key.
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u16).range(1..=2000))]
    typing: u16,
    #[command(flatten)]
    look: LookArguments,
}

/// `kinlab notes`.
#[derive(Debug, Clone, Args)]
pub(super) struct NotesArguments {
    /// Lab whose beats and notes are printed.
    lab: Option<String>,
    /// Beside a presentation: what is on the screen, what comes next, notes and time.
    #[arg(long)]
    follow: bool,
    /// File of the presentation; the usual place when absent.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    look: LookArguments,
}

/// `kinlab follow`.
#[derive(Debug, Clone, Args)]
pub(super) struct FollowArguments {
    /// File of the presentation, or of a dashboard run with --share; the usual place when absent.
    file: Option<PathBuf>,
    #[command(flatten)]
    look: LookArguments,
}

fn on_terminal(what: &str) -> Result<(), String> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if terminal { Ok(()) } else { Err(format!("{what} needs a terminal")) }
}

/// The dashboard on a session that is not saved.
fn show(lab: Arc<Lab>, pace: &Pace, look: Look, share: Option<Sharing>, prepare: impl FnOnce(&mut Dashboard)) -> std::io::Result<u8> {
    let mut session: Session = match session_of(lab.clone(), pace) {
        Ok(session) => session,
        Err(error) => return wrong(error),
    };
    session.keep_checkpoints();
    session.act(Act::Pause(true));
    let mut desk = Desk { lab, share };
    let exit = run_dashboard(&mut session, look, prepare, &mut desk)?;
    if let Exit::Failed(words) = &exit {
        return Ok(super::crash::tell(&session, words));
    }
    // Nobody was asked to meet the checks.
    Ok(match end_of(&session) {
        NOT_MET => OK,
        code => code,
    })
}

/// `kinlab present`.
pub(super) fn present(arguments: &PresentArguments, pace: &Pace) -> std::io::Result<u8> {
    let lab = match load(&arguments.lab) {
        Ok(lab) => lab,
        Err(errors) => return Ok(complain(&errors)),
    };
    let Some(presenter) = Presenter::new(&lab) else {
        return wrong(format!("{} has no beats; they are [[beat]] tables in its scenario.toml (docs/scenario-format.md)", lab.scenario.id));
    };
    let minutes = arguments.minutes.unwrap_or(lab.scenario.minutes);
    let ready = on_terminal("present").and_then(|()| look_of(&arguments.look)).and_then(|look| {
        let path = arguments.share.clone().map_or_else(usual, Ok)?;
        Ok((look, Sharing::open(&path, minutes)?))
    });
    match ready {
        Ok((look, share)) => show(lab, pace, look, Some(share), |dashboard| dashboard.app.presenter = Some(presenter)),
        Err(error) => wrong(error),
    }
}

/// `kinlab demo`.
pub(super) fn demo(arguments: &DemoArguments, pace: &Pace) -> std::io::Result<u8> {
    let lab = match load(&arguments.lab) {
        Ok(lab) => lab,
        Err(errors) => return Ok(complain(&errors)),
    };
    let ready =
        on_terminal("demo (for a recording without one: kinlab cast LAB)").and_then(|()| Ok((look_of(&arguments.look)?, cues_of(&lab, pace)?)));
    let (look, cues) = match ready {
        Ok(ready) => ready,
        Err(error) => return wrong(error),
    };
    let checks = lab.scenario.check.iter().map(|(id, check)| (id.clone(), check.title.clone())).collect();
    let demo = Demo::new(cues, Duration::from_millis(u64::from(arguments.typing))).with_checks(checks);
    let pace = Pace { speed: pace.speed.clone().or_else(|| Some("8".to_owned())), ..pace.clone() };
    show(lab, &pace, look, None, |dashboard| dashboard.play(demo))
}

/// A console beside a presentation, or a mirror of it.
struct Beside {
    reading: Reading,
    look: Look,
    /// Notes instead of the mirror.
    notes: bool,
    console: console::Console,
    /// When the timer was reset.
    reset: Option<u64>,
}

impl Beside {
    fn elapsed(&self) -> u64 {
        let began = self.reset.or_else(|| self.reading.news.as_ref().ok().map(|news| news.began));
        began.map_or(0, |began| wall_seconds().saturating_sub(began))
    }
}

impl Viewer for Beside {
    fn look(&mut self) -> bool {
        let news = self.reading.look();
        let elapsed = self.elapsed();
        let ticked = self.notes && elapsed != self.console.elapsed && self.reading.news.is_ok();
        self.console.elapsed = elapsed;
        news || ticked
    }

    fn draw(&mut self, buf: &mut Buffer) {
        let news = self.reading.news.as_deref().map_err(String::as_str);
        if self.notes {
            console::draw(news, self.console, &self.look, buf);
        } else {
            mirror::draw(news, &self.look, buf);
        }
    }

    fn key(&mut self, chord: Chord) -> bool {
        match (chord.key, chord.ctrl) {
            (Key::Char('q') | Key::Esc, false) | (Key::Char('C'), true) => return true,
            (Key::Char('T'), false) => self.look.theme = self.look.theme.next(),
            (Key::Char('t'), false) => self.reset = Some(wall_seconds()),
            (Key::Down, false) => self.console.scroll = self.console.scroll.saturating_add(1).min(99),
            (Key::Up, false) => self.console.scroll = self.console.scroll.saturating_sub(1),
            _ => {}
        }
        false
    }
}

fn beside(file: Option<&PathBuf>, look: &LookArguments, notes: bool) -> std::io::Result<u8> {
    let what = if notes { "notes --follow" } else { "follow" };
    let ready = on_terminal(what).and_then(|()| look_of(look)).and_then(|look| Ok((file.cloned().map_or_else(usual, Ok)?, look)));
    match ready {
        Ok((path, look)) => {
            let mut viewer = Beside { reading: Reading::new(path), look, notes, console: console::Console::default(), reset: None };
            run_viewer(&mut viewer, LOOK).map(|()| OK)
        }
        Err(error) => wrong(error),
    }
}

/// `kinlab follow`.
pub(super) fn follow(arguments: &FollowArguments) -> std::io::Result<u8> {
    beside(arguments.file.as_ref(), &arguments.look, false)
}

/// `kinlab notes`.
pub(super) fn notes(arguments: &NotesArguments) -> std::io::Result<u8> {
    let Some(name) = arguments.lab.as_deref().filter(|_| !arguments.follow) else {
        if !arguments.follow {
            return wrong("name a lab to print its notes, or follow a presentation: kinlab notes --follow");
        }
        return beside(arguments.file.as_ref(), &arguments.look, true);
    };
    let lab = match load(name) {
        Ok(lab) => lab,
        Err(errors) => return Ok(complain(&errors)),
    };
    if lab.scenario.beat.is_empty() {
        return wrong(format!("{} has no beats; they are [[beat]] tables in its scenario.toml (docs/scenario-format.md)", lab.scenario.id));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}: {} beats", lab.scenario.title, lab.scenario.beat.len())?;
    for (number, beat) in lab.scenario.beat.iter().enumerate() {
        let beat = beat.get_ref();
        writeln!(out, "\n{}. {}\n   {}", number + 1, beat.title, beat.say)?;
        for line in &beat.lines {
            writeln!(out, "   > {line}")?;
        }
        let marked = [("Ask", &beat.ask), ("Expected", &beat.expect)];
        for (what, text) in marked.into_iter().filter_map(|(what, text)| text.as_ref().map(|text| (what, text))) {
            writeln!(out, "   {what}: {text}")?;
        }
        for note in &beat.notes {
            writeln!(out, "   - {note}")?;
        }
    }
    Ok(OK)
}
