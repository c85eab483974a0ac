//! A lab being played: the world, the lab's progress, the command language, going back in time. Knows nothing of terminals.

pub mod language;
pub mod play;
pub mod proof;

pub use play::{Outcome, Session};
