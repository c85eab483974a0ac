//! Scenario files: one set of structs for `scenario.toml` and the front matter of its steps. Unknown keys are refused.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::generate::duration::Dur;
use crate::engine::generate::{ArrivalsKind, GeneratorSpec, RateSpec};
use crate::engine::limits::Era;
use crate::engine::metrics::Statistic;

/// The newest format this program reads.
pub const FORMAT: u16 = 1;

/// `scenario.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Format version.
    pub format: u16,
    /// Lab id, `lab1-ingest`.
    pub id: String,
    /// Title.
    pub title: String,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// Slides of the deck it belongs to.
    #[serde(default)]
    pub deck: Vec<String>,
    /// Labs that come before.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Minutes it takes.
    pub minutes: u32,
    /// Files of the steps.
    pub steps: Vec<String>,
    /// Files that lines may name: templates, code.
    #[serde(default)]
    pub files: Vec<String>,
    /// Lines that are done before the learner begins.
    #[serde(default)]
    pub setup: Vec<String>,
    /// Clock.
    pub clock: ClockSpec,
    /// Limits.
    pub limits: LimitsSpec,
    /// Variables for `${name}`.
    #[serde(default)]
    pub vars: IndexMap<String, String>,
    /// Record generators.
    #[serde(default)]
    pub generator: IndexMap<String, GeneratorSpec>,
    /// Producers.
    #[serde(default)]
    pub producer: IndexMap<String, ProducerSpec>,
    /// Consumers.
    #[serde(default)]
    pub consumer: IndexMap<String, ConsumerSpec>,
    /// Pieces that `wizard` builds one after the other.
    #[serde(default)]
    pub wizard: Vec<WizardSpec>,
    /// What happens by itself.
    #[serde(default)]
    pub timeline: Vec<TimelineSpec>,
    /// Checks by id.
    #[serde(default)]
    pub check: IndexMap<String, CheckSpec>,
    /// Wrong acts and the sentences they must give.
    #[serde(default)]
    pub mistake: Vec<MistakeSpec>,
    /// Frames that `kinlab snap` takes while the solution plays.
    #[serde(default)]
    pub snapshot: Vec<SnapshotSpec>,
    /// How the lab is shown to a room; each knows where it stands in the file.
    #[serde(default)]
    pub beat: Vec<toml::Spanned<super::beats::BeatSpec>>,
}

/// `[[wizard]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WizardSpec {
    /// What is built.
    pub title: String,
    /// The line that builds it.
    pub run: String,
}

/// `[[snapshot]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotSpec {
    /// Id.
    pub id: String,
    /// Virtual time since the start.
    pub at: Dur,
    /// Screens.
    pub view: Vec<String>,
    /// Columns and rows.
    pub size: [u16; 2],
}

/// `[clock]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockSpec {
    /// Seed of all randomness.
    pub seed: u64,
    /// First instant, ISO 8601.
    pub epoch: String,
    /// Virtual length of the scenario.
    pub duration: Dur,
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSpec {
    /// Whose limits hold.
    pub era: Era,
    /// Throughput of shards and delivery streams is limited.
    #[serde(default = "yes")]
    pub throughput: bool,
}

fn yes() -> bool {
    true
}

/// `[producer.X]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProducerSpec {
    /// Which program it stands for.
    pub kind: crate::engine::producers::ProducerKind,
    /// Generator of its records.
    pub generator: String,
    /// Stream it writes to.
    pub target: String,
    /// Rate.
    pub rate: RateSpec,
    /// Arrival process.
    #[serde(default)]
    pub arrivals: ArrivalsKind,
    /// Records of one call.
    #[serde(default = "five_hundred")]
    pub batch: usize,
    /// KPL aggregation.
    #[serde(default)]
    pub aggregate: bool,
    /// Records in buffers at most.
    #[serde(default)]
    pub outstanding: Option<u64>,
    /// Age at which a record is given up.
    #[serde(default)]
    pub record_ttl: Option<Dur>,
    /// Time between report lines.
    #[serde(default)]
    pub report: Option<Dur>,
    /// Watermark records.
    #[serde(default)]
    pub watermark: Option<WatermarkSpec>,
}

const fn five_hundred() -> usize {
    500
}

/// `watermark = { … }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatermarkSpec {
    /// At least this often.
    pub every: Dur,
    /// And after so many records.
    pub every_records: u64,
    /// The record; `${watermark}` stands for the event time.
    pub payload: String,
    /// One per open shard.
    pub per_shard: bool,
}

/// `[consumer.X]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumerSpec {
    /// Which program it stands for.
    pub kind: crate::engine::consumers::ConsumerKind,
    /// Stream it reads.
    pub stream: String,
    /// Reads all shards, or only the first.
    #[serde(default)]
    pub all_shards: bool,
    /// Records of one call.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Time between polls.
    #[serde(default)]
    pub poll: Option<Dur>,
}

/// `[[timeline]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineSpec {
    /// Virtual time since the start.
    #[serde(default)]
    pub at: Option<Dur>,
    /// Or: after this check was met …
    #[serde(default)]
    pub after: Option<String>,
    /// … and this long.
    #[serde(default)]
    pub delay: Dur,
    /// What happens.
    #[serde(rename = "do")]
    pub action: ActionSpec,
}

