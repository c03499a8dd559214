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
        value(record.requestParameters),
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
    assert value(record.requestParameters) == {"n": float("inf")}


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'"x"', b"[" * 100_000, b'{"a":' * 100_000])
def test_no_record(raw):
    """What is not one JSON object is said to be none, without a crash."""
    with pytest.raises(Unparsable):
        decode(raw)
    with pytest.raises(Unparsable):
        decode_success(raw)
