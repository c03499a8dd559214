"""Definitions of alarms and datapoints in, the history of every alarm out.

An alarm sees nothing but datapoints and the time, so each is evaluated on its own; composite alarms then follow the
histories of those that they watch.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rolewatch.alarms.actions import actions_of
from rolewatch.alarms.composite import ARN_PREFIX, Setting, follow
from rolewatch.alarms.decision import DECISIONS, decide, resolved
from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.history import History, State, Transition
from rolewatch.alarms.log_evaluate import log_history
from rolewatch.alarms.log_results import LogResults
from rolewatch.alarms.mute import muted, unknown_targets
from rolewatch.alarms.reasons import Change, reasons
from rolewatch.alarms.tally import tallies
from rolewatch.alarms.watch import Metrics, Watch
from rolewatch.base.errors import UsageError
from rolewatch.metrics.series import Ints, Times
from rolewatch.templates.definitions import (
    Alarm,
    AlarmMuteRule,
    AnomalyDetector,
    CompositeAlarm,
    LogAlarm,
    Notice,
    Place,
)

_MINUTE = 60


def replay(
    alarms: Iterable[Alarm],
    composites: Iterable[CompositeAlarm],
    metrics: Metrics,
    *,
    start: int,
    end: int,
    delay: int = 0,
    initial: Mapping[str, State] | None = None,
    asked: Sequence[int] | None = None,
    arn_prefix: str = ARN_PREFIX,
    detectors: Sequence[AnomalyDetector] = (),
    mute_rules: Sequence[AlarmMuteRule] = (),
    log_alarms: Sequence[LogAlarm] = (),
    results: Mapping[str, LogResults] | None = None,
) -> tuple[tuple[History, ...], tuple[Notice, ...]]:
    """Evaluate alarms over `start < time <= end` (epoch seconds), or only at the times that are `asked` for.

    With a delay (seconds, rounded up to whole minutes) an evaluation at t sees the datapoints before t - delay only.
    `initial` has states by the alarm's name; an alarm that it does not name has just been created. An alarm that cannot be
    evaluated has an error among the notices and no history; the others have one each, composite alarms last. `detectors` say
    what the bands of anomaly alarms learn from; `mute_rules` hold back actions of the alarms that they name.
    `results` are those of the queries of `log_alarms`, by the alarm's name; one without any cannot be evaluated either, and
    whoever ran its query has said why.
    """
    alarms, composites = tuple(alarms), tuple(composites)
    started = {} if initial is None else initial
    delay = whole_minutes(delay)
    times = None if asked is None else np.unique(np.array(asked, np.int64))
    histories: list[History] = []
    notices: list[Notice] = []
    failed: set[str] = set()
    for alarm in alarms:
        state = started.get(alarm.name, State.INSUFFICIENT_DATA)
        try:
            watch = Watch(alarm, metrics, detectors)
            transitions = _transitions(
                watch, state, evaluations(start, end, watch.every) if times is None else times, delay
            )
        except UsageError as error:
            notices.append(
                Notice("error", f"{alarm.name} cannot be evaluated: {error}", _place(alarm, error))
            )
            failed.add(alarm.name)
        else:
            histories.append(History(alarm, start, end, state, transitions))
    for log_alarm in log_alarms:
        found = (results or {}).get(log_alarm.name)
        if found is None:
            failed.add(log_alarm.name)
        else:
            histories.append(
                log_history(log_alarm, found, start=start, end=end, initial=started, asked=asked)
            )
    minutes = evaluations(start, end, _MINUTE) if times is None else times
    setting = Setting(start, end, int(minutes[0]) if len(minutes) else None, started, arn_prefix)
    by_name = {history.alarm.name: history for history in histories}
    followed, complaints = follow(composites, by_name, failed - by_name.keys(), setting)
    names = {alarm.name for kind in (alarms, log_alarms, composites) for alarm in kind}
    unknown = unknown_targets(mute_rules, names)
    return tuple(muted((*histories, *followed), mute_rules)), (*notices, *complaints, *unknown)


def whole_minutes(delay: int) -> int:
    """Round a delay up; a negative one is none."""
    return -(-max(delay, 0) // _MINUTE) * _MINUTE


def evaluations(start: int, end: int, every: int) -> Times:
    """Give the times of evaluation: the multiples of `every` in `start < time <= end`."""
    return np.arange(start // every + 1, end // every + 1) * every


def _place(alarm: Alarm, error: UsageError) -> Place:
    """Say where what is wrong is written: in an expression the character, else the alarm."""
    if isinstance(error, AlarmError) and error.text is not None:
        for query in alarm.queries:
            if query.expression == error.text and query.written is not None:
                return query.written.at(error.position)
    return alarm.place


def _transitions(watch: Watch, initial: State, times: Times, delay: int) -> tuple[Transition, ...]:
    """Evaluate one alarm at these times, in ascending order."""
    # Whenever it is evaluated, the newest period ends at the last full minute (or hour, or ten seconds).
    ends = times // watch.every * watch.every
    every_end = not np.array_equal(ends, times)
    parts = [(tally.ends, decide(watch, tally)) for tally in tallies(watch, ends, delay, every_end=every_end)]
    if not parts:
        return ()
    evaluated = np.concatenate([part[0] for part in parts])
    states = resolved(initial, np.concatenate([part[1] for part in parts]))
    changed: Ints = np.flatnonzero(states[1:] != states[:-1])
    at = times[changed] if every_end else evaluated[changed]
    befores = [DECISIONS[code] for code in states[changed].tolist()]
    afters = [DECISIONS[code] for code in states[changed + 1].tolist()]
    changes = [
        Change(time, end, after)
        for time, end, after in zip(at.tolist(), evaluated[changed].tolist(), afters, strict=True)
        if after is not None
    ]
    return tuple(
        Transition(
            change.time, before, change.after, reason, data, actions_of(watch.alarm.actions, change.after)
        )
        for change, before, (reason, data) in zip(
            changes, befores, reasons(watch, changes, delay), strict=True
        )
        if before is not None
    )
