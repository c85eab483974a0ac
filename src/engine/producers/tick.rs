//! One wake-up of a producer: take what is due from the source, send what limits allow, write watermarks and reports, say when next.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::kinesis::hash::{HashKey, LANES, hash_keys};
use crate::engine::kinesis::store::{Payload, Remade};
use crate::engine::kinesis::{Ctx, DataStream, Kinesis, PutTotals};
use crate::engine::metrics::{Dimensions, Metric};
use crate::engine::random;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::pending::{Body, Pending};
use super::source::Due;
use super::{Producer, Sender, State, replay_log};

/// Producers work in ticks of 25 ms, the KPL's drain interval.
pub const TICK: VirtualDuration = super::kpl_sender::DRAIN_EVERY;
/// How often the replay tool lists the shards.
const SHARD_LIST_EVERY: VirtualDuration = VirtualDuration::from_secs(10);
/// Longest back-off of the agent, which is where it ends up when its stream does not exist.
pub(super) const AGENT_RETRY: VirtualDuration = VirtualDuration::from_secs(10);
/// How often a producer looks for a stream that is not there yet.
pub(super) const STREAM_RETRY: VirtualDuration = VirtualDuration::SECOND;

/// Buffers that live from tick to tick.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    data: Vec<u8>,
    keys: [String; LANES],
    batch: Vec<Pending>,
    sent: Vec<u8>,
}

/// What the sender did in one tick.
#[derive(Debug, Default)]
pub struct Sent {
    /// Sums over all shards.
    pub totals: PutTotals,
    /// Calls made.
    pub calls: u64,
    /// User records given up.
    pub expired: u64,
    /// Shards that refused.
    pub refused_shards: BTreeSet<u32>,
    /// Sum of the time from hand-over to acknowledgement.
    pub buffering_us: u64,
    /// Scratch space for data made again.
    pub scratch: Vec<u8>,
}

impl PutTotals {
    /// Adds another call's sums.
    pub fn add(&mut self, other: &Self) {
        self.accepted_records += other.accepted_records;
        self.accepted_user_records += other.accepted_user_records;
        self.accepted_bytes += other.accepted_bytes;
        self.refused_records += other.refused_records;
        self.refused_bytes += other.refused_bytes;
        self.payload_units += other.payload_units;
        self.rounded_bytes += other.rounded_bytes;
    }
}

impl Producer {
    /// Works one tick and gives the next wake-up.
    pub fn tick(&mut self, kinesis: &mut Kinesis, ctx: &mut Ctx<'_>) -> Option<VirtualTime> {
        let now = ctx.now;
        if !self.state.is_active() {
            return None;
        }
        let account = kinesis.account.clone();
        let Some(stream) = kinesis.stream_mut(&self.settings.target) else {
            let text = format!(
                "com.amazonaws.services.kinesis.model.ResourceNotFoundException: Stream {} under account {account} not found. (Service: AmazonKinesis; Status Code: 400)",
                self.settings.target
            );
            if self.settings.kind == super::ProducerKind::Agent {
                // The agent tries for ever and loses nothing; the sentence once is enough.
                if self.log().next_back().is_none_or(|last| last.text != text) {
                    ctx.journal.push(now, format!("producer {}", self.name), "retrying", text.clone(), true);
                    self.say(now, text);
                }
                return Some(now + AGENT_RETRY);
            }
            ctx.journal.push(now, format!("producer {}", self.name), "failed", text.clone(), true);
            self.say(now, text);
            self.give_up_buffers();
            self.state = State::Failed;
            return None;
        };
        if !stream.takes_data() {
            // CREATING answers ResourceNotFound; the client tries again.
            return Some(now + STREAM_RETRY);
        }
        let factor = self.rate.at(now);
        self.feed(ctx, Some(stream), factor);
        let mut sent = Sent { scratch: std::mem::take(&mut self.scratch.sent), ..Sent::default() };
        let flush = self.source.is_finished();
        let acknowledged = match &mut self.sender {
            Sender::Kpl(sender) => {
                sender.drain(ctx, stream, &self.settings, &mut sent);
                sent.totals.accepted_user_records
            }
            Sender::Sdk(sender) => {
                sender.drain(ctx, stream, &self.settings, flush, &mut sent);
                sent.totals.accepted_records
            }
        };
        self.total.acknowledged += acknowledged;
        self.total.lost += sent.expired;
        self.total.stored += sent.totals.accepted_records;
        self.total.stored_bytes += sent.totals.accepted_bytes;
        self.total.refused += sent.totals.refused_records;
        self.total.calls += sent.calls;
        self.total.buffering_us += sent.buffering_us;
        self.watermark_records += acknowledged;
        self.refused_shards.append(&mut sent.refused_shards);
        if sent.calls > 0 {
            stream.book(ctx, &sent.totals);
            stream.book_put_records(ctx, &sent.totals, sent.calls);
        }
        self.scratch.sent = sent.scratch;
        self.state = if self.outstanding() >= self.settings.outstanding { State::Blocked } else { State::Running };
        let oldest = self.oldest_event_time();
        self.lag = oldest.and_then(|event| self.source.due_at(event)).map_or(VirtualDuration::ZERO, |due| now.since(due));
        self.write_watermarks(ctx, stream, oldest);
        self.housekeeping(ctx, oldest);
        self.finish_or_wake(ctx, factor)
    }

