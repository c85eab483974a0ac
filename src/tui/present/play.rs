//! What keys and the passing of time do to the presenter.

use crate::lab::beats::Cue;
use crate::session::driver::{Act, Outcome};
use crate::session::view::SessionView;
use crate::tui::action::{ActionId, Contexts};
use crate::tui::app::{App, Effect, Overlay, Palette};
use crate::tui::keys::{Chord, Key};
use crate::tui::present::{BeatState, Presenter, Wait};

const SECOND_US: u64 = 1_000_000;

/// Actions that mean in the presenter what they mean everywhere.
const SHARED: [ActionId; 11] = [
    ActionId::Pause,
    ActionId::StepEvent,
    ActionId::Slower,
    ActionId::Faster,
    ActionId::Zoom,
    ActionId::Back,
    ActionId::Quit,
    ActionId::Commands,
    ActionId::Theme,
    ActionId::Mouse,
    ActionId::Export,
];

/// What a key means while the presenter has the screen: its own keys before the common ones.
fn meaning(app: &App, chord: Chord) -> Option<ActionId> {
    let holds = |id: &ActionId| app.look.keymap.keys(*id).contains(&chord);
    let own = crate::tui::action::ACTIONS.iter().filter(|action| action.contexts == Contexts::Presenter).map(|action| action.id);
    own.chain(SHARED).find(holds)
}

/// A key while the presenter has the screen; `None` when it means what it means in the dashboard.
pub fn key(app: &mut App, view: &SessionView, chord: Chord) -> Option<Vec<Effect>> {
    let id = meaning(app, chord);
    let presenter = app.presenter.as_mut().filter(|presenter| presenter.on)?;
    presenter.remember_key(chord.to_string());
    if let Some(mut typed) = presenter.typed.take() {
        match chord.key {
            Key::Enter => return Some(go_to(app, view, &typed)),
            Key::Esc => return Some(Vec::new()),
            Key::Char(digit) if digit.is_ascii_digit() && typed.len() < 3 => typed.push(digit),
            Key::Backspace => {
                typed.pop();
            }
            _ => {}
        }
        presenter.typed = Some(typed);
        return Some(Vec::new());
    }
    Some(match id {
        Some(ActionId::Pause) => space(app, false),
        Some(ActionId::StepEvent) => hurry(app, view),
        Some(ActionId::BeatBack) => back(app),
        Some(ActionId::BeatGo) => {
            presenter.typed = Some(String::new());
            Vec::new()
        }
        Some(ActionId::BeatKeys) => {
            presenter.show_keys = !presenter.show_keys;
            Vec::new()
        }
        Some(ActionId::Zoom) => {
            presenter.zoomed = !presenter.zoomed;
            Vec::new()
        }
        Some(ActionId::Back) if presenter.zoomed => {
            presenter.zoomed = false;
            Vec::new()
        }
        Some(ActionId::Back) => leave(app),
        Some(ActionId::Slower) => vec![Effect::Act(Act::Slower)],
        Some(ActionId::Faster) => vec![Effect::Act(Act::Faster)],
        Some(ActionId::Commands) => {
            app.overlays.push(Overlay::Palette(Palette::default()));
            Vec::new()
        }
        Some(ActionId::Quit | ActionId::Theme | ActionId::Mouse | ActionId::Export) => return None,
        _ => Vec::new(),
    })
}

/// From the dashboard back to the beat that was shown.
pub fn resume(app: &mut App) {
    if let Some(presenter) = &mut app.presenter {
        presenter.on = true;
    }
}

/// To the dashboard, at the same instant, where the light was.
fn leave(app: &mut App) -> Vec<Effect> {
    let Some(presenter) = &mut app.presenter else { return Vec::new() };
    presenter.on = false;
    let (screen, pane) = presenter.spot().home();
    app.screen = screen;
    app.zoomed = false;
    app.hits.panes.clear();
    app.set_focus(pane);
    let key = app.look.keymap.name(ActionId::Present);
    app.say(format!("The dashboard, at the same instant. {key} goes back to the presenter."), false);
    Vec::new()
}

