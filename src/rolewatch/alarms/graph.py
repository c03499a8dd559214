"""An alarm and the datapoints of its metrics in; what it held against its threshold, as points to draw, out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rolewatch.alarms.evaluate import evaluations, whole_minutes
from rolewatch.alarms.watch import Metrics, Points, Watch
from rolewatch.metrics.series import Floats, Ints, Times
from rolewatch.templates.definitions import Alarm, AnomalyDetector

_AT_ONCE = 2_000_000  # periods in memory at a time


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
    times = evaluations(start, end, watch.every)
    parts = [_newest(watch, part, whole_minutes(delay)) for part in _chunks(watch, times)]
    if not parts:
        parts = [watch.unseen()._replace(present=np.empty(0, np.bool_), values=np.empty(0))]
    values = np.concatenate([np.where(part.present, part.values, np.nan) for part in parts])
    seconds = watch.every
    kept = np.arange(len(times))
    lower, upper = _joined([part.lower for part in parts]), _joined([part.upper for part in parts])
    if len(times) > points:
        group = -(-2 * len(times) // points)
        seconds *= group
        kept = _extremes(values, lower, upper, group)
        times = times[kept // group * group]
    if watch.band is None:
        below = alarm.comparison_operator.startswith("Less")
        return Graph(
            times, values[kept], seconds, *((alarm.threshold, None) if below else (None, alarm.threshold))
        )
    assert lower is not None  # noqa: S101 - a band has both
    assert upper is not None  # noqa: S101
    return Graph(times, values[kept], seconds, lower[kept], upper[kept])


def _chunks(watch: Watch, times: Times) -> list[Times]:
    size = _AT_ONCE // watch.reach if watch.along else _AT_ONCE
    return [times[at : at + size] for at in range(0, len(times), max(size, 1))]


def _newest(watch: Watch, ends: Times, delay: int) -> Points:
    """Give the newest period of which something is visible."""
    whole, hidden = divmod(delay, watch.period)
    if not watch.along:
        return watch.points(ends - whole * watch.period, hidden)
    column = max(watch.reach - 1 - whole, 0)
    seen = watch.ranges(ends, delay)
    return Points(seen.present[:, column], seen.values[:, column], None)


def _joined(parts: list[Floats | None]) -> Floats | None:
    arrays = [part for part in parts if part is not None]
    return np.concatenate(arrays) if arrays else None


def _extremes(values: Floats, lower: Floats | None, upper: Floats | None, group: int) -> Ints:
    """Find in each group the value that is lowest and the one that is highest against its bound: their places."""
    rows = -(-len(values) // group)
    places = []
    for sign, bound in ((-1, lower), (1, upper)):
        height = sign * (values if bound is None else values - bound)
        padded = np.full(rows * group, -np.inf)
        padded[: len(values)] = np.where(np.isnan(height), -np.inf, height)
        places.append(padded.reshape(rows, group).argmax(axis=1) + np.arange(rows) * group)
    return np.stack(places, axis=1).ravel()
