//! Apache Parquet: a writer for one row group with PLAIN pages, as Hive's writer lays schemas out, and a reader of what it writes.
//!
//! Lists are `optional group c (LIST) { repeated group bag { optional T array_element } }`, maps `optional group c (MAP) { repeated group map
//! { required K key; optional V value } }`, timestamps INT96, as Firehose's files have them. Source: the format's own specification.

mod read;
mod thrift;

pub use read::{count, read};

use super::compress::{gzip, snappy};
use super::datum::Datum;
use super::schema::{Column, Type};
use thrift::Writer as Compact;

/// Codec of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// As they are.
    Uncompressed,
    /// Snappy.
    #[default]
    Snappy,
    /// gzip.
    Gzip,
}

impl Codec {
    /// From AWS's word.
    pub fn from_name(name: &str) -> Self {
        match name {
            "UNCOMPRESSED" => Self::Uncompressed,
            "GZIP" => Self::Gzip,
            _ => Self::Snappy,
        }
    }

    fn pack(self, bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Uncompressed => bytes,
            Self::Snappy => snappy(&bytes),
            Self::Gzip => gzip(&bytes),
        }
    }
}

const BOOLEAN: i64 = 0;
const INT32: i64 = 1;
const INT64: i64 = 2;
const INT96: i64 = 3;
const FLOAT: i64 = 4;
const DOUBLE: i64 = 5;
const BYTE_ARRAY: i64 = 6;
const FIXED: i64 = 7;
const MAGIC: &[u8; 4] = b"PAR1";
/// Julian day of 1970-01-01.
const JULIAN_EPOCH: i64 = 2_440_588;
const DAY_MICROS: i64 = 86_400_000_000;

/// Bytes of a decimal with so many digits.
fn decimal_bytes(precision: u8) -> usize {
    (1..=16).find(|bytes| 10u128.pow(u32::from(precision)) <= 1u128 << (8 * bytes - 1)).unwrap_or(16)
}

fn physical(kind: &Type) -> (i64, Option<i64>, Option<i64>) {
    // Physical type, length, converted type.
    match kind {
        Type::Boolean => (BOOLEAN, None, None),
        Type::TinyInt => (INT32, None, Some(15)),
        Type::SmallInt => (INT32, None, Some(16)),
        Type::Int => (INT32, None, None),
        Type::Date => (INT32, None, Some(6)),
        Type::BigInt => (INT64, None, None),
        Type::Float => (FLOAT, None, None),
        Type::Double => (DOUBLE, None, None),
        Type::Timestamp => (INT96, None, None),
        Type::Decimal(precision, _) => (FIXED, Some(decimal_bytes(*precision) as i64), Some(5)),
        Type::Binary => (BYTE_ARRAY, None, None),
        _ => (BYTE_ARRAY, None, Some(0)),
    }
}

/// Where values of a type go: leaves with their levels.
#[derive(Debug)]
enum Node {
    Leaf { leaf: usize, def: u8, kind: Type },
    Struct { def: u8, fields: Vec<Node> },
    List { def: u8, rep: u8, item: Box<Node> },
    Map { def: u8, rep: u8, key: Box<Node>, value: Box<Node> },
}

impl Node {
    fn leaves(&self, each: &mut dyn FnMut(usize)) {
        match self {
            Self::Leaf { leaf, .. } => each(*leaf),
            Self::Struct { fields, .. } => fields.iter().for_each(|field| field.leaves(each)),
            Self::List { item, .. } => item.leaves(each),
            Self::Map { key, value, .. } => {
                key.leaves(each);
                value.leaves(each);
            }
        }
    }

    fn first(&self) -> usize {
        let mut first = None;
        self.leaves(&mut |leaf| first = first.or(Some(leaf)));
        first.unwrap_or_default()
    }
}

/// A leaf column.
#[derive(Debug)]
struct Leaf {
    path: Vec<String>,
    kind: Type,
    max_def: u8,
    max_rep: u8,
    defs: Vec<u8>,
    reps: Vec<u8>,
    /// PLAIN values; a boolean takes a byte until its page is written.
    values: Vec<u8>,
    /// Ends of pages: levels and bytes of values.
    pages: Vec<(usize, usize)>,
}

/// The schema as a tree of nodes and the list of leaves.
#[derive(Debug, Default)]
struct Shape {
    nodes: Vec<Node>,
    leaves: Vec<Leaf>,
}

impl Shape {
    fn of(columns: &[Column]) -> Self {
        let mut shape = Self::default();
        for (name, kind) in columns {
            let node = shape.node(kind, vec![name.clone()], 0, 0, true);
            shape.nodes.push(node);
        }
        shape
    }

