//! A full, valid body of every operation, made from the shape table; and arbitrary bodies for properties.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Kind, Member, Pattern, Shape};
use crate::api::kinesis::Operation;

/// Every member of the operation with a valid value.
pub(crate) fn full_body(operation: Operation) -> Value {
    structure(operation.members())
}

fn structure(members: &[Member]) -> Value {
    Value::Object(members.iter().map(|member| (member.name.to_owned(), value(member.shape))).collect::<Map<_, _>>())
}

fn value(shape: &Shape) -> Value {
    match shape.kind {
        Kind::Text(pattern) => json!(match pattern {
            None => "a text, with: 'quotes\" and = signs",
            Some(Pattern::Name) => "a.name_0-1",
            Some(Pattern::HashKey | Pattern::SequenceNumber) => "340282366920938463463374607431768211455",
            Some(Pattern::StreamArn | Pattern::ResourceArn) => "arn:aws:kinesis:us-east-1:111122223333:stream/orders",
            Some(Pattern::ConsumerArn) => "arn:aws:kinesis:us-east-1:111122223333:stream/orders/consumer/app:1546300800",
            Some(Pattern::Regex(_)) => "a text",
            Some(Pattern::StreamId) => "abcdefghij0123456789-xyz",
        }),
        Kind::Word(words) => json!(words[words.len() - 1]),
        Kind::Blob => json!("SGVsbG8gd29ybGQ="),
        Kind::Integer => json!(shape.span.min.unwrap_or(24).max(1)),
        Kind::Double => json!(0.5),
        Kind::Boolean => json!(true),
        Kind::Timestamp => json!(1_546_300_805.123),
        Kind::List(item) => json!([value(item), value(item)]),
        Kind::Map(..) => json!({"team": "data, stores", "z": ""}),
        Kind::Structure(members) => structure(members),
    }
}

/// Any JSON, often with member names and values the service knows.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zA-Z0-9+/=_.:é -]{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["SGVsbG8=", "LATEST", "0", "orders", "ALL", "KMS"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_name(), inner), 0..6).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn any_name() -> impl Strategy<Value = String> {
    let mut names: Vec<&'static str> = Operation::ALL.iter().flat_map(|operation| operation.members()).map(|member| member.name).collect();
    names.extend(["StreamMode", "Type", "Status", "SequenceNumber", "Unknown"]);
    names.sort_unstable();
    names.dedup();
    prop::sample::select(names).prop_map(str::to_owned)
}
