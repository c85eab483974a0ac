//! Views built in code for tests and benches: Lab 1 throttled, resharded, paused in the past, and an empty world. Numbers are consistent with each
//! other (sums, limits, ages), so that a test can check what a screen says.

#![doc(hidden)]

use crate::engine::kinesis::hash::HashKey;
use crate::engine::time::{VirtualDuration, VirtualTime, parse_iso};
use crate::engine::view::{
    AccountingLine, CoachLine, ConsumerShardView, ConsumerView, CostLine, CostView, JournalRow, JournalView, Load, LogLine, MetricView, ProducerView,
    RecordView, ShardView, StreamView, View,
};
use crate::lab::view::{CheckState, CheckView, LabView, QuestionView, StepSummary, StepView, TimelineMark};
use crate::session::view::{ClockView, SessionView};

const STREAM: &str = "dcb-taxi-trips";
const MEAN: u64 = 460;

fn epoch() -> VirtualTime {
    parse_iso("2019-09-08T22:03:48Z").expect("a date")
}

fn at(seconds: u64) -> VirtualTime {
    epoch() + VirtualDuration::from_secs(seconds)
}

/// Start of slice `i` of `n` equal slices of the hash space.
fn slice(i: u128, n: u128) -> u128 {
    let width = u128::MAX / n;
    if i == n { u128::MAX } else { i * width + i.min(u128::MAX % n) }
}

fn shard(number: u32, from: u128, to: u128, accepted: u64, refused: u64) -> ShardView {
    let load = Load {
        accepted_bytes: accepted * MEAN,
        accepted_records: accepted,
        refused_bytes: refused * MEAN,
        refused_records: refused,
        read_bytes: 25 * MEAN,
        read_calls: 1,
    };
    let demand = u32::try_from(accepted + refused).unwrap_or(0);
    ShardView {
        id: format!("shardId-{number:012}"),
        number,
        open: true,
        hash_start: HashKey(from),
        hash_end: HashKey(to),
        load,
        history: (0..60).map(|i| demand * (700 + i * 5) / 1000 + (i * 37 + number * 11) % 40).collect(),
        records_permille: u32::try_from(accepted).unwrap_or(0),
        bytes_permille: u32::try_from(accepted * MEAN * 1000 / 1_048_576).unwrap_or(0),
        refused_permille: u32::try_from(refused).unwrap_or(0),
        behind_ms: (number == 0).then_some(187_400),
        stored_records: accepted * 180,
        last_record: Some(RecordView {
            sequence_number: format!("4959901{number}0000000000000000000000000000000000000{:05}", 12_000 + number),
            arrived: at(219) + VirtualDuration::from_millis(998),
            partition_key: (1_480_000_000 + u64::from(number) * 7_919).to_string(),
            data_bytes: 449,
            user_records: 1,
            text: "{\"vendor_id\":\"CMT\",\"pickup_datetime\":\"2010-01-02T05:21:09\",\"dropoff_datetime\":\"2010-01-02T05:31:44\",\"passenger_count\":1,\"trip_distance\":2.31,\"pickup_longitude\":-73.98,\"pickup_latitude\":40.75,\"rate_code\":1,\"total_amount\":9.8,\"trip_id\":1254311,\"type\":\"trip\"}".to_owned(),
        }),
        ..ShardView::default()
    }
}

fn stream(shards: Vec<ShardView>) -> StreamView {
    let mut load = Load::default();
    for s in &shards {
        load.accepted_bytes += s.load.accepted_bytes;
        load.accepted_records += s.load.accepted_records;
        load.refused_bytes += s.load.refused_bytes;
        load.refused_records += s.load.refused_records;
        load.read_bytes += s.load.read_bytes;
        load.read_calls += s.load.read_calls;
    }
    let stored: u64 = shards.iter().map(|s| s.stored_records).sum();
    StreamView {
        name: STREAM.to_owned(),
        status: "ACTIVE".to_owned(),
        mode: "PROVISIONED".to_owned(),
        retention_hours: 24,
        open_shards: u32::try_from(shards.iter().filter(|s| s.open).count()).unwrap_or(0),
        closed_shards: u32::try_from(shards.iter().filter(|s| !s.open).count()).unwrap_or(0),
        write_bytes_per_second: 1_048_576,
        write_records_per_second: 1000,
        read_bytes_per_second: 2_097_152,
        stored_records: stored,
        stored_bytes: stored * MEAN,
        load,
        key_density: (0..128u64).map(|i| 180_000 + (i * 7919 % 61) * 1000).collect(),
        shards,
        ..StreamView::default()
    }
}

