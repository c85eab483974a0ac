//! Lab1's figures: six shards, the day curve of 2010, the replay tool. Each within 15 % of the original's (`docs/fidelity.md`).
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use kinlab::api::kinesis::*;
use kinlab::engine::generate::{Arrivals, ArrivalsKind, Generator, GeneratorSpec, RateSpec};
use kinlab::engine::limits::{Era, Limits};
use kinlab::engine::producers::settings::Watermarks;
use kinlab::engine::producers::{Overrides, ProducerKind, Settings, Source};
use kinlab::engine::time::{VirtualDuration, VirtualTime};
use kinlab::engine::{Budget, Command, Config, Engine, WorldCommand};

fn files(name: &str) -> Option<Arc<[u8]>> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("labs/lab1-ingest").join(name)).ok().map(Into::into)
}

fn world(speedup: u64, shards: i32, aggregate: bool) -> Engine {
    let mut engine = Engine::new(Config::new(20_100_101, VirtualTime::from_secs(1_567_980_228), Limits::of(Era::Deck2018)));
    let spec: GeneratorSpec = toml::from_str(include_str!("support/trip.toml")).expect("valid TOML");
    let generator = Generator::compile("trip", &spec, 20_100_101, &files).expect("compiles");
    let origin = generator.event_origin().expect("has event time");
    let id = engine.define_generator("trip", generator).expect("room");
    let rate: RateSpec =
        toml::from_str("shape = \"profile\"\nfile = \"data/nyc-2010-hourly.csv\"\nper_day = 386000\nspeedup = 1800").expect("valid TOML");
    let arrivals = Arrivals::compile(&rate, ArrivalsKind::Poisson, 20_100_101, "replay", origin, &files).expect("compiles");
    let mut settings = Settings::new(ProducerKind::Replay, "taxi");
    settings.record_ttl = Some(VirtualDuration::from_secs(60));
    settings.report = Some(VirtualDuration::from_secs(60));
    settings.watermark = Some(Watermarks {
        every: VirtualDuration::SECOND,
        every_records: 20_000,
        payload: r#"{"watermark":"${watermark}","type":"watermark"}"#.into(),
        per_shard: true,
    });
    engine.define_producer("replay", settings, Source::generated("trip", id, arrivals, Some(origin)));
    let create = CreateStreamRequest { stream_name: "taxi".into(), shard_count: Some(shards), ..CreateStreamRequest::default() };
    engine.apply(&Command::Kinesis(Box::new(create.into()))).expect("a good request");
    engine.advance(engine.now() + VirtualDuration::from_secs(2), Budget::UNLIMITED);
    let overrides = Overrides { speedup_permille: Some(speedup * 1000), aggregate: Some(aggregate), ..Overrides::default() };
    engine.apply(&Command::World(WorldCommand::StartProducer { producer: "replay".into(), overrides })).expect("starts");
    engine
}

fn minutes(engine: &mut Engine, count: u64) -> Vec<String> {
    engine.advance(engine.now() + VirtualDuration::from_secs(60 * count + 1), Budget::UNLIMITED);
    assert_eq!(engine.broken_rule(), None);
    engine.producer("replay").expect("defined").log().filter(|line| line.text.contains("replay lag")).map(|line| line.text.clone()).collect()
}

/// (events/s, lag in seconds) of each report.
fn figures(lines: &[String]) -> Vec<(f64, f64)> {
    lines
        .iter()
        .map(|line| {
            let rate = line.split('(').nth(1).and_then(|rest| rest.split(' ').next()).and_then(|text| text.parse().ok()).expect("a rate");
            let lag = line.split("PT").nth(1).and_then(|rest| rest.split('S').next()).and_then(|text| text.parse().ok()).expect("a lag");
            (rate, lag)
        })
        .collect()
}

fn within(found: f64, wanted: f64) -> bool {
    // The report prints whole seconds: half of one is not an error.
    (found - wanted).abs() <= wanted * 0.15 + 0.5
}

#[test]
fn speedup_1440_falls_behind_slowly() {
    let lines = minutes(&mut world(1440, 6, false), 3);
    println!("{lines:#?}");
    for ((rate, lag), (wanted_rate, wanted_lag)) in figures(&lines).into_iter().zip([(5000.0, 7.0), (5700.0, 10.0), (5700.0, 13.0)]) {
        assert!(within(rate, wanted_rate) && within(lag, wanted_lag), "{rate} events/s, lag {lag}: {lines:#?}");
    }
}

#[test]
fn speedup_1800_is_hopeless() {
    let lines = minutes(&mut world(1800, 6, false), 4);
    println!("{lines:#?}");
    for ((_, lag), wanted) in figures(&lines).into_iter().zip([16.0, 32.0, 47.0, 64.0]) {
        assert!(within(lag, wanted), "lag {lag}, wanted {wanted}: {lines:#?}");
    }
}

#[test]
fn twelve_shards_or_aggregation_cure_it() {
    for (shards, aggregate) in [(12, false), (6, true)] {
        let mut engine = world(1800, shards, aggregate);
        let lines = minutes(&mut engine, 3);
        println!("{lines:#?}");
        for (rate, lag) in figures(&lines) {
            assert!(lag < 2.0 && rate > 5000.0, "{shards} shards, aggregate {aggregate}: {lines:#?}");
        }
        let producer = engine.producer("replay").expect("defined");
        assert_eq!(producer.total.lost, 0);
        if aggregate {
            assert!(producer.total.acknowledged > 20 * producer.total.stored, "aggregates hold many trips");
        }
    }
}

#[test]
fn a_trip_has_the_size_and_the_means_of_the_original() {
    let spec: GeneratorSpec = toml::from_str(include_str!("support/trip.toml")).expect("valid TOML");
    let generator = Generator::compile("trip", &spec, 20_100_101, &files).expect("compiles");
    let (mut bytes, mut passengers, mut total) = (0usize, 0.0, 0.0);
    let count = 20_000;
    for index in 0..count {
        let mut out = Vec::new();
        generator.write(index, VirtualTime::from_secs(1_262_385_360 + index / 4), &mut out);
        bytes += out.len();
        let trip: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        passengers += trip["passenger_count"].as_f64().expect("a number");
        total += trip["total_amount"].as_f64().expect("a number");
    }
    let n = count as f64;
    println!("{} B, {} passengers, ${}", bytes as f64 / n, passengers / n, total / n);
    assert!((bytes as f64 / n - 450.0).abs() < 7.0, "{}", bytes as f64 / n);
    assert!((passengers / n - 1.59).abs() < 0.05, "{}", passengers / n);
    assert!((total / n - 10.26).abs() < 0.6, "{}", total / n);
}
