//! SIGTERM, SIGHUP and SIGINT: the terminal is given back and the program ends; everything was saved as it happened.

use std::sync::atomic::{AtomicBool, Ordering};

static ENDING: AtomicBool = AtomicBool::new(false);
static GENTLE: AtomicBool = AtomicBool::new(false);

/// The user asked to end a run that follows files.
pub(super) fn asked_to_end() -> bool {
    ENDING.load(Ordering::Relaxed)
}

/// From now on Ctrl-C ends a run in good order, with its accounting.
pub(super) fn end_gently() {
    GENTLE.store(true, Ordering::Relaxed);
}

/// Listens. A system that refuses leaves the signals as they were.
#[cfg(unix)]
pub(super) fn listen() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGINT && GENTLE.load(Ordering::Relaxed) && !ENDING.swap(true, Ordering::Relaxed) {
                continue;
            }
            crate::tui::run::restore();
            std::process::exit(128 + signal);
        }
    });
}

/// Nothing to listen to.
#[cfg(not(unix))]
pub(super) fn listen() {}
