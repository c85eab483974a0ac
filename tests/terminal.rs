//! The program in a real terminal: a pseudo-terminal with a size, keys in, and a screen drawn from the bytes that come out. Nothing here looks at a clock but to give up.
#![cfg(unix)]
#![allow(clippy::panic, clippy::disallowed_methods, reason = "a test fails by panicking, and waits for another process")]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty};

/// Nothing takes so long on any machine.
const PATIENCE: Duration = Duration::from_secs(60);
const ALTERNATE_ON: &str = "\x1b[?1049h";
const ALTERNATE_OFF: &str = "\x1b[?1049l";
const PASTE_OFF: &str = "\x1b[?2004l";
const MOUSE_OFF: &str = "\x1b[?1000l";
const CURSOR_ON: &str = "\x1b[?25h";

/// The bytes so far, and the screen they make.
struct Seen {
    bytes: String,
    screen: vt100::Parser,
}

struct Terminal {
    pty: Arc<Pty>,
    child: std::process::Child,
    seen: Arc<Mutex<Seen>>,
    home: PathBuf,
}

impl Terminal {
    fn start(name: &str, arguments: &[&str], set: &[(&str, &str)]) -> Self {
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("terminal-{name}"));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home).expect("writable");
        let (pty, pts) = pty_process::blocking::open().expect("a pseudo-terminal");
        pty.resize(Size::new(24, 80)).expect("a size");
        let command = Command::new(env!("CARGO_BIN_EXE_kinlab"))
            .args(arguments)
            .current_dir(&home)
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .env("KINLAB_HOME", &home)
            .env("XDG_RUNTIME_DIR", &home)
            .env_remove("NO_COLOR")
            .envs(set.iter().copied());
        let child = command.spawn(pts).expect("the binary starts");
        let pty = Arc::new(pty);
        let seen = Arc::new(Mutex::new(Seen { bytes: String::new(), screen: vt100::Parser::new(24, 80, 0) }));
        let (from, into) = (Arc::clone(&pty), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of the program ends the terminal with an error or with nothing more to read.
            while let Ok(count @ 1..) = (&*from).read(&mut bytes) {
                let mut seen = into.lock().expect("nobody panics with it");
                seen.screen.process(&bytes[..count]);
                seen.bytes.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self { pty, child, seen, home }
    }

    fn text(&self) -> String {
        self.seen.lock().expect("nobody panics with it").bytes.clone()
    }

    fn screen(&self) -> String {
        self.seen.lock().expect("nobody panics with it").screen.screen().contents()
    }

    fn resize(&self, rows: u16, columns: u16) {
        self.seen.lock().expect("nobody panics with it").screen.screen_mut().set_size(rows, columns);
        self.pty.resize(Size::new(rows, columns)).expect("a size");
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "'{}' did not come:\n{}\n{}", what.escape_debug(), self.screen(), self.home.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the screen shows a text.
    fn shows(&self, wanted: &str) {
        self.until(wanted, || self.screen().contains(wanted));
    }

    fn send(&self, bytes: &str) {
        (&*self.pty).write_all(bytes.as_bytes()).expect("the terminal takes it");
    }

    /// Waits until the bytes after `from` hold a text.
    fn writes(&self, from: usize, wanted: &str) {
        self.until(wanted, || self.text().get(from..).is_some_and(|text| text.contains(wanted)));
    }

    /// Waits for the end; gives the exit status and everything that was written.
    fn end(&mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                // What was written last may still be on its way.
                std::thread::sleep(Duration::from_millis(200));
                return (status.code(), self.text());
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.text().escape_debug());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()));
    }

    /// The state letter of the process, where the system tells.
    fn is_stopped(&self) -> Option<bool> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        Some(stat.rsplit(')').next()?.trim_start().starts_with('T'))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything that was taken is given back, the alternate screen after the modes, and the cursor is seen again.
