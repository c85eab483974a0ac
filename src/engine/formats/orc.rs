//! Apache ORC: a writer for one stripe with version-1 run-length encodings, and a reader of what it writes.
//!
//! Source: the ORC specification, version 0.11/0.12 DIRECT encodings. Readers of ORC accept them in every version.

mod read;

pub use read::read;

use super::compress::{deflate, inflate, snappy};
use super::datum::Datum;
use super::schema::{Column, Type};
use crate::engine::protobuf::{put_bytes, put_uint, put_varint};

/// Codec of the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// As they are.
    None,
    /// zlib's raw deflate.
    Zlib,
    /// Snappy.
    #[default]
    Snappy,
}

impl Codec {
    /// From AWS's word.
    pub fn from_name(name: &str) -> Self {
        match name {
            "NONE" => Self::None,
            "ZLIB" => Self::Zlib,
            _ => Self::Snappy,
        }
    }

    const fn number(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Zlib => 1,
            Self::Snappy => 2,
        }
    }

    /// Chunks with three-byte headers.
    fn pack(self, bytes: &[u8]) -> Vec<u8> {
        if self == Self::None {
            return bytes.to_vec();
        }
        let mut out = Vec::new();
        for chunk in bytes.chunks(BLOCK) {
            let packed = if self == Self::Zlib { deflate(chunk) } else { snappy(chunk) };
            let (body, original) = if packed.len() < chunk.len() { (&packed[..], 0) } else { (chunk, 1) };
            let head = (body.len() as u32) << 1 | original;
            out.extend(&head.to_le_bytes()[..3]);
            out.extend(body);
        }
        out
    }

    fn unpack(self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self == Self::None {
            return Some(bytes.to_vec());
        }
        let (mut out, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let head = bytes.get(at..at + 3)?;
            let head = u32::from_le_bytes([head[0], head[1], head[2], 0]);
            let body = bytes.get(at + 3..at + 3 + (head >> 1) as usize)?;
            at += 3 + body.len();
            match (head & 1, self) {
                (1, _) => out.extend(body),
                (_, Self::Zlib) => out.extend(inflate(body, BLOCK + 1)?),
                (_, _) => out.extend(snap::raw::Decoder::new().decompress_vec(body).ok()?),
            }
        }
        Some(out)
    }
}

const BLOCK: usize = 256 << 10;
/// Seconds from 1970 to ORC's epoch, 2015-01-01.
const ORC_EPOCH: i64 = 1_420_070_400;
const PRESENT: u64 = 0;
const DATA: u64 = 1;
const LENGTH: u64 = 2;
const SECONDARY: u64 = 5;

/// One column of the type tree.
#[derive(Debug)]
struct Node {
    id: usize,
    kind: Type,
    children: Vec<Node>,
    /// Whether each value of the column is there.
    present: Vec<bool>,
    ints: Vec<i64>,
    secondary: Vec<i64>,
    lengths: Vec<i64>,
    bytes: Vec<u8>,
    flags: Vec<bool>,
}

impl Node {
    fn of(kind: &Type, next: &mut usize) -> Self {
        let id = *next;
        *next += 1;
        let children = match kind {
            Type::Struct(fields) => fields.iter().map(|(_, kind)| Self::of(kind, next)).collect(),
            Type::Array(item) => vec![Self::of(item, next)],
            Type::Map(key, value) => vec![Self::of(key, next), Self::of(value, next)],
            _ => Vec::new(),
        };
        Self {
            id,
            kind: kind.clone(),
            children,
            present: Vec::new(),
            ints: Vec::new(),
            secondary: Vec::new(),
            lengths: Vec::new(),
            bytes: Vec::new(),
            flags: Vec::new(),
        }
    }

