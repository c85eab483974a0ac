//! A SQL application: its state and code, and the rows of its in-application streams.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, range_note, scroll_to};
use crate::engine::view::{ApplicationView, InAppStreamView};
use crate::tui::action::ActionId;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{clip, clip_words, grouped, plural};
use crate::tui::theme::Role;

/// The application shown.
pub fn shown<'v>(cx: &Cx<'v>) -> Option<&'v ApplicationView> {
    cx.view.world.application()
}

/// The in-application stream chosen.
fn stream<'v>(cx: &Cx<'v>) -> Option<&'v InAppStreamView> {
    let all = &shown(cx)?.streams;
    all.get(cx.app.in_app_stream.min(all.len().saturating_sub(1)))
}

fn nothing(cx: &Cx<'_>, pane: PaneId, area: Rect, p: &mut Painter<'_>, words: &str) {
    let inner = frame(cx, pane, area, p, pane.title(), "", &[], "");
    p.put(inner.x + 1, inner.y, inner.width.saturating_sub(2), &clip_words(words, inner.width.saturating_sub(2)), Role::Dim);
}

/// State and code.
pub fn draw_code(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let Some(application) = shown(cx) else { return nothing(cx, PaneId::SqlCode, area, p, "No application yet: app create NAME.") };
    let right = format!("{}  version {}", application.status, application.version);
    let inner =
        frame(cx, PaneId::SqlCode, area, p, &format!("Application {}", application.name), &right, &[cx.key(ActionId::Open, "whole code")], "");
    let (x, cells) = (inner.x + 1, inner.width.saturating_sub(2));
    let mut lines: Vec<(String, Role)> = vec![(
        format!(
            "reads {}   {} records   {}",
            application.input.as_deref().unwrap_or("nothing yet"),
            grouped(application.records),
            plural(application.errors, "error row")
        ),
        if application.errors > 0 { Role::Warn } else { Role::Text },
    )];
    if let Some(reference) = &application.reference {
        lines.push((format!("reference table {reference}"), Role::Text));
    }
    for output in &application.outputs {
        let role = if output.waiting > 0 { Role::Warn } else { Role::Text };
        lines.push((format!("{} → {}   {} delivered, {} wait", output.stream, output.to, grouped(output.delivered), grouped(output.waiting)), role));
    }
    lines.extend(application.code.lines().map(|line| (line.to_owned(), Role::Dim)));
    if application.code.is_empty() {
        lines.extend(application.columns.iter().map(|(name, kind)| (format!("{name:<22} {kind}"), Role::Dim)));
    }
    let page = usize::from(inner.height);
    paged(p, PaneId::SqlCode, page, lines.len().saturating_sub(page), 0);
    for (i, (text, role)) in lines.iter().take(page).enumerate() {
        p.put(x, inner.y + u16::try_from(i).unwrap_or(0), cells, &clip(text, cells), *role);
    }
}

/// The in-application streams with their rates.
pub fn draw_streams(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let all = shown(cx).map_or(&[][..], |application| &application.streams);
    if all.is_empty() {
        return nothing(cx, PaneId::InAppStreams, area, p, "In-application streams appear when the application runs.");
    }
    let page = usize::from(area.height.saturating_sub(2));
    let chosen = cx.app.in_app_stream.min(all.len() - 1);
    let from = scroll_to(0, chosen, page, all.len());
    let note = range_note(from, page.min(all.len() - from), all.len());
    let inner = frame(cx, PaneId::InAppStreams, area, p, "In-application streams", "rows, rows/s", &[], &note);
    paged(p, PaneId::InAppStreams, page, all.len().saturating_sub(page), from);
    for (i, stream) in all.iter().skip(from).take(page).enumerate() {
        let y = inner.y + u16::try_from(i).unwrap_or(0);
        let role = if stream.name == "error_stream" && stream.rows > 0 {
            Role::Warn
        } else if stream.source {
            Role::Text
        } else {
            Role::Accent
        };
        let right = format!("{:>9} {:>6}/s", grouped(stream.rows), grouped(stream.per_second));
        let at = p.put_right(inner.x + 1, inner.right() - 1, y, &right, Role::Text);
        let room = at.saturating_sub(inner.x + 2);
        p.put(inner.x + 1, y, room, &clip(&stream.name, room), role);
        p.hit(Rect::new(inner.x, y, inner.width, 1), crate::tui::hit::Target::InAppStream(from + i));
        if from + i == chosen {
            p.lay_over(Rect::new(inner.x, y, inner.width, 1), Role::Selection);
        }
    }
}

/// The newest rows of the stream chosen.
pub fn draw_rows(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let Some(stream) = stream(cx) else { return nothing(cx, PaneId::SqlRows, area, p, "Rows appear when the application runs.") };
    let page = usize::from(area.height.saturating_sub(3));
    let max = stream.newest.len().saturating_sub(page);
    let from = usize::from(cx.app.scroll).min(max);
    let note = range_note(from, page.min(stream.newest.len() - from), stream.newest.len());
    let inner = frame(cx, PaneId::SqlRows, area, p, &stream.name, &format!("{} rows, newest first", grouped(stream.rows)), &[], &note);
    paged(p, PaneId::SqlRows, page, max, from);
    let (x, cells) = (inner.x + 1, inner.width.saturating_sub(2));
    if inner.height == 0 {
        return;
    }
    if stream.newest.is_empty() {
        let words = if stream.why.is_empty() { "No row yet." } else { &stream.why };
        for (i, line) in crate::tui::text::wrap(words, cells).iter().take(usize::from(inner.height)).enumerate() {
            p.put(x, inner.y + u16::try_from(i).unwrap_or(0), cells, line, Role::Dim);
        }
        return;
    }
    // Each column as wide as its name and the values shown, the widest ones cut.
    let shown: Vec<_> = stream.newest.iter().skip(from).take(page).collect();
    let widths: Vec<u16> = stream
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let widest = shown.iter().filter_map(|(_, row)| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
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
    for (i, (time, row)) in shown.iter().enumerate() {
        put_row(p, inner.y + 1 + u16::try_from(i).unwrap_or(0), &time.clock_millis_text(), row, Role::Text);
    }
}
