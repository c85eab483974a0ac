//! Shapes that several answers share, in AWS's member order.

use serde::{Deserialize, Serialize};

use super::enums::{
    CommitmentStatus, ConsumerStatus, EncryptionType, MetricsName, RecordDistributionStrategy, ShardFilterType, ShardIteratorType, StreamMode,
    StreamStatus,
};
use crate::api::{Blob, Timestamp};

/// The hash keys a shard holds, both ends inclusive.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HashKeyRange {
    /// First hash key, decimal.
    pub starting_hash_key: String,
    /// Last hash key, decimal, inclusive.
    pub ending_hash_key: String,
}

/// The sequence numbers of a shard.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SequenceNumberRange {
    /// Sequence number the position or range starts at.
    pub starting_sequence_number: String,
    /// Above every record; only for a closed shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending_sequence_number: Option<String>,
}

/// One shard of a stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shard {
    /// Id of the shard.
    pub shard_id: String,
    /// Parent of a split, first parent of a merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_shard_id: Option<String>,
    /// Second parent of a merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjacent_parent_shard_id: Option<String>,
    /// Hash keys the shard holds.
    pub hash_key_range: HashKeyRange,
    /// Sequence numbers of the shard.
    pub sequence_number_range: SequenceNumberRange,
}

/// A child of a closed shard, as readers see it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChildShard {
    /// Id of the shard.
    pub shard_id: String,
    /// Ids of the parents.
    pub parent_shards: Vec<String>,
    /// Hash keys the shard holds.
    pub hash_key_range: HashKeyRange,
}

/// Capacity mode of a stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamModeDetails {
    /// Capacity mode.
    pub stream_mode: StreamMode,
}

/// A set of enabled shard-level metrics.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnhancedMetrics {
    /// Shard-level metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_level_metrics: Option<Vec<MetricsName>>,
}

/// A stream with one page of its shards.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamDescription {
    /// Name of the stream.
    pub stream_name: String,
    /// ARN of the stream.
    #[serde(rename = "StreamARN")]
    pub stream_arn: String,
    /// Status of the stream.
    pub stream_status: StreamStatus,
    /// Capacity mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_mode_details: Option<StreamModeDetails>,
    /// The shards in id order.
    pub shards: Vec<Shard>,
    /// Whether more shards follow.
    pub has_more_shards: bool,
    /// Retention in hours.
    pub retention_period_hours: i32,
    /// When the stream was created.
    pub stream_creation_timestamp: Timestamp,
    /// Enabled shard-level metrics.
    pub enhanced_monitoring: Vec<EnhancedMetrics>,
    /// Server-side encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_type: Option<EncryptionType>,
    /// KMS key id, ARN or alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// A stream without its shards.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamDescriptionSummary {
    /// Name of the stream.
    pub stream_name: String,
    /// ARN of the stream.
    #[serde(rename = "StreamARN")]
    pub stream_arn: String,
    /// Reserved id of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<String>,
    /// Status of the stream.
    pub stream_status: StreamStatus,
    /// Capacity mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_mode_details: Option<StreamModeDetails>,
    /// Retention in hours.
    pub retention_period_hours: i32,
    /// When the stream was created.
    pub stream_creation_timestamp: Timestamp,
    /// Enabled shard-level metrics.
    pub enhanced_monitoring: Vec<EnhancedMetrics>,
    /// Server-side encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_type: Option<EncryptionType>,
    /// KMS key id, ARN or alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Open shards.
    pub open_shard_count: i32,
    /// Registered consumers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_count: Option<i32>,
    /// Warm throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_throughput: Option<WarmThroughputObject>,
    /// Largest record in KiB.
    #[serde(rename = "MaxRecordSizeInKiB", default, skip_serializing_if = "Option::is_none")]
    pub max_record_size_in_kib: Option<i32>,
    /// Channels (not simulated, left out).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_count: Option<i32>,
    /// How records are spread over shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_distribution_strategy: Option<RecordDistributionStrategy>,
    /// Queues (not simulated, left out).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_count: Option<i32>,
}

