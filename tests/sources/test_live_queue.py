import json
import random
import threading
import uuid
from collections import defaultdict
from urllib.parse import quote_plus

import pytest

from faults import Broken, Slow, refusal
from following import Memory, drain, names, until
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo, SourceError
from rolewatch.sources import live_held
from rolewatch.sources.live_queue import Queue, QueueSource, queue


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


def test_an_object_is_given_and_its_message_deleted_when_it_is_done(setting, follow, memory):
    """S3's notice leads to the object; until the commit the message stays, invisible to others."""
    setting.notify()
    setting.put("a b/ü+1.json.gz", body=b"records")
    source = follow()
    (arrival,) = source.arrivals(1)
    delivery = arrival.delivery
    assert (setting.objects("a b/ü+1.json.gz"), b"records", 7) == (
        [delivery.name],
        delivery.read(),
        delivery.size,
    )
    assert setting.left() == (0, 1)
    memory.commit(source, [arrival])
    source.close()
    assert setting.left() == (0, 0)


def test_an_object_has_the_identity_that_a_listing_gives_it(setting, follow):
    """So an object that was scanned from the bucket is known."""
    from rolewatch.sources import Window, deliveries  # noqa: PLC0415 - beside what is compared

    setting.notify()
    setting.put("x.json")
    (arrival,) = follow().arrivals(1)
    (listed,) = deliveries(f"s3://{setting.bucket}/x.json", Window(), problems=[])
    assert (listed.identity, listed.etag) == (arrival.delivery.identity, arrival.delivery.etag)
    assert arrival.marks == (listed.identity,)


def test_a_message_with_several_objects_stays_until_the_last_one_is_done(setting, follow, memory):
    """One of two done is not enough."""
    setting.put("one", "two")
    setting.send(notice(setting.bucket, "one", "two"))
    source = follow()
    first, second = source.arrivals(1)
    memory.commit(source, [second])
    source.close()
    assert setting.left() == (1, 0)
    again = follow()
    assert [first.delivery.name] == names(drain(again, memory))
    again.close()
    assert setting.left() == (0, 0)


def test_two_notices_of_one_object_give_it_once(setting, follow, memory):
    """S3 may send a notice twice; both messages go when the object is done."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"), notice(setting.bucket, "x"))
    source = follow()
    arrivals = source.arrivals(1)
    assert names(arrivals) == setting.objects("x")
    assert setting.left() == (0, 2)
    memory.commit(source, arrivals)
    source.close()
    assert setting.left() == (0, 0)


def test_what_was_done_before_is_deleted_unread(setting, follow, memory):
    """A process that was killed between commit and acknowledgement left the message."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    killed = follow()
    memory.commit(killed, killed.arrivals(1), acknowledge=False)
    setting.sqs.change_message_visibility(
        QueueUrl=setting.url, ReceiptHandle=receipt_of(killed), VisibilityTimeout=0
    )
    source = follow()
    assert drain(source, memory) == []
    source.close()
    assert setting.left() == (0, 0)


def receipt_of(source):
    """Find out the receipt of the only message that a source holds."""
    ((_, message),) = source._held._messages.items()
    return message.receipt


def test_closing_gives_back_what_was_not_done(setting, follow):
    """Another watcher need not wait until its time has run out."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    source = follow(visibility=3600)
    assert len(source.arrivals(1)) == 1
    assert setting.left() == (0, 1)
    source.close()
    source.close()
    assert setting.left() == (1, 0)
    assert source.arrivals(1) == []


def test_messages_stay_invisible_for_as_long_as_they_are_held(setting, follow, faults):
    """Their time is extended before it runs out, so that nobody else gets them."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    source = follow(visibility=2)
    assert len(source.arrivals(1)) == 1
    faults.wait_for("ChangeMessageVisibilityBatch", 6)  # four seconds, twice the time of one
    assert setting.left() == (0, 1)
    assert source.arrivals(0) == []


