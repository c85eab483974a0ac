//! The shape table: which members each request has, their types and their constraints, as static data; and the one validator driven by it.
//!
//! `decode` is how a request arrives from text: type errors first (`SerializationException`), then constraints
//! (`ValidationException`), then the typed value. [`constraints`] checks an already typed request with the same texts.

mod attribute;
mod base64_text;
mod constraint;
mod decode;
mod inputs;
mod pattern;
mod table;
mod type_check;

pub use attribute::ATTRIBUTE_VALUE;
pub use decode::{check_body, constraints, decode, decode_json, decode_with, validate};
pub use inputs::input;
pub use pattern::{Pattern, RegexPattern};

use super::kinesis::Operation;

/// Which year's model of the service validates: the workshop's or today's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum ModelYear {
    /// November 2018: provisioned streams only, 1 MiB records, names instead of ARNs.
    Y2018,
    /// The newest model known.
    #[default]
    Current,
}

/// Least and greatest allowed value, length or count; both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Least, if any.
    pub min: Option<i64>,
    /// Greatest, if any.
    pub max: Option<i64>,
}

impl Span {
    /// Any value.
    pub const ANY: Self = Self { min: None, max: None };

    /// From `min` to `max`.
    pub const fn of(min: i64, max: i64) -> Self {
        Self { min: Some(min), max: Some(max) }
    }

    /// From `min` upwards.
    pub const fn from(min: i64) -> Self {
        Self { min: Some(min), max: None }
    }

    /// Whether `value` lies within.
    pub fn contains(self, value: i64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// The type of a member.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text; the span bounds its length in characters.
    Text(Option<Pattern>),
    /// One word of a fixed set.
    Word(&'static [&'static str]),
    /// Bytes, base64 in JSON; the span bounds their number.
    Blob,
    /// A 32-bit integer; the span bounds its value.
    Integer,
    /// A flag.
    Boolean,
    /// A number with a fraction.
    Double,
    /// An instant.
    Timestamp,
    /// A list of one shape; the span bounds the number of items.
    List(&'static Shape),
    /// A map of texts; the span bounds the number of entries.
    Map(&'static Shape, &'static Shape),
    /// Named members.
    Structure(&'static [Member]),
}

/// A named type with its constraints.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// AWS's name of the shape.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    span: Span,
    span_2018: Span,
}

impl Shape {
    /// A shape with the same bounds in every year.
    pub const fn of(name: &'static str, kind: Kind, span: Span) -> Self {
        Self::new(name, kind, span)
    }

    const fn new(name: &'static str, kind: Kind, span: Span) -> Self {
        Self { name, kind, span, span_2018: span }
    }

    const fn in_2018(mut self, span: Span) -> Self {
        self.span_2018 = span;
        self
    }

    /// The bounds in a year.
    pub const fn span(&self, year: ModelYear) -> Span {
        match year {
            ModelYear::Y2018 => self.span_2018,
            ModelYear::Current => self.span,
        }
    }

    /// The type in one word, as the CLI's help names it.
    pub const fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Text(_) | Kind::Word(_) => "string",
            Kind::Blob => "blob",
            Kind::Integer => "integer",
            Kind::Double => "double",
            Kind::Boolean => "boolean",
            Kind::Timestamp => "timestamp",
            Kind::List(_) => "list",
            Kind::Map(..) => "map",
            Kind::Structure(_) => "structure",
        }
    }

    /// Whether the shape has no members or items of its own.
    pub const fn is_scalar(&self) -> bool {
        !matches!(self.kind, Kind::List(_) | Kind::Map(..) | Kind::Structure(_))
    }
}

/// A member of a request or structure.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// AWS's name of the member.
    pub name: &'static str,
    /// Its shape.
    pub shape: &'static Shape,
    required: bool,
    required_2018: bool,
    since: ModelYear,
}

impl Member {
    const fn required(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, shape, required: true, required_2018: true, since: ModelYear::Y2018 }
    }

    /// A member that must be given, in every year.
    pub const fn needed(name: &'static str, shape: &'static Shape) -> Self {
        Self::required(name, shape)
    }

    /// A member that may be left out, in every year.
    pub const fn optional(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, shape, required: false, required_2018: false, since: ModelYear::Y2018 }
    }

    /// Required in the model of 2018, optional today.
    const fn once_required(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, shape, required: false, required_2018: true, since: ModelYear::Y2018 }
    }

    /// Not in the model of 2018, optional today.
    const fn recent(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, shape, required: false, required_2018: false, since: ModelYear::Current }
    }

    /// Whether the member must be given in a year.
    pub const fn is_required(&self, year: ModelYear) -> bool {
        match year {
            ModelYear::Y2018 => self.required_2018,
            ModelYear::Current => self.required,
        }
    }

    /// Whether a year's model has the member.
    pub fn is_known(&self, year: ModelYear) -> bool {
        self.since <= year
    }
}

impl Operation {
    /// The members of the request in AWS's order, of all years; see [`Member::is_known`].
    pub fn members(self) -> &'static [Member] {
        input(self)
    }

    /// The first model that has the operation.
    pub const fn since(self) -> ModelYear {
        match self {
            Self::DeleteResourcePolicy
            | Self::DescribeAccountSettings
            | Self::GetResourcePolicy
            | Self::ListTagsForResource
            | Self::PutResourcePolicy
            | Self::TagResource
            | Self::UntagResource
            | Self::UpdateAccountSettings
            | Self::UpdateMaxRecordSize
            | Self::UpdateStreamMode
            | Self::UpdateStreamRecordDistributionStrategy
            | Self::UpdateStreamWarmThroughput => ModelYear::Current,
            _ => ModelYear::Y2018,
        }
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
