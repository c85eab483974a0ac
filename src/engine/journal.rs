//! Everything that happened, in order: typed events with a chained hash, so that two runs can be compared by one number.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::time::VirtualTime;
use super::view::{JournalRow, JournalView};

/// Events of one shared chunk.
const CHUNK: usize = 256;
/// Chunks kept in memory; older events are only counted and hashed.
const CHUNKS_KEPT: usize = 400;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the journal from 0.
    pub sequence: u64,
    /// When.
    pub at: VirtualTime,
    /// The resource it is about: `stream clicks`, `producer replay`, `world`.
    pub resource: String,
    /// One word of the vocabulary: `created`, `active`, `throttled`, `resharded`, `read` …
    pub kind: String,
    /// The sentence.
    pub text: String,
    /// Something was refused or went wrong.
    pub alarm: bool,
}

/// The append-only list of events.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    full: Vec<Arc<[Event]>>,
    open: Vec<Event>,
    dropped: u64,
    total: u64,
    drained: u64,
    hash: [u8; 32],
}

impl Journal {
    /// Appends an event.
    pub fn push(&mut self, at: VirtualTime, resource: impl Into<String>, kind: &str, text: impl Into<String>, alarm: bool) {
        let event = Event { sequence: self.total, at, resource: resource.into(), kind: kind.to_owned(), text: text.into(), alarm };
        let mut hasher = Sha256::new();
        hasher.update(self.hash);
        hasher.update(at.0.to_le_bytes());
        for part in [&event.resource, &event.kind, &event.text] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update([u8::from(alarm)]);
        self.hash = hasher.finalize().into();
        self.total += 1;
        self.open.push(event);
        if self.open.len() == CHUNK {
            self.full.push(std::mem::take(&mut self.open).into());
            if self.full.len() > CHUNKS_KEPT {
                self.full.remove(0);
                self.dropped += CHUNK as u64;
            }
        }
    }

    /// Events since the start.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The chained SHA-256 of all events, in hex.
    pub fn hash_hex(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Events still in memory, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(self.open.iter())
    }

    /// Events that were not drained yet, oldest first.
    pub fn drain(&mut self) -> Vec<Event> {
        let from = self.drained.max(self.dropped);
        self.drained = self.total;
        let mut events: Vec<Event> = self.events().rev().take_while(|event| event.sequence >= from).cloned().collect();
        events.reverse();
        events
    }

    /// The newest rows that hold `filter`.
    pub fn view(&self, rows: usize, filter: Option<&str>) -> JournalView {
        let filter = filter.map(str::to_lowercase).filter(|text| !text.is_empty());
        let matches = |event: &&Event| {
            filter.as_ref().is_none_or(|wanted| {
                event.text.to_lowercase().contains(wanted) || event.resource.to_lowercase().contains(wanted) || event.kind.contains(wanted.as_str())
            })
        };
        let mut newest: Vec<JournalRow> = self.events().rev().filter(matches).take(rows).map(row).collect();
        newest.reverse();
        let matching = if filter.is_some() { self.events().filter(matches).count() as u64 } else { self.total };
        JournalView { rows: newest, matching, total: self.total }
    }
}

fn row(event: &Event) -> JournalRow {
    JournalRow {
        sequence: event.sequence,
        at: event.at,
        resource: event.resource.clone(),
        kind: event.kind.clone(),
        text: event.text.clone(),
        alarm: event.alarm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_every_part_and_the_view_is_honest() {
        let write = |texts: &[&str]| {
            let mut journal = Journal::default();
            for text in texts {
                journal.push(VirtualTime(5), "stream a", "created", *text, false);
            }
            journal
        };
        assert_eq!(write(&["x", "y"]).hash_hex(), write(&["x", "y"]).hash_hex());
        assert_ne!(write(&["x", "y"]).hash_hex(), write(&["xy", ""]).hash_hex());
        let many: Vec<String> = (0..1000).map(|i| format!("line {i}")).collect();
        let mut journal = write(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let view = journal.view(3, Some("LINE 99"));
        assert_eq!(view.rows.iter().map(|r| r.text.as_str()).collect::<Vec<_>>(), ["line 997", "line 998", "line 999"]);
        assert_eq!((view.matching, view.total), (11, 1000));
        assert_eq!(journal.drain().len(), 1000);
        assert!(journal.drain().is_empty());
    }
}
