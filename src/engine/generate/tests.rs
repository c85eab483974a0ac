//! Tests of the generators, with the trip of Lab1 as the example.

use std::sync::Arc;

use super::*;
use crate::engine::time::VirtualDuration;

const BOXES: &str =
    "weight,lon_min,lon_max,lat_min,lat_max\n0.9,-74.010000,-73.950000,40.720000,40.790000\n0.1,-73.790000,-73.770000,40.640000,40.650000\n";

fn files(name: &str) -> Option<Arc<[u8]>> {
    match name {
        "boxes.csv" => Some(BOXES.as_bytes().into()),
        "hours.csv" => Some((0..24).map(|hour| format!("{hour},{}\n", hour + 1)).collect::<String>().into_bytes().into()),
        "vendors.csv" => Some(b"id,name,fee\nCMT,Creative,1.5\nVTS,Verifone,2\n".as_slice().into()),
        _ => None,
    }
}

fn compile(toml: &str) -> Result<Generator, GenerateError> {
    let spec: GeneratorSpec = toml::from_str(toml).expect("valid TOML");
    Generator::compile("g", &spec, 42, &files)
}

fn record(generator: &Generator, index: u64) -> String {
    let mut out = Vec::new();
    generator.write(index, VirtualTime::from_secs(1_262_385_360 + index), &mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn every_kind_makes_valid_json_and_the_same_bytes_again() {
    let generator = compile(
        r#"
        key = { kind = "field", field = "id" }
        field = [
          { name = "id", gen = { kind = "seq", start = 5, step = 2, jump_every = 3, jump = 100 } },
          { name = "kind", gen = { kind = "choice", values = ["a", 1, true], weights = [2, 1, 1] } },
          { name = "n", gen = { kind = "uniform", min = 1, max = 6 } },
          { name = "price", round = 2, gen = { kind = "lognormal", mu = 3.0, sigma = 0.5, min = 1.0 } },
          { name = "total", round = 2, gen = { kind = "expr", expr = "price * n + hidden" } },
          { name = "hidden", hidden = true, gen = { kind = "normal", mean = 10, sd = 1 } },
          { name = "at", gen = { kind = "event-time", start = "2010-01-01T22:36:00Z" } },
          { name = "before", gen = { kind = "expr", expr = "at - 60" } },
          { name = "lon", gen = { kind = "geo", boxes = "boxes.csv", axis = "lon" } },
          { name = "who", gen = { kind = "zipf", n = 100, s = 1.1, prefix = "user-" } },
          { name = "w", gen = { kind = "walk", start = 100, step = 0.5 } },
          { name = "u", gen = { kind = "uuid" } },
          { name = "city", gen = { kind = "faker", helper = "address.city" } },
          { name = "mail", gen = { kind = "faker", helper = "internet.email" } },
          { name = "vendor", gen = { kind = "lookup", file = "vendors.csv", column = "name" } },
          { name = "fee", gen = { kind = "lookup", file = "vendors.csv", column = "fee", by = "code" } },
          { name = "code", gen = { kind = "const", value = "VTS" } },
          { name = "state", gen = { kind = "state", entities = 3, length = 4, states = { start = { busy = 1 }, busy = { busy = 3, done = 1 }, done = {} } } },
          { name = "sometimes", omit = 0.5, null = 0.5, gen = { kind = "const", value = true } },
        ]
        "#,
    )
    .expect("compiles");
    for index in 0..500 {
        let text = record(&generator, index);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(text, record(&generator, index), "made again");
        assert_eq!(value["id"], 5 + 2 * index + index / 3 * 100);
        assert_eq!(value["fee"], 2);
        assert!(value.get("hidden").is_none());
        let mut key = String::new();
        generator.partition_key(index, text.as_bytes(), &mut key);
        assert_eq!(key, value["id"].to_string());
    }
    assert!(record(&generator, 0).contains(r#""at":"2010-01-01T22:36:00Z","before":"2010-01-01T22:35:00Z""#), "{}", record(&generator, 0));
}

#[test]
fn another_field_does_not_change_the_others() {
    let one = compile(r#"field = [{ name = "a", gen = { kind = "uniform", min = 0, max = 1000000 } }]"#).expect("compiles");
    let two = compile(r#"field = [{ name = "b", gen = { kind = "uuid" } }, { name = "a", gen = { kind = "uniform", min = 0, max = 1000000 } }]"#)
        .expect("compiles");
    for index in 0..50 {
        let a = |generator: &Generator| serde_json::from_str::<serde_json::Value>(&record(generator, index)).expect("JSON")["a"].clone();
        assert_eq!(a(&one), a(&two));
    }
}

#[test]
fn errors_say_where_and_what() {
    let error = |toml: &str| compile(toml).expect_err("wrong").to_string();
    assert_eq!(
        error(r#"field = [{ name = "a", gen = { kind = "expr", expr = "bb + 1" } }, { name = "b", gen = { kind = "expr", expr = "a" } }]"#),
        "field[0].gen.expr: column 1: no field is named 'bb'; did you mean 'b'?"
    );
    assert_eq!(
        error(r#"field = [{ name = "a", gen = { kind = "expr", expr = "b" } }, { name = "b", gen = { kind = "expr", expr = "a" } }]"#),
        "field[0].gen: 'a' depends on itself"
    );
    assert_eq!(error(r#"field = [{ name = "a", omit = 2, gen = { kind = "uuid" } }]"#), "field[0].omit: 2 is no share; write a number from 0 to 1");
    assert_eq!(
        error(r#"template = "x {{random.nunber(5)}}""#),
        "template: line 1, column 3: no helper is named 'random.nunber'; did you mean random.number?"
    );
    assert!(error(r#"template = "x {{random.number(5)""#).contains("without '}}'"));
    assert!(error("field = []").contains("at least one field"));
    assert!(error(r#"field = [{ name = "a", gen = { kind = "geo", boxes = "none.csv", axis = "lon" } }]"#).contains("none.csv does not exist"));
}

#[test]
fn the_data_generators_templates_run_unchanged() {
    let generator = compile(
        r#"template = '''{"sensorId": {{random.number(50)}}, "temp": {{random.number({"min":10,"max":150})}}, "status": "{{random.weightedArrayElement({"weights":[0.3,0.7],"data":["FAIL","OK"]})}}", "at": "{{date.now("YYYY-MM-DD HH:mm:ss")}}", "who": "{{name.firstName}}", "ip": "{{internet.ip}}", "id": "{{random.uuid}}"}'''"#,
    )
    .expect("compiles");
    let mut fails = 0;
    for index in 0..2000 {
        let value: serde_json::Value = serde_json::from_str(&record(&generator, index)).expect("JSON");
        assert!(value["sensorId"].as_u64().expect("a number") <= 50);
        assert!((10..=150).contains(&value["temp"].as_u64().expect("a number")));
        fails += u32::from(value["status"] == "FAIL");
    }
    assert!((500..700).contains(&fails), "{fails}");
    assert!(record(&generator, 0).contains(r#""at": "2010-01-01 22:36:00""#), "{}", record(&generator, 0));
}

#[test]
fn changes_make_new_versions_and_leave_the_old_one() {
    let generator = compile(r#"field = [{ name = "a", gen = { kind = "const", value = 1 } }, { name = "b", gen = { kind = "const", value = 2 } }]"#)
        .expect("compiles");
    let change: Change = toml::from_str("rename = { a = \"z\" }\nremove = [\"b\"]").expect("valid TOML");
    let next = generator.with_change(&change).expect("a good change");
    assert_eq!((record(&generator, 0).as_str(), record(&next, 0).as_str()), (r#"{"a":1,"b":2}"#, r#"{"z":1}"#));
    let defect: Change = toml::from_str("defect = { rate = 0.25, set = { a = 0.0 } }").expect("valid TOML");
    let flawed = generator.with_change(&defect).expect("a good change");
    let share = (0..4000).filter(|index| record(&flawed, *index).contains("\"a\":0.0")).count();
    assert!((900..1100).contains(&share), "{share}");
    assert!(generator.with_change(&toml::from_str("remove = [\"nope\"]").expect("valid TOML")).is_err());
}

#[test]
fn java_hashes_are_those_of_java() {
    assert_eq!(java_hash(b""), 0);
    assert_eq!(java_hash(b"hello"), 99_162_322);
    assert_eq!(java_hash(b"The quick brown fox jumps over the lazy dog"), -609_428_141);
}

#[test]
fn a_profile_gives_its_day_and_a_poisson_slot_does_not_depend_on_the_others() {
    let spec: RateSpec = toml::from_str("shape = \"profile\"\nfile = \"hours.csv\"\nper_day = 380000\nspeedup = 1800").expect("valid TOML");
    let arrivals = Arrivals::compile(&spec, ArrivalsKind::Poisson, 7, "p", VirtualTime::from_secs(1_262_385_360), &files).expect("compiles");
    assert_eq!(arrivals.speedup_permille(), Some(1_800_000));
    let mut day = arrivals.clone();
    let mut total = 0;
    let mut last = 0;
    while day.axis() < 86_400_000_000 {
        let slot = day.next_slot(1000);
        assert!(slot.offsets.iter().all(|at| (slot.from..slot.to).contains(at)));
        assert!(slot.offsets.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(slot.offsets.first().is_none_or(|first| *first >= last));
        last = slot.offsets.last().copied().unwrap_or(last);
        total += slot.offsets.len();
    }
    assert!((total as f64 / 380_000.0 - 1.0).abs() < 0.01, "{total}");
    let mut sought = arrivals.clone();
    sought.seek(VirtualDuration::from_secs(3600).0);
    let mut walked = arrivals;
    for _ in 0..60 {
        walked.next_slot(1000);
    }
    assert_eq!(sought.index(), walked.index());
    assert_eq!(sought.next_slot(1000).offsets, walked.next_slot(1000).offsets);
}

#[test]
fn regular_arrivals_carry_their_remainder() {
    let spec: RateSpec = toml::from_str("shape = \"constant\"\nper_second = 3.3").expect("valid TOML");
    let mut arrivals = Arrivals::compile(&spec, ArrivalsKind::Regular, 7, "p", VirtualTime(0), &files).expect("compiles");
    let total: usize = (0..1000).map(|_| arrivals.next_slot(1000).offsets.len()).sum();
    assert_eq!(total, 330, "100 seconds of 3.3 per second");
    let half: usize = (0..1000).map(|_| arrivals.next_slot(500).offsets.len()).sum();
    assert_eq!(half, 165);
}
