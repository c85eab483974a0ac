//! The command line.

use std::io::{BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};

use crate::engine::generate::duration::Dur;
use crate::lab::{Diagnostic, Files, Lab, embedded};
use crate::plain::{self, Format, Output};
use crate::session::Session;
use crate::session::proof::{Proof, prove};

/// All checks passed.
const OK: u8 = 0;
/// Checks are not met.
const NOT_MET: u8 = 1;
/// Wrong usage or a wrong lab file.
const USAGE: u8 = 2;
/// A rule of the simulation is broken.
const BROKEN: u8 = 3;

/// The Amazon Kinesis Immersion Day in one binary, offline.
#[derive(Debug, Parser)]
#[command(
    name = "kinlab",
    version,
    about,
    after_help = "Exit status: 0 all checks passed, 1 checks not met, 2 usage or lab-file error, 3 a rule of the simulation is broken."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// List the labs.
    Labs,
    /// Play a lab; commands come from the terminal, a script or standard input.
    Run {
        /// Lab id, the beginning of one, or a folder.
        lab: String,
        /// Seed instead of the lab's own.
        #[arg(long)]
        seed: Option<u64>,
        /// Virtual time to play on to when the commands end, such as 4m; the lab's duration when absent.
        #[arg(long)]
        until: Option<Dur>,
        /// File with commands, before those of standard input.
        #[arg(long)]
        script: Option<PathBuf>,
        /// Form of standard output.
        #[arg(long, value_enum, default_value_t = FormatArgument::Text)]
        format: FormatArgument,
        /// Line mode (the only mode of this version; accepted for scripts).
        #[arg(long)]
        plain: bool,
    },
    /// An empty account with today's limits: AWS CLI lines on standard input.
    Sh,
    /// Prove labs: each check red before its step and green after its solution, every mistake told by its sentence.
    Check {
        /// Labs; all when absent.
        labs: Vec<String>,
        /// Seeds per lab.
        #[arg(long, default_value_t = 2)]
        seeds: u64,
        /// Form of the report.
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// Read lab files and say what is wrong with them.
    Lint {
        /// Labs: ids or folders.
        labs: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArgument {
    Text,
    Jsonl,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReportFormat {
    Text,
    Json,
    Junit,
}

/// A lab in a folder.
struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, name: &str) -> Option<Arc<[u8]>> {
        // A lab reads its own files only.
        if name.split(['/', '\\']).any(|part| part == "..") || name.starts_with('/') {
            return None;
        }
        std::fs::read(self.0.join(name)).ok().map(Into::into)
    }
}

/// The scenario of `kinlab sh`: no lab, today's limits.
const SHELL: &str = "format = 1\nid = \"sh\"\ntitle = \"kinlab sh\"\nminutes = 1\nsteps = [\"s.md\"]\n\
    clock = { seed = 1, epoch = \"2026-01-01T00:00:00Z\", duration = \"1s\" }\nlimits = { era = \"current\" }\n";
const SHELL_STEP: &str = "+++\nid = \"sh\"\ntitle = \"An empty account\"\nminutes = 1\nobjective = \"Type AWS CLI lines.\"\nchecks = []\n\
    hints = [\"help\", \"aws kinesis help\", \"aws kinesis create-stream --stream-name s --shard-count 1\"]\nsolution = []\n+++\n\
    An empty account with today's limits. Time stands still until you type 'run 5s'.\n";

struct Shell;

impl Files for Shell {
    fn read(&self, name: &str) -> Option<Arc<[u8]>> {
        match name {
            "scenario.toml" => Some(SHELL.as_bytes().into()),
            "s.md" => Some(SHELL_STEP.as_bytes().into()),
            _ => None,
        }
    }
}

fn load(name: &str) -> Result<Arc<Lab>, Vec<Diagnostic>> {
    let folder = PathBuf::from(name);
    if let Some((_, files)) = embedded::find(name) {
        return Lab::load(&files).map(Arc::new);
    }
    if folder.is_dir() {
        return Lab::load(&Folder(folder)).map(Arc::new);
    }
    let known: Vec<&str> = embedded::ids().collect();
    let near = crate::engine::generate::near_miss(name, known.iter().copied()).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    let message = format!("no lab and no folder has this name.{near} There are: {}.", known.join(", "));
    Err(vec![Diagnostic { file: name.to_owned(), line: 0, column: 0, message }])
}

fn complain(errors: &[Diagnostic]) -> u8 {
    for error in errors {
        eprintln!("{error}");
    }
    USAGE
}

/// Entry point of the binary.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { OK };
            // A closed pipe is no reason to fail on help.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let done = match arguments.command.unwrap_or(Task::Labs) {
        Task::Labs => labs(),
        Task::Run { lab, seed, until, script, format, plain: _ } => match load(&lab) {
            Ok(lab) => run(lab, seed, until, script, format, false),
            Err(errors) => Ok(complain(&errors)),
        },
        Task::Sh => match Lab::load(&Shell) {
            Ok(lab) => run(Arc::new(lab), None, None, None, FormatArgument::Text, true),
            Err(errors) => Ok(complain(&errors)),
        },
        Task::Check { labs, seeds, format } => check(&labs, seeds, format),
        Task::Lint { labs } => Ok(lint(&labs)),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        // The reader has gone: nothing is wrong here.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::from(141),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(USAGE)
        }
    }
}

