//! The presenter's screen: title in block letters, the idea as a sentence, the spotlighted pane, a question for the room, a rail of beats.

use ratatui::layout::Rect;

use crate::session::view::SessionView;
use crate::tui::action::ActionId;
use crate::tui::paint::{Frame, Painter};
use crate::tui::panes::Cx;
use crate::tui::panes::header::speed_word;
use crate::tui::text::{clip_words, width, wrap};
use crate::tui::theme::Role;

use super::{BeatState, Presenter, letters, stage};

fn cells(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// How the beat stands, in a word.
pub fn state_word(presenter: &Presenter, view: &SessionView) -> &'static str {
    match presenter.state {
        BeatState::Ready => "READY",
        BeatState::Over if presenter.failed.is_some() => "STOPPED",
        BeatState::Over => "OVER",
        BeatState::Playing if view.clock.paused => "PAUSED",
        BeatState::Playing => "PLAYING",
    }
}

/// Draws the screen.
pub fn draw(presenter: &Presenter, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    header(presenter, cx, screen, p);
    let margin = if screen.width >= 100 { 6 } else { 2 };
    let body = Rect::new(screen.x + margin, screen.y + 1, screen.width.saturating_sub(2 * margin), screen.height.saturating_sub(4));
    let mut top = title(presenter, screen.height, body, p);
    if !presenter.zoomed {
        top = idea(presenter, screen.height, Rect { y: top, height: body.bottom().saturating_sub(top), ..body }, p);
    }
    let asked = if presenter.zoomed { 0 } else { ask(presenter, body, screen.height, p) };
    let area = Rect { y: top, height: body.bottom().saturating_sub(top + asked), ..body };
    stage::draw(presenter, cx, area, p);
    rail(presenter, Rect::new(body.x, screen.bottom() - 2, body.width, 1), p);
    last_line(presenter, cx, Rect { y: screen.bottom() - 1, height: 1, ..screen }, p);
}

fn header(presenter: &Presenter, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let state = state_word(presenter, cx.view);
    let role = if presenter.failed.is_some() { Role::Bad } else { Role::Ok };
    let speed = speed_word(cx.view.clock.speed_percent);
    let beat = format!("beat {} of {}", presenter.at + 1, presenter.beats.len());
    let right = width(&beat) + width(state) + width(&speed) + 7;
    let mut x = p.put(screen.x, screen.y, 1, " ", Role::Header);
    let name = if screen.width >= 80 { "kinlab present" } else { "present" };
    x = p.put_all(x, screen.y, screen.width, &[(name, Role::Title), (" │ ", Role::Border)]);
    let room = screen.right().saturating_sub(right + 2).saturating_sub(x);
    p.put(x, screen.y, room, &clip_words(&cx.view.lab.title, room), Role::Header);
    let at = screen.right().saturating_sub(right);
    p.put_all(at, screen.y, right, &[(&beat, Role::Header), (" │ ", Role::Border), (state, role), (" │ ", Role::Border), (&speed, Role::Header)]);
}

/// The title; answers the row below it.
fn title(presenter: &Presenter, height: u16, body: Rect, p: &mut Painter<'_>) -> u16 {
    let text = &presenter.beat().title;
    let gap = if height >= 32 { 2 } else { 0 };
    if presenter.zoomed || height < 24 {
        p.put(body.x, body.y, body.width, text, Role::Title);
        return body.y + 1;
    }
    if letters::width(text) <= body.width {
        letters::draw(p, body.x, body.y + gap, body.width, text, Role::Title);
        return body.y + gap + letters::HEIGHT + 1;
    }
    // Two lines of letters only where the stage keeps most of the screen.
    let halves = text.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| (&text[..at], &text[at + 1..]));
    let even = halves.min_by_key(|(a, b)| letters::width(a).max(letters::width(b)));
    match even.filter(|(a, b)| height >= 40 && letters::width(a).max(letters::width(b)) <= body.width) {
        Some((first, second)) => {
            letters::draw(p, body.x, body.y + 1, body.width, first, Role::Title);
            letters::draw(p, body.x, body.y + 2 + letters::HEIGHT, body.width, second, Role::Title);
            body.y + 3 + 2 * letters::HEIGHT
        }
        None => {
            let spaced: String = text.to_uppercase().chars().flat_map(|c| [c, ' ']).collect();
            let shown = if width(&spaced) <= body.width { spaced.trim_end() } else { text };
            p.put(body.x, body.y + 1, body.width, shown, Role::Title);
            body.y + 3
        }
    }
}

