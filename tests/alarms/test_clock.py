"""What clocks show, and when they show it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rolewatch.alarms.clock import instants, offsets

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca"]  # fmt: skip
HOUR, DAY = 3600, 86_400
YEAR = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def epoch(*shown):
    """Return what clocks show, as epoch seconds as if it were UTC."""
    return int(datetime(*shown, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("name", ZONES)
def test_offsets(name):
    """They are those of the zone database, at every quarter of an hour of a year, in any order and shape."""
    zone = ZoneInfo(name)
    times = np.arange(YEAR, YEAR + 366 * DAY, 900)[::-1].reshape(-1, 4)
    expected = [
        [datetime.fromtimestamp(each, zone).utcoffset() / timedelta(seconds=1) for each in row]
        for row in times.tolist()
    ]
    assert expected == offsets(zone, times).tolist()


@pytest.mark.parametrize("name", ZONES)
def test_there_and_back(name):
    """Everything that clocks show is found at the first instant at which they show it."""
    zone = ZoneInfo(name)
    times = np.arange(YEAR, YEAR + 366 * DAY, 300)
    first: dict[int, int] = {}
    for time, shown in zip(times.tolist(), (times + offsets(zone, times)).tolist(), strict=True):
        first.setdefault(shown, time)
    there, found = instants(zone, np.array(list(first)))
    assert there.all()
    assert list(first.values()) == found.tolist()


def test_what_clocks_never_show():
    """The hour that is left out in spring does not exist; the one that comes twice in autumn counts at first."""
    shown = np.array([epoch(2026, 3, 29, 1, 59), epoch(2026, 3, 29, 2), epoch(2026, 3, 29, 2, 59), epoch(2026, 3, 29, 3), epoch(2026, 10, 25, 2, 30)])  # fmt: skip
    there, found = instants(ZoneInfo("Europe/Berlin"), shown)
    assert there.tolist() == [True, False, False, True, True]
    assert found[there].tolist() == [epoch(2026, 3, 29, 0, 59), epoch(2026, 3, 29, 1), epoch(2026, 10, 25, 0, 30)]  # fmt: skip


def test_the_ends_of_the_calendar():
    """Before its first and behind its last day clocks are taken to show UTC."""
    ends = np.array([epoch(1, 1, 1), epoch(9999, 12, 31, 23, 59)])
    for name in ("Europe/Berlin", "America/New_York"):
        zone = ZoneInfo(name)
        assert offsets(zone, ends + np.array([-DAY, DAY])).tolist() == [0, 0]
        assert abs(offsets(zone, ends)).max() < DAY
    assert offsets(UTC, ends).tolist() == [0, 0]
