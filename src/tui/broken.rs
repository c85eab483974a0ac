//! A lab whose files are wrong: what and where, beside the line, until they are mended. The program stays up and looks at the files.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::lab::Diagnostic;

use super::app::Look;
use super::hit::HitMap;
use super::keys::{Chord, Key};
use super::paint::Painter;
use super::run::Viewer;
use super::text::{clip_words, wrap};
use super::theme::Role;

/// What is wrong with a lab, and the lines around the first mistake.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trouble {
    /// What is wrong, the most important first.
    pub problems: Vec<Diagnostic>,
    /// Text of the file that the first one is about; empty when it cannot be read.
    pub source: String,
}

/// What ended the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The files are good now.
    Mended,
    /// The file is to be opened in an editor.
    Edit,
    /// The learner wants the list of labs.
    Labs,
    /// The learner leaves.
    Quit,
}

/// Reads the lab again when its files have changed, or when `true` says so: `None` when nothing changed, else what is wrong now.
pub type Watch<'a> = Box<dyn FnMut(bool) -> Option<Result<(), Trouble>> + 'a>;

/// The screen.
pub struct BrokenLab<'a> {
    folder: String,
    trouble: Trouble,
    look: Look,
    watch: Watch<'a>,
    /// Why the editor could not be used; empty when it could.
    note: String,
    /// How the screen was left, once it was.
    pub left: Option<Left>,
}

impl<'a> BrokenLab<'a> {
    /// The screen of the lab in `folder`.
    pub fn new(folder: String, trouble: Trouble, look: Look, watch: Watch<'a>) -> Self {
        Self { folder, trouble, look, watch, note: String::new(), left: None }
    }

    /// The same with a sentence about the editor.
    pub fn with_note(self, note: String) -> Self {
        Self { note, ..self }
    }

    fn take(&mut self, news: Option<Result<(), Trouble>>) -> bool {
        match news {
            None => return false,
            Some(Ok(())) => self.left = Some(Left::Mended),
            Some(Err(trouble)) => self.trouble = trouble,
        }
        true
    }

    fn excerpt(&self, problem: &Diagnostic, top: u16, p: &mut Painter<'_>, area: Rect) -> u16 {
        let place = if problem.line == 0 {
            format!("{}/{}", self.folder, problem.file)
        } else {
            format!("{}/{}:{}:{}", self.folder, problem.file, problem.line, problem.column)
        };
        let (rule, corner) = (p.glyphs.translate('│'), p.glyphs.translate('┌'));
        let gutter = area.x + 6;
        p.sign(gutter, top, corner, Role::Border);
        p.put(gutter + 2, top, area.width.saturating_sub(9), &place, Role::Key);
        let mut y = top + 1;
        // The two lines before say where one is.
        let first = problem.line.saturating_sub(2).max(1);
        for (at, line) in self.trouble.source.lines().enumerate().skip(first - 1).take((problem.line + 1).saturating_sub(first)) {
            // Long lines are shown from where the mistake is in sight.
            let wrong = at + 1 == problem.line;
            let room = usize::from(area.width.saturating_sub(9)).max(1);
            let skip = if wrong { problem.column.saturating_sub(room * 2 / 3) } else { 0 };
            p.put(area.x, y, 5, &format!("{:>5}", at + 1), if wrong { Role::Text } else { Role::Dim });
            p.sign(gutter, y, rule, Role::Border);
            let shown: String = line.chars().skip(skip).collect();
            p.put(gutter + 2, y, room as u16, &shown, if wrong { Role::Text } else { Role::Dim });
            y += 1;
            if wrong {
                let column = u16::try_from(problem.column.saturating_sub(skip + 1)).unwrap_or(0);
                p.sign(gutter, y, rule, Role::Border);
                p.put(gutter + 2 + column, y, 1, "^", Role::Bad);
                y += 1;
            }
        }
        y + 1
    }
}

