//! What messages do to the dashboard: pure logic, no terminal, no driver. Effects say what the shell around has to do.

mod actions;
mod mouse;
mod moves;
mod open;
mod overlays;

pub use actions::disabled;

use crate::session::driver::{Act, Outcome};
use crate::session::view::SessionView;
use crate::tui::action::ActionId;
use crate::tui::app::{App, Effect, Field, Msg, OutputBox, Overlay, Palette};
use crate::tui::keys::{Chord, Key};
use crate::tui::present;

use actions::run_action;
use mouse::mouse;
use overlays::{edit, overlay_key};

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
        Msg::Done(act, outcome) => match present::done(app, view, &act, &outcome) {
            Some(effects) => effects,
            None => done(app, &act, outcome),
        },
        Msg::Turned => present::turned(app, view),
        Msg::Exported(told) => {
            match told {
                Ok(text) => app.say(text, false),
                Err(text) => app.say(format!("Nothing was exported: {text}"), true),
            }
            Vec::new()
        }
        Msg::Completions(line, completions) => {
            if let Some(Overlay::Palette(palette)) = app.overlays.last_mut()
                && palette.input.text() == line
            {
                palette.completions = completions;
            }
            Vec::new()
        }
        Msg::Checked(application, code, report) => {
            if let Some(Overlay::Editor(editor)) = app.overlays.last_mut()
                && editor.application == application
                && editor.edit.text() == code
            {
                editor.report = report;
                editor.checked = true;
            }
            Vec::new()
        }
        Msg::Edited(text) => match (app.overlays.last_mut(), text) {
            (Some(Overlay::Editor(editor)), Ok(text)) => {
                let before = editor.edit.text();
                editor.replace_all(&text);
                editor.changed(&before)
            }
            (_, Err(why)) => {
                app.say(why, true);
                Vec::new()
            }
            _ => Vec::new(),
        },
        Msg::SlowLink(slow) => {
            app.slow_link = slow;
            Vec::new()
        }
    }
}

fn key(app: &mut App, view: &SessionView, chord: Chord) -> Vec<Effect> {
    app.toast = None;
    if matches!(app.overlays.last(), Some(Overlay::Editor(_))) {
        return overlays::editor_key(app, chord);
    }
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
    if app.presenting().is_some()
        && let Some(effects) = present::key(app, view, chord)
    {
        return effects;
    }
    match app.look.keymap.lookup(chord, app.focus()) {
        Some((id, nth)) => run_action(app, view, id, nth),
        None => Vec::new(),
    }
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
                Field::Rows => {
                    app.rows.filter = text;
                    app.rows.selected = 0;
                }
                Field::Probe => app.probe = text,
            }
        }
        Key::Esc => match field {
            Field::Filter => app.journal.filter = None,
            Field::Rows => app.rows.filter = None,
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
        Some(Overlay::Editor(editor)) => {
            let before = editor.edit.text();
            editor.insert(text);
            return editor.changed(&before);
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

/// What an act answered.
fn done(app: &mut App, act: &Act, outcome: Outcome) -> Vec<Effect> {
    if outcome.quit {
        return vec![Effect::Quit];
    }
    if let (Act::Line(line), Some(Overlay::Editor(editor))) = (act, app.overlays.last_mut())
        && line.starts_with("app run ")
    {
        return overlays::saved(editor, &outcome);
    }
    // The way of a record is shown by its own overlay.
    if matches!(act, Act::Line(line) if line.starts_with("follow ")) && matches!(app.overlays.last(), Some(Overlay::Trail(_))) {
        if outcome.failed {
            app.overlays.pop();
            app.say(outcome.message, true);
        }
        return Vec::new();
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
    let short = !text.trim_end().contains('\n') && crate::tui::text::width(&text) + 2 <= app.size.0;
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

fn show(app: &mut App, title: String, text: String) {
    app.overlays.push(Overlay::Output(OutputBox { title, text, scroll: 0, failed: false }));
}
