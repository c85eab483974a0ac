//! Enhanced fan-out: registered consumers and their subscriptions. Each consumer has its own 2 MiB/s per shard.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::kinesis::{
    Consumer, ConsumerDescription, ConsumerStatus, DeregisterStreamConsumerRequest, DescribeStreamConsumerRequest, DescribeStreamConsumerResponse,
    ListStreamConsumersRequest, ListStreamConsumersResponse, RegisterStreamConsumerRequest, RegisterStreamConsumerResponse, StartingPosition,
    StreamMode, SubscribeToShardEvent, SubscribeToShardRequest,
};
use crate::api::{ServiceError, Timestamp};
use crate::engine::metrics::{Dimensions, Metric};
use crate::engine::schedule::Wake;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::bucket::TokenBucket;
use super::call::dry_run;
use super::describe::{decode_token, encode_token};
use super::get::{check_position_arguments, full_shard_number, parse_position_number};
use super::{Ctx, Kinesis, ReadRange, ReadRequest, shard_id};

/// Consumers that may be CREATING at a time.
const CREATING_MAX: usize = 5;
/// Consumers of one page.
const CONSUMERS_PAGE: usize = 100;
/// Life of a subscription.
pub const SUBSCRIPTION_LIFE: VirtualDuration = VirtualDuration::from_secs(300);
/// A second subscription is refused this long after a successful one.
const TAKE_OVER_AFTER: VirtualDuration = VirtualDuration::from_secs(5);

/// A registered consumer.
#[derive(Debug, Clone)]
pub struct FanoutConsumer {
    /// Name, unique per stream.
    pub name: Arc<str>,
    /// State.
    pub status: ConsumerStatus,
    /// When it was registered; part of its ARN.
    pub created: VirtualTime,
    /// When CREATING or DELETING ends.
    due: VirtualTime,
    /// Tags in key order.
    pub tags: BTreeMap<String, String>,
    /// Resource policy, JSON text.
    pub policy: Option<String>,
}

/// A running SubscribeToShard.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Identity within the account.
    pub id: u64,
    /// Stream name.
    pub stream: Arc<str>,
    /// Incarnation of the stream.
    pub incarnation: u64,
    /// Consumer name.
    pub consumer: Arc<str>,
    /// Shard number.
    pub shard: u32,
    /// Counter of the next record.
    pub next: u64,
    /// When it began.
    pub since: VirtualTime,
    budget: TokenBucket,
}

/// What a subscription has to deliver now.
#[derive(Debug, Clone, PartialEq)]
pub enum Pushed {
    /// Records (possibly none) of a range of the shard's log.
    Range(ReadRange),
    /// The subscription is over: five minutes have passed, it was replaced, or the consumer or stream is gone.
    Ended,
}

impl Kinesis {
    fn consumer_arn(&self, stream: &str, consumer: &FanoutConsumer) -> String {
        format!("{}/consumer/{}:{}", self.arn(stream), consumer.name, consumer.created.secs())
    }

    fn describe(&self, stream: &str, consumer: &FanoutConsumer) -> Consumer {
        Consumer {
            consumer_name: consumer.name.to_string(),
            consumer_arn: self.consumer_arn(stream, consumer),
            consumer_status: consumer.status,
            consumer_creation_timestamp: Timestamp((consumer.created.secs() * 1000) as i64),
        }
    }

    /// (stream, consumer name) that an ARN names, when the consumer exists with that creation second.
    fn consumer_names(&self, arn: &str) -> Result<(Arc<str>, Arc<str>), ServiceError> {
        let missing = || ServiceError::resource_not_found(format!("Consumer {arn} under account {} not found.", self.account));
        let (_, rest) = arn.split_once(":stream/").ok_or_else(missing)?;
        let (stream, consumer) = rest.split_once("/consumer/").ok_or_else(missing)?;
        let (name, epoch) = consumer.rsplit_once(':').ok_or_else(missing)?;
        let stream = self.streams.get(stream).ok_or_else(missing)?;
        let consumer = stream.consumers.get(name).filter(|consumer| consumer.created.secs().to_string() == epoch).ok_or_else(missing)?;
        Ok((stream.name.clone(), consumer.name.clone()))
    }

    pub(super) fn consumer_by_arn_mut(&mut self, arn: &str) -> Result<&mut FanoutConsumer, ServiceError> {
        let (stream, name) = self.consumer_names(arn)?;
        let stream = self.streams.get_mut(&stream).expect("found by consumer_names");
        Ok(stream.consumers.get_mut(&name).expect("found by consumer_names"))
    }

