//! Where the records of a shard live: a log of sealed, shared segments and one open segment.
//!
//! A record is a [`Slot`] of 32 bytes. Data that came from outside is kept in the segment's blob (packed with LZ4 once a log has grown
//! large). Data that a generator made is not kept at all: the slot holds the generator's version, the record's index and its event time,
//! and the bytes are made again when somebody reads them. So ten minutes of Lab1 (3.4 million records of 450 bytes) take about 110 MB.
//! Invariants: arrivals never fall; counters of a log are consecutive; a sealed segment never changes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::time::VirtualTime;

/// Slots of a segment before it is sealed.
const SEGMENT_SLOTS: usize = 4096;
/// Bytes of a segment's blob before it is sealed.
const SEGMENT_BYTES: usize = 512 << 10;
/// A log that holds more raw bytes than this packs what it seals from then on.
const RAW_BYTES_PER_LOG: u64 = 24 << 20;
/// `Slot::source` of data kept in the blob.
const SOURCE_BLOB: u16 = 0;
/// `Slot::source` of a KPL aggregate made of generated records.
const SOURCE_AGGREGATE: u16 = u16::MAX;

/// Makes generated records again. A pure function: the same reference always gives the same bytes.
pub trait Remake {
    /// Appends the data of a generated record.
    fn data(&self, record: Remade, out: &mut Vec<u8>);
    /// Appends its partition key, given its data.
    fn key(&self, record: Remade, data: &[u8], out: &mut String);
}

/// A generated record: which generator version, which record, at which event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remade {
    /// Id of the generator version (1 … 65,534).
    pub source: u16,
    /// Index of the record in its generator's sequence.
    pub index: u64,
    /// Event time it was made for.
    pub event_time: VirtualTime,
}

/// What is put into a log.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// Bytes from outside.
    Bytes {
        /// Partition key.
        key: &'a str,
        /// Data.
        data: &'a [u8],
    },
    /// A generated record of the given sizes.
    Remade {
        /// The reference.
        record: Remade,
        /// Size of the data in bytes.
        data_len: u32,
        /// Size of the partition key in bytes.
        key_len: u16,
    },
    /// A KPL aggregate of generated records; its partition key is `a`.
    Aggregate {
        /// The user records inside.
        items: &'a Arc<[Remade]>,
        /// Size of the encoded aggregate in bytes.
        data_len: u32,
    },
}

impl Payload<'_> {
    /// Bytes that count against the limits: data and partition key.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Bytes { key, data } => (key.len() + data.len()) as u64,
            Self::Remade { data_len, key_len, .. } => u64::from(*data_len) + u64::from(*key_len),
            Self::Aggregate { data_len, .. } => u64::from(*data_len) + 1,
        }
    }
}

/// One record in a segment.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// When it was accepted.
    pub arrival: VirtualTime,
    place: u64,
    event_time: VirtualTime,
    data_len: u32,
    key_len: u16,
    source: u16,
}

impl Slot {
    /// Bytes of data.
    pub fn data_bytes(&self) -> u64 {
        u64::from(self.data_len)
    }
    /// Bytes of data and partition key.
    pub fn bytes(&self) -> u64 {
        u64::from(self.data_len) + u64::from(self.key_len)
    }
}

#[derive(Debug, Clone)]
enum Blob {
    Raw(Vec<u8>),
    Packed(Vec<u8>),
}

/// Consecutive records of one shard.
#[derive(Debug, Clone)]
pub struct Segment {
    base: u64,
    slots: Vec<Slot>,
    blob: Blob,
    aggregates: Vec<Arc<[Remade]>>,
}

impl Segment {
    fn new(base: u64) -> Self {
        Self { base, slots: Vec::new(), blob: Blob::Raw(Vec::new()), aggregates: Vec::new() }
    }

    fn end(&self) -> u64 {
        self.base + self.slots.len() as u64
    }

    fn raw_len(&self) -> u64 {
        match &self.blob {
            Blob::Raw(bytes) => bytes.len() as u64,
            Blob::Packed(_) => 0,
        }
    }

    fn is_full(&self) -> bool {
        self.slots.len() >= SEGMENT_SLOTS || self.raw_len() >= SEGMENT_BYTES as u64
    }

    fn pack(&mut self) {
        if let Blob::Raw(bytes) = &self.blob
            && !bytes.is_empty()
        {
            self.blob = Blob::Packed(lz4_flex::block::compress_prepend_size(bytes));
        }
    }
}

/// One record as a reader sees it; `key` and `data` are valid until the next record.
#[derive(Debug)]
pub struct Read<'a> {
    /// Counter of the record in its shard.
    pub counter: u64,
    /// When it was accepted.
    pub arrival: VirtualTime,
    /// Partition key.
    pub key: &'a str,
    /// Data.
    pub data: &'a [u8],
}

/// Scratch space of a reader.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    data: Vec<u8>,
    key: String,
    unpacked: Vec<u8>,
    unpacked_base: Option<u64>,
    parts: Vec<u8>,
}

