//! Helpers of the integration tests.
#![allow(clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use kinlab::api::kinesis::*;
use kinlab::api::{Blob, ServiceError, Timestamp};
use kinlab::engine::limits::{Era, Limits};
use kinlab::engine::time::{VirtualDuration, VirtualTime};
use kinlab::engine::{Budget, Command, Config, Engine, Reply};

/// A world and its client.
pub struct World {
    pub engine: Engine,
    pub start: VirtualTime,
}

impl World {
    pub fn new(era: Era) -> Self {
        let start = VirtualTime::from_secs(1_568_000_000);
        Self { engine: Engine::new(Config::new(42, start, Limits::of(era))), start }
    }

    /// A world of today with one ACTIVE stream.
    pub fn with_stream(name: &str, shards: i32) -> Self {
        let mut world = Self::new(Era::Current);
        world.ok(CreateStreamRequest { stream_name: name.into(), shard_count: Some(shards), ..create() });
        world.run_ms(1000);
        world
    }

    pub fn run_ms(&mut self, ms: u64) {
        let until = self.engine.now() + VirtualDuration::from_millis(ms);
        self.engine.advance(until, Budget::UNLIMITED);
        assert_eq!(self.engine.broken_rule(), None);
    }

    pub fn request(&mut self, request: impl Into<KinesisRequest>) -> Result<KinesisResponse, ServiceError> {
        match self.engine.apply(&Command::Kinesis(Box::new(request.into())))? {
            Reply::Kinesis(answer) => Ok(*answer),
            Reply::Subscribed(_) => Ok(KinesisResponse::SubscribeToShard),
            _ => panic!("an operation of Kinesis has an answer of Kinesis"),
        }
    }

    pub fn ok(&mut self, request: impl Into<KinesisRequest>) -> KinesisResponse {
        self.request(request).expect("the request is good")
    }

    pub fn fails(&mut self, request: impl Into<KinesisRequest>) -> ServiceError {
        self.request(request).expect_err("the request is bad")
    }

    pub fn shards(&mut self, stream: &str) -> Vec<Shard> {
        let KinesisResponse::ListShards(answer) = self.ok(ListShardsRequest {
            stream_name: Some(stream.into()),
            next_token: None,
            exclusive_start_shard_id: None,
            max_results: None,
            stream_creation_timestamp: None,
            shard_filter: None,
            stream_arn: None,
        }) else {
            panic!("wrong answer")
        };
        answer.shards.expect("always present")
    }

    pub fn request_iterator(
        &mut self,
        stream: &str,
        shard: u32,
        kind: ShardIteratorType,
        number: Option<String>,
        at: Option<i64>,
    ) -> Result<String, ServiceError> {
        let answer = self.request(GetShardIteratorRequest {
            stream_name: Some(stream.into()),
            shard_id: kinlab::engine::kinesis::shard_id(shard),
            shard_iterator_type: kind,
            starting_sequence_number: number,
            timestamp: at.map(Timestamp),
            stream_arn: None,
            dry_run: None,
        })?;
        let KinesisResponse::GetShardIterator(answer) = answer else { panic!("wrong answer") };
        Ok(answer.shard_iterator.expect("always present"))
    }

    pub fn iterator_at(&mut self, stream: &str, shard: u32, kind: ShardIteratorType, number: Option<String>, at: Option<i64>) -> String {
        self.request_iterator(stream, shard, kind, number, at).expect("the request is good")
    }

    pub fn iterator(&mut self, stream: &str, shard: u32, kind: ShardIteratorType) -> String {
        self.iterator_at(stream, shard, kind, None, None)
    }
}

pub fn create() -> CreateStreamRequest {
    CreateStreamRequest {
        stream_name: String::new(),
        shard_count: None,
        stream_mode_details: None,
        tags: None,
        warm_throughput_mibps: None,
        max_record_size_in_kib: None,
        record_distribution_strategy: None,
    }
}

pub fn describe(stream: &str) -> DescribeStreamRequest {
    DescribeStreamRequest { stream_name: Some(stream.into()), limit: None, exclusive_start_shard_id: None, stream_arn: None }
}

pub fn put(stream: &str, key: &str, data: &[u8]) -> PutRecordRequest {
    PutRecordRequest {
        stream_name: Some(stream.into()),
        data: Blob::from(data),
        partition_key: Some(key.into()),
        explicit_hash_key: None,
        sequence_number_for_ordering: None,
        stream_arn: None,
        dry_run: None,
    }
}

pub fn put_many(stream: &str, records: usize, bytes: usize) -> PutRecordsRequest {
    let records = (0..records)
        .map(|i| PutRecordsRequestEntry { data: Blob::from(vec![b'x'; bytes]), explicit_hash_key: None, partition_key: Some(format!("key-{i}")) })
        .collect();
    PutRecordsRequest { records, stream_name: Some(stream.into()), stream_arn: None, dry_run: None }
}

pub fn get(iterator: &str, limit: Option<i32>) -> GetRecordsRequest {
    GetRecordsRequest { shard_iterator: iterator.into(), limit, stream_arn: None, dry_run: None }
}
