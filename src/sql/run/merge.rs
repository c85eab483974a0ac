//! Merging several writers by ROWTIME: a writer that is ahead waits until the others' rows or bounds have caught up.

use std::collections::VecDeque;

use super::Row;

/// How far a writer is, in half milliseconds: 2t says that no row before t will come, 2t + 1 that none up to t will.
pub type Frontier = i64;

/// Rows of several writers.
#[derive(Debug, Clone)]
pub struct Merge {
    queues: Vec<VecDeque<Row>>,
    frontiers: Vec<Frontier>,
}

impl Merge {
    /// A merge of so many writers.
    pub fn new(writers: usize) -> Self {
        Self { queues: vec![VecDeque::new(); writers], frontiers: vec![i64::MIN; writers] }
    }

    /// A writer's row.
    pub fn push(&mut self, writer: usize, row: Row) {
        self.advance(writer, row.time.saturating_mul(2));
        self.queues[writer].push_back(row);
    }

    /// A writer is so far.
    pub fn advance(&mut self, writer: usize, frontier: Frontier) {
        self.frontiers[writer] = self.frontiers[writer].max(frontier);
    }

    /// The next row that nothing can come before, with its writer.
    pub fn pop(&mut self) -> Option<(usize, Row)> {
        let (time, writer) = self.queues.iter().enumerate().filter_map(|(writer, queue)| queue.front().map(|row| (row.time, writer))).min()?;
        let settled = self.queues.iter().zip(&self.frontiers).enumerate().all(|(other, (queue, frontier))| {
            other == writer || !queue.is_empty() || *frontier >= time.saturating_mul(2).saturating_add(i64::from(other < writer))
        });
        if settled { self.queues[writer].pop_front().map(|row| (writer, row)) } else { None }
    }

    /// How far all of them are together.
    pub fn frontier(&self) -> Frontier {
        let waiting = self.queues.iter().filter_map(|queue| queue.front()).map(|row| row.time.saturating_mul(2)).min().unwrap_or(i64::MAX);
        self.frontiers.iter().copied().min().unwrap_or(i64::MIN).min(waiting)
    }

    /// Rows that wait.
    pub fn held(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }
}
