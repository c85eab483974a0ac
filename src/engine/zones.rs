//! Time zones of the IANA database, for names of delivered objects.
//!
//! The rules are a table in the program (`assets/zones`, made from a named release), never the machine's own: the same run names the same
//! objects everywhere. Changes before 2015 are not in it.

use std::sync::Arc;

use super::time::{Civil, VirtualTime, days_in_month};

const TABLE: &str = include_str!("../../assets/zones/zones.txt");

/// What holds at an instant: seconds east of UTC, and the abbreviation.
type Offset<'z> = (i64, &'z str);

/// A day and time of a year at which a rule changes: month, week (5 = last), weekday (0 = Sunday), seconds after midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    month: u32,
    week: u32,
    weekday: u32,
    seconds: i64,
}

/// A POSIX rule: standard time, and summer time between two turns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    standard: (i64, String),
    summer: Option<((i64, String), Turn, Turn)>,
}

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: Arc<str>,
    /// Changes that the rule does not tell: from when, seconds east, abbreviation.
    changes: Arc<[(u64, i64, String)]>,
    rule: Arc<Rule>,
}

impl Default for Zone {
    /// UTC.
    fn default() -> Self {
        Self { name: "UTC".into(), changes: Arc::new([]), rule: Arc::new(Rule { standard: (0, "UTC".to_owned()), summer: None }) }
    }
}

impl Zone {
    /// A zone by its name: `America/New_York`.
    pub fn find(name: &str) -> Option<Self> {
        TABLE.lines().find_map(|line| {
            let (rule, rest) = line.split_once('|')?;
            let (changes, names) = rest.split_once('|')?;
            names.split(' ').any(|known| known == name).then(|| {
                let changes = changes.split(' ').filter_map(|change| {
                    let mut parts = change.split(',');
                    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.to_owned()))
                });
                Some(Self { name: name.into(), changes: changes.collect(), rule: Arc::new(Rule::parse(rule)?) })
            })?
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds east of UTC at an instant, and the abbreviation.
    pub fn offset(&self, at: VirtualTime) -> Offset<'_> {
        match self.changes.last() {
            Some((last, ..)) if at.secs() < *last => {
                let index = self.changes.partition_point(|(from, ..)| *from <= at.secs());
                let (_, east, word) = &self.changes[index.saturating_sub(1)];
                (*east, word)
            }
            _ => self.rule.offset(at),
        }
    }

    /// The time of day there, as if it were UTC.
    pub fn local(&self, at: VirtualTime) -> VirtualTime {
        VirtualTime(at.0.saturating_add_signed(self.offset(at).0 * 1_000_000))
    }
}

impl Rule {
    /// `EST5EDT,M3.2.0,M11.1.0`.
    fn parse(text: &str) -> Option<Self> {
        let (standard, rest) = word(text)?;
        let (west, rest) = clock(rest)?;
        if rest.is_empty() {
            return Some(Self { standard: (-west, standard), summer: None });
        }
        let (summer, rest) = word(rest)?;
        let (east, rest) = if rest.starts_with(',') { (3600 - west, rest) } else { clock(rest).map(|(west, rest)| (-west, rest))? };
        let mut turns = rest.strip_prefix(',')?.split(',').map(Turn::parse);
        Some(Self { standard: (-west, standard), summer: Some(((east, summer), turns.next()??, turns.next()??)) })
    }

    fn offset(&self, at: VirtualTime) -> Offset<'_> {
        let (east, word) = (self.standard.0, self.standard.1.as_str());
        let Some(((summer_east, summer_word), begins, ends)) = &self.summer else { return (east, word) };
        let year = VirtualTime(at.0.saturating_add_signed(east * 1_000_000)).civil().year;
        let now = at.secs() as i64;
        let (begins, ends) = (begins.local(year) - east, ends.local(year) - summer_east);
        let summer = if begins < ends { (begins..ends).contains(&now) } else { !(ends..begins).contains(&now) };
        if summer { (*summer_east, summer_word) } else { (east, word) }
    }
}

impl Turn {
    /// `M3.2.0/2`.
    fn parse(text: &str) -> Option<Self> {
        let (day, time) = text.split_once('/').unwrap_or((text, "2"));
        let mut parts = day.strip_prefix('M')?.split('.').map(|part| part.parse::<u32>().ok());
        let (month, week, weekday) = (parts.next()??, parts.next()??, parts.next()??);
        Some(Self { month, week, weekday, seconds: clock(time)?.0 })
    }

