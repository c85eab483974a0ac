//! Real records from outside: JSON lines, a JSON array, `{"Records": […]}`, CSV with a header, or plain lines.
//!
//! Pure over bytes; the front end opens the files. Every piece of input becomes a record or an issue: read = records + issues.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::engine::Ingested;
use crate::engine::generate::java_hash;
use crate::engine::limits::MIB;
use crate::engine::time::{VirtualTime, parse_iso};

/// How the bytes are divided into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputFormat {
    /// Look at the beginning.
    #[default]
    Auto,
    /// One JSON value a line.
    JsonLines,
    /// A JSON array, or an object whose member `Records` is one.
    JsonArray,
    /// A header line, then rows: each becomes a JSON object of texts.
    Csv,
    /// Every line as it is.
    Lines,
}

impl InputFormat {
    /// From the word of the command line.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "auto" => Self::Auto,
            "json-lines" | "jsonl" => Self::JsonLines,
            "json-array" | "json" => Self::JsonArray,
            "csv" => Self::Csv,
            "lines" => Self::Lines,
            _ => return None,
        })
    }
}

/// What to make of the records.
#[derive(Debug, Clone, Default)]
pub struct InputOptions {
    /// Division into records.
    pub format: InputFormat,
    /// Path of the member that is the partition key, `userIdentity.arn`; the record's hash when absent.
    pub key: Option<String>,
    /// Path of the member that holds the event time.
    pub time: Option<String>,
}

/// A record with its event time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRecord {
    /// Key and data.
    pub record: Ingested,
    /// Event time, when it was asked for and found.
    pub event_time: Option<VirtualTime>,
}

/// Something that did not become a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputIssue {
    /// Line, or ordinal of an array element, from 1.
    pub place: usize,
    /// What was found and expected.
    pub text: String,
}

/// What a file held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// Records in their order.
    pub records: Vec<InputRecord>,
    /// The rest.
    pub issues: Vec<InputIssue>,
}

#[derive(Deserialize)]
struct Wrapper<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

/// Divides the bytes of one file.
pub fn read(bytes: &[u8], options: &InputOptions) -> Input {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut input = Input::default();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        input.issues.push(InputIssue { place: 1, text: "this is gzip data; unpack it first (gunzip -c FILE | kinlab run … --input -)".to_owned() });
        return input;
    }
    let format = if options.format == InputFormat::Auto { detect(bytes) } else { options.format };
    match format {
        InputFormat::JsonArray => array(bytes, options, &mut input),
        InputFormat::Csv => csv(bytes, options, &mut input),
        InputFormat::JsonLines | InputFormat::Lines | InputFormat::Auto => {
            for (number, line) in lines(bytes) {
                if line.is_empty() {
                    continue;
                }
                let value = serde_json::from_slice::<Value>(line);
                match value {
                    Err(error) if format == InputFormat::JsonLines => {
                        let text = format!("column {}: {error}; expected one JSON value a line", error.column());
                        input.issues.push(InputIssue { place: number, text });
                    }
                    value => push(line, value.ok().as_ref(), number, options, &mut input),
                }
            }
        }
    }
    input
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).enumerate().map(|(at, line)| (at + 1, line))
}

/// Looks at the beginning.
fn detect(bytes: &[u8]) -> InputFormat {
    let first_line = lines(bytes).map(|(_, line)| line).find(|line| !line.is_empty()).unwrap_or_default();
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') if serde_json::from_slice::<Value>(first_line).is_err() || serde_json::from_slice::<Vec<&RawValue>>(bytes).is_ok() => {
            InputFormat::JsonArray
        }
        Some(b'{') if serde_json::from_slice::<Wrapper<'_>>(bytes).is_ok() => InputFormat::JsonArray,
        Some(b'{' | b'[') => InputFormat::JsonLines,
        _ => InputFormat::Lines,
    }
}

fn array(bytes: &[u8], options: &InputOptions, input: &mut Input) {
    let elements = serde_json::from_slice::<Vec<&RawValue>>(bytes)
        .or_else(|first| serde_json::from_slice::<Wrapper<'_>>(bytes).map(|all| all.records).map_err(|_| first));
    match elements {
        Err(error) => input.issues.push(InputIssue {
            place: error.line(),
            text: format!("column {}: {error}; expected a JSON array, or {{\"Records\": […]}}", error.column()),
        }),
        Ok(elements) => {
            for (at, element) in elements.into_iter().enumerate() {
                let data = element.get().as_bytes();
                push(data, serde_json::from_slice(data).ok().as_ref(), at + 1, options, input);
            }
        }
    }
}

/// Cells of a CSV row; quotes may hold commas, doubled quotes stand for one.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cells.last_mut().expect("never empty").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().expect("never empty").push(c),
        }
    }
    cells
}

