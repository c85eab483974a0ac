//! Tests on the world: met or not, and what is seen, in words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::engine::Engine;

use super::scenario::TestSpec;

/// What a test found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// It is met.
    pub met: bool,
    /// What is seen now.
    pub seen: String,
}

impl Finding {
    fn new(met: bool, seen: impl Into<String>) -> Self {
        Self { met, seen: seen.into() }
    }
}

/// Compares by an operator of the scenario format; `None` for an operator or a pair that does not fit.
fn compare(found: f64, op: &str, wanted: f64) -> Option<bool> {
    Some(match op {
        "==" => found == wanted,
        "!=" => found != wanted,
        "<" => found < wanted,
        "<=" => found <= wanted,
        ">" => found > wanted,
        ">=" => found >= wanted,
        _ => return None,
    })
}

fn fits(found: &Value, op: &str, wanted: &Value) -> bool {
    match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => compare(found, op, wanted).unwrap_or(false),
        _ => match op {
            "==" => found == wanted,
            "!=" => found != wanted,
            _ => false,
        },
    }
}

/// What the learner did, beside the world.
#[derive(Debug, Clone, Copy)]
pub struct Learner<'a> {
    /// For each question whether the last answer was right.
    pub answers: &'a BTreeMap<String, bool>,
    /// Clock acts and beginnings of commands that worked.
    pub acts: &'a BTreeSet<String>,
    /// Initials.
    pub named: &'a BTreeMap<String, String>,
}

