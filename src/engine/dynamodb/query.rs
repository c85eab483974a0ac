//! Reading many items: `Query` and `Scan`, of tables and of indexes, in pages.

use std::sync::Arc;

use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use crate::api::ServiceError;
use crate::engine::time::VirtualTime;

use super::condition::{Comparison, Condition, Operand};
use super::items::{condition_of, consumed, one_way, projection_of};
use super::legacy;
use super::lex::Which;
use super::names::Names;
use super::path::project;
use super::schema::{Index, Key, Part, Schema};
use super::table::Table;
use super::value::{self, Attribute, Item};

/// Bytes of items that one answer looks at.
const PAGE_MAX: usize = 1 << 20;

/// Where an item stands: by the keys of the index that is read, then by its own.
type Place = (Key, Key);

fn place(schema: &Schema, table: &Schema, item: &Item) -> Option<Place> {
    Some((schema.key_of(item)?, table.key_of(item)?))
}

/// What a query asks for: a partition, and perhaps a condition on the sort key.
struct Wanted {
    hash: Part,
    range: Option<Condition>,
}

/// `Query` and `Scan`.
pub fn read(table: &Table, name: &str, query: bool, body: &Value, now: VirtualTime) -> Result<Value, ServiceError> {
    one_way(body)?;
    let names = Names::of(body)?;
    let index = match body["IndexName"].as_str() {
        None => None,
        Some(index_name) => {
            let missing = || ServiceError::validation(format!("The table does not have the specified index: {index_name}"));
            Some(table.indexes.get(index_name).ok_or_else(missing)?)
        }
    };
    if index.is_some_and(|index| !index.local && body["ConsistentRead"] == true) {
        return Err(ServiceError::validation("Consistent reads are not supported on global secondary indexes"));
    }
    if index.is_some_and(|index| now < index.ready) {
        return Err(ServiceError::validation(
            "Cannot read from backfilling global secondary index: ".to_owned() + body["IndexName"].as_str().unwrap_or_default(),
        ));
    }
    let schema = index.map_or(&table.schema, |index| &index.schema);
    let wanted = if query { Some(wanted(table, schema, body, &names)?) } else { None };
    let filter = condition_of(body, Which::Filter, if query { "QueryFilter" } else { "ScanFilter" }, &names)?;
    if query && filter.as_ref().is_some_and(|filter| mentions(filter, schema)) {
        return Err(ServiceError::validation(format!(
            "{} can only contain non-primary key attributes: Primary key attribute: {}",
            if body["FilterExpression"].is_string() { "Filter Expression" } else { "QueryFilter" },
            schema.names().find(|key| filter.as_ref().is_some_and(|filter| mentions_name(filter, key))).unwrap_or_default()
        )));
    }
    let paths = projection_of(body, &names)?;
    names.all_used()?;
    let segment = segment(body)?;
    let start = start(table, schema, index.is_some(), body)?;
    let forward = body["ScanIndexForward"] != false;
    let limit = body["Limit"].as_u64().map_or(usize::MAX, |limit| limit as usize);

    let fits = |place: &Place, item: &Item| match &wanted {
        Some(wanted) => place.0.0 == wanted.hash && wanted.range.as_ref().is_none_or(|condition| condition.holds(item)),
        None => segment.is_none_or(|(number, all)| segment_of(&place.0.0, all) == number),
    };
    let behind = |place: &Place| match &start {
        None => true,
        Some(start) if forward => place > start,
        Some(start) => place < start,
    };
    let mut found: Vec<(Place, &Arc<Item>)> = candidates(table, index, wanted.as_ref())
        .filter_map(|item| Some((place(schema, &table.schema, item)?, item)))
        .filter(|(place, item)| behind(place) && fits(place, item))
        .collect();
    if index.is_some() {
        found.sort_by(|a, b| a.0.cmp(&b.0));
    }
    if !forward {
        found.reverse();
    }

    let (mut shown, mut count, mut looked, mut bytes, mut last) = (Vec::new(), 0usize, 0usize, 0usize, None);
    let total = found.len();
    for (_, item) in found {
        if looked >= limit || bytes >= PAGE_MAX {
            break;
        }
        looked += 1;
        bytes += value::size(item);
        last = Some(item);
        if filter.as_ref().is_some_and(|filter| !filter.holds(item)) {
            continue;
        }
        count += 1;
        if body["Select"] != "COUNT" {
            let of_index = index.map(|index| index.part_of(item, &table.schema));
            let item = of_index.as_ref().unwrap_or(item);
            shown.push(match &paths {
                Some(paths) => value::shown(&project(item, paths)),
                None => value::shown(item),
            });
        }
    }
    let mut answer = Map::new();
    if body["Select"] != "COUNT" {
        answer.insert("Items".to_owned(), Value::Array(shown));
    }
    answer.insert("Count".to_owned(), json!(count));
    answer.insert("ScannedCount".to_owned(), json!(looked));
    // Whoever asks for exactly as many as there are is told that there may be more.
    if let Some(item) = last.filter(|_| looked < total || looked == limit) {
        let key = |name: &&str| table.schema.names().chain(schema.names()).any(|key| key == *name);
        let key: Item = item.iter().filter(|(name, _)| key(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect();
        answer.insert("LastEvaluatedKey".to_owned(), value::shown(&key));
    }
    consumed(body, name, bytes, 4096, &mut answer);
    Ok(Value::Object(answer))
}

/// The items that can be wanted, in the order of the table's keys.
fn candidates<'t>(table: &'t Table, index: Option<&Index>, wanted: Option<&Wanted>) -> Box<dyn Iterator<Item = &'t Arc<Item>> + 't> {
    match wanted.filter(|_| index.is_none_or(|index| index.local)) {
        Some(wanted) => {
            let hash = wanted.hash.clone();
            let from = (hash.clone(), None);
            Box::new(table.items.range(from..).take_while(move |(key, _)| key.0 == hash).map(|(_, item)| item))
        }
        None => Box::new(table.items.values()),
    }
}

/// Splits the conditions on keys.
fn wanted(table: &Table, schema: &Schema, body: &Value, names: &Names<'_>) -> Result<Wanted, ServiceError> {
    let refused = |text: &str| ServiceError::validation(text);
    let conditions = match body["KeyConditionExpression"].as_str() {
        Some(text) => match Condition::read(Which::KeyCondition, text, names)? {
            Condition::And(all) => all,
            one => vec![one],
        },
        None if body["KeyConditions"].is_object() => {
            legacy::conditions(&body["KeyConditions"])?.into_iter().map(|(_, condition)| condition).collect()
        }
        None => return Err(refused("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")),
    };
    let (mut hash, mut range) = (None, None);
    for condition in conditions {
        let operator = match &condition {
            Condition::Or(_) => "OR",
            Condition::Not(_) => "NOT",
            Condition::In(..) => "IN",
            Condition::Compare(_, Comparison::Ne, _) => "<>",
            Condition::Exists(_) => "attribute_exists",
            Condition::HasType(..) => "attribute_type",
            Condition::Contains(..) => "contains",
            _ => "",
        };
        if !operator.is_empty() {
            return Err(refused(&format!("Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: {operator}")));
        }
        // `:v = a` is `a = :v`.
        let condition = match condition {
            Condition::Compare(first @ Operand::Value(_), how, second @ Operand::Path(_)) => Condition::Compare(second, turned(how), first),
            other => other,
        };
        let (path, values) = match &condition {
            Condition::Compare(Operand::Path(path), _, value) | Condition::BeginsWith(Operand::Path(path), value) => (path, vec![value]),
            Condition::Between(Operand::Path(path), low, high) => (path, vec![low, high]),
            Condition::And(_) => return Err(refused("Conditions can be of length 1 or 2 only")),
            _ => return Err(refused("Query key condition not supported")),
        };
        for value in &values {
            let Operand::Value(value) = value else { return Err(refused("Query key condition not supported")) };
            if table.kinds.get(path.head()).is_some_and(|kind| kind != value.kind()) {
                let text = "One or more parameter values were invalid: Condition parameter type does not match schema type";
                return Err(refused(text));
            }
        }
        let place = if path.head() == schema.hash {
            &mut hash
        } else if Some(path.head()) == schema.range.as_deref() {
            &mut range
        } else {
            let missed = if hash.is_none() { Some(schema.hash.as_str()) } else { schema.range.as_deref() };
            return Err(match missed {
                Some(missed) => refused(&format!("Query condition missed key schema element: {missed}")),
                None => refused("Query key condition not supported"),
            });
        };
        if place.is_some() {
            return Err(refused("Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"));
        }
        *place = Some(condition);
    }
    match hash {
        None => Err(refused(&format!("Query condition missed key schema element: {}", schema.hash))),
        Some(Condition::Compare(_, Comparison::Eq, Operand::Value(value))) => match Part::of(&value) {
            Some(hash) => Ok(Wanted { hash, range }),
            None => Err(refused("Query key condition not supported")),
        },
        Some(_) => Err(refused("Query key condition not supported")),
    }
}

const fn turned(how: Comparison) -> Comparison {
    match how {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}

fn mentions(condition: &Condition, schema: &Schema) -> bool {
    schema.names().any(|name| mentions_name(condition, name))
}

fn mentions_name(condition: &Condition, name: &str) -> bool {
    fn operand(operand: &Operand, name: &str) -> bool {
        match operand {
            Operand::Path(path) => path.head() == name,
            Operand::Size(inner) => self::mentions_name(&Condition::In((**inner).clone(), Vec::new()), name),
            Operand::Value(_) => false,
        }
    }
    match condition {
        Condition::And(all) | Condition::Or(all) => all.iter().any(|condition| mentions_name(condition, name)),
        Condition::Not(condition) => mentions_name(condition, name),
        Condition::Compare(a, _, b) | Condition::BeginsWith(a, b) | Condition::Contains(a, b) => operand(a, name) || operand(b, name),
        Condition::Between(a, b, c) => operand(a, name) || operand(b, name) || operand(c, name),
        Condition::In(a, all) => operand(a, name) || all.iter().any(|other| operand(other, name)),
        Condition::Exists(path) | Condition::HasType(path, _) => path.head() == name,
    }
}

/// Which part of a table a parallel scan reads.
fn segment(body: &Value) -> Result<Option<(u64, u64)>, ServiceError> {
    match (body["Segment"].as_u64(), body["TotalSegments"].as_u64()) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(ServiceError::validation(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
        )),
        (None, Some(_)) => Err(ServiceError::validation(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
        )),
        (Some(segment), Some(all)) if segment >= all => Err(ServiceError::validation(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is not less than TotalSegments: {all}"
        ))),
        (Some(segment), Some(all)) => Ok(Some((segment, all))),
    }
}

