//! JMESPath, the language of `--query`: compiled once, searched in any number of answers.
//!
//! The semantics and the error texts are those of the CLI's own implementation; objects keep the order of their members.

mod eval;
mod functions;
mod lex;
mod parse;

use serde_json::Value;

use super::CliError;
use parse::Node;

/// A scalar as text and tables print it: texts bare, `True`, `False` and `None` spelt so.
pub(super) fn to_text(value: &Value) -> String {
    eval::to_param(value).shown()
}

/// Everything is true except `null`, `false` and what is empty.
pub(super) fn is_true(value: &Value) -> bool {
    eval::is_true(value)
}

/// A compiled query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    text: String,
    root: Node,
}

impl Query {
    /// Compiles a query.
    ///
    /// # Errors
    /// The CLI's `Bad value for --query …` with a caret under the fault.
    pub fn compile(text: &str) -> Result<Self, CliError> {
        let root = parse::parse(text).map_err(|fault| CliError::refused(&format!("Bad value for --query {text}: {fault}")))?;
        Ok(Self { text: text.to_owned(), root })
    }

    /// The query as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the query finds in a value; `null` when nothing.
    ///
    /// # Errors
    /// A function that does not exist, wrong arguments of one, values that cannot be compared.
    pub fn search(&self, value: &Value) -> Result<Value, CliError> {
        eval::eval(&self.root, value).map_err(|fault| CliError::general(&fault))
    }
}

#[cfg(test)]
mod tests;
