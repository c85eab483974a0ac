//! `kinlab run`, `kinlab sh` and the dashboard: a session with its commands, its real records and its saved progress.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::engine::agent::AgentConfig;
use crate::lab::{Lab, embedded};
use crate::plain::{self, Format, Output};
use crate::session::Session;
use crate::session::driver::Driver;
use crate::session::input::{self, InputFormat, InputOptions};
use crate::tui::app::Look;
use crate::tui::glyphs::GlyphSet;
use crate::tui::keymap::Keymap;
use crate::tui::labs::{Choice, LabRow, LabsList};
use crate::tui::run::{Exit, choose_lab, run_dashboard};
use crate::tui::theme::Theme;

use super::broken;
use super::exports::Desk;
use super::files::{ParamFiles, RealDisk};
use super::home::{self, Store};
use super::shared::Sharing;
use super::sources::{complain, load, load_with};
use super::{BROKEN, NOT_MET, OK, Pace, USAGE, wrong};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArgument {
    Text,
    Jsonl,
}

/// How the dashboard looks.
#[derive(Debug, Clone, Args)]
pub(super) struct LookArguments {
    /// Theme of the dashboard: ansi, dark, light, cvd, contrast, mono, or a theme file.
    #[arg(long, env = "KINLAB_THEME")]
    pub(super) theme: Option<String>,
    /// ASCII signs only; chosen by itself when the locale is not UTF-8.
    #[arg(long)]
    pub(super) ascii: bool,
    /// Leave the mouse to the terminal.
    #[arg(long)]
    pub(super) no_mouse: bool,
    /// Nothing moves that does not have to.
    #[arg(long)]
    pub(super) no_motion: bool,
}

/// Where records come from besides the lab.
#[derive(Debug, Clone, Args)]
pub(super) struct InputArguments {
    /// Real records: files, or - for standard input (JSON lines, a JSON array, {"Records": […]}, CSV, plain lines).
    #[arg(long, num_args = 1..)]
    pub(super) input: Vec<String>,
    /// How --input is divided: auto, json-lines, json-array, csv, lines.
    #[arg(long, default_value = "auto")]
    pub(super) input_format: String,
    /// Member that becomes the partition key, such as userIdentity.arn; the record's hash when absent.
    #[arg(long)]
    pub(super) key: Option<String>,
    /// Member with the event time; the records then come at their own pace times --replay-speedup.
    #[arg(long)]
    pub(super) time: Option<String>,
    /// Event seconds per second with --time.
    #[arg(long, default_value_t = 60.0)]
    pub(super) replay_speedup: f64,
    /// Stream that --input goes to; the lab's own when absent.
    #[arg(long)]
    pub(super) stream: Option<String>,
    /// Kinesis Agent: its agent.json; the files of its flows become records.
    #[arg(long)]
    pub(super) agent: Option<PathBuf>,
    /// With --agent: go on following the files in real time until --until or Ctrl-C.
    #[arg(long)]
    pub(super) follow: bool,
}

/// What is played.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArguments {
    /// Lab id, the beginning of one, or a folder.
    pub(super) lab: String,
    /// Form of standard output.
    #[arg(long, value_enum, default_value_t = FormatArgument::Text)]
    pub(super) format: FormatArgument,
    /// Line mode instead of the dashboard; chosen by itself when the output is no terminal.
    #[arg(long)]
    pub(super) plain: bool,
    /// Write a report to this file when the run ends: .json (carries the run), .md, else text.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Let others look on: 'kinlab follow FILE' mirrors the dashboard.
    #[arg(long, value_name = "FILE")]
    pub(super) share: Option<PathBuf>,
    /// Begin anew; the saved run is put aside.
    #[arg(long)]
    pub(super) fresh: bool,
    /// Initials in the names of your streams.
    #[arg(long)]
    pub(super) initials: Option<String>,
    /// Open an AWS endpoint beside the lab, at a port or an address of this machine: aws --endpoint-url http://127.0.0.1:4566 …
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "4566")]
    pub(super) serve: Option<String>,
    #[command(flatten)]
    pub(super) look: LookArguments,
    #[command(flatten)]
    pub(super) input: InputArguments,
}

