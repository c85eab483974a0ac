//! The Glue Data Catalog: databases, tables, partitions. Schemas for format conversion and tables for queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::api::{Call, ErrorCode, ServiceError};

use super::formats::schema::{Column, Type};
use super::time::VirtualTime;

/// How the files of a table are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    Orc,
    /// One JSON object after another.
    Json,
    /// Comma-separated values.
    Csv,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// The definition as it was given.
    pub input: Value,
    /// Columns.
    pub columns: Arc<[Column]>,
    /// Partition columns.
    pub partition_keys: Vec<Column>,
    /// `s3://bucket/prefix/`.
    pub location: String,
    /// Form of its files.
    pub form: Form,
    /// Separator of CSV.
    pub separator: char,
    /// Locations of the partitions, by their values.
    pub partitions: BTreeMap<Vec<String>, String>,
    /// Version, from 0.
    pub version: u64,
    created: VirtualTime,
    updated: VirtualTime,
}

/// The catalogue.
#[derive(Debug, Clone, Default)]
pub struct Glue {
    databases: BTreeMap<String, (VirtualTime, Value, BTreeMap<String, Table>)>,
}

fn missing(what: &str, name: &str) -> ServiceError {
    ServiceError::new(ErrorCode::EntityNotFoundException, format!("{what} {name} not found."))
}

fn columns(value: &Value) -> Result<Vec<Column>, ServiceError> {
    let wrong = |text: String| ServiceError::new(ErrorCode::InvalidInputException, text);
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| {
            let name = column["Name"].as_str().unwrap_or_default().to_lowercase();
            let kind = Type::parse(column["Type"].as_str().unwrap_or("string")).map_err(|error| wrong(format!("Column {name}: {error}")))?;
            Ok((name, kind))
        })
        .collect()
}

impl Table {
    fn read(input: &Value, now: VirtualTime) -> Result<Self, ServiceError> {
        let storage = &input["StorageDescriptor"];
        let library = storage["SerdeInfo"]["SerializationLibrary"].as_str().unwrap_or_default().to_lowercase();
        let format = storage["InputFormat"].as_str().unwrap_or_default().to_lowercase();
        let is = |word: &str| library.contains(word) || format.contains(word);
        let form = if is("parquet") {
            Form::Parquet
        } else if is("orc") {
            Form::Orc
        } else if library.contains("csv") || library.contains("lazysimple") {
            Form::Csv
        } else {
            Form::Json
        };
        let parameters = &storage["SerdeInfo"]["Parameters"];
        let separator = ["field.delim", "separatorChar"].iter().find_map(|name| parameters[*name].as_str()).and_then(|text| text.chars().next());
        let mut location = storage["Location"].as_str().unwrap_or_default().to_owned();
        if !location.is_empty() && !location.ends_with('/') {
            location.push('/');
        }
        Ok(Self {
            columns: columns(&storage["Columns"])?.into(),
            partition_keys: columns(&input["PartitionKeys"])?,
            location,
            form,
            separator: separator.unwrap_or(','),
            partitions: BTreeMap::new(),
            version: 0,
            created: now,
            updated: now,
            input: input.clone(),
        })
    }

    fn shown(&self, database: &str) -> Value {
        let mut object = self.input.as_object().cloned().unwrap_or_default();
        object.insert("DatabaseName".to_owned(), json!(database));
        object.insert("CreateTime".to_owned(), json!(self.created.secs()));
        object.insert("UpdateTime".to_owned(), json!(self.updated.secs()));
        object.insert("VersionId".to_owned(), json!(self.version.to_string()));
        Value::Object(object)
    }

