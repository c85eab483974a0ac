//! Keys while an overlay is open: the topmost one takes them.

use crate::session::driver::{Act, Outcome};
use crate::session::view::SessionView;
use crate::tui::action::ActionId;
use crate::tui::app::{AnswerBox, App, Effect, Export, OutputBox, Overlay, Palette};
use crate::tui::editor::EditorBox;
use crate::tui::faults::{self, FaultBox};
use crate::tui::ids::{GuideItem, PaneId};
use crate::tui::keys::{Chord, Key};
use crate::tui::line_edit::LineEdit;
use crate::tui::overlays::palette;
use crate::tui::what_if::SLIDERS;

use super::actions::run_action;
use super::moves::move_guide;
use super::open::open_guide_item;
use super::{run_line, step};

/// Edits a text field; answers whether the chord was meant for it.
pub(super) fn edit(line: &mut LineEdit, chord: Chord) -> bool {
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

pub(super) fn overlay_key(app: &mut App, view: &SessionView, chord: Chord) -> Vec<Effect> {
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
        // Its keys never come here.
        Overlay::Editor(_) => Vec::new(),
        Overlay::Trail(scroll) => trail_key(app, view, scroll, chord),
        Overlay::WhatIf(mut state) => {
            match (chord.key, app.look.keymap.lookup(chord, PaneId::Guide).map(|(id, _)| id)) {
                (Key::Left, _) => state.shift(false),
                (Key::Right, _) => state.shift(true),
                (_, Some(ActionId::Up)) => state.selected = state.selected.saturating_sub(1),
                (_, Some(ActionId::Down)) => state.selected = step(state.selected, 1, SLIDERS.len()),
                (_, Some(ActionId::Back | ActionId::Quit | ActionId::WhatIf)) => {
                    app.overlays.pop();
                    return Vec::new();
                }
                _ => return Vec::new(),
            }
            if let Some(top) = app.overlays.last_mut() {
                *top = Overlay::WhatIf(state);
            }
            Vec::new()
        }
        Overlay::Faults(state) => faults_key(app, view, state, chord),
        Overlay::Branches(selected) => branches_key(app, view, selected, chord),
        Overlay::Export(chosen) => export_key(app, chosen, chord),
        Overlay::Guide(scroll) => guide_overlay_key(app, view, scroll, chord),
    }
}

pub(super) fn explain_other(app: &mut App, view: &SessionView, check: usize, by: isize) -> Vec<Effect> {
    let count = view.lab.step.checks.len();
    let next = step(check, by, count);
    app.guide_item = Some(GuideItem::Check(next));
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Explain(next);
    }
    Vec::new()
}

pub(super) fn output_key(app: &mut App, mut state: OutputBox, chord: Chord) -> Vec<Effect> {
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

pub(super) fn export_key(app: &mut App, chosen: usize, chord: Chord) -> Vec<Effect> {
    let count = Export::ALL.len();
    let number = match chord.key {
        Key::Char(c) => c.to_digit(10).and_then(|d| usize::try_from(d).ok()).filter(|d| (1..=count).contains(d)),
        _ => None,
    };
    let chosen = match (chord.key, number) {
        (Key::Enter, _) | (_, Some(_)) => {
            app.overlays.pop();
            return vec![Effect::Export(Export::ALL[number.map_or(chosen, |number| number - 1)].0)];
        }
        (Key::Esc | Key::Char('q'), _) => {
            app.overlays.pop();
            return Vec::new();
        }
        (Key::Down | Key::Char('j') | Key::Tab, _) => step(chosen, 1, count),
        (Key::Up | Key::Char('k') | Key::BackTab, _) => chosen.saturating_sub(1),
        _ => chosen,
    };
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Export(chosen);
    }
    Vec::new()
}

