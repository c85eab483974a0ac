//! Engine speed against the floor of the same run: `cargo bench --bench engine`.
//!
//! The floor is what the work cannot do without: MD5 of the partition key, finding the shard, copying the record. Each figure is the best
//! of several rounds; ratios compare figures of one run, absolutes depend on the machine. Nothing here asserts on time.

#![allow(clippy::disallowed_methods, reason = "a bench measures wall time")]

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use kinlab::api::Blob;
use kinlab::api::kinesis::{CreateStreamRequest, PutRecordsRequest, PutRecordsRequestEntry};
use kinlab::engine::kinesis::hash::{HashKey, LANES, ShardMap, hash_keys};
use kinlab::engine::kinesis::{PutEntry, PutTotals};
use kinlab::engine::limits::{Era, Limits};
use kinlab::engine::time::{VirtualDuration, VirtualTime};
use kinlab::engine::{Budget, Command, Config, Engine};

use support::Ledger;

const BATCH: usize = 500;
const RECORD_BYTES: usize = 100;
const ROUNDS: usize = 7;
const BATCHES: usize = 400;

fn main() {
    println!("PutRecords of {BATCH} x {RECORD_BYTES} B in process, limits on; records/s, best of {ROUNDS} rounds");
    let mut ledger = Ledger::new("engine");
    for shards in [4usize, 64, 1024] {
        let floor = best(|| floor(shards));
        let (put, refused) = best_with(|| put(shards));
        let typed = best(|| typed_call(shards));
        ledger.beside(&format!("put into {shards} shards"), put, "records/s", floor);
        ledger.beside(&format!("typed call into {shards} shards"), typed, "records/s", floor);
        ledger.row(&format!("refused by {shards} shards"), refused as f64, "records");
    }
    let seconds = 3u64;
    let wall = wide_stream(seconds);
    ledger.row("1,024 shards, 1,000,000 records/s", seconds as f64 / wall.as_secs_f64(), "x real time");
}

fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..ROUNDS).map(|_| run()).fold(0.0, f64::max)
}

fn best_with(mut run: impl FnMut() -> (f64, u64)) -> (f64, u64) {
    (0..ROUNDS).map(|_| run()).fold((0.0, 0), |best, this| if this.0 > best.0 { this } else { best })
}

fn keys() -> Vec<String> {
    (0..BATCH * 16).map(|i| format!("key-{i:012}")).collect()
}

/// Hash, look up, copy: the work itself without a service around it.
fn floor(shards: usize) -> f64 {
    let keys = keys();
    let data = vec![b'x'; RECORD_BYTES];
    let width = u128::MAX / shards as u128;
    let ends = (0..shards).map(|i| (if i + 1 == shards { u128::MAX } else { (i as u128 + 1) * width - 1 }, i as u32)).collect();
    let map = ShardMap::new(ends);
    let mut logs: Vec<Vec<u8>> = vec![Vec::new(); shards];
    let started = Instant::now();
    for batch in 0..BATCHES {
        let from = batch % 16 * BATCH;
        for chunk in keys[from..from + BATCH].chunks(LANES) {
            let hashes = if chunk.len() == LANES {
                let bytes: [&[u8]; LANES] = std::array::from_fn(|i| chunk[i].as_bytes());
                hash_keys(&bytes)
            } else {
                let mut hashes = [HashKey(0); LANES];
                for (hash, key) in hashes.iter_mut().zip(chunk) {
                    *hash = HashKey::of_partition_key(key);
                }
                hashes
            };
            for (key, hash) in chunk.iter().zip(hashes) {
                let shard = map.shard_of(hash).unwrap_or(0);
                let log = &mut logs[shard as usize];
                log.extend_from_slice(key.as_bytes());
                log.extend_from_slice(&data);
            }
        }
    }
    black_box(&logs);
    (BATCH * BATCHES) as f64 / started.elapsed().as_secs_f64()
}

fn world(shards: usize, scale: u64) -> Engine {
    let mut limits = Limits::of(Era::Current);
    limits.account_shards = 10_000;
    limits.shard_write_records *= scale;
    limits.shard_write_bytes *= scale;
    let mut engine = Engine::new(Config::new(1, VirtualTime::from_secs(1_600_000_000), limits));
    let create = CreateStreamRequest {
        stream_name: "bench".into(),
        shard_count: Some(shards as i32),
        stream_mode_details: None,
        tags: None,
        warm_throughput_mibps: None,
        max_record_size_in_kib: None,
        record_distribution_strategy: None,
    };
    engine.apply(&Command::Kinesis(Box::new(create.into()))).expect("a good request");
    engine.advance(engine.now() + VirtualDuration::from_secs(2), Budget::UNLIMITED);
    engine
}

/// The engine's own put path: admission, storage, sums.
fn put(shards: usize) -> (f64, u64) {
    let mut engine = world(shards, if shards < 64 { 1000 } else { 10 });
    let keys = keys();
    let data = vec![b'x'; RECORD_BYTES];
    let entries: Vec<PutEntry<'_>> = keys.iter().map(|key| PutEntry { key, explicit_hash: None, data: &data }).collect();
    let mut refused = 0;
    let started = Instant::now();
    for batch in 0..BATCHES {
        let from = batch % 16 * BATCH;
        let totals: PutTotals = engine.put_batch("bench", &entries[from..from + BATCH], |_| {}).expect("the stream exists");
        refused += totals.refused_records;
        engine.advance(engine.now() + VirtualDuration::from_millis(1), Budget::UNLIMITED);
    }
    ((BATCH * BATCHES) as f64 / started.elapsed().as_secs_f64(), refused)
}

/// The same through the typed request of the API: validation and an answer with sequence numbers.
fn typed_call(shards: usize) -> f64 {
    let mut engine = world(shards, if shards < 64 { 1000 } else { 10 });
    let requests: Vec<Command> = keys()
        .chunks(BATCH)
        .map(|keys| {
            let records = keys
                .iter()
                .map(|key| PutRecordsRequestEntry {
                    data: Blob::from(vec![b'x'; RECORD_BYTES]),
                    explicit_hash_key: None,
                    partition_key: Some(key.clone()),
                })
                .collect();
            Command::Kinesis(Box::new(PutRecordsRequest { records, stream_name: Some("bench".into()), stream_arn: None, dry_run: None }.into()))
        })
        .collect();
    let started = Instant::now();
    for batch in 0..BATCHES {
        black_box(engine.apply(&requests[batch % 16]).expect("a good request"));
        engine.advance(engine.now() + VirtualDuration::from_millis(1), Budget::UNLIMITED);
    }
    (BATCH * BATCHES) as f64 / started.elapsed().as_secs_f64()
}

/// A wide stream under a million records a second, with the real limits.
fn wide_stream(seconds: u64) -> Duration {
    let mut engine = world(1024, 1);
    let keys: Vec<String> = (0..50_000).map(|i| format!("key-{i:012}")).collect();
    let data = vec![b'x'; RECORD_BYTES];
    let entries: Vec<PutEntry<'_>> = keys.iter().map(|key| PutEntry { key, explicit_hash: None, data: &data }).collect();
    let started = Instant::now();
    for step in 0..seconds * 2000 {
        let from = (step as usize * BATCH) % 50_000;
        engine.put_batch("bench", &entries[from..from + BATCH], |_| {}).expect("the stream exists");
        engine.advance(engine.now() + VirtualDuration(500), Budget::UNLIMITED);
    }
    started.elapsed()
}
