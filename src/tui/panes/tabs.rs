//! The second line: screens with their keys, and on the right the steps done and the coach's alarms.

use ratatui::layout::Rect;

use super::Cx;
use crate::tui::hit::Target;
use crate::tui::ids::Screen;
use crate::tui::layout::Class;
use crate::tui::paint::Painter;
use crate::tui::text::{clip_words, width};
use crate::tui::theme::Role;

/// Draws the line.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let gap = u16::from(cx.class >= Class::Normal);
    let mut x = area.x;
    for screen in Screen::ALL {
        let here = screen == cx.app.screen;
        let text = if here { format!("[{} {}]", screen.key(), screen.title()) } else { format!(" {} {} ", screen.key(), screen.title()) };
        let cells = width(&text);
        if x + cells > area.right() {
            break;
        }
        p.hit(Rect::new(x, area.y, cells, 1), Target::Tab(screen));
        if here {
            p.put(x, area.y, cells, &text, Role::Focus);
        } else {
            p.put_all(x, area.y, cells, &[(" ", Role::Text), (&screen.key().to_string(), Role::Key), (&format!(" {} ", screen.title()), Role::Text)]);
        }
        x += cells + gap;
    }
    let lab = &cx.view.lab;
    let steps = if lab.steps.is_empty() || cx.class < Class::Normal {
        String::new()
    } else {
        let done = lab.steps.iter().filter(|s| s.done).count();
        let current = usize::from(lab.steps.get(lab.current).is_some_and(|s| !s.done));
        let rest = lab.steps.len() - done - current;
        format!("✓{done} ◐{current} ○{rest}")
    };
    let coach = &cx.view.world.coach;
    let alarm = match coach.as_slice() {
        [] => String::new(),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" +{}", rest.len()) };

            if cx.class == Class::Wide { format!("! {} {}{more}", first.lint, first.resource) } else { format!("! {}{more}", first.lint) }
        }
    };
    // An alarm of CloudWatch stands before what the coach says.
    let raised: Vec<_> = cx.view.world.alarms.iter().filter(|alarm| alarm.state == "ALARM").collect();
    let alarm = match raised.as_slice() {
        [] => alarm,
        [first] => format!("! ALARM {}", first.name),
        [first, rest @ ..] => format!("! ALARM {} +{}", first.name, rest.len()),
    };
    let room = area.right().saturating_sub(x + 2);
    let alarm = clip_words(&alarm, room);
    let mut right = area.right().saturating_sub(1);
    if !alarm.is_empty() {
        right = p.put_right(x + 1, right, area.y, &alarm, Role::Bad);
    }
    if !steps.is_empty() && x + width(&steps) + 4 < right {
        let text = if alarm.is_empty() { steps } else { format!("{steps} │ ") };
        p.put_right(x + 1, right, area.y, &text, Role::Text);
    }
}
