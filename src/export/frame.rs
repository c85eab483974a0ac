//! One frame of the dashboard as text or as an SVG picture: `kinlab screen`, README pictures, snapshots. Pure functions of a view.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use crate::engine::view::Wants;
use crate::session::view::SessionView;
use crate::tui::app::{App, Look};
use crate::tui::glyphs::GlyphSet;
use crate::tui::ids::Screen;
use crate::tui::render::frame;
use crate::tui::theme::{Theme, probe_letter};

/// What to draw and how.
#[derive(Debug, Clone)]
pub struct FrameOptions {
    /// Screen.
    pub screen: Screen,
    /// Width in cells, 1–1000.
    pub width: u16,
    /// Height in cells, 1–1000.
    pub height: u16,
    /// Theme; matters for SVG only.
    pub theme: &'static Theme,
    /// Signs.
    pub glyphs: GlyphSet,
}

impl FrameOptions {
    /// A screen at a size in the default theme.
    pub fn new(screen: Screen, width: u16, height: u16) -> Self {
        Self { screen, width, height, theme: &Theme::all()[0], glyphs: GlyphSet::Unicode }
    }

    /// A dashboard with these options.
    pub fn app(&self) -> App {
        let look = Look { theme: self.theme, glyphs: self.glyphs, motion: false, ..Look::default() };
        App::new(look, self.screen, self.width.clamp(1, 1000), self.height.clamp(1, 1000))
    }

    /// What the view has to hold.
    pub fn wants(&self) -> Wants {
        self.app().wants()
    }

    fn buffer(&self, view: &SessionView) -> Buffer {
        let app = self.app();
        frame(&app, view, app.size.0, app.size.1).0
    }
}

/// Exactly `height` lines, each ended by a line feed; spaces at the ends of lines are left out.
pub fn render_text(view: &SessionView, options: &FrameOptions) -> String {
    buffer_text(&options.buffer(view))
}

/// An SVG picture with one text element per run of equal style. Fonts: the first monospaced one of the viewer.
pub fn render_svg(view: &SessionView, options: &FrameOptions) -> String {
    buffer_svg(&options.buffer(view), options.theme)
}

/// The text of a buffer, see [`render_text`].
pub fn buffer_text(buf: &Buffer) -> String {
    let mut out = String::new();
    for_rows(buf, |row| {
        let line: String = row.iter().map(|(_, symbol, _)| *symbol).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    });
    out
}

/// The role letters of a buffer that was drawn with the probe theme, one line per row: row number, then a letter per cell.
pub fn buffer_roles(buf: &Buffer) -> String {
    let mut out = String::new();
    let mut y = 0;
    for_rows(buf, |row| {
        let line: String = row
            .iter()
            .map(|(_, symbol, style)| {
                if *symbol == " " && style.bg.is_none_or(|b| b == ratatui::style::Style::reset().bg.unwrap_or(b)) {
                    ' '
                } else {
                    probe_letter(*style)
                }
            })
            .collect();
        let _ = writeln!(out, "{y:2} {}", line.trim_end());
        y += 1;
    });
    out
}

/// Calls `each` per row with (column, symbol, style) of every cell that is not the tail of a wide character.
fn for_rows(buf: &Buffer, mut each: impl FnMut(&[(u16, &str, Style)])) {
    let area = buf.area;
    for y in area.top()..area.bottom() {
        let mut row = Vec::with_capacity(usize::from(area.width));
        let mut x = area.left();
        while x < area.right() {
            let cell = &buf[(x, y)];
            row.push((x, cell.symbol(), cell.style()));
            x += u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
        }
        each(&row);
    }
}

const CELL_WIDTH: u32 = 9;
const CELL_HEIGHT: u32 = 19;
const BASELINE: u32 = 14;

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// An SVG picture of a buffer, see [`render_svg`].
pub fn buffer_svg(buf: &Buffer, theme: &Theme) -> String {
    let (w, h) = (u32::from(buf.area.width) * CELL_WIDTH, u32::from(buf.area.height) * CELL_HEIGHT);
    let back = theme.background();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"15\" xml:space=\"preserve\">\n<rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n",
        hex(back)
    );
    let mut y = 0;
    for_rows(buf, |row| {
        let mut at = 0;
        while at < row.len() {
            let style = row[at].2;
            let end = row[at..].iter().position(|(_, _, s)| *s != style).map_or(row.len(), |n| at + n);
            run(&mut out, &row[at..end], style, y, theme, back);
            at = end;
        }
        y += 1;
    });
    out.push_str("</svg>\n");
    out
}

fn run(out: &mut String, cells: &[(u16, &str, Style)], style: Style, y: u32, theme: &Theme, back: (u8, u8, u8)) {
    let (fg, bg) = theme.rgb(style);
    let text: String = cells.iter().map(|(_, symbol, _)| *symbol).collect();
    let x = u32::from(cells[0].0) * CELL_WIDTH;
    let width = u32::try_from(text.width()).unwrap_or(0) * CELL_WIDTH;
    if bg != back {
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{CELL_HEIGHT}\" fill=\"{}\"/>", y * CELL_HEIGHT, hex(bg));
    }
    if text.trim().is_empty() {
        return;
    }
    let mut look = String::new();
    if style.add_modifier.contains(Modifier::BOLD) {
        look.push_str(" font-weight=\"bold\"");
    }
    if style.add_modifier.contains(Modifier::ITALIC) {
        look.push_str(" font-style=\"italic\"");
    }
    if style.add_modifier.contains(Modifier::UNDERLINED) {
        look.push_str(" text-decoration=\"underline\"");
    }
    // textLength pins every run to its cells, whatever font the viewer has.
    let _ = write!(out, "<text x=\"{x}\" y=\"{}\" fill=\"{}\" textLength=\"{width}\"{look}>", y * CELL_HEIGHT + BASELINE, hex(fg));
    escape(&text, out);
    out.push_str("</text>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture;

    #[test]
    fn text_has_exactly_the_lines_asked_for() {
        let view = fixture::lab1_throttled();
        for (w, h) in [(80, 24), (120, 40), (60, 18), (20, 3), (1, 1)] {
            let text = render_text(&view, &FrameOptions::new(Screen::Streams, w, h));
            assert_eq!(text.matches('\n').count(), usize::from(h), "{w}x{h}");
            assert!(text.lines().all(|l| l.width() <= usize::from(w)));
        }
    }

    #[test]
    fn svg_is_well_formed_and_holds_the_text() {
        let mut view = fixture::lab1_throttled();
        view.lab.step.title = "a < b & c > d".to_owned();
        let options = FrameOptions { theme: Theme::by_name("contrast").expect("exists"), ..FrameOptions::new(Screen::Streams, 80, 24) };
        let svg = render_svg(&view, &options);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b &amp; c &gt; d"), "escaped");
        assert_eq!(svg.matches("<text ").count(), svg.matches("</text>").count());
        assert!(svg.matches("<rect ").count() > 1, "reversed cells have a background");
        let inside: String = svg.lines().filter_map(|l| l.split_once('>')).map(|(_, rest)| rest).collect();
        assert!(!inside.replace("</text>", "").contains('<'));
    }
}
