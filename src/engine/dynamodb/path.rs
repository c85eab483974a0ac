//! Document paths: `a.b[2].c` into an item.

use std::collections::BTreeMap;
use std::fmt;

use crate::api::ServiceError;

use super::value::{Attribute, Item};

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A member of the item or of a map.
    Name(String),
    /// An item of a list.
    Index(usize),
}

/// A document path. Invariant: it begins with a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl fmt::Display for Path {
    /// As the service's texts show it: `[a, b, [2]]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self
            .0
            .iter()
            .map(|step| match step {
                Step::Name(name) => name.clone(),
                Step::Index(index) => format!("[{index}]"),
            })
            .collect();
        write!(f, "[{}]", steps.join(", "))
    }
}

fn unfit() -> ServiceError {
    ServiceError::validation("The document path provided in the update expression is invalid for update")
}

impl Path {
    /// The path of a whole attribute.
    pub fn of(name: &str) -> Self {
        Self(vec![Step::Name(name.to_owned())])
    }

    /// The attribute that it begins with.
    pub fn head(&self) -> &str {
        match self.0.first() {
            Some(Step::Name(name)) => name,
            _ => "",
        }
    }

    /// What lies there.
    pub fn get<'i>(&self, item: &'i Item) -> Option<&'i Attribute> {
        let first = item.get(self.head())?;
        self.0.iter().skip(1).try_fold(first, |value, step| match (value, step) {
            (Attribute::M(members), Step::Name(name)) => members.get(name),
            (Attribute::L(items), Step::Index(index)) => items.get(*index),
            _ => None,
        })
    }

    /// The value that holds the last step.
    fn parent<'i>(&self, item: &'i mut Item) -> Result<(&'i mut Attribute, &Step), ServiceError> {
        let (last, before) = self.0.split_last().ok_or_else(unfit)?;
        let mut value = item.get_mut(self.head()).ok_or_else(unfit)?;
        for step in before.iter().skip(1) {
            value = match (value, step) {
                (Attribute::M(members), Step::Name(name)) => members.get_mut(name),
                (Attribute::L(items), Step::Index(index)) => items.get_mut(*index),
                _ => None,
            }
            .ok_or_else(unfit)?;
        }
        Ok((value, last))
    }

    /// Puts a value there; behind the end of a list, it becomes the last item.
    ///
    /// # Errors
    /// A path through what is no map or list.
    pub fn set(&self, item: &mut Item, new: Attribute) -> Result<(), ServiceError> {
        if self.0.len() == 1 {
            item.insert(self.head().to_owned(), new);
            return Ok(());
        }
        match self.parent(item)? {
            (Attribute::M(members), Step::Name(name)) => {
                members.insert(name.clone(), new);
            }
            (Attribute::L(items), Step::Index(index)) => match items.get_mut(*index) {
                Some(place) => *place = new,
                None => items.push(new),
            },
            _ => return Err(unfit()),
        }
        Ok(())
    }

    /// Takes away what lies there, if anything does.
    ///
    /// # Errors
    /// A path through what is no map or list.
    pub fn remove(&self, item: &mut Item) -> Result<(), ServiceError> {
        if self.0.len() == 1 {
            item.remove(self.head());
            return Ok(());
        }
        match self.parent(item)? {
            (Attribute::M(members), Step::Name(name)) => {
                members.remove(name);
            }
            (Attribute::L(items), Step::Index(index)) => {
                if *index < items.len() {
                    items.remove(*index);
                }
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }

    /// Whether one lies within the other, or both are the same.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }

    /// Whether one goes on with a name where the other goes on with an index.
    pub fn conflicts(&self, other: &Self) -> bool {
        let differ = self.0.iter().zip(&other.0).find(|(a, b)| a != b);
        matches!(differ, Some((Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_))))
    }
}

/// The parts of an item at some paths.
pub fn project<'p>(item: &Item, paths: impl IntoIterator<Item = &'p Path>) -> Item {
    let mut wanted: BTreeMap<&str, Vec<&[Step]>> = BTreeMap::new();
    for path in paths {
        wanted.entry(path.head()).or_default().push(path.0.get(1..).unwrap_or_default());
    }
    wanted.into_iter().filter_map(|(name, rests)| Some((name.to_owned(), select(item.get(name)?, &rests)?))).collect()
}

fn select(value: &Attribute, rests: &[&[Step]]) -> Option<Attribute> {
    if rests.iter().any(|rest| rest.is_empty()) {
        return Some(value.clone());
    }
    let mut below: BTreeMap<&Step, Vec<&[Step]>> = BTreeMap::new();
    for (step, rest) in rests.iter().filter_map(|rest| rest.split_first()) {
        below.entry(step).or_default().push(rest);
    }
    match value {
        Attribute::M(members) => {
            let found: Item = below
                .into_iter()
                .filter_map(|(step, rests)| match step {
                    Step::Name(name) => Some((name.clone(), select(members.get(name)?, &rests)?)),
                    Step::Index(_) => None,
                })
                .collect();
            (!found.is_empty()).then_some(Attribute::M(found))
        }
        Attribute::L(items) => {
            let found: Vec<Attribute> = below
                .into_iter()
                .filter_map(|(step, rests)| match step {
                    Step::Index(index) => select(items.get(*index)?, &rests),
                    Step::Name(_) => None,
                })
                .collect();
            (!found.is_empty()).then_some(Attribute::L(found))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
    use serde_json::json;

    fn path(steps: &[&str]) -> Path {
        Path(steps.iter().map(|step| step.parse().map_or_else(|_| Step::Name((*step).to_owned()), Step::Index)).collect())
    }

    #[test]
    fn paths_reach_set_and_remove() {
        let mut item = value::read(&json!({"a": {"M": {"b": {"L": [{"N": "1"}, {"N": "2"}]}}}})).expect("good");
        let second = path(&["a", "b", "1"]);
        assert_eq!(second.get(&item), value::read(&json!({"x": {"N": "2"}})).expect("good").get("x"));
        path(&["a", "b", "9"]).set(&mut item, Attribute::Null).expect("there");
        second.remove(&mut item).expect("there");
        assert_eq!(value::shown(&item), json!({"a": {"M": {"b": {"L": [{"N": "1"}, {"NULL": true}]}}}}));
        assert!(path(&["a", "none", "x"]).set(&mut item, Attribute::Null).is_err());
        let picked = project(&item, &[path(&["a", "b", "0"]), path(&["z"])]);
        assert_eq!(value::shown(&picked), json!({"a": {"M": {"b": {"L": [{"N": "1"}]}}}}));
        assert!(path(&["a"]).overlaps(&second) && path(&["a", "0"]).conflicts(&second));
        assert_eq!(second.to_string(), "[a, b, [1]]");
    }
}
