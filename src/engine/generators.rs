//! The registry of generator versions. A version never changes; a schema change or a defect makes a new one, so that every stored record
//! can be made again with the version that made it first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::generate::{Change, Generator};
use super::kinesis::store::{Remade, Remake};

/// All versions of all generators. Ids count from 1; 0 and 65,535 mean something else in the store.
#[derive(Debug, Clone, Default)]
pub struct Generators {
    versions: Vec<Arc<Generator>>,
    current: BTreeMap<String, u16>,
}

impl Generators {
    /// Adds a generator, or a new version of it, and gives the version's id; `None` when 65,533 versions exist.
    pub fn add(&mut self, name: &str, generator: Arc<Generator>) -> Option<u16> {
        let id = u16::try_from(self.versions.len() + 1).ok().filter(|id| *id < u16::MAX)?;
        self.versions.push(generator);
        self.current.insert(name.to_owned(), id);
        Some(id)
    }

    /// The version in use.
    pub fn current(&self, name: &str) -> Option<u16> {
        self.current.get(name).copied()
    }

    /// Goes back to (or on to) a version.
    pub fn set_current(&mut self, name: &str, id: u16) {
        self.current.insert(name.to_owned(), id);
    }

    /// A version by id.
    pub fn version(&self, id: u16) -> Option<&Arc<Generator>> {
        self.versions.get(usize::from(id).checked_sub(1)?)
    }

    /// A new version with a change.
    ///
    /// # Errors
    /// A sentence: no such generator, or what is wrong with the change.
    pub fn change(&mut self, name: &str, change: &Change) -> Result<u16, String> {
        let present = self.current(name).and_then(|id| self.version(id)).ok_or_else(|| format!("there is no generator {name}"))?;
        let changed = present.with_change(change).map_err(|error| error.to_string())?;
        self.add(name, Arc::new(changed)).ok_or_else(|| "too many generator versions".to_owned())
    }
}

impl Remake for Generators {
    fn data(&self, record: Remade, out: &mut Vec<u8>) {
        if let Some(generator) = self.version(record.source) {
            generator.write(record.index, record.event_time, out);
        }
    }

    fn key(&self, record: Remade, data: &[u8], out: &mut String) {
        if let Some(generator) = self.version(record.source) {
            generator.partition_key(record.index, data, out);
        }
    }
}
