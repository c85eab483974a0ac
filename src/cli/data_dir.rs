//! The folder of an endpoint: the world's beginning and the log of everything that changed it.

use std::fs::File;
use std::path::Path;

use super::home::{locked, put, told};
use super::sealed::{self, LogFile};
use crate::session::runlog::{Keeper, Progress};

/// The folder of an endpoint.
#[derive(Debug)]
pub(super) struct DataDir {
    /// The log.
    pub(super) log: LogFile,
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
        Ok((Self { log: LogFile::new(folder.join("log.jsonl")), _lock: lock }, text))
    }
}

impl Keeper for DataDir {
    fn append(&mut self, text: &str) -> Result<(), String> {
        self.log.append(text)
    }

    fn replace(&mut self, text: &str) -> Result<(), String> {
        self.log.replace(text)
    }

    fn progress(&mut self, _: &Progress) -> Result<(), String> {
        Ok(())
    }
}
