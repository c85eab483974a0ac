//! Deliveries that leave the program: what is sent to a real destination, and what its answers mean.
//!
//! The engine opens no socket. A stream whose destination was given a URL makes an [`Order`] of each attempt; the front end carries it out,
//! and the outcome comes back as a command that is part of the run, so a replay sends nothing again.

use core::time::Duration;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::engine::formats::compress;
use crate::engine::random::Substream;
use crate::engine::time::VirtualTime;

use super::config::Endpoint;
use super::endpoint::{Outcome, index_name};
use super::prefix::uuid;
use super::record::{Failure, Rec};

/// Questions for an acknowledgement of Splunk, and the pause before each.
const ACK_TRIES: u32 = 10;
const ACK_PAUSE: Duration = Duration::from_millis(500);
/// Characters of a refusal's body that are kept.
const REASON_MAX: usize = 300;

/// A request over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// URL.
    pub url: String,
    /// Headers beside Host and Content-Length.
    pub headers: Vec<(String, String)>,
    /// Body of the POST.
    pub body: Vec<u8>,
}

/// Rows for a table of a database that speaks PostgreSQL's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLoad {
    /// `postgres://user:password@host:port/database`.
    pub url: String,
    /// User and password of the destination, when the URL has none.
    pub login: (String, String),
    /// `COPY … FROM STDIN`.
    pub statement: String,
    /// What follows it.
    pub body: Vec<u8>,
}

/// What is asked of the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A POST.
    Http(HttpRequest),
    /// A load.
    Table(TableLoad),
}

/// What the outside answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A response: status, `Content-Type`, body.
    Response(u16, String, Vec<u8>),
    /// The rows are in the table.
    Loaded,
    /// The database refused: SQLSTATE and message.
    Refused(String, String),
    /// Nobody answered.
    Unreachable(String),
    /// It took too long.
    TimedOut,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask this after a pause.
    Ask(Duration, Ask),
    /// This came of it.
    Done(Outcome),
}

/// One attempt of a delivery.
#[derive(Debug, Clone)]
pub struct Order {
    /// Delivery stream.
    pub stream: Arc<str>,
    /// Number of the delivery within the stream.
    pub delivery: u64,
    /// Attempts before this one.
    pub attempts: u32,
    /// The instant.
    pub now: VirtualTime,
    url: String,
    request_id: String,
    arn: String,
    endpoint: Endpoint,
    /// HECToken, or user and password.
    secrets: (String, String),
    records: Vec<Rec>,
    /// Places of the records that are part of the request; the others were refused before.
    places: Vec<usize>,
    refused: Vec<(usize, Failure)>,
}

fn retry(code: &str, text: impl Into<String>) -> Next {
    Next::Done(Outcome::Retry(Failure::new(code, text)))
}

/// The one line of a document, when it is a JSON object.
fn document(record: &Rec) -> Option<String> {
    serde_json::from_slice::<Value>(&record.data).ok().filter(Value::is_object).map(|document| document.to_string())
}

impl Order {
    /// The order of an attempt.
    #[allow(clippy::too_many_arguments, reason = "an attempt is all of this")]
    pub(super) fn new(
        (stream, arn): (&Arc<str>, String),
        (delivery, attempts): (u64, u32),
        now: VirtualTime,
        url: &str,
        endpoint: &Endpoint,
        body: &Value,
        records: &[Rec],
    ) -> Self {
        let secret = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let secrets = match endpoint {
            Endpoint::Splunk { .. } => (secret("HECToken"), String::new()),
            _ => (secret("Username"), secret("Password")),
        };
        let mut refused = Vec::new();
        if matches!(endpoint, Endpoint::Search { .. }) {
            for (place, record) in records.iter().enumerate() {
                if document(record).is_none() {
                    refused.push((place, Failure::new("400", "{\"type\":\"mapper_parsing_exception\",\"reason\":\"failed to parse\"}")));
                }
            }
        }
        let places = (0..records.len()).filter(|place| refused.iter().all(|(known, _)| known != place)).collect();
        Self {
            stream: stream.clone(),
            delivery,
            attempts,
            now,
            url: url.trim_end_matches('/').to_owned(),
            // The same in every attempt of a delivery.
            request_id: uuid(Substream::new(delivery, &["request", stream])),
            arn,
            endpoint: endpoint.clone(),
            secrets,
            records: records.to_vec(),
            places,
            refused,
        }
    }

