//! Input schemas: records (JSON or CSV bytes) to rows of an in-application stream, as the service maps them.

use serde_json::Value as Json;

use super::cast::{self, cut};
use super::datetime;
use super::parse;
use super::skim::{Found, Members, skim};
use super::types::{Family, SqlType};
use super::value::{RowError, Value};

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// `.name`.
    Member(String),
    /// `[0]`.
    Index(usize),
    /// `[0:]`, `[1:3]`.
    Slice(usize, Option<usize>),
}

/// Steps before a slice, its range, and the steps behind it.
type Sliced<'p> = (&'p [Step], (usize, Option<usize>), &'p [Step]);

/// A JSONPath of the kind the service knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

impl Path {
    /// Its steps.
    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Reads `$.a.b[0:].c`; a bare name means `$.name`.
    ///
    /// # Errors
    /// What is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        let mut rest = trimmed.strip_prefix('$').unwrap_or(trimmed);
        let mut steps = Vec::new();
        if !trimmed.starts_with('$') && !rest.starts_with(['.', '[']) {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(Step::Member(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 {
                    return Err(format!("'{text}': a member's name is missing after '.'"));
                }
                steps.push(Step::Member(after[..end].to_owned()));
                rest = &after[end..];
            } else if let Some(after) = rest.strip_prefix('[') {
                let Some(end) = after.find(']') else { return Err(format!("'{text}': [ has no ]")) };
                let inside = &after[..end];
                let wrong = || format!("'{text}': [{inside}] is not supported; there are [0], [0:] and ['name']");
                steps.push(if let Some((from, to)) = inside.split_once(':') {
                    let bound = |text: &str| if text.trim().is_empty() { Ok(None) } else { text.trim().parse().map(Some).map_err(|_| wrong()) };
                    Step::Slice(bound(from)?.unwrap_or(0), bound(to)?)
                } else if let Ok(index) = inside.trim().parse() {
                    Step::Index(index)
                } else {
                    let name = inside.trim().trim_matches(['\'', '"']);
                    if name.len() + 2 != inside.trim().len() {
                        return Err(wrong());
                    }
                    Step::Member(name.to_owned())
                });
                rest = &after[end + 1..];
            } else {
                return Err(format!("'{text}': expected . or [ at '{rest}'"));
            }
        }
        if steps.iter().filter(|step| matches!(step, Step::Slice(..))).count() > 1 {
            return Err(format!("'{text}': only one level of arrays can be flattened"));
        }
        Ok(Self(steps))
    }

    fn find<'j>(steps: &[Step], mut node: &'j Json) -> Option<&'j Json> {
        for step in steps {
            node = match step {
                Step::Member(name) => node.get(name)?,
                Step::Index(at) => node.get(at)?,
                Step::Slice(..) => return Some(node),
            };
        }
        Some(node)
    }

    /// Steps before, range, and steps behind a slice.
    fn slice(&self) -> Option<Sliced<'_>> {
        let at = self.0.iter().position(|step| matches!(step, Step::Slice(..)))?;
        match self.0[at] {
            Step::Slice(from, to) => Some((&self.0[..at], (from, to), &self.0[at + 1..])),
            _ => None,
        }
    }
}

fn slice_of(node: &Json, (from, to): (usize, Option<usize>)) -> Option<&[Json]> {
    let array = node.as_array()?;
    let from = from.min(array.len());
    Some(&array[from..to.map_or(array.len(), |to| to.clamp(from, array.len()))])
}

/// A column of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaColumn {
    /// Name, case kept.
    pub name: String,
    /// Type.
    pub ty: SqlType,
    /// NOT NULL.
    pub not_null: bool,
    /// Where its value is in a document.
    pub path: Path,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    Json { row_path: Path },
    Csv { row: String, column: String },
}

/// An input schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Columns.
    pub columns: Vec<SchemaColumn>,
    format: Format,
    /// Where members lie, when all of them are plain: documents are then read without a tree.
    members: Option<Members>,
}

fn member<'j>(object: &'j Json, names: &[&str]) -> Option<&'j Json> {
    names.iter().find_map(|name| object.get(name))
}

fn text_at(object: &Json, names: &[&str]) -> Option<String> {
    member(object, names).and_then(Json::as_str).map(str::to_owned)
}

