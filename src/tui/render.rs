//! Draws the dashboard: a pure function of [`App`] and [`SessionView`] into a buffer. A pane that panics says so in its place; the rest lives.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::lab::view::LabView;
use crate::session::view::SessionView;

use super::app::App;
use super::hit::HitMap;
use super::ids::PaneId;
use super::layout::{Needs, Plan, floor, plan};
use super::overlays;
use super::paint::{Frame, Painter};
use super::panes::{Cx, draw, footer, header, journal, marks, tabs, timeline};
use super::text::clip_words;
use super::theme::Role;

thread_local! {
    static DRAWING: Cell<bool> = const { Cell::new(false) };
}

/// A pane is being drawn on this thread, so a panic now is caught: the panic hook must leave the terminal alone.
pub fn drawing() -> bool {
    DRAWING.with(Cell::get)
}

fn cells(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn needs(app: &App, view: &SessionView) -> Needs {
    let stream = app.stream(view);
    let world = &view.world;
    let column = |name: &str| {
        let left = world.producers.iter().filter(|p| p.target == name).count();
        let right = world.consumers.iter().filter(|c| c.stream == name).count();
        left.max(right).max(1)
    };
    Needs {
        checks: cells(items_of(&view.lab)),
        shards: stream.map_or(1, |s| cells(s.shards.len())),
        consumers: cells(world.consumers.iter().filter(|c| stream.is_some_and(|s| s.name == c.stream)).count()),
        boxes: cells(world.streams.iter().map(|s| column(&s.name)).sum::<usize>() + world.deliveries.len()),
        charts: cells(world.metrics.len()),
        cost: cells(world.cost.lines.len()),
        accounting: cells(world.accounting.len() * 2),
        programs: cells(world.producers.len() + world.consumers.len()),
    }
}

/// Rows of the strip: checks, then questions.
fn items_of(lab: &LabView) -> usize {
    lab.step.checks.len() + lab.step.questions.len()
}

/// Draws everything into `buf`. The buffer is emptied first.
pub fn render(app: &App, view: &SessionView, buf: &mut Buffer) -> HitMap {
    buf.reset();
    let mut hits = HitMap::default();
    let screen = buf.area;
    let text = app.look.theme.style(Role::Text);
    buf.set_style(screen, text);
    let mut p = Painter { buf, theme: app.look.theme, glyphs: app.look.glyphs.glyphs(), hits: &mut hits };
    let Some(plan) = plan(screen.width, screen.height, app.screen, &needs(app, view), app.focus(), app.zoomed) else {
        too_small(screen, view, &mut p);
        return hits;
    };
    let focus = app.focus();
    let cx = Cx { app, view, class: plan.class, guide: plan.guide, focus };
    if let Some(presenter) = app.presenting() {
        super::present::draw::draw(presenter, &cx, screen, &mut p);
        for overlay in &app.overlays {
            overlays::draw(overlay, &cx, screen, &mut p);
        }
        return hits;
    }
    around(&cx, &plan, &mut p);
    for (pane, area) in &plan.panes {
        guarded(*pane, &cx, *area, &mut p);
    }
    p.hits.panes = plan.panes.iter().map(|(pane, _)| *pane).collect();
    // Tab goes round the screen from top to bottom, the guide first.
    if let Some(at) = p.hits.panes.iter().position(|x| *x == PaneId::Guide) {
        p.hits.panes.remove(at);
        p.hits.panes.insert(0, PaneId::Guide);
    }
    p.hits.panes.push(PaneId::Timeline);
    p.hits.dropped.clone_from(&plan.dropped);
    if let Some(words) = &app.banner {
        let (right, y) = (plan.footer.right(), plan.footer.bottom() - 1);
        let left = right.saturating_sub(super::text::width(words) + 3).max(plan.footer.x);
        p.clear(Rect::new(left, y, right - left, 1));
        p.put_right(left, right.saturating_sub(1), y, words, Role::Warn);
    }
    for overlay in &app.overlays {
        overlays::draw(overlay, &cx, screen, &mut p);
    }
    hits
}

fn around(cx: &Cx<'_>, plan: &Plan, p: &mut Painter<'_>) {
    header::draw(cx, plan.header, p);
    if let Some(area) = plan.tabs {
        tabs::draw(cx, area, p);
    }
    if let Some(area) = plan.marks {
        marks::draw(cx, area, p);
    }
    if let Some(area) = plan.tail {
        tail(cx, plan, area, p);
    }
    timeline::draw(cx, plan.timeline, p);
    footer::draw(cx, plan.footer, p, &plan.dropped);
}

/// The lines above the timeline of a small window: what the coach or the narrator says, then the newest journal rows. Their number never changes,
/// so nothing jumps when the coach falls silent.
fn tail(cx: &Cx<'_>, plan: &Plan, area: Rect, p: &mut Painter<'_>) {
    if plan.marks.is_some() {
        journal::tail(cx, area, p);
        return;
    }
    let (voice, role) = super::panes::guide::voice(cx);
    let said = u16::from(!voice.is_empty());
    if said > 0 {
        let room = area.width.saturating_sub(2);
        p.put(area.x + 1, area.y, room, &clip_words(&voice, room), role);
    }
    journal::tail(cx, Rect { y: area.y + said, height: area.height.saturating_sub(said), ..area }, p);
}

pub(super) fn guarded(pane: PaneId, cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let outcome = if cx.app.failed.contains(&pane) {
        None
    } else {
        DRAWING.with(|d| d.set(true));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            assert!(cx.app.fault != Some(pane), "a fault was asked for");
            draw(pane, cx, area, p);
        }));
        DRAWING.with(|d| d.set(false));
        Some(outcome)
    };
    if matches!(outcome, Some(Ok(()))) {
        return;
    }
    p.hits.failed.push(pane);
    p.clear(area);
    let inner = p.frame(area, &Frame { title: pane.title(), focused: cx.focus == pane, ..Frame::default() });
    let words = "This pane failed and is not drawn any more. The rest works; please report it with kinlab's version.";
    for (i, line) in super::text::wrap(words, inner.width.saturating_sub(2)).into_iter().enumerate().take(usize::from(inner.height)) {
        p.put(inner.x + 1, inner.y + cells(i), inner.width.saturating_sub(2), &line, Role::Bad);
    }
}

