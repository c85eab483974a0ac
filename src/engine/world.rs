//! What wakes, what commands do, what an hour costs.

use crate::api::ServiceError;
use crate::api::kinesis::{KinesisRequest, StreamMode};
use crate::api::shape::{ModelYear, constraints};

use super::command::{Reply, WorldCommand};
use super::controls::{Control, Undo};
use super::cost::HourlyLoad;
use super::metrics::{Dimensions, Metric};
use super::producers::{Overrides, Settings, Source};
use super::schedule::Wake;
use super::time::{VirtualDuration, VirtualTime};
use super::{ACTIONS_KEPT, Action, Engine, Parts};

impl Engine {
    pub(super) fn wake(&mut self, wake: Wake) {
        let (Parts { kinesis, services, producers, consumers }, mut ctx) = self.parts();
        match wake {
            Wake::Stream { stream, incarnation } => kinesis.complete(&mut ctx, &stream, incarnation),
            Wake::FanoutConsumer { stream, incarnation, consumer } => kinesis.complete_consumer(&mut ctx, &stream, incarnation, &consumer),
            Wake::OnDemand { stream, incarnation } => kinesis.grow_on_demand(&mut ctx, &stream, incarnation),
            Wake::ShardHour { stream, incarnation } => kinesis.bill_hour(&mut ctx, &stream, incarnation),
            Wake::Producer { producer: index, run } => {
                let producer = &mut producers[index];
                if producer.run != run {
                    return;
                }
                let next = if producer.settings.delivery {
                    let target = producer.settings.target.clone();
                    producer.tick_delivery(&mut ctx, &mut |ctx, records| services.put_batch(ctx, &target, records))
                } else {
                    producer.tick(kinesis, &mut ctx)
                };
                if let Some(next) = next {
                    ctx.schedule.at(next, Wake::Producer { producer: index, run });
                }
            }
            Wake::Consumer { consumer: index, run } => {
                let consumer = &mut consumers[index];
                if consumer.run == run
                    && let Some(next) = consumer.poll(kinesis, &mut ctx)
                {
                    ctx.schedule.at(next, Wake::Consumer { consumer: index, run });
                }
            }
            Wake::Control { control } => self.end_control(control),
            Wake::Firehose { stream, incarnation, due } => {
                let (Parts { kinesis, services, .. }, mut ctx) = self.parts();
                services.firehose_due(&mut ctx, kinesis, &stream, incarnation, due);
            }
            Wake::Analytics { application, incarnation } => {
                let (Parts { kinesis, services, .. }, mut ctx) = self.parts();
                services.analytics_due(&mut ctx, kinesis, &application, incarnation);
            }
            Wake::Alarms => {
                let (Parts { services, .. }, mut ctx) = self.parts();
                services.alarms.minute(&mut ctx);
            }
            Wake::Lambda { due } => {
                let (Parts { kinesis, services, .. }, mut ctx) = self.parts();
                services.lambda_due(&mut ctx, kinesis, due);
            }
        }
    }

    pub(super) fn apply_kinesis(&mut self, request: &KinesisRequest) -> Result<Reply, ServiceError> {
        let year = if self.config.limits.modern { ModelYear::Current } else { ModelYear::Y2018 };
        let (Parts { kinesis, .. }, mut ctx) = self.parts();
        let answer = constraints(request, year).and_then(|()| match request {
            KinesisRequest::SubscribeToShard(request) => kinesis.subscribe(&mut ctx, request).map(Reply::Subscribed),
            request => kinesis.call(&mut ctx, request).map(|answer| Reply::Kinesis(Box::new(answer))),
        });
        let (stream, shard) = subject(request);
        let operation = crate::api::Operation::Kinesis(request.operation());
        self.note(Action { at: self.now, operation, stream, shard, error: answer.as_ref().err().map(|error| error.code.name()) });
        answer
    }

