//! The services behind the streams, and what passes between them: delivery streams, functions, buckets, the catalogue, roles.

mod mapped;
mod topics;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};

use super::analytics::{Analytics, Delivery, Destination, Env as AnalyticsEnv, Outgoing, rows_event};
use super::athena::Athena;
use super::cloudwatch::alarms::Alarms;
use super::command::{Fault, Reply};
use super::dynamodb::DynamoDb;
use super::firehose::Firehose;
use super::firehose::endpoint::Outcome as Delivered;
use super::firehose::outward::Order;
use super::firehose::stream::{Due as FirehoseDue, Env};
use super::glue::Glue;
use super::iam::Iam;
use super::kinesis::{Ctx, Kinesis};
use super::lambda::function::{Program, is_rule};
use super::lambda::{Caller, Due as LambdaDue, HandlerAnswer, Lambda, Outcome};
use super::limits::Limits;
use super::metrics::{Dimensions, Metric, Metrics};
use super::s3::S3;
use super::schedule::Wake;
use super::sns::Sns;
use super::time::{VirtualDuration, VirtualTime};
use super::view::{AccountingLine, BucketView, DeliveryStreamView, FunctionView, MappingView};
use super::{Action, Engine, Parts};

/// Time between two looks for new shards of a mapping's stream.
const SHARD_SCAN: VirtualDuration = VirtualDuration::from_secs(10);

/// The services beside Data Streams.
#[derive(Debug, Clone)]
pub struct Services {
    /// Buckets.
    pub s3: S3,
    /// Catalogue.
    pub glue: Glue,
    /// Roles.
    pub iam: Iam,
    /// Delivery streams.
    pub firehose: Firehose,
    /// Functions.
    pub lambda: Lambda,
    /// Queries.
    pub athena: Athena,
    /// SQL applications.
    pub analytics: Analytics,
    /// Alarms of CloudWatch.
    pub alarms: Alarms,
    /// Tables.
    pub dynamodb: DynamoDb,
    /// Topics.
    pub sns: Sns,
    region: String,
    account: String,
    seed: u64,
}

impl Services {
    /// Nothing yet.
    pub fn new(seed: u64, region: &str, account: &str, create: VirtualDuration) -> Self {
        Self {
            s3: S3::default(),
            glue: Glue::default(),
            iam: Iam::default(),
            firehose: Firehose::new(create),
            lambda: Lambda::new(seed, region, account),
            athena: Athena::default(),
            alarms: Alarms::default(),
            analytics: Analytics::new(seed, region, account, create),
            dynamodb: DynamoDb::new(region, account, create),
            sns: Sns::new(seed, region, account),
            region: region.to_owned(),
            account: account.to_owned(),
            seed,
        }
    }

    /// Delivery streams and what they use, borrowed apart.
    fn apart(&mut self) -> (&mut Firehose, Env<'_>) {
        let env = Env { s3: &mut self.s3, glue: &self.glue, lambda: &mut self.lambda, region: &self.region, account: &self.account, seed: self.seed };
        (&mut self.firehose, env)
    }

