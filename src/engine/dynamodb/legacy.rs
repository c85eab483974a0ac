//! The conditions of the older members `Expected`, `QueryFilter`, `ScanFilter` and `KeyConditions`.

use serde_json::Value;

use crate::api::ServiceError;

use super::condition::{Comparison, Condition, Operand};
use super::path::Path;
use super::value::Attribute;

/// The conditions of an older member of a request, `{attribute: {ComparisonOperator, AttributeValueList}}`, or of `Expected` with its
/// `Value` and `Exists`.
///
/// # Errors
/// Members that do not go together, values that are none.
pub fn conditions(given: &Value) -> Result<Vec<(String, Condition)>, ServiceError> {
    let wrong = |text: String| ServiceError::validation(format!("One or more parameter values were invalid: {text}"));
    let one = |name: &String, given: &Value| {
        let has = |member: &str| given.get(member).is_some();
        let operand = |value: &Value| Attribute::read(value).map(Operand::Value);
        let path = Path::of(name);
        let Some(operator) = given["ComparisonOperator"].as_str() else {
            if has("AttributeValueList") {
                return Err(wrong(format!("AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}")));
            }
            let exists = given["Exists"].as_bool();
            return match (exists.unwrap_or(true), given.get("Value")) {
                (true, None) => {
                    let shown = exists.map_or_else(|| "null".to_owned(), |exists| exists.to_string());
                    Err(wrong(format!("Value must be provided when Exists is {shown} for Attribute: {name}")))
                }
                (true, Some(value)) => Ok(Condition::Compare(Operand::Path(path), Comparison::Eq, operand(value)?)),
                (false, Some(_)) => Err(wrong(format!("Value cannot be used when Exists is false for Attribute: {name}"))),
                (false, None) => Ok(Condition::Not(Box::new(Condition::Exists(path)))),
            };
        };
        if has("Exists") {
            return Err(wrong(format!("Exists and ComparisonOperator cannot be used together for Attribute: {name}")));
        }
        if has("AttributeValueList") && has("Value") {
            return Err(wrong(format!("Value and AttributeValueList cannot be used together for Attribute: {name}")));
        }
        let list = given["AttributeValueList"].as_array().map_or(&[][..], Vec::as_slice);
        let values = list.iter().chain(given.get("Value")).map(operand).collect::<Result<Vec<_>, _>>()?;
        let fits = match operator {
            "NULL" | "NOT_NULL" => values.is_empty(),
            "IN" => !values.is_empty(),
            "BETWEEN" => values.len() == 2,
            _ => values.len() == 1,
        };
        if !fits {
            return Err(wrong(format!("Invalid number of argument(s) for the {operator} ComparisonOperator")));
        }
        let here = Operand::Path(path.clone());
        let mut values = values.into_iter();
        let how = match operator {
            "NULL" => return Ok(Condition::Not(Box::new(Condition::Exists(path)))),
            "IN" => return Ok(Condition::In(here, values.collect())),
            "EQ" => Some(Comparison::Eq),
            "NE" => Some(Comparison::Ne),
            "LT" => Some(Comparison::Lt),
            "LE" => Some(Comparison::Le),
            "GT" => Some(Comparison::Gt),
            "GE" => Some(Comparison::Ge),
            _ => None,
        };
        Ok(match (how, values.next(), values.next()) {
            (Some(how), Some(value), _) => Condition::Compare(here, how, value),
            (None, Some(low), Some(high)) => Condition::Between(here, low, high),
            (None, Some(value), None) => match operator {
                "BEGINS_WITH" => Condition::BeginsWith(here, value),
                "CONTAINS" => Condition::Contains(here, value),
                _ => Condition::And(vec![Condition::Exists(path), Condition::Not(Box::new(Condition::Contains(here, value)))]),
            },
            _ => Condition::Exists(path),
        })
    };
    given.as_object().into_iter().flatten().map(|(name, given)| Ok((name.clone(), one(name, given)?))).collect()
}
