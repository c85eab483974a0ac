//! What the parser makes of a text. Names are resolved later.

use super::diagnostic::Span;
use super::interval::{Qualifier, Unit};
use super::types::SqlType;
use super::value::Value;

/// A name: unquoted ones are already in upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// The name as stored.
    pub name: String,
    /// It was written in quotes.
    pub quoted: bool,
    /// Its place.
    pub span: Span,
}

/// A statement.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a program has few statements")]
pub enum Statement {
    /// CREATE STREAM.
    Stream {
        /// OR REPLACE.
        replace: bool,
        /// Name.
        name: Ident,
        /// Columns.
        columns: Vec<ColumnDef>,
    },
    /// CREATE PUMP.
    Pump {
        /// OR REPLACE.
        replace: bool,
        /// Name.
        name: Ident,
        /// STOPPED.
        stopped: bool,
        /// Stream it writes to.
        target: Ident,
        /// Columns it writes; all when absent.
        columns: Option<Vec<Ident>>,
        /// What it reads.
        query: Query,
    },
    /// CREATE FUNCTION.
    Function {
        /// OR REPLACE.
        replace: bool,
        /// Name.
        name: Ident,
        /// Parameters.
        parameters: Vec<(Ident, SqlType)>,
        /// Result.
        returns: SqlType,
        /// RETURNS NULL ON NULL INPUT.
        strict: bool,
        /// Body.
        body: Box<Expr>,
    },
    /// ALTER PUMP name START | STOP.
    AlterPump {
        /// Name.
        name: Ident,
        /// START.
        start: bool,
    },
    /// DROP PUMP or DROP STREAM.
    Drop {
        /// A pump, else a stream.
        pump: bool,
        /// Name.
        name: Ident,
    },
}

/// A column of CREATE STREAM.
#[derive(Debug, Clone)]
pub struct ColumnDef {
    /// Name.
    pub name: Ident,
    /// Type.
    pub ty: SqlType,
    /// NOT NULL.
    pub not_null: bool,
}

/// A query.
#[derive(Debug, Clone)]
pub struct Query {
    /// What.
    pub body: QueryBody,
    /// ORDER BY.
    pub order: Vec<OrderItem>,
    /// WITHIN: the sort's slack in milliseconds.
    pub within: Option<i64>,
    /// Place.
    pub span: Span,
}

/// The body of a query.
#[derive(Debug, Clone)]
pub enum QueryBody {
    /// SELECT.
    Select(Box<Select>),
    /// Two queries: UNION ALL when `all_union`, else the operator's name.
    Set {
        /// UNION, EXCEPT, INTERSECT.
        op: &'static str,
        /// ALL.
        all: bool,
        /// Left.
        left: Box<Query>,
        /// Right.
        right: Box<Query>,
    },
    /// VALUES.
    Values(Vec<Vec<Expr>>),
}

/// SELECT.
#[derive(Debug, Clone)]
pub struct Select {
    /// STREAM was written.
    pub stream: bool,
    /// DISTINCT.
    pub distinct: bool,
    /// Items.
    pub items: Vec<Item>,
    /// FROM, joined by commas.
    pub from: Vec<Relation>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group: Option<Vec<Expr>>,
    /// WINDOWED BY STAGGER: partition expressions and milliseconds.
    pub stagger: Option<(Vec<Expr>, i64)>,
    /// HAVING.
    pub having: Option<Expr>,
    /// WINDOW.
    pub windows: Vec<(Ident, WindowSpec)>,
    /// Place of SELECT.
    pub span: Span,
}

/// An item of the select list.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a query has few items")]
pub enum Item {
    /// `*` or `alias.*`.
    Star(Option<Ident>, Span),
    /// An expression with its alias.
    Expr(Expr, Option<Ident>),
}

/// Something to read from.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a query has few relations")]
pub enum Relation {
    /// A stream or table.
    Named {
        /// Qualified name.
        name: Vec<Ident>,
        /// OVER.
        window: Option<WindowRef>,
        /// Alias.
        alias: Option<Alias>,
    },
    /// A subquery.
    Derived(Box<Query>, Option<WindowRef>, Option<Alias>),
    /// TABLE(f(CURSOR(…), …)).
    Function {
        /// Its name.
        name: Ident,
        /// The cursor.
        cursor: Box<Query>,
        /// Literals.
        args: Vec<Expr>,
        /// Alias.
        alias: Option<Alias>,
    },
    /// A join.
    Join {
        /// Kind.
        kind: JoinKind,
        /// Left.
        left: Box<Relation>,
        /// Right.
        right: Box<Relation>,
        /// ON.
        on: Option<Expr>,
        /// USING.
        using: Vec<Ident>,
        /// Place.
        span: Span,
    },
}