    fn node(&mut self, kind: &Type, path: Vec<String>, def: u8, rep: u8, optional: bool) -> Node {
        let def = def + u8::from(optional);
        let below = |names: &[&str]| path.iter().cloned().chain(names.iter().map(|name| (*name).to_owned())).collect::<Vec<_>>();
        match kind {
            Type::Struct(fields) => {
                Node::Struct { def, fields: fields.iter().map(|(name, kind)| self.node(kind, below(&[name]), def, rep, true)).collect() }
            }
            Type::Array(item) => {
                let item = self.node(item, below(&["bag", "array_element"]), def + 1, rep + 1, true);
                Node::List { def, rep: rep + 1, item: Box::new(item) }
            }
            Type::Map(key, value) => {
                let key = self.node(key, below(&["map", "key"]), def + 1, rep + 1, false);
                let value = self.node(value, below(&["map", "value"]), def + 1, rep + 1, true);
                Node::Map { def, rep: rep + 1, key: Box::new(key), value: Box::new(value) }
            }
            scalar => {
                let leaf = self.leaves.len();
                self.leaves.push(Leaf {
                    path,
                    kind: scalar.clone(),
                    max_def: def,
                    max_rep: rep,
                    defs: Vec::new(),
                    reps: Vec::new(),
                    values: Vec::new(),
                    pages: Vec::new(),
                });
                Node::Leaf { leaf, def, kind: scalar.clone() }
            }
        }
    }
}

/// Collects rows and writes a file.
#[derive(Debug)]
pub struct Writer {
    columns: std::sync::Arc<[Column]>,
    shape: Shape,
    rows: u64,
    page_bytes: usize,
    codec: Codec,
}

impl Writer {
    /// For the columns of a table. `page_bytes` is the size at which a page ends.
    pub fn new(columns: std::sync::Arc<[Column]>, codec: Codec, page_bytes: usize) -> Self {
        Self { shape: Shape::of(&columns), columns, rows: 0, page_bytes, codec }
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a row in the order of the columns.
    pub fn push(&mut self, row: &[Datum]) {
        for (node, datum) in self.shape.nodes.iter().zip(row) {
            shred(node, datum, 0, 0, &mut self.shape.leaves);
        }
        self.rows += 1;
        for leaf in &mut self.shape.leaves {
            let begun = leaf.pages.last().map_or(0, |(_, bytes)| *bytes);
            if leaf.values.len() - begun >= self.page_bytes {
                leaf.pages.push((leaf.defs.len(), leaf.values.len()));
            }
        }
    }

    /// The file.
    pub fn finish(mut self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let mut chunks = Compact::default();
        let mut total = 0;
        for leaf in &mut self.shape.leaves {
            if leaf.pages.last().is_none_or(|(levels, _)| *levels < leaf.defs.len()) {
                leaf.pages.push((leaf.defs.len(), leaf.values.len()));
            }
            let offset = out.len();
            let (mut unpacked, mut level_at, mut value_at) = (0, 0, 0);
            for (levels, values) in leaf.pages.clone() {
                let mut page = Vec::new();
                if leaf.max_rep > 0 {
                    put_levels(&leaf.reps[level_at..levels], leaf.max_rep, &mut page);
                }
                put_levels(&leaf.defs[level_at..levels], leaf.max_def, &mut page);
                let plain = &leaf.values[value_at..values];
                if leaf.kind == Type::Boolean {
                    page.extend(plain.chunks(8).map(|bits| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | bit << at)));
                } else {
                    page.extend_from_slice(plain);
                }
                let size = page.len();
                let packed = self.codec.pack(page);
                let mut header = Compact::default();
                header.int(1, 0);
                header.int(2, size as i64);
                header.int(3, packed.len() as i64);
                header.begin(5);
                header.int(1, (levels - level_at) as i64);
                header.int(2, 0);
                header.int(3, 3);
                header.int(4, 3);
                header.end();
                header.stop();
                unpacked += header.bytes.len() + size;
                out.extend(header.bytes);
                out.extend(packed);
                (level_at, value_at) = (levels, values);
            }
            total += unpacked;
            let packed = out.len() - offset;
            chunks.item();
            chunks.long(2, offset as i64);
            chunks.begin(3);
            chunks.int(1, physical(&leaf.kind).0);
            chunks.ints(2, &[0, 3]);
            chunks.texts(3, &leaf.path);
            chunks.int(
                4,
                match self.codec {
                    Codec::Uncompressed => 0,
                    Codec::Snappy => 1,
                    Codec::Gzip => 2,
                },
            );
            chunks.long(5, leaf.defs.len() as i64);
            chunks.long(6, unpacked as i64);
            chunks.long(7, packed as i64);
            chunks.long(9, offset as i64);
            chunks.end();
            chunks.end();
        }
        let mut meta = Compact::default();
        meta.int(1, 1);
        let mut elements = Compact::default();
        elements.item();
        elements.text(4, "hive_schema");
        elements.int(5, self.columns.len() as i64);
        elements.end();
        let mut count = 1;
        for (name, kind) in self.columns.iter() {
            element(name, kind, 1, &mut elements, &mut count);
        }
        meta.list(2, count, &elements.bytes);
        meta.long(3, self.rows as i64);
        let mut groups = Compact::default();
        groups.item();
        groups.list(1, self.shape.leaves.len(), &chunks.bytes);
        groups.long(2, total as i64);
        groups.long(3, self.rows as i64);
        groups.end();
        meta.list(4, 1, &groups.bytes);
        meta.text(6, concat!("kinlab version ", env!("CARGO_PKG_VERSION")));
        meta.stop();
        let length = meta.bytes.len() as u32;
        out.extend(meta.bytes);
        out.extend(length.to_le_bytes());
        out.extend_from_slice(MAGIC);
        out
    }
}

