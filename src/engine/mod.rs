//! The simulated services on one virtual clock. Knows nothing of files, sockets, terminals or wall clocks.
//!
//! [`Engine`] is a synchronous, single-threaded, event-driven simulation. [`Engine::apply`] takes commands, [`Engine::advance`] lets time
//! pass, [`Engine::view`] shows the world. The same seed and the same commands at the same instants give the same journal, byte for byte,
//! however time is cut into steps (*granularity invariance*).

pub mod agent;
pub mod analytics;
pub mod athena;
pub mod cloudwatch;
pub mod coach;
pub mod command;
pub mod consumers;
mod controls;
pub mod cost;
pub mod dynamodb;
pub mod firehose;
pub mod formats;
pub mod generate;
pub mod generators;
pub mod glue;
pub mod iam;
pub mod journal;
pub mod kinesis;
pub mod kpl;
pub mod lambda;
pub mod limits;
pub mod metrics;
pub mod producers;
pub mod protobuf;
pub mod queries;
pub mod random;
pub mod s3;
pub mod schedule;
pub mod services;
pub mod sns;
pub mod time;
pub mod trail;
pub mod view;
mod world;
pub mod zones;

use std::sync::Arc;

use crate::api::Operation;
use crate::api::ServiceError;

use consumers::{Consumer, ConsumerSettings};
use controls::Control;
use cost::Bill;
use generate::Generator;
use generators::Generators;
use journal::Journal;
use kinesis::{Ctx, Kinesis, Waits};
use limits::Limits;
use metrics::Metrics;
use producers::{Producer, Settings, Source};
use schedule::Schedule;
use services::Services;
use time::VirtualTime;
use view::{AccountingLine, MetricView, View, Wants};

pub use command::{Command, Fault, Ingested, Reply, WorldCommand};
pub use journal::Event;

/// How a world begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Seed of all randomness.
    pub seed: u64,
    /// The first instant.
    pub epoch: VirtualTime,
    /// Limits.
    pub limits: Limits,
    /// How long control-plane operations take.
    pub waits: Waits,
    /// Account id, 12 digits.
    pub account: String,
    /// Region.
    pub region: String,
}

impl Config {
    /// The workshop's account and region with the labs' short waits.
    pub fn new(seed: u64, epoch: VirtualTime, limits: Limits) -> Self {
        Self { seed, epoch, limits, waits: Waits::LAB, account: "123456789012".to_owned(), region: "us-east-1".to_owned() }
    }
}

/// How much work one call of [`Engine::advance`] may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Wake-ups at most.
    pub events: u64,
}

impl Budget {
    /// No bound.
    pub const UNLIMITED: Self = Self { events: u64::MAX };
}

/// How far [`Engine::advance`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The instant asked for is reached.
    Done,
    /// The budget is used up; call again.
    OutOfBudget,
    /// A handler outside the simulation must answer first: [`Engine::services`], then [`WorldCommand::Answer`].
    Wants,
}

/// An AWS operation that was applied, for checks on actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// When.
    pub at: VirtualTime,
    /// The operation.
    pub operation: Operation,
    /// The stream it named, when it named one.
    pub stream: Option<String>,
    /// The shard it named, when it named one.
    pub shard: Option<String>,
    /// The error's name, when it failed.
    pub error: Option<&'static str>,
}

/// Actions kept at least; at most twice as many.
const ACTIONS_KEPT: usize = 10_000;

/// The world.
#[derive(Debug, Clone)]
pub struct Engine {
    config: Config,
    now: VirtualTime,
    schedule: Schedule,
    journal: Journal,
    metrics: Metrics,
    bill: Bill,
    kinesis: Kinesis,
    services: Services,
    generators: Generators,
    producers: Vec<Producer>,
    consumers: Vec<Consumer>,
    controls: Vec<Option<Control>>,
    actions: Arc<Vec<Action>>,
    wakes: u64,
    checked_second: u64,
    broken: Option<String>,
    trail: trail::Trail,
}

/// A saved world. Sealed segments are shared with the living one.
#[derive(Debug, Clone)]
pub struct Checkpoint(Box<Engine>);

impl Checkpoint {
    /// The instant it was taken.
    pub fn at(&self) -> VirtualTime {
        self.0.now
    }

    /// The world as it was.
    pub fn restore(&self) -> Engine {
        (*self.0).clone()
    }
}

/// The engine's parts, each borrowed for itself.
pub(in crate::engine) struct Parts<'a> {
    kinesis: &'a mut Kinesis,
    services: &'a mut Services,
    producers: &'a mut Vec<Producer>,
    consumers: &'a mut Vec<Consumer>,
}

