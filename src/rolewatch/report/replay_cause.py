"""What stood behind a change of state: a replay in; of each change the time that was looked at, and the records in it, out."""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, NamedTuple

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.history import AnyAlarm, ContributorChange, History, State, Transition
from rolewatch.alarms.log_results import Attributes
from rolewatch.alarms.log_watch import breaching_runs
from rolewatch.alarms.rule import children, parse_rule
from rolewatch.scan.replayed import Behind, Match, Replayed
from rolewatch.templates.definitions import Alarm, CompositeAlarm, LogAlarm, Metric, MetricFilter

MINUTE: Final = 60
MOST_EXAMPLES: Final = 10  # records of a cause that are kept
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

Window = tuple[int, int]  # from the first to before the second, in epoch seconds


class Cause(NamedTuple):
    """The records in the window that a change into ALARM rests on, from `first` to before `last` (epoch seconds).

    `defaults` counts the records that do not match, but for which a filter published a default other than 0.
    """

    first: int
    last: int
    matched: int
    defaults: int
    findings: tuple[str, ...]
    examples: tuple[Match, ...]


class Timeline:
    """The minutes of one filter in which it published anything, in order; or of a log alarm in which its query found records."""

    def __init__(self, metric_filter: MetricFilter | None, minutes: Mapping[int, Behind]) -> None:
        self.filter = metric_filter
        self.minutes = minutes
        self.counts_defaults = metric_filter is not None and bool(metric_filter.transformation.default)
        self._order: Sequence[int] = sorted(self.minutes)

    def between(self, first: int, last: int) -> Iterable[Behind]:
        """Yield what happened from `first` to before `last`."""
        start = bisect_left(self._order, first)
        for minute in self._order[start : bisect_left(self._order, last, start)]:
            yield self.minutes[minute]

    @cached_property
    def firsts(self) -> dict[str, int]:
        """The minute of each finding's first record."""
        found: dict[str, int] = {}
        for minute in self._order:
            for finding in self.minutes[minute].findings:
                found.setdefault(finding, minute)
        return found


