//! Where everything goes: one table of window classes, heights first. No pane is drawn below its own minimum; what does not fit is listed.
//!
//! ```text
//! >= 160x50  Wide    header, tabs, guide dock 46 │ panes, journal 6 lines, timeline, footer 2
//! >= 100x32  Normal  header, tabs, guide dock 30–38 │ panes (or strip on Metrics), timeline, footer 2
//! >=  80x24  Small   header, tabs, guide strip, one to three panes, journal 2 lines, timeline, footer 1
//! >=  60x18  Tiny    header, check marks, one pane, message, timeline, footer 1
//! smaller            a message
//! ```

use ratatui::layout::Rect;

use super::ids::{PaneId, Screen};

/// Class of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// One pane at a time.
    Tiny,
    /// Guide as a strip.
    Small,
    /// Guide as a dock.
    Normal,
    /// Every pane at once.
    Wide,
}

/// How the guide is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuideForm {
    /// Text, checks, questions, hints and coach.
    Full,
    /// Title, objective and checks.
    Strip,
}

/// How much there is to show, from the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Checks of the step.
    pub checks: u16,
    /// Shards of the stream shown.
    pub shards: u16,
    /// Rows of the consumers table.
    pub consumers: u16,
    /// Boxes in the highest column of the pipeline.
    pub boxes: u16,
    /// Charts.
    pub charts: u16,
    /// Price drivers.
    pub cost: u16,
    /// Accounting lines.
    pub accounting: u16,
    /// Producers and consumers.
    pub programs: u16,
}

/// A laid-out screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Class of the window.
    pub class: Class,
    /// First line.
    pub header: Rect,
    /// Tabs, unless Tiny.
    pub tabs: Option<Rect>,
    /// Box of check marks (Tiny only).
    pub marks: Option<Rect>,
    /// Panes with borders, in Tab order.
    pub panes: Vec<(PaneId, Rect)>,
    /// Form of the guide pane.
    pub guide: GuideForm,
    /// Journal lines without border (Small only).
    pub tail: Option<Rect>,
    /// Line of virtual time.
    pub timeline: Rect,
    /// Last lines.
    pub footer: Rect,
    /// Panes of the screen that did not fit.
    pub dropped: Vec<PaneId>,
}

/// Smallest window with full screens: the parts of the Tiny class around the highest pane.
pub fn floor() -> (u16, u16) {
    let width = PaneId::ALL.iter().map(|p| p.minimum().0).max().unwrap_or(0);
    let height = PaneId::ALL.iter().map(|p| p.whole_height()).max().unwrap_or(0);
    (width, height + TINY_HEADER + TINY_MARKS + TINY_MESSAGE + 2)
}

const TINY_HEADER: u16 = 1;
const TINY_MARKS: u16 = 4;
const TINY_MESSAGE: u16 = 1;

/// The class of a window; `None` when it is too small.
pub fn class(width: u16, height: u16) -> Option<Class> {
    let floor = floor();
    [(160, 50, Class::Wide), (100, 32, Class::Normal), (80, 24, Class::Small), (floor.0, floor.1, Class::Tiny)]
        .into_iter()
        .find(|(w, h, _)| width >= *w && height >= *h)
        .map(|(_, _, class)| class)
}

/// A pane that competes for height.
#[derive(Debug, Clone, Copy)]
struct Slot {
    what: Part,
    min: u16,
    /// Enough to be useful; a pane further down the list only gets a place when those above have this much.
    fair: u16,
    want: u16,
    /// Takes what is left over.
    grow: bool,
}

/// A slot holds one pane, panes side by side, or panes beside the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    One(PaneId),
    Two(PaneId, PaneId),
    Dock,
}

