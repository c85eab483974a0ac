//! Amazon Data Firehose: delivery streams and the operations of `Firehose_20150804`.
//!
//! A record goes source → backup → decompression → taking apart → function → partition keys → delimiter → buffer → conversion or compression →
//! delivery. Invariant: what came in is delivered, dropped, failed, lost, or somewhere on the way ([`record::Tally`]).

pub mod config;
pub mod endpoint;
pub mod jq;
pub mod object;
pub mod outward;
pub mod prefix;
pub mod record;
pub mod stream;
pub mod tap;
pub mod transform;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};
use crate::engine::kinesis::{Ctx, Kinesis};
use crate::engine::limits::MIB;
use crate::engine::random::Substream;
use crate::engine::schedule::Wake;
use crate::engine::time::{VirtualDuration, VirtualTime};

use config::{Kind, Settings};
use stream::{DeliveryStream, Due, Env, Status, StreamSource};

/// Largest record, bytes.
const RECORD_MAX: usize = 1_024_000;
/// Largest PutRecordBatch, bytes.
const BATCH_MAX: usize = 4 << 20;

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Firehose {
    streams: BTreeMap<Arc<str>, DeliveryStream>,
    incarnations: u64,
    /// Real destinations by the names of streams, also of streams that are still to be made.
    outward: BTreeMap<String, Arc<str>>,
    /// How long creating takes.
    pub create: VirtualDuration,
}

impl Firehose {
    /// An account without delivery streams.
    pub fn new(create: VirtualDuration) -> Self {
        Self { create, ..Self::default() }
    }

    /// A delivery stream by name.
    pub fn stream(&self, name: &str) -> Option<&DeliveryStream> {
        self.streams.get(name)
    }

    /// A delivery stream by name, for faults.
    pub fn stream_mut(&mut self, name: &str) -> Option<&mut DeliveryStream> {
        self.streams.get_mut(name)
    }

    /// All delivery streams by name.
    pub fn streams(&self) -> impl Iterator<Item = &DeliveryStream> {
        self.streams.values()
    }

    /// Deliveries of a stream go to a real destination from now on.
    pub fn deliver_to(&mut self, name: &str, url: &str) {
        self.outward.insert(name.to_owned(), url.into());
        if let Some(stream) = self.streams.get_mut(name) {
            stream.outward = Some(url.into());
        }
    }

    /// The URL of a stream's real destination.
    pub fn outward(&self, name: &str) -> Option<&str> {
        self.outward.get(name).map(|url| &**url)
    }

    /// Some attempt must be carried out outside before time goes on.
    pub fn has_orders(&self) -> bool {
        self.streams.values().any(|stream| !stream.asking.is_empty())
    }

    /// Attempts to be carried out outside.
    pub fn orders(&self, now: VirtualTime, (region, account): (&str, &str)) -> Vec<outward::Order> {
        self.streams.values().flat_map(|stream| stream.orders(now, arn(&stream.name, region, account))).collect()
    }

    /// What came of an attempt outside.
    ///
    /// # Errors
    /// Nobody waits for it.
    pub fn delivered(&mut self, ctx: &mut Ctx<'_>, name: &str, delivery: u64, outcome: endpoint::Outcome) -> Result<(), ServiceError> {
        let stream = self.streams.get_mut(name).filter(|stream| stream.asking.contains(&delivery));
        let stream = stream.ok_or_else(|| ServiceError::invalid_argument(format!("no delivery {delivery} of {name} waits for an answer")))?;
        stream.asking.remove(&delivery);
        stream.answered(ctx, delivery, outcome);
        Ok(())
    }

    /// Something is due.
    pub fn due(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, kinesis: &mut Kinesis, name: &Arc<str>, incarnation: u64, due: Due) {
        let Some(stream) = self.streams.get_mut(name).filter(|stream| stream.incarnation == incarnation) else { return };
        if due == Due::Settle && stream.status == Status::Deleting {
            let left = stream.buffered() + stream.in_transform() + stream.in_flight() + stream.failing();
            ctx.journal.push(ctx.now, format!("delivery stream {name}"), "deleted", format!("deleted, {left} undelivered records with it"), left > 0);
            self.streams.remove(name);
            return;
        }
        stream.due(ctx, env, kinesis, due);
    }

