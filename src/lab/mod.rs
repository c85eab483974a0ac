//! Scenario files: load, lint, script, checks, hints, mistakes, progress. Knows nothing of terminals.

pub mod view;
