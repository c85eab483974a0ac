//! Texts, round trips and totality of decoding.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::samples::{any_json, full_body};
use super::{ModelYear, constraints, decode, decode_json, decode_with, validate};
use crate::api::kinesis::{GetRecordsRequest, KinesisRequest, Operation, PutRecordRequest, PutRecordsRequest, PutRecordsRequestEntry};
use crate::api::{Blob, ErrorCode, ServiceError, Timestamp};

fn refusal(operation: Operation, body: &Value, year: ModelYear) -> String {
    decode_with(operation, body, year).expect_err("refused").to_string()
}

#[test]
fn type_errors() {
    let big = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to";
    let table: Vec<(Operation, Value, String)> = vec![
        (Operation::DescribeStream, json!({"StreamName": true}), "class java.lang.Boolean can not be converted to an String".into()),
        (Operation::DescribeStream, json!({"StreamName": 23}), format!("{big} an String")),
        (Operation::DescribeStream, json!({"StreamName": []}), "Start of list found where not expected".into()),
        (Operation::DescribeStream, json!({"StreamName": {}}), "Start of structure or map found where not expected.".into()),
        (Operation::DescribeStream, json!({"Limit": "23"}), "class java.lang.String can not be converted to an Integer".into()),
        (Operation::DescribeStream, json!({"Limit": true}), "class java.lang.Boolean can not be converted to an Integer".into()),
        (Operation::PutRecord, json!({"Data": 34.56}), format!("{big} a Blob")),
        (
            Operation::PutRecord,
            json!({"Data": "23456"}),
            "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5".into(),
        ),
        (Operation::PutRecord, json!({"Data": "=+/="}), "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='".into()),
        (
            Operation::PutRecord,
            json!({"Data": "+/+="}),
            "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected".into(),
        ),
        (Operation::PutRecords, json!({"Records": "x"}), "Expected list or null".into()),
        (Operation::PutRecords, json!({"Records": {}}), "Start of structure or map found where not expected.".into()),
        (Operation::PutRecords, json!({"Records": ["x"]}), "Expected null".into()),
        (Operation::PutRecords, json!({"Records": [[]]}), "Start of list found where not expected".into()),
        (Operation::AddTagsToStream, json!({"Tags": 1}), "Expected map or null".into()),
        (Operation::AddTagsToStream, json!({"Tags": {"a": 1}}), format!("{big} an String")),
        (Operation::DeleteStream, json!({"EnforceConsumerDeletion": "hello"}), "'HELLO' can not be converted to an Boolean".into()),
        (Operation::DeleteStream, json!({"EnforceConsumerDeletion": 2}), format!("{big} an Boolean")),
        (
            Operation::GetShardIterator,
            json!({"Timestamp": "2019-01-01"}),
            "class java.lang.String can not be converted to milliseconds since epoch".into(),
        ),
        (Operation::ListStreams, json!([]), "Start of list found where not expected".into()),
        (Operation::ListStreams, json!("x"), "Expected null".into()),
    ];
    for (operation, body, text) in table {
        assert_eq!(decode(operation, &body), Err(ServiceError::serialization(text)), "{operation} {body}");
    }
}