fn csv(bytes: &[u8], options: &InputOptions, input: &mut Input) {
    let mut rows = lines(bytes).filter(|(_, line)| !line.is_empty());
    let Some((_, header)) = rows.next() else { return };
    let header = cells(&String::from_utf8_lossy(header));
    for (number, line) in rows {
        let row = cells(&String::from_utf8_lossy(line));
        if row.len() != header.len() {
            input.issues.push(InputIssue { place: number, text: format!("{} cells, the header has {}", row.len(), header.len()) });
            continue;
        }
        let object: serde_json::Map<String, Value> = header.iter().cloned().zip(row.into_iter().map(Value::String)).collect();
        let value = Value::Object(object);
        push(value.to_string().as_bytes(), Some(&value), number, options, input);
    }
}

/// The member at a path like `userIdentity.arn`, `$.a.b[0]`.
fn member<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut found = value;
    for part in path.trim_start_matches("$.").split('.') {
        let (name, indices) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
        if !name.is_empty() {
            found = found.get(name)?;
        }
        for index in indices.split(['[', ']']).filter(|text| !text.is_empty()) {
            found = found.get(index.parse::<usize>().ok()?)?;
        }
    }
    Some(found)
}

fn push(data: &[u8], value: Option<&Value>, place: usize, options: &InputOptions, input: &mut Input) {
    if data.len() as u64 > MIB {
        input.issues.push(InputIssue { place, text: format!("{} bytes; a record has at most {MIB}", data.len()) });
        return;
    }
    let text_of = |found: &Value| found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    let named = options.key.as_deref().and_then(|path| member(value?, path)).filter(|found| !found.is_null()).map(text_of);
    let key = named.filter(|key| !key.is_empty()).unwrap_or_else(|| java_hash(data).to_string());
    let key = key.chars().take(256).collect();
    let event_time = options.time.as_deref().and_then(|path| member(value?, path)).and_then(instant);
    input.records.push(InputRecord { record: Ingested { key, data: data.into() }, event_time });
}

/// ISO 8601 text, or seconds or milliseconds since 1970.
fn instant(value: &Value) -> Option<VirtualTime> {
    if let Some(text) = value.as_str() {
        return parse_iso(text).or_else(|| text.parse::<u64>().ok().map(epoch));
    }
    value
        .as_f64()
        .filter(|number| *number >= 0.0)
        .map(|number| if number < 1e11 { VirtualTime((number * 1e6) as u64) } else { VirtualTime((number * 1e3) as u64) })
}

fn epoch(number: u64) -> VirtualTime {
    if number < 100_000_000_000 { VirtualTime::from_secs(number) } else { VirtualTime::from_millis(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(input: &Input) -> Vec<String> {
        input.records.iter().map(|record| String::from_utf8_lossy(&record.record.data).into_owned()).collect()
    }

    #[test]
    fn all_forms_are_recognised_and_kept_verbatim() {
        let options = InputOptions::default();
        assert_eq!(data(&read(b"{\"Records\": [{\"a\" : 1}, {\"a\":2}]}", &options)), ["{\"a\" : 1}", "{\"a\":2}"]);
        assert_eq!(data(&read(b"[1,\n {\"b\":2}]", &options)), ["1", "{\"b\":2}"]);
        assert_eq!(data(&read(b"\xef\xbb\xbf{\"a\":1}\r\n\r\n{\"a\":2}\n", &options)), ["{\"a\":1}", "{\"a\":2}"]);
        assert_eq!(data(&read(b"plain text\nmore", &options)), ["plain text", "more"]);
        let csv = InputOptions { format: InputFormat::Csv, ..InputOptions::default() };
        assert_eq!(data(&read(b"a,b\n1,\"x, \"\"y\"\"\"\n", &csv)), ["{\"a\":\"1\",\"b\":\"x, \\\"y\\\"\"}"]);
        assert_eq!(read(b"", &options), Input::default());
    }

    #[test]
    fn nothing_is_lost_without_a_word() {
        let input = read(b"{\"a\":1}\n{broken\n{\"a\":2}\n", &InputOptions::default());
        assert_eq!((input.records.len(), input.issues.len(), input.issues[0].place), (2, 1, 2));
        assert!(input.issues[0].text.contains("expected one JSON value a line"), "{}", input.issues[0].text);
        assert!(read(&[0x1f, 0x8b, 0], &InputOptions::default()).issues[0].text.contains("gzip"));
        assert_eq!(read(&vec![b'x'; 2 << 20], &InputOptions::default()).issues.len(), 1);
        let csv = InputOptions { format: InputFormat::Csv, ..InputOptions::default() };
        assert_eq!(read(b"a,b\n1\n", &csv).issues[0].text, "1 cells, the header has 2");
    }

    #[test]
    fn keys_and_times_come_from_paths() {
        let options = InputOptions { key: Some("user.ids[1]".into()), time: Some("at".into()), ..InputOptions::default() };
        let input = read(b"{\"user\":{\"ids\":[\"a\",\"b\"]},\"at\":\"2023-07-10T12:05:09Z\"}\n{\"at\":1688990709}\n", &options);
        assert_eq!(input.records[0].record.key, "b");
        assert_eq!(input.records[0].event_time, parse_iso("2023-07-10T12:05:09Z"));
        assert_eq!(input.records[1].event_time, input.records[0].event_time);
        assert!(input.records[1].record.key.parse::<i32>().is_ok(), "the record's hash");
    }
}
