//! A text of many lines with cursor and undo. Columns are characters, not bytes; control characters other than line breaks cannot get in.

/// States kept for undo.
const UNDO_MAX: usize = 200;

/// Where the cursor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Line from 0.
    pub line: usize,
    /// Character from 0.
    pub column: usize,
}

/// The text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    lines: Vec<String>,
    cursor: Place,
    /// Column that moving up and down tries to keep.
    wanted: usize,
    undo: Vec<(Vec<String>, Place)>,
    redo: Vec<(Vec<String>, Place)>,
    /// The last change typed a letter: the next one belongs to it.
    typing: bool,
}

fn byte_of(line: &str, column: usize) -> usize {
    line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
}

impl TextEdit {
    /// A text with the cursor at its start.
    pub fn new(text: &str) -> Self {
        Self {
            lines: clean(text).split('\n').map(str::to_owned).collect(),
            cursor: Place::default(),
            wanted: 0,
            undo: Vec::new(),
            redo: Vec::new(),
            typing: false,
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Its lines; at least one.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Where the cursor stands.
    pub fn cursor(&self) -> Place {
        self.cursor
    }

    /// The cursor as a byte of [`TextEdit::text`].
    pub fn byte(&self) -> usize {
        let before: usize = self.lines[..self.cursor.line].iter().map(|line| line.len() + 1).sum();
        before + byte_of(&self.lines[self.cursor.line], self.cursor.column)
    }

    /// Line and column of a byte of the text.
    pub fn place_of(&self, byte: usize) -> Place {
        let mut left = byte;
        for (at, line) in self.lines.iter().enumerate() {
            if left <= line.len() {
                return Place { line: at, column: line.char_indices().take_while(|(offset, _)| *offset < left).count() };
            }
            left -= line.len() + 1;
        }
        self.end_of_text()
    }

    fn end_of_text(&self) -> Place {
        let line = self.lines.len() - 1;
        Place { line, column: self.lines[line].chars().count() }
    }

    /// Puts the cursor somewhere; what is beyond the text is its nearest place.
    pub fn go(&mut self, place: Place) {
        let line = place.line.min(self.lines.len() - 1);
        self.cursor = Place { line, column: place.column.min(self.lines[line].chars().count()) };
        self.wanted = self.cursor.column;
        self.typing = false;
    }

    fn remember(&mut self, typing: bool) {
        if !(typing && self.typing) {
            if self.undo.len() == UNDO_MAX {
                self.undo.remove(0);
            }
            self.undo.push((self.lines.clone(), self.cursor));
        }
        self.redo.clear();
        self.typing = typing;
    }

    /// Types a text at the cursor.
    pub fn insert(&mut self, text: &str) {
        let text = clean(text);
        let mut letters = text.chars();
        let letter = matches!((letters.next(), letters.next()), (Some(c), None) if c.is_alphanumeric() || c == '_');
        self.remember(letter);
        self.splice(&text);
    }

    fn splice(&mut self, text: &str) {
        let line = &mut self.lines[self.cursor.line];
        let rest = line.split_off(byte_of(line, self.cursor.column));
        let mut pieces = text.split('\n');
        line.push_str(pieces.next().unwrap_or(""));
        let mut at = self.cursor.line;
        for piece in pieces {
            at += 1;
            self.lines.insert(at, piece.to_owned());
        }
        self.cursor = Place { line: at, column: self.lines[at].chars().count() };
        self.lines[at].push_str(&rest);
        self.wanted = self.cursor.column;
    }

    /// A new line that begins below the first letter of this one.
    pub fn new_line(&mut self) {
        let line = &self.lines[self.cursor.line];
        let indent: String = line.chars().take(self.cursor.column).take_while(|c| *c == ' ').collect();
        self.insert(&format!("\n{indent}"));
    }

    /// Replaces bytes of the text; the cursor stands behind the new ones.
    pub fn replace(&mut self, start: usize, end: usize, with: &str) {
        self.remember(false);
        let (from, to) = (self.place_of(start), self.place_of(end.max(start)));
        self.cursor = from;
        self.remove_until(to);
        self.splice(&clean(with));
    }

    /// Deletes from the cursor to a later place.
    fn remove_until(&mut self, to: Place) {
        let tail = self.lines[to.line][byte_of(&self.lines[to.line], to.column)..].to_owned();
        let line = &mut self.lines[self.cursor.line];
        line.truncate(byte_of(line, self.cursor.column));
        line.push_str(&tail);
        self.lines.drain(self.cursor.line + 1..=to.line);
    }

    /// Deletes left of the cursor.
    pub fn backspace(&mut self) {
        let to = self.cursor;
        self.left();
        if self.cursor != to {
            let from = std::mem::replace(&mut self.cursor, to);
            self.remember(false);
            self.cursor = from;
            self.remove_until(to);
        }
    }

    /// Deletes at the cursor.
    pub fn delete(&mut self) {
        let from = self.cursor;
        self.right();
        let to = std::mem::replace(&mut self.cursor, from);
        if to != from {
            self.remember(false);
            self.remove_until(to);
        }
        self.wanted = self.cursor.column;
    }

    /// Deletes the word left of the cursor.
    pub fn delete_word(&mut self) {
        let to = self.cursor;
        let before: Vec<char> = self.lines[to.line].chars().take(to.column).collect();
        let trimmed = before.iter().rposition(|c| *c != ' ').map_or(0, |at| at + 1);
        let word = |c: &char| c.is_alphanumeric() || *c == '_';
        let start = if before[..trimmed].last().is_some_and(word) {
            before[..trimmed].iter().rposition(|c| !word(c)).map_or(0, |at| at + 1)
        } else {
            trimmed.saturating_sub(1)
        };
        if start == to.column {
            self.backspace();
            return;
        }
        self.remember(false);
        self.cursor = Place { line: to.line, column: start };
        self.remove_until(to);
        self.wanted = start;
    }

    /// One character left, over the start of the line.
    pub fn left(&mut self) {
        if self.cursor.column > 0 {
            self.cursor.column -= 1;
        } else if self.cursor.line > 0 {
            self.cursor.line -= 1;
            self.cursor.column = self.lines[self.cursor.line].chars().count();
        }
        self.wanted = self.cursor.column;
        self.typing = false;
    }

    /// One character right, over the end of the line.
    pub fn right(&mut self) {
        if self.cursor.column < self.lines[self.cursor.line].chars().count() {
            self.cursor.column += 1;
        } else if self.cursor.line + 1 < self.lines.len() {
            self.cursor = Place { line: self.cursor.line + 1, column: 0 };
        }
        self.wanted = self.cursor.column;
        self.typing = false;
    }

    /// Moves by lines, keeping the column where lines are long enough.
    pub fn vertical(&mut self, by: isize) {
        let wanted = self.wanted;
        let line = self.cursor.line.saturating_add_signed(by);
        self.go(Place { line, column: wanted });
        self.wanted = wanted;
    }

    /// To the start of the line: its first letter, then its first cell.
    pub fn home(&mut self) {
        let indent = self.lines[self.cursor.line].chars().take_while(|c| *c == ' ').count();
        let column = if self.cursor.column == indent { 0 } else { indent };
        self.go(Place { column, ..self.cursor });
    }

    /// To the end of the line.
    pub fn end(&mut self) {
        self.go(Place { column: usize::MAX, ..self.cursor });
    }

    /// Takes the last change back. Answers whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.undo.pop() else { return false };
        let now = (std::mem::replace(&mut self.lines, before.0), std::mem::replace(&mut self.cursor, before.1));
        self.redo.push(now);
        self.typing = false;
        true
    }

    /// Does what was taken back again. Answers whether there was something.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.redo.pop() else { return false };
        let now = (std::mem::replace(&mut self.lines, after.0), std::mem::replace(&mut self.cursor, after.1));
        self.undo.push(now);
        self.typing = false;
        true
    }

