//! Questions that checks ask of the world.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Engine;
use super::metrics::{Dimensions, Metric, Statistic};
use super::time::VirtualDuration;
use crate::api::kinesis::Operation;

impl Engine {
    /// Properties of a resource, `kinesis:stream/NAME`; `None` when it does not exist.
    pub fn resource(&self, id: &str) -> Option<BTreeMap<String, Value>> {
        let stream = self.kinesis().stream(id.strip_prefix("kinesis:stream/")?)?;
        let closed = stream.shards.values().filter(|shard| !shard.is_open()).count();
        let mut properties: BTreeMap<String, Value> = [
            ("status", json!(stream.status.as_str())),
            ("mode", json!(stream.mode.as_str())),
            ("open_shards", json!(stream.open_count())),
            ("closed_shards", json!(closed)),
            ("retention_hours", json!(stream.retention_hours)),
            ("encrypted", json!(stream.key_id.is_some())),
            ("consumers", json!(stream.consumers.len())),
            ("record_limit_kib", json!(stream.record_limit_kib)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        properties.extend(stream.tags.iter().map(|(key, value)| (format!("tag.{key}"), json!(value))));
        Some(properties)
    }

    /// A statistic in thousandths over the last whole seconds; `None` when nothing was ever measured.
    pub fn metric_milli(&self, metric: &str, dimensions: &[(String, String)], statistic: Statistic, over: VirtualDuration) -> Option<u64> {
        let (metric, dimensions) = (Metric::from_name(metric)?, Dimensions::from_pairs(dimensions)?);
        self.metrics().over(metric, &dimensions, self.now(), over).map(|stats| stats.milli(statistic))
    }

    /// A line of a producer's or consumer's log holds `text`.
    pub fn log_contains(&self, source: &str, text: &str) -> bool {
        self.producer(source).is_some_and(|producer| producer.log().any(|line| line.text.contains(text)))
            || self.consumer(source).is_some_and(|consumer| consumer.log().any(|line| line.text.contains(text)))
    }

    /// Shards of a stream on which GetRecords succeeded.
    pub fn shards_read(&self, stream: &str) -> usize {
        self.actions()
            .iter()
            .filter(|action| action.operation == Operation::GetRecords && action.error.is_none() && action.stream.as_deref() == Some(stream))
            .filter_map(|action| action.shard.as_deref())
            .collect::<BTreeSet<_>>()
            .len()
    }
}
