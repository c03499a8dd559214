"""An alarm and a time in; what it held against its threshold, from the datapoints that are kept, as points to draw, out."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from rolewatch.alarms.graph import Graph, graph
from rolewatch.alarms.watch import Metrics
from rolewatch.store import datapoints
from rolewatch.templates.definitions import Alarm, AnomalyDetector
from rolewatch.watch.alarm_definitions import Reach
from rolewatch.watch.alarm_evaluation import Known, metrics_of


class Window(NamedTuple):
    """A stretch of time, `start < time <= end` (seconds since 1970), and the number of points that are drawn of it at most."""

    start: int
    end: int
    points: int = 2000


def metrics_in(connection: sa.Connection, reach: Reach, window: Window) -> Metrics:
    """Load the datapoints that an alarm looks at in a stretch of time."""
    series = {metric: datapoints.units(connection, *metric) for metric in reach.metrics}
    numbers = [number for units in series.values() for number in units.values()]
    values = datapoints.load(connection, numbers, window.start - reach.seconds, window.end)
    return metrics_of(Known(series, values, {}), reach.metrics)


def picture(
    connection: sa.Connection,
    alarm: Alarm,
    reach: Reach,
    window: Window,
    detectors: Sequence[AnomalyDetector] = (),
) -> Graph:
    """Draw the values that an alarm has seen."""
    metrics = metrics_in(connection, reach, window)
    return graph(alarm, metrics, window.start, window.end, points=window.points, detectors=detectors)
