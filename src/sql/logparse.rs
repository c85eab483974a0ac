//! Text parsers: functions that return a record. Their formats are literals, so the columns are known when the program is checked.

use std::sync::Arc;

use regex::Regex;

use super::cast;
use super::matching::whole_regex;
use super::pattern::DatePattern;
use super::types::{Family, Field, SqlType};
use super::value::{RowError, Value};

const TEXT: SqlType = SqlType::Varchar(1024);

/// A parser with its columns.
#[derive(Debug, Clone)]
pub struct LogParser {
    /// Columns of the record.
    pub fields: Arc<[Field]>,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Regex(Regex),
    Fast(Vec<FastPiece>),
    Fixed(Vec<(usize, Option<usize>, Option<DatePattern>)>),
    Variable { delimiter: String, escape: Option<char>, quotes: Option<(char, char)>, patterns: Vec<Option<DatePattern>> },
    Syslog,
}

#[derive(Debug, Clone)]
struct FastPiece {
    regex: Regex,
    group: bool,
    /// Characters at its beginning that stand in the piece before.
    before: usize,
    /// Characters at its end that belong to the piece after.
    after: usize,
}

fn text_of(args: &[Value], at: usize) -> Result<&str, String> {
    match args.get(at) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(format!("argument {} must be a text written in the call: the columns depend on it", at + 2)),
    }
}

fn numbered(count: usize) -> Arc<[Field]> {
    (1..=count).map(|n| (format!("COLUMN{n}"), TEXT)).collect()
}

impl LogParser {
    /// A parser by its name and the literals after the text.
    ///
    /// # Errors
    /// What is wrong with the literals.
    pub fn new(name: &str, args: &[Value]) -> Result<Option<Self>, String> {
        Ok(Some(match name {
            "REGEX_LOG_PARSE" => {
                let regex = whole_regex(text_of(args, 0)?)?;
                let count = regex.captures_len() - 1;
                let mut fields = numbered(count);
                if args.len() > 1 {
                    fields = columns(text_of(args, 1)?)?.into_iter().map(|column| (column.name, column.ty)).collect();
                    if fields.len() != count {
                        return Err(format!("{} columns for the {count} groups of the pattern", fields.len()));
                    }
                }
                Self { fields, form: Form::Regex(regex) }
            }
            "FAST_REGEX_LOG_PARSE" | "FAST_REGEX_LOG_PARSER" => {
                let pieces = fast_pieces(text_of(args, 0)?)?;
                let fields = numbered(pieces.iter().filter(|piece| piece.group).count());
                Self { fields, form: Form::Fast(pieces) }
            }
            "FIXED_COLUMN_LOG_PARSE" => {
                let columns = columns(text_of(args, 0)?)?;
                let mut places = Vec::new();
                for column in &columns {
                    let start = column.start.ok_or_else(|| format!("column {}: START is missing", column.name))?;
                    places.push((start, column.width, column.pattern.clone()));
                }
                Self { fields: columns.into_iter().map(|column| (column.name, column.ty)).collect(), form: Form::Fixed(places) }
            }
            "VARIABLE_COLUMN_LOG_PARSE" => {
                let (fields, patterns): (Arc<[Field]>, _) = match args.first() {
                    Some(Value::Int(count)) if (1..=1000).contains(count) => (numbered(*count as usize), vec![None; *count as usize]),
                    _ => {
                        let columns = columns(text_of(args, 0)?)?;
                        let patterns = columns.iter().map(|column| column.pattern.clone()).collect();
                        (columns.into_iter().map(|column| (column.name, column.ty)).collect(), patterns)
                    }
                };
                let delimiter = text_of(args, 1)?.to_owned();
                if delimiter.is_empty() {
                    return Err("the delimiter is empty".to_owned());
                }
                let escape = if args.len() > 2 { text_of(args, 2)?.chars().next() } else { None };
                let quotes = if args.len() > 3 {
                    let mut chars = text_of(args, 3)?.chars();
                    chars.next().map(|open| (open, chars.next().unwrap_or(open)))
                } else {
                    None
                };
                Self { fields, form: Form::Variable { delimiter, escape, quotes, patterns } }
            }
            "SYS_LOG_PARSE" => {
                let fields = [("COLUMN1".to_owned(), SqlType::Timestamp), ("COLUMN2".to_owned(), TEXT)];
                Self { fields: fields.into_iter().collect(), form: Form::Syslog }
            }
            "W3C_LOG_PARSE" => {
                let (source, count) = w3c(text_of(args, 0)?)?;
                Self { fields: numbered(count), form: Form::Regex(whole_regex(&source)?) }
            }
            _ => return Ok(None),
        }))
    }

