//! Words of the command language for the services behind the streams: `aws s3`, queries, templates, the wizard, samples, faults.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::ServiceError;
use crate::engine::formats::compress::Compression;
use crate::engine::lambda::function::Program;
use crate::engine::time::VirtualDuration;
use crate::engine::{Command, Fault, WorldCommand};

use super::driver::Outcome;
use super::play::{Session, SessionFiles};

/// Rows shown of an object.
const PEEK_ROWS: usize = 20;
/// Records that a sample tries at most.
const SAMPLE_MAX: u64 = 500;

/// Carries out words of the services; `None` when they are others.
pub(super) fn carry_out(session: &mut Session, words: &[String]) -> Option<Outcome> {
    let text: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match text.as_slice() {
        ["aws", "s3", rest @ ..] | ["s3", rest @ ..] => s3(session, rest),
        ["aws", "athena", statement] | ["athena" | "query", statement] if *statement != "help" => query(session, statement),
        ["query" | "athena", rest @ ..] if rest.len() > 1 && is_statement(rest[0]) => query(session, &rest.join(" ")),
        ["aws", "cloudformation", "deploy", rest @ ..] | ["cfn", "deploy", rest @ ..] => super::templates::deploy(session, rest),
        ["wizard", rest @ ..] => super::templates::wizard(session, rest),
        ["lambda", "test", rest @ ..] => sample(session, rest),
        ["rule", ..] => Outcome::refused("rule FUNCTION CONDITION, for example: rule NYCTaxiTrips type == 'trip'"),
        ["fault", rest @ ..] => fault(session, rest),
        ["app", rest @ ..] => super::app_words::carry_out(session, rest),
        ["apps"] => super::app_words::list(session),
        ["functions"] => functions(session),
        ["deliveries"] => deliveries(session),
        ["objects", rest @ ..] => s3(session, &[&["ls", "--recursive"], rest].concat()),
        ["flush", stream] => flush(session, stream),
        _ => return None,
    })
}

fn is_statement(word: &str) -> bool {
    ["select", "msck", "show", "describe", "alter"].contains(&word.to_lowercase().as_str())
}

fn refused(error: &ServiceError, operation: &str) -> Outcome {
    Outcome {
        message: format!("An error occurred ({}) when calling the {operation} operation: {}", error.code, error.message),
        failed: true,
        status: 254,
        ..Outcome::default()
    }
}

