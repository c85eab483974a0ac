//! The shape of a record: what stands between its values. Records of one producer mostly differ in their values alone, so what has been read
//! once needs only to be compared.
//!
//! Invariant: where a shape fits, it finds what the skimmer finds.

use super::skim::{Found, Leaf, number, plain_end};

/// What stands before a value, and which columns want it.
#[derive(Debug, Clone)]
struct Part {
    before: Box<[u8]>,
    number: bool,
    columns: Vec<usize>,
}

/// A shape.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    parts: Vec<Part>,
    behind: Box<[u8]>,
}

impl Shape {
    /// The shape of a record that was skimmed; `None` when a column wants something that is no string or number.
    pub(super) fn of(text: &str, leaves: &[Leaf], found: &[Found]) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut at = 0;
        let mut parts = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            parts.push(Part { before: bytes.get(at..leaf.from)?.into(), number: leaf.number, columns: Vec::new() });
            at = leaf.to;
        }
        for (column, found) in found.iter().enumerate() {
            let (from, is_number) = match *found {
                Found::Nothing => continue,
                Found::Text(from, _) => (from, false),
                Found::Raw(from, _) => (from, true),
            };
            let place = leaves.iter().position(|leaf| leaf.from == from && leaf.number == is_number)?;
            parts[place].columns.push(column);
        }
        Some(Self { parts, behind: bytes.get(at..)?.into() })
    }

    /// Notes where the wanted members of a record of this shape lie; `None` for any other.
    pub(super) fn skim(&self, text: &str, found: &mut [Found]) -> Option<()> {
        let bytes = text.as_bytes();
        let mut at = 0;
        for part in &self.parts {
            if !bytes.get(at..)?.starts_with(&part.before) {
                return None;
            }
            let from = at + part.before.len();
            let value = if part.number {
                at = number(bytes, from)?;
                Found::Raw(from, at)
            } else {
                // What follows must begin with the quote.
                at = plain_end(bytes, from);
                Found::Text(from, at)
            };
            for column in &part.columns {
                found[*column] = value;
            }
        }
        (bytes.get(at..)? == &*self.behind).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::decode::Schema;
    use crate::sql::skim::{skim, skim_all};

    #[test]
    fn a_shape_finds_what_the_skimmer_finds() {
        let schema = serde_json::json!({ "record_format": "JSON", "columns": [
            ["A", "INTEGER", "$.a"], ["B", "VARCHAR(64)", "$.b.c"], ["C", "VARCHAR(4)", "$.d"], ["E", "VARCHAR(64)", "$.b.c"] ] });
        let schema = Schema::from_json(&schema).expect("good");
        let members = schema.members().expect("plain");
        let records = [
            r#"{"a": 1, "b": {"c": "x"}, "d": "y", "z": [1, "two"]}"#,
            r#"{"a": -0.5, "b": {"c": ""}, "d": "longer text than before", "z": [77, "t"]}"#,
            r#"{"a": 1e5, "b": {"c": "x"}, "d": "y", "z": [1, "two"]}"#,
            r#"{"a": 01, "b": {"c": "x"}, "d": "y", "z": [1, "two"]}"#,
            r#"{"a": 1, "b": {"c": "x\""}, "d": "y", "z": [1, "two"]}"#,
            r#"{"a": 1, "b": {"c": "x"}, "d": "y", "z": [1, "two"]} "#,
            r#"{"a": 1, "b": {"c": "x"}, "d": "y", "z": [1, "two"]"#,
            r#"{"a": "1", "b": {"c": "x"}, "d": "y", "z": [1, "two"]}"#,
            r#"{"a": 1, "a": 2, "b": {"c": "x"}, "d": 5}"#,
            r#"{"a": 1, "a": 23, "b": {"c": "xyz"}, "d": 5}"#,
            "{\"a\": 1, \"b\": {\"c\": \"\t\"}, \"d\": \"y\", \"z\": [1, \"two\"]}",
            r#"{"a": null, "d": "y"}"#,
            "{}",
        ];
        let mut fits = 0;
        for learnt in records {
            let (mut found, mut leaves) = (vec![Found::Nothing; 4], Vec::new());
            let Some(shape) = skim_all(learnt, members, &mut found, &mut leaves).and_then(|()| Shape::of(learnt, &leaves, &found)) else { continue };
            for record in records {
                let mut by_shape = vec![Found::Nothing; 4];
                if shape.skim(record, &mut by_shape).is_some() {
                    let mut by_skimmer = vec![Found::Nothing; 4];
                    assert!(skim(record, members, &mut by_skimmer).is_some(), "{learnt} {record}");
                    assert_eq!(by_shape, by_skimmer, "{learnt} {record}");
                    fits += 1;
                }
            }
        }
        assert!(fits >= 9, "{fits}");
    }
}
