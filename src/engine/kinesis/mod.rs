//! Kinesis Data Streams: streams, shards, limits, resharding, replay.

pub mod bucket;
pub mod hash;
pub mod sequence;
