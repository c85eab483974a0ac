//! The command line.

use std::io::{BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};

use crate::engine::generate::duration::Dur;
use crate::export::frame::{FrameOptions, render_svg, render_text};
use crate::lab::{Diagnostic, Files, Lab, embedded};
use crate::plain::{self, Format, Output};
use crate::session::Session;
use crate::session::driver::Driver;
use crate::session::input::{self, InputFormat, InputOptions};
use crate::session::proof::{Proof, prove};
use crate::tui::app::Look;
use crate::tui::glyphs::GlyphSet;
use crate::tui::ids::Screen;
use crate::tui::run::run_dashboard;
use crate::tui::theme::Theme;

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
        /// Line mode instead of the dashboard; chosen by itself when the output is no terminal.
        #[arg(long)]
        plain: bool,
        /// Theme of the dashboard: ansi, dark, light, cvd, contrast, mono.
        #[arg(long)]
        theme: Option<String>,
        /// ASCII signs only.
        #[arg(long)]
        ascii: bool,
        /// Leave the mouse to the terminal.
        #[arg(long)]
        no_mouse: bool,
        /// Real records: files, or - for standard input (JSON lines, a JSON array, {"Records": […]}, CSV, plain lines).
        #[arg(long, num_args = 1..)]
        input: Vec<String>,
        /// How --input is divided: auto, json-lines, json-array, csv, lines.
        #[arg(long, default_value = "auto")]
        input_format: String,
        /// Member that becomes the partition key, such as userIdentity.arn; the record's hash when absent.
        #[arg(long)]
        key: Option<String>,
        /// Member with the event time; the records then come at their own pace times --replay-speedup.
        #[arg(long)]
        time: Option<String>,
        /// Event seconds per second with --time.
        #[arg(long, default_value_t = 60.0)]
        replay_speedup: f64,
        /// Stream that --input goes to; the lab's own when absent.
        #[arg(long)]
        stream: Option<String>,
    },
    /// Print one frame of the dashboard.
    Screen {
        /// Lab id, the beginning of one, or a folder.
        lab: String,
        /// Virtual time since the start at which the frame is taken.
        #[arg(long)]
        at: Dur,
        /// overview, streams, metrics or journal.
        #[arg(long, default_value = "overview")]
        screen: String,
        /// Columns x rows.
        #[arg(long, default_value = "120x40")]
        size: String,
        /// Theme; matters for svg.
        #[arg(long, default_value = "ansi")]
        theme: String,
        /// text or svg.
        #[arg(long, default_value = "text")]
        format: String,
        /// File with commands to carry out first; the lab's solution of its first two steps when absent.
        #[arg(long)]
        script: Option<PathBuf>,
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
        Task::Run { lab, seed, until, script, format, plain, theme, ascii, no_mouse, input, input_format, key, time, replay_speedup, stream } => {
            match load(&lab) {
                Ok(lab) if !input.is_empty() => {
                    if let Some(format_of_input) = InputFormat::from_word(&input_format) {
                        let options = InputOptions { format: format_of_input, key, time };
                        feed(lab, seed, script, &input, &options, replay_speedup, stream)
                    } else {
                        eprintln!("error: no input format is named '{input_format}'; there are auto, json-lines, json-array, csv, lines");
                        Ok(USAGE)
                    }
                }
                Ok(lab) => {
                    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb") || std::env::var_os("KINLAB_PLAIN").is_some();
                    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
                    if plain || dumb || !terminal || until.is_some() || script.is_some() {
                        run(lab, seed, until, script, format, false)
                    } else {
                        dashboard(lab, seed, theme.as_deref(), ascii, !no_mouse)
                    }
                }
                Err(errors) => Ok(complain(&errors)),
            }
        }
        Task::Screen { lab, at, screen, size, theme, format, script } => match load(&lab) {
            Ok(lab) => one_screen(lab, at, &screen, &size, &theme, &format, script),
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

/// Real records through the lab's world: every one is accounted for.
fn feed(
    lab: Arc<Lab>,
    seed: Option<u64>,
    script: Option<PathBuf>,
    names: &[String],
    options: &InputOptions,
    speedup: f64,
    stream: Option<String>,
) -> std::io::Result<u8> {
    let target =
        stream.or_else(|| lab.scenario.producer.values().next().map(|producer| producer.target.clone())).unwrap_or_else(|| "input".to_owned());
    if !(0.001..=1e6).contains(&speedup) {
        eprintln!("error: {speedup} is no speed-up; write a number from 0.001 to 1000000");
        return Ok(USAGE);
    }
    let mut session = match Session::new(lab, seed) {
        Ok(session) => session,
        Err(error) => {
            eprintln!("error: {error}");
            return Ok(USAGE);
        }
    };
    if let Some(path) = script {
        let text = std::fs::read_to_string(&path).map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        for line in text.lines() {
            let outcome = session.line(line);
            if outcome.failed {
                eprintln!("error: '{line}': {}", outcome.message);
                return Ok(NOT_MET);
            }
        }
    }
    let (mut records, mut issues) = (Vec::new(), 0usize);
    for name in names {
        let mut bytes = Vec::new();
        let read = if name == "-" { std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ()) } else { std::fs::read(name).map(|all| bytes = all) };
        if let Err(error) = read {
            eprintln!("error: {name}: {error}");
            return Ok(USAGE);
        }
        let found = input::read(&bytes, options);
        for issue in &found.issues {
            eprintln!("{name}:{}: {}", issue.place, issue.text);
        }
        issues += found.issues.len();
        records.extend(found.records);
    }
    let read = records.len() + issues;
    let speedup_permille = options.time.is_some().then(|| libm::round(speedup * 1000.0) as u64);
    if let Err(error) = session.feed(&target, records, speedup_permille) {
        eprintln!("error: {error}");
        return Ok(USAGE);
    }
    let (offered, stored, refused) = session.finish_input();
    let (mut data, mut narration) = (std::io::stdout().lock(), std::io::stderr().lock());
    writeln!(data, "input: read {read} = put {offered} + issues {issues}; put {offered} = stored {stored}; refused and sent again {refused}")?;
    plain::summary(&session, &mut Output { data: &mut data, narration: &mut narration, format: Format::Text })?;
    let complete = read as u64 == offered + issues as u64 && offered == stored;
    Ok(if session.broken_rule().is_some() {
        BROKEN
    } else if complete {
        OK
    } else {
        NOT_MET
    })
}

/// The theme to use: the one asked for, `mono` when colours are unwanted, else the first.
fn theme_of(name: Option<&str>) -> Result<&'static Theme, String> {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let name = name.unwrap_or(if unwanted { "mono" } else { "ansi" });
    Theme::by_name(name).ok_or_else(|| format!("no theme is named '{name}'; there are ansi, dark, light, cvd, contrast, mono"))
}

