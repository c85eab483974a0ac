//! What each action of the registry does, and why it cannot be done now.

use crate::session::driver::Act;
use crate::session::view::SessionView;
use crate::tui::action::ActionId;
use crate::tui::app::{App, ConfirmBox, Effect, Field, Overlay, Palette, RowsState};
use crate::tui::editor::EditorBox;
use crate::tui::faults::{self, FaultBox};
use crate::tui::ids::{PaneId, Screen};
use crate::tui::line_edit::LineEdit;
use crate::tui::text::shard;
use crate::tui::topology;
use crate::tui::what_if::WhatIfBox;

use super::moves::{cycle, cycle_order, ends, horizontal, page, vertical};
use super::open::{copy, open};

const SECOND: i64 = 1_000_000;

/// Why an action cannot be used now; `None` when it can.
pub fn disabled(app: &App, view: &SessionView, id: ActionId) -> Option<String> {
    let lab = &view.lab;
    let stream = app.stream(view);
    match id {
        ActionId::Hint if lab.step.hints_total == 0 => Some("this step has no hints".to_owned()),
        ActionId::Hint if lab.step.hints_shown.len() >= lab.step.hints_total => Some("all hints are taken; they stand in the guide".to_owned()),
        ActionId::PreviousStep if lab.current == 0 => Some("this is the first step".to_owned()),
        ActionId::NextStep if lab.finished => Some("the lab is finished".to_owned()),
        ActionId::Back1 | ActionId::Back10 | ActionId::ToStart if view.clock.elapsed_us == 0 => Some("this is the start of the lab".to_owned()),
        ActionId::MarkBefore if mark_from(view, false).is_none() => Some("there is no mark before this instant".to_owned()),
        ActionId::MarkAfter if mark_from(view, true).is_none() => Some("there is no mark after this instant".to_owned()),
        ActionId::FollowRecord if view.world.trail.is_none() && app.shard(view).is_none_or(|shard| shard.last_record.is_none()) => {
            Some("there is no record yet, or none in the chosen shard".to_owned())
        }
        ActionId::Faults if faults::rows(view).is_empty() => Some("there is no bucket, function or delivery stream yet".to_owned()),
        ActionId::WhatIf if stream.is_none() => Some("there is no data stream yet".to_owned()),
        ActionId::Branches if view.branches.len() < 2 => {
            Some("there is one future so far: go back in time and do something there, and another one begins".to_owned())
        }
        ActionId::EditCode if app.application(view).is_none() => Some("there is no application yet: app create NAME".to_owned()),
        ActionId::Present if app.presenter.is_none() => Some("a lab is presented with 'kinlab present LAB'".to_owned()),
        ActionId::Present if app.presenting().is_some() => Some("the presenter has the screen already".to_owned()),
        ActionId::BeatBack | ActionId::BeatGo | ActionId::BeatKeys => Some("a key of the presenter".to_owned()),
        ActionId::ToNow if !view.clock.in_the_past => Some("this is the newest instant".to_owned()),
        ActionId::SplitShard | ActionId::MergeShards | ActionId::ProbeKey | ActionId::BarUnit if stream.is_none() => {
            Some("there is no data stream yet".to_owned())
        }
        ActionId::SplitShard | ActionId::MergeShards => {
            let (stream, chosen) = (stream?, app.shard(view)?);
            let preview = if id == ActionId::SplitShard {
                topology::split(stream, target_of_split(app, view)?, app.cursor(view))
            } else {
                topology::merge(stream, chosen)
            };
            preview.err()
        }
        _ => {
            let contexts = id.info().contexts;
            if contexts.hold(app.focus()) {
                return None;
            }
            let places: Vec<_> = PaneId::ALL.into_iter().filter(|p| contexts.hold(*p)).map(PaneId::title).collect();
            Some(format!("works in the pane {}", places.join(", ")))
        }
    }
}

/// The shard that `s` would split: the one under the map's cursor when it was moved, else the chosen one.
pub(super) fn target_of_split<'v>(app: &App, view: &'v SessionView) -> Option<&'v crate::engine::view::ShardView> {
    let stream = app.stream(view)?;
    if app.map_cursor.is_some() { topology::shard_at(stream, app.cursor(view)).or_else(|| app.shard(view)) } else { app.shard(view) }
}

