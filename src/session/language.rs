//! The command language: AWS CLI lines word for word, the replay tool's command line, and the lab's own words.

use std::fmt::Write as _;

use crate::api::ModelYear;
use crate::api::Response;
use crate::api::cli::{self, Answer, CliCall, CliError, Pages, Verdict};
use crate::api::kinesis::KinesisResponse;
use crate::engine::coach::{LINTS, lint};
use crate::engine::generate::duration::Dur;
use crate::engine::kinesis::hash::HashKey;
use crate::engine::producers::Overrides;
use crate::engine::time::{VirtualDuration, parse_iso};
use crate::engine::view::Wants;
use crate::engine::{Command, WorldCommand};

use super::driver::Outcome;
use super::play::{Session, SessionFiles};

/// Width of tables.
const TABLE_WIDTH: usize = 100;
/// Command substitutions in one another at most.
const NESTING_MAX: usize = 4;

const HELP: &str = "\
aws SERVICE OPERATION …     an AWS CLI line, word for word; $ITERATOR is the last shard iterator, $(…) works
aws s3 ls|cp|mb|rb|rm …     buckets and objects; s3 select s3://BUCKET/KEY shows rows of any format
query \"select …\"           an Athena-like query; MSCK REPAIR TABLE, SHOW PARTITIONS, DESCRIBE
cfn deploy FILE   wizard    build from a template, or step by step
lambda test [NAME] --sample 20    rule NAME CONDITION    functions  deliveries  flush NAME
app create|discover|column|run|rows|output|reference|sync …   apps   a SQL application; 'app' explains
fault s3|slow|fail|destination …  fault end …            something goes wrong, and is over
java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamName S -speedup N [-aggregate] …   the replay tool
read-stream                 the workshop's reader (first shard only)
producer NAME start|stop|key const KEY|rate FACTOR      consumer NAME start|stop|crash
run 12s   rewind 30s   now  let time pass, go back, come to the newest instant; pause, go, speed 16, speed max set the pace
follow STREAM SHARD [NUMBER]  the way of one record, from shard to object; follow shows it, follow off ends it
branches   branch NAME      acting in the past begins another future: list them, go to one; compare NAME shows two in numbers
shards [STREAM]  streams  log NAME  journal [N]  metrics  cost  accounting  shard of KEY
coach   coach explain|mute|unmute LINT   coach lints   what the coach says, why, and that it should be quiet
status  checks  hint  answer QUESTION TEXT  why [CHECK]  solution  step  initials YOURS  quit";

/// First words of the language and what they do, for completion.
pub fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        ("aws kinesis ", "an AWS CLI line"),
        ("aws firehose ", "an AWS CLI line"),
        ("aws lambda ", "an AWS CLI line"),
        ("aws s3 ls ", "objects of a bucket"),
        ("query ", "an Athena-like query"),
        ("cfn deploy ", "build from a template"),
        ("wizard next", "build the next piece"),
        ("lambda test --sample 20", "try the function on records"),
        ("rule ", "replace a rule: rule FUNCTION CONDITION"),
        ("fault slow ", "slow a function down"),
        ("fault s3 ", "make a bucket refuse writes"),
        ("app create ", "a new SQL application"),
        ("app discover ", "find a schema and connect the stream"),
        ("app run ", "save code and run it"),
        ("app rows ", "rows of an in-application stream"),
        ("functions", "what the functions did"),
        ("deliveries", "what the delivery streams hold"),
        ("java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamRegion us-east-1 -speedup 1800 -streamName ", "start the replay tool"),
        ("read-stream", "start the workshop's reader"),
        ("producer replay stop", "stop the replay"),
        ("producer replay key const partitionkey", "one partition key for all records"),
        ("run 60s", "let time pass"),
        ("rewind 30s", "go back in time"),
        ("now", "come to the newest instant"),
        ("follow ", "follow one record"),
        ("branches", "other futures"),
        ("branch ", "go to another future"),
        ("compare ", "two futures beside each other"),
        ("pause", "time stands still"),
        ("go", "time runs"),
        ("speed max", "as fast as possible"),
        ("shards", "one line per shard"),
        ("log replay", "what the replay tool printed"),
        ("journal 50", "the newest events"),
        ("metrics", "CloudWatch's metrics"),
        ("cost", "the bill"),
        ("accounting", "where every record is"),
        ("shard of ", "where a partition key goes"),
        ("answer ", "answer a question"),
        ("why", "why a check is red"),
        ("solution", "the solution of the step"),
        ("status", "the step and its checks"),
        ("initials ", "your initials, for the names of your streams"),
        ("quit", "leave"),
    ]
    .into_iter()
}

