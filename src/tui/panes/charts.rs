//! CloudWatch-named charts: every second of the last one or five minutes, the limit drawn where it is near, values now and at most.

use ratatui::layout::Rect;

use super::{Cx, paged, range_note};
use crate::engine::view::{AlarmView, MetricView, StreamView};
use crate::tui::action::ActionId;
use crate::tui::hit::Target;
use crate::tui::ids::PaneId;
use crate::tui::paint::{Frame, Painter};
use crate::tui::text::{bytes, clip, compact, delay, width};
use crate::tui::theme::Role;

fn value(unit: &str, v: u64) -> String {
    match unit {
        "Bytes" => bytes(v),
        "Milliseconds" => delay(v),
        _ => compact(v),
    }
}

/// What all open shards together can take of a metric per second.
fn limit(metric: &MetricView, streams: &[StreamView]) -> Option<u64> {
    let stream = streams.iter().find(|s| metric.dimensions.contains(&format!("StreamName={}", s.name)))?;
    let shards = u64::from(stream.open_shards);
    match metric.metric.as_str() {
        "IncomingBytes" => Some(stream.write_bytes_per_second.saturating_mul(shards)),
        "IncomingRecords" => Some(stream.write_records_per_second.saturating_mul(shards)),
        "GetRecords.Bytes" => Some(stream.read_bytes_per_second.saturating_mul(shards)),
        _ => None,
    }
}

/// Where an alarm's line lies in a chart by the second: a sum over its period is spread over the period's seconds.
fn per_second_threshold(alarm: &AlarmView) -> u64 {
    let spread = if matches!(alarm.statistic.as_str(), "Sum" | "SampleCount") { alarm.period_secs.max(1) } else { 1 };
    alarm.threshold_milli / 1000 / spread
}

/// The series in `cells` columns, newest at the right: means of equal numbers of seconds, so that nothing is left out.
fn columns(series: &[u64], cells: usize) -> (Vec<u64>, usize) {
    let each = series.len().div_ceil(cells.max(1)).max(1);
    let mut out: Vec<u64> = series.rchunks(each).map(|c| c.iter().sum::<u64>() / c.len() as u64).collect();
    out.reverse();
    (out, each)
}

fn chart(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>, metric: &MetricView, focused: bool) {
    let name = metric.dimensions.split('=').next_back().unwrap_or("");
    let inner = p.frame(area, &Frame { title: &metric.metric, right: name, focused, ..Frame::default() });
    if inner.height < 3 || inner.width < 16 {
        return;
    }
    let other = cx.view.compared.as_ref().and_then(|compared| compared.of(metric)).unwrap_or(&[]);
    let beside = other.iter().flatten().copied().max();
    let max = metric.per_second.iter().copied().max().unwrap_or(0).max(beside.unwrap_or(0));
    let limit = limit(metric, &cx.view.world.streams).filter(|l| *l > 0 && max >= *l / 2);
    let watched = cx.view.world.alarms.iter().find(|alarm| alarm.metric == metric.metric && alarm.dimensions == metric.dimensions);
    let threshold = watched.map(per_second_threshold);
    let top = max.max(limit.unwrap_or(0)).max(threshold.filter(|threshold| max >= *threshold / 4).unwrap_or(0)).max(1);
    let label = value(&metric.unit, top);
    let axis = inner.x + 1 + width(&label).max(4);
    let (plot_x, cells) = (axis + 1, inner.right().saturating_sub(axis + 2));
    let rows = inner.height - 2;
    let base = inner.y + rows;
    p.put_right(inner.x, axis, inner.y, &label, Role::Dim);
    for y in inner.y..base {
        p.sign(axis, y, p.glyphs.axis_top, Role::Border);
    }
    p.put_right(inner.x, axis, base, "0", Role::Dim);
    p.sign(axis, base, p.glyphs.axis_zero, Role::Border);
    p.repeat(plot_x, base, cells, p.glyphs.rail, Role::Border);
    let eighths = u64::from(rows) * 8;
    if let Some(limit) = limit {
        let at = (u128::from(limit) * u128::from(rows) / u128::from(top)) as u16;
        p.repeat(plot_x, base - at.clamp(1, rows), cells, p.glyphs.gap, Role::Limit);
    }
    if let Some(threshold) = threshold.filter(|threshold| *threshold <= top) {
        let at = (u128::from(threshold) * u128::from(rows) / u128::from(top)) as u16;
        p.repeat(plot_x, base - at.clamp(1, rows), cells, p.glyphs.gap, Role::Bad);
    }
    let (values, each) = columns(&metric.per_second, usize::from(cells));
    let alarm = metric.metric.contains("Exceeded");
    let start = plot_x + cells.saturating_sub(u16::try_from(values.len()).unwrap_or(cells));
    for (i, v) in (0u16..).zip(&values) {
        if *v == 0 {
            continue;
        }
        let height = (u128::from(*v) * u128::from(eighths) / u128::from(top)).max(1) as u64;
        let role = if alarm { Role::Refused } else { Role::Series1 };
        let full = u16::try_from(height / 8).unwrap_or(rows).min(rows);
        for row in 0..full {
            p.sign(start + i, base - 1 - row, p.glyphs.levels[7], role);
        }
        let rest = usize::try_from(height % 8).unwrap_or(0);
        if rest > 0 && full < rows {
            p.sign(start + i, base - 1 - full, p.glyphs.levels[rest - 1], role);
        }
    }
    // The other future as a line of dots: its height in each column, over the bars.
    let known: Vec<u64> = other.iter().map(|value| value.map_or(0, |value| value + 1)).collect();
    let (values, _) = columns(&known, usize::from(cells));
    for (i, value) in (0u16..).zip(&values).filter(|(_, value)| **value > 0) {
        let height = (u128::from(value - 1) * u128::from(rows) / u128::from(top)) as u16;
        p.sign(start + i, base - 1 - height.min(rows - 1), p.glyphs.beside, Role::Series2);
    }
    let now = metric.per_second.last().copied().unwrap_or(0);
    let period = if each == 1 { "each 1 s".to_owned() } else { format!("mean of {each} s") };
    let mut text =
        format!("now {}  max {}  {period}", value(&metric.unit, now), value(&metric.unit, metric.per_second.iter().copied().max().unwrap_or(0)));
    if let Some((beside, compared)) = beside.zip(cx.view.compared.as_ref()) {
        text = format!("now {}  {} {} max {}  {period}", value(&metric.unit, now), p.glyphs.beside, compared.name, value(&metric.unit, beside));
    }
    if metric.unit != "Milliseconds" {
        text.push_str(&format!("  sum 60 s {}", value(&metric.unit, metric.last_minute)));
    }
    if let Some(alarm) = watched {
        text = format!("{} {}: {} {} s  {text}", if alarm.state == "ALARM" { "!" } else { "alarm" }, alarm.name, alarm.statistic, alarm.period_secs);
    }
    if let Some(limit) = limit {
        text = format!("{text}  limit {}", value(&metric.unit, limit));
    }
    // Whole clauses only: what does not fit is left out from the end.
    while width(&text) + 2 > inner.width {
        match text.rsplit_once("  ") {
            Some((head, _)) => text = head.to_owned(),
            None => break,
        }
    }
    p.put(inner.x + 1, inner.bottom() - 1, inner.width - 2, &clip(&text, inner.width - 2), Role::Text);
}

