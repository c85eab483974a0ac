//! What the learner sees of a lab: step text, checks, hints, questions, progress. An owned value, like [`crate::engine::view::View`].

use serde::{Deserialize, Serialize};

use crate::engine::time::VirtualTime;

/// The lab at one instant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LabView {
    /// Lab id, `lab1-ingest`.
    pub id: String,
    /// Title.
    pub title: String,
    /// All steps in order.
    pub steps: Vec<StepSummary>,
    /// Index of the current step in `steps`.
    pub current: usize,
    /// The current step.
    pub step: StepView,
    /// Points reached and points in all.
    pub points: (u32, u32),
    /// All steps are done.
    pub finished: bool,
    /// Instants worth a mark on the timeline.
    pub marks: Vec<TimelineMark>,
    /// End of the scenario.
    pub ends: VirtualTime,
}

/// One step in the list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StepSummary {
    /// Id in the front matter.
    pub id: String,
    /// Title.
    pub title: String,
    /// All its checks are met.
    pub done: bool,
}

/// The current step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StepView {
    /// Id in the front matter.
    pub id: String,
    /// Title.
    pub title: String,
    /// The one idea.
    pub objective: String,
    /// Guide text, Markdown with the directives of the scenario format.
    pub body: String,
    /// Commands of the ` ```run ` blocks in order.
    pub runs: Vec<String>,
    /// Checks in order.
    pub checks: Vec<CheckView>,
    /// Hints taken so far, in order.
    pub hints_shown: Vec<String>,
    /// How many hints there are.
    pub hints_total: usize,
    /// Questions in order.
    pub questions: Vec<QuestionView>,
    /// The pane that the step is about.
    pub pane: String,
    /// The solution lines; empty until all checks of the step are met or the last hint is taken.
    pub solution: Vec<String>,
    /// Virtual seconds since the step began.
    pub seconds: u64,
}

/// State of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// Not met, nothing happened yet: ○
    #[default]
    Waiting,
    /// On its way (holding, or partly met): ◐
    Partial,
    /// Met: ✓
    Met,
    /// Was met and is no more, or the time is over: ✗
    Failed,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CheckView {
    /// Id in the scenario.
    pub id: String,
    /// Title.
    pub title: String,
    /// State.
    pub state: CheckState,
    /// What is wanted, in words.
    pub want: String,
    /// What is seen now, in words.
    pub seen: String,
    /// The first fitting diagnosis of `on_fail`, when red.
    pub why: Option<String>,
    /// Points it gives.
    pub points: u32,
    /// Share of `hold` already held, permille.
    pub held_permille: u32,
    /// When it was met first.
    pub met_at: Option<VirtualTime>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct QuestionView {
    /// Id in the front matter.
    pub id: String,
    /// The question.
    pub ask: String,
    /// Choices; empty for free answers.
    pub choices: Vec<String>,
    /// To be answered before the run; the outcome is shown beside it.
    pub prediction: bool,
    /// What the learner said last.
    pub answered: Option<String>,
    /// Whether that was right.
    pub right: Option<bool>,
    /// The reason, shown once answered.
    pub why: Option<String>,
}

/// A mark on the timeline.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TimelineMark {
    /// When.
    pub at: VirtualTime,
    /// `✓` a check was met, `!` an incident, `◆` a bookmark.
    pub glyph: char,
    /// What.
    pub label: String,
}