/// Bucket and key of `s3://bucket/key`.
fn place(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("s3://")?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

fn s3(session: &mut Session, words: &[&str]) -> Outcome {
    const USAGE: &str =
        "aws s3 ls [s3://BUCKET/PREFIX] [--recursive] | cp FROM TO | cp s3://… - | select s3://…/KEY [ROWS] | mb s3://BUCKET | rb | rm [--recursive]";
    let flags: Vec<&str> = words.iter().copied().filter(|word| word.starts_with("--")).collect();
    let plain: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with("--")).collect();
    let recursive = flags.contains(&"--recursive");
    match plain.as_slice() {
        ["ls"] if !recursive => {
            let services = session.engine.services();
            Outcome::data(
                services
                    .s3
                    .buckets()
                    .map(|(name, bucket)| format!("{} {name}\n", bucket.created.to_string()[..19].replace('T', " ")))
                    .collect::<String>(),
            )
        }
        ["ls"] => {
            let services = session.engine.services();
            let mut text = String::new();
            for (name, bucket) in services.s3.buckets() {
                for (key, object) in &bucket.objects {
                    let _ = writeln!(text, "{} {:>10} s3://{name}/{key}", object.at.to_string()[..19].replace('T', " "), object.bytes.len());
                }
            }
            Outcome::data(text)
        }
        ["ls", target] => {
            let target = target.strip_prefix("s3://").map_or_else(|| format!("s3://{target}"), |_| (*target).to_owned());
            let (bucket, prefix) = place(&target).unwrap_or_default();
            let Some(found) = session.engine.services().s3.bucket(bucket) else {
                return Outcome {
                    message: "An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: The specified bucket does not exist"
                        .to_owned(),
                    failed: true,
                    status: 254,
                    ..Outcome::default()
                };
            };
            let (mut text, mut folder, mut count, mut bytes) = (String::new(), String::new(), 0u64, 0u64);
            let base = prefix.rfind('/').map_or(0, |at| at + 1);
            for (key, object) in found.objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)) {
                count += 1;
                bytes += object.bytes.len() as u64;
                if !recursive && let Some(at) = key[prefix.len()..].find('/') {
                    let name = key[base..=prefix.len() + at].to_owned();
                    if name != folder {
                        let _ = writeln!(text, "{:>30} {name}", "PRE");
                        folder = name;
                    }
                    continue;
                }
                let shown = if recursive { key } else { &key[base..] };
                let _ = writeln!(text, "{} {:>10} {shown}", object.at.to_string()[..19].replace('T', " "), object.bytes.len());
            }
            if flags.contains(&"--summarize") {
                let _ = writeln!(text, "\nTotal Objects: {count}\n   Total Size: {bytes}");
            }
            if count == 0 {
                Outcome { status: 1, failed: true, message: "no object has this prefix yet".to_owned(), ..Outcome::default() }
            } else {
                Outcome::data(text)
            }
        }
        ["mb", target] => match place(target) {
            Some((bucket, "")) => match session.call_service("s3api", "CreateBucket", &json!({"Bucket": bucket})) {
                Ok(_) => Outcome::data(format!("make_bucket: {bucket}\n")),
                Err(error) => Outcome {
                    message: format!("make_bucket failed: {target} {}", refused(&error, "CreateBucket").message),
                    failed: true,
                    status: 1,
                    ..Outcome::default()
                },
            },
            _ => Outcome::refused("aws s3 mb s3://BUCKET"),
        },
        ["rb", target] => match place(target) {
            Some((bucket, "")) => {
                if flags.contains(&"--force") {
                    let keys: Vec<String> =
                        session.engine.services().s3.bucket(bucket).map(|bucket| bucket.objects.keys().cloned().collect()).unwrap_or_default();
                    for key in keys {
                        let _ = session.call_service("s3api", "DeleteObject", &json!({"Bucket": bucket, "Key": key}));
                    }
                }
                match session.call_service("s3api", "DeleteBucket", &json!({"Bucket": bucket})) {
                    Ok(_) => Outcome::data(format!("remove_bucket: {bucket}\n")),
                    Err(error) => Outcome {
                        message: format!("remove_bucket failed: {target} {}", refused(&error, "DeleteBucket").message),
                        failed: true,
                        status: 1,
                        ..Outcome::default()
                    },
                }
            }
            _ => Outcome::refused("aws s3 rb s3://BUCKET [--force]"),
        },
        ["rm", target] => {
            let Some((bucket, key)) = place(target) else { return Outcome::refused(USAGE) };
            let keys: Vec<String> = match session.engine.services().s3.bucket(bucket) {
                Some(bucket) => {
                    bucket.objects.keys().filter(|known| if recursive { known.starts_with(key) } else { *known == key }).cloned().collect()
                }
                None => {
                    return Outcome::refused(
                        "fatal error: An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: The specified bucket does not exist",
                    );
                }
            };
            let mut text = String::new();
            for key in keys {
                let _ = session.call_service("s3api", "DeleteObject", &json!({"Bucket": bucket, "Key": key}));
                let _ = writeln!(text, "delete: s3://{bucket}/{key}");
            }
            Outcome::data(text)
        }
        ["cp", from, to] => copy(session, from, to),
        ["select", target, rest @ ..] => {
            let Some((bucket, key)) = place(target) else { return Outcome::refused("s3 select s3://BUCKET/KEY [ROWS]") };
            let most = rest.first().and_then(|text| text.parse().ok()).unwrap_or(PEEK_ROWS);
            let services = session.engine.services();
            match crate::engine::athena::peek(&services.glue, &services.s3, bucket, key, most) {
                Ok(rows) => Outcome::data(rows.iter().map(|row| format!("{row}\n")).collect::<String>()),
                Err(error) => Outcome::refused(error),
            }
        }
        _ => Outcome::refused(USAGE),
    }
}

