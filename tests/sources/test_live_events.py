import base64
import gzip
import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from following import ids
from rolewatch.sources.delivery import RefusedDelivery
from rolewatch.sources.events import deliveries_of_event
from rolewatch.sources.live_logs import mark_of
from rolewatch.sources.locators import delivery_of, locator
from rolewatch.sources.s3_objects import Objects

RECORD = {"eventVersion": "1.08", "eventID": "id-1", "eventName": "GetObject"}


def packed(value):
    """Pack as a subscription of CloudWatch Logs does."""
    return base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()


def subscription(*ids, kind="DATA_MESSAGE"):
    """Spell what a subscription sends."""
    events = [{"id": each, "timestamp": 1, "message": json.dumps(RECORD | {"eventID": each})} for each in ids]
    return {"messageType": kind, "owner": "1", "logGroup": "trail", "logStream": "s", "logEvents": events}


def s3_event(bucket, *keys):
    """Spell S3's event."""
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "awsRegion": "us-east-1",
                "eventName": "ObjectCreated:Put",
                "s3": {
                    "bucket": {"name": bucket},
                    "object": {"key": quote_plus(key), "size": 7, "eTag": "e"},
                },
            }
            for key in keys
        ]
    }


def sqs(*bodies):
    """Spell a batch of messages, m0, m1 and so on."""
    return {
        "Records": [
            {"eventSource": "aws:sqs", "messageId": f"m{number}", "body": body}
            for number, body in enumerate(bodies)
        ]
    }


def test_a_subscription_of_cloudwatch_logs():
    """One delivery with a mark for each event, the same as if the group was followed."""
    (arrival,) = deliveries_of_event({"awslogs": {"data": packed(subscription("a", "b"))}})
    assert ids([arrival]) == ["a", "b"]
    assert (arrival.marks, arrival.ticket) == ((mark_of("trail", "a"), mark_of("trail", "b")), None)


def test_a_probe_of_a_subscription_is_nothing():
    """It only checks that the delivery works."""
    data = packed(subscription("a", kind="CONTROL_MESSAGE"))
    assert deliveries_of_event({"awslogs": {"data": data}}) == []


@pytest.mark.parametrize(
    "data",
    ["!", "", None, 7, base64.b64encode(b"x").decode(), packed({"messageType": "DATA_MESSAGE"}), packed([])],
    ids=["no base64", "empty", "null", "a number", "no gzip", "no owner and no events", "a list"],
)
def test_a_subscription_that_is_none_is_refused(data):
    """It is listed with a reason, and not tried for ever."""
    (arrival,) = deliveries_of_event({"awslogs": {"data": data}})
    with pytest.raises(OSError, match="no log events of a subscription"):
        arrival.delivery.read()


def test_a_bomb_in_a_subscription_is_refused():
    """Lambda's events are small, what they inflate to need not be."""
    bomb = base64.b64encode(gzip.compress(bytes(300 * 1024**2), 9)).decode()
    (arrival,) = deliveries_of_event({"awslogs": {"data": bomb}})
    assert isinstance(arrival.delivery, RefusedDelivery)


def test_s3s_own_event(bucket):
    """An object each, with its identity as mark."""
    bucket.put("a b.json", "c.json", body=json.dumps({"Records": [RECORD]}).encode())
    arrivals = deliveries_of_event(s3_event(bucket.name, "a b.json", "c.json"))
    assert [f"s3://{bucket.name}/a b.json", f"s3://{bucket.name}/c.json"] == [
        each.delivery.name for each in arrivals
    ]
    assert [(each.delivery.identity,) for each in arrivals] == [each.marks for each in arrivals]
    assert ids(arrivals) == ["id-1", "id-1"]


def test_a_batch_of_sqs_has_tickets_by_message(bucket):
    """So that a partial batch response can name those that failed."""
    bucket.put("one", "two", "three")
    event = sqs(
        json.dumps(s3_event(bucket.name, "one", "two")),
        "hello",
        json.dumps({"Event": "s3:TestEvent"}),
        json.dumps(
            {
                "Type": "Notification",
                "Message": json.dumps({"s3Bucket": bucket.name, "s3ObjectKey": ["three"]}),
            }
        ),
        json.dumps({"detail-type": "AWS API Call via CloudTrail", "detail": RECORD}),
    )
    arrivals = deliveries_of_event(event)
    assert [each.ticket for each in arrivals] == ["m0", "m0", "m1", "m3", "m4"]
    assert [each.delivery.size for each in arrivals[:4]] == [7, 7, 5, 7]
    assert ids(arrivals[4:]) == ["id-1"]


def test_a_message_of_sns(bucket):
    """SNS calls a function itself."""
    message = json.dumps(s3_event(bucket.name, "one"))
    event = {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "x", "Message": message}}]}
    (arrival,) = deliveries_of_event(event)
    assert (f"s3://{bucket.name}/one", None) == (arrival.delivery.name, arrival.ticket)