/// What a line's first word does to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It changes the world, or may.
    Acts,
    /// It shows something and changes nothing.
    Shows,
    /// It changes what the lab knows of its learner.
    Lab,
    /// It lets time pass, or goes back.
    Time,
    /// It looks at other times and futures.
    Travels,
}

/// First words of lines. What is not here is unknown, or a learner's mistake.
const FIRST_WORDS: [(&str, Kind); 52] = [
    ("aws", Kind::Acts),
    ("s3", Kind::Acts),
    ("query", Kind::Acts),
    ("athena", Kind::Acts),
    ("cfn", Kind::Acts),
    ("wizard", Kind::Acts),
    ("lambda", Kind::Acts),
    ("rule", Kind::Acts),
    ("fault", Kind::Acts),
    ("flush", Kind::Acts),
    ("app", Kind::Acts),
    ("java", Kind::Acts),
    ("read-stream", Kind::Acts),
    ("producer", Kind::Acts),
    ("consumer", Kind::Acts),
    ("initials", Kind::Acts),
    ("pause", Kind::Acts),
    ("go", Kind::Acts),
    ("speed", Kind::Acts),
    ("shard", Kind::Shows),
    ("shards", Kind::Shows),
    ("streams", Kind::Shows),
    ("log", Kind::Shows),
    ("journal", Kind::Shows),
    ("metrics", Kind::Shows),
    ("cost", Kind::Shows),
    ("coach", Kind::Shows),
    ("accounting", Kind::Shows),
    ("functions", Kind::Shows),
    ("deliveries", Kind::Shows),
    ("objects", Kind::Shows),
    ("apps", Kind::Shows),
    ("status", Kind::Shows),
    ("checks", Kind::Shows),
    ("step", Kind::Shows),
    ("why", Kind::Shows),
    ("solution", Kind::Shows),
    ("help", Kind::Shows),
    ("?", Kind::Shows),
    ("quit", Kind::Shows),
    ("exit", Kind::Shows),
    ("hint", Kind::Lab),
    ("answer", Kind::Lab),
    ("predict", Kind::Lab),
    ("run", Kind::Time),
    ("sleep", Kind::Time),
    ("rewind", Kind::Time),
    ("now", Kind::Travels),
    ("branch", Kind::Travels),
    ("branches", Kind::Travels),
    ("compare", Kind::Travels),
    ("follow", Kind::Travels),
];

/// What a line does; an empty one and a comment only show.
fn kind(line: &str) -> Kind {
    match line.split_whitespace().next() {
        None => Kind::Shows,
        Some(word) if word.starts_with('#') => Kind::Shows,
        Some(word) => FIRST_WORDS.iter().find(|(known, _)| *known == word).map_or(Kind::Acts, |(_, kind)| *kind),
    }
}

/// The line only lets time pass.
pub fn moves_time(line: &str) -> bool {
    kind(line) == Kind::Time
}

/// The line moves in time or between branches: it is no part of what happened.
pub fn is_travel(line: &str) -> bool {
    matches!(kind(line), Kind::Time | Kind::Travels)
}

/// The line shows something and changes nothing: it can be typed in the past without beginning another future.
pub fn only_shows(line: &str) -> bool {
    kind(line) == Kind::Shows
}

