//! The editor of application code: colours by the dialect's own lexer, findings below their lines, what the compiler says at the foot.

use ratatui::layout::Rect;

use super::{keys, open};
use crate::sql::diagnostic::Severity;
use crate::sql::lex::{Token, is_reserved, lex};
use crate::tui::editor::EditorBox;
use crate::tui::hit::{Page, Target};
use crate::tui::paint::Painter;
use crate::tui::panes::Cx;
use crate::tui::templates::TEMPLATES;
use crate::tui::text::{clip, clip_words, plural, width, wrap};
use crate::tui::theme::Role;

/// Lines of a finding at most.
const FINDING_LINES: usize = 3;

/// Where the roles of a text change: (first byte, byte after the last, role).
fn colours(text: &str) -> Vec<(usize, usize, Role)> {
    let (tokens, _) = lex(text);
    let mut out = Vec::new();
    let mut at = 0;
    for token in &tokens {
        let span = token.span;
        if text.get(at..span.start).is_some_and(|gap| !gap.trim().is_empty()) {
            out.push((at, span.start, Role::SqlComment));
        }
        let role = match &token.token {
            Token::Word(_, upper) if is_reserved(upper) || matches!(upper.as_str(), "PUMP" | "REPLACE" | "STEP" | "STAGGER" | "WINDOWED") => {
                Role::SqlKeyword
            }
            Token::Text(_) | Token::Bytes(_) => Role::SqlText,
            Token::Number(_) => Role::SqlNumber,
            Token::Quoted(_) => Role::Accent,
            _ => Role::Overlay,
        };
        out.push((span.start, span.end, role));
        at = span.end.max(at);
    }
    out
}

/// Draws the layer.
pub fn draw(state: &EditorBox, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    // In a high window the rows below stay in sight: what is typed is seen at work.
    let bottom = if screen.height >= 36 { screen.height * 3 / 5 } else { screen.height.saturating_sub(1) };
    let area = Rect::new(screen.x, screen.y + 1, screen.width, bottom.saturating_sub(1));
    let cursor = state.edit.cursor();
    let modified = if state.edit.text() == state.saved { "saved" } else { "modified" };
    let right = format!("{modified}  Ln {} Col {}", cursor.line + 1, cursor.column + 1);
    let hints = keys(&[("F5", "save and run"), ("Ctrl-T", "templates"), ("Alt-Enter", "fix"), ("Ctrl-E", "$EDITOR"), ("Esc", "leave")]);
    let inner = open(p, area, &format!("SQL  {}", state.application), &right, &hints);
    if inner.height < 3 || inner.width < 20 {
        return;
    }
    let foot = inner.bottom() - 1;
    text(state, Rect { height: inner.height - 1, ..inner }, p);
    let (words, role) = verdict(state);
    let completions = state.completions();
    let room = inner.width.saturating_sub(2);
    if completions.is_empty() {
        p.put(inner.x + 1, foot, room, &clip_words(&words, room), role);
    } else {
        let at = p.put(inner.x + 1, foot, 5, "Tab  ", Role::Key);
        let list: Vec<&str> = completions.iter().map(|(word, _)| word.as_str()).take(12).collect();
        let first = completions.first().filter(|(_, what)| !what.is_empty()).map_or(String::new(), |(_, what)| format!("   ({what})"));
        p.put(at, foot, room.saturating_sub(5), &clip_words(&format!("{}{first}", list.join("  ")), room.saturating_sub(5)), Role::Hint);
    }
    if let Some(selected) = state.templates {
        templates(selected, cx, screen, p);
    }
}

fn verdict(state: &EditorBox) -> (String, Role) {
    if let Some(said) = &state.said {
        return (said.0.clone(), if said.1 { Role::Bad } else { Role::Ok });
    }
    let errors = state.report.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = state.report.findings.len() - errors;
    if errors > 0 {
        let words = format!("✗ {}, {}: the code that runs goes on", plural(errors as u64, "error"), plural(warnings as u64, "warning"));
        return (words, Role::Bad);
    }
    let pumps =
        if state.report.pumps.is_empty() { "no pump: nothing would run".to_owned() } else { format!("pumps {}", state.report.pumps.join(", ")) };
    match state.report.findings.first() {
        Some(finding) => (format!("! {}", finding.message), Role::Warn),
        None => (format!("✓ compiles, {pumps}"), Role::Ok),
    }
}

