"""Records are counted by the minute in which they happened, whichever way a file is read."""

import gzip
import json

import pytest

from rolewatch.cloudtrail.carve import Literals
from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.minutes import minute_of
from rolewatch.cloudtrail.read import Content

TIMES = ["2026-03-01T10:05:00Z", "2026-03-01T10:05:59Z", "2026-03-01T10:06:00Z", "2026-03-01T10:05:30Z"]
EXPECTED = {b"2026-03-01T10:05": 3, b"2026-03-01T10:06": 1}
ASKED = Literals((b"nothing of this",), minutes=True)


def counted(text, literals=ASKED, *, exact=False):
    """Read content and add up what its batches count."""
    total = {}
    content = Content(gzip.compress(text.encode()), None, Limits(10**9, 10**6))
    for batch in content.batches(literals, exact=exact):
        for minute, number in batch.minutes.items():
            total[minute] = total.get(minute, 0) + number
    return total


def log_file(times, **options):
    """Write a log file with a record for each time."""
    records = [{"eventVersion": "1.08", "eventTime": time} for time in times]
    return json.dumps({"Records": records}, **options)


COMPACT = {"separators": (",", ":")}


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("options", [COMPACT, {}, {"indent": 2}], ids=["compact", "spaced", "indented"])
@pytest.mark.parametrize("exact", [False, True])
def test_minutes(options, exact):
    """All records of a minute count, in whatever order they come and however they are written."""
    assert counted(log_file(TIMES, **options), exact=exact) == EXPECTED


@pytest.mark.usefixtures("both_ways")
def test_minutes_are_counted_on_request():
    """Without being asked for, nothing is counted."""
    assert counted(log_file(TIMES, **COMPACT), Literals((b"x y",))) == {}


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("time", ["yesterday", "", "2026-03-01 10:05:00", "2026-3-1T10:05:00Z"])
def test_times_not_written_as_usual(time):
    """Their records count under no minute, and are not lost."""
    assert counted(log_file([*TIMES, time], **COMPACT)) == {**EXPECTED, b"": 1}


@pytest.mark.parametrize(
    "record", [b"{}", b'{"eventTime":5}', b"no json", b'{"eventTime":"\xff"}', b"[" * 2000]
)
def test_records_without_a_time(record):
    """A record that tells no time is of no minute."""
    assert minute_of(record) == b""
