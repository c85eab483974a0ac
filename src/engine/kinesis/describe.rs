//! Looking: DescribeStream, DescribeStreamSummary, ListStreams, ListShards, DescribeLimits, and the tokens of listings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::kinesis::{
    DescribeLimitsResponse, DescribeStreamRequest, DescribeStreamResponse, DescribeStreamSummaryRequest, DescribeStreamSummaryResponse,
    EnhancedMetrics, HashKeyRange, ListShardsRequest, ListShardsResponse, ListStreamsRequest, ListStreamsResponse, SequenceNumberRange,
    Shard as ShardDescription, ShardFilter, ShardFilterType, StreamDescription, StreamDescriptionSummary, StreamMode, StreamModeDetails,
    StreamStatus, StreamSummary, WarmThroughputObject,
};
use crate::api::{ErrorCode, ServiceError, Timestamp};
use crate::engine::limits::Limits;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::get::full_shard_number;
use super::shard::Shard;
use super::{Ctx, DataStream, Kinesis, shard_id};

/// Shards of one DescribeStream page.
const DESCRIBE_PAGE: usize = 100;
/// Shards of one ListShards page.
const LIST_SHARDS_PAGE: usize = 1000;
/// Life of a listing token.
const TOKEN_LIFE: VirtualDuration = VirtualDuration::from_secs(300);

/// A token of a listing: what is listed, after which item, made when.
pub(super) fn encode_token(kind: &str, subject: &str, after: &str, now: VirtualTime) -> String {
    STANDARD.encode(format!("{kind}\n{subject}\n{after}\n{}", now.0))
}

/// Reads a token of [`encode_token`]: (subject, after).
pub(super) fn decode_token(kind: &str, token: &str, now: VirtualTime) -> Result<(String, String), ServiceError> {
    let invalid = || ServiceError::invalid_argument("NextToken is invalid.");
    let text = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    let mut parts = text.splitn(4, '\n');
    let (Some(found), Some(subject), Some(after), Some(made)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(invalid());
    };
    let made = VirtualTime(made.parse().map_err(|_| invalid())?);
    if found != kind {
        return Err(invalid());
    }
    if now.since(made) > TOKEN_LIFE {
        return Err(ServiceError::new(ErrorCode::ExpiredNextTokenException, "NextToken is expired. It is valid for 300 seconds."));
    }
    Ok((subject.to_owned(), after.to_owned()))
}

/// A shard as answers carry it.
pub(super) fn describe_shard(shard: &Shard) -> ShardDescription {
    ShardDescription {
        shard_id: shard_id(shard.number),
        parent_shard_id: shard.parent.map(shard_id),
        adjacent_parent_shard_id: shard.adjacent_parent.map(shard_id),
        hash_key_range: HashKeyRange { starting_hash_key: shard.start.to_string(), ending_hash_key: shard.end.to_string() },
        sequence_number_range: SequenceNumberRange {
            starting_sequence_number: shard.starting_sequence_number().to_string(),
            ending_sequence_number: shard.ending_sequence_number().map(|number| number.to_string()),
        },
    }
}

fn seconds(at: VirtualTime) -> Timestamp {
    Timestamp((at.secs() * 1000) as i64)
}

impl DataStream {
    fn mode_details(&self, limits: &Limits) -> Option<StreamModeDetails> {
        limits.modern.then_some(StreamModeDetails { stream_mode: self.mode })
    }

    fn monitoring(&self) -> Vec<EnhancedMetrics> {
        vec![EnhancedMetrics { shard_level_metrics: Some(self.shard_metrics.iter().copied().collect()) }]
    }

    /// A shard matches a filter of ListShards.
    fn matches(&self, shard: &Shard, filter: Option<&ShardFilter>, now: VirtualTime) -> bool {
        let horizon = now - self.retention();
        let at =
            filter.and_then(|filter| filter.timestamp).map_or(VirtualTime(0), |t| VirtualTime::from_millis(u64::try_from(t.millis()).unwrap_or(0)));
        match filter.map(|filter| filter.r#type) {
            None | Some(ShardFilterType::FromTrimHorizon | ShardFilterType::AfterShardId) => true,
            Some(ShardFilterType::AtLatest) => shard.is_open(),
            Some(ShardFilterType::AtTrimHorizon) => shard.was_open_at(horizon.max(self.created)),
            Some(ShardFilterType::AtTimestamp) => shard.was_open_at(at.max(self.created)),
            Some(ShardFilterType::FromTimestamp) => shard.closed.is_none_or(|closed| closed > at),
        }
    }
}

