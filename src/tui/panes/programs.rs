//! What the programs of the world say: state and settings of every producer and consumer, and the last lines each printed.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, range_note, scroll_to};
use crate::engine::view::LogLine;
use crate::tui::action::ActionId;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{clip_words, delay, grouped, width};
use crate::tui::theme::Role;

struct Program<'v> {
    name: &'v str,
    state: &'v str,
    facts: String,
    log: &'v [LogLine],
}

fn programs<'v>(cx: &Cx<'v>) -> Vec<Program<'v>> {
    let world = &cx.view.world;
    let producers = world.producers.iter().map(|p| {
        let mut facts =
            format!("{} → {}  offered {}/s  acknowledged {}/s", p.kind, p.target, grouped(p.offered_per_second), grouped(p.acknowledged_per_second));
        if p.lag_ms > 0 {
            facts.push_str(&format!("  lag {}", delay(p.lag_ms)));
        }
        if p.outstanding > 0 {
            facts.push_str(&format!("  outstanding {}", grouped(p.outstanding)));
        }
        if p.lost > 0 {
            facts.push_str(&format!("  lost {}", grouped(p.lost)));
        }
        Program { name: &p.name, state: &p.state, facts, log: &p.log }
    });
    let consumers = world.consumers.iter().map(|c| Program {
        name: &c.name,
        state: &c.state,
        facts: format!("{} ← {}  {} records", c.kind, c.stream, grouped(c.records)),
        log: &c.log,
    });
    producers.chain(consumers).collect()
}

fn state_role(state: &str) -> Role {
    match state {
        "running" => Role::Ok,
        "blocked" => Role::Warn,
        "failed" => Role::Bad,
        _ => Role::Dim,
    }
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let all = programs(cx);
    let height = usize::from(area.height.saturating_sub(2));
    // Every program has one line for itself and at least one for its log; what is left goes to logs.
    let each = height.checked_div(all.len()).unwrap_or(0).max(2);
    let fits = (height / each).max(1);
    let chosen = cx.app.program.min(all.len().saturating_sub(1));
    let from = scroll_to(0, chosen, fits, all.len());
    let note = range_note(from, fits.min(all.len() - from), all.len()).replace("rows", "programs");
    let inner = frame(cx, PaneId::Programs, area, p, "Programs", "what producers and consumers print", &[cx.key(ActionId::Open, "whole log")], &note);
    if inner.height == 0 {
        return;
    }
    paged(p, PaneId::Programs, fits, all.len().saturating_sub(fits), from);
    if all.is_empty() {
        p.put(inner.x + 1, inner.y, inner.width.saturating_sub(2), "No producer and no consumer is part of this lab yet.", Role::Dim);
        return;
    }
    let (x, cells) = (inner.x + 1, inner.width.saturating_sub(2));
    for (i, program) in all.iter().skip(from).take(fits).enumerate() {
        let y = inner.y + u16::try_from(i * each).unwrap_or(0);
        if y >= inner.bottom() {
            break;
        }
        let at = p.put(x, y, cells, program.name, Role::Accent);
        let at = p.put(at + 2, y, 10, program.state, state_role(program.state));
        let room = (x + cells).saturating_sub(at + 2);
        p.put(at + 2, y, room, &clip_words(&program.facts, room), Role::Text);
        let head = Rect::new(inner.x, y, inner.width, 1);
        if from + i == chosen && cx.focus == PaneId::Programs {
            p.lay_over(head, Role::Selection);
        }
        let lines = each - 1;
        let newest = program.log.len().saturating_sub(lines);
        for (n, line) in program.log.iter().skip(newest).enumerate() {
            let y = y + 1 + u16::try_from(n).unwrap_or(0);
            if y >= inner.bottom() {
                break;
            }
            let at = p.put(x + 2, y, 12, &line.at.clock_text(), Role::Dim) + 2;
            let room = (x + cells).saturating_sub(at);
            p.put(at, y, room, &clip_words(&line.text, room), Role::Text);
        }
        if program.log.is_empty() && lines > 0 && y + 1 < inner.bottom() {
            let words = "(printed nothing yet)";
            p.put(x + 2, y + 1, width(words), words, Role::Dim);
        }
    }
}
