//! Commands, help and key list in one: type to search, Enter runs. A line of the command language is taken too, with completions from the driver.
//! Ranking: what the focused pane offers, then how well the words match, then what was used last.

use ratatui::layout::Rect;

use super::{keys, open, place};
use crate::session::view::SessionView;
use crate::tui::action::{ACTIONS, ActionId, Contexts};
use crate::tui::app::{App, Palette};
use crate::tui::hit::{Page, Target};
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::panes::{Cx, scroll_to};
use crate::tui::text::{clip, clip_words, width, wrap};
use crate::tui::theme::Role;
use crate::tui::update::disabled;

/// A row that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Run what is typed.
    Line(String),
    /// Replace what is typed: text, what it does.
    Completion(String, String),
    /// An action, and why it cannot be used now.
    Action(ActionId, Option<String>),
}

/// How well `words` hold the letters of `query` in order: `None` when they do not. Starts of words and runs count more.
fn score(query: &str, words: &str) -> Option<i32> {
    let words: Vec<char> = words.to_lowercase().chars().collect();
    let mut at = 0;
    let mut total = 0;
    let mut last = None;
    for c in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let found = (at..words.len()).find(|i| words[*i] == c)?;
        let start = found == 0 || !words[found - 1].is_alphanumeric();
        total +=
            if last == Some(found.wrapping_sub(1)) { 8 } else { 0 } + if start { 6 } else { 0 } - i32::try_from(found - at).unwrap_or(100).min(5);
        last = Some(found);
        at = found + 1;
    }
    Some(total - i32::try_from(words.len()).unwrap_or(0) / 8)
}

fn matches(query: &str, id: ActionId) -> Option<i32> {
    let a = id.info();
    let title = score(query, a.title).map(|s| s + 10);
    let call = a.aws_call.and_then(|c| score(query, c));
    let name = score(query, a.name);
    // The doc only counts for whole words: letters scattered over a sentence are no match.
    let doc = query.split_whitespace().all(|w| w.len() > 2 && a.doc.to_lowercase().contains(&w.to_lowercase())).then_some(-5);
    [title, call, name, doc].into_iter().flatten().max()
}

/// Rows for what is typed, best first.
pub fn rows(app: &App, view: &SessionView, state: &Palette) -> Vec<Row> {
    let query = state.input.text();
    let trimmed = query.trim();
    let focus = app.focus();
    let mut actions: Vec<(i32, ActionId)> = ACTIONS
        .iter()
        .filter(|a| a.id != ActionId::Commands && a.id != ActionId::Back)
        .filter_map(|a| {
            let fit = if trimmed.is_empty() { 0 } else { matches(trimmed, a.id)? };
            let near = if a.contexts != Contexts::All && !matches!(a.contexts, Contexts::Except(_)) && a.contexts.hold(focus) { 30 } else { 0 };
            let recent = app.recent.iter().position(|r| *r == a.id).map_or(0, |p| 5 - i32::try_from(p).unwrap_or(5).min(5));
            Some((-(fit + near + recent), a.id))
        })
        .collect();
    actions.sort_by_key(|(rank, id)| (*rank, *id));
    let mut rows: Vec<Row> = actions.into_iter().map(|(_, id)| Row::Action(id, disabled_elsewhere(app, view, id))).collect();
    if trimmed.is_empty() {
        return rows;
    }
    let completions =
        state.completions.iter().filter(|(text, _)| *text != query).take(6).map(|(text, what)| Row::Completion(text.clone(), what.clone()));
    let line = Row::Line(trimmed.to_owned());
    // Words after a blank, or a first word the driver knows, mean a command line; otherwise the action that matches best comes first.
    let first_word = trimmed.split_whitespace().next().unwrap_or("");
    let known = state.completions.iter().any(|(text, _)| text.split_whitespace().next() == Some(first_word));
    if trimmed.contains(' ') || known || rows.is_empty() {
        let mut out = vec![line];
        out.extend(completions);
        out.append(&mut rows);
        out
    } else {
        rows.extend(completions);
        rows.push(line);
        rows
    }
}

