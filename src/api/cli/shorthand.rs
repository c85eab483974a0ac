//! The shorthand syntax of structures, maps and lists of structures: `Key=value,Other=[a,b],Third={x=y}`.
//!
//! A key may be followed by `@=` instead of `=`: then a value of the form `file://…` or `fileb://…` is read from that file.

use super::files::{FileSource, load};
use super::param::Param;

/// How deep lists and maps may be nested.
const DEEPEST: usize = 100;

/// Reads one shorthand expression to a map.
///
/// # Errors
/// The CLI's words for what was expected, with a caret under the place.
pub(super) fn read(text: &str, files: &mut dyn FileSource) -> Result<Param, String> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, from_file: false, files };
    reader.parameter().map_err(|fault| match fault {
        Fault::Syntax { expected, received, at } => {
            format!("Expected: '{expected}', received: '{received}' for input:\n{}", location(&reader.chars, at))
        }
        Fault::Other(text) => text,
    })
}

enum Fault {
    Syntax { expected: &'static str, received: String, at: usize },
    Other(String),
}

/// The input with a line below the faulty one that has a caret under the fault.
fn location(chars: &[char], at: usize) -> String {
    let at = at.min(chars.len());
    let text = |part: &[char]| part.iter().collect::<String>();
    let spaces = chars[..at].iter().rposition(|c| *c == '\n').map_or(at, |feed| at - feed - 1);
    let end = chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |feed| at + feed);
    format!("{}\n{}^{}", text(&chars[..end]), " ".repeat(spaces), text(&chars[end..]))
}

struct Reader<'a> {
    chars: Vec<char>,
    at: usize,
    from_file: bool,
    files: &'a mut dyn FileSource,
}