impl Kinesis {
    pub(super) fn describe_stream(&mut self, ctx: &mut Ctx<'_>, q: &DescribeStreamRequest) -> Result<DescribeStreamResponse, ServiceError> {
        let now = ctx.now;
        self.find_mut(q.stream_name.as_deref(), q.stream_arn.as_deref())?.trim(now);
        let stream = self.find(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        let page = q.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DESCRIBE_PAGE).clamp(1, DESCRIBE_PAGE);
        let after = q.exclusive_start_shard_id.as_deref().map(|id| start_shard(stream, id, &self.account)).transpose()?;
        let mut shards = stream.shards.values().filter(|shard| after.is_none_or(|after| shard.number > after));
        let listed: Vec<ShardDescription> = shards.by_ref().take(page).map(describe_shard).collect();
        Ok(DescribeStreamResponse {
            stream_description: StreamDescription {
                stream_name: stream.name.to_string(),
                stream_arn: self.arn(&stream.name),
                stream_status: stream.status,
                stream_mode_details: stream.mode_details(ctx.limits),
                shards: listed,
                has_more_shards: shards.next().is_some(),
                retention_period_hours: stream.retention_hours as i32,
                stream_creation_timestamp: seconds(stream.created),
                enhanced_monitoring: stream.monitoring(),
                encryption_type: Some(stream.encryption_type()),
                key_id: stream.key_id.clone(),
            },
        })
    }

