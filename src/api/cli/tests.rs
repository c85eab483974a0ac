//! Command lines with what the CLI makes of them, facts taken from the CLI itself; and that nothing a person types makes it panic.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::kinesis::{
    DescribeStreamResponse, HashKeyRange, KinesisRequest, KinesisResponse, ListStreamsResponse, Operation, SequenceNumberRange, Shard,
    StreamDescription,
};
use crate::api::shape::samples::full_body;
use crate::api::{ErrorCode, ModelYear, Request, Response, ServiceError, Timestamp, decode};

#[derive(Debug)]
struct Shelf;

impl FileSource for Shelf {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        Ok(match path {
            "hello.txt" => b"hello file\n".to_vec(),
            "bytes.bin" => vec![0, 255, 1],
            "stream.json" => br#"{"StreamName":"s","ShardCount":3}"#.to_vec(),
            "records.json" => br#"[{"Data":"YQ==","PartitionKey":"a"}]"#.to_vec(),
            other => return Err(format!("[Errno 2] No such file or directory: '{other}'")),
        })
    }
}

fn call(line: &str) -> Result<CliCall, CliError> {
    CliCall::parse(&parse(line)?, &mut Shelf)
}

fn request(line: &str) -> KinesisRequest {
    match call(line) {
        Ok(CliCall::Operation { request: Request::Kinesis(request), .. }) => request,
        other => panic!("{line}: {other:?}"),
    }
}

const USAGE: &str = "\nusage: aws [options] <command> <subcommand> [<subcommand> ...] [parameters]\nTo see help text, you can run:\n\n  aws help\n  aws <command> help\n  aws <command> <subcommand> help\n";

#[test]
fn shorthand_takes_the_types_of_the_shape() {
    let line = "aws firehose create-delivery-stream --delivery-stream-name d --extended-s3-destination-configuration \
                RoleARN=arn:aws:iam::123456789012:role/r,BucketARN=arn:aws:s3:::b,BufferingHints={SizeInMBs=1,IntervalInSeconds=60},ProcessingConfiguration={Enabled=true,Processors=[{Type=Lambda}]}";
    let Ok(CliCall::Operation { request: Request::Other(call), .. }) = call(line) else { panic!("refused: {:?}", call(line)) };
    let hints = &call.body["ExtendedS3DestinationConfiguration"]["BufferingHints"];
    assert_eq!(*hints, json!({"SizeInMBs": 1, "IntervalInSeconds": 60}));
    assert_eq!(call.body["ExtendedS3DestinationConfiguration"]["ProcessingConfiguration"]["Enabled"], json!(true));
    let wrong = line.replace("SizeInMBs=1", "SizeInMBs=one");
    let error = CliCall::parse(&parse(&wrong).expect("words"), &mut Shelf).expect_err("no number");
    assert!(error.text.contains("invalid literal for int() with base 10: 'one'"), "{}", error.text);
}

