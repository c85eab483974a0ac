//! Moving focus, selections and texts.

use crate::engine::kinesis::hash::HashKey;
use crate::session::driver::Act;
use crate::session::view::SessionView;
use crate::tui::app::{App, Effect, RowsState};
use crate::tui::hit::Target;
use crate::tui::ids::PaneId;
use crate::tui::panes::rows;
use crate::tui::topology;

use super::open::objects_of;
use super::step;

const SECOND: i64 = 1_000_000;

/// Panes that Tab visits: those of the screen (the layout makes room for the one in focus), then what a wide window shows beside them.
pub(super) fn cycle_order(app: &App) -> Vec<PaneId> {
    let mut order: Vec<PaneId> = app.screen.panes().to_vec();
    let extra = app.hits.panes.iter().copied().filter(|p| !order.contains(p)).collect::<Vec<_>>();
    let end = order.len().saturating_sub(1);
    order.splice(end..end, extra);
    if app.zoomed || crate::tui::layout::class(app.size.0, app.size.1) == Some(crate::tui::layout::Class::Tiny) {
        order.retain(|p| *p != PaneId::Timeline);
    }
    order
}

pub(super) fn cycle(app: &mut App, by: isize) {
    let order = cycle_order(app);
    if order.is_empty() {
        return;
    }
    let count = isize::try_from(order.len()).unwrap_or(1);
    let at = order.iter().position(|p| *p == app.focus()).and_then(|p| isize::try_from(p).ok()).unwrap_or(0);
    let next = usize::try_from((at + by).rem_euclid(count)).unwrap_or(0);
    app.set_focus(order[next]);
}

pub(super) fn vertical(app: &mut App, view: &SessionView, by: isize) {
    match app.focus() {
        PaneId::Guide => {
            let strip = app.guide_is_strip();
            move_guide(app, view, by, strip);
        }
        PaneId::Shards | PaneId::Throughput | PaneId::HashMap | PaneId::Record => move_shard(app, view, by),
        PaneId::Consumers => app.consumer = step(app.consumer, by, consumers_of(app, view)),
        PaneId::Programs => app.program = step(app.program, by, view.world.producers.len() + view.world.consumers.len()),
        PaneId::InAppStreams => {
            let count = app.application(view).map_or(0, |application| application.streams.len());
            app.in_app_stream = step(app.in_app_stream, by, count);
            app.rows = RowsState::default();
        }
        PaneId::SqlRows => {
            let count = app.in_app_stream(view).map_or(0, |stream| rows::matching(app, stream).len());
            app.rows.selected = step(app.rows.selected, by, count);
        }
        PaneId::Delivery => app.delivery = step(app.delivery, by, view.world.deliveries.len()),
        PaneId::Function => app.function = step(app.function, by, view.world.functions.len()),
        PaneId::Objects => app.object = step(app.object, by, objects_of(app, view).len()),
        PaneId::Journal => move_journal(app, view, by),
        pane @ (PaneId::Charts | PaneId::Cost | PaneId::Accounting) => {
            let page = app.hits.page(pane);
            app.scroll = app.scroll.min(page.max).saturating_add_signed(i16::try_from(by).unwrap_or(0)).min(page.max);
        }
        PaneId::Pipeline | PaneId::SqlCode | PaneId::Timeline => {}
    }
}

pub(super) fn consumers_of(app: &App, view: &SessionView) -> usize {
    let name = app.stream(view).map(|s| s.name.as_str());
    view.world.consumers.iter().filter(|c| Some(c.stream.as_str()) == name).count()
}

pub(super) fn move_guide(app: &mut App, view: &SessionView, by: isize, strip: bool) {
    let items = app.guide_items(view, strip);
    let chosen = app.chosen_item(view, strip);
    let Some(at) = items.iter().position(|i| Some(*i) == chosen) else { return };
    app.guide_item = items.get(step(at, by, items.len())).copied();
    app.guide_scroll = None;
}