fn act(presenter: &mut Presenter, act: Act) -> Vec<Effect> {
    presenter.pending = Some(act.clone());
    vec![Effect::Act(act)]
}

/// Begins the beat shown.
fn begin(presenter: &mut Presenter) -> Vec<Effect> {
    // The file was checked when it was read.
    presenter.cues = presenter.beat().cues().unwrap_or_default().into();
    presenter.state = BeatState::Playing;
    presenter.failed = None;
    presenter.wait = None;
    act(presenter, Act::Mark(presenter.at))
}

fn space(app: &mut App, hurry: bool) -> Vec<Effect> {
    let Some(presenter) = &mut app.presenter else { return Vec::new() };
    match presenter.state {
        BeatState::Playing => return vec![Effect::Act(Act::TogglePause)],
        BeatState::Ready => {}
        BeatState::Over if presenter.at + 1 < presenter.beats.len() => presenter.at += 1,
        BeatState::Over => {
            let key = app.look.keymap.name(ActionId::Back);
            app.say(format!("This was the last beat. {key} leaves to the dashboard."), false);
            return Vec::new();
        }
    }
    presenter.hurry = hurry;
    begin(presenter)
}

/// To the end of the beat at once.
fn hurry(app: &mut App, view: &SessionView) -> Vec<Effect> {
    let Some(presenter) = &mut app.presenter else { return Vec::new() };
    if presenter.state != BeatState::Playing {
        return space(app, true);
    }
    presenter.hurry = true;
    jump(presenter, view)
}

/// Jumps over the time that is being watched.
fn jump(presenter: &mut Presenter, view: &SessionView) -> Vec<Effect> {
    match presenter.wait.as_ref().map(|wait| wait.until_us) {
        Some(until) => {
            let by = i64::try_from(until.saturating_sub(view.clock.elapsed_us)).unwrap_or(i64::MAX);
            act(presenter, Act::Shift(by))
        }
        None => Vec::new(),
    }
}

/// To the beginning of this beat; from there to the beginning of the one before.
fn back(app: &mut App) -> Vec<Effect> {
    let Some(presenter) = &mut app.presenter else { return Vec::new() };
    let to = match (presenter.state, presenter.at) {
        (BeatState::Ready, 0) => {
            app.say("This is the first beat.", false);
            return Vec::new();
        }
        (BeatState::Ready, at) => at - 1,
        (_, at) => at,
    };
    return_to(presenter, to)
}

fn return_to(presenter: &mut Presenter, beat: usize) -> Vec<Effect> {
    presenter.at = beat;
    presenter.state = BeatState::Ready;
    presenter.cues.clear();
    presenter.wait = None;
    presenter.going = None;
    presenter.hurry = false;
    presenter.failed = None;
    presenter.output = None;
    act(presenter, Act::Return(beat))
}

/// `G n`: back with the state of the world, or forward with everything between done at once.
fn go_to(app: &mut App, view: &SessionView, typed: &str) -> Vec<Effect> {
    let Some(presenter) = &mut app.presenter else { return Vec::new() };
    let count = presenter.beats.len();
    let Some(beat) = typed.parse::<usize>().ok().filter(|number| (1..=count).contains(number)).map(|number| number - 1) else {
        app.say(format!("There is no beat '{typed}'; there are 1 to {count}."), true);
        return Vec::new();
    };
    if beat < presenter.at || (beat == presenter.at && presenter.state != BeatState::Ready) {
        return return_to(presenter, beat);
    }
    if beat == presenter.at {
        return Vec::new();
    }
    presenter.going = Some(beat);
    presenter.hurry = true;
    match presenter.state {
        BeatState::Playing => jump(presenter, view),
        BeatState::Ready => begin(presenter),
        BeatState::Over => over(presenter),
    }
}

