//! The grammar of conditions in expressions.

use std::cmp::Ordering;

use serde_json::Value;

use crate::api::ServiceError;

use super::condition::{Comparison, Condition, Operand};
use super::lex::{Reader, Which};
use super::names::Names;
use super::value::Attribute;

impl Condition {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, by the service's texts.
    pub fn read(which: Which, text: &str, names: &Names<'_>) -> Result<Self, ServiceError> {
        let mut reader = Reader::new(which, text, names)?;
        let condition = any(&mut reader)?;
        reader.end()?;
        Ok(condition)
    }
}

fn any(reader: &mut Reader<'_, '_>) -> Result<Condition, ServiceError> {
    let mut parts = vec![all(reader)?];
    while reader.take("OR") {
        parts.push(all(reader)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
}

fn all(reader: &mut Reader<'_, '_>) -> Result<Condition, ServiceError> {
    let mut parts = vec![one(reader)?];
    while reader.take("AND") {
        parts.push(one(reader)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
}

fn one(reader: &mut Reader<'_, '_>) -> Result<Condition, ServiceError> {
    if reader.take("NOT") {
        return reader.nested(one).map(|condition| Condition::Not(Box::new(condition)));
    }
    if reader.is("(") {
        if reader.second() == Some("(") {
            // The service takes `(a) = :b` and `((a = :b) OR …)`, but nothing in two pairs that are one.
            redundant(reader)?;
        }
        let mark = reader.mark();
        // In parentheses is an operand or a condition: what follows tells.
        if operand(reader).is_ok() && reader.peek().is_some_and(|token| Comparison::sign(token).is_some() || is_word(token)) {
            reader.back(mark);
            return comparison(reader);
        }
        reader.back(mark + 1);
        let inner = reader.nested(any)?;
        reader.expect(")")?;
        return Ok(inner);
    }
    comparison(reader)
}

fn is_word(token: &str) -> bool {
    token.eq_ignore_ascii_case("BETWEEN") || token.eq_ignore_ascii_case("IN")
}

/// Refuses `((…))`.
fn redundant(reader: &mut Reader<'_, '_>) -> Result<(), ServiceError> {
    let mark = reader.mark();
    let (mut open, mut inner_closed) = (0usize, None);
    let mut position = 0usize;
    while let Some(token) = reader.next() {
        position += 1;
        match token {
            "(" => open += 1,
            ")" => {
                open = open.saturating_sub(1);
                if open == 1 && inner_closed.is_none() {
                    inner_closed = Some(position);
                }
                if open == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    reader.back(mark);
    if inner_closed.is_some_and(|inner| inner + 1 == position) && open == 0 {
        return Err(reader.refusal("The expression has redundant parentheses;"));
    }
    Ok(())
}

/// `attribute_exists(…)` and its kin, or a comparison.
fn comparison(reader: &mut Reader<'_, '_>) -> Result<Condition, ServiceError> {
    if reader.second() == Some("(") && reader.peek().is_some_and(|token| token.starts_with(|c: char| c.is_alphabetic())) && !reader.is("size") {
        return function(reader);
    }
    let first = operand(reader)?;
    if let Some(how) = reader.peek().and_then(Comparison::sign) {
        let sign = reader.next().unwrap_or_default();
        let second = operand(reader)?;
        distinct(reader, sign, &first, &second)?;
        let ordered = !matches!(how, Comparison::Eq | Comparison::Ne);
        if let Some(kind) = second.kind().filter(|kind| ordered && !["S", "N", "B"].contains(kind)) {
            return Err(reader.refusal(&format!("Incorrect operand type for operator or function; operator: {sign}, operand type: {kind}")));
        }
        return Ok(Condition::Compare(first, how, second));
    }
    if reader.take("BETWEEN") {
        let low = operand(reader)?;
        reader.expect("AND")?;
        let high = operand(reader)?;
        if let (Operand::Value(low), Operand::Value(high)) = (&low, &high) {
            let shown = |value: &Attribute| format!("AttributeValue: {{{}:{}}}", value.kind(), plain(value));
            let told = match low.order(high) {
                None => "same data type for lower and upper bounds",
                Some(Ordering::Greater) => "upper bound to be greater than or equal to lower bound",
                _ => "",
            };
            if !told.is_empty() {
                let (low, high) = (shown(low), shown(high));
                let text = format!("The BETWEEN operator requires {told}; lower bound operand: {low}, upper bound operand: {high}");
                return Err(reader.refusal(&text));
            }
        }
        return Ok(Condition::Between(first, low, high));
    }
    if reader.take("IN") {
        reader.expect("(")?;
        let mut all = vec![operand(reader)?];
        while reader.take(",") {
            all.push(operand(reader)?);
        }
        reader.expect(")")?;
        return Ok(Condition::In(first, all));
    }
    Err(reader.unexpected())
}

fn plain(value: &Attribute) -> String {
    match value.shown().as_object().and_then(|members| members.values().next().cloned()) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn distinct(reader: &Reader<'_, '_>, operator: &str, first: &Operand, second: &Operand) -> Result<(), ServiceError> {
    match (first, second) {
        (Operand::Path(a), Operand::Path(b)) if a == b => Err(reader.refusal(&format!(
            "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {a}"
        ))),
        _ => Ok(()),
    }
}

fn operand(reader: &mut Reader<'_, '_>) -> Result<Operand, ServiceError> {
    if reader.take("(") {
        let inner = reader.nested(operand)?;
        reader.expect(")")?;
        return Ok(inner);
    }
    if reader.peek().is_some_and(|token| token.starts_with(':')) {
        return reader.value().map(Operand::Value);
    }
    if reader.second() == Some("(") {
        let name = reader.next().unwrap_or_default();
        if name != "size" {
            let known = ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"].contains(&name);
            let told = if known { "The function is not allowed to be used this way in an expression" } else { "Invalid function name" };
            return Err(reader.refusal(&format!("{told}; function: {name}")));
        }
        let operands = arguments(reader, name, 1)?;
        let Some(inner) = operands.into_iter().next() else { return Err(reader.unexpected()) };
        if let Some(kind @ ("N" | "BOOL" | "NULL")) = inner.kind() {
            return Err(wrong_type(reader, name, kind));
        }
        return Ok(Operand::Size(Box::new(inner)));
    }
    reader.path().map(Operand::Path)
}

fn wrong_type(reader: &Reader<'_, '_>, name: &str, kind: &str) -> ServiceError {
    reader.refusal(&format!("Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}"))
}

fn arguments(reader: &mut Reader<'_, '_>, name: &str, count: usize) -> Result<Vec<Operand>, ServiceError> {
    reader.expect("(")?;
    let mut operands = vec![reader.nested(operand)?];
    while reader.take(",") {
        operands.push(reader.nested(operand)?);
    }
    reader.expect(")")?;
    if operands.len() != count {
        let told =
            format!("Incorrect number of operands for operator or function; operator or function: {name}, number of operands: {}", operands.len());
        return Err(reader.refusal(&told));
    }
    Ok(operands)
}

fn function(reader: &mut Reader<'_, '_>) -> Result<Condition, ServiceError> {
    let name = reader.next().unwrap_or_default();
    let count = match name {
        "attribute_exists" | "attribute_not_exists" => 1,
        "attribute_type" | "begins_with" | "contains" => 2,
        _ => return Err(reader.refusal(&format!("Invalid function name; function: {name}"))),
    };
    let mut operands = arguments(reader, name, count)?.into_iter();
    let (first, second) = (operands.next(), operands.next());
    let path = |operand: Option<Operand>| match operand {
        Some(Operand::Path(path)) => Ok(path),
        _ => Err(reader.refusal(&format!("Operator or function requires a document path; operator or function: {name}"))),
    };
    match (name, second) {
        ("attribute_exists", _) => path(first).map(Condition::Exists),
        ("attribute_type", Some(Operand::Value(Attribute::S(kind)))) => {
            if !["S", "N", "B", "NULL", "SS", "BOOL", "L", "BS", "NS", "M"].contains(&kind.as_str()) {
                let told = format!("Invalid attribute type name found; type: {kind}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}");
                return Err(reader.refusal(&told));
            }
            path(first).map(|path| Condition::HasType(path, kind))
        }
        ("attribute_type", other) => {
            Err(wrong_type(reader, name, other.as_ref().and_then(Operand::kind).unwrap_or("{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")))
        }
        ("begins_with" | "contains", Some(second)) => {
            let Some(first) = first else { return Err(reader.unexpected()) };
            distinct(reader, name, &first, &second)?;
            if name == "contains" {
                return Ok(Condition::Contains(first, second));
            }
            if let Some(kind) = [&first, &second].iter().find_map(|operand| operand.kind().filter(|kind| !["S", "B"].contains(kind))) {
                return Err(wrong_type(reader, name, kind));
            }
            Ok(Condition::BeginsWith(first, second))
        }
        _ => path(first).map(|path| Condition::Not(Box::new(Condition::Exists(path)))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn judge(text: &str) -> Result<bool, String> {
        let body = json!({"ConditionExpression": text, "ExpressionAttributeNames": {"#o": "owner", "#n": "none"},
            "ExpressionAttributeValues": {":a": {"S": "a"}, ":one": {"N": "1.0"}, ":two": {"N": "2"}, ":t": {"S": "SS"}, ":z": {"BOOL": true}}});
        let names = Names::of(&body).map_err(|error| error.message)?;
        let item = value::read(&json!({"owner": {"S": "abc"}, "n": {"N": "1"}, "tags": {"SS": ["a"]}, "m": {"M": {"x": {"L": [{"N": "2"}]}}}}));
        Condition::read(Which::Condition, text, &names).map(|condition| condition.holds(&item.expect("good"))).map_err(|error| error.message)
    }

    #[test]
    fn expressions_hold_or_not() {
        for (text, holds) in [
            ("n = :one", true),
            ("n <> :one", false),
            ("#n <> :one", true),
            ("#n < :one", false),
            ("n = :a", false),
            ("n between :one and :two", true),
            ("n IN (:two, :one)", true),
            ("attribute_exists(#o) AND NOT attribute_exists(gone)", true),
            ("attribute_not_exists(#o) OR (n < :two AND (contains(tags, :a)))", true),
            ("begins_with(#o, :a) and size(#o) > :two", true),
            ("attribute_type(tags, :t)", true),
            ("m.x[0] = :two", true),
            ("(n) = :one", true),
            ("(n = :one) AND (n = :one OR n = :two)", true),
            ("n = :two OR n = :one AND n = :two", false),
        ] {
            assert_eq!(judge(text), Ok(holds), "{text}");
        }
    }

    #[test]
    fn wrong_expressions_get_the_services_texts() {
        for (text, told) in [
            ("", "The expression can not be empty;"),
            ("n = ", "Syntax error; token: \"<EOF>\", near: \"=\""),
            ("n == :one", "Syntax error; token: \"=\", near: \"== :one\""),
            ("n ! :one", "Syntax error; token: \"!\", near: \"n !\""),
            ("name = :a", "Attribute name is a reserved keyword; reserved keyword: name"),
            ("#x = :a", "An expression attribute name used in the document path is not defined; attribute name: #x"),
            ("n = :x", "An expression attribute value used in expression is not defined; attribute value: :x"),
            ("((n = :one))", "The expression has redundant parentheses;"),
            ("nope(n)", "Invalid function name; function: nope"),
            ("attribute_exists(:a)", "Operator or function requires a document path; operator or function: attribute_exists"),
            ("begins_with(n)", "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1"),
            ("begins_with(n, :one)", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"),
            (
                "n = n",
                "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [n]",
            ),
            (
                "n BETWEEN :two AND :one",
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}",
            ),
            ("n = contains(n, :a)", "The function is not allowed to be used this way in an expression; function: contains"),
        ] {
            assert_eq!(judge(text), Err(format!("Invalid ConditionExpression: {told}")), "{text}");
        }
        assert!(judge(&"NOT ".repeat(500)).is_err() && judge(&"(".repeat(4000)).is_err() && judge(&"n[".repeat(2000)).is_err());
    }

    proptest! {
        #[test]
        fn reading_is_total(text in "[a-c:#()=<>\\[\\]., 0-9é!]{0,40}|((NOT|AND|OR|size|IN|BETWEEN|\\(|\\)|:a|#o|n|=|,|contains|attribute_exists) ?){0,20}") {
            let _ = judge(&text);
        }
    }
}
