//! The test's own choices: a small generator that gives the same numbers on every machine.

#![allow(dead_code, reason = "each test file uses a part of it")]

use kinlab::engine::random::mix;

#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// Less than `sides`, which is at least one.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0) % sides
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len() as u64) as usize]
    }
}
