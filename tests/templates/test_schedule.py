"""Schedules and durations of alarm mute rules, as the API reference has them."""

from datetime import datetime

import pytest

from rolewatch.templates.schedule import Cron, ScheduleError, parse_duration, parse_schedule

ALL = (tuple(range(60)), tuple(range(24)), tuple(range(1, 32)), tuple(range(1, 13)), tuple(range(7)))


def cron(minutes=ALL[0], hours=ALL[1], days=ALL[2], months=ALL[3], weekdays=ALL[4], *, either=False):
    """Make a schedule with all values for the fields that are left out."""
    return Cron(minutes, hours, days, months, weekdays, either)


CRONS = [
    ("* * * * *", cron()),
    ("0 2 * * *", cron((0,), (2,))),
    ("0 2 * * SUN", cron((0,), (2,), weekdays=(0,))),
    ("0 1 1 * *", cron((0,), (1,), (1,))),
    ("0 18 * * fri", cron((0,), (18,), weekdays=(5,))),
    ("5,50-52 8-17 1,15 JAN,JUN-AUG MON-FRI", cron((5, 50, 51, 52), tuple(range(8, 18)), (1, 15), (1, 6, 7, 8), (1, 2, 3, 4, 5), either=True)),
    ("0 0 * * 7", cron((0,), (0,), weekdays=(0,))),
    ("0 0 * * FRI-SUN", cron((0,), (0,), weekdays=(0, 5, 6))),
    ("0 0 * * 0-7", cron((0,), (0,))),
    (" 0  0\t* 12 * ", cron((0,), (0,), months=(12,))),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), CRONS)
def test_recurring(fields, expected):
    """Five fields, with numbers, names, ranges and lists; Sunday is 0 and 7."""
    assert expected == parse_schedule(f"cron({fields})")


def test_once():
    """A time of one day, without a zone."""
    assert parse_schedule("at(2026-05-10T14:00)") == datetime(2026, 5, 10, 14)  # noqa: DTZ001 - the rule has the zone


WRONG = [
    ("", "is no schedule"),
    ("rate(5 minutes)", "is no schedule (write cron(0 2 * * SUN) or at(2026-05-10T14:00))"),
    ("CRON(0 2 * * *)", "is no schedule"),
    ("at(2026-05-10)", "is no schedule"),
    ("at(2026-05-10T14:00:00)", "is no schedule"),
    ("at(2026-02-30T14:00)", "'at(2026-02-30T14:00)' is no time of any calendar"),
    ("cron()", "cron takes five fields here, Minutes Hours Day-of-month Month Day-of-week, not 0"),
    ("cron(0 2 ? * SUN *)", "not 6 (write it as in cron(0 2 * * SUN))"),
    ("cron(60 * * * *)", "Minutes '60' is not understood at '60' (write *, numbers from 0 to 59, with - and , between them)"),
    ("cron(*/5 * * * *)", "Minutes '*/5' is not understood at '*/5'"),
    ("cron(0 24 * * *)", "Hours '24' is not understood"),
    ("cron(0 0 0 * *)", "Day-of-month '0' is not understood"),
    ("cron(0 0 * 13 *)", "Month '13' is not understood at '13' (write *, numbers from 1 to 12 or JAN to DEC, with - and , between them)"),
    ("cron(0 0 * * 8)", "Day-of-week '8' is not understood"),
    ("cron(0 0 ? * *)", "Day-of-month '?' is not understood"),
    ("cron(0 0 * * SUNDAY)", "Day-of-week 'SUNDAY' is not understood"),
    ("cron(0 0 1,,2 * *)", "Day-of-month '1,,2' is not understood at ''"),
    ("cron(0 0 1- * *)", "Day-of-month '1-' is not understood at ''"),
    ("cron(0 22-6 * * *)", "Hours '22-6' ends before it begins, at '22-6'"),
    ("cron(0 \u0661 * * *)", "Hours '\u0661' is not understood"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_schedules(text, message):
    """What is no schedule is told, with what to write instead."""
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(text)
    assert message in str(caught.value)


DURATIONS = [("PT1M", 60), ("PT60S", 60), ("PT4H", 14_400), ("PT1H30M", 5400), ("P2DT12H", 216_000), ("P7D", 604_800), ("P15D", 1_296_000)]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_durations(text, seconds):
    """ISO 8601 with days, hours, minutes and seconds."""
    assert seconds == parse_duration(text)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "4H", "PT4", "P1W", "P1M", "PT1.5H", "pt4h", "PT-1H", "PT4H "])  # fmt: skip
def test_texts_that_are_no_durations(text):
    """Everything else is refused."""
    with pytest.raises(ScheduleError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["PT0S", "PT59S", "P15DT1S", "P16D", "P999999999D"])
def test_bounds_of_durations(text):
    """A rule mutes for a minute at least, for 15 days at most."""
    with pytest.raises(ScheduleError, match="is not between PT1M and P15D"):
        parse_duration(text)
