//! Where labs come from: the ones in the program, a folder, or an account without one.

use std::path::PathBuf;
use std::sync::Arc;

use crate::lab::{Diagnostic, Files, Lab, embedded};

/// A lab in a folder.
pub(super) struct Folder(pub(super) PathBuf);

impl Files for Folder {
    fn read(&self, name: &str) -> Option<Arc<[u8]>> {
        // A lab reads its own files only.
        if name.split(['/', '\\']).any(|part| part == "..") || name.starts_with('/') {
            return None;
        }
        std::fs::read(self.0.join(name)).ok().map(Into::into)
    }
}

const EMPTY_STEP: &str = "+++\nid = \"empty\"\ntitle = \"An empty account\"\nminutes = 1\nobjective = \"Type AWS CLI lines.\"\nchecks = []\n\
    hints = [\"help\", \"aws kinesis help\", \"aws kinesis create-stream --stream-name s --shard-count 1\"]\nsolution = []\n+++\n\
    An empty account with today's limits. Time stands still until you type 'run 5s'.\n";

/// The files of an account without a lab: its scenario, and a step that asks for nothing.
pub(super) struct EmptyAccount(pub(super) String);

impl EmptyAccount {
    /// An account that begins at an instant with the limits of a year.
    pub(super) fn new(id: &str, seed: u64, epoch: &str, era: &str, throughput: bool) -> Self {
        Self(format!(
            "format = 1\nid = \"{id}\"\ntitle = \"kinlab {id}\"\nminutes = 1\nsteps = [\"s.md\"]\n\
             clock = {{ seed = {seed}, epoch = \"{epoch}\", duration = \"1s\" }}\nlimits = {{ era = \"{era}\", throughput = {throughput} }}\n"
        ))
    }

    /// The account of `kinlab sh`.
    pub(super) fn shell() -> Self {
        Self::new("sh", 1, "2026-01-01T00:00:00Z", "current", true)
    }
}

impl Files for EmptyAccount {
    fn read(&self, name: &str) -> Option<Arc<[u8]>> {
        match name {
            "scenario.toml" => Some(self.0.as_bytes().into()),
            "s.md" => Some(EMPTY_STEP.as_bytes().into()),
            _ => None,
        }
    }
}

/// The files of a lab by id, unambiguous beginning of one, or folder.
pub(super) fn files_of(name: &str) -> Result<Box<dyn Files>, Vec<Diagnostic>> {
    let folder = PathBuf::from(name);
    // What looks like a path is one, even when a lab has the same name.
    if name.contains(['/', '\\', '.']) && folder.is_dir() {
        return Ok(Box::new(Folder(folder)));
    }
    if let Some((_, files)) = embedded::find(name) {
        return Ok(Box::new(files));
    }
    if folder.is_dir() {
        return Ok(Box::new(Folder(folder)));
    }
    let known: Vec<&str> = embedded::ids().collect();
    let near = crate::engine::generate::near_miss(name, known.iter().copied()).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    let message = format!("no lab and no folder has this name.{near} There are: {}.", known.join(", "));
    Err(vec![Diagnostic { file: name.to_owned(), line: 0, column: 0, message }])
}

/// A lab with its own variables.
pub(super) fn load(name: &str) -> Result<Arc<Lab>, Vec<Diagnostic>> {
    load_with(name, &[])
}

/// A lab with other values for some of its variables.
pub(super) fn load_with(name: &str, vars: &[(String, String)]) -> Result<Arc<Lab>, Vec<Diagnostic>> {
    Lab::load_with(&*files_of(name)?, vars).map(Arc::new)
}

/// Prints what is wrong.
pub(super) fn complain(errors: &[Diagnostic]) -> u8 {
    for error in errors {
        eprintln!("{error}");
    }
    super::USAGE
}
