"""Words of a test file in; lengths of time, points in time and series of values out. Each raises ValueError that says what is wanted.

Source: DESIGN "Template tests"; the notation of series is close to that of Prometheus' promqltest.
"""

import re
from datetime import UTC, datetime
from itertools import accumulate

from rolewatch.templates.numerals import GREATEST, number
from rolewatch.templates.structure import WordError

MOST = 1_000_000  # values of a series: a year has 525,600 minutes
LONGEST = 366 * 86_400  # seconds
_SPAN = re.compile(r"(?=.)(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_SECONDS = (86_400, 3_600, 60, 1)
_WORD = re.compile(r"\S+")
_TIMES = re.compile(r"(.+)x([0-9]{1,12})", re.DOTALL)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def seconds(text: str) -> int:
    """Read a length of time: `10s`, `5m`, `1h30m`, `1d`."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:40]!r} is no length of time; write 300s, 5m, 1h30m or 1d")
    total = sum(int(part or 0) * unit for part, unit in zip(found.groups(), _SECONDS, strict=True))
    if total > LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than a year")
    return total


def interval(text: str) -> int:
    """Read the interval of a series: 10, 20 or 30 seconds, or whole minutes."""
    found = seconds(text)
    if found not in (10, 20, 30) and (found < 60 or found % 60):
        raise ValueError(f"{text[:40]!r} is no interval; write 10s, 20s, 30s or whole minutes, as in 1m")
    return found


def moment(text: str) -> int:
    """Read a point in time, ISO 8601, UTC unless it says otherwise; in epoch seconds."""
    try:
        found = datetime.fromisoformat(text if is_date(text) else "")
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return int(aware.timestamp())
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text[:40]!r} is no time; write 5m (after the start) or 2026-03-01T10:05:00Z"
        ) from None


def is_date(text: str) -> bool:
    """Whether a text means a point in time, and no length."""
    return _DATE.match(text) is not None


def series(text: str) -> list[float | None]:
    """Read the values of a series: `0 _ 1x3 _x2 5` is 0, a gap, three ones, two gaps, and 5."""
    words = [_word(found[0], found.start()) for found in _WORD.finditer(text)]
    if not words:
        raise ValueError("no values; write one for each interval, `_` where there is none: 0 _ 1x3 _x2 5")
    if list(accumulate(times for _, times in words))[-1] > MOST:
        raise ValueError(f"more than {MOST:,} values")
    return [value for value, times in words for _ in range(times)]


def _word(word: str, at: int) -> tuple[float | None, int]:
    """Read a value and how often it comes; WordError with its place in the series for what is none."""
    repeated = _TIMES.fullmatch(word)
    written, times = (repeated[1], int(repeated[2])) if repeated else (word, 1)
    if not times:
        raise WordError(f"{word[:40]!r} comes no time at all; write x1 or more", at)
    if written == "_":
        return None, times
    value = number(written)
    if value is None:
        raise WordError(
            f"{word[:40]!r} is no value; write a number, `_` for a gap, and 1x3 or _x2 to repeat", at
        )
    if abs(value) > GREATEST:
        raise WordError(
            f"{word[:40]!r} is more than CloudWatch takes; write a value from -2^360 to 2^360", at
        )
    return value, times
