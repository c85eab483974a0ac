//! The terminal loop: the only part of the dashboard that touches a terminal.
//!
//! One turn: take all input, let the driver catch up with wall time, draw once if something changed. While paused the loop waits for input
//! without a time limit: no wake-ups at all. The terminal is given back on every way out: return, panic, signals that end the program
//! through an error of the terminal, and Ctrl-Z.

#![allow(clippy::disallowed_methods, reason = "the wall clock enters the program here and is handed to the driver")]

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event, KeyEventKind, MouseButton, MouseEventKind,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::session::driver::Driver;

use super::app::{App, Effect, Look, MouseKind, Msg};
use super::dashboard::Dashboard;
use super::ids::Screen;
use super::keys::Chord;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The learner quit.
    Quit,
    /// To the list of labs.
    Labs,
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
pub fn run_dashboard(driver: &mut dyn Driver, look: Look) -> io::Result<Exit> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A pane that fails while it is drawn is caught: the screen lives on.
        if !super::render::drawing() {
            restore();
            hook(info);
        }
    }));
    let guard = Guard::enter(look.mouse)?;
    let result = turns(driver, look);
    drop(guard);
    let _ = std::panic::take_hook();
    result
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
            Some(Msg::Key(chord)) if chord.ctrl && chord.key == super::keys::Key::Char('z') => {
                suspend(&mut terminal, list.look.mouse)?;
                None
            }
            Some(Msg::Key(chord)) => list.key(chord),
            Some(Msg::Mouse(MouseKind::Press, _, y)) => list.click(y),
            Some(Msg::Mouse(MouseKind::WheelUp, ..)) => list.key(Chord::plain(super::keys::Key::Up)),
            Some(Msg::Mouse(MouseKind::WheelDown, ..)) => list.key(Chord::plain(super::keys::Key::Down)),
            _ => None,
        };
        if let Some(choice) = chosen {
            break choice;
        }
    };
    drop(guard);
    Ok(choice)
}

fn turns(driver: &mut dyn Driver, look: Look) -> io::Result<Exit> {
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let size = terminal.size()?;
    let mut dashboard = Dashboard::new(App::new(look, Screen::Overview, size.width, size.height), driver);
    let started = Instant::now();
    let (mut dirty, mut drawn_at, mut ticked_at) = (true, None::<Instant>, started);
    let mut gap = FRAME;
    loop {
        let turn = driver.turn(started.elapsed(), BUDGET);
        if turn.changed {
            dashboard.refresh(driver);
            dirty = true;
            let steps = (ticked_at.elapsed().as_millis() / TICK.as_millis()) as u32;
            if steps > 0 {
                ticked_at = Instant::now();
                dashboard.handle(driver, Msg::Tick(steps));
            }
        }
        let mut wait = turn.sleep;
        if dirty {
            let rest = drawn_at.map_or(Duration::ZERO, |at| gap.saturating_sub(at.elapsed()));
            if rest.is_zero() {
                let began = Instant::now();
                draw(&mut terminal, &mut dashboard)?;
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
                for effect in dashboard.handle(driver, msg) {
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
    terminal.clear()?;
    stopped.map(|_| ())
}

#[cfg(not(unix))]
fn suspend(_: &mut Terminal<CrosstermBackend<io::Stdout>>, _: bool) -> io::Result<()> {
    Ok(())
}

/// Gives a text to `$VISUAL` or `$EDITOR` and takes what it left, or says why there is nothing.
fn external_editor(terminal: &mut Terminal<CrosstermBackend<io::Stdout>>, mouse: bool, text: &str) -> io::Result<Result<String, String>> {
    let Some(editor) = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty())) else {
        return Ok(Err("set VISUAL or EDITOR to the program that should edit the code".to_owned()));
    };
    let path = std::env::temp_dir().join(format!("kinlab-{}.sql", std::process::id()));
    if let Err(error) = std::fs::write(&path, text) {
        return Ok(Err(format!("{}: {error}", path.display())));
    }
    restore();
    // The variable may hold options behind the program's name.
    let mut words = editor.split_whitespace();
    let ended = std::process::Command::new(words.next().unwrap_or_default()).args(words).arg(&path).status();
    std::mem::forget(Guard::enter(mouse)?);
    terminal.clear()?;
    let edited = match ended {
        Ok(status) if status.success() => std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display())),
        Ok(status) => Err(format!("{editor} ended with {status}; the text is as it was")),
        Err(error) => Err(format!("{editor}: {error}")),
    };
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
