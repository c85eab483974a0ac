//! Where every record is: one equation per producer and stream, and whether it holds.

use ratatui::layout::Rect;

use super::{Cx, frame, paged};
use crate::engine::view::AccountingLine;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{grouped, wrap};
use crate::tui::theme::Role;

/// `offered 12 = acknowledged 10 + lost 0 + outstanding 2`.
pub fn equation(line: &AccountingLine) -> String {
    let part = |(name, amount): &(String, u64)| format!("{name} {}", grouped(*amount));
    match line.parts.split_first() {
        None => String::new(),
        Some((whole, [])) => part(whole),
        Some((whole, parts)) => format!("{} = {}", part(whole), parts.iter().map(part).collect::<Vec<_>>().join(" + ")),
    }
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let lines = &cx.view.world.accounting;
    let open = lines.iter().filter(|l| !l.balanced).count();
    let right = match (lines.len(), open) {
        (0, _) => String::new(),
        (_, 0) => "every record is accounted for".to_owned(),
        (_, n) => format!("{n} not balanced"),
    };
    let cells = area.width.saturating_sub(4);
    let mut rows: Vec<(String, Role)> = Vec::new();
    for line in lines {
        let (sign, role) = if line.balanced { ("✓ balanced", Role::Ok) } else { ("✗ NOT balanced", Role::Bad) };
        rows.push((format!("{}  {sign}", line.subject), role));
        rows.extend(wrap(&equation(line), cells.saturating_sub(2)).into_iter().map(|t| (format!("  {t}"), Role::Text)));
    }
    let page = usize::from(area.height.saturating_sub(2));
    let max = rows.len().saturating_sub(page);
    let from = usize::from(cx.app.scroll).min(max);
    let note = if max > 0 { format!("{} more lines", max - from) } else { String::new() };
    let inner = frame(cx, PaneId::Accounting, area, p, "Where every record is", &right, &[], &note);
    paged(p, PaneId::Accounting, page, max, from);
    if rows.is_empty() && inner.height > 0 {
        p.put(inner.x + 1, inner.y, cells, "No record was offered yet.", Role::Dim);
    }
    for (i, (text, role)) in rows.iter().skip(from).take(page).enumerate() {
        p.put(inner.x + 1, inner.y + u16::try_from(i).unwrap_or(0), cells, text, *role);
    }
}
