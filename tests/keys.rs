//! Keys to screens: a learner at the keyboard, on the real session, without a terminal.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use kinlab::export::frame::buffer_text;
use kinlab::lab::{Lab, embedded};
use kinlab::session::Session;
use kinlab::tui::app::{App, Effect, Look, MouseKind, Msg};
use kinlab::tui::dashboard::Dashboard;
use kinlab::tui::ids::Screen;
use kinlab::tui::keys::{Chord, Key};
use proptest::prelude::*;

struct Learner {
    session: Session,
    dashboard: Dashboard,
}

impl Learner {
    fn new(lab: &str, width: u16, height: u16) -> Self {
        let (_, files) = embedded::find(lab).expect("exists");
        let mut session = Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("good");
        session.keep_checkpoints();
        let look = Look { motion: false, ..Look::default() };
        let dashboard = Dashboard::new(App::new(look, Screen::Overview, width, height), &mut session);
        let mut learner = Self { session, dashboard };
        learner.screen();
        learner
    }

    fn press(&mut self, chord: &str) -> Vec<Effect> {
        let chord: Chord = chord.parse().expect("a key");
        let effects = self.dashboard.handle(&mut self.session, Msg::Key(chord));
        self.screen();
        effects
    }

    /// Types a command line: `:`, the text, Enter, and Esc when its output lies over the screen.
    fn command(&mut self, line: &str) {
        self.press(":");
        for c in line.chars() {
            self.dashboard.handle(&mut self.session, Msg::Key(Chord::plain(Key::Char(c))));
        }
        self.press("Enter");
        self.press("Esc");
        self.press("Esc");
    }

    fn screen(&mut self) -> String {
        buffer_text(&self.dashboard.frame())
    }
}

/// The whole lab by keys: every command of every solution typed.
fn whole_lab(lab: &str, width: u16, height: u16) {
    let mut learner = Learner::new(lab, width, height);
    let steps = learner.session.lab().lab.steps.clone();
    let all = steps.len();
    for (at, step) in steps.iter().enumerate() {
        let shown = learner.screen();
        let wanted = [format!("Step {}/{all}", at + 1), format!("step {}/{all}", at + 1)];
        assert!(wanted.iter().any(|text| shown.contains(text)), "{width}x{height}:\n{shown}");
        for line in &step.spec.solution {
            learner.command(line);
        }
    }
    assert!(learner.session.lab().finished());
    assert_eq!(learner.screen().lines().count(), usize::from(height));
}

/// Both sizes that the labs are made for.
#[test]
fn lab1_can_be_done_from_start_to_finish_by_keyboard() {
    whole_lab("lab1", 80, 24);
    whole_lab("lab1", 120, 40);
}

#[test]
fn lab2_can_be_done_from_start_to_finish_by_keyboard() {
    whole_lab("lab2", 80, 24);
    whole_lab("lab2", 120, 40);
}

#[test]
fn lab3_can_be_done_from_start_to_finish_by_keyboard() {
    whole_lab("lab3", 80, 24);
    whole_lab("lab3", 120, 40);
}

/// A second command goes in while the answer to the first lies over the screen.
#[test]
fn the_command_line_opens_over_what_is_read() {
    let mut learner = Learner::new("lab1", 80, 24);
    for (at, line) in ["aws kinesis help", "app sideways"].into_iter().enumerate() {
        learner.press(":");
        for c in line.chars() {
            learner.dashboard.handle(&mut learner.session, Msg::Key(Chord::plain(Key::Char(c))));
        }
        learner.press("Enter");
        assert!(learner.screen().contains("Esc close"), "{}", learner.screen());
        learner.command(&format!("aws kinesis create-stream --stream-name second-{at} --shard-count 1"));
        assert!(learner.session.line("aws kinesis list-streams").output.contains(&format!("second-{at}")));
        assert!(!learner.screen().contains("Commands \u{2501}"), "no second palette below the first:\n{}", learner.screen());
    }
}

#[test]
fn boarding_by_keys() {
    let mut learner = Learner::new("lab0", 80, 24);
    learner.command("initials abc");
    assert!(learner.screen().contains("step 2 of 4"));
    learner.command("run 5s");
    for key in ["Space", ".", "["] {
        learner.press(key);
    }
    assert!(learner.screen().contains("step 3 of 4"), "{}", learner.screen());
    learner.command("aws kinesis list-streams");
    assert!(learner.screen().contains("step 4 of 4"));
    // Next step asks, Enter agrees: the solution answers the question.
    learner.press("N");
    learner.press("Enter");
    assert!(learner.session.lab().finished(), "{}", learner.screen());
}

#[test]
fn skipping_and_going_back_a_step() {
    let mut learner = Learner::new("lab1", 120, 40);
    learner.press("N");
    assert!(learner.screen().contains("Skip this step?"));
    learner.press("Enter");
    assert!(learner.screen().contains("step 2 of 6"));
    learner.press("x");
    learner.press("Enter");
    assert!(learner.screen().contains("step 2 of 6"));
    assert_eq!(learner.session.world().kinesis().streams().count(), 1);
}

