//! The labs that come with the program.

use std::sync::Arc;

use super::load::Files;

macro_rules! lab_files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../labs/", $folder, "/", $name)) as &[u8]),)+]
    };
}

/// Name and bytes of each file of a lab.
type Embedded = &'static [(&'static str, &'static [u8])];

const LABS: &[(&str, Embedded)] = &[
    (
        "lab0-boarding",
        lab_files!("lab0-boarding":
            "scenario.toml",
            "steps/01-initials.md",
            "steps/02-time.md",
            "steps/03-commands.md",
            "steps/04-value.md",
        ),
    ),
    (
        "lab1-ingest",
        lab_files!("lab1-ingest":
            "scenario.toml",
            "steps/01-create.md",
            "steps/02-produce.md",
            "steps/03-read.md",
            "steps/04-lag.md",
            "steps/05-scale.md",
            "steps/06-break.md",
            "data/nyc-2010-hourly.csv",
            "data/nyc-boxes.csv",
        ),
    ),
    (
        "lab2-transform",
        lab_files!("lab2-transform":
            "scenario.toml",
            "steps/01-build.md",
            "steps/02-filter.md",
            "steps/03-mapping.md",
            "steps/04-buffer.md",
            "steps/05-columnar.md",
            "steps/06-throttle.md",
            "steps/07-behind.md",
            "steps/08-bad.md",
            "steps/09-bomb.md",
            "steps/10-break.md",
            "lab2.json",
            "fn/clean.rule",
            "fn/index.js",
            "data/nyc-2010-hourly.csv",
            "data/nyc-boxes.csv",
        ),
    ),
    (
        "lab3-analytics",
        lab_files!("lab3-analytics":
            "scenario.toml",
            "steps/01-app.md",
            "steps/02-discover.md",
            "steps/03-edit-schema.md",
            "steps/04-clean.md",
            "steps/05-aggregate.md",
            "steps/06-anomaly.md",
            "steps/07-enrich.md",
            "steps/08-destination.md",
            "steps/09-fix-the-deck.md",
            "steps/10-break.md",
            "sql/01-clean.sql",
            "sql/02-stats.sql",
            "sql/03-anomaly.sql",
            "sql/04-enrich.sql",
            "sql/05-calls-per-ip-repaired.sql",
            "sql/05-calls-per-ip.sql",
            "sql/one-second.sql",
            "sql/quoted-target.sql",
            "data/nyc-2010-hourly.csv",
            "data/nyc-boxes.csv",
            "data/vendors-with-dds.csv",
            "data/vendors.csv",
        ),
    ),
];

/// Ids of the labs.
pub fn ids() -> impl Iterator<Item = &'static str> {
    LABS.iter().map(|(id, _)| *id)
}

/// The lab with an id or an unambiguous beginning of one.
pub fn find(prefix: &str) -> Option<(&'static str, EmbeddedLab)> {
    let mut fitting = LABS.iter().filter(|(id, _)| id.starts_with(prefix));
    let (id, files) = fitting.next()?;
    if fitting.next().is_some() && *id != prefix {
        return None;
    }
    Some((id, EmbeddedLab(files)))
}

/// Files of an embedded lab.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedLab(Embedded);

impl EmbeddedLab {
    /// Name and bytes of each file.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &'static [u8])> {
        self.0.iter().copied()
    }
}

impl Files for EmbeddedLab {
    fn read(&self, name: &str) -> Option<Arc<[u8]>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, bytes)| (*bytes).into())
    }
}
