//! Who else reads the records that enter a delivery stream: SQL applications, and whoever wants samples of them.
//!
//! Reading takes nothing away: the counts of [`super::record::Tally`] know nothing of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::engine::time::{VirtualDuration, VirtualTime};

/// Newest records kept for samples.
const SAMPLES: usize = 100;
/// Records wait so long for a reader.
const KEPT: VirtualDuration = VirtualDuration::from_secs(24 * 3600);
/// Bytes that wait for a reader at most; then the oldest records go.
const WAITING_MAX: usize = 64 << 20;

/// A record as it entered.
#[derive(Debug, Clone)]
pub struct Tapped {
    /// When it entered the delivery stream.
    pub at: VirtualTime,
    /// Its bytes.
    pub data: Arc<[u8]>,
}

#[derive(Debug, Clone, Default)]
struct Reader {
    waiting: VecDeque<Tapped>,
    bytes: usize,
    missed: u64,
}

/// The readers of a delivery stream.
#[derive(Debug, Clone, Default)]
pub struct Taps {
    readers: BTreeMap<Arc<str>, Reader>,
    newest: VecDeque<Tapped>,
}

impl Taps {
    /// A record enters.
    pub(super) fn enter(&mut self, at: VirtualTime, data: &Arc<[u8]>) {
        if self.newest.len() == SAMPLES {
            self.newest.pop_front();
        }
        self.newest.push_back(Tapped { at, data: data.clone() });
        for reader in self.readers.values_mut() {
            reader.bytes += data.len();
            reader.waiting.push_back(Tapped { at, data: data.clone() });
            while reader.waiting.front().is_some_and(|oldest| reader.bytes > WAITING_MAX || at.since(oldest.at) > KEPT) {
                let gone = reader.waiting.pop_front().map_or(0, |gone| gone.data.len());
                reader.bytes -= gone;
                reader.missed += 1;
            }
        }
    }

    /// From now on records wait for a reader. Nothing changes for one that is known; `true` when it is new.
    pub fn attach(&mut self, reader: &Arc<str>) -> bool {
        if self.readers.contains_key(reader) {
            return false;
        }
        self.readers.insert(reader.clone(), Reader::default());
        true
    }

    /// A reader wants no more.
    pub fn detach(&mut self, reader: &str) {
        self.readers.remove(reader);
    }

    /// Forgets what waits for a reader: it begins with what comes next.
    pub fn skip(&mut self, reader: &str) {
        if let Some(reader) = self.readers.get_mut(reader) {
            *reader = Reader::default();
        }
    }

    /// What waits for a reader, oldest first.
    pub fn take(&mut self, reader: &str) -> Vec<Tapped> {
        let Some(reader) = self.readers.get_mut(reader) else { return Vec::new() };
        reader.bytes = 0;
        reader.waiting.drain(..).collect()
    }

    /// When the oldest record that waits for a reader came.
    pub fn oldest(&self, reader: &str) -> Option<VirtualTime> {
        self.readers.get(reader)?.waiting.front().map(|record| record.at)
    }

    /// Records that went before their reader took them.
    pub fn missed(&self, reader: &str) -> u64 {
        self.readers.get(reader).map_or(0, |reader| reader.missed)
    }

    /// The newest records since an instant, oldest first.
    pub fn samples(&self, since: VirtualTime) -> Vec<Tapped> {
        self.newest.iter().filter(|record| record.at >= since).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_gets_what_came_since_it_attached_and_the_oldest_goes_first() {
        let mut taps = Taps::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let at = VirtualTime::from_secs;
        let record = |text: &str| -> Arc<[u8]> { text.as_bytes().into() };
        taps.enter(at(1), &record("before"));
        assert!(taps.attach(&a));
        taps.enter(at(2), &record("one"));
        assert!(taps.attach(&b) && !taps.attach(&a));
        taps.enter(at(3), &record("two"));
        let texts = |taken: Vec<Tapped>| taken.iter().map(|record| String::from_utf8_lossy(&record.data).into_owned()).collect::<Vec<_>>();
        assert_eq!(texts(taps.take("a")), ["one", "two"]);
        assert_eq!((taps.take("a").len(), taps.oldest("b")), (0, Some(at(3))));
        taps.enter(at(4 + 24 * 3600), &record("a day later"));
        assert_eq!((texts(taps.take("b")), taps.missed("b")), (vec!["a day later".to_owned()], 1));
        assert_eq!(texts(taps.samples(at(2))).len(), 3);
        taps.detach("a");
        taps.enter(at(90_000), &record("unread"));
        assert!(taps.take("a").is_empty());
    }
}
