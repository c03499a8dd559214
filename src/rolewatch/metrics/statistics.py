"""A series and windows of time in; a statistic for each window out."""

from collections.abc import Callable

import numpy as np

from rolewatch.metrics.distribution import Flags, distributed
from rolewatch.metrics.reduction import slice_maxima, slice_minima, slice_sums
from rolewatch.metrics.series import Floats, Ints, Series, Times
from rolewatch.templates.statistic import Statistic


def windowed(series: Series, starts: Times, ends: Times, statistic: Statistic) -> tuple[Flags, Floats]:
    """Give the statistic of the datapoints whose interval starts in `starts[i] <= time < ends[i]`, in epoch seconds.

    The arrays may have any shape, the same one; so do the results: whether there is a value, and the value (0 if none).
    A window without datapoints has none, nor has one of negative values where the statistic needs the values themselves.
    """
    first = np.searchsorted(series.times, starts)
    last = np.maximum(np.searchsorted(series.times, ends), first)
    filled = last > first
    if statistic.simple:
        return filled, _SIMPLE[statistic.kind](series, first, last, filled)
    present, values = np.zeros(filled.shape, np.bool_), np.zeros(filled.shape)
    present[filled], values[filled] = distributed(series, first[filled], last[filled], statistic)
    return present, values


def sample_counts(series: Series, starts: Times, ends: Times) -> Floats:
    """Give the number of samples in each window, 0 if there are none."""
    first = np.searchsorted(series.times, starts)
    last = np.maximum(np.searchsorted(series.times, ends), first)
    return slice_sums(series.sample_counts, first, last)


def _count(series: Series, first: Ints, last: Ints, _filled: Flags) -> Floats:
    return slice_sums(series.sample_counts, first, last)


def _sum(series: Series, first: Ints, last: Ints, _filled: Flags) -> Floats:
    return slice_sums(series.sums, first, last)


def _average(series: Series, first: Ints, last: Ints, filled: Flags) -> Floats:
    counts = slice_sums(series.sample_counts, first, last)
    return slice_sums(series.sums, first, last) / np.where(filled, counts, 1.0)


def _minimum(series: Series, first: Ints, last: Ints, filled: Flags) -> Floats:
    return np.where(filled, slice_minima(series.minima, first, last), 0.0)


def _maximum(series: Series, first: Ints, last: Ints, filled: Flags) -> Floats:
    return np.where(filled, slice_maxima(series.maxima, first, last), 0.0)


_SIMPLE: dict[str, Callable[[Series, Ints, Ints, Flags], Floats]] = {
    "SampleCount": _count,
    "Sum": _sum,
    "Average": _average,
    "Minimum": _minimum,
    "Maximum": _maximum,
}
