//! JSON records to rows of a schema, as the two deserialisers of Firehose do it: OpenX, which bends, and Hive, which does not.

use std::collections::BTreeMap;

use super::datum::Datum;
use super::scan::{self, Raw};
use super::schema::{Column, Type};
use crate::engine::time::{Civil, parse_iso};

/// Which deserialiser, with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deserializer {
    /// `OpenXJsonSerDe`.
    OpenX {
        /// Keys are lower-cased before they are compared.
        case_insensitive: bool,
        /// `a.b` matches column `a_b`.
        dots_to_underscores: bool,
        /// Column → key.
        mappings: BTreeMap<String, String>,
    },
    /// `HiveJsonSerDe`.
    Hive {
        /// Joda patterns, or `millis`.
        timestamp_formats: Vec<String>,
    },
}

impl Default for Deserializer {
    fn default() -> Self {
        Self::OpenX { case_insensitive: true, dots_to_underscores: false, mappings: BTreeMap::new() }
    }
}

/// Why a record cannot become a row: Firehose's code and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// `DataFormatConversion.ParseError` or `.MalformedData`.
    pub code: &'static str,
    /// Firehose's text.
    pub message: String,
}

impl Misfit {
    fn parse(text: impl std::fmt::Display) -> Self {
        Self { code: "DataFormatConversion.ParseError", message: format!("Encountered malformed JSON. {text}") }
    }
    fn schema(text: impl std::fmt::Display) -> Self {
        Self { code: "DataFormatConversion.MalformedData", message: format!("Data does not match the schema. {text}") }
    }
    fn plain(text: &str) -> Self {
        Self { code: "DataFormatConversion.MalformedData", message: text.to_owned() }
    }
}

/// A deserialiser made ready for a schema.
#[derive(Debug, Clone)]
pub struct Reader {
    columns: std::sync::Arc<[Column]>,
    /// Key of each column in its text, as compared.
    keys: Vec<String>,
    how: Deserializer,
}

impl Reader {
    /// For the columns of a table.
    pub fn new(columns: std::sync::Arc<[Column]>, how: Deserializer) -> Self {
        let keys = columns
            .iter()
            .map(|(name, _)| match &how {
                Deserializer::OpenX { mappings, case_insensitive, .. } => {
                    let key = mappings.get(name).unwrap_or(name);
                    if *case_insensitive { key.to_lowercase() } else { key.clone() }
                }
                Deserializer::Hive { .. } => name.to_lowercase(),
            })
            .collect();
        Self { columns, keys, how }
    }

    const fn bends(&self) -> bool {
        matches!(self.how, Deserializer::OpenX { .. })
    }

