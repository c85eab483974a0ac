//! The endpoint as clients see it: protocols byte by byte, hostile input, what survives a kill, and real clients when they are installed.
#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use server::{Answer, Server, folder};

#[test]
fn answers_and_refusals_are_those_of_the_service() {
    let server = Server::start(&[]);
    let health = server.http("GET", "/", &[], b"");
    assert_eq!((health.status, health.json()["name"].clone()), (200, json!("kinlab")));
    // An operation without output has an empty body.
    let created = server.call("CreateStream", &json!({"StreamName": "s", "ShardCount": 1}));
    assert_eq!((created.status, created.body.len()), (200, 0));
    for header in ["x-amzn-requestid:", "x-amz-id-2:", "content-type: application/x-amz-json-1.1", "date:"] {
        assert!(created.head.contains(header), "{}", created.head);
    }
    let missing = server.call("DescribeStream", &json!({"StreamName": "nope"}));
    let expected = json!({"__type": "ResourceNotFoundException", "message": "Stream nope under account 123456789012 not found."});
    assert_eq!((missing.status, missing.json()), (400, expected));
    let wrong = server.call("PutRecord", &json!({"StreamName": "", "Data": "YQ==", "PartitionKey": "k"}));
    assert_eq!(wrong.json()["__type"], "ValidationException");
    assert!(wrong.json()["message"].as_str().is_some_and(|text| text.contains("Value '' at 'streamName' failed to satisfy constraint: Member must")));
    let json_type = ("Content-Type", "application/x-amz-json-1.1");
    let table = server.dynamodb("DescribeTable", &json!({"TableName": "none"}));
    let expected = json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "Requested resource not found: Table: none not found"});
    assert_eq!((table.status, table.json()), (400, expected));
    assert!(table.head.contains("content-type: application/x-amz-json-1.0") && table.head.contains("x-amz-crc32: "), "{}", table.head);
    let garbage = server.http("POST", "/", &[json_type, ("X-Amz-Target", "Kinesis_20131202.ListStreams")], b"{");
    assert_eq!((garbage.status, garbage.json()["__type"].clone()), (400, json!("SerializationException")));
    assert!(garbage.json()["Message"].is_string(), "type errors write the key with a capital letter");
    for target in ["Kinesis_20131202.Nothing", "Nothing.ListStreams", "x", "Kinesis_20131202.ReceiveMessages"] {
        let unknown = server.http("POST", "/", &[json_type, ("X-Amz-Target", target)], b"{}");
        assert_eq!((unknown.status, unknown.json()["__type"].clone()), (400, json!("UnknownOperationException")), "{target}");
    }
    assert_eq!(server.http("POST", "/", &[json_type], b"{}").json()["__type"], "UnknownOperationException");
    assert_eq!(server.http("POST", "/", &[("Content-Type", "text/html"), ("X-Amz-Target", "Kinesis_20131202.ListStreams")], b"{}").status, 404);
    let get = server.http("GET", "/", &[("X-Amz-Target", "Kinesis_20131202.ListStreams")], b"");
    assert!(get.status == 403 && String::from_utf8_lossy(&get.body).contains("Unable to determine service/operation name to be authorized"));
    let preflight = server.http("OPTIONS", "/", &[("Origin", "http://x"), ("Access-Control-Request-Headers", "x-amz-target")], b"");
    assert!(
        preflight.status == 200
            && preflight.head.contains("access-control-max-age: 172800")
            && preflight.head.contains("access-control-allow-origin: *")
    );
    let object = server.http("GET", "/no-bucket/key", &[], b"");
    assert!(object.status == 404 && String::from_utf8_lossy(&object.body).contains("<Code>NoSuchBucket</Code>"));
    assert_eq!(server.http("POST", "/moto-api/reset", &[], b"").status, 200);
    assert_eq!(server.call("ListStreams", &json!({})).json()["StreamNames"], json!([]));
}

