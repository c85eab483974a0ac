//! The SQL dialect against the shared cases. They are skipped, with a message, where the folder is absent.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use kinlab::sql::cases::{self, Status};
use kinlab::sql::types::SqlType;
use kinlab::sql::value::Value;
use kinlab::sql::{Catalog, Program, Running, SourceStream};
use proptest::prelude::*;

fn shared(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/sql").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {name} is not here");
        return;
    };
    let results = cases::run(&text).expect("a case file");
    let failed: Vec<String> = results
        .iter()
        .filter(|result| result.status == Status::Fail)
        .map(|result| format!("{}: {}\n  expected {}\n  got      {}", result.id, result.message, result.expected, result.got))
        .collect();
    let disputed = results.iter().filter(|result| result.status == Status::Disputed).map(|result| result.id.as_str()).collect::<Vec<_>>();
    eprintln!("{} of {} cases pass; read otherwise where disputed: {disputed:?}", results.len() - failed.len() - disputed.len(), results.len());
    assert!(failed.is_empty(), "{} cases fail:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn shared_functions() {
    shared("functions.jsonl");
}

#[test]
fn shared_streams() {
    shared("streams.json");
}

/// Our own cases: what people wrote, spelled as they spelled it.
#[test]
fn own_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder exists").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("UTF-8");
        let results = cases::run(&text).expect("a case file");
        count += results.len();
        for result in results {
            assert_eq!(result.status, Status::Pass, "{}: {}\n  got {}", result.id, result.message, result.got);
        }
    }
    assert!(count > 20, "only {count} cases were found");
}

/// Words of other dialects are refused with what to write here.
#[test]
fn functions_of_other_dialects_name_their_like() {
    let columns = vec![("a".to_owned(), SqlType::Varchar(8), false)];
    let catalog = Catalog { sources: vec![SourceStream { name: "SOURCE_SQL_STREAM_001".to_owned(), columns }], tables: Vec::new() };
    let refused = |select: &str| {
        let code = format!("CREATE STREAM S (x VARCHAR(64)); CREATE PUMP P AS INSERT INTO S SELECT STREAM {select} FROM SOURCE_SQL_STREAM_001;");
        Program::compile(&code, &catalog).expect_err("refused").iter().map(|finding| finding.message.clone()).collect::<Vec<_>>().join("; ")
    };
    for (select, instead) in [
        ("CONCAT(\"a\", 'x')", "a || b"),
        ("SUBSTR(\"a\", 1)", "SUBSTRING"),
        ("LENGTH(\"a\")", "CHAR_LENGTH"),
        ("NOW()", "CURRENT_ROW_TIMESTAMP"),
        ("\"a\" FROM SOURCE_SQL_STREAM_001 LIMIT 5; CREATE PUMP Q AS INSERT INTO S SELECT STREAM \"a\"", "a stream has no end"),
    ] {
        let message = refused(select);
        assert!(message.contains(instead), "{select}: {message}");
    }
    let own = "CREATE FUNCTION length(s VARCHAR(8)) RETURNS INTEGER CONTAINS SQL RETURN CHAR_LENGTH(s); CREATE STREAM S (n INTEGER); \
               CREATE PUMP P AS INSERT INTO S SELECT STREAM length(\"a\") FROM SOURCE_SQL_STREAM_001;";
    Program::compile(own, &catalog).expect("a function of one's own comes first");
}

