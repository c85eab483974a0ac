//! Clicks, drags and the wheel: what lies under the pointer is known from the last frame.

use crate::engine::kinesis::hash::HashKey;
use crate::session::driver::Act;
use crate::session::view::SessionView;
use crate::tui::app::{App, Effect, MouseKind, Overlay};
use crate::tui::hit::Target;
use crate::tui::ids::{PaneId, Screen};
use crate::tui::keys::{Chord, Key};
use crate::tui::text_edit::Place;
use crate::tui::topology;

use super::actions::go;
use super::moves::vertical;
use super::open::{inspect_shard, open, open_guide_item};
use super::overlays::overlay_key;

pub(super) fn mouse(app: &mut App, view: &SessionView, kind: MouseKind, x: u16, y: u16) -> Vec<Effect> {
    let target = app.hits.at(x, y).cloned();
    match kind {
        MouseKind::WheelUp | MouseKind::WheelDown => {
            let by = if kind == MouseKind::WheelUp { -1 } else { 1 };
            wheel(app, view, by, x, y)
        }
        MouseKind::Drag => match target {
            Some(Target::Timeline) => timeline(app, view, x),
            _ => Vec::new(),
        },
        MouseKind::Press => {
            app.toast = None;
            match target {
                Some(target) => press(app, view, target, x),
                None => Vec::new(),
            }
        }
    }
}

pub(super) fn wheel(app: &mut App, view: &SessionView, by: isize, x: u16, y: u16) -> Vec<Effect> {
    if let Some(Overlay::Editor(editor)) = app.overlays.last_mut() {
        editor.edit.vertical(by * 3);
        editor.keep_in_sight(usize::from(app.hits.overlay_page.lines));
        return Vec::new();
    }
    if !app.overlays.is_empty() {
        let key = if by < 0 { Key::Up } else { Key::Down };
        return overlay_key(app, view, Chord::plain(key));
    }
    if let Some(pane) = app.hits.pane_at(x, y) {
        let before = app.focus();
        app.set_focus(pane);
        if pane == PaneId::Guide && !app.guide_is_strip() {
            let page = app.hits.page(PaneId::Guide);
            let at = app.guide_scroll.unwrap_or(page.at).min(page.max);
            app.guide_scroll = Some(at.saturating_add_signed(if by < 0 { -3 } else { 3 }).min(page.max));
        } else {
            vertical(app, view, by);
        }
        app.set_focus(before);
    }
    Vec::new()
}

pub(super) fn timeline(app: &App, view: &SessionView, x: u16) -> Vec<Effect> {
    let Some(rail) = app.hits.area(&Target::Timeline) else { return Vec::new() };
    let cells = u64::from(rail.width.saturating_sub(1).max(1));
    let at = u64::from(x.saturating_sub(rail.x)).min(cells);
    let wanted = view.clock.duration_us / cells * at;
    let by = i64::try_from(wanted).unwrap_or(0) - i64::try_from(view.clock.elapsed_us).unwrap_or(0);
    vec![Effect::Act(Act::Shift(by))]
}

