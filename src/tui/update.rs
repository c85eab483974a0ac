//! What messages do to the dashboard: pure logic, no terminal, no driver. Effects say what the shell around has to do.

use crate::engine::kinesis::hash::HashKey;
use crate::engine::view::JournalRow;
use crate::session::driver::{Act, Outcome};
use crate::session::view::SessionView;

use super::action::ActionId;
use super::app::{AnswerBox, App, ConfirmBox, Effect, Field, MouseKind, Msg, OutputBox, Overlay, Palette};
use super::hit::Target;
use super::ids::{GuideItem, PaneId, Screen};
use super::keys::{Chord, Key};
use super::line_edit::LineEdit;
use super::overlays::palette;
use super::text::{bytes, hash_range, permille, shard};
use super::topology;

const SECOND: i64 = 1_000_000;

/// Changes the dashboard by one message.
pub fn update(app: &mut App, view: &SessionView, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(chord) => key(app, view, chord),
        Msg::Mouse(kind, x, y) => mouse(app, view, kind, x, y),
        Msg::Paste(text) => paste(app, &text),
        Msg::Resize(width, height) => {
            app.size = (width, height);
            Vec::new()
        }
        Msg::Tick(phase) => {
            app.phase = phase;
            Vec::new()
        }
        Msg::Drawn(hits) => {
            app.failed.extend(hits.failed.iter().copied());
            app.hits = hits;
            Vec::new()
        }
        Msg::Done(act, outcome) => done(app, &act, outcome),
        Msg::Completions(line, completions) => {
            if let Some(Overlay::Palette(palette)) = app.overlays.last_mut()
                && palette.input.text() == line
            {
                palette.completions = completions;
            }
            Vec::new()
        }
        Msg::SlowLink(slow) => {
            app.slow_link = slow;
            Vec::new()
        }
    }
}

fn key(app: &mut App, view: &SessionView, chord: Chord) -> Vec<Effect> {
    app.toast = None;
    let id = app.look.keymap.lookup(chord, app.focus()).map(|(id, _)| id);
    if id == Some(ActionId::ForceQuit) {
        return vec![Effect::Quit];
    }
    if id == Some(ActionId::Suspend) {
        return vec![Effect::Suspend];
    }
    if !app.overlays.is_empty() {
        return overlay_key(app, view, chord);
    }
    if app.field.is_some() {
        return field_key(app, chord);
    }
    match app.look.keymap.lookup(chord, app.focus()) {
        Some((id, nth)) => run_action(app, view, id, nth),
        None => Vec::new(),
    }
}

/// Edits a text field; answers whether the chord was meant for it.
fn edit(line: &mut LineEdit, chord: Chord) -> bool {
    if let Some(c) = chord.typed() {
        line.insert(c.encode_utf8(&mut [0; 4]));
        return true;
    }
    match (chord.key, chord.ctrl) {
        (Key::Backspace, false) => line.backspace(),
        (Key::Delete, _) => line.delete(),
        (Key::Left, _) => line.move_by(-1),
        (Key::Right, _) => line.move_by(1),
        (Key::Home, _) => line.home(),
        (Key::End, _) => line.end(),
        (Key::Char('W') | Key::Backspace, true) => line.delete_word(),
        (Key::Char('U'), true) => line.delete_to_start(),
        _ => return false,
    }
    true
}

fn field_key(app: &mut App, chord: Chord) -> Vec<Effect> {
    let Some((field, mut line)) = app.field.take() else { return Vec::new() };
    match chord.key {
        Key::Enter => {
            let text = Some(line.text()).filter(|t| !t.is_empty());
            match field {
                Field::Filter => {
                    app.journal.filter = text;
                    app.journal.selected = None;
                }
                Field::Probe => app.probe = text,
            }
        }
        Key::Esc => match field {
            Field::Filter => app.journal.filter = None,
            Field::Probe => app.probe = None,
        },
        _ => {
            edit(&mut line, chord);
            app.field = Some((field, line));
        }
    }
    Vec::new()
}