pub(super) fn run_action(app: &mut App, view: &SessionView, id: ActionId, nth: usize) -> Vec<Effect> {
    // A context that does not hold never gets here by a key; from the overlay the pane is brought into focus first.
    if !id.info().contexts.hold(app.focus()) {
        bring_into_focus(app, id);
    }
    if let Some(reason) = disabled(app, view, id) {
        app.say(format!("{}: {reason}.", id.info().title), true);
        return Vec::new();
    }
    let shift = |by: i64| vec![Effect::Act(Act::Shift(by))];
    match id {
        ActionId::Commands => app.overlays.push(Overlay::Palette(Palette::default())),
        ActionId::Overview => go(app, Screen::Overview),
        ActionId::Streams => go(app, Screen::Streams),
        ActionId::Firehose => go(app, Screen::Firehose),
        ActionId::Analytics => go(app, Screen::Analytics),
        ActionId::Metrics => go(app, Screen::Metrics),
        ActionId::JournalScreen => go(app, Screen::Journal),
        ActionId::NextPane => cycle(app, 1),
        ActionId::PreviousPane => cycle(app, -1),
        ActionId::PaneByNumber => {
            if let Some(pane) = cycle_order(app).get(nth) {
                app.set_focus(*pane);
            }
        }
        ActionId::Up => vertical(app, view, -1),
        ActionId::Down => vertical(app, view, 1),
        ActionId::PageUp => page(app, view, -1),
        ActionId::PageDown => page(app, view, 1),
        ActionId::Top => ends(app, view, false),
        ActionId::Bottom => ends(app, view, true),
        ActionId::Left | ActionId::Right => return horizontal(app, view, if id == ActionId::Left { -1 } else { 1 }),
        ActionId::Open => return open(app, view),
        ActionId::Back => {
            if app.zoomed {
                app.zoomed = false;
            } else if app.journal.filter.is_some() || app.journal.frozen.is_some() {
                app.journal = crate::tui::app::JournalState::default();
            } else if app.rows.filter.is_some() || app.rows.frozen.is_some() {
                app.rows = RowsState::default();
            } else {
                app.probe = None;
                app.map_cursor = None;
            }
        }
        ActionId::Filter if app.focus() == PaneId::SqlRows => {
            app.field = Some((Field::Rows, LineEdit::new(app.rows.filter.as_deref().unwrap_or(""))));
        }
        ActionId::Filter => app.field = Some((Field::Filter, LineEdit::new(app.journal.filter.as_deref().unwrap_or("")))),
        ActionId::ProbeKey => {
            app.field = Some((Field::Probe, LineEdit::new(app.probe.as_deref().unwrap_or(""))));
            if app.hits.panes.contains(&PaneId::HashMap) || app.screen == Screen::Streams {
                app.set_focus(PaneId::HashMap);
            }
        }
        ActionId::Zoom => app.zoomed = !app.zoomed && app.focus() != PaneId::Timeline,
        ActionId::Guide => app.overlays.push(Overlay::Guide(None)),
        ActionId::Hint => return vec![Effect::Act(Act::Hint)],
        ActionId::ResetStep => confirm(
            app,
            "Reset this step?",
            vec![
                "Everything you did in this step is undone: commands, streams, producers, answers.".to_owned(),
                "Time goes back to the start of the step.".to_owned(),
            ],
            Act::ResetStep,
        ),
        ActionId::Solve => confirm(
            app,
            "Apply the solution?",
            vec!["The commands of the solution are run for you, and it is noted that they were.".to_owned()],
            Act::Solve,
        ),
        ActionId::NextStep => {
            let open = view.lab.step.checks.iter().filter(|c| c.state != crate::lab::view::CheckState::Met).count();
            if open == 0 {
                return vec![Effect::Act(Act::NextStep)];
            }
            let words = if open == 1 { "1 check is still open.".to_owned() } else { format!("{open} checks are still open.") };
            confirm(
                app,
                "Skip this step?",
                vec![words, "Its solution is applied, so that the next step finds what it needs.".to_owned()],
                Act::NextStep,
            );
        }
        ActionId::PreviousStep => return vec![Effect::Act(Act::PreviousStep)],
        ActionId::Pause => return vec![Effect::Act(Act::TogglePause)],
        ActionId::StepEvent => return vec![Effect::Act(Act::StepEvent)],
        ActionId::Back1 => return shift(-SECOND),
        ActionId::Forward1 => return shift(SECOND),
        ActionId::Back10 => return shift(-10 * SECOND),
        ActionId::Forward10 => return shift(10 * SECOND),
        ActionId::Slower => return vec![Effect::Act(Act::Slower)],
        ActionId::Faster => return vec![Effect::Act(Act::Faster)],
        ActionId::ToStart => return vec![Effect::Act(Act::ToStart)],
        ActionId::ToNow => return vec![Effect::Act(Act::ToNow)],
        ActionId::Bookmark => return vec![Effect::Act(Act::Bookmark(crate::tui::text::span(view.clock.elapsed_us)))],
        ActionId::MarkBefore | ActionId::MarkAfter => {
            if let Some((by, label)) = mark_from(view, id == ActionId::MarkAfter) {
                app.say(label, false);
                return shift(by);
            }
        }
        ActionId::FollowRecord => {
            app.overlays.push(Overlay::Trail(0));
            let chosen = app.stream(view).zip(app.shard(view)).filter(|(_, shard)| shard.last_record.is_some());
            if let (None, Some((stream, shard))) = (&view.world.trail, chosen) {
                return vec![Effect::Act(Act::Line(format!("follow {} {}", stream.name, shard.number)))];
            }
        }
        ActionId::WhatIf => {
            if let Some(sliders) = WhatIfBox::new(app, view) {
                app.overlays.push(Overlay::WhatIf(sliders));
            }
        }
        ActionId::Faults => {
            go(app, Screen::Firehose);
            app.overlays.push(Overlay::Faults(FaultBox::default()));
        }
        ActionId::Branches => app.overlays.push(Overlay::Branches(0)),
        ActionId::BarUnit => app.bar_unit = app.bar_unit.next(),
        ActionId::SplitShard => {
            if let (Some(stream), Some(target)) = (app.stream(view), target_of_split(app, view))
                && let Ok(preview) = topology::split(stream, target, app.cursor(view))
            {
                confirm_line(app, &format!("Split shard {}?", shard(target.number)), preview);
            }
        }
        ActionId::MergeShards => {
            if let (Some(stream), Some(chosen)) = (app.stream(view), app.shard(view))
                && let Ok(preview) = topology::merge(stream, chosen)
            {
                confirm_line(app, &format!("Merge shard {} with its right neighbour?", shard(chosen.number)), preview);
            }
        }
        ActionId::Follow if app.focus() == PaneId::SqlRows => app.rows = RowsState { filter: app.rows.filter.take(), ..RowsState::default() },
        ActionId::PauseList if app.focus() == PaneId::SqlRows => {
            app.rows.frozen = match app.rows.frozen.take() {
                Some(_) => None,
                None => app.live_stream(view).cloned(),
            };
        }
        ActionId::Follow => {
            app.journal.frozen = None;
            app.journal.selected = None;
            app.journal.depth = 0;
        }
        ActionId::PauseList => {
            app.journal.frozen = match app.journal.frozen.take() {
                Some(_) => None,
                None => Some(view.world.journal.clone()),
            };
        }
        ActionId::ChartWindow => app.long_window = !app.long_window,
        ActionId::EditCode => {
            if let Some(application) = app.application(view) {
                let editor = EditorBox::new(&application.name, &application.code, view.drafts.get(&application.name));
                let check = editor.check();
                go(app, Screen::Analytics);
                app.overlays.push(Overlay::Editor(Box::new(editor)));
                return vec![check];
            }
        }
        ActionId::Copy => return copy(app, view),
        ActionId::Labs => return vec![Effect::Labs],
        ActionId::Export => app.overlays.push(Overlay::Export(0)),
        ActionId::Present => crate::tui::present::resume(app),
        // They are keys of the presenter's own screen; elsewhere they are disabled.
        ActionId::BeatBack | ActionId::BeatGo | ActionId::BeatKeys => {}
        ActionId::Theme => {
            app.look.theme = app.look.theme.next();
            app.say(format!("Theme {}: {}.", app.look.theme.name, app.look.theme.about), false);
        }
        ActionId::Mouse => {
            app.look.mouse = !app.look.mouse;
            let text = if app.look.mouse {
                "The mouse works in the dashboard."
            } else {
                "The mouse is yours: select text with it, the same key takes it back."
            };
            app.say(text, false);
            return vec![Effect::Mouse(app.look.mouse)];
        }
        ActionId::Quit | ActionId::ForceQuit => return vec![Effect::Quit],
        ActionId::Suspend => return vec![Effect::Suspend],
    }
    Vec::new()
}

