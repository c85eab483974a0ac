//! The code about itself: which layer may use which, and what must not be left behind.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn arrows_between_layers_point_one_way() {
    // Each layer may use those after it.
    const ORDER: [&str; 10] = ["cli", "plain", "export", "tui", "serve", "session", "lab", "engine", "sql", "api"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut seen = 0;
    for file in files {
        let inside = file.strip_prefix(&root).expect("below src");
        let Some(layer) = ORDER.iter().position(|layer| inside.starts_with(layer)) else { continue };
        let text = std::fs::read_to_string(&file).expect("UTF-8");
        for (number, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let used = line[at + 7..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
                if let Some(other) = ORDER.iter().position(|layer| *layer == used) {
                    seen += 1;
                    assert!(other >= layer, "{}:{}: {} must not use {used}", file.display(), number + 1, ORDER[layer]);
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} uses were found: is the test still looking at the right place?");
}

#[test]
fn the_simulation_knows_no_clock_file_thread_or_environment() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for layer in ["api", "sql", "engine", "lab", "session"] {
        let mut files = Vec::new();
        sources(&root.join(layer), &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).expect("UTF-8");
            for forbidden in ["std::fs", "std::net", "std::thread::", "std::env", "std::time", "std::process", "HashMap", "todo!", "unimplemented!"] {
                assert!(!text.contains(forbidden), "{} uses {forbidden}", file.display());
            }
        }
    }
}
