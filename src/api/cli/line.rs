//! A request back to the command line that makes it.

use serde_json::Value;

use super::super::Timestamp;
use super::super::shape::{Kind, Shape};
use super::super::{Operation, Request};
use super::options::{kebab, option_name};
use super::split::quote;
use super::{instant, render};

/// The command line of a request, quoted for a shell. Reading it back with the CLI's default formats gives the same request.
/// `SubscribeToShard` has no command; its line is a comment.
pub fn to_cli_words(request: &Request) -> String {
    let operation = request.operation();
    let mut words = vec!["aws".to_owned(), operation.service().to_owned(), kebab(operation.name())];
    if operation == Operation::Kinesis(super::super::kinesis::Operation::SubscribeToShard) {
        return format!("# the CLI has no {}", words[2]);
    }
    let body = render::body_of(request);
    for member in operation.members() {
        let Some(value) = body.get(member.name) else { continue };
        let name = option_name(operation, member);
        match (member.shape.kind, value) {
            (Kind::Boolean, value) => words.push(if value == &Value::Bool(true) { format!("--{name}") } else { format!("--no-{name}") }),
            (Kind::List(item), Value::Array(items)) => {
                words.push(format!("--{name}"));
                words.extend(list(item, items));
            }
            (_, value) => {
                let text = scalar(member.shape, value);
                if text.starts_with('-') {
                    words.push(quote(&format!("--{name}={text}")));
                } else {
                    words.push(format!("--{name}"));
                    words.push(quote(&text));
                }
            }
        }
    }
    words.join(" ")
}

/// The items of a list as words; JSON when an item would be read as something else.
fn list(item: &Shape, items: &[Value]) -> Vec<String> {
    let texts: Vec<String> = items.iter().map(|value| scalar(item, value)).collect();
    let is_plain = |text: &String| {
        !text.starts_with('-') && !text.trim_start().starts_with(['[', '{']) && !text.starts_with("file://") && !text.starts_with("fileb://")
    };
    if item.is_scalar() && !texts.is_empty() && texts.iter().all(is_plain) {
        return texts.iter().map(|text| quote(text)).collect();
    }
    if !item.is_scalar() && texts.iter().all(|text| !text.starts_with('{')) {
        return texts.iter().map(|text| quote(text)).collect();
    }
    vec![quote(&Value::Array(items.to_vec()).to_string())]
}

/// A value as one word: bare, in shorthand, or as JSON where shorthand would not do.
fn scalar(shape: &Shape, value: &Value) -> String {
    match (shape.kind, value) {
        (Kind::Timestamp, value) => value.as_f64().and_then(Timestamp::from_secs_f64).map_or_else(|| value.to_string(), instant::iso),
        (Kind::Structure(members), Value::Object(entries)) => {
            let shape_of = |name: &str| members.iter().find(|member| member.name == name).map(|member| member.shape);
            let parts: Option<Vec<String>> = entries
                .iter()
                .map(|(name, value)| {
                    shape_of(name).map(|shape| scalar(shape, value)).filter(|text| is_bare(text)).map(|text| format!("{name}={text}"))
                })
                .collect();
            parts.map_or_else(|| value.to_string(), |parts| parts.join(","))
        }
        (Kind::Map(..), Value::Object(entries)) => {
            let is_key = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.#/:".contains(&b));
            let parts: Option<Vec<String>> = entries
                .iter()
                .map(|(key, value)| value.as_str().filter(|text| is_key(key) && is_bare(text)).map(|text| format!("{key}={text}")))
                .collect();
            parts.filter(|parts| !parts.is_empty()).map_or_else(|| value.to_string(), |parts| parts.join(","))
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// Whether shorthand reads the text as it is.
fn is_bare(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_none_or(|first| first.is_ascii_alphanumeric() || b"./:+-_@%".contains(&first))
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"./:+-_@%=".contains(&b))
        && !text.starts_with("file://")
        && !text.starts_with("fileb://")
}
