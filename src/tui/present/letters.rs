//! Block letters, five rows high, for the title of a beat: a font of filled cells, so that it needs neither a large font nor a special terminal.

use crate::tui::paint::Painter;
use crate::tui::theme::Role;

/// Rows of a letter.
pub const HEIGHT: u16 = 5;

/// Five rows of a character, `x` where it is filled.
fn rows(c: char) -> [&'static str; 5] {
    match c.to_ascii_uppercase() {
        'A' => [" xx ", "x  x", "xxxx", "x  x", "x  x"],
        'B' => ["xxx ", "x  x", "xxx ", "x  x", "xxx "],
        'C' => [" xxx", "x   ", "x   ", "x   ", " xxx"],
        'D' => ["xxx ", "x  x", "x  x", "x  x", "xxx "],
        'E' => ["xxxx", "x   ", "xxx ", "x   ", "xxxx"],
        'F' => ["xxxx", "x   ", "xxx ", "x   ", "x   "],
        'G' => [" xxx", "x   ", "x xx", "x  x", " xxx"],
        'H' => ["x  x", "x  x", "xxxx", "x  x", "x  x"],
        'I' => ["xxx", " x ", " x ", " x ", "xxx"],
        'J' => ["  xx", "   x", "   x", "x  x", " xx "],
        'K' => ["x  x", "x x ", "xx  ", "x x ", "x  x"],
        'L' => ["x   ", "x   ", "x   ", "x   ", "xxxx"],
        'M' => ["x   x", "xx xx", "x x x", "x   x", "x   x"],
        'N' => ["x   x", "xx  x", "x x x", "x  xx", "x   x"],
        'O' => [" xx ", "x  x", "x  x", "x  x", " xx "],
        'P' => ["xxx ", "x  x", "xxx ", "x   ", "x   "],
        'Q' => [" xx ", "x  x", "x  x", "x xx", " xxx"],
        'R' => ["xxx ", "x  x", "xxx ", "x x ", "x  x"],
        'S' => [" xxx", "x   ", " xx ", "   x", "xxx "],
        'T' => ["xxxxx", "  x  ", "  x  ", "  x  ", "  x  "],
        'U' => ["x  x", "x  x", "x  x", "x  x", " xx "],
        'V' => ["x   x", "x   x", "x   x", " x x ", "  x  "],
        'W' => ["x   x", "x   x", "x x x", "xx xx", "x   x"],
        'X' => ["x   x", " x x ", "  x  ", " x x ", "x   x"],
        'Y' => ["x   x", " x x ", "  x  ", "  x  ", "  x  "],
        'Z' => ["xxxx", "   x", " xx ", "x   ", "xxxx"],
        '0' => [" xx ", "x xx", "x  x", "xx x", " xx "],
        '1' => [" x ", "xx ", " x ", " x ", "xxx"],
        '2' => ["xxx ", "   x", " xx ", "x   ", "xxxx"],
        '3' => ["xxx ", "   x", " xx ", "   x", "xxx "],
        '4' => ["x  x", "x  x", "xxxx", "   x", "   x"],
        '5' => ["xxxx", "x   ", "xxx ", "   x", "xxx "],
        '6' => [" xx ", "x   ", "xxx ", "x  x", " xx "],
        '7' => ["xxxx", "   x", "  x ", " x  ", " x  "],
        '8' => [" xx ", "x  x", " xx ", "x  x", " xx "],
        '9' => [" xx ", "x  x", " xxx", "   x", " xx "],
        '.' => [" ", " ", " ", " ", "x"],
        ',' => ["  ", "  ", "  ", " x", "x "],
        ':' => [" ", "x", " ", "x", " "],
        '!' => ["x", "x", "x", " ", "x"],
        '?' => ["xxx ", "   x", " xx ", "    ", " x  "],
        '\'' => ["x", "x", " ", " ", " "],
        '/' => ["   x", "  x ", " x  ", "x   ", "x   "],
        '+' => ["   ", " x ", "xxx", " x ", "   "],
        '-' => ["   ", "   ", "xxx", "   ", "   "],
        '%' => ["x  x", "  x ", " x  ", "x   ", "x  x"],
        '&' => [" x  ", "x x ", " x  ", "x x ", " xxx"],
        '=' => ["   ", "xxx", "   ", "xxx", "   "],
        '<' => ["  x", " x ", "x  ", " x ", "  x"],
        '>' => ["x  ", " x ", "  x", " x ", "x  "],
        '(' => [" x", "x ", "x ", "x ", " x"],
        ')' => ["x ", " x", " x", " x", "x "],
        _ => ["  ", "  ", "  ", "  ", "  "],
    }
}

/// Cells that a text takes.
pub fn width(text: &str) -> u16 {
    let all: usize = text.chars().map(|c| rows(c)[0].len() + 1).sum();
    u16::try_from(all.saturating_sub(1)).unwrap_or(u16::MAX)
}

/// Draws a text from `x`, `y`; letters that do not fit whole within `cells` are left out.
pub fn draw(p: &mut Painter<'_>, x: u16, y: u16, cells: u16, text: &str, role: Role) {
    let mut at = x;
    for c in text.chars() {
        let letter = rows(c);
        let wide = u16::try_from(letter[0].len()).unwrap_or(0);
        if at + wide > x.saturating_add(cells) {
            return;
        }
        for (row, line) in (0..).zip(letter) {
            for (column, filled) in (0..).zip(line.bytes()) {
                if filled == b'x' {
                    p.sign(at + column, y + row, p.glyphs.full, role);
                }
            }
        }
        at += wide + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_a_title_is_drawn_and_even() {
        for c in ('A'..='Z').chain('0'..='9').chain(".,:?!'/+-%&=<>()".chars()) {
            let letter = rows(c);
            assert!(letter.iter().all(|row| row.len() == letter[0].len()), "{c}");
            assert!(letter.iter().any(|row| row.contains('x')), "{c} is empty");
        }
        assert_eq!((width("HI"), width("")), (8, 0));
    }
}
