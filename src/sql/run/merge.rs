//! Merging several writers by ROWTIME: a writer that is ahead waits until the others' rows or bounds have caught up.

use std::collections::VecDeque;

use super::flow::{Cause, Row};
use super::vector::Moments;

/// How far a writer is, in half milliseconds: 2t says that no row before t will come, 2t + 1 that none up to t will.
pub(super) type Frontier = i64;

/// Rows of several writers.
#[derive(Debug, Clone)]
pub(super) struct Merge {
    queues: Vec<VecDeque<Row>>,
    frontiers: Vec<Frontier>,
    last: Cause,
}

impl Merge {
    /// A merge of so many writers.
    pub(super) fn new(writers: usize) -> Self {
        Self { queues: vec![VecDeque::new(); writers], frontiers: vec![i64::MIN; writers], last: 0 }
    }

    /// A writer's row.
    pub(super) fn push(&mut self, writer: usize, row: Row) {
        self.advance(writer, row.time.saturating_mul(2));
        self.queues[writer].push_back(row);
    }

    /// A writer is so far.
    pub(super) fn advance(&mut self, writer: usize, frontier: Frontier) {
        self.frontiers[writer] = self.frontiers[writer].max(frontier);
    }

    /// The next row that nothing can come before, with its writer. What lets a row go that has waited is the cause of it from then on.
    pub(super) fn pop(&mut self, moments: &Moments<'_>) -> Option<(usize, Row)> {
        let (time, writer) = self.queues.iter().enumerate().filter_map(|(writer, queue)| queue.front().map(|row| (row.time, writer))).min()?;
        let settled = self.queues.iter().zip(&self.frontiers).enumerate().all(|(other, (queue, frontier))| {
            other == writer || !queue.is_empty() || *frontier >= time.saturating_mul(2).saturating_add(i64::from(other < writer))
        });
        if !settled {
            return None;
        }
        let mut row = self.queues[writer].pop_front()?;
        self.last = self.last.max(moments.free(row.cause, time.saturating_mul(2).saturating_add(i64::from(writer > 0))));
        row.cause = self.last;
        Some((writer, row))
    }

    /// How far all of them are together.
    pub(super) fn frontier(&self) -> Frontier {
        let waiting = self.queues.iter().filter_map(|queue| queue.front()).map(|row| row.time.saturating_mul(2)).min().unwrap_or(i64::MAX);
        self.frontiers.iter().copied().min().unwrap_or(i64::MIN).min(waiting)
    }

    /// Rows that wait.
    pub(super) fn held(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }
}