/// The line changes what the lab knows of its learner, not the world.
pub fn about_the_lab(line: &str) -> bool {
    kind(line) == Kind::Lab
}

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
    match (words.first().map_or("", String::as_str), rest.as_slice()) {
        ("aws", _) => aws(session, words),
        ("java", _) => java(session, &rest),
        ("read-stream", _) => world(session, WorldCommand::StartConsumer { consumer: "read-stream".to_owned() }),
        ("producer", rest) => producer(session, rest),
        ("consumer", rest) => consumer(session, rest),
        ("run" | "sleep", [text]) => match duration(text) {
            Ok(by) => {
                session.advance(session.now() + by);
                Outcome::said(format!("Time {}.", session.now().clock_text()))
            }
            Err(error) => Outcome::refused(error),
        },
        ("rewind", [text]) => match duration(text).and_then(|by| session.rewind(by)).map(|()| session.note_act("rewind")) {
            Ok(()) => Outcome::said(format!("Back at {}.", session.now().clock_text())),
            Err(error) => Outcome::refused(error),
        },
        ("now", []) => match session.travel(session.newest) {
            Ok(()) => Outcome::said(format!("Time {}, the newest instant.", session.now().clock_text())),
            Err(error) => Outcome::refused(error),
        },
        ("follow", ["off"]) => match session.follow(None) {
            Ok(()) => Outcome::said("No record is followed."),
            Err(error) => Outcome::refused(error),
        },
        ("follow", []) => Outcome::data(trail(session)),
        ("follow", [stream, shard, rest @ ..]) if rest.len() < 2 => {
            let number = shard.rsplit('-').next().and_then(|text| text.parse::<u32>().ok());
            let Some(number) = number else { return Outcome::refused(format!("'{shard}' is no shard: write its number or shardId-…")) };
            match session.follow(Some((stream, number, rest.first().copied()))) {
                Ok(()) => Outcome::data(trail(session)),
                Err(error) => Outcome::refused(error),
            }
        }
        ("follow", _) => {
            Outcome::refused("follow STREAM SHARD [SEQUENCE-NUMBER] follows a record, the newest one without a number; follow off ends it")
        }
        ("branches", []) => Outcome::data(branches(session)),
        ("branch", [name]) => match session.switch_branch(name) {
            Ok(()) => Outcome::said(format!("Branch {name} at {}, its newest instant.", session.now().clock_text())),
            Err(error) => Outcome::refused(error),
        },
        ("compare", ["off"]) => match session.compare_with(None) {
            Ok(()) => Outcome::said("Charts show one branch."),
            Err(error) => Outcome::refused(error),
        },
        ("compare", [name]) => match session.comparison(name).and_then(|text| session.compare_with(Some(name)).map(|()| text)) {
            Ok(text) => Outcome::data(text),
            Err(error) => Outcome::refused(error),
        },
        ("branch" | "compare", _) => Outcome::refused("branch NAME goes to another future, compare NAME shows two; 'branches' lists them"),
        ("shard", ["of", key]) => shard_of(session, key),
        ("shards", rest) => shards(session, rest.first().copied()),
        ("streams", _) => streams(session),
        ("log", [name]) => log(session, name),
        ("journal", rest) => journal(session, rest.first().and_then(|text| text.parse().ok()).unwrap_or(20)),
        ("metrics", _) => metrics(session),
        ("cost", _) => cost(session),
        ("coach", ["explain", name]) => match lint(name) {
            Some(lint) => Outcome::data(format!("{}: {}\n", lint.name, lint.explanation)),
            None => no_lint(name),
        },
        ("coach", ["mute", name]) => match lint(name) {
            Some(lint) => {
                session.muted.insert(lint.name.to_owned());
                Outcome::said(format!("The coach says nothing of {name} any more; coach unmute {name} lets it."))
            }
            None => no_lint(name),
        },
        ("coach", ["unmute", name]) => {
            let was = session.muted.remove(*name);
            if was { Outcome::said(format!("The coach speaks of {name} again.")) } else { Outcome::refused(format!("{name} is not muted")) }
        }
        ("coach", ["lints"]) => Outcome::data(
            LINTS
                .iter()
                .map(|lint| format!("{}{}\n", lint.name, if session.muted.contains(lint.name) { "  (muted)" } else { "" }))
                .collect::<String>(),
        ),
        ("coach", [_, ..]) => Outcome::refused("coach, coach lints, coach explain NAME, coach mute NAME, coach unmute NAME"),
        ("coach", _) => {
            let view = session.view(&Wants::default());
            Outcome::data(if view.coach.is_empty() {
                "Coach: nothing to say.\n".to_owned()
            } else {
                view.coach.iter().map(|line| format!("Coach: {} ({})\n", line.text, line.lint)).collect()
            })
        }
        ("accounting", _) => Outcome::data(accounting(session)),
        ("status" | "checks" | "step", _) => Outcome::data(status(session)),
        ("help" | "?", _) => Outcome::data(format!("{HELP}\n")),
        ("quit" | "exit", _) => Outcome { quit: true, ..Outcome::default() },
        ("run" | "sleep" | "rewind", _) => Outcome::refused("write a duration with its unit: run 12s, run 2m, rewind 30s"),
        ("log", _) => Outcome::refused("log NAME: the name of a producer or consumer, for example: log replay"),
        (word, _) => {
            let near = crate::engine::generate::near_miss(word, FIRST_WORDS.map(|(known, _)| known))
                .map_or_else(String::new, |near| format!(" Did you mean '{near}'?"));
            Outcome::refused(format!("unknown command '{word}'.{near} 'help' lists the commands."))
        }
    }
}

