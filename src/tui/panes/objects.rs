//! Delivered objects, newest first: when, why, where, how many records, how large.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, range_note, scroll_to};
use crate::engine::view::DeliveredView;
use crate::tui::action::ActionId;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{bytes, clip_words, grouped, plural, width};
use crate::tui::theme::Role;

/// The objects of the delivery stream shown.
pub fn of<'v>(cx: &Cx<'v>) -> &'v [DeliveredView] {
    let all = &cx.view.world.deliveries;
    all.get(cx.app.delivery.min(all.len().saturating_sub(1))).map_or(&[], |stream| &stream.objects)
}

/// The end of a key that fits: the folders matter less than the name.
fn tail(key: &str, cells: u16) -> String {
    if width(key) <= cells {
        return key.to_owned();
    }
    let keep = usize::from(cells.saturating_sub(1));
    let count = key.chars().count();
    format!("…{}", key.chars().skip(count.saturating_sub(keep)).collect::<String>())
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let objects = of(cx);
    let page = usize::from(area.height.saturating_sub(3));
    let chosen = cx.app.object.min(objects.len().saturating_sub(1));
    let from = scroll_to(0, chosen, page, objects.len());
    let total: u64 = objects.iter().map(|object| object.bytes).sum();
    let right = if objects.is_empty() { String::new() } else { format!("{}  {}", plural(objects.len() as u64, "object"), bytes(total)) };
    let note = range_note(from, page.min(objects.len() - from), objects.len());
    let inner = frame(
        cx,
        PaneId::Objects,
        area,
        p,
        "Delivered objects",
        &right,
        &[cx.key(ActionId::Open, "rows of it"), cx.key(ActionId::Copy, "copy key")],
        &note,
    );
    paged(p, PaneId::Objects, page, objects.len().saturating_sub(page), from);
    if inner.height == 0 {
        return;
    }
    if objects.is_empty() {
        let words = "Nothing was delivered yet: a buffer closes by size or by time.";
        p.put(inner.x + 1, inner.y, inner.width - 2, &clip_words(words, inner.width - 2), Role::Dim);
        return;
    }
    let (x, end) = (inner.x + 1, inner.right() - 1);
    let (bytes_x, records_x) = (end, end.saturating_sub(11));
    p.put(x + 2, inner.y, 12, "delivered", Role::Title);
    p.put(x + 12, inner.y, 5, "why", Role::Title);
    p.put(x + 17, inner.y, 5, "key", Role::Title);
    p.put_right(x, records_x, inner.y, "records", Role::Title);
    p.put_right(x, bytes_x, inner.y, "bytes", Role::Title);
    for (i, object) in objects.iter().skip(from).take(page).enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        if object.errors {
            p.put(x, y, 1, "!", Role::Warn);
        }
        p.put(x + 2, y, 9, &object.at.clock_text(), Role::Dim);
        let (why, role) = if object.errors {
            ("ERR", Role::Warn)
        } else if object.by_size {
            ("SIZE", Role::Ok)
        } else {
            ("TIME", Role::Text)
        };
        p.put(x + 12, y, 4, why, role);
        let key_cells = records_x.saturating_sub(10).saturating_sub(x + 17);
        p.put(x + 17, y, key_cells, &tail(&object.key, key_cells), Role::Text);
        p.put_right(records_x - 9, records_x, y, &grouped(object.records), Role::Text);
        p.put_right(bytes_x - 10, bytes_x, y, &bytes(object.bytes), Role::Text);
        p.hit(Rect::new(inner.x, y, inner.width, 1), crate::tui::hit::Target::Object(from + i));
        if from + i == chosen && cx.focus == PaneId::Objects {
            p.lay_over(Rect::new(inner.x, y, inner.width, 1), Role::Selection);
        }
    }
}
