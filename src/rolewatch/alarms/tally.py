"""What an alarm sees in, how many of the datapoints in its range are there and how many breach out.

Three ways, by what is cheapest, to the same numbers: row by row (few evaluations, or expressions that look along the range),
from running sums over every step (dense data), or from the changes alone (sparse data; the cost is that of the datapoints).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np

from rolewatch.alarms.functions import distinct
from rolewatch.alarms.watch import Points, Watch
from rolewatch.metrics.series import Ints, Times

# Numbers that are summed together, in one integer: datapoints that are there, that breach, that have too few samples.
_BREACHING: Final = 1 << 20
_INSIGNIFICANT: Final = 1 << 40
_COUNT: Final = (1 << 20) - 1

_FEW: Final = 20_000  # datapoints that are looked at one by one without much ado
_AT_ONCE: Final = 2_000_000  # datapoints in memory at a time
_EVENT: Final = 1.5  # what a change costs, in steps


class Tally(NamedTuple):
    """Numbers for evaluations at `ends`, of the datapoints that decide: the `wanted` newest that are there, or all.

    `young` counts those there among the `needed - 1` newest periods, and is right only where fewer than wanted are there.
    """

    ends: Times
    real: Ints
    breaching: Ints
    insignificant: Ints
    young: Ints


def tallies(watch: Watch, ends: Times, delay: int, *, every_end: bool) -> Iterator[Tally]:
    """Yield the numbers for evaluations at these ends in ascending order, a part at a time.

    Unless `every_end` is asked for, evaluations that cannot differ from the one before are left out.
    """
    if not len(ends):
        return
    first, last = int(ends[0]), int(ends[-1])
    if len(ends) * watch.reach <= _FEW:
        yield from _by_rows(watch, ends, delay)
        return
    start = first - watch.reach * watch.period
    most = watch.most_changes(start, last)
    # What cannot be seen because of a delay may differ from period to period where it depends on the time.
    one_by_one = not (watch.along or (most is None and delay > 0))
    changes = None
    if most is not None and _EVENT * most * watch.reach <= (last - start) // watch.step:
        changes = watch.changes(start, last)
    if changes is None:
        counter: _Counter | None = _Steps(watch, start, last, delay) if one_by_one else None
    else:
        sparse = _Changes(watch, changes, start, last, delay) if one_by_one else None
        if not every_end:
            times = _affected(watch, changes, delay) if sparse is None else sparse.affected
            times = -(-times // watch.every) * watch.every
            ends = distinct(np.append(times[(times > first) & (times <= last)], first))
        counter = sparse
    yield from _by_rows(watch, ends, delay) if counter is None else [_counted(watch, counter, ends)]


def _packed(watch: Watch, points: Points) -> Ints:
    breaching, insignificant = watch.breaching(points), watch.insignificant(points)
    return points.present + breaching * np.int64(_BREACHING) + insignificant * np.int64(_INSIGNIFICANT)


def _by_rows(watch: Watch, ends: Times, delay: int) -> Iterator[Tally]:
    rows = max(_AT_ONCE // watch.reach, 1)
    for start in range(0, len(ends), rows):
        part = ends[start : start + rows]
        points = watch.ranges(part, delay)
        packed = _packed(watch, points)
        newest = np.cumsum(points.present[:, ::-1], axis=1)[:, ::-1]
        decides = np.where(newest <= watch.wanted, packed, 0).sum(axis=1)
        young = points.present[:, watch.reach - watch.needed + 1 :].sum(axis=1)
        yield _unpacked(part, decides, young)


def _unpacked(ends: Times, packed: Ints, young: Ints) -> Tally:
    return Tally(ends, packed & _COUNT, packed // _BREACHING & _COUNT, packed // _INSIGNIFICANT, young)


class _Counter(Protocol):
    """Packed numbers of periods, counted from the newest (0) of an evaluation at `ends`."""

    def count(self, periods: int, ends: Times) -> Ints:
        """Sum over the newest periods."""

    def one(self, period: int, ends: Times) -> Ints:
        """Give those of one period."""


def _counted(watch: Watch, counter: _Counter, ends: Times) -> Tally:
    packed = counter.count(watch.reach, ends)
    surplus = (packed & _COUNT) - watch.wanted
    many = np.flatnonzero(surplus > 0)
    # More are there than wanted, by one or two: the oldest do not count. Of two surplus both are the oldest periods; of one,
    # it is the oldest period, or the second oldest if that is where the gap is.
    oldest, second = (counter.one(watch.reach - back, ends[many]) for back in (1, 2))
    packed[many] -= oldest + np.where((surplus[many] == 2) | (oldest == 0), second, 0)
    young = np.zeros_like(packed)
    few = np.flatnonzero(surplus < 0)
    young[few] = counter.count(watch.needed - 1, ends[few]) & _COUNT
    return _unpacked(ends, packed, young)


class _Delayed(ABC):
    """Sums over periods some of which are hidden by a delay, wholly or in part."""

    def __init__(self, watch: Watch, delay: int) -> None:
        self.period = watch.period
        self.whole, self.hidden = divmod(delay, watch.period)
        self.first_full = self.whole + (self.hidden > 0)
        self.nothing = int(_packed(watch, watch.unseen())[0]) if self.whole else 0

    def count(self, periods: int, ends: Times) -> Ints:
        """Sum over the newest periods."""
        total = np.full(ends.shape, min(self.whole, periods) * self.nothing)
        if self.hidden and periods > self.whole:
            total += self.part(ends - self.whole * self.period)
        if periods > self.first_full:
            total += self.full_sum(self.first_full, periods, ends)
        return total

    def one(self, period: int, ends: Times) -> Ints:
        """Give those of one period."""
        if period < self.whole:
            return np.full(ends.shape, self.nothing)
        if period < self.first_full:
            return self.part(ends - period * self.period)
        return self.full(ends - period * self.period)

    @abstractmethod
    def part(self, ends: Times) -> Ints:
        """Give those of the period with this end, whose last seconds are hidden."""

    @abstractmethod
    def full(self, ends: Times) -> Ints:
        """Give those of the period with this end."""

    @abstractmethod
    def full_sum(self, first: int, stop: int, ends: Times) -> Ints:
        """Sum over the periods `first <= period < stop`."""


class _Steps(_Delayed):
    """The numbers of every period on the grid, and their running sums at the distance of a period."""

    def __init__(self, watch: Watch, start: int, last: int, delay: int) -> None:
        super().__init__(watch, delay)
        self.start, self.step = start, watch.step
        ends = np.arange(start, last + 1, watch.step)
        self._full = _packed(watch, watch.points(ends))
        self._part = _packed(watch, watch.points(ends, self.hidden)) if self.hidden else self._full
        columns = watch.period // watch.step
        rows = -(-len(ends) // columns)
        padded = np.zeros(rows * columns, np.int64)
        padded[: len(ends)] = self._full
        self._running = np.cumsum(padded.reshape(rows, columns), axis=0).ravel()

    def part(self, ends: Times) -> Ints:
        """Look it up."""
        return self._part[(ends - self.start) // self.step]

    def full(self, ends: Times) -> Ints:
        """Look it up."""
        return self._full[(ends - self.start) // self.step]

    def full_sum(self, first: int, stop: int, ends: Times) -> Ints:
        """Subtract running sums."""
        at = (ends - self.start) // self.step
        columns = self.period // self.step
        return self._running[at - first * columns] - self._running[at - stop * columns]


class _Changes(_Delayed):
    """The numbers of periods as functions of their end that change at a few times only."""

    def __init__(self, watch: Watch, changes: Times, start: int, last: int, delay: int) -> None:
        super().__init__(watch, delay)
        self._reach = watch.reach
        self._full = _Function.of(watch, changes, start, 0)
        if self.hidden:
            hidden = watch.changes(start, last, self.hidden)
            assert hidden is not None  # noqa: S101 - as those of whole periods are known
            self._part = _Function.of(watch, hidden, start, self.hidden)

    @property
    def affected(self) -> Times:
        """The times at which a number may change for an evaluation."""
        shifts = np.arange(self.first_full, self._reach) * self.period
        times = [(self._full.ends[1:] + shifts[:, None]).ravel()]
        if self.hidden:
            times.append(self._part.ends[1:] + self.whole * self.period)
        return np.concatenate(times)

    def part(self, ends: Times) -> Ints:
        """Look it up."""
        return self._part.at(ends)

    def full(self, ends: Times) -> Ints:
        """Look it up."""
        return self._full.at(ends)

    def full_sum(self, first: int, stop: int, ends: Times) -> Ints:
        """Add up all changes that each period has seen."""
        times = (self._full.ends[1:] + np.arange(first, stop)[:, None] * self.period).ravel()
        steps = np.broadcast_to(np.diff(self._full.packed), (stop - first, len(self._full.ends) - 1)).ravel()
        order = np.argsort(times, kind="stable")
        reached = np.concatenate(([0], np.cumsum(steps[order]))) + (stop - first) * self._full.packed[0]
        return np.asarray(reached[np.searchsorted(times[order], ends, "right")])


class _Function(NamedTuple):
    """Packed numbers from each of `ends` on."""

    ends: Times
    packed: Ints

    @classmethod
    def of(cls, watch: Watch, changes: Times, start: int, hidden: int) -> "_Function":
        """Compute the numbers where they may change, and keep those that do."""
        ends = np.append(np.int64(start), changes)
        packed = _packed(watch, watch.points(ends, hidden))
        kept = np.append(np.True_, packed[1:] != packed[:-1])
        return cls(ends[kept], packed[kept])

    def at(self, ends: Times) -> Ints:
        """Look up the numbers at some ends."""
        return self.packed[np.searchsorted(self.ends, ends, "right") - 1]


def _affected(watch: Watch, changes: Times, delay: int) -> Times:
    """Give the times at which an evaluation may see something else, where periods are not looked at one by one."""
    whole, hidden = divmod(delay, watch.period)
    cut = changes if not hidden else np.concatenate([changes, changes + hidden])
    shifts = np.arange(whole, watch.reach) * watch.period
    return (cut + shifts[:, None]).ravel()
