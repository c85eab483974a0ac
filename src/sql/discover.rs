//! Schema discovery: columns and types from sample records, and how far they can be trusted.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::cast;
use super::datetime;
use super::lex::is_reserved;

/// What the samples say about a column.
#[derive(Debug, Clone, Default)]
struct Seen {
    path: String,
    count: usize,
    integers: (i64, i64, usize),
    fractions: usize,
    whole_digits: usize,
    scale: usize,
    booleans: usize,
    timestamps: usize,
    texts: usize,
    longest: usize,
}

/// A schema and what is doubtful in it.
#[derive(Debug, Clone)]
pub struct Discovered {
    /// The service's InputSchema.
    pub schema: Json,
    /// For each column: name, share of the samples that have it, and what may go wrong.
    pub notes: Vec<(String, f64, String)>,
}

impl Seen {
    fn take(&mut self, value: &Json) {
        self.count += 1;
        match value {
            Json::Number(number) => match number.as_i64() {
                Some(whole) => {
                    let (least, greatest, count) = self.integers;
                    self.integers = if count == 0 { (whole, whole, 1) } else { (least.min(whole), greatest.max(whole), count + 1) };
                    self.whole_digits = self.whole_digits.max(whole.unsigned_abs().to_string().len());
                }
                None => self.fraction(&number.to_string()),
            },
            Json::Bool(_) => self.booleans += 1,
            Json::String(text) => {
                self.longest = self.longest.max(text.chars().count());
                if datetime::parse_timestamp(text.trim(), true).is_some() { self.timestamps += 1 } else { self.texts += 1 }
            }
            Json::Null => self.count -= 1,
            other => {
                self.texts += 1;
                self.longest = self.longest.max(other.to_string().chars().count());
            }
        }
    }

    fn fraction(&mut self, text: &str) {
        self.fractions += 1;
        if text.contains(['e', 'E']) {
            self.scale = 99;
            return;
        }
        let (whole, fraction) = text.trim_start_matches('-').split_once('.').unwrap_or((text, ""));
        self.whole_digits = self.whole_digits.max(whole.len());
        self.scale = self.scale.max(fraction.len());
    }

    fn sql_type(&self, csv: bool) -> String {
        let others = |mine: usize| self.count - mine;
        if self.count == 0 {
            return "VARCHAR(4)".to_owned();
        }
        if others(self.booleans) == 0 {
            return "BOOLEAN".to_owned();
        }
        if others(self.timestamps) == 0 {
            return "TIMESTAMP".to_owned();
        }
        if others(self.integers.2) == 0 {
            let (least, greatest, _) = self.integers;
            let fits = |low: i64, high: i64| least >= low && greatest <= high;
            return match () {
                () if fits(-128, 127) && !csv => "TINYINT",
                () if fits(-32_768, 32_767) && !csv => "SMALLINT",
                () if fits(-2_147_483_648, 2_147_483_647) => "INTEGER",
                () => "BIGINT",
            }
            .to_owned();
        }
        if others(self.integers.2 + self.fractions) == 0 {
            let digits = self.whole_digits + self.scale;
            return if digits <= 18 { format!("DECIMAL({},{})", digits.max(1), self.scale) } else { "DOUBLE".to_owned() };
        }
        let length = [4, 16, 64, 256, 1024, 4096, 16_384, 65_534].into_iter().find(|length| *length >= self.longest).unwrap_or(65_534);
        format!("VARCHAR({length})")
    }

    fn note(&self, samples: usize) -> String {
        let mut notes = Vec::new();
        if self.count < samples {
            notes.push(format!("missing in {} of {samples} samples", samples - self.count));
        }
        let ty = self.sql_type(false);
        if ty.starts_with("VARCHAR") {
            notes.push(format!("longer texts are cut without an error row: the longest sample has {} characters", self.longest));
        } else if matches!(ty.as_str(), "TINYINT" | "SMALLINT" | "INTEGER") {
            notes.push(format!("larger numbers than {} may come", self.integers.1));
        } else if ty.starts_with("DECIMAL") {
            notes.push("numbers with more digits become error rows".to_owned());
        }
        notes.join("; ")
    }
}

/// The name a column gets from a member's name: other characters go, reserved words and changed names get COL_.
fn column_name(source: &str, index: usize) -> String {
    let kept: String = source.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(100).collect();
    let changed = kept != source || kept.starts_with(|c: char| c.is_ascii_digit()) || is_reserved(&kept.to_uppercase());
    match (kept.is_empty(), changed) {
        (true, _) => format!("COL_{index}"),
        (false, true) => format!("COL_{kept}"),
        (false, false) => kept,
    }
}

fn leaves(prefix: &str, name: &str, value: &Json, depth: usize, into: &mut Vec<(String, String, String, Json)>) {
    match value {
        Json::Object(members) if depth < 3 && !members.is_empty() => {
            for (inner, value) in members {
                leaves(&format!("{prefix}.{inner}"), inner, value, depth + 1, into);
            }
        }
        Json::Array(_) => into.push((format!("{prefix}[0:]"), name.to_owned(), prefix.to_owned(), value.clone())),
        value => into.push((prefix.to_owned(), name.to_owned(), prefix.to_owned(), value.clone())),
    }
}