    /// The record of a text; NULL when it does not match.
    ///
    /// # Errors
    /// A typed column whose text does not convert.
    pub fn parse(&self, text: &str, now: i64) -> Result<Value, RowError> {
        let record = |cells: Vec<Value>| Ok(Value::Record(cells.into()));
        match &self.form {
            Form::Regex(regex) => {
                let Some(groups) = regex.captures(text) else { return Ok(Value::Null) };
                let mut cells = Vec::with_capacity(self.fields.len());
                for (at, (_, ty)) in self.fields.iter().enumerate() {
                    let found = groups.get(at + 1).map_or(Value::Null, |found| Value::text(found.as_str()));
                    cells.push(convert(found, ty, None, now)?);
                }
                record(cells)
            }
            Form::Fast(pieces) => Ok(fast_match(pieces, text).map_or(Value::Null, |cells| Value::Record(cells.into()))),
            Form::Fixed(places) => {
                let chars: Vec<char> = text.chars().collect();
                let mut cells = Vec::with_capacity(places.len());
                for ((start, width, pattern), (_, ty)) in places.iter().zip(self.fields.iter()) {
                    let from = (*start).min(chars.len());
                    let to = width.map_or(chars.len(), |width| (from + width).min(chars.len()));
                    let part: String = chars[from..to].iter().collect();
                    let part = if ty.family() == Family::Text { part } else { part.trim().to_owned() };
                    cells.push(convert(
                        if part.is_empty() && ty.family() != Family::Text { Value::Null } else { Value::text(part) },
                        ty,
                        pattern.as_ref(),
                        now,
                    )?);
                }
                record(cells)
            }
            Form::Variable { delimiter, escape, quotes, patterns } => {
                let mut parts = split_fields(text, delimiter, *escape, *quotes).into_iter();
                let mut cells = Vec::with_capacity(self.fields.len());
                for ((_, ty), pattern) in self.fields.iter().zip(patterns) {
                    let value = match parts.next() {
                        None => Value::Null,
                        Some(part) if part.is_empty() && ty.family() != Family::Text => Value::Null,
                        Some(part) => Value::text(part),
                    };
                    cells.push(convert(value, ty, pattern.as_ref(), now)?);
                }
                record(cells)
            }
            Form::Syslog => {
                let parsed = (|| {
                    let head = text.get(..15)?;
                    let at = DatePattern::new("MMM d HH:mm:ss").ok()?.parse(head, now)?;
                    let rest = text.get(15..)?.strip_prefix(' ')?;
                    Some(vec![Value::Ms(at), Value::text(cast::cut(rest, 1024))])
                })();
                Ok(parsed.map_or(Value::Null, |cells| Value::Record(cells.into())))
            }
        }
    }
}

fn convert(value: Value, ty: &SqlType, pattern: Option<&DatePattern>, now: i64) -> Result<Value, RowError> {
    match (&value, pattern) {
        (Value::Text(text), Some(pattern)) => {
            let at = pattern
                .parse(text, now)
                .ok_or_else(|| RowError::new("InvalidDateString", format!("'{text}' does not match the column's pattern")))?;
            Ok(match ty {
                SqlType::Date => Value::Ms(super::pattern::midnight(at)),
                SqlType::Time => Value::Ms(at.rem_euclid(super::datetime::DAY)),
                _ => Value::Ms(at),
            })
        }
        (Value::Text(text), None) if ty.family() == Family::Text => Ok(Value::text(cast::cut(text, ty.length().unwrap_or(1024)))),
        _ => cast::cast(&value, &SqlType::Varchar(65_535), ty, 0),
    }
}

struct Column {
    name: String,
    ty: SqlType,
    pattern: Option<DatePattern>,
    start: Option<usize>,
    width: Option<usize>,
}

