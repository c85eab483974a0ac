//! An Athena-like query service over the catalogue's tables and the objects below their locations.
//!
//! What it knows: `SELECT` with expressions, aliases, `WHERE`, `GROUP BY`, `HAVING`, `ORDER BY`, `LIMIT` over one table; the aggregates `count`,
//! `sum`, `avg`, `min`, `max`, `approx_distinct`; `MSCK REPAIR TABLE`, `SHOW PARTITIONS`, `SHOW TABLES`, `DESCRIBE`, `ALTER TABLE … ADD PARTITION`.
//! Joins, subqueries and window functions are left out and refused by name. Expressions are parsed by the KDA SQL parser.

mod eval;

use core::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Number, Value, json};

use crate::api::{Call, ServiceError};
use crate::sql::ast::Expr;
use crate::sql::parse::expression;

use super::firehose::prefix::uuid;
use super::formats::compress::Compression;
use super::formats::schema::Column;
use super::formats::{coerce, orc, parquet};
use super::glue::{Form, Glue, Table};
use super::random::Substream;
use super::s3::S3;
use super::time::VirtualTime;

use eval::{eval, has_aggregate, order, text};

/// Executions remembered.
const KEPT: usize = 100;

/// The rows of a query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// Names.
    pub columns: Vec<String>,
    /// Values in the order of the columns.
    pub rows: Vec<Vec<Value>>,
    /// Bytes of the objects read.
    pub scanned: u64,
    /// Objects read.
    pub objects: u64,
}

/// A query that ran.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Id.
    pub id: String,
    /// Its text.
    pub text: String,
    /// When.
    pub at: VirtualTime,
    /// Rows or the reason of its failure.
    pub result: Result<Arc<Rows>, String>,
}

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Athena {
    executions: Vec<Execution>,
    count: u64,
}

/// The words of a statement: names, numbers, quoted texts, signs, with their places.
fn words(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        at = if c == '\'' || c == '"' || c == '`' {
            text[at + 1..].find(c).map_or(text.len(), |end| at + end + 2)
        } else if c.is_alphanumeric() || c == '_' {
            text[at..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(text.len(), |end| at + end)
        } else {
            at + c.len_utf8()
        };
        found.push((start, text[start..at].to_owned()));
    }
    found
}

/// Where a clause begins outside parentheses and texts.
fn clauses<'t>(text: &'t str, heads: &[&str]) -> Vec<(String, &'t str)> {
    let list = words(text);
    let (mut depth, mut marks) = (0i32, Vec::new());
    for (index, (at, word)) in list.iter().enumerate() {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        let upper = word.to_uppercase();
        let two = list.get(index + 1).map_or_else(String::new, |(_, next)| format!("{upper} {}", next.to_uppercase()));
        if depth == 0
            && let Some(head) = heads.iter().find(|head| **head == upper || **head == two)
        {
            let end = if head.contains(' ') { list[index + 1].0 + list[index + 1].1.len() } else { at + word.len() };
            marks.push((*at, end, (*head).to_owned()));
        }
    }
    let ends: Vec<usize> = marks.iter().skip(1).map(|(at, ..)| *at).chain([text.len()]).collect();
    marks.into_iter().zip(ends).map(|((_, from, head), to)| (head, text[from..to].trim())).collect()
}

/// The parts of a list outside parentheses and texts.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0i32, 0, Vec::new());
    for (at, word) in words(text) {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => {
                found.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(text[from..].trim());
    found
}

/// Names that the KDA dialect reserves and Athena does not: they are quoted where they name a column.
const NAMES: [&str; 14] =
    ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "DATE", "TIME", "TIMESTAMP", "VALUE", "TYPE", "USER", "POSITION", "RESULT"];

fn quoted(text: &str) -> String {
    let list = words(text);
    let (mut out, mut from) = (String::new(), 0);
    for (index, (at, word)) in list.iter().enumerate() {
        let behind = list.get(index + 1).map_or("", |(_, word)| word.as_str());
        let before = index.checked_sub(1).and_then(|before| list.get(before)).map_or("", |(_, word)| word.as_str());
        if NAMES.contains(&word.to_uppercase().as_str()) && !behind.starts_with(['(', '\'']) && !before.eq_ignore_ascii_case("as") {
            out.push_str(&text[from..*at]);
            out.push_str(&format!("\"{word}\""));
            from = at + word.len();
        }
    }
    out + &text[from..]
}

