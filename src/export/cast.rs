//! Recordings in asciinema's form (`.cast`, version 2): a run drawn again without a terminal. Every time stamp comes from a clock of its own that is
//! counted, not read, so equal runs give equal bytes.

use std::time::Duration;

use ratatui::buffer::Buffer;

use crate::lab::beats::Cue;
use crate::session::Session;
use crate::session::driver::{Act, Driver};
use crate::session::runlog::{Entry, What};
use crate::tui::app::{App, Look, Msg};
use crate::tui::dashboard::Dashboard;
use crate::tui::demo::Demo;
use crate::tui::glyphs::GlyphSet;
use crate::tui::ids::Screen;
use crate::tui::keys::{Chord, Key};
use crate::tui::theme::Theme;

use super::ansi::difference;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(100);
/// Turns of the world in a frame: at x64 each stays below what a turn may make up.
const TURNS: u32 = 5;
/// How long a recorded line, and then its answer, stays on the screen.
const LINE: Duration = Duration::from_millis(1100);
const ANSWER: Duration = Duration::from_millis(1600);
/// The last frame stays so long.
const END: Duration = Duration::from_secs(3);
/// No recording is longer; whoever watches four hours plays the lab.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// What a recording looks like.
#[derive(Debug, Clone)]
pub struct CastOptions {
    /// Width in cells.
    pub width: u16,
    /// Height in cells.
    pub height: u16,
    /// Theme.
    pub theme: &'static Theme,
    /// Signs.
    pub glyphs: GlyphSet,
    /// Screen at the beginning.
    pub screen: Screen,
    /// Virtual time against the recording's.
    pub speed: String,
    /// Time of one key.
    pub typing: Duration,
}

/// What is recorded.
#[derive(Debug)]
pub enum Story<'a> {
    /// Lines typed by hand, with the world running between them.
    Typed(Vec<Cue>),
    /// A run that was played, to an instant in microseconds since the start.
    Recorded(&'a [Entry], u64),
}

struct Camera<'s> {
    session: &'s mut Session,
    dashboard: Dashboard,
    last: Buffer,
    now: Duration,
    out: String,
}

impl Camera<'_> {
    fn shoot(&mut self) {
        let frame = self.dashboard.frame();
        let bytes = difference(&self.last, &frame);
        if !bytes.is_empty() {
            // A text always becomes JSON.
            let text = serde_json::to_string(&bytes).unwrap_or_default();
            self.out += &format!("[{}.{:03},\"o\",{text}]\n", self.now.as_secs(), self.now.subsec_millis());
        }
        self.last = frame;
    }

    fn hold(&mut self, time: Duration) {
        self.shoot();
        self.now += time;
    }

    /// One frame of the world and of whoever types.
    fn frame(&mut self) {
        for _ in 0..TURNS {
            self.now += FRAME / TURNS;
            if self.session.turn(self.now, FRAME).changed {
                self.dashboard.turned(self.session);
            }
            self.dashboard.type_on(self.session, self.now);
        }
        self.shoot();
    }

    fn run_to(&mut self, elapsed_us: u64) {
        if elapsed_us <= self.dashboard.view.clock.elapsed_us {
            return;
        }
        self.session.act(Act::PlayTo(elapsed_us));
        while self.dashboard.view.clock.elapsed_us < elapsed_us && self.now < LONGEST {
            self.frame();
        }
    }

    fn typed(&mut self, demo: Demo) {
        self.session.act(Act::Pause(true));
        self.dashboard.play(demo);
        self.dashboard.app.banner = None;
        while self.dashboard.is_played() && self.now < LONGEST {
            self.frame();
        }
        self.dashboard.app.toast = None;
    }

    fn recorded(&mut self, entries: &[Entry], end_us: u64) {
        self.session.remember(entries);
        for (at, entry) in entries.iter().enumerate() {
            self.run_to(entry.at_us);
            let What::Line(line) = &entry.what else {
                self.session.again(&entries[at..]);
                continue;
            };
            self.dashboard.handle(self.session, Msg::Paste(line.clone()));
            self.hold(LINE);
            let outcome = self.session.again(&entries[at..]);
            self.dashboard.refresh(self.session);
            self.dashboard.handle(self.session, Msg::Done(Act::Line(line.clone()), outcome));
            self.hold(ANSWER);
            while !self.dashboard.app.overlays.is_empty() {
                self.dashboard.handle(self.session, Msg::Key(Chord::plain(Key::Esc)));
            }
        }
        self.run_to(end_us);
    }
}

