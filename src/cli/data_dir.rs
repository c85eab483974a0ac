//! The folder of an endpoint: the world's beginning and the log of everything that changed it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::home::{locked, put, told};
use super::sealed;
use crate::session::runlog::{Keeper, Progress, SavedRun};

/// The folder of an endpoint: the world's beginning and the log of everything that changed it.
#[derive(Debug)]
pub(super) struct DataDir {
    /// The log's file.
    pub(super) log: PathBuf,
    file: Option<File>,
    /// Bytes of whole entries.
    good: u64,
    _lock: File,
}

impl DataDir {
    /// Opens a folder, or makes it with a world that begins with `scenario`. Gives the scenario that holds.
    ///
    /// # Errors
    /// A sentence: not writable, or another process uses it.
    pub(super) fn open(folder: &Path, scenario: &str) -> Result<(Self, String), String> {
        std::fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
        let lock_path = folder.join("lock");
        let lock = locked(&lock_path, || format!("{}: another kinlab uses this folder", folder.display()))?;
        let world = folder.join("world.toml");
        let text = match std::fs::read_to_string(&world) {
            Ok(text) => sealed::text_of(&text).map_err(|why| format!("{}: {why}", world.display()))?.to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                put(&world, &sealed::whole(scenario))?;
                scenario.to_owned()
            }
            Err(error) => return Err(told(&world, &error)),
        };
        Ok((Self { log: folder.join("log.jsonl"), file: None, good: 0, _lock: lock }, text))
    }

    /// What was kept.
    ///
    /// # Errors
    /// A sentence: not readable, or damaged otherwise than a killed process leaves it.
    pub(super) fn saved(&self) -> Result<Option<SavedRun>, String> {
        let bytes = match std::fs::read(&self.log) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(&self.log, &error)),
        };
        sealed::read(&bytes).map(Some).map_err(|why| format!("{}: {why}", self.log.display()))
    }
}

impl Keeper for DataDir {
    fn append(&mut self, text: &str) -> Result<(), String> {
        let text = sealed::lines(text);
        let written = match &mut self.file {
            Some(file) => Ok(file),
            None => OpenOptions::new().create(true).append(true).open(&self.log).map(|file| {
                self.good = file.metadata().map_or(0, |data| data.len());
                self.file.insert(file)
            }),
        }
        .and_then(|file| {
            file.write_all(text.as_bytes()).inspect_err(|_| {
                // Half an entry must not stand before the next one.
                let _ = file.set_len(self.good);
            })
        });
        written.map_err(|error| told(&self.log, &error))?;
        self.good += text.len() as u64;
        Ok(())
    }

    fn replace(&mut self, text: &str) -> Result<(), String> {
        self.file = None;
        put(&self.log, &sealed::lines(text))
    }

    fn progress(&mut self, _: &Progress) -> Result<(), String> {
        Ok(())
    }
}