/// A timeline action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(clippy::large_enum_variant, reason = "a lab has a handful of actions")]
pub enum ActionSpec {
    /// The narrator speaks.
    Say {
        /// The text.
        text: String,
    },
    /// A producer's rate changes.
    Rate {
        /// Producer.
        producer: String,
        /// Factor on its own rate.
        factor: f64,
        /// How long the change takes.
        over: Dur,
        /// How long it stays.
        #[serde(default)]
        hold: Option<Dur>,
    },
    /// A producer uses one partition key for a share of its records.
    HotKey {
        /// Producer.
        producer: String,
        /// The key.
        key: String,
        /// Share in thousandths.
        share_permille: u32,
        /// How long.
        #[serde(default)]
        hold: Option<Dur>,
    },
    /// A generator makes other records.
    Change {
        /// Generator.
        generator: String,
        /// The change.
        change: crate::engine::generate::Change,
        /// How long.
        #[serde(default)]
        hold: Option<Dur>,
    },
    /// Something goes wrong.
    Fault {
        /// What.
        what: crate::engine::Fault,
        /// How long.
        #[serde(default)]
        hold: Option<Dur>,
    },
}

/// `[check.X]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// Title.
    pub title: String,
    /// Points.
    pub points: u32,
    /// How long the test must hold.
    #[serde(default)]
    pub hold: Dur,
    /// The test.
    pub test: TestSpec,
    /// Diagnoses: the first that fits speaks.
    #[serde(default)]
    pub on_fail: Vec<DiagnosisSpec>,
}

/// `on_fail = [{ if, say }]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiagnosisSpec {
    /// When it fits.
    #[serde(rename = "if")]
    pub test: TestSpec,
    /// The sentence.
    pub say: String,
}

/// A test on the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TestSpec {
    /// A resource exists with these properties.
    Resource {
        /// `kinesis:stream/NAME`.
        id: String,
        /// (property, operator, value).
        #[serde(default, rename = "where")]
        wanted: Vec<(String, String, Value)>,
    },
    /// A statistic of a metric.
    Metric {
        /// CloudWatch's name.
        metric: String,
        /// Dimensions.
        dims: IndexMap<String, String>,
        /// Statistic.
        stat: Statistic,
        /// Window.
        over: Dur,
        /// Operator.
        op: String,
        /// Bound.
        value: f64,
    },
    /// A producer is in a state.
    Producer {
        /// Name.
        id: String,
        /// State.
        state: String,
    },
    /// A program's log holds a text.
    Log {
        /// Producer or consumer.
        source: String,
        /// The text.
        contains: String,
    },
    /// GetRecords was called on so many shards of a stream.
    ShardsRead {
        /// Stream.
        stream: String,
        /// Shards at least.
        min: usize,
    },
    /// A question was answered rightly.
    Answer {
        /// Question id.
        question: String,
    },
    /// A rule holds for a producer and stream: everything sent is stored.
    Conserved {
        /// Producer.
        producer: String,
    },
    /// The learner did all of these: `pause`, `faster`, `rewind`, or the first words of a command that worked.
    Action {
        /// What.
        did: Vec<String>,
    },
    /// The learner gave a name, `initials`.
    Named {
        /// What was named.
        what: String,
    },
    /// One shard takes at least this share of what came to a stream in the last second.
    Hottest {
        /// Stream.
        stream: String,
        /// Share in thousandths.
        at_least_permille: u64,
    },
    /// The account costs at most so many dollars an hour at the present load.
    Cost {
        /// Dollars.
        at_most_per_hour: f64,
    },
    /// A filter function keeps exactly what a rule keeps, over the first records of a generator.
    Filter {
        /// Function.
        function: String,
        /// Generator.
        generator: String,
        /// The rule.
        keep: String,
        /// Records.
        records: u64,
    },
    /// The last count of a query is the number of records in the delivered objects.
    Counted {
        /// Delivery stream.
        stream: String,
    },
    /// Rows of an in-application stream satisfy a condition: at least so many of the newest 200, at most so many, or all of them.
    Rows {
        /// Application.
        app: String,
        /// In-application stream.
        stream: String,
        /// Condition in the rule language, such as `VENDOR_NAME == null`; every row when absent.
        #[serde(default, rename = "where")]
        condition: Option<String>,
        /// Rows of this time by ROWTIME.
        #[serde(default)]
        over: Option<Dur>,
        /// At least.
        #[serde(default)]
        min: Option<usize>,
        /// At most.
        #[serde(default)]
        max: Option<usize>,
    },
    /// The opposite.
    Not {
        /// Test.
        test: Box<TestSpec>,
    },
    /// All of them.
    All {
        /// Tests.
        of: Vec<TestSpec>,
    },
    /// Any of them.
    Any {
        /// Tests.
        of: Vec<TestSpec>,
    },
}

/// `[[mistake]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MistakeSpec {
    /// Id.
    pub id: String,
    /// Lines typed.
    #[serde(rename = "do")]
    pub lines: Vec<String>,
    /// The check that must stay red …
    pub check: String,
    /// … and say this.
    pub says: String,
}

/// Front matter of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Minutes.
    pub minutes: u32,
    /// The one idea.
    pub objective: String,
    /// Checks.
    pub checks: Vec<String>,
    /// Pane it is about.
    #[serde(default)]
    pub pane: String,
    /// Hints, three.
    pub hints: Vec<String>,
    /// Lines that solve it.
    pub solution: Vec<String>,
    /// Questions.
    #[serde(default)]
    pub question: Vec<QuestionSpec>,
}

/// `[[question]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionSpec {
    /// Id.
    pub id: String,
    /// The question.
    pub ask: String,
    /// Choices.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Accepted answers, compared without case.
    pub accept: Vec<String>,
    /// Asked before the run.
    #[serde(default)]
    pub prediction: bool,
    /// The reason.
    pub why: String,
}
