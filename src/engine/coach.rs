//! The coach: named lints over the state of the world, each a sentence that says cause and way out.

use super::consumers::{Consumer, ReaderState};
use super::kinesis::{Kinesis, shard_id};
use super::limits::Limits;
use super::producers::{Producer, State};
use super::time::{VirtualDuration, VirtualTime};
use super::view::CoachLine;

/// A shard is hot above this share of its limit while the others together stay below [`COOL_PERMILLE`].
const HOT_PERMILLE: u64 = 950;
const COOL_PERMILLE: u64 = 700;
/// An iterator age that deserves a word.
const AGE: VirtualDuration = VirtualDuration::from_secs(30);
/// A replay lag that deserves a word.
const LAG: VirtualDuration = VirtualDuration::from_secs(5);

/// Everything the coach has to say now, most urgent first.
pub fn look(now: VirtualTime, limits: &Limits, kinesis: &Kinesis, producers: &[Producer], consumers: &[Consumer]) -> Vec<CoachLine> {
    let mut lines = Vec::new();
    let mut say = |lint: &str, resource: String, text: String| lines.push(CoachLine { lint: lint.to_owned(), resource, text, since: now });
    for stream in kinesis.streams() {
        let open = stream.open_shards();
        if open.is_empty() || !limits.enforce_throughput {
            continue;
        }
        let share =
            |records: u64, bytes: u64| (records * 1000 / limits.shard_write_records.max(1)).max(bytes * 1000 / limits.shard_write_bytes.max(1));
        let demand: Vec<(u64, u64, &crate::engine::kinesis::shard::Shard)> = open
            .iter()
            .map(|shard| {
                let load = shard.loads.last(now);
                (share(load.accepted_records + load.refused_records, load.accepted_bytes + load.refused_bytes), load.refused_records, *shard)
            })
            .collect();
        let total: u64 = demand.iter().map(|(share, ..)| share).sum();
        if let Some((hottest, _, shard)) = demand.iter().max_by_key(|(share, _, shard)| (*share, std::cmp::Reverse(shard.number))).copied() {
            let others = (total - hottest) / (demand.len() as u64 - 1).max(1);
            if demand.len() > 1 && hottest >= HOT_PERMILLE && others < COOL_PERMILLE {
                let key = shard.hot_keys.hottest(now).map_or_else(String::new, |(_, share)| {
                    format!(" One partition key carries {} % of it: a split cannot help, spread the key.", share / 10)
                });
                say(
                    "hot-shard",
                    format!("stream {}", stream.name),
                    format!("Shard {:04} takes {} % of its write limit, the others {} % on average.{key}", shard.number, hottest / 10, others / 10),
                );
            } else if demand.iter().filter(|(_, refused, _)| *refused > 0).count() * 2 > demand.len() {
                let load = stream.loads.last(now);
                let by_records = load.accepted_records * 1000 / (limits.shard_write_records * demand.len() as u64).max(1);
                let by_bytes = load.accepted_bytes * 1000 / (limits.shard_write_bytes * demand.len() as u64).max(1);
                let (limit, other, way) = if by_records >= by_bytes {
                    (
                        format!("records ({} %)", by_records / 10),
                        format!("bytes are at {} %", by_bytes / 10),
                        "more shards, or bigger records by aggregation",
                    )
                } else {
                    (format!("bytes ({} %)", by_bytes / 10), format!("records are at {} %", by_records / 10), "more shards")
                };
                say("stream-full", format!("stream {}", stream.name), format!("All shards are at their limit of {limit} while {other}: {way}."));
            }
        }
    }
    for producer in producers.iter().filter(|producer| producer.state.is_active()) {
        if producer.lag() >= LAG {
            let blocked = if producer.state == State::Blocked { " It has as many records outstanding as it allows itself and waits." } else { "" };
            say(
                "replay-lag",
                format!("producer {}", producer.name),
                format!("{} is {} s behind its schedule.{blocked}", producer.name, producer.lag().as_secs()),
            );
        }
        if producer.total.lost > 0 {
            say("records-lost", format!("producer {}", producer.name), format!("{} has given up {} records.", producer.name, producer.total.lost));
        }
    }
    for consumer in consumers {
        if let Some((shard, behind)) = consumer.behind().max_by_key(|(shard, behind)| (*behind, std::cmp::Reverse(*shard)))
            && behind >= AGE.as_millis()
        {
            say(
                "iterator-age",
                format!("consumer {}", consumer.name),
                format!("{} is {} s behind on {}.", consumer.name, behind / 1000, shard_id(shard)),
            );
        }
        let open = kinesis.stream(&consumer.settings.stream).map_or(0, super::kinesis::stream::DataStream::open_count);
        let reading = consumer.readers().filter(|state| *state != ReaderState::Finished).count() as u64;
        if reading > 0 && reading < open && !consumer.settings.all_shards {
            say(
                "one-shard-reader",
                format!("consumer {}", consumer.name),
                format!("{} reads {reading} of {open} open shards: the rest is never seen.", consumer.name),
            );
        }
    }
    lines
}
