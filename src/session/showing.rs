//! Lines that show something: shards, streams, programs, the journal, metrics, the bill, where every record is, the step.

use std::fmt::Write as _;

use crate::engine::coach::{LINTS, lint};
use crate::engine::kinesis::hash::HashKey;
use crate::engine::view::Wants;

use super::driver::Outcome;
use super::play::Session;

/// The coach: what it says, why, and that it should be quiet.
pub(super) fn coach(session: &mut Session, rest: &[&str]) -> Outcome {
    match rest {
        ["explain", name] => match lint(name) {
            Some(lint) => Outcome::data(format!("{}: {}\n", lint.name, lint.explanation)),
            None => no_lint(name),
        },
        ["mute", name] => match lint(name) {
            Some(lint) => {
                session.muted.insert(lint.name.to_owned());
                Outcome::said(format!("The coach says nothing of {name} any more; coach unmute {name} lets it."))
            }
            None => no_lint(name),
        },
        ["unmute", name] => {
            let was = session.muted.remove(*name);
            if was { Outcome::said(format!("The coach speaks of {name} again.")) } else { Outcome::refused(format!("{name} is not muted")) }
        }
        ["lints"] => Outcome::data(
            LINTS
                .iter()
                .map(|lint| format!("{}{}\n", lint.name, if session.muted.contains(lint.name) { "  (muted)" } else { "" }))
                .collect::<String>(),
        ),
        [_, ..] => Outcome::refused("coach, coach lints, coach explain NAME, coach mute NAME, coach unmute NAME"),
        _ => {
            let view = session.view(&Wants::default());
            Outcome::data(if view.coach.is_empty() {
                "Coach: nothing to say.\n".to_owned()
            } else {
                view.coach.iter().map(|line| format!("Coach: {} ({})\n", line.text, line.lint)).collect()
            })
        }
    }
}

fn no_lint(name: &str) -> Outcome {
    let names: Vec<&str> = LINTS.iter().map(|lint| lint.name).collect();
    Outcome::refused(format!("the coach has no lint '{name}'; there are: {}", names.join(", ")))
}

pub(super) fn shard_of(session: &Session, key: &str) -> Outcome {
    let hash = HashKey::of_partition_key(key);
    let mut text = format!("Partition key {key}: MD5 {:032x}, {hash}.\n", hash.0);
    for stream in session.engine.kinesis().streams() {
        if let Some(shard) = stream.map.shard_of(hash) {
            let _ = writeln!(text, "Stream {}: {}.", stream.name, crate::engine::kinesis::shard_id(shard));
        }
    }
    Outcome::data(text)
}

pub(super) fn shards(session: &Session, name: Option<&str>) -> Outcome {
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

pub(super) fn streams(session: &Session) -> Outcome {
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

pub(super) fn log(session: &Session, name: &str) -> Outcome {
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

pub(super) fn journal(session: &Session, rows: usize) -> Outcome {
    let view = session.view(&Wants { journal_rows: rows, ..Wants::default() });
    let shown = view.journal.rows.len();
    let mut text: String =
        view.journal.rows.iter().map(|row| format!("{} {} {}: {}\n", row.at.clock_millis_text(), row.resource, row.kind, row.text)).collect();
    let _ = writeln!(text, "{shown} of {} events shown.", view.journal.total);
    Outcome::data(text)
}

pub(super) fn metrics(session: &Session) -> Outcome {
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

pub(super) fn cost(session: &Session) -> Outcome {
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
