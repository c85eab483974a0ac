//! A question with one way out each: Enter does it, Esc does not. Shows the AWS call that will be made.

use ratatui::layout::Rect;

use super::{keys, open, place};
use crate::session::driver::Act;
use crate::tui::app::ConfirmBox;
use crate::tui::paint::Painter;
use crate::tui::text::{width, wrap};
use crate::tui::theme::Role;

/// Draws the layer.
pub fn draw(state: &ConfirmBox, screen: Rect, p: &mut Painter<'_>) {
    let room = screen.width.saturating_sub(12).min(72);
    let mut lines: Vec<(String, Role)> = state.lines.iter().flat_map(|l| wrap(l, room)).map(|l| (l, Role::Overlay)).collect();
    if let Act::Line(line) = &state.act {
        lines.push((String::new(), Role::Overlay));
        lines.push(("same as".to_owned(), Role::Dim));
        lines.extend(wrap(line, room).into_iter().map(|l| (l, Role::Accent)));
    }
    let longest = lines.iter().map(|(l, _)| width(l)).max().unwrap_or(0).max(width(&state.title) + 4).max(36);
    let area = place(screen, longest + 4, u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4));
    let inner = open(p, area, &state.title, "", &keys(&[("Enter", "yes"), ("Esc", "no")]));
    for (i, (line, role)) in lines.iter().enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        if y < inner.bottom() {
            p.put(inner.x + 1, y, inner.width.saturating_sub(2), line, *role);
        }
    }
}
