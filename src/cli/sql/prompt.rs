//! A line typed at a terminal: editing, history, completion, and whatever comes meanwhile printed above it.
//!
//! The terminal is in raw mode only while a line is being typed.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Stdout, Write};
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType, disable_raw_mode, enable_raw_mode, size};
use crossterm::{cursor, execute, queue};

use crate::cli::home;
use crate::tui::line_edit::LineEdit;
use crate::tui::text::width;

/// Lines of history that are kept.
const HISTORY_MAX: usize = 1000;
/// Candidates that are listed.
const LISTED: usize = 60;
/// Time between two looks for what comes meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A line.
    Text(String),
    /// Ctrl-C: what was typed is given up.
    GivenUp,
    /// Ctrl-D on an empty line, or the end of the terminal.
    End,
}

/// Lines that were typed before, kept in a file as far as there may be one.
#[derive(Debug, Default)]
struct History {
    lines: Vec<String>,
    file: Option<PathBuf>,
}

impl History {
    fn open() -> Self {
        let Some(folder) = home::folder() else { return Self::default() };
        let file = folder.join("sql_history");
        let text = std::fs::read(&file).unwrap_or_default();
        let mut lines: Vec<String> = String::from_utf8_lossy(&text).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if lines.len() > 2 * HISTORY_MAX {
            lines.drain(..lines.len() - HISTORY_MAX);
            // A folder that cannot be written keeps the longer file.
            let _ = home::put(&file, &(lines.join("\n") + "\n"));
        }
        Self { lines, file: Some(file) }
    }

    /// A line was typed. Where nothing can be written nothing is kept, and nothing is said of it.
    fn add(&mut self, line: &str) {
        if line.trim().is_empty() || self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push(line.to_owned());
        let Some(file) = &self.file else { return };
        let kept = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        let kept = kept.and_then(|()| OpenOptions::new().create(true).append(true).open(file)).and_then(|mut file| writeln!(file, "{line}"));
        if kept.is_err() {
            self.file = None;
        }
    }
}

/// What Tab makes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Completed {
    /// So many characters left of the cursor become this text.
    Text(usize, String),
    /// There are several.
    Several(Vec<String>),
    Nothing,
}

/// The word left of the cursor: a name, or a quoted name that is not closed.
fn word_before(before: &str) -> &str {
    if before.matches('"').count() % 2 == 1 {
        return before.rfind('"').map_or("", |at| &before[at..]);
    }
    let start = before
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    &before[start..]
}

/// Completes the word left of the cursor, whatever its case.
fn complete(before: &str, words: &[String]) -> Completed {
    let word = word_before(before);
    if word.is_empty() {
        return Completed::Nothing;
    }
    let begins = |candidate: &str| {
        let mut letters = candidate.chars();
        word.chars().all(|typed| letters.next().is_some_and(|letter| letter.to_lowercase().eq(typed.to_lowercase())))
    };
    // A name in quotes is also found by its letters.
    let fits = |candidate: &&String| begins(candidate) || candidate.strip_prefix('"').is_some_and(begins);
    let mut found: Vec<&str> = words.iter().filter(fits).map(String::as_str).collect();
    found.sort_unstable();
    found.dedup();
    let length = word.chars().count();
    match found.as_slice() {
        [] => Completed::Nothing,
        [one] => Completed::Text(length, format!("{one} ")),
        several => {
            let first = several[0];
            let mut common = first.len();
            for other in &several[1..] {
                let differ = first.char_indices().zip(other.chars()).find(|((_, a), b)| !a.to_lowercase().eq(b.to_lowercase()));
                let length = other.chars().count();
                let same = differ.map_or_else(|| first.char_indices().nth(length).map_or(first.len(), |(at, _)| at), |((at, _), _)| at);
                common = common.min(same);
            }
            if first[..common].chars().count() > length {
                Completed::Text(length, first[..common].to_owned())
            } else {
                Completed::Several(several.iter().map(|word| (*word).to_owned()).collect())
            }
        }
    }
}

/// Raw mode, given back when dropped.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        let raw = Self;
        execute!(io::stdout(), EnableBracketedPaste)?;
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), DisableBracketedPaste);
        let _ = disable_raw_mode();
    }
}

