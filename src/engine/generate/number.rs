//! Writing numbers without float noise, and instants in the formats that records use.

use crate::engine::time::VirtualTime;

/// To the nearest whole number, halves away from zero. Faster than the portable library's and as deterministic: one addition, one conversion.
#[inline]
pub fn round_half_away(value: f64) -> f64 {
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    if value.abs() >= WHOLE || value.is_nan() {
        return value;
    }
    ((value + if value < 0.0 { -0.5 } else { 0.5 }) as i64) as f64
}

const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Appends a whole number.
pub fn write_int(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    write_digits(value.unsigned_abs(), out);
}

/// Appends a whole number to a text.
pub fn push_int(value: i64, out: &mut String) {
    let mut digits = [0u8; 20];
    if value < 0 {
        out.push('-');
    }
    // Digits are ASCII.
    out.push_str(std::str::from_utf8(digits_of(value.unsigned_abs(), &mut digits)).unwrap_or_default());
}

/// 00 to 99.
const PAIRS: &[u8; 200] = {
    let mut pairs = [0u8; 200];
    let mut at = 0;
    while at < 100 {
        pairs[at * 2] = b'0' + (at / 10) as u8;
        pairs[at * 2 + 1] = b'0' + (at % 10) as u8;
        at += 1;
    }
    &{ pairs }
};

fn digits_of(mut value: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        buffer[at] = b'0' + value as u8;
    }
    &buffer[at..]
}

fn write_digits(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(digits_of(value, &mut [0u8; 20]));
}

/// Appends a number with at most `decimals` decimals, at least one, without trailing zeros: `2.5`, `10.0`, `-73.98765`.
pub fn write_decimal(value: f64, decimals: u32, out: &mut Vec<u8>) {
    let decimals = decimals.min(9) as usize;
    let scaled = round_half_away(value * POWERS[decimals]);
    if !scaled.is_finite() || scaled.abs() > 9e18 {
        out.extend_from_slice(if value.is_finite() { b"1e308" } else { b"null" });
        return;
    }
    let scaled = scaled as i64;
    let unit = UNITS[decimals];
    let magnitude = scaled.unsigned_abs();
    let (whole, fraction) = (magnitude / unit, (magnitude % unit) as u32);
    // Sign, at most 19 digits, point, nine digits.
    let mut text = [b'0'; 32];
    let mut digits = [0u8; 20];
    let whole = digits_of(whole, &mut digits);
    text[0] = b'-';
    let from = usize::from(scaled >= 0);
    let point = 1 + whole.len();
    text[1..point].copy_from_slice(whole);
    text[point] = b'.';
    let mut end = point + 2;
    if fraction > 0 {
        // Nine digits whatever `decimals` says; the rest are zeros and go with the other trailing ones.
        let mut rest = fraction * UNITS[9 - decimals] as u32;
        text[point + 9] = b'0' + (rest % 10) as u8;
        rest /= 10;
        for at in [7, 5, 3, 1] {
            let pair = (rest % 100) as usize * 2;
            rest /= 100;
            text[point + at..point + at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        }
        end = point + 1 + decimals;
        while text[end - 1] == b'0' {
            end -= 1;
        }
    }
    out.extend_from_slice(&text[from..end]);
}

const UNITS: [u64; 10] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// How an instant is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// `"2010-01-01T22:36:00Z"`.
    IsoSeconds,
    /// `"2010-01-01T22:36:00.000Z"`.
    IsoMillis,
    /// A number.
    EpochSeconds,
    /// A number.
    EpochMillis,
    /// A pattern of moment.js letters, as text.
    Moment(String),
}

impl TimeFormat {
    /// From the word of a lab file.
    pub fn parse(word: Option<&str>) -> Self {
        match word {
            None | Some("iso-seconds") => Self::IsoSeconds,
            Some("iso-millis") => Self::IsoMillis,
            Some("epoch-seconds") => Self::EpochSeconds,
            Some("epoch-millis") => Self::EpochMillis,
            Some(pattern) => Self::Moment(pattern.to_owned()),
        }
    }

