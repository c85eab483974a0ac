//! The shapes that requests are made of, with AWS's names and constraints.

use super::{Kind, Member, Pattern, Shape, Span};
use crate::api::kinesis::{EncryptionType, MetricsName, RecordDistributionStrategy, ScalingType, ShardFilterType, ShardIteratorType, StreamMode};

const fn text(name: &'static str, span: Span, pattern: Option<Pattern>) -> Shape {
    Shape::new(name, Kind::Text(pattern), span)
}
const fn word(name: &'static str, words: &'static [&'static str]) -> Shape {
    Shape::new(name, Kind::Word(words), Span::ANY)
}
const fn integer(name: &'static str, span: Span) -> Shape {
    Shape::new(name, Kind::Integer, span)
}
const fn structure(name: &'static str, members: &'static [Member]) -> Shape {
    Shape::new(name, Kind::Structure(members), Span::ANY)
}

pub(super) static STREAM_NAME: Shape = text("StreamName", Span::of(1, 128), Some(Pattern::Name));
pub(super) static STREAM_ARN: Shape = text("StreamARN", Span::of(1, 2048), Some(Pattern::StreamArn));
pub(super) static STREAM_ID: Shape = text("StreamId", Span::of(1, 24), Some(Pattern::StreamId));
pub(super) static RESOURCE_ARN: Shape = text("ResourceARN", Span::of(1, 2048), Some(Pattern::ResourceArn));
pub(super) static CONSUMER_NAME: Shape = text("ConsumerName", Span::of(1, 128), Some(Pattern::Name));
pub(super) static CONSUMER_ARN: Shape = text("ConsumerARN", Span::of(1, 2048), Some(Pattern::ConsumerArn));
pub(super) static SHARD_ID: Shape = text("ShardId", Span::of(1, 128), Some(Pattern::Name));
pub(super) static SHARD_ITERATOR: Shape = text("ShardIterator", Span::of(1, 512), None);
pub(super) static SEQUENCE_NUMBER: Shape = text("SequenceNumber", Span::ANY, Some(Pattern::SequenceNumber));
pub(super) static HASH_KEY: Shape = text("HashKey", Span::ANY, Some(Pattern::HashKey));
pub(super) static PARTITION_KEY: Shape = text("PartitionKey", Span::of(1, 256), None);
pub(super) static NEXT_TOKEN: Shape = text("NextToken", Span::of(1, 1_048_576), None);
pub(super) static POLICY: Shape = text("Policy", Span::ANY, None);
pub(super) static KEY_ID: Shape = text("KeyId", Span::of(1, 2048), None);
pub(super) static TAG_KEY: Shape = text("TagKey", Span::of(1, 128), None);
pub(super) static TAG_VALUE: Shape = text("TagValue", Span::of(0, 256), None);

pub(super) static DATA: Shape = Shape::new("Data", Kind::Blob, Span::of(0, 10_485_760)).in_2018(Span::of(0, 1_048_576));
pub(super) static BOOLEAN: Shape = Shape::new("BooleanObject", Kind::Boolean, Span::ANY);
pub(super) static TIMESTAMP: Shape = Shape::new("Timestamp", Kind::Timestamp, Span::ANY);

pub(super) static POSITIVE_INTEGER: Shape = integer("PositiveIntegerObject", Span::from(1)).in_2018(Span::of(1, 100_000));
pub(super) static NATURAL_INTEGER: Shape = integer("NaturalIntegerObject", Span::from(0));
pub(super) static MAX_RECORD_SIZE_IN_KIB: Shape = integer("MaxRecordSizeInKiB", Span::of(1024, 10_240));
pub(super) static RETENTION_PERIOD_HOURS: Shape = integer("RetentionPeriodHours", Span::ANY).in_2018(Span::of(1, 168));
pub(super) static DESCRIBE_STREAM_LIMIT: Shape = integer("DescribeStreamInputLimit", Span::of(1, 10_000));
pub(super) static GET_RECORDS_LIMIT: Shape = integer("GetRecordsInputLimit", Span::of(1, 10_000));
pub(super) static LIST_SHARDS_LIMIT: Shape = integer("ListShardsInputLimit", Span::of(1, 10_000));
pub(super) static LIST_CONSUMERS_LIMIT: Shape = integer("ListStreamConsumersInputLimit", Span::of(1, 10_000));
pub(super) static LIST_STREAMS_LIMIT: Shape = integer("ListStreamsInputLimit", Span::of(1, 10_000));
pub(super) static LIST_TAGS_LIMIT: Shape = integer("ListTagsForStreamInputLimit", Span::of(1, 50)).in_2018(Span::of(1, 10));

pub(super) static STREAM_MODE: Shape = word("StreamMode", StreamMode::WORDS);
pub(super) static RECORD_DISTRIBUTION_STRATEGY: Shape = word("RecordDistributionStrategy", RecordDistributionStrategy::WORDS);
pub(super) static METRICS_NAME: Shape = word("MetricsName", MetricsName::WORDS);
pub(super) static SHARD_ITERATOR_TYPE: Shape = word("ShardIteratorType", ShardIteratorType::WORDS);
pub(super) static SHARD_FILTER_TYPE: Shape = word("ShardFilterType", ShardFilterType::WORDS);
pub(super) static ENCRYPTION_TYPE: Shape = word("EncryptionType", EncryptionType::WORDS);
pub(super) static SCALING_TYPE: Shape = word("ScalingType", ScalingType::WORDS);
pub(super) static COMMITMENT_STATUS: Shape = word("MinimumThroughputBillingCommitmentInputStatus", &["ENABLED", "DISABLED"]);

pub(super) static METRICS_NAME_LIST: Shape = Shape::new("MetricsNameList", Kind::List(&METRICS_NAME), Span::of(1, 7));
pub(super) static TAG_KEY_LIST: Shape = Shape::new("TagKeyList", Kind::List(&TAG_KEY), Span::of(1, 50)).in_2018(Span::of(1, 10));
pub(super) static TAG_MAP: Shape = Shape::new("TagMap", Kind::Map(&TAG_KEY, &TAG_VALUE), Span::of(1, 200)).in_2018(Span::of(1, 10));
pub(super) static ENTRIES: Shape = Shape::new("PutRecordsRequestEntryList", Kind::List(&ENTRY), Span::of(1, 500));

pub(super) static ENTRY: Shape = structure(
    "PutRecordsRequestEntry",
    &[Member::required("Data", &DATA), Member::optional("ExplicitHashKey", &HASH_KEY), Member::once_required("PartitionKey", &PARTITION_KEY)],
);
pub(super) static STREAM_MODE_DETAILS: Shape = structure("StreamModeDetails", &[Member::required("StreamMode", &STREAM_MODE)]);
pub(super) static SHARD_FILTER: Shape = structure(
    "ShardFilter",
    &[Member::required("Type", &SHARD_FILTER_TYPE), Member::optional("ShardId", &SHARD_ID), Member::optional("Timestamp", &TIMESTAMP)],
);
pub(super) static STARTING_POSITION: Shape = structure(
    "StartingPosition",
    &[
        Member::required("Type", &SHARD_ITERATOR_TYPE),
        Member::optional("SequenceNumber", &SEQUENCE_NUMBER),
        Member::optional("Timestamp", &TIMESTAMP),
    ],
);
pub(super) static COMMITMENT: Shape = structure("MinimumThroughputBillingCommitmentInput", &[Member::required("Status", &COMMITMENT_STATUS)]);