/// `name TYPE type ['pattern'] [NOT NULL] [START n [FOR m]], …`
fn columns(text: &str) -> Result<Vec<Column>, String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quoted) = (0, false);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
        .iter()
        .map(|part| {
            let wrong = || format!("'{}': expected name TYPE type [START n [FOR m]]", part.trim());
            let part_text = part.trim();
            let (name, rest) = if let Some(quoted) = part_text.strip_prefix('"') {
                quoted.split_once('"').map(|(name, rest)| (name.to_owned(), rest)).ok_or_else(wrong)?
            } else {
                part_text.split_once(char::is_whitespace).map(|(name, rest)| (name.to_uppercase(), rest)).ok_or_else(wrong)?
            };
            let rest = rest.trim_start();
            let rest = rest.get(..4).filter(|word| word.eq_ignore_ascii_case("TYPE")).map(|_| rest[4..].trim_start()).ok_or_else(wrong)?;
            let upper = rest.to_uppercase();
            let find = |word: &str| upper.find(&format!(" {word} "));
            let start_at = find("START");
            let mut type_text = rest[..start_at.unwrap_or(rest.len())].trim().to_owned();
            let mut pattern = None;
            if let Some(open) = type_text.find('\'') {
                let close = type_text.rfind('\'').filter(|close| *close > open).ok_or_else(wrong)?;
                pattern = Some(DatePattern::new(&type_text[open + 1..close])?);
                type_text.replace_range(open..=close, "");
            }
            let (ty, _) = super::parse::column_type(type_text.trim()).map_err(|error| error.message)?;
            let (mut start, mut width) = (None, None);
            if let Some(at) = start_at {
                let mut words = rest[at + 7..].split_whitespace();
                start = Some(words.next().and_then(|n| n.parse().ok()).ok_or_else(wrong)?);
                if words.next().is_some_and(|word| word.eq_ignore_ascii_case("FOR")) {
                    width = Some(words.next().and_then(|n| n.parse().ok()).ok_or_else(wrong)?);
                }
            }
            Ok(Column { name, ty, pattern, start, width })
        })
        .collect()
}

fn split_fields(text: &str, delimiter: &str, escape: Option<char>, quotes: Option<(char, char)>) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut rest = text;
    let mut at_start = true;
    let mut quoted: Option<char> = None;
    while let Some(c) = rest.chars().next() {
        let last = fields.len() - 1;
        if Some(c) == escape {
            rest = &rest[c.len_utf8()..];
            let hidden = if rest.starts_with(delimiter) { delimiter.len() } else { rest.chars().next().map_or(0, char::len_utf8) };
            fields[last].push_str(&rest[..hidden]);
            rest = &rest[hidden..];
            at_start = false;
            continue;
        }
        if let Some(close) = quoted {
            if c == close {
                quoted = None;
            } else {
                fields[last].push(c);
            }
            rest = &rest[c.len_utf8()..];
            continue;
        }
        if at_start
            && let Some((open, close)) = quotes
            && c == open
        {
            quoted = Some(close);
            rest = &rest[c.len_utf8()..];
            at_start = false;
            continue;
        }
        if rest.starts_with(delimiter) {
            fields.push(String::new());
            rest = &rest[delimiter.len()..];
            at_start = true;
            continue;
        }
        fields[last].push(c);
        rest = &rest[c.len_utf8()..];
        at_start = false;
    }
    fields
}