def test_events_of_eventbridge(bucket):
    """S3's name an object, CloudTrail's hold the record; the latter's mark is the event's id."""
    created = {
        "id": "e1",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "region": "us-east-1",
        "detail": {"bucket": {"name": bucket.name}, "object": {"key": "a+b", "size": 1, "etag": "e"}},
    }
    (arrival,) = deliveries_of_event(created)
    assert f"s3://{bucket.name}/a+b" == arrival.delivery.name
    called = {"id": "e2", "source": "aws.s3", "detail-type": "AWS API Call via CloudTrail", "detail": RECORD}
    (arrival,) = deliveries_of_event(called)
    assert (ids([arrival]), arrival.marks) == (["id-1"], ("message/e2#0",))


def test_a_batch_of_kinesis_holds_subscriptions():
    """CloudWatch Logs can send to a stream; the sequence number is the ticket."""
    event = {
        "Records": [
            {
                "eventSource": "aws:kinesis",
                "kinesis": {"sequenceNumber": f"n{n}", "data": packed(subscription(f"i{n}"))},
            }
            for n in range(2)
        ]
    }
    arrivals = deliveries_of_event(event)
    assert ([each.ticket for each in arrivals], ids(arrivals)) == (["n0", "n1"], ["i0", "i1"])


def spoken(record, **fields):
    """Put fields beside what a record of a batch says."""
    return {"Records": [record | fields]}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"awslogs": {"data": packed(subscription("a"))}}, None),
        ({"id": "e", "time": "1970-01-01T00:00:07Z", "detail-type": "AWS API Call via CloudTrail", "detail": RECORD}, 7),
        ({"id": "e", "time": "soon", "detail-type": "AWS API Call via CloudTrail", "detail": RECORD}, None),
        (spoken(sqs("hello")["Records"][0], attributes={"SentTimestamp": "7500"}), None),
        (spoken(sqs(json.dumps(RECORD))["Records"][0], attributes={"SentTimestamp": "7500"}), 7.5),
        (spoken(sqs(json.dumps(RECORD))["Records"][0], attributes="x"), None),
        (sqs(json.dumps(RECORD)), None),
        (
            spoken(
                {"EventSource": "aws:sns"},
                Sns={"MessageId": "x", "Message": json.dumps(RECORD), "Timestamp": "1970-01-01T00:00:07.500Z"},
            ),
            7.5,
        ),
        (
            spoken(
                {"eventSource": "aws:kinesis"},
                kinesis={"sequenceNumber": "n", "data": packed(subscription("a")), "approximateArrivalTimestamp": 7.5},
            ),
            7.5,
        ),
        (
            spoken(
                {"eventSource": "aws:kinesis"},
                kinesis={"sequenceNumber": "n", "data": packed(subscription("a")), "approximateArrivalTimestamp": "x"},
            ),
            None,
        ),
    ],
)  # fmt: skip
def test_what_an_event_holds_arrived_when_it_says(event, expected):
    """Each service has its own way of saying it; CloudWatch Logs has none, nor what is refused."""
    (arrival,) = deliveries_of_event(event)
    assert expected == arrival.delivery.arrived()


def test_an_object_of_an_event_arrived_when_it_was_written(bucket):
    """As S3's event says."""
    event = s3_event(bucket.name, "x")
    event["Records"][0]["eventTime"] = "1970-01-01T00:00:07.500Z"
    (arrival,) = deliveries_of_event(event)
    assert arrival.delivery.arrived() == 7.5


def test_a_list_of_anything_is_left_to_the_reader():
    """It is named, so that it counts as unreadable if it holds no records."""
    (arrival,) = deliveries_of_event({"Records": [7]})
    assert (arrival.delivery.read(), arrival.delivery.named) == (b'{"Records": [7]}', True)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"a": 1},
        [],
        None,
        "x",
        sqs(None),
        {"Records": [{"eventSource": "aws:sqs"}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": None}]},
        {"Records": [{"eventSource": "aws:kinesis", "kinesis": {}}]},
        {"awslogs": {}},
    ],
)
def test_what_means_nothing_is_refused(event):
    """It comes as a delivery that cannot be read, and can be looked at later."""
    (arrival,) = deliveries_of_event(event)
    assert isinstance(delivery_of(locator(arrival.delivery)), RefusedDelivery)


class Nowhere(Objects):
    """Objects that nobody asks S3 about."""

    def deliveries(self, noticed):
        """Give each as something else."""
        return [
            RefusedDelivery(each.key, each.key, named=True, size=0, remote=True, reason="", content=b"")
            for each in noticed
        ]


KEYS = [
    "Records",
    "eventSource",
    "EventSource",
    "Sns",
    "Message",
    "MessageId",
    "messageId",
    "body",
    "kinesis",
    "data",
]
KEYS += [
    "sequenceNumber",
    "awslogs",
    "s3",
    "bucket",
    "object",
    "key",
    "name",
    "eventName",
    "id",
    "detail",
    "source",
    "time",
    "attributes",
    "SentTimestamp",
    "Timestamp",
    "approximateArrivalTimestamp",
]
WORDS = [
    "aws:s3",
    "aws:sqs",
    "aws:sns",
    "aws:kinesis",
    "ObjectCreated:Put",
    "aws.s3",
    "{}",
    packed(subscription("a")),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=500)
@given(JSON)
def test_no_event_is_an_exception(event):
    """Each comes to deliveries, with an identity each."""
    for arrival in deliveries_of_event(event, objects=Nowhere()):
        assert arrival.marks
