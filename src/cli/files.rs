//! Real files for the Kinesis Agent: a folder and a glob, identity by device and inode.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::api::cli::FileSource;
use crate::engine::agent::{Disk, FileId, Seen};

/// Reads what AWS CLI lines name with file://.
#[derive(Debug)]
pub(super) struct ParamFiles;

impl FileSource for ParamFiles {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("[Errno 2] No such file or directory: '{path}'"),
            _ => format!("{path}: {error}"),
        })
    }
}

/// The file system.
#[derive(Debug, Default)]
pub(super) struct RealDisk;

#[cfg(unix)]
fn identity(_path: &Path, data: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    FileId(data.dev(), data.ino())
}

/// Without inodes a file is its name and the time it was made.
#[cfg(not(unix))]
fn identity(path: &Path, data: &Metadata) -> FileId {
    let created = data.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |at| at.as_nanos() as u64);
    let name = path.to_string_lossy().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    FileId(name, created)
}

impl Disk for RealDisk {
    fn list(&mut self, pattern: &str) -> Result<Vec<Seen>, String> {
        let (folder, glob) = pattern.rsplit_once('/').map_or((".", pattern), |(folder, glob)| (if folder.is_empty() { "/" } else { folder }, glob));
        let entries = std::fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))?;
        let mut seen = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            if !glob_matches(glob, &name) {
                continue;
            }
            // A file that vanishes meanwhile is simply not there.
            let Ok(data) = std::fs::metadata(&path) else { continue };
            if data.is_file() {
                let modified = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |at| at.as_nanos() as u64);
                seen.push(Seen { path: path.to_string_lossy().into_owned(), id: identity(&path, &data), len: data.len(), modified });
            }
        }
        Ok(seen)
    }

    fn read(&mut self, path: &str, offset: u64, max: usize) -> Result<Vec<u8>, String> {
        let mut file = File::open(path).map_err(|error| error.to_string())?;
        file.seek(SeekFrom::Start(offset)).map_err(|error| error.to_string())?;
        let mut bytes = Vec::with_capacity(max);
        file.take(max as u64).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// `*` and `?` within a file name.
fn glob_matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n) = (0, 0);
    // Where the last star was, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, n));
                g += 1;
            }
            Some('?') => {
                g += 1;
                n += 1;
            }
            Some(c) if *c == name[n] => {
                g += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    g = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, name, matches) in [
            ("access_log*", "access_log.1", true),
            ("*.log", "a.log", true),
            ("*.log", "a.log.gz", false),
            ("a?c*d*", "abcxxdyy", true),
            ("a", "ab", false),
            ("***", "", true),
        ] {
            assert_eq!(glob_matches(glob, name), matches, "{glob} {name}");
        }
    }
}