/// An Apache format as a pattern: one group per specifier.
fn w3c(format: &str) -> Result<(String, usize), String> {
    let common = r#"%h %l %u %t "%r" %>s %b"#;
    let format = match format.trim().to_uppercase().as_str() {
        "COMMON" => common.to_owned(),
        "COMMON WITH VHOST" => format!("%v {common}"),
        "NCSA EXTENDED" => format!(r#"{common} "%[Referer]i" "%[User-agent]i""#),
        "REFERER" => "%[Referer]i ---> %U".to_owned(),
        "AGENT" => "%[User-agent]i".to_owned(),
        "IIS" => return Err("the format IIS is named in the documentation and nowhere defined; write its specifiers".to_owned()),
        _ => format.replace("\\\"", "\""),
    };
    let chars: Vec<char> = format.chars().collect();
    let (mut out, mut count, mut at) = (String::new(), 0, 0);
    while at < chars.len() {
        let c = chars[at];
        if c != '%' {
            out.push_str(&regex::escape(&c.to_string()));
            at += 1;
            continue;
        }
        let in_quotes = at > 0 && chars[at - 1] == '"';
        at += 1;
        if chars.get(at) == Some(&'%') {
            out.push('%');
            at += 1;
            continue;
        }
        while chars.get(at).is_some_and(|c| matches!(c, '<' | '>' | '!' | ',' | '0'..='9')) {
            at += 1;
        }
        if chars.get(at) == Some(&'[') || chars.get(at) == Some(&'{') {
            while at < chars.len() && !matches!(chars[at], ']' | '}') {
                at += 1;
            }
            at += 1;
        }
        let Some(letter) = chars.get(at) else { return Err(format!("'{format}' ends with %")) };
        if !"aAbBCDefhHiIlmnoOpPqrstTuUvVX".contains(*letter) {
            return Err(format!("%{letter} is no specifier of a log format"));
        }
        at += 1;
        count += 1;
        // The time keeps its brackets; a last specifier may hold blanks, as user agents do.
        out.push_str(match letter {
            't' => r"(\[[^\]]*\])",
            _ if in_quotes => r#"((?:[^"\\]|\\.)*)"#,
            _ if at == chars.len() => "(.*)",
            _ => r"(\S*)",
        });
    }
    Ok((out, count))
}

/// One repetition of the fast syntax: a regular expression of one character, least and greatest count.
struct Atom {
    source: String,
    least: usize,
    most: Option<usize>,
    /// Characters of one occurrence; `None` when they vary.
    width: Option<usize>,
}

/// Cuts a pattern of FAST_REGEX_LOG_PARSE into the pieces that are matched one after another.
fn fast_pieces(pattern: &str) -> Result<Vec<FastPiece>, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut pieces: Vec<(bool, Vec<Atom>)> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at] == '(' {
            let mut depth = 0;
            let begin = at + 1;
            loop {
                match chars.get(at) {
                    Some('(') => depth += 1,
                    Some(')') => depth -= 1,
                    Some('\\') => at += 1,
                    None => return Err(format!("'{pattern}': ( has no )")),
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    break;
                }
            }
            let inner: Vec<char> = chars[begin..at - 1].to_vec();
            pieces.push((true, fast_atoms(&inner, pattern)?));
        } else {
            let begin = at;
            while at < chars.len() && chars[at] != '(' {
                at += 1 + usize::from(chars[at] == '\\');
            }
            pieces.push((false, fast_atoms(&chars[begin..at.min(chars.len())], pattern)?));
        }
    }
    // A beginning of fixed length goes to the piece before; a piece that is wholly fixed with it.
    let mut appended: Vec<(String, usize)> = pieces.iter().map(|_| (String::new(), 0)).collect();
    let mut moved: Vec<usize> = vec![0; pieces.len()];
    for index in 1..pieces.len() {
        while let Some(atom) = pieces[index].1.first() {
            let (Some(width), true) = (atom.width, atom.most == Some(atom.least)) else { break };
            let source = if atom.least == 1 { atom.source.clone() } else { format!("{}{{{}}}", atom.source, atom.least) };
            let length = width * atom.least;
            pieces[index].1.remove(0);
            appended[index - 1].0.push_str(&source);
            appended[index - 1].1 += length;
            moved[index] += length;
        }
    }
    let last = pieces.len().saturating_sub(1);
    pieces
        .iter()
        .enumerate()
        .map(|(index, (group, atoms))| {
            let mut source = String::from("^(?s:");
            let bare = !group && appended[index].1 == 0 && index != last;
            for atom in atoms {
                let lazy = if bare || index == last { "" } else { "?" };
                source.push_str(&atom.source);
                match (atom.least, atom.most) {
                    (1, Some(1)) => {}
                    (least, Some(most)) => source.push_str(&format!("{{{least},{most}}}{lazy}")),
                    (0, None) => source.push_str(&format!("*{lazy}")),
                    (least, None) => source.push_str(&format!("{{{least},}}{lazy}")),
                }
            }
            source.push_str(&appended[index].0);
            source.push_str(if index == last { ")$" } else { ")" });
            let regex = super::matching::java_regex(&source)?;
            Ok(FastPiece { regex, group: *group, before: moved[index], after: appended[index].1 })
        })
        .collect()
}

