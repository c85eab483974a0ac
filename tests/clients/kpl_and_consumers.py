"""Aggregated records, from both sides, and a consumer library with its leases in our DynamoDB: aws_kinesis_agg, aiokpl (a producer library's port)
and async-kinesis. Arguments: the endpoint's URL."""

import asyncio
import base64
import json
import sys
import time

import boto3
from aiokpl import Config, Producer
from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records
from kinesis import Consumer
from kinesis.dynamodb import DynamoDBCheckPointer
from kinesis.processors import StringProcessor

URL = sys.argv[1]
OPTIONS = dict(endpoint_url=URL, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
kinesis, dynamodb, s3, firehose = (boto3.client(name, **OPTIONS) for name in ("kinesis", "dynamodb", "s3", "firehose"))


def stream(name, shards):
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


def raw(name):
    """The records of a stream as Lambda hands them over, the form that aws_kinesis_agg takes."""
    found = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        for record in kinesis.get_records(ShardIterator=iterator)["Records"]:
            data = base64.b64encode(record["Data"]).decode()
            found.append({"kinesis": {"kinesisSchemaVersion": "1.0", "data": data, "partitionKey": record["PartitionKey"], "sequenceNumber": record["SequenceNumber"], "approximateArrivalTimestamp": 0}})
    return found


def opened(records):
    return sorted(base64.b64decode(record["kinesis"]["data"]) for record in deaggregate_records(records))


def until(what, found, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        result = found()
        if result:
            return result
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


def aggregated_by_the_library_and_opened_by_us():
    """What aws_kinesis_agg puts together, a delivery stream takes apart: kinlab reads the format."""
    arn = stream("library", 2)
    s3.create_bucket(Bucket="opened-records")
    role = "arn:aws:iam::123456789012:role/r"
    firehose.create_delivery_stream(
        DeliveryStreamName="opened",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": arn, "RoleARN": role},
        ExtendedS3DestinationConfiguration={
            "RoleARN": role, "BucketARN": "arn:aws:s3:::opened-records", "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1}
        },
    )
    status = lambda: firehose.describe_delivery_stream(DeliveryStreamName="opened")["DeliveryStreamDescription"]["DeliveryStreamStatus"]
    until("the delivery stream is ACTIVE", lambda: status() == "ACTIVE")
    aggregator, lines = RecordAggregator(), [b"line %03d\n" % number for number in range(200)]
    for line in lines:
        assert aggregator.add_user_record(line[:8].decode(), line) is None, "200 short lines fit into one record"
    key, hash_key, data = aggregator.clear_and_get().get_contents()
    hashed = {"ExplicitHashKey": hash_key} if hash_key else {}
    kinesis.put_record(StreamName="library", PartitionKey=key, Data=data, **hashed)
    assert len(raw("library")) == 1 and opened(raw("library")) == lines

    def delivered():
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket="opened-records").get("Contents", [])]
        return b"".join(s3.get_object(Bucket="opened-records", Key=key)["Body"].read() for key in keys)

    until("every line is delivered by itself", lambda: delivered() == b"".join(lines))


async def a_producer_library():
    stream("produced", 3)
    config = Config(region="us-east-1", endpoint_url=URL, aws_access_key_id="k", aws_secret_access_key="s")
    sent = [b"record %04d" % number for number in range(2000)]
    async with Producer(config) as producer:
        outcomes = [await producer.put_record(stream="produced", partition_key=f"key-{at}", data=data) for at, data in enumerate(sent)]
        await producer.flush()
        results = [await outcome.wait() for outcome in outcomes]
    assert all(result.success for result in results), results[:3]
    stored = raw("produced")
    assert len(stored) < 200, f"{len(stored)} records: they were not aggregated"
    assert opened(stored) == sent
    return sent


async def a_consumer_library():
    """Two runs of one application: the second goes on where the first has stopped, by the table."""
    stream("consumed", 2)

    async def read(worker, wanted, skip=0):
        table = DynamoDBCheckPointer("app", table_name="app-leases", id=worker, endpoint_url=URL, region_name="us-east-1", session_timeout=3, heartbeat_frequency=1)
        got = []
        async with Consumer(
            "consumed", endpoint_url=URL, region_name="us-east-1", checkpointer=table, processor=StringProcessor(),
            sleep_time_no_records=0.3, shard_fetch_rate=4, idle_timeout=0.5,
        ) as consumer:
            end = time.time() + 40
            while len(got) < wanted and time.time() < end:
                async for record in consumer:
                    got.append(record)
            # What was handed out is acknowledged by asking for more.
            async for record in consumer:
                got.append(record)
        return sorted(got)

    def put(first, count):
        entries = [{"Data": f"message {number:03}".encode(), "PartitionKey": str(number)} for number in range(first, first + count)]
        assert kinesis.put_records(StreamName="consumed", Records=entries)["FailedRecordCount"] == 0
        return [entry["Data"].decode() for entry in entries]

    before = put(0, 100)
    assert await read("worker-1", 100) == before
    leases = dynamodb.scan(TableName="app-leases")["Items"]
    assert len(leases) == 2 and all("sequence" in lease for lease in leases), leases
    after = put(100, 50)
    assert await read("worker-2", 50) == after, "nothing is read twice, nothing is left out"


aggregated_by_the_library_and_opened_by_us()
asyncio.run(a_producer_library())
asyncio.run(a_consumer_library())
print("the libraries were served")
