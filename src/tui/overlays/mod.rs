//! Layers over the screen, drawn in the middle; the one on top takes the keys.

mod answer;
mod branches;
mod confirm;
mod editor;
mod explain;
mod export;
mod faults;
mod guide;
mod output;
pub mod palette;
mod trail;
mod what_if;

use ratatui::layout::Rect;

use super::app::Overlay;
use super::hit::Target;
use super::paint::{Frame, Painter};
use super::panes::Cx;

/// Where an overlay of a wanted size goes: the middle, at most the screen less one line above and below.
fn place(screen: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(screen.width);
    let height = height.min(screen.height.saturating_sub(2)).max(screen.height.min(3));
    Rect::new(screen.x + (screen.width - width) / 2, screen.y + (screen.height - height) / 2, width, height)
}

/// Clears the place of an overlay and draws its frame; answers the area inside.
fn open(p: &mut Painter<'_>, area: Rect, title: &str, right: &str, keys: &[(String, &str)]) -> Rect {
    p.clear(area);
    p.hit(area, Target::Overlay);
    p.frame(area, &Frame { title, right, keys, note: "", focused: true })
}

fn keys(pairs: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    pairs.iter().map(|(key, what)| ((*key).to_owned(), *what)).collect()
}

/// Draws one layer.
pub fn draw(overlay: &Overlay, cx: &Cx<'_>, screen: Rect, p: &mut Painter<'_>) {
    match overlay {
        Overlay::Palette(state) => palette::draw(state, cx, screen, p),
        Overlay::Explain(check) => explain::draw(*check, cx, screen, p),
        Overlay::Output(state) => output::draw(state, screen, p),
        Overlay::Answer(state) => answer::draw(state, cx, screen, p),
        Overlay::Confirm(state) => confirm::draw(state, screen, p),
        Overlay::Trail(scroll) => trail::draw(*scroll, cx, screen, p),
        Overlay::WhatIf(state) => what_if::draw(state, screen, p),
        Overlay::Faults(state) => faults::draw(*state, cx, screen, p),
        Overlay::Branches(selected) => branches::draw(*selected, cx, screen, p),
        Overlay::Editor(state) => editor::draw(state, cx, screen, p),
        Overlay::Guide(scroll) => guide::draw(*scroll, cx, screen, p),
        Overlay::Export(chosen) => export::draw(*chosen, screen, p),
    }
}
