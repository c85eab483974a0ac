//! Requests and answers of enhanced fan-out consumers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shapes::{Consumer, ConsumerDescription, StartingPosition};
use crate::api::Timestamp;

/// Request of `RegisterStreamConsumer`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RegisterStreamConsumerRequest {
    /// ARN of the stream.
    #[serde(rename = "StreamARN")]
    pub stream_arn: String,
    /// Name of the consumer.
    pub consumer_name: String,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Answer of `RegisterStreamConsumer`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RegisterStreamConsumerResponse {
    /// The consumer.
    pub consumer: Consumer,
}

/// Request of `DeregisterStreamConsumer`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeregisterStreamConsumerRequest {
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
    /// Name of the consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_name: Option<String>,
    /// ARN of the consumer.
    #[serde(rename = "ConsumerARN", default, skip_serializing_if = "Option::is_none")]
    pub consumer_arn: Option<String>,
}

/// Request of `DescribeStreamConsumer`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStreamConsumerRequest {
    /// ARN of the stream.
    #[serde(rename = "StreamARN", default, skip_serializing_if = "Option::is_none")]
    pub stream_arn: Option<String>,
    /// Name of the consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_name: Option<String>,
    /// ARN of the consumer.
    #[serde(rename = "ConsumerARN", default, skip_serializing_if = "Option::is_none")]
    pub consumer_arn: Option<String>,
}

/// Answer of `DescribeStreamConsumer`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStreamConsumerResponse {
    /// The consumer.
    pub consumer_description: ConsumerDescription,
}

/// Request of `ListStreamConsumers`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStreamConsumersRequest {
    /// ARN of the stream.
    #[serde(rename = "StreamARN")]
    pub stream_arn: String,
    /// Opaque token of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// At most this many items in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
    /// When the stream was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_creation_timestamp: Option<Timestamp>,
}

/// Answer of `ListStreamConsumers`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStreamConsumersResponse {
    /// The consumers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<Vec<Consumer>>,
    /// Opaque token of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Request of `SubscribeToShard`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SubscribeToShardRequest {
    /// ARN of the consumer.
    #[serde(rename = "ConsumerARN")]
    pub consumer_arn: String,
    /// Id of the shard.
    pub shard_id: String,
    /// Where the subscription starts.
    pub starting_position: StartingPosition,
    /// Check permissions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}
