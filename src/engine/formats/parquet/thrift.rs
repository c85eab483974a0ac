//! Thrift's compact protocol, as far as Parquet's metadata needs it.

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// Writes fields in ascending order; structs nest.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    last: i64,
    outer: Vec<i64>,
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

impl Writer {
    fn field(&mut self, id: i64, kind: u8) {
        // Ids rise by less than 16 from field to field.
        self.bytes.push(((id - self.last) as u8) << 4 | kind);
        self.last = id;
    }

    fn blob(&mut self, bytes: &[u8]) {
        super::varint(bytes.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(bytes);
    }

    fn list_head(&mut self, count: usize, kind: u8) {
        if count < 15 {
            self.bytes.push((count as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            super::varint(count as u64, &mut self.bytes);
        }
    }

    pub(super) fn int(&mut self, id: i64, value: i64) {
        self.field(id, I32);
        super::varint(zigzag(value), &mut self.bytes);
    }

    pub(super) fn long(&mut self, id: i64, value: i64) {
        self.field(id, I64);
        super::varint(zigzag(value), &mut self.bytes);
    }

    pub(super) fn text(&mut self, id: i64, text: &str) {
        self.field(id, BINARY);
        self.blob(text.as_bytes());
    }

    pub(super) fn texts(&mut self, id: i64, texts: &[String]) {
        self.field(id, LIST);
        self.list_head(texts.len(), BINARY);
        for text in texts {
            self.blob(text.as_bytes());
        }
    }

    pub(super) fn ints(&mut self, id: i64, values: &[i64]) {
        self.field(id, LIST);
        self.list_head(values.len(), I32);
        for value in values {
            super::varint(zigzag(*value), &mut self.bytes);
        }
    }

    /// A list of structs that were written with [`Writer::item`] … [`Writer::end`].
    pub(super) fn list(&mut self, id: i64, count: usize, items: &[u8]) {
        self.field(id, LIST);
        self.list_head(count, STRUCT);
        self.bytes.extend_from_slice(items);
    }

    /// Begins a struct in a field.
    pub(super) fn begin(&mut self, id: i64) {
        self.field(id, STRUCT);
        self.item();
    }

    /// Begins a struct of a list.
    pub(super) fn item(&mut self) {
        self.outer.push(self.last);
        self.last = 0;
    }

    /// Ends a struct.
    pub(super) fn end(&mut self) {
        self.stop();
        self.last = self.outer.pop().unwrap_or_default();
    }

    /// Ends the outermost struct.
    pub(super) fn stop(&mut self) {
        self.bytes.push(0);
    }
}

/// A value as read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Int(i64),
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Struct(Vec<(i64, Tree)>),
}

impl Tree {
    fn get(&self, id: i64) -> Option<&Self> {
        match self {
            Self::Struct(fields) => fields.iter().find(|(known, _)| *known == id).map(|(_, value)| value),
            _ => None,
        }
    }
    pub(super) fn int(&self, id: i64) -> Option<i64> {
        match self.get(id)? {
            Self::Int(int) => Some(*int),
            _ => None,
        }
    }
    pub(super) fn list(&self, id: i64) -> &[Self] {
        match self.get(id) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }
    pub(super) fn tree(&self, id: i64) -> Option<&Self> {
        self.get(id).filter(|tree| matches!(tree, Self::Struct(_)))
    }
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        }
    }
}

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Structs within structs at most.
const DEPTH: u32 = 32;

impl<'a> Reader<'a> {
    /// The struct that the bytes are.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Tree> {
        Self::read_some(bytes).map(|(tree, _)| tree)
    }

    /// The struct that the bytes begin with, and its length.
    pub(super) fn read_some(bytes: &'a [u8]) -> Option<(Tree, usize)> {
        let mut reader = Self { bytes, at: 0 };
        let tree = reader.structure(0)?;
        Some((tree, reader.at))
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
            if shift > 63 {
                return None;
            }
        }
    }

    fn zigzag(&mut self) -> Option<i64> {
        self.varint().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn structure(&mut self, depth: u32) -> Option<Tree> {
        if depth > DEPTH {
            return None;
        }
        let (mut fields, mut last) = (Vec::new(), 0);
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(Tree::Struct(fields));
            }
            last = if head >> 4 == 0 { self.zigzag()? } else { last + i64::from(head >> 4) };
            let value = match head & 0xf {
                1 => Tree::Int(1),
                2 => Tree::Int(0),
                kind => self.value(kind, depth)?,
            };
            fields.push((last, value));
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Option<Tree> {
        Some(match kind {
            1..=3 => Tree::Int(i64::from(self.byte()?)),
            4..=6 => Tree::Int(self.zigzag()?),
            7 => {
                self.at += 8;
                Tree::Int(0)
            }
            BINARY => {
                let length = usize::try_from(self.varint()?).ok()?;
                let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
                self.at += length;
                Tree::Bytes(bytes.to_vec())
            }
            LIST | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { usize::try_from(self.varint()?).ok()? } else { usize::from(head >> 4) };
                // Every item takes a byte at least.
                if count > self.bytes.len() {
                    return None;
                }
                Tree::List((0..count).map(|_| self.value(head & 0xf, depth + 1)).collect::<Option<_>>()?)
            }
            STRUCT => self.structure(depth + 1)?,
            _ => return None,
        })
    }
}
