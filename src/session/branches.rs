//! Branches: other futures of the same lab. Acting in the past begins one; what lay ahead is kept and can be gone back to or compared.
//!
//! Invariant: a branch is a log, so switching to it gives the same bytes as playing it. Branches live as long as the session; the log on disk
//! is the one being played.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::metrics::{Dimensions, Metric};
use crate::engine::time::VirtualTime;
use crate::engine::view::MetricView;
use crate::lab::view::TimelineMark;

use super::play::Session;
use super::runlog::{Entry, What};
use super::travel::Saved;

/// Branches kept beside the one being played; the oldest goes first.
const BRANCHES_MAX: usize = 8;
/// Saved worlds that a branch keeps while it is not played.
const SAVED_ASIDE: usize = 8;
/// A future without anything done in it is kept when it is at least this long.
const WORTH_SECS: u64 = 10;
/// Cells of a metric's name in the table that compares two branches: the whole is as wide as a small window.
const NAME_CELLS: usize = 44;
/// Marks of incidents at most.
const INCIDENTS_MAX: usize = 200;

/// What the learner did with the clock so far, second by second.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace {
    /// Value of each second from the first one that is there.
    series: BTreeMap<(Metric, Dimensions), (u64, Vec<u64>)>,
    /// Checks that were met, and incidents.
    marks: Vec<TimelineMark>,
    /// What the coach says at the moment, and since when.
    lints: BTreeMap<(String, String), VirtualTime>,
}

impl Trace {
    /// Values of the seconds `from..to` since 1970; `None` where the branch has not been.
    fn window(&self, key: &(Metric, Dimensions), from: u64, to: u64, ends: u64) -> Vec<Option<u64>> {
        let known = self.series.get(key);
        (from..to)
            .map(|second| {
                let value = known.and_then(|(first, values)| values.get(usize::try_from(second.checked_sub(*first)?).ok()?).copied());
                (second < ends).then(|| value.unwrap_or(0))
            })
            .collect()
    }

    fn total(&self, key: &(Metric, Dimensions), from: u64, to: u64) -> u64 {
        self.window(key, from, to, u64::MAX).into_iter().flatten().sum()
    }

    fn peak(&self, key: &(Metric, Dimensions), from: u64, to: u64) -> u64 {
        self.window(key, from, to, u64::MAX).into_iter().flatten().max().unwrap_or(0)
    }

    /// Forgets what came from an instant on.
    fn cut(&mut self, at: VirtualTime) {
        for (first, values) in self.series.values_mut() {
            values.truncate(usize::try_from(at.secs().saturating_sub(*first)).unwrap_or(usize::MAX));
        }
        self.series.retain(|_, (_, values)| !values.is_empty());
        self.marks.retain(|mark| mark.at <= at);
        self.lints.clear();
    }
}

/// A branch that is not played.
#[derive(Debug)]
struct Aside {
    name: String,
    log: Vec<Entry>,
    saved: Vec<Arc<Saved>>,
    newest: VirtualTime,
    began: Option<VirtualTime>,
    trace: Trace,
}

/// The branch being played, and the others.
#[derive(Debug)]
pub(super) struct Branches {
    name: String,
    /// Where it left another one.
    began: Option<VirtualTime>,
    others: Vec<Aside>,
    /// Branches begun so far, for names.
    count: usize,
    /// The one that charts show beside.
    compared: Option<String>,
    trace: Trace,
}

impl Default for Branches {
    fn default() -> Self {
        Self { name: "main".to_owned(), began: None, others: Vec::new(), count: 0, compared: None, trace: Trace::default() }
    }
}

/// A branch for display.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BranchView {
    /// Name.
    pub name: String,
    /// It is the one being played.
    pub current: bool,
    /// It is the one shown beside.
    pub compared: bool,
    /// Where it left another one, microseconds since the start.
    pub began_us: Option<u64>,
    /// Its newest instant, microseconds since the start.
    pub newest_us: u64,
    /// The first lines that were typed in it.
    pub lines: Vec<String>,
}

