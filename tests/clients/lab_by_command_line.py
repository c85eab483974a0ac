"""Lab1 as in the workshop: one terminal plays the lab, in another one the AWS CLI makes the stream, reads it and scales it, and checks turn green.
Arguments: the path of kinlab, the path of the aws command."""

import json
import os
import re
import subprocess
import sys
import threading
import time

KINLAB, AWS = sys.argv[1:3]
STREAM = "dcb-taxi-trips"
lab = subprocess.Popen([KINLAB, "run", "lab1", "--plain", "--serve", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
url = re.search(r"http://[0-9.]+:[0-9]+", lab.stdout.readline()).group()
told = []
threading.Thread(target=lambda: told.extend(iter(lab.stderr.readline, "")), daemon=True).start()
printed = []
threading.Thread(target=lambda: printed.extend(iter(lab.stdout.readline, "")), daemon=True).start()


def aws(*words):
    environment = dict(os.environ, AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s", AWS_DEFAULT_REGION="us-east-1")
    done = subprocess.run([AWS, "--endpoint-url", url, "kinesis", *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, (words, done.stderr)
    return json.loads(done.stdout) if done.stdout else None


def type_lines(*lines):
    lab.stdin.write("".join(line + "\n" for line in lines))
    lab.stdin.flush()


def until(text, seconds=400):
    end = time.time() + seconds
    while not any(text in line for line in told):
        assert time.time() < end, f"not told within {seconds} s: {text}\n" + "".join(told[-20:]) + "".join(printed[-20:])
        time.sleep(0.05)


def read(shard):
    iterator = aws("get-shard-iterator", "--stream-name", STREAM, "--shard-id", shard, "--shard-iterator-type", "TRIM_HORIZON")["ShardIterator"]
    assert len(aws("get-records", "--limit", "2", "--shard-iterator", iterator)["Records"]) == 2


replay = f"java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamRegion us-east-1 -speedup 1800 -streamName {STREAM}"
aws("create-stream", "--stream-name", STREAM, "--shard-count", "6")
until("Next, step 2 of 6")
type_lines(replay, "run 62s")
until("Next, step 3 of 6")
type_lines("read-stream", "run 3s")
read("shardId-000000000000")
read("shardId-000000000001")
type_lines("answer record-types trip,watermark", "run 1s")
until("Next, step 4 of 6")
type_lines("answer which-limit records", "answer shards-needed 12", "run 1s")
until("Next, step 5 of 6")
aws("update-shard-count", "--stream-name", STREAM, "--target-shard-count", "12", "--scaling-type", "UNIFORM_SCALING")
type_lines("run 3s", replay + " -aggregate", "run 200s", "answer data-lost no", "run 1s")
until("Next, step 6 of 6")
type_lines("answer hot-index 4", replay, "producer replay key const partitionkey", "run 10s")
assert lab.wait(240) == 0, "".join(told[-20:])
assert any("6 of 6 steps done" in line for line in told + printed), (told[-5:], printed[-5:])
print("the lab was done")
