//! What the world looks like at one instant: an owned, serialisable value for screens, line mode, JSON and recordings.
//!
//! The `View` is built on request from the engine ([`crate::engine::Engine::view`]); it holds no borrow and no behaviour beyond small
//! arithmetic. Everything is an integer; percentages are permille so that every renderer rounds the same way.

use serde::{Deserialize, Serialize};

use super::kinesis::hash::HashKey;
use super::time::VirtualTime;
use super::trail::TrailView;

/// How much of the world a view should hold. Lists of unbounded length are cut to these sizes and say how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wants {
    /// Newest journal rows wanted.
    pub journal_rows: usize,
    /// Case-insensitive text that a journal row must hold.
    pub journal_filter: Option<String>,
    /// Seconds of load history per shard (at most 300).
    pub history_seconds: usize,
    /// Bins of the hash-key map over the whole hash space.
    pub key_bins: usize,
    /// Only this stream's shards (all streams' when `None`).
    pub stream: Option<String>,
    /// A partition key to probe on the stream shown.
    pub probe_key: Option<String>,
}

impl Default for Wants {
    fn default() -> Self {
        Self { journal_rows: 20, journal_filter: None, history_seconds: 60, key_bins: 128, stream: None, probe_key: None }
    }
}

/// The world at one instant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct View {
    /// The virtual instant.
    pub now: VirtualTime,
    /// When the world began.
    pub epoch: VirtualTime,
    /// The seed of all randomness.
    pub seed: u64,
    /// `deck-2018` or `current`.
    pub era: String,
    /// All data streams, by name.
    pub streams: Vec<StreamView>,
    /// All delivery streams, by name.
    #[serde(default)]
    pub deliveries: Vec<DeliveryStreamView>,
    /// All functions, by name.
    #[serde(default)]
    pub functions: Vec<FunctionView>,
    /// All buckets, by name.
    #[serde(default)]
    pub buckets: Vec<BucketView>,
    /// All SQL applications, by name.
    #[serde(default)]
    pub applications: Vec<ApplicationView>,
    /// All producers, by name.
    pub producers: Vec<ProducerView>,
    /// All consumers, by name.
    pub consumers: Vec<ConsumerView>,
    /// The newest journal rows.
    pub journal: JournalView,
    /// The running bill.
    pub cost: CostView,
    /// What the coach has to say now, most urgent first.
    pub coach: Vec<CoachLine>,
    /// Where every record is, one line per producer and stream.
    pub accounting: Vec<AccountingLine>,
    /// CloudWatch-named series of the streams, for charts and line mode.
    pub metrics: Vec<MetricView>,
    /// Alarms of CloudWatch, by name.
    #[serde(default)]
    pub alarms: Vec<AlarmView>,
    /// The record being followed.
    #[serde(default)]
    pub trail: Option<TrailView>,
    /// Events processed since the start.
    pub events: u64,
    /// The chained hash of the journal so far, in hex.
    pub journal_hash: String,
}

impl View {
    /// The application that a screen shows: one that runs before others, then the one that was changed most often.
    pub fn application(&self) -> Option<&ApplicationView> {
        self.applications.iter().rev().max_by_key(|application| (application.status == "RUNNING", application.version))
    }
}

/// One data stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StreamView {
    /// Stream name.
    pub name: String,
    /// `CREATING`, `ACTIVE`, `UPDATING` or `DELETING`.
    pub status: String,
    /// `PROVISIONED` or `ON_DEMAND`.
    pub mode: String,
    /// Retention in hours.
    pub retention_hours: u32,
    /// Server-side encryption is on.
    pub encrypted: bool,
    /// Shards that take writes.
    pub open_shards: u32,
    /// Shards that can only be read.
    pub closed_shards: u32,
    /// Registered fan-out consumers.
    pub fanout_consumers: u32,
    /// Write limit of one shard, bytes per second.
    pub write_bytes_per_second: u64,
    /// Write limit of one shard, records per second.
    pub write_records_per_second: u64,
    /// Read limit of one shard, bytes per second, shared by all polling consumers.
    pub read_bytes_per_second: u64,
    /// Records now stored, all shards.
    pub stored_records: u64,
    /// Bytes now stored (data and keys), all shards.
    pub stored_bytes: u64,
    /// The load of the last whole second, all shards.
    pub load: Load,
    /// Shards sorted by hash key; closed parents follow the open shards, newest first.
    pub shards: Vec<ShardView>,
    /// Accepted bytes per bin of the whole hash space over the last ten seconds (see [`Wants::key_bins`]).
    pub key_density: Vec<u64>,
    /// The answer to [`Wants::probe_key`].
    pub probe: Option<KeyProbe>,
}

