//! The deterministic play of a lab: steps, checks, answers, hints, timeline. Evaluated at every whole virtual second.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::consumers::ConsumerSettings;
use crate::engine::generate::{Arrivals, Generator};
use crate::engine::limits::Limits;
use crate::engine::producers::settings::Watermarks;
use crate::engine::producers::{Settings, Source};
use crate::engine::time::{VirtualDuration, VirtualTime, parse_iso};
use crate::engine::{Config, Engine, WorldCommand};

use super::evaluate::{Learner, evaluate};
use super::load::Lab;
use super::scenario::{ActionSpec, CheckSpec};
use super::view::{CheckState, CheckView, LabView, QuestionView, StepSummary, StepView, TimelineMark};

/// State of one check.
#[derive(Debug, Clone, Default)]
struct CheckRun {
    holds_since: Option<VirtualTime>,
    met_at: Option<VirtualTime>,
    met: bool,
    seen: String,
    why: Option<String>,
}

/// A lab being played.
#[derive(Debug, Clone)]
pub struct LabRun {
    /// The lab.
    pub lab: Arc<Lab>,
    epoch: VirtualTime,
    step: usize,
    step_began: VirtualTime,
    /// When each step so far began, and how many entries of the session's log were done then.
    pub began: Vec<(VirtualTime, usize)>,
    checks: BTreeMap<String, CheckRun>,
    /// Question → last answer and whether it was right.
    answers: BTreeMap<String, (String, bool)>,
    hints: BTreeMap<String, usize>,
    /// Wrong answers by question.
    wrong: BTreeMap<String, usize>,
    /// Steps whose solution was shown.
    shown: BTreeSet<String>,
    fired: BTreeSet<usize>,
    marks: Vec<TimelineMark>,
    /// What the learner did with the clock, and the beginnings of the commands that worked.
    acts: BTreeSet<String>,
    /// What the learner named: initials.
    named: BTreeMap<String, String>,
}

/// What came of a lab line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOutcome {
    /// The sentence.
    pub text: String,
    /// It was refused or wrong.
    pub failed: bool,
}

/// Builds the world of a lab.
///
/// # Errors
/// A sentence: what of the scenario cannot be built.
pub fn build_world(lab: &Lab, seed: Option<u64>) -> Result<Engine, String> {
    let scenario = &lab.scenario;
    let epoch = parse_iso(&scenario.clock.epoch).ok_or("clock.epoch is no time")?;
    let seed = seed.unwrap_or(scenario.clock.seed);
    let limits = Limits { enforce_throughput: scenario.limits.throughput, ..Limits::of(scenario.limits.era) };
    let mut engine = Engine::new(Config::new(seed, epoch, limits));
    let files = |name: &str| lab.file(name);
    let mut origins = BTreeMap::new();
    for (name, spec) in &scenario.generator {
        let generator = Generator::compile(name, spec, seed, &files).map_err(|error| format!("generator.{name}: {error}"))?;
        let origin = generator.event_origin();
        let id = engine.define_generator(name, generator).ok_or("too many generators")?;
        origins.insert(name.clone(), (id, origin));
    }
    for (name, spec) in &scenario.producer {
        let (id, origin) = origins.get(&spec.generator).copied().ok_or_else(|| format!("producer.{name}: no generator {}", spec.generator))?;
        let axis = origin.unwrap_or(epoch);
        let arrivals =
            Arrivals::compile(&spec.rate, spec.arrivals, seed, name, axis, &files).map_err(|error| format!("producer.{name}.rate.{error}"))?;
        let origin = origin.filter(|_| arrivals.is_event_time());
        let mut settings = Settings::new(spec.kind, &spec.target);
        settings.batch = spec.batch.clamp(1, 500);
        settings.aggregate = spec.aggregate;
        settings.outstanding = spec.outstanding.unwrap_or(settings.outstanding);
        settings.record_ttl = spec.record_ttl.map(|ttl| ttl.0).or(settings.record_ttl);
        settings.report = spec.report.map(|report| report.0);
        settings.speedup_permille = arrivals.speedup_permille();
        settings.watermark = spec.watermark.as_ref().map(|watermark| Watermarks {
            every: watermark.every.0,
            every_records: watermark.every_records,
            payload: watermark.payload.clone(),
            per_shard: watermark.per_shard,
        });
        engine.define_producer(name, settings, Source::generated(&spec.generator, id, arrivals, origin));
    }
    for (name, spec) in &scenario.consumer {
        let mut settings = ConsumerSettings::new(spec.kind, &spec.stream);
        settings.all_shards = spec.all_shards;
        settings.limit = spec.limit.unwrap_or(settings.limit);
        settings.poll = spec.poll.map_or(settings.poll, |poll| poll.0);
        engine.define_consumer(name, settings);
    }
    Ok(engine)
}

