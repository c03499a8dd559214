import gzip
import json
from base64 import b64encode
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.sources.notices import Enclosed, Noticed, Refused, decode

RECORD = {"eventVersion": "1.08", "eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventID": "e"}


def s3_record(key="AWSLogs/x.json.gz", bucket="trail", event="ObjectCreated:Put", **about):
    """Spell a record of an S3 event notice."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventName": event,
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key), **about}},
    }


def sns(message):
    """Put a message into SNS's envelope."""
    return {"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:x", "Message": message}


def eventbridge(kind="Object Created", **about):
    """Spell S3's event as EventBridge sends it."""
    return {
        "version": "0",
        "id": "i",
        "detail-type": kind,
        "source": "aws.s3",
        "region": "eu-west-1",
        "detail": {"bucket": {"name": "trail"}, "object": {"key": "a b+c%20.gz", **about}},
    }


def read(value):
    """Decode a value's JSON."""
    return decode(json.dumps(value))


def test_an_s3_event_says_all_about_an_object():
    """The key is decoded, the ETag spelled as a listing does."""
    about = {"size": 12, "eTag": "abc", "versionId": "v1", "sequencer": "0"}
    assert read({"Records": [s3_record("a b+ü/%41", **about)]}) == [
        Noticed("trail", "a b+ü/%41", 12, '"abc"', "v1", "eu-west-1")
    ]


def test_several_records_give_several_objects_and_deletions_none():
    """Only ObjectCreated counts, of any kind."""
    records = [
        s3_record("a"),
        s3_record("b", event="ObjectRemoved:Delete"),
        s3_record("c", event="ObjectCreated:CompleteMultipartUpload"),
        s3_record("d", event="s3:ObjectCreated:Copy"),
    ]
    assert [item.key for item in read({"Records": records})] == ["a", "c", "d"]


@pytest.mark.parametrize(
    "message",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "trail"},
        sns(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})),
        {"Records": [s3_record(event="ObjectRemoved:Delete")]},
        eventbridge("Object Deleted"),
        {"messageType": "CONTROL_MESSAGE", "logEvents": []},
    ],
)
def test_nothing_comes_of_what_needs_no_work(message):
    """Test messages, deletions and probes are none of our business."""
    assert read(message) == []


@pytest.mark.parametrize("wrap", [lambda body: body, sns, lambda body: sns(json.dumps(sns(body)))])
@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"Records": [s3_record("k", size=1, eTag="e")]}),
        json.dumps({"s3Bucket": "trail", "s3ObjectKey": ["k"]}),
        json.dumps({"s3Bucket": "trail", "s3ObjectKey": "k"}),
    ],
)
def test_envelopes_of_sns_are_opened(wrap, body):
    """However often a topic sends to a topic; raw messages have none."""
    wrapped = wrap(body)
    (item,) = decode(wrapped if isinstance(wrapped, str) else json.dumps(wrapped))
    assert (item.bucket, item.key) == ("trail", "k")


def test_cloudtrails_notices_name_several_keys():
    """They are not encoded, and tell nothing else."""
    assert read({"s3Bucket": "trail", "s3ObjectKey": ["a%20b", "c+d"]}) == [
        Noticed("trail", "a%20b"),
        Noticed("trail", "c+d"),
    ]


def test_eventbridge_does_not_encode_keys():
    """Its spelling of the fields is its own."""
    assert read(eventbridge(size=3, etag="abc", **{"version-id": "v"})) == [
        Noticed("trail", "a b+c%20.gz", 3, '"abc"', "v", "eu-west-1")
    ]


@pytest.mark.parametrize(
    "message",
    [
        RECORD,
        {"Records": [RECORD]},
        {"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": RECORD},
        [RECORD],
        {"awslogs": {"data": b64encode(gzip.compress(b"{}")).decode()}},
        {"logEvents": [{"id": "1", "message": json.dumps(RECORD)}]},
    ],
)
def test_records_themselves_are_kept_as_they_came(message):
    """The reader opens the envelopes again."""
    raw = json.dumps(message).encode()
    assert decode(raw) == [Enclosed(raw)]


