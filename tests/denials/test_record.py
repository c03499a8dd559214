"""Decoding takes what is as documented and lets nothing else hide a denial."""

import json

import pytest

from rolewatch.denials.record import Unparsable, decode, decode_success, value


def test_plain():
    """An ordinary record decodes field by field."""
    record = decode(
        b'{"eventName":"GetBucketAcl","userIdentity":{"sessionContext":{"sessionIssuer":{"arn":"a"}}},"requestParameters":{"x":[1]}}'
    )
    assert (
        record.eventName,
        record.userIdentity.sessionContext.sessionIssuer.arn,
        value(bytes(record.requestParameters)),
    ) == ("GetBucketAcl", "a", {"x": [1]})


WRONG = [
    ({"eventName": 7, "errorCode": "AccessDenied"}, (None, "AccessDenied")),
    ({"eventName": "X", "errorCode": ["AccessDenied"]}, ("X", None)),
    ({"eventName": "X", "userIdentity": "nobody"}, ("X", None)),
    ({"eventName": "X", "userIdentity": {"sessionContext": 3}, "addendum": []}, ("X", None)),
]


@pytest.mark.parametrize(("item", "expected"), WRONG)
def test_wrong_types(item, expected):
    """A value of the wrong type becomes None, and the rest of the record is kept."""
    record = decode(json.dumps(item).encode())
    assert expected == (record.eventName, record.errorCode)


def test_lone_surrogate():
    """A lone surrogate, which is no text, becomes a question mark."""
    assert decode(b'{"eventName":"a\\ud800b"}').eventName == "a?b"


def test_invalid_utf8():
    """Invalid UTF-8 becomes U+FFFD."""
    assert decode(b'{"eventName":"a\xffb","errorCode":1}').eventName == "a\N{REPLACEMENT CHARACTER}b"


def test_gigantic_numbers():
    """A number of ten thousand digits stops nothing."""
    record = decode(
        b'{"eventName":"X","eventTime":'
        + b"9" * 10_000
        + b',"requestParameters":{"n":'
        + b"9" * 10_000
        + b"}}"
    )
    assert record.eventName == "X"
    assert value(bytes(record.requestParameters)) == {"n": float("inf")}


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'"x"', b"[" * 100_000, b'{"a":' * 100_000])
def test_no_record(raw):
    """What is not one JSON object is said to be none, without a crash."""
    with pytest.raises(Unparsable):
        decode(raw)
    with pytest.raises(Unparsable):
        decode_success(raw)


def test_success_has_fewer_fields():
    """Of a success only what proves an access is decoded, and a record with a wrong type gives the same."""
    text = b'{"eventName":"HeadBucket","errorMessage":"no","resources":[{"ARN":"a","accountId":"1"}]%b}'
    for more in (b"", b',"eventTime":7'):
        success = decode_success(text % more)
        assert (success.eventName, success.resources, success.errorCode) == (
            "HeadBucket",
            [{"ARN": "a", "accountId": "1"} | ({"type": None} if more else {})],
            None,
        )


RESOURCES = [
    ([{"ARN": 7, "type": "t"}], [{"ARN": None, "accountId": None, "type": "t"}]),
    ([{"ARN": "a"}, "b", None, 3], [{"ARN": "a", "accountId": None, "type": None}]),
    ({"ARN": "a"}, []),
    ("a", []),
]


@pytest.mark.parametrize(("listed", "expected"), RESOURCES)
def test_odd_resources(listed, expected):
    """Of a list of resources what is none is left out."""
    assert expected == decode(json.dumps({"resources": listed}).encode()).resources


def test_repeated_keys():
    """Of a key that comes twice the last value counts, in both ways of decoding."""
    for more in (b"", b',"eventTime":7'):
        assert decode(b'{"errorCode":"AccessDenied","errorCode":"SlowDown"%b}' % more).errorCode == "SlowDown"


ADDENDA = [
    ({"originalEventID": "x"}, "x"),
    ({"originalEventID": 7, "reason": []}, None),
    ({}, None),
]


@pytest.mark.parametrize(("addendum", "original"), ADDENDA)
def test_addendum(addendum, original):
    """What a record updates is read, if it is a text."""
    assert original == decode(json.dumps({"addendum": addendum}).encode()).addendum.originalEventID


VALUES = [
    (b"null", None),
    (b"", None),
    (b'{"a":[1,2.5,true,"x"]}', {"a": [1, 2.5, True, "x"]}),
    (b'"a\\ud800"', "a\ud800"),
    (b"[" * 100_000, None),
    (b'{"a":', None),
    (b'"\xff"', "\N{REPLACEMENT CHARACTER}"),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_value(text, expected):
    """A value of free shape is decoded as far as that goes; what cannot be is None."""
    assert expected == value(text)


def test_values_in_a_loose_record():
    """Request and response keep their values when the record around them is decoded the long way."""
    record = decode(b'{"eventTime":7,"requestParameters":{"bucketName":"b"},"responseElements":null}')
    assert (value(bytes(record.requestParameters)), value(bytes(record.responseElements))) == (
        {"bucketName": "b"},
        None,
    )
