//! Delivery streams and handlers against the floor of the same run: `cargo bench --bench firehose`.
//!
//! The floor of a format is its codec alone: gzip over the concatenated records, Parquet over rows that are decoded already. What a delivery
//! stream adds is taking the records, buffering, decoding JSON and delivering. Each figure is the best of several rounds; ratios compare
//! figures of one run, absolutes depend on the machine. Nothing here asserts on time.

#![allow(clippy::disallowed_methods, reason = "a bench measures wall time")]

mod support;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinlab::api::{Call, ServiceError};
use kinlab::engine::formats::coerce::{Deserializer, Reader};
use kinlab::engine::formats::compress;
use kinlab::engine::formats::parquet::{Codec, Writer};
use kinlab::engine::formats::schema::{Column, Type};
use kinlab::engine::lambda::function::Program;
use kinlab::engine::lambda::{HandlerResult, Want};
use kinlab::engine::limits::{Era, Limits};
use kinlab::engine::time::{VirtualDuration, VirtualTime};
use kinlab::engine::{Budget, Command as World, Config, Engine};
use kinlab::session::node;
use serde_json::{Value, json};

use support::Ledger;

const RECORDS: usize = 60_000;
const BATCH: usize = 500;
const ROUNDS: usize = 5;
const EVENTS: usize = 100;
const COLUMNS: [(&str, &str); 7] =
    [("id", "bigint"), ("kind", "string"), ("at", "timestamp"), ("user", "string"), ("price", "double"), ("city", "string"), ("note", "string")];
const HANDLER: &str = "exports.handler = async (event) => ({ records: event.records.map((r) => { \
    const row = JSON.parse(Buffer.from(r.data, 'base64').toString('utf8')); \
    if (row.kind === 'ping') return { recordId: r.recordId, result: 'Dropped', data: r.data }; \
    row.price = Math.round(row.price * 100) / 100; \
    return { recordId: r.recordId, result: 'Ok', data: Buffer.from(JSON.stringify(row) + '\\n').toString('base64') }; }) });";

fn main() {
    let records = records();
    let bytes: usize = records.iter().map(|record| record.len()).sum();
    println!("{RECORDS} records of {} B by Direct PUT, {BATCH} a batch; best of {ROUNDS} rounds", bytes / RECORDS);
    let mut ledger = Ledger::new("firehose");
    let mut line = |name: &str, took: Duration, floor: Duration| {
        let rate = |took: Duration| RECORDS as f64 / took.as_secs_f64();
        ledger.beside(name, rate(took), "records/s", rate(floor));
        ledger.row(&format!("{name}, bytes"), bytes as f64 / 1e6 / took.as_secs_f64(), "MB/s");
    };
    let gzip = best(|| {
        let whole: Vec<u8> = records.iter().flat_map(|record| record.iter().copied()).collect();
        timed(|| black_box(compress::gzip(&whole)).len())
    });
    line("gzipped JSON lines", best(|| deliver(&records, false)), gzip);
    let rows = decoded(&records);
    let parquet = best(|| timed(|| written(&rows)));
    line("JSON and Parquet", best(|| timed(|| written(&decoded(&records)))), parquet);
    line("Parquet", best(|| deliver(&records, true)), parquet);
    handlers(&mut ledger, &records);
}

fn best(mut run: impl FnMut() -> Duration) -> Duration {
    (0..ROUNDS).map(|_| run()).min().unwrap_or_default()
}

fn timed(run: impl FnOnce() -> usize) -> Duration {
    let started = Instant::now();
    black_box(run());
    started.elapsed()
}

fn records() -> Vec<Arc<[u8]>> {
    const KINDS: [&str; 4] = ["view", "click", "ping", "order"];
    (0..RECORDS as u64)
        .map(|n| {
            let draw = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let row = json!({
                "id": n, "kind": KINDS[draw as usize % 4], "at": format!("2019-09-08 22:{:02}:{:02}.{:03}", n / 1000 / 60 % 60, n / 1000 % 60, n % 1000),
                "user": format!("user-{:08}", draw % 50_000), "price": draw as f64 % 10_000.0 / 7.0, "city": format!("city {}", draw % 300),
                "note": format!("{:016x}{:016x} the quick brown fox jumps over the lazy dog", draw, draw.rotate_left(17)),
            });
            (row.to_string() + "\n").into_bytes().into()
        })
        .collect()
}

fn columns() -> Arc<[Column]> {
    COLUMNS.iter().map(|(name, kind)| ((*name).to_owned(), Type::parse(kind).expect("a good type"))).collect()
}

fn reader() -> Reader {
    Reader::new(columns(), Deserializer::OpenX { case_insensitive: true, dots_to_underscores: false, mappings: BTreeMap::new() })
}

fn decoded(records: &[Arc<[u8]>]) -> Vec<Vec<kinlab::engine::formats::datum::Datum>> {
    let reader = reader();
    records.iter().flat_map(|record| reader.rows(record).expect("fits")).collect()
}

fn written(rows: &[Vec<kinlab::engine::formats::datum::Datum>]) -> usize {
    let mut writer = Writer::new(columns(), Codec::from_name("SNAPPY"), 1 << 20);
    for row in rows {
        writer.push(row);
    }
    writer.finish().len()
}

