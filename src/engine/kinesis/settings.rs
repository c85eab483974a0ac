//! Settings of a stream and of the account: retention, encryption, monitoring, mode, record size, throughput, distribution.

use std::collections::BTreeSet;

use crate::api::kinesis::{
    CommitmentStatus, DescribeAccountSettingsResponse, DisableEnhancedMonitoringRequest, DisableEnhancedMonitoringResponse,
    EnableEnhancedMonitoringRequest, EnableEnhancedMonitoringResponse, EncryptionType, MetricsName, MinimumThroughputBillingCommitmentOutput,
    RecordDistributionStrategy, StreamMode, StreamStatus, UpdateAccountSettingsRequest, UpdateAccountSettingsResponse, UpdateMaxRecordSizeRequest,
    UpdateStreamModeRequest, UpdateStreamRecordDistributionStrategyRequest, UpdateStreamWarmThroughputRequest, UpdateStreamWarmThroughputResponse,
    WarmThroughputObject,
};
use crate::api::{ServiceError, Timestamp};
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::stream::Pending;
use super::{Ctx, Kinesis};

/// Retention that every stream has at least, hours.
const RETENTION_HOURS_MIN: i32 = 24;
const DAY: VirtualDuration = VirtualDuration::from_secs(24 * 3600);
/// The earliest end of the account's billing commitment.
const COMMITMENT: VirtualDuration = VirtualDuration::from_secs(24 * 3600);

/// `ALL` stands for the seven names.
fn expand(names: &[MetricsName]) -> BTreeSet<MetricsName> {
    if names.contains(&MetricsName::All) {
        MetricsName::ALL.iter().copied().filter(|name| *name != MetricsName::All).collect()
    } else {
        names.iter().copied().collect()
    }
}

impl Kinesis {
    pub(super) fn set_retention(
        &mut self,
        ctx: &mut Ctx<'_>,
        name: Option<&str>,
        arn: Option<&str>,
        hours: i32,
        increase: bool,
    ) -> Result<(), ServiceError> {
        let wait = self.waits.update;
        let max = ctx.limits.retention_hours_max;
        self.find(name, arn)?;
        if hours < RETENTION_HOURS_MIN {
            return Err(ServiceError::invalid_argument(format!(
                "Minimum allowed retention period is 24 hours. Requested retention period ({hours} hours) is too short."
            )));
        }
        if i64::from(hours) > i64::from(max) {
            return Err(ServiceError::invalid_argument(format!(
                "Maximum allowed retention period is {max} hours. Requested retention period ({hours} hours) is too long."
            )));
        }
        let stream = self.find_active(name, arn)?;
        let now_hours = stream.retention_hours as i32;
        if increase && hours < now_hours {
            return Err(ServiceError::invalid_argument(format!(
                "Requested retention period ({hours} hours) for stream {} can not be shorter than existing retention period ({now_hours} hours). Use \
                 DecreaseRetentionPeriod API.",
                stream.name
            )));
        }
        if !increase && hours > now_hours {
            return Err(ServiceError::invalid_argument(format!(
                "Requested retention period ({hours} hours) for stream {} can not be longer than existing retention period ({now_hours} hours). Use \
                 IncreaseRetentionPeriod API.",
                stream.name
            )));
        }
        if hours != now_hours {
            // Whatever expired under the old limit does not come back.
            stream.trim(ctx.now);
            stream.begin(ctx, Pending::Retention(hours as u32), StreamStatus::Updating, wait);
            ctx.journal.push(ctx.now, format!("stream {}", stream.name), "updating", format!("retention from {now_hours} h to {hours} h"), false);
        }
        Ok(())
    }

