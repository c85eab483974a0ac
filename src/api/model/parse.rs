//! Reads a model file. One declaration a line; members of a structure or operation are indented below it.
//!
//! ```text
//! service firehose Firehose_20150804 Amazon Data Firehose
//! string DeliveryStreamName 1..64 [a-zA-Z0-9_.-]+
//! enum KeyType AWS_OWNED_CMK CUSTOMER_MANAGED_CMK
//! integer SizeInMBs 1..128
//! list TagList Tag 1..50
//! map Environment String String
//! structure Tag
//!   Key! TagKey
//! shapes kinesisanalytics
//! operation PutRecord Puts one record.
//!   Record! Record
//! pages ListTags NextToken NextToken Tags Limit
//! ```
//!
//! `shapes` takes the declarations of another service's model. A member that must be given ends in `!`. `String`, `Integer`, `Double`, `Boolean`, `Blob` and `Timestamp`, and
//! DynamoDB's `AttributeValue`, which has itself inside, need no declaration. The
//! tables live as long as the program.

use std::collections::BTreeMap;

use super::super::shape::{ATTRIBUTE_VALUE, Kind, Member, Pattern, RegexPattern, Shape, Span};
use super::{OperationModel, PageModel, Service};

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn span(text: &str) -> Result<Span, String> {
    let Some((min, max)) = text.split_once("..") else { return Err(format!("'{text}' is no span")) };
    let end = |text: &str| if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| format!("'{text}' is no number")) };
    Ok(Span { min: end(min)?, max: end(max)? })
}

#[derive(Default)]
struct Reader {
    shapes: BTreeMap<&'static str, &'static Shape>,
}

impl Reader {
    fn shape(&self, name: &str) -> Result<&'static Shape, String> {
        self.shapes.get(name).copied().ok_or_else(|| format!("no shape {name} is declared above"))
    }

    fn add(&mut self, name: &'static str, kind: Kind, span: Span) {
        self.shapes.insert(name, leak(Shape::of(name, kind, span)));
    }

    fn declare(&mut self, kind: &str, rest: &'static str) -> Result<(), String> {
        let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let words: Vec<&'static str> = rest.split_whitespace().collect();
        match kind {
            "string" => {
                let bounds = words.first().filter(|word| word.contains("..") && !word.starts_with(['[', '(', '^'])).copied();
                let bound = bounds.map_or(Ok(Span::ANY), span)?;
                let pattern = rest.strip_prefix(bounds.unwrap_or("")).unwrap_or(rest).trim();
                let pattern = if pattern.is_empty() { None } else { Some(Pattern::Regex(leak(RegexPattern::new(pattern)?))) };
                self.add(name, Kind::Text(pattern), bound);
            }
            "enum" => self.add(name, Kind::Word(words.leak()), Span::ANY),
            "integer" => self.add(name, Kind::Integer, words.first().map_or(Ok(Span::ANY), |text| span(text))?),
            "blob" => self.add(name, Kind::Blob, words.first().map_or(Ok(Span::ANY), |text| span(text))?),
            "list" => {
                let item = self.shape(words.first().ok_or("a list of what?")?)?;
                self.add(name, Kind::List(item), words.get(1).map_or(Ok(Span::ANY), |text| span(text))?);
            }
            "map" => {
                let (key, value) = (self.shape(words.first().ok_or("a map of what?")?)?, self.shape(words.get(1).ok_or("a map to what?")?)?);
                self.add(name, Kind::Map(key, value), words.get(2).map_or(Ok(Span::ANY), |text| span(text))?);
            }
            other => return Err(format!("'{other}' is no declaration")),
        }
        Ok(())
    }

    fn members(&self, lines: &[&'static str]) -> Result<&'static [Member], String> {
        let member = |line: &&'static str| {
            let (name, shape) = line.trim().split_once(' ').ok_or_else(|| format!("'{line}' is no member"))?;
            let shape = self.shape(shape.trim())?;
            Ok(match name.strip_suffix('!') {
                Some(name) => Member::needed(name, shape),
                None => Member::optional(name, shape),
            })
        };
        Ok(lines.iter().map(member).collect::<Result<Vec<_>, String>>()?.leak())
    }
}

/// The declarations of a model, without its service and operations.
fn declarations(text: &'static str) -> Vec<&'static str> {
    let mut kept = true;
    let mut declares = |line: &&str| {
        if !line.starts_with(' ') {
            kept = !["service ", "operation ", "pages "].iter().any(|kind| line.starts_with(kind));
        }
        kept
    };
    text.lines().filter(|line| declares(line)).collect()
}

/// The service of a model file, with all models for those that it takes shapes from.
pub(super) fn service(text: &'static str, models: &[&'static str]) -> Result<Service, String> {
    let mut reader = Reader::default();
    for (name, kind) in [
        ("String", Kind::Text(None)),
        ("Integer", Kind::Integer),
        ("Double", Kind::Double),
        ("Boolean", Kind::Boolean),
        ("Blob", Kind::Blob),
        ("Timestamp", Kind::Timestamp),
    ] {
        reader.add(name, kind, Span::ANY);
    }
    reader.shapes.insert(ATTRIBUTE_VALUE.name, &ATTRIBUTE_VALUE);
    let mut lines: Vec<&'static str> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("shapes ") {
            None => lines.push(line),
            Some(name) => {
                let other = models.iter().find(|model| model.starts_with(&format!("service {name} "))).ok_or_else(|| format!("no model {name}"))?;
                lines.extend(declarations(other));
            }
        }
    }
    let mut head = None;
    let mut operations = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let below = lines[at + 1..].iter().take_while(|line| line.starts_with(' ')).count();
        let members = &lines[at + 1..at + 1 + below];
        at += 1 + below;
        let (kind, rest) = line.split_once(' ').ok_or_else(|| format!("'{line}' is no declaration"))?;
        let (name, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        match kind {
            "service" => head = Some((name, tail.split_once(' ').ok_or("service NAME TARGET TITLE")?)),
            "structure" => reader.add(name, Kind::Structure(reader.members(members)?), Span::ANY),
            "operation" => {
                let service = head.ok_or("the service comes first")?.0;
                operations.push(OperationModel { service, name, purpose: tail, members: reader.members(members)?, pages: None });
            }
            "pages" => {
                let words: Vec<&'static str> = tail.split(' ').collect();
                let [input_token, output_token, result_key, rest @ ..] = words.as_slice() else { return Err(format!("'{line}'")) };
                let pages = PageModel { input_token, output_token, result_key, limit_key: rest.first().copied() };
                let operation = operations.iter_mut().find(|operation| operation.name == name).ok_or_else(|| format!("no operation {name}"))?;
                operation.pages = Some(pages);
            }
            kind => reader.declare(kind, rest).map_err(|error| format!("{line}: {error}"))?,
        }
    }
    operations.sort_by_key(|operation| operation.name);
    let (name, (target, title)) = head.ok_or("no service line")?;
    Ok(Service { name, target, title, operations: operations.leak() })
}
