//! Deliveries to real destinations: sent once, recorded, never sent again by a replay; HTTP and PostgreSQL over loopback sockets.
#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "support/account.rs"]
mod account;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinlab::engine::firehose::endpoint::Outcome;
use kinlab::engine::firehose::outward::{Answer, Ask, Next, Order};
use kinlab::session::Session;
use kinlab::session::handlers::Courier;
use kinlab::session::runlog::{Entry, SavedRun, What};

use account::session;

const BUCKET: &str = r#""RoleARN":"arn:aws:iam::123456789012:role/r","BucketARN":"arn:aws:s3:::lake""#;

/// Lines that make an HTTP destination and put a record into it.
fn http_lines() -> Vec<String> {
    vec![
        "aws s3 mb s3://lake".to_owned(),
        format!(
            r#"aws firehose create-delivery-stream --delivery-stream-name d --http-endpoint-destination-configuration '{{"EndpointConfiguration":{{"Url":"https://example.com/x","AccessKey":"k"}},"RetryOptions":{{"DurationInSeconds":60}},"BufferingHints":{{"SizeInMBs":1,"IntervalInSeconds":60}},"S3Configuration":{{{BUCKET}}}}}'"#
        ),
        "run 3s".to_owned(),
        format!("aws firehose put-record --delivery-stream-name d --record Data={}", STANDARD.encode("hello")),
        "run 70s".to_owned(),
    ]
}

/// Answers as the destination would, and counts.
#[derive(Debug)]
struct Counting {
    carried: Arc<Mutex<Vec<String>>>,
    busy: usize,
}

impl Courier for Counting {
    fn carry(&mut self, order: &Order) -> Outcome {
        let Next::Ask(_, Ask::Http(request)) = order.first() else { panic!("HTTP") };
        let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
        let mut carried = self.carried.lock().expect("alone");
        carried.push(body["requestId"].as_str().expect("an id").to_owned());
        let status = if carried.len() <= self.busy { 503 } else { 200 };
        let text = serde_json::json!({"requestId": body["requestId"], "timestamp": 1}).to_string();
        match order.judge(1, &Answer::Response(status, "application/json".to_owned(), text.into_bytes())) {
            Next::Done(outcome) => outcome,
            Next::Ask(..) => panic!("nothing more is asked"),
        }
    }
}

#[test]
fn what_a_destination_answered_is_part_of_the_run_and_nothing_is_sent_twice() {
    let carried = Arc::new(Mutex::new(Vec::new()));
    let mut session = session();
    let place = ("d".to_owned(), "http://127.0.0.1:1".to_owned());
    session.deliver_with(Box::new(Counting { carried: carried.clone(), busy: 2 }), vec![place]);
    for line in http_lines() {
        let outcome = session.line(&line);
        assert!(!outcome.failed, "{line}: {}", outcome.message);
    }
    let ids = carried.lock().expect("alone").clone();
    assert_eq!(ids.len(), 3, "two refusals, then it was taken");
    assert!(ids.iter().all(|id| *id == ids[0]), "an attempt more has the request id of the first");
    let delivered = |session: &Session| {
        let lines = session.world().services().accounting();
        lines[0].parts.iter().find(|(name, _)| name == "delivered").map(|(_, count)| *count)
    };
    assert_eq!((delivered(&session), session.broken_rule()), (Some(1), None));
    // Back and forth again: the same world, and nobody is asked.
    let hash = session.world().journal_hash();
    session.line("rewind 30s");
    session.line("run 30s");
    assert_eq!(carried.lock().expect("alone").len(), 3);
    let saved = SavedRun::parse(&session.log_text()).expect("good");
    let mut again = self::session();
    again.resume(saved.entries);
    again.advance(session.now());
    assert_eq!(again.world().journal_hash(), session.world().journal_hash());
    assert_eq!(again.world().journal_hash(), hash);
}

#[test]
fn what_was_delivered_before_the_flag_is_not_sent_when_the_run_is_taken_up() {
    let mut first = session();
    for line in http_lines() {
        assert!(!first.line(&line).failed, "{line}");
    }
    let mut saved = SavedRun::parse(&first.log_text()).expect("good");
    // How far the clock came, as a saved run says it.
    saved.entries.push(Entry { at_us: first.now().since(first.epoch()).0, what: What::Clock });
    let carried = Arc::new(Mutex::new(Vec::new()));
    let mut second = session();
    second.deliver_with(Box::new(Counting { carried: carried.clone(), busy: 0 }), vec![("d".to_owned(), "http://127.0.0.1:1".to_owned())]);
    second.resume(saved.entries);
    assert_eq!((carried.lock().expect("alone").len(), second.world().journal_hash()), (0, first.world().journal_hash()));
    second.line("aws firehose put-record --delivery-stream-name d --record Data=eA==");
    second.line("run 70s");
    assert_eq!(carried.lock().expect("alone").len(), 1);
}

