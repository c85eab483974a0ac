//! From JSON to a typed request, with AWS's texts for everything that is wrong on the way.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::constraint::Violations;
use super::{ModelYear, Pattern, table, type_check};
use crate::api::kinesis::{KinesisRequest, Operation, PutRecordsRequestEntry};
use crate::api::{Blob, ServiceError};

/// The typed request of a JSON body under today's model.
///
/// # Errors
/// `SerializationException` for a value of a wrong type, `ValidationException` for a violated constraint.
pub fn decode(operation: Operation, body: &Value) -> Result<KinesisRequest, ServiceError> {
    decode_with(operation, body, ModelYear::Current)
}

/// The typed request of a JSON text under a year's model. Requests of the data plane that are in order are read straight into their types;
/// everything else goes the way on which every mistake gets AWS's text.
///
/// # Errors
/// `SerializationException` for text that is not JSON or a value of a wrong type, `ValidationException` for a violated constraint.
pub fn decode_json(operation: Operation, body: &[u8], year: ModelYear) -> Result<KinesisRequest, ServiceError> {
    let direct = match operation {
        Operation::PutRecords => serde_json::from_slice(body).ok().map(KinesisRequest::PutRecords),
        Operation::PutRecord => serde_json::from_slice(body).ok().map(KinesisRequest::PutRecord),
        Operation::GetRecords => serde_json::from_slice(body).ok().map(KinesisRequest::GetRecords),
        _ => None,
    };
    if let Some(request) = direct.filter(|request| is_plainly_valid(request, year)) {
        return Ok(request);
    }
    let body: Value =
        serde_json::from_slice(body).map_err(|error| ServiceError::serialization(format!("Unable to parse the request body: {error}")))?;
    decode_with(operation, &body, year)
}

/// The typed request of a JSON body under a year's model; members that model does not have are ignored, as AWS ignores unknown members.
///
/// # Errors
/// As [`decode`]; `UnknownOperationException` for an operation the year's model does not have.
pub fn decode_with(operation: Operation, body: &Value, year: ModelYear) -> Result<KinesisRequest, ServiceError> {
    let body = checked(operation, body, year)?;
    build(operation, &body)
}

/// Checks a JSON body against a year's model without building the typed request.
///
/// # Errors
/// As [`decode_with`].
pub fn validate(operation: Operation, body: &Value, year: ModelYear) -> Result<(), ServiceError> {
    checked(operation, body, year).map(drop)
}

/// Checks the constraints of an already typed request, with the same texts as [`decode`]. Costs nothing per byte and a few
/// nanoseconds per record for requests of the data plane that are in order.
///
/// # Errors
/// `ValidationException` for a violated constraint, `UnknownOperationException` for an operation the year's model does not have.
pub fn constraints(request: &KinesisRequest, year: ModelYear) -> Result<(), ServiceError> {
    if is_plainly_valid(request, year) {
        return Ok(());
    }
    let operation = request.operation();
    // The externally tagged form has exactly one entry, the body under the operation's name.
    let body = serde_json::to_value(request).ok().and_then(|mut tagged| tagged.get_mut(operation.name()).map(Value::take)).unwrap_or_default();
    validate(operation, &body, year)
}

/// Whether a request of the data plane satisfies every constraint; `false` when it does not or when the request is of another kind.
fn is_plainly_valid(request: &KinesisRequest, year: ModelYear) -> bool {
    match request {
        KinesisRequest::PutRecords(put) => {
            let entries = table::ENTRIES.span(year);
            is_stream(put.stream_name.as_deref(), put.stream_arn.as_deref(), year)
                && entries.contains(put.records.len() as i64)
                && put.records.iter().all(|PutRecordsRequestEntry { data, partition_key, explicit_hash_key }| {
                    is_record(data, partition_key.as_deref(), explicit_hash_key.as_deref(), year)
                })
        }
        KinesisRequest::PutRecord(put) => {
            is_stream(put.stream_name.as_deref(), put.stream_arn.as_deref(), year)
                && is_record(&put.data, put.partition_key.as_deref(), put.explicit_hash_key.as_deref(), year)
                && put.sequence_number_for_ordering.as_deref().is_none_or(|number| Pattern::SequenceNumber.matches(number))
        }
        KinesisRequest::GetRecords(get) => {
            has_length(&get.shard_iterator, 1, 512)
                && get.limit.is_none_or(|limit| (1..=10_000).contains(&limit))
                && get.stream_arn.as_deref().is_none_or(|arn| year == ModelYear::Y2018 || is_arn(arn))
        }
        _ => false,
    }
}