    /// What tells this attempt from every other.
    pub fn parts(&self) -> Vec<Vec<u8>> {
        let Next::Ask(_, ask) = self.first() else { return Vec::new() };
        let request = match ask {
            Ask::Http(request) => [request.url.into_bytes(), request.body].concat(),
            Ask::Table(load) => [load.url.into_bytes(), load.statement.into_bytes(), load.body].concat(),
        };
        vec![self.stream.as_bytes().to_vec(), self.delivery.to_le_bytes().to_vec(), self.now.0.to_le_bytes().to_vec(), request]
    }

    /// What is asked first.
    pub fn first(&self) -> Next {
        let http =
            |url: String, headers: Vec<(String, String)>, body: Vec<u8>| Next::Ask(Duration::ZERO, Ask::Http(HttpRequest { url, headers, body }));
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        match &self.endpoint {
            Endpoint::S3 => Next::Done(Outcome::Taken(Vec::new())),
            Endpoint::Http { gzip, attributes, key, .. } => {
                let records: Vec<Value> = self.records.iter().map(|record| json!({"data": STANDARD.encode(&record.data)})).collect();
                let body = json!({"requestId": self.request_id, "timestamp": self.now.millis(), "records": records}).to_string().into_bytes();
                let mut headers = vec![
                    header("Content-Type", "application/json"),
                    header("X-Amz-Firehose-Protocol-Version", "1.0"),
                    header("X-Amz-Firehose-Request-Id", &self.request_id),
                    header("X-Amz-Firehose-Source-Arn", &self.arn),
                ];
                if let Some(key) = key {
                    headers.push(header("X-Amz-Firehose-Access-Key", key));
                }
                if !attributes.is_empty() {
                    headers.push(header("X-Amz-Firehose-Common-Attributes", &json!({"commonAttributes": attributes}).to_string()));
                }
                if *gzip {
                    headers.push(header("Content-Encoding", "gzip"));
                }
                http(self.url.clone(), headers, if *gzip { compress::gzip(&body) } else { body })
            }
            Endpoint::Search { index, rotation, type_name } => {
                let mut body = String::new();
                for place in &self.places {
                    let record = &self.records[*place];
                    let mut action = json!({"_index": index_name(index, rotation, record.arrival), "_id": record.record_id()});
                    if !type_name.is_empty() {
                        action["_type"] = json!(type_name);
                    }
                    body.push_str(&format!("{}\n{}\n", json!({"index": action}), document(record).unwrap_or_default()));
                }
                if self.places.is_empty() {
                    return Next::Done(Outcome::Taken(self.refused.clone()));
                }
                http(format!("{}/_bulk", self.url), vec![header("Content-Type", "application/x-ndjson")], body.into_bytes())
            }
            Endpoint::Splunk { raw, .. } => {
                let body: Vec<u8> = self.records.iter().flat_map(|record| record.data.iter().copied()).collect();
                let path = if *raw { "/raw" } else { "" };
                http(format!("{}/services/collector{path}?channel={}", self.url, self.request_id), self.splunk_headers(), body)
            }
            Endpoint::Redshift { table, columns, options, .. } => {
                let (statement, body) = match self.table_rows(table, columns.as_deref(), options) {
                    Ok(rows) => rows,
                    Err(failure) => return Next::Done(Outcome::Retry(failure)),
                };
                Next::Ask(Duration::ZERO, Ask::Table(TableLoad { url: self.url.clone(), login: self.secrets.clone(), statement, body }))
            }
        }
    }

    fn splunk_headers(&self) -> Vec<(String, String)> {
        vec![("Authorization".to_owned(), format!("Splunk {}", self.secrets.0)), ("Content-Type".to_owned(), "application/json".to_owned())]
    }