#[test]
fn a_run_without_the_flag_sends_nothing_and_backs_up_what_waited() {
    let carried = Arc::new(Mutex::new(Vec::new()));
    let mut first = session();
    let place = ("d".to_owned(), "http://127.0.0.1:1".to_owned());
    first.deliver_with(Box::new(Counting { carried, busy: 0 }), vec![place]);
    first.line("run 1s");
    let saved = SavedRun::parse(&first.log_text()).expect("good");
    let mut second = session();
    second.resume(saved.entries);
    for line in http_lines() {
        assert!(!second.line(&line).failed, "{line}");
    }
    second.line("run 500s");
    let list = second.line("aws s3 ls s3://lake --recursive").output;
    assert!(list.contains("http-endpoint-failed/"), "{list}");
    assert!(second.line("journal 40").output.contains("--deliver-to d=URL"));
}

/// Runs the program with lines on its standard input.
fn kinlab(arguments: &[String], lines: &[String]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kinlab"))
        .arg("sh")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all((lines.join("\n") + "\n").as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

#[test]
fn an_http_server_gets_the_request() {
    let (listener, port) = listen();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()).expect("a length");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let asked: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let answer = serde_json::json!({"requestId": asked["requestId"], "timestamp": 1}).to_string();
        let mut stream = stream;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).expect("taken");
        (head, asked)
    });
    let mut lines = http_lines();
    lines.push("accounting".to_owned());
    let output = kinlab(&["--deliver-to".to_owned(), format!("d=http://127.0.0.1:{port}/in?x=1")], &lines);
    let (head, asked) = server.join().expect("it answered");
    assert_eq!(head[0], "POST /in?x=1 HTTP/1.1");
    assert!(head.iter().any(|line| line.eq_ignore_ascii_case("x-amz-firehose-access-key: k")), "{head:?}");
    assert_eq!(asked["records"], serde_json::json!([{"data": STANDARD.encode("hello")}]));
    assert!(output.contains("delivered 1"), "{output}");
}

fn message(stream: &mut TcpStream, kind: u8, body: &[u8]) {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).expect("taken");
}

fn receive(stream: &mut TcpStream, kinds: usize) -> (u8, Vec<u8>) {
    let mut head = vec![0; kinds + 4];
    stream.read_exact(&mut head).expect("a head");
    let length = u32::from_be_bytes(head[kinds..].try_into().expect("four")) as usize;
    let mut body = vec![0; length - 4];
    stream.read_exact(&mut body).expect("a body");
    (head[0], body)
}

#[test]
fn a_postgresql_server_is_loaded_by_copy() {
    let (listener, port) = listen();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let (_, startup) = receive(&mut stream, 0);
        assert!(String::from_utf8_lossy(&startup).contains("user\0u\0database\0db\0"));
        message(&mut stream, b'R', &[0, 0, 0, 3]);
        let (_, password) = receive(&mut stream, 1);
        assert_eq!(password, b"secret\0");
        message(&mut stream, b'R', &[0, 0, 0, 0]);
        message(&mut stream, b'Z', b"I");
        let (_, query) = receive(&mut stream, 1);
        message(&mut stream, b'G', &[0, 0, 0]);
        let mut rows = Vec::new();
        while let (b'd', data) = receive(&mut stream, 1) {
            rows.extend(data);
        }
        message(&mut stream, b'C', b"COPY 1\0");
        message(&mut stream, b'Z', b"I");
        (String::from_utf8(query).expect("text"), String::from_utf8(rows).expect("text"))
    });
    let lines = vec![
        "aws s3 mb s3://lake".to_owned(),
        format!(
            r#"aws firehose create-delivery-stream --delivery-stream-name d --redshift-destination-configuration '{{"RoleARN":"arn:aws:iam::123456789012:role/r","ClusterJDBCURL":"jdbc:redshift://c.example.com:5439/db","Username":"u","Password":"secret","CopyCommand":{{"DataTableName":"trips","DataTableColumns":"id,city","CopyOptions":"JSON '"'"'auto'"'"'"}},"S3Configuration":{{{BUCKET},"BufferingHints":{{"SizeInMBs":1,"IntervalInSeconds":60}}}}}}'"#
        ),
        "run 3s".to_owned(),
        format!("aws firehose put-record --delivery-stream-name d --record Data={}", STANDARD.encode("{\"id\":7,\"city\":\"NYC\"}\n")),
        "run 90s".to_owned(),
        "accounting".to_owned(),
    ];
    let output = kinlab(&["--deliver-to".to_owned(), format!("d=postgres://127.0.0.1:{port}/db")], &lines);
    let (query, rows) = server.join().expect("it answered");
    assert_eq!(query, "COPY trips (\"id\", \"city\") FROM STDIN\0");
    assert_eq!(rows, "7\tNYC\n");
    assert!(output.contains("delivered 1"), "{output}");
}
