//! `kinlab serve --data-dir` killed at any moment, with torn writes and flipped bits: what was acknowledged is there, in its order, once; what is
//! damaged is told and nothing is written over it.
//!
//! `KINLAB_CRASHES=1000` makes a soak of it.
#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "support/dice.rs"]
mod dice;
#[path = "support/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use dice::Dice;
use server::{Server, folder};

/// Sends so many records one behind the other on one connection, reads some of the answers and goes away. Gives the numbers that were acknowledged.
fn put(server: &Server, from: u64, count: u64, read: u64) -> Vec<u64> {
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    let mut requests = String::new();
    for number in from..from + count {
        let body = json!({"StreamName": "s", "PartitionKey": "k", "Data": STANDARD.encode(format!("{number:012}"))}).to_string();
        requests += &format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: Kinesis_20131202.PutRecord\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    }
    stream.write_all(requests.as_bytes()).expect("it reads");
    let mut answers = BufReader::new(stream);
    let mut acknowledged = Vec::new();
    for number in from..from + read {
        let (mut status, mut length, mut line) = (String::new(), 0, String::new());
        while answers.read_line(&mut line).is_ok_and(|count| count > 2) {
            if line.starts_with("HTTP/") {
                status.clone_from(&line);
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        answers.read_exact(&mut body).expect("a body");
        if status.contains(" 200 ") {
            acknowledged.push(number);
        }
    }
    acknowledged
}

/// The number that a record's data says.
fn number(data: &str) -> u64 {
    String::from_utf8(STANDARD.decode(data).expect("base64")).expect("digits").parse().expect("one of ours")
}

/// The numbers in the stream, in its order.
fn stored(server: &Server) -> Vec<u64> {
    let start = json!({"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"});
    let mut iterator = server.call("GetShardIterator", &start).json()["ShardIterator"].clone();
    let mut found = Vec::new();
    loop {
        let answer = server.call("GetRecords", &json!({"ShardIterator": iterator, "Limit": 10_000}));
        if answer.status != 200 {
            // Five reads a second.
            continue;
        }
        let answer = answer.json();
        let records = answer["Records"].as_array().expect("records");
        found.extend(records.iter().map(|record| number(record["Data"].as_str().expect("a text"))));
        if answer["MillisBehindLatest"] == 0 {
            return found;
        }
        iterator = answer["NextShardIterator"].clone();
    }
}

fn refused(path: &Path) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_kinlab")).args(["serve", "0", "--data-dir"]).arg(path).output().expect("the binary starts");
    assert_eq!(done.status.code(), Some(2), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stderr).into_owned()
}

#[test]
fn nothing_acknowledged_is_lost_whenever_the_process_is_killed() {
    let crashes = std::env::var("KINLAB_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(8u64);
    let (folder, copy) = (folder("crash"), folder("crash-copy"));
    let path = folder.to_str().expect("UTF-8").to_owned();
    let log = folder.join("log.jsonl");
    let mut dice = Dice(crashes);
    let (mut next, mut acknowledged) = (0u64, BTreeSet::new());
    for crash in 0..=crashes {
        let server = Server::start(&["--data-dir", &path, "--no-throughput-limits"]);
        if crash == 0 {
            server.create("s");
        }
        // Reading everything takes time: a soak does it now and then.
        if crash % 8 == 0 || crash == crashes || crashes < 20 {
            let found = stored(&server);
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "crash {crash}: in order and once");
            let found: BTreeSet<u64> = found.into_iter().collect();
            assert!(acknowledged.is_subset(&found), "crash {crash}: {:?} are lost", acknowledged.difference(&found).take(5).collect::<Vec<_>>());
        }
        let count = 1 + dice.roll(60);
        acknowledged.extend(put(&server, next, count, dice.roll(count + 1)));
        next += count;
        drop(server);
        let bytes = std::fs::read(&log).expect("there");
        match dice.roll(3) {
            // A write that was not finished.
            0 => {
                let line = bytes.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).unwrap_or_default();
                let torn = &line[..dice.roll(line.len() as u64) as usize];
                if bytes.ends_with(b"\n") {
                    std::fs::write(&log, [bytes.as_slice(), torn].concat()).expect("writable");
                }
            }
            // A flipped bit, in a copy: it is told, and the copy stays as it is.
            1 => {
                let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let mut damaged = bytes[..whole].to_vec();
                let at = dice.roll(whole as u64) as usize;
                // The sixth bit would only make a letter of a checksum great.
                damaged[at] ^= 1 << dice.roll(5);
                let _ = std::fs::remove_dir_all(&copy);
                std::fs::create_dir_all(&copy).expect("writable");
                std::fs::copy(folder.join("world.toml"), copy.join("world.toml")).expect("writable");
                std::fs::write(copy.join("log.jsonl"), &damaged).expect("writable");
                let told = refused(&copy);
                assert!(told.contains("is damaged"), "byte {at}: {told}");
                assert_eq!(std::fs::read(copy.join("log.jsonl")).expect("there"), damaged);
            }
            _ => {}
        }
    }
    assert!(acknowledged.len() as u64 > crashes, "a test in which nothing is acknowledged proves nothing");
    // The beginning of the world is protected, too.
    let world = folder.join("world.toml");
    let text = std::fs::read_to_string(&world).expect("there");
    std::fs::write(&world, text.replace("seed = 1", "seed = 3")).expect("writable");
    let told = refused(&folder);
    assert!(told.contains("world.toml") && told.contains("is damaged"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_acknowledges_nothing() {
    use std::os::unix::process::CommandExt;
    let folder = folder("crash-full");
    // A limit for the size of files stands for a full disk. Its signal is ignored by the shell, and so by what it starts.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" serve 0 --no-throughput-limits --data-dir \"$1\"", env!("CARGO_BIN_EXE_kinlab")])
        .arg(&folder)
        .arg0("sh");
    let server = Server::spawn(&mut command);
    server.create("s");
    let mut acknowledged = Vec::new();
    for round in 0..100 {
        let now = put(&server, round * 20, 20, 20);
        let full = now.len() < 20;
        acknowledged.extend(now);
        if full {
            break;
        }
    }
    assert!(!acknowledged.is_empty() && acknowledged.len() < 2000, "{} were acknowledged", acknowledged.len());
    let answer = server.call("PutRecord", &json!({"StreamName": "s", "PartitionKey": "k", "Data": "YWFh".repeat(20_000)}));
    assert_eq!((answer.status, answer.json()["__type"].clone()), (500, json!("InternalFailure")), "{}", answer.json());
    drop(server);
    // With room again, everything that was acknowledged is there, and nothing else.
    let server = Server::start(&["--data-dir", folder.to_str().expect("UTF-8")]);
    assert_eq!(stored(&server), acknowledged);
}
