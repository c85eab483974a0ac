//! The rule language of filter functions: `keep CONDITION`, evaluated on JSON records without a tree and without code.
//!
//! A function whose code has a file that ends in `.rule` runs inside the simulation: deterministic, and fast enough for full streams. The
//! condition compares fields with constants: `type == 'trip' and pickup_longitude != 0 and not cancelled`.

use crate::engine::formats::scan::{self, Raw};

/// A compiled rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    condition: Expr,
    /// Fields that the condition names, by place.
    fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Expr {
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Compare(Operand, Op, Operand),
    /// The operand is there and not false, 0 or empty.
    Holds(Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Field(usize),
    Number(f64),
    Text(String),
    Bool(bool),
    Null,
}

/// A value while a record is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    Other,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

fn lex(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        if c.is_whitespace() {
            at += c.len_utf8();
        } else if c == '\'' || c == '"' {
            let end = text[at + 1..].find(c).ok_or_else(|| format!("a text without its closing quote at character {}", at + 1))?;
            tokens.push((start, Token::Text(text[at + 1..at + 1 + end].to_owned())));
            at += end + 2;
        } else if c.is_ascii_digit() || (c == '-' && text[at + 1..].starts_with(|c: char| c.is_ascii_digit())) {
            at = text[at + 1..].find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | 'e' | 'E')).map_or(text.len(), |end| at + 1 + end);
            tokens.push((start, Token::Number(text[start..at].parse().map_err(|_| format!("'{}' is no number", &text[start..at]))?)));
        } else if c.is_alphabetic() || c == '_' {
            at = text[at..].find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '-')).map_or(text.len(), |end| at + end);
            tokens.push((start, Token::Word(text[start..at].to_owned())));
        } else if let Some(sign) =
            ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "="].into_iter().find(|sign| text[at..].starts_with(sign))
        {
            at += sign.len();
            tokens.push((start, Token::Sign(sign)));
        } else {
            return Err(format!("unexpected '{c}' at character {}", at + 1));
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    fields: Vec<String>,
    depth: u32,
}

impl Parser {
    fn is(&self, words: &[&str]) -> bool {
        match self.tokens.get(self.at) {
            Some((_, Token::Word(word))) => words.contains(&word.as_str()),
            Some((_, Token::Sign(sign))) => words.contains(sign),
            _ => false,
        }
    }
    fn eat(&mut self, words: &[&str]) -> bool {
        let found = self.is(words);
        self.at += usize::from(found);
        found
    }
    fn place(&self) -> String {
        match self.tokens.get(self.at) {
            None => "at the end".to_owned(),
            Some((at, Token::Word(text) | Token::Text(text))) => format!("'{text}' at character {}", at + 1),
            Some((at, Token::Number(number))) => format!("{number} at character {}", at + 1),
            Some((at, Token::Sign(sign))) => format!("'{sign}' at character {}", at + 1),
        }
    }

