//! An empty request to fill in, as `--generate-cli-skeleton` prints it.

use serde_json::{Map, Value, json};

use super::super::Operation;
use super::super::shape::{ATTRIBUTE_VALUE, Kind, Member, ModelYear, Shape};
use super::paginate::Answer;
use super::{OutputFormat, render};

/// The skeleton of an operation's request as text.
pub(super) fn input(operation: Operation, year: ModelYear) -> String {
    let skeleton = structure(operation.members(), year, 0);
    if skeleton.as_object().is_some_and(Map::is_empty) {
        return "{}\n".into();
    }
    render(&Answer::from(skeleton), operation, None, OutputFormat::Json, 80).unwrap_or_default()
}

/// `inside`: so many attribute values, which have themselves inside, are around.
fn structure(members: &[Member], year: ModelYear, inside: usize) -> Value {
    let known = members.iter().filter(|member| member.is_known(year));
    Value::Object(known.map(|member| (member.name.to_owned(), value(member.shape, year, inside))).collect())
}

fn value(shape: &Shape, year: ModelYear, inside: usize) -> Value {
    let inside = inside + usize::from(std::ptr::eq(shape, &raw const ATTRIBUTE_VALUE));
    match shape.kind {
        Kind::Structure(_) if inside > 1 => json!({}),
        Kind::Text(_) => json!(""),
        Kind::Word(words) => json!(words[0]),
        Kind::Blob => Value::Null,
        Kind::Integer => json!(0),
        Kind::Double => json!(0.0),
        Kind::Boolean => json!(true),
        Kind::Timestamp => json!("1970-01-01T00:00:00"),
        Kind::List(item) => json!([value(item, year, inside)]),
        Kind::Map(_, item) => json!({"KeyName": value(item, year, inside)}),
        Kind::Structure(members) => structure(members, year, inside),
    }
}
