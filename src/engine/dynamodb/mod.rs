//! Amazon DynamoDB as far as the lease tables of consumers need it: tables, items, conditions and updates, queries and scans.
//!
//! Invariants: a table's items are those of its keys, whole and in order; a write that fails changes nothing.

mod batch;
mod condition;
mod grammar;
mod items;
mod legacy;
mod lex;
mod names;
mod number;
mod path;
mod query;
mod schema;
mod table;
mod update;
mod value;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};

use super::time::{VirtualDuration, VirtualTime};
use table::{State, Table};

/// The service.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    tables: BTreeMap<String, Table>,
    /// `arn:aws:dynamodb:REGION:ACCOUNT:table/`.
    prefix: String,
    /// How long it takes to make, change and delete a table.
    takes: VirtualDuration,
}

fn missing() -> ServiceError {
    ServiceError::resource_not_found("Requested resource not found")
}

fn missing_table(name: &str) -> ServiceError {
    ServiceError::resource_not_found(format!("Requested resource not found: Table: {name} not found"))
}

/// The name in a name or ARN.
fn name_of(given: &str) -> Result<&str, ServiceError> {
    let name = if given.starts_with("arn:") { given.split_once(":table/").map_or("", |(_, name)| name) } else { given };
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if (3..=255).contains(&name.len()) && fits {
        return Ok(name);
    }
    Err(ServiceError::validation(
        "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'",
    ))
}

impl DynamoDb {
    /// No table yet.
    pub fn new(region: &str, account: &str, takes: VirtualDuration) -> Self {
        Self { tables: BTreeMap::new(), prefix: format!("arn:aws:dynamodb:{region}:{account}:table/"), takes }
    }

    /// A table that can be read.
    fn table(&self, name: &str, now: VirtualTime) -> Result<&Table, ServiceError> {
        let table = self.tables.get(name).ok_or_else(missing)?;
        table.usable(now)?;
        Ok(table)
    }

    /// A table that can be written.
    fn table_mut(&mut self, name: &str, now: VirtualTime) -> Result<&mut Table, ServiceError> {
        let table = self.tables.get_mut(name).ok_or_else(missing)?;
        table.usable(now)?;
        Ok(table)
    }

