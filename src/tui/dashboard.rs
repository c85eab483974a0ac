//! App, view and driver together, without a terminal: what the terminal loop and the tests both drive.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::session::driver::{Act, Driver};
use crate::session::view::SessionView;

use super::app::{App, Effect, Msg};
use super::render::render;
use super::update::update;

/// A dashboard on a driver.
#[derive(Debug)]
pub struct Dashboard {
    /// What the screen remembers.
    pub app: App,
    /// The view of the last refresh.
    pub view: SessionView,
}

impl Dashboard {
    /// A dashboard with a first view.
    pub fn new(app: App, driver: &mut dyn Driver) -> Self {
        let view = driver.view(&app.wants());
        Self { app, view }
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
