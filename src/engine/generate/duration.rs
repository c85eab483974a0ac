//! Durations as lab files write them: a number with a unit, several in a row, nothing else.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::time::VirtualDuration;

/// A duration with units: `90s`, `6m12s`, `24h`, `100ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dur(pub VirtualDuration);

impl Dur {
    /// The duration.
    pub const fn get(self) -> VirtualDuration {
        self.0
    }
}

impl FromStr for Dur {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const HELP: &str = "write 90s, 6m12s, 24h or 100ms";
        let mut micros = 0u64;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(format!("an empty duration: {HELP}"));
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let unit_len = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            if number.is_empty() {
                return Err(format!("'{text}' is no duration: {HELP}"));
            }
            let scale: u64 = match unit {
                "us" => 1,
                "ms" => 1000,
                "s" => 1_000_000,
                "m" => 60_000_000,
                "h" => 3_600_000_000,
                "d" => 86_400_000_000,
                "" => return Err(format!("'{text}' has no unit: {HELP}")),
                other => return Err(format!("'{text}' has the unknown unit '{other}': {HELP}")),
            };
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            let whole: u64 = whole.parse().map_err(|_| format!("'{text}' is no duration: {HELP}"))?;
            let mut part = whole.checked_mul(scale).ok_or_else(|| format!("'{text}' is too long"))?;
            let mut place = scale;
            for digit in fraction.bytes() {
                if !digit.is_ascii_digit() {
                    return Err(format!("'{text}' is no duration: {HELP}"));
                }
                place /= 10;
                part += place * u64::from(digit - b'0');
            }
            micros = micros.checked_add(part).ok_or_else(|| format!("'{text}' is too long"))?;
            rest = tail;
        }
        Ok(Self(VirtualDuration(micros)))
    }
}

impl fmt::Display for Dur {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.0;
        if left == 0 {
            return f.write_str("0s");
        }
        for (unit, scale) in [("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1)] {
            if left >= scale {
                write!(f, "{}{unit}", left / scale)?;
                left %= scale;
            }
        }
        Ok(())
    }
}

impl Serialize for Dur {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Dur {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Dur;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration with a unit, such as \"90s\", \"6m12s\", \"24h\" or \"100ms\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Dur, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_required_and_add_up() {
        for (text, micros) in
            [("90s", 90_000_000), ("6m12s", 372_000_000), ("24h", 86_400_000_000), ("100ms", 100_000), ("1.5s", 1_500_000), ("0s", 0)]
        {
            assert_eq!(text.parse::<Dur>().map(|d| d.0.0), Ok(micros), "{text}");
        }
        assert_eq!("120".parse::<Dur>(), Err("'120' has no unit: write 90s, 6m12s, 24h or 100ms".to_owned()));
        for bad in ["", "s", "5 s", "1x", "-1s", "1..s", "999999999999d"] {
            assert!(bad.parse::<Dur>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for micros in [1, 999, 1_000_000, 61_000_000, 3_725_250_000] {
            let duration = Dur(VirtualDuration(micros));
            assert_eq!(duration.to_string().parse(), Ok(duration));
        }
    }
}
