//! `aws-chunked` bodies: `SIZE[;chunk-signature=…]`, the bytes, and so on until a chunk of no bytes; trailers follow it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::http::request::Parts;

use crate::api::{ErrorCode, ServiceError};

/// A chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk<'b> {
    /// Its signature, where chunks are signed.
    pub(super) signature: Option<&'b str>,
    /// Its bytes; the last chunk has none.
    pub(super) data: &'b [u8],
}

/// A body taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunked<'b> {
    /// The chunks, the last one without bytes.
    pub(super) chunks: Vec<Chunk<'b>>,
    /// What follows them, by lower-case names, without the signature.
    pub(super) trailers: Vec<(String, &'b str)>,
    /// The signature of what follows.
    pub(super) trailer_signature: Option<&'b str>,
}

/// Whether a request's body comes in chunks.
pub(super) fn is_chunked(parts: &Parts) -> bool {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text("x-amz-content-sha256").starts_with("STREAMING-") || text("content-encoding").split(',').any(|part| part.trim() == "aws-chunked")
}

fn broken() -> ServiceError {
    ServiceError::validation("The body of the upload is not divided into chunks as its headers say.")
}

/// The text up to the next line feed, and what is behind it.
fn line(body: &[u8]) -> Option<(&str, &[u8])> {
    let end = body.windows(2).position(|pair| pair == b"\r\n")?;
    Some((std::str::from_utf8(&body[..end]).ok()?, &body[end + 2..]))
}

impl<'b> Chunked<'b> {
    /// Takes a body apart.
    ///
    /// # Errors
    /// It is not divided so.
    pub(super) fn read(mut body: &'b [u8]) -> Result<Self, ServiceError> {
        let mut read = Self { chunks: Vec::new(), trailers: Vec::new(), trailer_signature: None };
        loop {
            let (head, rest) = line(body).ok_or_else(broken)?;
            let (size, extension) = head.split_once(';').unwrap_or((head, ""));
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| broken())?;
            let data = rest.get(..size).ok_or_else(broken)?;
            read.chunks.push(Chunk { signature: extension.trim().strip_prefix("chunk-signature="), data });
            body = &rest[size..];
            if size == 0 {
                break;
            }
            body = body.strip_prefix(b"\r\n").ok_or_else(broken)?;
        }
        while let Some((text, rest)) = line(body) {
            body = rest;
            let Some((name, value)) = text.split_once(':') else { continue };
            match name.trim().to_ascii_lowercase() {
                name if name == "x-amz-trailer-signature" => read.trailer_signature = Some(value.trim()),
                name => read.trailers.push((name, value.trim())),
            }
        }
        Ok(read)
    }

    /// The bytes without their division, when they are as many and those that were announced.
    ///
    /// # Errors
    /// They are not.
    pub(super) fn whole(&self, parts: &Parts) -> Result<Vec<u8>, ServiceError> {
        let whole: Vec<u8> = self.chunks.iter().flat_map(|chunk| chunk.data).copied().collect();
        let announced = parts.headers.get("x-amz-decoded-content-length").and_then(|value| value.to_str().ok());
        if announced.and_then(|text| text.parse::<usize>().ok()).is_some_and(|length| length != whole.len()) {
            return Err(broken());
        }
        let sum = self.trailers.iter().find(|(name, _)| name == "x-amz-checksum-crc32").map(|(_, value)| *value);
        compare(&whole, sum)?;
        Ok(whole)
    }
}

/// Whether bytes have a CRC-32, in base64, if one is given.
///
/// # Errors
/// They have another.
pub(super) fn compare(bytes: &[u8], sum: Option<&str>) -> Result<(), ServiceError> {
    let Some(sum) = sum else { return Ok(()) };
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    if STANDARD.encode(crc.sum().to_be_bytes()) == sum {
        return Ok(());
    }
    Err(ServiceError::new(ErrorCode::BadDigest, "The CRC32 you specified did not match the calculated checksum."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_taken_apart() {
        let body = b"5;chunk-signature=ab\r\nhello\r\n1;chunk-signature=cd\r\n!\r\n0;chunk-signature=ef\r\nX-Amz-Checksum-CRC32:AAAA\r\nx-amz-trailer-signature:gh\r\n\r\n";
        let read = Chunked::read(body).expect("good");
        let chunk = |signature: &'static str, data: &'static [u8]| Chunk { signature: Some(signature), data };
        assert_eq!(read.chunks, [chunk("ab", b"hello"), chunk("cd", b"!"), chunk("ef", b"")]);
        assert_eq!((read.trailers.as_slice(), read.trailer_signature), (&[("x-amz-checksum-crc32".to_owned(), "AAAA")][..], Some("gh")));
        for end in 0..body.len() {
            if let Ok(cut) = Chunked::read(&body[..end]) {
                assert_eq!(cut.chunks, read.chunks, "{end}");
            }
        }
        assert!(Chunked::read(b"ffffffffffffffff\r\nx\r\n").is_err());
        assert!(compare(b"hello!", Some("AAAA")).is_err() && compare(b"", Some("AAAAAA==")).is_ok());
    }
}
