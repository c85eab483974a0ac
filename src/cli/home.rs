//! What kinlab keeps on disk between runs: the log of each lab's run as it grows, progress for the list of labs, the learner's initials,
//! the lines that were typed into `kinlab sql`.
//!
//! `$KINLAB_HOME`, else `$XDG_STATE_HOME/kinlab`, else `~/.local/state/kinlab`. Nothing else is ever written. Whatever goes wrong here is a
//! sentence: the lab goes on.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::session::runlog::{Keeper, Progress, SavedRun};

use super::sealed::LogFile;

/// The folder, when the environment says where it could be.
pub(super) fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("KINLAB_HOME")
        .or_else(|| variable("XDG_STATE_HOME").map(|state| state.join("kinlab")))
        .or_else(|| variable("HOME").map(|home| home.join(".local/state/kinlab")))
        .or_else(|| variable("LOCALAPPDATA").map(|data| data.join("kinlab")))
}

pub(super) fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Writes a file so that there is always the old one or the new one.
pub(super) fn put(path: &Path, text: &str) -> Result<(), String> {
    let fresh = path.with_extension("new");
    let written = File::create(&fresh).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_data()));
    written.and_then(|()| std::fs::rename(&fresh, path)).map_err(|error| {
        let _ = std::fs::remove_file(&fresh);
        told(path, &error)
    })
}

/// A file that is this process's alone until it ends.
///
/// # Errors
/// `busy` when another process has it; else what the system said.
pub(super) fn locked(path: &Path, busy: impl Fn() -> String) -> Result<File, String> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(|error| told(path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(busy()),
        Err(TryLockError::Error(error)) => Err(told(path, &error)),
    }
}

/// The saved run of a lab for reading only: another process may be playing it.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn saved_run(lab: &str) -> Result<Option<SavedRun>, String> {
    let home = folder().ok_or("neither KINLAB_HOME nor HOME is set")?;
    LogFile::new(home.join("runs").join(format!("{}.jsonl", file_name(lab)))).saved()
}

/// A lab's id comes from its file: keep it a file name.
fn file_name(lab: &str) -> String {
    lab.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// The saved run of a lab, held by this process alone.
#[derive(Debug)]
pub(super) struct Store {
    run: LogFile,
    progress: PathBuf,
    initials: PathBuf,
    /// Held until the process ends.
    _lock: File,
}

impl Store {
    /// Opens the saved run of a lab.
    ///
    /// # Errors
    /// A sentence: no folder, not writable, or another kinlab has the lab open.
    pub(super) fn open(lab: &str) -> Result<Self, String> {
        let home = folder().ok_or("neither KINLAB_HOME nor HOME is set")?;
        let runs = home.join("runs");
        std::fs::create_dir_all(&runs).map_err(|error| told(&runs, &error))?;
        let name = file_name(lab);
        let lock_path = runs.join(format!("{name}.lock"));
        let lock = locked(&lock_path, || format!("another kinlab has {lab} open"))?;
        Ok(Self {
            run: LogFile::new(runs.join(format!("{name}.jsonl"))),
            progress: runs.join(format!("{name}.progress.json")),
            initials: home.join("initials"),
            _lock: lock,
        })
    }

    /// The run that was saved last.
    ///
    /// # Errors
    /// Why it cannot be read; the file stays as it is.
    pub(super) fn saved(&self) -> Result<Option<SavedRun>, String> {
        self.run.saved()
    }

    /// Puts the saved run aside; gives its new name.
    pub(super) fn set_aside(&self) -> Option<PathBuf> {
        let aside = self.run.path.with_extension("old.jsonl");
        std::fs::rename(&self.run.path, &aside).ok().map(|()| aside)
    }
}

impl Keeper for Store {
    fn append(&mut self, text: &str) -> Result<(), String> {
        self.run.append(text)
    }

    fn replace(&mut self, text: &str) -> Result<(), String> {
        self.run.replace(text)
    }

    fn progress(&mut self, progress: &Progress) -> Result<(), String> {
        if let Some(initials) = &progress.initials {
            put(&self.initials, initials)?;
        }
        put(&self.progress, &serde_json::to_string(progress).map_err(|error| error.to_string())?)
    }
}

#[allow(clippy::disallowed_methods, reason = "the list of labs says how long ago a lab was played")]
/// Progress in a lab and how long ago it was made.
pub(super) fn progress_of(lab: &str) -> Option<(Progress, Duration)> {
    let path = folder()?.join("runs").join(format!("{lab}.progress.json"));
    let progress = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
    let modified = std::fs::metadata(&path).and_then(|data| data.modified()).ok()?;
    Some((progress, SystemTime::now().duration_since(modified).unwrap_or_default()))
}

/// The learner's initials, when boarding asked for them.
pub(super) fn initials() -> Option<String> {
    let text = std::fs::read_to_string(folder()?.join("initials")).ok()?;
    Some(text.trim().to_owned()).filter(|text| crate::lab::are_initials(text))
}