    /// Applications and what they use, borrowed apart.
    fn analytics<'s>(&'s mut self, kinesis: &'s mut Kinesis) -> (&'s mut Analytics, AnalyticsEnv<'s>) {
        let env = AnalyticsEnv { kinesis, firehose: &mut self.firehose, lambda: &mut self.lambda, s3: &self.s3 };
        (&mut self.analytics, env)
    }

    /// PutRecordBatch of a producer: for each record whether it was taken.
    ///
    /// # Errors
    /// Firehose's own.
    pub fn put_batch(&mut self, ctx: &mut Ctx<'_>, stream: &str, records: &[Arc<[u8]>]) -> Result<Vec<bool>, ServiceError> {
        let (firehose, mut env) = self.apart();
        firehose.put_batch(ctx, &mut env, stream, records)
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// The service's own.
    pub fn call(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, call: &Call) -> Result<Value, ServiceError> {
        match call.operation.service {
            "firehose" => {
                let (firehose, mut env) = self.apart();
                firehose.call(ctx, &mut env, kinesis, call)
            }
            "lambda" => self.lambda.operate(ctx, &self.s3, kinesis, call),
            "s3api" => self.s3.call(ctx.now, call),
            "glue" => self.glue.call(ctx.now, call),
            "dynamodb" => self.dynamodb.call(ctx.now, call),
            "kinesisanalytics" => {
                let (analytics, mut env) = self.analytics(kinesis);
                analytics.call(ctx, &mut env, call)
            }
            "kinesisanalyticsv2" => {
                let (analytics, mut env) = self.analytics(kinesis);
                analytics.call_v2(ctx, &mut env, call)
            }
            "sns" if call.operation.name.starts_with("Publish") => self.publish(ctx, call),
            "sns" => self.sns.call(call),
            "athena" => self.athena.call(ctx.now, self.seed, &mut self.glue, &self.s3, call),
            "cloudwatch" if call.operation.name.contains("Alarm") => self.alarms.call(ctx, &self.region, &self.account, call),
            "cloudwatch" => super::cloudwatch::call(ctx.now, ctx.metrics, call),
            "iam" => self.iam.call(ctx.now, &self.account, call),
            "sts" => {
                Ok(json!({"UserId": "AIDAKINLAB00000000000", "Account": self.account, "Arn": format!("arn:aws:iam::{}:user/learner", self.account)}))
            }
            other => Err(ServiceError::not_simulated(&format!("{other} {}", call.operation.name))),
        }
    }

    /// Where every record of delivery streams and mappings is.
    pub fn accounting(&self) -> Vec<AccountingLine> {
        let mut lines: Vec<AccountingLine> = self
            .lambda
            .mappings()
            .map(|(_, mapping)| AccountingLine {
                subject: format!("function {}", mapping.function),
                parts: vec![
                    ("read".to_owned(), mapping.read),
                    ("kept".to_owned(), mapping.kept),
                    ("dropped".to_owned(), mapping.dropped),
                    ("put again".to_owned(), mapping.duplicates),
                    ("given up".to_owned(), mapping.discarded),
                ],
                // A handler outside does with its records what it likes; a rule keeps or drops each.
                balanced: mapping.kept + mapping.dropped == 0 || mapping.kept + mapping.dropped >= mapping.read,
            })
            .collect();
        lines.extend(self.analytics.applications().filter_map(super::analytics::Application::accounting));
        lines.extend(self.firehose.streams().map(|stream| AccountingLine {
            subject: format!("delivery stream {}", stream.name),
            parts: vec![
                ("came in".to_owned(), (stream.tally.incoming as i64 + stream.tally.expanded).max(0) as u64),
                ("delivered".to_owned(), stream.tally.delivered),
                ("failed".to_owned(), stream.tally.failed),
                ("dropped".to_owned(), stream.tally.dropped),
                ("lost".to_owned(), stream.tally.lost),
                ("on the way".to_owned(), stream.in_transform() + stream.buffered() + stream.in_flight() + stream.failing()),
            ],
            balanced: stream.is_balanced(),
        }));
        lines
    }

    /// Delivery streams, functions and buckets for display.
    pub fn view(
        &self,
        now: VirtualTime,
        limits: &Limits,
        metrics: &Metrics,
        seconds: usize,
    ) -> (Vec<DeliveryStreamView>, Vec<FunctionView>, Vec<BucketView>) {
        let deliveries = self.firehose.streams().map(|stream| stream.view(now, limits)).collect();
        let functions = self
            .lambda
            .functions()
            .map(|function| {
                let (runtime, file) = match &function.program {
                    Program::Rule(_) => ("rule".to_owned(), function.files.keys().find(|name| is_rule(name)).cloned().unwrap_or_default()),
                    Program::Node(file, _) | Program::Python(file, _) => (function.runtime.clone(), file.clone()),
                };
                let mappings = self
                    .lambda
                    .mappings()
                    .filter(|(_, mapping)| mapping.function == function.name)
                    .map(|(_, mapping)| MappingView {
                        uuid: mapping.uuid.clone(),
                        stream: mapping.stream.clone(),
                        enabled: mapping.enabled,
                        batch_size: mapping.batch_size,
                        how: mapping.how(),
                        age_ms: mapping.age_ms,
                        shards_seen: mapping.readers.values().filter(|reader| reader.invocations > 0).count() as u64,
                        shards: mapping.readers.len() as u64,
                        counts: (mapping.read, mapping.kept, mapping.dropped, mapping.duplicates, mapping.discarded),
                        result: mapping.result.clone(),
                    })
                    .collect();
                let slower = function.slower.as_millis();
                FunctionView {
                    name: function.name.to_string(),
                    runtime,
                    code: (file.clone(), function.files.get(&file).cloned().unwrap_or_default()),
                    mappings,
                    target: ["delivery_stream", "DELIVERY_STREAM", "firehose_stream", "stream_name"]
                        .iter()
                        .find_map(|name| function.environment.get(*name).cloned()),
                    counts: function.counts,
                    running: function.running,
                    last_ms: function.last_duration.as_millis(),
                    per_second: metrics.per_second(
                        Metric::Invocations,
                        &Dimensions::Function(function.name.clone()),
                        now,
                        seconds.min(super::metrics::SECONDS_KEPT),
                    ),
                    fault: if function.failing {
                        Some("every call fails".to_owned())
                    } else if slower > 0 {
                        Some(format!("{slower} ms slower"))
                    } else {
                        None
                    },
                    log: function.log.iter().rev().take(20).rev().cloned().collect(),
                }
            })
            .collect();
        let buckets = self
            .s3
            .buckets()
            .map(|(name, bucket)| BucketView {
                name: name.to_owned(),
                objects: bucket.objects.len() as u64,
                bytes: bucket.objects.values().map(|object| object.bytes.len() as u64).sum(),
                fault: bucket.refuses.map(|refusal| format!("{refusal:?}")),
            })
            .collect();
        (deliveries, functions, buckets)
    }

    /// A delivery stream's time has come.
    pub fn firehose_due(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, name: &Arc<str>, incarnation: u64, due: FirehoseDue) {
        let (firehose, mut env) = self.apart();
        firehose.due(ctx, &mut env, kinesis, name, incarnation, due);
    }

    /// An application's time has come: its rows go to their destinations.
    pub fn analytics_due(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, name: &Arc<str>, incarnation: u64) {
        let (analytics, mut env) = self.analytics(kinesis);
        for delivery in analytics.due(ctx, &mut env, name, incarnation) {
            self.deliver_rows(ctx, kinesis, (name, incarnation), delivery);
        }
    }

    /// Hands rows over; what is not taken waits for the next look.
    fn deliver_rows(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, (name, incarnation): (&Arc<str>, u64), mut delivery: Delivery) {
        let before = delivery.records.len() as u64;
        let bytes = |records: &[Outgoing]| records.iter().map(|record| record.data.len() as u64).sum::<u64>();
        let bytes_before = bytes(&delivery.records);
        match delivery.to.clone() {
            Destination::Stream(target) => {
                if let Some(stream) = kinesis.stream_mut(&target).filter(|stream| stream.takes_data()) {
                    let mut left = Vec::new();
                    let mut totals = super::kinesis::PutTotals::default();
                    for record in std::mem::take(&mut delivery.records) {
                        let entries = [super::kinesis::PutEntry { key: &record.key, explicit_hash: None, data: &record.data }];
                        let mut refused = false;
                        stream.place_batch(ctx.now, ctx.limits, &entries, &mut totals, |placed| {
                            refused = matches!(placed, super::kinesis::Placed::Throttled { .. });
                        });
                        if refused {
                            left.push(record);
                        }
                    }
                    stream.book(ctx, &totals);
                    stream.book_put_records(ctx, &totals, 1);
                    delivery.records = left;
                }
            }
            Destination::Firehose(target) => {
                let mut left = Vec::new();
                for batch in delivery.records.chunks(500) {
                    let data: Vec<Arc<[u8]>> = batch.iter().map(|record| record.data.clone()).collect();
                    let (firehose, mut env) = self.apart();
                    match firehose.put_batch(ctx, &mut env, &target, &data) {
                        Ok(passed) => left.extend(batch.iter().zip(passed).filter(|(_, passed)| !passed).map(|(record, _)| record.clone())),
                        Err(_) => left.extend(batch.iter().cloned()),
                    }
                }
                delivery.records = left;
            }
            Destination::Lambda(target) => {
                let records = std::mem::take(&mut delivery.records);
                let arn = format!("arn:aws:kinesisanalytics:{}:{}:application/{name}", self.region, self.account);
                let is_rule = self.lambda.function(&target).is_some_and(|function| matches!(function.program, Program::Rule(_)));
                let native = is_rule.then(|| vec![true; records.len()]);
                let caller = Caller::Application { name: name.clone(), incarnation, output: Some(delivery.output.clone()) };
                let event = |invocation: &str| rows_event(invocation, &arn, &records);
                let id = self.lambda.call(ctx, &target, caller, records.len() as u64, event, native);
                return self.analytics.called(ctx, name, &delivery.output, id, records);
            }
        }
        let (taken, sent) = (before - delivery.records.len() as u64, bytes_before - bytes(&delivery.records));
        self.analytics.attempted(ctx, name, delivery, taken, sent);
    }

    /// A function's time has come.
    pub fn lambda_due(&mut self, ctx: &mut Ctx<'_>, kinesis: &mut Kinesis, due: LambdaDue) {
        match due {
            LambdaDue::Done(id) => {
                let Some((name, caller, outcome)) = self.lambda.done(ctx, id) else { return };
                match caller {
                    Caller::Firehose { stream, incarnation } => {
                        let (firehose, mut env) = self.apart();
                        firehose.transformed(ctx, &mut env, &stream, incarnation, id, &outcome);
                    }
                    Caller::Mapping(index) => self.batch_answered(ctx, kinesis, index, id, &outcome),
                    Caller::Application { name, incarnation, output } => {
                        let (analytics, mut env) = self.analytics(kinesis);
                        let deliveries = analytics.answered(ctx, &mut env, (&name, incarnation), output.as_deref(), id, &outcome);
                        for delivery in deliveries {
                            self.deliver_rows(ctx, kinesis, (&name, incarnation), delivery);
                        }
                    }
                    Caller::Discovery => self.analytics.sampled(id, &outcome),
                    Caller::Later { .. } => self.lambda.later_done(ctx, &name, caller, &outcome),
                    Caller::Api => {}
                }
            }
            LambdaDue::Shards { mapping: index, run } => {
                let Some(mapping) = self.lambda.mapping_mut(index).filter(|mapping| mapping.run == run && mapping.enabled) else { return };
                let mut look_at = Vec::new();
                if let Some(stream) = kinesis.stream(&mapping.stream).filter(|stream| stream.takes_data()) {
                    mapping.find_shards(stream);
                    look_at = mapping.readers.iter().filter(|(_, reader)| !reader.finished && reader.awake != run).map(|(shard, _)| *shard).collect();
                }
                ctx.schedule.at(ctx.now + SHARD_SCAN, Wake::Lambda { due });
                for shard in look_at {
                    if let Some(reader) = self.lambda.mapping_mut(index).and_then(|mapping| mapping.readers.get_mut(&shard)) {
                        reader.awake = run;
                    }
                    self.look(ctx, kinesis, index, shard);
                }
            }
            LambdaDue::Lane { mapping, shard, token } => {
                let reader = self.lambda.mapping_mut(mapping).and_then(|mapping| mapping.readers.get(&shard));
                if reader.is_some_and(|reader| reader.token == token) {
                    self.look(ctx, kinesis, mapping, shard);
                }
            }
            LambdaDue::Again(id) => self.lambda.call_again(ctx, id),
            LambdaDue::Put { mapping, shard, batch } => self.rule_puts(ctx, kinesis, mapping, shard, batch),
        }
    }
}

