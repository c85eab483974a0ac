//! The shards of a stream, one row each, sorted by hash key so that rows never jump: demand against the limit, rates, delay, history. The same
//! table serves the Streams screen (in full) and the Overview (short). Columns come and go with the width; numbers never do.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, range_note, scroll_to};
use crate::engine::view::{Load, ShardView, StreamView};
use crate::tui::action::ActionId;
use crate::tui::app::BarUnit;
use crate::tui::hit::Target;
use crate::tui::ids::PaneId;
use crate::tui::paint::{Bar, Painter, tick};
use crate::tui::text::{clip_words, compact, delay, hash_range, kib, permille, plural, shard, width};
use crate::tui::theme::Role;

/// A column at the right of the bar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Kib,
    KibPercent,
    Records,
    RecordsPercent,
    Throttled,
    Age,
}

impl Column {
    const fn width(self) -> u16 {
        match self {
            Self::Kib | Self::Records | Self::Age => 7,
            Self::KibPercent | Self::RecordsPercent => 5,
            Self::Throttled => 6,
        }
    }

    const fn title(self, reads: bool) -> &'static str {
        match self {
            Self::Kib => "KiB/s",
            Self::KibPercent | Self::RecordsPercent => "%",
            Self::Records if reads => "calls",
            Self::Records => "rec/s",
            Self::Throttled => "thr/s",
            Self::Age => "age",
        }
    }

    fn text(self, load: &Load, stream: &StreamView, shards: u64, reads: bool, behind: Option<u64>) -> String {
        let of = |value, limit: u64| (permille(value, limit.saturating_mul(shards)).saturating_add(5) / 10).to_string();
        match self {
            Self::Kib if reads => compact(kib(load.read_bytes)),
            Self::Kib => compact(kib(load.accepted_bytes)),
            Self::KibPercent if reads => of(load.read_bytes, stream.read_bytes_per_second),
            Self::KibPercent => of(load.accepted_bytes, stream.write_bytes_per_second),
            Self::Records if reads => compact(load.read_calls),
            Self::Records => compact(load.accepted_records),
            // Five GetRecords calls a second is the limit of a shard.
            Self::RecordsPercent if reads => of(load.read_calls, 5),
            Self::RecordsPercent => of(load.accepted_records, stream.write_records_per_second),
            Self::Throttled => compact(load.refused_records),
            Self::Age => behind.map_or_else(|| "–".to_owned(), delay),
        }
    }
}

/// Where everything of a row goes.
struct Columns {
    state: Option<u16>,
    range: Option<(u16, usize)>,
    bar: (u16, u16),
    second_bar: Option<(u16, u16)>,
    right: Vec<(Column, u16)>,
    spark: Option<(u16, u16)>,
}

fn columns(inner: Rect, full: bool) -> Columns {
    let w = inner.width;
    let mut x = inner.x + 2 + 4 + 2;
    let mut state = None;
    let mut range = None;
    if full && w >= 84 {
        state = Some(x);
        x += 8;
    }
    if full && w >= 110 {
        range = Some((x, 8));
        x += 9 + 1 + 9 + 2;
    } else if full && w >= 70 {
        range = Some((x, 2));
        x += 3 + 1 + 3 + 3;
    }
    let mut set = vec![Column::Kib, Column::Records, Column::Throttled];
    if w >= 110 || (full && w >= 84) {
        set = vec![Column::Kib, Column::KibPercent, Column::Records, Column::RecordsPercent, Column::Throttled];
    }
    if full && w >= 72 {
        set.push(Column::Age);
    }
    let numbers: u16 = set.iter().map(|c| c.width()).sum();
    let history = if w >= 130 {
        w / 5
    } else if !full && w >= 70 {
        18
    } else if w >= 100 {
        14
    } else {
        0
    };
    let rest = inner.right().saturating_sub(x).saturating_sub(numbers + if history > 0 { history + 2 } else { 1 });
    let two = full && rest >= 70;
    let one = if two { (rest - 2) / 2 } else { rest };
    let second_bar = two.then_some((x + one + 2, one));
    let mut at = x + rest;
    let mut right = Vec::new();
    for column in set {
        at += column.width();
        right.push((column, at));
    }
    let spark = (history > 0).then_some((at + 2, history.saturating_sub(1)));
    Columns { state, range, bar: (x, one), second_bar, right, spark }
}

