//! Code that is being written: drafts of SQL applications, what the compiler says of them, words to complete with.

use std::collections::BTreeSet;

use crate::sql::Catalog;
use crate::sql::diagnostic::{Diagnostic, Severity, Span};
use crate::sql::lex::{Token, is_reserved, lex};
use crate::sql::types::SqlType;

use super::play::Session;
use super::runlog::What;

/// Characters of application code at most (the service's limit).
pub const CODE_MAX: usize = 102_400;

/// What the compiler says of a draft.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CodeReport {
    /// Errors and warnings in the order of the text.
    pub findings: Vec<Diagnostic>,
    /// Pumps of code without errors.
    pub pumps: Vec<String>,
    /// Names that can stand in the code, and what each is.
    pub words: Vec<(String, String)>,
    /// The first text and the first number column of the source, for templates.
    pub sample: (Option<String>, Option<String>),
    /// Name of the source stream.
    pub source: Option<String>,
}

/// Words of the dialect that are worth completing.
const KEYWORDS: [&str; 34] = [
    "CREATE OR REPLACE STREAM",
    "CREATE OR REPLACE PUMP",
    "INSERT INTO",
    "SELECT STREAM",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "PARTITION BY",
    "WINDOWED BY STAGGER",
    "WINDOW",
    "OVER",
    "RANGE INTERVAL",
    "ROWS",
    "PRECEDING",
    "INTERVAL",
    "STEP",
    "FLOOR",
    "ROWTIME",
    "APPROXIMATE_ARRIVAL_TIME",
    "LEFT JOIN",
    "JOIN",
    "UNION ALL",
    "DISTINCT",
    "CASE WHEN",
    "CAST",
    "VARCHAR",
    "INTEGER",
    "BIGINT",
    "DOUBLE",
    "TIMESTAMP",
    "RANDOM_CUT_FOREST",
    "TOP_K_ITEMS_TUMBLING",
];

/// A name as it has to be written: with quotes unless it is in capitals and no word of the language.
pub fn written(name: &str) -> String {
    let plain = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !is_reserved(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Streams that the code declares.
fn declared(code: &str) -> BTreeSet<String> {
    let (tokens, _) = lex(code);
    let mut names = BTreeSet::new();
    for pair in tokens.windows(2) {
        if let (Token::Word(_, word), Token::Word(_, name) | Token::Quoted(name)) = (&pair[0].token, &pair[1].token)
            && word == "STREAM"
            && !is_reserved(name)
        {
            names.insert(name.clone());
        }
    }
    names
}

/// Words that can stand in code against a catalogue, and what each is: its streams, columns and tables, streams that the code declares,
/// functions, words of the dialect.
pub fn words(catalog: &Catalog, code: &str) -> Vec<(String, String)> {
    let mut words: Vec<(String, String)> = Vec::new();
    for source in &catalog.sources {
        words.push((written(&source.name), "source stream".to_owned()));
    }
    for (name, ty, _) in catalog.sources.first().into_iter().flat_map(|source| &source.columns) {
        words.push((written(name), ty.to_string()));
    }
    for table in &catalog.tables {
        words.push((written(&table.name), "reference table".to_owned()));
        words.extend(table.columns.iter().map(|(name, ty)| (written(name), ty.to_string())));
    }
    words.extend(declared(code).iter().map(|name| (written(name), "stream of this code".to_owned())));
    words.extend(crate::sql::functions::NAMES.iter().map(|name| ((*name).to_owned(), "function".to_owned())));
    words.extend(KEYWORDS.iter().map(|word| ((*word).to_owned(), String::new())));
    words
}

impl Session {
    /// Compiles a draft without saving it.
    pub(super) fn code_report(&self, application: &str, code: &str) -> CodeReport {
        let Some(application) = self.engine.services().analytics.application(application) else { return CodeReport::default() };
        let catalog = application.catalog();
        let mut report = CodeReport { source: catalog.sources.first().map(|source| source.name.clone()), ..CodeReport::default() };
        for (name, ty, _) in catalog.sources.first().into_iter().flat_map(|source| &source.columns) {
            let (text, number) = &mut report.sample;
            let slot = match ty {
                SqlType::Varchar(_) | SqlType::Char(_) => text,
                ty if ty.is_integer() || ty.is_approximate() || matches!(ty, SqlType::Decimal(..)) => number,
                _ => continue,
            };
            slot.get_or_insert_with(|| written(name));
        }
        report.words = words(&catalog, code);
        if application.input.is_none() {
            let message = format!("application {} has no input: its source stream is not known yet (app discover {0} STREAM)", application.name);
            report.findings = vec![Diagnostic { severity: Severity::Warning, message, span: Span::default(), fix: None }];
            return report;
        }
        match crate::sql::Program::compile(code, &catalog) {
            Ok(program) => {
                report.pumps = program.plan.pumps.iter().map(|pump| pump.name.clone()).collect();
                report.findings = program.warnings;
            }
            Err(findings) => report.findings = findings,
        }
        report.findings.sort_by_key(|finding| finding.span.start);
        report
    }

    /// Keeps a draft as part of the run, so that leaving the program does not lose it; `None` = it was saved or given up.
    pub(super) fn keep_draft(&mut self, application: &str, code: Option<String>) {
        if self.drafts.get(application) == code.as_ref() {
            return;
        }
        self.set_draft(application, code.clone());
        self.keep(What::Draft(application.to_owned(), code));
    }

    pub(super) fn set_draft(&mut self, application: &str, code: Option<String>) {
        match code {
            Some(code) => self.drafts.insert(application.to_owned(), code),
            None => self.drafts.remove(application),
        };
    }

    /// The draft behind the name of a file, as `app run NAME editor/NAME.sql` writes it.
    pub(super) fn draft_file(&self, path: &str) -> Option<&String> {
        self.drafts.get(path.strip_prefix("editor/")?.strip_suffix(".sql")?)
    }
}
