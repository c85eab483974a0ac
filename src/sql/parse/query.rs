//! Queries: SELECT, FROM, windows, ORDER BY, set operators.

use super::super::ast::{Alias, Bound, Frame, Ident, Item, JoinKind, Kind, OrderItem, Query, QueryBody, Relation, Select, WindowRef, WindowSpec};
use super::super::diagnostic::Diagnostic;
use super::super::lex::{Token, is_reserved};
use super::super::value::Value;
use super::{Parsed, Parser};

/// Words that end a relation, so that they are no alias.
const NO_ALIAS: [&str; 22] = [
    "WHERE",
    "GROUP",
    "HAVING",
    "WINDOW",
    "ORDER",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "NATURAL",
    "ON",
    "USING",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "OVER",
    "WINDOWED",
    "WITHIN",
    "AS",
    "FROM",
];

impl Parser<'_> {
    /// A query with its ORDER BY.
    pub(super) fn query(&mut self) -> Parsed<Query> {
        self.deeper(|parser| {
            let span = parser.span();
            let mut query = parser.query_term()?;
            loop {
                let op = if parser.accept_word("UNION") {
                    "UNION"
                } else if parser.accept_word("EXCEPT") {
                    "EXCEPT"
                } else {
                    break;
                };
                let all = parser.accept_word("ALL");
                let right = parser.query_term()?;
                let span = span.to(parser.last_span());
                query =
                    Query { body: QueryBody::Set { op, all, left: Box::new(query), right: Box::new(right) }, order: Vec::new(), within: None, span };
            }
            parser.order_by(&mut query)?;
            query.span = span.to(parser.last_span());
            Ok(query)
        })
    }

    fn query_term(&mut self) -> Parsed<Query> {
        let span = self.span();
        let mut query = self.query_primary()?;
        while self.accept_word("INTERSECT") {
            let all = self.accept_word("ALL");
            let right = self.query_primary()?;
            let span = span.to(self.last_span());
            query = Query {
                body: QueryBody::Set { op: "INTERSECT", all, left: Box::new(query), right: Box::new(right) },
                order: Vec::new(),
                within: None,
                span,
            };
        }
        Ok(query)
    }

    fn query_primary(&mut self) -> Parsed<Query> {
        let span = self.span();
        if self.accept("(") {
            let query = self.query()?;
            self.expect(")")?;
            return Ok(query);
        }
        if self.accept_word("VALUES") {
            let mut rows = Vec::new();
            loop {
                self.expect("(")?;
                let mut row = vec![self.expr()?];
                while self.accept(",") {
                    row.push(self.expr()?);
                }
                self.expect(")")?;
                rows.push(row);
                if !self.accept(",") {
                    break;
                }
            }
            return Ok(Query { body: QueryBody::Values(rows), order: Vec::new(), within: None, span });
        }
        let select = self.select()?;
        Ok(Query { body: QueryBody::Select(Box::new(select)), order: Vec::new(), within: None, span: span.to(self.last_span()) })
    }

    fn order_by(&mut self, query: &mut Query) -> Parsed<()> {
        if !self.accept_word("ORDER") {
            return Ok(());
        }
        self.expect_word("BY")?;
        query.order = self.order_items()?;
        if self.accept_word("WITHIN") {
            query.within = Some(self.interval_millis()?);
        }
        Ok(())
    }

    fn order_items(&mut self) -> Parsed<Vec<OrderItem>> {
        let mut items = Vec::new();
        loop {
            let expr = self.expr()?;
            let ascending = self.accept_word("ASC");
            let descending = !ascending && self.accept_word("DESC");
            let nulls_first = if self.accept_words(&["NULLS", "FIRST"]) {
                Some(true)
            } else if self.accept_words(&["NULLS", "LAST"]) {
                Some(false)
            } else {
                None
            };
            items.push(OrderItem { expr, descending, nulls_first, explicit: ascending || descending });
            if !self.accept(",") {
                return Ok(items);
            }
        }
    }

    /// An interval literal as milliseconds.
    fn interval_millis(&mut self) -> Parsed<i64> {
        let expr = self.primary()?;
        match &expr.kind {
            Kind::Literal(Value::Ms(ms), ty) if ty.is_interval() => Ok(*ms),
            _ => Err(Box::new(Diagnostic::error(expr.span, "expected an interval such as INTERVAL '1' MINUTE"))),
        }
    }

    fn select(&mut self) -> Parsed<Select> {
        let span = self.span();
        self.expect_word("SELECT")?;
        let stream = self.accept_word("STREAM");
        let distinct = self.accept_word("DISTINCT");
        if !distinct {
            self.accept_word("ALL");
        }
        let mut items = Vec::new();
        loop {
            items.push(self.item()?);
            if !self.accept(",") {
                break;
            }
        }
        self.expect_word("FROM")?;
        let mut from = Vec::new();
        loop {
            from.push(self.relation()?);
            if !self.accept(",") {
                break;
            }
        }
        let mut select = Select { stream, distinct, items, from, filter: None, group: None, stagger: None, having: None, windows: Vec::new(), span };
        if self.accept_word("WHERE") {
            select.filter = Some(self.expr()?);
        }
        if self.accept_word("GROUP") {
            self.expect_word("BY")?;
            let mut terms = Vec::new();
            if self.at_sign("(") && self.sign_at(1, ")") {
                self.advance();
                self.advance();
            } else {
                terms.push(self.expr()?);
                while self.accept(",") {
                    terms.push(self.expr()?);
                }
            }
            select.group = Some(terms);
        }
        if self.accept_word("WINDOWED") {
            self.expect_word("BY")?;
            self.expect_word("STAGGER")?;
            self.expect("(")?;
            self.expect_word("PARTITION")?;
            self.expect_word("BY")?;
            let mut keys = vec![self.expr()?];
            while self.accept(",") {
                keys.push(self.expr()?);
            }
            self.expect_word("RANGE")?;
            let range = self.interval_millis()?;
            self.accept_word("PRECEDING");
            self.expect(")")?;
            select.stagger = Some((keys, range));
        }
        if self.accept_word("HAVING") {
            select.having = Some(self.expr()?);
        }
        if self.accept_word("WINDOW") {
            loop {
                let name = self.ident("a window")?;
                self.expect_word("AS")?;
                self.expect("(")?;
                let window = self.window_spec()?;
                self.expect(")")?;
                select.windows.push((name, window));
                if !self.accept(",") {
                    break;
                }
            }
        }
        Ok(select)
    }

    fn item(&mut self) -> Parsed<Item> {
        let span = self.span();
        if self.accept("*") {
            return Ok(Item::Star(None, span));
        }
        if matches!(self.peek(), Token::Word(..) | Token::Quoted(_)) && self.sign_at(1, ".") && self.sign_at(2, "*") {
            let name = self.ident("a relation")?;
            self.advance();
            self.advance();
            return Ok(Item::Star(Some(name), span.to(self.last_span())));
        }
        let expr = self.expr()?;
        let alias = if self.accept_word("AS") { Some(self.alias_ident()?) } else { self.bare_alias() };
        Ok(Item::Expr(expr, alias))
    }

    /// After AS: ROWTIME gives the row its time.
    fn alias_ident(&mut self) -> Parsed<Ident> {
        let span = self.span();
        if self.accept_word("ROWTIME") {
            return Ok(Ident { name: "ROWTIME".to_owned(), quoted: false, span });
        }
        self.ident("a column")
    }

    /// An alias without AS.
    fn bare_alias(&mut self) -> Option<Ident> {
        let span = self.span();
        match self.peek().clone() {
            Token::Quoted(name) => {
                self.advance();
                Some(Ident { name, quoted: true, span })
            }
            Token::Word(_, upper) if !is_reserved(&upper) && !NO_ALIAS.contains(&upper.as_str()) => {
                self.advance();
                Some(Ident { name: upper, quoted: false, span })
            }
            _ => None,
        }
    }

    fn alias(&mut self) -> Parsed<Option<Alias>> {
        let name = if self.accept_word("AS") { Some(self.ident("an alias")?) } else { self.bare_alias() };
        let Some(name) = name else { return Ok(None) };
        let columns = if self.at_sign("(") {
            self.advance();
            let mut columns = vec![self.ident("a column")?];
            while self.accept(",") {
                columns.push(self.ident("a column")?);
            }
            self.expect(")")?;
            Some(columns)
        } else {
            None
        };
        Ok(Some(Alias { name, columns }))
    }

    fn relation(&mut self) -> Parsed<Relation> {
        let start = self.span();
        let mut left = self.relation_primary()?;
        loop {
            let natural = self.accept_word("NATURAL");
            let kind = if self.accept_word("JOIN") || self.accept_words(&["INNER", "JOIN"]) {
                JoinKind::Inner
            } else if self.accept_words(&["CROSS", "JOIN"]) {
                let right = self.relation_primary()?;
                let span = start.to(self.last_span());
                left = Relation::Join { kind: JoinKind::Inner, left: Box::new(left), right: Box::new(right), on: None, using: Vec::new(), span };
                continue;
            } else if self.at_word("LEFT") || self.at_word("RIGHT") || self.at_word("FULL") {
                let kind = match self.advance() {
                    Token::Word(_, word) if word == "LEFT" => JoinKind::Left,
                    Token::Word(_, word) if word == "RIGHT" => JoinKind::Right,
                    _ => JoinKind::Full,
                };
                self.accept_word("OUTER");
                self.expect_word("JOIN")?;
                kind
            } else {
                if natural {
                    return Err(self.unexpected("JOIN"));
                }
                return Ok(left);
            };
            let right = self.relation_primary()?;
            let (mut on, mut using) = (None, Vec::new());
            if natural {
                return Err(Box::new(Diagnostic::error(start.to(self.last_span()), "NATURAL JOIN is not supported here; write ON a.x = b.x")));
            } else if self.accept_word("USING") {
                self.expect("(")?;
                using.push(self.ident("a column")?);
                while self.accept(",") {
                    using.push(self.ident("a column")?);
                }
                self.expect(")")?;
            } else {
                self.expect_word("ON")?;
                on = Some(self.expr()?);
            }
            let span = start.to(self.last_span());
            left = Relation::Join { kind, left: Box::new(left), right: Box::new(right), on, using, span };
        }
    }

    fn relation_primary(&mut self) -> Parsed<Relation> {
        if self.at_word("TABLE") {
            self.advance();
            self.expect("(")?;
            let name = self.ident("a table function")?;
            self.expect("(")?;
            self.expect_word("CURSOR")?;
            self.expect("(")?;
            let cursor = Box::new(self.query()?);
            self.expect(")")?;
            let mut args = Vec::new();
            while self.accept(",") {
                args.push(self.expr()?);
            }
            self.expect(")")?;
            self.expect(")")?;
            return Ok(Relation::Function { name, cursor, args, alias: self.alias()? });
        }
        if self.at_sign("(") {
            let starts_query = self.word_at(1, "SELECT") || self.word_at(1, "VALUES") || self.sign_at(1, "(");
            self.advance();
            if starts_query {
                let query = self.query()?;
                self.expect(")")?;
                let window = self.window_ref()?;
                return Ok(Relation::Derived(Box::new(query), window, self.alias()?));
            }
            let relation = self.deeper(Self::relation)?;
            self.expect(")")?;
            return Ok(relation);
        }
        let mut name = vec![self.ident("a stream")?];
        while self.accept(".") {
            name.push(self.ident("a stream")?);
        }
        let window = self.window_ref()?;
        let alias = self.alias()?;
        // OVER may also follow the alias in programs people wrote.
        let window = match window {
            None => self.window_ref()?,
            some => some,
        };
        Ok(Relation::Named { name, window, alias })
    }

    /// OVER (…) or OVER name, when it stands here.
    pub(super) fn window_ref(&mut self) -> Parsed<Option<WindowRef>> {
        if !self.accept_word("OVER") {
            return Ok(None);
        }
        if self.accept("(") {
            let spec = self.window_spec()?;
            self.expect(")")?;
            return Ok(Some(WindowRef::Inline(spec)));
        }
        Ok(Some(WindowRef::Named(self.ident("a window")?)))
    }

    fn window_spec(&mut self) -> Parsed<WindowSpec> {
        let mut spec = WindowSpec { span: self.span(), ..WindowSpec::default() };
        let keyword = ["PARTITION", "ORDER", "ROWS", "RANGE"].iter().any(|word| self.at_word(word)) || self.at_sign(")");
        if !keyword {
            spec.base = Some(self.ident("a window")?);
        }
        if self.accept_word("PARTITION") {
            self.expect_word("BY")?;
            spec.partition.push(self.expr()?);
            while self.accept(",") {
                spec.partition.push(self.expr()?);
            }
        }
        if self.accept_word("ORDER") {
            self.expect_word("BY")?;
            spec.order = self.order_items()?;
        }
        let span = self.span();
        let rows = self.accept_word("ROWS");
        if rows || self.accept_word("RANGE") {
            let (start, end) = if self.accept_word("BETWEEN") {
                let start = self.bound()?;
                self.expect_word("AND")?;
                (start, Some(self.bound()?))
            } else {
                (self.bound()?, None)
            };
            spec.frame = Some(Frame { rows, start, end, span: span.to(self.last_span()) });
        }
        spec.span = spec.span.to(self.last_span());
        Ok(spec)
    }

    fn bound(&mut self) -> Parsed<Bound> {
        if self.accept_words(&["CURRENT", "ROW"]) {
            return Ok(Bound::CurrentRow);
        }
        if self.accept_word("UNBOUNDED") {
            if self.accept_word("PRECEDING") {
                return Ok(Bound::UnboundedPreceding);
            }
            self.expect_word("FOLLOWING")?;
            return Ok(Bound::UnboundedFollowing);
        }
        let negative = self.accept("-");
        let expr = self.primary()?;
        let following = if self.accept_word("PRECEDING") {
            false
        } else {
            self.expect_word("FOLLOWING")?;
            true
        };
        match &expr.kind {
            Kind::Literal(Value::Int(rows), _) => Ok(Bound::Rows(if negative { -rows } else { *rows }, following)),
            Kind::Literal(Value::Ms(ms), ty) if ty.is_interval() => Ok(Bound::Interval(if negative { -ms } else { *ms }, following)),
            _ => Err(Box::new(Diagnostic::error(expr.span, "expected a number of rows or an interval"))),
        }
    }
}