    pub(super) fn set_encryption(
        &mut self,
        ctx: &mut Ctx<'_>,
        name: Option<&str>,
        arn: Option<&str>,
        kind: EncryptionType,
        key: Option<&str>,
    ) -> Result<(), ServiceError> {
        let (wait, now) = (self.waits.update, ctx.now);
        if kind != EncryptionType::Kms {
            return Err(ServiceError::invalid_argument("EncryptionType must be KMS."));
        }
        let stream = self.find_active(name, arn)?;
        stream.encryption_changes.retain(|at| now.since(*at) < DAY);
        if stream.encryption_changes.len() >= 25 {
            return Err(ServiceError::limit_exceeded(format!("Encryption of stream {} can be changed at most 25 times in 24 hours.", stream.name)));
        }
        stream.encryption_changes.push(now);
        stream.begin(ctx, Pending::Encryption(key.map(str::to_owned)), StreamStatus::Updating, wait);
        let text = key.map_or_else(|| "StopStreamEncryption".to_owned(), |key| format!("StartStreamEncryption with {key}"));
        ctx.journal.push(now, format!("stream {}", stream.name), "updating", text, false);
        Ok(())
    }

    fn change_monitoring(
        &mut self,
        ctx: &mut Ctx<'_>,
        name: Option<&str>,
        arn: Option<&str>,
        change: impl FnOnce(&BTreeSet<MetricsName>) -> BTreeSet<MetricsName>,
    ) -> Result<(String, BTreeSet<MetricsName>, BTreeSet<MetricsName>), ServiceError> {
        let wait = self.waits.update;
        let stream = self.find_active(name, arn)?;
        let current = stream.shard_metrics.clone();
        let desired = change(&current);
        if current != desired {
            stream.begin(ctx, Pending::Monitoring(desired.clone()), StreamStatus::Updating, wait);
        }
        Ok((stream.name.to_string(), current, desired))
    }

    pub(super) fn enable_monitoring(
        &mut self,
        ctx: &mut Ctx<'_>,
        q: &EnableEnhancedMonitoringRequest,
    ) -> Result<EnableEnhancedMonitoringResponse, ServiceError> {
        let wanted = expand(&q.shard_level_metrics);
        let (name, current, desired) =
            self.change_monitoring(ctx, q.stream_name.as_deref(), q.stream_arn.as_deref(), |current| current.union(&wanted).copied().collect())?;
        Ok(EnableEnhancedMonitoringResponse {
            stream_arn: ctx.limits.modern.then(|| self.arn(&name)),
            stream_name: Some(name),
            current_shard_level_metrics: Some(current.into_iter().collect()),
            desired_shard_level_metrics: Some(desired.into_iter().collect()),
        })
    }

    pub(super) fn disable_monitoring(
        &mut self,
        ctx: &mut Ctx<'_>,
        q: &DisableEnhancedMonitoringRequest,
    ) -> Result<DisableEnhancedMonitoringResponse, ServiceError> {
        let unwanted = expand(&q.shard_level_metrics);
        let (name, current, desired) = self
            .change_monitoring(ctx, q.stream_name.as_deref(), q.stream_arn.as_deref(), |current| current.difference(&unwanted).copied().collect())?;
        Ok(DisableEnhancedMonitoringResponse {
            stream_arn: ctx.limits.modern.then(|| self.arn(&name)),
            stream_name: Some(name),
            current_shard_level_metrics: Some(current.into_iter().collect()),
            desired_shard_level_metrics: Some(desired.into_iter().collect()),
        })
    }

    /// Operations that the workshop's year did not know.
    fn needs_modern(ctx: &Ctx<'_>, operation: &str) -> Result<(), ServiceError> {
        if ctx.limits.modern {
            return Ok(());
        }
        Err(ServiceError::new(
            crate::api::ErrorCode::UnknownOperationException,
            format!("{operation} did not exist in the era {} of this lab", ctx.limits.era.name()),
        ))
    }

    pub(super) fn update_mode(&mut self, ctx: &mut Ctx<'_>, q: &UpdateStreamModeRequest) -> Result<(), ServiceError> {
        Self::needs_modern(ctx, "UpdateStreamMode")?;
        let (wait, now, account) = (self.waits.update, ctx.now, self.account.clone());
        let stream = self.find_active(None, Some(&q.stream_arn))?;
        let mode = q.stream_mode_details.stream_mode;
        if mode == stream.mode {
            return Ok(());
        }
        stream.mode_switches.retain(|at| now.since(*at) < DAY);
        if stream.mode_switches.len() >= 2 {
            return Err(ServiceError::limit_exceeded(format!(
                "Stream {} under account {account} can switch its mode at most 2 times in 24 hours.",
                stream.name
            )));
        }
        stream.mode_switches.push(now);
        stream.begin(ctx, Pending::Mode(mode), StreamStatus::Updating, wait);
        ctx.journal.push(now, format!("stream {}", stream.name), "updating", format!("mode becomes {mode}"), false);
        Ok(())
    }