    /// The statement that loads the records and its lines. What COPY reads from S3 in Redshift comes from the connection here.
    fn table_rows(&self, table: &str, columns: Option<&str>, options: &str) -> Result<(String, Vec<u8>), Failure> {
        let lower = options.to_lowercase();
        let data: Vec<u8> = self.records.iter().flat_map(|record| record.data.iter().copied()).collect();
        let listed = columns.map_or_else(String::new, |columns| format!(" ({columns})"));
        if !lower.contains("json") {
            let form = if lower.contains("csv") {
                "WITH (FORMAT csv)".to_owned()
            } else {
                let delimiter = lower.find("delimiter").and_then(|at| options[at..].split('\'').nth(1)).filter(|text| !text.is_empty());
                format!("WITH (DELIMITER E'{}')", delimiter.unwrap_or("|").replace('\'', "''"))
            };
            return Ok((format!("COPY {table}{listed} FROM STDIN {form}"), data));
        }
        let mut rows: Vec<Map<String, Value>> = Vec::new();
        for row in serde_json::Deserializer::from_slice(&data).into_iter::<Map<String, Value>>() {
            rows.push(
                row.map_err(|error| Failure::new("Redshift.DataLoadFailed", format!("Invalid JSON in line {}, see stl_load_errors.", error.line())))?,
            );
        }
        let names: Vec<String> = match columns {
            Some(columns) => columns.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect(),
            None => {
                let mut names: Vec<String> = Vec::new();
                for name in rows.iter().flat_map(|row| row.keys()) {
                    if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                        names.push(name.clone());
                    }
                }
                names
            }
        };
        let mut text = String::new();
        for row in &rows {
            // JSON 'auto' finds columns without case.
            let cells: Vec<String> = names
                .iter()
                .map(|name| match row.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value) {
                    None | Some(Value::Null) => "\\N".to_owned(),
                    Some(Value::String(text)) => escaped(text),
                    Some(other) => escaped(&other.to_string()),
                })
                .collect();
            text.push_str(&cells.join("\t"));
            text.push('\n');
        }
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{}\"", name.to_lowercase().replace('"', "\"\""))).collect();
        Ok((format!("COPY {table} ({}) FROM STDIN", quoted.join(", ")), text.into_bytes()))
    }

    /// What an answer to the `tries`-th question means.
    pub fn judge(&self, tries: u32, answer: &Answer) -> Next {
        let (code, unreachable, timeout) = match &self.endpoint {
            Endpoint::Http { .. } => ("HttpEndpoint.ConnectionFailed", "Could not connect to the endpoint.", "HttpEndpoint.RequestTimeout"),
            Endpoint::Search { .. } => ("ES.ServiceException", "The domain cannot be reached.", "ES.ServiceException"),
            Endpoint::Splunk { .. } => ("Splunk.ConnectionTimeout", "The connection to Splunk timed out.", "Splunk.ConnectionTimeout"),
            Endpoint::Redshift { .. } | Endpoint::S3 => {
                ("Redshift.ConnectionFailed", "The connection to the specified Amazon Redshift cluster failed.", "Redshift.ConnectionFailed")
            }
        };
        match answer {
            Answer::Unreachable(why) => retry(code, format!("{unreachable} ({why})")),
            Answer::TimedOut => retry(timeout, "The request timed out."),
            Answer::Loaded => Next::Done(Outcome::Taken(Vec::new())),
            Answer::Refused(state, message) => {
                let code = match state.as_str() {
                    "42P01" => "Redshift.TableNotFound",
                    "42601" => "Redshift.SyntaxError",
                    "42703" => "Redshift.ColumnNotFound",
                    "53100" => "Redshift.DiskFull",
                    state if state.starts_with("28") => "Redshift.AuthenticationFailed",
                    _ => "Redshift.DataLoadFailed",
                };
                retry(code, message.clone())
            }
            Answer::Response(status, kind, body) => match &self.endpoint {
                Endpoint::Http { .. } => self.judge_http(*status, kind, body),
                Endpoint::Search { .. } => self.judge_bulk(*status, body),
                Endpoint::Splunk { .. } => self.judge_splunk(tries, *status, body),
                Endpoint::Redshift { .. } | Endpoint::S3 => retry(code, unreachable),
            },
        }
    }

    fn judge_http(&self, status: u16, kind: &str, body: &[u8]) -> Next {
        let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
        let said = parsed["errorMessage"].as_str().map_or_else(String::new, |text| format!(" {text}"));
        match status {
            200 if kind.starts_with("application/json") && parsed["requestId"] == self.request_id.as_str() && parsed["timestamp"].is_u64() => {
                Next::Done(Outcome::Taken(Vec::new()))
            }
            200 => retry(
                "HttpEndpoint.InvalidResponseFromDestination",
                "The response received from the destination is invalid: it must be JSON with the requestId of the request and a timestamp.",
            ),
            413 => Next::Done(Outcome::Final(Failure::new(
                "HttpEndpoint.DestinationException",
                format!("Received response status code 413 from the HTTP endpoint.{said}"),
            ))),
            status => retry("HttpEndpoint.DestinationException", format!("Received response status code {status} from the HTTP endpoint.{said}")),
        }
    }

    fn judge_bulk(&self, status: u16, body: &[u8]) -> Next {
        let reason = || String::from_utf8_lossy(body).chars().take(REASON_MAX).collect::<String>();
        let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(items) = parsed["items"].as_array().filter(|items| (200..300).contains(&status) && items.len() == self.places.len()) else {
            return retry(&status.to_string(), reason());
        };
        let mut failed = self.refused.clone();
        for (place, item) in self.places.iter().zip(items) {
            let item = &item["index"];
            match item["status"].as_u64().unwrap_or(500) {
                200..300 => {}
                // The cluster is busy: all of it comes again, and documents that are there are overwritten.
                code @ (429 | 500..) => return retry(&code.to_string(), item["error"].to_string().chars().take(REASON_MAX).collect::<String>()),
                code => {
                    let reason: String = item["error"].to_string().chars().take(REASON_MAX).collect();
                    failed.push((*place, Failure::new(&code.to_string(), reason)));
                }
            }
        }
        failed.sort_by_key(|(place, _)| *place);
        Next::Done(Outcome::Taken(failed))
    }

    fn judge_splunk(&self, tries: u32, status: u16, body: &[u8]) -> Next {
        let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = parsed["text"].as_str().unwrap_or("no text").to_owned();
        if let Some(acks) = parsed["acks"].as_object() {
            if acks.values().any(|acknowledged| acknowledged == true) {
                return Next::Done(Outcome::Taken(Vec::new()));
            }
            if tries > ACK_TRIES {
                return retry(
                    "Splunk.AckTimeout",
                    "Did not receive an acknowledgement from HEC before the HEC acknowledgement timeout expired. Despite the acknowledgement timeout, it's possible the data was indexed successfully in Splunk.",
                );
            }
            let asked: Vec<u64> = acks.keys().filter_map(|id| id.parse().ok()).collect();
            return self.ask_ack(&asked);
        }
        match (status, parsed["code"].as_u64()) {
            (200, _) => match parsed["ackId"].as_u64() {
                Some(id) => self.ask_ack(&[id]),
                None => retry("Splunk.DisabledAck", "Acknowledgements are disabled on the HEC token. Enable them and try again."),
            },
            (_, Some(1)) => retry("Splunk.DisabledToken", text),
            (401 | 403, _) => retry("Splunk.InvalidToken", text),
            (_, Some(5 | 6 | 12 | 13)) => {
                Next::Done(Outcome::Final(Failure::new("Splunk.InvalidDataFormat", format!("The data is not formatted correctly. ({text})"))))
            }
            (_, Some(7)) => retry("Splunk.InvalidIndex", text),
            (404, _) => retry("Splunk.InvalidEndpoint", text),
            (status, _) => retry("Splunk.ServerError", format!("HTTP {status}: {text}")),
        }
    }

    fn ask_ack(&self, ids: &[u64]) -> Next {
        let url = format!("{}/services/collector/ack?channel={}", self.url, self.request_id);
        let body = json!({"acks": ids}).to_string().into_bytes();
        Next::Ask(ACK_PAUSE, Ask::Http(HttpRequest { url, headers: self.splunk_headers(), body }))
    }
}

