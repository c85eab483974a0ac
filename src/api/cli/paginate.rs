//! Listings in pages: which operations have them, and the calls and the merge the CLI makes of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::super::ModelYear;
use super::super::{Operation, Request, Response};
use super::{CliError, json_text, render};

/// How an operation pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paginator {
    /// Member of the request that says where to go on.
    pub input_token: &'static str,
    /// Where the answer says so, a path with dots; `[-1]` is the last item.
    pub output_token: &'static str,
    /// Where the answer says whether more follows, if it does.
    pub more_results: Option<&'static str>,
    /// The lists of the answer that are joined; the first one counts items.
    pub result_keys: &'static [&'static str],
    /// Member of the request that bounds a page.
    pub limit_key: Option<&'static str>,
    /// What is taken from the first answer only.
    pub non_aggregate_keys: &'static [&'static str],
}

impl Paginator {
    /// The paginator of an operation, if it has one.
    pub fn for_operation(operation: Operation) -> Option<Self> {
        use super::super::kinesis::Operation as K;
        let operation = match operation {
            Operation::Kinesis(operation) => operation,
            Operation::Other(operation) => {
                return operation.pages.as_ref().map(|pages| Self {
                    input_token: pages.input_token,
                    output_token: pages.output_token,
                    more_results: None,
                    result_keys: std::slice::from_ref(&pages.result_key),
                    limit_key: pages.limit_key,
                    non_aggregate_keys: &[],
                });
            }
        };
        Some(match operation {
            K::DescribeStream => Self {
                input_token: "ExclusiveStartShardId",
                output_token: "StreamDescription.Shards[-1].ShardId",
                more_results: Some("StreamDescription.HasMoreShards"),
                result_keys: &["StreamDescription.Shards"],
                limit_key: Some("Limit"),
                non_aggregate_keys: &[
                    "StreamDescription.StreamARN",
                    "StreamDescription.StreamName",
                    "StreamDescription.StreamStatus",
                    "StreamDescription.RetentionPeriodHours",
                    "StreamDescription.EnhancedMonitoring",
                    "StreamDescription.EncryptionType",
                    "StreamDescription.KeyId",
                    "StreamDescription.StreamCreationTimestamp",
                ],
            },
            K::ListStreams => Self {
                input_token: "NextToken",
                output_token: "NextToken",
                more_results: Some("HasMoreStreams"),
                result_keys: &["StreamNames", "StreamSummaries"],
                limit_key: Some("Limit"),
                non_aggregate_keys: &[],
            },
            K::ListShards => Self {
                input_token: "NextToken",
                output_token: "NextToken",
                more_results: None,
                result_keys: &["Shards"],
                limit_key: Some("MaxResults"),
                non_aggregate_keys: &[],
            },
            K::ListStreamConsumers => Self {
                input_token: "NextToken",
                output_token: "NextToken",
                more_results: None,
                result_keys: &["Consumers"],
                limit_key: Some("MaxResults"),
                non_aggregate_keys: &[],
            },
            _ => return None,
        })
    }
}

/// What the command line says about paging.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paging {
    /// `--starting-token`.
    pub starting_token: Option<String>,
    /// `--page-size`.
    pub page_size: Option<i64>,
    /// `--max-items`.
    pub max_items: Option<i64>,
}

/// The value at a path of members, `[-1]` being the last item.
fn get<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, step| match step.strip_suffix("[-1]") {
        Some(name) => value.get(name)?.as_array()?.last(),
        None => value.get(step),
    })
}

/// Sets the value at a path of members, making objects on the way.
fn set(value: &mut Value, path: &str, new: Value) {
    let mut place = value;
    for step in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(object) = place else { return };
        place = object.entry(step).or_insert(Value::Null);
    }
    *place = new;
}

/// The run of a listing through its pages. Ask for [`Pages::next_request`] until there is none, giving each answer to [`Pages::accept`],
/// then take [`Pages::finish`].
#[derive(Debug, Clone)]
pub struct Pages {
    paginator: Paginator,
    operation: Operation,
    body: Value,
    year: ModelYear,
    max_items: Option<i64>,
    skip: usize,
    has_starting_token: bool,
    token: Option<String>,
    previous: Option<String>,
    total: i64,
    done: bool,
    resume: Option<String>,
    taken: Vec<Value>,
    fixed: Value,
}

