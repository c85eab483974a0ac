//! Date and time patterns: Java's SimpleDateFormat letters with U.S. English names, in UTC.

use super::datetime::{self, DAY, civil_of, days_of, month_length};

const MONTHS: [&str; 12] = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const LETTERS: &str = "GyYMLwWDdFEuaHkKhmsSzZX";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Letter(char, usize),
    Literal(String),
}

/// A pattern, cut into its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePattern(Vec<Piece>);

impl DatePattern {
    /// Cuts a pattern.
    ///
    /// # Errors
    /// A letter that means nothing.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        let push = |pieces: &mut Vec<Piece>, c: char| match pieces.last_mut() {
            Some(Piece::Literal(text)) => text.push(c),
            _ => pieces.push(Piece::Literal(c.to_string())),
        };
        let chars: Vec<char> = pattern.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let c = chars[at];
            if c == '\'' {
                if chars.get(at + 1) == Some(&'\'') {
                    push(&mut pieces, '\'');
                    at += 2;
                    continue;
                }
                at += 1;
                while at < chars.len() && chars[at] != '\'' {
                    push(&mut pieces, chars[at]);
                    at += 1;
                    if at + 1 < chars.len() && chars[at] == '\'' && chars[at + 1] == '\'' {
                        push(&mut pieces, '\'');
                        at += 2;
                    }
                }
                at += 1;
                continue;
            }
            if c.is_ascii_alphabetic() {
                if !LETTERS.contains(c) {
                    return Err(format!("the letter {c} means nothing in the pattern '{pattern}'; put text in '…'"));
                }
                let count = chars[at..].iter().take_while(|other| **other == c).count();
                pieces.push(Piece::Letter(c, count));
                at += count;
                continue;
            }
            push(&mut pieces, c);
            at += 1;
        }
        Ok(Self(pieces))
    }

    /// Writes an instant.
    pub fn format(&self, ms: i64) -> String {
        let days = ms.div_euclid(DAY);
        let (year, month, day) = civil_of(days);
        let of_day = ms.rem_euclid(DAY);
        let (hour, minute, second, milli) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60, of_day % 1000);
        let weekday = (days + 4).rem_euclid(7);
        let new_year = days_of(year, 1, 1);
        let mut out = String::new();
        for piece in &self.0 {
            let (letter, count) = match piece {
                Piece::Literal(text) => {
                    out.push_str(text);
                    continue;
                }
                Piece::Letter(letter, count) => (*letter, *count),
            };
            let mut number = |value: i64| out.push_str(&format!("{value:0count$}"));
            match letter {
                'y' if count == 2 => out.push_str(&format!("{:02}", year.rem_euclid(100))),
                'y' => number(year),
                'Y' => {
                    let week_year = week_of(days).0;
                    if count == 2 { out.push_str(&format!("{:02}", week_year.rem_euclid(100))) } else { number(week_year) }
                }
                'M' | 'L' if count >= 4 => out.push_str(MONTHS[month as usize - 1]),
                'M' | 'L' if count == 3 => out.push_str(&MONTHS[month as usize - 1][..3]),
                'M' | 'L' => number(month),
                'w' => number(week_of(days).1),
                'W' => number((day - 1 + (days - day + 1 + 4).rem_euclid(7)) / 7 + 1),
                'D' => number(days - new_year + 1),
                'd' => number(day),
                'F' => number((day - 1) / 7 + 1),
                'E' if count >= 4 => out.push_str(DAYS[weekday as usize]),
                'E' => out.push_str(&DAYS[weekday as usize][..3]),
                'u' => number(if weekday == 0 { 7 } else { weekday }),
                'a' => out.push_str(if hour < 12 { "AM" } else { "PM" }),
                'H' => number(hour),
                'k' => number(if hour == 0 { 24 } else { hour }),
                'K' => number(hour % 12),
                'h' => number(if hour % 12 == 0 { 12 } else { hour % 12 }),
                'm' => number(minute),
                's' => number(second),
                'S' => number(milli),
                'G' => out.push_str("AD"),
                'z' => out.push_str(if count >= 4 { "Coordinated Universal Time" } else { "UTC" }),
                'Z' => out.push_str("+0000"),
                _ => out.push('Z'),
            }
        }
        out
    }

    /// Reads a text: strict fields, literal characters exactly, text left over ignored. `now` places two-digit years.
    pub fn parse(&self, text: &str, now: i64) -> Option<i64> {
        let mut rest = text;
        let mut read = Read { year: 1970, month: 1, day: 1, ..Read::default() };
        for (at, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Literal(literal) => {
                    // A blank in the pattern is also met by the blanks that a number skips.
                    rest = rest.strip_prefix(literal.as_str())?;
                }
                Piece::Letter(letter, count) => {
                    let touches = matches!(self.0.get(at + 1), Some(Piece::Letter(next, n)) if !is_text(*next, *n));
                    rest = read.field(*letter, *count, touches, rest, now)?;
                }
            }
        }
        read.finish()
    }
}

fn is_text(letter: char, count: usize) -> bool {
    matches!(letter, 'E' | 'a' | 'G' | 'z' | 'Z' | 'X') || (matches!(letter, 'M' | 'L') && count >= 3)
}