def test_a_message_that_comes_again_while_it_is_held_is_recognised(setting, follow, faults, memory):
    """Its time ran out because AWS did not answer; it is not given twice, and deleted by its new receipt."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    faults.fault = lambda request: (
        refusal("InternalFailure", 500) if request.operation == "ChangeMessageVisibilityBatch" else None
    )
    source = follow(visibility=1)
    (arrival,) = source.arrivals(1)
    old = receipt_of(source)
    number = len(faults.sent("ReceiveMessage"))
    while receipt_of(source) == old:
        assert source.arrivals(1) == []
        assert len(faults.sent("ReceiveMessage")) < number + 20
    memory.commit(source, [arrival])
    source.close()
    assert setting.left() == (0, 0)


def test_poison_is_parked_and_not_looped(setting, follow, memory):
    """Each comes as a delivery that cannot be read, with its reason, and is deleted after the commit."""
    setting.send(
        "hello", '{"a": 1}', {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]}
    )
    setting.send(
        notice(setting.bucket, "no-such-object"), {"s3Bucket": setting.bucket, "s3ObjectKey": ["gone"]}
    )
    source = follow()
    arrivals = source.arrivals(1)
    reasons = defaultdict(list)
    for arrival in arrivals:
        with pytest.raises(OSError, match=r".") as caught:
            arrival.delivery.read()
        reasons[arrival.delivery.name.partition("#")[0]].append(caught.value.strerror)
    vanished = "object vanished between listing and reading"
    assert {
        f"sqs://{setting.name}": [
            "an S3 event that names no object",
            'neither a notice nor records: a JSON object with the key "a"',
            "no JSON: hello",
        ],
        f"s3://{setting.bucket}/no-such-object": [vanished],
        f"s3://{setting.bucket}/gone": [vanished],
    } == {name: sorted(found) for name, found in reasons.items()}
    memory.commit(source, arrivals)
    source.close()
    assert setting.left() == (0, 0)


def test_test_messages_and_deletions_are_acknowledged_silently(setting, follow, faults):
    """Nothing is in them, and nothing is told."""
    setting.notify()
    setting.send(notice(setting.bucket, "x", event="ObjectRemoved:Delete"))
    source = follow()
    assert source.arrivals(1) == []
    faults.wait_for("DeleteMessageBatch", 1)
    source.close()
    assert setting.left() == (0, 0)


def test_notices_come_through_a_topic_of_sns(setting, follow):
    """S3 to SNS to SQS, in SNS's envelope and as raw messages."""
    topic = setting.sns.create_topic(Name=setting.name)["TopicArn"]
    subscribed = setting.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=setting.arn)[
        "SubscriptionArn"
    ]
    setting.s3.put_bucket_notification_configuration(
        Bucket=setting.bucket,
        NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    setting.put("enveloped")
    setting.sns.set_subscription_attributes(
        SubscriptionArn=subscribed, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    setting.put("raw")
    assert sorted(names(follow().arrivals(1))) == setting.objects("enveloped", "raw")


def test_cloudtrails_own_notices_name_keys_that_are_not_encoded(setting, follow):
    """Size and ETag are asked of S3; a key that looks encoded is taken as it stands."""
    topic = setting.sns.create_topic(Name=setting.name)["TopicArn"]
    setting.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=setting.arn)
    setting.put("a%20b+c", "two", body=b"123")
    setting.sns.publish(
        TopicArn=topic,
        Message=json.dumps({"s3Bucket": setting.bucket, "s3ObjectKey": ["a%20b+c", "two"]}),
    )
    arrivals = follow().arrivals(1)
    assert setting.objects("a%20b+c", "two") == names(arrivals)
    assert [(each.delivery.size, each.delivery.read()) for each in arrivals] == [(3, b"123"), (3, b"123")]


def test_records_in_a_message_are_a_delivery_themselves(setting, follow):
    """EventBridge can send CloudTrail's events to a queue."""
    record = {"eventVersion": "1.08", "eventName": "GetObject", "eventSource": "s3.amazonaws.com"}
    event = {"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": record}
    setting.send(event)
    (arrival,) = follow().arrivals(1)
    assert event == json.loads(arrival.delivery.read())


def test_objects_of_other_buckets_are_not_read_if_buckets_are_named(setting, follow):
    """Whoever can write to the queue cannot send the reader elsewhere."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"), notice("somebody-elses", "y"))
    arrivals = follow(f"sqs://{setting.name}?bucket={setting.bucket}").arrivals(1)
    good = [arrival for arrival in arrivals if arrival.delivery.name.startswith("s3://")]
    (bad,) = [arrival.delivery for arrival in arrivals if arrival not in good]
    assert names(good) == setting.objects("x")
    assert bad.reason == "names an object of a bucket that is not to be read: somebody-elses"


def test_a_backlog_is_received_many_at_a_time(setting, follow, faults, memory):
    """Several requests in a row fill a batch, each message once; deletions are batched."""
    keys = [f"k{number:03}" for number in range(60)]
    setting.put(*keys)
    setting.send(*(notice(setting.bucket, key) for key in keys))
    source = follow()
    first = source.arrivals(1)
    assert len(first) == 60
    memory.commit(source, first)
    assert drain(source, memory) == []
    source.close()
    assert (sorted(memory.given), setting.left()) == (setting.objects(*keys), (0, 0))
    assert len(faults.sent("DeleteMessageBatch")) <= 7


@pytest.mark.parametrize(
    "word",
    [
        "sqs://{name}",
        "sqs://{url}",
        "sqs://{arn}",
        "sqs://{name}?region=us-east-1",
        "sqs://{url}?region=us-east-1",
    ],
)
def test_a_queue_is_named_in_several_ways(setting, follow, word):
    """By its name, its URL or its ARN."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    source = follow(word.format(name=setting.name, url=setting.url, arn=setting.arn))
    assert names(source.arrivals(1)) == setting.objects("x")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sqs://q", Queue("q", "", "", "", frozenset())),
        (
            "sqs://q.fifo?region=eu-west-1&bucket=b&bucket=c",
            Queue("q.fifo", "", "", "eu-west-1", frozenset("bc")),
        ),
        (
            "sqs://https://sqs.eu-west-1.amazonaws.com/123456789012/q",
            Queue("q", "https://sqs.eu-west-1.amazonaws.com/123456789012/q", "", "eu-west-1", frozenset()),
        ),
        (
            "sqs://https://sqs.eu-west-1.amazonaws.com/123456789012/q?region=us-east-1",
            Queue("q", "https://sqs.eu-west-1.amazonaws.com/123456789012/q", "", "us-east-1", frozenset()),
        ),
        (
            "sqs://arn:aws-cn:sqs:cn-north-1:123456789012:q",
            Queue("q", "", "123456789012", "cn-north-1", frozenset()),
        ),
    ],
)
def test_words_for_queues(word, expected):
    """The region comes from the word where it says one."""
    assert expected == queue(word)


