//! The engine as a client sees it: operations, limits, resharding, replay.
#![allow(clippy::panic, reason = "a test fails by panicking")]

mod support;

use kinlab::api::ErrorCode;
use kinlab::api::kinesis::*;
use kinlab::engine::limits::Era;
use kinlab::engine::{Command, Reply};
use support::World;

#[test]
fn a_stream_is_created_and_lists_uniform_shards() {
    let mut world = World::new(Era::Deck2018);
    world.ok(CreateStreamRequest { stream_name: "s".into(), shard_count: Some(3), ..support::create() });
    let KinesisResponse::DescribeStream(answer) = world.ok(support::describe("s")) else { panic!("wrong answer") };
    assert_eq!(answer.stream_description.stream_status, StreamStatus::Creating);
    assert!(answer.stream_description.shards.is_empty(), "no shards while CREATING");
    let error = world.fails(support::put("s", "a", b"x"));
    assert_eq!(error.message, "Stream s under account 123456789012 not found.", "data calls do not see a stream in CREATING");
    world.run_ms(1000);
    let KinesisResponse::DescribeStream(answer) = world.ok(support::describe("s")) else { panic!("wrong answer") };
    let shards = answer.stream_description.shards;
    let starts: Vec<&str> = shards.iter().map(|s| s.hash_key_range.starting_hash_key.as_str()).collect();
    assert_eq!(starts, ["0", "113427455640312821154458202477256070485", "226854911280625642308916404954512140970"]);
    assert_eq!(shards[2].hash_key_range.ending_hash_key, "340282366920938463463374607431768211455");
    let error = world.fails(CreateStreamRequest { stream_name: "s".into(), shard_count: Some(1), ..support::create() });
    assert_eq!((error.code, error.message.as_str()), (ErrorCode::ResourceInUseException, "Stream s under account 123456789012 already exists."));
}

#[test]
fn one_second_of_burst_passes_and_the_rest_is_refused() {
    let mut world = World::with_stream("s", 1);
    let KinesisResponse::PutRecords(first) = world.ok(support::put_many("s", 500, 100)) else { panic!("wrong answer") };
    assert_eq!(first.failed_record_count, Some(0));
    let KinesisResponse::PutRecords(_) = world.ok(support::put_many("s", 500, 100)) else { panic!("wrong answer") };
    let KinesisResponse::PutRecords(third) = world.ok(support::put_many("s", 10, 100)) else { panic!("wrong answer") };
    assert_eq!(third.failed_record_count, Some(10));
    let entry = &third.records[0];
    assert_eq!(entry.error_code.as_deref(), Some("ProvisionedThroughputExceededException"));
    assert_eq!(entry.error_message.as_deref(), Some("Rate exceeded for shard shardId-000000000000 in stream s under account 123456789012."));
    assert!(entry.sequence_number.is_none() && entry.shard_id.is_none());
    world.run_ms(5);
    let KinesisResponse::PutRecords(later) = world.ok(support::put_many("s", 10, 100)) else { panic!("wrong answer") };
    assert_eq!(later.failed_record_count, Some(5), "five milliseconds give five tokens");
}

#[test]
fn five_records_of_a_megabyte_in_one_call_pass_once() {
    let mut world = World::with_stream("s", 1);
    let KinesisResponse::PutRecords(answer) = world.ok(support::put_many("s", 4, 1_000_000)) else { panic!("wrong answer") };
    assert_eq!(answer.failed_record_count, Some(3));
}