    /// Remembers an operation for checks.
    pub(super) fn note(&mut self, action: Action) {
        let actions = std::sync::Arc::make_mut(&mut self.actions);
        if actions.len() == 2 * ACTIONS_KEPT {
            actions.drain(..ACTIONS_KEPT);
        }
        actions.push(action);
    }

    pub(super) fn apply_world(&mut self, control: &WorldCommand) -> Result<(), ServiceError> {
        let now = self.now;
        match control {
            WorldCommand::StartProducer { producer, overrides } => self.start_producer(producer, overrides),
            WorldCommand::StopProducer { producer } => {
                let index = self.producer_index(producer)?;
                self.producers[index].stop();
                self.journal.push(now, format!("producer {producer}"), "stopped", "stopped", false);
                Ok(())
            }
            WorldCommand::Rate { producer, permille, over, hold } => {
                let index = self.producer_index(producer)?;
                self.producers[index].set_rate(now, *permille, *over, *hold);
                let text = format!("the rate goes to {}.{:02} of normal within {} s", permille / 1000, permille % 1000 / 10, over.as_secs());
                self.journal.push(now, format!("producer {producer}"), "rate", text, false);
                Ok(())
            }
            WorldCommand::HotKey { producer, key, share_permille, hold } => {
                let index = self.producer_index(producer)?;
                self.producers[index].set_hot_key(key.clone(), *share_permille, hold.map(|hold| now + hold));
                let text = format!("{share_permille} ‰ of the records get the partition key {key}");
                self.journal.push(now, format!("producer {producer}"), "hot-key", text, false);
                Ok(())
            }
            WorldCommand::Change { generator, change, hold } => {
                let before = self.generators.current(generator);
                let id = self.generators.change(generator, change).map_err(ServiceError::invalid_argument)?;
                for producer in &mut self.producers {
                    producer.replace_generator(generator, id);
                }
                if let (Some(hold), Some(version)) = (hold, before) {
                    self.begin_control(now + *hold, Undo::Generator { name: generator.clone(), version });
                }
                self.journal.push(now, format!("generator {generator}"), "changed", "the records change from now on", false);
                Ok(())
            }
            WorldCommand::OpenInput { producer, stream, delivery, kind, buffered, batch_bytes, batch } => {
                let mut settings = Settings::new(*kind, stream);
                settings.delivery = *delivery;
                settings.buffered = buffered.unwrap_or(settings.buffered);
                settings.batch_bytes = batch_bytes.unwrap_or(settings.batch_bytes);
                settings.batch = batch.unwrap_or(settings.batch).clamp(1, 500);
                self.define_producer(producer, settings, Source::outside());
                self.start_producer(producer, &Overrides::default())
            }
            WorldCommand::Ingest { producer, records } => {
                let index = self.producer_index(producer)?;
                self.producers[index].ingest(records);
                self.wake_producer(index);
                Ok(())
            }
            WorldCommand::EndOfInput { producer } => {
                let index = self.producer_index(producer)?;
                self.producers[index].end_of_input();
                self.wake_producer(index);
                Ok(())
            }
            WorldCommand::StartConsumer { consumer } => {
                let index = self.consumer_index(consumer)?;
                self.consumers[index].start(now);
                let run = self.consumers[index].run;
                self.schedule.at(now, Wake::Consumer { consumer: index, run });
                self.journal.push(now, format!("consumer {consumer}"), "started", "started", false);
                Ok(())
            }
            WorldCommand::StopConsumer { consumer } => {
                let index = self.consumer_index(consumer)?;
                self.consumers[index].stop(now);
                self.journal.push(now, format!("consumer {consumer}"), "stopped", "stopped", false);
                Ok(())
            }
            WorldCommand::CrashConsumer { consumer, worker } => {
                let index = self.consumer_index(consumer)?;
                self.consumers[index].crash(now, *worker);
                self.journal.push(now, format!("consumer {consumer}"), "crashed", "killed without a goodbye", true);
                Ok(())
            }
            WorldCommand::StallShard { stream, shard, hold } => {
                let missing = self.kinesis.not_found(stream);
                let until = now + *hold;
                let target = self.kinesis.stream_mut(stream).ok_or(missing)?;
                let Some(target) = target.shards.get_mut(shard) else {
                    return Err(ServiceError::invalid_argument(format!("stream {stream} has no shard {shard:04}")));
                };
                target.stalled = true;
                self.begin_control(until, Undo::Shard { stream: stream.clone(), shard: *shard });
                self.journal.push(
                    now,
                    format!("stream {stream}"),
                    "stalled",
                    format!("shard {shard:04} refuses every write for {} s", hold.as_secs()),
                    true,
                );
                Ok(())
            }
            WorldCommand::Fault { fault, hold } => {
                self.set_fault(fault, true)?;
                if let Some(hold) = hold {
                    self.begin_control(now + *hold, Undo::Fault(fault.clone()));
                }
                Ok(())
            }
            WorldCommand::EndFault { fault } => self.set_fault(fault, false),
            WorldCommand::DeliverTo { stream, url } => {
                self.deliver_to(stream, url);
                Ok(())
            }
            WorldCommand::Delivered { stream, delivery, outcome } => self.delivered(stream, *delivery, outcome),
            WorldCommand::Answer { invocation, answer } => self.answer_handler(*invocation, answer),
            WorldCommand::Note { kind, text } => {
                self.journal.push(now, "world", kind, text.clone(), false);
                Ok(())
            }
        }
    }