/// The stations of the record being followed.
fn trail(session: &Session) -> String {
    let Some(trail) = session.view(&Wants::default()).trail else {
        return "No record is followed: follow STREAM SHARD [SEQUENCE-NUMBER]\n".to_owned();
    };
    let mut text = format!("{}  {}\n{}\n", trail.from, trail.record.sequence_number, trail.record.text);
    for step in &trail.steps {
        let _ = writeln!(text, "{}  {:<32} {}", step.at.clock_millis_text(), step.place, step.text);
    }
    text
}

fn no_lint(name: &str) -> Outcome {
    let names: Vec<&str> = LINTS.iter().map(|lint| lint.name).collect();
    Outcome::refused(format!("the coach has no lint '{name}'; there are: {}", names.join(", ")))
}

/// One line per branch.
fn branches(session: &Session) -> String {
    let span = |us: u64| format!("{:02}:{:02}", us / 60_000_000, us / 1_000_000 % 60);
    session
        .branch_views()
        .iter()
        .map(|branch| {
            let began = branch.began_us.map_or_else(|| "from the start".to_owned(), |us| format!("from {}", span(us)));
            let sign = if branch.current { "* " } else { "  " };
            let lines = if branch.lines.is_empty() { String::new() } else { format!("  {}", branch.lines.join("; ")) };
            format!("{sign}{} {began} to {}{lines}\n", branch.name, span(branch.newest_us))
        })
        .collect()
}

fn duration(text: &str) -> Result<VirtualDuration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(VirtualDuration::from_secs(seconds));
    }
    text.parse::<Dur>().map(|duration| duration.0)
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

fn shard_of(session: &Session, key: &str) -> Outcome {
    let hash = HashKey::of_partition_key(key);
    let mut text = format!("Partition key {key}: MD5 {:032x}, {hash}.\n", hash.0);
    for stream in session.engine.kinesis().streams() {
        if let Some(shard) = stream.map.shard_of(hash) {
            let _ = writeln!(text, "Stream {}: {}.", stream.name, crate::engine::kinesis::shard_id(shard));
        }
    }
    Outcome::data(text)
}

fn shards(session: &Session, name: Option<&str>) -> Outcome {
    let view = session.view(&Wants { stream: name.map(str::to_owned), ..Wants::default() });
    let mut text = String::new();
    for stream in view.streams.iter().filter(|stream| name.is_none_or(|name| name == stream.name)) {
        let _ = writeln!(text, "Stream {}: {}, {} open shards, {} closed.", stream.name, stream.status, stream.open_shards, stream.closed_shards);
        for shard in &stream.shards {
            let load = &shard.load;
            let _ = writeln!(
                text,
                "Shard {:04}{}: {:08x}… to {:08x}…, {} records and {} KiB last second, {} refused, {} % of the records limit, {} % of the bytes limit, {} stored.",
                shard.number,
                if shard.open { "" } else { " (closed)" },
                shard.hash_start.0 >> 96,
                shard.hash_end.0 >> 96,
                load.accepted_records,
                load.accepted_bytes / 1024,
                load.refused_records,
                shard.records_permille / 10,
                shard.bytes_permille / 10,
                shard.stored_records,
            );
        }
    }
    if text.is_empty() { Outcome::refused("there is no such stream yet") } else { Outcome::data(text) }
}