impl Schema {
    /// Reads a schema: the service's own InputSchema, or the short form of case files.
    ///
    /// # Errors
    /// What is missing or wrong, with its place.
    pub fn from_json(json: &Json) -> Result<Self, String> {
        let json = member(json, &["InputSchema", "SourceSchema", "ReferenceSchema"]).unwrap_or(json);
        let format = member(json, &["RecordFormat", "record_format"]);
        let kind = match format {
            Some(Json::String(kind)) => kind.clone(),
            Some(object) => text_at(object, &["RecordFormatType"]).ok_or("RecordFormat.RecordFormatType: expected JSON or CSV")?,
            None => "JSON".to_owned(),
        };
        let parameters = format.and_then(|format| member(format, &["MappingParameters"]));
        let unescape = |text: String| text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
        let format = match kind.to_uppercase().as_str() {
            "JSON" => {
                let inner = parameters.and_then(|p| member(p, &["JSONMappingParameters"]));
                let path =
                    inner.and_then(|p| text_at(p, &["RecordRowPath"])).or_else(|| text_at(json, &["row_path"])).unwrap_or_else(|| "$".to_owned());
                Format::Json { row_path: Path::parse(&path).map_err(|why| format!("RecordRowPath: {why}"))? }
            }
            "CSV" => {
                let inner = parameters.and_then(|p| member(p, &["CSVMappingParameters"]));
                let row = inner.and_then(|p| text_at(p, &["RecordRowDelimiter"])).or_else(|| text_at(json, &["row_delimiter"]));
                let column = inner.and_then(|p| text_at(p, &["RecordColumnDelimiter"])).or_else(|| text_at(json, &["column_delimiter"]));
                Format::Csv { row: unescape(row.unwrap_or_else(|| "\n".to_owned())), column: unescape(column.unwrap_or_else(|| ",".to_owned())) }
            }
            other => return Err(format!("RecordFormatType: expected JSON or CSV, found '{other}'")),
        };
        let list = member(json, &["RecordColumns", "columns"]).and_then(Json::as_array).ok_or("RecordColumns: expected an array of columns")?;
        if list.is_empty() || list.len() > 1000 {
            return Err(format!("RecordColumns: 1 to 1000 columns are expected, found {}", list.len()));
        }
        let mut columns = Vec::new();
        let prefix = match &format {
            Format::Json { row_path } => row_path.clone(),
            Format::Csv { .. } => Path(Vec::new()),
        };
        for (at, column) in list.iter().enumerate() {
            let place = format!("RecordColumns[{at}]");
            let (name, ty, mapping) = match column {
                Json::Array(parts) => {
                    let part = |at: usize| parts.get(at).and_then(Json::as_str).map(str::to_owned);
                    (part(0), part(1), part(2))
                }
                object => (text_at(object, &["Name"]), text_at(object, &["SqlType"]), text_at(object, &["Mapping"])),
            };
            let name = name.ok_or_else(|| format!("{place}: Name is missing"))?;
            let ty = ty.ok_or_else(|| format!("{place}: SqlType is missing"))?;
            let (ty, not_null) = parse::column_type(&ty).map_err(|error| format!("{place}.SqlType: {}", error.message))?;
            let path = Path::parse(mapping.as_deref().unwrap_or(&name)).map_err(|why| format!("{place}.Mapping: {why}"))?;
            // A mapping that repeats the row path means what lies below it.
            let path = if !prefix.0.is_empty() && path.0.starts_with(&prefix.0) && path.0.len() > prefix.0.len() {
                Path(path.0[prefix.0.len()..].to_vec())
            } else {
                path
            };
            columns.push(SchemaColumn { name, ty, not_null, path });
        }
        let mut sliced = columns.iter().filter_map(|column| column.path.slice().filter(|(.., behind)| !behind.is_empty()).map(|(before, ..)| before));
        if let Some(first) = sliced.next()
            && sliced.any(|other| other != first)
        {
            return Err("only one array of a record can be flattened; the columns name several".to_owned());
        }
        let members = match &format {
            Format::Json { row_path } if row_path.0.is_empty() => Members::of(columns.iter().map(|column| &column.path)),
            _ => None,
        };
        Ok(Self { columns, format, members })
    }

