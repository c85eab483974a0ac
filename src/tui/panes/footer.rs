//! The keys that are valid now, from the action registry, or a message until the next key. `? commands` is the last to be left out.

use ratatui::layout::Rect;

use super::Cx;
use crate::tui::action::ActionId;
use crate::tui::ids::PaneId;
use crate::tui::layout::Class;
use crate::tui::paint::Painter;
use crate::tui::text::{clip_words, width};
use crate::tui::theme::Role;

struct Item {
    keys: String,
    words: String,
}

fn item(cx: &Cx<'_>, ids: &[ActionId], words: &str) -> Option<Item> {
    let names: Vec<String> = ids.iter().map(|id| cx.app.look.keymap.name(*id)).filter(|k| !k.is_empty()).collect();
    (names.len() == ids.len()).then(|| Item { keys: names.join(" "), words: words.to_owned() })
}

fn cells(item: &Item) -> u16 {
    width(&item.keys) + 1 + width(&item.words)
}

fn put_items(p: &mut Painter<'_>, area: Rect, items: &[Item], gap: u16) {
    let mut x = area.x + 1;
    for item in items {
        if x + cells(item) > area.right() {
            break;
        }
        x = p.put(x, area.y, width(&item.keys), &item.keys, Role::Key);
        x = p.put(x, area.y, width(&item.words) + 1, &format!(" {}", item.words), Role::Footer) + gap;
    }
}

/// Leaves out items from the end, but keeps the last one (`q quit`) as long as it fits beside the first.
fn fit(mut items: Vec<Item>, room: u16, gap: u16) -> Vec<Item> {
    let total = |items: &[Item]| items.iter().map(|i| cells(i) + gap).sum::<u16>().saturating_sub(gap);
    while items.len() > 1 && total(&items) > room {
        let at = if items.len() > 2 { items.len() - 2 } else { items.len() - 1 };
        items.remove(at);
    }
    items
}

fn time_items(cx: &Cx<'_>) -> Vec<Item> {
    use ActionId as A;
    let run = if cx.view.clock.paused { "run" } else { "pause" };
    [
        item(cx, &[A::Pause], run),
        item(cx, &[A::StepEvent], "next event"),
        item(cx, &[A::Back1, A::Forward1], "back/forward 1 s"),
        item(cx, &[A::Slower, A::Faster], "slower/faster"),
        item(cx, &[A::NextStep], "next step"),
        item(cx, &[A::Back10, A::Forward10], "10 s"),
        item(cx, &[A::Zoom], "zoom"),
        item(cx, &[A::Copy], "copy"),
        item(cx, &[A::Mouse], if cx.app.look.mouse { "release mouse" } else { "take mouse" }),
        item(cx, &[A::Bookmark], "bookmark"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn screen_items(cx: &Cx<'_>, dropped: &[PaneId], narrow: bool) -> Vec<Item> {
    use ActionId as A;
    let tab = match (dropped.len(), cx.class) {
        (0, _) | (_, Class::Tiny) => "pane".to_owned(),
        (1, _) => "+1 pane".to_owned(),
        (n, _) => format!("+{n} panes"),
    };
    let screens = if narrow { "screen" } else { "screens" };
    let mut items = vec![
        item(cx, &[A::Commands], "commands"),
        item(cx, &[A::NextPane], &tab),
        item(cx, &[A::Overview, A::Streams, A::Firehose, A::Analytics, A::Metrics, A::JournalScreen], screens),
        item(cx, &[A::Hint], "hint"),
        item(cx, &[A::Guide], "guide"),
    ];
    if cx.focus == PaneId::Journal {
        items.insert(2, item(cx, &[A::Filter], "filter"));
    }
    if cx.class == Class::Tiny {
        items.insert(3, item(cx, &[A::Pause], if cx.view.clock.paused { "run" } else { "pause" }));
    }
    if !cx.app.look.mouse && cx.class < Class::Normal {
        items.push(item(cx, &[A::Mouse], "take mouse"));
    }
    if cx.class >= Class::Normal {
        items.push(item(cx, &[A::Labs], "labs"));
        items.push(item(cx, &[A::Theme], "theme"));
    }
    items.push(item(cx, &[A::Quit], "quit"));
    items.into_iter().flatten().collect()
}

/// Draws one or two lines.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>, dropped: &[PaneId]) {
    let gap = if cx.class >= Class::Normal { 3 } else { 2 };
    let room = area.width.saturating_sub(2);
    let line = |y: u16| Rect { y, height: 1, ..area };
    let last = area.bottom() - 1;
    // Words at the end of the line are not written over.
    let beside = room.saturating_sub(cx.app.banner.as_ref().map_or(0, |words| width(words) + 3));
    put_items(p, line(last), &fit(screen_items(cx, dropped, cx.class < Class::Normal), beside, gap), gap);
    if area.height > 1 {
        let items = time_items(cx);
        let mut fitting = Vec::new();
        let mut used = 0;
        for item in items {
            used += cells(&item) + gap;
            if used > room + gap {
                break;
            }
            fitting.push(item);
        }
        put_items(p, line(area.y), &fitting, gap);
    }
    // A message takes the upper line, or the only one, until the next key.
    if let Some(toast) = &cx.app.toast {
        p.clear(line(area.y));
        p.put(area.x + 1, area.y, room, &clip_words(&toast.text, room), if toast.failed { Role::Bad } else { Role::Accent });
    }
}
