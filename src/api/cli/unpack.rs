//! The words given for an option to a value: scalars, lists, JSON and shorthand; files are loaded on the way.

use super::super::shape::{Kind, Shape};
use super::files::{FileSource, load};
use super::param::Param;
use super::words::{Given, integer};
use super::{CliError, json_text, shorthand};

/// The value of an option.
///
/// # Errors
/// A file that cannot be read, JSON or shorthand that cannot be, a text that is no integer.
pub(super) fn unpack(option: &str, shape: &Shape, given: &Given, files: &mut dyn FileSource) -> Result<Param, CliError> {
    let fault = |reason: String| CliError::parameter(option, &reason);
    let single = match given {
        Given::Flag => return Ok(Param::Bool(true)),
        Given::One(text) => Some(text),
        Given::Many(texts) => (texts.len() == 1).then(|| &texts[0]),
    };
    let loaded = match single {
        Some(text) => load(text, files).map_err(fault)?,
        None => None,
    };
    if let Some(Param::Bytes(bytes)) = loaded {
        return Ok(Param::Bytes(bytes));
    }
    let from_file = match loaded {
        Some(Param::Text(text)) => Some(text),
        _ => None,
    };
    let value = match (from_file, given) {
        (Some(text), _) => Value::One(text),
        (None, Given::Many(texts)) => Value::Many(texts.clone()),
        (None, Given::One(text)) => Value::One(text.clone()),
        (None, Given::Flag) => return Ok(Param::Bool(true)),
    };
    let first = match &value {
        Value::One(text) => Some(text.as_str()),
        Value::Many(texts) => texts.first().map(String::as_str),
    };
    let is_json = first.is_some_and(|text| text.trim().starts_with(['[', '{']));
    if has_shorthand(shape) && !is_json {
        let read = match value {
            Value::One(text) => shorthand::read(&text, files),
            Value::Many(texts) => texts.iter().map(|text| shorthand::read(text, files)).collect::<Result<_, _>>().map(Param::List),
        }
        .map_err(fault)?;
        return fit(shape, read);
    }
    match (shape.kind, value) {
        (Kind::List(item), Value::One(text)) => {
            if text.trim_start().starts_with('[') {
                return json(&text).map_err(fault);
            }
            // A list read from a file that is not JSON: the CLI takes each character for an item.
            text.chars().map(|c| one(option, item, &c.to_string())).collect::<Result<_, _>>().map(Param::List)
        }
        (Kind::List(item), Value::Many(texts)) => {
            if let [text] = &texts[..]
                && text.trim().starts_with('[')
            {
                return json(text).map_err(fault);
            }
            texts.iter().map(|text| one(option, item, text)).collect::<Result<_, _>>().map(Param::List)
        }
        (_, Value::One(text)) => one(option, shape, &text),
        (_, Value::Many(texts)) => one(option, shape, &texts.join(" ")),
    }
}

enum Value {
    One(String),
    Many(Vec<String>),
}

/// Whether values of a shape may be written in shorthand: structures, maps and lists of them.
fn has_shorthand(shape: &Shape) -> bool {
    match shape.kind {
        Kind::List(item) => !item.is_scalar(),
        _ => !shape.is_scalar(),
    }
}

/// Shorthand knows only texts: they become what the shape wants, and a single value where a list is wanted becomes a list of one, as in the CLI.
fn fit(shape: &Shape, value: Param) -> Result<Param, CliError> {
    match (shape.kind, value) {
        (Kind::Structure(members), Param::Map(entries)) => entries
            .into_iter()
            .map(|(key, value)| match members.iter().find(|member| member.name == key) {
                Some(member) => fit(member.shape, value).map(|value| (key, value)),
                None => Ok((key, value)),
            })
            .collect::<Result<_, _>>()
            .map(Param::Map),
        (Kind::Map(_, item), Param::Map(entries)) => {
            entries.into_iter().map(|(key, value)| fit(item, value).map(|value| (key, value))).collect::<Result<_, _>>().map(Param::Map)
        }
        (Kind::List(item), Param::List(items)) => items.into_iter().map(|value| fit(item, value)).collect::<Result<_, _>>().map(Param::List),
        (Kind::List(item), value) => fit(item, value).map(|value| Param::List(vec![value])),
        (Kind::Integer, Param::Text(text)) => whole(&text).map(Param::Int),
        (Kind::Double, Param::Text(text)) => decimal(&text).map(Param::Float),
        (Kind::Boolean, Param::Text(text)) => Ok(Param::Bool(text.eq_ignore_ascii_case("true"))),
        (_, value) => Ok(value),
    }
}

fn whole(text: &str) -> Result<i128, CliError> {
    let quoted = super::param::quoted(text);
    integer(text).ok_or_else(|| CliError::general(&format!("invalid literal for int() with base 10: {quoted}")))
}

fn decimal(text: &str) -> Result<f64, CliError> {
    let quoted = super::param::quoted(text);
    text.trim().parse().map_err(|_| CliError::general(&format!("could not convert string to float: {quoted}")))
}

fn one(option: &str, shape: &Shape, text: &str) -> Result<Param, CliError> {
    match shape.kind {
        Kind::Structure(_) | Kind::Map(..) => {
            if text.trim_start().starts_with('{') {
                json(text).map_err(|reason| CliError::parameter(option, &reason))
            } else {
                Err(CliError::parameter(option, &format!("Invalid JSON:\n{text}")))
            }
        }
        Kind::Integer => whole(text).map(Param::Int),
        Kind::Double => decimal(text).map(Param::Float),
        _ => Ok(Param::Text(text.to_owned())),
    }
}

fn json(text: &str) -> Result<Param, String> {
    json_text::read(text).map_err(|fault| format!("Invalid JSON: {fault}\nJSON received: {text}"))
}
