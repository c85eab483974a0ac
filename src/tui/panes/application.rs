//! A SQL application: its state and code, and its in-application streams.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, range_note, scroll_to};
use crate::engine::view::ApplicationView;
use crate::tui::action::ActionId;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{clip, clip_words, grouped, plural};
use crate::tui::theme::Role;

/// An application that is less behind its source than that is not told of.
const BEHIND_MS: u64 = 2000;

/// The application shown.
fn shown<'v>(cx: &Cx<'v>) -> Option<&'v ApplicationView> {
    cx.app.application(cx.view)
}

pub(super) fn nothing(cx: &Cx<'_>, pane: PaneId, area: Rect, p: &mut Painter<'_>, words: &str) {
    let inner = frame(cx, pane, area, p, pane.title(), "", &[], "");
    p.put(inner.x + 1, inner.y, inner.width.saturating_sub(2), &clip_words(words, inner.width.saturating_sub(2)), Role::Dim);
}

/// State and code.
pub fn draw_code(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let Some(application) = shown(cx) else { return nothing(cx, PaneId::SqlCode, area, p, "No application yet: app create NAME.") };
    let count = cx.view.world.applications.len();
    let others = if count > 1 { format!("{count} applications  ") } else { String::new() };
    let right = format!("{others}{}  version {}", application.status, application.version);
    let mut keys = vec![cx.key(ActionId::EditCode, "edit"), cx.key(ActionId::Open, "whole code")];
    if count > 1 {
        keys.push(cx.key(ActionId::Right, "next application"));
    }
    let inner = frame(cx, PaneId::SqlCode, area, p, &format!("Application {}", application.name), &right, &keys, "");
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
    if application.behind_ms >= BEHIND_MS {
        let behind = format!("{}.{} s behind its source", application.behind_ms / 1000, application.behind_ms % 1000 / 100);
        lines.push((behind, Role::Warn));
    }
    if let Some(processing) = &application.processing {
        let (ok, dropped, failed) = processing.counts;
        let counts = format!("function {}   {} ok, {} dropped, {} failed", processing.function, grouped(ok), grouped(dropped), grouped(failed));
        lines.push((counts, if failed > 0 { Role::Warn } else { Role::Text }));
        lines.extend(processing.trouble.iter().map(|why| (format!("it fails: {why}"), Role::Warn)));
    }
    if let Some(reference) = &application.reference {
        lines.push((format!("reference table {reference}"), Role::Text));
    }
    for output in &application.outputs {
        let role = if output.waiting > 0 { Role::Warn } else { Role::Text };
        lines.push((format!("{} → {}   {} delivered, {} wait", output.stream, output.to, grouped(output.delivered), grouped(output.waiting)), role));
        lines.extend(output.trouble.iter().map(|why| (format!("  {why}"), Role::Warn)));
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
