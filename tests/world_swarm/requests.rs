//! Random requests of every operation of every service, made from the models that the program itself validates with.

use kinlab::api::shape::{Kind, Member, ModelYear, Shape};
use kinlab::api::{Operation, model};
use serde_json::{Map, Number, Value, json};

use super::dice::Dice;

/// Structures in structures at most.
const DEPTH_MAX: u32 = 6;

/// An operation of any service; data streams twice as often as each other one.
pub fn operation(dice: &mut Dice) -> Operation {
    let services: Vec<&str> = ["kinesis", "kinesis"].into_iter().chain(model::Service::all().iter().map(|service| service.name)).collect();
    let service = *dice.one_of(&services);
    let operations = Operation::of_service(service, ModelYear::Current).expect("a service that is listed is there");
    *dice.one_of(&operations)
}

/// A body for an operation: mostly valid, with names that exist in the labs; sometimes not.
pub fn body(dice: &mut Dice, operation: Operation) -> Value {
    members(dice, operation.members(), 0)
}

fn members(dice: &mut Dice, all: &[Member], depth: u32) -> Value {
    let mut object = Map::new();
    for member in all {
        let chance = if member.is_required(ModelYear::Current) { 97 } else { 22 };
        if dice.percent(chance) && depth < DEPTH_MAX {
            object.insert(member.name.to_owned(), value(dice, member.name, member.shape, depth));
        }
    }
    Value::Object(object)
}

fn value(dice: &mut Dice, name: &str, shape: &Shape, depth: u32) -> Value {
    // A wrong type or null now and then: the answer is an error, never a fault of the program.
    if dice.roll(150) == 0 {
        return dice.one_of(&[Value::Null, json!(7), json!("text"), json!([]), json!({}), json!(-0.5), json!(true)]).clone();
    }
    let span = shape.span(ModelYear::Current);
    match shape.kind {
        Kind::Text(_) => Value::String(text(dice, name)),
        Kind::Word(words) => json!(dice.one_of(words)),
        Kind::Blob => json!(dice.one_of(&["", "aGVsbG8=", "eyJ0eXBlIjoidHJpcCJ9", "bm90IGpzb24=", "H4sIAAAAAAAA"])),
        Kind::Boolean => json!(dice.percent(50)),
        Kind::Integer => {
            let (least, greatest) = (span.min.unwrap_or(-2), span.max.unwrap_or(100_000));
            json!(match dice.roll(8) {
                0 => least,
                1 => greatest,
                2 => least - 1,
                3 => greatest.saturating_add(1),
                _ => least.saturating_add(dice.roll(8) as i64),
            })
        }
        Kind::Double => Number::from_f64(dice.roll(4000) as f64 / 16.0 - 20.0).map_or(Value::Null, Value::Number),
        Kind::Timestamp => json!(1_262_385_300 + dice.roll(7200)),
        Kind::List(item) => {
            let count = dice.roll(4);
            Value::Array((0..count).map(|_| value(dice, name, item, depth + 1)).collect())
        }
        Kind::Map(_, item) => {
            let count = dice.roll(3);
            Value::Object((0..count).map(|index| (format!("k{index}"), value(dice, name, item, depth + 1))).collect())
        }
        Kind::Structure(all) => members(dice, all, depth + 1),
    }
}

const ROLE: &str = "arn:aws:iam::123456789012:role/${initials}-firehose-role";

/// Text for a member: names of what the labs have where the member's name says so.
fn text(dice: &mut Dice, name: &str) -> String {
    const ARNS: [&str; 6] = [
        "arn:aws:kinesis:us-east-1:123456789012:stream/${stream}",
        "arn:aws:kinesis:us-east-1:123456789012:stream/alpha",
        "arn:aws:lambda:us-east-1:123456789012:function:NYCTaxiTrips",
        "arn:aws:firehose:us-east-1:123456789012:deliverystream/nyc-taxi-trips",
        "arn:aws:kinesisanalytics:us-east-1:123456789012:application/${app}",
        "arn:aws:s3:::${bucket}",
    ];
    const CODE: [&str; 4] = [
        "CREATE OR REPLACE STREAM \"OUT\" (n BIGINT); CREATE OR REPLACE PUMP p AS INSERT INTO \"OUT\" SELECT STREAM COUNT(*) FROM \
         \"SOURCE_SQL_STREAM_001\" GROUP BY STEP(\"SOURCE_SQL_STREAM_001\".ROWTIME BY INTERVAL '5' SECOND);",
        "SELECT",
        "",
        "CREATE STREAM a (x INTEGER); CREATE PUMP p AS INSERT INTO a SELECT STREAM 1 / 0 FROM a;",
    ];
    let lower = name.to_lowercase();
    let pool: &[&str] = match lower.as_str() {
        "deliverystreamname" => &["nyc-taxi-trips", "drain"],
        _ if lower.contains("streamname") => &["${stream}", "${stream}", "alpha", "beta"],
        "bucketarn" => &["arn:aws:s3:::${bucket}", "arn:aws:s3:::lake"],
        "rolearn" | "role" => &[ROLE],
        "resourcearn" | "streamarn" | "eventsourcearn" | "deliverystreamarn" | "kinesisstreamarn" | "functionarn" => &ARNS,
        _ if lower.ends_with("arn") => &ARNS,
        _ if lower.contains("bucket") => &["${bucket}", "lake"],
        "functionname" => &["NYCTaxiTrips", "index"],
        "applicationname" => &["${app}", "counts"],
        "tablename" => &["leases", "nyctaxitrips"],
        "databasename" => &["kinesislab", "other"],
        "rolename" => &["${initials}-firehose-role", "${initials}-lambda-role"],
        _ if lower.contains("shard") && lower.ends_with("id") => &["shardId-000000000000", "shardId-000000000001", "shardId-000000000003"],
        "sharditerator" => &["$ITERATOR", "nonsense"],
        _ if lower.contains("hashkey") => &["0", "170141183460469231731687303715884105728", "340282366920938463463374607431768211456"],
        "applicationcode" | "textcontent" | "applicationcodeupdate" | "textcontentupdate" => &CODE,
        "partitionkey" => &["a", "b", "ключ"],
        _ if lower.ends_with("id") => &["1.1", "2.1", "3.1", "destinationId-000000000001"],
        "prefix" | "erroroutputprefix" => &["in/", "!{timestamp:yyyy}/", "!{firehose:error-output-type}/", "!{nonsense}"],
        "key" => &["vendors.csv", "a/b.json", "../../etc/passwd"],
        "keyconditionexpression" | "filterexpression" | "conditionexpression" => &["a = :k0", "attribute_exists(a)", "(((", "a = "],
        "updateexpression" => &["SET a = :k0", "REMOVE a", "SET"],
        "zipfile" => &["UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="],
        _ => &["a", "x-1", "0", "type == 'trip'", "", "*", "2010-01-01T22:36:00Z", "日本"],
    };
    (*dice.one_of(pool)).to_owned()
}