@pytest.mark.parametrize(
    "word", ["sqs://", "sqs://a b", "sqs://a/b", "sqs://q?endpoint=x", "sqs://arn:aws:sns:x"]
)
def test_words_that_cannot_be_queues(word):
    """They are refused before anything is asked."""
    with pytest.raises(SourceError, match="sqs://"):
        queue(word)


def test_a_queue_that_does_not_exist_is_said_at_once(setting, follow):
    """Exit status 2, with the region that was asked."""
    del setting
    with pytest.raises(SourceError) as caught:
        follow("sqs://no-such-queue")
    assert caught.value.message == "sqs://no-such-queue: no such queue in us-east-1"


def test_without_credentials_it_is_said_at_once(follow, monkeypatch):
    """Exit status 4, with what to do."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(CannotDo, match=r"cannot receive from sqs://.*credentials"):
        follow()


def test_a_refusal_at_the_start_is_said_at_once(follow, faults):
    """A permission that is missing does not come by waiting."""
    faults.fail("ReceiveMessage", refusal("AccessDenied", 403))
    with pytest.raises(CannotDo, match=r"cannot receive from sqs://.*AccessDenied: because"):
        follow()


@pytest.mark.parametrize(
    "fault",
    [
        refusal("RequestThrottled"),
        refusal("InternalFailure", 500),
        refusal("AccessDenied", 403),
        Broken(served=False),
    ],
)
def test_trouble_is_told_once_and_tried_again(setting, follow, faults, told, fault):
    """Throttling, failures, a broken connection and a refusal later on: nothing is raised, nothing is lost."""
    source = follow()
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    faults.fail("ReceiveMessage", fault, fault)
    assert names(until(source, lambda found: found)) == setting.objects("x")
    assert len(told.all) == 1
    assert told.reasons[0].startswith("receiving failed, and is tried again: ")


def test_a_network_that_is_down_at_the_start_is_told(setting, follow, faults, told):
    """The queue is followed when it is there."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    faults.fail("GetQueueUrl", Broken(served=False))
    source = follow()
    assert len(told.all) == 1
    assert not source.drained
    assert names(until(source, lambda found: found)) == setting.objects("x")


