//! The one value that every front end renders: world, lab and clock together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::view::View;
use crate::lab::view::LabView;

use super::branches::{BranchView, Compared};

/// Everything a screen or the line mode shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SessionView {
    /// The simulated world.
    pub world: View,
    /// The lab being played.
    pub lab: LabView,
    /// The clock.
    pub clock: ClockView,
    /// Lines that the session has to say (narrator, resumed, disk full …), oldest first, at most 20.
    pub notices: Vec<String>,
    /// Code being written, by application.
    #[serde(default)]
    pub drafts: BTreeMap<String, String>,
    /// The branches, the one being played first.
    #[serde(default)]
    pub branches: Vec<BranchView>,
    /// The branch shown beside.
    #[serde(default)]
    pub compared: Option<Compared>,
}

/// The pace of the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClockView {
    /// Time stands still.
    pub paused: bool,
    /// Wanted speed in percent of real time (25 = 0.25x, 6400 = 64x); `None` = as fast as possible.
    pub speed_percent: Option<u32>,
    /// Speed really reached in percent, when it differs.
    pub real_percent: Option<u32>,
    /// Not at the newest instant: the learner went back in time.
    pub in_the_past: bool,
    /// Microseconds since the start of the lab.
    pub elapsed_us: u64,
    /// The newest instant of this branch, microseconds since the start.
    #[serde(default)]
    pub newest_us: u64,
    /// Duration of the scenario in microseconds.
    pub duration_us: u64,
}
