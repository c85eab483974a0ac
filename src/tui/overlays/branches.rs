//! Other futures: where each began, how far it came, what was done in it.

use ratatui::layout::Rect;

use super::{keys, open, place};
use crate::tui::hit::Target;
use crate::tui::paint::Painter;
use crate::tui::panes::Cx;
use crate::tui::text::{clip_words, span};
use crate::tui::theme::Role;

/// Draws the layer.
pub fn draw(selected: usize, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let branches = &cx.view.branches;
    let rows = u16::try_from(branches.len()).unwrap_or(u16::MAX).saturating_mul(2);
    let area = place(screen, 92, rows.saturating_add(4));
    let hints = keys(&[("Enter", "go to it"), ("c", "show it in the charts, or no more"), ("Esc", "close")]);
    let inner = open(p, area, "Branches", "* the present one", &hints);
    let cells = inner.width.saturating_sub(4);
    let shown = usize::from(inner.height.saturating_sub(1) / 2).max(1);
    let first = selected.saturating_sub(shown - 1);
    for (i, branch) in branches.iter().enumerate().skip(first).take(shown) {
        let y = inner.y + 1 + u16::try_from(i - first).unwrap_or(0) * 2;
        let began = branch.began_us.map_or_else(|| "from the start".to_owned(), |us| format!("began at {}", span(us)));
        let beside = if branch.compared { ", shown in the charts" } else { "" };
        let head = format!("{} {}", if branch.current { "*" } else { " " }, branch.name);
        let at = p.put(inner.x + 1, y, cells, &head, if branch.current { Role::Focus } else { Role::Title });
        let rest = format!("  {began}, until {}{beside}", span(branch.newest_us));
        p.put(at, y, inner.right().saturating_sub(at + 1), &rest, Role::Overlay);
        let lines = if branch.lines.is_empty() { "nothing was typed in it".to_owned() } else { branch.lines.join("; ") };
        if y + 1 < inner.bottom() {
            p.put(inner.x + 3, y + 1, cells.saturating_sub(2), &clip_words(&lines, cells.saturating_sub(2)), Role::Dim);
        }
        let row = Rect::new(inner.x, y, inner.width, 1);
        p.hit(row, Target::OverlayRow(i));
        if i == selected {
            p.lay_over(row, Role::Selection);
        }
    }
}