/// Kind of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// INNER and CROSS.
    Inner,
    /// LEFT.
    Left,
    /// RIGHT.
    Right,
    /// FULL.
    Full,
}

/// `[AS] alias [(columns)]`.
#[derive(Debug, Clone)]
pub struct Alias {
    /// Name.
    pub name: Ident,
    /// New names of the columns.
    pub columns: Option<Vec<Ident>>,
}

/// OVER (…) or OVER name.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a query has few windows")]
pub enum WindowRef {
    /// A window of the WINDOW clause.
    Named(Ident),
    /// Written in place.
    Inline(WindowSpec),
}

/// A window.
#[derive(Debug, Clone, Default)]
pub struct WindowSpec {
    /// A window it extends.
    pub base: Option<Ident>,
    /// PARTITION BY.
    pub partition: Vec<Expr>,
    /// ORDER BY.
    pub order: Vec<OrderItem>,
    /// ROWS or RANGE.
    pub frame: Option<Frame>,
    /// Place.
    pub span: Span,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// ROWS, else RANGE.
    pub rows: bool,
    /// First bound.
    pub start: Bound,
    /// Last bound, when BETWEEN was written.
    pub end: Option<Bound>,
    /// Place.
    pub span: Span,
}

/// A bound of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// UNBOUNDED PRECEDING.
    UnboundedPreceding,
    /// UNBOUNDED FOLLOWING.
    UnboundedFollowing,
    /// CURRENT ROW.
    CurrentRow,
    /// So many rows before; negative when FOLLOWING.
    Rows(i64, bool),
    /// So many milliseconds before; the flag says FOLLOWING.
    Interval(i64, bool),
}

/// An item of ORDER BY.
#[derive(Debug, Clone)]
pub struct OrderItem {
    /// What.
    pub expr: Expr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST or LAST, when written.
    pub nulls_first: Option<bool>,
    /// DESC or ASC was written.
    pub explicit: bool,
}

/// An expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What.
    pub kind: Kind,
    /// Where.
    pub span: Span,
}

/// Kinds of expressions.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A constant.
    Literal(Value, SqlType),
    /// A name with its qualifiers.
    Name(Vec<Ident>),
    /// A sign before an operand: `-`, `+`, `NOT`.
    Unary(&'static str, Box<Expr>),
    /// An operator between operands.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// A function.
    Call(Call),
    /// CAST.
    Cast(Box<Expr>, SqlType),
    /// CASE: operand, branches, ELSE.
    Case(Option<Box<Expr>>, Vec<(Expr, Expr)>, Option<Box<Expr>>),
    /// BETWEEN: negated, value, low, high.
    Between(bool, Box<Expr>, Box<Expr>, Box<Expr>),
    /// IN a list.
    In(bool, Box<Expr>, Vec<Expr>),
    /// IN a subquery.
    InQuery(bool, Box<Expr>, Box<Query>),
    /// EXISTS.
    Exists(Box<Query>),
    /// LIKE or SIMILAR TO: negated, similar, text, pattern, escape.
    Match(bool, bool, Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// IS \[NOT\] NULL, TRUE, FALSE, UNKNOWN.
    Is(bool, &'static str, Box<Expr>),
    /// IS \[NOT\] DISTINCT FROM.
    Distinct(bool, Box<Expr>, Box<Expr>),
    /// (a - b) DAY TO SECOND.
    Qualified(Box<Expr>, Qualifier),
    /// FLOOR, CEIL to a unit, EXTRACT of a unit.
    ToUnit(&'static str, Box<Expr>, Unit),
    /// A row of values, or a period.
    Row(Vec<Expr>),
    /// A temporal predicate: strictness, name, periods.
    Temporal(&'static str, &'static str, Box<Expr>, Box<Expr>),
}

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Name in upper case.
    pub name: String,
    /// Place of the name.
    pub span: Span,
    /// Arguments.
    pub args: Vec<Expr>,
    /// `COUNT(*)`.
    pub star: bool,
    /// DISTINCT.
    pub distinct: bool,
    /// IGNORE NULLS.
    pub ignore_nulls: bool,
    /// FROM LAST.
    pub from_last: bool,
    /// FILTER was written.
    pub filter: bool,
    /// OVER.
    pub over: Option<WindowRef>,
}
