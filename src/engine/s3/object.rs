//! An object and what its writer said of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use md5::{Digest, Md5};
use serde_json::Value;

use crate::engine::time::VirtualTime;

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// When it was written.
    pub at: VirtualTime,
    /// What its writer said of it; nothing for most.
    pub described: Option<Arc<Described>>,
}

/// What a writer says of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Described {
    /// `Content-Type`, empty when it was not said.
    pub content_type: String,
    /// `Content-Encoding`.
    pub encoding: String,
    /// `x-amz-meta-…`.
    pub metadata: BTreeMap<String, String>,
    /// The entity tag of an object that came in parts; empty for the others.
    pub etag: String,
}

impl Described {
    /// What a request says.
    pub fn read(body: &Value) -> Self {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let metadata = body["Metadata"].as_object().into_iter().flatten();
        Self {
            content_type: text("ContentType"),
            encoding: text("ContentEncoding"),
            metadata: metadata.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect(),
            etag: String::new(),
        }
    }
}

/// MD5 as hexadecimal text in quotes.
pub(super) fn tag_of(bytes: &[u8]) -> String {
    let digest: [u8; 16] = Md5::digest(bytes).into();
    format!("\"{}\"", hex(&digest))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Object {
    /// The entity tag: MD5 in quotes, of the parts' when it came in parts.
    pub fn etag(&self) -> String {
        match self.described.as_deref() {
            Some(described) if !described.etag.is_empty() => described.etag.clone(),
            _ => tag_of(&self.bytes),
        }
    }

    /// `Content-Encoding`, empty when there is none.
    pub fn encoding(&self) -> &str {
        self.described.as_deref().map_or("", |described| described.encoding.as_str())
    }
}

/// `bytes=0-99`, `bytes=100-`, `bytes=-10`: first byte and the one behind the last; `None` when nothing lies there.
pub fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(length)),
        (Ok(from), Err(_)) => (from, length),
        (Err(_), Ok(last)) => (length.saturating_sub(last), length),
        _ => return None,
    };
    (from < to).then_some((from, to))
}
