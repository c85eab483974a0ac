//! Prefixes of delivered objects: `!{namespace:value}` expressions, checked when a delivery stream is made, evaluated for each object.

use crate::api::ServiceError;
use crate::engine::random::{Substream, below};
use crate::engine::time::{Civil, VirtualTime};
use crate::engine::zones::Zone;

/// Evaluated prefixes are at most this long.
const LENGTH_MAX: usize = 512;
/// Letters that Java's `DateTimeFormatter` has no meaning for.
const NO_PATTERN: &str = "CIJPRTUVbfijloprt";

/// A piece of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// `timestamp:PATTERN`.
    Timestamp(String),
    /// `firehose:random-string`.
    Random,
    /// `firehose:error-output-type`.
    ErrorType,
    /// `partitionKeyFromQuery:KEY`.
    Query(String),
    /// `partitionKeyFromLambda:KEY`.
    Lambda(String),
}

/// A prefix taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prefix {
    /// Its pieces.
    pub parts: Vec<Part>,
    /// Where its timestamps are told.
    pub zone: Zone,
}

fn refused(text: impl Into<String>) -> ServiceError {
    ServiceError::invalid_argument(text)
}

impl Prefix {
    /// Takes a prefix apart.
    ///
    /// # Errors
    /// `InvalidArgumentException` with Firehose's text.
    pub fn parse(text: &str) -> Result<Self, ServiceError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("!{") {
            if at > 0 {
                parts.push(Part::Text(rest[..at].to_owned()));
            }
            let inner = &rest[at + 2..];
            let end = inner.find('}').ok_or_else(|| refused("Invalid expression usage"))?;
            let (namespace, value) = inner[..end].split_once(':').ok_or_else(|| refused("Invalid expression usage"))?;
            if inner[..end].contains("!{") || value.is_empty() {
                return Err(refused("Invalid expression usage"));
            }
            parts.push(match namespace {
                "timestamp" => {
                    check_pattern(value)?;
                    Part::Timestamp(value.to_owned())
                }
                "firehose" => match value {
                    "random-string" => Part::Random,
                    "error-output-type" => Part::ErrorType,
                    _ => return Err(refused("Invalid expression usage")),
                },
                "partitionKeyFromQuery" => Part::Query(value.to_owned()),
                "partitionKeyFromLambda" => Part::Lambda(value.to_owned()),
                other => return Err(refused(format!("Namespace to the left of colon ({other}) is an invalid keyword!"))),
            });
            rest = &inner[end + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts, zone: Zone::default() })
    }

    /// It holds an expression.
    pub fn has_expression(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Text(_)))
    }

    /// It holds this piece.
    pub fn has(&self, wanted: impl Fn(&Part) -> bool) -> bool {
        self.parts.iter().any(wanted)
    }

    /// It holds partition keys.
    pub fn has_keys(&self) -> bool {
        self.has(|part| matches!(part, Part::Query(_) | Part::Lambda(_)))
    }

    /// The evaluated prefix of data. Without any expression the hour's folders are appended.
    pub fn evaluate(&self, at: VirtualTime, keys: &[(String, String)], random: Substream) -> String {
        let mut out = self.fill(at, keys, random, "");
        if !self.has_expression() {
            out.push_str(&format_there("yyyy/MM/dd/HH/", at, &self.zone));
        }
        out
    }

    /// The evaluated prefix of failed records of a type. Without any expression it is treated like a static data prefix.
    pub fn evaluate_error(&self, at: VirtualTime, kind: &str, random: Substream) -> String {
        let mut out = self.fill(at, &[], random, kind);
        if !self.has_expression() {
            out.push_str(&format_there("yyyy/MM/dd/HH/", at, &self.zone));
        }
        out
    }

    fn fill(&self, at: VirtualTime, keys: &[(String, String)], random: Substream, kind: &str) -> String {
        let mut out = String::new();
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Timestamp(pattern) => out.push_str(&format_there(pattern, at, &self.zone)),
                Part::Random => out.push_str(&random_text(random.child(index as u64), 11)),
                Part::ErrorType => out.push_str(kind),
                Part::Query(key) | Part::Lambda(key) => {
                    out.push_str(keys.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str()));
                }
            }
        }
        out
    }
}

/// Letters and digits.
pub fn random_text(random: Substream, length: u64) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..length).map(|index| char::from(LETTERS[below(random.bits(index), 62) as usize])).collect()
}

