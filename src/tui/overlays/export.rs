//! What can be written to a file, as a list to choose from.

use ratatui::layout::Rect;

use super::{keys, open, place};
use crate::tui::app::Export;
use crate::tui::hit::Target;
use crate::tui::paint::Painter;
use crate::tui::text::clip_words;
use crate::tui::theme::Role;

/// Draws the layer.
pub fn draw(chosen: usize, screen: Rect, p: &mut Painter<'_>) {
    let rows = u16::try_from(Export::ALL.len()).unwrap_or(u16::MAX);
    let area = place(screen, 66, rows + 6);
    let inner = open(p, area, "Export", "to the current folder", &keys(&[("Enter", "write"), ("1-4", "choose"), ("Esc", "close")]));
    let room = inner.width.saturating_sub(2);
    for (at, (_, what, _)) in Export::ALL.iter().enumerate() {
        let row = Rect::new(inner.x, inner.y + 1 + u16::try_from(at).unwrap_or(0), inner.width, 1);
        if row.y >= inner.bottom() {
            return;
        }
        p.put(row.x + 1, row.y, 2, &(at + 1).to_string(), Role::Key);
        p.put(row.x + 4, row.y, room.saturating_sub(3), &clip_words(what, room.saturating_sub(3)), Role::Overlay);
        p.hit(row, Target::OverlayRow(at));
        if at == chosen {
            p.lay_over(row, Role::Selection);
        }
    }
    let about = Export::ALL[chosen.min(Export::ALL.len() - 1)].2;
    if inner.height > rows + 2 {
        p.put(inner.x + 1, inner.y + rows + 2, room, &clip_words(about, room), Role::Dim);
    }
}
