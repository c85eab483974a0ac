//! How long a trip of Lab1 takes to make, to key, to hash: `cargo bench --bench generate`. Best of several rounds.
#![allow(clippy::disallowed_methods, reason = "a bench measures wall time")]

mod support;

use std::hint::black_box;
use std::time::Instant;

use kinlab::engine::generate::{Generator, java_hash};
use kinlab::engine::time::VirtualTime;
use kinlab::lab::{Lab, embedded};

use support::Ledger;

fn best(ledger: &mut Ledger, what: &str, mut run: impl FnMut(u64)) {
    const COUNT: u64 = 200_000;
    let mut least = f64::MAX;
    for round in 0..5u64 {
        let started = Instant::now();
        for index in 0..COUNT {
            run(round * COUNT + index);
        }
        least = least.min(started.elapsed().as_secs_f64() * 1e9 / COUNT as f64);
    }
    ledger.row(what, least, "ns");
}

fn main() {
    let mut ledger = Ledger::new("generate");
    let (_, files) = embedded::find("lab1").expect("embedded");
    let lab = Lab::load(&files).expect("a good lab");
    let read = |name: &str| lab.file(name);
    let generator = Generator::compile("trip", &lab.scenario.generator["trip"], 1, &read).expect("compiles");
    let mut out = Vec::with_capacity(1024);
    let mut key = String::new();
    best(&mut ledger, "make a trip", |index| {
        out.clear();
        generator.write(index, VirtualTime::from_secs(1_262_385_360 + index / 4), &mut out);
        black_box(&out);
    });
    let data = out.clone();
    best(&mut ledger, "Java hash", |_| {
        black_box(java_hash(black_box(&data)));
    });
    best(&mut ledger, "partition key", |index| {
        key.clear();
        generator.partition_key(index, &data, &mut key);
        black_box(&key);
    });
}
