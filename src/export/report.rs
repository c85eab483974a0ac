//! A report on one page: as text for a terminal, as Markdown for a mail or a wiki. JSON is the value itself.

use std::fmt::Write as _;

use crate::session::report::{Report, StepReport, micros};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// For reading in a terminal.
    Text,
    /// Markdown.
    Markdown,
    /// The value, with the run inside: what `kinlab replay` scores again.
    Json,
}

impl ReportForm {
    /// The form that a file's name asks for: `.json`, `.md`, else text.
    pub fn of_file(name: &str) -> Self {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        match ending.as_str() {
            "json" => Self::Json,
            "md" | "markdown" => Self::Markdown,
            _ => Self::Text,
        }
    }
}

/// Writes a report.
pub fn render(report: &Report, form: ReportForm) -> String {
    match form {
        ReportForm::Text => text(report),
        ReportForm::Markdown => markdown(report),
        // Texts, numbers and lists always become JSON.
        ReportForm::Json => serde_json::to_string_pretty(report).unwrap_or_default() + "\n",
    }
}

fn minutes(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// Everything that is said once: (what, words).
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let header = &report.run.header;
    let done = report.steps.iter().filter(|step| step.done).count();
    let count = |wanted: &str| report.steps.iter().filter(|step| step.solution == wanted).count();
    let wrong: usize = report.steps.iter().flat_map(|step| &step.questions).map(|question| question.wrong).sum();
    let mut facts = vec![
        ("Score", format!("{} of {} points, {done} of {} steps{}", report.points.0, report.points.1, report.steps.len(), state(report))),
        ("Help", format!("{} hints, {} solutions shown, {} applied; {wrong} wrong answers", report.hints, count("shown"), count("applied"))),
        ("Time", format!("{} of the lab's clock, {} commands and other entries", micros(report.elapsed_us), report.run.entries.len())),
    ];
    if let Some(seconds) = report.recorded_seconds {
        facts.push(("At the keyboard", minutes(seconds)));
    }
    if let Some(initials) = &report.initials {
        facts.push(("Initials", initials.clone()));
    }
    if let Some(rule) = &report.broken_rule {
        facts.push(("BROKEN RULE", rule.clone()));
    }
    facts.push(("Lab", format!("{}, files {}, seed {}", header.lab, header.fingerprint, header.seed)));
    facts.push(("Program", format!("kinlab {}, {} events", report.version, report.events)));
    facts.push(("Journal", report.journal_hash.clone()));
    facts.push(("Log", report.log_hash.clone()));
    facts
}

fn state(report: &Report) -> &'static str {
    if report.finished { ", finished" } else { "" }
}

fn help_words(step: &StepReport) -> String {
    let mut words = Vec::new();
    match step.hints {
        0 => {}
        1 => words.push("1 hint".to_owned()),
        hints => words.push(format!("{hints} hints")),
    }
    if step.solution != "no" {
        words.push(format!("solution {}", step.solution));
    }
    words.join(", ")
}

fn text(report: &Report) -> String {
    let mut out = format!("{}\n{}\n\n", report.title, "=".repeat(report.title.chars().count()));
    for (what, words) in facts(report) {
        let _ = writeln!(out, "{what:<16} {words}");
    }
    for (number, step) in report.steps.iter().enumerate() {
        let help = help_words(step);
        let tail = if help.is_empty() { String::new() } else { format!("  ({help})") };
        let _ = writeln!(out, "\n{} {}. {}{tail}", if step.done { "[x]" } else { "[ ]" }, number + 1, step.title);
        for check in &step.checks {
            let met = check.met_us.map_or_else(|| "not met".to_owned(), |at| format!("met at {}", micros(at)));
            let _ = writeln!(out, "      {:<14} {} ({} points)", met, check.title, check.points);
        }
        for question in &step.questions {
            let answer = match &question.answer {
                None => "not answered".to_owned(),
                Some(answer) => format!("{} {answer}", if question.right { "right:" } else { "wrong:" }),
            };
            let tries = if question.wrong > 0 { format!(", {} wrong", question.wrong) } else { String::new() };
            let _ = writeln!(out, "      question       {}: {answer}{tries}", question.id);
        }
    }
    if !report.accounting.is_empty() {
        out.push_str("\nWhere every record is\n");
    }
    for line in &report.accounting {
        let parts: Vec<String> = line.parts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let _ = writeln!(out, "      {}: {} ({})", line.subject, parts.join(", "), if line.balanced { "balanced" } else { "NOT BALANCED" });
    }
    out
}

