//! What the dashboard remembers between frames: screens, focus, selections, overlays, text fields. No engine state is kept here; everything
//! shown comes from the view of the moment.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::engine::kinesis::hash::HashKey;
use crate::engine::view::{ApplicationView, InAppStreamView, JournalView, ShardView, StreamView, Wants};
use crate::lab::view::CheckState;
use crate::session::code::CodeReport;
use crate::session::driver::{Act, Outcome};
use crate::session::view::SessionView;

use super::action::ActionId;
use super::editor::EditorBox;
use super::faults::FaultBox;
use super::glyphs::GlyphSet;
use super::hit::HitMap;
use super::ids::{GuideItem, PaneId, Screen};
use super::keymap::Keymap;
use super::keys::Chord;
use super::line_edit::LineEdit;
use super::markdown::{Guide, GuideLine};
use super::present::Presenter;
use super::theme::{Role, Theme};
use super::what_if::WhatIfBox;

/// What the bars compare with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BarUnit {
    /// The limit that binds.
    #[default]
    Binding,
    /// Records written.
    Records,
    /// Bytes written.
    Bytes,
    /// Bytes read.
    Reads,
}

impl BarUnit {
    /// The unit after this one.
    pub const fn next(self) -> Self {
        match self {
            Self::Binding => Self::Records,
            Self::Records => Self::Bytes,
            Self::Bytes => Self::Reads,
            Self::Reads => Self::Binding,
        }
    }
}

/// A one-line field inside a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Filter of the journal.
    Filter,
    /// Filter of the rows of an in-application stream.
    Rows,
    /// Partition key to probe.
    Probe,
}

/// A short message that stays until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// The sentence.
    pub text: String,
    /// Something failed.
    pub failed: bool,
}

/// The command overlay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Palette {
    /// What is typed.
    pub input: LineEdit,
    /// Chosen row.
    pub selected: usize,
    /// The driver's completions of the input.
    pub completions: Vec<(String, String)>,
}

/// Text that can be scrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputBox {
    /// Title.
    pub title: String,
    /// The text; lines are wrapped when drawn.
    pub text: String,
    /// First line shown.
    pub scroll: u16,
    /// It is an error.
    pub failed: bool,
}

/// A question being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerBox {
    /// Position of the question in the step.
    pub question: usize,
    /// Typed answer (free questions).
    pub input: LineEdit,
    /// Chosen answer (choices).
    pub selected: usize,
}

/// Something to be agreed to.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmBox {
    /// Title, a question.
    pub title: String,
    /// What will happen.
    pub lines: Vec<String>,
    /// What Enter does.
    pub act: Act,
}

/// A layer over the screen; the last one takes the keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// Commands, help and keys.
    Palette(Palette),
    /// A check explained, by position.
    Explain(usize),
    /// Output of a command, a record, a log.
    Output(OutputBox),
    /// A question.
    Answer(AnswerBox),
    /// A confirmation.
    Confirm(ConfirmBox),
    /// Code of an application.
    Editor(Box<EditorBox>),
    /// The way of the record being followed; first line shown.
    Trail(u16),
    /// Sliders for the bill.
    WhatIf(WhatIfBox),
    /// What can go wrong.
    Faults(FaultBox),
    /// Other futures; the chosen row.
    Branches(usize),
    /// The guide's full text: scroll position, `None` = keep the chosen item in sight.
    Guide(Option<u16>),
    /// What can be exported, and the row chosen.
    Export(usize),
}

/// What can be written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// The screen now, as a picture.
    Svg,
    /// The run up to now, as a recording.
    Cast,
    /// A report in Markdown.
    Markdown,
    /// A report that carries the run, in JSON.
    Json,
}

impl Export {
    /// All of them: what they are, and what they are for.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Svg, "Picture of this screen (.svg)", "Opens in every browser and stays sharp at any size."),
        (Self::Cast, "Recording of the run (.cast)", "For asciinema: the run from its start, by the lab's clock."),
        (Self::Markdown, "Report (.md)", "Steps, checks, hints and score on one page."),
        (Self::Json, "Report with the run (.json)", "'kinlab replay' scores it again and must find the same."),
    ];
}

