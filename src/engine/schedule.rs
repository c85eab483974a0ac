//! What will happen when: the one queue of the world, ordered by (instant, rank, sequence).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::time::VirtualTime;

/// Something that wakes at an instant. The order of the variants is the rank at equal instants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// A producer's next batch. The number guards against wake-ups of an earlier start.
    Producer {
        /// Index of the producer.
        producer: usize,
        /// Start number.
        run: u32,
    },
    /// A stream finishes CREATING, UPDATING or DELETING.
    Stream {
        /// Stream name.
        stream: Arc<str>,
        /// Incarnation of the stream, so that a re-created stream does not take it.
        incarnation: u64,
    },
    /// A fan-out consumer finishes CREATING or DELETING.
    FanoutConsumer {
        /// Stream name.
        stream: Arc<str>,
        /// Incarnation of the stream.
        incarnation: u64,
        /// Consumer name.
        consumer: Arc<str>,
    },
    /// Alarms look at their metrics once a minute.
    Alarms,
    /// On-demand streams look at their load once a minute.
    OnDemand {
        /// Stream name.
        stream: Arc<str>,
        /// Incarnation of the stream.
        incarnation: u64,
    },
    /// A new hour begins for the shards of a stream: bill it.
    ShardHour {
        /// Stream name.
        stream: Arc<str>,
        /// Incarnation of the stream.
        incarnation: u64,
    },
    /// A function's time has come.
    Lambda {
        /// What is due.
        due: super::lambda::Due,
    },
    /// A delivery stream's time has come.
    Firehose {
        /// Its name.
        stream: Arc<str>,
        /// Its incarnation.
        incarnation: u64,
        /// What is due.
        due: super::firehose::stream::Due,
    },
    /// An application looks at its source.
    Analytics {
        /// Its name.
        application: Arc<str>,
        /// Its incarnation.
        incarnation: u64,
    },
    /// A consumer's next poll.
    Consumer {
        /// Index of the consumer.
        consumer: usize,
        /// Start number.
        run: u32,
    },
    /// A world control ends or moves on (rates, faults, hot keys).
    Control {
        /// Index in the list of controls.
        control: usize,
    },
}

type Entry = Reverse<(VirtualTime, u8, u64, Wake)>;

/// The queue. Cloning it is part of a checkpoint.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    heap: BinaryHeap<Entry>,
    sequence: u64,
}

impl Schedule {
    /// Adds a wake-up.
    pub fn at(&mut self, when: VirtualTime, wake: Wake) {
        let rank = match wake {
            Wake::Producer { .. } => 0,
            Wake::Stream { .. } | Wake::FanoutConsumer { .. } | Wake::OnDemand { .. } | Wake::ShardHour { .. } => 1,
            Wake::Consumer { .. } => 2,
            Wake::Lambda { .. } => 3,
            Wake::Firehose { .. } => 4,
            Wake::Analytics { .. } => 5,
            Wake::Control { .. } => 6,
            Wake::Alarms => 7,
        };
        self.heap.push(Reverse((when, rank, self.sequence, wake)));
        self.sequence += 1;
    }

    /// The next instant at which something happens.
    pub fn next_at(&self) -> Option<VirtualTime> {
        self.heap.peek().map(|Reverse((when, ..))| *when)
    }

    /// The next wake-up at or before `until`.
    pub fn pop(&mut self, until: VirtualTime) -> Option<(VirtualTime, Wake)> {
        if self.next_at()? > until {
            return None;
        }
        self.heap.pop().map(|Reverse((when, _, _, wake))| (when, wake))
    }
}
