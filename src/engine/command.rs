//! Everything that changes the world is a value: an AWS operation or a world control. The log of commands with the seed is the run.

use serde::{Deserialize, Serialize};

use crate::api::Call;
use crate::api::kinesis::{KinesisRequest, KinesisResponse, SubscribeToShardEvent};

use super::generate::Change;
use super::producers::Overrides;
use super::time::VirtualDuration;

/// Something that changes the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "commands are made one at a time and not kept in bulk")]
pub enum Command {
    /// An operation of Kinesis Data Streams.
    Kinesis(Box<KinesisRequest>),
    /// An operation of another service.
    Service(Call),
    /// Takes what a subscription of a client outside delivers now; its number is from [`Reply::Subscribed`].
    Push(u64),
    /// A control of the simulated world.
    World(WorldCommand),
}

/// Something that goes wrong in the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// A bucket refuses writes.
    Bucket {
        /// Bucket name.
        bucket: String,
        /// How.
        refusal: super::s3::Refusal,
    },
    /// Every call of a function takes longer.
    SlowFunction {
        /// Function name.
        function: String,
        /// By so much.
        by: VirtualDuration,
    },
    /// Every call of a function fails.
    FailingFunction {
        /// Function name.
        function: String,
    },
    /// The destination of a delivery stream has trouble.
    Destination {
        /// Delivery stream name.
        stream: String,
        /// What.
        trouble: super::firehose::endpoint::Trouble,
    },
}

impl Fault {
    /// The resource and the sentence of its beginning or end.
    pub fn words(&self, on: bool) -> (String, String) {
        match self {
            Self::Bucket { bucket, refusal } => {
                let how = match refusal {
                    super::s3::Refusal::Unavailable => "S3 cannot be reached: writes are refused",
                    super::s3::Refusal::AccessDenied => "the policy denies every write",
                };
                (format!("bucket {bucket}"), if on { how.to_owned() } else { "takes writes again".to_owned() })
            }
            Self::SlowFunction { function, by } => {
                let text = if on { format!("every call takes {} ms longer", by.as_millis()) } else { "is as fast as before".to_owned() };
                (format!("function {function}"), text)
            }
            Self::FailingFunction { function } => {
                (format!("function {function}"), if on { "every call fails".to_owned() } else { "works again".to_owned() })
            }
            Self::Destination { stream, trouble } => {
                let text = if on { format!("its destination has trouble: {trouble:?}") } else { "its destination works again".to_owned() };
                (format!("delivery stream {stream}"), text)
            }
        }
    }
}

/// A control of the simulated world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "kebab-case")]
pub enum WorldCommand {
    /// Starts a producer, or starts it anew with other settings.
    StartProducer {
        /// Name of the producer.
        producer: String,
        /// Settings that differ from the lab file's.
        #[serde(default)]
        overrides: Overrides,
    },
    /// Stops a producer; what it has buffered stays unsent and is counted as lost.
    StopProducer {
        /// Name of the producer.
        producer: String,
    },
    /// Changes a producer's rate: to `permille` of its own within `over`, held for `hold`, then back within `over`.
    Rate {
        /// Name of the producer.
        producer: String,
        /// The rate in thousandths of the producer's own.
        permille: u32,
        /// How long the change takes.
        over: VirtualDuration,
        /// How long it stays; for ever when absent.
        hold: Option<VirtualDuration>,
    },
    /// Makes a producer use one partition key for a share of its records.
    HotKey {
        /// Name of the producer.
        producer: String,
        /// The key.
        key: String,
        /// Share of the records in thousandths.
        share_permille: u32,
        /// How long; for ever when absent.
        hold: Option<VirtualDuration>,
    },
    /// Changes what a generator makes from now on (defects, schema).
    Change {
        /// Name of the generator.
        generator: String,
        /// The change.
        change: Change,
        /// How long; for ever when absent.
        hold: Option<VirtualDuration>,
    },
    /// Defines and starts a producer of records from outside.
    OpenInput {
        /// Name of the producer; one of this name is replaced.
        producer: String,
        /// Stream it writes to.
        stream: String,
        /// It is a delivery stream.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        delivery: bool,
        /// `input` or `agent`.
        kind: super::producers::ProducerKind,
        /// How long a record waits for company; the kind's own when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        buffered: Option<VirtualDuration>,
        /// Bytes of one call at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        batch_bytes: Option<u64>,
        /// Records of one call at most, 1 to 500.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        batch: Option<usize>,
    },
    /// Records that arrived from outside (a file, standard input, the agent).
    Ingest {
        /// The producer that sends them on.
        producer: String,
        /// The records.
        records: Vec<Ingested>,
    },
    /// No more records will be ingested; the producer finishes when its buffers are empty.
    EndOfInput {
        /// Name of the producer.
        producer: String,
    },
    /// Starts a consumer.
    StartConsumer {
        /// Name of the consumer.
        consumer: String,
    },
    /// Stops a consumer in good order.
    StopConsumer {
        /// Name of the consumer.
        consumer: String,
    },
    /// Kills a worker of a consumer without any goodbye; `None` = all of them.
    CrashConsumer {
        /// Name of the consumer.
        consumer: String,
        /// Index of the worker.
        worker: Option<u32>,
    },
    /// A shard refuses every write for a while.
    StallShard {
        /// Stream name.
        stream: String,
        /// Shard number.
        shard: u32,
        /// How long.
        hold: VirtualDuration,
    },
    /// Something goes wrong.
    Fault {
        /// What.
        fault: Fault,
        /// How long; until it is ended when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold: Option<VirtualDuration>,
    },
    /// A fault ends.
    EndFault {
        /// Which.
        fault: Fault,
    },
    /// Deliveries of a delivery stream go to a real destination from now on.
    DeliverTo {
        /// Delivery stream.
        stream: String,
        /// URL.
        url: String,
    },
    /// A real destination has answered an attempt.
    Delivered {
        /// Delivery stream.
        stream: String,
        /// Number of the delivery.
        delivery: u64,
        /// What came of it.
        outcome: super::firehose::endpoint::Outcome,
    },
    /// A handler outside the simulation has answered an invocation.
    Answer {
        /// Number of the invocation.
        invocation: u64,
        /// What it answered.
        answer: super::lambda::HandlerAnswer,
    },
    /// Puts a line into the journal: narration, bookmark.
    Note {
        /// Kind of the event: `say`, `bookmark`.
        kind: String,
        /// The text.
        text: String,
    },
}

/// A record from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingested {
    /// Partition key.
    pub key: String,
    /// Data; base64 in the log.
    pub data: crate::api::Blob,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The answer of the operation.
    Kinesis(Box<KinesisResponse>),
    /// The answer of an operation of another service.
    Service(serde_json::Value),
    /// An invocation was begun: its outcome comes later, see `Engine::take_invoked` and `Engine::take_discovered`.
    Invoked(u64),
    /// A subscription began: its events are taken with [`Command::Push`].
    Subscribed(u64),
    /// What a subscription delivered; `None` when it is over.
    Pushed(Option<Box<SubscribeToShardEvent>>),
    /// The control was carried out.
    Done,
}
