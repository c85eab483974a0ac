//! The names and values of a request that stand for others in its expressions.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::api::ServiceError;

use super::lex::Which;
use super::value::Attribute;

/// `ExpressionAttributeNames` and `ExpressionAttributeValues` of a request, and which of them its expressions have used.
#[derive(Debug, Default)]
pub struct Names<'r> {
    by_sign: [Option<&'r Map<String, Value>>; 2],
    used: RefCell<BTreeSet<String>>,
}

impl<'r> Names<'r> {
    /// Those of a request's body, checked.
    ///
    /// # Errors
    /// Names and values that cannot be, or that no expression of the request could use.
    pub fn of(body: &'r Value) -> Result<Self, ServiceError> {
        let member = |name: &str| body.get(name).and_then(Value::as_object);
        let (names, values) = (member("ExpressionAttributeNames"), member("ExpressionAttributeValues"));
        let has = |which: Which| body.get(which.member()).is_some();
        let with_values = has(Which::Condition) || has(Which::Filter) || has(Which::KeyCondition) || has(Which::Update);
        for (what, given, usable) in [("Names", names, with_values || has(Which::Projection)), ("Values", values, with_values)] {
            let Some(given) = given else { continue };
            if !usable {
                let text = format!("ExpressionAttribute{what} can only be specified when using expressions");
                return Err(ServiceError::validation(text));
            }
            if given.is_empty() {
                return Err(ServiceError::validation(format!("ExpressionAttribute{what} must not be empty")));
            }
            let sign = if what == "Names" { '#' } else { ':' };
            let fits =
                |key: &str| key.strip_prefix(sign).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || c == '_'));
            if let Some(key) = given.keys().find(|key| !fits(key)) {
                let text = format!("ExpressionAttribute{what} contains invalid key: Syntax error; key: \"{key}\"");
                return Err(ServiceError::validation(text));
            }
        }
        for (key, value) in values.into_iter().flatten() {
            if let Err(error) = Attribute::read(value) {
                let text = format!("ExpressionAttributeValues contains invalid value: {} for key {key}", error.message);
                return Err(ServiceError::validation(text));
            }
        }
        Ok(Self { by_sign: [names, values], used: RefCell::default() })
    }

    /// Every name and value has been used.
    ///
    /// # Errors
    /// Those that have not.
    pub fn all_used(&self) -> Result<(), ServiceError> {
        for (what, given) in ["Names", "Values"].into_iter().zip(self.by_sign) {
            let used = self.used.borrow();
            let unused: Vec<&str> = given.into_iter().flat_map(Map::keys).filter(|key| !used.contains(*key)).map(String::as_str).collect();
            if !unused.is_empty() {
                let text = format!("Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{}}}", unused.join(", "));
                return Err(ServiceError::validation(text));
            }
        }
        Ok(())
    }

    /// What a name with `#` stands for; it counts as used.
    pub fn name(&self, key: &str) -> Option<&'r str> {
        self.used.borrow_mut().insert(key.to_owned());
        self.by_sign[0]?.get(key)?.as_str()
    }

    /// What a value with `:` stands for; it counts as used.
    pub fn value(&self, key: &str) -> Option<Attribute> {
        self.used.borrow_mut().insert(key.to_owned());
        Attribute::read(self.by_sign[1]?.get(key)?).ok()
    }
}
