//! LIKE, SIMILAR TO and regular expressions. The engine is linear in the text: a pattern cannot run away. Java's lookaround and
//! backreferences need backtracking and are refused.

use regex::Regex;

/// Characters of a pattern at most.
const PATTERN_MAX: usize = 20_000;

/// A compiled LIKE pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like(Vec<LikePiece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum LikePiece {
    Char(char),
    One,
    Any,
}

impl Like {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// An escape before something that needs none.
    pub fn new(pattern: &str, escape: Option<char>) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            if Some(c) == escape {
                match chars.next() {
                    Some(next) if matches!(next, '_' | '%') || Some(next) == escape => pieces.push(LikePiece::Char(next)),
                    _ => return Err(format!("in '{pattern}' the escape {c} must stand before _, % or itself")),
                }
            } else {
                pieces.push(match c {
                    '_' => LikePiece::One,
                    '%' => LikePiece::Any,
                    c => LikePiece::Char(c),
                });
            }
        }
        Ok(Self(pieces))
    }

    /// The whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut p, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match self.0.get(p) {
                Some(LikePiece::Any) => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(LikePiece::One) => {
                    p += 1;
                    t += 1;
                }
                Some(LikePiece::Char(c)) if *c == text[t] => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some((at, taken)) => {
                        star = Some((at, taken + 1));
                        p = at + 1;
                        t = taken + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[p..].iter().all(|piece| *piece == LikePiece::Any)
    }
}

/// A Java regular expression.
///
/// # Errors
/// What this engine cannot do or read.
pub fn java_regex(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > PATTERN_MAX {
        return Err(format!("a pattern has at most {PATTERN_MAX} characters"));
    }
    Regex::new(pattern).map_err(|error| {
        let reason = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("'{pattern}' is no regular expression of this engine: {reason}")
    })
}

/// A pattern that must match the whole text.
///
/// # Errors
/// As [`java_regex`].
pub fn whole_regex(pattern: &str) -> Result<Regex, String> {
    java_regex(&format!("^(?:{pattern})$"))
}

/// SIMILAR TO's pattern as a regular expression without anchors.
///
/// # Errors
/// What is invalid in it.
pub fn similar_source(pattern: &str, escape: Option<char>) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let literal = |c: char| regex::escape(&c.to_string());
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some(next) => out.push_str(&literal(next)),
                None => return Err(format!("'{pattern}' ends with its escape character")),
            }
            continue;
        }
        match c {
            '_' => out.push('.'),
            '%' => out.push_str(".*"),
            '(' => out.push_str("(?:"),
            ')' | '|' | '*' | '+' | '?' => out.push(c),
            '{' => {
                let mut inside = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) if c.is_ascii_digit() || c == ',' => inside.push(c),
                        _ => return Err(format!("'{pattern}': {{ needs one or two numbers and }}")),
                    }
                }
                out.push_str(&format!("{{{inside}}}"));
            }
            '[' => {
                let mut set = String::from("[");
                let mut minus = String::new();
                let mut excluding = false;
                if chars.peek() == Some(&'^') {
                    chars.next();
                    set.push('^');
                }
                loop {
                    match chars.next() {
                        None => return Err(format!("'{pattern}': [ has no ]")),
                        Some(']') => break,
                        Some('(' | ')' | '%' | '_' | '|' | '*' | '+' | '?' | '{' | '}') => {
                            return Err(format!("'{pattern}': a special character inside [ ]"));
                        }
                        Some('^') => excluding = true,
                        Some('[') => {
                            // [[:ALPHA:]]
                            let class: String = chars.by_ref().take_while(|c| *c != ']').collect();
                            let name = class.trim_matches(':').to_lowercase();
                            (if excluding { &mut minus } else { &mut set }).push_str(&format!("[:{name}:]"));
                        }
                        Some(c) => {
                            let into = if excluding { &mut minus } else { &mut set };
                            if Some(c) == escape {
                                if let Some(next) = chars.next() {
                                    into.push_str(&literal(next));
                                }
                            } else if c == '-' {
                                into.push('-');
                            } else {
                                into.push_str(&literal(c));
                            }
                        }
                    }
                }
                if excluding {
                    set.push_str(&format!("--[{minus}]"));
                }
                set.push(']');
                out.push_str(&set);
            }
            c => out.push_str(&literal(c)),
        }
    }
    Ok(out)
}

/// SIMILAR TO's pattern, compiled.
///
/// # Errors
/// What is invalid in it.
pub fn similar(pattern: &str, escape: Option<char>) -> Result<Regex, String> {
    let source = similar_source(pattern, escape)?;
    java_regex(&format!("(?s)^(?:{source})$"))
}
