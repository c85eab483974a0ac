//! Words to options and positionals, with the rules and error texts of the CLI's argument parser.
//!
//! A word is an option when it begins with a dash, is neither a negative number nor has a space in it; options may be shortened as long as
//! the prefix is unambiguous; `--name=value` is one word; the last of repeated options wins.

use super::CliError;
use super::options::Arity;
use super::param::quoted;

/// An option as the parser sees it.
pub(super) trait Named {
    /// The name with its dashes.
    fn name(&self) -> &str;
    fn arity(&self) -> Arity;
}

/// What was given for an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Flag,
    One(String),
    Many(Vec<String>),
}

/// What the words say: values by option index in order of appearance, and the words no option takes, in order.
pub(super) struct Parsed {
    pub(super) values: Vec<(usize, Given)>,
    pub(super) rest: Vec<Word>,
}

impl Parsed {
    /// The last value given for an option.
    pub(super) fn last(&self, option: usize) -> Option<&Given> {
        self.values.iter().rev().find(|(index, _)| *index == option).map(|(_, given)| given)
    }
}

/// A word no option took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// Looks like an option.
    Option(String),
    /// Does not.
    Positional(String),
}

impl Word {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Option(text) | Self::Positional(text) => text,
        }
    }
}

/// Gives the words to the options.
///
/// # Errors
/// An ambiguous prefix, an option without its value, a flag with one.
pub(super) fn parse<O: Named>(words: &[String], options: &[O]) -> Result<Parsed, CliError> {
    let mut parsed = Parsed { values: Vec::new(), rest: Vec::new() };
    let kinds: Vec<Look> = words.iter().map(|word| look(word, options)).collect::<Result<_, _>>()?;
    let mut at = 0;
    while at < words.len() {
        let word = &words[at];
        at += 1;
        let (index, explicit) = match &kinds[at - 1] {
            Look::Plain => {
                parsed.rest.push(Word::Positional(word.clone()));
                continue;
            }
            Look::Unknown => {
                parsed.rest.push(Word::Option(word.clone()));
                continue;
            }
            Look::Known(index, explicit) => (*index, explicit.clone()),
        };
        let option = &options[index];
        let plain_from = |from: usize| kinds[from..].iter().take_while(|kind| matches!(kind, Look::Plain)).count();
        let given = match (option.arity(), explicit) {
            (Arity::None, None) => Given::Flag,
            (Arity::None, Some(value)) => {
                return Err(CliError::usage(&format!("argument {}: ignored explicit argument {}", option.name(), quoted(&value))));
            }
            (Arity::One | Arity::Maybe, Some(value)) => Given::One(value),
            (Arity::Any, Some(value)) => Given::Many(vec![value]),
            (Arity::One, None) if plain_from(at) == 0 => {
                return Err(CliError::usage(&format!("argument {}: expected one argument", option.name())));
            }
            (Arity::Maybe, None) if plain_from(at) == 0 => Given::Flag,
            (Arity::One | Arity::Maybe, None) => {
                at += 1;
                Given::One(words[at - 1].clone())
            }
            (Arity::Any, None) => {
                let count = plain_from(at);
                at += count;
                Given::Many(words[at - count..at].to_vec())
            }
        };
        parsed.values.push((index, given));
    }
    Ok(parsed)
}

enum Look {
    Plain,
    Unknown,
    Known(usize, Option<String>),
}

fn look<O: Named>(word: &str, options: &[O]) -> Result<Look, CliError> {
    if !word.starts_with('-') || word == "-" {
        return Ok(Look::Plain);
    }
    if let Some(index) = options.iter().position(|option| option.name() == word) {
        return Ok(Look::Known(index, None));
    }
    let (name, explicit) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value.to_owned())));
    if explicit.is_some()
        && let Some(index) = options.iter().position(|option| option.name() == name)
    {
        return Ok(Look::Known(index, explicit));
    }
    if word.starts_with("--") && name != "--" {
        let near: Vec<usize> = (0..options.len()).filter(|index| options[*index].name().starts_with(name)).collect();
        match near[..] {
            [] => {}
            [index] => return Ok(Look::Known(index, explicit)),
            _ => {
                let names: Vec<&str> = near.iter().map(|index| options[*index].name()).collect();
                return Err(CliError::usage(&format!("ambiguous option: {word} could match {}", names.join(", "))));
            }
        }
    }
    if is_negative_number(word) || word.contains(' ') { Ok(Look::Plain) } else { Ok(Look::Unknown) }
}

/// `-5`, `-5.5` or `-.5`.
fn is_negative_number(word: &str) -> bool {
    let Some(digits) = word.strip_prefix('-') else { return false };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && !fraction.is_empty() && (!whole.is_empty() || digits.contains('.'))
}

/// A whole number as the CLI reads it: white space around, a sign and single underscores between digits are allowed.
pub(super) fn integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let spread = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    if spread || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        return None;
    }
    let negative = text.starts_with('-');
    let value: i128 = digits.replace('_', "").parse().unwrap_or(i128::MAX);
    Some(if negative { -value } else { value })
}
