//! Every answer has AWS's members under AWS's names in AWS's order.

use super::{KinesisResponse, Operation, SubscribeToShardEvent};

/// One answer of each operation that has one, with every member the model knows.
const ANSWERS: &[&str] = &[
    r#"{"DescribeAccountSettings":{"MinimumThroughputBillingCommitment":{"Status":"ENABLED_UNTIL_EARLIEST_ALLOWED_END","StartedAt":1546300805.123,"EndedAt":1546300805.123,"EarliestAllowedEndAt":1546300805.123}}}"#,
    r#"{"DescribeLimits":{"ShardLimit":1,"OpenShardCount":1,"OnDemandStreamCount":1,"OnDemandStreamCountLimit":1,"ChannelCount":1,"ChannelCountLimit":1}}"#,
    r#"{"DescribeStream":{"StreamDescription":{"StreamName":"x","StreamARN":"x","StreamStatus":"UPDATING","StreamModeDetails":{"StreamMode":"ON_DEMAND"},"Shards":[{"ShardId":"x","ParentShardId":"x","AdjacentParentShardId":"x","HashKeyRange":{"StartingHashKey":"x","EndingHashKey":"x"},"SequenceNumberRange":{"StartingSequenceNumber":"x","EndingSequenceNumber":"x"}}],"HasMoreShards":true,"RetentionPeriodHours":1,"StreamCreationTimestamp":1546300805.123,"EnhancedMonitoring":[{"ShardLevelMetrics":["ALL"]}],"EncryptionType":"KMS","KeyId":"x"}}}"#,
    r#"{"DescribeStreamConsumer":{"ConsumerDescription":{"ConsumerName":"x","ConsumerARN":"x","ConsumerStatus":"ACTIVE","ConsumerCreationTimestamp":1546300805.123,"StreamARN":"x"}}}"#,
    r#"{"DescribeStreamSummary":{"StreamDescriptionSummary":{"StreamName":"x","StreamARN":"x","StreamId":"x","StreamStatus":"UPDATING","StreamModeDetails":{"StreamMode":"ON_DEMAND"},"RetentionPeriodHours":1,"StreamCreationTimestamp":1546300805.123,"EnhancedMonitoring":[{"ShardLevelMetrics":["ALL"]}],"EncryptionType":"KMS","KeyId":"x","OpenShardCount":1,"ConsumerCount":1,"WarmThroughput":{"TargetMiBps":1,"CurrentMiBps":1},"MaxRecordSizeInKiB":1,"ChannelCount":1,"RecordDistributionStrategy":"USER_PARTITION_KEY","QueueCount":1}}}"#,
    r#"{"DisableEnhancedMonitoring":{"StreamName":"x","CurrentShardLevelMetrics":["ALL"],"DesiredShardLevelMetrics":["ALL"],"StreamARN":"x"}}"#,
    r#"{"EnableEnhancedMonitoring":{"StreamName":"x","CurrentShardLevelMetrics":["ALL"],"DesiredShardLevelMetrics":["ALL"],"StreamARN":"x"}}"#,
    r#"{"GetRecords":{"Records":[{"SequenceNumber":"x","ApproximateArrivalTimestamp":1546300805.123,"Data":"SGVsbG8=","PartitionKey":"x","EncryptionType":"KMS"}],"NextShardIterator":"x","MillisBehindLatest":1,"ChildShards":[{"ShardId":"x","ParentShards":["x"],"HashKeyRange":{"StartingHashKey":"x","EndingHashKey":"x"}}]}}"#,
    r#"{"GetResourcePolicy":{"Policy":"x"}}"#,
    r#"{"GetShardIterator":{"ShardIterator":"x"}}"#,
    r#"{"ListShards":{"Shards":[{"ShardId":"x","ParentShardId":"x","AdjacentParentShardId":"x","HashKeyRange":{"StartingHashKey":"x","EndingHashKey":"x"},"SequenceNumberRange":{"StartingSequenceNumber":"x","EndingSequenceNumber":"x"}}],"NextToken":"x"}}"#,
    r#"{"ListStreamConsumers":{"Consumers":[{"ConsumerName":"x","ConsumerARN":"x","ConsumerStatus":"ACTIVE","ConsumerCreationTimestamp":1546300805.123}],"NextToken":"x"}}"#,
    r#"{"ListStreams":{"StreamNames":["x"],"HasMoreStreams":true,"NextToken":"x","StreamSummaries":[{"StreamName":"x","StreamARN":"x","StreamStatus":"UPDATING","StreamModeDetails":{"StreamMode":"ON_DEMAND"},"StreamCreationTimestamp":1546300805.123}]}}"#,
    r#"{"ListTagsForResource":{"Tags":[{"Key":"x","Value":"x"}]}}"#,
    r#"{"ListTagsForStream":{"Tags":[{"Key":"x","Value":"x"}],"HasMoreTags":true}}"#,
    r#"{"PutRecord":{"ShardId":"x","SequenceNumber":"x","EncryptionType":"KMS"}}"#,
    r#"{"PutRecords":{"FailedRecordCount":1,"Records":[{"SequenceNumber":"x","ShardId":"x","ErrorCode":"x","ErrorMessage":"x"}],"EncryptionType":"KMS"}}"#,
    r#"{"RegisterStreamConsumer":{"Consumer":{"ConsumerName":"x","ConsumerARN":"x","ConsumerStatus":"ACTIVE","ConsumerCreationTimestamp":1546300805.123}}}"#,
    r#"{"UpdateAccountSettings":{"MinimumThroughputBillingCommitment":{"Status":"ENABLED_UNTIL_EARLIEST_ALLOWED_END","StartedAt":1546300805.123,"EndedAt":1546300805.123,"EarliestAllowedEndAt":1546300805.123}}}"#,
    r#"{"UpdateShardCount":{"StreamName":"x","CurrentShardCount":1,"TargetShardCount":1,"StreamARN":"x"}}"#,
    r#"{"UpdateStreamWarmThroughput":{"StreamARN":"x","StreamName":"x","WarmThroughput":{"TargetMiBps":1,"CurrentMiBps":1}}}"#,
];

/// One event of a subscription.
const EVENT: &str = r#"{"Records":[{"SequenceNumber":"x","ApproximateArrivalTimestamp":1546300805.123,"Data":"SGVsbG8=","PartitionKey":"x","EncryptionType":"KMS"}],"ContinuationSequenceNumber":"x","MillisBehindLatest":1,"ChildShards":[{"ShardId":"x","ParentShards":["x"],"HashKeyRange":{"StartingHashKey":"x","EndingHashKey":"x"}}]}"#;

#[test]
fn answers_keep_names_and_order() {
    for text in ANSWERS {
        let answer: KinesisResponse = serde_json::from_str(text).expect(text);
        assert_eq!(serde_json::to_string(&answer).expect("writes"), *text);
        assert!(text.starts_with(&format!("{{\"{}\":", answer.operation())), "{text}");
    }
    let event: SubscribeToShardEvent = serde_json::from_str(EVENT).expect("an event");
    assert_eq!(serde_json::to_string(&event).expect("writes"), EVENT);
}

#[test]
fn operations_by_name() {
    assert_eq!(Operation::all().len(), 40);
    for operation in Operation::all() {
        assert_eq!(Operation::resolve(operation.name()), Ok(*operation));
    }
    let text = |name| Operation::resolve(name).expect_err(name).to_string();
    assert_eq!(text("CreateQueue"), "UnknownOperationException: CreateQueue is not simulated");
    assert_eq!(text("createStream"), "UnknownOperationException: createStream is no operation of Kinesis Data Streams");
}