/// Elements of the schema, depth first. Repetition: 0 required, 1 optional, 2 repeated.
fn element(name: &str, kind: &Type, repetition: i64, out: &mut Compact, count: &mut usize) {
    let mut group = |children: i64, converted: Option<i64>, name: &str, repetition: i64, out: &mut Compact| {
        *count += 1;
        out.item();
        out.int(3, repetition);
        out.text(4, name);
        out.int(5, children);
        if let Some(converted) = converted {
            out.int(6, converted);
        }
        out.end();
    };
    match kind {
        Type::Struct(fields) => {
            group(fields.len() as i64, None, name, repetition, out);
            for (name, kind) in fields {
                element(name, kind, 1, out, count);
            }
        }
        Type::Array(item) => {
            group(1, Some(3), name, repetition, out);
            group(1, None, "bag", 2, out);
            element("array_element", item, 1, out, count);
        }
        Type::Map(key, value) => {
            group(1, Some(1), name, repetition, out);
            group(2, Some(2), "map", 2, out);
            element("key", key, 0, out, count);
            element("value", value, 1, out, count);
        }
        scalar => {
            let (physical, length, converted) = physical(scalar);
            *count += 1;
            out.item();
            out.int(1, physical);
            if let Some(length) = length {
                out.int(2, length);
            }
            out.int(3, repetition);
            out.text(4, name);
            if let Some(converted) = converted {
                out.int(6, converted);
            }
            if let Type::Decimal(precision, scale) = scalar {
                out.int(7, i64::from(*scale));
                out.int(8, i64::from(*precision));
            }
            out.end();
        }
    }
}

fn shred(node: &Node, datum: &Datum, rep: u8, def: u8, leaves: &mut [Leaf]) {
    let nothing = |node: &Node, def: u8, leaves: &mut [Leaf]| {
        node.leaves(&mut |leaf| {
            leaves[leaf].defs.push(def);
            leaves[leaf].reps.push(rep);
        });
    };
    match (node, datum) {
        (_, Datum::Null) => nothing(node, def, leaves),
        (Node::Leaf { leaf, def, kind }, datum) => {
            let leaf = &mut leaves[*leaf];
            leaf.defs.push(*def);
            leaf.reps.push(rep);
            plain(datum, kind, &mut leaf.values);
        }
        (Node::Struct { def, fields }, Datum::Struct(values)) => {
            for (field, value) in fields.iter().zip(values) {
                shred(field, value, rep, *def, leaves);
            }
        }
        (Node::List { def, rep: own, item }, Datum::List(values)) => {
            if values.is_empty() {
                nothing(node, *def, leaves);
            }
            for (at, value) in values.iter().enumerate() {
                shred(item, value, if at == 0 { rep } else { *own }, def + 1, leaves);
            }
        }
        (Node::Map { def, rep: own, key, value }, Datum::Map(entries)) => {
            if entries.is_empty() {
                nothing(node, *def, leaves);
            }
            for (at, (k, v)) in entries.iter().enumerate() {
                let rep = if at == 0 { rep } else { *own };
                shred(key, k, rep, def + 1, leaves);
                shred(value, v, rep, def + 1, leaves);
            }
        }
        // The reader of records gives every column a value of its type.
        (_, _) => nothing(node, def, leaves),
    }
}

