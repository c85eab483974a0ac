//! Expressions of queries over rows and groups of rows.

use core::cmp::Ordering;

use serde_json::{Number, Value, json};

use crate::sql::ast::{Expr, Kind};
use crate::sql::value::Value as Constant;

use super::{Row, number_or_text};

/// Evaluates over a row, or over a group for aggregates.
pub(super) fn eval(expr: &Expr, row: &Row, group: Option<&[Row]>) -> Result<Value, String> {
    let one = |expr: &Expr| eval(expr, row, group);
    Ok(match &expr.kind {
        Kind::Literal(value, _) => match value {
            Constant::Null => Value::Null,
            Constant::Bool(flag) => json!(flag),
            Constant::Int(int) => json!(int),
            Constant::Text(text) => json!(&**text),
            other => json!(other.number().unwrap_or(0.0)),
        },
        Kind::Name(names) => {
            let wanted = names.last().map_or("", |ident| ident.name.as_str());
            let found = row.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone());
            match found {
                Some(value) => value,
                None => {
                    return Err(format!(
                        "COLUMN_NOT_FOUND: Column '{}' cannot be resolved; there are: {}",
                        wanted.to_lowercase(),
                        row.keys().cloned().collect::<Vec<_>>().join(", ")
                    ));
                }
            }
        }
        Kind::Unary("-", of) => number(-one(of)?.as_f64().unwrap_or(f64::NAN)),
        Kind::Unary("NOT", of) => match one(of)? {
            Value::Bool(flag) => json!(!flag),
            _ => Value::Null,
        },
        Kind::Unary(_, of) => one(of)?,
        Kind::Binary(operator, a, b) => binary(operator, &one(a)?, &one(b)?)?,
        Kind::Between(not, value, low, high) => {
            let (value, low, high) = (one(value)?, one(low)?, one(high)?);
            if value.is_null() {
                Value::Null
            } else {
                json!((order(&value, &low) != Ordering::Less && order(&value, &high) != Ordering::Greater) != *not)
            }
        }
        Kind::In(not, value, list) => {
            let value = one(value)?;
            let mut found = false;
            for item in list {
                found |= order(&value, &one(item)?) == Ordering::Equal;
            }
            if value.is_null() { Value::Null } else { json!(found != *not) }
        }
        Kind::Is(not, "NULL", of) => json!(one(of)?.is_null() != *not),
        Kind::Match(not, false, text, pattern, _) => {
            let (text, pattern) = (one(text)?, one(pattern)?);
            match (text.as_str(), pattern.as_str()) {
                (Some(text), Some(pattern)) => json!(like(pattern, text) != *not),
                _ => Value::Null,
            }
        }
        Kind::Case(operand, branches, otherwise) => {
            let operand = operand.as_ref().map(|operand| one(operand)).transpose()?;
            for (when, then) in branches {
                let when = one(when)?;
                let hit = operand.as_ref().map_or(when == json!(true), |operand| order(operand, &when) == Ordering::Equal);
                if hit {
                    return one(then);
                }
            }
            otherwise.as_ref().map_or(Ok(Value::Null), |otherwise| one(otherwise))?
        }
        Kind::Cast(of, kind) => {
            let value = one(of)?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match kind.to_string().split(['(', ' ']).next().unwrap_or_default() {
                _ if value.is_null() => Value::Null,
                "VARCHAR" | "CHAR" => json!(text),
                "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" => {
                    let number: f64 = text.parse().map_err(|_| format!("INVALID_CAST_ARGUMENT: Cannot cast '{text}' to a whole number"))?;
                    json!(libm::round(number) as i64)
                }
                _ => number_or_text(&text),
            }
        }
        Kind::Call(call) => {
            let upper = call.name.as_str();
            if let Some(group) = group.filter(|_| is_aggregate(upper)) {
                return aggregate(upper, call, group);
            }
            if is_aggregate(upper) {
                return Err(format!("SYNTAX_ERROR: {} cannot stand here", upper.to_lowercase()));
            }
            let arguments: Vec<Value> = call.args.iter().map(one).collect::<Result<_, _>>()?;
            scalar(upper, &arguments)?
        }
        _ => return Err("NOT_SUPPORTED: this expression is not part of the query subset".to_owned()),
    })
}

pub(super) fn number(value: f64) -> Value {
    if value == libm::trunc(value) && libm::fabs(value) < 9e15 {
        json!(value as i64)
    } else {
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }
}

pub(super) fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (a, b) => a.to_string().cmp(&b.to_string()),
    }
}

