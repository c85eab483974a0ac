//! What came of a run, as one value: steps, checks with their instants, hints, solutions, answers, points, accounting, hashes. It carries the
//! run itself, so whoever gets the report can play it again and must find the same.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::view::{AccountingLine, Wants};

use super::Session;
use super::runlog::{Entry, Header};

/// Version of the form.
pub const REPORT_FORM: u32 = 1;

/// A run's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the form, [`REPORT_FORM`].
    pub report: u32,
    /// Version of the program that made it.
    pub version: String,
    /// Title of the lab.
    pub title: String,
    /// Initials of the learner, when they were given.
    pub initials: Option<String>,
    /// Virtual microseconds since the start.
    pub elapsed_us: u64,
    /// Seconds at the keyboard, as far as they were recorded. The only figure that a replay cannot find again.
    pub recorded_seconds: Option<u64>,
    /// All checks are met.
    pub finished: bool,
    /// Points reached and points in all.
    pub points: (u32, u32),
    /// Hints taken in all steps.
    pub hints: usize,
    /// The steps in order.
    pub steps: Vec<StepReport>,
    /// Where every record is.
    pub accounting: Vec<AccountingLine>,
    /// A rule of the simulation that was found broken.
    pub broken_rule: Option<String>,
    /// Events processed.
    pub events: u64,
    /// The chained SHA-256 of the journal, in hex.
    pub journal_hash: String,
    /// SHA-256 of the log of the run, in hex.
    pub log_hash: String,
    /// What was played.
    pub run: RunReport,
}

/// The run itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Lab, fingerprint, seed, variables.
    pub header: Header,
    /// Everything that entered, with its instant.
    pub entries: Vec<Entry>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// All its checks are met.
    pub done: bool,
    /// When it began, microseconds since the start; `None` when nobody came so far.
    pub began_us: Option<u64>,
    /// Hints taken.
    pub hints: usize,
    /// The solution: `no`, `shown` or `applied`.
    pub solution: String,
    /// Its checks.
    pub checks: Vec<CheckReport>,
    /// Its questions.
    pub questions: Vec<QuestionReport>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Points it gives.
    pub points: u32,
    /// When it was met, microseconds since the start.
    pub met_us: Option<u64>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionReport {
    /// Its id.
    pub id: String,
    /// The question.
    pub ask: String,
    /// The last answer.
    pub answer: Option<String>,
    /// Whether that was right.
    pub right: bool,
    /// Wrong answers given.
    pub wrong: usize,
}

