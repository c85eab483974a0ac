//! Attribute values: their ten types, from JSON and to JSON, how they compare and how much they count.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::api::ServiceError;

use super::number::Number;

/// How deep lists and maps may be nested.
const DEPTH_MAX: usize = 32;

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// Text.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// A flag.
    Bool(bool),
    /// Nothing, said.
    Null,
    /// A set of texts.
    Ss(BTreeSet<String>),
    /// A set of numbers.
    Ns(BTreeSet<Number>),
    /// A set of bytes.
    Bs(BTreeSet<Vec<u8>>),
    /// A list.
    L(Vec<Attribute>),
    /// A map.
    M(Item),
}

/// Two values whose types do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherType;

/// Attributes by name.
pub type Item = BTreeMap<String, Attribute>;

fn invalid(text: &str) -> ServiceError {
    ServiceError::validation(format!("One or more parameter values were invalid: {text}"))
}

fn bytes(value: &Value) -> Vec<u8> {
    // The type check has read it already.
    value.as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default()
}

impl Attribute {
    /// Reads a value from its JSON form, `{"S": "text"}`.
    ///
    /// # Errors
    /// `ValidationException` with the service's text.
    pub fn read(value: &Value) -> Result<Self, ServiceError> {
        Self::read_at(value, 0)
    }

    fn read_at(value: &Value, depth: usize) -> Result<Self, ServiceError> {
        const KNOWN: [&str; 10] = ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"];
        if depth > DEPTH_MAX {
            return Err(ServiceError::validation("Nesting Levels have exceeded supported limits"));
        }
        let mut set = KNOWN.iter().filter_map(|name| value.get(*name).filter(|value| !value.is_null()).map(|value| (*name, value)));
        let Some((kind, inner)) = set.next() else {
            return Err(ServiceError::validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"));
        };
        if set.next().is_some() {
            let text = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
            return Err(ServiceError::validation(text));
        }
        let items = || inner.as_array().into_iter().flatten();
        let texts = || items().map(|item| item.as_str().unwrap_or_default());
        let full = |count: usize| match items().count() {
            0 => Err(invalid("An AttributeValue may not contain an empty set.")),
            all if all > count => {
                let shown: Vec<&str> = texts().collect();
                Err(invalid(&format!("Input collection [{}] contains duplicates.", shown.join(", "))))
            }
            _ => Ok(()),
        };
        Ok(match kind {
            "S" => Self::S(inner.as_str().unwrap_or_default().to_owned()),
            "N" => Self::N(Number::read(inner.as_str().unwrap_or_default())?),
            "B" => Self::B(bytes(inner)),
            "BOOL" => Self::Bool(inner.as_bool().unwrap_or(inner == "true")),
            "NULL" if inner.as_bool().unwrap_or(inner == "true") => Self::Null,
            "NULL" => return Err(invalid("Null attribute value types must have the value of true")),
            "SS" => {
                let set: BTreeSet<String> = texts().map(str::to_owned).collect();
                full(set.len())?;
                Self::Ss(set)
            }
            "NS" => {
                let set = texts().map(Number::read).collect::<Result<BTreeSet<Number>, _>>()?;
                match full(set.len()) {
                    Err(_) if !set.is_empty() => return Err(ServiceError::validation("Input collection contains duplicates")),
                    checked => checked?,
                }
                Self::Ns(set)
            }
            "BS" => {
                let set: BTreeSet<Vec<u8>> = items().map(bytes).collect();
                full(set.len())?;
                Self::Bs(set)
            }
            "L" => Self::L(items().map(|item| Self::read_at(item, depth + 1)).collect::<Result<_, _>>()?),
            _ => Self::M(read_members(inner, depth + 1)?),
        })
    }

    /// The JSON form.
    pub fn shown(&self) -> Value {
        match self {
            Self::S(text) => json!({"S": text}),
            Self::N(number) => json!({"N": number.to_string()}),
            Self::B(bytes) => json!({"B": STANDARD.encode(bytes)}),
            Self::Bool(flag) => json!({"BOOL": flag}),
            Self::Null => json!({"NULL": true}),
            Self::Ss(set) => json!({"SS": set}),
            Self::Ns(set) => json!({"NS": set.iter().map(ToString::to_string).collect::<Vec<_>>()}),
            Self::Bs(set) => json!({"BS": set.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<_>>()}),
            Self::L(items) => json!({"L": items.iter().map(Self::shown).collect::<Vec<_>>()}),
            Self::M(members) => json!({"M": shown(members)}),
        }
    }

    /// The type by the service's name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
            Self::L(_) => "L",
            Self::M(_) => "M",
        }
    }

    /// Which is greater, for the three types that have an order and among values of one type.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(a), Self::S(b)) => Some(a.cmp(b)),
            (Self::N(a), Self::N(b)) => Some(a.cmp(b)),
            (Self::B(a), Self::B(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// What `size()` says of it.
    pub fn measure(&self) -> Option<usize> {
        Some(match self {
            Self::S(text) => text.chars().count(),
            Self::B(bytes) => bytes.len(),
            Self::Ss(set) => set.len(),
            Self::Ns(set) => set.len(),
            Self::Bs(set) => set.len(),
            Self::L(items) => items.len(),
            Self::M(members) => members.len(),
            Self::N(_) | Self::Bool(_) | Self::Null => return None,
        })
    }

    /// Bytes that it counts for limits and capacity.
    pub fn size(&self) -> usize {
        let number = |number: &Number| number.len().div_ceil(2) + 1 + usize::from(number.is_negative());
        match self {
            Self::S(text) => text.len(),
            Self::N(one) => number(one),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(number).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
            Self::L(items) => 3 + items.iter().map(|item| 1 + item.size()).sum::<usize>(),
            Self::M(members) => 3 + members.len() + size(members),
        }
    }

    /// Whether it begins with another one.
    pub fn begins_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::S(whole), Self::S(start)) => whole.starts_with(start.as_str()),
            (Self::B(whole), Self::B(start)) => whole.starts_with(start),
            _ => false,
        }
    }

    /// Whether a text, set or list contains another value.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::S(whole), Self::S(part)) => whole.contains(part.as_str()),
            (Self::B(whole), Self::B(part)) => part.is_empty() || whole.windows(part.len()).any(|window| window == part),
            (Self::Ss(set), Self::S(text)) => set.contains(text),
            (Self::Ns(set), Self::N(number)) => set.contains(number),
            (Self::Bs(set), Self::B(bytes)) => set.contains(bytes),
            (Self::L(items), item) => items.contains(item),
            _ => false,
        }
    }

    /// What ADD makes of a value: the sum of numbers, the union of sets, with `lists` also lists one behind the other. `None`: the types do
    /// not go together.
    ///
    /// # Errors
    /// A sum that is no number of the service.
    pub fn added(&self, more: &Self, lists: bool) -> Result<Option<Self>, ServiceError> {
        Ok(Some(match (self, more) {
            (Self::N(a), Self::N(b)) => Self::N(a.plus(*b)?),
            (Self::Ss(a), Self::Ss(b)) => Self::Ss(a.union(b).cloned().collect()),
            (Self::Ns(a), Self::Ns(b)) => Self::Ns(a.union(b).copied().collect()),
            (Self::Bs(a), Self::Bs(b)) => Self::Bs(a.union(b).cloned().collect()),
            (Self::L(a), Self::L(b)) if lists => Self::L([a.as_slice(), b].concat()),
            _ => return Ok(None),
        }))
    }

    /// What DELETE leaves of a set: nothing, when it is empty then.
    ///
    /// # Errors
    /// The types do not go together.
    pub fn without(&self, less: &Self) -> Result<Option<Self>, OtherType> {
        let left = match (self, less) {
            (Self::Ss(a), Self::Ss(b)) => Self::Ss(a.difference(b).cloned().collect()),
            (Self::Ns(a), Self::Ns(b)) => Self::Ns(a.difference(b).copied().collect()),
            (Self::Bs(a), Self::Bs(b)) => Self::Bs(a.difference(b).cloned().collect()),
            _ => return Err(OtherType),
        };
        Ok(left.measure().filter(|count| *count > 0).map(|_| left))
    }
}