/// Week year and week: weeks begin on Sunday, the first one holds 1 January.
fn week_of(days: i64) -> (i64, i64) {
    let (year, ..) = civil_of(days);
    let first_of = |year: i64| {
        let new_year = days_of(year, 1, 1);
        new_year - (new_year + 4).rem_euclid(7)
    };
    if days >= first_of(year + 1) {
        return (year + 1, (days - first_of(year + 1)) / 7 + 1);
    }
    (year, (days - first_of(year)) / 7 + 1)
}

#[derive(Default)]
struct Read {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    hour12: Option<i64>,
    pm: Option<bool>,
    minute: i64,
    second: i64,
    milli: i64,
    offset: i64,
}

impl Read {
    fn field<'t>(&mut self, letter: char, count: usize, touches: bool, text: &'t str, now: i64) -> Option<&'t str> {
        let text = text.trim_start_matches(' ');
        if is_text(letter, count) {
            return self.word(letter, text);
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let taken = if touches { digits.min(count) } else { digits };
        if taken == 0 || taken > 9 {
            return None;
        }
        let value: i64 = text[..taken].parse().ok()?;
        let within = |low: i64, high: i64| (low..=high).contains(&value).then_some(value);
        match letter {
            'y' | 'Y' if count == 2 && taken == 2 => {
                let (this_year, ..) = civil_of(now.div_euclid(DAY));
                let least = this_year - 80;
                let mut year = least - least.rem_euclid(100) + value;
                if year < least {
                    year += 100;
                }
                self.year = year;
            }
            'y' | 'Y' => self.year = within(1, 9999)?,
            'M' | 'L' => self.month = within(1, 12)?,
            'd' => self.day = within(1, 31)?,
            'D' => self.day_of_year = Some(within(1, 366)?),
            'H' => self.hour = within(0, 23)?,
            'k' => self.hour = within(1, 24)? % 24,
            'h' => self.hour12 = Some(within(1, 12)? % 12),
            'K' => self.hour12 = Some(within(0, 11)?),
            'm' => self.minute = within(0, 59)?,
            's' => self.second = within(0, 59)?,
            'S' => self.milli = within(0, 999)?,
            'w' => {
                within(1, 54)?;
            }
            'W' | 'F' | 'u' => {
                within(0, 7)?;
            }
            _ => return None,
        }
        Some(&text[taken..])
    }

    fn word<'t>(&mut self, letter: char, text: &'t str) -> Option<&'t str> {
        let starts = |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let named = |names: &[&str]| {
            names
                .iter()
                .position(|name| starts(name))
                .map(|at| (at, names[at].len()))
                .or_else(|| names.iter().position(|name| starts(&name[..3])).map(|at| (at, 3)))
        };
        match letter {
            'M' | 'L' => {
                let (at, length) = named(&MONTHS)?;
                self.month = at as i64 + 1;
                Some(&text[length..])
            }
            'E' => named(&DAYS).map(|(_, length)| &text[length..]),
            'a' => {
                self.pm = Some(starts("PM"));
                (starts("AM") || starts("PM")).then(|| &text[2..])
            }
            'G' => (starts("AD") || starts("BC")).then(|| &text[2..]),
            _ => self.zone(text),
        }
    }

    fn zone<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let named = [
            ("UTC", 0),
            ("GMT", 0),
            ("PST", -480),
            ("PDT", -420),
            ("MST", -420),
            ("MDT", -360),
            ("CST", -360),
            ("CDT", -300),
            ("EST", -300),
            ("EDT", -240),
            ("Z", 0),
        ];
        let mut rest = text;
        for (name, minutes) in named {
            if text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                self.offset = minutes;
                rest = &text[name.len()..];
                if name != "GMT" {
                    return Some(rest);
                }
                break;
            }
        }
        let Some(sign) = rest.chars().next().filter(|c| matches!(c, '+' | '-')) else { return (rest.len() < text.len()).then_some(rest) };
        let digits: String = rest[1..].chars().filter(|c| *c != ':').take(4).collect();
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let minutes = digits[..2].parse::<i64>().ok()? * 60 + digits[2..].parse::<i64>().ok()?;
        self.offset = if sign == '-' { -minutes } else { minutes };
        let length = if rest.get(3..4) == Some(":") { 6 } else { 5 };
        rest.get(length..)
    }

    fn finish(&self) -> Option<i64> {
        let days = match self.day_of_year {
            Some(day) => days_of(self.year, 1, 1) + day - 1,
            None if self.day <= month_length(self.year, self.month) => days_of(self.year, self.month, self.day),
            None => return None,
        };
        let hour = match (self.hour12, self.pm) {
            (Some(hour), Some(true)) => hour + 12,
            (Some(hour), _) => hour,
            (None, _) => self.hour,
        };
        Some(days * DAY + ((hour * 60 + self.minute - self.offset) * 60 + self.second) * 1000 + self.milli)
    }
}

/// The day of an instant at midnight.
pub fn midnight(ms: i64) -> i64 {
    datetime::floor_to(ms, super::interval::Unit::Day)
}
