//! Columns that grow. A builder takes the kind of its first value and becomes a mixture when another kind comes.

use std::sync::Arc;

use super::{Column, Slots, Texts};
use crate::sql::value::Value;

/// Slots that grow.
#[derive(Debug, Clone, Default)]
pub struct Growing<T> {
    values: Vec<T>,
    /// Empty when there is no NULL.
    nulls: Vec<bool>,
}

impl<T: Copy + Default> Growing<T> {
    fn of_nulls(count: usize) -> Self {
        Self { values: vec![T::default(); count], nulls: vec![true; count] }
    }

    fn push(&mut self, value: Option<T>) {
        if value.is_none() {
            self.nulls.resize(self.values.len(), false);
        }
        if !self.nulls.is_empty() || value.is_none() {
            self.nulls.push(value.is_none());
        }
        self.values.push(value.unwrap_or_default());
    }

    fn get(&self, row: usize) -> Option<T> {
        (self.nulls.is_empty() || !self.nulls[row]).then(|| self.values[row])
    }

    fn fresh(&self) -> Self {
        Self { values: Vec::with_capacity(self.values.len()), nulls: Vec::new() }
    }

    fn slots(self) -> Slots<T> {
        Slots { values: Arc::new(self.values), nulls: (!self.nulls.is_empty()).then(|| Arc::new(self.nulls)) }
    }
}

/// A column that grows.
#[derive(Debug, Clone)]
pub enum ColumnBuilder {
    /// So many NULLs.
    Nulls(usize),
    /// Integers.
    Ints(Growing<i64>),
    /// Milliseconds.
    Times(Growing<i64>),
    /// Floating-point numbers.
    Numbers(Growing<f64>),
    /// Decimals of one scale.
    Decimals(Growing<i64>, u8),
    /// Truths.
    Flags(Growing<bool>),
    /// Texts.
    Texts(Texts),
    /// Anything.
    Mixed(Vec<Value>),
}

impl Default for ColumnBuilder {
    fn default() -> Self {
        Self::Nulls(0)
    }
}

impl ColumnBuilder {
    /// Values so far.
    pub fn len(&self) -> usize {
        match self {
            Self::Nulls(count) => *count,
            Self::Ints(list) | Self::Times(list) | Self::Decimals(list, _) => list.values.len(),
            Self::Numbers(list) => list.values.len(),
            Self::Flags(list) => list.values.len(),
            Self::Texts(texts) => texts.len(),
            Self::Mixed(values) => values.len(),
        }
    }

    /// Nothing yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// NULL.
    pub fn push_null(&mut self) {
        match self {
            Self::Nulls(count) => *count += 1,
            Self::Ints(list) | Self::Times(list) | Self::Decimals(list, _) => list.push(None),
            Self::Numbers(list) => list.push(None),
            Self::Flags(list) => list.push(None),
            Self::Texts(texts) => texts.push_null(),
            Self::Mixed(values) => values.push(Value::Null),
        }
    }

    /// A text.
    pub fn push_text(&mut self, text: &str) {
        match self {
            Self::Texts(texts) if texts.takes(text) => texts.push(text),
            _ => self.push_other(Value::text(text)),
        }
    }

    /// An integer.
    pub fn push_int(&mut self, value: i64) {
        match self {
            Self::Ints(list) => list.push(Some(value)),
            _ => self.push(Value::Int(value)),
        }
    }

    /// Milliseconds.
    pub fn push_ms(&mut self, value: i64) {
        match self {
            Self::Times(list) => list.push(Some(value)),
            _ => self.push(Value::Ms(value)),
        }
    }

    /// A value.
    pub fn push(&mut self, value: Value) {
        match (&mut *self, &value) {
            (_, Value::Null) => self.push_null(),
            (Self::Ints(list), Value::Int(value)) | (Self::Times(list), Value::Ms(value)) => list.push(Some(*value)),
            (Self::Numbers(list), Value::Num(value)) => list.push(Some(*value)),
            (Self::Decimals(list, scale), Value::Dec(digits, other)) if scale == other => list.push(Some(*digits)),
            (Self::Flags(list), Value::Bool(value)) => list.push(Some(*value)),
            (Self::Texts(texts), Value::Text(text)) if texts.takes(text) => texts.push(text),
            (Self::Mixed(values), _) => values.push(value),
            _ => self.push_other(value),
        }
    }

    /// The value of a row of a column.
    pub fn push_from(&mut self, column: &Column, row: usize) {
        match (&mut *self, column) {
            (Self::Ints(list), Column::Ints(slots)) | (Self::Times(list), Column::Times(slots)) => list.push(slots.get(row)),
            (Self::Numbers(list), Column::Numbers(slots)) => list.push(slots.get(row)),
            (_, Column::Texts(texts)) => match texts.get(row) {
                Some(text) => self.push_text(text),
                None => self.push_null(),
            },
            _ => self.push(column.value(row)),
        }
    }