    fn tagged(&mut self, arn: &str) -> Result<&mut Table, ServiceError> {
        let text = format!("Requested resource not found: ResourcArn: {arn} not found");
        let name = arn.strip_prefix(&self.prefix).unwrap_or_default();
        self.tables.get_mut(name).ok_or_else(|| ServiceError::resource_not_found(text))
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// The service's own.
    pub fn call(&mut self, now: VirtualTime, call: &Call) -> Result<Value, ServiceError> {
        // What was being deleted is gone when its time has come; nobody can tell before somebody asks.
        self.tables.retain(|_, table| !matches!(table.state, State::Dying(at) if now >= at));
        let body = &call.body;
        let name = name_of(body["TableName"].as_str().unwrap_or("none"))?.to_owned();
        match call.operation.name {
            "CreateTable" => self.create(now, &name, body),
            "DescribeTable" => {
                let table = self.tables.get(&name).ok_or_else(|| missing_table(&name))?;
                Ok(json!({"Table": table.shown(&name, now)}))
            }
            "DeleteTable" => self.delete(now, &name),
            "UpdateTable" => self.update(now, &name, body),
            "ListTables" => Ok(self.list(body)),
            "GetItem" => items::get(self.table(&name, now)?, &name, body),
            operation @ ("PutItem" | "UpdateItem" | "DeleteItem") => items::write(self.table_mut(&name, now)?, &name, operation, body),
            "Query" => query::read(self.table(&name, now)?, &name, true, body, now),
            "Scan" => query::read(self.table(&name, now)?, &name, false, body, now),
            "BatchGetItem" => batch::get(self, body, now),
            "BatchWriteItem" => batch::write(self, body, now),
            "TagResource" => {
                self.tagged(body["ResourceArn"].as_str().unwrap_or_default())?.tag(&body["Tags"]);
                Ok(json!({}))
            }
            "UntagResource" => {
                let table = self.tagged(body["ResourceArn"].as_str().unwrap_or_default())?;
                for key in body["TagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    table.tags.remove(key);
                }
                Ok(json!({}))
            }
            "ListTagsOfResource" => {
                let table = self.tagged(body["ResourceArn"].as_str().unwrap_or_default())?;
                Ok(json!({"Tags": table.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>()}))
            }
            "DescribeTimeToLive" => {
                let table = self.tables.get(&name).ok_or_else(|| missing_table(&name))?;
                Ok(json!({"TimeToLiveDescription": match &table.time_to_live {
                    Some(attribute) => json!({"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}),
                    None => json!({"TimeToLiveStatus": "DISABLED"}),
                }}))
            }
            "UpdateTimeToLive" => self.expire(&name, &body["TimeToLiveSpecification"]),
            other => Err(ServiceError::not_simulated(other)),
        }
    }

    fn create(&mut self, now: VirtualTime, name: &str, body: &Value) -> Result<Value, ServiceError> {
        let table = Table::create(body, format!("{}{name}", self.prefix), now, self.takes)?;
        if self.tables.contains_key(name) {
            return Err(ServiceError::resource_in_use(format!("Table already exists: {name}")));
        }
        let answer = json!({"TableDescription": table.shown(name, now)});
        self.tables.insert(name.to_owned(), table);
        Ok(answer)
    }

    fn delete(&mut self, now: VirtualTime, name: &str) -> Result<Value, ServiceError> {
        let takes = self.takes;
        let table = self.tables.get_mut(name).ok_or_else(|| missing_table(name))?;
        let busy =
            |what: &str| ServiceError::resource_in_use(format!("Attempt to change a resource which is still in use: Table is being {what}: {name}"));
        match table.status(now) {
            "CREATING" => return Err(busy("created")),
            "UPDATING" => return Err(busy("updated")),
            "DELETING" => return Err(busy("deleted")),
            _ => {}
        }
        if table.protected {
            let text = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.";
            return Err(ServiceError::validation(text));
        }
        table.state = State::Dying(now + takes);
        table.items.clear();
        Ok(json!({"TableDescription": table.shown(name, now)}))
    }

    fn update(&mut self, now: VirtualTime, name: &str, body: &Value) -> Result<Value, ServiceError> {
        let takes = self.takes;
        let table = self.tables.get_mut(name).ok_or_else(missing)?;
        if table.status(now) != "ACTIVE" {
            let text = format!("Attempt to change a resource which is still in use: Table is being updated: {name}");
            return Err(ServiceError::new(ErrorCode::ResourceInUseException, text));
        }
        let mut changed = table.clone();
        changed.change(body, now, takes)?;
        *table = changed;
        Ok(json!({"TableDescription": table.shown(name, now)}))
    }

    fn list(&self, body: &Value) -> Value {
        let after = body["ExclusiveStartTableName"].as_str().unwrap_or_default();
        let most = body["Limit"].as_u64().unwrap_or(100) as usize;
        let mut names: Vec<&String> = self.tables.keys().filter(|name| name.as_str() > after).take(most + 1).collect();
        let more = names.len() > most;
        names.truncate(most);
        let mut answer = json!({"TableNames": names});
        if let Some(last) = names.last().filter(|_| more) {
            answer["LastEvaluatedTableName"] = json!(last);
        }
        answer
    }

    fn expire(&mut self, name: &str, wanted: &Value) -> Result<Value, ServiceError> {
        let table = self.tables.get_mut(name).ok_or_else(|| missing_table(name))?;
        let (enabled, attribute) = (wanted["Enabled"] == true, wanted["AttributeName"].as_str().unwrap_or_default());
        match &table.time_to_live {
            Some(_) if enabled => return Err(ServiceError::validation("TimeToLive is already enabled")),
            None if !enabled => return Err(ServiceError::validation("TimeToLive is already disabled")),
            Some(other) if other != attribute => {
                let text = format!("TimeToLive is active on a different AttributeName: current AttributeName is {other}");
                return Err(ServiceError::validation(text));
            }
            _ => table.time_to_live = enabled.then(|| attribute.to_owned()),
        }
        Ok(json!({"TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute}}))
    }
}