/// The log of one shard.
#[derive(Debug, Clone)]
pub struct ShardLog {
    sealed: VecDeque<Arc<Segment>>,
    open: Arc<Segment>,
    first: u64,
    stored_bytes: u64,
    raw_bytes: u64,
}

impl Default for ShardLog {
    fn default() -> Self {
        // Counter 0 is the shard's StartingSequenceNumber; records begin at 1.
        Self { sealed: VecDeque::new(), open: Arc::new(Segment::new(1)), first: 1, stored_bytes: 0, raw_bytes: 0 }
    }
}

impl ShardLog {
    /// Counter of the oldest living record, or of the next one when there is none.
    pub fn first(&self) -> u64 {
        self.first
    }
    /// Counter that the next record will get.
    pub fn next(&self) -> u64 {
        self.open.end()
    }
    /// Living records.
    pub fn len(&self) -> u64 {
        self.next() - self.first
    }
    /// No living record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Bytes of living records, data and keys.
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    /// Appends a record and gives its counter.
    pub fn append(&mut self, arrival: VirtualTime, payload: Payload<'_>) -> u64 {
        if self.open.is_full() {
            self.seal();
        }
        let segment = Arc::make_mut(&mut self.open);
        if segment.slots.capacity() == 0 {
            segment.slots.reserve_exact(256);
        }
        let counter = segment.end();
        let slot = match payload {
            Payload::Bytes { key, data } => {
                let Blob::Raw(blob) = &mut segment.blob else { unreachable!("an open segment is never packed") };
                let place = blob.len() as u64;
                blob.extend_from_slice(key.as_bytes());
                blob.extend_from_slice(data);
                Slot { arrival, place, event_time: VirtualTime(0), data_len: data.len() as u32, key_len: key.len() as u16, source: SOURCE_BLOB }
            }
            Payload::Remade { record, data_len, key_len } => {
                Slot { arrival, place: record.index, event_time: record.event_time, data_len, key_len, source: record.source }
            }
            Payload::Aggregate { items, data_len } => {
                segment.aggregates.push(items.clone());
                let place = segment.aggregates.len() as u64 - 1;
                Slot { arrival, place, event_time: VirtualTime(0), data_len, key_len: 1, source: SOURCE_AGGREGATE }
            }
        };
        self.stored_bytes += slot.bytes();
        segment.slots.push(slot);
        counter
    }

    /// Closes the open segment so that checkpoints share it.
    pub fn seal(&mut self) {
        if self.open.slots.is_empty() {
            return;
        }
        let next = self.open.end();
        let mut segment = std::mem::replace(&mut self.open, Arc::new(Segment::new(next)));
        if let Some(segment) = Arc::get_mut(&mut segment) {
            if self.raw_bytes > RAW_BYTES_PER_LOG {
                segment.pack();
            } else {
                segment.slots.shrink_to_fit();
            }
        }
        self.raw_bytes += segment.raw_len();
        self.sealed.push_back(segment);
    }

    /// Forgets records that arrived before `horizon`.
    pub fn trim(&mut self, horizon: VirtualTime) {
        while let Some(segment) = self.sealed.front() {
            if segment.slots.last().is_some_and(|slot| slot.arrival >= horizon) {
                break;
            }
            let skip = self.first.saturating_sub(segment.base) as usize;
            self.stored_bytes -= segment.slots.iter().skip(skip).map(Slot::bytes).sum::<u64>();
            self.raw_bytes -= segment.raw_len();
            self.first = segment.end();
            self.sealed.pop_front();
        }
        while self.first < self.next() {
            let Some(slot) = self.slot(self.first) else { break };
            if slot.arrival >= horizon {
                break;
            }
            self.stored_bytes -= slot.bytes();
            self.first += 1;
        }
    }

    fn segment(&self, counter: u64) -> Option<&Segment> {
        if counter < self.first || counter >= self.next() {
            return None;
        }
        if counter >= self.open.base {
            return Some(&self.open);
        }
        let at = self.sealed.partition_point(|segment| segment.end() <= counter);
        self.sealed.get(at).map(|segment| &**segment)
    }

    /// The record's slot, when it is alive.
    pub fn slot(&self, counter: u64) -> Option<&Slot> {
        let segment = self.segment(counter)?;
        segment.slots.get((counter - segment.base) as usize)
    }

    /// The first living record that arrived at or after `at`; the next counter when there is none.
    pub fn first_at(&self, at: VirtualTime) -> u64 {
        let segments = self.sealed.iter().map(|segment| &**segment).chain(std::iter::once(&*self.open));
        for segment in segments {
            if segment.slots.last().is_some_and(|slot| slot.arrival >= at) {
                return (segment.base + segment.slots.partition_point(|slot| slot.arrival < at) as u64).max(self.first);
            }
        }
        self.next()
    }

    /// The record was made by a generator and is one user record.
    pub fn is_remade(&self, counter: u64) -> bool {
        self.slot(counter).is_some_and(|slot| slot.source != SOURCE_BLOB && slot.source != SOURCE_AGGREGATE)
    }

