"""What real clients do against the endpoint: boto3 and the AWS CLI. Arguments: the endpoint's URL, the path of the aws command."""

import datetime
import io
import json
import subprocess
import sys
import threading
import time
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL, AWS = sys.argv[1], sys.argv[2]
OPTIONS = dict(
    endpoint_url=URL,
    region_name="us-east-1",
    aws_access_key_id="k",
    aws_secret_access_key="s",
    config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
)


def client(service):
    return boto3.client(service, **OPTIONS)


def until(what, found, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        result = found()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def refused(call, name, **members):
    try:
        call(**members)
    except ClientError as error:
        assert error.response["Error"]["Code"] == name, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{name} was expected")


def streams():
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    summary = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]
    assert abs(summary["StreamCreationTimestamp"].timestamp() - time.time()) < 60, "the world is in real time"
    arn = summary["StreamARN"]
    assert kinesis.describe_stream(StreamARN=arn)["StreamDescription"]["StreamName"] == "s"
    put = kinesis.put_records(StreamName="s", Records=[{"PartitionKey": str(i), "Data": b"%d" % i} for i in range(300)])
    assert put["FailedRecordCount"] == 0
    read = []
    for shard in kinesis.list_shards(StreamName="s")["Shards"]:
        iterator = kinesis.get_shard_iterator(StreamName="s", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        read += [int(record["Data"]) for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
    assert sorted(read) == list(range(300))
    text = refused(kinesis.describe_stream, "ResourceNotFoundException", StreamName="nope")
    assert text == "Stream nope under account 123456789012 not found.", text
    # A shard takes 1 MiB/s: a second's worth and the rest of the bucket go in, then it refuses.
    kinesis.create_stream(StreamName="one", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="one", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    failed = 0
    for _ in range(6):
        answer = kinesis.put_records(StreamName="one", Records=[{"PartitionKey": "p", "Data": b"a" * 1000}] * 500)
        failed += answer["FailedRecordCount"]
    assert 0 < failed < 3000, failed
    return arn


def fan_out(arn):
    kinesis = client("kinesis")
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="c")["Consumer"]["ConsumerARN"]
    until("the consumer is ACTIVE", lambda: kinesis.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE")
    got = []

    def subscribe(shard):
        answer = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition={"Type": "LATEST"})
        for event in answer["EventStream"]:
            event = event["SubscribeToShardEvent"]
            got.extend(record["Data"] for record in event["Records"])
            if len(got) >= 50:
                return

    for shard in kinesis.list_shards(StreamName="s")["Shards"]:
        threading.Thread(target=subscribe, args=[shard["ShardId"]], daemon=True).start()
    until("subscriptions run", lambda: kinesis.put_record(StreamName="s", PartitionKey=str(time.time()), Data=b"x") and len(got) >= 2)
    for i in range(60):
        kinesis.put_record(StreamName="s", PartitionKey=str(i), Data=b"fan %d" % i)
    until("records are pushed", lambda: len(got) >= 50)


def delivery(arn):
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))["Role"]["Arn"]
    s3 = client("s3")
    s3.create_bucket(Bucket="out-bucket")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.js", "exports.handler = async (event) => ({ hello: event.name, records: (event.Records || []).length });")
    functions = client("lambda")
    functions.create_function(FunctionName="f", Runtime="nodejs20.x", Role=role, Handler="index.handler", Code={"ZipFile": code.getvalue()})
    answer = functions.invoke(FunctionName="f", Payload=json.dumps({"name": "world"}))
    assert json.loads(answer["Payload"].read()) == {"hello": "world", "records": 0}
    mapping = functions.create_event_source_mapping(FunctionName="f", EventSourceArn=arn, StartingPosition="LATEST")["UUID"]
    assert functions.list_event_source_mappings(FunctionName="f")["EventSourceMappings"][0]["UUID"] == mapping
    refused(functions.get_function, "ResourceNotFoundException", FunctionName="nope")
    firehose = client("firehose")
    s3_destination = {"RoleARN": role, "BucketARN": "arn:aws:s3:::out-bucket", "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1}}
    firehose.create_delivery_stream(DeliveryStreamName="d", ExtendedS3DestinationConfiguration=s3_destination)
    status = lambda: firehose.describe_delivery_stream(DeliveryStreamName="d")["DeliveryStreamDescription"]["DeliveryStreamStatus"]
    until("the delivery stream is ACTIVE", lambda: status() == "ACTIVE")
    firehose.put_record_batch(DeliveryStreamName="d", Records=[{"Data": b"line %d\n" % i} for i in range(100)])
    objects = until("an object is delivered", lambda: s3.list_objects_v2(Bucket="out-bucket").get("Contents"))
    body = s3.get_object(Bucket="out-bucket", Key=objects[0]["Key"])["Body"].read()
    assert body == b"".join(b"line %d\n" % i for i in range(100))
    refused(s3.get_object, "NoSuchKey", Bucket="out-bucket", Key="none")


def application(arn):
    analytics, kinesis = client("kinesisanalytics"), client("kinesis")
    sql = (
        'CREATE STREAM "OUT" (k VARCHAR(8), n BIGINT); '
        'CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM "k", "n" * 2 FROM "SOURCE_SQL_STREAM_001";'
    )
    kinesis.create_stream(StreamName="rows", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="rows", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    rows = kinesis.describe_stream_summary(StreamName="rows")["StreamDescriptionSummary"]["StreamARN"]
    role = "arn:aws:iam::123456789012:role/r"
    columns = [{"Name": "k", "SqlType": "VARCHAR(8)", "Mapping": "$.k"}, {"Name": "n", "SqlType": "BIGINT", "Mapping": "$.n"}]
    schema = {"RecordFormat": {"RecordFormatType": "JSON", "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}}}, "RecordColumns": columns}
    source = {"NamePrefix": "SOURCE_SQL_STREAM", "KinesisStreamsInput": {"ResourceARN": arn, "RoleARN": role}, "InputSchema": schema}
    output = {"Name": "OUT", "KinesisStreamsOutput": {"ResourceARN": rows, "RoleARN": role}, "DestinationSchema": {"RecordFormatType": "JSON"}}
    analytics.create_application(ApplicationName="a", ApplicationCode=sql, Inputs=[source], Outputs=[output])
    detail = analytics.describe_application(ApplicationName="a")["ApplicationDetail"]
    start = [{"Id": detail["InputDescriptions"][0]["InputId"], "InputStartingPositionConfiguration": {"InputStartingPosition": "NOW"}}]
    analytics.start_application(ApplicationName="a", InputConfigurations=start)
    until("the application runs", lambda: analytics.describe_application(ApplicationName="a")["ApplicationDetail"]["ApplicationStatus"] == "RUNNING")
    iterator = kinesis.get_shard_iterator(StreamName="rows", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    state = {"iterator": iterator, "rows": []}

    def found():
        kinesis.put_record(StreamName="s", PartitionKey="k", Data=json.dumps({"k": "a", "n": 21}).encode())
        answer = kinesis.get_records(ShardIterator=state["iterator"])
        state["iterator"] = answer["NextShardIterator"]
        state["rows"] += answer["Records"]
        time.sleep(0.3)
        return state["rows"]

    row = json.loads(until("rows come out", found)[0]["Data"])
    assert list(row.values()) == ["a", 42], row
    # The second API shows the same application.
    second = client("kinesisanalyticsv2").describe_application(ApplicationName="a")["ApplicationDetail"]
    assert second["ApplicationConfigurationDescription"]["ApplicationCodeConfigurationDescription"]["CodeContentDescription"]["TextContent"] == sql


def metrics():
    cloudwatch = client("cloudwatch")
    listed = cloudwatch.list_metrics(Namespace="AWS/Kinesis", MetricName="IncomingRecords")["Metrics"]
    assert {"Name": "StreamName", "Value": "s"} in [pair for metric in listed for pair in metric["Dimensions"]], listed
    now = datetime.datetime.now(datetime.timezone.utc)
    span = dict(StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=1))
    metric = dict(Namespace="AWS/Kinesis", MetricName="IncomingRecords", Dimensions=[{"Name": "StreamName", "Value": "s"}])
    points = cloudwatch.get_metric_statistics(**metric, **span, Period=60, Statistics=["Sum"])["Datapoints"]
    assert sum(point["Sum"] for point in points) >= 360 and abs((points[-1]["Timestamp"] - now).total_seconds()) < 300, points
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    data = cloudwatch.get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"][0]
    assert sum(data["Values"]) >= 360 and data["Timestamps"][0] >= data["Timestamps"][-1], data
    refused(cloudwatch.get_metric_statistics, "InvalidParameterValue", **metric, **span, Period=30, Statistics=["Sum"])


def topics():
    sns, functions = client("sns"), client("lambda")
    topic = sns.create_topic(Name="alarms", Attributes={"DisplayName": "Alarms"})["TopicArn"]
    assert [known["TopicArn"] for known in sns.list_topics()["Topics"]] == [topic]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.js", "exports.handler = async (e) => { console.log(e.Records[0].Sns.Message); };")
    function = functions.create_function(
        FunctionName="hears", Runtime="nodejs20.x", Handler="index.handler", Role="arn:aws:iam::123456789012:role/r", Code={"ZipFile": archive.getvalue()}
    )["FunctionArn"]
    one = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)["SubscriptionArn"]
    assert sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="me@example.com")["SubscriptionArn"] == "pending confirmation"
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [known["SubscriptionArn"] for known in listed] == [one, "PendingConfirmation"]
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["DisplayName"], attributes["SubscriptionsPending"]) == ("Alarms", "1"), attributes
    sent = sns.publish(TopicArn=topic, Subject="s", Message="hello", MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}})
    assert len(sent["MessageId"]) == 36
    batch = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": "a", "Message": "1"}, {"Id": "b", "Message": ""}])
    assert [done["Id"] for done in batch["Successful"]] == ["a"] and batch["Failed"][0]["Code"] == "InvalidParameter", batch
    assert refused(sns.publish, "NotFound", TopicArn=topic + "x", Message="m") == "Topic does not exist"
    mapping = functions.create_event_source_mapping(
        FunctionName="hears", EventSourceArn=stream, StartingPosition="LATEST", TumblingWindowInSeconds=30
    )
    assert mapping["TumblingWindowInSeconds"] == 30
    refused(functions.update_event_source_mapping, "InvalidParameterValueException", UUID=mapping["UUID"], ParallelizationFactor=2)
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    sns.unsubscribe(SubscriptionArn=one)
    sns.delete_topic(TopicArn=topic)
    assert sns.list_topics()["Topics"] == []


