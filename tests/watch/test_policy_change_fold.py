"""The fold that finds calls which change policies: by a search, and nothing that the slow way would find is missed."""

import gzip
import json

import pytest
from changing import put
from stories import call, content

from rolewatch.cloudtrail import gunzip
from rolewatch.explain.blame import changes_of, names_of_changes
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import BytesDelivery
from rolewatch.watch import policy_changes
from rolewatch.watch.intake import Beside, read
from rolewatch.watch.policy_changes import PARTS, Collector


def delivered(data, name="x", size=None):
    """Make a delivery of some bytes."""
    return BytesDelivery(
        name, name, named=True, size=len(data) if size is None else size, remote=False, content=data
    )


def found(*deliveries):
    """Collect the changes in deliveries, beside denials; gives also the detector."""
    collector = Collector(ScanRequest())
    detector = read(deliveries, ScanRequest(), [Beside(collector, lambda _: True)])
    return collector.summary.changes, detector


def slowly(*records):
    """Find the changes of records one by one."""
    return [change for record in records for change in changes_of(record)]


@pytest.mark.parametrize("name", names_of_changes())
def test_each_name_is_looked_for(name):
    """Every call of the catalogue holds a text that is searched for, however many there will be."""
    texts = [text for each in PARTS.wanted for text in (each if isinstance(each, tuple) else (each,))]
    assert any(text in f'"{name}"'.encode() for text in texts)
    match = policy_changes._named().search(f'"eventName" : "{name}"'.encode())
    assert match is not None
    for change in names_of_changes()[name] if match[1] else ():
        assert "olic" in change.when


RECORDS = [
    put(1),
    put(2, "c", errorCode="AccessDenied"),
    call(3),
    call(4, denied=True),
    put(5, "d") | {"eventName": "DeleteBucketPolicy", "requestParameters": {"bucketName": "d"}},
    put(6) | {"eventName": "CreateQueue", "eventSource": "sqs.amazonaws.com", "requestParameters": {"queueName": "q"}},
    put(7) | {"eventName": "CreateQueue", "eventSource": "sqs.amazonaws.com", "requestParameters": {"queueName": "q", "attributes": {"Policy": "{}"}}},
    put(8) | {"eventName": "AddPermission20150331v2", "eventSource": "lambda.amazonaws.com", "requestParameters": {"functionName": "f"}},
    put(9, userAgent='x \ud800 \\u0041 \\/ "eventName":"PutBucketPolicy"'),
    call(10, requestParameters={"bucketName": "e", "tags": [{"a": 1}, put(11, "no"), call(3)]}),
    call(12, requestParameters={"bucketName": "e", "eventName": "PutBucketPolicy"}),
]  # fmt: skip
SHAPES = {
    "as CloudTrail writes it": lambda records: json.dumps({"Records": records}, separators=(",", ":")).encode(),
    "pretty": lambda records: json.dumps({"Records": records}, indent=2).encode(),
    "a record a line": lambda records: "\n".join(json.dumps(record) for record in records).encode(),
    "escaped": lambda records: json.dumps({"Records": records}, separators=(",", ":")).replace(
        '"PutBucketPolicy"', '"Put\\u0042ucketPolicy"'
    ).encode(),
    "in UTF-8, with what is none": lambda records: json.dumps({"Records": records}, separators=(",", ":")).encode().replace(
        b"aws-cli/2", b"aws-cli/\xff"
    ),
}  # fmt: skip


@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_search_finds_what_the_slow_way_finds(shape, packed):
    """Whatever the shape of a delivery: the calls that succeeded and changed a policy, and no look-alike inside another record."""
    data = SHAPES[shape](RECORDS)
    changes, detector = found(delivered(gzip.compress(data) if packed else data))
    expected = slowly(*RECORDS)
    assert [each[:4] for each in changes] == [each[:4] for each in expected]
    assert len(expected) == 5
    assert len(detector.summary.denials) == 1


def test_a_search_does_not_decode_what_cannot_matter(monkeypatch):
    """Records of other calls, and of calls that set no policy, are left as they are."""
    decoded = []
    monkeypatch.setattr(
        policy_changes, "_decoded", lambda raw: decoded.append(json.loads(raw)["eventName"]) or {}
    )
    found(delivered(content(*RECORDS[:8])))
    assert sorted(decoded) == [
        "AddPermission20150331v2", "CreateQueue", "DeleteBucketPolicy", "PutBucketPolicy", "PutBucketPolicy",
    ]  # fmt: skip


def test_damage_takes_nothing_away():
    """What is whole of a delivery counts; the detector beside says what is wrong, once."""
    data = gzip.compress(b"\n".join(json.dumps(record).encode() for record in [put(1), call(2, denied=True)]))
    changes, detector = found(delivered(data[:-12]), delivered(content(put(3, "c")), "y"))
    assert [change.resource for change in changes] == ["arn:aws:s3:::b", "arn:aws:s3:::c"]
    assert [name for name, _ in detector.summary.unreadable] == ["x"]


def test_what_can_be_read_only_once():
    """Standard input is read once for all folds."""
    data = content(put(1), call(2, denied=True))
    changes, detector = found(delivered(data, size=-1))
    assert (len(changes), len(detector.summary.denials)) == (1, 1)


def test_a_delivery_is_inflated_once(monkeypatch):
    """However many folds look through it."""
    inflated = []
    whole = gunzip._inflate
    monkeypatch.setattr(gunzip, "_inflate", lambda data, limits: inflated.append(1) or whole(data, limits))
    found(delivered(content(put(1), call(2))), delivered(content(call(3)), "y"))
    assert len(inflated) == 2