/// What the bar shows of a shard in a unit.
pub fn bar(s: &ShardView, stream: &StreamView, unit: BarUnit) -> Bar {
    let records = Bar {
        accepted: permille(s.load.accepted_records, stream.write_records_per_second),
        refused: permille(s.load.refused_records, stream.write_records_per_second),
    };
    let bytes = Bar {
        accepted: permille(s.load.accepted_bytes, stream.write_bytes_per_second),
        refused: permille(s.load.refused_bytes, stream.write_bytes_per_second),
    };
    match unit {
        BarUnit::Records => records,
        BarUnit::Bytes => bytes,
        BarUnit::Reads => Bar { accepted: permille(s.load.read_bytes, stream.read_bytes_per_second), refused: 0 },
        BarUnit::Binding if bytes.accepted + bytes.refused > records.accepted + records.refused => bytes,
        BarUnit::Binding => records,
    }
}

const fn unit_words(unit: BarUnit) -> &'static str {
    match unit {
        BarUnit::Binding => "ingest, binding limit",
        BarUnit::Records => "records in",
        BarUnit::Bytes => "bytes in",
        BarUnit::Reads => "bytes out",
    }
}

/// The limit in words: `1 MiB/s or 1000 rec/s`.
pub fn limit_words(stream: &StreamView, unit: BarUnit) -> String {
    let size = |n: u64| {
        if n >= 1 << 20 && n.is_multiple_of(1 << 20) {
            format!("{} MiB/s", n >> 20)
        } else if n >= 1_000_000 && n.is_multiple_of(1_000_000) {
            format!("{} MB/s", n / 1_000_000)
        } else {
            format!("{} KiB/s", kib(n))
        }
    };
    match unit {
        BarUnit::Binding => format!("{} or {} rec/s", size(stream.write_bytes_per_second), stream.write_records_per_second),
        BarUnit::Records => format!("{} rec/s", stream.write_records_per_second),
        BarUnit::Bytes => size(stream.write_bytes_per_second),
        BarUnit::Reads => size(stream.read_bytes_per_second),
    }
}

fn header(p: &mut Painter<'_>, inner: Rect, c: &Columns, unit: BarUnit) {
    let y = inner.y;
    p.put(inner.x + 2, y, 5, "shard", Role::Title);
    if let Some(x) = c.state {
        p.put(x, y, 7, "state", Role::Title);
    }
    if let Some((x, digits)) = c.range {
        p.put(x, y, if digits == 8 { 19 } else { 9 }, if digits == 8 { "hash key range" } else { "hash keys" }, Role::Title);
    }
    let (first, second) = if c.second_bar.is_some() { ("records in", Some("bytes in")) } else { (unit_words(unit), None) };
    for ((x, cells), words) in [Some((c.bar, first)), c.second_bar.zip(second)].into_iter().flatten() {
        // The tick of the limit stands in the heading too: when every shard is over it, no row shows it.
        let at = tick(cells);
        p.put(x, y, at.saturating_sub(1), &clip_words(words, at.saturating_sub(1)), Role::Title);
        let word = "limit";
        if at > width(words) + width(word) + 3 {
            p.put(x + at - width(word) - 1, y, width(word), word, Role::Limit);
        }
        p.sign(x + at, y, p.glyphs.limit, Role::Limit);
    }
    for (column, right) in &c.right {
        p.put_right(right - column.width(), *right, y, column.title(unit == BarUnit::Reads), Role::Title);
    }
    if let Some((x, cells)) = c.spark {
        p.put(x, y, cells, &format!("last {cells} s"), Role::Title);
    }
}

fn numbers(p: &mut Painter<'_>, y: u16, c: &Columns, load: &Load, stream: &StreamView, shards: u64, unit: BarUnit, behind: Option<u64>, total: bool) {
    let reads = unit == BarUnit::Reads;
    let over = load.refused_records > 0;
    for (column, right) in &c.right {
        let mut text = column.text(load, stream, shards, reads, behind);
        let mut role = if total { Role::Title } else { Role::Text };
        match column {
            Column::Throttled if over => role = Role::Bad,
            Column::Records if over && !reads => {
                // An alarm is a sign, not only a colour.
                text.push('!');
                role = Role::Bad;
            }
            Column::Age if total => continue,
            Column::Age if behind.is_some_and(|ms| ms > 10_000) => role = Role::Bad,
            _ => {}
        }
        // The `!` hangs over the column's right edge, so digits stay aligned.
        let edge = if text.ends_with('!') { right + 1 } else { *right };
        p.put_right(right - column.width(), edge, y, &text, role);
    }
}

