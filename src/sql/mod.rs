//! The dialect of Kinesis Data Analytics for SQL as a library: text to tokens, to syntax, to a checked program, to running operators.
//!
//! It knows nothing of Kinesis, files or screens. Rows come in with their ROWTIME, the clock is moved by the caller, rows of every
//! in-application stream come out; a row that fails becomes a row of the error stream and nothing else stops. Everything is deterministic:
//! dividing the same input into other batches never changes a result.

pub mod ast;
pub mod datetime;
pub mod diagnostic;
pub mod interval;
pub mod lex;
pub mod parse;
pub mod types;
pub mod value;

mod bind;
pub mod bound;
pub mod cases;
pub mod cast;
pub mod column;
pub mod decode;
pub mod decoder;
pub mod discover;
pub mod explain;
pub mod functions;
pub mod logparse;
pub mod matching;
pub mod pattern;
pub mod plan;
pub mod program;
pub mod run;
pub mod scope;
mod select;
mod shape;
mod skim;

pub use diagnostic::{Diagnostic, Severity};
pub use program::{Catalog, Program, ReferenceTable, SourceStream};
pub use run::{Batch, ErrorRow, Row, Running};
