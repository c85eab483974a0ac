//! The reader of what the writer wrote.

use super::super::compress::gunzip;
use super::super::datum::Datum;
use super::super::schema::{Column, Type};
use super::thrift::{Reader as Thrift, Tree};
use super::{BOOLEAN, DAY_MICROS, DOUBLE, FIXED, FLOAT, INT32, INT64, INT96, JULIAN_EPOCH, Leaf, MAGIC, Node, Shape, decimal_bytes, physical};

pub(super) fn get_levels(bytes: &[u8], at: &mut usize, max: u8, count: usize) -> Option<Vec<u8>> {
    let width = 8 - max.leading_zeros() as usize;
    let length = u32::from_le_bytes(bytes.get(*at..*at + 4)?.try_into().ok()?) as usize;
    let encoded = bytes.get(*at + 4..*at + 4 + length)?;
    *at += 4 + length;
    let mut levels = Vec::with_capacity(count.min(1 << 16));
    let mut at = 0;
    while levels.len() < count {
        let (mut header, mut shift) = (0u64, 0);
        loop {
            let byte = *encoded.get(at)?;
            at += 1;
            header |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
            if shift > 56 {
                return None;
            }
        }
        let amount = usize::try_from(header >> 1).ok()?;
        if header & 1 == 0 {
            let level = *encoded.get(at)?;
            at += 1;
            levels.extend(std::iter::repeat_n(level, amount.min(count - levels.len())));
        } else {
            let packed = encoded.get(at..at + amount.saturating_mul(width).min(encoded.len() - at))?;
            at += packed.len();
            for index in 0..amount.saturating_mul(8).min(count - levels.len()) {
                let bit = index * width;
                let pair = u16::from(*packed.get(bit / 8)?) | u16::from(packed.get(bit / 8 + 1).copied().unwrap_or(0)) << 8;
                levels.push((pair >> (bit % 8)) as u8 & ((1u16 << width) - 1) as u8);
            }
        }
    }
    Some(levels)
}

/// A leaf as it is read.
#[derive(Debug, Default)]
struct Cursor {
    defs: Vec<u8>,
    reps: Vec<u8>,
    values: Vec<Datum>,
    at: usize,
    value_at: usize,
}

impl Cursor {
    fn def(&self) -> u8 {
        self.defs.get(self.at).copied().unwrap_or(0)
    }
    fn rep(&self) -> u8 {
        self.reps.get(self.at).copied().unwrap_or(0)
    }
}

/// The rows of a file that this program wrote for these columns; columns that the file does not have are null.
///
/// # Errors
/// A sentence: what of the file cannot be read.
pub fn read(bytes: &[u8], columns: &[Column]) -> Result<Vec<Vec<Datum>>, String> {
    let torn = || "the Parquet file is damaged or was not written here".to_owned();
    let footer = bytes.len().checked_sub(8).filter(|_| bytes.starts_with(MAGIC) && bytes.ends_with(MAGIC)).ok_or_else(torn)?;
    let length = u32::from_le_bytes(bytes[footer..footer + 4].try_into().map_err(|_| torn())?) as usize;
    let meta = Thrift::read(bytes.get(footer.checked_sub(length).ok_or_else(torn)?..footer).ok_or_else(torn)?).ok_or_else(torn)?;
    let rows = meta.int(3).ok_or_else(torn)? as usize;
    let shape = Shape::of(columns);
    let mut cursors: Vec<Cursor> = Vec::new();
    for leaf in &shape.leaves {
        let mut cursor = Cursor::default();
        for group in meta.list(4) {
            let chunk = group.list(1).iter().filter_map(|chunk| chunk.tree(3)).find(|chunk| {
                let path: Vec<String> = chunk.list(3).iter().filter_map(Tree::text).collect();
                path == leaf.path
            });
            if let Some(chunk) = chunk {
                read_chunk(bytes, chunk, leaf, &mut cursor).ok_or_else(torn)?;
            }
        }
        if cursor.defs.is_empty() {
            cursor.defs = vec![0; rows];
            cursor.reps = vec![0; rows];
        }
        cursors.push(cursor);
    }
    Ok((0..rows).map(|_| shape.nodes.iter().map(|node| assemble(node, &mut cursors)).collect()).collect())
}

/// Rows of a file, from its footer alone.
pub fn count(bytes: &[u8]) -> Option<u64> {
    let footer = bytes.len().checked_sub(8).filter(|_| bytes.ends_with(MAGIC))?;
    let length = u32::from_le_bytes(bytes[footer..footer + 4].try_into().ok()?) as usize;
    Thrift::read(bytes.get(footer.checked_sub(length)?..footer)?)?.int(3).map(|rows| rows as u64)
}

