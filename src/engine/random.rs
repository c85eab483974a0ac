//! Keyed randomness.
/// t
pub fn mix(x: u64) -> u64 { x }
