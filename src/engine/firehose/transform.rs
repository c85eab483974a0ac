//! What happens to a record between the source and its buffer: decompression, taking apart, the Lambda contract, partition keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::engine::lambda::Outcome;

use super::config::{Processing, Settings};
use super::prefix::Part;
use super::record::{Failure, Rec};
use super::stream::{Sample, gunzip};

/// What a function said of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Ok {
        /// The new bytes.
        data: Arc<[u8]>,
        /// Partition keys.
        keys: Option<Arc<[(String, String)]>>,
    },
    /// It vanishes.
    Dropped,
    /// It goes to the error prefix.
    Failed(Failure),
}

/// What a function said of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// One verdict a record.
    Verdicts(Vec<Verdict>),
    /// The invocation failed: it is retried.
    Failed(Failure),
}

/// The event of an invocation.
pub fn event(invocation: &str, arn: &str, source: Option<&str>, region: &str, records: &[Rec]) -> String {
    let mut event = Map::new();
    event.insert("invocationId".to_owned(), json!(invocation));
    event.insert("deliveryStreamArn".to_owned(), json!(arn));
    if let Some(source) = source {
        event.insert("sourceKinesisStreamArn".to_owned(), json!(source));
    }
    event.insert("region".to_owned(), json!(region));
    let records: Vec<Value> = records
        .iter()
        .map(|record| {
            let mut object = Map::new();
            object.insert("recordId".to_owned(), json!(record.record_id()));
            object.insert("approximateArrivalTimestamp".to_owned(), json!(record.arrival.millis()));
            object.insert("data".to_owned(), json!(STANDARD.encode(&record.data)));
            if let Some(origin) = &record.origin {
                let metadata = json!({
                    "sequenceNumber": origin.sequence,
                    "subsequenceNumber": origin.sub_sequence,
                    "partitionKey": origin.key,
                    "shardId": origin.shard,
                    "approximateArrivalTimestamp": record.arrival.millis(),
                });
                object.insert("kinesisRecordMetadata".to_owned(), metadata);
            }
            Value::Object(object)
        })
        .collect();
    event.insert("records".to_owned(), Value::Array(records));
    Value::Object(event).to_string()
}

/// The answer of a function for a batch.
pub fn answer(outcome: &Outcome, records: &[Rec]) -> Answer {
    let failed = |code: &str, text: &str| Answer::Failed(Failure::new(code, text));
    let text = match outcome {
        Outcome::Native(kept) => {
            let verdict =
                |(keep, record): (&bool, &Rec)| if *keep { Verdict::Ok { data: with_newline(&record.data), keys: None } } else { Verdict::Dropped };
            return Answer::Verdicts(kept.iter().zip(records).map(verdict).collect());
        }
        Outcome::Answer(text) => text,
        Outcome::Error { .. } => {
            return failed("Lambda.FunctionError", "The Lambda function was successfully invoked but it returned an error result.");
        }
        Outcome::TimedOut => return failed("Lambda.FunctionTimedOut", "The Lambda function timed out."),
        Outcome::Throttled => {
            return failed("Lambda.InvokeLimitExceeded", "Kinesis Data Firehose received throttling errors when invoking the Lambda function.");
        }
        Outcome::TooLarge => return failed("Lambda.FunctionError", "The Lambda function's response payload is larger than 6 MB."),
        Outcome::Missing => return failed("Lambda.ResourceNotFound", "The Lambda function was not found. Use a different function that does exist."),
    };
    // A response that arrives and parses badly is final: every record is missing from it.
    let parsed: Value = serde_json::from_str(text).unwrap_or_default();
    let mut by_id: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for record in parsed["records"].as_array().into_iter().flatten() {
        if let Some(id) = record["recordId"].as_str() {
            by_id.entry(id).or_default().push(record);
        }
    }
    Answer::Verdicts(records.iter().map(|record| verdict(by_id.get(record.record_id().as_str()).map_or(&[], Vec::as_slice))).collect())
}