/// An action of another pane is not disabled here: choosing it goes there.
fn disabled_elsewhere(app: &App, view: &SessionView, id: ActionId) -> Option<String> {
    disabled(app, view, id).filter(|_| id.info().contexts.hold(app.focus()) || matches!(id, ActionId::SplitShard | ActionId::MergeShards))
}

fn places(id: ActionId) -> String {
    match id.info().contexts {
        Contexts::All | Contexts::Except(_) => String::new(),
        Contexts::Presenter => "Presenter".to_owned(),
        Contexts::In(panes) => panes.iter().map(|p| p.title()).take(2).collect::<Vec<_>>().join(", "),
    }
}

fn explanation(row: Option<&Row>, cells: u16) -> Vec<(String, Role)> {
    let wrapped = |text: &str, role| wrap(text, cells).into_iter().map(move |l| (l, role)).collect::<Vec<_>>();
    match row {
        None => Vec::new(),
        Some(Row::Line(line)) => {
            let mut out = wrapped("Runs this line, as in a lab script or in the line mode.", Role::Overlay);
            out.extend(wrapped(&format!("> {line}"), Role::Accent));
            out
        }
        Some(Row::Completion(text, what)) => {
            let mut out = wrapped(text, Role::Accent);
            out.extend(wrapped(what, Role::Overlay));
            out
        }
        Some(Row::Action(id, why)) => {
            let a = id.info();
            let call = a.aws_call.map_or(String::new(), |c| format!(" AWS: {c}."));
            let mut out = vec![(a.title.to_owned(), Role::Title)];
            out.extend(wrapped(&format!("{}{call}", a.doc), Role::Overlay));
            if let Some(why) = why {
                out.extend(wrapped(&format!("Not now: {why}."), Role::Warn));
            }
            out
        }
    }
}

fn draw_row(p: &mut Painter<'_>, row: Rect, what: &Row, app: &App) {
    let (x, y, end) = (row.x + 1, row.y, row.right() - 1);
    match what {
        Row::Line(line) => {
            p.put(x, y, 10, "run", Role::Key);
            p.put(x + 11, y, end.saturating_sub(x + 11), &clip(line, end.saturating_sub(x + 11)), Role::Accent);
        }
        Row::Completion(text, what) => {
            p.put(x, y, 10, "Tab", Role::Key);
            let at = p.put(x + 11, y, end.saturating_sub(x + 11), &clip(text, end.saturating_sub(x + 11)), Role::Overlay) + 2;
            p.put(at, y, end.saturating_sub(at), &clip_words(what, end.saturating_sub(at)), Role::Dim);
        }
        Row::Action(id, why) => {
            let keys = app.look.keymap.keys(*id);
            let names = match keys {
                [] => String::new(),
                [one] => one.to_string(),
                [first, .., last] if keys.len() > 3 => format!("{first} … {last}"),
                many => many.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            };
            p.put(x, y, 10, &clip(&names, 10), Role::Key);
            let place = places(*id);
            let room = end.saturating_sub(x + 11 + width(&place) + 2);
            p.put(x + 11, y, room, &clip_words(id.info().title, room), if why.is_some() { Role::Dim } else { Role::Overlay });
            p.put_right(x + 11, end, y, &place, Role::Dim);
        }
    }
}

