//! `kinlab check` and `kinlab lint`.

use std::io::Write;

use clap::ValueEnum;

use crate::lab::embedded;
use crate::session::proof::{Proof, prove};

use super::sources::{complain, load};
use super::{NOT_MET, OK, USAGE};

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ReportFormat {
    Text,
    Json,
    Junit,
}

pub(super) fn check(names: &[String], seeds: u64, format: ReportFormat) -> std::io::Result<u8> {
    let names: Vec<String> = if names.is_empty() { embedded::ids().map(str::to_owned).collect() } else { names.to_vec() };
    let mut labs = Vec::new();
    for name in &names {
        match load(name) {
            Ok(lab) => labs.push(lab),
            Err(errors) => return Ok(complain(&errors)),
        }
    }
    // Each lab is a world of its own; the report keeps their order.
    let proofs: Vec<Proof> = std::thread::scope(|scope| {
        let running: Vec<_> = labs.iter().map(|lab| scope.spawn(move || prove(lab, seeds))).collect();
        running.into_iter().flat_map(|proof| proof.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let failed = proofs.iter().filter(|proof| !proof.passed).count();
    let mut out = std::io::stdout().lock();
    match format {
        ReportFormat::Text => {
            for proof in &proofs {
                let detail = if proof.passed || proof.detail.is_empty() { String::new() } else { format!(" ({})", proof.detail) };
                writeln!(out, "{} {} {}{detail}", if proof.passed { "ok    " } else { "FAILED" }, proof.lab, proof.name)?;
            }
            writeln!(out, "{} passed, {failed} failed", proofs.len() - failed)?;
        }
        ReportFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&proofs)?)?,
        ReportFormat::Junit => {
            let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            writeln!(out, "<testsuite name=\"kinlab check\" tests=\"{}\" failures=\"{failed}\">", proofs.len())?;
            for proof in &proofs {
                write!(out, "  <testcase classname=\"{}\" name=\"{}\"", escape(&proof.lab), escape(&proof.name))?;
                if proof.passed { writeln!(out, "/>")? } else { writeln!(out, "><failure message=\"{}\"/></testcase>", escape(&proof.detail))? }
            }
            writeln!(out, "</testsuite>")?;
        }
    }
    Ok(if failed == 0 { OK } else { NOT_MET })
}

pub(super) fn lint(names: &[String]) -> std::io::Result<u8> {
    if names.is_empty() {
        eprintln!("error: name at least one lab or folder");
        return Ok(USAGE);
    }
    let mut code = OK;
    let mut out = std::io::stdout().lock();
    for name in names {
        match load(name) {
            Ok(lab) => match crate::lab::build_world(&lab, None) {
                Ok(_) => writeln!(out, "{name}: good")?,
                Err(error) => {
                    eprintln!("error: {name}: {error}");
                    code = USAGE;
                }
            },
            Err(errors) => code = complain(&errors),
        }
    }
    Ok(code)
}
