//! Values from files: `file://…` as text, `fileb://…` as bytes. The caller says what a file is; this layer opens none.

use super::param::Param;

/// Where the contents of `file://` and `fileb://` values come from.
pub trait FileSource: std::fmt::Debug {
    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// The system's words, for example `[Errno 2] No such file or directory: 'x'`.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String>;
}

/// A source without files: every read fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl FileSource for NoFiles {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("[Errno 2] No such file or directory: '{path}'"))
    }
}

/// The contents of the file a value names, or `None` when it names none.
///
/// # Errors
/// The CLI's words when the file cannot be read or is not text.
pub(super) fn load(value: &str, files: &mut dyn FileSource) -> Result<Option<Param>, String> {
    let unreadable = |reason| format!("Unable to load paramfile {value}: {reason}");
    if let Some(path) = value.strip_prefix("file://") {
        let bytes = files.read(path).map_err(unreadable)?;
        return match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Param::Text(text))),
            Err(_) => Err(format!(
                "Unable to load paramfile ({path}), text contents could not be decoded.  If this is a binary file, please use the fileb:// prefix \
                 instead of the file:// prefix."
            )),
        };
    }
    if let Some(path) = value.strip_prefix("fileb://") {
        return files.read(path).map(|bytes| Some(Param::Bytes(bytes))).map_err(unreadable);
    }
    Ok(None)
}
