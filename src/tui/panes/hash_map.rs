//! The 128-bit hash space as a ribbon cut at the shards' borders: load per shard, density of keys, the hottest key, the cursor of a split, and
//! where a probed partition key would go. Four lines high it shows the ribbon and the names; from ten lines on everything.

use ratatui::layout::Rect;

use super::{Cx, frame};
use crate::engine::kinesis::hash::HashKey;
use crate::engine::view::{ShardView, StreamView};
use crate::tui::action::ActionId;
use crate::tui::app::Field;
use crate::tui::hit::Target;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{clip_words, hex, percent, shard, width};
use crate::tui::theme::Role;
use crate::tui::topology;

/// The cell of a hash key in a ribbon of `cells`.
fn cell_of(key: HashKey, cells: u16) -> u16 {
    u16::try_from(((key.0 >> 64) * u128::from(cells)) >> 64).unwrap_or(0).min(cells.saturating_sub(1))
}

/// Sum of the density bins under a cell; bins narrower than a cell add up, wider ones are spread.
fn density(stream: &StreamView, cell: u16, cells: u16) -> u64 {
    let bins = &stream.key_density;
    if bins.is_empty() {
        return 0;
    }
    let (cell, cells) = (usize::from(cell), usize::from(cells.max(1)));
    let from = cell * bins.len() / cells;
    let to = ((cell + 1) * bins.len()).div_ceil(cells).max(from + 1).min(bins.len());
    bins[from..to].iter().sum::<u64>() / (to - from) as u64
}

fn shade(p: &Painter<'_>, s: &ShardView) -> (char, Role) {
    let demand = topology::demand(s);
    let sign = match demand {
        0 => ' ',
        1..=299 => p.glyphs.shades[0],
        300..=599 => p.glyphs.shades[1],
        600..=899 => p.glyphs.shades[2],
        _ => p.glyphs.shades[3],
    };
    (sign, if s.load.refused_records > 0 { Role::Refused } else { Role::Series1 })
}

/// Hot keys of open shards that stand out: position, key, share.
fn hot_keys(stream: &StreamView) -> Vec<(HashKey, &str, u32)> {
    let hot = stream.shards.iter().filter(|s| s.open).filter_map(|s| s.hot_key.as_ref());
    hot.map(|(key, share)| (HashKey::of_partition_key(key), key.as_str(), *share)).collect()
}

struct Ribbon<'v> {
    x: u16,
    cells: u16,
    open: Vec<&'v ShardView>,
}

impl<'v> Ribbon<'v> {
    fn new(x: u16, cells: u16, stream: &'v StreamView) -> Self {
        Self { x, cells, open: stream.shards.iter().filter(|s| s.open).collect() }
    }

    /// Cells of a shard: its border, and the cells after it.
    fn span(&self, s: &ShardView) -> (u16, u16) {
        (cell_of(s.hash_start, self.cells), cell_of(s.hash_end, self.cells) + 1)
    }

    fn load(&self, p: &mut Painter<'_>, y: u16) {
        for s in &self.open {
            let (from, to) = self.span(s);
            let (sign, role) = shade(p, s);
            p.repeat(self.x + from, y, to - from, sign, role);
            p.sign(self.x + from, y, p.glyphs.separator, Role::Border);
        }
        p.sign(self.x + self.cells, y, p.glyphs.separator, Role::Border);
        p.hit(Rect::new(self.x, y, self.cells, 1), Target::Ribbon);
    }

    fn ruler(&self, p: &mut Painter<'_>, y: u16) {
        p.repeat(self.x, y, self.cells, p.glyphs.rail, Role::Border);
        for s in &self.open {
            p.sign(self.x + self.span(s).0, y, p.glyphs.rail_cut, Role::Border);
        }
        p.sign(self.x, y, p.glyphs.rail_start, Role::Border);
        p.sign(self.x + self.cells, y, p.glyphs.rail_end, Role::Border);
    }

