//! What lies where on the screen: filled while drawing, read by mouse handling and by focus. Coordinates are never computed twice.

use ratatui::layout::{Position, Rect};

use super::ids::{GuideItem, PaneId, Screen};

/// Something that can be clicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A pane as a whole.
    Pane(PaneId),
    /// A tab.
    Tab(Screen),
    /// A shard's row, by shard number.
    Shard(u32),
    /// A consumer's row, by position.
    Consumer(usize),
    /// An in-application stream's row, by position.
    InAppStream(usize),
    /// A row of an in-application stream, by position.
    SqlRow(usize),
    /// A delivered object's row, by position.
    Object(usize),
    /// A run block, check or question of the guide.
    Guide(GuideItem),
    /// A journal row, by its sequence.
    Journal(u64),
    /// The rail of the timeline: the area is exactly the rail.
    Timeline,
    /// The ribbon of the hash-key map: the area is exactly the hash space.
    Ribbon,
    /// A box of the pipeline that leads to this screen.
    Box(Screen, PaneId),
    /// A row of the overlay on top.
    OverlayRow(usize),
    /// The overlay on top.
    Overlay,
    /// A lab in the labs list.
    Lab(usize),
}

/// Paging of something that scrolls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    /// Lines seen at once.
    pub lines: u16,
    /// Highest useful scroll position.
    pub max: u16,
    /// Scroll position drawn.
    pub at: u16,
}

/// Areas drawn by the last frame, later ones on top, and what the layout left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HitMap {
    areas: Vec<(Rect, Target)>,
    /// Panes on the screen in Tab order.
    pub panes: Vec<PaneId>,
    /// Panes of this screen that did not fit.
    pub dropped: Vec<PaneId>,
    /// Panes that failed while being drawn.
    pub failed: Vec<PaneId>,
    /// How each scrolled pane was paged.
    pub pages: Vec<(PaneId, Page)>,
    /// How the overlay on top was paged.
    pub overlay_page: Page,
    /// Where a text field wants the terminal's cursor.
    pub cursor: Option<(u16, u16)>,
}

impl HitMap {
    /// Remembers an area.
    pub fn add(&mut self, area: Rect, target: Target) {
        if !area.is_empty() {
            self.areas.push((area, target));
        }
    }

    /// The topmost target at a cell.
    pub fn at(&self, x: u16, y: u16) -> Option<&Target> {
        self.areas.iter().rev().find(|(area, _)| area.contains(Position { x, y })).map(|(_, target)| target)
    }

    /// The pane at a cell.
    pub fn pane_at(&self, x: u16, y: u16) -> Option<PaneId> {
        self.areas.iter().rev().find_map(|(area, target)| match target {
            Target::Pane(pane) if area.contains(Position { x, y }) => Some(*pane),
            _ => None,
        })
    }

    /// The area of a target.
    pub fn area(&self, wanted: &Target) -> Option<Rect> {
        self.areas.iter().rev().find(|(_, target)| target == wanted).map(|(area, _)| *area)
    }

    /// How `pane` was paged; one line when unknown.
    pub fn page(&self, pane: PaneId) -> Page {
        self.pages.iter().find(|(p, _)| *p == pane).map_or(Page { lines: 1, max: 0, at: 0 }, |(_, page)| *page)
    }

    /// Every area lies inside `screen`.
    pub fn within(&self, screen: Rect) -> bool {
        self.areas.iter().all(|(area, _)| screen.union(*area) == screen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topmost_area_wins() {
        let mut hits = HitMap::default();
        hits.add(Rect::new(0, 0, 10, 5), Target::Pane(PaneId::Shards));
        hits.add(Rect::new(1, 1, 8, 1), Target::Shard(2));
        hits.add(Rect::new(0, 0, 0, 9), Target::Overlay);
        assert_eq!(hits.at(2, 1), Some(&Target::Shard(2)));
        assert_eq!(hits.at(2, 2), Some(&Target::Pane(PaneId::Shards)));
        assert_eq!(hits.at(20, 2), None);
        assert_eq!(hits.pane_at(2, 1), Some(PaneId::Shards));
        assert!(hits.within(Rect::new(0, 0, 10, 5)) && !hits.within(Rect::new(0, 0, 9, 5)));
    }
}
