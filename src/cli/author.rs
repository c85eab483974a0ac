//! Commands for authors of labs: `new`, `gen`, `snap`, `keys`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use crate::engine::generate::Generator;
use crate::engine::generate::duration::Dur;
use crate::engine::time::{VirtualDuration, VirtualTime, parse_iso};
use crate::export::frame::{FrameOptions, render_text};
use crate::lab::{Lab, are_initials, embedded};
use crate::session::Session;
use crate::session::driver::Driver;
use crate::tui::action::ACTIONS;
use crate::tui::keymap::Keymap;

use super::frame::screen_of;
use super::sources::{complain, load};
use super::{NOT_MET, OK, Pace, wrong};

/// Records that `gen --stats` looks at.
const STATS_RECORDS: u64 = 20_000;

/// `kinlab new NAME --from LAB`: a working lab to change.
pub(super) fn new(name: &str, from: &str) -> std::io::Result<u8> {
    let id_like = !name.is_empty() && name.split('-').all(are_initials_or_longer);
    if !id_like {
        return wrong(format!("'{name}' is no lab id: small letters, digits and hyphens, such as coffee-machines"));
    }
    let Some((id, lab)) = embedded::find(from) else {
        return wrong(format!("no lab is named '{from}'; there are {}", embedded::ids().collect::<Vec<_>>().join(", ")));
    };
    let folder = Path::new(name);
    if folder.exists() {
        return wrong(format!("{name} exists already; nothing was written"));
    }
    for (file, bytes) in lab.files() {
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let text = String::from_utf8_lossy(bytes);
        let own = if file == "scenario.toml" { text.replace(&format!("\"{id}\""), &format!("\"{name}\"")) } else { text.into_owned() };
        std::fs::write(path, own)?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name} is a copy of {id}.\n\n    kinlab lint ./{name}\n    kinlab run ./{name}\n    kinlab check ./{name}")?;
    Ok(OK)
}

fn are_initials_or_longer(part: &str) -> bool {
    part.len() <= 40 && part.as_bytes().chunks(12).all(|chunk| std::str::from_utf8(chunk).is_ok_and(are_initials))
}

/// `kinlab gen LAB GENERATOR`: sample records, or what they are like.
pub(super) fn generate(name: &str, generator: Option<&str>, count: u64, stats: bool, pace: &Pace) -> std::io::Result<u8> {
    let lab = match load(name) {
        Ok(lab) => lab,
        Err(errors) => return Ok(complain(&errors)),
    };
    let known: Vec<&str> = lab.scenario.generator.keys().map(String::as_str).collect();
    let Some(chosen) = generator.or_else(|| known.first().copied()).filter(|name| known.contains(name)) else {
        return wrong(format!("{name} has no generator '{}'; there are: {}", generator.unwrap_or_default(), known.join(", ")));
    };
    let seed = pace.seed.unwrap_or(lab.scenario.clock.seed);
    let made = match Generator::compile(chosen, &lab.scenario.generator[chosen], seed, &|file: &str| lab.file(file)) {
        Ok(made) => made,
        Err(error) => return wrong(format!("generator.{chosen}: {error}")),
    };
    let origin = made.event_origin().or_else(|| parse_iso(&lab.scenario.clock.epoch)).unwrap_or_default();
    let at = |index: u64| VirtualTime(origin.0 + index * 1_000_000);
    let mut out = std::io::stdout().lock();
    let (mut data, mut key) = (Vec::new(), String::new());
    if !stats {
        for index in 0..count {
            data.clear();
            made.write(index, at(index), &mut data);
            out.write_all(&data)?;
            writeln!(out)?;
        }
        return Ok(OK);
    }
    let (mut sizes, mut keys) = (Vec::new(), BTreeMap::<String, u64>::new());
    for index in 0..STATS_RECORDS {
        data.clear();
        key.clear();
        made.write(index, at(index), &mut data);
        made.partition_key(index, &data, &mut key);
        sizes.push(data.len());
        *keys.entry(key.clone()).or_default() += 1;
    }
    sizes.sort_unstable();
    let mean = sizes.iter().sum::<usize>() as f64 / sizes.len().max(1) as f64;
    let share = |count: u64| count as f64 * 100.0 / STATS_RECORDS as f64;
    writeln!(out, "{STATS_RECORDS} records of {chosen}, seed {seed}")?;
    writeln!(out, "size in bytes: mean {mean:.1}, least {}, median {}, most {}", sizes[0], sizes[sizes.len() / 2], sizes[sizes.len() - 1])?;
    writeln!(out, "partition keys: {} different", keys.len())?;
    let mut often: Vec<(&String, &u64)> = keys.iter().collect();
    often.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (key, count) in often.into_iter().take(5) {
        writeln!(out, "    {:6.2} %  {key}", share(*count))?;
    }
    Ok(OK)
}

