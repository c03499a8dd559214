"""A template in; its metric filters and alarms, each with what it is wired to, out."""

from typing import NamedTuple

from rolewatch.lint.examined import examined
from rolewatch.templates.definitions import (
    Alarm,
    CompositeAlarm,
    LogAlarm,
    Metric,
    MetricFilter,
    MetricStat,
    Template,
)


class Setup(NamedTuple):
    """A template, its filters by namespace and name of what they publish, and its alarms by the same of what they watch."""

    template: Template
    filters: dict[tuple[str, str], list[MetricFilter]]
    watchers: dict[tuple[str, str], list[Alarm]]


class FilterCase(NamedTuple):
    """A filter, `number` of its log group's from 1, and `regex_number` of those with regular expressions."""

    setup: Setup
    filter: MetricFilter
    number: int
    regex_number: int

    @property
    def watchers(self) -> list[Alarm]:
        """The alarms on the metric that it publishes."""
        return self.setup.watchers.get(published(self.filter), [])


class AlarmCase(NamedTuple):
    """An alarm, and the filters that publish what it watches (of a plain alarm; metric math has several metrics)."""

    setup: Setup
    alarm: Alarm

    @property
    def filters(self) -> list[MetricFilter]:
        """The filters whose matches it counts; none where it watches something else."""
        stat = self.alarm.stat
        return self.setup.filters.get((stat.metric.namespace, stat.metric.name), []) if stat else []

    @property
    def metrics(self) -> list[Metric]:
        """All metrics that it looks at, each once."""
        return list(dict.fromkeys(stat.metric for stat in stats_of(self.alarm)))


class LogCase(NamedTuple):
    """A log alarm."""

    setup: Setup
    alarm: LogAlarm


class CompositeCase(NamedTuple):
    """A composite alarm."""

    setup: Setup
    alarm: CompositeAlarm


def setup_of(template: Template) -> Setup:
    """Wire a template up."""
    filters: dict[tuple[str, str], list[MetricFilter]] = {}
    for each in template.filters:
        filters.setdefault(published(each), []).append(each)
    watchers: dict[tuple[str, str], list[Alarm]] = {}
    for alarm in template.alarms:
        for key in dict.fromkeys((stat.metric.namespace, stat.metric.name) for stat in stats_of(alarm)):
            watchers.setdefault(key, []).append(alarm)
    return Setup(template, filters, watchers)


def stats_of(alarm: Alarm) -> list[MetricStat]:
    """Return the statistics that an alarm is made of."""
    each = [alarm.stat, *(query.stat for query in alarm.queries)]
    return [stat for stat in each if stat is not None]


def published(each: MetricFilter) -> tuple[str, str]:
    """Return namespace and name of what a filter publishes."""
    return each.transformation.namespace, each.transformation.name


def constant(each: MetricFilter) -> float | None:
    """Return the value that a filter publishes for each match, None where it is read from the event."""
    value = each.transformation.value
    return None if value.startswith("$") else float(value)


def is_about_trail(each: MetricFilter) -> bool:
    """Whether a filter looks for records of CloudTrail."""
    return examined(each.pattern).about_trail


def shown(number: float) -> str:
    """Write a number as a template does."""
    return f"{number:g}"