    /// The place of a key among wanted names.
    fn find<'n>(&self, key: &str, mut names: impl Iterator<Item = &'n str>) -> Option<usize> {
        let plain = !key.contains(['\\', '.']) && !key.bytes().any(|b| b.is_ascii_uppercase() || b >= 0x80);
        if plain {
            return names.position(|name| name == key);
        }
        let key = scan::unescape(key);
        let key = match &self.how {
            Deserializer::OpenX { case_insensitive, dots_to_underscores, .. } => {
                let key = if *dots_to_underscores { key.replace('.', "_") } else { key.into_owned() };
                if *case_insensitive { key.to_lowercase() } else { key }
            }
            Deserializer::Hive { .. } => key.to_lowercase(),
        };
        names.position(|name| name == key)
    }

    /// The rows of a record: it may hold several objects, one after another.
    ///
    /// # Errors
    /// Firehose's code and message; then none of its rows counts.
    pub fn rows(&self, record: &[u8]) -> Result<Vec<Vec<Datum>>, Misfit> {
        let text = std::str::from_utf8(record).map_err(|error| Misfit::parse(format!("Invalid UTF-8 at byte {}", error.valid_up_to())))?;
        let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
        match trimmed.bytes().next() {
            None => return Err(Misfit::plain("The record was empty or contained only whitespace.")),
            Some(b'[') => {
                return Err(Misfit::plain("Data does not match the schema. Data is not JSONObject  but org.openx.data.jsonserde.json.JSONArray"));
            }
            Some(b'{') => {}
            Some(_) if scan::value(trimmed).is_ok() => {
                return Err(Misfit::plain("The input JSON contained a primitive at the top level. The top level must be an object or array."));
            }
            Some(_) => {}
        }
        let mut rows = Vec::with_capacity(1);
        let mut at = 0;
        loop {
            let mut row = vec![Datum::Null; self.columns.len()];
            let mut failed = None;
            let mut guess = 0;
            let end = scan::object(text, at, &mut |key, value| {
                // Keys come in the same order in most records: look at the next column first.
                let place = if self.keys.get(guess).is_some_and(|wanted| wanted == key) {
                    Some(guess)
                } else {
                    self.find(key, self.keys.iter().map(String::as_str))
                };
                if let Some(place) = place {
                    guess = place + 1;
                    match self.coerce(&self.columns[place].1, value) {
                        Ok(datum) => row[place] = datum,
                        Err(misfit) => failed = failed.take().or(Some(misfit)),
                    }
                }
            })
            .map_err(|malformed| Misfit::parse(format!("{} at character {}", malformed.what, malformed.at + 1)))?;
            match end {
                None => break,
                Some(end) => at = end,
            }
            if let Some(misfit) = failed {
                return Err(misfit);
            }
            rows.push(row);
        }
        Ok(rows)
    }

    fn coerce(&self, kind: &Type, raw: Raw<'_>) -> Result<Datum, Misfit> {
        if raw == Raw::Null {
            return Ok(Datum::Null);
        }
        match kind {
            Type::Boolean => match raw {
                Raw::Bool(flag) => Ok(Datum::Bool(flag)),
                Raw::Text(text) if self.bends() && text.eq_ignore_ascii_case("true") => Ok(Datum::Bool(true)),
                Raw::Text(text) if self.bends() && text.eq_ignore_ascii_case("false") => Ok(Datum::Bool(false)),
                _ => Err(self.wrong_scalar("boolean", raw)),
            },
            Type::TinyInt => self.integer(raw, i64::from(i8::MIN), i64::from(i8::MAX)),
            Type::SmallInt => self.integer(raw, i64::from(i16::MIN), i64::from(i16::MAX)),
            Type::Int => self.integer(raw, i64::from(i32::MIN), i64::from(i32::MAX)),
            Type::BigInt => self.integer(raw, i64::MIN, i64::MAX),
            Type::Float | Type::Double => self.float(raw).map(Datum::Float),
            Type::Decimal(precision, scale) => self.decimal(raw, *precision, *scale),
            Type::String => self.text(raw).map(Datum::Text),
            Type::Varchar(length) | Type::Char(length) => {
                let text = self.text(raw)?;
                Ok(Datum::Text(text.chars().take(*length as usize).collect()))
            }
            Type::Binary => self.text(raw).map(|text| Datum::Bytes(text.into_bytes())),
            Type::Date => match raw {
                Raw::Text(text) => date(text).map(Datum::Int).ok_or_else(|| Misfit::schema(format!("Cannot parse \"{text}\" as a date"))),
                Raw::Number(text) if self.bends() => Ok(Datum::Int(whole(text).unwrap_or_default() as i64)),
                _ => Err(self.wrong_scalar("date", raw)),
            },
            Type::Timestamp => self.timestamp(raw),
            Type::Array(item) => match raw {
                Raw::Nested(text) if text.starts_with('[') => {
                    scan::items(text).into_iter().map(|value| self.coerce(item, value)).collect::<Result<_, _>>().map(Datum::List)
                }
                Raw::Nested(_) if !self.bends() => Err(Misfit::schema("java.io.IOException: Start of Array expected")),
                _ if self.bends() => Ok(Datum::List(vec![self.coerce(item, raw)?])),
                _ => Err(Misfit::schema("java.io.IOException: Start of Array expected")),
            },
            Type::Map(key, value) => match raw {
                Raw::Nested(text) if text.starts_with('{') => {
                    let (mut entries, mut failed) = (Vec::new(), None);
                    let scanned = scan::object(text, 0, &mut |name, raw| {
                        let name = if self.bends() { name.to_lowercase() } else { name.to_owned() };
                        match (self.coerce(key, Raw::Text(&name)), self.coerce(value, raw)) {
                            (Ok(name), Ok(value)) => entries.push((name, value)),
                            (Err(misfit), _) | (_, Err(misfit)) => failed = failed.take().or(Some(misfit)),
                        }
                    });
                    match (failed, scanned) {
                        (Some(misfit), _) => Err(misfit),
                        (None, Err(_)) => Err(Misfit::parse("in a map")),
                        (None, Ok(_)) => Ok(Datum::Map(entries)),
                    }
                }
                _ => Err(self.wrong_structure(raw)),
            },
            Type::Struct(fields) => match raw {
                Raw::Nested(text) if text.starts_with('{') => {
                    let mut values = vec![Datum::Null; fields.len()];
                    let mut failed = None;
                    let scanned = scan::object(text, 0, &mut |name, raw| {
                        if let Some(place) = self.find(name, fields.iter().map(|(name, _)| name.as_str())) {
                            match self.coerce(&fields[place].1, raw) {
                                Ok(value) => values[place] = value,
                                Err(misfit) => failed = failed.take().or(Some(misfit)),
                            }
                        }
                    });
                    match (failed, scanned) {
                        (Some(misfit), _) => Err(misfit),
                        (None, Err(_)) => Err(Misfit::parse("in a struct")),
                        (None, Ok(_)) => Ok(Datum::Struct(values)),
                    }
                }
                Raw::Nested(text) if self.bends() => {
                    let mut values = vec![Datum::Null; fields.len()];
                    for (place, value) in scan::items(text).into_iter().enumerate().take(fields.len()) {
                        values[place] = self.coerce(&fields[place].1, value)?;
                    }
                    Ok(Datum::Struct(values))
                }
                _ => Err(self.wrong_structure(raw)),
            },
        }
    }

    fn wrong_structure(&self, raw: Raw<'_>) -> Misfit {
        if self.bends() { Misfit::schema(not_an_object(raw)) } else { Misfit::schema("java.io.IOException: Start of Object expected") }
    }

    fn wrong_scalar(&self, kind: &str, raw: Raw<'_>) -> Misfit {
        match raw {
            Raw::Text(text) if self.bends() => Misfit::schema(format!("For input string: \"{text}\"")),
            _ if self.bends() => Misfit::schema(format!("{} cannot be cast to {kind}", class(raw))),
            Raw::Text(_) if kind != "boolean" => Misfit::schema("Current token (VALUE_STRING) not numeric, can not use numeric value accessors"),
            _ => Misfit::schema("One or more fields have incorrect format. Exception when validating field (root)"),
        }
    }

    fn integer(&self, raw: Raw<'_>, min: i64, max: i64) -> Result<Datum, Misfit> {
        let text = match raw {
            Raw::Number(text) => text,
            Raw::Text(text) if self.bends() => text,
            _ => return Err(self.wrong_scalar("integer", raw)),
        };
        match whole(text) {
            Some(int) if (i128::from(min)..=i128::from(max)).contains(&int) => Ok(Datum::Int(int as i64)),
            Some(_) => Err(Misfit::schema(format!("Numeric value ({text}) out of range"))),
            None => Err(Misfit::schema(format!("For input string: \"{text}\""))),
        }
    }

    fn float(&self, raw: Raw<'_>) -> Result<f64, Misfit> {
        let text = match raw {
            Raw::Number(text) => text,
            Raw::Text(text) if self.bends() => text.trim(),
            _ => return Err(self.wrong_scalar("double", raw)),
        };
        text.parse::<f64>().ok().filter(|float| float.is_finite()).ok_or_else(|| Misfit::schema(format!("For input string: \"{text}\"")))
    }

    fn decimal(&self, raw: Raw<'_>, precision: u8, scale: u8) -> Result<Datum, Misfit> {
        let text = match raw {
            Raw::Number(text) => text,
            Raw::Text(text) if self.bends() => text.trim(),
            _ => return Err(self.wrong_scalar("decimal", raw)),
        };
        let digits = decimal_digits(text, scale).ok_or_else(|| Misfit::schema(format!("For input string: \"{text}\"")))?;
        if digits.unsigned_abs() >= 10u128.pow(u32::from(precision)) {
            return Err(Misfit::schema(format!("{text} does not fit decimal({precision},{scale})")));
        }
        Ok(Datum::Decimal(digits))
    }

    fn text(&self, raw: Raw<'_>) -> Result<String, Misfit> {
        match raw {
            Raw::Text(text) => Ok(scan::unescape(text).into_owned()),
            Raw::Number(text) => Ok(text.to_owned()),
            Raw::Bool(flag) => Ok(flag.to_string()),
            Raw::Nested(text) if self.bends() => Ok(lower_keys(text)),
            _ => Err(Misfit::schema("One or more fields have incorrect format. Exception when validating field (root)")),
        }
    }

    fn timestamp(&self, raw: Raw<'_>) -> Result<Datum, Misfit> {
        let wrong = |text: &str| Misfit::schema(format!("Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff] [{text}]"));
        match (&self.how, raw) {
            (Deserializer::OpenX { .. }, Raw::Number(text)) => epoch(text).map(Datum::Timestamp).ok_or_else(|| wrong(text)),
            (Deserializer::OpenX { .. }, Raw::Text(text)) => {
                openx_timestamp(text).or_else(|| epoch(text)).map(Datum::Timestamp).ok_or_else(|| wrong(text))
            }
            (Deserializer::Hive { timestamp_formats }, Raw::Number(text)) if timestamp_formats.iter().any(|format| format == "millis") => {
                whole(text).map(|millis| Datum::Timestamp((millis as i64).saturating_mul(1000))).ok_or_else(|| wrong(text))
            }
            (Deserializer::Hive { timestamp_formats }, Raw::Text(text)) => {
                let found =
                    timestamp_formats.iter().find_map(|format| joda(format, text)).or_else(|| openx_timestamp(text).filter(|_| !text.contains('T')));
                found.map(Datum::Timestamp).ok_or_else(|| wrong(text))
            }
            (_, other) => Err(self.wrong_scalar("timestamp", other)),
        }
    }
}

