//! What screens see of the streams.

use crate::engine::limits::Limits;
use crate::engine::time::VirtualTime;
use crate::engine::view::{KeyProbe, Load, RecordView, ShardView, StreamView, Wants};

use super::hash::HashKey;
use super::shard::Shard;
use super::store::{ReadBuffer, Remake};
use super::stream::DENSITY_BINS;
use super::{DataStream, Kinesis, shard_id};

/// Bytes of a record's text that a view carries.
const TEXT_BYTES: usize = 400;

/// `part` of `whole` in permille, capped so that a tiny limit cannot overflow the bars.
fn permille(part: u64, whole: u64) -> u32 {
    (part.saturating_mul(1000) / whole.max(1)).min(10_000) as u32
}

/// Demand of one second in permille of the limit that binds.
fn demand(load: &Load, limits: &Limits) -> u32 {
    permille(load.accepted_records + load.refused_records, limits.shard_write_records)
        .max(permille(load.accepted_bytes + load.refused_bytes, limits.shard_write_bytes))
}

/// A record's data as a line of text.
fn printable(data: &[u8]) -> String {
    let cut = &data[..data.len().min(TEXT_BYTES)];
    String::from_utf8_lossy(cut).chars().map(|c| if c.is_control() || c == '\u{fffd}' { '.' } else { c }).collect()
}

impl Shard {
    /// A stored record for display.
    pub fn record_view(&self, counter: u64, remake: &dyn Remake) -> Option<RecordView> {
        let mut buffer = ReadBuffer::default();
        let read = self.log.read(counter, remake, &mut buffer)?;
        Some(RecordView {
            sequence_number: self.sequence_number(counter, read.arrival).to_string(),
            arrived: read.arrival,
            partition_key: read.key.to_owned(),
            data_bytes: read.data.len() as u64,
            user_records: crate::engine::kpl::user_record_count(read.data),
            text: printable(read.data),
        })
    }

    fn view(&self, now: VirtualTime, limits: &Limits, wants: &Wants, remake: &dyn Remake) -> ShardView {
        let load = self.loads.last(now);
        let history = self.loads.history(now, wants.history_seconds.min(120)).iter().map(|load| demand(load, limits)).collect();
        let hot_key = self.hot_keys.hottest(now).and_then(|(counter, share)| {
            let mut buffer = ReadBuffer::default();
            self.log.read(counter, remake, &mut buffer).map(|read| (read.key.to_owned(), share))
        });
        ShardView {
            id: shard_id(self.number),
            number: self.number,
            open: self.is_open(),
            parent: self.parent,
            adjacent_parent: self.adjacent_parent,
            hash_start: self.start,
            hash_end: self.end,
            load,
            history,
            records_permille: permille(load.accepted_records, limits.shard_write_records),
            bytes_permille: permille(load.accepted_bytes, limits.shard_write_bytes),
            refused_permille: permille(load.refused_records, limits.shard_write_records).max(permille(load.refused_bytes, limits.shard_write_bytes)),
            behind_ms: None,
            stored_records: self.log.len(),
            hot_key,
            last_record: self.log.next().checked_sub(1).and_then(|counter| self.record_view(counter, remake)),
        }
    }
}

impl DataStream {
    fn view(&self, now: VirtualTime, limits: &Limits, wants: &Wants, remake: &dyn Remake) -> StreamView {
        let shown = wants.stream.as_deref().is_none_or(|name| name == &*self.name);
        let mut closed: Vec<&Shard> = self.shards.values().filter(|shard| !shard.is_open()).collect();
        closed.sort_by_key(|shard| std::cmp::Reverse(shard.number));
        let open = self.open_shards();
        let (open_shards, closed_shards) = (open.len() as u32, closed.len() as u32);
        let shards = if shown { open.iter().chain(closed.iter()).map(|shard| shard.view(now, limits, wants, remake)).collect() } else { Vec::new() };
        let bins = wants.key_bins.clamp(1, DENSITY_BINS);
        let mut key_density = vec![0u64; bins];
        if shown {
            for (bin, count) in self.density_now(now).into_iter().enumerate() {
                key_density[bin * bins / DENSITY_BINS] += count;
            }
        }
        let probe = wants.probe_key.as_deref().filter(|_| shown).and_then(|key| {
            let hash = HashKey::of_partition_key(key);
            self.map.shard_of(hash).map(|shard| KeyProbe { partition_key: key.to_owned(), hash, shard_id: shard_id(shard) })
        });
        StreamView {
            name: self.name.to_string(),
            status: self.status.as_str().to_owned(),
            mode: self.mode.as_str().to_owned(),
            retention_hours: self.retention_hours,
            encrypted: self.key_id.is_some(),
            open_shards,
            closed_shards,
            fanout_consumers: self.consumers.len() as u32,
            write_bytes_per_second: limits.shard_write_bytes,
            write_records_per_second: limits.shard_write_records,
            read_bytes_per_second: limits.shard_read_bytes,
            stored_records: self.shards.values().map(|shard| shard.log.len()).sum(),
            stored_bytes: self.shards.values().map(|shard| shard.log.stored_bytes()).sum(),
            load: self.loads.last(now),
            shards,
            key_density,
            probe,
        }
    }
}

impl Kinesis {
    /// All streams by name.
    pub fn view(&self, now: VirtualTime, limits: &Limits, wants: &Wants, remake: &dyn Remake) -> Vec<StreamView> {
        self.streams.values().map(|stream| stream.view(now, limits, wants, remake)).collect()
    }

    /// A stored record of a stream for display, by shard number and counter.
    pub fn record_view(&self, stream: &str, shard: u32, counter: u64, remake: &dyn Remake) -> Option<RecordView> {
        self.streams.get(stream)?.shards.get(&shard)?.record_view(counter, remake)
    }
}
