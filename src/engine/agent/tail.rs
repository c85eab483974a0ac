//! Which file to read next, and from where: follows files as `tail -F` does, through rename, create, copy and truncate rotations.
//!
//! Invariant: a byte of a file that stays where it is is read once; the [`Place`] handed out never lies behind bytes of a record that has
//! not been handed over.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::engine::command::Ingested;

use super::config::{COMPRESSED, Flow, InitialPosition};
use super::convert::Converted;
use super::split::Splitter;

/// Bytes of one read.
const CHUNK: usize = 1 << 16;
/// Warnings told per look; more are only counted.
const WARNINGS_MAX: usize = 5;

/// What tells a file from its successor of the same name: device and inode, or what the system has instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u64, pub u64);

/// A file that matches the pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Path.
    pub path: String,
    /// Identity.
    pub id: FileId,
    /// Length in bytes.
    pub len: u64,
    /// Last modification; only the order matters.
    pub modified: u64,
}

/// The files, as the front end sees them.
pub trait Disk: std::fmt::Debug {
    /// Files that match a folder and glob.
    ///
    /// # Errors
    /// Why the folder cannot be read.
    fn list(&mut self, pattern: &str) -> Result<Vec<Seen>, String>;
    /// At most `max` bytes from an offset; fewer only at the end.
    ///
    /// # Errors
    /// Why the file cannot be read.
    fn read(&mut self, path: &str, offset: u64, max: usize) -> Result<Vec<u8>, String>;
}

/// Where reading goes on after a restart: the agent's checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path when it was written.
    pub path: String,
    /// The file.
    pub id: FileId,
    /// Bytes whose records were handed over.
    pub offset: u64,
}

/// Everything read is accounted for: pieces = records + skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Bytes read.
    pub bytes: u64,
    /// Lines, or groups of lines.
    pub pieces: u64,
    /// Records handed over.
    pub records: u64,
    /// Pieces that processing left out.
    pub skipped: u64,
    /// Rotations and truncations followed.
    pub rotations: u64,
}

#[derive(Debug, Clone)]
struct Current {
    path: String,
    id: FileId,
    offset: u64,
    splitter: Splitter,
}

/// One flow at work.
#[derive(Debug, Clone)]
pub struct Tail {
    /// Its configuration.
    pub flow: Flow,
    /// What it read so far.
    pub tally: Tally,
    seed: u64,
    started: bool,
    resume: Option<Place>,
    current: Option<Current>,
    /// Files read to this length.
    done: BTreeMap<FileId, u64>,
    told: BTreeSet<String>,
}

/// What one look gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Records, in the order of the files.
    pub records: Vec<Ingested>,
    /// Sentences for the agent's log.
    pub warnings: Vec<String>,
    /// There is more to read at once.
    pub more: bool,
}

impl Tail {
    /// A flow that begins where its configuration says, or goes on at a checkpoint.
    pub fn new(flow: Flow, seed: u64, resume: Option<Place>) -> Self {
        Self { flow, tally: Tally::default(), seed, started: false, resume, current: None, done: BTreeMap::new(), told: BTreeSet::new() }
    }

    /// The checkpoint.
    pub fn place(&self) -> Option<Place> {
        let current = self.current.as_ref()?;
        Some(Place { path: current.path.clone(), id: current.id, offset: current.offset - current.splitter.held() as u64 })
    }

    fn splitter(&self, offset: u64) -> Splitter {
        Splitter::new(self.flow.multi_line_start.clone(), self.flow.skip_header_lines, offset)
    }

    fn begin(&mut self, files: &[Seen]) {
        self.started = true;
        if let Some(place) = self.resume.take()
            && let Some(at) = files.iter().position(|file| file.id == place.id && file.len >= place.offset)
        {
            self.done.extend(files[..at].iter().map(|file| (file.id, file.len)));
            let splitter = self.splitter(place.offset);
            self.current = Some(Current { path: files[at].path.clone(), id: place.id, offset: place.offset, splitter });
            return;
        }
        if self.flow.initial_position == InitialPosition::EndOfFile
            && let Some((newest, older)) = files.split_last()
        {
            self.done.extend(older.iter().map(|file| (file.id, file.len)));
            let splitter = self.splitter(newest.len);
            self.current = Some(Current { path: newest.path.clone(), id: newest.id, offset: newest.len, splitter });
        }
    }

