//! `agent.json`: the agent's own configuration, with its defaults, bounds and words.

use regex::bytes::Regex;
use serde_json::{Map, Value};

use crate::engine::generate::near_miss;
use crate::engine::time::VirtualDuration;

/// Files of a name that ends so are never read: they are compressed.
pub const COMPRESSED: [&str; 6] = [".gz", ".zip", ".bz2", ".xz", ".z", ".zst"];

/// Where a flow's records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `kinesisStream`.
    Stream(String),
    /// `deliveryStream`.
    DeliveryStream(String),
}

/// `partitionKeyOption`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionKeyOption {
    /// A random number as text.
    Random,
    /// MD5 of the data in hexadecimal.
    Deterministic,
}

/// `initialPosition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialPosition {
    /// Everything that is there.
    StartOfFile,
    /// Only what is appended from now on.
    EndOfFile,
}

/// How `SINGLELINE` joins lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    /// Trimmed, joined with nothing.
    Trimmed,
    /// Leading and trailing spaces kept, joined with nothing.
    Kept,
    /// Joined with the two characters `\n`.
    Escaped,
}

/// An entry of `dataProcessingOptions`.
#[derive(Debug, Clone)]
pub enum Processing {
    /// `SINGLELINE`.
    SingleLine(Joining),
    /// `CSVTOJSON`.
    CsvToJson {
        /// Names of the columns.
        fields: Vec<String>,
        /// A regular expression between columns.
        delimiter: Regex,
        /// Indented JSON.
        pretty: bool,
    },
    /// `LOGTOJSON`.
    LogToJson {
        /// The pattern of a line; group n is field n.
        pattern: Regex,
        /// Names of the groups.
        fields: Vec<String>,
        /// A field that is `-` becomes null.
        dash_is_null: bool,
        /// Indented JSON.
        pretty: bool,
    },
    /// `ADDBRACKETS`: the record between `[` and `]`.
    AddBrackets,
    /// `ADDMETADATA`: `{"metadata": …, "data": record}`.
    AddMetadata {
        /// What is added.
        metadata: Value,
        /// Indented JSON.
        pretty: bool,
    },
}

/// An element of `flows`.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Folder and glob.
    pub file_pattern: String,
    /// Where records go.
    pub destination: Destination,
    /// Where reading begins when nothing is known of the file.
    pub initial_position: InitialPosition,
    /// A record waits at most this long.
    pub max_buffer_age: VirtualDuration,
    /// Bytes of one call at most.
    pub max_buffer_bytes: u64,
    /// Records of one call at most.
    pub max_buffer_records: usize,
    /// Time between two looks at the file.
    pub poll: VirtualDuration,
    /// A line that matches at its start begins a record.
    pub multi_line_start: Option<Regex>,
    /// Partition keys.
    pub partition_key: PartitionKeyOption,
    /// Lines skipped at the beginning of every file.
    pub skip_header_lines: usize,
    /// Written at the end of a record that was cut.
    pub terminator: String,
    /// What is done to every record, in order.
    pub processing: Vec<Processing>,
}

/// `agent.json`.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// The flows.
    pub flows: Vec<Flow>,
    /// Keys that are unknown or have no effect here.
    pub warnings: Vec<String>,
}

const TOP: [&str; 13] = [
    "flows",
    "cloudwatch.emitMetrics",
    "cloudwatch.endpoint",
    "kinesis.endpoint",
    "firehose.endpoint",
    "awsAccessKeyId",
    "awsSecretAccessKey",
    "assumeRoleARN",
    "assumeRoleExternalId",
    "checkpointFile",
    "log.level",
    "log.file",
    "maxSendingThreads",
];
const FLOW: [&str; 13] = [
    "filePattern",
    "kinesisStream",
    "deliveryStream",
    "initialPosition",
    "maxBufferAgeMillis",
    "maxBufferSizeBytes",
    "maxBufferSizeRecords",
    "minTimeBetweenFilePollsMillis",
    "multiLineStartPattern",
    "partitionKeyOption",
    "skipHeaderLines",
    "truncatedRecordTerminator",
    "dataProcessingOptions",
];
const PROCESSING: [&str; 9] =
    ["optionName", "parseOptions", "customFieldNames", "delimiter", "logFormat", "matchPattern", "jsonFormat", "metadata", "timestamp"];