/// Draws the pane: as many charts as fit, the rest by scrolling.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    p.hit(area, Target::Pane(PaneId::Charts));
    let focused = cx.focus == PaneId::Charts && cx.app.overlays.is_empty();
    let metrics = &cx.view.world.metrics;
    if metrics.is_empty() {
        let inner = p.frame(area, &Frame { title: "Metrics", focused, ..Frame::default() });
        p.put(inner.x + 1, inner.y, inner.width.saturating_sub(2), "No metric yet: there is no data stream.", Role::Dim);
        return;
    }
    // Forty cells show a name and a minute; a chart needs seven lines.
    let across = (area.width / 40).clamp(1, 4).min(u16::try_from(metrics.len()).unwrap_or(1)).max(1);
    let down = (area.height / 9).max(1);
    let rows = u16::try_from(metrics.len().div_ceil(usize::from(across))).unwrap_or(u16::MAX);
    let down = down.min(rows);
    let from_row = cx.app.scroll.min(rows - down);
    let from = usize::from(from_row) * usize::from(across);
    let shown = (usize::from(across) * usize::from(down)).min(metrics.len() - from);
    paged(p, PaneId::Charts, usize::from(down), usize::from(rows - down), usize::from(from_row));
    for (i, metric) in metrics.iter().skip(from).take(shown).enumerate() {
        let (column, row) = (u16::try_from(i).unwrap_or(0) % across, u16::try_from(i).unwrap_or(0) / across);
        let left = area.x + area.width * column / across;
        let right = area.x + area.width * (column + 1) / across;
        let top = area.y + area.height * row / down;
        let bottom = area.y + area.height * (row + 1) / down;
        chart(cx, Rect::new(left, top, right - left, bottom - top), p, metric, focused);
    }
    let window = format!("{} min, {} changes", if cx.app.long_window { 5 } else { 1 }, cx.app.look.keymap.name(ActionId::ChartWindow));
    let note = range_note(from, shown, metrics.len()).replace("rows", "charts");
    let window = match &cx.view.compared {
        Some(compared) => format!("{} {}, {window}", p.glyphs.beside, compared.name),
        None => window,
    };
    let text = if note.is_empty() { format!(" {window} ") } else { format!(" {note}, {window} ") };
    p.put_right(area.x + 2, area.right().saturating_sub(2), area.bottom() - 1, &text, Role::Dim);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_every_second() {
        assert_eq!(columns(&[1, 2, 3], 10), (vec![1, 2, 3], 1));
        assert_eq!(columns(&[1, 3, 5, 7], 2), (vec![2, 6], 2));
        assert_eq!(columns(&[9, 1, 3, 5, 7], 3), (vec![9, 2, 6], 2));
        assert_eq!(columns(&[], 4), (vec![], 1));
    }
}
