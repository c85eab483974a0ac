//! Going back and forward in time: the nearest saved world is restored and the log done again from there.
//!
//! Invariant: the world at an instant of a branch is the same however one came there. Going back undoes nothing by itself: what lies ahead
//! stays in the log and happens again when time passes; only acting in the past begins another future (`branches`).

use std::sync::Arc;

use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::{Checkpoint, Command};
use crate::lab::LabRun;

use super::driver::Outcome;
use super::play::Session;
use super::requests::Begun;
use super::runlog::{Entry, What};

/// Virtual time between two saved worlds at first.
pub(super) const SAVE_EVERY_SECS: u64 = 10;
/// Saved worlds at most. When there are more, every second one is dropped, and from then on half as many are saved: they stay evenly spread.
const SAVED_MAX: usize = 64;
/// Going back further than this from a saved world leaves another one close before the instant, for the next steps back.
const FAR: VirtualDuration = VirtualDuration::from_secs(2 * SAVE_EVERY_SECS);

/// A world, the lab's progress and how many entries of the log had been carried out.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) world: Checkpoint,
    run: LabRun,
    iterator: Option<String>,
    pub(super) entries: usize,
}

impl Session {
    /// Keeps saved worlds, so that going back is fast.
    pub fn keep_checkpoints(&mut self) {
        self.keeps_checkpoints = true;
        self.save();
    }

    /// The learner went back: the present is not the newest instant of the branch.
    pub fn in_the_past(&self) -> bool {
        self.now() < self.newest
    }

    /// Saves the world at every tenth second, later less often.
    pub(super) fn save_when_due(&mut self) {
        // In the midst of a line there is no way to go on from a saved world.
        if self.keeps_checkpoints && !self.within_line && self.now().since(self.epoch()).as_secs().is_multiple_of(self.save_every) {
            self.save();
        }
    }

    fn save(&mut self) {
        let now = self.now();
        let at = self.saved.partition_point(|saved| saved.world.at() < now);
        if self.saved.get(at).is_some_and(|saved| saved.world.at() == now) {
            return;
        }
        let saved = Saved { world: self.engine.checkpoint(), run: self.run.clone(), iterator: self.iterator.clone(), entries: self.entries };
        self.saved.insert(at, Arc::new(saved));
        while self.saved.len() > SAVED_MAX {
            // Those that were saved between the others go first.
            if self.thin() {
                continue;
            }
            self.save_every *= 2;
        }
    }

    /// Drops saved worlds that are not at their distance, but the first one. Says whether there were any.
    fn thin(&mut self) -> bool {
        let (epoch, every, before) = (self.epoch(), self.save_every, self.saved.len());
        let mut first = true;
        self.saved.retain(|saved| std::mem::take(&mut first) || saved.world.at().since(epoch).as_secs().is_multiple_of(every));
        self.saved.len() < before
    }

    /// Goes back in time by so much; what was done at the instant itself stays done.
    ///
    /// # Errors
    /// A sentence, when the scenario cannot be built any more.
    pub fn rewind(&mut self, by: VirtualDuration) -> Result<(), String> {
        let target = VirtualTime(self.now().0.saturating_sub(by.0).max(self.begins.0));
        self.travel(target)?;
        // Clients live in the newest instant: there is no looking back with them.
        if self.served.is_some() {
            self.branch_here();
        }
        Ok(())
    }

    /// Goes to an instant of this branch, or on from its newest one. While a line lets time pass there is nothing to stop at: from later, one comes
    /// to the instant before that line.
    ///
    /// # Errors
    /// A sentence, when the scenario cannot be built any more.
    pub fn travel(&mut self, target: VirtualTime) -> Result<(), String> {
        // Nothing of the log lies before the end of what the lab does by itself.
        let target = target.max(self.begins);
        match self.passage_over(target) {
            Some((line, began, _)) => self.go(began, line),
            None => self.go(target, self.entries_until(target)),
        }
    }

