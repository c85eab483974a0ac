//! Scenario files: load, script, checks, hints, mistakes. Knows nothing of terminals.

pub mod beats;
pub mod embedded;
mod evaluate;
pub mod load;
pub mod run;
pub mod scenario;
pub mod view;

pub use load::{Diagnostic, Files, Lab, are_initials};
pub use run::{LabRun, build_world};
