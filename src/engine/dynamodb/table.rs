//! A table: its keys, its indexes, its state, and its items in the order of their keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::api::{ErrorCode, ServiceError};
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::schema::{Index, Key, Part, Schema};
use super::value::{self, Item};

/// Bytes of an item.
pub const ITEM_MAX: usize = 400 << 10;

/// Where a table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is being made, changed or used, and will be or has been ready since then.
    Living {
        /// Ready from this instant.
        ready: VirtualTime,
        /// It is new.
        new: bool,
    },
    /// It is being deleted, and gone at this instant.
    Dying(VirtualTime),
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Types of the attributes in keys.
    pub kinds: BTreeMap<String, String>,
    /// Its keys.
    pub schema: Schema,
    /// Indexes by name.
    pub indexes: BTreeMap<String, Index>,
    /// Items by key; a checkpoint shares them.
    pub items: BTreeMap<Key, Arc<Item>>,
    /// Where it stands.
    pub state: State,
    /// Attribute that says when items expire.
    pub time_to_live: Option<String>,
    /// It cannot be deleted.
    pub protected: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    arn: String,
    created: VirtualTime,
    on_demand: bool,
    throughput: (u64, u64),
    class: String,
    stream: Value,
}

fn invalid(text: &str) -> ServiceError {
    ServiceError::validation(format!("One or more parameter values were invalid: {text}"))
}

fn units(given: &Value) -> Option<(u64, u64)> {
    Some((given["ReadCapacityUnits"].as_u64()?, given["WriteCapacityUnits"].as_u64()?))
}

