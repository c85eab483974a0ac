//! Colours by role. Widgets name roles only; this is the one file that knows colours (a test greps for it). Meaning never hangs on hue alone:
//! every state also has a glyph and a word, so the `mono` theme loses nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What a cell is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Running text.
    Text,
    /// Less important text.
    Dim,
    /// Names, numbers that matter.
    Accent,
    /// Border and title of the pane with the focus.
    Focus,
    /// Good: met, accepted, reading.
    Ok,
    /// Attention: on its way, near a limit.
    Warn,
    /// Bad: failed, alarm.
    Bad,
    /// Refused load.
    Refused,
    /// The tick of a limit.
    Limit,
    /// First data series.
    Series1,
    /// Second data series.
    Series2,
    /// Third data series.
    Series3,
    /// Fourth data series.
    Series4,
    /// Fifth data series.
    Series5,
    /// Sixth data series.
    Series6,
    /// The chosen row; laid over the roles below it.
    Selection,
    /// Headings and pane titles.
    Title,
    /// Borders and rails without focus.
    Border,
    /// A key to press.
    Key,
    /// Hints and the coach.
    Hint,
    /// Marks on the timeline and the map.
    Marker,
    /// Text of an overlay.
    Overlay,
    /// The first line of the screen.
    Header,
    /// The last lines of the screen.
    Footer,
    /// Words of SQL.
    SqlKeyword,
    /// Texts in SQL.
    SqlText,
    /// Numbers in SQL.
    SqlNumber,
    /// Comments in SQL.
    SqlComment,
}

impl Role {
    /// All roles with the letter that stands for each in snapshots.
    pub const ALL: [(Self, char); 28] = [
        (Self::Text, 't'),
        (Self::Dim, 'd'),
        (Self::Accent, 'a'),
        (Self::Focus, 'f'),
        (Self::Ok, 'o'),
        (Self::Warn, 'w'),
        (Self::Bad, 'b'),
        (Self::Refused, 'r'),
        (Self::Limit, 'l'),
        (Self::Series1, '1'),
        (Self::Series2, '2'),
        (Self::Series3, '3'),
        (Self::Series4, '4'),
        (Self::Series5, '5'),
        (Self::Series6, '6'),
        (Self::Selection, 's'),
        (Self::Title, 'h'),
        (Self::Border, '-'),
        (Self::Key, 'k'),
        (Self::Hint, 'i'),
        (Self::Marker, 'm'),
        (Self::Overlay, 'v'),
        (Self::Header, 'e'),
        (Self::Footer, 'g'),
        (Self::SqlKeyword, 'q'),
        (Self::SqlText, 'x'),
        (Self::SqlNumber, 'n'),
        (Self::SqlComment, 'c'),
    ];

    const fn index(self) -> usize {
        self as usize
    }
}

/// Styles of all roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// `ansi`, `dark` …
    pub name: String,
    /// What it is for, in one line.
    pub about: String,
    /// Focused panes get double borders instead of heavy ones.
    pub double_focus: bool,
    styles: [Style; Role::ALL.len()],
    background: (u8, u8, u8),
    foreground: (u8, u8, u8),
}

