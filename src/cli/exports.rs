//! What leaves a run for files: from the dashboard to the current folder, under names that say what they are and never take another's place; and
//! `kinlab cast`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::export::cast::{CastOptions, Story, record};
use crate::export::frame::buffer_svg;
use crate::export::report::{ReportForm, render};
use crate::lab::{Lab, beats};
use crate::session::Session;
use crate::session::driver::Driver;
use crate::session::report::Report;
use crate::tui::app::Export;
use crate::tui::dashboard::Dashboard;
use crate::tui::glyphs::GlyphSet;
use crate::tui::run::Outside;

use super::frame::{screen_of, size_of};
use super::home::{self, told};
use super::play::{equip, theme_of};
use super::shared::Sharing;
use super::sources::{complain, load, load_with};
use super::{OK, Pace, wrong};

/// Speed of a recording when nobody says another.
const SPEED: &str = "8";
const TYPING: Duration = Duration::from_millis(45);

/// What the dashboard has around it: the lab for recordings, and the file through which others look on.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) lab: Arc<Lab>,
    pub(super) share: Option<Sharing>,
}

/// Writes a new file in the current folder; a name that is taken gets a number.
fn write_new(stem: &str, ending: &str, text: &str) -> Result<PathBuf, String> {
    for number in 1..1000 {
        let name = if number == 1 { format!("{stem}.{ending}") } else { format!("{stem}-{number}.{ending}") };
        let path = PathBuf::from(name);
        match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => return file.write_all(text.as_bytes()).map(|()| path.clone()).map_err(|error| told(&path, &error)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(told(&path, &error)),
        }
    }
    Err(format!("{stem}.{ending} and 998 more of this name are there already; tidy up first"))
}

/// `kinlab-lab1-ingest-03m20s`.
fn stem(lab: &str, elapsed_us: u64) -> String {
    let seconds = elapsed_us / 1_000_000;
    format!("kinlab-{lab}-{:02}m{:02}s", seconds / 60, seconds % 60)
}

impl Desk {
    fn cast(&self, report: &Report, dashboard: &Dashboard) -> Result<String, String> {
        let mut session = Session::new(self.lab.clone(), Some(report.run.header.seed))?;
        let app = &dashboard.app;
        let (width, height) = app.size;
        let look = &app.look;
        let options =
            CastOptions { width, height, theme: look.theme, glyphs: look.glyphs, screen: app.screen, speed: SPEED.to_owned(), typing: TYPING };
        record(&mut session, Story::Recorded(&report.run.entries, report.elapsed_us), &options)
    }
}

impl Outside for Desk {
    fn export(&mut self, what: Export, dashboard: &mut Dashboard, driver: &mut dyn Driver) -> Result<String, String> {
        let view = &dashboard.view;
        let stem = stem(&view.lab.id, view.clock.elapsed_us);
        let report = || driver.report().ok_or("this run cannot be reported");
        let path = match what {
            Export::Svg => {
                let screen = dashboard.app.presenting().map_or(dashboard.app.screen.title(), |_| "presenter").to_lowercase();
                dashboard.app.toast = None;
                let frame = dashboard.frame();
                write_new(&format!("{stem}-{screen}"), "svg", &buffer_svg(&frame, dashboard.app.look.theme))?
            }
            Export::Cast => write_new(&stem, "cast", &self.cast(&report()?, dashboard)?)?,
            Export::Markdown => write_new(&format!("{stem}-report"), "md", &render(&report()?, ReportForm::Markdown))?,
            Export::Json => write_new(&format!("{stem}-report"), "json", &render(&report()?, ReportForm::Json))?,
        };
        let folder = std::env::current_dir().map_or_else(|_| ".".to_owned(), |folder| folder.display().to_string());
        Ok(format!("Written: {} in {folder}", path.display()))
    }

    fn shown(&mut self, dashboard: &Dashboard) {
        if let Some(share) = &mut self.share {
            share.shown(dashboard);
        }
        // The way out of a failure is tested in a real terminal; a released program cannot be asked to fail.
        #[cfg(debug_assertions)]
        {
            let asked = std::env::var_os("KINLAB_TEST_FAILURE").is_some_and(|screen| dashboard.app.screen.title() == screen);
            assert!(!asked, "a failure was asked for");
        }
    }
}