/// The series of the branch shown beside, over the seconds of the world's own ([`crate::engine::view::View::metrics`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Compared {
    /// Name of the branch.
    pub name: String,
    /// Metric, dimensions and a value per second; `None` where that branch has not been.
    pub series: Vec<(String, String, Vec<Option<u64>>)>,
}

impl Compared {
    /// The series of a metric.
    pub fn of(&self, metric: &MetricView) -> Option<&[Option<u64>]> {
        self.series.iter().find(|(name, dimensions, _)| *name == metric.metric && *dimensions == metric.dimensions).map(|(_, _, values)| &values[..])
    }
}

impl Session {
    /// Notes the last second: its values, checks that were met, what the coach began to say.
    pub(super) fn trace_second(&mut self) {
        if !self.keeps_log {
            return;
        }
        let (now, trace) = (self.engine.now(), &mut self.branches.trace);
        let second = now.secs().saturating_sub(1);
        for (metric, dimensions, value) in self.engine.last_second() {
            let key = (metric, dimensions.clone());
            let (first, values) = trace.series.entry(key).or_insert_with(|| (second, Vec::new()));
            values.resize(usize::try_from(second.saturating_sub(*first)).unwrap_or(0), 0);
            values.push(value);
        }
        let said = self.engine.coach();
        for line in &said {
            let key = (line.lint.clone(), line.resource.clone());
            if !trace.lints.contains_key(&key) && trace.marks.len() < INCIDENTS_MAX {
                trace.marks.push(TimelineMark { at: now, glyph: '!', label: line.text.clone() });
            }
        }
        let before = std::mem::take(&mut trace.lints);
        trace.lints =
            said.into_iter().map(|line| (line.lint, line.resource)).map(|key| (key.clone(), before.get(&key).copied().unwrap_or(now))).collect();
    }

    /// Since when the coach says something.
    pub(super) fn said_since(&self, lint: &str, resource: &str) -> Option<VirtualTime> {
        self.branches.trace.lints.get(&(lint.to_owned(), resource.to_owned())).copied().filter(|since| *since <= self.now())
    }

    /// Marks of the whole branch, oldest first.
    pub(super) fn timeline_marks(&mut self, met: Vec<TimelineMark>) -> Vec<TimelineMark> {
        let trace = &mut self.branches.trace;
        for mark in met {
            // A check that is met again in a replayed second is the same one.
            if !trace.marks.iter().any(|known| known.label == mark.label && known.glyph == mark.glyph) {
                trace.marks.push(mark);
            }
        }
        let bookmarks = self.bookmarks.iter().map(|(at, text)| TimelineMark { at: *at, glyph: '◆', label: text.clone() });
        let mut marks: Vec<TimelineMark> = trace.marks.iter().cloned().chain(bookmarks).collect();
        marks.sort_by_key(|mark| mark.at);
        marks
    }

    /// Begins another future here: what lay ahead is set aside.
    pub(super) fn branch_here(&mut self) {
        let outside = self.cut(self.now(), self.entries, true);
        self.enter(outside);
    }

