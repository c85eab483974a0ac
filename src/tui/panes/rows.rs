//! The newest rows of an in-application stream: filtered, held while the list is paused, counted honestly.

use ratatui::layout::Rect;

use super::application::nothing;
use super::{Cx, frame, paged, scroll_to};
use crate::engine::time::VirtualTime;
use crate::engine::view::InAppStreamView;
use crate::tui::action::ActionId;
use crate::tui::app::{App, Field};
use crate::tui::hit::Target;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{clip, grouped, width, wrap};
use crate::tui::theme::Role;

/// A row as views hold it.
pub type Row = (VirtualTime, Vec<String>);

/// Whether a row passes a filter: `text` in any cell, or `column ~ text`; any case.
fn passes(stream: &InAppStreamView, row: &Row, filter: &str) -> bool {
    let holds = |cell: &String, text: &str| cell.to_lowercase().contains(text);
    let lower = filter.to_lowercase();
    if let Some((column, text)) = lower.split_once('~') {
        let (column, text) = (column.trim(), text.trim());
        return stream.columns.iter().zip(&row.1).any(|(name, cell)| name.to_lowercase() == column && holds(cell, text));
    }
    row.1.iter().any(|cell| holds(cell, lower.trim()))
}

/// The rows that the filter lets through, newest first.
pub fn matching<'v>(app: &App, stream: &'v InAppStreamView) -> Vec<&'v Row> {
    let filter = match &app.field {
        Some((Field::Rows, line)) => Some(line.text()),
        _ => app.rows.filter.clone(),
    };
    stream.newest.iter().filter(|row| filter.as_ref().is_none_or(|filter| filter.trim().is_empty() || passes(stream, row, filter))).collect()
}

/// A row with a line per column, for reading and copying.
pub fn vertical(stream: &InAppStreamView, row: &Row) -> String {
    let name_cells = stream.columns.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(7);
    let mut text = format!("{:<name_cells$}  {}\n", "ROWTIME", row.0);
    for (name, cell) in stream.columns.iter().zip(&row.1) {
        text.push_str(&format!("{name:<name_cells$}  {cell}\n"));
    }
    text
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let app = cx.app;
    let Some(stream) = app.in_app_stream(cx.view) else {
        return nothing(cx, PaneId::SqlRows, area, p, "Rows appear when the application runs.");
    };
    let rows = matching(app, stream);
    let page = usize::from(area.height.saturating_sub(3));
    let chosen = app.rows.selected.min(rows.len().saturating_sub(1));
    let from = scroll_to(0, chosen, page, rows.len());
    let shown = page.min(rows.len() - from);
    let filter = match &app.field {
        Some((Field::Rows, line)) => Some(line.text()),
        _ => app.rows.filter.clone(),
    };
    let live = cx.app.live_stream(cx.view).map_or(0, |live| live.rows);
    let mut right =
        if app.rows.frozen.is_some() { format!("PAUSED, {} new rows  ", grouped(live.saturating_sub(stream.rows))) } else { String::new() };
    if filter.is_some() {
        right.push_str(&format!("{} of the newest {} match  ", rows.len(), stream.newest.len()));
    }
    right.push_str(&format!("{shown} of {} rows shown, newest first", grouped(stream.rows)));
    let title = filter.as_ref().map_or_else(|| stream.name.clone(), |filter| format!("{}  filter: {filter}", stream.name));
    let keys = [
        cx.key(ActionId::Filter, "filter"),
        cx.key(ActionId::PauseList, "pause the list"),
        cx.key(ActionId::Open, "whole row"),
        cx.key(ActionId::Copy, "copy"),
        cx.key(ActionId::EditCode, "edit the SQL"),
    ];
    let inner = frame(cx, PaneId::SqlRows, area, p, &title, &right, &keys, "");
    if let Some((Field::Rows, line)) = &app.field {
        let at = area.x + 3 + width(&stream.name) + width("  filter: ") + width(&line.before_cursor());
        p.hits.cursor = Some((at.min(area.right().saturating_sub(2)), area.y));
    }
    paged(p, PaneId::SqlRows, page, rows.len().saturating_sub(page), from);
    let (x, cells) = (inner.x + 1, inner.width.saturating_sub(2));
    if inner.height == 0 {
        return;
    }
    if rows.is_empty() {
        let words = match (&filter, stream.why.is_empty()) {
            (Some(_), _) if !stream.newest.is_empty() => "No row matches. Esc takes the filter away; 'column ~ text' looks in one column.",
            (_, true) => "No row yet.",
            _ => &stream.why,
        };
        for (i, line) in wrap(words, cells).iter().take(usize::from(inner.height)).enumerate() {
            p.put(x, inner.y + u16::try_from(i).unwrap_or(0), cells, line, Role::Dim);
        }
        return;
    }
    // Each column as wide as its name and the values shown, the widest ones cut.
    let seen = &rows[from..from + shown];
    let widths: Vec<u16> = stream
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let widest = seen.iter().filter_map(|(_, row)| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
            u16::try_from(widest.max(name.chars().count()).min(28)).unwrap_or(28)
        })
        .collect();
    let put_row = |p: &mut Painter<'_>, y: u16, first: &str, row: &[String], role: Role| {
        let mut at = p.put(x, y, 13, first, Role::Dim).max(x + 12) + 1;
        for (cell, width) in row.iter().zip(&widths) {
            if at >= x + cells {
                return;
            }
            let room = (*width).min(x + cells - at);
            p.put(at, y, room, &clip(cell, room), role);
            at += width + 1;
        }
    };
    put_row(p, inner.y, "ROWTIME", &stream.columns, Role::Title);
    for (i, (time, row)) in seen.iter().enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        put_row(p, y, &time.clock_millis_text(), row, Role::Text);
        let whole = Rect::new(inner.x, y, inner.width, 1);
        p.hit(whole, Target::SqlRow(from + i));
        if from + i == chosen && cx.focus == PaneId::SqlRows {
            p.lay_over(whole, Role::Selection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_look_in_one_column_or_in_all() {
        let stream = InAppStreamView { columns: vec!["campaign".to_owned(), "n".to_owned()], ..InAppStreamView::default() };
        let row = (VirtualTime(0), vec!["BlackFriday".to_owned(), "338".to_owned()]);
        for (filter, wanted) in [("black", true), ("33", true), ("n ~ 33", true), ("N~black", false), ("campaign ~ Friday", true), ("x ~ 3", false)] {
            assert_eq!(passes(&stream, &row, filter), wanted, "{filter}");
        }
        assert_eq!(vertical(&stream, &row).lines().last(), Some("n         338"));
    }
}
