//! Keys of groups, partitions and joins as dense numbers: a key is hashed once per row, column at a time.
//!
//! Invariants: numbers are given in the order of first arrival; keys are equal as grouping compares them; nothing depends on the hash.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use crate::sql::column::{Column, ColumnBuilder, trimmed};
use crate::sql::value::Value;

/// Slots that a fresh table has.
const SLOTS: usize = 64;

/// A place of the table: a part of the hash, and the number of the key and one; nothing is zero.
type Place = (u32, u32);

/// Keys and their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyTable {
    columns: Vec<ColumnBuilder>,
    hashes: Vec<u64>,
    places: Vec<Place>,
}

impl KeyTable {
    /// Keys.
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The number of a row's key, which is new when it is the present [`Self::len`]. Only the columns named by `compared` make keys differ;
    /// `hash` is theirs.
    pub(super) fn number(&mut self, key: &[Column], compared: &[usize], row: usize, hash: u64) -> u32 {
        if self.places.is_empty() {
            self.places = vec![(0, 0); SLOTS];
            self.columns.resize_with(key.len(), ColumnBuilder::default);
        }
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        let tag = (hash >> 32) as u32;
        loop {
            let (known, number) = self.places[at];
            if number == 0 {
                break;
            }
            let index = number as usize - 1;
            if known == tag && compared.iter().all(|column| self.columns[*column].same(index, &key[*column], row)) {
                return number - 1;
            }
            at = (at + 1) & mask;
        }
        let number = self.hashes.len() as u32;
        self.places[at] = (tag, number + 1);
        self.hashes.push(hash);
        for (builder, column) in self.columns.iter_mut().zip(key) {
            builder.push_from(column, row);
        }
        if self.hashes.len() * 2 > self.places.len() {
            self.grow(self.places.len() * 2);
        }
        number
    }