    /// Sets aside what comes after an instant, or the first entries, or only forgets it. Gives what came from outside and has to enter again.
    pub(super) fn cut(&mut self, at: VirtualTime, entries: usize, keeps: bool) -> Vec<Entry> {
        let entries = entries.min(self.log.len());
        let ahead = &self.log[entries..];
        let outside: Vec<Entry> = ahead.iter().filter(|entry| entry.what.is_from_outside()).cloned().collect();
        let worth = ahead.iter().any(|entry| matches!(entry.what, What::Line(_) | What::Request(_))) || self.newest.since(at).as_secs() >= WORTH_SECS;
        if keeps && worth && self.keeps_log {
            self.branches.count += 1;
            let name = std::mem::replace(&mut self.branches.name, format!("branch-{}", self.branches.count));
            let until = self.newest.clock_text();
            let aside = Aside {
                name: name.clone(),
                log: self.log.clone(),
                saved: thinned(&self.saved, at),
                newest: self.newest,
                began: self.branches.began.replace(at),
                trace: self.branches.trace.clone(),
            };
            self.set_aside(aside);
            self.notices.push(format!(
                "Another future begins at {}: {}. The one until {until} is kept as '{name}': 'compare {name}' shows both, 'branch {name}' goes back to it.",
                at.clock_text(),
                self.branches.name
            ));
        }
        self.log.truncate(entries);
        self.saved.retain(|saved| saved.world.at() <= at && saved.entries <= entries);
        self.branches.trace.cut(at);
        self.newest = at;
        outside
    }

    fn set_aside(&mut self, aside: Aside) {
        self.branches.others.push(aside);
        if self.branches.others.len() > BRANCHES_MAX {
            let gone = self.branches.others.remove(0);
            self.notices.push(format!("The oldest branch, '{}', is forgotten: {BRANCHES_MAX} are kept.", gone.name));
        }
    }

    /// Goes to the newest instant of another branch; the one being played is set aside.
    ///
    /// # Errors
    /// A sentence: there is no such branch, or the scenario cannot be built any more.
    pub fn switch_branch(&mut self, name: &str) -> Result<(), String> {
        if self.branches.name == name {
            return self.travel(self.newest);
        }
        let at = self.branches.others.iter().position(|branch| branch.name == name).ok_or_else(|| self.no_branch(name))?;
        let wanted = self.branches.others.remove(at);
        let parted = wanted.began.max(self.branches.began).unwrap_or(self.epoch());
        let aside = Aside {
            name: std::mem::replace(&mut self.branches.name, wanted.name),
            log: std::mem::replace(&mut self.log, wanted.log),
            saved: thinned(&std::mem::replace(&mut self.saved, wanted.saved), parted),
            newest: std::mem::replace(&mut self.newest, wanted.newest),
            began: std::mem::replace(&mut self.branches.began, wanted.began),
            trace: std::mem::replace(&mut self.branches.trace, wanted.trace),
        };
        if self.branches.compared.as_ref() == Some(&self.branches.name) {
            self.branches.compared = Some(aside.name.clone());
        }
        self.set_aside(aside);
        self.back_to_start()?;
        self.travel(self.newest)?;
        self.keep_anew();
        Ok(())
    }

    /// Shows a branch beside the one being played, or none.
    ///
    /// # Errors
    /// A sentence: there is no such branch.
    pub fn compare_with(&mut self, name: Option<&str>) -> Result<(), String> {
        match name {
            Some(name) if !self.branches.others.iter().any(|branch| branch.name == name) => Err(self.no_branch(name)),
            name => {
                self.branches.compared = name.map(str::to_owned);
                Ok(())
            }
        }
    }

    fn no_branch(&self, name: &str) -> String {
        let known: Vec<&str> = self.branches.others.iter().map(|branch| branch.name.as_str()).collect();
        if known.is_empty() {
            "there is no other branch yet: go back in time and do something there".to_owned()
        } else {
            format!("no branch is named '{name}'; there are: {}", known.join(", "))
        }
    }

    /// All branches, the one being played first.
    pub(super) fn branch_views(&self) -> Vec<BranchView> {
        let micros = |at: VirtualTime| at.since(self.epoch()).0;
        let lines = |log: &[Entry], began: Option<VirtualTime>| {
            let from = began.map_or(0, micros);
            let typed = log.iter().filter(|entry| entry.at_us >= from).filter_map(|entry| match &entry.what {
                What::Line(line) => Some(line.trim().to_owned()),
                What::Request(request) => Some(format!("{} {}", request.operation().service(), request.operation().name())),
                _ => None,
            });
            typed.take(6).collect()
        };
        let Branches { name, began, others, .. } = &self.branches;
        let current = BranchView {
            name: name.clone(),
            current: true,
            compared: false,
            began_us: began.map(micros),
            newest_us: micros(self.newest),
            lines: lines(&self.log, *began),
        };
        let others = others.iter().rev().map(|branch| BranchView {
            name: branch.name.clone(),
            current: false,
            compared: self.branches.compared.as_ref() == Some(&branch.name),
            began_us: branch.began.map(micros),
            newest_us: micros(branch.newest),
            lines: lines(&branch.log, branch.began),
        });
        std::iter::once(current).chain(others).collect()
    }

