//! Functions as a user has them: lanes and windows of event source mappings, services that handlers call, topics; templates, the agent, time zones.
#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "support/account.rs"]
mod account;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinlab::api::cli::FileSource;
use kinlab::engine::agent::{AgentConfig, Disk, FileId, Seen};
use kinlab::engine::lambda::mapping::reader::lane_of;
use kinlab::engine::time::VirtualDuration;
use kinlab::engine::view::{MappingView, Wants};
use kinlab::session::Session;
use kinlab::session::driver::Driver;

use account::{fails, ok, session};

const STREAM: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/s";

fn function(session: &mut Session, name: &str, runtime: &str, code: &str) {
    let code = STANDARD.encode(code);
    let role = "arn:aws:iam::123456789012:role/r";
    ok(
        session,
        &format!(
            "aws lambda create-function --function-name {name} --runtime {runtime} --handler index.handler --timeout 60 --role {role} --code ZipFile={code}"
        ),
    );
}

/// A stream of one shard, a function that reads it.
fn reads(code: &str, options: &str) -> Session {
    let mut session = session();
    ok(&mut session, "aws kinesis create-stream --stream-name s --shard-count 1");
    ok(&mut session, "run 3s");
    function(&mut session, "f", "nodejs18.x", code);
    ok(
        &mut session,
        &format!("aws lambda create-event-source-mapping --function-name f --starting-position LATEST --event-source-arn {STREAM} {options}"),
    );
    ok(&mut session, "run 3s");
    session
}