fn copy(session: &mut Session, from: &str, to: &str) -> Outcome {
    let fatal = |text: &str| Outcome { message: format!("fatal error: {text}"), failed: true, status: 1, ..Outcome::default() };
    let bytes = match place(from) {
        Some((bucket, key)) => match session.engine.services().s3.object(bucket, key) {
            Some(object) => object.bytes.to_vec(),
            None => return fatal("An error occurred (404) when calling the HeadObject operation: Not Found"),
        },
        None => {
            use crate::api::cli::FileSource;
            match SessionFiles(session).read(from) {
                Ok(bytes) => bytes,
                Err(error) => return fatal(&error),
            }
        }
    };
    let Some((bucket, key)) = place(to) else {
        if to != "-" {
            return fatal("write to '-' to see an object; --out DIR mirrors all of them into a folder");
        }
        let unpacked = Compression::of_key(from).unpack(&bytes).unwrap_or(bytes);
        return match String::from_utf8(unpacked) {
            Ok(text) => Outcome::data(text),
            Err(_) => fatal(&format!("{from} is not text: 's3 select {from}' shows its rows")),
        };
    };
    let name = from.rsplit('/').next().unwrap_or_default();
    let key = if key.is_empty() || key.ends_with('/') { format!("{key}{name}") } else { key.to_owned() };
    match session.call_service("s3api", "PutObject", &json!({"Bucket": bucket, "Key": key, "Body": STANDARD.encode(&bytes)})) {
        Ok(_) => Outcome::data(format!("{}: {from} to s3://{bucket}/{key}\n", if from.starts_with("s3://") { "copy" } else { "upload" })),
        Err(error) => fatal(&refused(&error, "PutObject").message),
    }
}

fn query(session: &mut Session, statement: &str) -> Outcome {
    // The database of the first table is the default, as the console keeps the one chosen last.
    let database = session.engine.services().glue.tables().next().map_or("default", |(database, _, _)| database).to_owned();
    let body = json!({"QueryString": statement, "QueryExecutionContext": {"Database": database}});
    if let Err(error) = session.call_service("athena", "StartQueryExecution", &body) {
        return refused(&error, "StartQueryExecution");
    }
    let Some(execution) = session.engine.services().athena.executions().last() else { return Outcome::default() };
    match &execution.result {
        Err(reason) => Outcome::refused(reason.clone()),
        Ok(rows) => {
            let shown = |value: &Value| match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let lines: Vec<Vec<String>> =
                std::iter::once(rows.columns.clone()).chain(rows.rows.iter().map(|row| row.iter().map(shown).collect())).collect();
            let widths: Vec<usize> = (0..rows.columns.len())
                .map(|at| lines.iter().map(|line| line.get(at).map_or(0, |cell| cell.chars().count())).max().unwrap_or(0))
                .collect();
            let mut text = String::new();
            for (number, line) in lines.iter().enumerate() {
                let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
                let _ = writeln!(text, "{}", cells.join("  ").trim_end());
                if number == 0 {
                    let _ = writeln!(text, "{}", widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("  "));
                }
            }
            let _ = writeln!(text, "{} rows, {} objects and {} bytes scanned.", rows.rows.len(), rows.objects, rows.scanned);
            Outcome::data(text)
        }
    }
}

