//! Delivery streams, functions, buckets and queries as a user has them: lines in, objects out, every record accounted for.
#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "support/account.rs"]
mod account;

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinlab::engine::view::Wants;
use kinlab::session::Session;
use serde_json::Value;

use account::{fails, ok, session};

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

fn balanced(session: &Session) {
    let view = session.view(&Wants::default());
    assert!(view.deliveries.iter().all(|stream| stream.balanced), "{:?}", view.deliveries);
    assert_eq!(session.broken_rule(), None);
}

const TRIPS: &str = r#"{"Name":"trips","StorageDescriptor":{"Location":"s3://lake/trips","InputFormat":"FORMAT","SerdeInfo":{"SerializationLibrary":"FORMAT"},"Columns":[{"Name":"vendor","Type":"string"},{"Name":"id","Type":"bigint"},{"Name":"fare","Type":"double"},{"Name":"price","Type":"decimal(9,2)"},{"Name":"at","Type":"timestamp"},{"Name":"tags","Type":"array<string>"},{"Name":"place","Type":"struct<lon:double,lat:double>"},{"Name":"attrs","Type":"map<string,int>"}]}}"#;

fn lake(session: &mut Session, format: &str, serializer: &str, codec: &str) {
    ok(session, "aws s3 mb s3://lake");
    ok(session, "aws glue create-database --database-input Name=d");
    ok(session, &format!("aws glue create-table --database-name d --table-input '{}'", TRIPS.replace("FORMAT", format)));
    let destination = format!(
        r#"{{"RoleARN":"arn:aws:iam::123456789012:role/r","BucketARN":"arn:aws:s3:::lake","Prefix":"trips/","ErrorOutputPrefix":"errors/!{{firehose:error-output-type}}/","BufferingHints":{{"SizeInMBs":64,"IntervalInSeconds":60}},"DataFormatConversionConfiguration":{{"SchemaConfiguration":{{"RoleARN":"arn:aws:iam::123456789012:role/r","DatabaseName":"d","TableName":"trips"}},"InputFormatConfiguration":{{"Deserializer":{{"OpenXJsonSerDe":{{}}}}}},"OutputFormatConfiguration":{{"Serializer":{{"{serializer}":{{"Compression":"{codec}"}}}}}}}}}}"#
    );
    ok(session, &format!("aws firehose create-delivery-stream --delivery-stream-name trips --extended-s3-destination-configuration '{destination}'"));
    ok(session, "run 3s");
}

fn put(session: &mut Session, records: &[String]) {
    let entries: Vec<String> = records.iter().map(|record| format!("{{\"Data\":\"{}\"}}", base64(record))).collect();
    let answer = ok(session, &format!("aws firehose put-record-batch --delivery-stream-name trips --records '[{}]'", entries.join(",")));
    assert!(answer.contains("\"FailedPutCount\": 0"), "{answer}");
}

fn trip(i: usize) -> String {
    format!(
        r#"{{"Vendor":"V{}","id":{i},"fare":{}.5,"price":"{i}.25","at":"2019-09-09 14:33:{:02}","tags":["a",null,"b{i}"],"place":{{"lon":-73.{i},"lat":40.5}},"attrs":{{"n":{i}}}}}"#,
        i % 3,
        i % 7,
        i % 60
    )
}

