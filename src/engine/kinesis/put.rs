//! Writing: PutRecord, PutRecords and the admission of each record against its shard's limits.

use std::fmt::Write as _;

use crate::api::kinesis::{
    EncryptionType, MetricsName, PutRecordRequest, PutRecordResponse, PutRecordsRequest, PutRecordsResponse, PutRecordsResultEntry,
    RecordDistributionStrategy, StreamMode,
};
use crate::api::{ErrorCode, ServiceError};
use crate::engine::cost::payload_units;
use crate::engine::kpl;
use crate::engine::limits::{Limits, MIB};
use crate::engine::metrics::{Dimensions, Metric};
use crate::engine::time::VirtualTime;

use super::call::dry_run;
use super::hash::{HashKey, LANES, hash_keys};
use super::sequence::SequenceNumber;
use super::store::Payload;
use super::{Ctx, DataStream, Kinesis, shard_id};

/// A record from outside on its way into a stream.
#[derive(Debug, Clone, Copy)]
pub struct PutEntry<'a> {
    /// Partition key.
    pub key: &'a str,
    /// Hash that replaces the key's.
    pub explicit_hash: Option<HashKey>,
    /// Data.
    pub data: &'a [u8],
}

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It is stored.
    Stored {
        /// Number of the shard.
        shard: u32,
        /// Counter in the shard.
        counter: u64,
    },
    /// The shard's limit refused it; nothing is stored.
    Throttled {
        /// Number of the shard.
        shard: u32,
    },
}

/// Sums of one put call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PutTotals {
    /// Records stored.
    pub accepted_records: u64,
    /// User records inside them.
    pub accepted_user_records: u64,
    /// Bytes stored, data and keys.
    pub accepted_bytes: u64,
    /// Records refused.
    pub refused_records: u64,
    /// Bytes refused.
    pub refused_bytes: u64,
    /// Payload units stored.
    pub payload_units: u64,
    /// Bytes stored, each record rounded up to 1 KB.
    pub rounded_bytes: u64,
}

impl DataStream {
    /// Stores one record in the shard that holds `hash`, or refuses it by the shard's limits.
    pub fn place(
        &mut self,
        now: VirtualTime,
        limits: &Limits,
        hash: HashKey,
        payload: Payload<'_>,
        user_records: u64,
        totals: &mut PutTotals,
    ) -> Placed {
        let number = self.map.shard_of(hash).expect("open shards cover the hash space: see check_invariants");
        let shard = self.shards.get_mut(&number).expect("the map names living shards");
        let bytes = payload.bytes();
        if limits.enforce_throughput && !shard.admit(bytes, now) {
            totals.refused_records += 1;
            totals.refused_bytes += bytes;
            let load = shard.loads.current(now);
            load.refused_records += 1;
            load.refused_bytes += bytes;
            return Placed::Throttled { shard: number };
        }
        let counter = shard.log.append(now, payload);
        let load = shard.loads.current(now);
        load.accepted_records += 1;
        load.accepted_bytes += bytes;
        if counter.is_multiple_of(4) {
            shard.hot_keys.note(now, hash, counter);
        }
        self.note_density(now, hash);
        totals.accepted_records += 1;
        totals.accepted_user_records += user_records;
        totals.accepted_bytes += bytes;
        totals.payload_units += payload_units(bytes);
        totals.rounded_bytes += bytes.div_ceil(1024) * 1024;
        Placed::Stored { shard: number, counter }
    }

    /// Counts records that a producer would have had refused without offering them one by one: the shard's budget is known to be empty.
    pub fn refuse(&mut self, now: VirtualTime, shard: u32, records: u64, bytes: u64, totals: &mut PutTotals) {
        if let Some(shard) = self.shards.get_mut(&shard) {
            let load = shard.loads.current(now);
            load.refused_records += records;
            load.refused_bytes += bytes;
        }
        totals.refused_records += records;
        totals.refused_bytes += bytes;
    }

    /// Whole records that a shard would still take now.
    pub fn record_room(&mut self, now: VirtualTime, limits: &Limits, shard: u32) -> u64 {
        if !limits.enforce_throughput {
            return u64::MAX;
        }
        self.shards.get_mut(&shard).map_or(0, |shard| {
            shard.write_records.refill(now);
            if shard.stalled { 0 } else { shard.write_records.available() }
        })
    }