impl Pages {
    /// Begins a listing; `None` when the operation has no pages.
    ///
    /// # Errors
    /// A starting token that is none.
    pub fn begin(request: &Request, paging: &Paging, year: ModelYear) -> Result<Option<Self>, CliError> {
        let operation = request.operation();
        let Some(paginator) = Paginator::for_operation(operation) else { return Ok(None) };
        let mut body = render::body_of(request);
        let (mut token, mut skip) = (None, 0);
        if let Some(text) = &paging.starting_token {
            (token, skip) = read_token(text, paginator.input_token)?;
            put(&mut body, paginator.input_token, token.clone().map(Value::String));
        }
        if let (Some(size), Some(key)) = (paging.page_size, paginator.limit_key) {
            put(&mut body, key, Some(size.into()));
        }
        Ok(Some(Self {
            paginator,
            operation,
            body,
            year,
            max_items: paging.max_items,
            skip,
            has_starting_token: paging.starting_token.is_some(),
            token,
            previous: None,
            total: 0,
            done: false,
            resume: None,
            taken: Vec::new(),
            fixed: Value::Object(Map::new()),
        }))
    }

    /// The next request to send, `None` when the listing is complete.
    ///
    /// # Errors
    /// A page size the service refuses.
    pub fn next_request(&self) -> Result<Option<Request>, CliError> {
        if self.done {
            return Ok(None);
        }
        self.operation.decode(&self.body, self.year).map(Some).map_err(|error| CliError::service(&error, self.operation))
    }

    /// Takes the answer of the last request.
    ///
    /// # Errors
    /// The same token twice in a row, which would never end.
    pub fn accept(&mut self, response: &Response) -> Result<(), CliError> {
        let mut page = render::value_of(response);
        let primary = self.paginator.result_keys[0];
        let mut skipped = 0;
        if self.taken.is_empty() {
            if self.has_starting_token {
                skipped = self.skip;
                self.cut_front(&mut page, skipped);
            }
            for key in self.paginator.non_aggregate_keys {
                set(&mut self.fixed, key, get(&page, key).cloned().unwrap_or_default());
            }
        }
        let items = get(&page, primary).and_then(Value::as_array).map_or(0, Vec::len) as i64;
        let surplus = self.max_items.map_or(0, |most| self.total + items - most);
        if surplus > 0 {
            let keep = usize::try_from(items - surplus).unwrap_or(0);
            if let Some(list) = get(&page, primary).and_then(Value::as_array) {
                let kept = list[..keep].to_vec();
                set(&mut page, primary, Value::Array(kept));
            }
            self.resume = Some(write_token(self.paginator.input_token, self.token.as_deref(), Some(keep + skipped)));
            self.done = true;
        } else {
            self.total += items;
            self.token = self.token_of(&page);
            if self.token.is_none() {
                self.done = true;
            } else if self.max_items == Some(self.total) {
                self.resume = Some(write_token(self.paginator.input_token, self.token.as_deref(), None));
                self.done = true;
            } else if self.previous.is_some() && self.previous == self.token {
                let token = self.token.as_deref().unwrap_or_default();
                return Err(CliError::general(&format!(
                    "Error during pagination: The same next token was received twice: {{'{}': '{token}'}}",
                    self.paginator.input_token
                )));
            } else {
                put(&mut self.body, self.paginator.input_token, self.token.clone().map(Value::String));
                self.previous.clone_from(&self.token);
            }
        }
        self.taken.push(page);
        Ok(())
    }

    fn cut_front(&self, page: &mut Value, count: usize) {
        for (at, key) in self.paginator.result_keys.iter().enumerate() {
            if let Some(list) = get(page, key).and_then(Value::as_array) {
                let rest = if at == 0 { list.iter().skip(count).cloned().collect() } else { Vec::new() };
                set(page, key, Value::Array(rest));
            }
        }
    }

