//! A story is what a swarm does to a lab, decided before anything is played: so it can be played in other ways, and made shorter when it fails.

use kinlab::lab::Lab;
use serde_json::Value;

use super::dice::Dice;
use super::requests;

/// One thing done.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// A line is typed.
    Line(String),
    /// A client of the endpoint asks: service, operation and body.
    Ask(&'static str, &'static str, Value),
    /// So many microseconds pass.
    Wait(u64),
    /// Back by so many microseconds: what follows is done in the past and begins another future.
    Back(u64),
    /// To the newest instant.
    Now,
    /// The step is reset, its solution applied, the next one begun.
    Reset,
    Solve,
    Next,
    /// A hint is taken.
    Hint,
}

/// A story of a lab.
#[derive(Debug, Clone)]
pub struct Story {
    pub lab: &'static str,
    pub seed: u64,
    pub clients: bool,
    pub deeds: Vec<Deed>,
}

const LABS: [&str; 7] = ["lab0", "lab1", "lab2", "lab2", "lab3", "lab3", "lab3"];

/// Lines that belong to no lab's solution.
const LINES: [&str; 46] = [
    "fault s3 ${bucket} unavailable 20s",
    "fault s3 ${bucket} denied 5s",
    "fault slow NYCTaxiTrips 400ms 20s",
    "fault fail NYCTaxiTrips 10s",
    "fault destination nyc-taxi-trips reject 300 10s",
    "fault destination nyc-taxi-trips unreachable",
    "fault end s3 ${bucket}",
    "fault end fail NYCTaxiTrips",
    "fault end slow NYCTaxiTrips",
    "fault",
    "aws kinesis create-stream --stream-name alpha --shard-count 3",
    "aws kinesis create-stream --stream-name beta --stream-mode-details StreamMode=ON_DEMAND",
    "aws kinesis update-shard-count --stream-name ${stream} --target-shard-count 5 --scaling-type UNIFORM_SCALING",
    "aws kinesis put-record --stream-name ${stream} --partition-key a --data bm90IGpzb24=",
    "aws kinesis get-shard-iterator --stream-name ${stream} --shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON",
    "aws kinesis get-records --limit 3 --shard-iterator $ITERATOR",
    "aws kinesis register-stream-consumer --stream-arn arn:aws:kinesis:us-east-1:123456789012:stream/${stream} --consumer-name fan",
    "aws kinesis delete-stream --stream-name ${stream} --enforce-consumer-deletion",
    "aws kinesis create-stream --stream-name ${stream} --shard-count 2",
    "aws lambda invoke --function-name NYCTaxiTrips --payload '{\"Records\":[]}' out.json",
    "aws lambda create-event-source-mapping --function-name NYCTaxiTrips --batch-size 10 --starting-position TRIM_HORIZON --bisect-batch-on-function-error --maximum-retry-attempts 2 --parallelization-factor 2 --event-source-arn arn:aws:kinesis:us-east-1:123456789012:stream/${stream}",
    "aws lambda put-function-concurrency --function-name NYCTaxiTrips --reserved-concurrent-executions 1",
    "aws firehose create-delivery-stream --delivery-stream-name drain --extended-s3-destination-configuration RoleARN=arn:aws:iam::123456789012:role/r,BucketARN=arn:aws:s3:::${bucket},CompressionFormat=GZIP",
    "aws firehose put-record --delivery-stream-name drain --record Data=aGVsbG8K",
    "aws firehose delete-delivery-stream --delivery-stream-name drain --allow-force-delete",
    "aws s3 rb s3://${bucket} --force",
    "aws s3 mb s3://${bucket}",
    "aws s3 ls s3://${bucket} --recursive",
    "aws s3 rm s3://${bucket} --recursive",
    "rule NYCTaxiTrips type == 'trip'",
    "rule NYCTaxiTrips type ==",
    "flush nyc-taxi-trips",
    "app run ${app} sql/01-clean.sql",
    "app run ${app} sql/01-clean.sql sql/02-stats.sql sql/03-anomaly.sql sql/04-enrich.sql",
    "app run ${app} nothing.sql",
    "app column ${app} trip_id VARCHAR(3)",
    "app rows ${app} CLEANED_TRIPS",
    "app sync ${app}",
    "producer replay stop",
    "producer replay start",
    "producer replay key const same",
    "producer replay rate 3",
    "read-stream",
    "query \"select count(*) from nyctaxitrips\"",
    "answer zeros learning",
    "initials xy",
];

