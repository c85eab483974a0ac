//! The SQL dialect against the shared cases. They are skipped, with a message, where the folder is absent.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use kinlab::sql::cases::{self, Status};

fn shared(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/sql").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {name} is not here");
        return;
    };
    let results = cases::run(&text).expect("a case file");
    let failed: Vec<String> = results
        .iter()
        .filter(|result| result.status == Status::Fail)
        .map(|result| format!("{}: {}\n  expected {}\n  got      {}", result.id, result.message, result.expected, result.got))
        .collect();
    let disputed = results.iter().filter(|result| result.status == Status::Disputed).map(|result| result.id.as_str()).collect::<Vec<_>>();
    eprintln!("{} of {} cases pass; read otherwise where disputed: {disputed:?}", results.len() - failed.len() - disputed.len(), results.len());
    assert!(failed.is_empty(), "{} cases fail:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn shared_functions() {
    shared("functions.jsonl");
}

#[test]
fn shared_streams() {
    shared("streams.json");
}
