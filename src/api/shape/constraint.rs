//! The second pass over a request: every value satisfies the constraints of its member, or AWS lists what it violates.
//!
//! Invariant: the values have the types of their members already (see `type_check`).

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Kind, Member, ModelYear, Shape, Span, base64_text};
use crate::api::ServiceError;

/// AWS stops after this many violations.
const MOST_VIOLATIONS: usize = 10;

/// What a request violates, in AWS's words.
pub(super) struct Violations {
    year: ModelYear,
    /// Values of enumerations are not echoed: the newer services say only where.
    quiet: bool,
    texts: Vec<String>,
}

impl Violations {
    /// Collects what the members of a request violate.
    pub(super) fn of(members: &[Member], body: &Map<String, Value>, year: ModelYear) -> Self {
        let mut found = Self { year, quiet: false, texts: Vec::new() };
        found.members(members, body, "");
        found
    }

    /// As [`Violations::of`] under today's model, without echoing values.
    pub(super) fn of_quiet(members: &[Member], body: &Map<String, Value>) -> Self {
        let mut found = Self { year: ModelYear::Current, quiet: true, texts: Vec::new() };
        found.members(members, body, "");
        found
    }

    /// `ValidationException` when anything is violated.
    pub(super) fn into_result(self) -> Result<(), ServiceError> {
        match self.texts.len() {
            0 => Ok(()),
            count => {
                let errors = if count == 1 { "error" } else { "errors" };
                Err(ServiceError::validation(format!("{count} validation {errors} detected: {}", self.texts.join("; "))))
            }
        }
    }

    fn add(&mut self, value: &str, path: &str, rule: &str) {
        if self.texts.len() < MOST_VIOLATIONS {
            let value = if self.quiet { String::new() } else { format!("{value} ") };
            self.texts.push(format!("Value {value}at '{path}' failed to satisfy constraint: {rule}"));
        }
    }

    fn members(&mut self, members: &[Member], body: &Map<String, Value>, parent: &str) {
        let year = self.year;
        for member in members.iter().filter(|member| member.is_known(year)) {
            let value = body.get(member.name).filter(|value| !value.is_null());
            if value.is_none() && !member.is_required(year) {
                continue;
            }
            let path = join(parent, &lower_first(member.name));
            match value {
                None => self.add("null", &path, "Member must not be null"),
                Some(value) => self.value(member.shape, value, &path),
            }
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value, path: &str) {
        if self.texts.len() >= MOST_VIOLATIONS {
            return;
        }
        for rule in broken_rules(shape, value, self.year) {
            self.add(&format!("'{}'", shown(shape, value)), path, &rule);
        }
        match (shape.kind, value) {
            (Kind::Structure(members), Value::Object(body)) => self.members(members, body, path),
            (Kind::List(item), Value::Array(items)) if item.is_scalar() => {
                let broken = |value: &Value| value.is_null() || !broken_rules(item, value, self.year).is_empty();
                if items.iter().any(broken) {
                    let rules = all_rules(item, self.year);
                    self.add(&format!("'{}'", shown(shape, value)), path, &format!("Member must satisfy constraint: [{}]", rules.join(", ")));
                }
            }
            (Kind::List(item), Value::Array(items)) => {
                for (at, value) in items.iter().enumerate() {
                    let path = format!("{path}.{}.member", at + 1);
                    if value.is_null() {
                        self.add("null", &path, "Member must not be null");
                    } else {
                        self.value(item, value, &path);
                    }
                }
            }
            (Kind::Map(key, item), Value::Object(entries)) => {
                let year = self.year;
                let broken_key = |name: &String| !broken_rules(key, &Value::String(name.clone()), year).is_empty();
                let broken = |value: &Value| value.is_null() || !broken_rules(item, value, year).is_empty();
                let shown = format!("'{}'", shown(shape, value));
                if entries.keys().any(broken_key) {
                    self.add(&shown, path, &format!("Map keys must satisfy constraint: [{}]", all_rules(key, year).join(", ")));
                }
                if entries.values().any(broken) {
                    self.add(&shown, path, &format!("Map value must satisfy constraint: [{}]", all_rules(item, year).join(", ")));
                }
            }
            _ => {}
        }
    }
}

/// The rules of the shape itself that a value breaks, in AWS's order: expression or set, least, greatest.
fn broken_rules(shape: &Shape, value: &Value, year: ModelYear) -> Vec<String> {
    let mut broken = Vec::new();
    let span = shape.span(year);
    match (shape.kind, value) {
        (Kind::Text(pattern), Value::String(text)) => {
            if let Some(pattern) = pattern.filter(|pattern| !pattern.matches(text)) {
                broken.push(expression_rule(pattern.text(year)));
            }
            if span != Span::ANY {
                length_rules(span, text.chars().count(), &mut broken);
            }
        }
        (Kind::Word(words), Value::String(text)) if !words.contains(&text.as_str()) => broken.push(set_rule(words)),
        (Kind::Blob, Value::String(text)) => length_rules(span, base64_text::decoded_len(text), &mut broken),
        (Kind::List(_), Value::Array(items)) => length_rules(span, items.len(), &mut broken),
        (Kind::Map(..), Value::Object(entries)) => length_rules(span, entries.len(), &mut broken),
        (Kind::Integer, Value::Number(number)) => {
            let value = number.as_i64().unwrap_or(i64::MAX);
            if let Some(min) = span.min.filter(|min| value < *min) {
                broken.push(format!("Member must have value greater than or equal to {min}"));
            }
            if let Some(max) = span.max.filter(|max| value > *max) {
                broken.push(format!("Member must have value less than or equal to {max}"));
            }
        }
        _ => {}
    }
    broken
}

fn length_rules(span: Span, length: usize, broken: &mut Vec<String>) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if let Some(min) = span.min.filter(|min| length < *min) {
        broken.push(least_length_rule(min));
    }
    if let Some(max) = span.max.filter(|max| length > *max) {
        broken.push(greatest_length_rule(max));
    }
}

