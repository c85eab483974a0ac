//! Delivered objects in a folder, as they are written: `--out DIR`.

use std::path::{Component, Path, PathBuf};

use crate::session::handlers::Mirror;

/// A folder with a folder for each bucket.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Takes a folder, making it when it is missing.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub(super) fn open(root: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(root).map_err(|error| format!("--out {}: {error}", root.display()))?;
        let probe = root.join(".kinlab");
        std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(|error| format!("--out {}: {error}", root.display()))?;
        Ok(Self { root: root.to_owned() })
    }
}

/// The path of an object below the folder: a key cannot lead out of it.
fn path_of(root: &Path, bucket: &str, key: &str) -> PathBuf {
    let mut path = root.join(bucket);
    let mut parts = 0;
    for part in key.split('/') {
        // Whatever is no plain name is written so that it becomes one.
        let plain = !part.is_empty() && matches!(Path::new(part).components().next(), Some(Component::Normal(_))) && !part.contains(['\\', '\0']);
        if plain {
            path.push(part);
        } else {
            path.push(format!("_{}", part.replace(['\\', '\0', '.'], "_")));
        }
        parts += 1;
    }
    if parts == 0 {
        path.push("_");
    }
    path
}

impl Mirror for Folder {
    fn write(&mut self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), String> {
        let path = path_of(&self.root, bucket, key);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_below_the_folder() {
        let root = Path::new("/out");
        for (key, wanted) in [
            ("a/b", "/out/k/a/b"),
            ("../x", "/out/k/___/x"),
            ("/etc/passwd", "/out/k/_/etc/passwd"),
            ("a//b", "/out/k/a/_/b"),
            ("a/./b", "/out/k/a/__/b"),
            ("..\\x", "/out/k/____x"),
        ] {
            let path = path_of(root, "k", key);
            assert_eq!(path, Path::new(wanted), "{key}");
        }
    }
}
