//! A check explains itself: wanted, seen, cause, where the flow stops, what to try, since when.

use ratatui::layout::Rect;

use super::{open, place};
use crate::engine::view::View;
use crate::lab::view::CheckState;
use crate::tui::action::ActionId;
use crate::tui::paint::Painter;
use crate::tui::panes::Cx;
use crate::tui::text::{percent, span, width, wrap};
use crate::tui::theme::Role;

/// Stages of the flow with their state, and the index of the first that stops it.
fn path(view: &View) -> (Vec<(String, bool)>, Option<usize>) {
    let mut stages = Vec::new();
    for producer in &view.producers {
        stages.push((producer.name.clone(), matches!(producer.state.as_str(), "running" | "finished")));
    }
    for stream in &view.streams {
        stages.push((stream.name.clone(), stream.status == "ACTIVE" && stream.load.refused_records == 0));
    }
    for consumer in &view.consumers {
        let broken = consumer.state != "running" || consumer.shards.iter().any(|s| s.state == "crashed");
        stages.push((consumer.name.clone(), !broken));
    }
    let stop = stages.iter().position(|(_, ok)| !ok);
    (stages, stop)
}

/// Draws the layer.
pub fn draw(check: usize, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let step = &cx.view.lab.step;
    let Some(check) = step.checks.get(check) else { return };
    let room = screen.width.saturating_sub(20).min(72);
    let mut rows: Vec<(&str, String, Role)> = Vec::new();
    let mut section = |label: &'static str, text: &str, role: Role| {
        for (i, line) in wrap(text, room.saturating_sub(7)).into_iter().enumerate() {
            rows.push((if i == 0 { label } else { "" }, line, role));
        }
        rows.push(("", String::new(), Role::Overlay));
    };
    section("want", &check.want, Role::Overlay);
    if !check.seen.is_empty() || check.state != CheckState::Met {
        section(
            "now",
            if check.seen.is_empty() { "nothing yet" } else { &check.seen },
            if check.state == CheckState::Met { Role::Ok } else { Role::Warn },
        );
    }
    if check.held_permille > 0 && check.state == CheckState::Partial {
        section("held", &format!("{} of the time it has to hold", percent(u64::from(check.held_permille))), Role::Overlay);
    }
    if let Some(why) = check.why.as_ref().filter(|_| check.state != CheckState::Met) {
        section("why", why, Role::Hint);
    }
    let (stages, stop) = path(&cx.view.world);
    if check.state != CheckState::Met && stages.len() > 1 {
        let words: Vec<String> = stages
            .iter()
            .enumerate()
            .map(|(i, (name, ok))| {
                format!(
                    "{name} {}",
                    if *ok {
                        "✓"
                    } else if Some(i) == stop {
                        "✗"
                    } else {
                        "–"
                    }
                )
            })
            .collect();
        let text = words.join(" → ");
        let fits = width(&text) <= room.saturating_sub(7);
        section("path", &text, Role::Overlay);
        if let Some(at) = stop.filter(|_| fits) {
            // Under the name of the first stage that stops the flow.
            let before: u16 = words[..at].iter().map(|w| width(w) + 3).sum();
            rows.pop();
            rows.push(("", format!("{}└ stops here", " ".repeat(usize::from(before))), Role::Bad));
            rows.push(("", String::new(), Role::Overlay));
        }
    }
    if check.state != CheckState::Met {
        let taken = step.hints_shown.len();
        let advice = match step.hints_shown.last() {
            Some(hint) => hint.clone(),
            None if step.hints_total > 0 => format!("{} shows the first of {} hints", cx.app.look.keymap.name(ActionId::Hint), step.hints_total),
            None => step.objective.clone(),
        };
        if !advice.is_empty() {
            rows.extend(
                wrap(&advice, room.saturating_sub(7)).into_iter().enumerate().map(|(i, l)| (if i == 0 { "try" } else { "" }, l, Role::Overlay)),
            );
            rows.push(("", String::new(), Role::Overlay));
        }
        let used = match taken {
            0 => "no hint used".to_owned(),
            1 => "1 hint used".to_owned(),
            n => format!("{n} hints used"),
        };
        rows.push(("since", format!("the step started {} ago, {used}", span(step.seconds.saturating_mul(1_000_000))), Role::Dim));
    } else if let Some(at) = check.met_at {
        rows.push(("since", format!("met first at {}Z, {}", at.clock_text(), points(check.points)), Role::Dim));
    }
    while rows.last().is_some_and(|(a, b, _)| a.is_empty() && b.is_empty()) {
        rows.pop();
    }
    let state = match check.state {
        CheckState::Waiting => "Not met yet",
        CheckState::Partial => "On its way",
        CheckState::Met => "Met",
        CheckState::Failed => "No longer met",
    };
    let area = place(screen, room + 4, u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(4));
    let hints = [
        cx.key(ActionId::Hint, "hint"),
        (format!("{}{}", cx.app.look.keymap.name(ActionId::Up), cx.app.look.keymap.name(ActionId::Down)), "other checks"),
        cx.key(ActionId::Back, "close"),
    ];
    let inner = open(p, area, &format!("{state}: {}", check.title), &points(check.points), &hints);
    for (i, (label, text, role)) in rows.iter().enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        if y >= inner.bottom() {
            break;
        }
        p.put(inner.x + 1, y, 6, label, Role::Title);
        p.put(inner.x + 8, y, inner.width.saturating_sub(9), text, *role);
    }
}

fn points(n: u32) -> String {
    if n == 1 { "1 point".to_owned() } else { format!("{n} points") }
}
