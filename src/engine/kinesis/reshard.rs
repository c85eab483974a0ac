//! Changing the shards: SplitShard, MergeShards, UpdateShardCount. A request only marks the stream UPDATING; the parents take writes until
//! the change completes, then they close and the children open at one instant.

use crate::api::ServiceError;
use crate::api::kinesis::{MergeShardsRequest, SplitShardRequest, StreamMode, StreamStatus, UpdateShardCountRequest, UpdateShardCountResponse};
use crate::engine::limits::Limits;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::get::full_shard_number;
use super::hash::HashKey;
use super::stream::Pending;
use super::{Ctx, DataStream, Kinesis, shard_id};

/// First hash keys of `count` uniform shards; the last range ends at the maximum.
pub fn uniform_starts(count: u64) -> Vec<HashKey> {
    // floor(2^128 / count) without 129-bit numbers.
    if count <= 1 {
        return vec![HashKey::MIN];
    }
    let count = u128::from(count);
    let width = u128::MAX / count + u128::from(u128::MAX % count == count - 1);
    (0..count).map(|index| HashKey(index * width)).collect()
}

impl DataStream {
    /// Lays out the first shards.
    pub(super) fn create_shards(&mut self, count: u64, now: VirtualTime, limits: &Limits) {
        let starts = uniform_starts(count);
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(HashKey::MAX, |next| HashKey(next.0 - 1));
            self.open_shard(*start, end, now, now.secs(), limits);
        }
        self.rebuild_map();
    }

    /// A creation second that lies after every record of the parents and after their own creation.
    fn child_secs(&self, parents: &[u32], now: VirtualTime) -> u64 {
        parents
            .iter()
            .filter_map(|parent| self.shards.get(parent))
            .map(|parent| {
                let last = parent.log.next().checked_sub(1).and_then(|counter| parent.log.slot(counter)).map_or(0, |slot| slot.arrival.secs());
                last.max(parent.created_secs) + 1
            })
            .max()
            .unwrap_or(0)
            .max(now.secs())
    }

    /// Splits an open shard: the lower child gets the lower number.
    pub(super) fn split(&mut self, number: u32, at: HashKey, now: VirtualTime, limits: &Limits) -> (u32, u32) {
        let secs = self.child_secs(&[number], now);
        let parent = self.shards.get_mut(&number).expect("checked when the split was asked for");
        parent.closed = Some(now);
        let (start, end) = (parent.start, parent.end);
        let lower = self.open_shard(start, HashKey(at.0 - 1), now, secs, limits);
        let upper = self.open_shard(at, end, now, secs, limits);
        for child in [lower, upper] {
            self.shards.get_mut(&child).expect("just opened").parent = Some(number);
        }
        (lower, upper)
    }

    /// Merges two open neighbours.
    pub(super) fn merge(&mut self, number: u32, adjacent: u32, now: VirtualTime, limits: &Limits) -> u32 {
        let secs = self.child_secs(&[number, adjacent], now);
        let mut range = (HashKey::MAX, HashKey::MIN);
        for parent in [number, adjacent] {
            let parent = self.shards.get_mut(&parent).expect("checked when the merge was asked for");
            parent.closed = Some(now);
            range = (range.0.min(parent.start), range.1.max(parent.end));
        }
        let child = self.open_shard(range.0, range.1, now, secs, limits);
        let shard = self.shards.get_mut(&child).expect("just opened");
        shard.parent = Some(number);
        shard.adjacent_parent = Some(adjacent);
        child
    }

    /// Scales to `target` uniform shards by splits and merges. Doubling is one split of each shard, halving one merge of each pair;
    /// otherwise every shard is cut at the new boundaries inside it and the pieces of each new range are merged.
    pub(super) fn scale(&mut self, target: u64, now: VirtualTime, limits: &Limits) {
        let open: Vec<(u32, HashKey, HashKey)> = self.open_shards().iter().map(|shard| (shard.number, shard.start, shard.end)).collect();
        let count = open.len() as u64;
        if target == count * 2 && open.iter().all(|(_, start, end)| end.0 - start.0 >= 2) {
            for (number, start, end) in open {
                self.split(number, HashKey(start.0 + (end.0 - start.0) / 2 + 1), now, limits);
            }
        } else if target * 2 == count {
            for pair in open.chunks(2) {
                self.merge(pair[0].0, pair[1].0, now, limits);
            }
        } else if target != count || open.iter().map(|shard| shard.1).ne(uniform_starts(target)) {
            let starts = uniform_starts(target);
            for (number, start, end) in open {
                let mut rest = number;
                for cut in starts.iter().filter(|cut| **cut > start && **cut <= end) {
                    rest = self.split(rest, *cut, now, limits).1;
                }
            }
            for (index, start) in starts.iter().enumerate() {
                let end = starts.get(index + 1).map_or(HashKey::MAX, |next| HashKey(next.0 - 1));
                let pieces: Vec<u32> =
                    self.open_shards().iter().filter(|shard| shard.start >= *start && shard.end <= end).map(|shard| shard.number).collect();
                let mut pieces = pieces.into_iter();
                let Some(mut merged) = pieces.next() else { continue };
                for piece in pieces {
                    merged = self.merge(merged, piece, now, limits);
                }
            }
        }
        self.rebuild_map();
    }

    /// Shards that a scaling to `target` closes or opens.
    fn shards_touched(&self, target: u64) -> u64 {
        let count = self.open_count();
        if target == count { 0 } else { count.max(target) }
    }

    fn in_on_demand_mode(&self, account: &str) -> Result<(), ServiceError> {
        if self.mode == StreamMode::OnDemand {
            return Err(ServiceError::validation(format!("Request is invalid. Stream {} under account {account} is in On-Demand mode.", self.name)));
        }
        Ok(())
    }

    /// An open shard named in a split or merge.
    fn open_shard_named(&self, id: &str, account: &str) -> Result<u32, ServiceError> {
        let number = full_shard_number(id)
            .filter(|number| self.shards.contains_key(number))
            .ok_or_else(|| ServiceError::resource_not_found(format!("Could not find shard {id} in stream {} under account {account}.", self.name)))?;
        if !self.shards[&number].is_open() {
            return Err(ServiceError::invalid_argument(format!(
                "Shard {id} in stream {} under account {account} has already been merged or split, and thus is not eligible for merging or splitting.",
                self.name
            )));
        }
        Ok(number)
    }
}

