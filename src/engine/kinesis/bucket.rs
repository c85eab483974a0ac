//! A continuous token bucket on virtual time, exact: levels are millionths of a token, so that the refill of any number of
//! microseconds is a whole number and the order of look-ups never changes the outcome.

use crate::engine::time::VirtualTime;

const MICRO: i64 = 1_000_000;

/// Tokens that flow in at a constant rate up to one second's worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBucket {
    rate_per_second: i64,
    capacity_micro: i64,
    level_micro: i64,
    refilled_at: VirtualTime,
}

impl TokenBucket {
    /// A full bucket of `rate_per_second` tokens.
    pub fn full(rate_per_second: u64, now: VirtualTime) -> Self {
        let rate = i64::try_from(rate_per_second).unwrap_or(i64::MAX / MICRO).min(i64::MAX / MICRO);
        Self { rate_per_second: rate, capacity_micro: rate * MICRO, level_micro: rate * MICRO, refilled_at: now }
    }

    /// Lets the tokens of the time since the last call flow in.
    pub fn refill(&mut self, now: VirtualTime) {
        let elapsed = now.since(self.refilled_at).0;
        if elapsed > 0 {
            // An hour fills any bucket: the clamp keeps the product in range.
            let elapsed = elapsed.min(3_600_000_000) as i64;
            self.level_micro = self.level_micro.saturating_add(elapsed.saturating_mul(self.rate_per_second)).min(self.capacity_micro);
            self.refilled_at = now;
        }
    }

    /// Whole tokens now in the bucket; 0 when it is overdrawn.
    pub fn available(&self) -> u64 {
        u64::try_from(self.level_micro / MICRO).unwrap_or(0)
    }

    /// There is room for `tokens`. More than a full bucket passes only from a full bucket (it then goes negative).
    pub fn admits(&self, tokens: u64) -> bool {
        let wanted = (tokens as i64).saturating_mul(MICRO);
        self.level_micro >= wanted.min(self.capacity_micro)
    }

    /// Takes tokens that [`Self::admits`] allowed.
    pub fn take(&mut self, tokens: u64) {
        self.level_micro -= (tokens as i64).saturating_mul(MICRO);
    }

    /// When `tokens` will be admitted if nothing else is taken.
    pub fn admits_at(&self, tokens: u64) -> VirtualTime {
        let wanted = (tokens as i64).saturating_mul(MICRO).min(self.capacity_micro);
        let missing = (wanted - self.level_micro).max(0);
        let micros = if self.rate_per_second == 0 { u64::MAX / 2 } else { (missing as u64).div_ceil(self.rate_per_second as u64) };
        VirtualTime(self.refilled_at.0.saturating_add(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refill_does_not_depend_on_the_steps() {
        let start = VirtualTime::from_secs(10);
        let mut coarse = TokenBucket::full(1000, start);
        let mut fine = coarse.clone();
        coarse.take(1000);
        fine.take(1000);
        for step in 1..=333_333u64 {
            fine.refill(VirtualTime(start.0 + step));
        }
        coarse.refill(VirtualTime(start.0 + 333_333));
        assert_eq!(coarse, fine);
        assert_eq!(coarse.available(), 333);
    }

    #[test]
    fn a_large_record_drains_below_zero_and_blocks_until_paid() {
        let start = VirtualTime::from_secs(10);
        let mut bucket = TokenBucket::full(1 << 20, start);
        assert!(bucket.admits(10 << 20), "from a full bucket");
        bucket.take(10 << 20);
        assert!(!bucket.admits(1));
        assert_eq!(bucket.admits_at(1).since(start).as_secs(), 9, "nine seconds of debt and a little more");
        bucket.refill(VirtualTime::from_secs(20));
        assert!(bucket.admits(1 << 20));
    }
}