/// Draws the layer.
pub fn draw(state: &Palette, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    let app = cx.app;
    let area = place(screen, screen.width.saturating_sub(8).clamp(52, 84), screen.height.saturating_sub(6).clamp(14, 30));
    let rows = rows(app, cx.view, state);
    let focus = app.focus();
    let right = if focus == PaneId::Timeline { String::new() } else { format!("{} pane first", focus.title()) };
    let inner = open(p, area, "Commands", &right, &keys(&[("Enter", "run"), ("Tab", "complete"), ("Up", "earlier lines"), ("Esc", "close")]));
    if inner.height < 6 || inner.width < 20 {
        return;
    }
    let cells = inner.width - 2;
    let at = p.put(inner.x + 1, inner.y, 2, "> ", Role::Key);
    // A line longer than the field shows the part around the cursor.
    let before = state.input.before_cursor();
    let room = cells.saturating_sub(3);
    let skip = usize::from(width(&before).saturating_sub(room));
    let shown: String = state.input.text().chars().skip(skip).collect();
    p.put(at, inner.y, cells - 2, &shown, Role::Accent);
    p.hits.cursor = Some((at + width(&before).min(room), inner.y));
    let chosen = state.selected.min(rows.len().saturating_sub(1));
    let about = explanation(rows.get(chosen), cells);
    let below = u16::try_from(about.len().min(5)).unwrap_or(0);
    let list = inner.height.saturating_sub(3 + below);
    let from = scroll_to(0, chosen, usize::from(list), rows.len());
    let small = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    p.hits.overlay_page = Page { lines: list, max: small(rows.len().saturating_sub(usize::from(list))), at: small(from) };
    for (i, what) in rows.iter().skip(from).take(usize::from(list)).enumerate() {
        let row = Rect::new(inner.x, inner.y + 2 + small(i), inner.width, 1);
        draw_row(p, row, what, app);
        p.hit(row, Target::OverlayRow(from + i));
        if from + i == chosen {
            p.lay_over(row, Role::Selection);
        }
    }
    if rows.len() > usize::from(list) {
        let text = format!("{}–{} of {}", from + 1, (from + usize::from(list)).min(rows.len()), rows.len());
        p.put_right(inner.x, inner.right() - 1, inner.y + 1, &text, Role::Dim);
    }
    for (i, (line, role)) in about.iter().take(usize::from(below)).enumerate() {
        p.put(inner.x + 1, inner.bottom() - below + small(i), cells, line, *role);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::app::Look;
    use super::super::super::fixture;
    use super::super::super::ids::Screen;
    use super::super::super::line_edit::LineEdit;
    use super::*;

    fn first(query: &str, completions: &[(&str, &str)], focus: PaneId) -> Row {
        let screen = if focus == PaneId::Journal { Screen::Journal } else { Screen::Streams };
        let mut app = App::new(Look::default(), screen, 120, 40);
        app.set_focus(focus);
        let state = Palette {
            input: LineEdit::new(query),
            selected: 0,
            completions: completions.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        };
        rows(&app, &fixture::lab1_throttled(), &state).remove(0)
    }

    #[test]
    fn ranking() {
        assert_eq!(first("spl", &[], PaneId::Shards), Row::Action(ActionId::SplitShard, None));
        assert_eq!(first("theme", &[], PaneId::Shards), Row::Action(ActionId::Theme, None));
        assert_eq!(first("MergeShards", &[], PaneId::Guide), Row::Action(ActionId::MergeShards, None));
        assert!(matches!(first("", &[], PaneId::Journal), Row::Action(ActionId::Filter | ActionId::Follow | ActionId::PauseList, _)));
    }

    #[test]
    fn command_lines_are_recognised() {
        assert_eq!(first("aws kinesis list-streams", &[], PaneId::Shards), Row::Line("aws kinesis list-streams".to_owned()));
        assert_eq!(first("hint", &[("hint", "next hint")], PaneId::Shards), Row::Line("hint".to_owned()));
        assert_eq!(first("qqqq", &[], PaneId::Shards), Row::Line("qqqq".to_owned()));
    }

    #[test]
    fn fuzzy_scores() {
        assert!(score("ss", "Split shard").is_some_and(|s| s > score("ss", "Release session").unwrap_or(-99)));
        assert_eq!(score("xyz", "Split shard"), None);
        assert_eq!(score("", "anything"), Some(-1));
    }
}
