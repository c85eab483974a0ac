//! Sliders for the bill and what they come to, beside the stream as it is.

use ratatui::layout::Rect;

use super::{keys, open, place};
use crate::tui::hit::Target;
use crate::tui::paint::Painter;
use crate::tui::text::{dollars, grouped, width};
use crate::tui::theme::Role;
use crate::tui::what_if::{SLIDERS, WhatIfBox};

/// Draws the layer.
pub fn draw(state: &WhatIfBox, screen: Rect, p: &mut Painter<'_>) {
    let (now, present) = state.estimates();
    let rows = SLIDERS.len() + now.lines.len() + 7;
    let area = place(screen, 66, u16::try_from(rows).unwrap_or(u16::MAX));
    let hints = keys(&[("Up Down", "slider"), ("Left Right", "change"), ("Esc", "close")]);
    let inner = open(p, area, "What if", "prices of us-east-1", &hints);
    let (x, right) = (inner.x + 2, inner.right().saturating_sub(2));
    let (middle, last) = (right.saturating_sub(16), right);
    let mut y = inner.y;
    let line = |p: &mut Painter<'_>, y: u16, name: &str, one: &str, two: &str, role: Role| {
        if y < inner.bottom() {
            p.put(x, y, middle.saturating_sub(x), name, Role::Overlay);
            p.put_right(x + width(name), middle, y, one, role);
            p.put_right(middle, last, y, two, Role::Dim);
        }
    };
    line(p, y, "", "what if", "as it is", Role::Title);
    for (i, name) in SLIDERS.iter().enumerate() {
        y += 1;
        line(p, y, name, &format!("< {} >", WhatIfBox::value(&state.what, i)), &WhatIfBox::value(&state.present, i), Role::Accent);
        let row = Rect::new(inner.x, y, inner.width, 1);
        if y < inner.bottom() {
            p.hit(row, Target::OverlayRow(i));
            if i == state.selected {
                p.lay_over(row, Role::Selection);
            }
        }
    }
    y += 2;
    let needed = |estimate: &crate::engine::cost::Estimate| format!("{} by {}", grouped(estimate.needed.0), estimate.needed.1);
    let short = now.needed.0 > state.what.shards;
    line(p, y, "shards needed", &needed(&now), &needed(&present), if short { Role::Warn } else { Role::Ok });
    y += 1;
    let refused = |estimate: &crate::engine::cost::Estimate| format!("{}/s", grouped(estimate.refused_per_second));
    line(p, y, "refused", &refused(&now), &refused(&present), if now.refused_per_second > 0 { Role::Bad } else { Role::Ok });
    for (name, nano) in &now.lines {
        y += 1;
        let before = present.lines.iter().find(|(known, _)| known == name).map_or_else(String::new, |(_, nano)| dollars(*nano));
        line(p, y, name, &dollars(*nano), &before, Role::Overlay);
    }
    y += 1;
    line(p, y, "per hour, provisioned", &dollars(now.total()), &dollars(present.total()), Role::Title);
    y += 1;
    line(p, y, "per hour, on-demand", &dollars(now.on_demand), &dollars(present.on_demand), Role::Overlay);
}
