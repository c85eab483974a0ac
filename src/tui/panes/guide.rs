//! The guide: what to do and whether it is done. As a dock it shows text, checks, questions, hints and the coach; as a strip only the objective
//! and the checks. Checks are live; Enter explains one.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, scroll_to};
use crate::lab::view::{CheckState, CheckView, QuestionView};
use crate::tui::action::ActionId;
use crate::tui::app::check_role;
use crate::tui::glyphs::Glyphs;
use crate::tui::hit::Target;
use crate::tui::ids::{GuideItem, PaneId};
use crate::tui::layout::GuideForm;
use crate::tui::markdown::GuideLine;
use crate::tui::paint::Painter;
use crate::tui::text::{clip_words, percent, width, wrap, wrap_most};
use crate::tui::theme::Role;

/// ○ ◐ ✓ ✗
pub fn sign(glyphs: &Glyphs, state: CheckState) -> char {
    match state {
        CheckState::Waiting => glyphs.waiting,
        CheckState::Partial => glyphs.partial,
        CheckState::Met => glyphs.met,
        CheckState::Failed => glyphs.failed,
    }
}

/// What the coach or the narrator has to say now, one sentence.
pub fn voice(cx: &Cx<'_>) -> (String, Role) {
    if let Some(line) = cx.view.world.coach.first() {
        return (format!("coach: {}", line.text), Role::Hint);
    }
    cx.view.notices.last().map_or((String::new(), Role::Hint), |n| (n.clone(), Role::Hint))
}

/// The state of a check beside its title: held time, or what is seen.
fn status(check: &CheckView) -> String {
    match check.state {
        CheckState::Met => check.met_at.map_or_else(|| check.seen.clone(), |at| format!("met {}", at.clock_text())),
        CheckState::Partial if check.held_permille > 0 => format!("{} of the time held", percent(u64::from(check.held_permille))),
        _ if check.seen.is_empty() => "nothing yet".to_owned(),
        _ => check.seen.clone(),
    }
}

fn question_words(question: &QuestionView) -> (char, Role) {
    match question.right {
        Some(true) => ('✓', Role::Ok),
        Some(false) => ('✗', Role::Bad),
        None if question.answered.is_some() => ('◐', Role::Warn),
        None => ('?', Role::Key),
    }
}

fn say(lines: &mut Vec<GuideLine>, text: &str, cells: u16, first: &str, role: Role, item: Option<GuideItem>) {
    let indent = " ".repeat(usize::from(width(first)));
    for (i, line) in wrap(text, cells.saturating_sub(width(first))).into_iter().enumerate() {
        let lead = if i == 0 { first.to_owned() } else { indent.clone() };
        lines.push(GuideLine { pieces: vec![(lead, role), (line, role)], item });
    }
}