/// A world with one delivery stream: the time from the first put to the last object.
fn deliver(records: &[Arc<[u8]>], parquet: bool) -> Duration {
    let mut limits = Limits::of(Era::Current);
    limits.enforce_throughput = false;
    let mut engine = Engine::new(Config::new(1, VirtualTime::from_secs(1_600_000_000), limits));
    let mut call = |service: &str, operation: &str, body: Value| {
        engine.apply(&World::Service(Call::of(service, operation, &body).expect("good"))).expect("taken");
    };
    call("s3api", "CreateBucket", json!({"Bucket": "lake"}));
    call("glue", "CreateDatabase", json!({"DatabaseInput": {"Name": "d"}}));
    let listed: Vec<Value> = COLUMNS.iter().map(|(name, kind)| json!({"Name": name, "Type": kind})).collect();
    let storage = json!({"Columns": listed, "Location": "s3://lake/", "InputFormat": "parquet", "SerdeInfo": {"SerializationLibrary": "parquet"}});
    call("glue", "CreateTable", json!({"DatabaseName": "d", "TableInput": {"Name": "t", "StorageDescriptor": storage}}));
    let role = "arn:aws:iam::123456789012:role/r";
    let mut destination = json!({"RoleARN": role, "BucketARN": "arn:aws:s3:::lake", "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 300}});
    if parquet {
        destination["DataFormatConversionConfiguration"] = json!({
            "SchemaConfiguration": {"RoleARN": role, "DatabaseName": "d", "TableName": "t"},
            "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
            "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "SNAPPY"}}},
        });
    } else {
        destination["CompressionFormat"] = json!("GZIP");
    }
    call("firehose", "CreateDeliveryStream", json!({"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": destination}));
    engine.advance(engine.now() + VirtualDuration::from_secs(3), Budget::UNLIMITED);
    let started = Instant::now();
    for batch in records.chunks(BATCH) {
        let taken = engine.put_delivery_batch("d", batch).expect("the stream is active");
        assert!(taken.iter().all(|taken| *taken));
    }
    engine.advance(engine.now() + VirtualDuration::from_secs(310), Budget::UNLIMITED);
    let took = started.elapsed();
    let delivered = engine.services().firehose.stream("d").map_or(0, |stream| stream.tally.delivered);
    assert_eq!(delivered, records.len() as u64, "every record is delivered");
    took
}

/// A transform in QuickJS: what an invocation costs, and what `node` takes for the same.
fn handlers(ledger: &mut Ledger, records: &[Arc<[u8]>]) {
    let event = |count: usize| {
        let list: Vec<Value> =
            records[..count].iter().enumerate().map(|(id, data)| json!({"recordId": id.to_string(), "data": STANDARD.encode(data)})).collect();
        json!({"invocationId": "i", "records": list}).to_string()
    };
    let files: Arc<BTreeMap<String, String>> = Arc::new([("index.js".to_owned(), HANDLER.to_owned())].into());
    let run = |event: &str| {
        let want = Want {
            id: 1,
            request_id: "r".to_owned(),
            function: "f".into(),
            arn: String::new(),
            program: Program::Node("index.js".to_owned(), "handler".to_owned()),
            files: files.clone(),
            sha256: String::new(),
            environment: BTreeMap::new(),
            timeout: VirtualDuration::from_secs(60),
            memory: 128,
            event: event.into(),
            now: VirtualTime::from_secs(1_600_000_000),
            seed: 1,
        };
        let started = Instant::now();
        let answer = node::run(&want, "index.js", "handler", &mut |_| Err(ServiceError::internal_failure()));
        let took = started.elapsed();
        assert!(matches!(answer.result, HandlerResult::Returned(_)), "{:?}", answer.result);
        took
    };
    let (none, many) = (event(0), event(EVENTS));
    let empty = best(|| run(&none));
    let full = best(|| run(&many));
    let each = full.saturating_sub(empty).as_secs_f64() / EVENTS as f64;
    ledger.row("QuickJS, an invocation", empty.as_secs_f64() * 1e3, "ms");
    ledger.row(&format!("QuickJS, a batch of {EVENTS}"), full.as_secs_f64() * 1e3, "ms");
    ledger.row("QuickJS, a record", each * 1e6, "us");
    let script =
        format!("{HANDLER}\nexports.handler(JSON.parse(require('fs').readFileSync(0))).then((a) => process.stdout.write(JSON.stringify(a)));");
    let outside = || {
        let started = Instant::now();
        let mut child = Command::new("node").args(["-e", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        std::io::Write::write_all(&mut child.stdin.take()?, many.as_bytes()).ok()?;
        child.wait_with_output().ok().filter(|output| output.status.success() && !output.stdout.is_empty())?;
        Some(started.elapsed())
    };
    match (0..ROUNDS).filter_map(|_| outside()).min() {
        Some(took) => ledger.row(&format!("node with its start-up, a batch of {EVENTS}"), took.as_secs_f64() * 1e3, "ms"),
        None => println!("no node on this machine to compare with"),
    }
}