impl Engine {
    /// The services.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// A handler or a destination outside must answer before time goes on: see [`Lambda::wants`] and [`Engine::orders`].
    pub fn has_wants(&self) -> bool {
        self.services.lambda.has_wants() || self.services.firehose.has_orders()
    }

    /// PutRecordBatch without the request around it: for each record whether it was taken.
    ///
    /// # Errors
    /// Firehose's own.
    pub fn put_delivery_batch(&mut self, stream: &str, records: &[Arc<[u8]>]) -> Result<Vec<bool>, ServiceError> {
        let (Parts { services, .. }, mut ctx) = self.parts();
        services.put_batch(&mut ctx, stream, records)
    }

    /// Attempts to deliver that are carried out outside.
    pub fn orders(&self) -> Vec<Order> {
        self.services.firehose.orders(self.now, (&self.services.region, &self.services.account))
    }

    pub(super) fn deliver_to(&mut self, stream: &str, url: &str) {
        self.services.firehose.deliver_to(stream, url);
        // A password in the URL is nobody's business.
        let place = url.split_once("://").map_or(url, |(_, rest)| rest.rsplit_once('@').map_or(rest, |(_, host)| host));
        self.journal.push(self.now, format!("delivery stream {stream}"), "outward", format!("deliveries go to {place}"), false);
    }