#[test]
fn records_come_back_in_order_and_a_closed_shard_ends_with_its_children() {
    let mut world = World::with_stream("s", 1);
    for i in 0..5u8 {
        world.ok(support::put("s", "key", &[i]));
    }
    world.ok(SplitShardRequest {
        stream_name: Some("s".into()),
        shard_to_split: "shardId-000000000000".into(),
        new_starting_hash_key: (1u128 << 127).to_string(),
        stream_arn: None,
    });
    let error = world.fails(SplitShardRequest {
        stream_name: Some("s".into()),
        shard_to_split: "shardId-000000000000".into(),
        new_starting_hash_key: "5".into(),
        stream_arn: None,
    });
    assert_eq!(error.message, "Stream s under account 123456789012 not ACTIVE, instead in state UPDATING");
    world.ok(support::put("s", "key", b"6"));
    world.run_ms(3000);
    let iterator = world.iterator("s", 0, ShardIteratorType::TrimHorizon);
    let KinesisResponse::GetRecords(answer) = world.ok(support::get(&iterator, Some(4))) else { panic!("wrong answer") };
    assert_eq!(answer.records.iter().map(|r| r.data[0]).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(answer.child_shards.is_none());
    let next = answer.next_shard_iterator.expect("more to come");
    let KinesisResponse::GetRecords(answer) = world.ok(support::get(&next, None)) else { panic!("wrong answer") };
    assert_eq!(answer.records.len(), 2, "the parent took writes until the split was done");
    assert_eq!(answer.next_shard_iterator, None);
    assert_eq!(answer.millis_behind_latest, Some(0));
    let children: Vec<String> = answer.child_shards.expect("at the end").into_iter().map(|c| c.shard_id).collect();
    assert_eq!(children, ["shardId-000000000001", "shardId-000000000002"]);
    // Numbers of the children lie above every number of the parent.
    let KinesisResponse::DescribeStream(answer) = world.ok(support::describe("s")) else { panic!("wrong answer") };
    let shards = answer.stream_description.shards;
    let parent_end = shards[0].sequence_number_range.ending_sequence_number.clone().expect("closed");
    assert!(shards[1].sequence_number_range.starting_sequence_number > parent_end);
    world.engine.check_invariants().expect("rules hold");
}

#[test]
fn iterators_expire_after_300_seconds_and_belong_to_one_incarnation() {
    let mut world = World::with_stream("s", 1);
    let iterator = world.iterator("s", 0, ShardIteratorType::Latest);
    world.run_ms(299_999);
    world.ok(support::get(&iterator, None));
    world.run_ms(2);
    let error = world.fails(support::get(&iterator, None));
    assert_eq!(error.code, ErrorCode::ExpiredIteratorException);
    let fresh = world.iterator("s", 0, ShardIteratorType::Latest);
    world.ok(DeleteStreamRequest { stream_name: Some("s".into()), enforce_consumer_deletion: None, stream_arn: None });
    world.run_ms(1500);
    assert_eq!(world.fails(support::get(&fresh, None)).code, ErrorCode::ResourceNotFoundException);
    world.ok(CreateStreamRequest { stream_name: "s".into(), shard_count: Some(1), ..support::create() });
    world.run_ms(1500);
    assert_eq!(world.fails(support::get(&fresh, None)).message, "Invalid ShardIterator.");
}

#[test]
fn positions_by_number_and_time() {
    let mut world = World::with_stream("s", 1);
    let mut numbers = Vec::new();
    for i in 0..3u8 {
        let KinesisResponse::PutRecord(answer) = world.ok(support::put("s", "k", &[i])) else { panic!("wrong answer") };
        numbers.push(answer.sequence_number);
        world.run_ms(1000);
    }
    let first_of = |world: &mut World, kind, number: Option<&String>, at: Option<i64>| {
        let iterator = world.iterator_at("s", 0, kind, number.cloned(), at);
        let KinesisResponse::GetRecords(answer) = world.ok(support::get(&iterator, None)) else { panic!("wrong answer") };
        world.run_ms(1000);
        answer.records.first().map(|record| record.data[0])
    };
    assert_eq!(first_of(&mut world, ShardIteratorType::AtSequenceNumber, Some(&numbers[1]), None), Some(1));
    assert_eq!(first_of(&mut world, ShardIteratorType::AfterSequenceNumber, Some(&numbers[1]), None), Some(2));
    assert_eq!(first_of(&mut world, ShardIteratorType::AfterSequenceNumber, Some(&numbers[2]), None), None);
    let second = world.start.millis() as i64 + 1000 + 1000;
    assert_eq!(first_of(&mut world, ShardIteratorType::AtTimestamp, None, Some(second)), Some(1));
    let error = world.request_iterator("s", 0, ShardIteratorType::TrimHorizon, Some(numbers[0].clone()), None).expect_err("superfluous");
    assert!(error.message.starts_with("Must either specify (1) AT_SEQUENCE_NUMBER"), "{error}");
    let error = world.request_iterator("s", 0, ShardIteratorType::AtTimestamp, None, None).expect_err("missing");
    assert!(error.message.starts_with("Must specify timestampInMillis"), "{error}");
    let error = world.request_iterator("s", 0, ShardIteratorType::AtTimestamp, None, Some(i64::MAX / 2)).expect_err("future");
    assert!(error.message.contains("cannot be greater than the currentTimestampInMillis"), "{error}");
    let error = world.request_iterator("s", 0, ShardIteratorType::AtSequenceNumber, Some("12345".into()), None).expect_err("garbage");
    assert!(error.message.ends_with("is invalid."), "{error}");
}

#[test]
fn retention_trims_at_once_and_does_not_resurrect() {
    let mut world = World::with_stream("s", 1);
    world.ok(IncreaseStreamRetentionPeriodRequest { stream_name: Some("s".into()), retention_period_hours: 48, stream_arn: None });
    world.run_ms(2000);
    world.ok(support::put("s", "k", b"old"));
    world.run_ms(30 * 3_600_000);
    world.ok(support::put("s", "k", b"new"));
    let count = |world: &mut World| {
        let iterator = world.iterator("s", 0, ShardIteratorType::TrimHorizon);
        let KinesisResponse::GetRecords(answer) = world.ok(support::get(&iterator, None)) else { panic!("wrong answer") };
        world.run_ms(1000);
        answer.records.len()
    };
    assert_eq!(count(&mut world), 2);
    world.ok(DecreaseStreamRetentionPeriodRequest { stream_name: Some("s".into()), retention_period_hours: 24, stream_arn: None });
    world.run_ms(2000);
    assert_eq!(count(&mut world), 1);
    world.ok(IncreaseStreamRetentionPeriodRequest { stream_name: Some("s".into()), retention_period_hours: 48, stream_arn: None });
    world.run_ms(2000);
    assert_eq!(count(&mut world), 1);
    let error = world.fails(IncreaseStreamRetentionPeriodRequest { stream_name: Some("s".into()), retention_period_hours: 24, stream_arn: None });
    assert!(error.message.contains("can not be shorter than existing retention period (48 hours)"), "{error}");
}

#[test]
fn scaling_gives_uniform_ranges_with_parents_and_keeps_within_the_limits() {
    let mut world = World::with_stream("s", 2);
    let scale = |world: &mut World, target| {
        world.request(UpdateShardCountRequest {
            stream_name: Some("s".into()),
            target_shard_count: target,
            scaling_type: ScalingType::UniformScaling,
            stream_arn: None,
        })
    };
    let error = scale(&mut world, 5).expect_err("more than double");
    assert_eq!(
        error.message,
        "UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: 2 Target shard count: 5"
    );
    for target in [3, 6, 12, 6, 7] {
        scale(&mut world, target).expect("allowed");
        world.run_ms(5000);
        world.engine.check_invariants().expect("rules hold");
        let open: Vec<Shard> = world.shards("s").into_iter().filter(|s| s.sequence_number_range.ending_sequence_number.is_none()).collect();
        assert_eq!(open.len(), target as usize);
        assert!(open.iter().all(|s| s.parent_shard_id.is_some()));
        let mut starts: Vec<u128> = open.iter().map(|s| s.hash_key_range.starting_hash_key.parse().expect("a number")).collect();
        starts.sort_unstable();
        let width = u128::MAX / target as u128;
        for (index, start) in starts.iter().enumerate() {
            assert!(start.abs_diff(width * index as u128) <= target as u128, "shard {index} of {target}");
        }
    }
}

#[test]
fn the_era_decides_what_exists() {
    let mut world = World::new(Era::Deck2018);
    let error = world.fails(CreateStreamRequest { stream_name: "s".into(), ..support::create() });
    assert!(error.message.contains("Value null at 'shardCount'"), "{error}");
    let mut world = World::new(Era::Current);
    world.ok(CreateStreamRequest { stream_name: "s".into(), ..support::create() });
    world.run_ms(1000);
    assert_eq!(world.shards("s").len(), 4, "on-demand streams start with four shards");
    let error = world.fails(UpdateShardCountRequest {
        stream_name: Some("s".into()),
        target_shard_count: 8,
        scaling_type: ScalingType::UniformScaling,
        stream_arn: None,
    });
    assert_eq!(error.message, "Request is invalid. Stream s under account 123456789012 is in On-Demand mode.");
}

#[test]
fn fan_out_consumers_have_a_life_of_their_own() {
    let mut world = World::with_stream("s", 1);
    let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s".to_owned();
    let register = |name: &str| RegisterStreamConsumerRequest { stream_arn: arn.clone(), consumer_name: name.into(), tags: None };
    let KinesisResponse::RegisterStreamConsumer(answer) = world.ok(register("c")) else { panic!("wrong answer") };
    assert_eq!(answer.consumer.consumer_status, ConsumerStatus::Creating);
    assert_eq!(world.fails(register("c")).code, ErrorCode::ResourceInUseException);
    let subscribe = SubscribeToShardRequest {
        consumer_arn: answer.consumer.consumer_arn.clone(),
        shard_id: "shardId-000000000000".into(),
        starting_position: StartingPosition { r#type: ShardIteratorType::TrimHorizon, sequence_number: None, timestamp: None },
        dry_run: None,
    };
    assert!(world.fails(subscribe.clone()).message.ends_with("is not in ACTIVE status."));
    world.run_ms(2000);
    world.ok(subscribe.clone());
    assert!(world.fails(subscribe.clone()).message.starts_with("Another active subscription exists"));
    world.run_ms(5000);
    world.ok(subscribe);
    let error = world.fails(DeleteStreamRequest { stream_name: Some("s".into()), enforce_consumer_deletion: None, stream_arn: None });
    assert_eq!(error.code, ErrorCode::ResourceInUseException);
    world.ok(DeregisterStreamConsumerRequest { stream_arn: None, consumer_name: None, consumer_arn: Some(answer.consumer.consumer_arn) });
    world.run_ms(2000);
    let KinesisResponse::ListStreamConsumers(answer) =
        world.ok(ListStreamConsumersRequest { stream_arn: arn, next_token: None, max_results: None, stream_creation_timestamp: None })
    else {
        panic!("wrong answer")
    };
    assert_eq!(answer.consumers.map(|c| c.len()), Some(0));
}

/// A subscription of a client outside: records once and in order, its own end after five minutes.
#[test]
fn subscriptions_push_every_record_once() {
    let mut world = World::with_stream("s", 1);
    let arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s".to_owned();
    let KinesisResponse::RegisterStreamConsumer(answer) =
        world.ok(RegisterStreamConsumerRequest { stream_arn: arn, consumer_name: "c".into(), tags: None })
    else {
        panic!("wrong answer")
    };
    world.run_ms(2000);
    let request = SubscribeToShardRequest {
        consumer_arn: answer.consumer.consumer_arn,
        shard_id: "shardId-000000000000".into(),
        starting_position: StartingPosition { r#type: ShardIteratorType::TrimHorizon, sequence_number: None, timestamp: None },
        dry_run: None,
    };
    let subscribed = world.engine.apply(&Command::Kinesis(Box::new(request.into()))).expect("good");
    let Reply::Subscribed(subscription) = subscribed else { panic!("{subscribed:?}") };
    let push = Command::Push(subscription);
    let mut data = Vec::new();
    for round in 0..10 {
        for at in 0..round {
            world.ok(support::put("s", "k", format!("{round}-{at}").as_bytes()));
        }
        world.run_ms(100);
        let Ok(Reply::Pushed(Some(event))) = world.engine.apply(&push) else { panic!("an event") };
        data.extend(event.records.iter().map(|record| String::from_utf8_lossy(&record.data).into_owned()));
        if let Some(last) = event.records.last() {
            assert_eq!(event.continuation_sequence_number.as_ref(), Some(&last.sequence_number), "a client goes on behind the last record");
        }
    }
    let expected: Vec<String> = (0..10).flat_map(|round| (0..round).map(move |at| format!("{round}-{at}"))).collect();
    assert_eq!(data, expected);
    world.run_ms(300_000);
    assert_eq!(world.engine.apply(&push), Ok(Reply::Pushed(None)));
}

#[test]
fn reads_are_limited_to_five_calls_a_second() {
    let mut world = World::with_stream("s", 1);
    let iterator = world.iterator("s", 0, ShardIteratorType::TrimHorizon);
    for _ in 0..5 {
        world.ok(support::get(&iterator, None));
    }
    let error = world.fails(support::get(&iterator, None));
    assert_eq!(error.code, ErrorCode::ProvisionedThroughputExceededException);
    world.run_ms(200);
    world.ok(support::get(&iterator, None));
}

#[test]
fn deleting_while_creating_removes_the_stream_after_its_own_wait() {
    let mut world = World::new(Era::Deck2018);
    world.ok(CreateStreamRequest { stream_name: "s".into(), shard_count: Some(1), ..support::create() });
    world.run_ms(500);
    world.ok(DeleteStreamRequest { stream_name: Some("s".into()), enforce_consumer_deletion: None, stream_arn: None });
    world.run_ms(700);
    let KinesisResponse::DescribeStream(answer) = world.ok(support::describe("s")) else { panic!("wrong answer") };
    assert_eq!(answer.stream_description.stream_status, StreamStatus::Deleting);
    world.run_ms(400);
    assert_eq!(world.fails(support::describe("s")).code, ErrorCode::ResourceNotFoundException);
}
