//! Case files: expressions one a line, and programs with timed rows and what must come out. Users write tests for their programs so.

use serde::Serialize;
use serde_json::Value as Json;

use super::bound::Env;
use super::cast;
use super::datetime;
use super::decode::{Schema, coerce};
use super::functions::Clock;
use super::parse;
use super::program::{Catalog, Program, ReferenceTable, SourceStream, expression};
use super::run::Running;
use super::types::{Family, SqlType};
use super::value::Value;

/// Tolerance of doubles when a case names none.
const TOLERANCE: f64 = 1e-12;
/// What expressions alone take for now: 2024-03-05.
const NOW: i64 = 1_709_596_800_000;

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As expected.
    Pass,
    /// Not as expected.
    Fail,
    /// Not as expected, where the documentation can be read in two ways.
    Disputed,
}

/// A case that was run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseResult {
    /// Id.
    pub id: String,
    /// What came of it.
    pub status: Status,
    /// What was expected.
    pub expected: Json,
    /// What came.
    pub got: Json,
    /// Why it failed.
    pub message: String,
}

/// Runs a case file of either format.
///
/// # Errors
/// Why the text is no case file.
pub fn run(text: &str) -> Result<Vec<CaseResult>, String> {
    if let Ok(json) = serde_json::from_str::<Json>(text)
        && let Some(cases) = json.get("cases").and_then(Json::as_array)
    {
        return Ok(cases.iter().map(stream_case).collect());
    }
    let mut results = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let case: Json = serde_json::from_str(line).map_err(|error| {
            format!("line {}: {error}; expected one JSON object a line with id, expr and expect, or one object with cases", number + 1)
        })?;
        if case.get("expr").is_none() {
            return Err(format!("line {}: the member expr is missing", number + 1));
        }
        results.push(function_case(&case));
    }
    Ok(results)
}

fn result(case: &Json, good: bool, expected: Json, got: Json, message: String) -> CaseResult {
    let disputed = case.get("disputed").and_then(Json::as_bool).unwrap_or(false);
    CaseResult {
        id: case.get("id").and_then(Json::as_str).unwrap_or_default().to_owned(),
        status: if good {
            Status::Pass
        } else if disputed {
            Status::Disputed
        } else {
            Status::Fail
        },
        expected,
        got,
        message,
    }
}