const fn class(raw: Raw<'_>) -> &'static str {
    match raw {
        Raw::Null => "null",
        Raw::Bool(_) => "java.lang.Boolean",
        Raw::Number(_) => "java.lang.Long",
        Raw::Text(_) => "java.lang.String",
        Raw::Nested(_) => "org.openx.data.jsonserde.json.JSONObject",
    }
}

fn not_an_object(raw: Raw<'_>) -> String {
    let value = match raw {
        Raw::Number(text) | Raw::Text(text) | Raw::Nested(text) => text.to_owned(),
        Raw::Bool(flag) => flag.to_string(),
        Raw::Null => "null".to_owned(),
    };
    let class = match raw {
        Raw::Number(text) if text.contains(['.', 'e', 'E']) => "java.lang.Double",
        raw => class(raw),
    };
    format!("Data is not JSONObject  but {class} with value {value}")
}

/// Compact JSON with lower-case keys, as OpenX prints an object in a text column.
fn lower_keys(text: &str) -> String {
    fn lower(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(object) => object.into_iter().map(|(key, value)| (key.to_lowercase(), lower(value))).collect(),
            serde_json::Value::Array(items) => items.into_iter().map(lower).collect(),
            other => other,
        }
    }
    serde_json::from_str(text).map(lower).map_or_else(|_| text.to_owned(), |value| value.to_string())
}