impl LabRun {
    /// A lab at its beginning.
    pub fn new(lab: Arc<Lab>, now: VirtualTime) -> Self {
        Self {
            lab,
            epoch: now,
            step: 0,
            step_began: now,
            began: vec![(now, 0)],
            checks: BTreeMap::new(),
            answers: BTreeMap::new(),
            hints: BTreeMap::new(),
            wrong: BTreeMap::new(),
            shown: BTreeSet::new(),
            fired: BTreeSet::new(),
            marks: Vec::new(),
            acts: BTreeSet::new(),
            named: BTreeMap::new(),
        }
    }

    /// Something was done: `pause`, `faster`, `rewind`, or the beginning of a command that worked.
    pub fn act(&mut self, act: &str) {
        self.acts.insert(act.to_owned());
    }

    /// Everything that was done.
    pub fn acts(&self) -> &BTreeSet<String> {
        &self.acts
    }

    /// What the learner named.
    pub fn named(&self, what: &str) -> Option<&str> {
        self.named.get(what).map(String::as_str)
    }

    /// Hints taken in all steps.
    pub fn hints_taken(&self) -> usize {
        self.hints.values().sum()
    }

    /// Hints taken in a step.
    pub fn hints_of(&self, step: &str) -> usize {
        self.hints.get(step).copied().unwrap_or(0)
    }

    /// The last answer to a question, and whether it was right.
    pub fn answer(&self, question: &str) -> Option<(&str, bool)> {
        self.answers.get(question).map(|(text, right)| (text.as_str(), *right))
    }

    /// Wrong answers to a question.
    pub fn wrong_answers(&self, question: &str) -> usize {
        self.wrong.get(question).copied().unwrap_or(0)
    }

    /// When a check was met.
    pub fn met_at(&self, check: &str) -> Option<VirtualTime> {
        self.checks.get(check).and_then(|check| check.met_at)
    }

