//! The operations as one enumeration, and a request or answer of any of them as one value.

use serde::{Deserialize, Serialize};

use crate::api::{ErrorCode, ServiceError};

use super::account::{
    AddTagsToStreamRequest, DeleteResourcePolicyRequest, DescribeAccountSettingsRequest, DescribeAccountSettingsResponse, DescribeLimitsRequest,
    DescribeLimitsResponse, GetResourcePolicyRequest, GetResourcePolicyResponse, ListTagsForResourceRequest, ListTagsForResourceResponse,
    ListTagsForStreamRequest, ListTagsForStreamResponse, PutResourcePolicyRequest, RemoveTagsFromStreamRequest, TagResourceRequest,
    UntagResourceRequest, UpdateAccountSettingsRequest, UpdateAccountSettingsResponse,
};
use super::consumers::{
    DeregisterStreamConsumerRequest, DescribeStreamConsumerRequest, DescribeStreamConsumerResponse, ListStreamConsumersRequest,
    ListStreamConsumersResponse, RegisterStreamConsumerRequest, RegisterStreamConsumerResponse, SubscribeToShardRequest,
};
use super::records::{
    GetRecordsRequest, GetRecordsResponse, GetShardIteratorRequest, GetShardIteratorResponse, PutRecordRequest, PutRecordResponse, PutRecordsRequest,
    PutRecordsResponse,
};
use super::shards::{
    ListShardsRequest, ListShardsResponse, MergeShardsRequest, SplitShardRequest, UpdateShardCountRequest, UpdateShardCountResponse,
};
use super::streams::{
    CreateStreamRequest, DecreaseStreamRetentionPeriodRequest, DeleteStreamRequest, DescribeStreamRequest, DescribeStreamResponse,
    DescribeStreamSummaryRequest, DescribeStreamSummaryResponse, DisableEnhancedMonitoringRequest, DisableEnhancedMonitoringResponse,
    EnableEnhancedMonitoringRequest, EnableEnhancedMonitoringResponse, IncreaseStreamRetentionPeriodRequest, ListStreamsRequest, ListStreamsResponse,
    StartStreamEncryptionRequest, StopStreamEncryptionRequest, UpdateMaxRecordSizeRequest, UpdateStreamModeRequest,
    UpdateStreamRecordDistributionStrategyRequest, UpdateStreamWarmThroughputRequest, UpdateStreamWarmThroughputResponse,
};

macro_rules! operations {
    ($($operation:ident($request:ty) $(=> $response:ty)?,)+) => {
        /// An operation of Kinesis Data Streams.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($operation), "`.")] $operation,)+
        }

        impl Operation {
            /// Every simulated operation in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$operation,)+];

            /// The name as AWS spells it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$operation => stringify!($operation),)+ }
            }
        }

        /// A request of any operation.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum KinesisRequest {
            $(#[doc = concat!("Request of `", stringify!($operation), "`.")] $operation($request),)+
        }

        impl KinesisRequest {
            /// Which operation this is a request of.
            pub const fn operation(&self) -> Operation {
                match self { $(Self::$operation(_) => Operation::$operation,)+ }
            }
        }

        $(
            impl From<$request> for KinesisRequest {
                fn from(request: $request) -> Self {
                    Self::$operation(request)
                }
            }
        )+

        /// The answer of any operation; without contents where AWS answers with an empty body. `SubscribeToShard` answers with a
        /// stream of [`SubscribeToShardEvent`](super::shapes::SubscribeToShardEvent)s that is no part of this value.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum KinesisResponse {
            $(#[doc = concat!("Answer of `", stringify!($operation), "`.")] $operation$(($response))?,)+
        }

        impl KinesisResponse {
            /// Which operation this is the answer of.
            pub const fn operation(&self) -> Operation {
                match self { $(Self::$operation { .. } => Operation::$operation,)+ }
            }

            /// The body of the answer as JSON text; empty where AWS answers with an empty body.
            pub fn body(&self) -> Vec<u8> {
                $(operations!(@body self, $operation $(, $response)?);)+
                Vec::new()
            }
        }
    };
    (@body $answer:ident, $operation:ident) => {};
    (@body $answer:ident, $operation:ident, $response:ty) => {
        if let Self::$operation(body) = $answer {
            // Texts, numbers and base64 always become JSON.
            return serde_json::to_vec(body).unwrap_or_default();
        }
    };
}

