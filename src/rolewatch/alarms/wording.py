"""Times and numbers in, the way CloudWatch writes them in a StateReason and its data out (spec/alarm.md §7)."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from rolewatch.patterns.numbers import java_double

LONGEST_REASON: Final = 1023  # characters (API reference, as the next)
LONGEST_DATA: Final = 4000

_DAY: Final = 86_400


def number(value: float) -> str:
    """Write a double as Java does; in the usual range that is as Python does, only faster."""
    return repr(value) if 1e-3 <= abs(value) < 1e7 or not value else java_double(value)


def short_time(seconds: int) -> str:
    """Write a time as in a reason: `19/08/26 09:36:00`."""
    return f"{_short_date(seconds // _DAY)} {_clock(seconds % _DAY)}"


def stamp(seconds: int) -> str:
    """Write a time as in a reason's data: `2026-08-19T09:36:00.000+0000`."""
    return f"{_date(seconds // _DAY)}T{_clock(seconds % _DAY)}.000+0000"


# A history has thousands of times, and they are of the same days and minutes of the day.
@lru_cache(maxsize=4096)
def _short_date(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY, UTC).strftime("%d/%m/%y")


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY, UTC).strftime("%Y-%m-%d")


@lru_cache(maxsize=_DAY)
def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def long_time(seconds: int) -> str:
    """Write a time as in a composite alarm's reason: `Friday 22 July, 2022 15:57:45 UTC`."""
    when = datetime.fromtimestamp(seconds, UTC)
    return f"{_DAYS[when.weekday()]} {when:%d} {_MONTHS[when.month - 1]}, {when:%Y %H:%M:%S} UTC"


# Not by strftime: its names depend on the locale.
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def counted(count: int, noun: str) -> str:
    """Write a number with its noun: `1 datapoint`, `2 datapoints`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def was(count: int) -> str:
    """Choose the verb for a number of things."""
    return "was" if count == 1 else "were"