fn log(seconds: u64, text: &str) -> LogLine {
    LogLine { at: at(seconds), text: text.to_owned() }
}

fn replay(acknowledged: u64, refused: u64, lag_ms: u64) -> ProducerView {
    ProducerView {
        name: "replay".to_owned(),
        kind: "replay".to_owned(),
        state: "running".to_owned(),
        target: STREAM.to_owned(),
        settings: "-speedup 1800 -streamName dcb-taxi-trips".to_owned(),
        offered_per_second: acknowledged + refused,
        acknowledged_per_second: acknowledged,
        refused_per_second: refused,
        acknowledged: 1_025_212,
        lost: 0,
        outstanding: 9_412,
        lag_ms,
        log: vec![
            log(60, "all events with dropoff time until 2010-01-02T00:06:00Z have been sent (5177 events/sec, PT9S replay lag)"),
            log(120, "all events with dropoff time until 2010-01-02T01:36:00Z have been sent (5640 events/sec, PT25S replay lag)"),
            log(180, "all events with dropoff time until 2010-01-02T03:06:00Z have been sent (5689 events/sec, PT41S replay lag)"),
        ],
    }
}

fn reader() -> ConsumerView {
    ConsumerView {
        name: "read-stream".to_owned(),
        kind: "get-records".to_owned(),
        state: "running".to_owned(),
        stream: STREAM.to_owned(),
        shards: vec![ConsumerShardView {
            shard: 0,
            position: "TRIM_HORIZON".to_owned(),
            state: "reading".to_owned(),
            behind_ms: 187_400,
            reads_per_second: 1,
            bytes_per_second: 25 * MEAN,
            worker: None,
        }],
        records: 900,
        bytes: 900 * MEAN,
        log: vec![log(219, "25 records, MillisBehindLatest 187400: trip 24, watermark 1")],
    }
}

fn row(sequence: u64, millis: u64, resource: &str, kind: &str, text: &str, alarm: bool) -> JournalRow {
    JournalRow {
        sequence,
        at: epoch() + VirtualDuration::from_millis(millis),
        resource: resource.to_owned(),
        kind: kind.to_owned(),
        text: text.to_owned(),
        alarm,
    }
}

fn journal() -> JournalView {
    let mut rows = vec![
        row(0, 2_000, STREAM, "created", "CreateStream with 6 shards: CREATING", false),
        row(1, 3_000, STREAM, "active", "the stream is ACTIVE, 6 open shards", false),
        row(2, 30_000, "replay", "started", "java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -speedup 1800 -streamName dcb-taxi-trips", false),
        row(3, 62_410, STREAM, "throttled", "PutRecords 500 sent, 62 ProvisionedThroughputExceededException on shardId-000000000002", true),
        row(4, 90_000, "read-stream", "started", "GetShardIterator TRIM_HORIZON on shardId-000000000000", false),
    ];
    for i in 0..40 {
        let millis = 200_000 + i * 497;
        let refused = 20 + i * 13 % 70;
        let text = if i % 3 == 2 {
            "PutRecords 500 sent, 0 failed".to_owned()
        } else {
            format!("PutRecords 500 sent, {refused} ProvisionedThroughputExceededException on shardId-{:012}", i % 6)
        };
        rows.push(row(5 + i, millis, STREAM, if i % 3 == 2 { "put" } else { "throttled" }, &text, i % 3 != 2));
    }
    JournalView { matching: rows.len() as u64, total: rows.len() as u64, rows }
}

fn series(n: u64, base: u64) -> Vec<u64> {
    (0..n).map(|i| if i < 8 { 0 } else { base * (600 + (i * i * 31 + i * 97) % 420) / 1000 }).collect()
}

fn metric(name: &str, unit: &str, base: u64) -> MetricView {
    let per_second = series(60, base);
    MetricView {
        metric: name.to_owned(),
        dimensions: format!("StreamName={STREAM}"),
        unit: unit.to_owned(),
        last_minute: per_second.iter().sum(),
        per_second,
    }
}

