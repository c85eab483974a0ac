//! Expressions of generators: numbers, texts, field references, `+ - * / %`, comparisons, `&& || !`, `if()`, `min max round floor ceil abs`.
//! Pure: no state, no time, no randomness of their own.

use super::error::{GenerateError, near_miss};
use super::value::Val;

/// A parsed expression; fields are indices into the record's registers.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A number.
    Num(f64),
    /// A text.
    Text(Box<str>),
    /// A field.
    Field(usize),
    /// Negation.
    Neg(Box<Expr>),
    /// Logical not.
    Not(Box<Expr>),
    /// Two operands.
    Binary(Op, Box<(Expr, Expr)>),
    /// `if(condition, then, else)`.
    If(Box<(Expr, Expr, Expr)>),
    /// A function of one or two numbers.
    Call(Function, Vec<Expr>),
}

/// Operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Least of the arguments.
    Min,
    /// Greatest of the arguments.
    Max,
    /// To the nearest whole number, or to a number of decimals.
    Round,
    /// Down.
    Floor,
    /// Up.
    Ceil,
    /// Without sign.
    Abs,
}

const FUNCTIONS: [(&str, Function); 6] = [
    ("min", Function::Min),
    ("max", Function::Max),
    ("round", Function::Round),
    ("floor", Function::Floor),
    ("ceil", Function::Ceil),
    ("abs", Function::Abs),
];

impl Expr {
    /// Parses `text`; `field` gives the register of a field name.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, GenerateError> {
        let mut parser = Parser { text, at: 0, names, depth: 0 };
        let expr = parser.or()?;
        parser.space();
        if parser.at < text.len() {
            return Err(parser.error("the end of the expression"));
        }
        Ok(expr)
    }

    /// Fields that it uses.
    pub fn fields(&self, into: &mut Vec<usize>) {
        match self {
            Self::Num(_) | Self::Text(_) => {}
            Self::Field(field) => into.push(*field),
            Self::Neg(a) | Self::Not(a) => a.fields(into),
            Self::Binary(_, pair) => {
                pair.0.fields(into);
                pair.1.fields(into);
            }
            Self::If(parts) => {
                parts.0.fields(into);
                parts.1.fields(into);
                parts.2.fields(into);
            }
            Self::Call(_, arguments) => arguments.iter().for_each(|argument| argument.fields(into)),
        }
    }

    /// The value over the registers.
    pub fn eval<'v>(&'v self, registers: &[Val<'v>]) -> Val<'v> {
        match self {
            Self::Num(value) => Val::Num(*value),
            Self::Text(text) => Val::Text(text),
            Self::Field(field) => registers.get(*field).copied().unwrap_or(Val::Null),
            Self::Neg(a) => a.eval(registers).number().map_or(Val::Null, |a| Val::Num(-a)),
            Self::Not(a) => Val::Bool(!a.eval(registers).truth()),
            Self::Binary(op, pair) => binary(*op, pair.0.eval(registers), &pair.1, registers),
            Self::If(parts) => {
                if parts.0.eval(registers).truth() {
                    parts.1.eval(registers)
                } else {
                    parts.2.eval(registers)
                }
            }
            Self::Call(function, arguments) => {
                let mut numbers = arguments.iter().map(|argument| argument.eval(registers).number());
                let Some(Some(first)) = numbers.next() else { return Val::Null };
                Val::Num(match function {
                    Function::Floor => libm::floor(first),
                    Function::Ceil => libm::ceil(first),
                    Function::Abs => first.abs(),
                    Function::Round => match numbers.next() {
                        Some(Some(decimals)) => {
                            let scale = libm::pow(10.0, libm::floor(decimals.clamp(0.0, 9.0)));
                            libm::round(first * scale) / scale
                        }
                        _ => libm::round(first),
                    },
                    Function::Min => numbers.flatten().fold(first, f64::min),
                    Function::Max => numbers.flatten().fold(first, f64::max),
                })
            }
        }
    }
}

