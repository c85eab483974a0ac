//! What leaves the program: frames as text or SVG, reports.

pub mod frame;
pub mod report;
