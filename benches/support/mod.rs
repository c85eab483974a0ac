//! What a bench prints: one table of figures, beside the floor of the same run where there is one, and beside the last run that was kept.
//!
//! Every run is kept as `target/bench/NAME.json`. Figures of two runs can be compared when the machine was the same and as quiet; ratios to a
//! floor always can.
#![allow(dead_code, clippy::print_stdout, reason = "each bench uses a part of it")]

use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// The figures of one bench.
#[derive(Debug)]
pub struct Ledger {
    name: &'static str,
    rows: Map<String, Value>,
    last: Value,
}

fn path(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    target.join("bench").join(format!("{name}.json"))
}

impl Ledger {
    /// An empty table, with the last run of the same bench to compare with.
    pub fn new(name: &'static str) -> Self {
        let last = std::fs::read(path(name)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        println!("{:<40} {:>14} {:<10} {:>14} {:>8} {:>8}", name, "figure", "", "floor", "ratio", "last");
        Self { name, rows: Map::new(), last }
    }

    /// A figure alone.
    pub fn row(&mut self, what: &str, figure: f64, unit: &str) {
        self.with_floor(what, figure, unit, None);
    }

    /// A speed beside that of the least work that could do the same: the ratio says how many times faster the floor is.
    pub fn beside(&mut self, what: &str, figure: f64, unit: &str, floor: f64) {
        self.with_floor(what, figure, unit, Some(floor));
    }

    fn with_floor(&mut self, what: &str, figure: f64, unit: &str, floor: Option<f64>) {
        let digits = if figure < 10.0 { 3 } else { usize::from(figure < 1000.0) };
        let beside = floor.map_or_else(String::new, |floor| format!("{floor:>14.digits$} {:>7.2}x", floor / figure));
        let before = self.last[what]["figure"].as_f64().filter(|before| *before > 0.0);
        let change = before.map_or_else(String::new, |before| format!("{:>+7.1}%", (figure / before - 1.0) * 100.0));
        println!("{what:<40} {figure:>14.digits$} {unit:<10} {beside:>23} {change:>8}");
        self.rows.insert(what.to_owned(), json!({"figure": figure, "unit": unit, "floor": floor}));
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let path = path(self.name);
        // Works that were not asked for keep their last figures.
        let mut all = self.last.as_object().cloned().unwrap_or_default();
        all.extend(std::mem::take(&mut self.rows));
        let kept = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        match kept.and_then(|()| std::fs::write(&path, format!("{:#}\n", Value::Object(all)))) {
            Ok(()) => println!("kept in {}", path.display()),
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
}