/// Something that happened to the dashboard.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// A key.
    Key(Chord),
    /// The mouse.
    Mouse(MouseKind, u16, u16),
    /// Pasted text.
    Paste(String),
    /// The window has this size now.
    Resize(u16, u16),
    /// 200 ms of wall time passed while running: dots move.
    Tick(u32),
    /// A frame was drawn.
    Drawn(HitMap),
    /// An act is done.
    Done(Act, Outcome),
    /// Completions of a line.
    Completions(String, Vec<(String, String)>),
    /// What the compiler says of a text for an application.
    Checked(String, String, CodeReport),
    /// The text that another editor gave back, or why there is none.
    Edited(Result<String, String>),
    /// Writing a frame takes long.
    SlowLink(bool),
    /// Virtual time went on by itself.
    Turned,
    /// What was exported: a sentence that says where, or what went wrong.
    Exported(Result<String, String>),
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    /// Button pressed.
    Press,
    /// Moved with the button down.
    Drag,
    /// Wheel up.
    WheelUp,
    /// Wheel down.
    WheelDown,
}

/// What the shell around the dashboard has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Hand an act to the driver.
    Act(Act),
    /// Ask the driver for completions.
    Complete(String),
    /// Ask the driver what the compiler says of a text for an application.
    Check(String, String),
    /// Let the driver keep a draft.
    Draft(String, Option<String>),
    /// Give a text to the editor of the learner's choice.
    ExternalEditor(String),
    /// Put a text on the clipboard.
    Copy(String),
    /// Write something to a file.
    Export(Export),
    /// Take or release the mouse.
    Mouse(bool),
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Leave.
    Quit,
    /// Leave to the labs list.
    Labs,
}

/// State of the journal list.
#[derive(Debug, Clone, Default)]
pub struct JournalState {
    /// Chosen row by its sequence; `None` = the newest.
    pub selected: Option<u64>,
    /// Rows held while the list is paused.
    pub frozen: Option<JournalView>,
    /// Filter in force.
    pub filter: Option<String>,
    /// Rows asked for beyond a screenful.
    pub depth: usize,
}

/// State of the list of rows.
#[derive(Debug, Clone, Default)]
pub struct RowsState {
    /// Chosen row among those that match, newest first.
    pub selected: usize,
    /// Filter in force.
    pub filter: Option<String>,
    /// The stream held while the list is paused.
    pub frozen: Option<InAppStreamView>,
}

/// Settings the user chose before the first frame.
#[derive(Debug, Clone)]
pub struct Look {
    /// Theme.
    pub theme: &'static Theme,
    /// Signs.
    pub glyphs: GlyphSet,
    /// Dots on the arrows move.
    pub motion: bool,
    /// The mouse is taken.
    pub mouse: bool,
    /// Keys.
    pub keymap: Keymap,
}

impl Default for Look {
    fn default() -> Self {
        Self { theme: &Theme::all()[0], glyphs: GlyphSet::Unicode, motion: true, mouse: true, keymap: Keymap::default() }
    }
}

/// The dashboard's memory.
#[derive(Debug, Clone)]
pub struct App {
    /// Theme, signs, keys.
    pub look: Look,
    /// Size of the window.
    pub size: (u16, u16),
    /// Screen shown.
    pub screen: Screen,
    /// Pane with the focus, per screen.
    focus: [PaneId; Screen::ALL.len()],
    /// The focused pane has the whole screen.
    pub zoomed: bool,
    /// Stream shown; the first when `None` or gone.
    pub stream: Option<String>,
    /// Chosen shard by number.
    pub shard: Option<u32>,
    /// What bars compare.
    pub bar_unit: BarUnit,
    /// Cursor of the hash-key map.
    pub map_cursor: Option<u128>,
    /// Partition key that is probed.
    pub probe: Option<String>,
    /// Field being typed into.
    pub field: Option<(Field, LineEdit)>,
    /// Journal list.
    pub journal: JournalState,
    /// Chosen item of the guide.
    pub guide_item: Option<GuideItem>,
    /// Scroll position of the guide; `None` = keep the chosen item in sight.
    pub guide_scroll: Option<u16>,
    /// Chosen consumer.
    pub consumer: usize,
    /// Chosen program.
    pub program: usize,
    /// Application chosen by name; see [`App::application`].
    pub application: Option<String>,
    /// In-application stream chosen.
    pub in_app_stream: usize,
    /// Its rows.
    pub rows: RowsState,
    /// Delivery stream chosen.
    pub delivery: usize,
    /// Function chosen.
    pub function: usize,
    /// Delivered object chosen.
    pub object: usize,
    /// First row of charts, prices, accounting lines.
    pub scroll: u16,
    /// Charts show five minutes instead of one.
    pub long_window: bool,
    /// Layers over the screen.
    pub overlays: Vec<Overlay>,
    /// Message until the next key.
    pub toast: Option<Toast>,
    /// Lines run, oldest first.
    pub history: Vec<String>,
    /// Actions run from the overlay, newest first.
    pub recent: Vec<ActionId>,
    /// Steps of 200 ms, for dots on the arrows.
    pub phase: u32,
    /// Frames take long to write.
    pub slow_link: bool,
    /// Panes that failed while being drawn.
    pub failed: BTreeSet<PaneId>,
    /// The presenter, when the lab is shown to a room.
    pub presenter: Option<Presenter>,
    /// Words that stay at the end of the last line: who types here.
    pub banner: Option<String>,
    /// What lies where in the last frame.
    pub hits: HitMap,
    cache: RefCell<GuideCache>,
    /// A pane that fails when drawn.
    #[cfg(test)]
    pub fault: Option<PaneId>,
}