    /// The consumer of a request that gives either the consumer's ARN or the stream's ARN and a name.
    fn consumer_of(&self, stream_arn: Option<&str>, name: Option<&str>, arn: Option<&str>) -> Result<(Arc<str>, Arc<str>), ServiceError> {
        match (arn, stream_arn, name) {
            (Some(arn), ..) => self.consumer_names(arn),
            (None, Some(stream_arn), Some(name)) => {
                let stream = self.find(None, Some(stream_arn))?;
                let consumer = stream.consumers.get(name).ok_or_else(|| {
                    ServiceError::resource_not_found(format!("Consumer {name} under stream {} , account {} not found.", stream.name, self.account))
                })?;
                Ok((stream.name.clone(), consumer.name.clone()))
            }
            _ => Err(ServiceError::invalid_argument("Either ConsumerARN or both StreamARN and ConsumerName must be provided.")),
        }
    }

    pub(super) fn register_consumer(
        &mut self,
        ctx: &mut Ctx<'_>,
        q: &RegisterStreamConsumerRequest,
    ) -> Result<RegisterStreamConsumerResponse, ServiceError> {
        let (wait, account, now) = (self.waits.consumer, self.account.clone(), ctx.now);
        let max = ctx.limits.fanout_consumers;
        let stream = self.find_mut(None, Some(&q.stream_arn))?;
        if !stream.takes_data() {
            return Err(ServiceError::resource_in_use(format!(
                "Stream {} under account {account} not ACTIVE, instead in state {}",
                stream.name, stream.status
            )));
        }
        if stream.consumers.contains_key(q.consumer_name.as_str()) {
            return Err(ServiceError::resource_in_use(format!(
                "Consumer {} under stream {} already exists for account {account}.",
                q.consumer_name, stream.name
            )));
        }
        if stream.consumers.len() >= max {
            return Err(ServiceError::limit_exceeded(format!(
                "This request would exceed the limit of {max} registered consumers of stream {} under account {account}.",
                stream.name
            )));
        }
        if stream.consumers.values().filter(|consumer| consumer.status == ConsumerStatus::Creating).count() >= CREATING_MAX {
            return Err(ServiceError::limit_exceeded(format!(
                "At most {CREATING_MAX} consumers of stream {} can be CREATING at a time.",
                stream.name
            )));
        }
        let consumer = FanoutConsumer {
            name: q.consumer_name.as_str().into(),
            status: ConsumerStatus::Creating,
            created: now,
            due: now + wait,
            tags: q.tags.clone().unwrap_or_default(),
            policy: None,
        };
        ctx.schedule
            .at(now + wait, Wake::FanoutConsumer { stream: stream.name.clone(), incarnation: stream.incarnation, consumer: consumer.name.clone() });
        ctx.bill.fanout_shard_hours += stream.open_count();
        ctx.journal.push(now, format!("stream {}", stream.name), "consumer", format!("RegisterStreamConsumer {}", consumer.name), false);
        let name = stream.name.clone();
        stream.consumers.insert(consumer.name.clone(), consumer.clone());
        Ok(RegisterStreamConsumerResponse { consumer: self.describe(&name, &consumer) })
    }

    pub(super) fn deregister_consumer(&mut self, ctx: &mut Ctx<'_>, q: &DeregisterStreamConsumerRequest) -> Result<(), ServiceError> {
        let wait = self.waits.consumer;
        let (stream, name) = self.consumer_of(q.stream_arn.as_deref(), q.consumer_name.as_deref(), q.consumer_arn.as_deref())?;
        self.subscriptions.retain(|subscription| subscription.stream != stream || subscription.consumer != name);
        let stream = self.streams.get_mut(&stream).expect("found by consumer_of");
        let incarnation = stream.incarnation;
        let consumer = stream.consumers.get_mut(&name).expect("found by consumer_of");
        consumer.status = ConsumerStatus::Deleting;
        consumer.due = ctx.now + wait;
        ctx.schedule.at(consumer.due, Wake::FanoutConsumer { stream: stream.name.clone(), incarnation, consumer: name.clone() });
        ctx.journal.push(ctx.now, format!("stream {}", stream.name), "consumer", format!("DeregisterStreamConsumer {name}"), false);
        Ok(())
    }

