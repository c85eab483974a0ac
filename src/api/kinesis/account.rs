//! Requests and answers about the account, tags and resource policies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shapes::{MinimumThroughputBillingCommitmentInput, MinimumThroughputBillingCommitmentOutput, Tag};

/// Request of `DescribeLimits`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DescribeLimitsRequest {}

/// Answer of `DescribeLimits`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeLimitsResponse {
    /// Open shards allowed in the account.
    pub shard_limit: i32,
    /// Open shards.
    pub open_shard_count: i32,
    /// On-demand streams in the account.
    pub on_demand_stream_count: i32,
    /// On-demand streams allowed.
    pub on_demand_stream_count_limit: i32,
    /// Channels (not simulated, left out).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_count: Option<i32>,
    /// Channels allowed (not simulated, left out).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_count_limit: Option<i32>,
}

/// Request of `DescribeAccountSettings`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DescribeAccountSettingsRequest {}

/// Answer of `DescribeAccountSettings`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeAccountSettingsResponse {
    /// Billing commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_throughput_billing_commitment: Option<MinimumThroughputBillingCommitmentOutput>,
}

/// Request of `UpdateAccountSettings`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateAccountSettingsRequest {
    /// Billing commitment.
    pub minimum_throughput_billing_commitment: MinimumThroughputBillingCommitmentInput,
}

/// Answer of `UpdateAccountSettings`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateAccountSettingsResponse {
    /// Billing commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_throughput_billing_commitment: Option<MinimumThroughputBillingCommitmentOutput>,
}

/// Request of `AddTagsToStream`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddTagsToStreamRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `RemoveTagsFromStream`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RemoveTagsFromStreamRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// Keys of tags to remove.
    pub tag_keys: Vec<String>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Request of `ListTagsForStream`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForStreamRequest {
    /// Name of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_name: Option<String>,
    /// List tags after this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive_start_tag_key: Option<String>,
    /// At most this many items in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i32>,
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
}

/// Answer of `ListTagsForStream`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForStreamResponse {
    /// Tags.
    pub tags: Vec<Tag>,
    /// Whether more tags follow.
    pub has_more_tags: bool,
}

/// Request of `TagResource`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagResourceRequest {
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// ARN of a stream or consumer.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
}

/// Request of `UntagResource`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UntagResourceRequest {
    /// Keys of tags to remove.
    pub tag_keys: Vec<String>,
    /// ARN of a stream or consumer.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
}

/// Request of `ListTagsForResource`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForResourceRequest {
    /// ARN of a stream or consumer.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
}

/// Answer of `ListTagsForResource`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForResourceResponse {
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

/// Request of `PutResourcePolicy`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutResourcePolicyRequest {
    /// ARN of a stream or consumer.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// Policy document, JSON text.
    pub policy: String,
}

/// Request of `GetResourcePolicy`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetResourcePolicyRequest {
    /// ARN of a stream or consumer.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
}

/// Answer of `GetResourcePolicy`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetResourcePolicyResponse {
    /// Policy document, JSON text.
    pub policy: String,
}

/// Request of `DeleteResourcePolicy`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteResourcePolicyRequest {
    /// ARN of a stream or consumer.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
}