#[test]
fn constraint_errors() {
    let long = "a".repeat(129);
    let key = "k".repeat(257);
    let table: Vec<(Operation, Value, Vec<String>)> = vec![
        (
            Operation::PutRecord,
            json!({}),
            vec!["Value null at 'data' failed to satisfy constraint: Member must not be null".into()],
        ),
        (
            Operation::PutRecords,
            json!({"StreamName": "", "Records": []}),
            vec![
                "Value '[]' at 'records' failed to satisfy constraint: Member must have length greater than or equal to 1".into(),
                "Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+".into(),
                "Value '' at 'streamName' failed to satisfy constraint: Member must have length greater than or equal to 1".into(),
            ],
        ),
        (
            Operation::PutRecords,
            json!({"StreamName": "s", "Records": [{"Data": ""}, {}, {"Data": "", "PartitionKey": key, "ExplicitHashKey": "01"}]}),
            vec![
                "Value null at 'records.2.member.data' failed to satisfy constraint: Member must not be null".into(),
                "Value '01' at 'records.3.member.explicitHashKey' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(0|([1-9]\\d{0,38}))$".into(),
                format!("Value '{key}' at 'records.3.member.partitionKey' failed to satisfy constraint: Member must have length less than or equal to 256"),
            ],
        ),
        (
            Operation::CreateStream,
            json!({"StreamName": long, "ShardCount": 0, "StreamModeDetails": {"StreamMode": "X"}}),
            vec![
                format!("Value '{long}' at 'streamName' failed to satisfy constraint: Member must have length less than or equal to 128"),
                "Value '0' at 'shardCount' failed to satisfy constraint: Member must have value greater than or equal to 1".into(),
                "Value 'X' at 'streamModeDetails.streamMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]".into(),
            ],
        ),
        (
            Operation::RemoveTagsFromStream,
            json!({"StreamName": "s", "TagKeys": ["a", long, "b"]}),
            vec![format!(
                "Value '[a, {long}, b]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]"
            )],
        ),
        (
            Operation::AddTagsToStream,
            json!({"StreamName": "s", "Tags": {"": "x"}}),
            vec!["Value '{=x}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]".into()],
        ),
        (
            Operation::EnableEnhancedMonitoring,
            json!({"StreamName": "s", "ShardLevelMetrics": ["Foo"]}),
            vec!["Value '[Foo]' at 'shardLevelMetrics' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [IncomingBytes, IncomingRecords, OutgoingBytes, OutgoingRecords, WriteProvisionedThroughputExceeded, ReadProvisionedThroughputExceeded, IteratorAgeMilliseconds, ALL]]".into()],
        ),
        (
            Operation::GetRecords,
            json!({"ShardIterator": "", "Limit": 10001}),
            vec![
                "Value '' at 'shardIterator' failed to satisfy constraint: Member must have length greater than or equal to 1".into(),
                "Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000".into(),
            ],
        ),
    ];
    for (operation, body, violations) in table {
        let errors = if violations.len() == 1 { "error" } else { "errors" };
        let text = format!("{} validation {errors} detected: {}", violations.len(), violations.join("; "));
        assert_eq!(decode(operation, &body), Err(ServiceError::validation(text)), "{operation}");
    }
}

#[test]
fn at_most_ten_violations() {
    let text = refusal(Operation::PutRecords, &json!({"Records": vec![json!({}); 20]}), ModelYear::Current);
    assert!(text.starts_with("ValidationException: 10 validation errors detected: "), "{text}");
    assert_eq!(text.matches("Member must not be null").count(), 10);
}

#[test]
fn the_model_of_2018() {
    let year = ModelYear::Y2018;
    assert_eq!(
        refusal(Operation::PutRecord, &json!({"Data": ""}), year),
        "ValidationException: 2 validation errors detected: Value null at 'streamName' failed to satisfy constraint: Member must not be null; \
         Value null at 'partitionKey' failed to satisfy constraint: Member must not be null"
    );
    assert_eq!(
        refusal(Operation::CreateStream, &json!({"StreamName": "s"}), year),
        "ValidationException: 1 validation error detected: Value null at 'shardCount' failed to satisfy constraint: Member must not be null"
    );
    let data = Blob::from(vec![0; 1_048_577]).to_base64();
    assert_eq!(
        refusal(Operation::PutRecord, &json!({"StreamName": "s", "PartitionKey": "k", "Data": data}), year),
        "ValidationException: 1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=1048577 cap=1048577]' at 'data' failed to \
         satisfy constraint: Member must have length less than or equal to 1048576"
    );
    assert!(decode(Operation::PutRecord, &json!({"StreamName": "s", "Data": data})).is_ok(), "today a record may be larger");
    assert_eq!(decode_with(Operation::UpdateStreamMode, &json!({}), year).map_err(|e| e.code), Err(ErrorCode::UnknownOperationException));
    let request =
        decode_with(Operation::CreateStream, &json!({"StreamName": "s", "ShardCount": 1, "StreamModeDetails": 5}), year).expect("unknown then");
    let KinesisRequest::CreateStream(request) = request else { panic!("a CreateStream") };
    assert_eq!(request.stream_mode_details, None);
}

