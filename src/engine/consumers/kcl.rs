//! A KCL-like application: a lease table, workers that share it, checkpoints, parents before children, take-over after a crash.

use crate::engine::kinesis::{Ctx, DataStream, ReadRequest};
use crate::engine::time::VirtualTime;

use super::{Consumer, Reader, ReaderState};

/// Where a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoint {
    /// Not begun: starts at the initial position (`TRIM_HORIZON`, `LATEST`).
    Initial,
    /// Goes on with this counter.
    Next(u64),
    /// `SHARD_END`.
    ShardEnd,
}

/// One row of the lease table.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Index of the worker that holds it.
    pub owner: Option<usize>,
    /// Where it stands.
    pub checkpoint: Checkpoint,
    /// When its owner renewed it last.
    pub renewed: VirtualTime,
    /// When it was checkpointed last.
    pub checkpointed: VirtualTime,
    /// Parents that must be finished first.
    pub parents: Vec<u32>,
    /// Times that it changed hands.
    pub switches: u32,
}

/// One worker of the application.
#[derive(Debug, Clone, Copy)]
pub struct Worker {
    /// It renews its leases.
    pub alive: bool,
}

impl Worker {
    /// A living worker.
    pub const fn new() -> Self {
        Self { alive: true }
    }
}

impl Consumer {
    pub(super) fn crash_workers(&mut self, worker: Option<u32>) {
        for (index, state) in self.workers.iter_mut().enumerate() {
            if worker.is_none_or(|wanted| wanted as usize == index) {
                state.alive = false;
            }
        }
        for (shard, lease) in &self.leases {
            if lease.owner.is_some_and(|owner| self.workers.get(owner).is_none_or(|worker| !worker.alive))
                && let Some(reader) = self.readers.get_mut(shard)
            {
                reader.state = ReaderState::Crashed;
            }
        }
    }

    /// Writes all checkpoints, as in a shutdown in good order, and gives the leases back.
    pub(super) fn checkpoint_all(&mut self, now: VirtualTime) {
        for (shard, lease) in &mut self.leases {
            if let Some(reader) = self.readers.get(shard)
                && lease.checkpoint != Checkpoint::ShardEnd
                && reader.state != ReaderState::Crashed
            {
                lease.checkpoint = Checkpoint::Next(reader.next);
                lease.checkpointed = now;
            }
            lease.owner = None;
        }
    }

    pub(super) fn poll_kcl(&mut self, ctx: &mut Ctx<'_>, stream: &mut DataStream) {
        let now = ctx.now;
        stream.trim(now);
        self.sync_shards(ctx, stream);
        self.take_leases(ctx, now);
        let owned: Vec<u32> = self
            .leases
            .iter()
            .filter(|(_, lease)| lease.owner.is_some_and(|owner| self.workers[owner].alive) && lease.checkpoint != Checkpoint::ShardEnd)
            .map(|(shard, _)| *shard)
            .collect();
        for number in owned {
            self.leases.get_mut(&number).expect("listed above").renewed = now;
            let waiting = self.settings.parents_first
                && self.leases[&number].parents.iter().any(|parent| {
                    // A parent without a lease is expired or was never read: it holds nothing back.
                    self.leases.get(parent).is_some_and(|lease| lease.checkpoint != Checkpoint::ShardEnd)
                });
            self.begin_reader(stream, number, now);
            if waiting {
                self.readers.get_mut(&number).expect("begun above").state = ReaderState::WaitingForParents;
                continue;
            }
            if !self.settings.parents_first
                && self.leases[&number]
                    .parents
                    .iter()
                    .any(|parent| self.leases.get(parent).is_some_and(|lease| lease.checkpoint != Checkpoint::ShardEnd))
            {
                self.out_of_order += 1;
            }
            let request = ReadRequest { shard: number, next: self.readers[&number].next, limit: self.settings.limit, max_bytes: u64::MAX };
            let Some(range) = stream.poll(ctx, request) else {
                let gone = !stream.shards.contains_key(&number);
                self.readers.get_mut(&number).expect("begun above").state = if gone { ReaderState::Finished } else { ReaderState::Throttled };
                if gone {
                    self.leases.get_mut(&number).expect("listed above").checkpoint = Checkpoint::ShardEnd;
                }
                continue;
            };
            self.processed(ctx, stream, number, &range, true);
            let lease = self.leases.get_mut(&number).expect("listed above");
            if range.at_end {
                lease.checkpoint = Checkpoint::ShardEnd;
                self.say(now, format!("shard {number:04}: SHARD_END, the children may begin"));
            } else if now.since(lease.checkpointed) >= self.settings.checkpoint_every {
                lease.checkpoint = Checkpoint::Next(range.next);
                lease.checkpointed = now;
            }
        }
    }

