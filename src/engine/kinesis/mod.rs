//! Kinesis Data Streams: streams, shards, limits, resharding, replay.

pub mod hash;