fn put(session: &mut Session, records: &[(&str, &str)]) {
    let records: Vec<String> =
        records.iter().map(|(key, data)| format!(r#"{{"PartitionKey":"{key}","Data":"{}"}}"#, STANDARD.encode(data))).collect();
    ok(session, &format!("aws kinesis put-records --stream-name s --records '[{}]'", records.join(",")));
}

fn log(session: &mut Session) -> Vec<String> {
    ok(session, "log f").lines().map(str::to_owned).collect()
}

fn mapping(session: &Session) -> MappingView {
    session.view(&Wants::default()).functions[0].mappings[0].clone()
}

/// Two keys of the two lanes of a shard.
fn two_keys() -> [&'static str; 2] {
    let of = |lane| ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().find(|key| lane_of(key, 2) == lane).expect("one of eight");
    [of(0), of(1)]
}

#[test]
fn lanes_keep_keys_in_order_and_a_blocked_one_does_not_hold_the_other() {
    let [good, bad] = two_keys();
    let code = "exports.handler = async (e) => { \
        const all = e.Records.map((r) => `${r.kinesis.partitionKey}${Buffer.from(r.kinesis.data, 'base64')}`); \
        if (all.some((x) => x.endsWith('!'))) throw new Error('poison'); \
        console.log(`batch ${all.join(' ')}`); };";
    let mut session = reads(code, "--parallelization-factor 2 --batch-size 5");
    let numbers: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let mut records = vec![(bad, "!")];
    records.extend(numbers.iter().flat_map(|n| [(good, n.as_str()), (bad, n.as_str())]));
    put(&mut session, &records);
    ok(&mut session, "run 30s");
    let printed: Vec<String> = log(&mut session).into_iter().filter_map(|line| line.split_once("batch ").map(|(_, all)| all.to_owned())).collect();
    let good_ones: Vec<String> = numbers.iter().map(|n| format!("{good}{n}")).collect();
    assert_eq!(printed.join(" "), good_ones.join(" "), "the good lane goes on, in order, in batches of its own");
    assert!(printed.iter().all(|batch| batch.split(' ').count() <= 5));
    assert_eq!(mapping(&session).counts.0, 12);
    assert!(ok(&mut session, "functions").contains("batches of 5, 2 lanes a shard,"));
    assert!(mapping(&session).result.contains("poison"));
    // Given up after a few attempts: the lane goes on in order.
    let uuid = mapping(&session).uuid;
    ok(&mut session, &format!("aws lambda update-event-source-mapping --uuid {uuid} --maximum-retry-attempts 1 --bisect-batch-on-function-error"));
    ok(&mut session, "run 180s");
    let printed: Vec<String> = log(&mut session).iter().filter_map(|line| line.split_once("batch ").map(|(_, all)| all.to_owned())).collect();
    let bad_ones: Vec<String> = numbers.iter().map(|n| format!("{bad}{n}")).collect();
    assert!(printed.join(" ").ends_with(&bad_ones.join(" ")), "{printed:?}");
    assert_eq!(mapping(&session).counts, (24, 0, 0, 0, 1));
    // Another number of lanes takes over what waits.
    ok(&mut session, &format!("aws lambda update-event-source-mapping --uuid {uuid} --parallelization-factor 1"));
    put(&mut session, &[(good, "last"), (bad, "last")]);
    ok(&mut session, "run 5s");
    assert!(log(&mut session).join("\n").contains(&format!("batch {good}last {bad}last")));
}

#[test]
fn a_failed_batch_is_told_to_a_topic_and_its_records_go_to_a_bucket() {
    let mut session = reads("exports.handler = async () => { throw new Error('no'); };", "--maximum-retry-attempts 1 --batch-size 10");
    ok(&mut session, "aws sns create-topic --name lost");
    ok(&mut session, "aws s3 mb s3://lost");
    let uuid = mapping(&session).uuid;
    let place = |arn: &str| {
        format!("aws lambda update-event-source-mapping --uuid {uuid} --destination-config '{{\"OnFailure\":{{\"Destination\":\"{arn}\"}}}}'")
    };
    ok(&mut session, &place("arn:aws:sns:us-east-1:123456789012:lost"));
    put(&mut session, &[("a", "1"), ("a", "2")]);
    ok(&mut session, "run 10s");
    assert_eq!(mapping(&session).counts.4, 2);
    let journal = ok(&mut session, "journal");
    assert!(journal.contains("RetryAttemptsExhausted") || journal.contains("\"condition\""), "{journal}");
    ok(&mut session, &place("arn:aws:s3:::lost"));
    put(&mut session, &[("a", "3")]);
    ok(&mut session, "run 10s");
    let list = ok(&mut session, "aws s3 ls s3://lost --recursive");
    assert!(list.contains(&format!("aws/lambda/{uuid}/shardId-000000000000/")), "{list}");
}

const COUNTS: &str = "exports.handler = async (e) => { \
    const count = (e.state.count || 0) + e.Records.length; \
    console.log(`${e.window.start} ${e.window.end} ${e.shardId} final=${e.isFinalInvokeForWindow} early=${e.isWindowTerminatedEarly} records=${e.Records.length} count=${count}`); \
    return { state: { count } }; };";

#[test]
fn a_tumbling_window_carries_its_state_and_ends_once() {
    let mut session = reads(COUNTS, "--tumbling-window-in-seconds 60 --batch-size 2");
    for n in 0..10 {
        put(&mut session, &[("a", "x"), ("b", "y"), ("c", "z")]);
        ok(&mut session, if n % 2 == 0 { "run 7s" } else { "run 20s" });
    }
    ok(&mut session, "run 70s");
    let lines: Vec<String> = log(&mut session).into_iter().filter(|line| line.contains("final=")).collect();
    let number = |line: &str, name: &str| -> u64 {
        line.split_once(&format!("{name}=")).and_then(|(_, rest)| rest.split(' ').next()?.parse().ok()).expect("a number")
    };
    let finals: Vec<&String> = lines.iter().filter(|line| line.contains("final=true")).collect();
    assert!(finals.len() >= 2, "{lines:#?}");
    assert!(finals.iter().all(|line| number(line, "records") == 0 && line.contains("shardId-000000000000")));
    assert_eq!(finals.iter().map(|line| number(line, "count")).sum::<u64>(), 30, "every record is in one window: {lines:#?}");
    // Windows begin at multiples of their length, and one ends before the next begins.
    for line in &finals {
        assert!(line.contains(":00Z "), "{line}");
    }
    let mut windows: Vec<&str> =
        lines.iter().map(|line| line.split_once("INFO").expect("a level").1.trim_start().split(' ').next().expect("start")).collect();
    let order = windows.clone();
    windows.sort_unstable();
    assert_eq!(order, windows);
}

#[test]
fn a_state_of_more_than_a_megabyte_ends_its_window_early() {
    let code = "exports.handler = async (e) => { \
        console.log(`early=${e.isWindowTerminatedEarly} final=${e.isFinalInvokeForWindow} records=${e.Records.length} has=${(e.state.x || '').length}`); \
        return { state: { x: 'x'.repeat(e.Records.length > 1 ? 1100000 : 10) } }; };";
    let mut session = reads(code, "--tumbling-window-in-seconds 900");
    put(&mut session, &[("a", "1"), ("b", "2")]);
    ok(&mut session, "run 5s");
    put(&mut session, &[("c", "3")]);
    ok(&mut session, "run 5s");
    let lines: Vec<String> = log(&mut session).into_iter().filter_map(|line| line.split_once("early=").map(|(_, rest)| rest.to_owned())).collect();
    assert_eq!(lines, ["false final=false records=2 has=0", "true final=false records=0 has=1100000", "false final=false records=1 has=0"]);
}

#[test]
fn windows_refuse_what_does_not_go_with_them() {
    let mut session = reads("exports.handler = async () => 'no state';", "--tumbling-window-in-seconds 30");
    let uuid = mapping(&session).uuid;
    let error = fails(&mut session, &format!("aws lambda update-event-source-mapping --uuid {uuid} --parallelization-factor 2"));
    assert!(error.contains("InvalidParameterValueException") && error.contains("ParallelizationFactor"), "{error}");
    let error = fails(&mut session, &format!("aws lambda update-event-source-mapping --uuid {uuid} --tumbling-window-in-seconds 901"));
    assert!(error.contains("tumblingWindowInSeconds") && error.contains("900"), "{error}");
    put(&mut session, &[("a", "1")]);
    ok(&mut session, "run 3s");
    assert!(mapping(&session).result.contains("no state"), "{}", mapping(&session).result);
}

#[test]
fn a_partial_failure_keeps_the_state_and_counts_its_attempts() {
    let code = "exports.handler = async (e) => { \
        const state = { seen: (e.state.seen || 0) + 1 }; console.log(`seen=${state.seen} records=${e.Records.length}`); \
        const bad = e.Records.find((r) => Buffer.from(r.kinesis.data, 'base64').toString() === 'bad'); \
        return { state, batchItemFailures: bad ? [{ itemIdentifier: bad.kinesis.sequenceNumber }] : [] }; };";
    let mut session = reads(code, "--tumbling-window-in-seconds 900 --maximum-retry-attempts 1 --function-response-types ReportBatchItemFailures");
    put(&mut session, &[("a", "1"), ("a", "2"), ("a", "bad"), ("a", "4")]);
    ok(&mut session, "run 20s");
    let lines: Vec<String> = log(&mut session).into_iter().filter_map(|line| line.split_once("seen=").map(|(_, rest)| rest.to_owned())).collect();
    assert_eq!(lines, ["1 records=4", "2 records=2"]);
    assert_eq!((mapping(&session).counts.0, mapping(&session).counts.4), (2, 2));
}

/// A table, a topic with a function and an address, and the handler that uses both.
fn uses(runtime: &str, code: &str) -> Session {
    let mut session = session();
    ok(
        &mut session,
        "aws dynamodb create-table --table-name counts --attribute-definitions AttributeName=id,AttributeType=S AttributeName=n,AttributeType=N --key-schema AttributeName=id,KeyType=HASH AttributeName=n,KeyType=RANGE --billing-mode PAY_PER_REQUEST",
    );
    ok(&mut session, "run 5s");
    ok(&mut session, "aws sns create-topic --name alarms");
    let topic = "arn:aws:sns:us-east-1:123456789012:alarms";
    let answer = ok(&mut session, &format!("aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint me@example.com"));
    assert!(answer.contains("pending confirmation"), "{answer}");
    function(
        &mut session,
        "hears",
        "nodejs18.x",
        "exports.handler = async (e) => { console.log(`heard ${e.Records[0].Sns.Subject}: ${e.Records[0].Sns.Message}`); };",
    );
    ok(
        &mut session,
        &format!(
            "aws sns subscribe --topic-arn {topic} --protocol lambda --notification-endpoint arn:aws:lambda:us-east-1:123456789012:function:hears"
        ),
    );
    function(&mut session, "f", runtime, code);
    session
}

fn invoke(session: &mut Session) -> String {
    let payload = STANDARD.encode("{}");
    ok(session, &format!("aws lambda invoke --function-name f --payload {payload} -"))
}

fn heard(session: &mut Session) {
    ok(session, "run 2s");
    let heard = ok(session, "log hears");
    assert!(heard.contains("heard count: 3"), "{heard}");
    assert_eq!(session.broken_rule(), None);
}

#[test]
fn a_document_client_of_the_second_sdk_reads_what_it_wrote() {
    let code = "const AWS = require('aws-sdk'); const doc = new AWS.DynamoDB.DocumentClient(); const sns = new AWS.SNS(); \
        exports.handler = (event, context, callback) => { \
          doc.put({ TableName: 'counts', Item: { id: 'a', n: 1, tags: doc.createSet(['x']), deep: { list: [1, 'two', null, true] }, gone: undefined } }, (error) => { \
            if (error) return callback(error); \
            doc.update({ TableName: 'counts', Key: { id: 'a', n: 1 }, UpdateExpression: 'ADD hits :two', ExpressionAttributeValues: { ':two': 2 }, ReturnValues: 'ALL_NEW' }).promise() \
              .then((updated) => doc.batchWrite({ RequestItems: { counts: [{ PutRequest: { Item: { id: 'a', n: 2 } } }, { PutRequest: { Item: { id: 'a', n: 3 } } }] } }).promise().then(() => updated)) \
              .then((updated) => doc.query({ TableName: 'counts', KeyConditionExpression: 'id = :id', ExpressionAttributeValues: { ':id': 'a' } }).promise().then((found) => \
                sns.publish({ TopicArn: 'arn:aws:sns:us-east-1:123456789012:alarms', Subject: 'count', Message: String(found.Count) }).promise().then((sent) => \
                  callback(null, { hits: updated.Attributes.hits, deep: updated.Attributes.deep, tags: updated.Attributes.tags.values, count: found.Items.length, sent: !!sent.MessageId })))) \
              .catch(callback); }); };";
    let mut session = uses("nodejs18.x", code);
    let answer = invoke(&mut session);
    let squeezed: String = answer.chars().filter(|c| !c.is_whitespace()).collect();
    assert!(squeezed.contains(r#"{"hits":2,"deep":{"list":[1,"two",null,true]},"tags":["x"],"count":3,"sent":true}"#), "{answer}");
    heard(&mut session);
    // What is in the table is DynamoDB's own form.
    let item = ok(&mut session, r#"aws dynamodb get-item --table-name counts --key '{"id":{"S":"a"},"n":{"N":"1"}}'"#);
    assert!(item.contains("\"SS\"") && item.contains("\"NULL\": true") && !item.contains("gone"), "{item}");
    // Another run of the same lines makes the same world, without running code.
    let hash = session.world().journal_hash();
    ok(&mut session, "rewind 1s");
    ok(&mut session, "run 1s");
    assert_eq!(session.world().journal_hash(), hash);
}

#[test]
fn a_document_client_of_the_third_sdk_and_its_errors() {
    let code = "import { DynamoDBClient, PutItemCommand, ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'; \nimport { DynamoDBDocumentClient, PutCommand, GetCommand } from '@aws-sdk/lib-dynamodb'; \nimport { marshall, unmarshall } from '@aws-sdk/util-dynamodb'; \nimport { SNSClient, PublishCommand } from '@aws-sdk/client-sns'; \nconst raw = new DynamoDBClient({}); const doc = DynamoDBDocumentClient.from(raw); const sns = new SNSClient({}); \n\
        export const handler = async () => { \
          await raw.send(new PutItemCommand({ TableName: 'counts', Item: marshall({ id: 'b', n: 1, bytes: new Uint8Array([1, 2, 3]), set: new Set([1, 2]) }) })); \
          let refused; try { await doc.send(new PutCommand({ TableName: 'counts', Item: { id: 'b', n: 1 }, ConditionExpression: 'attribute_not_exists(id)' })); } \
          catch (error) { refused = error instanceof ConditionalCheckFailedException && error.name; } \
          let strict; try { await doc.send(new PutCommand({ TableName: 'counts', Item: { id: 'b', n: 1, x: undefined } })); } catch (error) { strict = /removeUndefinedValues/.test(error.message); } \
          const { Item } = await doc.send(new GetCommand({ TableName: 'counts', Key: { id: 'b', n: 1 } })); \
          await sns.send(new PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:123456789012:alarms', Subject: 'count', Message: '3' })); \
          return { refused, strict, bytes: Array.from(Item.bytes), set: [...Item.set], same: unmarshall(marshall({ a: [1] })).a[0] }; };";
    let mut session = uses("nodejs18.x", code);
    let answer: String = invoke(&mut session).chars().filter(|c| !c.is_whitespace()).collect();
    assert!(answer.contains(r#"{"refused":"ConditionalCheckFailedException","strict":true,"bytes":[1,2,3],"set":[1,2],"same":1}"#), "{answer}");
    heard(&mut session);
}

#[test]
fn a_function_that_causes_itself_takes_time() {
    let mut session = session();
    let code = "const AWS = require('aws-sdk'); exports.handler = async () => { console.log('again'); \
        await new AWS.Lambda().invoke({ FunctionName: 'f', Payload: '{}' }).promise(); \
        await new AWS.SNS().publish({ TopicArn: 'arn:aws:sns:us-east-1:123456789012:t', Message: 'x' }).promise(); };";
    function(&mut session, "f", "nodejs18.x", code);
    ok(&mut session, "aws sns create-topic --name t");
    invoke(&mut session);
    ok(&mut session, "run 2s");
    let count = log(&mut session).iter().filter(|line| line.contains("again")).count();
    assert!((10..60).contains(&count), "{count}");
}

#[test]
fn an_event_that_fails_is_tried_three_times() {
    let mut session = session();
    function(&mut session, "f", "nodejs18.x", "exports.handler = async () => { console.log('tried'); throw new Error('no'); };");
    ok(&mut session, "aws sns create-topic --name t");
    let topic = "arn:aws:sns:us-east-1:123456789012:t";
    ok(
        &mut session,
        &format!("aws sns subscribe --topic-arn {topic} --protocol lambda --notification-endpoint arn:aws:lambda:us-east-1:123456789012:function:f"),
    );
    ok(&mut session, &format!("aws sns publish --topic-arn {topic} --message hello"));
    let tried = |session: &mut Session| log(session).iter().filter(|line| line.contains("tried")).count();
    ok(&mut session, "run 50s");
    assert_eq!(tried(&mut session), 1);
    ok(&mut session, "run 300s");
    assert_eq!(tried(&mut session), 3);
    assert!(fails(&mut session, "aws sns publish --topic-arn arn:aws:sns:us-east-1:123456789012:u --message x").contains("Topic does not exist"));
}

const TEMPLATE: &str = r"
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Batch: {Type: Number, Default: 10}
Resources:
  Source:
    Type: AWS::Kinesis::Stream
    Properties: {Name: s, ShardCount: 1}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub ${AWS::StackName}-role
      AssumeRolePolicyDocument: {Statement: []}
      ManagedPolicyArns:
      - !Join ['', ['arn:aws:iam::aws:policy/', AmazonKinesisFullAccess]]
  Reader:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: f
      Runtime: nodejs18.x
      Handler: index.handler
      Timeout: 30
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          exports.handler = async (event) => {
            console.log(`seen ${event.Records.length}`);  // all of them
          };
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Reader
      EventSourceArn: !GetAtt Source.Arn
      StartingPosition: TRIM_HORIZON
      BatchSize: !Ref Batch
";

#[derive(Debug)]
struct Files;

impl FileSource for Files {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        match path {
            "stack.yaml" => Ok(TEMPLATE.as_bytes().to_vec()),
            "bad.yaml" => Ok(b"Resources:\n  A: &x\n    Type: T\n".to_vec()),
            "odd.yaml" => Ok(b"Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: !ImportValue x}\n".to_vec()),
            other => Err(format!("no {other}")),
        }
    }
}

#[test]
fn a_template_in_yaml_builds_what_it_says() {
    let mut session = session();
    session.read_files_with(Box::new(Files));
    let output = ok(&mut session, "aws cloudformation deploy --template-file stack.yaml --stack-name demo --parameter-overrides Batch=5");
    assert!(output.contains("CREATE_COMPLETE  AWS::Lambda::EventSourceMapping"), "{output}");
    put(&mut session, &[("a", "1"), ("b", "2"), ("c", "3")]);
    ok(&mut session, "run 5s");
    assert!(log(&mut session).join("\n").contains("seen 3"));
    assert_eq!(mapping(&session).batch_size, 5);
    assert!(ok(&mut session, "aws iam get-role --role-name demo-role").contains("role/demo-role"));
    let error = fails(&mut session, "cfn deploy bad.yaml");
    assert!(error.contains("bad.yaml, line 2, column 6: Template format error: YAML not well-formed. anchors"), "{error}");
    assert!(fails(&mut session, "cfn deploy odd.yaml").contains("Fn::ImportValue is not simulated"));
}

/// A folder with one file.
#[derive(Debug)]
struct OneFile(Vec<u8>);

impl Disk for OneFile {
    fn list(&mut self, _: &str) -> Result<Vec<Seen>, String> {
        Ok(vec![Seen { path: "/var/log/app.log".to_owned(), id: FileId(1, 1), len: self.0.len() as u64, modified: 1 }])
    }

    fn read(&mut self, _: &str, offset: u64, max: usize) -> Result<Vec<u8>, String> {
        let rest = &self.0[offset as usize..];
        Ok(rest[..rest.len().min(max)].to_vec())
    }
}

fn delivered(session: &Session, part: &str) -> u64 {
    let accounting = session.world().services().accounting();
    let line = accounting.iter().find(|line| line.subject.starts_with("delivery stream")).expect("one stream");
    line.parts.iter().find(|(name, _)| name == part).expect("a part").1
}

#[test]
fn the_agent_writes_files_to_a_delivery_stream_and_loses_nothing() {
    let config = r#"{"flows": [{"filePattern": "/var/log/app.log*", "deliveryStream": "logs", "initialPosition": "START_OF_FILE", "maxBufferAgeMillis": 1000}]}"#;
    let lines: String = (0..1_234).map(|n| format!("line {n}\n")).collect();
    let mut session = session();
    session.attach_agent(AgentConfig::parse(config).expect("good"), Box::new(OneFile(lines.clone().into_bytes())), true).expect("possible");
    let reports = session.finish_agent();
    assert_eq!((reports[0].tally.records, reports[0].sent), (1_234, (1_234, 1_234, 0)));
    ok(&mut session, "run 62s");
    assert_eq!((delivered(&session, "came in"), delivered(&session, "delivered")), (1_234, 1_234));
    let list = ok(&mut session, "aws s3 ls s3://logs-delivered --recursive");
    let key = list.split_whitespace().last().expect("one object").to_owned();
    assert_eq!(ok(&mut session, &format!("aws s3 cp s3://logs-delivered/{key} -")), lines);
    assert_eq!(session.broken_rule(), None);
}

#[test]
fn the_agent_waits_for_its_delivery_stream() {
    let config = r#"{"flows": [{"filePattern": "/var/log/app.log*", "deliveryStream": "late", "initialPosition": "START_OF_FILE", "maxBufferAgeMillis": 1000}]}"#;
    let mut session = session();
    session.attach_agent(AgentConfig::parse(config).expect("good"), Box::new(OneFile(b"a\nb\n".to_vec())), false).expect("possible");
    session.turn(std::time::Duration::from_secs(1), std::time::Duration::ZERO);
    ok(&mut session, "run 5s");
    assert!(ok(&mut session, "journal").contains("Firehose late under account 123456789012 not found."));
    ok(&mut session, "aws s3 mb s3://lake");
    ok(
        &mut session,
        "aws firehose create-delivery-stream --delivery-stream-name late --s3-destination-configuration RoleARN=arn:aws:iam::123456789012:role/r,BucketARN=arn:aws:s3:::lake",
    );
    ok(&mut session, "run 20s");
    assert_eq!(delivered(&session, "came in"), 2);
}

/// Python handlers run in the machine's own python3, which only the program starts.
#[test]
fn a_python_handler_uses_tables_and_topics() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: no python3");
        return;
    }
    let code = "import boto3, json\n\
        from decimal import Decimal\n\
        from boto3.dynamodb.conditions import Key, Attr\n\
        from botocore.exceptions import ClientError\n\
        table = boto3.resource('dynamodb').Table('counts')\n\
        client = boto3.client('dynamodb')\n\
        def handler(event, context):\n    \
            with table.batch_writer() as batch:\n        \
                for n in range(30):\n            \
                    batch.put_item(Item={'id': 'a', 'n': n, 'price': Decimal('1.5'), 'tags': {'x', 'y'}, 'raw': b'\\x01', 'deep': [None, {'k': True}]})\n    \
            table.update_item(Key={'id': 'a', 'n': 3}, UpdateExpression='SET hits = :one', ExpressionAttributeValues={':one': 1})\n    \
            found = table.query(KeyConditionExpression=Key('id').eq('a') & Key('n').between(3, 6), FilterExpression=Attr('hits').not_exists() & ~Attr('tags').contains('z'))\n    \
            item = table.get_item(Key={'id': 'a', 'n': 3})['Item']\n    \
            refused = []\n    \
            try:\n        \
                table.put_item(Item={'id': 'a', 'n': 3}, ConditionExpression=Attr('id').not_exists())\n    \
            except ClientError as error:\n        \
                refused.append(error.response['Error']['Code'])\n    \
            try:\n        \
                client.get_item(TableName='nowhere', Key={'id': {'S': 'a'}})\n    \
            except client.exceptions.ResourceNotFoundException:\n        \
                refused.append('missing')\n    \
            try:\n        \
                table.put_item(Item={'id': 'a', 'n': 1, 'f': 0.5})\n    \
            except TypeError:\n        \
                refused.append('float')\n    \
            boto3.client('sns').publish(TopicArn='arn:aws:sns:us-east-1:123456789012:alarms', Subject='count', Message=str(found['Count']))\n    \
            return {'count': found['Count'], 'price': str(item['price']), 'tags': sorted(item['tags']), 'raw': list(bytes(item['raw'])), 'deep': item['deep'], 'refused': refused}\n";
    let lines = [
        "aws dynamodb create-table --table-name counts --attribute-definitions AttributeName=id,AttributeType=S AttributeName=n,AttributeType=N --key-schema AttributeName=id,KeyType=HASH AttributeName=n,KeyType=RANGE --billing-mode PAY_PER_REQUEST".to_owned(),
        "run 5s".to_owned(),
        "aws sns create-topic --name alarms".to_owned(),
        format!(
            "aws lambda create-function --function-name f --runtime python3.12 --handler index.handler --timeout 60 --role arn:aws:iam::123456789012:role/r --code ZipFile={}",
            STANDARD.encode(code)
        ),
        "aws lambda invoke --function-name f --payload e30= -".to_owned(),
        "journal 20".to_owned(),
    ];
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kinlab"))
        .arg("sh")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), (lines.join("\n") + "\n").as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let wanted = r#"{"count":3,"price":"1.5","tags":["x","y"],"raw":[1],"deep":[null,{"k":true}],"refused":["ConditionalCheckFailedException","missing","float"]}"#;
    assert!(squeezed.contains(wanted), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("topic alarms published: to nobody: 3"), "{text}");
}

#[test]
fn names_of_objects_follow_the_time_zone_of_the_stream() {
    let mut session = session();
    ok(&mut session, "aws s3 mb s3://lake");
    ok(
        &mut session,
        r#"aws firehose create-delivery-stream --delivery-stream-name trips --extended-s3-destination-configuration '{"RoleARN":"arn:aws:iam::123456789012:role/r","BucketARN":"arn:aws:s3:::lake","Prefix":"d=!{timestamp:yyyy-MM-dd-HHxxx}/","ErrorOutputPrefix":"e/!{firehose:error-output-type}/","CustomTimeZone":"Asia/Kolkata","FileExtension":".json","BufferingHints":{"SizeInMBs":5,"IntervalInSeconds":60}}'"#,
    );
    ok(&mut session, "run 3s");
    ok(&mut session, &format!("aws firehose put-record --delivery-stream-name trips --record Data={}", STANDARD.encode("x")));
    ok(&mut session, "run 65s");
    let key = ok(&mut session, "aws s3 ls s3://lake --recursive").split_whitespace().last().expect("an object").to_owned();
    // The lab begins at 22:00 UTC: half past three of the next day in India.
    let (there, utc) = (key[2..].split_once('/').expect("a prefix").0.to_owned(), session.now().to_string());
    assert!(there.ends_with("-03+05:30") && there[..10] > utc[..10], "{key} at {utc}");
    assert!(key.contains(&format!("trips-1-{}-03-30-", &there[..10])) && key.strip_suffix(".json").is_some(), "{key}");
    assert!(ok(&mut session, "aws firehose describe-delivery-stream --delivery-stream-name trips").contains(r#""CustomTimeZone": "Asia/Kolkata""#));
}

/// Time in pieces of any size gives the same world: lanes, retries, windows, topics, the agent's delivery stream.
#[test]
fn pieces_of_time_do_not_matter_to_mappings_and_topics() {
    let play = |piece: u64, options: &str| {
        let code = "const AWS = require('aws-sdk'); let n = 0; exports.handler = async (e) => { \
            if (e.Records.some((r) => Math.random() < 0.02)) throw new Error('sometimes'); \
            await new AWS.SNS().publish({ TopicArn: 'arn:aws:sns:us-east-1:123456789012:t', Message: String(e.Records.length) }).promise(); \
            return { state: { n: ((e.state || {}).n || 0) + e.Records.length } }; };";
        let mut session = reads(code, options);
        session.set_granularity(VirtualDuration::from_millis(piece));
        ok(&mut session, "aws sns create-topic --name t");
        function(&mut session, "hears", "nodejs18.x", "exports.handler = async (e) => { if (Math.random() < 0.2) throw new Error('deaf'); };");
        ok(
            &mut session,
            "aws sns subscribe --topic-arn arn:aws:sns:us-east-1:123456789012:t --protocol lambda --notification-endpoint arn:aws:lambda:us-east-1:123456789012:function:hears",
        );
        for round in 0..12 {
            let records: Vec<(String, String)> = (0..20).map(|n| (format!("k{}", (n * 7 + round) % 9), format!("{round}-{n}"))).collect();
            let records: Vec<(&str, &str)> = records.iter().map(|(key, data)| (key.as_str(), data.as_str())).collect();
            put(&mut session, &records);
            ok(&mut session, "run 3.7s");
        }
        ok(&mut session, "run 200s");
        assert_eq!(session.broken_rule(), None);
        assert_eq!(mapping(&session).counts.0, 240, "{options}");
        session.world().journal_hash()
    };
    for options in
        ["--parallelization-factor 4 --batch-size 7", "--tumbling-window-in-seconds 10 --batch-size 6", "--maximum-batching-window-in-seconds 2"]
    {
        assert_eq!(play(1000, options), play(137, options), "{options}");
    }
}