/// Every rule of a scalar shape, in the order AWS lists them for items of lists and maps.
fn all_rules(shape: &Shape, year: ModelYear) -> Vec<String> {
    let mut rules = Vec::new();
    let span = shape.span(year);
    rules.extend(span.max.map(greatest_length_rule));
    rules.extend(span.min.map(least_length_rule));
    match shape.kind {
        Kind::Text(Some(pattern)) => rules.push(expression_rule(pattern.text(year))),
        Kind::Word(words) => rules.push(set_rule(words)),
        _ => {}
    }
    rules
}

fn least_length_rule(min: i64) -> String {
    format!("Member must have length greater than or equal to {min}")
}
fn greatest_length_rule(max: i64) -> String {
    format!("Member must have length less than or equal to {max}")
}
fn expression_rule(text: &str) -> String {
    format!("Member must satisfy regular expression pattern: {text}")
}
fn set_rule(words: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", words.join(", "))
}

/// A value as AWS prints it in a violation.
fn shown(shape: &Shape, value: &Value) -> String {
    match (shape.kind, value) {
        (Kind::Blob, Value::String(text)) => {
            let len = base64_text::decoded_len(text);
            format!("java.nio.HeapByteBuffer[pos=0 lim={len} cap={len}]")
        }
        (Kind::List(item), Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|value| shown(item, value)).collect();
            format!("[{}]", items.join(", "))
        }
        (Kind::Map(_, item), Value::Object(entries)) => {
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}={}", shown(item, value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        // AWS prints the Java object: its class and an identity hash. Ours is a hash of the contents, so that runs agree.
        (Kind::Structure(_), Value::Object(_)) => format!("com.amazonaws.kinesis.v20131202.{}@{:x}", shape.name, hash(&value.to_string())),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// 32-bit FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn join(parent: &str, name: &str) -> String {
    let mut path = String::with_capacity(parent.len() + name.len() + 1);
    if !parent.is_empty() {
        // Writing to a String never fails.
        let _ = write!(path, "{parent}.");
    }
    path.push_str(name);
    path
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}