    /// Ends when everything is sent and nothing will come; else says when to work again.
    pub(super) fn finish_or_wake(&mut self, ctx: &mut Ctx<'_>, factor: u32) -> Option<VirtualTime> {
        let now = ctx.now;
        if self.outstanding() > 0 || !self.source.is_finished() {
            return Some(self.next_wake(now, factor));
        }
        self.state = State::Finished;
        let text = format!("finished: {} records sent, {} given up", self.total.acknowledged, self.total.lost);
        self.say(now, text.clone());
        ctx.journal.push(now, format!("producer {}", self.name), "finished", text, false);
        None
    }

    pub(super) fn next_wake(&mut self, now: VirtualTime, factor: u32) -> VirtualTime {
        let next_tick = now + TICK;
        let mut next = VirtualTime(now.0 + 1_000_000);
        if self.outstanding() < self.settings.outstanding
            && let Some(due) = self.source.next_due(factor)
        {
            next = next.min(due.max(next_tick));
        }
        let drain = match &self.sender {
            Sender::Kpl(sender) => (sender.outstanding() > 0).then(|| sender.next_drain(now)),
            Sender::Sdk(sender) => sender.next_drain(now, &self.settings),
        };
        next = drain.map_or(next, |drain| next.min(drain));
        // Whole seconds are when rates are told and reports written.
        next.min(now.next_second())
    }

