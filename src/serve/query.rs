//! The query protocol of STS and IAM: a form in, XML out.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::queue::Entrance;
use super::wire::{Answer, answer, escaped, pairs, value_of};
use crate::api::model::{OperationModel, Service};
use crate::api::shape::Kind;
use crate::api::{Call, ErrorCode, Request, Response, ServiceError};

/// Answers a form with an `Action`.
pub(super) async fn respond(body: &[u8], entrance: &Entrance, client: &str) -> Answer {
    let form = pairs(&String::from_utf8_lossy(body));
    let (action, version) = (value_of(&form, "Action").unwrap_or_default(), value_of(&form, "Version").unwrap_or_default());
    let found = Service::all().iter().find(|service| service.target == version).and_then(|service| service.operation(action));
    let Some(operation) = found else {
        let text = format!("Could not find operation {action} for version {version}");
        return refusal(&ServiceError::new(ErrorCode::UnknownOperationException, text));
    };
    let request = body_of(operation, &form).and_then(|body| Call::decode(operation, &body));
    let answered = match request {
        Ok(call) => entrance.answer(Request::Other(call), client).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(Response::Other(value)) => {
            let mut xml = format!("<{action}Response xmlns=\"https://{}.amazonaws.com/doc/{version}/\"><{action}Result>", operation.service);
            members(&value, &mut xml);
            let _ = write!(xml, "</{action}Result><ResponseMetadata><RequestId>kinlab</RequestId></ResponseMetadata></{action}Response>");
            answer(200, "text/xml", xml)
        }
        Ok(Response::Kinesis(_)) => refusal(&ServiceError::internal_failure()),
        Err(error) => refusal(&error),
    }
}

/// The members of a form as JSON: numbers and flags by their shape, `X.member.1` as lists.
fn body_of(operation: &OperationModel, form: &[(String, String)]) -> Result<Value, ServiceError> {
    let mut body = Map::new();
    for member in operation.members {
        let listed: Vec<Value> = form
            .iter()
            .filter(|(name, _)| name.strip_prefix(member.name).is_some_and(|rest| rest.starts_with(".member.")))
            .map(|(_, value)| Value::from(value.as_str()))
            .collect();
        if !listed.is_empty() {
            body.insert(member.name.to_owned(), Value::Array(listed));
            continue;
        }
        let Some(text) = value_of(form, member.name) else { continue };
        let value = match member.shape.kind {
            Kind::Integer | Kind::Double => {
                serde_json::from_str(text).map_err(|_| ServiceError::validation(format!("{}: '{text}' is no number", member.name)))?
            }
            Kind::Boolean => Value::Bool(text == "true"),
            _ => Value::from(text),
        };
        body.insert(member.name.to_owned(), value);
    }
    Ok(Value::Object(body))
}

/// Members of an answer as XML elements; items of a list are `member`.
fn members(value: &Value, xml: &mut String) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let _ = write!(xml, "<{name}>");
                members(value, xml);
                let _ = write!(xml, "</{name}>");
            }
        }
        Value::Array(items) => {
            for item in items {
                xml.push_str("<member>");
                members(item, xml);
                xml.push_str("</member>");
            }
        }
        Value::String(text) => xml.push_str(&escaped(text)),
        Value::Null => {}
        other => xml.push_str(&other.to_string()),
    }
}

fn refusal(error: &ServiceError) -> Answer {
    let xml = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>kinlab</RequestId></ErrorResponse>",
        error.code.name(),
        escaped(&error.message)
    );
    answer(error.code.http_status(), "text/xml", xml)
}