fn parse(text: &str) -> Result<Expr, String> {
    expression(&quoted(text).replace('`', "\"")).map_err(|error| format!("SYNTAX_ERROR: {} in '{text}'", error.message))
}

/// Rows of an object, as JSON objects by column.
fn rows_of(table: &Table, key: &str, bytes: &[u8]) -> Result<Vec<Map<String, Value>>, String> {
    let columns: &[Column] = &table.columns;
    let typed = |rows: Vec<Vec<super::formats::datum::Datum>>| {
        rows.into_iter().map(|row| columns.iter().zip(row).map(|((name, kind), datum)| (name.clone(), datum.json(kind))).collect()).collect()
    };
    match table.form {
        Form::Parquet => parquet::read(bytes, columns).map(typed).map_err(|error| format!("HIVE_BAD_DATA: {key}: {error}")),
        Form::Orc => orc::read(bytes, columns).map(typed).map_err(|error| format!("HIVE_BAD_DATA: {key}: {error}")),
        Form::Json => {
            let unpacked = Compression::of_key(key).unpack(bytes).ok_or_else(|| format!("HIVE_BAD_DATA: {key} cannot be decompressed"))?;
            let reader = coerce::Reader::new(table.columns.clone(), coerce::Deserializer::default());
            let mut rows = Vec::new();
            // One line is one row: objects behind it on the same line are lost, as they are in Athena.
            for line in String::from_utf8_lossy(&unpacked).lines().filter(|line| !line.trim().is_empty()) {
                let row = reader
                    .rows(line.as_bytes())
                    .map_err(|misfit| format!("HIVE_CURSOR_ERROR: Row is not a valid JSON Object: {}", misfit.message))?;
                rows.extend(row.into_iter().take(1));
            }
            Ok(typed(rows))
        }
        Form::Csv => {
            let unpacked = Compression::of_key(key).unpack(bytes).ok_or_else(|| format!("HIVE_BAD_DATA: {key} cannot be decompressed"))?;
            Ok(String::from_utf8_lossy(&unpacked)
                .lines()
                .map(|line| {
                    let cells = csv(line, table.separator);
                    columns
                        .iter()
                        .enumerate()
                        .map(|(at, (name, _))| (name.clone(), cells.get(at).map_or(Value::Null, |cell| number_or_text(cell))))
                        .collect()
                })
                .collect())
        }
    }
}

fn csv(line: &str, separator: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c == separator && !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

fn number_or_text(text: &str) -> Value {
    text.parse::<i64>()
        .map(Value::from)
        .ok()
        .or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number))
        .unwrap_or_else(|| json!(text))
}

/// The rows of an object by what its key and bytes are: for looks at single objects.
///
/// # Errors
/// A sentence.
pub fn peek(glue: &Glue, s3: &S3, bucket: &str, key: &str, most: usize) -> Result<Vec<Value>, String> {
    let object = s3.object(bucket, key).ok_or_else(|| format!("s3://{bucket}/{key} does not exist"))?;
    let place = format!("s3://{bucket}/{key}");
    let columnar = object.bytes.starts_with(b"PAR1") || object.bytes.starts_with(b"ORC");
    if columnar {
        let table = glue.tables().find(|(_, _, table)| !table.location.is_empty() && place.starts_with(&table.location)).map(|(_, _, table)| table);
        // Without a table at its place any table that reads it will do.
        let table = table.or_else(|| glue.tables().map(|(_, _, table)| table).find(|table| rows_of(table, key, &object.bytes).is_ok()));
        let table = table.ok_or_else(|| format!("no table of the catalogue describes {place}"))?;
        return rows_of(table, key, &object.bytes).map(|rows| rows.into_iter().take(most).map(Value::Object).collect());
    }
    let unpacked = Compression::of_key(key).unpack(&object.bytes).ok_or_else(|| format!("{place} cannot be decompressed"))?;
    let text = String::from_utf8_lossy(&unpacked).into_owned();
    let mut rows = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>().take(most) {
        match value {
            Ok(value) => rows.push(value),
            Err(_) => return Ok(text.lines().take(most).map(|line| json!(line)).collect()),
        }
    }
    Ok(rows)
}