    /// The event time of the first record that is not acknowledged yet.
    pub(super) fn oldest_event_time(&self) -> Option<VirtualTime> {
        let waiting = match &self.sender {
            Sender::Kpl(sender) => sender.oldest_event_time(),
            Sender::Sdk(sender) => {
                if self.source.has_event_time() {
                    sender.oldest_event_time()
                } else {
                    None
                }
            }
        };
        match (waiting, self.source.next_event_time()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Takes what is due from the source, as far as the bound on outstanding records allows.
    pub(super) fn feed(&mut self, ctx: &Ctx<'_>, stream: Option<&DataStream>, factor: u32) {
        let now = ctx.now;
        if self.hot_key.as_ref().is_some_and(|hot| hot.until.is_some_and(|until| now >= until)) {
            self.hot_key = None;
        }
        let hot: Option<(Arc<str>, u32)> = self.hot_key.as_ref().map(|hot| (Arc::from(hot.key.as_str()), hot.share_permille));
        let mut room = self.settings.outstanding.saturating_sub(self.outstanding());
        let mut scratch = std::mem::take(&mut self.scratch);
        while room > 0 {
            scratch.batch.clear();
            while scratch.batch.len() < LANES && room > 0 {
                let Some(due) = self.source.take(now, factor) else { break };
                room -= 1;
                let lane = scratch.batch.len();
                let key = &mut scratch.keys[lane];
                key.clear();
                let pending = match due {
                    Due::Generated { generator, index, event_time } => {
                        let record = Remade { source: generator, index, event_time };
                        scratch.data.clear();
                        ctx.remake.data(record, &mut scratch.data);
                        let is_hot = hot.as_ref().filter(|(_, share)| random::mix(index) % 1000 < u64::from(*share));
                        let body = if let Some((hot, _)) = is_hot {
                            key.push_str(hot);
                            Body::Keyed(record, hot.clone())
                        } else {
                            ctx.remake.key(record, &scratch.data, key);
                            Body::Remade(record)
                        };
                        Pending {
                            hash: HashKey(0),
                            body,
                            data_len: scratch.data.len() as u32,
                            key_len: key.len() as u16,
                            handed: now,
                            event_time,
                            attempts: 0,
                        }
                    }
                    Due::Outside(record) => {
                        key.push_str(&record.key);
                        Pending {
                            hash: HashKey(0),
                            data_len: record.data.len() as u32,
                            key_len: key.len() as u16,
                            body: Body::Own(record.key.as_str().into(), record.data),
                            handed: now,
                            event_time: now,
                            attempts: 0,
                        }
                    }
                };
                scratch.batch.push(pending);
            }
            if scratch.batch.is_empty() {
                break;
            }
            let keys: [&[u8]; LANES] = std::array::from_fn(|lane| scratch.keys[lane].as_bytes());
            let hashes = hash_keys(&keys);
            self.total.offered += scratch.batch.len() as u64;
            for (mut pending, hash) in scratch.batch.drain(..).zip(hashes) {
                pending.hash = hash;
                match &mut self.sender {
                    Sender::Kpl(sender) => {
                        if let Some(stream) = stream {
                            sender.push(stream, ctx.limits, now, pending);
                        }
                    }
                    Sender::Sdk(sender) => sender.push(pending),
                }
            }
        }
        self.scratch = scratch;
    }

    /// One watermark record per open shard, as often as the settings say; a refused one is skipped.
    fn write_watermarks(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream, oldest: Option<VirtualTime>) {
        let now = ctx.now;
        let Some(watermark) = &self.settings.watermark else { return };
        if now < self.watermark_due && self.watermark_records < watermark.every_records {
            return;
        }
        let Some(oldest) = oldest else { return };
        if self.watermark_shards.1.is_empty() || now.since(self.watermark_shards.0) >= SHARD_LIST_EVERY {
            self.watermark_shards = (now, stream.open_shards().iter().map(|shard| shard.start).collect());
        }
        let data = watermark.payload.replace("${watermark}", &oldest.to_string());
        let starts = if watermark.per_shard { self.watermark_shards.1.as_slice() } else { &self.watermark_shards.1[..1] };
        let mut totals = PutTotals::default();
        for start in starts {
            stream.place(now, ctx.limits, *start, Payload::Bytes { key: "23", data: data.as_bytes() }, 1, &mut totals);
        }
        stream.book(ctx, &totals);
        stream.book_put_records(ctx, &totals, 1);
        self.watermark_due = now + watermark.every;
        self.watermark_records = 0;
    }

    /// Once a second: rates, metrics, the journal's line about refusals. Every `report`: the report line.
    pub(super) fn housekeeping(&mut self, ctx: &mut Ctx<'_>, oldest: Option<VirtualTime>) {
        let now = ctx.now;
        if now.secs() != self.second {
            // Whatever this tick did belongs to the second that has just begun only in part; rates are sums between ticks.
            self.last_second = self.total.minus(self.at_second);
            self.at_second = self.total;
            self.second = now.secs();
            self.second_metrics(ctx);
            if self.last_second.refused > 0 {
                let text = self.refusals_text();
                ctx.journal.push(now, format!("producer {}", self.name), "throttled", text, true);
                self.refused_shards.clear();
            }
        }
        if let Some(every) = self.settings.report
            && now.since(self.reported.0) >= every
        {
            let sent = self.total.acknowledged - self.reported.1.acknowledged;
            let per_second = u128::from(sent) * 1_000_000 / u128::from(now.since(self.reported.0).0.max(1));
            let line = replay_log::report_line(oldest, per_second as u64, self.lag);
            ctx.journal.push(now, format!("producer {}", self.name), "report", line.clone(), false);
            self.say(now, line);
            self.reported = (now, self.total);
        }
    }

    /// What was refused in the last second, in words.
    fn refusals_text(&self) -> String {
        let (sent, refused) = (self.last_second.stored + self.last_second.refused, self.last_second.refused);
        if self.settings.delivery {
            return format!("PutRecordBatch {sent} sent, {refused} ServiceUnavailableException: Slow down.");
        }
        let shards = self.refused_shards.iter().map(|shard| format!("{shard:04}")).collect::<Vec<_>>();
        let shown = if shards.len() > 8 { format!("{} shards", shards.len()) } else { shards.join(", ") };
        format!("PutRecords {sent} sent, {refused} ProvisionedThroughputExceeded on {shown}")
    }

    fn second_metrics(&mut self, ctx: &mut Ctx<'_>) {
        let now = ctx.now;
        let dimensions = Dimensions::Producer(self.name.clone());
        let last = self.last_second;
        let pending = self.outstanding();
        let metrics = &mut *ctx.metrics;
        if self.source.has_event_time() {
            metrics.add(Metric::ReplayLagSeconds, &dimensions, now, self.lag.as_secs());
        }
        metrics.add(Metric::UserRecordsReceived, &dimensions, now, last.offered);
        metrics.add(Metric::UserRecordsPending, &dimensions, now, pending);
        metrics.add(Metric::UserRecordsPut, &dimensions, now, last.acknowledged);
        metrics.add(Metric::KinesisRecordsPut, &dimensions, now, last.stored);
        metrics.add(Metric::KinesisRecordsDataPut, &dimensions, now, last.stored_bytes);
        metrics.add(Metric::AllErrors, &dimensions, now, last.refused);
        let means = [
            (Metric::BufferingTime, last.buffering_us / 1000, last.stored),
            (Metric::UserRecordsPerKinesisRecord, last.acknowledged, last.stored),
            (Metric::KinesisRecordsPerRequest, last.stored + last.refused, last.calls),
        ];
        for (metric, sum, count) in means {
            if let Some(mean) = sum.checked_div(count) {
                metrics.add(metric, &dimensions, now, mean);
            }
        }
    }
}
