//! Records that come from outside: `--input` and the Kinesis Agent. What arrives becomes commands with an instant, so that going back and
//! resuming need no file again.

use core::time::Duration;

use serde_json::json;

use crate::engine::WorldCommand;
use crate::engine::agent::{AgentConfig, Destination, Disk, Tail, Tally};
use crate::engine::producers::ProducerKind;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::input::InputRecord;
use super::play::Session;
use super::runlog::What;

/// The producer of `--input`.
const INPUT: &str = "input";
/// Bytes that one look at a flow's files reads at most.
const LOOK_BYTES: usize = 1 << 20;
/// Virtual time after which input that is still not stored is given up waiting for.
const PATIENCE: VirtualDuration = VirtualDuration::from_secs(3600);

/// The agent at work.
#[derive(Debug)]
pub struct AgentRun {
    flows: Vec<FlowRun>,
    disk: Box<dyn Disk>,
}

#[derive(Debug)]
struct FlowRun {
    producer: String,
    tail: Tail,
    looked: Option<Duration>,
}

/// What a flow did, for its accounting line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowReport {
    /// Name of its producer.
    pub producer: String,
    /// Pieces read = records + skipped.
    pub tally: Tally,
    /// (offered, acknowledged, refused attempts) of the producer.
    pub sent: (u64, u64, u64),
}

impl Session {
    /// Feeds records from outside into a stream through an SDK producer named `input`: all at once, or by event time at a speed-up in
    /// thousandths. A stream that does not exist is created with six shards. Gives the instant of the last record.
    ///
    /// # Errors
    /// AWS's text, when the stream cannot be created.
    pub fn feed(&mut self, stream: &str, mut records: Vec<InputRecord>, speedup_permille: Option<u64>) -> Result<VirtualTime, String> {
        self.create_when_missing(stream)?;
        self.open_input(INPUT, (stream, false), ProducerKind::Input, None)?;
        let begun = self.now();
        if let Some(speedup) = speedup_permille {
            // Records without a time come with the one before them.
            let mut last = records.iter().find_map(|record| record.event_time).unwrap_or_default();
            for record in &mut records {
                last = record.event_time.unwrap_or(last);
                record.event_time = Some(last);
            }
            records.sort_by_key(|record| record.event_time);
            let origin = records.first().and_then(|record| record.event_time).unwrap_or_default();
            let due = |record: &InputRecord| {
                let offset = record.event_time.unwrap_or(origin).since(origin).0;
                VirtualTime(begun.0.saturating_add((u128::from(offset) * 1000 / u128::from(speedup.max(1))) as u64))
            };
            let mut rest = records.as_slice();
            while let Some(first) = rest.first() {
                let at = due(first).next_second();
                let count = rest.iter().take_while(|record| due(record) < at).count();
                self.advance(at);
                self.ingest(INPUT, rest[..count].iter().map(|record| record.record.clone()).collect())?;
                rest = &rest[count..];
            }
        } else {
            for chunk in records.chunks(5000) {
                self.ingest(INPUT, chunk.iter().map(|record| record.record.clone()).collect())?;
            }
        }
        self.outside(WorldCommand::EndOfInput { producer: INPUT.to_owned() })?;
        Ok(self.now())
    }

    /// Lets time pass until the input is stored, at most an hour. Gives (offered, acknowledged, refused attempts).
    pub fn finish_input(&mut self) -> (u64, u64, u64) {
        self.wait_for(INPUT);
        self.sent(INPUT)
    }

    fn wait_for(&mut self, producer: &str) {
        let until = self.now() + PATIENCE;
        while self.now() < until && self.engine.producer(producer).is_some_and(|producer| producer.state.is_active()) {
            self.advance(self.now().next_second());
        }
    }

    fn sent(&self, producer: &str) -> (u64, u64, u64) {
        self.engine.producer(producer).map_or((0, 0, 0), |producer| (producer.total.offered, producer.total.acknowledged, producer.total.refused))
    }

    fn create_when_missing(&mut self, stream: &str) -> Result<(), String> {
        if self.engine.kinesis().stream(stream).is_none() {
            let outcome = self.line(&format!("aws kinesis create-stream --stream-name {stream} --shard-count 6"));
            if outcome.failed {
                return Err(outcome.message);
            }
            self.advance(self.now() + VirtualDuration::from_secs(2));
        }
        Ok(())
    }