/// What Tab completes with: the first word of a line, and the others.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) first: Vec<String>,
    pub(super) others: Vec<String>,
}

impl Words {
    fn complete(&self, before: &str) -> Completed {
        let alone = before.trim_start() == word_before(before);
        complete(before, if alone { &self.first } else { &self.others })
    }
}

/// Asks for lines.
#[derive(Debug)]
pub(super) struct Prompt {
    history: History,
    /// Lines of a paste that were not asked for yet, and the beginning of the one behind them.
    pasted: VecDeque<String>,
    rest: String,
}

impl Prompt {
    /// With the history of former times.
    pub(super) fn new() -> Self {
        Self { history: History::open(), pasted: VecDeque::new(), rest: String::new() }
    }

    /// The next line. `words` are what Tab completes with; `news` is asked now and then for text to print above the line.
    ///
    /// # Errors
    /// The terminal's own.
    pub(super) fn read(&mut self, prompt: &str, words: &Words, news: &mut dyn FnMut() -> String) -> io::Result<Line> {
        if let Some(line) = self.pasted.pop_front() {
            writeln!(io::stdout(), "{prompt}{line}")?;
            self.history.add(&line);
            return Ok(Line::Text(line));
        }
        let raw = Raw::enter()?;
        let mut out = io::stdout();
        let mut edit = LineEdit::new(&std::mem::take(&mut self.rest));
        draw(&mut out, prompt, &edit)?;
        let line = loop {
            if !event::poll(LOOK)? {
                let text = news();
                if !text.is_empty() {
                    above(&mut out, &text)?;
                    draw(&mut out, prompt, &edit)?;
                }
                continue;
            }
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    if let Some(line) = self.key(&mut out, key, &mut edit, words)? {
                        break line;
                    }
                }
                Event::Paste(text) => {
                    let mut lines = text.split(['\r', '\n']).map(str::to_owned);
                    edit.insert(&lines.next().unwrap_or_default());
                    self.pasted.extend(lines);
                    // What stands behind the last line break is still being typed.
                    if let Some(rest) = self.pasted.pop_back() {
                        self.rest = rest;
                        break Line::Text(edit.text());
                    }
                }
                _ => {}
            }
            draw(&mut out, prompt, &edit)?;
        };
        edit.end();
        draw(&mut out, prompt, &edit)?;
        execute!(out, Print("\r\n"))?;
        drop(raw);
        if let Line::Text(text) = &line {
            self.history.add(text);
        }
        Ok(line)
    }

    /// A key; the line when it ends with it.
    fn key(&mut self, out: &mut Stdout, key: KeyEvent, edit: &mut LineEdit, words: &Words) -> io::Result<Option<Line>> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(Line::Text(edit.text()))),
            KeyCode::Char('c') if control => return Ok(Some(Line::GivenUp)),
            KeyCode::Char('d') if control && edit.is_empty() => return Ok(Some(Line::End)),
            KeyCode::Char('d') if control => edit.delete(),
            KeyCode::Char('a') if control => edit.home(),
            KeyCode::Char('e') if control => edit.end(),
            KeyCode::Char('b') if control => edit.move_by(-1),
            KeyCode::Char('f') if control => edit.move_by(1),
            KeyCode::Char('h') if control => edit.backspace(),
            KeyCode::Char('u') if control => edit.delete_to_start(),
            KeyCode::Char('w') if control => edit.delete_word(),
            KeyCode::Char('l') if control => execute!(out, Clear(ClearType::All), cursor::MoveTo(0, 0))?,
            KeyCode::Char('p') if control => {
                edit.older(&self.history.lines);
            }
            KeyCode::Char('n') if control => {
                edit.newer(&self.history.lines);
            }
            KeyCode::Up => {
                edit.older(&self.history.lines);
            }
            KeyCode::Down => {
                edit.newer(&self.history.lines);
            }
            KeyCode::Left => edit.move_by(-1),
            KeyCode::Right => edit.move_by(1),
            KeyCode::Home => edit.home(),
            KeyCode::End => edit.end(),
            KeyCode::Backspace => edit.backspace(),
            KeyCode::Delete => edit.delete(),
            KeyCode::Tab => match words.complete(&edit.before_cursor()) {
                Completed::Text(typed, text) => {
                    for _ in 0..typed {
                        edit.backspace();
                    }
                    edit.insert(&text);
                }
                Completed::Several(candidates) => above(out, &listed(&candidates))?,
                Completed::Nothing => {}
            },
            KeyCode::Char(letter) if !control => edit.insert(letter.encode_utf8(&mut [0; 4])),
            _ => {}
        }
        Ok(None)
    }
}

