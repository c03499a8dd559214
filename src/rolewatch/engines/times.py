"""Times in statements of all engines, which count milliseconds since 1970 and so share their arithmetic."""

from collections.abc import Sequence
from typing import Final

from rolewatch.plan import Constant, Expression

WEEK, MONDAY = 604_800_000, 345_600_000  # milliseconds; of the first Monday
FIRST: Final = -62_135_596_800_000  # of the year 1
LAST: Final = 253_402_300_799_999  # of the year 9999


def period_of(arguments: Sequence[Expression]) -> int:
    """Give the period that a time is rounded to: milliseconds, or months."""
    period = arguments[1]
    assert isinstance(period, Constant)  # noqa: S101 - so it is made
    assert isinstance(period.value, int)  # noqa: S101
    return period.value


def floor(arguments: Sequence[Expression]) -> str:
    """Write the beginning of the period that a time lies in."""
    period = period_of(arguments)
    since = f"({{0}} - {MONDAY})" if period % WEEK == 0 else "{0}"
    return f"({{0}} - ((({since}) % {period}) + {period}) % {period})"


def ceiling(arguments: Sequence[Expression]) -> str:
    """Write the end of the period that a time lies in, which is the time itself where one begins."""
    return floor(arguments).replace("{0}", f"({{0}} + {period_of(arguments) - 1})")
