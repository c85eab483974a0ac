//! The first pass over a request: every value has the type of its member, or AWS says `SerializationException`.
//!
//! AWS is lenient in three ways that a typed value is not: numbers with a fraction or beyond 32 bits stand for an integer, words stand for
//! a flag, and `null` stands for an absent member. [`check`] says whether any of them occurs, [`normalise`] takes them away.

use serde_json::{Map, Number, Value};

use super::{Kind, Member, ModelYear, Shape, base64_text};
use crate::api::ServiceError;

const LIST_FOUND: &str = "Start of list found where not expected";
const STRUCTURE_FOUND: &str = "Start of structure or map found where not expected.";

/// Checks the members of a request. `Ok(true)` when [`normalise`] has something to do.
pub(super) fn check_members(members: &[Member], body: &Map<String, Value>, year: ModelYear) -> Result<bool, ServiceError> {
    let mut lenient = false;
    for member in members.iter().filter(|member| member.is_known(year)) {
        if let Some(value) = body.get(member.name) {
            lenient |= check(member.shape, value, year)?;
        }
    }
    Ok(lenient)
}

fn check(shape: &Shape, value: &Value, year: ModelYear) -> Result<bool, ServiceError> {
    let lenient = match (shape.kind, value) {
        (_, Value::Null) => true,
        (Kind::Structure(members), Value::Object(body)) => return check_members(members, body, year),
        (Kind::Structure(_) | Kind::Map(..), Value::Array(_)) => return refuse(LIST_FOUND),
        (Kind::Structure(_), _) => return refuse("Expected null"),
        (Kind::Map(_, item), Value::Object(entries)) => {
            let mut lenient = false;
            for value in entries.values() {
                lenient |= !value.is_null() && check(item, value, year)?;
            }
            lenient
        }
        (Kind::Map(..), _) => return refuse("Expected map or null"),
        (Kind::List(item), Value::Array(items)) => {
            let mut lenient = false;
            for value in items {
                lenient |= !value.is_null() && check(item, value, year)?;
            }
            lenient
        }
        (Kind::List(_), Value::Object(_)) => return refuse(STRUCTURE_FOUND),
        (Kind::List(_), _) => return refuse("Expected list or null"),
        (_, Value::Array(_)) => return refuse(LIST_FOUND),
        (_, Value::Object(_)) => return refuse(STRUCTURE_FOUND),
        (Kind::Text(_) | Kind::Word(_), Value::String(_)) | (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_)) => false,
        (Kind::Text(_) | Kind::Word(_), other) => return refuse(format!("{} can not be converted to an String", class(other))),
        (Kind::Blob, Value::String(text)) => match base64_text::fault(text) {
            None => false,
            Some(fault) => return refuse(format!("'{text}' can not be converted to a Blob: {fault}")),
        },
        (Kind::Blob, other) => return refuse(format!("{} can not be converted to a Blob", class(other))),
        (Kind::Integer, Value::Number(number)) => number.as_i64().and_then(|n| i32::try_from(n).ok()).is_none(),
        (Kind::Integer, other) => return refuse(format!("{} can not be converted to an Integer", class(other))),
        (Kind::Double, Value::Number(_)) => false,
        (Kind::Double, other) => return refuse(format!("{} can not be converted to a Double", class(other))),
        (Kind::Boolean, Value::String(text)) if flag(text).is_some() => true,
        (Kind::Boolean, Value::String(text)) => return refuse(format!("'{}' can not be converted to an Boolean", text.to_uppercase())),
        (Kind::Boolean, other) => return refuse(format!("{} can not be converted to an Boolean", class(other))),
        (Kind::Timestamp, other) => return refuse(format!("{} can not be converted to milliseconds since epoch", class(other))),
    };
    Ok(lenient)
}

fn refuse<T>(text: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::serialization(text))
}

const fn class(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "class java.lang.Boolean",
        Value::Number(_) => "class com.amazon.coral.value.json.numbers.TruncatingBigNumber",
        _ => "class java.lang.String",
    }
}

/// The words AWS takes for a flag.
fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// Takes the lenient spellings away, so that a typed value can be read: integers are cut to 32 bits, flags become flags, `null` members and
/// members the year's model does not have are dropped.
pub(super) fn normalise(members: &[Member], body: &mut Map<String, Value>, year: ModelYear) {
    body.retain(|name, value| !value.is_null() && members.iter().any(|member| member.name == name && member.is_known(year)));
    for member in members {
        if let Some(value) = body.get_mut(member.name) {
            normalise_value(member.shape, value, year);
        }
    }
}

fn normalise_value(shape: &Shape, value: &mut Value, year: ModelYear) {
    match (shape.kind, value) {
        (Kind::Structure(members), Value::Object(body)) => normalise(members, body, year),
        (Kind::List(item), Value::Array(items)) => items.iter_mut().for_each(|value| normalise_value(item, value, year)),
        (Kind::Map(_, item), Value::Object(entries)) => entries.values_mut().for_each(|value| normalise_value(item, value, year)),
        (Kind::Integer, Value::Number(number)) => *number = Number::from(integer(number)),
        (Kind::Boolean, value) => {
            if let Some(given) = value.as_str().and_then(flag) {
                *value = Value::Bool(given);
            }
        }
        _ => {}
    }
}

/// The 32-bit integer a number stands for: rounded down, then cut at the ends of the range.
fn integer(number: &Number) -> i32 {
    let whole = number.as_i64().unwrap_or_else(|| libm::floor(number.as_f64().unwrap_or(0.0)) as i64);
    i32::try_from(whole).unwrap_or(if whole < 0 { i32::MIN } else { i32::MAX })
}
