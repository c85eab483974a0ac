//! Keys of tables and of indexes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::ServiceError;
use crate::engine::time::VirtualTime;

use super::number::Number;
use super::value::{Attribute, Item};

/// A value that a key may have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A number.
    N(Number),
    /// Text.
    S(String),
    /// Bytes.
    B(Vec<u8>),
}

impl Part {
    /// The key's part of a value; `None` for the other types.
    pub fn of(value: &Attribute) -> Option<Self> {
        Some(match value {
            Attribute::S(text) => Self::S(text.clone()),
            Attribute::N(number) => Self::N(*number),
            Attribute::B(bytes) => Self::B(bytes.clone()),
            _ => return None,
        })
    }

    /// Whether it is an empty text, which no key may be.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::S(text) => text.is_empty(),
            Self::B(bytes) => bytes.is_empty(),
            Self::N(_) => false,
        }
    }
}

/// The key of an item: its partition and what sorts within.
pub type Key = (Part, Option<Part>);

/// The names of a key's attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Attribute of the partition key.
    pub hash: String,
    /// Attribute of the sort key.
    pub range: Option<String>,
}

impl Schema {
    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.hash.as_str()).chain(self.range.as_deref())
    }

    /// Reads a `KeySchema`.
    ///
    /// # Errors
    /// Elements in another order, or of attributes that are not defined.
    pub fn read(given: &Value, kinds: &BTreeMap<String, String>) -> Result<Self, ServiceError> {
        let elements = given.as_array().map_or(&[][..], Vec::as_slice);
        let name = |at: usize| elements.get(at).and_then(|element| element["AttributeName"].as_str()).map(str::to_owned);
        let kind = |at: usize| elements.get(at).and_then(|element| element["KeyType"].as_str());
        let missing = || ServiceError::validation("One or more parameter values were invalid: KeySchema must be specified");
        let (hash, range) = (name(0).ok_or_else(missing)?, name(1));
        if kind(0) != Some("HASH") {
            return Err(ServiceError::validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
        }
        if range.is_some() && kind(1) != Some("RANGE") {
            return Err(ServiceError::validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
        }
        if range.as_ref() == Some(&hash) {
            let text = "Both the Hash Key and the Range Key element in the KeySchema have the same name";
            return Err(ServiceError::validation(text));
        }
        let schema = Self { hash, range };
        if schema.names().any(|name| !kinds.contains_key(name)) {
            let (keys, all): (Vec<&str>, Vec<&str>) = (schema.names().collect(), kinds.keys().map(String::as_str).collect());
            return Err(ServiceError::validation(format!(
                "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
                keys.join(", "),
                all.join(", ")
            )));
        }
        Ok(schema)
    }

    /// The key of an item, when it has all of it; an index leaves out those that have not.
    pub fn key_of(&self, item: &Item) -> Option<Key> {
        let part = |name: &String| item.get(name).and_then(Part::of);
        let range = match &self.range {
            Some(name) => Some(part(name)?),
            None => None,
        };
        Some((part(&self.hash)?, range))
    }

    /// As a description shows it.
    pub fn shown(&self) -> Value {
        let kinds = ["HASH", "RANGE"];
        self.names().zip(kinds).map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})).collect()
    }
}

/// A secondary index: the same items by other keys.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its keys.
    pub schema: Schema,
    /// Within the table's partitions.
    pub local: bool,
    /// When it can be read.
    pub ready: VirtualTime,
    /// Which attributes it has, as it was asked for.
    pub projection: Value,
    /// Units of reads and writes.
    pub throughput: (u64, u64),
}

impl Index {
    /// Whether it has all attributes of the items.
    pub fn has_all(&self) -> bool {
        self.projection["ProjectionType"] == "ALL"
    }

    /// What it has of an item.
    pub fn part_of(&self, item: &Item, table: &Schema) -> Item {
        if self.has_all() {
            return item.clone();
        }
        let included = |name: &String| self.projection["NonKeyAttributes"].as_array().is_some_and(|names| names.iter().any(|other| other == name));
        let key = |name: &str| self.schema.names().chain(table.names()).any(|key| key == name);
        item.iter().filter(|(name, _)| key(name) || included(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