#[test]
fn cbor_is_spoken_with_bytes_and_milliseconds() {
    let server = Server::start(&[]);
    server.create("s");
    let call = |operation: &str, body: &[u8]| {
        let target = format!("Kinesis_20131202.{operation}");
        server.http("POST", "/", &[("Content-Type", "application/x-amz-cbor-1.1"), ("X-Amz-Target", &target)], body)
    };
    // {_ "StreamName": "s", "PartitionKey": "k", "Data": h'ff00'}
    let put = call("PutRecord", b"\xbf\x6aStreamName\x61s\x6cPartitionKey\x61k\x64Data\x42\xff\x00\xff");
    assert_eq!(put.status, 200, "{}", String::from_utf8_lossy(&put.body));
    assert!(put.head.contains("application/x-amz-cbor-1.1") && put.body.windows(14).any(|window| window == b"SequenceNumber"));
    assert_eq!(server.records("s")[0]["Data"], "/wA=");
    let iterator =
        server.call("GetShardIterator", &json!({"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}));
    let iterator = iterator.json()["ShardIterator"].as_str().expect("a text").to_owned();
    let mut body = b"\xa1\x6dShardIterator\x78".to_vec();
    body.push(iterator.len() as u8);
    body.extend_from_slice(iterator.as_bytes());
    let read = call("GetRecords", &body);
    assert!(read.body.windows(7).any(|window| window == b"Data\x42\xff\x00"), "{:x?}", read.body);
    // The arrival: tag 1 over eight bytes of milliseconds.
    assert!(read.body.windows(29).any(|window| window == b"ApproximateArrivalTimestamp\xc1\x1b"), "{:x?}", read.body);
    let error = call("DescribeStream", b"\xa1\x6aStreamName\x61x");
    assert!(error.status == 400 && error.body.starts_with(b"\xa2\x66__type\x78\x19ResourceNotFoundException"), "{:x?}", error.body);
    assert!(call("PutRecord", b"\xbf\x6aStrea").body.windows(22).any(|window| window == b"SerializationException"));
}

#[test]
fn hostile_clients_harm_nobody() {
    let server = Server::start(&[]);
    server.create("s");
    let stubborn: Vec<TcpStream> = (0..200).filter_map(|_| TcpStream::connect(&server.address).ok()).collect();
    for mut stream in &stubborn {
        // Half a request, and then nothing.
        let _ = stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nX-Amz-Target: Kinesis_20131202.PutRecord\r\n\r\n{");
    }
    let mut seed = 7u64;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) as u8
            })
            .collect()
    };
    for length in [1, 10, 100, 10_000] {
        server.raw(&noise(length));
        let target = ("X-Amz-Target", "Kinesis_20131202.PutRecords");
        for content_type in ["application/x-amz-json-1.1", "application/x-amz-cbor-1.1"] {
            let answer = server.http("POST", "/", &[("Content-Type", content_type), target], &noise(length));
            assert_eq!(answer.status, 400, "{content_type} {length}");
        }
    }
    server.raw(format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(1 << 20)).as_bytes());
    server.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00\x00\x00\x00\x00");
    let nested = "[".repeat(100_000);
    let answer = server.http(
        "POST",
        "/",
        &[("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "Kinesis_20131202.PutRecords")],
        nested.as_bytes(),
    );
    assert_eq!(answer.json()["__type"], "SerializationException");
    let large = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999\r\nX-Amz-Target: Kinesis_20131202.PutRecord\r\nContent-Type: application/json\r\n\r\n";
    assert_eq!(Answer::parse(&server.exchange(large, false)).status, 413);
    for path in ["/%", "/%ff%fe", "/b/..%2f..%2fetc", "/2015-03-31/functions/%00", "//", "/b?max-keys=x&%"] {
        assert!(server.http("GET", path, &[], b"").status >= 400 || path == "//", "{path}");
    }
    // The others are served as before.
    assert_eq!(server.call("PutRecord", &json!({"StreamName": "s", "Data": "YQ==", "PartitionKey": "k"})).status, 200);
    assert_eq!(server.records("s").len(), 1);
    drop(stubborn);
}

/// A server that may hold 136 connections, of which 400 idle ones want to be: new clients and busy ones are served all the same.
#[cfg(target_os = "linux")]
#[test]
fn idle_connections_leave_when_others_come() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 200; exec \"$0\" serve 0", env!("CARGO_BIN_EXE_kinlab")]);
    let server = Server::spawn(&mut command);
    server.create("s");
    let mut busy = TcpStream::connect(&server.address).expect("it listens");
    let mut ask = move || {
        busy.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is open");
        let mut answer = [0; 12];
        busy.read_exact(&mut answer).expect("it is open");
        assert_eq!(&answer, b"HTTP/1.1 200");
        // The rest of the answer is short.
        let mut rest = [0; 4096];
        assert!(busy.read(&mut rest).expect("it is open") > 0);
    };
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.extend(TcpStream::connect(&server.address).ok());
        ask();
    }
    assert_eq!(server.call("PutRecord", &json!({"StreamName": "s", "Data": "YQ==", "PartitionKey": "k"})).status, 200);
    assert_eq!(server.records("s").len(), 1);
    drop(idle);
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = folder("endpoint-data");
    let path = folder.to_str().expect("UTF-8");
    let mut acknowledged: Vec<String> = Vec::new();
    let numbers = |server: &Server| -> Vec<String> {
        server.records("s").iter().map(|record| record["SequenceNumber"].as_str().expect("a text").to_owned()).collect()
    };
    let key = json!({"leaseKey": {"S": "shard-0"}});
    let lease = |server: &Server| -> u64 {
        let found = server.dynamodb("GetItem", &json!({"TableName": "leases", "Key": key})).json();
        found["Item"]["leaseCounter"]["N"].as_str().map_or(0, |text| text.parse().expect("a number"))
    };
    for round in 0..3 {
        let server = Server::start(&["--data-dir", path]);
        if round == 0 {
            server.create("s");
            let keys = json!([{"AttributeName": "leaseKey", "KeyType": "HASH"}]);
            let kinds = json!([{"AttributeName": "leaseKey", "AttributeType": "S"}]);
            let table = json!({"TableName": "leases", "KeySchema": keys, "AttributeDefinitions": kinds, "BillingMode": "PAY_PER_REQUEST"});
            assert_eq!(server.dynamodb("CreateTable", &table).status, 200);
            let status = || server.dynamodb("DescribeTable", &json!({"TableName": "leases"})).json()["Table"]["TableStatus"].clone();
            assert!((0..1_000_000).any(|_| status() == "ACTIVE"));
        }
        assert_eq!(numbers(&server), acknowledged, "round {round}");
        assert_eq!(lease(&server), round, "leases are kept, too");
        for at in 0..20 {
            let put = server.call("PutRecord", &json!({"StreamName": "s", "Data": "YQ==", "PartitionKey": at.to_string()}));
            acknowledged.push(put.json()["SequenceNumber"].as_str().expect("a text").to_owned());
        }
        let count = json!({"leaseCounter": {"Action": "ADD", "Value": {"N": "1"}}});
        assert_eq!(server.dynamodb("UpdateItem", &json!({"TableName": "leases", "Key": key, "AttributeUpdates": count})).status, 200);
        let other = Command::new(env!("CARGO_BIN_EXE_kinlab")).args(["serve", "0", "--data-dir", path]).output().expect("the binary starts");
        assert_eq!(other.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&other.stderr).contains("another kinlab uses this folder"));
    }
    // A killed process leaves half a line: it is left out, what was acknowledged is there.
    let log = folder.join("log.jsonl");
    let whole = std::fs::read(&log).expect("there");
    let torn = [whole.as_slice(), b"{\"at_us\":99,\"request\":{\"Kine"].concat();
    std::fs::write(&log, torn).expect("writable");
    {
        let server = Server::start(&["--data-dir", path]);
        assert_eq!(numbers(&server), acknowledged);
    }
    // A damaged line in the middle is told and never passed over.
    let mut damaged = std::fs::read(&log).expect("there");
    let second = damaged.iter().position(|byte| *byte == b'\n').expect("a line") + 20;
    damaged[second] ^= 1;
    std::fs::write(&log, &damaged).expect("writable");
    let refused = Command::new(env!("CARGO_BIN_EXE_kinlab")).args(["serve", "0", "--data-dir", path]).output().expect("the binary starts");
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("line 2 is damaged"), "{told}");
    assert_eq!(std::fs::read(&log).expect("there"), damaged, "nothing is written over what cannot be read");
}

