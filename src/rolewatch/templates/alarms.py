"""The properties of alarms and composite alarms in, definitions out. Source of the rules: spec/alarm.md §1, §2, §6 and §10."""

from typing import NamedTuple

from rolewatch.templates.alarm_metrics import read_queries, read_stat
from rolewatch.templates.definitions import Actions, Alarm, CompositeAlarm, MetricQuery, MetricStat
from rolewatch.templates.errors import MissingParameterError, TemplateError
from rolewatch.templates.fields import Fields, Identity
from rolewatch.templates.nodes import Scalar, Sequence
from rolewatch.templates.statistic import parse_statistic

DAY = 86_400
WEEK = 7 * DAY
MOST_ACTIONS = 5
STATIC_OPERATORS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)
BAND_OPERATORS = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
MISSING_DATA = ("breaching", "notBreaching", "ignore", "missing")
LOW_SAMPLES = ("evaluate", "ignore")
_OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_NOT_EVALUATED = {
    "EvaluationCriteria": "PromQL alarms are not supported",
    "EvaluationWindow": "evaluation windows are not supported",
}


class ReadAlarm(NamedTuple):
    """An alarm, and the errors that are no more than warnings."""

    alarm: Alarm
    warnings: list[TemplateError]


class ReadComposite(NamedTuple):
    """A composite alarm, and the errors that are no more than warnings."""

    alarm: CompositeAlarm
    warnings: list[TemplateError]


def read_alarm(fields: Fields, identity: Identity) -> ReadAlarm:
    """Read an alarm; TemplateError if AWS would refuse it."""
    own = fields.text("AlarmName", longest=255, shortest=1) or identity.name
    for key, text in _NOT_EVALUATED.items():
        if fields.has(key):
            raise fields.error(text, key)
    band = fields.text("ThresholdMetricId", longest=255, shortest=1)
    stat, queries = _watched(fields, band)
    operator = _operator(fields, band)
    periods = fields.present("EvaluationPeriods", fields.whole("EvaluationPeriods"))
    if periods < 1:
        raise fields.error(f"EvaluationPeriods must be at least 1, not {periods}", "EvaluationPeriods")
    needed = fields.whole("DatapointsToAlarm")
    if needed is not None and not 1 <= needed <= periods:
        raise fields.error(
            f"DatapointsToAlarm must be between 1 and EvaluationPeriods ({periods}), not {needed}",
            "DatapointsToAlarm",
        )
    _check_span(fields, stat, queries, periods, band)
    actions, warnings = read_actions(fields)
    alarm = Alarm(
        identity.logical_id,
        own,
        fields.text("AlarmDescription", longest=1024),
        stat,
        queries,
        periods,
        needed,
        _threshold(fields, band),
        band,
        operator,
        fields.choice("TreatMissingData", MISSING_DATA) or "missing",
        fields.choice("EvaluateLowSampleCountPercentile", LOW_SAMPLES) or "evaluate",
        actions,
        identity.place,
    )
    names = [one.statistic for one in (stat, *(query.stat for query in queries)) if one]
    warnings += [
        fields.error(f"{name}: the API names 10% to 90% as the bounds in alarms")
        for name in names
        if parse_statistic(name).beyond_alarms
    ]
    return ReadAlarm(alarm, warnings)


def _watched(fields: Fields, band: str | None) -> tuple[MetricStat | None, tuple[MetricQuery, ...]]:
    if not fields.has("Metrics"):
        if band is not None:
            raise fields.error("ThresholdMetricId needs Metrics with a band", "ThresholdMetricId")
        if not fields.has("MetricName"):
            raise fields.error(
                "required key [MetricName] not found", remedy="write MetricName and Namespace, or Metrics"
            )
        return read_stat(fields), ()
    for name in _OF_ONE_METRIC:
        if fields.has(name):
            raise fields.error(
                f"{name} cannot be there together with Metrics", name, remedy="write it within Metrics"
            )
    return None, read_queries(fields, band)


def _operator(fields: Fields, band: str | None) -> str:
    operator = fields.present(
        "ComparisonOperator", fields.choice("ComparisonOperator", (*STATIC_OPERATORS, *BAND_OPERATORS))
    )
    if (operator in BAND_OPERATORS) != (band is not None):
        wanted = ", ".join(STATIC_OPERATORS if band is None else BAND_OPERATORS)
        what = (
            "an anomaly alarm (ThresholdMetricId)" if band is not None else "an alarm with a static Threshold"
        )
        raise fields.error(
            f"ComparisonOperator {operator} is not for {what}", "ComparisonOperator", remedy=f"use {wanted}"
        )
    return operator


