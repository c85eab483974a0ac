//! `kinlab replay` and `kinlab report`: saved runs played again and scored.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;

use crate::engine::time::VirtualDuration;
use crate::export::report::{ReportForm, render};
use crate::lab::Lab;
use crate::session::Session;
use crate::session::report::{REPORT_FORM, Report};
use crate::session::runlog::SavedRun;

use super::home::{self, told};
use super::play::{end_of, equip, write_summary};
use super::sealed;
use super::sources::{complain, load, load_with};
use super::{NOT_MET, OK, Pace, wrong};

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PageFormat {
    Text,
    Md,
    Json,
}

impl PageFormat {
    fn form(self) -> ReportForm {
        match self {
            Self::Text => ReportForm::Text,
            Self::Md => ReportForm::Markdown,
            Self::Json => ReportForm::Json,
        }
    }
}

/// A file of a run: the log that a session keeps, or a report in JSON with the run inside.
struct Found {
    saved: SavedRun,
    report: Option<Report>,
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| told(path, &error))
}

fn report_of(path: &Path) -> Result<Report, String> {
    let report: Report = serde_json::from_slice(&bytes_of(path)?)
        .map_err(|error| format!("{}: no report: {error}; write one with: kinlab report LAB --format json > report.json", path.display()))?;
    if report.report > REPORT_FORM {
        return Err(format!("{}: a report of form {}; this program reads up to form {REPORT_FORM}", path.display(), report.report));
    }
    Ok(report)
}

fn read(path: &Path) -> Result<Found, String> {
    let bytes = bytes_of(path)?;
    // A report is one object over many lines; the first line of a log is an object of its own.
    let whole: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    if whole.is_some_and(|value| value.get("report").is_some()) {
        let report = report_of(path)?;
        let saved = SavedRun { header: report.run.header.clone(), entries: report.run.entries.clone(), torn: None };
        return Ok(Found { saved, report: Some(report) });
    }
    let saved = sealed::read(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    if let Some((line, why)) = &saved.torn {
        eprintln!("{}:{line}: {why}; the run ends before this line", path.display());
    }
    Ok(Found { saved, report: None })
}

/// The lab of a run in its own folder, when it is no built-in one, with the run's variables.
fn lab_of(saved: &SavedRun, name: Option<&str>) -> Result<Arc<Lab>, u8> {
    let lab = load_with(name.unwrap_or(&saved.header.lab), &saved.header.vars).map_err(|errors| complain(&errors))?;
    if lab.fingerprint != saved.header.fingerprint {
        eprintln!("warning: {} has changed since this run was saved; what happens may differ", saved.header.lab);
    }
    Ok(lab)
}

/// Plays a run again, to an instant or to its end.
fn again(lab: Arc<Lab>, saved: SavedRun, until: Option<VirtualDuration>, pace: &Pace) -> Result<Session, String> {
    let mut session = Session::new(lab, Some(saved.header.seed))?;
    equip(&mut session, pace)?;
    let entries = match until {
        Some(until) => saved.entries.into_iter().filter(|entry| entry.at_us <= until.0).collect(),
        None => saved.entries,
    };
    session.resume(entries);
    if let Some(until) = until {
        session.advance(session.epoch() + until);
    }
    Ok(session)
}

/// `kinlab replay`: a saved run again, to its end or an instant; with a report, scored again and compared.
pub(super) fn replay(path: &Path, verify: Option<&Path>, lab: Option<&str>, pace: &Pace) -> std::io::Result<u8> {
    let found = match read(path) {
        Ok(found) => found,
        Err(error) => return wrong(error),
    };
    let report = match verify.map(report_of).transpose() {
        Ok(other) => other.or(found.report),
        Err(error) => return wrong(error),
    };
    let lab = match lab_of(&found.saved, lab) {
        Ok(lab) => lab,
        Err(code) => return Ok(code),
    };
    let until = pace.until.map(|until| until.0).or(report.as_ref().map(|report| VirtualDuration(report.elapsed_us)));
    let session = match again(lab, found.saved, until, pace) {
        Ok(session) => session,
        Err(error) => return wrong(error),
    };
    write_summary(&session)?;
    let Some(report) = report else { return Ok(end_of(&session)) };
    if session.broken_rule().is_some() {
        end_of(&session);
    }
    let differences = report.differences(&session.report());
    let mut out = std::io::stdout().lock();
    if differences.is_empty() {
        writeln!(out, "Verified: the run gives exactly the result of the report.")?;
        return Ok(OK);
    }
    for difference in &differences {
        writeln!(out, "DIFFERS  {difference}")?;
    }
    let own = env!("CARGO_PKG_VERSION");
    if report.version != own {
        eprintln!("The report was made by kinlab {}, this is {own}: another version may simulate otherwise.", report.version);
    }
    writeln!(out, "NOT verified: {} of the report's statements do not hold.", differences.len())?;
    Ok(NOT_MET)
}

/// The report of a lab's saved run.
fn saved_report(name: &str, pace: &Pace) -> Result<Result<Report, u8>, String> {
    let lab = match load(name) {
        Ok(lab) => lab,
        Err(errors) => return Ok(Err(complain(&errors))),
    };
    let id = &lab.scenario.id;
    let Some(saved) = home::saved_run(id)? else {
        return Err(format!("nothing of {id} is saved yet; play it in the dashboard first: kinlab run {id}"));
    };
    if let Some((line, why)) = &saved.torn {
        eprintln!("the saved run ends before its line {line}: {why}");
    }
    let lab = match lab_of(&saved, Some(name)) {
        Ok(lab) => lab,
        Err(code) => return Ok(Err(code)),
    };
    let session = again(lab, saved, pace.until.map(|until| until.0), pace)?;
    let recorded_seconds = home::progress_of(id).map(|(progress, _)| progress.wall_seconds).filter(|seconds| *seconds > 0);
    Ok(Ok(Report { recorded_seconds, ..session.report() }))
}

/// `kinlab report`: one page about a lab's saved run.
pub(super) fn report(name: &str, format: PageFormat, pace: &Pace) -> std::io::Result<u8> {
    match saved_report(name, pace) {
        Ok(Ok(report)) => {
            std::io::stdout().lock().write_all(render(&report, format.form()).as_bytes())?;
            Ok(OK)
        }
        Ok(Err(code)) => Ok(code),
        Err(error) => wrong(error),
    }
}

/// Writes the report of a session to a file that was asked for by name; the ending says how.
pub(super) fn write_report(session: &Session, path: &Path) -> Result<(), String> {
    let text = render(&session.report(), ReportForm::of_file(&path.to_string_lossy()));
    std::fs::write(path, text).map_err(|error| told(path, &error))
}
