//! What is wrong with a program, and where: spans into the text, what was found, what was expected, and a fix where one is known.

use serde::Serialize;

/// Bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

impl Span {
    /// From the start of one to the end of another.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end.max(self.start) }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The program is refused.
    Error,
    /// It runs, but probably not as meant.
    Warning,
}

/// A change that cures it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What to do, in words.
    pub title: String,
    /// What is replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What was found, what was expected.
    pub message: String,
    /// Where.
    pub span: Span,
    /// A cure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), span, fix: None }
    }

    /// A warning.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, message: message.into(), span, fix: None }
    }

    /// With a replacement of the span.
    #[must_use]
    pub fn with_fix(mut self, title: impl Into<String>, text: impl Into<String>) -> Self {
        self.fix = Some(Fix { title: title.into(), span: self.span, text: text.into() });
        self
    }

    /// Line and column of its start, from 1.
    pub fn place(&self, source: &str) -> (usize, usize) {
        let mut at = self.span.start.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        let before = &source[..at];
        (before.matches('\n').count() + 1, before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1)
    }

    /// The finding with its line of the text and a mark below it.
    pub fn render(&self, file: &str, source: &str) -> String {
        let (line, column) = self.place(source);
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        let text = source.lines().nth(line - 1).unwrap_or_default();
        let length = source.get(self.span.start..self.span.end.min(source.len())).map_or(1, |text| text.lines().next().unwrap_or("").chars().count());
        let length = length.clamp(1, text.chars().count().saturating_sub(column - 1).max(1));
        let gutter = " ".repeat(line.to_string().len());
        let mut out = format!(
            "{severity}: {}\n {gutter}--> {file}:{line}:{column}\n {gutter} |\n {line} | {text}\n {gutter} | {}{}\n",
            self.message,
            " ".repeat(column - 1),
            "^".repeat(length)
        );
        if let Some(fix) = &self.fix {
            out.push_str(&format!(" {gutter} = fix: {}\n", fix.title));
        }
        out
    }
}

/// The nearest of the known names, when one is near.
pub fn near_miss<'n>(wanted: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = wanted.to_lowercase();
    let distance = |other: &str| {
        let (a, b): (Vec<char>, Vec<char>) = (wanted.chars().take(64).collect(), other.to_lowercase().chars().take(64).collect());
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut corner = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let next = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
                corner = row[j + 1];
                row[j + 1] = next;
            }
        }
        row[b.len()]
    };
    known.into_iter().map(|name| (distance(name), name)).filter(|(d, _)| *d <= 1 + wanted.len() / 4).min().map(|(_, name)| name)
}