#[test]
fn converted_objects_hold_what_was_put_and_failures_lie_apart() {
    for (format, serializer, codecs) in [("parquet", "ParquetSerDe", ["SNAPPY", "GZIP"]), ("orc", "OrcSerDe", ["SNAPPY", "ZLIB"])] {
        for codec in codecs {
            let mut session = session();
            lake(&mut session, format, serializer, codec);
            let mut records: Vec<String> = (0..300).map(trip).collect();
            records.push(r#"{"vendor":"bad","fare":"N/A"}"#.to_owned());
            records.push("not json".to_owned());
            put(&mut session, &records);
            ok(&mut session, "flush trips");
            balanced(&session);
            let counted = ok(&mut session, "query \"select count(*), sum(id), max(price) from trips\"");
            assert!(counted.contains("300") && counted.contains("44850") && counted.contains("99.25"), "{format} {codec}: {counted}");
            let grouped = ok(&mut session, "query \"select vendor, count(*) from trips where fare >= 0.5 group by vendor order by vendor\"");
            assert_eq!(grouped.matches("100").count(), 3, "{grouped}");
            let errors = ok(&mut session, "aws s3 ls s3://lake/errors/format-conversion-failed/ --recursive");
            let key = errors.split_whitespace().last().expect("a key").to_owned();
            let lines: Vec<Value> =
                ok(&mut session, &format!("aws s3 cp s3://lake/{key} -")).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            let codes: Vec<&str> = lines.iter().filter_map(|line| line["lastErrorCode"].as_str()).collect();
            assert_eq!(codes, ["DataFormatConversion.MalformedData", "DataFormatConversion.ParseError"]);
            assert_eq!(lines[0]["lastErrorMessage"], "Data does not match the schema. For input string: \"N/A\"");
        }
    }
}

/// The outside readers are installed by CI (`KINLAB_PYTHON` names a python3 with pyarrow and duckdb).
#[test]
fn outside_readers_open_the_files() {
    let Some(python) = std::env::var_os("KINLAB_PYTHON") else {
        eprintln!("skipped: KINLAB_PYTHON is not set; .ci/run installs pyarrow and duckdb and sets it");
        return;
    };
    let folder = std::env::temp_dir().join(format!("kinlab-formats-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("writable");
    for (format, serializer, codec) in [
        ("parquet", "ParquetSerDe", "SNAPPY"),
        ("parquet", "ParquetSerDe", "GZIP"),
        ("parquet", "ParquetSerDe", "UNCOMPRESSED"),
        ("orc", "OrcSerDe", "SNAPPY"),
        ("orc", "OrcSerDe", "ZLIB"),
        ("orc", "OrcSerDe", "NONE"),
    ] {
        let mut session = session();
        lake(&mut session, format, serializer, codec);
        for from in (0..2000).step_by(400) {
            let mut records: Vec<String> = (from..from + 400).map(trip).collect();
            records[7] = "{}".to_owned();
            put(&mut session, &records);
        }
        ok(&mut session, "flush trips");
        let services = session.world().services();
        let bucket = services.s3.bucket("lake").expect("exists");
        let (_, object) = bucket.objects.iter().find(|(key, _)| key.starts_with("trips/")).expect("delivered");
        let path = folder.join(format!("{codec}.{format}"));
        std::fs::write(&path, &object.bytes).expect("writable");
        let script = r#"
import sys, datetime, decimal
path, form = sys.argv[1], sys.argv[2]
import pyarrow.parquet, pyarrow.orc
table = pyarrow.parquet.read_table(path) if form == "parquet" else pyarrow.orc.read_table(path)
rows = table.to_pylist()
assert len(rows) == 2000, len(rows)
row = rows[11]
assert row["vendor"] == "V2" and row["id"] == 11 and row["fare"] == 4.5, row
assert row["price"] == decimal.Decimal("11.25"), row
assert row["at"].replace(tzinfo=None) == datetime.datetime(2019, 9, 9, 14, 33, 11), row
assert row["tags"] == ["a", None, "b11"] and row["place"] == {"lon": -73.11, "lat": 40.5}, row
assert dict(row["attrs"]) == {"n": 11}, row
assert all(v is None for v in rows[7].values()), rows[7]
if form == "parquet":
    import duckdb
    assert duckdb.sql(f"select count(*), sum(id) from read_parquet('{path}')").fetchall() == [(2000, sum(r["id"] or 0 for r in rows))]
print("good")
"#;
        let output = Command::new(&python).args(["-c", script]).arg(&path).arg(format).output().expect("python3 starts");
        assert!(output.status.success(), "{format} {codec}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn transform(session: &mut Session, name: &str, code: &str) {
    ok(
        session,
        &format!(
            "aws lambda create-function --function-name {name} --runtime nodejs18.x --handler index.handler --timeout 60 --role arn:aws:iam::123456789012:role/r --code ZipFile={}",
            base64(code)
        ),
    );
    let destination = format!(
        r#"{{"RoleARN":"arn:aws:iam::123456789012:role/r","BucketARN":"arn:aws:s3:::lake","Prefix":"{name}/","ErrorOutputPrefix":"errors/{name}/!{{firehose:error-output-type}}/","ProcessingConfiguration":{{"Enabled":true,"Processors":[{{"Type":"Lambda","Parameters":[{{"ParameterName":"LambdaArn","ParameterValue":"arn:aws:lambda:us-east-1:123456789012:function:{name}"}},{{"ParameterName":"NumberOfRetries","ParameterValue":"1"}}]}}]}}}}"#
    );
    ok(
        session,
        &format!("aws firehose create-delivery-stream --delivery-stream-name {name} --extended-s3-destination-configuration '{destination}'"),
    );
    ok(session, "run 3s");
    for text in ["one", "drop me", "fail me", "two"] {
        ok(session, &format!("aws firehose put-record --delivery-stream-name {name} --record Data={}", base64(text)));
    }
    ok(session, &format!("flush {name}"));
    balanced(session);
}

fn tally(session: &Session, name: &str) -> Vec<u64> {
    let view = session.view(&Wants::default());
    let stream = view.deliveries.iter().find(|stream| stream.name == name).expect("exists");
    let amount = |wanted: &str| stream.accounting.iter().find(|(name, _)| name == wanted).map_or(0, |(_, amount)| *amount);
    vec![amount("came in"), amount("delivered"), amount("failed"), amount("dropped")]
}

#[test]
fn handlers_of_every_kind_get_awss_behaviour() {
    let mut session = session();
    ok(&mut session, "aws s3 mb s3://lake");
    let good = "exports.handler = async (event) => ({ records: event.records.map((r) => { const t = Buffer.from(r.data, 'base64').toString(); \
                if (t.startsWith('drop')) return { recordId: r.recordId, result: 'Dropped' }; \
                if (t.startsWith('fail')) return { recordId: r.recordId, result: 'ProcessingFailed', data: r.data }; \
                return { recordId: r.recordId, result: 'Ok', data: Buffer.from(t.toUpperCase() + '\\n').toString('base64') }; }) });";
    transform(&mut session, "good", good);
    assert_eq!(tally(&session, "good"), [4, 2, 1, 1]);
    let key = ok(&mut session, "aws s3 ls s3://lake/good/ --recursive").split_whitespace().last().expect("a key").to_owned();
    assert_eq!(ok(&mut session, &format!("aws s3 cp s3://lake/{key} -")), "ONE\nTWO\n");
    for (name, code) in [
        ("throws", "exports.handler = (e, c, cb) => { throw new TypeError('no'); };"),
        ("loops", "exports.handler = async () => { while (true) {} };"),
        ("rubbish", "exports.handler = (e, c, cb) => cb(null, { records: 'nothing' });"),
        ("large", "exports.handler = async () => 'x'.repeat(7 * 1024 * 1024);"),
        ("hungry", "exports.handler = async () => { const a = []; while (true) a.push('x'.repeat(1000000) + a.length); };"),
        ("broken", "exports.handler = async ("),
        ("missing", "exports.other = 1;"),
        ("silent", "exports.handler = () => {};"),
    ] {
        transform(&mut session, name, code);
        assert_eq!(tally(&session, name), [4, 0, 4, 0], "{name}");
        let errors = ok(&mut session, &format!("aws s3 ls s3://lake/errors/{name}/processing-failed/ --recursive"));
        let key = errors.split_whitespace().last().expect("a key").to_owned();
        let line: Value =
            serde_json::from_str(ok(&mut session, &format!("aws s3 cp s3://lake/{key} -")).lines().next().expect("a line")).expect("JSON");
        let code = line["errorCode"].as_str().expect("a code");
        let wanted = match name {
            "rubbish" | "silent" => ("Lambda.MissingRecordId", 1),
            "loops" => ("Lambda.FunctionTimedOut", 2),
            _ => ("Lambda.FunctionError", 2),
        };
        assert_eq!((code, line["attemptsMade"].as_i64().expect("a number")), wanted, "{name}");
        assert_eq!(line["rawData"], base64("one"));
    }
}

#[test]
fn answers_of_handlers_are_recorded_and_a_replay_gives_the_same_world() {
    let mut first = session();
    ok(&mut first, "aws s3 mb s3://lake");
    transform(
        &mut first,
        "f",
        "exports.handler = async (e) => ({ records: e.records.map((r) => ({ recordId: r.recordId, result: 'Ok', data: Buffer.from(String(Math.random())).toString('base64') })) });",
    );
    let saved = kinlab::session::runlog::SavedRun::parse(&first.log_text()).expect("good");
    let mut second = session();
    second.resume(saved.entries);
    second.advance(first.now());
    assert_eq!(second.world().journal_hash(), first.world().journal_hash());
}

#[test]
fn prefixes_hints_and_states_are_refused_as_aws_refuses_them() {
    let mut session = session();
    ok(&mut session, "aws s3 mb s3://lake");
    let create = |options: &str| {
        format!(
            "aws firehose create-delivery-stream --delivery-stream-name x --extended-s3-destination-configuration '{{\"RoleARN\":\"arn:aws:iam::123456789012:role/r\",\"BucketARN\":\"arn:aws:s3:::lake\"{options}}}'"
        )
    };
    for (options, words) in [
        (r#","Prefix":"y=!{timestamp:yyyy}/""#, "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"),
        (r#","BufferingHints":{"SizeInMBs":5}"#, "must be given together"),
        (
            r#","BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":900},"DataFormatConversionConfiguration":{}"#,
            "at least 64 when data format conversion is enabled",
        ),
        (r#","CompressionFormat":"GZIP","DataFormatConversionConfiguration":{}"#, "must be set to UNCOMPRESSED"),
        (r#","DataFormatConversionConfiguration":{}"#, "InputFormatConfiguration must not be null"),
        (r#","DynamicPartitioningConfiguration":{"Enabled":true}"#, "Processing Configuration is not enabled"),
        (r#","CompressionFormat":"LZO""#, "Member must satisfy enum value set"),
        (r#","CustomTimeZone":"EST""#, "the supported IANA time zone formats are non-3-letter identifiers"),
        (r#","CustomTimeZone":"America/Gotham""#, "America/Gotham is not a supported IANA time zone"),
        (r#","CustomTimeZone":"UTC+1""#, "Member must satisfy regular expression pattern"),
    ] {
        let message = fails(&mut session, &create(options));
        assert!(message.contains(words), "{options}: {message}");
    }
    assert!(fails(&mut session, "aws firehose create-delivery-stream --delivery-stream-name x").contains("Exactly one destination"));
    assert!(
        fails(&mut session, "aws firehose put-record --delivery-stream-name x --record Data=YQ==")
            .contains("Firehose x under account 123456789012 not found.")
    );
    ok(&mut session, &create(""));
    assert!(fails(&mut session, &create("")).contains("already exists"));
    assert!(fails(&mut session, "aws firehose delete-delivery-stream --delivery-stream-name x").contains("ResourceInUseException"));
    ok(&mut session, "run 3s");
    let described: Value = serde_json::from_str(&ok(&mut session, "aws firehose describe-delivery-stream --delivery-stream-name x")).expect("JSON");
    let destination = &described["DeliveryStreamDescription"]["Destinations"][0];
    assert_eq!(destination["ExtendedS3DestinationDescription"]["BufferingHints"]["SizeInMBs"], 5);
    assert_eq!(destination["S3DestinationDescription"]["CompressionFormat"], "UNCOMPRESSED");
    let stale = "aws firehose update-destination --delivery-stream-name x --current-delivery-stream-version-id 7 --destination-id destinationId-000000000001 --extended-s3-destination-update CompressionFormat=GZIP";
    assert!(fails(&mut session, stale).contains("ConcurrentModificationException"));
    ok(&mut session, &stale.replace("id 7", "id 1"));
    let big = base64(&"x".repeat(1_024_001));
    assert!(
        fails(&mut session, &format!("aws firehose put-record --delivery-stream-name x --record Data={big}"))
            .contains("less than or equal to 1024000")
    );
}

#[test]
fn a_bucket_that_refuses_loses_nothing_until_a_day_is_over() {
    let mut session = session();
    ok(&mut session, "aws s3 mb s3://lake");
    ok(
        &mut session,
        "aws firehose create-delivery-stream --delivery-stream-name x --s3-destination-configuration RoleARN=arn:aws:iam::123456789012:role/r,BucketARN=arn:aws:s3:::lake",
    );
    ok(&mut session, "run 3s");
    ok(&mut session, "fault s3 lake unavailable");
    ok(&mut session, "aws firehose put-record --delivery-stream-name x --record Data=YQ==");
    ok(&mut session, "run 20h");
    assert_eq!(tally(&session, "x"), [1, 0, 0, 0]);
    balanced(&session);
    ok(&mut session, "fault end s3 lake");
    ok(&mut session, "run 2m");
    assert_eq!(tally(&session, "x"), [1, 1, 0, 0]);
    ok(&mut session, "fault s3 lake denied");
    ok(&mut session, "aws firehose put-record --delivery-stream-name x --record Data=Yg==");
    ok(&mut session, "run 25h");
    let view = session.view(&Wants::default());
    assert!(view.deliveries[0].accounting.contains(&("lost".to_owned(), 1)), "{:?}", view.deliveries[0].accounting);
    balanced(&session);
}

#[test]
fn partitions_go_to_folders_of_their_own() {
    let mut session = session();
    ok(&mut session, "aws s3 mb s3://lake");
    let destination = r#"{"RoleARN":"arn:aws:iam::123456789012:role/r","BucketARN":"arn:aws:s3:::lake","Prefix":"r=!{partitionKeyFromQuery:region}/!{timestamp:yyyy}/","ErrorOutputPrefix":"e/!{firehose:error-output-type}/","BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":60},"DynamicPartitioningConfiguration":{"Enabled":true},"ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"RecordDeAggregation","Parameters":[{"ParameterName":"SubRecordType","ParameterValue":"JSON"}]},{"Type":"MetadataExtraction","Parameters":[{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"},{"ParameterName":"MetadataExtractionQuery","ParameterValue":"{region: .region | ascii_downcase}"}]},{"Type":"AppendDelimiterToRecord","Parameters":[{"ParameterName":"Delimiter","ParameterValue":"\\n"}]}]}}"#;
    ok(
        &mut session,
        &format!("aws firehose create-delivery-stream --delivery-stream-name x --extended-s3-destination-configuration '{destination}'"),
    );
    ok(&mut session, "run 3s");
    for record in [r#"{"region":"EU","n":1}{"region":"us","n":2}"#, r#"{"region":"eu","n":3}"#, r#"{"n":4}"#] {
        ok(&mut session, &format!("aws firehose put-record --delivery-stream-name x --record Data={}", base64(record)));
    }
    ok(&mut session, "flush x");
    balanced(&session);
    assert_eq!(tally(&session, "x"), [4, 3, 1, 0]);
    let keys = ok(&mut session, "aws s3 ls s3://lake --recursive");
    assert!(keys.contains(" r=eu/20") && keys.contains(" r=us/20") && keys.contains(" e/processing-failed/"), "{keys}");
    let key = keys.lines().find(|line| line.contains("r=eu")).and_then(|line| line.split_whitespace().last()).expect("a key").to_owned();
    assert_eq!(ok(&mut session, &format!("aws s3 cp s3://lake/{key} -")), "{\"region\":\"EU\",\"n\":1}\n{\"region\":\"eu\",\"n\":3}\n");
}

#[test]
fn the_real_account_activity_becomes_parquet_with_every_record_accounted_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/cloudtrail");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    };
    let mut session = session();
    for line in [
        "aws s3 mb s3://lake",
        "aws glue create-database --database-input Name=d",
        r#"aws glue create-table --database-name d --table-input '{"Name":"calls","StorageDescriptor":{"Location":"s3://lake/calls","InputFormat":"parquet","SerdeInfo":{"SerializationLibrary":"parquet"},"Columns":[{"Name":"eventname","Type":"string"},{"Name":"eventsource","Type":"string"},{"Name":"eventtime","Type":"timestamp"},{"Name":"useridentity","Type":"struct<type:string,username:string>"}]}}'"#,
        r#"aws firehose create-delivery-stream --delivery-stream-name calls --extended-s3-destination-configuration '{"RoleARN":"arn:aws:iam::123456789012:role/r","BucketARN":"arn:aws:s3:::lake","Prefix":"calls/","BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":60},"DataFormatConversionConfiguration":{"SchemaConfiguration":{"RoleARN":"arn:aws:iam::123456789012:role/r","DatabaseName":"d","TableName":"calls"},"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}},"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}}}'"#,
        "aws kinesis create-stream --stream-name calls --shard-count 4",
        "run 3s",
    ] {
        ok(&mut session, line);
    }
    let code = "const AWS = require('aws-sdk'); const fh = new AWS.Firehose(); exports.handler = async (e) => { \
                const Records = e.Records.map((r) => ({ Data: Buffer.concat([Buffer.from(r.kinesis.data, 'base64'), Buffer.from('\\n')]) })); \
                const a = await fh.putRecordBatch({ DeliveryStreamName: 'calls', Records }).promise(); if (a.FailedPutCount) throw new Error('again'); return 'ok'; };";
    ok(
        &mut session,
        &format!(
            "aws lambda create-function --function-name calls --runtime nodejs18.x --handler index.handler --timeout 60 --role arn:aws:iam::123456789012:role/r --code ZipFile={}",
            base64(code)
        ),
    );
    ok(
        &mut session,
        "aws lambda create-event-source-mapping --function-name calls --batch-size 100 --starting-position TRIM_HORIZON --event-source-arn arn:aws:kinesis:us-east-1:123456789012:stream/calls",
    );
    let mut records = Vec::new();
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    paths.sort();
    for path in paths {
        let bytes = std::fs::read(&path).expect("readable");
        records.extend(kinlab::session::input::read(&bytes, &kinlab::session::input::InputOptions::default()).records);
    }
    let count = records.len();
    session.feed("calls", records, None).expect("possible");
    let (_, stored, _) = session.finish_input();
    assert_eq!(stored, count as u64);
    ok(&mut session, "run 30s");
    ok(&mut session, "flush calls");
    balanced(&session);
    assert_eq!(tally(&session, "calls"), [count as u64, count as u64, 0, 0]);
    assert!(ok(&mut session, "query \"select count(*) from calls\"").contains(&count.to_string()));
    assert!(ok(&mut session, "query \"select count(*) from calls where eventtime is null or eventname is null\"").contains("\n0\n"));
}

/// The account activity wrapped as EventBridge wraps it, through an application on a stream to a bucket: the counts per source, name and address
/// are those of the records themselves.
#[test]
fn an_application_counts_the_real_account_activity_per_source_name_and_address() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/cloudtrail");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    paths.sort();
    let mut records = Vec::new();
    let mut expected: [std::collections::BTreeMap<String, u64>; 3] = Default::default();
    for path in paths {
        let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        for detail in whole["Records"].as_array().expect("records") {
            let text = |name: &str| detail[name].as_str().unwrap_or_default().to_owned();
            for (counts, name) in expected.iter_mut().zip(["eventSource", "eventName", "sourceIPAddress"]) {
                *counts.entry(text(name)).or_default() += 1;
            }
            let source = text("eventSource").replace(".amazonaws.com", "");
            let event = serde_json::json!({"version": "0", "source": format!("aws.{source}"), "detail-type": "AWS API Call via CloudTrail", "detail": detail});
            let data = event.to_string().into_bytes().into();
            let record = kinlab::engine::Ingested { key: text("eventID"), data };
            records.push(kinlab::session::input::InputRecord { record, event_time: None });
        }
    }
    let count = records.len();
    assert!(count > 1000);
    let mut session = session();
    let role = r#""RoleARN":"arn:aws:iam::123456789012:role/r""#;
    let columns =
        [("source", "$.source"), ("eventSource", "$.detail.eventSource"), ("eventName", "$.detail.eventName"), ("ip", "$.detail.sourceIPAddress")]
            .map(|(name, path)| format!(r#"{{"Name":"{name}","SqlType":"VARCHAR(256)","Mapping":"{path}"}}"#))
            .join(",");
    ok(&mut session, "aws kinesis create-stream --stream-name trail --shard-count 4");
    ok(&mut session, "aws s3 mb s3://counts");
    for sink in ["sources", "names", "addresses"] {
        ok(
            &mut session,
            &format!(
                r#"aws firehose create-delivery-stream --delivery-stream-name {sink} --extended-s3-destination-configuration '{{{role},"BucketARN":"arn:aws:s3:::counts","Prefix":"{sink}/","BufferingHints":{{"SizeInMBs":64,"IntervalInSeconds":60}}}}'"#
            ),
        );
    }
    ok(&mut session, "run 3s");
    ok(
        &mut session,
        &format!(
            r#"aws kinesisanalytics create-application --application-name trail --inputs '[{{"NamePrefix":"SOURCE_SQL_STREAM","KinesisStreamsInput":{{"ResourceARN":"arn:aws:kinesis:us-east-1:123456789012:stream/trail",{role}}},"InputSchema":{{"RecordFormat":{{"RecordFormatType":"JSON","MappingParameters":{{"JSONMappingParameters":{{"RecordRowPath":"$"}}}}}},"RecordColumns":[{columns}]}}}}]'"#
        ),
    );
    let mut code = String::new();
    for (stream, column) in [("SOURCES", "eventSource"), ("NAMES", "eventName"), ("ADDRESSES", "ip")] {
        code += &format!(
            "CREATE OR REPLACE STREAM {stream} (k VARCHAR(256), n BIGINT); CREATE OR REPLACE PUMP {stream}_PUMP AS INSERT INTO {stream} \
             SELECT STREAM \"{column}\", COUNT(*) FROM SOURCE_SQL_STREAM_001 GROUP BY \"{column}\", STEP(SOURCE_SQL_STREAM_001.ROWTIME BY INTERVAL '1' SECOND); "
        );
    }
    let update = serde_json::json!({ "ApplicationCodeUpdate": code }).to_string().replace('\'', "'\\''");
    ok(
        &mut session,
        &format!(
            "aws kinesisanalytics update-application --application-name trail --current-application-version-id 1 --application-update '{update}'"
        ),
    );
    for (stream, sink) in [("SOURCES", "sources"), ("NAMES", "names"), ("ADDRESSES", "addresses")] {
        ok(&mut session, &format!("app output trail {stream} firehose:{sink} JSON"));
    }
    ok(&mut session, "app start trail");
    ok(&mut session, "run 3s");
    session.feed("trail", records, None).expect("possible");
    assert_eq!(session.finish_input().1, count as u64);
    ok(&mut session, "run 90s");
    for (sink, expected) in ["sources", "names", "addresses"].iter().zip(&expected) {
        ok(&mut session, &format!("flush {sink}"));
        let mut counts = std::collections::BTreeMap::new();
        let bucket = session.world().services().s3.bucket("counts").expect("there");
        for (_, object) in bucket.objects.iter().filter(|(key, _)| key.starts_with(sink)) {
            for row in serde_json::Deserializer::from_slice(&object.bytes).into_iter::<serde_json::Value>() {
                let row = row.expect("JSON");
                *counts.entry(row["K"].as_str().expect("a text").to_owned()).or_insert(0) += row["N"].as_u64().expect("a number");
            }
        }
        assert_eq!(counts, *expected, "{sink}");
    }
}

const TEMPERATURES: &str = r#"[{"NamePrefix":"SOURCE_SQL_STREAM","KinesisStreamsInput":{"ResourceARN":"arn:aws:kinesis:us-east-1:123456789012:stream/in","RoleARN":"arn:aws:iam::123456789012:role/analytics"},"InputSchema":{"RecordFormat":{"RecordFormatType":"JSON","MappingParameters":{"JSONMappingParameters":{"RecordRowPath":"$"}}},"RecordEncoding":"UTF-8","RecordColumns":[{"Name":"room","SqlType":"VARCHAR(8)","Mapping":"$.room"},{"Name":"celsius","SqlType":"INTEGER","Mapping":"$.celsius"}]}}]"#;

/// An application over stream `in` with an input, and a delivery stream into bucket `out-bucket`.
fn application(session: &mut Session) {
    ok(session, "aws kinesis create-stream --stream-name in --shard-count 2");
    ok(session, "aws s3 mb s3://out-bucket");
    ok(
        session,
        r#"aws firehose create-delivery-stream --delivery-stream-name sink --extended-s3-destination-configuration '{"RoleARN":"arn:aws:iam::123456789012:role/r","BucketARN":"arn:aws:s3:::out-bucket","Prefix":"rows/","BufferingHints":{"SizeInMBs":1,"IntervalInSeconds":60}}'"#,
    );
    ok(session, "run 3s");
    ok(session, &format!("aws kinesisanalytics create-application --application-name rooms --inputs '{TEMPERATURES}'"));
}

fn measure(session: &mut Session, room: &str, celsius: &str) {
    let data = base64(&format!("{{\"room\":\"{room}\",\"celsius\":{celsius}}}"));
    ok(session, &format!("aws kinesis put-record --stream-name in --partition-key {room} --data {data}"));
}

#[test]
fn an_application_counts_what_the_stream_carries_and_its_rows_reach_the_bucket() {
    let mut session = session();
    application(&mut session);
    let code = r#"CREATE OR REPLACE STREAM HOT (room VARCHAR(8), n BIGINT, top INTEGER); CREATE OR REPLACE PUMP P AS INSERT INTO HOT SELECT STREAM "room", COUNT(*), MAX("celsius") FROM SOURCE_SQL_STREAM_001 GROUP BY "room", STEP(SOURCE_SQL_STREAM_001.ROWTIME BY INTERVAL '10' SECOND);"#;
    let update = serde_json::json!({"ApplicationCodeUpdate": code}).to_string().replace('\'', "'\\''");
    ok(
        &mut session,
        &format!(
            "aws kinesisanalytics update-application --application-name rooms --current-application-version-id 1 --application-update '{update}'"
        ),
    );
    ok(&mut session, "app output rooms HOT firehose:sink JSON");
    measure(&mut session, "a", "99"); // before the start: NOW does not see it
    ok(&mut session, "app start rooms");
    assert!(fails(&mut session, "app start rooms").contains("ResourceInUseException"));
    ok(&mut session, "run 3s");
    for celsius in ["20", "21", "\"hot\"", "19"] {
        measure(&mut session, "a", celsius);
        measure(&mut session, "b", "5");
    }
    ok(&mut session, "run 30s");
    let view = session.view(&Wants::default());
    let found = &view.applications[0];
    assert_eq!((found.status.as_str(), found.records, found.errors), ("RUNNING", 8, 1));
    let hot = found.streams.iter().find(|stream| stream.name == "HOT").expect("HOT");
    let mut rows: Vec<String> = hot.newest.iter().map(|(_, cells)| cells.join(" ")).collect();
    rows.sort();
    assert_eq!(rows, ["a 3 21", "b 4 5"], "a window closes although nothing follows it: time goes on");
    ok(&mut session, "run 70s");
    let listing = ok(&mut session, "aws s3 ls s3://out-bucket/rows/ --recursive");
    let key = listing.split_whitespace().last().expect("an object").to_owned();
    let text = ok(&mut session, &format!("aws s3 cp s3://out-bucket/{key} -"));
    let mut rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    rows.sort_by_key(|row| row["ROOM"].to_string());
    assert_eq!(rows, [serde_json::json!({"ROOM": "a", "N": 3, "TOP": 21}), serde_json::json!({"ROOM": "b", "N": 4, "TOP": 5})]);
    balanced(&session);
}

#[test]
fn applications_refuse_what_aws_refuses_and_keep_the_code_that_runs() {
    let mut session = session();
    let discovered = fails(&mut session, "app discover rooms in");
    assert!(discovered.contains("ResourceNotFoundException"), "{discovered}");
    application(&mut session);
    assert!(fails(&mut session, "app discover rooms in").contains("no data to sample"));
    assert!(fails(&mut session, "aws kinesisanalytics create-application --application-name rooms").contains("ResourceInUseException"));
    assert!(fails(&mut session, "aws kinesisanalytics describe-application --application-name roomz").contains("ResourceNotFoundException"));
    let stale = "aws kinesisanalytics update-application --application-name rooms --current-application-version-id 7 --application-update '{\"ApplicationCodeUpdate\":\"\"}'";
    assert!(fails(&mut session, stale).contains("ConcurrentModificationException"));
    let wrong = "aws kinesisanalytics update-application --application-name rooms --current-application-version-id 1 --application-update '{\"ApplicationCodeUpdate\":\"SELECT nothing\"}'";
    assert!(fails(&mut session, wrong).contains("CodeValidationException"));
    let described = ok(&mut session, "aws kinesisanalytics describe-application --application-name rooms");
    let described: Value = serde_json::from_str(&described).expect("JSON");
    assert_eq!(described["ApplicationDetail"]["ApplicationVersionId"], 1, "what is refused makes no version");
    assert_eq!(described["ApplicationDetail"]["InputDescriptions"][0]["InAppStreamNames"][0], "SOURCE_SQL_STREAM_001");
    assert!(fails(&mut session, "app output rooms NOWHERE firehose:none").contains("none"));
    assert!(fails(&mut session, "app run rooms no-such-file.sql").contains("no-such-file.sql"));
    assert!(fails(&mut session, "app sideways").contains("app create NAME"));
}

/// The second API makes, changes and shows the same applications as the first one.
#[test]
fn the_second_api_runs_sql_applications() {
    let mut session = session();
    ok(&mut session, "aws kinesis create-stream --stream-name in --shard-count 2");
    ok(&mut session, "aws kinesis create-stream --stream-name out --shard-count 1");
    ok(&mut session, "run 3s");
    let inputs = TEMPERATURES.replace(r#","RoleARN":"arn:aws:iam::123456789012:role/analytics""#, "");
    let code = |factor: u32| {
        format!(
            r#"CREATE OR REPLACE STREAM TWICE (room VARCHAR(8), n INTEGER); CREATE OR REPLACE PUMP P AS INSERT INTO TWICE SELECT STREAM "room", "celsius" * {factor} FROM SOURCE_SQL_STREAM_001;"#
        )
    };
    let configuration = serde_json::json!({
        "SqlApplicationConfiguration": {
            "Inputs": serde_json::from_str::<serde_json::Value>(&inputs).expect("JSON"),
            "Outputs": [{"Name": "TWICE", "KinesisStreamsOutput": {"ResourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/out"}, "DestinationSchema": {"RecordFormatType": "JSON"}}]
        },
        "ApplicationCodeConfiguration": {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": code(2)}}
    });
    let create = |runtime: &str| {
        format!(
            "aws kinesisanalyticsv2 create-application --application-name rooms --runtime-environment {runtime} --service-execution-role arn:aws:iam::123456789012:role/r --application-configuration '{configuration}'"
        )
    };
    assert!(fails(&mut session, &create("FLINK-1_20")).contains("SQL-1_0"));
    let created = ok(&mut session, &create("SQL-1_0"));
    assert!(created.contains("\"ServiceExecutionRole\": \"arn:aws:iam::123456789012:role/r\"") && created.contains("\"TextContent\""), "{created}");
    let start = r#"{"SqlRunConfigurations":[{"InputId":"1.1","InputStartingPositionConfiguration":{"InputStartingPosition":"NOW"}}]}"#;
    ok(&mut session, &format!("aws kinesisanalyticsv2 start-application --application-name rooms --run-configuration '{start}'"));
    ok(&mut session, "run 3s");
    measure(&mut session, "a", "21");
    ok(&mut session, "run 3s");
    let update = serde_json::json!({"ApplicationCodeConfigurationUpdate": {"CodeContentUpdate": {"TextContentUpdate": code(3)}}});
    let updated = ok(
        &mut session,
        &format!(
            "aws kinesisanalyticsv2 update-application --application-name rooms --current-application-version-id 1 --application-configuration-update '{update}'"
        ),
    );
    assert!(updated.contains("\"ApplicationVersionId\": 2"), "{updated}");
    measure(&mut session, "a", "21");
    ok(&mut session, "run 3s");
    let iterator = ok(
        &mut session,
        "aws kinesis get-shard-iterator --stream-name out --shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON --query ShardIterator --output text",
    );
    let read = ok(&mut session, &format!("aws kinesis get-records --shard-iterator {} --query Records[].Data --output text", iterator.trim()));
    let rows: Vec<String> = read.split_whitespace().map(|data| String::from_utf8(STANDARD.decode(data).expect("base64")).expect("UTF-8")).collect();
    assert_eq!(rows, [r#"{"ROOM":"a","N":42}"#, r#"{"ROOM":"a","N":63}"#]);
    // The first API shows the same application.
    assert!(ok(&mut session, "aws kinesisanalytics describe-application --application-name rooms").contains("\"ApplicationVersionId\": 2"));
    assert!(ok(&mut session, "aws kinesisanalyticsv2 list-applications").contains("\"RuntimeEnvironment\": \"SQL-1_0\""));
    let logging = "LogStreamARN=arn:aws:logs:us-east-1:123456789012:log-group:a:log-stream:b";
    let added = ok(
        &mut session,
        &format!(
            "aws kinesisanalyticsv2 add-application-cloud-watch-logging-option --application-name rooms --current-application-version-id 2 --cloud-watch-logging-option {logging}"
        ),
    );
    assert!(added.contains("\"ApplicationVersionId\": 3") && added.contains("log-stream:b"), "{added}");
    // Rows go elsewhere from now on.
    ok(&mut session, "aws kinesis create-stream --stream-name elsewhere --shard-count 1");
    let described = ok(&mut session, "aws kinesisanalyticsv2 describe-application --application-name rooms");
    let described: Value = serde_json::from_str(&described).expect("JSON");
    let outputs =
        &described["ApplicationDetail"]["ApplicationConfigurationDescription"]["SqlApplicationConfigurationDescription"]["OutputDescriptions"];
    let update = serde_json::json!({"SqlApplicationConfigurationUpdate": {"OutputUpdates": [
        {"OutputId": outputs[0]["OutputId"], "KinesisStreamsOutputUpdate": {"ResourceARNUpdate": "arn:aws:kinesis:us-east-1:123456789012:stream/elsewhere"}}
    ]}});
    let updated = ok(
        &mut session,
        &format!(
            "aws kinesisanalyticsv2 update-application --application-name rooms --current-application-version-id 3 --application-configuration-update '{update}'"
        ),
    );
    assert!(updated.contains("stream/elsewhere") && !updated.contains("stream/out"), "{updated}");
    let described = ok(
        &mut session,
        "aws kinesisanalyticsv2 describe-application --application-name rooms --query ApplicationDetail.CreateTimestamp --output text",
    );
    ok(&mut session, &format!("aws kinesisanalyticsv2 delete-application --application-name rooms --create-timestamp {}", described.trim()));
    ok(&mut session, "run 3s");
    assert!(fails(&mut session, "aws kinesisanalyticsv2 describe-application --application-name rooms").contains("ResourceNotFoundException"));
}

/// The lines of a workshop that read CloudWatch.
#[test]
fn cloudwatch_lines_show_the_minute() {
    let mut session = session();
    ok(&mut session, "aws kinesis create-stream --stream-name in --shard-count 1");
    ok(&mut session, "run 3s");
    measure(&mut session, "a", "21");
    ok(&mut session, "run 90s");
    let listed = ok(&mut session, "aws cloudwatch list-metrics --namespace AWS/Kinesis --query Metrics[].MetricName --output text");
    assert!(listed.contains("IncomingRecords"), "{listed}");
    let now = session.now().to_string();
    let (day, until) = (&now[..10], &now[..19]);
    let read = ok(
        &mut session,
        &format!(
            "aws cloudwatch get-metric-statistics --namespace AWS/Kinesis --metric-name IncomingRecords --dimensions Name=StreamName,Value=in --statistics Sum --period 60 --start-time {day}T00:00:00Z --end-time {until}Z"
        ),
    );
    let read: Value = serde_json::from_str(&read).expect("JSON");
    assert_eq!((read["Datapoints"].as_array().map(Vec::len), read["Datapoints"][0]["Sum"].clone()), (Some(1), serde_json::json!(1.0)));
    assert!(read["Datapoints"][0]["Timestamp"].as_str().is_some_and(|at| at.starts_with(day)), "{read}");
}

/// A lease as consumers keep it: made once, taken and renewed with its counter as the condition, lost when another one was faster.
#[test]
fn a_lease_table_is_kept_in_dynamodb() {
    let mut session = session();
    let create = "aws dynamodb create-table --table-name leases --attribute-definitions AttributeName=leaseKey,AttributeType=S \
                  --key-schema AttributeName=leaseKey,KeyType=HASH --billing-mode PAY_PER_REQUEST";
    assert!(ok(&mut session, create).contains("\"TableStatus\": \"CREATING\""));
    assert!(fails(&mut session, create).contains("(ResourceInUseException) when calling the CreateTable operation: Table already exists: leases"));
    let get = r#"aws dynamodb get-item --table-name leases --key '{"leaseKey":{"S":"shard-0"}}'"#;
    assert!(fails(&mut session, get).contains("(ResourceNotFoundException) when calling the GetItem operation: Requested resource not found"));
    ok(&mut session, "run 10s");
    assert!(ok(&mut session, "aws dynamodb describe-table --table-name leases --query Table.TableStatus").contains("ACTIVE"));
    assert_eq!(ok(&mut session, get), "", "the CLI prints nothing for an empty answer");
    let make = r#"aws dynamodb put-item --table-name leases --item '{"leaseKey":{"S":"shard-0"},"leaseCounter":{"N":"0"},"checkpoint":{"S":"TRIM_HORIZON"}}' --condition-expression attribute_not_exists(leaseKey)"#;
    ok(&mut session, make);
    let lost = "(ConditionalCheckFailedException) when calling the PutItem operation: The conditional request failed";
    assert!(fails(&mut session, make).contains(lost));
    // A worker takes the lease with the older members, as the first consumer libraries do, and another one comes too late.
    let take = |owner: &str| {
        format!(
            r#"aws dynamodb update-item --table-name leases --key '{{"leaseKey":{{"S":"shard-0"}}}}' --return-values ALL_NEW --attribute-updates '{{"leaseOwner":{{"Value":{{"S":"{owner}"}},"Action":"PUT"}},"leaseCounter":{{"Value":{{"N":"1"}},"Action":"ADD"}}}}' --expected '{{"leaseCounter":{{"Value":{{"N":"0"}}}}}}'"#
        )
    };
    assert!(ok(&mut session, &take("a")).contains("\"leaseOwner\": {\n            \"S\": \"a\""));
    assert!(fails(&mut session, &take("b")).contains("ConditionalCheckFailedException"));
    let renew = r##"aws dynamodb update-item --table-name leases --key '{"leaseKey":{"S":"shard-0"}}' --update-expression 'SET leaseCounter = leaseCounter + :one, #c = :number' --condition-expression 'leaseOwner = :a AND leaseCounter = :was' --expression-attribute-names '{"#c":"checkpoint"}' --expression-attribute-values '{":one":{"N":"1"},":a":{"S":"a"},":was":{"N":"1"},":number":{"S":"4961"}}' --return-values UPDATED_NEW"##;
    let renewed: Value = serde_json::from_str(&ok(&mut session, renew)).expect("JSON");
    assert_eq!(renewed["Attributes"], serde_json::json!({"leaseCounter": {"N": "2"}, "checkpoint": {"S": "4961"}}));
    // The index of consumer libraries of today.
    let index = r#"aws dynamodb update-table --table-name leases --attribute-definitions AttributeName=leaseKey,AttributeType=S AttributeName=leaseOwner,AttributeType=S --global-secondary-index-updates '[{"Create":{"IndexName":"byOwner","KeySchema":[{"AttributeName":"leaseOwner","KeyType":"HASH"},{"AttributeName":"leaseKey","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}}]'"#;
    ok(&mut session, index);
    ok(&mut session, "run 10s");
    let owned = r#"aws dynamodb query --table-name leases --index-name byOwner --key-condition-expression 'leaseOwner = :o' --expression-attribute-values '{":o":{"S":"a"}}' --query Items --output json"#;
    let owned: Value = serde_json::from_str(&ok(&mut session, owned)).expect("JSON");
    assert_eq!(owned, serde_json::json!([{"leaseKey": {"S": "shard-0"}, "leaseOwner": {"S": "a"}}]));
    assert!(ok(&mut session, "aws dynamodb scan --table-name leases --select COUNT").contains("\"Count\": 1"));
    let hash = session.world().journal_hash();
    ok(&mut session, r#"aws dynamodb delete-item --table-name leases --key '{"leaseKey":{"S":"shard-0"}}'"#);
    assert!(ok(&mut session, "aws dynamodb scan --table-name leases --select COUNT").contains("\"Count\": 0"));
    assert_eq!(session.world().journal_hash(), hash, "items are data, not events");
    ok(&mut session, "aws dynamodb delete-table --table-name leases");
    ok(&mut session, "run 10s");
    assert!(fails(&mut session, get).contains("ResourceNotFoundException"));
    assert!(ok(&mut session, "aws dynamodb list-tables --output text").trim().is_empty());
}

#[test]
fn alarms_change_their_state_when_a_minute_is_over() {
    let mut session = session();
    ok(&mut session, "aws kinesis create-stream --stream-name s --shard-count 1");
    ok(&mut session, "run 2s");
    let alarm = "aws cloudwatch put-metric-alarm --alarm-name busy --namespace AWS/Kinesis --metric-name IncomingRecords --dimensions Name=StreamName,Value=s \
                 --statistic Sum --period 60 --evaluation-periods 2 --datapoints-to-alarm 1 --threshold 2 --comparison-operator GreaterThanThreshold";
    ok(&mut session, alarm);
    let state =
        |session: &mut Session| ok(session, "aws cloudwatch describe-alarms --query MetricAlarms[0].StateValue --output text").trim().to_owned();
    assert_eq!(state(&mut session), "INSUFFICIENT_DATA");
    for _ in 0..2 {
        ok(&mut session, "aws kinesis put-record --stream-name s --partition-key a --data aGVsbG8=");
    }
    ok(&mut session, "run 60s");
    assert_eq!(state(&mut session), "OK", "two records are no more than two");
    for _ in 0..3 {
        ok(&mut session, "aws kinesis put-record --stream-name s --partition-key a --data aGVsbG8=");
    }
    ok(&mut session, "run 60s");
    assert_eq!(state(&mut session), "ALARM");
    let reason = ok(&mut session, "aws cloudwatch describe-alarms --state-value ALARM --query MetricAlarms[0].StateReason --output text");
    assert!(reason.contains("1 out of the last 2 datapoints [3.0, 2.0] was greater than the threshold (2.0)"), "{reason}");
    assert_eq!(session.view(&Wants::default()).alarms[0].state, "ALARM");
    let journal = ok(&mut session, "journal 50");
    assert!(journal.contains("OK -> ALARM"), "{journal}");
    // Silence is not zero: two minutes without a value.
    ok(&mut session, "run 180s");
    assert_eq!(state(&mut session), "INSUFFICIENT_DATA");
    assert!(fails(&mut session, &alarm.replace("--period 60", "--period 30")).contains("multiple of 60"));
    assert!(fails(&mut session, "aws cloudwatch delete-alarms --alarm-names quiet").contains("quiet"));
    ok(&mut session, "aws cloudwatch delete-alarms --alarm-names busy");
    assert_eq!(ok(&mut session, "aws cloudwatch describe-alarms --query 'length(MetricAlarms)'").trim(), "0");
}
