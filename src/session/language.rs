//! The command language: AWS CLI lines word for word, the replay tool's command line, and the lab's own words.

use crate::api::ModelYear;
use crate::api::Response;
use crate::api::cli::{self, Answer, CliCall, CliError, Pages, Verdict};
use crate::api::kinesis::KinesisResponse;
use crate::engine::producers::Overrides;
use crate::engine::time::{VirtualDuration, parse_iso};
use crate::engine::{Command, WorldCommand};

use super::driver::Outcome;
use super::play::{Session, SessionFiles};
use super::vocabulary::{FIRST_WORDS, HELP};
use super::{showing, time_words};

/// Width of tables.
const TABLE_WIDTH: usize = 100;
/// Command substitutions in one another at most.
const NESTING_MAX: usize = 4;

/// Carries out one line.
pub fn carry_out(session: &mut Session, line: &str) -> Outcome {
    substitute(session, line, 0)
}

/// Replaces `$(…)` by what the command inside prints, then runs the line.
fn substitute(session: &mut Session, line: &str, depth: usize) -> Outcome {
    let mut line = line.trim().to_owned();
    if line.is_empty() || line.starts_with('#') {
        return Outcome::default();
    }
    while let Some(open) = line.find("$(") {
        if depth >= NESTING_MAX {
            return Outcome::refused("command substitutions are nested too deeply");
        }
        let Some(length) = closing(&line[open + 2..]) else { return Outcome::refused("'$(' without ')'") };
        let inner = line[open + 2..open + 2 + length].to_owned();
        let outcome = substitute(session, &inner, depth + 1);
        if outcome.failed {
            return outcome;
        }
        line.replace_range(open..open + 3 + length, outcome.output.trim());
    }
    if line.contains("$ITERATOR") {
        let Some(iterator) = &session.iterator else {
            return Outcome::refused("$ITERATOR is empty: no command has answered a shard iterator yet");
        };
        line = line.replace("$ITERATOR", iterator);
    }
    // A rule has quotes of its own.
    if let Some((function, condition)) = line.strip_prefix("rule ").and_then(|rest| rest.trim_start().split_once(' ')) {
        return super::words::rule(session, function, condition);
    }
    let words = match cli::parse(&line) {
        Ok(words) => words,
        Err(error) => return refused(&error),
    };
    let outcome = run_words(session, &words);
    if !outcome.failed {
        // Checks ask which commands worked: the first three words say it.
        session.run.act(&words.iter().take(3).cloned().collect::<Vec<_>>().join(" "));
    }
    outcome
}

/// Where the parenthesis closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn refused(error: &CliError) -> Outcome {
    Outcome { message: error.text.trim_start_matches('\n').to_owned(), failed: true, status: error.exit_code, ..Outcome::default() }
}

fn run_words(session: &mut Session, words: &[String]) -> Outcome {
    if let Some(outcome) = session.run.line(words) {
        return Outcome { message: outcome.text, failed: outcome.failed, status: u8::from(outcome.failed), ..Outcome::default() };
    }
    if let Some(outcome) = super::words::carry_out(session, words) {
        return outcome;
    }
    let rest: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    if let Some(outcome) = time_words::carry_out(session, words.first().map_or("", String::as_str), &rest) {
        return outcome;
    }
    match (words.first().map_or("", String::as_str), rest.as_slice()) {
        ("aws", _) => aws(session, words),
        ("java", _) => java(session, &rest),
        ("read-stream", _) => world(session, WorldCommand::StartConsumer { consumer: "read-stream".to_owned() }),
        ("producer", rest) => producer(session, rest),
        ("consumer", rest) => consumer(session, rest),
        ("shard", ["of", key]) => showing::shard_of(session, key),
        ("shards", rest) => showing::shards(session, rest.first().copied()),
        ("streams", _) => showing::streams(session),
        ("log", [name]) => showing::log(session, name),
        ("journal", rest) => showing::journal(session, rest.first().and_then(|text| text.parse().ok()).unwrap_or(20)),
        ("metrics", _) => showing::metrics(session),
        ("cost", _) => showing::cost(session),
        ("coach", rest) => showing::coach(session, rest),
        ("accounting", _) => Outcome::data(showing::accounting(session)),
        ("status" | "checks" | "step", _) => Outcome::data(showing::status(session)),
        ("help" | "?", _) => Outcome::data(format!("{HELP}\n")),
        ("quit" | "exit", _) => Outcome { quit: true, ..Outcome::default() },
        ("log", _) => Outcome::refused("log NAME: the name of a producer or consumer, for example: log replay"),
        (word, _) => {
            let near = crate::engine::generate::near_miss(word, FIRST_WORDS.map(|(known, _)| known))
                .map_or_else(String::new, |near| format!(" Did you mean '{near}'?"));
            Outcome::refused(format!("unknown command '{word}'.{near} 'help' lists the commands."))
        }
    }
}

