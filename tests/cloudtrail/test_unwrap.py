"""One JSON value is recognised for what it is by its keys."""

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wrappings import compact

from rolewatch.cloudtrail.unwrap import MAX_DEPTH, Kind, classify, describe, members, nesting, repair, valid

KINDS = [
    ({"eventVersion": "1.08"}, Kind.RECORD),
    ({"eventName": "x", "Records": []}, Kind.RECORD),
    ({"eventID": "x", "detail": {}, "Message": "x"}, Kind.RECORD),
    ({"eventVersion": "1.07", "eventType": "AwsCloudTrailInsight"}, Kind.INSIGHT),
    ({"digestStartTime": "t", "logFiles": []}, Kind.DIGEST),
    ({"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}, Kind.NOTICE),
    ({"s3Bucket": "b", "s3ObjectKey": ["k"]}, Kind.NOTICE),
    ({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}, Kind.NOTICE),
    ({"messageType": "CONTROL_MESSAGE", "logEvents": []}, Kind.CONTROL),
    ({"Type": "UnsubscribeConfirmation", "Message": "m"}, Kind.CONTROL),
    ({"Event": "s3:TestEvent"}, Kind.CONTROL),
    ({"Records": []}, Kind.CONTAINER),
    ({"messageType": "DATA_MESSAGE", "logEvents": []}, Kind.CONTAINER),
    ({"Records": {}}, Kind.FOREIGN),
    ({"eventSource": "aws:sqs", "body": "{}"}, Kind.WRAPPED),
    ({"eventSource": "aws:dynamodb", "eventName": "INSERT"}, Kind.OTHER),
    ({"detail": 1}, Kind.FOREIGN),
    ({"data": "no base64!"}, Kind.FOREIGN),
    ({}, Kind.FOREIGN),
    (1, Kind.FOREIGN),
    ([], Kind.WRAPPED),
    ("x", Kind.WRAPPED),
]


@pytest.mark.parametrize(("value", "kind"), KINDS)
def test_kind(value, kind):
    """Keys tell what a value is, however they are escaped."""
    assert kind is classify(compact(value)).kind


def test_keys_are_recognised_however_they_are_written():
    """Escapes in keys and values hide nothing."""
    text = b'{"\\u0065ventVersion":"1","eventType":"AwsCloudTrail\\u0049nsight"}'
    assert classify(text).kind is Kind.INSIGHT


@pytest.mark.parametrize(
    "text", [b"", b"{", b'{"a":1,}', b'{"a":1}x', b"nul", b"01", b'{"a":NaN}', b'"\x01"', b'"\\x"', b"[1 2]"]
)
def test_broken(text):
    """What is no JSON value is broken, not an exception."""
    assert (classify(text).kind, valid(text)) == (Kind.BROKEN, False)


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 100_000])
def test_depth(depth):
    """Nesting beyond the limit is told before any decoder sees it."""
    text = b"[" * depth + b"]" * depth
    assert (depth > MAX_DEPTH) == (classify(text).kind is Kind.DEEP)


def test_nesting_counts_levels_and_not_brackets_in_strings():
    """Depth is counted where there are brackets enough to matter; brackets in strings are text."""
    texts = b'[[["a"]]]', b"[1]", b'["[[[["]'
    assert [nesting(text, 2) for text in texts] == [3, 0, 1]


INSIDE = b'{"eventName":"x"}'
WRAPPED = [
    {"CloudTrailEvent": INSIDE.decode()},
    {"detail": json.loads(INSIDE)},
    {"Sns": json.loads(INSIDE), "EventSource": "aws:sns"},
    {"Type": "Notification", "Message": INSIDE.decode()},
    {"Body": INSIDE.decode()},
    {"body": INSIDE.decode(), "eventSource": "aws:sqs"},
    {"message": INSIDE.decode(), "timestamp": 1},
    {"awslogs": {"data": base64.b64encode(INSIDE).decode()}},
    {"kinesis": {"data": base64.b64encode(INSIDE).decode()}, "eventSource": "aws:kinesis"},
    {"data": base64.b64encode(INSIDE).decode(), "recordId": "1"},
    {"Data": base64.b64encode(INSIDE).decode()},
    INSIDE.decode(),
]


@pytest.mark.parametrize(
    "value", WRAPPED, ids=lambda value: " ".join(value) if isinstance(value, dict) else "string"
)
def test_wrapped(value):
    """An envelope's content is what its string, object or base64 holds."""
    assert classify(compact(value)) == (Kind.WRAPPED, INSIDE)


def test_packed_gzip_is_left_to_be_inflated():
    """Base64 is undone here; gzip is left for a reader with limits."""
    packed = gzip.compress(INSIDE)
    assert packed == classify(compact({"data": base64.b64encode(packed).decode()})).content


@given(
    st.dictionaries(st.text(), st.recursive(st.integers() | st.text(), st.lists, max_leaves=5), max_size=5)
)
def test_members_are_raw_values_by_key(value):
    """Members are cut out as they stand."""
    assert value == {
        key: json.loads(raw) for key, raw in members(json.dumps(value, indent=1).encode()).items()
    }


def test_of_a_key_that_occurs_twice_the_last_counts():
    """As JSON decoders do, the last of two members with the same key wins, however it is written."""
    assert members(b'{"a":1,"\\u0061":2}') == {"a": b"2"}
    assert (
        Kind.INSIGHT
        is classify(b'{"eventVersion":"1","eventType":"x","eventType":"AwsCloudTrailInsight"}').kind
    )


def test_keys_that_no_strict_decoder_takes():
    """A lone surrogate in a key does not hide a record's other keys."""
    assert Kind.RECORD is classify(b'{"\\ud800":1,"eventName":"x"}').kind


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[1]", "a JSON array"),
        (b'"x"', "a JSON string"),
        (b"1", "a single JSON value"),
        (b"{}", "an empty JSON object"),
        (b'{"a":1}', 'a JSON object with the key "a"'),
        (b'{"a":1,"b\\n":2}', 'a JSON object with the keys "a", "b\\n"'),
        (b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}', 'a JSON object with the keys "a", "b", "c", "d", "e", …'),
        (b'{"' + b"k" * 100 + b'":1}', f'a JSON object with the key "{"k" * 40}"'),
        (b'{"\\ud800":1}', 'a JSON object with the key "\\ud800"'),
    ],
)
def test_describe(text, words):
    """Foreign JSON is described by its first keys, which cannot break a line or be endless."""
    assert words == describe(text)


@pytest.mark.parametrize(
    ("text", "repaired"), [(b"abc", b"abc"), ("é".encode(), "é".encode()), (b"a\xe9b", "a\ufffdb".encode())]
)
def test_repair(text, repaired):
    """Invalid UTF-8 becomes U+FFFD, everything else stays."""
    assert repaired == repair(text)
