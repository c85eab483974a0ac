//! A seeded swarm over the data-streams engine: random operations at random instants, all invariants after every event (debug builds check
//! them inside the engine), each seed run twice with different step sizes. A failure prints the seed; `KINLAB_SWARM_SEED=n` repeats it alone
//! and `KINLAB_SWARM_SEEDS=10000` makes a soak of it.
#![allow(clippy::panic, reason = "a test fails by panicking")]

#[path = "support/dice.rs"]
mod dice;
mod support;

use dice::Dice;
use kinlab::api::kinesis::*;
use kinlab::engine::limits::Era;
use kinlab::engine::time::VirtualDuration;
use kinlab::engine::{Budget, Command, Event};
use support::World;

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

fn random_request(dice: &mut Dice, world: &World, iterators: &[String]) -> KinesisRequest {
    let name = NAMES[dice.roll(3) as usize].to_owned();
    let stream = Some(name.clone());
    let arn = format!("arn:aws:kinesis:us-east-1:123456789012:stream/{name}");
    let shard = kinlab::engine::kinesis::shard_id(dice.roll(8) as u32);
    match dice.roll(24) {
        0 => CreateStreamRequest { stream_name: name, shard_count: Some(dice.roll(5) as i32 + 1), ..support::create() }.into(),
        1 if dice.roll(4) == 0 => {
            DeleteStreamRequest { stream_name: stream, enforce_consumer_deletion: Some(dice.roll(2) == 0), stream_arn: None }.into()
        }
        2 => {
            let range = world.engine.kinesis().stream(&name).and_then(|s| s.shards.values().find(|s| s.is_open()).map(|s| (s.start.0, s.end.0)));
            let (start, end) = range.unwrap_or((0, u128::MAX));
            let at = match dice.roll(4) {
                0 => start,
                1 => end,
                _ => start + (end - start) / 2,
            };
            SplitShardRequest { stream_name: stream, shard_to_split: shard, new_starting_hash_key: at.to_string(), stream_arn: None }.into()
        }
        3 => MergeShardsRequest {
            stream_name: stream,
            shard_to_merge: shard,
            adjacent_shard_to_merge: kinlab::engine::kinesis::shard_id(dice.roll(8) as u32),
            stream_arn: None,
        }
        .into(),
        4 | 5 => UpdateShardCountRequest {
            stream_name: stream,
            target_shard_count: dice.roll(9) as i32,
            scaling_type: ScalingType::UniformScaling,
            stream_arn: None,
        }
        .into(),
        6 => IncreaseStreamRetentionPeriodRequest { stream_name: stream, retention_period_hours: dice.roll(200) as i32, stream_arn: None }.into(),
        7 => DecreaseStreamRetentionPeriodRequest { stream_name: stream, retention_period_hours: dice.roll(200) as i32, stream_arn: None }.into(),
        8 => RegisterStreamConsumerRequest { stream_arn: arn, consumer_name: format!("c{}", dice.roll(3)), tags: None }.into(),
        9 => DeregisterStreamConsumerRequest { stream_arn: Some(arn), consumer_name: Some(format!("c{}", dice.roll(3))), consumer_arn: None }.into(),
        10 => StartStreamEncryptionRequest {
            stream_name: stream,
            encryption_type: EncryptionType::Kms,
            key_id: "alias/aws/kinesis".into(),
            stream_arn: None,
        }
        .into(),
        11 => EnableEnhancedMonitoringRequest { stream_name: stream, shard_level_metrics: vec![MetricsName::All], stream_arn: None }.into(),
        12 => UpdateStreamModeRequest {
            stream_arn: arn,
            stream_mode_details: StreamModeDetails { stream_mode: if dice.roll(2) == 0 { StreamMode::OnDemand } else { StreamMode::Provisioned } },
            warm_throughput_mibps: None,
        }
        .into(),
        13 => support::describe(&name).into(),
        14 => GetShardIteratorRequest {
            stream_name: stream,
            shard_id: shard,
            shard_iterator_type: if dice.roll(2) == 0 { ShardIteratorType::TrimHorizon } else { ShardIteratorType::Latest },
            starting_sequence_number: None,
            timestamp: None,
            stream_arn: None,
            dry_run: None,
        }
        .into(),
        15 | 16 if !iterators.is_empty() => {
            support::get(&iterators[dice.roll(iterators.len() as u64) as usize], Some(dice.roll(50) as i32 + 1)).into()
        }
        17 => support::put(&name, &format!("k{}", dice.roll(50)), &vec![0; dice.roll(2000) as usize]).into(),
        _ => {
            let records = (0..=dice.roll(500))
                .map(|_| PutRecordsRequestEntry {
                    data: vec![1u8; dice.roll(300) as usize].into(),
                    explicit_hash_key: (dice.roll(10) == 0).then(|| (u128::from(dice.roll(u64::MAX)) << 64).to_string()),
                    partition_key: Some(format!("k{}", dice.roll(200))),
                })
                .collect();
            PutRecordsRequest { records, stream_name: stream, stream_arn: None, dry_run: None }.into()
        }
    }
}

