//! What leaves the program: frames as text or SVG, recordings, reports.

pub mod ansi;
pub mod cast;
pub mod frame;
pub mod report;