def test_records_in_an_envelope_of_sns_are_kept_without_it():
    """EventBridge may send to a topic."""
    event = json.dumps({"detail": RECORD})
    assert read(sns(event)) == [Enclosed(event.encode())]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "no JSON: "),
        ("hello \x1b[2J", r"no JSON: hello \x1b[2J"),
        ('{"a": 1', 'no JSON: {"a": 1'),
        ("[]", "neither a notice nor records: a single JSON value"),
        ('{"a": 1, "b": 2}', 'neither a notice nor records: a JSON object with the keys "a", "b"'),
        ('{"Message": "hello"}', "an envelope without JSON in it"),
        ("[" * 300 + "]" * 300, "nested too deep"),
        ('{"Type": [], "Message": {}}', "neither a notice nor records: an empty JSON object"),
        (json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]}), "an S3 event that names no object"),
        (json.dumps({"Records": [s3_record(), 7]}), "a record among S3's that is none of them"),
        (json.dumps({"Records": [s3_record(bucket="evil.com/x?")]}), "names a bucket that there cannot be: evil.com/x?"),
        (json.dumps({"Records": [s3_record(key="")]}), "names a key that there cannot be: "),
        (json.dumps({"s3Bucket": "trail", "s3ObjectKey": ["k" * 1025]}), "names a key that there cannot be: " + "k" * 79 + "…"),
        (json.dumps({"s3Bucket": 7, "s3ObjectKey": ["k"]}), "names a bucket that there cannot be: 7"),
        (json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": []}), "an S3 event that names no object"),
        (
            json.dumps({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {"state": "x"}}),
            'neither a notice nor records: a JSON object with the key "state"',
        ),
        (
            json.dumps({"Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:x", "SubscribeURL": "https://evil"}),
            "SNS asks to confirm that arn:aws:sns:x may send here: confirm it in the console if it may",
        ),
    ],
)  # fmt: skip
def test_what_means_nothing_says_why_and_keeps_the_message(message, reason):
    """The reason is safe to print."""
    refused = [item for item in decode(message) if isinstance(item, Refused)]
    assert refused == [Refused(reason, message.encode())]


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("size", -1, -1),
        ("size", True, -1),
        ("size", "7", -1),
        ("eTag", 'a"\r\nX: y', ""),
        ("eTag", '"a-1"', '"a-1"'),
        ("versionId", "null", ""),
        ("versionId", "a\nb", ""),
        ("versionId", ["v"], ""),
    ],
)
def test_fields_that_cannot_be_true_are_left_out(field, value, kept):
    """They go into requests, and are written by whoever can send."""
    (item,) = read({"Records": [s3_record(**{field: value})]})
    assert {"size": item.size, "eTag": item.etag, "versionId": item.version}[field] == kept


def test_a_region_that_is_none_is_left_out():
    """It becomes part of a host's name."""
    (item,) = read({"Records": [s3_record() | {"awsRegion": "evil.com/#"}]})
    assert item.region == ""


@pytest.mark.parametrize(
    ("time", "expected"), [("1970-01-01T00:00:01.500Z", 1.5), ("1970-01-01", None), ("soon", None), (7, None)]
)
def test_the_time_at_which_an_object_was_written_is_kept(time, expected):
    """S3's own notices and EventBridge's spell it under different names."""
    (noticed,) = read({"Records": [s3_record() | {"eventTime": time}]})
    (event,) = read(eventbridge() | {"time": time})
    assert (noticed.at, event.at) == (expected, expected)


KEYS = [
    "Records",
    "s3",
    "bucket",
    "object",
    "key",
    "name",
    "eventSource",
    "eventName",
    "Type",
    "Message",
    "awslogs",
    "eventTime",
    "time",
]
KEYS += ["TopicArn", "s3Bucket", "s3ObjectKey", "source", "detail-type", "detail", "Event", "data"]
WORDS = ["aws:s3", "ObjectCreated:Put", "Notification", "aws.s3", "Object Created", "{}", "[]", '"{}"']
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner | st.sampled_from(WORDS), max_size=5)
    ),
    max_leaves=12,
)


@settings(max_examples=500)
@given(JSON)
def test_no_message_is_an_exception(value):
    """Every message comes to objects, records or a reason."""
    for item in read(value):
        assert isinstance(item, Noticed | Enclosed | Refused)


@given(st.binary(max_size=60))
def test_no_bytes_are_an_exception(raw):
    """Not even those that are no text."""
    for item in decode(raw):
        assert isinstance(item, Noticed | Enclosed | Refused)
