//! Requests and answers that create, describe, list, change and delete streams.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::enums::{EncryptionType, MetricsName, RecordDistributionStrategy};
use super::shapes::{StreamDescription, StreamDescriptionSummary, StreamModeDetails, StreamSummary, WarmThroughputObject};

/// Request of `CreateStream`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateStreamRequest {
    /// Name of the stream.
    pub stream_name: String,
    /// Number of shards of a provisioned stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_count: Option<i32>,
    /// Capacity mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_mode_details: Option<StreamModeDetails>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Warm write throughput in MiB/s.
    #[serde(rename = "WarmThroughputMiBps", default, skip_serializing_if = "Option::is_none")]
    pub warm_throughput_mibps: Option<i32>,
    /// Largest record in KiB.
    #[serde(rename = "MaxRecordSizeInKiB", default, skip_serializing_if = "Option::is_none")]
    pub max_record_size_in_kib: Option<i32>,
    /// How records are spread over shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_distribution_strategy: Option<RecordDistributionStrategy>,
}

/// Request of `DeleteStream`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteStreamRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Delete even when consumers are registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce_consumer_deletion: Option<bool>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `DescribeStream`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStreamRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// At most this many items in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i32>,
    /// List shards after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive_start_shard_id: Option<String>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Answer of `DescribeStream`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStreamResponse {
    /// The stream with its shards.
    pub stream_description: StreamDescription,
}

/// Request of `DescribeStreamSummary`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStreamSummaryRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Answer of `DescribeStreamSummary`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStreamSummaryResponse {
    /// The stream without its shards.
    pub stream_description_summary: StreamDescriptionSummary,
}

/// Request of `ListStreams`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStreamsRequest {
    /// At most this many items in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i32>,
    /// List streams after this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive_start_stream_name: Option<String>,
    /// Opaque token of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Answer of `ListStreams`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStreamsResponse {
    /// Names in order.
    pub stream_names: Vec<String>,
    /// Whether more streams follow.
    pub has_more_streams: bool,
    /// Opaque token of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// Streams in name order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_summaries: Option<Vec<StreamSummary>>,
}

/// Request of `UpdateStreamMode`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStreamModeRequest {
    /// ARN of the stream.
    #[serde(rename = "StreamARN")]
    pub stream_arn: String,
    /// Capacity mode.
    pub stream_mode_details: StreamModeDetails,
    /// Warm write throughput in MiB/s.
    #[serde(rename = "WarmThroughputMiBps", default, skip_serializing_if = "Option::is_none")]
    pub warm_throughput_mibps: Option<i32>,
}

/// Request of `UpdateMaxRecordSize`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateMaxRecordSizeRequest {
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
    /// Largest record in KiB.
    #[serde(rename = "MaxRecordSizeInKiB")]
    pub max_record_size_in_kib: i32,
}

/// Request of `UpdateStreamWarmThroughput`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStreamWarmThroughputRequest {
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Warm write throughput in MiB/s.
    #[serde(rename = "WarmThroughputMiBps")]
    pub warm_throughput_mibps: i32,
}

/// Answer of `UpdateStreamWarmThroughput`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStreamWarmThroughputResponse {
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Warm throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_throughput: Option<WarmThroughputObject>,
}

/// Request of `UpdateStreamRecordDistributionStrategy`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStreamRecordDistributionStrategyRequest {
    /// ARN of the stream.
    #[serde(rename = "StreamARN")]
    pub stream_arn: String,
    /// How records are spread over shards.
    pub record_distribution_strategy: RecordDistributionStrategy,
}

/// Request of `IncreaseStreamRetentionPeriod`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IncreaseStreamRetentionPeriodRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Retention in hours.
    pub retention_period_hours: i32,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `DecreaseStreamRetentionPeriod`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecreaseStreamRetentionPeriodRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Retention in hours.
    pub retention_period_hours: i32,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `StartStreamEncryption`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartStreamEncryptionRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Server-side encryption.
    pub encryption_type: EncryptionType,
    /// KMS key id, ARN or alias.
    pub key_id: String,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `StopStreamEncryption`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StopStreamEncryptionRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Server-side encryption.
    pub encryption_type: EncryptionType,
    /// KMS key id, ARN or alias.
    pub key_id: String,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `EnableEnhancedMonitoring`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnableEnhancedMonitoringRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Shard-level metrics.
    pub shard_level_metrics: Vec<MetricsName>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Answer of `EnableEnhancedMonitoring`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnableEnhancedMonitoringResponse {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Metrics enabled before the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_shard_level_metrics: Option<Vec<MetricsName>>,
    /// Metrics enabled after the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_shard_level_metrics: Option<Vec<MetricsName>>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `DisableEnhancedMonitoring`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisableEnhancedMonitoringRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Shard-level metrics.
    pub shard_level_metrics: Vec<MetricsName>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Answer of `DisableEnhancedMonitoring`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisableEnhancedMonitoringResponse {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Metrics enabled before the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_shard_level_metrics: Option<Vec<MetricsName>>,
    /// Metrics enabled after the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_shard_level_metrics: Option<Vec<MetricsName>>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}
