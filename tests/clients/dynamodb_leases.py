"""A lease table as consumer libraries keep it, with boto3: leases are made, taken, renewed, stolen and given up by two workers that read one
stream, and every record is worked on once. Then what boto3's own layers (table resources, paginators, waiters, batches) make of it.
Arguments: the endpoint's URL."""

import decimal
import json
import sys
import time

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv[1]
OPTIONS = dict(
    endpoint_url=URL, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s", config=Config(retries={"max_attempts": 0})
)
dynamodb, kinesis = boto3.client("dynamodb", **OPTIONS), boto3.client("kinesis", **OPTIONS)
TABLE, STREAM = "my-application", "orders"


def refused(call, name, text=None, **members):
    try:
        call(**members)
    except ClientError as error:
        assert error.response["Error"]["Code"] == name, error
        assert text is None or error.response["Error"]["Message"] == text, error
        return
    raise AssertionError(f"{name} was expected")


class Worker:
    """What a worker of a consumer library does with the lease table; the older members are those that KCL 1 sends."""

    def __init__(self, name):
        self.name = name
        self.held = {}  # lease key -> the counter that was written last
        self.seen = {}  # lease key -> (counter, how often it was seen unchanged)
        self.records = []

    def leases(self):
        return {item["leaseKey"]["S"]: item for page in dynamodb.get_paginator("scan").paginate(TableName=TABLE) for item in page["Items"]}

    def create(self, shard):
        item = {"leaseKey": {"S": shard}, "checkpoint": {"S": "TRIM_HORIZON"}, "leaseCounter": {"N": "0"}, "ownerSwitchesSinceCheckpoint": {"N": "0"}}
        try:
            dynamodb.put_item(TableName=TABLE, Item=item, Expected={"leaseKey": {"Exists": False}})
            return True
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False

    def take(self, lease):
        counter = int(lease["leaseCounter"]["N"])
        updates = {"leaseOwner": {"Action": "PUT", "Value": {"S": self.name}}, "leaseCounter": {"Action": "PUT", "Value": {"N": str(counter + 1)}}}
        if "leaseOwner" in lease:
            updates["ownerSwitchesSinceCheckpoint"] = {"Action": "ADD", "Value": {"N": "1"}}
            expected = {"leaseCounter": {"Value": {"N": str(counter)}}, "leaseOwner": {"Value": lease["leaseOwner"]}}
        else:
            expected = {"leaseCounter": {"Value": {"N": str(counter)}}, "leaseOwner": {"Exists": False}}
        return self.write(lease["leaseKey"]["S"], counter + 1, updates, expected)

    def renew(self, shard):
        counter = self.held[shard]
        updates = {"leaseCounter": {"Action": "PUT", "Value": {"N": str(counter + 1)}}}
        return self.write(shard, counter + 1, updates, self.mine(shard))

    def checkpoint(self, shard, number):
        counter = self.held[shard]
        values = {":number": {"S": number}, ":next": {"N": str(counter + 1)}, ":was": {"N": str(counter)}, ":me": {"S": self.name}, ":none": {"N": "0"}}
        try:
            dynamodb.update_item(
                TableName=TABLE,
                Key={"leaseKey": {"S": shard}},
                UpdateExpression="SET checkpoint = :number, leaseCounter = :next, ownerSwitchesSinceCheckpoint = :none",
                ConditionExpression="leaseOwner = :me AND leaseCounter = :was",
                ExpressionAttributeValues=values,
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            self.held.pop(shard)
            return False
        self.held[shard] = counter + 1
        return True

    def give_up(self, shard):
        return self.write(shard, None, {"leaseOwner": {"Action": "DELETE"}}, self.mine(shard))

    def mine(self, shard):
        return {"leaseCounter": {"Value": {"N": str(self.held[shard])}}, "leaseOwner": {"Value": {"S": self.name}}}

    def write(self, shard, counter, updates, expected):
        try:
            dynamodb.update_item(TableName=TABLE, Key={"leaseKey": {"S": shard}}, AttributeUpdates=updates, Expected=expected)
        except dynamodb.exceptions.ConditionalCheckFailedException:
            self.held.pop(shard, None)
            return False
        if counter is None:
            self.held.pop(shard)
        else:
            self.held[shard] = counter
        return True

    def expired(self, lease):
        """Nobody owns it, or its counter has stood still for three looks."""
        key, counter = lease["leaseKey"]["S"], lease["leaseCounter"]["N"]
        known, looks = self.seen.get(key, (None, 0))
        self.seen[key] = (counter, looks + 1 if known == counter else 0)
        return "leaseOwner" not in lease or self.seen[key][1] >= 3

    def work(self, shard):
        at = self.leases()[shard]["checkpoint"]["S"]
        if at == "SHARD_END":
            return
        start = {"ShardIteratorType": at} if at == "TRIM_HORIZON" else {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": at}
        iterator = kinesis.get_shard_iterator(StreamName=STREAM, ShardId=shard, **start)["ShardIterator"]
        answer = kinesis.get_records(ShardIterator=iterator, Limit=50)
        if answer["Records"] and self.checkpoint(shard, answer["Records"][-1]["SequenceNumber"]):
            self.records += [record["Data"] for record in answer["Records"]]


def two_workers():
    kinesis.create_stream(StreamName=STREAM, ShardCount=4)
    keys = dict(AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}], KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}])
    capacity = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}
    made = dynamodb.create_table(TableName=TABLE, ProvisionedThroughput=capacity, **keys)["TableDescription"]
    assert made["TableStatus"] == "CREATING" and made["TableArn"].endswith(":table/" + TABLE), made
    refused(dynamodb.create_table, "ResourceInUseException", f"Table already exists: {TABLE}", TableName=TABLE, ProvisionedThroughput=capacity, **keys)
    dynamodb.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    kinesis.get_waiter("stream_exists").wait(StreamName=STREAM, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=STREAM)["Shards"]]
    first, second = Worker("worker-1"), Worker("worker-2")
    assert all(first.create(shard) for shard in shards) and not any(second.create(shard) for shard in shards)
    sent = [b"order %d" % number for number in range(400)]
    kinesis.put_records(StreamName=STREAM, Records=[{"PartitionKey": str(at), "Data": data} for at, data in enumerate(sent)])
    # The first worker takes all; the second comes and steals until both have as many.
    assert all(first.take(lease) for lease in first.leases().values())
    first.work(shards[0])
    for lease in list(second.leases().values())[:2]:
        assert second.take(lease), "a lease is stolen by its counter"
    assert not first.renew(shards[0]), "who lost a lease finds out when it renews"
    assert not first.checkpoint(shards[1], "1") and sorted(first.held) == shards[2:] and sorted(second.held) == shards[:2]
    assert first.renew(shards[2]) and second.renew(shards[0])
    # The first one dies: its counters stand still, the second one takes over.
    for _ in range(5):
        for shard in list(second.held):
            second.renew(shard)
        for lease in second.leases().values():
            if lease["leaseKey"]["S"] not in second.held and second.expired(lease):
                assert second.take(lease)
        time.sleep(0.05)
    assert sorted(second.held) == shards, second.held
    while any(not lease["checkpoint"]["S"].isdigit() for lease in second.leases().values()) or len(first.records) + len(second.records) < len(sent):
        for shard in shards:
            second.work(shard)
        time.sleep(0.25)
    assert sorted(first.records + second.records) == sorted(sent), "every record once"
    switches = {key: lease["ownerSwitchesSinceCheckpoint"]["N"] for key, lease in second.leases().items()}
    assert set(switches.values()) == {"0"}, switches
    assert second.give_up(shards[0]) and "leaseOwner" not in second.leases()[shards[0]]


