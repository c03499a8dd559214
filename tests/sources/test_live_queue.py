"""A queue that is followed: notices become deliveries, and messages go when these are done."""

import json
import time
from collections import defaultdict
from datetime import UTC, datetime

import pytest
from queues import follow, notice, receipt_of, setting  # noqa: F401 - fixtures among them

from faults import refusal
from following import drain, names


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


def test_what_a_message_brings_arrived_when_it_was_written(setting, follow):
    """As S3's notice says, else as S3 says; what is in the message itself came with it."""
    setting.put("by-cloudtrail", "by-name")
    told = notice(setting.bucket, "by-s3")
    told["Records"][0]["eventTime"] = "2026-03-01T12:00:01.500Z"
    setting.send(told, notice(setting.bucket, "by-name"))
    setting.send({"s3Bucket": setting.bucket, "s3ObjectKey": ["by-cloudtrail"]})
    before = time.time()
    setting.send({"detail-type": "AWS API Call via CloudTrail", "detail": {"eventVersion": "1.08"}})
    after = time.time()
    told, unsaid, cloudtrail, enclosed = (arrival.delivery.arrived() for arrival in follow().arrivals(1))
    written = setting.s3.head_object(Bucket=setting.bucket, Key="by-cloudtrail")["LastModified"]
    assert datetime(2026, 3, 1, 12, 0, 1, 500_000, UTC).timestamp() == told
    assert written.timestamp() == cloudtrail
    assert before - 0.01 <= enclosed <= after
    assert before - 60 <= unsaid <= enclosed


def test_a_notice_of_s3_says_when_its_object_was_written(setting, follow):
    """Neither before it was, nor when the message is received."""
    setting.notify()
    before = time.time()
    setting.put("x")
    after = time.time()
    (arrival,) = follow().arrivals(1)
    assert before - 0.01 <= arrival.delivery.arrived() <= after


def test_objects_of_other_buckets_are_not_read_if_buckets_are_named(setting, follow):
    """Whoever can write to the queue cannot send the reader elsewhere."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"), notice("somebody-elses", "y"))
    arrivals = follow(f"sqs://{setting.name}?bucket={setting.bucket}").arrivals(1)
    good = [arrival for arrival in arrivals if arrival.delivery.name.startswith("s3://")]
    (bad,) = [arrival.delivery for arrival in arrivals if arrival not in good]
    assert names(good) == setting.objects("x")
    assert bad.reason == "names an object of a bucket that is not to be read: somebody-elses"
