//! The same rows in any batches: programs put together from pieces, rows at random, divided at random, give row for row and error for error
//! what they give one at a time.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use kinlab::sql::column::Column;
use kinlab::sql::value::Value;
use kinlab::sql::{Batch, Catalog, Program, Running, SourceStream};
use proptest::prelude::*;

/// Queries from a stream K, V, D, T to rows of the same columns; `@` stands for the stream.
const PIECES: [&str; 30] = [
    "SELECT STREAM k, v + 1, d * 2, t FROM @ WHERE v > 0 OR k = 'k1'",
    "SELECT STREAM k, 100 / (v - 3), d / v, t FROM @ WHERE NOT (v = 2)",
    "SELECT STREAM k, v, d, t FROM @ WHERE v <> 0 AND 10 / v > 1",
    "SELECT STREAM k, SUM(v), AVG(d), STEP(s.ROWTIME BY INTERVAL '3' SECOND) FROM @ s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '3' SECOND)",
    "SELECT STREAM k, COUNT(*), SUM(d), MAX(t) FROM @ s GROUP BY k, FLOOR(s.ROWTIME TO SECOND) HAVING 10 / SUM(v) < 4",
    "SELECT STREAM k, SUM(v * 700000000), MIN(d), MIN(t) FROM @ s GROUP BY k, CEIL(s.ROWTIME TO SECOND)",
    "SELECT STREAM MAX(k), COUNT(v), STDDEV_SAMP(d), MAX(s.ROWTIME) FROM @ s GROUP BY STEP(s.ROWTIME BY INTERVAL '2' SECOND), v / (v - 1)",
    "SELECT STREAM k, SUM(DISTINCT v), VAR_POP(d), MIN(t) FROM @ s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '5' SECOND)",
    "SELECT STREAM k, SUM(1 / v), AVG(d), MIN(t) FROM @ s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '4' SECOND)",
    "SELECT STREAM k, COUNT(*) OVER w, AVG(d) OVER w, t FROM @ WINDOW w AS (PARTITION BY k RANGE INTERVAL '3' SECOND PRECEDING)",
    "SELECT STREAM k, SUM(v) OVER w, SUM(d) OVER w, MAX(t) OVER w FROM @ WINDOW w AS (PARTITION BY k RANGE INTERVAL '2' SECOND PRECEDING)",
    "SELECT STREAM k, MIN(v) OVER w, MAX(d) OVER w, t FROM @ WINDOW w AS (RANGE INTERVAL '4' SECOND PRECEDING)",
    "SELECT STREAM k, COUNT(v) OVER w, STDDEV_SAMP(d) OVER w, MIN(t) OVER u FROM @ WINDOW w AS (PARTITION BY k RANGE INTERVAL '6' SECOND PRECEDING), u AS (PARTITION BY v RANGE INTERVAL '1' SECOND PRECEDING)",
    "SELECT STREAM k, SUM(v * 900000000) OVER w, VAR_POP(v) OVER w, t FROM @ WINDOW w AS (PARTITION BY 1 / v RANGE INTERVAL '2' SECOND PRECEDING)",
    "SELECT STREAM k, LAG(v, 1) OVER w, LAST_VALUE(d) OVER w, t FROM @ WINDOW w AS (PARTITION BY k ROWS 4 PRECEDING)",
    "SELECT STREAM k, FIRST_VALUE(v) OVER w, AVG(d) OVER w, t FROM @ WINDOW w AS (PARTITION BY k ROWS 3 PRECEDING)",
    "SELECT STREAM a.k, b.v, a.d, b.t FROM @ OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS a JOIN @ OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS b ON a.k = b.k AND a.v = b.v + 1",
    "SELECT STREAM a.k, b.v, a.d, b.t FROM @ OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS a LEFT JOIN @ OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS b ON a.k = b.k AND 4 / a.v < b.v",
    "SELECT STREAM b.k, b.v, a.d, a.t FROM @ AS a RIGHT JOIN @ OVER (ROWS 3 PRECEDING) AS b ON a.v = b.v",
    "SELECT STREAM a.k, b.v, a.d, c.t FROM @ OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS a FULL JOIN @ OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS b ON 6 / a.v = b.v JOIN @ OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS c ON a.k = c.k",
    "SELECT STREAM k, v, d, t FROM @ WHERE v > 2 UNION ALL SELECT STREAM k, 8 / v, d, t FROM @ WHERE v < 3",
    "SELECT STREAM k, COUNT(*), AVG(d), MAX(t) FROM @ WHERE v > 0 WINDOWED BY STAGGER (PARTITION BY k RANGE INTERVAL '4' SECOND)",
    "SELECT STREAM k, v, d, t FROM @ s ORDER BY STEP(s.ROWTIME BY INTERVAL '2' SECOND), v DESC",
    "SELECT STREAM DISTINCT k, v, d, FLOOR(s.ROWTIME TO SECOND) FROM @ s",
    "SELECT STREAM CASE WHEN v > 3 THEN SUBSTRING(k FROM 2) WHEN v = 0 THEN 'none' ELSE k END, COALESCE(v, 7), d, t FROM @ WHERE k LIKE 'k%' OR v IN (1, 2, 9)",
    "SELECT STREAM k, CASE WHEN v > 1 THEN 10 / (v - 4) ELSE 0 END, d, t FROM @",
    "SELECT STREAM UPPER(k), CHAR_LENGTH(k), CAST(v AS DOUBLE) / 2, CURRENT_ROW_TIMESTAMP FROM @ WHERE t > TIMESTAMP '1970-01-01 00:00:03'",
    "SELECT STREAM k, v * 500000000, d, t + INTERVAL '1' SECOND FROM @ WHERE d IS NOT NULL AND t IS NOT NULL",
    "SELECT STREAM k, v, d, s.ROWTIME AS ROWTIME FROM @ s ORDER BY s.ROWTIME, v",
    "SELECT STREAM k, v, d, t FROM @ s WHERE k = 'k0  ' OR 12 / v > 3",
];

