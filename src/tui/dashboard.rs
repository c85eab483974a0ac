//! App, view and driver together, without a terminal: what the terminal loop and the tests both drive.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::driver::{Act, Driver};
use crate::session::view::SessionView;

use super::app::{App, Effect, Msg, Overlay};
use super::demo::{Demo, Step};
use super::keys::{Chord, Key};
use super::render::render;
use super::update::update;

/// A dashboard on a driver.
#[derive(Debug)]
pub struct Dashboard {
    /// What the screen remembers.
    pub app: App,
    /// The view of the last refresh.
    pub view: SessionView,
    /// Somebody types here.
    demo: Option<Demo>,
}

impl Dashboard {
    /// A dashboard with a first view.
    pub fn new(app: App, driver: &mut dyn Driver) -> Self {
        let view = driver.view(&app.wants());
        Self { app, view, demo: None }
    }

    /// Lets a script type from now on.
    pub fn play(&mut self, demo: Demo) {
        self.app.banner = Some("demo: any key takes over, Esc ends it".to_owned());
        self.demo = Some(demo);
    }

    /// A script types.
    pub fn is_played(&self) -> bool {
        self.demo.is_some()
    }

    /// Virtual time went on by itself: a new view, and what was waiting for it.
    pub fn turned(&mut self, driver: &mut dyn Driver) -> Vec<Effect> {
        self.refresh(driver);
        self.handle(driver, Msg::Turned)
    }

    /// Lets the script press the keys that are due at `now`. Answers whether there were any, and when the next one is due; `None` when that hangs on
    /// the world, or when nobody types.
    pub fn type_on(&mut self, driver: &mut dyn Driver, now: Duration) -> (bool, Option<Duration>) {
        let mut acted = false;
        loop {
            let Some(demo) = &mut self.demo else { return (acted, None) };
            match demo.next(now, &self.app, &self.view) {
                Step::Key(chord) => {
                    self.handle(driver, Msg::Key(chord));
                }
                Step::Act(act) => {
                    let outcome = driver.act(act.clone());
                    self.refresh(driver);
                    self.handle(driver, Msg::Done(act, outcome));
                }
                Step::Later(wait) => return (acted, Some(wait)),
                Step::World => return (acted, None),
                Step::End => {
                    self.end_demo();
                    self.app.say("The demo is over; the lab is yours.", false);
                    return (true, None);
                }
            }
            acted = true;
        }
    }

    fn end_demo(&mut self) {
        self.demo = None;
        self.app.banner = None;
    }

    /// Somebody touched a key while a script was typing: it ends, half a line goes. Answers whether the key has done its work with that.
    pub fn take_over(&mut self, driver: &mut dyn Driver, chord: Option<Chord>) -> bool {
        self.end_demo();
        self.app.overlays.retain(|overlay| !matches!(overlay, Overlay::Palette(_)));
        driver.act(Act::Pause(true));
        self.refresh(driver);
        self.app.say("The demo has ended here; the lab is yours. Time stands still.", false);
        chord == Some(Chord::plain(Key::Esc))
    }

    /// Takes a new view.
    pub fn refresh(&mut self, driver: &mut dyn Driver) {
        self.view = driver.view(&self.app.wants());
    }

    /// Handles a message and everything that follows from it in the driver. Answers what only a terminal can do.
    pub fn handle(&mut self, driver: &mut dyn Driver, msg: Msg) -> Vec<Effect> {
        let mut outside = Vec::new();
        let mut queue = vec![msg];
        while let Some(msg) = queue.pop() {
            for effect in update(&mut self.app, &self.view, msg) {
                match effect {
                    Effect::Act(act) => {
                        let outcome = driver.act(act.clone());
                        self.refresh(driver);
                        queue.push(Msg::Done(act, outcome));
                    }
                    Effect::Complete(line) => {
                        let completions = driver.complete(&line);
                        queue.push(Msg::Completions(line, completions));
                    }
                    Effect::Check(application, code) => {
                        let report = driver.code_report(&application, &code);
                        queue.push(Msg::Checked(application, code, report));
                    }
                    Effect::Draft(application, code) => driver.keep_draft(&application, code),
                    other => outside.push(other),
                }
            }
        }
        outside
    }

    /// Runs a command line as if it was typed.
    pub fn run_line(&mut self, driver: &mut dyn Driver, line: &str) -> Vec<Effect> {
        let act = Act::Line(line.to_owned());
        let outcome = driver.act(act.clone());
        self.refresh(driver);
        self.handle(driver, Msg::Done(act, outcome))
    }

    /// Draws into a buffer and remembers what lies where.
    pub fn draw(&mut self, buf: &mut Buffer) {
        let hits = render(&self.app, &self.view, buf);
        update(&mut self.app, &self.view, Msg::Drawn(hits));
    }

    /// Draws a frame of the app's size.
    pub fn frame(&mut self) -> Buffer {
        let (width, height) = self.app.size;
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        self.draw(&mut buf);
        buf
    }
}
