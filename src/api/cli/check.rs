//! What the CLI itself checks before it calls: required members, unknown members, types and least lengths. The service checks the rest.

use super::super::shape::{Kind, Member, ModelYear, Shape};
use super::param::Param;
use super::{CliError, instant};

/// Checks the parameters of a call.
///
/// # Errors
/// All that is wrong, one reason a line.
pub(super) fn check(members: &[Member], params: &Param, year: ModelYear) -> Result<(), CliError> {
    let mut report = Report { year, reasons: Vec::new() };
    report.structure(members, params, "");
    if report.reasons.is_empty() { Ok(()) } else { Err(CliError::validation(&report.reasons)) }
}

struct Report {
    year: ModelYear,
    reasons: Vec<String>,
}

impl Report {
    fn structure(&mut self, members: &[Member], value: &Param, name: &str) {
        let Param::Map(entries) = value else { return self.wrong_type(value, name, "<class 'dict'>") };
        let place = if name.is_empty() { "input" } else { name };
        let year = self.year;
        let known = || members.iter().filter(|member| member.is_known(year));
        for member in known().filter(|member| member.is_required(year) && value.get(member.name).is_none()) {
            self.reasons.push(format!("Missing required parameter in {place}: \"{}\"", member.name));
        }
        for (key, _) in entries.iter().filter(|(key, _)| known().all(|member| member.name != key)) {
            let names: Vec<&str> = known().map(|member| member.name).collect();
            self.reasons.push(format!("Unknown parameter in {place}: \"{key}\", must be one of: {}", names.join(", ")));
        }
        for (key, value) in entries {
            if let Some(member) = known().find(|member| member.name == key) {
                let path = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                self.value(member.shape, value, &path);
            }
        }
    }

    fn value(&mut self, shape: &Shape, value: &Param, name: &str) {
        let min = shape.span(self.year).min;
        match (shape.kind, value) {
            (Kind::Structure(members), _) => self.structure(members, value, name),
            (Kind::List(item), Param::List(items)) => {
                self.length(items.len(), min, name);
                for (at, value) in items.iter().enumerate() {
                    self.value(item, value, &format!("{name}[{at}]"));
                }
            }
            (Kind::List(_), _) => self.wrong_type(value, name, "<class 'list'>, <class 'tuple'>"),
            (Kind::Map(key, item), Param::Map(entries)) => {
                for (entry, value) in entries {
                    self.value(key, &Param::Text(entry.clone()), &format!("{name} (key: {entry})"));
                    self.value(item, value, &format!("{name}.{entry}"));
                }
            }
            (Kind::Map(..), _) => self.wrong_type(value, name, "<class 'dict'>"),
            (Kind::Text(_), Param::Text(text)) => self.length(text.chars().count(), min, name),
            (Kind::Word(_), Param::Text(_)) | (Kind::Blob, Param::Text(_) | Param::Bytes(_)) | (Kind::Boolean, Param::Bool(_)) => {}
            (Kind::Text(_) | Kind::Word(_), _) => self.wrong_type(value, name, "<class 'str'>"),
            (Kind::Blob, _) => self.wrong_type(value, name, "<class 'bytes'>, <class 'bytearray'>, file-like object"),
            (Kind::Integer, Param::Int(_) | Param::Bool(_)) => {
                let int = if let Param::Int(int) = value { *int } else { i128::from(*value == Param::Bool(true)) };
                if let Some(min) = min.filter(|min| int < i128::from(*min)) {
                    self.reasons.push(format!("Invalid value for parameter {name}, value: {}, valid min value: {min}", value.shown()));
                }
            }
            (Kind::Integer, _) => self.wrong_type(value, name, "<class 'int'>"),
            (Kind::Double, Param::Int(_) | Param::Float(_)) => {}
            (Kind::Double, _) => self.wrong_type(value, name, "<class 'float'>, <class 'int'>"),
            (Kind::Boolean, _) => self.wrong_type(value, name, "<class 'bool'>"),
            (Kind::Timestamp, _) => {
                if instant_of(value).is_none() {
                    self.wrong_type(value, name, "<class 'datetime.datetime'>, timestamp-string");
                }
            }
        }
    }

    fn length(&mut self, length: usize, min: Option<i64>, name: &str) {
        if let Some(min) = min.filter(|min| (length as i64) < *min) {
            self.reasons.push(format!("Invalid length for parameter {name}, value: {length}, valid min length: {min}"));
        }
    }

    fn wrong_type(&mut self, value: &Param, name: &str, wanted: &str) {
        let name = if name.is_empty() { "input" } else { name };
        self.reasons.push(format!("Invalid type for parameter {name}, value: {}, type: {}, valid types: {wanted}", value.shown(), value.class()));
    }
}

/// The instant a parameter stands for.
pub(super) fn instant_of(value: &Param) -> Option<super::super::Timestamp> {
    match value {
        Param::Int(int) => i64::try_from(*int).ok().and_then(|secs| secs.checked_mul(1000)).map(super::super::Timestamp),
        Param::Float(secs) => super::super::Timestamp::from_secs_f64(*secs),
        Param::Text(text) => instant::read(text),
        _ => None,
    }
}
