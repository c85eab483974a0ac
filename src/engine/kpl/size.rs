//! The exact size of an aggregate while it grows, so that a producer can stop in time without encoding anything.

use super::super::kinesis::hash::HashKey;
use crate::engine::protobuf::uint_len;

/// Magic and MD5.
const FIXED: u64 = 20;

/// Size so far.
#[derive(Debug, Clone, Default)]
pub struct AggregateSize {
    bytes: u64,
    keys: Vec<HashKey>,
}

impl AggregateSize {
    /// With one more user record: the hash of its partition key tells whether the key is in the table already.
    pub fn with(mut self, key: HashKey, key_len: u64, data_len: u64) -> Self {
        let index = self.keys.iter().rposition(|known| *known == key).unwrap_or_else(|| {
            self.keys.push(key);
            self.bytes += 1 + uint_len(key_len) + key_len;
            self.keys.len() - 1
        });
        let record = 1 + uint_len(index as u64) + 1 + uint_len(data_len) + data_len;
        self.bytes += 1 + uint_len(record) + record;
        self
    }

    /// Bytes of the finished aggregate.
    pub fn bytes(&self) -> u64 {
        FIXED + self.bytes
    }
}
