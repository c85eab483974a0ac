//! Conditions: of expressions and of the older members `Expected`, `QueryFilter`, `ScanFilter` and `KeyConditions`.

use std::cmp::Ordering;

use serde_json::Value;

use crate::api::ServiceError;

use super::lex::{Names, Reader, Which};
use super::path::Path;
use super::value::{Attribute, Item};

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// What lies at a path.
    Path(Path),
    /// A value of the request.
    Value(Attribute),
    /// How large that is which lies at a path, or a value.
    Size(Box<Operand>),
}

/// How two operands compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`.
    Eq,
    /// `<>`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
}

/// A condition on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All hold.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Two operands compare so.
    Compare(Operand, Comparison, Operand),
    /// Not less than the second, not greater than the third.
    Between(Operand, Operand, Operand),
    /// Equal to one of them.
    In(Operand, Vec<Operand>),
    /// Something lies there.
    Exists(Path),
    /// What lies there has a type.
    HasType(Path, String),
    /// It begins with the other.
    BeginsWith(Operand, Operand),
    /// It contains the other.
    Contains(Operand, Operand),
}

impl Operand {
    fn of<'v>(&'v self, item: &'v Item) -> Option<std::borrow::Cow<'v, Attribute>> {
        use std::borrow::Cow;
        match self {
            Self::Path(path) => path.get(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(inner) => {
                let size = inner.of(item)?.measure()?;
                super::number::Number::read(&size.to_string()).ok().map(|size| Cow::Owned(Attribute::N(size)))
            }
        }
    }

    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Path(_) => None,
            Self::Value(value) => Some(value.kind()),
            Self::Size(_) => Some("N"),
        }
    }
}

impl Comparison {
    fn holds(self, a: Option<&Attribute>, b: Option<&Attribute>) -> bool {
        let (Some(a), Some(b)) = (a, b) else { return self == Self::Ne };
        match self {
            Self::Eq => a == b,
            Self::Ne => a != b,
            _ => a.order(b).is_some_and(|order| match self {
                Self::Lt => order == Ordering::Less,
                Self::Le => order != Ordering::Greater,
                Self::Gt => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }),
        }
    }

    fn sign(token: &str) -> Option<Self> {
        Some(match token {
            "=" => Self::Eq,
            "<>" => Self::Ne,
            "<" => Self::Lt,
            "<=" => Self::Le,
            ">" => Self::Gt,
            ">=" => Self::Ge,
            _ => return None,
        })
    }
}

impl Condition {
    /// Whether it holds for an item; one that is not there has no attributes.
    pub fn holds(&self, item: &Item) -> bool {
        let compare = |a: &Operand, how: Comparison, b: &Operand| how.holds(a.of(item).as_deref(), b.of(item).as_deref());
        match self {
            Self::And(all) => all.iter().all(|condition| condition.holds(item)),
            Self::Or(any) => any.iter().any(|condition| condition.holds(item)),
            Self::Not(condition) => !condition.holds(item),
            Self::Compare(a, how, b) => compare(a, *how, b),
            Self::Between(value, low, high) => compare(value, Comparison::Ge, low) && compare(value, Comparison::Le, high),
            Self::In(value, all) => all.iter().any(|other| compare(value, Comparison::Eq, other)),
            Self::Exists(path) => path.get(item).is_some(),
            Self::HasType(path, kind) => path.get(item).is_some_and(|value| value.kind() == kind),
            Self::BeginsWith(a, b) => a.of(item).zip(b.of(item)).is_some_and(|(a, b)| a.begins_with(&b)),
            Self::Contains(a, b) => a.of(item).zip(b.of(item)).is_some_and(|(a, b)| a.contains(&b)),
        }
    }

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

/// The conditions of an older member of a request, `{attribute: {ComparisonOperator, AttributeValueList}}`, or of `Expected` with its
/// `Value` and `Exists`.
///
/// # Errors
/// Members that do not go together, values that are none.
pub fn legacy(conditions: &Value) -> Result<Vec<(String, Condition)>, ServiceError> {
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
    conditions.as_object().into_iter().flatten().map(|(name, given)| Ok((name.clone(), one(name, given)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
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
}