#[test]
fn only_this_machine_may_connect() {
    let refused = Command::new(env!("CARGO_BIN_EXE_kinlab")).args(["serve", "0.0.0.0:4566"]).output().expect("the binary starts");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("this machine only"));
    let remote = Command::new(env!("CARGO_BIN_EXE_kinlab")).args(["serve", "0.0.0.0:0", "--allow-remote"]).output().expect("the binary starts");
    assert_eq!(remote.status.code(), Some(2), "other machines need --strict-auth");
}

#[test]
fn strict_authentication_refuses_what_is_not_signed() {
    let server = Server::start_with(&["--strict-auth"], "AKIDEXAMPLE", "secret");
    assert_eq!(server.http("GET", "/", &[], b"").status, 200, "health needs no signature");
    let unsigned = server.call("ListStreams", &json!({}));
    assert_eq!((unsigned.status, unsigned.json()["__type"].clone()), (400, json!("MissingAuthenticationTokenException")));
    let forged =
        ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=00");
    let target = ("X-Amz-Target", "Kinesis_20131202.ListStreams");
    let refused =
        server.http("POST", "/", &[("Content-Type", "application/x-amz-json-1.1"), target, forged, ("X-Amz-Date", "20260101T000000Z")], b"{}");
    assert_eq!(refused.json()["__type"], "InvalidSignatureException");
    let object = server.http("GET", "/bucket/key", &[], b"");
    assert!(object.status == 403 && String::from_utf8_lossy(&object.body).contains("<Code>AccessDenied</Code>"));
}

