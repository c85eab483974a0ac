//! What the screens look like: text and a grid of style roles, per screen, fixture and size. Read a changed snapshot before you accept it.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use kinlab::export::frame::{buffer_roles, buffer_text};
use kinlab::lab::{Lab, embedded};
use kinlab::session::Session;
use kinlab::session::driver::Driver;
use kinlab::session::view::SessionView;
use kinlab::tui::app::{App, Look, Msg};
use kinlab::tui::dashboard::Dashboard;
use kinlab::tui::fixture;
use kinlab::tui::glyphs::GlyphSet;
use kinlab::tui::ids::Screen;
use kinlab::tui::keys::Chord;
use kinlab::tui::present::published::Published;
use kinlab::tui::present::{BeatState, Presenter, notes};
use kinlab::tui::render::frame;
use kinlab::tui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The sizes that the screens are designed for.
const SIZES: [(u16, u16); 4] = [(200, 60), (120, 40), (80, 24), (60, 18)];

fn app(screen: Screen, w: u16, h: u16, theme: &str, glyphs: GlyphSet) -> App {
    let look = Look { theme: Theme::by_name(theme).expect("a theme"), glyphs, motion: false, ..Look::default() };
    App::new(look, screen, w, h)
}

fn drawn(app: &App, view: &SessionView) -> String {
    let (buf, hits) = frame(app, view, app.size.0, app.size.1);
    assert!(hits.within(buf.area));
    assert!(hits.failed.is_empty(), "a pane failed");
    format!("{}--- roles (capital: on the selection)\n{}", buffer_text(&buf), buffer_roles(&buf))
}

fn shot(screen: Screen, fixture: &str, view: &SessionView, w: u16, h: u16) {
    let name = format!("{}_{fixture}@{w}x{h}", screen.title().to_lowercase());
    insta::assert_snapshot!(name, drawn(&app(screen, w, h, "probe", GlyphSet::Unicode), view));
}

#[test]
fn overview() {
    for (w, h) in SIZES {
        shot(Screen::Overview, "throttled", &fixture::lab1_throttled(), w, h);
    }
}

#[test]
fn streams() {
    for (w, h) in SIZES {
        shot(Screen::Streams, "throttled", &fixture::lab1_throttled(), w, h);
    }
}

#[test]
fn metrics_and_journal() {
    for screen in [Screen::Metrics, Screen::Journal] {
        for (w, h) in SIZES {
            shot(screen, "throttled", &fixture::lab1_throttled(), w, h);
        }
    }
}

#[test]
fn without_colour_and_without_unicode_nothing_is_missing() {
    let view = fixture::lab1_throttled();
    for (name, theme, glyphs) in [("mono", "mono", GlyphSet::Unicode), ("ascii", "probe", GlyphSet::Ascii)] {
        let shown = drawn(&app(Screen::Streams, 80, 24, theme, glyphs), &view);
        let text = shown.split("--- roles").next().unwrap_or_default().to_owned();
        if name == "ascii" {
            assert!(text.is_ascii(), "{text}");
        }
        insta::assert_snapshot!(format!("streams_{name}@80x24"), text);
    }
}

/// A lab after the solutions of its first steps.
fn after(lab: &str, steps: usize, lines: &[&str]) -> Session {
    let (_, files) = embedded::find(lab).expect("exists");
    let lab = Arc::new(Lab::load(&files).expect("good"));
    let mut session = Session::new(lab.clone(), None).expect("good");
    session.keep_checkpoints();
    for line in lab.steps[..steps].iter().flat_map(|step| step.spec.solution.iter().map(String::as_str)).chain(lines.iter().copied()) {
        let outcome = session.line(line);
        assert!(!outcome.failed, "{line}: {}", outcome.message);
    }
    session
}

/// What the keys make of a screen.
fn pressed(session: &mut Session, screen: Screen, w: u16, h: u16, keys: &[&str]) -> String {
    let mut dashboard = Dashboard::new(app(screen, w, h, "probe", GlyphSet::Unicode), session);
    dashboard.frame();
    for key in keys {
        dashboard.handle(session, Msg::Key(key.parse::<Chord>().expect("a key")));
        dashboard.frame();
    }
    drawn(&dashboard.app, &dashboard.view)
}

