//! Values in rows. What a number of milliseconds or an integer means is the type's business.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;
use indexmap::{Equivalent, IndexMap, IndexSet};

use super::datetime;
use super::types::SqlType;

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// NULL, UNKNOWN.
    Null,
    /// TRUE, FALSE.
    Bool(bool),
    /// Integers.
    Int(i64),
    /// Decimals: digits without the point, digits behind it.
    Dec(i64, u8),
    /// REAL and DOUBLE.
    Num(f64),
    /// CHAR and VARCHAR.
    Text(Arc<str>),
    /// BINARY and VARBINARY.
    Bytes(Arc<[u8]>),
    /// Dates, times, timestamps, day-time intervals in milliseconds; year-month intervals in months.
    Ms(i64),
    /// Records.
    Record(Arc<[Value]>),
}

/// Why a row was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// ERROR_NAME.
    pub name: &'static str,
    /// MESSAGE.
    pub message: String,
}

impl RowError {
    /// An error of a kind.
    pub fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }

    /// A conversion that failed.
    pub fn coercion(message: impl Into<String>) -> Self {
        Self::new("CoercionError", message)
    }
}

/// A value or a row error.
pub type Outcome = Result<Value, RowError>;

pub(super) const POWERS: [i128; 39] = {
    let mut powers = [1i128; 39];
    let mut i = 1;
    while i < 39 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// TRUE.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// As a floating-point number.
    pub fn number(&self) -> Option<f64> {
        Some(match self {
            Self::Int(value) => *value as f64,
            Self::Dec(digits, scale) => *digits as f64 / POWERS[usize::from(*scale)] as f64,
            Self::Num(value) => *value,
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Ms(value) => *value as f64,
            _ => return None,
        })
    }

    /// As digits at a scale, when it is exact.
    pub fn exact(&self) -> Option<(i128, u8)> {
        match self {
            Self::Int(value) => Some((i128::from(*value), 0)),
            Self::Dec(digits, scale) => Some((i128::from(*digits), *scale)),
            _ => None,
        }
    }

    /// Order within one family; texts ignore trailing blanks. `None` with NULL or between families.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) | (Self::Ms(a), Self::Ms(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.trim_end_matches(' ').cmp(b.trim_end_matches(' '))),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Num(a), Self::Num(b)) => a.partial_cmp(b),
            (Self::Int(_) | Self::Dec(..), Self::Int(_) | Self::Dec(..)) => {
                let ((a, s), (b, t)) = (self.exact()?, other.exact()?);
                let scale = s.max(t);
                Some((a * POWERS[usize::from(scale - s)]).cmp(&(b * POWERS[usize::from(scale - t)])))
            }
            (Self::Record(a), Self::Record(b)) => {
                for (a, b) in a.iter().zip(b.iter()) {
                    match a.compare(b)? {
                        Ordering::Equal => {}
                        other => return Some(other),
                    }
                }
                Some(a.len().cmp(&b.len()))
            }
            (a, b) if !a.is_null() && !b.is_null() => a.number()?.partial_cmp(&b.number()?),
            _ => None,
        }
    }

    /// Equal as grouping does it: NULL equals NULL.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Null, _) | (_, Self::Null) => false,
            (Self::Record(a), Self::Record(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b)),
            (Self::Num(a), Self::Num(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Text(a), Self::Text(b)) => a == b || a.trim_end_matches(' ') == b.trim_end_matches(' '),
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }

    /// Bytes it takes beside its own slot.
    pub fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + 16,
            Self::Bytes(bytes) => bytes.len() + 16,
            Self::Record(cells) => 16 + cells.iter().map(|cell| 32 + cell.weight()).sum::<usize>(),
            _ => 0,
        }
    }

    /// The text form of a value of a type, as CAST to VARCHAR writes it. NULL has none.
    pub fn to_text(&self, ty: &SqlType) -> String {
        match (self, ty) {
            (Self::Null, _) => "null".to_owned(),
            (Self::Bool(value), _) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            (Self::Int(value), _) => value.to_string(),
            (Self::Dec(digits, scale), _) => decimal_text(*digits, *scale),
            (Self::Num(value), SqlType::Real) => double_text(*value, true),
            (Self::Num(value), _) => double_text(*value, false),
            (Self::Text(text), _) => text.to_string(),
            (Self::Bytes(bytes), _) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
            (Self::Ms(ms), SqlType::Date) => datetime::date_text(*ms),
            (Self::Ms(ms), SqlType::Time) => datetime::time_text(*ms),
            (Self::Ms(value), SqlType::Interval(qualifier)) => qualifier.text(*value),
            (Self::Ms(ms), _) => datetime::timestamp_text(*ms),
            (Self::Record(cells), SqlType::Record(fields)) => {
                let parts: Vec<String> = cells.iter().zip(fields.iter()).map(|(cell, (_, ty))| cell.to_text(ty)).collect();
                format!("({})", parts.join(", "))
            }
            (Self::Record(_), _) => String::new(),
        }
    }

    /// The JSON form of a value of a type, as outputs and case files write it.
    pub fn to_json(&self, ty: &SqlType) -> serde_json::Value {
        use serde_json::Value as Json;
        match (self, ty) {
            (Self::Null, _) => Json::Null,
            (Self::Bool(value), _) => Json::Bool(*value),
            (Self::Int(value), _) => Json::from(*value),
            (Self::Dec(..), _) => self.to_text(ty).parse::<serde_json::Number>().map_or(Json::Null, Json::Number),
            (Self::Num(value), SqlType::Real) => {
                double_text(*value, true).to_lowercase().parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or(Json::Null, Json::Number)
            }
            (Self::Num(value), _) => serde_json::Number::from_f64(*value).map_or(Json::Null, Json::Number),
            (Self::Record(cells), SqlType::Record(fields)) => {
                Json::Object(fields.iter().zip(cells.iter()).map(|((name, ty), cell)| (name.clone(), cell.to_json(ty))).collect())
            }
            _ => Json::String(self.to_text(ty)),
        }
    }
}