/// A UUID from the seed, of the form of version 4.
pub fn uuid(random: Substream) -> String {
    let (a, b) = (random.bits(0), random.bits(1));
    format!("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 48 & 0x3fff | 0x8000, b & 0xffff_ffff_ffff)
}

/// Both prefixes of an S3 destination, checked together.
///
/// # Errors
/// `InvalidArgumentException` with Firehose's text.
pub fn check(prefix: &str, error_prefix: Option<&str>) -> Result<(Prefix, Option<Prefix>), ServiceError> {
    let data = Prefix::parse(prefix)?;
    let errors = error_prefix.filter(|text| !text.is_empty()).map(Prefix::parse).transpose()?;
    if data.has(|part| *part == Part::ErrorType) {
        return Err(refused("Prefix must not contain any occurrence of !{firehose:error-output-type}"));
    }
    if data.has_expression() && errors.is_none() {
        return Err(refused("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"));
    }
    if let Some(errors) = &errors {
        if errors.has_keys() {
            return Err(refused("Dynamic Partitioning Namespaces can't be part of an error prefix expression"));
        }
        if errors.has_expression() && !errors.has(|part| *part == Part::ErrorType) {
            return Err(refused("ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}"));
        }
    }
    let random = Substream::new(0, &["check"]);
    if data.evaluate(VirtualTime(0), &[], random).len() > LENGTH_MAX {
        return Err(refused("Length of evaluated prefix cannot be greater than 512"));
    }
    if errors.as_ref().is_some_and(|errors| errors.evaluate_error(VirtualTime(0), "format-conversion-failed", random).len() > LENGTH_MAX) {
        return Err(refused("Length of evaluated ErrorOutputPrefix cannot be greater than 512"));
    }
    Ok((data, errors))
}

fn check_pattern(pattern: &str) -> Result<(), ServiceError> {
    let mut quoted = false;
    for c in pattern.chars() {
        match c {
            '\'' => quoted = !quoted,
            c if !quoted && NO_PATTERN.contains(c) => {
                return Err(refused("Invalid conversion character used in the value of the expression in Prefix"));
            }
            _ => {}
        }
    }
    if quoted { Err(refused("Invalid expression usage")) } else { Ok(()) }
}

/// An instant by a pattern of Java's `DateTimeFormatter` in UTC and English.
pub fn format_time(pattern: &str, at: VirtualTime) -> String {
    format_there(pattern, at, &Zone::default())
}

/// Hours and minutes east of UTC, as Java's letters `x` and `X` write them.
fn offset_text(east: i64, run: usize) -> String {
    let (sign, minutes) = (if east < 0 { '-' } else { '+' }, east.abs() / 60);
    let colon = if run == 3 || run == 5 { ":" } else { "" };
    if run == 1 && minutes % 60 == 0 { format!("{sign}{:02}", minutes / 60) } else { format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60) }
}

