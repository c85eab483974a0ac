//! `kinlab sql`: programs of Kinesis Data Analytics for SQL over real records: run, check, test, explain, discover, or typed live.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value as Json;

use crate::engine::time::VirtualTime;
use crate::session::input::{self, InputFormat, InputOptions};
use crate::sql::cases::{self, Status};
use crate::sql::datetime::{parse_iso, timestamp_millis_text};
use crate::sql::decode::Schema;
use crate::sql::decoder::Decoder;
use crate::sql::discover::discover;
use crate::sql::explain::{explain, why_no_rows};
use crate::sql::value::Value;
use crate::sql::{Catalog, Diagnostic, Program, ReferenceTable, Running, Severity, SourceStream};

use super::{NOT_MET, OK, Pace, USAGE};

/// Records that discovery looks at.
const SAMPLES: usize = 500;
/// Records between two looks at the rows of a stream.
const TOGETHER: usize = 1024;
/// The first instant of records without a time: 2024-01-01.
const EPOCH: i64 = 1_704_067_200_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RowsFormat {
    Table,
    Jsonl,
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TestFormat {
    Text,
    Json,
    Junit,
}

/// What the program reads.
#[derive(Debug, Clone, Args)]
pub(super) struct SourceArguments {
    /// The service's InputSchema as JSON; discovered from the records when absent.
    #[arg(long)]
    schema: Option<PathBuf>,
    /// Name of the input stream.
    #[arg(long, default_value = "SOURCE_SQL_STREAM_001")]
    source: String,
    /// Reference table: NAME=FILE (CSV with a header, or JSON); repeatable.
    #[arg(long)]
    reference: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct RunArguments {
    /// The program.
    file: PathBuf,
    #[command(flatten)]
    source: SourceArguments,
    /// Records: files, or - for standard input.
    #[arg(long, num_args = 1.., default_value = "-")]
    input: Vec<String>,
    /// How --input is divided: auto, json-lines, json-array, csv, lines.
    #[arg(long, default_value = "auto")]
    input_format: String,
    /// Member with the event time: it becomes ROWTIME. Without it a record comes every --every.
    #[arg(long)]
    time: Option<String>,
    /// Milliseconds between records without a time.
    #[arg(long, default_value_t = 10)]
    every: u64,
    /// Streams to print; those that no pump reads when absent. error_stream is one, * means all.
    #[arg(long)]
    stream: Vec<String>,
    /// Read standard input as it comes, with the wall clock as ROWTIME.
    #[arg(long)]
    follow: bool,
    /// How long the clock goes on behind the last record, in seconds, so that windows close.
    #[arg(long, default_value_t = 3600)]
    linger: u64,
    /// Form of the rows.
    #[arg(long, value_enum, default_value_t = RowsFormat::Table)]
    format: RowsFormat,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum SqlTask {
    /// Pipe records through a program.
    Run(RunArguments),
    /// Diagnostics and the pump graph.
    Check {
        /// The program.
        file: PathBuf,
        #[command(flatten)]
        source: SourceArguments,
        /// Form of the report.
        #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
        format: CheckFormat,
    },
    /// Run case files.
    Test {
        /// Case files.
        files: Vec<PathBuf>,
        /// Form of the report.
        #[arg(long, value_enum, default_value_t = TestFormat::Text)]
        format: TestFormat,
    },
    /// The operators, what makes each emit, and what it holds.
    Explain {
        /// The program.
        file: PathBuf,
        #[command(flatten)]
        source: SourceArguments,
    },
    /// Discover the schema of records.
    Discover {
        /// Records: files, or - for standard input.
        #[arg(default_value = "-")]
        input: Vec<String>,
        /// How they are divided.
        #[arg(long, default_value = "auto")]
        input_format: String,
    },
}

/// A record and its event time.
type TimedRecord = (Option<VirtualTime>, Vec<u8>);

/// What stops a command: sentences for standard error.
type Failed = Vec<String>;

fn one(text: impl std::fmt::Display) -> Failed {
    vec![format!("error: {text}")]
}

fn read(path: &Path) -> Result<String, Failed> {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| one(format!("{}: {error}", path.display())))
}

fn bytes_of(name: &str) -> Result<Vec<u8>, Failed> {
    let mut bytes = Vec::new();
    let read = if name == "-" { std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ()) } else { std::fs::read(name).map(|all| bytes = all) };
    read.map(|()| bytes).map_err(|error| one(format!("{name}: {error}")))
}

fn format_of(word: &str) -> Result<InputFormat, Failed> {
    InputFormat::from_word(word).ok_or_else(|| one(format!("no input format is named '{word}'; there are auto, json-lines, json-array, csv, lines")))
}

fn schema_of(path: Option<&Path>, samples: &[Vec<u8>]) -> Result<Schema, Failed> {
    let json: Json = match path {
        Some(path) => {
            serde_json::from_str(&read(path)?).map_err(|error| one(format!("{}:{}:{}: {error}", path.display(), error.line(), error.column())))?
        }
        None => discover(samples).map_err(|why| one(format!("no schema was given and none can be discovered: {why}")))?.schema,
    };
    Schema::from_json(&json).map_err(|why| {
        one(match path {
            Some(path) => format!("{}: {why}", path.display()),
            None => why,
        })
    })
}

fn table(argument: &str) -> Result<ReferenceTable, Failed> {
    let (name, file) = argument.split_once('=').ok_or_else(|| one(format!("--reference {argument}: expected NAME=FILE")))?;
    let bytes = bytes_of(file)?;
    let found = discover(std::slice::from_ref(&bytes)).map_err(|why| one(format!("{file}: {why}")))?;
    let schema = Schema::from_json(&found.schema).map_err(|why| one(format!("{file}: {why}")))?;
    let mut rows = Vec::new();
    let is_csv = found.schema["RecordFormat"]["RecordFormatType"] == "CSV";
    let has_header = is_csv && !schema.columns.iter().all(|column| column.name.starts_with("COL_"));
    for (at, row) in schema.rows(&bytes).into_iter().enumerate() {
        match row {
            // The header gave the names.
            _ if at == 0 && has_header => {}
            Ok(row) => rows.push(row),
            Err(error) => eprintln!("{file}: row {}: {}", at + 1, error.message),
        }
    }
    let columns = schema.columns.into_iter().map(|column| (column.name, column.ty)).collect();
    Ok(ReferenceTable { name: name.to_owned(), columns, rows })
}

fn catalog(source: &SourceArguments, samples: &[Vec<u8>]) -> Result<(Catalog, Schema), Failed> {
    let schema = schema_of(source.schema.as_deref(), samples)?;
    let columns = schema.columns.iter().map(|column| (column.name.clone(), column.ty.clone(), column.not_null)).collect();
    let tables = source.reference.iter().map(|argument| table(argument)).collect::<Result<_, _>>()?;
    Ok((Catalog { sources: vec![SourceStream { name: source.source.clone(), columns }], tables }, schema))
}

fn rendered(path: &Path, text: &str, findings: &[Diagnostic]) -> Failed {
    findings.iter().map(|finding| finding.render(&path.display().to_string(), text)).collect()
}

fn compile(path: &Path, catalog: &Catalog) -> Result<Program, Failed> {
    let text = read(path)?;
    match Program::compile(&text, catalog) {
        Ok(program) => {
            for warning in rendered(path, &text, &program.warnings) {
                eprintln!("{warning}");
            }
            Ok(program)
        }
        Err(errors) => Err(rendered(path, &text, &errors)),
    }
}

/// `kinlab sql …`.
pub(super) fn sql(task: Option<SqlTask>, pace: &Pace) -> std::io::Result<u8> {
    let done = match task {
        None => return interactive(),
        Some(SqlTask::Run(arguments)) => run(&arguments, pace),
        Some(SqlTask::Check { file, source, format }) => check(&file, &source, format),
        Some(SqlTask::Test { files, format }) => test(&files, format),
        Some(SqlTask::Explain { file, source }) => catalog_or_empty(&file, &source).and_then(|catalog| compile(&file, &catalog)).map(|program| {
            let told = write!(std::io::stdout().lock(), "{}", explain(&program.plan, None));
            told.map(|()| OK)
        }),
        Some(SqlTask::Discover { input, input_format }) => discovered(&input, &input_format),
    };
    match done {
        Ok(code) => code,
        Err(lines) => {
            for line in lines {
                eprintln!("{}", line.trim_end());
            }
            Ok(USAGE)
        }
    }
}

/// Without a schema the program's columns are unknown: check needs one.
fn catalog_or_empty(file: &Path, source: &SourceArguments) -> Result<Catalog, Failed> {
    if source.schema.is_none() {
        return Err(one(format!(
            "{}: the columns of {} are not known; give its InputSchema with --schema FILE.json (kinlab sql discover FILE makes one)",
            file.display(),
            source.source
        )));
    }
    catalog(source, &[]).map(|(catalog, _)| catalog)
}

fn records(names: &[String], format: &str, time: Option<&String>) -> Result<Vec<TimedRecord>, Failed> {
    let options = InputOptions { format: format_of(format)?, key: None, time: time.cloned() };
    let mut all = Vec::new();
    for name in names {
        let found = input::read(&bytes_of(name)?, &options);
        for issue in &found.issues {
            eprintln!("{name}:{}: {}", issue.place, issue.text);
        }
        all.extend(found.records.into_iter().map(|record| (record.event_time, record.record.data.0.to_vec())));
    }
    Ok(all)
}

fn discovered(names: &[String], format: &str) -> Result<std::io::Result<u8>, Failed> {
    let samples: Vec<Vec<u8>> = records(names, format, None)?.into_iter().take(SAMPLES).map(|(_, data)| data).collect();
    let found = discover(&samples).map_err(one)?;
    for (name, share, note) in &found.notes {
        eprintln!("{name}: in {:.0} % of the samples{}{note}", share * 100.0, if note.is_empty() { "" } else { "; " });
    }
    let text = serde_json::to_string_pretty(&found.schema).unwrap_or_default();
    Ok(writeln!(std::io::stdout().lock(), "{text}").map(|()| OK))
}

fn check(file: &Path, source: &SourceArguments, format: CheckFormat) -> Result<std::io::Result<u8>, Failed> {
    let catalog = catalog_or_empty(file, source)?;
    let text = read(file)?;
    let (program, findings) = match Program::compile(&text, &catalog) {
        Ok(program) => {
            let warnings = program.warnings.clone();
            (Some(program), warnings)
        }
        Err(errors) => (None, errors),
    };
    let mut out = std::io::stdout().lock();
    let good = findings.iter().all(|finding| finding.severity == Severity::Warning);
    let told = match format {
        CheckFormat::Text => {
            let graph = program.map(|program| explain(&program.plan, None)).unwrap_or_default();
            rendered(file, &text, &findings).into_iter().try_for_each(|finding| writeln!(out, "{finding}")).and_then(|()| write!(out, "{graph}"))
        }
        CheckFormat::Json => {
            let list: Vec<Json> = findings
                .iter()
                .map(|finding| {
                    let (line, column) = finding.place(&text);
                    serde_json::json!({ "severity": finding.severity, "message": finding.message, "line": line, "column": column,
                        "start": finding.span.start, "end": finding.span.end, "fix": finding.fix })
                })
                .collect();
            let pumps: Vec<Json> = program
                .iter()
                .flat_map(|program| {
                    program.plan.pumps.iter().map(|pump| serde_json::json!({ "name": pump.name, "target": program.plan.streams[pump.target].name }))
                })
                .collect();
            writeln!(out, "{}", serde_json::json!({ "diagnostics": list, "pumps": pumps }))
        }
    };
    Ok(told.map(|()| if good { OK } else { USAGE }))
}

fn test(files: &[PathBuf], format: TestFormat) -> Result<std::io::Result<u8>, Failed> {
    if files.is_empty() {
        return Err(one("name at least one case file"));
    }
    let mut results = Vec::new();
    for file in files {
        results.extend(cases::run(&read(file)?).map_err(|why| one(format!("{}: {why}", file.display())))?);
    }
    let count = |status: Status| results.iter().filter(|result| result.status == status).count();
    let (passed, failed, disputed) = (count(Status::Pass), count(Status::Fail), count(Status::Disputed));
    let mut out = std::io::stdout().lock();
    let told = (|| {
        match format {
            TestFormat::Json => writeln!(out, "{}", serde_json::to_string(&results)?)?,
            TestFormat::Junit => {
                let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
                writeln!(out, "<testsuite name=\"kinlab sql test\" tests=\"{}\" failures=\"{failed}\" skipped=\"{disputed}\">", results.len())?;
                for result in &results {
                    write!(out, "  <testcase classname=\"sql\" name=\"{}\"", escape(&result.id))?;
                    match result.status {
                        Status::Pass => writeln!(out, "/>")?,
                        Status::Disputed => writeln!(out, "><skipped message=\"{}\"/></testcase>", escape(&result.message))?,
                        Status::Fail => writeln!(out, "><failure message=\"{}\"/></testcase>", escape(&result.message))?,
                    }
                }
                writeln!(out, "</testsuite>")?;
            }
            TestFormat::Text => {
                for result in results.iter().filter(|result| result.status != Status::Pass) {
                    let word = if result.status == Status::Fail { "FAILED" } else { "disputed" };
                    writeln!(out, "{word} {}: {}\n    expected {}\n    got      {}", result.id, result.message, result.expected, result.got)?;
                }
                writeln!(out, "{passed} passed, {failed} failed, {disputed} disputed")?;
            }
        }
        Ok(if failed == 0 { OK } else { NOT_MET })
    })();
    Ok(told)
}

/// Streams to print: those asked for, or those that no pump reads.
fn chosen(program: &Program, names: &[String]) -> Result<Vec<usize>, Failed> {
    let plan = &program.plan;
    if names.iter().any(|name| name == "*") {
        return Ok((0..plan.streams.len()).filter(|at| !plan.streams[*at].source).collect());
    }
    if !names.is_empty() {
        return names
            .iter()
            .map(|name| {
                plan.stream(name).or_else(|| plan.stream(&name.to_uppercase())).ok_or_else(|| {
                    let known: Vec<&str> = plan.streams.iter().map(|stream| stream.name.as_str()).collect();
                    one(format!("there is no stream '{name}'; there are {}", known.join(", ")))
                })
            })
            .collect();
    }
    let read = |stream: usize| plan.nodes.iter().any(|node| matches!(node.operator, crate::sql::plan::Operator::Scan(other) if other == stream));
    Ok((0..plan.streams.len()).filter(|at| plan.streams[*at].declared && !read(*at)).collect())
}

/// Prints rows as they come.
struct Printer<'o> {
    out: &'o mut dyn Write,
    format: RowsFormat,
    streams: Vec<usize>,
    headed: Option<usize>,
    printed: u64,
}

