//! Compression of delivered objects, byte for byte as readers of each form expect it.

use std::io::{Read as _, Write as _};

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression as Level, Crc, GzBuilder};

/// `CompressionFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As it is.
    #[default]
    Uncompressed,
    /// One gzip member.
    Gzip,
    /// A ZIP archive with one entry.
    Zip,
    /// The stream form of snappy-java.
    Snappy,
    /// Hadoop's blocks.
    HadoopSnappy,
}

/// Bytes of one block of the Snappy forms.
const BLOCK: usize = 256 << 10;
/// Block of snappy-java.
const XERIAL_BLOCK: usize = 32 << 10;

impl Compression {
    /// From AWS's word.
    pub fn from_name(name: &str) -> Self {
        match name {
            "GZIP" => Self::Gzip,
            "ZIP" => Self::Zip,
            "Snappy" => Self::Snappy,
            "HADOOP_SNAPPY" => Self::HadoopSnappy,
            _ => Self::Uncompressed,
        }
    }

    /// End of the object's key.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Uncompressed => "",
            Self::Gzip => ".gz",
            Self::Zip => ".zip",
            Self::Snappy | Self::HadoopSnappy => ".snappy",
        }
    }

    /// `Content-Encoding` of the object.
    pub const fn encoding(self) -> &'static str {
        match self {
            Self::Uncompressed => "",
            Self::Gzip => "gzip",
            Self::Zip => "zip",
            Self::Snappy => "snappy-java",
            Self::HadoopSnappy => "hadoop-snappy",
        }
    }

    /// Compresses an object; `entry` names the entry of a ZIP archive.
    pub fn pack(self, bytes: Vec<u8>, entry: &str) -> Vec<u8> {
        match self {
            Self::Uncompressed => bytes,
            Self::Gzip => gzip(&bytes),
            Self::Zip => zip(&bytes, entry),
            Self::Snappy => xerial(&bytes),
            Self::HadoopSnappy => hadoop(&bytes),
        }
    }

    /// The contents of an object; `None` when it is damaged.
    pub fn unpack(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Uncompressed => Some(bytes.to_vec()),
            Self::Gzip => gunzip(bytes, usize::MAX),
            Self::Zip => unzip(bytes)?.into_iter().next().map(|(_, contents)| contents),
            Self::Snappy => {
                let mut at = 16;
                blocks(bytes, &mut at, false)
            }
            Self::HadoopSnappy => blocks(bytes, &mut 0, true),
        }
    }

    /// By the end of a key.
    pub fn of_key(key: &str) -> Self {
        match key.rsplit('.').next() {
            Some("gz") => Self::Gzip,
            Some("zip") => Self::Zip,
            Some("snappy") => Self::Snappy,
            _ => Self::Uncompressed,
        }
    }
}

/// Snappy without framing.
pub fn snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap_or_default()
}

/// One gzip member without name or time, so that the same bytes give the same object.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder: GzEncoder<Vec<u8>> = GzBuilder::new().write(Vec::with_capacity(bytes.len() / 4 + 64), Level::default());
    // Writing to a Vec never fails.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// The contents of gzip members, at most `limit` bytes; `None` when it is none or longer.
pub fn gunzip(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(limit as u64);
    reader.read_to_end(&mut out).ok()?;
    if out.len() == limit { None } else { Some(out) }
}

/// zlib's raw deflate.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Level::default());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// The contents of raw deflate.
pub fn inflate(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    flate2::read::DeflateDecoder::new(bytes).take(limit as u64).read_to_end(&mut out).ok()?;
    if out.len() == limit { None } else { Some(out) }
}