    /// Goes to an instant at which the first `done` entries of the log are done.
    fn go(&mut self, target: VirtualTime, done: usize) -> Result<(), String> {
        // A trail is whole only when the world passes from before its record arrived.
        let latest = self.followed.as_ref().map_or(target, |followed| followed.arrived.min(target));
        let saved = self.saved.iter().rev().find(|saved| saved.world.at() <= latest && saved.entries <= done).cloned();
        let here = self.now() <= target && self.entries <= done;
        // What is said again on the way has been said.
        let said = std::mem::take(&mut self.notices);
        match saved {
            Some(saved) if !here || saved.world.at() > self.now() => self.restore(&saved),
            _ if here => {}
            None if !self.keeps_log => return Err("this world keeps no past to go back to".to_owned()),
            _ => {
                self.build_anew()?;
                self.after_restore();
            }
        }
        if self.keeps_checkpoints && target.since(self.now()) > FAR && self.in_the_past() {
            self.advance(VirtualTime(target.0 - VirtualDuration::from_secs(SAVE_EVERY_SECS).0));
            self.save();
        }
        while self.entries < done {
            self.redo_next();
        }
        self.pass(target);
        self.newest = self.newest.max(self.now());
        self.notices = said;
        Ok(())
    }

    /// Lets time pass to the next entry of the log, and does it.
    pub(super) fn redo_next(&mut self) {
        let entry = self.log[self.entries].clone();
        self.pass(self.epoch() + VirtualDuration(entry.at_us));
        self.redo(&entry);
    }

    /// A line that began to let time pass at or before an instant and ended after it: its place in the log, its beginning and its end.
    fn passage_over(&self, target: VirtualTime) -> Option<(usize, VirtualTime, VirtualTime)> {
        let before = &self.log[..self.entries_until(target)];
        let (at, entry) = before.iter().enumerate().rev().find(|(_, entry)| matches!(entry.what, What::Line(_)))?;
        let What::Line(line) = &entry.what else { return None };
        let began = self.epoch() + VirtualDuration(entry.at_us);
        let ended = *self.passages.get(&(began, line.clone()))?;
        (ended > target).then_some((at, began, ended))
    }

    /// The world before anything of the log.
    pub(super) fn back_to_start(&mut self) -> Result<(), String> {
        match self.saved.first().filter(|saved| saved.entries == 0).cloned() {
            Some(saved) => self.restore(&saved),
            None => {
                self.build_anew()?;
                self.after_restore();
            }
        }
        Ok(())
    }

    /// Follows the newest record of a shard, or the one with a sequence number: the world passes again from before it arrived, so that its whole
    /// way is known. `None` ends it.
    ///
    /// # Errors
    /// A sentence: there is no such record, or the scenario cannot be built any more.
    pub fn follow(&mut self, wanted: Option<(&str, u32, Option<&str>)>) -> Result<(), String> {
        let Some((stream, shard, sequence)) = wanted else {
            self.followed = None;
            self.engine.follow(None);
            return Ok(());
        };
        let missing = || match sequence {
            Some(sequence) => format!("shard {shard:04} of {stream} holds no record {sequence}"),
            None => format!("shard {shard:04} of {stream} holds no record"),
        };
        if !self.keeps_log {
            return Err("this world keeps no past: where a record came from is not known".to_owned());
        }
        self.followed = Some(self.engine.record_to_follow(stream, shard, sequence).ok_or_else(missing)?);
        let now = self.now();
        self.back_to_start()?;
        self.travel(now)
    }

    /// Entries of the log that are done when the clock has come to an instant.
    fn entries_until(&self, target: VirtualTime) -> usize {
        let target_us = target.since(self.epoch()).0;
        self.log.partition_point(|entry| entry.at_us <= target_us)
    }

    fn restore(&mut self, saved: &Saved) {
        self.engine = saved.world.restore();
        self.run = saved.run.clone();
        self.iterator.clone_from(&saved.iterator);
        self.entries = saved.entries;
        self.after_restore();
    }

