//! Cutting the bytes of a file into records: one per line with its newline, or several lines where a pattern says how one begins.

use regex::bytes::Regex;

/// Bytes that a record may reach before it is handed over without its end.
const RECORD_MAX: usize = 4 << 20;

/// Cuts as bytes come.
#[derive(Debug, Clone, Default)]
pub struct Splitter {
    start: Option<Regex>,
    /// Bytes of the record under way.
    rest: Vec<u8>,
    /// Length of the complete lines at the beginning of `rest`.
    whole: usize,
    skip_lines: usize,
}

impl Splitter {
    /// A splitter at the beginning of a file, or at `offset` behind it.
    pub fn new(start: Option<Regex>, skip_header_lines: usize, offset: u64) -> Self {
        // Headers are skipped only when reading starts at the first byte.
        Self { start, rest: Vec::new(), whole: 0, skip_lines: if offset == 0 { skip_header_lines } else { 0 } }
    }

    /// Bytes taken in that belong to no record yet.
    pub fn held(&self) -> usize {
        self.rest.len()
    }

    /// Takes bytes and gives the records that are complete.
    pub fn push(&mut self, bytes: &[u8], into: &mut Vec<Vec<u8>>) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(line);
            if self.rest.last() != Some(&b'\n') {
                if self.rest.len() >= RECORD_MAX {
                    self.cut(self.rest.len(), into);
                }
                continue;
            }
            if self.skip_lines > 0 {
                self.skip_lines -= 1;
                self.rest.truncate(self.whole);
                continue;
            }
            let begins = self.start.as_ref().is_none_or(|start| start.is_match(&self.rest[self.whole..]));
            if self.start.is_none() {
                self.cut(self.rest.len(), into);
                continue;
            }
            // The lines before this one are a record once this one begins another.
            if begins && self.whole > 0 {
                self.cut(self.whole, into);
            }
            self.whole = self.rest.len();
            if self.whole >= RECORD_MAX {
                self.cut(self.whole, into);
            }
        }
    }

    /// The file has ended for good: what is left is a record.
    pub fn finish(&mut self, into: &mut Vec<Vec<u8>>) {
        // A last line without newline may begin a record of its own.
        let begins = self.start.as_ref().is_some_and(|start| start.is_match(&self.rest[self.whole..]));
        if self.whole > 0 && begins {
            self.cut(self.whole, into);
        }
        if !self.rest.is_empty() && self.skip_lines == 0 {
            self.cut(self.rest.len(), into);
        }
        self.rest.clear();
        self.whole = 0;
    }

    fn cut(&mut self, length: usize, into: &mut Vec<Vec<u8>>) {
        let rest = self.rest.split_off(length);
        into.push(std::mem::replace(&mut self.rest, rest));
        self.whole = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(start: Option<&str>, skip: usize, text: &str, step: usize) -> Vec<String> {
        let start = start.map(|start| Regex::new(&format!("^(?:{start})")).expect("good"));
        let mut splitter = Splitter::new(start, skip, 0);
        let mut records = Vec::new();
        for chunk in text.as_bytes().chunks(step) {
            splitter.push(chunk, &mut records);
        }
        splitter.finish(&mut records);
        records.into_iter().map(|record| String::from_utf8(record).expect("UTF-8")).collect()
    }

    #[test]
    fn however_bytes_come_the_records_are_the_same() {
        let text = "# head\n1 a\n  more\n\n2 b\n3 c";
        for step in 1..text.len() {
            assert_eq!(all(None, 0, text, step), ["# head\n", "1 a\n", "  more\n", "\n", "2 b\n", "3 c"]);
            assert_eq!(all(Some(r"\d"), 1, text, step), ["1 a\n  more\n\n", "2 b\n", "3 c"], "{step}");
        }
    }

    #[test]
    fn a_line_without_end_is_handed_over_in_pieces() {
        let text = "x".repeat(RECORD_MAX + 10);
        let records = all(None, 0, &text, 1 << 16);
        assert_eq!(records.iter().map(String::len).sum::<usize>(), text.len());
        assert_eq!(records.len(), 2);
    }
}
