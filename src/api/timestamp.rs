//! `Timestamp`: an instant in milliseconds, written as seconds with up to three decimals.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The farthest instant from 1970 that is read, in ms: up to here a float of seconds keeps milliseconds apart.
const FARTHEST_MILLIS: i64 = 1 << 50;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. In JSON a plain decimal number of seconds, never with an exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since 1970, saturating.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// From seconds as a float, rounded to the nearest millisecond; `None` when it lies more than some 35,000 years from 1970.
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let millis = libm::round(secs * 1000.0);
        (millis.abs() <= FARTHEST_MILLIS as f64).then_some(Self(millis as i64))
    }

    /// From whole seconds read from a text; `None` as for [`Timestamp::from_secs_f64`].
    fn checked_from_secs(secs: i64) -> Option<Self> {
        secs.checked_mul(1000).filter(|millis| millis.abs() <= FARTHEST_MILLIS).map(Self)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 { serializer.serialize_i64(self.0 / 1000) } else { serializer.serialize_f64(self.0 as f64 / 1000.0) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;
        impl Visitor<'_> for Seconds {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds since 1970")
            }
            fn visit_i64<E: Error>(self, secs: i64) -> Result<Timestamp, E> {
                Timestamp::checked_from_secs(secs).ok_or_else(|| E::custom("not an instant"))
            }
            fn visit_u64<E: Error>(self, secs: u64) -> Result<Timestamp, E> {
                self.visit_i64(i64::try_from(secs).unwrap_or(i64::MAX))
            }
            fn visit_f64<E: Error>(self, secs: f64) -> Result<Timestamp, E> {
                Timestamp::from_secs_f64(secs).ok_or_else(|| E::custom("not an instant"))
            }
        }
        deserializer.deserialize_any(Seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_decimals_never_exponents() {
        for (millis, text) in [
            (1_546_300_805_123, "1546300805.123"),
            (1_546_300_805_000, "1546300805"),
            (0, "0"),
            (1, "0.001"),
            (-1500, "-1.5"),
            (1_546_300_805_100, "1546300805.1"),
        ] {
            let json = serde_json::to_string(&Timestamp(millis)).expect("writes");
            assert_eq!(json, text);
            assert_eq!(serde_json::from_str::<Timestamp>(&json).expect("reads"), Timestamp(millis));
        }
        assert!(!serde_json::to_string(&Timestamp(i64::MAX)).expect("writes").contains('e'));
    }

    #[test]
    fn other_spellings_are_read() {
        for (text, millis) in [("1546300805.0", 1_546_300_805_000), ("1.546300805123E9", 1_546_300_805_123), ("1.0004", 1000), ("1.0006", 1001)] {
            assert_eq!(serde_json::from_str::<Timestamp>(text).expect("reads"), Timestamp(millis), "{text}");
        }
        assert!(serde_json::from_str::<Timestamp>("\"x\"").is_err());
        assert!(serde_json::from_str::<Timestamp>("1e300").is_err());
    }
}
