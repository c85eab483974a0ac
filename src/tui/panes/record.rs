//! The newest record of the chosen shard.

use ratatui::layout::Rect;

use super::{Cx, frame};
use crate::tui::action::ActionId;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{bytes, chop, clip, clip_words, plural, width};
use crate::tui::theme::Role;

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let chosen = cx.app.stream(cx.view).zip(cx.app.shard(cx.view));
    let right = chosen.map_or(String::new(), |(stream, s)| format!("{} / {}", stream.name, s.id));
    let keys = [cx.key(ActionId::Open, "whole record"), cx.key(ActionId::FollowRecord, "follow it"), cx.key(ActionId::Copy, "copy")];
    let inner = frame(cx, PaneId::Record, area, p, "Newest record of the chosen shard", &right, &keys, "");
    let cells = inner.width.saturating_sub(2);
    if inner.height == 0 || cells < 10 {
        return;
    }
    let x = inner.x + 1;
    let Some(record) = chosen.and_then(|(_, s)| s.last_record.as_ref()) else {
        let words = if chosen.is_some() { "This shard has no record yet." } else { "There is no data stream yet." };
        p.put(x, inner.y, cells, &clip_words(words, cells), Role::Dim);
        return;
    };
    let size = if record.user_records > 1 {
        format!("{}, {} inside", bytes(record.data_bytes), plural(record.user_records, "user record"))
    } else {
        bytes(record.data_bytes)
    };
    // Pieces go one after the other, on as many of the lines as they need.
    let facts = [
        ("sequence ", record.sequence_number.clone()),
        ("arrived ", format!("{}Z", record.arrived.clock_millis_text())),
        ("size ", size),
        ("partition key ", record.partition_key.clone()),
    ];
    let mut y = inner.y;
    let mut at = x;
    for (label, value) in facts {
        let needs = width(label) + width(&value);
        if at > x && at + needs > x + cells {
            y += 1;
            at = x;
        }
        if y >= inner.bottom() {
            return;
        }
        let room = (x + cells).saturating_sub(at);
        at = p.put(at, y, room, label, Role::Dim);
        let room = (x + cells).saturating_sub(at);
        at = p.put(at, y, room, &clip(&value, room), Role::Accent) + 3;
    }
    y += 1;
    let room = usize::from(inner.bottom().saturating_sub(y));
    let lines = chop(&record.text, cells);
    for (i, line) in lines.iter().enumerate().take(room) {
        let cut = i + 1 == room && lines.len() > room;
        let line = if cut { clip(&format!("{line}…"), cells).into_owned() } else { line.clone() };
        p.put(x, y + u16::try_from(i).unwrap_or(0), cells, &line, Role::Text);
    }
}
