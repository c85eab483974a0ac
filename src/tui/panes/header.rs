//! The first line: lab and step, run state and speed, virtual clock, seed, cost. Parts on the right are left out one by one when there is no room.

use ratatui::layout::Rect;

use super::Cx;
use crate::session::view::ClockView;
use crate::tui::layout::Class;
use crate::tui::paint::Painter;
use crate::tui::text::{clip_words, dollars, span, width};
use crate::tui::theme::Role;

/// `x4`, `x0.25`, `max`.
pub fn speed_word(percent: Option<u32>) -> String {
    match percent {
        None => "max".to_owned(),
        Some(p) if p % 100 == 0 => format!("x{}", p / 100),
        Some(p) => format!("x{}.{:02}", p / 100, p % 100),
    }
}

/// `RUN x64 → x41`, `PAUSED`, `PAUSED in the past`.
pub fn state_words(clock: &ClockView) -> String {
    let mut words = if clock.paused { "PAUSED".to_owned() } else { format!("RUN {}", speed_word(clock.speed_percent)) };
    if let Some(real) = clock.real_percent.filter(|_| !clock.paused) {
        words.push_str(&format!(" → {}", if real >= 100 { format!("x{}", real / 100) } else { speed_word(Some(real)) }));
    }
    if clock.in_the_past {
        words.push_str(" in the past");
    }
    words
}

/// `Lab1 – Ingest › step 3 of 6: Read`, as much as fits.
fn left_words(cx: &Cx<'_>, room: u16) -> String {
    let lab = &cx.view.lab;
    let count = lab.steps.len();
    if count == 0 {
        return clip_words(&lab.title, room).into_owned();
    }
    let number = lab.current + 1;
    // The part of the title before a dash is its short name.
    let short = lab.title.split([':', '–', '—']).next().unwrap_or("").trim();
    let candidates = [
        format!("{} › step {number} of {count}: {}", lab.title, lab.step.title),
        format!("{short} › step {number} of {count}: {}", lab.step.title),
        format!("{short} › {number}/{count} {}", lab.step.title),
        format!("{short} › {number}/{count}"),
        short.to_owned(),
    ];
    let whole = candidates.iter().find(|c| width(c) <= room);
    whole.cloned().unwrap_or_else(|| clip_words(short, room).into_owned())
}

/// Draws the line.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let (view, clock) = (cx.view, &cx.view.clock);
    let now = view.world.now;
    let time = match cx.class {
        Class::Tiny | Class::Small => now.clock_text(),
        Class::Normal => format!("{}Z", now.clock_millis_text()),
        Class::Wide => now.to_string().replace('T', " "),
    };
    let state_role = if clock.in_the_past || clock.paused { Role::Warn } else { Role::Ok };
    let mut parts: Vec<(String, Role)> = vec![(state_words(clock), state_role), (time, Role::Header)];
    if cx.class == Class::Wide {
        parts.push((format!("+{} of {}", span(clock.elapsed_us), span(clock.duration_us)), Role::Header));
    }
    if cx.class > Class::Tiny {
        parts.push((format!("seed {}", view.world.seed), Role::Header));
    }
    if cx.class >= Class::Normal {
        parts.push((format!("≈ {}/h", dollars(view.world.cost.per_hour_nanodollars)), Role::Header));
    }
    if cx.class == Class::Wide {
        parts.push((format!("theme {}", cx.app.look.theme.name), Role::Header));
    }
    if cx.app.slow_link {
        parts.insert(1, ("slow link".to_owned(), Role::Warn));
    }
    let separator = if cx.class == Class::Tiny { " " } else { " │ " };
    let total = |parts: &[(String, Role)]| -> u16 {
        let gaps = u16::try_from(parts.len().saturating_sub(1)).unwrap_or(0) * width(separator);
        parts.iter().map(|(t, _)| width(t)).sum::<u16>() + gaps + 1
    };
    // State and clock always stay; the lab keeps a third of the line.
    while parts.len() > 2 && total(&parts) > area.width * 2 / 3 {
        parts.pop();
    }
    let right = total(&parts).min(area.width);
    let mut x = p.put(area.x, area.y, area.width, " ", Role::Header);
    if cx.class > Class::Tiny {
        x = p.put_all(x, area.y, area.width, &[("kinlab", Role::Title), (" │ ", Role::Border)]);
    }
    let room = area.right().saturating_sub(right + 2).saturating_sub(x);
    p.put(x, area.y, room, &left_words(cx, room), Role::Header);
    let mut x = area.right().saturating_sub(right).max(area.x);
    for (i, (text, role)) in parts.iter().enumerate() {
        if i > 0 {
            x = p.put(x, area.y, area.right().saturating_sub(x), separator, Role::Border);
        }
        x = p.put(x, area.y, area.right().saturating_sub(x), text, *role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_in_words() {
        let clock = |paused, speed, real, past| {
            state_words(&ClockView { paused, speed_percent: speed, real_percent: real, in_the_past: past, ..ClockView::default() })
        };
        assert_eq!(clock(false, Some(400), None, false), "RUN x4");
        assert_eq!(clock(false, Some(25), None, false), "RUN x0.25");
        assert_eq!(clock(false, Some(6400), Some(4150), false), "RUN x64 → x41");
        assert_eq!(clock(false, None, Some(52_000), false), "RUN max → x520");
        assert_eq!(clock(true, Some(100), Some(50), true), "PAUSED in the past");
    }
}