    fn push(&mut self, datum: &Datum) {
        self.present.push(*datum != Datum::Null);
        match (datum, &self.kind) {
            (Datum::Bool(flag), _) => self.flags.push(*flag),
            (Datum::Int(int), Type::TinyInt) => self.bytes.push(*int as u8),
            (Datum::Int(int), _) => self.ints.push(*int),
            (Datum::Float(float), Type::Float) => self.bytes.extend((*float as f32).to_le_bytes()),
            (Datum::Float(float), _) => self.bytes.extend(float.to_le_bytes()),
            (Datum::Decimal(digits), Type::Decimal(_, scale)) => {
                let mut zigzag = ((digits << 1) ^ (digits >> 127)) as u128;
                while zigzag >= 0x80 {
                    self.bytes.push(zigzag as u8 | 0x80);
                    zigzag >>= 7;
                }
                self.bytes.push(zigzag as u8);
                self.secondary.push(i64::from(*scale));
            }
            (Datum::Text(text), _) => {
                self.bytes.extend(text.as_bytes());
                self.lengths.push(text.len() as i64);
            }
            (Datum::Bytes(bytes), _) => {
                self.bytes.extend(bytes);
                self.lengths.push(bytes.len() as i64);
            }
            (Datum::Timestamp(micros), _) => {
                let seconds = micros.div_euclid(1_000_000);
                self.ints.push(seconds - ORC_EPOCH);
                let mut nanos = micros.rem_euclid(1_000_000) * 1000;
                // Trailing zeros are cut off and counted in the lowest three bits: from two on.
                let mut zeros = 0;
                while nanos > 0 && nanos % 10 == 0 && zeros < 8 {
                    nanos /= 10;
                    zeros += 1;
                }
                self.secondary.push(if zeros > 1 { nanos << 3 | (zeros - 1) } else { (if zeros == 1 { nanos * 10 } else { nanos }) << 3 });
            }
            (Datum::Struct(values), _) => {
                for (child, value) in self.children.iter_mut().zip(values) {
                    child.push(value);
                }
            }
            (Datum::List(values), _) => {
                self.lengths.push(values.len() as i64);
                for value in values {
                    self.children[0].push(value);
                }
            }
            (Datum::Map(entries), _) => {
                self.lengths.push(entries.len() as i64);
                for (key, value) in entries {
                    self.children[0].push(key);
                    self.children[1].push(value);
                }
            }
            _ => {}
        }
    }

    /// The streams of this column and those below it: kind, column, bytes.
    fn streams(&self, out: &mut Vec<(u64, usize, Vec<u8>)>) {
        if self.present.contains(&false) {
            out.push((PRESENT, self.id, put_bits(&self.present)));
        }
        match &self.kind {
            Type::Boolean => out.push((DATA, self.id, put_bits(&self.flags))),
            Type::TinyInt => out.push((DATA, self.id, put_run_bytes(&self.bytes))),
            Type::SmallInt | Type::Int | Type::BigInt | Type::Date => out.push((DATA, self.id, put_ints(&self.ints, true))),
            Type::Float | Type::Double => out.push((DATA, self.id, self.bytes.clone())),
            Type::Decimal(..) => {
                out.push((DATA, self.id, self.bytes.clone()));
                out.push((SECONDARY, self.id, put_ints(&self.secondary, true)));
            }
            Type::String | Type::Varchar(_) | Type::Char(_) | Type::Binary => {
                out.push((DATA, self.id, self.bytes.clone()));
                out.push((LENGTH, self.id, put_ints(&self.lengths, false)));
            }
            Type::Timestamp => {
                out.push((DATA, self.id, put_ints(&self.ints, true)));
                out.push((SECONDARY, self.id, put_ints(&self.secondary, false)));
            }
            Type::Array(_) | Type::Map(..) => out.push((LENGTH, self.id, put_ints(&self.lengths, false))),
            Type::Struct(_) => {}
        }
        for child in &self.children {
            child.streams(out);
        }
    }

    /// The types of this column and those below it.
    fn types(&self, out: &mut Vec<Vec<u8>>) {
        let mut own = Vec::new();
        let kind = match &self.kind {
            Type::Boolean => 0,
            Type::TinyInt => 1,
            Type::SmallInt => 2,
            Type::Int => 3,
            Type::BigInt => 4,
            Type::Float => 5,
            Type::Double => 6,
            Type::String => 7,
            Type::Binary => 8,
            Type::Timestamp => 9,
            Type::Array(_) => 10,
            Type::Map(..) => 11,
            Type::Struct(_) => 12,
            Type::Decimal(..) => 14,
            Type::Date => 15,
            Type::Varchar(_) => 16,
            Type::Char(_) => 17,
        };
        put_uint(1, kind, &mut own);
        if !self.children.is_empty() {
            let mut ids = Vec::new();
            for child in &self.children {
                put_varint(child.id as u64, &mut ids);
            }
            put_bytes(2, &ids, &mut own);
        }
        if let Type::Struct(fields) = &self.kind {
            for (name, _) in fields {
                put_bytes(3, name.as_bytes(), &mut own);
            }
        }
        match &self.kind {
            Type::Varchar(length) | Type::Char(length) => put_uint(4, u64::from(*length), &mut own),
            Type::Decimal(precision, scale) => {
                put_uint(5, u64::from(*precision), &mut own);
                put_uint(6, u64::from(*scale), &mut own);
            }
            _ => {}
        }
        out.push(own);
        for child in &self.children {
            child.types(out);
        }
    }
}

