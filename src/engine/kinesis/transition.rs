//! The state machine of streams: what is begun, and what happens when it is done.

use crate::api::ServiceError;
use crate::api::kinesis::{CreateStreamRequest, DeleteStreamRequest, RecordDistributionStrategy, StreamMode, StreamStatus};
use crate::engine::schedule::Wake;
use crate::engine::time::VirtualDuration;

use super::stream::Pending;
use super::{Ctx, DataStream, Kinesis};

/// Shards of a new on-demand stream.
const ON_DEMAND_SHARDS: u64 = 4;
/// Shards that an on-demand stream grows to at most (200 MiB/s).
const ON_DEMAND_SHARDS_MAX: u64 = 200;
/// An on-demand shard above this many bytes in a minute gets split (500 KB/s).
const ON_DEMAND_SPLIT_BYTES: u64 = 500_000 * 60;
/// Or above this many records in a minute.
const ON_DEMAND_SPLIT_RECORDS: u64 = 500 * 60;
/// An hour of virtual time.
const HOUR: VirtualDuration = VirtualDuration::from_secs(3600);

impl DataStream {
    /// Begins a change that ends after `wait`.
    pub(super) fn begin(&mut self, ctx: &mut Ctx<'_>, pending: Pending, status: StreamStatus, wait: VirtualDuration) {
        self.pending = Some(pending);
        self.status = status;
        self.due = ctx.now + wait;
        ctx.schedule.at(ctx.now + wait, Wake::Stream { stream: self.name.clone(), incarnation: self.incarnation });
    }

    fn say(&self, ctx: &mut Ctx<'_>, kind: &str, text: String) {
        ctx.journal.push(ctx.now, format!("stream {}", self.name), kind, text, false);
    }
}

impl Kinesis {
    pub(super) fn create_stream(&mut self, ctx: &mut Ctx<'_>, q: &CreateStreamRequest) -> Result<(), ServiceError> {
        let limits = ctx.limits;
        let mode = match (&q.stream_mode_details, q.shard_count) {
            (Some(details), _) => details.stream_mode,
            (None, Some(_)) => StreamMode::Provisioned,
            (None, None) if limits.modern => StreamMode::OnDemand,
            (None, None) => {
                return Err(ServiceError::validation(
                    "1 validation error detected: Value null at 'shardCount' failed to satisfy constraint: Member must not be null",
                ));
            }
        };
        let shards = match (mode, q.shard_count) {
            (StreamMode::OnDemand, Some(_)) => {
                return Err(ServiceError::invalid_argument("ShardCount must not be provided for a stream in On-Demand mode."));
            }
            (StreamMode::OnDemand, None) => ON_DEMAND_SHARDS,
            (StreamMode::Provisioned, Some(count)) => u64::try_from(count).unwrap_or(0),
            (StreamMode::Provisioned, None) => return Err(ServiceError::validation("ShardCount must be provided for a stream in Provisioned mode.")),
        };
        if q.record_distribution_strategy == Some(RecordDistributionStrategy::Auto) && mode == StreamMode::Provisioned {
            return Err(ServiceError::invalid_argument("RecordDistributionStrategy AUTO needs a stream in On-Demand mode."));
        }
        if self.streams.contains_key(q.stream_name.as_str()) {
            return Err(ServiceError::resource_in_use(format!("Stream {} under account {} already exists.", q.stream_name, self.account)));
        }
        if self.streams.values().filter(|stream| stream.status == StreamStatus::Creating).count() >= limits.creating_streams {
            return Err(ServiceError::limit_exceeded(format!(
                "Maximum number of streams in CREATING state for account {} is {}.",
                self.account, limits.creating_streams
            )));
        }
        self.check_shard_limit(limits, shards)?;
        self.incarnations += 1;
        let kib = q.max_record_size_in_kib.and_then(|kib| u32::try_from(kib).ok()).unwrap_or(1024);
        let mut stream = DataStream::new(&q.stream_name, self.incarnations, mode, ctx.now, kib);
        stream.tags = q.tags.clone().unwrap_or_default();
        stream.warm_mibps = q.warm_throughput_mibps;
        stream.distribution = q.record_distribution_strategy.unwrap_or(RecordDistributionStrategy::UserPartitionKey);
        stream.begin(ctx, Pending::Create(shards), StreamStatus::Creating, self.waits.create);
        stream.say(ctx, "creating", format!("CreateStream with {shards} shards"));
        self.streams.insert(stream.name.clone(), stream);
        Ok(())
    }

