//! Tables: a section for each structure or list, indented by its depth, all as wide as the widest.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthChar as _;

use super::super::CliError;
use super::scalar;

/// What a cell is wider than its text.
const PADDING: usize = 4;

/// Writes the table of a value under a title; nothing for an empty value.
///
/// # Errors
/// Rows of one section that differ in length.
pub(super) fn write(title: &str, value: &Value, width: usize, out: &mut String) -> Result<(), CliError> {
    let mut sections = Sections(Vec::new());
    if !sections.build(Some(title), value, 0)? {
        return Ok(());
    }
    let mut sections = sections.0;
    let widest = |sections: &[Section]| sections.iter().map(Section::total_width).max().unwrap_or(0);
    let mut most = widest(&sections);
    if most > width {
        sections.iter_mut().for_each(Section::stand_up);
        most = widest(&sections);
    }
    out.push_str(&"-".repeat(most));
    out.push('\n');
    for section in &sections {
        section.write(most, out);
    }
    Ok(())
}

/// Columns of a text on a terminal.
fn width_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

/// Whether there is nothing to show.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64() == Some(0.0),
        other => !super::super::query::is_true(other),
    }
}

#[derive(Default)]
struct Section {
    title: String,
    depth: usize,
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
    columns: Option<usize>,
}

struct Sections(Vec<Section>);

impl Sections {
    fn last(&mut self) -> &mut Section {
        if self.0.is_empty() {
            self.0.push(Section::default());
        }
        let at = self.0.len() - 1;
        &mut self.0[at]
    }

    fn begin(&mut self, title: &str, depth: usize) {
        self.0.push(Section { title: title.to_owned(), depth, ..Section::default() });
    }

    fn build(&mut self, title: Option<&str>, value: &Value, depth: usize) -> Result<bool, CliError> {
        if is_empty(value) {
            return Ok(false);
        }
        if let Some(title) = title {
            self.begin(title, depth);
        }
        match value {
            Value::Array(items) if items[0].is_object() => self.list(items, depth, title)?,
            Value::Array(items) => {
                for item in items {
                    match item {
                        Value::Array(cells) if cells.iter().all(is_scalar) => self.last().row(cells.iter().map(scalar).collect())?,
                        item if is_scalar(item) => self.last().row(vec![scalar(item)])?,
                        item => {
                            self.build(None, item, 0)?;
                        }
                    }
                }
            }
            Value::Object(entries) => self.structure(entries, depth)?,
            _ => {}
        }
        Ok(true)
    }

    fn structure(&mut self, entries: &Map<String, Value>, depth: usize) -> Result<(), CliError> {
        let (scalars, nested) = keys(std::iter::once(entries));
        match &scalars.iter().copied().collect::<Vec<_>>()[..] {
            [] => {}
            [key] => self.last().row(vec![(*key).to_owned(), scalar(&entries[*key])])?,
            several => {
                self.last().header(several);
                self.last().row(several.iter().map(|key| scalar(&entries[*key])).collect())?;
            }
        }
        for key in nested {
            self.build(Some(key), &entries[key], depth + 1)?;
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value], depth: usize, title: Option<&str>) -> Result<(), CliError> {
        let (scalars, nested) = keys(items.iter().filter_map(Value::as_object));
        let headers: Vec<&str> = scalars.into_iter().collect();
        self.last().header(&headers);
        for (at, item) in items.iter().enumerate() {
            if at > 0 && !nested.is_empty() {
                self.begin(title.unwrap_or_default(), depth);
                self.last().header(&headers);
            }
            let cell = |key: &&str| item.get(*key).map_or_else(String::new, scalar);
            self.last().row(headers.iter().map(cell).collect())?;
            for key in &nested {
                if let Some(value) = item.get(*key) {
                    self.build(Some(key), value, depth + 1)?;
                }
            }
        }
        Ok(())
    }
}

/// The names of scalar members and of the others, each in order.
fn keys<'a>(structures: impl Iterator<Item = &'a Map<String, Value>>) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let (mut scalars, mut nested) = (BTreeSet::new(), BTreeSet::new());
    for entries in structures {
        for (key, value) in entries {
            if is_scalar(value) {
                scalars.insert(key.as_str());
            } else {
                nested.insert(key.as_str());
            }
        }
    }
    (scalars, nested)
}

