//! Cells as the bytes that a terminal understands: the difference between two frames.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

fn colour(out: &mut String, colour: Color, back: bool) {
    let base = if back { 40 } else { 30 };
    let _ = match colour {
        Color::Reset => Ok(()),
        Color::Black => write!(out, ";{base}"),
        Color::Red => write!(out, ";{}", base + 1),
        Color::Green => write!(out, ";{}", base + 2),
        Color::Yellow => write!(out, ";{}", base + 3),
        Color::Blue => write!(out, ";{}", base + 4),
        Color::Magenta => write!(out, ";{}", base + 5),
        Color::Cyan => write!(out, ";{}", base + 6),
        Color::Gray => write!(out, ";{}", base + 7),
        Color::DarkGray => write!(out, ";{}", base + 60),
        Color::LightRed => write!(out, ";{}", base + 61),
        Color::LightGreen => write!(out, ";{}", base + 62),
        Color::LightYellow => write!(out, ";{}", base + 63),
        Color::LightBlue => write!(out, ";{}", base + 64),
        Color::LightMagenta => write!(out, ";{}", base + 65),
        Color::LightCyan => write!(out, ";{}", base + 66),
        Color::White => write!(out, ";{}", base + 67),
        Color::Indexed(number) => write!(out, ";{};5;{number}", base + 8),
        Color::Rgb(r, g, b) => write!(out, ";{};2;{r};{g};{b}", base + 8),
    };
}

fn style(out: &mut String, style: Style) {
    out.push_str("\x1b[0");
    for (modifier, code) in [(Modifier::BOLD, 1), (Modifier::DIM, 2), (Modifier::ITALIC, 3), (Modifier::UNDERLINED, 4), (Modifier::REVERSED, 7)] {
        if style.add_modifier.contains(modifier) {
            let _ = write!(out, ";{code}");
        }
    }
    colour(out, style.fg.unwrap_or(Color::Reset), false);
    colour(out, style.bg.unwrap_or(Color::Reset), true);
    out.push('m');
}

/// What turns a terminal that shows `before` into one that shows `after`; empty when they are the same.
pub fn difference(before: &Buffer, after: &Buffer) -> String {
    let mut out = String::new();
    let mut at = None;
    let mut worn = None;
    for (x, y, cell) in before.diff(after) {
        if at != Some((x, y)) {
            let _ = write!(out, "\x1b[{};{}H", y + 1, x + 1);
        }
        if worn != Some(cell.style()) {
            style(&mut out, cell.style());
            worn = Some(cell.style());
        }
        out.push_str(cell.symbol());
        let wide = u16::try_from(unicode_width::UnicodeWidthStr::width(cell.symbol())).unwrap_or(1);
        at = Some((x + wide, y));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written() {
        let before = Buffer::with_lines(["abc", "def"]);
        let mut after = before.clone();
        after[(1, 1)].set_symbol("X").set_style(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        after[(2, 1)].set_symbol("Y").set_style(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        assert_eq!(difference(&before, &after), "\x1b[2;2H\x1b[0;1;31mXY");
        assert_eq!(difference(&after, &after), "");
    }
}
