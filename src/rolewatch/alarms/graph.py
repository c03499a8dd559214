"""An alarm and the datapoints of its metrics in; what it held against its threshold, as points to draw, out."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from rolewatch.alarms.evaluate import evaluations, whole_minutes
from rolewatch.alarms.functions import distinct
from rolewatch.alarms.watch import Metrics, Watch
from rolewatch.metrics.series import Floats, Ints, Times
from rolewatch.templates.definitions import Alarm, AnomalyDetector

_AT_ONCE = 500_000  # periods in memory at a time
_SPARSE = 4  # evaluations for each change, from which on only the changes are looked at


class Graph(NamedTuple):
    """The value of the newest visible period as each evaluation saw it, NaN where it was missing.

    A value holds from its time (epoch seconds) for `seconds`. Where there would be too many, each time stands twice: with
    the lowest and the highest value (against the bounds, where these vary) within these seconds. `lower` and `upper` are what
    values lie below or above when they breach: a threshold, an anomaly band (NaN where it is unknown), or None.
    """

    times: Times
    values: Floats
    seconds: int
    lower: Floats | float | None
    upper: Floats | float | None


def graph(
    alarm: Alarm,
    metrics: Metrics,
    start: int,
    end: int,
    *,
    delay: int = 0,
    points: int = 2000,
    detectors: Sequence[AnomalyDetector] = (),
) -> Graph:
    """Draw an alarm's values over `start < time <= end`, with at most about so many points; all else as in `replay`.

    Thinning loses no value beyond a bound.
    """
    watch = Watch(alarm, metrics, detectors)
    number = end // watch.every - start // watch.every
    group = -(-2 * number // points) if number > points else 1
    parts = [_drawn(watch, times, whole_minutes(delay), group) for times in _chunks(watch, start, end, group)]
    times = np.concatenate([each for each, _ in parts])
    values, *bounds = np.concatenate([figures for _, figures in parts], axis=1)
    lower, upper = bounds or (None, None)
    if watch.band is None:
        below = alarm.comparison_operator.startswith("Less")
        lower, upper = (alarm.threshold, None) if below else (None, alarm.threshold)
    return Graph(times, values, watch.every * group, lower, upper)


def _chunks(watch: Watch, start: int, end: int, group: int) -> Iterator[Times]:
    """Yield the times of evaluation, whole groups of them at a time; at least once."""
    size = max(_AT_ONCE // group, 1) * group * watch.every
    first, last = (time // watch.every * watch.every for time in (start, end))
    for at in range(first, max(last, first + 1), size):
        yield evaluations(at, min(at + size, last), watch.every)


def _drawn(watch: Watch, times: Times, delay: int, group: int) -> tuple[Times, Floats]:
    """Give times and the figures that hold from them on, two for each group."""
    kept = _telling(watch, times, delay, group)
    figures = _newest(watch, times[kept], delay)
    if group == 1:
        return times, figures
    places = _extremes(figures, np.searchsorted(kept, np.arange(0, len(times), group)))
    return times[kept[places] // group * group], figures[:, places]


def _telling(watch: Watch, times: Times, delay: int, group: int) -> Ints:
    """Give the places of evaluations that may see another value than the one before, and of the first of each group."""
    every = np.arange(len(times))
    if watch.along or group == 1:
        return every
    whole, hidden = divmod(delay, watch.period)
    first, last = (int(time) - whole * watch.period for time in times[[0, -1]])
    most = watch.most_changes(first, last)
    changes = None if most is None or _SPARSE * most > len(times) else watch.changes(first, last, hidden)
    if changes is None:
        return every
    return distinct(np.append(-((first - changes) // watch.every), every[::group]))


def _newest(watch: Watch, ends: Times, delay: int) -> Floats:
    """Give what evaluations see in the newest period of which something is visible: a row of values, and of each bound that varies."""
    whole, hidden = divmod(delay, watch.period)
    if watch.along:
        column, rows = max(watch.reach - 1 - whole, 0), max(_AT_ONCE // watch.reach, 1)
        parts = (watch.ranges(ends[at : at + rows], delay) for at in range(0, max(len(ends), 1), rows))
        values = [np.where(part.present[:, column], part.values[:, column], np.nan) for part in parts]
        return np.concatenate(values)[None]
    seen = watch.points(ends - whole * watch.period, hidden)
    bounds = [bound for bound in (seen.lower, seen.upper) if bound is not None]
    return np.stack([np.where(seen.present, seen.values, np.nan), *bounds])


def _extremes(figures: Floats, starts: Ints) -> Ints:
    """Find in each group the value that is lowest and the one that is highest against its bound: their places."""
    value, lower, upper = figures if len(figures) > 1 else (figures[0], 0.0, 0.0)
    sizes = np.diff(starts, append=len(value))
    places = []
    with np.errstate(over="ignore"):
        heights = lower - value, value - upper
    for height in heights:
        known = np.where(np.isnan(height), -np.inf, height)
        hits = np.flatnonzero(known == np.repeat(np.maximum.reduceat(known, starts), sizes))
        places.append(hits[np.searchsorted(hits, starts)])
    return np.stack(places, axis=1).ravel()