/// The theme to use: one of the program's by name, a theme file by its path or by its name in the folder `themes` of the configuration; without a
/// wish `mono` when colours are unwanted, else what the terminal says of its background.
pub(super) fn theme_of(name: Option<&str>) -> Result<&'static Theme, String> {
    let variable = |name: &str| std::env::var(name).ok();
    let known = Theme::choose(name, variable("NO_COLOR").as_deref(), variable("COLORFGBG").as_deref());
    let Some((name, None)) = name.map(|name| (name, known)) else { return known.ok_or_else(|| "no theme fits".to_owned()) };
    let path = if std::path::Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        PathBuf::from(name)
    } else {
        configuration().unwrap_or_default().join("kinlab/themes").join(format!("{name}.toml"))
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!("no theme is named '{name}': there are ansi, dark, light, cvd, contrast, mono, and {} cannot be read ({error})", path.display())
    })?;
    match Theme::parse(&text) {
        // Themes live as long as the program; there is one of these.
        Ok(theme) => Ok(Box::leak(Box::new(theme))),
        Err(error) => {
            eprintln!("{}: {error}\nThe program's own theme is used.", path.display());
            theme_of(None)
        }
    }
}

/// Where configuration files lie.
fn configuration() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")))
}

/// The locale writes UTF-8; an empty one is taken for UTF-8, as terminals of today are.
fn utf8_locale() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    set.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

pub(super) fn look_of(arguments: &LookArguments) -> Result<Look, String> {
    let theme = theme_of(arguments.theme.as_deref())?;
    let keymap = user_keymap();
    let glyphs = if arguments.ascii || !utf8_locale() { GlyphSet::Ascii } else { GlyphSet::Unicode };
    Ok(Look { theme, glyphs, mouse: !arguments.no_mouse, motion: !arguments.no_motion, keymap })
}

/// The keys, with `keymap.toml` of the configuration folder laid over the defaults. What is wrong in it is told and left out.
fn user_keymap() -> Keymap {
    let Some(Ok(text)) = configuration().map(|folder| std::fs::read_to_string(folder.join("kinlab/keymap.toml"))) else { return Keymap::default() };
    let (keymap, problems) = Keymap::with_user_file(&text);
    for problem in problems {
        eprintln!("{problem}");
    }
    keymap
}

fn format_of(argument: FormatArgument) -> Format {
    match argument {
        FormatArgument::Text => Format::Text,
        FormatArgument::Jsonl => Format::Jsonl,
    }
}

/// `kinlab run`.
pub(super) fn run(arguments: RunArguments, pace: &Pace) -> std::io::Result<u8> {
    if let Some(initials) = arguments.initials.as_deref().filter(|initials| !crate::lab::are_initials(initials)) {
        return wrong(format!("'{initials}' are no initials: one to twelve small letters or digits"));
    }
    let vars: Vec<(String, String)> = arguments.initials.iter().map(|value| ("initials".to_owned(), value.clone())).collect();
    if !arguments.input.input.is_empty() {
        return match load_with(&arguments.lab, &vars) {
            Ok(lab) => feed(lab, pace, &arguments.input),
            Err(errors) => Ok(complain(&errors)),
        };
    }
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb") || std::env::var_os("KINLAB_PLAIN").is_some();
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if arguments.plain || dumb || !terminal || pace.until.is_some() || pace.script.is_some() {
        return match load_with(&arguments.lab, &vars) {
            Ok(lab) if arguments.input.agent.is_some() => agent(lab, pace, &arguments.input),
            Ok(lab) if arguments.serve.is_some() => super::serve::lab(lab, pace, arguments.serve.as_deref().unwrap_or_default()),
            Ok(lab) => lines(lab, pace, arguments.format, arguments.report.as_deref(), false),
            Err(errors) => Ok(complain(&errors)),
        };
    }
    let look = match look_of(&arguments.look) {
        Ok(look) => look,
        Err(error) => return wrong(error),
    };
    let extras = Extras {
        fresh: arguments.fresh,
        agent: arguments.input.agent.as_deref(),
        serve: arguments.serve.as_deref(),
        report: arguments.report.as_deref(),
        share: arguments.share.as_deref(),
    };
    match dashboard(&arguments.lab, vars, &extras, pace, &look)? {
        (code, Exit::Quit | Exit::Failed(_)) => Ok(code),
        (_, Exit::Labs) => list(look, pace),
    }
}

