"""Windows over a series in; percentiles, trimmed and winsorized statistics of the values in each window out.

CloudWatch keeps a sketch and says of the exact rule only: p99 is the greatest value after the 1 % of the samples with
the highest values are left out, and tm99 the average of the same samples ("CloudWatch statistics definitions"). So here
n samples are ranked from 1, and the part from l to u keeps the ranks above floor(l·n) up to ceil(u·n): nearest rank.
Values as bounds exclude the lower and include the upper one.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rolewatch.metrics.series import Floats, Ints, Series
from rolewatch.templates.statistic import Statistic

Flags = NDArray[np.bool_]
_AT_ONCE = 4_000_000  # values that are sorted together: about 200 MB


class _Sorted(NamedTuple):
    """The values of some windows, each window's in ascending order, one window after the other.

    `starts` says where a window begins; `below` is the number of samples of its window before a value.
    """

    values: Floats
    weights: Ints
    below: Ints
    starts: Ints
    samples: Ints  # of each window

    def spread(self, by_window: Ints) -> Ints:
        """Repeat a number per window for each of its values."""
        return np.repeat(by_window, np.diff(self.starts, append=len(self.values)))

    def sums(self, by_value: Floats) -> Floats:
        """Sum what is given for each value over its window."""
        return np.add.reduceat(by_value, self.starts)

    def at_rank(self, rank: Ints) -> Floats:
        """Give the value of the sample of a rank from 1, for each window."""
        reached = self.below + self.weights + self.spread(self._before)
        return self.values[np.searchsorted(reached, self._before + rank)]

    @property
    def _before(self) -> Ints:
        """The number of samples in the windows before each window."""
        return np.cumsum(self.samples) - self.samples


def distributed(series: Series, first: Ints, last: Ints, statistic: Statistic) -> tuple[Flags, Floats]:
    """Give a statistic of the datapoints `first[i]:last[i]`, none of them empty: whether there is one, and its value.

    There is none where a value is negative (spec/alarm.md §1), and no mean of no samples.
    """
    present = np.zeros(len(first), np.bool_)
    values = np.zeros(len(first))
    order = np.argsort(series.values, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    for chunk in _chunks(series.offsets[last] - series.offsets[first]):
        windows = _sorted(series, order, rank, series.offsets[first[chunk]], series.offsets[last[chunk]])
        there, result = _STATISTICS[statistic.kind](windows, statistic)
        present[chunk] = there & (windows.values[windows.starts] >= 0)
        values[chunk] = result
    return present, np.where(present, values, 0.0)


def _chunks(sizes: Ints) -> Iterator[slice]:
    reached = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = reached[start - 1] if start else 0
        stop = max(int(np.searchsorted(reached, before + _AT_ONCE, "right")), start + 1)
        yield slice(start, stop)
        start = stop


def _sorted(series: Series, order: Ints, rank: Ints, first: Ints, last: Ints) -> _Sorted:
    sizes = last - first
    starts = np.cumsum(sizes) - sizes
    window = np.repeat(np.arange(len(first)), sizes)
    element = np.arange(len(window)) + np.repeat(first - starts, sizes)
    # One key for window and rank: sorting plain integers is several times as fast as sorting by two keys.
    keys = np.sort(window * len(rank) + rank[element])
    element = order[keys % len(rank)]
    weights = series.weights[element]
    reached = np.cumsum(weights)
    samples = np.add.reduceat(weights, starts)
    below = reached - weights - np.repeat(np.cumsum(samples) - samples, sizes)
    return _Sorted(series.values[element], weights, below, starts, samples)


def _floor(part: Fraction | None, samples: Ints) -> Ints:
    """Multiply exactly and round down; None is no part."""
    if part is None:
        return np.zeros_like(samples)
    if part.numerator * int(samples.max()) < 2**63:
        return samples * part.numerator // part.denominator
    return np.array([count * part.numerator // part.denominator for count in samples.tolist()], np.int64)


def _ceil(part: Fraction | None, samples: Ints) -> Ints:
    """Multiply exactly and round up; None is the whole."""
    return samples if part is None else samples - _floor(1 - part, samples)


def _percentile(windows: _Sorted, statistic: Statistic) -> tuple[Flags, Floats]:
    rank = np.maximum(_ceil(statistic.upper, windows.samples), 1)
    return np.ones(len(rank), np.bool_), windows.at_rank(rank)


def _kept(windows: _Sorted, statistic: Statistic) -> tuple[Ints, Ints, Floats]:
    """Give the samples left of each value, their number for each window and their sum."""
    if statistic.percent:
        low = windows.spread(_floor(statistic.lower, windows.samples))
        high = windows.spread(_ceil(statistic.upper, windows.samples))
        left = np.minimum(windows.below + windows.weights, high) - np.maximum(windows.below, low)
        left = np.maximum(left, 0)
    else:
        lower, upper = _values(statistic)
        left = np.where((windows.values > lower) & (windows.values <= upper), windows.weights, 0)
    count = np.add.reduceat(left, windows.starts)
    return left, count, windows.sums(windows.values * left)


def _values(statistic: Statistic) -> tuple[float, float]:
    lower = -np.inf if statistic.lower is None else float(statistic.lower)
    return lower, np.inf if statistic.upper is None else float(statistic.upper)


def _trimmed_mean(windows: _Sorted, statistic: Statistic) -> tuple[Flags, Floats]:
    _, count, total = _kept(windows, statistic)
    return count > 0, total / np.maximum(count, 1)


def _trimmed_count(windows: _Sorted, statistic: Statistic) -> tuple[Flags, Floats]:
    _, count, _ = _kept(windows, statistic)
    return np.ones(len(count), np.bool_), count.astype(np.float64)


def _trimmed_sum(windows: _Sorted, statistic: Statistic) -> tuple[Flags, Floats]:
    _, count, total = _kept(windows, statistic)
    return np.ones(len(count), np.bool_), total


def _winsorized_mean(windows: _Sorted, statistic: Statistic) -> tuple[Flags, Floats]:
    """Average with what lies outside counted as if it lay on the bound."""
    if statistic.percent:
        low = _floor(statistic.lower, windows.samples)
        high = np.maximum(_ceil(statistic.upper, windows.samples), 1)
        _, _, total = _kept(windows, statistic)
        total = total + low * windows.at_rank(np.minimum(low + 1, windows.samples))
        total = total + (windows.samples - high) * windows.at_rank(high)
    else:
        total = windows.sums(np.clip(windows.values, *_values(statistic)) * windows.weights)
    return np.ones(len(total), np.bool_), total / windows.samples


def _percentile_rank(windows: _Sorted, statistic: Statistic) -> tuple[Flags, Floats]:
    _, count, _ = _kept(windows, statistic)
    return np.ones(len(count), np.bool_), 100.0 * count / windows.samples


_STATISTICS: dict[str, Callable[[_Sorted, Statistic], tuple[Flags, Floats]]] = {
    "p": _percentile,
    "tm": _trimmed_mean,
    "tc": _trimmed_count,
    "ts": _trimmed_sum,
    "wm": _winsorized_mean,
    "pr": _percentile_rank,
}
