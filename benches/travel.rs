//! How long going back takes, and what the saved worlds weigh: `cargo bench --bench travel`. Lab3 with its solution, played to its end.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, missing_docs, reason = "a bench measures time")]

mod support;

use std::sync::Arc;
use std::time::Instant;

use kinlab::engine::time::VirtualDuration;
use kinlab::lab::{Lab, embedded};
use kinlab::session::Session;
use kinlab::session::driver::{Act, Driver};

use support::Ledger;

/// Resident memory of this process in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn play(saves: bool) -> (Session, u64, f64) {
    let (_, files) = embedded::find("lab3").unwrap();
    let lab = Arc::new(Lab::load(&files).unwrap());
    let mut session = Session::new(lab.clone(), None).unwrap();
    if saves {
        session.keep_checkpoints();
    }
    let began = Instant::now();
    for line in lab.steps.iter().flat_map(|step| &step.spec.solution) {
        session.line(line);
    }
    let hour = session.epoch() + VirtualDuration::from_secs(3600);
    session.advance(hour);
    (session, resident(), began.elapsed().as_secs_f64())
}

fn main() {
    let (plain, without, played) = play(false);
    let hash = plain.world().journal_hash();
    drop(plain);
    let (mut session, with, saved) = play(true);
    assert_eq!(session.world().journal_hash(), hash, "saving changes nothing");
    let mut ledger = Ledger::new("travel");
    ledger.beside("seconds of Lab3 played, saving worlds", 3600.0 / saved, "a second", 3600.0 / played);
    ledger.row("memory without saved worlds", without as f64, "MiB");
    ledger.row("memory with saved worlds", with as f64, "MiB");
    // Seven minutes are in no ratio to the spacing of the saved worlds.
    let mut times = Vec::new();
    let newest = session.now();
    for minutes in [1, 8, 15, 22, 29, 36, 43, 50, 57] {
        session.act(Act::ToNow);
        let back = Instant::now();
        session.act(Act::Shift(-minutes * 60_000_000));
        times.push((minutes, back.elapsed().as_secs_f64() * 1000.0));
    }
    let back = Instant::now();
    session.act(Act::ToStart);
    times.push((60, back.elapsed().as_secs_f64() * 1000.0));
    let forward = Instant::now();
    session.act(Act::ToNow);
    ledger.row("forward to the newest", forward.elapsed().as_secs_f64() * 1000.0, "ms");
    for (minutes, millis) in &times {
        ledger.row(&format!("back by {minutes} min"), *millis, "ms");
    }
    assert_eq!((session.now(), session.world().journal_hash()), (newest, hash), "the same bytes");
}