    fn names(&self, cx: &Cx<'_>, p: &mut Painter<'_>, y: u16, bars: bool, stream: &StreamView) {
        let chosen = cx.app.shard(cx.view).map(|s| s.number);
        let mut free = self.x;
        for s in &self.open {
            let (from, to) = self.span(s);
            let (x, room) = (self.x + from, to - from);
            if bars {
                p.sign(x, y, p.glyphs.separator, Role::Border);
            }
            let hot = s.hot_key.as_ref().map_or(String::new(), |(key, _)| format!("{} hot key {key}", shard(s.number)));
            let name = shard(s.number);
            let text = if !hot.is_empty() && width(&hot) + 3 <= room && !bars { hot } else { name };
            // Names that would touch the one before are left out: the table has them all.
            if x >= free && width(&text) + 1 < room.max(6) && x + 2 + width(&text) <= self.x + self.cells + 1 && room >= 6 {
                let role = if chosen == Some(s.number) { Role::Focus } else { Role::Accent };
                free = p.put(x + 2, y, room.saturating_sub(2), &text, role) + 1;
            }
        }
        if bars {
            p.sign(self.x + self.cells, y, p.glyphs.separator, Role::Border);
        }
        let _ = stream;
    }

    fn keys(&self, p: &mut Painter<'_>, y: u16, stream: &StreamView) {
        let columns: Vec<u64> = (0..self.cells).map(|c| density(stream, c, self.cells)).collect();
        let max = columns.iter().copied().max().unwrap_or(0).max(1);
        for (i, v) in (0u16..).zip(&columns) {
            if *v > 0 {
                let level = usize::try_from(*v * 7 / max).unwrap_or(7).min(7);
                p.sign(self.x + i, y, p.glyphs.levels[level], Role::Series2);
            }
        }
        for s in &self.open {
            p.sign(self.x + self.span(s).0, y, p.glyphs.separator, Role::Border);
        }
        p.sign(self.x + self.cells, y, p.glyphs.separator, Role::Border);
        for (key, _, _) in hot_keys(stream) {
            p.sign(self.x + cell_of(key, self.cells), y, p.glyphs.hot, Role::Marker);
        }
    }

    fn cursor(&self, p: &mut Painter<'_>, y: u16, at: HashKey) {
        let cell = cell_of(at, self.cells);
        let text = format!("split here: {}", hex(at, 12));
        p.sign(self.x + cell, y, p.glyphs.cursor, Role::Marker);
        let right = self.x + self.cells;
        if self.x + cell + 2 + width(&text) <= right {
            p.put(self.x + cell + 2, y, width(&text), &text, Role::Dim);
        } else if cell > width(&text) + 1 {
            p.put(self.x + cell - 1 - width(&text), y, width(&text), &text, Role::Dim);
        }
    }
}

/// Puts the text field for the probe; answers false when it is not open.
fn probe_field(cx: &Cx<'_>, p: &mut Painter<'_>, x: u16, y: u16, cells: u16) -> bool {
    let Some((Field::Probe, line)) = &cx.app.field else { return false };
    let at = p.put(x, y, cells, "probe   partition key ", Role::Key);
    p.put(at, y, cells.saturating_sub(at - x), &line.text(), Role::Accent);
    p.hits.cursor = Some(((at + width(&line.before_cursor())).min(x + cells), y));
    true
}

