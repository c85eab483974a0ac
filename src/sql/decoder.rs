//! Records to batches of columns: what [`Schema::rows`] makes of each record, without a row in between.
//!
//! Invariant: a batch holds the rows of the records that were taken, in their order; a record of which some row was given up is not taken.

use super::cast::cut;
use super::column::ColumnBuilder;
use super::datetime;
use super::decode::{Schema, whole_number};
use super::run::{Batch, Running};
use super::shape::Shape;
use super::skim::{Found, Leaf, skim, skim_all};
use super::types::{Family, LENGTH_MAX, SqlType};
use super::value::{RowError, Value};

/// Rows that go in together.
const ROWS: usize = 1024;

/// Rows of a record, or why one was given up.
pub type Rows = Vec<Result<Vec<Value>, RowError>>;

/// How a column's commonest values are read without a detour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Texts of at most so many characters.
    Text(u32),
    /// Whole numbers between two.
    Whole(i64, i64),
    Timestamp,
    Other,
}

impl Kind {
    fn of(ty: &SqlType) -> Self {
        match ty {
            _ if ty.family() == Family::Text => Self::Text(ty.length().unwrap_or(LENGTH_MAX)),
            _ if ty.is_integer() => Self::Whole(ty.range().0, ty.range().1),
            SqlType::Timestamp => Self::Timestamp,
            _ => Self::Other,
        }
    }
}

/// A cell on its way into its column.
#[derive(Debug, Clone, Copy)]
enum Cell {
    Null,
    /// What was found is the text.
    Text,
    Int(i64),
    Ms(i64),
    /// The next one of the other values.
    Other,
}

/// Makes batches of records.
#[derive(Debug)]
pub struct Decoder<'s> {
    schema: &'s Schema,
    kinds: Vec<Kind>,
    /// The shape that records have, and how many had another one.
    shape: Option<Shape>,
    strangers: u64,
    times: Vec<i64>,
    columns: Vec<ColumnBuilder>,
    /// What is used anew with every record: where members lie, cells, and those that are nothing simple.
    found: Vec<Found>,
    leaves: Vec<Leaf>,
    cells: Vec<Cell>,
    others: Vec<Value>,
}

