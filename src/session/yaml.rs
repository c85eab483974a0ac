//! YAML as templates are written in it: block and flow collections, quoted, plain, literal and folded texts, comments, and the short forms
//! of intrinsic functions (`!Ref`, `!Sub` …), which become their long forms.
//!
//! Anchors, aliases, merge keys, several documents and complex keys are refused by name. Texts and numbers are told apart as in YAML 1.2.

use serde_json::{Map, Number, Value};

/// Nesting at most.
const DEPTH_MAX: usize = 64;
/// Short forms that are known; the long one has `Fn::` before, but for two.
const TAGS: [&str; 17] = [
    "Ref",
    "Condition",
    "Sub",
    "GetAtt",
    "Join",
    "Select",
    "Split",
    "Base64",
    "FindInMap",
    "ImportValue",
    "If",
    "Equals",
    "And",
    "Or",
    "Not",
    "Cidr",
    "GetAZs",
];

/// What is wrong, and where: line and column from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// Why.
    pub why: String,
}

type Read<T> = Result<T, Misread>;

/// Reads a document.
///
/// # Errors
/// The first thing that cannot be read.
pub fn parse(text: &str) -> Read<Value> {
    let mut reader = Reader { lines: text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect(), at: 0 };
    reader.skip();
    if reader.lines.get(reader.at).is_some_and(|line| line.trim_end() == "---") {
        reader.at += 1;
    }
    if reader.peek()?.is_none() {
        return Ok(Value::Null);
    }
    let value = reader.block(0, 0)?;
    match reader.peek()? {
        None => Ok(value),
        Some((indent, content)) if content == "..." || content == "---" => Err(reader.wrong(indent, "one document is expected")),
        Some((indent, _)) => Err(reader.wrong(indent, "this line is indented as nothing above it")),
    }
}

struct Reader {
    lines: Vec<String>,
    at: usize,
}

/// Cuts a comment off.
fn uncommented(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    text.find(" #").map_or(text, |at| &text[..at]).trim_end()
}

/// The key at the beginning of a line, and where its value begins.
fn key_of(content: &str) -> Option<(String, usize)> {
    let first = content.chars().next()?;
    if first == '"' || first == '\'' {
        let mut flow = Flow { text: content, at: 0 };
        let Ok(Value::String(key)) = flow.quoted() else { return None };
        let rest = &content[flow.at..];
        let colon = rest.trim_start().strip_prefix(':').filter(|after| after.is_empty() || after.starts_with(' '))?;
        return Some((key, content.len() - colon.len()));
    }
    if "[{|>&*!%@`#".contains(first) {
        return None;
    }
    let end = uncommented(content);
    let colon = end.char_indices().find(|(at, c)| *c == ':' && end[at + 1..].chars().next().is_none_or(|next| next == ' ')).map(|(at, _)| at)?;
    Some((content[..colon].trim_end().to_owned(), colon + 1))
}

impl Reader {
    fn wrong(&self, column: usize, why: &str) -> Misread {
        Misread { line: self.at.min(self.lines.len().saturating_sub(1)) + 1, column: column + 1, why: why.to_owned() }
    }

    fn skip(&mut self) {
        while self.lines.get(self.at).is_some_and(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            self.at += 1;
        }
    }

    /// Indentation and content of the next line that says something.
    fn peek(&mut self) -> Read<Option<(usize, String)>> {
        self.skip();
        let Some(line) = self.lines.get(self.at) else { return Ok(None) };
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line[indent..].starts_with('\t') {
            return Err(self.wrong(indent, "a tab cannot indent"));
        }
        Ok(Some((indent, line[indent..].trim_end().to_owned())))
    }

    /// What begins at the next line.
    fn block(&mut self, least: usize, depth: usize) -> Read<Value> {
        let Some((indent, content)) = self.peek()?.filter(|(indent, _)| *indent >= least) else { return Ok(Value::Null) };
        if depth > DEPTH_MAX {
            return Err(self.wrong(indent, "nested too deeply"));
        }
        if content == "-" || content.starts_with("- ") {
            return self.sequence(indent, depth);
        }
        if key_of(&content).is_some() {
            return self.mapping(indent, depth);
        }
        self.value(indent, &content, indent.saturating_sub(1), depth)
    }