    /// The values of the partition columns in a `name=value/` path below the table's location; `None` when the path has others.
    pub fn partition_of(&self, below: &str) -> Option<Vec<String>> {
        let mut folders = below.split('/');
        self.partition_keys
            .iter()
            .map(|(name, _)| {
                let (key, value) = folders.next()?.split_once('=')?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
            .collect()
    }
}

impl Glue {
    /// A table by name, both names without case.
    pub fn table(&self, database: &str, table: &str) -> Option<&Table> {
        self.databases.get(&database.to_lowercase())?.2.get(&table.to_lowercase())
    }

    /// A table by name, for its partitions.
    pub fn table_mut(&mut self, database: &str, table: &str) -> Option<&mut Table> {
        self.databases.get_mut(&database.to_lowercase())?.2.get_mut(&table.to_lowercase())
    }

    /// The databases and their tables.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &str, &Table)> {
        self.databases.iter().flat_map(|(database, (_, _, tables))| tables.iter().map(move |(name, table)| (database.as_str(), name.as_str(), table)))
    }

    /// The schema of a table for format conversion.
    ///
    /// # Errors
    /// `EntityNotFoundException` with Glue's text.
    pub fn schema(&self, database: &str, table: &str) -> Result<Arc<[Column]>, ServiceError> {
        let Some((_, _, tables)) = self.databases.get(&database.to_lowercase()) else { return Err(missing("Database", database)) };
        tables.get(&table.to_lowercase()).map(|table| table.columns.clone()).ok_or_else(|| missing("Table", table))
    }

    fn tables_of(&mut self, database: &str) -> Result<&mut BTreeMap<String, Table>, ServiceError> {
        self.databases.get_mut(&database.to_lowercase()).map(|(_, _, tables)| tables).ok_or_else(|| missing("Database", database))
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// Glue's own.
    pub fn call(&mut self, now: VirtualTime, call: &Call) -> Result<Value, ServiceError> {
        let body = &call.body;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let database = text("DatabaseName");
        let exists = |what: &str| ServiceError::new(ErrorCode::AlreadyExistsException, format!("{what} already exists."));
        match call.operation.name {
            "CreateDatabase" => {
                let name = body["DatabaseInput"]["Name"].as_str().unwrap_or_default().to_lowercase();
                if self.databases.contains_key(&name) {
                    return Err(exists("Database"));
                }
                self.databases.insert(name, (now, body["DatabaseInput"].clone(), BTreeMap::new()));
                Ok(json!({}))
            }
            "GetDatabase" => {
                let name = text("Name");
                let (created, input, _) = self.databases.get(&name.to_lowercase()).ok_or_else(|| missing("Database", name))?;
                Ok(json!({"Database": database_shown(*created, input)}))
            }
            "GetDatabases" => {
                let list: Vec<Value> = self.databases.values().map(|(created, input, _)| database_shown(*created, input)).collect();
                Ok(json!({"DatabaseList": list}))
            }
            "DeleteDatabase" => {
                self.databases.remove(&text("Name").to_lowercase()).ok_or_else(|| missing("Database", text("Name")))?;
                Ok(json!({}))
            }
            "CreateTable" | "UpdateTable" => {
                let input = &body["TableInput"];
                let name = input["Name"].as_str().unwrap_or_default().to_lowercase();
                let mut table = Table::read(input, now)?;
                let tables = self.tables_of(database)?;
                match (tables.get(&name), call.operation.name) {
                    (Some(_), "CreateTable") => return Err(exists("Table")),
                    (None, "UpdateTable") => return Err(missing("Table", &name)),
                    (Some(old), _) => {
                        table.version = old.version + 1;
                        table.created = old.created;
                        table.partitions.clone_from(&old.partitions);
                    }
                    (None, _) => {}
                }
                tables.insert(name, table);
                Ok(json!({}))
            }
            "DeleteTable" => {
                self.tables_of(database)?.remove(&text("Name").to_lowercase()).ok_or_else(|| missing("Table", text("Name")))?;
                Ok(json!({}))
            }
            "GetTable" => {
                let table = self.tables_of(database)?.get(&text("Name").to_lowercase()).ok_or_else(|| missing("Table", text("Name")))?;
                Ok(json!({"Table": table.shown(database)}))
            }
            "GetTables" => {
                let list: Vec<Value> = self.tables_of(database)?.values().map(|table| table.shown(database)).collect();
                Ok(json!({"TableList": list}))
            }
            "CreatePartition" => {
                let values: Vec<String> =
                    body["PartitionInput"]["Values"].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect();
                let location = body["PartitionInput"]["StorageDescriptor"]["Location"].as_str().unwrap_or_default().to_owned();
                let name = text("TableName");
                let table = self.tables_of(database)?.get_mut(&name.to_lowercase()).ok_or_else(|| missing("Table", name))?;
                if values.len() != table.partition_keys.len() {
                    let text = "The number of partition keys do not match the number of partition values";
                    return Err(ServiceError::new(ErrorCode::InvalidInputException, text));
                }
                if table.partitions.contains_key(&values) {
                    return Err(exists("Partition"));
                }
                table.partitions.insert(values, location);
                Ok(json!({}))
            }
            "GetPartitions" => {
                let name = text("TableName");
                let table = self.tables_of(database)?.get(&name.to_lowercase()).ok_or_else(|| missing("Table", name))?;
                let list: Vec<Value> = table
                    .partitions
                    .iter()
                    .map(|(values, location)| json!({"Values": values, "DatabaseName": database, "TableName": name, "StorageDescriptor": {"Location": location}}))
                    .collect();
                Ok(json!({"Partitions": list}))
            }
            other => Err(ServiceError::not_simulated(other)),
        }
    }
}

fn database_shown(created: VirtualTime, input: &Value) -> Value {
    let mut object: Map<String, Value> = input.as_object().cloned().unwrap_or_default();
    object.insert("CreateTime".to_owned(), json!(created.secs()));
    Value::Object(object)
}