/// What one second of writing looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Load {
    /// Bytes stored (data and partition keys).
    pub accepted_bytes: u64,
    /// Records stored.
    pub accepted_records: u64,
    /// Bytes refused by the rate limits.
    pub refused_bytes: u64,
    /// Records refused by the rate limits.
    pub refused_records: u64,
    /// Bytes handed out to readers.
    pub read_bytes: u64,
    /// GetRecords calls answered.
    pub read_calls: u64,
}

/// One shard.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ShardView {
    /// Full id, `shardId-000000000002`.
    pub id: String,
    /// Number within the stream, 2.
    pub number: u32,
    /// Takes writes; otherwise it is closed.
    pub open: bool,
    /// Number of the parent it came from.
    pub parent: Option<u32>,
    /// Number of the second parent after a merge.
    pub adjacent_parent: Option<u32>,
    /// First hash key, inclusive.
    pub hash_start: HashKey,
    /// Last hash key, inclusive.
    pub hash_end: HashKey,
    /// The last whole second.
    pub load: Load,
    /// Demand (accepted + refused) of each past second in permille of the binding limit, oldest first.
    pub history: Vec<u32>,
    /// Accepted in the last second in permille of the records limit.
    pub records_permille: u32,
    /// Accepted in the last second in permille of the bytes limit.
    pub bytes_permille: u32,
    /// Refused in the last second in permille of the binding limit.
    pub refused_permille: u32,
    /// Age of the oldest record that some consumer has not read yet, milliseconds; `None` when nobody reads the shard.
    pub behind_ms: Option<u64>,
    /// Records now stored.
    pub stored_records: u64,
    /// The most frequent partition key of the last ten seconds and its share in permille, when one stands out.
    pub hot_key: Option<(String, u32)>,
    /// The newest record.
    pub last_record: Option<RecordView>,
}

/// One stored record, shortened for display.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecordView {
    /// Sequence number.
    pub sequence_number: String,
    /// When it was accepted.
    pub arrived: VirtualTime,
    /// Partition key.
    pub partition_key: String,
    /// Data size in bytes.
    pub data_bytes: u64,
    /// User records inside (more than 1 when KPL-aggregated).
    pub user_records: u64,
    /// The first 400 bytes of the data as text; bytes that are not printable are shown as `.`.
    pub text: String,
}

/// Where a partition key would go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KeyProbe {
    /// The key asked for.
    pub partition_key: String,
    /// Its MD5 as a number.
    pub hash: HashKey,
    /// The open shard that takes it.
    pub shard_id: String,
}

/// One producer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProducerView {
    /// Name in the lab file.
    pub name: String,
    /// `sdk`, `kpl`, `replay`, `agent` …
    pub kind: String,
    /// `stopped`, `running`, `blocked` (back-pressure), `failed`, `finished`.
    pub state: String,
    /// Stream it writes to.
    pub target: String,
    /// The command line or settings in words.
    pub settings: String,
    /// User records handed over by its source in the last second.
    pub offered_per_second: u64,
    /// User records acknowledged in the last second.
    pub acknowledged_per_second: u64,
    /// Records refused by limits in the last second (attempts).
    pub refused_per_second: u64,
    /// User records acknowledged since start.
    pub acknowledged: u64,
    /// User records given up (TTL, data loss bug).
    pub lost: u64,
    /// User records in its buffers or in flight.
    pub outstanding: u64,
    /// How far the replay is behind its schedule, milliseconds.
    pub lag_ms: u64,
    /// Last lines of its own log, oldest first.
    pub log: Vec<LogLine>,
}

/// A line that a program of the world printed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: VirtualTime,
    /// What.
    pub text: String,
}

/// One consumer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ConsumerView {
    /// Name in the lab file.
    pub name: String,
    /// `get-records`, `kcl`, `fan-out`.
    pub kind: String,
    /// `stopped`, `running`, `failed`.
    pub state: String,
    /// Stream it reads.
    pub stream: String,
    /// One row per shard it reads.
    pub shards: Vec<ConsumerShardView>,
    /// Records (after de-aggregation where the consumer does that) since start.
    pub records: u64,
    /// Bytes since start.
    pub bytes: u64,
    /// Last lines it printed.
    pub log: Vec<LogLine>,
}

/// One consumer on one shard.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ConsumerShardView {
    /// Shard number.
    pub shard: u32,
    /// Iterator type it started with.
    pub position: String,
    /// `reading`, `waiting-for-parents`, `finished`, `throttled`, `crashed`.
    pub state: String,
    /// MillisBehindLatest of the last answer.
    pub behind_ms: u64,
    /// Calls in the last second.
    pub reads_per_second: u64,
    /// Bytes in the last second.
    pub bytes_per_second: u64,
    /// Worker that holds the lease (KCL).
    pub worker: Option<String>,
}

