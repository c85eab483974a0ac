//! Outputs: rows as records, where they go, and what their destinations answer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::application::{Application, invalid, resource_of, text};
use super::processing::{answers, failure, pause, room};
use crate::api::ServiceError;
use crate::engine::kinesis::Ctx;
use crate::engine::lambda::Outcome;
use crate::engine::metrics::{Dimensions, Flow, Metric};
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::sql::plan::StreamPlan;
use crate::sql::run::Row;
use crate::sql::types::SqlType;
use crate::sql::value::Value as Cell;

/// Outputs at most.
const OUTPUTS_MAX: usize = 3;
/// Time between two invocations of a destination function.
const INVOCATION_PAUSE: VirtualDuration = VirtualDuration::SECOND;

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A data stream.
    Stream(String),
    /// A delivery stream.
    Firehose(String),
    /// A function.
    Lambda(String),
}

impl Destination {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Stream(name) => format!("stream {name}"),
            Self::Firehose(name) => format!("delivery stream {name}"),
            Self::Lambda(name) => format!("function {name}"),
        }
    }
}

/// A row as a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Partition key, or record id.
    pub key: String,
    /// Its bytes.
    pub data: Arc<[u8]>,
    /// Deliveries to a function that failed.
    pub hint: u64,
}

/// Records on their way to a destination.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Id of the output.
    pub output: String,
    /// Where they go.
    pub to: Destination,
    /// The records.
    pub records: Vec<Outgoing>,
}

/// An invocation of a destination function.
#[derive(Debug, Clone)]
struct Flight {
    invocation: u64,
    started: VirtualTime,
    records: Vec<Outgoing>,
}

/// An output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Id.
    pub id: String,
    /// As it was given.
    pub body: Value,
    /// In-application stream.
    pub stream: String,
    /// Where it goes.
    pub to: Destination,
    /// CSV, not JSON.
    pub csv: bool,
    /// Rows delivered.
    pub delivered: u64,
    /// Deliveries of rows that a function failed: each is sent again.
    pub failed: u64,
    /// Why the last invocation failed, or how many rows of it; none when it ended well.
    pub trouble: Option<String>,
    /// Records that wait.
    pending: Vec<Outgoing>,
    flight: Option<Flight>,
    /// Invocations in a row of which something failed.
    failures: u32,
    /// No invocation before.
    not_before: VirtualTime,
}

impl Output {
    fn new(id: String, body: &Value) -> Result<Self, ServiceError> {
        Ok(Self {
            id,
            body: body.clone(),
            stream: text(body, "Name").to_owned(),
            to: destination_of(body)?,
            csv: text(&body["DestinationSchema"], "RecordFormatType") == "CSV",
            delivered: 0,
            failed: 0,
            trouble: None,
            pending: Vec::new(),
            flight: None,
            failures: 0,
            not_before: VirtualTime(0),
        })
    }

    /// Rows that are not delivered yet.
    pub fn waiting(&self) -> usize {
        self.pending.len() + self.flight.as_ref().map_or(0, |flight| flight.records.len())
    }

    /// Takes a row of its stream.
    pub(super) fn push(&mut self, plan: &StreamPlan, row: &Row, number: u64) {
        let newline = self.csv || matches!(self.to, Destination::Firehose(_));
        let mut record = if self.csv { csv(plan, row) } else { json_row(plan, row) };
        if newline {
            record.push('\n');
        }
        self.pending.push(Outgoing { key: format!("{}-{number}", self.stream), data: record.into_bytes().into(), hint: 0 });
    }

    /// What can leave now.
    pub(super) fn leaving(&mut self, now: VirtualTime) -> Option<Delivery> {
        if self.pending.is_empty() || self.flight.is_some() || now < self.not_before {
            return None;
        }
        let records = match self.to {
            Destination::Lambda(_) => {
                let mut fits = room();
                let count = self.pending.iter().take_while(|record| fits(record.data.len())).count();
                self.pending.drain(..count).collect()
            }
            Destination::Stream(_) | Destination::Firehose(_) => std::mem::take(&mut self.pending),
        };
        Some(Delivery { output: self.id.clone(), to: self.to.clone(), records })
    }

    /// A function has been called with records.
    pub(super) fn called(&mut self, now: VirtualTime, invocation: u64, records: Vec<Outgoing>) {
        self.not_before = now + INVOCATION_PAUSE;
        self.flight = Some(Flight { invocation, started: now, records });
    }
}

