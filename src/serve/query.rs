//! The query protocol of STS, IAM, CloudWatch and SNS: a form in, XML out.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::queue::Entrance;
use super::wire::{Answer, answer, escaped, pairs, value_of};
use crate::api::model::{OperationModel, Service};
use crate::api::shape::{Kind, Member, Shape};
use crate::api::{Call, ErrorCode, Request, Response, ServiceError};
use crate::engine::time::{VirtualTime, parse_iso};

/// The version that CloudWatch's forms carry.
const CLOUDWATCH: (&str, &str) = ("cloudwatch", "2010-08-01");
/// Nesting of a form.
const DEPTH_MAX: usize = 16;

/// Answers a form with an `Action`.
pub(super) async fn respond(body: &[u8], entrance: &Entrance, client: &str) -> Answer {
    let form = pairs(&String::from_utf8_lossy(body));
    let (action, version) = (value_of(&form, "Action").unwrap_or_default(), value_of(&form, "Version").unwrap_or_default());
    let found = Service::all()
        .iter()
        .find(|service| service.target == version || (service.name, version) == CLOUDWATCH)
        .and_then(|service| service.operation(action));
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

/// The members of a form as JSON, by their shapes: `A.B` is a member of a structure, `A.member.1` an item of a list, `A.entry.1.key` and
/// `A.entry.1.value` one of a map (`Name` and `Value` in some).
fn body_of(operation: &OperationModel, form: &[(String, String)]) -> Result<Value, ServiceError> {
    structure(operation.members, "", form, 0)
}

fn structure(members: &[Member], prefix: &str, form: &[(String, String)], depth: usize) -> Result<Value, ServiceError> {
    let mut body = Map::new();
    for member in members {
        let name = if prefix.is_empty() { member.name.to_owned() } else { format!("{prefix}.{}", member.name) };
        if let Some(value) = value_at(member.shape, &name, form, depth)? {
            body.insert(member.name.to_owned(), value);
        }
    }
    Ok(Value::Object(body))
}

/// The value below a name; `None` when the form has none.
fn value_at(shape: &Shape, name: &str, form: &[(String, String)], depth: usize) -> Result<Option<Value>, ServiceError> {
    let below = |name: &str| form.iter().any(|(known, _)| known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
    if depth > DEPTH_MAX || !below(name) {
        return Ok(None);
    }
    Ok(match shape.kind {
        Kind::Structure(members) => Some(structure(members, name, form, depth + 1)?),
        Kind::List(item) => {
            let mut items = Vec::new();
            for at in 1.. {
                match value_at(item, &format!("{name}.member.{at}"), form, depth + 1)? {
                    Some(value) => items.push(value),
                    None => break,
                }
            }
            Some(Value::Array(items))
        }
        Kind::Map(_, item) => {
            let mut entries = Map::new();
            for at in 1.. {
                let part = |names: [&str; 2]| names.map(|part| format!("{name}.entry.{at}.{part}"));
                let Some(key) = part(["key", "Name"]).iter().find_map(|key| value_of(form, key)) else { break };
                for place in part(["value", "Value"]) {
                    if let Some(value) = value_at(item, &place, form, depth + 1)? {
                        entries.insert(key.to_owned(), value);
                    }
                }
            }
            Some(Value::Object(entries))
        }
        _ => match value_of(form, name) {
            None => None,
            Some(text) => Some(match shape.kind {
                Kind::Integer | Kind::Double => {
                    serde_json::from_str(text).map_err(|_| ServiceError::validation(format!("{name}: '{text}' is no number")))?
                }
                Kind::Boolean => Value::Bool(text == "true"),
                Kind::Timestamp => parse_iso(text).map_or_else(|| Value::from(text), |at| Value::from(at.millis() as f64 / 1000.0)),
                _ => Value::from(text),
            }),
        },
    })
}

/// Members of an answer as XML elements; items of a list are `member`.
fn members(value: &Value, xml: &mut String) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let _ = write!(xml, "<{name}>");
                if let (Value::Object(entries), "Attributes") = (value, name.as_str()) {
                    for (key, value) in entries {
                        let _ = write!(xml, "<entry><key>{}</key><value>", escaped(key));
                        members(value, xml);
                        xml.push_str("</value></entry>");
                    }
                    let _ = write!(xml, "</{name}>");
                    continue;
                }
                // Instants are texts in XML.
                match value.as_f64().filter(|_| name == "Timestamp") {
                    Some(seconds) => xml.push_str(&VirtualTime::from_millis((seconds * 1000.0) as u64).to_string()),
                    None => members(value, xml),
                }
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

/// A refusal.
pub(super) fn refusal(error: &ServiceError) -> Answer {
    let xml = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>kinlab</RequestId></ErrorResponse>",
        error.code.name(),
        escaped(&error.message)
    );
    answer(error.code.http_status(), "text/xml", xml)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_become_bodies_by_their_shapes() {
        let operation = Service::by_name("cloudwatch").and_then(|service| service.operation("GetMetricStatistics")).expect("there");
        let form = pairs(
            "Action=GetMetricStatistics&Version=2010-08-01&Namespace=AWS%2FKinesis&MetricName=IncomingBytes&Period=60&StartTime=2026-01-01T00:00:00Z\
             &EndTime=2026-01-01T01:00:00Z&Statistics.member.1=Sum&Statistics.member.2=Average&Dimensions.member.1.Name=StreamName&Dimensions.member.1.Value=s",
        );
        let body = body_of(operation, &form).expect("good");
        assert_eq!(body["Dimensions"], json!([{"Name": "StreamName", "Value": "s"}]));
        assert_eq!((body["Statistics"].clone(), body["Period"].clone()), (json!(["Sum", "Average"]), json!(60)));
        assert_eq!(body["EndTime"], json!(1_767_229_200.0));
        assert!(Call::decode(operation, &body).is_ok());
        let operation = Service::by_name("sns").and_then(|service| service.operation("Publish")).expect("there");
        let form = pairs(
            "Action=Publish&TopicArn=t&Message=m&MessageAttributes.entry.1.Name=kind&MessageAttributes.entry.1.Value.DataType=String\
             &MessageAttributes.entry.1.Value.StringValue=x",
        );
        let body = body_of(operation, &form).expect("good");
        assert_eq!(body["MessageAttributes"], json!({"kind": {"DataType": "String", "StringValue": "x"}}));
        let mut xml = String::new();
        members(&json!({"Attributes": {"Owner": "1"}}), &mut xml);
        assert_eq!(xml, "<Attributes><entry><key>Owner</key><value>1</value></entry></Attributes>");
    }
}
