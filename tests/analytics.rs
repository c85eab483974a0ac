//! SQL applications between their source and their destinations: functions that prepare records and take rows, delivery streams as sources,
//! and the read limits that everybody shares.
#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "support/account.rs"]
mod account;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinlab::engine::view::{ApplicationView, Wants};
use kinlab::session::Session;
use serde_json::{Value, json};

use account::{fails, ok, session};

fn answer(session: &mut Session, line: &str) -> Value {
    serde_json::from_str(&ok(session, line)).expect("JSON")
}

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// A JSON argument as a shell takes it.
fn quoted(value: &Value) -> String {
    format!("'{}'", value.to_string().replace('\'', "'\\''"))
}

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const STREAM: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/in";
const DELIVERY: &str = "arn:aws:firehose:us-east-1:123456789012:deliverystream/door";
/// Every reading as it is, and how many there were in each ten seconds.
const CODE: &str = r#"CREATE OR REPLACE STREAM OUT_ROWS (room VARCHAR(16), celsius INTEGER);
CREATE OR REPLACE PUMP P AS INSERT INTO OUT_ROWS SELECT STREAM "room", "celsius" FROM "SOURCE_SQL_STREAM_001";
CREATE OR REPLACE STREAM COUNTS (n BIGINT);
CREATE OR REPLACE PUMP Q AS INSERT INTO COUNTS SELECT STREAM COUNT(*) FROM "SOURCE_SQL_STREAM_001" GROUP BY STEP("SOURCE_SQL_STREAM_001".ROWTIME BY INTERVAL '10' SECOND);"#;

fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:{name}")
}

fn function(session: &mut Session, name: &str, code: &str) {
    ok(
        session,
        &format!(
            "aws lambda create-function --function-name {name} --runtime nodejs18.x --handler index.handler --timeout 60 --role {ROLE} --code ZipFile={}",
            base64(code)
        ),
    );
}

/// A handler that looks at the text of each record.
fn handler(each: &str) -> String {
    format!(
        "exports.handler = async (event) => ({{ records: event.records.map((r) => {{ const t = Buffer.from(r.data, 'base64').toString(); \
         const recordId = r.recordId; const give = (s) => ({{ recordId, result: 'Ok', data: Buffer.from(s).toString('base64') }}); {each} }}) }});"
    )
}

