//! CAST and assignment: which pairs are allowed, and what becomes of a value.

use super::datetime::{self, DAY};
use super::types::{Family, SqlType};
use super::value::{Outcome, POWERS, RowError, Value};

/// CAST between the types is allowed.
pub fn can_cast(from: &SqlType, to: &SqlType) -> bool {
    use Family as F;
    let (a, b) = (from.family(), to.family());
    match (a, b) {
        (F::Null, _) => true,
        (F::Number, F::Number | F::Text)
        | (F::Text, F::Number | F::Text | F::Date | F::Time | F::Timestamp | F::DayTime | F::Boolean)
        | (F::Date, F::Date | F::Text | F::Timestamp)
        | (F::Time, F::Time | F::Text | F::Timestamp)
        | (F::Timestamp, F::Timestamp | F::Time | F::Date | F::Text)
        | (F::Boolean, F::Boolean | F::Text)
        | (F::Bytes, F::Bytes)
        | (F::DayTime, F::DayTime | F::Text)
        | (F::YearMonth, F::YearMonth | F::Text) => true,
        (F::DayTime | F::YearMonth, F::Number) => {
            matches!(from, SqlType::Interval(q) if q.from == q.to) && matches!(to, SqlType::BigInt | SqlType::Decimal(..) | SqlType::Integer)
        }
        _ => false,
    }
}

fn overflow(value: &str, ty: &SqlType) -> RowError {
    RowError::new("NumericOverflow", format!("{value} does not fit {ty}"))
}

/// Digits at `scale`, rounded half away from zero.
pub(super) fn rescale(digits: i128, from: u8, to: u8) -> i128 {
    if to >= from {
        return digits.saturating_mul(POWERS[usize::from(to - from).min(38)]);
    }
    let unit = POWERS[usize::from(from - to)];
    let half = unit / 2;
    if digits < 0 { (digits - half) / unit } else { (digits + half) / unit }
}

/// A decimal of a type from digits at a scale.
pub(super) fn decimal(digits: i128, scale: u8, ty: &SqlType) -> Outcome {
    let SqlType::Decimal(p, s) = ty else { return Ok(Value::Null) };
    let rounded = rescale(digits, scale, *s);
    if rounded.abs() >= POWERS[usize::from(*p)] {
        return Err(overflow(&format!("a number of {} digits", rounded.unsigned_abs().to_string().len()), ty));
    }
    i64::try_from(rounded).map(|digits| Value::Dec(digits, *s)).map_err(|_| overflow("the number", ty))
}

/// A number as a value of a numeric type.
pub fn to_number(value: &Value, to: &SqlType) -> Outcome {
    if value.is_null() {
        return Ok(Value::Null);
    }
    match to {
        SqlType::Real => {
            let number = value.number().unwrap_or(0.0);
            let single = number as f32;
            if single.is_infinite() && number.is_finite() { Err(overflow(&number.to_string(), to)) } else { Ok(Value::Num(f64::from(single))) }
        }
        SqlType::Double => Ok(Value::Num(value.number().unwrap_or(0.0))),
        SqlType::Decimal(_, s) => match value {
            Value::Num(number) => {
                if !number.is_finite() || number.abs() >= 1e19 {
                    return Err(overflow(&number.to_string(), to));
                }
                let (digits, scale) = parse_exact(&format!("{number:.*}", usize::from(*s))).ok_or_else(|| overflow(&number.to_string(), to))?;
                decimal(digits, scale, to)
            }
            _ => {
                let (digits, scale) = value.exact().unwrap_or((0, 0));
                decimal(digits, scale, to)
            }
        },
        _ => {
            let (least, greatest) = to.range();
            let whole = match value {
                Value::Num(number) => {
                    let rounded = libm::round(*number);
                    if !rounded.is_finite() || rounded.abs() > 9.223_372_036_854_775e18 {
                        return Err(overflow(&number.to_string(), to));
                    }
                    i128::from(rounded as i64)
                }
                _ => {
                    let (digits, scale) = value.exact().unwrap_or((0, 0));
                    rescale(digits, scale, 0)
                }
            };
            if whole < i128::from(least) || whole > i128::from(greatest) {
                Err(overflow(&whole.to_string(), to))
            } else {
                Ok(Value::Int(whole as i64))
            }
        }
    }
}

/// Digits and scale of a decimal number written in full.
fn parse_exact(text: &str) -> Option<(i128, u8)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = if fraction.len() > 18 { &fraction[..18] } else { fraction };
    let digits = [whole, fraction].concat();
    if digits.trim_start_matches(['-', '+']).is_empty() || digits.len() > 38 {
        return None;
    }
    digits.parse::<i128>().ok().map(|digits| (digits, fraction.len() as u8))
}

/// A whole text as a number: exact when it can be.
pub fn parse_number(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::Int(whole));
    }
    if !text.contains(['e', 'E'])
        && let Some((digits, scale)) = parse_exact(text)
        && let Ok(digits) = i64::try_from(digits)
    {
        return Some(Value::Dec(digits, scale));
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Num)
}

