"""A log group and its Region's alarms in; what counts denials there, which alarms look at it, and our lint's advice, out.

Everything is read once, by the reader of templates, which takes what DescribeMetricFilters and DescribeAlarms answer. What could
not be looked at raises NotSeen where it is asked for.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from rolewatch.alarms.errors import AlarmError
from rolewatch.aws.doctor_samples import Sample, denials, others
from rolewatch.aws.doctor_setup import Answer, Group, Region, Unseen, seen
from rolewatch.insights.log_sieve import asked_of, let_through, reading
from rolewatch.lint.advice import Advice
from rolewatch.lint.alarms import referred
from rolewatch.lint.run import lint_template
from rolewatch.lint.setup import stats_of
from rolewatch.scan.rows import Reader
from rolewatch.templates.definitions import Alarm, CompositeAlarm, LogAlarm, MetricFilter, Template
from rolewatch.templates.template import read_template

MetricName = tuple[str, str]
#: A pattern that looks for denials, whether it finds any or not.
_MEANT: Final = re.compile(r"service-role|AWSServiceRoleFor|errorCode\W.*(?:Denied|Unauthori|Forbidden|NotPermitted)", re.DOTALL | re.IGNORECASE)  # fmt: skip
_INCOMING: Final = ("AWS/Logs", ("IncomingLogEvents", "IncomingBytes"))
_PLACE: Final = re.compile(r"([A-Za-z]+)\[([0-9]+)\]")
_EMPTY: Final[Mapping[str, Any]] = {"metricFilters": [], "MetricAlarms": [], "CompositeAlarms": [], "LogAlarms": []}  # fmt: skip


class Filter(NamedTuple):
    """A metric filter as AWS describes it and as we read it (None: we cannot), and the samples that it matches, by their ids."""

    described: Answer
    read: MetricFilter | None
    matched: frozenset[str]
    matched_others: frozenset[str]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.described["filterName"])

    @property
    def metric(self) -> MetricName:
        """Namespace and name of what it publishes."""
        made = self.described["metricTransformations"][0]
        return made["metricNamespace"], made["metricName"]

    @property
    def default(self) -> float | None:
        """What it publishes for each event that does not match; None if nothing."""
        found = self.described["metricTransformations"][0].get("defaultValue")
        return None if found is None else float(found)

    @property
    def transformed(self) -> bool:
        """Whether it looks at events as a transformer has left them."""
        return bool(self.described.get("applyOnTransformedLogs"))


class Kinds(NamedTuple):
    """The alarms that have to do with a log group, as AWS describes them, in the order of the template that is read."""

    metric: tuple[Answer, ...]
    composite: tuple[Answer, ...]
    log: tuple[Answer, ...]


class Wiring:
    """A log group with what looks at it."""

    def __init__(self, group: Group, region: Region | None, account: str, partition: str) -> None:
        self.group, self._region = group, region
        place = account, partition, group.id.region
        self.samples, self.others = denials(*place), others(*place)

    @property
    def name(self) -> str:
        """The log group's name."""
        return self.group.id.name

    @cached_property
    def filters(self) -> tuple[Filter, ...]:
        """The metric filters that are meant for denials: they match one of our samples, or their pattern looks like it.

        Where an alarm counts one that finds all samples and nothing else, others that do less are left out: nothing hangs on them.
        """
        described = [each for each in seen(self.group.filters) if each.get("metricTransformations")]
        found = []
        for each, read in zip(described, _read_filters(described), strict=True):
            matched = _matched(read, self.samples)
            if matched or _MEANT.search(each.get("filterPattern") or ""):
                found.append(Filter(each, read, matched, _matched(read, self.others)))
        complete = [
            each for each in found if len(each.matched) == len(self.samples) and not each.matched_others
        ]
        return tuple(complete if any(map(self.is_watched, complete)) else found)

    def is_watched(self, each: Filter) -> bool:
        """Whether an alarm counts what a filter publishes; False if alarms could not be looked at."""
        region = self._region
        known = region.alarms if region is not None and not isinstance(region.alarms, Unseen) else {}
        return any(self._concerns(alarm, {each.metric}) for alarm in known.get("MetricAlarms") or ())

    @cached_property
    def alarms(self) -> Kinds:
        """The alarms on what these filters publish, on the group's incoming events, and those that log alarms or rules tie to it."""
        known = seen(self._region.alarms) if self._region is not None else _EMPTY
        metrics = {each.metric for each in self.filters}
        of_metrics = [
            each
            for each in known.get("MetricAlarms") or ()
            if self._concerns(each, metrics) or self._hears(each)
        ]
        of_logs = [each for each in known.get("LogAlarms") or () if self._queries(each)]
        return _closed(known, of_metrics, of_logs)

    @cached_property
    def template(self) -> Template:
        """All of it, read."""
        kinds = self.alarms
        content = {
            "metricFilters": [each.described for each in self.filters],
            "MetricAlarms": [_without_nothing(each) for each in kinds.metric],
            "CompositeAlarms": [_without_nothing(each) for each in kinds.composite],
            "LogAlarms": [_without_nothing(each) for each in kinds.log],
        }
        return read_template(json.dumps(content, default=str).encode(), "the account")

    @cached_property
    def advice(self) -> tuple[tuple[str, str, Advice], ...]:
        """What our lint says: the kind of resource (`metricFilters`, `MetricAlarms` …), its name, and the advice."""
        named = {
            "metricFilters": [each.name for each in self.filters],
            "MetricAlarms": [each["AlarmName"] for each in self.alarms.metric],
            "CompositeAlarms": [each["AlarmName"] for each in self.alarms.composite],
            "LogAlarms": [each["AlarmName"] for each in self.alarms.log],
        }
        found = []
        for each in lint_template(self.template):
            at = _PLACE.match(each.place.path) if each.place else None
            if at and at[1] in named:
                found.append((at[1], str(named[at[1]][int(at[2])]), each))
        return tuple(found)

    @cached_property
    def counting(self) -> tuple[Alarm, ...]:
        """The alarms on what the filters publish."""
        metrics = {each.metric for each in self.filters}
        return tuple(each for each in self.template.alarms if metrics & _metrics_of(each))

    @cached_property
    def querying(self) -> tuple[tuple[LogAlarm, frozenset[str]], ...]:
        """The log alarms that look for denials in the group, with the samples that their queries let through."""
        found = [(each, _let_through(each, self.samples)) for each in self.template.log_alarms]
        return tuple((alarm, ids) for alarm, ids in found if ids or _MEANT.search(alarm.query.text))

    def above(self, name: str) -> Iterator[CompositeAlarm]:
        """Yield the composite alarms that look at an alarm, or at one that does."""
        reached, ahead = {name}, [name]
        while ahead:
            below = ahead.pop()
            for each in self.template.composites:
                if each.name not in reached and below in referred(each.rule):
                    reached.add(each.name)
                    ahead.append(each.name)
                    yield each

    @cached_property
    def silence(self) -> tuple[Alarm, ...]:
        """The alarms on the group's incoming events."""
        return tuple(each for each in self.template.alarms if self._hears(self.described(each.name)))

    def described(self, name: str) -> Answer:
        """Give what AWS says of an alarm."""
        kinds = self.alarms
        return next(
            each for each in (*kinds.metric, *kinds.composite, *kinds.log) if each["AlarmName"] == name
        )

    def actions(self) -> Iterator[str]:
        """Yield what the alarms act on when they go to ALARM, and each that does not."""
        for kind in self.alarms:
            for each in kind:
                yield from each.get("AlarmActions") or ()

    @staticmethod
    def _concerns(alarm: Answer, metrics: set[MetricName]) -> bool:
        """Whether an alarm looks at one of some metrics."""
        return any((each.get("Namespace"), each.get("MetricName")) in metrics for each in _stats(alarm))

    def _hears(self, alarm: Answer) -> bool:
        """Whether an alarm looks at the events that come into the group."""
        return any(
            each.get("Namespace") == _INCOMING[0]
            and each.get("MetricName") in _INCOMING[1]
            and {"Name": "LogGroupName", "Value": self.name} in (each.get("Dimensions") or ())
            for each in _stats(alarm)
        )

    def _queries(self, alarm: Answer) -> bool:
        named = alarm.get("ScheduledQueryConfiguration", {}).get("LogGroupIdentifiers") or ()
        return any(each == self.name or f":log-group:{self.name}" in each for each in named)