impl<'s> Decoder<'s> {
    /// A decoder for a schema, whose rows get so many cells more.
    pub fn new(schema: &'s Schema, beside: usize) -> Self {
        let count = schema.columns.len();
        Self {
            schema,
            kinds: schema.columns.iter().map(|column| Kind::of(&column.ty)).collect(),
            shape: None,
            strangers: 0,
            times: Vec::new(),
            columns: vec![ColumnBuilder::default(); count + beside],
            found: vec![Found::Nothing; count],
            leaves: Vec::new(),
            cells: Vec::with_capacity(count),
            others: Vec::new(),
        }
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// No row yet.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// A record and the cells that stand beside those of its schema.
    ///
    /// # Errors
    /// The rows of a record of which some are given up: nothing of it has been taken.
    pub fn push(&mut self, time: i64, record: &[u8], beside: &[Value]) -> Result<(), Rows> {
        if self.skimmed(time, record, beside).is_some() {
            return Ok(());
        }
        let rows = self.schema.rows(record);
        if rows.iter().any(Result::is_err) {
            return Err(rows);
        }
        for cells in rows.into_iter().flatten() {
            self.times.push(time);
            for (column, cell) in self.columns.iter_mut().zip(cells.into_iter().chain(beside.iter().cloned())) {
                column.push(cell);
            }
        }
        Ok(())
    }

    /// Notes where the members of a record lie.
    fn find(&mut self, text: &str) -> Option<()> {
        let members = self.schema.members()?;
        if let Some(shape) = &self.shape {
            self.found.fill(Found::Nothing);
            if shape.skim(text, &mut self.found).is_some() {
                return Some(());
            }
        }
        self.found.fill(Found::Nothing);
        self.strangers += 1;
        if !self.strangers.is_power_of_two() {
            return skim(text, members, &mut self.found);
        }
        // A shape is learnt anew ever more rarely when it does not last.
        skim_all(text, members, &mut self.found, &mut self.leaves)?;
        self.shape = Shape::of(text, &self.leaves, &self.found);
        Some(())
    }

    /// The row of a record that is one JSON object, all of whose cells are good.
    fn skimmed(&mut self, time: i64, record: &[u8], beside: &[Value]) -> Option<()> {
        let text = std::str::from_utf8(record).ok()?;
        self.find(text)?;
        // Everything is read before anything is kept.
        self.cells.clear();
        self.others.clear();
        for ((column, kind), found) in self.schema.columns.iter().zip(&self.kinds).zip(&self.found) {
            self.cells.push(match (kind, *found) {
                (_, Found::Nothing) if !column.not_null => Cell::Null,
                (Kind::Text(_), Found::Text(..)) => Cell::Text,
                (Kind::Timestamp, Found::Text(from, to)) => Cell::Ms(datetime::parse_iso(text.get(from..to)?)?),
                (kind, found) => match whole(*kind, text, found) {
                    Some(number) => Cell::Int(number),
                    None => {
                        self.others.push(Schema::cell(column, Schema::found(column, text, found)?).ok()?);
                        Cell::Other
                    }
                },
            });
        }
        self.times.push(time);
        let (own, other) = self.columns.split_at_mut(self.found.len());
        let mut others = self.others.drain(..);
        for (((builder, cell), found), kind) in own.iter_mut().zip(&self.cells).zip(&self.found).zip(&self.kinds) {
            match (cell, found, kind) {
                (Cell::Text, Found::Text(from, to), Kind::Text(length)) => {
                    let text = text.get(*from..*to).unwrap_or_default();
                    builder.push_text(if text.len() <= *length as usize { text } else { cut(text, *length) });
                }
                (Cell::Int(value), ..) => builder.push_int(*value),
                (Cell::Ms(value), ..) => builder.push_ms(*value),
                (Cell::Other, ..) => builder.push(others.next().unwrap_or(Value::Null)),
                _ => builder.push_null(),
            }
        }
        other.iter_mut().zip(beside).for_each(|(builder, value)| builder.push(value.clone()));
        Some(())
    }

    /// A record into a source stream of a program, together with those before and behind it. Rows that are given up become error rows.
    pub fn feed(&mut self, running: &mut Running, stream: usize, time: i64, record: &[u8], beside: &[Value]) {
        if let Err(rows) = self.push(time, record, beside) {
            self.flush(running, stream);
            for row in rows {
                match row {
                    Ok(cells) => running.insert(stream, time, cells.into_iter().chain(beside.iter().cloned())),
                    Err(error) => running.input_error(&error, time, record),
                }
            }
        }
        if self.len() >= ROWS {
            self.flush(running, stream);
        }
    }

    /// What was fed and has not gone in yet goes in.
    pub fn flush(&mut self, running: &mut Running, stream: usize) {
        if !self.is_empty() {
            running.insert_batch(stream, &self.take());
        }
    }

    /// The batch so far; the decoder begins a new one.
    pub fn take(&mut self) -> Batch {
        let room = self.times.len();
        let times = std::mem::replace(&mut self.times, Vec::with_capacity(room));
        Batch::new(times, self.columns.iter_mut().map(ColumnBuilder::take).collect()).unwrap_or_default()
    }
}

/// A whole number that certainly fits.
fn whole(kind: Kind, text: &str, found: Found) -> Option<i64> {
    let (Kind::Whole(least, greatest), Found::Raw(from, to)) = (kind, found) else { return None };
    whole_number(text.get(from..to)?).filter(|number| (least..=greatest).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_what_rows_hold() {
        let schema = serde_json::json!({ "record_format": "JSON", "columns": [
            ["A", "INTEGER", "$.a"], ["B", "VARCHAR(3)", "$.b.c"], ["T", "TIMESTAMP NOT NULL", "$.t"], ["D", "DOUBLE", "$.d"] ] });
        let schema = Schema::from_json(&schema).expect("good");
        let records = [
            r#"{"a": 1, "b": {"c": "longer"}, "t": "2024-01-01 00:00:00", "d": 1.5}"#,
            r#"{"t": "2024-01-01T00:00:01Z", "b": {"c": "é\n"}, "d": 3}"#,
            r#"[{"a": 4, "t": "2024-01-01 00:00:02"}, {"a": 5, "t": "2024-01-01 00:00:03"}]"#,
            r#"{"a": "x", "t": "2024-01-01 00:00:02"}"#,
            r#"{"a": 9}"#,
            r#"{"a": 7, "b": {"c": 5}, "t": "2024-01-01 00:00:02"}"#,
        ];
        let mut decoder = Decoder::new(&schema, 1);
        let mut expected = Vec::new();
        for (at, record) in records.iter().enumerate() {
            let rows = schema.rows(record.as_bytes());
            let good = rows.iter().all(Result::is_ok);
            assert_eq!(decoder.push(at as i64, record.as_bytes(), &[Value::Ms(at as i64)]).is_ok(), good, "{record}");
            if good {
                expected.extend(rows.into_iter().flatten().map(|mut row| {
                    row.push(Value::Ms(at as i64));
                    row
                }));
            }
        }
        assert_eq!(decoder.len(), 5);
        let batch = decoder.take();
        let rows: Vec<Vec<Value>> = (0..batch.len()).map(|row| (0..5).map(|cell| batch.value(row, cell)).collect()).collect();
        assert_eq!(format!("{rows:?}"), format!("{expected:?}"));
        assert!(decoder.is_empty());
    }
}
