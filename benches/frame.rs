//! How long a frame of the dashboard takes: `cargo bench --bench frame`. Least of 200 frames, as the reference asks.
#![allow(clippy::disallowed_methods, reason = "a bench measures wall time")]

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use kinlab::lab::{Lab, embedded};
use kinlab::session::Session;
use kinlab::session::driver::Driver;
use kinlab::tui::app::{App, Look};
use kinlab::tui::ids::Screen;
use kinlab::tui::render::frame;

use support::Ledger;

fn main() {
    let (_, files) = embedded::find("lab1").expect("embedded");
    let mut session = Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("good");
    for line in [
        "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 100",
        "run 2s",
        "java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamRegion us-east-1 -speedup 1800 -streamName dcb-taxi-trips",
        "read-stream",
        "run 60s",
    ] {
        assert!(!session.line(line).failed, "{line}");
    }
    let mut ledger = Ledger::new("frame");
    for screen in Screen::ALL {
        for (width, height) in [(200u16, 60u16), (120, 40), (80, 24)] {
            let app = App::new(Look::default(), screen, width, height);
            let (mut view_us, mut draw_us) = (f64::MAX, f64::MAX);
            for _ in 0..200 {
                let started = Instant::now();
                let view = Driver::view(&mut session, &app.wants());
                view_us = view_us.min(started.elapsed().as_secs_f64() * 1e6);
                let started = Instant::now();
                black_box(frame(&app, &view, width, height));
                draw_us = draw_us.min(started.elapsed().as_secs_f64() * 1e6);
            }
            ledger.row(&format!("{} {width}x{height}, view", screen.title()), view_us, "us");
            ledger.row(&format!("{} {width}x{height}, draw", screen.title()), draw_us, "us");
        }
    }
}
