//! Keys by name: `Ctrl-P`, `Shift-Tab`, `F6`, `Space`, `s`. One type for the keymap file, the terminal and the tests.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key without modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A character as typed, with Shift already in it.
    Char(char),
    /// A function key, 1–12.
    F(u8),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

impl Chord {
    /// A key alone.
    pub const fn plain(key: Key) -> Self {
        Self { key, ctrl: false, alt: false }
    }

    /// The chord of a terminal event; `None` for releases and keys without a name here.
    pub fn from_event(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let key = match event.code {
            KeyCode::Char(c) => Key::Char(c),
            KeyCode::F(n) => Key::F(n),
            KeyCode::Enter => Key::Enter,
            KeyCode::Esc => Key::Esc,
            KeyCode::BackTab => Key::BackTab,
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Key::BackTab,
            KeyCode::Tab => Key::Tab,
            KeyCode::Backspace => Key::Backspace,
            KeyCode::Delete => Key::Delete,
            KeyCode::Up => Key::Up,
            KeyCode::Down => Key::Down,
            KeyCode::Left => Key::Left,
            KeyCode::Right => Key::Right,
            KeyCode::Home => Key::Home,
            KeyCode::End => Key::End,
            KeyCode::PageUp => Key::PageUp,
            KeyCode::PageDown => Key::PageDown,
            _ => return None,
        };
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let key = match key {
            Key::Char(c) if ctrl => Key::Char(c.to_ascii_uppercase()),
            other => other,
        };
        Some(Self { key, ctrl, alt: event.modifiers.contains(KeyModifiers::ALT) })
    }

    /// Types a character into a text field.
    pub const fn typed(self) -> Option<char> {
        match self {
            Self { key: Key::Char(c), ctrl: false, alt: false } => Some(c),
            _ => None,
        }
    }
}

const NAMED: [(&str, Key); 16] = [
    ("Space", Key::Char(' ')),
    ("Enter", Key::Enter),
    ("Esc", Key::Esc),
    ("Tab", Key::Tab),
    ("Shift-Tab", Key::BackTab),
    ("Backspace", Key::Backspace),
    ("Delete", Key::Delete),
    ("Up", Key::Up),
    ("Down", Key::Down),
    ("Left", Key::Left),
    ("Right", Key::Right),
    ("Home", Key::Home),
    ("End", Key::End),
    ("PgUp", Key::PageUp),
    ("PgDn", Key::PageDown),
    ("Minus", Key::Char('-')),
];

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if let Key::F(n) = self.key {
            return write!(f, "F{n}");
        }
        match (NAMED.iter().find(|(_, k)| *k == self.key), self.key) {
            (Some((name, _)), _) if self.key != Key::Char('-') => f.write_str(name),
            (_, Key::Char(c)) => write!(f, "{c}"),
            _ => Ok(()),
        }
    }
}

/// Why a key name means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no key: write a character, Ctrl-P, Alt-1, Shift-Tab, F6, Space, Enter, PgUp …")]
pub struct KeyError(String);

impl FromStr for Chord {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut rest = text;
        let (mut ctrl, mut alt) = (false, false);
        loop {
            if let Some(after) = rest.strip_prefix("Ctrl-").filter(|a| !a.is_empty()) {
                (ctrl, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("Alt-").filter(|a| !a.is_empty()) {
                (alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let function = || rest.strip_prefix('F').and_then(|n| n.parse::<u8>().ok()).filter(|n| (1..=12).contains(n)).map(Key::F);
        let mut chars = rest.chars();
        let single = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && c != ' ' => Some(Key::Char(if ctrl { c.to_ascii_uppercase() } else { c })),
            _ => None,
        };
        let key = NAMED.iter().find(|(name, _)| *name == rest).map(|(_, k)| *k).or_else(function).or(single);
        key.map(|key| Self { key, ctrl, alt }).ok_or_else(|| KeyError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["Ctrl-P", "Alt-1", "Shift-Tab", "F6", "Space", "Enter", "PgUp", "s", "S", "?", ":", "[", "{", ",", "-"] {
            let chord: Chord = name.parse().unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(chord.to_string(), name);
        }
        assert_eq!("Ctrl-p".parse::<Chord>().map(|c| c.to_string()), Ok("Ctrl-P".to_owned()));
        for bad in ["", " ", "F13", "Hyper-x", "Ctrl-", "ab"] {
            assert!(bad.parse::<Chord>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn terminal_events() {
        let chord = |code, modifiers| Chord::from_event(KeyEvent::new(code, modifiers)).map(|c| c.to_string());
        assert_eq!(chord(KeyCode::Char('p'), KeyModifiers::CONTROL).as_deref(), Some("Ctrl-P"));
        assert_eq!(chord(KeyCode::Char('N'), KeyModifiers::SHIFT).as_deref(), Some("N"));
        assert_eq!(chord(KeyCode::Tab, KeyModifiers::SHIFT).as_deref(), Some("Shift-Tab"));
        assert_eq!(chord(KeyCode::CapsLock, KeyModifiers::NONE), None);
        let release = KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE) };
        assert_eq!(Chord::from_event(release), None);
    }
}