/// A cell of COPY's text form.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::VirtualDuration;

    fn order(endpoint: Endpoint, records: &[&str]) -> Order {
        let records: Vec<Rec> = records
            .iter()
            .enumerate()
            .map(|(id, data)| Rec { data: data.as_bytes().into(), arrival: VirtualTime(0), id: id as u64, origin: None, keys: None })
            .collect();
        let body = json!({"HECToken": "t", "Username": "u", "Password": "p"});
        Order::new((&"d".into(), "arn:d".to_owned()), (7, 0), VirtualTime::from_secs(1), "http://h/", &endpoint, &body, &records)
    }

    fn asked(next: Next) -> HttpRequest {
        let Next::Ask(_, Ask::Http(request)) = next else { panic!("{next:?}") };
        request
    }

    fn done(next: Next) -> Outcome {
        let Next::Done(outcome) = next else { panic!("{next:?}") };
        outcome
    }

    #[test]
    fn an_http_endpoint_gets_firehoses_request_and_is_believed_by_its_request_id() {
        let order =
            order(Endpoint::Http { url: String::new(), gzip: true, attributes: [("a".to_owned(), "b".to_owned())].into(), key: None }, &["x"]);
        let request = asked(order.first());
        let body: Value = serde_json::from_slice(&compress::gunzip(&request.body, 1000).expect("gzip")).expect("JSON");
        assert_eq!(body["records"], json!([{"data": "eA=="}]));
        let id = body["requestId"].as_str().expect("an id").to_owned();
        assert!(request.headers.contains(&("X-Amz-Firehose-Common-Attributes".to_owned(), r#"{"commonAttributes":{"a":"b"}}"#.to_owned())));
        let answer = |status, id: &str| {
            Answer::Response(status, "application/json".to_owned(), json!({"requestId": id, "timestamp": 1}).to_string().into_bytes())
        };
        assert_eq!(done(order.judge(1, &answer(200, &id))), Outcome::Taken(Vec::new()));
        assert!(
            matches!(done(order.judge(1, &answer(200, "other"))), Outcome::Retry(why) if why.code == "HttpEndpoint.InvalidResponseFromDestination")
        );
        assert!(matches!(done(order.judge(1, &answer(503, &id))), Outcome::Retry(why) if why.message.contains("503")));
        assert!(matches!(done(order.judge(1, &answer(413, &id))), Outcome::Final(_)));
        assert!(
            matches!(done(order.judge(1, &Answer::Unreachable("refused".to_owned()))), Outcome::Retry(why) if why.code == "HttpEndpoint.ConnectionFailed")
        );
    }

    #[test]
    fn a_bulk_answer_is_read_document_by_document() {
        let endpoint = Endpoint::Search { index: "i".to_owned(), type_name: String::new(), rotation: "NoRotation".to_owned() };
        let order = order(endpoint, &["{\"a\":1}", "no JSON", "{\"a\":\n\"x\"}"]);
        let request = asked(order.first());
        assert_eq!(request.url, "http://h/_bulk");
        assert_eq!(String::from_utf8_lossy(&request.body).lines().count(), 4);
        let answer = |statuses: [u64; 2]| {
            let items: Vec<Value> = statuses.iter().map(|status| json!({"index": {"status": status, "error": {"type": "e"}}})).collect();
            Answer::Response(200, String::new(), json!({"errors": true, "items": items}).to_string().into_bytes())
        };
        let Outcome::Taken(failed) = done(order.judge(1, &answer([201, 400]))) else { panic!("taken") };
        assert_eq!(failed.iter().map(|(place, failure)| (*place, failure.code.as_str())).collect::<Vec<_>>(), [(1, "400"), (2, "400")]);
        assert!(matches!(done(order.judge(1, &answer([201, 429]))), Outcome::Retry(_)));
    }

    #[test]
    fn splunk_is_asked_for_its_acknowledgement() {
        let order = order(Endpoint::Splunk { url: String::new(), raw: false, ack: VirtualDuration::SECOND }, &["{\"event\":1}", "{\"event\":2}"]);
        let request = asked(order.first());
        assert!(request.url.starts_with("http://h/services/collector?channel=") && request.headers[0].1 == "Splunk t");
        let answer = |status, body: Value| Answer::Response(status, String::new(), body.to_string().into_bytes());
        let ack = asked(order.judge(1, &answer(200, json!({"text": "Success", "code": 0, "ackId": 5}))));
        assert_eq!(ack.body, br#"{"acks":[5]}"#);
        assert!(matches!(order.judge(2, &answer(200, json!({"acks": {"5": false}}))), Next::Ask(..)));
        assert_eq!(done(order.judge(3, &answer(200, json!({"acks": {"5": true}})))), Outcome::Taken(Vec::new()));
        assert!(matches!(done(order.judge(11, &answer(200, json!({"acks": {"5": false}})))), Outcome::Retry(why) if why.code == "Splunk.AckTimeout"));
        assert!(
            matches!(done(order.judge(1, &answer(403, json!({"text": "Invalid token", "code": 4})))), Outcome::Retry(why) if why.code == "Splunk.InvalidToken")
        );
    }

    #[test]
    fn a_table_is_loaded_by_copy() {
        let endpoint = |columns: Option<&str>, options: &str| Endpoint::Redshift {
            url: String::new(),
            table: "t".to_owned(),
            columns: columns.map(str::to_owned),
            options: options.to_owned(),
        };
        let load = |order: Order| match order.first() {
            Next::Ask(_, Ask::Table(load)) => (load.statement, String::from_utf8(load.body).expect("text")),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            load(order(endpoint(None, "JSON 'auto'"), &["{\"A\":1,\"b\":\"x\\ty\"}", "{\"b\":null,\"a\":2.5}"])),
            ("COPY t (\"a\", \"b\") FROM STDIN".to_owned(), "1\tx\\ty\n2.5\t\\N\n".to_owned())
        );
        assert_eq!(
            load(order(endpoint(Some("a,b"), "delimiter ','"), &["1,2\n"])),
            ("COPY t (a,b) FROM STDIN WITH (DELIMITER E',')".to_owned(), "1,2\n".to_owned())
        );
        assert!(load(order(endpoint(None, "csv"), &["1\n"])).0.ends_with("(FORMAT csv)"));
        let refused = Answer::Refused("42P01".to_owned(), "relation \"t\" does not exist".to_owned());
        assert!(matches!(done(order(endpoint(None, ""), &["1\n"]).judge(1, &refused)), Outcome::Retry(why) if why.code == "Redshift.TableNotFound"));
    }
}