/// `-12.50`.
pub fn decimal_text(digits: i64, scale: u8) -> String {
    if scale == 0 {
        return digits.to_string();
    }
    let unit = POWERS[usize::from(scale)].unsigned_abs();
    let magnitude = u128::from(digits.unsigned_abs());
    format!("{}{}.{:0width$}", if digits < 0 { "-" } else { "" }, magnitude / unit, magnitude % unit, width = usize::from(scale))
}

/// As Java's Double.toString and Float.toString.
pub fn double_text(value: f64, single: bool) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0.0" } else { "0.0" }.to_owned();
    }
    let shortest = if single { format!("{:e}", value as f32) } else { format!("{value:e}") };
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    if (-3..7).contains(&exponent) {
        if exponent < 0 {
            return format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize));
        }
        let whole = (exponent + 1) as usize;
        let padded = format!("{digits:0<width$}", width = whole + 1);
        return format!("{sign}{}.{}", &padded[..whole], &padded[whole..]);
    }
    let rest = if digits.len() > 1 { &digits[1..] } else { "0" };
    format!("{sign}{}.{rest}E{exponent}", &digits[..1])
}

/// Maps by key. The hasher is fast and has a fixed seed; nothing depends on its order, for the maps keep that of insertion.
pub type KeyMap<V> = IndexMap<Key, V, FixedState>;
/// Sets of keys.
pub type KeySet = IndexSet<Key, FixedState>;

/// Equality as grouping does it, for keys of maps.
#[derive(Debug, Clone)]
pub struct Key(pub Arc<[Value]>);

/// A key that is looked up without being made.
#[derive(Debug, Clone, Copy)]
pub struct KeyRef<'v>(pub &'v [Value]);

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        same_keys(self.0, &key.0)
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_key(self.0, state);
    }
}

fn same_keys(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        same_keys(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_key(&self.0, state);
    }
}

fn hash_key<H: Hasher>(key: &[Value], state: &mut H) {
    for value in key {
        match value {
            Value::Null => state.write_u8(0),
            // Trailing blanks do not count.
            Value::Text(text) => state.write(text.trim_end_matches(' ').as_bytes()),
            Value::Bytes(bytes) => state.write(bytes),
            Value::Record(cells) => hash_key(cells, state),
            Value::Ms(ms) => state.write_i64(*ms),
            // Numbers that are equal must hash equally, whatever their kind.
            number => {
                let number = number.number().unwrap_or(0.0);
                state.write_u64((if number == 0.0 { 0.0f64 } else { number }).to_bits());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_as_java_prints_them() {
        for (value, text) in [(1.0, "1.0"), (0.001, "0.001"), (1e7, "1.0E7"), (-1.5e-6, "-1.5E-6"), (123.25, "123.25"), (9_999_999.5, "9999999.5")] {
            assert_eq!(double_text(value, false), text);
        }
        assert_eq!(double_text(f64::from(0.1f32), true), "0.1");
        assert_eq!(decimal_text(-5, 2), "-0.05");
    }
}