fn is_record(data: &Blob, partition_key: Option<&str>, explicit_hash_key: Option<&str>, year: ModelYear) -> bool {
    let key = match partition_key {
        Some(key) => has_length(key, 1, 256),
        None => year == ModelYear::Current,
    };
    key && table::DATA.span(year).contains(data.len() as i64) && explicit_hash_key.is_none_or(|key| Pattern::HashKey.matches(key))
}

fn is_stream(name: Option<&str>, arn: Option<&str>, year: ModelYear) -> bool {
    let named = match name {
        Some(name) => name.len() <= 128 && Pattern::Name.matches(name),
        None => year == ModelYear::Current,
    };
    named && arn.is_none_or(|arn| year == ModelYear::Y2018 || is_arn(arn))
}

fn is_arn(arn: &str) -> bool {
    has_length(arn, 1, 2048) && Pattern::StreamArn.matches(arn)
}

/// Whether the text has from `min` to `max` characters; only long texts are counted.
fn has_length(text: &str, min: usize, max: usize) -> bool {
    let bytes = text.len();
    if bytes <= max { bytes >= min } else { bytes / 4 <= max && text.chars().count() <= max }
}

/// The body with its lenient spellings taken away, when it passes both checks.
fn checked(operation: Operation, body: &Value, year: ModelYear) -> Result<Cow<'_, Value>, ServiceError> {
    if operation.since() > year {
        return Err(ServiceError::new(crate::api::ErrorCode::UnknownOperationException, format!("{operation} does not exist in the model of 2018")));
    }
    let members = operation.members();
    let object = match body {
        Value::Object(object) => object,
        Value::Null => &Map::new(),
        Value::Array(_) => return Err(ServiceError::serialization("Start of list found where not expected")),
        _ => return Err(ServiceError::serialization("Expected null")),
    };
    let lenient = type_check::check_members(members, object, year)?;
    let foreign = || year == ModelYear::Y2018 && members.iter().any(|member| !member.is_known(year) && object.contains_key(member.name));
    if lenient || body.is_null() || foreign() {
        let mut object = object.clone();
        type_check::normalise(members, &mut object, year);
        Violations::of(members, &object, year).into_result()?;
        return Ok(Cow::Owned(Value::Object(object)));
    }
    Violations::of(members, object, year).into_result()?;
    Ok(Cow::Borrowed(body))
}

/// A JSON body that passes both checks against today's members, its lenient spellings taken away.
///
/// # Errors
/// As [`decode`].
pub fn check_body(members: &[super::Member], body: &Value) -> Result<Value, ServiceError> {
    let mut object = match body {
        Value::Object(object) => object.clone(),
        Value::Null => Map::new(),
        Value::Array(_) => return Err(ServiceError::serialization("Start of list found where not expected")),
        _ => return Err(ServiceError::serialization("Expected null")),
    };
    if type_check::check_members(members, &object, ModelYear::Current)? {
        type_check::normalise(members, &mut object, ModelYear::Current);
    }
    Violations::of_quiet(members, &object).into_result()?;
    object.retain(|name, _| members.iter().any(|member| member.name == name));
    Ok(Value::Object(object))
}