#[test]
fn every_member_survives_a_round_trip() {
    for operation in Operation::ALL.iter().copied() {
        let body = full_body(operation);
        let request = decode(operation, &body).unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(request.operation(), operation);
        let tagged = serde_json::to_value(&request).expect("writes");
        let mut wanted = body.clone();
        if let Some(body) = wanted.as_object_mut() {
            body.remove("StreamId");
        }
        assert_eq!(tagged, json!({operation.name(): wanted}), "{operation}");
        assert_eq!(decode(operation, &tagged[operation.name()]), Ok(request.clone()), "{operation}");
        assert_eq!(serde_json::from_value::<KinesisRequest>(tagged).expect("reads"), request);
        assert_eq!(constraints(&request, ModelYear::Current), Ok(()), "{operation}");
    }
}

#[test]
fn requests_keep_the_order_of_members() {
    let request = decode(Operation::PutRecord, &full_body(Operation::PutRecord)).expect("valid");
    let text = serde_json::to_string(&request).expect("writes");
    let names = ["StreamName", "Data", "PartitionKey", "ExplicitHashKey", "SequenceNumberForOrdering", "StreamARN", "DryRun"];
    let at: Vec<usize> = names.iter().map(|name| text.find(&format!("\"{name}\"")).expect("written")).collect();
    assert!(at.is_sorted(), "{text}");
}

#[test]
fn lenient_spellings() {
    let body = json!({"StreamName": "s", "Limit": 3.7, "ExclusiveStartShardId": null, "Unknown": {"x": 1}});
    let KinesisRequest::DescribeStream(request) = decode(Operation::DescribeStream, &body).expect("accepted") else { panic!("a DescribeStream") };
    assert_eq!((request.limit, request.exclusive_start_shard_id), (Some(3), None));
    let body = json!({"StreamName": "s", "EnforceConsumerDeletion": "yes"});
    let KinesisRequest::DeleteStream(request) = decode(Operation::DeleteStream, &body).expect("accepted") else { panic!("a DeleteStream") };
    assert_eq!(request.enforce_consumer_deletion, Some(true));
    assert!(decode(Operation::DescribeLimits, &Value::Null).is_ok());
    let text = refusal(Operation::CreateStream, &json!({"StreamName": "s", "ShardCount": -100_000_000_000_i64}), ModelYear::Current);
    assert!(text.contains("'-2147483648' at 'shardCount'"), "{text}");
}

#[test]
fn texts_that_are_not_json() {
    let error = decode_json(Operation::ListStreams, b"{\"Limit\": }", ModelYear::Current).expect_err("refused");
    assert_eq!(error.code, ErrorCode::SerializationException);
    assert!(decode_json(Operation::ListStreams, b"{\"Limit\": 5}", ModelYear::Current).is_ok());
    assert_eq!(
        decode_json(Operation::ListStreams, &[0xff, 0xfe], ModelYear::Current).map_err(|error| error.code),
        Err(ErrorCode::SerializationException)
    );
}