    /// Makes leases for shards that have none: all shards at first, children when a parent is finished (or from the start when order does
    /// not matter); leases of shards that are gone are dropped.
    fn sync_shards(&mut self, ctx: &mut Ctx<'_>, stream: &DataStream) {
        let now = ctx.now;
        self.leases.retain(|shard, _| stream.shards.contains_key(shard));
        let first_time = self.leases.is_empty();
        for (number, shard) in &stream.shards {
            if self.leases.contains_key(number) {
                continue;
            }
            let parents: Vec<u32> = [shard.parent, shard.adjacent_parent].into_iter().flatten().collect();
            let known_parents = parents.iter().any(|parent| self.leases.contains_key(parent));
            // With LATEST an application that starts now begins with the open shards only.
            if first_time && self.settings.position == crate::api::kinesis::ShardIteratorType::Latest && !shard.is_open() {
                continue;
            }
            let checkpoint = if known_parents || !first_time { Checkpoint::Next(shard.log.first()) } else { Checkpoint::Initial };
            self.leases.insert(*number, Lease { owner: None, checkpoint, renewed: now, checkpointed: now, parents, switches: 0 });
        }
    }

    /// Workers take free and abandoned leases, balanced by count.
    fn take_leases(&mut self, ctx: &mut Ctx<'_>, now: VirtualTime) {
        let alive: Vec<usize> = self.workers.iter().enumerate().filter(|(_, worker)| worker.alive).map(|(index, _)| index).collect();
        if alive.is_empty() {
            return;
        }
        let mut taken = Vec::new();
        let numbers: Vec<u32> = self.leases.keys().copied().collect();
        for number in numbers {
            let lease = &self.leases[&number];
            if lease.checkpoint == Checkpoint::ShardEnd {
                continue;
            }
            let free = lease.owner.is_none_or(|owner| {
                !self.workers.get(owner).is_some_and(|worker| worker.alive) && now.since(lease.renewed) >= self.settings.failover
            });
            if !free {
                continue;
            }
            let load =
                |worker: usize| self.leases.values().filter(|lease| lease.owner == Some(worker) && lease.checkpoint != Checkpoint::ShardEnd).count();
            let worker = alive.iter().copied().min_by_key(|worker| (load(*worker), *worker)).expect("some worker is alive");
            let lease = self.leases.get_mut(&number).expect("listed above");
            if lease.owner.is_some() {
                lease.switches += 1;
                taken.push((number, worker));
            }
            lease.owner = Some(worker);
            lease.renewed = now;
            // A new owner knows only the checkpoint: what was read since then is read again.
            self.readers.remove(&number);
        }
        for (number, worker) in taken {
            let text = format!("worker-{worker} took the lease of shard {number:04} from a dead worker");
            ctx.journal.push(now, format!("consumer {}", self.name), "lease", text.clone(), false);
            self.say(now, text);
        }
    }

    fn begin_reader(&mut self, stream: &DataStream, number: u32, now: VirtualTime) {
        if self.readers.contains_key(&number) {
            return;
        }
        let Some(shard) = stream.shards.get(&number) else { return };
        let (next, position) = match self.leases[&number].checkpoint {
            Checkpoint::Initial => (stream.position(shard, self.settings.position, None, Some(now)), self.settings.position.as_str()),
            Checkpoint::Next(next) => (next, "AFTER_SEQUENCE_NUMBER"),
            Checkpoint::ShardEnd => (shard.log.next(), "SHARD_END"),
        };
        self.readers.insert(number, Reader::new(next, position));
        // LATEST must not be taken anew by the next owner: the place is known from now on.
        if let Some(lease) = self.leases.get_mut(&number)
            && lease.checkpoint == Checkpoint::Initial
        {
            lease.checkpoint = Checkpoint::Next(next);
        }
    }
}