operations! {
    AddTagsToStream(AddTagsToStreamRequest),
    CreateStream(CreateStreamRequest),
    DecreaseStreamRetentionPeriod(DecreaseStreamRetentionPeriodRequest),
    DeleteResourcePolicy(DeleteResourcePolicyRequest),
    DeleteStream(DeleteStreamRequest),
    DeregisterStreamConsumer(DeregisterStreamConsumerRequest),
    DescribeAccountSettings(DescribeAccountSettingsRequest) => DescribeAccountSettingsResponse,
    DescribeLimits(DescribeLimitsRequest) => DescribeLimitsResponse,
    DescribeStream(DescribeStreamRequest) => DescribeStreamResponse,
    DescribeStreamConsumer(DescribeStreamConsumerRequest) => DescribeStreamConsumerResponse,
    DescribeStreamSummary(DescribeStreamSummaryRequest) => DescribeStreamSummaryResponse,
    DisableEnhancedMonitoring(DisableEnhancedMonitoringRequest) => DisableEnhancedMonitoringResponse,
    EnableEnhancedMonitoring(EnableEnhancedMonitoringRequest) => EnableEnhancedMonitoringResponse,
    GetRecords(GetRecordsRequest) => GetRecordsResponse,
    GetResourcePolicy(GetResourcePolicyRequest) => GetResourcePolicyResponse,
    GetShardIterator(GetShardIteratorRequest) => GetShardIteratorResponse,
    IncreaseStreamRetentionPeriod(IncreaseStreamRetentionPeriodRequest),
    ListShards(ListShardsRequest) => ListShardsResponse,
    ListStreamConsumers(ListStreamConsumersRequest) => ListStreamConsumersResponse,
    ListStreams(ListStreamsRequest) => ListStreamsResponse,
    ListTagsForResource(ListTagsForResourceRequest) => ListTagsForResourceResponse,
    ListTagsForStream(ListTagsForStreamRequest) => ListTagsForStreamResponse,
    MergeShards(MergeShardsRequest),
    PutRecord(PutRecordRequest) => PutRecordResponse,
    PutRecords(PutRecordsRequest) => PutRecordsResponse,
    PutResourcePolicy(PutResourcePolicyRequest),
    RegisterStreamConsumer(RegisterStreamConsumerRequest) => RegisterStreamConsumerResponse,
    RemoveTagsFromStream(RemoveTagsFromStreamRequest),
    SplitShard(SplitShardRequest),
    StartStreamEncryption(StartStreamEncryptionRequest),
    StopStreamEncryption(StopStreamEncryptionRequest),
    SubscribeToShard(SubscribeToShardRequest),
    TagResource(TagResourceRequest),
    UntagResource(UntagResourceRequest),
    UpdateAccountSettings(UpdateAccountSettingsRequest) => UpdateAccountSettingsResponse,
    UpdateMaxRecordSize(UpdateMaxRecordSizeRequest),
    UpdateShardCount(UpdateShardCountRequest) => UpdateShardCountResponse,
    UpdateStreamMode(UpdateStreamModeRequest),
    UpdateStreamRecordDistributionStrategy(UpdateStreamRecordDistributionStrategyRequest),
    UpdateStreamWarmThroughput(UpdateStreamWarmThroughputRequest) => UpdateStreamWarmThroughputResponse,
}

impl Operation {
    /// Every simulated operation in alphabetical order.
    pub const fn all() -> &'static [Self] {
        Self::ALL
    }

    /// The operation of an AWS name, case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}

/// Operations of AWS that are not simulated: channels and queues.
const NOT_SIMULATED: &[&str] = &[
    "AcknowledgeDeadLetterQueueRecords",
    "AcknowledgeQueueRecords",
    "CreateChannel",
    "CreateQueue",
    "DeleteChannel",
    "DeleteQueue",
    "DescribeChannel",
    "DescribeQueue",
    "ListChannels",
    "ListQueues",
    "ReceiveDeadLetterQueueRecords",
    "ReceiveQueueRecords",
    "RestoreDeadLetterQueueRecords",
    "UpdateChannel",
    "UpdateDeadLetterQueueRecordsVisibility",
    "UpdateQueue",
    "UpdateQueueRecordsVisibility",
];

impl Operation {
    /// The operation of a name as it comes in a request.
    ///
    /// # Errors
    /// `UnknownOperationException`: AWS has it and the simulator does not, or neither has it.
    pub fn resolve(name: &str) -> Result<Self, ServiceError> {
        Self::from_name(name).ok_or_else(|| {
            if NOT_SIMULATED.contains(&name) {
                ServiceError::not_simulated(name)
            } else {
                ServiceError::new(ErrorCode::UnknownOperationException, format!("{name} is no operation of Kinesis Data Streams"))
            }
        })
    }

    /// Names of operations that AWS has and the simulator does not.
    pub const fn not_simulated() -> &'static [&'static str] {
        NOT_SIMULATED
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
