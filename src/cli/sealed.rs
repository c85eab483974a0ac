//! Logs on disk: every line begins with its checksum.
//!
//! Invariant: a line is used only when it is whole and as it was written; only the last one may be torn, for that is what a killed process leaves.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use flate2::Crc;

use crate::session::runlog::SavedRun;

use super::home::{put, told};

/// The file of a log.
#[derive(Debug)]
pub(super) struct LogFile {
    /// Where it is.
    pub(super) path: PathBuf,
    file: Option<File>,
    /// Bytes of whole entries.
    good: u64,
}

impl LogFile {
    /// A file that is opened when something is written.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None, good: 0 }
    }

    /// What is in it; `None` when there is no file.
    ///
    /// # Errors
    /// A sentence: not readable, no run, or damaged otherwise than a killed process leaves it.
    pub(super) fn saved(&self) -> Result<Option<SavedRun>, String> {
        match std::fs::read(&self.path) {
            Ok(bytes) => read(&bytes).map(Some).map_err(|why| format!("{}: {why}", self.path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(&self.path, &error)),
        }
    }

    /// Adds lines to the end, all of them or none.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn append(&mut self, text: &str) -> Result<(), String> {
        let text = lines(text);
        let written = match &mut self.file {
            Some(file) => Ok(file),
            None => OpenOptions::new().create(true).append(true).open(&self.path).map(|file| {
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
        written.map_err(|error| told(&self.path, &error))?;
        self.good += text.len() as u64;
        Ok(())
    }

    /// Puts other lines in the place of all that are there.
    ///
    /// # Errors
    /// What the system said; what was there is there still.
    pub(super) fn replace(&mut self, text: &str) -> Result<(), String> {
        self.file = None;
        put(&self.path, &lines(text))
    }
}

fn checksum(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}

/// Lines with their checksums.
fn lines(text: &str) -> String {
    text.split_inclusive('\n').map(|line| format!("{:08x} {line}", checksum(&[line.as_bytes()]))).collect()
}

/// What the comment says that a whole file in TOML begins with, behind its checksum.
const WHOLE: &str = " is the checksum of what follows\n";

/// A file in TOML with its checksum in a comment.
pub(super) fn whole(text: &str) -> String {
    format!("# {:08x}{WHOLE}{text}", checksum(&[text.as_bytes()]))
}

/// The text of a whole file; one without a checksum is as somebody wrote it.
///
/// # Errors
/// A sentence: it is not what was written.
pub(super) fn text_of(file: &str) -> Result<&str, String> {
    let Some((sum, text)) = file.strip_prefix("# ").and_then(|rest| rest.split_once(WHOLE)) else { return Ok(file) };
    if u32::from_str_radix(sum, 16) == Ok(checksum(&[text.as_bytes()])) {
        Ok(text)
    } else {
        Err("the file is damaged: it is not what was written".to_owned())
    }
}

/// The checksum that a line begins with, and the line behind it.
fn parted(line: &[u8]) -> Option<(u32, &[u8])> {
    let (sum, rest) = line.split_at_checked(9)?;
    let sum = std::str::from_utf8(sum).ok()?.strip_suffix(' ')?;
    Some((u32::from_str_radix(sum, 16).ok()?, rest))
}

/// Lines without their checksums, and the number of the last one when it is torn.
fn opened(bytes: &[u8]) -> Result<(String, Option<usize>), String> {
    let mut text = String::with_capacity(bytes.len());
    let damaged = |at: usize| {
        format!("line {} is damaged: it is not what was written. Nothing is changed; a copy of the file without the line can be used", at + 1)
    };
    for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let found = parted(line);
        if !line.ends_with(b"\n") {
            // A last line whose end alone is another byte was whole once: it must not go without a word.
            let was_whole =
                found.and_then(|(sum, rest)| Some((sum, rest.split_last()?.1))).is_some_and(|(sum, rest)| sum == checksum(&[rest, b"\n"]));
            if was_whole {
                return Err(damaged(at));
            }
            return Ok((text, Some(at + 1)));
        }
        match found.map(|(sum, rest)| (sum, std::str::from_utf8(rest))) {
            Some((sum, Ok(rest))) if sum == checksum(&[rest.as_bytes()]) => text.push_str(rest),
            _ => return Err(damaged(at)),
        }
    }
    Ok((text, None))
}

/// The run of a file, with checksums or, as exports are, without.
///
/// # Errors
/// A sentence: it is no run, or damaged otherwise than a killed process leaves it.
pub(super) fn read(bytes: &[u8]) -> Result<SavedRun, String> {
    if bytes.first() == Some(&b'{') {
        return SavedRun::parse(&String::from_utf8_lossy(bytes));
    }
    let (text, torn) = opened(bytes)?;
    let mut saved = SavedRun::parse(&text)?;
    if let Some((line, why)) = saved.torn {
        return Err(format!("line {line} cannot be read: {why}"));
    }
    saved.torn = torn.map(|line| (line, "the process ended while it was written".to_owned()));
    Ok(saved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_is_passed_over() {
        let text = "{\"a\":1}\n{\"data\":\"YWJj\"}\n";
        let good = lines(text).into_bytes();
        assert_eq!(opened(&good), Ok((text.to_owned(), None)));
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                // The letters of a checksum may be great ones.
                let same = bad.eq_ignore_ascii_case(&good) && opened(&bad) == opened(&good);
                assert!(same || opened(&bad).is_err(), "bit {bit} of byte {at}");
            }
        }
        for end in 0..good.len() {
            let (kept, torn) = opened(&good[..end]).expect("only torn");
            assert!(text.starts_with(&kept) && torn.is_some() != good[..end].ends_with(b"\n") || end == 0, "{end}");
        }
    }

    #[test]
    fn a_whole_file_is_as_it_was_written() {
        let text = "format = 1\nid = \"x\"\n";
        let file = whole(text);
        assert_eq!(text_of(&file), Ok(text));
        assert_eq!(text_of(text), Ok(text));
        assert!(text_of(&file.replace("id", "ic")).is_err());
    }

    #[test]
    fn a_run_is_read_with_checksums_and_without() {
        let header = "{\"kinlab\":1,\"lab\":\"x\",\"fingerprint\":\"f\",\"seed\":7,\"vars\":[]}\n";
        let entry = "{\"at_us\":5,\"line\":\"shards\"}\n";
        let plain = format!("{header}{entry}");
        let (bare, sealed) = (read(plain.as_bytes()), read(lines(&plain).as_bytes()));
        assert_eq!(bare, sealed);
        assert_eq!(bare.map(|run| run.entries.len()), Ok(1));
        assert!(read(b"nonsense").is_err());
    }
}
