//! `kinlab`: the Amazon Kinesis Immersion Day in one binary, offline.
//!
//! Layers, each knowing only those to its right (enforced by `tests/tidy.rs`):
//!
//! ```text
//! main → cli → { tui, plain, export } → session → lab → engine → { sql, api }
//! ```
//!
//! See `docs/architecture.md` for the drawing and the five laws.

pub mod api;
pub mod cli;
pub mod engine;
pub mod export;
pub mod lab;
pub mod plain;
pub mod serve;
pub mod session;
pub mod sql;
pub mod tui;