fn paste(app: &mut App, text: &str) -> Vec<Effect> {
    match app.overlays.last_mut() {
        Some(Overlay::Palette(palette)) => {
            palette.input.insert(text.trim_end_matches(['\r', '\n']));
            palette.selected = 0;
            return vec![Effect::Complete(palette.input.text())];
        }
        Some(Overlay::Answer(answer)) => {
            answer.input.insert(text.trim());
            return Vec::new();
        }
        Some(_) => return Vec::new(),
        None => {}
    }
    if let Some((_, line)) = &mut app.field {
        line.insert(text.trim());
        return Vec::new();
    }
    // A command pasted on the bare screen is meant for the command line.
    let mut palette = Palette::default();
    palette.input.insert(text.trim());
    let line = palette.input.text();
    app.overlays.push(Overlay::Palette(palette));
    vec![Effect::Complete(line)]
}

fn overlay_key(app: &mut App, view: &SessionView, chord: Chord) -> Vec<Effect> {
    let Some(top) = app.overlays.last().cloned() else { return Vec::new() };
    // What one reads never stands between the learner and the command line.
    let is_read = matches!(top, Overlay::Explain(_) | Overlay::Output(_) | Overlay::Guide(_));
    if is_read && matches!(app.look.keymap.lookup(chord, PaneId::Guide), Some((ActionId::Commands, _))) {
        app.overlays.pop();
        // Below the words of a refused line its palette still lies.
        app.overlays.retain(|overlay| !matches!(overlay, Overlay::Palette(_)));
        return run_action(app, view, ActionId::Commands, 0);
    }
    match top {
        Overlay::Palette(state) => palette_key(app, view, state, chord),
        Overlay::Answer(state) => answer_key(app, view, state, chord),
        Overlay::Confirm(state) => match (chord.key, chord.typed()) {
            (Key::Enter, _) | (_, Some('y')) => {
                app.overlays.pop();
                vec![Effect::Act(state.act)]
            }
            (Key::Esc, _) | (_, Some('n' | 'q')) => {
                app.overlays.pop();
                Vec::new()
            }
            _ => Vec::new(),
        },
        Overlay::Explain(check) => match app.look.keymap.lookup(chord, PaneId::Guide).map(|(id, _)| id) {
            Some(ActionId::Back | ActionId::Open | ActionId::Quit) => {
                app.overlays.pop();
                Vec::new()
            }
            Some(ActionId::Down) => explain_other(app, view, check, 1),
            Some(ActionId::Up) => explain_other(app, view, check, -1),
            Some(id @ (ActionId::Hint | ActionId::Pause | ActionId::StepEvent | ActionId::Theme)) => run_action(app, view, id, 0),
            _ => Vec::new(),
        },
        Overlay::Output(state) => output_key(app, state, chord),
        Overlay::Guide(scroll) => guide_overlay_key(app, view, scroll, chord),
    }
}

fn explain_other(app: &mut App, view: &SessionView, check: usize, by: isize) -> Vec<Effect> {
    let count = view.lab.step.checks.len();
    let next = step(check, by, count);
    app.guide_item = Some(GuideItem::Check(next));
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Explain(next);
    }
    Vec::new()
}

fn output_key(app: &mut App, mut state: OutputBox, chord: Chord) -> Vec<Effect> {
    let page = app.hits.overlay_page;
    let at = state.scroll.min(page.max);
    match app.look.keymap.lookup(chord, PaneId::Guide).map(|(id, _)| id) {
        Some(ActionId::Up) => state.scroll = at.saturating_sub(1),
        Some(ActionId::Down) => state.scroll = (at + 1).min(page.max),
        Some(ActionId::PageUp) => state.scroll = at.saturating_sub(page.lines.max(1)),
        Some(ActionId::PageDown | ActionId::Pause) => state.scroll = at.saturating_add(page.lines.max(1)).min(page.max),
        Some(ActionId::Top) => state.scroll = 0,
        Some(ActionId::Bottom) => state.scroll = page.max,
        Some(ActionId::Copy) => {
            app.say("Copied the output.", false);
            return vec![Effect::Copy(state.text)];
        }
        Some(ActionId::Back | ActionId::Open | ActionId::Quit) => {
            app.overlays.pop();
            return Vec::new();
        }
        _ => return Vec::new(),
    }
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Output(state);
    }
    Vec::new()
}

