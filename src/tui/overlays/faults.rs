//! The menu of faults: what can go wrong, what is going wrong, for how long, and the line behind it.

use ratatui::layout::Rect;

use super::{keys, open, place};
use crate::tui::faults::{FaultBox, HOLDS, rows};
use crate::tui::hit::Target;
use crate::tui::paint::Painter;
use crate::tui::panes::Cx;
use crate::tui::text::{clip_words, width};
use crate::tui::theme::Role;

/// Draws the layer.
pub fn draw(state: FaultBox, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let faults = rows(cx.view);
    let area = place(screen, 78, u16::try_from(faults.len()).unwrap_or(u16::MAX).saturating_add(6));
    let hold = HOLDS[state.hold.min(HOLDS.len() - 1)].unwrap_or("until ended");
    let hints = keys(&[("Enter", "begin or end"), ("Left Right", "how long"), ("Esc", "close")]);
    let inner = open(p, area, "Faults", &format!("< {hold} >"), &hints);
    let (x, right) = (inner.x + 1, inner.right().saturating_sub(1));
    let selected = state.selected.min(faults.len().saturating_sub(1));
    let shown = usize::from(inner.height.saturating_sub(3)).max(1);
    let first = selected.saturating_sub(shown - 1);
    let names = faults.iter().map(|fault| width(&fault.resource)).max().unwrap_or(0).min(inner.width / 2);
    for (i, fault) in faults.iter().enumerate().skip(first).take(shown) {
        let y = inner.y + u16::try_from(i - first).unwrap_or(0);
        // Repeated names are not: the eye finds the resource by its first row.
        if i == first || faults[i - 1].resource != fault.resource {
            p.put(x, y, names, &clip_words(&fault.resource, names), Role::Overlay);
        }
        let at = x + names + 2;
        let mark = if fault.on { "ON " } else { "   " };
        let after = p.put(at, y, right.saturating_sub(at), mark, Role::Bad);
        let what = if fault.on { Role::Title } else { Role::Overlay };
        p.put(after, y, right.saturating_sub(after), &clip_words(fault.what, right.saturating_sub(after)), what);
        let row = Rect::new(inner.x, y, inner.width, 1);
        p.hit(row, Target::OverlayRow(i));
        if i == selected {
            p.lay_over(row, Role::Selection);
        }
    }
    if let Some(fault) = faults.get(selected)
        && inner.height > 2
    {
        let line = fault.line(state.hold);
        p.put(x, inner.bottom() - 1, right.saturating_sub(x), &format!("> {line}"), Role::Accent);
    }
}
