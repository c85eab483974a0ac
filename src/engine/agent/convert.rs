//! `dataProcessingOptions`: what the agent makes of a record before it sends it.

use serde_json::{Map, Value};

use super::config::{Flow, Joining, Processing};

/// What came of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Converted<T> {
    /// It goes on.
    Record(T),
    /// It is left out, with a warning.
    Skipped(String),
}

fn text_of(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}

fn line_of(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

fn json(value: &Value, pretty: bool) -> Vec<u8> {
    // Writing a value with text keys cannot fail.
    let mut bytes = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) }.unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

impl Flow {
    /// Applies the processing options in order.
    pub fn convert(&self, piece: &[u8]) -> Converted<Vec<u8>> {
        let mut data = piece.to_vec();
        for option in &self.processing {
            data = match option.apply(&data) {
                Converted::Record(data) => data,
                skipped @ Converted::Skipped(_) => return skipped,
            };
        }
        Converted::Record(data)
    }
}

impl Processing {
    fn apply(&self, data: &[u8]) -> Converted<Vec<u8>> {
        match self {
            Self::SingleLine(joining) => Converted::Record(single_line(data, *joining)),
            Self::CsvToJson { fields, delimiter, pretty } => {
                let mut columns = delimiter.split(line_of(data));
                let object: Map<String, Value> = fields.iter().map(|name| (name.clone(), columns.next().map_or(Value::Null, text_of))).collect();
                Converted::Record(json(&Value::Object(object), *pretty))
            }
            Self::LogToJson { pattern, fields, dash_is_null, pretty } => {
                let line = line_of(data);
                let Some(groups) = pattern.captures(line) else {
                    let start: String = String::from_utf8_lossy(line).chars().take(80).collect();
                    return Converted::Skipped(format!("the log entry does not match the pattern: {start}"));
                };
                let value = |at: usize| match groups.get(at + 1).map(|found| found.as_bytes()) {
                    None => Value::Null,
                    Some(b"-") if *dash_is_null => Value::Null,
                    Some(bytes) => text_of(bytes),
                };
                let object: Map<String, Value> = fields.iter().enumerate().map(|(at, name)| (name.clone(), value(at))).collect();
                Converted::Record(json(&Value::Object(object), *pretty))
            }
            Self::AddBrackets => {
                let mut out = vec![b'['];
                out.extend_from_slice(line_of(data));
                out.extend_from_slice(b"]\n");
                Converted::Record(out)
            }
            Self::AddMetadata { metadata, pretty } => {
                let inner = serde_json::from_slice(line_of(data)).unwrap_or_else(|_| text_of(line_of(data)));
                let object: Map<String, Value> = [("metadata".to_owned(), metadata.clone()), ("data".to_owned(), inner)].into_iter().collect();
                Converted::Record(json(&Value::Object(object), *pretty))
            }
        }
    }
}

fn single_line(data: &[u8], joining: Joining) -> Vec<u8> {
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    let mut out = Vec::with_capacity(data.len() + 1);
    for (number, line) in data.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match joining {
            Joining::Trimmed => out.extend_from_slice(line.trim_ascii()),
            Joining::Kept => out.extend_from_slice(line),
            Joining::Escaped => {
                if number > 0 {
                    out.extend_from_slice(b"\\n");
                }
                out.extend_from_slice(line);
            }
        }
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::super::AgentConfig;
    use super::*;

    fn flow(options: &str) -> Flow {
        let text = format!(r#"{{"flows": [{{"filePattern": "x", "kinesisStream": "s", "dataProcessingOptions": [{options}]}}]}}"#);
        AgentConfig::parse(&text).expect("good").flows.remove(0)
    }

    fn convert(options: &str, line: &str) -> String {
        match flow(options).convert(line.as_bytes()) {
            Converted::Record(data) => String::from_utf8(data).expect("UTF-8"),
            Converted::Skipped(why) => format!("skipped: {why}"),
        }
    }

    #[test]
    fn the_documented_apache_line() {
        let line = "64.242.88.10 - - [07/Mar/2004:16:10:02 -0800] \"GET /x HTTP/1.1\" 200 6291\n";
        assert_eq!(
            convert(r#"{"optionName": "LOGTOJSON", "logFormat": "COMMONAPACHELOG"}"#, line),
            "{\"host\":\"64.242.88.10\",\"ident\":null,\"authuser\":null,\"datetime\":\"07/Mar/2004:16:10:02 -0800\",\"request\":\"GET /x HTTP/1.1\",\"response\":\"200\",\"bytes\":\"6291\"}\n"
        );
        assert!(
            convert(r#"{"optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG"}"#, line).starts_with("skipped: the log entry does not match")
        );
    }

    #[test]
    fn syslog_with_and_without_a_process_id() {
        let option = r#"{"optionName": "LOGTOJSON", "logFormat": "SYSLOG"}"#;
        assert_eq!(
            convert(option, "Mar 12 12:00:08 server2 rcd[308]: Loaded 12 packages\n"),
            "{\"timestamp\":\"Mar 12 12:00:08\",\"hostname\":\"server2\",\"program\":\"rcd\",\"processid\":\"308\",\"message\":\"Loaded 12 packages\"}\n"
        );
        assert!(convert(option, "Mar 12 12:00:08 server2 kernel: up\n").contains("\"processid\":null"));
    }

    #[test]
    fn apache_errors_of_both_ages() {
        let option = r#"{"optionName": "LOGTOJSON", "logFormat": "APACHEERRORLOG"}"#;
        let new =
            convert(option, "[Thu May 12 08:28:57.652118 2011] [core:error] [pid 8777:tid 4326490112] [client ::1:58619] File does not exist\n");
        assert!(
            new.contains("\"module\":\"core\",\"severity\":\"error\",\"processid\":\"8777\",\"threadid\":\"4326490112\",\"client\":\"::1:58619\""),
            "{new}"
        );
        let old = convert(option, "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] denied\n");
        assert!(old.contains("\"severity\":\"error\",\"processid\":null"), "{old}");
    }

    #[test]
    fn columns_too_many_are_ignored_and_too_few_are_null() {
        let option = r#"{"optionName": "CSVTOJSON", "customFieldNames": ["a", "b", "c"], "delimiter": ";"}"#;
        assert_eq!(convert(option, "1;2;3;4\n"), "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n");
        assert_eq!(convert(option, "1;2\r\n"), "{\"a\":\"1\",\"b\":\"2\",\"c\":null}\n");
    }

    #[test]
    fn options_apply_in_order() {
        let options =
            r#"{"optionName": "SINGLELINE"}, {"optionName": "LOGTOJSON", "matchPattern": "(\\w+):(.*)", "customFieldNames": ["level", "text"]}"#;
        assert_eq!(convert(options, "ERROR: a\n   at b\n   at c\n"), "{\"level\":\"ERROR\",\"text\":\" aat bat c\"}\n");
        assert_eq!(convert(r#"{"optionName": "ADDBRACKETS"}"#, "x\n"), "[x]\n");
        assert_eq!(
            convert(r#"{"optionName": "ADDMETADATA", "metadata": {"host": "h"}}"#, "{\"a\":1}\n"),
            "{\"metadata\":{\"host\":\"h\"},\"data\":{\"a\":1}}\n"
        );
    }
}