/// Plays a seed; `step` cuts the waiting times into pieces. Gives the journal and the number of answers that were errors.
fn play(seed: u64, step: Option<u64>) -> (Vec<Event>, String, u64) {
    let mut dice = Dice(seed);
    let mut world = World::new(if seed.is_multiple_of(2) { Era::Current } else { Era::Deck2018 });
    let mut iterators: Vec<String> = Vec::new();
    let mut errors = 0;
    for _ in 0..150 {
        let request = random_request(&mut dice, &world, &iterators);
        match world.engine.apply(&Command::Kinesis(Box::new(request))) {
            Ok(kinlab::engine::Reply::Kinesis(answer)) => match *answer {
                KinesisResponse::GetShardIterator(answer) => iterators.extend(answer.shard_iterator),
                KinesisResponse::GetRecords(answer) => {
                    let numbers: Vec<&String> = answer.records.iter().map(|record| &record.sequence_number).collect();
                    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: sequence numbers of a shard increase");
                    iterators.extend(answer.next_shard_iterator);
                }
                _ => {}
            },
            Ok(_) => {}
            Err(_) => errors += 1,
        }
        world.engine.check_invariants().unwrap_or_else(|rule| panic!("seed {seed}: {rule}"));
        let wait = match dice.roll(10) {
            0 => 3_600_000_000 * dice.roll(30),
            1..=4 => 1_000_000 * dice.roll(5),
            _ => dice.roll(400_000),
        };
        let until = world.engine.now() + VirtualDuration(wait);
        if let Some(step) = step {
            let pieces = (wait / step).min(20);
            for piece in 1..=pieces {
                world.engine.advance(world.engine.now() + VirtualDuration(wait / (pieces + 1) * piece / piece.max(1)), Budget::UNLIMITED);
            }
            while let Some(at) = world.engine.next_event_at().filter(|at| *at <= until) {
                world.engine.advance(at, Budget { events: 1 });
            }
        }
        world.engine.advance(until, Budget::UNLIMITED);
        assert_eq!(world.engine.broken_rule(), None, "seed {seed}");
    }
    (world.engine.drain_events(), world.engine.journal_hash(), errors)
}

#[test]
fn random_worlds_keep_the_rules_and_do_not_depend_on_the_steps() {
    let single = std::env::var("KINLAB_SWARM_SEED").ok().and_then(|text| text.parse::<u64>().ok());
    let count = std::env::var("KINLAB_SWARM_SEEDS").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(60);
    let seeds = single.map_or(0..count, |seed| seed..seed + 1);
    let (mut events, mut errors) = (0, 0);
    for seed in seeds.clone() {
        let (journal, hash, failed) = play(seed, None);
        let (again, hash_again, _) = play(seed, Some(137_000));
        if let Some((a, b)) = journal.iter().zip(&again).find(|(a, b)| a != b) {
            panic!("seed {seed}: the journals part at {a:?} and {b:?}");
        }
        assert_eq!(hash, hash_again, "seed {seed}: same commands, same bytes");
        events += journal.len();
        errors += failed;
    }
    // A swarm that does nothing, or only fails, proves nothing.
    if seeds.end - seeds.start >= 20 {
        assert!(events > 500 && errors > 100, "{events} events, {errors} errors");
    }
}
