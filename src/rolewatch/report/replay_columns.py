"""A year on a few hundred columns: values and states in, the least and the most of each column and its gravest state out."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from rolewatch.alarms.history import History, State
from rolewatch.metrics.series import Floats, Times

#: The later in the list, the graver: what a column shows of several states.
_GRAVITY: Final = (State.OK, State.INSUFFICIENT_DATA, State.ALARM)

#: A picture shows a greater value as this one: the differences that it is made of stay finite.
_GREATEST: Final = 1e300

#: Lengths of columns in seconds that begin at round times: minutes, hours, days, a week.
_STEPS: Final = tuple(60 * each for each in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 10_080))


class Axis(NamedTuple):
    """Time from `start` to `end` (epoch seconds, at least one apart) on a number of columns of the same length."""

    start: int
    end: int
    columns: int

    def at(self, times: Times) -> Times:
        """Return the columns of times; one outside counts as before the first or behind the last."""
        return np.asarray((times - self.start) * self.columns // (self.end - self.start), np.int64)

    def last(self, times: Times) -> Times:
        """Return the last columns of what ends at times."""
        return -np.asarray((self.start - times) * self.columns // (self.end - self.start), np.int64) - 1

    def time(self, column: int) -> int:
        """Return when a column begins."""
        return self.start + column * (self.end - self.start) // self.columns


class Columns(NamedTuple):
    """The least and the greatest value in each column, NaN where there is none."""

    low: Floats
    high: Floats

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest value of all; None if there is none."""
        if np.isnan(self.high).all():
            return None
        return float(np.nanmin(self.low)), float(np.nanmax(self.high))


def round_axis(history: History, most: int) -> Axis:
    """Return an axis of so many columns at most, each of which begins at a round time."""
    length = max(history.end - history.start, 1)
    step = next((each for each in _STEPS if length <= each * (most - 1)), -(-length // (most - 1)))
    start = history.start // step * step
    columns = -(-max(history.end - start, 1) // step)
    return Axis(start, start + columns * step, columns)


def axis(history: History, columns: int) -> Axis:
    """Return the axis of an alarm's whole time."""
    return Axis(history.start, max(history.end, history.start + 1), columns)


def thinned(times: Times, values: Floats, seconds: int, on: Axis) -> Columns:
    """Put values on columns; each holds for so many `seconds` from its time. Those that are no number or outside are left out."""
    low, high = np.full(on.columns, np.inf), np.full(on.columns, -np.inf)
    kept = np.isfinite(values) & (times < on.end) & (times + seconds > on.start)
    times, values = times[kept], np.clip(values[kept], -_GREATEST, _GREATEST)
    first = np.clip(on.at(times), 0, on.columns - 1)
    last = np.clip(on.last(times + seconds), first, on.columns - 1)
    number = last - first + 1
    # Each value as often as it has columns, with the number of the column among those of the value.
    nth = np.arange(int(number.sum())) - np.repeat(np.cumsum(number) - number, number)
    column = np.repeat(first, number) + nth
    np.minimum.at(low, column, np.repeat(values, number))
    np.maximum.at(high, column, np.repeat(values, number))
    empty = low > high
    low[empty] = high[empty] = np.nan
    return Columns(low, high)


def stays(history: History) -> Iterator[tuple[State, int, int]]:
    """Yield each state an alarm was in, with its start and end; those that lasted no time are left out."""
    state, since = history.initial, history.start
    for change in history.transitions:
        if change.time > since:
            yield state, since, change.time
        state, since = change.after, max(since, change.time)
    if max(history.end, history.start + 1) > since:
        yield state, since, max(history.end, history.start + 1)


def bands(history: History, on: Axis) -> list[tuple[State, int, int]]:
    """Return the states as bands of columns: state, first column, and the one after the last; the gravest of a column counts."""
    painted = np.zeros(on.columns, np.int8)
    for state, start, end in stays(history):
        first, last = int(on.at(np.array(start))), int(on.last(np.array(end)))
        part = painted[max(first, 0) : last + 1]
        np.maximum(part, _GRAVITY.index(state), out=part)
    cuts = [0, *(np.flatnonzero(np.diff(painted)) + 1).tolist(), on.columns]
    return [(_GRAVITY[painted[cut]], cut, end) for cut, end in pairwise(cuts)]