    /// It is written as a JSON number.
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::EpochSeconds | Self::EpochMillis)
    }

    /// Appends the instant without quotes.
    pub fn write(&self, at: VirtualTime, out: &mut Vec<u8>) {
        match self {
            Self::EpochSeconds => write_digits(at.secs(), out),
            Self::EpochMillis => write_digits(at.millis(), out),
            Self::IsoSeconds | Self::IsoMillis => {
                let c = at.civil();
                let mut text = *b"0000-00-00T00:00:00.000Z";
                put(&mut text[0..4], c.year);
                put(&mut text[5..7], c.month);
                put(&mut text[8..10], c.day);
                put(&mut text[11..13], c.hour);
                put(&mut text[14..16], c.minute);
                put(&mut text[17..19], c.second);
                put(&mut text[20..23], c.micros / 1000);
                if *self == Self::IsoMillis {
                    out.extend_from_slice(&text);
                } else {
                    out.extend_from_slice(&text[..19]);
                    out.push(b'Z');
                }
            }
            Self::Moment(pattern) => write_moment(pattern, at, out),
        }
    }
}

fn put(digits: &mut [u8], mut value: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// moment.js letters: YYYY YY MMMM MMM MM M DD D dddd ddd HH H hh h mm m ss s SSS A a X x Z; `[text]` is literal.
fn write_moment(pattern: &str, at: VirtualTime, out: &mut Vec<u8>) {
    const MONTHS: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let c = at.civil();
    let hour12 = if c.hour.is_multiple_of(12) { 12 } else { c.hour % 12 };
    let month = MONTHS[(c.month as usize - 1).min(11)];
    let day = DAYS[(c.weekday as usize).min(6)];
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '['
            && let Some(end) = rest.find(']')
        {
            out.extend_from_slice(&rest.as_bytes()[1..end]);
            rest = &rest[end + 1..];
            continue;
        }
        let run = rest.chars().take_while(|c| *c == first).count();
        let (used, text) = match (first, run) {
            ('Y', 4..) => (4, format!("{:04}", c.year)),
            ('Y', 2..) => (2, format!("{:02}", c.year % 100)),
            ('M', 4..) => (4, month.to_owned()),
            ('M', 3) => (3, month[..3].to_owned()),
            ('M', 2) => (2, format!("{:02}", c.month)),
            ('M', 1) => (1, c.month.to_string()),
            ('D', 2..) => (2, format!("{:02}", c.day)),
            ('D', 1) => (1, c.day.to_string()),
            ('d', 4..) => (4, day.to_owned()),
            ('d', 3) => (3, day[..3].to_owned()),
            ('H', 2..) => (2, format!("{:02}", c.hour)),
            ('H', 1) => (1, c.hour.to_string()),
            ('h', 2..) => (2, format!("{hour12:02}")),
            ('h', 1) => (1, hour12.to_string()),
            ('m', 2..) => (2, format!("{:02}", c.minute)),
            ('m', 1) => (1, c.minute.to_string()),
            ('s', 2..) => (2, format!("{:02}", c.second)),
            ('s', 1) => (1, c.second.to_string()),
            ('S', 3..) => (3, format!("{:03}", c.micros / 1000)),
            ('A', _) => (1, if c.hour < 12 { "AM" } else { "PM" }.to_owned()),
            ('a', _) => (1, if c.hour < 12 { "am" } else { "pm" }.to_owned()),
            ('X', _) => (1, at.secs().to_string()),
            ('x', _) => (1, at.millis().to_string()),
            ('Z', 2..) => (2, "+0000".to_owned()),
            ('Z', _) => (1, "+00:00".to_owned()),
            _ => (1, first.to_string()),
        };
        out.extend_from_slice(text.as_bytes());
        rest = &rest[rest.char_indices().nth(used).map_or(rest.len(), |(at, _)| at)..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_no_noise() {
        let text = |value, decimals| {
            let mut out = Vec::new();
            write_decimal(value, decimals, &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(
            [text(0.1 + 0.2, 2), text(10.0, 1), text(-73.987_654_3, 6), text(0.05, 1), text(2.5, 0)],
            ["0.3", "10.0", "-73.987654", "0.1", "3.0"]
        );
        assert_eq!(text(f64::NAN, 2), "null");
    }

    #[test]
    fn instants_in_all_formats() {
        let at = crate::engine::time::parse_iso("2010-01-02T03:04:05.678Z").expect("a time");
        let text = |word: &str| {
            let mut out = Vec::new();
            TimeFormat::parse(Some(word)).write(at, &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(text("iso-seconds"), "2010-01-02T03:04:05Z");
        assert_eq!(text("iso-millis"), "2010-01-02T03:04:05.678Z");
        assert_eq!(text("epoch-millis"), "1262401445678");
        assert_eq!(text("YYYY-MM-DD HH:mm:ss.SSS"), "2010-01-02 03:04:05.678");
        assert_eq!(text("ddd D MMM YY h:mm A [at]"), "Sat 2 Jan 10 3:04 AM at");
    }
}