    /// Rows of a record: cells, or why a row was given up.
    pub fn rows(&self, record: &[u8]) -> Vec<Result<Vec<Value>, RowError>> {
        if let Some(row) = self.skimmed(record) {
            return vec![row];
        }
        match &self.format {
            Format::Json { row_path } => {
                let mut rows = Vec::new();
                for document in serde_json::Deserializer::from_slice(record).into_iter::<Json>() {
                    match document {
                        Ok(document) => self.document(row_path, &document, &mut rows),
                        Err(error) => {
                            rows.push(Err(RowError::coercion(format!("the record is no JSON: {error}"))));
                            break;
                        }
                    }
                }
                rows
            }
            Format::Csv { row, column } => {
                let text = String::from_utf8_lossy(record);
                csv_rows(&text, row, column).into_iter().map(|fields| self.csv_row(&fields)).collect()
            }
        }
    }

    /// The row of a record that is one JSON object, read without a tree; `None` when it is anything else.
    fn skimmed(&self, record: &[u8]) -> Option<Result<Vec<Value>, RowError>> {
        let members = self.members.as_ref()?;
        let text = std::str::from_utf8(record).ok()?;
        let mut found = vec![Found::Nothing; self.columns.len()];
        skim(text, members, &mut found)?;
        // Room for the hidden columns that the caller appends.
        let mut cells = Vec::with_capacity(self.columns.len() + 5);
        for (column, found) in self.columns.iter().zip(found) {
            match Self::cell(column, Self::found(column, text, found)?) {
                Ok(value) => cells.push(value),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(cells))
    }

    /// What was found for a column as a value of its type; `None` when only a tree can tell.
    pub(super) fn found(column: &SchemaColumn, text: &str, found: Found) -> Option<Result<Value, RowError>> {
        Some(match found {
            Found::Nothing => Ok(Value::Null),
            Found::Text(from, to) => from_json_text(&text[from..to], &column.ty),
            Found::Raw(from, to) => match whole_number(&text[from..to]) {
                Some(number) if column.ty.is_integer() => cast::to_number(&Value::Int(number), &column.ty),
                _ => coerce(&serde_json::from_str(&text[from..to]).ok()?, &column.ty),
            },
        })
    }

    /// Where the members lie that columns want, when all of them are plain.
    pub(super) fn members(&self) -> Option<&Members> {
        self.members.as_ref()
    }

    /// A column's cell: errors name the column, NOT NULL is kept.
    pub(super) fn cell(column: &SchemaColumn, value: Result<Value, RowError>) -> Result<Value, RowError> {
        let value = value.map_err(|error| RowError::new(error.name, format!("column {}: {}", column.name, error.message)))?;
        if value.is_null() && column.not_null {
            return Err(RowError::new("NotNullViolation", format!("column {} is NOT NULL and the record has no value", column.name)));
        }
        Ok(value)
    }

    fn document(&self, row_path: &Path, document: &Json, rows: &mut Vec<Result<Vec<Value>, RowError>>) {
        let Some(node) = Path::find(&row_path.0, document) else {
            rows.push(Err(RowError::coercion("there is nothing at the row path")));
            return;
        };
        match node {
            Json::Array(elements) if !row_path.0.is_empty() || document.is_array() => elements.iter().for_each(|element| self.flatten(element, rows)),
            node => self.flatten(node, rows),
        }
    }

    fn flatten(&self, node: &Json, rows: &mut Vec<Result<Vec<Value>, RowError>>) {
        let array = self.columns.iter().find_map(|column| {
            let (before, range, behind) = column.path.slice()?;
            if behind.is_empty() { None } else { Some((before, range)) }
        });
        let Some((before, range)) = array else {
            rows.push(self.row(node, None));
            return;
        };
        match Path::find(before, node).and_then(|found| slice_of(found, range)) {
            Some(elements) if !elements.is_empty() => elements.iter().for_each(|element| rows.push(self.row(node, Some(element)))),
            _ => rows.push(self.row(node, Some(&Json::Null))),
        }
    }

    fn row(&self, node: &Json, element: Option<&Json>) -> Result<Vec<Value>, RowError> {
        let mut cells = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let value = match column.path.slice() {
                None => Path::find(&column.path.0, node).map_or(Ok(Value::Null), |found| coerce(found, &column.ty)),
                Some((before, range, [])) => match Path::find(before, node).and_then(|found| slice_of(found, range)) {
                    Some(elements) => coerce(&Json::Array(elements.to_vec()), &column.ty),
                    None => Ok(Value::Null),
                },
                Some((.., behind)) => {
                    element.and_then(|element| Path::find(behind, element)).map_or(Ok(Value::Null), |found| coerce(found, &column.ty))
                }
            };
            cells.push(Self::cell(column, value)?);
        }
        Ok(cells)
    }

