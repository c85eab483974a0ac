//! Tests on the world: met or not, and what is seen, in words.

use std::collections::BTreeMap;

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

/// Evaluates a test. `answers` holds for each question whether the last answer was right.
pub fn evaluate(test: &TestSpec, world: &Engine, answers: &BTreeMap<String, bool>) -> Finding {
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
        TestSpec::Answer { question } => match answers.get(question) {
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
        TestSpec::All { of } => {
            let findings: Vec<Finding> = of.iter().map(|test| evaluate(test, world, answers)).collect();
            // What is missing is worth more words than what is there.
            let seen: Vec<&str> = findings.iter().filter(|finding| !finding.met).map(|finding| finding.seen.as_str()).collect();
            let met = seen.is_empty();
            let all = findings.iter().map(|finding| finding.seen.as_str()).collect::<Vec<_>>();
            Finding::new(met, if met { all.join("; ") } else { seen.join("; ") })
        }
        TestSpec::Any { of } => {
            let findings: Vec<Finding> = of.iter().map(|test| evaluate(test, world, answers)).collect();
            let met = findings.iter().any(|finding| finding.met);
            Finding::new(met, findings.into_iter().map(|finding| finding.seen).collect::<Vec<_>>().join("; "))
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
