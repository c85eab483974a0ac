//! Virtual time: integer microseconds, never a float, never the wall clock.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// An instant of virtual time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VirtualTime(pub u64);

/// A length of virtual time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VirtualDuration(pub u64);

/// Microseconds in one second.
pub const MICROS_PER_SECOND: u64 = 1_000_000;

impl VirtualDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// One virtual second.
    pub const SECOND: Self = Self(MICROS_PER_SECOND);

    /// From whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1000)
    }
    /// From whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * MICROS_PER_SECOND)
    }
    /// Microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0
    }
    /// Whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1000
    }
    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / MICROS_PER_SECOND
    }
    /// Seconds as a float, for display only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// The product, saturating.
    pub const fn saturating_mul(self, by: u64) -> Self {
        Self(self.0.saturating_mul(by))
    }
}

impl VirtualTime {
    /// From seconds since 1970.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * MICROS_PER_SECOND)
    }
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1000)
    }
    /// Whole seconds since 1970, rounded down.
    pub const fn secs(self) -> u64 {
        self.0 / MICROS_PER_SECOND
    }
    /// Whole milliseconds since 1970, rounded down.
    pub const fn millis(self) -> u64 {
        self.0 / 1000
    }
    /// How long after `earlier` this instant is; zero when it is not after it.
    pub const fn since(self, earlier: Self) -> VirtualDuration {
        VirtualDuration(self.0.saturating_sub(earlier.0))
    }
    /// The next whole second strictly after this instant.
    pub const fn next_second(self) -> Self {
        Self((self.0 / MICROS_PER_SECOND + 1) * MICROS_PER_SECOND)
    }
    /// Civil date and time in UTC.
    pub fn civil(self) -> Civil {
        Civil::from_micros(self.0)
    }
    /// `HH:MM:SS`.
    pub fn clock_text(self) -> String {
        let c = self.civil();
        format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second)
    }
    /// `HH:MM:SS.mmm`.
    pub fn clock_millis_text(self) -> String {
        let c = self.civil();
        format!("{:02}:{:02}:{:02}.{:03}", c.hour, c.minute, c.second, c.micros / 1000)
    }
}

impl Add<VirtualDuration> for VirtualTime {
    type Output = Self;
    fn add(self, by: VirtualDuration) -> Self {
        Self(self.0.saturating_add(by.0))
    }
}
impl AddAssign<VirtualDuration> for VirtualTime {
    fn add_assign(&mut self, by: VirtualDuration) {
        *self = *self + by;
    }
}
impl Sub<VirtualDuration> for VirtualTime {
    type Output = Self;
    fn sub(self, by: VirtualDuration) -> Self {
        Self(self.0.saturating_sub(by.0))
    }
}
impl Add for VirtualDuration {
    type Output = Self;
    fn add(self, by: Self) -> Self {
        Self(self.0.saturating_add(by.0))
    }
}
impl fmt::Display for VirtualTime {
    /// ISO 8601 in UTC with milliseconds: `2019-09-08T22:03:48.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second, c.micros / 1000)
    }
}

/// A date and time of day in UTC, proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year, 1970 and later.
    pub year: u32,
    /// 1–12.
    pub month: u32,
    /// 1–31.
    pub day: u32,
    /// 0–23.
    pub hour: u32,
    /// 0–59.
    pub minute: u32,
    /// 0–59.
    pub second: u32,
    /// 0–999,999.
    pub micros: u32,
    /// 0 = Monday … 6 = Sunday.
    pub weekday: u32,
}

impl Civil {
    /// From microseconds since 1970.
    pub fn from_micros(micros: u64) -> Self {
        let secs = micros / MICROS_PER_SECOND;
        let days = secs / 86_400;
        let rest = (secs % 86_400) as u32;
        // Days-to-civil after Howard Hinnant, for days since 1970-01-01.
        let z = days + 719_468;
        let era = z / 146_097;
        let doe = z % 146_097;
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        let year = (yoe + era * 400 + u64::from(month <= 2)) as u32;
        Self {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            micros: (micros % MICROS_PER_SECOND) as u32,
            weekday: ((days + 3) % 7) as u32,
        }
    }