/// Every row of a table that its partitions (or its location) reach.
fn scan(table: &Table, s3: &S3, rows: &mut Rows) -> Result<Vec<Map<String, Value>>, String> {
    let mut found = Vec::new();
    let places: Vec<(Vec<String>, String)> = if table.partition_keys.is_empty() {
        vec![(Vec::new(), table.location.clone())]
    } else {
        table.partitions.iter().map(|(values, place)| (values.clone(), place.clone())).collect()
    };
    for (values, place) in places {
        let Some((bucket, prefix)) = place.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else {
            return Err(format!("INVALID_TABLE_PROPERTY: the location '{place}' is no s3://bucket/prefix/"));
        };
        let Some(bucket) = s3.bucket(bucket) else { return Err(format!("NoSuchBucket: the bucket of '{place}' does not exist")) };
        for (key, object) in bucket.objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)) {
            rows.scanned += object.bytes.len() as u64;
            rows.objects += 1;
            for mut row in rows_of(table, key, &object.bytes)? {
                for ((name, _), value) in table.partition_keys.iter().zip(&values) {
                    row.insert(name.clone(), json!(value));
                }
                found.push(row);
            }
        }
    }
    Ok(found)
}

/// Rows of a table by the footers of its Parquet files.
fn footers(table: &Table, s3: &S3, rows: &mut Rows) -> Result<u64, String> {
    let mut count = 0;
    let places: Vec<&str> =
        if table.partition_keys.is_empty() { vec![&table.location] } else { table.partitions.values().map(String::as_str).collect() };
    for place in places {
        let (bucket, prefix) =
            place.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(|| format!("INVALID_TABLE_PROPERTY: '{place}'"))?;
        let bucket = s3.bucket(bucket).ok_or_else(|| format!("NoSuchBucket: the bucket of '{place}' does not exist"))?;
        for (key, object) in bucket.objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)) {
            rows.objects += 1;
            count += parquet::count(&object.bytes).ok_or_else(|| format!("HIVE_BAD_DATA: {key} is no Parquet file"))?;
        }
    }
    Ok(count)
}

/// The partitions that lie below the location and are not in the catalogue: values and place.
fn unknown_partitions(table: &Table, s3: &S3) -> Vec<(Vec<String>, String)> {
    let Some((bucket, prefix)) = table.location.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else { return Vec::new() };
    let Some(found) = s3.bucket(bucket) else { return Vec::new() };
    let mut partitions = BTreeSet::new();
    for key in found.objects.range(prefix.to_owned()..).map(|(key, _)| key).take_while(|key| key.starts_with(prefix)) {
        if let Some(values) = table.partition_of(&key[prefix.len()..]) {
            let depth: usize = key[prefix.len()..].split('/').take(values.len()).map(|folder| folder.len() + 1).sum();
            if !values.is_empty() && !table.partitions.contains_key(&values) {
                partitions.insert((values, format!("s3://{bucket}/{}", &key[..prefix.len() + depth])));
            }
        }
    }
    partitions.into_iter().collect()
}

fn name(text: &str) -> String {
    text.trim().trim_matches(['"', '`', ';']).to_lowercase()
}

/// Database and table of a qualified name.
fn qualified(text: &str, database: &str) -> (String, String) {
    match text.split_once('.') {
        Some((database, table)) => (name(database), name(table)),
        None => (database.to_lowercase(), name(text)),
    }
}

type Row = Map<String, Value>;

impl Athena {
    /// Queries that ran, newest last.
    pub fn executions(&self) -> &[Execution] {
        &self.executions
    }

