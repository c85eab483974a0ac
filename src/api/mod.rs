//! The operations as typed values: requests, answers and errors of Kinesis Data Streams (`Kinesis_20131202`), their validation with
//! AWS's texts, and two text forms of each, JSON and AWS CLI words.
//!
//! Invariants: the module knows nothing of the engine; it uses no clock, file, environment or randomness; every function is total, bad
//! input becomes a [`ServiceError`] or a `CliError` with AWS's name and text.

mod blob;
pub mod cli;
mod error;
pub mod kinesis;
pub mod shape;
mod timestamp;

pub use blob::Blob;
pub use error::{ErrorCode, ServiceError};
pub use shape::{ModelYear, constraints, decode, decode_json, decode_with, validate};
pub use timestamp::Timestamp;
