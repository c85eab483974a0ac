//! Proof of a lab, headless: each check red before its step and green after its solution, every mistake told by its own sentence, the same
//! journal twice.

use std::sync::Arc;

use serde::Serialize;

use crate::engine::time::VirtualDuration;
use crate::lab::Lab;
use crate::lab::beats::Cue;

use super::Session;

/// Milliseconds of virtual time that pass at once, as at different speeds on different machines.
const PIECES: [u64; 4] = [97, 331, 13, 499];

/// One statement about a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Lab id.
    pub lab: String,
    /// What is proved.
    pub name: String,
    /// It holds.
    pub passed: bool,
    /// Why not.
    pub detail: String,
}

/// Proves a lab.
pub fn prove(lab: &Arc<Lab>, seeds: u64) -> Vec<Proof> {
    let id = lab.scenario.id.clone();
    let mut proofs = Vec::new();
    let mut add = |name: String, passed: bool, detail: String| proofs.push(Proof { lab: id.clone(), name, passed, detail });
    for offset in 0..seeds.max(1) {
        let seed = lab.scenario.clock.seed + offset;
        let hash = match solve(lab, seed, VirtualDuration::SECOND, &mut add) {
            Ok(hash) => hash,
            Err(error) => {
                add(format!("seed {seed}: the solution runs"), false, error);
                continue;
            }
        };
        let again = solve(lab, seed, VirtualDuration::SECOND, &mut |_, _, _| {});
        add(format!("seed {seed}: twice the same journal"), again.as_ref() == Ok(&hash), hash.clone());
        // Another piece for every seed: primes, so that no period of the engine is met by luck.
        let millis = PIECES[offset as usize % PIECES.len()];
        let pieces = solve(lab, seed, VirtualDuration::from_millis(millis), &mut |_, _, _| {});
        add(format!("seed {seed}: the same journal in pieces of {millis} ms"), pieces.as_ref() == Ok(&hash), hash);
    }
    if !lab.scenario.beat.is_empty() {
        let told = beats(lab);
        add("the presenter's beats run in their order".to_owned(), told.is_ok(), told.err().unwrap_or_default());
    }
    for mistake in &lab.scenario.mistake {
        let name = format!("mistake {}", mistake.id);
        match Session::new(lab.clone(), None) {
            Err(error) => add(name, false, error),
            Ok(mut session) => {
                for line in &mistake.lines {
                    session.line(line);
                }
                let why = session.lab().why(&mistake.check).unwrap_or_default();
                let red = !session.lab().is_met(&mistake.check);
                add(name, red && why.contains(&mistake.says), if red { format!("says: {why}") } else { "the check is green".to_owned() });
            }
        }
    }
    proofs
}

/// Plays the beats as a presenter does.
fn beats(lab: &Arc<Lab>) -> Result<(), String> {
    let mut session = Session::new(lab.clone(), None)?;
    for (number, beat) in lab.scenario.beat.iter().enumerate() {
        let beat = beat.get_ref();
        let said = |text: String| format!("beat {}, {}: {text}", number + 1, beat.title);
        for cue in beat.cues().map_err(said)? {
            match cue {
                Cue::Do(line) => {
                    let outcome = session.line(&line);
                    if outcome.failed {
                        return Err(said(format!("'{line}': {}", outcome.message)));
                    }
                }
                Cue::Play(time) => session.advance(session.now() + time),
                Cue::Until(check, most) => {
                    let end = session.now() + most;
                    while !session.lab().is_met(&check) && session.now() < end {
                        session.advance(session.now().next_second().min(end));
                    }
                    if !session.lab().is_met(&check) {
                        let why = session.lab().why(&check).unwrap_or_default();
                        return Err(said(format!("check {check} is not met within {} s: {why}", most.as_secs())));
                    }
                }
            }
        }
        if let Some(rule) = session.broken_rule() {
            return Err(said(rule.to_owned()));
        }
    }
    Ok(())
}

/// Plays the solution and gives the journal's hash.
fn solve(lab: &Arc<Lab>, seed: u64, pieces: VirtualDuration, add: &mut dyn FnMut(String, bool, String)) -> Result<String, String> {
    let mut session = Session::new(lab.clone(), Some(seed))?;
    session.set_granularity(pieces);
    for step in &lab.steps {
        for check in &step.spec.checks {
            let red = !session.lab().is_met(check);
            add(format!("seed {seed}: check {check} is red before its step"), red, String::new());
        }
        for line in &step.spec.solution {
            let outcome = session.line(line);
            if outcome.failed {
                return Err(format!("step {}: '{line}': {}", step.spec.id, outcome.message));
            }
        }
        for check in &step.spec.checks {
            let green = session.lab().is_met(check);
            let why = if green { String::new() } else { session.lab().why(check).unwrap_or_default() };
            add(format!("seed {seed}: check {check} is green after its solution"), green, why);
        }
        if let Some(rule) = session.broken_rule() {
            return Err(rule.to_owned());
        }
    }
    Ok(session.world().journal_hash())
}
