//! The signs on the screen, in two sets. Widgets name a sign; only this file knows its character. Every sign is one cell wide and none has
//! an emoji presentation, so that no terminal draws it two cells wide.

/// Which set of signs to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GlyphSet {
    /// Box drawing, blocks, ◐ ✓ ┊.
    #[default]
    Unicode,
    /// Only ASCII, for terminals and locales without UTF-8.
    Ascii,
}

impl GlyphSet {
    /// The set named `unicode` or `ascii`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "unicode" => Some(Self::Unicode),
            "ascii" => Some(Self::Ascii),
            _ => None,
        }
    }

    /// The set for a locale as in `LC_ALL`, `LC_CTYPE` or `LANG`.
    pub fn for_locale(locale: &str) -> Self {
        let upper = locale.to_ascii_uppercase();
        if upper.contains("UTF-8") || upper.contains("UTF8") { Self::Unicode } else { Self::Ascii }
    }

    /// The signs.
    pub(super) fn glyphs(self) -> &'static Glyphs {
        match self {
            Self::Unicode => &UNICODE,
            Self::Ascii => &ASCII,
        }
    }
}

/// The six signs of a box.
#[derive(Debug)]
pub(super) struct BoxGlyphs {
    pub horizontal: char,
    pub vertical: char,
    pub top_left: char,
    pub top_right: char,
    pub bottom_left: char,
    pub bottom_right: char,
}

/// All signs by name.
#[derive(Debug)]
pub(super) struct Glyphs {
    pub set: GlyphSet,
    pub light: BoxGlyphs,
    pub heavy: BoxGlyphs,
    /// Accepted load.
    pub full: char,
    /// Refused load.
    pub refused: char,
    /// Empty part of a bar.
    pub track: char,
    /// The limit of a bar.
    pub limit: char,
    /// Demand goes on beyond the end of the bar.
    pub beyond: char,
    /// Load shades of the hash-key map, cold to hot.
    pub shades: [char; 4],
    /// Eight heights of a column, low to high.
    pub levels: [char; 8],
    pub hot: char,
    pub cursor: char,
    pub waiting: char,
    pub partial: char,
    pub met: char,
    pub failed: char,
    pub selected: char,
    pub separator: char,
    pub rail_start: char,
    pub rail_end: char,
    pub rail: char,
    pub rail_cut: char,
    pub now: char,
    /// The newest instant, while in the past.
    pub newest: char,
    /// Another branch in a chart.
    pub beside: char,
    pub gap: char,
    pub flow: char,
    pub axis_top: char,
    pub axis_zero: char,
}

static UNICODE: Glyphs = Glyphs {
    set: GlyphSet::Unicode,
    light: BoxGlyphs { horizontal: '─', vertical: '│', top_left: '┌', top_right: '┐', bottom_left: '└', bottom_right: '┘' },
    heavy: BoxGlyphs { horizontal: '━', vertical: '┃', top_left: '┏', top_right: '┓', bottom_left: '┗', bottom_right: '┛' },
    full: '█',
    refused: '▒',
    track: '·',
    limit: '┊',
    beyond: '»',
    shades: ['░', '▒', '▓', '█'],
    levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    hot: '◆',
    cursor: '▲',
    waiting: '○',
    partial: '◐',
    met: '✓',
    failed: '✗',
    selected: '>',
    separator: '│',
    rail_start: '├',
    rail_end: '┤',
    rail: '─',
    rail_cut: '┼',
    now: '●',
    newest: '○',
    beside: '•',
    gap: '┄',
    flow: '›',
    axis_top: '┤',
    axis_zero: '┼',
};

static ASCII: Glyphs = Glyphs {
    set: GlyphSet::Ascii,
    light: BoxGlyphs { horizontal: '-', vertical: '|', top_left: '+', top_right: '+', bottom_left: '+', bottom_right: '+' },
    heavy: BoxGlyphs { horizontal: '=', vertical: '#', top_left: '#', top_right: '#', bottom_left: '#', bottom_right: '#' },
    full: '#',
    refused: 'x',
    track: '.',
    limit: ':',
    beyond: '>',
    shades: ['.', 'x', 'X', '#'],
    levels: ['_', '.', ',', '-', '=', '+', '*', '#'],
    hot: '*',
    cursor: '^',
    waiting: 'o',
    partial: '~',
    met: 'v',
    failed: 'X',
    selected: '>',
    separator: '|',
    rail_start: '|',
    rail_end: '|',
    rail: '-',
    rail_cut: '+',
    now: '@',
    newest: 'o',
    beside: 'o',
    gap: '~',
    flow: '>',
    axis_top: '|',
    axis_zero: '+',
};