/// A whole number; a fraction is cut off as Java's casts do.
fn whole(text: &str) -> Option<i128> {
    if let Ok(int) = text.parse::<i64>() {
        return Some(int.into());
    }
    if !text.contains(['.', 'e', 'E']) {
        return text.parse().ok();
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite()).map(|float| float as i128)
}

/// The digits of a decimal number rounded half up to a scale.
fn decimal_digits(text: &str, scale: u8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (whole.is_empty() && fraction.is_empty())
        || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        || whole.len() + fraction.len() > 60
    {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    // Digits to keep: those before the point, moved by the exponent, and the scale.
    let keep = whole.len() as i32 + exponent + i32::from(scale);
    let mut value: i128 = 0;
    for at in 0..keep.max(0) {
        let digit = digits.as_bytes().get(at as usize).map_or(0, |b| i128::from(b - b'0'));
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    if keep >= 0 && digits.as_bytes().get(keep as usize).is_some_and(|b| *b >= b'5') {
        value += 1;
    }
    Some(if negative { -value } else { value })
}

/// Epoch numbers: below 10^12 seconds, from there on milliseconds; fractions are kept.
fn epoch(text: &str) -> Option<i64> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite())?;
    let micros = if libm::fabs(number) < 1e12 { number * 1e6 } else { number * 1e3 };
    Some(libm::round(micros) as i64)
}

