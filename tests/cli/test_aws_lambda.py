"""The watcher as a Lambda function: the events that Lambda calls it with, and what it answers."""

import base64
import gzip
import json

import boto3
import pytest
from deliveries import story

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.cli.aws_lambda import take
from rolewatch.cli.main import main


@pytest.fixture
def environ(here):
    """Set what a function has: a state that outlives it, and whom to tell."""
    return {
        "HOME": str(here),
        "ROLEWATCH_STATE": str(here / "state"),
        "ROLEWATCH_NOTIFY": f"exec:/usr/bin/tee -a {here / 'told.jsonl'}",
    }


@pytest.fixture
def kept(environ, capsys):
    """Give a way to ask what the state holds."""

    def ask():
        main(
            ["findings", "list", "--format", "json", "--state", environ["ROLEWATCH_STATE"]],
            {"HOME": environ["HOME"]},
        )
        return json.loads(capsys.readouterr().out)["findings"]

    return ask


def subscription(records):
    """Make the event of a subscription of a log group."""
    payload = {
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "trail", "logStream": "s", "subscriptionFilters": ["f"],
        "logEvents": [{"id": f"{number:056d}", "timestamp": 1772355600000, "message": json.dumps(record)} for number, record in enumerate(records)],
    }  # fmt: skip
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}


def told(environ, here):
    """Read what the target was told."""
    del environ
    path = here / "told.jsonl"
    decoder, text, found = json.JSONDecoder(), path.read_text() if path.exists() else "", []
    while text := text.strip():
        body, end = decoder.raw_decode(text)
        found.append(body)
        text = text[end:]
    return found


def test_a_subscription(environ, kept, here):
    """Log events become findings, people are told at once, and the same event again changes nothing."""
    event = subscription(story())
    assert take(event, environ) == {"batchItemFailures": []}
    findings = kept()
    assert findings
    first = told(environ, here)
    assert first
    assert take(event, environ) == {"batchItemFailures": []}
    assert kept() == findings
    assert told(environ, here) == first


def test_s3_notices_in_a_batch(environ, kept, aws_environment, moto_url, monkeypatch):
    """Objects named by messages of a queue are fetched; a message about one that is not there is answered as done and put aside."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    client = boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1")
    client.create_bucket(Bucket="lambda-trail")
    content = gzip.compress(json.dumps({"Records": story()}).encode())
    client.put_object(Bucket="lambda-trail", Key="a b.json.gz", Body=content)
    tag = client.head_object(Bucket="lambda-trail", Key="a b.json.gz")["ETag"].strip('"')

    def message(name, key, etag):
        record = {
            "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "awsRegion": "us-east-1",
            "s3": {"bucket": {"name": "lambda-trail"}, "object": {"key": key, "size": len(content), "eTag": etag}},
        }  # fmt: skip
        return {"messageId": name, "eventSource": "aws:sqs", "body": json.dumps({"Records": [record]})}

    event = {
        "Records": [
            message("m1", "a+b.json.gz", tag),
            {"messageId": "m2", "eventSource": "aws:sqs", "body": "no notice"},
        ]
    }
    assert take(event, environ) == {"batchItemFailures": []}
    assert kept()


def test_a_record_of_eventbridge(environ, kept):
    """The record stands in the event's detail."""
    denied = [record for record in story() if record.get("errorCode")]
    for number, record in enumerate(denied):
        event = {
            "version": "0",
            "id": f"e{number}",
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.s3",
            "detail": record,
        }
        assert take(event, environ) == {"batchItemFailures": []}
    assert kept()


def test_a_state_that_would_be_forgotten(here):
    """Without a state nothing is done, since it would be lost with the function."""
    with pytest.raises(UsageError, match="ROLEWATCH_STATE is not set"):
        take(subscription(story()), {"HOME": str(here)})


def test_a_state_that_is_away(here, monkeypatch):
    """A store that cannot be reached makes the call fail, so that Lambda tries again."""
    monkeypatch.setattr("rolewatch.watch.patience.PAUSES", (0.01,))
    with pytest.raises(CannotDo, match="check that PostgreSQL runs"):
        take(subscription(story()), {"HOME": str(here), "ROLEWATCH_STATE": "postgresql://x@127.0.0.1:1/x"})