    /// Books the sums of a put call into counters, loads, metrics and the bill.
    pub fn book(&mut self, ctx: &mut Ctx<'_>, totals: &PutTotals) {
        let now = ctx.now;
        self.accepted_records += totals.accepted_records;
        self.accepted_bytes += totals.accepted_bytes;
        self.accepted_user_records += totals.accepted_user_records;
        let load = self.loads.current(now);
        load.accepted_bytes += totals.accepted_bytes;
        load.accepted_records += totals.accepted_records;
        load.refused_bytes += totals.refused_bytes;
        load.refused_records += totals.refused_records;
        let stream = self.dimensions();
        ctx.metrics.add_many(Metric::IncomingBytes, &stream, now, totals.accepted_bytes, totals.accepted_records);
        ctx.metrics.add_many(Metric::IncomingRecords, &stream, now, totals.accepted_records, totals.accepted_records);
        ctx.metrics.add_many(Metric::IncomingUserRecords, &stream, now, totals.accepted_user_records, totals.accepted_user_records);
        ctx.metrics.add(Metric::WriteThroughputExceeded, &stream, now, totals.refused_records);
        match self.mode {
            StreamMode::Provisioned => ctx.bill.payload_units += totals.payload_units,
            StreamMode::OnDemand => ctx.bill.on_demand_bytes_in += totals.rounded_bytes,
        }
    }

    /// Books the metrics of one PutRecords call.
    pub fn book_put_records(&mut self, ctx: &mut Ctx<'_>, totals: &PutTotals, calls: u64) {
        let stream = self.dimensions();
        let (metrics, now) = (&mut *ctx.metrics, ctx.now);
        metrics.add_many(Metric::PutRecordsBytes, &stream, now, totals.accepted_bytes, calls);
        metrics.add_many(Metric::PutRecordsRecords, &stream, now, totals.accepted_records, calls);
        metrics.add_many(Metric::PutRecordsTotalRecords, &stream, now, totals.accepted_records + totals.refused_records, calls);
        metrics.add_many(Metric::PutRecordsSuccessfulRecords, &stream, now, totals.accepted_records, calls);
        metrics.add_many(Metric::PutRecordsThrottledRecords, &stream, now, totals.refused_records, calls);
        metrics.add_many(Metric::PutRecordsFailedRecords, &stream, now, 0, calls);
        metrics.add_many(Metric::PutRecordsSuccess, &stream, now, if totals.accepted_records > 0 { calls } else { 0 }, calls);
    }

    /// Books shard-level metrics, when they are switched on.
    pub fn book_shard(&self, ctx: &mut Ctx<'_>, shard: u32, totals: &PutTotals) {
        if self.shard_metrics.is_empty() {
            return;
        }
        let dimensions = Dimensions::Shard(self.name.clone(), shard);
        let rows = [
            (MetricsName::IncomingBytes, Metric::IncomingBytes, totals.accepted_bytes, totals.accepted_records),
            (MetricsName::IncomingRecords, Metric::IncomingRecords, totals.accepted_records, totals.accepted_records),
            (MetricsName::WriteProvisionedThroughputExceeded, Metric::WriteThroughputExceeded, totals.refused_records, 1),
        ];
        for (name, metric, sum, count) in rows {
            if self.shard_metrics.contains(&name) {
                ctx.metrics.add_many(metric, &dimensions, ctx.now, sum, count);
            }
        }
    }

