//! The REST API of Lambda: functions, invocations, event source mappings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderName;
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::queue::Entrance;
use super::wire::{Answer, answer, decoded, pairs, set};
use crate::api::model::Service;
use crate::api::shape::Kind;
use crate::api::{Call, ErrorCode, Request, Response, ServiceError};

/// Method, segments of the path behind the version (`*` stands for the member), operation, status of a good answer.
const ROUTES: &[(&str, &[&str], &str, u16)] = &[
    ("POST", &["functions"], "CreateFunction", 201),
    ("GET", &["functions"], "ListFunctions", 200),
    ("GET", &["functions", "*"], "GetFunction", 200),
    ("DELETE", &["functions", "*"], "DeleteFunction", 204),
    ("GET", &["functions", "*", "configuration"], "GetFunctionConfiguration", 200),
    ("PUT", &["functions", "*", "configuration"], "UpdateFunctionConfiguration", 200),
    ("PUT", &["functions", "*", "code"], "UpdateFunctionCode", 200),
    ("POST", &["functions", "*", "invocations"], "Invoke", 200),
    ("PUT", &["functions", "*", "concurrency"], "PutFunctionConcurrency", 200),
    ("DELETE", &["functions", "*", "concurrency"], "DeleteFunctionConcurrency", 204),
    ("POST", &["event-source-mappings"], "CreateEventSourceMapping", 202),
    ("GET", &["event-source-mappings"], "ListEventSourceMappings", 200),
    ("GET", &["event-source-mappings", "*"], "GetEventSourceMapping", 200),
    ("PUT", &["event-source-mappings", "*"], "UpdateEventSourceMapping", 202),
    ("DELETE", &["event-source-mappings", "*"], "DeleteEventSourceMapping", 202),
];

/// Whether a path is one of Lambda's: it begins with the date of a version.
pub(super) fn is_path(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let shape = first.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    first.len() == 10 && shape && ["/functions", "/event-source-mappings"].iter().any(|kind| path[first.len() + 1..].starts_with(kind))
}

/// Answers a request.
pub(super) async fn respond(parts: &Parts, body: &[u8], entrance: &Entrance, client: &str) -> Answer {
    carry_out(parts, body, entrance, client).await.unwrap_or_else(|error| refusal(&error))
}

/// A refusal.
pub(super) fn refusal(error: &ServiceError) -> Answer {
    let status = if error.code == ErrorCode::ResourceNotFoundException { 404 } else { error.code.http_status() };
    let mut refusal = answer(status, "application/json", json!({"Type": "User", "message": error.message}).to_string());
    set(refusal.headers_mut(), HeaderName::from_static("x-amzn-errortype"), error.code.name());
    refusal
}

async fn carry_out(parts: &Parts, body: &[u8], entrance: &Entrance, client: &str) -> Result<Answer, ServiceError> {
    let path = parts.uri.path();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).skip(1).collect();
    let fits =
        |pattern: &[&str]| pattern.len() == segments.len() && pattern.iter().zip(&segments).all(|(part, segment)| *part == "*" || part == segment);
    let found = ROUTES.iter().find(|(method, pattern, ..)| *method == parts.method.as_str() && fits(pattern));
    let Some((_, _, operation, status)) = found else {
        return Err(ServiceError::new(
            ErrorCode::UnknownOperationException,
            format!("{} {path} is no operation that kinlab simulates", parts.method),
        ));
    };
    let mut members = match (*operation, body) {
        ("Invoke", payload) => {
            let kind = parts.headers.get("x-amz-invocation-type").and_then(|value| value.to_str().ok()).unwrap_or("RequestResponse");
            let mut members = Map::from_iter([("InvocationType".to_owned(), json!(kind))]);
            if !payload.is_empty() {
                members.insert("Payload".to_owned(), json!(STANDARD.encode(payload)));
            }
            members
        }
        (_, []) => Map::new(),
        (_, body) => match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(ServiceError::serialization("the body is no JSON object")),
            Err(error) => return Err(ServiceError::serialization(format!("Unable to parse the request body: {error}"))),
        },
    };
    if let Some(named) = segments.get(1) {
        let member = if segments[0] == "functions" { "FunctionName" } else { "UUID" };
        members.insert(member.to_owned(), json!(function_name(&decoded(named, false))));
    }
    let model = Service::by_name("lambda").and_then(|service| service.operation(operation)).ok_or_else(ServiceError::internal_failure)?;
    for (name, value) in pairs(parts.uri.query().unwrap_or_default()) {
        let Some(member) = model.members.iter().find(|member| member.name == name) else { continue };
        let value = if matches!(member.shape.kind, Kind::Integer) { serde_json::from_str(&value).unwrap_or(json!(value)) } else { json!(value) };
        members.insert(name, value);
    }
    let call = Call::decode(model, &Value::Object(members))?;
    let Response::Other(mut value) = entrance.answer(Request::Other(call), client).await? else { return Err(ServiceError::internal_failure()) };
    if *operation == "Invoke" {
        let payload = value.get_mut("Payload").map(Value::take);
        let status = value["StatusCode"].as_u64().unwrap_or(200) as u16;
        let mut done = answer(status, "application/json", payload.map_or_else(String::new, |payload| payload.to_string()));
        let headers = done.headers_mut();
        set(headers, HeaderName::from_static("x-amz-executed-version"), value["ExecutedVersion"].as_str().unwrap_or_default());
        set(headers, HeaderName::from_static("x-amz-function-error"), value["FunctionError"].as_str().unwrap_or_default());
        return Ok(done);
    }
    let text = if *status == 204 { String::new() } else { value.to_string() };
    Ok(answer(*status, "application/json", text))
}

/// A function by name or ARN.
fn function_name(text: &str) -> &str {
    text.split_once(":function:").map_or(text, |(_, name)| name.split(':').next().unwrap_or(name))
}