fn metrics() -> Vec<MetricView> {
    vec![
        metric("IncomingBytes", "Bytes", 5_700 * MEAN),
        metric("IncomingRecords", "Count", 5_700),
        metric("WriteProvisionedThroughputExceeded", "Count", 310),
        metric("PutRecords.Success", "Count", 12),
        metric("PutRecords.ThrottledRecords", "Count", 310),
        metric("GetRecords.Bytes", "Bytes", 25 * MEAN),
        metric("GetRecords.Records", "Count", 25),
        metric("GetRecords.IteratorAgeMilliseconds", "Milliseconds", 187_400),
        metric("ReadProvisionedThroughputExceeded", "Count", 0),
    ]
}

fn cost() -> CostView {
    CostView {
        total_nanodollars: 19_850_000,
        per_hour_nanodollars: 377_280_000,
        lines: vec![
            CostLine {
                item: "shard hours".to_owned(),
                quantity: "6 shards x $0.015 per hour".to_owned(),
                nanodollars: 5_500_000,
                per_hour_nanodollars: 90_000_000,
            },
            CostLine {
                item: "PUT payload units".to_owned(),
                quantity: "1 025 212 units of 25 KB, one per record".to_owned(),
                nanodollars: 14_350_000,
                per_hour_nanodollars: 287_280_000,
            },
        ],
    }
}

fn accounting() -> Vec<AccountingLine> {
    let parts = |list: &[(&str, u64)]| list.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    vec![
        AccountingLine {
            subject: "producer replay".to_owned(),
            parts: parts(&[("offered", 1_034_624), ("acknowledged", 1_025_212), ("lost", 0), ("outstanding", 9_412)]),
            balanced: true,
        },
        AccountingLine {
            subject: format!("stream {STREAM}"),
            parts: parts(&[("acknowledged", 1_025_212), ("stored", 1_025_212), ("trimmed", 0)]),
            balanced: true,
        },
    ]
}

const BODY: &str = r#"The original command of the Immersion Day replays **30 minutes of trips every second**.

```run
java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -speedup 1800 -streamName dcb-taxi-trips
```

Press `5` for the metrics and wait for two reports of the replay tool:

    all events … have been sent (5443 events/sec, PT16S replay lag)

:::see pane="shards" for="30s"
Six bars. The tick `┊` is the limit: 1 000 records/s or 1 MiB/s, whichever comes first.
:::

:::note speaker
Ask the room before anybody opens the metrics: "more shards, or bigger records?"
:::

1. Read the columns *KiB/s* and *rec/s* of one shard.
2. Which of the two percentages is near 100?
"#;

fn check(id: &str, title: &str, state: CheckState, want: &str, seen: &str, why: Option<&str>) -> CheckView {
    CheckView {
        id: id.to_owned(),
        title: title.to_owned(),
        state,
        want: want.to_owned(),
        seen: seen.to_owned(),
        why: why.map(str::to_owned),
        points: 15,
        held_permille: 0,
        met_at: (state == CheckState::Met).then(|| at(96)),
    }
}

fn lab(steps_done: usize, step: StepView) -> LabView {
    let titles =
        ["A stream is a list of hash ranges", "Start the producer", "Read what is inside", "Why does the replay fall behind?", "Scale", "Break it"];
    let ids = ["create", "produce", "read", "lag", "scale", "break"];
    LabView {
        id: "lab1-ingest".to_owned(),
        title: "Lab1 – Ingest with Kinesis Data Streams".to_owned(),
        steps: titles
            .iter()
            .zip(ids)
            .enumerate()
            .map(|(i, (t, id))| StepSummary { id: id.to_owned(), title: (*t).to_owned(), done: i < steps_done })
            .collect(),
        current: steps_done,
        step,
        points: (30, 70),
        finished: false,
        marks: vec![
            TimelineMark { at: at(3), glyph: '✓', label: "the stream is ACTIVE".to_owned() },
            TimelineMark { at: at(62), glyph: '!', label: "writes are throttled".to_owned() },
            TimelineMark { at: at(96), glyph: '✓', label: "200 000 records per minute".to_owned() },
        ],
        ends: at(600),
    }
}

