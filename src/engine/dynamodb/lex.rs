//! Expressions to tokens, and a reader of tokens with the service's texts.

use crate::api::ServiceError;

use super::names::Names;
use super::path::{Path, Step};
use super::value::Attribute;

/// Bytes of an expression.
const SIZE_MAX: usize = 4096;
/// Nested parts of an expression.
const DEPTH_MAX: usize = 100;

/// Words that no attribute's name in an expression may be, in capitals, sorted.
static RESERVED: &str = include_str!("reserved.txt");

/// Which expression is read, for texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// `ConditionExpression`.
    Condition,
    /// `FilterExpression`.
    Filter,
    /// `KeyConditionExpression`.
    KeyCondition,
    /// `ProjectionExpression`.
    Projection,
    /// `UpdateExpression`.
    Update,
}

impl Which {
    /// The member of the request.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        }
    }
}

/// A piece of an expression: words, names with `#`, values with `:`, numbers, signs.
#[derive(Debug, Clone, Copy)]
struct Token {
    from: usize,
    to: usize,
}

/// Reads the tokens of an expression.
pub struct Reader<'t, 'n> {
    which: Which,
    text: &'t str,
    names: &'n Names<'n>,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl<'t, 'n> Reader<'t, 'n> {
    /// A reader at the beginning of an expression.
    ///
    /// # Errors
    /// An expression that is empty, too large or has characters that begin no token.
    pub fn new(which: Which, text: &'t str, names: &'n Names<'n>) -> Result<Self, ServiceError> {
        let mut reader = Self { which, text, names, tokens: Vec::new(), at: 0, depth: 0 };
        if text.trim().is_empty() {
            return Err(reader.refusal("The expression can not be empty;"));
        }
        if text.len() > SIZE_MAX {
            let told = format!("Expression size has exceeded the maximum allowed size; expression size: {}", text.len());
            return Err(reader.refusal(&told));
        }
        let bytes = text.as_bytes();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        let mut from = 0;
        while from < bytes.len() {
            let first = bytes[from];
            let mut to = from + 1;
            if first.is_ascii_whitespace() {
                from = to;
                continue;
            }
            if word(first) || first == b'#' || first == b':' {
                while to < bytes.len() && word(bytes[to]) {
                    to += 1;
                }
            } else if matches!(text.get(from..from + 2), Some("<=" | ">=" | "<>")) {
                to += 1;
            }
            reader.tokens.push(Token { from, to });
            if !word(first) && !b"#:.,()[]=<>+-".contains(&first) || (matches!(first, b'#' | b':') && to == from + 1) {
                reader.at = reader.tokens.len() - 1;
                return Err(reader.unexpected());
            }
            from = to;
        }
        Ok(reader)
    }

    /// A refusal of this expression.
    pub fn refusal(&self, text: &str) -> ServiceError {
        ServiceError::validation(format!("Invalid {}: {text}", self.which.member()))
    }

    /// The refusal of the present token.
    pub fn unexpected(&self) -> ServiceError {
        let token = self.peek().unwrap_or("<EOF>");
        let from = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |token| token.from);
        let to = self.tokens.get(self.at + 1).or(self.tokens.last()).map_or(self.text.len(), |token| token.to);
        let near = self.text.get(from..to.max(from)).unwrap_or_default();
        self.refusal(&format!("Syntax error; token: \"{token}\", near: \"{near}\""))
    }