    fn or(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("the condition is nested too deeply".to_owned());
        }
        let mut left = self.and()?;
        while self.eat(&["or", "||"]) {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.not()?;
        while self.eat(&["and", "&&"]) {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, String> {
        if self.eat(&["not", "!"]) {
            return Ok(Expr::Not(Box::new(self.not()?)));
        }
        if self.eat(&["("]) {
            let inner = self.or()?;
            if !self.eat(&[")"]) {
                return Err(format!("')' expected, found {}", self.place()));
            }
            return Ok(inner);
        }
        let left = self.operand()?;
        let op = match self.tokens.get(self.at) {
            Some((_, Token::Sign("==" | "="))) => Op::Eq,
            Some((_, Token::Sign("!="))) => Op::Ne,
            Some((_, Token::Sign("<"))) => Op::Lt,
            Some((_, Token::Sign("<="))) => Op::Le,
            Some((_, Token::Sign(">"))) => Op::Gt,
            Some((_, Token::Sign(">="))) => Op::Ge,
            _ => return Ok(Expr::Holds(left)),
        };
        self.at += 1;
        Ok(Expr::Compare(left, op, self.operand()?))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let place = self.place();
        let token = self.tokens.get(self.at).map(|(_, token)| token.clone());
        self.at += 1;
        Ok(match token {
            Some(Token::Number(number)) => Operand::Number(number),
            Some(Token::Text(text)) => Operand::Text(text),
            Some(Token::Word(word)) => match word.as_str() {
                "true" => Operand::Bool(true),
                "false" => Operand::Bool(false),
                "null" => Operand::Null,
                _ => {
                    let known = self.fields.iter().position(|field| *field == word);
                    Operand::Field(known.unwrap_or_else(|| {
                        self.fields.push(word);
                        self.fields.len() - 1
                    }))
                }
            },
            _ => return Err(format!("a field or a constant expected, found {place}")),
        })
    }
}

impl Rule {
    /// Compiles the text of a rule file: comments, then `keep CONDITION`.
    ///
    /// # Errors
    /// A sentence: what is wrong where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text: String = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
        let condition = text.trim().strip_prefix("keep").ok_or("a rule is 'keep CONDITION', for example: keep type == 'trip'")?;
        let condition = condition.trim_start().strip_prefix("if ").unwrap_or(condition);
        let mut parser = Parser { tokens: lex(condition)?, at: 0, fields: Vec::new(), depth: 0 };
        let condition = parser.or()?;
        if parser.at < parser.tokens.len() {
            return Err(format!("'and', 'or' or the end expected, found {}", parser.place()));
        }
        Ok(Self { condition, fields: parser.fields })
    }

    /// Whether a record is kept; what is no JSON object is not.
    pub fn keeps(&self, record: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(record) else { return false };
        let mut seen = [Seen::Null; 16];
        let fields = &self.fields;
        let mut many: Vec<Seen<'_>> = if fields.len() > seen.len() { vec![Seen::Null; fields.len()] } else { Vec::new() };
        let values: &mut [Seen<'_>] = if many.is_empty() { &mut seen } else { &mut many };
        let found = scan::object(text, 0, &mut |key, value| {
            if let Some(place) = fields.iter().position(|field| field == key) {
                values[place] = match value {
                    Raw::Null => Seen::Null,
                    Raw::Bool(flag) => Seen::Bool(flag),
                    Raw::Number(text) => text.parse().map_or(Seen::Other, Seen::Number),
                    Raw::Text(text) => Seen::Text(text),
                    Raw::Nested(_) => Seen::Other,
                };
            }
        });
        matches!(found, Ok(Some(_))) && holds(&self.condition, values)
    }

    /// Why a record is not kept, in words: the first part of the condition that does not hold.
    pub fn reason(&self, record: &[u8]) -> String {
        if self.keeps(record) {
            return "kept".to_owned();
        }
        if std::str::from_utf8(record).ok().is_none_or(|text| !matches!(scan::object(text, 0, &mut |_, _| ()), Ok(Some(_)))) {
            return "not a JSON object".to_owned();
        }
        let mut parts = Vec::new();
        flatten(&self.condition, &mut parts);
        for part in parts {
            let alone = Self { condition: part.clone(), fields: self.fields.clone() };
            if !alone.keeps(record) {
                return format!("{} does not hold", alone.shown(&alone.condition));
            }
        }
        "the condition does not hold".to_owned()
    }

    fn shown(&self, expr: &Expr) -> String {
        let operand = |operand: &Operand| match operand {
            Operand::Field(place) => self.fields[*place].clone(),
            Operand::Number(number) => number.to_string(),
            Operand::Text(text) => format!("'{text}'"),
            Operand::Bool(flag) => flag.to_string(),
            Operand::Null => "null".to_owned(),
        };
        match expr {
            Expr::Or(a, b) => format!("{} or {}", self.shown(a), self.shown(b)),
            Expr::And(a, b) => format!("{} and {}", self.shown(a), self.shown(b)),
            Expr::Not(a) => format!("not {}", self.shown(a)),
            Expr::Holds(a) => operand(a),
            Expr::Compare(a, op, b) => {
                let op = match op {
                    Op::Eq => "==",
                    Op::Ne => "!=",
                    Op::Lt => "<",
                    Op::Le => "<=",
                    Op::Gt => ">",
                    Op::Ge => ">=",
                };
                format!("{} {op} {}", operand(a), operand(b))
            }
        }
    }
}

fn flatten<'e>(expr: &'e Expr, parts: &mut Vec<&'e Expr>) {
    if let Expr::And(a, b) = expr {
        flatten(a, parts);
        flatten(b, parts);
    } else {
        parts.push(expr);
    }
}

fn holds(expr: &Expr, values: &[Seen<'_>]) -> bool {
    match expr {
        Expr::Or(a, b) => holds(a, values) || holds(b, values),
        Expr::And(a, b) => holds(a, values) && holds(b, values),
        Expr::Not(a) => !holds(a, values),
        Expr::Holds(a) => match seen(a, values) {
            Seen::Null => false,
            Seen::Bool(flag) => flag,
            Seen::Number(number) => number != 0.0,
            Seen::Text(text) => !text.is_empty(),
            Seen::Other => true,
        },
        Expr::Compare(a, op, b) => {
            let (a, b) = (seen(a, values), seen(b, values));
            let order = match (a, b) {
                (Seen::Number(a), Seen::Number(b)) => a.partial_cmp(&b),
                (Seen::Text(a), Seen::Text(b)) => Some(a.cmp(b)),
                (Seen::Bool(a), Seen::Bool(b)) => Some(a.cmp(&b)),
                (Seen::Null, Seen::Null) => Some(core::cmp::Ordering::Equal),
                _ => None,
            };
            match op {
                Op::Eq => order.is_some_and(core::cmp::Ordering::is_eq),
                // As in Python and JavaScript: what has another type is not equal.
                Op::Ne => order.is_none_or(core::cmp::Ordering::is_ne),
                Op::Lt => order.is_some_and(core::cmp::Ordering::is_lt),
                Op::Le => order.is_some_and(core::cmp::Ordering::is_le),
                Op::Gt => order.is_some_and(core::cmp::Ordering::is_gt),
                Op::Ge => order.is_some_and(core::cmp::Ordering::is_ge),
            }
        }
    }
}

fn seen<'a>(operand: &'a Operand, values: &[Seen<'a>]) -> Seen<'a> {
    match operand {
        Operand::Field(place) => values[*place],
        Operand::Number(number) => Seen::Number(*number),
        Operand::Text(text) => Seen::Text(text),
        Operand::Bool(flag) => Seen::Bool(*flag),
        Operand::Null => Seen::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_judged() {
        let rule = Rule::parse("# trips with places\nkeep type == 'trip' and lon != 0 and (fare >= 2.5 or not paid)").expect("good");
        for (record, kept) in [
            (r#"{"type":"trip","lon":-73.9,"fare":3,"paid":true}"#, true),
            (r#"{"type":"trip","lon":0.0,"fare":3}"#, false),
            (r#"{"type":"watermark"}"#, false),
            (r#"{"lon":1,"type":"trip","fare":1}"#, true),
            (r#"{"lon":"1","type":"trip","fare":1,"paid":true}"#, false),
            ("junk", false),
        ] {
            assert_eq!(rule.keeps(record.as_bytes()), kept, "{record}");
        }
        assert_eq!(rule.reason(br#"{"type":"trip","lon":0.0,"fare":3}"#), "lon != 0 does not hold");
        assert_eq!(rule.reason(b"junk"), "not a JSON object");
    }

    #[test]
    fn wrong_rules_say_where() {
        for (text, words) in [
            ("drop all", "keep CONDITION"),
            ("keep a == ", "a field or a constant expected, found at the end"),
            ("keep (a", "')' expected"),
            ("keep a b", "found 'b' at character"),
            ("keep a == 'x", "closing quote"),
        ] {
            assert!(Rule::parse(text).expect_err(text).contains(words), "{text}: {:?}", Rule::parse(text));
        }
    }
}