/// What is wrong, collected.
struct Reader {
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl AgentConfig {
    /// Reads `agent.json`.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place, what was found and what was expected.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| vec![format!("line {}, column {}: {error}; expected the JSON of agent.json", error.line(), error.column())])?;
        let mut reader = Reader { errors: Vec::new(), warnings: Vec::new() };
        let Some(top) = value.as_object() else { return Err(vec!["expected an object with the member flows".to_owned()]) };
        reader.known("agent.json", top, &TOP);
        let flows = match top.get("flows").and_then(Value::as_array) {
            Some(flows) if !flows.is_empty() => {
                flows.iter().enumerate().filter_map(|(at, flow)| reader.flow(&format!("flows[{at}]"), flow)).collect()
            }
            _ => {
                reader.errors.push("flows: expected an array with at least one flow".to_owned());
                Vec::new()
            }
        };
        if reader.errors.is_empty() { Ok(Self { flows, warnings: reader.warnings }) } else { Err(reader.errors) }
    }
}

impl Reader {
    fn known(&mut self, place: &str, object: &Map<String, Value>, known: &[&str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let near = near_miss(key, known.iter().copied()).map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
            self.warnings.push(format!("{place}: '{key}' is not a key the agent knows{near}"));
        }
    }

    fn text(&mut self, place: &str, object: &Map<String, Value>, key: &str) -> Option<String> {
        match object.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            other => {
                self.errors.push(format!("{place}.{key}: expected a text, found {other}"));
                None
            }
        }
    }

    fn number(&mut self, place: &str, object: &Map<String, Value>, key: &str, range: std::ops::RangeInclusive<u64>, default: u64) -> u64 {
        let Some(found) = object.get(key) else { return default };
        // The agent takes numbers written as texts.
        let number = found.as_u64().or_else(|| found.as_str().and_then(|text| text.parse().ok()));
        if let Some(number) = number.filter(|number| range.contains(number)) {
            number
        } else {
            self.errors.push(format!("{place}.{key}: expected a number from {} to {}, found {found}", range.start(), range.end()));
            default
        }
    }

    fn word(&mut self, place: &str, object: &Map<String, Value>, key: &str, words: &[&str]) -> usize {
        let Some(text) = self.text(place, object, key) else { return 0 };
        words.iter().position(|word| word.eq_ignore_ascii_case(&text)).unwrap_or_else(|| {
            self.errors.push(format!("{place}.{key}: expected {}, found '{text}'", words.join(" or ")));
            0
        })
    }

    fn regex(&mut self, place: &str, key: &str, text: &str, anchored: bool) -> Option<Regex> {
        let source = if anchored { format!("^(?:{text})") } else { text.to_owned() };
        match Regex::new(&source) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let reason = error.to_string().lines().last().unwrap_or_default().to_owned();
                self.errors.push(format!("{place}.{key}: '{text}' is no regular expression: {reason}"));
                None
            }
        }
    }

    fn flow(&mut self, place: &str, value: &Value) -> Option<Flow> {
        let Some(flow) = value.as_object() else {
            self.errors.push(format!("{place}: expected an object"));
            return None;
        };
        self.known(place, flow, &FLOW);
        let before = self.errors.len();
        let file_pattern = self.text(place, flow, "filePattern");
        if file_pattern.is_none() && self.errors.len() == before {
            self.errors.push(format!("{place}: filePattern is missing; write a folder and a glob, such as /var/log/httpd/access_log*"));
        }
        let destination = match (self.text(place, flow, "kinesisStream"), self.text(place, flow, "deliveryStream")) {
            (Some(name), None) => Some(Destination::Stream(name)),
            (None, Some(name)) => Some(Destination::DeliveryStream(name)),
            _ => {
                self.errors.push(format!("{place}: expected one of kinesisStream and deliveryStream"));
                None
            }
        };
        let initial_position = match self.word(place, flow, "initialPosition", &["END_OF_FILE", "START_OF_FILE"]) {
            0 => InitialPosition::EndOfFile,
            _ => InitialPosition::StartOfFile,
        };
        let partition_key = match self.word(place, flow, "partitionKeyOption", &["RANDOM", "DETERMINISTIC"]) {
            0 => PartitionKeyOption::Random,
            _ => PartitionKeyOption::Deterministic,
        };
        let multi_line_start = match self.text(place, flow, "multiLineStartPattern") {
            Some(text) => self.regex(place, "multiLineStartPattern", &text, true),
            None => None,
        };
        let processing = match flow.get("dataProcessingOptions") {
            None => Vec::new(),
            Some(Value::Array(options)) => options
                .iter()
                .enumerate()
                .filter_map(|(at, option)| self.processing(&format!("{place}.dataProcessingOptions[{at}]"), option))
                .collect(),
            Some(other) => {
                self.errors.push(format!("{place}.dataProcessingOptions: expected an array, found {other}"));
                Vec::new()
            }
        };
        let flow = Flow {
            file_pattern: file_pattern.unwrap_or_default(),
            destination: destination?,
            initial_position,
            max_buffer_age: VirtualDuration::from_millis(self.number(place, flow, "maxBufferAgeMillis", 1_000..=900_000, 60_000)),
            max_buffer_bytes: self.number(place, flow, "maxBufferSizeBytes", 1..=4 << 20, 4 << 20),
            max_buffer_records: self.number(place, flow, "maxBufferSizeRecords", 1..=500, 500) as usize,
            poll: VirtualDuration::from_millis(self.number(place, flow, "minTimeBetweenFilePollsMillis", 1..=3_600_000, 100)),
            multi_line_start,
            partition_key,
            skip_header_lines: self.number(place, flow, "skipHeaderLines", 0..=1_000_000, 0) as usize,
            terminator: flow.get("truncatedRecordTerminator").and_then(Value::as_str).unwrap_or("\n").to_owned(),
            processing,
        };
        (self.errors.len() == before).then_some(flow)
    }

    fn fields(&mut self, place: &str, option: &Map<String, Value>) -> Option<Vec<String>> {
        let list = option.get("customFieldNames")?;
        let names = list.as_array().and_then(|list| list.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
        if names.is_none() {
            self.errors.push(format!("{place}.customFieldNames: expected an array of texts, found {list}"));
        }
        names
    }

    fn processing(&mut self, place: &str, value: &Value) -> Option<Processing> {
        let Some(option) = value.as_object() else {
            self.errors.push(format!("{place}: expected an object with optionName"));
            return None;
        };
        self.known(place, option, &PROCESSING);
        let pretty = self.word(place, option, "jsonFormat", &["COMPACT", "PRETTYPRINT"]) == 1;
        let name = self.text(place, option, "optionName").unwrap_or_default();
        match name.to_ascii_uppercase().as_str() {
            "SINGLELINE" => {
                let how = self.word(place, option, "parseOptions", &["SINGLELINE", "KEEPSPACES", "ESCAPENEWLINE"]);
                Some(Processing::SingleLine([Joining::Trimmed, Joining::Kept, Joining::Escaped][how]))
            }
            "CSVTOJSON" => {
                let fields = self.fields(place, option);
                if fields.is_none() {
                    self.errors.push(format!("{place}: CSVTOJSON needs customFieldNames, the names of the columns"));
                }
                let delimiter = option.get("delimiter").and_then(Value::as_str).unwrap_or(",").to_owned();
                let delimiter = self.regex(place, "delimiter", &delimiter, false)?;
                Some(Processing::CsvToJson { fields: fields?, delimiter, pretty })
            }
            "LOGTOJSON" => self.log_to_json(place, option, pretty),
            "ADDBRACKETS" => Some(Processing::AddBrackets),
            "ADDMETADATA" => {
                let metadata = option.get("metadata").cloned().unwrap_or_else(|| Value::Object(Map::new()));
                Some(Processing::AddMetadata { metadata, pretty })
            }
            "ADDEC2METADATA" => {
                self.errors.push(format!("{place}: ADDEC2METADATA asks an EC2 host about itself, and there is none here; leave it out"));
                None
            }
            other => {
                const NAMES: [&str; 5] = ["SINGLELINE", "CSVTOJSON", "LOGTOJSON", "ADDBRACKETS", "ADDMETADATA"];
                let near = near_miss(other, NAMES).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
                self.errors.push(format!("{place}.optionName: expected {}, found '{name}'.{near}", NAMES.join(", ")));
                None
            }
        }
    }

    fn log_to_json(&mut self, place: &str, option: &Map<String, Value>, pretty: bool) -> Option<Processing> {
        let format = self.text(place, option, "logFormat");
        let custom = self.text(place, option, "matchPattern");
        let named = self.fields(place, option);
        let built_in = match &format {
            Some(format) => {
                let found = LOG_FORMATS.iter().find(|known| known.name.eq_ignore_ascii_case(format));
                if found.is_none() {
                    let names: Vec<&str> = LOG_FORMATS.iter().map(|known| known.name).collect();
                    self.errors.push(format!("{place}.logFormat: expected {}, found '{format}'", names.join(", ")));
                    return None;
                }
                found
            }
            None => None,
        };
        let (pattern, key) = match (&custom, built_in) {
            (Some(pattern), _) => (pattern.as_str(), "matchPattern"),
            (None, Some(known)) => (known.pattern, "logFormat"),
            (None, None) => {
                self.errors.push(format!("{place}: LOGTOJSON needs logFormat, or matchPattern with customFieldNames"));
                return None;
            }
        };
        let pattern = self.regex(place, key, pattern, true)?;
        let groups = pattern.captures_len() - 1;
        let fields = match (named, built_in) {
            (Some(names), _) => names,
            (None, Some(known)) if custom.is_none() => known.fields.iter().map(|name| (*name).to_owned()).collect(),
            _ => {
                self.errors.push(format!("{place}: matchPattern needs customFieldNames, one name for each of its {groups} groups"));
                return None;
            }
        };
        if fields.len() != groups {
            self.errors.push(format!("{place}.customFieldNames: {} names for the {groups} groups of the pattern", fields.len()));
            return None;
        }
        Some(Processing::LogToJson { pattern, fields, dash_is_null: custom.is_none(), pretty })
    }
}