/// Cuts a text to a length in characters.
pub(super) fn cut(text: &str, length: u32) -> &str {
    text.char_indices().nth(length as usize).map_or(text, |(at, _)| &text[..at])
}

fn padded(text: &str, to: &SqlType) -> Value {
    match to {
        SqlType::Char(n) => {
            let text = cut(text, *n);
            let missing = *n as usize - text.chars().count();
            if missing == 0 { Value::text(text) } else { Value::text(format!("{text}{}", " ".repeat(missing))) }
        }
        SqlType::Varchar(n) => Value::text(cut(text, *n)),
        _ => Value::text(text),
    }
}

/// CAST. `today` is midnight of the current day, for TIME to TIMESTAMP.
///
/// # Errors
/// A row error with what did not fit.
pub fn cast(value: &Value, from: &SqlType, to: &SqlType, today: i64) -> Outcome {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let shown = || value.to_text(from);
    let wrong = |expected: &str| RowError::coercion(format!("'{}' is no {to}; expected {expected}", shown()));
    match (from.family(), to.family()) {
        (Family::Number, Family::Number) => to_number(value, to),
        (Family::Text, Family::Text) => Ok(padded(&shown(), to)),
        (Family::Text, family) => {
            let Value::Text(text) = value else { return Ok(Value::Null) };
            match family {
                Family::Number => {
                    let number = parse_number(text).ok_or_else(|| wrong("a number"))?;
                    to_number(&number, to)
                }
                Family::Boolean => match text.trim().to_ascii_uppercase().as_str() {
                    "TRUE" => Ok(Value::Bool(true)),
                    "FALSE" => Ok(Value::Bool(false)),
                    "UNKNOWN" => Ok(Value::Null),
                    _ => Err(wrong("TRUE or FALSE")),
                },
                Family::Date => datetime::parse_date(text.trim_end()).map(Value::Ms).ok_or_else(|| wrong("yyyy-MM-dd")),
                Family::Time => datetime::parse_time(text.trim(), false).map(Value::Ms).ok_or_else(|| wrong("HH:mm:ss")),
                Family::Timestamp => datetime::parse_timestamp(text.trim(), false).map(Value::Ms).ok_or_else(|| wrong("yyyy-MM-dd HH:mm:ss")),
                Family::DayTime | Family::YearMonth => match to {
                    SqlType::Interval(qualifier) => qualifier.parse(text).map(Value::Ms).map_err(RowError::coercion),
                    _ => Ok(Value::Null),
                },
                _ => Ok(value.clone()),
            }
        }
        (Family::DayTime | Family::YearMonth, Family::Text) => Ok(padded(&shown(), to)),
        (_, Family::Text) => {
            let text = shown();
            if to.length().is_some_and(|length| text.chars().count() > length as usize) {
                return Err(RowError::coercion(format!("'{text}' does not fit {to}")));
            }
            Ok(padded(&text, to))
        }
        (Family::Date, Family::Timestamp) => Ok(value.clone()),
        (Family::Timestamp, Family::Date) => Ok(map_ms(value, |ms| ms.div_euclid(DAY) * DAY)),
        (Family::Timestamp, Family::Time) => Ok(map_ms(value, |ms| ms.rem_euclid(DAY))),
        (Family::Time, Family::Timestamp) => Ok(map_ms(value, |ms| today + ms)),
        (Family::DayTime | Family::YearMonth, Family::Number) => {
            let (Value::Ms(amount), SqlType::Interval(qualifier)) = (value, from) else { return Ok(Value::Null) };
            let digits = i128::from(*amount) * 1000 / i128::from(qualifier.from.size());
            match to {
                SqlType::Decimal(..) => decimal(digits, 3, to),
                _ => to_number(&Value::Int((digits / 1000) as i64), to),
            }
        }
        (Family::DayTime | Family::YearMonth, _) => match (value, to) {
            (Value::Ms(amount), SqlType::Interval(qualifier)) => Ok(Value::Ms(qualifier.trim(*amount))),
            _ => Ok(value.clone()),
        },
        (Family::Bytes, Family::Bytes) => match (value, to.length()) {
            (Value::Bytes(bytes), Some(length)) if bytes.len() > length as usize => Ok(Value::Bytes(bytes[..length as usize].into())),
            _ => Ok(value.clone()),
        },
        _ => Ok(value.clone()),
    }
}

fn map_ms(value: &Value, f: impl Fn(i64) -> i64) -> Value {
    match value {
        Value::Ms(ms) => Value::Ms(f(*ms)),
        other => other.clone(),
    }
}

/// A select item into a column of the same family: numbers round, texts are cut, what is out of range is a row error.
///
/// # Errors
/// NumericOverflow.
pub fn assign(value: Value, from: &SqlType, to: &SqlType) -> Outcome {
    if value.is_null() || from == to {
        return Ok(value);
    }
    match to.family() {
        Family::Number => to_number(&value, to),
        Family::Text => match (&value, to) {
            (Value::Text(text), SqlType::Varchar(n)) if text.len() <= *n as usize => Ok(value),
            (Value::Text(text), _) => Ok(padded(text, to)),
            _ => Ok(value),
        },
        _ => cast(&value, from, to, 0),
    }
}