    /// Runs a statement.
    pub fn run(&mut self, now: VirtualTime, seed: u64, glue: &mut Glue, s3: &S3, database: &str, statement: &str) -> Execution {
        let result = statement_rows(glue, s3, database, statement.trim().trim_end_matches(';').trim()).map(Arc::new);
        let id = uuid(Substream::new(seed, &["athena"]).child(self.count));
        self.count += 1;
        let execution = Execution { id, text: statement.to_owned(), at: now, result };
        if self.executions.len() == KEPT {
            self.executions.remove(0);
        }
        self.executions.push(execution.clone());
        execution
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// Athena's own.
    pub fn call(&mut self, now: VirtualTime, seed: u64, glue: &mut Glue, s3: &S3, call: &Call) -> Result<Value, ServiceError> {
        let text = |name: &str| call.body[name].as_str().unwrap_or_default();
        if call.operation.name == "StartQueryExecution" {
            let database = call.body["QueryExecutionContext"]["Database"].as_str().unwrap_or("default");
            return Ok(json!({"QueryExecutionId": self.run(now, seed, glue, s3, database, text("QueryString")).id}));
        }
        let id = text("QueryExecutionId");
        let missing = || ServiceError::new(crate::api::ErrorCode::InvalidInputException, format!("QueryExecution {id} was not found"));
        let execution = self.executions.iter().find(|execution| execution.id == id).ok_or_else(missing)?;
        match (call.operation.name, &execution.result) {
            ("GetQueryExecution", result) => {
                let status = match result {
                    Ok(_) => {
                        json!({"State": "SUCCEEDED", "SubmissionDateTime": execution.at.to_string(), "CompletionDateTime": execution.at.to_string()})
                    }
                    Err(reason) => json!({"State": "FAILED", "StateChangeReason": reason, "SubmissionDateTime": execution.at.to_string()}),
                };
                let scanned = result.as_ref().map_or(0, |rows| rows.scanned);
                Ok(
                    json!({"QueryExecution": {"QueryExecutionId": id, "Query": execution.text, "Status": status, "Statistics": {"DataScannedInBytes": scanned}}}),
                )
            }
            (_, Err(reason)) => Err(ServiceError::new(crate::api::ErrorCode::InvalidInputException, format!("Query has not succeeded: {reason}"))),
            (_, Ok(rows)) => {
                let cell = |value: &Value| if value.is_null() { json!({}) } else { json!({"VarCharValue": self::text(value)}) };
                let mut list = vec![json!({"Data": rows.columns.iter().map(|name| json!({"VarCharValue": name})).collect::<Vec<_>>()})];
                list.extend(rows.rows.iter().map(|row| json!({"Data": row.iter().map(cell).collect::<Vec<_>>()})));
                Ok(json!({"ResultSet": {"Rows": list}}))
            }
        }
    }
}

fn statement_rows(glue: &mut Glue, s3: &S3, database: &str, statement: &str) -> Result<Rows, String> {
    let list = words(statement);
    let upper: Vec<String> = list.iter().map(|(_, word)| word.to_uppercase()).collect();
    let head: Vec<&str> = upper.iter().take(3).map(String::as_str).collect();
    let rest = |skip: usize| list.get(skip).map_or("", |(at, _)| &statement[*at..]);
    let missing = |table: &str| format!("TABLE_NOT_FOUND: Table '{table}' does not exist");
    let lines = |name: &str, rows: Vec<String>| Rows {
        columns: vec![name.to_owned()],
        rows: rows.into_iter().map(|row| vec![json!(row)]).collect(),
        ..Rows::default()
    };
    match head.as_slice() {
        ["MSCK", "REPAIR", "TABLE"] => {
            let (database, name) = qualified(rest(3), database);
            let table = glue.table_mut(&database, &name).ok_or_else(|| missing(&name))?;
            let found = unknown_partitions(table, s3);
            let said = found.iter().map(|(values, _)| format!("Repair: Added partition to metastore {name}:{}", values.join("/"))).collect();
            table.partitions.extend(found);
            Ok(lines("result", said))
        }
        ["SHOW", "PARTITIONS", ..] => {
            let (database, name) = qualified(rest(2), database);
            let table = glue.table(&database, &name).ok_or_else(|| missing(&name))?;
            let shown = table.partitions.keys().map(|values| {
                table.partition_keys.iter().zip(values).map(|((key, _), value)| format!("{key}={value}")).collect::<Vec<_>>().join("/")
            });
            Ok(lines("partition", shown.collect()))
        }
        ["SHOW", "TABLES", ..] => Ok(lines("tab_name", glue.tables().map(|(database, table, _)| format!("{database}.{table}")).collect())),
        ["DESCRIBE", ..] => {
            let (database, name) = qualified(rest(1), database);
            let table = glue.table(&database, &name).ok_or_else(|| missing(&name))?;
            Ok(lines("col_name", table.columns.iter().chain(&table.partition_keys).map(|(name, kind)| format!("{name}\t{kind}")).collect()))
        }
        ["ALTER", "TABLE", _] => {
            let (database, name) = qualified(&list.get(2).map(|(_, word)| word.clone()).unwrap_or_default(), database);
            let table = glue.table_mut(&database, &name).ok_or_else(|| missing(&name))?;
            let inside = statement.find('(').and_then(|from| statement[from..].find(')').map(|to| &statement[from + 1..from + to]));
            let inside = inside.ok_or("SYNTAX_ERROR: ALTER TABLE t ADD PARTITION (key = 'value', …) [LOCATION 's3://…']")?;
            let given: BTreeMap<String, String> = parts(inside)
                .into_iter()
                .filter_map(|part| part.split_once('='))
                .map(|(key, value)| (name_of_key(key), value.trim().trim_matches('\'').to_owned()))
                .collect();
            let values: Vec<String> = table
                .partition_keys
                .iter()
                .map(|(key, _)| given.get(key).cloned().ok_or_else(|| format!("SYNTAX_ERROR: no value for {key}")))
                .collect::<Result<_, _>>()?;
            let place = statement.to_uppercase().find("LOCATION").map(|at| statement[at + 8..].trim().trim_matches('\'').to_owned());
            let folder: String = table.partition_keys.iter().zip(&values).map(|((key, _), value)| format!("{key}={value}/")).collect();
            let place = place.unwrap_or_else(|| format!("{}{folder}", table.location));
            table.partitions.insert(values, place);
            Ok(lines("result", Vec::new()))
        }
        ["SELECT", ..] => select(glue, s3, database, statement),
        _ => {
            Err("SYNTAX_ERROR: statements are SELECT, MSCK REPAIR TABLE, SHOW PARTITIONS, SHOW TABLES, DESCRIBE, ALTER TABLE … ADD PARTITION"
                .to_owned())
        }
    }
}

fn name_of_key(text: &str) -> String {
    name(text)
}

fn select(glue: &Glue, s3: &S3, database: &str, statement: &str) -> Result<Rows, String> {
    let clauses = clauses(statement, &["SELECT", "FROM", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "JOIN", "UNION"]);
    let clause = |wanted: &str| clauses.iter().find(|(head, _)| head == wanted).map(|(_, text)| *text);
    if clause("JOIN").is_some() || clause("UNION").is_some() {
        return Err("NOT_SUPPORTED: JOIN and UNION are not part of the query subset".to_owned());
    }
    let from = clause("FROM").ok_or("SYNTAX_ERROR: FROM expected")?;
    let mut from = from.split_whitespace();
    let table_name = from.next().ok_or("SYNTAX_ERROR: a table expected behind FROM")?;
    if table_name.starts_with('(') {
        return Err("NOT_SUPPORTED: subqueries are not part of the query subset".to_owned());
    }
    let (database, table_name) = qualified(table_name, database);
    let found = glue.table(&database, &table_name).or_else(|| glue.tables().find(|(_, known, _)| *known == table_name).map(|(_, _, table)| table));
    let table = found.ok_or_else(|| {
        format!(
            "TABLE_NOT_FOUND: Table '{database}.{table_name}' does not exist; there are: {}",
            glue.tables().map(|(d, t, _)| format!("{d}.{t}")).collect::<Vec<_>>().join(", ")
        )
    })?;
    let mut out = Rows::default();
    let plain_count = clauses.len() == 2 && clause("SELECT").is_some_and(|items| items.replace(' ', "").eq_ignore_ascii_case("count(*)"));
    if plain_count && table.form == Form::Parquet {
        // The footers know.
        let count = footers(table, s3, &mut out)?;
        out.columns = vec!["_col0".to_owned()];
        out.rows = vec![vec![json!(count)]];
        return Ok(out);
    }
    let mut rows = scan(table, s3, &mut out)?;
    if let Some(condition) = clause("WHERE") {
        let condition = parse(condition)?;
        let mut kept = Vec::new();
        for row in rows {
            if eval(&condition, &row, None)? == json!(true) {
                kept.push(row);
            }
        }
        rows = kept;
    }
    let items = clause("SELECT").unwrap_or_default();
    let distinct = items.to_uppercase().starts_with("DISTINCT ");
    let items = if distinct { items[9..].trim() } else { items };
    let mut wanted: Vec<(String, Option<Expr>)> = Vec::new();
    for item in parts(items) {
        if item == "*" {
            wanted.extend(table.columns.iter().chain(&table.partition_keys).map(|(name, _)| (name.clone(), None)));
            continue;
        }
        let list = words(item);
        let alias = match list.as_slice() {
            [.., (at, word), (_, alias)] if word.eq_ignore_ascii_case("as") => Some((name(alias), *at)),
            [.., (_, before), (at, alias)]
                if alias.starts_with(|c: char| c.is_alphabetic() || c == '"' || c == '_')
                    && (before == ")" || before.ends_with(|c: char| c.is_alphanumeric() || c == '"'))
                    && !alias.eq_ignore_ascii_case("end") =>
            {
                Some((name(alias), *at))
            }
            _ => None,
        };
        let body = alias.as_ref().map_or(item, |(_, at)| item[..*at].trim());
        let shown = alias.map_or_else(|| if list.len() == 1 { name(item) } else { format!("_col{}", wanted.len()) }, |(alias, _)| alias);
        wanted.push((shown, Some(parse(body)?)));
    }
    let groups: Vec<Expr> = match clause("GROUP BY") {
        None => Vec::new(),
        Some(text) => parts(text)
            .into_iter()
            .map(|part| match part.parse::<usize>() {
                Ok(place) => wanted
                    .get(place.wrapping_sub(1))
                    .and_then(|(_, expr)| expr.clone())
                    .ok_or_else(|| format!("SYNTAX_ERROR: GROUP BY position {part} is not in the select list")),
                Err(_) => parse(part),
            })
            .collect::<Result<_, _>>()?,
    };
    let grouped = !groups.is_empty() || wanted.iter().any(|(_, expr)| expr.as_ref().is_some_and(has_aggregate));
    out.columns = wanted.iter().map(|(name, _)| name.clone()).collect();
    let mut result: Vec<(Vec<Value>, Row, Vec<Row>)> = Vec::new();
    let cells = |row: &Row, group: Option<&[Row]>| -> Result<Vec<Value>, String> {
        wanted
            .iter()
            .map(|(name, expr)| expr.as_ref().map_or_else(|| Ok(row.get(name).cloned().unwrap_or_default()), |expr| eval(expr, row, group)))
            .collect()
    };
    if grouped {
        let mut by_key: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for row in rows {
            let key: Vec<Value> = groups.iter().map(|expr| eval(expr, &row, None)).collect::<Result<_, _>>()?;
            by_key.entry(json!(key).to_string()).or_default().push(row);
        }
        if groups.is_empty() && by_key.is_empty() {
            by_key.insert(String::new(), Vec::new());
        }
        let having = clause("HAVING").map(parse).transpose()?;
        for group in by_key.into_values() {
            let first = group.first().cloned().unwrap_or_default();
            if let Some(having) = &having
                && eval(having, &first, Some(&group))? != json!(true)
            {
                continue;
            }
            result.push((cells(&first, Some(&group))?, first, group));
        }
    } else {
        for row in rows {
            result.push((cells(&row, None)?, row, Vec::new()));
        }
    }
    if distinct {
        let mut seen = BTreeSet::new();
        result.retain(|(cells, ..)| seen.insert(json!(cells).to_string()));
    }
    if let Some(text) = clause("ORDER BY") {
        let mut keys: Vec<(Vec<Value>, Vec<bool>)> = vec![(Vec::new(), Vec::new()); result.len()];
        for part in parts(text) {
            let list = words(part);
            let descending = list.last().is_some_and(|(_, word)| word.eq_ignore_ascii_case("desc"));
            let body = match list.last() {
                Some((at, word)) if word.eq_ignore_ascii_case("desc") || word.eq_ignore_ascii_case("asc") => part[..*at].trim(),
                _ => part,
            };
            let place =
                body.parse::<usize>().ok().map(|place| place.wrapping_sub(1)).or_else(|| out.columns.iter().position(|column| *column == name(body)));
            let expr = if place.is_none() { Some(parse(body)?) } else { None };
            for ((cells, row, group), (values, directions)) in result.iter().zip(&mut keys) {
                let value = match (place, &expr) {
                    (Some(place), _) => cells.get(place).cloned().unwrap_or_default(),
                    (None, Some(expr)) => eval(expr, row, grouped.then_some(group))?,
                    (None, None) => Value::Null,
                };
                values.push(value);
                directions.push(descending);
            }
        }
        let mut order_of: Vec<usize> = (0..result.len()).collect();
        order_of.sort_by(|a, b| {
            let (a, b) = (&keys[*a], &keys[*b]);
            a.0.iter()
                .zip(&b.0)
                .zip(&a.1)
                .map(|((x, y), descending)| if *descending { order(y, x) } else { order(x, y) })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        out.rows = order_of.into_iter().map(|at| result[at].0.clone()).collect();
    } else {
        out.rows = result.into_iter().map(|(cells, ..)| cells).collect();
    }
    if let Some(limit) = clause("LIMIT") {
        out.rows.truncate(limit.parse().map_err(|_| format!("SYNTAX_ERROR: LIMIT '{limit}'"))?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (Glue, S3) {
        let (mut glue, mut s3) = (Glue::default(), S3::default());
        let now = VirtualTime(0);
        let call = |glue: &mut Glue, operation: &str, body: Value| glue.call(now, &Call::of("glue", operation, &body).expect("good")).expect("done");
        call(&mut glue, "CreateDatabase", json!({"DatabaseInput": {"Name": "d"}}));
        let storage = json!({"Columns": [{"Name": "vendor", "Type": "string"}, {"Name": "fare", "Type": "double"}], "Location": "s3://bucket/trips"});
        call(
            &mut glue,
            "CreateTable",
            json!({"DatabaseName": "d", "TableInput": {"Name": "trips", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "year", "Type": "string"}]}}),
        );
        s3.create(now, "bucket").expect("free");
        let rows = "{\"vendor\":\"CMT\",\"fare\":10}\n{\"vendor\":\"VTS\",\"fare\":5.5}\n{\"vendor\":\"CMT\",\"fare\":2}\n";
        s3.put(now, "bucket", "trips/year=2019/a", rows.as_bytes().into(), "").expect("there");
        (glue, s3)
    }

    #[test]
    fn partitions_are_found_and_rows_are_counted() {
        let (mut glue, s3) = world();
        let mut athena = Athena::default();
        let mut ask = |text: &str| athena.run(VirtualTime(0), 1, &mut glue, &s3, "d", text).result.map(|rows| json!(rows.rows).to_string());
        assert_eq!(ask("select count(*) from trips"), Ok("[[0]]".to_owned()));
        assert!(ask("MSCK REPAIR TABLE trips;").expect("good").contains("2019"));
        assert_eq!(ask("select count(*) from d.trips"), Ok("[[3]]".to_owned()));
        assert_eq!(
            ask("SELECT vendor, count(*) AS n, sum(fare) total FROM trips GROUP BY vendor ORDER BY n DESC"),
            Ok("[[\"CMT\",2,12],[\"VTS\",1,5.5]]".to_owned())
        );
        assert_eq!(ask("select vendor from trips where fare > 5 and year = '2019' order by fare limit 1"), Ok("[[\"VTS\"]]".to_owned()));
        assert_eq!(ask("select distinct vendor from trips"), Ok("[[\"CMT\"],[\"VTS\"]]".to_owned()));
        assert_eq!(ask("select vendor, avg(fare) from trips group by 1 having count(*) > 1"), Ok("[[\"CMT\",6.0]]".to_owned()));
        assert!(ask("select nothing from trips").expect_err("unknown").contains("COLUMN_NOT_FOUND"));
        assert!(ask("select * from elsewhere").expect_err("unknown").contains("TABLE_NOT_FOUND"));
        assert!(ask("drop table trips").is_err() && ask("select * from trips a join trips b").is_err());
    }
}
