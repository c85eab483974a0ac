//! Which partition keys are frequent: a small sketch (Misra–Gries) of the hashes of the last ten to twenty seconds. It holds the counter
//! of one record per key, so that the key's text can be read from the log only when somebody looks.

use crate::engine::time::VirtualTime;

use super::hash::HashKey;

const SLOTS: usize = 6;
const WINDOW_SECS: u64 = 10;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: HashKey,
    hits: u32,
    counter: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    index: u64,
    slots: [Slot; SLOTS],
    seen: u32,
}

/// The sketch of one shard.
#[derive(Debug, Clone, Default)]
pub struct HotKeys {
    current: Window,
    previous: Window,
}

impl HotKeys {
    /// Notes an accepted record.
    pub fn note(&mut self, now: VirtualTime, hash: HashKey, counter: u64) {
        let index = now.secs() / WINDOW_SECS;
        if self.current.index != index {
            self.previous =
                if self.current.index + 1 == index { self.current } else { Window { index: index.saturating_sub(1), ..Window::default() } };
            self.current = Window { index, ..Window::default() };
        }
        let window = &mut self.current;
        window.seen += 1;
        let mut free = None;
        for (at, slot) in window.slots.iter_mut().enumerate() {
            if slot.hits > 0 && slot.hash == hash {
                slot.hits += 1;
                slot.counter = counter;
                return;
            }
            if slot.hits == 0 {
                free = Some(at);
            }
        }
        match free {
            Some(at) => window.slots[at] = Slot { hash, hits: 1, counter },
            None => window.slots.iter_mut().for_each(|slot| slot.hits -= 1),
        }
    }

    /// The most frequent key as (counter of one of its records, least share in permille), when it carries at least a tenth of the load.
    pub fn hottest(&self, now: VirtualTime) -> Option<(u64, u32)> {
        let index = now.secs() / WINDOW_SECS;
        let window = [&self.current, &self.previous].into_iter().find(|w| w.seen >= 50 && (w.index == index || w.index + 1 == index))?;
        let best = window.slots.iter().max_by_key(|slot| (slot.hits, slot.hash))?;
        let permille = (u64::from(best.hits) * 1000 / u64::from(window.seen)) as u32;
        (permille >= 100).then_some((best.counter, permille))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_most_of_the_load_is_found_and_even_load_is_not() {
        let now = VirtualTime::from_secs(1000);
        let mut skewed = HotKeys::default();
        let mut even = HotKeys::default();
        for i in 0..1000u64 {
            let spread = HashKey(u128::from(i) * 7919 + 1);
            even.note(now, spread, i);
            skewed.note(now, if i % 10 < 6 { HashKey(5) } else { spread }, i);
        }
        let (counter, permille) = skewed.hottest(now).expect("hot");
        assert_eq!(counter, 995);
        assert!((400..=600).contains(&permille), "{permille}");
        assert_eq!(even.hottest(now), None);
        assert_eq!(skewed.hottest(VirtualTime::from_secs(1100)), None, "long ago");
    }
}