fn world(session: &mut Session, command: WorldCommand) -> Outcome {
    match session.engine.apply(&Command::World(command)) {
        Ok(_) => Outcome::said("Done."),
        Err(error) => Outcome::refused(error.message),
    }
}

fn aws(session: &mut Session, words: &[String]) -> Outcome {
    let year = if session.engine.config().limits.modern { ModelYear::Current } else { ModelYear::Y2018 };
    let parsed = match CliCall::parse_for(words, &mut SessionFiles(session), year) {
        Ok(parsed) => parsed,
        Err(error) => return refused(&error),
    };
    match parsed {
        CliCall::Print(text) => Outcome::data(text),
        CliCall::Wait { waiter, request, .. } => {
            for attempt in 1.. {
                let answer = session.call(request.clone());
                match waiter.verdict(&answer, attempt) {
                    Verdict::Done => return Outcome::default(),
                    Verdict::Failed(error) => return refused(&error),
                    Verdict::Again => session.advance(session.now() + VirtualDuration::from_secs(waiter.delay_secs)),
                }
            }
            Outcome::default()
        }
        CliCall::Operation { request, paging, globals } => {
            let operation = request.operation();
            let answer = (|| -> Result<Answer, CliError> {
                if let Some(paging) = &paging
                    && let Some(mut pages) = Pages::begin(&request, paging, year)?
                {
                    while let Some(next) = pages.next_request()? {
                        let response = session.call(next).map_err(|error| CliError::service(&error, operation))?;
                        pages.accept(&response)?;
                    }
                    return Ok(pages.finish());
                }
                let response = session.call(request).map_err(|error| CliError::service(&error, operation))?;
                match &response {
                    Response::Kinesis(KinesisResponse::GetShardIterator(answer)) => session.iterator.clone_from(&answer.shard_iterator),
                    Response::Kinesis(KinesisResponse::GetRecords(answer)) if answer.next_shard_iterator.is_some() => {
                        session.iterator.clone_from(&answer.next_shard_iterator);
                    }
                    _ => {}
                }
                Ok(Answer::from(&response))
            })();
            match answer.and_then(|answer| cli::render(&answer, operation, globals.query.as_ref(), globals.output.unwrap_or_default(), TABLE_WIDTH)) {
                Ok(text) => Outcome::data(text),
                Err(error) => refused(&error),
            }
        }
    }
}