    /// Looks at the files and reads at most about `budget` bytes.
    pub fn poll(&mut self, disk: &mut dyn Disk, budget: usize) -> Look {
        let mut look = Look::default();
        let mut pieces = Vec::new();
        let mut files = match disk.list(&self.flow.file_pattern) {
            Ok(files) => files,
            Err(error) => {
                self.warn(&mut look, format!("{}: {error}", self.flow.file_pattern));
                return look;
            }
        };
        files.retain(|file| !COMPRESSED.iter().any(|ending| file.path.to_lowercase().ends_with(ending)));
        files.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        if !self.started {
            self.begin(&files);
        }
        // A number may be given to a new file once its owner is gone.
        self.done.retain(|id, _| files.iter().any(|file| file.id == *id));
        let mut left = budget.max(1);
        loop {
            let before = left;
            self.follow(&files, disk, &mut left, &mut pieces, &mut look);
            if left == 0 {
                look.more = true;
                break;
            }
            if self.current.is_none() && self.next_file(&files) {
                continue;
            }
            if left == before {
                break;
            }
        }
        self.convert(pieces, &mut look);
        look
    }

    /// The files will not grow any more: hands over what is held.
    pub fn finish(&mut self) -> Look {
        let (mut look, mut pieces) = (Look::default(), Vec::new());
        if let Some(current) = &mut self.current {
            current.splitter.finish(&mut pieces);
        }
        self.convert(pieces, &mut look);
        look
    }

    /// Reads on in the current file; leaves it when it is done.
    fn follow(&mut self, files: &[Seen], disk: &mut dyn Disk, left: &mut usize, pieces: &mut Vec<Vec<u8>>, look: &mut Look) {
        let Some(mut current) = self.current.take() else { return };
        let Some(seen) = files.iter().find(|file| file.id == current.id) else {
            // Removed; what was not read is gone.
            current.splitter.finish(pieces);
            self.tally.rotations += 1;
            return;
        };
        current.path.clone_from(&seen.path);
        if seen.len < current.offset {
            self.tally.rotations += 1;
            // Copied and truncated: the copy holds what was not read yet.
            let copy = files.iter().find(|file| file.id != current.id && !self.done.contains_key(&file.id) && file.len >= current.offset);
            if let Some(copy) = copy {
                let from = current.offset;
                let mut rest = Current { path: copy.path.clone(), id: copy.id, offset: from, splitter: std::mem::take(&mut current.splitter) };
                // The rest of a copy is read whatever the budget says: the file it belongs to goes on meanwhile.
                let mut whole = usize::MAX;
                self.read(&mut rest, copy.len, disk, &mut whole, pieces, look);
                rest.splitter.finish(pieces);
                self.done.insert(copy.id, rest.offset);
            } else {
                current.splitter.finish(pieces);
            }
            current.offset = 0;
            current.splitter = self.splitter(0);
        }
        let readable = self.read(&mut current, seen.len, disk, left, pieces, look);
        let at_end = current.offset >= seen.len;
        let newer =
            files.iter().any(|file| file.id != current.id && self.is_pending(file) && (file.modified, &file.path) > (seen.modified, &seen.path));
        // A rotated file has an older modification time than its successor, or equal in the same tick of the clock.
        if (at_end && (newer || self.has_pending(files, current.id))) || !readable {
            current.splitter.finish(pieces);
            self.done.insert(current.id, if readable { current.offset } else { seen.len });
            self.tally.rotations += u64::from(readable);
            return;
        }
        self.current = Some(current);
    }

    fn has_pending(&self, files: &[Seen], except: FileId) -> bool {
        files.iter().any(|file| file.id != except && self.is_pending(file))
    }

