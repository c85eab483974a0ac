//! What can go wrong around the delivery streams: one row a fault, with the line that begins it and the line that ends it.

use crate::session::view::SessionView;

/// How long a fault lasts when it is begun from the menu; none = until it is ended.
pub const HOLDS: [Option<&str>; 5] = [Some("10s"), Some("30s"), Some("2m"), Some("10m"), None];

/// The menu: the chosen fault and how long it will last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultBox {
    /// Chosen row.
    pub selected: usize,
    /// Place in [`HOLDS`].
    pub hold: usize,
}

impl Default for FaultBox {
    fn default() -> Self {
        Self { selected: 0, hold: 1 }
    }
}

/// A fault that can be begun or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRow {
    /// `bucket lake`.
    pub resource: String,
    /// What happens to it.
    pub what: &'static str,
    /// It is on.
    pub on: bool,
    begin: String,
    end: String,
}

impl FaultRow {
    /// The line that Enter runs.
    pub fn line(&self, hold: usize) -> String {
        match (self.on, HOLDS[hold.min(HOLDS.len() - 1)]) {
            (true, _) => self.end.clone(),
            (false, Some(hold)) => format!("{} {hold}", self.begin),
            (false, None) => self.begin.clone(),
        }
    }
}

/// Every fault of the world's buckets, functions and destinations.
pub fn rows(view: &SessionView) -> Vec<FaultRow> {
    let mut rows = Vec::new();
    let mut add = |resource: &str, what, on, begin: String, end: String| {
        rows.push(FaultRow { resource: resource.to_owned(), what, on, begin: format!("fault {begin}"), end: format!("fault end {end}") });
    };
    for bucket in &view.world.buckets {
        let (name, resource) = (&bucket.name, format!("bucket {}", bucket.name));
        for (word, what, shown) in
            [("unavailable", "S3 cannot be reached", "Unavailable"), ("denied", "its policy denies every write", "AccessDenied")]
        {
            add(&resource, what, bucket.fault.as_deref() == Some(shown), format!("s3 {name} {word}"), format!("s3 {name}"));
        }
    }
    for function in &view.world.functions {
        let (name, resource) = (&function.name, format!("function {}", function.name));
        let fault = function.fault.as_deref().unwrap_or_default();
        add(&resource, "every call takes 210 ms longer", fault.contains("slower"), format!("slow {name} 210ms"), format!("slow {name}"));
        add(&resource, "every call fails", fault.contains("fails"), format!("fail {name}"), format!("fail {name}"));
    }
    for stream in view.world.deliveries.iter().filter(|stream| !stream.destination.starts_with("s3://")) {
        let (name, resource) = (&stream.name, format!("destination of {}", stream.name));
        for (word, what, shown) in [
            ("unreachable", "it cannot be reached", "Unreachable"),
            ("busy", "it refuses everything for a while", "Busy"),
            ("no-ack", "it never acknowledges", "NoAcknowledgement"),
            ("reject 200", "it refuses every fifth record", "Rejects"),
        ] {
            let on = stream.trouble.as_deref().is_some_and(|trouble| trouble.starts_with(shown));
            add(&resource, what, on, format!("destination {name} {word}"), format!("destination {name}"));
        }
    }
    rows
}