/// All lines of the full guide at a width, also used by the guide overlay.
pub fn lines(cx: &Cx<'_>, cells: u16, glyphs: &Glyphs) -> Vec<GuideLine> {
    let step = &cx.view.lab.step;
    let mut out = Vec::new();
    if !step.title.is_empty() {
        say(&mut out, &step.title, cells, "", Role::Title, None);
    }
    if !step.objective.is_empty() {
        say(&mut out, &step.objective, cells, "", Role::Accent, None);
    }
    let gap = |out: &mut Vec<GuideLine>| {
        if out.last().is_some_and(|l| !l.pieces.is_empty()) {
            out.push(GuideLine::default());
        }
    };
    if !step.checks.is_empty() {
        gap(&mut out);
        out.push(GuideLine::plain("Checks", Role::Title));
        for (i, check) in step.checks.iter().enumerate() {
            let item = Some(GuideItem::Check(i));
            let from = out.len();
            say(&mut out, &check.title, cells, &format!("{} ", sign(glyphs, check.state)), Role::Text, item);
            out[from].pieces[0].1 = check_role(check.state);
            if check.state != CheckState::Met {
                say(&mut out, &format!("now {}", status(check)), cells, "  ", Role::Dim, item);
                if let Some(why) = &check.why {
                    say(&mut out, why, cells, "  ", Role::Hint, item);
                }
            }
        }
    }
    gap(&mut out);
    out.extend(cx.app.guide_text(cx.view, cells).iter().cloned());
    if !step.questions.is_empty() {
        gap(&mut out);
        out.push(GuideLine::plain("Questions", Role::Title));
        for (i, question) in step.questions.iter().enumerate() {
            let item = Some(GuideItem::Question(i));
            let (mark, role) = question_words(question);
            let from = out.len();
            say(&mut out, &question.ask, cells, &format!("{mark} "), Role::Text, item);
            out[from].pieces[0].1 = role;
            match &question.answered {
                Some(answer) => say(&mut out, &format!("you: {answer}"), cells, "  ", Role::Dim, item),
                None if question.prediction => say(&mut out, "predict first: Enter", cells, "  ", Role::Dim, item),
                None => say(&mut out, "Enter to answer", cells, "  ", Role::Dim, item),
            }
            if let Some(why) = &question.why {
                say(&mut out, why, cells, "  ", Role::Hint, item);
            }
        }
    }
    for (i, hint) in step.hints_shown.iter().enumerate() {
        gap(&mut out);
        say(&mut out, &format!("Hint {} of {}: {hint}", i + 1, step.hints_total), cells, "", Role::Hint, None);
    }
    if !step.solution.is_empty() {
        gap(&mut out);
        out.push(GuideLine::plain("Solution", Role::Title));
        for line in &step.solution {
            say(&mut out, line, cells, "$ ", Role::Accent, None);
        }
    }
    out
}

fn put_line(p: &mut Painter<'_>, x: u16, y: u16, cells: u16, line: &GuideLine) {
    let end = x + cells;
    let mut at = x;
    for (text, role) in &line.pieces {
        at = p.put(at, y, end.saturating_sub(at), text, *role);
    }
}

/// Draws scrolled guide lines; answers the scroll position and its maximum.
pub fn draw_lines(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>, lines: &[GuideLine], scroll: Option<u16>, highlight: bool) -> (usize, usize) {
    let page = usize::from(area.height);
    let max = lines.len().saturating_sub(page);
    let chosen = cx.app.chosen_item(cx.view, false);
    let at = match scroll {
        Some(at) => usize::from(at).min(max),
        // The text is read from its top; only a chosen item further down moves it.
        None => {
            cx.app.guide_item.and_then(|item| lines.iter().rposition(|l| l.item == Some(item))).map_or(0, |row| scroll_to(0, row, page, lines.len()))
        }
    };
    for (row, line) in lines.iter().skip(at).take(page).enumerate() {
        let y = area.y + u16::try_from(row).unwrap_or(0);
        put_line(p, area.x, y, area.width, line);
        if let Some(item) = line.item {
            let row = Rect::new(area.x, y, area.width, 1);
            p.hit(row, Target::Guide(item));
            if highlight && chosen == Some(item) {
                p.lay_over(row, Role::Selection);
            }
        }
    }
    (at, max)
}

