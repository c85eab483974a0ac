//! The editor of application code: what its keys do. The text is kept as a draft until it is saved, so leaving loses nothing.

use crate::session::code::{CODE_MAX, CodeReport};
use crate::session::driver::Act;

use super::app::Effect;
use super::keys::{Chord, Key};
use super::templates::TEMPLATES;
use super::text_edit::{Place, TextEdit};

/// An editor at work.
#[derive(Debug, Clone, PartialEq)]
pub struct EditorBox {
    /// Whose code.
    pub application: String,
    /// The text.
    pub edit: TextEdit,
    /// The code that the application has.
    pub saved: String,
    /// What the compiler says of the text.
    pub report: CodeReport,
    /// The report is about the present text.
    pub checked: bool,
    /// First line shown.
    pub top: usize,
    /// The list of templates is open; its chosen row.
    pub templates: Option<usize>,
    /// What came of the last act, and whether it failed.
    pub said: Option<(String, bool)>,
}

impl EditorBox {
    /// An editor for the code of an application: a draft when there is one.
    pub fn new(application: &str, saved: &str, draft: Option<&String>) -> Self {
        Self {
            application: application.to_owned(),
            edit: TextEdit::new(draft.map_or(saved, |draft| draft)),
            saved: TextEdit::new(saved).text(),
            report: CodeReport::default(),
            checked: false,
            top: 0,
            templates: None,
            said: None,
        }
    }

    /// Asks for what the compiler says.
    pub fn check(&self) -> Effect {
        Effect::Check(self.application.clone(), self.edit.text())
    }

    /// The draft as it is now: none when it is what the application has.
    pub fn draft(&self) -> Effect {
        let text = self.edit.text();
        Effect::Draft(self.application.clone(), (text != self.saved).then_some(text))
    }

    /// Words that begin as the name left of the cursor does.
    pub fn completions(&self) -> Vec<&(String, String)> {
        let (prefix, _) = self.edit.prefix();
        let bare = prefix.trim_start_matches('"').to_uppercase();
        if bare.is_empty() {
            return Vec::new();
        }
        let fits = |word: &str| {
            let name = word.trim_start_matches('"');
            name.to_uppercase().starts_with(&bare) && word != prefix && (!prefix.starts_with('"') || word.starts_with('"'))
        };
        self.report.words.iter().filter(|(word, _)| fits(word)).collect()
    }

    fn complete(&mut self) {
        let (prefix, at) = self.edit.prefix();
        match self.completions().first().map(|(word, _)| word.clone()) {
            Some(word) => self.edit.replace(at, at + prefix.len(), &word),
            None => self.edit.insert("  "),
        }
    }

    /// Applies the first fix at or after the cursor's line, else the first one of all.
    fn fix(&mut self) -> bool {
        let line_start = {
            let cursor = self.edit.cursor();
            self.edit.byte() - self.edit.lines()[cursor.line].chars().take(cursor.column).map(char::len_utf8).sum::<usize>()
        };
        let fixes = || self.report.findings.iter().filter_map(|finding| finding.fix.as_ref());
        let Some(fix) = fixes().find(|fix| fix.span.start >= line_start).or_else(|| fixes().next()).cloned() else { return false };
        self.edit.replace(fix.span.start, fix.span.end, &fix.text);
        self.said = Some((format!("{}.", fix.title), false));
        true
    }

    /// Types or pastes a text.
    pub fn insert(&mut self, text: &str) {
        if self.edit.text().chars().count() + text.chars().count() > CODE_MAX {
            self.said = Some((format!("application code has at most {CODE_MAX} characters"), true));
        } else {
            self.edit.insert(text);
        }
    }

    /// Another text, from outside.
    pub fn replace_all(&mut self, text: &str) {
        let length = self.edit.text().len();
        if text.chars().count() > CODE_MAX {
            self.said = Some((format!("application code has at most {CODE_MAX} characters"), true));
        } else {
            self.edit.replace(0, length, text);
        }
    }

    /// Handles a key. `None` = leave the editor.
    pub fn key(&mut self, chord: Chord, rows: usize) -> Option<Vec<Effect>> {
        if let Some(selected) = self.templates {
            return Some(self.template_key(selected, chord));
        }
        let before = self.edit.text();
        self.said = None;
        match (chord.key, chord.ctrl, chord.alt) {
            (Key::Esc, ..) | (Key::Char('C'), true, _) => return None,
            (Key::F(5), ..) => {
                let line = format!("app run {0} editor/{0}.sql", self.application);
                let text = self.edit.text();
                return Some(vec![Effect::Draft(self.application.clone(), Some(text)), Effect::Act(Act::Line(line))]);
            }
            (Key::Char('T'), true, _) => self.templates = Some(0),
            (Key::Char('E'), true, _) => return Some(vec![Effect::ExternalEditor(before)]),
            (Key::Char('Z'), true, _) => {
                self.edit.undo();
            }
            (Key::Char('Y'), true, _) => {
                self.edit.redo();
            }
            (Key::Enter, _, true) => {
                if !self.fix() {
                    self.said = Some(("no finding here has a fix".to_owned(), true));
                }
            }
            (Key::Enter, ..) => self.edit.new_line(),
            (Key::Tab, ..) => self.complete(),
            (Key::Backspace | Key::Char('W'), true, _) => self.edit.delete_word(),
            (Key::Backspace, ..) => self.edit.backspace(),
            (Key::Delete, ..) => self.edit.delete(),
            (Key::Left, ..) => self.edit.left(),
            (Key::Right, ..) => self.edit.right(),
            (Key::Up, ..) => self.edit.vertical(-1),
            (Key::Down, ..) => self.edit.vertical(1),
            (Key::PageUp, ..) => self.edit.vertical(-(isize::try_from(rows).unwrap_or(10))),
            (Key::PageDown, ..) => self.edit.vertical(isize::try_from(rows).unwrap_or(10)),
            (Key::Home, true, _) => self.edit.go(Place::default()),
            (Key::End, true, _) => self.edit.go(Place { line: usize::MAX, column: usize::MAX }),
            (Key::Home, ..) => self.edit.home(),
            (Key::End, ..) => self.edit.end(),
            _ => {
                if let Some(c) = chord.typed() {
                    self.insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
        self.keep_in_sight(rows);
        Some(self.changed(&before))
    }

    /// What follows when the text is another one than before.
    pub fn changed(&mut self, before: &str) -> Vec<Effect> {
        if self.edit.text() == before {
            return Vec::new();
        }
        self.checked = false;
        vec![self.check()]
    }

    /// Scrolls so that the cursor's line is seen, with room for a finding below it.
    pub fn keep_in_sight(&mut self, rows: usize) {
        let line = self.edit.cursor().line;
        let room = rows.saturating_sub(4).max(1);
        self.top = self.top.min(line).max((line + 1).saturating_sub(room));
    }

    fn template_key(&mut self, selected: usize, chord: Chord) -> Vec<Effect> {
        match chord.key {
            Key::Up => self.templates = Some(selected.saturating_sub(1)),
            Key::Down => self.templates = Some((selected + 1).min(TEMPLATES.len() - 1)),
            Key::Enter => {
                self.templates = None;
                let before = self.edit.text();
                if let Some(template) = TEMPLATES.get(selected) {
                    let text = template.text(&self.report);
                    self.insert(&text);
                }
                return self.changed(&before);
            }
            Key::Esc => self.templates = None,
            _ => {}
        }
        Vec::new()
    }
}
