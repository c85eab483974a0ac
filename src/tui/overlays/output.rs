//! Output of a command, a record, a log, an error: text that scrolls. Nothing is cut; lines that are too long go on in the next.

use ratatui::layout::Rect;

use super::{keys, open, place};
use crate::tui::app::OutputBox;
use crate::tui::hit::Page;
use crate::tui::paint::Painter;
use crate::tui::text::{chop, width, wrap};
use crate::tui::theme::Role;

/// Draws the layer.
pub fn draw(state: &OutputBox, screen: Rect, p: &mut Painter<'_>) {
    let room = screen.width.saturating_sub(8).min(110);
    // Sentences are broken between words, data where the line is full.
    let sentence = |line: &str| {
        width(line) > room
            && !line.trim_start().starts_with(['{', '[', '"'])
            && line.split_whitespace().all(|w| width(w) <= room)
            && !line.contains("  ")
    };
    let lines: Vec<String> = state.text.lines().flat_map(|l| if sentence(l) { wrap(l, room) } else { chop(l, room) }).collect();
    let longest = lines.iter().map(|l| width(l)).max().unwrap_or(0).max(width(&state.title) + 4).max(44).min(room);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
    let area = place(screen, longest + 4, height);
    let page = usize::from(area.height.saturating_sub(4));
    let max = lines.len().saturating_sub(page);
    let at = usize::from(state.scroll).min(max);
    let right = if max > 0 { format!("lines {}–{} of {}", at + 1, at + page, lines.len()) } else { String::new() };
    let hints = if max > 0 { keys(&[("Esc", "close"), ("PgDn", "more"), ("y", "copy")]) } else { keys(&[("Esc", "close"), ("y", "copy")]) };
    let title = if state.failed { format!("✗ {}", state.title) } else { state.title.clone() };
    let inner = open(p, area, &title, &right, &hints);
    let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    p.hits.overlay_page = Page { lines: cells(page), max: cells(max), at: cells(at) };
    for (i, line) in lines.iter().skip(at).take(page).enumerate() {
        let role = if state.failed { Role::Bad } else { Role::Overlay };
        p.put(inner.x + 1, inner.y + 1 + cells(i), inner.width.saturating_sub(2), line, role);
    }
}
