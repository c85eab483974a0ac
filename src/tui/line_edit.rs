//! A one-line text field with history. Columns are characters, not bytes; control characters cannot get in.

/// The field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineEdit {
    text: Vec<char>,
    cursor: usize,
    /// Position in the history, counted from its end; 0 = the line being typed.
    recall: usize,
    draft: String,
}

impl LineEdit {
    /// A field that holds `text` with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut edit = Self::default();
        edit.set(text);
        edit
    }

    /// Replaces the text; the cursor goes to its end.
    pub fn set(&mut self, text: &str) {
        self.text = text.chars().filter(|c| !c.is_control()).collect();
        self.cursor = self.text.len();
    }

    /// The text.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// The text left of the cursor.
    pub fn before_cursor(&self) -> String {
        self.text[..self.cursor].iter().collect()
    }

    /// Nothing typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Types a text at the cursor; line breaks become spaces.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars() {
            let c = if c == '\n' || c == '\t' { ' ' } else { c };
            if !c.is_control() {
                self.text.insert(self.cursor, c);
                self.cursor += 1;
            }
        }
        self.recall = 0;
    }

    /// Deletes left of the cursor.
    pub fn backspace(&mut self) {
        if self.cursor > 0 {
            self.cursor -= 1;
            self.text.remove(self.cursor);
        }
    }

    /// Deletes at the cursor.
    pub fn delete(&mut self) {
        if self.cursor < self.text.len() {
            self.text.remove(self.cursor);
        }
    }

    /// Deletes the word left of the cursor.
    pub fn delete_word(&mut self) {
        while self.cursor > 0 && self.text[self.cursor - 1] == ' ' {
            self.backspace();
        }
        while self.cursor > 0 && self.text[self.cursor - 1] != ' ' {
            self.backspace();
        }
    }

    /// Deletes everything left of the cursor.
    pub fn delete_to_start(&mut self) {
        self.text.drain(..self.cursor);
        self.cursor = 0;
    }

    /// Moves the cursor by characters.
    pub fn move_by(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.text.len());
    }

    /// Moves the cursor to the start.
    pub fn home(&mut self) {
        self.cursor = 0;
    }

    /// Moves the cursor to the end.
    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }

    /// One line back in the history (oldest first in `history`). Answers whether there was one.
    pub fn older(&mut self, history: &[String]) -> bool {
        if self.recall >= history.len() {
            return false;
        }
        if self.recall == 0 {
            self.draft = self.text();
        }
        let recall = self.recall + 1;
        self.set(&history[history.len() - recall].clone());
        self.recall = recall;
        true
    }

    /// One line forward in the history, at last the line that was being typed. Answers whether it moved.
    pub fn newer(&mut self, history: &[String]) -> bool {
        if self.recall == 0 {
            return false;
        }
        let recall = self.recall - 1;
        let text = if recall == 0 { self.draft.clone() } else { history.get(history.len().wrapping_sub(recall)).cloned().unwrap_or_default() };
        self.set(&text);
        self.recall = recall;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing() {
        let mut e = LineEdit::new("split 0002");
        e.delete_word();
        assert_eq!(e.text(), "split ");
        e.insert("é\u{1b}x\n");
        assert_eq!(e.text(), "split éx ");
        e.home();
        e.delete();
        e.move_by(2);
        e.backspace();
        assert_eq!((e.text().as_str(), e.before_cursor().as_str()), ("pit éx ", "p"));
        e.move_by(100);
        e.delete();
        e.move_by(-200);
        e.backspace();
        e.end();
        e.delete_to_start();
        assert!(e.is_empty());
    }

    #[test]
    fn history_keeps_the_draft() {
        let history = ["one".to_owned(), "two".to_owned()];
        let mut e = LineEdit::new("dra");
        assert!(e.older(&history) && e.older(&history) && !e.older(&history));
        assert_eq!(e.text(), "one");
        assert!(e.newer(&history) && e.newer(&history) && !e.newer(&history));
        assert_eq!(e.text(), "dra");
        assert!(!LineEdit::default().older(&[]));
    }
}
