//! Types of the dialect: which belong together, and what an operation on them gives.

use std::fmt;
use std::sync::Arc;

use super::interval::Qualifier;

/// Longest text and binary.
pub const LENGTH_MAX: u32 = 65_535;
/// Decimal digits that arithmetic keeps.
pub const DIGITS_MAX: u8 = 18;

/// A column of a record or stream.
pub type Field = (String, SqlType);

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlType {
    /// 8 bits.
    TinyInt,
    /// 16 bits.
    SmallInt,
    /// 32 bits.
    Integer,
    /// 64 bits.
    BigInt,
    /// Digits in all, digits behind the point.
    Decimal(u8, u8),
    /// 32-bit IEEE.
    Real,
    /// 64-bit IEEE.
    Double,
    /// TRUE, FALSE, UNKNOWN.
    Boolean,
    /// Blank padded.
    Char(u32),
    /// At most so many characters.
    Varchar(u32),
    /// Fixed bytes.
    Binary(u32),
    /// At most so many bytes.
    Varbinary(u32),
    /// Day.
    Date,
    /// Milliseconds of a day.
    Time,
    /// Milliseconds since 1970.
    Timestamp,
    /// Expressions only.
    Interval(Qualifier),
    /// An untyped NULL.
    Null,
    /// What text parsers return.
    Record(Arc<[Field]>),
}

/// Types that can be compared with and assigned to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Numbers.
    Number,
    /// CHAR and VARCHAR.
    Text,
    /// BINARY and VARBINARY.
    Bytes,
    /// BOOLEAN.
    Boolean,
    /// DATE.
    Date,
    /// TIME.
    Time,
    /// TIMESTAMP.
    Timestamp,
    /// Day-time intervals.
    DayTime,
    /// Year-month intervals.
    YearMonth,
    /// NULL fits everywhere.
    Null,
    /// Records.
    Record,
}

impl SqlType {
    /// Its family.
    pub fn family(&self) -> Family {
        match self {
            Self::TinyInt | Self::SmallInt | Self::Integer | Self::BigInt | Self::Decimal(..) | Self::Real | Self::Double => Family::Number,
            Self::Char(_) | Self::Varchar(_) => Family::Text,
            Self::Binary(_) | Self::Varbinary(_) => Family::Bytes,
            Self::Boolean => Family::Boolean,
            Self::Date => Family::Date,
            Self::Time => Family::Time,
            Self::Timestamp => Family::Timestamp,
            Self::Interval(q) if q.is_year_month() => Family::YearMonth,
            Self::Interval(_) => Family::DayTime,
            Self::Null => Family::Null,
            Self::Record(_) => Family::Record,
        }
    }

    /// An integer type.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::TinyInt | Self::SmallInt | Self::Integer | Self::BigInt)
    }

    /// REAL or DOUBLE.
    pub fn is_approximate(&self) -> bool {
        matches!(self, Self::Real | Self::Double)
    }

    /// DATE, TIME or TIMESTAMP.
    pub fn is_datetime(&self) -> bool {
        matches!(self, Self::Date | Self::Time | Self::Timestamp)
    }

    /// An interval.
    pub fn is_interval(&self) -> bool {
        matches!(self, Self::Interval(_))
    }

    /// Least and greatest value of an integer type.
    pub fn range(&self) -> (i64, i64) {
        match self {
            Self::TinyInt => (-128, 127),
            Self::SmallInt => (-32_768, 32_767),
            Self::Integer => (-2_147_483_648, 2_147_483_647),
            _ => (i64::MIN, i64::MAX),
        }
    }

    /// As a decimal: digits in all, digits behind the point.
    pub fn as_decimal(&self) -> Option<(u8, u8)> {
        Some(match self {
            Self::TinyInt => (3, 0),
            Self::SmallInt => (5, 0),
            Self::Integer => (10, 0),
            Self::BigInt => (18, 0),
            Self::Decimal(p, s) => (*p, *s),
            _ => return None,
        })
    }

    fn rank(&self) -> u8 {
        match self {
            Self::TinyInt => 0,
            Self::SmallInt => 1,
            Self::Integer => 2,
            _ => 3,
        }
    }

    /// The wider of two integer types.
    pub fn wider(&self, other: &Self) -> Self {
        if self.rank() >= other.rank() { self.clone() } else { other.clone() }
    }

    /// The type that holds values of both, when there is one.
    pub fn unify(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Null, other) | (other, Self::Null) => other.clone(),
            (a, b) if a == b => a.clone(),
            (a, b) if a.family() != b.family() => return None,
            (Self::Char(a), Self::Char(b)) if a == b => Self::Char(*a),
            (Self::Char(a) | Self::Varchar(a), Self::Char(b) | Self::Varchar(b)) => Self::Varchar(*a.max(b)),
            (Self::Binary(a) | Self::Varbinary(a), Self::Binary(b) | Self::Varbinary(b)) => Self::Varbinary(*a.max(b)),
            (Self::Interval(a), Self::Interval(b)) => Self::Interval(a.cover(*b)),
            (a, b) if a.is_integer() && b.is_integer() => a.wider(b),
            (Self::Real, Self::Real) => Self::Real,
            (a, b) if a.is_approximate() || b.is_approximate() => Self::Double,
            (a, b) => {
                let ((p1, s1), (p2, s2)) = (a.as_decimal()?, b.as_decimal()?);
                let s = s1.max(s2);
                Self::Decimal(((p1 - s1).max(p2 - s2) + s).min(DIGITS_MAX), s)
            }
        })
    }

    /// Values of this type can be stored in a column of the other.
    pub fn fits(&self, column: &Self) -> bool {
        let (a, b) = (self.family(), column.family());
        a == Family::Null || (a == b && a != Family::Record)
    }

    /// Length of a text or binary type.
    pub fn length(&self) -> Option<u32> {
        match self {
            Self::Char(n) | Self::Varchar(n) | Self::Binary(n) | Self::Varbinary(n) => Some(*n),
            _ => None,
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Integer => f.write_str("INTEGER"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Decimal(p, s) => write!(f, "DECIMAL({p},{s})"),
            Self::Real => f.write_str("REAL"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::Char(n) => write!(f, "CHAR({n})"),
            Self::Varchar(n) => write!(f, "VARCHAR({n})"),
            Self::Binary(n) => write!(f, "BINARY({n})"),
            Self::Varbinary(n) => write!(f, "VARBINARY({n})"),
            Self::Date => f.write_str("DATE"),
            Self::Time => f.write_str("TIME"),
            Self::Timestamp => f.write_str("TIMESTAMP"),
            Self::Interval(q) => write!(f, "INTERVAL {q}"),
            Self::Null => f.write_str("NULL"),
            Self::Record(_) => f.write_str("ROW"),
        }
    }
}