pub(super) fn move_shard(app: &mut App, view: &SessionView, by: isize) {
    let Some(stream) = app.stream(view) else { return };
    let chosen = app.shard(view).map(|s| s.number);
    let at = stream.shards.iter().position(|s| Some(s.number) == chosen).unwrap_or(0);
    app.shard = stream.shards.get(step(at, by, stream.shards.len())).map(|s| s.number);
    app.map_cursor = None;
}

/// Rows are shown newest first, so down goes to older ones.
pub(super) fn move_journal(app: &mut App, view: &SessionView, by: isize) {
    let rows = &app.journal_view(view).rows;
    if rows.is_empty() {
        return;
    }
    let newest_first = |at: usize| rows.len() - 1 - at;
    let at = app.journal.selected.and_then(|s| rows.iter().position(|r| r.sequence == s)).map_or(0, newest_first);
    let next = step(at, by, rows.len());
    let sequence = rows.get(newest_first(next)).map(|r| r.sequence);
    // Near the end of what the view holds, ask for more.
    if next + 40 >= rows.len() && rows.len() < usize::try_from(app.journal_view(view).matching).unwrap_or(usize::MAX) {
        app.journal.depth += 200;
    }
    app.journal.selected = if next == 0 && by < 0 { None } else { sequence };
}

pub(super) fn page(app: &mut App, view: &SessionView, by: isize) {
    let pane = app.focus();
    let page = app.hits.page(pane);
    let lines = isize::try_from(page.lines.max(1)).unwrap_or(1);
    if pane == PaneId::Guide && !app.guide_is_strip() {
        let at = app.guide_scroll.unwrap_or(page.at).min(page.max);
        let moved = i32::from(at) + i32::try_from(by * lines).unwrap_or(0);
        app.guide_scroll = Some(u16::try_from(moved.max(0)).unwrap_or(0).min(page.max));
    } else {
        vertical(app, view, by * lines);
    }
}

pub(super) fn ends(app: &mut App, view: &SessionView, last: bool) {
    match app.focus() {
        PaneId::Journal if !last => {
            app.journal.selected = None;
        }
        PaneId::Journal => {
            app.journal.selected = app.journal_view(view).rows.first().map(|r| r.sequence);
        }
        PaneId::Guide if !app.guide_is_strip() => {
            app.guide_scroll = Some(if last { app.hits.page(PaneId::Guide).max } else { 0 });
        }
        _ => vertical(app, view, if last { 100_000 } else { -100_000 }),
    }
}

pub(super) fn horizontal(app: &mut App, view: &SessionView, by: i64) -> Vec<Effect> {
    match app.focus() {
        PaneId::Timeline => vec![Effect::Act(Act::Shift(by * SECOND))],
        PaneId::SqlCode => {
            let names: Vec<&str> = view.world.applications.iter().map(|application| application.name.as_str()).collect();
            let now = app.application(view).map(|application| application.name.as_str());
            let at = names.iter().position(|name| Some(*name) == now).unwrap_or(0);
            app.application = names.get(step(at, isize::try_from(by).unwrap_or(0), names.len())).map(|name| (*name).to_owned());
            app.in_app_stream = 0;
            app.rows = RowsState::default();
            Vec::new()
        }
        PaneId::HashMap => {
            let cells = app.hits.area(&Target::Ribbon).map_or(64, |r| r.width.max(1));
            let cell = u128::MAX / u128::from(cells);
            let at = app.cursor(view).0;
            let to = if by < 0 { at.saturating_sub(cell).max(1) } else { at.saturating_add(cell) };
            app.map_cursor = Some(to);
            if let Some(stream) = app.stream(view)
                && let Some(under) = topology::shard_at(stream, HashKey(to))
            {
                app.shard = Some(under.number);
            }
            Vec::new()
        }
        _ => {
            let names: Vec<&str> = view.world.streams.iter().map(|s| s.name.as_str()).collect();
            let now = app.stream(view).map(|s| s.name.as_str());
            let at = names.iter().position(|n| Some(*n) == now).unwrap_or(0);
            let next = step(at, isize::try_from(by).unwrap_or(0), names.len());
            if next != at {
                app.stream = names.get(next).map(|n| (*n).to_owned());
                app.shard = None;
                app.map_cursor = None;
            }
            Vec::new()
        }
    }
}