impl Engine {
    /// An empty world.
    pub fn new(config: Config) -> Self {
        let mut journal = Journal::default();
        journal.push(config.epoch, "world", "begun", format!("seed {}, limits of {}", config.seed, config.limits.era.name()), false);
        Self {
            now: config.epoch,
            schedule: Schedule::default(),
            journal,
            metrics: Metrics::default(),
            bill: Bill::new(&config.region),
            kinesis: Kinesis::new(&config.account, &config.region, config.waits),
            services: Services::new(config.seed, &config.region, &config.account, config.waits.delivery),
            generators: Generators::default(),
            producers: Vec::new(),
            consumers: Vec::new(),
            controls: Vec::new(),
            actions: Arc::new(Vec::new()),
            wakes: 0,
            checked_second: 0,
            broken: None,
            trail: trail::Trail::default(),
            config,
        }
    }

    /// How the world began.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The present instant.
    pub fn now(&self) -> VirtualTime {
        self.now
    }

    /// The next instant at which something happens by itself; `None` = nothing ever will.
    pub fn next_event_at(&self) -> Option<VirtualTime> {
        self.schedule.next_at()
    }

    /// The streams.
    pub fn kinesis(&self) -> &Kinesis {
        &self.kinesis
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Events that were not drained yet.
    pub fn drain_events(&mut self) -> Vec<Event> {
        self.journal.drain()
    }

    /// The chained hash of everything that happened.
    pub fn journal_hash(&self) -> String {
        self.journal.hash_hex()
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Producers in the order of their definition.
    pub fn producers(&self) -> &[Producer] {
        &self.producers
    }

    /// A producer by name.
    pub fn producer(&self, name: &str) -> Option<&Producer> {
        self.producers.iter().find(|producer| &*producer.name == name)
    }

    /// Consumers in the order of their definition.
    pub fn consumers(&self) -> &[Consumer] {
        &self.consumers
    }

    /// A consumer by name.
    pub fn consumer(&self, name: &str) -> Option<&Consumer> {
        self.consumers.iter().find(|consumer| &*consumer.name == name)
    }

    /// AWS operations that were applied, oldest first.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The rule of the simulation that was found broken, if any: stream, rule, instant.
    pub fn broken_rule(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Adds a generator. `None` when there are too many.
    pub fn define_generator(&mut self, name: &str, generator: Generator) -> Option<u16> {
        self.generators.add(name, Arc::new(generator))
    }

    /// Adds a stopped producer. A name that is taken is replaced.
    pub fn define_producer(&mut self, name: &str, settings: Settings, source: Source) {
        let producer = Producer::new(name, settings, source);
        match self.producers.iter_mut().find(|present| &*present.name == name) {
            Some(present) => *present = producer,
            None => self.producers.push(producer),
        }
    }

    /// Adds a stopped consumer. A name that is taken is replaced.
    pub fn define_consumer(&mut self, name: &str, settings: ConsumerSettings) {
        let consumer = Consumer::new(name, settings);
        match self.consumers.iter_mut().find(|present| &*present.name == name) {
            Some(present) => *present = consumer,
            None => self.consumers.push(consumer),
        }
    }

    /// Id of the version of a generator in use, for [`Source::generated`].
    pub fn generator_id(&self, name: &str) -> Option<u16> {
        self.generators.current(name)
    }

    /// The first records that the first producer's generator makes, each hundredth a watermark when the producer sends them.
    pub fn sample_records(&self, count: u64) -> Vec<Vec<u8>> {
        let Some(producer) = self.producers.iter().find(|producer| producer.settings.watermark.is_some()).or_else(|| self.producers.first()) else {
            return Vec::new();
        };
        let Some(id) = producer.generator() else { return Vec::new() };
        (0..count)
            .map(|index| {
                if index % 10 == 9 && producer.settings.watermark.is_some() {
                    return br#"{"watermark":"2010-01-02T18:59:45.000Z","type":"watermark"}"#.to_vec();
                }
                let mut data = Vec::new();
                self.sample_record(id, index, &mut data);
                data
            })
            .collect()
    }

    /// Record `index` of a generator version, at the beginning of its event time.
    pub(in crate::engine) fn sample_record(&self, id: u16, index: u64, data: &mut Vec<u8>) {
        use kinesis::store::{Remade, Remake};
        let event_time = self.generators.version(id).and_then(|generator| generator.event_origin()).unwrap_or(self.config.epoch);
        self.generators.data(Remade { source: id, index, event_time }, data);
    }

    /// A saved copy of the world.
    pub fn checkpoint(&mut self) -> Checkpoint {
        self.kinesis.seal();
        Checkpoint(Box::new(self.clone()))
    }

    /// Lets time pass until `until`, or until the budget is used up.
    pub fn advance(&mut self, until: VirtualTime, budget: Budget) -> Progress {
        let mut left = budget.events;
        while let Some(at) = self.schedule.next_at().filter(|at| *at <= until) {
            if self.has_wants() {
                return Progress::Wants;
            }
            if left == 0 {
                return Progress::OutOfBudget;
            }
            left -= 1;
            self.now = self.now.max(at);
            if let Some((_, wake)) = self.schedule.pop(until) {
                self.wakes += 1;
                self.wake(wake);
            }
            self.check_rules();
        }
        if self.has_wants() {
            return Progress::Wants;
        }
        self.now = self.now.max(until);
        Progress::Done
    }

    /// Once a virtual second (in debug builds after every wake-up) the rules that always hold are checked.
    fn check_rules(&mut self) {
        let second = self.now.secs();
        if (second == self.checked_second && !cfg!(debug_assertions)) || self.broken.is_some() {
            return;
        }
        self.checked_second = second;
        if let Err(rule) = self.check_invariants() {
            self.broken = Some(format!("{rule} at {}, event {}, seed {}", self.now, self.wakes, self.config.seed));
        }
    }

    /// Checks the rules that always hold.
    ///
    /// # Errors
    /// A sentence naming the rule that is broken.
    pub fn check_invariants(&self) -> Result<(), String> {
        self.kinesis.check_invariants()?;
        self.services.firehose.check_invariants()?;
        for producer in &self.producers {
            if !producer.is_balanced() {
                return Err(format!("producer {}: offered != acknowledged + lost + outstanding (conservation)", producer.name));
            }
        }
        Ok(())
    }

    /// Carries out a command at the present instant. Total: a wrong command gives an error, never a panic.
    ///
    /// # Errors
    /// AWS's exception for an operation; `InvalidArgumentException` with a sentence for a world control.
    pub fn apply(&mut self, command: &Command) -> Result<Reply, ServiceError> {
        let reply = match command {
            Command::Kinesis(request) => self.apply_kinesis(request),
            Command::Service(call) => self.apply_service(call),
            Command::Push(subscription) => Ok(Reply::Pushed(self.pushed(*subscription).map(Box::new))),
            Command::World(control) => self.apply_world(control).map(|()| Reply::Done),
        };
        self.check_rules();
        reply
    }

    /// Puts records into a stream without building an answer: the path of producers inside the process and of benches.
    ///
    /// # Errors
    /// `ResourceNotFoundException` when the stream does not exist or never became ACTIVE.
    pub fn put_batch(
        &mut self,
        stream: &str,
        entries: &[kinesis::PutEntry<'_>],
        outcome: impl FnMut(kinesis::Placed),
    ) -> Result<kinesis::PutTotals, ServiceError> {
        let missing = self.kinesis.not_found(stream);
        let (Parts { kinesis, .. }, mut ctx) = self.parts();
        let stream = kinesis.stream_mut(stream).filter(|stream| stream.next_shard > 0).ok_or(missing)?;
        let mut totals = kinesis::PutTotals::default();
        stream.place_batch(ctx.now, ctx.limits, entries, &mut totals, outcome);
        stream.book(&mut ctx, &totals);
        stream.book_put_records(&mut ctx, &totals, 1);
        Ok(totals)
    }

    /// What a subscription delivers now; `None` when it is over.
    fn pushed(&mut self, id: u64) -> Option<crate::api::kinesis::SubscribeToShardEvent> {
        let (Parts { kinesis, .. }, mut ctx) = self.parts();
        let (stream, shard) = kinesis.subscription(id).map(|subscription| (subscription.stream.clone(), subscription.shard))?;
        match kinesis.push(&mut ctx, id) {
            kinesis::fanout::Pushed::Range(range) => kinesis.event(&ctx, &stream, shard, &range),
            kinesis::fanout::Pushed::Ended => None,
        }
    }

    /// The parts of the world, borrowed apart.
    pub(in crate::engine) fn parts(&mut self) -> (Parts<'_>, Ctx<'_>) {
        let parts =
            Parts { kinesis: &mut self.kinesis, services: &mut self.services, producers: &mut self.producers, consumers: &mut self.consumers };
        let ctx = Ctx {
            now: self.now,
            limits: &self.config.limits,
            schedule: &mut self.schedule,
            journal: &mut self.journal,
            metrics: &mut self.metrics,
            bill: &mut self.bill,
            remake: &self.generators,
            trail: &mut self.trail,
        };
        (parts, ctx)
    }

    /// The newest record of a shard, or the one with a sequence number, to be followed.
    pub fn record_to_follow(&self, stream: &str, shard: u32, sequence: Option<&str>) -> Option<trail::Followed> {
        let stream = self.kinesis.stream(stream)?;
        let shard = stream.shards.get(&shard)?;
        let counter = match sequence {
            None => shard.log.next().checked_sub(1)?,
            Some(text) => kinesis::sequence::SequenceNumber::parse(text)?.counter,
        };
        let mut buffer = kinesis::store::ReadBuffer::default();
        let read = shard.log.read(counter, &self.generators, &mut buffer)?;
        let number = shard.sequence_number(counter, read.arrival).to_string();
        let found = sequence.is_none_or(|wanted| wanted == number);
        found.then(|| trail::Followed::new(stream.name.clone(), shard.number, counter, read.arrival, number, read.data))
    }

    /// Follows a record from now on, or none. Nothing of the world depends on it.
    pub fn follow(&mut self, followed: Option<trail::Followed>) {
        self.trail.follow(followed);
    }

    fn trail_view(&self) -> Option<trail::TrailView> {
        let followed = self.trail.followed()?;
        let place = format!("stream {}", followed.stream);
        let record = self
            .kinesis
            .stream(&followed.stream)
            .and_then(|stream| stream.shards.get(&followed.shard))
            .and_then(|shard| shard.record_view(followed.counter, &self.generators));
        let mut steps = Vec::new();
        if let Some(record) = &record {
            let text = format!("accepted by shard {:04}, partition key {}, {} bytes", followed.shard, record.partition_key, record.data_bytes);
            steps.push(trail::TrailStep { at: followed.arrived, place: place.clone(), text });
        }
        steps.extend(self.trail.steps().iter().cloned());
        if record.is_none() {
            let text = if self.now < followed.arrived { "not there yet" } else { "gone: its retention is over, or the stream is deleted" };
            steps.push(trail::TrailStep { at: self.now, place, text: text.to_owned() });
        }
        let from = format!("{} / {}", followed.stream, kinesis::shard_id(followed.shard));
        Some(trail::TrailView { from, record: record.unwrap_or_default(), steps })
    }

    /// What each series had in the last whole second.
    pub fn last_second(&self) -> impl Iterator<Item = (metrics::Metric, &metrics::Dimensions, u64)> {
        self.metrics.last_second(self.now)
    }

    /// What the coach has to say now.
    pub fn coach(&self) -> Vec<view::CoachLine> {
        coach::look(self.now, &self.config.limits, &self.kinesis, &self.producers, &self.consumers, &self.services)
    }

    /// The world for display.
    pub fn view(&self, wants: &Wants) -> View {
        let limits = &self.config.limits;
        let mut streams = self.kinesis.view(self.now, limits, wants, &self.generators);
        for stream in &mut streams {
            for shard in &mut stream.shards {
                let readers = self.consumers.iter().filter(|consumer| consumer.settings.stream == stream.name);
                shard.behind_ms = readers.flat_map(Consumer::behind).filter(|(number, _)| *number == shard.number).map(|(_, behind)| behind).max();
            }
        }
        let mut accounting: Vec<AccountingLine> = self.producers.iter().filter(|producer| producer.run > 0).map(Producer::accounting).collect();
        accounting.extend(self.kinesis.streams().map(|stream| {
            let stored: u64 = stream.shards.values().map(|shard| shard.log.len()).sum();
            AccountingLine {
                subject: format!("stream {}", stream.name),
                parts: vec![
                    ("accepted".to_owned(), stream.accepted_records),
                    ("stored".to_owned(), stored),
                    ("trimmed".to_owned(), stream.trimmed_records),
                ],
                balanced: stream.accepted_records == stored + stream.trimmed_records,
            }
        }));
        accounting.extend(self.services.accounting());
        let (deliveries, functions, buckets) = self.services.view(self.now, limits, &self.metrics, wants.history_seconds);
        View {
            deliveries,
            functions,
            buckets,
            applications: self.services.analytics.applications().map(|application| application.view(self.now)).collect(),
            now: self.now,
            epoch: self.config.epoch,
            seed: self.config.seed,
            era: limits.era.name().to_owned(),
            streams,
            producers: self.producers.iter().map(Producer::view).collect(),
            consumers: self.consumers.iter().map(|consumer| consumer.view(self.now)).collect(),
            journal: self.journal.view(wants.journal_rows, wants.journal_filter.as_deref()),
            cost: self.bill.view(&self.hourly_load()),
            coach: self.coach(),
            accounting,
            metrics: self
                .metrics
                .names()
                .map(|(metric, dimensions)| {
                    let per_second = self.metrics.per_second(metric, dimensions, self.now, wants.history_seconds.min(metrics::SECONDS_KEPT));
                    let minute = time::VirtualDuration::from_secs(60);
                    MetricView {
                        metric: metric.name().to_owned(),
                        dimensions: dimensions.text(),
                        unit: metric.unit().to_owned(),
                        per_second,
                        last_minute: self.metrics.over(metric, dimensions, self.now, minute).map_or(0, |stats| stats.sum),
                    }
                })
                .collect(),
            alarms: self.services.alarms.view(),
            trail: self.trail_view(),
            events: self.journal.total(),
            journal_hash: self.journal.hash_hex(),
        }
    }
}