/// Plays the lab's solution and takes its snapshots: (name, text).
fn frames(lab: &std::sync::Arc<Lab>, pace: &Pace) -> Result<Vec<(String, String)>, String> {
    let mut wanted: Vec<(Dur, usize)> = lab.scenario.snapshot.iter().enumerate().map(|(index, snapshot)| (snapshot.at, index)).collect();
    wanted.sort_by_key(|(at, index)| (at.0, *index));
    let mut session = Session::new(lab.clone(), pace.seed)?;
    let (mut taken, mut next) = (Vec::new(), 0);
    let mut take_until = |session: &mut Session, until: VirtualTime, next: &mut usize| -> Result<(), String> {
        while let Some((at, index)) = wanted.get(*next).copied().filter(|(at, _)| session.epoch() + at.0 <= until) {
            session.advance(session.epoch() + at.0);
            let spec = &lab.scenario.snapshot[index];
            for view in &spec.view {
                let [width, height] = spec.size;
                let options = FrameOptions::new(screen_of(view)?, width, height);
                let seen = Driver::view(session, &options.wants());
                taken.push((format!("{}-{view}-{width}x{height}.txt", spec.id), render_text(&seen, &options)));
            }
            *next += 1;
        }
        Ok(())
    };
    for line in lab.steps.iter().flat_map(|step| &step.spec.solution) {
        let by = line.strip_prefix("run ").and_then(|text| text.parse::<Dur>().ok()).map_or(VirtualDuration::ZERO, |by| by.0);
        let until = session.now() + by;
        take_until(&mut session, until, &mut next)?;
        if by == VirtualDuration::ZERO {
            let outcome = session.line(line);
            if outcome.failed {
                return Err(format!("'{line}': {}", outcome.message));
            }
        } else {
            session.advance(until);
        }
    }
    let end = session.ends().max(session.now());
    take_until(&mut session, end, &mut next)?;
    Ok(taken)
}

/// `kinlab snap FOLDER`: the lab's snapshots beside those of last time.
pub(super) fn snap(name: &str, accept: bool, pace: &Pace) -> std::io::Result<u8> {
    let folder = Path::new(name);
    if !folder.is_dir() {
        return wrong(format!("{name} is no folder; snapshots live beside a lab's files: kinlab snap labs/lab1-ingest"));
    }
    let lab = match load(&format!("{}/", name.trim_end_matches('/'))) {
        Ok(lab) => lab,
        Err(errors) => return Ok(complain(&errors)),
    };
    let taken = match frames(&lab, pace) {
        Ok(taken) => taken,
        Err(error) => return wrong(error),
    };
    let kept = folder.join("snapshots");
    let mut out = std::io::stdout().lock();
    let mut code = OK;
    for (file, text) in &taken {
        let path = kept.join(file);
        match std::fs::read_to_string(&path) {
            Ok(old) if old == *text => writeln!(out, "ok      {file}")?,
            found if accept => {
                std::fs::create_dir_all(&kept)?;
                std::fs::write(&path, text)?;
                writeln!(out, "{} {file}", if found.is_ok() { "changed" } else { "new    " })?;
            }
            Ok(old) => {
                code = NOT_MET;
                writeln!(out, "DIFFERS {file}")?;
                for (number, (before, after)) in old.lines().zip(text.lines()).enumerate().filter(|(_, (before, after))| before != after) {
                    writeln!(out, "  {:3} - {before}\n      + {after}", number + 1)?;
                }
            }
            Err(_) => {
                code = NOT_MET;
                writeln!(out, "NEW     {file}\n{text}")?;
            }
        }
    }
    if code != OK {
        writeln!(out, "read what differs, then: kinlab snap {name} --accept")?;
    }
    Ok(code)
}

/// `kinlab keys`: every action with its keys.
pub(super) fn keys(markdown: bool) -> std::io::Result<u8> {
    let keymap = Keymap::default();
    let mut out = std::io::stdout().lock();
    if markdown {
        writeln!(out, "| Keys | Action | What it does |\n| --- | --- | --- |")?;
    }
    for action in ACTIONS {
        let keys: Vec<String> = keymap.keys(action.id).iter().map(ToString::to_string).collect();
        let keys = if keys.is_empty() { "-".to_owned() } else { keys.join(" ") };
        if markdown {
            writeln!(out, "| `{}` | {} | {} |", keys.replace('|', "\\|"), action.title, action.doc)?;
        } else {
            writeln!(out, "{keys:14} {}: {}", action.title, action.doc)?;
        }
    }
    Ok(OK)
}
