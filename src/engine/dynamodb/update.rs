//! Changes of an item: `UpdateExpression` and the older `AttributeUpdates`.

use serde_json::Value;

use crate::api::ServiceError;

use super::lex::{Reader, Which, distinct};
use super::names::Names;
use super::path::{Path, Step};
use super::value::{Attribute, Item};

/// What is set.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    Path(Path),
    Value(Attribute),
    Plus(Box<Source>, Box<Source>),
    Minus(Box<Source>, Box<Source>),
    IfNotExists(Path, Box<Source>),
    ListAppend(Box<Source>, Box<Source>),
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
enum Change {
    Set(Source),
    Remove,
    /// Adds to a number or set; with `true` also to a list.
    Add(Attribute, bool),
    Delete(Attribute),
}

/// Changes by their paths.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    changes: Vec<(Path, Change)>,
    /// Wrong types get the texts of the older member.
    legacy: bool,
}

fn wrong_operand() -> ServiceError {
    ServiceError::validation("An operand in the update expression has an incorrect data type")
}

impl Source {
    fn of(&self, item: &Item) -> Result<Attribute, ServiceError> {
        let missing = || ServiceError::validation("The provided expression refers to an attribute that does not exist in the item");
        let number = |source: &Self| match source.of(item)? {
            Attribute::N(number) => Ok(number),
            _ => Err(wrong_operand()),
        };
        let list = |source: &Self| match source.of(item)? {
            Attribute::L(items) => Ok(items),
            _ => Err(wrong_operand()),
        };
        Ok(match self {
            Self::Path(path) => path.get(item).cloned().ok_or_else(missing)?,
            Self::Value(value) => value.clone(),
            Self::Plus(a, b) => Attribute::N(number(a)?.plus(number(b)?)?),
            Self::Minus(a, b) => Attribute::N(number(a)?.plus(number(b)?.negated())?),
            Self::IfNotExists(path, other) => match path.get(item) {
                Some(value) => value.clone(),
                None => other.of(item)?,
            },
            Self::ListAppend(a, b) => Attribute::L([list(a)?, list(b)?].concat()),
        })
    }

    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Value(value) => Some(value.kind()),
            _ => None,
        }
    }
}

impl Update {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, by the service's texts.
    pub fn read(text: &str, names: &Names<'_>) -> Result<Self, ServiceError> {
        let mut reader = Reader::new(Which::Update, text, names)?;
        let (mut seen, mut changes): (Vec<&str>, Vec<(Path, Change)>) = (Vec::new(), Vec::new());
        while let Some(section) = reader.peek() {
            let Some(section) = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|known| section.eq_ignore_ascii_case(known)) else {
                return Err(reader.unexpected());
            };
            reader.next();
            if seen.contains(&section) {
                return Err(reader.refusal(&format!("The \"{section}\" section can only be used once in an update expression;")));
            }
            seen.push(section);
            loop {
                let path = reader.path()?;
                changes.push((path, change(&mut reader, section)?));
                if !reader.take(",") {
                    break;
                }
            }
        }
        let paths: Vec<Path> = changes.iter().map(|(path, _)| path.clone()).collect();
        distinct(&reader, &paths)?;
        Ok(Self { changes, legacy: false })
    }

    /// Reads `AttributeUpdates`.
    ///
    /// # Errors
    /// Values that are none, actions without one.
    pub fn legacy(updates: &Value) -> Result<Self, ServiceError> {
        let one = |name: &String, given: &Value| {
            let value = given.get("Value").map(Attribute::read).transpose()?;
            let action = given["Action"].as_str().unwrap_or("PUT");
            let wrong = |text: &str| Err(ServiceError::validation(format!("One or more parameter values were invalid: {text}")));
            let change = match (action, value) {
                ("DELETE", None) => Change::Remove,
                ("DELETE", Some(value @ (Attribute::Ss(_) | Attribute::Ns(_) | Attribute::Bs(_)))) => Change::Delete(value),
                ("ADD", Some(value @ (Attribute::N(_) | Attribute::Ss(_) | Attribute::Ns(_) | Attribute::Bs(_) | Attribute::L(_)))) => {
                    Change::Add(value, true)
                }
                ("DELETE" | "ADD", Some(value)) => {
                    let kind = value.kind();
                    return wrong(&format!("Action {action} is not supported for the type {kind}"));
                }
                (_, Some(value)) => Change::Set(Source::Value(value)),
                _ => return wrong("Only DELETE action is allowed when no attribute value is specified"),
            };
            Ok((Path::of(name), change))
        };
        let changes = updates.as_object().into_iter().flatten().map(|(name, given)| one(name, given)).collect::<Result<_, _>>()?;
        Ok(Self { changes, legacy: true })
    }

    /// Where something changes.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.changes.iter().map(|(path, _)| path)
    }

    /// The item after the changes.
    ///
    /// # Errors
    /// Changes that do not go together with what is there.
    pub fn apply(&self, before: &Item) -> Result<Item, ServiceError> {
        let mismatch = || if self.legacy { ServiceError::validation("Type mismatch for attribute to update") } else { wrong_operand() };
        let mut after = before.clone();
        // What is set comes from the item as it was.
        for (path, change) in &self.changes {
            match change {
                Change::Set(source) => path.set(&mut after, source.of(before)?)?,
                Change::Add(value, lists) => {
                    let sum = match path.get(before) {
                        Some(old) => old.added(value, *lists)?.ok_or_else(mismatch)?,
                        None => value.clone(),
                    };
                    path.set(&mut after, sum)?;
                }
                Change::Delete(value) => {
                    if let Some(old) = path.get(before) {
                        match old.without(value).map_err(|_| mismatch())? {
                            Some(left) => path.set(&mut after, left)?,
                            None => path.remove(&mut after)?,
                        }
                    }
                }
                Change::Remove => {}
            }
        }
        // Items of lists go from the end, so that those before keep their places.
        let mut removed: Vec<&Path> = self.changes.iter().filter(|(_, change)| *change == Change::Remove).map(|(path, _)| path).collect();
        removed.sort_by(|a, b| match (a.0.last(), b.0.last()) {
            (Some(Step::Index(a)), Some(Step::Index(b))) => b.cmp(a),
            _ => std::cmp::Ordering::Equal,
        });
        for path in removed {
            path.remove(&mut after)?;
        }
        Ok(after)
    }
}