/// Why a theme could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// Not TOML, or not the shape of a theme.
    #[error("{0}")]
    Shape(String),
    /// A colour that has no meaning.
    #[error("'{0}' is no colour: write #rrggbb, a number 0-255 or one of the sixteen names (red, bright-red …)")]
    Colour(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    name: String,
    about: String,
    background: String,
    foreground: String,
    #[serde(default)]
    double_focus: bool,
    roles: BTreeMap<Role, RoleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleFile {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    modifiers: Vec<ModifierFile>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum ModifierFile {
    Bold,
    Dim,
    Italic,
    Underline,
    Reverse,
}

impl From<ModifierFile> for Modifier {
    fn from(from: ModifierFile) -> Self {
        match from {
            ModifierFile::Bold => Self::BOLD,
            ModifierFile::Dim => Self::DIM,
            ModifierFile::Italic => Self::ITALIC,
            ModifierFile::Underline => Self::UNDERLINED,
            ModifierFile::Reverse => Self::REVERSED,
        }
    }
}

const NAMES: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

fn colour(text: &str) -> Result<Color, ThemeError> {
    let bad = || ThemeError::Colour(text.to_owned());
    if let Some(hex) = text.strip_prefix('#') {
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6).ok_or_else(bad)?;
        return Ok(Color::Rgb((number >> 16) as u8, (number >> 8) as u8, number as u8));
    }
    if let Ok(number) = text.parse::<u8>() {
        return Ok(Color::Indexed(number));
    }
    NAMES.iter().find(|(name, _)| *name == text).map(|(_, colour)| *colour).ok_or_else(bad)
}

impl Theme {
    /// Reads a theme file.
    ///
    /// # Errors
    /// Says which line is not the shape of a theme, which role is missing or which colour is none.
    pub fn parse(text: &str) -> Result<Self, ThemeError> {
        let file: ThemeFile = toml::from_str(text).map_err(|e| ThemeError::Shape(e.to_string()))?;
        let mut styles = [Style::new(); Role::ALL.len()];
        for (role, _) in Role::ALL {
            let from = file.roles.get(&role).ok_or_else(|| ThemeError::Shape(format!("theme '{}' has no role {role:?}", file.name)))?;
            let mut style = Style::new();
            if let Some(fg) = &from.fg {
                style = style.fg(colour(fg)?);
            }
            if let Some(bg) = &from.bg {
                style = style.bg(colour(bg)?);
            }
            styles[role.index()] = from.modifiers.iter().fold(style, |style, m| style.add_modifier((*m).into()));
        }
        let rgb = |text: &str| match colour(text)? {
            Color::Rgb(r, g, b) => Ok((r, g, b)),
            _ => Err(ThemeError::Colour(text.to_owned())),
        };
        Ok(Self {
            background: rgb(&file.background)?,
            foreground: rgb(&file.foreground)?,
            name: file.name,
            about: file.about,
            double_focus: file.double_focus,
            styles,
        })
    }

    /// The theme called `name`; `None` when there is none.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        if name == "probe" { Some(&PROBE) } else { Self::all().iter().find(|t| t.name == name) }
    }

    /// The themes of the program, the default first.
    pub fn all() -> &'static [Self] {
        &THEMES
    }

    /// The theme after this one in the list.
    pub fn next(&self) -> &'static Self {
        let all = Self::all();
        let at = all.iter().position(|t| t.name == self.name).map_or(0, |i| (i + 1) % all.len());
        &all[at]
    }

    /// Chooses a theme: the name asked for, else `mono` when `NO_COLOR` is set and not empty, else by `COLORFGBG` (a terminal that says what
    /// its background is), else `ansi`, which every terminal shows.
    pub fn choose(asked: Option<&str>, no_color: Option<&str>, colorfgbg: Option<&str>) -> Option<&'static Self> {
        if let Some(name) = asked {
            return Self::by_name(name);
        }
        if no_color.is_some_and(|v| !v.is_empty()) {
            return Self::by_name("mono");
        }
        let background = colorfgbg.and_then(|v| v.rsplit(';').next()).and_then(|v| v.parse::<u8>().ok());
        Self::by_name(match background {
            Some(7 | 9..=15) => "light",
            Some(0..=6 | 8) => "dark",
            _ => "ansi",
        })
    }

    /// The style of a role.
    pub const fn style(&self, role: Role) -> Style {
        self.styles[role.index()]
    }

    /// Red, green and blue of a style's foreground and background in this theme, for pictures. Reversal is applied.
    pub fn rgb(&self, style: Style) -> ((u8, u8, u8), (u8, u8, u8)) {
        let mut fg = rgb_of(style.fg, self.foreground);
        let bg = rgb_of(style.bg, self.background);
        if style.add_modifier.contains(Modifier::DIM) {
            // Terminals draw dim text at about two thirds of the way from background to foreground.
            let mix = |f: u8, b: u8| u8::try_from((u16::from(f) * 2 + u16::from(b)) / 3).unwrap_or(f);
            fg = (mix(fg.0, bg.0), mix(fg.1, bg.1), mix(fg.2, bg.2));
        }
        if style.add_modifier.contains(Modifier::REVERSED) { (bg, fg) } else { (fg, bg) }
    }

    /// Assumed background, for pictures.
    pub const fn background(&self) -> (u8, u8, u8) {
        self.background
    }
}

