//! Answers to what the CLI prints: JSON, text or table, after the query.

mod json;
mod table;
mod text;

use serde_json::{Map, Value};

use super::super::Timestamp;
use super::super::{Operation, Request, Response};
use super::globals::OutputFormat;
use super::paginate::Answer;
use super::query::Query;
use super::{CliError, instant};

/// The members of answers that are instants.
const INSTANTS: &[&str] = &[
    "CreateTimestamp",
    "LastUpdateTimestamp",
    "DeliveryStartTimestamp",
    "CreateTime",
    "UpdateTime",
    "LastModifiedTime",
    "StreamCreationTimestamp",
    "ConsumerCreationTimestamp",
    "ApproximateArrivalTimestamp",
    "StartedAt",
    "EndedAt",
    "EarliestAllowedEndAt",
    "Timestamp",
    "Timestamps",
];

/// What `aws` prints on standard output for an answer: with its last line feed, or nothing at all. `width` is that of the terminal in
/// columns; tables that do not fit turn their single rows upright.
///
/// # Errors
/// A query that fails on the answer; a table of rows that differ in length.
pub fn render(answer: &Answer, operation: Operation, query: Option<&Query>, output: OutputFormat, width: usize) -> Result<String, CliError> {
    let search = |value: &Value| query.map_or_else(|| Ok(value.clone()), |query| query.search(value));
    let mut out = String::new();
    match (output, &answer.pages) {
        (OutputFormat::Json, _) => {
            let found = search(&answer.merged)?;
            if found.as_object().is_none_or(|object| !object.is_empty()) {
                json::write(&found, &mut out);
                out.push('\n');
            }
        }
        (OutputFormat::Table, _) => table::write(operation.name(), &search(&answer.merged)?, width, &mut out)?,
        (OutputFormat::Text, None) => text::write(&search(&answer.merged)?, &mut out),
        (OutputFormat::Text, Some(pages)) => {
            for page in pages {
                text::write(&search(page)?, &mut out);
            }
            if let Some(token) = &answer.resume {
                let token = Map::from_iter([("NextToken".to_owned(), Value::from(token.as_str()))]);
                text::write(&search(&Value::Object(Map::from_iter([("NextToken".to_owned(), Value::Object(token))])))?, &mut out);
            }
        }
    }
    Ok(out)
}

/// The body of a request as JSON.
pub(super) fn body_of(request: &Request) -> Value {
    match request {
        Request::Kinesis(request) => untagged(serde_json::to_value(request).unwrap_or_default()),
        Request::Other(call) => call.body.clone(),
    }
}

/// The members of an answer as the service writes them.
pub fn body_of_answer(response: &Response) -> Value {
    match response {
        Response::Kinesis(response) => untagged(serde_json::to_value(response).unwrap_or_default()),
        Response::Other(value) => value.clone(),
    }
}

/// The members of an answer as the CLI shows them: instants in ISO 8601. Empty answers are empty objects.
pub(super) fn value_of(response: &Response) -> Value {
    let mut value = body_of_answer(response);
    show_instants(&mut value);
    value
}

/// The contents of an externally tagged value.
fn untagged(tagged: Value) -> Value {
    match tagged {
        Value::Object(object) => object.into_iter().next().map(|(_, body)| body).unwrap_or_default(),
        _ => Value::Object(Map::new()),
    }
}

/// Instants among the members of an answer become ISO 8601.
pub(super) fn show_instants(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::Number(_) if INSTANTS.contains(&name.as_str()) => show_instant(value),
                    Value::Array(items) if INSTANTS.contains(&name.as_str()) => items.iter_mut().for_each(show_instant),
                    _ => show_instants(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(show_instants),
        _ => {}
    }
}

fn show_instant(value: &mut Value) {
    if let Some(instant) = value.as_f64().and_then(Timestamp::from_secs_f64) {
        *value = Value::String(instant::iso(instant));
    }
}

/// A scalar as text and tables print it.
fn scalar(value: &Value) -> String {
    super::query::to_text(value)
}

#[cfg(test)]
mod tests;