fn read_chunk(bytes: &[u8], chunk: &Tree, leaf: &Leaf, cursor: &mut Cursor) -> Option<()> {
    let (codec, total) = (chunk.int(4)?, usize::try_from(chunk.int(5)?).ok()?);
    let mut at = usize::try_from(chunk.int(9)?).ok()?;
    let mut seen = 0;
    while seen < total {
        let (header, used) = Thrift::read_some(bytes.get(at..)?)?;
        at += used;
        let packed = bytes.get(at..at + usize::try_from(header.int(3)?).ok()?)?;
        at += packed.len();
        let page = match codec {
            0 => packed.to_vec(),
            1 => snap::raw::Decoder::new().decompress_vec(packed).ok()?,
            2 => gunzip(packed, usize::MAX)?,
            _ => return None,
        };
        let data = header.tree(5)?;
        let count = usize::try_from(data.int(1)?).ok()?;
        if data.int(2)? != 0 || count == 0 {
            return None;
        }
        seen += count;
        let mut place = 0;
        let reps = if leaf.max_rep > 0 { get_levels(&page, &mut place, leaf.max_rep, count)? } else { vec![0; count] };
        let defs = get_levels(&page, &mut place, leaf.max_def, count)?;
        let present = defs.iter().map(|def| usize::from(*def == leaf.max_def)).sum::<usize>();
        for index in 0..present {
            cursor.values.push(unplain(&page, &mut place, index, &leaf.kind)?);
        }
        cursor.reps.extend(reps);
        cursor.defs.extend(defs);
    }
    Some(())
}

fn unplain(page: &[u8], at: &mut usize, index: usize, kind: &Type) -> Option<Datum> {
    let mut take = |count: usize| {
        let bytes = page.get(*at..*at + count)?;
        *at += count;
        Some(bytes)
    };
    Some(match physical(kind).0 {
        BOOLEAN => Datum::Bool(page.get(*at + index / 8)? >> (index % 8) & 1 == 1),
        INT32 => Datum::Int(i64::from(i32::from_le_bytes(take(4)?.try_into().ok()?))),
        INT64 => Datum::Int(i64::from_le_bytes(take(8)?.try_into().ok()?)),
        INT96 => {
            let nanos = i64::from_le_bytes(take(8)?.try_into().ok()?);
            let day = i64::from(i32::from_le_bytes(take(4)?.try_into().ok()?));
            Datum::Timestamp((day - JULIAN_EPOCH) * DAY_MICROS + nanos / 1000)
        }
        FLOAT => Datum::Float(f64::from(f32::from_le_bytes(take(4)?.try_into().ok()?))),
        DOUBLE => Datum::Float(f64::from_le_bytes(take(8)?.try_into().ok()?)),
        FIXED => {
            let Type::Decimal(precision, _) = kind else { return None };
            let digits = take(decimal_bytes(*precision))?;
            let mut wide = [if digits[0] & 0x80 == 0 { 0 } else { 0xff }; 16];
            wide[16 - digits.len()..].copy_from_slice(digits);
            Datum::Decimal(i128::from_be_bytes(wide))
        }
        _ => {
            let length = u32::from_le_bytes(take(4)?.try_into().ok()?) as usize;
            let bytes = take(length)?.to_vec();
            if *kind == Type::Binary { Datum::Bytes(bytes) } else { Datum::Text(String::from_utf8(bytes).ok()?) }
        }
    })
}

fn assemble(node: &Node, cursors: &mut [Cursor]) -> Datum {
    let (first_def, first) = (cursors[node.first()].def(), node.first());
    let skip = |cursors: &mut [Cursor]| node.leaves(&mut |leaf| cursors[leaf].at += 1);
    match node {
        Node::Leaf { leaf, def, .. } => {
            let cursor = &mut cursors[*leaf];
            let present = cursor.def() == *def;
            cursor.at += 1;
            if !present {
                return Datum::Null;
            }
            cursor.value_at += 1;
            cursor.values.get_mut(cursor.value_at - 1).map_or(Datum::Null, |value| std::mem::replace(value, Datum::Null))
        }
        Node::Struct { def, fields } => {
            if first_def < *def {
                skip(cursors);
                return Datum::Null;
            }
            Datum::Struct(fields.iter().map(|field| assemble(field, cursors)).collect())
        }
        Node::List { def, rep, item } => {
            if first_def <= *def {
                skip(cursors);
                return if first_def < *def { Datum::Null } else { Datum::List(Vec::new()) };
            }
            let mut items = vec![assemble(item, cursors)];
            while cursors[first].at < cursors[first].reps.len() && cursors[first].rep() == *rep {
                items.push(assemble(item, cursors));
            }
            Datum::List(items)
        }
        Node::Map { def, rep, key, value } => {
            if first_def <= *def {
                skip(cursors);
                return if first_def < *def { Datum::Null } else { Datum::Map(Vec::new()) };
            }
            let mut entries = Vec::new();
            loop {
                let key = assemble(key, cursors);
                entries.push((key, assemble(value, cursors)));
                if cursors[first].at >= cursors[first].reps.len() || cursors[first].rep() != *rep {
                    break;
                }
            }
            Datum::Map(entries)
        }
    }
}