impl Session {
    /// What came of the run up to now.
    pub fn report(&self) -> Report {
        let (lab, run) = (&self.lab().lab, self.lab());
        let since = |at: crate::engine::time::VirtualTime| at.since(self.epoch()).0;
        let steps = lab.steps.iter().enumerate().map(|(index, step)| {
            let id = &step.spec.id;
            let checks = step.spec.checks.iter().filter_map(|check| {
                let spec = lab.scenario.check.get(check)?;
                let met_us = run.met_at(check).map(since);
                Some(CheckReport { id: check.clone(), title: spec.title.clone(), points: spec.points, met_us })
            });
            let questions = step.spec.question.iter().map(|question| {
                let answer = run.answer(&question.id);
                QuestionReport {
                    id: question.id.clone(),
                    ask: question.ask.clone(),
                    answer: answer.map(|(text, _)| text.to_owned()),
                    right: answer.is_some_and(|(_, right)| right),
                    wrong: run.wrong_answers(&question.id),
                }
            });
            StepReport {
                id: id.clone(),
                title: step.spec.title.clone(),
                done: run.step_done(index),
                began_us: run.began.get(index).map(|(at, _)| since(*at)),
                hints: run.hints_of(id),
                solution: run.solution_of(id).to_owned(),
                checks: checks.collect(),
                questions: questions.collect(),
            }
        });
        let view = self.view(&Wants { journal_rows: 1, ..Wants::default() });
        Report {
            report: REPORT_FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: lab.scenario.title.clone(),
            initials: run.named("initials").or_else(|| lab.scenario.vars.get("initials").map(String::as_str)).map(str::to_owned),
            elapsed_us: since(self.now()),
            recorded_seconds: None,
            finished: run.finished(),
            points: self.lab_view().points,
            hints: run.hints_taken(),
            steps: steps.collect(),
            accounting: view.accounting,
            broken_rule: self.broken_rule().map(str::to_owned),
            events: view.events,
            journal_hash: self.world().journal_hash(),
            log_hash: hex(&Sha256::digest(self.log_text().as_bytes())),
            run: RunReport { header: self.header(), entries: self.entries().to_vec() },
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Report {
    /// What `again`, the result of playing the same run, has otherwise: one sentence each, none when the score holds. The program's version and
    /// the time at the keyboard are no part of it.
    pub fn differences(&self, again: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, told: String, seen: String| {
            if told != seen {
                found.push(format!("{what}: the report says {told}, the run gives {seen}"));
            }
        };
        compare("lab", self.run.header.lab.clone(), again.run.header.lab.clone());
        compare("files of the lab", self.run.header.fingerprint.clone(), again.run.header.fingerprint.clone());
        compare("seed", self.run.header.seed.to_string(), again.run.header.seed.to_string());
        compare("variables", format!("{:?}", self.run.header.vars), format!("{:?}", again.run.header.vars));
        compare("initials", format!("{:?}", self.initials), format!("{:?}", again.initials));
        compare("virtual time", micros(self.elapsed_us), micros(again.elapsed_us));
        compare("finished", self.finished.to_string(), again.finished.to_string());
        compare("points", format!("{} of {}", self.points.0, self.points.1), format!("{} of {}", again.points.0, again.points.1));
        compare("hints", self.hints.to_string(), again.hints.to_string());
        compare("steps", self.steps.len().to_string(), again.steps.len().to_string());
        for (told, seen) in self.steps.iter().zip(&again.steps) {
            let step = |part: &str| format!("step {}, {part}", told.id);
            compare(&step("title"), format!("'{} {}'", told.id, told.title), format!("'{} {}'", seen.id, seen.title));
            compare(&step("done"), told.done.to_string(), seen.done.to_string());
            compare(&step("begun"), told.began_us.map_or("never".to_owned(), micros), seen.began_us.map_or("never".to_owned(), micros));
            compare(&step("hints"), told.hints.to_string(), seen.hints.to_string());
            compare(&step("solution"), told.solution.clone(), seen.solution.clone());
            compare(&step("number of checks"), told.checks.len().to_string(), seen.checks.len().to_string());
            for (told, seen) in told.checks.iter().zip(&seen.checks) {
                let words = |check: &CheckReport| {
                    format!("'{}', {} points, met {}", check.title, check.points, check.met_us.map_or("never".to_owned(), micros))
                };
                compare(&format!("check {}", told.id), words(told), words(seen));
            }
            compare(&step("number of questions"), told.questions.len().to_string(), seen.questions.len().to_string());
            for (told, seen) in told.questions.iter().zip(&seen.questions) {
                let words = |question: &QuestionReport| {
                    let answer = question.answer.as_deref().map_or("nothing".to_owned(), |answer| format!("'{answer}'"));
                    format!("{answer}, {}, {} wrong before or since", if question.right { "right" } else { "not right" }, question.wrong)
                };
                compare(&format!("question {}", told.id), words(told), words(seen));
            }
        }
        compare("accounting", accounting_words(&self.accounting), accounting_words(&again.accounting));
        compare("broken rule", format!("{:?}", self.broken_rule), format!("{:?}", again.broken_rule));
        compare("events", self.events.to_string(), again.events.to_string());
        compare("journal", self.journal_hash.clone(), again.journal_hash.clone());
        compare("log of the run", self.log_hash.clone(), again.log_hash.clone());
        found
    }
}

/// Virtual time since the start, `3:20.500`: whole seconds without a fraction.
pub fn micros(us: u64) -> String {
    let (seconds, millis) = (us / 1_000_000, us % 1_000_000 / 1000);
    let fraction = if millis == 0 { String::new() } else { format!(".{millis:03}") };
    match seconds / 3600 {
        0 => format!("{}:{:02}{fraction}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}{fraction}", seconds / 60 % 60, seconds % 60),
    }
}

fn accounting_words(lines: &[AccountingLine]) -> String {
    let line = |line: &AccountingLine| {
        let parts: Vec<String> = line.parts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        format!("{} {}{}", line.subject, parts.join(" + "), if line.balanced { "" } else { " NOT BALANCED" })
    };
    lines.iter().map(line).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lab::{Lab, embedded};

    fn session() -> Session {
        let (_, files) = embedded::find("lab1").expect("exists");
        Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("good")
    }

    #[test]
    fn a_report_is_found_again_from_the_run_it_carries() {
        let mut played = session();
        let lines = ["hint", "solution", "answer third-start 2^3", "answer third-start 2^127"];
        for line in lines.into_iter().chain(["aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6", "run 2500ms"]) {
            played.line(line);
        }
        let report = played.report();
        let step = &report.steps[0];
        assert_eq!((step.done, step.hints, step.solution.as_str(), step.questions[0].wrong), (true, 1, "shown", 1));
        assert_eq!((report.points.0, report.elapsed_us, step.checks[0].met_us.is_some()), (10, 2_500_000, true));
        let text = serde_json::to_string(&report).expect("JSON");
        let read: Report = serde_json::from_str(&text).expect("the same form");
        assert_eq!(read, report);
        let mut again = session();
        again.resume(read.run.entries.clone());
        again.advance(again.epoch() + crate::engine::time::VirtualDuration(read.elapsed_us));
        assert_eq!(read.differences(&again.report()), Vec::<String>::new());
        let mut forged = read;
        forged.points.0 = 100;
        assert_eq!(forged.differences(&report), ["points: the report says 100 of 80, the run gives 10 of 80"]);
    }

    #[test]
    fn an_applied_solution_and_a_bookmark_survive_a_replay() {
        use crate::session::driver::{Act, Driver};
        let mut played = session();
        assert!(!played.act(Act::Solve).failed);
        played.act(Act::Bookmark("here".to_owned()));
        let report = played.report();
        assert_eq!(report.steps[0].solution, "applied");
        let mut again = session();
        again.resume(report.run.entries.clone());
        again.advance(played.now());
        assert_eq!(report.differences(&again.report()), Vec::<String>::new());
    }

    #[test]
    fn times_in_words() {
        assert_eq!((micros(0), micros(62_500_000), micros(3_723_000_000)), ("0:00".to_owned(), "1:02.500".to_owned(), "1:02:03".to_owned()));
    }
}