/// A built-in pattern of `LOGTOJSON`.
struct LogFormat {
    name: &'static str,
    pattern: &'static str,
    fields: &'static [&'static str],
}

const LOG_FORMATS: [LogFormat; 5] = [
    LogFormat {
        name: "COMMONAPACHELOG",
        pattern: r#"([0-9A-Za-z.:_-]+) ([\w.-]+) ([\w.@-]+) \[([^\]]+)\] "([^"]*)" (\d+|-) (\d+|-)"#,
        fields: &["host", "ident", "authuser", "datetime", "request", "response", "bytes"],
    },
    LogFormat {
        name: "COMBINEDAPACHELOG",
        pattern: r#"([0-9A-Za-z.:_-]+) ([\w.-]+) ([\w.@-]+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d+|-) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)""#,
        fields: &["host", "ident", "authuser", "datetime", "request", "response", "bytes", "referrer", "agent"],
    },
    LogFormat {
        name: "APACHEERRORLOG",
        pattern: r"\[([^\]]+)\] \[(?:([\w-]*):)?([\w-]+)\](?: \[pid (\d+)(?::tid (\d+))?\])?(?: \[client ([^\]]+)\])? (.*)",
        fields: &["timestamp", "module", "severity", "processid", "threadid", "client", "message"],
    },
    LogFormat {
        name: "SYSLOG",
        pattern: r"(?:<\d+>)?([A-Z][a-z]{2} +\d{1,2} \d{2}:\d{2}:\d{2}) ([^ ]+) ([^ \[:]+)(?:\[(\d+)\])?: (.*)",
        fields: &["timestamp", "hostname", "program", "processid", "message"],
    },
    LogFormat {
        name: "RFC3339SYSLOG",
        pattern: r"(?:<\d+>)?(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})) ([^ ]+) ([^ \[:]+)(?:\[(\d+)\])?: (.*)",
        fields: &["timestamp", "hostname", "program", "processid", "message"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_agents() {
        let config = AgentConfig::parse(r#"{"cloudwatch.emitMetrics": true, "flows": [{"filePattern": "/tmp/app.log*", "kinesisStream": "s"}]}"#)
            .expect("good");
        let flow = &config.flows[0];
        assert_eq!(flow.destination, Destination::Stream("s".to_owned()));
        assert_eq!((flow.max_buffer_records, flow.max_buffer_bytes, flow.max_buffer_age.as_millis()), (500, 4 << 20, 60_000));
        assert_eq!((flow.initial_position, flow.partition_key), (InitialPosition::EndOfFile, PartitionKeyOption::Random));
        assert!(config.warnings.is_empty());
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_its_place() {
        let errors = AgentConfig::parse(
            r#"{"flows": [{"filePatern": "x", "kinesisStream": "s", "maxBufferAgeMillis": 5, "multiLineStartPattern": "(",
                "dataProcessingOptions": [{"optionName": "LOGTOJSN"}, {"optionName": "CSVTOJSON"}, {"optionName": "LOGTOJSON", "matchPattern": "(a)(b)", "customFieldNames": ["x"]}]}]}"#,
        )
        .expect_err("wrong");
        let all = errors.join("\n");
        for part in [
            "flows[0]: filePattern is missing",
            "flows[0].maxBufferAgeMillis: expected a number from 1000 to 900000, found 5",
            "flows[0].multiLineStartPattern: '(' is no regular expression",
            "dataProcessingOptions[0].optionName: expected SINGLELINE, CSVTOJSON, LOGTOJSON, ADDBRACKETS, ADDMETADATA, found 'LOGTOJSN'. Did you mean LOGTOJSON?",
            "dataProcessingOptions[1]: CSVTOJSON needs customFieldNames",
            "dataProcessingOptions[2].customFieldNames: 1 names for the 2 groups",
        ] {
            assert!(all.contains(part), "{part} is not in\n{all}");
        }
        assert!(AgentConfig::parse("[").expect_err("wrong")[0].starts_with("line 1, column 1"));
    }
}
