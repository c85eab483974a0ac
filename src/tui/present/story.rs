//! A presenter at the keyboard, on the real session, without a terminal.

use std::sync::Arc;
use std::time::Duration;

use super::{BeatState, Presenter};
use crate::lab::{Lab, embedded};
use crate::session::Session;
use crate::session::driver::{Act, Driver};
use crate::tui::app::{App, Look, Msg};
use crate::tui::dashboard::Dashboard;
use crate::tui::demo::Demo;
use crate::tui::ids::Screen;
use crate::tui::keys::Chord;

struct Room {
    session: Session,
    dashboard: Dashboard,
    wall: Duration,
}

impl Room {
    fn new(width: u16, height: u16) -> Self {
        let (_, files) = embedded::find("lab1").expect("exists");
        let lab = Arc::new(Lab::load(&files).expect("good"));
        let mut session = Session::new(lab.clone(), None).expect("good");
        session.keep_checkpoints();
        session.act(Act::Pause(true));
        let mut app = App::new(Look { motion: false, ..Look::default() }, Screen::Overview, width, height);
        app.presenter = Presenter::new(&lab);
        let dashboard = Dashboard::new(app, &mut session);
        Self { session, dashboard, wall: Duration::ZERO }
    }

    fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            let chord: Chord = key.parse().expect("a key");
            self.dashboard.handle(&mut self.session, Msg::Key(chord));
        }
    }

    /// Wall time passes, as the terminal loop lets it.
    fn wait(&mut self, seconds: u32) {
        for _ in 0..seconds * 10 {
            self.wall += Duration::from_millis(100);
            if self.session.turn(self.wall, Duration::ZERO).changed {
                self.dashboard.turned(&mut self.session);
            }
            self.dashboard.type_on(&mut self.session, self.wall);
        }
    }

    fn presenter(&self) -> &Presenter {
        self.dashboard.app.presenter.as_ref().expect("a presenter")
    }

    fn text(&mut self) -> String {
        let frame = self.dashboard.frame();
        frame.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    fn place_us(&self) -> u64 {
        self.dashboard.view.clock.elapsed_us
    }

    fn place(&self) -> (usize, BeatState, u64) {
        (self.presenter().at, self.presenter().state, self.dashboard.view.clock.elapsed_us)
    }
}

#[test]
fn a_beat_plays_to_its_end_and_back_goes_the_world() {
    let mut room = Room::new(120, 40);
    assert!(room.text().contains("There is no data stream yet"));
    room.press("Space");
    room.wait(1);
    assert_eq!(room.presenter().state, BeatState::Playing);
    room.press("Space");
    let held = room.place();
    room.wait(5);
    assert_eq!(room.place(), held, "time stands still between two spaces");
    room.press("Space");
    room.wait(5);
    assert_eq!(room.place(), (0, BeatState::Over, 3_000_000));
    let world = room.session.world().journal_hash();
    room.press("Space");
    assert_eq!(room.place(), (1, BeatState::Over, 3_000_000));
    assert!(room.text().contains("shard of dcb"), "the answer of the command is on the stage");
    room.press("b");
    assert_eq!((room.place().0, room.place().1, room.session.world().journal_hash()), (1, BeatState::Ready, world));
    room.press("b");
    assert_eq!(room.place(), (0, BeatState::Ready, 0));
    assert!(room.text().contains("There is no data stream yet"));
}

#[test]
fn whatever_the_way_to_a_beat_the_world_is_the_same() {
    let mut slow = Room::new(80, 24);
    slow.press("Space");
    slow.wait(4);
    slow.press("Space Space . .");
    slow.wait(10);
    assert_eq!(slow.place(), (2, BeatState::Over, 23_000_000));
    let mut fast = Room::new(80, 24);
    fast.press("G 4 Enter");
    assert_eq!(fast.place(), (3, BeatState::Ready, 23_000_000));
    assert_eq!(fast.session.world().journal_hash(), slow.session.world().journal_hash());
    fast.press("G 1 Enter n");
    assert_eq!(fast.place(), (0, BeatState::Over, 3_000_000));
    fast.press("G 9 9 Enter");
    assert!(fast.text().contains("There is no beat '99'; there are 1 to 11."));
}

#[test]
fn leaving_and_coming_back_keeps_the_instant() {
    let mut room = Room::new(120, 40);
    room.press("Space n z");
    assert!(room.presenter().zoomed);
    let place = room.place();
    room.press("Esc Esc");
    let text = room.text();
    assert!(text.contains("1 Overview") && text.contains("F8 goes back to the presenter"), "{text}");
    assert_eq!(room.dashboard.app.screen, Screen::Streams);
    room.press("F8 o");
    assert_eq!(room.place(), place);
    assert!(room.text().contains("pressed  Space n z Esc Esc o"), "{}", room.text());
}

#[test]
fn a_line_that_is_refused_stops_the_beat_and_says_why() {
    let mut room = Room::new(80, 24);
    room.dashboard.run_line(&mut room.session, "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6");
    room.press("Space");
    assert_eq!(room.place().1, BeatState::Over);
    let text = room.text();
    assert!(text.contains("ResourceInUseException") && text.contains("STOPPED"), "{text}");
}

#[test]
fn every_beat_at_every_size_is_drawn_whole() {
    for (width, height) in [(60, 18), (79, 23), (80, 24), (100, 32), (120, 40), (200, 60)] {
        let mut room = Room::new(width, height);
        for beat in 0..room.presenter().beats.len() {
            for zoomed in [false, true] {
                let presenter = room.dashboard.app.presenter.as_mut().expect("a presenter");
                (presenter.at, presenter.zoomed) = (beat, zoomed);
                let text = room.text();
                assert!(text.contains(&format!("beat {} of 11", beat + 1)), "{width}x{height}: {text}");
                assert!(room.dashboard.app.hits.failed.is_empty());
            }
        }
    }
}

#[test]
fn a_demo_types_and_whoever_touches_a_key_has_the_lab() {
    let mut room = Room::new(120, 40);
    room.dashboard.app.presenter = None;
    let lines = ["aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6", "run 3s", "shards"].map(str::to_owned);
    let demo = || Demo::new(crate::lab::beats::cues(&lines).expect("good"), Duration::from_millis(40));
    room.dashboard.play(demo());
    room.wait(3);
    let text = room.text();
    assert!(text.contains("> aws kinesis cre") && text.contains("demo: any key takes over"), "{text}");
    room.wait(30);
    assert!(!room.dashboard.is_played());
    assert_eq!((room.session.world().kinesis().streams().count(), room.place_us()), (1, 3_000_000));
    room.dashboard.play(demo());
    room.wait(2);
    let esc = "Esc".parse().ok();
    assert!(room.dashboard.take_over(&mut room.session, esc));
    assert!(room.dashboard.app.overlays.is_empty() && !room.dashboard.is_played());
}
