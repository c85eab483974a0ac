//! The binary's contract: exit statuses, what goes to which stream, bad input, closed pipes, equal bytes twice.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn kinlab(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kinlab"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("NO_COLOR")
        .spawn()
        .expect("the binary starts");
    // A program that refuses its arguments has closed the pipe already.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn answers_are_data_and_the_guide_is_narration() {
    let output = kinlab(&["sh"], "aws kinesis list-streams\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(out(&output), "{\n    \"StreamNames\": [],\n    \"StreamSummaries\": []\n}\n");
    assert!(err(&output).contains("An empty account"));
}

#[test]
fn errors_have_the_clis_words() {
    let output = kinlab(&["sh"], "aws kinesis describe-stream-summary --stream-name nope\naws kinesis create-stream\nfrobnicate\n");
    assert_eq!(output.status.code(), Some(1));
    let text = err(&output);
    assert!(text.contains(
        "An error occurred (ResourceNotFoundException) when calling the DescribeStreamSummary operation: Stream nope under account 123456789012 not found."
    ));
    assert!(text.contains("the following arguments are required: --stream-name"), "{text}");
    assert!(text.contains("unknown command 'frobnicate'"), "{text}");
}

#[test]
fn pasted_lines_with_substitution_and_continuation_work() {
    let script = "aws kinesis create-stream --stream-name s \\\n  --shard-count 1\naws kinesis wait stream-exists --stream-name s\n\
        aws kinesis put-record --stream-name s --partition-key k --data aGVsbG8=\n\
        aws kinesis get-records --query 'Records[].Data' --output text --shard-iterator $(aws kinesis get-shard-iterator --stream-name s --shard-id \
        shardId-000000000000 --shard-iterator-type TRIM_HORIZON --query ShardIterator --output text)\n";
    let output = kinlab(&["sh"], script);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).ends_with("aGVsbG8=\n"), "{}", out(&output));
}

#[test]
fn wrong_usage_and_wrong_files_end_with_two() {
    for arguments in [
        vec!["run", "lab9"],
        vec!["frob"],
        vec!["run", "lab1", "--until", "120"],
        vec!["run", "lab1", "--input", "/nonexistent"],
        vec!["screen", "lab1", "--at", "1s", "--size", "big"],
        vec!["screen", "lab1", "--at", "1s", "--screen", "nothing"],
    ] {
        let output = kinlab(&arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert!(!err(&output).is_empty(), "{arguments:?}");
        assert!(out(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_same_run_gives_the_same_bytes_and_jsonl_is_json() {
    let script = "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6\nrun 2s\n\
        java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -speedup 1800 -streamName dcb-taxi-trips\n";
    let run = || kinlab(&["run", "lab1", "--plain", "--until", "20s", "--format", "jsonl"], script);
    let (first, second) = (run(), run());
    assert_eq!(first.status.code(), Some(1), "not all checks are met");
    assert_eq!(first.stdout, second.stdout);
    let lines: Vec<serde_json::Value> =
        out(&first).lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    assert!(lines.len() > 10);
    assert!(lines.last().is_some_and(|last| last["summary"]["accounting"][0]["balanced"] == true));
}

#[test]
fn a_screen_has_exactly_its_lines() {
    for (size, rows) in [("80x24", 24), ("20x5", 5), ("200x60", 60)] {
        let output = kinlab(&["screen", "lab1", "--at", "5s", "--screen", "streams", "--size", size], "");
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert_eq!(out(&output).matches('\n').count(), rows, "{size}");
    }
    let output = kinlab(&["screen", "lab1", "--at", "5s", "--format", "svg"], "");
    assert!(out(&output).starts_with("<svg ") && out(&output).ends_with("</svg>\n"));
}

#[test]
fn going_back_gives_the_same_world_again() {
    let start = "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6\nrun 2s\n\
        java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -speedup 1800 -streamName dcb-taxi-trips\nrun 10s\n";
    let straight = kinlab(&["run", "lab1", "--plain", "--until", "12s"], start);
    let detour = kinlab(&["run", "lab1", "--plain", "--until", "12s"], &format!("{start}run 7s\nproducer replay stop\nrewind 7s\n"));
    assert_eq!(out(&straight), out(&detour));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kinlab"))
        .args(["check", "lab0", "--seeds", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(141));
    assert!(!err(&output).contains("panicked"), "{}", err(&output));
}

#[test]
fn bytes_that_are_no_text_are_survived() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kinlab"))
        .arg("sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("piped").write_all(b"\xff\xfe\x00\n'unclosed\naws\naws kinesis\n$(((\n\n").expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(!err(&output).contains("panicked"), "{}", err(&output));
}

#[test]
fn every_real_record_is_accounted_for() {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let Ok(folder) = std::fs::read_dir(shared.join("cloudtrail")) else {
        println!("skipped: the real inputs are not here");
        return;
    };
    let mut files: Vec<String> = folder
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.display().to_string())
        .collect();
    files.sort();
    let mut arguments = vec!["run", "lab1", "--plain", "--key", "userIdentity.arn", "--input"];
    arguments.extend(files.iter().map(String::as_str));
    let output = kinlab(&arguments, "");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).starts_with("input: read 2093 = put 2093 + issues 0; put 2093 = stored 2093;"), "{}", out(&output));
    let log = shared.join("apache_access.log").display().to_string();
    let output = kinlab(&["run", "lab1", "--input", &log], "");
    assert!(out(&output).starts_with("input: read 10000 = put 10000 + issues 0; put 10000 = stored 10000;"), "{}", out(&output));
}

/// A folder of its own below the build's.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("writable");
    folder
}

#[test]
fn a_report_is_scored_again_and_a_forged_one_is_found_out() {
    let folder = scratch("reports");
    let file = folder.join("report.json").display().to_string();
    let script = "aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6\nhint\nrun 2s\n";
    let output = kinlab(&["run", "lab1", "--plain", "--until", "5s", "--report", &file], script);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let output = kinlab(&["replay", &file], "");
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    assert!(out(&output).ends_with("Verified: the run gives exactly the result of the report.\n"), "{}", out(&output));
    let forged = folder.join("forged.json");
    let text = std::fs::read_to_string(&file).expect("written").replacen("\"points\": [\n    10", "\"points\": [\n    80", 1);
    std::fs::write(&forged, text).expect("writable");
    let output = kinlab(&["replay", &file, "--verify", &forged.display().to_string()], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("DIFFERS  points: the report says 80 of 80, the run gives 10 of 80"), "{}", out(&output));
    for (arguments, words) in [(vec!["replay", &file, "--verify", "Cargo.toml"], "Cargo.toml: no report"), (vec!["report", "lab9"], "no lab")] {
        let output = kinlab(&arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(words), "{}", err(&output));
    }
}

#[test]
fn sql_through_a_pipe_has_no_prompt_and_its_clock_stands_but_for_at() {
    let program = "source a INTEGER\nCREATE STREAM O_S (n BIGINT);\nCREATE PUMP P AS INSERT INTO O_S\nSELECT STREAM COUNT(*) FROM SOURCE_SQL_STREAM_001 \
                   GROUP BY STEP(SOURCE_SQL_STREAM_001.ROWTIME BY INTERVAL '1' SECOND);\ninsert 1\nat +2\n";
    let output = kinlab(&["sql"], program);
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<String> = out(&output).lines().skip(1).map(str::to_owned).collect();
    assert_eq!(lines, ["SOURCE_SQL_STREAM_001 has 1 columns", "2024-01-01 00:00:01.000 O_S  N=1"]);
    let output = kinlab(&["sql"], "live\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("the clock runs at a terminal only"));
}