/// What a session uses of the machine: files, python3, the folder of delivered objects.
pub(super) fn equip(session: &mut Session, pace: &Pace) -> Result<(), String> {
    session.read_files_with(Box::new(ParamFiles));
    session.run_python_with(Box::new(super::python::Python));
    if let Some(folder) = &pace.out {
        session.mirror_with(Box::new(super::mirror::Folder::open(folder)?));
    }
    if !pace.deliver_to.is_empty() {
        let places = super::courier::places(&pace.deliver_to)?;
        session.deliver_with(Box::new(super::courier::Sockets), places);
    }
    Ok(())
}

/// A session at the start, at its speed, with the lines of the script carried out.
pub(super) fn session_of(lab: Arc<Lab>, pace: &Pace) -> Result<Session, String> {
    let mut session = Session::new(lab, pace.seed)?;
    equip(&mut session, pace)?;
    if let Some(speed) = &pace.speed {
        let outcome = session.line(&format!("speed {speed}"));
        if outcome.failed {
            return Err(format!("--speed {speed}: {}", outcome.message));
        }
    }
    Ok(session)
}

fn script_bytes(pace: &Pace) -> Result<Vec<u8>, String> {
    let Some(path) = &pace.script else { return Ok(Vec::new()) };
    let mut bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// Line mode.
fn lines(lab: Arc<Lab>, pace: &Pace, format: FormatArgument, report: Option<&Path>, shell: bool) -> std::io::Result<u8> {
    let (mut session, scripted) = match session_of(lab, pace).and_then(|session| Ok((session, script_bytes(pace)?))) {
        Ok(both) => both,
        Err(error) => return wrong(error),
    };
    let interactive = std::io::stdin().is_terminal();
    let end = pace.until.map_or_else(|| session.ends(), |until| session.epoch() + until.0);
    let play_on = (!shell && (!interactive || pace.until.is_some())).then_some(end);
    // A script on a terminal with --until is a whole run: nobody is asked for more.
    let rest: Box<dyn Read> =
        if interactive && pace.script.is_some() && pace.until.is_some() { Box::new(std::io::empty()) } else { Box::new(std::io::stdin()) };
    let mut input = BufReader::new(std::io::Cursor::new(scripted).chain(rest));
    let (mut data, mut narration) = (std::io::stdout().lock(), std::io::stderr().lock());
    let mut output = Output { data: &mut data, narration: &mut narration, format: format_of(format) };
    let paced = pace.speed.as_deref().is_some_and(|speed| speed != "max");
    let good = plain::play(&mut session, &mut input as &mut dyn BufRead, interactive, play_on, paced.then_some(&sleep), &mut output)?;
    if shell {
        return Ok(if good { OK } else { NOT_MET });
    }
    plain::summary(&session, &mut output)?;
    reported(&session, report, end_of(&session))
}

/// Writes the report that was asked for, and ends with `code` when that worked.
fn reported(session: &Session, report: Option<&Path>, code: u8) -> std::io::Result<u8> {
    match report.map(|path| super::replay::write_report(session, path)) {
        Some(Err(error)) => wrong(format!("--report {error}")),
        _ => Ok(code),
    }
}

#[allow(clippy::disallowed_methods, reason = "a paced run without a dashboard has nothing else to wait for")]
fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// `kinlab sh`.
pub(super) fn shell(pace: &Pace, format: FormatArgument) -> std::io::Result<u8> {
    match Lab::load(&super::sources::EmptyAccount::shell()) {
        Ok(lab) => lines(Arc::new(lab), pace, format, None, true),
        Err(errors) => Ok(complain(&errors)),
    }
}

/// Exit code of a finished session; a broken rule is told with everything that repeats it.
pub(super) fn end_of(session: &Session) -> u8 {
    if let Some(rule) = session.broken_rule() {
        let mut told = format!("kinlab: a rule of the simulation was broken.\n\n  {rule}\n");
        let saved = home::folder().map(|home| home.join("broken-run.jsonl")).filter(|path| {
            path.parent().is_some_and(|parent| std::fs::create_dir_all(parent).is_ok()) && std::fs::write(path, session.log_text()).is_ok()
        });
        match saved {
            Some(path) => told += &format!("\n  run      {0}\n  repeat   kinlab replay {0}\n", path.display()),
            None => told += &format!("\nThe run:\n{}", session.log_text()),
        }
        eprintln!("{told}");
        return BROKEN;
    }
    if session.lab().finished() { OK } else { NOT_MET }
}

/// Carries out the script, when there is one.
pub(super) fn scripted(session: &mut Session, pace: &Pace) -> Result<(), String> {
    for line in String::from_utf8_lossy(&script_bytes(pace)?).lines() {
        let outcome = session.line(line);
        if outcome.failed {
            return Err(format!("'{line}': {}", outcome.message));
        }
    }
    Ok(())
}

pub(super) fn write_summary(session: &Session) -> std::io::Result<()> {
    let (mut data, mut narration) = (std::io::stdout().lock(), std::io::stderr().lock());
    plain::summary(session, &mut Output { data: &mut data, narration: &mut narration, format: Format::Text })
}

/// Real records through the lab's world: every one is accounted for.
fn feed(lab: Arc<Lab>, pace: &Pace, arguments: &InputArguments) -> std::io::Result<u8> {
    let own = lab.scenario.producer.values().next().map(|producer| producer.target.clone());
    let target = arguments.stream.clone().or(own).unwrap_or_else(|| "input".to_owned());
    let Some(format) = InputFormat::from_word(&arguments.input_format) else {
        return wrong(format!("no input format is named '{}'; there are auto, json-lines, json-array, csv, lines", arguments.input_format));
    };
    let options = InputOptions { format, key: arguments.key.clone(), time: arguments.time.clone() };
    let speedup = arguments.replay_speedup;
    if !(0.001..=1e6).contains(&speedup) {
        return wrong(format!("{speedup} is no speed-up; write a number from 0.001 to 1000000"));
    }
    let mut session = match session_of(lab, pace) {
        Ok(session) => session,
        Err(error) => return wrong(error),
    };
    if let Err(error) = scripted(&mut session, pace) {
        return wrong(error);
    }
    let (mut records, mut issues) = (Vec::new(), 0usize);
    for name in &arguments.input {
        let mut bytes = Vec::new();
        let read = if name == "-" { std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ()) } else { std::fs::read(name).map(|all| bytes = all) };
        if let Err(error) = read {
            return wrong(format!("{name}: {error}"));
        }
        let found = input::read(&bytes, &options);
        for issue in &found.issues {
            eprintln!("{name}:{}: {}", issue.place, issue.text);
        }
        issues += found.issues.len();
        records.extend(found.records);
    }
    let read = records.len() + issues;
    let speedup_permille = arguments.time.is_some().then(|| libm::round(speedup * 1000.0) as u64);
    if let Err(error) = session.feed(&target, records, speedup_permille) {
        return wrong(error);
    }
    let (offered, stored, refused) = session.finish_input();
    writeln!(
        std::io::stdout().lock(),
        "input: read {read} = put {offered} + issues {issues}; put {offered} = stored {stored}; refused and sent again {refused}"
    )?;
    write_summary(&session)?;
    let complete = read as u64 == offered + issues as u64 && offered == stored;
    Ok(outcome_of(&session, complete))
}

