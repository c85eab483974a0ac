//! The registry of everything a key, a click or the command overlay can do. Footer, pane borders, `?` overlay and keymap file all come from
//! this one table; default keys are in `assets/keymap.toml`.

use super::ids::PaneId;

/// An action. Its meaning is in [`Action`], what it does in `update`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionId {
    /// Open the command overlay.
    Commands,
    /// Screen 1.
    Overview,
    /// Screen 2.
    Streams,
    /// Screen Firehose.
    Firehose,
    /// Screen Analytics.
    Analytics,
    /// Screen 5.
    Metrics,
    /// Screen 6.
    JournalScreen,
    /// Focus the next pane.
    NextPane,
    /// Focus the previous pane.
    PreviousPane,
    /// Focus a pane by its number.
    PaneByNumber,
    /// Move up.
    Up,
    /// Move down.
    Down,
    /// Move left.
    Left,
    /// Move right.
    Right,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// First row.
    Top,
    /// Last row.
    Bottom,
    /// Open what is selected.
    Open,
    /// Leave.
    Back,
    /// Filter the list.
    Filter,
    /// Full screen for the pane.
    Zoom,
    /// Full guide text.
    Guide,
    /// Next hint.
    Hint,
    /// Reset the step.
    ResetStep,
    /// Next step.
    NextStep,
    /// Previous step.
    PreviousStep,
    /// Apply the solution.
    Solve,
    /// Run or pause.
    Pause,
    /// Next event.
    StepEvent,
    /// 1 s back.
    Back1,
    /// 1 s forward.
    Forward1,
    /// 10 s back.
    Back10,
    /// 10 s forward.
    Forward10,
    /// Slower.
    Slower,
    /// Faster.
    Faster,
    /// Start of the lab.
    ToStart,
    /// Newest instant.
    ToNow,
    /// Bookmark.
    Bookmark,
    /// To the mark before.
    MarkBefore,
    /// To the next mark.
    MarkAfter,
    /// Branches.
    Branches,
    /// Follow a record.
    FollowRecord,
    /// Unit of the bars.
    BarUnit,
    /// Split the shard.
    SplitShard,
    /// Merge with the right neighbour.
    MergeShards,
    /// Probe a partition key.
    ProbeKey,
    /// Follow the newest rows.
    Follow,
    /// Stop the list.
    PauseList,
    /// Window of the charts.
    ChartWindow,
    /// Edit the code of the application.
    EditCode,
    /// What would another load cost?
    WhatIf,
    /// The menu of faults.
    Faults,
    /// Copy.
    Copy,
    /// Labs list.
    Labs,
    /// Write the screen, a recording or a report to a file.
    Export,
    /// The presenter's screen.
    Present,
    /// One beat back.
    BeatBack,
    /// To a beat by its number.
    BeatGo,
    /// Show the last keys pressed.
    BeatKeys,
    /// Next theme.
    Theme,
    /// Release or take the mouse.
    Mouse,
    /// Quit.
    Quit,
    /// Quit at once.
    ForceQuit,
    /// Suspend.
    Suspend,
}

/// Where an action can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contexts {
    /// Everywhere.
    All,
    /// Only when one of these panes has the focus.
    In(&'static [PaneId]),
    /// Everywhere but in these panes, where the same key means a special form.
    Except(&'static [PaneId]),
    /// In the presenter only.
    Presenter,
}

impl Contexts {
    /// Usable when `pane` has the focus.
    pub fn hold(self, pane: PaneId) -> bool {
        match self {
            Self::All => true,
            Self::In(panes) => panes.contains(&pane),
            Self::Except(panes) => !panes.contains(&pane),
            Self::Presenter => false,
        }
    }
}

/// What is known about an action.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Which.
    pub id: ActionId,
    /// Its name in the keymap file.
    pub name: &'static str,
    /// Two to five words.
    pub title: &'static str,
    /// One or two sentences.
    pub doc: &'static str,
    /// The AWS operation it makes, if any.
    pub aws_call: Option<&'static str>,
    /// Where it can be used.
    pub contexts: Contexts,
}