fn binary<'v>(op: Op, a: Val<'v>, right: &'v Expr, registers: &[Val<'v>]) -> Val<'v> {
    match op {
        Op::And if !a.truth() => return Val::Bool(false),
        Op::Or if a.truth() => return Val::Bool(true),
        _ => {}
    }
    let b = right.eval(registers);
    match op {
        Op::And | Op::Or => Val::Bool(b.truth()),
        Op::Eq => Val::Bool(a.equals(b)),
        Op::Ne => Val::Bool(!a.equals(b)),
        Op::Lt | Op::Le | Op::Gt | Op::Ge => {
            let (Some(a), Some(b)) = (a.number(), b.number()) else { return Val::Null };
            Val::Bool(match op {
                Op::Lt => a < b,
                Op::Le => a <= b,
                Op::Gt => a > b,
                _ => a >= b,
            })
        }
        Op::Add | Op::Sub => match (a, b) {
            (Val::Time(time), b) if b.number().is_some() => {
                let micros = super::number::round_half_away(b.number().unwrap_or(0.0) * 1e6) as i64;
                let moved = if op == Op::Add { time.0 as i64 + micros } else { time.0 as i64 - micros };
                Val::Time(crate::engine::time::VirtualTime(u64::try_from(moved).unwrap_or(0)))
            }
            (Val::Time(a), Val::Time(b)) if op == Op::Sub => Val::Num((a.0 as f64 - b.0 as f64) / 1e6),
            (a, b) => match (a.number(), b.number()) {
                (Some(a), Some(b)) => Val::Num(if op == Op::Add { a + b } else { a - b }),
                _ => Val::Null,
            },
        },
        Op::Mul | Op::Div | Op::Rem => {
            let (Some(a), Some(b)) = (a.number(), b.number()) else { return Val::Null };
            match op {
                Op::Mul => Val::Num(a * b),
                _ if b == 0.0 => Val::Null,
                Op::Div => Val::Num(a / b),
                _ => Val::Num(libm::fmod(a, b)),
            }
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    names: &'t [&'t str],
    depth: u32,
}

