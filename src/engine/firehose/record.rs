//! A record on its way through a delivery stream, and the counts that must balance.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::engine::time::VirtualTime;

/// Where a record of a stream source came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Shard id.
    pub shard: String,
    /// Sequence number.
    pub sequence: String,
    /// Number within a KPL aggregate.
    pub sub_sequence: u64,
    /// Partition key.
    pub key: String,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rec {
    /// Its bytes.
    pub data: Arc<[u8]>,
    /// When it entered the delivery stream (or its source stream).
    pub arrival: VirtualTime,
    /// Number within the delivery stream.
    pub id: u64,
    /// Where it came from.
    pub origin: Option<Arc<Origin>>,
    /// Partition keys that a function gave it.
    pub keys: Option<Arc<[(String, String)]>>,
}

impl Rec {
    /// The record id of a Lambda event: 56 digits.
    pub fn record_id(&self) -> String {
        format!("4954{:052}", self.id)
    }
}

/// Where every record is. Counted after packed records were taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Accepted by puts or read from the source.
    pub incoming: u64,
    /// Bytes of these.
    pub incoming_bytes: u64,
    /// More records than came in, because packed ones were taken apart; fewer when a payload held none.
    pub expanded: i64,
    /// Dropped by the function.
    pub dropped: u64,
    /// In delivered objects, or acknowledged by the destination.
    pub delivered: u64,
    /// In objects below the error prefix.
    pub failed: u64,
    /// Given up for good.
    pub lost: u64,
    /// Delivered a second time.
    pub duplicates: u64,
    /// Refused by the put quotas.
    pub throttled: u64,
}

/// Why a record went to the error prefix.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Failure {
    /// Firehose's code.
    pub code: String,
    /// Firehose's text.
    pub message: String,
    /// Attempts.
    pub attempts: u32,
}

impl Failure {
    /// A failure at the first attempt.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), attempts: 1 }
    }
}

/// The line of a record whose processing failed.
pub fn processing_line(record: &Rec, failure: &Failure, ended: VirtualTime, lambda_arn: Option<&str>) -> String {
    let mut line = Map::new();
    line.insert("rawData".to_owned(), json!(STANDARD.encode(&record.data)));
    line.insert("errorCode".to_owned(), json!(failure.code));
    line.insert("errorMessage".to_owned(), json!(failure.message));
    line.insert("attemptsMade".to_owned(), json!(failure.attempts));
    line.insert("arrivalTimestamp".to_owned(), json!(record.arrival.millis()));
    line.insert("attemptEndingTimestamp".to_owned(), json!(ended.millis()));
    if let Some(arn) = lambda_arn {
        line.insert("lambdaARN".to_owned(), json!(arn));
    }
    Value::Object(line).to_string() + "\n"
}

/// The table a conversion failed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogTable {
    /// Catalogue id.
    pub catalog: String,
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
    /// Region.
    pub region: String,
}

/// The line of a record that could not be converted.
pub fn conversion_line(record: &Rec, failure: &Failure, ended: VirtualTime, table: &CatalogTable) -> String {
    let sequence = record.origin.as_ref().map_or_else(|| record.record_id(), |origin| origin.sequence.clone());
    let line = json!({
        "attemptsMade": failure.attempts,
        "arrivalTimestamp": record.arrival.millis(),
        "lastErrorCode": failure.code,
        "lastErrorMessage": failure.message,
        "attemptEndingTimestamp": ended.millis(),
        "rawData": STANDARD.encode(&record.data),
        "sequenceNumber": sequence,
        "subSequenceNumber": record.origin.as_ref().map(|origin| origin.sub_sequence),
        "dataCatalogTable": {
            "catalogId": table.catalog,
            "databaseName": table.database,
            "tableName": table.table,
            "region": table.region,
            "versionId": "LATEST",
            "catalogArn": null,
        },
    });
    line.to_string() + "\n"
}

/// The line of a document, event or piece of data that its destination did not take.
pub fn destination_line(record: &Rec, failure: &Failure, ended: VirtualTime, extra: Vec<(&str, Value)>) -> String {
    let mut line = Map::new();
    line.insert("attemptsMade".to_owned(), json!(failure.attempts));
    line.insert("arrivalTimestamp".to_owned(), json!(record.arrival.millis()));
    line.insert("errorCode".to_owned(), json!(failure.code));
    line.insert("errorMessage".to_owned(), json!(failure.message));
    line.insert("attemptEndingTimestamp".to_owned(), json!(ended.millis()));
    for (name, value) in extra {
        line.insert(name.to_owned(), value);
    }
    line.insert("rawData".to_owned(), json!(STANDARD.encode(&record.data)));
    Value::Object(line).to_string() + "\n"
}
