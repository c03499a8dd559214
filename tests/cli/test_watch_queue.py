"""`rolewatch watch sqs://…` as it is used: a queue of S3 event notices, drained and then empty."""

import gzip
import json

import boto3
from deliveries import story

from rolewatch.cli.main import main


def test_a_queue_is_drained_once(here, aws_environment, moto_url, monkeypatch, capsys):
    """What the notices name becomes findings, what is no notice is put aside, and no message is left; again there is nothing to do."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    s3, sqs = (boto3.client(name, endpoint_url=moto_url, region_name="us-east-1") for name in ("s3", "sqs"))
    s3.create_bucket(Bucket="watched-trail")
    queue = sqs.create_queue(QueueName="watched-notices")["QueueUrl"]
    content = gzip.compress(json.dumps({"Records": story()}).encode())
    for number in range(12):
        key = f"AWSLogs/{number}.json.gz"
        s3.put_object(Bucket="watched-trail", Key=key, Body=content)
        record = {
            "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "awsRegion": "us-east-1",
            "s3": {"bucket": {"name": "watched-trail"}, "object": {"key": key, "size": len(content)}},
        }  # fmt: skip
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"Records": [record]}))
    sqs.send_message(QueueUrl=queue, MessageBody="no notice")
    words = ["watch", "sqs://watched-notices", "--once", "--state", str(here / "state")]
    assert [main(words, {"HOME": str(here)}) for _ in range(2)] == [3, 0]  # one could not be read
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    left = [
        attributes[name] for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    ]
    assert left == ["0", "0"]
    capsys.readouterr()
    assert main(["findings", "list", "--format", "json", "--state", str(here / "state")], {}) == 0
    assert json.loads(capsys.readouterr().out)["findings"]
    main(["deliveries", "failed", "--format", "json", "--state", str(here / "state")], {})
    assert len(json.loads(capsys.readouterr().out)["failed"]) == 1
