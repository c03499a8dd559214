"""Quiet times, by the clock on the wall."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.base.errors import UsageError
from rolewatch.notify.quiet import Quiet, parse_quiet

VIENNA = ZoneInfo("Europe/Vienna")


def held(times, now, severity="high", **more):
    """Say until when something is held back at a time that a clock in Vienna shows; in the same zone."""
    until = parse_quiet(times, **more).held_until(
        datetime.fromisoformat(now).replace(tzinfo=VIENNA), severity
    )
    return until and until.astimezone(VIENNA).strftime("%Y-%m-%d %H:%M %Z")


NIGHT, WEEKEND = "22:00-07:00 Europe/Vienna", "Sat-Sun Europe/Vienna"
HELD = [  # 2026-03-02 is a Monday
    ([NIGHT], "2026-03-02 21:59", None),
    ([NIGHT], "2026-03-02 22:00", "2026-03-03 07:00 CET"),
    ([NIGHT], "2026-03-03 06:59:59", "2026-03-03 07:00 CET"),
    ([NIGHT], "2026-03-03 07:00", None),
    ([WEEKEND], "2026-03-06 23:59", None),
    ([WEEKEND], "2026-03-07 00:00", "2026-03-09 00:00 CET"),
    ([NIGHT, WEEKEND], "2026-03-06 23:00", "2026-03-09 07:00 CET"),
    (["Sun-Mon Europe/Vienna"], "2026-03-08 12:00", "2026-03-10 00:00 CET"),
    (["fri,mon 10:00-11:00 Europe/Vienna"], "2026-03-06 10:30", "2026-03-06 11:00 CET"),
    (["Mon-Tue,Thu 10:00-11:00 Europe/Vienna"], "2026-03-04 10:30", None),
    (["Fri 22:00-07:00 Europe/Vienna"], "2026-03-07 06:00", "2026-03-07 07:00 CET"),
    (["Fri 22:00-07:00 Europe/Vienna"], "2026-03-06 06:00", None),
    (["Sun 22:00-07:00 Europe/Vienna"], "2026-03-09 06:00", "2026-03-09 07:00 CET"),
    (["Mon 0:00-24:00"], "2026-03-02 12:00", "2026-03-03 01:00 CET"),
    (["21:00-22:00"], "2026-03-02 22:30", "2026-03-02 23:00 CET"),
    (["20:00-21:00 America/New_York"], "2026-03-03 02:30", "2026-03-03 03:00 CET"),
    # Clocks are put forward from 02:00 to 03:00 on 29 March, and back from 03:00 to 02:00 on 25 October.
    ([NIGHT], "2026-03-29 01:30", "2026-03-29 07:00 CEST"),
    (["01:00-02:30 Europe/Vienna"], "2026-03-29 01:30", "2026-03-29 03:00 CEST"),
    (["02:15-02:45 Europe/Vienna"], "2026-03-29 01:59", None),
    ([NIGHT], "2026-10-24 23:00", "2026-10-25 07:00 CET"),
    (["01:00-02:30 Europe/Vienna"], "2026-10-25 01:30", "2026-10-25 02:30 CEST"),
    ([], "2026-03-02 23:00", None),
]  # fmt: skip


@pytest.mark.parametrize(("times", "now", "expected"), HELD)
def test_until_when(times, now, expected):
    """Till the end of all that follow on one another, by what the clock shows."""
    assert held(times, now) == expected


def test_the_hour_that_a_clock_repeats_is_quiet_twice():
    """The clock shows a quiet time again."""
    quiet = parse_quiet(["02:00-02:30 Europe/Vienna"])
    first = datetime(2026, 10, 25, 0, tzinfo=UTC)
    shown = [quiet.covers(first + timedelta(minutes=30 * number)) for number in range(5)]
    assert shown == [True, False, True, False, False]


URGENT = [
    ("critical", "critical", False),
    ("high", "critical", True),
    ("high", "high", False),
    ("none", "high", True),
]


@pytest.mark.parametrize(("severity", "urgent", "expected"), URGENT)
def test_what_is_urgent_is_never_held(severity, urgent, expected):
    """By default that is what is critical."""
    assert expected is (held([NIGHT], "2026-03-02 23:00", severity, urgent=urgent) is not None)


def test_a_zone_for_all():
    """Times that name no zone are in the one that is given."""
    assert held(["22:00-07:00"], "2026-03-02 22:00", zone="Europe/Vienna") == "2026-03-03 07:00 CET"


REFUSED = [
    (["22-07"], "'22-07' is no quiet time (write such as 22:00-07:00 Europe/Vienna"),
    (["Europe/Vienna"], "'Europe/Vienna' is no quiet time"),
    ([""], "'' is no quiet time"),
    (["22:00 - 07:00"], "is no quiet time"),
    (["Sat Sun"], "'Sun' is no time zone"),
    (["22:00-07:00 Europe/Wien"], "'Europe/Wien' is no time zone known here"),
    (["22:00-07:00 ../../etc/passwd"], "is no time zone known here"),
    (["Sat 22:00-07:00 Europe/Vienna now"], "is no quiet time"),
    (["25:00-07:00"], "25:00-07:00 are no times of day"),
    (["22:60-07:00"], "22:60-07:00 are no times of day"),
    (["24:00-07:00"], "24:00-07:00 are no times of day"),
    (["07:00-07:00"], "07:00-07:00 ends when it begins (write 00:00-24:00 for a whole day)"),
    (["Mon-Sun"], "never end"),
    (["Mon-Sat", "Sun 00:00-24:00"], "never end"),
    (["12:00-00:00 UTC", "00:00-13:00 Europe/Vienna", "11:00-12:00"], "never end"),
]  # fmt: skip


@pytest.mark.parametrize(("times", "reason"), REFUSED)
def test_what_is_no_quiet_time_is_refused(times, reason):
    """The place is named, and how to write it."""
    with pytest.raises(UsageError) as caught:
        parse_quiet(times, place="rolewatch.toml: [quiet]: times")
    assert str(caught.value).startswith("rolewatch.toml: [quiet]: times")
    assert reason in str(caught.value)


def test_the_usual_zone_has_to_be_one():
    """Also where nothing needs it."""
    with pytest.raises(UsageError, match="'Mars' is no time zone"):
        parse_quiet([], zone="Mars")


def test_a_gap_that_a_clock_skips_is_waited_for_until_it_comes_again():
    """Quiet but for half an hour a week, of which a change of clocks makes none."""
    times = ["Mon-Sat Europe/Vienna", "Sun 00:00-02:15 Europe/Vienna", "Sun 02:45-24:00 Europe/Vienna"]
    assert held(times, "2026-03-28 12:00") == "2026-04-05 02:15 CEST"


CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
SPANS = st.builds(
    "{}{}-{} {}".format, st.sampled_from(["", "Sat-Sun ", "Mon,Wed ", "Fri-Mon "]), CLOCK, CLOCK,
    st.sampled_from(["UTC", "Europe/Vienna", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"]),
)  # fmt: skip


@given(
    st.lists(SPANS, min_size=1, max_size=3),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_what_is_held_is_told_at_the_first_minute_that_is_not_quiet(times, now):
    """Through all changes of clocks, in zones of all kinds."""
    try:
        quiet = parse_quiet(times)
    except UsageError:
        return
    until = quiet.held_until(now, "high")
    assert (until is None) == (not quiet.covers(now))
    if until is not None:
        assert until > now
        assert not quiet.covers(until)
        between = (until - now) // timedelta(minutes=1)
        assert all(quiet.covers(until - timedelta(minutes=number)) for number in range(1, between + 1))


def test_no_quiet_times_hold_nothing():
    """The default."""
    assert Quiet().held_until(datetime.now(UTC), "none") is None
