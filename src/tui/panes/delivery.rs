//! A delivery stream: the race of its two hints with a forecast, what is tried again, and where every record is.

use ratatui::layout::Rect;

use super::{Cx, frame};
use crate::engine::view::DeliveryStreamView;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{bytes, clip_words, delay, grouped, permille};
use crate::tui::theme::Role;

/// The sentence of the race: which hint wins, and when.
pub fn forecast(stream: &DeliveryStreamView) -> (String, Role) {
    match (stream.to_size_ms, stream.to_interval_ms) {
        (_, None) => ("The buffer is empty: its interval begins with the next record.".to_owned(), Role::Dim),
        (Some(size), Some(interval)) if size <= interval => (format!("size wins in {}", delay(size)), Role::Ok),
        (_, Some(interval)) => (format!("time wins in {}", delay(interval)), Role::Warn),
    }
}

/// `came in 12 = delivered 10 + …`, amounts of zero left out.
pub fn equation(stream: &DeliveryStreamView) -> String {
    let parts: Vec<String> =
        stream.accounting.iter().skip(1).filter(|(_, amount)| *amount > 0).map(|(name, amount)| format!("{name} {}", grouped(*amount))).collect();
    let came = stream.accounting.first().map_or(0, |(_, amount)| *amount);
    if parts.is_empty() { format!("came in {}", grouped(came)) } else { format!("came in {} = {}", grouped(came), parts.join(" + ")) }
}

fn hint(p: &mut Painter<'_>, x: u16, y: u16, cells: u16, (name, part, words): (&str, u64, String), wins: bool) {
    let words_cells = u16::try_from(words.chars().count()).unwrap_or(0).min(cells);
    let at = p.put(x, y, 6, name, if wins { Role::Accent } else { Role::Text });
    let bar = cells.saturating_sub((at - x) + words_cells + 3);
    let full = u16::try_from(u64::from(bar) * part.min(1000) / 1000).unwrap_or(0);
    let g = p.glyphs;
    p.repeat(at + 1, y, bar, g.track, Role::Border);
    p.repeat(at + 1, y, full, g.full, if wins { Role::Series1 } else { Role::Series2 });
    p.put_right(x, x + cells, y, &words, Role::Text);
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let all = &cx.view.world.deliveries;
    let chosen = cx.app.delivery.min(all.len().saturating_sub(1));
    let Some(stream) = all.get(chosen) else {
        let inner = frame(cx, PaneId::Delivery, area, p, "Delivery stream", "", &[], "");
        let words = "No delivery stream yet. The guide says how to create one.";
        p.put(inner.x + 1, inner.y, inner.width.saturating_sub(2), &clip_words(words, inner.width.saturating_sub(2)), Role::Dim);
        return;
    };
    let right = format!("{}  from {}", stream.status, stream.source);
    let note = if all.len() > 1 { format!("{} of {}", chosen + 1, all.len()) } else { String::new() };
    let inner = frame(cx, PaneId::Delivery, area, p, &stream.name, &right, &[], &note);
    let (x, cells) = (inner.x + 1, inner.width.saturating_sub(2));
    let size = permille(stream.buffer_bytes, stream.size_bytes);
    let time = permille(stream.buffer_age_ms, stream.interval_ms.max(1));
    let size_wins = matches!((stream.to_size_ms, stream.to_interval_ms), (Some(a), Some(b)) if a <= b);
    let mut y = inner.y;
    let mut line = |p: &mut Painter<'_>, text: &str, role: Role| {
        if y < inner.bottom() {
            p.put(x, y, cells, &clip_words(text, cells), role);
        }
        y += 1;
    };
    let place = format!("{} to {}", stream.format, stream.destination);
    line(p, &super::super::text::clip(&place, cells), Role::Text);
    if inner.height > 2 {
        hint(p, x, inner.y + 1, cells, ("size", size, format!("{} / {} MiB", bytes(stream.buffer_bytes), stream.size_bytes >> 20)), size_wins);
        hint(p, x, inner.y + 2, cells, ("time", time, format!("{} / {} s", stream.buffer_age_ms / 1000, stream.interval_ms / 1000)), !size_wins);
        line(p, "", Role::Text);
        line(p, "", Role::Text);
    }
    let (words, role) = forecast(stream);
    let more = if stream.buffers > 1 { format!("   {} partitions buffered", stream.buffers) } else { String::new() };
    line(p, &format!("► {words}{more}"), role);
    let sign = if stream.balanced { "✓" } else { "✗" };
    line(p, &format!("{sign} {}", equation(stream)), if stream.balanced { Role::Ok } else { Role::Bad });
    if let Some(trouble) = &stream.trouble {
        line(p, &format!("✗ its destination: {trouble}"), Role::Bad);
    }
    for retry in &stream.retries {
        line(p, &format!("! {retry}"), Role::Warn);
    }
    if stream.throttled > 0 {
        line(p, &format!("! {} records were refused by the put quota", grouped(stream.throttled)), Role::Refused);
    }
    if let Some(oldest) = stream.oldest_ms {
        line(p, &format!("DataFreshness {}   duplicates {}", delay(oldest), grouped(stream.duplicates)), Role::Text);
    }
    for (place, count) in &stream.taken {
        line(p, &format!("{place}: {} records", grouped(*count)), Role::Text);
    }
    for copy in &stream.copies {
        line(p, copy, Role::Dim);
    }
}
