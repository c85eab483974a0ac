//! The speaker's console: what is on the screen, what comes next, notes, and the time. For a second terminal that the room does not see.

use ratatui::layout::Rect;

use crate::session::view::SessionView;
use crate::tui::app::Look;
use crate::tui::hit::HitMap;
use crate::tui::paint::{Frame, Painter};
use crate::tui::text::{clip_words, compact, percent, shard, width, wrap};
use crate::tui::theme::Role;

use super::published::{Beats, Published};

/// What the console remembers itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Console {
    /// Seconds since the presentation began, or since the timer was reset.
    pub elapsed: u64,
    /// First line of the notes.
    pub scroll: u16,
}

fn cells(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn minutes(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// What the room sees, in figures.
fn figures(view: &SessionView) -> Vec<String> {
    let mut said = Vec::new();
    for stream in view.world.streams.iter().take(1) {
        let mut words = format!("{}: {} shards, {}/s in", stream.name, stream.open_shards, compact(stream.load.accepted_records));
        if stream.load.refused_records > 0 {
            words += &format!(", {}/s refused", compact(stream.load.refused_records));
        }
        said.push(words);
        let demand = |s: &crate::engine::view::ShardView| s.records_permille.max(s.bytes_permille) + s.refused_permille;
        if let Some(hot) = stream.shards.iter().filter(|s| s.open).max_by_key(|s| demand(s)).filter(|s| demand(s) > 0) {
            said.push(format!("busiest shard {} at {} of its limit", shard(hot.number), percent(u64::from(demand(hot)))));
        }
    }
    for stream in view.world.deliveries.iter().take(1) {
        said.push(format!("{}: {} objects, {} records buffered", stream.name, stream.objects_total, compact(stream.buffer_records)));
    }
    if let Some(application) = view.world.application() {
        said.push(format!("{}: {}", application.name, application.status));
    }
    said.extend(view.world.coach.iter().take(1).map(|line| line.text.clone()));
    said
}

type Line = (String, Role);

fn block(lines: &mut Vec<Line>, text: &str, room: u16, role: Role) {
    lines.extend(wrap(text, room).into_iter().map(|line| (line, role)));
}

fn now_lines(beats: &Beats, view: &SessionView, room: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    let Some(beat) = beats.beat() else { return lines };
    block(&mut lines, &beat.title, room, Role::Title);
    block(&mut lines, &beat.say, room, Role::Text);
    if let Some(why) = &beats.failed {
        block(&mut lines, &format!("It stopped: {why}"), room, Role::Bad);
    }
    if let Some(ask) = &beat.ask {
        block(&mut lines, "Question on screen:", room, Role::Key);
        block(&mut lines, ask, room, Role::Text);
    }
    for figure in figures(view) {
        block(&mut lines, &figure, room, Role::Accent);
    }
    if let Some(expect) = beat.expect.as_ref().filter(|_| !beats.over) {
        block(&mut lines, &format!("Expected: {expect}"), room, Role::Dim);
    }
    lines
}

fn next_lines(beats: &Beats, room: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    let next = if beats.over || beats.playing { beats.at + 1 } else { beats.at };
    let Some(beat) = beats.all.get(next) else {
        block(&mut lines, "This is the last beat.", room, Role::Dim);
        return lines;
    };
    block(&mut lines, &format!("{}  {}", next + 1, beat.title), room, Role::Title);
    for line in &beat.lines {
        lines.push((clip_words(&format!("> {line}"), room).into_owned(), Role::Accent));
    }
    let time = match (&beat.until, beat.play) {
        (Some(check), _) => format!("plays until {check}"),
        (None, Some(play)) => format!("plays {} s", play.0.as_secs()),
        (None, None) => "no time passes".to_owned(),
    };
    block(&mut lines, &time, room, Role::Dim);
    lines.push((String::new(), Role::Text));
    if let Some(expect) = &beat.expect {
        block(&mut lines, &format!("Expected: {expect}"), room, Role::Text);
        lines.push((String::new(), Role::Text));
    }
    if let Some(after) = beats.all.get(next + 1) {
        block(&mut lines, &format!("Then beat {}: {}", next + 2, after.title), room, Role::Dim);
    }
    lines
}

fn fill(p: &mut Painter<'_>, area: Rect, title: &str, right: &str, focused: bool, scroll: u16, lines: impl Fn(u16) -> Vec<Line>) {
    let inner = p.frame(area, &Frame { title, right, focused, ..Frame::default() });
    let lines = lines(inner.width.saturating_sub(2));
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    let from = usize::from(scroll).min(hidden);
    for (y, (text, role)) in (inner.y..inner.bottom()).zip(lines.into_iter().skip(from)) {
        p.put(inner.x + 1, y, inner.width.saturating_sub(2), &text, role);
    }
    if hidden > from {
        p.put_right(inner.x, inner.right(), area.bottom() - 1, &format!(" {} more ", hidden - from), Role::Warn);
    }
}

/// Draws the console, or words in its place when there is nothing to show.
pub fn draw(news: Result<&Published, &str>, console: Console, look: &Look, buf: &mut ratatui::buffer::Buffer) {
    buf.reset();
    let screen = buf.area;
    buf.set_style(screen, look.theme.style(Role::Text));
    let mut hits = HitMap::default();
    let mut p = Painter { buf, theme: look.theme, glyphs: look.glyphs.glyphs(), hits: &mut hits };
    let beats = news.and_then(|news| {
        news.beats.as_ref().map(|beats| (news, beats)).ok_or("This dashboard is not presented: it has no beats. Follow it with: kinlab follow")
    });
    let (news, beats) = match beats {
        Ok(both) => both,
        Err(why) => {
            message(why, screen, &mut p);
            return;
        }
    };
    // The part of the title before a dash is its short name.
    let lab = news.view.lab.title.split([':', '–', '—']).next().unwrap_or("").trim();
    let left = format!(" kinlab notes │ {lab} │ beat {} of {}", beats.at + 1, beats.all.len());
    let total = u64::from(news.minutes) * 60;
    let late = console.elapsed > total;
    let rest = if late { format!("{} over", minutes(console.elapsed - total)) } else { format!("{} left", minutes(total - console.elapsed)) };
    let right = format!("elapsed {} of {}, {rest} ", minutes(console.elapsed), minutes(total));
    p.put_right(screen.x, screen.right(), screen.y, &right, if late { Role::Bad } else { Role::Header });
    let room = screen.width.saturating_sub(width(&right) + 2);
    p.put(screen.x, screen.y, room, &clip_words(&left, room), Role::Header);
    let body = Rect { y: screen.y + 1, height: screen.height.saturating_sub(2), ..screen };
    let upper = (body.height * 2 / 3).max(6).min(body.height);
    let half = body.width * 4 / 7;
    let state = if beats.playing {
        "playing"
    } else if beats.over {
        "over"
    } else {
        "ready"
    };
    fill(&mut p, Rect { width: half, height: upper, ..body }, "Now on screen", state, false, 0, |room| now_lines(beats, &news.view, room));
    let right = Rect { x: body.x + half, width: body.width - half, height: upper, ..body };
    fill(&mut p, right, if beats.over || beats.playing { "Next beat" } else { "Space plays" }, "", false, 0, |room| next_lines(beats, room));
    let below = Rect { y: body.y + upper, height: body.height - upper, ..body };
    fill(&mut p, below, "Notes", "", true, console.scroll, |room| {
        let mut lines = Vec::new();
        for note in beats.beat().map_or(&[][..], |beat| &beat.notes) {
            for (at, line) in wrap(note, room.saturating_sub(2)).into_iter().enumerate() {
                lines.push((format!("{}{line}", if at == 0 { "- " } else { "  " }), Role::Text));
            }
        }
        lines
    });
    let mut x = screen.x + 1;
    for (key, what) in [("Up Down", "scroll"), ("t", "reset timer"), ("T", "theme"), ("q", "quit")] {
        x = p.put(x, screen.bottom() - 1, 12, key, Role::Key);
        x = p.put(x, screen.bottom() - 1, 20, &format!(" {what}   "), Role::Footer);
    }
}

/// A sentence in the middle, and how to leave.
pub(super) fn message(text: &str, screen: Rect, p: &mut Painter<'_>) {
    let room = screen.width.saturating_sub(4);
    let lines = wrap(text, room);
    let top = screen.y + screen.height.saturating_sub(cells(lines.len())) / 2;
    for (y, line) in (top..screen.bottom()).zip(lines) {
        p.put(screen.x + 2, y, room, &line, Role::Text);
    }
    if screen.height > 2 {
        p.put(screen.x + 1, screen.bottom() - 1, screen.width, "q quit", Role::Key);
    }
}