    fn csv_row(&self, fields: &[(String, bool)]) -> Result<Vec<Value>, RowError> {
        let mut cells = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            let value = match fields.get(at) {
                None => Ok(Value::Null),
                Some((text, quoted)) if text.is_empty() && !quoted && column.ty.family() != Family::Text => Ok(Value::Null),
                Some((text, _)) => from_text(text, &column.ty),
            };
            cells.push(Self::cell(column, value)?);
        }
        Ok(cells)
    }
}

/// A JSON value as a value of a column.
///
/// # Errors
/// CoercionError.
pub fn coerce(json: &Json, ty: &SqlType) -> Result<Value, RowError> {
    let wrong = || RowError::coercion(format!("{} cannot be coerced to {ty}", cut(&json.to_string(), 200)));
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(value) => match ty.family() {
            Family::Number => cast::to_number(&Value::Int(i64::from(*value)), ty),
            Family::Boolean => Ok(Value::Bool(*value)),
            Family::Text => from_text(if *value { "true" } else { "false" }, ty),
            Family::Bytes => Ok(Value::Bytes([u8::from(*value)].into())),
            _ => Err(wrong()),
        },
        Json::Number(number) => match ty.family() {
            Family::Number => {
                let exact = cast::parse_number(&number.to_string()).ok_or_else(wrong)?;
                // A fraction is too precise for an integer column.
                if ty.is_integer() && exact.number().is_none_or(|value| libm::trunc(value) != value) {
                    return Err(wrong());
                }
                cast::to_number(&exact, ty)
            }
            Family::Boolean => Ok(Value::Bool(number.as_f64() != Some(0.0))),
            Family::Text => from_text(&number.to_string(), ty),
            _ => Err(wrong()),
        },
        Json::String(text) => from_json_text(text, ty),
        Json::Array(_) | Json::Object(_) => match ty.family() {
            Family::Text => from_text(&json.to_string(), ty),
            _ => Err(wrong()),
        },
    }
}

/// A JSON string as a value of a column.
fn from_json_text(text: &str, ty: &SqlType) -> Result<Value, RowError> {
    match ty.family() {
        Family::Boolean => Ok(Value::Bool(text.eq_ignore_ascii_case("true"))),
        _ => from_text(text, ty),
    }
}

/// A number without point and exponent that certainly fits.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.len() > 18 || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some(if digits.len() < text.len() { -number } else { number })
}

/// A text as a value of a column.
fn from_text(text: &str, ty: &SqlType) -> Result<Value, RowError> {
    let wrong = || RowError::coercion(format!("'{}' cannot be coerced to {ty}", cut(text, 200)));
    match ty.family() {
        Family::Text => Ok(Value::text(cut(text, ty.length().unwrap_or(super::types::LENGTH_MAX)))),
        Family::Number => {
            let number = cast::parse_number(text).ok_or_else(wrong)?;
            if ty.is_integer() && number.number().is_none_or(|value| libm::trunc(value) != value) {
                return Err(wrong());
            }
            cast::to_number(&number, ty)
        }
        Family::Boolean => Ok(Value::Bool(text.trim().eq_ignore_ascii_case("true"))),
        Family::Timestamp => datetime::parse_iso(text).map(Value::Ms).ok_or_else(wrong),
        Family::Date => datetime::parse_iso(text).map(|ms| Value::Ms(super::pattern::midnight(ms))).ok_or_else(wrong),
        Family::Time => datetime::parse_time(text.trim(), true).map(Value::Ms).ok_or_else(wrong),
        Family::Bytes => {
            let digits = text
                .trim()
                .strip_prefix("X'")
                .or_else(|| text.trim().strip_prefix("x'"))
                .and_then(|rest| rest.strip_suffix('\''))
                .ok_or_else(wrong)?;
            if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
                return Err(wrong());
            }
            let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect();
            Ok(Value::Bytes(bytes.ok_or_else(wrong)?.into()))
        }
        _ => Err(wrong()),
    }
}

