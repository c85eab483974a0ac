//! What a presenter or a dashboard shows to others: the view, and where on it one looks. Whoever follows draws it in a window and a theme of their own.

use serde::{Deserialize, Serialize};

use crate::lab::beats::BeatSpec;
use crate::session::view::SessionView;
use crate::tui::app::{App, Look, OutputBox, Overlay, Palette};
use crate::tui::ids::{PaneId, Screen};
use crate::tui::line_edit::LineEdit;

use super::{BeatState, Presenter};

/// Version of the form.
const FORM: u32 = 1;

/// Everything that others need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// Version of the form.
    kinlab: u32,
    /// When it began, seconds since 1970 by the presenter's clock.
    pub began: u64,
    /// Minutes planned.
    pub minutes: u32,
    /// What there is to see.
    pub view: SessionView,
    shown: Shown,
    /// The beats and how far they are.
    pub beats: Option<Beats>,
}

/// Where on the view one looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Shown {
    screen: String,
    focus: usize,
    zoomed: bool,
    long_window: bool,
    scroll: u16,
    stream: Option<String>,
    shard: Option<u32>,
    /// Chosen rows: consumer, program, in-application stream, delivery stream, function, object.
    rows: [usize; 6],
    /// Title, text, first line and failure of the text that lies over the screen.
    output: Option<(String, String, u16, bool)>,
    typed: Option<String>,
}

/// The beats of a presentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beats {
    /// All of them.
    pub all: Vec<BeatSpec>,
    /// The one shown.
    pub at: usize,
    /// It is over.
    pub over: bool,
    /// It plays.
    pub playing: bool,
    /// Why it stopped.
    pub failed: Option<String>,
    on: bool,
    zoomed: bool,
    output: Option<(String, String)>,
}

impl Beats {
    /// The beat shown.
    pub fn beat(&self) -> Option<&BeatSpec> {
        self.all.get(self.at)
    }
}

impl Published {
    /// What `app` shows of `view`.
    pub fn new(app: &App, view: &SessionView, began: u64, minutes: u32) -> Self {
        let (mut output, mut typed) = (None, None);
        match app.overlays.last() {
            Some(Overlay::Output(text)) => output = Some((text.title.clone(), text.text.clone(), text.scroll, text.failed)),
            Some(Overlay::Palette(palette)) => typed = Some(palette.input.text()),
            _ => {}
        }
        let shown = Shown {
            screen: app.screen.title().to_owned(),
            focus: PaneId::ALL.iter().position(|pane| *pane == app.focus()).unwrap_or(0),
            zoomed: app.zoomed,
            long_window: app.long_window,
            scroll: app.scroll,
            stream: app.stream.clone(),
            shard: app.shard,
            rows: [app.consumer, app.program, app.in_app_stream, app.delivery, app.function, app.object],
            output,
            typed,
        };
        let beats = app.presenter.as_ref().map(|presenter| Beats {
            all: presenter.beats.to_vec(),
            at: presenter.at,
            over: presenter.state == BeatState::Over,
            playing: presenter.state == BeatState::Playing,
            failed: presenter.failed.clone(),
            on: presenter.on,
            zoomed: presenter.zoomed,
            output: presenter.output.clone(),
        });
        Self { kinlab: FORM, began, minutes, view: view.clone(), shown, beats }
    }

    /// Reads what was published.
    ///
    /// # Errors
    /// A sentence: not ours, or newer than this program.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| format!("not what a kinlab presenter writes: {error}"))?;
        if read.kinlab > FORM { Err(format!("written in form {}; this kinlab reads up to form {FORM}", read.kinlab)) } else { Ok(read) }
    }

    /// A dashboard that shows the same in a window of a size.
    pub fn app(&self, look: Look, width: u16, height: u16) -> App {
        let shown = &self.shown;
        let mut app = App::new(look, Screen::by_name(&shown.screen).unwrap_or_default(), width, height);
        if let Some(pane) = PaneId::ALL.get(shown.focus) {
            app.set_focus(*pane);
        }
        app.zoomed = shown.zoomed;
        app.long_window = shown.long_window;
        app.scroll = shown.scroll;
        app.stream.clone_from(&shown.stream);
        app.shard = shown.shard;
        [app.consumer, app.program, app.in_app_stream, app.delivery, app.function, app.object] = shown.rows;
        if let Some((title, text, scroll, failed)) = shown.output.clone() {
            app.overlays.push(Overlay::Output(OutputBox { title, text, scroll, failed }));
        }
        if let Some(typed) = &shown.typed {
            app.overlays.push(Overlay::Palette(Palette { input: LineEdit::new(typed), ..Palette::default() }));
        }
        app.presenter = self.beats.as_ref().filter(|beats| !beats.all.is_empty()).map(|beats| Presenter {
            at: beats.at,
            state: match (beats.over, beats.playing) {
                (true, _) => BeatState::Over,
                (_, true) => BeatState::Playing,
                _ => BeatState::Ready,
            },
            on: beats.on,
            zoomed: beats.zoomed,
            failed: beats.failed.clone(),
            output: beats.output.clone(),
            ..Presenter::of(beats.all.iter().cloned().collect(), std::rc::Rc::from([]))
        });
        app
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture;
    use crate::tui::render::frame;

    #[test]
    fn a_follower_sees_the_same_cells_and_has_a_size_of_its_own() {
        let view = fixture::lab1_throttled();
        let look = || Look { motion: false, ..Look::default() };
        let mut app = App::new(look(), Screen::Streams, 120, 40);
        app.shard = Some(2);
        app.overlays.push(Overlay::Output(OutputBox { title: "t".to_owned(), text: "a text".to_owned(), scroll: 0, failed: false }));
        let text = serde_json::to_string(&Published::new(&app, &view, 1, 45)).expect("JSON");
        let read = Published::parse(&text).expect("ours");
        assert_eq!(frame(&read.app(look(), 120, 40), &read.view, 120, 40).0, frame(&app, &view, 120, 40).0);
        assert_eq!(frame(&read.app(look(), 80, 24), &read.view, 80, 24).0.area.width, 80);
        assert!(Published::parse("{}").is_err_and(|error| error.contains("not what a kinlab presenter writes")));
        assert!(Published::parse(&text.replacen("\"kinlab\":1", "\"kinlab\":9", 1)).is_err_and(|error| error.contains("form 9")));
    }
}