    pub(super) fn update_record_size(&mut self, ctx: &mut Ctx<'_>, q: &UpdateMaxRecordSizeRequest) -> Result<(), ServiceError> {
        Self::needs_modern(ctx, "UpdateMaxRecordSize")?;
        let wait = self.waits.update;
        let stream = self.find_active(None, q.stream_arn.as_deref())?;
        let kib = u32::try_from(q.max_record_size_in_kib).unwrap_or(0);
        if !(1024..=10_240).contains(&kib) {
            return Err(ServiceError::invalid_argument("MaxRecordSizeInKiB must be between 1024 and 10240."));
        }
        stream.begin(ctx, Pending::RecordSize(kib), StreamStatus::Updating, wait);
        Ok(())
    }

    pub(super) fn update_warm_throughput(
        &mut self,
        ctx: &mut Ctx<'_>,
        q: &UpdateStreamWarmThroughputRequest,
    ) -> Result<UpdateStreamWarmThroughputResponse, ServiceError> {
        Self::needs_modern(ctx, "UpdateStreamWarmThroughput")?;
        let wait = self.waits.update;
        let stream = self.find_active(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        if stream.mode != StreamMode::OnDemand {
            return Err(ServiceError::validation(format!("Request is invalid. Stream {} is in Provisioned mode.", stream.name)));
        }
        let before = stream.warm_mibps;
        stream.begin(ctx, Pending::Warm(q.warm_throughput_mibps), StreamStatus::Updating, wait);
        let name = stream.name.to_string();
        Ok(UpdateStreamWarmThroughputResponse {
            stream_arn: Some(self.arn(&name)),
            stream_name: Some(name),
            warm_throughput: Some(WarmThroughputObject { target_mibps: Some(q.warm_throughput_mibps), current_mibps: before }),
        })
    }

    pub(super) fn update_distribution(&mut self, ctx: &mut Ctx<'_>, q: &UpdateStreamRecordDistributionStrategyRequest) -> Result<(), ServiceError> {
        Self::needs_modern(ctx, "UpdateStreamRecordDistributionStrategy")?;
        let wait = self.waits.update;
        let stream = self.find_active(None, Some(&q.stream_arn))?;
        if q.record_distribution_strategy == RecordDistributionStrategy::Auto && stream.mode == StreamMode::Provisioned {
            return Err(ServiceError::invalid_argument("RecordDistributionStrategy AUTO needs a stream in On-Demand mode."));
        }
        stream.begin(ctx, Pending::Distribution(q.record_distribution_strategy), StreamStatus::Updating, wait);
        Ok(())
    }

    fn commitment_output(&self) -> MinimumThroughputBillingCommitmentOutput {
        let millis = |at: VirtualTime| Timestamp(at.millis() as i64);
        MinimumThroughputBillingCommitmentOutput {
            status: if self.commitment.is_some() { CommitmentStatus::Enabled } else { CommitmentStatus::Disabled },
            started_at: self.commitment.map(millis),
            ended_at: None,
            earliest_allowed_end_at: self.commitment.map(|at| millis(at + COMMITMENT)),
        }
    }

    pub(super) fn describe_account_settings(&self) -> DescribeAccountSettingsResponse {
        DescribeAccountSettingsResponse { minimum_throughput_billing_commitment: Some(self.commitment_output()) }
    }

    pub(super) fn update_account_settings(&mut self, ctx: &mut Ctx<'_>, q: &UpdateAccountSettingsRequest) -> UpdateAccountSettingsResponse {
        match q.minimum_throughput_billing_commitment.status {
            CommitmentStatus::Enabled => self.commitment = self.commitment.or(Some(ctx.now)),
            CommitmentStatus::Disabled | CommitmentStatus::EnabledUntilEarliestAllowedEnd => self.commitment = None,
        }
        UpdateAccountSettingsResponse { minimum_throughput_billing_commitment: Some(self.commitment_output()) }
    }
}
