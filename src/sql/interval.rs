//! Intervals: qualifiers, literals, text form. A day-time value is milliseconds, a year-month value is months.

use std::fmt;

/// A field of a date, time or interval, coarse to fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// YEAR.
    Year,
    /// MONTH.
    Month,
    /// DAY.
    Day,
    /// HOUR.
    Hour,
    /// MINUTE.
    Minute,
    /// SECOND.
    Second,
}

impl Unit {
    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "YEAR" => Self::Year,
            "MONTH" => Self::Month,
            "DAY" => Self::Day,
            "HOUR" => Self::Hour,
            "MINUTE" => Self::Minute,
            "SECOND" => Self::Second,
            _ => return None,
        })
    }

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Year => "YEAR",
            Self::Month => "MONTH",
            Self::Day => "DAY",
            Self::Hour => "HOUR",
            Self::Minute => "MINUTE",
            Self::Second => "SECOND",
        }
    }

    /// Milliseconds of a day-time unit, months of a year-month unit.
    pub const fn size(self) -> i64 {
        match self {
            Self::Year => 12,
            Self::Month => 1,
            Self::Day => 86_400_000,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
            Self::Second => 1000,
        }
    }
}

/// `DAY(3) TO SECOND(3)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qualifier {
    /// Leading field.
    pub from: Unit,
    /// Last field.
    pub to: Unit,
    /// Digits of the leading field.
    pub precision: u8,
    /// Digits of a fraction of seconds.
    pub fraction: u8,
}

impl Qualifier {
    /// A qualifier with default precisions.
    pub const fn new(from: Unit, to: Unit) -> Self {
        Self { from, to, precision: 2, fraction: 3 }
    }

    /// YEAR, MONTH or YEAR TO MONTH.
    pub fn is_year_month(self) -> bool {
        self.from <= Unit::Month
    }

    /// From the coarser start to the finer end.
    pub fn cover(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            precision: self.precision.max(other.precision),
            fraction: self.fraction.max(other.fraction),
        }
    }

    /// A value without what is finer than the last field.
    pub fn trim(self, value: i64) -> i64 {
        if self.to == Unit::Second { value } else { value / self.to.size() * self.to.size() }
    }

    /// Reads the text of a literal.
    ///
    /// # Errors
    /// What does not fit the qualifier.
    pub fn parse(self, text: &str) -> Result<i64, String> {
        let wrong = || format!("'{text}' is no interval of {self}; expected {}", self.example());
        let text_trimmed = text.trim();
        let (sign, body) = match text_trimmed.strip_prefix(['-', '+']) {
            Some(rest) => (if text_trimmed.starts_with('-') { -1 } else { 1 }, rest),
            None => (1, text_trimmed),
        };
        let mut rest = body;
        let mut total: i64 = 0;
        let mut unit = self.from;
        loop {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 || digits > 18 {
                return Err(wrong());
            }
            let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
            rest = &rest[digits..];
            if unit == self.from {
                if number >= 10_i64.pow(u32::from(self.precision)) {
                    return Err(format!("{number} has more than the {} digits of {self}; write {}({digits})", self.precision, self.from.word()));
                }
            } else {
                let limit = match unit {
                    Unit::Month => 12,
                    Unit::Hour => 24,
                    _ => 60,
                };
                if number >= limit || digits > 2 {
                    return Err(format!("{number} is too large for {} in an interval of {self}", unit.word()));
                }
            }
            total = number.checked_mul(unit.size()).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
            if unit == self.to {
                break;
            }
            let (separator, next) = match unit {
                Unit::Year => ('-', Unit::Month),
                Unit::Day => (' ', Unit::Hour),
                Unit::Hour => (':', Unit::Minute),
                Unit::Minute => (':', Unit::Second),
                Unit::Month | Unit::Second => return Err(wrong()),
            };
            rest = rest.strip_prefix(separator).ok_or_else(wrong)?;
            unit = next;
        }
        if let Some(fraction) = rest.strip_prefix('.').filter(|_| self.to == Unit::Second) {
            let count = fraction.len();
            if count == 0 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(wrong());
            }
            let millis: i64 = format!("{fraction:0<3}")[..3].parse().map_err(|_| wrong())?;
            total += millis;
            rest = "";
        }
        if rest.is_empty() { Ok(sign * total) } else { Err(wrong()) }
    }

    fn example(self) -> &'static str {
        match (self.from, self.to) {
            (Unit::Year, Unit::Month) => "'1-2'",
            (Unit::Day, Unit::Hour) => "'1 2'",
            (Unit::Day, Unit::Minute) => "'1 2:03'",
            (Unit::Day, Unit::Second) => "'1 2:03:04'",
            (Unit::Hour, Unit::Minute) => "'1:02'",
            (Unit::Hour, Unit::Second) => "'1:02:03'",
            (Unit::Minute, Unit::Second) => "'1:02'",
            _ => "a number such as '1'",
        }
    }

    /// The text form: sign, leading field unpadded, later fields of two digits, a fraction when there is one.
    pub fn text(self, value: i64) -> String {
        let mut out = String::from(if value < 0 { "-" } else { "+" });
        let mut rest = value.unsigned_abs();
        let mut unit = self.from;
        loop {
            let size = unit.size() as u64;
            let (number, left) = (rest / size, rest % size);
            if unit == self.from {
                out.push_str(&number.to_string());
            } else {
                out.push_str(&format!("{number:02}"));
            }
            rest = left;
            if unit == self.to {
                break;
            }
            let (separator, next) = match unit {
                Unit::Year => ('-', Unit::Month),
                Unit::Day => (' ', Unit::Hour),
                Unit::Hour => (':', Unit::Minute),
                _ => (':', Unit::Second),
            };
            out.push(separator);
            unit = next;
        }
        if self.to == Unit::Second && rest > 0 {
            out.push_str(format!(".{rest:03}").trim_end_matches('0'));
        }
        out
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.from.word())?;
        if self.to != self.from {
            write!(f, " TO {}", self.to.word())?;
        }
        Ok(())
    }
}