/// An instant by a pattern of Java's `DateTimeFormatter` in a time zone and English.
pub fn format_there(pattern: &str, at: VirtualTime, zone: &Zone) -> String {
    const MONTHS: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let (east, abbreviation) = zone.offset(at);
    let at = zone.local(at);
    let civil = at.civil();
    let days = at.secs() / 86_400;
    let january = Civil { year: civil.year, month: 1, day: 1, hour: 0, minute: 0, second: 0, micros: 0, weekday: 0 };
    let first = january.to_micros().unwrap_or_default() / 86_400_000_000;
    // Weeks of the United States begin on Sunday; the one with the first of January is week 1.
    let from_sunday = u64::from((civil.weekday + 1) % 7);
    let saturday = VirtualTime((days + 6 - from_sunday) * 86_400_000_000).civil();
    let week = if saturday.year == civil.year { ((days - first) + (first + 4) % 7) / 7 + 1 } else { 1 };
    let letters: Vec<char> = pattern.chars().collect();
    let (mut out, mut index) = (String::new(), 0);
    while index < letters.len() {
        let letter = letters[index];
        if letter == '\'' {
            let end = letters[index + 1..].iter().position(|c| *c == '\'').map_or(letters.len(), |end| index + 1 + end);
            if end == index + 1 {
                out.push('\'');
            }
            out.extend(&letters[index + 1..end.min(letters.len())]);
            index = end + 1;
            continue;
        }
        let run = letters[index..].iter().take_while(|c| **c == letter).count();
        index += run;
        let number = |value: u64| format!("{value:0run$}");
        let year = |year: u32| if run == 2 { format!("{:02}", year % 100) } else { format!("{year:0run$}") };
        let name = |names: &[&str], at: u32| {
            let name = names[at as usize];
            if run == 3 { name[..3].to_owned() } else { name.to_owned() }
        };
        match letter {
            'y' | 'u' => out.push_str(&year(civil.year)),
            'Y' => out.push_str(&year(saturday.year)),
            'M' | 'L' if run > 2 => out.push_str(&name(&MONTHS, civil.month - 1)),
            'M' | 'L' => out.push_str(&number(u64::from(civil.month))),
            'd' => out.push_str(&number(u64::from(civil.day))),
            'D' => out.push_str(&number(days - first + 1)),
            'w' => out.push_str(&number(week)),
            'H' => out.push_str(&number(u64::from(civil.hour))),
            'k' => out.push_str(&number(u64::from(if civil.hour == 0 { 24 } else { civil.hour }))),
            'K' => out.push_str(&number(u64::from(civil.hour % 12))),
            'h' => out.push_str(&number(u64::from((civil.hour + 11) % 12 + 1))),
            'm' => out.push_str(&number(u64::from(civil.minute))),
            's' => out.push_str(&number(u64::from(civil.second))),
            'S' => out.push_str(&format!("{:06}000", civil.micros)[..run.min(9)]),
            'a' => out.push_str(if civil.hour < 12 { "AM" } else { "PM" }),
            'E' => out.push_str(&name(&DAYS, civil.weekday)[..if run < 4 { 3 } else { DAYS[civil.weekday as usize].len() }]),
            'e' | 'c' => out.push_str(&number(from_sunday + 1)),
            'Q' | 'q' => out.push_str(&number(u64::from(civil.month.div_ceil(3)))),
            'X' if east == 0 => out.push('Z'),
            'X' | 'x' => out.push_str(&offset_text(east, run)),
            'Z' if run == 4 => out.push_str(&format!("GMT{}", if east == 0 { String::new() } else { offset_text(east, 3) })),
            'Z' => out.push_str(&offset_text(east, run.max(2))),
            'z' => out.push_str(abbreviation),
            'G' => out.push_str("AD"),
            other => out.extend(std::iter::repeat_n(other, run)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::parse_iso;

    fn at(text: &str) -> VirtualTime {
        parse_iso(text).expect("good")
    }

    #[test]
    fn prefixes_are_filled() {
        let random = Substream::new(1, &["x"]);
        let fill = |text: &str| Prefix::parse(text).expect("good").evaluate(at("2019-12-30T14:05:09Z"), &[("c".to_owned(), "42".to_owned())], random);
        assert_eq!(fill(""), "2019/12/30/14/");
        assert_eq!(fill("legacy"), "legacy2019/12/30/14/");
        assert_eq!(fill("y=!{timestamp:YYYY}/!{timestamp:yyyy-'w'ww-EEE}/"), "y=2020/2019-w01-Mon/");
        assert_eq!(fill("c=!{partitionKeyFromQuery:c}/"), "c=42/");
        let one = fill("!{firehose:random-string}/!{firehose:random-string}");
        let (a, b) = one.split_once('/').expect("two");
        assert!(a != b && a.len() == 11 && b.len() == 11);
        assert_eq!(format_time("DDD HH:mm:ss.SSS a MMM d", at("2020-03-01T00:07:08.9Z")), "061 00:07:08.900 AM Mar 1");
        assert_eq!(format_time("YYYY ww", at("2021-01-01T00:00:00Z")), "2021 01");
        assert_eq!(format_time("YYYY ww", at("2021-01-03T00:00:00Z")), "2021 02");
        assert_eq!(format_time("xx X Z z", at("2021-01-03T00:00:00Z")), "+0000 Z +0000 UTC");
        let new_york = Zone::find("America/New_York").expect("known");
        assert_eq!(
            format_there("yyyy-MM-dd HH x X xxx Z ZZZZ z", at("2020-01-01T03:00:00Z"), &new_york),
            "2019-12-31 22 -05 -05 -05:00 -0500 GMT-05:00 EST"
        );
    }

    #[test]
    fn wrong_prefixes_are_refused_with_firehoses_texts() {
        let refuse = |prefix: &str, errors: Option<&str>| check(prefix, errors).expect_err("wrong").message;
        assert!(refuse("!{timestamp:yyyy}/", None).starts_with("ErrorOutputPrefix cannot be null"));
        assert!(refuse("!{timestamp:yyyy}/", Some("e/!{timestamp:yyyy}/")).contains("at least one occurrence"));
        assert!(refuse("!{firehose:error-output-type}/", Some("e/")).contains("must not contain"));
        assert!(refuse("!{time:yyyy}/", Some("e/")).contains("(time) is an invalid keyword"));
        assert_eq!(refuse("!{timestamp:yyyy/", Some("e/")), "Invalid expression usage");
        assert!(refuse("!{timestamp:yyyy-T}/", Some("e/")).contains("Invalid conversion character"));
        assert!(refuse(&"x".repeat(600), None).contains("greater than 512"));
        assert!(refuse("a", Some("!{partitionKeyFromQuery:c}")).contains("Dynamic Partitioning Namespaces"));
        assert!(check("y=!{timestamp:yyyy}/", Some("e/!{firehose:error-output-type}/")).is_ok() && check("plain/", None).is_ok());
    }
}
