//! Reading: GetShardIterator, GetRecords, and the same reads for consumers of the world without copies.

use crate::api::kinesis::{
    ChildShard, EncryptionType, GetRecordsRequest, GetRecordsResponse, GetShardIteratorRequest, GetShardIteratorResponse, HashKeyRange, MetricsName,
    Record, ShardIteratorType, StreamMode,
};
use crate::api::{Blob, ServiceError, Timestamp};
use crate::engine::metrics::{Dimensions, Metric};
use crate::engine::time::VirtualTime;

use super::call::dry_run;
use super::iterator::ShardIterator;
use super::put::rate_exceeded;
use super::sequence::SequenceNumber;
use super::shard::Shard;
use super::store::ReadBuffer;
use super::{Ctx, DataStream, Kinesis, shard_id, shard_number};

/// Records of one answer at most.
const RECORDS_PER_CALL: u64 = 10_000;

/// What to read from a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadRequest {
    /// Shard number.
    pub shard: u32,
    /// Counter of the next record.
    pub next: u64,
    /// Records at most.
    pub limit: u64,
    /// Bytes at most (the first record always passes).
    pub max_bytes: u64,
}

/// What a read covers: the records `first..next` of the shard's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadRange {
    /// Counter of the first record.
    pub first: u64,
    /// Counter after the last record.
    pub next: u64,
    /// Bytes of data and keys.
    pub bytes: u64,
    /// Bytes, each record rounded up to 1 KB.
    pub rounded_bytes: u64,
    /// How far the position after this read is behind the tip.
    pub behind_ms: u64,
    /// The end of a closed shard was reached.
    pub at_end: bool,
}

impl DataStream {
    /// Finds the records of a read without copying any. `None` when the shard is gone. Call [`Self::trim`] before.
    pub fn range(&self, now: VirtualTime, request: ReadRequest) -> Option<ReadRange> {
        let shard = self.shards.get(&request.shard)?;
        let first = request.next.max(shard.log.first()).min(shard.log.next().max(request.next));
        let mut range = ReadRange { first, next: first, bytes: 0, rounded_bytes: 0, behind_ms: 0, at_end: false };
        let mut last_arrival = None;
        while range.next - first < request.limit
            && let Some(slot) = shard.log.slot(range.next)
        {
            if range.bytes + slot.bytes() > request.max_bytes && range.next > first {
                break;
            }
            range.bytes += slot.bytes();
            range.rounded_bytes += slot.bytes().div_ceil(1024) * 1024;
            last_arrival = Some(slot.arrival);
            range.next += 1;
        }
        if let Some(unread) = shard.log.slot(range.next) {
            range.behind_ms = now.millis().saturating_sub(last_arrival.unwrap_or(unread.arrival).millis());
        } else {
            range.at_end = shard.closed.is_some();
        }
        Some(range)
    }

    /// Position of an iterator type in a shard, as the counter of the next record.
    pub fn position(&self, shard: &Shard, kind: ShardIteratorType, sequence: Option<SequenceNumber>, at: Option<VirtualTime>) -> u64 {
        match kind {
            ShardIteratorType::TrimHorizon => shard.log.first(),
            ShardIteratorType::Latest => shard.log.next(),
            ShardIteratorType::AtSequenceNumber => sequence.map_or(0, |number| number.counter),
            ShardIteratorType::AfterSequenceNumber => sequence.map_or(0, |number| {
                // A number that was never issued stands between two records: the first record above it is next.
                let issued = shard.log.slot(number.counter).map(|slot| shard.sequence_number(number.counter, slot.arrival));
                if issued.is_some_and(|issued| issued > number) { number.counter } else { number.counter.saturating_add(1) }
            }),
            ShardIteratorType::AtTimestamp => at.map_or(0, |at| shard.log.first_at(at)),
        }
    }

    /// The children of a closed shard, as answers carry them at its end.
    pub fn children(&self, parent: u32) -> Vec<ChildShard> {
        self.shards
            .values()
            .filter(|shard| shard.parent == Some(parent) || shard.adjacent_parent == Some(parent))
            .map(|shard| ChildShard {
                shard_id: shard_id(shard.number),
                parent_shards: [shard.parent, shard.adjacent_parent].into_iter().flatten().map(shard_id).collect(),
                hash_key_range: HashKeyRange { starting_hash_key: shard.start.to_string(), ending_hash_key: shard.end.to_string() },
            })
            .collect()
    }

    /// One GetRecords call of a consumer in the world: limits, metrics and the range, without copying data. `None` = throttled or gone.
    pub fn poll(&mut self, ctx: &mut Ctx<'_>, request: ReadRequest) -> Option<ReadRange> {
        self.trim(ctx.now);
        if !self.admit_read(ctx, request.shard) {
            return None;
        }
        let range = self.range(ctx.now, ReadRequest { max_bytes: request.max_bytes.min(ctx.limits.get_records_bytes), ..request })?;
        self.book_read(ctx, request.shard, &range);
        Some(range)
    }

