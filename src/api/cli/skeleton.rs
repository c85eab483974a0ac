//! An empty request to fill in, as `--generate-cli-skeleton` prints it.

use serde_json::{Map, Value, json};

use super::super::Operation;
use super::super::shape::{Kind, Member, ModelYear, Shape};
use super::paginate::Answer;
use super::{OutputFormat, render};

/// The skeleton of an operation's request as text.
pub(super) fn input(operation: Operation, year: ModelYear) -> String {
    let skeleton = structure(operation.members(), year);
    if skeleton.as_object().is_some_and(Map::is_empty) {
        return "{}\n".into();
    }
    render(&Answer::from(skeleton), operation, None, OutputFormat::Json, 80).unwrap_or_default()
}

fn structure(members: &[Member], year: ModelYear) -> Value {
    Value::Object(members.iter().filter(|member| member.is_known(year)).map(|member| (member.name.to_owned(), value(member.shape, year))).collect())
}

fn value(shape: &Shape, year: ModelYear) -> Value {
    match shape.kind {
        Kind::Text(_) => json!(""),
        Kind::Word(words) => json!(words[0]),
        Kind::Blob => Value::Null,
        Kind::Integer => json!(0),
        Kind::Double => json!(0.0),
        Kind::Boolean => json!(true),
        Kind::Timestamp => json!("1970-01-01T00:00:00"),
        Kind::List(item) => json!([value(item, year)]),
        Kind::Map(_, item) => json!({"KeyName": value(item, year)}),
        Kind::Structure(members) => structure(members, year),
    }
}
