//! The terminal loop: the only part of the dashboard that touches a terminal.
//!
//! One turn: take all input, let the driver catch up with wall time, draw once if something changed. While paused the loop waits for input
//! without a time limit: no wake-ups at all. The terminal is given back on every way out: return, panic, signals that end the program
//! through an error of the terminal, and Ctrl-Z.

#![allow(clippy::disallowed_methods, reason = "the wall clock enters the program here and is handed to the driver")]

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event, KeyEventKind, MouseButton, MouseEventKind,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;

use crate::session::driver::Driver;

use super::app::{App, Effect, Export, Look, MouseKind, Msg};
use super::dashboard::Dashboard;
use super::ids::Screen;
use super::keys::{Chord, Key};
use super::labs::{Choice, LabsList};

/// Least wall time between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// Most wall time between two frames over a slow link: two a second.
const SLOWEST_FRAME: Duration = Duration::from_millis(500);
/// A frame that takes longer to write says that the link is slow; one that takes less than a quarter of it, that it is not.
const SLOW_WRITE: Duration = Duration::from_millis(50);
/// Dots on the arrows move this often.
const TICK: Duration = Duration::from_millis(200);
/// Processor time that a turn of the driver may take.
const BUDGET: Duration = Duration::from_millis(25);

/// How the dashboard was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The learner quit.
    Quit,
    /// To the list of labs.
    Labs,
    /// The program failed: what and where. The terminal was given back.
    Failed(String),
}

/// What the dashboard needs of the world around the terminal: files, and whoever looks on.
pub trait Outside {
    /// Writes something to a file. The text says where.
    ///
    /// # Errors
    /// A sentence: why nothing was written.
    fn export(&mut self, what: Export, dashboard: &mut Dashboard, driver: &mut dyn Driver) -> Result<String, String>;
    /// A frame was drawn.
    fn shown(&mut self, dashboard: &Dashboard);
}

/// Something that is looked at, not driven: a console beside a presentation, a mirror of a dashboard.
pub trait Viewer {
    /// Looks for news; answers whether there are any.
    fn look(&mut self) -> bool;
    /// Draws into a buffer.
    fn draw(&mut self, buf: &mut Buffer);
    /// A key; answers whether it ends the screen.
    fn key(&mut self, chord: Chord) -> bool;
    /// What was seen ended the screen.
    fn ended(&self) -> bool {
        false
    }
}

/// Raw mode and the alternate screen, given back when dropped.
struct Guard;

impl Guard {
    fn enter(mouse: bool) -> io::Result<Self> {
        TAKEN.store(true, Ordering::SeqCst);
        let guard = Self;
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if mouse {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal is the dashboard's at the moment.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// What a panic said, until the dashboard is left because of it.
static WORDS: Mutex<String> = Mutex::new(String::new());

/// Gives the terminal back, when it was taken. Errors do not matter here: there is nobody left to tell.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(io::stdout(), DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
}

/// Runs the dashboard until the learner leaves.
///
/// # Errors
/// What the terminal said.
pub fn run_dashboard(driver: &mut dyn Driver, look: Look, prepare: impl FnOnce(&mut Dashboard), outside: &mut dyn Outside) -> io::Result<Exit> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A pane that fails while it is drawn is caught: the screen lives on.
        if !super::render::drawing() {
            restore();
            *WORDS.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
        }
    }));
    let guard = Guard::enter(look.mouse)?;
    let result = catch_unwind(AssertUnwindSafe(|| turns(driver, look, prepare, outside)));
    drop(guard);
    std::panic::set_hook(hook);
    result.unwrap_or_else(|_| Ok(Exit::Failed(std::mem::take(&mut *WORDS.lock().unwrap_or_else(PoisonError::into_inner)))))
}

/// Shows something until its key says so; it looks for news every `every`.
///
/// # Errors
/// What the terminal said.
pub fn run_viewer(viewer: &mut dyn Viewer, every: Duration) -> io::Result<()> {
    let guard = Guard::enter(false)?;
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let mut dirty = true;
    loop {
        dirty |= viewer.look();
        if viewer.ended() {
            break;
        }
        if dirty {
            queue!(io::stdout(), BeginSynchronizedUpdate)?;
            terminal.draw(|frame| viewer.draw(frame.buffer_mut()))?;
            execute!(io::stdout(), EndSynchronizedUpdate)?;
            dirty = false;
        }
        if !event::poll(every)? {
            continue;
        }
        match message(&event::read()?) {
            Some(Msg::Key(chord)) if chord.ctrl && chord.key == Key::Char('Z') => suspend(&mut terminal, false)?,
            Some(Msg::Key(chord)) if viewer.key(chord) => break,
            _ => {}
        }
        dirty = true;
    }
    drop(guard);
    Ok(())
}

