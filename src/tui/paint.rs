//! The brush: text, bars and frames into a buffer by role. Everything is clipped to the area it was given; no text of the world can move the
//! terminal's cursor, because control characters never reach a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthChar;

use super::glyphs::Glyphs;
use super::hit::{HitMap, Target};
use super::text::{clip, clip_words, width};
use super::theme::{Role, Theme};

/// A buffer, the styles and signs to draw with, and the hit map that grows meanwhile.
pub struct Painter<'a> {
    pub buf: &'a mut Buffer,
    pub theme: &'a Theme,
    pub glyphs: &'static Glyphs,
    pub hits: &'a mut HitMap,
}

/// Words around a frame. Right and bottom texts are left out when they do not fit, the title is cut.
#[derive(Default)]
pub struct Frame<'t> {
    pub title: &'t str,
    pub right: &'t str,
    pub keys: &'t [(String, &'t str)],
    pub note: &'t str,
    pub focused: bool,
}

impl Painter<'_> {
    fn clipped(&self, area: Rect) -> Rect {
        area.intersection(self.buf.area)
    }

    /// Writes `text` from `x`, at most `cells` wide and never beyond the buffer; answers the column after it.
    pub fn put(&mut self, x: u16, y: u16, cells: u16, text: &str, role: Role) -> u16 {
        let area = self.buf.area;
        let end = x.saturating_add(cells).min(area.right());
        if y < area.top() || y >= area.bottom() || x < area.left() {
            return x;
        }
        let style = self.theme.style(role);
        let mut at = x;
        for c in text.chars() {
            let c = if c.is_control() { '.' } else { self.glyphs.translate(c) };
            let w = u16::try_from(c.width().unwrap_or(0)).unwrap_or(0);
            if w == 0 {
                if at > x
                    && let Some(cell) = self.buf.cell_mut((at - 1, y))
                {
                    let joined = format!("{}{c}", cell.symbol());
                    cell.set_symbol(&joined);
                }
                continue;
            }
            if at + w > end {
                break;
            }
            if let Some(cell) = self.buf.cell_mut((at, y)) {
                cell.set_char(c).set_style(style);
            }
            for tail in 1..w {
                if let Some(cell) = self.buf.cell_mut((at + tail, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
            at += w;
        }
        at
    }

    /// Writes `text` so that it ends before column `right` and does not start before `left`.
    pub fn put_right(&mut self, left: u16, right: u16, y: u16, text: &str, role: Role) -> u16 {
        let room = right.saturating_sub(left);
        let text = clip(text, room);
        let x = right.saturating_sub(width(&text)).max(left);
        self.put(x, y, room, &text, role);
        x
    }

    /// Writes several pieces one after the other within `cells`.
    pub fn put_all(&mut self, x: u16, y: u16, cells: u16, pieces: &[(&str, Role)]) -> u16 {
        let end = x.saturating_add(cells);
        pieces.iter().fold(x, |x, (text, role)| self.put(x, y, end.saturating_sub(x), text, *role))
    }

    /// `count` times the same sign.
    pub fn repeat(&mut self, x: u16, y: u16, count: u16, sign: char, role: Role) {
        let style = self.theme.style(role);
        let row = self.clipped(Rect::new(x, y, count, 1));
        for x in row.left()..row.right() {
            if let Some(cell) = self.buf.cell_mut((x, y)) {
                cell.set_char(sign).set_style(style);
            }
        }
    }

    /// One sign.
    pub fn sign(&mut self, x: u16, y: u16, sign: char, role: Role) {
        self.repeat(x, y, 1, sign, role);
    }

    /// Empties an area.
    pub fn clear(&mut self, area: Rect) {
        let area = self.clipped(area);
        for y in area.top()..area.bottom() {
            // A wide character that reaches into the area would be drawn over its first column.
            if area.left() > self.buf.area.left()
                && let Some(cell) = self.buf.cell_mut((area.left() - 1, y))
                && width(cell.symbol()) > 1
            {
                cell.set_char(' ');
            }
            for x in area.left()..area.right() {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }

    /// Lays a role over what is there (selection).
    pub fn lay_over(&mut self, area: Rect, role: Role) {
        let area = self.clipped(area);
        self.buf.set_style(area, self.theme.style(role));
    }

    /// Draws a frame and answers the area inside. Heavy lines mean focus.
    pub fn frame(&mut self, area: Rect, words: &Frame<'_>) -> Rect {
        if area.width < 2 || area.height < 2 {
            return Rect::new(area.x, area.y, 0, 0);
        }
        let lines = if words.focused { &self.glyphs.heavy } else { &self.glyphs.light };
        let double = words.focused && self.theme.double_focus && self.glyphs.set == super::glyphs::GlyphSet::Unicode;
        let [h, v, tl, tr, bl, br] = if double {
            ['═', '║', '╔', '╗', '╚', '╝']
        } else {
            [lines.horizontal, lines.vertical, lines.top_left, lines.top_right, lines.bottom_left, lines.bottom_right]
        };
        let role = if words.focused { Role::Focus } else { Role::Border };
        let (left, right, top, bottom) = (area.x, area.right() - 1, area.y, area.bottom() - 1);
        self.repeat(left, top, area.width, h, role);
        self.repeat(left, bottom, area.width, h, role);
        for y in top + 1..bottom {
            self.sign(left, y, v, role);
            self.sign(right, y, v, role);
        }
        self.sign(left, top, tl, role);
        self.sign(right, top, tr, role);
        self.sign(left, bottom, bl, role);
        self.sign(right, bottom, br, role);
        let title_role = if words.focused { Role::Focus } else { Role::Title };
        // `┌─ ` and ` ─┐` take three cells each.
        let room = area.width.saturating_sub(6);
        let title = clip_words(words.title, room);
        let mut after = left + 2;
        if !title.is_empty() && room > 0 {
            self.put(left + 2, top, 1, " ", role);
            after = self.put(left + 3, top, room, &title, title_role);
            after = self.put(after, top, 1, " ", role);
        }
        // The right text is dropped, clause by clause (two spaces apart), before it would touch the title.
        let mut text = words.right;
        while !text.is_empty() && after + width(text) + 4 > right {
            text = text.rsplit_once("  ").map_or("", |(head, _)| head);
        }
        if !text.is_empty() {
            let x = right - 3 - width(text);
            self.put(x, top, width(text) + 2, &format!(" {text} "), if words.focused { Role::Focus } else { Role::Dim });
        }
        let mut x = left + 2;
        let note = width(words.note);
        let reserve = if note > 0 && note + 6 <= area.width { note + 3 } else { 0 };
        for (key, what) in words.keys {
            let needs = width(key) + 1 + width(what) + if x == left + 2 { 1 } else { 2 };
            if x + needs + 2 + reserve > right {
                break;
            }
            x = self.put(x, bottom, 2, if x == left + 2 { " " } else { "  " }, role);
            x = self.put(x, bottom, 20, key, Role::Key);
            x = self.put(x, bottom, 60, &format!(" {what}"), Role::Dim);
        }
        if x > left + 2 {
            self.put(x, bottom, 1, " ", role);
        }
        if reserve > 0 {
            self.put(right - 2 - note, bottom, note + 2, &format!(" {} ", words.note), Role::Dim);
        }
        Rect::new(left + 1, top + 1, area.width - 2, area.height - 2)
    }

    /// Registers a pane's area.
    pub fn hit(&mut self, area: Rect, target: Target) {
        let area = self.clipped(area);
        self.hits.add(area, target);
    }
}

/// Accepted and refused demand against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Accepted, permille of the limit.
    pub accepted: u64,
    /// Refused, permille of the limit.
    pub refused: u64,
}

/// Where the limit's tick of a bar of `cells` lies, from 0: a fifth of the bar is left for demand beyond the limit.
pub const fn tick(cells: u16) -> u16 {
    let beyond = if cells / 5 < 2 { 2 } else { cells / 5 };
    cells.saturating_sub(beyond)
}

impl Painter<'_> {
    /// A demand bar: accepted █, then refused ▒, `┊` where the limit is, `»` at the end when demand goes on beyond the bar.
    pub fn bar(&mut self, x: u16, y: u16, cells: u16, bar: Bar, fill: Role) {
        let tick = tick(cells);
        if cells < 4 {
            return;
        }
        // The tick stands between the last cell within the limit and the first beyond it, so a full limit fills exactly `tick` cells.
        let at = |permille: u64| u16::try_from(permille.saturating_mul(u64::from(tick)).saturating_add(500) / 1000).unwrap_or(u16::MAX);
        let mut accepted = at(bar.accepted).min(cells);
        if bar.accepted > 0 {
            accepted = accepted.max(1);
        }
        let mut demand = at(bar.accepted.saturating_add(bar.refused)).max(accepted);
        if bar.refused > 0 {
            // Something was refused: show at least one cell of it, even when it rounds to nothing.
            demand = demand.max(accepted.saturating_add(1));
        }
        let shown = demand.min(cells);
        accepted = accepted.min(if bar.refused > 0 { cells - 1 } else { cells });
        let g = self.glyphs;
        self.repeat(x, y, cells, g.track, Role::Border);
        self.sign(x + tick, y, g.limit, Role::Limit);
        self.repeat(x, y, accepted, g.full, fill);
        self.repeat(x + accepted, y, shown.saturating_sub(accepted), g.refused, Role::Refused);
        if demand > cells {
            self.sign(x + cells - 1, y, g.beyond, Role::Refused);
        }
    }

    /// A line of columns, newest at the right; values in permille where 1000 is the limit and 1250 the full height.
    pub fn sparkline(&mut self, x: u16, y: u16, cells: u16, permille: &[u32]) {
        let skip = permille.len().saturating_sub(usize::from(cells));
        let shown = &permille[skip..];
        let lead = cells - u16::try_from(shown.len()).unwrap_or(cells);
        for (i, v) in shown.iter().enumerate() {
            let level = (usize::try_from(*v).unwrap_or(usize::MAX).min(1250) * 7 + 624) / 1250;
            let role = if *v > 1000 { Role::Refused } else { Role::Series2 };
            let column = lead + u16::try_from(i).unwrap_or(0);
            if *v > 0 {
                self.sign(x + column, y, self.glyphs.levels[level.min(7)], role);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::glyphs::GlyphSet;
    use super::*;

    fn drawn(width: u16, height: u16, set: GlyphSet, draw: impl FnOnce(&mut Painter<'_>)) -> Vec<String> {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        let mut hits = HitMap::default();
        let theme = Theme::by_name("probe").expect("exists");
        draw(&mut Painter { buf: &mut buf, theme, glyphs: set.glyphs(), hits: &mut hits });
        (0..height).map(|y| (0..width).map(|x| buf[(x, y)].symbol().to_owned()).collect::<String>()).collect()
    }

    #[test]
    fn bars_show_demand_against_the_limit() {
        let bar = |accepted, refused| drawn(20, 1, GlyphSet::Unicode, |p| p.bar(0, 0, 20, Bar { accepted, refused }, Role::Series1)).remove(0);
        assert_eq!(bar(0, 0), "················┊···");
        assert_eq!(bar(500, 0), "████████········┊···");
        assert_eq!(bar(1000, 0), "████████████████┊···");
        assert_eq!(bar(1000, 120), "████████████████▒▒··");
        assert_eq!(bar(950, 900), "███████████████▒▒▒▒»");
        assert_eq!(bar(1, 0), "█···············┊···");
        assert_eq!(bar(1000, 1), "████████████████▒···");
        assert_eq!(bar(u64::MAX, u64::MAX), "███████████████████»");
    }

    #[test]
    fn frames_drop_words_from_the_least_important() {
        let frame = |width, right: &str, focused| {
            drawn(width, 2, GlyphSet::Unicode, |p| {
                let keys = [("s".to_owned(), "split"), ("m".to_owned(), "merge")];
                p.frame(Rect::new(0, 0, width, 2), &Frame { title: "Shards of clicks", right, keys: &keys, note: "", focused });
            })
        };
        assert_eq!(frame(34, "4 open  2 closed", false), ["┌─ Shards of clicks ──── 4 open ─┐", "└─ s split  m merge ─────────────┘"]);
        assert_eq!(frame(24, "4 open  2 closed", true), ["┏━ Shards of clicks ━━━┓", "┗━ s split  m merge ━━━┛"]);
        assert_eq!(frame(16, "4 open", true), ["┏━ Shards … ━━━┓", "┗━ s split ━━━━┛"]);
        assert_eq!(frame(1, "4 open", true), [" ", " "]);
    }

    #[test]
    fn control_and_wide_characters_stay_in_their_cells() {
        assert_eq!(
            drawn(6, 1, GlyphSet::Unicode, |p| {
                p.put(0, 0, 5, "a\u{1b}[2J", Role::Text);
            }),
            ["a.[2J "]
        );
        assert_eq!(
            drawn(4, 1, GlyphSet::Unicode, |p| {
                p.put(0, 0, 3, "日本", Role::Text);
            }),
            // The wide sign owns two cells; the test prints the second one as a blank.
            ["日   "]
        );
        assert_eq!(
            drawn(4, 1, GlyphSet::Ascii, |p| {
                p.put(0, 0, 4, "…→é語", Role::Text);
            }),
            [".>??"]
        );
        assert_eq!(
            drawn(3, 1, GlyphSet::Unicode, |p| {
                p.put(0, 0, 3, "e\u{301}x", Role::Text);
            }),
            ["e\u{301}x "]
        );
    }
}
