//! A lab being played: the world, the lab's progress, the command language, pace, going back in time. Knows nothing of terminals.

mod app_words;
pub mod branches;
pub mod clients;
mod clock;
pub mod code;
mod deliveries;
mod drive;
pub mod driver;
pub mod handlers;
pub mod input;
mod keeping;
pub mod language;
pub mod node;
pub mod outside;
pub mod play;
pub mod proof;
pub mod report;
mod requests;
pub mod runlog;
pub mod showing;
mod templates;
mod time_words;
mod travel;
pub mod view;
mod vocabulary;
mod words;
mod yaml;

pub use play::Session;