/// Lab3 with its stream connected, the Analytics screen open.
fn analyst(width: u16, height: u16) -> Learner {
    let mut learner = Learner::new("lab3", width, height);
    let steps = learner.session.lab().lab.steps.clone();
    for line in steps[..3].iter().flat_map(|step| &step.spec.solution) {
        assert!(!learner.session.line(line).failed, "{line}");
    }
    learner.dashboard.refresh(&mut learner.session);
    learner.press("4");
    learner
}

impl Learner {
    fn types(&mut self, text: &str) {
        for c in text.chars() {
            self.dashboard.handle(&mut self.session, Msg::Key(Chord::plain(if c == '\n' { Key::Enter } else { Key::Char(c) })));
        }
        self.screen();
    }
}

#[test]
fn code_is_written_mended_and_run_in_the_editor() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut learner = analyst(width, height);
        learner.press("e");
        assert!(learner.screen().contains("no pump: nothing would run"), "{}", learner.screen());
        learner.types("CREATE OR REPLACE STREAM S (N INTEGER);\nCREATE OR REPLACE PUMP P AS INSERT INTO S SELECT STREAM COUNT(*) FROM \"SOURCE_SQL_STREAM_01\" ");
        learner.types("GROUP BY FLOOR(\"SOURCE_SQL_STREAM_001\".ROWTIME TO SECOND);");
        let shown = learner.screen();
        assert!(shown.contains("1 error") && shown.contains("Alt-Enter:"), "{shown}");
        // A program with an error is refused; the one that runs goes on.
        learner.press("F5");
        assert!(learner.screen().contains("not saved"), "{}", learner.screen());
        learner.press("Alt-Enter");
        learner.press("Right");
        assert!(learner.screen().contains("compiles, pumps P"), "{}", learner.screen());
        learner.press("F5");
        let shown = learner.screen();
        assert!(shown.contains("saved  Ln") && shown.contains("runs the code of"), "{shown}");
        learner.press("Esc");
        learner.command("run 3s");
        assert!(learner.screen().contains(" S "), "{}", learner.screen());
        // What is not saved is there again, also after the program was left.
        learner.press("e");
        learner.types("-- later");
        learner.press("Esc");
        assert!(learner.screen().contains("kept as a draft"), "{}", learner.screen());
        let saved = kinlab::session::runlog::SavedRun::parse(&learner.session.log_text()).expect("good");
        let mut again = Learner::new("lab3", width, height);
        again.session.resume(saved.entries);
        again.dashboard.refresh(&mut again.session);
        again.press("4");
        again.press("e");
        assert!(again.screen().contains("-- later") && again.screen().contains("modified"), "{}", again.screen());
        assert_eq!(again.session.world().journal_hash(), learner.session.world().journal_hash());
    }
}

#[test]
fn templates_and_completion_know_the_columns() {
    let mut learner = analyst(120, 40);
    learner.press("e");
    learner.press("Ctrl-T");
    learner.press("Down");
    assert!(learner.screen().contains("Sliding window"), "{}", learner.screen());
    learner.press("Enter");
    assert!(learner.screen().contains("compiles, pumps STREAM_PUMP"), "{}", learner.screen());
    learner.press("Ctrl-Z");
    learner.types("SELECT STREAM vendor");
    assert!(learner.screen().contains("\"vendor_id\""), "{}", learner.screen());
    learner.press("Tab");
    assert!(learner.screen().contains("SELECT STREAM \"vendor_id\""), "{}", learner.screen());
}

#[test]
fn another_future_begins_in_the_past_and_is_listed_and_compared() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut learner = Learner::new("lab1", width, height);
        for line in ["aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6", "run 22s"] {
            learner.command(line);
        }
        learner.press("B");
        learner.press("V");
        assert!(learner.screen().contains("one future so far"), "{}", learner.screen());
        learner.press("{");
        learner.press("[");
        let shown = learner.screen();
        assert!(shown.contains("in the past"), "{shown}");
        // From mark to mark: the bookmark lies ahead.
        learner.press(")");
        assert!(!learner.screen().contains("in the past"), "{}", learner.screen());
        learner.press("{");
        learner.command("aws kinesis create-stream --stream-name other --shard-count 1");
        learner.press("V");
        let shown = learner.screen();
        assert!(shown.contains("branch-1") && shown.contains("main") && shown.contains("--stream-name other"), "{shown}");
        learner.press("Down");
        learner.press("c");
        learner.press("Esc");
        learner.press("5");
        assert!(learner.screen().contains("main, 1 min") || learner.screen().contains("No metric yet"), "{}", learner.screen());
        learner.press("V");
        learner.press("Down");
        learner.press("Enter");
        assert_eq!(learner.session.world().kinesis().streams().count(), 1);
        assert!(!learner.session.in_the_past());
    }
}

