//! The operations as values: requests, answers and errors of Kinesis Data Streams (`Kinesis_20131202`) as types, of the other services by
//! their models; their validation with AWS's texts, and two text forms of each, JSON and AWS CLI words.
//!
//! Invariants: the module knows nothing of the engine; it uses no clock, file, environment or randomness; every function is total, bad
//! input becomes a [`ServiceError`] or a `CliError` with AWS's name and text.

mod blob;
pub mod cli;
mod error;
pub mod kinesis;
pub mod model;
mod operation;
pub mod shape;
mod timestamp;

pub use blob::Blob;
pub use error::{ErrorCode, ServiceError};
pub use model::Call;
pub use operation::{Operation, Request, Response};
pub use shape::{ModelYear, constraints, decode, decode_json, decode_with, validate};
pub use timestamp::Timestamp;