/// Runs a script of `tests/clients` against a server that verifies signatures; it must say that all went well. Its arguments are the endpoint's
/// URL and the path of the `aws` command. Skipped where the variable that names the Python with the clients is not set.
fn python_client(variable: &str, script: &str, wanted: &str) {
    let Some(python) = std::env::var_os(variable).map(PathBuf::from) else {
        eprintln!("skipped: {variable} is not set; .ci/run installs what {script} needs and sets it");
        return;
    };
    // Real signatures are verified on the way.
    let server = Server::start(&["--strict-auth"]);
    let folder = folder(&format!("endpoint-{script}"));
    std::fs::create_dir_all(&folder).expect("writable");
    let done = Command::new(&python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script))
        .arg(format!("http://{}", server.address))
        .arg(python.with_file_name("aws"))
        .current_dir(&folder)
        .envs([
            ("AWS_ACCESS_KEY_ID", "k"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ])
        .output()
        .expect("python3 starts");
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && String::from_utf8_lossy(&done.stdout).contains(wanted), "{told}");
}

/// boto3 and the AWS CLI do what a workshop does: streams, fan-out, functions, deliveries, an SQL application.
#[test]
fn boto3_and_the_aws_cli_are_served() {
    python_client("KINLAB_PYTHON", "boto3_clients.py", "all clients were served");
}

/// Lab1 is done with the real AWS CLI in another terminal.
#[test]
fn a_lab_is_done_by_the_command_line() {
    let Some(python) = std::env::var_os("KINLAB_PYTHON").map(PathBuf::from) else {
        eprintln!("skipped: KINLAB_PYTHON is not set; .ci/run installs awscli and sets it");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/lab_by_command_line.py");
    let done =
        Command::new(&python).arg(script).arg(env!("CARGO_BIN_EXE_kinlab")).arg(python.with_file_name("aws")).output().expect("python3 starts");
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && String::from_utf8_lossy(&done.stdout).contains("the lab was done"), "{told}");
}

/// Objects larger than a request, ranges, copies, presigned URLs.
#[test]
fn large_objects_come_in_parts() {
    python_client("KINLAB_PYTHON", "s3_objects.py", "large objects came and went");
}

/// A lease table as consumer libraries keep it, and boto3's own layers over tables.
#[test]
fn lease_tables_are_kept_for_boto3() {
    python_client("KINLAB_PYTHON", "dynamodb_leases.py", "the leases were kept");
}

/// aws-kinesis-agg opens and makes aggregated records, aiokpl produces them, async-kinesis consumes with its leases in our DynamoDB.
#[test]
fn producer_and_consumer_libraries_are_served() {
    python_client("KINLAB_PYTHON_ASYNC", "kpl_and_consumers.py", "the libraries were served");
}

/// lifion-kinesis, a consumer library for Node.js: a table for its state, leases taken by conditional writes.
#[test]
fn a_consumer_library_for_node_is_served() {
    node_client("lifion_consumers.cjs", "lifion-kinesis", "the consumers were served");
}

/// The JavaScript SDK v3 speaks HTTP/2 with prior knowledge.
#[test]
fn the_javascript_sdk_is_served() {
    node_client("kinesis_sdk.mjs", "@aws-sdk/client-kinesis", "the SDK was served");
}

/// As [`python_client`], with Node.js and a package of it.
fn node_client(script: &str, package: &str, wanted: &str) {
    let Some(modules) = std::env::var_os("KINLAB_NODE_MODULES").map(PathBuf::from) else {
        eprintln!("skipped: KINLAB_NODE_MODULES is not set; .ci/run installs {package} and sets it");
        return;
    };
    if !modules.join("node_modules").join(package).exists() {
        eprintln!("skipped: {package} is not installed");
        return;
    }
    let server = Server::start(&["--strict-auth"]);
    let done = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script))
        .arg(format!("http://{}", server.address))
        .arg(modules)
        .output()
        .expect("node starts");
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && String::from_utf8_lossy(&done.stdout).contains(wanted), "{told}");
}
