"""What an alarm of a replay held against its threshold, as points to draw."""

from typing import Final

from rolewatch.alarms.graph import Graph, graph
from rolewatch.alarms.history import History
from rolewatch.alarms.log_graph import log_graph
from rolewatch.base.errors import UsageError
from rolewatch.scan.replayed import Replayed
from rolewatch.templates.definitions import CompositeAlarm, LogAlarm

#: More than any chart has columns.
POINTS: Final = 3000


def graph_of(replayed: Replayed, history: History) -> Graph | None:
    """Return the values as the alarm saw them; None for a composite alarm."""
    alarm = history.alarm
    if isinstance(alarm, CompositeAlarm):
        return None
    if isinstance(alarm, LogAlarm):
        results = replayed.logs[alarm.name].results
        return log_graph(alarm, results, history.start, history.end, points=POINTS)
    try:
        return graph(
            alarm, replayed.metrics, history.start, history.end,
            delay=replayed.delay, points=POINTS, detectors=replayed.template.anomaly_detectors,
        )  # fmt: skip
    except UsageError:  # that it cannot be evaluated is among the notices
        return None


def threshold_of(drawn: Graph) -> float | None:
    """Return the threshold; None where the bounds are a band."""
    bounds = [bound for bound in (drawn.lower, drawn.upper) if bound is not None]
    return bounds[0] if len(bounds) == 1 and isinstance(bounds[0], float) else None
