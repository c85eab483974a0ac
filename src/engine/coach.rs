//! The coach: named lints over the state of the world, each a sentence that says cause and way out.

use super::consumers::{Consumer, ReaderState};
use super::firehose::stream::{Closed, Delivered};
use super::kinesis::{Kinesis, shard_id};
use super::limits::Limits;
use super::producers::{Producer, State};
use super::services::Services;
use super::time::{VirtualDuration, VirtualTime};
use super::view::CoachLine;

/// A shard is hot above this share of its limit while the others together stay below [`COOL_PERMILLE`].
const HOT_PERMILLE: u64 = 950;
const COOL_PERMILLE: u64 = 700;
/// An iterator age that deserves a word.
const AGE: VirtualDuration = VirtualDuration::from_secs(30);
/// A replay lag that deserves a word.
const LAG: VirtualDuration = VirtualDuration::from_secs(5);

/// Objects smaller than this are tiny, when the interval closes the buffer again and again.
const TINY_BYTES: u64 = 64 << 10;
const TINY_OBJECTS: usize = 5;
/// An application without rows deserves a word after this time.
const NO_ROWS: VirtualDuration = VirtualDuration::from_secs(60);

/// A lint: its name, and what is behind it.
#[derive(Debug, Clone, Copy)]
pub struct Lint {
    /// Name, as `coach mute` takes it.
    pub name: &'static str,
    /// What is behind it and what to do, in two or three sentences.
    pub explanation: &'static str,
}

/// All lints.
pub static LINTS: &[Lint] = &[
    Lint {
        name: "hot-shard",
        explanation: "One shard gets much more than its share of the writes while the others have room. The partition key decides the shard: when many \
                      keys fall there by chance, split it; when one key carries the load, a split cannot help, for a key has one shard. Spread it over several keys.",
    },
    Lint {
        name: "stream-full",
        explanation: "Most shards refuse writes: the stream as a whole is too small for this load. The sentence names the limit that binds. When it is \
                      the number of records, pack several into one (KPL aggregation) before buying shards; when it is bytes, only shards help.",
    },
    Lint {
        name: "retry-storm",
        explanation: "More is refused than accepted, and what is refused is sent again at once: the attempts themselves use up the limit. Back off \
                      with jitter, send less at once, or make the stream larger; the same records will then need fewer attempts.",
    },
    Lint {
        name: "replay-lag",
        explanation: "The producer's schedule says that an event should be sent, and it cannot be: it waits for acknowledgements. Its lag grows as long \
                      as the stream takes less than the schedule wants. Compare the records per second of both.",
    },
    Lint {
        name: "records-lost",
        explanation: "Records were given up: their time to live ran out in the producer, or an error was not retried. They are counted, and nowhere else.",
    },
    Lint {
        name: "iterator-age",
        explanation: "The age of the last record read grows when a reader reads less than arrives. All polling readers of a shard share 2 MiB/s and five \
                      calls a second: read larger batches, add shards, or give the reader its own throughput with enhanced fan-out. After the retention, records are gone.",
    },
    Lint {
        name: "one-shard-reader",
        explanation: "The reader took an iterator for some shards only. ListShards names them all; a split or a merge makes new ones later. A KCL does this for you.",
    },
    Lint {
        name: "tiny-objects",
        explanation: "The interval closes the buffer before much is in it, so every object is small; queries over many small objects are slow, and each \
                      one is a PUT request. Raise the interval up to 900 s, or let several sources share a delivery stream.",
    },
    Lint {
        name: "error-prefix",
        explanation: "Records went to the error prefix instead of the destination. Each line there has the reason and the record in base64: select one \
                      and compare it with what the function or the table expects.",
    },
    Lint {
        name: "window-never-closes",
        explanation: "Rows come in and none come out. A window closes when a row with a later ROWTIME arrives, never by itself; a filter may let nothing \
                      pass; a pump may not exist. The sentence names the first stage that stops the flow.",
    },
    Lint {
        name: "error-rows",
        explanation: "Rows failed in the application and became rows of error_stream: a value did not fit its column, or an expression failed. Select \
                      MESSAGE and DATA_ROW from error_stream. The other rows go on.",
    },
    Lint {
        name: "application-behind",
        explanation: "The application has not read its source to the tip: its windows close late. Its preprocessing function fails and is tried again, \
                      or its reads are refused because all pollers of a shard share 5 calls and 2 MB a second. Mend the function, or take a poller away.",
    },
    Lint {
        name: "rows-undelivered",
        explanation: "A destination does not take the rows of an output: they wait and are offered again, a function gets them with a higher retryHint. \
                      An application with 100,000 rows waiting reads no further. Look at the answers of the function, or at the limits of the stream.",
    },
];