/// Shows the list of labs until one is chosen.
///
/// # Errors
/// What the terminal said.
pub fn choose_lab(list: &mut LabsList) -> io::Result<Choice> {
    let guard = Guard::enter(list.look.mouse)?;
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let choice = loop {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        terminal.draw(|frame| list.draw(frame.buffer_mut()))?;
        execute!(io::stdout(), EndSynchronizedUpdate)?;
        let chosen = match message(&event::read()?) {
            Some(Msg::Key(chord)) if chord.ctrl && chord.key == Key::Char('Z') => {
                suspend(&mut terminal, list.look.mouse)?;
                None
            }
            Some(Msg::Key(chord)) => list.key(chord),
            Some(Msg::Mouse(MouseKind::Press, _, y)) => list.click(y),
            Some(Msg::Mouse(MouseKind::WheelUp, ..)) => list.key(Chord::plain(Key::Up)),
            Some(Msg::Mouse(MouseKind::WheelDown, ..)) => list.key(Chord::plain(Key::Down)),
            _ => None,
        };
        if let Some(choice) = chosen {
            break choice;
        }
    };
    drop(guard);
    Ok(choice)
}

fn turns(driver: &mut dyn Driver, look: Look, prepare: impl FnOnce(&mut Dashboard), outside: &mut dyn Outside) -> io::Result<Exit> {
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let size = terminal.size()?;
    let mut dashboard = Dashboard::new(App::new(look, Screen::Overview, size.width, size.height), driver);
    prepare(&mut dashboard);
    let started = Instant::now();
    let (mut dirty, mut drawn_at, mut ticked_at) = (true, None::<Instant>, started);
    let mut gap = FRAME;
    loop {
        let turn = driver.turn(started.elapsed(), BUDGET);
        if turn.changed {
            dashboard.turned(driver);
            dirty = true;
            let steps = (ticked_at.elapsed().as_millis() / TICK.as_millis()) as u32;
            if steps > 0 {
                ticked_at = Instant::now();
                dashboard.handle(driver, Msg::Tick(steps));
            }
        }
        let (typed, next_key) = dashboard.type_on(driver, started.elapsed());
        dirty |= typed;
        // What was typed may have set the world going: the next turn says how long to wait.
        let mut wait = if typed { Some(Duration::ZERO) } else { earliest(turn.sleep, next_key) };
        if dirty {
            let rest = drawn_at.map_or(Duration::ZERO, |at| gap.saturating_sub(at.elapsed()));
            if rest.is_zero() {
                let began = Instant::now();
                draw(&mut terminal, &mut dashboard)?;
                outside.shown(&dashboard);
                dirty = false;
                drawn_at = Some(Instant::now());
                gap = frame_gap(gap, began.elapsed());
                if dashboard.app.slow_link != (gap > FRAME) {
                    dashboard.handle(driver, Msg::SlowLink(gap > FRAME));
                    dirty = true;
                }
            } else {
                wait = Some(wait.map_or(rest, |wait| wait.min(rest)));
            }
        }
        let ready = match wait {
            Some(wait) => event::poll(wait)?,
            None => true,
        };
        if !ready {
            continue;
        }
        loop {
            if let Some(msg) = message(&event::read()?) {
                dirty = true;
                // A key that only ends a demo has done its work with that.
                let swallowed = dashboard.is_played() && touched(&msg) && dashboard.take_over(driver, pressed(&msg));
                let effects = if swallowed { Vec::new() } else { dashboard.handle(driver, msg) };
                for effect in effects {
                    match effect {
                        Effect::Quit => return Ok(Exit::Quit),
                        Effect::Labs => return Ok(Exit::Labs),
                        Effect::Mouse(true) => execute!(io::stdout(), EnableMouseCapture)?,
                        Effect::Mouse(false) => execute!(io::stdout(), DisableMouseCapture)?,
                        Effect::Copy(text) => copy(&text)?,
                        Effect::Suspend => suspend(&mut terminal, dashboard.app.look.mouse)?,
                        Effect::ExternalEditor(text) => {
                            let edited = external_editor(&mut terminal, dashboard.app.look.mouse, &text)?;
                            dashboard.handle(driver, Msg::Edited(edited));
                        }
                        Effect::Export(what) => {
                            let told = outside.export(what, &mut dashboard, driver);
                            dashboard.handle(driver, Msg::Exported(told));
                        }
                        Effect::Act(_) | Effect::Complete(_) | Effect::Check(..) | Effect::Draft(..) => {}
                    }
                }
            }
            if !event::poll(Duration::ZERO)? {
                break;
            }
        }
    }
}

/// Wall time to the next frame, after one that took so long to write: over a slow link frames become rarer instead of piling up.
fn frame_gap(gap: Duration, wrote: Duration) -> Duration {
    if wrote > SLOW_WRITE {
        (gap * 2).min(SLOWEST_FRAME)
    } else if wrote < SLOW_WRITE / 4 {
        (gap / 2).max(FRAME)
    } else {
        gap
    }
}