fn civil(year: u32, month: u32, day: u32, hour: u32, minute: u32, second: u32, micros: u32) -> Option<i64> {
    Civil { year, month, day, hour, minute, second, micros, weekday: 0 }.to_micros().map(|micros| micros as i64)
}

/// `yyyy-MM-dd HH:mm:ss[.f]` with single digits allowed, or `yyyy-MM-ddTHH:mm:ssZ` strictly.
fn openx_timestamp(text: &str) -> Option<i64> {
    if let Some((_, clock)) = text.split_once('T') {
        let strict = clock.strip_suffix('Z').is_some_and(|clock| clock.len() >= 8 && !clock.contains(['+', '-']));
        return parse_iso(text).filter(|_| strict).map(|time| time.0 as i64);
    }
    let (date, clock) = text.trim().split_once(' ')?;
    let mut date = date.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = clock.trim().split_once('.').map_or((clock.trim(), ""), |(clock, fraction)| (clock, fraction));
    let mut clock = clock.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if date.next().is_some() || clock.next().is_some() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros = format!("{fraction:0<6}")[..6].parse().ok()?;
    civil(year, month, day, hour, minute, second, micros)
}

fn date(text: &str) -> Option<i64> {
    let day = text.get(..10).filter(|_| text.len() == 10 || text.as_bytes()[10] == b' ' || text.as_bytes()[10] == b'T')?;
    parse_iso(day).map(|time| (time.secs() / 86_400) as i64)
}

