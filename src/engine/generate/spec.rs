//! Generators as lab files describe them.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `[generator.X]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorSpec {
    /// Text of the Kinesis Data Generator; excludes `field`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Fields of a JSON object, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<FieldSpec>,
    /// How the partition key is made.
    pub key: KeySpec,
    /// Name of the field that drives the replay clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Flaws in a share of the records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub defect: Vec<DefectSpec>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// Member name in the record, and the name other fields use.
    pub name: String,
    /// How the value is made.
    #[serde(rename = "gen")]
    pub generate: GenSpec,
    /// Share of the records that lack the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omit: Option<f64>,
    /// Share of the records in which it is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null: Option<f64>,
    /// Decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// Only for other fields to use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// How a value is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GenSpec {
    /// Always the same.
    Const {
        /// The value.
        value: Value,
    },
    /// One of several, by weight.
    Choice {
        /// The values.
        values: Vec<Value>,
        /// Their weights; equal when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights: Option<Vec<f64>>,
    },
    /// Between two numbers; whole numbers when both are whole and `round` is absent.
    Uniform {
        /// Least.
        min: f64,
        /// Greatest.
        max: f64,
    },
    /// Normal distribution.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
        /// Values below are raised to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        /// Values above are lowered to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// Exponential of a normal distribution.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// Values below are raised to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        /// Values above are lowered to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// Ranks 1 … n, rank k with weight 1/k^s.
    Zipf {
        /// Number of ranks.
        n: u32,
        /// Exponent.
        s: f64,
        /// Text before the rank; the value is a number without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
    },
    /// A curve that wanders like a random walk but is a pure function of the index.
    Walk {
        /// Where it begins.
        start: f64,
        /// Size of one step.
        step: f64,
        /// Values below are raised to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        /// Values above are lowered to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// Counts up.
    Seq {
        /// First value.
        #[serde(default)]
        start: i64,
        /// Difference between two records.
        #[serde(default = "one")]
        step: i64,
        /// After so many records …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jump_every: Option<u64>,
        /// … it jumps by so much more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jump: Option<i64>,
    },
    /// A random UUID.
    Uuid,
    /// The event time of the record.
    EventTime {
        /// Event time of the first record, ISO 8601.
        start: String,
        /// `iso-seconds` (default), `iso-millis`, `epoch-seconds`, `epoch-millis`, or a pattern of moment.js letters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<String>,
    },
    /// The virtual instant at which the record is made.
    SimTime {
        /// As for `event-time`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<String>,
    },
    /// A coordinate in weighted boxes; fields with the same name up to the last `_` share their box.
    Geo {
        /// CSV file: `weight,lon_min,lon_max,lat_min,lat_max`.
        boxes: String,
        /// `lon` or `lat`.
        axis: Axis,
    },
    /// A pure expression over other fields.
    Expr {
        /// The expression.
        expr: String,
    },
    /// A column of a CSV file: of a random row, or of the row whose first column equals another field.
    Lookup {
        /// CSV file with a header.
        file: String,
        /// Column to take.
        column: String,
        /// Field to look up by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A helper of the Kinesis Data Generator, `name.firstName`.
    Faker {
        /// The helper's name.
        helper: String,
    },
    /// State of a small machine: each of `entities` walks through the states.
    State {
        /// Number of entities that take turns.
        entities: u64,
        /// Steps of one session; the next begins in the first state again.
        length: u64,
        /// The states, the first one is where sessions begin: transitions with their weights.
        states: IndexMap<String, IndexMap<String, f64>>,
    },
}

const fn one() -> i64 {
    1
}

/// Axis of a coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Longitude.
    Lon,
    /// Latitude.
    Lat,
}

/// How the partition key is made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeySpec {
    /// Text of Java's `String.hashCode` of the record, as the replay tool does.
    #[default]
    HashOfPayload,
    /// The value of a field.
    Field {
        /// Its name.
        field: String,
    },
    /// Always the same.
    Const {
        /// The key.
        value: String,
    },
    /// A random number as text.
    Random,
    /// A random UUID.
    Uuid,
    /// The value of a field with `#0` … `#(salts−1)` behind it.
    Salted {
        /// Its name.
        field: String,
        /// Number of salts.
        salts: u32,
    },
}

/// A flaw in a share of the records.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DefectSpec {
    /// Share of the records.
    pub rate: f64,
    /// Values that replace the fields'.
    pub set: IndexMap<String, Value>,
    /// What it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What changes a generator into its next version.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// Members that get another name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub rename: IndexMap<String, String>,
    /// Members that vanish.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Members that are added at the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<FieldSpec>,
    /// One more flaw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defect: Option<DefectSpec>,
    /// Another way to make the partition key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeySpec>,
}
