//! `BatchGetItem` and `BatchWriteItem`: several items of several tables in one request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::api::ServiceError;
use crate::engine::time::VirtualTime;

use super::items::{self, projection_of};
use super::names::Names;
use super::path::project;
use super::table::ITEM_MAX;
use super::{DynamoDb, name_of, value};

/// Items of one request.
const GETS_MAX: usize = 100;
const WRITES_MAX: usize = 25;

fn duplicates() -> ServiceError {
    ServiceError::validation("Provided list of item keys contains duplicates")
}

fn requests(body: &Value) -> impl Iterator<Item = (&String, &Value)> {
    body["RequestItems"].as_object().into_iter().flatten()
}

/// `BatchGetItem`.
pub fn get(service: &DynamoDb, body: &Value, now: VirtualTime) -> Result<Value, ServiceError> {
    let count: usize = requests(body).map(|(_, wanted)| wanted["Keys"].as_array().map_or(0, Vec::len)).sum();
    if count > GETS_MAX {
        return Err(ServiceError::validation("Too many items requested for the BatchGetItem call"));
    }
    let (mut responses, mut capacities) = (Map::new(), Vec::new());
    for (given, wanted) in requests(body) {
        let name = name_of(given)?;
        let table = service.table(name, now)?;
        items::one_way(wanted)?;
        let names = Names::of(wanted)?;
        let paths = projection_of(wanted, &names)?;
        names.all_used()?;
        let (mut seen, mut found, mut bytes) = (BTreeSet::new(), Vec::new(), 0);
        for key in wanted["Keys"].as_array().into_iter().flatten() {
            let key = table.key(&value::read(key)?)?;
            if let Some(item) = table.items.get(&key) {
                bytes += value::size(item);
                found.push(paths.as_ref().map_or_else(|| value::shown(item), |paths| value::shown(&project(item, paths))));
            }
            if !seen.insert(key) {
                return Err(duplicates());
            }
        }
        responses.insert(given.clone(), Value::Array(found));
        let asked = json!({"ReturnConsumedCapacity": body["ReturnConsumedCapacity"], "ConsistentRead": wanted["ConsistentRead"]});
        capacities.push((name.to_owned(), bytes, asked));
    }
    Ok(answer(json!({"Responses": responses, "UnprocessedKeys": {}}), capacities, 4096))
}

/// `BatchWriteItem`: all requests are checked before the first is carried out.
pub fn write(service: &mut DynamoDb, body: &Value, now: VirtualTime) -> Result<Value, ServiceError> {
    let count: usize = requests(body).map(|(_, wanted)| wanted.as_array().map_or(0, Vec::len)).sum();
    if count > WRITES_MAX {
        return Err(ServiceError::validation("Too many items requested for the BatchWriteItem call"));
    }
    let (mut plan, mut capacities) = (Vec::new(), Vec::new());
    for (given, wanted) in requests(body) {
        let name = name_of(given)?.to_owned();
        let table = service.table(&name, now)?;
        let (mut seen, mut bytes) = (BTreeSet::new(), 0);
        for request in wanted.as_array().into_iter().flatten() {
            let (key, item) = match (request.get("PutRequest"), request.get("DeleteRequest")) {
                (Some(put), None) => {
                    let item = value::read(&put["Item"])?;
                    if value::size(&item) > ITEM_MAX {
                        return Err(ServiceError::validation("Item size has exceeded the maximum allowed size"));
                    }
                    (table.key_in(&item)?, Some(item))
                }
                (None, Some(delete)) => (table.key(&value::read(&delete["Key"])?)?, None),
                _ => {
                    let text =
                        "Supplied WriteRequest is empty or has more than one request, must contain exactly one of PutRequest and DeleteRequest";
                    return Err(ServiceError::validation(text));
                }
            };
            bytes += item.as_ref().map_or(0, value::size);
            if !seen.insert(key.clone()) {
                return Err(duplicates());
            }
            plan.push((name.clone(), key, item));
        }
        capacities.push((name, bytes, json!({"ReturnConsumedCapacity": body["ReturnConsumedCapacity"]})));
    }
    for (name, key, item) in plan {
        let table = service.table_mut(&name, now)?;
        match item {
            Some(item) => table.items.insert(key, item.into()),
            None => table.items.remove(&key),
        };
    }
    Ok(answer(json!({"UnprocessedItems": {}}), capacities, 1024))
}

fn answer(mut answer: Value, capacities: Vec<(String, usize, Value)>, unit: usize) -> Value {
    let shown: Vec<Value> = capacities
        .into_iter()
        .filter_map(|(name, bytes, asked)| {
            let mut members = Map::new();
            items::consumed(&asked, &name, bytes, unit, &mut members);
            members.remove("ConsumedCapacity")
        })
        .collect();
    if !shown.is_empty() {
        answer["ConsumedCapacity"] = Value::Array(shown);
    }
    answer
}