fn assert_restored(text: &str) {
    for wanted in [MOUSE_OFF, PASTE_OFF, ALTERNATE_OFF, CURSOR_ON] {
        assert!(text.contains(wanted), "'{}' is missing in {}", wanted.escape_debug(), text.escape_debug());
    }
    assert!(text.rfind(ALTERNATE_OFF) > text.rfind(ALTERNATE_ON), "the program ends on the alternate screen");
}

#[test]
fn entering_and_leaving_gives_the_terminal_back() {
    let mut terminal = Terminal::start("leave", &["run", "lab1"], &[]);
    terminal.shows("? commands");
    terminal.send("q");
    let (code, text) = terminal.end();
    assert_eq!(code, Some(1), "checks are open");
    assert_restored(&text);
    let after = text.rsplit(ALTERNATE_OFF).next().unwrap_or_default();
    assert!(after.contains("Summary of lab1-ingest"), "{}", after.escape_debug());
}

#[test]
fn a_new_size_is_drawn_and_a_small_one_says_what_is_needed() {
    let mut terminal = Terminal::start("resize", &["run", "lab1"], &[]);
    terminal.shows("? commands");
    terminal.resize(12, 50);
    terminal.shows("This window is 50 x 12.");
    terminal.resize(40, 120);
    terminal.shows("Programs");
    terminal.send("\x03");
    assert_restored(&terminal.end().1);
}

#[test]
fn a_pasted_command_is_one_line_and_runs_with_enter() {
    let mut terminal = Terminal::start("paste", &["run", "lab1"], &[]);
    terminal.shows("? commands");
    terminal.send("\x1b[200~aws kinesis create-stream --stream-name pasted --shard-count 1\x1b[201~");
    terminal.shows("> aws kinesis create-stream");
    terminal.send("\r");
    terminal.until("an empty palette", || !terminal.screen().contains("> aws kinesis"));
    terminal.send("\x03");
    assert_restored(&terminal.end().1);
    let run = std::fs::read_to_string(terminal.home.join("runs/lab1-ingest.jsonl")).expect("the run is kept");
    assert!(run.contains("create-stream --stream-name pasted"), "{run}");
}

#[test]
fn a_failure_ends_on_the_normal_screen_and_says_how_to_see_it_again() {
    let mut terminal = Terminal::start("failure", &["run", "lab1"], &[("KINLAB_TEST_FAILURE", "Journal")]);
    terminal.shows("? commands");
    terminal.send("6");
    let (code, text) = terminal.end();
    assert_eq!(code, Some(3));
    assert_restored(&text);
    let after = text.rsplit(ALTERNATE_OFF).next().unwrap_or_default();
    for wanted in ["kinlab stopped", "a failure was asked for", "The terminal was restored", "repeat    kinlab replay "] {
        assert!(after.contains(wanted), "{}", after.escape_debug());
    }
    let path = after.split("journal   ").nth(1).and_then(|rest| rest.lines().next()).expect("a path").trim();
    let again = std::process::Command::new(env!("CARGO_BIN_EXE_kinlab")).args(["replay", path]).output().expect("it starts");
    assert!(String::from_utf8_lossy(&again.stdout).contains("Summary of lab1-ingest"));
}

#[test]
fn suspended_it_gives_the_terminal_back_and_continued_it_draws_anew() {
    let mut terminal = Terminal::start("suspend", &["run", "lab1"], &[]);
    terminal.shows("? commands");
    terminal.send("\x1a");
    terminal.writes(0, ALTERNATE_OFF);
    terminal.until("a stopped process", || terminal.is_stopped() != Some(false));
    let at = terminal.text().len();
    terminal.signal("-CONT");
    terminal.writes(at, ALTERNATE_ON);
    terminal.shows("? commands");
    terminal.send("\x03");
    assert_restored(&terminal.end().1);
}

