//! What a split or a merge would do, before doing it: ranges, expected load of the children, the AWS call. Loads come from the key density of the
//! last ten seconds, so they are expectations, and unknown when nothing arrived.

use crate::engine::kinesis::hash::HashKey;
use crate::engine::view::{ShardView, StreamView};

use super::text::{hash_range, hex, percent, shard};

/// A reshard that could be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Sentences, short first.
    pub lines: Vec<String>,
    /// The command line that does it.
    pub command: String,
}

/// Bytes of the density that fall into `start..=end`; a bin that is cut counts in proportion.
fn density(stream: &StreamView, start: u128, end: u128) -> u128 {
    let bins = stream.key_density.len() as u128;
    if bins == 0 {
        return 0;
    }
    let bin = u128::MAX / bins + 1;
    let first = start / bin;
    let last = (end / bin).min(bins - 1);
    (first..=last)
        .map(|i| {
            let weight = u128::from(stream.key_density.get(i as usize).copied().unwrap_or(0));
            let from = start.max(i * bin);
            let to = end.min((i * bin).saturating_add(bin - 1));
            // In 1/1024 of a bin: 128-bit widths times bytes would not fit.
            let part = if bin >= 1024 { (to - from) / (bin / 1024) + 1 } else { 1024 };
            weight * part.min(1024)
        })
        .fold(0, u128::saturating_add)
}

/// Demand of a shard in permille of its binding limit.
pub fn demand(shard: &ShardView) -> u64 {
    u64::from(shard.records_permille.max(shard.bytes_permille)) + u64::from(shard.refused_permille)
}

/// The open shard that takes a hash key.
pub fn shard_at(stream: &StreamView, key: HashKey) -> Option<&ShardView> {
    stream.shards.iter().find(|s| s.open && s.hash_start <= key && key <= s.hash_end)
}

/// The open shard at the right of another.
pub fn right_neighbour<'v>(stream: &'v StreamView, of: &ShardView) -> Option<&'v ShardView> {
    let next = of.hash_end.0.checked_add(1)?;
    stream.shards.iter().find(|s| s.open && s.hash_start.0 == next)
}

fn next_number(stream: &StreamView) -> u32 {
    stream.shards.iter().map(|s| s.number).max().map_or(0, |n| n.saturating_add(1))
}

/// Splitting `parent` so that its second child starts at `cut`.
///
/// # Errors
/// A sentence that says why it cannot be done.
pub fn split(stream: &StreamView, parent: &ShardView, cut: HashKey) -> Result<Preview, String> {
    if !parent.open {
        return Err(format!("shard {} is closed: only open shards can be split", shard(parent.number)));
    }
    if stream.mode == "ON_DEMAND" {
        return Err(format!("{} is ON_DEMAND: AWS splits its shards by itself", stream.name));
    }
    if cut <= parent.hash_start || cut > parent.hash_end {
        return Err(format!("the cursor is not inside shard {}: move it with the arrow keys", shard(parent.number)));
    }
    let child = next_number(stream);
    let before = HashKey(cut.0 - 1);
    let left = density(stream, parent.hash_start.0, before.0);
    let right = density(stream, cut.0, parent.hash_end.0);
    let all = left.saturating_add(right);
    let load = left.saturating_mul(1000).checked_div(all).map_or_else(
        || "expected load unknown: nothing arrived in the last 10 s".to_owned(),
        |share| {
            let share = u64::try_from(share).unwrap_or(1000);
            let demand = demand(parent);
            let a = demand.saturating_mul(share) / 1000;
            format!("expected load {} and {} of the limit", percent(a), percent(demand.saturating_sub(a)))
        },
    );
    let mut lines = vec![
        format!("{} would become {} and {}", shard(parent.number), shard(child), shard(child.saturating_add(1))),
        load,
        format!("{}  {}", shard(child), hash_range(parent.hash_start, before, 8)),
        format!("{}  {}", shard(child.saturating_add(1)), hash_range(cut, parent.hash_end, 8)),
    ];
    if let Some((key, share)) = &parent.hot_key
        && *share > 500
    {
        lines.push(format!("A split cannot help when one key is the load: {} of the records carry {key}.", percent(u64::from(*share))));
    }
    Ok(Preview {
        lines,
        command: format!("aws kinesis split-shard --stream-name {} --shard-to-split {} --new-starting-hash-key {cut}", stream.name, parent.id),
    })
}