    fn sequence(&mut self, indent: usize, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        while let Some((_, content)) = self.peek()?.filter(|(at, content)| *at == indent && (content == "-" || content.starts_with("- "))) {
            let rest = content[1..].trim_start();
            let inner = indent + content.len() - rest.len();
            if uncommented(rest).is_empty() {
                self.at += 1;
                items.push(self.block(indent + 1, depth + 1)?);
            } else if rest == "-" || rest.starts_with("- ") || key_of(rest).is_some() {
                // What stands behind the dash is a block of its own, indented by where it stands.
                self.lines[self.at] = " ".repeat(inner) + rest;
                items.push(self.block(inner, depth + 1)?);
            } else {
                items.push(self.value(inner, rest, indent, depth + 1)?);
            }
        }
        Ok(Value::Array(items))
    }

    fn mapping(&mut self, indent: usize, depth: usize) -> Read<Value> {
        let mut members = Map::new();
        while let Some((_, content)) = self.peek()?.filter(|(at, _)| *at == indent) {
            let Some((key, after)) = key_of(&content) else {
                return Err(self.wrong(indent, "a key and a colon are expected"));
            };
            if key == "<<" {
                return Err(self.wrong(indent, "merge keys are not read here"));
            }
            if members.contains_key(&key) {
                return Err(self.wrong(indent, &format!("the key {key} is there twice")));
            }
            let rest = content[after..].trim_start();
            let column = indent + content.len() - rest.len();
            let value = self.value(column, rest, indent, depth + 1)?;
            members.insert(key, value);
        }
        if let Some((at, _)) = self.peek()?.filter(|(at, _)| *at > indent) {
            return Err(self.wrong(at, "this line is indented as nothing above it"));
        }
        Ok(Value::Object(members))
    }

    /// The value that begins with `rest` at a column of the present line, inside a block of an indentation.
    fn value(&mut self, column: usize, rest: &str, outer: usize, depth: usize) -> Read<Value> {
        if depth > DEPTH_MAX {
            return Err(self.wrong(column, "nested too deeply"));
        }
        let rest = if rest.starts_with('#') { "" } else { rest };
        if let Some(tagged) = rest.strip_prefix('!') {
            let end = tagged.find([' ', ',']).unwrap_or(tagged.len());
            let (tag, after) = (tagged[..end].to_owned(), tagged[end..].trim_start());
            if !TAGS.contains(&tag.as_str()) {
                return Err(self.wrong(column, &format!("could not determine a constructor for the tag !{tag}")));
            }
            let at = column + rest.len() - after.len();
            let inner = self.value(at, after, outer, depth + 1)?;
            return Ok(long_form(&tag, inner));
        }
        match rest.chars().next() {
            None => {
                self.at += 1;
                match self.peek()? {
                    Some((indent, _)) if indent > outer => self.block(outer + 1, depth + 1),
                    // A list may stand below its key without being indented.
                    Some((indent, content)) if indent == outer && (content == "-" || content.starts_with("- ")) && !self.in_list(outer) => {
                        self.sequence(indent, depth + 1)
                    }
                    _ => Ok(Value::Null),
                }
            }
            Some('|' | '>') => self.literal(column, rest, outer),
            Some('&' | '*') => Err(self.wrong(column, "anchors and aliases are not read here")),
            Some('[' | '{' | '"' | '\'') => self.flow(column, rest, outer),
            Some('@' | '`' | '%') => Err(self.wrong(column, "this character cannot begin a text: quote it")),
            _ => self.plain(column, rest, outer),
        }
    }

    /// The line before belongs to a list of this indentation: a dash there is its next item.
    fn in_list(&self, indent: usize) -> bool {
        let before = self.lines[..self.at].iter().rev().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        before.is_some_and(|line| line.len() - line.trim_start_matches(' ').len() == indent && line.trim_start().starts_with('-'))
    }

    fn plain(&mut self, column: usize, rest: &str, outer: usize) -> Read<Value> {
        let mut text = uncommented(rest).to_owned();
        if text.contains(": ") || text.ends_with(':') {
            return Err(self.wrong(column, "mapping values are not allowed here: quote a text with a colon"));
        }
        self.at += 1;
        let mut several = false;
        while rest.len() == uncommented(rest).len()
            && let Some((indent, content)) = self.peek()?.filter(|(indent, _)| *indent > outer)
        {
            if key_of(&content).is_some() {
                return Err(self.wrong(indent, "mapping values are not allowed here"));
            }
            several = true;
            text.push(' ');
            text.push_str(uncommented(&content));
            self.at += 1;
        }
        Ok(if several { Value::String(text) } else { scalar(&text) })
    }