    /// CREATING or DELETING of a consumer ends.
    pub fn complete_consumer(&mut self, ctx: &mut Ctx<'_>, stream: &str, incarnation: u64, name: &str) {
        let Some(stream) = self.streams.get_mut(stream).filter(|stream| stream.incarnation == incarnation) else { return };
        let Some(consumer) = stream.consumers.get_mut(name).filter(|consumer| consumer.due <= ctx.now) else { return };
        match consumer.status {
            ConsumerStatus::Creating => {
                consumer.status = ConsumerStatus::Active;
                ctx.journal.push(ctx.now, format!("stream {}", stream.name), "consumer", format!("consumer {name} is ACTIVE"), false);
            }
            ConsumerStatus::Deleting => {
                stream.consumers.remove(name);
                ctx.journal.push(ctx.now, format!("stream {}", stream.name), "consumer", format!("consumer {name} is gone"), false);
            }
            ConsumerStatus::Active => {}
        }
    }

    pub(super) fn describe_consumer(&mut self, q: &DescribeStreamConsumerRequest) -> Result<DescribeStreamConsumerResponse, ServiceError> {
        let (stream, name) = self.consumer_of(q.stream_arn.as_deref(), q.consumer_name.as_deref(), q.consumer_arn.as_deref())?;
        let consumer = self.describe(&stream, &self.streams[&stream].consumers[&name]);
        Ok(DescribeStreamConsumerResponse {
            consumer_description: ConsumerDescription {
                consumer_name: consumer.consumer_name,
                consumer_arn: consumer.consumer_arn,
                consumer_status: consumer.consumer_status,
                consumer_creation_timestamp: consumer.consumer_creation_timestamp,
                stream_arn: self.arn(&stream),
            },
        })
    }

    pub(super) fn list_consumers(&mut self, ctx: &mut Ctx<'_>, q: &ListStreamConsumersRequest) -> Result<ListStreamConsumersResponse, ServiceError> {
        let stream = self.find(None, Some(&q.stream_arn))?;
        let after = q.next_token.as_deref().map(|token| decode_token("consumers", token, ctx.now)).transpose()?.map(|(_, after)| after);
        let page = q.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(CONSUMERS_PAGE).clamp(1, CONSUMERS_PAGE);
        let mut rest = stream.consumers.values().filter(|consumer| after.as_deref().is_none_or(|after| &*consumer.name > after));
        let listed: Vec<&FanoutConsumer> = rest.by_ref().take(page).collect();
        let more = rest.next().is_some();
        Ok(ListStreamConsumersResponse {
            consumers: Some(listed.iter().map(|consumer| self.describe(&stream.name, consumer)).collect()),
            next_token: listed.last().filter(|_| more).map(|last| encode_token("consumers", &stream.name, &last.name, ctx.now)),
        })
    }