fn labs() -> std::io::Result<u8> {
    let mut out = std::io::stdout().lock();
    for id in embedded::ids() {
        match load(id) {
            Ok(lab) => {
                writeln!(
                    out,
                    "{id}: {} ({} steps, {} min)\n    {}",
                    lab.scenario.title,
                    lab.steps.len(),
                    lab.scenario.minutes,
                    lab.scenario.summary
                )?;
            }
            Err(errors) => return Ok(complain(&errors)),
        }
    }
    writeln!(out, "\nStart one with: kinlab run lab1")?;
    Ok(OK)
}

fn run(lab: Arc<Lab>, seed: Option<u64>, until: Option<Dur>, script: Option<PathBuf>, format: FormatArgument, shell: bool) -> std::io::Result<u8> {
    let mut session = match Session::new(lab, seed) {
        Ok(session) => session,
        Err(error) => {
            eprintln!("error: {error}");
            return Ok(USAGE);
        }
    };
    let mut scripted = Vec::new();
    if let Some(path) = script {
        match std::fs::read(&path) {
            Ok(bytes) => scripted = bytes,
            Err(error) => {
                eprintln!("error: {}: {error}", path.display());
                return Ok(USAGE);
            }
        }
        if !scripted.ends_with(b"\n") {
            scripted.push(b'\n');
        }
    }
    let interactive = std::io::stdin().is_terminal();
    let end = until.map_or_else(|| session.ends(), |until| session.epoch() + until.0);
    let play_on = (!shell && (!interactive || until.is_some())).then_some(end);
    let mut input = BufReader::new(std::io::Cursor::new(scripted).chain(std::io::stdin()));
    let (mut data, mut narration) = (std::io::stdout().lock(), std::io::stderr().lock());
    let format = match format {
        FormatArgument::Text => Format::Text,
        FormatArgument::Jsonl => Format::Jsonl,
    };
    let mut output = Output { data: &mut data, narration: &mut narration, format };
    let good = plain::play(&mut session, &mut input, interactive, play_on, &mut output)?;
    if shell {
        return Ok(if good { OK } else { NOT_MET });
    }
    plain::summary(&session, &mut output)?;
    if let Some(rule) = session.broken_rule() {
        eprintln!("kinlab: a rule of the simulation was broken.\n\n  {rule}\n\nThe lines of this run, with their instants:\n{}", session.log_text());
        return Ok(BROKEN);
    }
    Ok(if session.lab().finished() { OK } else { NOT_MET })
}

fn check(names: &[String], seeds: u64, format: ReportFormat) -> std::io::Result<u8> {
    let names: Vec<String> = if names.is_empty() { embedded::ids().map(str::to_owned).collect() } else { names.to_vec() };
    let mut proofs: Vec<Proof> = Vec::new();
    for name in &names {
        match load(name) {
            Ok(lab) => proofs.extend(prove(&lab, seeds)),
            Err(errors) => return Ok(complain(&errors)),
        }
    }
    let failed = proofs.iter().filter(|proof| !proof.passed).count();
    let mut out = std::io::stdout().lock();
    match format {
        ReportFormat::Text => {
            for proof in &proofs {
                let detail = if proof.passed || proof.detail.is_empty() { String::new() } else { format!(" ({})", proof.detail) };
                writeln!(out, "{} {} {}{detail}", if proof.passed { "ok    " } else { "FAILED" }, proof.lab, proof.name)?;
            }
            writeln!(out, "{} passed, {failed} failed", proofs.len() - failed)?;
        }
        ReportFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&proofs)?)?,
        ReportFormat::Junit => {
            let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            writeln!(out, "<testsuite name=\"kinlab check\" tests=\"{}\" failures=\"{failed}\">", proofs.len())?;
            for proof in &proofs {
                write!(out, "  <testcase classname=\"{}\" name=\"{}\"", escape(&proof.lab), escape(&proof.name))?;
                if proof.passed { writeln!(out, "/>")? } else { writeln!(out, "><failure message=\"{}\"/></testcase>", escape(&proof.detail))? }
            }
            writeln!(out, "</testsuite>")?;
        }
    }
    Ok(if failed == 0 { OK } else { NOT_MET })
}

fn lint(names: &[String]) -> u8 {
    if names.is_empty() {
        eprintln!("error: name at least one lab or folder");
        return USAGE;
    }
    let mut code = OK;
    for name in names {
        match load(name) {
            Ok(lab) => match crate::lab::build_world(&lab, None) {
                Ok(_) => println!("{name}: good"),
                Err(error) => {
                    eprintln!("error: {name}: {error}");
                    code = USAGE;
                }
            },
            Err(errors) => code = complain(&errors),
        }
    }
    code
}
