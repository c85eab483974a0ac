//! Typed values of a row, as files hold them.

use serde_json::{Map, Number, Value};

use super::schema::Type;
use crate::engine::time::VirtualTime;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// Absent.
    Null,
    /// Boolean.
    Bool(bool),
    /// Any whole number, and days since 1970 for `date`.
    Int(i64),
    /// `float` and `double`.
    Float(f64),
    /// The digits of a `decimal` without its point.
    Decimal(i128),
    /// Text.
    Text(String),
    /// `binary`.
    Bytes(Vec<u8>),
    /// `timestamp`: microseconds since 1970, may be negative.
    Timestamp(i64),
    /// Items of an array.
    List(Vec<Datum>),
    /// Entries of a map.
    Map(Vec<(Datum, Datum)>),
    /// Fields of a struct in the type's order.
    Struct(Vec<Datum>),
}

/// Days since 1970 as a date.
pub fn date_text(days: i64) -> String {
    if days >= 0 {
        let text = VirtualTime(days as u64 * 86_400_000_000).to_string();
        text[..10].to_owned()
    } else {
        format!("{days} days")
    }
}

/// `2019-09-09 14:33:47.000`, as Athena prints a timestamp.
pub fn timestamp_text(micros: i64) -> String {
    u64::try_from(micros).map_or_else(|_| format!("{micros} us"), |micros| VirtualTime(micros).to_string().replace('T', " ").replace('Z', ""))
}

/// The digits of a decimal with its point.
pub fn decimal_text(digits: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let text = format!("{:0>width$}", digits.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = text.split_at(text.len() - scale);
    let sign = if digits < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

impl Datum {
    /// The value as JSON, for screens and answers.
    pub fn json(&self, kind: &Type) -> Value {
        match (self, kind) {
            (Self::Null, _) => Value::Null,
            (Self::Bool(flag), _) => Value::Bool(*flag),
            (Self::Int(days), Type::Date) => Value::String(date_text(*days)),
            (Self::Int(int), _) => Value::from(*int),
            (Self::Float(float), Type::Float) => {
                // The shortest text of a 32-bit number, not its 64-bit neighbour.
                let text = (*float as f32).to_string();
                text.parse::<f64>().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
            }
            (Self::Float(float), _) => Number::from_f64(*float).map_or(Value::Null, Value::Number),
            (Self::Decimal(digits), Type::Decimal(_, scale)) => Value::String(decimal_text(*digits, *scale)),
            (Self::Decimal(digits), _) => Value::String(digits.to_string()),
            (Self::Text(text), _) => Value::String(text.clone()),
            (Self::Bytes(bytes), _) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
            (Self::Timestamp(micros), _) => Value::String(timestamp_text(*micros)),
            (Self::List(items), Type::Array(item)) => items.iter().map(|value| value.json(item)).collect(),
            (Self::Map(entries), Type::Map(key, value)) => Value::Object(
                entries
                    .iter()
                    .map(|(k, v)| {
                        let name = k.json(key);
                        (name.as_str().map_or_else(|| name.to_string(), str::to_owned), v.json(value))
                    })
                    .collect::<Map<_, _>>(),
            ),
            (Self::Struct(values), Type::Struct(fields)) => {
                Value::Object(values.iter().zip(fields).map(|(value, (name, kind))| (name.clone(), value.json(kind))).collect())
            }
            _ => Value::Null,
        }
    }
}
