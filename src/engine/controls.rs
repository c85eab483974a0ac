//! World controls that last for a while and what undoes them.

use super::time::VirtualTime;

/// Something to undo at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// A generator goes back to an earlier version.
    Generator {
        /// Name.
        name: String,
        /// The version before the change.
        version: u16,
    },
    /// A fault ends.
    Fault(super::command::Fault),
    /// A stalled shard takes writes again.
    Shard {
        /// Stream name.
        stream: String,
        /// Shard number.
        shard: u32,
    },
}

/// A control under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// When it ends.
    pub until: VirtualTime,
    /// What ends it.
    pub undo: Undo,
}
