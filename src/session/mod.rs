//! Wall clock to virtual time, files and the command log: everything around the deterministic world.

pub mod driver;
pub mod input;
pub mod tail;
pub mod view;