    /// The number of a row's key when it is known.
    pub(super) fn find(&self, key: &[Column], row: usize, hash: u64) -> Option<u32> {
        let mask = self.places.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        let tag = (hash >> 32) as u32;
        loop {
            let (known, number) = self.places[at];
            let index = (number as usize).checked_sub(1)?;
            if known == tag && self.columns.iter().zip(key).all(|(own, column)| own.same(index, column, row)) {
                return Some(number - 1);
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self, slots: usize) {
        self.places.clear();
        self.places.resize(slots, (0, 0));
        let mask = slots - 1;
        for (number, hash) in self.hashes.iter().enumerate() {
            let mut at = *hash as usize & mask;
            while self.places[at].1 != 0 {
                at = (at + 1) & mask;
            }
            self.places[at] = ((*hash >> 32) as u32, number as u32 + 1);
        }
    }

    /// A key's value.
    pub(super) fn value(&self, number: usize, column: usize) -> Value {
        self.columns.get(column).map_or(Value::Null, |builder| builder.value(number))
    }

    /// Takes all keys out, as columns in the order of their numbers.
    pub(super) fn take(&mut self, width: usize) -> Vec<Column> {
        let count = self.hashes.len();
        self.columns.resize_with(width, ColumnBuilder::default);
        let columns = self.columns.iter_mut().map(ColumnBuilder::take).collect();
        // A table that was much larger than it had to be shrinks.
        if self.places.len() > SLOTS && self.places.len() > count * 16 {
            self.places = Vec::new();
            self.hashes = Vec::new();
            self.places = vec![(0, 0); (count * 4).next_power_of_two().max(SLOTS)];
        } else {
            self.places.fill((0, 0));
            self.hashes.clear();
        }
        columns
    }

    /// Only the keys stay that are wanted; they get new numbers in the same order.
    pub(super) fn retain(&mut self, wanted: &[bool]) {
        let kept: Vec<u32> = (0..self.len() as u32).filter(|number| wanted[*number as usize]).collect();
        let width = self.columns.len();
        let hashes = std::mem::take(&mut self.hashes);
        let columns = std::mem::take(&mut self.columns);
        self.columns = columns
            .into_iter()
            .map(|builder| {
                let column = builder.finish();
                let mut next = ColumnBuilder::default();
                for number in &kept {
                    next.push_from(&column, *number as usize);
                }
                next
            })
            .collect();
        debug_assert_eq!(self.columns.len(), width, "each column stays");
        self.hashes = kept.iter().map(|number| hashes[*number as usize]).collect();
        self.grow((kept.len() * 4).next_power_of_two().max(SLOTS));
    }
}

/// Hashes of keys over the rows of their columns, and whether a key has a NULL.
pub(super) fn hashes<'c>(key: impl Iterator<Item = &'c Column>, rows: usize, into: &mut Vec<u64>) {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let state = FixedState::with_seed(0x6b69_6e6c_6162);
    into.clear();
    into.resize(rows, 0);
    let mix = |hash: &mut u64, with: u64| {
        let wide = u128::from(*hash ^ with ^ ODD) * u128::from(ODD | 1);
        *hash = (wide as u64) ^ (wide >> 64) as u64;
    };
    let number = |value: f64| (if value == 0.0 { 0.0f64 } else { value }).to_bits();
    let bytes = |text: &[u8]| {
        let mut hasher = state.build_hasher();
        hasher.write(trimmed(text));
        hasher.finish()
    };
    for column in key {
        match column {
            Column::Texts(texts) => {
                for (row, hash) in into.iter_mut().enumerate() {
                    mix(hash, texts.bytes(row).map_or(1, bytes));
                }
            }
            Column::Ints(slots) if slots.nulls.is_none() => {
                into.iter_mut().zip(slots.values.iter()).for_each(|(hash, value)| mix(hash, number(*value as f64)));
            }
            Column::Times(slots) if slots.nulls.is_none() => {
                into.iter_mut().zip(slots.values.iter()).for_each(|(hash, value)| mix(hash, *value as u64));
            }
            Column::Repeat(value) => {
                let one = hash_of(value, &bytes, &number);
                for hash in into.iter_mut() {
                    mix(hash, one);
                }
            }
            column => into.iter_mut().enumerate().for_each(|(row, hash)| mix(hash, hash_of(&column.value(row), &bytes, &number))),
        }
    }
}

/// Values that grouping takes for equal hash alike, whatever their kind.
fn hash_of(value: &Value, bytes: &dyn Fn(&[u8]) -> u64, number: &dyn Fn(f64) -> u64) -> u64 {
    match value {
        Value::Null => 1,
        Value::Text(text) => bytes(text.as_bytes()),
        Value::Bytes(list) => bytes(list),
        Value::Record(cells) => cells.iter().fold(2, |hash, cell| hash.rotate_left(7) ^ hash_of(cell, bytes, number)),
        Value::Ms(ms) => *ms as u64,
        other => number(other.number().unwrap_or(0.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_have_one_number() {
        let mut table = KeyTable::default();
        let key = [Column::of(["a", "a  ", "b", "a"].map(Value::text)), Column::of([Value::Int(1), Value::Dec(10, 1), Value::Int(1), Value::Null])];
        let mut hash = Vec::new();
        hashes(key.iter(), 4, &mut hash);
        let numbers: Vec<u32> = (0..4).map(|row| table.number(&key, &[0, 1], row, hash[row])).collect();
        assert_eq!(numbers, [0, 0, 1, 2]);
        assert_eq!(table.find(&key, 1, hash[1]), Some(0));
        table.retain(&[false, true, true]);
        assert_eq!((table.find(&key, 0, hash[0]), table.find(&key, 2, hash[2]), table.find(&key, 3, hash[3])), (None, Some(0), Some(1)));
    }

    #[test]
    fn many_keys_are_found_again() {
        let mut table = KeyTable::default();
        let key = [Column::of((0..10_000).map(Value::Int))];
        let mut hash = Vec::new();
        hashes(key.iter(), 10_000, &mut hash);
        for (row, hash) in hash.iter().enumerate() {
            assert_eq!(table.number(&key, &[0], row, *hash), row as u32);
        }
        assert!((0..10_000).all(|row| table.find(&key, row, hash[row]) == Some(row as u32)));
        assert_eq!(table.take(1).len(), 1);
        assert_eq!(table.find(&key, 7, hash[7]), None);
    }
}