/// The message of a window that is too small: what it has, what is needed, another way.
fn too_small(screen: Rect, view: &SessionView, p: &mut Painter<'_>) {
    let (w, h) = floor();
    let lab = if view.lab.id.is_empty() { "LAB" } else { &view.lab.id };
    let lines = [
        (format!("This window is {} x {}.", screen.width, screen.height), Role::Title),
        (format!("kinlab needs {w} x {h}."), Role::Text),
        (String::new(), Role::Text),
        ("Make it larger, or use the line mode:".to_owned(), Role::Text),
        (format!("  kinlab run {lab} --plain"), Role::Accent),
    ];
    let shown = cells(lines.len()).min(screen.height.saturating_sub(1).max(1));
    let top = (screen.height.saturating_sub(shown + 1)) / 2;
    let left = if screen.width > 40 { 2 } else { 0 };
    for (i, (text, role)) in lines.iter().take(usize::from(shown)).enumerate() {
        let room = screen.width.saturating_sub(left);
        p.put(left, top + cells(i), room, &clip_words(text, room), *role);
    }
    if screen.height > 2 {
        p.put(1, screen.height - 1, screen.width.saturating_sub(1), "q quit", Role::Key);
    }
}

/// Draws into a new buffer of a size.
pub fn frame(app: &App, view: &SessionView, width: u16, height: u16) -> (Buffer, HitMap) {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    let hits = render(app, view, &mut buf);
    (buf, hits)
}

#[cfg(test)]
mod tests {
    use super::super::app::Look;
    use super::super::fixture;
    use super::super::ids::Screen;
    use super::*;

    #[test]
    fn a_failing_pane_says_so_and_the_rest_lives() {
        let mut app = App::new(Look::default(), Screen::Streams, 80, 24);
        app.fault = Some(PaneId::HashMap);
        let (buf, hits) = frame(&app, &fixture::lab1_throttled(), 80, 24);
        let text: String = buf.content().iter().map(ratatui::buffer::Cell::symbol).collect();
        assert!(text.contains("This pane failed") && text.contains("thr/s") && text.contains("commands"));
        assert_eq!(hits.failed, [PaneId::HashMap]);
        assert!(!drawing());
    }

    #[test]
    fn drawing_twice_gives_the_same() {
        let view = fixture::lab1_throttled();
        let app = App::new(Look::default(), Screen::Overview, 120, 40);
        assert_eq!(frame(&app, &view, 120, 40), frame(&app, &view, 120, 40));
    }
}
