//! SQL speed beside a hand-written floor of the same run: `cargo bench --bench sql`. Nothing here asserts on time.
//!
//! W1 decodes JSON and counts per source and name in 10 s windows; W2 the same from decoded columns; W3 slides 60 s COUNT and AVG per key;
//! W4 joins two windows; W5 scores a random cut forest of 100 trees and 256 samples.
#![allow(clippy::disallowed_methods, reason = "a bench measures wall time")]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use kinlab::sql::decode::Schema;
use kinlab::sql::parse::column_type;
use kinlab::sql::value::Value;
use kinlab::sql::{Catalog, Program, Running, SourceStream};

const ROUNDS: usize = 3;

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
fn drain(running: &mut Running, row: usize) {
    if row.is_multiple_of(1000) {
        for stream in 0..running.plan().streams.len() {
            black_box(running.drain(stream));
        }
    }
}

fn say(what: &str, speed: f64, floor: Option<f64>) {
    match floor {
        Some(floor) => println!("{what:<34} {speed:>12.0} rows/s   floor {floor:>12.0}   {:>6.2}x", floor / speed),
        None => println!("{what:<34} {speed:>12.0} rows/s"),
    }
}

fn main() {
    let rows = 200_000usize;
    let counts = "CREATE STREAM O (s VARCHAR(64), n VARCHAR(64), c BIGINT); CREATE PUMP P AS INSERT INTO O SELECT STREAM source, name, COUNT(*) FROM S s GROUP BY source, name, STEP(s.ROWTIME BY INTERVAL '10' SECOND);";
    let seven = [
        ("SOURCE", "VARCHAR(64)"),
        ("NAME", "VARCHAR(64)"),
        ("IP", "VARCHAR(64)"),
        ("REGION", "VARCHAR(16)"),
        ("USER_NAME", "VARCHAR(64)"),
        ("T", "TIMESTAMP"),
        ("N", "INTEGER"),
    ];
    let records: Vec<Vec<u8>> = (0..1000)
        .map(|i| {
            format!(
                r#"{{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","source":"aws.svc{}","account":"123456789012","time":"2024-01-01T00:00:{:02}Z","region":"us-east-1","detail":{{"eventName":"Call{}","sourceIPAddress":"10.0.0.{}","userName":"user{}","n":{i}}}}}"#,
                i % 18, i % 60, i % 40, i % 250, i % 90
            )
            .into_bytes()
        })
        .collect();
    let schema = Schema::from_json(&serde_json::json!({ "record_format": "JSON", "columns": [
        ["SOURCE", "VARCHAR(64)", "$.source"], ["NAME", "VARCHAR(64)", "$.detail.eventName"], ["IP", "VARCHAR(64)", "$.detail.sourceIPAddress"],
        ["REGION", "VARCHAR(16)", "$.region"], ["USER_NAME", "VARCHAR(64)", "$.detail.userName"], ["T", "TIMESTAMP", "$.time"], ["N", "INTEGER", "$.detail.n"] ] }))
    .expect("a schema");
    let w1 = if skipped("W1") {
        0.0
    } else {
        best(rows, || {
            let mut running = program(counts, &catalog(&seven));
            for i in 0..rows {
                for row in schema.rows(&records[i % records.len()]) {
                    running.insert(0, i as i64 / 10, row.expect("good"));
                }
                drain(&mut running, i);
            }
            black_box(running.rows(0));
        })
    };
    say("W1 decode and count", w1, None);
    let decoded: Vec<Vec<Value>> = records.iter().map(|record| schema.rows(record).remove(0).expect("good")).collect();
    let w2 = if skipped("W2") {
        0.0
    } else {
        best(rows, || {
            let mut running = program(counts, &catalog(&seven));
            for i in 0..rows {
                running.insert(0, i as i64 / 10, decoded[i % decoded.len()].iter().cloned());
                drain(&mut running, i);
            }
            black_box(running.rows(0));
        })
    };
    let floor = best(rows, || {
        let mut groups: HashMap<(&str, &str), u64> = HashMap::new();
        for i in 0..rows {
            let row = &decoded[i % decoded.len()];
            let (Value::Text(source), Value::Text(name)) = (&row[0], &row[1]) else { continue };
            *groups.entry((source, name)).or_default() += 1;
        }
        black_box(groups.len());
    });
    say("W2 count of decoded rows", w2, Some(floor));
    let w3 = if skipped("W3") {
        0.0
    } else {
        best(rows, || {
            let mut running = program(
                "CREATE STREAM O (k INTEGER, n BIGINT, a DOUBLE); CREATE PUMP P AS INSERT INTO O SELECT STREAM k, COUNT(*) OVER w, AVG(d) OVER w FROM S WINDOW w AS (PARTITION BY k RANGE INTERVAL '60' SECOND PRECEDING);",
                &catalog(&[("K", "INTEGER"), ("D", "DOUBLE")]),
            );
            for i in 0..rows {
                running.insert(0, i as i64, [Value::Int(i as i64 % 100), Value::Num(i as f64)]);
                drain(&mut running, i);
            }
            black_box(running.rows(0));
        })
    };
    say("W3 sliding 60 s COUNT and AVG", w3, None);
    let w4 = if skipped("W4") {
        0.0
    } else {
        best(rows, || {
            let mut running = program(
                "CREATE STREAM O (k INTEGER, a INTEGER, b INTEGER); CREATE PUMP P AS INSERT INTO O SELECT STREAM a.k, a.v, b.v FROM S OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS a JOIN S OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS b ON a.k = b.k AND a.v = b.v + 1;",
                &catalog(&[("K", "INTEGER"), ("V", "INTEGER")]),
            );
            for i in 0..rows {
                running.insert(0, i as i64, [Value::Int(i as i64 % 500), Value::Int(i as i64 / 500)]);
                drain(&mut running, i);
            }
            black_box(running.rows(0));
        })
    };
    say("W4 windowed join", w4, None);
    let points = 3000;
    let w5 = if skipped("W5") {
        0.0
    } else {
        best(points, || {
            let mut running = program(
                "CREATE STREAM O (d DOUBLE, s DOUBLE); CREATE PUMP P AS INSERT INTO O SELECT STREAM d, ANOMALY_SCORE FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM d FROM S), 100, 256, 100000, 1));",
                &catalog(&[("D", "DOUBLE")]),
            );
            for i in 0..points {
                running.insert(0, i as i64, [Value::Num((i * 7919 % 1000) as f64)]);
                drain(&mut running, i);
            }
            black_box(running.rows(0));
        })
    };
    println!("{:<34} {:>12.1} us a point", "W5 random cut forest", 1e6 / w5);
    let start = Instant::now();
    black_box(program(counts, &catalog(&seven)));
    println!("{:<34} {:>12.2} ms", "a program starts in", start.elapsed().as_secs_f64() * 1e3);
}