fn strip(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let step = &cx.view.lab.step;
    let met = step.checks.iter().filter(|c| c.state == CheckState::Met).count();
    let title = format!("Step {}/{}  {}", cx.view.lab.current + 1, cx.view.lab.steps.len(), step.title);
    let right = if step.checks.is_empty() { String::new() } else { format!("{met} of {} checks", step.checks.len()) };
    let keys = [
        cx.key(ActionId::Guide, "full guide"),
        cx.key(ActionId::Hint, "hint"),
        cx.key(ActionId::Open, "explain"),
        cx.key(ActionId::NextStep, "next step"),
    ];
    let inner = frame(cx, PaneId::Guide, area, p, &title, &right, &keys, "");
    if inner.height == 0 {
        return;
    }
    let cells = inner.width.saturating_sub(2);
    let x = inner.x + 1;
    let objective = if step.objective.is_empty() { &step.title } else { &step.objective };
    p.put(x, inner.y, cells, &clip_words(objective, cells), Role::Text);
    let items = cx.app.guide_items(cx.view, true);
    let chosen = cx.app.chosen_item(cx.view, true);
    let page = usize::from(inner.height - 1);
    let row = items.iter().position(|i| Some(*i) == chosen).unwrap_or(0);
    let from = scroll_to(0, row, page, items.len());
    paged(p, PaneId::Guide, page, items.len().saturating_sub(page), from);
    // Titles take the room they need up to three fifths, so that values line up.
    let titles = step.checks.iter().map(|c| width(&c.title)).max().unwrap_or(0).min(cells * 3 / 5);
    for (i, item) in items.iter().skip(from).take(page).enumerate() {
        let y = inner.y + 1 + u16::try_from(i).unwrap_or(0);
        let row = Rect::new(inner.x, y, inner.width, 1);
        p.hit(row, Target::Guide(*item));
        match item {
            GuideItem::Check(i) => {
                let check = &step.checks[*i];
                p.sign(x, y, sign(p.glyphs, check.state), check_role(check.state));
                p.put(x + 2, y, cells - 2, &clip_words(&check.title, titles.max(cells / 3)), Role::Text);
                let at = x + 2 + titles + 2;
                let room = (x + cells).saturating_sub(at);
                let words = check.why.as_ref().filter(|_| check.state != CheckState::Met && width(&status(check)) < 12).map_or_else(
                    || status(check),
                    |why| if width(why) + width(&status(check)) + 2 <= room { format!("{}  {why}", status(check)) } else { status(check) },
                );
                p.put(at, y, room, &clip_words(&words, room), Role::Dim);
            }
            GuideItem::Question(i) => {
                let question = &step.questions[*i];
                let (mark, role) = question_words(question);
                p.sign(x, y, p.glyphs.translate(mark), role);
                let answer = question.answered.as_ref().map_or_else(|| "Enter to answer".to_owned(), |a| format!("you: {a}"));
                let answer = clip_words(&answer, cells / 3);
                let room = cells.saturating_sub(width(&answer) + 4);
                p.put(x + 2, y, room, &clip_words(&question.ask, room), Role::Text);
                p.put_right(x + 2, x + cells, y, &answer, Role::Dim);
            }
            GuideItem::Run(_) => {}
        }
        if cx.focus == PaneId::Guide && chosen == Some(*item) {
            p.lay_over(row, Role::Selection);
        }
    }
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    if cx.guide == GuideForm::Strip {
        strip(cx, area, p);
        return;
    }
    let lab = &cx.view.lab;
    let step = &lab.step;
    let right = if lab.steps.is_empty() { String::new() } else { format!("step {}/{}", lab.current + 1, lab.steps.len()) };
    let hint_word = if step.hints_total == 0 { String::new() } else { format!("hint {}/{}", step.hints_shown.len(), step.hints_total) };
    let hint_key = if hint_word.is_empty() { String::new() } else { cx.app.look.keymap.name(ActionId::Hint) };
    let keys = [(hint_key, hint_word.as_str()), cx.key(ActionId::ResetStep, "reset"), cx.key(ActionId::NextStep, "next")];
    let cells = area.width.saturating_sub(4);
    if area.height < 3 || cells < 8 {
        frame(cx, PaneId::Guide, area, p, "Guide", &right, &keys, "");
        return;
    }
    let text = lines(cx, cells, p.glyphs);
    // The coach stands at the bottom, apart from the text, and never takes more than a third.
    let (voice, role) = voice(cx);
    let said = if voice.is_empty() { Vec::new() } else { wrap_most(&voice, cells, usize::from((area.height - 2) / 3)) };
    let below = u16::try_from(said.len()).unwrap_or(0);
    let room = area.height - 2 - below - u16::from(below > 0);
    let hidden = text.len().saturating_sub(usize::from(room));
    let note = if hidden > 0 { format!("{} {} lines", cx.app.look.keymap.name(ActionId::PageDown), text.len()) } else { String::new() };
    let inner = frame(cx, PaneId::Guide, area, p, "Guide", &right, &keys, &note);
    let body = Rect::new(inner.x + 1, inner.y, cells, room);
    let (at, max) = draw_lines(cx, body, p, &text, cx.app.guide_scroll, cx.focus == PaneId::Guide);
    paged(p, PaneId::Guide, usize::from(room), max, at);
    for (i, line) in said.iter().enumerate() {
        p.put(inner.x + 1, inner.bottom() - below + u16::try_from(i).unwrap_or(0), cells, line, role);
    }
}