fn catalog() -> Catalog {
    let columns = [("K", "VARCHAR(4)"), ("V", "INTEGER"), ("D", "DOUBLE"), ("T", "TIMESTAMP")];
    let columns = columns.iter().map(|(name, ty)| ((*name).to_owned(), kinlab::sql::parse::column_type(ty).expect("a type").0, false)).collect();
    Catalog { sources: vec![SourceStream { name: "S".to_owned(), columns }], tables: Vec::new() }
}

/// Pumps: the piece, the stream that it reads (0 is the source) and the one that it writes to (from 1).
fn program(pumps: &[(usize, usize, usize)]) -> String {
    let mut text = String::new();
    for stream in 1..4 {
        text.push_str(&format!("CREATE STREAM O{stream} (k VARCHAR(3), v INTEGER, d DOUBLE, t TIMESTAMP);\n"));
    }
    for (at, (piece, from, to)) in pumps.iter().enumerate() {
        // Streams are read by those behind them only, so nothing goes round in a circle.
        let (from, to) = (from % 3, (to % 3 + 1).max(from % 3 + 1));
        let from = if from == 0 { "S".to_owned() } else { format!("O{from}") };
        let query = PIECES[piece % PIECES.len()].replace('@', &from);
        let columns = if query.contains("AS ROWTIME") { "(k, v, d)" } else { "" };
        text.push_str(&format!("CREATE PUMP P{at} AS INSERT INTO O{to} {columns} {query};\n"));
    }
    text
}

type Input = (i64, Option<u8>, Option<i32>, i32);

fn cells(at: i64, (_, key, value, number): &Input) -> [Value; 4] {
    let key = key.map_or(Value::Null, |key| Value::text(["k0", "k1", "k2", "k1 ", "long"][usize::from(key % 5)]));
    let d = if number % 7 == 0 { Value::Null } else { Value::Num(f64::from(*number) / 8.0) };
    [key, value.map_or(Value::Null, |v| Value::Int(i64::from(v))), d, Value::Ms(at - i64::from(number % 3))]
}