fn verdict(answers: &[&Value]) -> Verdict {
    let failed = |code: &str, text: &str| Verdict::Failed(Failure::new(code, text));
    let answer = match answers {
        [] => {
            let text = "One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids.";
            return failed("Lambda.MissingRecordId", text);
        }
        [answer] => *answer,
        _ => {
            let text =
                "Multiple records were returned with the same record ID. Ensure that the Lambda function returns unique record IDs for each record.";
            return failed("Lambda.DuplicatedRecordId", text);
        }
    };
    match answer["result"].as_str() {
        Some("Dropped") => Verdict::Dropped,
        Some("ProcessingFailed") => failed("Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record"),
        Some("Ok") => {
            let Some(data) = answer["data"].as_str() else {
                return failed("Lambda.InvalidReturnFormat", "The data field cannot be null for a record with the result Ok.");
            };
            let Ok(data) = STANDARD.decode(data) else {
                return failed("Lambda.InvalidReturnFormat", "The data field is not a valid base64 text.");
            };
            let keys: Option<Arc<[(String, String)]>> = answer["metadata"]["partitionKeys"].as_object().map(|keys| {
                keys.iter().map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))).collect()
            });
            Verdict::Ok { data: data.into(), keys }
        }
        _ => failed("Lambda.InvalidReturnFormat", "The result of a record must be Ok, Dropped or ProcessingFailed."),
    }
}

/// A line of its own.
pub fn with_newline(data: &Arc<[u8]>) -> Arc<[u8]> {
    if data.ends_with(b"\n") { data.clone() } else { [&data[..], b"\n"].concat().into() }
}

fn printable(data: &[u8]) -> String {
    String::from_utf8_lossy(&data[..data.len().min(600)]).replace(|c: char| c.is_control(), " ").trim_end().to_owned()
}

/// A record and what became of it, for screens.
pub fn sample(record: &Rec, verdict: &Verdict) -> Sample {
    let (after, result) = match verdict {
        Verdict::Ok { data, .. } => (Some(printable(data)), "Ok".to_owned()),
        Verdict::Dropped => (None, "Dropped".to_owned()),
        Verdict::Failed(failure) => (None, failure.code.clone()),
    };
    Sample { before: printable(&record.data), after, result }
}

/// Decompresses a record and takes it apart; `None` when it stays as it is.
///
/// # Errors
/// The type of the failure and the failure.
pub fn open(processing: &Processing, record: &Rec) -> Result<Option<Vec<Vec<u8>>>, (&'static str, Failure)> {
    let mut pieces: Option<Vec<Vec<u8>>> = None;
    if processing.decompress {
        let text = "The data could not be decompressed: it is not in GZIP format.";
        let open = gunzip(&record.data).ok_or_else(|| ("decompression-failed", Failure::new("Decompression.DataDecompressionFailed", text)))?;
        if processing.extract_messages {
            let payload: Value = serde_json::from_slice(&open).map_err(|error| {
                ("decompression-failed", Failure::new("Decompression.InvalidLogEvents", format!("Not a CloudWatch Logs payload: {error}")))
            })?;
            let messages = payload["logEvents"].as_array().into_iter().flatten().filter_map(|event| event["message"].as_str());
            pieces = Some(messages.map(|message| message.as_bytes().to_vec()).collect());
        } else {
            pieces = Some(vec![open]);
        }
    }
    let Some(split) = &processing.split else { return Ok(pieces) };
    let whole = pieces.unwrap_or_else(|| vec![record.data.to_vec()]);
    let mut parts = Vec::new();
    for piece in whole {
        match split {
            Some(delimiter) => {
                let mut rest = &piece[..];
                while let Some(at) = rest.windows(delimiter.len()).position(|window| window == delimiter) {
                    parts.push(rest[..at].to_vec());
                    rest = &rest[at + delimiter.len()..];
                }
                if !rest.is_empty() {
                    parts.push(rest.to_vec());
                }
            }
            None => {
                for value in serde_json::Deserializer::from_slice(&piece).into_iter::<Box<serde_json::value::RawValue>>() {
                    let value = value.map_err(|error| {
                        (
                            "processing-failed",
                            Failure::new("RecordDeAggregation.JsonParseFailed", format!("The record is not a sequence of JSON objects: {error}")),
                        )
                    })?;
                    parts.push(value.get().as_bytes().to_vec());
                }
            }
        }
    }
    Ok(Some(parts))
}

