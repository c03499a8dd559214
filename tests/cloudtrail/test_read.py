"""A delivery's content comes in batches: fast where it has CloudTrail's shape, exact elsewhere, never with a loss."""

import gzip
import json
from io import BytesIO

import pytest
from wrappings import SHAPES, compact, lines, record

from rolewatch.cloudtrail.carve import HIDING, Carved, Literals, bit
from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.read import Content, Inexact, Listed
from rolewatch.cloudtrail.split import Damaged, Skipped

RECORDS = [record(number) for number in range(60)]
LOG_FILE = compact({"Records": RECORDS})
EVERY = Literals((b'"eventTime"',))

pytestmark = pytest.mark.usefixtures("both_ways")


class Broken(BytesIO):
    """A stream that fails at its end, or whenever it is read from the start."""

    def read(self, size=-1):
        """Read as far as there is something."""
        data = super().read(size)
        if not data:
            raise OSError("the network is down")
        return data


def content_of(data, *, at_once=True, stream=BytesIO, limits=None):
    """Open a delivery that was read at once, or that is read as a stream."""
    return Content(data if at_once else None, lambda: stream(data), limits or Limits())


def collected(content, *, exact=False):
    """Read all batches; returns their sorts, their records and what was wrong or None."""
    sorts, found = [], []
    try:
        for batch in content.batches(EVERY, exact=exact):
            sorts.append(type(batch))
            found += [json.loads(batch.text(start, end)) for start, end, _ in batch.marked]
            assert batch.count == len(batch.marked)
    except (Damaged, Skipped, Inexact, OSError) as error:
        return sorts, found, error
    except json.JSONDecodeError:  # what a scan takes for a reason to read exactly, too
        return sorts, found, Inexact()
    return sorts, found, None


def read_through(content):
    """Read all batches as a scan does: again, and exactly, if the fast path says so; returns records and the error."""
    _, found, error = collected(content)
    return collected(content, exact=True)[1:] if isinstance(error, Inexact) else (found, error)


@pytest.fixture
def small_pieces(monkeypatch):
    """Make files of a few KB as large as those of which only a part is in memory."""
    monkeypatch.setattr("rolewatch.cloudtrail.read.PIECE", 2000)
    monkeypatch.setattr("rolewatch.cloudtrail.gunzip.PIECE", 2000)
    monkeypatch.setattr("rolewatch.cloudtrail.gunzip.WHOLE", 1000)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "data", [LOG_FILE, gzip.compress(LOG_FILE), LOG_FILE + b"\n"], ids=["plain", "gzip", "line end"]
)
def test_a_log_file_is_carved(data, at_once):
    """A file in CloudTrail's shape is one batch, not parsed."""
    assert ([Carved], RECORDS, None) == collected(content_of(data, at_once=at_once))


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(shape, at_once):
    """Every shape is read, with or without the fast path."""
    assert read_through(content_of(SHAPES[shape](RECORDS), at_once=at_once)) == (RECORDS, None)


@pytest.mark.parametrize("shape", ["pretty", "JSON lines", "array", "CloudWatch Logs", "byte order mark"])
def test_other_shapes_are_split(shape):
    """What is not in CloudTrail's own shape is read the exact way at once."""
    assert collected(content_of(SHAPES[shape](RECORDS))) == ([Listed], RECORDS, None)


@pytest.mark.parametrize("at_once", [True, False])
def test_exact_on_request(at_once):
    """The fast path can be kept off."""
    assert ([Listed], RECORDS, None) == collected(
        content_of(gzip.compress(LOG_FILE), at_once=at_once), exact=True
    )


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "data",
    [LOG_FILE, gzip.compress(LOG_FILE), gzip.compress(LOG_FILE[:9000]) + gzip.compress(LOG_FILE[9000:])],
    ids=["plain", "gzip", "members"],
)
def test_a_large_log_file_comes_in_windows(data, at_once):
    """A large file in CloudTrail's shape is cut between records into many batches."""
    sorts, found, error = collected(content_of(data, at_once=at_once))
    assert (RECORDS, None, {Carved}) == (found, error, set(sorts))
    assert len(sorts) > 5


@pytest.mark.usefixtures("small_pieces")
def test_windows_wherever_the_cut_falls(monkeypatch):
    """Windows of any size give the same records."""
    for size in range(800, 1500, 7):
        monkeypatch.setattr("rolewatch.cloudtrail.read.PIECE", size)
        assert collected(content_of(LOG_FILE))[1:] == (RECORDS, None)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("data", [
    compact({"Records": [*RECORDS[:20], record(99, requestParameters={"list": [{}, *RECORDS[:40]]}), *RECORDS[20:]]}),
    compact({"Records": RECORDS[:30]}) + compact({"Records": RECORDS[30:]}),
    compact({"Records": [*RECORDS[:30], dict(sorted(RECORDS[30].items())), *RECORDS[31:]]}),
    LOG_FILE[:-2],
    LOG_FILE + b"x",
], ids=["look-alikes in an array", "two documents", "another key order", "cut", "garbage behind"])  # fmt: skip
def test_a_window_that_is_not_what_it_looked_like(data):
    """A large file that leaves the shape on the way has to be read again, the exact way, which finds all."""
    assert isinstance(collected(content_of(data))[2], Inexact)
    _, found, error = collected(content_of(data), exact=True)
    assert [item for item in found if item["eventID"] != record(99)["eventID"]] == RECORDS
    assert error is None or isinstance(error, Damaged)


