//! SQL speed beside a hand-written floor of the same run: `cargo bench --bench sql`. Nothing here asserts on time.
//!
//! W1 decodes JSON and counts per source and name in 10 s windows; W2 the same from decoded columns, and row by row; W3 slides 60 s COUNT and AVG
//! per key; W4 joins two windows; W5 scores a random cut forest of 100 trees and 256 samples; W6 is the memory of a million keys.
#![allow(clippy::disallowed_methods, reason = "a bench measures wall time")]

mod support;

use std::collections::{HashMap, VecDeque};
use std::hint::black_box;
use std::time::Instant;

use foldhash::fast::FixedState;
use kinlab::sql::column::Column;
use kinlab::sql::decode::Schema;
use kinlab::sql::decoder::Decoder;
use kinlab::sql::parse::column_type;
use kinlab::sql::value::Value;
use kinlab::sql::{Batch, Catalog, Program, Running, SourceStream};

use support::Ledger;

const ROUNDS: usize = 5;
/// Rows of a batch.
const BATCH: usize = 1000;

/// `cargo bench --bench sql -- W3` runs one of them.
fn skipped(name: &str) -> bool {
    let mut asked = std::env::args().skip(1).filter(|argument| argument.starts_with('W')).peekable();
    asked.peek().is_some() && asked.all(|argument| argument != name)
}

