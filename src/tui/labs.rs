//! The list of labs: what `kinlab` opens. A pure picture of its rows, and keys that choose one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::Look;
use super::hit::HitMap;
use super::keys::{Chord, Key};
use super::paint::{Frame, Painter};
use super::text::{clip_words, wrap};
use super::theme::{Role, Theme};

/// A lab and how far the learner is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabRow {
    /// Lab id.
    pub id: String,
    /// Title.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// Minutes it takes.
    pub minutes: u32,
    /// Titles of the steps and whether they are done.
    pub steps: Vec<(String, bool)>,
    /// Labs that come before.
    pub requires: Vec<String>,
    /// When it was played last, in words.
    pub last: String,
}

/// What the learner wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Go on in a lab.
    Continue(usize),
    /// Begin a lab anew.
    StartOver(usize),
    /// Leave.
    Quit,
}

/// The list.
#[derive(Debug, Clone)]
pub struct LabsList {
    /// Labs.
    pub rows: Vec<LabRow>,
    /// Theme, signs.
    pub look: Look,
    selected: usize,
    /// The next `s` starts over.
    asked: bool,
    /// Nobody was here before.
    first: bool,
}

/// First line of the list of rows.
const FIRST_ROW: u16 = 3;

impl LabsList {
    /// The list with a row chosen.
    pub fn new(rows: Vec<LabRow>, look: Look, selected: usize, first: bool) -> Self {
        let selected = selected.min(rows.len().saturating_sub(1));
        Self { rows, look, selected, asked: false, first }
    }

    /// A key; gives what was chosen by it.
    pub fn key(&mut self, chord: Chord) -> Option<Choice> {
        let asked = std::mem::take(&mut self.asked);
        if chord.ctrl {
            return (chord.key == Key::Char('c')).then_some(Choice::Quit);
        }
        match chord.key {
            Key::Up | Key::Char('k') => self.selected = self.selected.saturating_sub(1),
            Key::Down | Key::Char('j') => self.selected = (self.selected + 1).min(self.rows.len().saturating_sub(1)),
            Key::Home => self.selected = 0,
            Key::End => self.selected = self.rows.len().saturating_sub(1),
            Key::Char(digit @ '1'..='9') => self.selected = (digit as usize - '1' as usize).min(self.rows.len().saturating_sub(1)),
            Key::Enter if !self.rows.is_empty() => return Some(Choice::Continue(self.selected)),
            Key::Char('s') if !self.rows.is_empty() => {
                if asked {
                    return Some(Choice::StartOver(self.selected));
                }
                self.asked = true;
            }
            Key::Char('T') => {
                let themes = Theme::all();
                let at = themes.iter().position(|theme| theme.name == self.look.theme.name).unwrap_or(0);
                self.look.theme = &themes[(at + 1) % themes.len()];
            }
            Key::Char('q') => return Some(Choice::Quit),
            _ => {}
        }
        None
    }

    /// A click: chooses the row, or opens it when it is chosen already.
    pub fn click(&mut self, y: u16) -> Option<Choice> {
        let row = usize::from(y.checked_sub(FIRST_ROW)?);
        if row >= self.rows.len() {
            return None;
        }
        if row == self.selected {
            return Some(Choice::Continue(row));
        }
        self.selected = row;
        None
    }

    /// Draws the list into an emptied buffer.
    pub fn draw(&self, buf: &mut Buffer) {
        buf.reset();
        let screen = buf.area;
        buf.set_style(screen, self.look.theme.style(Role::Text));
        let mut hits = HitMap::default();
        let mut p = Painter { buf, theme: self.look.theme, glyphs: self.look.glyphs.glyphs(), hits: &mut hits };
        if screen.width < 40 || screen.height < 8 {
            p.put(0, 0, screen.width, "kinlab needs 40 x 8 for its list of labs.", Role::Text);
            p.put(0, 1, screen.width, "Line mode: kinlab run lab1 --plain", Role::Dim);
            p.put(0, 2, screen.width, "q quit", Role::Key);
            return;
        }
        p.put(1, 0, screen.width, "kinlab", Role::Header);
        let right = format!("{} labs │ theme {} ", self.rows.len(), self.look.theme.name);
        p.put_right(8, screen.width, 0, &right, Role::Dim);
        let rows = u16::try_from(self.rows.len()).unwrap_or(u16::MAX);
        let list_height = (rows + 3).min(screen.height - 4);
        let inner = p.frame(Rect::new(0, 1, screen.width, list_height), &Frame { title: "Labs", focused: true, ..Frame::default() });
        self.list(inner, &mut p);
        let top = 1 + list_height;
        if let Some(row) = self.rows.get(self.selected) {
            let height = screen.height.saturating_sub(top + 3);
            if height >= 4 {
                let inner = p.frame(Rect::new(0, top, screen.width, height), &Frame { title: &row.title, ..Frame::default() });
                detail(row, inner, &mut p);
            }
        }
        let said = if self.asked {
            ("press s again to start over; the saved run is put aside", Role::Warn)
        } else if self.first {
            ("? shows and runs every command in a lab, Space stops time, [ ] moves it", Role::Hint)
        } else {
            ("tip  Space stops time, [ ] moves it, ? shows and runs every command", Role::Hint)
        };
        p.put(1, screen.height - 2, screen.width - 2, said.0, said.1);
        let mut x = 1;
        for (key, what) in [("Enter", "open"), ("s", "start over"), ("T", "theme"), ("q", "quit")] {
            x = p.put(x, screen.height - 1, screen.width.saturating_sub(x), key, Role::Key);
            x = p.put(x, screen.height - 1, screen.width.saturating_sub(x), &format!(" {what}   "), Role::Dim);
        }
    }