impl Glyphs {
    /// The character to draw for `c`: itself, or in the ASCII set something readable of the same width.
    pub fn translate(&self, c: char) -> char {
        if self.set == GlyphSet::Unicode || c.is_ascii() {
            return c;
        }
        match c {
            '…' | '·' | '∙' => '.',
            '–' | '—' | '−' | '─' | '━' => '-',
            '│' | '┃' | '├' | '┤' => '|',
            '┊' => ':',
            '→' | '›' | '»' => '>',
            '←' => '<',
            '↑' | '▲' => '^',
            '≥' => '>',
            '≤' => '<',
            '≈' | '◐' => '~',
            '✓' => 'v',
            '✗' | '×' => 'X',
            '○' => 'o',
            '●' => '@',
            '◆' | '•' => '*',
            '█' => '#',
            '▒' => 'x',
            '‘' | '’' => '\'',
            '“' | '”' => '"',
            '²' => '2',
            _ => '?',
        }
    }
}

#[cfg(test)]
impl Glyphs {
    fn all(&self) -> Vec<char> {
        let boxes = [&self.light, &self.heavy];
        let mut all: Vec<char> =
            boxes.iter().flat_map(|b| [b.horizontal, b.vertical, b.top_left, b.top_right, b.bottom_left, b.bottom_right]).collect();
        all.extend([self.full, self.refused, self.track, self.limit, self.beyond, self.hot, self.cursor, self.waiting, self.partial]);
        all.extend([self.met, self.failed, self.selected, self.separator, self.rail_start, self.rail_end, self.rail, self.rail_cut, self.now]);
        all.extend([self.gap, self.flow, self.axis_top, self.axis_zero]);
        all.extend(self.shades);
        all.extend(self.levels);
        all
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthChar;

    use super::*;

    /// Characters of the Basic Multilingual Plane that Unicode gives an emoji presentation by default, or that common terminals draw so.
    fn emoji_like(c: char) -> bool {
        matches!(c as u32, 0x231A..=0x23FF | 0x25AA..=0x25AB | 0x25B6 | 0x25C0 | 0x25FB..=0x25FE | 0x2600..=0x2712 | 0x2714 | 0x2716 | 0x2728..=0x27BF | 0x2B05..=0x2B55)
            || c as u32 >= 0x1F000
    }

    #[test]
    fn every_sign_is_one_cell_and_no_emoji() {
        for set in [GlyphSet::Unicode, GlyphSet::Ascii] {
            for c in set.glyphs().all() {
                assert_eq!(c.width(), Some(1), "{c:?}");
                assert!(!emoji_like(c), "{c:?} may be drawn as an emoji");
                assert!(set == GlyphSet::Unicode || c.is_ascii(), "{c:?} is not ASCII");
            }
        }
    }

    #[test]
    fn every_unicode_sign_has_an_ascii_reading() {
        let ascii = GlyphSet::Ascii.glyphs();
        for c in "…–—→←≥≤≈✓✗○◐●◆•█▒┊│".chars() {
            assert!(ascii.translate(c).is_ascii() && ascii.translate(c) != '?', "{c:?}");
        }
        assert_eq!(ascii.translate('語'), '?');
        assert_eq!(GlyphSet::Unicode.glyphs().translate('語'), '語');
    }

    #[test]
    fn the_locale_decides() {
        assert_eq!(GlyphSet::for_locale("de_DE.UTF-8"), GlyphSet::Unicode);
        assert_eq!(GlyphSet::for_locale("C.utf8"), GlyphSet::Unicode);
        assert_eq!(GlyphSet::for_locale("POSIX"), GlyphSet::Ascii);
    }
}