const SHARD_PANES: &[PaneId] = &[PaneId::Shards, PaneId::Throughput, PaneId::HashMap];
const LISTS: &[PaneId] = &[PaneId::Journal, PaneId::SqlRows];
const LEFT_RIGHT: &[PaneId] = &[PaneId::HashMap, PaneId::Timeline, PaneId::Shards, PaneId::Throughput, PaneId::SqlCode];

const fn action(id: ActionId, name: &'static str, title: &'static str, doc: &'static str) -> Action {
    Action { id, name, title, doc, aws_call: None, contexts: Contexts::All }
}

const fn within(action: Action, panes: &'static [PaneId]) -> Action {
    Action { contexts: Contexts::In(panes), ..action }
}

const fn except(action: Action, panes: &'static [PaneId]) -> Action {
    Action { contexts: Contexts::Except(panes), ..action }
}

const fn presenting(action: Action) -> Action {
    Action { contexts: Contexts::Presenter, ..action }
}

const fn calls(action: Action, call: &'static str) -> Action {
    Action { aws_call: Some(call), ..action }
}

/// The registry.
pub static ACTIONS: &[Action] = &[
    action(ActionId::Commands, "commands", "Commands", "Searches, runs and explains everything that can be done, and runs any command line."),
    action(ActionId::Overview, "screen-overview", "Screen 1 Overview", "Is the whole pipeline healthy, and where does it stop?"),
    action(ActionId::Streams, "screen-streams", "Screen 2 Streams", "Which shard, which key, who reads, who is refused?"),
    action(ActionId::Firehose, "screen-firehose", "Screen 3 Firehose", "What is buffered, transformed, delivered, tried again?"),
    action(ActionId::Analytics, "screen-analytics", "Screen 4 Analytics", "What does the SQL program make of the rows?"),
    action(ActionId::Metrics, "screen-metrics", "Screen 5 Metrics", "What would CloudWatch show, and what does it cost?"),
    action(ActionId::JournalScreen, "screen-journal", "Screen 6 Journal", "What happened, in order, and why?"),
    action(ActionId::NextPane, "next-pane", "Next pane", "Moves the focus to the next pane; at 60x18 shows the next pane."),
    action(ActionId::PreviousPane, "previous-pane", "Previous pane", "Moves the focus to the previous pane."),
    action(ActionId::PaneByNumber, "pane-by-number", "Pane by number", "Moves the focus to the first, second … pane of the screen."),
    action(ActionId::Up, "up", "Up", "Moves the selection or the text up."),
    action(ActionId::Down, "down", "Down", "Moves the selection or the text down."),
    within(
        action(ActionId::Left, "left", "Left", "Moves the cursor of the map left, time 1 s back, or shows the stream or application before."),
        LEFT_RIGHT,
    ),
    within(
        action(ActionId::Right, "right", "Right", "Moves the cursor of the map right, time 1 s forward, or shows the next stream or application."),
        LEFT_RIGHT,
    ),
    action(ActionId::PageUp, "page-up", "Page up", "Moves one page up."),
    action(ActionId::PageDown, "page-down", "Page down", "Moves one page down."),
    except(action(ActionId::Top, "top", "First row", "Moves to the first row."), &[PaneId::Timeline]),
    except(action(ActionId::Bottom, "bottom", "Last row", "Moves to the last row; a list that was paused follows again."), &[PaneId::Timeline]),
    action(
        ActionId::Open,
        "open",
        "Open or explain",
        "Runs the chosen command of the guide, explains a check, answers a question, inspects a shard or moves time to a journal row.",
    ),
    action(ActionId::Back, "back", "Back", "Closes what is open: overlay, filter, zoom."),
    within(action(ActionId::Filter, "filter", "Filter", "Shows only rows that hold a text (any case); in rows of SQL also 'column ~ text'."), LISTS),
    action(ActionId::Zoom, "zoom", "Zoom pane", "Gives the focused pane the whole screen, or takes it back."),
    action(ActionId::Guide, "guide", "Guide, full text", "Opens the text of the step over the screen."),
    action(ActionId::Hint, "hint", "Next hint", "Takes the next hint of this step; the last one is the solution. Hints cost nothing but are noted."),
    action(ActionId::ResetStep, "reset-step", "Reset this step", "Undoes what was done in this step. Asks first."),
    action(ActionId::NextStep, "next-step", "Next step", "Goes on to the next step. If checks are open it asks, and applies the solution."),
    action(ActionId::PreviousStep, "previous-step", "Previous step", "Shows the text of the step before. The world does not change."),
    action(ActionId::Solve, "solve", "Apply the solution", "Runs the solution of this step. Asks first."),
    action(ActionId::Pause, "pause", "Run / pause", "Stops or starts virtual time. Everything stands still while paused."),
    action(ActionId::StepEvent, "next-event", "Next event", "Advances to the next event worth seeing, then pauses."),
    action(ActionId::Back1, "back-1s", "1 s back", "Moves time one second back and pauses."),
    action(ActionId::Forward1, "forward-1s", "1 s forward", "Moves time one second forward and pauses."),
    action(ActionId::Back10, "back-10s", "10 s back", "Moves time ten seconds back and pauses."),
    action(ActionId::Forward10, "forward-10s", "10 s forward", "Moves time ten seconds forward and pauses."),
    action(ActionId::Slower, "slower", "Slower", "Halves the speed of time, down to x0.25."),
    action(ActionId::Faster, "faster", "Faster", "Doubles the speed of time, up to x64, then as fast as possible."),
    within(action(ActionId::ToStart, "to-start", "To the start", "Moves time to the start of the lab."), &[PaneId::Timeline]),
    within(action(ActionId::ToNow, "to-now", "To now", "Moves time to the newest instant of this branch."), &[PaneId::Timeline]),
    action(ActionId::Bookmark, "bookmark", "Bookmark", "Puts a mark on the timeline here; ( and ) go from mark to mark."),
    action(
        ActionId::MarkBefore,
        "mark-before",
        "To the mark before",
        "Moves time to the check, incident or bookmark before this instant and pauses.",
    ),
    action(ActionId::MarkAfter, "mark-after", "To the next mark", "Moves time to the next check, incident or bookmark that was reached, and pauses."),
    action(
        ActionId::Branches,
        "branches",
        "Branches",
        "Other futures: acting in the past begins one. Lists them, goes to one, or shows one beside the present one in the charts.",
    ),
    action(
        ActionId::FollowRecord,
        "follow-record",
        "Follow one record",
        "Shows the way of the newest record of the chosen shard: who read it, what a function said, in which object it lies. Time passes on.",
    ),
    within(
        action(
            ActionId::BarUnit,
            "bar-unit",
            "Binding/records/bytes/reads",
            "Chooses what the bars compare with its limit: the limit that binds, records, bytes or reads.",
        ),
        &[PaneId::Shards, PaneId::Throughput],
    ),
    calls(
        within(
            action(
                ActionId::SplitShard,
                "split-shard",
                "Split shard at the cursor",
                "Replaces the shard by two children. The parent stays readable until its records expire. Shows the expected load of both first.",
            ),
            SHARD_PANES,
        ),
        "SplitShard",
    ),
    calls(
        within(
            action(
                ActionId::MergeShards,
                "merge-shards",
                "Merge with right neighbour",
                "Replaces two adjacent shards by one child. Shows the expected load first.",
            ),
            SHARD_PANES,
        ),
        "MergeShards",
    ),
    within(
        action(ActionId::ProbeKey, "probe-key", "Probe a partition key", "Type a partition key and see its MD5 and the shard that takes it."),
        &[PaneId::Shards, PaneId::Throughput, PaneId::HashMap],
    ),
    within(action(ActionId::Follow, "follow", "Follow", "Shows the newest rows as they come."), LISTS),
    within(
        action(
            ActionId::PauseList,
            "pause-list",
            "Pause the list",
            "Stops the list, not the world: rows stay where they are and new ones are counted.",
        ),
        LISTS,
    ),
    within(action(ActionId::ChartWindow, "chart-window", "Window 1 / 5 min", "Chooses how many minutes the charts show."), &[PaneId::Charts]),
    calls(
        action(
            ActionId::EditCode,
            "edit-code",
            "Edit the SQL code",
            "Opens the editor of the application's code: findings as you type, templates, F5 saves and runs it.",
        ),
        "UpdateApplication",
    ),
    action(
        ActionId::WhatIf,
        "what-if",
        "What if: load and cost",
        "Sliders for shards, load, packing, consumers and retention: what it would need and cost, beside the stream as it is.",
    ),
    action(
        ActionId::Faults,
        "faults",
        "Faults",
        "What can go wrong with buckets, functions and destinations: begins a fault for a while, or ends it, and shows the line behind it.",
    ),
    action(ActionId::Copy, "copy", "Copy", "Copies the selected row, record or output to the clipboard of your terminal (OSC 52)."),
    action(ActionId::Labs, "labs", "Labs list", "Saves and goes back to the list of labs."),
    action(ActionId::Export, "export", "Export", "Writes the screen as a picture, the run as a recording, or a report to the current folder."),
    action(ActionId::Present, "present", "Presenter", "Goes back to the beat that was shown: kinlab present LAB."),
    presenting(action(
        ActionId::BeatBack,
        "beat-back",
        "Beat back",
        "Goes to the beginning of the beat, then of the one before, with the state of the world.",
    )),
    presenting(action(ActionId::BeatGo, "beat-go", "Go to beat", "Goes to a beat by its number; what lies between is done at once.")),
    presenting(action(ActionId::BeatKeys, "beat-keys", "Show keys", "Shows the last keys pressed, for a room that wants to follow.")),
    action(ActionId::Theme, "theme", "Next theme", "Changes the colours: ansi, dark, light, cvd, contrast, mono."),
    action(ActionId::Mouse, "mouse", "Release / take the mouse", "Releases the mouse so that your terminal can select text, or takes it again."),
    action(ActionId::Quit, "quit", "Quit", "Saves progress and leaves."),
    action(ActionId::ForceQuit, "force-quit", "Quit at once", "Saves progress and leaves, from wherever you are."),
    action(ActionId::Suspend, "suspend", "Suspend", "Gives the terminal back to the shell; virtual time does not jump when you return."),
];

impl ActionId {
    /// Its entry in the registry.
    pub fn info(self) -> &'static Action {
        ACTIONS.iter().find(|a| a.id == self).expect("every ActionId has one entry: the test below counts them")
    }

    /// The action called `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|a| a.name == name).map(|a| a.id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_is_documented_once() {
        let ids: BTreeSet<_> = ACTIONS.iter().map(|a| a.id).collect();
        let names: BTreeSet<_> = ACTIONS.iter().map(|a| a.name).collect();
        assert_eq!((ids.len(), names.len()), (ACTIONS.len(), ACTIONS.len()));
        // The enum is dense, so its last member tells how many there are.
        assert_eq!(ActionId::Suspend as usize + 1, ACTIONS.len(), "an action is missing in the registry");
        for a in ACTIONS {
            assert!(a.title.len() > 1 && a.title.len() <= 30, "{}: title", a.name);
            assert!(a.doc.len() > 15 && a.doc.ends_with(['.', '?', ')']), "{}: doc", a.name);
            assert!(a.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}: name", a.name);
        }
    }
}