/// The sentence below the title, or why the beat stopped; answers the row below it.
fn idea(presenter: &Presenter, height: u16, area: Rect, p: &mut Painter<'_>) -> u16 {
    let (text, role) = match &presenter.failed {
        Some(why) => (format!("{} {why}", p.glyphs.failed), Role::Bad),
        None => (presenter.beat().say.clone(), Role::Text),
    };
    let most = if height >= 32 { 3 } else { 2 };
    let lines = crate::tui::text::wrap_most(&text, area.width, most);
    let used = cells(lines.len());
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        p.put(area.x, y, area.width, &line, role);
    }
    area.y + used + u16::from(height >= 24) + u16::from(height >= 32)
}

/// The question for the room, at the end of the body; answers its height with the gap above.
fn ask(presenter: &Presenter, body: Rect, height: u16, p: &mut Painter<'_>) -> u16 {
    let Some(question) = &presenter.beat().ask else { return 0 };
    let lines = wrap(question, body.width.saturating_sub(4));
    let high = cells(lines.len()).min(4) + 2;
    let gap = u16::from(height >= 32);
    let area = Rect::new(body.x, body.bottom().saturating_sub(high), body.width, high);
    let inner = p.frame(area, &Frame { title: "Ask the room", ..Frame::default() });
    for (y, line) in (inner.y..inner.bottom()).zip(lines) {
        p.put(inner.x + 1, y, inner.width.saturating_sub(2), &line, Role::Accent);
    }
    high + gap
}

fn rail(presenter: &Presenter, area: Rect, p: &mut Painter<'_>) {
    if area.width < 8 {
        return;
    }
    p.sign(area.x, area.y, p.glyphs.rail_start, Role::Border);
    p.repeat(area.x + 1, area.y, area.width - 2, p.glyphs.rail, Role::Border);
    p.sign(area.right() - 1, area.y, p.glyphs.rail_end, Role::Border);
    let count = presenter.beats.len();
    let room = usize::from(area.width - 3);
    let column = |beat: usize| area.x + 1 + cells((beat * 2 + 1) * room / (count * 2));
    for beat in 0..count {
        let passed = beat < presenter.at || (beat == presenter.at && presenter.state == BeatState::Over && presenter.failed.is_none());
        let (sign, role) = match (beat == presenter.at, passed) {
            (true, _) => (p.glyphs.now, Role::Focus),
            (false, true) => (p.glyphs.met, Role::Ok),
            (false, false) => (p.glyphs.waiting, Role::Dim),
        };
        p.sign(column(beat), area.y, sign, role);
    }
}

/// Keys at the right, or what has to be said, or what is being typed.
fn last_line(presenter: &Presenter, cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let room = area.width.saturating_sub(2);
    if let Some(typed) = &presenter.typed {
        let x = p.put(area.x + 1, area.y, room, &format!("Go to beat (1–{}): ", presenter.beats.len()), Role::Key);
        let x = p.put(x, area.y, 3, typed, Role::Accent);
        p.hits.cursor = Some((x, area.y));
        return;
    }
    if let Some(toast) = &cx.app.toast {
        p.put(area.x + 1, area.y, room, &clip_words(&toast.text, room), if toast.failed { Role::Bad } else { Role::Accent });
        return;
    }
    let name = |id: ActionId| cx.app.look.keymap.name(id);
    let space = match presenter.state {
        BeatState::Ready => "play",
        BeatState::Playing if cx.view.clock.paused => "go on",
        BeatState::Playing => "stop",
        BeatState::Over => "next beat",
    };
    let mut items = vec![
        (name(ActionId::Pause), space),
        (name(ActionId::BeatBack), "back"),
        (format!("{} {}", name(ActionId::Slower), name(ActionId::Faster)), "speed"),
        (name(ActionId::Zoom), "zoom"),
        (name(ActionId::StepEvent), "to its end"),
        (name(ActionId::BeatGo), "go to"),
        (name(ActionId::BeatKeys), "keys"),
        (name(ActionId::Commands), "commands"),
        (name(ActionId::Back), "leave"),
    ];
    let total = |items: &[(String, &str)]| items.iter().map(|(key, what)| width(key) + 1 + width(what) + 3).sum::<u16>().saturating_sub(3);
    let pressed = if presenter.show_keys { format!("pressed  {}", presenter.keys.join(" ")) } else { String::new() };
    let taken = if pressed.is_empty() { 0 } else { width(&pressed) + 3 };
    while items.len() > 2 && total(&items) + taken > room {
        items.remove(items.len() - 2);
    }
    p.put(area.x + 1, area.y, room, &pressed, Role::Accent);
    let mut x = area.right().saturating_sub(total(&items) + 1).max(area.x + 1 + taken);
    for (key, what) in &items {
        x = p.put(x, area.y, 12, key, Role::Key);
        x = p.put(x, area.y, 20, &format!(" {what}   "), Role::Footer);
    }
}