fn guide_overlay_key(app: &mut App, view: &SessionView, scroll: Option<u16>, chord: Chord) -> Vec<Effect> {
    let page = app.hits.overlay_page;
    let at = scroll.unwrap_or(page.at).min(page.max);
    let set = |app: &mut App, to: Option<u16>| {
        if let Some(top) = app.overlays.last_mut() {
            *top = Overlay::Guide(to);
        }
        Vec::new()
    };
    match app.look.keymap.lookup(chord, PaneId::Guide).map(|(id, _)| id) {
        Some(ActionId::Up) => {
            move_guide(app, view, -1, false);
            set(app, None)
        }
        Some(ActionId::Down) => {
            move_guide(app, view, 1, false);
            set(app, None)
        }
        Some(ActionId::PageUp) => set(app, Some(at.saturating_sub(page.lines.max(1)))),
        Some(ActionId::PageDown | ActionId::Pause) => set(app, Some(at.saturating_add(page.lines.max(1)).min(page.max))),
        Some(ActionId::Top) => set(app, Some(0)),
        Some(ActionId::Bottom) => set(app, Some(page.max)),
        Some(ActionId::Back | ActionId::Guide | ActionId::Quit) => {
            app.overlays.pop();
            Vec::new()
        }
        Some(ActionId::Open) => match app.chosen_item(view, false) {
            Some(item) => open_guide_item(app, view, item),
            None => Vec::new(),
        },
        Some(id @ (ActionId::Hint | ActionId::NextStep | ActionId::PreviousStep | ActionId::ResetStep)) => run_action(app, view, id, 0),
        _ => Vec::new(),
    }
}

fn palette_key(app: &mut App, view: &SessionView, mut state: Palette, chord: Chord) -> Vec<Effect> {
    let rows = palette::rows(app, view, &state);
    let mut changed = false;
    match chord.key {
        Key::Esc => {
            app.overlays.pop();
            return Vec::new();
        }
        Key::Enter => {
            return match rows.get(state.selected.min(rows.len().saturating_sub(1))) {
                Some(palette::Row::Line(line)) => run_line(app, &line.clone()),
                Some(palette::Row::Action(id, _)) => {
                    let id = *id;
                    app.overlays.pop();
                    app.recent.retain(|r| *r != id);
                    app.recent.insert(0, id);
                    run_action(app, view, id, 0)
                }
                Some(palette::Row::Completion(text, _)) => {
                    state.input.set(text);
                    changed = true;
                    finish_palette(app, state, changed)
                }
                None => Vec::new(),
            };
        }
        Key::Tab => {
            if let Some((text, _)) = state.completions.first() {
                state.input.set(&text.clone());
                changed = true;
            } else if let Some(palette::Row::Action(id, _)) = rows.get(state.selected) {
                state.input.set(id.info().title);
                changed = true;
            }
        }
        Key::Down => state.selected = step(state.selected, 1, rows.len()),
        Key::Up if state.selected > 0 => state.selected -= 1,
        Key::Up => changed = state.input.older(&app.history),
        Key::PageDown => state.selected = step(state.selected, 8, rows.len()),
        Key::PageUp => state.selected = state.selected.saturating_sub(8),
        Key::Char('N') if chord.ctrl => changed = state.input.newer(&app.history),
        Key::Char('P') if chord.ctrl => changed = state.input.older(&app.history),
        // An empty field has no use for these: the key that opened the overlay closes it.
        Key::Char('?' | ':') if state.input.is_empty() => {
            app.overlays.pop();
            return Vec::new();
        }
        _ => changed = edit(&mut state.input, chord),
    }
    finish_palette(app, state, changed)
}

fn finish_palette(app: &mut App, mut state: Palette, changed: bool) -> Vec<Effect> {
    if changed {
        state.selected = 0;
        state.completions.clear();
    }
    let line = state.input.text();
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Palette(state);
    }
    if changed && !line.trim().is_empty() { vec![Effect::Complete(line)] } else { Vec::new() }
}