/// The nearest mark before or after the present one: how far it is, and what it says.
fn mark_from(view: &SessionView, after: bool) -> Option<(i64, String)> {
    let now = view.world.now;
    let marks = view.lab.marks.iter();
    let mark = if after {
        marks.filter(|mark| mark.at > now).min_by_key(|mark| mark.at)
    } else {
        marks.filter(|mark| mark.at < now).max_by_key(|mark| mark.at)
    }?;
    let by = i64::try_from(mark.at.0).ok()? - i64::try_from(now.0).ok()?;
    Some((by, format!("{} {}", mark.glyph, mark.label)))
}

pub(super) fn bring_into_focus(app: &mut App, id: ActionId) {
    let holds = |pane: &PaneId| id.info().contexts.hold(*pane);
    if let Some(pane) = app.hits.panes.iter().copied().find(holds).or_else(|| app.screen.panes().iter().copied().find(holds)) {
        app.set_focus(pane);
        return;
    }
    if let Some((screen, pane)) = Screen::ALL.into_iter().find_map(|s| s.panes().iter().copied().find(holds).map(|p| (s, p))) {
        go(app, screen);
        app.set_focus(pane);
    }
}

pub(super) fn go(app: &mut App, screen: Screen) {
    app.screen = screen;
    app.zoomed = false;
    app.scroll = 0;
    // The panes of the new screen are known once it is drawn.
    app.hits.panes.clear();
}

pub(super) fn confirm(app: &mut App, title: &str, lines: Vec<String>, act: Act) {
    app.overlays.push(Overlay::Confirm(ConfirmBox { title: title.to_owned(), lines, act }));
}

pub(super) fn confirm_line(app: &mut App, title: &str, preview: topology::Preview) {
    confirm(app, title, preview.lines, Act::Line(preview.command));
}
