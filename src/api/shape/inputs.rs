//! The members of every request, in AWS's order.

use super::Member;
use super::table::{
    BOOLEAN, COMMITMENT, CONSUMER_ARN, CONSUMER_NAME, DATA, DESCRIBE_STREAM_LIMIT, ENCRYPTION_TYPE, ENTRIES, GET_RECORDS_LIMIT, HASH_KEY, KEY_ID,
    LIST_CONSUMERS_LIMIT, LIST_SHARDS_LIMIT, LIST_STREAMS_LIMIT, LIST_TAGS_LIMIT, MAX_RECORD_SIZE_IN_KIB, METRICS_NAME_LIST, NATURAL_INTEGER,
    NEXT_TOKEN, PARTITION_KEY, POLICY, POSITIVE_INTEGER, RECORD_DISTRIBUTION_STRATEGY, RESOURCE_ARN, RETENTION_PERIOD_HOURS, SCALING_TYPE,
    SEQUENCE_NUMBER, SHARD_FILTER, SHARD_ID, SHARD_ITERATOR, SHARD_ITERATOR_TYPE, STARTING_POSITION, STREAM_ARN, STREAM_ID, STREAM_MODE_DETAILS,
    STREAM_NAME, TAG_KEY, TAG_KEY_LIST, TAG_MAP, TIMESTAMP,
};
use crate::api::kinesis::Operation;