    /// User records inside a record: more than 1 for aggregates of generated records.
    pub fn aggregate_items(&self, counter: u64) -> Option<&Arc<[Remade]>> {
        let segment = self.segment(counter)?;
        let slot = segment.slots.get((counter - segment.base) as usize)?;
        if slot.source == SOURCE_AGGREGATE { segment.aggregates.get(slot.place as usize) } else { None }
    }

    /// Reads one record into `buffer`.
    pub fn read<'b>(&self, counter: u64, remake: &dyn Remake, buffer: &'b mut ReadBuffer) -> Option<Read<'b>> {
        let segment = self.segment(counter)?;
        let slot = *segment.slots.get((counter - segment.base) as usize)?;
        buffer.data.clear();
        buffer.key.clear();
        match slot.source {
            SOURCE_BLOB => {
                let raw: &[u8] = match &segment.blob {
                    Blob::Raw(bytes) => bytes,
                    Blob::Packed(bytes) => {
                        if buffer.unpacked_base != Some(segment.base) {
                            buffer.unpacked = lz4_flex::block::decompress_size_prepended(bytes).unwrap_or_default();
                            buffer.unpacked_base = Some(segment.base);
                        }
                        &buffer.unpacked
                    }
                };
                let start = slot.place as usize;
                let key_end = start + usize::from(slot.key_len);
                buffer.key.push_str(&String::from_utf8_lossy(raw.get(start..key_end)?));
                buffer.data.extend_from_slice(raw.get(key_end..key_end + slot.data_len as usize)?);
            }
            SOURCE_AGGREGATE => {
                buffer.key.push('a');
                encode_aggregate(segment.aggregates.get(slot.place as usize)?, remake, &mut buffer.parts, &mut buffer.data);
            }
            source => {
                let record = Remade { source, index: slot.place, event_time: slot.event_time };
                remake.data(record, &mut buffer.data);
                remake.key(record, &buffer.data, &mut buffer.key);
            }
        }
        Some(Read { counter, arrival: slot.arrival, key: &buffer.key, data: &buffer.data })
    }
}

/// Writes the KPL aggregate of generated records: the same bytes whenever it is asked for.
pub fn encode_aggregate(items: &[Remade], remake: &dyn Remake, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    let mut encoder = crate::engine::kpl::Aggregator::default();
    let mut key = String::new();
    for item in items {
        scratch.clear();
        key.clear();
        remake.data(*item, scratch);
        remake.key(*item, scratch, &mut key);
        encoder.push(&key, None, scratch);
    }
    out.extend_from_slice(&encoder.finish());
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers;
    impl Remake for Numbers {
        fn data(&self, record: Remade, out: &mut Vec<u8>) {
            out.extend_from_slice(format!("{}@{}", record.index, record.event_time.secs()).as_bytes());
        }
        fn key(&self, _: Remade, data: &[u8], out: &mut String) {
            out.push_str(&data.len().to_string());
        }
    }

    fn at(secs: u64) -> VirtualTime {
        VirtualTime::from_secs(secs)
    }

    #[test]
    fn bytes_and_generated_records_come_back() {
        let mut log = ShardLog::default();
        let mut buffer = ReadBuffer::default();
        assert_eq!(log.append(at(1), Payload::Bytes { key: "k", data: b"hello" }), 1);
        let record = Remade { source: 3, index: 42, event_time: at(7) };
        assert_eq!(log.append(at(2), Payload::Remade { record, data_len: 4, key_len: 1 }), 2);
        let read = log.read(1, &Numbers, &mut buffer).expect("alive");
        assert_eq!((read.key, read.data), ("k", b"hello".as_slice()));
        let read = log.read(2, &Numbers, &mut buffer).expect("alive");
        assert_eq!((read.key, read.data), ("4", b"42@7".as_slice()));
        assert_eq!(log.stored_bytes(), 6 + 5);
        assert!(log.read(3, &Numbers, &mut buffer).is_none());
    }

    #[test]
    fn trimming_keeps_the_accounts_and_packing_keeps_the_bytes() {
        let mut log = ShardLog::default();
        let mut buffer = ReadBuffer::default();
        let data = vec![7u8; 1000];
        // Far more than the raw limit, so that later segments are packed.
        for i in 0..60_000u64 {
            log.append(at(i / 1000), Payload::Bytes { key: "key", data: &data });
        }
        assert!(log.sealed.iter().any(|s| matches!(s.blob, Blob::Packed(_))));
        assert_eq!(log.len(), 60_000);
        let read = log.read(59_000, &Numbers, &mut buffer).expect("alive");
        assert_eq!((read.key, read.data.len(), read.arrival), ("key", 1000, at(58)));
        log.trim(at(30));
        assert_eq!((log.first(), log.len(), log.stored_bytes()), (30_001, 30_000, 30_000 * 1003));
        assert!(log.read(30_000, &Numbers, &mut buffer).is_none());
        assert_eq!(log.first_at(at(0)), 30_001);
        assert_eq!(log.first_at(at(45)), 45_001);
        assert_eq!(log.first_at(at(999)), log.next());
        log.trim(at(999));
        assert!(log.is_empty());
        assert_eq!(log.stored_bytes(), 0);
    }
}