fn streams(session: &Session) -> Outcome {
    let view = session.view(&Wants::default());
    if view.streams.is_empty() {
        return Outcome::data("There are no streams.\n");
    }
    Outcome::data(
        view.streams
            .iter()
            .map(|s| {
                format!(
                    "Stream {}: {}, {} open shards, retention {} h, {} records stored ({} MiB).\n",
                    s.name,
                    s.status,
                    s.open_shards,
                    s.retention_hours,
                    s.stored_records,
                    s.stored_bytes >> 20
                )
            })
            .collect::<String>(),
    )
}

fn log(session: &Session, name: &str) -> Outcome {
    let lines: Option<Vec<_>> = session
        .engine
        .producer(name)
        .map(|producer| producer.log().cloned().collect())
        .or_else(|| session.engine.consumer(name).map(|consumer| consumer.log().cloned().collect()))
        .or_else(|| session.engine.services().lambda.function(name).map(|function| function.log.iter().cloned().collect()));
    match lines {
        Some(lines) => Outcome::data(lines.iter().map(|line| format!("{} {}\n", line.at.clock_text(), line.text)).collect::<String>()),
        None => Outcome::refused(format!("no producer, consumer or function is named '{name}'")),
    }
}

fn journal(session: &Session, rows: usize) -> Outcome {
    let view = session.view(&Wants { journal_rows: rows, ..Wants::default() });
    let shown = view.journal.rows.len();
    let mut text: String =
        view.journal.rows.iter().map(|row| format!("{} {} {}: {}\n", row.at.clock_millis_text(), row.resource, row.kind, row.text)).collect();
    let _ = writeln!(text, "{shown} of {} events shown.", view.journal.total);
    Outcome::data(text)
}

fn metrics(session: &Session) -> Outcome {
    let view = session.view(&Wants::default());
    Outcome::data(
        view.metrics
            .iter()
            .map(|metric| {
                let last = metric.per_second.last().copied().unwrap_or(0);
                format!(
                    "{} {{{}}}: {last} in the last second, {} in the last minute ({})\n",
                    metric.metric, metric.dimensions, metric.last_minute, metric.unit
                )
            })
            .collect::<String>(),
    )
}

/// Nano-dollars as dollars.
fn dollars(nano: u64) -> String {
    format!("${}.{:04}", nano / 1_000_000_000, nano % 1_000_000_000 / 100_000)
}

fn cost(session: &Session) -> Outcome {
    let view = session.view(&Wants::default());
    let mut text = String::new();
    for line in &view.cost.lines {
        let _ = writeln!(
            text,
            "{}: {}, {} so far, {} per hour at this load.",
            line.item,
            line.quantity,
            dollars(line.nanodollars),
            dollars(line.per_hour_nanodollars)
        );
    }
    let _ =
        writeln!(text, "Total: {} so far, {} per hour at this load.", dollars(view.cost.total_nanodollars), dollars(view.cost.per_hour_nanodollars));
    Outcome::data(text)
}

/// Where every record is, one line per producer and stream.
pub fn accounting(session: &Session) -> String {
    let view = session.view(&Wants::default());
    view.accounting
        .iter()
        .map(|line| {
            let parts: Vec<String> = line.parts.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
            format!("{}: {} ({})\n", line.subject, parts.join(", "), if line.balanced { "balanced" } else { "NOT BALANCED" })
        })
        .collect()
}

/// The step, its checks and questions, in sentences.
pub fn status(session: &Session) -> String {
    let view = session.lab_view();
    let mut text = format!(
        "{}, step {} of {}: {}. Time {}.\n{}\n",
        view.title,
        view.current + 1,
        view.steps.len(),
        view.step.title,
        session.now().clock_text(),
        view.step.body
    );
    for (number, check) in view.step.checks.iter().enumerate() {
        let state = match check.state {
            crate::lab::view::CheckState::Met => "Met".to_owned(),
            crate::lab::view::CheckState::Partial => format!("Holding, {} %", check.held_permille / 10),
            _ => format!("Not met: {}", check.seen),
        };
        let _ = writeln!(text, "Check {}: {}. {state}.", number + 1, check.title);
        if let Some(why) = &check.why {
            let _ = writeln!(text, "  Why: {why}");
        }
    }
    for question in &view.step.questions {
        let choices = if question.choices.is_empty() { String::new() } else { format!(" ({})", question.choices.join(", ")) };
        let _ = writeln!(text, "Question {}: {}{choices}", question.id, question.ask);
    }
    text
}
