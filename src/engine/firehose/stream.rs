//! A delivery stream: records in, processing, buffers, deliveries, retries. Everything happens at virtual instants; the counts of
//! [`Tally`] say where every record is.

mod delivery;
mod intake;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use crate::engine::formats::compress;
use crate::engine::glue::Glue;
use crate::engine::kinesis::bucket::TokenBucket;
use crate::engine::kinesis::{Ctx, Kinesis};
use crate::engine::lambda::Lambda;
use crate::engine::metrics::{Dimensions, Metric};
use crate::engine::random::{Substream, below};
use crate::engine::s3::S3;
use crate::engine::schedule::Wake;
use crate::engine::time::{VirtualDuration, VirtualTime};

use self::delivery::{Delivery, Parcel, Role};
use super::config::{Kind, Settings};
use super::endpoint::Standin;
use super::object;
use super::prefix::{self, format_there};
use super::record::{Failure, Rec, Tally};
use super::tap::Taps;
use super::transform;

/// How long Firehose keeps data that it cannot deliver.
const KEPT: VirtualDuration = VirtualDuration::from_secs(24 * 3600);
/// Partitions that may be buffered at a time.
const PARTITIONS_MAX: usize = 500;
/// Time between two GetRecords calls on a shard of the source.
const POLL: VirtualDuration = VirtualDuration::SECOND;
/// Records that one packed record may hold.
const SUB_RECORDS_MAX: usize = 500;
/// Delivered objects remembered for screens.
const OBJECTS_SHOWN: usize = 200;

/// What wakes a delivery stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// CREATING or DELETING ends.
    Settle,
    /// The source is read.
    Poll,
    /// The transform's interval is over; the number guards against earlier batches.
    Transform(u64),
    /// A buffer's interval is over.
    Buffer(u64),
    /// A buffer of failure lines is written.
    Errors(u64),
    /// The backup buffer is written.
    Backup(u64),
    /// An attempt to deliver.
    Delivery(u64),
}

/// What of the world a delivery stream uses.
pub struct Env<'a> {
    /// Buckets.
    pub s3: &'a mut S3,
    /// Schemas.
    pub glue: &'a Glue,
    /// Functions.
    pub lambda: &'a mut Lambda,
    /// Region.
    pub region: &'a str,
    /// Account.
    pub account: &'a str,
    /// Seed.
    pub seed: u64,
}

/// Status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Being made.
    Creating,
    /// Takes data.
    Active,
    /// Being taken away.
    Deleting,
}

impl Status {
    /// AWS's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
        }
    }
}

/// A stream as the source.
#[derive(Debug, Clone)]
pub struct StreamSource {
    /// Name of the stream.
    pub stream: String,
    /// Its ARN.
    pub arn: String,
    /// The role.
    pub role: String,
    /// When reading began.
    pub started: VirtualTime,
    /// Counter of the next record by shard; `None` of a shard that is read to its end.
    pub next: BTreeMap<u32, Option<u64>>,
    /// MillisBehindLatest of the slowest shard.
    pub behind_ms: u64,
}

/// Records waiting together.
#[derive(Debug, Clone)]
pub struct Buffer {
    /// Number.
    pub id: u64,
    /// Partition keys.
    pub keys: Vec<(String, String)>,
    /// Records in order.
    pub records: Vec<Rec>,
    /// Their bytes.
    pub bytes: u64,
    /// When the first one came in.
    pub since: VirtualTime,
}

/// Why a buffer was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Closed {
    /// The size hint.
    Size,
    /// The interval hint.
    Interval,
}

/// A delivered object, for screens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// When.
    pub at: VirtualTime,
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Records in it.
    pub records: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Bytes of the records.
    pub source_bytes: u64,
    /// Which hint closed the buffer.
    pub closed: Closed,
    /// It holds failures.
    pub errors: bool,
}

#[derive(Debug, Clone, Default)]
struct Lines {
    id: u64,
    text: Vec<u8>,
    records: u64,
    since: VirtualTime,
}

/// One record before and after the function, for screens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// As it came.
    pub before: String,
    /// As it went; `None` = dropped.
    pub after: Option<String>,
    /// `Ok`, `Dropped`, `ProcessingFailed`.
    pub result: String,
}

/// The transform of a delivery stream.
#[derive(Debug, Clone, Default)]
pub struct Transform {
    /// Waiting for an invocation.
    pub waiting: Vec<Rec>,
    /// Their bytes.
    pub bytes: u64,
    /// When the first one came in.
    pub since: VirtualTime,
    /// Guards wake-ups.
    pub batch: u64,
    /// Invocations under way: records and attempts.
    pub running: BTreeMap<u64, (Vec<Rec>, u32)>,
    /// The last batch, some records of it.
    pub samples: Vec<Sample>,
    /// Ok, dropped and failed of the last batch.
    pub last: (u64, u64, u64),
}