/// Gives slots (most important first) their heights. The slot with the focus counts as the most important one, so that the focus never lands on
/// a pane that is not drawn. Answers those placed, in the order given, and those dropped.
fn stack(height: u16, slots: &[Slot], focus: PaneId) -> (Vec<(Slot, u16)>, Vec<Slot>) {
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by_key(|i| !slots[*i].what.holds(focus));
    let mut taken: Vec<usize> = Vec::new();
    for at in order {
        // A pane further down only comes in when the ones before it have a fair height; the first comes in with its minimum.
        let others: u16 = taken.iter().map(|i| slots[*i].fair).fold(0, u16::saturating_add);
        if others.saturating_add(slots[at].min) <= height {
            taken.push(at);
        }
    }
    let mut placed: Vec<(Slot, u16)> = Vec::new();
    let mut dropped = Vec::new();
    for (i, slot) in slots.iter().enumerate() {
        if taken.contains(&i) {
            placed.push((*slot, slot.min));
        } else {
            dropped.push(*slot);
        }
    }
    let mut left = height.saturating_sub(placed.iter().map(|(_, h)| *h).sum());
    for level in [|s: &Slot| s.fair, |s: &Slot| s.want] {
        for (slot, h) in &mut placed {
            let more = level(slot).saturating_sub(*h).min(left);
            *h += more;
            left -= more;
        }
    }
    let growing = placed.iter().filter(|(s, _)| s.grow).count();
    if let Some(share) = left.checked_div(u16::try_from(growing).unwrap_or(1)) {
        let mut rest = left - share * u16::try_from(growing).unwrap_or(1);
        for (_, h) in placed.iter_mut().filter(|(s, _)| s.grow) {
            *h += share + rest;
            rest = 0;
        }
    }
    (placed, dropped)
}

fn slot(pane: PaneId, needs: &Needs) -> Slot {
    let min = pane.minimum().1;
    let (fair, want) = match pane {
        PaneId::Shards => (3 + needs.shards.clamp(3, 6), needs.shards.saturating_add(4)),
        PaneId::Throughput => (2 + needs.shards.clamp(2, 6), needs.shards.saturating_add(4)),
        PaneId::Consumers => (3 + needs.consumers.clamp(1, 3), needs.consumers.saturating_add(3)),
        PaneId::HashMap => (4, 12),
        PaneId::Record => (5, 7),
        PaneId::Pipeline => (2 + needs.boxes.clamp(1, 2) * 4, 3 + needs.boxes.max(1).saturating_mul(4)),
        PaneId::Programs => (4, 2 + needs.programs.clamp(1, 2) * 3),
        PaneId::SqlCode => (5, 16),
        PaneId::InAppStreams => (5, 9),
        PaneId::SqlRows => (6, 16),
        PaneId::Delivery => (9, 10),
        PaneId::Function => (6, 12),
        PaneId::Objects => (7, 14),
        PaneId::Charts => (9, (needs.charts.div_ceil(3)).clamp(1, 3) * 9),
        PaneId::Cost => (min, needs.cost.saturating_add(5)),
        PaneId::Accounting => (min, needs.accounting.saturating_add(3)),
        PaneId::Journal => (5, 5),
        PaneId::Guide | PaneId::Timeline => (min, min),
    };
    Slot { what: Part::One(pane), min, fair: fair.max(min), want: want.max(min), grow: false }
}

fn growing(slot: Slot) -> Slot {
    Slot { grow: true, ..slot }
}

fn side_by_side(a: PaneId, b: PaneId, needs: &Needs) -> Slot {
    let (x, y) = (slot(a, needs), slot(b, needs));
    Slot { what: Part::Two(a, b), min: x.min.max(y.min), fair: x.fair.max(y.fair), want: x.want.max(y.want), grow: false }
}

impl Part {
    fn holds(self, pane: PaneId) -> bool {
        match self {
            Self::One(one) => one == pane,
            Self::Two(a, b) => a == pane || b == pane,
            Self::Dock => false,
        }
    }
}

struct Builder<'n> {
    needs: &'n Needs,
    focus: PaneId,
    panes: Vec<(PaneId, Rect)>,
    dropped: Vec<PaneId>,
}

