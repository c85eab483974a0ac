//! Enhanced fan-out: register, wait for ACTIVE, subscribe to every shard, take what is pushed, subscribe again after five minutes.

use crate::api::ErrorCode;
use crate::api::kinesis::{ConsumerStatus, RegisterStreamConsumerRequest, ShardIteratorType, StartingPosition, SubscribeToShardRequest};
use crate::engine::kinesis::fanout::Pushed;
use crate::engine::kinesis::{Ctx, Kinesis, shard_id, shard_number};
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::{Consumer, Reader, ReaderState, State};

/// Records are pushed about 70 ms after they arrive.
const PUSH_EVERY: VirtualDuration = VirtualDuration::from_millis(70);
/// How often the registration is looked at.
const WAIT: VirtualDuration = VirtualDuration::from_millis(500);

impl Consumer {
    pub(super) fn poll_fanout(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis) -> Option<VirtualTime> {
        let now = ctx.now;
        let stream_arn = kinesis.arn(&self.settings.stream);
        let registered = kinesis.stream(&self.settings.stream)?.consumers.get(&self.name).map(|consumer| (consumer.status, consumer.created.secs()));
        let created = match registered {
            None => {
                let request = RegisterStreamConsumerRequest { stream_arn, consumer_name: self.name.to_string(), tags: None };
                if let Err(error) = kinesis.call(ctx, &request.into()) {
                    if error.code == ErrorCode::LimitExceededException || error.code == ErrorCode::ResourceInUseException {
                        self.say(now, format!("RegisterStreamConsumer: {error}"));
                    }
                    self.state = State::Failed;
                    ctx.journal.push(now, format!("consumer {}", self.name), "failed", error.to_string(), true);
                    return None;
                }
                return Some(now + WAIT);
            }
            Some((ConsumerStatus::Active, created)) => created,
            Some(_) => return Some(now + WAIT),
        };
        let consumer_arn = format!("{stream_arn}/consumer/{}:{created}", self.name);
        if self.readers.is_empty() {
            let stream = kinesis.stream_mut(&self.settings.stream)?;
            stream.trim(now);
            for number in stream.shards.keys().copied().collect::<Vec<_>>() {
                let next = stream.position(&stream.shards[&number], self.settings.position, None, Some(now));
                self.readers.insert(number, Reader::new(next, self.settings.position.as_str()));
            }
        }
        let numbers: Vec<u32> = self.readers.keys().copied().collect();
        for number in numbers {
            if self.readers[&number].state == ReaderState::Finished || !self.parents_finished(kinesis, number) {
                continue;
            }
            if !self.subscriptions.contains_key(&number) {
                self.subscribe(ctx, kinesis, &consumer_arn, number);
            }
            let Some(id) = self.subscriptions.get(&number).copied() else { continue };
            match kinesis.push(ctx, id) {
                Pushed::Ended => {
                    self.subscriptions.remove(&number);
                    let gone = kinesis.stream(&self.settings.stream).is_none_or(|stream| !stream.shards.contains_key(&number));
                    if gone && let Some(reader) = self.readers.get_mut(&number) {
                        reader.state = ReaderState::Finished;
                    }
                }
                Pushed::Range(range) => {
                    let stream = kinesis.stream(&self.settings.stream)?;
                    self.processed(ctx, stream, number, &range, true);
                    if range.at_end {
                        self.subscriptions.remove(&number);
                        for child in stream.children(number).iter().filter_map(|child| shard_number(&child.shard_id)) {
                            let first = stream.shards.get(&child).map_or(0, |shard| shard.log.first());
                            self.readers.entry(child).or_insert_with(|| Reader::new(first, "TRIM_HORIZON"));
                        }
                    }
                }
            }
        }
        Some(now + PUSH_EVERY)
    }

    /// All parents that this consumer reads are read to their end.
    fn parents_finished(&mut self, kinesis: &Kinesis, number: u32) -> bool {
        let Some(shard) = kinesis.stream(&self.settings.stream).and_then(|stream| stream.shards.get(&number)) else { return true };
        let waiting = self.settings.parents_first
            && [shard.parent, shard.adjacent_parent]
                .into_iter()
                .flatten()
                .any(|parent| self.readers.get(&parent).is_some_and(|reader| reader.state != ReaderState::Finished));
        if let Some(reader) = self.readers.get_mut(&number) {
            if waiting {
                reader.state = ReaderState::WaitingForParents;
            } else if reader.state == ReaderState::WaitingForParents {
                reader.state = ReaderState::Reading;
            }
        }
        !waiting
    }

    fn subscribe(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, consumer_arn: &str, number: u32) {
        let Some(shard) = kinesis.stream(&self.settings.stream).and_then(|stream| stream.shards.get(&number)) else { return };
        // AFTER the last record seen; the shard's own starting number when none was.
        let last = self.readers[&number].next.saturating_sub(1);
        let sequence = shard.log.slot(last).map_or_else(
            || crate::engine::kinesis::sequence::SequenceNumber { counter: last, ..shard.starting_sequence_number() },
            |slot| shard.sequence_number(last, slot.arrival),
        );
        let request = SubscribeToShardRequest {
            consumer_arn: consumer_arn.to_owned(),
            shard_id: shard_id(number),
            starting_position: StartingPosition {
                r#type: ShardIteratorType::AfterSequenceNumber,
                sequence_number: Some(sequence.to_string()),
                timestamp: None,
            },
            dry_run: None,
        };
        if let Ok(id) = kinesis.subscribe(ctx, &request) {
            self.subscriptions.insert(number, id);
        }
    }
}