/// A delivery stream.
#[derive(Debug, Clone)]
pub struct DeliveryStream {
    /// Name.
    pub name: Arc<str>,
    /// Guards wake-ups of an earlier stream of the name.
    pub incarnation: u64,
    /// Status.
    pub status: Status,
    /// Version.
    pub version: u64,
    /// When it was created.
    pub created: VirtualTime,
    /// When it was changed last.
    pub updated: Option<VirtualTime>,
    /// Destination as it was given.
    pub body: Value,
    /// Destination as it is used.
    pub settings: Arc<Settings>,
    /// Stream it reads, if it does.
    pub source: Option<StreamSource>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Encryption status and key type.
    pub encryption: Option<(String, Option<String>)>,
    /// Start and stop calls of encryption.
    pub encryption_calls: Vec<VirtualTime>,
    /// Put quotas: records, requests, bytes.
    quotas: [TokenBucket; 3],
    /// Where every record is.
    pub tally: Tally,
    /// The function.
    pub transform: Transform,
    /// Buffers by partition.
    buffers: BTreeMap<u64, Buffer>,
    partitions: BTreeMap<Vec<(String, String)>, u64>,
    backup: Lines,
    errors: BTreeMap<&'static str, Lines>,
    deliveries: BTreeMap<u64, Delivery>,
    /// A real destination takes the deliveries.
    pub outward: Option<Arc<str>>,
    /// Deliveries under way there.
    pub asking: BTreeSet<u64>,
    next: u64,
    records: u64,
    /// Delivered objects, newest last.
    pub objects: VecDeque<Delivered>,
    /// The destination, when it is not S3.
    pub standin: Standin,
    /// COPY commands run, newest last.
    pub copies: VecDeque<(VirtualTime, String, String)>,
    /// Who else reads what comes in.
    pub taps: Taps,
}

impl DeliveryStream {
    /// A stream being created. `rates` are records, requests and bytes a second of its put quotas.
    pub fn new(name: &str, incarnation: u64, now: VirtualTime, body: Value, settings: Settings, rates: [u64; 3]) -> Self {
        Self {
            name: name.into(),
            incarnation,
            status: Status::Creating,
            version: 1,
            created: now,
            updated: None,
            body,
            settings: Arc::new(settings),
            source: None,
            tags: BTreeMap::new(),
            encryption: None,
            encryption_calls: Vec::new(),
            quotas: rates.map(|rate| TokenBucket::full(rate, now)),
            tally: Tally::default(),
            transform: Transform::default(),
            buffers: BTreeMap::new(),
            partitions: BTreeMap::new(),
            backup: Lines::default(),
            errors: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            outward: None,
            asking: BTreeSet::new(),
            next: 1,
            records: 0,
            objects: VecDeque::new(),
            standin: Standin::default(),
            copies: VecDeque::new(),
            taps: Taps::default(),
        }
    }

