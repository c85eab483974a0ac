//! `Blob`: bytes that are shared, not copied, and written as base64.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a record. Cloning shares them; as text they are padded base64 of the standard alphabet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(pub Arc<[u8]>);

impl Blob {
    /// The bytes as padded base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// From padded base64 of the standard alphabet; `None` when the text is not that.
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok().map(Self::from)
    }
}

impl Default for Blob {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl Deref for Blob {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&[u8]> for Blob {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Blob {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Blob {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl fmt::Debug for Blob {
    /// The start of the bytes as text, so that logs of large records stay readable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        let head = &self.0[..self.0.len().min(SHOWN)];
        write!(f, "Blob({} B, {:?}{})", self.0.len(), String::from_utf8_lossy(head), if self.0.len() > SHOWN { "…" } else { "" })
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64Text;
        impl Visitor<'_> for Base64Text {
            type Value = Blob;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64 text")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Blob, E> {
                STANDARD.decode(text).map(Blob::from).map_err(|error| E::custom(format!("not base64: {error}")))
            }
        }
        deserializer.deserialize_str(Base64Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_both_ways() {
        let blob = Blob::from("Hello, Kinesis");
        let json = serde_json::to_string(&blob).expect("writes");
        assert_eq!(json, "\"SGVsbG8sIEtpbmVzaXM=\"");
        assert_eq!(serde_json::from_str::<Blob>(&json).expect("reads"), blob);
        assert!(serde_json::from_str::<Blob>("\"SGVsbG8\"").is_err(), "padding is required");
        assert!(serde_json::from_str::<Blob>("\"a_b-\"").is_err(), "the URL alphabet is refused");
        assert_eq!(Blob::from_base64(""), Some(Blob::default()));
    }

    #[test]
    fn a_clone_shares_the_bytes() {
        let blob = Blob::from(vec![1, 2, 3]);
        assert!(Arc::ptr_eq(&blob.0, &blob.clone().0));
    }
}
