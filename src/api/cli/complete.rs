//! Completions of a command line under way: commands, options and the words of a set.

use super::super::model::Service;
use super::super::shape::{Kind, ModelYear};
use super::globals;
use super::help::purpose;
use super::options::{self, Opt, Target};
use super::wait::Waiter;

/// A word that may come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The whole word.
    pub word: String,
    /// What it does or takes.
    pub hint: String,
}

fn completion(word: impl Into<String>, hint: impl Into<String>) -> Completion {
    Completion { word: word.into(), hint: hint.into() }
}

/// The words that may stand in the place of the last of `words`, which may be empty or the beginning of one. Options that are given
/// already are left out, required ones come first.
pub fn completions(words: &[String], year: ModelYear) -> Vec<Completion> {
    let Some((last, before)) = words.split_last() else { return vec![completion("aws", "the AWS CLI")] };
    let found = match before {
        [] => vec![completion("aws", "the AWS CLI")],
        [_, rest @ ..] => behind_aws(rest, year),
    };
    found.into_iter().filter(|completion| completion.word.starts_with(last.as_str())).collect()
}

fn behind_aws(before: &[String], year: ModelYear) -> Vec<Completion> {
    let value_of = before.last().and_then(|word| globals::option_names().find(|(name, ..)| name == word));
    if let Some((_, true, choices)) = value_of {
        return choices.iter().map(|choice| completion(*choice, "")).collect();
    }
    let mut positionals = positionals(before);
    match (positionals.next(), positionals.next(), positionals.next()) {
        (None, ..) => {
            let mut found = vec![completion("kinesis", "Kinesis Data Streams")];
            found.extend(Service::all().iter().map(|service| completion(service.name, service.title)));
            found.extend([completion("s3", "ls, cp, mb, rb, rm"), completion("help", "")]);
            found.extend(global_options(before));
            found
        }
        (Some(service), None, _) if service == "kinesis" || Service::by_name(service).is_some() => {
            let operations = options::operations(service, year);
            let mut found: Vec<Completion> = operations.into_iter().map(|(name, operation)| completion(name, purpose(operation))).collect();
            if service == "kinesis" {
                found.push(completion("wait", "Waits until a stream exists or is gone."));
            }
            found.push(completion("help", ""));
            found
        }
        (Some("kinesis"), Some("wait"), None) => Waiter::ALL.iter().map(|waiter| completion(waiter.name, "")).collect(),
        (Some("kinesis"), Some("wait"), Some(name)) => {
            Waiter::from_name(name).map(|waiter| of_options(&options::of(waiter.operation, year), before, year)).unwrap_or_default()
        }
        (Some(service), Some(name), _) => options::operations(service, year)
            .into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, operation)| of_options(&options::of(operation, year), before, year))
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The words that are neither options nor values of global options.
fn positionals(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().enumerate().filter_map(|(at, word)| {
        let is_value = at > 0 && globals::option_names().any(|(name, takes_value, _)| takes_value && name == words[at - 1]);
        (!word.starts_with('-') && !is_value).then_some(word.as_str())
    })
}

fn global_options(before: &[String]) -> impl Iterator<Item = Completion> {
    globals::option_names().filter(|(name, ..)| !before.iter().any(|word| word == name)).map(|(name, _, choices)| completion(name, choices.join("|")))
}

fn of_options(options: &[Opt], before: &[String], year: ModelYear) -> Vec<Completion> {
    // Behind an option that takes words of a set, these words.
    let current = before.iter().rposition(|word| word.starts_with("--")).map(|at| (at, before[at].as_str()));
    if let Some((at, name)) = current
        && let Some(option) = options.iter().find(|option| option.name == name)
    {
        let values = &before[at + 1..];
        let takes_more = match option.arity() {
            options::Arity::None => false,
            options::Arity::Any => true,
            options::Arity::One | options::Arity::Maybe => values.is_empty(),
        };
        if takes_more {
            let mut found: Vec<Completion> =
                option.choices().iter().filter(|choice| !values.iter().any(|value| value == *choice)).map(|choice| completion(*choice, "")).collect();
            if option.arity() == options::Arity::One || values.is_empty() {
                if found.is_empty()
                    && let Target::Member(member) = option.target
                    && let Kind::Structure(members) = member.shape.kind
                {
                    found.extend(members.iter().take(1).flat_map(|first| match first.shape.kind {
                        Kind::Word(words) => words.iter().map(|word| completion(format!("{}={word}", first.name), "")).collect(),
                        _ => Vec::new(),
                    }));
                }
                return found;
            }
            found.extend(names(options, before, year));
            return found;
        }
    }
    let mut found = names(options, before, year);
    found.extend(global_options(before));
    found
}

/// The names of options not given yet, required ones first.
fn names(options: &[Opt], before: &[String], year: ModelYear) -> Vec<Completion> {
    let is_given =
        |option: &Opt| before.iter().any(|word| *word == option.name || word.strip_prefix(&option.name).is_some_and(|rest| rest.starts_with('=')));
    let mut left: Vec<&Opt> = options.iter().filter(|option| !is_given(option)).collect();
    left.sort_by_key(|option| !option.is_required(year));
    left.into_iter()
        .map(|option| {
            completion(
                option.name.clone(),
                if option.is_required(year) { format!("{}, required", option.type_name()) } else { option.type_name().to_owned() },
            )
        })
        .collect()
}
