//! The dashboard: a pure function from [`crate::session::view::SessionView`] and [`app::App`] to cells, and the terminal loop around it.
//!
//! * [`app`] holds what the screen remembers, [`update`] changes it by messages and answers effects, [`render`] draws it.
//! * [`run`] is the only part that touches a terminal.
//! * Widgets name roles ([`theme`]) and signs ([`glyphs`]), never colours or characters of their own.

pub mod action;
pub mod app;
pub mod broken;
pub mod dashboard;
pub mod demo;
pub mod editor;
mod faults;
pub mod fixture;
pub mod glyphs;
pub mod hit;
pub mod ids;
pub mod keymap;
pub mod keys;
pub mod labs;
mod layout;
pub mod line_edit;
mod markdown;
mod overlays;
mod paint;
mod panes;
pub mod present;
pub mod render;
pub mod run;
mod templates;
pub mod text;
mod text_edit;
pub mod theme;
mod topology;
pub mod update;
mod what_if;
