"""One delivery at a time: what is counted, what is left out, and what is said of a delivery that is not whole."""

import gzip
import json
import tempfile
from io import BytesIO

import pytest
from loads import DENIED, USER, content, delivery, record, stepped

from rolewatch.base.errors import CannotDo
from rolewatch.cloudtrail.read import Listed
from rolewatch.scan.detect import Detector
from rolewatch.scan.examine import Collected, Examiner
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.step import AT_ONCE
from rolewatch.scan.summary import Summary
from rolewatch.sources import BytesDelivery, Delivery

ONE = content(record(**DENIED))
TWO = content(record(number=1, **DENIED), record(number=2, **DENIED))
PACKED = gzip.compress(TWO)
BUCKET = "arn:aws:s3:::b"


def told(stepper):
    """Return the totals that matter here, and what is said of deliveries."""
    totals = stepper.summary.totals()
    numbers = tuple(totals[name] for name in ("deliveries", "records", "denials", "damaged"))
    return numbers, stepper.summary.skipped, stepper.summary.unreadable


WHOLE = {
    "as CloudTrail writes": TWO,
    "gzip": PACKED,
    "two members": gzip.compress(TWO[:500]) + gzip.compress(TWO[500:]),
    "gzip of gzip": gzip.compress(PACKED),
    "pretty-printed": content(record(number=1, **DENIED), record(number=2, **DENIED), indent=1),
    "lines": b"\n".join(json.dumps(record(number=n, **DENIED)).encode() for n in (1, 2)),
    "escaped": TWO.replace(b"/", b"\\/").replace(b"AccessDenied", b"\\u0041ccessDenied"),
    "UTF-16": TWO.decode().encode("utf-16"),
    "a line end": TWO + b"\n",
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_whole(data):
    """A delivery in any shape gives its records, and nothing is said of it."""
    assert told(stepped(data)) == ((1, 2, 2, 0), [], [])


def test_no_records():
    """An empty list of records is read, and is no error."""
    assert told(stepped(b'{"Records":[]}')) == ((1, 0, 0, 0), [], [])


DAMAGED = [
    ("cut gzip", PACKED[:-30], (0, 0, 0), "ends early"),
    ("cut behind the first record", content(record(number=1, **DENIED))[:-2] + b',{"eventVer', (1, 1, 1), ""),
    ("garbage behind gzip", PACKED + b"garbage", (2, 2, 1), "bytes after the gzip data"),
    ("no gzip behind its header", PACKED[:20] + b"\xff" * 60 + PACKED[80:], (0, 0, 0), "gzip data is broken"),
    ("a broken record", TWO.replace(b'"Access Denied"},{', b'"Access Denied"}x{'), None, ""),
    ("empty", b"", (0, 0, 0), "empty"),
    ("empty gzip", gzip.compress(b""), (0, 0, 0), "empty"),
    ("beyond the limit", gzip.compress(content(*(record(number=n) for n in range(50)))), (0, 0, 0), "larger than 1,000 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "numbers", "reason"), [row[1:] for row in DAMAGED], ids=[row[0] for row in DAMAGED]
)
def test_damage(data, numbers, reason):
    """What is whole before the damage counts, and the delivery is named with what is wrong with it."""
    stepper = stepped(data, gunzip_limit=1000 if "1,000" in reason else 10**9)
    found, skipped, unreadable = told(stepper)
    assert skipped == []
    assert [name for name, _ in unreadable] == ["x.json"]
    assert reason in unreadable[0][1]
    if numbers is not None:
        assert found == (1, *numbers)
    assert stepper.summary.counts["damaged"] == bool(stepper.summary.counts["records"])


DIGEST = json.dumps({"digestStartTime": "2026-03-01T00:00:00Z", "digestEndTime": "2026-03-01T01:00:00Z", "logFiles": []}).encode()  # fmt: skip
INSIGHTS = content({"eventType": "AwsCloudTrailInsight", "eventVersion": "1.07", "insightDetails": {}})
SKIPS = [
    ("a digest", DIGEST, "d.json.gz", "skipped", "skipped"),
    ("Insights", INSIGHTS, "i.json", "skipped", "skipped"),
    ("a README", b"Logs of the audit account.\n", "README.txt", "skipped", "unreadable"),
    ("a licence", b"Apache License\n", "LICENSE", "skipped", "unreadable"),
    ("a page", b"<html>", "index.html", "skipped", "unreadable"),
    ("other JSON", b'{"name":"x"}', "package.json", "skipped", "unreadable"),
    ("text that is called JSON", b"hello", "x.json", "unreadable", "unreadable"),
    ("binary that is called JSON", b"\x00\x01garbage", "x.json.gz", "unreadable", "unreadable"),
    ("a Parquet file", b"PAR1....", "x.parquet", "skipped", "unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "name", "walked", "asked"), [row[1:] for row in SKIPS], ids=[row[0] for row in SKIPS]
)
def test_skips(data, name, walked, asked):
    """A file without records is skipped on a walk unless its name promised some; one that was named is an error."""
    for named, where in ((False, walked), (True, asked)):
        summary = stepped(delivery(data, name, named=named)).summary
        lists = {"skipped": summary.skipped, "unreadable": summary.unreadable}
        (said,) = lists.pop(where)
        assert said[0] == name
        assert said[1]
        assert list(lists.values()) == [[]]
        assert (summary.counts["records"], summary.counts["damaged"]) == (0, 0)


class Unreadable(Delivery, frozen=True):
    """A delivery that cannot be opened."""

    error: Exception

    def open(self):
        """Fail."""
        raise self.error


ERRORS = [
    (PermissionError(13, "Permission denied"), "Permission denied"),
    (OSError("bad sector"), "bad sector"),
    (OSError(), "OSError"),
    (CannotDo("no such object", remedy="look elsewhere"), "no such object (look elsewhere)"),
]


@pytest.mark.parametrize(("error", "reason"), ERRORS)
@pytest.mark.parametrize("size", [-1, 10, AT_ONCE + 1])
def test_unreadable(error, reason, size):
    """A delivery that cannot be opened is named, and stops nothing."""
    stepper = Detector(ScanRequest())
    stepper.step(Unreadable(name="x", identity="x", named=True, size=size, remote=False, error=error))
    stepper.step(delivery(ONE))
    assert told(stepper) == ((2, 1, 1, 0), [], [("x", reason)])


def test_fetched_before():
    """Content or the error of fetching it can be handed in."""
    stepper = Detector(ScanRequest())
    remote = Unreadable(
        name="x", identity="x", named=True, size=9, remote=True, error=OSError("not to be opened")
    )
    stepper.step(remote, PACKED)
    stepper.step(remote, CannotDo("throttled"))
    assert told(stepper) == ((2, 2, 2, 0), [], [("x", "throttled")])
    assert stepper.summary.counts["bytes_compressed"] == len(PACKED)


class Once(BytesDelivery, frozen=True):
    """A stream that can be opened once, as standard input; it breaks off after `whole` bytes, if that is set."""

    whole: int = 0
    opened: list[int] = []  # noqa: RUF012 - msgspec copies a mutable default

    def open(self):
        """Open it, once."""
        assert self.opened == []
        self.opened.append(1)
        stream = BytesIO(self.content)
        return Breaking(stream, self.whole) if self.whole else stream


class Breaking:
    """A stream that fails after some bytes."""

    def __init__(self, stream, whole):
        self._stream, self._left = stream, whole

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def read(self, size):
        """Read on, or fail."""
        if self._left <= 0:
            raise OSError(5, "Input/output error")
        self._left -= size
        return self._stream.read(size)


def once(data, **fields):
    """Make a delivery of unknown size."""
    return Once(name="-", identity="-", named=True, size=-1, remote=False, content=data, **fields)


@pytest.fixture(scope="module")
def large():
    """Make more content than is read at once: many records, the first of them a denial."""
    records = [record(number=0, **DENIED), *(record(number=n, userAgent="x" * 900) for n in range(1, 8000))]
    data = content(*records)
    assert len(data) > AT_ONCE
    return data


@pytest.mark.parametrize("spaced", [False, True], ids=["fast", "exact"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_large_stream(large, spaced, packed, tmp_path, monkeypatch):
    """A stream larger than what is held in memory is read through a temporary file, which is gone afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = large.replace(b'","', b'", "', 1) if spaced else large
    data = gzip.compress(data, 1) if packed else data
    stepper = stepped(once(data))
    assert told(stepper) == ((1, 8000, 1, 0), [], [])
    assert stepper.summary.counts["bytes_compressed"] == len(data)
    assert list(tmp_path.iterdir()) == []


def test_a_large_stream_that_turns_out_inexact(large):
    """A stream of which a late record leaves the fast path is read again from its start, and nothing counts twice."""
    late = dict(reversed(record(number=8000, **DENIED).items()))
    odd = large[:-2] + b"," + json.dumps(late).encode() + b"]}"
    assert told(stepped(once(odd))) == ((1, 8001, 2, 0), [], [])


def test_a_stream_that_breaks_off(large):
    """A stream that fails while it is read is named; nothing of it counts, since nobody knows what is missing."""
    assert told(stepped(once(large, whole=AT_ONCE))) == ((1, 0, 0, 0), [], [("-", "Input/output error")])


def test_a_small_stream():
    """A small stream is held in memory."""
    stepper = stepped(once(PACKED))
    assert told(stepper) == ((1, 2, 2, 0), [], [])
    assert (stepper.summary.counts["bytes"], stepper.summary.counts["bytes_compressed"]) == (
        len(TWO),
        len(PACKED),
    )


def test_a_large_file(large):
    """A delivery too large to be read at once is streamed, to the same result."""
    assert told(stepped(delivery(large))) == ((1, 8000, 1, 0), [], [])


def test_a_look_alike_counts_nothing_twice():
    """A delivery that leaves the fast path in its middle is read again, with what it had collected thrown away."""
    inner = record(number=9, **DENIED)
    outer = record(
        number=2, userIdentity=USER, requestParameters={"list": [{"x": 1}, inner, inner, {"y": 2}]}
    )
    stepper = stepped(content(record(number=1, **DENIED), outer))
    assert told(stepper) == ((1, 2, 1, 0), [], [])


def test_records_that_cannot_be_parsed():
    """A record that is asked for and cannot be decoded is counted."""
    examiner, summary = Examiner(ScanRequest()), Summary()
    records = [
        b'{"errorCode":"AccessDenied" :role/aws-service-role/',
        b"{}",
        b'"errorCode" \\u :role/aws-service-role/',
    ]
    batch = Listed(records, examiner.literals)
    assert examiner.examine(batch, Collected(proven=False), summary.coverage) == 2
