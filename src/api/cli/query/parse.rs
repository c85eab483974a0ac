//! Tokens to a tree, by binding powers.

use serde_json::Value;

use super::lex::{self, Kind, Token};

/// How deep expressions may be nested.
const DEEPEST: usize = 64;
/// How many tokens a query may have; left-deep trees are as deep as they have tokens.
const MOST_TOKENS: usize = 1000;
/// Tokens with less binding power end a projection.
const PROJECTION_STOP: u8 = 10;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Identity,
    Field(String),
    Index(i64),
    Slice([Option<i64>; 3]),
    Literal(Value),
    /// The second in what the first finds.
    Chain(Box<Node>, Box<Node>),
    Projection(Box<Node>, Box<Node>),
    ValueProjection(Box<Node>, Box<Node>),
    /// Base, what is taken of each, condition.
    FilterProjection(Box<Node>, Box<Node>, Box<Node>),
    Flatten(Box<Node>),
    List(Vec<Node>),
    Hash(Vec<(String, Node)>),
    Or(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Function(String, Vec<Node>),
    Expref(Box<Node>),
}

fn chain(left: Node, right: Node) -> Node {
    Node::Chain(Box::new(left), Box::new(right))
}

fn projection(left: Node, right: Node) -> Node {
    Node::Projection(Box::new(left), Box::new(right))
}

const fn binding_power(kind: Kind) -> u8 {
    match kind {
        Kind::Pipe => 1,
        Kind::Or => 2,
        Kind::And => 3,
        Kind::Eq | Kind::Gt | Kind::Lt | Kind::Gte | Kind::Lte | Kind::Ne => 5,
        Kind::Flatten => 9,
        Kind::Star => 20,
        Kind::Filter => 21,
        Kind::Dot => 40,
        Kind::Not => 45,
        Kind::LBrace => 50,
        Kind::LBracket => 55,
        Kind::LParen => 60,
        _ => 0,
    }
}

/// Parses a query.
///
/// # Errors
/// What is wrong, with the query and a caret under the place.
pub(super) fn parse(expression: &str) -> Result<Node, String> {
    let tokens = lex::tokens(expression)?;
    if tokens.len() > MOST_TOKENS {
        return Err(format!("Invalid JMESPath expression: longer than {MOST_TOKENS} tokens."));
    }
    let mut parser = Parser { expression, tokens, at: 0, depth: 0 };
    let root = parser.expression(0)?;
    if parser.current() != Kind::Eof {
        let token = parser.token();
        return Err(parser.fault(&token, &format!("Unexpected token: {}", token.shown())));
    }
    Ok(root)
}