#[test]
fn a_presentation_is_followed_from_a_second_terminal() {
    let mut presenter = Terminal::start("present", &["present", "lab1"], &[]);
    presenter.shows("beat 1 of 11");
    let file = presenter.home.join("kinlab/present.json");
    let file = file.to_str().expect("UTF-8");
    let mut notes = Terminal::start("notes", &["notes", "--follow", "--file", file], &[]);
    notes.shows("Draw the ring");
    let mut mirror = Terminal::start("follow", &["follow", file], &[]);
    mirror.shows("READY");
    presenter.send("n");
    mirror.shows("OVER");
    notes.shows("Next beat");
    presenter.send("\x03");
    assert_restored(&presenter.end().1);
    notes.shows("Nobody presents");
    for terminal in [&mut notes, &mut mirror] {
        terminal.send("q");
        let (code, text) = terminal.end();
        assert_eq!(code, Some(0));
        // The mouse was never taken.
        assert!(text.rfind(ALTERNATE_OFF) > text.rfind(ALTERNATE_ON) && text.ends_with(CURSOR_ON), "{}", text.escape_debug());
    }
}

#[test]
fn sql_is_typed_with_completion_and_history_and_rows_come_by_themselves() {
    let mut terminal = Terminal::start("sql", &["sql"], &[]);
    terminal.shows("sql> ");
    terminal.send("sou\tticker VARCHAR(4), price DOUBLE\r");
    terminal.shows("SOURCE_SQL_STREAM_001 has 2 columns");
    // A paste of several lines is as many lines; what is behind the last break is still being typed.
    let pump = "CREATE STREAM OUT_S (n BIGINT);\nCREATE PUMP P AS INSERT INTO OUT_S\nSELECT STREAM COUNT(*) FROM SOURCE_SQL_STREAM_001\nGROUP BY STEP(SOURCE_SQL_STREAM_001.ROWTIME BY INTERVAL '1' SECOND)";
    terminal.send(&format!("\x1b[200~{pump}\x1b[201~"));
    terminal.shows("...> GROUP BY STEP");
    terminal.send(";\r");
    terminal.send("insert ABCD, 1.5\r");
    terminal.shows("insert ABCD, 1.5");
    // Nothing more is typed: the window closes on the wall's clock.
    terminal.shows("OUT_S  N=1");
    terminal.send("SELECT co\t");
    terminal.shows("COALESCE");
    terminal.send("\x03");
    // Up and up again: the line before the last one, mended and sent anew.
    terminal.send("at 2030-01-01 00:00:00\r");
    terminal.send("\x1b[A\x1b[A\x7f\x7f\x7f2.5\r");
    terminal.shows("insert ABCD, 2.5");
    terminal.send("at +5\r");
    terminal.shows("2030-01-01 00:00:01.000 OUT_S  N=1");
    terminal.send("\x04");
    let (code, text) = terminal.end();
    assert_eq!(code, Some(0), "{}", text.escape_debug());
    assert!(text.rfind(PASTE_OFF) > text.rfind("\x1b[?2004h"), "{}", text.escape_debug());
    let history = std::fs::read_to_string(terminal.home.join("sql_history")).expect("the history is kept");
    assert!(history.ends_with("at 2030-01-01 00:00:00\ninsert ABCD, 2.5\nat +5\n"), "{history}");
    let home = terminal.home.to_str().expect("UTF-8").to_owned();
    // Another day, from a folder that cannot be written: the lines of former times are there, nothing is kept, nothing is said.
    let blocked = format!("{home}/file");
    std::fs::write(&blocked, "").expect("writable");
    let mut later = Terminal::start("sql-later", &["sql"], &[("KINLAB_HOME", &blocked)]);
    later.shows("sql> ");
    later.send("streams\r");
    later.shows("nothing yet");
    later.send("\x1b[A\r");
    later.until("the word twice", || later.screen().matches("nothing yet").count() == 2);
    later.send("quit\r");
    assert_eq!(later.end().0, Some(0));
}