/// Tries a function on records of its stream, or of the first generator, and shows what becomes of each.
fn sample(session: &mut Session, words: &[&str]) -> Outcome {
    let number = words.iter().position(|word| *word == "--sample").and_then(|at| words.get(at + 1)).and_then(|text| text.parse::<u64>().ok());
    let count = number.unwrap_or(20).min(SAMPLE_MAX);
    let named = words.iter().find(|word| !word.starts_with("--") && word.parse::<u64>().is_err());
    let name = match named {
        Some(name) => (*name).to_owned(),
        None => match session.engine.services().lambda.functions().next() {
            Some(function) => function.name.to_string(),
            None => return Outcome::refused("there is no function yet: aws lambda create-function, or cfn deploy"),
        },
    };
    let records = session.engine.sample_records(count);
    if records.is_empty() {
        return Outcome::refused("this lab has no generator to take records from");
    }
    let Some(function) = session.engine.services().lambda.function(&name) else { return Outcome::refused(format!("there is no function {name}")) };
    let (mut text, mut kept) = (String::new(), 0);
    if let Program::Rule(rule) = &function.program {
        for record in &records {
            let keeps = rule.keeps(record);
            kept += usize::from(keeps);
            let line: String = String::from_utf8_lossy(record).chars().take(90).collect();
            let _ = writeln!(
                text,
                "{} {line}… {}",
                if keeps { "kept   " } else { "dropped" },
                if keeps { String::new() } else { format!("({})", rule.reason(record)) }
            );
        }
        let _ = writeln!(text, "{kept} of {} records are kept.", records.len());
        session.note_act("lambda test");
        return Outcome::data(text);
    }
    let event = json!({"invocationId": "test", "deliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/test", "region": "us-east-1",
        "records": records.iter().enumerate().map(|(at, record)| json!({"recordId": at.to_string(), "approximateArrivalTimestamp": session.now().millis(), "data": STANDARD.encode(record),
            "kinesis": {"data": STANDARD.encode(record)}})).collect::<Vec<_>>()});
    let payload = STANDARD.encode(event.to_string());
    let line = format!("aws lambda invoke --function-name {name} --payload {payload} -");
    session.note_act("lambda test");
    super::language::carry_out(session, &line)
}

/// Replaces a rule by another condition.
pub(super) fn rule(session: &mut Session, function: &str, condition: &str) -> Outcome {
    let text = if condition.trim_start().starts_with("keep") { condition.to_owned() } else { format!("keep {condition}") };
    match session.call_service("lambda", "UpdateFunctionCode", &json!({"FunctionName": function, "ZipFile": STANDARD.encode(&text)})) {
        Ok(_) => Outcome::said(format!("{function}: {text}")),
        Err(error) => refused(&error, "UpdateFunctionCode"),
    }
}

fn fault(session: &mut Session, words: &[&str]) -> Outcome {
    const USAGE: &str = "fault s3 BUCKET unavailable|denied [30s] | slow FUNCTION 210ms [2m] | fail FUNCTION [30s] | destination STREAM unreachable|busy|no-ack|reject PERMILLE [5m] | end …";
    use crate::engine::firehose::endpoint::Trouble;
    use crate::engine::s3::Refusal;
    let (ends, words) = match words {
        ["end", rest @ ..] => (true, rest),
        all => (false, all),
    };
    let length = |text: Option<&&str>| text.and_then(|text| text.parse::<crate::engine::generate::duration::Dur>().ok()).map(|duration| duration.0);
    let (fault, hold) = match words {
        ["s3", bucket, how, rest @ ..] => {
            let refusal = if how.starts_with("den") { Refusal::AccessDenied } else { Refusal::Unavailable };
            (Fault::Bucket { bucket: (*bucket).to_owned(), refusal }, length(rest.first()))
        }
        ["s3", bucket] if ends => (Fault::Bucket { bucket: (*bucket).to_owned(), refusal: Refusal::Unavailable }, None),
        ["slow", function, rest @ ..] => {
            let by = length(rest.first()).unwrap_or(VirtualDuration::from_millis(210));
            (Fault::SlowFunction { function: (*function).to_owned(), by }, length(rest.get(1)))
        }
        ["fail", function, rest @ ..] => (Fault::FailingFunction { function: (*function).to_owned() }, length(rest.first())),
        ["destination", stream, how, rest @ ..] => {
            let (trouble, rest) = match *how {
                "busy" => (Trouble::Busy, rest),
                "no-ack" => (Trouble::NoAcknowledgement, rest),
                "reject" => (Trouble::Rejects(rest.first().and_then(|text| text.parse().ok()).unwrap_or(1000)), rest.get(1..).unwrap_or_default()),
                _ => (Trouble::Unreachable, rest),
            };
            (Fault::Destination { stream: (*stream).to_owned(), trouble }, length(rest.first()))
        }
        ["destination", stream] if ends => (Fault::Destination { stream: (*stream).to_owned(), trouble: Trouble::Unreachable }, None),
        _ => return Outcome::refused(USAGE),
    };
    let command = if ends { WorldCommand::EndFault { fault } } else { WorldCommand::Fault { fault, hold } };
    match session.engine.apply(&Command::World(command)) {
        Ok(_) => Outcome::said(if ends { "The fault is over." } else { "The fault is on." }),
        Err(error) => Outcome::refused(error.message),
    }
}

