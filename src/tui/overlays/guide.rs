//! The full text of the step over the screen, with everything that Enter can do in it.

use ratatui::layout::Rect;

use super::{open, place};
use crate::tui::action::ActionId;
use crate::tui::hit::Page;
use crate::tui::paint::Painter;
use crate::tui::panes::{Cx, guide};

/// Draws the layer.
pub fn draw(scroll: Option<u16>, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let area = place(screen, screen.width.saturating_sub(6).min(88), screen.height);
    let cells = area.width.saturating_sub(4);
    if cells < 8 || area.height < 4 {
        return;
    }
    let lines = guide::lines(cx, cells, p.glyphs);
    let page = usize::from(area.height - 2);
    let lab = &cx.view.lab;
    let right = if lines.len() > page {
        format!("step {}/{}  {} lines", lab.current + 1, lab.steps.len(), lines.len())
    } else {
        format!("step {}/{}", lab.current + 1, lab.steps.len())
    };
    let hints = [
        (format!("{}{}", cx.app.look.keymap.name(ActionId::Up), cx.app.look.keymap.name(ActionId::Down)), "choose"),
        cx.key(ActionId::Open, "run, explain, answer"),
        cx.key(ActionId::Hint, "hint"),
        cx.key(ActionId::PageDown, "more"),
        cx.key(ActionId::Back, "close"),
    ];
    let inner = open(p, area, "Guide", &right, &hints);
    let body = Rect::new(inner.x + 1, inner.y, cells, inner.height);
    let (at, max) = guide::draw_lines(cx, body, p, &lines, scroll, true);
    let small = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    p.hits.overlay_page = Page { lines: inner.height, max: small(max), at: small(at) };
}