    /// A function has answered.
    pub fn transformed(
        &mut self,
        ctx: &mut Ctx<'_>,
        env: &mut Env<'_>,
        name: &str,
        incarnation: u64,
        invocation: u64,
        outcome: &crate::engine::lambda::Outcome,
    ) {
        let Some(stream) = self.streams.get_mut(name).filter(|stream| stream.incarnation == incarnation) else { return };
        let records: Vec<record::Rec> = stream.transform.running.get(&invocation).map(|(records, _)| records.clone()).unwrap_or_default();
        let answer = transform::answer(outcome, &records);
        stream.transformed(ctx, env, invocation, &answer);
    }

    /// Puts records from inside the world (a rule function, an agent): for each whether it was accepted.
    ///
    /// # Errors
    /// As `PutRecordBatch`.
    pub fn put_batch(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, name: &str, records: &[Arc<[u8]>]) -> Result<Vec<bool>, ServiceError> {
        let account = env.account.to_owned();
        if records.is_empty() || records.len() > 500 {
            let rule = if records.is_empty() { "greater than or equal to 1" } else { "less than or equal to 500" };
            return Err(ServiceError::validation(format!(
                "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length {rule}"
            )));
        }
        if let Some(record) = records.iter().find(|record| record.len() > RECORD_MAX) {
            return Err(too_large(record.len()));
        }
        if records.iter().map(|record| record.len()).sum::<usize>() > BATCH_MAX {
            return Err(ServiceError::invalid_argument("Records size exceeds 4 MB limit"));
        }
        let stream = self.streams.get_mut(name).filter(|stream| stream.status == Status::Active).ok_or_else(|| not_found(name, &account))?;
        if stream.source.is_some() {
            return Err(ServiceError::invalid_argument("This operation is not permitted on KinesisStreamAsSource delivery stream type."));
        }
        Ok(stream.put(ctx, env, records.iter().cloned()))
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// Firehose's own.
    pub fn call(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, kinesis: &Kinesis, call: &Call) -> Result<Value, ServiceError> {
        let body = &call.body;
        let name = body["DeliveryStreamName"].as_str().unwrap_or_default().to_owned();
        let account = env.account.to_owned();
        match call.operation.name {
            "CreateDeliveryStream" => self.create(ctx, env, kinesis, &name, body),
            "ListDeliveryStreams" => {
                let limit = body["Limit"].as_u64().unwrap_or(10) as usize;
                let after = body["ExclusiveStartDeliveryStreamName"].as_str().unwrap_or_default();
                let kind = body["DeliveryStreamType"].as_str();
                let names: Vec<&str> =
                    self.streams.values().filter(|s| &*s.name > after && kind.is_none_or(|kind| kind == type_of(s))).map(|s| &*s.name).collect();
                Ok(json!({"DeliveryStreamNames": names.iter().take(limit).collect::<Vec<_>>(), "HasMoreDeliveryStreams": names.len() > limit}))
            }
            _ => {
                let stream = self.streams.get_mut(name.as_str()).ok_or_else(|| not_found(&name, &account))?;
                match call.operation.name {
                    "DeleteDeliveryStream" => {
                        if stream.status == Status::Creating {
                            return Err(ServiceError::resource_in_use(format!(
                                "Firehose {name} under account {account} is not ACTIVE, instead in state CREATING"
                            )));
                        }
                        stream.status = Status::Deleting;
                        ctx.schedule.at(
                            ctx.now + self.create,
                            Wake::Firehose { stream: stream.name.clone(), incarnation: stream.incarnation, due: Due::Settle },
                        );
                        Ok(json!({}))
                    }
                    "DescribeDeliveryStream" => Ok(json!({"DeliveryStreamDescription": described(stream, env)})),
                    "PutRecord" => {
                        let data = data_of(&body["Record"])?;
                        let passed = self.put_batch(ctx, env, &name, &[data])?;
                        if passed == [false] {
                            return Err(ServiceError::new(ErrorCode::ServiceUnavailableException, "Slow down."));
                        }
                        let stream = self.streams.get(name.as_str()).ok_or_else(|| not_found(&name, &account))?;
                        Ok(json!({"RecordId": record_id(stream, env.seed, 0), "Encrypted": is_encrypted(stream)}))
                    }
                    "PutRecordBatch" => {
                        let records: Vec<Arc<[u8]>> = body["Records"].as_array().into_iter().flatten().map(data_of).collect::<Result<_, _>>()?;
                        let passed = self.put_batch(ctx, env, &name, &records)?;
                        let stream = self.streams.get(name.as_str()).ok_or_else(|| not_found(&name, &account))?;
                        let answers: Vec<Value> = passed
                            .iter()
                            .enumerate()
                            .map(|(at, passed)| {
                                if *passed {
                                    json!({"RecordId": record_id(stream, env.seed, at as u64)})
                                } else {
                                    json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."})
                                }
                            })
                            .collect();
                        let failed = passed.iter().filter(|passed| !**passed).count();
                        Ok(json!({"FailedPutCount": failed, "Encrypted": is_encrypted(stream), "RequestResponses": answers}))
                    }
                    "UpdateDestination" => update(ctx, env, stream, body),
                    "StartDeliveryStreamEncryption" | "StopDeliveryStreamEncryption" => encryption(ctx, stream, call.operation.name, body),
                    "TagDeliveryStream" => {
                        let mut tags = stream.tags.clone();
                        for tag in body["Tags"].as_array().into_iter().flatten() {
                            tags.insert(tag["Key"].as_str().unwrap_or_default().to_owned(), tag["Value"].as_str().unwrap_or_default().to_owned());
                        }
                        if tags.len() > 50 {
                            return Err(ServiceError::limit_exceeded("A delivery stream cannot have more than 50 tags."));
                        }
                        stream.tags = tags;
                        Ok(json!({}))
                    }
                    "UntagDeliveryStream" => {
                        for key in body["TagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                            stream.tags.remove(key);
                        }
                        Ok(json!({}))
                    }
                    "ListTagsForDeliveryStream" => {
                        let after = body["ExclusiveStartTagKey"].as_str().unwrap_or_default();
                        let limit = body["Limit"].as_u64().unwrap_or(50) as usize;
                        let tags: Vec<Value> = stream
                            .tags
                            .iter()
                            .filter(|(key, _)| key.as_str() > after)
                            .map(|(key, value)| json!({"Key": key, "Value": value}))
                            .collect();
                        Ok(json!({"Tags": tags.iter().take(limit).collect::<Vec<_>>(), "HasMoreTags": tags.len() > limit}))
                    }
                    other => Err(ServiceError::not_simulated(other)),
                }
            }
        }
    }

    fn create(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, kinesis: &Kinesis, name: &str, body: &Value) -> Result<Value, ServiceError> {
        let (kind, destination) = config::destination_of(body, "Configuration")?;
        let account = env.account;
        if self.streams.contains_key(name) {
            return Err(ServiceError::resource_in_use(format!("Firehose {name} under account {account} already exists.")));
        }
        let most = if ctx.limits.modern { 5000 } else { 50 };
        if self.streams.len() >= most {
            return Err(ServiceError::limit_exceeded(format!("You have already consumed your firehose quota of {most} hoses.")));
        }
        let settings = Settings::read(kind, &destination, env.glue, ctx.limits, env.region)?;
        let source = match body["DeliveryStreamType"].as_str().unwrap_or("DirectPut") {
            "DirectPut" => None,
            "KinesisStreamAsSource" => {
                let configuration = &body["KinesisStreamSourceConfiguration"];
                let arn = configuration["KinesisStreamARN"].as_str().ok_or_else(|| {
                    ServiceError::invalid_argument("KinesisStreamSourceConfiguration must not be null for the type KinesisStreamAsSource.")
                })?;
                let stream = arn.split_once(":stream/").map_or("", |(_, stream)| stream);
                let found = kinesis.stream(stream).filter(|stream| stream.takes_data());
                let found = found.ok_or_else(|| ServiceError::resource_not_found(format!("Stream {stream} under account {account} not found.")))?;
                if body.get("DeliveryStreamEncryptionConfigurationInput").is_some() {
                    return Err(ServiceError::invalid_argument(
                        "DeliveryStreamEncryptionConfigurationInput is not supported for the type KinesisStreamAsSource.",
                    ));
                }
                let next = found.shards.values().map(|shard| (shard.number, shard.is_open().then(|| shard.log.next()))).collect();
                Some(StreamSource {
                    stream: stream.to_owned(),
                    arn: arn.to_owned(),
                    role: configuration["RoleARN"].as_str().unwrap_or_default().to_owned(),
                    started: ctx.now,
                    next,
                    behind_ms: 0,
                })
            }
            other => return Err(ServiceError::not_simulated(&format!("a delivery stream of the type {other}"))),
        };
        if source.is_none() && body.get("KinesisStreamSourceConfiguration").is_some() {
            return Err(ServiceError::invalid_argument("KinesisStreamSourceConfig is only applicable for KinesisStreamAsSource stream type."));
        }
        let large = matches!(env.region, "us-east-1" | "us-west-2" | "eu-west-1");
        let rates = match (large, ctx.limits.modern) {
            (true, true) => [500_000, 2_000, 5 * MIB],
            (true, false) => [5_000, 2_000, 5 * MIB],
            (false, true) => [100_000, 1_000, MIB],
            (false, false) => [1_000, 1_000, MIB],
        };
        self.incarnations += 1;
        let mut stream = DeliveryStream::new(name, self.incarnations, ctx.now, destination, settings, rates);
        stream.source = source;
        stream.outward = self.outward.get(name).cloned();
        for tag in body["Tags"].as_array().into_iter().flatten() {
            stream.tags.insert(tag["Key"].as_str().unwrap_or_default().to_owned(), tag["Value"].as_str().unwrap_or_default().to_owned());
        }
        if let Some(input) = body.get("DeliveryStreamEncryptionConfigurationInput") {
            stream.encryption = Some(("ENABLED".to_owned(), input["KeyType"].as_str().map(str::to_owned)));
        }
        let from = stream.source.as_ref().map_or_else(|| "direct puts".to_owned(), |source| format!("stream {}", source.stream));
        ctx.journal.push(ctx.now, format!("delivery stream {name}"), "created", format!("from {from} to {}", kind.title()), false);
        ctx.schedule.at(ctx.now + self.create, Wake::Firehose { stream: stream.name.clone(), incarnation: stream.incarnation, due: Due::Settle });
        self.streams.insert(stream.name.clone(), stream);
        Ok(json!({"DeliveryStreamARN": arn(name, env.region, account)}))
    }

    /// Checks the rules that always hold.
    ///
    /// # Errors
    /// A sentence naming delivery stream and rule.
    pub fn check_invariants(&self) -> Result<(), String> {
        match self.streams.values().find(|stream| !stream.is_balanced()) {
            None => Ok(()),
            Some(stream) => Err(format!(
                "delivery stream {}: {:?} with {} in the function, {} buffered, {} in flight, {} failing (conservation)",
                stream.name,
                stream.tally,
                stream.in_transform(),
                stream.buffered(),
                stream.in_flight(),
                stream.failing()
            )),
        }
    }
}

/// ARN of a delivery stream.
pub fn arn(name: &str, region: &str, account: &str) -> String {
    format!("arn:aws:firehose:{region}:{account}:deliverystream/{name}")
}

fn not_found(name: &str, account: &str) -> ServiceError {
    ServiceError::resource_not_found(format!("Firehose {name} under account {account} not found."))
}

fn too_large(length: usize) -> ServiceError {
    ServiceError::validation(format!(
        "1 validation error detected: Value at 'record.data' failed to satisfy constraint: Member must have length less than or equal to {RECORD_MAX} (it has {length})"
    ))
}

fn type_of(stream: &DeliveryStream) -> &'static str {
    if stream.source.is_some() { "KinesisStreamAsSource" } else { "DirectPut" }
}

