"""Templates in; what of them a watcher evaluates out: metric filters, alarms, and how far back each of these looks."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rolewatch.alarms.composite import ARN_PREFIX
from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.history import AnyAlarm
from rolewatch.alarms.log_results import LogResults
from rolewatch.alarms.rule import alarm_name, children, parse_rule
from rolewatch.alarms.watch import Watch
from rolewatch.base.errors import UsageError
from rolewatch.metrics.publish import Publisher
from rolewatch.templates.definitions import (
    Alarm,
    AlarmMuteRule,
    AnomalyDetector,
    CompositeAlarm,
    LogAlarm,
    Metric,
    MetricFilter,
    Notice,
    Place,
    Spelling,
    Template,
    Topic,
)
from rolewatch.watch.alarm_groups import NO_GROUPS, Groups, unknown

if TYPE_CHECKING:
    from rolewatch.insights.log_sieve import Asked

_MINUTE: Final = 60
_SHORT: Final = 10  # seconds between evaluations where something happens between full minutes
_LEARNED: Final = 14 * 86_400  # seconds that an anomaly band is learned from, before the hour …
_HOUR: Final = 3600
_KINDS: Final = {Alarm: "metric", CompositeAlarm: "composite", LogAlarm: "log"}


class Reach(NamedTuple):
    """What an alarm looks at: its metrics, the seconds between evaluations, the seconds before one that have to be known."""

    metrics: tuple[Metric, ...]
    every: int
    seconds: int


class Definitions(NamedTuple):
    """What is evaluated.

    `log_alarms` have their queries; `reaches` by the alarm's name; alarms are evaluated at multiples of `step` seconds, most of them at fewer; `notices` are of
    what is left out, and why.
    """

    filters: tuple[MetricFilter, ...]
    alarms: tuple[Alarm, ...]
    composites: tuple[CompositeAlarm, ...]
    log_alarms: "tuple[Asked, ...]"
    detectors: tuple[AnomalyDetector, ...]
    mute_rules: tuple[AlarmMuteRule, ...]
    topics: tuple[Topic, ...]
    reaches: Mapping[str, Reach]
    arn_prefix: str
    step: int
    notices: tuple[Notice, ...]

    @property
    def all(self) -> dict[str, AnyAlarm]:
        """All alarms by name, composite ones last."""
        logs = [each.alarm for each in self.log_alarms]
        kinds: tuple[Iterable[AnyAlarm], ...] = (self.alarms, logs, self.composites)
        return {alarm.name: alarm for kind in kinds for alarm in kind}

    @property
    def contributing(self) -> frozenset[str]:
        """Name the log alarms that have contributors."""
        return frozenset(each.alarm.name for each in self.log_alarms if each.question.grouped)

    @property
    def seconds(self) -> int:
        """How far back any alarm looks."""
        return max((reach.seconds for reach in self.reaches.values()), default=0)

    def arn(self, name: str) -> str:
        """Give the ARN of an alarm."""
        return f"{self.arn_prefix}{name}"


def definitions_of(template: Template, groups: Groups = NO_GROUPS) -> Definitions:
    """Take what can be evaluated; all else is among the notices. `groups` are those of SOURCEs, see `alarm_groups`."""
    notices = list(template.notices)
    filters = tuple(_usable(template.filters, notices))
    published = {(each.transformation.namespace, each.transformation.name) for each in filters}
    alarms = [alarm for alarm in template.alarms if _is_published(alarm, published, notices)]
    notices += unknown(template, groups)
    asked = [found for alarm in template.log_alarms if (found := _asked(alarm, notices))]
    # Without any time to evaluate, this says what cannot be evaluated, and why.
    histories, wrong = replay(
        alarms, template.composites, {}, start=0, end=0,
        detectors=template.anomaly_detectors, mute_rules=template.mute_rules,
        log_alarms=template.log_alarms,
        results={each.alarm.name: LogResults(each.question.grouped, {}) for each in asked},
    )  # fmt: skip
    good = {history.alarm.name for history in histories}
    reaches = {
        alarm.name: reach_of(alarm, template.anomaly_detectors) for alarm in alarms if alarm.name in good
    }
    composites = tuple(alarm for alarm in template.composites if alarm.name in good)
    spans = [each.every for each in reaches.values()]
    spans += [span for alarm in composites for span in (alarm.wait_period, alarm.extension_period)]
    return Definitions(
        filters=filters,
        alarms=tuple(alarm for alarm in alarms if alarm.name in good),
        composites=composites,
        log_alarms=tuple(asked),
        detectors=template.anomaly_detectors,
        mute_rules=template.mute_rules,
        topics=template.topics,
        reaches=reaches,
        arn_prefix=template.arn_prefix or ARN_PREFIX,
        step=_SHORT if any(span % _MINUTE for span in spans) else _MINUTE,
        notices=(*notices, *wrong),
    )


def kind_of(alarm: AnyAlarm) -> str:
    """Name the kind of an alarm."""
    return _KINDS[type(alarm)]


def digest_of(alarm: AnyAlarm) -> bytes:
    """Digest a definition, whatever lines of a template it is written in."""
    text = json.dumps([kind_of(alarm), _essence(alarm)], default=repr)
    return hashlib.sha256(text.encode()).digest()[:16]


def names_in(alarm: CompositeAlarm) -> set[str]:
    """Name the alarms that a composite alarm depends on."""
    names = {child.name for child in children(parse_rule(alarm.rule))}
    return names if alarm.suppressor is None else names | {alarm_name(alarm.suppressor)}


def silent_children(definitions: Definitions) -> set[str]:
    """Name alarms without any actions that a composite alarm depends on: that one tells of them, if anyone does."""
    needed = {name for each in definitions.composites for name in names_in(each)}
    return {name for name, alarm in definitions.all.items() if name in needed and not any(alarm.actions[1:])}


def within(composites: Iterable[CompositeAlarm], known: Iterable[str]) -> list[CompositeAlarm]:
    """Give the composite alarms whose rules lead to known alarms only."""
    names, kept = set(known), list(composites)
    while True:
        there = names | {alarm.name for alarm in kept}
        fewer = [
            alarm
            for alarm in kept
            if there.issuperset(child.name for child in children(parse_rule(alarm.rule)))
        ]
        if len(fewer) == len(kept):
            return kept
        kept = fewer


def _usable(filters: Sequence[MetricFilter], notices: list[Notice]) -> Iterable[MetricFilter]:
    """Leave out filters that refer to what their pattern cannot give."""
    for each in filters:
        try:
            Publisher(each.pattern, each.transformation)
        except UsageError as error:
            notices.append(Notice("error", str(error), each.place))
        else:
            yield each


def _asked(alarm: LogAlarm, notices: list[Notice]) -> "Asked | None":
    """Make the question of a log alarm; a notice tells of one that makes none."""
    from rolewatch.insights.log_sieve import asked_of, failure  # noqa: PLC0415 - only where there are log alarms

    try:
        return asked_of(alarm)
    except AlarmError as error:
        notices.append(failure(alarm, error))
        return None


def _is_published(alarm: Alarm, published: set[tuple[str, str]], notices: list[Notice]) -> bool:
    """Say whether all metrics of an alarm come from filters; of others nothing is known here, so silence would mean nothing."""
    for metric in _metrics(alarm):
        if (metric.namespace, metric.name) not in published:
            text = f"{alarm.name} is not evaluated: no metric filter here publishes its metric {metric.namespace} {metric.name}"
            notices.append(Notice("warning", text, alarm.place))
            return False
    return True


def _metrics(alarm: Alarm) -> tuple[Metric, ...]:
    stats = (alarm.stat, *(query.stat for query in alarm.queries))
    return tuple(dict.fromkeys(stat.metric for stat in stats if stat is not None))


def reach_of(alarm: Alarm, detectors: Sequence[AnomalyDetector]) -> Reach:
    """Say what an alarm looks at, and how far back; AlarmError for one that cannot be evaluated."""
    watch = Watch(alarm, {}, detectors)
    seconds = (watch.reach + 1) * watch.period
    if watch.band is not None:
        seconds += _LEARNED + 2 * _HOUR
    return Reach(_metrics(alarm), watch.every, seconds)


def _essence(value: Any) -> Any:
    """Leave out where things are written."""
    if isinstance(value, Place | Spelling):
        return None
    if isinstance(value, tuple):
        return [_essence(each) for each in value]
    return value