fn same_number(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

/// A value as a case writes it.
fn shown(value: &Value, ty: &SqlType) -> Json {
    match value {
        Value::Dec(..) => Json::String(value.to_text(ty)),
        _ => value.to_json(ty),
    }
}

fn function_case(case: &Json) -> CaseResult {
    let text = case["expr"].as_str().unwrap_or_default();
    let wants_error = case.get("error").is_some_and(|error| *error != Json::Bool(false));
    let expected = case.get("expect").cloned().unwrap_or_else(|| Json::String("an error".to_owned()));
    let evaluated = expression(text).map_err(|error| error.message).and_then(|typed| {
        let env = Env { cells: &[], out_time: NOW, clock: Clock { start: NOW, now: NOW }, params: &[] };
        typed.expr.eval(&env).map(|value| (value, typed.ty)).map_err(|error| error.message)
    });
    match evaluated {
        Err(message) if wants_error => result(case, true, Json::String("an error".to_owned()), Json::String(message), String::new()),
        Err(message) => result(case, false, expected, Json::Null, message),
        Ok((value, ty)) if wants_error => {
            result(case, false, Json::String("an error".to_owned()), shown(&value, &ty), "an error was expected".to_owned())
        }
        Ok((value, ty)) => {
            let tolerance = case.get("tolerance").and_then(Json::as_f64).unwrap_or(TOLERANCE);
            let got = shown(&value, &ty);
            let alternative = case.get("expect_alternative").is_some_and(|other| same_value(other, &value, &ty, tolerance));
            if !same_value(&expected, &value, &ty, tolerance) && !alternative {
                return result(case, false, expected, got, format!("the value differs (type {ty})"));
            }
            if let Some(wanted) = case.get("type").and_then(Json::as_str)
                && !same_type(wanted, &ty)
                && !value.is_null()
            {
                return result(case, false, Json::String(wanted.to_owned()), Json::String(ty.to_string()), "the type differs".to_owned());
            }
            result(case, true, expected, got, String::new())
        }
    }
}

/// A type without its length in the case is met by any length.
fn same_type(wanted: &str, ty: &SqlType) -> bool {
    let found = ty.to_string();
    let base = |text: &str| text.split('(').next().unwrap_or_default().trim().to_owned();
    let tidy = |text: &str| text.replace(' ', "");
    if wanted.contains('(') {
        tidy(wanted) == tidy(&found) || (base(wanted) == base(&found) && ty.family() == Family::Text)
    } else {
        base(wanted) == base(&found) || (ty.family() == Family::Text && matches!(wanted, "CHAR" | "VARCHAR"))
    }
}

fn same_value(expected: &Json, value: &Value, ty: &SqlType, tolerance: f64) -> bool {
    match (expected, value) {
        (Json::Null, Value::Null) => true,
        (Json::Null, Value::Record(cells)) => cells.iter().all(Value::is_null),
        (Json::Object(members), Value::Record(cells)) => {
            let SqlType::Record(fields) = ty else { return false };
            members.len() == fields.len()
                && fields
                    .iter()
                    .zip(cells.iter())
                    .all(|((name, ty), cell)| members.get(name).is_some_and(|wanted| same_value(wanted, cell, ty, tolerance)))
        }
        (Json::Bool(wanted), Value::Bool(found)) => wanted == found,
        (Json::Number(wanted), Value::Int(_) | Value::Dec(..) | Value::Num(_)) => {
            same_number(wanted.as_f64().unwrap_or(f64::NAN), value.number().unwrap_or(f64::NAN), tolerance)
        }
        (Json::String(wanted), Value::Dec(..)) => *wanted == value.to_text(ty),
        (Json::String(wanted), Value::Int(_) | Value::Num(_)) => {
            wanted.parse::<f64>().is_ok_and(|wanted| same_number(wanted, value.number().unwrap_or(f64::NAN), tolerance))
        }
        (Json::String(wanted), Value::Text(found)) => **found == **wanted,
        (Json::String(wanted), Value::Ms(_) | Value::Bytes(_)) => *wanted == value.to_text(ty) || datetime_same(wanted, value, ty),
        _ => false,
    }
}

fn datetime_same(wanted: &str, value: &Value, ty: &SqlType) -> bool {
    *ty == SqlType::Timestamp && matches!((datetime::parse_iso(wanted), value), (Some(a), Value::Ms(b)) if a == *b)
}

/// Something that enters at an instant.
enum Entering {
    Row(usize, Vec<Value>),
    Record(usize, Vec<u8>),
}

fn instant(json: Option<&Json>) -> Result<i64, String> {
    let text = json.and_then(Json::as_str).ok_or("an instant is missing")?;
    datetime::parse_iso(text).ok_or_else(|| format!("'{text}' is no instant; expected yyyy-MM-dd HH:mm:ss"))
}

fn typed_columns(json: Option<&Json>) -> Result<Vec<(String, SqlType, bool)>, String> {
    let list = json.and_then(Json::as_array).ok_or("columns: expected an array")?;
    list.iter()
        .map(|column| {
            let part = |at: usize| column.get(at).and_then(Json::as_str).ok_or_else(|| format!("a column is [name, type], found {column}"));
            let (ty, not_null) = parse::column_type(part(1)?).map_err(|error| format!("{}: {}", part(0).unwrap_or_default(), error.message))?;
            Ok((part(0)?.to_owned(), ty, not_null))
        })
        .collect()
}

fn cells(row: &Json, columns: &[(String, SqlType)]) -> Result<Vec<Value>, String> {
    let list = row.as_array().ok_or_else(|| format!("a row is an array, found {row}"))?;
    list.iter().zip(columns).map(|(cell, (name, ty))| coerce(cell, ty).map_err(|error| format!("{name}: {}", error.message))).collect()
}

fn stream_case(case: &Json) -> CaseResult {
    let expected = case.get("expect").cloned().unwrap_or(Json::Null);
    let wants_refusal = case.get("compile_error").is_some_and(|error| *error != Json::Bool(false));
    match play(case) {
        Err((true, message)) if wants_refusal => result(case, true, Json::String("a compile error".to_owned()), Json::String(message), String::new()),
        Err((_, message)) => result(case, false, expected, Json::Null, message),
        Ok(_) if wants_refusal => result(case, false, Json::String("a compile error".to_owned()), Json::Null, "the program was accepted".to_owned()),
        Ok(played) => {
            let first = compare(case, &expected, &played);
            let alternative = case.get("expect_alternative").is_some_and(|other| compare(case, other, &played).is_none());
            let message = if alternative { None } else { first };
            result(case, message.is_none(), expected, played.shown(), message.unwrap_or_default())
        }
    }
}

/// A stream's name, the types of its columns, and its rows.
type StreamRows = (String, Vec<SqlType>, Vec<(i64, Vec<Value>)>);

/// What a program gave.
struct Played {
    streams: Vec<StreamRows>,
    errors: Vec<super::run::ErrorRow>,
}

impl Played {
    fn shown(&self) -> Json {
        let streams = self.streams.iter().map(|(name, types, rows)| {
            let rows = rows.iter().map(|(time, cells)| {
                let cells: Vec<Json> = cells.iter().zip(types).map(|(cell, ty)| shown(cell, ty)).collect();
                serde_json::json!({ "rowtime": datetime::timestamp_text(*time), "row": cells })
            });
            (name.clone(), Json::Array(rows.collect()))
        });
        let mut all: serde_json::Map<String, Json> = streams.collect();
        if !self.errors.is_empty() {
            let errors = self.errors.iter().map(|error| {
                serde_json::json!({ "error_name": error.name, "message": error.message, "data_rowtime": datetime::timestamp_text(error.data_rowtime), "pump_name": error.pump })
            });
            all.insert("error_stream".to_owned(), Json::Array(errors.collect()));
        }
        Json::Object(all)
    }
}

/// Compiles and plays a case; an error says whether it came from the compiler.
fn play(case: &Json) -> Result<Played, (bool, String)> {
    let outside = |message: String| (false, message);
    let mut catalog = Catalog::default();
    let mut schemas: Vec<Option<Schema>> = Vec::new();
    let mut entering: Vec<(i64, Entering)> = Vec::new();
    let empty = serde_json::Map::new();
    for (name, input) in case.get("inputs").and_then(Json::as_object).unwrap_or(&empty) {
        let stream = catalog.sources.len();
        if let Some(schema) = input.get("input_schema") {
            let schema = Schema::from_json(schema).map_err(outside)?;
            let columns = schema.columns.iter().map(|column| (column.name.clone(), column.ty.clone(), column.not_null)).collect();
            catalog.sources.push(SourceStream { name: name.clone(), columns });
            schemas.push(Some(schema));
            for record in input.get("records").and_then(Json::as_array).into_iter().flatten() {
                let data = record.get("data").and_then(Json::as_str).unwrap_or_default();
                entering.push((instant(record.get("at")).map_err(outside)?, Entering::Record(stream, data.into())));
            }
        } else {
            let columns = typed_columns(input.get("columns")).map_err(outside)?;
            let plain: Vec<(String, SqlType)> = columns.iter().map(|(name, ty, _)| (name.clone(), ty.clone())).collect();
            catalog.sources.push(SourceStream { name: name.clone(), columns });
            schemas.push(None);
            for row in input.get("rows").and_then(Json::as_array).into_iter().flatten() {
                let values = cells(row.get("row").unwrap_or(&Json::Null), &plain).map_err(outside)?;
                entering.push((instant(row.get("at")).map_err(outside)?, Entering::Row(stream, values)));
            }
        }
    }
    for (name, table) in case.get("reference_tables").and_then(Json::as_object).unwrap_or(&empty) {
        let columns: Vec<(String, SqlType)> =
            typed_columns(table.get("columns")).map_err(outside)?.into_iter().map(|(name, ty, _)| (name, ty)).collect();
        let rows = table
            .get("rows")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .map(|row| cells(row, &columns))
            .collect::<Result<_, _>>()
            .map_err(outside)?;
        catalog.tables.push(ReferenceTable { name: name.clone(), columns, rows });
    }
    let sql = case.get("sql").and_then(Json::as_str).unwrap_or_default();
    let program =
        Program::compile(sql, &catalog).map_err(|errors| (true, errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ")))?;
    entering.sort_by_key(|(at, _)| *at);
    let start = entering.first().map_or(NOW, |(at, _)| *at);
    let mut running = Running::new(program.plan.clone(), start, 1);
    let plan = program.plan;
    for (at, entering) in entering {
        match entering {
            Entering::Row(stream, cells) => running.insert(stream, at, cells),
            Entering::Record(stream, data) => {
                for row in schemas[stream].as_ref().map(|schema| schema.rows(&data)).unwrap_or_default() {
                    match row {
                        Ok(cells) => running.insert(stream, at, cells),
                        Err(error) => running.input_error(&error, at, &data),
                    }
                }
            }
        }
    }
    if case.get("advance_to").is_some() {
        running.advance_to(instant(case.get("advance_to")).map_err(outside)?);
    }
    let errors = running.drain_errors();
    let streams = plan
        .streams
        .iter()
        .enumerate()
        .map(|(at, stream)| {
            let visible: Vec<(usize, SqlType)> = stream.visible().map(|(cell, column)| (cell, column.ty.clone())).collect();
            let rows =
                running.drain(at).into_iter().map(|row| (row.time, visible.iter().map(|(cell, _)| row.cells[*cell].clone()).collect())).collect();
            (stream.name.clone(), visible.into_iter().map(|(_, ty)| ty).collect(), rows)
        })
        .filter(|(name, ..): &(String, Vec<SqlType>, Vec<_>)| case.get("expect").is_some_and(|expect| expect.get(name).is_some()))
        .collect();
    Ok(Played { streams, errors })
}

fn compare(case: &Json, expected: &Json, played: &Played) -> Option<String> {
    let ordered = case.get("ordered").and_then(Json::as_bool).unwrap_or(false);
    let ignore_time = case.get("ignore_rowtime").and_then(Json::as_bool).unwrap_or(false);
    let tolerance = case.get("tolerance").and_then(Json::as_f64).unwrap_or(TOLERANCE);
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let Some((_, types, rows)) = played.streams.iter().find(|(known, ..)| known == name) else {
            return Some(format!("there is no stream {name}"));
        };
        let wanted: Vec<&Json> = wanted.as_array().into_iter().flatten().collect();
        if wanted.len() != rows.len() {
            return Some(format!("{name}: {} rows expected, {} came", wanted.len(), rows.len()));
        }
        let fits = |wanted: &Json, (time, cells): &(i64, Vec<Value>)| {
            let time_fits = ignore_time || wanted.get("rowtime").is_none_or(|at| instant(Some(at)).is_ok_and(|at| at == *time));
            let list = wanted.get("row").and_then(Json::as_array);
            time_fits
                && list.is_some_and(|list| {
                    list.len() == cells.len()
                        && list.iter().zip(cells.iter().zip(types)).all(|(wanted, (cell, ty))| same_cell(wanted, cell, ty, tolerance))
                })
        };
        if ordered {
            for (at, (wanted, row)) in wanted.iter().zip(rows).enumerate() {
                if !fits(wanted, row) {
                    return Some(format!("{name}: row {} differs: expected {wanted}", at + 1));
                }
            }
            continue;
        }
        let mut left: Vec<&(i64, Vec<Value>)> = rows.iter().collect();
        for wanted in wanted {
            match left.iter().position(|row| fits(wanted, row)) {
                Some(at) => {
                    left.remove(at);
                }
                None => return Some(format!("{name}: the row {wanted} did not come")),
            }
        }
        // Whatever the order within an instant, time does not go back.
        if !ignore_time && rows.windows(2).any(|pair| pair[0].0 > pair[1].0) {
            return Some(format!("{name}: ROWTIME goes back"));
        }
    }
    let wanted: Vec<&Json> = case.get("expect_errors").and_then(Json::as_array).into_iter().flatten().collect();
    if wanted.is_empty() && !played.errors.is_empty() {
        return Some(format!("an error row came: {} {}", played.errors[0].name, played.errors[0].message));
    }
    let mut left: Vec<&super::run::ErrorRow> = played.errors.iter().collect();
    for wanted in wanted {
        let text = |key: &str| wanted.get(key).and_then(Json::as_str);
        let at = |key: &str| wanted.get(key).map(|at| instant(Some(at)).unwrap_or(i64::MIN));
        let found = left.iter().position(|error| {
            at("data_rowtime").is_none_or(|at| at == error.data_rowtime)
                && at("error_time_at_least").is_none_or(|at| error.time >= at)
                && text("pump_name").is_none_or(|name| error.pump.as_deref() == Some(name))
                && text("error_name").is_none_or(|name| error.name == name)
        });
        match found {
            Some(at) => {
                left.remove(at);
            }
            None => return Some(format!("error_stream: the row {wanted} did not come")),
        }
    }
    None
}

fn same_cell(wanted: &Json, cell: &Value, ty: &SqlType, tolerance: f64) -> bool {
    match (wanted, cell) {
        (Json::String(text), Value::Dec(..)) => {
            cast::parse_number(text).is_some_and(|wanted| wanted.compare(cell) == Some(std::cmp::Ordering::Equal))
        }
        _ => same_value(wanted, cell, ty, tolerance),
    }
}