    /// Metric dimensions.
    pub fn dimensions(&self) -> Dimensions {
        Dimensions::DeliveryStream(self.name.clone())
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn wake(&self, ctx: &mut Ctx<'_>, at: VirtualTime, due: Due) {
        ctx.schedule.at(at, Wake::Firehose { stream: self.name.clone(), incarnation: self.incarnation, due });
    }

    fn say(&self, ctx: &mut Ctx<'_>, kind: &str, text: impl Into<String>, alarm: bool) {
        ctx.journal.push(ctx.now, format!("delivery stream {}", self.name), kind, text, alarm);
    }

    /// Buffers, biggest first.
    pub fn buffers(&self) -> Vec<&Buffer> {
        let mut list: Vec<&Buffer> = self.buffers.values().collect();
        list.sort_by_key(|buffer| (core::cmp::Reverse(buffer.bytes), buffer.id));
        list
    }

    /// Records in buffers.
    pub fn buffered(&self) -> u64 {
        self.buffers.values().map(|buffer| buffer.records.len() as u64).sum()
    }

    /// Records in the function or before it.
    pub fn in_transform(&self) -> u64 {
        self.transform.waiting.len() as u64 + self.transform.running.values().map(|(records, _)| records.len() as u64).sum::<u64>()
    }

    /// Records in deliveries under way.
    pub fn in_flight(&self) -> u64 {
        self.deliveries.values().map(|delivery| if delivery.is_counted() { delivery.records } else { 0 }).sum()
    }

    /// Records in failure lines that are not written yet.
    pub fn failing(&self) -> u64 {
        self.errors.values().map(|lines| lines.records).sum()
    }

    /// Deliveries that failed at least once: attempts, error, since.
    pub fn retries(&self) -> Vec<(u32, String, VirtualTime)> {
        self.deliveries
            .values()
            .filter_map(|delivery| {
                delivery
                    .first_failure
                    .map(|since| (delivery.attempts, delivery.last_error.as_ref().map_or_else(String::new, |e| e.code.clone()), since))
            })
            .collect()
    }

    /// Arrival of the oldest record that is not delivered.
    pub fn oldest(&self) -> Option<VirtualTime> {
        let buffered = self.buffers.values().filter_map(|buffer| buffer.records.first().map(|record| record.arrival)).min();
        let flying = self.deliveries.values().map(|delivery| delivery.oldest).min();
        let waiting = self.transform.waiting.first().map(|record| record.arrival);
        [buffered, flying, waiting].into_iter().flatten().min()
    }

    /// incoming + expanded = dropped + delivered + failed + lost + everything on the way.
    pub fn is_balanced(&self) -> bool {
        let tally = &self.tally;
        let ends = tally.dropped + tally.delivered + tally.failed + tally.lost;
        let ways = self.in_transform() + self.buffered() + self.in_flight() + self.failing();
        tally.incoming as i64 + tally.expanded == (ends + ways) as i64
    }

    /// A station of the record being followed.
    pub(super) fn trace(&self, ctx: &mut Ctx<'_>, text: String) {
        ctx.trail.note(ctx.now, format!("delivery stream {}", self.name), text);
    }

    /// Partition keys, delimiter, then the buffer of the partition.
    fn buffer(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, mut record: Rec) {
        let settings = self.settings.clone();
        let mut keys = Vec::new();
        if settings.partitioning.is_some() {
            match transform::partition_keys(&settings, &record) {
                Ok(found) => keys = found,
                Err(failure) => return self.fail(ctx, &record, "processing-failed", &failure, None),
            }
        }
        if let Some(delimiter) = &settings.processing.delimiter {
            record.data = [&record.data[..], delimiter].concat().into();
        }
        let now = ctx.now;
        let size = record.data.len() as u64;
        let mut id = self.partitions.get(&keys).copied();
        if let Some(full) = id
            && self.buffers.get(&full).is_some_and(|buffer| buffer.bytes + size > settings.size_bytes)
        {
            self.close(ctx, env, full, Closed::Size);
            id = None;
        }
        let id = match id {
            Some(id) => id,
            None => {
                if settings.partitioning.is_some() && self.partitions.len() >= PARTITIONS_MAX {
                    ctx.metrics.add(Metric::PartitionCountExceeded, &self.dimensions(), now, 1);
                    let text = "You have exceeded the active partition limit of this delivery stream.";
                    return self.fail(
                        ctx,
                        &record,
                        "processing-failed",
                        &Failure::new("DynamicPartitioning.ActivePartitionLimitExceeded", text),
                        None,
                    );
                }
                let id = self.number();
                self.partitions.insert(keys.clone(), id);
                self.buffers.insert(id, Buffer { id, keys, records: Vec::new(), bytes: 0, since: now });
                self.wake(ctx, now + settings.interval, Due::Buffer(id));
                if settings.partitioning.is_some() {
                    ctx.metrics.add(Metric::PartitionCount, &self.dimensions(), now, self.partitions.len() as u64);
                }
                id
            }
        };
        if ctx.trail.holds(&self.name, record.id) {
            let before = self.buffers.get(&id).map_or(0, |buffer| buffer.records.len());
            self.trace(ctx, format!("in the buffer, behind {before} others"));
        }
        if let Some(buffer) = self.buffers.get_mut(&id) {
            buffer.bytes += size;
            buffer.records.push(record);
            if buffer.bytes >= settings.size_bytes {
                self.close(ctx, env, id, Closed::Size);
            }
        }
    }

    /// A buffer becomes a delivery.
    fn close(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, id: u64, closed: Closed) {
        let Some(buffer) = self.buffers.remove(&id) else { return };
        self.partitions.remove(&buffer.keys);
        if buffer.records.is_empty() {
            return;
        }
        let settings = self.settings.clone();
        let followed = buffer.records.iter().any(|record| ctx.trail.holds(&self.name, record.id));
        if followed {
            let hint = if closed == Closed::Size { "size" } else { "interval" };
            self.trace(ctx, format!("its buffer is closed by the {hint} hint: {} records, {} bytes", buffer.records.len(), buffer.bytes));
        }
        let oldest = buffer.records[0].arrival;
        let random = Substream::new(env.seed, &["firehose", &self.name]).child(id);
        let latency = VirtualDuration::from_millis(1000 + below(random.bits(7), 2000));
        let records = buffer.records.len() as u64;
        if !matches!(settings.kind, Kind::S3 | Kind::Redshift) {
            if settings.backup_all {
                for record in &buffer.records {
                    self.back_up(ctx, &record.data);
                }
            }
            let delivery = Delivery::new(Parcel::Records { records: buffer.records }, records, buffer.bytes, oldest, closed);
            return self.dispatch(ctx, delivery, latency);
        }
        let built = match object::build(&settings, env.glue, &buffer, ctx.now, (env.account, env.region)) {
            Ok(built) => built,
            Err(failure) => {
                // The schema is not to be had: the whole batch fails after the service's retries.
                for record in &buffer.records {
                    self.fail(ctx, record, "format-conversion-failed", &failure, None);
                }
                return;
            }
        };
        let dimensions = self.dimensions();
        if settings.conversion.is_some() {
            ctx.metrics.add_many(Metric::SucceedConversionRecords, &dimensions, ctx.now, built.records, 1);
            ctx.metrics.add_many(Metric::SucceedConversionBytes, &dimensions, ctx.now, built.source_bytes, 1);
            ctx.metrics.add_many(Metric::FailedConversionRecords, &dimensions, ctx.now, built.failed.len() as u64, 1);
            ctx.bill.firehose_converted_bytes += buffer.bytes;
            if !built.failed.is_empty() {
                let (_, failure) = &built.failed[0];
                self.say(ctx, "conversion-failed", format!("{} records do not fit the schema: {}", built.failed.len(), failure.message), true);
            }
            for (line, _) in &built.failed {
                self.add_line(ctx, "format-conversion-failed", line);
            }
            // They are written with the buffer they came from.
            if let Some(id) = self.errors.get("format-conversion-failed").map(|lines| lines.id) {
                self.write_errors(ctx, id);
            }
        }
        if built.records == 0 {
            return;
        }
        let random_name = random.child(1);
        let prefix = settings.s3.prefix.evaluate(if settings.partitioning.is_some() { ctx.now } else { oldest }, &buffer.keys, random.child(2));
        let entry = prefix::uuid(random_name);
        let extension = settings.s3.extension.clone().unwrap_or_else(|| built.extension.to_owned());
        let name =
            format!("{}-{}-{}-{entry}{extension}", self.name, self.version, format_there("yyyy-MM-dd-HH-mm-ss", buffer.since, &settings.s3.zone));
        let role = if settings.kind == Kind::Redshift { Role::Staging } else { Role::Data };
        if followed {
            ctx.trail.packed(&settings.s3.bucket, &format!("{prefix}{name}"));
        }
        let delivery = Delivery {
            copy: (role == Role::Staging).then_some(buffer.records),
            ..Delivery::new(
                Parcel::Object {
                    bucket: settings.s3.bucket.clone(),
                    key: format!("{prefix}{name}"),
                    bytes: built.bytes.into(),
                    encoding: built.encoding,
                    role,
                },
                built.records,
                built.source_bytes,
                oldest,
                closed,
            )
        };
        self.dispatch(ctx, delivery, latency);
    }

    /// Something is due.
    pub fn due(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, kinesis: &mut Kinesis, due: Due) {
        match due {
            Due::Settle if self.status == Status::Creating => {
                self.status = Status::Active;
                self.say(ctx, "active", "ACTIVE: puts are taken", false);
                if self.source.is_some() {
                    self.wake(ctx, ctx.now, Due::Poll);
                }
            }
            // The service takes a stream away that is DELETING.
            Due::Settle => {}
            Due::Poll => {
                self.poll(ctx, env, kinesis);
                self.wake(ctx, ctx.now + POLL, Due::Poll);
            }
            Due::Transform(batch) if batch == self.transform.batch => self.invoke(ctx, env),
            Due::Transform(_) => {}
            Due::Buffer(id) => self.close(ctx, env, id, Closed::Interval),
            Due::Errors(id) => self.write_errors(ctx, id),
            Due::Backup(id) => self.write_backup(ctx, id),
            Due::Delivery(id) => self.attempt(ctx, env, id),
        }
    }
}

/// Opens a gzip payload.
pub(super) fn gunzip(data: &[u8]) -> Option<Vec<u8>> {
    compress::gunzip(data, DeliveryStream::unpacked_max())
}
