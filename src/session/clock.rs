//! The pace of a run: wall time to virtual time. Wall time is passed in; nothing here looks at a clock.

use core::time::Duration;

use crate::engine::time::{VirtualDuration, VirtualTime};

/// Speeds in percent of real time; `None` = as fast as possible.
const SPEEDS: [Option<u32>; 10] = [Some(25), Some(50), Some(100), Some(200), Some(400), Some(800), Some(1600), Some(3200), Some(6400), None];
/// Virtual time that one turn may make up: a slow machine falls behind instead of freezing the screen.
const TURN_MAX: VirtualDuration = VirtualDuration::from_secs(2);

/// Where wall time and virtual time were tied together last.
#[derive(Debug, Clone)]
pub struct Clock {
    paused: bool,
    speed: usize,
    anchor: Option<(Duration, VirtualTime)>,
    real_percent: Option<u32>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { paused: false, speed: 2, anchor: None, real_percent: None }
    }
}

impl Clock {
    /// Time stands still.
    pub fn paused(&self) -> bool {
        self.paused
    }

    /// Wanted speed in percent.
    pub fn speed_percent(&self) -> Option<u32> {
        SPEEDS[self.speed]
    }

    /// Speed really reached, when it differs.
    pub fn real_percent(&self) -> Option<u32> {
        self.real_percent
    }

    /// Stops or goes on; the next turn ties the times together anew.
    pub fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        self.forget();
    }

    /// The next faster or slower speed.
    pub fn shift_speed(&mut self, faster: bool) {
        self.speed = if faster { (self.speed + 1).min(SPEEDS.len() - 1) } else { self.speed.saturating_sub(1) };
        self.forget();
    }

    /// A speed by its factor in percent; false when there is no such speed.
    pub fn set_speed(&mut self, percent: Option<u32>) -> bool {
        let found = SPEEDS.iter().position(|speed| *speed == percent);
        if let Some(speed) = found {
            self.speed = speed;
            self.forget();
        }
        found.is_some()
    }

    /// Virtual time was moved by other means.
    pub fn forget(&mut self) {
        self.anchor = None;
        self.real_percent = None;
    }

    /// The instant that virtual time should reach now.
    pub fn target(&mut self, wall: Duration, now: VirtualTime) -> VirtualTime {
        let Some(percent) = self.speed_percent() else { return now + VirtualDuration::SECOND };
        let (tied_wall, tied_virtual) = *self.anchor.get_or_insert((wall, now));
        let elapsed = wall.saturating_sub(tied_wall).as_micros() as u64;
        let wanted = tied_virtual + VirtualDuration(elapsed.saturating_mul(u64::from(percent)) / 100);
        if wanted.since(now) > TURN_MAX {
            // Never a backlog: tie the times together here and say how fast it really goes.
            let reached = now + TURN_MAX;
            let real = (reached.since(tied_virtual).0 * 100).checked_div(elapsed).map(|percent| percent as u32);
            self.anchor = Some((wall, reached));
            self.real_percent = real.filter(|real| *real + 5 < percent);
            return reached;
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_costs_no_virtual_time_and_a_backlog_is_dropped() {
        let start = VirtualTime::from_secs(100);
        let mut clock = Clock::default();
        assert_eq!(clock.target(Duration::from_secs(5), start), start);
        let at = clock.target(Duration::from_millis(6500), start);
        assert_eq!(at.since(start).as_millis(), 1500);
        clock.set_paused(true);
        clock.set_paused(false);
        assert_eq!(clock.target(Duration::from_secs(500), at), at);
        let late = clock.target(Duration::from_secs(560), at);
        assert_eq!(late.since(at), TURN_MAX);
        assert_eq!(clock.real_percent(), Some(3));
    }

    #[test]
    fn speeds_have_ends() {
        let mut clock = Clock::default();
        for _ in 0..20 {
            clock.shift_speed(true);
        }
        assert_eq!(clock.speed_percent(), None);
        for _ in 0..20 {
            clock.shift_speed(false);
        }
        assert_eq!(clock.speed_percent(), Some(25));
        assert!(clock.set_speed(Some(400)) && !clock.set_speed(Some(7)));
    }
}