#[test]
fn typed_requests_get_the_same_texts() {
    let entry = |key: &str| PutRecordsRequestEntry { data: "x".into(), partition_key: Some(key.into()), explicit_hash_key: None };
    let mut request = PutRecordsRequest { records: vec![entry("a"); 500], stream_name: Some("s".into()), ..Default::default() };
    assert_eq!(constraints(&request.clone().into(), ModelYear::Current), Ok(()));
    assert_eq!(constraints(&request.clone().into(), ModelYear::Y2018), Ok(()));
    request.records[1].partition_key = None;
    assert_eq!(constraints(&request.clone().into(), ModelYear::Current), Ok(()));
    assert_eq!(
        constraints(&request.clone().into(), ModelYear::Y2018).map_err(|error| error.message),
        Err("1 validation error detected: Value null at 'records.2.member.partitionKey' failed to satisfy constraint: Member must not be null".into())
    );
    request.records[1] = entry("");
    let text = constraints(&request.clone().into(), ModelYear::Current).expect_err("empty key").message;
    assert_eq!(
        text,
        "1 validation error detected: Value '' at 'records.2.member.partitionKey' failed to satisfy constraint: Member must have length greater than or equal to 1"
    );
    request.records.push(entry("b"));
    let text = constraints(&request.into(), ModelYear::Current).expect_err("501 records").message;
    assert!(text.starts_with("2 validation errors detected: Value '[com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@"), "{}", &text[..120]);
    assert!(text.contains("Member must have length less than or equal to 500; Value ''"), "{}", &text[text.len() - 300..]);
    let get = GetRecordsRequest { shard_iterator: "x".repeat(513), ..Default::default() };
    assert!(constraints(&get.into(), ModelYear::Current).is_err());
}

#[test]
fn an_instant_out_of_range_is_a_type_error() {
    let body = json!({"StreamName": "s", "ShardId": "x", "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1e300});
    assert_eq!(decode(Operation::GetShardIterator, &body).map_err(|error| error.code), Err(ErrorCode::SerializationException));
    let body = json!({"StreamName": "s", "ShardId": "x", "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1_546_300_805});
    let KinesisRequest::GetShardIterator(request) = decode(Operation::GetShardIterator, &body).expect("valid") else { panic!("a GetShardIterator") };
    assert_eq!(request.timestamp, Some(Timestamp(1_546_300_805_000)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn decoding_is_total(body in any_json()) {
        for operation in Operation::ALL.iter().copied() {
            for year in [ModelYear::Y2018, ModelYear::Current] {
                let decoded = decode_with(operation, &body, year);
                let checked = validate(operation, &body, year);
                if let Ok(request) = decoded {
                    prop_assert_eq!(checked, Ok(()));
                    prop_assert_eq!(constraints(&request, year), Ok(()));
                    let again = serde_json::to_value(&request).expect("writes")[operation.name()].take();
                    prop_assert_eq!(decode_with(operation, &again, year), Ok(request));
                }
            }
        }
    }

    #[test]
    fn bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        for operation in Operation::ALL.iter().copied() {
            let _ = decode_json(operation, &body, ModelYear::Current);
        }
    }

    #[test]
    fn the_short_cut_agrees_with_the_table(name in "[a ]{0,3}", key in prop::option::of("[aé]{0,2}|é{250,260}"), hash in prop::option::of("[0-9]{0,41}"), recent in any::<bool>()) {
        let year = if recent { ModelYear::Current } else { ModelYear::Y2018 };
        let put = PutRecordRequest { stream_name: Some(name.clone()), data: "x".into(), partition_key: key.clone(), explicit_hash_key: hash.clone(), ..Default::default() };
        let body = serde_json::to_value(&put).expect("writes");
        prop_assert_eq!(constraints(&put.into(), year), validate(Operation::PutRecord, &body, year));
        let entry = PutRecordsRequestEntry { data: "x".into(), partition_key: key, explicit_hash_key: hash };
        let put = PutRecordsRequest { records: vec![entry], stream_name: Some(name), ..Default::default() };
        let body = serde_json::to_value(&put).expect("writes");
        prop_assert_eq!(constraints(&put.into(), year), validate(Operation::PutRecords, &body, year));
    }
}