    /// What is not undone by going back.
    fn after_restore(&mut self) {
        for act in &self.acts {
            self.run.act(act);
        }
        self.engine.follow(self.followed.clone());
    }

    /// Goes back to the beginning of the current step and undoes everything done in it; what was is kept as a branch.
    ///
    /// # Errors
    /// A sentence, when the scenario cannot be built any more.
    pub fn reset_step(&mut self) -> Result<(), String> {
        let entries = self.run.began.last().map_or(0, |(_, entries)| *entries);
        self.undo(self.run.step_began(), entries)
    }

    /// Goes back to the beginning of the step before the current one.
    pub(super) fn reset_to_step_before(&mut self) -> Result<(), String> {
        let step = self.run.current().saturating_sub(1);
        let (began, entries) = self.run.began.get(step).copied().unwrap_or((self.epoch(), 0));
        self.undo(began, entries)
    }

    /// Remembers this moment under a number.
    pub(super) fn mark(&mut self, number: usize) {
        self.marks.retain(|(known, ..)| *known < number);
        self.marks.push((number, self.now(), self.entries));
        if self.keeps_checkpoints {
            self.save();
        }
    }

    /// Goes back to a remembered moment. What came after it is told once more: no branch is kept.
    pub(super) fn return_to(&mut self, number: usize) -> Result<(), String> {
        let Some((_, at, entries)) = self.marks.iter().find(|(known, ..)| *known == number).copied() else {
            return Err(format!("nothing was remembered under {number}"));
        };
        self.marks.retain(|(known, ..)| *known <= number);
        let outside = self.cut(at, entries, false);
        self.travel(self.after_line(at))?;
        self.enter(outside);
        Ok(())
    }

    /// Goes back to an instant and undoes all but the first entries.
    fn undo(&mut self, target: VirtualTime, entries: usize) -> Result<(), String> {
        let outside = self.cut(target, entries, true);
        self.travel(self.after_line(target))?;
        self.enter(outside);
        Ok(())
    }

    /// An instant, or the end of the line that lets time pass there.
    fn after_line(&self, at: VirtualTime) -> VirtualTime {
        self.passage_over(at).map_or(at, |(_, _, ended)| ended)
    }

    /// What came from outside and was cut off arrives now.
    pub(super) fn enter(&mut self, outside: Vec<Entry>) {
        let at_us = self.now().since(self.epoch()).0;
        for entry in outside {
            let entry = Entry { at_us, what: entry.what };
            self.log.push(entry.clone());
            self.redo(&entry);
        }
        self.kept_us = at_us;
        self.keep_anew();
    }

    /// Takes what handlers answered from the entries of a recorded run.
    pub fn remember(&mut self, entries: &[Entry]) {
        self.handlers.remember(entries);
    }

    /// Does the first of the entries of a recorded run again, at its instant; gives what a line answered. Files that a line named stand behind it.
    pub fn again(&mut self, rest: &[Entry]) -> Outcome {
        let Some((entry, behind)) = rest.split_first() else { return Outcome::default() };
        if matches!(entry.what, What::File(..) | What::Clock) {
            return Outcome::default();
        }
        self.advance(self.epoch() + VirtualDuration(entry.at_us));
        self.log.push(entry.clone());
        let files = behind.iter().take_while(|next| matches!(next.what, What::File(..)));
        self.log.extend(files.cloned());
        let outcome = self.redo(entry);
        self.entries = self.log.len();
        outcome
    }