/// The common letters of a Joda pattern.
fn joda(pattern: &str, text: &str) -> Option<i64> {
    if pattern == "millis" {
        return text.parse::<i64>().ok().map(|millis| millis.saturating_mul(1000));
    }
    let (mut year, mut month, mut day, mut hour, mut minute, mut second, mut micros) = (1970, 1, 1, 0, 0, 0, 0);
    let mut offset = 0i64;
    let pattern: Vec<char> = pattern.chars().collect();
    let mut rest = text;
    let mut at = 0;
    while at < pattern.len() {
        let letter = pattern[at];
        let run = pattern[at..].iter().take_while(|c| **c == letter).count();
        at += run;
        if letter == '\'' {
            let end = pattern[at..].iter().position(|c| *c == '\'')?;
            let literal: String = pattern[at..at + end].iter().collect();
            rest = rest.strip_prefix(literal.as_str())?;
            at += end + 1;
            continue;
        }
        if !letter.is_ascii_alphabetic() {
            let literal: String = std::iter::repeat_n(letter, run).collect();
            rest = rest.strip_prefix(literal.as_str())?;
            continue;
        }
        if letter == 'Z' {
            if let Some(behind) = rest.strip_prefix('Z') {
                rest = behind;
                continue;
            }
            let sign = if rest.starts_with('-') { -1 } else { 1 };
            let digits: String = rest.get(1..)?.chars().take(6).filter(char::is_ascii_digit).take(4).collect();
            let used = if rest.as_bytes().get(3) == Some(&b':') { 6 } else { 5 };
            offset = sign * (digits.get(..2)?.parse::<i64>().ok()? * 3600 + digits.get(2..)?.parse::<i64>().ok()? * 60);
            rest = rest.get(used..)?;
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).take(if letter == 'y' || letter == 'S' { run.max(4) } else { 2 }).count();
        let number: u32 = rest.get(..digits).filter(|text| !text.is_empty())?.parse().ok()?;
        match letter {
            'y' | 'Y' => year = number,
            'M' => month = number,
            'd' => day = number,
            'H' => hour = number,
            'm' => minute = number,
            's' => second = number,
            'S' => micros = format!("{:0<6}", &rest[..digits])[..6].parse().ok()?,
            _ => return None,
        }
        rest = &rest[digits..];
    }
    if !rest.is_empty() {
        return None;
    }
    civil(year, month, day, hour, minute, second, micros).map(|micros| micros - offset * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, json: &str, how: Deserializer) -> Result<Datum, String> {
        let columns = vec![("c".to_owned(), Type::parse(kind).expect("good"))];
        let reader = Reader::new(columns.into(), how);
        reader.rows(format!("{{\"C\":{json}}}").as_bytes()).map(|mut rows| rows.remove(0).remove(0)).map_err(|misfit| misfit.message)
    }

    #[test]
    fn openx_bends_and_hive_does_not() {
        let hive = || Deserializer::Hive { timestamp_formats: Vec::new() };
        let open = Deserializer::default;
        assert_eq!(read("int", "\"12\"", open()), Ok(Datum::Int(12)));
        assert_eq!(read("int", "\"oops\"", open()), Err("Data does not match the schema. For input string: \"oops\"".to_owned()));
        assert!(read("int", "\"12\"", hive()).expect_err("strict").contains("Current token (VALUE_STRING) not numeric"));
        assert_eq!(read("array<int>", "1", open()), Ok(Datum::List(vec![Datum::Int(1)])));
        assert!(read("array<int>", "1", hive()).expect_err("strict").contains("Start of Array expected"));
        assert_eq!(read("struct<a:int,b:int>", "[1,2,3]", open()), Ok(Datum::Struct(vec![Datum::Int(1), Datum::Int(2)])));
        assert!(read("struct<a:int>", "42", open()).expect_err("scalar").contains("Data is not JSONObject  but java.lang.Long with value 42"));
        assert_eq!(read("string", "{\"A\": [1, 2]}", open()), Ok(Datum::Text("{\"a\":[1,2]}".to_owned())));
        assert_eq!(read("string", "12.50", open()), Ok(Datum::Text("12.50".to_owned())));
        assert_eq!(read("struct<a:int>", "{}", open()), Ok(Datum::Struct(vec![Datum::Null])));
        assert!(read("tinyint", "200", open()).is_err() && read("bigint", "9223372036854775808", open()).is_err());
    }

    #[test]
    fn timestamps_and_decimals() {
        let open = Deserializer::default;
        let at = |text: &str| Ok(Datum::Timestamp(parse_iso(text).expect("good").0 as i64));
        assert_eq!(read("timestamp", "1568039627", open()), at("2019-09-09T14:33:47Z"));
        assert_eq!(read("timestamp", "1568039627500", open()), at("2019-09-09T14:33:47.5Z"));
        assert_eq!(read("timestamp", "\"2019-9-9 14:33:47.5\"", open()), at("2019-09-09T14:33:47.5Z"));
        assert_eq!(read("timestamp", "\"2019-09-09T14:33:47Z\"", open()), at("2019-09-09T14:33:47Z"));
        assert!(read("timestamp", "\"2019-09-09T14:33:47+00:00\"", open()).is_err());
        let formats = Deserializer::Hive { timestamp_formats: vec!["dd/MMM".to_owned(), "yyyy-MM-dd'T'HH:mm:ssZ".to_owned(), "millis".to_owned()] };
        assert_eq!(read("timestamp", "\"2019-09-09T16:33:47+0200\"", formats.clone()), at("2019-09-09T14:33:47Z"));
        assert_eq!(read("timestamp", "1568039627500", formats), at("2019-09-09T14:33:47.5Z"));
        assert_eq!(read("decimal(5,2)", "12.345", open()), Ok(Datum::Decimal(1235)));
        assert_eq!(read("decimal(5,2)", "-1e2", open()), Ok(Datum::Decimal(-10_000)));
        assert!(read("decimal(3,2)", "12.34", open()).is_err());
    }

    #[test]
    fn a_record_may_hold_several_objects_but_no_array() {
        let columns: Vec<Column> = vec![("a".to_owned(), Type::Int)];
        let reader = Reader::new(columns.into(), Deserializer::default());
        assert_eq!(reader.rows(b"{\"a\":1}{\"a\":2}\n{\"b\":3}").expect("good").len(), 3);
        assert!(reader.rows(b"[{\"a\":1}]").is_err());
        assert!(reader.rows(b" \n").expect_err("empty").message.contains("only whitespace"));
        assert!(reader.rows(b"7").expect_err("primitive").message.contains("primitive at the top level"));
        assert_eq!(reader.rows(b"{\"a\":1,}").expect_err("bad").code, "DataFormatConversion.ParseError");
    }
}