/// Rows of fields, each with whether it was quoted. Blanks outside quotes are trimmed.
pub fn csv_rows(text: &str, row_delimiter: &str, column_delimiter: &str) -> Vec<Vec<(String, bool)>> {
    let mut rows = Vec::new();
    let mut fields: Vec<(String, bool)> = Vec::new();
    let mut field = String::new();
    let (mut quoted, mut was_quoted) = (false, false);
    let mut rest = text;
    let finish = |field: &mut String, was_quoted: &mut bool, fields: &mut Vec<(String, bool)>| {
        let content = std::mem::take(field);
        let content = if *was_quoted { content } else { content.trim_matches([' ', '\r']).to_owned() };
        fields.push((content, std::mem::take(was_quoted)));
    };
    while let Some(c) = rest.chars().next() {
        if quoted {
            if let Some(after) = rest.strip_prefix("\"\"") {
                field.push('"');
                rest = after;
                continue;
            }
            if c == '"' {
                quoted = false;
            } else {
                field.push(c);
            }
            rest = &rest[c.len_utf8()..];
        } else if let Some(after) = rest.strip_prefix(column_delimiter).filter(|_| !column_delimiter.is_empty()) {
            finish(&mut field, &mut was_quoted, &mut fields);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(row_delimiter).filter(|_| !row_delimiter.is_empty()) {
            finish(&mut field, &mut was_quoted, &mut fields);
            rows.push(std::mem::take(&mut fields));
            rest = after;
        } else if c == '"' && field.trim().is_empty() && !was_quoted {
            field.clear();
            quoted = true;
            was_quoted = true;
            rest = &rest[1..];
        } else {
            if !was_quoted || !c.is_whitespace() {
                field.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    if !field.is_empty() || was_quoted || !fields.is_empty() {
        finish(&mut field, &mut was_quoted, &mut fields);
        rows.push(fields);
    }
    rows.retain(|row| row.len() > 1 || row.first().is_some_and(|(text, quoted)| !text.is_empty() || *quoted));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reading without a tree gives what reading with one gives.
    #[test]
    fn skimming_agrees_with_the_tree() {
        let schema = serde_json::json!({ "record_format": "JSON", "columns": [
            ["A", "INTEGER", "$.a"], ["AB", "VARCHAR(64)", "$.a.b"], ["C", "VARCHAR(4)", "$.d.c"], ["D", "VARCHAR(64)", "$.d"], ["T", "TIMESTAMP NOT NULL", "$.t"] ] });
        let skimming = Schema::from_json(&schema).expect("good");
        let tree = Schema { members: None, ..skimming.clone() };
        assert!(skimming.members.is_some());
        for record in [
            r#"{"a": 1, "d": {"c": "longer than four"}, "t": "2024-01-01 00:00:00"}"#,
            r#" {"t": "2024-01-01T00:00:00Z", "x": [1, {"a": 5}], "a": {"b": "x"}}"#,
            r#"{"t": "2024-01-01 00:00:00", "a": 1.5}"#,
            r#"{"a": 1}"#,
            r#"{"a": 1, "t": null}"#,
            r#"{"a": 1, "a": 2, "d": [1,2], "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": 1, "t": "2024-01-01 00:00:00"} {"a": 2, "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": 1, "t": "2024-01-01 00:00:00""#,
            r#"{"a": 1, "d": {"c": "x"}, "d": {}, "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": 1, "d": {"c": "x"}, "d": 5, "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": 1e400, "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": 1e2, "x": 1e400, "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": -0, "d": "a\"b\u00e9\n", "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": 01, "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": 12345678901234567890, "t": "2024-01-01 00:00:00"}"#,
            r#"{"x": "\ud800", "a": 1, "t": "2024-01-01 00:00:00"}"#,
            r#"{"x": "\q", "a": 1, "t": "2024-01-01 00:00:00"}"#,
            r#"{"\u0061": 1, "t": "2024-01-01 00:00:00"}"#,
            r#"{"a": "7", "d": {"c": true}, "t": "2024-01-01T05:06:07.5+02:00",}"#,
            r#"{"a": true, "d": null, "t": 5}"#,
            "{\"a\": 1, \"d\": \"tab\there\", \"t\": \"2024-01-01 00:00:00\"}",
            "[1]",
            "",
        ] {
            assert_eq!(format!("{:?}", skimming.rows(record.as_bytes())), format!("{:?}", tree.rows(record.as_bytes())), "{record}");
        }
    }
}