fn read_members(value: &Value, depth: usize) -> Result<Item, ServiceError> {
    value.as_object().into_iter().flatten().map(|(name, value)| Ok((name.clone(), Attribute::read_at(value, depth)?))).collect()
}

/// Reads attributes from their JSON form.
///
/// # Errors
/// As [`Attribute::read`].
pub fn read(value: &Value) -> Result<Item, ServiceError> {
    read_members(value, 0)
}

/// The JSON form of attributes.
pub fn shown(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), value.shown())).collect::<Map<_, _>>())
}

/// Bytes that attributes count.
pub fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_there_and_back() {
        let value = json!({"M": {"a": {"S": "x"}, "b": {"N": "1.5"}, "c": {"B": "YQ=="}, "d": {"BOOL": true}, "e": {"NULL": true},
            "f": {"SS": ["a", "b"]}, "g": {"NS": ["-1", "2"]}, "h": {"BS": ["YQ=="]}, "i": {"L": [{"S": ""}, {"M": {}}]}}});
        assert_eq!(Attribute::read(&value).expect("good").shown(), value);
        for (value, told) in [
            (json!({}), "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
            (
                json!({"S": "a", "N": "1"}),
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
            ),
            (json!({"SS": []}), "One or more parameter values were invalid: An AttributeValue may not contain an empty set."),
            (json!({"SS": ["a", "a"]}), "One or more parameter values were invalid: Input collection [a, a] contains duplicates."),
            (json!({"NS": ["1", "1.0"]}), "Input collection contains duplicates"),
            (json!({"NULL": false}), "One or more parameter values were invalid: Null attribute value types must have the value of true"),
            (json!({"L": [{"N": "x"}]}), "The parameter cannot be converted to a numeric value: x"),
        ] {
            assert_eq!(Attribute::read(&value).expect_err("refused").message, told);
        }
        let deep = (0..40).fold(json!({"S": "x"}), |inner, _| json!({"L": [inner]}));
        assert_eq!(Attribute::read(&deep).expect_err("refused").message, "Nesting Levels have exceeded supported limits");
    }

    #[test]
    fn sets_and_numbers_are_added_and_taken() {
        let read = |value: Value| Attribute::read(&value).expect("good");
        let set = read(json!({"SS": ["a", "b"]}));
        assert_eq!(set.added(&read(json!({"SS": ["c"]})), false), Ok(Some(read(json!({"SS": ["a", "b", "c"]})))));
        assert_eq!(set.without(&set), Ok(None));
        assert_eq!(set.without(&read(json!({"S": "a"}))), Err(OtherType));
        assert_eq!(read(json!({"N": "1"})).added(&read(json!({"N": "2"})), false), Ok(Some(read(json!({"N": "3"})))));
        assert!(set.contains(&read(json!({"S": "a"}))) && read(json!({"S": "abc"})).begins_with(&read(json!({"S": "ab"}))));
    }
}
