//! `kinlab serve` and `--serve`: the endpoint, with a world of its own or beside a lab.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};

use crate::engine::time::VirtualTime;
use crate::lab::Lab;
use crate::plain::{Format, Output};
use crate::serve;
use crate::session::Session;
use crate::session::driver::Driver;

use super::data_dir::DataDir;
use super::play::{end_of, equip, scripted, session_of, write_summary};
use super::sources::EmptyAccount;
use super::{OK, Pace, signals, wrong};

/// Longest wait for a request: time passes in the world, too.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// Processor time that a turn of a lab may take.
const BUDGET: Duration = Duration::from_millis(50);

/// Whose limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EraArgument {
    /// Today's.
    Current,
    /// The workshop's, November 2018.
    #[value(name = "deck-2018")]
    Deck2018,
}

/// `kinlab serve`.
#[derive(Debug, Clone, Args)]
pub(super) struct ServeArguments {
    /// Port, or address of this machine with port.
    #[arg(default_value = "4566")]
    address: String,
    /// Limits.
    #[arg(long, value_enum, default_value_t = EraArgument::Current)]
    limits: EraArgument,
    /// No throughput limits of shards and delivery streams.
    #[arg(long)]
    no_throughput_limits: bool,
    /// Take only requests signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of this program's environment.
    #[arg(long)]
    strict_auth: bool,
    /// Let other machines connect; needs --strict-auth and an address such as 0.0.0.0:4566.
    #[arg(long, requires = "strict_auth")]
    allow_remote: bool,
    /// Folder that keeps everything acknowledged, also when the process is killed.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// The instant of the wall clock.
#[allow(clippy::disallowed_methods, reason = "an endpoint runs in real time: the wall clock is handed to the session")]
fn wall() -> VirtualTime {
    VirtualTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64))
}

/// A line for whoever reads standard output; an endpoint goes on when nobody does.
fn announce(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// The credentials of the environment.
fn credentials() -> Result<serve::Credentials, String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        (Some(key), Some(secret)) => Ok(serve::Credentials::new(key, secret)),
        _ => Err("--strict-auth: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set: clients sign with the same".to_owned()),
    }
}

/// `kinlab serve`: an empty account in real time.
pub(super) fn serve(arguments: &ServeArguments, pace: &Pace) -> std::io::Result<u8> {
    let address = match serve::parse_address(&arguments.address, arguments.allow_remote) {
        Ok(address) => address,
        Err(error) => return wrong(error),
    };
    let credentials = match arguments.strict_auth.then(credentials).transpose() {
        Ok(credentials) => credentials,
        Err(error) => return wrong(error),
    };
    // Whole milliseconds: the instant is written down.
    let epoch = VirtualTime(wall().0 / 1000 * 1000);
    let era = if arguments.limits == EraArgument::Current { "current" } else { "deck-2018" };
    let EmptyAccount(text) = EmptyAccount::new("serve", pace.seed.unwrap_or(1), &epoch.to_string(), era, !arguments.no_throughput_limits);
    let opened = match &arguments.data_dir {
        Some(folder) => DataDir::open(folder, &text).map(Some),
        None => Ok(None),
    };
    let (mut kept, text) = match opened {
        Ok(None) => (None, text),
        Ok(Some((kept, own))) => {
            let limits = |text: &str| text.lines().last().map(str::to_owned);
            if limits(&own) != limits(&text) {
                eprintln!("the folder's world keeps the limits that it began with: {}", limits(&own).unwrap_or_default());
            }
            (Some(kept), own)
        }
        Err(error) => return wrong(error),
    };
    let session =
        Lab::load(&EmptyAccount(text)).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")).and_then(|lab| {
            let mut session = Session::new(Arc::new(lab), None)?;
            equip(&mut session, pace)?;
            if let Some(kept) = kept.take() {
                let saved = kept.log.saved()?;
                if let Some((line, why)) = saved.as_ref().and_then(|saved| saved.torn.as_ref()) {
                    eprintln!("{}: line {line} was not written to its end and is left out: {why}", kept.log.path.display());
                }
                session.resume(saved.map(|saved| saved.entries).unwrap_or_default());
                session.keep_with(Box::new(kept));
            }
            session.forget_log();
            scripted(&mut session, pace)?;
            Ok(session)
        });
    let mut session = match session {
        Ok(session) => session,
        Err(error) => return wrong(error),
    };
    let (address, queue) = match serve::start(address, std::thread::current(), credentials) {
        Ok(both) => both,
        Err(error) => return wrong(format!("{address}: {error}; another port goes behind 'serve': kinlab serve 4567")),
    };
    session.serve(Box::new(queue));
    signals::end_gently();
    // The first line is for programs that wait for it.
    announce(&format!("kinlab listens on http://{address}"));
    eprintln!("aws --endpoint-url http://{address} kinesis list-streams    Ctrl-C ends it.");
    while !signals::asked_to_end() {
        session.serve_until(wall());
        for notice in session.take_notices() {
            eprintln!("{notice}");
        }
        if session.broken_rule().is_some() {
            break;
        }
        let next = session.next_event_at().map_or(WAIT_MAX, |next| Duration::from_micros(next.since(wall()).0));
        std::thread::park_timeout(next.min(WAIT_MAX));
    }
    Ok(if session.broken_rule().is_some() { end_of(&session) } else { OK })
}

/// Opens the endpoint beside a session: its address as a sentence.
pub(super) fn beside(session: &mut Session, address: &str) -> Result<String, String> {
    let address = serve::parse_address(address, false)?;
    let (address, queue) = serve::start(address, std::thread::current(), None).map_err(|error| format!("--serve {address}: {error}"))?;
    session.serve(Box::new(queue));
    Ok(format!("The endpoint is http://{address}: aws --endpoint-url http://{address} kinesis list-streams"))
}

/// What is typed meanwhile: answers to questions, producers, the clock. When nothing more comes, clients go on alone.
fn typed_lines() -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::sync_channel(16);
    let waiting = std::thread::current();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                return;
            }
            waiting.unpark();
        }
    });
    lines
}

/// A lab without a dashboard, in real time, done by clients and by lines of standard input: until it is finished or its time is over.
#[allow(clippy::disallowed_methods, reason = "a lab with an endpoint runs in real time: the wall clock is handed to the session")]
pub(super) fn lab(lab: Arc<Lab>, pace: &Pace, address: &str) -> std::io::Result<u8> {
    let prepared = session_of(lab, pace).and_then(|mut session| {
        scripted(&mut session, pace)?;
        let told = beside(&mut session, address)?;
        Ok((session, told))
    });
    let (mut session, told) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return wrong(error),
    };
    announce(&told);
    signals::end_gently();
    let end = pace.until.map_or_else(|| session.ends(), |until| session.epoch() + until.0);
    let begun = Instant::now();
    let lines = typed_lines();
    while session.now() < end && !session.lab().finished() && !signals::asked_to_end() {
        let turn = session.turn(begun.elapsed(), BUDGET);
        let asleep = match lines.try_recv() {
            Ok(line) => {
                let outcome = session.line(&line);
                let (mut data, mut narration) = (std::io::stdout().lock(), std::io::stderr().lock());
                Output { data: &mut data, narration: &mut narration, format: Format::Text }.outcome(&outcome)?;
                if outcome.quit {
                    break;
                }
                Duration::ZERO
            }
            Err(_) => turn.sleep.unwrap_or(WAIT_MAX),
        };
        for notice in session.take_notices() {
            eprintln!("{notice}");
        }
        std::thread::park_timeout(asleep);
    }
    write_summary(&session)?;
    Ok(end_of(&session))
}