    /// Stores a batch from outside, hashing several keys at a time. `outcome` gets each entry's fate in order.
    pub fn place_batch(
        &mut self,
        now: VirtualTime,
        limits: &Limits,
        entries: &[PutEntry<'_>],
        totals: &mut PutTotals,
        mut outcome: impl FnMut(Placed),
    ) {
        for chunk in entries.chunks(LANES) {
            let mut hashes = [HashKey(0); LANES];
            if chunk.len() == LANES {
                let keys: [&[u8]; LANES] = std::array::from_fn(|i| chunk[i].key.as_bytes());
                hashes = hash_keys(&keys);
            } else {
                for (hash, entry) in hashes.iter_mut().zip(chunk) {
                    *hash = HashKey::of_partition_key(entry.key);
                }
            }
            for (entry, hash) in chunk.iter().zip(hashes) {
                let hash = entry.explicit_hash.unwrap_or(hash);
                let user_records = kpl::user_record_count(entry.data);
                outcome(self.place(now, limits, hash, Payload::Bytes { key: entry.key, data: entry.data }, user_records, totals));
            }
        }
    }
}

/// Reads an ExplicitHashKey.
fn explicit_hash(text: Option<&str>) -> Result<Option<HashKey>, ServiceError> {
    text.map(|text| {
        text.parse().map_err(|_| {
            ServiceError::invalid_argument(format!(
                "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {text}"
            ))
        })
    })
    .transpose()
}

impl DataStream {
    /// The partition key of a request, or one made up by the service when it distributes records itself.
    fn key_of<'k>(&self, key: Option<&'k str>, made_up: &'k mut String) -> Result<&'k str, ServiceError> {
        match key {
            Some(key) => Ok(key),
            None if self.distribution == RecordDistributionStrategy::Auto => {
                made_up.clear();
                let _ = write!(made_up, "auto-{}", self.accepted_records);
                Ok(made_up)
            }
            None => Err(ServiceError::invalid_argument(format!("PartitionKey is required for stream {}.", self.name))),
        }
    }

