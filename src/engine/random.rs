//! Keyed randomness.
