//! The command line.

mod author;
mod broken;
mod courier;
mod crash;
mod data_dir;
mod exports;
mod files;
mod frame;
mod home;
mod manual;
mod mirror;
mod play;
mod present;
mod python;
mod replay;
mod report;
mod sealed;
mod serve;
mod shared;
mod signals;
mod sources;
mod sql;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::engine::generate::duration::Dur;

use play::FormatArgument;
use replay::PageFormat;
use report::ReportFormat;

/// All checks passed.
const OK: u8 = 0;
/// Checks are not met.
const NOT_MET: u8 = 1;
/// Wrong usage or a wrong lab file.
const USAGE: u8 = 2;
/// A rule of the simulation is broken.
const BROKEN: u8 = 3;
/// The reader of standard output has gone.
const PIPE: u8 = 141;

/// The Amazon Kinesis Immersion Day in one binary, offline.
#[derive(Debug, Parser)]
#[command(
    name = "kinlab",
    version,
    about,
    after_help = "Without a command: the list of labs. Exit status: 0 all checks passed, 1 checks not met, 2 usage or lab-file error, \
                  3 a rule of the simulation is broken."
)]
struct Arguments {
    #[command(flatten)]
    pace: Pace,
    #[command(subcommand)]
    command: Option<Task>,
}

