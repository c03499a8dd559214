"""What pages and the API show of an alarm over a stretch of time: its states as bands, what it saw, what other settings had done.

Times within are in seconds since 1970; what is given to pages and programs is spelled out.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.graph import Graph
from rolewatch.alarms.history import AnyAlarm, History, State, Transition
from rolewatch.alarms.watch import Metrics
from rolewatch.metrics.series import Floats
from rolewatch.report.replay_columns import Axis, round_axis, thinned
from rolewatch.report.replay_columns import bands as columns_of_states
from rolewatch.report.replay_graph import threshold_of
from rolewatch.templates.definitions import Actions, Alarm, AnomalyDetector, CompositeAlarm, Place
from rolewatch.watch.alarm_telling import spelled

Missing = Literal["missing", "ignore", "breaching", "notBreaching"]
ROWS: Final = 48  # of the graph's numbers as a table
#: Whose states do not depend on what it is.
_NOBODY: Final = CompositeAlarm("", "", None, "FALSE", Actions(), None, 0, 0, Place("", 0, 0, ""))


class Stretch(NamedTuple):
    """A stretch of time that is looked at, and until when of it alarms were evaluated."""

    since: int
    until: int
    known: int


class Settings(NamedTuple):
    """Settings of an alarm that are tried; None for those that it has."""

    threshold: float | None = None
    periods: int | None = None
    datapoints: int | None = None
    missing: Missing | None = None

    @property
    def given(self) -> bool:
        """Whether any is."""
        return any(each is not None for each in self)


class Stay(NamedTuple):
    """A state, and from when to when an alarm was in it."""

    state: str
    since: int
    until: int


def stays(changes: Sequence[tuple[int, str, str]], state: str, created: int, over: Stretch) -> list[Stay]:
    """Give the states of an alarm over a stretch of time by its changes since then (time, before, after), in order, and its state now."""
    begin, end = max(over.since, created), min(over.until, over.known)
    current = changes[0][1] if changes else state
    found = []
    for time, _, after in changes:
        if time > begin and begin < end:
            found.append(Stay(current, begin, min(time, end)))
        begin, current = max(begin, time), after
    if begin < end:
        found.append(Stay(current, begin, end))
    return found


def spelled_stays(found: Iterable[Stay]) -> list[dict[str, Any]]:
    """Spell out states for programs."""
    return [
        {"state": each.state, "since": spelled(each.since), "until": spelled(each.until)} for each in found
    ]


def thinned_stays(found: Sequence[Stay], columns: int) -> Sequence[Stay]:
    """Make few states of many: of each of so many parts of the time the gravest."""
    if len(found) <= columns:
        return found
    start, end = found[0].since, found[-1].until
    on = Axis(start, end, columns)
    bands = columns_of_states(history_of(_NOBODY, found, start), on)
    return [Stay(state.value, on.time(first), on.time(last)) for state, first, last in bands]


def seconds_in(state: State, found: Iterable[Stay]) -> int:
    """Add up how long an alarm was in a state."""
    return sum(each.until - each.since for each in found if each.state == state)


def drawn_of(drawn: Graph, operator: str) -> dict[str, Any]:
    """Make a graph of what is drawn: values, and the bounds of an anomaly band, as stretches in which they are the same."""
    varying = [each for each in (drawn.lower, drawn.upper) if isinstance(each, np.ndarray)]
    return {
        "seconds": drawn.seconds,
        "operator": operator,
        "threshold": threshold_of(drawn),
        "values": _stretches(drawn, ("low", "high"), (drawn.values, drawn.values)),
        "band": _stretches(drawn, ("lower", "upper"), varying) if len(varying) == 2 else None,
    }


def numbers(drawn: Graph, found: Sequence[Stay], over: Stretch, alarm: Alarm) -> list[dict[str, Any]]:
    """Give a graph as the rows of a table: the least and the most of each part of the time, None for no value, and its gravest state."""
    history = history_of(alarm, found, over.since)
    on = round_axis(history, ROWS)
    values = thinned(drawn.times, drawn.values, drawn.seconds, on)
    states = {column: state for state, first, last in columns_of_states(history, on) for column in range(first, last)}  # fmt: skip
    return [
        {
            "time": spelled(on.time(column)),
            "low": _finite(values.low[column]),
            "high": _finite(values.high[column]),
            "state": states[column].value,
        }
        for column in range(on.columns)
        if on.time(column) < over.known
    ]


def history_of(alarm: AnyAlarm, found: Sequence[Stay], since: int) -> History:
    """Make a history of states, as far as tables and bands look at it; without any it ends where it begins."""
    changes = [
        Transition(later.since, State(before.state), State(later.state), "", None, ())
        for before, later in pairwise(found)
    ]
    first = State(found[0].state) if found else State.INSUFFICIENT_DATA
    start = found[0].since if found else since
    return History(alarm, start, found[-1].until if found else since, first, tuple(changes))


def tried(
    alarm: Alarm,
    detectors: Sequence[AnomalyDetector],
    metrics: Metrics,
    found: Sequence[Stay],
    over: Stretch,
) -> dict[str, Any]:
    """Say what an alarm would have done over the time of the states `found` that it was in; over all of it where none is known.

    AlarmError if its settings make no sense.
    """
    start = found[0].since if found else over.since
    end = found[-1].until if found else max(over.since, min(over.until, over.known))
    initial = {alarm.name: State(found[0].state)} if found else {}
    histories, notices = replay(
        [alarm], (), metrics, start=start, end=end, initial=initial, detectors=detectors
    )
    if not histories:
        raise AlarmError(notices[0].message)
    changes = [(each.time, str(each.before), str(each.after)) for each in histories[0].transitions]
    would = stays(changes, str(histories[0].initial), start, over._replace(since=start, until=end, known=end))
    return {
        "threshold": _finite(alarm.threshold),
        "evaluation_periods": alarm.evaluation_periods,
        "datapoints_to_alarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
        "treat_missing_data": alarm.treat_missing_data,
        "states": spelled_stays(would),
        "would": _sum(would),
        "did": _sum(found),
    }


def changed(alarm: Alarm, settings: Settings) -> Alarm:
    """Give an alarm with other settings; a number of datapoints that was not chosen is at most that of periods.

    AlarmError for a threshold of an alarm that has a band.
    """
    if alarm.threshold is None and settings.threshold is not None:
        raise AlarmError(f"{alarm.name} is held against an anomaly band, it has no threshold")
    periods = settings.periods or alarm.evaluation_periods
    datapoints = settings.datapoints
    if datapoints is None and alarm.datapoints_to_alarm is not None:
        datapoints = min(alarm.datapoints_to_alarm, periods)
    return alarm._replace(
        threshold=alarm.threshold if settings.threshold is None else settings.threshold,
        evaluation_periods=periods,
        datapoints_to_alarm=datapoints,
        treat_missing_data=settings.missing or alarm.treat_missing_data,
    )


def _sum(found: Sequence[Stay]) -> dict[str, int]:
    entered = sum(
        later.state == State.ALARM and before.state != State.ALARM for before, later in pairwise(found)
    )
    return {"entered": entered, "seconds": seconds_in(State.ALARM, found)}


def _stretches(drawn: Graph, names: Sequence[str], rows: Sequence[Floats]) -> list[dict[str, Any]]:
    """Put neighbours together that are the same; of a time that stands twice, take the least and the most."""
    times, starts = np.unique(drawn.times, return_index=True)
    if not len(times):
        return []
    low = np.fmin.reduceat(rows[0], starts)
    high = np.fmax.reduceat(rows[1], starts)
    known = np.isfinite(low) & np.isfinite(high)
    found: list[dict[str, Any]] = []
    last: tuple[int, float, float] | None = None
    for time, least, most, there in zip(times.tolist(), low.tolist(), high.tolist(), known.tolist(), strict=True):  # fmt: skip
        if not there:
            continue
        if last == (time, least, most):
            found[-1]["until"] = spelled(time + drawn.seconds)
        else:
            found.append(
                {
                    "since": spelled(time),
                    "until": spelled(time + drawn.seconds),
                    names[0]: least,
                    names[1]: most,
                }
            )
        last = time + drawn.seconds, least, most
    return found


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