    fn start_producer(&mut self, name: &str, overrides: &Overrides) -> Result<(), ServiceError> {
        let (now, index) = (self.now, self.producer_index(name)?);
        self.producers[index].start(now, overrides);
        let (run, target) = (self.producers[index].run, self.producers[index].settings.target.clone());
        self.schedule.at(now, Wake::Producer { producer: index, run });
        self.journal.push(now, format!("producer {name}"), "started", format!("started, writes to {target}"), false);
        Ok(())
    }

    /// A producer that slept for want of input looks at once.
    fn wake_producer(&mut self, index: usize) {
        let producer = &mut self.producers[index];
        if producer.state.is_active() {
            producer.run += 1;
            let run = producer.run;
            self.schedule.at(self.now, Wake::Producer { producer: index, run });
        }
    }

    fn producer_index(&self, name: &str) -> Result<usize, ServiceError> {
        self.producers.iter().position(|producer| &*producer.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.producers.iter().map(|producer| &*producer.name).collect();
            ServiceError::invalid_argument(format!("there is no producer {name}; there are: {}", known.join(", ")))
        })
    }

    fn consumer_index(&self, name: &str) -> Result<usize, ServiceError> {
        self.consumers.iter().position(|consumer| &*consumer.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.consumers.iter().map(|consumer| &*consumer.name).collect();
            ServiceError::invalid_argument(format!("there is no consumer {name}; there are: {}", known.join(", ")))
        })
    }

    fn begin_control(&mut self, until: VirtualTime, undo: Undo) {
        self.controls.push(Some(Control { until, undo }));
        self.schedule.at(until, Wake::Control { control: self.controls.len() - 1 });
    }

    fn end_control(&mut self, index: usize) {
        let Some(control) = self.controls.get_mut(index).and_then(Option::take) else { return };
        match control.undo {
            Undo::Generator { name, version } => {
                self.generators.set_current(&name, version);
                for producer in &mut self.producers {
                    producer.replace_generator(&name, version);
                }
                self.journal.push(self.now, format!("generator {name}"), "changed", "the records are as before", false);
            }
            Undo::Fault(fault) => {
                // What it was about may be gone by now.
                let _ = self.set_fault(&fault, false);
            }
            Undo::Shard { stream, shard } => {
                if let Some(shard) = self.kinesis.stream_mut(&stream).and_then(|stream| stream.shards.get_mut(&shard)) {
                    shard.stalled = false;
                }
                self.journal.push(self.now, format!("stream {stream}"), "stalled", format!("shard {shard:04} takes writes again"), false);
            }
        }
    }

    /// The present resources and the load of the last minute, as an hour.
    pub(super) fn hourly_load(&self) -> HourlyLoad {
        let mut load = HourlyLoad::default();
        for stream in self.kinesis.streams() {
            let open = stream.open_count();
            let minute = VirtualDuration::from_secs(60);
            let sum = |metric| self.metrics.over(metric, &stream.dimensions(), self.now, minute).map_or(0, |stats| stats.sum);
            // A stream younger than a minute is measured over its life.
            let seconds = self.now.since(stream.created).as_secs().clamp(1, 60);
            let per_hour = |amount: u64| amount * 3600 / seconds;
            match stream.mode {
                StreamMode::Provisioned => {
                    load.shards += open;
                    if stream.retention_hours > 24 {
                        load.extended_shards += open;
                    }
                    let (records, bytes) = (sum(Metric::IncomingRecords), sum(Metric::IncomingBytes));
                    // Units of the mean record: exact for records of one size.
                    let units = records * bytes.checked_div(records).map_or(0, super::cost::payload_units);
                    load.payload_units += per_hour(units);
                }
                StreamMode::OnDemand => {
                    load.on_demand_streams += 1;
                    load.on_demand_bytes_in += per_hour(sum(Metric::IncomingBytes));
                }
            }
            load.fanout_shards += open * stream.consumers.len() as u64;
            for consumer in stream.consumers.keys() {
                let dimensions = Dimensions::FanoutConsumer(stream.name.clone(), consumer.clone());
                let bytes = self.metrics.over(Metric::SubscribeEventBytes, &dimensions, self.now, minute).map_or(0, |stats| stats.sum);
                load.fanout_bytes += per_hour(bytes);
            }
            load.shard_metrics += open * stream.shard_metrics.len() as u64;
        }
        let minute = VirtualDuration::from_secs(60);
        let sum = |metric, dimensions: &Dimensions| self.metrics.over(metric, dimensions, self.now, minute).map_or(0, |stats| stats.sum) * 60;
        for stream in self.services.firehose.streams() {
            let (records, bytes) = (sum(Metric::IncomingRecords, &stream.dimensions()), sum(Metric::IncomingBytes, &stream.dimensions()));
            load.firehose_bytes += records * bytes.checked_div(records).unwrap_or(0).div_ceil(5 << 10) * (5 << 10);
            if stream.settings.conversion.is_some() {
                load.firehose_converted_bytes += bytes;
            }
        }
        for function in self.services.lambda.functions() {
            let dimensions = Dimensions::Function(function.name.clone());
            load.lambda_requests += sum(Metric::Invocations, &dimensions);
            load.lambda_mib_ms += function.memory * sum(Metric::Duration, &dimensions);
        }
        load
    }
}