/// Merging `left` with its right neighbour.
///
/// # Errors
/// A sentence that says why it cannot be done.
pub fn merge(stream: &StreamView, left: &ShardView) -> Result<Preview, String> {
    if !left.open {
        return Err(format!("shard {} is closed: only open shards can be merged", shard(left.number)));
    }
    if stream.mode == "ON_DEMAND" {
        return Err(format!("{} is ON_DEMAND: AWS merges its shards by itself", stream.name));
    }
    let Some(right) = right_neighbour(stream, left) else {
        return Err(format!("shard {} has no open neighbour on its right", shard(left.number)));
    };
    let sum = demand(left).saturating_add(demand(right));
    let verdict = if sum > 1000 { ": too much for one shard, writes would be throttled" } else { "" };
    Ok(Preview {
        lines: vec![
            format!("{} and {} would become {}", shard(left.number), shard(right.number), shard(next_number(stream))),
            format!("expected load {} of the limit{verdict}", percent(sum)),
            format!("{}  {}", shard(next_number(stream)), hash_range(left.hash_start, right.hash_end, 8)),
        ],
        command: format!(
            "aws kinesis merge-shards --stream-name {} --shard-to-merge {} --adjacent-shard-to-merge {}",
            stream.name, left.id, right.id
        ),
    })
}

/// `972912c0…` of a partition key.
pub fn md5_words(key: HashKey) -> String {
    hex(key, 8)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_split_in_the_middle_halves_an_even_load() {
        let view = fixture::lab1_throttled();
        let stream = &view.world.streams[0];
        let parent = &stream.shards[2];
        let cut = HashKey(parent.hash_start.0 + (parent.hash_end.0 - parent.hash_start.0) / 2 + 1);
        let preview = split(stream, parent, cut).expect("possible");
        assert_eq!(preview.lines[0], "0002 would become 0006 and 0007");
        let loads: Vec<u64> = preview.lines[1].split_whitespace().filter_map(|w| w.parse().ok()).collect();
        let total = (demand(parent) + 5) / 10;
        assert!(loads[0].abs_diff(total / 2) <= 5 && loads[1].abs_diff(total / 2) <= 5, "{}", preview.lines[1]);
        assert!(preview.command.ends_with(&format!("--new-starting-hash-key {cut}")), "{}", preview.command);
    }

    #[test]
    fn impossible_reshards_say_why() {
        let view = fixture::lab1_resharded();
        let stream = &view.world.streams[0];
        let closed = stream.shards.iter().find(|s| !s.open).expect("parents");
        assert!(split(stream, closed, closed.hash_end).unwrap_err().contains("closed"));
        let last = stream.shards.iter().filter(|s| s.open).max_by_key(|s| s.hash_start).expect("open");
        assert!(merge(stream, last).unwrap_err().contains("no open neighbour"));
        let first = &stream.shards[0];
        assert!(split(stream, first, first.hash_start).unwrap_err().contains("cursor"));
        let mut on_demand = stream.clone();
        on_demand.mode = "ON_DEMAND".to_owned();
        assert!(split(&on_demand, first, first.hash_end).unwrap_err().contains("ON_DEMAND"));
        assert!(merge(&on_demand, first).unwrap_err().contains("ON_DEMAND"));
    }

    #[test]
    fn density_counts_cut_bins_in_proportion() {
        let stream = StreamView { key_density: vec![100, 0, 0, 100], ..StreamView::default() };
        let quarter = u128::MAX / 4 + 1;
        assert_eq!(density(&stream, 0, quarter - 1) / 1024, 100);
        assert!((density(&stream, 0, quarter / 2 - 1) / 1024).abs_diff(50) <= 1);
        assert_eq!(density(&stream, 0, u128::MAX) / 1024, 200);
        assert_eq!(density(&StreamView::default(), 0, u128::MAX), 0);
    }
}
