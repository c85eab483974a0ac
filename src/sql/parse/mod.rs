//! The parser: statements here, queries and expressions beside. It takes what the service took: no final semicolon, any line breaks, blanks
//! before parentheses. After an error it goes on at the next statement, so several are told at once.

mod expr;
mod query;
mod types;

use super::ast::{ColumnDef, Ident, Statement};
use super::diagnostic::{Diagnostic, Span, near_miss};
use super::lex::{Spanned, Token, is_reserved, lex};
use super::types::SqlType;

/// Depth of nested expressions and queries at most.
const DEPTH_MAX: usize = 96;
/// Errors told at most.
const ERRORS_MAX: usize = 20;

/// A parse that failed; the diagnostic is the answer.
type Parsed<T> = Result<T, Box<Diagnostic>>;

/// The parser over a text's tokens.
pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Spanned>,
    at: usize,
    depth: usize,
}

/// Parses application code.
pub fn program(text: &str) -> (Vec<Statement>, Vec<Diagnostic>) {
    let (tokens, mut errors) = lex(text);
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    let mut statements = Vec::new();
    while errors.len() < ERRORS_MAX {
        while parser.accept(";") {}
        if parser.peek() == &Token::End {
            break;
        }
        match parser.statement() {
            Ok(statement) => {
                statements.push(statement);
                if parser.peek() != &Token::End && !parser.at_sign(";") {
                    errors.push(*parser.unexpected(if parser.at_word("LIMIT") {
                        "; a stream has no end that LIMIT could cut"
                    } else {
                        "; between statements"
                    }));
                    parser.skip_statement();
                }
            }
            Err(error) => {
                errors.push(*error);
                parser.skip_statement();
            }
        }
    }
    (statements, errors)
}

/// Parses one expression alone.
///
/// # Errors
/// The first thing that is wrong.
pub fn expression(text: &str) -> Result<super::ast::Expr, Diagnostic> {
    let (tokens, mut errors) = lex(text);
    if !errors.is_empty() {
        return Err(errors.remove(0));
    }
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    let expr = parser.expr().map_err(|error| *error)?;
    if parser.peek() == &Token::End { Ok(expr) } else { Err(*parser.unexpected("the end of the expression")) }
}