#[derive(Debug, Clone, Default)]
struct GuideCache {
    body: String,
    guide: Rc<Guide>,
    wrapped: Vec<(u16, Rc<Vec<GuideLine>>)>,
}

impl App {
    /// A dashboard that shows `screen`.
    pub fn new(look: Look, screen: Screen, width: u16, height: u16) -> Self {
        Self {
            look,
            size: (width, height),
            screen,
            focus: Screen::ALL.map(Screen::home),
            zoomed: false,
            stream: None,
            shard: None,
            bar_unit: BarUnit::default(),
            map_cursor: None,
            probe: None,
            field: None,
            journal: JournalState::default(),
            guide_item: None,
            guide_scroll: None,
            consumer: 0,
            program: 0,
            application: None,
            in_app_stream: 0,
            rows: RowsState::default(),
            delivery: 0,
            function: 0,
            object: 0,
            scroll: 0,
            long_window: false,
            overlays: Vec::new(),
            toast: None,
            history: Vec::new(),
            recent: Vec::new(),
            phase: 0,
            slow_link: false,
            failed: BTreeSet::new(),
            presenter: None,
            banner: None,
            hits: HitMap::default(),
            cache: RefCell::default(),
            #[cfg(test)]
            fault: None,
        }
    }

    /// The presenter, when it has the screen.
    pub fn presenting(&self) -> Option<&Presenter> {
        self.presenter.as_ref().filter(|presenter| presenter.on)
    }

    fn screen_index(&self) -> usize {
        Screen::ALL.iter().position(|s| *s == self.screen).unwrap_or(0)
    }

    /// The pane that has the focus: one of this screen's, or one that a wide window shows beside them.
    pub fn focus(&self) -> PaneId {
        let wanted = self.focus[self.screen_index()];
        if self.screen.panes().contains(&wanted) || self.hits.panes.contains(&wanted) { wanted } else { self.screen.home() }
    }

    /// Focuses a pane of the present screen.
    pub fn set_focus(&mut self, pane: PaneId) {
        let at = self.screen_index();
        self.focus[at] = pane;
    }

    /// What the next view has to hold.
    pub fn wants(&self) -> Wants {
        let filter = match &self.field {
            Some((Field::Filter, edit)) => Some(edit.text()),
            _ => self.journal.filter.clone(),
        };
        let probe = match &self.field {
            Some((Field::Probe, edit)) => Some(edit.text()),
            _ => self.probe.clone(),
        };
        Wants {
            journal_rows: usize::from(self.size.1).max(20) + self.journal.depth,
            journal_filter: filter.filter(|f| !f.is_empty()),
            history_seconds: if self.long_window { 300 } else { 60 },
            key_bins: 128,
            stream: None,
            probe_key: probe.filter(|p| !p.is_empty()),
        }
    }

