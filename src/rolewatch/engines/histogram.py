"""A query's plan in; how many of the records that its filters let through lie in each stretch of time, out."""

from typing import Final, NamedTuple

from rolewatch.engines.answers import Row
from rolewatch.engines.lake_fields import TIMESTAMP
from rolewatch.engines.sql import filters_of
from rolewatch.engines.times import MONDAY, WEEK
from rolewatch.plan import Aggregate, Apply, Column, Constant, Group, Plan, Shown, Type

MOST: Final = 80  # stretches
_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
#: Lengths of a stretch, in milliseconds; beyond the last one its double is taken.
_STEPS: Final = (
    _SECOND, 5 * _SECOND, 15 * _SECOND, 30 * _SECOND, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE,
    _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, WEEK, 2 * WEEK, 4 * WEEK,
)  # fmt: skip
_TIME, _NUMBER = 2_000_000, 2_000_001  # columns; a query's own have lower numbers


class Histogram(NamedTuple):
    """Numbers of records in stretches of `step` milliseconds, the first of which begins at `start` (milliseconds)."""

    start: int
    step: int
    counts: tuple[int, ...]


def step_of(start: int, end: int) -> int:
    """Give the length of stretches of which at most MOST lie between two times, in milliseconds."""
    step = next((each for each in _STEPS if _number(start, end, each) <= MOST), _STEPS[-1])
    while _number(start, end, step) > MOST:
        step *= 2
    return step


def counting(plan: Plan, step: int) -> Plan:
    """Make the plan that counts what the filters of another one let through."""
    time = Apply("floor_time", (TIMESTAMP, Constant(step, Type.TIME)), Type.TIME)
    group = Group(((_TIME, time),), ((_NUMBER, Aggregate("count", (), Type.NUMBER)),))
    shown = (Shown("", Column(_TIME, Type.TIME)), Shown("", Column(_NUMBER, Type.NUMBER)))
    return Plan((*filters_of(plan), group), shown)


def histogram(rows: list[Row], start: int, end: int, step: int) -> Histogram:
    """Put the rows of `counting` in order, with zeros between them; records without a time are in none."""
    first = _floor(start, step)
    counts = [0] * _number(start, end, step)
    for time, number in rows:
        place = (time - first) // step if time is not None else -1
        if 0 <= place < len(counts):
            counts[place] = int(number)
    return Histogram(first, step, tuple(counts))


def _number(start: int, end: int, step: int) -> int:
    return max(1, -(-(end - _floor(start, step)) // step))


def _floor(time: int, step: int) -> int:
    """Give the beginning of the stretch that a time lies in, as engines have it (`times.floor`)."""
    since = MONDAY if step % WEEK == 0 else 0
    return time - (time - since) % step