struct Parser<'a> {
    expression: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    /// The current token; the last one stays current.
    fn token(&self) -> Token {
        self.tokens[self.at.min(self.tokens.len() - 1)].clone()
    }

    fn current(&self) -> Kind {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Kind {
        self.tokens[(self.at + by).min(self.tokens.len() - 1)].kind
    }

    fn fault(&self, token: &Token, reason: &str) -> String {
        format!(
            "{reason}: Parse error at column {}, token \"{}\" ({}), for expression:\n\"{}\"\n{}^",
            token.start,
            token.shown(),
            token.kind.name().to_uppercase(),
            self.expression,
            " ".repeat(token.start + 1)
        )
    }

    fn incomplete(&self) -> String {
        let length = self.expression.chars().count();
        format!("Invalid jmespath expression: Incomplete expression:\n\"{}\"\n{}^", self.expression, " ".repeat(length + 1))
    }

    /// Takes a token of one of the kinds; `wanted` names them in the error text.
    fn take(&mut self, kinds: &[Kind], wanted: &str) -> Result<Token, String> {
        let token = self.token();
        if kinds.contains(&token.kind) {
            self.at += 1;
            Ok(token)
        } else if token.kind == Kind::Eof {
            Err(self.incomplete())
        } else {
            Err(self.fault(&token, &format!("Expecting: {wanted}, got: {}", token.kind.name())))
        }
    }

    fn take_one(&mut self, kind: Kind) -> Result<Token, String> {
        self.take(&[kind], kind.name())
    }

    fn expression(&mut self, power: u8) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("Invalid JMESPath expression: nested too deep.".into());
        }
        let token = self.token();
        self.at += 1;
        let mut left = self.prefix(&token)?;
        while power < binding_power(self.current()) {
            let token = self.token();
            self.at += 1;
            left = self.infix(left, &token)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// A token at the beginning of an expression.
    fn prefix(&mut self, token: &Token) -> Result<Node, String> {
        Ok(match token.kind {
            Kind::Literal => Node::Literal(token.value.clone()),
            Kind::UnquotedIdentifier => Node::Field(token.text()),
            Kind::QuotedIdentifier => {
                if self.current() == Kind::LParen {
                    let mut paren = self.token();
                    paren.start = 0;
                    return Err(self.fault(&paren, "Quoted identifier not allowed for function names."));
                }
                Node::Field(token.text())
            }
            Kind::Star => {
                let right = if self.current() == Kind::RBracket { Node::Identity } else { self.projected(binding_power(Kind::Star))? };
                Node::ValueProjection(Box::new(Node::Identity), Box::new(right))
            }
            Kind::Filter => self.filter(Node::Identity)?,
            Kind::LBrace => self.hash()?,
            Kind::LParen => {
                let inner = self.expression(0)?;
                self.take_one(Kind::RParen)?;
                inner
            }
            Kind::Flatten => {
                let right = self.projected(binding_power(Kind::Flatten))?;
                projection(Node::Flatten(Box::new(Node::Identity)), right)
            }
            Kind::Not => Node::Not(Box::new(self.expression(binding_power(Kind::Not))?)),
            Kind::LBracket => match (self.current(), self.ahead(1)) {
                (Kind::Number | Kind::Colon, _) => self.index(Node::Identity)?,
                (Kind::Star, Kind::RBracket) => {
                    self.at += 2;
                    let right = self.projected(binding_power(Kind::Star))?;
                    projection(Node::Identity, right)
                }
                _ => self.list()?,
            },
            Kind::Current => Node::Identity,
            Kind::Expref => Node::Expref(Box::new(self.expression(binding_power(Kind::Expref))?)),
            Kind::Eof => return Err(self.incomplete()),
            _ => return Err(self.fault(token, "invalid token")),
        })
    }

    /// A token behind an expression.
    fn infix(&mut self, left: Node, token: &Token) -> Result<Node, String> {
        let comparison = match token.kind {
            Kind::Eq => Comparison::Eq,
            Kind::Ne => Comparison::Ne,
            Kind::Lt => Comparison::Lt,
            Kind::Lte => Comparison::Lte,
            Kind::Gt => Comparison::Gt,
            Kind::Gte => Comparison::Gte,
            Kind::Dot => {
                if self.current() == Kind::Star {
                    self.at += 1;
                    let right = self.projected(binding_power(Kind::Dot))?;
                    return Ok(Node::ValueProjection(Box::new(left), Box::new(right)));
                }
                let right = self.behind_dot(binding_power(Kind::Dot))?;
                return Ok(chain(left, right));
            }
            Kind::Pipe => {
                let right = self.expression(binding_power(Kind::Pipe))?;
                return Ok(chain(left, right));
            }
            Kind::Or => {
                let right = self.expression(binding_power(Kind::Or))?;
                return Ok(Node::Or(Box::new(left), Box::new(right)));
            }
            Kind::And => {
                let right = self.expression(binding_power(Kind::And))?;
                return Ok(Node::And(Box::new(left), Box::new(right)));
            }
            Kind::LParen => return self.function(left),
            Kind::Filter => return self.filter(left),
            Kind::Flatten => {
                let right = self.projected(binding_power(Kind::Flatten))?;
                return Ok(projection(Node::Flatten(Box::new(left)), right));
            }
            Kind::LBracket => {
                if matches!(self.current(), Kind::Number | Kind::Colon) {
                    return self.index(left);
                }
                self.take_one(Kind::Star)?;
                self.take_one(Kind::RBracket)?;
                let right = self.projected(binding_power(Kind::Star))?;
                return Ok(projection(left, right));
            }
            _ => return Err(self.fault(token, "invalid token")),
        };
        let right = self.expression(binding_power(token.kind))?;
        Ok(Node::Compare(comparison, Box::new(left), Box::new(right)))
    }

    fn function(&mut self, left: Node) -> Result<Node, String> {
        let Node::Field(name) = left else {
            let token = self.tokens[self.at.saturating_sub(2)].clone();
            return Err(self.fault(&token, &format!("Invalid function name '{}'", token.shown())));
        };
        let mut arguments = Vec::new();
        while self.current() != Kind::RParen {
            arguments.push(self.expression(0)?);
            if self.current() == Kind::Comma {
                self.at += 1;
            }
        }
        self.at += 1;
        Ok(Node::Function(name, arguments))
    }

    fn filter(&mut self, left: Node) -> Result<Node, String> {
        let condition = self.expression(0)?;
        self.take_one(Kind::RBracket)?;
        let right = if self.current() == Kind::Flatten { Node::Identity } else { self.projected(binding_power(Kind::Filter))? };
        Ok(Node::FilterProjection(Box::new(left), Box::new(right), Box::new(condition)))
    }

    /// `[n]` or `[from:to:step]`, the bracket is taken already.
    fn index(&mut self, left: Node) -> Result<Node, String> {
        if self.current() != Kind::Colon && self.ahead(1) != Kind::Colon {
            let index = self.token().value.as_i64().unwrap_or_default();
            self.at += 1;
            self.take_one(Kind::RBracket)?;
            return Ok(chain(left, Node::Index(index)));
        }
        let mut parts = [None; 3];
        let mut part = 0;
        while self.current() != Kind::RBracket && part < 3 {
            let token = self.token();
            match token.kind {
                Kind::Colon => {
                    part += 1;
                    if part == 3 {
                        return Err(self.fault(&token, "syntax error"));
                    }
                }
                Kind::Number => parts[part] = token.value.as_i64(),
                _ => return Err(self.fault(&token, "syntax error")),
            }
            self.at += 1;
        }
        self.take_one(Kind::RBracket)?;
        let right = self.projected(binding_power(Kind::Star))?;
        Ok(projection(chain(left, Node::Slice(parts)), right))
    }

    fn list(&mut self) -> Result<Node, String> {
        let mut items = Vec::new();
        loop {
            items.push(self.expression(0)?);
            if self.current() == Kind::RBracket {
                break;
            }
            self.take_one(Kind::Comma)?;
        }
        self.at += 1;
        Ok(Node::List(items))
    }

    fn hash(&mut self) -> Result<Node, String> {
        let mut entries = Vec::new();
        loop {
            let key = self.take(&[Kind::QuotedIdentifier, Kind::UnquotedIdentifier], "['quoted_identifier', 'unquoted_identifier']")?;
            self.take_one(Kind::Colon)?;
            entries.push((key.text(), self.expression(0)?));
            match self.current() {
                Kind::Comma => self.at += 1,
                Kind::RBrace => {
                    self.at += 1;
                    return Ok(Node::Hash(entries));
                }
                _ => {}
            }
        }
    }

    /// What is taken of each item of a projection.
    fn projected(&mut self, power: u8) -> Result<Node, String> {
        match self.current() {
            kind if binding_power(kind) < PROJECTION_STOP => Ok(Node::Identity),
            Kind::LBracket | Kind::Filter => self.expression(power),
            Kind::Dot => {
                self.at += 1;
                self.behind_dot(power)
            }
            _ => Err(self.fault(&self.token(), "syntax error")),
        }
    }

    fn behind_dot(&mut self, power: u8) -> Result<Node, String> {
        match self.current() {
            Kind::QuotedIdentifier | Kind::UnquotedIdentifier | Kind::Star => self.expression(power),
            Kind::LBracket => {
                self.at += 1;
                self.list()
            }
            Kind::LBrace => {
                self.at += 1;
                self.hash()
            }
            other => {
                let reason = format!("Expecting: ['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace'], got: {}", other.name());
                Err(self.fault(&self.token(), &reason))
            }
        }
    }
}