    /// `|` and `>` with their indicators.
    fn literal(&mut self, column: usize, rest: &str, outer: usize) -> Read<Value> {
        let header = uncommented(rest);
        let (folded, indicators) = (header.starts_with('>'), &header[1..]);
        let chomp = indicators.chars().find(|c| "+-".contains(*c));
        let given = indicators.chars().find_map(|c| c.to_digit(10)).map(|digit| outer + digit as usize);
        if indicators.chars().any(|c| !"+-123456789".contains(c)) {
            return Err(self.wrong(column, "what stands behind | or > is not understood"));
        }
        self.at += 1;
        let mut lines: Vec<String> = Vec::new();
        let mut indent = given;
        while let Some(line) = self.lines.get(self.at) {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            if line.trim().is_empty() {
                lines.push(indent.map_or(String::new(), |indent| line.get(indent..).unwrap_or_default().to_owned()));
            } else {
                let wanted = *indent.get_or_insert(spaces);
                if spaces < wanted || wanted <= outer && outer > 0 || (wanted == 0 && outer == 0 && self.at > 0 && given.is_none() && spaces == 0) {
                    break;
                }
                lines.push(line[wanted..].to_owned());
            }
            self.at += 1;
        }
        let trailing = lines.iter().rev().take_while(|line| line.trim().is_empty()).count();
        let body = &lines[..lines.len() - trailing];
        let mut text = String::new();
        for (at, line) in body.iter().enumerate() {
            if at > 0 {
                let joins = folded && !line.is_empty() && !body[at - 1].is_empty() && !line.starts_with(' ') && !body[at - 1].starts_with(' ');
                // A folded empty line is a line's end; the text lines around it add none of their own.
                let swallowed = folded && !line.is_empty() && body[at - 1].is_empty() && !line.starts_with(' ');
                if joins {
                    text.push(' ');
                } else if !swallowed {
                    text.push('\n');
                }
            }
            text.push_str(line);
        }
        match chomp {
            Some('-') => {}
            Some(_) => text.push_str(&"\n".repeat(trailing + usize::from(!body.is_empty()))),
            None if body.is_empty() => {}
            None => text.push('\n'),
        }
        Ok(Value::String(text))
    }

    /// A quoted text or a flow collection, over as many lines as it takes.
    fn flow(&mut self, column: usize, rest: &str, outer: usize) -> Read<Value> {
        let mut text = rest.to_owned();
        let first = self.at;
        loop {
            let mut flow = Flow { text: &text, at: 0 };
            match flow.node(0) {
                Ok(value) => {
                    let after = uncommented(text[flow.at..].trim_start());
                    if !after.is_empty() {
                        return Err(self.wrong(column, &format!("'{after}' is too much")));
                    }
                    self.at += 1;
                    return Ok(value);
                }
                Err(Trouble::Wrong(why)) => return Err(self.wrong(column, &why)),
                Err(Trouble::Unfinished) => {
                    self.at += 1;
                    let line = self.lines.get(self.at).filter(|line| {
                        line.trim().is_empty() || line.len() - line.trim_start().len() > outer || line.trim_start().starts_with([']', '}'])
                    });
                    let Some(line) = line else {
                        self.at = first;
                        return Err(self.wrong(column, "what begins here has no end"));
                    };
                    text.push(' ');
                    text.push_str(if text.starts_with(['[', '{']) { uncommented(line.trim()) } else { line.trim() });
                }
            }
        }
    }
}

/// A plain text, or what it stands for.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // 007 is somebody's name for something, not seven.
    let number = digits.starts_with(|c: char| c.is_ascii_digit()) && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
    if number && let Ok(number) = text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
        return Value::Number(number.into());
    }
    if number
        && digits.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c))
        && let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64)
    {
        return Value::Number(number);
    }
    Value::String(text.to_owned())
}

fn long_form(tag: &str, value: Value) -> Value {
    let name = if matches!(tag, "Ref" | "Condition") { tag.to_owned() } else { format!("Fn::{tag}") };
    Value::Object(Map::from_iter([(name, value)]))
}

enum Trouble {
    Unfinished,
    Wrong(String),
}

/// Flow collections and quoted texts.
struct Flow<'t> {
    text: &'t str,
    at: usize,
}

