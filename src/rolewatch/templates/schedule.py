"""The schedule of an alarm mute rule in (`cron(0 2 * * SUN)`, `at(2026-05-10T14:00)`, `PT4H`), its parts out.

Source: the API reference of CloudWatch, `Schedule`. What it leaves open is as in cron elsewhere: Sunday is 0 and 7, and
where both day fields are restricted, a day that fits one of them will do.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from rolewatch.base.errors import UsageError

SHORTEST, LONGEST = 60, 15 * 86_400  # seconds that a mute rule lasts
_CRON = re.compile(r"cron\((.*)\)", re.DOTALL)
_AT = re.compile(r"at\(([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})\)")
_DURATION = re.compile(
    r"P(?:([0-9]{1,9})D)?(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)
_SECONDS: Final = (86_400, 3600, 60, 1)
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SUNDAY: Final = 7  # as well as 0


class ScheduleError(UsageError):
    """A text that is no schedule, or no duration."""


class Cron(NamedTuple):
    """When a recurring schedule begins: each field's values in ascending order; of weekdays, Sunday is 0.

    `either`: a day that fits one of `days` and `weekdays` will do, else it has to fit both.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool


class _Field(NamedTuple):
    """A field of a cron expression: what it is called, its bounds, and words for its values."""

    name: str
    least: int
    most: int
    words: Mapping[str, int]


_NO_WORDS: Final[Mapping[str, int]] = {}
_FIELDS: Final = (
    _Field("Minutes", 0, 59, _NO_WORDS),
    _Field("Hours", 0, 23, _NO_WORDS),
    _Field("Day-of-month", 1, 31, _NO_WORDS),
    _Field("Month", 1, 12, {word: number for number, word in enumerate(_MONTHS, 1)}),
    _Field("Day-of-week", 0, _SUNDAY, {word: number for number, word in enumerate(_WEEKDAYS)}),
)


def parse_schedule(text: str) -> Cron | datetime:
    """Parse a schedule: fields, or the one time (without a zone) at which it begins; ScheduleError if it is none."""
    if once := _AT.fullmatch(text):
        try:
            return datetime.fromisoformat(once[1])
        except ValueError:
            raise ScheduleError(f"{text!r} is no time of any calendar") from None
    recurring = _CRON.fullmatch(text)
    if not recurring:
        raise ScheduleError(
            f"{text[:60]!r} is no schedule", remedy="write cron(0 2 * * SUN) or at(2026-05-10T14:00)"
        )
    parts = recurring[1].split()
    if len(parts) != len(_FIELDS):
        raise ScheduleError(
            f"cron takes five fields here, Minutes Hours Day-of-month Month Day-of-week, not {len(parts)}",
            remedy="write it as in cron(0 2 * * SUN)",
        )
    minutes, hours, days, months, weekdays = map(_values, _FIELDS, parts)
    sundays = {day % _SUNDAY for day in weekdays}
    return Cron(minutes, hours, days, months, tuple(sorted(sundays)), "*" not in (parts[2], parts[4]))


def parse_duration(text: str) -> int:
    """Parse an ISO 8601 duration of one minute to 15 days (`PT4H`, `P2DT12H`); seconds, or ScheduleError."""
    found = _DURATION.fullmatch(text)
    if not found or text == "P":
        raise ScheduleError(f"{text[:60]!r} is no duration", remedy="write it as in PT4H or P2DT12H")
    seconds = sum(int(number) * size for number, size in zip(found.groups(), _SECONDS, strict=True) if number)
    if not SHORTEST <= seconds <= LONGEST:
        raise ScheduleError(f"the duration {text[:60]} is not between PT1M and P15D")
    return seconds


def _values(field: _Field, text: str) -> tuple[int, ...]:
    """Read one field: `*`, numbers, words and ranges, with commas between them."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if part == "*":
            found.update(range(field.least, field.most + 1))
        elif dash:
            low, high = _value(field, first, text), _value(field, last, text)
            if field.most == _SUNDAY and high == 0 < low:
                high = _SUNDAY  # FRI-SUN
            if low > high:
                raise ScheduleError(f"{field.name} {text[:60]!r} ends before it begins, at {part[:60]!r}")
            found.update(range(low, high + 1))
        else:
            found.add(_value(field, part, text))
    return tuple(sorted(found))


def _value(field: _Field, word: str, text: str) -> int:
    number = field.words.get(word.upper())
    if number is None and word.isascii() and word.isdecimal() and len(word) <= 2:
        number = int(word)
    if number is None or not field.least <= number <= field.most:
        names = f" or {next(iter(field.words))} to {list(field.words)[-1]}" if field.words else ""
        raise ScheduleError(
            f"{field.name} {text[:60]!r} is not understood at {word[:20]!r}",
            remedy=f"write *, numbers from {field.least} to {field.most}{names}, with - and , between them",
        )
    return number
