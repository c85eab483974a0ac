//! Records to batches of columns: what [`Schema::rows`] makes of each record, without a row in between.
//!
//! Invariant: a batch holds the rows of the records that were taken, in their order; a record of which some row was given up is not taken.

use super::cast::cut;
use super::column::ColumnBuilder;
use super::decode::{Schema, SchemaColumn};
use super::run::Batch;
use super::skim::{Found, skim};
use super::types::{Family, LENGTH_MAX};
use super::value::{RowError, Value};

/// Rows of a record, or why one was given up.
pub type Rows = Vec<Result<Vec<Value>, RowError>>;

/// Makes batches of records.
#[derive(Debug)]
pub struct Decoder<'s> {
    schema: &'s Schema,
    times: Vec<i64>,
    columns: Vec<ColumnBuilder>,
    /// What is used anew with every record: where members lie, and the cells that are no plain texts.
    found: Vec<Found>,
    cells: Vec<Option<Value>>,
}

impl<'s> Decoder<'s> {
    /// A decoder for a schema, whose rows get so many cells more.
    pub fn new(schema: &'s Schema, beside: usize) -> Self {
        let count = schema.columns.len();
        Self {
            schema,
            times: Vec::new(),
            columns: vec![ColumnBuilder::default(); count + beside],
            found: vec![Found::Nothing; count],
            cells: Vec::with_capacity(count),
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

    /// The row of a record that is one JSON object, all of whose cells are good.
    fn skimmed(&mut self, time: i64, record: &[u8], beside: &[Value]) -> Option<()> {
        let text = std::str::from_utf8(record).ok()?;
        self.found.fill(Found::Nothing);
        skim(text, self.schema.members()?, &mut self.found)?;
        self.cells.clear();
        for (column, found) in self.schema.columns.iter().zip(&self.found) {
            let plain = matches!(found, Found::Text(..)) && column.ty.family() == Family::Text;
            self.cells.push(if plain { None } else { Some(cell(column, text, *found)?) });
        }
        self.times.push(time);
        let (own, other) = self.columns.split_at_mut(self.found.len());
        for (((builder, cell), found), column) in own.iter_mut().zip(self.cells.drain(..)).zip(&self.found).zip(&self.schema.columns) {
            match (cell, found) {
                (Some(value), _) => builder.push(value),
                (None, Found::Text(from, to)) => {
                    let text = text.get(*from..*to)?;
                    let length = column.ty.length().unwrap_or(LENGTH_MAX);
                    builder.push_text(if text.len() <= length as usize { text } else { cut(text, length) });
                }
                (None, _) => builder.push_null(),
            }
        }
        other.iter_mut().zip(beside).for_each(|(builder, value)| builder.push(value.clone()));
        Some(())
    }

    /// The batch so far; the decoder begins a new one.
    pub fn take(&mut self) -> Batch {
        let room = self.times.len();
        let times = std::mem::replace(&mut self.times, Vec::with_capacity(room));
        Batch::new(times, self.columns.iter_mut().map(ColumnBuilder::take).collect()).unwrap_or_default()
    }
}

/// A cell that is good.
fn cell(column: &SchemaColumn, text: &str, found: Found) -> Option<Value> {
    Schema::cell(column, Schema::found(column, text, found)?).ok()
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