fn earliest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.map_or(other, |one| Some(other.map_or(one, |other| one.min(other))))
}

fn touched(msg: &Msg) -> bool {
    matches!(msg, Msg::Key(_) | Msg::Paste(_) | Msg::Mouse(MouseKind::Press, ..))
}

fn pressed(msg: &Msg) -> Option<Chord> {
    match msg {
        Msg::Key(chord) => Some(*chord),
        _ => None,
    }
}

fn draw(terminal: &mut Terminal<CrosstermBackend<io::Stdout>>, dashboard: &mut Dashboard) -> io::Result<()> {
    queue!(io::stdout(), BeginSynchronizedUpdate)?;
    terminal.draw(|frame| dashboard.draw(frame.buffer_mut()))?;
    execute!(io::stdout(), EndSynchronizedUpdate)
}

/// Puts a text on the clipboard by OSC 52, which works over SSH.
fn copy(text: &str) -> io::Result<()> {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    write!(io::stdout(), "\x1b]52;c;{encoded}\x07")?;
    io::stdout().flush()
}

/// Ctrl-Z: the shell gets the terminal until the program is continued. The driver ties wall time anew by itself: a long absence is cut to
/// one turn.
#[cfg(unix)]
fn suspend(terminal: &mut Terminal<CrosstermBackend<io::Stdout>>, mouse: bool) -> io::Result<()> {
    restore();
    let stopped = std::process::Command::new("kill").args(["-STOP", &std::process::id().to_string()]).status();
    std::mem::forget(Guard::enter(mouse)?);
    // The screen is empty now and has perhaps another size. Asking the terminal where its cursor is, as clearing does, would wait for an answer.
    *terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    execute!(io::stdout(), Clear(ClearType::All))?;
    stopped.map(|_| ())
}

#[cfg(not(unix))]
fn suspend(_: &mut Terminal<CrosstermBackend<io::Stdout>>, _: bool) -> io::Result<()> {
    Ok(())
}

/// Opens a file in `$VISUAL` or `$EDITOR` and waits for its end; the terminal is the editor's meanwhile.
///
/// # Errors
/// A sentence: there is no editor, or it did not end well.
pub fn edit_file(path: &Path) -> Result<(), String> {
    let Some(editor) = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty())) else {
        return Err("set VISUAL or EDITOR to the program that should edit it".to_owned());
    };
    // The variable may hold options behind the program's name.
    let mut words = editor.split_whitespace();
    match std::process::Command::new(words.next().unwrap_or_default()).args(words).arg(path).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{editor} ended with {status}; what it did is not taken")),
        Err(error) => Err(format!("{editor}: {error}")),
    }
}

/// Gives a text to the editor and takes what it left, or says why there is nothing.
fn external_editor(terminal: &mut Terminal<CrosstermBackend<io::Stdout>>, mouse: bool, text: &str) -> io::Result<Result<String, String>> {
    let path = std::env::temp_dir().join(format!("kinlab-{}.sql", std::process::id()));
    if let Err(error) = std::fs::write(&path, text) {
        return Ok(Err(format!("{}: {error}", path.display())));
    }
    restore();
    let ended = edit_file(&path);
    std::mem::forget(Guard::enter(mouse)?);
    terminal.clear()?;
    let edited = ended.and_then(|()| std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display())));
    // Nobody needs the copy any more; a copy that stays harms nobody.
    let _ = std::fs::remove_file(&path);
    Ok(edited)
}

fn message(event: &Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Chord::from_event(*key).map(Msg::Key),
        Event::Mouse(mouse) => {
            let kind = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseKind::Press,
                MouseEventKind::Drag(MouseButton::Left) => MouseKind::Drag,
                MouseEventKind::ScrollUp => MouseKind::WheelUp,
                MouseEventKind::ScrollDown => MouseKind::WheelDown,
                _ => return None,
            };
            Some(Msg::Mouse(kind, mouse.column, mouse.row))
        }
        Event::Paste(text) => Some(Msg::Paste(text.clone())),
        Event::Resize(width, height) => Some(Msg::Resize(*width, *height)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_become_rarer_over_a_slow_link_and_come_back() {
        let mut gap = FRAME;
        for _ in 0..10 {
            gap = frame_gap(gap, Duration::from_millis(80));
        }
        assert_eq!(gap, SLOWEST_FRAME);
        assert_eq!(frame_gap(gap, Duration::from_millis(30)), gap, "neither slow nor fast");
        for _ in 0..10 {
            gap = frame_gap(gap, Duration::from_millis(1));
        }
        assert_eq!(gap, FRAME);
    }
}
