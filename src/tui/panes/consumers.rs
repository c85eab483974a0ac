//! Who reads the stream, and how far behind. The row shows the chosen shard, or the worst one when the consumer does not read the chosen one.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, range_note, scroll_to};
use crate::engine::view::{ConsumerShardView, ConsumerView};
use crate::tui::action::ActionId;
use crate::tui::hit::Target;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{bytes, clip, clip_words, delay, plural, shard, width};
use crate::tui::theme::Role;

fn state_role(state: &str) -> Role {
    match state {
        "reading" | "running" => Role::Ok,
        "waiting-for-parents" | "throttled" => Role::Warn,
        "crashed" | "failed" => Role::Bad,
        _ => Role::Dim,
    }
}

/// The shard to show of a consumer.
fn of_interest(c: &ConsumerView, chosen: Option<u32>) -> Option<&ConsumerShardView> {
    c.shards.iter().find(|s| Some(s.shard) == chosen).or_else(|| c.shards.iter().max_by_key(|s| s.behind_ms))
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let stream = cx.app.stream(cx.view);
    let all: Vec<&ConsumerView> = cx.view.world.consumers.iter().filter(|c| stream.is_none_or(|s| s.name == c.stream)).collect();
    let title = stream.map_or_else(|| "Consumers".to_owned(), |s| format!("Consumers of {}", s.name));
    let right = stream.map_or(String::new(), |s| {
        if s.fanout_consumers > 0 { plural(u64::from(s.fanout_consumers), "registered fan-out consumer") } else { String::new() }
    });
    let page = usize::from(area.height.saturating_sub(3));
    let chosen = cx.app.consumer.min(all.len().saturating_sub(1));
    let from = scroll_to(0, chosen, page, all.len());
    let note = range_note(from, page.min(all.len() - from), all.len());
    let inner = frame(cx, PaneId::Consumers, area, p, &title, &right, &[cx.key(ActionId::Open, "all its shards")], &note);
    if inner.height == 0 {
        return;
    }
    paged(p, PaneId::Consumers, page, all.len().saturating_sub(page), from);
    if all.is_empty() {
        let words = "Nobody reads this stream. Records wait until their retention ends.";
        p.put(inner.x + 1, inner.y, inner.width - 2, &clip_words(words, inner.width - 2), Role::Dim);
        return;
    }
    // From the right: bytes, reads, behind; what is left is name, mode, shard, position, state.
    let right = inner.right() - 1;
    let (bytes_x, reads_x, behind_x) = (right, right - 11, right - 20);
    let wide = inner.width >= 84;
    let name_cells = if wide { 18 } else { 14 };
    let mode_x = inner.x + 2 + name_cells;
    let shard_x = mode_x + 13;
    let position_x = shard_x + 7;
    let state_x = position_x + 22;
    let y = inner.y;
    p.put(inner.x + 2, y, 8, "consumer", Role::Title);
    p.put(mode_x, y, 5, "mode", Role::Title);
    p.put(shard_x, y, 5, "shard", Role::Title);
    if wide {
        p.put(position_x, y, 8, "position", Role::Title);
    }
    let state_x = if wide && state_x + 12 < behind_x { Some(state_x) } else { None };
    if let Some(x) = state_x {
        p.put(x, y, 5, "state", Role::Title);
    }
    p.put_right(shard_x + 6, behind_x, y, "behind", Role::Title);
    p.put_right(behind_x, reads_x, y, "reads/s", Role::Title);
    p.put_right(reads_x, bytes_x, y, "bytes/s", Role::Title);
    for (i, c) in all.iter().skip(from).take(page).enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        let row = Rect::new(inner.x, y, inner.width, 1);
        let here = from + i == chosen;
        if here {
            p.sign(inner.x, y, p.glyphs.selected, Role::Focus);
        }
        p.put(inner.x + 2, y, name_cells - 1, &clip(&c.name, name_cells - 1), Role::Accent);
        p.put(mode_x, y, 12, &clip(&c.kind, 12), Role::Text);
        match of_interest(c, cx.app.shard(cx.view).map(|s| s.number)) {
            Some(s) if c.state == "running" => {
                p.put(shard_x, y, 5, &shard(s.shard), Role::Text);
                if wide {
                    p.put(position_x, y, 21, &clip(&s.position, 21), Role::Text);
                }
                if let Some(x) = state_x {
                    p.put(x, y, behind_x.saturating_sub(x + 7), &clip_words(&s.state, behind_x.saturating_sub(x + 7)), state_role(&s.state));
                }
                let late = s.behind_ms > 10_000;
                p.put_right(shard_x + 6, behind_x, y, &delay(s.behind_ms), if late { Role::Bad } else { Role::Text });
                p.put_right(behind_x, reads_x, y, &s.reads_per_second.to_string(), Role::Text);
                p.put_right(reads_x, bytes_x, y, &bytes(s.bytes_per_second), Role::Text);
            }
            _ => {
                let words = c.log.last().filter(|_| c.state == "failed").map_or(c.state.as_str(), |l| l.text.as_str());
                let room = right.saturating_sub(shard_x);
                p.put(shard_x, y, room, &clip_words(words, room), state_role(&c.state));
            }
        }
        let others = c.shards.len();
        if others > 1 && state_x.is_none() && wide {
            let text = format!("of {others}");
            p.put(position_x + 21 - width(&text), y, width(&text), &text, Role::Dim);
        }
        p.hit(row, Target::Consumer(from + i));
        if here && cx.focus == PaneId::Consumers {
            p.lay_over(row, Role::Selection);
        }
    }
}