/// Discovers a schema from sample records.
///
/// # Errors
/// Nothing to look at.
pub fn discover(records: &[Vec<u8>]) -> Result<Discovered, String> {
    let documents: Vec<Json> = records
        .iter()
        .flat_map(|record| serde_json::Deserializer::from_slice(record).into_iter::<Json>().map_while(Result::ok).collect::<Vec<_>>())
        .filter(Json::is_object)
        .collect();
    if documents.is_empty() {
        return discover_csv(records);
    }
    let mut seen: IndexMap<String, (String, Seen)> = IndexMap::new();
    for document in &documents {
        let mut found = Vec::new();
        for (name, value) in document.as_object().into_iter().flatten() {
            leaves(&format!("$.{name}"), name, value, 1, &mut found);
        }
        for (path, name, _, value) in found {
            let entry = seen.entry(path.clone()).or_insert_with(|| (name, Seen { path, ..Seen::default() }));
            entry.1.take(&value);
        }
    }
    let mut columns = Vec::new();
    let mut notes = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (index, (name, column)) in seen.values().enumerate() {
        let mut chosen = column_name(name, index);
        if names.contains(&chosen) {
            // A clash: the parent's name goes before.
            let parent = column.path.rsplit('.').nth(1).unwrap_or("$").trim_start_matches('$');
            chosen = column_name(&format!("{parent}_{name}"), index);
            while names.contains(&chosen) {
                chosen.push('_');
            }
        }
        names.push(chosen.clone());
        columns.push(json!({ "Name": chosen, "SqlType": column.sql_type(false), "Mapping": column.path }));
        notes.push((chosen, column.count as f64 / documents.len() as f64, column.note(documents.len())));
    }
    let format = json!({ "RecordFormatType": "JSON", "MappingParameters": { "JSONMappingParameters": { "RecordRowPath": "$" } } });
    Ok(Discovered { schema: json!({ "RecordFormat": format, "RecordEncoding": "UTF-8", "RecordColumns": columns }), notes })
}

fn discover_csv(records: &[Vec<u8>]) -> Result<Discovered, String> {
    let text: String = records.iter().map(|record| String::from_utf8_lossy(record).trim_end_matches('\n').to_owned() + "\n").collect();
    if text.trim().is_empty() {
        return Err("there are no records to look at; discovery needs at least one".to_owned());
    }
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [",", "\t", "|", ";"].into_iter().max_by_key(|delimiter| first.matches(delimiter).count()).unwrap_or(",");
    let rows = super::decode::csv_rows(&text, "\n", delimiter);
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let texty = |row: &[(String, bool)]| row.iter().all(|(field, _)| cast::parse_number(field).is_none() && !field.is_empty());
    let header = rows.len() > 1 && rows.first().is_some_and(|row| texty(row)) && rows[1..].iter().any(|row| !texty(row));
    let mut columns = Vec::new();
    let mut notes = Vec::new();
    for at in 0..width {
        let mut seen = Seen::default();
        for row in rows.iter().skip(usize::from(header)) {
            let Some((field, _)) = row.get(at).filter(|(field, _)| !field.is_empty()) else { continue };
            let value = match cast::parse_number(field) {
                Some(super::value::Value::Int(whole)) => Json::from(whole),
                Some(_) => {
                    seen.count += 1;
                    seen.fraction(field);
                    continue;
                }
                None => Json::String(field.clone()),
            };
            seen.take(&value);
        }
        let name = if header { rows[0].get(at).map_or("", |(name, _)| name) } else { "" };
        let chosen = column_name(name, at);
        columns.push(json!({ "Name": chosen, "SqlType": seen.sql_type(true) }));
        let samples = rows.len() - usize::from(header);
        let mut note = seen.note(samples);
        if header && at == 0 {
            note =
                format!("the first line was read as names; at run time it is a row like the others{}{note}", if note.is_empty() { "" } else { "; " });
        }
        notes.push((chosen, seen.count as f64 / samples.max(1) as f64, note));
    }
    let mut parameters = Map::new();
    parameters.insert("CSVMappingParameters".to_owned(), json!({ "RecordRowDelimiter": "\n", "RecordColumnDelimiter": delimiter }));
    let format = json!({ "RecordFormatType": "CSV", "MappingParameters": parameters });
    Ok(Discovered { schema: json!({ "RecordFormat": format, "RecordEncoding": "UTF-8", "RecordColumns": columns }), notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(records: &[&str]) -> Vec<String> {
        let records: Vec<Vec<u8>> = records.iter().map(|record| record.as_bytes().to_vec()).collect();
        let found = discover(&records).expect("something");
        found.schema["RecordColumns"]
            .as_array()
            .expect("columns")
            .iter()
            .map(|c| format!("{} {}", c["Name"].as_str().unwrap_or(""), c["SqlType"].as_str().unwrap_or("")))
            .collect()
    }

    #[test]
    fn names_and_types_come_from_the_samples() {
        assert_eq!(
            types(&[
                r#"{"USER":"ab","price":84.51,"n":3,"USER@DOMAIN":true,"@@":"2018-01-01 10:00:00","year":70000,"d":{"x":1}}"#,
                r#"{"USER":"abcde","price":1}"#
            ]),
            ["COL_USER VARCHAR(16)", "price DECIMAL(4,2)", "n TINYINT", "COL_USERDOMAIN BOOLEAN", "COL_4 TIMESTAMP", "COL_year INTEGER", "x TINYINT"]
        );
        assert_eq!(types(&["a,b\n1,x y\n", "20000,z\n"]), ["a INTEGER", "b VARCHAR(4)"]);
        assert!(discover(&[]).is_err());
    }
}
