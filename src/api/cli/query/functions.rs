//! The functions of the language.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::eval::{equal, eval, order_numbers, to_param};
use super::parse::Node;

/// An argument: a value, or an expression to evaluate on each item.
pub(super) enum Argument<'a> {
    Value(Value),
    Expression(&'a Node),
}

impl Argument<'_> {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Value(value) => kind(value),
            Self::Expression(_) => "expref",
        }
    }
}

/// The type of a value in the language.
const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Name, types of each parameter (none is any), whether the last may be repeated.
type Signature = (&'static str, &'static [&'static [&'static str]], bool);

const SIGNATURES: &[Signature] = &[
    ("abs", &[&["number"]], false),
    ("avg", &[&["array-number"]], false),
    ("ceil", &[&["number"]], false),
    ("contains", &[&["array", "string"], &[]], false),
    ("ends_with", &[&["string"], &["string"]], false),
    ("floor", &[&["number"]], false),
    ("join", &[&["string"], &["array-string"]], false),
    ("keys", &[&["object"]], false),
    ("length", &[&["string", "array", "object"]], false),
    ("map", &[&["expref"], &["array"]], false),
    ("max", &[&["array-number", "array-string"]], false),
    ("max_by", &[&["array"], &["expref"]], false),
    ("merge", &[&["object"]], true),
    ("min", &[&["array-number", "array-string"]], false),
    ("min_by", &[&["array"], &["expref"]], false),
    ("not_null", &[&[]], true),
    ("reverse", &[&["array", "string"]], false),
    ("sort", &[&["array-string", "array-number"]], false),
    ("sort_by", &[&["array"], &["expref"]], false),
    ("starts_with", &[&["string"], &["string"]], false),
    ("sum", &[&["array-number"]], false),
    ("to_array", &[&[]], false),
    ("to_number", &[&[]], false),
    ("to_string", &[&[]], false),
    ("type", &[&[]], false),
    ("values", &[&["object"]], false),
];

/// Calls a function.
///
/// # Errors
/// An unknown function, a wrong number of arguments, a wrong type of one.
pub(super) fn call(name: &str, arguments: Vec<Argument<'_>>) -> Result<Value, String> {
    let Some((name, parameters, variadic)) = SIGNATURES.iter().copied().find(|(known, ..)| *known == name) else {
        return Err(format!("Unknown function: {name}()"));
    };
    let (wanted, given) = (parameters.len(), arguments.len());
    if given < wanted || (given > wanted && !variadic) {
        let least = if variadic { "at least " } else { "" };
        let plural = if wanted == 1 { "" } else { "s" };
        return Err(format!("Expected {least}{wanted} argument{plural} for function {name}(), received {given}"));
    }
    for (argument, types) in arguments.iter().zip(parameters) {
        check(name, argument, types)?;
    }
    apply(name, arguments)
}

fn refusal(name: &str, value: &str, types: &[&str], received: &str) -> String {
    let types: Vec<String> = types.iter().map(|kind| format!("'{kind}'")).collect();
    format!("In function {name}(), invalid type for value: {value}, expected one of: [{}], received: \"{received}\"", types.join(", "))
}

fn check(name: &str, argument: &Argument<'_>, types: &[&str]) -> Result<(), String> {
    if types.is_empty() {
        return Ok(());
    }
    let found = argument.kind();
    if !types.iter().any(|wanted| wanted.split('-').next() == Some(found)) {
        let shown = match argument {
            Argument::Value(value) => to_param(value).shown(),
            Argument::Expression(_) => "an expression".to_owned(),
        };
        return Err(refusal(name, &shown, types, found));
    }
    let item_kinds: Vec<&str> = types.iter().filter_map(|wanted| wanted.strip_prefix("array-")).collect();
    let Argument::Value(Value::Array(items)) = argument else { return Ok(()) };
    let Some(first) = items.first() else { return Ok(()) };
    if item_kinds.is_empty() {
        return Ok(());
    }
    // The first item decides which of the kinds all must have.
    let wanted = item_kinds.iter().find(|wanted| **wanted == kind(first)).copied().unwrap_or(item_kinds[0]);
    match items.iter().find(|item| kind(item) != wanted) {
        None => Ok(()),
        Some(item) => {
            let class = to_param(item).class().trim_start_matches("<class '").trim_end_matches("'>");
            Err(refusal(name, &to_param(item).shown(), types, class))
        }
    }
}

