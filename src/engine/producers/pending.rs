//! A record on its way from a source to a stream.

use std::sync::Arc;

use crate::api::Blob;
use crate::engine::kinesis::hash::HashKey;
use crate::engine::kinesis::store::{Payload, Remade};
use crate::engine::time::VirtualTime;

/// What the record is.
#[derive(Debug, Clone)]
pub enum Body {
    /// Made by a generator; its bytes can be made again.
    Remade(Remade),
    /// Made by a generator, but with a partition key of the world's (hot key): (record, key).
    Keyed(Remade, Arc<str>),
    /// Bytes from outside: (partition key, data).
    Own(Arc<str>, Blob),
}

/// A user record in a producer's buffers.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Hash of its partition key.
    pub hash: HashKey,
    /// The record.
    pub body: Body,
    /// Size of the data in bytes.
    pub data_len: u32,
    /// Size of the partition key in bytes.
    pub key_len: u16,
    /// When its source handed it over.
    pub handed: VirtualTime,
    /// Event time, or the time it was handed over.
    pub event_time: VirtualTime,
    /// Attempts so far.
    pub attempts: u32,
}

impl Pending {
    /// Bytes that count against the limits.
    pub fn bytes(&self) -> u64 {
        u64::from(self.data_len) + u64::from(self.key_len)
    }

    /// As the stream takes it. A generated record with a foreign key is stored as bytes: `scratch` holds its data.
    pub fn payload<'p>(&'p self, scratch: &'p [u8]) -> Payload<'p> {
        match &self.body {
            Body::Remade(record) => Payload::Remade { record: *record, data_len: self.data_len, key_len: self.key_len },
            Body::Keyed(_, key) => Payload::Bytes { key, data: scratch },
            Body::Own(key, data) => Payload::Bytes { key, data },
        }
    }
}
