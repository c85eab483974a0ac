//! The AWS CLI as a library: words to calls, answers to what `aws` prints, and the way back from a request to its command line.
//!
//! It imitates version 2 of the CLI: blobs are base64 unless `--cli-binary-format raw-in-base64-out` says otherwise, instants are printed in
//! ISO 8601, listings run through all their pages. Nothing here opens a file, calls a service or prints: files come from a [`FileSource`],
//! calls are values, output is text.
//!
//! ```text
//! line ── parse ──► words ── CliCall::parse ──► CliCall ──► (engine) ──► Answer ── render ──► text
//! ```

mod body;
mod call;
mod check;
mod complete;
mod error;
mod files;
mod globals;
mod help;
mod instant;
mod json_text;
mod line;
mod near;
mod options;
mod paginate;
mod param;
mod query;
mod render;
mod shorthand;
mod skeleton;
mod split;
mod unpack;
mod wait;
mod words;

pub use call::CliCall;
pub use complete::{Completion, completions};
pub use error::{CliError, GENERAL_EXIT, SERVICE_EXIT, USAGE_EXIT, service_error_text};
pub use files::{FileSource, NoFiles};
pub use globals::{BinaryFormat, Globals, OutputFormat};
pub use line::to_cli_words;
pub use paginate::{Answer, Pages, Paginator, Paging};
pub use query::Query;
pub use render::{body_of_answer, render};
pub use split::parse;
pub use wait::{Verdict, Waiter};

#[cfg(test)]
mod tests;
