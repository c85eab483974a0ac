//! The way of one record: its stations with their virtual times, while time goes on below.

use ratatui::layout::Rect;

use super::{open, place};
use crate::tui::action::ActionId;
use crate::tui::hit::Page;
use crate::tui::paint::Painter;
use crate::tui::panes::Cx;
use crate::tui::text::{clip_words, delay, width, wrap};
use crate::tui::theme::Role;

/// Draws the layer.
pub fn draw(scroll: u16, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let room = screen.width.saturating_sub(8).min(112);
    let key = |id| cx.app.look.keymap.name(id);
    let hints = [
        (key(ActionId::FollowRecord), "another record"),
        (key(ActionId::Pause), "run / pause"),
        ("o".to_owned(), "follow no more"),
        ("Esc".to_owned(), "close"),
    ];
    let Some(trail) = &cx.view.world.trail else {
        let inner = open(p, place(screen, room + 4, 5), "One record", "", &hints);
        p.put(inner.x + 1, inner.y + 1, inner.width.saturating_sub(2), "No record is followed.", Role::Dim);
        return;
    };
    let mut lines: Vec<(String, String, Role)> = vec![
        (String::new(), format!("sequence number {}", trail.record.sequence_number), Role::Dim),
        (String::new(), clip_words(&trail.record.text, room.saturating_sub(2)).into_owned(), Role::Accent),
        (String::new(), String::new(), Role::Overlay),
    ];
    let first = trail.steps.first().map(|step| step.at);
    for step in &trail.steps {
        let after = first.filter(|first| step.at > *first).map_or_else(String::new, |first| format!("+{}", delay(step.at.since(first).as_millis())));
        let head = format!("{} {after:>7}  ", step.at.clock_millis_text());
        let role = if step.text.contains("error prefix") || step.text.contains("failed") || step.text.contains("Dropped") {
            Role::Warn
        } else {
            Role::Overlay
        };
        let words = wrap(&format!("{}: {}", step.place, step.text), room.saturating_sub(width(&head) + 2));
        for (i, line) in words.into_iter().enumerate() {
            lines.push((if i == 0 { head.clone() } else { " ".repeat(usize::from(width(&head))) }, line, role));
        }
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(3);
    let area = place(screen, room + 4, height);
    let inner = open(p, area, "One record", &trail.from, &hints);
    let page = inner.height.saturating_sub(1);
    let max = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(page);
    let at = scroll.min(max);
    p.hits.overlay_page = Page { lines: page, max, at };
    for (i, (head, text, role)) in lines.iter().skip(usize::from(at)).take(usize::from(page)).enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        if y < inner.bottom() {
            let x = p.put(inner.x + 1, y, inner.width.saturating_sub(2), head, Role::Dim);
            p.put(x, y, inner.right().saturating_sub(x + 1), text, *role);
        }
    }
}