/// The values that the prefix wants for a record.
///
/// # Errors
/// A key that cannot be had.
pub fn partition_keys(settings: &Settings, record: &Rec) -> Result<Vec<(String, String)>, Failure> {
    let failed = |text: String| Failure::new("DynamicPartitioning.MetadataExtractionFailed", text);
    let mut keys = Vec::new();
    let mut parsed: Option<Value> = None;
    for part in &settings.s3.prefix.parts {
        let (name, value) = match part {
            Part::Query(name) => {
                let query = settings.processing.query.iter().flatten().find(|(known, _)| known == name);
                let (_, expr) = query.ok_or_else(|| failed(format!("partitionKeyFromQuery has no key {name}")))?;
                if parsed.is_none() {
                    let text = |error| failed(format!("Failed to parse the record as JSON: {error}"));
                    parsed = Some(serde_json::from_slice(&record.data).map_err(text)?);
                }
                let value = expr.eval(parsed.as_ref().unwrap_or(&Value::Null)).map_err(&failed)?;
                match value {
                    Value::Null => return Err(failed(format!("partitionKeyFromQuery values must not be null or empty: {name}"))),
                    Value::String(text) => (name, text),
                    Value::Array(_) | Value::Object(_) => return Err(failed(format!("partitionKeyFromQuery values must be scalar: {name}"))),
                    other => (name, other.to_string()),
                }
            }
            Part::Lambda(name) => {
                let value = record.keys.iter().flat_map(|keys| keys.iter()).find(|(known, _)| known == name).map(|(_, value)| value.clone());
                (name, value.ok_or_else(|| failed(format!("partitionKeyFromLambda has no key {name}")))?)
            }
            _ => continue,
        };
        if value.is_empty() {
            return Err(failed(format!("partition keys must not be null or empty: {name}")));
        }
        keys.push((name.clone(), value));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::VirtualTime;

    fn record(id: u64, data: &str) -> Rec {
        Rec { data: data.as_bytes().into(), arrival: VirtualTime(1_000_000), id, origin: None, keys: None }
    }

    #[test]
    fn every_answer_of_the_contract_has_its_effect() {
        let records: Vec<Rec> = (0..7).map(|id| record(id, "x")).collect();
        let id = |at: usize| records[at].record_id();
        let text = json!({"records": [
            {"recordId": id(0), "result": "Ok", "data": "YQ==", "metadata": {"partitionKeys": {"k": "v"}}},
            {"recordId": id(1), "result": "Dropped"},
            {"recordId": id(2), "result": "ProcessingFailed", "data": "eA=="},
            {"recordId": id(3), "result": "Ok"},
            {"recordId": id(4), "result": "ok", "data": "YQ=="},
            {"recordId": id(5), "result": "Ok", "data": "YQ=="},
            {"recordId": id(5), "result": "Ok", "data": "YQ=="},
            {"recordId": "unknown", "result": "Ok", "data": "YQ=="},
        ]});
        let Answer::Verdicts(verdicts) = answer(&Outcome::Answer(text.to_string().into()), &records) else { panic!("an answer") };
        assert_eq!(verdicts[0], Verdict::Ok { data: b"a"[..].into(), keys: Some([("k".to_owned(), "v".to_owned())].into()) });
        assert_eq!(verdicts[1], Verdict::Dropped);
        let code = |at: usize| if let Verdict::Failed(failure) = &verdicts[at] { failure.code.as_str() } else { "" };
        assert_eq!((code(2), code(3), code(4)), ("Lambda.ProcessingFailedStatus", "Lambda.InvalidReturnFormat", "Lambda.InvalidReturnFormat"));
        assert_eq!((code(5), code(6)), ("Lambda.DuplicatedRecordId", "Lambda.MissingRecordId"));
        let Answer::Verdicts(all) = answer(&Outcome::Answer("null".into()), &records) else { panic!("final") };
        assert!(all.iter().all(|verdict| matches!(verdict, Verdict::Failed(failure) if failure.code == "Lambda.MissingRecordId")));
        assert!(matches!(answer(&Outcome::TimedOut, &records), Answer::Failed(_)));
    }

    #[test]
    fn payloads_are_opened() {
        let payload = json!({"messageType": "DATA_MESSAGE", "logEvents": [{"message": "one"}, {"message": "two"}]}).to_string();
        let packed = crate::engine::formats::compress::gzip(payload.as_bytes());
        let gz = Rec { data: packed.into(), ..record(1, "") };
        let processing = Processing { decompress: true, extract_messages: true, ..Processing::default() };
        assert_eq!(open(&processing, &gz), Ok(Some(vec![b"one".to_vec(), b"two".to_vec()])));
        assert_eq!(open(&processing, &record(1, "plain")).expect_err("no gzip").0, "decompression-failed");
        let split = Processing { split: Some(None), ..Processing::default() };
        assert_eq!(open(&split, &record(1, "{\"a\":1}{\"b\":2}\n")).expect("good").expect("split").len(), 2);
        let lines = Processing { split: Some(Some(b"##".to_vec())), ..Processing::default() };
        assert_eq!(open(&lines, &record(1, "a##b##")), Ok(Some(vec![b"a".to_vec(), b"b".to_vec()])));
    }
}
