//! What the light falls on, large enough for the last row of a room: shards with double-height bars, the answer of a command, or a pane.

use ratatui::layout::Rect;

use crate::engine::view::{ShardView, StreamView};
use crate::tui::app::BarUnit;
use crate::tui::ids::PaneId;
use crate::tui::paint::{Painter, tick};
use crate::tui::panes::Cx;
use crate::tui::panes::shards::{bar, limit_words};
use crate::tui::render::guarded;
use crate::tui::text::{chop, clip_words, compact, shard, width, wrap};
use crate::tui::theme::Role;

use super::{Presenter, Spot};

/// Draws the spotlighted thing.
pub fn draw(presenter: &Presenter, cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    match presenter.spot() {
        Spot::Pane(PaneId::Shards) => match cx.app.stream(cx.view) {
            Some(stream) => bars(stream, cx.app.bar_unit, area, p),
            None => middle("There is no data stream yet.", area, p),
        },
        Spot::Pane(pane) => {
            let (least_width, least_height) = pane.minimum();
            if area.width < least_width || area.height < least_height {
                middle(&format!("{} needs more room: press {}.", pane.title(), cx.app.look.keymap.name(crate::tui::action::ActionId::Zoom)), area, p);
                return;
            }
            guarded(pane, &Cx { focus: pane, ..*cx }, area, p);
            p.hits.panes = vec![pane];
        }
        Spot::Output => output(presenter, area, p),
    }
}

fn middle(words: &str, area: Rect, p: &mut Painter<'_>) {
    if area.height > 0 {
        p.put(area.x, area.y + area.height / 2, area.width, &clip_words(words, area.width), Role::Dim);
    }
}

fn output(presenter: &Presenter, area: Rect, p: &mut Painter<'_>) {
    let Some((line, text)) = &presenter.output else {
        middle("No command has been run in this beat yet.", area, p);
        return;
    };
    let rows = usize::from(area.height);
    let mut lines: Vec<(String, Role)> = chop(&format!("> {line}"), area.width).into_iter().map(|line| (line, Role::Accent)).collect();
    lines.truncate(rows / 3 + 1);
    // A row of a table stays a row; sentences and data go on in the next line.
    let said = text.lines().flat_map(|line| match line.trim_start() {
        row if row.contains("  ") => vec![clip_words(line, area.width).into_owned()],
        data if data.starts_with(['{', '[', '"']) => chop(line, area.width),
        _ => wrap(line, area.width),
    });
    lines.extend(said.map(|line| (line, Role::Text)));
    let hidden = lines.len().saturating_sub(rows);
    if hidden > 0 {
        lines.truncate(rows.saturating_sub(1));
        lines.push((format!("… {} more lines", hidden + 1), Role::Dim));
    }
    for (y, (line, role)) in (area.y..).zip(lines) {
        p.put(area.x, y, area.width, &line, role);
    }
}

/// Rows that a shard takes and how many of them its bar fills.
fn heights(shards: u16, room: u16) -> (u16, u16) {
    [(4, 2), (3, 2), (2, 2), (1, 1)].into_iter().find(|(step, _)| shards.saturating_mul(*step) <= room).unwrap_or((1, 1))
}

fn bars(stream: &StreamView, unit: BarUnit, area: Rect, p: &mut Painter<'_>) {
    let open: Vec<&ShardView> = stream.shards.iter().filter(|shard| shard.open).collect();
    if open.is_empty() {
        middle(&format!("{} is {}.", stream.name, stream.status), area, p);
        return;
    }
    // The last line says what the limit is.
    let room = area.height.saturating_sub(1);
    let count = u16::try_from(open.len()).unwrap_or(u16::MAX);
    let (step, high) = heights(count, room);
    let fitting = usize::from(room / step);
    let hidden = open.len().saturating_sub(fitting);
    let shown = if hidden > 0 { fitting.saturating_sub(1) } else { fitting };
    let words: u16 = if area.width >= 90 { 26 } else { 22 };
    let cells = area.width.saturating_sub(6 + words + 2);
    for (y, s) in (area.y..).step_by(usize::from(step)).zip(open.iter().take(shown)) {
        p.put(area.x, y, 5, &shard(s.number), Role::Accent);
        for row in 0..high {
            p.bar(area.x + 6, y + row, cells, bar(s, stream, unit), Role::Series1);
        }
        let (text, role) = if s.load.refused_records > 0 {
            let refused = format!("refused {}!", compact(s.load.refused_records));
            let both = format!("{}/s, {refused}", compact(s.load.accepted_records));
            // A number is shown whole or not at all.
            (if width(&both) <= words { both } else { refused }, Role::Bad)
        } else {
            (format!("{}/s", compact(s.load.accepted_records)), Role::Text)
        };
        p.put(area.x + 6 + cells + 2, y, words, &text, role);
    }
    if hidden > 0 {
        let y = area.y + u16::try_from(shown).unwrap_or(0) * step;
        p.put(area.x, y, area.width, &format!("and {} more shards", open.len() - shown), Role::Dim);
    }
    let limit = format!("limit {}", limit_words(stream, unit));
    let at = area.x + 6 + tick(cells);
    let left = at.saturating_sub(width(&limit) + 1).max(area.x);
    p.put(left, area.bottom() - 1, area.width, &limit, Role::Limit);
    p.sign(at, area.bottom() - 1, p.glyphs.limit, Role::Limit);
}
