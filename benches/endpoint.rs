//! The endpoint beside one client over loopback: `cargo bench --bench endpoint`. Nothing here asserts on time.
//!
//! The server is the program itself, in a process of its own: its processor time, memory and start are measured apart from the client's.
#![allow(clippy::disallowed_methods, reason = "a bench measures wall time")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use support::Ledger;

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(arguments: &[&str]) -> (Self, Duration) {
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_kinlab"))
            .args(["serve", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let address = line.trim().rsplit_once("http://").expect("an address").1.to_owned();
        (Self { child, address }, begun.elapsed())
    }

    /// Processor time in seconds and resident memory in MB.
    fn usage(&self) -> (f64, f64) {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default();
        let stat = read("stat");
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let pages = read("statm").split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        ((ticks(11) + ticks(12)) / 100.0, pages * 4096.0 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection that is kept.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("possible");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, request: &[u8]) -> Vec<u8> {
        self.0.get_mut().write_all(request).expect("sent");
        let (mut status, mut length, mut line) = (String::new(), 0, String::new());
        self.0.read_line(&mut status).expect("a status");
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("a header");
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        assert!(status.contains(" 200 "), "{status}{}", String::from_utf8_lossy(&body));
        body
    }
}

fn request(operation: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Kinesis_20131202.{operation}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn batch(size: usize) -> Vec<u8> {
    let data = STANDARD.encode(vec![b'x'; size]);
    let records: Vec<String> = (0..500).map(|at| format!("{{\"Data\":\"{data}\",\"PartitionKey\":\"key-{at:010}\"}}")).collect();
    request("PutRecords", &format!("{{\"StreamName\":\"s\",\"Records\":[{}]}}", records.join(",")))
}

/// Sends `count` requests over each of so many connections: requests per second, and the server's processor time for one.
fn load(server: &Server, connections: usize, count: usize, bytes: &[u8]) -> (f64, f64) {
    let (cpu, begun) = (server.usage().0, Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let mut client = Client::new(&server.address);
                for _ in 0..count {
                    client.send(bytes);
                }
            });
        }
    });
    let all = (connections * count) as f64;
    (all / begun.elapsed().as_secs_f64(), (server.usage().0 - cpu) / all * 1e3)
}

fn main() {
    let (server, started) = Server::start(&["--no-throughput-limits"]);
    let mut ledger = Ledger::new("endpoint");
    ledger.row("start until it answers", started.as_secs_f64() * 1e3, "ms");
    ledger.row("idle", server.usage().1, "MB");
    let mut client = Client::new(&server.address);
    client.send(&request("CreateStream", "{\"StreamName\":\"s\",\"ShardCount\":4}"));
    std::thread::sleep(Duration::from_millis(1500));
    for (what, connections, count, size) in [
        ("PutRecords 500 x 100 B, 1 conn", 1, 400, 100),
        ("PutRecords 500 x 100 B, 4 conns", 4, 200, 100),
        ("PutRecords 500 x 1 KB, 1 conn", 1, 200, 1024),
    ] {
        let before = server.usage().1;
        let (speed, cpu) = load(&server, connections, count, &batch(size));
        let stored = (connections * count * 500 * size) as f64 / 1e6;
        let grown = (server.usage().1 - before) / stored;
        ledger.row(what, speed * 500.0, "records/s");
        ledger.row(&format!("{what}, processor"), cpu, "ms a call");
        ledger.row(&format!("{what}, memory"), grown, "B a byte");
    }
    let one = request("PutRecord", &format!("{{\"StreamName\":\"s\",\"Data\":\"{}\",\"PartitionKey\":\"k\"}}", STANDARD.encode([b'x'; 100])));
    for (what, connections, count) in [("PutRecord 100 B, 1 conn", 1, 5000), ("PutRecord 100 B, 16 conns", 16, 2000)] {
        let (speed, cpu) = load(&server, connections, count, &one);
        ledger.row(what, speed, "records/s");
        ledger.row(&format!("{what}, processor"), cpu, "ms a call");
    }
    let answer = client
        .send(&request("GetShardIterator", "{\"StreamName\":\"s\",\"ShardId\":\"shardId-000000000000\",\"ShardIteratorType\":\"TRIM_HORIZON\"}"));
    let mut iterator = member(&answer, "ShardIterator");
    let (cpu, begun, mut records) = (server.usage().0, Instant::now(), 0);
    while records < 100_000 {
        let answer = client.send(&request("GetRecords", &format!("{{\"ShardIterator\":\"{iterator}\",\"Limit\":5000}}")));
        let found = answer.windows(16).filter(|window| window == b"\"SequenceNumber\"").count();
        if found == 0 {
            break;
        }
        records += found;
        iterator = member(&answer, "NextShardIterator");
    }
    let cpu = (server.usage().0 - cpu) / (records as f64 / 5000.0) * 1e3;
    ledger.row(&format!("GetRecords, {records} drained"), records as f64 / begun.elapsed().as_secs_f64(), "records/s");
    ledger.row("GetRecords 5,000 a call, processor", cpu, "ms a call");
}

fn member(answer: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(answer);
    let rest = text.split_once(&format!("\"{name}\":\"")).expect("the member").1;
    rest.split('"').next().expect("its end").to_owned()
}