fn text(state: &EditorBox, area: Rect, p: &mut Painter<'_>) {
    let lines = state.edit.lines();
    let whole = state.edit.text();
    let colours = colours(&whole);
    let gutter = u16::try_from(lines.len().to_string().len()).unwrap_or(4).max(2) + 2;
    let (x, cells) = (area.x + gutter, area.width.saturating_sub(gutter + 1));
    let cursor = state.edit.cursor();
    // The cursor's line decides how far all lines are moved to the left.
    let before: String = lines[cursor.line].chars().take(cursor.column).collect();
    let left = usize::from((width(&before) + 2).saturating_sub(cells));
    p.hits.overlay_page = Page { lines: area.height, max: u16::try_from(lines.len()).unwrap_or(u16::MAX), at: u16::try_from(state.top).unwrap_or(0) };
    let mut y = area.y;
    let mut offset: usize = lines[..state.top.min(lines.len())].iter().map(|line| line.len() + 1).sum();
    for (number, line) in lines.iter().enumerate().skip(state.top) {
        if y >= area.bottom() {
            break;
        }
        let row = Rect::new(x, y, cells, 1);
        p.hit(row, Target::OverlayRow(number));
        p.put_right(area.x, area.x + gutter - 2, y, &(number + 1).to_string(), if number == cursor.line { Role::Key } else { Role::Dim });
        put_line(line, offset, left, row, &colours, p);
        if number == cursor.line {
            p.hits.cursor = Some((x + width(&before).saturating_sub(u16::try_from(left).unwrap_or(0)), y));
        }
        y += 1;
        let end = offset + line.len();
        for finding in state.report.findings.iter().filter(|finding| finding.span.start >= offset && finding.span.start <= end && state.checked) {
            let from = line.get(..finding.span.start - offset).map_or(0, |head| head.chars().count());
            let length = whole.get(finding.span.start..finding.span.end.min(end)).map_or(1, |text| text.chars().count()).max(1);
            let role = if finding.severity == Severity::Error { Role::Bad } else { Role::Warn };
            if y < area.bottom() {
                let mark = u16::try_from(from.saturating_sub(left)).unwrap_or(cells).min(cells.saturating_sub(1));
                p.repeat(x + mark, y, u16::try_from(length).unwrap_or(cells).min(cells - mark), '^', role);
                y += 1;
            }
            let mut message = finding.message.clone();
            if let Some(fix) = &finding.fix {
                message.push_str(&format!("  Alt-Enter: {}", fix.title));
            }
            for said in wrap(&message, cells).into_iter().take(FINDING_LINES) {
                if y < area.bottom() {
                    p.put(x, y, cells, &said, role);
                    y += 1;
                }
            }
        }
        offset = end + 1;
    }
}

/// One line from a column on, piece by piece in its colours.
fn put_line(line: &str, offset: usize, left: usize, row: Rect, colours: &[(usize, usize, Role)], p: &mut Painter<'_>) {
    let skipped = line.char_indices().nth(left).map_or(line.len(), |(at, _)| at);
    let (mut at, mut x) = (offset + skipped, row.x);
    let end = offset + line.len();
    let first = colours.partition_point(|(_, to, _)| *to <= at);
    for (from, to, role) in colours[first..].iter().take_while(|(from, ..)| *from < end) {
        if *from > at {
            x = x.saturating_add(u16::try_from(*from - at).unwrap_or(u16::MAX));
            at = *from;
        }
        let piece = &line[at - offset..(*to).min(end) - offset];
        if x >= row.right() {
            return;
        }
        x = p.put(x, row.y, row.right() - x, &clip(piece, row.right() - x), *role);
        at = (*to).min(end);
    }
}

fn templates(selected: usize, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let area = super::place(screen, 40, u16::try_from(TEMPLATES.len()).unwrap_or(8) + 2);
    let inner = open(p, area, "Templates", "", &keys(&[("Enter", "insert"), ("Esc", "none")]));
    let _ = cx;
    for (i, template) in TEMPLATES.iter().enumerate() {
        let row = Rect::new(inner.x, inner.y + u16::try_from(i).unwrap_or(0), inner.width, 1);
        if row.y < inner.bottom() {
            p.put(row.x + 1, row.y, row.width.saturating_sub(2), template.title, Role::Overlay);
            if i == selected {
                p.lay_over(row, Role::Selection);
            }
        }
    }
}