    /// The stream shown.
    pub fn stream<'v>(&self, view: &'v SessionView) -> Option<&'v StreamView> {
        let streams = &view.world.streams;
        self.stream.as_ref().and_then(|name| streams.iter().find(|s| s.name == *name)).or_else(|| streams.first())
    }

    /// The application shown: the chosen one, else the one that matters most.
    pub fn application<'v>(&self, view: &'v SessionView) -> Option<&'v ApplicationView> {
        let all = &view.world.applications;
        self.application.as_ref().and_then(|name| all.iter().find(|application| application.name == *name)).or_else(|| view.world.application())
    }

    /// The in-application stream chosen, as it is now.
    pub fn live_stream<'v>(&self, view: &'v SessionView) -> Option<&'v InAppStreamView> {
        let all = &self.application(view)?.streams;
        all.get(self.in_app_stream.min(all.len().saturating_sub(1)))
    }

    /// The in-application stream chosen: as it was held while the list is paused.
    pub fn in_app_stream<'a>(&'a self, view: &'a SessionView) -> Option<&'a InAppStreamView> {
        let live = self.live_stream(view)?;
        Some(self.rows.frozen.as_ref().filter(|frozen| frozen.name == live.name).unwrap_or(live))
    }

    /// The chosen shard of the stream shown, else its first.
    pub fn shard<'v>(&self, view: &'v SessionView) -> Option<&'v ShardView> {
        let shards = &self.stream(view)?.shards;
        self.shard.and_then(|number| shards.iter().find(|s| s.number == number)).or_else(|| shards.first())
    }

    /// Where the map's cursor stands: where it was put, else in the middle of the chosen shard.
    pub fn cursor(&self, view: &SessionView) -> HashKey {
        let middle = self.shard(view).map_or(u128::MAX / 2, |s| s.hash_start.0 + (s.hash_end.0.saturating_sub(s.hash_start.0)) / 2 + 1);
        HashKey(self.map_cursor.unwrap_or(middle))
    }

    /// The journal rows to show: those held while paused, else those of the view.
    pub fn journal_view<'a>(&'a self, view: &'a SessionView) -> &'a JournalView {
        self.journal.frozen.as_ref().unwrap_or(&view.world.journal)
    }

    /// The step's guide, parsed once per text.
    pub fn guide(&self, view: &SessionView) -> Rc<Guide> {
        let mut cache = self.cache.borrow_mut();
        if cache.body != view.lab.step.body {
            *cache = GuideCache { body: view.lab.step.body.clone(), guide: Rc::new(Guide::parse(&view.lab.step.body)), wrapped: Vec::new() };
        }
        Rc::clone(&cache.guide)
    }

    /// The step's text, wrapped once per text and width.
    pub fn guide_text(&self, view: &SessionView, cells: u16) -> Rc<Vec<GuideLine>> {
        let guide = self.guide(view);
        let mut cache = self.cache.borrow_mut();
        if let Some((_, lines)) = cache.wrapped.iter().find(|(w, _)| *w == cells) {
            return Rc::clone(lines);
        }
        let lines = Rc::new(guide.lines(cells));
        // A dock and an overlay are the two widths in use; more come only from resizing.
        if cache.wrapped.len() > 3 {
            cache.wrapped.clear();
        }
        cache.wrapped.push((cells, Rc::clone(&lines)));
        lines
    }

    /// What can be chosen in the guide, in the order of its lines. The strip has no commands.
    pub fn guide_items(&self, view: &SessionView, strip: bool) -> Vec<GuideItem> {
        let runs = if strip { 0 } else { self.guide(view).runs.len() };
        let step = &view.lab.step;
        let runs = (0..runs).map(GuideItem::Run);
        let checks = (0..step.checks.len()).map(GuideItem::Check);
        checks.chain(runs).chain((0..step.questions.len()).map(GuideItem::Question)).collect()
    }

    /// The chosen item: what was chosen, else the first open check, else the first item.
    pub fn chosen_item(&self, view: &SessionView, strip: bool) -> Option<GuideItem> {
        let items = self.guide_items(view, strip);
        if let Some(item) = self.guide_item.filter(|i| items.contains(i)) {
            return Some(item);
        }
        let open = |item: &&GuideItem| matches!(item, GuideItem::Check(i) if view.lab.step.checks[*i].state != CheckState::Met);
        items.iter().find(open).or_else(|| items.first()).copied()
    }

    /// The guide is drawn as a strip in the last frame.
    pub fn guide_is_strip(&self) -> bool {
        !matches!(self.overlays.last(), Some(Overlay::Guide(_)))
            && !self.zoomed
            && match super::layout::class(self.size.0, self.size.1) {
                Some(super::layout::Class::Small) => true,
                Some(super::layout::Class::Normal) => self.screen == Screen::Metrics,
                _ => false,
            }
    }

    /// Shows a message until the next key.
    pub fn say(&mut self, text: impl Into<String>, failed: bool) {
        self.toast = Some(Toast { text: text.into(), failed });
    }
}

/// Role of a state sign.
pub fn check_role(state: CheckState) -> Role {
    match state {
        CheckState::Waiting => Role::Dim,
        CheckState::Partial => Role::Warn,
        CheckState::Met => Role::Ok,
        CheckState::Failed => Role::Bad,
    }
}
