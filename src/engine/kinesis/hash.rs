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
        Self::of_bytes(key.as_bytes())
    }

    /// MD5 of bytes, read as a big-endian number.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(u128::from_be_bytes(Md5::digest(bytes).into()))
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

/// Partition keys hashed at a time by [`hash_keys`].
pub const LANES: usize = 8;

const SHIFTS: [u32; 64] = [
    7, 12, 17, 22, 7, 12, 17, 22, 7, 12, 17, 22, 7, 12, 17, 22, 5, 9, 14, 20, 5, 9, 14, 20, 5, 9, 14, 20, 5, 9, 14, 20, 4, 11, 16, 23, 4, 11, 16, 23,
    4, 11, 16, 23, 4, 11, 16, 23, 6, 10, 15, 21, 6, 10, 15, 21, 6, 10, 15, 21, 6, 10, 15, 21,
];

/// floor(2^32 · |sin(i + 1)|), RFC 1321.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// Hashes keys of one MD5 block (at most 55 bytes) in lanes; longer keys go through the scalar path. The loops over lanes are written so
/// that the compiler turns them into vector instructions; a property test holds both paths equal.
pub fn hash_keys(keys: &[&[u8]; LANES]) -> [HashKey; LANES] {
    if keys.iter().any(|key| key.len() > 55) {
        return keys.map(|key| HashKey(u128::from_be_bytes(Md5::digest(key).into())));
    }
    let mut words = [[0u32; LANES]; 16];
    for (lane, key) in keys.iter().enumerate() {
        let mut block = [0u8; 64];
        block[..key.len()].copy_from_slice(key);
        block[key.len()] = 0x80;
        block[56..].copy_from_slice(&(key.len() as u64 * 8).to_le_bytes());
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            word[lane] = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }
    let start = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let (mut a, mut b, mut c, mut d) = ([start[0]; LANES], [start[1]; LANES], [start[2]; LANES], [start[3]; LANES]);
    macro_rules! rounds {
        ($range:expr, $word:expr, $mix:expr) => {
            for i in $range {
                let message = &words[$word(i) % 16];
                let mut next = [0u32; LANES];
                for lane in 0..LANES {
                    let mixed = $mix(b[lane], c[lane], d[lane]);
                    let sum = a[lane].wrapping_add(mixed).wrapping_add(SINES[i]).wrapping_add(message[lane]);
                    next[lane] = b[lane].wrapping_add(sum.rotate_left(SHIFTS[i]));
                }
                (a, d, c, b) = (d, c, b, next);
            }
        };
    }
    rounds!(0..16, |i: usize| i, |b: u32, c: u32, d: u32| (b & c) | (!b & d));
    rounds!(16..32, |i: usize| 5 * i + 1, |b: u32, c: u32, d: u32| (d & b) | (!d & c));
    rounds!(32..48, |i: usize| 3 * i + 5, |b: u32, c: u32, d: u32| b ^ c ^ d);
    rounds!(48..64, |i: usize| 7 * i, |b: u32, c: u32, d: u32| c ^ (b | !d));
    std::array::from_fn(|lane| {
        let digest = [a[lane], b[lane], c[lane], d[lane]];
        let mut bytes = [0u8; 16];
        for ((chunk, word), start) in bytes.chunks_exact_mut(4).zip(digest).zip(start) {
            chunk.copy_from_slice(&word.wrapping_add(start).to_le_bytes());
        }
        HashKey(u128::from_be_bytes(bytes))
    })
}

/// Finds the open shard of a hash in constant time: a table on the leading bits gives the first candidate, a short walk the shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShardMap {
    /// Last hash key of each open shard, rising, with the shard's number.
    ends: Vec<(u128, u32)>,
    /// For each value of the leading bits, the first entry of `ends` that can hold it.
    table: Vec<u32>,
    shift: u32,
}

impl ShardMap {
    /// From the last hash key and number of each open shard, in hash order.
    pub fn new(ends: Vec<(u128, u32)>) -> Self {
        let bits = (usize::BITS - ends.len().leading_zeros() + 2).min(14);
        let shift = 128 - bits;
        let mut table = Vec::with_capacity(1 << bits);
        let mut at = 0usize;
        for prefix in 0..(1u128 << bits) {
            while at + 1 < ends.len() && ends[at].0 < (prefix << shift) {
                at += 1;
            }
            table.push(at as u32);
        }
        Self { ends, table, shift }
    }

    /// The number of the shard that holds `hash`; `None` while there are no open shards.
    pub fn shard_of(&self, hash: HashKey) -> Option<u32> {
        let mut at = *self.table.get((hash.0 >> self.shift) as usize)? as usize;
        while self.ends.get(at)?.0 < hash.0 {
            at += 1;
        }
        Some(self.ends[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lanes_equal_the_scalar_path(keys in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), LANES)) {
            let refs: [&[u8]; LANES] = std::array::from_fn(|i| keys[i].as_slice());
            let lanes = hash_keys(&refs);
            for (key, hash) in keys.iter().zip(lanes) {
                prop_assert_eq!(u128::from_be_bytes(Md5::digest(key).into()), hash.0);
            }
        }

        #[test]
        fn the_map_equals_a_search(mut cuts in proptest::collection::vec(any::<u128>(), 0..200), hash: u128) {
            cuts.push(u128::MAX);
            cuts.sort_unstable();
            cuts.dedup();
            let ends: Vec<(u128, u32)> = cuts.iter().enumerate().map(|(i, end)| (*end, i as u32)).collect();
            let map = ShardMap::new(ends.clone());
            let expected = ends.iter().find(|(end, _)| hash <= *end).map(|(_, shard)| *shard);
            prop_assert_eq!(map.shard_of(HashKey(hash)), expected);
            for cut in cuts {
                let expected = ends.iter().find(|(end, _)| cut <= *end).map(|(_, shard)| *shard);
                prop_assert_eq!(map.shard_of(HashKey(cut)), expected);
            }
        }
    }

    #[test]
    fn known_partition_keys() {
        assert_eq!(HashKey::of_partition_key("a").to_string(), "16955237001963240173058271559858726497");
        assert_eq!(HashKey::of_partition_key("1").to_string(), "261578874264819908609102035485573088411");
    }
}
