//! Words to a call: what to send, how to page, how to print.

use super::super::kinesis;
use super::super::model::Service;
use super::super::shape::Shape;
use super::super::shape::{Kind, ModelYear};
use super::super::{Operation, Request};
use super::files::{FileSource, load};
use super::globals::{self, Globals};
use super::options::{self, Arity, Opt, Target};
use super::paginate::{Paginator, Paging};
use super::param::{Param, quoted};
use super::wait::Waiter;
use super::words::{self, Given, Named, Word};
use super::{CliError, body, check, help, json_text, skeleton, unpack};

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum CliCall {
    /// Call an operation.
    Operation {
        /// The request, validated.
        request: Request,
        /// How to run through the pages of a listing; `None` means one call.
        paging: Option<Paging>,
        /// Region, output, query and the like.
        globals: Globals,
    },
    /// Call an operation again and again until a condition holds.
    Wait {
        /// The condition, with the delay between calls and their number.
        waiter: Waiter,
        /// The request of each call.
        request: Request,
        /// Region, output, query and the like.
        globals: Globals,
    },
    /// Print a text: help, version, skeleton of a request.
    Print(String),
}

impl Named for Opt {
    fn name(&self) -> &str {
        &self.name
    }
    fn arity(&self) -> Arity {
        self.arity()
    }
}

impl CliCall {
    /// Reads `aws [options] kinesis <operation> [parameters]`; the first word may be left out.
    ///
    /// # Errors
    /// Everything `aws` says before it calls, and the service's refusal of a request that cannot be.
    pub fn parse(words: &[String], files: &mut dyn FileSource) -> Result<Self, CliError> {
        Self::parse_for(words, files, ModelYear::Current)
    }

    /// As [`CliCall::parse`] with the operations, options and constraints of a year's model.
    ///
    /// # Errors
    /// As [`CliCall::parse`].
    pub fn parse_for(words: &[String], files: &mut dyn FileSource, year: ModelYear) -> Result<Self, CliError> {
        let words = match words {
            [first, rest @ ..] if first == "aws" => rest,
            all => all,
        };
        let split = globals::split(words)?;
        if split.version {
            return Ok(Self::Print(format!("aws-cli/2 kinlab/{}\n", env!("CARGO_PKG_VERSION"))));
        }
        let command = split.command.unwrap_or_default();
        match command.as_str() {
            "kinesis" => {}
            "help" => return Ok(Self::Print(help::aws())),
            other if Service::by_name(other).is_some() => {}
            other => {
                let mut choices = vec!["kinesis"];
                choices.extend(Service::all().iter().map(|service| service.name));
                choices.extend(["s3", "help"]);
                return Err(CliError::invalid_choice("command", other, &choices));
            }
        }
        let mut rest = split.rest;
        let Some(at) = rest.iter().position(|word| !word.starts_with('-')) else {
            return Err(CliError::usage("the following arguments are required: operation"));
        };
        let name = rest.remove(at);
        match name.as_str() {
            "help" => return Ok(Self::Print(help::service(&command, year))),
            "wait" if command == "kinesis" => return wait(rest, files, year, split.globals),
            _ => {}
        }
        let names = options::operations(&command, year);
        let Some(operation) = names.iter().find(|(known, _)| *known == name).map(|(_, operation)| *operation) else {
            if command == "kinesis"
                && let Some(aws_name) = kinesis::Operation::not_simulated().iter().find(|aws_name| options::kebab(aws_name) == name)
            {
                return Err(CliError::not_simulated(aws_name));
            }
            let mut choices: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            if command == "kinesis" {
                choices.push("wait");
            }
            choices.push("help");
            return Err(CliError::invalid_choice("operation", &name, &choices));
        };
        if operation.name() == "Invoke" || operation.name() == "GetObject" {
            drop_outfile(&mut rest);
        }
        let call = Call { operation, options: options::of(operation, year), year };
        match call.read(&rest, files, &split.globals)? {
            Read::Print(text) => Ok(Self::Print(text)),
            Read::Request(request, paging) => Ok(Self::Operation { request, paging, globals: split.globals }),
        }
    }
}

