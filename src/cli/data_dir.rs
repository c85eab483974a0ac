//! The folder of an endpoint: the world's beginning and the log of everything that changed it.
//!
//! Every line of the log begins with its checksum. Invariant: a line is used only when it is whole and as it was written; only the last one may
//! be torn, for that is what a killed process leaves.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Crc;

use super::home::{locked, put, told};
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
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                put(&world, scenario)?;
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
        let wrong = |why: String| format!("{}: {why}", self.log.display());
        let (text, torn) = opened(&bytes).map_err(wrong)?;
        let mut saved = SavedRun::parse(&text).map_err(wrong)?;
        if let Some((line, why)) = saved.torn {
            return Err(wrong(format!("line {line} cannot be read: {why}")));
        }
        saved.torn = torn.map(|line| (line, "the process ended while it was written".to_owned()));
        Ok(Some(saved))
    }
}

fn checksum(line: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(line);
    crc.sum()
}

/// Lines with their checksums.
fn sealed(text: &str) -> String {
    text.split_inclusive('\n').map(|line| format!("{:08x} {line}", checksum(line.as_bytes()))).collect()
}

/// Lines without their checksums, and the number of the last one when it is torn.
fn opened(bytes: &[u8]) -> Result<(String, Option<usize>), String> {
    let mut text = String::with_capacity(bytes.len());
    for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if !line.ends_with(b"\n") {
            return Ok((text, Some(at + 1)));
        }
        let (sum, rest) = line.split_at_checked(9).unwrap_or((line, b""));
        let sum = std::str::from_utf8(sum).ok().and_then(|sum| u32::from_str_radix(sum.strip_suffix(' ')?, 16).ok());
        match std::str::from_utf8(rest) {
            Ok(rest) if sum == Some(checksum(rest.as_bytes())) => text.push_str(rest),
            _ => {
                return Err(format!(
                    "line {} is damaged: it is not what was written. Nothing is changed; a copy of the file without the line can be used",
                    at + 1
                ));
            }
        }
    }
    Ok((text, None))
}

impl Keeper for DataDir {
    fn append(&mut self, text: &str) -> Result<(), String> {
        let text = sealed(text);
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
        put(&self.log, &sealed(text))
    }

    fn progress(&mut self, _: &Progress) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_is_passed_over() {
        let text = "{\"a\":1}\n{\"data\":\"YWJj\"}\n";
        let good = sealed(text).into_bytes();
        assert_eq!(opened(&good), Ok((text.to_owned(), None)));
        for at in 0..good.len() - 1 {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(opened(&bad).is_err(), "bit of byte {at}");
        }
        for end in 0..good.len() {
            let (kept, torn) = opened(&good[..end]).expect("only torn");
            assert!(text.starts_with(&kept) && torn.is_some() != good[..end].ends_with(b"\n") || end == 0, "{end}");
        }
    }
}
