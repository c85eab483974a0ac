//! The checks of a tiny window: one line of marks, and the coach's or the narrator's sentence below.

use ratatui::layout::Rect;

use super::{Cx, guide};
use crate::lab::view::CheckState;
use crate::tui::app::check_role;
use crate::tui::paint::{Frame, Painter};
use crate::tui::text::{clip_words, width};
use crate::tui::theme::Role;

/// Draws the box.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let checks = &cx.view.lab.step.checks;
    let met = checks.iter().filter(|c| c.state == CheckState::Met).count();
    let right = if checks.is_empty() { String::new() } else { format!("{met} of {}", checks.len()) };
    let inner = p.frame(area, &Frame { title: "checks", right: &right, ..Frame::default() });
    if inner.height == 0 {
        return;
    }
    // Open checks come first: what is met needs no room.
    let mut order: Vec<_> = checks.iter().collect();
    order.sort_by_key(|c| c.state == CheckState::Met);
    let mut x = inner.x + 1;
    let end = inner.right();
    for (i, check) in order.iter().enumerate() {
        let rest = u16::try_from(order.len() - i - 1).unwrap_or(0) * 4;
        let room = end.saturating_sub(x).saturating_sub(rest);
        let sign = guide::sign(p.glyphs, check.state);
        p.sign(x, inner.y, sign, check_role(check.state));
        let title = clip_words(&check.title, room.saturating_sub(4));
        x = p.put(x + 2, inner.y, room.saturating_sub(2), &title, Role::Text) + 2;
        if x + 3 > end {
            break;
        }
    }
    if checks.is_empty() {
        p.put(x, inner.y, end - x, &clip_words(&cx.view.lab.step.objective, end - x), Role::Text);
    }
    let (text, role) = guide::voice(cx);
    if inner.height > 1 && width(&text) > 0 {
        let room = inner.width.saturating_sub(2);
        p.put(inner.x + 1, inner.y + 1, room, &clip_words(&text, room), role);
    }
}