fn best(rows: usize, mut run: impl FnMut()) -> f64 {
    (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            run();
            rows as f64 / started.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

fn catalog(columns: &[(&str, &str)]) -> Catalog {
    let columns = columns.iter().map(|(name, ty)| ((*name).to_owned(), column_type(ty).expect("a type").0, false)).collect();
    Catalog { sources: vec![SourceStream { name: "S".to_owned(), columns }], tables: Vec::new() }
}

fn program(text: &str, catalog: &Catalog) -> Running {
    let program = Program::compile(text, catalog).expect("it compiles");
    Running::new(program.plan, 0, 1)
}

/// Rows are taken away as they come, as every caller of the library does.
fn drain(running: &mut Running) {
    for stream in 0..running.plan().streams.len() {
        black_box(running.drain_batches(stream));
    }
}

fn drain_rows(running: &mut Running) {
    for stream in 0..running.plan().streams.len() {
        black_box(running.drain(stream));
    }
}

/// Batches of rows that come one a tenth of a millisecond, or one a millisecond.
fn batches(rows: usize, every: fn(usize) -> i64, column: impl Fn(std::ops::Range<usize>) -> Vec<Column>) -> Vec<Batch> {
    (0..rows / BATCH)
        .map(|batch| {
            let range = batch * BATCH..(batch + 1) * BATCH;
            Batch::new(range.clone().map(every).collect(), column(range)).expect("columns of one length")
        })
        .collect()
}

const COUNTS: &str = "CREATE STREAM O (s VARCHAR(64), n VARCHAR(64), c BIGINT); CREATE PUMP P AS INSERT INTO O SELECT STREAM source, name, COUNT(*) FROM S s GROUP BY source, name, STEP(s.ROWTIME BY INTERVAL '10' SECOND);";
const SEVEN: [(&str, &str); 7] = [
    ("SOURCE", "VARCHAR(64)"),
    ("NAME", "VARCHAR(64)"),
    ("IP", "VARCHAR(64)"),
    ("REGION", "VARCHAR(16)"),
    ("USER_NAME", "VARCHAR(64)"),
    ("T", "TIMESTAMP"),
    ("N", "INTEGER"),
];

fn records() -> Vec<Vec<u8>> {
    (0..1000)
        .map(|i| {
            format!(
                r#"{{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","source":"aws.svc{}","account":"123456789012","time":"2024-01-01T00:00:{:02}Z","region":"us-east-1","detail":{{"eventName":"Call{}","sourceIPAddress":"10.0.0.{}","userName":"user{}","n":{i}}}}}"#,
                i % 18, i % 60, i % 40, i % 250, i % 90
            )
            .into_bytes()
        })
        .collect()
}

fn schema() -> Schema {
    Schema::from_json(&serde_json::json!({ "record_format": "JSON", "columns": [
        ["SOURCE", "VARCHAR(64)", "$.source"], ["NAME", "VARCHAR(64)", "$.detail.eventName"], ["IP", "VARCHAR(64)", "$.detail.sourceIPAddress"],
        ["REGION", "VARCHAR(16)", "$.region"], ["USER_NAME", "VARCHAR(64)", "$.detail.userName"], ["T", "TIMESTAMP", "$.time"], ["N", "INTEGER", "$.detail.n"] ] }))
    .expect("a schema")
}

/// Counts per pair of texts in windows of 10 s, with a map that is emptied at their ends.
struct Counts<'t> {
    groups: HashMap<(&'t str, &'t str), u64, FixedState>,
    window: i64,
    closed: usize,
}

impl<'t> Counts<'t> {
    fn new() -> Self {
        Self { groups: HashMap::default(), window: 0, closed: 0 }
    }

    fn add(&mut self, at: i64, source: &'t str, name: &'t str) {
        if at >= self.window + 10_000 {
            self.window = at / 10_000 * 10_000;
            self.closed += self.groups.drain().count();
        }
        *self.groups.entry((source, name)).or_default() += 1;
    }
}

fn w1(ledger: &mut Ledger, rows: usize) {
    let (records, schema) = (records(), schema());
    let speed = best(rows, || {
        let mut running = program(COUNTS, &catalog(&SEVEN));
        let mut decoder = Decoder::new(&schema, 0);
        for i in 0..rows {
            decoder.push(i as i64 / 10, &records[i % records.len()], &[]).expect("good");
            if decoder.len() == BATCH {
                running.insert_batch(0, &decoder.take());
                drain(&mut running);
            }
        }
        black_box(running.rows(0));
    });
    let floor = best(rows, || {
        // One pass over the quotes of a record whose form is known; nothing is checked.
        let mut counts = Counts::new();
        for i in 0..rows {
            let text = std::str::from_utf8(&records[i % records.len()]).expect("UTF-8");
            let mut marks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'"').map(|(at, _)| at);
            let mut found = [""; 6];
            for (field, quote) in [(0, 10), (1, 4), (2, 2), (3, 4), (4, 2), (5, 2)] {
                let (Some(from), Some(to)) = (marks.nth(quote), marks.next()) else { continue };
                found[field] = &text[from + 1..to];
            }
            counts.add(i as i64 / 10, found[0], found[3]);
            black_box(found);
        }
        black_box(counts.closed);
    });
    ledger.beside("W1 decode and count", speed, "rows/s", floor);
    let one_by_one = best(rows / 10, || {
        let mut running = program(COUNTS, &catalog(&SEVEN));
        for i in 0..rows / 10 {
            for row in schema.rows(&records[i % records.len()]) {
                running.insert(0, i as i64 / 10, row.expect("good"));
            }
            if i.is_multiple_of(BATCH) {
                drain_rows(&mut running);
            }
        }
        black_box(running.rows(0));
    });
    ledger.row("W1 record by record", one_by_one, "rows/s");
}

fn w2(ledger: &mut Ledger, rows: usize) {
    let schema = schema();
    let decoded: Vec<Vec<Value>> = records().iter().map(|record| schema.rows(record).remove(0).expect("good")).collect();
    let columns: Vec<Column> = (0..7).map(|cell| Column::of(decoded.iter().map(|row| row[cell].clone()))).collect();
    let input = batches(rows, |i| i as i64 / 10, |_| columns.clone());
    let speed = best(rows, || {
        let mut running = program(COUNTS, &catalog(&SEVEN));
        for batch in &input {
            running.insert_batch(0, batch);
            drain(&mut running);
        }
        black_box(running.rows(0));
    });
    let floor = best(rows, || {
        let mut counts = Counts::new();
        for i in 0..rows {
            let row = &decoded[i % decoded.len()];
            let (Value::Text(source), Value::Text(name)) = (&row[0], &row[1]) else { continue };
            counts.add(i as i64 / 10, source, name);
        }
        black_box(counts.closed);
    });
    ledger.beside("W2 count of decoded rows", speed, "rows/s", floor);
    let one_by_one = best(rows / 10, || {
        let mut running = program(COUNTS, &catalog(&SEVEN));
        for i in 0..rows / 10 {
            running.insert(0, i as i64 / 10, decoded[i % decoded.len()].iter().cloned());
            if i.is_multiple_of(BATCH) {
                drain_rows(&mut running);
            }
        }
        black_box(running.rows(0));
    });
    ledger.row("W2 row by row", one_by_one, "rows/s");
}