/// The members of the request of an operation, of all years.
pub const fn input(operation: Operation) -> &'static [Member] {
    match operation {
        Operation::AddTagsToStream => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("Tags", &TAG_MAP),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::CreateStream => {
            const {
                &[
                    Member::required("StreamName", &STREAM_NAME),
                    Member::once_required("ShardCount", &POSITIVE_INTEGER),
                    Member::recent("StreamModeDetails", &STREAM_MODE_DETAILS),
                    Member::recent("Tags", &TAG_MAP),
                    Member::recent("WarmThroughputMiBps", &NATURAL_INTEGER),
                    Member::recent("MaxRecordSizeInKiB", &MAX_RECORD_SIZE_IN_KIB),
                    Member::recent("RecordDistributionStrategy", &RECORD_DISTRIBUTION_STRATEGY),
                ]
            }
        }
        Operation::DecreaseStreamRetentionPeriod | Operation::IncreaseStreamRetentionPeriod => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("RetentionPeriodHours", &RETENTION_PERIOD_HOURS),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::DeleteResourcePolicy | Operation::GetResourcePolicy | Operation::ListTagsForResource => {
            const { &[Member::required("ResourceARN", &RESOURCE_ARN), Member::recent("StreamId", &STREAM_ID)] }
        }
        Operation::DeleteStream => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::optional("EnforceConsumerDeletion", &BOOLEAN),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::DeregisterStreamConsumer | Operation::DescribeStreamConsumer => {
            const {
                &[
                    Member::optional("StreamARN", &STREAM_ARN),
                    Member::optional("ConsumerName", &CONSUMER_NAME),
                    Member::optional("ConsumerARN", &CONSUMER_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::DescribeAccountSettings | Operation::DescribeLimits => const { &[] },
        Operation::DescribeStream => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::optional("Limit", &DESCRIBE_STREAM_LIMIT),
                    Member::optional("ExclusiveStartShardId", &SHARD_ID),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::DescribeStreamSummary => {
            const { &[Member::once_required("StreamName", &STREAM_NAME), Member::recent("StreamARN", &STREAM_ARN), Member::recent("StreamId", &STREAM_ID)] }
        }
        Operation::DisableEnhancedMonitoring | Operation::EnableEnhancedMonitoring => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("ShardLevelMetrics", &METRICS_NAME_LIST),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::GetRecords => {
            const {
                &[
                    Member::required("ShardIterator", &SHARD_ITERATOR),
                    Member::optional("Limit", &GET_RECORDS_LIMIT),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::recent("DryRun", &BOOLEAN),
                ]
            }
        }
        Operation::GetShardIterator => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("ShardId", &SHARD_ID),
                    Member::required("ShardIteratorType", &SHARD_ITERATOR_TYPE),
                    Member::optional("StartingSequenceNumber", &SEQUENCE_NUMBER),
                    Member::optional("Timestamp", &TIMESTAMP),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::recent("DryRun", &BOOLEAN),
                ]
            }
        }
        Operation::ListShards => {
            const {
                &[
                    Member::optional("StreamName", &STREAM_NAME),
                    Member::optional("NextToken", &NEXT_TOKEN),
                    Member::optional("ExclusiveStartShardId", &SHARD_ID),
                    Member::optional("MaxResults", &LIST_SHARDS_LIMIT),
                    Member::optional("StreamCreationTimestamp", &TIMESTAMP),
                    Member::recent("ShardFilter", &SHARD_FILTER),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::ListStreamConsumers => {
            const {
                &[
                    Member::required("StreamARN", &STREAM_ARN),
                    Member::optional("NextToken", &NEXT_TOKEN),
                    Member::optional("MaxResults", &LIST_CONSUMERS_LIMIT),
                    Member::optional("StreamCreationTimestamp", &TIMESTAMP),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::ListStreams => {
            const {
                &[
                    Member::optional("Limit", &LIST_STREAMS_LIMIT),
                    Member::optional("ExclusiveStartStreamName", &STREAM_NAME),
                    Member::recent("NextToken", &NEXT_TOKEN),
                ]
            }
        }
        Operation::ListTagsForStream => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::optional("ExclusiveStartTagKey", &TAG_KEY),
                    Member::optional("Limit", &LIST_TAGS_LIMIT),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::MergeShards => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("ShardToMerge", &SHARD_ID),
                    Member::required("AdjacentShardToMerge", &SHARD_ID),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::PutRecord => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("Data", &DATA),
                    Member::once_required("PartitionKey", &PARTITION_KEY),
                    Member::optional("ExplicitHashKey", &HASH_KEY),
                    Member::optional("SequenceNumberForOrdering", &SEQUENCE_NUMBER),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::recent("DryRun", &BOOLEAN),
                ]
            }
        }
        Operation::PutRecords => {
            const {
                &[
                    Member::required("Records", &ENTRIES),
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::recent("DryRun", &BOOLEAN),
                ]
            }
        }
        Operation::PutResourcePolicy => {
            const { &[Member::required("ResourceARN", &RESOURCE_ARN), Member::recent("StreamId", &STREAM_ID), Member::required("Policy", &POLICY)] }
        }
        Operation::RegisterStreamConsumer => {
            const {
                &[
                    Member::required("StreamARN", &STREAM_ARN),
                    Member::required("ConsumerName", &CONSUMER_NAME),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::recent("Tags", &TAG_MAP),
                ]
            }
        }
        Operation::RemoveTagsFromStream => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("TagKeys", &TAG_KEY_LIST),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::SplitShard => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("ShardToSplit", &SHARD_ID),
                    Member::required("NewStartingHashKey", &HASH_KEY),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::StartStreamEncryption | Operation::StopStreamEncryption => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("EncryptionType", &ENCRYPTION_TYPE),
                    Member::required("KeyId", &KEY_ID),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::SubscribeToShard => {
            const {
                &[
                    Member::required("ConsumerARN", &CONSUMER_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::required("ShardId", &SHARD_ID),
                    Member::required("StartingPosition", &STARTING_POSITION),
                    Member::recent("DryRun", &BOOLEAN),
                ]
            }
        }
        Operation::TagResource => {
            const { &[Member::required("Tags", &TAG_MAP), Member::required("ResourceARN", &RESOURCE_ARN), Member::recent("StreamId", &STREAM_ID)] }
        }
        Operation::UntagResource => {
            const { &[Member::required("TagKeys", &TAG_KEY_LIST), Member::required("ResourceARN", &RESOURCE_ARN), Member::recent("StreamId", &STREAM_ID)] }
        }
        Operation::UpdateAccountSettings => const { &[Member::required("MinimumThroughputBillingCommitment", &COMMITMENT)] },
        Operation::UpdateMaxRecordSize => {
            const {
                &[
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::required("MaxRecordSizeInKiB", &MAX_RECORD_SIZE_IN_KIB),
                ]
            }
        }
        Operation::UpdateShardCount => {
            const {
                &[
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::required("TargetShardCount", &POSITIVE_INTEGER),
                    Member::required("ScalingType", &SCALING_TYPE),
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                ]
            }
        }
        Operation::UpdateStreamMode => {
            const {
                &[
                    Member::required("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::required("StreamModeDetails", &STREAM_MODE_DETAILS),
                    Member::recent("WarmThroughputMiBps", &NATURAL_INTEGER),
                ]
            }
        }
        Operation::UpdateStreamRecordDistributionStrategy => {
            const {
                &[
                    Member::required("StreamARN", &STREAM_ARN),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::required("RecordDistributionStrategy", &RECORD_DISTRIBUTION_STRATEGY),
                ]
            }
        }
        Operation::UpdateStreamWarmThroughput => {
            const {
                &[
                    Member::recent("StreamARN", &STREAM_ARN),
                    Member::once_required("StreamName", &STREAM_NAME),
                    Member::recent("StreamId", &STREAM_ID),
                    Member::required("WarmThroughputMiBps", &NATURAL_INTEGER),
                ]
            }
        }
    }
}