/// The deck's program is refused with everything that is wrong with it, and its fixes lead on.
#[test]
fn diagnostics_name_place_and_fix() {
    let columns = [("source", "VARCHAR(256)"), ("sourceIPAddress", "VARCHAR(64)"), ("eventTimestamp", "TIMESTAMP")];
    let columns = columns.iter().map(|(name, ty)| ((*name).to_owned(), kinlab::sql::parse::column_type(ty).expect("a type").0, false)).collect();
    let catalog = Catalog { sources: vec![SourceStream { name: "SOURCE_SQL_STREAM_001".to_owned(), columns }], tables: Vec::new() };
    let text = "CREATE STREAM calls (t TIMESTAMP, n BIGINT);\nCREATE PUMP p AS INSERT INTO calls\nSELECT STREAM COUNT(*)\nFROM source_sql_stream_001 ctrail\nGROUP BY STEP(ctraill.ROWTIME BY INTERVAL '1' MINUTE), STEP(ctraill.\"eventTimestamp\" BY INTERVAL '1' MINUTE);";
    let errors = Program::compile(text, &catalog).expect_err("refused");
    assert_eq!(errors.iter().map(|error| error.place(text).0).collect::<Vec<_>>(), [2, 5, 5]);
    let mut repaired = text.to_owned();
    for error in errors.iter().rev() {
        if let Some(fix) = &error.fix {
            repaired.replace_range(fix.span.start..fix.span.end, &fix.text);
        }
    }
    assert!(!repaired.contains("ctraill"));
    let repaired = repaired.replace("SELECT STREAM COUNT(*)", "SELECT STREAM STEP(ctrail.\"eventTimestamp\" BY INTERVAL '1' MINUTE), COUNT(*)");
    assert!(Program::compile(&repaired, &catalog).is_ok());
    let near = Program::compile(
        "CREATE STREAM o (a INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM sourceipaddress FROM source_sql_stream_001;",
        &catalog,
    )
    .expect_err("refused");
    assert_eq!(near[0].fix.as_ref().map(|fix| fix.text.as_str()), Some("\"sourceIPAddress\""), "{near:?}");
}

/// The deck's sliding and maximum window runs unchanged.
#[test]
fn the_decks_first_program_runs() {
    let text = "CREATE STREAM sliding_window (device_parameter VARCHAR(16), sum_device_value INTEGER, record_count_in_window INTEGER);\nCREATE PUMP sliding_pump AS INSERT INTO sliding_window\nSELECT STREAM device_parameter, max(device_value) OVER W1, count(*) OVER W1 as record_count_in_window\nFROM source_sql_stream_001\nWINDOW W1 AS (PARTITION BY device_parameter RANGE INTERVAL '1' MINUTE PRECEDING);\nCREATE STREAM max_window (device_parameter VARCHAR(16), max_count INTEGER);\nCREATE PUMP max_pump AS INSERT INTO max_window\nSELECT STREAM device_parameter, max(record_count_in_window) as max_count\nFROM sliding_window\nGROUP BY device_parameter, STEP(sliding_window.rowtime BY INTERVAL '5' SECOND);";
    let columns = vec![("DEVICE_PARAMETER".to_owned(), SqlType::Varchar(16), false), ("DEVICE_VALUE".to_owned(), SqlType::Integer, false)];
    let catalog = Catalog { sources: vec![SourceStream { name: "SOURCE_SQL_STREAM_001".to_owned(), columns }], tables: Vec::new() };
    let program = Program::compile(text, &catalog).expect("it compiles");
    let mut running = Running::new(program.plan.clone(), 0, 1);
    for (at, value) in [(1000, 10), (2000, 150), (7000, 30)] {
        running.insert(0, at, [Value::text("WARN"), Value::Int(value)]);
    }
    running.advance_to(20_000);
    let stream = program.plan.stream("MAX_WINDOW").expect("declared");
    let rows: Vec<(i64, String)> = running.drain(stream).iter().map(|row| (row.time, row.cells[1].to_text(&SqlType::Integer))).collect();
    assert_eq!(rows, [(5000, "2".to_owned()), (10_000, "3".to_owned())]);
    assert_eq!(running.error_count(), 0);
}

fn catalog() -> Catalog {
    let columns = [("K", "VARCHAR(4)"), ("V", "INTEGER"), ("D", "DOUBLE"), ("T", "TIMESTAMP")];
    let columns = columns.iter().map(|(name, ty)| ((*name).to_owned(), kinlab::sql::parse::column_type(ty).expect("a type").0, false)).collect();
    Catalog { sources: vec![SourceStream { name: "SOURCE_SQL_STREAM_001".to_owned(), columns }], tables: Vec::new() }
}