    /// Asks the shard's read limits; books a refusal.
    fn admit_read(&mut self, ctx: &mut Ctx<'_>, number: u32) -> bool {
        let now = ctx.now;
        let Some(shard) = self.shards.get_mut(&number) else { return false };
        if !ctx.limits.enforce_throughput || shard.reads.admit(now) {
            return true;
        }
        let dimensions = self.dimensions();
        ctx.metrics.add(Metric::ReadThroughputExceeded, &dimensions, now, 1);
        ctx.metrics.add(Metric::GetRecordsSuccess, &dimensions, now, 0);
        if self.shard_metrics.contains(&MetricsName::ReadProvisionedThroughputExceeded) {
            ctx.metrics.add(Metric::ReadThroughputExceeded, &Dimensions::Shard(self.name.clone(), number), now, 1);
        }
        false
    }

    fn book_read(&mut self, ctx: &mut Ctx<'_>, number: u32, range: &ReadRange) {
        let now = ctx.now;
        let records = range.next - range.first;
        let dimensions = self.dimensions();
        if let Some(shard) = self.shards.get_mut(&number) {
            shard.reads.deliver(now, range.bytes);
            let load = shard.loads.current(now);
            load.read_bytes += range.bytes;
            load.read_calls += 1;
        }
        let load = self.loads.current(now);
        load.read_bytes += range.bytes;
        load.read_calls += 1;
        ctx.metrics.add(Metric::GetRecordsSuccess, &dimensions, now, 1);
        ctx.metrics.add(Metric::GetRecordsBytes, &dimensions, now, range.bytes);
        ctx.metrics.add(Metric::GetRecordsRecords, &dimensions, now, records);
        ctx.metrics.add(Metric::GetRecordsIteratorAge, &dimensions, now, range.behind_ms);
        if !self.shard_metrics.is_empty() {
            let shard = Dimensions::Shard(self.name.clone(), number);
            let rows = [
                (MetricsName::OutgoingBytes, Metric::OutgoingBytes, range.bytes),
                (MetricsName::OutgoingRecords, Metric::OutgoingRecords, records),
                (MetricsName::IteratorAgeMilliseconds, Metric::IteratorAge, range.behind_ms),
            ];
            for (name, metric, value) in rows {
                if self.shard_metrics.contains(&name) {
                    ctx.metrics.add(metric, &shard, now, value);
                }
            }
        }
        if self.mode == StreamMode::OnDemand {
            ctx.bill.on_demand_bytes_out += range.rounded_bytes;
        }
    }

    /// The records of a range as answers carry them.
    pub fn records(&self, ctx: &Ctx<'_>, shard: u32, range: &ReadRange) -> Vec<Record> {
        let Some(shard) = self.shards.get(&shard) else { return Vec::new() };
        let mut buffer = ReadBuffer::default();
        let encryption = (self.encryption_type() == EncryptionType::Kms).then_some(EncryptionType::Kms);
        (range.first..range.next)
            .filter_map(|counter| {
                let read = shard.log.read(counter, ctx.remake, &mut buffer)?;
                Some(Record {
                    sequence_number: shard.sequence_number(counter, read.arrival).to_string(),
                    approximate_arrival_timestamp: Some(Timestamp(read.arrival.millis() as i64)),
                    data: Blob::from(read.data),
                    partition_key: Some(read.key.to_owned()),
                    encryption_type: encryption,
                })
            })
            .collect()
    }
}