fn wait(mut rest: Vec<String>, files: &mut dyn FileSource, year: ModelYear, globals: Globals) -> Result<CliCall, CliError> {
    let Some(at) = rest.iter().position(|word| !word.starts_with('-')) else {
        return Err(CliError::refused("usage: aws [options] kinesis wait <subcommand> [parameters]\naws: error: too few arguments"));
    };
    let name = rest.remove(at);
    if name == "help" {
        return Ok(CliCall::Print(help::wait()));
    }
    let Some(waiter) = Waiter::from_name(&name) else {
        let choices: Vec<&str> = Waiter::ALL.iter().map(|waiter| waiter.name).collect();
        return Err(CliError::invalid_choice("subcommand", &name, &choices));
    };
    // A waiter has the members of its operation, but no pages.
    let mut options = options::of(waiter.operation, year);
    options.retain(|option| !matches!(option.target, Target::MaxItems | Target::PageSize | Target::StartingToken));
    let call = Call { operation: waiter.operation, options, year };
    match call.read(&rest, files, &globals)? {
        Read::Print(text) => Ok(CliCall::Print(text)),
        Read::Request(request, _) => Ok(CliCall::Wait { waiter, request, globals }),
    }
}

/// The file that some commands write the answer's body to; it is printed instead.
fn drop_outfile(rest: &mut Vec<String>) {
    let is_file = rest.last().is_some_and(|word| word == "-" || !word.starts_with('-'));
    let behind_option = rest.len() > 1 && rest[rest.len() - 2].starts_with("--") && !rest[rest.len() - 2].contains('=');
    if is_file && !behind_option && rest.last().is_some_and(|word| word != "help") {
        rest.pop();
    }
}

struct Call {
    operation: Operation,
    options: Vec<Opt>,
    year: ModelYear,
}

enum Read {
    Print(String),
    Request(Request, Option<Paging>),
}

impl Call {
    fn read(&self, words: &[String], files: &mut dyn FileSource, globals: &Globals) -> Result<Read, CliError> {
        if words == ["help"] {
            return Ok(Read::Print(help::operation(self.operation, self.year)));
        }
        let parsed = words::parse(words, &self.options)?;
        let given = |wanted: fn(&Target) -> bool| self.options.iter().position(|option| wanted(&option.target)).and_then(|index| parsed.last(index));
        let skeleton = given(|target| matches!(target, Target::Skeleton));
        let input = given(|target| matches!(target, Target::CliInputJson));
        let numbers = Paging {
            starting_token: match given(|target| matches!(target, Target::StartingToken)) {
                Some(Given::One(token)) => Some(token.clone()),
                _ => None,
            },
            page_size: number("--page-size", given(|target| matches!(target, Target::PageSize)))?,
            max_items: number("--max-items", given(|target| matches!(target, Target::MaxItems)))?,
        };
        if let Some(Given::One(kind)) = skeleton
            && kind != "input"
        {
            return Err(CliError::invalid_choice("--generate-cli-skeleton", kind, &["input"]));
        }
        if skeleton.is_none() && input.is_none() {
            self.require(&parsed)?;
        }
        if asks_for_help(&parsed.rest)? {
            return Ok(Read::Print(help::operation(self.operation, self.year)));
        }
        if skeleton.is_some() {
            return Ok(Read::Print(skeleton::input(self.operation, self.year)));
        }
        let mut params = self.params(&parsed, files)?;
        let mut manual = self.pages_by_hand(&params);
        if let Some(Given::One(text)) = input {
            let Param::Map(entries) = read_input(text, files)? else { return Ok(Read::Print(String::new())) };
            let from_json = Param::Map(entries);
            manual |= self.pages_by_hand(&from_json);
            params = merge(params, from_json);
        }
        let paging = self.paging(numbers, manual || globals.no_paginate)?;
        let members = self.operation.members();
        body::decode_blobs(members, &mut params, globals.binary_format)?;
        check::check(members, &params, self.year)?;
        let body = body::body(members, &params);
        let request = self.operation.decode(&body, self.year).map_err(|error| CliError::service(&error, self.operation))?;
        Ok(Read::Request(request, paging))
    }

