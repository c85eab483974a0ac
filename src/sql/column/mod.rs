//! Columns: the values of one cell over many rows, by kind, shared when they pass from one operator to the next.
//!
//! Invariants: a column gives back exactly the values that were put in; a NULL stands where its mark says so, whatever its slot holds.

mod builder;

use std::sync::Arc;

use super::value::Value;

pub use builder::{ColumnBuilder, trimmed};

/// Values of one kind. Marks of NULL are absent when there is none.
#[derive(Debug, Clone)]
pub struct Slots<T> {
    /// Values; what stands at a NULL has no meaning.
    pub values: Arc<Vec<T>>,
    /// TRUE where a NULL is.
    pub nulls: Option<Arc<Vec<bool>>>,
}

impl<T> Slots<T> {
    /// Values without a NULL.
    pub fn new(values: Vec<T>) -> Self {
        Self { values: Arc::new(values), nulls: None }
    }

    /// Values, and where NULLs are.
    pub fn with_nulls(values: Vec<T>, nulls: Vec<bool>) -> Self {
        let nulls = nulls.contains(&true).then(|| Arc::new(nulls));
        Self { values: Arc::new(values), nulls }
    }

    /// The row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls[row])
    }
}

impl<T: Copy> Slots<T> {
    /// The value of a row; none for NULL.
    pub fn get(&self, row: usize) -> Option<T> {
        (!self.is_null(row)).then(|| self.values[row])
    }

    fn pick(&self, rows: &[u32]) -> Self {
        let nulls = self.nulls.as_ref().map(|nulls| Arc::new(rows.iter().map(|row| nulls[*row as usize]).collect()));
        Self { values: Arc::new(rows.iter().map(|row| self.values[*row as usize]).collect()), nulls }
    }
}

/// Texts, one behind the other.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    bytes: String,
    ends: Vec<u32>,
    /// Empty when there is no NULL.
    nulls: Vec<bool>,
}

impl Texts {
    /// Texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a row; none for NULL.
    pub fn get(&self, row: usize) -> Option<&str> {
        if !self.nulls.is_empty() && self.nulls[row] {
            return None;
        }
        let from = row.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.bytes.get(from..self.ends[row] as usize)
    }

    /// Its bytes; none for NULL.
    pub fn bytes(&self, row: usize) -> Option<&[u8]> {
        if !self.nulls.is_empty() && self.nulls[row] {
            return None;
        }
        let from = row.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.bytes.as_bytes().get(from..self.ends[row] as usize)
    }

    /// The longest one in bytes.
    fn longest(&self) -> usize {
        let mut from = 0;
        self.ends.iter().map(|end| std::mem::replace(&mut from, *end).abs_diff(*end) as usize).max().unwrap_or(0)
    }

    /// There is room for one more.
    fn takes(&self, text: &str) -> bool {
        u32::try_from(self.bytes.len() + text.len()).is_ok()
    }

    fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len() as u32);
        if !self.nulls.is_empty() {
            self.nulls.push(false);
        }
    }

    fn push_null(&mut self) {
        self.nulls.resize(self.ends.len(), false);
        self.nulls.push(true);
        self.ends.push(self.bytes.len() as u32);
    }
}

/// A column.
#[derive(Debug, Clone)]
pub enum Column {
    /// The same value in every row.
    Repeat(Value),
    /// Integers.
    Ints(Slots<i64>),
    /// What [`Value::Ms`] holds.
    Times(Slots<i64>),
    /// REAL and DOUBLE.
    Numbers(Slots<f64>),
    /// Decimals of one scale.
    Decimals(Slots<i64>, u8),
    /// TRUE, FALSE, UNKNOWN.
    Flags(Slots<bool>),
    /// CHAR and VARCHAR.
    Texts(Arc<Texts>),
    /// Anything.
    Mixed(Arc<Vec<Value>>),
}

impl Column {
    /// The values of an iterator.
    pub fn of(values: impl IntoIterator<Item = Value>) -> Self {
        let mut builder = ColumnBuilder::default();
        values.into_iter().for_each(|value| builder.push(value));
        builder.finish()
    }

    /// The value of a row.
    pub fn value(&self, row: usize) -> Value {
        match self {
            Self::Repeat(value) => value.clone(),
            Self::Ints(slots) => slots.get(row).map_or(Value::Null, Value::Int),
            Self::Times(slots) => slots.get(row).map_or(Value::Null, Value::Ms),
            Self::Numbers(slots) => slots.get(row).map_or(Value::Null, Value::Num),
            Self::Decimals(slots, scale) => slots.get(row).map_or(Value::Null, |digits| Value::Dec(digits, *scale)),
            Self::Flags(slots) => slots.get(row).map_or(Value::Null, Value::Bool),
            Self::Texts(texts) => texts.get(row).map_or(Value::Null, Value::text),
            Self::Mixed(values) => values[row].clone(),
        }
    }

