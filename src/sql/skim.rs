//! Skimming JSON: one pass over a record's bytes that notes where the wanted members lie. No tree is built, nothing is copied.
//!
//! Invariant: what the skimmer finds is what a JSON tree of the same bytes holds. Where it cannot be certain of that (text that is not UTF-8,
//! escapes in names, lone surrogates, numbers with exponents, deep nesting, anything malformed) it gives up, and its caller builds the tree.

use super::decode::{Path, Step};

/// Members to note on the way through a document: the columns that want this value, and the members below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members {
    columns: Vec<usize>,
    below: Vec<(Box<str>, Members)>,
}

impl Members {
    /// The members of columns' paths; `None` when a path has a step that is no plain member.
    pub(super) fn of<'p>(paths: impl Iterator<Item = &'p Path>) -> Option<Self> {
        let mut root = Self::default();
        for (column, path) in paths.enumerate() {
            let mut node = &mut root;
            for step in path.steps() {
                let Step::Member(name) = step else { return None };
                let found = node.below.iter().position(|(known, _)| **known == **name);
                let index = found.unwrap_or_else(|| {
                    node.below.push((name.as_str().into(), Self::default()));
                    node.below.len() - 1
                });
                node = &mut node.below[index].1;
            }
            node.columns.push(column);
        }
        Some(root)
    }

    /// Nothing of this value counts any more: a later member of the same name takes its place.
    fn forget(&self, found: &mut [Found]) {
        self.columns.iter().for_each(|column| found[*column] = Found::Nothing);
        self.below.iter().for_each(|(_, below)| below.forget(found));
    }
}

/// Where a column's value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The document has no such member.
    Nothing,
    /// A string without escapes: its bytes between the quotes.
    Text(usize, usize),
    /// Any other value, as written.
    Raw(usize, usize),
}

/// Nesting up to which the skimmer goes.
const DEPTH_MAX: usize = 100;
/// Digits and point of a number; a longer one may be out of range.
const NUMBER_MAX: usize = 300;

static NO_MEMBERS: Members = Members { columns: Vec::new(), below: Vec::new() };

struct Skimmer<'a> {
    bytes: &'a [u8],
    at: usize,
    found: &'a mut [Found],
}

/// Notes where the wanted members of a document lie. `None` when the document is not one JSON object, or not certainly so.
pub(super) fn skim(text: &str, members: &Members, found: &mut [Found]) -> Option<()> {
    let mut skimmer = Skimmer { bytes: text.as_bytes(), at: 0, found };
    skimmer.blanks();
    if skimmer.peek()? != b'{' {
        return None;
    }
    skimmer.value(members, 0)?;
    skimmer.blanks();
    (skimmer.at == text.len()).then_some(())
}

impl Skimmer<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, members: &Members, depth: usize) -> Option<()> {
        let start = self.at;
        match self.peek()? {
            b'"' => {
                let escaped = self.string()?;
                let found = if escaped { Found::Raw(start, self.at) } else { Found::Text(start + 1, self.at - 1) };
                self.note(members, found);
                return Some(());
            }
            b'{' => self.object(members, depth)?,
            b'[' => self.array(depth)?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        self.note(members, Found::Raw(start, self.at));
        Some(())
    }

    fn note(&mut self, members: &Members, found: Found) {
        members.columns.iter().for_each(|column| self.found[*column] = found);
    }

    fn object(&mut self, members: &Members, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.at += 1;
        self.blanks();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        let mut expected = 0;
        loop {
            let start = self.at;
            if self.peek()? != b'"' || self.string()? {
                return None;
            }
            let name = &self.bytes[start + 1..self.at - 1];
            self.blanks();
            self.take(b':')?;
            self.blanks();
            // Members mostly come in the order of the columns.
            let known = |at: usize| members.below.get(at).is_some_and(|(known, _)| known.as_bytes() == name);
            let index = if known(expected) { Some(expected) } else { (0..members.below.len()).find(|at| known(*at)) };
            match index {
                Some(index) => {
                    expected = index + 1;
                    let below = &members.below[index].1;
                    below.forget(self.found);
                    self.value(below, depth + 1)?;
                }
                None => self.value(&NO_MEMBERS, depth + 1)?,
            }
            self.blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
            self.blanks();
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.at += 1;
        self.blanks();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(&NO_MEMBERS, depth + 1)?;
            self.blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
            self.blanks();
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let simple = !matches!(self.peek(), Some(b'e' | b'E' | b'0'..=b'9'));
        (simple && self.at - start <= NUMBER_MAX).then_some(())
    }

    /// Passes over a string; says whether it has escapes.
    fn string(&mut self) -> Option<bool> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += plain(&self.bytes[self.at..]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match *self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.bytes.get(self.at + 2..self.at + 6)?;
                let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
                // A half of a surrogate pair needs its other half.
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }
}

/// Length of what comes before the first quote, backslash or control character: eight bytes at a time.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let zero = |x: u64| x.wrapping_sub(ONES) & !x & TOPS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
        // The lowest mark of each is exact; a borrow can only set marks above it.
        let marks = zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) | control;
        if marks != 0 {
            return index * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + rest.iter().position(special).unwrap_or(rest.len())
}
