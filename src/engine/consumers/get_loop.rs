//! The deck's Get* loop: list the shards, take an iterator, call GetRecords, sleep, again.

use crate::engine::kinesis::{Ctx, DataStream, ReadRequest, shard_id};

use super::{Consumer, Reader, ReaderState, shown};

/// Records printed of one answer.
const LINES: usize = 2;

impl Consumer {
    pub(super) fn poll_get_loop(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream) {
        let now = ctx.now;
        stream.trim(now);
        if self.readers.is_empty() {
            let wanted = if self.settings.all_shards { usize::MAX } else { 1 };
            let numbers: Vec<u32> = stream.shards.keys().copied().take(wanted).collect();
            for number in numbers {
                let shard = &stream.shards[&number];
                let next = stream.position(shard, self.settings.position, None, Some(now));
                self.readers.insert(number, Reader::new(next, self.settings.position.as_str()));
            }
            if !self.settings.all_shards && stream.shards.len() > 1 {
                self.say(now, format!("reading {} only (Shards[0] of {})", shard_id(*self.readers.keys().next().unwrap_or(&0)), stream.shards.len()));
            }
        }
        let numbers: Vec<u32> = self.readers.iter().filter(|(_, reader)| reader.state != ReaderState::Finished).map(|(number, _)| *number).collect();
        for number in numbers {
            let request = ReadRequest { shard: number, next: self.readers[&number].next, limit: self.settings.limit, max_bytes: u64::MAX };
            let Some(range) = stream.poll(ctx, request) else {
                let gone = !stream.shards.contains_key(&number);
                if let Some(reader) = self.readers.get_mut(&number) {
                    reader.state = if gone { ReaderState::Finished } else { ReaderState::Throttled };
                }
                continue;
            };
            self.processed(ctx, stream, number, &range, false);
            for (at, text) in shown::lines(ctx, stream, number, &range, LINES) {
                self.say(at, text);
            }
            if range.at_end {
                self.say(now, format!("{} is closed and read to its end", shard_id(number)));
                // Without ChildShards (2018) a plain loop does not find the children by itself.
                if ctx.limits.modern && self.settings.all_shards {
                    for child in stream.children(number).iter().filter_map(|child| crate::engine::kinesis::shard_number(&child.shard_id)) {
                        let first = stream.shards.get(&child).map_or(0, |shard| shard.log.first());
                        self.readers.entry(child).or_insert_with(|| Reader::new(first, "TRIM_HORIZON"));
                    }
                }
            }
        }
    }
}