fn segment_of(part: &Part, all: u64) -> u64 {
    let digest: [u8; 16] = match part {
        Part::S(text) => Md5::digest(text.as_bytes()),
        Part::N(number) => Md5::digest(number.to_string().as_bytes()),
        Part::B(bytes) => Md5::digest(bytes),
    }
    .into();
    let [a, b, c, d, ..] = digest;
    u64::from(u32::from_be_bytes([a, b, c, d])) % all.max(1)
}

/// The place behind which a page begins.
fn start(table: &Table, schema: &Schema, of_index: bool, body: &Value) -> Result<Option<Place>, ServiceError> {
    let Some(given) = body.get("ExclusiveStartKey") else { return Ok(None) };
    let wrong = |text: &str| ServiceError::validation(format!("The provided starting key is invalid: {text}"));
    let unfit = || wrong("The provided key element does not match the schema");
    let item = value::read(given).map_err(|error| wrong(&error.message))?;
    let own: Item = item
        .iter()
        .filter(|(name, _)| table.schema.names().any(|key| key == name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let own = table.key(&own).map_err(|_| unfit())?;
    let all =
        if of_index { schema.names().chain(table.schema.names()).collect::<std::collections::BTreeSet<_>>().len() } else { schema.names().count() };
    let fits = |(name, value): (&String, &Attribute)| table.kinds.get(name).is_some_and(|kind| kind == value.kind());
    if item.len() != all || !item.iter().all(fits) {
        return Err(unfit());
    }
    let key = schema.key_of(&item).ok_or_else(unfit)?;
    Ok(Some((key, own)))
}