fn run_line(app: &mut App, line: &str) -> Vec<Effect> {
    let line = line.trim().to_owned();
    if line.is_empty() {
        return Vec::new();
    }
    if app.history.last() != Some(&line) {
        app.history.push(line.clone());
        if app.history.len() > 500 {
            app.history.remove(0);
        }
    }
    vec![Effect::Act(Act::Line(line))]
}

fn answer_key(app: &mut App, view: &SessionView, mut state: AnswerBox, chord: Chord) -> Vec<Effect> {
    let Some(question) = view.lab.step.questions.get(state.question) else {
        app.overlays.pop();
        return Vec::new();
    };
    let choices = &question.choices;
    match chord.key {
        Key::Esc => {
            app.overlays.pop();
            return Vec::new();
        }
        Key::Enter => {
            let answer =
                if choices.is_empty() { state.input.text().trim().to_owned() } else { choices.get(state.selected).cloned().unwrap_or_default() };
            return give_answer(app, &question.id, &answer);
        }
        Key::Down | Key::Tab if !choices.is_empty() => state.selected = step(state.selected, 1, choices.len()),
        Key::Up | Key::BackTab if !choices.is_empty() => state.selected = state.selected.saturating_sub(1),
        Key::Char(c) if !choices.is_empty() => {
            let number = c.to_digit(10).and_then(|d| usize::try_from(d).ok()).unwrap_or(0);
            if (1..=choices.len()).contains(&number) {
                return give_answer(app, &question.id, &choices[number - 1].clone());
            }
        }
        _ => {
            edit(&mut state.input, chord);
        }
    }
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Answer(state);
    }
    Vec::new()
}

fn give_answer(app: &mut App, question: &str, answer: &str) -> Vec<Effect> {
    if answer.is_empty() {
        return Vec::new();
    }
    app.overlays.pop();
    vec![Effect::Act(Act::Line(format!("answer {question} {answer}")))]
}

/// What an act answered.
fn done(app: &mut App, act: &Act, outcome: Outcome) -> Vec<Effect> {
    if outcome.quit {
        return vec![Effect::Quit];
    }
    // A line that worked closes the overlay it was typed in; one that failed can be corrected there.
    if matches!(act, Act::Line(_)) && !outcome.failed && matches!(app.overlays.last(), Some(Overlay::Palette(_))) {
        app.overlays.pop();
    }
    if matches!(act, Act::NextStep | Act::PreviousStep | Act::ResetStep) {
        app.guide_item = None;
        app.guide_scroll = None;
        for overlay in &mut app.overlays {
            if let Overlay::Guide(scroll) = overlay {
                *scroll = None;
            }
        }
        app.overlays.retain(|o| !matches!(o, Overlay::Explain(_) | Overlay::Answer(_)));
    }
    let title = match act {
        Act::Line(line) => line.clone(),
        Act::Hint => "Hint".to_owned(),
        Act::Solve => "Solution".to_owned(),
        Act::StepEvent => "Next event".to_owned(),
        _ => String::new(),
    };
    let mut text = outcome.output;
    if !outcome.message.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&outcome.message);
    }
    if text.trim().is_empty() {
        return Vec::new();
    }
    let short = !text.trim_end().contains('\n') && super::text::width(&text) + 2 <= app.size.0;
    // A message over an open overlay would hide behind it.
    let plain = short && outcome.status == 0 && !matches!(act, Act::Hint) && (!outcome.failed || app.overlays.is_empty());
    if plain {
        app.say(text.trim_end().to_owned(), outcome.failed);
    } else {
        app.overlays.push(Overlay::Output(OutputBox { title, text: text.trim_end().to_owned(), scroll: 0, failed: outcome.failed }));
    }
    Vec::new()
}

fn step(at: usize, by: isize, count: usize) -> usize {
    at.saturating_add_signed(by).min(count.saturating_sub(1))
}

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
fn target_of_split<'v>(app: &App, view: &'v SessionView) -> Option<&'v crate::engine::view::ShardView> {
    let stream = app.stream(view)?;
    if app.map_cursor.is_some() { topology::shard_at(stream, app.cursor(view)).or_else(|| app.shard(view)) } else { app.shard(view) }
}