/// Replays are slow enough that a seed takes little time.
const REPLAY: &str = "java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamRegion us-east-1 -speedup 30 -streamName ${stream}";

/// The story of a seed.
pub fn of(seed: u64, load: impl Fn(&str) -> Lab) -> Story {
    let mut dice = Dice(seed);
    let lab = *dice.one_of(&LABS);
    let clients = dice.roll(5) == 0;
    let steps: Vec<Vec<String>> = load(lab).steps.iter().map(|step| step.spec.solution.clone()).collect();
    let mut deeds = Vec::new();
    // Part of the labs' own way, so that there is something to break.
    for line in steps.iter().take(dice.roll(steps.len() as u64 + 1) as usize).flatten() {
        if dice.percent(95) {
            deeds.push(known(line));
        }
    }
    for _ in 0..25 {
        let deed = match dice.roll(20) {
            0..=5 => {
                let operation = requests::operation(&mut dice);
                let body = requests::body(&mut dice, operation);
                if clients && dice.percent(60) { Deed::Ask(operation.service(), operation.name(), body) } else { Deed::Line(typed(operation, &body)) }
            }
            6..=9 => Deed::Line((*dice.one_of(&LINES)).to_owned()),
            10 => Deed::Line(REPLAY.to_owned()),
            11 if !steps.is_empty() => {
                let step = dice.one_of(&steps).clone();
                if step.is_empty() { Deed::Hint } else { known(dice.one_of::<String>(&step)) }
            }
            12 => Deed::Line(mutated(&mut dice)),
            13 => Deed::Back(dice.roll(40_000_000)),
            14 => dice.one_of(&[Deed::Now, Deed::Reset, Deed::Solve, Deed::Next, Deed::Hint]).clone(),
            15 => Deed::Wait(dice.roll(30_000_000)),
            _ => Deed::Wait(dice.roll(3_000_000)),
        };
        deeds.push(deed);
    }
    deeds.push(Deed::Wait(1_000_000 + dice.roll(5_000_000)));
    Story { lab, seed, clients, deeds }
}

/// A line of a solution; what replays at full rate becomes slower.
fn known(line: &str) -> Deed {
    if let Some(seconds) = line.strip_prefix("run ").and_then(|text| text.strip_suffix('s')).and_then(|text| text.parse::<u64>().ok()) {
        return Deed::Wait(seconds.min(6) * 1_000_000);
    }
    Deed::Line(if line.starts_with("java ") { REPLAY.to_owned() } else { line.to_owned() })
}

/// The request as a line of the CLI.
fn typed(operation: kinlab::api::Operation, body: &Value) -> String {
    let mut name = String::new();
    for (index, character) in operation.name().char_indices() {
        if character.is_uppercase() && index > 0 {
            name.push('-');
        }
        name.extend(character.to_lowercase());
    }
    format!("aws {} {name} --cli-input-json '{}'", operation.service(), body.to_string().replace('\'', "\\u0027"))
}

/// A known line with something wrong in it.
fn mutated(dice: &mut Dice) -> String {
    let mut line: Vec<char> = dice.one_of(&LINES).chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(line.len() as u64) as usize;
        match dice.roll(4) {
            0 => drop(line.remove(at)),
            1 => line.insert(at, *dice.one_of(&['"', '\'', '$', '{', '\\', ' ', '-', '\u{0}', '☃', '('])),
            2 => line.truncate(at.max(1)),
            _ => line.swap(at, 0),
        }
        if line.is_empty() {
            line.push('x');
        }
    }
    line.into_iter().collect()
}
