//! The inline queries of dynamic partitioning: the part of jq 1.6 that takes values out of a record and puts them into words.
//!
//! Paths, pipes, `//`, arithmetic, comparisons, `and` `or` `not`, `if`, strings with `\(…)` left out, and the functions listed in
//! [`FUNCTIONS`]. What is left out is refused by name when the delivery stream is made.

use serde_json::{Map, Number, Value};

use super::prefix::format_time;
use crate::engine::time::{VirtualTime, parse_iso};

/// Functions this part of jq has.
pub const FUNCTIONS: &[&str] = &[
    "tostring",
    "tonumber",
    "ascii_downcase",
    "ascii_upcase",
    "length",
    "floor",
    "ceil",
    "round",
    "not",
    "type",
    "keys",
    "first",
    "last",
    "strftime",
    "todate",
    "fromdate",
    "split",
    "join",
    "ltrimstr",
    "rtrimstr",
    "startswith",
    "endswith",
    "test",
    "has",
    "now",
];

/// A compiled expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `.`.
    Identity,
    /// A constant.
    Literal(Value),
    /// `.name`, `["name"]`, `[0]` of another expression.
    Index(Box<Expr>, Box<Expr>),
    /// `a | b`.
    Pipe(Box<Expr>, Box<Expr>),
    /// `a op b`.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `-a`.
    Negate(Box<Expr>),
    /// `name(args)`.
    Call(String, Vec<Expr>),
    /// `if a then b else c end`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `{key: value}`.
    Object(Vec<(String, Expr)>),
    /// `[a, b]`.
    Array(Vec<Expr>),
    /// `a?`.
    Try(Box<Expr>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Field(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

const SIGNS: [&str; 25] =
    ["//", "==", "!=", "<=", ">=", "|", ",", ":", "(", ")", "[", "]", "{", "}", ".", "+", "-", "*", "/", "%", "<", ">", "?", ";", "$"];

fn lex(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let name = |from: usize| text[from..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(text.len(), |end| from + end);
        if c == '"' {
            let mut end = at + 1;
            while !text[end..].starts_with('"') {
                end += match text[end..].chars().next() {
                    Some('\\') => 2,
                    Some(c) => c.len_utf8(),
                    None => return Err(format!("a text without its closing quote at character {}", start + 1)),
                };
                if end > text.len() || !text.is_char_boundary(end) {
                    return Err(format!("a text without its closing quote at character {}", start + 1));
                }
            }
            let raw = &text[at..=end];
            tokens.push((start, Token::Text(serde_json::from_str(raw).map_err(|error| format!("{raw}: {error}"))?)));
            at = end + 1;
        } else if c.is_ascii_digit() {
            at = text[at..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(text.len(), |end| at + end);
            tokens.push((start, Token::Number(text[start..at].parse().map_err(|_| format!("'{}' is no number", &text[start..at]))?)));
        } else if c == '.' && text[at + 1..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
            at = name(at + 1);
            tokens.push((start, Token::Field(text[start + 1..at].to_owned())));
        } else if c.is_alphabetic() || c == '_' {
            at = name(at);
            tokens.push((start, Token::Word(text[start..at].to_owned())));
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| text[at..].starts_with(sign)) {
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
    depth: u32,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }
    fn eat(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(known)) if *known == sign);
        self.at += usize::from(found);
        found
    }
    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(known)) if known == word);
        self.at += usize::from(found);
        found
    }
    fn place(&self) -> String {
        self.tokens.get(self.at).map_or_else(
            || "at the end".to_owned(),
            |(at, token)| match token {
                Token::Word(text) | Token::Field(text) | Token::Text(text) => format!("'{text}' at character {}", at + 1),
                Token::Number(number) => format!("{number} at character {}", at + 1),
                Token::Sign(sign) => format!("'{sign}' at character {}", at + 1),
            },
        )
    }
    fn want(&mut self, sign: &str) -> Result<(), String> {
        if self.eat(sign) { Ok(()) } else { Err(format!("'{sign}' expected, found {}", self.place())) }
    }
    fn want_word(&mut self, word: &str) -> Result<(), String> {
        if self.eat_word(word) { Ok(()) } else { Err(format!("'{word}' expected, found {}", self.place())) }
    }

    fn pipe(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("nested too deeply".to_owned());
        }
        let mut left = self.alternative()?;
        while self.eat("|") {
            left = Expr::Pipe(Box::new(left), Box::new(self.alternative()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn alternative(&mut self) -> Result<Expr, String> {
        let left = self.binary(0)?;
        if self.eat("//") {
            return Ok(Expr::Binary("//", Box::new(left), Box::new(self.alternative()?)));
        }
        Ok(left)
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        const LEVELS: [&[&str]; 5] = [&["or"], &["and"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];
        let Some(operators) = LEVELS.get(level) else { return self.postfix() };
        let mut left = self.binary(level + 1)?;
        'more: loop {
            for operator in *operators {
                let found = if operator.starts_with(char::is_alphabetic) { self.eat_word(operator) } else { self.eat(operator) };
                if found {
                    left = Expr::Binary(operator, Box::new(left), Box::new(self.binary(level + 1)?));
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn postfix(&mut self) -> Result<Expr, String> {
        let mut expr = self.primary()?;
        loop {
            if let Some(Token::Field(name)) = self.peek() {
                let index = Expr::Literal(Value::String(name.clone()));
                self.at += 1;
                expr = Expr::Index(Box::new(expr), Box::new(index));
            } else if self.eat("[") {
                let index = self.pipe()?;
                self.want("]")?;
                expr = Expr::Index(Box::new(expr), Box::new(index));
            } else if self.eat("?") {
                expr = Expr::Try(Box::new(expr));
            } else if matches!(self.peek(), Some(Token::Sign(".")))
                && matches!(self.tokens.get(self.at + 1), Some((_, Token::Sign("[") | Token::Text(_))))
            {
                self.at += 1;
                if let Some(Token::Text(name)) = self.peek() {
                    expr = Expr::Index(Box::new(expr), Box::new(Expr::Literal(Value::String(name.clone()))));
                    self.at += 1;
                }
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let place = self.place();
        let Some(token) = self.peek().cloned() else { return Err("an expression expected at the end".to_owned()) };
        self.at += 1;
        Ok(match token {
            Token::Field(name) => Expr::Index(Box::new(Expr::Identity), Box::new(Expr::Literal(Value::String(name)))),
            Token::Text(text) => Expr::Literal(Value::String(text)),
            Token::Number(number) => Expr::Literal(numeral(number)),
            Token::Sign(".") => {
                if let Some(Token::Text(name)) = self.peek() {
                    let index = Expr::Literal(Value::String(name.clone()));
                    self.at += 1;
                    Expr::Index(Box::new(Expr::Identity), Box::new(index))
                } else {
                    Expr::Identity
                }
            }
            Token::Sign("-") => Expr::Negate(Box::new(self.postfix()?)),
            Token::Sign("(") => {
                let inner = self.pipe()?;
                self.want(")")?;
                inner
            }
            Token::Sign("[") => {
                let mut items = Vec::new();
                if !self.eat("]") {
                    loop {
                        items.push(self.alternative()?);
                        if !self.eat(",") {
                            break;
                        }
                    }
                    self.want("]")?;
                }
                Expr::Array(items)
            }
            Token::Sign("{") => {
                let mut members = Vec::new();
                if !self.eat("}") {
                    loop {
                        let place = self.place();
                        let (Some(Token::Word(name) | Token::Text(name)), true) = (self.peek().cloned(), true) else {
                            return Err(format!("a key expected, found {place}"));
                        };
                        self.at += 1;
                        let value = if self.eat(":") {
                            self.pipe()?
                        } else {
                            Expr::Index(Box::new(Expr::Identity), Box::new(Expr::Literal(Value::String(name.clone()))))
                        };
                        members.push((name, value));
                        if !self.eat(",") {
                            break;
                        }
                    }
                    self.want("}")?;
                }
                Expr::Object(members)
            }
            Token::Word(word) => match word.as_str() {
                "true" => Expr::Literal(Value::Bool(true)),
                "false" => Expr::Literal(Value::Bool(false)),
                "null" => Expr::Literal(Value::Null),
                "if" => {
                    let condition = self.pipe()?;
                    self.want_word("then")?;
                    let yes = self.pipe()?;
                    let no = if self.eat_word("else") { self.pipe()? } else { Expr::Identity };
                    self.want_word("end")?;
                    Expr::If(Box::new(condition), Box::new(yes), Box::new(no))
                }
                name if FUNCTIONS.contains(&name) => {
                    let mut arguments = Vec::new();
                    if self.eat("(") {
                        loop {
                            arguments.push(self.pipe()?);
                            if !self.eat(";") {
                                break;
                            }
                        }
                        self.want(")")?;
                    }
                    Expr::Call(word, arguments)
                }
                other => return Err(format!("{other} is not defined here (there are: {})", FUNCTIONS.join(", "))),
            },
            Token::Sign(_) => return Err(format!("an expression expected, found {place}")),
        })
    }
}

fn numeral(number: f64) -> Value {
    if number == libm::trunc(number) && libm::fabs(number) < 9e15 {
        Value::from(number as i64)
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

/// Compiles an expression.
///
/// # Errors
/// What is wrong where.
pub fn compile(text: &str) -> Result<Expr, String> {
    let mut parser = Parser { tokens: lex(text)?, at: 0, depth: 0 };
    let expr = parser.pipe()?;
    if parser.at < parser.tokens.len() { Err(format!("unexpected {}", parser.place())) } else { Ok(expr) }
}

/// The keys of a `MetadataExtractionQuery`: `{name: expression, …}`.
///
/// # Errors
/// What is wrong where.
pub fn compile_keys(text: &str) -> Result<Vec<(String, Expr)>, String> {
    match compile(text)? {
        Expr::Object(members) if !members.is_empty() => Ok(members),
        _ => Err("the query is an object with a key for each partition key, like {customer_id: .customer_id}".to_owned()),
    }
}

fn truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    }
}

fn order(a: &Value, b: &Value) -> core::cmp::Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

impl Expr {
    /// The value for an input.
    ///
    /// # Errors
    /// jq's sentence.
    pub fn eval(&self, input: &Value) -> Result<Value, String> {
        Ok(match self {
            Self::Identity => input.clone(),
            Self::Literal(value) => value.clone(),
            Self::Index(of, index) => {
                let (of, index) = (of.eval(input)?, index.eval(input)?);
                match (&of, &index) {
                    (Value::Null, _) => Value::Null,
                    (Value::Object(object), Value::String(name)) => object.get(name).cloned().unwrap_or_default(),
                    (Value::Array(items), Value::Number(number)) => {
                        let at = number.as_i64().unwrap_or(0);
                        let at = if at < 0 { at + items.len() as i64 } else { at };
                        usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or_default()
                    }
                    (of, Value::String(name)) => return Err(format!("Cannot index {} with \"{name}\"", kind(of))),
                    (of, index) => return Err(format!("Cannot index {} with {}", kind(of), kind(index))),
                }
            }
            Self::Pipe(a, b) => b.eval(&a.eval(input)?)?,
            Self::Negate(of) => match of.eval(input)? {
                Value::Number(number) => numeral(-number.as_f64().unwrap_or(0.0)),
                other => return Err(format!("{} cannot be negated", kind(&other))),
            },
            Self::Try(of) => of.eval(input).unwrap_or_default(),
            Self::If(condition, yes, no) => if truthy(&condition.eval(input)?) { yes } else { no }.eval(input)?,
            Self::Object(members) => {
                let members: Result<Map<String, Value>, String> =
                    members.iter().map(|(name, expr)| expr.eval(input).map(|value| (name.clone(), value))).collect();
                Value::Object(members?)
            }
            Self::Array(items) => Value::Array(items.iter().map(|item| item.eval(input)).collect::<Result<_, _>>()?),
            Self::Binary("//", a, b) => match a.eval(input) {
                Ok(value) if truthy(&value) => value,
                _ => b.eval(input)?,
            },
            Self::Binary("and", a, b) => Value::Bool(truthy(&a.eval(input)?) && truthy(&b.eval(input)?)),
            Self::Binary("or", a, b) => Value::Bool(truthy(&a.eval(input)?) || truthy(&b.eval(input)?)),
            Self::Binary(operator, a, b) => binary(operator, &a.eval(input)?, &b.eval(input)?)?,
            Self::Call(name, arguments) => {
                let arguments: Vec<Value> = arguments.iter().map(|argument| argument.eval(input)).collect::<Result<_, _>>()?;
                call(name, input, &arguments)?
            }
        })
    }
}

fn binary(operator: &str, a: &Value, b: &Value) -> Result<Value, String> {
    use core::cmp::Ordering::{Greater, Less};
    Ok(match operator {
        "==" => Value::Bool(a == b || matches!((a, b), (Value::Number(_), Value::Number(_))) && order(a, b).is_eq()),
        "!=" => Value::Bool(!(a == b || matches!((a, b), (Value::Number(_), Value::Number(_))) && order(a, b).is_eq())),
        "<" => Value::Bool(order(a, b) == Less),
        ">" => Value::Bool(order(a, b) == Greater),
        "<=" => Value::Bool(order(a, b) != Greater),
        ">=" => Value::Bool(order(a, b) != Less),
        _ => match (operator, a, b) {
            ("+", Value::Null, other) | ("+", other, Value::Null) => other.clone(),
            ("+", Value::String(a), Value::String(b)) => Value::String(format!("{a}{b}")),
            (_, Value::Number(a), Value::Number(b)) => {
                let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
                numeral(match operator {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    "/" if b == 0.0 => return Err(format!("number ({a}) and number ({b}) cannot be divided because the divisor is zero")),
                    "/" => a / b,
                    _ if libm::trunc(b) == 0.0 => return Err("cannot be divided because the divisor is zero".to_owned()),
                    _ => libm::fmod(libm::trunc(a), libm::trunc(b)),
                })
            }
            _ => return Err(format!("{} and {} cannot be combined with {operator}", kind(a), kind(b))),
        },
    })
}

fn call(name: &str, input: &Value, arguments: &[Value]) -> Result<Value, String> {
    let argument = |at: usize| arguments.get(at).and_then(Value::as_str).ok_or_else(|| format!("{name} needs a text as its argument"));
    let text = || input.as_str().ok_or_else(|| format!("{name}: the input is {}, not a string", kind(input)));
    let number = || input.as_f64().ok_or_else(|| format!("{name}: the input is {}, not a number", kind(input)));
    Ok(match name {
        "tostring" => Value::String(input.as_str().map_or_else(|| input.to_string(), str::to_owned)),
        "tonumber" => match input {
            Value::Number(_) => input.clone(),
            _ => numeral(text()?.trim().parse().map_err(|_| format!("Cannot be parsed as a number: {input}"))?),
        },
        "ascii_downcase" => Value::String(text()?.to_ascii_lowercase()),
        "ascii_upcase" => Value::String(text()?.to_ascii_uppercase()),
        "length" => Value::from(match input {
            Value::Null => 0,
            Value::String(text) => text.chars().count() as i64,
            Value::Array(items) => items.len() as i64,
            Value::Object(members) => members.len() as i64,
            Value::Number(number) => return Ok(numeral(libm::fabs(number.as_f64().unwrap_or(0.0)))),
            Value::Bool(_) => return Err("boolean has no length".to_owned()),
        }),
        "floor" => numeral(libm::floor(number()?)),
        "ceil" => numeral(libm::ceil(number()?)),
        "round" => numeral(libm::round(number()?)),
        "not" => Value::Bool(!truthy(input)),
        "type" => Value::String(kind(input).to_owned()),
        "keys" => match input {
            Value::Object(members) => {
                let mut names: Vec<&String> = members.keys().collect();
                names.sort();
                names.into_iter().cloned().map(Value::String).collect()
            }
            _ => return Err(format!("{} has no keys", kind(input))),
        },
        "first" => input.as_array().and_then(|items| items.first()).cloned().unwrap_or_default(),
        "last" => input.as_array().and_then(|items| items.last()).cloned().unwrap_or_default(),
        "strftime" => {
            let at = VirtualTime((libm::fmax(number()?, 0.0) * 1e6) as u64);
            Value::String(strftime(argument(0)?, at))
        }
        "todate" => Value::String(VirtualTime((libm::fmax(number()?, 0.0) as u64) * 1_000_000).to_string().replace(".000Z", "Z")),
        "fromdate" => {
            parse_iso(text()?).map(|at| Value::from(at.secs())).ok_or_else(|| format!("date {input} does not match format \"%Y-%m-%dT%H:%M:%SZ\""))?
        }
        "split" => text()?.split(argument(0)?).map(|part| Value::String(part.to_owned())).collect(),
        "join" => {
            let items = input.as_array().ok_or("join needs an array")?;
            Value::String(
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect::<Vec<_>>().join(argument(0)?),
            )
        }
        "ltrimstr" => Value::String(text()?.strip_prefix(argument(0)?).unwrap_or(text()?).to_owned()),
        "rtrimstr" => Value::String(text()?.strip_suffix(argument(0)?).unwrap_or(text()?).to_owned()),
        "startswith" => Value::Bool(text()?.starts_with(argument(0)?)),
        "endswith" => Value::Bool(text()?.ends_with(argument(0)?)),
        "test" => Value::Bool(regex::Regex::new(argument(0)?).map_err(|error| error.to_string())?.is_match(text()?)),
        "has" => Value::Bool(input.get(argument(0)?).is_some()),
        other => return Err(format!("{other} has no value here")),
    })
}

/// The common conversions of C's strftime.
fn strftime(format: &str, at: VirtualTime) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let pattern = match chars.next() {
            Some('Y') => "yyyy",
            Some('y') => "yy",
            Some('m') => "MM",
            Some('d') => "dd",
            Some('H') => "HH",
            Some('I') => "hh",
            Some('M') => "mm",
            Some('S') => "ss",
            Some('j') => "DDD",
            Some('B') => "MMMM",
            Some('b') => "MMM",
            Some('A') => "EEEE",
            Some('a') => "EEE",
            Some('p') => "a",
            Some('F') => "yyyy-MM-dd",
            Some('T') => "HH:mm:ss",
            Some('Z') => "z",
            Some(other) => {
                out.push(other);
                continue;
            }
            None => break,
        };
        out.push_str(&format_time(pattern, at));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn queries_take_values_out() {
        let record = json!({"customer_id": 42, "type": {"device": "Phone", "os": ["a", "b"]}, "at": 1_568_039_627, "price": "1.5", "x-y": 1});
        for (query, wanted) in [
            (".customer_id", json!(42)),
            (".type.device | ascii_downcase", json!("phone")),
            (".missing // \"none\"", json!("none")),
            (".type.os[1]", json!("b")),
            (".type.os[-1]", json!("b")),
            (".[\"x-y\"]", json!(1)),
            (".\"x-y\"", json!(1)),
            (".at | strftime(\"%Y-%m-%d %H\")", json!("2019-09-09 14")),
            ("(.price | tonumber) * 2 + 1", json!(4)),
            ("if .customer_id > 40 then \"big\" else \"small\" end", json!("big")),
            (".customer_id % 5 == 2 and (.missing | not)", json!(true)),
            ("{a: .customer_id, \"b\": .at}", json!({"a": 42, "b": 1_568_039_627})),
            (".price | split(\".\") | first", json!("1")),
            (".customer_id.deep?", json!(null)),
            ("-.customer_id", json!(-42)),
        ] {
            assert_eq!(compile(query).unwrap_or_else(|error| panic!("{query}: {error}")).eval(&record), Ok(wanted), "{query}");
        }
        assert!(compile(".customer_id.deep").expect("good").eval(&record).expect_err("number").contains("Cannot index number"));
    }

    #[test]
    fn wrong_queries_say_where() {
        for (query, words) in [
            (".a |", "an expression expected"),
            ("{a .b}", "'}' expected, found 'b' at character 4"),
            ("map(.a)", "map is not defined here"),
            (".a[", "an expression expected"),
            ("\"x", "without its closing quote"),
            ("if .a then 1", "'end' expected"),
        ] {
            assert!(compile(query).expect_err(query).contains(words), "{query}: {:?}", compile(query));
        }
        assert!(compile_keys(".a").is_err() && compile_keys("{a: .b}").is_ok());
        assert!(compile(&"(".repeat(500)).is_err());
    }
}