/// A cell of a table: no bars, no line ends.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn markdown(report: &Report) -> String {
    let mut out = format!("# {}\n\n", report.title);
    for (what, words) in facts(report) {
        let _ = writeln!(out, "* **{what}** {words}");
    }
    out.push_str("\n| Step | Check | Points | Met at | Help |\n| --- | --- | ---: | ---: | --- |\n");
    for (number, step) in report.steps.iter().enumerate() {
        let name = format!("{} {}. {}", if step.done { "✓" } else { "○" }, number + 1, cell(&step.title));
        let help = help_words(step);
        if step.checks.is_empty() {
            let _ = writeln!(out, "| {name} | – | – | – | {help} |");
        }
        for (row, check) in step.checks.iter().enumerate() {
            let met = check.met_us.map_or_else(|| "–".to_owned(), micros);
            let (name, help) = if row == 0 { (name.as_str(), help.as_str()) } else { ("", "") };
            let _ = writeln!(out, "| {name} | {} | {} | {met} | {help} |", cell(&check.title), check.points);
        }
    }
    let asked: Vec<_> = report.steps.iter().flat_map(|step| &step.questions).filter(|question| question.answer.is_some()).collect();
    if !asked.is_empty() {
        out.push_str("\n| Question | Answer | Right | Wrong tries |\n| --- | --- | --- | ---: |\n");
    }
    for question in asked {
        let answer = question.answer.as_deref().unwrap_or_default();
        let _ = writeln!(out, "| {} | {} | {} | {} |", cell(&question.ask), cell(answer), if question.right { "✓" } else { "✗" }, question.wrong);
    }
    if !report.accounting.is_empty() {
        out.push_str("\n| Where every record is | | |\n| --- | --- | --- |\n");
    }
    for line in &report.accounting {
        let parts: Vec<String> = line.parts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let balanced = if line.balanced { "✓ balanced" } else { "✗ not balanced" };
        let _ = writeln!(out, "| {} | {} | {balanced} |", cell(&line.subject), cell(&parts.join(", ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lab::{Lab, embedded};
    use crate::session::Session;

    #[test]
    fn a_page_says_what_was_done_and_with_which_help() {
        let (_, files) = embedded::find("lab1").expect("exists");
        let mut session = Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("good");
        for line in ["hint", "answer third-start 2^9", "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6", "run 2s"] {
            session.line(line);
        }
        let report = Report { recorded_seconds: Some(700), ..session.report() };
        let page = render(&report, ReportForm::Text);
        for wanted in [
            "10 of 80 points, 1 of 6 steps",
            "[x] 1. A stream is a list of hash ranges  (1 hint)",
            "met at 0:0",
            "wrong: 2^9, 1 wrong",
            "At the keyboard  11 min",
        ] {
            assert!(page.contains(wanted), "'{wanted}' is not in\n{page}");
        }
        let table = render(&report, ReportForm::Markdown);
        assert!(
            table.contains("| ✓ 1. A stream is a list of hash ranges | Stream dcb-taxi-trips is ACTIVE with 6 open shards | 10 | 0:0"),
            "{table}"
        );
        let same: Report = serde_json::from_str(&render(&report, ReportForm::Json)).expect("JSON");
        assert_eq!(same, report);
    }

    #[test]
    fn the_form_follows_the_name() {
        assert_eq!(ReportForm::of_file("a.b/r.JSON"), ReportForm::Json);
        assert_eq!((ReportForm::of_file("r.md"), ReportForm::of_file("r")), (ReportForm::Markdown, ReportForm::Text));
    }
}