/// The end of the journal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JournalView {
    /// Newest last.
    pub rows: Vec<JournalRow>,
    /// Rows that match the filter in all.
    pub matching: u64,
    /// Rows in all since the start.
    pub total: u64,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JournalRow {
    /// Position in the journal from 0.
    pub sequence: u64,
    /// When.
    pub at: VirtualTime,
    /// The resource it is about, or `world`.
    pub resource: String,
    /// One word: `created`, `throttled`, `resharded` …
    pub kind: String,
    /// The sentence.
    pub text: String,
    /// Something went wrong or was refused.
    pub alarm: bool,
}

/// The running bill, in nano-dollars (10^-9 $) so that sums are exact.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CostView {
    /// Total so far.
    pub total_nanodollars: u64,
    /// What the next hour costs at the load of the last minute.
    pub per_hour_nanodollars: u64,
    /// One line per price driver.
    pub lines: Vec<CostLine>,
}

/// One price driver.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CostLine {
    /// `shard hours`, `PUT payload units` …
    pub item: String,
    /// Quantity with its unit and rounding in words.
    pub quantity: String,
    /// Amount so far.
    pub nanodollars: u64,
    /// Amount per hour at the present load.
    pub per_hour_nanodollars: u64,
}

/// A sentence of the coach.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CoachLine {
    /// Name of the lint: `hot-shard`, `retry-storm` …
    pub lint: String,
    /// What it is about.
    pub resource: String,
    /// The sentence.
    pub text: String,
    /// Since when it holds.
    pub since: VirtualTime,
}

/// Where records are: `offered = acknowledged + lost + outstanding`, `acknowledged = stored + trimmed` per stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AccountingLine {
    /// `producer replay` or `stream clicks`.
    pub subject: String,
    /// Named amounts in a fixed order.
    pub parts: Vec<(String, u64)>,
    /// The equation holds.
    pub balanced: bool,
}

/// One CloudWatch metric of one resource.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MetricView {
    /// `IncomingBytes` …
    pub metric: String,
    /// `StreamName=clicks` …
    pub dimensions: String,
    /// CloudWatch's unit: `Bytes`, `Count`, `Milliseconds`.
    pub unit: String,
    /// Sum per second over [`Wants::history_seconds`], oldest first.
    pub per_second: Vec<u64>,
    /// Sum of the last 60 whole seconds.
    pub last_minute: u64,
}

/// An alarm on a metric.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlarmView {
    /// Name.
    pub name: String,
    /// `IncomingBytes` …
    pub metric: String,
    /// `StreamName=clicks` …
    pub dimensions: String,
    /// `Sum`, `Maximum` …
    pub statistic: String,
    /// Its period in seconds.
    pub period_secs: u64,
    /// Its threshold in thousandths; 0 when it is below zero.
    pub threshold_milli: u64,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: VirtualTime,
}

/// One delivery stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeliveryStreamView {
    /// Name.
    pub name: String,
    /// `CREATING`, `ACTIVE` or `DELETING`.
    pub status: String,
    /// Where its records come from, in words.
    pub source: String,
    /// The stream it reads, if it does.
    pub source_stream: Option<String>,
    /// Where they go, in words.
    pub destination: String,
    /// Form of the objects.
    pub format: String,
    /// Version.
    pub version: u64,
    /// The function that transforms.
    pub function: Option<String>,
    /// Size hint, bytes.
    pub size_bytes: u64,
    /// Interval hint, milliseconds.
    pub interval_ms: u64,
    /// Bytes in the fullest buffer.
    pub buffer_bytes: u64,
    /// Records in it.
    pub buffer_records: u64,
    /// Its age, milliseconds.
    pub buffer_age_ms: u64,
    /// Buffers (partitions).
    pub buffers: u64,
    /// Milliseconds until the size hint closes the buffer, at the rate so far.
    pub to_size_ms: Option<u64>,
    /// Milliseconds until the interval closes it.
    pub to_interval_ms: Option<u64>,
    /// Age of the oldest record that is not delivered.
    pub oldest_ms: Option<u64>,
    /// Records before the function.
    pub transform_waiting: u64,
    /// Invocations under way.
    pub transform_running: u64,
    /// Ok, dropped and failed of the last batch.
    pub transform_last: (u64, u64, u64),
    /// Some records of the last batch before and after.
    pub samples: Vec<SampleView>,
    /// Where every record is.
    pub accounting: Vec<(String, u64)>,
    /// What came in is everything else together.
    pub balanced: bool,
    /// Records refused by the put quotas.
    pub throttled: u64,
    /// Records delivered twice.
    pub duplicates: u64,
    /// Bytes that came in.
    pub incoming_bytes: u64,
    /// Deliveries that are tried again.
    pub retries: Vec<String>,
    /// A fault of its destination.
    pub trouble: Option<String>,
    /// Delivered objects, newest first.
    pub objects: Vec<DeliveredView>,
    /// Delivered objects remembered.
    pub objects_total: u64,
    /// COPY commands, newest first.
    pub copies: Vec<String>,
    /// Records by index, table or endpoint of a destination beside S3.
    pub taken: Vec<(String, u64)>,
}