    fn is_pending(&self, file: &Seen) -> bool {
        self.done.get(&file.id).is_none_or(|done| file.len != *done)
    }

    /// Gives false when the file cannot be read.
    fn read(&mut self, current: &mut Current, until: u64, disk: &mut dyn Disk, left: &mut usize, pieces: &mut Vec<Vec<u8>>, look: &mut Look) -> bool {
        while current.offset < until && *left > 0 {
            let wanted = CHUNK.min((until - current.offset) as usize).min(*left);
            match disk.read(&current.path, current.offset, wanted) {
                Ok(bytes) if bytes.is_empty() => return true,
                Ok(bytes) => {
                    current.offset += bytes.len() as u64;
                    self.tally.bytes += bytes.len() as u64;
                    *left = left.saturating_sub(bytes.len());
                    current.splitter.push(&bytes, pieces);
                }
                Err(error) => {
                    self.warn(look, format!("{}: {error}", current.path));
                    return false;
                }
            }
        }
        true
    }

    /// Takes up the oldest file that has something to read.
    fn next_file(&mut self, files: &[Seen]) -> bool {
        let Some(file) = files.iter().find(|file| self.is_pending(file)) else { return false };
        // Shorter than it was: it is another file, or it was truncated.
        let offset = self.done.remove(&file.id).filter(|done| *done < file.len).unwrap_or(0);
        let splitter = self.splitter(offset);
        self.current = Some(Current { path: file.path.clone(), id: file.id, offset, splitter });
        true
    }

    fn convert(&mut self, pieces: Vec<Vec<u8>>, look: &mut Look) {
        let mut silent = 0;
        for piece in pieces {
            let index = self.tally.pieces;
            self.tally.pieces += 1;
            match self.flow.record(&piece, self.seed, index) {
                Converted::Record(record) => {
                    self.tally.records += 1;
                    look.records.push(record);
                }
                Converted::Skipped(why) => {
                    self.tally.skipped += 1;
                    if look.warnings.len() < WARNINGS_MAX { look.warnings.push(why) } else { silent += 1 }
                }
            }
        }
        if silent > 0 {
            look.warnings.push(format!("{silent} more were skipped"));
        }
    }