fn data_of(record: &Value) -> Result<Arc<[u8]>, ServiceError> {
    let data = STANDARD.decode(record["Data"].as_str().unwrap_or_default()).map_err(|_| ServiceError::serialization("Data is not base64"))?;
    if data.len() > RECORD_MAX { Err(too_large(data.len())) } else { Ok(data.into()) }
}

fn is_encrypted(stream: &DeliveryStream) -> bool {
    stream.encryption.as_ref().is_some_and(|(status, _)| status == "ENABLED")
}

/// A long opaque text.
fn record_id(stream: &DeliveryStream, seed: u64, at: u64) -> String {
    let random = Substream::new(seed, &["record-id", &stream.name]).child(stream.tally.incoming).child(at);
    prefix::random_text(random, 216)
}

fn described(stream: &DeliveryStream, env: &Env<'_>) -> Value {
    let seconds = |at: VirtualTime| json!(at.millis() as f64 / 1000.0);
    let mut shown = serde_json::Map::new();
    shown.insert("DeliveryStreamName".to_owned(), json!(&*stream.name));
    shown.insert("DeliveryStreamARN".to_owned(), json!(arn(&stream.name, env.region, env.account)));
    shown.insert("DeliveryStreamStatus".to_owned(), json!(stream.status.name()));
    let encryption = match &stream.encryption {
        None => json!({"Status": "DISABLED"}),
        Some((status, None)) => json!({"Status": status}),
        Some((status, Some(kind))) => json!({"KeyType": kind, "Status": status}),
    };
    shown.insert("DeliveryStreamEncryptionConfiguration".to_owned(), encryption);
    shown.insert("DeliveryStreamType".to_owned(), json!(type_of(stream)));
    shown.insert("VersionId".to_owned(), json!(stream.version.to_string()));
    shown.insert("CreateTimestamp".to_owned(), seconds(stream.created));
    if let Some(updated) = stream.updated {
        shown.insert("LastUpdateTimestamp".to_owned(), seconds(updated));
    }
    if let Some(source) = &stream.source {
        let description = json!({"KinesisStreamARN": source.arn, "RoleARN": source.role, "DeliveryStartTimestamp": seconds(source.started)});
        shown.insert("Source".to_owned(), json!({"KinesisStreamSourceDescription": description}));
    }
    let kind = stream.settings.kind;
    let description = config::described(kind, &stream.body, &stream.settings);
    let mut destination = serde_json::Map::new();
    destination.insert("DestinationId".to_owned(), json!("destinationId-000000000001"));
    if kind == Kind::S3 {
        let plain: serde_json::Map<String, Value> = [
            "RoleARN",
            "BucketARN",
            "Prefix",
            "ErrorOutputPrefix",
            "BufferingHints",
            "CompressionFormat",
            "EncryptionConfiguration",
            "CloudWatchLoggingOptions",
        ]
        .into_iter()
        .filter_map(|member| description.get(member).map(|value| (member.to_owned(), value.clone())))
        .collect();
        destination.insert("S3DestinationDescription".to_owned(), Value::Object(plain));
    }
    destination.insert(format!("{}Description", kind.member()), description);
    shown.insert("Destinations".to_owned(), json!([destination]));
    shown.insert("HasMoreDestinations".to_owned(), json!(false));
    Value::Object(shown)
}

