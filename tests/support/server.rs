//! A running endpoint, and what comes back from it.
#![allow(clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// `kinlab serve` as a process; killed when dropped.
pub struct Server {
    pub child: Child,
    pub address: String,
}

impl Server {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, "k", "s")
    }

    pub fn start_with(arguments: &[&str], key: &str, secret: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinlab"));
        command.args(["serve", "0"]).args(arguments).envs([("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", secret)]);
        Self::spawn(&mut command)
    }

    /// A command that says where it listens in its first line.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let address = line.trim().rsplit_once("http://").unwrap_or_else(|| panic!("no address in '{line}'")).1.to_owned();
        Self { child, address }
    }

    /// What comes back for raw bytes, until the server closes the connection.
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        self.exchange(bytes, true)
    }

    /// `ends`: nothing more will be sent, which a server may take for the client's goodbye.
    pub fn exchange(&self, bytes: &[u8], ends: bool) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        // A server that has refused does not read the rest.
        let _ = stream.write_all(bytes);
        if ends {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    pub fn http(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n", self.address, body.len());
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        let mut bytes = (request + "\r\n").into_bytes();
        bytes.extend_from_slice(body);
        Answer::parse(&self.exchange(&bytes, false))
    }

    pub fn call(&self, operation: &str, body: &Value) -> Answer {
        let target = format!("Kinesis_20131202.{operation}");
        self.http("POST", "/", &[("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", &target)], body.to_string().as_bytes())
    }

    pub fn dynamodb(&self, operation: &str, body: &Value) -> Answer {
        let target = format!("DynamoDB_20120810.{operation}");
        self.http("POST", "/", &[("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", &target)], body.to_string().as_bytes())
    }

    pub fn create(&self, stream: &str) {
        assert_eq!(self.call("CreateStream", &json!({"StreamName": stream, "ShardCount": 1})).status, 200);
        let active = |_: &u32| {
            self.call("DescribeStreamSummary", &json!({"StreamName": stream})).json()["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"
        };
        assert!((0..1_000_000).any(|attempt| active(&attempt)));
    }

    pub fn records(&self, stream: &str) -> Vec<Value> {
        let iterator = self
            .call("GetShardIterator", &json!({"StreamName": stream, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}))
            .json()["ShardIterator"]
            .clone();
        self.call("GetRecords", &json!({"ShardIterator": iterator})).json()["Records"].as_array().expect("records").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: nothing is put in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer of HTTP/1.1.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Self {
        let end =
            bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// An empty folder for a test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}