/// Runs of equal bytes and literals.
fn put_run_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take(130).take_while(|byte| **byte == bytes[at]).count();
        if run >= 3 {
            out.push((run - 3) as u8);
            out.push(bytes[at]);
            at += run;
            continue;
        }
        let mut literals = 0;
        while at + literals < bytes.len() && literals < 128 {
            let rest = &bytes[at + literals..];
            if rest.len() >= 3 && rest[0] == rest[1] && rest[1] == rest[2] {
                break;
            }
            literals += 1;
        }
        out.push((-(literals as i16)) as u8);
        out.extend(&bytes[at..at + literals]);
        at += literals;
    }
    out
}

fn put_bits(flags: &[bool]) -> Vec<u8> {
    let packed: Vec<u8> = flags.chunks(8).map(|bits| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at))).collect();
    put_run_bytes(&packed)
}

/// Runs with a constant step and literals.
fn put_ints(ints: &[i64], signed: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let put = |value: i64, out: &mut Vec<u8>| {
        let value = if signed { ((value << 1) ^ (value >> 63)) as u64 } else { value as u64 };
        put_varint(value, out);
    };
    let run_at = |at: usize| {
        let step = ints.get(at + 1)?.checked_sub(ints[at])?;
        if !(-128..=127).contains(&step) {
            return None;
        }
        let length = ints[at..].windows(2).take(129).take_while(|pair| pair[1].checked_sub(pair[0]) == Some(step)).count() + 1;
        (length >= 3).then_some((length, step))
    };
    let mut at = 0;
    while at < ints.len() {
        if let Some((length, step)) = run_at(at) {
            out.push((length - 3) as u8);
            out.push(step as i8 as u8);
            put(ints[at], &mut out);
            at += length;
            continue;
        }
        let mut literals = 1;
        while at + literals < ints.len() && literals < 128 && run_at(at + literals).is_none() {
            literals += 1;
        }
        out.push((-(literals as i16)) as u8);
        for value in &ints[at..at + literals] {
            put(*value, &mut out);
        }
        at += literals;
    }
    out
}

/// Collects rows and writes a file.
#[derive(Debug)]
pub struct Writer {
    root: Node,
    rows: u64,
    codec: Codec,
    stride: u64,
}

impl Writer {
    /// For the columns of a table. `stride` is the rows of an index entry, said in the footer (this writer makes no row index).
    pub fn new(columns: &[Column], codec: Codec, stride: u64) -> Self {
        let mut next = 0;
        Self { root: Node::of(&Type::Struct(columns.to_vec()), &mut next), rows: 0, codec, stride }
    }