    pub(super) fn delivered(&mut self, stream: &str, delivery: u64, outcome: &Delivered) -> Result<(), ServiceError> {
        let (Parts { services, .. }, mut ctx) = self.parts();
        services.firehose.delivered(&mut ctx, stream, delivery, outcome.clone())
    }

    pub(super) fn apply_service(&mut self, call: &Call) -> Result<Reply, ServiceError> {
        let (Parts { kinesis, services, .. }, mut ctx) = self.parts();
        let answer = services.call(&mut ctx, kinesis, call);
        let subject = ["DeliveryStreamName", "FunctionName", "ApplicationName", "Bucket", "TableName", "RoleName", "TopicArn"]
            .iter()
            .find_map(|name| call.body[*name].as_str().map(str::to_owned));
        let error = answer.as_ref().err().map(|error| error.code.name());
        self.note(Action { at: self.now, operation: crate::api::Operation::Other(call.operation), stream: subject, shard: None, error });
        if answer.is_ok() && call.operation.name == "CreateBucket" {
            self.journal.push(self.now, format!("bucket {}", call.body["Bucket"].as_str().unwrap_or_default()), "created", "created", false);
        }
        answer.map(|answer| match answer["Invocation"].as_u64() {
            Some(id) if matches!(call.operation.name, "Invoke" | "DiscoverInputSchema") => Reply::Invoked(id),
            _ => Reply::Service(answer),
        })
    }

