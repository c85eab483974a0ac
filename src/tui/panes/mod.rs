//! One file per pane. A pane draws itself from the view into its area, registers what can be clicked, and knows nothing of other panes.

pub mod accounting;
pub mod application;
pub mod charts;
pub mod consumers;
pub mod cost;
pub mod delivery;
pub mod footer;
pub mod function;
pub mod guide;
pub mod hash_map;
pub mod header;
pub mod journal;
pub mod marks;
pub mod objects;
pub mod pipeline;
pub mod programs;
pub mod record;
pub mod rows;
pub mod shards;
pub mod tabs;
pub mod timeline;

use ratatui::layout::Rect;

use super::action::ActionId;
use super::app::App;
use super::hit::{Page, Target};
use super::ids::PaneId;
use super::layout::{Class, GuideForm};
use super::paint::{Frame, Painter};
use crate::session::view::SessionView;

/// What a pane may look at.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub app: &'a App,
    pub view: &'a SessionView,
    pub class: Class,
    pub guide: GuideForm,
    pub focus: PaneId,
}

impl Cx<'_> {
    /// The first key of an action and a word for it, for the border of a pane.
    pub fn key<'w>(&self, id: ActionId, word: &'w str) -> (String, &'w str) {
        (self.app.look.keymap.name(id), word)
    }
}

/// Draws the frame of a pane; answers the area inside.
pub fn frame(cx: &Cx<'_>, pane: PaneId, area: Rect, p: &mut Painter<'_>, title: &str, right: &str, keys: &[(String, &str)], note: &str) -> Rect {
    p.hit(area, Target::Pane(pane));
    let focused = cx.focus == pane && cx.app.overlays.is_empty();
    // The presenter has keys of its own; a pane's keys do nothing there.
    let shown = |key: &str| !key.is_empty() && cx.app.presenting().is_none();
    let keys: Vec<(String, &str)> = keys.iter().filter(|(key, _)| shown(key)).cloned().collect();
    p.frame(area, &Frame { title, right, keys: &keys, note, focused })
}

/// First row to show so that `chosen` is in sight of `page` rows out of `count`, starting from `at`.
pub fn scroll_to(at: usize, chosen: usize, page: usize, count: usize) -> usize {
    let max = count.saturating_sub(page);
    let at = at.min(max);
    if chosen < at {
        chosen
    } else if page > 0 && chosen >= at + page {
        chosen + 1 - page
    } else {
        at
    }
}

/// Remembers how a pane was paged.
pub fn paged(p: &mut Painter<'_>, pane: PaneId, lines: usize, max: usize, at: usize) {
    let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    p.hits.pages.push((pane, Page { lines: cells(lines), max: cells(max), at: cells(at) }));
}

/// `rows 1–6 of 12` when not all rows are seen.
pub fn range_note(from: usize, shown: usize, count: usize) -> String {
    if shown >= count { String::new() } else { format!("rows {}–{} of {count}", from + 1, from + shown) }
}

/// Draws one pane.
pub fn draw(pane: PaneId, cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    match pane {
        PaneId::Guide => guide::draw(cx, area, p),
        PaneId::Pipeline => pipeline::draw(cx, area, p),
        PaneId::Throughput | PaneId::Shards => shards::draw(pane, cx, area, p),
        PaneId::Programs => programs::draw(cx, area, p),
        PaneId::Consumers => consumers::draw(cx, area, p),
        PaneId::HashMap => hash_map::draw(cx, area, p),
        PaneId::Record => record::draw(cx, area, p),
        PaneId::Charts => charts::draw(cx, area, p),
        PaneId::Cost => cost::draw(cx, area, p),
        PaneId::Accounting => accounting::draw(cx, area, p),
        PaneId::SqlCode => application::draw_code(cx, area, p),
        PaneId::InAppStreams => application::draw_streams(cx, area, p),
        PaneId::SqlRows => rows::draw(cx, area, p),
        PaneId::Delivery => delivery::draw(cx, area, p),
        PaneId::Function => function::draw(cx, area, p),
        PaneId::Objects => objects::draw(cx, area, p),
        PaneId::Journal => journal::draw(cx, area, p),
        PaneId::Timeline => timeline::draw(cx, area, p),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_row_stays_in_sight() {
        assert_eq!(scroll_to(0, 7, 5, 12), 3);
        assert_eq!(scroll_to(5, 2, 5, 12), 2);
        assert_eq!(scroll_to(50, 11, 5, 12), 7);
        assert_eq!(scroll_to(0, 0, 0, 0), 0);
        assert_eq!(range_note(3, 5, 12), "rows 4–8 of 12");
        assert_eq!(range_note(0, 5, 5), "");
    }
}