@pytest.mark.usefixtures("small_pieces")
def test_a_record_without_an_end(monkeypatch):
    """A large file whose first record does not end is not kept in memory while its end is looked for."""
    monkeypatch.setattr("rolewatch.cloudtrail.read.PIECE", 100)
    held = []

    class Counted(BytesIO):
        def read(self, size=-1):
            held.append(size)
            return super().read(size)

    data = b'{"Records":[{"eventVersion":"1.08","a":"' + b"x" * 100_000
    assert isinstance(collected(content_of(data, at_once=False, stream=Counted))[2], Inexact)
    assert sum(held) < 2000


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("cut", [1, 9, 100])
def test_cut_gzip(cut, at_once):
    """Of gzip that ends early, all whole records are read, and the reason is named."""
    found, error = read_through(content_of(gzip.compress(LOG_FILE)[:-cut], at_once=at_once))
    assert (RECORDS[: len(found)], Damaged) == (found, type(error))
    assert found
    assert error.reason.startswith("the gzip data ends early, after ")


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("at_once", [True, False])
def test_a_log_file_cut_anywhere(at_once):
    """A file that was cut is never taken for a whole one, not even where its last bytes look like a file's end."""
    records = [record(number, resources=[{"ARN": "arn"}], last=[{"a": [{}]}]) for number in range(4)]
    data = compact({"Records": records})
    for cut in range(1, len(data)):
        found, error = read_through(content_of(data[:cut], at_once=at_once))
        assert found == records[: len(found)], cut
        assert isinstance(error, Damaged) or cut < len(b'{"Records":['), cut


@pytest.mark.parametrize("data", [LOG_FILE, lines(RECORDS)], ids=["log file", "lines"])
def test_wrong_checksum(data):
    """Of gzip whose checksum is wrong, the content is read nevertheless, and the damage is named."""
    broken = bytearray(gzip.compress(data))
    broken[-6] ^= 1
    found, error = read_through(content_of(bytes(broken)))
    assert (RECORDS, Damaged) == (found, type(error))
    assert error.reason.startswith("the gzip data is broken after ")


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("data", [LOG_FILE[:-100], lines(RECORDS[:-1])], ids=["log file", "lines"])
def test_a_stream_that_fails(data):
    """When a stream fails on the way, what is whole before is read, and the failure surfaces as it is."""
    found, error = read_through(content_of(data, at_once=False, stream=Broken))
    assert (RECORDS[:-1], "the network is down") == (found, str(error))


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("data", "error", "reason"), [
    (b"", Damaged, "empty: there is nothing in it"),
    (gzip.compress(b"hello", mtime=0), Skipped, "not CloudTrail: text, no JSON"),
    (b"\x00\x01garbage", Skipped, "not CloudTrail: binary data"),
    (b"\x1f\x8b", Damaged, "the gzip data ends early"),
    (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, Damaged, "the gzip data is broken after 0 bytes"),
])  # fmt: skip
def test_what_gives_no_records(data, error, reason, at_once):
    """What holds no records is named, however it is read."""
    _, found, verdict = collected(content_of(data, at_once=at_once))
    assert ([], error) == (found, type(verdict))
    assert verdict.reason.startswith(reason)


@pytest.mark.parametrize("at_once", [True, False])
def test_limits(at_once):
    """Content beyond the limits is damage, with the option that raises them."""
    content = content_of(gzip.compress(b" " * 100_000), at_once=at_once, limits=Limits(content=50_000))
    assert "--gunzip-limit" in collected(content)[2].reason


def test_bytes_and_whole():
    """Content counts its own bytes anew for each reading, and can be had at once."""
    content = content_of(gzip.compress(LOG_FILE))
    for exact in (False, True, False):
        collected(content, exact=exact)
        assert content.bytes == len(LOG_FILE)
    assert content.whole() == LOG_FILE


def test_listed_and_carved_answer_alike():
    """A batch that was split answers as one that was carved."""
    plain = {"eventVersion": "1.08", "eventTime": "t"}
    records = [
        {**plain, "eventID": str(number), **more}
        for number, more in enumerate([{}, {"errorCode": "x"}, {"a": 1}, {}])
    ]
    text = compact({"Records": records}).replace(b'"a":1', b'"a":"\\/"')
    literals = Literals((b"zz", b'rrorCode"', b'"a"'))
    (carved,) = content_of(text).batches(literals)
    (listed,) = content_of(text).batches(literals, exact=True)
    assert (Carved, Listed) == (type(carved), type(listed))
    for batch in (carved, listed):
        held = {json.loads(batch.text(start, end))["eventID"]: bits for start, end, bits in batch.marked}
        assert {"1": bit(1), "2": bit(2)} == {name: bits & ~HIDING for name, bits in held.items()}
        assert [name for name, bits in held.items() if bits & HIDING] == ["2"]
        assert [json.loads(text)["eventID"] for text in batch.holding(b'"a"')] == ["2"]
        assert (batch.holds(b'"a"'), batch.holds(b"zz")) == (True, False)
        assert [json.loads(item)["eventID"] for item in batch.first_and_last()] == ["0", "3"]
        assert batch.stands_alone(batch.marked[-1][0])