def test_an_answer_that_is_lost_leaves_its_messages_to_come_again(setting, follow, faults):
    """SQS gave them out, nobody got them: they are visible again when their time has run out."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    source = follow(visibility=1)
    # The first request of all was that of the start, so the message is held; give it back and lose it on its way.
    source.close()
    faults.fail("ReceiveMessage", Broken(served=True))
    assert names(until(follow(visibility=1), lambda found: found)) == setting.objects("x")


def test_deletions_that_fail_are_tried_again(setting, follow, faults, memory, told):
    """As a whole, in part, and where the answer was lost."""
    keys = [f"k{number}" for number in range(4)]
    setting.put(*keys)
    setting.send(*(notice(setting.bucket, key) for key in keys))
    partly = {
        "Successful": [],
        "Failed": [{"Id": str(n), "Code": "InternalError", "SenderFault": False} for n in range(4)],
    }
    faults.fail(
        "DeleteMessageBatch",
        refusal("RequestThrottled"),
        refusal("x")._replace(status=200, body=json.dumps(partly).encode()),
        Broken(served=True),
    )
    source = follow()
    assert len(drain(source, memory)) == 4
    faults.wait_for("DeleteMessageBatch", 4)
    source.close()
    assert setting.left() == (0, 0)
    assert "deleting 4 messages failed, and is tried again: InternalError: None" in told.reasons


def test_s3_that_cannot_be_asked_makes_a_message_wait(setting, follow, faults, told, monkeypatch):
    """A notice without sizes is held until S3 answers, and then given."""
    monkeypatch.setattr(aws, "ATTEMPTS", 1)
    setting.put("x")
    setting.send({"s3Bucket": setting.bucket, "s3ObjectKey": ["x"]})
    faults.fail("HEAD", refusal("InternalError", 503), refusal("InternalError", 503))
    source = follow()
    arrivals = until(source, lambda found: found)
    assert setting.objects("x") == names(arrivals)
    assert arrivals[0].delivery.size == 7
    assert setting.left() == (0, 1)
    assert len(told.all) == 1


def test_a_slow_answer_does_not_keep_it_from_being_closed(setting, follow, faults):
    """What arrives after the end is given back at once."""
    source = follow()
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    slow = Slow(threading.Event())
    faults.fail("ReceiveMessage", slow)
    found = []
    thread = threading.Thread(target=lambda: found.extend(source.arrivals(1)))
    thread.start()
    faults.wait_for("ReceiveMessage", 2)
    source.close()
    slow.until.set()
    thread.join()
    assert found == []
    assert setting.left() == (1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_given_twice_whatever_fails(setting, follow, faults, monkeypatch, seed):
    """Watchers are killed at random between what they do, and a fifth of AWS's answers go wrong."""
    monkeypatch.setattr(live_held, "Backoff", Eager)
    monkeypatch.setattr("rolewatch.sources.live_queue.Backoff", Eager)
    chance = random.Random(seed)
    memory = Memory()
    keys = [f"k{number:03}" for number in range(80)]
    setting.put(*keys)
    setting.send(*(notice(setting.bucket, *keys[start : start + 4]) for start in range(0, 80, 4)))
    setting.send(*(notice(setting.bucket, key) for key in keys[::8]))
    wrong = [
        refusal("RequestThrottled"),
        refusal("InternalFailure", 500),
        Broken(served=True),
        Broken(served=False),
    ]
    faults.fault = lambda _: chance.choice(wrong) if chance.random() < 0.2 else None
    for _ in range(400):
        source = follow(memory=memory, visibility=1)
        for _ in range(chance.randrange(1, 4)):
            arrivals = source.arrivals(0)
            if chance.random() < 0.6:
                memory.commit(source, arrivals, acknowledge=chance.random() < 0.7)
        source.close()
        if setting.left() == (0, 0):
            break
    assert sorted(memory.given) == setting.objects(*keys)
    assert setting.left() == (0, 0)


class Eager(live_held.Backoff):
    """Pauses that take no time."""

    def pause(self):
        """Return none."""
        return 0.0
