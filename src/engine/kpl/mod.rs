//! The KPL aggregation format: several user records in one Kinesis record.
//!
//! Data = magic `F3 89 9A C2`, a protobuf message, the MD5 of the message. The message holds a table of partition keys, a table of explicit
//! hash keys, and the records, which refer to the tables by index. [`deaggregate`] follows the rules of the KCL: whatever does not fit is a
//! plain record, and an aggregate that was built for another shard is dropped whole, because its producer sends it again.

mod size;

use indexmap::IndexSet;
use md5::{Digest, Md5};

use super::kinesis::hash::HashKey;

use super::protobuf::{Field, Malformed, Reader, put_bytes, put_uint};
pub use size::AggregateSize;

/// What an aggregate begins with.
pub const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
/// Bytes of the MD5 at the end.
const DIGEST_BYTES: usize = 16;
/// Field numbers of `AggregatedRecord`.
const PARTITION_KEY_TABLE: u32 = 1;
const EXPLICIT_HASH_KEY_TABLE: u32 = 2;
const RECORDS: u32 = 3;
/// Field numbers of `Record`.
const PARTITION_KEY_INDEX: u32 = 1;
const EXPLICIT_HASH_KEY_INDEX: u32 = 2;
const DATA: u32 = 3;

/// Builds an aggregate.
#[derive(Debug, Clone, Default)]
pub struct Aggregator {
    keys: IndexSet<String>,
    explicit: IndexSet<String>,
    records: Vec<u8>,
}

impl Aggregator {
    /// Adds a user record.
    pub fn push(&mut self, key: &str, explicit_hash_key: Option<&str>, data: &[u8]) {
        let key = self.keys.get_index_of(key).unwrap_or_else(|| self.keys.insert_full(key.to_owned()).0);
        let mut record = Vec::with_capacity(data.len() + 16);
        put_uint(PARTITION_KEY_INDEX, key as u64, &mut record);
        if let Some(hash) = explicit_hash_key {
            let index = self.explicit.insert_full(hash.to_owned()).0;
            put_uint(EXPLICIT_HASH_KEY_INDEX, index as u64, &mut record);
        }
        put_bytes(DATA, data, &mut record);
        put_bytes(RECORDS, &record, &mut self.records);
    }

    /// The data of the Kinesis record.
    pub fn finish(self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for key in &self.keys {
            put_bytes(PARTITION_KEY_TABLE, key.as_bytes(), &mut out);
        }
        for hash in &self.explicit {
            put_bytes(EXPLICIT_HASH_KEY_TABLE, hash.as_bytes(), &mut out);
        }
        out.extend_from_slice(&self.records);
        let digest = Md5::digest(&out[MAGIC.len()..]);
        out.extend_from_slice(&digest);
        out
    }
}

/// A user record inside an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord<'d> {
    /// Its own partition key.
    pub partition_key: &'d str,
    /// Its explicit hash key, decimal text.
    pub explicit_hash_key: Option<&'d str>,
    /// Its data.
    pub data: &'d [u8],
    /// 0, 1, 2 … within the aggregate.
    pub sub_sequence_number: u64,
}

/// What a Kinesis record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deaggregated<'d> {
    /// No aggregate: the record is its own user record.
    Plain,
    /// The user records inside.
    Records(Vec<UserRecord<'d>>),
    /// One of the records belongs to another shard: the aggregate was built with an outdated shard map and is dropped whole.
    OutdatedShardMap,
}

/// Takes an aggregate apart, as the KCL does. `range` is the hash range of the shard it was read from.
pub fn deaggregate(data: &[u8], range: Option<(HashKey, HashKey)>) -> Deaggregated<'_> {
    let Some(message) = message(data) else { return Deaggregated::Plain };
    let (mut keys, mut explicit, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader::new(message);
    loop {
        match reader.next() {
            Ok(None) => break,
            Ok(Some((PARTITION_KEY_TABLE, Field::Bytes(bytes)))) => match std::str::from_utf8(bytes) {
                Ok(text) => keys.push(text),
                Err(_) => return Deaggregated::Plain,
            },
            Ok(Some((EXPLICIT_HASH_KEY_TABLE, Field::Bytes(bytes)))) => match std::str::from_utf8(bytes) {
                Ok(text) => explicit.push(text),
                Err(_) => return Deaggregated::Plain,
            },
            Ok(Some((RECORDS, Field::Bytes(bytes)))) => bodies.push(bytes),
            Ok(Some(_)) => {}
            Err(Malformed) => return Deaggregated::Plain,
        }
    }
    let mut records = Vec::with_capacity(bodies.len());
    for (number, body) in bodies.into_iter().enumerate() {
        let Ok(parts) = record_parts(body) else { return Deaggregated::Plain };
        // A required member is missing: the message does not parse.
        let (Some(key_index), Some(data)) = (parts.key, parts.data) else { return Deaggregated::Plain };
        let key = usize::try_from(key_index).ok().and_then(|index| keys.get(index));
        let hash = match parts.explicit {
            None => Some(None),
            Some(index) => usize::try_from(index).ok().and_then(|index| explicit.get(index)).map(|hash| Some(*hash)),
        };
        // An index outside its table: the KCL logs the record and goes on.
        let (Some(key), Some(explicit_hash_key)) = (key, hash) else { continue };
        if let Some((start, end)) = range {
            let hash = explicit_hash_key.and_then(|hash| hash.parse::<HashKey>().ok()).unwrap_or_else(|| HashKey::of_partition_key(key));
            if hash < start || hash > end {
                return Deaggregated::OutdatedShardMap;
            }
        }
        records.push(UserRecord { partition_key: key, explicit_hash_key, data, sub_sequence_number: number as u64 });
    }
    Deaggregated::Records(records)
}