    /// A sentence that is told once.
    fn warn(&mut self, look: &mut Look, text: String) {
        if self.told.insert(text.clone()) {
            look.warnings.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::AgentConfig;
    use super::*;

    /// Files in memory; a clock that counts changes.
    #[derive(Debug, Default)]
    struct Memory {
        files: Vec<(String, FileId, Vec<u8>, u64)>,
        ticks: u64,
    }

    impl Memory {
        fn write(&mut self, path: &str, text: &str) {
            self.ticks += 1;
            match self.files.iter_mut().find(|file| file.0 == path) {
                Some(file) => {
                    file.2.extend_from_slice(text.as_bytes());
                    file.3 = self.ticks;
                }
                None => self.files.push((path.to_owned(), FileId(1, self.ticks), text.into(), self.ticks)),
            }
        }

        fn rename(&mut self, from: &str, to: &str) {
            self.files.iter_mut().filter(|file| file.0 == from).for_each(|file| to.clone_into(&mut file.0));
        }

        fn truncate(&mut self, path: &str) {
            self.ticks += 1;
            let ticks = self.ticks;
            self.files.iter_mut().filter(|file| file.0 == path).for_each(|file| {
                file.2.clear();
                file.3 = ticks;
            });
        }
    }

    impl Disk for Memory {
        fn list(&mut self, pattern: &str) -> Result<Vec<Seen>, String> {
            let start = pattern.trim_end_matches('*');
            let matching = self.files.iter().filter(|file| file.0.starts_with(start));
            Ok(matching.map(|file| Seen { path: file.0.clone(), id: file.1, len: file.2.len() as u64, modified: file.3 }).collect())
        }
        fn read(&mut self, path: &str, offset: u64, max: usize) -> Result<Vec<u8>, String> {
            let file = self.files.iter().find(|file| file.0 == path).ok_or("no such file")?;
            Ok(file.2[offset as usize..].iter().take(max).copied().collect())
        }
    }

    fn tail(position: &str, more: &str) -> Tail {
        let text = format!(r#"{{"flows": [{{"filePattern": "log*", "kinesisStream": "s", "initialPosition": "{position}"{more}}}]}}"#);
        Tail::new(AgentConfig::parse(&text).expect("good").flows.remove(0), 1, None)
    }

    fn texts(look: &Look) -> Vec<String> {
        look.records.iter().map(|record| String::from_utf8_lossy(&record.data).trim_end().to_owned()).collect()
    }

    #[test]
    fn nothing_is_lost_through_rename_create_and_delete() {
        let (mut disk, mut tail) = (Memory::default(), tail("START_OF_FILE", ""));
        disk.write("log", "1\n2\n");
        assert_eq!(texts(&tail.poll(&mut disk, 1 << 20)), ["1", "2"]);
        disk.write("log", "3\n4");
        assert_eq!(texts(&tail.poll(&mut disk, 1 << 20)), ["3"]);
        disk.write("log", "\n5\n");
        disk.rename("log", "log.1");
        disk.write("log", "6\n");
        disk.write("log.1.gz", "junk\n");
        assert_eq!(texts(&tail.poll(&mut disk, 1 << 20)), ["4", "5", "6"]);
        // The writer had the old file still open.
        disk.write("log.1", "5b\n");
        assert_eq!(texts(&tail.poll(&mut disk, 1 << 20)), ["5b"]);
        disk.files.retain(|file| file.0 != "log.1");
        disk.write("log", "7\n");
        assert_eq!(texts(&tail.poll(&mut disk, 1 << 20)), ["7"]);
        assert_eq!((tail.tally.pieces, tail.tally.records, tail.tally.skipped), (8, 8, 0));
    }

    #[test]
    fn copy_and_truncate_reads_the_rest_from_the_copy() {
        let (mut disk, mut tail) = (Memory::default(), tail("START_OF_FILE", ""));
        disk.write("log", "1\n2\n");
        tail.poll(&mut disk, 1 << 20);
        disk.write("log", "3\n");
        disk.write("log-copy", "1\n2\n3\n");
        disk.truncate("log");
        disk.write("log", "4\n");
        assert_eq!(texts(&tail.poll(&mut disk, 1 << 20)), ["3", "4"]);
        assert!(tail.poll(&mut disk, 1 << 20).records.is_empty());
    }

    #[test]
    fn the_end_of_file_is_the_default_and_small_budgets_read_everything() {
        let (mut disk, mut tail) = (Memory::default(), tail("END_OF_FILE", ""));
        disk.write("log.1", "old\n");
        disk.write("log", "old too\n");
        assert!(tail.poll(&mut disk, 3).records.is_empty());
        disk.write("log", "new one\nnew two\n");
        let mut all = Vec::new();
        for _ in 0..20 {
            let look = tail.poll(&mut disk, 3);
            all.extend(texts(&look));
        }
        assert_eq!(all, ["new one", "new two"]);
    }

    #[test]
    fn a_checkpoint_goes_on_at_the_record_that_was_not_handed_over() {
        let more = r#", "multiLineStartPattern": "\\d""#;
        let (mut disk, mut first) = (Memory::default(), tail("START_OF_FILE", more));
        disk.write("log", "1 a\n b\n2 c\n d\n");
        assert_eq!(texts(&first.poll(&mut disk, 1 << 20)), ["1 a\n b"]);
        let place = first.place().expect("it reads a file");
        assert_eq!(place.offset, 7);
        let mut second = Tail::new(first.flow.clone(), 1, Some(place));
        disk.write("log", "3 e\n");
        assert_eq!(texts(&second.poll(&mut disk, 1 << 20)), ["2 c\n d"]);
        assert_eq!(texts(&second.finish()), ["3 e"]);
    }
}