/// Seed, speed and length of what is played; every command that plays takes them.
#[derive(Debug, Clone, Args)]
struct Pace {
    /// Seed instead of the lab's own.
    #[arg(long, global = true)]
    seed: Option<u64>,
    /// Speed: 0.25 0.5 1 2 4 8 16 32 64 max.
    #[arg(long, global = true)]
    speed: Option<String>,
    /// Virtual time to play on to when the commands end, such as 4m; the lab's duration when absent.
    #[arg(long, global = true)]
    until: Option<Dur>,
    /// File with commands, before those of standard input.
    #[arg(long, global = true)]
    script: Option<PathBuf>,
    /// Folder that gets a copy of every object written to a bucket, as it is written.
    #[arg(long, global = true)]
    out: Option<PathBuf>,
    /// Send what delivery stream NAME delivers to a real destination: http://… (HTTP endpoint, Splunk, OpenSearch) or postgres://user:password@host:port/database (Redshift).
    #[arg(long, global = true, value_name = "NAME=URL")]
    deliver_to: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// List the labs.
    Labs,
    /// Play a lab; commands come from the terminal, a script or standard input.
    Run(Box<play::RunArguments>),
    /// Print one frame of the dashboard.
    Screen(frame::FrameArguments),
    /// An empty account with today's limits: AWS CLI lines on standard input.
    Sh {
        /// Form of standard output.
        #[arg(long, value_enum, default_value_t = FormatArgument::Text)]
        format: FormatArgument,
    },
    /// An AWS endpoint for the CLI, SDKs and tests: an empty account in real time.
    Serve(serve::ServeArguments),
    /// Play a saved run again.
    Replay {
        /// The run's file, or a report in JSON, which carries its run.
        run: PathBuf,
        /// Score the run again and compare with this report; exit status 1 and words when they differ.
        #[arg(long, value_name = "REPORT.json")]
        verify: Option<PathBuf>,
        /// Where the lab is, when it is no built-in one.
        #[arg(long)]
        lab: Option<String>,
    },
    /// A recording of a lab for asciinema: its solution typed, a script, or the saved run; to standard output, or to the file of --out.
    Cast(exports::CastArguments),
    /// Somebody who knows the way types a lab's solution in the dashboard; any key takes over.
    Demo(present::DemoArguments),
    /// Show a lab to a room: one idea at a time, in large letters.
    Present(present::PresentArguments),
    /// The speaker's notes: printed, or beside a presentation in a second terminal.
    Notes(present::NotesArguments),
    /// Mirror a presentation or a shared dashboard in this terminal.
    Follow(present::FollowArguments),
    /// One page about a lab's saved run: steps, checks, hints, answers, score, hashes.
    Report {
        /// Lab id, the beginning of one, or a folder.
        lab: String,
        /// Form of the page; json carries the run, for 'kinlab replay'.
        #[arg(long, value_enum, default_value_t = PageFormat::Text)]
        format: PageFormat,
    },
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
    /// Begin a lab of your own: a working copy to change.
    New {
        /// Its id, also the name of its folder.
        name: String,
        /// The lab it begins as.
        #[arg(long, default_value = "lab1")]
        from: String,
    },
    /// Take a lab's snapshots and compare them with the kept ones.
    Snap {
        /// The lab's folder.
        lab: String,
        /// Keep what was taken.
        #[arg(long)]
        accept: bool,
    },
    /// Print records of a lab's generator.
    Gen {
        /// Lab id or folder.
        lab: String,
        /// Generator; the first when absent.
        generator: Option<String>,
        /// How many.
        #[arg(short = 'n', long, default_value_t = 5)]
        count: u64,
        /// Sizes and keys instead of records.
        #[arg(long)]
        stats: bool,
    },
    /// Programs of Kinesis Data Analytics for SQL: run, check, test, explain; without a command, typed live.
    Sql {
        #[command(subcommand)]
        task: Option<sql::SqlTask>,
    },
    /// Print completions for a shell: kinlab completions bash > ~/.local/share/bash-completion/completions/kinlab
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual pages: this one in roff, or a file for every command in the folder of --out.
    Man,
    /// Print the keys of the dashboard.
    Keys {
        /// Form.
        #[arg(long, value_enum, default_value_t = KeysFormat::Text)]
        format: KeysFormat,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeysFormat {
    Text,
    Md,
}

/// A sentence on standard error and the exit code of wrong usage.
#[allow(clippy::unnecessary_wraps, reason = "it ends functions that answer so")]
fn wrong(text: impl std::fmt::Display) -> std::io::Result<u8> {
    eprintln!("error: {text}");
    Ok(USAGE)
}

/// Entry point of the binary.
pub fn main() -> ExitCode {
    let Arguments { pace, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { OK };
            // A closed pipe is no reason to fail on help.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    signals::listen();
    let done = match command {
        None => play::labs(true, &pace),
        Some(Task::Labs) => play::labs(false, &pace),
        Some(Task::Run(arguments)) => {
            if arguments.input.follow {
                signals::end_gently();
            }
            play::run(*arguments, &pace)
        }
        Some(Task::Screen(arguments)) => frame::screen(&arguments, &pace),
        Some(Task::Sh { format }) => play::shell(&pace, format),
        Some(Task::Serve(arguments)) => serve::serve(&arguments, &pace),
        Some(Task::Replay { run, verify, lab }) => replay::replay(&run, verify.as_deref(), lab.as_deref(), &pace),
        Some(Task::Cast(arguments)) => exports::cast(&arguments, &pace),
        Some(Task::Demo(arguments)) => present::demo(&arguments, &pace),
        Some(Task::Present(arguments)) => present::present(&arguments, &pace),
        Some(Task::Notes(arguments)) => present::notes(&arguments),
        Some(Task::Follow(arguments)) => present::follow(&arguments),
        Some(Task::Report { lab, format }) => replay::report(&lab, format, &pace),
        Some(Task::Check { labs, seeds, format }) => report::check(&labs, seeds, format),
        Some(Task::Lint { labs }) => report::lint(&labs),
        Some(Task::New { name, from }) => author::new(&name, &from),
        Some(Task::Snap { lab, accept }) => author::snap(&lab, accept, &pace),
        Some(Task::Gen { lab, generator, count, stats }) => author::generate(&lab, generator.as_deref(), count, stats, &pace),
        Some(Task::Sql { task }) => sql::sql(task, &pace),
        Some(Task::Completions { shell }) => manual::completions(shell),
        Some(Task::Man) => manual::manual(pace.out.as_deref()),
        Some(Task::Keys { format }) => author::keys(format == KeysFormat::Md),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        // The reader has gone: nothing is wrong here.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::from(PIPE),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(USAGE)
        }
    }
}