    pub(super) fn delete_stream(&mut self, ctx: &mut Ctx<'_>, q: &DeleteStreamRequest) -> Result<(), ServiceError> {
        let (account, wait) = (self.account.clone(), self.waits.delete);
        let stream = self.find_mut(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        if stream.status == StreamStatus::Deleting {
            return Ok(());
        }
        if !stream.consumers.is_empty() && q.enforce_consumer_deletion != Some(true) {
            return Err(ServiceError::resource_in_use(format!(
                "Stream {} under account {account} has {} registered consumers. Deregister them, or set EnforceConsumerDeletion.",
                stream.name,
                stream.consumers.len()
            )));
        }
        stream.begin(ctx, Pending::Delete, StreamStatus::Deleting, wait);
        stream.say(ctx, "deleting", "DeleteStream".to_owned());
        Ok(())
    }

    /// A change that was begun is done.
    pub fn complete(&mut self, ctx: &mut Ctx<'_>, name: &str, incarnation: u64) {
        let Some(stream) = self.streams.get_mut(name).filter(|stream| stream.incarnation == incarnation) else { return };
        let (now, limits) = (ctx.now, ctx.limits);
        // A delete overrides whatever was under way; the wake-up of that comes early and finds nothing to do.
        if now < stream.due {
            return;
        }
        let Some(pending) = stream.pending.take() else { return };
        let mut text = None;
        match pending {
            Pending::Delete => {
                let gone = stream.name.clone();
                stream.say(ctx, "deleted", "the stream and its records are gone".to_owned());
                ctx.metrics.forget_stream(&gone);
                self.subscriptions.retain(|subscription| subscription.incarnation != incarnation);
                self.streams.remove(&gone);
                return;
            }
            Pending::Create(count) => {
                stream.created = now;
                stream.create_shards(count, now, limits);
                let hour = Wake::ShardHour { stream: stream.name.clone(), incarnation };
                ctx.schedule.at(now, hour);
                if stream.mode == StreamMode::OnDemand {
                    ctx.schedule.at(now + VirtualDuration::from_secs(60), Wake::OnDemand { stream: stream.name.clone(), incarnation });
                }
                text = Some(("active", format!("ACTIVE with {count} open shards")));
            }
            Pending::Split(number, at) => {
                let (lower, upper) = stream.split(number, at, now, limits);
                stream.rebuild_map();
                text = Some(("resharded", format!("shard {number:04} is CLOSED; children {lower:04} and {upper:04} are open")));
            }
            Pending::Merge(number, adjacent) => {
                let child = stream.merge(number, adjacent, now, limits);
                stream.rebuild_map();
                text = Some(("resharded", format!("shards {number:04} and {adjacent:04} are CLOSED; child {child:04} is open")));
            }
            Pending::Count(target) => {
                let before = stream.open_count();
                stream.scale(target, now, limits);
                text = Some(("resharded", format!("{before} shards became {target} uniform ones")));
            }
            Pending::Retention(hours) => {
                stream.retention_hours = hours;
                stream.trim(now);
            }
            Pending::Encryption(key) => stream.key_id = key,
            Pending::Monitoring(names) => stream.shard_metrics = names,
            Pending::Mode(mode) => {
                stream.mode = mode;
                if mode == StreamMode::OnDemand {
                    ctx.schedule.at(now + VirtualDuration::from_secs(60), Wake::OnDemand { stream: stream.name.clone(), incarnation });
                }
            }
            Pending::RecordSize(kib) => stream.record_limit_kib = kib,
            Pending::Warm(mibps) => stream.warm_mibps = Some(mibps),
            Pending::Distribution(strategy) => stream.distribution = strategy,
        }
        stream.status = StreamStatus::Active;
        let (kind, text) = text.unwrap_or_else(|| ("active", "ACTIVE again, the change has taken effect".to_owned()));
        stream.say(ctx, kind, text);
        // Shards opened by a reshard start an hour of their own; the hour of the others goes on.
        if kind == "resharded" {
            let opened = stream.shards.values().filter(|shard| shard.created == now && shard.is_open()).count() as u64;
            if stream.mode == StreamMode::Provisioned {
                ctx.bill.shard_hours += opened;
            }
        }
    }

    /// An hour begins: bill the open shards of a stream.
    pub fn bill_hour(&mut self, ctx: &mut Ctx<'_>, name: &str, incarnation: u64) {
        let Some(stream) = self.streams.get_mut(name).filter(|stream| stream.incarnation == incarnation) else { return };
        let open = stream.open_count();
        match stream.mode {
            StreamMode::Provisioned => {
                ctx.bill.shard_hours += open;
                if stream.retention_hours > 24 {
                    ctx.bill.extended_shard_hours += open;
                }
            }
            StreamMode::OnDemand => ctx.bill.on_demand_hours += 1,
        }
        ctx.bill.fanout_shard_hours += open * stream.consumers.len() as u64;
        ctx.bill.shard_metric_hours += open * stream.shard_metrics.len() as u64;
        ctx.schedule.at(ctx.now + HOUR, Wake::ShardHour { stream: stream.name.clone(), incarnation });
    }

    /// Once a minute an on-demand stream splits the shards that carried more than half their limit.
    pub fn grow_on_demand(&mut self, ctx: &mut Ctx<'_>, name: &str, incarnation: u64) {
        let Some(stream) = self.streams.get_mut(name).filter(|stream| stream.incarnation == incarnation) else { return };
        if stream.mode != StreamMode::OnDemand {
            return;
        }
        let now = ctx.now;
        if stream.status == StreamStatus::Active {
            let busy: Vec<u32> = stream
                .open_shards()
                .iter()
                .filter(|shard| {
                    let minute = shard.loads.history(now, 60);
                    minute.iter().map(|load| load.accepted_bytes).sum::<u64>() > ON_DEMAND_SPLIT_BYTES
                        || minute.iter().map(|load| load.accepted_records).sum::<u64>() > ON_DEMAND_SPLIT_RECORDS
                })
                .filter(|shard| shard.end.0 - shard.start.0 >= 2)
                .map(|shard| shard.number)
                .collect();
            let room = ON_DEMAND_SHARDS_MAX.saturating_sub(stream.open_count()) as usize;
            for number in busy.iter().take(room) {
                let shard = &stream.shards[number];
                let middle = super::hash::HashKey(shard.start.0 + (shard.end.0 - shard.start.0) / 2 + 1);
                stream.split(*number, middle, now, ctx.limits);
            }
            if !busy.is_empty() {
                stream.rebuild_map();
                let open = stream.open_count();
                stream.say(ctx, "resharded", format!("on-demand: {} busy shards were split, {open} are open", busy.len().min(room)));
            }
        }
        ctx.schedule.at(now + VirtualDuration::from_secs(60), Wake::OnDemand { stream: stream.name.clone(), incarnation });
    }
}