/// The stream and shard that a request names.
fn subject(request: &KinesisRequest) -> (Option<String>, Option<String>) {
    use KinesisRequest as Q;
    let stream_of =
        |arn: Option<&String>| arn.and_then(|arn| arn.split_once(":stream/")).map(|(_, name)| name.split('/').next().unwrap_or(name).to_owned());
    match request {
        Q::CreateStream(q) => (Some(q.stream_name.clone()), None),
        Q::DeleteStream(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), None),
        Q::DescribeStream(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), None),
        Q::DescribeStreamSummary(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), None),
        Q::ListShards(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), None),
        Q::SplitShard(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), Some(q.shard_to_split.clone())),
        Q::MergeShards(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), Some(q.shard_to_merge.clone())),
        Q::UpdateShardCount(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), None),
        Q::PutRecord(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), None),
        Q::PutRecords(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), None),
        Q::GetShardIterator(q) => (q.stream_name.clone().or_else(|| stream_of(q.stream_arn.as_ref())), Some(q.shard_id.clone())),
        Q::GetRecords(q) => super::kinesis::iterator::ShardIterator::peek(&q.shard_iterator)
            .map_or((None, None), |iterator| (Some(iterator.stream), Some(super::kinesis::shard_id(iterator.shard)))),
        _ => (None, None),
    }
}
