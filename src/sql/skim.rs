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
    /// The names below have nothing that JSON would escape.
    plain: bool,
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
                    let plain = !name.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
                    node.plain = plain && (node.plain || node.below.is_empty());
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

static NO_MEMBERS: Members = Members { columns: Vec::new(), below: Vec::new(), plain: false };

/// A string without escapes, between its quotes, or a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) number: bool,
}

struct Skimmer<'a> {
    bytes: &'a [u8],
    at: usize,
    found: &'a mut [Found],
    /// All leaves, when they are asked for.
    leaves: Option<&'a mut Vec<Leaf>>,
}

/// Notes where the wanted members of a document lie. `None` when the document is not one JSON object, or not certainly so.
pub(super) fn skim(text: &str, members: &Members, found: &mut [Found]) -> Option<()> {
    skimmed(text, members, found, None)
}

/// The same, and all strings and numbers of the document in their order.
pub(super) fn skim_all(text: &str, members: &Members, found: &mut [Found], leaves: &mut Vec<Leaf>) -> Option<()> {
    leaves.clear();
    skimmed(text, members, found, Some(leaves))
}

fn skimmed(text: &str, members: &Members, found: &mut [Found], leaves: Option<&mut Vec<Leaf>>) -> Option<()> {
    let mut skimmer = Skimmer { bytes: text.as_bytes(), at: 0, found, leaves };
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
                if !escaped && let Some(leaves) = &mut self.leaves {
                    leaves.push(Leaf { from: start + 1, to: self.at - 1, number: false });
                }
                self.note(members, found);
                return Some(());
            }
            b'{' => self.object(members, depth)?,
            b'[' => self.array(depth)?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => {
                self.at = number(self.bytes, start)?;
                if let Some(leaves) = &mut self.leaves {
                    leaves.push(Leaf { from: start, to: self.at, number: true });
                }
            }
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
            if self.peek()? != b'"' {
                return None;
            }
            // Members mostly come in the order of the columns.
            let next = members.below.get(expected).filter(|_| members.plain);
            let index = if next.is_some_and(|(name, _)| self.name(name).is_some()) {
                Some(expected)
            } else {
                let start = self.at;
                if self.string()? {
                    return None;
                }
                let name = &self.bytes[start + 1..self.at - 1];
                members.below.iter().position(|(known, _)| known.as_bytes() == name)
            };
            self.blanks();
            self.take(b':')?;
            self.blanks();
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

    /// Passes over a string; says whether it has escapes.
    #[inline]
    fn string(&mut self) -> Option<bool> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at = plain_end(self.bytes, self.at);
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

    /// Passes over a name that is expected.
    fn name(&mut self, name: &str) -> Option<()> {
        let rest = self.bytes.get(self.at + 1..)?;
        let behind = rest.strip_prefix(name.as_bytes())?;
        (behind.first() == Some(&b'"')).then(|| self.at += name.len() + 2)
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

/// Where a number that begins at a place ends.
pub(super) fn number(bytes: &[u8], from: usize) -> Option<usize> {
    let digits = |from: usize| {
        let count = bytes.get(from..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let start = from + usize::from(bytes.get(from) == Some(&b'-'));
    let mut at = if bytes.get(start) == Some(&b'0') { start + 1 } else { digits(start)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    let simple = !matches!(bytes.get(at), Some(b'e' | b'E' | b'0'..=b'9'));
    (simple && at - from <= NUMBER_MAX).then_some(at)
}

/// Where the first quote, backslash or control character is, or the end.
#[inline]
pub(super) fn plain_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    // Most strings are short: a word of eight bytes or two.
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let marks = special(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// Marks the quotes, backslashes and control characters among eight bytes; the lowest mark is exact.
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let zero = |x: u64| x.wrapping_sub(ONES) & !x & TOPS;
    let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
    // A borrow can only set marks above the lowest one.
    zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) | control
}