/// All that can be seen of a program at work.
fn seen(mut running: Running) -> Vec<String> {
    let mut lines = Vec::new();
    for stream in 0..running.plan().streams.len() {
        let rows = running.rows(stream);
        lines.push(format!("stream {stream}: {rows}"));
        let mut whole = running.clone();
        let (count, newest) = running.drain_newest(stream, 5);
        let rows = whole.drain(stream);
        assert_eq!((count, newest.len()), (rows.len() as u64, rows.len().min(5)));
        lines.extend(rows.into_iter().map(|row| format!("{} {:?}", row.time, row.cells)));
        lines.extend(newest.into_iter().map(|row| format!("newest {} {:?}", row.time, row.cells)));
    }
    lines.extend(running.drain_errors().into_iter().map(|error| format!("{error:?}")));
    lines.extend(running.flows().iter().map(|flow| format!("{flow:?}")));
    lines
}

/// Plays rows; `parts` are the sizes of batches. Between some rows the clock moves on its own.
fn play(program: &Program, rows: &[Input], parts: &[usize], late: bool) -> Vec<String> {
    let mut running = Running::new(program.plan.clone(), 0, 1);
    let mut at = 0;
    let timed: Vec<(i64, [Value; 4])> = rows
        .iter()
        .map(|row| {
            // Now and then a row is older than the one before it.
            at += if late && row.3 % 11 == 0 { -5 } else { row.0 };
            (at, cells(at, row))
        })
        .collect();
    let mut parts = parts.iter().copied().cycle();
    let mut from = 0;
    let ticks = |at: usize| at > 0 && rows[at].3 % 13 == 0 && timed[at].0 > timed[at - 1].0;
    while from < timed.len() {
        if ticks(from) {
            running.advance_to(timed[from].0 - 1);
        }
        match parts.next() {
            None => {
                running.insert(0, timed[from].0, timed[from].1.clone());
                from += 1;
            }
            Some(size) => {
                let end = from.saturating_add(size).min(timed.len());
                let part = &timed[from..(from + 1..end).find(|at| ticks(*at)).unwrap_or(end)];
                let columns = (0..4).map(|cell| Column::of(part.iter().map(|(_, cells)| cells[cell].clone()))).collect();
                running.insert_batch(0, &Batch::new(part.iter().map(|(time, _)| *time).collect(), columns).expect("as many cells as times"));
                from += part.len();
            }
        }
    }
    running.advance_to(at + 100_000);
    seen(running)
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    proptest::collection::vec((0i64..900, proptest::option::weighted(0.9, any::<u8>()), proptest::option::weighted(0.9, -2i32..6), -50i32..50), 0..60)
}

#[test]
fn every_piece_compiles() {
    for piece in 0..PIECES.len() {
        for from in 0..2 {
            let text = program(&[(piece, from, 1), (0, 0, 0)]);
            let compiled = Program::compile(&text, &catalog());
            assert!(compiled.is_ok(), "{text}\n{:?}", compiled.err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn batches_give_what_single_rows_give(
        pumps in proptest::collection::vec((0usize..PIECES.len(), 0usize..3, 0usize..3), 1..5),
        rows in inputs(),
        parts in proptest::collection::vec(1usize..30, 1..5),
        late in proptest::bool::weighted(0.1),
    ) {
        let text = program(&pumps);
        let program = Program::compile(&text, &catalog()).map_err(|errors| TestCaseError::fail(format!("{errors:?}")))?;
        let one_by_one = play(&program, &rows, &[], late);
        prop_assert_eq!(&one_by_one, &play(&program, &rows, &[usize::MAX], late), "{}", text);
        prop_assert_eq!(&one_by_one, &play(&program, &rows, &parts, late), "{}", text);
    }
}