#[test]
fn a_record_is_followed_and_the_bill_is_questioned_by_keys() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut learner = Learner::new("lab1", width, height);
        learner.press("i");
        assert!(learner.screen().contains("there is no record yet"), "{}", learner.screen());
        for line in ["aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 1", "run 2s"] {
            learner.command(line);
        }
        learner.command("aws kinesis put-record --stream-name dcb-taxi-trips --partition-key a --data aGVsbG8=");
        learner.press("i");
        let shown = learner.screen();
        assert!(shown.contains("One record") && shown.contains("accepted by shard 0000"), "{shown}");
        learner.press("o");
        assert!(learner.session.line("follow").output.contains("No record is followed"));
        learner.press("W");
        assert!(learner.screen().contains("shards needed"), "{}", learner.screen());
        learner.press("Right");
        assert!(learner.screen().contains("< 2 >"), "{}", learner.screen());
        learner.press("Esc");
        assert!(!learner.screen().contains("What if"), "{}", learner.screen());
    }
}

#[test]
fn a_fault_is_begun_and_ended_from_the_menu() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut learner = Learner::new("lab2", width, height);
        learner.press("F");
        assert!(learner.screen().contains("there is no bucket, function or delivery stream yet"), "{}", learner.screen());
        learner.command("aws s3 mb s3://lake");
        learner.press("F");
        learner.press("Down");
        learner.press("Left");
        let shown = learner.screen();
        assert!(shown.contains("its policy denies every write") && shown.contains("> fault s3 lake denied 10s"), "{shown}");
        learner.press("Enter");
        let shown = learner.screen();
        assert!(shown.contains("ON its policy denies") && shown.contains("> fault end s3 lake"), "{shown}");
        assert!(learner.session.line("aws s3api put-object --bucket lake --key k --body YQ==").failed);
        learner.press("Enter");
        assert!(!learner.screen().contains("ON its policy"), "{}", learner.screen());
        // Until it is ended: the fifth choice has no length.
        for _ in 0..6 {
            learner.press("Right");
        }
        assert!(learner.screen().contains("until ended"), "{}", learner.screen());
        learner.press("Enter");
        assert!(learner.session.line("journal").output.contains("the policy denies every write"));
        learner.press("Esc");
        assert!(!learner.screen().contains("begin or end"), "{}", learner.screen());
    }
}

#[test]
fn quitting_and_the_labs_list_are_effects() {
    let mut learner = Learner::new("lab0", 80, 24);
    assert!(learner.press("Ctrl-C").contains(&Effect::Quit));
    assert!(learner.press("L").contains(&Effect::Labs));
}

fn any_message() -> impl Strategy<Value = Msg> {
    let key = prop_oneof![
        8 => proptest::char::range(' ', '~').prop_map(Key::Char),
        1 => Just(Key::Char('é')),
        4 => proptest::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::BackTab, Key::Backspace, Key::Delete, Key::Up, Key::Down, Key::Left, Key::Right, Key::Home,
            Key::End, Key::PageUp, Key::PageDown, Key::F(5), Key::F(6),
        ]),
    ];
    let chord = (key, any::<bool>(), proptest::bool::weighted(0.1)).prop_map(|(key, ctrl, alt)| Chord {
        key,
        ctrl: ctrl && matches!(key, Key::Char('p' | 't')),
        alt,
    });
    let mouse = proptest::sample::select(vec![MouseKind::Press, MouseKind::Drag, MouseKind::WheelUp, MouseKind::WheelDown]);
    prop_oneof![
        10 => chord.prop_map(Msg::Key),
        3 => (mouse, 0u16..220, 0u16..70).prop_map(|(kind, x, y)| Msg::Mouse(kind, x, y)),
        1 => (0u16..220, 0u16..70).prop_map(|(w, h)| Msg::Resize(w, h)),
        1 => "[ -~\n\u{1b}]{0,40}".prop_map(Msg::Paste),
        1 => Just(Msg::SlowLink(true)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    /// Whatever is pressed at whatever size: no panic, no failed pane, nothing drawn outside.
    #[test]
    fn any_keys_at_any_size(width in 0u16..210, height in 0u16..65, messages in proptest::collection::vec(any_message(), 1..60)) {
        let mut learner = Learner::new("lab1", width, height);
        learner.dashboard.run_line(&mut learner.session, "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 3");
        learner.dashboard.run_line(&mut learner.session, "run 2s");
        for message in messages {
            learner.dashboard.handle(&mut learner.session, message);
            let frame = learner.dashboard.frame();
            prop_assert!(learner.dashboard.app.hits.within(frame.area));
            prop_assert!(learner.dashboard.app.hits.failed.is_empty());
        }
        prop_assert_eq!(learner.session.broken_rule(), None);
    }
}