fn lag_step() -> StepView {
    StepView {
        id: "lag".to_owned(),
        title: "Why does the replay fall behind?".to_owned(),
        objective: "Tell the two write limits of a shard apart by reading two numbers.".to_owned(),
        body: BODY.to_owned(),
        runs: vec!["java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -speedup 1800 -streamName dcb-taxi-trips".to_owned()],
        checks: vec![check(
            "lag-cause",
            "You know what limits the stream",
            CheckState::Waiting,
            "answer of the question which-limit = records",
            "no answer yet",
            Some("Look at the columns KiB/s and rec/s of one shard: which percentage is near 100?"),
        )],
        hints_shown: vec!["Look at the two percentages of each shard: records and bytes. Which one is near 100?".to_owned()],
        hints_total: 3,
        questions: vec![QuestionView {
            id: "which-limit".to_owned(),
            ask: "Which limit do you hit: records, bytes or reads?".to_owned(),
            choices: vec!["records".to_owned(), "bytes".to_owned(), "reads".to_owned()],
            ..QuestionView::default()
        }],
        pane: "shards".to_owned(),
        solution: Vec::new(),
        seconds: 74,
    }
}

fn clock(seconds: u64) -> ClockView {
    ClockView {
        paused: false,
        speed_percent: Some(400),
        real_percent: None,
        in_the_past: false,
        elapsed_us: seconds * 1_000_000,
        newest_us: seconds * 1_000_000,
        duration_us: 600_000_000,
    }
}

fn world(seconds: u64, stream: StreamView, producer: ProducerView) -> View {
    View {
        now: at(seconds),
        epoch: epoch(),
        seed: 20_100_101,
        era: "deck-2018".to_owned(),
        streams: vec![stream],
        deliveries: Vec::new(),
        functions: Vec::new(),
        buckets: Vec::new(),
        applications: Vec::new(),
        producers: vec![producer],
        consumers: vec![reader()],
        journal: journal(),
        cost: cost(),
        coach: Vec::new(),
        accounting: accounting(),
        metrics: metrics(),
        events: 188_204,
        journal_hash: "5f1d0c".to_owned(),
        ..View::default()
    }
}

/// Lab 1, step 4: six shards at 95 % of the records limit, with refusals, the replay 41 s behind, a coach line.
pub fn lab1_throttled() -> SessionView {
    let accepted = [948, 951, 1000, 944, 952, 939];
    let refused = [12, 0, 214, 0, 31, 0];
    let shards =
        (0..6u32).map(|i| shard(i, slice(u128::from(i), 6), slice(u128::from(i) + 1, 6).wrapping_sub(1), accepted[i as usize], refused[i as usize]));
    let mut shards: Vec<ShardView> = shards.collect();
    if let Some(last) = shards.last_mut() {
        last.hash_end = HashKey::MAX;
    }
    shards[2].hot_key = Some(("user-37".to_owned(), 620));
    let mut world = world(220, stream(shards), replay(5_734, 257, 41_000));
    world.coach = vec![CoachLine {
        lint: "hot-shard".to_owned(),
        resource: "shardId-000000000002".to_owned(),
        text: "Shard 0002 takes 121 % of its write limit, the others 94 to 98 %: one key, user-37, carries 62 % of its records.".to_owned(),
        since: at(62),
    }];
    SessionView {
        world,
        lab: lab(3, lag_step()),
        clock: clock(220),
        notices: vec!["The replay prints PTnS replay lag. Is it growing?".to_owned()],
        ..SessionView::default()
    }
}

