"""Which filters count an event in; which alarms ring for it, evaluated with our alarms among ordinary events, out.

An hour and more of ordinary events goes before, one a minute that no filter matches, so that an alarm which is in ALARM for those
(the trap of a default value) is so by then, and cannot ring.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.history import History, State, Transition
from rolewatch.alarms.log_results import ALL, LogResults, results_of
from rolewatch.aws.doctor_samples import Sample
from rolewatch.aws.doctor_wiring import Filter, Wiring
from rolewatch.base.errors import UsageError
from rolewatch.insights.log_alarm import question
from rolewatch.lint.setup import stats_of
from rolewatch.metrics.publish import Publisher
from rolewatch.metrics.series import Series, merged, series_of
from rolewatch.patterns.records import Matcher
from rolewatch.templates.definitions import Alarm, LogAlarm, Metric, MetricStat

_MINUTE: Final = 60
_LEAD: Final = 2 * 3600  # seconds of ordinary events, at least
_AFTER: Final = 2 * 3600
_UNIT: Final = "None"
_STANDS: Final = Metric("rolewatch", "stands for another metric")
Points = dict[int, dict[float, int]]


class Ring(NamedTuple):
    """What one alarm does about an event: it rings with `actions`, or it does not, and `why`; `known` is False where that cannot be told."""

    alarm: str
    actions: tuple[str, ...]
    why: str
    known: bool = True


def rings(wiring: Wiring, counting: Iterable[Filter], sample: Sample, now: int) -> list[Ring]:
    """Say what each alarm that looks at the group does when an event is counted by some filters; `now` is in epoch seconds."""
    matching = list(counting)
    at = now // _MINUTE * _MINUTE
    lead = max([_LEAD, *map(_span, wiring.counting)])
    start = at - lead
    minutes = range(start, at + _AFTER, _MINUTE)
    own = {each.name for each in (*wiring.counting, *wiring.silence)}
    alarms = [each if each.name in own else _standing(each) for each in wiring.template.alarms]
    states = {each.name: _state(wiring, each.name) for each in alarms if each.name not in own}
    results = {each.name: _results(each, at, found=sample.id in ids) for each, ids in wiring.querying}
    histories, notices = replay(
        alarms,
        wiring.template.composites,
        _metrics(wiring, matching, sample, minutes, at),
        start=start,
        end=at + _AFTER,
        initial=states,
        log_alarms=wiring.template.log_alarms,
        results={name: found for name, found in results.items() if found is not None},
    )
    looking = {each.name for each in wiring.counting} | {each.name for each, _ in wiring.querying}
    above = {each.name for name in looking for each in wiring.above(name)}
    told = [_ring(each, at) for each in histories if each.alarm.name in looking | above]
    failed = looking - {each.alarm.name for each in histories}
    return [*told, *(Ring(name, (), _reason(name, [str(each.message) for each in notices]), known=False) for name in failed)]  # fmt: skip


def _ring(history: History, at: int) -> Ring:
    name, alarm = history.alarm.name, history.alarm
    if isinstance(alarm, Alarm) and alarm.threshold_metric_id is not None:
        return Ring(
            name, (), "its threshold is what AWS has learned to be usual, which cannot be seen", known=False
        )
    changes = [each.change for each in history.contributors] + list(history.transitions)
    after = [each for each in changes if each.after is State.ALARM and each.time > at]
    actions = tuple(dict.fromkeys(each for change in after if _acted(change) for each in change.actions))
    if actions:
        return Ring(name, actions, "goes to ALARM")
    if after:
        held = after[0].suppressed_by
        return Ring(
            name,
            (),
            f"goes to ALARM, and {f'is held back ({held})' if held else 'has no action, or none that is enabled'}",
        )
    before = history.initial
    for each in history.transitions:
        if each.time <= at:
            before = each.after
    if before is State.ALARM:
        return Ring(name, (), "is in ALARM already for ordinary events, and acts when its state changes only")
    return Ring(name, (), f"stays {before}")


def _acted(change: Transition) -> bool:
    return change.suppressed_by is None or change.acted_at is not None


def _reason(name: str, notices: Iterable[str]) -> str:
    return next((each for each in notices if name in each), "cannot be evaluated")


def _metrics(
    wiring: Wiring, counting: list[Filter], sample: Sample, minutes: range, at: int
) -> Mapping[Metric, Mapping[str, Series]]:
    """Give what the filters publish for ordinary events, and for the event; and how many events come into the group."""
    parts: dict[tuple[Metric, str], list[Points]] = {}
    for each in wiring.filters:
        if each.read is None:
            continue
        told = each.read.transformation
        unit = told.unit or _UNIT
        if told.default is not None:
            plain = Metric(told.namespace, told.name)
            parts.setdefault((plain, unit), []).append({minute: {told.default: 1} for minute in minutes})
        if each in counting:
            for metric, value in _published(each, sample):
                parts.setdefault((metric, unit), []).append({at: {value: 1}})
    incoming = Metric("AWS/Logs", "IncomingLogEvents", (("LogGroupName", wiring.name),))
    parts[incoming, _UNIT] = [{minute: {1.0: 1} for minute in minutes}]
    found: dict[Metric, dict[str, Series]] = {}
    for (metric, unit), several in parts.items():
        found.setdefault(metric, {})[unit] = series_of(merged(several))
    return found


def _published(each: Filter, sample: Sample) -> Iterator[tuple[Metric, float]]:
    read = each.read
    if read is None:
        return
    try:
        publisher = Publisher(read.pattern, read.transformation)
    except UsageError:  # AWS has taken what we would not; then nothing is known of what it publishes
        return
    matcher = Matcher([read.pattern], publisher.paths)
    publisher.bind(matcher)
    raw = sample.message.encode()
    found = publisher.publish(raw, matcher.read(raw))
    if found is not None:
        told = read.transformation
        yield Metric(told.namespace, told.name, found.dimensions), found.value


def _results(alarm: LogAlarm, at: int, *, found: bool) -> LogResults | None:
    """Give the results of a log alarm's runs: one record for those that look at the event, none for others; None if it counts otherwise."""
    try:
        asked = question(alarm)
    except AlarmError:
        return None
    if not alarm.query.aggregation.lower().lstrip().startswith("count"):
        return None
    query = alarm.query
    first = (at - _LEAD) // query.every * query.every
    runs = [
        run for run in range(first, at + _AFTER, query.every) if run - query.start <= at < run - query.end
    ]
    values = results_of(dict.fromkeys(runs, 1.0) if found else {})
    if not asked.grouped:
        return LogResults(False, {ALL: values}, 0.0)  # noqa: FBT003 - a field of the tuple
    return LogResults(True, {(("event", "sample"),): values} if found else {})  # noqa: FBT003 - as above


def _span(alarm: Alarm) -> int:
    """Give the seconds that an alarm looks back, twice: by then it has settled."""
    period = max((each.period for each in stats_of(alarm)), default=_MINUTE)
    return 2 * (alarm.evaluation_periods + 2) * period


def _standing(alarm: Alarm) -> Alarm:
    """Make an alarm that stays as it is: what it looks at has nothing to do with the group."""
    return alarm._replace(
        stat=MetricStat(_STANDS, _MINUTE, "Sum"),
        queries=(),
        evaluation_periods=1,
        datapoints_to_alarm=None,
        threshold=0.0,
        threshold_metric_id=None,
        comparison_operator="GreaterThanThreshold",
        treat_missing_data="ignore",
    )


def _state(wiring: Wiring, name: str) -> State:
    return State(wiring.described(name).get("StateValue") or State.OK)