/// The replay tool's command line.
fn java(session: &mut Session, rest: &[&str]) -> Outcome {
    const USAGE: &str = "usage: java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamName NAME [-streamRegion REGION] [-speedup FACTOR] [-aggregate] \
                         [-seek TIME] [-noWatermark] [-statisticsFrequency MILLIS]";
    let ["-jar", jar, flags @ ..] = rest else { return Outcome::refused(USAGE) };
    if !jar.contains("kinesis-replay") {
        return Outcome::refused(format!("Error: Unable to access jarfile {jar} (only amazon-kinesis-replay is here). {USAGE}"));
    }
    let mut overrides = Overrides { aggregate: Some(false), ..Overrides::default() };
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        let mut value = |name: &str| flags.next().copied().ok_or_else(|| format!("{name} needs a value. {USAGE}"));
        let set = match *flag {
            "-aggregate" => {
                overrides.aggregate = Some(true);
                Ok(())
            }
            "-noWatermark" => {
                overrides.no_watermark = true;
                Ok(())
            }
            "-streamName" => value(flag).map(|name| overrides.stream = Some(name.to_owned())),
            "-streamRegion" => value(flag).map(|region| overrides.region = Some(region.to_owned())),
            "-speedup" => value(flag).and_then(|text| {
                let speed =
                    text.parse::<f64>().ok().filter(|speed| (0.001..=1e6).contains(speed)).ok_or_else(|| format!("'{text}' is no speed-up"))?;
                overrides.speedup_permille = Some(libm::round(speed * 1000.0) as u64);
                Ok(())
            }),
            "-statisticsFrequency" => value(flag).and_then(|text| {
                let millis = text
                    .parse::<u64>()
                    .ok()
                    .filter(|millis| *millis >= 1000)
                    .ok_or_else(|| format!("'{text}' is no number of milliseconds from 1000 on"))?;
                overrides.report = Some(VirtualDuration::from_millis(millis));
                Ok(())
            }),
            "-seek" => value(flag).and_then(|text| {
                overrides.seek = Some(parse_iso(text).ok_or_else(|| format!("'{text}' is no ISO 8601 time"))?);
                Ok(())
            }),
            other => Err(format!("unknown option {other}. {USAGE}")),
        };
        if let Err(error) = set {
            return Outcome::refused(error);
        }
    }
    if overrides.stream.is_none() {
        return Outcome::refused(format!("Missing required option: streamName. {USAGE}"));
    }
    world(session, WorldCommand::StartProducer { producer: "replay".to_owned(), overrides })
}

fn producer(session: &mut Session, rest: &[&str]) -> Outcome {
    match rest {
        [name, "start"] => world(session, WorldCommand::StartProducer { producer: (*name).to_owned(), overrides: Overrides::default() }),
        [name, "stop"] => world(session, WorldCommand::StopProducer { producer: (*name).to_owned() }),
        [name, "key", "const", key] => {
            world(session, WorldCommand::HotKey { producer: (*name).to_owned(), key: (*key).to_owned(), share_permille: 1000, hold: None })
        }
        [name, "key", "payload"] => {
            world(session, WorldCommand::HotKey { producer: (*name).to_owned(), key: String::new(), share_permille: 0, hold: None })
        }
        [name, "rate", factor] => match factor.parse::<f64>().ok().filter(|factor| (0.0..=1000.0).contains(factor)) {
            Some(factor) => world(
                session,
                WorldCommand::Rate {
                    producer: (*name).to_owned(),
                    permille: libm::round(factor * 1000.0) as u32,
                    over: VirtualDuration::SECOND,
                    hold: None,
                },
            ),
            None => Outcome::refused(format!("'{factor}' is no factor; write a number from 0 to 1000")),
        },
        _ => Outcome::refused("producer NAME start | stop | key const KEY | key payload | rate FACTOR"),
    }
}

fn consumer(session: &mut Session, rest: &[&str]) -> Outcome {
    match rest {
        [name, "start"] => world(session, WorldCommand::StartConsumer { consumer: (*name).to_owned() }),
        [name, "stop"] => world(session, WorldCommand::StopConsumer { consumer: (*name).to_owned() }),
        [name, "crash"] => world(session, WorldCommand::CrashConsumer { consumer: (*name).to_owned(), worker: None }),
        _ => Outcome::refused("consumer NAME start | stop | crash"),
    }
}
