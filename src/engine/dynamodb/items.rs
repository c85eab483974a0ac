//! Operations on one item.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::api::{ErrorCode, ServiceError};

use super::condition::Condition;
use super::legacy;
use super::lex::{self, Which};
use super::names::Names;
use super::path::{Path, project};
use super::table::{ITEM_MAX, Table};
use super::update::Update;
use super::value::{self, Item};

/// Members of a request by the way they belong to: expressions, or what was there before them.
const OLDER: [&str; 8] =
    ["AttributesToGet", "AttributeUpdates", "ConditionalOperator", "Expected", "KeyConditions", "QueryFilter", "ScanFilter", "Select"];
const EXPRESSIONS: [Which; 5] = [Which::Condition, Which::Filter, Which::KeyCondition, Which::Projection, Which::Update];

/// A request uses one of the two ways.
///
/// # Errors
/// It uses both.
pub fn one_way(body: &Value) -> Result<(), ServiceError> {
    let older: Vec<&str> = OLDER.into_iter().filter(|name| *name != "Select" && body.get(*name).is_some()).collect();
    let newer: Vec<&str> = EXPRESSIONS.into_iter().map(Which::member).filter(|name| body.get(*name).is_some()).collect();
    if older.is_empty() || newer.is_empty() {
        return Ok(());
    }
    Err(ServiceError::validation(format!(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
        older.join(", "),
        newer.join(", ")
    )))
}

/// The condition of an expression, or of the older member beside `ConditionalOperator`.
///
/// # Errors
/// What is wrong with it.
pub fn condition_of(body: &Value, which: Which, older: &str, names: &Names<'_>) -> Result<Option<Condition>, ServiceError> {
    if let Some(text) = body[which.member()].as_str() {
        return Condition::read(which, text, names).map(Some);
    }
    let given = &body[older];
    let conditions: Vec<Condition> = legacy::conditions(given)?.into_iter().map(|(_, condition)| condition).collect();
    if conditions.is_empty() {
        return match body.get("ConditionalOperator") {
            Some(_) => Err(ServiceError::validation("ConditionalOperator cannot be used without Filter or Expected")),
            None => Ok(None),
        };
    }
    Ok(Some(if body["ConditionalOperator"] == "OR" { Condition::Or(conditions) } else { Condition::And(conditions) }))
}

/// What a read gives of an item: `ProjectionExpression` or `AttributesToGet`.
///
/// # Errors
/// What is wrong with it.
pub fn projection_of(body: &Value, names: &Names<'_>) -> Result<Option<Vec<Path>>, ServiceError> {
    if let Some(text) = body["ProjectionExpression"].as_str() {
        return lex::projection(text, names).map(Some);
    }
    let given = body["AttributesToGet"].as_array();
    Ok(given.map(|names| names.iter().filter_map(Value::as_str).map(Path::of).collect()))
}

/// Capacity that a read or write of so many bytes takes, as the answer shows it.
pub fn consumed(body: &Value, table: &str, bytes: usize, unit: usize, answer: &mut Map<String, Value>) {
    let Some("TOTAL" | "INDEXES") = body["ReturnConsumedCapacity"].as_str() else { return };
    let whole = bytes.div_ceil(unit).max(1) as f64;
    // Reads of 4 KB take half a unit unless they are consistent; writes of 1 KB take a whole one.
    let units = if unit > 1024 && body["ConsistentRead"] != true { whole / 2.0 } else { whole };
    let mut shown = json!({"TableName": table, "CapacityUnits": units});
    if body["ReturnConsumedCapacity"] == "INDEXES" {
        shown["Table"] = json!({"CapacityUnits": units});
    }
    answer.insert("ConsumedCapacity".to_owned(), shown);
}

/// `GetItem`.
pub fn get(table: &Table, name: &str, body: &Value) -> Result<Value, ServiceError> {
    one_way(body)?;
    let names = Names::of(body)?;
    let paths = projection_of(body, &names)?;
    names.all_used()?;
    let key = table.key(&value::read(&body["Key"])?)?;
    let mut answer = Map::new();
    let found = table.items.get(&key);
    if let Some(item) = found {
        let shown = match &paths {
            Some(paths) => value::shown(&project(item, paths)),
            None => value::shown(item),
        };
        answer.insert("Item".to_owned(), shown);
    }
    consumed(body, name, found.map_or(0, |item| value::size(item)), 4096, &mut answer);
    Ok(Value::Object(answer))
}

/// `PutItem`, `DeleteItem` and `UpdateItem`.
pub fn write(table: &mut Table, name: &str, operation: &str, body: &Value) -> Result<Value, ServiceError> {
    one_way(body)?;
    let returns = body["ReturnValues"].as_str().unwrap_or("NONE");
    if operation != "UpdateItem" && !["NONE", "ALL_OLD"].contains(&returns) {
        return Err(ServiceError::validation("Return values set to invalid value"));
    }
    let names = Names::of(body)?;
    let update = match body["UpdateExpression"].as_str() {
        Some(text) => Update::read(text, &names)?,
        None => Update::legacy(&body["AttributeUpdates"])?,
    };
    let condition = condition_of(body, Which::Condition, "Expected", &names)?;
    names.all_used()?;
    let given = value::read(&body[if operation == "PutItem" { "Item" } else { "Key" }])?;
    let key = if operation == "PutItem" { table.key_in(&given)? } else { table.key(&given)? };
    if let Some(path) = update.paths().find(|path| table.schema.names().any(|name| name == path.head())) {
        return Err(ServiceError::validation(format!(
            "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the key",
            path.head()
        )));
    }
    let nothing = Item::new();
    let old = table.items.get(&key).cloned();
    let before = old.as_deref().unwrap_or(&nothing);
    if condition.is_some_and(|condition| !condition.holds(before)) {
        return Err(ServiceError::new(ErrorCode::ConditionalCheckFailedException, "The conditional request failed"));
    }
    let new = match operation {
        "DeleteItem" => None,
        "PutItem" => Some(given),
        _ => Some(update.apply(if old.is_some() { before } else { &given })?),
    };
    if let Some(new) = &new {
        if value::size(new) > ITEM_MAX {
            let what = if operation == "PutItem" { "Item size has exceeded" } else { "Item size to update has exceeded" };
            return Err(ServiceError::validation(format!("{what} the maximum allowed size")));
        }
        table.key_in(new)?;
    }
    let picked = |item: &Item| value::shown(&project(item, update.paths()));
    let attributes = match (returns, &old, &new) {
        ("ALL_OLD", Some(old), _) => Some(value::shown(old)),
        ("UPDATED_OLD", Some(old), _) => Some(picked(old)),
        ("ALL_NEW", _, Some(new)) => Some(value::shown(new)),
        ("UPDATED_NEW", _, Some(new)) => Some(picked(new)),
        _ => None,
    };
    let mut answer = Map::new();
    if let Some(attributes) = attributes.filter(|shown| shown.as_object().is_some_and(|members| !members.is_empty())) {
        answer.insert("Attributes".to_owned(), attributes);
    }
    let bytes = old.as_deref().map_or(0, value::size).max(new.as_ref().map_or(0, value::size));
    consumed(body, name, bytes, 1024, &mut answer);
    match new {
        Some(new) => table.items.insert(key, Arc::new(new)),
        None => table.items.remove(&key),
    };
    Ok(Value::Object(answer))
}