    /// Does the next entry of the log again, at its instant; gives what a line answered.
    pub(super) fn redo(&mut self, entry: &Entry) -> Outcome {
        let mut outcome = Outcome::default();
        let outer = std::mem::replace(&mut self.replaying, true);
        self.entries += 1;
        match &entry.what {
            What::Line(line) => {
                outcome = self.carry_out(line);
            }
            What::Request(request) => {
                // What it answered went to the client that asked; nobody waits for a function any more.
                if let Ok(Begun::Invocation(id)) = self.begin((**request).clone()) {
                    self.invocations.push((id, None));
                }
                self.answer_wants();
                self.evaluate();
            }
            What::Push(subscription) => {
                let _ = self.engine.apply(&Command::Push(*subscription));
            }
            What::World(command) => {
                // It worked when it was recorded; if it does not now, the journal says so.
                let _ = self.engine.apply(&Command::World((**command).clone()));
            }
            What::Act(act) => {
                self.acts.insert(act.clone());
                self.run.act(act);
                self.evaluate();
            }
            What::Bookmark(at_us, text) => {
                let mark = (self.epoch() + VirtualDuration(*at_us), text.clone());
                if !self.bookmarks.contains(&mark) {
                    self.bookmarks.push(mark);
                }
            }
            What::Draft(application, code) => self.set_draft(application, code.clone()),
            What::Place(..) | What::File(..) | What::Handler(..) | What::Delivered(..) | What::Clock => {}
        }
        self.replaying = outer;
        outcome
    }

    /// Takes up a run where it was left. Gives where that is.
    pub fn resume(&mut self, entries: Vec<Entry>) -> VirtualTime {
        let until = self.epoch() + VirtualDuration(entries.iter().map(|entry| entry.at_us).max().unwrap_or(0));
        // Marks of the clock have said what they had to say.
        self.log = entries.into_iter().filter(|entry| entry.what != What::Clock).collect();
        self.handlers.remember(&self.log);
        self.entries = 0;
        self.handlers.resuming = true;
        self.advance(until);
        self.handlers.resuming = false;
        self.kept_us = until.since(self.epoch()).0;
        if !self.keeps_log {
            self.forget_log();
        }
        self.notices.clear();
        self.clock.set_paused(true);
        until
    }

    /// Keeps what holds at every time, in the past: it stands at the end of the log and is done already.
    pub(super) fn keep_timeless(&mut self, what: What) {
        let entry = Entry { at_us: self.newest.since(self.epoch()).0, what };
        let text = entry.text();
        if self.keeps_log {
            self.log.push(entry);
        }
        self.write_down(Some(text));
    }

