//! JSON 1.1, CBOR 1.1 and the CBOR protocol of CloudWatch, which names its operation in the path.

use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderName};
use serde_json::{Value, json};

use super::cbor::{self, Instants};
use super::events::EventBody;
use super::queue::{Answered, Entrance};
use super::wire::{Answer, answer, set, streamed};
use crate::api::kinesis::Operation as KinesisOperation;
use crate::api::model::Service;
use crate::api::{Call, ErrorCode, ModelYear, Operation, Request, Response, ServiceError, decode_json, decode_with};

/// Prefix of the targets of Kinesis Data Streams.
const KINESIS: &str = "Kinesis_20131202";

/// That of DynamoDB.
const DYNAMODB: &str = "DynamoDB_20120810";

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Cbor,
    Rpc,
}

/// Answers a request with an `X-Amz-Target`, or one that lacks it.
pub(super) async fn respond(headers: &HeaderMap, body: &[u8], entrance: &Entrance, client: &str) -> Answer {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = content_type.split(';').next().unwrap_or_default().trim();
    let form = match name {
        "application/x-amz-json-1.1" | "application/x-amz-json-1.0" | "application/json" => Form::Json,
        "application/x-amz-cbor-1.1" => Form::Cbor,
        _ => return answer(404, "text/html", "<UnknownOperationException/>\n"),
    };
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    exchange(target, body, form, name, entrance, client).await
}

/// Answers a request whose path is `/service/TARGET/operation/NAME`.
pub(super) async fn respond_by_path(path: &str, body: &[u8], entrance: &Entrance, client: &str) -> Answer {
    let mut parts = path.split('/').skip(2);
    let (target, name) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    let mut done = exchange(&format!("{target}.{name}"), body, Form::Rpc, "application/cbor", entrance, client).await;
    set(done.headers_mut(), HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor");
    done
}

async fn exchange(target: &str, body: &[u8], form: Form, content_type: &str, entrance: &Entrance, client: &str) -> Answer {
    let request = operation_of(target).and_then(|operation| request_of(operation, body, form));
    let answered = match request {
        Ok(request) => entrance.ask(request, client).await,
        Err(error) => Answered::Response(Err(error)),
    };
    let of_tables = target.starts_with(DYNAMODB);
    match answered {
        Answered::Events(events) => streamed(200, "application/vnd.amazon.eventstream", EventBody::new(events, form == Form::Cbor).boxed()),
        Answered::Response(Ok(response)) => {
            let text = match response {
                Response::Kinesis(response) => response.body(),
                Response::Other(value) => value.to_string().into_bytes(),
            };
            sealed(written(200, &text, form, content_type), &text, of_tables)
        }
        Answered::Response(Err(error)) => {
            let text = if of_tables { refused(&error, namespace(error.code)) } else { refused(&error, "") };
            sealed(written(error.code.http_status(), text.as_bytes(), form, content_type), text.as_bytes(), of_tables)
        }
    }
}

/// DynamoDB's answers carry a checksum, which its clients compare.
fn sealed(mut answer: Answer, body: &[u8], wanted: bool) -> Answer {
    if wanted {
        let mut sum = flate2::Crc::new();
        sum.update(body);
        set(answer.headers_mut(), HeaderName::from_static("x-amz-crc32"), &sum.sum().to_string());
    }
    answer
}

/// Where DynamoDB's errors are from.
const fn namespace(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::ValidationException => "com.amazon.coral.validate#",
        ErrorCode::SerializationException | ErrorCode::UnknownOperationException => "com.amazon.coral.service#",
        _ => "com.amazonaws.dynamodb.v20120810#",
    }
}

fn refused(error: &ServiceError, namespace: &str) -> String {
    // Type errors write the key with a capital letter, as AWS does.
    let message = if error.code == ErrorCode::SerializationException { "Message" } else { "message" };
    json!({"__type": format!("{namespace}{}", error.code.name()), message: error.message}).to_string()
}

/// A refusal before the body was looked at.
pub(super) fn refusal(error: &ServiceError) -> Answer {
    answer(error.code.http_status(), "application/x-amz-json-1.1", refused(error, ""))
}

fn written(status: u16, text: &[u8], form: Form, content_type: &str) -> Answer {
    match form {
        Form::Json => answer(status, content_type, text.to_vec()),
        Form::Cbor => answer(status, content_type, if text.is_empty() { Vec::new() } else { cbor::of_json(text, Instants::Millis) }),
        Form::Rpc => answer(status, content_type, cbor::of_json(text, Instants::Seconds)),
    }
}

/// The operation of a target: `Kinesis_20131202.PutRecord`.
fn operation_of(target: &str) -> Result<Operation, ServiceError> {
    let unknown = || {
        let text = if target.is_empty() {
            "the header X-Amz-Target is missing: it names the operation, such as Kinesis_20131202.ListStreams".to_owned()
        } else {
            format!("{target} is no operation that kinlab simulates")
        };
        ServiceError::new(ErrorCode::UnknownOperationException, text)
    };
    let (prefix, name) = target.split_once('.').ok_or_else(unknown)?;
    if prefix == KINESIS {
        return KinesisOperation::from_name(name).map(Operation::Kinesis).ok_or_else(unknown);
    }
    let service = Service::all().iter().find(|service| service.target == prefix).ok_or_else(unknown)?;
    service.operation(name).map(Operation::Other).ok_or_else(unknown)
}

fn request_of(operation: Operation, body: &[u8], form: Form) -> Result<Request, ServiceError> {
    let body: &[u8] = if body.is_empty() && form == Form::Json { b"{}" } else { body };
    match (operation, form) {
        (Operation::Kinesis(operation), Form::Json) => decode_json(operation, body, ModelYear::Current).map(Request::Kinesis),
        (Operation::Kinesis(operation), _) => decode_with(operation, &from_cbor(body, form)?, ModelYear::Current).map(Request::Kinesis),
        (Operation::Other(operation), _) => {
            let body: Value = match form {
                Form::Json => serde_json::from_slice(body).map_err(|error| unreadable(&error))?,
                Form::Cbor | Form::Rpc => from_cbor(body, form)?,
            };
            Call::decode(operation, &body).map(Request::Other)
        }
    }
}

fn from_cbor(body: &[u8], form: Form) -> Result<Value, ServiceError> {
    let instants = if form == Form::Rpc { Instants::Seconds } else { Instants::Millis };
    if body.is_empty() { Ok(json!({})) } else { cbor::to_json(body, instants).map_err(|error| unreadable(&error)) }
}

fn unreadable(error: &dyn std::fmt::Display) -> ServiceError {
    ServiceError::serialization(format!("Unable to parse the request body: {error}"))
}
