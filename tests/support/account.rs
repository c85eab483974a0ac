//! An account like any other, and lines typed into it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;

use kinlab::lab::{Lab, embedded};
use kinlab::session::Session;

/// A session in the boarding lab, which has nothing in it.
pub fn session() -> Session {
    let (_, files) = embedded::find("lab0").expect("exists");
    Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("good")
}

/// What a line answers that must work.
pub fn ok(session: &mut Session, line: &str) -> String {
    let outcome = session.line(line);
    assert!(!outcome.failed, "{line}: {} {}", outcome.message, outcome.output);
    outcome.output
}

/// What a line says that must fail.
pub fn fails(session: &mut Session, line: &str) -> String {
    let outcome = session.line(line);
    assert!(outcome.failed, "{line}: {}", outcome.output);
    outcome.message
}