fn fast_atoms(chars: &[char], pattern: &str) -> Result<Vec<Atom>, String> {
    let text: String = chars.iter().collect();
    // Alternatives and intersections vary in length: one atom.
    if text.contains('|') {
        return Ok(vec![Atom { source: format!("(?:{text})"), least: 1, most: Some(1), width: None }]);
    }
    let mut atoms: Vec<Atom> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let (source, width) = match c {
            '\\' => {
                at += 1;
                (regex::escape(&chars.get(at).map_or_else(String::new, ToString::to_string)), Some(1))
            }
            '[' => {
                let begin = at;
                while at < chars.len() && chars[at] != ']' {
                    at += 1;
                }
                (chars[begin..=at.min(chars.len() - 1)].iter().collect(), Some(1))
            }
            '"' => {
                let begin = at + 1;
                at += 1;
                while at < chars.len() && chars[at] != '"' {
                    at += 1;
                }
                let literal: String = chars[begin..at.min(chars.len())].iter().collect();
                (format!("(?:{})", regex::escape(&literal)), Some(at - begin))
            }
            '<' => {
                let begin = at + 1;
                while at < chars.len() && chars[at] != '>' {
                    at += 1;
                }
                let name: String = chars[begin..at.min(chars.len())].iter().collect();
                let set = match name.to_lowercase().as_str() {
                    "digit" => "[0-9]",
                    "upper" => "[A-Z]",
                    "lower" => "[a-z]",
                    "ascii" => "[[:ascii:]]",
                    "alpha" => "[A-Za-z]",
                    "alnum" => "[A-Za-z0-9]",
                    "punct" => "[[:punct:]]",
                    "blank" => "[ \\t]",
                    "space" => "[[:space:]]",
                    "cntrl" => "[[:cntrl:]]",
                    "xdigit" => "[0-9A-Fa-f]",
                    "print" => "[[:print:]]",
                    "graph" => "[[:graph:]]",
                    _ => return Err(format!("'{pattern}': <{name}> is no set of characters here")),
                };
                (set.to_owned(), Some(1))
            }
            '.' => (".".to_owned(), Some(1)),
            '@' => ("(?:.*)".to_owned(), None),
            c => (regex::escape(&c.to_string()), Some(1)),
        };
        at += 1;
        let (least, most) = match chars.get(at) {
            Some('*') => (0, None),
            Some('?') => (0, Some(1)),
            Some('+') => (1, None),
            Some('{') => {
                let close = chars[at..].iter().position(|c| *c == '}').ok_or_else(|| format!("'{pattern}': {{ has no }}"))?;
                let inside: String = chars[at + 1..at + close].iter().collect();
                at += close;
                let bound = |text: &str| text.trim().parse::<usize>().map_err(|_| format!("'{pattern}': {{{inside}}} is no count"));
                match inside.split_once(',') {
                    Some((least, "")) => (bound(least)?, None),
                    Some((least, most)) => (bound(least)?, Some(bound(most)?)),
                    None => (bound(&inside)?, Some(bound(&inside)?)),
                }
            }
            _ => {
                atoms.push(Atom { source, least: 1, most: Some(1), width });
                continue;
            }
        };
        at += 1;
        // x+ counts as xx*.
        if least > 0 && most.is_none() {
            atoms.push(Atom { source: source.clone(), least, most: Some(least), width });
            atoms.push(Atom { source, least: 0, most: None, width });
        } else {
            atoms.push(Atom { source, least, most, width });
        }
    }
    Ok(atoms)
}

fn fast_match(pieces: &[FastPiece], text: &str) -> Option<Vec<Value>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let byte = |at: usize| chars.get(at).map_or(text.len(), |(byte, _)| *byte);
    let mut at = 0;
    let mut cells = Vec::new();
    for piece in pieces {
        let found = piece.regex.find(&text[byte(at)..])?;
        let length = found.as_str().chars().count();
        if piece.group {
            let (from, to) = (at - piece.before.min(at), at + length - piece.after.min(length));
            cells.push(Value::text(cast::cut(&text[byte(from)..byte(to.max(from))], 1024)));
        }
        at += length;
    }
    (at == chars.len()).then_some(cells)
}
