//! A JSON object without a tree: its members one by one, each a slice of the text.

/// A value as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number's text.
    Number(&'a str),
    /// A text between its quotes, escapes as written.
    Text(&'a str),
    /// An object or array with its brackets.
    Nested(&'a str),
}

/// What is wrong, at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Byte from the beginning.
    pub at: usize,
    /// In words.
    pub what: &'static str,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

/// Objects within objects at most.
const DEPTH: u32 = 128;

impl<'a> Scanner<'a> {
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Malformed> {
        Err(Malformed { at: self.at, what })
    }

    /// A text; the cursor stands on its first quote.
    fn string(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => match self.bytes.get(at + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                    Some(b'u') if self.bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => at += 6,
                    _ => {
                        self.at = at;
                        return self.fail("a wrong escape");
                    }
                },
                Some(0..0x20) => {
                    self.at = at;
                    return self.fail("a control character in a text");
                }
                Some(_) => at += 1,
                None => {
                    self.at = at;
                    return self.fail("a text without its closing quote");
                }
            }
        }
        self.at = at + 1;
        Ok(&self.text[start..at])
    }

    fn number(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        let digits = |this: &mut Self| {
            let from = this.at;
            while this.bytes.get(this.at).is_some_and(u8::is_ascii_digit) {
                this.at += 1;
            }
            this.at > from
        };
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let leading = self.at;
        if !digits(self) {
            return self.fail("a value expected");
        }
        if self.bytes[leading] == b'0' && self.at > leading + 1 {
            return self.fail("a number with a leading zero");
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if !digits(self) {
                return self.fail("digits expected behind the point");
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if !digits(self) {
                return self.fail("digits expected in the exponent");
            }
        }
        Ok(&self.text[start..self.at])
    }

    fn value(&mut self, depth: u32) -> Result<Raw<'a>, Malformed> {
        if depth > DEPTH {
            return self.fail("nested too deeply");
        }
        let start = self.at;
        match self.bytes.get(self.at) {
            Some(b'"') => self.string().map(Raw::Text),
            Some(b'{') => {
                self.object(depth, &mut |_, _| ())?;
                Ok(Raw::Nested(&self.text[start..self.at]))
            }
            Some(b'[') => {
                self.at += 1;
                self.space();
                if self.bytes.get(self.at) == Some(&b']') {
                    self.at += 1;
                    return Ok(Raw::Nested(&self.text[start..self.at]));
                }
                loop {
                    self.space();
                    self.value(depth + 1)?;
                    self.space();
                    match self.bytes.get(self.at) {
                        Some(b',') => self.at += 1,
                        Some(b']') => {
                            self.at += 1;
                            return Ok(Raw::Nested(&self.text[start..self.at]));
                        }
                        _ => return self.fail("',' or ']' expected"),
                    }
                }
            }
            Some(b't') if self.text[start..].starts_with("true") => {
                self.at += 4;
                Ok(Raw::Bool(true))
            }
            Some(b'f') if self.text[start..].starts_with("false") => {
                self.at += 5;
                Ok(Raw::Bool(false))
            }
            Some(b'n') if self.text[start..].starts_with("null") => {
                self.at += 4;
                Ok(Raw::Null)
            }
            _ => self.number().map(Raw::Number),
        }
    }

    fn object(&mut self, depth: u32, each: &mut dyn FnMut(&'a str, Raw<'a>)) -> Result<(), Malformed> {
        self.at += 1;
        self.space();
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            if self.bytes.get(self.at) != Some(&b'"') {
                return self.fail("a key expected");
            }
            let key = self.string()?;
            self.space();
            if self.bytes.get(self.at) != Some(&b':') {
                return self.fail("':' expected");
            }
            self.at += 1;
            self.space();
            let value = self.value(depth + 1)?;
            each(key, value);
            self.space();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fail("',' or '}' expected"),
            }
        }
    }
}

/// Reads the object that begins at `from` (white space before it is passed over), giving `each` its members in order. Returns the byte
/// behind it; `None` when only white space is left.
///
/// # Errors
/// What is no JSON object.
pub fn object<'a>(text: &'a str, from: usize, each: &mut dyn FnMut(&'a str, Raw<'a>)) -> Result<Option<usize>, Malformed> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: from };
    scanner.space();
    match scanner.bytes.get(scanner.at) {
        None => Ok(None),
        Some(b'{') => {
            scanner.object(0, each)?;
            Ok(Some(scanner.at))
        }
        Some(_) => scanner.fail("an object expected"),
    }
}

/// The whole text is one JSON value.
///
/// # Errors
/// What is wrong.
pub fn value(text: &str) -> Result<Raw<'_>, Malformed> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0 };
    scanner.space();
    let found = scanner.value(0)?;
    scanner.space();
    if scanner.at < text.len() { scanner.fail("something behind the value") } else { Ok(found) }
}

/// The items of an array in brackets. The text has been scanned before.
pub fn items(nested: &str) -> Vec<Raw<'_>> {
    let mut scanner = Scanner { text: nested, bytes: nested.as_bytes(), at: 1 };
    let mut found = Vec::new();
    loop {
        scanner.space();
        match scanner.value(0) {
            Ok(value) => found.push(value),
            Err(_) => return found,
        }
        scanner.space();
        if scanner.bytes.get(scanner.at) != Some(&b',') {
            return found;
        }
        scanner.at += 1;
    }
}

/// A text with its escapes replaced.
pub fn unescape(raw: &str) -> std::borrow::Cow<'_, str> {
    if raw.contains('\\') {
        // The escapes were checked by the scanner; a lone surrogate becomes the replacement character.
        serde_json::from_str::<String>(&format!("\"{raw}\"")).map_or_else(|_| raw.replace('\\', "\u{fffd}").into(), Into::into)
    } else {
        raw.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_and_objects_follow_one_another() {
        let text = r#" {"a":1.5e3,"b":"x\"y","c":[1,{"d":null}],"e":true}{"f":{}} "#;
        let mut seen = Vec::new();
        let next = object(text, 0, &mut |key, value| seen.push((key, value))).expect("good").expect("an object");
        assert_eq!(seen[0], ("a", Raw::Number("1.5e3")));
        assert_eq!(seen[2], ("c", Raw::Nested(r#"[1,{"d":null}]"#)));
        assert_eq!(unescape("x\\\"y"), "x\"y");
        let end = object(text, next, &mut |_, _| ()).expect("good").expect("another");
        assert_eq!(object(text, end, &mut |_, _| ()), Ok(None));
        assert_eq!(items("[1, \"a\" ,[2]]").len(), 3);
    }

    #[test]
    fn it_refuses_what_serde_json_refuses() {
        for text in [
            "{",
            "{}",
            "{\"a\":01}",
            "{\"a\":1,}",
            "{\"a\":-}",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\":\"\\x\"}",
            "{\"a\":tru}",
            "[1]",
            "{\"a\":1.}",
            "{\"a\":\"\t\"}",
        ] {
            let ours = object(text, 0, &mut |_, _| ()).is_ok_and(|end| end == Some(text.len()));
            let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok();
            assert_eq!(ours, theirs, "{text}");
        }
    }
}