    fn compared(&self) -> Option<&Aside> {
        let name = self.branches.compared.as_ref()?;
        self.branches.others.iter().find(|branch| branch.name == *name)
    }

    /// The series of the branch shown beside, over the last seconds.
    pub(super) fn compared_view(&self, seconds: usize) -> Option<Compared> {
        let other = self.compared()?;
        let to = self.now().secs();
        let from = to.saturating_sub(seconds as u64);
        let series = other.trace.series.keys().map(|key| {
            let values = other.trace.window(key, from, to, other.newest.secs());
            (key.0.name().to_owned(), key.1.text(), values)
        });
        Some(Compared { name: other.name.clone(), series: series.collect() })
    }

    /// Both branches in numbers, from where they parted to the earlier of the two ends.
    ///
    /// # Errors
    /// A sentence: there is no such branch.
    pub(super) fn comparison(&self, name: &str) -> Result<String, String> {
        let other = self.branches.others.iter().find(|branch| branch.name == name).ok_or_else(|| self.no_branch(name))?;
        let parted =
            parted_at(&self.log, &other.log).map_or(self.newest.min(other.newest), |us| self.epoch() + crate::engine::time::VirtualDuration(us));
        let (from, to) = (parted.secs(), self.newest.min(other.newest).secs());
        let mut text = format!(
            "{} and {} from {} to {}\n{:<44} {:>12} {:>12}\n",
            self.branches.name,
            other.name,
            parted.clock_text(),
            VirtualTime::from_secs(to).clock_text(),
            "",
            self.branches.name,
            other.name
        );
        let keys: BTreeSet<_> = self.branches.trace.series.keys().chain(other.trace.series.keys()).collect();
        for key in keys {
            // Ages and lags do not add up: their highest value says how bad it was.
            let gauge = matches!(key.0.unit(), "Milliseconds" | "Seconds");
            let value = |trace: &Trace| if gauge { trace.peak(key, from, to) } else { trace.total(key, from, to) };
            let (one, two) = (value(&self.branches.trace), value(&other.trace));
            if one == 0 && two == 0 {
                continue;
            }
            let what = format!("{} {}", key.0.name(), key.1.text().split('=').next_back().unwrap_or_default());
            let how = if gauge { " (most)" } else { "" };
            let mut what = format!("{what}{how}");
            if what.chars().count() > NAME_CELLS {
                what = what.chars().take(NAME_CELLS - 1).chain(['…']).collect();
            }
            text.push_str(&format!("{what:<NAME_CELLS$} {one:>12} {two:>12}\n"));
        }
        Ok(text)
    }
}

/// The instant of the first entry that two logs do not share.
fn parted_at(one: &[Entry], other: &[Entry]) -> Option<u64> {
    let common = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    [one.get(common), other.get(common)].into_iter().flatten().map(|entry| entry.at_us).min()
}

/// All saved worlds up to an instant, for they are shared, and a few after it.
fn thinned(saved: &[Arc<Saved>], parted: VirtualTime) -> Vec<Arc<Saved>> {
    let split = saved.partition_point(|saved| saved.world.at() <= parted);
    let (shared, own) = saved.split_at(split);
    let every = own.len().div_ceil(SAVED_ASIDE).max(1);
    shared.iter().chain(own.iter().rev().step_by(every).rev()).cloned().collect()
}
