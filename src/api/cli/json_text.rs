//! JSON as the CLI reads it, with its error texts: what was expected, and line, column and character.

use super::param::Param;

/// How deep lists and maps may be nested.
const DEEPEST: usize = 200;

/// Reads one JSON value; white space may surround it.
///
/// # Errors
/// The CLI's words for what is wrong and where.
pub(super) fn read(text: &str) -> Result<Param, String> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0 };
    reader.skip_space();
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.at < reader.chars.len() { Err(reader.fault("Extra data", reader.at)) } else { Ok(value) }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn fault(&self, what: &str, at: usize) -> String {
        let before = &self.chars[..at.min(self.chars.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = match before.iter().rposition(|c| *c == '\n') {
            Some(feed) => at - feed,
            None => at + 1,
        };
        format!("{what}: line {line} column {column} (char {at})")
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = word.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        if found {
            self.at += word.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Param, String> {
        if depth > DEEPEST {
            return Err(self.fault("Nested too deep", self.at));
        }
        match self.peek() {
            Some('"') => self.text().map(Param::Text),
            Some('{') => self.map(depth),
            Some('[') => self.list(depth),
            Some('n') if self.takes("null") => Ok(Param::None),
            Some('t') if self.takes("true") => Ok(Param::Bool(true)),
            Some('f') if self.takes("false") => Ok(Param::Bool(false)),
            Some('N') if self.takes("NaN") => Ok(Param::Float(f64::NAN)),
            Some('I') if self.takes("Infinity") => Ok(Param::Float(f64::INFINITY)),
            Some('-') if self.takes("-Infinity") => Ok(Param::Float(f64::NEG_INFINITY)),
            _ => self.number().ok_or_else(|| self.fault("Expecting value", self.at)),
        }
    }

    fn map(&mut self, depth: usize) -> Result<Param, String> {
        let mut entries: Vec<(String, Param)> = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(Param::Map(entries));
        }
        loop {
            if self.peek() != Some('"') {
                return Err(self.fault("Expecting property name enclosed in double quotes", self.at));
            }
            let key = self.text()?;
            self.skip_space();
            if self.peek() != Some(':') {
                return Err(self.fault("Expecting ':' delimiter", self.at));
            }
            self.at += 1;
            self.skip_space();
            let value = self.value(depth + 1)?;
            match entries.iter_mut().find(|(name, _)| *name == key) {
                Some((_, old)) => *old = value,
                None => entries.push((key, value)),
            }
            self.skip_space();
            match self.peek() {
                Some('}') => {
                    self.at += 1;
                    return Ok(Param::Map(entries));
                }
                Some(',') => self.at += 1,
                _ => return Err(self.fault("Expecting ',' delimiter", self.at)),
            }
            self.skip_space();
        }
    }

    fn list(&mut self, depth: usize) -> Result<Param, String> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(Param::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(']') => {
                    self.at += 1;
                    return Ok(Param::List(items));
                }
                Some(',') => self.at += 1,
                _ => return Err(self.fault("Expecting ',' delimiter", self.at)),
            }
            self.skip_space();
        }
    }

    fn number(&mut self) -> Option<Param> {
        let digits = |reader: &Self, from: usize| reader.chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
        let start = self.at;
        let mut end = start + usize::from(self.peek() == Some('-'));
        end += match self.chars.get(end) {
            Some('0') => 1,
            Some('1'..='9') => digits(self, end),
            _ => return None,
        };
        let whole = end;
        if self.chars.get(end) == Some(&'.') && digits(self, end + 1) > 0 {
            end += 1 + digits(self, end + 1);
        }
        if matches!(self.chars.get(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.chars.get(end + 1), Some('+' | '-')));
            let from = end + 1 + sign;
            if from <= self.chars.len() && digits(self, from) > 0 {
                end = from + digits(self, from);
            }
        }
        self.at = end;
        let text: String = self.chars[start..end].iter().collect();
        if end == whole {
            return Some(Param::Int(text.parse().unwrap_or(if text.starts_with('-') { i128::MIN } else { i128::MAX })));
        }
        text.parse().ok().map(Param::Float)
    }

    fn text(&mut self) -> Result<String, String> {
        let begin = self.at;
        let unterminated = |reader: &Self| reader.fault("Unterminated string starting at", begin);
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.peek() {
                None => return Err(unterminated(self)),
                Some('"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some('\\') => {
                    self.at += 1;
                    let Some(c) = self.peek() else { return Err(unterminated(self)) };
                    self.at += 1;
                    out.push(match c {
                        '"' | '\\' | '/' => c,
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'u' => self.escaped()?,
                        _ => return Err(self.fault("Invalid \\escape", self.at - 2)),
                    });
                }
                Some(c) if c < ' ' => return Err(self.fault("Invalid control character at", self.at)),
                Some(c) => {
                    out.push(c);
                    self.at += 1;
                }
            }
        }
    }

    /// The character of `\uXXXX`, or of a pair of them; a lone half becomes the replacement character.
    fn escaped(&mut self) -> Result<char, String> {
        let first = self.hex().ok_or_else(|| self.fault("Invalid \\uXXXX escape", self.at))?;
        if (0xd800..0xdc00).contains(&first) && self.chars.get(self.at) == Some(&'\\') && self.chars.get(self.at + 1) == Some(&'u') {
            let back = self.at;
            self.at += 2;
            if let Some(second) = self.hex().filter(|second| (0xdc00..0xe000).contains(second)) {
                return Ok(char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits: String = self.chars.get(self.at..self.at + 4)?.iter().collect();
        let value = digits.chars().all(|c| c.is_ascii_hexdigit()).then(|| u32::from_str_radix(&digits, 16).ok())??;
        self.at += 4;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values() {
        assert_eq!(
            read(" {\"a\": [1, -2.5e1, true, null, \"x\\u00e9\\ud83d\\ude00\\n\"], \"a\": {}} "),
            Ok(Param::Map(vec![("a".into(), Param::Map(vec![]))]))
        );
        assert_eq!(read("[\"\\u00e9\\ud83d\\ude00\\n\\ud83d\"]"), Ok(Param::List(vec![Param::Text("é😀\n\u{fffd}".into())])));
        assert_eq!(read("-2.5e1"), Ok(Param::Float(-25.0)));
    }

    #[test]
    fn errors() {
        for (text, wanted) in [
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            ("{a:1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            ("[{\"Data\":\"YQ==\",\"PartitionKey\":\"a\"]", "Expecting ',' delimiter: line 1 column 35 (char 34)"),
            ("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"),
            ("{\"a\":}", "Expecting value: line 1 column 6 (char 5)"),
            ("[1,\n 2,\n]", "Expecting value: line 3 column 1 (char 8)"),
            ("[1] x", "Extra data: line 1 column 5 (char 4)"),
            ("01", "Extra data: line 1 column 2 (char 1)"),
            ("[\"abc", "Unterminated string starting at: line 1 column 2 (char 1)"),
            ("\"a\nb\"", "Invalid control character at: line 1 column 3 (char 2)"),
            ("\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)"),
            ("'a'", "Expecting value: line 1 column 1 (char 0)"),
        ] {
            assert_eq!(read(text), Err(wanted.to_owned()), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn reading_is_total(text in "[\\[\\]{}:,\"\\\\u0d8a1eE.\\-+ntrue\n]{0,24}") {
            let ours = read(&text);
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
                prop_assert!(ours.is_ok(), "{:?} is {:?}", text, value);
            }
        }
    }
}