    /// The row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Repeat(value) => value.is_null(),
            Self::Ints(slots) | Self::Times(slots) | Self::Decimals(slots, _) => slots.is_null(row),
            Self::Numbers(slots) => slots.is_null(row),
            Self::Flags(slots) => slots.is_null(row),
            Self::Texts(texts) => !texts.nulls.is_empty() && texts.nulls[row],
            Self::Mixed(values) => values[row].is_null(),
        }
    }

    /// The row is TRUE.
    pub fn is_true(&self, row: usize) -> bool {
        match self {
            Self::Repeat(value) => value.is_true(),
            Self::Flags(slots) => slots.get(row) == Some(true),
            Self::Mixed(values) => values[row].is_true(),
            _ => false,
        }
    }

    /// Some row is NULL.
    pub fn has_nulls(&self) -> bool {
        match self {
            Self::Repeat(value) => value.is_null(),
            Self::Ints(slots) | Self::Times(slots) | Self::Decimals(slots, _) => slots.nulls.is_some(),
            Self::Numbers(slots) => slots.nulls.is_some(),
            Self::Flags(slots) => slots.nulls.is_some(),
            Self::Texts(texts) => !texts.nulls.is_empty(),
            Self::Mixed(values) => values.iter().any(Value::is_null),
        }
    }

    /// Every text has at most so many bytes, and there is nothing but texts and NULLs.
    pub fn texts_within(&self, bytes: usize) -> bool {
        match self {
            Self::Repeat(Value::Text(text)) => text.len() <= bytes,
            Self::Repeat(value) => value.is_null(),
            Self::Texts(texts) => texts.longest() <= bytes,
            _ => false,
        }
    }

    /// Some of its rows.
    #[must_use]
    pub fn pick(&self, rows: &[u32]) -> Self {
        match self {
            Self::Repeat(value) => Self::Repeat(value.clone()),
            Self::Ints(slots) => Self::Ints(slots.pick(rows)),
            Self::Times(slots) => Self::Times(slots.pick(rows)),
            Self::Numbers(slots) => Self::Numbers(slots.pick(rows)),
            Self::Decimals(slots, scale) => Self::Decimals(slots.pick(rows), *scale),
            Self::Flags(slots) => Self::Flags(slots.pick(rows)),
            Self::Texts(texts) => {
                let mut picked = Texts::default();
                picked.ends.reserve(rows.len());
                for row in rows {
                    match texts.get(*row as usize) {
                        Some(text) => picked.push(text),
                        None => picked.push_null(),
                    }
                }
                Self::Texts(Arc::new(picked))
            }
            Self::Mixed(values) => Self::Mixed(Arc::new(rows.iter().map(|row| values[*row as usize].clone()).collect())),
        }
    }

    /// It has so many rows.
    pub fn same_length(&self, rows: usize) -> bool {
        match self {
            Self::Repeat(_) => true,
            Self::Ints(slots) | Self::Times(slots) | Self::Decimals(slots, _) => slots.values.len() == rows,
            Self::Numbers(slots) => slots.values.len() == rows,
            Self::Flags(slots) => slots.values.len() == rows,
            Self::Texts(texts) => texts.len() == rows,
            Self::Mixed(values) => values.len() == rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_gives_back_what_was_put_in() {
        let lists: [Vec<Value>; 6] = [
            vec![Value::Null, Value::Int(4), Value::Null, Value::Int(-4)],
            vec![Value::text("a"), Value::Null, Value::text(""), Value::text("bé")],
            vec![Value::Dec(5, 1), Value::Dec(50, 2)],
            vec![Value::Null, Value::Null],
            vec![Value::Num(-0.0), Value::Int(3), Value::Null, Value::text("x")],
            vec![Value::Bool(true), Value::Null, Value::Bool(false)],
        ];
        for list in lists {
            let column = Column::of(list.clone());
            let back: Vec<Value> = (0..list.len()).map(|row| column.value(row)).collect();
            assert_eq!(format!("{back:?}"), format!("{list:?}"));
            let rows: Vec<u32> = (0..list.len() as u32).rev().collect();
            let turned: Vec<Value> = (0..list.len()).map(|row| column.pick(&rows).value(row)).rev().collect();
            assert_eq!(format!("{turned:?}"), format!("{list:?}"));
        }
    }
}
