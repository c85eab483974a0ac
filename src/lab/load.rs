//! Reading a lab: the scenario, its steps, its side files. Errors give file, line, column and the allowed keys.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::scenario::{FORMAT, Scenario, StepSpec};

/// The text can be initials: one to twelve letters and digits, so that names of streams can begin with them.
pub fn are_initials(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// What is wrong with a lab file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// File within the lab.
    pub file: String,
    /// Line and column, 1-based; 0 when the whole file is meant.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// What was found, what was expected, what to do.
    pub message: String,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 {
            write!(f, "error: {}: {}", self.file, self.message)
        } else {
            write!(f, "error: {}:{}:{}: {}", self.file, self.line, self.column, self.message)
        }
    }
}

/// Files of a lab by name within its folder.
pub trait Files {
    /// The bytes of a file.
    fn read(&self, name: &str) -> Option<Arc<[u8]>>;
}

/// A step: front matter and guide text.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Front matter.
    pub spec: StepSpec,
    /// Guide text.
    pub body: String,
}

/// A lab, read and checked.
#[derive(Debug, Clone)]
pub struct Lab {
    /// The scenario, variables filled in.
    pub scenario: Scenario,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Side files that its generators and rates use.
    pub files: Vec<(String, Arc<[u8]>)>,
    /// Changes with every change of the lab's files: a run is of one text of a lab.
    pub fingerprint: String,
    /// Variables that differ from the file's.
    pub changed_vars: Vec<(String, String)>,
}

fn text(files: &dyn Files, name: &str) -> Result<String, Diagnostic> {
    let whole = |message: String| Diagnostic { file: name.to_owned(), line: 0, column: 0, message };
    let bytes = files.read(name).ok_or_else(|| whole("the file does not exist".to_owned()))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| whole("the file is not UTF-8".to_owned()))
}

/// Line and column of an offset, 1-based.
fn place(source: &str, offset: usize) -> (usize, usize) {
    let at = offset.min(source.len());
    let before = &source[..(0..=at).rev().find(|at| source.is_char_boundary(*at)).unwrap_or(0)];
    (before.matches('\n').count() + 1, before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1)
}

fn toml_error(file: &str, source: &str, offset_lines: usize, error: &toml::de::Error) -> Diagnostic {
    let (line, column) = place(source, error.span().map_or(0, |span| span.start));
    Diagnostic { file: file.to_owned(), line: line + offset_lines, column, message: error.message().trim().to_owned() }
}

/// Replaces `${name}` by the scenario's variables; `${watermark}` belongs to the replay tool.
fn fill_in(text: &str, vars: &indexmap::IndexMap<String, String>) -> String {
    let mut out = text.to_owned();
    // Variables may use each other; four rounds are deeper than anybody nests.
    for _ in 0..4 {
        for (name, value) in vars {
            out = out.replace(&format!("${{{name}}}"), value);
        }
    }
    out
}

impl Lab {
    /// Reads `scenario.toml` and everything it names.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub fn load(files: &dyn Files) -> Result<Self, Vec<Diagnostic>> {
        Self::load_with(files, &[])
    }

    /// Reads a lab with other values for some of its variables; a variable the lab does not have is left out.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub fn load_with(files: &dyn Files, changes: &[(String, String)]) -> Result<Self, Vec<Diagnostic>> {
        const SCENARIO: &str = "scenario.toml";
        let source = text(files, SCENARIO).map_err(|error| vec![error])?;
        let raw: Scenario = toml::from_str(&source).map_err(|error| vec![toml_error(SCENARIO, &source, 0, &error)])?;
        if raw.format > FORMAT {
            let message = format!("format {} is newer than this program reads (format {FORMAT}); a newer kinlab is needed", raw.format);
            return Err(vec![Diagnostic { file: SCENARIO.to_owned(), line: 1, column: 1, message }]);
        }
        let mut vars = raw.vars.clone();
        let mut changed_vars = Vec::new();
        for (name, value) in changes {
            if let Some(present) = vars.get_mut(name)
                && present != value
            {
                value.clone_into(present);
                changed_vars.push((name.clone(), value.clone()));
            }
        }
        let filled = fill_in(&source, &vars);
        let scenario: Scenario = toml::from_str(&filled).map_err(|error| vec![toml_error(SCENARIO, &filled, 0, &error)])?;
        let mut errors = Vec::new();
        let mut steps = Vec::new();
        for name in &scenario.steps {
            match text(files, name).and_then(|source| step(name, &fill_in(&source, &vars))) {
                Ok(step) => steps.push(step),
                Err(error) => errors.push(error),
            }
        }
        let mut complain = |message: String| errors.push(Diagnostic { file: SCENARIO.to_owned(), line: 0, column: 0, message });
        if crate::engine::time::parse_iso(&scenario.clock.epoch).is_none() {
            complain(format!("clock.epoch: '{}' is no ISO 8601 time; write 2019-09-08T22:03:48Z", scenario.clock.epoch));
        }
        let questions: Vec<&str> = steps.iter().flat_map(|step| step.spec.question.iter().map(|question| question.id.as_str())).collect();
        for step in &steps {
            for check in &step.spec.checks {
                if !scenario.check.contains_key(check) {
                    complain(format!("step {}: no check is named '{check}'", step.spec.id));
                }
            }
            if step.spec.hints.len() != 3 {
                complain(format!("step {}: {} hints; write three: look here, think so, type this", step.spec.id, step.spec.hints.len()));
            }
        }
        for (id, check) in &scenario.check {
            if !steps.iter().any(|step| step.spec.checks.contains(id)) {
                complain(format!("check.{id}: no step uses it"));
            }
            for question in check.test.questions() {
                if !questions.contains(&question) {
                    complain(format!("check.{id}: no step asks the question '{question}'"));
                }
            }
        }
        for mistake in &scenario.mistake {
            if !scenario.check.contains_key(&mistake.check) {
                complain(format!("mistake {}: no check is named '{}'", mistake.id, mistake.check));
            }
        }
        for (name, producer) in &scenario.producer {
            if !scenario.generator.contains_key(&producer.generator) {
                complain(format!("producer.{name}: no generator is named '{}'", producer.generator));
            }
        }
        for beat in &scenario.beat {
            let (line, column) = place(&filled, beat.span().start);
            let found = beat.get_ref().problems(|check| scenario.check.contains_key(check));
            errors.extend(found.into_iter().map(|message| Diagnostic { file: SCENARIO.to_owned(), line, column, message }));
        }
        let mut named = Vec::new();
        for name in &scenario.files {
            match text(files, name) {
                Ok(text) => named.push((name.clone(), Arc::from(fill_in(&text, &vars).into_bytes()))),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let kept: Vec<(String, Arc<[u8]>)> =
            scenario.side_files().into_iter().filter_map(|name| files.read(&name).map(|bytes| (name, bytes))).chain(named).collect();
        let mut hash = Sha256::new();
        hash.update(filled.as_bytes());
        for step in &steps {
            hash.update(format!("{:?}", step.spec).as_bytes());
        }
        for (_, bytes) in &kept {
            hash.update(bytes);
        }
        let fingerprint = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { scenario, steps, files: kept, fingerprint, changed_vars })
    }

    /// A side file.
    pub fn file(&self, name: &str) -> Option<Arc<[u8]>> {
        self.files.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone())
    }
}

