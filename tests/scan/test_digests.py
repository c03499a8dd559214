"""What digest files prove about log files that exist, and about days without any."""

import json

import pytest
from loads import ACCOUNT, logs

from rolewatch.cloudtrail.layout import parse
from rolewatch.scan.digests import Digests, Place

PLACE = Place(ACCOUNT, "us-east-1", "CloudTrail", "2026-03-02")
NEXT = "2026-03-03"
LAYOUT = parse(logs(2, kind="CloudTrail-Digest"))


def stamp(hour, minute=0):
    """Spell an hour of 2 March; 24 is the next day's first, -1 the last of the day before."""
    return f"2026-03-{2 + hour // 24:02d}T{hour % 24:02d}:{minute:02d}:00Z"


def digest(start, end, *files):
    """Write a digest file."""
    listed = [{"s3Bucket": "trail", "s3Object": name, "hashValue": "0"} for name in files]
    return json.dumps(
        {"awsAccountId": ACCOUNT, "digestStartTime": start, "digestEndTime": end, "logFiles": listed}
    ).encode()


def taken(*contents):
    """Take in some digest files."""
    digests = Digests()
    for content in contents:
        digests.take(content, LAYOUT)
    return digests


def hours(first, last, minute=0):
    """Write the digests of consecutive hours."""
    return [digest(stamp(hour, minute), stamp(hour + 1, minute)) for hour in range(first, last)]


QUIET = [
    ("all hours", hours(0, 24), True),
    ("in any order", hours(0, 24)[::-1], True),
    ("hours that begin at seventeen past", hours(-1, 24, 17), True),
    ("one digest for the day", [digest(stamp(-3), stamp(30))], True),
    ("overlapping", [digest(stamp(0), stamp(20)), digest(stamp(3), stamp(4)), digest(stamp(19), stamp(24))], True),
    ("no digest", [], False),
    ("one hour", hours(10, 11), False),
    ("the last hour is missing", hours(0, 23), False),
    ("the first hour is missing", hours(1, 24), False),
    ("an hour in between is missing", hours(0, 12) + hours(13, 24), False),
    ("from seventeen past midnight", hours(0, 24, 17), False),
    ("a log file exists", [*hours(0, 24), digest(stamp(3), stamp(4), logs(2))], False),
    ("a log file of the day before", [*hours(0, 24), digest(stamp(0), stamp(1), logs(1))], True),
    ("a file of network activity", [*hours(0, 24), digest(stamp(3), stamp(4), logs(2, kind="CloudTrail-NetworkActivity"))], True),
    ("times that are none", [digest("", "z"), digest("a", "b")], False),
]  # fmt: skip


@pytest.mark.parametrize(("contents", "quiet"), [case[1:] for case in QUIET], ids=[case[0] for case in QUIET])
def test_quiet(contents, quiet):
    """A day was quiet if digests speak of every moment of it and name no log file of it."""
    assert quiet == taken(*contents).quiet(PLACE, NEXT)


def test_another_place_is_not_proven():
    """Digests speak of their own account and region only."""
    digests = taken(*hours(0, 24))
    assert not digests.quiet(PLACE._replace(region="eu-west-1"), NEXT)
    assert not digests.quiet(PLACE._replace(account="444455556666"), NEXT)


def test_lacking():
    """Log files that digests name and nobody delivered are lacking, counted by account, region, kind and day."""
    other = logs(2, kind="CloudTrail-NetworkActivity")
    digests = taken(
        digest(stamp(0), stamp(1), logs(2), logs(2, 11), logs(1)), digest(stamp(1), stamp(2), other)
    )
    network = PLACE._replace(kind="CloudTrail-NetworkActivity")
    assert list(digests.lacking({PLACE: 1, PLACE._replace(day="2026-03-01"): 1})) == [
        (PLACE, 1),
        (network, 1),
    ]
    assert list(digests.lacking({PLACE: 5, network: 1, PLACE._replace(day="2026-03-01"): 1})) == []


NOTHING = [
    b"",
    b"[]",
    b"{",
    b"\xff",
    b'{"digestStartTime":7}',
    b'{"logFiles":[{"s3Object":null}]}',
    b'{"logFiles":' + b"[" * 100_000,
]


@pytest.mark.parametrize("content", NOTHING)
def test_unreadable(content):
    """A digest that cannot be read proves nothing, and stops nothing."""
    digests = taken(content)
    assert (list(digests.lacking({})), digests.quiet(PLACE, NEXT)) == ([], False)


def test_names_of_no_layout():
    """Files outside of the layout are of no place."""
    assert list(taken(digest(stamp(0), stamp(1), "x", "", "a/b/c/d/e")).lacking({})) == []


def test_merge():
    """Digests that were shared out prove together what they prove in one place."""
    contents = [*hours(0, 24), digest(stamp(3), stamp(4), logs(3), logs(3, 11))]
    for cut in (0, 7, len(contents)):
        left, right = taken(*contents[:cut]), taken(*contents[cut:])
        left.merge(right)
        assert left.quiet(PLACE, NEXT)
        assert list(left.lacking({})) == [(PLACE._replace(day="2026-03-03"), 2)]