impl Parser<'_> {
    fn space(&mut self) {
        while self.text[self.at..].starts_with(|c: char| c.is_whitespace()) {
            self.at += self.text[self.at..].chars().next().map_or(1, char::len_utf8);
        }
    }

    fn error(&self, expected: &str) -> GenerateError {
        let found: String = self.text[self.at..].chars().take(12).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("'{found}'") };
        GenerateError::new("", format!("column {}: found {found}, expected {expected}", self.text[..self.at].chars().count() + 1))
    }

    fn eat(&mut self, word: &str) -> bool {
        self.space();
        let found = self.text[self.at..].starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn chain(&mut self, next: fn(&mut Self) -> Result<Expr, GenerateError>, words: &[(&str, Op)]) -> Result<Expr, GenerateError> {
        let mut left = next(self)?;
        'more: loop {
            for (word, op) in words {
                if self.eat(word) {
                    let right = next(self)?;
                    left = Expr::Binary(*op, Box::new((left, right)));
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn or(&mut self) -> Result<Expr, GenerateError> {
        self.depth += 1;
        if self.depth > 60 {
            return Err(GenerateError::new("", "the expression is nested too deeply"));
        }
        let expr = self.chain(Self::and, &[("||", Op::Or)]);
        self.depth -= 1;
        expr
    }

    fn and(&mut self) -> Result<Expr, GenerateError> {
        self.chain(Self::compare, &[("&&", Op::And)])
    }

    fn compare(&mut self) -> Result<Expr, GenerateError> {
        self.chain(Self::sum, &[("==", Op::Eq), ("!=", Op::Ne), ("<=", Op::Le), (">=", Op::Ge), ("<", Op::Lt), (">", Op::Gt)])
    }

    fn sum(&mut self) -> Result<Expr, GenerateError> {
        self.chain(Self::product, &[("+", Op::Add), ("-", Op::Sub)])
    }

    fn product(&mut self) -> Result<Expr, GenerateError> {
        self.chain(Self::unary, &[("*", Op::Mul), ("/", Op::Div), ("%", Op::Rem)])
    }

    fn unary(&mut self) -> Result<Expr, GenerateError> {
        self.depth += 1;
        if self.depth > 60 {
            return Err(GenerateError::new("", "the expression is nested too deeply"));
        }
        let expr = if self.eat("-") {
            self.unary().map(|a| Expr::Neg(Box::new(a)))
        } else if self.eat("!") {
            self.unary().map(|a| Expr::Not(Box::new(a)))
        } else {
            self.primary()
        };
        self.depth -= 1;
        expr
    }

    fn primary(&mut self) -> Result<Expr, GenerateError> {
        if self.eat("(") {
            let inner = self.or()?;
            return if self.eat(")") { Ok(inner) } else { Err(self.error("')'")) };
        }
        self.space();
        let rest = &self.text[self.at..];
        let first = rest.chars().next().ok_or_else(|| self.error("a number, a text, a field or '('"))?;
        if first == '\'' || first == '"' {
            let end = rest[1..].find(first).ok_or_else(|| self.error(&format!("a text that ends with {first}")))?;
            let text = &rest[1..=end];
            self.at += end + 2;
            return Ok(Expr::Text(text.into()));
        }
        if first.is_ascii_digit() || first == '.' {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let number = rest[..end].parse().map_err(|_| self.error("a number"))?;
            self.at += end;
            return Ok(Expr::Num(number));
        }
        if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let name = &rest[..end];
            if rest[end..].trim_start().starts_with('(') {
                return self.call(name, end);
            }
            let Some(field) = self.names.iter().position(|known| *known == name) else {
                let hint = near_miss(name, self.names.iter().copied()).map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
                return Err(GenerateError::new("", format!("column {}: no field is named '{name}'{hint}", self.text[..self.at].chars().count() + 1)));
            };
            self.at += end;
            return Ok(Expr::Field(field));
        }
        Err(self.error("a number, a text, a field or '('"))
    }

    fn call(&mut self, name: &str, end: usize) -> Result<Expr, GenerateError> {
        let function = FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function);
        if function.is_none() && name != "if" {
            let known = FUNCTIONS.iter().map(|(known, _)| *known).chain(["if"]);
            let hint = near_miss(name, known)
                .map_or_else(|| "; there are if, min, max, round, floor, ceil, abs".to_owned(), |near| format!("; did you mean '{near}'?"));
            return Err(GenerateError::new("", format!("column {}: no function is named '{name}'{hint}", self.at + 1)));
        }
        self.at += end;
        self.eat("(");
        let mut arguments = vec![self.or()?];
        while self.eat(",") {
            arguments.push(self.or()?);
        }
        if !self.eat(")") {
            return Err(self.error("',' or ')'"));
        }
        match function {
            Some(function) => Ok(Expr::Call(function, arguments)),
            None => <[Expr; 3]>::try_from(arguments)
                .map(|[a, b, c]| Expr::If(Box::new((a, b, c))))
                .map_err(|arguments| GenerateError::new("", format!("if() takes three arguments, found {}", arguments.len()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<f64> {
        let names = ["a", "b", "kind"];
        let expr = Expr::parse(text, &names).expect("parses");
        let registers = [Val::Num(4.0), Val::Int(3), Val::Text("CRE")];
        expr.eval(&registers).number()
    }

    #[test]
    fn arithmetic_and_conditions() {
        assert_eq!(value("2.5 + 2.5 * a - b % 2"), Some(11.5));
        assert_eq!(value("if(kind == 'CRE' && a > b, 0.25 * a, 0)"), Some(1.0));
        assert_eq!(value("-(a - b) * -2"), Some(2.0));
        assert_eq!(value("round(a / b, 2) + max(a, b, 9) + floor(1.9) + abs(0 - 1)"), Some(1.33 + 9.0 + 1.0 + 1.0));
        assert_eq!(value("a / 0"), None);
    }

    #[test]
    fn errors_name_the_place_and_the_near_miss() {
        let error = |text: &str| Expr::parse(text, &["trip_distance"]).expect_err("wrong").message;
        assert_eq!(error("2 * trip_distnce"), "column 5: no field is named 'trip_distnce'; did you mean 'trip_distance'?");
        assert_eq!(error("2 +"), "column 4: found the end, expected a number, a text, a field or '('");
        assert_eq!(error("rond(1)"), "column 1: no function is named 'rond'; did you mean 'round'?");
        assert!(error(&"(".repeat(500)).contains("too deeply"));
        assert!(error("if(1,2)").contains("three arguments"));
        assert!(Expr::parse("ä ≠ 1", &[]).is_err());
    }
}