fn row(cx: &Cx<'_>, p: &mut Painter<'_>, y: u16, inner: Rect, c: &Columns, s: &ShardView, stream: &StreamView, chosen: bool, focused: bool) {
    let unit = cx.app.bar_unit;
    let plain = if s.open { Role::Text } else { Role::Dim };
    if chosen {
        p.sign(inner.x, y, p.glyphs.selected, Role::Focus);
    }
    p.put(inner.x + 2, y, 5, &shard(s.number), if s.open { Role::Accent } else { Role::Dim });
    if let Some(x) = c.state {
        p.put(x, y, 7, if s.open { "open" } else { "closed" }, plain);
    }
    if let Some((x, digits)) = c.range {
        p.put(x, y, 19, &hash_range(s.hash_start, s.hash_end, digits), plain);
    }
    if !s.open && s.load == Load::default() {
        let child = stream.shards.iter().filter(|o| o.parent == Some(s.number) || o.adjacent_parent == Some(s.number));
        let names: Vec<String> = child.map(|o| shard(o.number)).collect();
        let words = match names.as_slice() {
            [] => "closed".to_owned(),
            names => format!("closed, continued by {}", names.join(" and ")),
        };
        p.put(c.bar.0, y, c.bar.1, &clip_words(&words, c.bar.1), Role::Dim);
    } else {
        let fill = if s.open { Role::Series1 } else { Role::Dim };
        let first = if c.second_bar.is_some() { BarUnit::Records } else { unit };
        p.bar(c.bar.0, y, c.bar.1, bar(s, stream, first), fill);
        if let Some((x, cells)) = c.second_bar {
            p.bar(x, y, cells, bar(s, stream, BarUnit::Bytes), Role::Series2);
        }
    }
    numbers(p, y, c, &s.load, stream, 1, unit, s.behind_ms, false);
    if let Some((x, cells)) = c.spark {
        p.sparkline(x, y, cells, &s.history);
    }
    let area = Rect::new(inner.x, y, inner.width, 1);
    p.hit(area, Target::Shard(s.number));
    if chosen && focused {
        p.lay_over(area, Role::Selection);
    }
}

/// Draws the pane.
pub fn draw(pane: PaneId, cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let full = pane == PaneId::Shards || area.width >= 130;
    let Some(stream) = cx.app.stream(cx.view) else {
        let inner = frame(cx, pane, area, p, if full { "Shards" } else { "Throughput" }, "", &[], "");
        p.put(
            inner.x + 1,
            inner.y,
            inner.width.saturating_sub(2),
            &clip_words("There is no data stream yet.", inner.width.saturating_sub(2)),
            Role::Dim,
        );
        return;
    };
    let unit = cx.app.bar_unit;
    let state = if stream.status == "ACTIVE" { stream.mode.clone() } else { format!("{} {}", stream.status, stream.mode) };
    let closed = if stream.closed_shards > 0 { format!(" ({} closed)", stream.closed_shards) } else { String::new() };
    let title = format!("{}  {}{closed}  {state}", stream.name, plural(u64::from(stream.open_shards), "shard"));
    let count = stream.shards.len();
    // Two borders, the heading; a line of totals when every row has its place.
    let body = usize::from(area.height.saturating_sub(3));
    let total = count > 1 && body > count;
    let page = body - usize::from(total);
    let chosen = cx.app.shard(cx.view).and_then(|s| stream.shards.iter().position(|x| x.number == s.number)).unwrap_or(0);
    let from = scroll_to(0, chosen, page, count);
    let shown = page.min(count - from.min(count));
    let many = cx.view.world.streams.len();
    let note = [range_note(from, shown, count), if many > 1 { format!("←→ {many} streams") } else { String::new() }];
    let note = note.into_iter().filter(|n| !n.is_empty()).collect::<Vec<_>>().join("  ");
    let limit = if area.width >= 100 {
        format!("limit ┊ {} per shard  accepted █  refused ▒", limit_words(stream, unit))
    } else {
        format!("limit ┊ {}", limit_words(stream, unit))
    };
    let keys = [
        cx.key(ActionId::Open, "inspect"),
        cx.key(ActionId::SplitShard, "split"),
        cx.key(ActionId::MergeShards, "merge"),
        cx.key(ActionId::BarUnit, "bar unit"),
        cx.key(ActionId::ProbeKey, "probe"),
    ];
    let inner = frame(cx, pane, area, p, &title, &limit, &keys, &note);
    if inner.height == 0 {
        return;
    }
    let c = columns(inner, full);
    header(p, inner, &c, unit);
    paged(p, pane, page, count.saturating_sub(page), from);
    if count == 0 {
        p.put(inner.x + 2, inner.y + 1, inner.width.saturating_sub(3), &format!("{} is {}: no shards yet", stream.name, stream.status), Role::Dim);
        return;
    }
    for (i, s) in stream.shards.iter().skip(from).take(page).enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        row(cx, p, y, inner, &c, s, stream, from + i == chosen, cx.focus == pane);
    }
    if total {
        let y = inner.y + 1 + u16::try_from(count).unwrap_or(0);
        p.put(inner.x + 1, y, 6, "total", Role::Title);
        numbers(p, y, &c, &stream.load, stream, u64::from(stream.open_shards), unit, None, true);
    }
}
