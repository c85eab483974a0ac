//! Values in the registers of a record while it is made.

use crate::engine::time::VirtualTime;

/// A value; texts belong to the generator or to the record's scratch space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Val<'v> {
    /// null, or a wrong operation.
    Null,
    /// true or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Num(f64),
    /// A text.
    Text(&'v str),
    /// An instant.
    Time(VirtualTime),
    /// Ready JSON, with its value for expressions.
    Ready(&'v Ready),
    /// Value of a choice by its position, for a field that only writes it.
    Picked(u32),
    /// A text in the record's scratch space: start and end.
    Scratch(u32, u32),
}

/// A constant, rendered once.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// Its JSON.
    pub json: Box<[u8]>,
    /// Its text without quotes, for templates and keys.
    pub raw: Box<str>,
    /// Its number, when it is one.
    pub number: Option<f64>,
    /// It is a text.
    pub is_text: bool,
}

impl Ready {
    /// Renders a JSON value.
    pub fn new(value: &serde_json::Value) -> Self {
        let raw = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { json: value.to_string().into_bytes().into(), raw: raw.into(), number: value.as_f64(), is_text: value.is_string() }
    }
}

impl Val<'_> {
    /// As a number, when it is one.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(value as f64),
            Self::Num(value) => Some(value),
            Self::Bool(value) => Some(f64::from(u8::from(value))),
            Self::Ready(ready) => ready.number,
            Self::Null | Self::Text(_) | Self::Time(_) | Self::Picked(_) | Self::Scratch(..) => None,
        }
    }

    /// As a condition.
    pub fn truth(self) -> bool {
        match self {
            Self::Bool(value) => value,
            Self::Null => false,
            Self::Text(text) => !text.is_empty(),
            Self::Ready(ready) => ready.number.map_or_else(|| !matches!(&*ready.raw, "" | "null" | "false"), |number| number != 0.0),
            other => other.number() != Some(0.0),
        }
    }

    /// Equal as numbers, else as texts.
    pub fn equals(self, other: Self) -> bool {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a == b,
            _ => match (self.text(), other.text()) {
                (Some(a), Some(b)) => a == b,
                _ => self == other,
            },
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Ready(ready) if ready.is_text => Some(&ready.raw),
            _ => None,
        }
    }
}