#[test]
fn requests() {
    for (line, wanted) in [
        ("describe-stream --stream-name s", json!({"StreamName": "s"})),
        ("describe-stream --stream-name=s", json!({"StreamName": "s"})),
        ("describe-stream --stream-n s --exclusive shardId-1", json!({"StreamName": "s", "ExclusiveStartShardId": "shardId-1"})),
        ("describe-stream --stream-name s --stream-name t", json!({"StreamName": "t"})),
        ("create-stream --stream-name s --shard-count ' 1_0 '", json!({"StreamName": "s", "ShardCount": 10})),
        ("create-stream --cli-input-json file://stream.json", json!({"StreamName": "s", "ShardCount": 3})),
        (r#"create-stream --cli-input-json '{"StreamName":"s","ShardCount":3}' --shard-count 5"#, json!({"StreamName": "s", "ShardCount": 5})),
        ("delete-stream --stream-name s --enforce-consumer-deletion", json!({"StreamName": "s", "EnforceConsumerDeletion": true})),
        ("delete-stream --stream-name s --no-e", json!({"StreamName": "s", "EnforceConsumerDeletion": false})),
        ("put-record --stream-name s --partition-key k --data aGVsbG8=", json!({"StreamName": "s", "Data": "aGVsbG8=", "PartitionKey": "k"})),
        ("put-record --stream-name s --partition-key k --data 'YWJj ZGVm'", json!({"StreamName": "s", "Data": "YWJjZGVm", "PartitionKey": "k"})),
        (
            "put-record --stream-name s --partition-key k --data hello --cli-binary-format raw-in-base64-out",
            json!({"StreamName": "s", "Data": "aGVsbG8=", "PartitionKey": "k"}),
        ),
        ("put-record --stream-name s --partition-key k --data fileb://bytes.bin", json!({"StreamName": "s", "Data": "AP8B", "PartitionKey": "k"})),
        (
            "--cli-binary-format raw-in-base64-out put-record --stream-name s --partition-key k --data file://hello.txt",
            json!({"StreamName": "s", "Data": "aGVsbG8gZmlsZQo=", "PartitionKey": "k"}),
        ),
        (
            "put-records --stream-name s --records Data=YQ==,PartitionKey=a Data=Yg==,PartitionKey=b",
            json!({"Records": [{"Data": "YQ==", "PartitionKey": "a"}, {"Data": "Yg==", "PartitionKey": "b"}], "StreamName": "s"}),
        ),
        (
            r#"put-records --stream-name s --records '[{"Data":"YQ==","PartitionKey":"a"}]'"#,
            json!({"Records": [{"Data": "YQ==", "PartitionKey": "a"}], "StreamName": "s"}),
        ),
        (
            r#"put-records --stream-name s --records '{"Data":"YQ==","PartitionKey":"a"}' '{"Data":"YQ=="}'"#,
            json!({"Records": [{"Data": "YQ==", "PartitionKey": "a"}, {"Data": "YQ=="}], "StreamName": "s"}),
        ),
        ("put-records --stream-name s --records file://records.json", json!({"Records": [{"Data": "YQ==", "PartitionKey": "a"}], "StreamName": "s"})),
        (
            "put-records --stream-name s --records Data@=fileb://bytes.bin,PartitionKey=a",
            json!({"Records": [{"Data": "AP8B", "PartitionKey": "a"}], "StreamName": "s"}),
        ),
        ("add-tags-to-stream --stream-name s --tags a=b,c=d", json!({"StreamName": "s", "Tags": {"a": "b", "c": "d"}})),
        (r#"add-tags-to-stream --stream-name s --tags '{"a":"b"}'"#, json!({"StreamName": "s", "Tags": {"a": "b"}})),
        ("remove-tags-from-stream --stream-name s --tag-keys a b", json!({"StreamName": "s", "TagKeys": ["a", "b"]})),
        (r#"remove-tags-from-stream --stream-name s --tag-keys '["a","b"]'"#, json!({"StreamName": "s", "TagKeys": ["a", "b"]})),
        (
            "list-shards --stream-name s --shard-filter Type=AT_TIMESTAMP,Timestamp=2019-01-01T00:00:05Z",
            json!({"StreamName": "s", "ShardFilter": {"Type": "AT_TIMESTAMP", "Timestamp": 1_546_300_805}}),
        ),
        (
            "get-shard-iterator --stream-name s --shard-id x --shard-iterator-type AT_TIMESTAMP --timestamp 1546300805.123",
            json!({"StreamName": "s", "ShardId": "x", "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1_546_300_805.123}),
        ),
        (
            "update-stream-mode --stream-arn arn:aws:kinesis:us-east-1:111122223333:stream/s --stream-mode-details StreamMode=ON_DEMAND",
            json!({"StreamARN": "arn:aws:kinesis:us-east-1:111122223333:stream/s", "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
        ),
        (
            "update-max-record-size --stream-arn arn:aws:kinesis:us-east-1:111122223333:stream/s --max-record-size-in-ki-b 2048",
            json!({"StreamARN": "arn:aws:kinesis:us-east-1:111122223333:stream/s", "MaxRecordSizeInKiB": 2048}),
        ),
        ("enable-enhanced-monitoring --stream-name s --shard-level-metrics ALL", json!({"StreamName": "s", "ShardLevelMetrics": ["ALL"]})),
        ("list-streams --limit 5 --no-paginate --region eu-west-1 --output text --debug", json!({"Limit": 5})),
        ("describe-limits", json!({})),
    ] {
        let request = request(&format!("aws kinesis {line}"));
        let operation = request.operation();
        let tagged = serde_json::to_value(&request).expect("writes");
        assert_eq!(tagged[operation.name()], wanted, "{line}");
        assert_eq!(Ok(request), decode(operation, &wanted), "{line}");
    }
}

#[test]
fn usage_errors() {
    let list_start = "argument operation: Invalid choice, valid choices are:\n\nadd-tags-to-stream                       | create-stream                           \n";
    for (line, wanted) in [
        ("aws", "\naws: error: the following arguments are required: command\n".to_owned()),
        ("aws kinesis", "\naws: error: the following arguments are required: operation\n".into()),
        ("aws kinesis create-stream --shard-count 1", "\naws: error: the following arguments are required: --stream-name\n".into()),
        ("aws kinesis split-shard --stream-name a", "\naws: error: the following arguments are required: --shard-to-split, --new-starting-hash-key\n".into()),
        ("aws kinesis describe-stream --stream-name", "\naws: error: argument --stream-name: expected one argument\n".into()),
        ("aws kinesis describe-stream --stream-name -s", "\naws: error: argument --stream-name: expected one argument\n".into()),
        ("aws kinesis describe-stream --stream-name s --foo", "\nUnknown options: --foo\n".into()),
        ("aws kinesis --debugg list-streams", "\nUnknown options: --debugg\n".into()),
        ("aws kinesis create-stream --stream-name a b c", "\nUnknown options: c, b\n".into()),
        ("aws kinesis add-tags-to-stream --stream-name s --tags a=b c=d", "\nUnknown options: c=d\n".into()),
        (
            "aws kinesis describe-stream --stream s",
            "\naws: error: ambiguous option: --stream could match --stream-name, --stream-arn, --stream-id\n".into(),
        ),
        (
            "aws kinesis delete-stream --stream-name=s --enforce-consumer-deletion=true",
            "\naws: error: argument --enforce-consumer-deletion: ignored explicit argument 'true'\n".into(),
        ),
        ("aws kinesis list-streams --max-items x", "\naws: error: argument --max-items: invalid int value: 'x'\n".into()),
        ("aws kinesis list-streams --region", "\naws: error: argument --region: expected one argument\n".into()),
        (
            "aws kinesis list-streams --color foo",
            "\naws: error: argument --color: Invalid choice, valid choices are:\n\non                                       | off                                     \nauto                                    \n".into(),
        ),
        (
            "aws kinesiss list-streams",
            "\naws: error: argument command: Invalid choice, valid choices are:\n\nkinesis                                  | firehose                                \nlambda                                   | s3api                                   \nglue                                     | iam                                     \nsts                                      | athena                                  \ncloudwatch                               | kinesisanalytics                        \nkinesisanalyticsv2                       | dynamodb                                \nsns                                      | s3                                      \nhelp                                    \n\n\nInvalid choice: 'kinesiss', maybe you meant:\n\n  * kinesis\n".into(),
        ),
        (
            "aws kinesis wait foo",
            "\naws: error: argument subcommand: Invalid choice, valid choices are:\n\nstream-exists                            | stream-not-exists                       \n".into(),
        ),
    ] {
        let error = call(line).expect_err(line);
        assert_eq!((error.exit_code, error.text), (252, format!("{USAGE}{wanted}")), "{line}");
    }
    let error = call("aws kinesis descibe-stream").expect_err("mistyped");
    assert!(error.text.starts_with(&format!("{USAGE}\naws: error: {list_start}")), "{}", error.text);
    assert!(error.text.ends_with("\n\n\nInvalid choice: 'descibe-stream', maybe you meant:\n\n  * describe-stream\n"), "{}", error.text);
    let error = call("aws kinesis subscribe-to-shard").expect_err("no such command");
    assert!(!error.text.contains("maybe you meant"), "{}", error.text);
    assert_eq!(
        call("aws kinesis wait").map_err(|error| error.text),
        Err("\nusage: aws [options] kinesis wait <subcommand> [parameters]\naws: error: too few arguments".into())
    );
}

#[test]
fn parameter_errors() {
    for (line, exit_code, wanted) in [
        ("put-record --stream-name s --partition-key k --data hello", 255, "Invalid base64: \"hello\""),
        ("put-record --stream-name s --partition-key k --data héé", 255, "string argument should contain only ASCII characters"),
        ("create-stream --stream-name s --shard-count x", 255, "invalid literal for int() with base 10: 'x'"),
        (
            "create-stream --stream-name s --shard-count 0",
            252,
            "Parameter validation failed:\nInvalid value for parameter ShardCount, value: 0, valid min value: 1",
        ),
        (
            "create-stream --stream-name '' --shard-count 1",
            252,
            "Parameter validation failed:\nInvalid length for parameter StreamName, value: 0, valid min length: 1",
        ),
        (
            "describe-stream --stream-name s --limit -5",
            252,
            "Parameter validation failed:\nInvalid value for parameter Limit, value: -5, valid min value: 1",
        ),
        (
            "put-records --stream-name s --records",
            252,
            "Parameter validation failed:\nInvalid length for parameter Records, value: 0, valid min length: 1",
        ),
        (
            r#"put-records --stream-name s --records '[{"Data":"YQ==","Partitionkey":"x"},{"PartitionKey":""}]'"#,
            252,
            "Parameter validation failed:\nUnknown parameter in Records[0]: \"Partitionkey\", must be one of: Data, ExplicitHashKey, PartitionKey\n\
             Missing required parameter in Records[1]: \"Data\"\nInvalid length for parameter Records[1].PartitionKey, value: 0, valid min length: 1",
        ),
        (
            r#"put-records --stream-name s --records '[{"Data":"YQ==","PartitionKey":5}]'"#,
            252,
            "Parameter validation failed:\nInvalid type for parameter Records[0].PartitionKey, value: 5, type: <class 'int'>, valid types: <class 'str'>",
        ),
        (
            "put-records --stream-name s --records Data=a,b,PartitionKey=x",
            252,
            "Parameter validation failed:\nInvalid type for parameter Records[0].Data, value: ['a', 'b'], type: <class 'list'>, valid types: <class 'bytes'>, <class 'bytearray'>, file-like object",
        ),
        (
            r#"put-records --stream-name s --records '[{"Data":"YQ==","PartitionKey":"a"]'"#,
            252,
            "Error parsing parameter '--records': Invalid JSON: Expecting ',' delimiter: line 1 column 35 (char 34)\nJSON received: [{\"Data\":\"YQ==\",\"PartitionKey\":\"a\"]",
        ),
        ("put-records --stream-name s --records [] x", 252, "Error parsing parameter '--records': Invalid JSON:\n[]"),
        (
            "put-records --stream-name s --records Data",
            252,
            "Error parsing parameter '--records': Expected: '=', received: 'EOF' for input:\nData\n    ^",
        ),
        ("add-tags-to-stream --stream-name s --tags [1]", 252, "Error parsing parameter '--tags': Invalid JSON:\n[1]"),
        (
            r#"add-tags-to-stream --stream-name s --tags '{"":"x"}'"#,
            252,
            "Parameter validation failed:\nInvalid length for parameter Tags (key: ), value: 0, valid min length: 1",
        ),
        (
            "put-record --stream-name s --partition-key k --data file://nope",
            252,
            "Error parsing parameter '--data': Unable to load paramfile file://nope: [Errno 2] No such file or directory: 'nope'",
        ),
        (
            "put-record --stream-name s --partition-key k --data file://bytes.bin",
            252,
            "Error parsing parameter '--data': Unable to load paramfile (bytes.bin), text contents could not be decoded.  If this is a binary file, please use the fileb:// prefix instead of the file:// prefix.",
        ),
        (
            "put-record --stream-name s --partition-key fileb://hello.txt --data YQ==",
            252,
            "Parameter validation failed:\nInvalid type for parameter PartitionKey, value: b'hello file\\n', type: <class 'bytes'>, valid types: <class 'str'>",
        ),
        (
            "get-shard-iterator --stream-name s --shard-id x --shard-iterator-type AT_TIMESTAMP --timestamp garbage",
            252,
            "Parameter validation failed:\nInvalid type for parameter Timestamp, value: garbage, type: <class 'str'>, valid types: <class 'datetime.datetime'>, timestamp-string",
        ),
        ("create-stream --cli-input-json {}", 252, "Parameter validation failed:\nMissing required parameter in input: \"StreamName\""),
        ("create-stream --cli-input-json '{\"StreamName\":'", 252, "Error parsing parameter 'cli-input-json': Invalid JSON received."),
        (
            "create-stream --cli-input-json [1]",
            252,
            "Error parsing parameter '--cli-input-json': Invalid type: expecting map, received <class 'list'>",
        ),
        ("list-streams --limit 5 --max-items 1", 252, "Cannot specify --no-paginate along with pagination arguments: --max-items"),
        (
            "list-streams --no-paginate --max-items 1 --page-size 2",
            252,
            "Cannot specify --no-paginate along with pagination arguments: --page-size, --max-items",
        ),
        ("list-streams --query [", 252, "Bad value for --query [: Invalid jmespath expression: Incomplete expression:\n\"[\"\n  ^"),
        (
            "list-streams --endpoint-url foo",
            252,
            "Bad value for --endpoint-url \"foo\": scheme is missing.  Must be of the form http://<hostname>/ or https://<hostname>/",
        ),
        (
            "get-shard-iterator --stream-name s --shard-id x --shard-iterator-type FIRST",
            254,
            "An error occurred (ValidationException) when calling the GetShardIterator operation: 1 validation error detected: Value 'FIRST' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST, AT_TIMESTAMP]",
        ),
        (
            "describe-stream --stream-name '-a b'",
            254,
            "An error occurred (ValidationException) when calling the DescribeStream operation: 1 validation error detected: Value '-a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
    ] {
        let error = call(&format!("aws kinesis {line}")).expect_err(line);
        assert_eq!((error.exit_code, error.text), (exit_code, format!("\n{wanted}")), "{line}");
    }
}

#[test]
fn service_errors() {
    let error = ServiceError::resource_not_found("Stream x under account 111122223333 not found.");
    let text =
        "\nAn error occurred (ResourceNotFoundException) when calling the DescribeStream operation: Stream x under account 111122223333 not found.";
    assert_eq!(service_error_text(&error, Operation::DescribeStream.into()), text);
    assert_eq!(CliError::service(&error, Operation::DescribeStream.into()).exit_code, 254);
    let error = call("aws kinesis create-channel --channel-name x").expect_err("not simulated");
    assert_eq!(
        error.text,
        "\nAn error occurred (UnknownOperationException) when calling the CreateChannel operation: CreateChannel is not simulated"
    );
}

#[test]
fn globals_and_waiters() {
    let Ok(CliCall::Operation { globals, paging, .. }) =
        call("aws --region eu-west-1 kinesis list-streams --output table --query StreamNames --profile p --page-size 7 --max-items 3 --no-cli-pager")
    else {
        panic!("a call")
    };
    assert_eq!((globals.region.as_deref(), globals.output, globals.profile.as_deref()), (Some("eu-west-1"), Some(OutputFormat::Table), Some("p")));
    assert_eq!(globals.query.as_ref().map(Query::text), Some("StreamNames"));
    assert_eq!(paging, Some(Paging { starting_token: None, page_size: Some(7), max_items: Some(3) }));
    let Ok(CliCall::Wait { waiter, request, .. }) = call("aws kinesis wait stream-exists --stream-name s") else { panic!("a waiter") };
    assert_eq!((waiter.aws_name, waiter.delay_secs, waiter.max_attempts), ("StreamExists", 10, 18));
    assert_eq!(request.operation(), Operation::DescribeStream.into());
}

#[test]
fn texts_to_print() {
    let printed = |line: &str| match call(line) {
        Ok(CliCall::Print(text)) => text,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(
        printed("aws kinesis delete-stream --generate-cli-skeleton"),
        "{\n    \"StreamName\": \"\",\n    \"EnforceConsumerDeletion\": true,\n    \"StreamARN\": \"\",\n    \"StreamId\": \"\"\n}\n"
    );
    assert_eq!(printed("aws kinesis describe-limits --generate-cli-skeleton input"), "{}\n");
    assert!(printed("aws --version").starts_with("aws-cli/2"));
    assert!(printed("aws help").contains("--cli-binary-format base64|raw-in-base64-out"));
    assert!(printed("aws kinesis help").contains("put-records"));
    assert!(printed("aws kinesis wait help").contains("every 10 s, at most 18 times"));
    for operation in Operation::ALL.iter().filter(|operation| **operation != Operation::SubscribeToShard) {
        let help = printed(&format!("aws kinesis {} help", options::kebab(operation.name())));
        for member in operation.members() {
            assert!(help.contains(&format!("--{}", options::kebab(member.name))), "{operation} {}", member.name);
        }
    }
    assert!(printed("aws kinesis create-stream help").contains("* --stream-name TEXT"));
    assert!(printed("aws kinesis describe-stream --stream-name s help").starts_with("Shows a stream"));
}

#[test]
fn the_cli_of_2018() {
    let parse_then = |line: &str| CliCall::parse_for(&parse(line)?, &mut Shelf, ModelYear::Y2018);
    let text = |line: &str| parse_then(line).expect_err(line).text;
    assert!(text("aws kinesis put-record --stream-name s --data YQ==").contains("required: --partition-key"));
    assert!(text("aws kinesis create-stream --stream-name s").contains("required: --shard-count"));
    assert!(text("aws kinesis update-stream-mode").contains("Invalid choice"));
    assert!(parse_then("aws kinesis describe-stream-summary --stream-name s").is_ok());
}

#[test]
fn every_request_has_a_line_that_makes_it() {
    for operation in Operation::ALL.iter().copied() {
        let wanted = decode(operation, &full_body(operation)).expect("valid");
        let line = to_cli_words(&wanted.clone().into());
        if operation == Operation::SubscribeToShard {
            assert_eq!(line, "# the CLI has no subscribe-to-shard");
            assert_eq!(parse(&line).map(|words| words.len()), Ok(0));
            continue;
        }
        assert_eq!(request(&line), wanted, "{line}");
    }
    let KinesisRequest::PutRecord(mut put) = request("aws kinesis put-record --stream-name s --partition-key k --data aGVsbG8=") else {
        panic!("a put")
    };
    assert_eq!(to_cli_words(&put.clone().into()), "aws kinesis put-record --stream-name s --data aGVsbG8= --partition-key k");
    put.partition_key = Some("-it's [a] key".into());
    assert_eq!(to_cli_words(&put.into()), r"aws kinesis put-record --stream-name s --data aGVsbG8= '--partition-key=-it'\''s [a] key'");
}

fn shard(index: usize) -> Shard {
    Shard {
        shard_id: format!("shardId-{index:012}"),
        hash_key_range: HashKeyRange { starting_hash_key: "0".into(), ending_hash_key: "1".into() },
        sequence_number_range: SequenceNumberRange { starting_sequence_number: "1".into(), ending_sequence_number: None },
        ..Default::default()
    }
}

/// A stream of seven shards, described three at a time.
fn describe(request: &Request) -> Response {
    let Request::Kinesis(KinesisRequest::DescribeStream(request)) = request else { panic!("a DescribeStream") };
    let limit = request.limit.map_or(3, |limit| usize::try_from(limit).expect("positive"));
    let from = request.exclusive_start_shard_id.as_ref().map_or(0, |id| id.trim_start_matches("shardId-").parse::<usize>().expect("a number") + 1);
    let shards: Vec<Shard> = (from..7).take(limit).map(shard).collect();
    KinesisResponse::DescribeStream(DescribeStreamResponse {
        stream_description: StreamDescription {
            stream_name: "s".into(),
            has_more_shards: from + shards.len() < 7,
            shards,
            stream_creation_timestamp: Timestamp(1_546_300_805_123),
            ..Default::default()
        },
    })
    .into()
}

fn run_pages(line: &str) -> (usize, Value) {
    let Ok(CliCall::Operation { request, paging: Some(paging), globals }) = call(line) else { panic!("a listing: {line}") };
    let mut pages = Pages::begin(&request, &paging, ModelYear::Current).expect("begins").expect("pages");
    let mut calls = 0;
    while let Some(request) = pages.next_request().expect("a request") {
        pages.accept(&describe(&request)).expect("goes on");
        calls += 1;
    }
    let text = render(&pages.finish(), Operation::DescribeStream.into(), globals.query.as_ref(), OutputFormat::Json, 80).expect("prints");
    (calls, serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn listings_run_through_their_pages() {
    let ids = |value: &Value| -> Vec<u64> {
        let shards = value["StreamDescription"]["Shards"].as_array().expect("shards");
        shards.iter().map(|shard| shard["ShardId"].as_str().expect("id").trim_start_matches("shardId-").parse().expect("number")).collect()
    };
    let (calls, all) = run_pages("aws kinesis describe-stream --stream-name s");
    assert_eq!((calls, ids(&all)), (3, (0..7).collect()));
    let names: Vec<&str> = all["StreamDescription"].as_object().expect("object").keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "Shards",
            "StreamARN",
            "StreamName",
            "StreamStatus",
            "RetentionPeriodHours",
            "EnhancedMonitoring",
            "EncryptionType",
            "KeyId",
            "StreamCreationTimestamp"
        ],
        "as the CLI joins pages: other members are lost, absent ones are null"
    );
    assert_eq!(all["StreamDescription"]["StreamCreationTimestamp"], "2019-01-01T00:00:05.123000+00:00");
    assert_eq!(run_pages("aws kinesis describe-stream --stream-name s --page-size 1").0, 7);

    let mut token = String::new();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let from = if token.is_empty() { String::new() } else { format!("--starting-token {token}") };
        let (_, part) = run_pages(&format!("aws kinesis describe-stream --stream-name s --max-items 2 {from}"));
        seen.extend(ids(&part));
        token = part["NextToken"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!((seen, token.as_str()), ((0..7).collect(), ""));
    let (_, part) = run_pages("aws kinesis describe-stream --stream-name s --max-items 1");
    assert_eq!(part["NextToken"], "eyJFeGNsdXNpdmVTdGFydFNoYXJkSWQiOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAxfQ==");

    let KinesisRequest::ListStreams(_) = request("aws kinesis list-streams") else { panic!("a listing") };
    let begin = |token: &str| {
        let paging = Paging { starting_token: Some(token.into()), ..Default::default() };
        Pages::begin(&request("aws kinesis list-streams").into(), &paging, ModelYear::Current)
    };
    assert_eq!(begin("a___b___c").map_err(|error| error.text).err().as_deref(), Some("\nBad starting token: a___b___c"));
    let mut pages = begin("foo___1").expect("begins").expect("pages");
    assert_eq!(
        pages.next_request().expect("valid"),
        Some(crate::api::kinesis::ListStreamsRequest { next_token: Some("foo".into()), ..Default::default() }.into())
    );
    let list = ListStreamsResponse { stream_names: vec!["a".into(), "b".into()], ..Default::default() };
    pages.accept(&KinesisResponse::ListStreams(list).into()).expect("last page");
    assert_eq!(pages.next_request(), Ok(None));
    assert_eq!(pages.finish().merged, json!({"StreamNames": ["b"]}));
}

#[test]
fn a_token_that_repeats_ends_the_listing() {
    let paging = Paging::default();
    let mut pages = Pages::begin(&request("aws kinesis list-streams").into(), &paging, ModelYear::Current).expect("begins").expect("pages");
    let page =
        KinesisResponse::ListStreams(ListStreamsResponse { has_more_streams: true, next_token: Some("t".into()), ..Default::default() }).into();
    assert_eq!(pages.accept(&page), Ok(()));
    assert!(pages.accept(&page).expect_err("again").text.contains("The same next token was received twice"));
}

#[test]
fn completions_follow_the_words() {
    let at = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if line.is_empty() {
            words.clear();
        }
        completions(&words, ModelYear::Current).into_iter().map(|completion| completion.word).collect::<Vec<_>>()
    };
    assert_eq!(at(""), ["aws"]);
    assert_eq!(at("aws k"), ["kinesis", "kinesisanalytics", "kinesisanalyticsv2"]);
    assert_eq!(at("aws kinesis describe-stream"), ["describe-stream", "describe-stream-consumer", "describe-stream-summary"]);
    assert_eq!(at("aws kinesis wait "), ["stream-exists", "stream-not-exists"]);
    let split = at("aws kinesis split-shard ");
    assert_eq!(split[..2], ["--shard-to-split", "--new-starting-hash-key"], "required ones first");
    assert!(!at("aws kinesis split-shard --shard-to-split x --s").contains(&"--shard-to-split".to_owned()));
    assert_eq!(at("aws kinesis get-shard-iterator --shard-iterator-type AT_"), ["AT_SEQUENCE_NUMBER", "AT_TIMESTAMP"]);
    assert_eq!(at("aws kinesis list-streams --output t"), ["text", "table"]);
    assert_eq!(at("aws kinesis list-shards --shard-filter Type=AT_L"), ["Type=AT_LATEST"]);
    assert!(at("aws kinesis enable-enhanced-monitoring --shard-level-metrics IncomingBytes I").contains(&"IncomingRecords".to_owned()));
    assert!(at("aws nothing ").is_empty());
    let hint =
        |line: &str| completions(&parse(line).expect("words"), ModelYear::Current).into_iter().map(|completion| completion.hint).collect::<Vec<_>>();
    assert_eq!(hint("aws kinesis put-record --data"), ["blob, required"]);
}

#[test]
fn codes_that_parse_errors_can_have() {
    let error = call("aws kinesis update-shard-count --stream-name s --target-shard-count 2 --scaling-type X").expect_err("refused");
    assert_eq!(error.exit_code, SERVICE_EXIT);
    assert!(error.text.contains(ErrorCode::ValidationException.name()));
}

proptest! {
    #[test]
    fn any_words_are_read(words in prop::collection::vec("(--)?(stream-name|records|tags|data|limit|cli-input-json|query|x|help|wait|put-records|=|[a-z'\\[{,=@ -]{0,6})", 0..8), operation in 0usize..40) {
        let mut line = vec!["kinesis".to_owned(), options::kebab(Operation::ALL[operation % Operation::ALL.len()].name())];
        line.extend(words.clone());
        let _ = CliCall::parse(&line, &mut Shelf);
        let _ = CliCall::parse(&words, &mut Shelf);
        let _ = completions(&line, ModelYear::Current);
        let _ = completions(&words, ModelYear::Y2018);
    }

    #[test]
    fn any_put_has_a_line(keys in prop::collection::vec(any::<String>(), 1..4), data in prop::collection::vec(any::<u8>(), 0..12)) {
        use crate::api::kinesis::{AddTagsToStreamRequest, PutRecordsRequest, PutRecordsRequestEntry, RemoveTagsFromStreamRequest};
        let keys: Vec<String> = keys.into_iter().map(|key| format!("k{key}").chars().take(100).collect()).collect();
        let records = keys.iter().map(|key| PutRecordsRequestEntry { data: data.clone().into(), partition_key: Some(key.clone()), explicit_hash_key: None }).collect();
        let wanted: KinesisRequest = PutRecordsRequest { records, stream_name: Some("s".into()), ..Default::default() }.into();
        prop_assert_eq!(request(&to_cli_words(&wanted.clone().into())), wanted);
        let tags = keys.iter().map(|key| (key.clone(), key.chars().rev().collect::<String>())).collect();
        let wanted: KinesisRequest = AddTagsToStreamRequest { tags, stream_name: Some("s".into()), ..Default::default() }.into();
        prop_assert_eq!(request(&to_cli_words(&wanted.clone().into())), wanted);
        let tag_keys = keys.iter().map(|key| key.chars().rev().collect::<String>()).collect();
        let wanted: KinesisRequest = RemoveTagsFromStreamRequest { tag_keys, stream_name: Some("s".into()), ..Default::default() }.into();
        prop_assert_eq!(request(&to_cli_words(&wanted.clone().into())), wanted);
    }
}