/// The one destination that an output names.
fn destination_of(body: &Value) -> Result<Destination, ServiceError> {
    let arn = |member: &str| body[member]["ResourceARN"].as_str().map(|arn| resource_of(arn).to_owned());
    match (arn("KinesisStreamsOutput"), arn("KinesisFirehoseOutput"), arn("LambdaOutput")) {
        (Some(name), None, None) => Ok(Destination::Stream(name)),
        (None, Some(name), None) => Ok(Destination::Firehose(name)),
        (None, None, Some(name)) => Ok(Destination::Lambda(name)),
        _ => Err(invalid("Exactly one of KinesisStreamsOutput, KinesisFirehoseOutput and LambdaOutput must be given")),
    }
}

/// The event of a function that takes rows.
pub fn rows_event(invocation: &str, application: &str, records: &[Outgoing]) -> String {
    let records: Vec<Value> = records
        .iter()
        .map(|record| {
            json!({
                "recordId": record.key,
                "lambdaDeliveryRecordMetadata": {"retryHint": record.hint},
                "data": STANDARD.encode(&record.data),
            })
        })
        .collect();
    json!({"invocationId": invocation, "applicationArn": application, "records": records}).to_string()
}

/// For each record whether a function has delivered it.
fn delivered(outcome: &Outcome, records: &[Outgoing]) -> Vec<bool> {
    match outcome {
        // A rule has looked at every row.
        Outcome::Native(_) => vec![true; records.len()],
        Outcome::Answer(text) => {
            let parsed: Value = serde_json::from_str(text).unwrap_or_default();
            let by_id = answers(&parsed).unwrap_or_default();
            records.iter().map(|record| by_id.get(record.key.as_str()).copied().flatten().is_some_and(|answer| answer["result"] == "Ok")).collect()
        }
        _ => vec![false; records.len()],
    }
}

impl Application {
    /// Adds an output.
    ///
    /// # Errors
    /// A fourth output, or not exactly one destination.
    pub fn add_output(&mut self, body: &Value) -> Result<(), ServiceError> {
        if self.outputs.len() >= OUTPUTS_MAX {
            return Err(ServiceError::limit_exceeded(format!("An application has at most {OUTPUTS_MAX} outputs")));
        }
        let output = Output::new(self.next_id(), body)?;
        if self.outputs.iter().any(|known| known.stream == output.stream && known.to == output.to) {
            return Err(invalid(format!("{} is delivered there already", output.stream)));
        }
        self.outputs.push(output);
        self.version += 1;
        Ok(())
    }

    /// Changes an output; rows that wait for its old destination go to the new one.
    pub(super) fn update_output(&mut self, update: &Value) -> Result<(), ServiceError> {
        let id = text(update, "OutputId");
        let output = self.outputs.iter_mut().find(|output| output.id == id).ok_or_else(|| invalid(format!("There is no output {id}")))?;
        for member in ["KinesisStreamsOutput", "KinesisFirehoseOutput", "LambdaOutput"] {
            let change = &update[format!("{member}Update")];
            if let Some(arn) = change["ResourceARNUpdate"].as_str() {
                let role = change["RoleARNUpdate"].as_str().or(output.body[member]["RoleARN"].as_str()).map(str::to_owned);
                if let Some(body) = output.body.as_object_mut() {
                    body.retain(|name, _| !name.ends_with("Output"));
                    body.insert(
                        member.to_owned(),
                        role.map_or_else(|| json!({"ResourceARN": arn}), |role| json!({"ResourceARN": arn, "RoleARN": role})),
                    );
                }
            }
        }
        if let Some(format) = update["DestinationSchemaUpdate"]["RecordFormatType"].as_str() {
            output.body["DestinationSchema"] = json!({"RecordFormatType": format});
            output.csv = format == "CSV";
        }
        if let Some(name) = update["NameUpdate"].as_str() {
            output.body["Name"] = json!(name);
            name.clone_into(&mut output.stream);
        }
        output.to = destination_of(&output.body)?;
        Ok(())
    }

    pub(super) fn output(&mut self, id: &str) -> Option<&mut Output> {
        self.outputs.iter_mut().find(|output| output.id == id)
    }

    fn output_flow(&self, id: &str) -> Dimensions {
        Dimensions::Flow(self.name.clone(), Flow::Output, id.into())
    }

    /// An attempt to deliver to a stream is over: books what was taken, keeps the rest for the next look.
    pub(super) fn attempted(&mut self, ctx: &mut Ctx<'_>, delivery: Delivery, taken: u64, bytes: u64) {
        let dimensions = self.output_flow(&delivery.output);
        let left = delivery.records.len();
        ctx.metrics.add(Metric::FlowSuccess, &dimensions, ctx.now, u64::from(left == 0));
        ctx.metrics.add_many(Metric::FlowRecords, &dimensions, ctx.now, taken, taken.min(1));
        ctx.metrics.add_many(Metric::FlowBytes, &dimensions, ctx.now, bytes, taken.min(1));
        if let Some(output) = self.output(&delivery.output) {
            output.delivered += taken;
            output.trouble = (left > 0).then(|| format!("its destination refused {left} rows"));
            output.pending.splice(0..0, delivery.records);
        }
    }

