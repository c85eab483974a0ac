//! Where in a program a row failed, and the order of those places: that in which a row runs through readers of a stream, their operators and
//! pumps, and the readers of what they write.

use super::Parent;
use super::streams::StreamState;
use crate::sql::plan::Plan;

/// Where a row failed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) rank: usize,
    /// The pump, when it was in one.
    pub(super) pump: Option<usize>,
}

/// Places of a program.
#[derive(Debug, Clone)]
pub(super) struct Places {
    nodes: Vec<Place>,
    pumps: Vec<Place>,
    streams: Vec<Place>,
}

impl Places {
    pub(super) fn of(plan: &Plan, parents: &[Parent], streams: &[StreamState]) -> Self {
        let mut places = Self {
            nodes: vec![Place::default(); plan.nodes.len()],
            pumps: (0..plan.pumps.len()).map(|pump| Place { rank: 0, pump: Some(pump) }).collect(),
            streams: streams.iter().map(|stream| Place { rank: 0, pump: stream.writers.first().copied() }).collect(),
        };
        let mut rank = 0;
        for stream in 0..streams.len() {
            if streams[stream].writers.is_empty() {
                places.stream(stream, plan, parents, streams, &mut rank);
            }
        }
        places
    }

    fn stream(&mut self, stream: usize, plan: &Plan, parents: &[Parent], streams: &[StreamState], rank: &mut usize) {
        if self.streams[stream].rank > 0 {
            return;
        }
        *rank += 1;
        self.streams[stream].rank = *rank;
        for scan in &streams[stream].scans {
            let mut path = Vec::new();
            let mut at = Parent::Node(*scan, 0);
            let target = loop {
                match at {
                    Parent::Node(node, _) => {
                        path.push(node);
                        at = parents[node];
                    }
                    Parent::Pump(pump) => break Some(pump),
                    Parent::Nowhere => break None,
                }
            };
            for node in path {
                if self.nodes[node].rank == 0 {
                    *rank += 1;
                    self.nodes[node] = Place { rank: *rank, pump: target };
                }
            }
            if let Some(pump) = target {
                if self.pumps[pump].rank == 0 {
                    *rank += 1;
                    self.pumps[pump].rank = *rank;
                }
                self.stream(plan.pumps[pump].target, plan, parents, streams, rank);
            }
        }
    }

    pub(super) fn node(&self, node: usize) -> Place {
        self.nodes[node]
    }

    pub(super) fn pump(&self, pump: usize) -> Place {
        self.pumps[pump]
    }

    pub(super) fn stream_of(&self, stream: usize) -> Place {
        self.streams[stream]
    }
}