fn functions(session: &Session) -> Outcome {
    let view = session.view(&crate::engine::view::Wants::default());
    let mut text = String::new();
    for function in &view.functions {
        let (calls, errors, throttles) = function.counts;
        let _ = writeln!(
            text,
            "Function {} ({}): {calls} calls, {errors} errors, {throttles} throttled, {} running, last {} ms.",
            function.name, function.runtime, function.running, function.last_ms
        );
        for mapping in &function.mappings {
            let (read, kept, dropped, again, given_up) = mapping.counts;
            let _ = writeln!(
                text,
                "  reads stream {}, batches of {}{}{}, iterator age {} ms, {} of {} shards: {read} read, {kept} kept, {dropped} dropped, {again} put again, {given_up} given up. {}",
                mapping.stream,
                mapping.batch_size,
                if mapping.how.is_empty() { "" } else { ", " },
                mapping.how,
                mapping.age_ms,
                mapping.shards_seen,
                mapping.shards,
                mapping.result
            );
        }
    }
    if text.is_empty() { Outcome::refused("there are no functions yet") } else { Outcome::data(text) }
}

fn deliveries(session: &Session) -> Outcome {
    let view = session.view(&crate::engine::view::Wants::default());
    let mut text = String::new();
    for stream in &view.deliveries {
        let parts: Vec<String> = stream.accounting.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
        let _ = writeln!(
            text,
            "Delivery stream {}: {}, from {} to {} ({}).",
            stream.name, stream.status, stream.source, stream.destination, stream.format
        );
        let _ = writeln!(
            text,
            "  buffer {} of {} MiB, {} of {} s; {} ({})",
            stream.buffer_bytes >> 20,
            stream.size_bytes >> 20,
            stream.buffer_age_ms / 1000,
            stream.interval_ms / 1000,
            parts.join(", "),
            if stream.balanced { "balanced" } else { "NOT BALANCED" }
        );
        for object in stream.objects.iter().take(5) {
            let _ = writeln!(
                text,
                "  {} s3://{}/{}: {} records, {} bytes",
                object.at.clock_text(),
                object.bucket,
                object.key,
                object.records,
                object.bytes
            );
        }
        for retry in &stream.retries {
            let _ = writeln!(text, "  retrying: {retry}");
        }
    }
    if text.is_empty() { Outcome::refused("there are no delivery streams yet") } else { Outcome::data(text) }
}

/// Lets time pass until the buffers of a delivery stream are empty: a teaching aid outside AWS's operations.
fn flush(session: &mut Session, name: &str) -> Outcome {
    let waits = |session: &Session| {
        session
            .engine
            .services()
            .firehose
            .stream(name)
            .map(|stream| stream.buffered() + stream.in_transform() + stream.in_flight() + stream.failing() > 0)
    };
    let Some(mut more) = waits(session) else { return Outcome::refused(format!("there is no delivery stream {name}")) };
    let until = session.now() + VirtualDuration::from_secs(960);
    while more && session.now() < until {
        session.advance(session.now() + VirtualDuration::SECOND);
        more = waits(session) == Some(true);
    }
    Outcome::said(if more {
        format!("Time {}. Records still wait: its producers go on.", session.now().clock_text())
    } else {
        format!("Time {}. Its buffers are empty.", session.now().clock_text())
    })
}