impl Scenario {
    fn side_files(&self) -> Vec<String> {
        use crate::engine::generate::{GenSpec, RateSpec};
        let fields = self.generator.values().flat_map(|generator| &generator.field);
        let of_fields = fields.filter_map(|field| match &field.generate {
            GenSpec::Geo { boxes: file, .. } | GenSpec::Lookup { file, .. } => Some(file.clone()),
            _ => None,
        });
        let of_rates = self.producer.values().filter_map(|producer| match &producer.rate {
            RateSpec::Profile { file, .. } | RateSpec::GaussianWeek { file } | RateSpec::Trace { file, .. } => Some(file.clone()),
            _ => None,
        });
        of_fields.chain(of_rates).collect()
    }
}

/// Reads a step: TOML between two lines of `+++`, then the guide.
fn step(name: &str, source: &str) -> Result<Step, Diagnostic> {
    let parts = source.strip_prefix("+++\n").and_then(|rest| rest.split_once("\n+++\n"));
    let Some((front, body)) = parts else {
        let message = "a step begins with a line +++, its front matter in TOML, and a line +++".to_owned();
        return Err(Diagnostic { file: name.to_owned(), line: 1, column: 1, message });
    };
    let spec = toml::from_str(front).map_err(|error| toml_error(name, front, 1, &error))?;
    Ok(Step { spec, body: body.trim().to_owned() })
}

impl super::scenario::TestSpec {
    /// Questions it asks for.
    pub fn questions(&self) -> Vec<&str> {
        match self {
            Self::Answer { question } => vec![question],
            Self::All { of } | Self::Any { of } => of.iter().flat_map(Self::questions).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(&'static str);
    impl Files for One {
        fn read(&self, name: &str) -> Option<Arc<[u8]>> {
            (name == "scenario.toml").then(|| self.0.as_bytes().into())
        }
    }

    #[test]
    fn a_wrong_beat_is_found_by_its_line() {
        let text = "format = 1\nid = \"x\"\ntitle = \"t\"\nminutes = 3\nsteps = []\nclock = { seed = 1, epoch = \"2026-01-01T00:00:00Z\", duration = \"1s\" }\nlimits = { era = \"current\" }\n\n[[beat]]\ntitle = \"A\"\nsay = \"b\"\nspotlight = \"shrads\"\n";
        let errors = Lab::load(&One(text)).expect_err("wrong");
        assert!(
            errors[0].to_string().starts_with("error: scenario.toml:9:1: beat 'A': no spotlight is named 'shrads'. Did you mean shards?"),
            "{}",
            errors[0]
        );
    }

    #[test]
    fn errors_give_line_column_and_allowed_keys() {
        let errors = Lab::load(&One("format = 1\nid = \"x\"\ntitel = \"y\"\n")).expect_err("wrong");
        let text = errors[0].to_string();
        assert!(text.starts_with("error: scenario.toml:3:1: unknown field `titel`, expected one of"), "{text}");
        let errors = Lab::load(&One("format = 1\nid = \"x\"\ntitle = \"t\"\nminutes = 3\nsteps = [\"a.md\"]\nclock = { seed = 1, epoch = \"no\", duration = \"120\" }\nlimits = { era = \"current\" }\n"))
            .expect_err("wrong");
        assert!(errors[0].to_string().contains("'120' has no unit: write 90s, 6m12s, 24h or 100ms"), "{}", errors[0]);
    }
}
