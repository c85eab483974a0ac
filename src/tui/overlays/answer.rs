//! A question of the step: choices by number or arrow, or a typed answer. Answered ones show what was said and why it is so.

use ratatui::layout::Rect;

use super::{keys, open, place};
use crate::tui::app::AnswerBox;
use crate::tui::hit::Target;
use crate::tui::paint::Painter;
use crate::tui::panes::Cx;
use crate::tui::text::{clip_words, width, wrap};
use crate::tui::theme::Role;

/// Draws the layer.
pub fn draw(state: &AnswerBox, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let Some(question) = cx.view.lab.step.questions.get(state.question) else { return };
    let room = screen.width.saturating_sub(16).min(64);
    let ask = wrap(&question.ask, room);
    let said = question.answered.as_ref().map(|a| {
        let verdict = match question.right {
            Some(true) => "✓ right",
            Some(false) => "✗ not right",
            None => "noted",
        };
        format!("You said {a}: {verdict}.")
    });
    let why = question.why.as_ref().map(|w| wrap(w, room)).unwrap_or_default();
    let rows = question.choices.len().max(1);
    let height = ask.len() + 1 + rows + said.as_ref().map_or(0, |_| 2) + why.len() + 4;
    let area = place(screen, room + 8, u16::try_from(height).unwrap_or(u16::MAX));
    let title = if question.prediction { "Predict first" } else { "Question" };
    let hints = if question.choices.is_empty() {
        keys(&[("Enter", "answer"), ("Esc", "later")])
    } else {
        keys(&[("1-9", "or"), ("Enter", "answer"), ("Esc", "later")])
    };
    let inner = open(p, area, title, &question.id, &hints);
    let (x, cells) = (inner.x + 2, inner.width.saturating_sub(4));
    let mut y = inner.y + 1;
    let last = inner.bottom();
    for line in &ask {
        p.put(x, y, cells, line, Role::Title);
        y += 1;
    }
    y += 1;
    for (i, choice) in question.choices.iter().enumerate() {
        if y >= last {
            return;
        }
        let row = Rect::new(inner.x, y, inner.width, 1);
        let at = p.put(x, y, 4, &format!("{}  ", i + 1), Role::Key);
        p.put(at, y, cells.saturating_sub(3), &clip_words(choice, cells.saturating_sub(3)), Role::Overlay);
        p.hit(row, Target::OverlayRow(i));
        if i == state.selected {
            p.lay_over(row, Role::Selection);
        }
        y += 1;
    }
    if question.choices.is_empty() && y < last {
        let at = p.put(x, y, 2, "> ", Role::Key);
        let text = state.input.text();
        p.put(at, y, cells.saturating_sub(2), &text, Role::Accent);
        p.hits.cursor = Some(((at + width(&state.input.before_cursor())).min(inner.right().saturating_sub(1)), y));
        y += 1;
    }
    if let Some(said) = said {
        y += 1;
        if y < last {
            p.put(x, y, cells, &clip_words(&said, cells), if question.right == Some(false) { Role::Bad } else { Role::Ok });
        }
        y += 1;
    }
    for line in why {
        if y < last {
            p.put(x, y, cells, &line, Role::Hint);
        }
        y += 1;
    }
}
