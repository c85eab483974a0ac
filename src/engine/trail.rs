//! One record followed on its way: who read it, what became of it, in which object it lies.
//!
//! Following is looking, not acting: it changes nothing of the world, is in no journal and no log. A session that begins to follow a record goes
//! back to before it arrived and lets the world pass again, so the trail is whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::time::VirtualTime;
use super::view::RecordView;

/// Steps of a trail at most: readers that read again and again do not fill it.
const STEPS_MAX: usize = 60;

/// A record to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Stream.
    pub stream: Arc<str>,
    /// Shard number.
    pub shard: u32,
    /// Its place in the shard's log.
    pub counter: u64,
    /// When it arrived.
    pub arrived: VirtualTime,
    sequence: String,
    data: Arc<[u8]>,
}

impl Followed {
    /// The record at a place of a shard's log.
    pub(super) fn new(stream: Arc<str>, shard: u32, counter: u64, arrived: VirtualTime, sequence: String, data: &[u8]) -> Self {
        Self { stream, shard, counter, arrived, sequence, data: data.trim_ascii_end().into() }
    }
}

/// A station of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrailStep {
    /// When.
    pub at: VirtualTime,
    /// Where: `stream clicks`, `delivery stream clicks-to-s3` …
    pub place: String,
    /// What happened.
    pub text: String,
}

/// A record and its stations so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrailView {
    /// Its stream and shard.
    pub from: String,
    /// The record.
    pub record: RecordView,
    /// Stations, oldest first.
    pub steps: Vec<TrailStep>,
}

/// The trail of the record being followed, if one is.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    followed: Option<Followed>,
    steps: Vec<TrailStep>,
    /// Its number within each delivery stream that it entered.
    entered: Vec<(Arc<str>, u64)>,
    /// Objects it lies in that are not written yet: bucket and key.
    objects: Vec<(String, String)>,
}

impl Trail {
    /// Follows a record from now on, or none.
    pub(super) fn follow(&mut self, followed: Option<Followed>) {
        *self = Self { followed, ..Self::default() };
    }

    /// The record being followed.
    pub fn followed(&self) -> Option<&Followed> {
        self.followed.as_ref()
    }

    /// Stations so far.
    pub(super) fn steps(&self) -> &[TrailStep] {
        &self.steps
    }

    /// A station; the same one again is not told twice.
    pub(super) fn note(&mut self, at: VirtualTime, place: String, text: String) {
        if self.steps.len() < STEPS_MAX && !self.steps.iter().any(|step| step.place == place && step.text == text) {
            self.steps.push(TrailStep { at, place, text });
        }
    }

    /// The record is among those from one place of a shard's log up to another.
    pub(super) fn in_range(&self, stream: &str, shard: u32, first: u64, next: u64) -> bool {
        self.followed
            .as_ref()
            .is_some_and(|followed| followed.shard == shard && (first..next).contains(&followed.counter) && *followed.stream == *stream)
    }

    /// A record that enters a delivery stream is the one: by its sequence number, or by its bytes when a function or a program handed it on.
    pub(super) fn is(&self, sequence: Option<&str>, data: &[u8]) -> bool {
        self.followed.as_ref().is_some_and(|followed| match sequence {
            Some(sequence) => sequence == followed.sequence,
            None => *data.trim_ascii_end() == *followed.data,
        })
    }

    /// It has this number within a delivery stream.
    pub(super) fn enter(&mut self, delivery: &Arc<str>, id: u64) {
        self.entered.push((delivery.clone(), id));
    }

    /// A record of a delivery stream is the one.
    pub(super) fn holds(&self, delivery: &str, id: u64) -> bool {
        self.followed.is_some() && self.entered.iter().any(|(name, known)| *known == id && **name == *delivery)
    }

    /// It lies in an object that will be written.
    pub(super) fn packed(&mut self, bucket: &str, key: &str) {
        self.objects.push((bucket.to_owned(), key.to_owned()));
    }

    /// An object that it lies in.
    pub(super) fn lies_in(&self, bucket: &str, key: &str) -> bool {
        self.objects.iter().any(|(b, k)| b == bucket && k == key)
    }
}
