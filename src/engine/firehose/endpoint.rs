//! In-engine stand-ins of the destinations beside S3: a table that COPY loads, a search cluster, an HTTP Event Collector, an HTTP endpoint.
//! Each takes what Firehose sends and answers as the real one does, or as the fault that is on says.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::engine::random::{Substream, below};
use crate::engine::time::VirtualTime;

use super::config::Endpoint;
use super::prefix::format_time;
use super::record::{Failure, Rec};

/// What is wrong with a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// It cannot be reached.
    Unreachable,
    /// It refuses everything for a while (429, COPY fails, busy).
    Busy,
    /// It takes the data and never acknowledges (Splunk).
    NoAcknowledgement,
    /// It refuses so many thousandths of the records for good.
    Rejects(u32),
}

/// Documents kept for screens and queries.
const SHOWN: usize = 200;

/// A destination's own state.
#[derive(Debug, Clone, Default)]
pub struct Standin {
    /// What is wrong now.
    pub trouble: Option<Trouble>,
    /// Records by index, table or endpoint.
    pub taken: BTreeMap<String, u64>,
    /// Document ids that are there already: what comes again is overwritten.
    pub ids: Arc<std::collections::BTreeSet<u64>>,
    /// The newest documents or rows.
    pub newest: Vec<Value>,
    /// Requests answered.
    pub requests: u64,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything was taken, except the records of these places.
    Taken(Vec<(usize, Failure)>),
    /// Nothing was taken: try again.
    Retry(Failure),
    /// Nothing was taken, and trying again will not help.
    Final(Failure),
}

/// The index of a record at its arrival.
pub fn index_name(index: &str, rotation: &str, at: VirtualTime) -> String {
    match rotation {
        "NoRotation" => index.to_owned(),
        "OneHour" => format!("{index}-{}", format_time("yyyy-MM-dd-HH", at)),
        // AWS's rule (week 1 has the year's first Saturday) and its example (25 Feb 2016 is w08) disagree by one; the example is followed.
        "OneWeek" => {
            let day: u64 = format_time("D", at).parse().unwrap_or(1);
            let from_sunday = u64::from((at.civil().weekday + 1) % 7);
            format!("{index}-{}-w{:02}", format_time("yyyy", at), ((day + 6 - from_sunday) / 7).max(1))
        }
        "OneMonth" => format!("{index}-{}", format_time("yyyy-MM", at)),
        _ => format!("{index}-{}", format_time("yyyy-MM-dd", at)),
    }
}

impl Standin {
    fn keep(&mut self, place: &str, records: u64) {
        *self.taken.entry(place.to_owned()).or_insert(0) += records;
    }

    /// A real destination took records, except those of some places.
    pub fn taken_outside(&mut self, url: &str, records: &[Rec], failed: &[(usize, Failure)]) {
        self.requests += 1;
        self.keep(url, (records.len() - failed.len()) as u64);
        let good = records.iter().enumerate().filter(|(place, _)| failed.iter().all(|(known, _)| known != place)).map(|(_, record)| record);
        let newest: Vec<&Rec> = good.rev().take(20).collect();
        for record in newest.into_iter().rev() {
            self.show(serde_json::from_slice(&record.data).unwrap_or_else(|_| json!(String::from_utf8_lossy(&record.data))));
        }
    }

    fn show(&mut self, value: Value) {
        if self.newest.len() == SHOWN {
            self.newest.remove(0);
        }
        self.newest.push(value);
    }

    fn rejects(&self, record: &Rec, random: Substream) -> bool {
        matches!(self.trouble, Some(Trouble::Rejects(permille)) if below(random.bits(record.id), 1000) < u64::from(permille))
    }

    /// One attempt to hand over records.
    pub fn take(&mut self, endpoint: &Endpoint, records: &[Rec], random: Substream) -> Outcome {
        self.requests += 1;
        match endpoint {
            Endpoint::S3 => Outcome::Taken(Vec::new()),
            Endpoint::Redshift { table, options, .. } => self.copy(table, options, records),
            Endpoint::Search { index, rotation, .. } => self.bulk(index, rotation, records, random),
            Endpoint::Splunk { raw, .. } => {
                match self.trouble {
                    Some(Trouble::Unreachable) => {
                        return Outcome::Retry(Failure::new("Splunk.ConnectionTimeout", "The connection to Splunk timed out."));
                    }
                    Some(Trouble::Busy) => return Outcome::Retry(Failure::new("Splunk.ServerError", "The server is busy. (HTTP 503, code 9)")),
                    Some(Trouble::NoAcknowledgement) => {
                        // The events were indexed; only the acknowledgement is missing.
                        self.keep("events", records.len() as u64);
                        return Outcome::Retry(Failure::new(
                            "Splunk.AckTimeout",
                            "Did not receive an acknowledgement from HEC before the HEC acknowledgement timeout expired. Despite the acknowledgement timeout, it's possible the data was indexed successfully in Splunk.",
                        ));
                    }
                    _ => {}
                }
                let mut failed = Vec::new();
                for (place, record) in records.iter().enumerate() {
                    let event = serde_json::from_slice::<Value>(&record.data).ok().filter(|event| *raw || event.get("event").is_some());
                    if (!raw && event.is_none()) || self.rejects(record, random) {
                        failed.push((place, Failure::new("Splunk.InvalidDataFormat", "The data is not formatted correctly. (HTTP 400, code 6)")));
                    } else {
                        self.keep("events", 1);
                        self.show(event.unwrap_or_else(|| json!(String::from_utf8_lossy(&record.data))));
                    }
                }
                Outcome::Taken(failed)
            }
            Endpoint::Http { url, .. } => {
                match self.trouble {
                    Some(Trouble::Unreachable) => {
                        return Outcome::Retry(Failure::new("HttpEndpoint.ConnectionFailed", "Could not connect to the endpoint."));
                    }
                    Some(Trouble::Busy | Trouble::NoAcknowledgement) => {
                        return Outcome::Retry(Failure::new(
                            "HttpEndpoint.DestinationException",
                            "Received response status code 503 from the HTTP endpoint.",
                        ));
                    }
                    Some(Trouble::Rejects(1000..)) => {
                        return Outcome::Final(Failure::new(
                            "HttpEndpoint.DestinationException",
                            "Received response status code 413 from the HTTP endpoint.",
                        ));
                    }
                    _ => {}
                }
                self.keep(url, records.len() as u64);
                for record in records.iter().rev().take(20).rev() {
                    self.show(serde_json::from_slice(&record.data).unwrap_or_else(|_| json!(String::from_utf8_lossy(&record.data))));
                }
                Outcome::Taken(Vec::new())
            }
        }
    }