impl Printer<'_> {
    fn rows(&mut self, running: &mut Running) -> std::io::Result<()> {
        for at in 0..self.streams.len() {
            let stream = self.streams[at];
            let rows = running.drain(stream);
            let plan = running.plan().clone();
            let planned = &plan.streams[stream];
            let columns: Vec<_> = planned.visible().collect();
            for row in rows {
                self.printed += 1;
                let text = |value: &Value, ty: &crate::sql::types::SqlType| match (value, ty) {
                    (Value::Null, _) => String::new(),
                    (Value::Ms(ms), crate::sql::types::SqlType::Timestamp) => timestamp_millis_text(*ms),
                    _ => value.to_text(ty),
                };
                match self.format {
                    RowsFormat::Jsonl => {
                        let mut object = serde_json::Map::new();
                        if self.streams.len() > 1 {
                            object.insert("STREAM".to_owned(), planned.name.clone().into());
                        }
                        object.insert("ROWTIME".to_owned(), timestamp_millis_text(row.time).into());
                        for (cell, column) in &columns {
                            object.insert(column.name.clone(), row.cells[*cell].to_json(&column.ty));
                        }
                        writeln!(self.out, "{}", Json::Object(object))?;
                    }
                    RowsFormat::Csv => {
                        let quote =
                            |field: String| if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field };
                        if self.headed.replace(stream) != Some(stream) {
                            let names: Vec<String> = columns.iter().map(|(_, column)| quote(column.name.clone())).collect();
                            writeln!(self.out, "ROWTIME,{}", names.join(","))?;
                        }
                        let fields: Vec<String> = columns.iter().map(|(cell, column)| quote(text(&row.cells[*cell], &column.ty))).collect();
                        writeln!(self.out, "{},{}", timestamp_millis_text(row.time), fields.join(","))?;
                    }
                    RowsFormat::Table => {
                        let width = |column: &crate::sql::scope::Column| {
                            column.name.chars().count().max(match column.ty.family() {
                                crate::sql::types::Family::Timestamp => 23,
                                crate::sql::types::Family::Text => column.ty.length().unwrap_or(16).clamp(4, 24) as usize,
                                _ => 10,
                            })
                        };
                        if self.headed.replace(stream) != Some(stream) {
                            let names: Vec<String> =
                                columns.iter().map(|(_, column)| format!("{:width$}", column.name, width = width(column))).collect();
                            writeln!(self.out, "-- {}\n{:23}  {}", planned.name, "ROWTIME", names.join("  ").trim_end())?;
                        }
                        let fields: Vec<String> = columns
                            .iter()
                            .map(|(cell, column)| {
                                let shown = if row.cells[*cell].is_null() { "NULL".to_owned() } else { text(&row.cells[*cell], &column.ty) };
                                if column.ty.family() == crate::sql::types::Family::Number {
                                    format!("{shown:>width$}", width = width(column))
                                } else {
                                    format!("{shown:width$}", width = width(column))
                                }
                            })
                            .collect();
                        writeln!(self.out, "{}  {}", timestamp_millis_text(row.time), fields.join("  ").trim_end())?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn run(arguments: &RunArguments, pace: &Pace) -> Result<std::io::Result<u8>, Failed> {
    if arguments.follow {
        return follow(arguments, pace);
    }
    let all = records(&arguments.input, &arguments.input_format, arguments.time.as_ref())?;
    let samples: Vec<Vec<u8>> = all.iter().take(SAMPLES).map(|(_, data)| data.clone()).collect();
    let (catalog, schema) = catalog(&arguments.source, &samples)?;
    let program = compile(&arguments.file, &catalog)?;
    let streams = chosen(&program, &arguments.stream)?;
    // Records in the order of their time; those without one come with the record before them.
    let mut last = all.iter().find_map(|(at, _)| *at).map_or(EPOCH, |at| (at.0 / 1000) as i64);
    let mut timed: Vec<(i64, Vec<u8>)> = Vec::with_capacity(all.len());
    for (index, (at, data)) in all.into_iter().enumerate() {
        last = match at {
            Some(at) => (at.0 / 1000) as i64,
            None if arguments.time.is_some() => last,
            None => EPOCH + index as i64 * arguments.every as i64,
        };
        timed.push((last, data));
    }
    timed.sort_by_key(|(at, _)| *at);
    let start = timed.first().map_or(EPOCH, |(at, _)| *at);
    let mut running = Running::new(program.plan.clone(), start, pace.seed.unwrap_or(1));
    for stream in 0..program.plan.streams.len() {
        running.keep(stream, streams.contains(&stream));
    }
    let stdout = std::io::stdout();
    let mut out = std::io::BufWriter::new(stdout.lock());
    let mut printer = Printer { out: &mut out, format: arguments.format, streams, headed: None, printed: 0 };
    let mut end = start;
    let told = (|| {
        let mut decoder = Decoder::new(&schema, 1);
        for (index, (at, data)) in timed.iter().enumerate() {
            end = *at;
            if printer.streams.len() == 1 {
                // APPROXIMATE_ARRIVAL_TIME follows the declared columns.
                decoder.feed(&mut running, 0, *at, data, &[Value::Ms(*at)]);
                if index.is_multiple_of(TOGETHER) {
                    printer.rows(&mut running)?;
                }
            } else {
                // Rows of several streams are shown as each record makes them.
                put(&mut running, &schema, *at, data);
                printer.rows(&mut running)?;
            }
        }
        decoder.flush(&mut running, 0);
        running.advance_to(end.saturating_add(arguments.linger as i64 * 1000));
        printer.rows(&mut running)?;
        printer.out.flush()
    })();
    let streams = printer.streams.clone();
    if told.is_ok() {
        finish(&running, &program, &streams, timed.len());
    }
    Ok(told.map(|()| OK))
}

fn put(running: &mut Running, schema: &Schema, at: i64, data: &[u8]) {
    for row in schema.rows(data) {
        match row {
            Ok(mut cells) => {
                // APPROXIMATE_ARRIVAL_TIME follows the declared columns.
                cells.push(Value::Ms(at));
                running.insert(0, at, cells);
            }
            Err(error) => running.input_error(&error, at, data),
        }
    }
}

/// The accounting on standard error, and why a stream stayed empty.
fn finish(running: &Running, program: &Program, streams: &[usize], records: usize) {
    let plan = &program.plan;
    let rows: Vec<String> = streams.iter().map(|stream| format!("{} rows in {}", running.rows(*stream), plan.streams[*stream].name)).collect();
    eprintln!("{records} records, {} rows in {}, {}, {} error rows", running.rows(0), plan.streams[0].name, rows.join(", "), running.error_count());
    let flows = running.flows();
    for stream in streams.iter().filter(|stream| running.rows(**stream) == 0 && plan.streams[**stream].declared) {
        eprintln!("why no rows? {}", why_no_rows(plan, &flows, *stream, running.error_count()));
    }
}

#[allow(clippy::disallowed_methods, reason = "following records in real time: the wall clock is the row's time")]
fn follow(arguments: &RunArguments, pace: &Pace) -> Result<std::io::Result<u8>, Failed> {
    let Some(schema) = &arguments.source.schema else { return Err(one("--follow needs --schema: there is nothing yet to discover it from")) };
    let (catalog, decoded) = catalog(&SourceArguments { schema: Some(schema.clone()), ..arguments.source.clone() }, &[])?;
    let program = compile(&arguments.file, &catalog)?;
    let streams = chosen(&program, &arguments.stream)?;
    let wall = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(EPOCH, |since| since.as_millis() as i64);
    let mut running = Running::new(program.plan.clone(), wall(), pace.seed.unwrap_or(1));
    let (send, lines) = std::sync::mpsc::sync_channel::<Vec<u8>>(1024);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut line = Vec::new();
        while stdin.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if send.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    let mut out = std::io::stdout().lock();
    let mut printer = Printer { out: &mut out, format: arguments.format, streams, headed: None, printed: 0 };
    let mut count = 0;
    let told = loop {
        // The clock moves even when no record comes, so windows close.
        match lines.recv_timeout(std::time::Duration::from_millis(100)) {
            Ok(line) => {
                let line = line.trim_ascii();
                if !line.is_empty() {
                    count += 1;
                    put(&mut running, &decoded, wall(), line);
                }
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => running.advance_to(wall() - 1),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                running.advance_to(wall().saturating_add(arguments.linger as i64 * 1000));
                break printer.rows(&mut running);
            }
        }
        if let Err(error) = printer.rows(&mut running).and_then(|()| printer.out.flush()) {
            break Err(error);
        }
    };
    let streams = printer.streams.clone();
    if told.is_ok() {
        finish(&running, &program, &streams, count);
    }
    Ok(told.map(|()| OK))
}

const HELP: &str = "\
CREATE …;               statements are collected until ;  and checked together
insert VALUE, …         a row for the source stream: values of its columns, at the clock
at TIME                 move the clock: yyyy-MM-dd HH:mm:ss, or +10 for seconds
source NAME TYPE, …     the columns of SOURCE_SQL_STREAM_001; empties it
select STREAM           rows of a stream so far
streams  pumps  explain  reset  quit";

/// A program typed live: statements, rows, the clock.
fn interactive() -> std::io::Result<u8> {
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