pub(super) fn guide_overlay_key(app: &mut App, view: &SessionView, scroll: Option<u16>, chord: Chord) -> Vec<Effect> {
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

/// A key for the editor, which lies on top.
pub(super) fn editor_key(app: &mut App, chord: Chord) -> Vec<Effect> {
    let rows = usize::from(app.hits.overlay_page.lines.max(1));
    let Some(Overlay::Editor(editor)) = app.overlays.last_mut() else { return Vec::new() };
    if let Some(effects) = editor.key(chord, rows) {
        return effects;
    }
    let (effect, modified) = (editor.draft(), editor.edit.text() != editor.saved);
    app.overlays.pop();
    if modified {
        app.say("What you wrote is kept as a draft; the code that runs goes on.", false);
    }
    vec![effect]
}

/// What came of saving and running.
pub(super) fn saved(editor: &mut EditorBox, outcome: &Outcome) -> Vec<Effect> {
    if outcome.failed {
        let first = outcome.message.lines().find(|line| !line.trim().is_empty()).unwrap_or("refused");
        editor.said = Some((format!("✗ not saved: {first}"), true));
        return Vec::new();
    }
    editor.saved = editor.edit.text();
    editor.said = Some((format!("✓ {}", outcome.message.trim()), false));
    vec![editor.draft()]
}

/// The way of a record: `n` follows another one, `o` ends it; time goes on below.
fn trail_key(app: &mut App, view: &SessionView, scroll: u16, chord: Chord) -> Vec<Effect> {
    let page = app.hits.overlay_page;
    let to = match app.look.keymap.lookup(chord, PaneId::Guide).map(|(id, _)| id) {
        Some(ActionId::Up) => scroll.min(page.max).saturating_sub(1),
        Some(ActionId::Down) => (scroll + 1).min(page.max),
        Some(ActionId::Back | ActionId::Quit | ActionId::Open) => {
            app.overlays.pop();
            return Vec::new();
        }
        Some(ActionId::FollowRecord) => {
            if let Some((stream, shard)) = app.stream(view).zip(app.shard(view)) {
                return vec![Effect::Act(Act::Line(format!("follow {} {}", stream.name, shard.number)))];
            }
            return Vec::new();
        }
        Some(
            id @ (ActionId::Pause
            | ActionId::StepEvent
            | ActionId::Back1
            | ActionId::Back10
            | ActionId::Forward1
            | ActionId::Forward10
            | ActionId::Slower
            | ActionId::Faster),
        ) => return run_action(app, view, id, 0),
        _ if chord.typed() == Some('o') => {
            app.overlays.pop();
            return vec![Effect::Act(Act::Line("follow off".to_owned()))];
        }
        _ => return Vec::new(),
    };
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Trail(to);
    }
    Vec::new()
}

/// Enter begins or ends the chosen fault, Left and Right choose how long; the menu stays, so that one sees it happen.
fn faults_key(app: &mut App, view: &SessionView, mut state: FaultBox, chord: Chord) -> Vec<Effect> {
    let rows = faults::rows(view);
    let mut effects = Vec::new();
    match (chord.key, app.look.keymap.lookup(chord, PaneId::Guide).map(|(id, _)| id)) {
        (Key::Left, _) => state.hold = state.hold.saturating_sub(1),
        (Key::Right, _) => state.hold = step(state.hold, 1, faults::HOLDS.len()),
        (_, Some(ActionId::Up)) => state.selected = state.selected.saturating_sub(1),
        (_, Some(ActionId::Down)) => state.selected = step(state.selected, 1, rows.len()),
        (_, Some(ActionId::Open)) => {
            if let Some(row) = rows.get(state.selected.min(rows.len().saturating_sub(1))) {
                effects.push(Effect::Act(Act::Line(row.line(state.hold))));
            }
        }
        (_, Some(ActionId::Back | ActionId::Quit | ActionId::Faults)) => {
            app.overlays.pop();
            return Vec::new();
        }
        (_, Some(id @ (ActionId::Pause | ActionId::StepEvent | ActionId::Slower | ActionId::Faster))) => return run_action(app, view, id, 0),
        _ => return Vec::new(),
    }
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Faults(state);
    }
    effects
}

/// Enter goes to a branch, `c` shows it beside the present one or no more.
fn branches_key(app: &mut App, view: &SessionView, selected: usize, chord: Chord) -> Vec<Effect> {
    let Some(branch) = view.branches.get(selected.min(view.branches.len().saturating_sub(1))) else {
        app.overlays.pop();
        return Vec::new();
    };
    let moved = match app.look.keymap.lookup(chord, PaneId::Guide).map(|(id, _)| id) {
        Some(ActionId::Up) => selected.saturating_sub(1),
        Some(ActionId::Down) => step(selected, 1, view.branches.len()),
        Some(ActionId::Back | ActionId::Quit | ActionId::Branches) => {
            app.overlays.pop();
            return Vec::new();
        }
        Some(ActionId::Open) => {
            app.overlays.pop();
            return vec![Effect::Act(Act::Line(format!("branch {}", branch.name)))];
        }
        _ if chord.typed() == Some('c') && !branch.current => {
            let line = if branch.compared { "compare off".to_owned() } else { format!("compare {}", branch.name) };
            app.overlays.pop();
            return vec![Effect::Act(Act::Line(line))];
        }
        _ => return Vec::new(),
    };
    if let Some(top) = app.overlays.last_mut() {
        *top = Overlay::Branches(moved);
    }
    Vec::new()
}

pub(super) fn palette_key(app: &mut App, view: &SessionView, mut state: Palette, chord: Chord) -> Vec<Effect> {
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

pub(super) fn finish_palette(app: &mut App, mut state: Palette, changed: bool) -> Vec<Effect> {
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

pub(super) fn answer_key(app: &mut App, view: &SessionView, mut state: AnswerBox, chord: Chord) -> Vec<Effect> {
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

pub(super) fn give_answer(app: &mut App, question: &str, answer: &str) -> Vec<Effect> {
    if answer.is_empty() {
        return Vec::new();
    }
    app.overlays.pop();
    vec![Effect::Act(Act::Line(format!("answer {question} {answer}")))]
}