fn input(source: Value, processor: Option<&str>) -> Value {
    let mut input = json!({
        "NamePrefix": "SOURCE_SQL_STREAM",
        "InputSchema": {
            "RecordFormat": {"RecordFormatType": "JSON", "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}}},
            "RecordColumns": [
                {"Name": "room", "SqlType": "VARCHAR(16)", "Mapping": "$.room"},
                {"Name": "celsius", "SqlType": "INTEGER", "Mapping": "$.celsius"}
            ]
        }
    });
    for (name, value) in source.as_object().expect("an object") {
        input[name] = value.clone();
    }
    if let Some(name) = processor {
        input["InputProcessingConfiguration"] = json!({"InputLambdaProcessor": {"ResourceARN": function_arn(name), "RoleARN": ROLE}});
    }
    input
}

fn from_stream() -> Value {
    json!({"KinesisStreamsInput": {"ResourceARN": STREAM, "RoleARN": ROLE}})
}

fn from_delivery() -> Value {
    json!({"KinesisFirehoseInput": {"ResourceARN": DELIVERY, "RoleARN": ROLE}})
}

fn create(session: &mut Session, input: &Value) {
    ok(
        session,
        &format!(
            "aws kinesisanalytics create-application --application-name rooms --inputs {} --application-code {}",
            quoted(&json!([input])),
            quoted(&json!(CODE)).replace("\\n", " ").replace("\\\"", "\"").replace("'\"", "'").replace("\"'", "'")
        ),
    );
}

/// Stream `in` and application `rooms` on it, running.
fn running(session: &mut Session, shards: u32, processor: Option<&str>) {
    ok(session, &format!("aws kinesis create-stream --stream-name in --shard-count {shards}"));
    ok(session, "run 3s");
    create(session, &input(from_stream(), processor));
    ok(session, "app start rooms");
    ok(session, "run 3s");
}

fn reading(room: &str, celsius: i64) -> String {
    json!({"room": room, "celsius": celsius}).to_string()
}

fn put(session: &mut Session, key: &str, text: &str) {
    ok(session, &format!("aws kinesis put-record --stream-name in --partition-key {key} --data {}", base64(text)));
}

fn put_delivery(session: &mut Session, text: &str) {
    ok(session, &format!("aws firehose put-record --delivery-stream-name door --record Data={}", base64(text)));
}

fn delivery(session: &mut Session) {
    ok(session, "aws s3 mb s3://lake");
    ok(
        session,
        &format!(
            "aws firehose create-delivery-stream --delivery-stream-name door --s3-destination-configuration RoleARN={ROLE},BucketARN=arn:aws:s3:::lake"
        ),
    );
    ok(session, "run 3s");
}

fn rooms(session: &Session) -> ApplicationView {
    session.view(&Wants::default()).applications.into_iter().find(|application| application.name == "rooms").expect("exists")
}

/// Cells of the rows of a stream, oldest first.
fn rows(session: &Session, stream: &str) -> Vec<String> {
    let application = rooms(session);
    let found = application.streams.iter().find(|found| found.name == stream).expect("exists");
    found.newest.iter().rev().map(|(_, cells)| cells.join(" ")).collect()
}

/// A statistic of the application's metrics over the whole run.
fn metric(session: &mut Session, name: &str, flow: Option<(&str, &str)>) -> f64 {
    let more = flow.map_or_else(String::new, |(flow, id)| format!(" Name=Flow,Value={flow} Name=Id,Value={id}"));
    let found = answer(
        session,
        &format!(
            "aws cloudwatch get-metric-statistics --namespace AWS/KinesisAnalytics --metric-name {name} --dimensions Name=Application,Value=rooms{more} \
             --start-time 2000-01-01T00:00:00Z --end-time 2040-01-01T00:00:00Z --period 86400000 --statistics Sum Maximum"
        ),
    );
    let statistic = if name == "MillisBehindLatest" { "Maximum" } else { "Sum" };
    found["Datapoints"].as_array().expect("a list").iter().filter_map(|point| point[statistic].as_f64()).fold(0.0, f64::max)
}

fn sound(session: &Session) {
    assert_eq!(session.broken_rule(), None);
    let view = session.view(&Wants::default());
    assert!(view.deliveries.iter().all(|stream| stream.balanced), "{:?}", view.deliveries);
    assert!(view.accounting.iter().all(|line| line.balanced), "{:?}", view.accounting);
}

#[test]
fn records_pass_through_the_function_and_failures_go_to_the_error_stream() {
    let mut session = session();
    let each = "if (t.startsWith('bad')) return { recordId, result: 'ProcessingFailed', data: r.data }; if (t.startsWith('drop')) return { recordId, \
                result: 'Dropped' }; if (t.startsWith('lost')) return { recordId: 'another' }; const m = r.kinesisStreamRecordMetadata; \
                return give(JSON.stringify({ room: m.partitionKey + m.shardId.slice(-1), celsius: Number(t) }) + JSON.stringify({ room: 'twice', celsius: 0 }));";
    function(&mut session, "f", &handler(each));
    running(&mut session, 1, Some("f"));
    for text in ["21", "bad", "drop", "lost", "warm", "22"] {
        put(&mut session, "a", text);
        ok(&mut session, "run 20ms");
    }
    ok(&mut session, "run 4s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["a0 21", "twice 0", "a0 ", "twice 0", "a0 22", "twice 0"]);
    let errors = rows(&session, "error_stream");
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("InputProcessingFailed") && errors[0].contains("ProcessingFailed") && errors[0].contains("626164"), "{errors:?}");
    let view = rooms(&session);
    let processing = view.processing.expect("a function");
    assert_eq!((processing.function.as_str(), processing.counts, view.records), ("f", (3, 1, 2), 6));
    let described = answer(&mut session, "aws kinesisanalytics describe-application --application-name rooms");
    let input = &described["ApplicationDetail"]["InputDescriptions"][0];
    assert_eq!(input["InputProcessingConfigurationDescription"]["InputLambdaProcessorDescription"]["ResourceARN"], json!(function_arn("f")));
    assert_eq!(input["InputStartingPositionConfiguration"]["InputStartingPosition"], "NOW");
    let id = input["InputId"].as_str().expect("an id").to_owned();
    let flow = Some(("Input", id.as_str()));
    for (name, expected) in [
        ("InputProcessing.OkRecords", 3.0),
        ("InputProcessing.DroppedRecords", 1.0),
        ("InputProcessing.ProcessingFailedRecords", 2.0),
        ("Records", 6.0),
    ] {
        assert_eq!(metric(&mut session, name, flow), expected, "{name}");
    }
    assert!(metric(&mut session, "InputProcessing.Success", flow) >= 1.0 && metric(&mut session, "InputProcessing.Duration", flow) > 0.0);
    assert!(ok(&mut session, "apps").contains("function f prepares its records: 3 ok, 1 dropped, 2 failed"));
    sound(&session);
}

#[test]
fn a_function_that_fails_holds_the_input_back_until_it_works() {
    let mut session = session();
    function(&mut session, "f", &handler("return give(t);"));
    running(&mut session, 2, Some("f"));
    ok(&mut session, "fault fail f");
    for celsius in 0..4 {
        put(&mut session, if celsius % 2 == 0 { "a" } else { "b" }, &reading("a", celsius));
        ok(&mut session, "run 10ms");
    }
    ok(&mut session, "run 25s");
    let view = rooms(&session);
    assert!(view.behind_ms > 20_000, "{}", view.behind_ms);
    assert!(view.processing.as_ref().is_some_and(|processing| processing.failures >= 4 && processing.trouble.is_some()), "{view:?}");
    assert!(rows(&session, "COUNTS").is_empty(), "the window is not closed: its rows are still to come");
    assert!(metric(&mut session, "MillisBehindLatest", None) > 20_000.0);
    assert!(ok(&mut session, "coach").contains("function f fails: Error: a fault of the lab makes every call fail"));
    ok(&mut session, "fault end fail f");
    ok(&mut session, "run 40s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["a 0", "a 1", "a 2", "a 3"]);
    assert_eq!(rows(&session, "COUNTS"), ["4"], "counted in the window of their arrival");
    assert_eq!(rooms(&session).behind_ms, 0);
    sound(&session);
}

#[test]
fn the_processing_of_an_input_is_added_changed_and_taken_away_through_both_apis() {
    let mut session = session();
    function(&mut session, "plus", &handler("const o = JSON.parse(t); o.celsius += 100; return give(JSON.stringify(o));"));
    running(&mut session, 1, None);
    function(&mut session, "hot", "keep celsius > 10");
    let add = |api: &str, version: u64, name: &str| {
        let configuration = quoted(&json!({"InputLambdaProcessor": {"ResourceARN": function_arn(name)}}));
        format!(
            "aws {api} add-application-input-processing-configuration --application-name rooms --current-application-version-id {version} --input-id 1.1 --input-processing-configuration {configuration}"
        )
    };
    put(&mut session, "a", &reading("plain", 1));
    ok(&mut session, "run 2s");
    let added = answer(&mut session, &add("kinesisanalyticsv2", 1, "plus"));
    assert_eq!((&added["ApplicationVersionId"], &added["InputId"]), (&json!(2), &json!("1.1")));
    assert_eq!(added["InputProcessingConfigurationDescription"]["InputLambdaProcessorDescription"]["ResourceARN"], json!(function_arn("plus")));
    assert!(fails(&mut session, &add("kinesisanalytics", 2, "plus")).contains("already"));
    put(&mut session, "a", &reading("plus", 1));
    ok(&mut session, "run 3s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["plus 101"], "saved and run: what was before is gone");
    let update = quoted(
        &json!({"InputUpdates": [{"InputId": "1.1", "InputProcessingConfigurationUpdate": {"InputLambdaProcessorUpdate": {"ResourceARNUpdate": function_arn("hot")}}}]}),
    );
    ok(
        &mut session,
        &format!("aws kinesisanalytics update-application --application-name rooms --current-application-version-id 2 --application-update {update}"),
    );
    put(&mut session, "a", &reading("cold", 9));
    put(&mut session, "a", &reading("hot", 11));
    ok(&mut session, "run 3s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["hot 11"], "a rule keeps or drops");
    let described = answer(&mut session, "aws kinesisanalyticsv2 describe-application --application-name rooms");
    let sql = &described["ApplicationDetail"]["ApplicationConfigurationDescription"]["SqlApplicationConfigurationDescription"];
    let processing = &sql["InputDescriptions"][0]["InputProcessingConfigurationDescription"];
    assert_eq!(processing["InputLambdaProcessorDescription"]["ResourceARN"], json!(function_arn("hot")));
    let delete = "aws kinesisanalytics delete-application-input-processing-configuration --application-name rooms --current-application-version-id 3 --input-id 1.1";
    ok(&mut session, delete);
    assert!(fails(&mut session, &delete.replace("id 3", "id 4")).contains("has no InputProcessingConfiguration"));
    put(&mut session, "a", &reading("cold", 8));
    ok(&mut session, "run 3s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["cold 8"]);
    ok(&mut session, "app process rooms plus");
    put(&mut session, "a", &reading("word", 1));
    ok(&mut session, "run 3s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["word 101"]);
    ok(&mut session, "app process rooms none");
    assert!(fails(&mut session, "app process rooms nobody").contains("does not exist"));
    sound(&session);
}

#[test]
fn a_schema_is_discovered_from_what_the_function_makes() {
    let mut session = session();
    ok(&mut session, "aws kinesis create-stream --stream-name in --shard-count 1");
    function(&mut session, "csv", &handler("const [room, celsius] = t.split(';'); return give(JSON.stringify({ room, celsius: Number(celsius) }));"));
    function(&mut session, "broken", "exports.handler = async () => { throw new Error('no'); };");
    ok(&mut session, "run 3s");
    put(&mut session, "a", "kitchen;21");
    put(&mut session, "a", "attic;30");
    let discover = |api: &str, role: &str, name: &str| {
        let configuration = quoted(&json!({"InputLambdaProcessor": {"ResourceARN": function_arn(name)}}));
        format!(
            "aws {api} discover-input-schema --resource-arn {STREAM} --{role} {ROLE} --input-starting-position-configuration InputStartingPosition=NOW --input-processing-configuration {configuration}"
        )
    };
    for line in [discover("kinesisanalytics", "role-arn", "csv"), discover("kinesisanalyticsv2", "service-execution-role", "csv")] {
        let found = answer(&mut session, &line);
        let names: Vec<&str> =
            found["InputSchema"]["RecordColumns"].as_array().expect("a list").iter().filter_map(|column| column["Name"].as_str()).collect();
        assert_eq!(names, ["room", "celsius"]);
        assert_eq!(found["RawInputRecords"], json!(["kitchen;21", "attic;30"]));
        assert_eq!(found["ProcessedInputRecords"][0], r#"{"room":"kitchen","celsius":21}"#);
        assert_eq!(found["ParsedInputRecords"], json!([["kitchen", "21"], ["attic", "30"]]));
    }
    let refused = fails(&mut session, &discover("kinesisanalytics", "role-arn", "broken"));
    assert!(refused.contains("UnableToDetectSchemaException") && refused.contains("Error: no"), "{refused}");
}

#[test]
fn a_delivery_stream_is_a_source_and_its_own_deliveries_do_not_notice() {
    let mut session = session();
    delivery(&mut session);
    create(&mut session, &input(from_delivery(), None));
    let start = |position: &str| {
        let configuration = json!([{"Id": "1.1", "InputStartingPositionConfiguration": {"InputStartingPosition": position}}]);
        format!("aws kinesisanalytics start-application --application-name rooms --input-configurations {}", quoted(&configuration))
    };
    put_delivery(&mut session, &reading("before", 1));
    assert!(fails(&mut session, &start("TRIM_HORIZON")).contains("not available"));
    ok(&mut session, &start("NOW"));
    ok(&mut session, "run 3s");
    for celsius in 1..4 {
        put_delivery(&mut session, &reading("door", celsius));
    }
    ok(&mut session, "run 15s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["door 1", "door 2", "door 3"]);
    assert_eq!(rows(&session, "COUNTS"), ["3"]);
    ok(&mut session, "app stop rooms");
    put_delivery(&mut session, &reading("stopped", 1));
    ok(&mut session, &start("LAST_STOPPED_POINT"));
    ok(&mut session, "run 3s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["stopped 1"]);
    ok(&mut session, "app stop rooms");
    put_delivery(&mut session, &reading("missed", 1));
    ok(&mut session, "app start rooms");
    ok(&mut session, "run 3s");
    assert!(rows(&session, "OUT_ROWS").is_empty(), "NOW");
    let described = answer(&mut session, "aws kinesisanalytics describe-application --application-name rooms");
    assert_eq!(described["ApplicationDetail"]["InputDescriptions"][0]["KinesisFirehoseInputDescription"]["ResourceARN"], DELIVERY);
    assert_eq!(rooms(&session).input.as_deref(), Some("delivery stream door"));
    ok(&mut session, "flush door");
    let stream = &session.view(&Wants::default()).deliveries[0];
    let amount = |wanted: &str| stream.accounting.iter().find(|(name, _)| name == wanted).map_or(0, |(_, amount)| *amount);
    assert_eq!((amount("came in"), amount("delivered")), (6, 6));
    sound(&session);
}

#[test]
fn a_delivery_stream_with_a_stream_behind_it_is_a_source_and_its_function_sees_its_metadata() {
    let mut session = session();
    ok(&mut session, "aws kinesis create-stream --stream-name in --shard-count 1");
    ok(&mut session, "aws s3 mb s3://lake");
    ok(&mut session, "run 3s");
    let source = quoted(&json!({"KinesisStreamARN": STREAM, "RoleARN": ROLE}));
    ok(
        &mut session,
        &format!(
            "aws firehose create-delivery-stream --delivery-stream-name door --delivery-stream-type KinesisStreamAsSource --kinesis-stream-source-configuration {source} --s3-destination-configuration RoleARN={ROLE},BucketARN=arn:aws:s3:::lake"
        ),
    );
    ok(&mut session, "run 3s");
    let each = "const m = r.kinesisFirehoseRecordMetadata; return give(JSON.stringify({ room: event.streamArn.split('/')[1], \
                celsius: m.approximateArrivalTimestamp > 0 ? Number(t) : -1 }));";
    function(&mut session, "f", &handler(each));
    ok(&mut session, "app create rooms");
    put(&mut session, "a", &reading("sample", 1));
    ok(&mut session, "run 2s");
    ok(&mut session, "app discover rooms firehose:door");
    ok(&mut session, "app process rooms f");
    let update = quoted(&json!({ "ApplicationCodeUpdate": CODE }));
    ok(
        &mut session,
        &format!("aws kinesisanalytics update-application --application-name rooms --current-application-version-id 3 --application-update {update}"),
    );
    ok(&mut session, "app start rooms");
    ok(&mut session, "run 3s");
    put(&mut session, "a", "17");
    ok(&mut session, "run 4s");
    assert_eq!(rows(&session, "OUT_ROWS"), ["door 17"]);
    sound(&session);
}

#[test]
fn rows_that_a_destination_function_does_not_deliver_are_sent_again() {
    let mut session = session();
    function(
        &mut session,
        "sink",
        "exports.handler = async (event) => ({ records: event.records.map((r) => { const t = Buffer.from(r.data, 'base64').toString(); \
         const hint = r.lambdaDeliveryRecordMetadata.retryHint; console.log(t + ' ' + hint); \
         return { recordId: r.recordId, result: t.includes('late') && hint < 2 ? 'DeliveryFailed' : 'Ok' }; }) });",
    );
    running(&mut session, 1, None);
    ok(&mut session, "app output rooms OUT_ROWS lambda:sink JSON");
    put(&mut session, "a", &reading("late", 1));
    put(&mut session, "a", &reading("good", 2));
    ok(&mut session, "run 2s");
    let output = rooms(&session).outputs.remove(0);
    assert_eq!((output.delivered, output.waiting, output.failed), (1, 1, 1));
    assert!(output.trouble.as_deref().is_some_and(|why| why.contains("1 of 2")), "{output:?}");
    ok(&mut session, "run 8s");
    let output = rooms(&session).outputs.remove(0);
    assert_eq!((output.delivered, output.waiting, output.failed, output.trouble), (2, 0, 2, None));
    let view = session.view(&Wants::default());
    let log: Vec<&str> = view.functions[0].log.iter().map(|line| line.text.as_str()).filter_map(|text| text.strip_prefix("INFO\t")).collect();
    assert_eq!(
        log,
        [
            r#"{"ROOM":"late","CELSIUS":1} 0"#,
            r#"{"ROOM":"good","CELSIUS":2} 0"#,
            r#"{"ROOM":"late","CELSIUS":1} 1"#,
            r#"{"ROOM":"late","CELSIUS":1} 2"#
        ]
    );
    let described = answer(&mut session, "aws kinesisanalytics describe-application --application-name rooms");
    let output = &described["ApplicationDetail"]["OutputDescriptions"][0];
    assert_eq!(output["LambdaOutputDescription"]["ResourceARN"], json!(function_arn("sink")));
    let id = output["OutputId"].as_str().expect("an id").to_owned();
    let flow = Some(("Output", id.as_str()));
    assert_eq!(metric(&mut session, "LambdaDelivery.OkRecords", flow), 2.0);
    assert_eq!(metric(&mut session, "LambdaDelivery.DeliveryFailedRecords", flow), 2.0);
    assert_eq!((metric(&mut session, "Success", flow), metric(&mut session, "Records", flow)), (1.0, 2.0));
    assert!(metric(&mut session, "LambdaDelivery.Duration", flow) > 0.0);
    sound(&session);
}

#[test]
fn a_destination_function_that_is_away_loses_no_row() {
    let mut session = session();
    running(&mut session, 1, None);
    let output = quoted(
        &json!({"Name": "OUT_ROWS", "LambdaOutput": {"ResourceARN": function_arn("sink"), "RoleARN": ROLE}, "DestinationSchema": {"RecordFormatType": "CSV"}}),
    );
    ok(
        &mut session,
        &format!(
            "aws kinesisanalytics add-application-output --application-name rooms --current-application-version-id 1 --application-output {output}"
        ),
    );
    put(&mut session, "a", &reading("a", 1));
    ok(&mut session, "run 5s");
    assert!(ok(&mut session, "apps").contains("the function does not exist"));
    assert!(ok(&mut session, "coach").contains("rows of OUT_ROWS wait for function sink, 1 in all"));
    function(&mut session, "sink", "exports.handler = async (e) => ({ records: e.records.map((r) => ({ recordId: r.recordId, result: 'Ok' })) });");
    put(&mut session, "a", &reading("a", 2));
    ok(&mut session, "run 30s");
    let output = rooms(&session).outputs.remove(0);
    assert_eq!((output.delivered, output.waiting), (2, 0));
}

/// Six pollers of one shard are more than five calls a second: all are refused now and then, and the application, too.
#[test]
fn applications_share_the_read_limits_of_shards() {
    let mut session = session();
    running(&mut session, 1, None);
    for second in 0..20 {
        put(&mut session, "a", &reading("a", second));
        ok(&mut session, "run 1s");
    }
    let exceeded = |session: &mut Session| {
        let found = answer(
            session,
            "aws cloudwatch get-metric-statistics --namespace AWS/Kinesis --metric-name ReadProvisionedThroughputExceeded --dimensions Name=StreamName,Value=in \
             --start-time 2000-01-01T00:00:00Z --end-time 2040-01-01T00:00:00Z --period 86400000 --statistics Sum",
        );
        found["Datapoints"][0]["Sum"].as_f64().unwrap_or(0.0)
    };
    assert_eq!(exceeded(&mut session), 0.0, "alone it stays within the limits");
    assert_eq!(rows(&session, "OUT_ROWS").len(), 20);
    let iterator = answer(
        &mut session,
        "aws kinesis get-shard-iterator --stream-name in --shard-id shardId-000000000000 --shard-iterator-type LATEST",
    )["ShardIterator"]
        .as_str()
        .expect("an iterator")
        .to_owned();
    // Somebody begins with a full budget, asks as fast as it can, and is there first.
    ok(&mut session, "run 230ms");
    for round in 0..60 {
        put(&mut session, "a", &reading("b", round));
        for _ in 0..6 {
            session.line(&format!("aws kinesis get-records --shard-iterator {iterator}"));
        }
        ok(&mut session, "run 100ms");
    }
    assert!(exceeded(&mut session) > 0.0);
    let behind = metric(&mut session, "MillisBehindLatest", None);
    assert!(behind > 1000.0, "it has fallen behind: {behind} ms");
    let journal = session.view(&Wants { journal_rows: 2000, ..Wants::default() }).journal;
    assert!(journal.rows.iter().any(|row| row.text.contains("GetRecords is refused on a shard of in")), "it says so");
    ok(&mut session, "run 20s");
    assert_eq!((rows(&session, "OUT_ROWS").len(), rooms(&session).behind_ms), (80, 0), "nothing is lost and all is caught up with");
    assert_eq!(rows(&session, "COUNTS").iter().filter_map(|n| n.parse::<u64>().ok()).sum::<u64>(), 80);
    sound(&session);
}

/// Functions on both sides, steps of any size, rewinding: the same world, and no handler runs twice.
#[test]
fn steps_and_replays_give_the_same_world() {
    let play = |steps: &[&str]| {
        let mut session = session();
        function(&mut session, "in", &handler("return Math.random() < 0.3 ? { recordId, result: 'ProcessingFailed' } : give(t);"));
        function(
            &mut session,
            "out",
            "exports.handler = async (e) => ({ records: e.records.map((r) => ({ recordId: r.recordId, result: Math.random() < 0.5 ? 'Ok' : 'DeliveryFailed' })) });",
        );
        running(&mut session, 3, Some("in"));
        ok(&mut session, "app output rooms OUT_ROWS lambda:out JSON");
        for celsius in 0..30 {
            put(&mut session, &celsius.to_string(), &reading("a", celsius));
        }
        for step in steps {
            ok(&mut session, &format!("run {step}"));
        }
        session
    };
    let whole = play(&["30s"]);
    let pieces = play(&["7ms", "343ms", "150ms", "500ms", "1s", "1s", "2s", "5s", "20s"]);
    assert_eq!(whole.now(), pieces.now());
    let strip = |session: &Session| session.view(&Wants::default()).applications;
    assert_eq!(strip(&whole), strip(&pieces));
    assert!(rooms(&whole).errors > 0 && rooms(&whole).outputs[0].failed > 0, "something failed on both sides");
    let saved = kinlab::session::runlog::SavedRun::parse(&whole.log_text()).expect("good");
    let mut again = session();
    again.resume(saved.entries);
    again.advance(whole.now());
    assert_eq!(again.world().journal_hash(), whole.world().journal_hash());
    assert_eq!(strip(&again), strip(&whole));
    let mut back = play(&["30s"]);
    ok(&mut back, "rewind 12s");
    ok(&mut back, "run 12s");
    assert_eq!(strip(&back), strip(&whole));
    sound(&back);
}