/// An application that is less behind its source than that is not told of, milliseconds.
const BEHIND_MS: u64 = 5000;

/// A lint by its name.
pub fn lint(name: &str) -> Option<&'static Lint> {
    LINTS.iter().find(|lint| lint.name == name)
}

/// Everything the coach has to say now, most urgent first.
pub fn look(
    now: VirtualTime,
    limits: &Limits,
    kinesis: &Kinesis,
    producers: &[Producer],
    consumers: &[Consumer],
    services: &Services,
) -> Vec<CoachLine> {
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
        let (_, acknowledged, refused) = producer.last_second();
        if refused > acknowledged.max(100) {
            say(
                "retry-storm",
                format!("producer {}", producer.name),
                format!(
                    "{} had {refused} attempts refused in the last second and {acknowledged} records accepted: it sends again and again.",
                    producer.name
                ),
            );
        }
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
    for stream in services.firehose.streams() {
        let resource = format!("delivery stream {}", stream.name);
        let newest: Vec<_> = stream.objects.iter().rev().filter(|object| !object.errors).take(TINY_OBJECTS).collect();
        let tiny =
            |object: &&Delivered| object.closed == Closed::Interval && object.bytes < TINY_BYTES && object.bytes * 20 < stream.settings.size_bytes;
        if newest.len() == TINY_OBJECTS && newest.iter().all(tiny) {
            let mean = newest.iter().map(|object| object.bytes).sum::<u64>() / TINY_OBJECTS as u64;
            let interval = stream.settings.interval.as_secs();
            let text = format!(
                "{} writes objects of {} KiB: its interval of {interval} s closes the buffer long before it is full.",
                stream.name,
                mean / 1024
            );
            say("tiny-objects", resource.clone(), text);
        }
        if stream.tally.failed > 0 {
            let text = format!("{} records of {} lie below the error prefix.", stream.tally.failed, stream.name);
            say("error-prefix", resource, text);
        }
    }
    for application in services.analytics.applications() {
        let resource = format!("application {}", application.name);
        if let Some(why) = application.without_rows(now, NO_ROWS) {
            say("window-never-closes", resource.clone(), why);
        }
        if let Some(why) = application.behind(BEHIND_MS) {
            say("application-behind", resource.clone(), why);
        }
        for output in &application.outputs {
            if let Some(why) = output.trouble.as_ref().filter(|_| output.waiting() > 0) {
                let text = format!("rows of {} wait for {}, {} in all: {why}.", output.stream, output.to.text(), output.waiting());
                say("rows-undelivered", resource.clone(), text);
            }
        }
        let errors = application.error_rows();
        if errors > 0 {
            say("error-rows", resource, format!("{errors} rows of {} failed: error_stream says why.", application.name));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lint_is_explained_and_named_where_it_is_said() {
        let text = include_str!("coach.rs");
        for lint in LINTS {
            assert!(lint.explanation.len() > 80 && lint.explanation.ends_with('.'), "{}", lint.name);
            let said = text.matches(&format!("\"{}\"", lint.name)).count();
            assert!(said >= 2, "{} is explained and never said", lint.name);
        }
        assert!(lint("hot-shard").is_some() && lint("cold-shard").is_none());
    }
}