pub(super) fn binary(operator: &str, a: &Value, b: &Value) -> Result<Value, String> {
    let flag = |value: &Value| value.as_bool();
    Ok(match operator {
        "AND" => match (flag(a), flag(b)) {
            (Some(false), _) | (_, Some(false)) => json!(false),
            (Some(true), Some(true)) => json!(true),
            _ => Value::Null,
        },
        "OR" => match (flag(a), flag(b)) {
            (Some(true), _) | (_, Some(true)) => json!(true),
            (Some(false), Some(false)) => json!(false),
            _ => Value::Null,
        },
        _ if a.is_null() || b.is_null() => Value::Null,
        "=" => json!(order(a, b) == Ordering::Equal),
        "<>" | "!=" => json!(order(a, b) != Ordering::Equal),
        "<" => json!(order(a, b) == Ordering::Less),
        ">" => json!(order(a, b) == Ordering::Greater),
        "<=" => json!(order(a, b) != Ordering::Greater),
        ">=" => json!(order(a, b) != Ordering::Less),
        "||" => json!(format!("{}{}", text(a), text(b))),
        _ => {
            let (Some(x), Some(y)) = (a.as_f64(), b.as_f64()) else {
                return Err(format!("TYPE_MISMATCH: '{operator}' cannot be applied to {a} and {b}"));
            };
            match operator {
                "+" => number(x + y),
                "-" => number(x - y),
                "*" => number(x * y),
                "/" if y == 0.0 => return Err("DIVISION_BY_ZERO: Division by zero".to_owned()),
                // Whole numbers divide to whole numbers.
                "/" if a.is_i64() && b.is_i64() => number(libm::trunc(x / y)),
                "/" => Number::from_f64(x / y).map_or(Value::Null, Value::Number),
                other => return Err(format!("NOT_SUPPORTED: the operator {other}")),
            }
        }
    })
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn like(pattern: &str, text: &str) -> bool {
    let mut expression = String::from("^(?s)");
    for c in pattern.chars() {
        match c {
            '%' => expression.push_str(".*"),
            '_' => expression.push('.'),
            c => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression.push('$');
    regex::Regex::new(&expression).is_ok_and(|regex| regex.is_match(text))
}

pub(super) fn is_aggregate(name: &str) -> bool {
    matches!(name, "COUNT" | "SUM" | "AVG" | "MIN" | "MAX" | "APPROX_DISTINCT")
}

pub(super) fn has_aggregate(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Call(call) => is_aggregate(&call.name) || call.args.iter().any(has_aggregate),
        Kind::Unary(_, a) | Kind::Cast(a, _) | Kind::Is(_, _, a) => has_aggregate(a),
        Kind::Binary(_, a, b) => has_aggregate(a) || has_aggregate(b),
        Kind::Case(operand, branches, otherwise) => {
            operand.iter().chain(otherwise).any(|expr| has_aggregate(expr)) || branches.iter().any(|(a, b)| has_aggregate(a) || has_aggregate(b))
        }
        _ => false,
    }
}

pub(super) fn aggregate(name: &str, call: &crate::sql::ast::Call, group: &[Row]) -> Result<Value, String> {
    if call.star {
        return Ok(json!(group.len()));
    }
    let argument = call.args.first().ok_or_else(|| format!("SYNTAX_ERROR: {} needs an argument", name.to_lowercase()))?;
    let mut values: Vec<Value> = Vec::new();
    for row in group {
        let value = eval(argument, row, None)?;
        if !value.is_null() {
            values.push(value);
        }
    }
    if call.distinct || name == "APPROX_DISTINCT" {
        values.sort_by(order);
        values.dedup_by(|a, b| order(a, b) == Ordering::Equal);
    }
    let sum = || values.iter().map(|value| value.as_f64().unwrap_or(0.0)).sum::<f64>();
    Ok(match name {
        "COUNT" | "APPROX_DISTINCT" => json!(values.len()),
        _ if values.is_empty() => Value::Null,
        "SUM" => number(sum()),
        "AVG" => Number::from_f64(sum() / values.len() as f64).map_or(Value::Null, Value::Number),
        "MIN" => values.into_iter().min_by(order).unwrap_or_default(),
        _ => values.into_iter().max_by(order).unwrap_or_default(),
    })
}

pub(super) fn scalar(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let first = arguments.first().cloned().unwrap_or_default();
    if first.is_null() && name != "COALESCE" {
        return Ok(Value::Null);
    }
    let float = || first.as_f64().ok_or_else(|| format!("TYPE_MISMATCH: {} needs a number", name.to_lowercase()));
    let whole = |at: usize| arguments.get(at).and_then(Value::as_i64);
    Ok(match name {
        "LOWER" => json!(text(&first).to_lowercase()),
        "UPPER" => json!(text(&first).to_uppercase()),
        "LENGTH" | "CHAR_LENGTH" => json!(text(&first).chars().count()),
        "TRIM" => json!(text(&first).trim()),
        "ABS" => number(libm::fabs(float()?)),
        "FLOOR" => number(libm::floor(float()?)),
        "CEIL" | "CEILING" => number(libm::ceil(float()?)),
        "ROUND" => {
            let power = libm::pow(10.0, whole(1).unwrap_or(0) as f64);
            number(libm::round(float()? * power) / power)
        }
        "SUBSTR" | "SUBSTRING" => {
            let skip = usize::try_from(whole(1).unwrap_or(1) - 1).unwrap_or(0);
            json!(text(&first).chars().skip(skip).take(whole(2).map_or(usize::MAX, |length| length.max(0) as usize)).collect::<String>())
        }
        "CONCAT" => json!(arguments.iter().map(text).collect::<String>()),
        "COALESCE" => arguments.iter().find(|value| !value.is_null()).cloned().unwrap_or_default(),
        other => return Err(format!("FUNCTION_NOT_FOUND: Function '{}' is not part of the query subset", other.to_lowercase())),
    })
}