/// Lab 1, step 5: twelve children, six closed parents, no refusal, a check that holds.
pub fn lab1_resharded() -> SessionView {
    let mut shards: Vec<ShardView> = (0..12u32)
        .map(|i| {
            let mut s = shard(6 + i, slice(u128::from(i), 12), slice(u128::from(i) + 1, 12).wrapping_sub(1), 655 + u64::from(i % 5) * 9, 0);
            s.parent = Some(i / 2);
            s.behind_ms = Some(300 + u64::from(i) * 20);
            s
        })
        .collect();
    if let Some(last) = shards.last_mut() {
        last.hash_end = HashKey::MAX;
    }
    shards.extend((0..6u32).map(|i| {
        let mut s = shard(i, slice(u128::from(i), 6), slice(u128::from(i) + 1, 6).wrapping_sub(1), 0, 0);
        s.open = false;
        s.load = Load::default();
        s.history.clear();
        s.stored_records = 171_000;
        s.behind_ms = None;
        s
    }));
    let mut world = world(405, stream(shards), replay(7_930, 0, 0));
    world.producers[0].outstanding = 412;
    world.producers[0]
        .log
        .push(log(360, "all events with dropoff time until 2010-01-02T08:36:00Z have been sent (7912 events/sec, PT0S replay lag)"));
    if let Some(c) = world.consumers.first_mut() {
        c.shards = (6..9u32)
            .map(|n| ConsumerShardView {
                shard: n,
                position: "TRIM_HORIZON".to_owned(),
                state: if n == 8 { "waiting-for-parents" } else { "reading" }.to_owned(),
                behind_ms: u64::from(n - 6) * 700,
                reads_per_second: 2,
                bytes_per_second: 290_000,
                worker: None,
            })
            .collect();
    }
    let step = StepView {
        id: "scale".to_owned(),
        title: "Scale".to_owned(),
        objective: "Carry the full replay: twice the shards, or fewer and larger records.".to_owned(),
        body: "Double the shards:\n\n```run\naws kinesis update-shard-count --stream-name dcb-taxi-trips --target-shard-count 12 --scaling-type UNIFORM_SCALING\n```\n\n:::transfer\nOn AWS a reshard of this size takes about a minute; you pay $0.18 per hour for 12 shards.\n:::\n".to_owned(),
        runs: vec!["aws kinesis update-shard-count --stream-name dcb-taxi-trips --target-shard-count 12 --scaling-type UNIFORM_SCALING".to_owned()],
        checks: vec![
            CheckView { held_permille: 640, ..check("no-throttle", "Two minutes without a throttled write, replay lag below 2 s", CheckState::Partial, "throttled = 0, lag < 2 s, 300 000 records per minute, for 120 s", "throttled 0, lag 0 s, 475 800 records per minute", None) },
            check("conserved", "No trip lost: sent = stored", CheckState::Met, "producer-conservation holds", "1 025 212 = 1 025 212", None),
            check("six", "The stream had 6 shards at the start", CheckState::Failed, "open shards = 6", "12", Some("It was met at 22:05:24 and is no more.")),
        ],
        hints_total: 2,
        pane: "shards".to_owned(),
        seconds: 185,
        ..StepView::default()
    };
    SessionView { world, lab: lab(4, step), clock: clock(405), notices: Vec::new(), ..SessionView::default() }
}

/// The learner went back to minute 2 and paused; a partition key is probed.
pub fn lab1_past() -> SessionView {
    let mut view = lab1_throttled();
    view.world.now = at(120);
    view.clock = ClockView {
        paused: true,
        speed_percent: Some(6400),
        real_percent: Some(4150),
        in_the_past: true,
        elapsed_us: 120_000_000,
        newest_us: 220_000_000,
        duration_us: 600_000_000,
    };
    if let Some(stream) = view.world.streams.first_mut() {
        let hash = HashKey::of_partition_key("user-37");
        let shard_id = stream.shards.iter().find(|s| s.hash_start <= hash && hash <= s.hash_end).map_or(String::new(), |s| s.id.clone());
        stream.probe = Some(crate::engine::view::KeyProbe { partition_key: "user-37".to_owned(), hash, shard_id });
    }
    view
}

/// The first second of the lab: no stream, nobody runs.
pub fn empty() -> SessionView {
    let mut producer = replay(0, 0, 0);
    "stopped".clone_into(&mut producer.state);
    producer.log.clear();
    producer.acknowledged = 0;
    producer.outstanding = 0;
    let step = StepView {
        id: "create".to_owned(),
        title: "A stream is a list of hash ranges".to_owned(),
        objective: "Create a stream with six shards.".to_owned(),
        body: "Type it, or choose it here and press Enter:\n\n```run\naws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6\n```\n"
            .to_owned(),
        runs: vec!["aws kinesis create-stream --stream-name dcb-taxi-trips --shard-count 6".to_owned()],
        checks: vec![check(
            "created",
            "Stream dcb-taxi-trips is ACTIVE with 6 open shards",
            CheckState::Waiting,
            "status ACTIVE, open shards 6",
            "",
            None,
        )],
        hints_total: 2,
        ..StepView::default()
    };
    let world = View { now: at(0), epoch: epoch(), seed: 20_100_101, era: "deck-2018".to_owned(), producers: vec![producer], ..View::default() };
    let mut lab = lab(0, step);
    lab.marks.clear();
    SessionView { world, lab, clock: clock(0), notices: Vec::new(), ..SessionView::default() }
}
