//! A function: its code, its settings, what it printed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::{ErrorCode, ServiceError};
use crate::engine::formats::compress::unzip;
use crate::engine::s3::S3;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::view::LogLine;

use super::rule::Rule;

/// Log lines kept.
const LOG_LINES: usize = 300;

/// What runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Program {
    /// A rule, inside the simulation.
    Rule(Arc<Rule>),
    /// A Node.js handler: file and name of the export.
    Node(String, String),
    /// A Python handler: file and name of the function.
    Python(String, String),
}

/// A function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Name.
    pub name: Arc<str>,
    /// Runtime, when it has one.
    pub runtime: String,
    /// Handler, `index.handler`.
    pub handler: String,
    /// ARN of its role.
    pub role: String,
    /// Text files by path.
    pub files: Arc<BTreeMap<String, String>>,
    /// SHA-256 of the code, base64.
    pub sha256: String,
    /// Bytes of the code.
    pub code_size: u64,
    /// Time-out.
    pub timeout: VirtualDuration,
    /// Memory, MiB.
    pub memory: u64,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Description.
    pub description: String,
    /// Reserved concurrency.
    pub reserved: Option<u64>,
    /// When it changed last.
    pub modified: VirtualTime,
    /// What runs.
    pub program: Program,
    /// A fault of the lab: each call takes so much longer.
    pub slower: VirtualDuration,
    /// A fault of the lab: calls fail.
    pub failing: bool,
    /// Invocations under way.
    pub running: u64,
    /// Invocations since it was made, errors, throttles.
    pub counts: (u64, u64, u64),
    /// Duration of the last one.
    pub last_duration: VirtualDuration,
    /// What it printed, newest last.
    pub log: VecDeque<LogLine>,
}

fn wrong(text: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidParameterValueException, text)
}

/// Files of a `Code` member or of UpdateFunctionCode: an archive, or the text of the handler's file.
pub fn files_of(code: &Value, s3: &S3, runtime: &str, handler: &str) -> Result<(BTreeMap<String, String>, Vec<u8>), ServiceError> {
    let bytes = match (code["ZipFile"].as_str(), code["S3Bucket"].as_str(), code["S3Key"].as_str()) {
        (Some(text), _, _) => {
            STANDARD.decode(text).map_err(|_| wrong("Could not unzip uploaded file. Please check your file, then try to upload again."))?
        }
        (None, Some(bucket), Some(key)) => {
            let object = s3.object(bucket, key).ok_or_else(|| {
                wrong("Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
            })?;
            object.bytes.to_vec()
        }
        _ => return Err(wrong("Please provide a source for function code.")),
    };
    let files = if bytes.starts_with(b"PK") {
        let entries = unzip(&bytes).ok_or_else(|| wrong("Could not unzip uploaded file. Please check your file, then try to upload again."))?;
        entries.into_iter().filter_map(|(name, bytes)| String::from_utf8(bytes).ok().map(|text| (name, text))).collect()
    } else {
        // Inline code: the text of the one file.
        let text = String::from_utf8(bytes.clone())
            .map_err(|_| wrong("Could not unzip uploaded file. Please check your file, then try to upload again."))?;
        let module = handler.rsplit_once('.').map_or("index", |(module, _)| module);
        let extension =
            if text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#')).is_some_and(|line| line.starts_with("keep"))
            {
                "rule"
            } else if runtime.starts_with("python") {
                "py"
            } else {
                "js"
            };
        BTreeMap::from([(format!("{module}.{extension}"), text)])
    };
    Ok((files, bytes))
}

/// A file that holds a rule.
pub fn is_rule(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "rule")
}

/// What of the files runs.
pub fn program_of(files: &BTreeMap<String, String>, runtime: &str, handler: &str) -> Result<Program, ServiceError> {
    if let Some((name, text)) = files.iter().find(|(name, _)| is_rule(name)) {
        return Rule::parse(text).map(|rule| Program::Rule(Arc::new(rule))).map_err(|error| wrong(format!("{name}: {error}")));
    }
    let (module, export) = handler.rsplit_once('.').ok_or_else(|| wrong(format!("Handler '{handler}' must be FILE.FUNCTION")))?;
    let python = runtime.starts_with("python");
    let endings: &[&str] = if python { &[".py"] } else { &[".js", ".cjs", ".mjs"] };
    let file = endings.iter().map(|ending| format!("{module}{ending}")).find(|name| files.contains_key(name));
    // AWS takes the function all the same and fails at the first call; so does the handler runner.
    let file = file.unwrap_or_else(|| format!("{module}{}", endings[0]));
    Ok(if python { Program::Python(file, export.to_owned()) } else { Program::Node(file, export.to_owned()) })
}