/// The typed request of a body that passed both checks.
fn build(operation: Operation, body: &Value) -> Result<KinesisRequest, ServiceError> {
    fn typed<'a, T: Deserialize<'a> + Into<KinesisRequest>>(body: &'a Value) -> Result<KinesisRequest, ServiceError> {
        // Only an instant beyond the range of milliseconds gets here with an error.
        T::deserialize(body).map(Into::into).map_err(|error| ServiceError::serialization(error.to_string()))
    }
    use crate::api::kinesis as k;
    match operation {
        Operation::AddTagsToStream => typed::<k::AddTagsToStreamRequest>(body),
        Operation::CreateStream => typed::<k::CreateStreamRequest>(body),
        Operation::DecreaseStreamRetentionPeriod => typed::<k::DecreaseStreamRetentionPeriodRequest>(body),
        Operation::DeleteResourcePolicy => typed::<k::DeleteResourcePolicyRequest>(body),
        Operation::DeleteStream => typed::<k::DeleteStreamRequest>(body),
        Operation::DeregisterStreamConsumer => typed::<k::DeregisterStreamConsumerRequest>(body),
        Operation::DescribeAccountSettings => typed::<k::DescribeAccountSettingsRequest>(body),
        Operation::DescribeLimits => typed::<k::DescribeLimitsRequest>(body),
        Operation::DescribeStream => typed::<k::DescribeStreamRequest>(body),
        Operation::DescribeStreamConsumer => typed::<k::DescribeStreamConsumerRequest>(body),
        Operation::DescribeStreamSummary => typed::<k::DescribeStreamSummaryRequest>(body),
        Operation::DisableEnhancedMonitoring => typed::<k::DisableEnhancedMonitoringRequest>(body),
        Operation::EnableEnhancedMonitoring => typed::<k::EnableEnhancedMonitoringRequest>(body),
        Operation::GetRecords => typed::<k::GetRecordsRequest>(body),
        Operation::GetResourcePolicy => typed::<k::GetResourcePolicyRequest>(body),
        Operation::GetShardIterator => typed::<k::GetShardIteratorRequest>(body),
        Operation::IncreaseStreamRetentionPeriod => typed::<k::IncreaseStreamRetentionPeriodRequest>(body),
        Operation::ListShards => typed::<k::ListShardsRequest>(body),
        Operation::ListStreamConsumers => typed::<k::ListStreamConsumersRequest>(body),
        Operation::ListStreams => typed::<k::ListStreamsRequest>(body),
        Operation::ListTagsForResource => typed::<k::ListTagsForResourceRequest>(body),
        Operation::ListTagsForStream => typed::<k::ListTagsForStreamRequest>(body),
        Operation::MergeShards => typed::<k::MergeShardsRequest>(body),
        Operation::PutRecord => typed::<k::PutRecordRequest>(body),
        Operation::PutRecords => typed::<k::PutRecordsRequest>(body),
        Operation::PutResourcePolicy => typed::<k::PutResourcePolicyRequest>(body),
        Operation::RegisterStreamConsumer => typed::<k::RegisterStreamConsumerRequest>(body),
        Operation::RemoveTagsFromStream => typed::<k::RemoveTagsFromStreamRequest>(body),
        Operation::SplitShard => typed::<k::SplitShardRequest>(body),
        Operation::StartStreamEncryption => typed::<k::StartStreamEncryptionRequest>(body),
        Operation::StopStreamEncryption => typed::<k::StopStreamEncryptionRequest>(body),
        Operation::SubscribeToShard => typed::<k::SubscribeToShardRequest>(body),
        Operation::TagResource => typed::<k::TagResourceRequest>(body),
        Operation::UntagResource => typed::<k::UntagResourceRequest>(body),
        Operation::UpdateAccountSettings => typed::<k::UpdateAccountSettingsRequest>(body),
        Operation::UpdateMaxRecordSize => typed::<k::UpdateMaxRecordSizeRequest>(body),
        Operation::UpdateShardCount => typed::<k::UpdateShardCountRequest>(body),
        Operation::UpdateStreamMode => typed::<k::UpdateStreamModeRequest>(body),
        Operation::UpdateStreamRecordDistributionStrategy => typed::<k::UpdateStreamRecordDistributionStrategyRequest>(body),
        Operation::UpdateStreamWarmThroughput => typed::<k::UpdateStreamWarmThroughputRequest>(body),
    }
}
