//! Conditions on items, and whether they hold.

use std::cmp::Ordering;

use super::path::Path;
use super::value::{Attribute, Item};

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// What lies at a path.
    Path(Path),
    /// A value of the request.
    Value(Attribute),
    /// How large that is which lies at a path, or a value.
    Size(Box<Operand>),
}

/// How two operands compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`.
    Eq,
    /// `<>`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
}

/// A condition on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All hold.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Two operands compare so.
    Compare(Operand, Comparison, Operand),
    /// Not less than the second, not greater than the third.
    Between(Operand, Operand, Operand),
    /// Equal to one of them.
    In(Operand, Vec<Operand>),
    /// Something lies there.
    Exists(Path),
    /// What lies there has a type.
    HasType(Path, String),
    /// It begins with the other.
    BeginsWith(Operand, Operand),
    /// It contains the other.
    Contains(Operand, Operand),
}

impl Operand {
    fn of<'v>(&'v self, item: &'v Item) -> Option<std::borrow::Cow<'v, Attribute>> {
        use std::borrow::Cow;
        match self {
            Self::Path(path) => path.get(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(inner) => {
                let size = inner.of(item)?.measure()?;
                super::number::Number::read(&size.to_string()).ok().map(|size| Cow::Owned(Attribute::N(size)))
            }
        }
    }

    /// Its type, where that is known before an item is there.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Path(_) => None,
            Self::Value(value) => Some(value.kind()),
            Self::Size(_) => Some("N"),
        }
    }
}

impl Comparison {
    fn holds(self, a: Option<&Attribute>, b: Option<&Attribute>) -> bool {
        let (Some(a), Some(b)) = (a, b) else { return self == Self::Ne };
        match self {
            Self::Eq => a == b,
            Self::Ne => a != b,
            _ => a.order(b).is_some_and(|order| match self {
                Self::Lt => order == Ordering::Less,
                Self::Le => order != Ordering::Greater,
                Self::Gt => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }),
        }
    }

    /// The comparison of a sign.
    pub fn sign(token: &str) -> Option<Self> {
        Some(match token {
            "=" => Self::Eq,
            "<>" => Self::Ne,
            "<" => Self::Lt,
            "<=" => Self::Le,
            ">" => Self::Gt,
            ">=" => Self::Ge,
            _ => return None,
        })
    }
}

impl Condition {
    /// Whether it holds for an item; one that is not there has no attributes.
    pub fn holds(&self, item: &Item) -> bool {
        let compare = |a: &Operand, how: Comparison, b: &Operand| how.holds(a.of(item).as_deref(), b.of(item).as_deref());
        match self {
            Self::And(all) => all.iter().all(|condition| condition.holds(item)),
            Self::Or(any) => any.iter().any(|condition| condition.holds(item)),
            Self::Not(condition) => !condition.holds(item),
            Self::Compare(a, how, b) => compare(a, *how, b),
            Self::Between(value, low, high) => compare(value, Comparison::Ge, low) && compare(value, Comparison::Le, high),
            Self::In(value, all) => all.iter().any(|other| compare(value, Comparison::Eq, other)),
            Self::Exists(path) => path.get(item).is_some(),
            Self::HasType(path, kind) => path.get(item).is_some_and(|value| value.kind() == kind),
            Self::BeginsWith(a, b) => a.of(item).zip(b.of(item)).is_some_and(|(a, b)| a.begins_with(&b)),
            Self::Contains(a, b) => a.of(item).zip(b.of(item)).is_some_and(|(a, b)| a.contains(&b)),
        }
    }
}