/// Evaluates a test.
pub fn evaluate(test: &TestSpec, world: &Engine, learner: &Learner<'_>) -> Finding {
    match test {
        TestSpec::Resource { id, wanted } => match world.resource(id) {
            None => Finding::new(false, format!("{id} does not exist")),
            Some(properties) => {
                let met = wanted.iter().all(|(name, op, value)| properties.get(name).is_some_and(|found| fits(found, op, value)));
                let seen = wanted.iter().map(|(name, ..)| format!("{name} {}", properties.get(name).map_or_else(|| "absent".to_owned(), plain)));
                Finding::new(met, seen.collect::<Vec<_>>().join(", "))
            }
        },
        TestSpec::Metric { metric, dims, stat, over, op, value } => {
            let dimensions: Vec<(String, String)> = dims.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            match world.metric_milli(metric, &dimensions, *stat, over.0) {
                None => Finding::new(false, format!("{metric}: nothing measured yet")),
                Some(milli) => {
                    let found = milli as f64 / 1000.0;
                    Finding::new(compare(found, op, *value).unwrap_or(false), format!("{metric} {found} over {over}, wanted {op} {value}"))
                }
            }
        }
        TestSpec::Producer { id, state } => {
            let found = world.producer(id).map_or("absent", |producer| producer.state.name());
            let met = found == state || (state == "running" && found == "blocked");
            Finding::new(met, format!("producer {id} is {found}"))
        }
        TestSpec::Log { source, contains } => {
            let met = world.log_contains(source, contains);
            Finding::new(met, format!("the log of {source} {} '{contains}'", if met { "holds" } else { "does not hold" }))
        }
        TestSpec::ShardsRead { stream, min } => {
            let read = world.shards_read(stream);
            Finding::new(read >= *min, format!("GetRecords on {read} of at least {min} shards"))
        }
        TestSpec::Answer { question } => match learner.answers.get(question) {
            None => Finding::new(false, format!("question {question} is not answered yet")),
            Some(true) => Finding::new(true, format!("question {question} is answered")),
            Some(false) => Finding::new(false, format!("the answer to {question} is not right yet")),
        },
        TestSpec::Conserved { producer } => match world.producer(producer) {
            None => Finding::new(false, format!("there is no producer {producer}")),
            Some(found) => {
                let met = found.is_balanced() && found.total.lost == 0 && found.total.acknowledged > 0;
                Finding::new(
                    met,
                    format!("{} acknowledged, {} lost, {} outstanding", found.total.acknowledged, found.total.lost, found.outstanding()),
                )
            }
        },
        TestSpec::Action { did } => {
            let missing: Vec<&str> = did.iter().filter(|act| !learner.acts.contains(*act)).map(String::as_str).collect();
            let seen = if missing.is_empty() { format!("done: {}", did.join(", ")) } else { format!("not done yet: {}", missing.join(", ")) };
            Finding::new(missing.is_empty(), seen)
        }
        TestSpec::Named { what } => match learner.named.get(what) {
            Some(value) => Finding::new(true, format!("{what} {value}")),
            None => Finding::new(false, format!("{what} not given yet")),
        },
        TestSpec::Filter { function, generator, keep, records } => match world.judged(function, generator, keep, *records) {
            Ok((same, all)) => Finding::new(same == all, format!("{same} of {all} records are judged rightly")),
            Err(error) => Finding::new(false, error),
        },
        TestSpec::Counted { stream } => match world.counted(stream) {
            Some((found, delivered)) => {
                Finding::new(found > 0 && found == delivered, format!("the query counted {found}, the delivered objects hold {delivered} records"))
            }
            None => Finding::new(false, "no query has counted yet"),
        },
        TestSpec::Rows { app, stream, condition, over, min, max } => {
            let wanted = condition.as_deref().unwrap_or("not false");
            match world.in_app_rows(app, stream, over.map(|over| over.0.as_millis()), wanted) {
                Ok((found, all)) => {
                    let met = min.is_none_or(|min| found >= min) && max.is_none_or(|max| found <= max) && all > 0;
                    let words = condition.as_deref().map_or_else(String::new, |condition| format!(" with {condition}"));
                    Finding::new(met, format!("{found} of the newest {all} rows of {stream}{words}"))
                }
                Err(error) => Finding::new(false, error),
            }
        }
        TestSpec::Not { test } => {
            let finding = evaluate(test, world, learner);
            Finding::new(!finding.met, finding.seen)
        }
        TestSpec::Hottest { stream, at_least_permille } => hottest(world, stream, *at_least_permille),
        TestSpec::Cost { at_most_per_hour } => {
            let hourly = world.view(&crate::engine::view::Wants::default()).cost.per_hour_nanodollars;
            let dollars = hourly as f64 / 1e9;
            Finding::new(dollars <= *at_most_per_hour, format!("${dollars:.3} per hour at this load, wanted at most ${at_most_per_hour}"))
        }
        TestSpec::All { of } => {
            let findings: Vec<Finding> = of.iter().map(|test| evaluate(test, world, learner)).collect();
            // What is missing is worth more words than what is there.
            let seen: Vec<&str> = findings.iter().filter(|finding| !finding.met).map(|finding| finding.seen.as_str()).collect();
            let met = seen.is_empty();
            let all = findings.iter().map(|finding| finding.seen.as_str()).collect::<Vec<_>>();
            Finding::new(met, if met { all.join("; ") } else { seen.join("; ") })
        }
        TestSpec::Any { of } => {
            let findings: Vec<Finding> = of.iter().map(|test| evaluate(test, world, learner)).collect();
            let met = findings.iter().any(|finding| finding.met);
            Finding::new(met, findings.into_iter().map(|finding| finding.seen).collect::<Vec<_>>().join("; "))
        }
    }
}

/// One shard takes so much of what the stream accepted in the last second.
fn hottest(world: &Engine, stream: &str, at_least_permille: u64) -> Finding {
    let view = world.view(&crate::engine::view::Wants { stream: Some(stream.to_owned()), ..crate::engine::view::Wants::default() });
    let Some(found) = view.streams.iter().find(|known| known.name == stream) else {
        return Finding::new(false, format!("stream {stream} does not exist"));
    };
    let demand = |load: &crate::engine::view::Load| load.accepted_records + load.refused_records;
    let all: u64 = found.shards.iter().map(|shard| demand(&shard.load)).sum();
    match found.shards.iter().max_by_key(|shard| demand(&shard.load)) {
        Some(shard) if all > 0 => {
            let share = demand(&shard.load) * 1000 / all;
            let text = format!("shard {:04} takes {} % of the records", shard.number, share / 10);
            Finding::new(share >= at_least_permille, text)
        }
        _ => Finding::new(false, "no records in the last second"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