impl Reader<'_> {
    fn current(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.current(), Some(' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, wanted: char, name: &'static str, space: bool) -> Result<(), Fault> {
        if space {
            self.skip_space();
        }
        if self.current() != Some(wanted) {
            let received = self.current().map_or_else(|| "EOF".to_owned(), String::from);
            return Err(Fault::Syntax { expected: name, received, at: self.at });
        }
        self.at += 1;
        if space {
            self.skip_space();
        }
        Ok(())
    }

    fn parameter(&mut self) -> Result<Param, Fault> {
        let mut entries: Vec<(String, Param)> = vec![self.entry()?];
        let mut last = self.at;
        while self.at < self.chars.len() {
            self.expect(',', ",", true)?;
            let (key, value) = self.entry()?;
            if entries.iter().any(|(name, _)| *name == key) {
                let place = location(&self.chars, last + 1);
                return Err(Fault::Other(format!(
                    "Second instance of key \"{key}\" encountered for input:\n{place}\nThis is often because there is a preceding \",\" instead of a space."
                )));
            }
            entries.push((key, value));
            last = self.at;
        }
        Ok(Param::Map(entries))
    }

    fn entry(&mut self) -> Result<(String, Param), Fault> {
        let key = self.key()?;
        let value = match self.current() {
            None => Param::Text(String::new()),
            Some('[') => self.list(0)?,
            Some('{') => self.map(0)?,
            Some(_) => self.comma_separated()?,
        };
        Ok((key, value))
    }

    /// A key with the `=` or `@=` behind it.
    fn key(&mut self) -> Result<String, Fault> {
        let start = self.at;
        while self.current().is_some_and(|c| c.is_ascii_alphanumeric() || "-_.#/:".contains(c)) {
            self.at += 1;
        }
        let key = self.chars[start..self.at].iter().collect();
        self.from_file = self.expect('@', "@", true).is_ok();
        self.expect('=', "=", true)?;
        Ok(key)
    }

    fn comma_separated(&mut self) -> Result<Param, Fault> {
        let first = self.first_value()?;
        self.skip_space();
        if self.current() != Some(',') {
            return Ok(first);
        }
        self.expect(',', ",", true)?;
        let mut items = vec![first];
        loop {
            match self.further_value() {
                Ok((item, end)) => {
                    items.push(item);
                    if end {
                        break;
                    }
                }
                Err(Fault::Syntax { .. }) if self.at < self.chars.len() => {
                    // What follows the last comma is the next key.
                    while self.at > 0 && self.chars[self.at] != ',' {
                        self.at -= 1;
                    }
                    break;
                }
                Err(fault) => return Err(fault),
            }
        }
        if items.len() == 1 { Ok(items.remove(0)) } else { Ok(Param::List(items)) }
    }

    /// A value behind a comma, and whether the input ends behind it.
    fn further_value(&mut self) -> Result<(Param, bool), Fault> {
        let item = match self.current() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote)?,
            _ => match self.bare(is_further) {
                Some(text) => self.finish(text)?,
                None => return Err(Fault::Syntax { expected: "<second>", received: "<none>".into(), at: self.at }),
            },
        };
        self.skip_space();
        if self.at >= self.chars.len() {
            return Ok((item, true));
        }
        self.expect(',', ",", true)?;
        Ok((item, false))
    }

    fn nested(&mut self, depth: usize) -> Result<Param, Fault> {
        match self.current() {
            Some('[') => self.list(depth + 1),
            Some('{') => self.map(depth + 1),
            _ => self.first_value(),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Param, Fault> {
        descend(depth)?;
        self.expect('[', "[", true)?;
        let mut items = Vec::new();
        while self.current() != Some(']') {
            items.push(self.nested(depth)?);
            self.separator(']')?;
        }
        self.expect(']', "]", false)?;
        Ok(Param::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Param, Fault> {
        descend(depth)?;
        self.expect('{', "{", true)?;
        let mut entries: Vec<(String, Param)> = Vec::new();
        while self.current() != Some('}') {
            let key = self.key()?;
            let value = self.nested(depth)?;
            self.separator('}')?;
            match entries.iter_mut().find(|(name, _)| *name == key) {
                Some((_, old)) => *old = value,
                None => entries.push((key, value)),
            }
        }
        self.expect('}', "}", false)?;
        Ok(Param::Map(entries))
    }

    fn separator(&mut self, end: char) -> Result<(), Fault> {
        self.skip_space();
        if self.current() != Some(end) {
            self.expect(',', ",", false)?;
            self.skip_space();
        }
        Ok(())
    }

    fn first_value(&mut self) -> Result<Param, Fault> {
        match self.current() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            _ => match self.bare(is_following) {
                Some(text) => self.finish(text),
                None => Ok(Param::Text(String::new())),
            },
        }
    }

    /// The longest bare value whose further characters satisfy `follows`; `\,` stands for a comma everywhere.
    fn bare(&mut self, follows: fn(char) -> bool) -> Option<String> {
        let mut text = String::new();
        while let Some(c) = self.current() {
            if c == '\\' && self.chars.get(self.at + 1) == Some(&',') {
                text.push(',');
                self.at += 2;
            } else if if text.is_empty() { is_start(c) } else { follows(c) } {
                text.push(c);
                self.at += 1;
            } else {
                break;
            }
        }
        (!text.is_empty()).then(|| text.trim_end().to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<Param, Fault> {
        let open = self.at;
        let mut escaped = None;
        let mut close = None;
        let mut at = open + 1;
        while let Some(c) = self.chars.get(at) {
            if *c == '\\' && self.chars.get(at + 1) == Some(&quote) {
                escaped = Some(at + 1);
                at += 2;
            } else if *c == quote {
                close = Some(at);
                break;
            } else {
                at += 1;
            }
        }
        let Some(close) = close.or(escaped) else {
            let expected = if quote == '\'' { "<singled quoted>" } else { "<double quoted>" };
            return Err(Fault::Syntax { expected, received: "<none>".into(), at: open });
        };
        self.at = close + 1;
        let text: String = self.chars[open + 1..close].iter().collect();
        self.finish(text.replace(&format!("\\{quote}"), &quote.to_string()).replace("\\\\", "\\"))
    }

    fn finish(&mut self, text: String) -> Result<Param, Fault> {
        if self.from_file {
            load(&text, self.files).map(|loaded| loaded.unwrap_or(Param::Text(text))).map_err(Fault::Other)
        } else {
            Ok(Param::Text(text))
        }
    }
}

fn descend(depth: usize) -> Result<(), Fault> {
    if depth > DEEPEST { Err(Fault::Other("lists and maps are nested too deep".into())) } else { Ok(()) }
}

/// Characters a bare value may begin with.
fn is_start(c: char) -> bool {
    matches!(c, '!' | '#'..='&' | '('..='+' | '-'..='<' | '>'..='Z' | '\\'..='z' | '|'..='\u{ffff}')
}

/// Characters of a bare value behind its first, directly behind `=`.
fn is_following(c: char) -> bool {
    is_space(c) || matches!(c, '!' | '#'..='&' | '('..='+' | '-'..='\\' | '^'..='|' | '~'..='\u{ffff}')
}

/// Characters of a bare value behind its first, behind a comma.
fn is_further(c: char) -> bool {
    is_space(c) || matches!(c, '!' | '#'..='&' | '('..='+' | '-'..='<' | '>'..='\u{ffff}')
}

fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{1c}'..=' ')
}

#[cfg(test)]
mod tests {
    use super::super::files::NoFiles;
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        match read(text, &mut NoFiles) {
            Ok(value) => value.shown(),
            Err(text) => format!("! {text}"),
        }
    }

    #[test]
    fn facts_of_the_cli() {
        for (text, wanted) in [
            ("a=b,c=d", "{'a': 'b', 'c': 'd'}"),
            ("a=b, c=d", "{'a': 'b', 'c': 'd'}"),
            ("a=", "{'a': ''}"),
            ("a=b,c,d=e", "{'a': ['b', 'c'], 'd': 'e'}"),
            ("a=[x,y]", "{'a': ['x', 'y']}"),
            ("a={b=c,d=[e]}", "{'a': {'b': 'c', 'd': ['e']}}"),
            ("Data=YQ==,PartitionKey=x y ", "{'Data': 'YQ==', 'PartitionKey': 'x y'}"),
            ("Data=\"YQ==\",PartitionKey=\"a b,c=d\"", "{'Data': 'YQ==', 'PartitionKey': 'a b,c=d'}"),
            ("k='it\\'s'", "{'k': \"it's\"}"),
            ("k=a;b\\,c", "{'k': 'a;b,c'}"),
            ("k=a,'b c'", "{'k': ['a', 'b c']}"),
            ("a", "! Expected: '=', received: 'EOF' for input:\na\n ^"),
            ("", "! Expected: '=', received: 'EOF' for input:\n\n^"),
            ("ä=b", "! Expected: '=', received: 'ä' for input:\nä=b\n^"),
            ("Data==a", "! Expected: ',', received: '=' for input:\nData==a\n     ^"),
            ("Data={", "! Expected: '=', received: 'EOF' for input:\nData={\n      ^"),
            ("Data=[a", "! Expected: ',', received: 'EOF' for input:\nData=[a\n       ^"),
            ("Data='abc", "! Expected: '<singled quoted>', received: '<none>' for input:\nData='abc\n     ^"),
            ("a=\"b", "! Expected: '<double quoted>', received: '<none>' for input:\na=\"b\n  ^"),
            ("Data=YQ==\n,PartitionKey==x", "! Expected: ',', received: '=' for input:\nData=YQ==\n,PartitionKey==x\n              ^"),
            (
                "Data=YQ==,PartitionKey=a,PartitionKey=b",
                "! Second instance of key \"PartitionKey\" encountered for input:\nData=YQ==,PartitionKey=a,PartitionKey=b\n                         ^\n\
                 This is often because there is a preceding \",\" instead of a space.",
            ),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_is_total(text in "[a=,'\"\\[\\]{}@\\\\ \n😀é]{0,16}") {
            let _ = read(&text, &mut NoFiles);
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(shown(&format!("a={}", "[".repeat(100_000))).starts_with("! lists and maps"));
    }
}