    fn token_of(&self, page: &Value) -> Option<String> {
        if let Some(more) = self.paginator.more_results
            && get(page, more) != Some(&Value::Bool(true))
        {
            return None;
        }
        get(page, self.paginator.output_token).and_then(Value::as_str).filter(|token| !token.is_empty()).map(str::to_owned)
    }

    /// What the CLI makes of the pages.
    pub fn finish(self) -> Answer {
        let mut merged = Value::Object(Map::new());
        for page in &self.taken {
            for key in self.paginator.result_keys {
                let Some(found) = get(page, key).filter(|found| !found.is_null()) else { continue };
                match (get(&merged, key), found) {
                    (Some(Value::Array(old)), Value::Array(new)) => {
                        let joined = old.iter().chain(new).cloned().collect();
                        set(&mut merged, key, joined);
                    }
                    _ => set(&mut merged, key, found.clone()),
                }
            }
        }
        for key in self.paginator.non_aggregate_keys {
            set(&mut merged, key, get(&self.fixed, key).cloned().unwrap_or_default());
        }
        if let (Some(token), Value::Object(object)) = (&self.resume, &mut merged) {
            object.insert("NextToken".into(), Value::String(token.clone()));
        }
        let mut pages = Vec::new();
        for (at, page) in self.taken.iter().enumerate() {
            let mut shown = if at == 0 { self.fixed.clone() } else { Value::Object(Map::new()) };
            for key in self.paginator.result_keys {
                set(&mut shown, key, get(page, key).cloned().unwrap_or_default());
            }
            pages.push(shown);
        }
        Answer { merged, pages: Some(pages), resume: self.resume }
    }
}

/// An answer ready to print: of one call, or of all the pages of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The answer, for a listing the pages joined.
    pub(super) merged: Value,
    /// The pages one by one, which is how text prints them.
    pub(super) pages: Option<Vec<Value>>,
    /// Where a truncated listing goes on.
    pub(super) resume: Option<String>,
}

impl From<&Response> for Answer {
    fn from(response: &Response) -> Self {
        Self { merged: render::value_of(response), pages: None, resume: None }
    }
}

impl From<Value> for Answer {
    /// Numbers that are instants by the name of their member are shown as such.
    fn from(mut value: Value) -> Self {
        render::show_instants(&mut value);
        Self { merged: value, pages: None, resume: None }
    }
}

fn put(body: &mut Value, name: &str, value: Option<Value>) {
    if let Value::Object(object) = body {
        match value {
            Some(value) => {
                object.insert(name.to_owned(), value);
            }
            None => {
                object.shift_remove(name);
            }
        }
    }
}

/// The token that resumes a listing: base64 of JSON with the service's token and the number of items already seen of its page.
fn write_token(name: &str, token: Option<&str>, seen: Option<usize>) -> String {
    let token = token.map_or_else(|| "null".to_owned(), |token| Value::from(token).to_string());
    let seen = seen.map_or_else(String::new, |seen| format!(", \"boto_truncate_amount\": {seen}"));
    STANDARD.encode(format!("{{\"{name}\": {token}{seen}}}"))
}

fn read_token(text: &str, name: &str) -> Result<(Option<String>, usize), CliError> {
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| json_text::read(&text).ok());
    if let Some(super::param::Param::Map(entries)) = decoded {
        let mut token = None;
        let mut seen = 0;
        for (key, value) in entries {
            match value {
                super::param::Param::Int(count) if key == "boto_truncate_amount" => seen = usize::try_from(count).unwrap_or(0),
                super::param::Param::Text(text) if key == name => token = Some(text),
                super::param::Param::None if key == name => {}
                _ => return Err(CliError::general(&format!("Bad starting token: {text}"))),
            }
        }
        return Ok((token, seen));
    }
    // The older form: the service's token, and the number of items seen behind three underscores.
    let parts: Vec<&str> = text.split("___").collect();
    let plain = |part: &str| (part != "None").then(|| part.to_owned());
    match parts[..] {
        [token] => Ok((plain(token), 0)),
        [token, seen] => match seen.parse() {
            Ok(seen) => Ok((plain(token), seen)),
            Err(_) => Ok((Some(text.to_owned()), 0)),
        },
        _ => Err(CliError::general(&format!("Bad starting token: {text}"))),
    }
}