fn update(ctx: &mut Ctx<'_>, env: &Env<'_>, stream: &mut DeliveryStream, body: &Value) -> Result<Value, ServiceError> {
    let name = stream.name.clone();
    if stream.status != Status::Active {
        return Err(ServiceError::resource_in_use(format!(
            "Firehose {name} under account {} is not ACTIVE, instead in state {}",
            env.account,
            stream.status.name()
        )));
    }
    let version = body["CurrentDeliveryStreamVersionId"].as_str().unwrap_or_default();
    if version != stream.version.to_string() {
        return Err(ServiceError::new(
            ErrorCode::ConcurrentModificationException,
            format!(
                "Cannot update firehose: {name} since the current version id: {} and specified version id: {version} do not match",
                stream.version
            ),
        ));
    }
    if body["DestinationId"] != "destinationId-000000000001" {
        return Err(ServiceError::invalid_argument("Destination Id destinationId-000000000001 is the only destination of this delivery stream"));
    }
    let (kind, change) = config::destination_of(body, "Update")?;
    let merged = if kind == stream.settings.kind { config::merged(&stream.body, &change) } else { config::merged(&json!({}), &change) };
    let settings = Settings::read(kind, &merged, env.glue, ctx.limits, env.region)?;
    stream.body = merged;
    stream.settings = Arc::new(settings);
    stream.version += 1;
    stream.updated = Some(ctx.now);
    ctx.journal.push(ctx.now, format!("delivery stream {name}"), "updated", format!("version {}: the next buffer follows it", stream.version), false);
    Ok(json!({}))
}

fn encryption(ctx: &mut Ctx<'_>, stream: &mut DeliveryStream, operation: &str, body: &Value) -> Result<Value, ServiceError> {
    if stream.source.is_some() {
        return Err(ServiceError::invalid_argument("This operation is not permitted on KinesisStreamAsSource delivery stream type."));
    }
    let day = VirtualDuration::from_secs(24 * 3600);
    stream.encryption_calls.retain(|at| ctx.now.since(*at) < day);
    if stream.encryption_calls.len() >= 25 {
        return Err(ServiceError::limit_exceeded("Encryption was started or stopped 25 times within 24 hours."));
    }
    stream.encryption_calls.push(ctx.now);
    let kind = body["DeliveryStreamEncryptionConfigurationInput"]["KeyType"].as_str().unwrap_or("AWS_OWNED_CMK").to_owned();
    stream.encryption = Some(if operation.starts_with("Start") { ("ENABLED".to_owned(), Some(kind)) } else { ("DISABLED".to_owned(), None) });
    Ok(json!({}))
}