    /// The present token.
    pub fn peek(&self) -> Option<&'t str> {
        self.tokens.get(self.at).map(|token| &self.text[token.from..token.to])
    }

    /// The token behind it.
    pub fn second(&self) -> Option<&'t str> {
        self.tokens.get(self.at + 1).map(|token| &self.text[token.from..token.to])
    }

    /// Whether the present token is this word or sign, in any case.
    pub fn is(&self, wanted: &str) -> bool {
        self.peek().is_some_and(|token| token.eq_ignore_ascii_case(wanted))
    }

    /// Takes the present token.
    pub fn next(&mut self) -> Option<&'t str> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Takes the present token if it is this one.
    pub fn take(&mut self, wanted: &str) -> bool {
        let is = self.is(wanted);
        self.at += usize::from(is);
        is
    }

    /// Takes this token.
    ///
    /// # Errors
    /// Another one is there.
    pub fn expect(&mut self, wanted: &str) -> Result<(), ServiceError> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Nothing follows.
    ///
    /// # Errors
    /// Something does.
    pub fn end(&self) -> Result<(), ServiceError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Where it is, and back there.
    pub fn mark(&self) -> usize {
        self.at
    }
    /// Goes back to a mark.
    pub fn back(&mut self, mark: usize) {
        self.at = mark;
    }

    /// Reads something nested.
    ///
    /// # Errors
    /// Nested too deep, or what reading says.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, ServiceError>) -> Result<T, ServiceError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.refusal(&format!("The expression contains too many nested parts; limit: {DEPTH_MAX}")));
        }
        let done = read(self);
        self.depth -= 1;
        done
    }

    /// The value that a token with `:` stands for.
    ///
    /// # Errors
    /// No such token, or no such value.
    pub fn value(&mut self) -> Result<Attribute, ServiceError> {
        let Some(key) = self.peek().filter(|token| token.starts_with(':')) else { return Err(self.unexpected()) };
        self.at += 1;
        let names = self.names;
        names
            .value(key)
            .ok_or_else(|| self.refusal(&format!("An expression attribute value used in expression is not defined; attribute value: {key}")))
    }

    /// A document path.
    ///
    /// # Errors
    /// No path, a reserved word, a name that is not defined.
    pub fn path(&mut self) -> Result<Path, ServiceError> {
        let mut steps = vec![Step::Name(self.name()?)];
        loop {
            if self.take(".") {
                steps.push(Step::Name(self.name()?));
            } else if self.is("[") {
                self.at += 1;
                let Some(index) = self.peek().filter(|token| token.bytes().all(|byte| byte.is_ascii_digit())) else {
                    return Err(self.unexpected());
                };
                let told = format!("List index is not within the allowable range; index: [{index}]");
                let index = index.parse::<usize>().ok().filter(|index| *index < 1 << 31).ok_or_else(|| self.refusal(&told))?;
                self.at += 1;
                steps.push(Step::Index(index));
                self.expect("]")?;
            } else {
                return Ok(Path(steps));
            }
        }
    }

    fn name(&mut self) -> Result<String, ServiceError> {
        let Some(token) = self.peek() else { return Err(self.unexpected()) };
        let first = token.chars().next().unwrap_or(' ');
        if first == '#' {
            self.at += 1;
            let names = self.names;
            return names.name(token).map(str::to_owned).ok_or_else(|| {
                self.refusal(&format!("An expression attribute name used in the document path is not defined; attribute name: {token}"))
            });
        }
        if !first.is_alphabetic() {
            return Err(self.unexpected());
        }
        if is_reserved(token) {
            return Err(self.refusal(&format!("Attribute name is a reserved keyword; reserved keyword: {token}")));
        }
        self.at += 1;
        Ok(token.to_owned())
    }
}

fn is_reserved(word: &str) -> bool {
    let word = word.to_ascii_uppercase();
    RESERVED.split_ascii_whitespace().any(|reserved| reserved == word)
}

/// The paths of a projection.
///
/// # Errors
/// What is wrong with it.
pub fn projection(text: &str, names: &Names<'_>) -> Result<Vec<Path>, ServiceError> {
    let mut reader = Reader::new(Which::Projection, text, names)?;
    let mut paths = vec![reader.path()?];
    while reader.take(",") {
        paths.push(reader.path()?);
    }
    reader.end()?;
    distinct(&reader, &paths)?;
    Ok(paths)
}

/// Paths that neither overlap nor conflict.
///
/// # Errors
/// Two that do.
pub fn distinct(reader: &Reader<'_, '_>, paths: &[Path]) -> Result<(), ServiceError> {
    for (at, path) in paths.iter().enumerate() {
        for before in &paths[..at] {
            let what = match (before.overlaps(path), before.conflicts(path)) {
                (true, _) => "overlap",
                (_, true) => "conflict",
                _ => continue,
            };
            return Err(reader.refusal(&format!(
                "Two document paths {what} with each other; must remove or rewrite one of these paths; path one: {before}, path two: {path}"
            )));
        }
    }
    Ok(())
}
