//! From a typed request to the operation that answers it, and the call rates of the control plane.

use std::collections::BTreeMap;

use crate::api::kinesis::{KinesisRequest, KinesisResponse, Operation};
use crate::api::{ErrorCode, ServiceError};
use crate::engine::time::VirtualTime;

use super::bucket::TokenBucket;
use super::{Ctx, Kinesis};

/// Buckets of the control plane's call rates, kept only while they are enforced.
#[derive(Debug, Clone, Default)]
pub struct CallRates {
    buckets: BTreeMap<Operation, TokenBucket>,
}

impl CallRates {
    fn admit(&mut self, operation: Operation, now: VirtualTime) -> bool {
        let Some(rate) = calls_per_second(operation) else { return true };
        let bucket = self.buckets.entry(operation).or_insert_with(|| TokenBucket::full(rate, now));
        bucket.refill(now);
        let admitted = bucket.admits(1);
        if admitted {
            bucket.take(1);
        }
        admitted
    }
}

/// Calls per second and account; `None` for operations with limits of their own.
const fn calls_per_second(operation: Operation) -> Option<u64> {
    use Operation as Op;
    match operation {
        Op::DescribeLimits => Some(1),
        Op::DescribeStream | Op::UpdateShardCount => Some(10),
        Op::DescribeStreamSummary | Op::DescribeStreamConsumer => Some(20),
        Op::ListShards => Some(1000),
        Op::PutRecord | Op::PutRecords | Op::GetRecords | Op::GetShardIterator | Op::SubscribeToShard => None,
        _ => Some(5),
    }
}

impl Kinesis {
    /// Answers one request.
    ///
    /// # Errors
    /// AWS's exception for whatever is wrong with it.
    pub fn call(&mut self, ctx: &mut Ctx<'_>, request: &KinesisRequest) -> Result<KinesisResponse, ServiceError> {
        use KinesisRequest as Q;
        use KinesisResponse as A;
        if ctx.limits.enforce_call_rates && !self.call_rates.admit(request.operation(), ctx.now) {
            return Err(ServiceError::limit_exceeded(format!("Rate exceeded for account {}.", self.account)));
        }
        Ok(match request {
            Q::CreateStream(q) => self.create_stream(ctx, q).map(|()| A::CreateStream)?,
            Q::DeleteStream(q) => self.delete_stream(ctx, q).map(|()| A::DeleteStream)?,
            Q::DescribeStream(q) => A::DescribeStream(self.describe_stream(ctx, q)?),
            Q::DescribeStreamSummary(q) => A::DescribeStreamSummary(self.describe_stream_summary(ctx, q)?),
            Q::ListStreams(q) => A::ListStreams(self.list_streams(ctx, q)?),
            Q::ListShards(q) => A::ListShards(self.list_shards(ctx, q)?),
            Q::DescribeLimits(_) => A::DescribeLimits(self.describe_limits(ctx)),
            Q::SplitShard(q) => self.split_shard(ctx, q).map(|()| A::SplitShard)?,
            Q::MergeShards(q) => self.merge_shards(ctx, q).map(|()| A::MergeShards)?,
            Q::UpdateShardCount(q) => A::UpdateShardCount(self.update_shard_count(ctx, q)?),
            Q::IncreaseStreamRetentionPeriod(q) => {
                self.set_retention(ctx, q.stream_name.as_deref(), q.stream_arn.as_deref(), q.retention_period_hours, true)?;
                A::IncreaseStreamRetentionPeriod
            }
            Q::DecreaseStreamRetentionPeriod(q) => {
                self.set_retention(ctx, q.stream_name.as_deref(), q.stream_arn.as_deref(), q.retention_period_hours, false)?;
                A::DecreaseStreamRetentionPeriod
            }
            Q::StartStreamEncryption(q) => {
                self.set_encryption(ctx, q.stream_name.as_deref(), q.stream_arn.as_deref(), q.encryption_type, Some(&q.key_id))?;
                A::StartStreamEncryption
            }
            Q::StopStreamEncryption(q) => {
                self.set_encryption(ctx, q.stream_name.as_deref(), q.stream_arn.as_deref(), q.encryption_type, None)?;
                A::StopStreamEncryption
            }
            Q::EnableEnhancedMonitoring(q) => A::EnableEnhancedMonitoring(self.enable_monitoring(ctx, q)?),
            Q::DisableEnhancedMonitoring(q) => A::DisableEnhancedMonitoring(self.disable_monitoring(ctx, q)?),
            Q::UpdateStreamMode(q) => self.update_mode(ctx, q).map(|()| A::UpdateStreamMode)?,
            Q::UpdateMaxRecordSize(q) => self.update_record_size(ctx, q).map(|()| A::UpdateMaxRecordSize)?,
            Q::UpdateStreamWarmThroughput(q) => A::UpdateStreamWarmThroughput(self.update_warm_throughput(ctx, q)?),
            Q::UpdateStreamRecordDistributionStrategy(q) => {
                self.update_distribution(ctx, q)?;
                A::UpdateStreamRecordDistributionStrategy
            }
            Q::DescribeAccountSettings(_) => A::DescribeAccountSettings(self.describe_account_settings()),
            Q::UpdateAccountSettings(q) => A::UpdateAccountSettings(self.update_account_settings(ctx, q)),
            Q::AddTagsToStream(q) => self.add_tags(q).map(|()| A::AddTagsToStream)?,
            Q::RemoveTagsFromStream(q) => self.remove_tags(q).map(|()| A::RemoveTagsFromStream)?,
            Q::ListTagsForStream(q) => A::ListTagsForStream(self.list_tags(q)?),
            Q::TagResource(q) => self.tag_resource(q).map(|()| A::TagResource)?,
            Q::UntagResource(q) => self.untag_resource(q).map(|()| A::UntagResource)?,
            Q::ListTagsForResource(q) => A::ListTagsForResource(self.list_tags_for_resource(q)?),
            Q::PutResourcePolicy(q) => self.put_policy(q).map(|()| A::PutResourcePolicy)?,
            Q::GetResourcePolicy(q) => A::GetResourcePolicy(self.get_policy(q)?),
            Q::DeleteResourcePolicy(q) => self.delete_policy(q).map(|()| A::DeleteResourcePolicy)?,
            Q::RegisterStreamConsumer(q) => A::RegisterStreamConsumer(self.register_consumer(ctx, q)?),
            Q::DeregisterStreamConsumer(q) => self.deregister_consumer(ctx, q).map(|()| A::DeregisterStreamConsumer)?,
            Q::DescribeStreamConsumer(q) => A::DescribeStreamConsumer(self.describe_consumer(q)?),
            Q::ListStreamConsumers(q) => A::ListStreamConsumers(self.list_consumers(ctx, q)?),
            // What comes of it is a subscription and no answer: callers begin it with `subscribe`.
            Q::SubscribeToShard(_) => return Err(ServiceError::internal_failure()),
            Q::PutRecord(q) => A::PutRecord(self.put_record(ctx, q)?),
            Q::PutRecords(q) => A::PutRecords(self.put_records(ctx, q)?),
            Q::GetShardIterator(q) => A::GetShardIterator(self.get_shard_iterator(ctx, q)?),
            Q::GetRecords(q) => A::GetRecords(self.get_records(ctx, q)?),
        })
    }
}

/// The answer of a call with `DryRun`: the permission check succeeded.
pub(super) fn dry_run(wanted: Option<bool>) -> Result<(), ServiceError> {
    if wanted == Some(true) {
        return Err(ServiceError::new(ErrorCode::DryRunOperationException, "Request would have succeeded, but the DryRun flag is set."));
    }
    Ok(())
}