fn change(reader: &mut Reader<'_, '_>, section: &str) -> Result<Change, ServiceError> {
    match section {
        "SET" => {
            reader.expect("=")?;
            let first = source(reader)?;
            let minus = reader.is("-");
            if !minus && !reader.is("+") {
                return Ok(Change::Set(first));
            }
            let sign = reader.next().unwrap_or_default();
            let second = source(reader)?;
            of_type(reader, sign, &[&first, &second], "N")?;
            let (first, second) = (Box::new(first), Box::new(second));
            Ok(Change::Set(if minus { Source::Minus(first, second) } else { Source::Plus(first, second) }))
        }
        "REMOVE" => Ok(Change::Remove),
        _ => {
            let value = reader.value()?;
            let word = match &value {
                Attribute::N(_) if section == "ADD" => "",
                Attribute::Ss(_) | Attribute::Ns(_) | Attribute::Bs(_) => "",
                Attribute::S(_) => "STRING",
                Attribute::N(_) => "NUMBER",
                Attribute::B(_) => "BINARY",
                Attribute::Null => "NULL",
                Attribute::Bool(_) => "BOOLEAN",
                Attribute::L(_) => "LIST",
                Attribute::M(_) => "MAP",
            };
            if !word.is_empty() {
                let told = format!("Incorrect operand type for operator or function; operator: {section}, operand type: {word}");
                return Err(reader.refusal(&told));
            }
            Ok(if section == "ADD" { Change::Add(value, false) } else { Change::Delete(value) })
        }
    }
}

fn of_type(reader: &Reader<'_, '_>, name: &str, operands: &[&Source], wanted: &str) -> Result<(), ServiceError> {
    match operands.iter().find_map(|operand| operand.kind().filter(|kind| *kind != wanted)) {
        Some(kind) => {
            Err(reader.refusal(&format!("Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}")))
        }
        None => Ok(()),
    }
}

