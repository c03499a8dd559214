"""What the tests of a queue that is followed share."""

import json
import uuid
from urllib.parse import quote_plus

import pytest

from rolewatch.sources import live_held
from rolewatch.sources.live_queue import QueueSource, queue


class Setting:
    """A bucket, and a queue that its notices go to."""

    def __init__(self, straight):
        self.s3, self.sqs, self.sns = straight("s3"), straight("sqs"), straight("sns")
        self.name = f"q-{uuid.uuid4().hex[:12]}"
        self.bucket = f"b-{uuid.uuid4().hex[:12]}"
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:123456789012:{self.name}"
        self.s3.create_bucket(Bucket=self.bucket)

    def notify(self):
        """Let S3 send a notice for each new object, which begins with a test message."""
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": self.arn, "Events": ["s3:ObjectCreated:*"]}]
            },
        )

    def put(self, *keys, body=b"content"):
        """Store an object under each key."""
        for key in keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def send(self, *bodies):
        """Send messages."""
        for body in bodies:
            self.sqs.send_message(
                QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body)
            )

    def left(self):
        """Count messages: those that can be received, and those that somebody holds."""
        counts = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return (
            int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]),
        )

    def objects(self, *keys):
        """Spell names of objects."""
        return [f"s3://{self.bucket}/{key}" for key in keys]


@pytest.fixture
def setting(straight):
    """Make a bucket and a queue."""
    return Setting(straight)


@pytest.fixture
def follow(setting, faults, memory, told):
    """Give a function that follows the queue, and close what it made."""
    del faults
    made = []

    def make(word=None, *, memory=memory, visibility=120):
        word = word or f"sqs://{setting.name}"
        source = QueueSource(word, queue(word), memory, told, visibility=visibility)
        made.append(source)
        return source

    yield make
    for source in made:
        source.close()


def notice(bucket, *keys, event="ObjectCreated:Put", size=7, etag="9a0364b9e99bb480dd25e1f0284c8555"):
    """Spell an S3 event notice."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "us-east-1",
                "eventName": event,
                "s3": {
                    "bucket": {"name": bucket},
                    "object": {"key": quote_plus(key), "size": size, "eTag": etag},
                },
            }
            for key in keys
        ]
    }


def receipt_of(source):
    """Find out the receipt of the only message that a source holds."""
    ((_, message),) = source._held._messages.items()
    return message.receipt


class Eager(live_held.Backoff):
    """Pauses that take no time."""

    def pause(self):
        """Return none."""
        return 0.0