    pub(super) fn answer_handler(&mut self, invocation: u64, answer: &HandlerAnswer) -> Result<(), ServiceError> {
        let (Parts { services, .. }, mut ctx) = self.parts();
        services.lambda.answer(&mut ctx, invocation, answer)
    }

    /// The outcome of an Invoke call, once it is there.
    pub fn take_invoked(&mut self, id: u64) -> Option<Outcome> {
        self.services.lambda.take_answer(id)
    }

    /// What came of a discovery whose function had to answer, once it is there.
    pub fn take_discovered(&mut self, id: u64) -> Option<Result<Value, ServiceError>> {
        self.services.analytics.take_discovered(id)
    }

    /// Switches a fault on or off.
    pub(super) fn set_fault(&mut self, fault: &Fault, on: bool) -> Result<(), ServiceError> {
        let missing = |what: &str, name: &str| ServiceError::invalid_argument(format!("there is no {what} {name}"));
        let services = &mut self.services;
        match fault {
            Fault::Bucket { bucket, refusal } => {
                services.s3.bucket_mut(bucket).ok_or_else(|| missing("bucket", bucket))?.refuses = on.then_some(*refusal);
            }
            Fault::SlowFunction { function, by } => {
                services.lambda.function_mut(function).ok_or_else(|| missing("function", function))?.slower =
                    if on { *by } else { VirtualDuration::ZERO };
            }
            Fault::FailingFunction { function } => {
                services.lambda.function_mut(function).ok_or_else(|| missing("function", function))?.failing = on;
            }
            Fault::Destination { stream, trouble } => {
                services.firehose.stream_mut(stream).ok_or_else(|| missing("delivery stream", stream))?.standin.trouble = on.then_some(*trouble);
            }
        }
        let (resource, text) = fault.words(on);
        self.journal.push(self.now, resource, "fault", text, on);
        Ok(())
    }

    /// Whether a request failed for want of a handler outside: the error of a world without a session.
    pub fn no_handlers() -> ServiceError {
        ServiceError::new(ErrorCode::ServiceUnavailableException, "handlers run in a session; this world has none")
    }
}