/// The protobuf bytes of an aggregate whose MD5 is right.
fn message(data: &[u8]) -> Option<&[u8]> {
    let body = data.strip_prefix(&MAGIC)?;
    let (message, digest) = body.split_at_checked(body.len().checked_sub(DIGEST_BYTES)?)?;
    (Md5::digest(message)[..] == *digest).then_some(message)
}

struct Parts<'d> {
    key: Option<u64>,
    explicit: Option<u64>,
    data: Option<&'d [u8]>,
}

fn record_parts(body: &[u8]) -> Result<Parts<'_>, Malformed> {
    let mut parts = Parts { key: None, explicit: None, data: None };
    let mut reader = Reader::new(body);
    while let Some((number, field)) = reader.next()? {
        match (number, field) {
            (PARTITION_KEY_INDEX, Field::Uint(value)) => parts.key = Some(value),
            (EXPLICIT_HASH_KEY_INDEX, Field::Uint(value)) => parts.explicit = Some(value),
            (DATA, Field::Bytes(bytes)) => parts.data = Some(bytes),
            _ => {}
        }
    }
    Ok(parts)
}

/// User records inside a Kinesis record: 1 for a plain one.
#[inline]
pub fn user_record_count(data: &[u8]) -> u64 {
    if !data.starts_with(&MAGIC) {
        return 1;
    }
    match deaggregate(data, None) {
        Deaggregated::Records(records) => records.len() as u64,
        Deaggregated::Plain | Deaggregated::OutdatedShardMap => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        let mut aggregator = Aggregator::default();
        aggregator.push("a", None, b"one");
        aggregator.push("b", Some("5"), b"two");
        aggregator.push("a", None, b"");
        aggregator.finish()
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let data = sample();
        assert_eq!(data[..4], MAGIC);
        let expected: &[u8] = &[
            0x0a, 1, b'a', 0x0a, 1, b'b', 0x12, 1, b'5', 0x1a, 7, 0x08, 0, 0x1a, 3, b'o', b'n', b'e', 0x1a, 9, 0x08, 1, 0x10, 0, 0x1a, 3, b't', b'w',
            b'o', 0x1a, 4, 0x08, 0, 0x1a, 0,
        ];
        assert_eq!(&data[4..data.len() - 16], expected);
        let Deaggregated::Records(records) = deaggregate(&data, None) else { panic!("an aggregate") };
        assert_eq!(
            records.iter().map(|r| (r.partition_key, r.explicit_hash_key, r.data)).collect::<Vec<_>>(),
            [("a", None, b"one".as_slice()), ("b", Some("5"), b"two"), ("a", None, b"")]
        );
        assert_eq!(user_record_count(&data), 3);
        assert_eq!(user_record_count(b"plain"), 1);
    }

    #[test]
    fn a_record_of_another_shard_drops_all() {
        let data = sample();
        let everything = Some((HashKey::MIN, HashKey::MAX));
        assert!(matches!(deaggregate(&data, everything), Deaggregated::Records(_)));
        let half = Some((HashKey(6), HashKey::MAX));
        assert_eq!(deaggregate(&data, half), Deaggregated::OutdatedShardMap, "the explicit hash 5 lies outside");
    }

    proptest! {
        #[test]
        fn round_trip_and_size(records in proptest::collection::vec(("[a-z]{1,40}", proptest::collection::vec(any::<u8>(), 0..300)), 1..60)) {
            let mut aggregator = Aggregator::default();
            let mut size = AggregateSize::default();
            for (key, data) in &records {
                aggregator.push(key, None, data);
                size = size.with(HashKey::of_partition_key(key), key.len() as u64, data.len() as u64);
            }
            let bytes = aggregator.finish();
            prop_assert_eq!(size.bytes(), bytes.len() as u64);
            let Deaggregated::Records(back) = deaggregate(&bytes, None) else { panic!("an aggregate") };
            prop_assert_eq!(back.len(), records.len());
            for (record, (key, data)) in back.iter().zip(&records) {
                prop_assert_eq!((record.partition_key, record.data), (key.as_str(), data.as_slice()));
            }
        }

        #[test]
        fn damaged_aggregates_are_plain_records(at in 4usize..60, byte: u8) {
            let mut data = sample();
            let at = at.min(data.len() - 1);
            if data[at] != byte {
                data[at] = byte;
                prop_assert_eq!(deaggregate(&data, None), Deaggregated::Plain);
            }
        }

        #[test]
        fn any_message_with_a_right_digest_is_survived(message in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut data = MAGIC.to_vec();
            data.extend_from_slice(&message);
            data.extend_from_slice(&Md5::digest(&message));
            let _ = deaggregate(&data, Some((HashKey::MIN, HashKey::MAX)));
        }
    }
}