fn outcome_of(session: &Session, complete: bool) -> u8 {
    if session.broken_rule().is_some() {
        end_of(session)
    } else if complete {
        OK
    } else {
        NOT_MET
    }
}

fn agent_config(path: &Path) -> Result<AgentConfig, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    AgentConfig::parse(&text)
        .map_err(|errors| errors.iter().map(|error| format!("{}: {error}", path.display())).collect::<Vec<_>>().join("\nerror: "))
}

/// Files through the Kinesis Agent, then out; or followed in real time.
#[allow(clippy::disallowed_methods, reason = "following files in real time: the wall clock is handed to the session")]
fn agent(lab: Arc<Lab>, pace: &Pace, arguments: &InputArguments) -> std::io::Result<u8> {
    let Some(path) = &arguments.agent else { return Ok(OK) };
    let config = match agent_config(path) {
        Ok(config) => config,
        Err(error) => return wrong(error),
    };
    let prepared = session_of(lab, pace).and_then(|mut session| {
        scripted(&mut session, pace)?;
        session.attach_agent(config, Box::new(RealDisk), true)?;
        Ok(session)
    });
    let mut session = match prepared {
        Ok(session) => session,
        Err(error) => return wrong(error),
    };
    if arguments.follow {
        let end = pace.until.map(|until| session.epoch() + until.0);
        let begun = std::time::Instant::now();
        while end.is_none_or(|end| session.now() < end) && !super::signals::asked_to_end() {
            session.turn(begun.elapsed(), Duration::from_millis(50));
            for notice in session.take_notices() {
                eprintln!("{notice}");
            }
            sleep(Duration::from_millis(50));
        }
    }
    let reports = session.finish_agent();
    for notice in session.take_notices() {
        eprintln!("{notice}");
    }
    let mut complete = true;
    {
        let mut out = std::io::stdout().lock();
        for report in &reports {
            let (tally, (offered, stored, refused)) = (report.tally, report.sent);
            writeln!(
                out,
                "{}: read {} bytes in {} pieces = records {} + skipped {}; records {offered} = stored {stored}; refused and sent again {refused}; rotations {}",
                report.producer, tally.bytes, tally.pieces, tally.records, tally.skipped, tally.rotations
            )?;
            if tally.bytes == 0 {
                eprintln!(
                    "{}: nothing was read. initialPosition is END_OF_FILE unless agent.json says START_OF_FILE; --follow waits for new lines.",
                    report.producer
                );
            }
            complete &= tally.pieces == tally.records + tally.skipped && tally.records == offered && offered == stored;
        }
    }
    write_summary(&session)?;
    Ok(outcome_of(&session, complete))
}