impl Function {
    /// The function of a CreateFunction request.
    ///
    /// # Errors
    /// `InvalidParameterValueException`.
    pub fn create(body: &Value, s3: &S3, now: VirtualTime) -> Result<Self, ServiceError> {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let name = text("FunctionName");
        let name = name.rsplit(':').next().unwrap_or_default();
        let (runtime, handler) = (text("Runtime"), body["Handler"].as_str().unwrap_or("index.handler").to_owned());
        // The CLI's own --zip-file is a member beside Code.
        let code = if body["ZipFile"].is_string() { body } else { &body["Code"] };
        let (files, bytes) = files_of(code, s3, &runtime, &handler)?;
        let program = program_of(&files, &runtime, &handler)?;
        if runtime.is_empty() && !matches!(program, Program::Rule(_)) {
            return Err(wrong("Runtime is mandatory for functions created with deployment packages."));
        }
        let mut function = Self {
            name: name.into(),
            runtime,
            handler,
            role: text("Role"),
            files: Arc::new(files),
            sha256: String::new(),
            code_size: 0,
            timeout: VirtualDuration::from_secs(body["Timeout"].as_u64().unwrap_or(3)),
            memory: body["MemorySize"].as_u64().unwrap_or(128),
            environment: BTreeMap::new(),
            description: text("Description"),
            reserved: None,
            modified: now,
            program,
            slower: VirtualDuration::ZERO,
            failing: false,
            running: 0,
            counts: (0, 0, 0),
            last_duration: VirtualDuration::ZERO,
            log: VecDeque::new(),
        };
        function.stamp(&bytes);
        function.configure(body)?;
        Ok(function)
    }

    fn stamp(&mut self, bytes: &[u8]) {
        self.sha256 = STANDARD.encode(Sha256::digest(bytes));
        self.code_size = bytes.len() as u64;
    }

    /// Replaces the code.
    ///
    /// # Errors
    /// As [`Function::create`].
    pub fn update_code(&mut self, body: &Value, s3: &S3, now: VirtualTime) -> Result<(), ServiceError> {
        let (files, bytes) = files_of(body, s3, &self.runtime, &self.handler)?;
        self.program = program_of(&files, &self.runtime, &self.handler)?;
        self.files = Arc::new(files);
        self.modified = now;
        self.stamp(&bytes);
        Ok(())
    }

    /// Takes the settings of a request.
    ///
    /// # Errors
    /// As [`Function::create`].
    pub fn configure(&mut self, body: &Value) -> Result<(), ServiceError> {
        if let Some(variables) = body["Environment"]["Variables"].as_object() {
            self.environment = variables.iter().filter_map(|(name, value)| value.as_str().map(|value| (name.clone(), value.to_owned()))).collect();
        }
        if let Some(seconds) = body["Timeout"].as_u64() {
            self.timeout = VirtualDuration::from_secs(seconds);
        }
        if let Some(memory) = body["MemorySize"].as_u64() {
            self.memory = memory;
        }
        if let Some(role) = body["Role"].as_str() {
            role.clone_into(&mut self.role);
        }
        if let Some(runtime) = body["Runtime"].as_str() {
            runtime.clone_into(&mut self.runtime);
        }
        if let Some(handler) = body["Handler"].as_str() {
            handler.clone_into(&mut self.handler);
        }
        self.program = program_of(&self.files, &self.runtime, &self.handler)?;
        Ok(())
    }

    /// Modelled duration of a call with so many records: the handler's own speed on this machine has no part in it.
    pub fn duration(&self, records: u64) -> VirtualDuration {
        const BASE: VirtualDuration = VirtualDuration::from_millis(60);
        const PER_RECORD_US: u64 = 300;
        BASE + VirtualDuration(PER_RECORD_US * records) + self.slower
    }

    /// A line of its log.
    pub fn say(&mut self, at: VirtualTime, text: impl Into<String>) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { at, text: text.into() });
    }

    /// The settings as Lambda's answers show them.
    pub fn shown(&self, region: &str, account: &str) -> Value {
        let mut shown = json!({
            "FunctionName": &*self.name,
            "FunctionArn": arn(&self.name, region, account),
            "Runtime": self.runtime,
            "Role": self.role,
            "Handler": self.handler,
            "CodeSize": self.code_size,
            "Description": self.description,
            "Timeout": self.timeout.as_secs(),
            "MemorySize": self.memory,
            "LastModified": self.modified.to_string().replace('Z', "+0000"),
            "CodeSha256": self.sha256,
            "Version": "$LATEST",
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
        });
        if !self.environment.is_empty() {
            shown["Environment"] = json!({"Variables": self.environment});
        }
        shown
    }
}

/// ARN of a function.
pub fn arn(name: &str, region: &str, account: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}