/// The role letter of a cell drawn with the probe theme: capital when it lies on the selection, `.` for an untouched cell.
pub fn probe_letter(style: Style) -> char {
    let letter = match style.fg {
        Some(Color::Indexed(n)) => Role::ALL.get(usize::from(n)).map_or('?', |(_, letter)| *letter),
        _ => '.',
    };
    if matches!(style.bg, Some(Color::Indexed(_))) {
        match letter {
            '.' => 'S',
            other => other.to_ascii_uppercase(),
        }
    } else {
        letter
    }
}

/// Values of the sixteen named colours as xterm draws them.
const XTERM: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

fn rgb_of(colour: Option<Color>, default: (u8, u8, u8)) -> (u8, u8, u8) {
    match colour {
        Some(Color::Rgb(r, g, b)) => (r, g, b),
        Some(Color::Indexed(n)) => indexed(n),
        Some(Color::Reset) | None => default,
        Some(named) => NAMES.iter().skip(1).position(|(_, c)| *c == named).map_or(default, |i| XTERM[i]),
    }
}

/// The 256-colour palette.
fn indexed(n: u8) -> (u8, u8, u8) {
    match n {
        0..=15 => XTERM[usize::from(n)],
        16..=231 => {
            let level = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            let n = n - 16;
            (level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        _ => {
            let v = 8 + 10 * (n - 232);
            (v, v, v)
        }
    }
}

static THEMES: LazyLock<Vec<Theme>> = LazyLock::new(|| {
    [
        include_str!("../../assets/themes/ansi.toml"),
        include_str!("../../assets/themes/dark.toml"),
        include_str!("../../assets/themes/light.toml"),
        include_str!("../../assets/themes/cvd.toml"),
        include_str!("../../assets/themes/contrast.toml"),
        include_str!("../../assets/themes/mono.toml"),
    ]
    .into_iter()
    .map(|text| Theme::parse(text).expect("the themes in the program are read by a test"))
    .collect()
});

/// Role number n is colour n: for snapshots that show roles instead of colours.
static PROBE: LazyLock<Theme> = LazyLock::new(|| {
    let mut styles = [Style::new(); Role::ALL.len()];
    for (i, style) in styles.iter_mut().enumerate() {
        let number = Color::Indexed(u8::try_from(i).expect("there are fewer than 256 roles"));
        *style = if i == Role::Selection.index() { Style::new().bg(number) } else { Style::new().fg(number) };
    }
    Theme {
        name: "probe".to_owned(),
        about: "roles as numbers, for tests".to_owned(),
        double_focus: false,
        styles,
        background: (0, 0, 0),
        foreground: (255, 255, 255),
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(v: u8) -> f64 {
        let c = f64::from(v) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    }

    fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
        let luminance = |c: (u8, u8, u8)| 0.2126 * linear(c.0) + 0.7152 * linear(c.1) + 0.0722 * linear(c.2);
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    const GRAPHICS: [Role; 11] = [
        Role::Refused,
        Role::Limit,
        Role::Series1,
        Role::Series2,
        Role::Series3,
        Role::Series4,
        Role::Series5,
        Role::Series6,
        Role::Border,
        Role::Marker,
        Role::Focus,
    ];

    #[test]
    fn contrast_is_enough_with_and_without_selection() {
        for theme in Theme::all() {
            for (role, _) in Role::ALL {
                let needed = if GRAPHICS.contains(&role) { 3.0 } else { 4.5 };
                for style in [theme.style(role), theme.style(role).patch(theme.style(Role::Selection))] {
                    let (fg, bg) = theme.rgb(style);
                    let seen = contrast(fg, bg);
                    assert!(seen >= needed, "theme {}: {role:?} {fg:?} on {bg:?} has contrast {seen:.2}, needs {needed}", theme.name);
                }
            }
        }
    }

    /// Viénot, Brettel, Mollon 1999 in linear RGB: what a protanope and a deuteranope see.
    fn seen_by(kind: usize, c: (u8, u8, u8)) -> [f64; 3] {
        let m = [[[0.112, 0.888, 0.0], [0.112, 0.888, 0.0], [0.004, -0.004, 1.0]], [[0.293, 0.707, 0.0], [0.293, 0.707, 0.0], [-0.021, 0.021, 1.0]]]
            [kind];
        let v = [linear(c.0), linear(c.1), linear(c.2)];
        m.map(|row| (row[0] * v[0] + row[1] * v[1] + row[2] * v[2]).max(0.0).sqrt())
    }

    #[test]
    fn the_cvd_theme_keeps_states_apart() {
        let theme = Theme::by_name("cvd").expect("exists");
        let pairs =
            [(Role::Ok, Role::Bad), (Role::Ok, Role::Warn), (Role::Ok, Role::Refused), (Role::Text, Role::Bad), (Role::Series1, Role::Series2)];
        for kind in 0..2 {
            for (a, b) in pairs {
                let [x, y] = [a, b].map(|r| seen_by(kind, theme.rgb(theme.style(r)).0));
                let distance = (0..3).map(|i| (x[i] - y[i]).powi(2)).sum::<f64>().sqrt();
                assert!(distance > 0.2, "{a:?} and {b:?} are {distance:.2} apart for observer {kind}");
            }
        }
    }

    #[test]
    fn mono_uses_no_colour_and_still_tells_states_apart() {
        let mono = Theme::by_name("mono").expect("exists");
        for (role, _) in Role::ALL {
            assert_eq!((mono.style(role).fg, mono.style(role).bg), (None, None), "{role:?}");
        }
        for (a, b) in [(Role::Text, Role::Bad), (Role::Dim, Role::Text), (Role::Border, Role::Focus), (Role::Text, Role::Selection)] {
            assert_ne!(mono.style(a), mono.style(b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn choosing() {
        let name = |asked, no_color, colorfgbg| Theme::choose(asked, no_color, colorfgbg).map(|t| t.name.as_str());
        assert_eq!(name(None, None, None), Some("ansi"));
        assert_eq!(name(None, Some("1"), Some("0;15")), Some("mono"));
        assert_eq!(name(None, Some(""), Some("0;15")), Some("light"));
        assert_eq!(name(None, None, Some("15;default;0")), Some("dark"));
        assert_eq!(name(Some("cvd"), Some("1"), None), Some("cvd"));
        assert_eq!(name(Some("pink"), None, None), None);
        assert_eq!(Theme::all().iter().fold(&Theme::all()[0], |t, _| t.next()).name, "ansi");
    }

    #[test]
    fn a_bad_theme_says_why() {
        let text = include_str!("../../assets/themes/ansi.toml").replace("bright-red", "pinkish");
        assert_eq!(Theme::parse(&text), Err(ThemeError::Colour("pinkish".to_owned())));
        assert!(Theme::parse("name = 'x'").unwrap_err().to_string().contains("missing field"));
        let text = include_str!("../../assets/themes/ansi.toml").replace("\ndim", "\nfog");
        assert!(Theme::parse(&text).unwrap_err().to_string().contains("fog"));
    }

    #[test]
    fn role_letters_are_distinct_and_in_order() {
        let mut seen = std::collections::BTreeSet::new();
        for (i, (role, letter)) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role.index(), i);
            assert!(seen.insert(letter), "{letter} twice");
            let probe = Theme::by_name("probe").expect("exists");
            if role != Role::Selection {
                assert_eq!(probe_letter(probe.style(role)), letter);
            }
        }
    }
}