fn zip(bytes: &[u8], entry: &str) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(bytes);
    let packed = deflate(bytes);
    let (name, size) = (entry.as_bytes(), u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    // The earliest date a ZIP archive can say: the object's own time is S3's matter.
    let common: Vec<u8> = [
        &20u16.to_le_bytes()[..],
        &[0, 0, 8, 0, 0, 0, 0x21, 0],
        &crc.sum().to_le_bytes(),
        &(packed.len() as u32).to_le_bytes(),
        &size.to_le_bytes(),
        &(name.len() as u16).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    let mut out = [&b"PK\x03\x04"[..], &common, name, &packed].concat();
    let directory = out.len() as u32;
    out.extend([&b"PK\x01\x02"[..], &20u16.to_le_bytes(), &common, &[0; 12], &[0; 2]].concat().iter().take(46));
    out.extend(name);
    let length = out.len() as u32 - directory;
    out.extend([&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &length.to_le_bytes(), &directory.to_le_bytes(), &[0, 0]].concat());
    out
}

/// The entries of a ZIP archive: names and contents. `None` when it is damaged, encrypted or larger than 256 MiB unpacked.
pub fn unzip(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    const LIMIT: usize = 256 << 20;
    let le16 = |at: usize| bytes.get(at..at + 2).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    let le32 = |at: usize| bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
    let end = (0..=bytes.len().checked_sub(22)?).rev().take(66_000).find(|at| bytes[*at..].starts_with(b"PK\x05\x06"))?;
    let (count, mut at) = (le16(end + 10)?, le32(end + 16)?);
    let mut total = 0;
    let mut found = Vec::new();
    for _ in 0..count {
        if !bytes.get(at..)?.starts_with(b"PK\x01\x02") {
            return None;
        }
        let (flags, method) = (le16(at + 8)?, le16(at + 10)?);
        let (packed, size) = (le32(at + 20)?, le32(at + 24)?);
        let (name_len, extra, comment, local) = (le16(at + 28)?, le16(at + 30)?, le16(at + 32)?, le32(at + 42)?);
        let name = String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name_len)?).into_owned();
        at += 46 + name_len + extra + comment;
        total += size;
        if flags & 1 == 1 || total > LIMIT {
            return None;
        }
        let data = local + 30 + le16(local + 26)? + le16(local + 28)?;
        let data = bytes.get(data..data + packed)?;
        let contents = match method {
            0 => data.to_vec(),
            8 => inflate(data, size + 1)?,
            _ => return None,
        };
        if !name.ends_with('/') {
            found.push((name, contents));
        }
    }
    Some(found)
}

/// snappy-java's stream: magic, versions, then blocks of length and bytes.
fn xerial(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    for chunk in bytes.chunks(XERIAL_BLOCK) {
        let packed = snappy(chunk);
        out.extend((packed.len() as u32).to_be_bytes());
        out.extend(packed);
    }
    out
}

/// Hadoop's blocks: length of the contents, then length and bytes of each compressed piece.
fn hadoop(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in bytes.chunks(BLOCK) {
        let packed = snappy(chunk);
        out.extend((chunk.len() as u32).to_be_bytes());
        out.extend((packed.len() as u32).to_be_bytes());
        out.extend(packed);
    }
    out
}

fn blocks(bytes: &[u8], at: &mut usize, with_length: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while *at < bytes.len() {
        if with_length {
            *at += 4;
        }
        let length = u32::from_be_bytes(bytes.get(*at..*at + 4)?.try_into().ok()?) as usize;
        let piece = bytes.get(*at + 4..*at + 4 + length)?;
        out.extend(snap::raw::Decoder::new().decompress_vec(piece).ok()?);
        *at += 4 + length;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_comes_back() {
        let bytes: Vec<u8> = (0..700_000u32).flat_map(|i| (i % 251).to_le_bytes()).take(700_000).collect();
        for form in [Compression::Uncompressed, Compression::Gzip, Compression::Zip, Compression::Snappy, Compression::HadoopSnappy] {
            let packed = form.pack(bytes.clone(), "entry");
            assert_eq!(form.unpack(&packed).as_deref(), Some(&bytes[..]), "{form:?}");
            assert_eq!(packed, form.pack(bytes.clone(), "entry"));
            if form != Compression::Uncompressed {
                assert!(form.unpack(&packed[..packed.len() / 2]).is_none_or(|part| part != bytes), "{form:?}");
            }
        }
        assert!(gunzip(&gzip(&bytes), 1000).is_none());
        assert!(unzip(b"junk").is_none());
    }
}