fn apply(name: &str, mut arguments: Vec<Argument<'_>>) -> Result<Value, String> {
    let second = if arguments.len() > 1 { Some(arguments.remove(1)) } else { None };
    let first = if arguments.is_empty() { Argument::Value(Value::Null) } else { arguments.remove(0) };
    Ok(match (name, first, second) {
        ("map", Argument::Expression(node), Some(Argument::Value(Value::Array(items)))) => {
            Value::Array(items.iter().map(|item| eval(node, item)).collect::<Result<_, _>>()?)
        }
        ("sort_by" | "min_by" | "max_by", Argument::Value(Value::Array(items)), Some(Argument::Expression(node))) => by_key(name, items, node)?,
        ("merge", first, second) => {
            let mut merged = Map::new();
            for argument in [Some(first), second].into_iter().flatten().chain(arguments) {
                if let Argument::Value(Value::Object(entries)) = argument {
                    merged.extend(entries);
                }
            }
            Value::Object(merged)
        }
        ("not_null", first, second) => [Some(first), second]
            .into_iter()
            .flatten()
            .chain(arguments)
            .find_map(|argument| match argument {
                Argument::Value(value) if !value.is_null() => Some(value),
                _ => None,
            })
            .unwrap_or_default(),
        ("contains", Argument::Value(Value::Array(items)), Some(Argument::Value(search))) => {
            Value::Bool(items.iter().any(|item| equal(item, &search)))
        }
        ("contains", Argument::Value(Value::String(text)), Some(Argument::Value(search))) => match search {
            Value::String(search) => Value::Bool(text.contains(&search)),
            other => {
                let class = to_param(&other).class().trim_start_matches("<class '").trim_end_matches("'>").to_owned();
                return Err(format!("'in <string>' requires string as left operand, not {class}"));
            }
        },
        ("ends_with", Argument::Value(Value::String(text)), Some(Argument::Value(Value::String(end)))) => Value::Bool(text.ends_with(&end)),
        ("starts_with", Argument::Value(Value::String(text)), Some(Argument::Value(Value::String(start)))) => Value::Bool(text.starts_with(&start)),
        ("join", Argument::Value(Value::String(glue)), Some(Argument::Value(Value::Array(items)))) => {
            Value::String(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(&glue))
        }
        (name, Argument::Value(value), _) => of_one(name, value),
        (_, Argument::Expression(_), _) => Value::Null,
    })
}

/// The functions of one value; its type is checked already.
fn of_one(name: &str, value: Value) -> Value {
    match (name, value) {
        ("type", value) => kind(&value).into(),
        ("to_array", value @ Value::Array(_)) | ("to_string", value @ Value::String(_)) => value,
        ("to_array", value) => Value::Array(vec![value]),
        ("to_string", value) => Value::String(value.to_string()),
        ("to_number", Value::Number(number)) => Value::Number(number),
        ("to_number", Value::String(text)) => super::super::words::integer(&text)
            .and_then(|int| i64::try_from(int).ok())
            .map(Value::from)
            .or_else(|| text.trim().parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number))
            .unwrap_or_default(),
        ("abs", Value::Number(number)) => match number.as_i64() {
            Some(int) => int.saturating_abs().into(),
            None => number_of(number.as_f64().unwrap_or_default().abs()),
        },
        ("ceil", Value::Number(number)) => whole(&number, libm::ceil),
        ("floor", Value::Number(number)) => whole(&number, libm::floor),
        ("avg", Value::Array(items)) if !items.is_empty() => number_of(items.iter().filter_map(Value::as_f64).sum::<f64>() / items.len() as f64),
        ("sum", Value::Array(items)) => {
            let ints: Option<i64> = items.iter().try_fold(0i64, |sum, item| sum.checked_add(item.as_i64()?));
            ints.map_or_else(|| number_of(items.iter().filter_map(Value::as_f64).sum()), Value::from)
        }
        ("max", Value::Array(items)) => {
            items.into_iter().reduce(|best, item| if order(&item, &best) == Ordering::Greater { item } else { best }).unwrap_or_default()
        }
        ("min", Value::Array(items)) => {
            items.into_iter().reduce(|best, item| if order(&item, &best) == Ordering::Less { item } else { best }).unwrap_or_default()
        }
        ("sort", Value::Array(mut items)) => {
            items.sort_by(order);
            Value::Array(items)
        }
        ("length", Value::String(text)) => text.chars().count().into(),
        ("length", Value::Array(items)) => items.len().into(),
        ("length", Value::Object(entries)) => entries.len().into(),
        ("reverse", Value::String(text)) => text.chars().rev().collect::<String>().into(),
        ("reverse", Value::Array(mut items)) => {
            items.reverse();
            Value::Array(items)
        }
        ("keys", Value::Object(entries)) => entries.into_iter().map(|(key, _)| Value::String(key)).collect(),
        ("values", Value::Object(entries)) => entries.into_iter().map(|(_, value)| value).collect(),
        _ => Value::Null,
    }
}

fn by_key(name: &str, items: Vec<Value>, node: &Node) -> Result<Value, String> {
    let mut keyed = Vec::with_capacity(items.len());
    let mut types: &[&str] = &["number", "string"];
    for item in items {
        let key = eval(node, &item)?;
        let found = kind(&key);
        if keyed.is_empty() && name == "sort_by" {
            match found {
                "number" => types = &["number"],
                "string" => types = &["string"],
                _ => return Err(refusal(name, &to_param(&item).shown(), &["string", "number"], found)),
            }
        }
        if !types.contains(&found) {
            return Err(refusal(name, &to_param(&key).shown(), types, found));
        }
        keyed.push((key, item));
    }
    let best = match name {
        "sort_by" => {
            keyed.sort_by(|(a, _), (b, _)| order(a, b));
            return Ok(keyed.into_iter().map(|(_, item)| item).collect());
        }
        "max_by" => keyed.into_iter().reduce(|best, item| if order(&item.0, &best.0) == Ordering::Greater { item } else { best }),
        _ => keyed.into_iter().reduce(|best, item| if order(&item.0, &best.0) == Ordering::Less { item } else { best }),
    };
    Ok(best.map(|(_, item)| item).unwrap_or_default())
}

/// The order of two numbers or two texts.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => order_numbers(a, b).unwrap_or(Ordering::Equal),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

fn whole(number: &Number, round: fn(f64) -> f64) -> Value {
    match number.as_i64() {
        Some(int) => int.into(),
        None => (round(number.as_f64().unwrap_or_default()) as i64).into(),
    }
}

fn number_of(float: f64) -> Value {
    Number::from_f64(float).map_or(Value::Null, Value::Number)
}
