//! The reader of what the writer wrote.

use super::super::datum::Datum;
use super::super::schema::{Column, Type};
use super::{Codec, DATA, LENGTH, Node, ORC_EPOCH, PRESENT, SECONDARY};
use crate::engine::protobuf::{Field, Reader as Message};

fn run_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let head = bytes[at] as i8;
        if head >= 0 {
            out.extend(std::iter::repeat_n(*bytes.get(at + 1)?, head as usize + 3));
            at += 2;
        } else {
            let count = usize::from(head.unsigned_abs());
            out.extend(bytes.get(at + 1..at + 1 + count)?);
            at += 1 + count;
        }
    }
    Some(out)
}

fn bits(bytes: &[u8]) -> Option<Vec<bool>> {
    Some(run_bytes(bytes)?.iter().flat_map(|byte| (0..8).map(move |at| byte >> (7 - at) & 1 == 1)).collect())
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u128> {
    let (mut value, mut shift) = (0u128, 0);
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u128::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
        if shift > 126 {
            return None;
        }
    }
}

const fn unzigzag(value: u128) -> i128 {
    (value >> 1) as i128 ^ -((value & 1) as i128)
}

pub(super) fn ints(bytes: &[u8], signed: bool) -> Option<Vec<i64>> {
    let (mut out, mut at) = (Vec::new(), 0);
    let get = |at: &mut usize| varint(bytes, at).map(|value| if signed { unzigzag(value) as i64 } else { value as i64 });
    while at < bytes.len() {
        let head = bytes[at] as i8;
        at += 1;
        if head >= 0 {
            let step = i64::from(*bytes.get(at)? as i8);
            at += 1;
            let first = get(&mut at)?;
            out.extend((0..i64::from(head) + 3).map(|index| first.wrapping_add(index.wrapping_mul(step))));
        } else {
            for _ in 0..head.unsigned_abs() {
                out.push(get(&mut at)?);
            }
        }
    }
    Some(out)
}

type Fields = Vec<(u32, Vec<u8>, u64)>;

/// The fields of a message: number, bytes, number value.
fn fields(bytes: &[u8]) -> Option<Fields> {
    let (mut message, mut found) = (Message::new(bytes), Vec::new());
    while let Some((number, field)) = message.next().ok()? {
        match field {
            Field::Uint(value) => found.push((number, Vec::new(), value)),
            Field::Bytes(bytes) => found.push((number, bytes.to_vec(), 0)),
            Field::Fixed => {}
        }
    }
    Some(found)
}

fn number(fields: &Fields, wanted: u32) -> u64 {
    fields.iter().find(|(number, ..)| *number == wanted).map_or(0, |(.., value)| *value)
}

struct Stripe {
    streams: Vec<(u64, usize, Vec<u8>)>,
}

impl Stripe {
    fn stream(&self, kind: u64, column: usize) -> &[u8] {
        self.streams.iter().find(|(k, c, _)| *k == kind && *c == column).map_or(&[], |(.., bytes)| bytes)
    }