    /// How the solution of a step was used: `no`, `shown` or `applied`.
    pub fn solution_of(&self, step: &str) -> &'static str {
        if self.acts.contains(&applied(step)) {
            "applied"
        } else if self.shown.contains(step) {
            "shown"
        } else {
            "no"
        }
    }

    /// End of the scenario.
    pub fn ends(&self) -> VirtualTime {
        self.epoch + self.lab.scenario.clock.duration.0
    }

    /// A whole virtual second: evaluates the checks and gives what the timeline does now and the sentences worth saying.
    pub fn second(&mut self, world: &Engine) -> (Vec<WorldCommand>, Vec<String>) {
        let now = world.now();
        let (mut commands, mut said) = (Vec::new(), Vec::new());
        let right: BTreeMap<String, bool> = self.answers.iter().map(|(id, (_, right))| (id.clone(), *right)).collect();
        let learner = Learner { answers: &right, acts: &self.acts, named: &self.named };
        let lab = self.lab.clone();
        for (id, check) in &lab.scenario.check {
            let finding = evaluate(&check.test, world, &learner);
            let state = self.checks.entry(id.clone()).or_default();
            state.holds_since = if finding.met { state.holds_since.or(Some(now)) } else { None };
            let met = state.holds_since.is_some_and(|since| now.since(since) >= check.hold.0);
            state.seen = finding.seen;
            // A check that was met stays met, so that later steps may change what it looked at.
            if met && !state.met {
                state.met = true;
                state.met_at = Some(now);
                self.marks.push(TimelineMark { at: now, glyph: '✓', label: check.title.clone() });
                said.push(format!("Check met: {}.", check.title));
            }
            state.why = if state.met { None } else { diagnosis(check, world, &learner) };
        }
        for (index, event) in lab.scenario.timeline.iter().enumerate() {
            let due = match (&event.at, &event.after) {
                (Some(at), _) => Some(self.epoch + at.0),
                (None, Some(check)) => self.checks.get(check).and_then(|check| check.met_at).map(|at| at + event.delay.0),
                (None, None) => None,
            };
            if due.is_some_and(|due| due <= now) && self.fired.insert(index) {
                match &event.action {
                    ActionSpec::Say { text } => {
                        said.push(text.clone());
                        commands.push(WorldCommand::Note { kind: "say".to_owned(), text: text.clone() });
                    }
                    ActionSpec::Rate { producer, factor, over, hold } => commands.push(WorldCommand::Rate {
                        producer: producer.clone(),
                        permille: libm::round(factor * 1000.0) as u32,
                        over: over.0,
                        hold: hold.map(|hold| hold.0),
                    }),
                    ActionSpec::HotKey { producer, key, share_permille, hold } => commands.push(WorldCommand::HotKey {
                        producer: producer.clone(),
                        key: key.clone(),
                        share_permille: *share_permille,
                        hold: hold.map(|hold| hold.0),
                    }),
                    ActionSpec::Change { generator, change, hold } => {
                        commands.push(WorldCommand::Change { generator: generator.clone(), change: change.clone(), hold: hold.map(|hold| hold.0) });
                    }
                    ActionSpec::Fault { what, hold } => commands.push(WorldCommand::Fault { fault: what.clone(), hold: hold.map(|hold| hold.0) }),
                }
            }
        }
        while self.step + 1 < lab.steps.len() && self.step_done(self.step) {
            self.step += 1;
            self.step_began = now;
            said.push(format!("Step done. Next, step {} of {}: {}.", self.step + 1, lab.steps.len(), lab.steps[self.step].spec.title));
        }
        (commands, said)
    }

    /// All checks of a step are met.
    pub fn step_done(&self, step: usize) -> bool {
        self.lab.steps.get(step).is_some_and(|step| step.spec.checks.iter().all(|check| self.is_met(check)))
    }

    /// All steps are done.
    pub fn finished(&self) -> bool {
        (0..self.lab.steps.len()).all(|step| self.step_done(step))
    }

    /// A check is met.
    pub fn is_met(&self, check: &str) -> bool {
        self.checks.get(check).is_some_and(|check| check.met)
    }

    /// Why a check is red: the diagnosis, or what is seen.
    pub fn why(&self, check: &str) -> Option<String> {
        let state = self.checks.get(check)?;
        Some(state.why.clone().unwrap_or_else(|| state.seen.clone()))
    }

    /// When the current step began.
    pub fn step_began(&self) -> VirtualTime {
        self.step_began
    }

    /// Index of the current step.
    pub fn current(&self) -> usize {
        self.step
    }

    /// A line of the lab's own words; `None` when it is not one.
    pub fn line(&mut self, words: &[String]) -> Option<LineOutcome> {
        let good = |text: String| Some(LineOutcome { text, failed: false });
        let bad = |text: String| Some(LineOutcome { text, failed: true });
        let spec = &self.lab.steps.get(self.step)?.spec;
        match words.first().map(String::as_str)? {
            "hint" => {
                let taken = self.hints.entry(spec.id.clone()).or_insert(0);
                *taken = (*taken + 1).min(spec.hints.len());
                let number = *taken;
                good(format!("Hint {number} of {}: {}", spec.hints.len(), spec.hints.get(number - 1).map_or("", String::as_str)))
            }
            "answer" | "predict" => {
                let (Some(id), false) = (words.get(1), words.len() < 3) else {
                    return bad("answer QUESTION YOUR ANSWER, for example: answer which-limit records".to_owned());
                };
                let given = words[2..].join(" ");
                let question = self.lab.steps.iter().flat_map(|step| &step.spec.question).find(|question| question.id == *id);
                let Some(question) = question else {
                    let known: Vec<&str> = self.lab.steps.iter().flat_map(|step| step.spec.question.iter().map(|q| q.id.as_str())).collect();
                    return bad(format!("no question is named '{id}'; there are: {}", known.join(", ")));
                };
                let tidy = |text: &str| text.to_lowercase().replace(' ', "");
                let right = question.accept.iter().any(|accepted| tidy(accepted) == tidy(&given));
                let text = if right { format!("Right. {}", question.why) } else { format!("'{given}' is not it yet. {}", question.ask) };
                if !right {
                    *self.wrong.entry(id.clone()).or_insert(0) += 1;
                }
                self.answers.insert(id.clone(), (given, right));
                Some(LineOutcome { text, failed: !right })
            }
            "initials" => match words {
                [_, initials] if super::load::are_initials(initials) => {
                    self.named.insert("initials".to_owned(), initials.clone());
                    good(format!("From now on you are {initials}; the next labs name your streams {initials}-…"))
                }
                _ => bad("initials YOURS: one to twelve small letters or digits, for example: initials dcb".to_owned()),
            },
            "solution" => {
                let lines = spec.solution.join("\n");
                self.shown.insert(spec.id.clone());
                good(lines)
            }
            "why" => {
                let id = words.get(1).or_else(|| spec.checks.iter().find(|check| !self.is_met(check)));
                match id.and_then(|id| self.why(id)) {
                    Some(text) => good(text),
                    None => bad("why CHECK: no such check, or nothing to explain".to_owned()),
                }
            }
            _ => None,
        }
    }

    /// The lab for display.
    pub fn view(&self, now: VirtualTime) -> LabView {
        let lab = &self.lab;
        let step = &lab.steps[self.step];
        let checks: Vec<CheckView> =
            step.spec.checks.iter().filter_map(|id| lab.scenario.check.get(id).map(|check| self.check_view(id, check, now))).collect();
        let taken = self.hints.get(&step.spec.id).copied().unwrap_or(0);
        let done = self.step_done(self.step);
        let reached = lab.scenario.check.iter().filter(|(id, _)| self.is_met(id)).map(|(_, check)| check.points).sum();
        LabView {
            id: lab.scenario.id.clone(),
            title: lab.scenario.title.clone(),
            steps: lab
                .steps
                .iter()
                .enumerate()
                .map(|(index, step)| StepSummary { id: step.spec.id.clone(), title: step.spec.title.clone(), done: self.step_done(index) })
                .collect(),
            current: self.step,
            step: StepView {
                id: step.spec.id.clone(),
                title: step.spec.title.clone(),
                objective: step.spec.objective.clone(),
                body: step.body.clone(),
                runs: Vec::new(),
                checks,
                hints_shown: step.spec.hints.iter().take(taken).cloned().collect(),
                hints_total: step.spec.hints.len(),
                questions: step
                    .spec
                    .question
                    .iter()
                    .map(|question| {
                        let answer = self.answers.get(&question.id);
                        QuestionView {
                            id: question.id.clone(),
                            ask: question.ask.clone(),
                            choices: question.choices.clone(),
                            prediction: question.prediction,
                            answered: answer.map(|(text, _)| text.clone()),
                            right: answer.map(|(_, right)| *right),
                            why: answer.filter(|(_, right)| *right).map(|_| question.why.clone()),
                        }
                    })
                    .collect(),
                pane: step.spec.pane.clone(),
                solution: if done || taken == step.spec.hints.len() { step.spec.solution.clone() } else { Vec::new() },
                seconds: now.since(self.step_began).as_secs(),
            },
            points: (reached, lab.scenario.check.values().map(|check| check.points).sum()),
            finished: self.finished(),
            marks: self.marks.clone(),
            ends: self.ends(),
        }
    }

    fn check_view(&self, id: &str, check: &CheckSpec, now: VirtualTime) -> CheckView {
        let state = self.checks.get(id).cloned().unwrap_or_default();
        let held = state.holds_since.map_or(VirtualDuration::ZERO, |since| now.since(since));
        let held_permille = (held.0 * 1000).checked_div(check.hold.0.0).map_or(0, |held| held.min(1000) as u32);
        CheckView {
            id: id.to_owned(),
            title: check.title.clone(),
            state: if state.met {
                CheckState::Met
            } else if state.holds_since.is_some() {
                CheckState::Partial
            } else {
                CheckState::Waiting
            },
            want: check.title.clone(),
            seen: state.seen,
            why: state.why,
            points: check.points,
            held_permille,
            met_at: state.met_at,
        }
    }
}

/// The act that stands for an applied solution.
pub fn applied(step: &str) -> String {
    format!("solved {step}")
}

/// The first diagnosis that fits.
fn diagnosis(check: &CheckSpec, world: &Engine, learner: &Learner<'_>) -> Option<String> {
    let fitting = check.on_fail.iter().find(|diagnosis| evaluate(&diagnosis.test, world, learner).met)?;
    let mut text = fitting.say.clone();
    if let super::scenario::TestSpec::Resource { id, .. } = &fitting.test
        && let Some(properties) = world.resource(id)
    {
        for (name, value) in properties {
            text = text.replace(&format!("${{actual.{name}}}"), &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    }
    Some(text)
}
