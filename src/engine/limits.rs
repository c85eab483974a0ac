//! The quotas of both eras. Source: `reference` chapters 5 and 11 of Kinesis Data Streams; see `docs/fidelity.md`.

use serde::{Deserialize, Serialize};

/// One mebibyte in bytes.
pub const MIB: u64 = 1 << 20;
/// One kibibyte in bytes.
pub const KIB: u64 = 1 << 10;

/// Which year's limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Era {
    /// The limits of the workshop (2018–2019).
    #[serde(rename = "deck-2018")]
    Deck2018,
    /// Today's limits.
    #[default]
    #[serde(rename = "current")]
    Current,
}

impl Era {
    /// The name in lab files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deck2018 => "deck-2018",
            Self::Current => "current",
        }
    }
}

/// Limits in force. Rates are per second; sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The era they belong to.
    pub era: Era,
    /// Throughput limits are enforced; off = a plain functional stream.
    pub enforce_throughput: bool,
    /// Call-rate limits of control operations are enforced.
    pub enforce_call_rates: bool,
    /// Write bytes per second of one shard.
    pub shard_write_bytes: u64,
    /// Written records per second of one shard.
    pub shard_write_records: u64,
    /// Read bytes per second of one shard.
    pub shard_read_bytes: u64,
    /// GetRecords calls per second of one shard.
    pub shard_read_calls: u64,
    /// Largest answer of one GetRecords call.
    pub get_records_bytes: u64,
    /// Largest PutRecords call.
    pub put_records_bytes: u64,
    /// Default record limit of a stream, bytes of data.
    pub record_bytes: u64,
    /// Longest retention, hours.
    pub retention_hours_max: u32,
    /// Fan-out consumers per stream.
    pub fanout_consumers: usize,
    /// Open shards of the account.
    pub account_shards: u64,
    /// Largest target of UpdateShardCount.
    pub update_shard_count_max: u64,
    /// UpdateShardCount calls in 24 hours.
    pub update_shard_count_calls: usize,
    /// Streams that may be CREATING at a time.
    pub creating_streams: usize,
    /// ListStreams page.
    pub list_streams_page: usize,
    /// On-demand mode and everything else after 2019 exists.
    pub modern: bool,
}

impl Limits {
    /// The limits of an era.
    pub fn of(era: Era) -> Self {
        let modern = era == Era::Current;
        Self {
            era,
            enforce_throughput: true,
            enforce_call_rates: false,
            shard_write_bytes: MIB,
            shard_write_records: 1000,
            shard_read_bytes: 2 * MIB,
            shard_read_calls: 5,
            get_records_bytes: 10 * MIB,
            put_records_bytes: if modern { 10 * MIB } else { 5 * MIB },
            record_bytes: MIB,
            retention_hours_max: if modern { 8760 } else { 168 },
            fanout_consumers: if modern { 20 } else { 5 },
            account_shards: if modern { 20_000 } else { 500 },
            update_shard_count_max: if modern { 10_000 } else { 500 },
            update_shard_count_calls: if modern { 10 } else { 2 },
            creating_streams: 5,
            list_streams_page: if modern { 100 } else { 10 },
            modern,
        }
    }
}