def _without_nothing(alarm: Answer) -> Answer:
    """Leave out what is empty: a list without elements is not there."""
    return {name: value for name, value in alarm.items() if value not in (None, [])}


def _stats(alarm: Answer) -> list[Answer]:
    """Give the metrics that an alarm looks at, as it describes them."""
    return [alarm, *(each.get("MetricStat", {}).get("Metric", {}) for each in alarm.get("Metrics") or ())]


def _closed(known: Answer, metric: Sequence[Answer], log: Sequence[Answer]) -> Kinds:
    """Add the composite alarms above some alarms, and all alarms that these look at."""
    composites = [
        (each, set(referred(each.get("AlarmRule") or ""))) for each in known.get("CompositeAlarms") or ()
    ]
    names = {each["AlarmName"] for each in (*metric, *log)}
    above: dict[str, set[str]] = {}
    grown = True
    while grown:
        found = {
            each["AlarmName"]: children
            for each, children in composites
            if children & (names | above.keys())
            or any(each["AlarmName"] in other for other in above.values())
        }
        grown = found.keys() != above.keys()
        above = found
    wanted = names.union(above, *above.values())
    suppressors = {
        str(each.get("ActionsSuppressor")).rpartition(":alarm:")[2]
        for each, _ in composites
        if each["AlarmName"] in above
    }
    wanted |= suppressors
    return Kinds(
        tuple(each for each in known.get("MetricAlarms") or () if each["AlarmName"] in wanted),
        tuple(each for each, _ in composites if each["AlarmName"] in above),
        tuple(each for each in known.get("LogAlarms") or () if each["AlarmName"] in wanted),
    )


def _read_filters(described: Sequence[Answer]) -> Iterator[MetricFilter | None]:
    """Read filters one by one, so that one that we cannot read takes no other with it."""
    for each in described:
        content = {"metricFilters": [each]}
        read = read_template(json.dumps(content, default=str).encode(), "the account").filters
        yield read[0] if read else None


def _matched(read: MetricFilter | None, samples: Iterable[Sample]) -> frozenset[str]:
    return frozenset(each.id for each in samples if read is not None and read.pattern(each.message))


def _metrics_of(alarm: Alarm) -> set[MetricName]:
    return {(stat.metric.namespace, stat.metric.name) for stat in stats_of(alarm)}


def _let_through(alarm: LogAlarm, samples: Sequence[Sample]) -> frozenset[str]:
    """Give the samples that the first filters of a log alarm's query let through; none if it cannot be run."""
    try:
        first = asked_of(alarm).first
    except AlarmError:
        return frozenset()
    fields = reading([first]).fields
    reader = Reader(fields)
    rows = [reader(each.message.encode()) for each in samples]
    columns = {get: [row[place] if row else None for row in rows] for place, get in enumerate(fields)}
    places = let_through([first], columns, len(samples))[0]
    return frozenset(samples[place].id for place in places)
