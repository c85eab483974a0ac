//! A lab of a folder that cannot be loaded: it is watched until it can.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::lab::Diagnostic;
use crate::tui::app::Look;
use crate::tui::broken::{BrokenLab, Left, Trouble};
use crate::tui::run::{Exit, edit_file, run_viewer};

use super::sources::{complain, load};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(400);
/// Files and folders of a lab that are looked at at most.
const FILES_MAX: usize = 2000;

/// When each file below a folder was changed, and its length.
fn state(folder: &Path) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else { continue };
            if found.len() == FILES_MAX {
                folders.clear();
                break;
            }
            if about.is_dir() {
                folders.push(entry.path());
            }
            found.push((entry.path(), about.modified().ok(), about.len()));
        }
    }
    found.sort();
    found
}

fn trouble(folder: &Path, problems: Vec<Diagnostic>) -> Trouble {
    let source = problems.first().and_then(|problem| std::fs::read(folder.join(&problem.file)).ok());
    Trouble { problems, source: source.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default() }
}

/// Shows what is wrong with the lab of a folder until it is mended: `None`, or how the learner left. What is no folder with a scenario is
/// complained about at once.
///
/// # Errors
/// What the terminal said.
pub(super) fn stay(name: &str, mut problems: Vec<Diagnostic>, look: &Look) -> std::io::Result<Option<Exit>> {
    let folder = PathBuf::from(name);
    if !folder.join("scenario.toml").is_file() {
        complain(&problems);
        return Ok(Some(Exit::Quit));
    }
    let mut note = String::new();
    loop {
        let mut seen = state(&folder);
        let watch = |forced: bool| {
            let now = state(&folder);
            if now == seen && !forced {
                return None;
            }
            seen = now;
            Some(load(name).map(|_| ()).map_err(|problems| trouble(&folder, problems)))
        };
        let first = problems.first().map(|problem| folder.join(&problem.file)).filter(|file| file.is_file()).unwrap_or_else(|| folder.clone());
        let mut screen =
            BrokenLab::new(name.trim_end_matches('/').to_owned(), trouble(&folder, problems), look.clone(), Box::new(watch)).with_note(note);
        run_viewer(&mut screen, LOOK)?;
        match screen.left {
            Some(Left::Mended) => return Ok(None),
            Some(Left::Labs) => return Ok(Some(Exit::Labs)),
            Some(Left::Quit) | None => return Ok(Some(Exit::Quit)),
            Some(Left::Edit) => {}
        }
        drop(screen);
        note = edit_file(&first).err().unwrap_or_default();
        match load(name) {
            Ok(_) => return Ok(None),
            Err(found) => problems = found,
        }
    }
}