    fn check_data(&self, data: &[u8], limits: &Limits) -> Result<(), ServiceError> {
        let limit = u64::from(self.record_limit_kib) * 1024;
        let limit = if limits.modern { limit } else { MIB };
        if data.len() as u64 > limit {
            return Err(ServiceError::validation(format!(
                "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than or equal to {limit}"
            )));
        }
        Ok(())
    }
}

impl Kinesis {
    pub(super) fn put_record(&mut self, ctx: &mut Ctx<'_>, q: &PutRecordRequest) -> Result<PutRecordResponse, ServiceError> {
        dry_run(q.dry_run)?;
        let explicit = explicit_hash(q.explicit_hash_key.as_deref())?;
        let account = self.account.clone();
        let (limits, now) = (ctx.limits, ctx.now);
        let stream = self.find_for_data(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        let mut made_up = String::new();
        let key = stream.key_of(q.partition_key.as_deref(), &mut made_up)?;
        stream.check_data(&q.data, limits)?;
        let hash = explicit.unwrap_or_else(|| HashKey::of_partition_key(key));
        if let Some(text) = &q.sequence_number_for_ordering {
            let valid = SequenceNumber::parse(text).is_some_and(|number| {
                number.record_secs <= now.secs()
                    && stream
                        .shards
                        .get(&number.shard)
                        .is_some_and(|shard| shard.created_secs == number.shard_created_secs && number.counter < shard.log.next())
            });
            if !valid {
                return Err(ServiceError::invalid_argument(format!(
                    "ExclusiveMinimumSequenceNumber {text} used in PutRecord on stream {} under account {account} is invalid.",
                    stream.name
                )));
            }
        }
        let mut totals = PutTotals::default();
        let placed = stream.place(now, limits, hash, Payload::Bytes { key, data: &q.data }, kpl::user_record_count(&q.data), &mut totals);
        stream.book(ctx, &totals);
        let dimensions = stream.dimensions();
        ctx.metrics.add(Metric::PutRecordSuccess, &dimensions, now, totals.accepted_records);
        ctx.metrics.add(Metric::PutRecordBytes, &dimensions, now, totals.accepted_bytes);
        let (Placed::Stored { shard, .. } | Placed::Throttled { shard }) = placed;
        stream.book_shard(ctx, shard, &totals);
        match placed {
            Placed::Stored { shard, counter } => Ok(PutRecordResponse {
                shard_id: shard_id(shard),
                sequence_number: stream.shards[&shard].sequence_number(counter, now).to_string(),
                encryption_type: (stream.encryption_type() == EncryptionType::Kms).then_some(EncryptionType::Kms),
            }),
            Placed::Throttled { shard } => {
                let text = rate_exceeded(shard, &stream.name, &account);
                ctx.journal.push(now, format!("stream {}", stream.name), "throttled", format!("PutRecord refused on {}", shard_id(shard)), true);
                Err(ServiceError::throughput_exceeded(text))
            }
        }
    }

    pub(super) fn put_records(&mut self, ctx: &mut Ctx<'_>, q: &PutRecordsRequest) -> Result<PutRecordsResponse, ServiceError> {
        dry_run(q.dry_run)?;
        let account = self.account.clone();
        let (limits, now) = (ctx.limits, ctx.now);
        let stream = self.find_for_data(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        let mut total_bytes = 0u64;
        let mut made_up: Vec<String> = Vec::new();
        if stream.distribution == RecordDistributionStrategy::Auto {
            made_up = (0..q.records.len() as u64).map(|i| format!("auto-{}", stream.accepted_records + i)).collect();
        }
        let mut entries = Vec::with_capacity(q.records.len());
        for (index, record) in q.records.iter().enumerate() {
            let key = match (record.partition_key.as_deref(), made_up.get(index)) {
                (Some(key), _) => key,
                (None, Some(key)) => key,
                (None, None) => return Err(ServiceError::invalid_argument(format!("PartitionKey is required for stream {}.", stream.name))),
            };
            stream.check_data(&record.data, limits)?;
            total_bytes += (record.data.len() + key.len()) as u64;
            entries.push(PutEntry { key, explicit_hash: explicit_hash(record.explicit_hash_key.as_deref())?, data: &record.data });
        }
        if total_bytes > limits.put_records_bytes {
            return Err(ServiceError::invalid_argument(format!("Records size exceeds {} MB limit", limits.put_records_bytes / MIB)));
        }
        let mut totals = PutTotals::default();
        let mut placed = Vec::with_capacity(entries.len());
        stream.place_batch(now, limits, &entries, &mut totals, |fate| placed.push(fate));
        stream.book(ctx, &totals);
        stream.book_put_records(ctx, &totals, 1);
        if !stream.shard_metrics.is_empty() {
            stream.book_shards_of(ctx, &entries, &placed);
        }
        if totals.refused_records > 0 {
            let mut shards: Vec<u32> =
                placed.iter().filter_map(|fate| if let Placed::Throttled { shard } = fate { Some(*shard) } else { None }).collect();
            shards.sort_unstable();
            shards.dedup();
            let shards = shards.iter().map(|shard| format!("{shard:04}")).collect::<Vec<_>>().join(", ");
            ctx.journal.push(
                now,
                format!("stream {}", stream.name),
                "throttled",
                format!("PutRecords {} sent, {} ProvisionedThroughputExceeded on {shards}", entries.len(), totals.refused_records),
                true,
            );
        }
        let records = placed
            .iter()
            .map(|fate| match *fate {
                Placed::Stored { shard, counter } => PutRecordsResultEntry {
                    sequence_number: Some(stream.shards[&shard].sequence_number(counter, now).to_string()),
                    shard_id: Some(shard_id(shard)),
                    error_code: None,
                    error_message: None,
                },
                Placed::Throttled { shard } => PutRecordsResultEntry {
                    sequence_number: None,
                    shard_id: None,
                    error_code: Some(ErrorCode::ProvisionedThroughputExceededException.name().to_owned()),
                    error_message: Some(rate_exceeded(shard, &stream.name, &account)),
                },
            })
            .collect();
        Ok(PutRecordsResponse {
            failed_record_count: Some(totals.refused_records as i32),
            records,
            encryption_type: (stream.encryption_type() == EncryptionType::Kms).then_some(EncryptionType::Kms),
        })
    }
}

impl DataStream {
    /// Shard-level sums of a batch.
    fn book_shards_of(&self, ctx: &mut Ctx<'_>, entries: &[PutEntry<'_>], placed: &[Placed]) {
        let mut sums: std::collections::BTreeMap<u32, PutTotals> = std::collections::BTreeMap::new();
        for (entry, fate) in entries.iter().zip(placed) {
            let bytes = (entry.key.len() + entry.data.len()) as u64;
            match fate {
                Placed::Stored { shard, .. } => {
                    let sum = sums.entry(*shard).or_default();
                    sum.accepted_records += 1;
                    sum.accepted_bytes += bytes;
                }
                Placed::Throttled { shard } => sums.entry(*shard).or_default().refused_records += 1,
            }
        }
        for (shard, sum) in sums {
            self.book_shard(ctx, shard, &sum);
        }
    }
}

/// AWS's text of a refused write or read.
pub(super) fn rate_exceeded(shard: u32, stream: &str, account: &str) -> String {
    format!("Rate exceeded for shard {} in stream {stream} under account {account}.", shard_id(shard))
}
