//! The Kinesis Agent without its files: configuration, cutting bytes into records, processing, and which file to read next.
//!
//! Everything here is a function of bytes and directory listings, so that rotation and truncation are tested without a disk. The front end
//! opens the files and hands what [`Flow`]s make of them to the session as commands.
//!
//! Source: the agent's documented configuration and processing options; decisions are in `docs/fidelity.md`.

pub mod config;
mod convert;
mod split;
mod tail;

pub use config::{AgentConfig, Destination, Flow};
pub use convert::Converted;
pub use split::Splitter;
pub use tail::{Disk, FileId, Look, Place, Seen, Tail, Tally};

use crate::engine::command::Ingested;
use crate::engine::kinesis::hash::HashKey;
use crate::engine::limits::MIB;
use crate::engine::random;

use config::PartitionKeyOption;

/// Largest record of a delivery stream, bytes.
const DELIVERY_RECORD_MAX: usize = 1_024_000;

impl Flow {
    /// The record of a piece of a file as the stream gets it: processed, cut to the size limit, with its partition key. `index` counts the
    /// flow's records and, with the seed, gives the random keys.
    pub fn record(&self, piece: &[u8], seed: u64, index: u64) -> Converted<Ingested> {
        let mut data = match self.convert(piece) {
            Converted::Record(data) => data,
            Converted::Skipped(why) => return Converted::Skipped(why),
        };
        let key = |data: &[u8]| match self.partition_key {
            // The agent writes a random double as text.
            PartitionKeyOption::Random => {
                let draw = random::mix(seed ^ random::mix(index.wrapping_add(0x6b69_6e65_7369_7361)));
                format!("0.{:016}", (u128::from(draw) * 10_000_000_000_000_000) >> 64)
            }
            PartitionKeyOption::Deterministic => format!("{:032x}", HashKey::of_bytes(data).0),
        };
        let limit = match self.destination {
            // Key and data together must fit; a key has at most 32 bytes.
            Destination::Stream(_) => MIB as usize - 32,
            Destination::DeliveryStream(_) => DELIVERY_RECORD_MAX,
        };
        if data.len() > limit {
            data.truncate(limit.saturating_sub(self.terminator.len()));
            data.extend_from_slice(self.terminator.as_bytes());
        }
        Converted::Record(Ingested { key: key(&data), data: data.into() })
    }
}
