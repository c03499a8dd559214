"""How late what arrives is: by its events, or by what names and files tell where several sources share a batch."""

import os
from datetime import UTC, datetime

import pytest
from givers import Given

from rolewatch.sources import BytesDelivery
from rolewatch.sources.files import look
from rolewatch.sources.live import Arrival
from rolewatch.store.sources import Came
from rolewatch.watch.feed import Given as GivenArrival
from rolewatch.watch.lateness import Lateness, newest_of, stamp_of

NAME = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/111122223333_CloudTrail_us-east-1_20260301T1005Z_x.json.gz"
AT = 1_772_366_400_000  # 2026-03-01 12:00 UTC


def delivery(name):
    """Make a delivery of a name."""
    return BytesDelivery(name, name, named=False, size=1, remote=False, content=b"x")


def given(source, *names):
    """Give deliveries of some names."""
    return [GivenArrival(source, Arrival(delivery(name), (name,))) for name in names]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (NAME, datetime(2026, 3, 1, 10, 5, tzinfo=UTC)),
        (f"s3://b/{NAME}", datetime(2026, 3, 1, 10, 5, tzinfo=UTC)),
        ("logs://group#2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("logs://group#2026-13-01T10:00:00Z", None),
        ("-#1", None),
        ("x.json", None),
    ],
)
def test_what_a_name_tells(name, expected):
    """The minute of delivery in CloudTrail's names, the first event of a batch of log events, of others nothing."""
    assert stamp_of(delivery(name)) == expected


def test_what_a_file_tells(tmp_path):
    """When it was written, unless its name tells more."""
    path = tmp_path / "x.json"
    path.write_text("{}")
    os.utime(path, ns=(0, AT * 1_000_000))
    assert stamp_of(look(str(path), named=False)) == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_events_tell_where_a_batch_is_of_one_source():
    """The latest of any account; what is no time tells nothing."""
    one, two = Given(word="one"), Given(word="two")
    events = {"1": "2026-03-01T11:00:00Z", "2": "2026-03-01T09:00:00Z", "3": "zzz"}
    assert newest_of(given(one, NAME), events) == {one: datetime(2026, 3, 1, 11, tzinfo=UTC)}
    assert newest_of(given(one, NAME), {"3": "zzz"}) == {one: datetime(2026, 3, 1, 10, 5, tzinfo=UTC)}
    mixed = [*given(one, NAME, "x"), *given(two, "y")]
    assert newest_of(mixed, events) == {one: datetime(2026, 3, 1, 10, 5, tzinfo=UTC), two: None}


def test_what_a_commit_tells():
    """Times to come are not believed; a backlog is not late, unless reading it takes too long."""
    clock, source = [0.0], Given(word="s\x00")
    lateness = Lateness([source], lambda: clock[0], patience=100)
    future = {"1": "2099-01-01T00:00:00Z"}
    assert lateness.came(given(source, "x"), future, AT) == [Came("s\ufffd", AT, AT, live=False)]
    clock[0] = 100
    assert lateness.came(given(source, "x"), {}, AT) == [Came("s\ufffd", AT, None, live=True)]
    clock[0] = 0
    assert not lateness.caught_up("s\ufffd")
    assert (lateness.catch_up([source]), lateness.catch_up([source])) == (["s\ufffd"], [])
    assert lateness.caught_up("s\ufffd")
    assert lateness.came(given(source, "x"), {}, AT)[0].live