fn plain(datum: &Datum, kind: &Type, out: &mut Vec<u8>) {
    match (datum, kind) {
        (Datum::Bool(flag), _) => out.push(u8::from(*flag)),
        (Datum::Int(int), Type::BigInt) => out.extend(int.to_le_bytes()),
        (Datum::Int(int), _) => out.extend((*int as i32).to_le_bytes()),
        (Datum::Float(float), Type::Float) => out.extend((*float as f32).to_le_bytes()),
        (Datum::Float(float), _) => out.extend(float.to_le_bytes()),
        (Datum::Timestamp(micros), _) => {
            let (days, rest) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
            out.extend((rest * 1000).to_le_bytes());
            out.extend(((days + JULIAN_EPOCH) as i32).to_le_bytes());
        }
        (Datum::Decimal(digits), Type::Decimal(precision, _)) => out.extend(&digits.to_be_bytes()[16 - decimal_bytes(*precision)..]),
        (Datum::Text(text), _) => {
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.as_bytes());
        }
        (Datum::Bytes(bytes), _) => {
            out.extend((bytes.len() as u32).to_le_bytes());
            out.extend(bytes);
        }
        _ => {}
    }
}

/// Levels in the hybrid of runs and packed groups, behind their length.
fn put_levels(levels: &[u8], max: u8, out: &mut Vec<u8>) {
    let width = 8 - max.leading_zeros() as usize;
    let start = out.len();
    out.extend([0; 4]);
    let mut at = 0;
    while at < levels.len() {
        let run = levels[at..].iter().take_while(|level| **level == levels[at]).count();
        if run >= 8 || at + 8 > levels.len() {
            varint((run as u64) << 1, out);
            out.push(levels[at]);
            at += run;
            continue;
        }
        // Groups of eight until a long run begins at a group's start.
        let mut groups = 0;
        while at + (groups + 1) * 8 <= levels.len() && groups < 60 {
            let group = &levels[at + groups * 8..];
            if groups > 0 && group.iter().take_while(|level| **level == group[0]).count() >= 16 {
                break;
            }
            groups += 1;
        }
        varint((groups as u64) << 1 | 1, out);
        let mut bits = 0u64;
        let mut filled = 0;
        for level in &levels[at..at + groups * 8] {
            bits |= u64::from(*level) << filled;
            filled += width;
            while filled >= 8 {
                out.push(bits as u8);
                bits >>= 8;
                filled -= 8;
            }
        }
        at += groups * 8;
    }
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::super::coerce::{Deserializer, Reader};
    use super::read::get_levels;
    use super::*;

    fn columns(text: &[(&str, &str)]) -> std::sync::Arc<[Column]> {
        text.iter().map(|(name, kind)| ((*name).to_owned(), Type::parse(kind).expect("good"))).collect()
    }

    #[test]
    fn rows_come_back_in_every_codec_over_many_pages() {
        let columns = columns(&[
            ("id", "bigint"),
            ("small", "smallint"),
            ("flag", "boolean"),
            ("name", "string"),
            ("price", "decimal(9,2)"),
            ("ratio", "float"),
            ("at", "timestamp"),
            ("day", "date"),
            ("tags", "array<string>"),
            ("deep", "struct<a:int,b:array<struct<c:double>>>"),
            ("attrs", "map<string,int>"),
        ]);
        let reader = Reader::new(columns.clone(), Deserializer::default());
        for codec in [Codec::Uncompressed, Codec::Snappy, Codec::Gzip] {
            let mut writer = Writer::new(columns.clone(), codec, 4096);
            let mut wanted = Vec::new();
            for i in 0..3000u64 {
                let record = match i % 5 {
                    0 => "{}".to_owned(),
                    1 => format!(r#"{{"id":{i},"flag":true,"tags":[],"deep":{{}},"attrs":{{}}}}"#),
                    2 => format!(
                        r#"{{"id":{i},"flag":false,"tags":["x",null,"y{i}"],"deep":{{"a":1,"b":[{{"c":1.5}},{{}},null]}},"attrs":{{"k":{i},"l":null}}}}"#
                    ),
                    3 => format!(r#"{{"name":"n{i}","price":"-{i}.25","ratio":0.5,"at":{},"day":"2019-09-09","small":-3}}"#, 1_568_039_627 + i),
                    _ => format!(r#"{{"deep":{{"b":[]}},"price":{i}}}"#),
                };
                let row = reader.rows(record.as_bytes()).expect("fits").remove(0);
                writer.push(&row);
                wanted.push(row);
            }
            let file = writer.finish();
            assert_eq!(count(&file), Some(3000));
            assert_eq!(read(&file, &columns).expect("readable"), wanted, "{codec:?}");
            assert!(read(&file[..file.len() - 1], &columns).is_err() && read(b"PAR1", &columns).is_err());
        }
    }

    #[test]
    fn levels_come_back() {
        for pattern in [1usize, 2, 3, 7, 8, 9, 17] {
            let levels: Vec<u8> = (0..1003).map(|i| ((i / pattern) % 4) as u8).collect();
            let (mut out, mut at) = (Vec::new(), 0);
            put_levels(&levels, 3, &mut out);
            assert_eq!(get_levels(&out, &mut at, 3, levels.len()).as_deref(), Some(&levels[..]), "{pattern}");
            assert_eq!(at, out.len());
        }
    }
}
