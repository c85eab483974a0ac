//! The line of virtual time: ● now, ○ the newest instant while in the past, ✓ checks met, ! incidents, ◆ bookmarks. A click on it moves time.

use ratatui::layout::Rect;

use super::Cx;
use crate::lab::view::TimelineMark;
use crate::tui::action::ActionId;
use crate::tui::hit::Target;
use crate::tui::ids::PaneId;
use crate::tui::layout::Class;
use crate::tui::paint::Painter;
use crate::tui::text::{clip_words, span, width};
use crate::tui::theme::Role;

fn role(mark: &TimelineMark) -> Role {
    match mark.glyph {
        '✓' => Role::Ok,
        '!' | '✗' => Role::Bad,
        _ => Role::Marker,
    }
}

/// Draws the line.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let (clock, world) = (&cx.view.clock, &cx.view.world);
    p.hit(area, Target::Pane(PaneId::Timeline));
    let focused = cx.focus == PaneId::Timeline && cx.app.overlays.is_empty();
    let length = clock.duration_us.max(clock.newest_us).max(clock.elapsed_us).max(1_000_000);
    let rail_role = if focused { Role::Focus } else { Role::Border };
    let small = cx.class <= Class::Small;
    let (before, after) =
        if small { (String::new(), format!("{} of {}", span(clock.elapsed_us), span(length))) } else { ("00:00".to_owned(), span(length)) };
    // What stands behind the rail: the newest mark in words, and in small windows the keys of time.
    let mark = cx.view.lab.marks.iter().rev().find(|m| m.at <= world.now);
    let words = match (cx.class, mark) {
        (Class::Tiny, _) => String::new(),
        (Class::Small, _) => {
            let key = |id| cx.app.look.keymap.name(id);
            format!("{} {}  {} next event", key(ActionId::Pause), if clock.paused { "run" } else { "pause" }, key(ActionId::StepEvent))
        }
        (_, Some(m)) => format!("{} {}", m.glyph, m.label),
        (_, None) => String::new(),
    };
    let words = clip_words(&words, area.width / 3);
    let tail = width(&after) + 2 + if words.is_empty() { 0 } else { width(&words) + 3 };
    let mut x = p.put(area.x, area.y, 1, " ", rail_role);
    if !before.is_empty() {
        x = p.put(x, area.y, 8, &before, Role::Dim) + 1;
    }
    let end = area.right().saturating_sub(tail + 1);
    if end < x + 6 {
        return;
    }
    let (rail_x, cells) = (x + 1, end - x - 2);
    p.sign(x, area.y, p.glyphs.rail_start, rail_role);
    p.repeat(rail_x, area.y, cells, p.glyphs.rail, rail_role);
    p.sign(rail_x + cells, area.y, p.glyphs.rail_end, rail_role);
    p.hit(Rect::new(rail_x, area.y, cells, 1), Target::Timeline);
    let last = u64::from(cells.saturating_sub(1));
    let column = |us: u64| rail_x + u16::try_from(u128::from(us.min(length)) * u128::from(last) / u128::from(length)).unwrap_or(0);
    // Incidents over checks over bookmarks where they meet.
    for wanted in ['◆', '✓', '!'] {
        for m in cx.view.lab.marks.iter().filter(|m| m.glyph == wanted || (wanted == '◆' && !['✓', '!'].contains(&m.glyph))) {
            p.sign(column(m.at.since(world.epoch).as_micros()), area.y, p.glyphs.translate(m.glyph), role(m));
        }
    }
    if clock.in_the_past {
        p.sign(column(clock.newest_us), area.y, p.glyphs.newest, Role::Marker);
    }
    p.sign(column(clock.elapsed_us), area.y, p.glyphs.now, if clock.in_the_past { Role::Warn } else { Role::Focus });
    x = p.put(rail_x + cells + 2, area.y, width(&after), &after, Role::Text);
    if !words.is_empty() {
        let role = if small { Role::Footer } else { mark.map_or(Role::Dim, role) };
        p.put(x + 3, area.y, width(&words), &words, role);
    }
}