    /// A destination function has answered: rows that it did not deliver are sent again, before those behind them.
    pub(super) fn answered(&mut self, ctx: &mut Ctx<'_>, id: &str, invocation: u64, outcome: &Outcome) {
        let (now, dimensions) = (ctx.now, self.output_flow(id));
        let Some(output) = self.output(id) else { return };
        let Some(flight) = output.flight.take_if(|flight| flight.invocation == invocation) else { return };
        let verdicts = delivered(outcome, &flight.records);
        let good = verdicts.iter().filter(|good| **good).count() as u64;
        let bad = verdicts.len() as u64 - good;
        let bytes = flight.records.iter().zip(&verdicts).filter(|(_, good)| **good).map(|(record, _)| record.data.len() as u64).sum();
        let mut flags = verdicts.iter();
        let mut again: Vec<Outgoing> = flight.records;
        again.retain(|_| !flags.next().copied().unwrap_or(false));
        for record in &mut again {
            record.hint += 1;
        }
        output.pending.splice(0..0, again);
        output.delivered += good;
        output.failed += bad;
        output.failures = if bad > 0 { output.failures + 1 } else { 0 };
        output.trouble = (bad > 0).then(|| failure(outcome).unwrap_or_else(|| format!("the function did not deliver {bad} of {} rows", good + bad)));
        if bad > 0 {
            output.not_before = output.not_before.max(now + pause(output.failures));
        }
        let (failures, told) = (output.failures, output.trouble.clone());
        let to = output.to.text();
        ctx.metrics.add(Metric::LambdaDeliveryDuration, &dimensions, now, now.since(flight.started).as_millis());
        ctx.metrics.add_many(Metric::LambdaDeliveryOkRecords, &dimensions, now, good, 1);
        ctx.metrics.add_many(Metric::LambdaDeliveryFailedRecords, &dimensions, now, bad, 1);
        ctx.metrics.add(Metric::FlowSuccess, &dimensions, now, u64::from(bad == 0));
        ctx.metrics.add_many(Metric::FlowRecords, &dimensions, now, good, good.min(1));
        ctx.metrics.add_many(Metric::FlowBytes, &dimensions, now, bytes, good.min(1));
        if let Some(why) = told.filter(|_| failures <= 3 || failures.is_multiple_of(8)) {
            let wait = pause(failures).as_secs();
            self.say(ctx, "retry", format!("{to}: {why}; tried again in {wait} s"), true);
        }
    }
}

/// A cell as screens show it.
pub(super) fn cell_text(cell: &Cell, ty: &SqlType) -> String {
    if cell.is_null() { String::new() } else { cell.to_text(ty) }
}

fn json_row(stream: &StreamPlan, row: &Row) -> String {
    let object: Map<String, Value> = stream
        .columns
        .iter()
        .zip(row.cells.iter())
        .filter(|(column, _)| !column.hidden)
        .map(|(column, cell)| (column.name.clone(), cell.to_json(&column.ty)))
        .collect();
    Value::Object(object).to_string()
}

fn csv(stream: &StreamPlan, row: &Row) -> String {
    let cells: Vec<String> = stream
        .columns
        .iter()
        .zip(row.cells.iter())
        .filter(|(column, _)| !column.hidden)
        .map(|(column, cell)| {
            let text = cell_text(cell, &column.ty);
            if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
        })
        .collect();
    cells.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_for_a_record_id_delivers_it() {
        let records: Vec<Outgoing> = (0..4).map(|n| Outgoing { key: format!("OUT-{n}"), data: b"{}"[..].into(), hint: u64::from(n == 2) }).collect();
        let answer = json!({"records": [
            {"recordId": "OUT-0", "result": "Ok"}, {"recordId": "OUT-1", "result": "DeliveryFailed"}, {"recordId": "OUT-2", "result": "ok"},
        ]});
        assert_eq!(delivered(&Outcome::Answer(answer.to_string().into()), &records), [true, false, false, false]);
        assert_eq!(delivered(&Outcome::Answer("null".into()), &records), [false; 4]);
        assert_eq!(delivered(&Outcome::TimedOut, &records), [false; 4]);
        assert_eq!(delivered(&Outcome::Native(vec![false; 4]), &records), [true; 4]);
        let event: Value = serde_json::from_str(&rows_event("i", "arn", &records)).expect("JSON");
        assert_eq!(event["records"][2]["lambdaDeliveryRecordMetadata"]["retryHint"], 1);
    }
}
