"""A log alarm and the results of its query in; what it held against its threshold, as points to draw, out."""

import numpy as np

from rolewatch.alarms.evaluate import evaluations
from rolewatch.alarms.graph import Graph
from rolewatch.alarms.log_results import LogResults, everywhere
from rolewatch.metrics.series import Floats, Times
from rolewatch.templates.definitions import LogAlarm


def log_graph(alarm: LogAlarm, results: LogResults, start: int, end: int, *, points: int = 2000) -> Graph:
    """Draw the results of all runs in `start < time <= end`, with at most about so many points.

    Of several contributors the one is drawn that is nearest to breaching, or furthest beyond the threshold.
    """
    every, below = alarm.query.every, alarm.comparison_operator.startswith("Less")
    runs = evaluations(start, end, every)
    values = _extremes(results, runs, below=below) if results.grouped else everywhere(results, runs).values
    group = -(-2 * len(runs) // points) if len(runs) > points else 1
    if group > 1:
        starts = np.arange(0, len(runs), group)
        lowest, highest = (extreme.reduceat(values, starts) for extreme in (np.fmin, np.fmax))
        runs, values = np.repeat(runs[starts], 2), np.stack([lowest, highest], axis=1).ravel()
    lower, upper = (alarm.threshold, None) if below else (None, alarm.threshold)
    return Graph(runs, values, every * group, lower, upper)


def _extremes(results: LogResults, runs: Times, *, below: bool) -> Floats:
    """Give the least or the greatest value of each run, NaN where there is none."""
    values = np.full(len(runs), np.nan)
    for each in results.contributors.values():
        inside = np.isin(each.runs, runs)
        places = np.searchsorted(runs, each.runs[inside])
        (np.fmin if below else np.fmax).at(values, places, each.values[inside])
    return values
