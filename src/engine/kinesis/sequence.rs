//! Sequence numbers in the layout of the real service: 47 hexadecimal digits written as 56 decimal ones.
//!
//! `2` | shard create time in seconds (9) | low nibble of the shard number (1) | counter (16) | `00` (2) | record time in seconds (9) |
//! shard number (8) | `2`. Numbers of one shard grow with the counter; a closed shard ends at counter 7fffffffffffffff.

use std::fmt;

/// The counter of a closed shard's EndingSequenceNumber.
pub const CLOSED_COUNTER: u64 = 0x7fff_ffff_ffff_ffff;

/// A sequence number, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber {
    /// When the shard was created, seconds since 1970.
    pub shard_created_secs: u64,
    /// Counter within the shard; 0 is the shard's StartingSequenceNumber.
    pub counter: u64,
    /// When the record arrived, seconds since 1970.
    pub record_secs: u64,
    /// Number of the shard within the stream.
    pub shard: u32,
}

const SECS_MASK: u64 = 0xf_ffff_ffff;

impl SequenceNumber {
    /// The number as three 64-bit limbs, least significant first (188 bits).
    fn limbs(self) -> [u64; 3] {
        // Digits from the right: 1 constant, 8 shard, 9 record time, 2 zero, 16 counter, 1 nibble, 9 create time, 1 constant.
        let low = 2u128 | (u128::from(self.shard) << 4) | (u128::from(self.record_secs & SECS_MASK) << 36);
        // The counter starts at bit 80.
        let low = low | (u128::from(self.counter) << 80); // 48 of its 64 bits fit below 128
        let high = (self.counter >> 48) | (u64::from(self.shard & 0xf) << 16) | ((self.shard_created_secs & SECS_MASK) << 20) | (2 << 56);
        [low as u64, (low >> 64) as u64, high]
    }

    /// Reads the decimal form. `None` for text that is no number of this layout.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() < 56 || text.len() > 57 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut limbs = [0u64; 3];
        for digit in text.bytes() {
            let mut carry = u128::from(digit - b'0');
            for limb in &mut limbs {
                let product = u128::from(*limb) * 10 + carry;
                *limb = product as u64;
                carry = product >> 64;
            }
            if carry != 0 {
                return None;
            }
        }
        let low = u128::from(limbs[0]) | (u128::from(limbs[1]) << 64);
        let high = limbs[2];
        if low & 0xf != 2 || high >> 56 != 2 || (low >> 72) & 0xff != 0 {
            return None;
        }
        let shard = ((low >> 4) & 0xffff_ffff) as u32;
        if (high >> 16) & 0xf != u64::from(shard & 0xf) {
            return None;
        }
        Some(Self {
            shard_created_secs: (high >> 20) & SECS_MASK,
            counter: ((low >> 80) as u64) | ((high & 0xffff) << 48),
            record_secs: ((low >> 36) as u64) & SECS_MASK,
            shard,
        })
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHUNK: u64 = 10_000_000_000_000_000_000; // 10^19
        let mut limbs = self.limbs();
        let mut chunks = [0u64; 3];
        for chunk in &mut chunks {
            let mut remainder = 0u128;
            for limb in limbs.iter_mut().rev() {
                let value = (remainder << 64) | u128::from(*limb);
                *limb = (value / u128::from(CHUNK)) as u64;
                remainder = value % u128::from(CHUNK);
            }
            *chunk = remainder as u64;
        }
        write!(f, "{}{:019}{:019}", chunks[2], chunks[1], chunks[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_known_numbers() {
        let first = SequenceNumber { shard_created_secs: 1_546_300_800, counter: 0, record_secs: 1_546_300_800, shard: 0 };
        assert_eq!(first.to_string(), "49591595869965788449679187979107026454306821315055583234");
        let second = SequenceNumber { counter: 1, record_secs: 1_546_300_805, ..first };
        assert_eq!(second.to_string(), "49591595869965788449679187979108235380126436287827673090");
    }

    proptest! {
        #[test]
        fn round_trip(created in 1_000_000_000u64..5_000_000_000, counter in 0u64..=CLOSED_COUNTER, secs in 1_000_000_000u64..5_000_000_000, shard: u32) {
            let number = SequenceNumber { shard_created_secs: created, counter, record_secs: secs, shard };
            prop_assert_eq!(SequenceNumber::parse(&number.to_string()), Some(number));
        }

        #[test]
        fn any_text_is_survived(text in "[0-9]{50,60}") {
            let _ = SequenceNumber::parse(&text);
        }
    }
}
