//! Which key does what: the defaults of `assets/keymap.toml` with a user's file laid over them. A problem in the user's file never stops the
//! program: the entry is left out and reported with its line.

use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;

use super::action::{ACTIONS, ActionId, Contexts};
use super::ids::PaneId;
use super::keys::Chord;

/// Keys of every action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: BTreeMap<ActionId, Vec<Chord>>,
}

/// Something wrong in a keymap file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeymapProblem {
    /// Line in the file, from 1; 0 when the whole file cannot be read.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for KeymapProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { write!(f, "keymap.toml: {}", self.text) } else { write!(f, "keymap.toml line {}: {}", self.line, self.text) }
    }
}

const DEFAULTS: &str = include_str!("../../assets/keymap.toml");

/// Two actions can be meant at the same time.
fn overlap(a: Contexts, b: Contexts) -> bool {
    (a == Contexts::Presenter && b == Contexts::Presenter) || PaneId::ALL.into_iter().any(|pane| a.hold(pane) && b.hold(pane))
}

impl Default for Keymap {
    fn default() -> Self {
        Self::defaults().clone()
    }
}

impl Keymap {
    fn empty() -> Self {
        Self { keys: ACTIONS.iter().map(|a| (a.id, Vec::new())).collect() }
    }

    fn defaults() -> &'static Self {
        static MAP: std::sync::LazyLock<Keymap> = std::sync::LazyLock::new(|| {
            let mut map = Keymap::empty();
            map.merge(DEFAULTS);
            map
        });
        &MAP
    }

    /// The defaults with a user's file over them, and what is wrong with that file.
    pub fn with_user_file(text: &str) -> (Self, Vec<KeymapProblem>) {
        let mut map = Self::default();
        let problems = map.merge(text);
        (map, problems)
    }

    fn merge(&mut self, text: &str) -> Vec<KeymapProblem> {
        let file: BTreeMap<String, Spanned<Vec<String>>> = match toml::from_str(text) {
            Ok(file) => file,
            Err(e) => {
                let line = e.span().map_or(0, |s| line_of(text, s.start));
                return vec![KeymapProblem { line, text: e.message().to_owned() }];
            }
        };
        let mut entries: Vec<(String, Spanned<Vec<String>>)> = file.into_iter().collect();
        entries.sort_by_key(|(_, keys)| keys.span().start);
        let mut problems = Vec::new();
        let mut lines: BTreeMap<ActionId, usize> = BTreeMap::new();
        // First take the old keys of every action the file names, so that two actions can swap keys.
        let mut wanted = Vec::new();
        for (name, keys) in entries {
            let line = line_of(text, keys.span().start);
            let Some(id) = ActionId::by_name(&name) else {
                problems.push(KeymapProblem { line, text: format!("there is no action '{name}'") });
                continue;
            };
            let mut chords = Vec::new();
            for key in keys.into_inner() {
                match key.parse::<Chord>() {
                    Ok(chord) => chords.push(chord),
                    Err(e) => problems.push(KeymapProblem { line, text: e.to_string() }),
                }
            }
            lines.insert(id, line);
            wanted.push((id, line, self.keys.insert(id, Vec::new()).unwrap_or_default(), chords));
        }
        for (id, line, old, chords) in wanted {
            let mut taken = Vec::new();
            for chord in chords {
                match self.conflict(id, chord) {
                    None => taken.push(chord),
                    Some(other) => {
                        let place = lines.get(&other).map_or("the defaults".to_owned(), |l| format!("line {l}"));
                        problems.push(KeymapProblem {
                            line,
                            text: format!("'{chord}' of {} is already a key of {} ({place})", id.info().name, other.info().name),
                        });
                    }
                }
            }
            // An action whose new keys were all refused keeps its old ones, as far as they are still free.
            if taken.is_empty() && problems.iter().any(|p| p.line == line) {
                taken = old.into_iter().filter(|chord| self.conflict(id, *chord).is_none()).collect();
            }
            self.keys.insert(id, taken);
        }
        problems
    }

    fn conflict(&self, id: ActionId, chord: Chord) -> Option<ActionId> {
        let contexts = id.info().contexts;
        self.keys
            .iter()
            .find(|(other, keys)| **other != id && keys.contains(&chord) && overlap(contexts, other.info().contexts))
            .map(|(other, _)| *other)
    }

    /// What `chord` does while `pane` has the focus, and its position among the keys of the action.
    pub fn lookup(&self, chord: Chord, pane: PaneId) -> Option<(ActionId, usize)> {
        self.keys
            .iter()
            .filter(|(id, _)| id.info().contexts.hold(pane))
            .find_map(|(id, keys)| keys.iter().position(|k| *k == chord).map(|at| (*id, at)))
    }

    /// All keys of an action.
    pub fn keys(&self, id: ActionId) -> &[Chord] {
        self.keys.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The first key of an action in words; empty when it has none.
    pub fn name(&self, id: ActionId) -> String {
        self.keys(id).first().map(ToString::to_string).unwrap_or_default()
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(0, |head| head.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_have_no_conflict_and_leave_multiplexer_keys_alone() {
        assert_eq!(Keymap::empty().merge(DEFAULTS), []);
        let named: BTreeMap<String, Vec<String>> = toml::from_str(DEFAULTS).expect("TOML");
        for a in ACTIONS {
            assert!(named.contains_key(a.name), "{} is not in assets/keymap.toml", a.name);
        }
        for key in ["Ctrl-A", "Ctrl-B", "Ctrl-D", "Ctrl-K"] {
            let chord: Chord = key.parse().expect("a key");
            assert!(PaneId::ALL.into_iter().all(|pane| Keymap::default().lookup(chord, pane).is_none()), "{key}");
        }
    }

    #[test]
    fn the_same_key_in_different_panes() {
        let map = Keymap::default();
        let p: Chord = "p".parse().expect("a key");
        assert_eq!(map.lookup(p, PaneId::HashMap), Some((ActionId::ProbeKey, 0)));
        assert_eq!(map.lookup(p, PaneId::Journal), Some((ActionId::PauseList, 0)));
        assert_eq!(map.lookup(p, PaneId::Guide), None);
        let home: Chord = "Home".parse().expect("a key");
        assert_eq!(map.lookup(home, PaneId::Timeline), Some((ActionId::ToStart, 0)));
        assert_eq!(map.lookup(home, PaneId::Guide), Some((ActionId::Top, 0)));
        assert_eq!(map.lookup("Alt-3".parse().expect("a key"), PaneId::Guide), Some((ActionId::PaneByNumber, 2)));
    }

    #[test]
    fn a_user_file_changes_swaps_and_removes() {
        let (map, problems) = Keymap::with_user_file("hint = ['g']\nguide = ['h']\nquit = []\nsolve = ['F9']\n");
        assert_eq!(problems, []);
        assert_eq!((map.name(ActionId::Hint).as_str(), map.name(ActionId::Guide).as_str(), map.name(ActionId::Quit).as_str()), ("g", "h", ""));
        assert_eq!(map.name(ActionId::Solve), "F9");
    }

    #[test]
    fn conflicts_name_both_actions_and_the_line() {
        let (map, problems) = Keymap::with_user_file("# mine\nhint = ['z']\nsplit = ['s']\nguide = ['Hyper-g']\ntheme = ['q', 'F2']\n");
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "keymap.toml line 3: there is no action 'split'",
                "keymap.toml line 4: 'Hyper-g' is no key: write a character, Ctrl-P, Alt-1, Shift-Tab, F6, Space, Enter, PgUp …",
                "keymap.toml line 2: 'z' of hint is already a key of zoom (the defaults)",
                "keymap.toml line 5: 'q' of theme is already a key of quit (the defaults)",
            ]
        );
        assert_eq!((map.name(ActionId::Hint).as_str(), map.name(ActionId::Guide).as_str(), map.name(ActionId::Theme).as_str()), ("h", "g", "F2"));
        let (_, problems) = Keymap::with_user_file("hint = 3\n");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].line, 1);
    }
}