impl Kinesis {
    /// The account's shard limit, asked before shards are added.
    pub(super) fn check_shard_limit(&self, limits: &Limits, additional: u64) -> Result<(), ServiceError> {
        let current = self.open_shards()
            + self.streams.values().filter_map(|s| if let Some(Pending::Create(n)) = s.pending { Some(n) } else { None }).sum::<u64>();
        if current + additional > limits.account_shards {
            return Err(ServiceError::limit_exceeded(format!(
                "This request would exceed the shard limit for the account {} in {}. Current shard count for the account: {current}. Limit: {}. Number of \
                 additional shards that would have resulted from this request: {additional}. Refer to the AWS Service Limits page \
                 (https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to request higher limits.",
                self.account, self.region, limits.account_shards
            )));
        }
        Ok(())
    }

    pub(super) fn split_shard(&mut self, ctx: &mut Ctx<'_>, q: &SplitShardRequest) -> Result<(), ServiceError> {
        let (account, wait) = (self.account.clone(), self.waits.reshard);
        self.find(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        self.check_shard_limit(ctx.limits, 1)?;
        let stream = self.find_active(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        stream.in_on_demand_mode(&account)?;
        let number = stream.open_shard_named(&q.shard_to_split, &account)?;
        let shard = &stream.shards[&number];
        let at = q.new_starting_hash_key.parse::<HashKey>().ok().filter(|at| at.0 > shard.start.0.saturating_add(1) && *at < shard.end);
        let Some(at) = at else {
            return Err(ServiceError::invalid_argument(format!(
                "NewStartingHashKey {} used in SplitShard() on shard {} in stream {} under account {account} is not both greater than one plus the shard's \
                 StartingHashKey {} and less than the shard's EndingHashKey {}.",
                q.new_starting_hash_key, q.shard_to_split, stream.name, shard.start, shard.end
            )));
        };
        stream.begin(ctx, Pending::Split(number, at), StreamStatus::Updating, wait);
        ctx.journal.push(ctx.now, format!("stream {}", stream.name), "updating", format!("SplitShard {} at {at}", shard_id(number)), false);
        Ok(())
    }

    pub(super) fn merge_shards(&mut self, ctx: &mut Ctx<'_>, q: &MergeShardsRequest) -> Result<(), ServiceError> {
        let (account, wait) = (self.account.clone(), self.waits.reshard);
        let stream = self.find_active(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        stream.in_on_demand_mode(&account)?;
        let number = stream.open_shard_named(&q.shard_to_merge, &account)?;
        let adjacent = stream.open_shard_named(&q.adjacent_shard_to_merge, &account)?;
        let (a, b) = (&stream.shards[&number], &stream.shards[&adjacent]);
        let touch = a.end.0.checked_add(1) == Some(b.start.0) || b.end.0.checked_add(1) == Some(a.start.0);
        if !touch {
            return Err(ServiceError::invalid_argument(format!(
                "Shards {} and {} in stream {} under account {account} are not an adjacent pair of shards eligible for merging",
                q.shard_to_merge, q.adjacent_shard_to_merge, stream.name
            )));
        }
        stream.begin(ctx, Pending::Merge(number, adjacent), StreamStatus::Updating, wait);
        ctx.journal.push(
            ctx.now,
            format!("stream {}", stream.name),
            "updating",
            format!("MergeShards {} and {}", shard_id(number), shard_id(adjacent)),
            false,
        );
        Ok(())
    }

    pub(super) fn update_shard_count(&mut self, ctx: &mut Ctx<'_>, q: &UpdateShardCountRequest) -> Result<UpdateShardCountResponse, ServiceError> {
        let account = self.account.clone();
        let (arn_wanted, waits) = (self.arn(&Self::resolve(q.stream_name.as_deref(), q.stream_arn.as_deref())?), self.waits);
        let target = u64::try_from(q.target_shard_count).unwrap_or(0);
        let open = self.find(q.stream_name.as_deref(), q.stream_arn.as_deref())?.open_count();
        let now = ctx.now;
        let limits = ctx.limits;
        let stream = self.find_active(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        stream.in_on_demand_mode(&account)?;
        if target > open * 2 {
            return Err(ServiceError::limit_exceeded(format!(
                "UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: {open} Target shard count: {target}"
            )));
        }
        if target * 2 < open {
            return Err(ServiceError::limit_exceeded(format!(
                "UpdateShardCount cannot scale down below half your current open shard count. Current open shard count: {open} Target shard count: {target}"
            )));
        }
        if target > limits.update_shard_count_max || open > limits.update_shard_count_max {
            return Err(ServiceError::limit_exceeded(format!(
                "Target shard count or number of open shards cannot be greater than {}. Current open shard count: {open} Target shard count: {target}",
                limits.update_shard_count_max
            )));
        }
        let day = VirtualDuration::from_secs(24 * 3600);
        stream.count_calls.retain(|at| now.since(*at) < day);
        if stream.count_calls.len() >= limits.update_shard_count_calls {
            return Err(ServiceError::limit_exceeded(format!(
                "UpdateShardCount can be called at most {} times in 24 hours on stream {} under account {account}.",
                limits.update_shard_count_calls, stream.name
            )));
        }
        let name = stream.name.clone();
        if target > open {
            self.check_shard_limit(limits, target - open)?;
        }
        let stream = self.streams.get_mut(&name).expect("found above");
        stream.count_calls.push(now);
        if target != open {
            let wait = waits.reshard + waits.per_shard.saturating_mul(stream.shards_touched(target));
            stream.begin(ctx, Pending::Count(target), StreamStatus::Updating, wait);
            ctx.journal.push(now, format!("stream {name}"), "updating", format!("UpdateShardCount from {open} to {target} shards"), false);
        }
        Ok(UpdateShardCountResponse {
            stream_name: Some(name.to_string()),
            current_shard_count: Some(open as i32),
            target_shard_count: Some(q.target_shard_count),
            stream_arn: limits.modern.then_some(arn_wanted),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_ranges_are_those_of_the_service() {
        let three: Vec<String> = uniform_starts(3).iter().map(ToString::to_string).collect();
        assert_eq!(three, ["0", "113427455640312821154458202477256070485", "226854911280625642308916404954512140970"]);
        assert_eq!(uniform_starts(2)[1].0, 1u128 << 127);
        assert_eq!(uniform_starts(6)[3].0, u128::MAX / 6 * 3, "floor(2^128/6) = floor((2^128-1)/6)");
        assert_eq!(uniform_starts(1), [HashKey(0)]);
    }
}