    /// Microseconds since 1970, or `None` for a date that does not exist or lies before 1970.
    pub fn to_micros(self) -> Option<u64> {
        if self.year < 1970 || !(1..=12).contains(&self.month) || self.day == 0 || self.day > days_in_month(self.year, self.month) {
            return None;
        }
        if self.hour > 23 || self.minute > 59 || self.second > 59 || self.micros > 999_999 {
            return None;
        }
        let y = u64::from(self.year) - u64::from(self.month <= 2);
        let era = y / 400;
        let yoe = y % 400;
        let mp = u64::from(if self.month > 2 { self.month - 3 } else { self.month + 9 });
        let doy = (153 * mp + 2) / 5 + u64::from(self.day) - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        let days = era * 146_097 + doe - 719_468;
        let secs = days * 86_400 + u64::from(self.hour) * 3600 + u64::from(self.minute) * 60 + u64::from(self.second);
        Some(secs * MICROS_PER_SECOND + u64::from(self.micros))
    }
}

/// Days of a month; 0 for a month outside 1–12.
pub fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Reads ISO 8601: `2019-09-08`, `2019-09-08T22:03`, `…:48`, `…:48.123`, each with `Z`, `+hh:mm`, `-hhmm` or nothing (UTC);
/// a space may stand for the `T`. `None` for anything else.
pub fn parse_iso(text: &str) -> Option<VirtualTime> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let number = |p: Option<&str>, len: usize| p.filter(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_digit()))?.parse::<u32>().ok();
    let (year, month, day) = (number(parts.next(), 4)?, number(parts.next(), 2)?, number(parts.next(), 2)?);
    if parts.next().is_some() {
        return None;
    }
    let mut civil = Civil { year, month, day, hour: 0, minute: 0, second: 0, micros: 0, weekday: 0 };
    let mut offset_secs = 0i64;
    if !rest.is_empty() {
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let (clock, zone) = rest.split_at(zone_at);
        let (hms, fraction) = clock.split_once('.').map_or((clock, None), |(a, b)| (a, Some(b)));
        let mut parts = hms.split(':');
        civil.hour = number(parts.next(), 2)?;
        civil.minute = number(parts.next(), 2)?;
        if let Some(seconds) = parts.next() {
            civil.second = number(Some(seconds), 2)?;
        }
        if parts.next().is_some() {
            return None;
        }
        if let Some(fraction) = fraction {
            if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let mut digits = fraction.to_owned();
            digits.truncate(6);
            while digits.len() < 6 {
                digits.push('0');
            }
            civil.micros = digits.parse().ok()?;
        }
        offset_secs = match zone {
            "" | "Z" | "z" => 0,
            zone => {
                let sign = if zone.starts_with('-') { -1 } else { 1 };
                let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
                if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                let hours: i64 = digits[..2].parse().ok()?;
                let minutes: i64 = digits.get(2..4).map_or(Some(0), |m| m.parse().ok())?;
                sign * (hours * 3600 + minutes * 60)
            }
        };
    }
    let micros = i64::try_from(civil.to_micros()?).ok()?;
    u64::try_from(micros - offset_secs * 1_000_000).ok().map(VirtualTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_round_trips_over_four_centuries() {
        for days in (0..146_097u64).step_by(13) {
            let micros = days * 86_400 * MICROS_PER_SECOND + 12_345_678;
            assert_eq!(Civil::from_micros(micros).to_micros(), Some(micros), "day {days}");
        }
    }

    #[test]
    fn iso_forms_are_read() {
        let t = parse_iso("2019-09-08T22:03:48Z").expect("plain");
        assert_eq!(t.to_string(), "2019-09-08T22:03:48.000Z");
        assert_eq!(parse_iso("2019-09-09T00:03:48.000+02:00"), Some(t));
        assert_eq!(parse_iso("2019-09-08 22:03:48"), Some(t));
        assert_eq!(t.civil().weekday, 6, "a Sunday");
        for bad in ["", "2019", "2019-13-01", "2019-02-30", "2019-09-08T25:00", "2019-09-08T22:03:48.Z", "2019-09-08T22:03:48+1", "x2019-09-08"] {
            assert_eq!(parse_iso(bad), None, "{bad}");
        }
    }
}
