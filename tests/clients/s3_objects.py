"""Objects larger than a request in parts by the AWS CLI, and what boto3 does with objects beside that. Arguments: the endpoint's URL, the path of the
aws command."""

import os
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

URL, AWS = sys.argv[1], sys.argv[2]
CONFIG = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 0})
s3 = boto3.client("s3", endpoint_url=URL, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s", config=CONFIG)


def aws(*words):
    done = subprocess.run([AWS, "--endpoint-url", URL, "--region", "us-east-1", *words], capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr)


def status(url, **options):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, **options)).status
    except urllib.error.HTTPError as error:
        return error.code


data = os.urandom(30 << 20)
with open("large.bin", "wb") as file:
    file.write(data)
aws("s3", "mb", "s3://large-objects")
aws("s3", "cp", "large.bin", "s3://large-objects/large.bin")
aws("s3", "cp", "s3://large-objects/large.bin", "s3://large-objects/copy.bin")
aws("s3", "cp", "s3://large-objects/copy.bin", "back.bin")
with open("back.bin", "rb") as file:
    assert file.read() == data, "what comes back is what was sent"
assert s3.head_object(Bucket="large-objects", Key="large.bin")["ETag"].endswith('-4"'), "8 MiB a part"

s3.put_object(Bucket="large-objects", Key="text", Body=b"hello", ContentType="text/plain", Metadata={"who": "me"})
found = s3.get_object(Bucket="large-objects", Key="text", Range="bytes=1-2")
assert (found["Body"].read(), found["ContentType"], found["Metadata"], found["ContentRange"]) == (b"el", "text/plain", {"who": "me"}, "bytes 1-2/5"), found
place = {"Bucket": "large-objects", "Key": "put"}
url = s3.generate_presigned_url("put_object", Params=place, ExpiresIn=60)
assert status(url, method="PUT", data=b"by URL") == 200 and status(url.replace("/put?", "/pot?"), method="PUT", data=b"x") == 403
with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=place, ExpiresIn=60)) as answer:
    assert answer.read() == b"by URL"

upload = {"Bucket": "large-objects", "Key": "given-up", "UploadId": s3.create_multipart_upload(Bucket="large-objects", Key="given-up")["UploadId"]}
s3.upload_part(**upload, PartNumber=3, Body=b"x")
assert [part["PartNumber"] for part in s3.list_parts(**upload)["Parts"]] == [3]
assert s3.list_multipart_uploads(Bucket="large-objects")["Uploads"][0]["UploadId"] == upload["UploadId"]
s3.abort_multipart_upload(**upload)
assert "Uploads" not in s3.list_multipart_uploads(Bucket="large-objects")
s3.copy_object(Bucket="large-objects", Key="text-2", CopySource="large-objects/text")
deleted = s3.delete_objects(Bucket="large-objects", Delete={"Objects": [{"Key": "text"}, {"Key": "text-2"}]})["Deleted"]
assert [entry["Key"] for entry in deleted] == ["text", "text-2"], deleted
aws("s3", "rm", "s3://large-objects", "--recursive")
aws("s3", "rb", "s3://large-objects")
print("large objects came and went")