    fn require(&self, parsed: &words::Parsed) -> Result<(), CliError> {
        let missing: Vec<&str> = self
            .options
            .iter()
            .enumerate()
            .filter(|(index, option)| option.is_required(self.year) && parsed.last(*index).is_none())
            .map(|(_, option)| option.name.as_str())
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(CliError::usage(&format!("the following arguments are required: {}", missing.join(", ")))) }
    }

    /// The members given as options, in AWS's order.
    fn params(&self, parsed: &words::Parsed, files: &mut dyn FileSource) -> Result<Param, CliError> {
        let mut entries: Vec<(String, Param)> = Vec::new();
        for (index, option) in self.options.iter().enumerate() {
            let Some(given) = parsed.last(index) else { continue };
            match option.target {
                Target::Member(member) => {
                    let shape: &Shape = member.shape;
                    entries.push((member.name.to_owned(), unpack::unpack(&option.name, shape, given, files)?));
                }
                Target::Flag(member, _) if entries.iter().all(|(name, _)| name != member.name) => {
                    entries.push((member.name.to_owned(), Param::Bool(self.last_flag(parsed, member.name))));
                }
                _ => {}
            }
        }
        Ok(Param::Map(entries))
    }

    /// The value of a flag: of its two options the last one given counts.
    fn last_flag(&self, parsed: &words::Parsed, name: &str) -> bool {
        let value = |index: usize| match self.options[index].target {
            Target::Flag(member, value) if member.name == name && matches!(member.shape.kind, Kind::Boolean) => Some(value),
            _ => None,
        };
        parsed.values.iter().rev().find_map(|(index, _)| value(*index)).unwrap_or(false)
    }

    /// Whether the parameters page by themselves, which turns the CLI's paging off.
    fn pages_by_hand(&self, params: &Param) -> bool {
        Paginator::for_operation(self.operation)
            .is_some_and(|paginator| params.get(paginator.input_token).is_some() || paginator.limit_key.is_some_and(|key| params.get(key).is_some()))
    }

    fn paging(&self, paging: Paging, off: bool) -> Result<Option<Paging>, CliError> {
        if Paginator::for_operation(self.operation).is_none() {
            return Ok(None);
        }
        if !off {
            return Ok(Some(paging));
        }
        let used: Vec<&str> = [
            ("--starting-token", paging.starting_token.as_deref().is_some_and(|token| !token.is_empty())),
            ("--page-size", paging.page_size.is_some_and(|size| size != 0)),
            ("--max-items", paging.max_items.is_some_and(|items| items != 0)),
        ]
        .into_iter()
        .filter_map(|(name, used)| used.then_some(name))
        .collect();
        if used.is_empty() {
            return Ok(None);
        }
        Err(CliError::refused(&format!("Cannot specify --no-paginate along with pagination arguments: {}", used.join(", "))))
    }
}

/// Whether the words that no option takes ask for help. The first positional is in the place of `help`, so the CLI names it last.
fn asks_for_help(rest: &[Word]) -> Result<bool, CliError> {
    let slot = rest.iter().position(|word| matches!(word, Word::Positional(_)));
    let helper = slot.map(|at| rest[at].clone().into_text());
    if helper.as_deref() == Some("help") {
        return Ok(true);
    }
    let mut unknown: Vec<String> = rest.iter().enumerate().filter(|(at, _)| Some(*at) != slot).map(|(_, word)| word.clone().into_text()).collect();
    unknown.extend(helper);
    if unknown.is_empty() { Ok(false) } else { Err(CliError::unknown_options(&unknown)) }
}

fn number(option: &str, given: Option<&Given>) -> Result<Option<i64>, CliError> {
    let Some(Given::One(text)) = given else { return Ok(None) };
    match words::integer(text).and_then(|int| i64::try_from(int).ok()) {
        Some(int) => Ok(Some(int)),
        None => Err(CliError::usage(&format!("argument {option}: invalid int value: {}", quoted(text)))),
    }
}

fn read_input(text: &str, files: &mut dyn FileSource) -> Result<Param, CliError> {
    let loaded = load(text, files).map_err(|reason| CliError::parameter("--cli-input-json", &reason))?;
    let json = match loaded {
        Some(Param::Text(text)) => text,
        Some(Param::Bytes(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        _ => text.to_owned(),
    };
    match json_text::read(&json) {
        Ok(Param::Map(entries)) => Ok(Param::Map(entries)),
        Ok(other) => Err(CliError::parameter("--cli-input-json", &format!("Invalid type: expecting map, received {}", other.class()))),
        Err(_) => Err(CliError::parameter("cli-input-json", "Invalid JSON received.")),
    }
}

/// Options come first, JSON fills in the rest.
fn merge(options: Param, json: Param) -> Param {
    match (options, json) {
        (Param::Map(mut entries), Param::Map(more)) => {
            for (name, value) in more {
                if entries.iter().all(|(known, _)| *known != name) {
                    entries.push((name, value));
                }
            }
            Param::Map(entries)
        }
        (options, _) => options,
    }
}