    /// Seconds since 1970 of the local clock.
    fn local(self, year: u32) -> i64 {
        let first = Civil { year, month: self.month, day: 1, hour: 0, minute: 0, second: 0, micros: 0, weekday: 0 };
        let first = VirtualTime(first.to_micros().unwrap_or_default());
        // Civil's week begins on Monday, a rule's on Sunday.
        let skip = (self.weekday + 7 - (first.civil().weekday + 1) % 7) % 7;
        let mut day = skip + (self.week - 1) * 7;
        while day >= days_in_month(year, self.month) {
            day -= 7;
        }
        first.secs() as i64 + i64::from(day) * 86_400 + self.seconds
    }
}

/// An abbreviation, `EST` or `<+03>`, and what follows.
fn word(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('<') {
        let (word, rest) = rest.split_once('>')?;
        return Some((word.to_owned(), rest));
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

/// `[-]HH[:MM[:SS]]` in seconds, and what follows.
fn clock(text: &str) -> Option<(i64, &str)> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.strip_prefix('+').unwrap_or(text)), |rest| (-1, rest));
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(digits.len());
    let mut seconds = 0;
    for (part, unit) in digits[..end].split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i64>().ok()? * unit;
    }
    Some((sign * seconds, &digits[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::parse_iso;

    fn there(zone: &str, at: &str) -> String {
        let zone = Zone::find(zone).expect("known");
        let at = parse_iso(at).expect("good");
        format!("{} {}", &zone.local(at).to_string()[..16], zone.offset(at).1)
    }

    #[test]
    fn clocks_change_when_they_do_there() {
        assert_eq!(there("America/New_York", "2019-03-10T06:59:59Z"), "2019-03-10T01:59 EST");
        assert_eq!(there("America/New_York", "2019-03-10T07:00:00Z"), "2019-03-10T03:00 EDT");
        assert_eq!(there("America/New_York", "2019-11-03T05:59:59Z"), "2019-11-03T01:59 EDT");
        assert_eq!(there("America/New_York", "2019-11-03T06:00:00Z"), "2019-11-03T01:00 EST");
        assert_eq!(there("Europe/Berlin", "2024-12-31T23:30:00Z"), "2025-01-01T00:30 CET");
        assert_eq!(there("Asia/Kolkata", "2019-09-08T20:00:00Z"), "2019-09-09T01:30 IST");
        assert_eq!(there("Australia/Sydney", "2020-01-01T00:00:00Z"), "2020-01-01T11:00 AEDT");
        assert_eq!(there("Australia/Sydney", "2020-07-01T00:00:00Z"), "2020-07-01T10:00 AEST");
        // Ireland's winter is the exception to its standard time.
        assert_eq!(there("Europe/Dublin", "2020-01-01T12:00:00Z"), "2020-01-01T12:00 GMT");
        assert_eq!(there("Europe/Dublin", "2020-07-01T12:00:00Z"), "2020-07-01T13:00 IST");
    }

    #[test]
    fn what_a_country_decided_differently_in_the_meantime_is_known() {
        assert_eq!(there("America/Sao_Paulo", "2018-12-01T12:00:00Z"), "2018-12-01T10:00 -02");
        assert_eq!(there("America/Sao_Paulo", "2019-12-01T12:00:00Z"), "2019-12-01T09:00 -03");
        assert_eq!(there("Africa/Cairo", "2019-07-01T12:00:00Z"), "2019-07-01T14:00 EET");
        assert_eq!(there("Africa/Cairo", "2024-07-01T12:00:00Z"), "2024-07-01T15:00 EEST");
        assert_eq!(there("Africa/Casablanca", "2019-05-20T12:00:00Z"), "2019-05-20T12:00 +00");
        assert_eq!(there("Africa/Casablanca", "2019-08-01T12:00:00Z"), "2019-08-01T13:00 +01");
    }

    #[test]
    fn every_line_of_the_table_is_read_and_nothing_else_is_known() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            for name in line.rsplit('|').next().expect("names").split(' ') {
                assert!(Zone::find(name).is_some(), "{name}");
            }
        }
        assert_eq!(Zone::find("Mars/Olympus"), None);
        assert_eq!(Zone::find(""), None);
        assert_eq!(Zone::find("2025b"), None);
    }
}