fn w3(ledger: &mut Ledger, rows: usize) {
    let input = batches(
        rows,
        |i| i as i64,
        |range| vec![Column::of(range.clone().map(|i| Value::Int(i as i64 * 7 % 1000))), Column::of(range.map(|i| Value::Num(i as f64)))],
    );
    let mut sliding = |what: &str, calls: &str, columns: &str, floor: Option<f64>| {
        let text = format!(
            "CREATE STREAM O (k INTEGER, {columns}); CREATE PUMP P AS INSERT INTO O SELECT STREAM k, {calls} FROM S WINDOW w AS (PARTITION BY k RANGE INTERVAL '60' SECOND PRECEDING);"
        );
        let speed = best(rows, || {
            let mut running = program(&text, &catalog(&[("K", "INTEGER"), ("D", "DOUBLE")]));
            for batch in &input {
                running.insert_batch(0, batch);
                drain(&mut running);
            }
            black_box(running.rows(0));
        });
        match floor {
            Some(floor) => ledger.beside(what, speed, "rows/s", floor),
            None => ledger.row(what, speed, "rows/s"),
        }
    };
    let floor = best(rows, || {
        // One log for all keys, one cursor that takes out what is too old.
        let mut log: VecDeque<(i64, usize, f64)> = VecDeque::new();
        let mut sums = vec![(0u64, 0.0f64); 1000];
        let mut out: Vec<(i64, u64, f64)> = Vec::with_capacity(BATCH);
        for i in 0..rows {
            let (at, key, value) = (i as i64, i * 7 % 1000, i as f64);
            while log.front().is_some_and(|(old, ..)| old + 60_000 < at) {
                if let Some((_, key, value)) = log.pop_front() {
                    sums[key].0 -= 1;
                    sums[key].1 -= value;
                }
            }
            log.push_back((at, key, value));
            sums[key].0 += 1;
            sums[key].1 += value;
            out.push((key as i64, sums[key].0, sums[key].1 / sums[key].0 as f64));
            if out.len() == BATCH {
                black_box(&out);
                out.clear();
            }
        }
    });
    sliding("W3 sliding 60 s COUNT and AVG", "COUNT(*) OVER w, AVG(d) OVER w", "n BIGINT, a DOUBLE", Some(floor));
    sliding("   with MIN and MAX", "COUNT(*) OVER w, AVG(d) OVER w, MIN(d) OVER w, MAX(d) OVER w", "n BIGINT, a DOUBLE, l DOUBLE, h DOUBLE", None);
    sliding("   STDDEV_SAMP", "COUNT(*) OVER w, STDDEV_SAMP(d) OVER w", "n BIGINT, a DOUBLE", None);
}