/// A record before and after a function.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SampleView {
    /// Before.
    pub before: String,
    /// After, unless it was dropped or failed.
    pub after: Option<String>,
    /// `Ok`, `Dropped` or the code of the failure.
    pub result: String,
}

/// A delivered object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DeliveredView {
    /// When.
    pub at: VirtualTime,
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Records.
    pub records: u64,
    /// Bytes.
    pub bytes: u64,
    /// Bytes of its records.
    pub source_bytes: u64,
    /// The size hint closed the buffer, not the interval.
    pub by_size: bool,
    /// It holds failures.
    pub errors: bool,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FunctionView {
    /// Name.
    pub name: String,
    /// Runtime, or `rule`.
    pub runtime: String,
    /// The file that runs and its text.
    pub code: (String, String),
    /// Streams it reads.
    pub mappings: Vec<MappingView>,
    /// Delivery stream it writes to, from its environment.
    pub target: Option<String>,
    /// Invocations, errors, throttles.
    pub counts: (u64, u64, u64),
    /// Invocations under way.
    pub running: u64,
    /// Duration of the last one, milliseconds.
    pub last_ms: u64,
    /// Invocations of each second, oldest first.
    pub per_second: Vec<u64>,
    /// A fault in words.
    pub fault: Option<String>,
    /// The last lines of its log, oldest first.
    pub log: Vec<LogLine>,
}

/// An event source mapping.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MappingView {
    /// UUID.
    pub uuid: String,
    /// Stream.
    pub stream: String,
    /// Enabled.
    pub enabled: bool,
    /// Records of a batch at most.
    pub batch_size: u64,
    /// How a shard is read, when it is not plainly: `4 lanes a shard`, `windows of 60 s`.
    pub how: String,
    /// Iterator age of the last batch, milliseconds.
    pub age_ms: u64,
    /// Shards that had an invocation.
    pub shards_seen: u64,
    /// Shards.
    pub shards: u64,
    /// Records read, kept, dropped, put again, given up.
    pub counts: (u64, u64, u64, u64, u64),
    /// Result of the last batch.
    pub result: String,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BucketView {
    /// Name.
    pub name: String,
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
    /// A fault in words.
    pub fault: Option<String>,
}

/// One SQL application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ApplicationView {
    /// Name.
    pub name: String,
    /// `READY`, `STARTING`, `RUNNING`.
    pub status: String,
    /// Version.
    pub version: u64,
    /// Stream it reads.
    pub input: Option<String>,
    /// Columns of its input and their types.
    pub columns: Vec<(String, String)>,
    /// Code.
    pub code: String,
    /// Records read since it started.
    pub records: u64,
    /// When it started.
    pub since: Option<VirtualTime>,
    /// Error rows since it started.
    pub errors: u64,
    /// How far it is behind the tip of its source, milliseconds.
    #[serde(default)]
    pub behind_ms: u64,
    /// The function that prepares its records.
    #[serde(default)]
    pub processing: Option<ProcessingView>,
    /// Reference table in words.
    pub reference: Option<String>,
    /// Outputs.
    pub outputs: Vec<OutputView>,
    /// In-application streams.
    pub streams: Vec<InAppStreamView>,
}

/// The function that prepares the records of an application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProcessingView {
    /// Name of the function.
    pub function: String,
    /// Records that became rows, were dropped, and went to the error stream since the application started.
    pub counts: (u64, u64, u64),
    /// Invocations that failed since then.
    pub failures: u64,
    /// Why the last one failed; none when it ended well.
    pub trouble: Option<String>,
}

/// An output of an application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OutputView {
    /// In-application stream.
    pub stream: String,
    /// Destination in words.
    pub to: String,
    /// Rows delivered.
    pub delivered: u64,
    /// Rows that wait.
    pub waiting: u64,
    /// Deliveries of rows that a function failed: each is sent again.
    #[serde(default)]
    pub failed: u64,
    /// Why the last delivery failed; none when it ended well.
    #[serde(default)]
    pub trouble: Option<String>,
}

/// An in-application stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InAppStreamView {
    /// Name.
    pub name: String,
    /// Columns.
    pub columns: Vec<String>,
    /// Rows since the start.
    pub rows: u64,
    /// Rows of the last second.
    pub per_second: u64,
    /// Rows come from outside.
    pub source: bool,
    /// Why it has no rows, when it has none.
    pub why: String,
    /// The newest rows, newest first.
    pub newest: Vec<(VirtualTime, Vec<String>)>,
}