impl Kinesis {
    pub(super) fn get_shard_iterator(&mut self, ctx: &mut Ctx<'_>, q: &GetShardIteratorRequest) -> Result<GetShardIteratorResponse, ServiceError> {
        dry_run(q.dry_run)?;
        let (account, now) = (self.account.clone(), ctx.now);
        let stream = self.find_for_data(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        stream.trim(now);
        let missing =
            || ServiceError::resource_not_found(format!("Shard {} in stream {} under account {account} does not exist", q.shard_id, stream.name));
        let number = full_shard_number(&q.shard_id).filter(|number| stream.shards.contains_key(number)).ok_or_else(missing)?;
        let shard = stream.shards.get(&number).expect("checked above");
        check_position_arguments(ctx.now, q.shard_iterator_type, q.starting_sequence_number.as_deref(), q.timestamp)?;
        let sequence =
            q.starting_sequence_number.as_deref().map(|text| parse_position_number(stream, shard, text, "GetShardIterator", &account)).transpose()?;
        let at = q.timestamp.map(|timestamp| VirtualTime::from_millis(u64::try_from(timestamp.millis()).unwrap_or(0)));
        let next = stream.position(shard, q.shard_iterator_type, sequence, at);
        let token = ShardIterator { stream: stream.name.to_string(), incarnation: stream.incarnation, shard: number, next, created: now }.encode();
        let name = stream.name.clone();
        let shard = stream.shards.get_mut(&number).expect("checked above");
        if ctx.limits.enforce_throughput {
            shard.iterator_calls.refill(now);
            if !shard.iterator_calls.admits(1) {
                return Err(ServiceError::throughput_exceeded(rate_exceeded(number, &name, &account)));
            }
            shard.iterator_calls.take(1);
        }
        Ok(GetShardIteratorResponse { shard_iterator: Some(token) })
    }

    pub(super) fn get_records(&mut self, ctx: &mut Ctx<'_>, q: &GetRecordsRequest) -> Result<GetRecordsResponse, ServiceError> {
        dry_run(q.dry_run)?;
        let now = ctx.now;
        let iterator = ShardIterator::decode(&q.shard_iterator, now)?;
        if let Some(arn) = &q.stream_arn
            && Self::resolve(None, Some(arn))? != iterator.stream
        {
            return Err(ServiceError::invalid_argument(format!("StreamARN {arn} does not match the stream of the ShardIterator.")));
        }
        let account = self.account.clone();
        let missing = self.not_found(&iterator.stream);
        let Some(stream) = self.streams.get_mut(iterator.stream.as_str()) else { return Err(missing) };
        if stream.incarnation != iterator.incarnation {
            return Err(ServiceError::invalid_argument("Invalid ShardIterator."));
        }
        stream.trim(now);
        let limit = u64::try_from(q.limit.unwrap_or(RECORDS_PER_CALL as i32)).unwrap_or(RECORDS_PER_CALL).min(RECORDS_PER_CALL);
        if !stream.shards.contains_key(&iterator.shard) {
            return Err(ServiceError::resource_not_found(format!(
                "Shard {} in stream {} under account {account} does not exist",
                shard_id(iterator.shard),
                stream.name
            )));
        }
        if !stream.admit_read(ctx, iterator.shard) {
            let text = rate_exceeded(iterator.shard, &stream.name, &account);
            ctx.journal.push(
                now,
                format!("stream {}", stream.name),
                "throttled",
                format!("GetRecords refused on {}", shard_id(iterator.shard)),
                true,
            );
            return Err(ServiceError::throughput_exceeded(text));
        }
        let request = ReadRequest { shard: iterator.shard, next: iterator.next, limit, max_bytes: ctx.limits.get_records_bytes };
        let range = stream.range(now, request).expect("the shard exists: checked above");
        stream.book_read(ctx, iterator.shard, &range);
        let records = stream.records(ctx, iterator.shard, &range);
        let next = ShardIterator { next: range.next, created: now, ..iterator };
        let children = stream.children(next.shard);
        Ok(GetRecordsResponse {
            records,
            next_shard_iterator: (!range.at_end).then(|| next.encode()),
            millis_behind_latest: Some(range.behind_ms as i64),
            child_shards: (range.at_end && ctx.limits.modern && !children.is_empty()).then_some(children),
        })
    }
}

/// The number of a full shard id; short forms are not accepted by the API.
pub(super) fn full_shard_number(id: &str) -> Option<u32> {
    if id.starts_with("shardId-") { shard_number(id).filter(|number| shard_id(*number) == id) } else { None }
}

/// Which members go with which iterator type.
pub(super) fn check_position_arguments(
    now: VirtualTime,
    kind: ShardIteratorType,
    sequence: Option<&str>,
    timestamp: Option<Timestamp>,
) -> Result<(), ServiceError> {
    use ShardIteratorType as T;
    let needs_number = matches!(kind, T::AtSequenceNumber | T::AfterSequenceNumber);
    if kind == T::AtTimestamp {
        let Some(timestamp) = timestamp else {
            return Err(ServiceError::invalid_argument(
                "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.",
            ));
        };
        if timestamp.millis() > now.millis() as i64 {
            return Err(ServiceError::invalid_argument(format!(
                "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: {}, currentTimestampInMillis: {}",
                timestamp.millis(),
                now.millis()
            )));
        }
    }
    if needs_number != sequence.is_some() {
        return Err(ServiceError::invalid_argument(format!(
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no \
             StartingSequenceNumber. Request specified {kind} and {} StartingSequenceNumber.",
            if needs_number { "no" } else { "also a" }
        )));
    }
    Ok(())
}

/// Reads a StartingSequenceNumber and checks that it belongs to the shard.
pub(super) fn parse_position_number(
    stream: &DataStream,
    shard: &Shard,
    text: &str,
    operation: &str,
    account: &str,
) -> Result<SequenceNumber, ServiceError> {
    let used = format!(
        "StartingSequenceNumber {text} used in {operation} on shard {} in stream {} under account {account}",
        shard_id(shard.number),
        stream.name
    );
    let Some(number) = SequenceNumber::parse(text) else {
        return Err(ServiceError::invalid_argument(format!("{used} is invalid.")));
    };
    if number.shard != shard.number {
        return Err(ServiceError::invalid_argument(format!(
            "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
            shard_id(number.shard),
            shard_id(shard.number)
        )));
    }
    if number.shard_created_secs != shard.created_secs {
        return Err(ServiceError::invalid_argument(format!("{used} is invalid because it did not come from this stream.")));
    }
    Ok(number)
}
