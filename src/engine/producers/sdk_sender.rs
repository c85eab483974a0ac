//! Sending as an application with the AWS SDK does: PutRecords calls of up to 500 entries, failed entries sent again after an exponential
//! back-off, or PutRecord one by one. Also the way the Kinesis Agent and `--input` send.

use std::collections::VecDeque;

use crate::engine::kinesis::store::Payload;
use crate::engine::kinesis::{Ctx, DataStream, Placed, PutTotals};
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::pending::{Body, Pending};
use super::settings::Settings;
use super::tick::Sent;

/// Calls that one client makes within a tick of 25 ms.
const CALLS_PER_TICK: usize = 4;
/// PutRecord calls within a tick.
const SINGLE_CALLS_PER_TICK: usize = 50;

/// The sender.
#[derive(Debug, Clone, Default)]
pub struct SdkSender {
    queue: VecDeque<Pending>,
    /// The client waits until then after a refusal.
    waits_until: VirtualTime,
    /// Refusals in a row.
    refusals: u32,
}

impl SdkSender {
    /// Records in its queue.
    pub fn outstanding(&self) -> u64 {
        self.queue.len() as u64
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.refusals = 0;
        self.waits_until = VirtualTime(0);
    }

    /// Takes a record.
    pub fn push(&mut self, pending: Pending) {
        self.queue.push_back(pending);
    }

    /// The oldest event time still waiting.
    pub fn oldest_event_time(&self) -> Option<VirtualTime> {
        self.queue.iter().map(|pending| pending.event_time).min()
    }

    /// Sends what is ripe; `flush` sends everything.
    pub fn drain(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, settings: &Settings, flush: bool, sent: &mut Sent) {
        let now = ctx.now;
        if now < self.waits_until {
            return;
        }
        if settings.single {
            self.drain_single(ctx, stream, settings, sent);
            return;
        }
        for _ in 0..CALLS_PER_TICK {
            let Some(batch) = self.take_ripe(now, settings, flush) else { return };
            let mut totals = PutTotals::default();
            let mut failed = Vec::new();
            for mut pending in batch {
                let placed = place(ctx, stream, &pending, &mut totals, sent);
                match placed {
                    Placed::Stored { .. } => sent.buffering_us += now.since(pending.handed).0,
                    Placed::Throttled { shard } => {
                        sent.refused_shards.insert(shard);
                        pending.attempts += 1;
                        if settings.ignore_failures || settings.attempts.is_some_and(|most| pending.attempts >= most) {
                            sent.expired += 1;
                        } else {
                            failed.push(pending);
                        }
                    }
                }
            }
            sent.calls += 1;
            sent.totals.add(&totals);
            let refused = totals.refused_records > 0;
            self.put_back(failed);
            if refused && !settings.ignore_failures {
                self.back_off(now, settings);
                return;
            }
            self.refusals = 0;
        }
    }

    /// The records of the next call, when there are enough of them or the oldest has waited long enough.
    pub(super) fn take_ripe(&mut self, now: VirtualTime, settings: &Settings, flush: bool) -> Option<Vec<Pending>> {
        let oldest = self.queue.front()?;
        let ripe = flush || self.queue.len() >= settings.batch || now.since(oldest.handed) >= settings.buffered;
        if !ripe || now < self.waits_until {
            return None;
        }
        let mut count = 0;
        let mut bytes = 0;
        for pending in self.queue.iter().take(settings.batch) {
            if count > 0 && bytes + pending.bytes() > settings.batch_bytes {
                break;
            }
            bytes += pending.bytes();
            count += 1;
        }
        Some(self.queue.drain(..count).collect())
    }

    /// Records come first again, in their order: only what failed is sent anew.
    pub(super) fn put_back(&mut self, records: Vec<Pending>) {
        for pending in records.into_iter().rev() {
            self.queue.push_front(pending);
        }
    }

    /// What a call refused, to be sent again after a while; says whether it must wait.
    pub(super) fn give_back(&mut self, now: VirtualTime, settings: &Settings, refused: Vec<Pending>) -> bool {
        if refused.is_empty() {
            self.refusals = 0;
            return false;
        }
        self.put_back(refused);
        self.back_off(now, settings);
        true
    }

    fn drain_single(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, settings: &Settings, sent: &mut Sent) {
        let now = ctx.now;
        for _ in 0..SINGLE_CALLS_PER_TICK {
            let Some(mut pending) = self.queue.pop_front() else { return };
            let mut totals = PutTotals::default();
            let placed = place(ctx, stream, &pending, &mut totals, sent);
            sent.calls += 1;
            sent.totals.add(&totals);
            if let Placed::Throttled { shard } = placed {
                sent.refused_shards.insert(shard);
                pending.attempts += 1;
                if settings.ignore_failures || settings.attempts.is_some_and(|most| pending.attempts >= most) {
                    sent.expired += 1;
                    continue;
                }
                self.queue.push_front(pending);
                self.back_off(now, settings);
                return;
            }
            sent.buffering_us += now.since(pending.handed).0;
            self.refusals = 0;
        }
    }

    fn back_off(&mut self, now: VirtualTime, settings: &Settings) {
        let wait = settings.backoff.0.saturating_mul(1 << self.refusals.min(16)).min(settings.backoff_cap.0);
        self.waits_until = now + VirtualDuration(wait);
        self.refusals += 1;
    }

    /// When the producer should look again while records wait.
    pub fn next_drain(&self, now: VirtualTime, settings: &Settings) -> Option<VirtualTime> {
        let oldest = self.queue.front()?;
        let ripe = if settings.single || self.queue.len() >= settings.batch { now } else { oldest.handed + settings.buffered };
        Some(ripe.max(self.waits_until).max(now + super::tick::TICK))
    }
}

fn place(ctx: &mut Ctx<'_>, stream: &mut DataStream, pending: &Pending, totals: &mut PutTotals, sent: &mut Sent) -> Placed {
    sent.scratch.clear();
    let mut user_records = 1;
    match &pending.body {
        Body::Keyed(record, _) => ctx.remake.data(*record, &mut sent.scratch),
        Body::Own(_, data) => user_records = crate::engine::kpl::user_record_count(data),
        Body::Remade(_) => {}
    }
    let payload: Payload<'_> = pending.payload(&sent.scratch);
    stream.place(ctx.now, ctx.limits, pending.hash, payload, user_records, totals)
}