def other_layers():
    resource = boto3.resource("dynamodb", **OPTIONS)
    table = resource.create_table(
        TableName="readings",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in (("room", "S"), ("at", "N"), ("owner", "S"))],
        KeySchema=[{"AttributeName": "room", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {"IndexName": "by-owner", "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}
        ],
    )
    table.meta.client.get_waiter("table_exists").wait(TableName="readings", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    with table.batch_writer() as batch:
        for at in range(60):
            batch.put_item(Item={"room": f"room-{at % 2}", "at": at, "celsius": decimal.Decimal(at) / 4, "tags": {"a", "b"}, "payload": b"\x00\xff", "more": {"list": [1, None, True]}})
    read = table.query(KeyConditionExpression=Key("room").eq("room-1") & Key("at").between(10, 20), ScanIndexForward=False)
    assert [int(item["at"]) for item in read["Items"]] == [19, 17, 15, 13, 11], read
    item = read["Items"][0]
    assert item["celsius"] == decimal.Decimal("4.75") and item["tags"] == {"a", "b"} and item["payload"].value == b"\x00\xff", item
    assert item["more"] == {"list": [1, None, True]}
    pages = list(dynamodb.get_paginator("query").paginate(
        TableName="readings", KeyConditionExpression="room = :r", ExpressionAttributeValues={":r": {"S": "room-0"}}, PaginationConfig={"PageSize": 7}
    ))
    assert [len(page["Items"]) for page in pages] == [7, 7, 7, 7, 2], pages
    parts = [dynamodb.scan(TableName="readings", Segment=at, TotalSegments=3)["Count"] for at in range(3)]
    assert sum(parts) == 60, parts
    assert table.scan(FilterExpression=Attr("celsius").gte(10) & Attr("tags").contains("a"))["Count"] == 20
    changed = table.update_item(
        Key={"room": "room-0", "at": 0},
        UpdateExpression="SET #o = :o, more.#l[0] = :n ADD celsius :n REMOVE payload",
        ExpressionAttributeNames={"#o": "owner", "#l": "list"},
        ExpressionAttributeValues={":o": "ann", ":n": decimal.Decimal("0.1")},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert changed["celsius"] == decimal.Decimal("0.1") and changed["more"]["list"][0] == decimal.Decimal("0.1") and "payload" not in changed, changed
    assert table.query(IndexName="by-owner", KeyConditionExpression=Key("owner").eq("ann"))["Items"] == [changed]
    got = dynamodb.batch_get_item(RequestItems={"readings": {"Keys": [{"room": {"S": "room-0"}, "at": {"N": "0"}}], "ProjectionExpression": "celsius"}})
    assert got["Responses"]["readings"] == [{"celsius": {"N": "0.1"}}], got
    key = {"room": {"S": "room-0"}, "at": {"N": "0"}}
    refused(
        dynamodb.update_item, "ValidationException",
        "One or more parameter values were invalid: Cannot update attribute room. This attribute is part of the key",
        TableName="readings", Key=key, UpdateExpression="SET room = :r", ExpressionAttributeValues={":r": {"S": "x"}},
    )
    refused(dynamodb.get_item, "ValidationException", "The provided key element does not match the schema", TableName="readings", Key={"room": {"S": "x"}})
    refused(
        dynamodb.delete_item, "ConditionalCheckFailedException", "The conditional request failed",
        TableName="readings", Key=key, ConditionExpression="attribute_not_exists(room)",
    )
    refused(dynamodb.put_item, "ValidationException", "One or more parameter values were invalid: Missing the key at in the item", TableName="readings", Item={"room": {"S": "x"}})
    refused(dynamodb.scan, "ResourceNotFoundException", "Requested resource not found", TableName="none-there")
    usage = table.put_item(Item={"room": "x", "at": 1}, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert usage == {"TableName": "readings", "CapacityUnits": 1.0}, usage
    dynamodb.update_time_to_live(TableName="readings", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
    assert dynamodb.describe_time_to_live(TableName="readings")["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    arn = table.table_arn
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "data"}])
    assert dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "data"}]
    table.delete()
    dynamodb.get_waiter("table_not_exists").wait(TableName="readings", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert dynamodb.list_tables()["TableNames"] == [TABLE]


two_workers()
other_layers()
print("the leases were kept")