impl Builder<'_> {
    fn place(&mut self, part: Part, area: Rect) {
        match part {
            Part::One(pane) => self.put(pane, area),
            Part::Two(a, b) => {
                let left = area.width / 2;
                self.put(a, Rect { width: left, ..area });
                self.put(b, Rect { x: area.x + left, width: area.width - left, ..area });
            }
            Part::Dock => {}
        }
    }

    fn put(&mut self, pane: PaneId, area: Rect) {
        let (w, h) = pane.minimum();
        if area.width >= w && area.height >= h { self.panes.push((pane, area)) } else { self.dropped.push(pane) }
    }

    fn drop_part(&mut self, part: Part) {
        match part {
            Part::One(pane) => self.dropped.push(pane),
            Part::Two(a, b) => self.dropped.extend([a, b]),
            Part::Dock => {}
        }
    }

    /// One column of slots, top to bottom.
    fn column(&mut self, area: Rect, slots: &[Slot]) {
        let (placed, dropped) = stack(area.height, slots, self.focus);
        let mut y = area.y;
        for (slot, height) in placed {
            self.place(slot.what, Rect { y, height, ..area });
            y += height;
        }
        for slot in dropped {
            self.drop_part(slot.what);
        }
    }

    /// The guide at the left of a column, and slots below that take the full width.
    fn docked(&mut self, area: Rect, dock: u16, beside: &[Slot], below: &[Slot]) {
        let min = beside.first().map_or(4, |s| s.min).max(PaneId::Guide.minimum().1);
        let fair = beside.iter().map(|s| s.fair).sum::<u16>().max(min);
        let want = beside.iter().map(|s| s.want).fold(0, u16::saturating_add).max(fair);
        let mut slots = vec![Slot { what: Part::Dock, min, fair, want, grow: true }];
        slots.extend_from_slice(below);
        let (placed, dropped) = stack(area.height, &slots, self.focus);
        let mut y = area.y;
        let mut later = Vec::new();
        for (slot, height) in placed {
            let row = Rect { y, height, ..area };
            y += height;
            if slot.what == Part::Dock {
                self.put(PaneId::Guide, Rect { width: dock, ..row });
                self.column(Rect { x: row.x + dock, width: row.width - dock, ..row }, beside);
            } else {
                later.push((slot.what, row));
            }
        }
        for (part, row) in later {
            self.place(part, row);
        }
        for slot in dropped {
            self.drop_part(slot.what);
        }
    }
}

/// Lays out `screen` in a window. `zoom` gives one pane everything between tabs and timeline. `None` when the window is too small.
pub fn plan(width: u16, height: u16, screen: Screen, needs: &Needs, focus: PaneId, zoom: bool) -> Option<Plan> {
    let class = class(width, height)?;
    let row = |y: u16, height: u16| Rect { x: 0, y, width, height };
    let footer_height = if class >= Class::Normal { 2 } else { 1 };
    let footer = row(height - footer_height, footer_height);
    let timeline = row(footer.y - 1, 1);
    let header = row(0, 1);
    let known = screen.panes().contains(&focus) || (class == Class::Wide && focus != PaneId::Timeline);
    let focus = if known && focus != PaneId::Timeline { focus } else { screen.home() };
    let mut b = Builder { needs, focus, panes: Vec::new(), dropped: Vec::new() };
    if class == Class::Tiny {
        let marks = row(TINY_HEADER, TINY_MARKS);
        let pane = row(marks.bottom(), timeline.y - TINY_MESSAGE - marks.bottom());
        b.panes.push((focus, pane));
        b.dropped = screen.panes().iter().copied().filter(|p| *p != focus && *p != PaneId::Timeline).collect();
        let tail = row(timeline.y - TINY_MESSAGE, TINY_MESSAGE);
        return Some(Plan {
            class,
            header,
            tabs: None,
            marks: Some(marks),
            panes: b.panes,
            guide: GuideForm::Full,
            tail: Some(tail),
            timeline,
            footer,
            dropped: b.dropped,
        });
    }
    let tabs = row(1, 1);
    let mut plan = Plan {
        class,
        header,
        tabs: Some(tabs),
        marks: None,
        panes: Vec::new(),
        guide: GuideForm::Full,
        tail: None,
        timeline,
        footer,
        dropped: Vec::new(),
    };
    let mut main = Rect { y: tabs.bottom(), height: timeline.y - tabs.bottom(), ..header };
    if zoom {
        plan.panes = vec![(focus, main)];
        return Some(plan);
    }
    match class {
        Class::Small => {
            let strip = Rect { height: 3 + needs.checks.clamp(1, 3), ..main };
            plan.guide = GuideForm::Strip;
            b.panes.push((PaneId::Guide, strip));
            main.y += strip.height;
            main.height -= strip.height;
            if screen != Screen::Journal {
                let tail = Rect { y: main.bottom() - 2, height: 2, ..main };
                plan.tail = Some(tail);
                main.height -= 2;
            }
            small(&mut b, main, screen);
        }
        Class::Normal => {
            plan.guide = if screen == Screen::Metrics { GuideForm::Strip } else { GuideForm::Full };
            normal(&mut b, main, screen);
        }
        Class::Wide => wide(&mut b, main, screen),
        Class::Tiny => {}
    }
    plan.panes = b.panes;
    plan.dropped = b.dropped;
    Some(plan)
}