fn dashboard(lab: Arc<Lab>, seed: Option<u64>, theme: Option<&str>, ascii: bool, mouse: bool) -> std::io::Result<u8> {
    let look = match theme_of(theme) {
        Ok(theme) => Look { theme, glyphs: if ascii { GlyphSet::Ascii } else { GlyphSet::Unicode }, mouse, ..Look::default() },
        Err(error) => {
            eprintln!("error: {error}");
            return Ok(USAGE);
        }
    };
    let mut session = match Session::new(lab, seed) {
        Ok(session) => session,
        Err(error) => {
            eprintln!("error: {error}");
            return Ok(USAGE);
        }
    };
    session.keep_checkpoints();
    run_dashboard(&mut session, look)?;
    let (mut data, mut narration) = (std::io::stdout().lock(), std::io::stderr().lock());
    plain::summary(&session, &mut Output { data: &mut data, narration: &mut narration, format: Format::Text })?;
    if let Some(rule) = session.broken_rule() {
        eprintln!("kinlab: a rule of the simulation was broken.\n\n  {rule}\n\nThe lines of this run, with their instants:\n{}", session.log_text());
        return Ok(BROKEN);
    }
    Ok(if session.lab().finished() { OK } else { NOT_MET })
}

fn one_screen(lab: Arc<Lab>, at: Dur, screen: &str, size: &str, theme: &str, format: &str, script: Option<PathBuf>) -> std::io::Result<u8> {
    let wrong = |text: String| {
        eprintln!("error: {text}");
        Ok(USAGE)
    };
    let Some(screen) = Screen::ALL.iter().copied().find(|known| known.title().eq_ignore_ascii_case(screen)) else {
        return wrong(format!("no screen is named '{screen}'; there are {}", Screen::ALL.map(|screen| screen.title().to_lowercase()).join(", ")));
    };
    let parsed = size.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let Some((width, height)) = parsed.filter(|(width, height)| (1..=1000).contains(width) && (1..=1000).contains(height)) else {
        return wrong(format!("'{size}' is no size; write columns x rows, for example 120x40"));
    };
    let theme = match theme_of(Some(theme)) {
        Ok(theme) => theme,
        Err(error) => return wrong(error),
    };
    let lines: Vec<String> = match script {
        Some(path) => match std::fs::read_to_string(&path) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(error) => return wrong(format!("{}: {error}", path.display())),
        },
        None => lab.steps.iter().take(2).flat_map(|step| step.spec.solution.clone()).filter(|line| !line.starts_with("run 6")).collect(),
    };
    let mut session = match Session::new(lab, None) {
        Ok(session) => session,
        Err(error) => return wrong(error),
    };
    for line in &lines {
        let outcome = session.line(line);
        if outcome.failed {
            return wrong(format!("'{line}': {}", outcome.message));
        }
    }
    session.advance(session.epoch() + at.0);
    let options = FrameOptions { theme, ..FrameOptions::new(screen, width, height) };
    let view = Driver::view(&mut session, &options.wants());
    let text = match format {
        "text" => render_text(&view, &options),
        "svg" => render_svg(&view, &options),
        other => return wrong(format!("no format is named '{other}'; there are text and svg")),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(OK)
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