def _threshold(fields: Fields, band: str | None) -> float | None:
    threshold = fields.number("Threshold")
    if threshold is not None and band is not None:
        raise fields.error(
            "Threshold and ThresholdMetricId exclude each other", "Threshold", remedy="remove one of them"
        )
    if threshold is None and band is None:
        raise fields.error(
            "required key [Threshold] not found",
            remedy="write Threshold, or ThresholdMetricId with a band in Metrics",
        )
    return threshold


def _check_span(
    fields: Fields, stat: MetricStat | None, queries: tuple[MetricQuery, ...], periods: int, band: str | None
) -> None:
    """Raise TemplateError if the alarm looks back further than it may, or its band at less than a minute."""
    lengths = (
        [stat.period]
        if stat
        else [query.stat.period if query.stat else query.period or 0 for query in queries]
    )
    period = max(lengths)
    most = WEEK if period >= 3600 else DAY
    if period * periods > most:
        text = f"Period ({period} s) multiplied by EvaluationPeriods ({periods}) can't be more than {most:,} seconds"
        why = "; a day is the most where Period is shorter than an hour" if most == DAY else ""
        raise fields.error(text + why, "EvaluationPeriods")
    if band is not None and any(0 < length < 60 for length in lengths):
        raise fields.error("an anomaly alarm needs a Period of at least 60", "Metrics")


def read_actions(fields: Fields) -> tuple[Actions, list[TemplateError]]:
    """Read what an alarm acts on, and the errors that are no more than warnings."""
    warnings: list[TemplateError] = []
    alarm, ok, insufficient = (
        _targets(fields, name, warnings) for name in ("AlarmActions", "OKActions", "InsufficientDataActions")
    )
    return Actions(fields.truth("ActionsEnabled", otherwise=True), alarm, ok, insufficient), warnings


def _targets(fields: Fields, name: str, warnings: list[TemplateError]) -> tuple[str, ...]:
    """Read the actions for one state.

    They are shown, never executed: one that cannot be told is a warning, and the alarm is evaluated all the same.
    """
    entry = fields.written(name)
    if entry is not None and isinstance(entry.value, Sequence):
        found: list[Scalar] = []
        for number, item in enumerate(entry.value.items):
            try:
                target = fields.scope.resolve(item, f"{fields.path}.{name}[{number}]")
            except MissingParameterError:
                raise
            except TemplateError as error:
                warnings.append(error)
                continue
            if target is not None and not isinstance(target, Scalar):
                raise fields.error(f"Value of property {name} must be of type List of String", name)
            found += [target] if target is not None else []
    else:
        found = fields.texts(name)
    if len(found) > MOST_ACTIONS:
        raise fields.error(f"{name} holds {len(found)} actions, at most {MOST_ACTIONS} are possible", name)
    for target in found:
        if not 1 <= len(target.text) <= 1024:
            raise fields.constraint(name, target, "length between 1 and 1024")
    return tuple(target.text for target in found)


def read_composite(fields: Fields, identity: Identity) -> ReadComposite:
    """Read a composite alarm; TemplateError if AWS would refuse it. The rule's grammar is not looked at here."""
    own = fields.text("AlarmName", longest=255, shortest=1) or identity.name
    actions, warnings = read_actions(fields)
    suppressor = fields.text("ActionsSuppressor", longest=1600, shortest=1)
    wait, extension = (
        _seconds(fields, key, suppressor)
        for key in ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
    )
    rule = fields.present("AlarmRule", fields.scalar("AlarmRule", longest=10_240, shortest=1))
    alarm = CompositeAlarm(
        identity.logical_id,
        own,
        fields.text("AlarmDescription", longest=1024),
        rule.text,
        actions,
        suppressor,
        wait,
        extension,
        identity.place,
        fields.spelling("AlarmRule", rule),
    )
    return ReadComposite(alarm, warnings)


def _seconds(fields: Fields, name: str, suppressor: str | None) -> int:
    """Read one of the two periods that a suppressor needs."""
    seconds = fields.whole(name)
    if seconds is None:
        if suppressor is not None:
            raise fields.error(
                f"required key [{name}] not found", remedy=f"ActionsSuppressor needs it: {name}: 60"
            )
        return 0
    if suppressor is None:
        raise fields.error(f"{name} needs an ActionsSuppressor", name)
    if seconds < 0:
        raise fields.error(f"{name} must be at least 0, not {seconds}", name)
    return seconds