/// Candidates in one paragraph.
fn listed(candidates: &[String]) -> String {
    let mut text = candidates.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join("  ");
    if candidates.len() > LISTED {
        text += &format!("  … {} more", candidates.len() - LISTED);
    }
    text + "\n"
}

/// Prints text in the place of the line; the line is drawn anew below it.
fn above(out: &mut Stdout, text: &str) -> io::Result<()> {
    queue!(out, cursor::MoveToColumn(0), Clear(ClearType::CurrentLine))?;
    for line in text.lines() {
        queue!(out, Print(line), Print("\r\n"))?;
    }
    out.flush()
}

/// Draws the line in one row; a line that is longer shows what is around the cursor.
fn draw(out: &mut Stdout, prompt: &str, edit: &LineEdit) -> io::Result<()> {
    let columns = usize::from(size().map_or(80, |(columns, _)| columns)).max(20);
    let room = columns.saturating_sub(width_of(prompt) + 1);
    let before = edit.before_cursor();
    let mut left: Vec<char> = Vec::new();
    let mut used = 0;
    for c in before.chars().rev() {
        let wide = width_of(c.encode_utf8(&mut [0; 4]));
        if used + wide > room {
            break;
        }
        used += wide;
        left.push(c);
    }
    let shown: String = left.iter().rev().collect();
    let at = used;
    let mut right = String::new();
    for c in edit.text().chars().skip(before.chars().count()) {
        let wide = width_of(c.encode_utf8(&mut [0; 4]));
        if used + wide > room {
            break;
        }
        used += wide;
        right.push(c);
    }
    let column = u16::try_from(width_of(prompt) + at).unwrap_or(u16::MAX);
    queue!(out, cursor::MoveToColumn(0), Clear(ClearType::CurrentLine), Print(prompt), Print(shown), Print(right), cursor::MoveToColumn(column))?;
    out.flush()
}

fn width_of(text: &str) -> usize {
    usize::from(width(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Vec<String> {
        ["SELECT STREAM", "SOURCE_SQL_STREAM_001", "\"ticker\"", "\"sector\"", "STDDEV_POP", "STDDEV_SAMP", "é_column"].map(str::to_owned).to_vec()
    }

    #[test]
    fn tab_completes_what_is_unique_and_lists_the_rest() {
        assert_eq!(complete("CREATE x AS sel", &words()), Completed::Text(3, "SELECT STREAM ".to_owned()));
        assert_eq!(complete("SELECT st", &words()), Completed::Text(2, "STDDEV_".to_owned()));
        let both = Completed::Several(vec!["STDDEV_POP".to_owned(), "STDDEV_SAMP".to_owned()]);
        assert_eq!(complete("STDDEV_", &words()), both);
        assert_eq!(complete("SELECT tick", &words()), Completed::Text(4, "\"ticker\" ".to_owned()));
        assert_eq!(complete("SELECT \"tick", &words()), Completed::Text(5, "\"ticker\" ".to_owned()));
        assert_eq!(complete("SELECT (é", &words()), Completed::Text(1, "é_column ".to_owned()));
        assert_eq!(complete("zzz", &words()), Completed::Nothing);
        assert_eq!(complete("SELECT ", &words()), Completed::Nothing);
        assert_eq!(complete("", &[]), Completed::Nothing);
        let words = Words { first: vec!["source".to_owned()], others: words() };
        assert_eq!(words.complete("  so"), Completed::Text(2, "source ".to_owned()));
        assert_eq!(words.complete("FROM so"), Completed::Text(2, "SOURCE_SQL_STREAM_001 ".to_owned()));
    }
}