fn run_action(app: &mut App, view: &SessionView, id: ActionId, nth: usize) -> Vec<Effect> {
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
                app.journal = super::app::JournalState::default();
            } else {
                app.probe = None;
                app.map_cursor = None;
            }
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
        ActionId::Bookmark => return vec![Effect::Act(Act::Bookmark(super::text::span(view.clock.elapsed_us)))],
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
        ActionId::Copy => return copy(app, view),
        ActionId::Labs => return vec![Effect::Labs],
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

fn bring_into_focus(app: &mut App, id: ActionId) {
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

fn go(app: &mut App, screen: Screen) {
    app.screen = screen;
    app.zoomed = false;
    app.scroll = 0;
    // The panes of the new screen are known once it is drawn.
    app.hits.panes.clear();
}

/// Panes that Tab visits: those of the screen (the layout makes room for the one in focus), then what a wide window shows beside them.
fn cycle_order(app: &App) -> Vec<PaneId> {
    let mut order: Vec<PaneId> = app.screen.panes().to_vec();
    let extra = app.hits.panes.iter().copied().filter(|p| !order.contains(p)).collect::<Vec<_>>();
    let end = order.len().saturating_sub(1);
    order.splice(end..end, extra);
    if app.zoomed || super::layout::class(app.size.0, app.size.1) == Some(super::layout::Class::Tiny) {
        order.retain(|p| *p != PaneId::Timeline);
    }
    order
}

fn cycle(app: &mut App, by: isize) {
    let order = cycle_order(app);
    if order.is_empty() {
        return;
    }
    let count = isize::try_from(order.len()).unwrap_or(1);
    let at = order.iter().position(|p| *p == app.focus()).and_then(|p| isize::try_from(p).ok()).unwrap_or(0);
    let next = usize::try_from((at + by).rem_euclid(count)).unwrap_or(0);
    app.set_focus(order[next]);
}

fn vertical(app: &mut App, view: &SessionView, by: isize) {
    match app.focus() {
        PaneId::Guide => {
            let strip = app.guide_is_strip();
            move_guide(app, view, by, strip);
        }
        PaneId::Shards | PaneId::Throughput | PaneId::HashMap | PaneId::Record => move_shard(app, view, by),
        PaneId::Consumers => app.consumer = step(app.consumer, by, consumers_of(app, view)),
        PaneId::Programs => app.program = step(app.program, by, view.world.producers.len() + view.world.consumers.len()),
        PaneId::InAppStreams => {
            let count = view.world.application().map_or(0, |application| application.streams.len());
            app.in_app_stream = step(app.in_app_stream, by, count);
        }
        PaneId::Delivery => app.delivery = step(app.delivery, by, view.world.deliveries.len()),
        PaneId::Function => app.function = step(app.function, by, view.world.functions.len()),
        PaneId::Objects => app.object = step(app.object, by, objects_of(app, view).len()),
        PaneId::Journal => move_journal(app, view, by),
        pane @ (PaneId::Charts | PaneId::Cost | PaneId::Accounting | PaneId::SqlRows) => {
            let page = app.hits.page(pane);
            app.scroll = app.scroll.min(page.max).saturating_add_signed(i16::try_from(by).unwrap_or(0)).min(page.max);
        }
        PaneId::Pipeline | PaneId::SqlCode | PaneId::Timeline => {}
    }
}

fn consumers_of(app: &App, view: &SessionView) -> usize {
    let name = app.stream(view).map(|s| s.name.as_str());
    view.world.consumers.iter().filter(|c| Some(c.stream.as_str()) == name).count()
}

fn move_guide(app: &mut App, view: &SessionView, by: isize, strip: bool) {
    let items = app.guide_items(view, strip);
    let chosen = app.chosen_item(view, strip);
    let Some(at) = items.iter().position(|i| Some(*i) == chosen) else { return };
    app.guide_item = items.get(step(at, by, items.len())).copied();
    app.guide_scroll = None;
}

fn move_shard(app: &mut App, view: &SessionView, by: isize) {
    let Some(stream) = app.stream(view) else { return };
    let chosen = app.shard(view).map(|s| s.number);
    let at = stream.shards.iter().position(|s| Some(s.number) == chosen).unwrap_or(0);
    app.shard = stream.shards.get(step(at, by, stream.shards.len())).map(|s| s.number);
    app.map_cursor = None;
}

/// Rows are shown newest first, so down goes to older ones.
fn move_journal(app: &mut App, view: &SessionView, by: isize) {
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

fn page(app: &mut App, view: &SessionView, by: isize) {
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

fn ends(app: &mut App, view: &SessionView, last: bool) {
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

fn horizontal(app: &mut App, view: &SessionView, by: i64) -> Vec<Effect> {
    match app.focus() {
        PaneId::Timeline => vec![Effect::Act(Act::Shift(by * SECOND))],
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

fn confirm(app: &mut App, title: &str, lines: Vec<String>, act: Act) {
    app.overlays.push(Overlay::Confirm(ConfirmBox { title: title.to_owned(), lines, act }));
}

fn confirm_line(app: &mut App, title: &str, preview: topology::Preview) {
    confirm(app, title, preview.lines, Act::Line(preview.command));
}

fn show(app: &mut App, title: String, text: String) {
    app.overlays.push(Overlay::Output(OutputBox { title, text, scroll: 0, failed: false }));
}

fn open(app: &mut App, view: &SessionView) -> Vec<Effect> {
    match app.focus() {
        PaneId::Guide => {
            let strip = app.guide_is_strip();
            if let Some(item) = app.chosen_item(view, strip) {
                return open_guide_item(app, view, item);
            }
            app.overlays.push(Overlay::Guide(None));
        }
        PaneId::Pipeline => go(app, Screen::Streams),
        PaneId::Shards | PaneId::Throughput | PaneId::HashMap => inspect_shard(app, view),
        PaneId::Record => {
            if let Some(record) = app.shard(view).and_then(|s| s.last_record.as_ref()) {
                let text = record_text(record);
                show(app, "Record".to_owned(), text);
            }
        }
        PaneId::Consumers => {
            let name = app.stream(view).map(|s| s.name.clone());
            if let Some(consumer) = view.world.consumers.iter().filter(|c| Some(&c.stream) == name.as_ref()).nth(app.consumer) {
                let mut text = format!(
                    "{} {} of {}: {} records, {} since it started\n",
                    consumer.kind,
                    consumer.state,
                    consumer.stream,
                    consumer.records,
                    bytes(consumer.bytes)
                );
                for s in &consumer.shards {
                    text.push_str(&format!(
                        "\nshard {}  {}  from {}  {} ms behind  {} reads/s",
                        shard(s.shard),
                        s.state,
                        s.position,
                        s.behind_ms,
                        s.reads_per_second
                    ));
                }
                show(app, consumer.name.clone(), text);
            }
        }
        PaneId::Programs => {
            let logs = view.world.producers.iter().map(|p| (&p.name, &p.log)).chain(view.world.consumers.iter().map(|c| (&c.name, &c.log)));
            if let Some((name, log)) = logs.skip(app.program).map(|(n, l)| (n.clone(), l.clone())).next() {
                let text = log.iter().map(|l| format!("{}  {}", l.at.clock_millis_text(), l.text)).collect::<Vec<_>>().join("\n");
                show(app, format!("Log of {name}"), if text.is_empty() { "It printed nothing yet.".to_owned() } else { text });
            }
        }
        PaneId::Journal => {
            if let Some(row) = selected_row(app, view) {
                let by = i64::try_from(row.at.0).unwrap_or(0) - i64::try_from(view.world.now.0).unwrap_or(0);
                return vec![Effect::Act(Act::Shift(by))];
            }
        }
        PaneId::Objects => {
            if let Some(object) = objects_of(app, view).get(app.object) {
                return vec![Effect::Act(Act::Line(format!("s3 select s3://{}/{} 20", object.bucket, object.key)))];
            }
        }
        PaneId::Function => {
            let all = &view.world.functions;
            if let Some(function) = all.get(app.function.min(all.len().saturating_sub(1))) {
                let log = function.log.iter().map(|l| format!("{}  {}", l.at.clock_millis_text(), l.text)).collect::<Vec<_>>().join("\n");
                let text = format!(
                    "{}\n\n{}\n\nLog\n{}",
                    function.code.0,
                    function.code.1.trim_end(),
                    if log.is_empty() { "It printed nothing yet.".to_owned() } else { log }
                );
                show(app, format!("Function {}", function.name), text);
            }
        }
        PaneId::SqlCode => {
            if let Some(application) = view.world.application() {
                let columns: Vec<String> = application.columns.iter().map(|(name, kind)| format!("  {name:<22} {kind}")).collect();
                let text =
                    format!("{}\n\nInput {}\n{}", application.code.trim_end(), application.input.as_deref().unwrap_or("none"), columns.join("\n"));
                show(app, format!("Application {}", application.name), text);
            }
        }
        PaneId::InAppStreams => app.set_focus(PaneId::SqlRows),
        PaneId::SqlRows => {
            let stream = view.world.application().and_then(|application| application.streams.get(app.in_app_stream));
            if let Some(stream) = stream {
                let rows: Vec<String> =
                    stream.newest.iter().map(|(time, cells)| format!("{}  {}", time.clock_millis_text(), cells.join("  "))).collect();
                show(app, stream.name.clone(), format!("ROWTIME       {}\n{}", stream.columns.join("  "), rows.join("\n")));
            }
        }
        PaneId::Delivery => return vec![Effect::Act(Act::Line("deliveries".to_owned()))],
        PaneId::Cost => go(app, Screen::Metrics),
        PaneId::Charts | PaneId::Accounting | PaneId::Timeline => {}
    }
    Vec::new()
}

/// The objects of the delivery stream shown.
fn objects_of<'v>(app: &App, view: &'v SessionView) -> &'v [crate::engine::view::DeliveredView] {
    let all = &view.world.deliveries;
    all.get(app.delivery.min(all.len().saturating_sub(1))).map_or(&[], |stream| &stream.objects)
}

fn selected_row<'v>(app: &'v App, view: &'v SessionView) -> Option<&'v JournalRow> {
    let rows = &app.journal_view(view).rows;
    app.journal.selected.and_then(|s| rows.iter().find(|r| r.sequence == s)).or_else(|| rows.last())
}

fn open_guide_item(app: &mut App, view: &SessionView, item: GuideItem) -> Vec<Effect> {
    app.guide_item = Some(item);
    match item {
        GuideItem::Run(i) => match app.guide(view).runs.get(i) {
            Some(line) => {
                app.overlays.retain(|o| !matches!(o, Overlay::Guide(_)));
                run_line(app, &line.clone())
            }
            None => Vec::new(),
        },
        GuideItem::Check(i) => {
            app.overlays.push(Overlay::Explain(i));
            Vec::new()
        }
        GuideItem::Question(i) => {
            app.overlays.push(Overlay::Answer(AnswerBox { question: i, input: LineEdit::default(), selected: 0 }));
            Vec::new()
        }
    }
}

fn record_text(record: &crate::engine::view::RecordView) -> String {
    format!(
        "sequence number  {}\narrived          {}\npartition key    {}\nsize             {}{}\n\n{}",
        record.sequence_number,
        record.arrived,
        record.partition_key,
        bytes(record.data_bytes),
        if record.user_records > 1 { format!(", {} user records inside", record.user_records) } else { String::new() },
        record.text
    )
}

fn inspect_shard(app: &mut App, view: &SessionView) {
    let (Some(stream), Some(s)) = (app.stream(view), app.shard(view)) else { return };
    let mut text = format!(
        "{}  {}\nhash keys  {}\n           {}\n           {}\n",
        s.id,
        if s.open { "open: takes writes" } else { "closed: can only be read until its records expire" },
        hash_range(s.hash_start, s.hash_end, 8),
        s.hash_start,
        s.hash_end
    );
    if let Some(parent) = s.parent {
        let second = s.adjacent_parent.map_or(String::new(), |p| format!(" and {}", shard(p)));
        text.push_str(&format!("parent     {}{second}\n", shard(parent)));
    }
    text.push_str(&format!(
        "\nlast second\n  accepted {} records, {}  ({} and {} of the limits)\n  refused  {} records, {}\n  read     {} in {} calls\n",
        s.load.accepted_records,
        bytes(s.load.accepted_bytes),
        super::text::percent(permille(s.load.accepted_records, stream.write_records_per_second)),
        super::text::percent(permille(s.load.accepted_bytes, stream.write_bytes_per_second)),
        s.load.refused_records,
        bytes(s.load.refused_bytes),
        bytes(s.load.read_bytes),
        s.load.read_calls
    ));
    text.push_str(&format!("\nstored     {} records", super::text::grouped(s.stored_records)));
    if let Some((key, share)) = &s.hot_key {
        text.push_str(&format!("\nhot key    {key}: {} of its records in the last 10 s", super::text::percent(u64::from(*share))));
    }
    if let Some(record) = &s.last_record {
        text.push_str(&format!("\n\nnewest record\n{}", record_text(record)));
    }
    let title = format!("Shard {} of {}", shard(s.number), stream.name);
    show(app, title, text);
}

fn copy(app: &mut App, view: &SessionView) -> Vec<Effect> {
    let text = match app.focus() {
        PaneId::Guide => match app.chosen_item(view, app.guide_is_strip()) {
            Some(GuideItem::Run(i)) => app.guide(view).runs.get(i).cloned(),
            _ => Some(view.lab.step.body.clone()),
        },
        PaneId::Journal => selected_row(app, view).map(|r| format!("{} {} {} {}", r.at, r.resource, r.kind, r.text)),
        PaneId::Record => app.shard(view).and_then(|s| s.last_record.as_ref()).map(record_text),
        PaneId::Objects => objects_of(app, view).get(app.object).map(|object| format!("s3://{}/{}", object.bucket, object.key)),
        PaneId::Programs => {
            let logs = view.world.producers.iter().map(|p| &p.log).chain(view.world.consumers.iter().map(|c| &c.log));
            logs.skip(app.program).map(|l| l.iter().map(|l| l.text.as_str()).collect::<Vec<_>>().join("\n")).next()
        }
        _ => app.shard(view).map(|s| s.id.clone()),
    };
    if let Some(text) = text.filter(|t| !t.is_empty()) {
        let first = super::text::clip_words(text.lines().next().unwrap_or(""), 40).into_owned();
        app.say(format!("Copied: {first}"), false);
        vec![Effect::Copy(text)]
    } else {
        app.say("There is nothing to copy here.", true);
        Vec::new()
    }
}

fn mouse(app: &mut App, view: &SessionView, kind: MouseKind, x: u16, y: u16) -> Vec<Effect> {
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

fn wheel(app: &mut App, view: &SessionView, by: isize, x: u16, y: u16) -> Vec<Effect> {
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

fn timeline(app: &App, view: &SessionView, x: u16) -> Vec<Effect> {
    let Some(rail) = app.hits.area(&Target::Timeline) else { return Vec::new() };
    let cells = u64::from(rail.width.saturating_sub(1).max(1));
    let at = u64::from(x.saturating_sub(rail.x)).min(cells);
    let wanted = view.clock.duration_us / cells * at;
    let by = i64::try_from(wanted).unwrap_or(0) - i64::try_from(view.clock.elapsed_us).unwrap_or(0);
    vec![Effect::Act(Act::Shift(by))]
}

fn press(app: &mut App, view: &SessionView, target: Target, x: u16) -> Vec<Effect> {
    match target {
        Target::Overlay | Target::Lab(_) => {}
        Target::OverlayRow(row) => return press_overlay_row(app, view, row),
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

fn press_overlay_row(app: &mut App, view: &SessionView, row: usize) -> Vec<Effect> {
    match app.overlays.last_mut() {
        Some(Overlay::Palette(state)) => {
            if state.selected == row {
                return overlay_key(app, view, Chord::plain(Key::Enter));
            }
            state.selected = row;
        }
        Some(Overlay::Answer(state)) => {
            if state.selected == row {
                return overlay_key(app, view, Chord::plain(Key::Enter));
            }
            state.selected = row;
        }
        _ => {}
    }
    Vec::new()
}