const PROGRAMS: [&str; 5] = [
    "CREATE OR REPLACE STREAM O (k VARCHAR(4), n INTEGER, s BIGINT, a DOUBLE); CREATE OR REPLACE PUMP P AS INSERT INTO O SELECT STREAM k, COUNT(*), SUM(v), AVG(d) FROM SOURCE_SQL_STREAM_001 s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '7' SECOND);",
    "CREATE OR REPLACE STREAM O (k VARCHAR(4), n BIGINT, m INTEGER, l INTEGER, d DOUBLE); CREATE OR REPLACE PUMP P AS INSERT INTO O SELECT STREAM k, COUNT(*) OVER w, MIN(v) OVER w, LAG(v, 2) OVER w, SUM(d) OVER w FROM SOURCE_SQL_STREAM_001 WINDOW w AS (PARTITION BY k RANGE INTERVAL '5' SECOND PRECEDING);",
    "CREATE OR REPLACE STREAM O (k VARCHAR(4), a INTEGER, b INTEGER); CREATE OR REPLACE PUMP P AS INSERT INTO O SELECT STREAM a.k, a.v, b.v FROM SOURCE_SQL_STREAM_001 OVER (RANGE INTERVAL '3' SECOND PRECEDING) AS a LEFT JOIN SOURCE_SQL_STREAM_001 OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS b ON a.k = b.k AND a.v < b.v;",
    "CREATE OR REPLACE STREAM O (k VARCHAR(4), n INTEGER); CREATE OR REPLACE PUMP P AS INSERT INTO O SELECT STREAM k, COUNT(*) FROM SOURCE_SQL_STREAM_001 WHERE v > 0 WINDOWED BY STAGGER (PARTITION BY k RANGE INTERVAL '4' SECOND); CREATE OR REPLACE PUMP Q AS INSERT INTO O SELECT STREAM k, v FROM SOURCE_SQL_STREAM_001 WHERE v / (v - 3) > 1;",
    "CREATE OR REPLACE STREAM O (k VARCHAR(1024), n BIGINT); CREATE OR REPLACE PUMP P AS INSERT INTO O SELECT STREAM * FROM TABLE(TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM k FROM SOURCE_SQL_STREAM_001), 'K', 2, 3)); CREATE OR REPLACE PUMP Q AS INSERT INTO O SELECT STREAM DISTINCT k, FLOOR(UNIX_TIMESTAMP(s.ROWTIME) / 4000) FROM SOURCE_SQL_STREAM_001 s;",
];

type Input = (i64, Option<u8>, Option<i32>, i32);