    /// Starts a subscription and gives its id.
    ///
    /// # Errors
    /// `ResourceNotFoundException` for a missing consumer or shard, `ResourceInUseException` for a consumer that is not ACTIVE or a second
    /// call within five seconds, `InvalidArgumentException` for a wrong position.
    pub fn subscribe(&mut self, ctx: &mut Ctx<'_>, q: &SubscribeToShardRequest) -> Result<u64, ServiceError> {
        dry_run(q.dry_run)?;
        let (account, now) = (self.account.clone(), ctx.now);
        let (stream_name, name) = self.consumer_names(&q.consumer_arn)?;
        let stream = self.streams.get_mut(&stream_name).expect("found by consumer_names");
        stream.trim(now);
        let consumer = &stream.consumers[&name];
        if consumer.status != ConsumerStatus::Active {
            return Err(ServiceError::resource_in_use(format!(
                "Consumer {name} with creation timestamp {} under stream: {stream_name} , account {account} is not in ACTIVE status.",
                consumer.created.secs()
            )));
        }
        let number = full_shard_number(&q.shard_id).filter(|number| stream.shards.contains_key(number)).ok_or_else(|| {
            ServiceError::resource_not_found(format!("Shard {} in stream {stream_name} under account {account} does not exist", q.shard_id))
        })?;
        let shard = &stream.shards[&number];
        let StartingPosition { r#type, sequence_number, timestamp } = &q.starting_position;
        check_position_arguments(now, *r#type, sequence_number.as_deref(), *timestamp)?;
        let sequence = sequence_number.as_deref().map(|text| parse_position_number(stream, shard, text, "SubscribeToShard", &account)).transpose()?;
        let at = timestamp.map(|at| VirtualTime::from_millis(u64::try_from(at.millis()).unwrap_or(0)));
        let next = stream.position(shard, *r#type, sequence, at);
        let dimensions = Dimensions::FanoutConsumer(stream_name.clone(), name.clone());
        let same = |subscription: &Subscription| subscription.stream == stream_name && subscription.consumer == name && subscription.shard == number;
        if self.subscriptions.iter().any(|subscription| same(subscription) && now.since(subscription.since) < TAKE_OVER_AFTER) {
            ctx.metrics.add(Metric::SubscribeRateExceeded, &dimensions, now, 1);
            return Err(ServiceError::resource_in_use(format!(
                "Another active subscription exists for this consumer: {account}:{stream_name}:{}:{name}",
                shard_id(number)
            )));
        }
        self.subscriptions.retain(|subscription| !same(subscription));
        self.touched += 1;
        let id = self.touched;
        self.subscriptions.push(Subscription {
            id,
            incarnation: stream.incarnation,
            stream: stream_name,
            consumer: name,
            shard: number,
            next,
            since: now,
            budget: TokenBucket::full(ctx.limits.shard_read_bytes, now),
        });
        ctx.metrics.add(Metric::SubscribeSuccess, &dimensions, now, 1);
        Ok(id)
    }

    /// A running subscription.
    pub fn subscription(&self, id: u64) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.id == id)
    }

    /// Whether a subscription has something to deliver: records, the end of its shard, or its own end.
    pub fn has_something(&self, now: VirtualTime, id: u64) -> bool {
        let Some(subscription) = self.subscription(id) else { return true };
        let stream = self.streams.get(&subscription.stream).filter(|stream| stream.incarnation == subscription.incarnation);
        let Some(shard) = stream.and_then(|stream| stream.shards.get(&subscription.shard)) else { return true };
        now.since(subscription.since) >= SUBSCRIPTION_LIFE || shard.log.next() > subscription.next || shard.closed.is_some()
    }

    /// Takes what a subscription delivers now: within its own 2 MiB/s, independent of all other readers.
    pub fn push(&mut self, ctx: &mut Ctx<'_>, id: u64) -> Pushed {
        let now = ctx.now;
        let Some(at) = self.subscriptions.iter().position(|subscription| subscription.id == id) else { return Pushed::Ended };
        let subscription = &mut self.subscriptions[at];
        let stream = self.streams.get_mut(&subscription.stream).filter(|stream| stream.incarnation == subscription.incarnation);
        let Some(stream) = stream else { return Pushed::Ended };
        if now.since(subscription.since) >= SUBSCRIPTION_LIFE {
            self.subscriptions.remove(at);
            return Pushed::Ended;
        }
        stream.trim(now);
        subscription.budget.refill(now);
        let budget = if ctx.limits.enforce_throughput { subscription.budget.available() } else { u64::MAX };
        let request =
            ReadRequest { shard: subscription.shard, next: subscription.next, limit: if budget == 0 { 0 } else { 10_000 }, max_bytes: budget };
        let Some(range) = stream.range(now, request) else { return Pushed::Ended };
        subscription.budget.take(if ctx.limits.enforce_throughput { range.bytes } else { 0 });
        subscription.next = range.next;
        let records = range.next - range.first;
        let dimensions = Dimensions::FanoutConsumer(subscription.stream.clone(), subscription.consumer.clone());
        ctx.metrics.add(Metric::SubscribeEventSuccess, &dimensions, now, 1);
        ctx.metrics.add(Metric::SubscribeEventBytes, &dimensions, now, range.bytes);
        ctx.metrics.add(Metric::SubscribeEventRecords, &dimensions, now, records);
        ctx.metrics.add(Metric::SubscribeEventBehind, &dimensions, now, range.behind_ms);
        match stream.mode {
            StreamMode::Provisioned => ctx.bill.fanout_bytes += range.bytes,
            StreamMode::OnDemand => ctx.bill.on_demand_bytes_out += range.rounded_bytes,
        }
        if let Some(shard) = stream.shards.get_mut(&subscription.shard) {
            let load = shard.loads.current(now);
            load.read_bytes += range.bytes;
        }
        if range.at_end {
            self.subscriptions.remove(at);
        }
        Pushed::Range(range)
    }

    /// A pushed range as the event that clients get.
    pub fn event(&self, ctx: &Ctx<'_>, stream: &str, shard: u32, range: &ReadRange) -> Option<SubscribeToShardEvent> {
        let stream = self.streams.get(stream)?;
        let log = &stream.shards.get(&shard)?.log;
        let records = stream.records(ctx, shard, range);
        let continuation = log.slot(range.next.saturating_sub(1)).map_or_else(
            || stream.shards[&shard].starting_sequence_number(),
            |slot| stream.shards[&shard].sequence_number(range.next - 1, slot.arrival),
        );
        let children = stream.children(shard);
        Some(SubscribeToShardEvent {
            records,
            continuation_sequence_number: (!range.at_end).then(|| continuation.to_string()),
            millis_behind_latest: range.behind_ms as i64,
            child_shards: (range.at_end && !children.is_empty()).then_some(children),
        })
    }
}
