//! Programs typed live: statements, rows, what the program says.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use serde_json::Value as Json;

use crate::cli::{NOT_MET, OK};
use crate::sql::datetime::{parse_iso, timestamp_millis_text};
use crate::sql::explain::explain;
use crate::sql::value::Value;
use crate::sql::{Catalog, Program, Running, SourceStream};

use super::{EPOCH, HELP, rendered};

/// A live program.
struct Live {
    text: String,
    columns: Vec<(String, crate::sql::types::SqlType, bool)>,
    running: Option<Running>,
    rows: Vec<(i64, Vec<Value>)>,
    clock: i64,
    shown: Vec<(String, String)>,
}

impl Live {
    fn new() -> Self {
        Self { text: String::new(), columns: Vec::new(), running: None, rows: Vec::new(), clock: EPOCH, shown: Vec::new() }
    }

    fn catalog(&self) -> Catalog {
        Catalog { sources: vec![SourceStream { name: "SOURCE_SQL_STREAM_001".to_owned(), columns: self.columns.clone() }], tables: Vec::new() }
    }

    /// Save and run: the state begins anew, the rows so far are played again.
    fn rebuild(&mut self, text: &str) -> Result<Vec<String>, String> {
        let program = Program::compile(text, &self.catalog()).map_err(|errors| rendered(Path::new("sql"), text, &errors).join("\n"))?;
        let mut running = Running::new(program.plan, self.rows.first().map_or(self.clock, |(at, _)| *at), 1);
        for (at, row) in &self.rows {
            running.insert(0, *at, row.clone());
        }
        running.advance_to(self.clock);
        self.running = Some(running);
        self.shown.clear();
        Ok(rendered(Path::new("sql"), text, &program.warnings))
    }

    fn statement(&mut self, statement: &str) -> Result<String, String> {
        let text = format!("{}{statement}", self.text);
        let warnings = self.rebuild(&text)?;
        self.text = text;
        Ok(warnings.concat() + &self.news())
    }

    /// Rows that came since the last look.
    fn news(&mut self) -> String {
        let mut out = String::new();
        let Some(running) = &mut self.running else { return out };
        let plan = running.plan().clone();
        for (at, stream) in plan.streams.iter().enumerate().filter(|(_, stream)| !stream.source) {
            for row in running.drain(at) {
                let cells: Vec<String> =
                    stream.visible().map(|(cell, column)| format!("{}={}", column.name, row.cells[cell].to_text(&column.ty))).collect();
                let line = format!("{} {}  {}\n", timestamp_millis_text(row.time), stream.name, cells.join("  "));
                self.shown.push((stream.name.clone(), line.clone()));
                out.push_str(&line);
            }
        }
        out
    }

    fn word(&mut self, word: &str, line: &str) -> Result<String, String> {
        let rest = line.get(word.len()..).unwrap_or_default().trim().trim_end_matches(';').trim();
        match word {
            "help" | "?" => Ok(format!("{HELP}\n")),
            "reset" => {
                *self = Self::new();
                Ok("empty again\n".to_owned())
            }
            "source" => {
                // The columns are read as CREATE STREAM reads them.
                let (statements, errors) = crate::sql::parse::program(&format!("CREATE STREAM S ({rest});"));
                if let Some(error) = errors.first() {
                    return Err(format!("{}; expected columns such as: source ticker VARCHAR(4), price DOUBLE", error.message));
                }
                if let Some(crate::sql::ast::Statement::Stream { columns, .. }) = statements.first() {
                    self.columns = columns.iter().map(|column| (column.name.name.clone(), column.ty.clone(), column.not_null)).collect();
                    self.rows.clear();
                    let text = self.text.clone();
                    self.rebuild(&text)?;
                }
                Ok(format!("SOURCE_SQL_STREAM_001 has {} columns\n", self.columns.len()))
            }
            "at" => {
                let to = match rest.strip_prefix('+') {
                    Some(seconds) => seconds.trim().parse::<f64>().ok().map(|seconds| self.clock + libm::round(seconds * 1000.0) as i64),
                    None => parse_iso(rest),
                };
                let Some(to) = to.filter(|to| *to >= self.clock) else { return Err("at yyyy-MM-dd HH:mm:ss or at +SECONDS, never back".to_owned()) };
                self.clock = to;
                if let Some(running) = &mut self.running {
                    running.advance_to(to);
                }
                Ok(self.news())
            }
            "insert" => {
                let mut cells = Vec::new();
                let fields = crate::sql::decode::csv_rows(rest, "\n", ",").into_iter().next().unwrap_or_default();
                if fields.len() != self.columns.len() {
                    return Err(format!("{} values for {} columns; 'source …' declares them", fields.len(), self.columns.len()));
                }
                for ((field, _), (name, ty, _)) in fields.iter().zip(&self.columns) {
                    let json = if field.eq_ignore_ascii_case("null") { Json::Null } else { Json::String(field.trim_matches('\'').to_owned()) };
                    cells.push(crate::sql::decode::coerce(&json, ty).map_err(|error| format!("{name}: {}", error.message))?);
                }
                self.rows.push((self.clock, cells.clone()));
                let clock = self.clock;
                if let Some(running) = &mut self.running {
                    running.insert(0, clock, cells);
                }
                Ok(self.news())
            }
            "select" => Ok(self
                .shown
                .iter()
                .filter(|(stream, _)| stream.eq_ignore_ascii_case(rest.trim_matches('"')))
                .map(|(_, line)| line.clone())
                .collect()),
            _ => {
                let Some(running) = &self.running else { return Ok("nothing yet\n".to_owned()) };
                let plan = running.plan();
                Ok(match word {
                    "streams" => plan.streams.iter().enumerate().map(|(at, stream)| format!("{} {} rows\n", stream.name, running.rows(at))).collect(),
                    "pumps" => plan.pumps.iter().map(|pump| format!("{} → {}\n", pump.name, plan.streams[pump.target].name)).collect(),
                    _ => explain(plan, Some(&running.flows())),
                })
            }
        }
    }
}

/// A program typed live: statements, rows, the clock.
pub(super) fn interactive() -> std::io::Result<u8> {
    let terminal = std::io::stdin().is_terminal();
    let mut state = Live::new();
    let (mut out, mut input) = (std::io::stdout().lock(), std::io::stdin().lock());
    writeln!(out, "kinlab sql: a program of Kinesis Data Analytics for SQL, live. help lists the words.")?;
    let mut pending = String::new();
    let mut code = OK;
    loop {
        if terminal {
            write!(out, "{}", if pending.is_empty() { "sql> " } else { "...> " })?;
            out.flush()?;
        }
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(code);
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        if pending.is_empty() && line.trim().is_empty() {
            continue;
        }
        let first = line.split_whitespace().next().unwrap_or_default().to_lowercase();
        let is_word = pending.is_empty()
            && ["insert", "at", "source", "select", "streams", "pumps", "explain", "reset", "quit", "exit", "help", "?"].contains(&first.as_str());
        if matches!(first.as_str(), "quit" | "exit") && is_word {
            return Ok(code);
        }
        let answer = if is_word {
            state.word(&first, line.trim())
        } else {
            pending.push_str(&line);
            if !line.trim_end().ends_with(';') {
                continue;
            }
            state.statement(&std::mem::take(&mut pending))
        };
        match answer {
            Ok(text) => write!(out, "{text}")?,
            Err(text) => {
                code = NOT_MET;
                writeln!(out, "{}", text.trim_end())?;
            }
        }
    }
}