    /// Adds a row in the order of the columns.
    pub fn push(&mut self, row: Vec<Datum>) {
        self.root.push(&Datum::Struct(row));
        self.rows += 1;
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        let mut out = b"ORC".to_vec();
        let mut types = Vec::new();
        self.root.types(&mut types);
        let mut footer = Vec::new();
        put_uint(1, 3, &mut footer);
        if self.rows > 0 {
            let mut streams = Vec::new();
            self.root.streams(&mut streams);
            let start = out.len();
            let mut stripe_footer = Vec::new();
            for (kind, column, bytes) in streams {
                let packed = self.codec.pack(&bytes);
                let mut stream = Vec::new();
                put_uint(1, kind, &mut stream);
                put_uint(2, column as u64, &mut stream);
                put_uint(3, packed.len() as u64, &mut stream);
                put_bytes(1, &stream, &mut stripe_footer);
                out.extend(packed);
            }
            for _ in &types {
                let mut encoding = Vec::new();
                put_uint(1, 0, &mut encoding);
                put_bytes(2, &encoding, &mut stripe_footer);
            }
            put_bytes(3, b"UTC", &mut stripe_footer);
            let data = out.len() - start;
            let packed = self.codec.pack(&stripe_footer);
            let mut stripe = Vec::new();
            put_uint(1, start as u64, &mut stripe);
            put_uint(2, 0, &mut stripe);
            put_uint(3, data as u64, &mut stripe);
            put_uint(4, packed.len() as u64, &mut stripe);
            put_uint(5, self.rows, &mut stripe);
            out.extend(packed);
            put_uint(2, out.len() as u64 - 3, &mut footer);
            put_bytes(3, &stripe, &mut footer);
        } else {
            put_uint(2, 0, &mut footer);
        }
        for kind in &types {
            put_bytes(4, kind, &mut footer);
        }
        put_uint(6, self.rows, &mut footer);
        // Readers want one statistic a column: the number of its values.
        for _ in &types {
            let mut statistics = Vec::new();
            put_uint(1, self.rows, &mut statistics);
            put_bytes(7, &statistics, &mut footer);
        }
        // No row index was written: zero says so.
        put_uint(8, 0, &mut footer);
        let _ = self.stride;
        let packed = self.codec.pack(&footer);
        let mut postscript = Vec::new();
        put_uint(1, packed.len() as u64, &mut postscript);
        put_uint(2, self.codec.number(), &mut postscript);
        put_uint(3, BLOCK as u64, &mut postscript);
        put_bytes(4, &[0, 12], &mut postscript);
        put_uint(5, 0, &mut postscript);
        put_uint(6, 6, &mut postscript);
        put_bytes(8000, b"ORC", &mut postscript);
        out.extend(packed);
        out.extend(&postscript);
        out.push(postscript.len() as u8);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::coerce::{Deserializer, Reader};
    use super::read::ints;
    use super::*;

    #[test]
    fn rows_come_back_in_every_codec() {
        let columns: Vec<Column> = [
            ("id", "bigint"),
            ("tiny", "tinyint"),
            ("flag", "boolean"),
            ("name", "string"),
            ("price", "decimal(9,2)"),
            ("ratio", "double"),
            ("at", "timestamp"),
            ("tags", "array<string>"),
            ("deep", "struct<a:int,b:array<struct<c:float>>>"),
            ("attrs", "map<string,int>"),
        ]
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), Type::parse(kind).expect("good")))
        .collect();
        let reader = Reader::new(columns.clone().into(), Deserializer::default());
        for codec in [Codec::None, Codec::Zlib, Codec::Snappy] {
            let mut writer = Writer::new(&columns, codec, 10_000);
            let mut wanted = Vec::new();
            for i in 0..2000u64 {
                let record = match i % 4 {
                    0 => "{}".to_owned(),
                    1 => format!(r#"{{"id":{},"flag":true,"tiny":{},"tags":[],"attrs":{{}}}}"#, i * i, i % 100),
                    2 => format!(r#"{{"id":{i},"flag":false,"tags":["x",null],"deep":{{"a":1,"b":[{{"c":1.5}},null]}},"attrs":{{"k":{i}}}}}"#),
                    _ => format!(r#"{{"name":"n{i}","price":-{i}.25,"ratio":0.25,"at":{}.5,"deep":{{}}}}"#, 1_568_039_627 + i),
                };
                let row = reader.rows(record.as_bytes()).expect("fits").remove(0);
                writer.push(row.clone());
                wanted.push(row);
            }
            let file = writer.finish();
            assert_eq!(read(&file, &columns).expect("readable"), wanted, "{codec:?}");
            for cut in [1, 40, file.len() / 2] {
                assert!(read(&file[..file.len() - cut], &columns).is_err());
            }
        }
        assert_eq!(read(&Writer::new(&columns, Codec::Snappy, 10_000).finish(), &columns), Ok(Vec::new()));
    }

    #[test]
    fn runs_of_integers_come_back() {
        let cases: [Vec<i64>; 4] =
            [(0..500).collect(), (0..500).map(|i| (i * i) % 97).collect(), vec![7; 300], vec![i64::MIN, i64::MAX, 0, 0, 0, 0, -1, 1_000_000_000_000]];
        for case in cases {
            assert_eq!(ints(&put_ints(&case, true), true), Some(case));
        }
    }
}