    /// The first value, or one of another kind than those before.
    fn push_other(&mut self, value: Value) {
        if let Self::Nulls(count) = *self {
            match &value {
                Value::Int(_) => *self = Self::Ints(Growing::of_nulls(count)),
                Value::Ms(_) => *self = Self::Times(Growing::of_nulls(count)),
                Value::Num(_) => *self = Self::Numbers(Growing::of_nulls(count)),
                Value::Dec(_, scale) => *self = Self::Decimals(Growing::of_nulls(count), *scale),
                Value::Bool(_) => *self = Self::Flags(Growing::of_nulls(count)),
                Value::Text(_) => *self = Self::Texts(Texts { bytes: String::new(), ends: vec![0; count], nulls: vec![true; count] }),
                Value::Null | Value::Bytes(_) | Value::Record(_) => *self = Self::Mixed(vec![Value::Null; count]),
            }
        } else {
            *self = Self::Mixed((0..self.len()).map(|row| self.value(row)).collect());
        }
        match (&mut *self, value) {
            (Self::Mixed(values), value) => values.push(value),
            // Of the kind that was just chosen; a text that no text column takes has made a mixture before.
            (Self::Texts(texts), Value::Text(text)) => texts.push(&text),
            (_, value) => self.push(value),
        }
    }

    /// The value of a row.
    pub fn value(&self, row: usize) -> Value {
        match self {
            Self::Nulls(_) => Value::Null,
            Self::Ints(list) => list.get(row).map_or(Value::Null, Value::Int),
            Self::Times(list) => list.get(row).map_or(Value::Null, Value::Ms),
            Self::Numbers(list) => list.get(row).map_or(Value::Null, Value::Num),
            Self::Decimals(list, scale) => list.get(row).map_or(Value::Null, |digits| Value::Dec(digits, *scale)),
            Self::Flags(list) => list.get(row).map_or(Value::Null, Value::Bool),
            Self::Texts(texts) => texts.get(row).map_or(Value::Null, Value::text),
            Self::Mixed(values) => values[row].clone(),
        }
    }

    /// A row is the same as one of a column, as grouping compares: NULL equals NULL, trailing blanks do not count.
    pub fn same(&self, at: usize, column: &Column, row: usize) -> bool {
        match (self, column) {
            (Self::Texts(own), Column::Texts(texts)) => match (own.bytes(at), texts.bytes(row)) {
                (Some(a), Some(b)) => a == b || trimmed(a) == trimmed(b),
                (a, b) => a.is_none() && b.is_none(),
            },
            (Self::Texts(own), Column::Repeat(Value::Text(text))) => own.bytes(at).is_some_and(|own| trimmed(own) == trimmed(text.as_bytes())),
            (Self::Ints(list), Column::Ints(slots)) | (Self::Times(list), Column::Times(slots)) => list.get(at) == slots.get(row),
            _ => self.value(at).same(&column.value(row)),
        }
    }

    /// The column.
    pub fn finish(self) -> Column {
        match self {
            Self::Nulls(_) => Column::Repeat(Value::Null),
            Self::Ints(list) => Column::Ints(list.slots()),
            Self::Times(list) => Column::Times(list.slots()),
            Self::Numbers(list) => Column::Numbers(list.slots()),
            Self::Decimals(list, scale) => Column::Decimals(list.slots(), scale),
            Self::Flags(list) => Column::Flags(list.slots()),
            Self::Texts(texts) => Column::Texts(Arc::new(texts)),
            Self::Mixed(values) => Column::Mixed(Arc::new(values)),
        }
    }

    /// The column so far; the builder begins anew with its kind and room for as much again.
    pub fn take(&mut self) -> Column {
        let next = match self {
            Self::Nulls(_) | Self::Mixed(_) => Self::Nulls(0),
            Self::Ints(list) => Self::Ints(list.fresh()),
            Self::Times(list) => Self::Times(list.fresh()),
            Self::Numbers(list) => Self::Numbers(list.fresh()),
            Self::Decimals(list, scale) => Self::Decimals(list.fresh(), *scale),
            Self::Flags(list) => Self::Flags(list.fresh()),
            Self::Texts(texts) => {
                Self::Texts(Texts { bytes: String::with_capacity(texts.bytes.len()), ends: Vec::with_capacity(texts.ends.len()), nulls: Vec::new() })
            }
        };
        std::mem::replace(self, next).finish()
    }
}

/// Without trailing blanks.
pub fn trimmed(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_suffix(b" ") {
        text = rest;
    }
    text
}