impl Flow<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn node(&mut self, depth: usize) -> Result<Value, Trouble> {
        self.space();
        if depth > DEPTH_MAX {
            return Err(Trouble::Wrong("nested too deeply".to_owned()));
        }
        match self.rest().chars().next() {
            None => Err(Trouble::Unfinished),
            Some('"' | '\'') => self.quoted(),
            Some('[') => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.space();
                    match self.rest().chars().next() {
                        None => return Err(Trouble::Unfinished),
                        Some(']') => {
                            self.at += 1;
                            return Ok(Value::Array(items));
                        }
                        Some(',') if !items.is_empty() => self.at += 1,
                        _ => items.push(self.node(depth + 1)?),
                    }
                }
            }
            Some('{') => {
                self.at += 1;
                let mut members = Map::new();
                loop {
                    self.space();
                    match self.rest().chars().next() {
                        None => return Err(Trouble::Unfinished),
                        Some('}') => {
                            self.at += 1;
                            return Ok(Value::Object(members));
                        }
                        Some(',') if !members.is_empty() => self.at += 1,
                        _ => {
                            let key = match self.node(depth + 1)? {
                                Value::String(key) => key,
                                Value::Number(key) => key.to_string(),
                                other => return Err(Trouble::Wrong(format!("{other} cannot be a key"))),
                            };
                            self.space();
                            if self.rest().is_empty() {
                                return Err(Trouble::Unfinished);
                            }
                            if !self.rest().starts_with(':') {
                                return Err(Trouble::Wrong(format!("a colon is expected behind {key}")));
                            }
                            self.at += 1;
                            self.space();
                            let value = if self.rest().starts_with([',', '}']) { Value::Null } else { self.node(depth + 1)? };
                            members.insert(key, value);
                        }
                    }
                }
            }
            Some('!') => {
                let end = self.rest().find([' ', ',', ']', '}']).unwrap_or(self.rest().len());
                let tag = self.rest()[1..end].to_owned();
                if !TAGS.contains(&tag.as_str()) {
                    return Err(Trouble::Wrong(format!("could not determine a constructor for the tag !{tag}")));
                }
                self.at += end;
                Ok(long_form(&tag, self.node(depth + 1)?))
            }
            Some('&' | '*') => Err(Trouble::Wrong("anchors and aliases are not read here".to_owned())),
            Some(']' | '}' | ',') => Err(Trouble::Wrong(format!("'{}' is not expected here", &self.rest()[..1]))),
            Some(_) => {
                let rest = self.rest();
                let ends = |(at, c): &(usize, char)| {
                    ",[]{}".contains(*c) || (*c == ':' && rest[at + 1..].chars().next().is_none_or(|next| " ,]}".contains(next)))
                };
                let end = rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at);
                if end == 0 {
                    return Err(Trouble::Wrong("':' is not expected here".to_owned()));
                }
                let text = rest[..end].trim_end().to_owned();
                self.at += end;
                Ok(scalar(&text))
            }
        }
    }

    fn quoted(&mut self) -> Result<Value, Trouble> {
        let quote = self.rest().chars().next().unwrap_or('"');
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                    out.push('\'');
                    chars.next();
                }
                c if c == quote => {
                    self.at += at + 1;
                    return Ok(Value::String(out));
                }
                '\\' if quote == '"' => {
                    let Some((_, escape)) = chars.next() else { return Err(Trouble::Unfinished) };
                    let mut code = |digits: usize| -> Result<char, Trouble> {
                        let hex: String = (0..digits).filter_map(|_| chars.next().map(|(_, c)| c)).collect();
                        let found = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
                        found.ok_or_else(|| Trouble::Wrong(format!("\\{escape}{hex} is no character")))
                    };
                    out.push(match escape {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        '0' => '\0',
                        'e' => '\u{1b}',
                        '"' | '\\' | '/' | ' ' => escape,
                        'x' => code(2)?,
                        'u' => code(4)?,
                        'U' => code(8)?,
                        other => return Err(Trouble::Wrong(format!("\\{other} is no escape"))),
                    });
                }
                c => out.push(c),
            }
        }
        Err(Trouble::Unfinished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn templates_are_read_as_they_are_written() {
        let text = r#"
AWSTemplateFormatVersion: '2010-09-09'   # the only one
Description: >-
  A lake
  and its stream.

  Twice.
Parameters:
  Shards: {Type: Number, Default: 2}
Resources:
  Lake:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${AWS::StackName}-lake"
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Timeout: 60
      Layers: []
      Role: !GetAtt Role.Arn
      Environment:
        Variables:
          ON: true
          ratio: 0.5
          zip: 00501
      Code:
        ZipFile: |
          exports.handler = async (e) => {
            return e; // as it is
          };
  Policy:
    Statement:
    - Effect: Allow
      Action: ["s3:PutObject", 's3:Get*']
      Resource:
        - !Join ['', [!GetAtt Lake.Arn, "/*"]]
        - Fn::Sub: arn:aws:s3:::${Lake}
    -   Effect: Deny
        Action:
          - "*"
    -
      Effect: Allow
Outputs:
  Name: {Value: !Ref Lake,
    Export: null}
"#;
        let read = parse(text).expect("good");
        assert_eq!(read["AWSTemplateFormatVersion"], "2010-09-09");
        assert_eq!(read["Description"], "A lake and its stream.\nTwice.");
        assert_eq!(read["Parameters"]["Shards"], json!({"Type": "Number", "Default": 2}));
        assert_eq!(read["Resources"]["Lake"]["Properties"], json!({"BucketName": {"Fn::Sub": "${AWS::StackName}-lake"}}));
        let function = &read["Resources"]["Fn"]["Properties"];
        assert_eq!((&function["Role"], &function["Layers"]), (&json!({"Fn::GetAtt": "Role.Arn"}), &json!([])));
        assert_eq!(function["Environment"]["Variables"], json!({"ON": true, "ratio": 0.5, "zip": "00501"}));
        assert_eq!(function["Code"]["ZipFile"], "exports.handler = async (e) => {\n  return e; // as it is\n};\n");
        assert_eq!(
            read["Resources"]["Policy"]["Statement"],
            json!([
                {"Effect": "Allow", "Action": ["s3:PutObject", "s3:Get*"],
                 "Resource": [{"Fn::Join": ["", [{"Fn::GetAtt": "Lake.Arn"}, "/*"]]}, {"Fn::Sub": "arn:aws:s3:::${Lake}"}]},
                {"Effect": "Deny", "Action": ["*"]},
                {"Effect": "Allow"}
            ])
        );
        assert_eq!(read["Outputs"]["Name"], json!({"Value": {"Ref": "Lake"}, "Export": null}));
    }

    #[test]
    fn texts_of_every_kind() {
        let read = |text: &str| parse(text).expect(text);
        assert_eq!(read("a: \"x\\ty \\u00e9\"\nb: 'it''s'\nc: two\n  lines"), json!({"a": "x\ty é", "b": "it's", "c": "two lines"}));
        assert_eq!(read("a: |+\n  x\n\nb: |2-\n    y\n"), json!({"a": "x\n\n", "b": "  y"}));
        assert_eq!(read("a: >\n  one\n  two\n\n  three\n"), json!({"a": "one two\nthree\n"}));
        assert_eq!(
            read("- 1\n- -2.5\n- ~\n- 2012-10-17\n- http://x:1/y # where\n- 'a: b'"),
            json!([1, -2.5, null, "2012-10-17", "http://x:1/y", "a: b"])
        );
        assert_eq!(read("- - 1\n  - 2\n- - 3"), json!([[1, 2], [3]]));
        assert_eq!(read("a: !Join\n  - ','\n  - - x\n    - y"), json!({"a": {"Fn::Join": [",", ["x", "y"]]}}));
        assert_eq!(read("# nothing\n"), json!(null));
    }

    #[test]
    fn what_is_not_read_is_refused_with_its_place() {
        for (text, line, why) in [
            ("a: &x 1\nb: *x", 1, "anchors"),
            ("a:\n  <<: 1", 2, "merge keys"),
            ("a: 1\na: 2", 2, "twice"),
            ("a: b: c", 1, "mapping values"),
            ("a:\n  b: 1\n c: 2", 3, "indented as nothing"),
            ("a: [1, 2", 1, "no end"),
            ("\ta: 1", 1, "tab"),
            ("a: !Nope x", 1, "!Nope"),
            ("a: 1\n---\nb: 2", 2, "a key and a colon"),
            ("a: \"x\\q\"", 1, "no escape"),
            ("a: [: x]", 1, "':' is not expected"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.line == line && error.why.contains(why), "{text:?}: {error:?}");
        }
        assert!(parse(&"[".repeat(5000)).is_err() && parse(&"- ".repeat(5000)).is_err());
    }

    proptest! {
        /// What JSON says, YAML says; and nothing panics.
        #[test]
        fn json_is_yaml(n in any::<i32>(), text in "[ -~]{0,20}", flag in any::<bool>(), noise in "[-:?\\[\\]{}!|>\"'#&* aé\n]{0,60}|[ -~\n]{0,80}") {
            let value = json!({"n": n, "list": [text, flag, {"inner": text}], "empty": {}});
            prop_assert_eq!(parse(&value.to_string()).expect("good"), value.clone());
            prop_assert_eq!(parse(&serde_json::to_string_pretty(&value).expect("JSON")).expect("good"), value);
            let _ = parse(&noise);
        }
    }
}