/// What a dashboard may have beside its lab.
#[derive(Debug, Default)]
struct Extras<'a> {
    /// Begin anew.
    fresh: bool,
    /// The agent's configuration.
    agent: Option<&'a Path>,
    /// Address of the endpoint.
    serve: Option<&'a str>,
    /// File of the report at the end.
    report: Option<&'a Path>,
    /// File that others follow.
    share: Option<&'a Path>,
}

/// The dashboard on a lab, from where it was left.
fn dashboard(name: &str, mut vars: Vec<(String, String)>, extras: &Extras<'_>, pace: &Pace, look: &Look) -> std::io::Result<(u8, Exit)> {
    let stop = |text: String| {
        eprintln!("error: {text}");
        Ok((USAGE, Exit::Quit))
    };
    let mut lab = loop {
        match load(name) {
            Ok(lab) => break lab,
            Err(errors) => {
                if let Some(exit) = broken::stay(name, errors, look)? {
                    return Ok((USAGE, exit));
                }
            }
        }
    };
    let mut notices = Vec::new();
    let store = Store::open(&lab.scenario.id).map_err(|error| notices.push(format!("progress is not saved: {error}"))).ok();
    let saved = match store.as_ref().map(Store::saved) {
        Some(Ok(saved)) => saved.filter(|saved| !extras.fresh && vars.iter().all(|var| saved.header.vars.contains(var))),
        Some(Err(error)) => {
            notices.push(format!("the saved run cannot be read and is put aside: {error}"));
            None
        }
        None => None,
    };
    let pace = Pace { seed: pace.seed.or(saved.as_ref().map(|saved| saved.header.seed)), ..pace.clone() };
    match &saved {
        Some(saved) => vars.clone_from(&saved.header.vars),
        None if vars.is_empty() => vars.extend(home::initials().map(|initials| ("initials".to_owned(), initials))),
        None => {}
    }
    if !vars.is_empty() {
        match load_with(name, &vars) {
            Ok(changed) => lab = changed,
            Err(errors) => return Ok((complain(&errors), Exit::Quit)),
        }
    }
    let config = match extras.agent.map(agent_config).transpose() {
        Ok(config) => config,
        Err(error) => return stop(error),
    };
    let mut session = match session_of(lab, &pace) {
        Ok(session) => session,
        Err(error) => return stop(error),
    };
    session.keep_checkpoints();
    let resumable = saved.filter(|saved| saved.header.fingerprint == session.header().fingerprint && saved.header.seed == session.header().seed);
    let resumed = resumable.as_ref().is_some_and(|saved| !saved.entries.is_empty());
    match (resumable, &store) {
        (Some(saved), _) if !saved.entries.is_empty() => {
            if let Some((line, why)) = &saved.torn {
                notices.push(format!("the saved run ends before its line {line}: {why}"));
            }
            let at = session.resume(saved.entries);
            notices.push(format!("Resumed at {}. Time stands still: Space goes on. 's' in the list of labs starts over.", at.clock_text()));
        }
        (_, Some(store)) => {
            if let Some(aside) = store.set_aside() {
                notices.push(format!("A new run begins; the one before is {}.", aside.display()));
            }
        }
        (_, None) => {}
    }
    session.played_before(home::progress_of(&session.header().lab).map_or(0, |(progress, _)| if resumed { progress.wall_seconds } else { 0 }));
    if let Some(store) = store {
        session.keep_with(Box::new(store));
    }
    if let Some(config) = config
        && let Err(error) = session.attach_agent(config, Box::new(RealDisk), false)
    {
        return stop(error);
    }
    if let Some(address) = extras.serve {
        match super::serve::beside(&mut session, address) {
            Ok(told) => notices.push(told),
            Err(error) => return stop(error),
        }
    }
    session.tell(notices);
    let share = match extras.share.map(|path| Sharing::open(path, session.lab().lab.scenario.minutes)).transpose() {
        Ok(share) => share,
        Err(error) => return stop(error),
    };
    let mut desk = Desk { lab: session.lab().lab.clone(), share };
    let exit = run_dashboard(&mut session, look.clone(), |_| {}, &mut desk)?;
    session.keep_end();
    if let Exit::Failed(words) = &exit {
        return Ok((super::crash::tell(&session, words), exit));
    }
    if exit == Exit::Quit {
        write_summary(&session)?;
    }
    Ok((reported(&session, extras.report, end_of(&session))?, exit))
}