def command_line():
    def aws(*words, ok=True):
        done = subprocess.run([AWS, "--endpoint-url", URL, "--region", "us-east-1", *words], capture_output=True, text=True)
        assert (done.returncode == 0) == ok, (words, done.stderr)
        return done.stdout if ok else done.stderr

    assert json.loads(aws("sts", "get-caller-identity"))["Account"] == "123456789012"
    assert "s" in json.loads(aws("kinesis", "list-streams"))["StreamNames"]
    aws("s3", "mb", "s3://reference-data")
    with open("reference.csv", "w") as file:
        file.write("a,1\nb,2\n")
    aws("s3", "cp", "reference.csv", "s3://reference-data/in/reference.csv")
    assert "in/reference.csv" in aws("s3", "ls", "s3://reference-data", "--recursive")
    assert aws("s3", "cp", "s3://reference-data/in/reference.csv", "-") == "a,1\nb,2\n"
    aws("s3", "sync", "s3://reference-data", "copy")
    assert open("copy/in/reference.csv").read() == "a,1\nb,2\n"
    aws("s3", "rm", "s3://reference-data", "--recursive")
    aws("s3", "rb", "s3://reference-data")
    topic = json.loads(aws("sns", "create-topic", "--name", "lines"))["TopicArn"]
    aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "email", "--notification-endpoint", "me@example.com")
    assert json.loads(aws("sns", "publish", "--topic-arn", topic, "--message", "hello"))["MessageId"]
    text = aws("kinesis", "describe-stream", "--stream-name", "nope", ok=False)
    assert "An error occurred (ResourceNotFoundException) when calling the DescribeStream operation" in text, text


stream = streams()
fan_out(stream)
delivery(stream)
application(stream)
metrics()
topics()
command_line()
print("all clients were served")
