//! Expressions, by precedence.

use super::super::ast::{Call, Expr, Ident, Kind};
use super::super::datetime;
use super::super::diagnostic::{Diagnostic, Span};
use super::super::interval::Unit;
use super::super::lex::{Token, is_reserved};
use super::super::types::SqlType;
use super::super::value::Value;
use super::{Parsed, Parser};

const TEMPORAL: [&str; 7] = ["EQUALS", "CONTAINS", "OVERLAPS", "PRECEDES", "SUCCEEDS", "LEADS", "LAGS"];

fn node(kind: Kind, span: Span) -> Expr {
    Expr { kind, span }
}

impl Parser<'_> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.deeper(Self::or)
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut left = self.and()?;
        while self.accept_word("OR") {
            let right = self.and()?;
            let span = left.span.to(right.span);
            left = node(Kind::Binary("OR", Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.not()?;
        while self.accept_word("AND") {
            let right = self.not()?;
            let span = left.span.to(right.span);
            left = node(Kind::Binary("AND", Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Expr> {
        let span = self.span();
        if self.accept_word("NOT") {
            let operand = self.deeper(Self::not)?;
            let span = span.to(operand.span);
            return Ok(node(Kind::Unary("NOT", Box::new(operand)), span));
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Parsed<Expr> {
        let mut left = self.additive()?;
        loop {
            let start = left.span;
            if let Token::Sign(op @ ("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=")) = self.peek() {
                let op = if *op == "!=" { "<>" } else { *op };
                self.advance();
                let right = self.additive()?;
                let span = start.to(right.span);
                left = node(Kind::Binary(op, Box::new(left), Box::new(right)), span);
                continue;
            }
            let negated = self.at_word("NOT") && ["BETWEEN", "IN", "LIKE", "SIMILAR"].iter().any(|word| self.word_at(1, word));
            if negated {
                self.advance();
            }
            if self.accept_word("BETWEEN") {
                self.accept_word("ASYMMETRIC");
                let low = self.additive()?;
                self.expect_word("AND")?;
                let high = self.additive()?;
                let span = start.to(high.span);
                left = node(Kind::Between(negated, Box::new(left), Box::new(low), Box::new(high)), span);
            } else if self.accept_word("IN") {
                self.expect("(")?;
                let kind = if self.at_word("SELECT") || self.at_word("VALUES") {
                    Kind::InQuery(negated, Box::new(left), Box::new(self.query()?))
                } else {
                    let mut list = vec![self.expr()?];
                    while self.accept(",") {
                        list.push(self.expr()?);
                    }
                    Kind::In(negated, Box::new(left), list)
                };
                self.expect(")")?;
                left = node(kind, start.to(self.last_span()));
            } else if self.at_word("LIKE") || self.at_word("SIMILAR") {
                let similar = self.accept_word("SIMILAR");
                if similar {
                    self.expect_word("TO")?;
                } else {
                    self.advance();
                }
                let pattern = self.additive()?;
                let escape = if self.accept_word("ESCAPE") { Some(Box::new(self.additive()?)) } else { None };
                let span = start.to(self.last_span());
                left = node(Kind::Match(negated, similar, Box::new(left), Box::new(pattern), escape), span);
            } else if self.accept_word("IS") {
                let negated = self.accept_word("NOT");
                if self.accept_word("DISTINCT") {
                    self.expect_word("FROM")?;
                    let right = self.additive()?;
                    let span = start.to(right.span);
                    left = node(Kind::Distinct(negated, Box::new(left), Box::new(right)), span);
                } else {
                    let Some(what) = ["NULL", "TRUE", "FALSE", "UNKNOWN"].into_iter().find(|word| self.accept_word(word)) else {
                        return Err(self.unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"));
                    };
                    left = node(Kind::Is(negated, what, Box::new(left)), start.to(self.last_span()));
                }
            } else if let Some(predicate) = self.temporal(&left)? {
                left = predicate;
            } else {
                return Ok(left);
            }
        }
    }

    /// `(a, b) [STRICTLY] PRECEDES (c, d)`, also chained.
    fn temporal(&mut self, left: &Expr) -> Parsed<Option<Expr>> {
        let strictness = ["STRICTLY", "IMMEDIATELY"].into_iter().find(|word| self.at_word(word));
        let ahead = usize::from(strictness.is_some());
        let Some(name) = TEMPORAL.into_iter().find(|word| self.word_at(ahead, word)) else { return Ok(None) };
        if !matches!(left.kind, Kind::Row(_)) && !matches!(&left.kind, Kind::Binary("AND", ..) | Kind::Temporal(..)) {
            return Ok(None);
        }
        (0..=ahead).for_each(|_| {
            self.advance();
        });
        let right = self.additive()?;
        let span = left.span.to(right.span);
        // A chain: the middle period belongs to both.
        let middle = match &left.kind {
            Kind::Temporal(.., middle) => Some((**middle).clone()),
            Kind::Binary("AND", _, last) => match &last.kind {
                Kind::Temporal(.., middle) => Some((**middle).clone()),
                _ => None,
            },
            _ => None,
        };
        let strictness = strictness.unwrap_or("");
        Ok(Some(match middle {
            Some(middle) => {
                let second = node(Kind::Temporal(strictness, name, Box::new(middle), Box::new(right)), span);
                node(Kind::Binary("AND", Box::new(left.clone()), Box::new(second)), span)
            }
            None => node(Kind::Temporal(strictness, name, Box::new(left.clone()), Box::new(right)), span),
        }))
    }

    fn additive(&mut self) -> Parsed<Expr> {
        let mut left = self.multiplicative()?;
        while let Token::Sign(op @ ("+" | "-" | "||")) = self.peek() {
            let op = *op;
            self.advance();
            let right = self.multiplicative()?;
            let span = left.span.to(right.span);
            left = node(Kind::Binary(op, Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn multiplicative(&mut self) -> Parsed<Expr> {
        let mut left = self.unary()?;
        while let Token::Sign(op @ ("*" | "/" | "%")) = self.peek() {
            let op = *op;
            self.advance();
            let right = self.unary()?;
            let span = left.span.to(right.span);
            left = node(Kind::Binary(op, Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let span = self.span();
        if let Token::Sign(op @ ("-" | "+")) = self.peek() {
            let op = *op;
            self.advance();
            // -2147483648 and its like are one literal.
            if op == "-"
                && let Token::Number(text) = self.peek().clone()
            {
                let number = self.span();
                self.advance();
                let literal = Self::number(&format!("-{text}"), span.to(number))?;
                return self.postfix(literal);
            }
            let operand = self.deeper(Self::unary)?;
            let span = span.to(operand.span);
            return Ok(node(Kind::Unary(op, Box::new(operand)), span));
        }
        let primary = self.primary()?;
        self.postfix(primary)
    }

    /// Record fields, interval qualifiers.
    fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            let parenthesised = self.text.get(expr.span.start..expr.span.end).is_some_and(|text| text.starts_with('(') && text.ends_with(')'));
            if parenthesised
                && let Token::Word(_, word) = self.peek()
                && Unit::from_word(word).is_some()
            {
                let qualifier = self.qualifier()?;
                expr = node(Kind::Qualified(Box::new(expr.clone()), qualifier), expr.span.to(self.last_span()));
                continue;
            }
            return Ok(expr);
        }
    }

    fn number(text: &str, span: Span) -> Parsed<Expr> {
        let wrong = |why: &str| Box::new(Diagnostic::error(span, format!("{text}: {why}")));
        if text.contains(['e', 'E']) {
            let value: f64 = text.parse().map_err(|_| wrong("is no number"))?;
            if !value.is_finite() {
                return Err(wrong("is too large"));
            }
            return Ok(node(Kind::Literal(Value::Num(value), SqlType::Double), span));
        }
        if let Some((whole, fraction)) = text.split_once('.') {
            let digits: String = [whole, fraction].concat();
            let scale = fraction.len();
            let significant = digits.trim_start_matches('-').trim_start_matches('0').len().max(scale).max(1);
            if significant > 19 || scale > 19 {
                let value: f64 = text.parse().map_err(|_| wrong("is no number"))?;
                return Ok(node(Kind::Literal(Value::Num(value), SqlType::Double), span));
            }
            let value: i64 = if digits.is_empty() || digits == "-" { 0 } else { digits.parse().map_err(|_| wrong("has more than 18 digits"))? };
            let precision = digits.trim_start_matches('-').trim_start_matches('0').len().max(scale).max(1);
            let precision = if whole.trim_start_matches('-').chars().all(|c| c == '0') { precision.max(scale) } else { precision };
            return Ok(node(Kind::Literal(Value::Dec(value, scale as u8), SqlType::Decimal(precision.max(1) as u8, scale as u8)), span));
        }
        let value: i64 = text.parse().map_err(|_| wrong("does not fit BIGINT"))?;
        let ty = if i32::try_from(value).is_ok() { SqlType::Integer } else { SqlType::BigInt };
        Ok(node(Kind::Literal(Value::Int(value), ty), span))
    }

    fn text_literal(content: &str, span: Span) -> Expr {
        let length = content.chars().count().max(1) as u32;
        node(Kind::Literal(Value::text(content), SqlType::Char(length)), span)
    }

    /// An expression without operators around it.
    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        let span = self.span();
        match self.peek().clone() {
            Token::Number(text) => {
                self.advance();
                Self::number(&text, span)
            }
            Token::Text(content) => {
                self.advance();
                Ok(Self::text_literal(&content, span))
            }
            Token::Bytes(bytes) => {
                self.advance();
                let ty = SqlType::Binary(bytes.len().max(1) as u32);
                Ok(node(Kind::Literal(Value::Bytes(bytes.into()), ty), span))
            }
            Token::Sign("(") => {
                self.advance();
                if self.at_word("SELECT") {
                    return Err(self.unexpected("an expression; a subquery stands in FROM, or after IN and EXISTS"));
                }
                let first = self.expr()?;
                if self.accept(",") {
                    let mut all = vec![first, self.expr()?];
                    while self.accept(",") {
                        all.push(self.expr()?);
                    }
                    self.expect(")")?;
                    return Ok(node(Kind::Row(all), span.to(self.last_span())));
                }
                self.expect(")")?;
                Ok(Expr { kind: first.kind, span: span.to(self.last_span()) })
            }
            Token::Sign("{") => self.brace(span),
            Token::Quoted(_) => self.name(),
            Token::Word(_, word) => self.word(&word, span),
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// `{ts '…'}` and its like.
    fn brace(&mut self, span: Span) -> Parsed<Expr> {
        self.advance();
        let Token::Word(_, word) = self.advance() else { return Err(self.unexpected("d, t or ts")) };
        let Token::Text(content) = self.advance() else { return Err(self.unexpected("a text")) };
        self.expect("}")?;
        let word = match word.as_str() {
            "D" => "DATE",
            "T" => "TIME",
            _ => "TIMESTAMP",
        };
        Self::datetime_literal(word, &content, span.to(self.last_span()))
    }

    fn datetime_literal(word: &str, content: &str, span: Span) -> Parsed<Expr> {
        let (value, ty, form) = match word {
            "DATE" => (datetime::parse_date(content), SqlType::Date, "yyyy-MM-dd"),
            "TIME" => (datetime::parse_time(content, false), SqlType::Time, "HH:mm:ss"),
            _ => (datetime::parse_timestamp(content, true), SqlType::Timestamp, "yyyy-MM-dd HH:mm:ss"),
        };
        match value {
            Some(ms) => Ok(node(Kind::Literal(Value::Ms(ms), ty), span)),
            None => Err(Box::new(Diagnostic::error(span, format!("'{content}' is no {word}; expected exactly {form}")))),
        }
    }

    fn name(&mut self) -> Parsed<Expr> {
        let span = self.span();
        let mut parts = vec![self.part()?];
        while self.at_sign(".") && !self.sign_at(1, "*") {
            self.advance();
            parts.push(self.part()?);
        }
        Ok(node(Kind::Name(parts), span.to(self.last_span())))
    }

    /// A part of a name in an expression: system columns are allowed although they are reserved.
    fn part(&mut self) -> Parsed<Ident> {
        let span = self.span();
        if let Token::Word(_, upper) = self.peek().clone()
            && matches!(upper.as_str(), "ROWTIME" | "APPROXIMATE_ARRIVAL_TIME" | "SHARD_ID" | "SEQUENCE_NUMBER" | "PARTITION_KEY" | "PARTITION_ID")
        {
            self.advance();
            return Ok(Ident { name: upper, quoted: false, span });
        }
        self.ident("a column")
    }

    fn word(&mut self, word: &str, span: Span) -> Parsed<Expr> {
        let constant = |value, ty| Ok(node(Kind::Literal(value, ty), span));
        match word {
            "TRUE" | "FALSE" | "UNKNOWN" => {
                self.advance();
                return constant(if word == "UNKNOWN" { Value::Null } else { Value::Bool(word == "TRUE") }, SqlType::Boolean);
            }
            "NULL" => {
                self.advance();
                return constant(Value::Null, SqlType::Null);
            }
            "DATE" | "TIME" | "TIMESTAMP" => {
                if let Token::Text(content) = self.peek_at(1).clone() {
                    self.advance();
                    self.advance();
                    return Self::datetime_literal(word, &content, span.to(self.last_span()));
                }
            }
            "INTERVAL" => return self.interval(span),
            "CASE" => return self.case(span),
            "EXISTS" => {
                self.advance();
                self.expect("(")?;
                let query = self.query()?;
                self.expect(")")?;
                return Ok(node(Kind::Exists(Box::new(query)), span.to(self.last_span())));
            }
            "CURRENT_DATE"
            | "CURRENT_TIME"
            | "CURRENT_TIMESTAMP"
            | "LOCALTIME"
            | "LOCALTIMESTAMP"
            | "CURRENT_ROW_TIMESTAMP"
            | "CURRENT_PATH"
            | "SYSTEM_USER"
            | "CURRENT_USER"
            | "SESSION_USER"
                if !self.sign_at(1, ".") =>
            {
                self.advance();
                return Ok(node(Kind::Call(Self::call(word, span, Vec::new())), span));
            }
            "ROW" | "PERIOD" if self.sign_at(1, "(") => {
                self.advance();
                self.advance();
                let mut all = vec![self.expr()?];
                while self.accept(",") {
                    all.push(self.expr()?);
                }
                self.expect(")")?;
                return Ok(node(Kind::Row(all), span.to(self.last_span())));
            }
            _ => {}
        }
        if self.sign_at(1, "(") {
            return self.function(word, span);
        }
        if is_reserved(word)
            && !matches!(word, "ROWTIME" | "APPROXIMATE_ARRIVAL_TIME" | "SHARD_ID" | "SEQUENCE_NUMBER" | "PARTITION_KEY" | "PARTITION_ID")
        {
            return Err(self.unexpected("an expression"));
        }
        self.name()
    }

    fn interval(&mut self, span: Span) -> Parsed<Expr> {
        self.advance();
        let negative = self.accept("-");
        if !negative {
            self.accept("+");
        }
        let Token::Text(content) = self.peek().clone() else { return Err(self.unexpected("a text such as '1'")) };
        self.advance();
        let qualifier = self.qualifier()?;
        let span = span.to(self.last_span());
        let value = qualifier.parse(&content).map_err(|why| Box::new(Diagnostic::error(span, why)))?;
        Ok(node(Kind::Literal(Value::Ms(if negative { -value } else { value }), SqlType::Interval(qualifier)), span))
    }

    fn case(&mut self, span: Span) -> Parsed<Expr> {
        self.advance();
        let operand = if self.at_word("WHEN") { None } else { Some(Box::new(self.expr()?)) };
        let mut branches = Vec::new();
        while self.accept_word("WHEN") {
            let condition = self.expr()?;
            self.expect_word("THEN")?;
            branches.push((condition, self.expr()?));
        }
        if branches.is_empty() {
            return Err(self.unexpected("WHEN"));
        }
        let otherwise = if self.accept_word("ELSE") { Some(Box::new(self.expr()?)) } else { None };
        self.expect_word("END")?;
        Ok(node(Kind::Case(operand, branches, otherwise), span.to(self.last_span())))
    }

    fn call(name: &str, span: Span, args: Vec<Expr>) -> Call {
        Call { name: name.to_owned(), span, args, star: false, distinct: false, ignore_nulls: false, from_last: false, filter: false, over: None }
    }

    fn function(&mut self, name: &str, span: Span) -> Parsed<Expr> {
        self.advance();
        self.expect("(")?;
        let done = |parser: &mut Self, kind| {
            parser.expect(")")?;
            Ok(node(kind, span.to(parser.last_span())))
        };
        match name {
            "CAST" => {
                let value = self.expr()?;
                self.expect_word("AS")?;
                let ty = self.data_type()?;
                return done(self, Kind::Cast(Box::new(value), ty));
            }
            "EXTRACT" => {
                let unit = self.unit()?;
                self.expect_word("FROM")?;
                let value = self.expr()?;
                return done(self, Kind::ToUnit("EXTRACT", Box::new(value), unit));
            }
            "FLOOR" | "CEIL" | "CEILING" => {
                let value = self.expr()?;
                let name = if name == "FLOOR" { "FLOOR" } else { "CEIL" };
                if self.accept_word("TO") {
                    let unit = self.unit()?;
                    return done(self, Kind::ToUnit(name, Box::new(value), unit));
                }
                return done(self, Kind::Call(Self::call(name, span, vec![value])));
            }
            "STEP" => {
                let value = self.expr()?;
                if !self.accept(",") {
                    self.expect_word("BY")?;
                }
                let by = self.expr()?;
                return done(self, Kind::Call(Self::call("STEP", span, vec![value, by])));
            }
            "POSITION" => {
                let part = self.additive()?;
                self.expect_word("IN")?;
                let whole = self.expr()?;
                return done(self, Kind::Call(Self::call("POSITION", span, vec![part, whole])));
            }
            "SUBSTRING" => {
                let value = self.additive()?;
                if self.accept_word("SIMILAR") {
                    let pattern = self.additive()?;
                    self.expect_word("ESCAPE")?;
                    let escape = self.additive()?;
                    return done(self, Kind::Call(Self::call("SUBSTRING SIMILAR", span, vec![value, pattern, escape])));
                }
                let (name, from) = if self.accept(",") {
                    ("SUBSTRING ,", self.expr()?)
                } else {
                    self.expect_word("FROM")?;
                    ("SUBSTRING", self.expr()?)
                };
                let mut args = vec![value, from];
                if self.accept(",") || self.accept_word("FOR") {
                    args.push(self.expr()?);
                }
                return done(self, Kind::Call(Self::call(name, span, args)));
            }
            "OVERLAY" => {
                let mut args = vec![self.expr()?];
                self.expect_word("PLACING")?;
                args.push(self.expr()?);
                self.expect_word("FROM")?;
                args.push(self.expr()?);
                if self.accept_word("FOR") {
                    args.push(self.expr()?);
                }
                return done(self, Kind::Call(Self::call("OVERLAY", span, args)));
            }
            "TRIM" => {
                let side = ["BOTH", "LEADING", "TRAILING"].into_iter().find(|word| self.accept_word(word));
                let blank = Self::text_literal(" ", span);
                let side_arg = Self::text_literal(side.unwrap_or("BOTH"), span);
                let (what, value) = if self.accept_word("FROM") {
                    (blank, self.expr()?)
                } else {
                    let first = self.expr()?;
                    if self.accept_word("FROM") { (first, self.expr()?) } else { (blank, first) }
                };
                return done(self, Kind::Call(Self::call("TRIM", span, vec![side_arg, what, value])));
            }
            _ => {}
        }
        let mut call = Self::call(name, span, Vec::new());
        if self.accept("*") {
            call.star = true;
        } else if !self.at_sign(")") {
            call.distinct = self.accept_word("DISTINCT");
            if !call.distinct {
                self.accept_word("ALL");
            }
            call.args.push(self.expr()?);
            while self.accept(",") {
                call.args.push(self.expr()?);
            }
        }
        // IGNORE NULLS stands inside or behind the parentheses.
        self.null_treatment(&mut call);
        self.expect(")")?;
        if self.accept_words(&["FROM", "LAST"]) {
            call.from_last = true;
        } else {
            self.accept_words(&["FROM", "FIRST"]);
        }
        self.null_treatment(&mut call);
        if self.at_word("FILTER") && self.sign_at(1, "(") {
            self.advance();
            self.advance();
            self.expect_word("WHERE")?;
            self.expr()?;
            self.expect(")")?;
            call.filter = true;
        }
        call.over = self.window_ref()?;
        Ok(node(Kind::Call(call), span.to(self.last_span())))
    }

    fn null_treatment(&mut self, call: &mut Call) {
        if self.accept_words(&["IGNORE", "NULLS"]) {
            call.ignore_nulls = true;
        } else {
            self.accept_words(&["RESPECT", "NULLS"]);
        }
    }
}
