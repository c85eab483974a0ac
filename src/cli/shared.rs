//! The small file through which others look on: written whole beside its name and renamed, read when it changed. A lock beside it says whether somebody
//! writes; the system gives it back however the writer ends.

#![allow(clippy::disallowed_methods, reason = "a presentation takes place in real time")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::tui::dashboard::Dashboard;
use crate::tui::present::published::Published;

use super::home::{self, locked, told};

/// Between two files while the world runs; a world that stands still is written at once.
const EVERY: Duration = Duration::from_millis(200);

/// Seconds since 1970.
pub(super) fn wall_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Where a presentation is found when nobody says otherwise: `$XDG_RUNTIME_DIR/kinlab`, else the folder of saved runs.
///
/// # Errors
/// A sentence, when the environment names no folder.
pub(super) fn usual() -> Result<PathBuf, String> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|value| !value.is_empty()).map(|folder| PathBuf::from(folder).join("kinlab"));
    runtime
        .or_else(home::folder)
        .map(|folder| folder.join("present.json"))
        .ok_or_else(|| "neither XDG_RUNTIME_DIR nor HOME is set; name a file with --share, and for followers with: kinlab follow FILE".to_owned())
}

fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// The writer.
#[derive(Debug)]
pub(super) struct Sharing {
    path: PathBuf,
    began: u64,
    minutes: u32,
    written: Option<Instant>,
    failed: bool,
    _lock: File,
}

impl Sharing {
    /// Takes a file.
    ///
    /// # Errors
    /// A sentence: not writable, or somebody else presents through it.
    pub(super) fn open(path: &Path, minutes: u32) -> Result<Self, String> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
        }
        let lock = locked(&lock_of(path), || format!("{}: another kinlab presents through this file; --share names another one", path.display()))?;
        Ok(Self { path: path.to_owned(), began: wall_seconds(), minutes, written: None, failed: false, _lock: lock })
    }

    /// A frame was drawn.
    pub(super) fn shown(&mut self, dashboard: &Dashboard) {
        let recent = self.written.is_some_and(|at| at.elapsed() < EVERY);
        if self.failed || (recent && !dashboard.view.clock.paused) {
            return;
        }
        self.written = Some(Instant::now());
        let news = Published::new(&dashboard.app, &dashboard.view, self.began, self.minutes);
        let fresh = self.path.with_extension("new");
        let written = serde_json::to_vec(&news).map_err(std::io::Error::other).and_then(|bytes| std::fs::write(&fresh, bytes));
        // Whoever looks on misses something; the one who presents does not.
        self.failed = written.and_then(|()| std::fs::rename(&fresh, &self.path)).is_err();
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The reader.
#[derive(Debug)]
pub(super) struct Reading {
    path: PathBuf,
    stamp: Option<(SystemTime, u64)>,
    /// What was read last, or why there is nothing.
    pub(super) news: Result<Box<Published>, String>,
}

impl Reading {
    /// A reader of a file that may not be there yet.
    pub(super) fn new(path: PathBuf) -> Self {
        let mut reading = Self { path, stamp: None, news: Err(String::new()) };
        reading.look();
        reading
    }

    /// Somebody holds the lock of a file.
    fn is_written(&self) -> bool {
        File::open(lock_of(&self.path)).is_ok_and(|lock| lock.try_lock_shared().is_err())
    }

    /// Looks for news; answers whether there are any.
    pub(super) fn look(&mut self) -> bool {
        let stamp = std::fs::metadata(&self.path).ok().and_then(|data| Some((data.modified().ok()?, data.len())));
        let before = self.news.as_ref().err().cloned();
        if stamp.is_none() || !self.is_written() {
            self.stamp = None;
            let words =
                format!("Nobody presents through {}. Begin in another terminal: kinlab present lab1. This window waits.", self.path.display());
            self.news = Err(words);
        } else if stamp != self.stamp {
            self.stamp = stamp;
            let read = std::fs::read_to_string(&self.path).map_err(|error| told(&self.path, &error));
            self.news = read.and_then(|text| Published::parse(&text).map_err(|error| format!("{}: {error}", self.path.display()))).map(Box::new);
            return true;
        }
        before != self.news.as_ref().err().cloned()
    }
}
