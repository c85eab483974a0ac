//! Programs typed live: statements, rows, what the program says.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::cli::{NOT_MET, OK};
use crate::sql::datetime::{parse_iso, timestamp_millis_text};
use crate::sql::explain::explain;
use crate::sql::value::Value;
use crate::sql::{Catalog, Program, Running, SourceStream};

use super::prompt::{Line, Prompt, Words};
use super::{EPOCH, HELP, rendered};

/// A live program.
struct Live {
    text: String,
    columns: Vec<(String, crate::sql::types::SqlType, bool)>,
    running: Option<Running>,
    rows: Vec<(i64, Vec<Value>)>,
    clock: i64,
    /// Whether the clock follows the wall's; `None` where it cannot, away from a terminal.
    runs: Option<bool>,
    shown: Vec<(String, String)>,
}

impl Live {
    fn new() -> Self {
        Self { text: String::new(), columns: Vec::new(), running: None, rows: Vec::new(), clock: EPOCH, runs: None, shown: Vec::new() }
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

    fn move_to(&mut self, to: i64) -> String {
        self.clock = to;
        if let Some(running) = &mut self.running {
            running.advance_to(to);
        }
        self.news()
    }

    /// Milliseconds have passed on the wall's clock: what comes of it.
    fn passed(&mut self, ms: i64) -> String {
        if self.runs == Some(true) { self.move_to(self.clock + ms) } else { String::new() }
    }

    fn word(&mut self, word: &str, line: &str) -> Result<String, String> {
        let rest = line.get(word.len()..).unwrap_or_default().trim().trim_end_matches(';').trim();
        match word {
            "help" | "?" => Ok(format!("{HELP}\n")),
            "reset" => {
                *self = Self { runs: self.runs, ..Self::new() };
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
                // An instant that was named is there to stay.
                self.runs = self.runs.map(|runs| runs && rest.starts_with('+'));
                Ok(self.move_to(to))
            }
            "live" => {
                let Some(runs) = &mut self.runs else { return Err("the clock runs at a terminal only; here 'at' moves it".to_owned()) };
                *runs = !rest.eq_ignore_ascii_case("off");
                let now = timestamp_millis_text(self.clock);
                Ok(if *runs { format!("the clock runs from {now}\n") } else { format!("the clock stands at {now}\n") })
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

/// Words of the prompt, at the beginning of a line.
const WORDS: [&str; 13] = ["insert", "at", "live", "source", "select", "streams", "pumps", "explain", "reset", "quit", "exit", "help", "?"];

/// A session of typing: the program, and statements that are not complete yet.
struct Typing {
    state: Live,
    pending: String,
    code: u8,
}

impl Typing {
    /// A line. Answers whether it was the last one.
    fn line(&mut self, line: &str, out: &mut dyn Write) -> std::io::Result<bool> {
        if self.pending.is_empty() && line.trim().is_empty() {
            return Ok(false);
        }
        let first = line.split_whitespace().next().unwrap_or_default().to_lowercase();
        let is_word = self.pending.is_empty() && WORDS.contains(&first.as_str());
        if matches!(first.as_str(), "quit" | "exit") && is_word {
            return Ok(true);
        }
        let answer = if is_word {
            self.state.word(&first, line.trim())
        } else {
            self.pending.push_str(line);
            if !line.trim_end().ends_with(';') {
                return Ok(false);
            }
            self.state.statement(&std::mem::take(&mut self.pending))
        };
        match answer {
            Ok(text) => write!(out, "{text}")?,
            Err(text) => {
                self.code = NOT_MET;
                writeln!(out, "{}", text.trim_end())?;
            }
        }
        Ok(false)
    }

    /// What Tab completes with.
    fn words(&self) -> Words {
        use crate::session::code::{words, written};
        let code = format!("{}{}", self.state.text, self.pending);
        let mut others: Vec<String> = words(&self.state.catalog(), &code).into_iter().map(|(word, _)| word).collect();
        for stream in self.state.running.iter().flat_map(|running| &running.plan().streams) {
            others.push(written(&stream.name));
            others.extend(stream.visible().map(|(_, column)| written(&column.name)));
        }
        if !self.pending.is_empty() {
            return Words { first: others.clone(), others };
        }
        let begins = others.iter().filter(|word| word.starts_with("CREATE")).cloned();
        Words { first: WORDS.iter().map(|word| (*word).to_owned()).chain(begins).collect(), others }
    }
}

/// A program typed live: statements, rows, the clock. At a terminal the clock follows the wall's.
#[allow(clippy::disallowed_methods, reason = "the clock of a program that is typed live follows the wall's")]
pub(super) fn interactive() -> std::io::Result<u8> {
    let terminal = std::io::stdin().is_terminal();
    let mut typing = Typing { state: Live::new(), pending: String::new(), code: OK };
    writeln!(std::io::stdout(), "kinlab sql: a program of Kinesis Data Analytics for SQL, live. help lists the words.")?;
    if terminal && std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb") {
        typing.state.runs = Some(true);
        let mut prompt = Prompt::new();
        loop {
            let words = typing.words();
            let mark = if typing.pending.is_empty() { "sql> " } else { "...> " };
            let state = &mut typing.state;
            let mut since = Instant::now();
            let mut news = || {
                // What is left of a millisecond is not lost: it stays in the time of the last look.
                let passed = since.elapsed().as_millis() as u64;
                since += Duration::from_millis(passed);
                state.passed(passed as i64)
            };
            let line = prompt.read(mark, &words, &mut news)?;
            let last = news();
            let mut out = std::io::stdout().lock();
            write!(out, "{last}")?;
            match line {
                Line::End => return Ok(typing.code),
                Line::GivenUp => typing.pending.clear(),
                Line::Text(line) => {
                    if typing.line(&(line + "\n"), &mut out)? {
                        return Ok(typing.code);
                    }
                }
            }
        }
    }
    let (mut out, mut input) = (std::io::stdout().lock(), std::io::stdin().lock());
    loop {
        if terminal {
            write!(out, "{}", if typing.pending.is_empty() { "sql> " } else { "...> " })?;
            out.flush()?;
        }
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 || typing.line(&String::from_utf8_lossy(&line), &mut out)? {
            return Ok(typing.code);
        }
    }
}
