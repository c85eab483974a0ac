//! `kinlab sql`: programs of Kinesis Data Analytics for SQL over real records: run, check, test, explain, discover, or typed live.

mod live;
mod prompt;
mod running;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value as Json;

use crate::engine::time::VirtualTime;
use crate::session::input::{self, InputFormat, InputOptions};
use crate::sql::cases::{self, Status};
use crate::sql::decode::Schema;
use crate::sql::discover::discover;
use crate::sql::explain::explain;
use crate::sql::{Catalog, Diagnostic, Program, ReferenceTable, Severity, SourceStream};

use super::{NOT_MET, OK, Pace, USAGE};

use live::interactive;
use running::run;

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

const HELP: &str = "\
CREATE …;               statements are collected until ;  and checked together
insert VALUE, …         a row for the source stream: values of its columns, at the clock
at TIME                 move the clock: yyyy-MM-dd HH:mm:ss (it stands there), or +10 for seconds
live [off]              at a terminal: the clock runs with the wall's, as at first, or stands
source NAME TYPE, …     the columns of SOURCE_SQL_STREAM_001; empties it
select STREAM           rows of a stream so far
streams  pumps  explain  reset  quit";