pub(super) fn press(app: &mut App, view: &SessionView, target: Target, x: u16) -> Vec<Effect> {
    match target {
        Target::Overlay | Target::Lab(_) => {}
        Target::OverlayRow(row) => return press_overlay_row(app, view, row, x),
        // A click beside the editor is no wish to leave it.
        _ if matches!(app.overlays.last(), Some(Overlay::Editor(_))) => {}
        _ if !app.overlays.is_empty() => {
            // A click beside the overlay closes it, as everywhere.
            app.overlays.pop();
        }
        Target::Tab(screen) => go(app, screen),
        Target::Pane(pane) => app.set_focus(pane),
        Target::Box(screen, pane) => {
            go(app, screen);
            app.set_focus(pane);
        }
        Target::Shard(number) => {
            let again = app.shard == Some(number);
            app.shard = Some(number);
            app.map_cursor = None;
            if app.screen == Screen::Streams {
                app.set_focus(PaneId::Shards);
            } else {
                app.set_focus(PaneId::Throughput);
            }
            if again {
                inspect_shard(app, view);
            }
        }
        Target::Consumer(row) => {
            let again = app.consumer == row && app.focus() == PaneId::Consumers;
            app.set_focus(PaneId::Consumers);
            app.consumer = row;
            if again {
                return open(app, view);
            }
        }
        Target::InAppStream(row) => {
            app.set_focus(PaneId::InAppStreams);
            app.in_app_stream = row;
        }
        Target::SqlRow(row) => {
            let again = app.rows.selected == row && app.focus() == PaneId::SqlRows;
            app.set_focus(PaneId::SqlRows);
            app.rows.selected = row;
            if again {
                return open(app, view);
            }
        }
        Target::Object(row) => {
            let again = app.object == row && app.focus() == PaneId::Objects;
            app.set_focus(PaneId::Objects);
            app.object = row;
            if again {
                return open(app, view);
            }
        }
        Target::Guide(item) => {
            app.set_focus(PaneId::Guide);
            let again = app.guide_item == Some(item);
            app.guide_item = Some(item);
            if again {
                return open_guide_item(app, view, item);
            }
        }
        Target::Journal(sequence) => {
            let again = app.journal.selected == Some(sequence);
            if app.hits.panes.contains(&PaneId::Journal) {
                app.set_focus(PaneId::Journal);
                app.journal.selected = Some(sequence);
            }
            if again {
                return open(app, view);
            }
        }
        Target::Timeline => return timeline(app, view, x),
        Target::Ribbon => {
            app.set_focus(PaneId::HashMap);
            if let Some(ribbon) = app.hits.area(&Target::Ribbon) {
                let cell = u128::MAX / u128::from(ribbon.width.max(1));
                let to = (cell.saturating_mul(u128::from(x.saturating_sub(ribbon.x)))).saturating_add(cell / 2);
                app.map_cursor = Some(to);
                if let Some(under) = app.stream(view).and_then(|s| topology::shard_at(s, HashKey(to))) {
                    app.shard = Some(under.number);
                }
            }
        }
    }
    Vec::new()
}

pub(super) fn press_overlay_row(app: &mut App, view: &SessionView, row: usize, x: u16) -> Vec<Effect> {
    match app.overlays.last_mut() {
        Some(Overlay::Palette(state)) => {
            if state.selected == row {
                return overlay_key(app, view, Chord::plain(Key::Enter));
            }
            state.selected = row;
        }
        Some(Overlay::Editor(editor)) => {
            let column = app.hits.area(&Target::OverlayRow(row)).map_or(0, |area| x.saturating_sub(area.x));
            editor.edit.go(Place { line: row, column: usize::from(column) });
        }
        Some(Overlay::WhatIf(state)) => {
            state.selected = row;
            // The right half moves the slider up, the left half down.
            let middle = app.hits.area(&Target::OverlayRow(row)).map_or(0, |area| area.x + area.width / 2);
            state.shift(x >= middle);
        }
        Some(Overlay::Faults(state)) => {
            if state.selected == row {
                return overlay_key(app, view, Chord::plain(Key::Enter));
            }
            state.selected = row;
        }
        Some(Overlay::Branches(selected)) => {
            if *selected == row {
                return overlay_key(app, view, Chord::plain(Key::Enter));
            }
            *selected = row;
        }
        Some(Overlay::Answer(state)) => {
            if state.selected == row {
                return overlay_key(app, view, Chord::plain(Key::Enter));
            }
            state.selected = row;
        }
        Some(Overlay::Export(chosen)) => {
            if *chosen == row {
                return overlay_key(app, view, Chord::plain(Key::Enter));
            }
            *chosen = row;
        }
        _ => {}
    }
    Vec::new()
}
