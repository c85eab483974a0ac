//! The bill: price drivers with quantity and rounding, so far and per hour at the present load.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, range_note};
use crate::tui::action::ActionId;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{clip, clip_words, dollars, width};
use crate::tui::theme::Role;

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let cost = &cx.view.world.cost;
    let body = usize::from(area.height.saturating_sub(4));
    let from = usize::from(cx.app.scroll).min(cost.lines.len().saturating_sub(body));
    let note = range_note(from, body.min(cost.lines.len()), cost.lines.len());
    let inner = frame(cx, PaneId::Cost, area, p, "Cost", "per hour at the load of the last minute", &[cx.key(ActionId::WhatIf, "what if")], &note);
    if inner.height == 0 {
        return;
    }
    paged(p, PaneId::Cost, body, cost.lines.len().saturating_sub(body), from);
    let (x, right) = (inner.x + 1, inner.right() - 1);
    let (so_far, per_hour) = (right - 11, right);
    let items = cost.lines.iter().map(|l| width(&l.item)).max().unwrap_or(0).clamp(5, inner.width / 3);
    let quantity = x + items + 2;
    p.put_right(x, so_far, inner.y, "so far", Role::Title);
    p.put_right(so_far, per_hour, inner.y, "per hour", Role::Title);
    p.put(x, inner.y, 12, "price driver", Role::Title);
    let room = so_far.saturating_sub(quantity + 12);
    for (i, line) in cost.lines.iter().skip(from).take(body).enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        p.put(x, y, items, &clip(&line.item, items), Role::Text);
        p.put(quantity, y, room, &clip_words(&line.quantity, room), Role::Dim);
        p.put_right(so_far - 11, so_far, y, &dollars(line.nanodollars), Role::Text);
        p.put_right(so_far, per_hour, y, &dollars(line.per_hour_nanodollars), Role::Text);
    }
    let y = inner.y + 1 + u16::try_from(body.min(cost.lines.len())).unwrap_or(0);
    if y < inner.bottom() {
        p.put(x, y, 8, "total", Role::Title);
        p.put_right(so_far - 11, so_far, y, &dollars(cost.total_nanodollars), Role::Title);
        p.put_right(so_far, per_hour, y, &dollars(cost.per_hour_nanodollars), Role::Accent);
    }
}
