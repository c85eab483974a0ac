//! What happened, newest first. The list follows the world, or stands still while it is paused (the world does not); counts are honest.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, scroll_to};
use crate::engine::view::JournalRow;
use crate::tui::action::ActionId;
use crate::tui::app::Field;
use crate::tui::hit::Target;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{clip, clip_words, grouped, width};
use crate::tui::theme::Role;

fn row(p: &mut Painter<'_>, x: u16, y: u16, cells: u16, row: &JournalRow, name_cells: u16) {
    let end = x + cells;
    let room = |at: u16| end.saturating_sub(at);
    let mut at = p.put(x, y, cells, &row.at.clock_millis_text(), Role::Dim) + 1;
    at = p.put(at, y, room(at), if row.alarm { "!" } else { " " }, Role::Bad) + 1;
    if name_cells > 0 {
        p.put(at, y, name_cells, &clip(&row.resource, name_cells), Role::Accent);
        at += name_cells + 2;
        p.put(at, y, 11, &clip(&row.kind, 11), if row.alarm { Role::Warn } else { Role::Text });
        at += 13;
    }
    p.put(at, y, room(at), &clip_words(&row.text, room(at)), Role::Text);
}

/// The newest rows without a frame, for small windows.
pub fn tail(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let rows = &cx.view.world.journal.rows;
    if rows.is_empty() && area.height > 0 {
        p.put(area.x + 1, area.y, area.width - 2, "The journal is empty: nothing happened yet.", Role::Dim);
    }
    for (i, r) in rows.iter().rev().take(usize::from(area.height)).enumerate() {
        let y = area.y + u16::try_from(i).unwrap_or(0);
        row(p, area.x + 1, y, area.width.saturating_sub(2), r, 0);
    }
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let app = cx.app;
    let journal = app.journal_view(cx.view);
    let page = usize::from(area.height.saturating_sub(2));
    let count = journal.rows.len();
    // Rows are newest last in the view, newest first on the screen.
    let place = |sequence| journal.rows.iter().rev().position(|r| r.sequence == sequence);
    let chosen = app.journal.selected.and_then(place).unwrap_or(0);
    let from = scroll_to(0, chosen, page, count);
    let shown = page.min(count - from);
    let filter = match &app.field {
        Some((Field::Filter, line)) => Some(line.text()),
        _ => app.journal.filter.clone(),
    };
    let mut right = match &app.journal.frozen {
        Some(frozen) => format!("PAUSED, {} new rows", grouped(cx.view.world.journal.matching.saturating_sub(frozen.matching))),
        None if from > 0 => "follow off".to_owned(),
        None => "follow on".to_owned(),
    };
    if filter.is_some() {
        right.push_str(&format!("  {} of {} rows match", grouped(journal.matching), grouped(journal.total)));
    } else {
        right.push_str(&format!("  {} of {} rows shown", grouped(shown as u64), grouped(journal.total)));
    }
    let title = filter.as_ref().map_or_else(|| "Journal".to_owned(), |f| format!("Journal  filter: {f}"));
    let keys = [
        cx.key(ActionId::Filter, "filter"),
        cx.key(ActionId::PauseList, "pause the list"),
        cx.key(ActionId::Follow, "follow"),
        cx.key(ActionId::Open, "move time there"),
    ];
    let inner = frame(cx, PaneId::Journal, area, p, &title, &right, &keys, "");
    if let Some((Field::Filter, line)) = &app.field {
        let at = area.x + 3 + width("Journal  filter: ") + width(&line.before_cursor());
        p.hits.cursor = Some((at.min(area.right().saturating_sub(2)), area.y));
    }
    paged(p, PaneId::Journal, page, count.saturating_sub(page), from);
    if inner.height == 0 {
        return;
    }
    if count == 0 {
        let words = if filter.is_some() { "No row holds this text. Esc takes the filter away." } else { "Nothing happened yet." };
        p.put(inner.x + 1, inner.y, inner.width.saturating_sub(2), words, Role::Dim);
        return;
    }
    let names = journal.rows.iter().rev().skip(from).take(page).map(|r| width(&r.resource)).max().unwrap_or(0);
    let names = if inner.width >= 76 { names.clamp(6, 20) } else { 0 };
    for (i, r) in journal.rows.iter().rev().skip(from).take(page).enumerate() {
        let y = inner.y + u16::try_from(i).unwrap_or(0);
        row(p, inner.x + 1, y, inner.width.saturating_sub(2), r, names);
        let whole = Rect::new(inner.x, y, inner.width, 1);
        p.hit(whole, Target::Journal(r.sequence));
        if from + i == chosen && cx.focus == PaneId::Journal {
            p.lay_over(whole, Role::Selection);
        }
    }
}