fn small(b: &mut Builder<'_>, main: Rect, screen: Screen) {
    let s = |pane| slot(pane, b.needs);
    let slots: Vec<Slot> = match screen {
        Screen::Overview => vec![growing(s(PaneId::Pipeline)), growing(s(PaneId::Throughput)), s(PaneId::Programs)],
        Screen::Streams => vec![growing(s(PaneId::Shards)), s(PaneId::HashMap), s(PaneId::Consumers), s(PaneId::Record)],
        Screen::Firehose => vec![s(PaneId::Delivery), growing(s(PaneId::Objects)), s(PaneId::Function)],
        Screen::Analytics => vec![s(PaneId::InAppStreams), growing(s(PaneId::SqlRows)), s(PaneId::SqlCode)],
        Screen::Metrics => vec![growing(s(PaneId::Charts)), s(PaneId::Cost), s(PaneId::Accounting)],
        Screen::Journal => vec![growing(s(PaneId::Journal))],
    };
    // The pipeline is the first thing to show, but the shards get their rows before it grows.
    let slots = if screen == Screen::Overview {
        let pipeline = Slot { grow: false, fair: PaneId::Pipeline.minimum().1, want: PaneId::Pipeline.minimum().1, ..slots[0] };
        vec![pipeline, slots[1], slots[2]]
    } else {
        slots
    };
    b.column(main, &slots);
}

fn normal(b: &mut Builder<'_>, main: Rect, screen: Screen) {
    let dock = match screen {
        Screen::Overview if main.width >= 120 => 38,
        _ => 30,
    };
    let s = |pane| slot(pane, b.needs);
    match screen {
        Screen::Overview => {
            let beside = [s(PaneId::Pipeline), growing(s(PaneId::Throughput))];
            let journal = s(PaneId::Journal);
            let programs = s(PaneId::Programs);
            b.docked(main, dock, &beside, &[programs, journal]);
        }
        Screen::Streams => {
            let beside = [growing(s(PaneId::Shards)), s(PaneId::Consumers)];
            let below = [Slot { fair: 10, ..s(PaneId::HashMap) }, s(PaneId::Record)];
            b.docked(main, dock, &beside, &below);
        }
        Screen::Analytics => b.docked(main, dock, &[growing(s(PaneId::SqlCode)), s(PaneId::InAppStreams)], &[growing(s(PaneId::SqlRows))]),
        Screen::Firehose => b.docked(main, dock, &[s(PaneId::Delivery), growing(s(PaneId::Function))], &[growing(s(PaneId::Objects))]),
        Screen::Metrics => {
            let strip = Rect { height: 3 + b.needs.checks.clamp(1, 3), y: main.bottom() - (3 + b.needs.checks.clamp(1, 3)), ..main };
            let above = Rect { height: main.height - strip.height, ..main };
            let slots = [growing(s(PaneId::Charts)), side_by_side(PaneId::Cost, PaneId::Accounting, b.needs)];
            b.column(above, &slots);
            b.panes.push((PaneId::Guide, strip));
        }
        Screen::Journal => b.docked(main, dock, &[growing(s(PaneId::Journal))], &[]),
    }
}

