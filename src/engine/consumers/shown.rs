//! What a consumer prints of the records it reads, and how many user records they hold.

use crate::engine::kinesis::store::ReadBuffer;
use crate::engine::kinesis::{Ctx, DataStream, ReadRange};
use crate::engine::kpl;
use crate::engine::time::VirtualTime;

/// Characters of a record that are printed.
const TEXT: usize = 300;

/// User records of a range: aggregates count what is inside.
pub fn user_records(ctx: &Ctx<'_>, stream: &DataStream, shard: u32, range: &ReadRange) -> u64 {
    let Some(shard) = stream.shards.get(&shard) else { return 0 };
    let mut buffer = ReadBuffer::default();
    (range.first..range.next)
        .map(|counter| {
            if let Some(items) = shard.log.aggregate_items(counter) {
                return items.len() as u64;
            }
            if shard.log.is_remade(counter) {
                return 1;
            }
            shard.log.read(counter, ctx.remake, &mut buffer).map_or(1, |read| kpl::user_record_count(read.data))
        })
        .sum()
}

/// Lines for the newest records of a range that differ in kind: the first record and the first one of another shape.
pub fn lines(ctx: &Ctx<'_>, stream: &DataStream, shard: u32, range: &ReadRange, most: usize) -> Vec<(VirtualTime, String)> {
    let Some(log) = stream.shards.get(&shard).map(|shard| &shard.log) else { return Vec::new() };
    let mut buffer = ReadBuffer::default();
    let mut lines = Vec::new();
    let mut lengths: Vec<usize> = Vec::new();
    for counter in range.first..range.next {
        if lines.len() >= most {
            break;
        }
        let Some(read) = log.read(counter, ctx.remake, &mut buffer) else { continue };
        // Records of a kind have about one length: one of each kind is enough to see what flows.
        let length = read.data.len();
        if lengths.iter().any(|seen| seen.abs_diff(length) < 100) {
            continue;
        }
        lengths.push(length);
        let text: String = String::from_utf8_lossy(read.data).chars().take(TEXT).map(|c| if c.is_control() { '.' } else { c }).collect();
        lines.push((read.arrival, text));
    }
    lines
}