    /// The beginning of the name left of the cursor, a quote before it included, and the byte at which it starts.
    pub fn prefix(&self) -> (String, usize) {
        let before: Vec<char> = self.lines[self.cursor.line].chars().take(self.cursor.column).collect();
        let mut start = before.iter().rposition(|c| !(c.is_alphanumeric() || *c == '_')).map_or(0, |at| at + 1);
        // An odd number of quotes before it: the name is being quoted.
        if start > 0 && before[start - 1] == '"' && before[..start].iter().filter(|c| **c == '"').count() % 2 == 1 {
            start -= 1;
        }
        let prefix: String = before[start..].iter().collect();
        let at = self.byte() - prefix.len();
        (prefix, at)
    }
}

/// Line breaks in one form, tabs as spaces, nothing else that a terminal would obey.
fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "  ").chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing_over_lines() {
        let mut e = TextEdit::new("SELECT é\r\n\tFROM x");
        assert_eq!(e.text(), "SELECT é\n  FROM x");
        e.vertical(1);
        e.end();
        e.new_line();
        e.insert("WHERE");
        assert_eq!(e.text(), "SELECT é\n  FROM x\n  WHERE");
        e.delete_word();
        e.backspace();
        e.backspace();
        e.backspace();
        assert_eq!(e.text(), "SELECT é\n  FROM x");
        e.go(Place { line: 0, column: 99 });
        e.delete();
        assert_eq!((e.text().as_str(), e.cursor()), ("SELECT é  FROM x", Place { line: 0, column: 8 }));
        assert!(e.undo());
        assert_eq!(e.text(), "SELECT é\n  FROM x");
        assert!(e.redo() && !e.redo());
        e.replace(0, 6, "INSERT\nINTO");
        assert_eq!(e.text(), "INSERT\nINTO é  FROM x");
        assert_eq!(e.place_of(e.byte()), e.cursor());
    }

    #[test]
    fn words_typed_are_undone_as_one_and_prefixes_know_quotes() {
        let mut e = TextEdit::new("");
        for c in "abc de".chars() {
            e.insert(c.encode_utf8(&mut [0; 4]));
        }
        e.undo();
        assert_eq!(e.text(), "abc ");
        e.insert("x.\"ven");
        assert_eq!(e.prefix(), ("\"ven".to_owned(), 6));
        e.insert("dor\" = t");
        assert_eq!(e.prefix().0, "t");
        while e.undo() {}
        assert_eq!(e.text(), "");
        e.backspace();
        e.delete();
        e.delete_word();
        e.vertical(-5);
        assert_eq!(e.cursor(), Place::default());
    }
}
