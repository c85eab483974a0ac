//! Answers with what the CLI prints for them, facts taken from the CLI itself.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};

use super::super::{Answer, CliCall, NoFiles, Pages, parse};
use super::render;
use crate::api::kinesis::KinesisResponse;
use crate::api::{ModelYear, Request, Response};

/// What the service answers to each operation.
const ANSWERS: &str = r#"{
    "DescribeLimits": {"ShardLimit": 500, "OpenShardCount": 3, "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 50},
    "DescribeStream": {"StreamDescription": {"StreamName": "s", "StreamARN": "arn:aws:kinesis:us-east-1:111122223333:stream/s", "StreamStatus": "ACTIVE", "StreamModeDetails": {"StreamMode": "PROVISIONED"}, "Shards": [{"ShardId": "shardId-000000000000", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "170141183460469231731687303715884105727"}, "SequenceNumberRange": {"StartingSequenceNumber": "495"}}, {"ShardId": "shardId-000000000001", "ParentShardId": "shardId-0", "HashKeyRange": {"StartingHashKey": "170141183460469231731687303715884105728", "EndingHashKey": "340282366920938463463374607431768211455"}, "SequenceNumberRange": {"StartingSequenceNumber": "496", "EndingSequenceNumber": "497"}}], "HasMoreShards": false, "RetentionPeriodHours": 24, "StreamCreationTimestamp": 1546300805.123, "EnhancedMonitoring": [{"ShardLevelMetrics": []}], "EncryptionType": "NONE"}},
    "DescribeStreamSummary": {"StreamDescriptionSummary": {"StreamName": "s", "StreamARN": "arn", "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24, "StreamCreationTimestamp": 1546300805, "EnhancedMonitoring": [{"ShardLevelMetrics": ["IncomingBytes", "OutgoingBytes"]}], "EncryptionType": "NONE", "OpenShardCount": 2, "ConsumerCount": 0}},
    "GetRecords": {"Records": [{"SequenceNumber": "1", "ApproximateArrivalTimestamp": 1546300805.123, "Data": "SGVsbG8=", "PartitionKey": "é\"x\ty"}, {"SequenceNumber": "2", "ApproximateArrivalTimestamp": 1546300806.0, "Data": "", "PartitionKey": "b", "EncryptionType": "KMS"}], "NextShardIterator": "AAA", "MillisBehindLatest": 0},
    "ListShards": {"Shards": [{"ShardId": "shardId-0", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"}, "SequenceNumberRange": {"StartingSequenceNumber": "1"}}, {"ShardId": "shardId-1", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"}, "SequenceNumberRange": {"StartingSequenceNumber": "1"}}, {"ShardId": "shardId-2", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"}, "SequenceNumberRange": {"StartingSequenceNumber": "1"}}]},
    "ListStreamConsumers": {"Consumers": []},
    "ListStreams": {"StreamNames": ["a", "b"], "HasMoreStreams": false, "StreamSummaries": [{"StreamName": "a", "StreamARN": "arn:a", "StreamStatus": "ACTIVE", "StreamModeDetails": {"StreamMode": "PROVISIONED"}, "StreamCreationTimestamp": 1.5}, {"StreamName": "b", "StreamARN": "arn:b", "StreamStatus": "ACTIVE"}]},
    "ListTagsForStream": {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "k"}], "HasMoreTags": false},
    "PutRecord": {"ShardId": "shardId-0", "SequenceNumber": "1"},
    "PutRecords": {"FailedRecordCount": 1, "Records": [{"SequenceNumber": "1", "ShardId": "shardId-0"}, {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}]}
}"#;

/// Command lines with what is printed.
const PRINTED: &[(&str, &str)] = &[
    (
        r"aws kinesis describe-stream --stream-name s",
        r#"{
    "StreamDescription": {
        "Shards": [
            {
                "ShardId": "shardId-000000000000",
                "HashKeyRange": {
                    "StartingHashKey": "0",
                    "EndingHashKey": "170141183460469231731687303715884105727"
                },
                "SequenceNumberRange": {
                    "StartingSequenceNumber": "495"
                }
            },
            {
                "ShardId": "shardId-000000000001",
                "ParentShardId": "shardId-0",
                "HashKeyRange": {
                    "StartingHashKey": "170141183460469231731687303715884105728",
                    "EndingHashKey": "340282366920938463463374607431768211455"
                },
                "SequenceNumberRange": {
                    "StartingSequenceNumber": "496",
                    "EndingSequenceNumber": "497"
                }
            }
        ],
        "StreamARN": "arn:aws:kinesis:us-east-1:111122223333:stream/s",
        "StreamName": "s",
        "StreamStatus": "ACTIVE",
        "RetentionPeriodHours": 24,
        "EnhancedMonitoring": [
            {
                "ShardLevelMetrics": []
            }
        ],
        "EncryptionType": "NONE",
        "KeyId": null,
        "StreamCreationTimestamp": "2019-01-01T00:00:05.123000+00:00"
    }
}
"#,
    ),
    (
        r"aws kinesis describe-stream --stream-name s --output text",
        r"STREAMDESCRIPTION	NONE	None	24	arn:aws:kinesis:us-east-1:111122223333:stream/s	2019-01-01T00:00:05.123000+00:00	s	ACTIVE
SHARDS		shardId-000000000000
HASHKEYRANGE	170141183460469231731687303715884105727	0
SEQUENCENUMBERRANGE	495
SHARDS	shardId-0	shardId-000000000001
HASHKEYRANGE	340282366920938463463374607431768211455	170141183460469231731687303715884105728
SEQUENCENUMBERRANGE	497	496
",
    ),
    (
        r"aws kinesis describe-stream --stream-name s --output table",
        r"----------------------------------------------------------------------------------
|                                 DescribeStream                                 |
+--------------------------------------------------------------------------------+
||                               StreamDescription                              ||
|+--------------------------+---------------------------------------------------+|
||  EncryptionType          |  NONE                                             ||
||  KeyId                   |  None                                             ||
||  RetentionPeriodHours    |  24                                               ||
||  StreamARN               |  arn:aws:kinesis:us-east-1:111122223333:stream/s  ||
||  StreamCreationTimestamp |  2019-01-01T00:00:05.123000+00:00                 ||
||  StreamName              |  s                                                ||
||  StreamStatus            |  ACTIVE                                           ||
|+--------------------------+---------------------------------------------------+|
|||                             EnhancedMonitoring                             |||
|||                                   Shards                                   |||
||+------------------------------+---------------------------------------------+||
|||  ParentShardId               |                                             |||
|||  ShardId                     |  shardId-000000000000                       |||
||+------------------------------+---------------------------------------------+||
||||                               HashKeyRange                               ||||
|||+---------------------+----------------------------------------------------+|||
||||  EndingHashKey      |  170141183460469231731687303715884105727           ||||
||||  StartingHashKey    |  0                                                 ||||
|||+---------------------+----------------------------------------------------+|||
||||                            SequenceNumberRange                           ||||
|||+----------------------------------------------------------+---------------+|||
||||  StartingSequenceNumber                                  |  495          ||||
|||+----------------------------------------------------------+---------------+|||
|||                                   Shards                                   |||
||+------------------------------+---------------------------------------------+||
|||  ParentShardId               |  shardId-0                                  |||
|||  ShardId                     |  shardId-000000000001                       |||
||+------------------------------+---------------------------------------------+||
||||                               HashKeyRange                               ||||
|||+---------------------+----------------------------------------------------+|||
||||  EndingHashKey      |  340282366920938463463374607431768211455           ||||
||||  StartingHashKey    |  170141183460469231731687303715884105728           ||||
|||+---------------------+----------------------------------------------------+|||
||||                            SequenceNumberRange                           ||||
|||+----------------------------------------------------------+---------------+|||
||||  EndingSequenceNumber                                    |  497          ||||
||||  StartingSequenceNumber                                  |  496          ||||
|||+----------------------------------------------------------+---------------+|||
",
    ),
    (
        r"aws kinesis describe-stream-summary --stream-name s --output table",
        r"------------------------------------------------------------
|                   DescribeStreamSummary                  |
+----------------------------------------------------------+
||                StreamDescriptionSummary                ||
|+--------------------------+-----------------------------+|
||  ConsumerCount           |  0                          ||
||  EncryptionType          |  NONE                       ||
||  OpenShardCount          |  2                          ||
||  RetentionPeriodHours    |  24                         ||
||  StreamARN               |  arn                        ||
||  StreamCreationTimestamp |  2019-01-01T00:00:05+00:00  ||
||  StreamName              |  s                          ||
||  StreamStatus            |  ACTIVE                     ||
|+--------------------------+-----------------------------+|
|||                  EnhancedMonitoring                  |||
||||                  ShardLevelMetrics                 ||||
|||+----------------------------------------------------+|||
||||  IncomingBytes                                     ||||
||||  OutgoingBytes                                     ||||
|||+----------------------------------------------------+|||
",
    ),
    (
        r"aws kinesis describe-stream-summary --stream-name s --output text",
        r"STREAMDESCRIPTIONSUMMARY	0	NONE	2	24	arn	2019-01-01T00:00:05+00:00	s	ACTIVE
SHARDLEVELMETRICS	IncomingBytes
SHARDLEVELMETRICS	OutgoingBytes
",
    ),
    (
        r"aws kinesis list-streams --output table",
        r"-------------------------------------------------------------------
|                           ListStreams                           |
+-----------------------------------------------------------------+
||                          StreamNames                          ||
|+---------------------------------------------------------------+|
||  a                                                            ||
||  b                                                            ||
|+---------------------------------------------------------------+|
||                        StreamSummaries                        ||
|+--------------------------+------------------------------------+|
||  StreamARN               |  arn:a                             ||
||  StreamCreationTimestamp |  1970-01-01T00:00:01.500000+00:00  ||
||  StreamName              |  a                                 ||
||  StreamStatus            |  ACTIVE                            ||
|+--------------------------+------------------------------------+|
|||                      StreamModeDetails                      |||
||+----------------------------+--------------------------------+||
|||  StreamMode                |  PROVISIONED                   |||
||+----------------------------+--------------------------------+||
||                        StreamSummaries                        ||
|+---------------------------------------------+-----------------+|
||  StreamARN                                  |  arn:b          ||
||  StreamCreationTimestamp                    |                 ||
||  StreamName                                 |  b              ||
||  StreamStatus                               |  ACTIVE         ||
|+---------------------------------------------+-----------------+|
",
    ),
    (
        r"aws kinesis list-streams --output text",
        r"STREAMNAMES	a
STREAMNAMES	b
STREAMSUMMARIES	arn:a	1970-01-01T00:00:01.500000+00:00	a	ACTIVE
STREAMMODEDETAILS	PROVISIONED
STREAMSUMMARIES	arn:b		b	ACTIVE
",
    ),
    (
        r"aws kinesis get-records --shard-iterator A",
        r#"{
    "Records": [
        {
            "SequenceNumber": "1",
            "ApproximateArrivalTimestamp": "2019-01-01T00:00:05.123000+00:00",
            "Data": "SGVsbG8=",
            "PartitionKey": "é\"x\ty"
        },
        {
            "SequenceNumber": "2",
            "ApproximateArrivalTimestamp": "2019-01-01T00:00:06+00:00",
            "Data": "",
            "PartitionKey": "b",
            "EncryptionType": "KMS"
        }
    ],
    "NextShardIterator": "AAA",
    "MillisBehindLatest": 0
}
"#,
    ),
    (
        r"aws kinesis get-records --shard-iterator A --output text",
        r#"0	AAA
RECORDS	2019-01-01T00:00:05.123000+00:00	SGVsbG8=		é"x	y	1
RECORDS	2019-01-01T00:00:06+00:00		KMS	b	2
"#,
    ),
    (
        r"aws kinesis put-records --stream-name s --records Data=YQ==,PartitionKey=a --output text",
        r"1
RECORDS			1	shardId-0
RECORDS	ProvisionedThroughputExceededException	Rate exceeded		
",
    ),
    (
        r"aws kinesis list-streams --query 'StreamNames[0]' --output text",
        r"a
",
    ),
    (
        r"aws kinesis list-streams --query 'nope'",
        r"null
",
    ),
    (
        r"aws kinesis list-streams --query 'nope' --output text",
        r"None
",
    ),
    (r"aws kinesis list-streams --query 'nope' --output table", ""),
    (
        r"aws kinesis list-streams --query 'length(StreamNames)'",
        r"2
",
    ),
    (r"aws kinesis create-stream --stream-name s --shard-count 2", ""),
    (
        r"aws kinesis list-streams --max-items 1",
        r#"{
    "StreamNames": [
        "a"
    ],
    "StreamSummaries": [
        {
            "StreamName": "a",
            "StreamARN": "arn:a",
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {
                "StreamMode": "PROVISIONED"
            },
            "StreamCreationTimestamp": "1970-01-01T00:00:01.500000+00:00"
        },
        {
            "StreamName": "b",
            "StreamARN": "arn:b",
            "StreamStatus": "ACTIVE"
        }
    ],
    "NextToken": "eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAxfQ=="
}
"#,
    ),
    (
        r"aws kinesis list-shards --stream-name s --max-items 2 --output text",
        r"SHARDS	shardId-0
HASHKEYRANGE	1	0
SEQUENCENUMBERRANGE	1
SHARDS	shardId-1
HASHKEYRANGE	1	0
SEQUENCENUMBERRANGE	1
NEXTTOKEN	eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAyfQ==
",
    ),
    (
        r"aws kinesis describe-stream --stream-name s --max-items 1 --output text",
        r"STREAMDESCRIPTION	NONE	None	24	arn:aws:kinesis:us-east-1:111122223333:stream/s	2019-01-01T00:00:05.123000+00:00	s	ACTIVE
SHARDS	shardId-000000000000
HASHKEYRANGE	170141183460469231731687303715884105727	0
SEQUENCENUMBERRANGE	495
NEXTTOKEN	eyJFeGNsdXNpdmVTdGFydFNoYXJkSWQiOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAxfQ==
",
    ),
    (
        r"aws kinesis list-streams --no-paginate",
        r#"{
    "StreamNames": [
        "a",
        "b"
    ],
    "HasMoreStreams": false,
    "StreamSummaries": [
        {
            "StreamName": "a",
            "StreamARN": "arn:a",
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {
                "StreamMode": "PROVISIONED"
            },
            "StreamCreationTimestamp": "1970-01-01T00:00:01.500000+00:00"
        },
        {
            "StreamName": "b",
            "StreamARN": "arn:b",
            "StreamStatus": "ACTIVE"
        }
    ]
}
"#,
    ),
    (
        r"aws kinesis list-streams --query 'StreamSummaries[].{n:StreamName,s:StreamStatus}' --output table",
        r"-----------------
|  ListStreams  |
+----+----------+
|  n |    s     |
+----+----------+
|  a |  ACTIVE  |
|  b |  ACTIVE  |
+----+----------+
",
    ),
    (
        r"aws kinesis list-streams --query 'StreamSummaries[].[StreamName,StreamStatus]' --output text",
        r"a	ACTIVE
b	ACTIVE
",
    ),
    (
        r"aws kinesis list-streams --query 'StreamSummaries[].[StreamName,StreamStatus]' --output table",
        r"-----------------
|  ListStreams  |
+----+----------+
|  a |  ACTIVE  |
|  b |  ACTIVE  |
+----+----------+
",
    ),
    (
        r"aws kinesis list-streams --query 'StreamNames' --output table",
        r"-------------
|ListStreams|
+-----------+
|  a        |
|  b        |
+-----------+
",
    ),
    (
        r"aws kinesis list-streams --query 'StreamNames[0]' --output table",
        r"-------------
|ListStreams|
+-----------+
",
    ),
    (
        r"aws kinesis list-streams --query 'StreamSummaries[0]' --output table",
        r"-----------------------------------------------------------------
|                          ListStreams                          |
+--------------------------+------------------------------------+
|  StreamARN               |  arn:a                             |
|  StreamCreationTimestamp |  1970-01-01T00:00:01.500000+00:00  |
|  StreamName              |  a                                 |
|  StreamStatus            |  ACTIVE                            |
+--------------------------+------------------------------------+
||                      StreamModeDetails                      ||
|+----------------------------+--------------------------------+|
||  StreamMode                |  PROVISIONED                   ||
|+----------------------------+--------------------------------+|
",
    ),
    (
        r"aws kinesis list-tags-for-stream --stream-name s --output text",
        r"False
TAGS	a	b
TAGS	k	
",
    ),
    (
        r"aws kinesis list-tags-for-stream --stream-name s --output table",
        r"--------------------------
|    ListTagsForStream   |
+--------------+---------+
|  HasMoreTags |  False  |
+--------------+---------+
||         Tags         ||
|+--------+-------------+|
||   Key  |    Value    ||
|+--------+-------------+|
||  a     |  b          ||
||  k     |             ||
|+--------+-------------+|
",
    ),
    (
        r"aws kinesis list-stream-consumers --stream-arn arn:aws:kinesis:us-east-1:111122223333:stream/s --output table",
        r"---------------------
|ListStreamConsumers|
+-------------------+
",
    ),
    (
        r"aws kinesis describe-limits --output table",
        r"-------------------------------------
|          DescribeLimits           |
+----------------------------+------+
|  OnDemandStreamCount       |  0   |
|  OnDemandStreamCountLimit  |  50  |
|  OpenShardCount            |  3   |
|  ShardLimit                |  500 |
+----------------------------+------+
",
    ),
    (
        r"aws kinesis put-record --stream-name s --partition-key k --data YQ== --explicit-hash-key 5 --query ShardId",
        r#""shardId-0"
"#,
    ),
];

fn answer(table: &Value, request: &Request) -> Response {
    let name = request.operation().name();
    let tagged = table.get(name).map_or_else(|| json!(name), |answer| json!({name: answer}));
    serde_json::from_value::<KinesisResponse>(tagged).expect("an answer").into()
}

#[test]
fn answers_are_printed_as_the_cli_prints_them() {
    let table: Value = serde_json::from_str(ANSWERS).expect("JSON");
    for (line, wanted) in PRINTED {
        let words = parse(line).expect("words");
        let Ok(CliCall::Operation { request, paging, globals }) = CliCall::parse(&words, &mut NoFiles) else { panic!("a call: {line}") };
        let pages = paging.and_then(|paging| Pages::begin(&request, &paging, ModelYear::Current).expect("begins"));
        let found = match pages {
            None => Answer::from(&answer(&table, &request)),
            Some(mut pages) => {
                while let Some(request) = pages.next_request().expect("a request") {
                    pages.accept(&answer(&table, &request)).expect("goes on");
                }
                pages.finish()
            }
        };
        let text = render(&found, request.operation(), globals.query.as_ref(), globals.output.unwrap_or_default(), 80).expect("prints");
        assert_eq!(text, *wanted, "{line}\n{text}");
    }
}
