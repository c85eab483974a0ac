//! Types and interval qualifiers.

use super::super::diagnostic::Diagnostic;
use super::super::interval::{Qualifier, Unit};
use super::super::lex::Token;
use super::super::types::{LENGTH_MAX, SqlType};
use super::{Parsed, Parser};

impl Parser<'_> {
    /// A type.
    pub(super) fn data_type(&mut self) -> Parsed<SqlType> {
        let span = self.span();
        let Token::Word(_, word) = self.peek().clone() else { return Err(self.unexpected("a type")) };
        self.advance();
        Ok(match word.as_str() {
            "TINYINT" => SqlType::TinyInt,
            "SMALLINT" => SqlType::SmallInt,
            "INTEGER" | "INT" => SqlType::Integer,
            "BIGINT" => SqlType::BigInt,
            "REAL" => SqlType::Real,
            "FLOAT" => {
                self.lengths()?;
                SqlType::Double
            }
            "DOUBLE" => {
                self.accept_word("PRECISION");
                SqlType::Double
            }
            "BOOLEAN" => SqlType::Boolean,
            "DATE" => SqlType::Date,
            "TIME" => {
                self.lengths()?;
                SqlType::Time
            }
            "TIMESTAMP" => {
                self.lengths()?;
                SqlType::Timestamp
            }
            "DECIMAL" | "DEC" | "NUMERIC" => {
                let numbers = self.lengths()?;
                let (p, s) = (numbers.first().copied().unwrap_or(18), numbers.get(1).copied().unwrap_or(0));
                if !(1..=19).contains(&p) || s > p {
                    let message = format!("{word}({p},{s}): expected 1 to 19 digits, at most as many behind the point");
                    return Err(Box::new(Diagnostic::error(span.to(self.last_span()), message)));
                }
                SqlType::Decimal(p as u8, s as u8)
            }
            "CHAR" | "CHARACTER" => {
                let varying = self.accept_word("VARYING");
                let length = self.length(span, if varying { LENGTH_MAX } else { 1 })?;
                if varying { SqlType::Varchar(length) } else { SqlType::Char(length) }
            }
            "VARCHAR" => SqlType::Varchar(self.length(span, LENGTH_MAX)?),
            "BINARY" => {
                let varying = self.accept_word("VARYING");
                let length = self.length(span, if varying { LENGTH_MAX } else { 1 })?;
                if varying { SqlType::Varbinary(length) } else { SqlType::Binary(length) }
            }
            "VARBINARY" => SqlType::Varbinary(self.length(span, LENGTH_MAX)?),
            "INTERVAL" => SqlType::Interval(self.qualifier()?),
            _ => {
                const KNOWN: [&str; 15] = [
                    "INTEGER",
                    "BIGINT",
                    "SMALLINT",
                    "TINYINT",
                    "DOUBLE",
                    "REAL",
                    "FLOAT",
                    "DECIMAL",
                    "VARCHAR",
                    "CHAR",
                    "BOOLEAN",
                    "TIMESTAMP",
                    "DATE",
                    "TIME",
                    "VARBINARY",
                ];
                let alias = match word.as_str() {
                    "STRING" | "TEXT" => Some("VARCHAR"),
                    "LONG" => Some("BIGINT"),
                    "BOOL" => Some("BOOLEAN"),
                    "DATETIME" => Some("TIMESTAMP"),
                    "NUMBER" => Some("DECIMAL"),
                    _ => super::near_miss(&word, KNOWN),
                };
                let error = Diagnostic::error(span, format!("'{word}' is no type; there are {}", KNOWN.join(", ")));
                return Err(Box::new(match alias {
                    Some(near) => error.with_fix(format!("write {near}"), near),
                    None => error,
                }));
            }
        })
    }

    fn lengths(&mut self) -> Parsed<Vec<u32>> {
        let mut numbers = Vec::new();
        if !self.accept("(") {
            return Ok(numbers);
        }
        loop {
            let Token::Number(text) = self.peek().clone() else { return Err(self.unexpected("a number")) };
            let Ok(number) = text.parse() else { return Err(self.unexpected("a whole number")) };
            self.advance();
            numbers.push(number);
            if !self.accept(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(numbers)
    }

    fn length(&mut self, span: super::Span, default: u32) -> Parsed<u32> {
        let numbers = self.lengths()?;
        match numbers.as_slice() {
            [] => Ok(default),
            [length] if (1..=LENGTH_MAX).contains(length) => Ok(*length),
            _ => Err(Box::new(Diagnostic::error(span.to(self.last_span()), format!("a length is one number from 1 to {LENGTH_MAX}")))),
        }
    }

    /// A unit.
    pub(super) fn unit(&mut self) -> Parsed<Unit> {
        if let Token::Word(written, upper) = self.peek().clone() {
            if let Some(unit) = Unit::from_word(&upper) {
                self.advance();
                return Ok(unit);
            }
            if let Some(unit) = upper.strip_suffix('S').and_then(Unit::from_word) {
                let message = format!("'{written}': units are singular here");
                return Err(Box::new(Diagnostic::error(self.span(), message).with_fix(format!("write {}", unit.word()), unit.word())));
            }
        }
        Err(self.unexpected("YEAR, MONTH, DAY, HOUR, MINUTE or SECOND"))
    }

    /// `DAY(3) TO SECOND(2)`. `TO` is taken only before a finer unit.
    pub(super) fn qualifier(&mut self) -> Parsed<Qualifier> {
        let span = self.span();
        let from = self.unit()?;
        let numbers = self.lengths()?;
        let mut qualifier = Qualifier::new(from, from);
        if let Some(precision) = numbers.first() {
            if !(1..=10).contains(precision) {
                return Err(Box::new(Diagnostic::error(span, "the leading field has 1 to 10 digits")));
            }
            qualifier.precision = *precision as u8;
        }
        qualifier.fraction = numbers.get(1).map_or(3, |digits| (*digits).min(3) as u8);
        if self.at_word("TO")
            && let Token::Word(_, upper) = self.peek_at(1)
            && let Some(to) = Unit::from_word(upper)
            && to > from
        {
            if (from <= Unit::Month) != (to <= Unit::Month) {
                return Err(Box::new(Diagnostic::error(span, "months have no fixed number of days: YEAR TO MONTH, or DAY TO SECOND")));
            }
            self.advance();
            self.advance();
            qualifier.to = to;
            if let Some(fraction) = self.lengths()?.first() {
                qualifier.fraction = (*fraction).min(3) as u8;
            }
        }
        Ok(qualifier)
    }
}