    pub(super) fn describe_stream_summary(
        &mut self,
        ctx: &mut Ctx<'_>,
        q: &DescribeStreamSummaryRequest,
    ) -> Result<DescribeStreamSummaryResponse, ServiceError> {
        let stream = self.find(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        let modern = ctx.limits.modern;
        Ok(DescribeStreamSummaryResponse {
            stream_description_summary: StreamDescriptionSummary {
                stream_name: stream.name.to_string(),
                stream_arn: self.arn(&stream.name),
                stream_id: None,
                stream_status: stream.status,
                stream_mode_details: stream.mode_details(ctx.limits),
                retention_period_hours: stream.retention_hours as i32,
                stream_creation_timestamp: seconds(stream.created),
                enhanced_monitoring: stream.monitoring(),
                encryption_type: Some(stream.encryption_type()),
                key_id: stream.key_id.clone(),
                open_shard_count: stream.open_count() as i32,
                consumer_count: Some(stream.consumers.len() as i32),
                warm_throughput: stream
                    .warm_mibps
                    .filter(|_| modern)
                    .map(|mibps| WarmThroughputObject { target_mibps: Some(mibps), current_mibps: Some(mibps) }),
                max_record_size_in_kib: modern.then_some(stream.record_limit_kib as i32),
                channel_count: None,
                record_distribution_strategy: (modern && stream.mode == StreamMode::OnDemand).then_some(stream.distribution),
                queue_count: None,
            },
        })
    }

    pub(super) fn list_streams(&mut self, ctx: &mut Ctx<'_>, q: &ListStreamsRequest) -> Result<ListStreamsResponse, ServiceError> {
        let page =
            q.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(ctx.limits.list_streams_page).clamp(1, ctx.limits.list_streams_page);
        let after = match (&q.next_token, &q.exclusive_start_stream_name) {
            (Some(token), _) => Some(decode_token("streams", token, ctx.now)?.1),
            (None, name) => name.clone(),
        };
        let mut rest = self.streams.values().filter(|stream| after.as_deref().is_none_or(|after| &*stream.name > after));
        let listed: Vec<&DataStream> = rest.by_ref().take(page).collect();
        let more = rest.next().is_some();
        let modern = ctx.limits.modern;
        Ok(ListStreamsResponse {
            stream_names: listed.iter().map(|stream| stream.name.to_string()).collect(),
            has_more_streams: more,
            next_token: listed.last().filter(|_| more && modern).map(|last| encode_token("streams", "", &last.name, ctx.now)),
            stream_summaries: modern.then(|| {
                listed
                    .iter()
                    .map(|stream| StreamSummary {
                        stream_name: stream.name.to_string(),
                        stream_arn: self.arn(&stream.name),
                        stream_status: stream.status,
                        stream_mode_details: stream.mode_details(ctx.limits),
                        stream_creation_timestamp: Some(seconds(stream.created)),
                    })
                    .collect()
            }),
        })
    }

    pub(super) fn list_shards(&mut self, ctx: &mut Ctx<'_>, q: &ListShardsRequest) -> Result<ListShardsResponse, ServiceError> {
        let now = ctx.now;
        let named = q.stream_name.is_some() || q.stream_arn.is_some();
        if q.next_token.is_some() && q.stream_name.is_some() {
            return Err(ServiceError::invalid_argument("NextToken and StreamName cannot be provided together."));
        }
        if q.next_token.is_some() && q.exclusive_start_shard_id.is_some() {
            return Err(ServiceError::invalid_argument("NextToken and ExclusiveStartShardId cannot be provided together."));
        }
        if q.next_token.is_none() && !named {
            return Err(ServiceError::invalid_argument("Either NextToken or StreamName should be provided."));
        }
        // The token carries "incarnation|filter as JSON" as its subject, so that pages go on with the filter they began with.
        let mut filter = q.shard_filter.clone();
        let (name, mut after) = if let Some(token) = &q.next_token {
            let (subject, after) = decode_token("shards", token, now)?;
            let (name, written) = subject.split_once('|').unwrap_or((&subject, "null"));
            filter = serde_json::from_str(written).unwrap_or(None);
            (name.to_owned(), Some(after))
        } else {
            (Self::resolve(q.stream_name.as_deref(), q.stream_arn.as_deref())?, q.exclusive_start_shard_id.clone())
        };
        let account = self.account.clone();
        let stream = self.find_mut(Some(&name), None)?;
        if stream.status == StreamStatus::Creating {
            return Err(ServiceError::resource_in_use(format!(
                "Stream {name} under account {account} not ACTIVE, instead in state {}",
                stream.status
            )));
        }
        if let Some(wanted) = q.stream_creation_timestamp
            && wanted.millis() / 1000 != stream.created.secs() as i64
        {
            return Err(ServiceError::resource_not_found(format!(
                "Stream {name} under account {account} with the given creation timestamp not found."
            )));
        }
        stream.trim(now);
        check_filter(filter.as_ref())?;
        if let Some(filter) = &filter
            && filter.r#type == ShardFilterType::AfterShardId
            && after.is_none()
        {
            after.clone_from(&filter.shard_id);
        }
        let after = after.as_deref().map(|id| start_shard(stream, id, &account)).transpose()?;
        let page = q.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(LIST_SHARDS_PAGE).clamp(1, LIST_SHARDS_PAGE);
        let mut rest = stream
            .shards
            .values()
            .filter(|shard| after.is_none_or(|after| shard.number > after))
            .filter(|shard| stream.matches(shard, filter.as_ref(), now));
        let listed: Vec<&Shard> = rest.by_ref().take(page).collect();
        let next_token = listed.last().filter(|_| rest.next().is_some()).map(|last| {
            let written = serde_json::to_string(&filter).unwrap_or_else(|_| "null".to_owned());
            encode_token("shards", &format!("{name}|{written}"), &shard_id(last.number), now)
        });
        Ok(ListShardsResponse { shards: Some(listed.into_iter().map(describe_shard).collect()), next_token })
    }

    pub(super) fn describe_limits(&mut self, ctx: &mut Ctx<'_>) -> DescribeLimitsResponse {
        DescribeLimitsResponse {
            shard_limit: ctx.limits.account_shards as i32,
            open_shard_count: self.open_shards() as i32,
            on_demand_stream_count: self.streams.values().filter(|stream| stream.mode == StreamMode::OnDemand).count() as i32,
            on_demand_stream_count_limit: 50,
            channel_count: None,
            channel_count_limit: None,
        }
    }
}

/// The shard after which a listing starts; it need not be alive any more.
fn start_shard(stream: &DataStream, id: &str, account: &str) -> Result<u32, ServiceError> {
    full_shard_number(id)
        .filter(|number| *number < stream.next_shard)
        .ok_or_else(|| ServiceError::resource_not_found(format!("Shard {id} in stream {} under account {account} does not exist", stream.name)))
}

fn check_filter(filter: Option<&ShardFilter>) -> Result<(), ServiceError> {
    let Some(filter) = filter else { return Ok(()) };
    let kind = filter.r#type;
    let needs_shard = kind == ShardFilterType::AfterShardId;
    let needs_time = matches!(kind, ShardFilterType::AtTimestamp | ShardFilterType::FromTimestamp);
    let wrong = |what: &str, needed: bool| {
        ServiceError::invalid_argument(format!("ShardFilter of type {kind} {} {what}.", if needed { "needs a" } else { "does not take a" }))
    };
    if needs_shard != filter.shard_id.is_some() {
        return Err(wrong("ShardId", needs_shard));
    }
    if needs_time != filter.timestamp.is_some() {
        return Err(wrong("Timestamp", needs_time));
    }
    Ok(())
}