    /// A delivery stream with a bucket of its own, gathering for a minute.
    fn create_delivery_when_missing(&mut self, name: &str) -> Result<(), String> {
        if self.engine.services().firehose.stream(name).is_some() {
            return Ok(());
        }
        let bucket = format!("{}-delivered", name.to_lowercase().replace(['_', '.'], "-"));
        let settings = json!({"RoleARN": "arn:aws:iam::123456789012:role/firehose", "BucketARN": format!("arn:aws:s3:::{bucket}"), "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60}});
        for line in [
            format!("aws s3 mb s3://{bucket}"),
            format!("aws firehose create-delivery-stream --delivery-stream-name {name} --extended-s3-destination-configuration '{settings}'"),
        ] {
            let outcome = self.line(&line);
            if outcome.failed {
                return Err(outcome.message);
            }
        }
        self.advance(self.now() + VirtualDuration::from_secs(3));
        Ok(())
    }

    fn open_input(
        &mut self,
        producer: &str,
        (stream, delivery): (&str, bool),
        kind: ProducerKind,
        buffers: Option<(VirtualDuration, u64, usize)>,
    ) -> Result<(), String> {
        self.outside(WorldCommand::OpenInput {
            producer: producer.to_owned(),
            stream: stream.to_owned(),
            delivery,
            kind,
            buffered: buffers.map(|(age, ..)| age),
            batch_bytes: buffers.map(|(_, bytes, _)| bytes),
            batch: buffers.map(|(.., records)| records),
        })
    }

    fn ingest(&mut self, producer: &str, records: Vec<crate::engine::Ingested>) -> Result<(), String> {
        self.outside(WorldCommand::Ingest { producer: producer.to_owned(), records })
    }

    /// Starts the agent: one producer per flow, named `agent` or `agent-2` and so on. With `create`, missing streams are created.
    ///
    /// # Errors
    /// Why a flow cannot run.
    pub fn attach_agent(&mut self, config: AgentConfig, disk: Box<dyn Disk>, create: bool) -> Result<(), String> {
        let seed = self.engine.config().seed;
        let mut flows = Vec::new();
        for (index, flow) in config.flows.into_iter().enumerate() {
            let producer = if index == 0 { "agent".to_owned() } else { format!("agent-{}", index + 1) };
            let (stream, delivery) = match &flow.destination {
                Destination::Stream(name) => (name.clone(), false),
                Destination::DeliveryStream(name) => (name.clone(), true),
            };
            if create && delivery {
                self.create_delivery_when_missing(&stream)?;
            } else if create {
                self.create_when_missing(&stream)?;
            }
            if self.engine.producer(&producer).is_none_or(|producer| !producer.state.is_active()) {
                let buffers = (flow.max_buffer_age, flow.max_buffer_bytes, flow.max_buffer_records);
                self.open_input(&producer, (&stream, delivery), ProducerKind::Agent, Some(buffers))?;
            }
            let place = self.place_of(index);
            flows.push(FlowRun { producer, tail: Tail::new(flow, seed ^ index as u64, place), looked: None });
        }
        self.notices.extend(config.warnings.into_iter().map(|warning| format!("agent: {warning}")));
        self.agent = Some(AgentRun { flows, disk });
        Ok(())
    }

    /// Looks at the agent's files as often as its flows say. Gives whether something arrived.
    pub(super) fn look_at_files(&mut self, wall: Duration) -> bool {
        let Some(mut agent) = self.agent.take() else { return false };
        let mut arrived = false;
        for index in 0..agent.flows.len() {
            let flow = &mut agent.flows[index];
            let due = flow.looked.is_none_or(|looked| wall.saturating_sub(looked).as_micros() as u64 >= flow.tail.flow.poll.0);
            if due {
                flow.looked = Some(wall);
                arrived |= self.look(index, flow, &mut *agent.disk).0;
            }
        }
        self.agent = Some(agent);
        arrived
    }

    /// One look: (something arrived, there is more).
    fn look(&mut self, index: usize, flow: &mut FlowRun, disk: &mut dyn Disk) -> (bool, bool) {
        let look = flow.tail.poll(disk, LOOK_BYTES);
        let arrived = !look.records.is_empty();
        self.take_look(index, flow, look.records, look.warnings);
        (arrived, look.more)
    }

    fn take_look(&mut self, index: usize, flow: &FlowRun, records: Vec<crate::engine::Ingested>, warnings: Vec<String>) {
        for text in warnings {
            self.notices.push(format!("{}: {text}", flow.producer));
            // A note can always be written.
            let _ = self.outside(WorldCommand::Note { kind: "agent".to_owned(), text: format!("{}: {text}", flow.producer) });
        }
        if records.is_empty() {
            return;
        }
        if let Err(error) = self.ingest(&flow.producer, records) {
            self.notices.push(format!("{}: {error}", flow.producer));
        }
        if let Some(place) = flow.tail.place() {
            self.keep(What::Place(index, place));
        }
    }

    /// Reads everything that is there, hands over what is held, and lets time pass until it is stored.
    pub fn finish_agent(&mut self) -> Vec<FlowReport> {
        let Some(mut agent) = self.agent.take() else { return Vec::new() };
        let mut reports = Vec::new();
        for (index, flow) in agent.flows.iter_mut().enumerate() {
            while self.look(index, flow, &mut *agent.disk).1 {
                self.advance(self.now() + flow.tail.flow.poll);
            }
            let look = flow.tail.finish();
            self.take_look(index, flow, look.records, look.warnings);
            if let Err(error) = self.outside(WorldCommand::EndOfInput { producer: flow.producer.clone() }) {
                self.notices.push(error);
            }
            self.wait_for(&flow.producer);
            reports.push(FlowReport { producer: flow.producer.clone(), tally: flow.tail.tally, sent: self.sent(&flow.producer) });
        }
        reports
    }
}