/// Records a session from its beginning.
///
/// # Errors
/// A sentence: a speed that is none.
pub fn record(session: &mut Session, story: Story<'_>, options: &CastOptions) -> Result<String, String> {
    if options.speed == "max" {
        return Err("a recording needs a speed that eyes can follow: 0.25 to 64".to_owned());
    }
    let outcome = session.line(&format!("speed {}", options.speed));
    if outcome.failed {
        return Err(format!("--speed {}: {}", options.speed, outcome.message));
    }
    session.act(Act::Pause(true));
    let look = Look { theme: options.theme, glyphs: options.glyphs, motion: false, mouse: false, ..Look::default() };
    let app = App::new(look, options.screen, options.width, options.height);
    let lab = session.lab().lab.clone();
    let header = serde_json::json!({
        "version": 2, "width": options.width, "height": options.height, "title": format!("kinlab: {}", lab.scenario.title),
        "env": { "TERM": "xterm-256color" },
    });
    let dashboard = Dashboard::new(app, session);
    let last = Buffer::empty(ratatui::layout::Rect::new(0, 0, options.width, options.height));
    let out = format!("{header}\n[0.000,\"o\",\"\\u001b[?25l\\u001b[2J\"]\n");
    let mut camera = Camera { session, dashboard, last, now: Duration::ZERO, out };
    camera.shoot();
    match story {
        Story::Typed(cues) => {
            let checks = lab.scenario.check.iter().map(|(id, check)| (id.clone(), check.title.clone())).collect();
            camera.typed(Demo::new(cues, options.typing).with_checks(checks));
        }
        Story::Recorded(entries, end_us) => camera.recorded(entries, end_us),
    }
    camera.hold(END);
    let Camera { mut out, now, .. } = camera;
    out += &format!("[{}.{:03},\"o\",\"\\u001b[0m\"]\n", now.as_secs(), now.subsec_millis());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lab::{Lab, beats, embedded};

    fn session() -> Session {
        let (_, files) = embedded::find("lab1").expect("exists");
        Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("good")
    }

    fn options() -> CastOptions {
        CastOptions {
            width: 80,
            height: 24,
            theme: &Theme::all()[0],
            glyphs: GlyphSet::Unicode,
            screen: Screen::Streams,
            speed: "8".to_owned(),
            typing: Duration::from_millis(50),
        }
    }

    fn times(cast: &str) -> Vec<f64> {
        cast.lines().skip(1).map(|line| serde_json::from_str::<(f64, String, String)>(line).expect("an event").0).collect()
    }

    #[test]
    fn equal_runs_give_equal_bytes_and_the_same_world() {
        let lines = ["aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6", "run 4s", "shards"].map(str::to_owned);
        let film = || {
            let mut session = session();
            let cast = record(&mut session, Story::Typed(beats::cues(&lines).expect("good")), &options()).expect("good");
            (cast, session)
        };
        let (first, played) = film();
        let (second, _) = film();
        assert_eq!(first, second);
        let times = times(&first);
        assert!(times.len() > 40 && times.is_sorted(), "{} events", times.len());
        let mut straight = session();
        for line in &lines {
            straight.line(line);
        }
        assert_eq!(played.world().journal_hash(), straight.world().journal_hash());
        // The run itself, taken from its report, can be filmed as well and ends the same.
        let report = straight.report();
        let mut again = session();
        let cast = record(&mut again, Story::Recorded(&report.run.entries, report.elapsed_us), &options()).expect("good");
        assert_eq!(again.world().journal_hash(), straight.world().journal_hash());
        assert!(cast.contains("create-stream"));
    }

    #[test]
    fn a_refused_line_ends_the_recording_with_its_answer() {
        let cast = record(&mut session(), Story::Typed(vec![Cue::Do("frobnicate now".to_owned())]), &options()).expect("good");
        assert!(cast.contains("unknown command"), "{cast}");
        assert!(record(&mut session(), Story::Typed(Vec::new()), &CastOptions { speed: "max".to_owned(), ..options() }).is_err());
    }
}