fn source(reader: &mut Reader<'_, '_>) -> Result<Source, ServiceError> {
    if reader.take("(") {
        let inner = reader.nested(source)?;
        reader.expect(")")?;
        return Ok(inner);
    }
    if reader.peek().is_some_and(|token| token.starts_with(':')) {
        return reader.value().map(Source::Value);
    }
    if reader.second() != Some("(") {
        return reader.path().map(Source::Path);
    }
    let name = reader.next().unwrap_or_default();
    if !["if_not_exists", "list_append"].contains(&name) {
        return Err(reader.refusal(&format!("Invalid function name; function: {name}")));
    }
    reader.expect("(")?;
    let mut operands = vec![reader.nested(source)?];
    while reader.take(",") {
        operands.push(reader.nested(source)?);
    }
    reader.expect(")")?;
    let count = operands.len();
    let (Some(second), Some(first), 2) = (operands.pop(), operands.pop(), count) else {
        let told = format!("Incorrect number of operands for operator or function; operator or function: {name}, number of operands: {count}");
        return Err(reader.refusal(&told));
    };
    if name == "list_append" {
        of_type(reader, name, &[&first, &second], "L")?;
        return Ok(Source::ListAppend(Box::new(first), Box::new(second)));
    }
    match first {
        Source::Path(path) => Ok(Source::IfNotExists(path, Box::new(second))),
        _ => Err(reader.refusal(&format!("Operator or function requires a document path; operator or function: {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
    use serde_json::json;

    fn updated(text: &str) -> Result<Value, String> {
        let body = json!({"UpdateExpression": text, "ExpressionAttributeNames": {"#c": "counter"},
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":s": {"S": "x"}, ":l": {"L": [{"N": "3"}]}, ":set": {"SS": ["a"]}}});
        let names = Names::of(&body).map_err(|error| error.message)?;
        let item = value::read(&json!({"counter": {"N": "5"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}, "tags": {"SS": ["a", "b"]}})).expect("good");
        let update = Update::read(text, &names).map_err(|error| error.message)?;
        let after = update.apply(&item).map_err(|error| error.message)?;
        let changed: Item = after.into_iter().filter(|(name, value)| item.get(name) != Some(value)).collect();
        Ok(value::shown(&changed))
    }

    #[test]
    fn expressions_change_items() {
        for (text, wanted) in [
            ("SET #c = #c + :one", json!({"counter": {"N": "6"}})),
            ("set #c = :one - #c", json!({"counter": {"N": "-4"}})),
            ("SET x = if_not_exists(x, :s), y = if_not_exists(#c, :s)", json!({"x": {"S": "x"}, "y": {"N": "5"}})),
            ("SET l = list_append(:l, l)", json!({"l": {"L": [{"N": "3"}, {"N": "1"}, {"N": "2"}]}})),
            ("REMOVE l[0], l[1]", json!({"l": {"L": []}})),
            ("ADD #c :one, fresh :set DELETE tags :set", json!({"counter": {"N": "6"}, "fresh": {"SS": ["a"]}, "tags": {"SS": ["b"]}})),
            ("SET l[7] = :s", json!({"l": {"L": [{"N": "1"}, {"N": "2"}, {"S": "x"}]}})),
            ("SET a = #c, b = (:one) REMOVE gone", json!({"a": {"N": "5"}, "b": {"N": "1"}})),
        ] {
            assert_eq!(updated(text), Ok(wanted), "{text}");
        }
        for (text, told) in [
            ("SET a = b", "The provided expression refers to an attribute that does not exist in the item"),
            (
                "SET #c = #c + :s",
                "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S",
            ),
            ("SET l = l + :one", "An operand in the update expression has an incorrect data type"),
            ("ADD l :one", "An operand in the update expression has an incorrect data type"),
            ("SET a.b = :one", "The document path provided in the update expression is invalid for update"),
            ("ADD a :s", "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING"),
            ("SET a = :one SET b = :one", "Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;"),
            (
                "SET a = :one, a.b = :one",
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
            ),
            ("SET a :one", "Invalid UpdateExpression: Syntax error; token: \":one\", near: \"a :one\""),
            ("x", "Invalid UpdateExpression: Syntax error; token: \"x\", near: \"x\""),
        ] {
            assert_eq!(updated(text), Err(told.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_older_member_puts_adds_and_deletes() {
        let item = value::read(&json!({"n": {"N": "1"}, "s": {"SS": ["a"]}, "x": {"S": "x"}})).expect("good");
        let update = Update::legacy(&json!({"n": {"Action": "ADD", "Value": {"N": "2"}}, "s": {"Action": "DELETE", "Value": {"SS": ["a"]}},
            "x": {"Action": "DELETE"}, "y": {"Value": {"S": "y"}}}));
        assert_eq!(value::shown(&update.expect("good").apply(&item).expect("fits")), json!({"n": {"N": "3"}, "y": {"S": "y"}}));
        let wrong = Update::legacy(&json!({"x": {"Action": "ADD", "Value": {"N": "2"}}})).expect("good");
        assert_eq!(wrong.apply(&item).expect_err("types").message, "Type mismatch for attribute to update");
    }
}