    /// Keeps what changes the lab but not the world, in the past, without beginning a branch.
    pub(super) fn keep_within(&mut self, what: What) {
        let now = self.now();
        self.log.insert(self.entries, Entry { at_us: now.since(self.epoch()).0, what });
        self.entries += 1;
        // Worlds saved later do not know of it.
        self.saved.retain(|saved| saved.world.at() <= now && saved.entries < self.entries);
        self.keep_anew();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::view::Wants;
    use crate::lab::{Lab, embedded};
    use crate::session::driver::{Act, Driver};

    const CREATE: &str = "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6";
    const REPLAY: &str = "java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamRegion us-east-1 -speedup 1800 -streamName dcb-taxi-trips";

    fn session() -> Session {
        let (_, files) = embedded::find("lab1").expect("exists");
        let mut session = Session::new(Arc::new(Lab::load(&files).expect("good")), None).expect("good");
        session.keep_checkpoints();
        session
    }

    fn lines(session: &mut Session, lines: &[&str]) {
        for line in lines {
            let outcome = session.line(line);
            assert!(!outcome.failed, "{line}: {}", outcome.message);
        }
    }

    #[test]
    fn what_lies_ahead_happens_again_with_the_same_bytes() {
        let mut session = session();
        lines(&mut session, &[CREATE, "run 2s", REPLAY, "run 30s", "hint"]);
        let (end, hash) = (session.now(), session.world().journal_hash());
        lines(&mut session, &["rewind 25s"]);
        assert!(session.in_the_past());
        assert_ne!(session.world().journal_hash(), hash);
        // Looking around and taking hints changes nothing of what is to come.
        lines(&mut session, &["shards", "coach", "status", "hint", "run 5s"]);
        lines(&mut session, &["now"]);
        assert_eq!((session.now(), session.world().journal_hash()), (end, hash.clone()));
        assert!(!session.in_the_past());
        assert_eq!(session.branch_views().len(), 1);
        assert_eq!(session.lab().hints_taken(), 2);
        // The start and the end are jumps, too; the run goes on from there.
        session.act(Act::ToStart);
        assert_eq!(session.now(), session.epoch());
        session.act(Act::ToNow);
        assert_eq!((session.now(), session.world().journal_hash()), (end, hash));
        let mut straight = super::tests::session();
        lines(&mut straight, &[CREATE, "run 2s", REPLAY, "run 40s"]);
        lines(&mut session, &["run 10s"]);
        assert_eq!(session.world().journal_hash(), straight.world().journal_hash());
    }

    #[test]
    fn a_line_that_lets_time_pass_is_gone_back_to_as_a_whole() {
        let mut session = session();
        let wait = "aws kinesis wait stream-exists --stream-name dcb-taxi-trips";
        lines(&mut session, &["run 5s", CREATE]);
        let before = session.now();
        lines(&mut session, &[wait, REPLAY]);
        let (end, hash) = (session.now(), session.world().journal_hash());
        assert!(end > before + VirtualDuration::SECOND, "it waited");
        assert!(session.saved.iter().all(|saved| saved.world.at() <= before || saved.world.at() >= end), "nothing is saved in its midst");
        for _ in 0..2 {
            session.rewind(VirtualDuration::from_millis(200)).expect("possible");
            assert_eq!(session.now(), before, "before it, not in its midst");
            assert!(session.in_the_past());
            lines(&mut session, &["now"]);
            assert_eq!((session.now(), session.world().journal_hash()), (end, hash.clone()));
        }
        session.rewind(VirtualDuration::from_millis(200)).expect("possible");
        session.rewind(VirtualDuration::from_millis(200)).expect("possible");
        assert!(session.now() < before, "and one gets past it");
        lines(&mut session, &["run 60s", "rewind 70s", "now"]);
        let mut straight = super::tests::session();
        lines(&mut straight, &["run 5s", CREATE, wait, REPLAY]);
        straight.advance(session.now());
        assert_eq!(session.world().journal_hash(), straight.world().journal_hash());
    }

    #[test]
    fn acting_in_the_past_begins_a_branch_and_both_can_be_played_and_compared() {
        let mut session = session();
        lines(&mut session, &[CREATE, "run 2s", REPLAY, "run 30s"]);
        let (end, hash) = (session.now(), session.world().journal_hash());
        lines(
            &mut session,
            &["rewind 25s", "aws kinesis update-shard-count --stream-name dcb-taxi-trips --target-shard-count 12 --scaling-type UNIFORM_SCALING"],
        );
        let said = session.take_notices().concat();
        assert!(said.contains("is kept as 'main'"), "{said}");
        assert!(!session.in_the_past());
        lines(&mut session, &["run 45s"]);
        let other = session.world().journal_hash();
        let views = session.branch_views();
        assert_eq!(views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>(), ["branch-1", "main"]);
        assert!(views[0].lines[0].contains("update-shard-count"), "{:?}", views[0]);
        let text = session.line("compare main").output;
        let refused = text.lines().find(|line| line.starts_with("WriteProvisionedThroughputExceeded")).expect("six shards refuse");
        let numbers: Vec<u64> = refused.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert!(numbers[0] < numbers[1], "twelve shards refuse less: {text}");
        let view = Driver::view(&mut session, &Wants::default());
        assert_eq!(view.compared.as_ref().map(|compared| compared.name.as_str()), Some("main"));
        lines(&mut session, &["branch main"]);
        assert_eq!((session.now(), session.world().journal_hash()), (end, hash.clone()));
        lines(&mut session, &["branch branch-1"]);
        assert_eq!(session.world().journal_hash(), other);
        assert!(session.line("branch nowhere").message.contains("there are: main"));
        // What is written down is the branch being played.
        let saved = crate::session::runlog::SavedRun::parse(&session.log_text()).expect("good");
        let mut again = super::tests::session();
        again.resume(saved.entries);
        again.advance(session.now());
        assert_eq!(again.world().journal_hash(), other);
    }

    #[test]
    fn a_record_is_followed_from_its_shard_to_its_object_and_nothing_depends_on_it() {
        let mut session = session();
        let (region, account) = (session.world().config().region.clone(), session.world().config().account.clone());
        let source = format!("KinesisStreamARN=arn:aws:kinesis:{region}:{account}:stream/s,RoleARN=arn:aws:iam::{account}:role/r");
        let bucket = format!("RoleARN=arn:aws:iam::{account}:role/r,BucketARN=arn:aws:s3:::lake,BufferingHints={{SizeInMBs=1,IntervalInSeconds=60}}");
        lines(
            &mut session,
            &[
                "aws s3 mb s3://lake",
                "aws kinesis create-stream --stream-name s --shard-count 1",
                "run 2s",
                &format!(
                    "aws firehose create-delivery-stream --delivery-stream-name d --delivery-stream-type KinesisStreamAsSource \
                     --kinesis-stream-source-configuration {source} --extended-s3-destination-configuration {bucket}"
                ),
                "run 40s",
                "aws kinesis put-record --stream-name s --partition-key a --data aGVsbG8=",
                "run 10s",
                "follow s 0",
                "run 100s",
            ],
        );
        let trail = session.view(&Wants::default()).trail.expect("followed");
        let stations: Vec<String> = trail.steps.iter().map(|step| format!("{} {}", step.place, step.text)).collect();
        let wanted = [
            "accepted by shard 0000",
            "read it from its source, 5 bytes",
            "in the buffer, behind 0 others",
            "closed by the interval hint",
            "it lies in s3://lake/",
        ];
        assert_eq!(stations.len(), wanted.len(), "{stations:#?}");
        for (station, wanted) in stations.iter().zip(wanted) {
            assert!(station.contains(wanted), "{stations:#?}");
        }
        assert!(trail.steps.is_sorted_by_key(|step| step.at));
        // It lies where the trail says.
        let key = stations[4].split("s3://lake/").nth(1).expect("a key");
        assert_eq!(session.world().services().s3.object("lake", key).map(|object| object.bytes.to_vec()), Some(b"hello".to_vec()));
        // Going back and forward gives the same stations; the world is what it is without looking.
        let hash = session.world().journal_hash();
        lines(&mut session, &["rewind 90s", "run 90s"]);
        assert_eq!(session.view(&Wants::default()).trail.as_ref(), Some(&trail));
        let mut other = super::tests::session();
        other.resume(crate::session::runlog::SavedRun::parse(&session.log_text()).expect("good").entries);
        other.advance(session.now());
        assert_eq!(other.world().journal_hash(), hash);
        assert!(session.line("follow s 99").message.contains("holds no record"));
        lines(&mut session, &["follow off"]);
        assert!(session.view(&Wants::default()).trail.is_none());
    }

    #[test]
    fn a_reset_keeps_what_was_and_bookmarks_outlive_it() {
        let mut session = session();
        lines(&mut session, &[CREATE, "run 12s"]);
        session.act(Act::Bookmark("here".to_owned()));
        lines(&mut session, &["aws kinesis delete-stream --stream-name dcb-taxi-trips", "run 20s"]);
        let hash = session.world().journal_hash();
        session.act(Act::ToStart);
        session.reset_step().expect("possible");
        assert_eq!(session.branch_views().len(), 2);
        let marks = Driver::view(&mut session, &Wants::default()).lab.marks;
        assert!(marks.iter().any(|mark| mark.glyph == '◆' && mark.label == "here"), "{marks:?}");
        lines(&mut session, &["branch main"]);
        assert_eq!(session.world().journal_hash(), hash);
    }
}