#[test]
fn the_screens_of_lab2() {
    let mut session = after("lab2", 4, &[]);
    for screen in [Screen::Overview, Screen::Firehose, Screen::Metrics, Screen::Journal] {
        for (w, h) in SIZES {
            let view = Driver::view(&mut session, &app(screen, w, h, "probe", GlyphSet::Unicode).wants());
            shot(screen, "lab2", &view, w, h);
        }
    }
}

#[test]
fn the_menu_of_faults() {
    let splunk = r#"aws firehose create-delivery-stream --delivery-stream-name events --splunk-destination-configuration '{"HECEndpoint":"https://splunk.example.com:8088","HECEndpointType":"Event","HECToken":"t","S3Configuration":{"RoleARN":"arn:aws:iam::123456789012:role/r","BucketARN":"arn:aws:s3:::backup"}}'"#;
    let mut session = after("lab2", 4, &["aws s3 mb s3://backup", splunk, "fault destination events busy"]);
    for (w, h) in [(120, 40), (80, 24)] {
        insta::assert_snapshot!(format!("faults_lab2@{w}x{h}"), pressed(&mut session, Screen::Firehose, w, h, &["F", "Down", "Right"]));
    }
}

#[test]
fn analytics_as_lab3_shows_it() {
    let mut session = after("lab3", 5, &[]);
    for (w, h) in SIZES {
        let view = Driver::view(&mut session, &app(Screen::Analytics, w, h, "probe", GlyphSet::Unicode).wants());
        shot(Screen::Analytics, "lab3", &view, w, h);
    }
    for (w, h) in [(120, 40), (80, 24)] {
        // The end of the code, a name that is not there, and what is said of it.
        let shown = pressed(&mut session, Screen::Analytics, w, h, &["e", "Down", "Down", "Down", "End", "X", "Y", "Z"]);
        insta::assert_snapshot!(format!("editor_lab3@{w}x{h}"), shown);
    }
}

#[test]
fn overlays_of_time_and_cost() {
    let lines = [
        "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 2",
        "run 2s",
        "aws kinesis put-record --stream-name dcb-taxi-trips --partition-key a --data aGVsbG8=",
    ];
    let mut session = after("lab1", 0, &lines);
    for (name, keys) in [("trail", &["i"][..]), ("what_if", &["W", "Right", "Right", "Down", "Right"][..])] {
        insta::assert_snapshot!(format!("{name}_lab1@80x24"), pressed(&mut session, Screen::Streams, 80, 24, keys));
    }
    let mut session = after("lab1", 0, &[lines[0], "run 22s", "rewind 20s", "aws kinesis delete-stream --stream-name dcb-taxi-trips", "run 3s"]);
    insta::assert_snapshot!("branches_lab1@80x24", pressed(&mut session, Screen::Overview, 80, 24, &["V"]));
}

/// Lab1's presenter at the fourth beat, played.
fn presented(w: u16, h: u16, glyphs: GlyphSet) -> App {
    let (_, files) = embedded::find("lab1").expect("exists");
    let mut app = app(Screen::Streams, w, h, "probe", glyphs);
    let mut presenter = Presenter::new(&Lab::load(&files).expect("good")).expect("beats");
    (presenter.at, presenter.state) = (3, BeatState::Over);
    app.presenter = Some(presenter);
    app
}

#[test]
fn presenter() {
    let view = fixture::lab1_throttled();
    for (w, h) in [(120, 40), (80, 24)] {
        insta::assert_snapshot!(format!("presenter_throttled@{w}x{h}"), drawn(&presented(w, h, GlyphSet::Unicode), &view));
    }
    let text = drawn(&presented(80, 24, GlyphSet::Ascii), &view);
    let text = text.split("--- roles").next().unwrap_or_default().to_owned();
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("presenter_ascii@80x24", text);
}

#[test]
fn speakers_notes() {
    let app = presented(120, 40, GlyphSet::Unicode);
    let news = Published::new(&app, &fixture::lab1_throttled(), 0, 45);
    let mut buf = Buffer::empty(Rect::new(0, 0, 80, 24));
    notes::draw(Ok(&news), notes::Console { elapsed: 702, scroll: 0 }, &app.look, &mut buf);
    insta::assert_snapshot!("notes_throttled@80x24", format!("{}--- roles\n{}", buffer_text(&buf), buffer_roles(&buf)));
    notes::draw(Err("Nobody presents."), notes::Console::default(), &app.look, &mut buf);
    assert!(buffer_text(&buf).contains("Nobody presents."));
}
