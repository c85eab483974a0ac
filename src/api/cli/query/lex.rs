//! A query to tokens.

use serde_json::Value;

use super::super::json_text;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Eof,
    UnquotedIdentifier,
    QuotedIdentifier,
    Literal,
    Number,
    Dot,
    Star,
    RBracket,
    Comma,
    Colon,
    Current,
    LParen,
    RParen,
    LBrace,
    RBrace,
    Flatten,
    Filter,
    LBracket,
    Or,
    Pipe,
    And,
    Expref,
    Lte,
    Lt,
    Gte,
    Gt,
    Ne,
    Not,
    Eq,
}

impl Kind {
    /// The name of the kind in error texts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Eof => "eof",
            Self::UnquotedIdentifier => "unquoted_identifier",
            Self::QuotedIdentifier => "quoted_identifier",
            Self::Literal => "literal",
            Self::Number => "number",
            Self::Dot => "dot",
            Self::Star => "star",
            Self::RBracket => "rbracket",
            Self::Comma => "comma",
            Self::Colon => "colon",
            Self::Current => "current",
            Self::LParen => "lparen",
            Self::RParen => "rparen",
            Self::LBrace => "lbrace",
            Self::RBrace => "rbrace",
            Self::Flatten => "flatten",
            Self::Filter => "filter",
            Self::LBracket => "lbracket",
            Self::Or => "or",
            Self::Pipe => "pipe",
            Self::And => "and",
            Self::Expref => "expref",
            Self::Lte => "lte",
            Self::Lt => "lt",
            Self::Gte => "gte",
            Self::Gt => "gt",
            Self::Ne => "ne",
            Self::Not => "not",
            Self::Eq => "eq",
        }
    }
}

/// A token with its place in characters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Text of an identifier, number or sign; the value of a literal.
    pub(super) value: Value,
    pub(super) start: usize,
}

impl Token {
    /// The value in error texts.
    pub(super) fn shown(&self) -> String {
        super::eval::to_param(&self.value).shown()
    }

    /// The text of an identifier.
    pub(super) fn text(&self) -> String {
        self.value.as_str().unwrap_or_default().to_owned()
    }
}

/// The tokens of a query, the last is [`Kind::Eof`].
///
/// # Errors
/// What cannot be read and where.
pub(super) fn tokens(expression: &str) -> Result<Vec<Token>, String> {
    if expression.is_empty() {
        return Err("Invalid JMESPath expression: cannot be empty.".into());
    }
    let chars: Vec<char> = expression.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let start = at;
        let next = chars.get(at + 1).copied();
        let sign = |kind, length: usize| (Token { kind, value: Value::String(chars[start..start + length].iter().collect()), start }, start + length);
        let (token, end) = match c {
            ' ' | '\t' | '\n' | '\r' => {
                at += 1;
                continue;
            }
            '.' => sign(Kind::Dot, 1),
            '*' => sign(Kind::Star, 1),
            ']' => sign(Kind::RBracket, 1),
            ',' => sign(Kind::Comma, 1),
            ':' => sign(Kind::Colon, 1),
            '@' => sign(Kind::Current, 1),
            '(' => sign(Kind::LParen, 1),
            ')' => sign(Kind::RParen, 1),
            '{' => sign(Kind::LBrace, 1),
            '}' => sign(Kind::RBrace, 1),
            '[' if next == Some(']') => sign(Kind::Flatten, 2),
            '[' if next == Some('?') => sign(Kind::Filter, 2),
            '[' => sign(Kind::LBracket, 1),
            '|' if next == Some('|') => sign(Kind::Or, 2),
            '|' => sign(Kind::Pipe, 1),
            '&' if next == Some('&') => sign(Kind::And, 2),
            '&' => sign(Kind::Expref, 1),
            '<' if next == Some('=') => sign(Kind::Lte, 2),
            '<' => sign(Kind::Lt, 1),
            '>' if next == Some('=') => sign(Kind::Gte, 2),
            '>' => sign(Kind::Gt, 1),
            '!' if next == Some('=') => sign(Kind::Ne, 2),
            '!' => sign(Kind::Not, 1),
            '=' if next == Some('=') => sign(Kind::Eq, 2),
            '=' => return Err(bad("Unknown token '='", expression, start)),
            '0'..='9' | '-' => {
                let digits = chars[start + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
                if c == '-' && digits == 0 {
                    return Err(bad("Unknown token '-'", expression, start));
                }
                let text: String = chars[start..=start + digits].iter().collect();
                let number = text.parse::<i64>().unwrap_or(if c == '-' { i64::MIN } else { i64::MAX });
                (Token { kind: Kind::Number, value: number.into(), start }, start + digits + 1)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = chars[start..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
                sign(Kind::UnquotedIdentifier, length)
            }
            '\'' => {
                let (text, end) = until(&chars, start, '\'').ok_or_else(|| bad("Unclosed ' delimiter", expression, start))?;
                (Token { kind: Kind::Literal, value: Value::String(text.replace("\\'", "'")), start }, end)
            }
            '`' => {
                let (text, end) = until(&chars, start, '`').ok_or_else(|| bad("Unclosed ` delimiter", expression, start))?;
                let text = text.replace("\\`", "`");
                // Text that is no JSON stands for itself, an old habit of the language.
                let value = json_text::read(&text)
                    .or_else(|_| json_text::read(&format!("\"{}\"", text.trim_start())))
                    .map_err(|_| bad(&format!("Bad token {text}"), expression, start))?;
                (Token { kind: Kind::Literal, value: super::eval::from_param(value), start }, end)
            }
            '"' => {
                let (text, end) = until(&chars, start, '"').ok_or_else(|| bad("Unclosed \" delimiter", expression, start))?;
                let value =
                    json_text::read(&format!("\"{text}\"")).map_err(|fault| bad(fault.split(':').next().unwrap_or_default(), expression, start))?;
                (Token { kind: Kind::QuotedIdentifier, value: super::eval::from_param(value), start }, end)
            }
            c => return Err(bad(&format!("Unknown token {c}"), expression, start)),
        };
        tokens.push(token);
        at = end;
    }
    tokens.push(Token { kind: Kind::Eof, value: Value::String(String::new()), start: chars.len() });
    Ok(tokens)
}

/// The characters up to the delimiter, escapes kept, and the place behind it.
fn until(chars: &[char], open: usize, delimiter: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut at = open + 1;
    loop {
        let c = *chars.get(at)?;
        if c == delimiter {
            return Some((text, at + 1));
        }
        text.push(c);
        at += 1;
        if c == '\\' {
            text.push(*chars.get(at)?);
            at += 1;
        }
    }
}

fn bad(message: &str, expression: &str, at: usize) -> String {
    format!("Bad jmespath expression: {message}:\n{expression}\n{}^", " ".repeat(at))
}
