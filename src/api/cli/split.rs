//! A command line to words, as a shell splits it.

use super::CliError;

/// Splits a line into words: white space separates, `'…'` is literal, `"…"` knows the escapes `\"`, `\\`, `` \` `` and `\$`, a backslash
/// takes the next character as it is, a backslash at the end of a line continues it, and `#` begins a comment. Variables are not expanded.
///
/// # Errors
/// A quote without its end, and what would need a shell: pipes, redirections and further commands, each with its column.
pub fn parse(line: &str) -> Result<Vec<String>, CliError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = Columns::new(line);
    while let Some((column, c)) = chars.next() {
        match c {
            ' ' | '\t' | '\r' => words.extend(word.take()),
            '\n' => {
                words.extend(word.take());
                let rest = chars.rest().trim_start();
                if !words.is_empty() && !rest.is_empty() && !rest.starts_with('#') {
                    return Err(refused(format_args!("one command at a time: column {column} ends this one (end the line with \\ to continue it)")));
                }
            }
            '#' if word.is_none() => {
                while chars.peek().is_some_and(|c| c != '\n') {
                    chars.next();
                }
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some((_, '\'')) => break,
                        Some((_, c)) => word.push(c),
                        None => return Err(refused(format_args!("the quote ' at column {column} is not closed"))),
                    }
                }
            }
            '"' => double_quoted(&mut chars, column, word.get_or_insert_default())?,
            '\\' => match chars.next() {
                Some((_, '\n')) => {}
                Some((_, '\r')) if chars.peek() == Some('\n') => {
                    chars.next();
                }
                Some((_, c)) => word.get_or_insert_default().push(c),
                None => word.get_or_insert_default().push('\\'),
            },
            '|' | ';' | '&' | '<' | '>' => {
                return Err(refused(format_args!(
                    "{c} at column {column} needs a shell, which is not here; quote the word if it is part of a value"
                )));
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn double_quoted(chars: &mut Columns<'_>, column: usize, word: &mut String) -> Result<(), CliError> {
    loop {
        match chars.next() {
            Some((_, '"')) => return Ok(()),
            Some((_, '\\')) => match chars.next() {
                Some((_, '\n')) => {}
                Some((_, c @ ('"' | '\\' | '`' | '$'))) => word.push(c),
                Some((_, c)) => word.extend(['\\', c]),
                None => break,
            },
            Some((_, c)) => word.push(c),
            None => break,
        }
    }
    Err(refused(format_args!("the quote \" at column {column} is not closed")))
}

fn refused(reason: std::fmt::Arguments<'_>) -> CliError {
    CliError::refused(&format!("Cannot read the command line: {reason}"))
}

/// Characters with their columns, counted from 1 through the whole text.
struct Columns<'a> {
    rest: std::str::Chars<'a>,
    column: usize,
}

impl<'a> Columns<'a> {
    fn new(line: &'a str) -> Self {
        Self { rest: line.chars(), column: 0 }
    }
    fn next(&mut self) -> Option<(usize, char)> {
        let c = self.rest.next()?;
        self.column += 1;
        Some((self.column, c))
    }
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }
    fn rest(&self) -> &'a str {
        self.rest.as_str()
    }
}

/// A word as it has to be written so that [`parse`] reads it back.
pub(super) fn quote(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("  aws   kinesis\tlist-streams \n", &["aws", "kinesis", "list-streams"]),
            (r#"a 'b c' "d e" f\ g"#, &["a", "b c", "d e", "f g"]),
            (r#"--data='{"a":"b"}' x"y"'z'"#, &[r#"--data={"a":"b"}"#, "xyz"]),
            (r#""a\"b\\c\$d\n""#, &[r#"a"b\c$d\n"#]),
            ("aws kinesis \\\n  list-streams \\\r\n --limit 5", &["aws", "kinesis", "list-streams", "--limit", "5"]),
            ("'' \"\"", &["", ""]),
            ("aws list # the rest | is a comment\n", &["aws", "list"]),
            ("# a comment\naws x\n\n", &["aws", "x"]),
            ("a#b", &["a#b"]),
            ("it\\'s", &["it's"]),
        ];
        for (line, words) in table {
            assert_eq!(parse(line).as_deref(), Ok(*words).map(|w| w.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()).as_deref(), "{line}");
        }
    }

    #[test]
    fn errors_name_the_column() {
        for (line, part) in [
            ("aws 'abc", "the quote ' at column 5 is not closed"),
            ("aws \"a\\\"", "the quote \" at column 5 is not closed"),
            ("aws x | jq .", "| at column 7 needs a shell"),
            ("aws x > f", "> at column 7 needs a shell"),
            ("aws x\naws y", "one command at a time: column 6"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.text.contains(part), "{line}: {}", error.text);
            assert_eq!(error.exit_code, 252);
        }
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(words in prop::collection::vec(any::<String>(), 0..5)) {
            let line = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(parse(&line).expect("readable"), words);
        }

        #[test]
        fn splitting_is_total(line in "[a '\"\\\\\n#|é]{0,20}") {
            let _ = parse(&line);
        }
    }
}