/// One line of a list of streams.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamSummary {
    /// Name of the stream.
    pub stream_name: String,
    /// ARN of the stream.
    #[serde(rename = "StreamARN")]
    pub stream_arn: String,
    /// Status of the stream.
    pub stream_status: StreamStatus,
    /// Capacity mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_mode_details: Option<StreamModeDetails>,
    /// When the stream was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_creation_timestamp: Option<Timestamp>,
}

/// Warm throughput, wanted and now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WarmThroughputObject {
    /// Wanted throughput in MiB/s.
    #[serde(rename = "TargetMiBps", default, skip_serializing_if = "Option::is_none")]
    pub target_mibps: Option<i32>,
    /// Throughput now in MiB/s.
    #[serde(rename = "CurrentMiBps", default, skip_serializing_if = "Option::is_none")]
    pub current_mibps: Option<i32>,
}

/// One record as it is read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Record {
    /// Sequence number, opaque decimal text.
    pub sequence_number: String,
    /// When the record arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approximate_arrival_timestamp: Option<Timestamp>,
    /// The payload.
    pub data: Blob,
    /// Key that chooses the shard by its MD5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    /// Server-side encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_type: Option<EncryptionType>,
}

/// One record of a `PutRecords` call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecordsRequestEntry {
    /// The payload.
    pub data: Blob,
    /// Decimal hash value used instead of the key's MD5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explicit_hash_key: Option<String>,
    /// Key that chooses the shard by its MD5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
}

/// What became of one record of a `PutRecords` call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecordsResultEntry {
    /// Sequence number, opaque decimal text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<String>,
    /// Id of the shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_id: Option<String>,
    /// Why the entry failed, an exception name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The failure in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// A registered enhanced fan-out consumer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Consumer {
    /// Name of the consumer.
    pub consumer_name: String,
    /// ARN of the consumer.
    #[serde(rename = "ConsumerARN")]
    pub consumer_arn: String,
    /// Status of the consumer.
    pub consumer_status: ConsumerStatus,
    /// When the consumer was registered.
    pub consumer_creation_timestamp: Timestamp,
}

/// A consumer with its stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConsumerDescription {
    /// Name of the consumer.
    pub consumer_name: String,
    /// ARN of the consumer.
    #[serde(rename = "ConsumerARN")]
    pub consumer_arn: String,
    /// Status of the consumer.
    pub consumer_status: ConsumerStatus,
    /// When the consumer was registered.
    pub consumer_creation_timestamp: Timestamp,
    /// ARN of the stream.
    #[serde(rename = "StreamARN")]
    pub stream_arn: String,
}

/// Which shards `ListShards` answers with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShardFilter {
    /// Kind.
    pub r#type: ShardFilterType,
    /// Id of the shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_id: Option<String>,
    /// Instant the position refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

/// Where a subscription starts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartingPosition {
    /// Kind.
    pub r#type: ShardIteratorType,
    /// Sequence number, opaque decimal text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<String>,
    /// Instant the position refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

/// One event of a subscription.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SubscribeToShardEvent {
    /// The records.
    pub records: Vec<Record>,
    /// Where to resubscribe; absent at the end of a closed shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_sequence_number: Option<String>,
    /// How far the position lags behind the tip, in ms.
    pub millis_behind_latest: i64,
    /// Children of a closed shard that was read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_shards: Option<Vec<ChildShard>>,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// Key of the tag.
    pub key: String,
    /// Value of the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Wanted billing commitment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MinimumThroughputBillingCommitmentInput {
    /// Status of the commitment.
    pub status: CommitmentStatus,
}

/// Billing commitment of the account.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MinimumThroughputBillingCommitmentOutput {
    /// Status of the commitment.
    pub status: CommitmentStatus,
    /// When the commitment began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the commitment ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When the commitment may end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_allowed_end_at: Option<Timestamp>,
}