    /// COPY loads what its manifest lists, or nothing at all.
    fn copy(&mut self, table: &str, options: &str, records: &[Rec]) -> Outcome {
        match self.trouble {
            Some(Trouble::Unreachable) => {
                return Outcome::Retry(Failure::new("Redshift.ConnectionFailed", "The connection to the specified Amazon Redshift cluster failed."));
            }
            Some(Trouble::Busy | Trouble::NoAcknowledgement) => {
                return Outcome::Retry(Failure::new("Redshift.DiskFull", "Data could not be loaded because the disk is full."));
            }
            _ => {}
        }
        let wants_json = options.to_lowercase().contains("json");
        let text: Vec<u8> = records.iter().flat_map(|record| record.data.iter().copied()).collect();
        let text = String::from_utf8_lossy(&text);
        let rows: Vec<Value> = if wants_json {
            let mut rows = Vec::new();
            for row in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
                match row {
                    Ok(row) => rows.push(row),
                    Err(error) => {
                        return Outcome::Retry(Failure::new(
                            "Redshift.DataLoadFailed",
                            format!("Invalid JSON in line {}, see stl_load_errors.", error.line()),
                        ));
                    }
                }
            }
            rows
        } else {
            text.lines().filter(|line| !line.is_empty()).map(|line| json!(line)).collect()
        };
        if let Some(Trouble::Rejects(_)) = self.trouble {
            return Outcome::Retry(Failure::new("Redshift.DataLoadFailed", "The data could not be loaded, see stl_load_errors."));
        }
        self.keep(table, rows.len() as u64);
        for row in rows.into_iter().rev().take(20).rev() {
            self.show(row);
        }
        Outcome::Taken(Vec::new())
    }

    /// A bulk request: each document is answered for itself.
    fn bulk(&mut self, index: &str, rotation: &str, records: &[Rec], random: Substream) -> Outcome {
        match self.trouble {
            Some(Trouble::Unreachable) => return Outcome::Retry(Failure::new("ES.ServiceException", "The domain cannot be reached.")),
            Some(Trouble::Busy | Trouble::NoAcknowledgement) => {
                return Outcome::Retry(Failure::new("429", "{\"type\":\"es_rejected_execution_exception\",\"reason\":\"rejected execution\"}"));
            }
            _ => {}
        }
        let mut failed = Vec::new();
        for (place, record) in records.iter().enumerate() {
            let document = serde_json::from_slice::<Value>(&record.data).ok().filter(Value::is_object);
            match document {
                Some(document) if !self.rejects(record, random) => {
                    // The same id again overwrites the document.
                    if Arc::make_mut(&mut self.ids).insert(record.id) {
                        self.keep(&index_name(index, rotation, record.arrival), 1);
                        self.show(document);
                    }
                }
                _ => failed.push((place, Failure::new("400", "{\"type\":\"mapper_parsing_exception\",\"reason\":\"failed to parse\"}"))),
            }
        }
        Outcome::Taken(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::parse_iso;

    #[test]
    fn indices_rotate() {
        let at = parse_iso("2016-02-25T13:05:00Z").expect("good");
        for (rotation, wanted) in
            [("NoRotation", "i"), ("OneHour", "i-2016-02-25-13"), ("OneDay", "i-2016-02-25"), ("OneWeek", "i-2016-w08"), ("OneMonth", "i-2016-02")]
        {
            assert_eq!(index_name("i", rotation, at), wanted);
        }
    }

    #[test]
    fn documents_fail_one_by_one_and_come_once() {
        let endpoint = Endpoint::Search { index: "i".to_owned(), type_name: String::new(), rotation: "NoRotation".to_owned() };
        let record = |id: u64, data: &str| Rec { data: data.as_bytes().into(), arrival: VirtualTime(0), id, origin: None, keys: None };
        let mut standin = Standin::default();
        let records = [record(1, "{\"a\":1}"), record(2, "oops"), record(3, "{}")];
        let random = Substream::new(1, &[]);
        let Outcome::Taken(failed) = standin.take(&endpoint, &records, random) else { panic!("reachable") };
        assert_eq!(failed.len(), 1);
        standin.take(&endpoint, &records, random);
        assert_eq!(standin.taken["i"], 2);
        standin.trouble = Some(Trouble::Busy);
        assert!(matches!(standin.take(&endpoint, &records, random), Outcome::Retry(_)));
    }
}