impl Viewer for BrokenLab<'_> {
    fn look(&mut self) -> bool {
        let news = (self.watch)(false);
        self.take(news)
    }

    fn draw(&mut self, buf: &mut Buffer) {
        buf.reset();
        let screen = buf.area;
        buf.set_style(screen, self.look.theme.style(Role::Text));
        let mut hits = HitMap::default();
        let mut p = Painter { buf, theme: self.look.theme, glyphs: self.look.glyphs.glyphs(), hits: &mut hits };
        let (width, bottom) = (screen.width, screen.bottom().saturating_sub(1));
        p.put(0, 0, width, &format!(" kinlab │ {}", self.folder), Role::Title);
        p.put_right(0, width, 0, "cannot load this lab ", Role::Bad);
        let (room, mut y) = (width.saturating_sub(4), 2);
        for (at, problem) in self.trouble.problems.iter().enumerate() {
            let text = if at == 0 { format!("error: {}", problem.message) } else { problem.to_string() };
            for line in wrap(&text, room) {
                if y < bottom.saturating_sub(3) {
                    p.put(2, y, room, &line, if at == 0 { Role::Bad } else { Role::Text });
                    y += 1;
                }
            }
            if at == 0 {
                y = self.excerpt(problem, y + 1, &mut p, screen);
            }
        }
        let help = format!("help: kinlab lint {} lists every problem at once", self.folder);
        p.put(2, bottom.saturating_sub(2), room, &clip_words(&help, room), Role::Dim);
        let watching = if self.note.is_empty() { "Watching the files. Save them and the lab starts." } else { &self.note };
        p.put(2, bottom.saturating_sub(1), room, &clip_words(watching, room), Role::Text);
        p.put(0, bottom, width, " e open in $EDITOR   r reload   L other labs   q quit", Role::Key);
    }

    fn key(&mut self, chord: Chord) -> bool {
        match (chord.key, chord.ctrl) {
            (Key::Char('q') | Key::Esc, false) | (Key::Char('c' | 'C'), true) => self.left = Some(Left::Quit),
            (Key::Char('L'), false) => self.left = Some(Left::Labs),
            (Key::Char('e'), false) => self.left = Some(Left::Edit),
            (Key::Char('T'), false) => self.look.theme = self.look.theme.next(),
            (Key::Char('r'), false) => {
                let news = (self.watch)(true);
                self.take(news);
            }
            _ => {}
        }
        self.left.is_some()
    }

    fn ended(&self) -> bool {
        self.left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble() -> Trouble {
        let wrong =
            Diagnostic { file: "scenario.toml".into(), line: 3, column: 10, message: "unknown stream \"click\"; did you mean \"clicks\"?".into() };
        let other = Diagnostic { file: "steps/a.md".into(), line: 0, column: 0, message: "no such file".into() };
        Trouble { problems: vec![wrong, other], source: "format = 1\nid = \"x\"\nstream = \"click\"\n".into() }
    }

    fn text(screen: &mut BrokenLab<'_>, width: u16, height: u16) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        screen.draw(&mut buf);
        (0..height).map(|y| (0..width).map(|x| buf[(x, y)].symbol().to_owned()).collect::<String>().trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn the_mistake_is_shown_in_its_line_at_any_size() {
        let mut screen = BrokenLab::new("labs/mine".into(), trouble(), Look::default(), Box::new(|_| None));
        let shown = text(&mut screen, 80, 24);
        for part in [
            "cannot load this lab",
            "did you mean \"clicks\"?",
            "labs/mine/scenario.toml:3:10",
            "3 │ stream = \"click\"",
            "│          ^",
            "steps/a.md: no such file",
        ] {
            assert!(shown.contains(part), "{part}:\n{shown}");
        }
        for (width, height) in [(1, 1), (3, 2), (20, 5), (60, 18), (200, 60)] {
            assert_eq!(text(&mut screen, width, height).lines().count(), usize::from(height));
        }
    }

    #[test]
    fn a_change_of_the_files_is_seen_and_a_good_one_ends_the_screen() {
        let mut answers = vec![Some(Ok(())), None, Some(Err(Trouble::default()))];
        let mut screen = BrokenLab::new("x".into(), trouble(), Look::default(), Box::new(move |_| answers.pop().flatten()));
        assert!(screen.look() && !screen.ended(), "another mistake");
        assert!(screen.trouble.problems.is_empty());
        assert!(!screen.look(), "nothing new");
        assert!(screen.look() && screen.ended());
        assert_eq!(screen.left, Some(Left::Mended));
    }
}
