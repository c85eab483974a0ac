//! A tree and a value to what the query finds.

use serde_json::{Map, Number, Value};

use super::super::param::Param;
use super::functions::{self, Argument};
use super::parse::{Comparison, Node};

/// What a node finds in a value.
///
/// # Errors
/// Faults of functions and comparisons in the CLI's words.
pub(super) fn eval(node: &Node, value: &Value) -> Result<Value, String> {
    Ok(match node {
        Node::Identity => value.clone(),
        Node::Field(name) => value.get(name.as_str()).filter(|_| value.is_object()).cloned().unwrap_or_default(),
        Node::Index(index) => value.as_array().and_then(|items| at(items, *index)).cloned().unwrap_or_default(),
        Node::Slice(parts) => match value.as_array() {
            Some(items) => slice(items, *parts)?,
            None => Value::Null,
        },
        Node::Literal(literal) => literal.clone(),
        Node::Chain(left, right) => eval(right, &eval(left, value)?)?,
        Node::Projection(left, right) => match eval(left, value)? {
            Value::Array(items) => project(items.iter(), right)?,
            _ => Value::Null,
        },
        Node::ValueProjection(left, right) => match eval(left, value)? {
            Value::Object(entries) => project(entries.values(), right)?,
            _ => Value::Null,
        },
        Node::FilterProjection(left, right, condition) => {
            let Value::Array(items) = eval(left, value)? else { return Ok(Value::Null) };
            let mut kept = Vec::new();
            for item in &items {
                if is_true(&eval(condition, item)?) {
                    kept.push(item);
                }
            }
            project(kept.into_iter(), right)?
        }
        Node::Flatten(left) => {
            let Value::Array(items) = eval(left, value)? else { return Ok(Value::Null) };
            let mut merged = Vec::with_capacity(items.len());
            for item in items {
                match item {
                    Value::Array(inner) => merged.extend(inner),
                    other => merged.push(other),
                }
            }
            Value::Array(merged)
        }
        Node::List(_) | Node::Hash(_) if value.is_null() => Value::Null,
        Node::List(nodes) => Value::Array(nodes.iter().map(|node| eval(node, value)).collect::<Result<_, _>>()?),
        Node::Hash(entries) => {
            let mut found = Map::new();
            for (key, node) in entries {
                found.insert(key.clone(), eval(node, value)?);
            }
            Value::Object(found)
        }
        Node::Or(left, right) => {
            let found = eval(left, value)?;
            if is_true(&found) { found } else { eval(right, value)? }
        }
        Node::And(left, right) => {
            let found = eval(left, value)?;
            if is_true(&found) { eval(right, value)? } else { found }
        }
        Node::Not(inner) => Value::Bool(!is_true(&eval(inner, value)?)),
        Node::Compare(comparison, left, right) => compare(*comparison, &eval(left, value)?, &eval(right, value)?)?,
        Node::Function(name, nodes) => {
            let mut arguments = Vec::with_capacity(nodes.len());
            for node in nodes {
                arguments.push(match node {
                    Node::Expref(inner) => Argument::Expression(inner),
                    node => Argument::Value(eval(node, value)?),
                });
            }
            functions::call(name, arguments)?
        }
        // Only functions take an expression.
        Node::Expref(_) => Value::Null,
    })
}

fn project<'a>(items: impl Iterator<Item = &'a Value>, node: &Node) -> Result<Value, String> {
    let mut found = Vec::new();
    for item in items {
        let value = eval(node, item)?;
        if !value.is_null() {
            found.push(value);
        }
    }
    Ok(Value::Array(found))
}

fn at(items: &[Value], index: i64) -> Option<&Value> {
    let index = if index < 0 { index.checked_add(i64::try_from(items.len()).ok()?)? } else { index };
    usize::try_from(index).ok().and_then(|index| items.get(index))
}

fn slice(items: &[Value], [from, to, step]: [Option<i64>; 3]) -> Result<Value, String> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err("slice step cannot be zero".into());
    }
    let length = items.len() as i64;
    let (least, most) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let bound = |given: Option<i64>, default: i64| match given {
        None => default,
        Some(index) if index < 0 => index.saturating_add(length).max(least),
        Some(index) => index.min(most),
    };
    let (mut index, end) = if step < 0 { (bound(from, most), bound(to, least)) } else { (bound(from, least), bound(to, most)) };
    let mut found = Vec::new();
    while if step < 0 { index > end } else { index < end } {
        found.extend(usize::try_from(index).ok().and_then(|index| items.get(index)).cloned());
        index = index.saturating_add(step);
    }
    Ok(Value::Array(found))
}

/// Everything is true except `null`, `false` and what is empty.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

/// Whether two values are equal; numbers by value, objects regardless of order.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => order_numbers(a, b) == Some(std::cmp::Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b))),
        (a, b) => a == b,
    }
}

pub(super) fn order_numbers(a: &Number, b: &Number) -> Option<std::cmp::Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<Value, String> {
    use std::cmp::Ordering;
    let sign = match comparison {
        Comparison::Eq => return Ok(Value::Bool(equal(left, right))),
        Comparison::Ne => return Ok(Value::Bool(!equal(left, right))),
        Comparison::Lt => "<",
        Comparison::Lte => "<=",
        Comparison::Gt => ">",
        Comparison::Gte => ">=",
    };
    let order = match (left, right) {
        (Value::Number(a), Value::Number(b)) => order_numbers(a, b),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(_), Value::String(_)) | (Value::String(_), Value::Number(_)) => {
            let class = |value: &Value| to_param(value).class().trim_start_matches("<class ").trim_end_matches('>').to_owned();
            return Err(format!("'{sign}' not supported between instances of {} and {}", class(left), class(right)));
        }
        _ => return Ok(Value::Null),
    };
    Ok(Value::Bool(order.is_some_and(|order| match comparison {
        Comparison::Lt => order == Ordering::Less,
        Comparison::Lte => order != Ordering::Greater,
        Comparison::Gt => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })))
}

/// A value as a parameter, for error texts.
pub(super) fn to_param(value: &Value) -> Param {
    match value {
        Value::Null => Param::None,
        Value::Bool(flag) => Param::Bool(*flag),
        Value::Number(number) => number.as_i128().map_or_else(|| Param::Float(number.as_f64().unwrap_or(f64::NAN)), Param::Int),
        Value::String(text) => Param::Text(text.clone()),
        Value::Array(items) => Param::List(items.iter().map(to_param).collect()),
        Value::Object(entries) => Param::Map(entries.iter().map(|(key, value)| (key.clone(), to_param(value))).collect()),
    }
}

/// JSON read by the CLI's reader as a value; numbers JSON cannot hold become `null`.
pub(super) fn from_param(param: Param) -> Value {
    match param {
        Param::None | Param::Bytes(_) => Value::Null,
        Param::Bool(flag) => Value::Bool(flag),
        Param::Int(int) => i64::try_from(int).map_or_else(|_| Number::from_f64(int as f64).map_or(Value::Null, Value::Number), Value::from),
        Param::Float(float) => Number::from_f64(float).map_or(Value::Null, Value::Number),
        Param::Text(text) => Value::String(text),
        Param::List(items) => items.into_iter().map(from_param).collect(),
        Param::Map(entries) => Value::Object(entries.into_iter().map(|(key, value)| (key, from_param(value))).collect()),
    }
}
