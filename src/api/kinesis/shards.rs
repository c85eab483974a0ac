//! Requests and answers about shards: list, split, merge, scale.

use serde::{Deserialize, Serialize};

use super::enums::ScalingType;
use super::shapes::{Shard, ShardFilter};
use crate::api::Timestamp;

/// Request of `ListShards`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListShardsRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Opaque token of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// List shards after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive_start_shard_id: Option<String>,
    /// At most this many items in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
    /// When the stream was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_creation_timestamp: Option<Timestamp>,
    /// Which shards to list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_filter: Option<ShardFilter>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Answer of `ListShards`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListShardsResponse {
    /// The shards in id order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<Vec<Shard>>,
    /// Opaque token of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Request of `SplitShard`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SplitShardRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Shard to split.
    pub shard_to_split: String,
    /// First hash key of the upper child.
    pub new_starting_hash_key: String,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `MergeShards`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MergeShardsRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// First shard of the pair.
    pub shard_to_merge: String,
    /// Second shard of the pair.
    pub adjacent_shard_to_merge: String,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `UpdateShardCount`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateShardCountRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Wanted number of open shards.
    pub target_shard_count: i32,
    /// How to scale.
    pub scaling_type: ScalingType,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Answer of `UpdateShardCount`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateShardCountResponse {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Open shards before the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_shard_count: Option<i32>,
    /// Wanted number of open shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_shard_count: Option<i32>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}