fn probe_words(stream: &StreamView) -> Option<String> {
    let probe = stream.probe.as_ref()?;
    let of = stream.shards.iter().find(|s| s.id == probe.shard_id);
    let hot = of.and_then(|s| s.hot_key.as_ref()).filter(|(key, _)| *key == probe.partition_key);
    let share = hot.map_or(String::new(), |(_, share)| format!(", {} of its records carry this key", percent(u64::from(*share))));
    Some(format!("partition key \"{}\" → MD5 {} → {}{share}", probe.partition_key, topology::md5_words(probe.hash), probe.shard_id))
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let keys = [
        cx.key(ActionId::ProbeKey, "probe a key"),
        (format!("{}/{}", cx.app.look.keymap.name(ActionId::Left), cx.app.look.keymap.name(ActionId::Right)), "move the cursor"),
        cx.key(ActionId::SplitShard, "split at cursor"),
        cx.key(ActionId::MergeShards, "merge with right neighbour"),
    ];
    let focused = cx.focus == PaneId::HashMap;
    let tall = area.height >= 10;
    // Keys of the map work only with the focus, except the probe.
    let shown = if focused || tall { &keys[..] } else { &keys[..1] };
    let inner = frame(cx, PaneId::HashMap, area, p, "Hash key map", "0 … 2^128-1", shown, "");
    let Some(stream) = cx.app.stream(cx.view) else {
        p.put(
            inner.x + 1,
            inner.y,
            inner.width.saturating_sub(2),
            &clip_words("There is no data stream yet.", inner.width.saturating_sub(2)),
            Role::Dim,
        );
        return;
    };
    let labels = if tall && inner.width >= 70 { 6 } else { 0 };
    if inner.height < 2 || inner.width < 20 {
        return;
    }
    let ribbon = Ribbon::new(inner.x + 1, inner.width - 3 - labels, stream);
    if ribbon.open.is_empty() {
        p.put(
            inner.x + 1,
            inner.y,
            inner.width - 2,
            &clip_words(&format!("{} is {}: no open shard", stream.name, stream.status), inner.width - 2),
            Role::Dim,
        );
        return;
    }
    let cells = inner.width - 2;
    let x = inner.x + 1;
    if !tall {
        ribbon.load(p, inner.y);
        if !probe_field(cx, p, x, inner.y + 1, cells) {
            match probe_words(stream) {
                Some(words) => {
                    p.put(x, inner.y + 1, cells, &clip_words(&words, cells), Role::Text);
                }
                None if focused && cx.app.map_cursor.is_some() => ribbon.cursor(p, inner.y + 1, cx.app.cursor(cx.view)),
                None => ribbon.names(cx, p, inner.y + 1, false, stream),
            }
        }
        return;
    }
    let mut y = inner.y;
    ribbon.ruler(p, y);
    ribbon.names(cx, p, y + 1, true, stream);
    ribbon.load(p, y + 2);
    ribbon.keys(p, y + 3, stream);
    if labels > 0 {
        for (row, word) in [(1, "shard"), (2, "load"), (3, "keys")] {
            p.put(ribbon.x + ribbon.cells + 2, y + row, 5, word, Role::Dim);
        }
    }
    let at = cx.app.cursor(cx.view);
    ribbon.cursor(p, y + 4, at);
    y += 5;
    let spacious = inner.bottom() - y >= 4;
    y += u16::from(spacious);
    if !probe_field(cx, p, x, y, cells) {
        let words = probe_words(stream).unwrap_or_else(|| format!("{} and type a partition key", cx.app.look.keymap.name(ActionId::ProbeKey)));
        p.put(x, y, 8, "probe", Role::Key);
        p.put(x + 8, y, cells - 8, &clip_words(&words, cells - 8), Role::Text);
    }
    y += 1;
    let target = topology::shard_at(stream, at).or_else(|| cx.app.shard(cx.view));
    let mut idea = None;
    if let Some(target) = target.filter(|_| y < inner.bottom()) {
        let (words, role) = match topology::split(stream, target, at) {
            Ok(preview) => {
                idea = preview.lines.get(4).cloned();
                (format!("{}; {}", preview.lines[0], preview.lines[1]), Role::Text)
            }
            Err(why) => (why, Role::Dim),
        };
        p.put(x, y, 8, "split", Role::Key);
        p.put(x + 8, y, cells - 8, &clip_words(&words, cells - 8), role);
        y += 1;
    }
    if let Some(chosen) = cx.app.shard(cx.view).filter(|_| y < inner.bottom()) {
        let (label, words, role) = match (idea, topology::merge(stream, chosen)) {
            (Some(idea), _) => ("idea", idea, Role::Hint),
            (None, Ok(preview)) => ("merge", format!("{}; {}", preview.lines[0], preview.lines[1]), Role::Text),
            (None, Err(why)) => ("merge", why, Role::Dim),
        };
        p.put(x, y, 8, label, if role == Role::Hint { Role::Hint } else { Role::Key });
        p.put(x + 8, y, cells - 8, &clip_words(&words, cells - 8), role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ribbon_covers_the_hash_space() {
        assert_eq!(cell_of(HashKey::MIN, 60), 0);
        assert_eq!(cell_of(HashKey::MAX, 60), 59);
        assert_eq!(cell_of(HashKey(1 << 127), 60), 30);
        assert_eq!(cell_of(HashKey::MAX, 0), 0);
    }

    #[test]
    fn density_is_kept_whatever_the_width() {
        let stream = StreamView { key_density: vec![8, 0, 0, 4], ..StreamView::default() };
        assert_eq!((0..8).map(|c| density(&stream, c, 8)).collect::<Vec<_>>(), [8, 8, 0, 0, 0, 0, 4, 4]);
        assert_eq!((0..2).map(|c| density(&stream, c, 2)).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(density(&StreamView::default(), 0, 5), 0);
    }
}