/// The beat is over; when the presenter is on its way somewhere the next one begins.
fn over(presenter: &mut Presenter) -> Vec<Effect> {
    presenter.state = BeatState::Over;
    let Some(goal) = presenter.going else {
        presenter.hurry = false;
        return Vec::new();
    };
    presenter.at += 1;
    if presenter.at < goal {
        return begin(presenter);
    }
    presenter.state = BeatState::Ready;
    presenter.going = None;
    presenter.hurry = false;
    Vec::new()
}

fn is_met(presenter: &Presenter, view: &SessionView, check: &str) -> bool {
    let title = presenter.checks.iter().find(|(id, _)| id == check).map(|(_, title)| title);
    title.is_some_and(|title| view.lab.marks.iter().any(|mark| mark.glyph == '✓' && mark.label == *title))
}

/// The next thing of the beat.
fn next(presenter: &mut Presenter, view: &SessionView) -> Vec<Effect> {
    let now = view.clock.elapsed_us;
    match presenter.cues.pop_front() {
        None => over(presenter),
        Some(Cue::Do(line)) => act(presenter, Act::Line(line)),
        Some(Cue::Play(time)) => play(presenter, now, Wait { until_us: now + time.0, check: None }),
        Some(Cue::Until(check, most)) if !is_met(presenter, view, &check) => {
            let wait = Wait { until_us: second_after(now), check: Some((check, now + most.0)) };
            play(presenter, now, wait)
        }
        Some(Cue::Until(..)) => next(presenter, view),
    }
}

fn second_after(now: u64) -> u64 {
    (now / SECOND_US + 1) * SECOND_US
}

fn play(presenter: &mut Presenter, now: u64, wait: Wait) -> Vec<Effect> {
    let until = wait.until_us;
    presenter.wait = Some(wait);
    if presenter.hurry {
        let by = i64::try_from(until.saturating_sub(now)).unwrap_or(i64::MAX);
        return act(presenter, Act::Shift(by));
    }
    act(presenter, Act::PlayTo(until))
}

/// Time has come where the beat waits for it?
fn arrived(presenter: &mut Presenter, view: &SessionView) -> Vec<Effect> {
    let now = view.clock.elapsed_us;
    let Some(wait) = presenter.wait.take_if(|wait| now >= wait.until_us) else { return Vec::new() };
    match wait.check {
        // Checks are looked at every whole second, so the beat ends in the same second at every speed.
        Some((check, most)) if now < most && !is_met(presenter, view, &check) => {
            play(presenter, now, Wait { until_us: second_after(now).min(most), check: Some((check, most)) })
        }
        _ => next(presenter, view),
    }
}

/// Virtual time went on by itself.
pub fn turned(app: &mut App, view: &SessionView) -> Vec<Effect> {
    match &mut app.presenter {
        Some(presenter) if presenter.state == BeatState::Playing && view.clock.paused => arrived(presenter, view),
        _ => Vec::new(),
    }
}

/// What an act of the presenter answered; `None` when the act was somebody else's.
pub fn done(app: &mut App, view: &SessionView, act: &Act, outcome: &Outcome) -> Option<Vec<Effect>> {
    let presenter = app.presenter.as_mut()?;
    presenter.pending.take_if(|pending| pending == act)?;
    if let Act::Line(line) = act {
        let mut text = outcome.output.trim_end().to_owned();
        if !outcome.message.is_empty() {
            text = if text.is_empty() { outcome.message.clone() } else { format!("{text}\n{}", outcome.message) };
        }
        presenter.output = Some((line.clone(), text));
    }
    if outcome.failed {
        let what = match act {
            Act::Line(line) => format!("'{line}': {}", outcome.message),
            _ => outcome.message.clone(),
        };
        presenter.state = BeatState::Over;
        presenter.going = None;
        presenter.hurry = false;
        presenter.failed = Some(what);
        return Some(Vec::new());
    }
    Some(match act {
        Act::Mark(_) | Act::Line(_) => next(presenter, view),
        Act::Shift(_) => arrived(presenter, view),
        _ => Vec::new(),
    })
}
