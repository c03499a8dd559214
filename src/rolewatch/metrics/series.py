"""The datapoints of a metric: statistic sets, one for each minute (or shorter interval) that had any.

CloudWatch aggregates what arrives within a minute into a statistic set (spec/metric-filter.md §3). Percentiles need the
values themselves, so they are kept, each distinct value once with the number of its occurrences.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Series(NamedTuple):
    """Datapoints in ascending order of time; all arrays but the last three have one element for each.

    `times` are the starts of the intervals in epoch seconds. The values of datapoint i are `values[offsets[i]:offsets[i + 1]]`,
    each occurring as often as `weights` says.
    """

    times: Times
    sample_counts: Floats
    sums: Floats
    minima: Floats
    maxima: Floats
    values: Floats
    weights: Ints
    offsets: Ints


def series_of(datapoints: Mapping[int, Mapping[float, int]]) -> Series:
    """Make a series from values: start of the interval in epoch seconds → value → number of occurrences (at least 1)."""
    times = sorted(time for time, values in datapoints.items() if values)
    sets = [sorted(datapoints[time].items()) for time in times]
    values = np.array([value for each in sets for value, _ in each], np.float64)
    weights = np.array([weight for each in sets for _, weight in each], np.int64)
    offsets = np.cumsum([0, *map(len, sets)], dtype=np.int64)
    starts = offsets[:-1]
    if not times:
        nothing = np.empty(0)
        return Series(np.empty(0, np.int64), nothing, nothing, nothing, nothing, values, weights, offsets)
    return Series(
        np.array(times, np.int64),
        np.add.reduceat(weights, starts).astype(np.float64),
        np.add.reduceat(values * weights, starts),
        values[starts],
        values[offsets[1:] - 1],
        values,
        weights,
        offsets,
    )


def merged(parts: Iterable[Mapping[int, Mapping[float, int]]]) -> dict[int, dict[float, int]]:
    """Add up datapoints of the same metric."""
    whole: dict[int, dict[float, int]] = {}
    for part in parts:
        for time, values in part.items():
            kept = whole.setdefault(time, {})
            for value, weight in values.items():
                kept[value] = kept.get(value, 0) + weight
    return whole
