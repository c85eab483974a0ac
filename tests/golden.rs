//! The journals of the labs' solutions, by their hashes: the same in debug and release builds, on every machine, in any steps of time.
//!
//! A change of what the engine does changes them, and is meant to be seen. `cargo test --release --test golden` must say the same as without `--release`.

use std::fmt::Write;
use std::sync::Arc;

use kinlab::engine::time::VirtualDuration;
use kinlab::lab::{Lab, embedded};
use kinlab::session::Session;

/// The journal's hash after a lab's solution, played in pieces of so many milliseconds.
fn journal(name: &str, pieces: u64) -> String {
    let (_, files) = embedded::find(name).expect("the labs are built in");
    let lab = Arc::new(Lab::load(&files).expect("the labs load"));
    let mut session = Session::new(lab.clone(), None).expect("the labs can be built");
    session.set_granularity(VirtualDuration::from_millis(pieces));
    for line in lab.steps.iter().flat_map(|step| &step.spec.solution) {
        let outcome = session.line(line);
        assert!(!outcome.failed, "{line}: {}", outcome.message);
    }
    assert_eq!(session.broken_rule(), None);
    session.world().journal_hash()
}

#[test]
fn journals_are_the_same_everywhere() {
    let mut text = String::new();
    for (at, id) in embedded::ids().enumerate() {
        // Different steps for different labs: `kinlab check` plays all of them in whole seconds.
        let _ = writeln!(text, "{id} {}", journal(id, [1000, 137, 61, 250][at % 4]));
    }
    insta::assert_snapshot!("journals", text);
}
