//! A producer that writes to a delivery stream: PutRecordBatch of what is ripe, again what was refused, with the agent's back-off.

use std::sync::Arc;

use crate::api::ServiceError;
use crate::engine::kinesis::Ctx;
use crate::engine::time::VirtualTime;

use super::pending::Body;
use super::tick::{AGENT_RETRY, STREAM_RETRY};
use super::{Producer, ProducerKind, Sender, State};

/// PutRecordBatch: for each record whether it was taken.
pub type Put<'p> = dyn FnMut(&mut Ctx<'_>, &[Arc<[u8]>]) -> Result<Vec<bool>, ServiceError> + 'p;

impl Producer {
    /// Works one tick and gives the next wake-up.
    pub fn tick_delivery(&mut self, ctx: &mut Ctx<'_>, put: &mut Put<'_>) -> Option<VirtualTime> {
        let now = ctx.now;
        if !self.state.is_active() {
            return None;
        }
        let factor = self.rate.at(now);
        self.feed(ctx, None, factor);
        let flush = self.source.is_finished();
        // A delivery stream has no shards, and the library that packs for them does not write to it.
        while let Sender::Sdk(sender) = &mut self.sender {
            let Some(batch) = sender.take_ripe(now, &self.settings, flush) else { break };
            let records: Vec<Arc<[u8]>> = batch
                .iter()
                .map(|pending| match &pending.body {
                    Body::Own(_, data) => Arc::from(&data[..]),
                    Body::Remade(record) | Body::Keyed(record, _) => {
                        let mut data = Vec::new();
                        ctx.remake.data(*record, &mut data);
                        data.into()
                    }
                })
                .collect();
            self.total.calls += 1;
            match put(ctx, &records) {
                Ok(passed) => {
                    let mut refused = Vec::new();
                    for (mut pending, passed) in batch.into_iter().zip(passed) {
                        if passed {
                            self.total.acknowledged += 1;
                            self.total.stored += 1;
                            self.total.stored_bytes += u64::from(pending.data_len);
                            self.total.buffering_us += now.since(pending.handed).0;
                        } else {
                            pending.attempts += 1;
                            self.total.refused += 1;
                            refused.push(pending);
                        }
                    }
                    if sender.give_back(now, &self.settings, refused) {
                        break;
                    }
                }
                Err(error) => {
                    sender.put_back(batch);
                    return Some(self.without_stream(ctx, &error));
                }
            }
        }
        self.state = if self.outstanding() >= self.settings.outstanding { State::Blocked } else { State::Running };
        let oldest = self.oldest_event_time();
        self.housekeeping(ctx, oldest);
        self.finish_or_wake(ctx, factor)
    }

    /// The call as a whole was refused: the stream is not there, or it has a source of its own. The agent tries for ever and loses nothing.
    fn without_stream(&mut self, ctx: &mut Ctx<'_>, error: &ServiceError) -> VirtualTime {
        let now = ctx.now;
        let text = format!(
            "com.amazonaws.services.kinesisfirehose.model.{}: {} (Service: AmazonKinesisFirehose; Status Code: 400)",
            error.code, error.message
        );
        // The sentence once is enough.
        if self.log().next_back().is_none_or(|last| last.text != text) {
            ctx.journal.push(now, format!("producer {}", self.name), "retrying", text.clone(), true);
            self.say(now, text);
        }
        now + if self.settings.kind == ProducerKind::Agent { AGENT_RETRY } else { STREAM_RETRY }
    }
}
