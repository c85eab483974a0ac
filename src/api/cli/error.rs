//! What the CLI prints on standard error, and the exit code that goes with it.

use std::fmt::Write as _;

use super::super::Operation;
use super::super::ServiceError;

/// Exit code for wrong usage and for parameters the CLI itself refuses.
pub const USAGE_EXIT: u8 = 252;
/// Exit code for an error the service answered with.
pub const SERVICE_EXIT: u8 = 254;
/// Exit code for everything else.
pub const GENERAL_EXIT: u8 = 255;

const USAGE: &str = "\
usage: aws [options] <command> <subcommand> [<subcommand> ...] [parameters]
To see help text, you can run:

  aws help
  aws <command> help
  aws <command> <subcommand> help
";

/// A failure of a CLI call: what `aws` prints on standard error, without its last line feed, and its exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// Exit code as in version 2 of the CLI: 252, 254 or 255.
    pub exit_code: u8,
    /// The text, beginning with an empty line as the CLI's does.
    pub text: String,
}

impl CliError {
    /// Wrong usage: the usage text and a reason.
    pub(super) fn usage(reason: &str) -> Self {
        Self { exit_code: USAGE_EXIT, text: format!("\n{USAGE}\naws: error: {reason}\n") }
    }

    /// Words that no option or positional takes.
    pub(super) fn unknown_options(words: &[String]) -> Self {
        Self { exit_code: USAGE_EXIT, text: format!("\n{USAGE}\nUnknown options: {}\n", words.join(", ")) }
    }

    /// A word that is none of the choices of an argument, with near misses.
    pub(super) fn invalid_choice(argument: &str, word: &str, choices: &[&str]) -> Self {
        let mut text = format!("argument {argument}: Invalid choice, valid choices are:\n");
        for pair in choices.chunks(2) {
            let cells: Vec<String> = pair.iter().map(|choice| format!("{choice:<40}")).collect();
            text.push('\n');
            text.push_str(&cells.join(" | "));
        }
        let near = super::near::close_matches(word, choices);
        if !near.is_empty() {
            // Writing to a String never fails.
            let _ = write!(text, "\n\n\nInvalid choice: {}, maybe you meant:\n", super::param::quoted(word));
            for choice in near {
                let _ = write!(text, "\n  * {choice}");
            }
        }
        Self::usage(&text)
    }

    /// A value the CLI cannot read.
    pub(super) fn parameter(option: &str, reason: &str) -> Self {
        Self { exit_code: USAGE_EXIT, text: format!("\nError parsing parameter '{option}': {reason}") }
    }

    /// Values that do not fit the shape of the request, one reason a line.
    pub(super) fn validation(reasons: &[String]) -> Self {
        Self { exit_code: USAGE_EXIT, text: format!("\nParameter validation failed:\n{}", reasons.join("\n")) }
    }

    /// Wrong parameters in other words.
    pub(super) fn refused(text: &str) -> Self {
        Self { exit_code: USAGE_EXIT, text: format!("\n{text}") }
    }

    /// Any other failure.
    pub(super) fn general(text: &str) -> Self {
        Self { exit_code: GENERAL_EXIT, text: format!("\n{text}") }
    }

    /// An operation that AWS has and the simulator does not.
    pub(super) fn not_simulated(aws_name: &str) -> Self {
        let ServiceError { code, message } = ServiceError::not_simulated(aws_name);
        Self { exit_code: SERVICE_EXIT, text: format!("\nAn error occurred ({code}) when calling the {aws_name} operation: {message}") }
    }

    /// A refusal of the service.
    pub fn service(error: &ServiceError, operation: Operation) -> Self {
        Self { exit_code: SERVICE_EXIT, text: service_error_text(error, operation) }
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CliError {}

/// A refusal of the service in the CLI's words, beginning with an empty line.
pub fn service_error_text(error: &ServiceError, operation: Operation) -> String {
    format!("\nAn error occurred ({}) when calling the {operation} operation: {}", error.code, error.message)
}
