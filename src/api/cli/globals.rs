//! The options that stand for every command: region, output, query and the like.

use super::CliError;
use super::options::Arity;
use super::param::quoted;
use super::query::Query;
use super::words::{self, Given, Named, Word};

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputFormat {
    /// JSON with an indent of four.
    #[default]
    Json,
    /// Lines of fields separated by tabs.
    Text,
    /// Boxes.
    Table,
}

/// How blobs are given on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BinaryFormat {
    /// As base64.
    #[default]
    Base64,
    /// As they are.
    RawInBase64Out,
}

/// The options of the CLI itself that have a meaning here.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Globals {
    /// `--output`; `None` is JSON.
    pub output: Option<OutputFormat>,
    /// `--query`, compiled.
    pub query: Option<Query>,
    /// `--region`.
    pub region: Option<String>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--endpoint-url`.
    pub endpoint_url: Option<String>,
    /// `--cli-binary-format`.
    pub binary_format: BinaryFormat,
    /// `--no-paginate`: one call, one page.
    pub no_paginate: bool,
}

#[derive(Clone, Copy)]
struct GlobalOpt {
    name: &'static str,
    arity: Arity,
    choices: &'static [&'static str],
}

impl Named for GlobalOpt {
    fn name(&self) -> &str {
        self.name
    }
    fn arity(&self) -> Arity {
        self.arity
    }
}

const fn flag(name: &'static str) -> GlobalOpt {
    GlobalOpt { name, arity: Arity::None, choices: &[] }
}
const fn value(name: &'static str) -> GlobalOpt {
    GlobalOpt { name, arity: Arity::One, choices: &[] }
}
const fn choice(name: &'static str, choices: &'static [&'static str]) -> GlobalOpt {
    GlobalOpt { name, arity: Arity::One, choices }
}

const OPTIONS: &[GlobalOpt] = &[
    flag("--debug"),
    value("--endpoint-url"),
    flag("--no-verify-ssl"),
    flag("--no-paginate"),
    choice("--output", &["json", "text", "table"]),
    value("--query"),
    value("--profile"),
    value("--region"),
    flag("--version"),
    choice("--color", &["on", "off", "auto"]),
    flag("--no-sign-request"),
    value("--ca-bundle"),
    value("--cli-read-timeout"),
    value("--cli-connect-timeout"),
    choice("--cli-binary-format", &["base64", "raw-in-base64-out"]),
    flag("--no-cli-pager"),
    flag("--cli-auto-prompt"),
    flag("--no-cli-auto-prompt"),
];

/// Names of the global options with what they may be set to.
pub(super) fn option_names() -> impl Iterator<Item = (&'static str, bool, &'static [&'static str])> {
    OPTIONS.iter().map(|option| (option.name, option.arity == Arity::One, option.choices))
}

/// What is left when the global options are taken out.
pub(super) struct Split {
    pub(super) globals: Globals,
    /// `--version` was given.
    pub(super) version: bool,
    /// The command: the first word that is no option.
    pub(super) command: Option<String>,
    /// Everything else in order.
    pub(super) rest: Vec<String>,
}

/// Takes the global options out of the words, wherever they stand.
///
/// # Errors
/// A missing value, a value that is not a choice, a query that does not compile, an endpoint without scheme.
pub(super) fn split(all: &[String]) -> Result<Split, CliError> {
    let parsed = words::parse(all, OPTIONS)?;
    let mut globals = Globals::default();
    let mut version = false;
    let mut query = None;
    for (index, given) in &parsed.values {
        let option = OPTIONS[*index];
        let value = match given {
            Given::One(value) => value.as_str(),
            _ => "",
        };
        if !option.choices.is_empty() && !option.choices.contains(&value) {
            return Err(CliError::invalid_choice(option.name, value, option.choices));
        }
        match option.name {
            "--output" => {
                globals.output = Some(match value {
                    "text" => OutputFormat::Text,
                    "table" => OutputFormat::Table,
                    _ => OutputFormat::Json,
                });
            }
            "--query" => query = Some(value),
            "--region" => globals.region = Some(value.to_owned()),
            "--profile" => globals.profile = Some(value.to_owned()),
            "--endpoint-url" => globals.endpoint_url = Some(value.to_owned()),
            "--cli-binary-format" => {
                globals.binary_format = if value == "base64" { BinaryFormat::Base64 } else { BinaryFormat::RawInBase64Out };
            }
            "--no-paginate" => globals.no_paginate = true,
            "--version" => version = true,
            "--cli-read-timeout" | "--cli-connect-timeout" if words::integer(value).is_none() => {
                return Err(CliError::usage(&format!("argument {}: invalid int value: {}", option.name, quoted(value))));
            }
            _ => {}
        }
    }
    let mut command = None;
    let mut rest = Vec::new();
    for word in parsed.rest {
        match word {
            Word::Positional(text) if command.is_none() => command = Some(text),
            word => rest.push(word.into_text()),
        }
    }
    if command.is_none() && !version {
        return Err(CliError::usage("the following arguments are required: command"));
    }
    globals.query = query.map(Query::compile).transpose()?;
    if let Some(url) = &globals.endpoint_url
        && !url
            .split_once(':')
            .is_some_and(|(scheme, _)| !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)))
    {
        return Err(CliError::refused(&format!(
            "Bad value for --endpoint-url \"{url}\": scheme is missing.  Must be of the form http://<hostname>/ or https://<hostname>/"
        )));
    }
    Ok(Split { globals, version, command, rest })
}