    /// `count` values of a column.
    fn column(&self, node: &Node, count: usize) -> Option<Vec<Datum>> {
        let present = match self.stream(PRESENT, node.id) {
            [] => vec![true; count],
            bytes => bits(bytes)?,
        };
        let present = present.get(..count)?;
        let there = present.iter().filter(|present| **present).count();
        let data = self.stream(DATA, node.id);
        let mut at = 0;
        let values: Vec<Datum> = match &node.kind {
            Type::Boolean => bits(data)?.into_iter().take(there).map(Datum::Bool).collect(),
            Type::TinyInt => run_bytes(data)?.into_iter().map(|byte| Datum::Int(i64::from(byte as i8))).collect(),
            Type::SmallInt | Type::Int | Type::BigInt | Type::Date => ints(data, true)?.into_iter().map(Datum::Int).collect(),
            Type::Float => data.chunks_exact(4).map(|b| Datum::Float(f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))).collect(),
            Type::Double => {
                data.chunks_exact(8).map(|b| Datum::Float(f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))).collect()
            }
            Type::Decimal(..) => (0..there).map(|_| varint(data, &mut at).map(|value| Datum::Decimal(unzigzag(value)))).collect::<Option<_>>()?,
            Type::Timestamp => {
                let nanos = ints(self.stream(SECONDARY, node.id), false)?;
                ints(data, true)?
                    .into_iter()
                    .zip(nanos)
                    .map(|(seconds, packed)| {
                        let zeros = packed & 7;
                        let nanos = (packed >> 3) * if zeros == 0 { 1 } else { 10i64.pow(zeros as u32 + 1) };
                        Datum::Timestamp((seconds + ORC_EPOCH) * 1_000_000 + nanos / 1000)
                    })
                    .collect()
            }
            Type::String | Type::Varchar(_) | Type::Char(_) | Type::Binary => ints(self.stream(LENGTH, node.id), false)?
                .into_iter()
                .map(|length| {
                    let bytes = data.get(at..at + length as usize)?.to_vec();
                    at += length as usize;
                    Some(if node.kind == Type::Binary { Datum::Bytes(bytes) } else { Datum::Text(String::from_utf8(bytes).ok()?) })
                })
                .collect::<Option<_>>()?,
            Type::Struct(_) => {
                let mut columns: Vec<_> = node.children.iter().map(|child| self.column(child, there).map(Vec::into_iter)).collect::<Option<_>>()?;
                (0..there).map(|_| Datum::Struct(columns.iter_mut().map(|column| column.next().unwrap_or(Datum::Null)).collect())).collect()
            }
            Type::Array(_) => {
                let lengths = ints(self.stream(LENGTH, node.id), false)?;
                let mut items = self.column(&node.children[0], lengths.iter().sum::<i64>() as usize)?.into_iter();
                lengths.iter().map(|length| Datum::List(items.by_ref().take(*length as usize).collect())).collect()
            }
            Type::Map(..) => {
                let lengths = ints(self.stream(LENGTH, node.id), false)?;
                let total = lengths.iter().sum::<i64>() as usize;
                let (keys, values) = (self.column(&node.children[0], total)?, self.column(&node.children[1], total)?);
                let mut entries = keys.into_iter().zip(values);
                lengths.iter().map(|length| Datum::Map(entries.by_ref().take(*length as usize).collect())).collect()
            }
        };
        let mut values = values.into_iter();
        present.iter().map(|present| if *present { values.next() } else { Some(Datum::Null) }).collect()
    }
}

/// The rows of a file that this program wrote with these columns.
///
/// # Errors
/// A sentence: what of the file cannot be read.
pub fn read(bytes: &[u8], columns: &[Column]) -> Result<Vec<Vec<Datum>>, String> {
    read_parts(bytes, columns).ok_or_else(|| "the ORC file is damaged or was not written here with these columns".to_owned())
}

fn read_parts(bytes: &[u8], columns: &[Column]) -> Option<Vec<Vec<Datum>>> {
    let length = usize::from(*bytes.last().filter(|_| bytes.starts_with(b"ORC"))?);
    let end = bytes.len().checked_sub(1 + length)?;
    let postscript = fields(&bytes[end..bytes.len() - 1])?;
    let codec = match number(&postscript, 2) {
        0 => Codec::None,
        1 => Codec::Zlib,
        2 => Codec::Snappy,
        _ => return None,
    };
    let start = end.checked_sub(usize::try_from(number(&postscript, 1)).ok()?)?;
    let footer = fields(&codec.unpack(&bytes[start..end])?)?;
    let mut next = 0;
    let root = Node::of(&Type::Struct(columns.to_vec()), &mut next);
    if footer.iter().filter(|(number, ..)| *number == 4).count() != next {
        return None;
    }
    let mut rows = Vec::new();
    for (_, stripe, _) in footer.iter().filter(|(number, ..)| *number == 3) {
        let stripe = fields(stripe)?;
        let part = |wanted: u32| usize::try_from(number(&stripe, wanted)).ok();
        let (mut at, data, footer_length, count) = (part(1)?.checked_add(part(2)?)?, part(3)?, part(4)?, part(5)?);
        let footer_at = at.checked_add(data)?;
        let stripe_footer = fields(&codec.unpack(bytes.get(footer_at..footer_at.checked_add(footer_length)?)?)?)?;
        let mut streams = Vec::new();
        for (_, stream, _) in stripe_footer.iter().filter(|(number, ..)| *number == 1) {
            let stream = fields(stream)?;
            let length = usize::try_from(number(&stream, 3)).ok()?;
            streams.push((number(&stream, 1), usize::try_from(number(&stream, 2)).ok()?, codec.unpack(bytes.get(at..at.checked_add(length)?)?)?));
            at += length;
        }
        for row in (Stripe { streams }).column(&root, count)? {
            if let Datum::Struct(values) = row {
                rows.push(values);
            }
        }
    }
    Some(rows)
}
