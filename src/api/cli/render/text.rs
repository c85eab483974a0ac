//! Text: a line for each structure, its scalars in the order of their names between tabs, behind the name of the member in capitals.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::scalar;

/// Writes a value, each line with its line feed.
pub(super) fn write(value: &Value, out: &mut String) {
    item(value, None, None, out);
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

fn item(value: &Value, label: Option<&str>, keys: Option<&BTreeSet<&str>>, out: &mut String) {
    match value {
        Value::Object(entries) => structure(entries, label, keys, out),
        Value::Array(items) => list(items, label, out),
        other => line(&[scalar(other)], out),
    }
}

fn list(items: &[Value], label: Option<&str>, out: &mut String) {
    if items.is_empty() {
        return;
    }
    if items.iter().any(Value::is_object) {
        let keys: BTreeSet<&str> = items
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|entries| entries.iter().filter(|(_, value)| is_scalar(value)).map(|(key, _)| key.as_str()))
            .collect();
        for value in items {
            item(value, label, Some(&keys), out);
        }
    } else if items.iter().any(Value::is_array) {
        let scalars: Vec<&Value> = items.iter().filter(|value| is_scalar(value)).collect();
        if !scalars.is_empty() {
            scalar_list(&scalars, label, out);
        }
        for value in items.iter().filter(|value| !is_scalar(value)) {
            item(value, label, None, out);
        }
    } else {
        scalar_list(&items.iter().collect::<Vec<_>>(), label, out);
    }
}

fn scalar_list(items: &[&Value], label: Option<&str>, out: &mut String) {
    match label {
        Some(label) => items.iter().for_each(|value| line(&[label.to_uppercase(), scalar(value)], out)),
        None => line(&items.iter().map(|value| scalar(value)).collect::<Vec<_>>(), out),
    }
}

/// One structure of a list has a field for each scalar that any of the list has.
fn structure(entries: &Map<String, Value>, label: Option<&str>, keys: Option<&BTreeSet<&str>>, out: &mut String) {
    let sorted: BTreeSet<&str> = entries.keys().map(String::as_str).collect();
    let mut fields: Vec<String> = Vec::new();
    let mut nested: Vec<&str> = Vec::new();
    match keys {
        None => {
            for key in sorted {
                match &entries[key] {
                    value if is_scalar(value) => fields.push(scalar(value)),
                    _ => nested.push(key),
                }
            }
        }
        Some(keys) => {
            fields.extend(keys.iter().map(|key| entries.get(*key).map_or_else(String::new, scalar)));
            nested.extend(sorted.into_iter().filter(|key| !keys.contains(key)));
        }
    }
    if !fields.is_empty() {
        if let Some(label) = label {
            fields.insert(0, label.to_uppercase());
        }
        line(&fields, out);
    }
    for key in nested {
        item(&entries[key], Some(key), None, out);
    }
}

fn line(fields: &[String], out: &mut String) {
    out.push_str(&fields.join("\t"));
    out.push('\n');
}