fn wide(b: &mut Builder<'_>, main: Rect, screen: Screen) {
    let s = |pane| slot(pane, b.needs);
    let journal = Slot { min: 5, fair: 8, want: 8, ..s(PaneId::Journal) };
    match screen {
        Screen::Overview => {
            let beside = [
                s(PaneId::Pipeline),
                growing(s(PaneId::Throughput)),
                Slot { fair: 10, want: 10, ..s(PaneId::HashMap) },
                s(PaneId::Consumers),
                s(PaneId::Programs),
            ];
            b.docked(main, 46, &beside, &[Slot { min: 7, fair: 8, want: 8, ..s(PaneId::Charts) }, journal]);
        }
        Screen::Streams => {
            let beside = [growing(s(PaneId::Shards)), Slot { fair: 10, ..s(PaneId::HashMap) }, s(PaneId::Consumers), s(PaneId::Record)];
            b.docked(main, 46, &beside, &[journal]);
        }
        Screen::Analytics => {
            let beside = [side_by_side(PaneId::SqlCode, PaneId::InAppStreams, b.needs), growing(s(PaneId::SqlRows))];
            b.docked(main, 46, &beside, &[journal]);
        }
        Screen::Firehose => {
            let beside = [side_by_side(PaneId::Delivery, PaneId::Function, b.needs), growing(s(PaneId::Objects))];
            b.docked(main, 46, &beside, &[Slot { min: 7, fair: 8, want: 8, ..s(PaneId::Accounting) }, journal]);
        }
        Screen::Metrics => {
            let beside = [growing(s(PaneId::Charts)), side_by_side(PaneId::Cost, PaneId::Accounting, b.needs)];
            b.docked(main, 46, &beside, &[journal]);
        }
        Screen::Journal => b.docked(main, 46, &[growing(s(PaneId::Journal))], &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB1: Needs = Needs { checks: 1, shards: 6, consumers: 1, boxes: 1, charts: 9, cost: 3, accounting: 2, programs: 2 };

    #[test]
    fn the_table_at_its_edges() {
        for (w, h, wanted) in [
            (160, 50, Some(Class::Wide)),
            (159, 50, Some(Class::Normal)),
            (160, 49, Some(Class::Normal)),
            (100, 32, Some(Class::Normal)),
            (99, 32, Some(Class::Small)),
            (300, 31, Some(Class::Small)),
            (80, 24, Some(Class::Small)),
            (79, 24, Some(Class::Tiny)),
            (300, 23, Some(Class::Tiny)),
            (60, 18, Some(Class::Tiny)),
            (59, 18, None),
            (60, 17, None),
        ] {
            assert_eq!(class(w, h), wanted, "{w}x{h}");
        }
    }

    #[test]
    fn the_floor_is_computed_from_the_panes() {
        assert_eq!(floor(), (60, 18));
    }

    fn check(plan: &Plan, w: u16, h: u16, what: &str) {
        let mut areas = vec![plan.header, plan.timeline, plan.footer];
        areas.extend(plan.tabs);
        areas.extend(plan.marks);
        areas.extend(plan.tail);
        areas.extend(plan.panes.iter().map(|(_, r)| *r));
        let screen = Rect::new(0, 0, w, h);
        for (i, a) in areas.iter().enumerate() {
            assert_eq!(screen.union(*a), screen, "{what}: {a:?} outside");
            for b in &areas[i + 1..] {
                assert!(a.intersection(*b).is_empty(), "{what}: {a:?} and {b:?} overlap");
            }
        }
        for (pane, area) in &plan.panes {
            let (mw, mh) = pane.minimum();
            assert!(area.width >= mw && area.height >= mh, "{what}: {pane:?} is {area:?}");
        }
    }

    #[test]
    fn nothing_overlaps_and_no_pane_is_below_its_minimum() {
        let crowded = Needs { checks: 9, shards: 500, consumers: 40, boxes: 12, charts: 40, cost: 9, accounting: 9, programs: 12 };
        for needs in [LAB1, Needs::default(), crowded] {
            for w in (60..=250).step_by(7).chain([79, 80, 99, 100, 119, 120, 159, 160]) {
                for h in (18..=80).chain([23, 24, 31, 32, 49, 50]) {
                    for screen in Screen::ALL {
                        for zoom in [false, true] {
                            let plan = plan(w, h, screen, &needs, screen.home(), zoom).expect("not too small");
                            check(&plan, w, h, &format!("{screen:?} {w}x{h} zoom {zoom}"));
                            assert!(!plan.panes.is_empty());
                            for pane in &plan.dropped {
                                assert!(plan.panes.iter().all(|(p, _)| p != pane), "{pane:?} is both shown and dropped");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn lab_1_at_80x24_shows_six_shards_and_the_map() {
        let plan = plan(80, 24, Screen::Streams, &LAB1, PaneId::Shards, false).expect("fits");
        let height = |pane| plan.panes.iter().find(|(p, _)| *p == pane).map_or(0, |(_, r)| r.height);
        assert_eq!((height(PaneId::Guide), height(PaneId::Shards), height(PaneId::HashMap)), (4, 10, 4));
        assert_eq!(plan.dropped, [PaneId::Consumers, PaneId::Record]);
    }

    #[test]
    fn the_focus_decides_what_a_tiny_window_shows() {
        let plan = plan(60, 18, Screen::Streams, &LAB1, PaneId::Record, false).expect("fits");
        assert_eq!(plan.panes, [(PaneId::Record, Rect::new(0, 5, 60, 10))]);
        assert_eq!(plan.dropped, [PaneId::Guide, PaneId::Shards, PaneId::Consumers, PaneId::HashMap]);
    }
}