fn ago(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

fn rows() -> Result<Vec<LabRow>, u8> {
    embedded::ids()
        .map(|id| {
            let lab = load(id).map_err(|errors| complain(&errors))?;
            let saved = home::progress_of(id);
            let done = |at: usize| saved.as_ref().is_some_and(|(progress, _)| progress.steps.get(at).is_some_and(|(_, done)| *done));
            let last = saved.as_ref().map_or_else(
                || "new".to_owned(),
                |(progress, before)| match progress.hints {
                    0 => ago(*before),
                    hints => format!("{}, {hints} hints", ago(*before)),
                },
            );
            Ok(LabRow {
                id: id.to_owned(),
                title: lab.scenario.title.clone(),
                summary: lab.scenario.summary.clone(),
                minutes: lab.scenario.minutes,
                steps: lab.steps.iter().enumerate().map(|(at, step)| (step.spec.title.clone(), done(at))).collect(),
                requires: lab.scenario.requires.clone(),
                last,
            })
        })
        .collect()
}

/// `kinlab` on a terminal: the list of labs, from lab to lab.
pub(super) fn list(look: Look, pace: &Pace) -> std::io::Result<u8> {
    let mut chosen = 0;
    let mut look = look;
    loop {
        let rows = match rows() {
            Ok(rows) => rows,
            Err(code) => return Ok(code),
        };
        let first = home::folder().is_none_or(|home| !home.exists());
        let mut list = LabsList::new(rows, look.clone(), chosen, first);
        let choice = choose_lab(&mut list)?;
        look = list.look.clone();
        let (at, fresh) = match choice {
            Choice::Quit => return Ok(OK),
            Choice::Continue(at) => (at, false),
            Choice::StartOver(at) => (at, true),
        };
        chosen = at;
        let id = list.rows[at].id.clone();
        match dashboard(&id, Vec::new(), &Extras { fresh, ..Extras::default() }, pace, &look)? {
            (code, Exit::Quit | Exit::Failed(_)) => return Ok(code),
            (_, Exit::Labs) => {}
        }
    }
}

/// `kinlab` and `kinlab labs`.
pub(super) fn labs(on_screen: bool, pace: &Pace) -> std::io::Result<u8> {
    if on_screen && std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb") {
        let nothing = LookArguments { theme: std::env::var("KINLAB_THEME").ok(), ascii: false, no_mouse: false, no_motion: false };
        return match look_of(&nothing) {
            Ok(look) => list(look, pace),
            Err(error) => wrong(error),
        };
    }
    let rows = match rows() {
        Ok(rows) => rows,
        Err(code) => return Ok(code),
    };
    let mut out = std::io::stdout().lock();
    for row in rows {
        let done = row.steps.iter().filter(|(_, done)| *done).count();
        writeln!(
            out,
            "{}: {} ({done} of {} steps done, {} min, {})\n    {}",
            row.id,
            row.title,
            row.steps.len(),
            row.minutes,
            row.last,
            row.summary
        )?;
    }
    writeln!(out, "\nStart one with: kinlab run lab1")?;
    Ok(OK)
}