fn play(program: &Program, rows: &[Input], clock: &dyn Fn(usize) -> bool) -> (Vec<String>, u64) {
    let mut running = Running::new(program.plan.clone(), 0, 1);
    let mut at = 0;
    for (index, (gap, key, value, number)) in rows.iter().enumerate() {
        at += gap;
        if clock(index) && at > 1 {
            running.advance_to(at - 1);
        }
        let key = key.map_or(Value::Null, |key| Value::text(format!("k{}", key % 3)));
        running.insert(0, at, [key, value.map_or(Value::Null, |v| Value::Int(i64::from(v))), Value::Num(f64::from(*number) / 8.0), Value::Ms(at)]);
    }
    running.advance_to(at + 100_000);
    let stream = program.plan.stream("O").expect("declared");
    let shown = running.drain(stream).into_iter().map(|row| format!("{} {:?}", row.time, row.cells)).collect();
    (shown, running.error_count())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// How the clock moves between rows never changes a result.
    #[test]
    fn batches_never_change_a_result(rows in proptest::collection::vec((0i64..3000, proptest::option::weighted(0.9, any::<u8>()), proptest::option::weighted(0.9, -5i32..10), -50i32..50), 0..80), every in 1usize..5) {
        for text in PROGRAMS {
            let program = Program::compile(text, &catalog()).map_err(|errors| TestCaseError::fail(format!("{errors:?}")))?;
            let never = play(&program, &rows, &|_| false);
            prop_assert_eq!(&never, &play(&program, &rows, &|_| true), "{}", text);
            prop_assert_eq!(&never, &play(&program, &rows, &|index| index % every == 0), "{}", text);
        }
    }

    /// Tumbling counts and sums against the plainest evaluator: all rows, one window after the other.
    #[test]
    fn tumbling_groups_agree_with_a_slow_evaluator(rows in proptest::collection::vec((0i64..3000, proptest::option::weighted(0.9, any::<u8>()), proptest::option::weighted(0.9, -5i32..10), -50i32..50), 0..80)) {
        let program = Program::compile(PROGRAMS[0], &catalog()).map_err(|errors| TestCaseError::fail(format!("{errors:?}")))?;
        let (shown, _) = play(&program, &rows, &|_| false);
        let mut slow: Vec<String> = Vec::new();
        let mut at = 0;
        let timed: Vec<(i64, &Input)> = rows.iter().map(|row| { at += row.0; (at, row) }).collect();
        for window in 0..=at / 7000 {
            let inside: Vec<_> = timed.iter().filter(|(at, _)| at / 7000 == window).collect();
            let mut keys: Vec<Option<u8>> = Vec::new();
            for (_, row) in &inside {
                let key = row.1.map(|key| key % 3);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            for key in keys {
                let of_key: Vec<_> = inside.iter().filter(|(_, row)| row.1.map(|key| key % 3) == key).collect();
                let values: Vec<i64> = of_key.iter().filter_map(|(_, row)| row.2.map(i64::from)).collect();
                let end = (window + 1) * 7000;
                let mean = of_key.iter().map(|(_, row)| f64::from(row.3) / 8.0).sum::<f64>() / of_key.len() as f64;
                let cells = [
                    key.map_or(Value::Null, |key| Value::text(format!("k{key}"))),
                    Value::Int(of_key.len() as i64),
                    if values.is_empty() { Value::Null } else { Value::Int(values.iter().sum()) },
                    Value::Num(mean),
                    Value::Ms(end),
                ];
                slow.push(format!("{end} {cells:?}"));
            }
        }
        prop_assert_eq!(shown, slow);
    }

    /// Any bytes as SQL, and programs with pieces cut out, doubled or exchanged: an answer, never a panic.
    #[test]
    fn any_text_is_answered(junk in "\\PC{0,60}", which in 0usize..5, cut in any::<u16>(), length in 0usize..30) {
        let _ = Program::compile(&junk, &catalog());
        let text = PROGRAMS[which];
        let at = usize::from(cut) % text.len();
        let end = (at + length).min(text.len());
        let _ = Program::compile(&[&text[..at], &text[end..]].concat(), &catalog());
        let _ = Program::compile(&[&text[..end], &text[at..]].concat(), &catalog());
        let _ = Program::compile(&[&text[..at], &junk, &text[end..]].concat(), &catalog());
        if let Ok(typed) = kinlab::sql::program::expression(&junk) {
            drop(typed);
        }
    }

    /// Any bytes as records.
    #[test]
    fn any_record_is_decoded_or_reported(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}:,\"a-c0-9.\\-ntf ]{0,80}") {
        for format in ["JSON", "CSV"] {
            let schema = serde_json::json!({ "record_format": format, "columns": [["a", "INTEGER", "$.a"], ["b", "VARCHAR(3)", "$.b[0:].c"], ["t", "TIMESTAMP", "$.t"]] });
            let schema = kinlab::sql::decode::Schema::from_json(&schema).expect("a good schema");
            schema.rows(&bytes);
            schema.rows(text.as_bytes());
        }
        let _ = kinlab::sql::discover::discover(&[bytes, text.into_bytes()]);
    }
}
