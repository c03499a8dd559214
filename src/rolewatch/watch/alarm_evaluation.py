"""What is known of metrics, and the states that alarms are in, in; what they do until a time out.

The evaluation is that of a replay (`rolewatch.alarms`), a part of the time after the other: between two parts datapoints
become known that have arrived meanwhile. So each evaluation sees what had arrived before it, whenever it is made.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from rolewatch.alarms.composite import Setting, follow
from rolewatch.alarms.evaluate import evaluations, replay
from rolewatch.alarms.history import History, State, Transition
from rolewatch.alarms.watch import Metrics
from rolewatch.metrics.series import series_of
from rolewatch.store.datapoints import Point, Values
from rolewatch.templates.definitions import Alarm, Metric
from rolewatch.watch.alarm_counts import add
from rolewatch.watch.alarm_definitions import Definitions, within

NO_HISTORIES: Final[Mapping[str, History]] = MappingProxyType({})
_MINUTE = 60


class Known(NamedTuple):
    """What is known of metrics.

    `series`: their series' numbers, by unit; `values`: the datapoints of these; `arriving`: those that are not seen before a
    time (seconds since 1970), by that time, in order.
    """

    series: Mapping[Metric, Mapping[str, int]]
    values: Mapping[int, Values]
    arriving: Mapping[int, Sequence[Point]]


def evaluated(
    definitions: Definitions,
    states: Mapping[str, State],
    known: Known,
    start: int,
    end: int,
    *,
    logs: Mapping[str, History] = NO_HISTORIES,
) -> dict[str, History]:
    """Evaluate the alarms that have a state, over `start < time <= end` (seconds since 1970); `logs` is what log alarms do.

    A composite alarm in INSUFFICIENT_DATA is taken for a new one: none ever goes back to that.
    """
    histories = {
        alarm.name: _history(alarm, states[alarm.name], definitions, known, (start, end))
        for alarm in definitions.alarms
        if alarm.name in states
    }
    histories |= logs
    composites = within((alarm for alarm in definitions.composites if alarm.name in states), histories)
    composed = {alarm.name for alarm in composites}
    initial = {
        name: state
        for name, state in states.items()
        if name not in composed or state is not State.INSUFFICIENT_DATA
    }
    minutes = evaluations(start, end, _MINUTE)
    first = int(minutes[0]) if len(minutes) else None
    setting = Setting(start, end, first, initial, definitions.arn_prefix)
    followed, _ = follow(composites, histories, (), setting)
    return histories | {history.alarm.name: history for history in followed}


def metrics_of(known: Known, metrics: Iterable[Metric]) -> Metrics:
    """Give the series of metrics, without what is not seen yet."""
    return _metrics({metric: known.series.get(metric, {}) for metric in metrics}, known.values)


def _history(
    alarm: Alarm, state: State, definitions: Definitions, known: Known, span: tuple[int, int]
) -> History:
    """Evaluate one alarm, part by part: a new one begins with each time at which more of its metrics is seen."""
    start, end = span
    reach = definitions.reaches[alarm.name]
    series = {metric: known.series.get(metric, {}) for metric in reach.metrics}
    numbers = {number for units in series.values() for number in units.values()}
    values = {number: dict(known.values.get(number, {})) for number in numbers}
    initial, transitions = state, list[Transition]()
    parts = [*_parts(numbers, known.arriving), (end + 1, ())]
    begin = start
    for seen, points in parts:
        until = min(seen - 1, end)
        if len(evaluations(begin, until, reach.every)):
            (history,), _ = replay(
                [alarm], (), _metrics(series, values),
                start=begin, end=until, initial={alarm.name: state}, detectors=definitions.detectors,
            )  # fmt: skip
            transitions += history.transitions
            state = history.final
        begin = max(begin, until)
        for point in points:
            kept = values[point.series]
            kept[point.minute] = dict(kept.get(point.minute, {}))  # the others' is left as it is
            add(kept, {point.minute: {point.value: point.number}})
    return History(alarm, start, end, initial, tuple(transitions))


def _parts(
    numbers: set[int], arriving: Mapping[int, Sequence[Point]]
) -> Iterable[tuple[int, Sequence[Point]]]:
    """Give the times at which something of some series is seen, and what it is."""
    for seen, points in arriving.items():
        own = [point for point in points if point.series in numbers]
        if own:
            yield seen, own


def _metrics(series: Mapping[Metric, Mapping[str, int]], values: Mapping[int, Values]) -> Metrics:
    return {
        metric: {unit: series_of(values.get(number, {})) for unit, number in units.items()}
        for metric, units in series.items()
    }