/// Parses a type alone, as schemas write it; `NOT NULL` may follow.
///
/// # Errors
/// What was expected.
pub fn column_type(text: &str) -> Result<(SqlType, bool), Diagnostic> {
    let (tokens, mut errors) = lex(text);
    if !errors.is_empty() {
        return Err(errors.remove(0));
    }
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    let ty = parser.data_type().map_err(|error| *error)?;
    let not_null = parser.accept_words(&["NOT", "NULL"]);
    if parser.peek() == &Token::End { Ok((ty, not_null)) } else { Err(*parser.unexpected("the end of the type")) }
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].token
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)].token
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    fn last_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn advance(&mut self) -> Token {
        let token = self.tokens[self.at].token.clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    fn at_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn sign_at(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.peek_at(ahead), Token::Sign(found) if *found == sign)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.at_sign(sign);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.accept(sign) { Ok(()) } else { Err(self.unexpected(&format!("'{sign}'"))) }
    }

    fn at_word(&self, word: &str) -> bool {
        self.word_at(0, word)
    }

    fn word_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_at(ahead), Token::Word(_, upper) if upper == word)
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn accept_words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(ahead, word)| self.word_at(ahead, word));
        if found {
            for _ in words {
                self.advance();
            }
        }
        found
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.accept_word(word) {
            return Ok(());
        }
        let error = self.unexpected(word);
        if let Token::Word(written, upper) = self.peek()
            && near_miss(upper, [word]).is_some()
        {
            let message = format!("found '{written}', expected {word}");
            return Err(Box::new(Diagnostic::error(self.span(), message).with_fix(format!("write {word}"), word)));
        }
        Err(error)
    }

    /// "found X, expected Y".
    fn unexpected(&self, expected: &str) -> Box<Diagnostic> {
        let span = self.span();
        let found = match self.peek() {
            Token::End => "the end of the text".to_owned(),
            _ => format!("'{}'", self.text.get(span.start..span.end).unwrap_or_default().chars().take(40).collect::<String>()),
        };
        Box::new(Diagnostic::error(span, format!("found {found}, expected {expected}")))
    }

    fn skip_statement(&mut self) {
        while !self.at_sign(";") && self.peek() != &Token::End {
            self.advance();
        }
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            return Err(Box::new(Diagnostic::error(self.span(), format!("nested more than {DEPTH_MAX} levels deep"))));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// A name; reserved words need quotes.
    fn ident(&mut self, what: &str) -> Parsed<Ident> {
        let span = self.span();
        match self.peek().clone() {
            Token::Quoted(name) => {
                self.advance();
                Ok(Ident { name, quoted: true, span })
            }
            Token::Word(written, upper) if is_reserved(&upper) => {
                let message = format!("'{written}' is a reserved word and names {what} only in quotes");
                Err(Box::new(Diagnostic::error(span, message).with_fix(format!("write \"{written}\""), format!("\"{written}\""))))
            }
            Token::Word(_, upper) => {
                self.advance();
                Ok(Ident { name: upper, quoted: false, span })
            }
            _ => Err(self.unexpected(&format!("the name of {what}"))),
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let start = self.span();
        if self.accept_word("CREATE") {
            let replace = self.accept_words(&["OR", "REPLACE"]);
            if self.accept_word("STREAM") {
                return self.create_stream(replace);
            }
            if self.accept_word("PUMP") {
                return self.create_pump(replace);
            }
            if self.accept_word("FUNCTION") {
                return self.create_function(replace);
            }
            if let Token::Word(_, upper) = self.peek()
                && matches!(upper.as_str(), "VIEW" | "FOREIGN" | "SCHEMA" | "TABLE" | "SERVER")
            {
                let message = format!("CREATE {upper} belongs to SQLstream; an application has STREAM, PUMP and FUNCTION");
                return Err(Box::new(Diagnostic::error(start.to(self.span()), message)));
            }
            return Err(self.unexpected("STREAM, PUMP or FUNCTION"));
        }
        if self.accept_word("ALTER") {
            self.expect_word("PUMP")?;
            let name = self.ident("a pump")?;
            let start = if self.accept_word("START") {
                true
            } else if self.accept_word("STOP") {
                false
            } else {
                return Err(self.unexpected("START or STOP"));
            };
            return Ok(Statement::AlterPump { name, start });
        }
        if self.accept_word("DROP") {
            let pump = self.accept_word("PUMP");
            if !pump {
                self.expect_word("STREAM")?;
            }
            return Ok(Statement::Drop { pump, name: self.ident("what is dropped")? });
        }
        if let Token::Word(_, upper) = self.peek() {
            let message = match upper.as_str() {
                "SELECT" | "VALUES" | "INSERT" => {
                    Some(format!("{upper} stands only inside a pump: CREATE OR REPLACE PUMP \"P\" AS INSERT INTO \"S\" SELECT STREAM …"))
                }
                "UPDATE" | "DELETE" | "MERGE" | "SET" => Some(format!("{upper} is no statement of an application: streams are only inserted into")),
                _ => None,
            };
            if let Some(message) = message {
                return Err(Box::new(Diagnostic::error(self.span(), message)));
            }
        }
        Err(self.unexpected("CREATE STREAM, CREATE PUMP or CREATE FUNCTION"))
    }

    fn description(&mut self) -> Parsed<()> {
        if self.accept_word("DESCRIPTION") && !matches!(self.advance(), Token::Text(_)) {
            return Err(self.unexpected("a text"));
        }
        Ok(())
    }

    fn create_stream(&mut self, replace: bool) -> Parsed<Statement> {
        let name = self.qualified_ident("a stream")?;
        self.expect("(")?;
        let mut columns = Vec::new();
        loop {
            let name = self.ident("a column")?;
            if !name.quoted && name.name == "ROWTIME" {
                return Err(Box::new(Diagnostic::error(name.span, "ROWTIME is part of every stream and cannot be declared")));
            }
            let at = self.span();
            let ty = self.data_type()?;
            if ty.is_interval() {
                return Err(Box::new(Diagnostic::error(at.to(self.last_span()), "an interval is no column type; use it in expressions only")));
            }
            let not_null = self.accept_words(&["NOT", "NULL"]);
            columns.push(ColumnDef { name, ty, not_null });
            if !self.accept(",") {
                break;
            }
        }
        self.expect(")")?;
        self.description()?;
        if self.accept_word("OPTIONS") {
            self.expect("(")?;
            while !self.at_sign(")") && self.peek() != &Token::End {
                self.advance();
            }
            self.expect(")")?;
        }
        self.description()?;
        Ok(Statement::Stream { replace, name, columns })
    }

    /// A name whose schema qualifiers are left out.
    fn qualified_ident(&mut self, what: &str) -> Parsed<Ident> {
        let mut name = self.ident(what)?;
        while self.accept(".") {
            name = self.ident(what)?;
        }
        Ok(name)
    }

    fn create_pump(&mut self, replace: bool) -> Parsed<Statement> {
        let name = self.qualified_ident("a pump")?;
        let stopped = self.accept_word("STOPPED");
        if !stopped {
            self.accept_word("STARTED");
        }
        self.description()?;
        self.expect_word("AS")?;
        self.expect_word("INSERT")?;
        self.accept_word("EXPEDITED");
        self.expect_word("INTO")?;
        let target = self.qualified_ident("a stream")?;
        let columns = if self.at_sign("(") && !self.word_at(1, "SELECT") && !self.sign_at(1, "(") {
            self.advance();
            let mut columns = Vec::new();
            loop {
                let span = self.span();
                columns.push(if self.accept_word("ROWTIME") {
                    Ident { name: "ROWTIME".to_owned(), quoted: false, span }
                } else {
                    self.ident("a column")?
                });
                if !self.accept(",") {
                    break;
                }
            }
            self.expect(")")?;
            Some(columns)
        } else {
            None
        };
        let query = self.query()?;
        Ok(Statement::Pump { replace, name, stopped, target, columns, query })
    }

    fn create_function(&mut self, replace: bool) -> Parsed<Statement> {
        let name = self.qualified_ident("a function")?;
        self.expect("(")?;
        let mut parameters = Vec::new();
        while !self.at_sign(")") {
            let name = self.ident("a parameter")?;
            parameters.push((name, self.data_type()?));
            if !self.accept(",") {
                break;
            }
        }
        self.expect(")")?;
        self.expect_word("RETURNS")?;
        let returns = self.data_type()?;
        let mut strict = false;
        loop {
            if self.accept_words(&["LANGUAGE", "SQL"])
                || self.accept_words(&["NOT", "DETERMINISTIC"])
                || self.accept_word("DETERMINISTIC")
                || self.accept_words(&["CONTAINS", "SQL"])
                || self.accept_words(&["READS", "SQL", "DATA"])
                || self.accept_words(&["MODIFIES", "SQL", "DATA"])
                || self.accept_words(&["CALLED", "ON", "NULL", "INPUT"])
            {
                continue;
            }
            if self.accept_word("SPECIFIC") {
                self.qualified_ident("a function")?;
            } else if self.accept_words(&["RETURNS", "NULL", "ON", "NULL", "INPUT"]) {
                strict = true;
            } else {
                break;
            }
        }
        self.expect_word("RETURN")?;
        let body = Box::new(self.expr()?);
        Ok(Statement::Function { replace, name, parameters, returns, strict, body })
    }
}
