"""Several templates in; one with everything that they define, and a notice for each name that is taken already, out."""

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

from rolewatch.templates.definitions import (
    AlarmMuteRule,
    AnomalyDetector,
    MetricFilter,
    Notice,
    Place,
    Template,
    Topic,
)


class _Placed(Protocol):
    @property
    def place(self) -> Place: ...


T = TypeVar("T", bound=_Placed)


def combined(templates: Iterable[Template]) -> Template:
    """Put templates together; of two definitions of one name the first holds, the second is an error among the notices.

    Alarms have the ARNs of the first template that tells any.
    """
    every = list(templates)
    return without_clashes(
        Template(
            tuple(each for template in every for each in template.filters),
            tuple(each for template in every for each in template.alarms),
            tuple(each for template in every for each in template.composites),
            tuple(each for template in every for each in template.anomaly_detectors),
            tuple(each for template in every for each in template.queries),
            tuple(each for template in every for each in template.topics),
            tuple(each for template in every for each in template.notices),
            tuple(each for template in every for each in template.mute_rules),
            next((template.arn_prefix for template in every if template.arn_prefix), None),
            tuple(each for template in every for each in template.left_out),
            tuple(each for template in every for each in template.log_alarms),
        )
    )


def without_clashes(template: Template) -> Template:
    """Leave out what has the name of something before it; alarms of all kinds share their names."""
    notices: list[Notice] = []
    names: dict[Hashable, Place] = {}
    return template._replace(
        filters=_first(template.filters, _filter, "the metric filter {} of log group {}", {}, notices),
        alarms=_first(template.alarms, lambda alarm: (alarm.name,), "the alarm {}", names, notices),
        log_alarms=_first(template.log_alarms, lambda alarm: (alarm.name,), "the alarm {}", names, notices),
        composites=_first(template.composites, lambda alarm: (alarm.name,), "the alarm {}", names, notices),
        anomaly_detectors=_first(
            template.anomaly_detectors, _detector, "the anomaly detector of {} {} for {}", {}, notices
        ),
        topics=_first(template.topics, _topic, "the topic {}", {}, notices),
        mute_rules=_first(template.mute_rules, _mute_rule, "the alarm mute rule {}", {}, notices),
        notices=(*template.notices, *notices),
    )


def _filter(each: MetricFilter) -> tuple[Hashable, ...]:
    return each.name, each.log_group


def _detector(each: AnomalyDetector) -> tuple[Hashable, ...]:
    return each.metric.namespace, each.metric.name, each.statistic, each.metric.dimensions


def _topic(each: Topic) -> tuple[Hashable, ...]:
    return (each.arn,)


def _mute_rule(each: AlarmMuteRule) -> tuple[Hashable, ...]:
    return (each.name,)


def _first(
    found: tuple[T, ...],
    key: Callable[[T], tuple[Hashable, ...]],
    what: str,
    taken: dict[Hashable, Place],
    notices: list[Notice],
) -> tuple[T, ...]:
    """Keep the first of each name."""
    kept = []
    for each in found:
        name = key(each)
        first = taken.setdefault(name, each.place)
        if first is each.place:
            kept.append(each)
            continue
        text = f"{what.format(*name)} already exists, defined in {first}; this one is left out"
        notices.append(Notice("error", text, each.place))
    return tuple(kept)