impl Section {
    fn header(&mut self, names: &[&str]) {
        self.headers = names.iter().map(|name| (*name).to_owned()).collect();
        self.columns.get_or_insert(names.len());
    }

    fn row(&mut self, cells: Vec<String>) -> Result<(), CliError> {
        let columns = *self.columns.get_or_insert(cells.len());
        if cells.len() != columns {
            return Err(CliError::general(&format!("Row should have {columns} elements, instead it has {}", cells.len())));
        }
        self.rows.push(cells);
        Ok(())
    }

    /// Turns a single row under headers into a row for each header.
    fn stand_up(&mut self) {
        if self.rows.len() == 1 && !self.headers.is_empty() {
            let cells = self.rows.remove(0);
            self.rows = std::mem::take(&mut self.headers).into_iter().zip(cells).map(|(header, cell)| vec![header, cell]).collect();
            self.columns = Some(2);
        }
    }

    /// Width of the widest text of each column.
    fn column_widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for cells in std::iter::once(&self.headers).chain(&self.rows).filter(|cells| !cells.is_empty()) {
            widths.resize(widths.len().max(cells.len()), 0);
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(width_of(cell));
            }
        }
        widths
    }

    fn total_width(&self) -> usize {
        let cells: usize = self.column_widths().iter().map(|width| width + PADDING).sum();
        let border = 2 + 2 * self.depth;
        (width_of(&self.title) + border).max(cells + border)
    }

    /// Column widths stretched to a total.
    fn stretched(&self, total: usize) -> Vec<usize> {
        let unscaled: Vec<usize> = self.column_widths().iter().map(|width| width + PADDING).collect();
        let sum: usize = unscaled.iter().sum();
        if sum == 0 {
            return unscaled;
        }
        let factor = total as f64 / sum as f64;
        let mut scaled: Vec<usize> = unscaled.iter().map(|width| libm::rint(factor * *width as f64) as usize).collect();
        let columns = scaled.len();
        let mut have: usize = scaled.iter().sum();
        let mut at = 0;
        while have != total {
            if have > total {
                scaled[at % columns] = scaled[at % columns].saturating_sub(1);
                have -= 1;
            } else {
                scaled[columns - 1 - at % columns] += 1;
                have += 1;
            }
            at += 1;
        }
        scaled
    }

    fn write(&self, total: usize, out: &mut String) {
        let width = total.saturating_sub(2 * self.depth);
        let mut line = |text: &str| {
            let edge = "|".repeat(self.depth);
            // Writing to a String never fails.
            let _ = writeln!(out, "{edge}{text}{edge}");
        };
        if !self.title.is_empty() {
            line(&centered(&self.title, width, "|"));
            if self.headers.is_empty() && self.rows.is_empty() {
                line(&format!("+{}+", "-".repeat(width.saturating_sub(2))));
            }
        }
        let widths = self.stretched(width);
        let rule = widths.iter().enumerate().fold(String::new(), |rule, (at, width)| {
            if at == 0 { format!("+{}+", "-".repeat(width.saturating_sub(2))) } else { rule + &"-".repeat(width.saturating_sub(1)) + "+" }
        });
        if !self.headers.is_empty() {
            line(&rule);
            line(&cells(&self.headers, &widths, centered));
        }
        if !self.rows.is_empty() && !widths.is_empty() {
            line(&rule);
            for row in &self.rows {
                line(&cells(row, &widths, aligned));
            }
            line(&rule);
        }
    }
}

fn cells(texts: &[String], widths: &[usize], cell: fn(&str, usize, &str) -> String) -> String {
    texts.iter().zip(widths).enumerate().map(|(at, (text, width))| cell(text, *width, if at == 0 { "|" } else { "" })).collect()
}

/// A text in the middle of a cell that ends with an edge.
fn centered(text: &str, width: usize, left: &str) -> String {
    let before = (width / 2).saturating_sub(width_of(text) / 2).saturating_sub(1);
    let after = width.saturating_sub(1 + left.len() + before + width_of(text));
    format!("{left}{}{text}{}|", " ".repeat(before), " ".repeat(after))
}

/// A text at the left of a cell that ends with an edge.
fn aligned(text: &str, width: usize, left: &str) -> String {
    let before = if width > width_of(text) + 2 + left.len() { 2 } else { 0 };
    let after = width.saturating_sub(left.len() + before + width_of(text) + 1);
    format!("{left}{}{text}{}|", " ".repeat(before), " ".repeat(after))
}