class Causes:
    """Finds the causes of one replay."""

    def __init__(self, replayed: Replayed) -> None:
        self._delay = replayed.delay
        self._timelines = {
            each.logical_id: Timeline(each, replayed.behind.get(each.logical_id, {}))
            for each in replayed.template.filters
        }
        self._logs = replayed.logs
        self._asked = {name: Timeline(None, logged.behind) for name, logged in replayed.logs.items()}
        self._known = {history.alarm.name: history for history in replayed.histories}
        self._children = {
            history.alarm.name: _children(history.alarm, self._known) for history in replayed.histories
        }
        self._times = {name: [each.time for each in found.transitions] for name, found in self._known.items()}

    def timelines(self, alarm: AnyAlarm) -> list[Timeline]:
        """Return the filters whose metrics an alarm looks at, or a log alarm's query; of a composite alarm those of its children."""
        plain = list(self._plain(alarm, set()))
        metrics = {metric for each in plain for metric in metrics_of(each)}
        chosen = {each for metric in metrics for each in _publishers(self._filters(), metric)}
        asked = dict.fromkeys(each.name for each in plain if isinstance(each, LogAlarm))
        return [
            *(each for name, each in self._timelines.items() if name in chosen),
            *(self._asked[name] for name in asked),
        ]

    def _filters(self) -> list[MetricFilter]:
        return [each.filter for each in self._timelines.values() if each.filter]

    def seen(self, alarm: AnyAlarm, minute: int) -> int:
        """Return when an alarm can see the records of a minute first."""
        if not isinstance(alarm, LogAlarm):
            return minute + MINUTE + self._delay
        query = alarm.query
        return -(-(minute + MINUTE + max(query.end, self._delay)) // query.every) * query.every

    def cause(self, alarm: AnyAlarm, change: Transition, timelines: Iterable[Timeline]) -> Cause:
        """Return what stood behind a change into ALARM."""
        windows = _joined(self._windows(alarm, change, set())) or [(change.time, change.time)]
        return _cause(windows, timelines)

    def _plain(self, alarm: AnyAlarm, above: set[str]) -> Iterable[Alarm | LogAlarm]:
        """Yield an alarm, or the plain ones below a composite one."""
        if not isinstance(alarm, CompositeAlarm):
            yield alarm
            return
        for child in self._below(alarm, above):
            yield from self._plain(child.alarm, {*above, alarm.name})

    def _below(self, alarm: CompositeAlarm, above: set[str]) -> list[History]:
        """Return the children of a composite alarm, but for those that it is below itself."""
        return [self._known[name] for name in self._children[alarm.name] if name not in above]

    def _windows(self, alarm: AnyAlarm, change: Transition, above: set[str]) -> list[Window]:
        """Return the times that a change looked at, as far as their records had arrived."""
        if isinstance(alarm, CompositeAlarm):
            return [
                window
                for child in self._below(alarm, above)
                if (entry := self._entry(child, change.time)) is not None
                for window in self._windows(child.alarm, entry, {*above, alarm.name})
            ]
        arrived = change.time - self._delay
        if isinstance(alarm, LogAlarm):
            return self._of_runs(alarm, change.time)
        if times := _evaluated(change.reason_data):
            first, last = min(times), max(times) + period_of(alarm)
        else:
            first, last = arrived - period_of(alarm) * alarm.evaluation_periods, arrived
        first = _minute(first)
        return [(first, max(first, min(last, arrived)))]

    def _of_runs(self, alarm: LogAlarm, time: int, who: Attributes | None = None) -> list[Window]:
        """Return what the runs looked at that breach: of one contributor, or of all."""
        runs = breaching_runs(alarm, self._logs[alarm.name].results, time, who)
        start, end = alarm.query.start, max(alarm.query.end, self._delay)
        return [(_minute(run - start), max(_minute(run - start), run - end)) for run in runs]

    def of_contributor(self, alarm: LogAlarm, each: ContributorChange) -> Cause:
        """Return what stood behind a contributor's change into ALARM; all records, where these do not tell whose they are."""
        logged = self._logs[alarm.name]
        own = logged.contributors.get(each.attributes, {}) if logged.contributors else logged.behind
        windows = _joined(self._of_runs(alarm, each.change.time, each.attributes))
        return _cause(windows or [(each.change.time, each.change.time)], [Timeline(None, own)])

    def _entry(self, history: History, time: int) -> Transition | None:
        """Return the change that took an alarm into the ALARM in which it is at a time; None if it is in none."""
        index = bisect_right(self._times[history.alarm.name], time) - 1
        found = history.transitions[index] if index >= 0 else None
        return found if found is not None and found.after is State.ALARM else None


def _cause(windows: Sequence[Window], timelines: Iterable[Timeline]) -> Cause:
    """Add up what lies in some windows."""
    found = [
        (timeline.counts_defaults, behind)
        for timeline in timelines
        for first, last in windows
        for behind in timeline.between(first, last)
    ]
    examples = sorted((match for _, behind in found for match in behind.examples), key=_when)
    return Cause(
        windows[0][0],
        windows[-1][1],
        sum(behind.matched for _, behind in found),
        sum(behind.defaults for counts, behind in found if counts),
        tuple(dict.fromkeys(finding for _, behind in found for finding in behind.findings)),
        tuple(dict.fromkeys(examples))[:MOST_EXAMPLES],
    )


def metrics_of(alarm: AnyAlarm) -> tuple[Metric, ...]:
    """Return the metrics that an alarm looks at itself, each once."""
    if not isinstance(alarm, Alarm):
        return ()
    stats = [alarm.stat, *(query.stat for query in alarm.queries)]
    return tuple(dict.fromkeys(stat.metric for stat in stats if stat))


def period_of(alarm: Alarm) -> int:
    """Return the seconds that a datapoint of an alarm covers."""
    if alarm.stat:
        return alarm.stat.period
    periods = [query.stat.period for query in alarm.queries if query.stat]
    return max([*periods, *(query.period for query in alarm.queries if query.period)], default=MINUTE)


def _children(alarm: AnyAlarm, known: dict[str, History]) -> tuple[str, ...]:
    """Return the names of the alarms that a composite alarm's rule refers to."""
    if not isinstance(alarm, CompositeAlarm):
        return ()
    try:
        names = [child.name for child in children(parse_rule(alarm.rule))]
    except AlarmError:  # it is among the notices
        return ()
    return tuple(dict.fromkeys(name for name in names if name in known and name != alarm.name))


def _publishers(filters: Iterable[MetricFilter], metric: Metric) -> list[str]:
    """Return the filters that publish a metric; of dimensions only the names are known before a record is seen.

    A record that lacks a dimension's field is published without any dimension (spec/metric-filter.md §2.2): filters with
    dimensions count for a metric without any only if there is no other.
    """
    made = [(each.logical_id, each.transformation) for each in filters]
    named = [(name, to) for name, to in made if (to.namespace, to.name) == (metric.namespace, metric.name)]
    wanted = sorted(name for name, _ in metric.dimensions)
    exact = [name for name, to in named if sorted(each for each, _ in to.dimensions) == wanted]
    return exact if exact or wanted else [name for name, _ in named]


def _joined(windows: Iterable[Window]) -> list[Window]:
    """Return windows in order, those that overlap as one, so that no minute counts twice."""
    joined: list[Window] = []
    for first, last in sorted(windows):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def _evaluated(reason_data: str | None) -> list[int]:
    """Return the starts of the datapoints that had a value, as StateReasonData lists them (spec/alarm.md §7.2)."""
    try:
        listed = json.loads(reason_data or "{}").get("evaluatedDatapoints", ())
        return [_epoch(each["timestamp"]) for each in listed if "value" in each]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def _minute(time: int) -> int:
    return time - time % MINUTE


def _epoch(text: str) -> int:
    match = _INSTANT.match(text)
    if not match:
        raise ValueError(text)
    return int(datetime.fromisoformat(match[0]).replace(tzinfo=UTC).timestamp())


def _when(match: Match) -> tuple[str, str]:
    return match.time, match.event_id or ""