impl Table {
    /// A table as `CreateTable` asks for it.
    ///
    /// # Errors
    /// Keys, indexes or capacities that do not go together.
    pub fn create(body: &Value, arn: String, now: VirtualTime, takes: VirtualDuration) -> Result<Self, ServiceError> {
        let kinds = kinds(body);
        let schema = Schema::read(&body["KeySchema"], &kinds)?;
        let on_demand = body["BillingMode"] == "PAY_PER_REQUEST";
        let throughput = units(&body["ProvisionedThroughput"]);
        if on_demand && throughput.is_some() {
            return Err(invalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"));
        }
        if !on_demand && throughput.is_none() {
            return Err(invalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"));
        }
        let mut table = Self {
            kinds,
            schema,
            indexes: BTreeMap::new(),
            items: BTreeMap::new(),
            state: State::Living { ready: now + takes, new: true },
            time_to_live: None,
            protected: body["DeletionProtectionEnabled"] == true,
            tags: BTreeMap::new(),
            arn,
            created: now,
            on_demand,
            throughput: throughput.unwrap_or_default(),
            class: body["TableClass"].as_str().unwrap_or_default().to_owned(),
            stream: body["StreamSpecification"].clone(),
        };
        for (member, local) in [("LocalSecondaryIndexes", true), ("GlobalSecondaryIndexes", false)] {
            for index in body[member].as_array().into_iter().flatten() {
                table.add_index(index, local, now + takes)?;
            }
        }
        let used = |name: &String| table.schemas().any(|schema| schema.names().any(|key| key == name));
        if !table.kinds.keys().all(used) {
            return Err(invalid("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"));
        }
        table.tag(&body["Tags"]);
        Ok(table)
    }

    fn schemas(&self) -> impl Iterator<Item = &Schema> {
        std::iter::once(&self.schema).chain(self.indexes.values().map(|index| &index.schema))
    }

    fn add_index(&mut self, given: &Value, local: bool, ready: VirtualTime) -> Result<(), ServiceError> {
        let name = given["IndexName"].as_str().unwrap_or_default();
        if self.indexes.contains_key(name) {
            return Err(invalid(&format!("Duplicate index name: {name}")));
        }
        let schema = Schema::read(&given["KeySchema"], &self.kinds)?;
        if local && (schema.hash != self.schema.hash || schema.range.is_none()) {
            return Err(invalid(&format!("Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}")));
        }
        let throughput = units(&given["ProvisionedThroughput"]).unwrap_or(self.throughput);
        let projection = given["Projection"].clone();
        self.indexes.insert(name.to_owned(), Index { schema, local, ready, projection, throughput });
        Ok(())
    }

    /// Changes it as `UpdateTable` asks.
    ///
    /// # Errors
    /// Nothing to change, indexes that are there or are not.
    pub fn change(&mut self, body: &Value, now: VirtualTime, takes: VirtualDuration) -> Result<(), ServiceError> {
        let updates = body["GlobalSecondaryIndexUpdates"].as_array().map_or(&[][..], Vec::as_slice);
        let known = ["BillingMode", "ProvisionedThroughput", "StreamSpecification", "SSESpecification", "TableClass", "DeletionProtectionEnabled"];
        if updates.is_empty() && known.iter().all(|member| body.get(*member).is_none()) && body.get("OnDemandThroughput").is_none() {
            return Err(invalid(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required",
            ));
        }
        self.kinds.extend(kinds(body));
        for update in updates {
            let name = |kind: &str| update[kind]["IndexName"].as_str().unwrap_or_default().to_owned();
            if update["Create"].is_object() {
                self.add_index(&update["Create"], false, now + takes)?;
            } else if update["Delete"].is_object() {
                let name = name("Delete");
                let gone = self.indexes.remove(&name);
                gone.ok_or_else(|| ServiceError::resource_not_found(format!("Requested resource not found: Index: {name} not found")))?;
            } else if update["Update"].is_object() {
                let index = self.indexes.get_mut(&name("Update"));
                let index = index.ok_or_else(|| invalid("the index is not there"))?;
                index.throughput = units(&update["Update"]["ProvisionedThroughput"]).unwrap_or(index.throughput);
            }
        }
        if let Some(mode) = body["BillingMode"].as_str() {
            self.on_demand = mode == "PAY_PER_REQUEST";
        }
        if let Some(throughput) = units(&body["ProvisionedThroughput"]) {
            self.throughput = throughput;
        } else if self.on_demand {
            self.throughput = (0, 0);
        }
        if let Some(protected) = body["DeletionProtectionEnabled"].as_bool() {
            self.protected = protected;
        }
        if let Some(class) = body["TableClass"].as_str() {
            class.clone_into(&mut self.class);
        }
        if body["StreamSpecification"].is_object() {
            self.stream = body["StreamSpecification"].clone();
        }
        let schemas: Vec<Schema> = self.schemas().cloned().collect();
        self.kinds.retain(|name, _| schemas.iter().any(|schema| schema.names().any(|key| key == name)));
        self.state = State::Living { ready: now + takes, new: false };
        Ok(())
    }

    /// Adds tags.
    pub fn tag(&mut self, tags: &Value) {
        for tag in tags.as_array().into_iter().flatten() {
            let text = |name: &str| tag[name].as_str().unwrap_or_default().to_owned();
            self.tags.insert(text("Key"), text("Value"));
        }
    }

    /// Its state by the service's word.
    pub fn status(&self, now: VirtualTime) -> &'static str {
        match self.state {
            State::Dying(_) => "DELETING",
            State::Living { ready, .. } if now >= ready => "ACTIVE",
            State::Living { new, .. } => {
                if new {
                    "CREATING"
                } else {
                    "UPDATING"
                }
            }
        }
    }

    /// Its description.
    pub fn shown(&self, name: &str, now: VirtualTime) -> Value {
        let seconds = |at: VirtualTime| at.millis() as f64 / 1000.0;
        let throughput = |(read, write): (u64, u64)| json!({"NumberOfDecreasesToday": 0, "ReadCapacityUnits": read, "WriteCapacityUnits": write});
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        let definitions = self.kinds.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}));
        add("AttributeDefinitions", definitions.collect());
        add("TableName", json!(name));
        add("KeySchema", self.schema.shown());
        add("TableStatus", json!(self.status(now)));
        add("CreationDateTime", json!(seconds(self.created)));
        add("ProvisionedThroughput", throughput(self.throughput));
        let bytes = |schema: &Schema| self.items.values().filter(|item| schema.key_of(item).is_some()).map(|item| value::size(item)).sum::<usize>();
        add("TableSizeBytes", json!(bytes(&self.schema)));
        add("ItemCount", json!(self.items.len()));
        add("TableArn", json!(self.arn));
        add("TableId", json!(id_of(&self.arn, self.created)));
        if self.on_demand {
            add("BillingModeSummary", json!({"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": seconds(self.created)}));
        }
        for (member, local) in [("LocalSecondaryIndexes", true), ("GlobalSecondaryIndexes", false)] {
            let shown: Vec<Value> = self
                .indexes
                .iter()
                .filter(|(_, index)| index.local == local)
                .map(|(index_name, index)| {
                    let count = self.items.values().filter(|item| index.schema.key_of(item).is_some()).count();
                    let mut shown = json!({"IndexName": index_name, "KeySchema": index.schema.shown(), "Projection": index.projection,
                        "IndexSizeBytes": bytes(&index.schema), "ItemCount": count, "IndexArn": format!("{}/index/{index_name}", self.arn)});
                    if !local {
                        shown["IndexStatus"] = json!(if now >= index.ready { "ACTIVE" } else { "CREATING" });
                        shown["ProvisionedThroughput"] = throughput(index.throughput);
                    }
                    shown
                })
                .collect();
            if !shown.is_empty() {
                add(member, Value::Array(shown));
            }
        }
        if self.stream["StreamEnabled"] == true {
            add("StreamSpecification", self.stream.clone());
        }
        if !self.class.is_empty() {
            add("TableClassSummary", json!({"TableClass": self.class}));
        }
        add("DeletionProtectionEnabled", json!(self.protected));
        Value::Object(members)
    }

    /// The key that a request gives: all of it and nothing else.
    ///
    /// # Errors
    /// Another one.
    pub fn key(&self, given: &Item) -> Result<Key, ServiceError> {
        let unfit = || ServiceError::validation("The provided key element does not match the schema");
        if given.len() != self.schema.names().count() {
            return Err(unfit());
        }
        for name in self.schema.names() {
            let value = given.get(name).ok_or_else(unfit)?;
            if self.kinds.get(name).is_none_or(|kind| kind != value.kind()) {
                return Err(unfit());
            }
        }
        self.key_in(given)
    }

    /// The key of a whole item; the keys of indexes must fit, too, where it has them.
    ///
    /// # Errors
    /// A part that is missing, has another type or is empty.
    pub fn key_in(&self, item: &Item) -> Result<Key, ServiceError> {
        for name in self.schema.names() {
            let Some(value) = item.get(name) else { return Err(invalid(&format!("Missing the key {name} in the item"))) };
            let wanted = self.kinds.get(name).map_or("", String::as_str);
            if wanted != value.kind() {
                return Err(invalid(&format!("Type mismatch for key {name} expected: {wanted} actual: {}", value.kind())));
            }
            if Part::of(value).is_some_and(|part| part.is_empty()) {
                let what = if wanted == "S" { "string" } else { "binary" };
                return Err(ServiceError::validation(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {what} value. Key: {name}"
                )));
            }
        }
        for (index_name, index) in &self.indexes {
            for name in index.schema.names() {
                let (Some(value), Some(wanted)) = (item.get(name), self.kinds.get(name)) else { continue };
                if value.kind() != wanted {
                    let text = format!("Type mismatch for Index Key {name} Expected: {wanted} Actual: {} IndexName: {index_name}", value.kind());
                    return Err(invalid(&text));
                }
            }
        }
        self.schema.key_of(item).ok_or_else(ServiceError::internal_failure)
    }

    /// It can be read and written.
    ///
    /// # Errors
    /// It is not ready yet, or not any more.
    pub fn usable(&self, now: VirtualTime) -> Result<(), ServiceError> {
        match self.state {
            State::Living { ready, new: true } if now < ready => Err(ServiceError::resource_not_found("Requested resource not found")),
            State::Dying(_) => Err(ServiceError::new(ErrorCode::ResourceNotFoundException, "Requested resource not found")),
            State::Living { .. } => Ok(()),
        }
    }
}

fn kinds(body: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let definitions = body["AttributeDefinitions"].as_array().into_iter().flatten();
    definitions.map(|definition| (text(definition, "AttributeName"), text(definition, "AttributeType"))).collect()
}

/// An id in the form of the service's, the same in every run.
fn id_of(arn: &str, created: VirtualTime) -> String {
    use md5::{Digest, Md5};
    let digest: [u8; 16] = Md5::digest(format!("{arn} {}", created.0)).into();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
