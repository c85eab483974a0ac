//! Templates of the Kinesis Data Generator: text with `{{helper(argument)}}`.

use serde_json::Value;

use super::error::GenerateError;
use super::words::{self, Helper};

/// A piece of a template.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Text as it stands.
    Text(Box<[u8]>),
    /// A helper.
    Helper(Helper),
}

/// Parses a template. Errors name line and column.
pub fn parse(text: &str) -> Result<Vec<Piece>, GenerateError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{") {
        let open = at + open;
        if open > at {
            pieces.push(Piece::Text(text.as_bytes()[at..open].into()));
        }
        let place = |offset: usize| {
            let before = &text[..offset];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
            format!("line {line}, column {column}")
        };
        let close = text[open..]
            .find("}}")
            .map(|close| close_after_json(text, open + 2).unwrap_or(open + close))
            .ok_or_else(|| GenerateError::new("template", format!("{}: '{{{{' without '}}}}'", place(open))))?;
        let inner = text[open + 2..close].trim();
        let (name, argument) = match inner.split_once('(') {
            None => (inner, None),
            Some((name, rest)) => {
                let rest =
                    rest.trim_end().strip_suffix(')').ok_or_else(|| GenerateError::new("template", format!("{}: '(' without ')'", place(open))))?;
                let rest = rest.trim();
                let argument = if rest.is_empty() {
                    None
                } else {
                    Some(
                        parse_argument(rest)
                            .map_err(|error| GenerateError::new("template", format!("{}: the argument of {name}: {error}", place(open))))?,
                    )
                };
                (name.trim(), argument)
            }
        };
        let helper =
            words::helper(name, argument.as_ref()).map_err(|error| GenerateError::new("template", format!("{}: {}", place(open), error.message)))?;
        pieces.push(Piece::Helper(helper));
        at = close + 2;
    }
    if at < text.len() {
        pieces.push(Piece::Text(text.as_bytes()[at..].into()));
    }
    Ok(pieces)
}

/// The `}}` that closes a helper may follow a `}` of its argument directly: `({"min":1})}}`.
fn close_after_json(text: &str, from: usize) -> Option<usize> {
    let rest = &text[from..];
    let open = rest.find('(')?;
    if rest[..open].contains("}}") {
        return None;
    }
    let mut in_string: Option<char> = None;
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip_while(|(at, _)| *at < open) {
        match (in_string, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(quote), c) if c == quote => in_string = None,
            (None, '"' | '\'') => in_string = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    return rest[at..].find("}}").map(|close| from + at + close);
                }
            }
            _ => {}
        }
    }
    None
}

/// JSON, or a text in single quotes.
fn parse_argument(text: &str) -> Result<Value, String> {
    if let Some(inner) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Ok(Value::String(inner.to_owned()));
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}