fn w4(ledger: &mut Ledger, rows: usize) {
    let input = batches(
        rows,
        |i| i as i64,
        |range| vec![Column::of(range.clone().map(|i| Value::Int(i as i64 % 500))), Column::of(range.map(|i| Value::Int(i as i64 / 500)))],
    );
    let speed = best(rows, || {
        let mut running = program(
            "CREATE STREAM O (k INTEGER, a INTEGER, b INTEGER); CREATE PUMP P AS INSERT INTO O SELECT STREAM a.k, a.v, b.v FROM S OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS a JOIN S OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS b ON a.k = b.k AND a.v = b.v + 1;",
            &catalog(&[("K", "INTEGER"), ("V", "INTEGER")]),
        );
        for batch in &input {
            running.insert_batch(0, batch);
            drain(&mut running);
        }
        black_box(running.rows(0));
    });
    let floor = best(rows, || {
        // A map by key and a queue of each side; a row looks for its partners on the other side, then waits on its own.
        type Side = (HashMap<(i64, i64), VecDeque<i64>, FixedState>, VecDeque<(i64, (i64, i64))>);
        let mut sides: [Side; 2] = Default::default();
        let mut out: Vec<[i64; 3]> = Vec::with_capacity(BATCH);
        for i in 0..rows {
            let (at, k, v) = (i as i64, i as i64 % 500, i as i64 / 500);
            for (map, queue) in &mut sides {
                while queue.front().is_some_and(|(old, _)| old + 1000 < at) {
                    let Some((_, key)) = queue.pop_front() else { break };
                    if let Some(rows) = map.get_mut(&key) {
                        rows.pop_front();
                        if rows.is_empty() {
                            map.remove(&key);
                        }
                    }
                }
            }
            for (own, key) in [(0, (k, v)), (1, (k, v + 1))] {
                for other in sides[1 - own].0.get(&key).into_iter().flatten() {
                    out.push(if own == 0 { [k, v, *other] } else { [k, *other, v] });
                }
                sides[own].0.entry(key).or_default().push_back(v);
                sides[own].1.push_back((at, key));
            }
            if out.len() >= BATCH {
                black_box(&out);
                out.clear();
            }
        }
    });
    ledger.beside("W4 windowed join", speed, "rows/s", floor);
}

fn w5(ledger: &mut Ledger, points: usize) {
    let speed = best(points, || {
        let mut running = program(
            "CREATE STREAM O (d DOUBLE, s DOUBLE); CREATE PUMP P AS INSERT INTO O SELECT STREAM d, ANOMALY_SCORE FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM d FROM S), 100, 256, 100000, 1));",
            &catalog(&[("D", "DOUBLE")]),
        );
        for i in 0..points {
            running.insert(0, i as i64, [Value::Num((i * 7919 % 1000) as f64)]);
        }
        black_box(running.rows(0));
    });
    ledger.row("W5 random cut forest", 1e6 / speed, "us/point");
}

/// Memory of the process in MB, where the system tells it.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb / 1024.0)
}

fn w6(ledger: &mut Ledger, keys: usize) {
    let key = |range: std::ops::Range<usize>| {
        vec![Column::of(range.clone().map(|i| Value::text(format!("device-{i:08}")))), Column::of(range.map(|i| Value::Num(i as f64)))]
    };
    for (what, text) in [
        ("tumbling COUNT, AVG", "SELECT STREAM k, COUNT(*), AVG(d) FROM S s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '1' HOUR)"),
        (
            "sliding COUNT, AVG",
            "SELECT STREAM k, COUNT(*) OVER w, AVG(d) OVER w FROM S WINDOW w AS (PARTITION BY k RANGE INTERVAL '1' HOUR PRECEDING)",
        ),
    ] {
        let before = resident();
        let mut running = program(
            &format!("CREATE STREAM O (k VARCHAR(64), n BIGINT, a DOUBLE); CREATE PUMP P AS INSERT INTO O {text};"),
            &catalog(&[("K", "VARCHAR(64)"), ("D", "DOUBLE")]),
        );
        for batch in 0..keys / BATCH {
            let range = batch * BATCH..(batch + 1) * BATCH;
            running.insert_batch(0, &Batch::new(range.clone().map(|i| i as i64).collect(), key(range)).expect("columns of one length"));
            drain(&mut running);
        }
        if let (Some(before), Some(after)) = (before, resident()) {
            ledger.row(&format!("W6 {keys} keys in an hour, {what}"), after - before, "MB");
        }
        black_box(running.flows());
    }
}

fn main() {
    type Work = (&'static str, fn(&mut Ledger, usize), usize);
    let works: [Work; 6] =
        [("W6", w6, 1_000_000), ("W1", w1, 500_000), ("W2", w2, 2_000_000), ("W3", w3, 1_000_000), ("W4", w4, 500_000), ("W5", w5, 3000)];
    let mut ledger = Ledger::new("sql");
    for (_, work, rows) in works.into_iter().filter(|(name, ..)| !skipped(name)) {
        work(&mut ledger, rows);
    }
    let start = Instant::now();
    black_box(program(COUNTS, &catalog(&SEVEN)));
    ledger.row("a program starts in", start.elapsed().as_secs_f64() * 1e3, "ms");
}