    fn list(&self, inner: Rect, p: &mut Painter<'_>) {
        let bar = 10;
        let title = inner.width.saturating_sub(44).clamp(16, 44);
        p.put(inner.x + 2, inner.y, inner.width, "lab", Role::Dim);
        p.put(inner.x + 3 + title, inner.y, inner.width.saturating_sub(title + 3), "steps            min  last", Role::Dim);
        // The chosen row is always in sight.
        let room = usize::from(inner.height.saturating_sub(1));
        let skip = (self.selected + 1).saturating_sub(room.max(1));
        for (line, (at, row)) in self.rows.iter().enumerate().skip(skip).take(room).enumerate() {
            let y = inner.y + 1 + u16::try_from(line).unwrap_or(0);
            let chosen = at == self.selected;
            p.put(inner.x, y, 1, if chosen { ">" } else { " " }, Role::Focus);
            p.put(inner.x + 2, y, title, &clip_words(&row.title, title), Role::Text);
            let done = row.steps.iter().filter(|(_, done)| *done).count();
            let filled = u16::try_from(done * usize::from(bar) / row.steps.len().max(1)).unwrap_or(0);
            let x = inner.x + 3 + title;
            let g = p.glyphs;
            p.repeat(x, y, bar, g.track, Role::Border);
            p.repeat(x, y, filled, g.full, Role::Ok);
            let rest = inner.right().saturating_sub(x + bar);
            p.put(x + bar, y, rest, &format!(" {done}/{:<2} {:>4}  {}", row.steps.len(), row.minutes, row.last), Role::Text);
            if chosen {
                p.lay_over(Rect::new(inner.x, y, inner.width, 1), Role::Selection);
            }
        }
    }
}

fn detail(row: &LabRow, inner: Rect, p: &mut Painter<'_>) {
    let mut y = inner.y;
    let room = inner.width.saturating_sub(2);
    for line in wrap(&row.summary, room) {
        if y >= inner.bottom() {
            return;
        }
        p.put(inner.x + 1, y, room, &line, Role::Text);
        y += 1;
    }
    y += 1;
    let left = inner.bottom().saturating_sub(y + 1);
    if left == 0 {
        return;
    }
    // Columns from top to bottom, as many as the steps need.
    let columns = u16::try_from(row.steps.len()).unwrap_or(1).div_ceil(left).clamp(1, 3);
    let width = room / columns;
    let next = row.steps.iter().position(|(_, done)| !done);
    for (at, (title, done)) in row.steps.iter().enumerate() {
        let (column, line) = (u16::try_from(at).unwrap_or(0) / left, u16::try_from(at).unwrap_or(0) % left);
        if column >= columns {
            break;
        }
        let (sign, role) = if *done {
            ('✓', Role::Ok)
        } else if Some(at) == next {
            ('◐', Role::Warn)
        } else {
            ('○', Role::Dim)
        };
        let x = inner.x + 1 + column * width;
        p.sign(x, y + line, p.glyphs.translate(sign), role);
        let text = format!("{} {title}", at + 1);
        p.put(x + 2, y + line, width.saturating_sub(3), &clip_words(&text, width.saturating_sub(3)), Role::Text);
    }
    let needs = if row.requires.is_empty() {
        "needs nothing: no account, no network, no cost".to_owned()
    } else {
        format!("comes after {}; needs no account, no network", row.requires.join(", "))
    };
    p.put(inner.x + 1, inner.bottom() - 1, room, &clip_words(&needs, room), Role::Dim);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> LabsList {
        let row = |id: &str, done: usize| LabRow {
            id: id.to_owned(),
            title: format!("The lab {id}"),
            summary: "You will put records into a data stream and see where they go.".to_owned(),
            minutes: 35,
            steps: (0..6).map(|at| (format!("Step number {at}"), at < done)).collect(),
            requires: Vec::new(),
            last: "new".to_owned(),
        };
        LabsList::new(vec![row("one", 2), row("two", 0)], Look::default(), 0, false)
    }

    fn text(list: &LabsList, width: u16, height: u16) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        list.draw(&mut buf);
        (0..height).map(|y| (0..width).map(|x| buf[(x, y)].symbol().to_owned()).collect::<String>().trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn keys_choose_and_starting_over_asks() {
        let mut list = list();
        let key = |c| Chord::plain(Key::Char(c));
        assert_eq!(list.key(key('j')), None);
        assert_eq!(list.key(Chord::plain(Key::Enter)), Some(Choice::Continue(1)));
        assert_eq!(list.key(key('s')), None);
        assert!(text(&list, 80, 24).contains("press s again"));
        assert_eq!(list.key(key('k')), None);
        assert_eq!(list.key(key('s')), None);
        assert_eq!(list.key(key('s')), Some(Choice::StartOver(0)));
        assert_eq!(list.click(FIRST_ROW + 1), None);
        assert_eq!(list.click(FIRST_ROW + 1), Some(Choice::Continue(1)));
        assert_eq!(list.key(key('q')), Some(Choice::Quit));
    }

    #[test]
    fn the_picture_at_80x24_and_any_size() {
        let shown = text(&list(), 80, 24);
        for part in ["2 labs │ theme ansi", "> The lab one", "2/6", "✓ 1 Step number 0", "◐ 3 Step number 2", "needs nothing", "Enter open"] {
            assert!(shown.contains(part), "{part}:\n{shown}");
        }
        for (width, height) in [(1, 1), (20, 5), (40, 8), (60, 18), (200, 60)] {
            assert_eq!(text(&list(), width, height).lines().count(), usize::from(height));
        }
    }
}
