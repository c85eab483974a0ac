//! The hash space: MD5 of a partition key as a 128-bit number, and fast lookup of the shard that holds it.

use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point of the hash space 0 … 2^128−1. Written as decimal text everywhere outside the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HashKey(pub u128);

impl HashKey {
    /// The first point.
    pub const MIN: Self = Self(0);
    /// The last point, 2^128−1.
    pub const MAX: Self = Self(u128::MAX);

    /// MD5 of the UTF-8 bytes of a partition key, read as a big-endian number.
    pub fn of_partition_key(key: &str) -> Self {
        Self(u128::from_be_bytes(Md5::digest(key.as_bytes()).into()))
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for HashKey {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for HashKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HashKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_partition_keys() {
        assert_eq!(HashKey::of_partition_key("a").to_string(), "16955237001963240173058271559858726497");
        assert_eq!(HashKey::of_partition_key("1").to_string(), "261578874264819908609102035485573088411");
    }
}