/// `kinlab cast`.
#[derive(Debug, Clone, Args)]
pub(super) struct CastArguments {
    /// Lab id, the beginning of one, or a folder.
    pub(super) lab: String,
    /// The saved run instead of the lab's solution; --script FILE takes the lines of a file.
    #[arg(long)]
    pub(super) saved: bool,
    /// Columns x rows.
    #[arg(long, default_value = "120x40")]
    pub(super) size: String,
    /// Screen at the beginning: overview, streams, firehose, analytics, metrics or journal.
    #[arg(long, default_value = "overview")]
    pub(super) screen: String,
    /// Theme.
    #[arg(long, default_value = "ansi")]
    pub(super) theme: String,
    /// ASCII signs only.
    #[arg(long)]
    pub(super) ascii: bool,
    /// Milliseconds for one key.
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub(super) typing: u16,
}

/// The lines of the script, or of the lab's own solution.
pub(super) fn cues_of(lab: &Lab, pace: &Pace) -> Result<Vec<beats::Cue>, String> {
    let lines: Vec<String> = match &pace.script {
        Some(path) => std::fs::read_to_string(path).map_err(|error| told(path, &error))?.lines().map(str::to_owned).collect(),
        None => lab.steps.iter().flat_map(|step| step.spec.solution.clone()).collect(),
    };
    beats::cues(&lines)
}

fn film(arguments: &CastArguments, pace: &Pace) -> Result<Result<String, u8>, String> {
    let (width, height) = size_of(&arguments.size)?;
    let options = CastOptions {
        width,
        height,
        theme: theme_of(Some(&arguments.theme))?,
        glyphs: if arguments.ascii { GlyphSet::Ascii } else { GlyphSet::Unicode },
        screen: screen_of(&arguments.screen)?,
        speed: pace.speed.clone().unwrap_or_else(|| SPEED.to_owned()),
        typing: Duration::from_millis(u64::from(arguments.typing)),
    };
    let lab = match load(&arguments.lab) {
        Ok(lab) => lab,
        Err(errors) => return Ok(Err(complain(&errors))),
    };
    // --out names the recording here, not a folder of objects.
    let quiet = Pace { out: None, ..pace.clone() };
    if !arguments.saved {
        let cues = cues_of(&lab, pace)?;
        let mut session = Session::new(lab, pace.seed)?;
        equip(&mut session, &quiet)?;
        return record(&mut session, Story::Typed(cues), &options).map(Ok);
    }
    let id = lab.scenario.id.clone();
    let saved = home::saved_run(&id)?.ok_or_else(|| format!("nothing of {id} is saved yet; play it in the dashboard first: kinlab run {id}"))?;
    let lab = match load_with(&arguments.lab, &saved.header.vars) {
        Ok(lab) => lab,
        Err(errors) => return Ok(Err(complain(&errors))),
    };
    if lab.fingerprint != saved.header.fingerprint {
        return Err(format!("{id} has changed since this run was saved; it would not be the same run"));
    }
    let mut session = Session::new(lab, Some(saved.header.seed))?;
    let end = saved.entries.iter().map(|entry| entry.at_us).max().unwrap_or(0);
    record(&mut session, Story::Recorded(&saved.entries, end), &options).map(Ok)
}

/// `kinlab cast`: a recording on standard output, or in the file of --out.
pub(super) fn cast(arguments: &CastArguments, pace: &Pace) -> std::io::Result<u8> {
    let text = match film(arguments, pace) {
        Ok(Ok(text)) => text,
        Ok(Err(code)) => return Ok(code),
        Err(error) => return wrong(error),
    };
    match &pace.out {
        None => std::io::stdout().lock().write_all(text.as_bytes())?,
        Some(path) => {
            if let Err(error) = std::fs::write(path, &text) {
                return wrong(told(path, &error));
            }
            let seconds = text.lines().last().and_then(|line| line.strip_prefix('[')?.split('.').next()).unwrap_or("0").to_owned();
            eprintln!("{}: {seconds} s, {} KiB; play it with: asciinema play {}", path.display(), text.len() / 1024, shown(path));
        }
    }
    Ok(OK)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
