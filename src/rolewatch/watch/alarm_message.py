"""A change of an alarm's state in, the message that CloudWatch sends to SNS about it out (spec/alarm.md §9.1)."""

import json
import math
from collections.abc import Iterable
from typing import Any, Final

from rolewatch.alarms.history import AnyAlarm, Transition
from rolewatch.alarms.log_results import Attributes
from rolewatch.alarms.mute import BY
from rolewatch.alarms.wording import stamp
from rolewatch.base.sanitise import terminal
from rolewatch.templates.definitions import (
    Actions,
    Alarm,
    CompositeAlarm,
    LogAlarm,
    Metric,
    MetricQuery,
    MetricStat,
)
from rolewatch.templates.statistic import parse_statistic
from rolewatch.watch.alarm_regions import region_name

LONGEST_LINE: Final = 1000  # characters of a log line …
ROOM: Final = 48 * 1024  # … and of all of them as JSON: SNS takes 256 KiB in all, twice over as text and JSON
LONGEST_VALUE: Final = 300  # characters of a contributor's attribute
_STATISTICS: Final = {
    "SampleCount": "SAMPLE_COUNT",
    "Sum": "SUM",
    "Average": "AVERAGE",
    "Minimum": "MINIMUM",
    "Maximum": "MAXIMUM",
}


def message(alarm: AnyAlarm, change: Transition, arn: str, updated: int) -> dict[str, Any]:
    """Write the message; `updated` is when the alarm was defined as it is (seconds since 1970).

    AWS documents none of log alarms: what they look at is called as in their definition, with the log lines beside it.
    """
    _, _, _, region, account, *_ = arn.split(":", 6)
    actions: Actions = alarm.actions
    after_mute = change.acted_at is not None and (change.suppressed_by or "").startswith(BY)
    body: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": stamp(updated),
        "NewStateValue": str(change.after),
        "NewStateReason": change.reason,
        "StateChangeTime": stamp(change.time),
        "Region": region_name(region),
        "AlarmArn": arn,
        "OldStateValue": str(change.before),
        "OKActions": list(actions.ok),
        "AlarmActions": list(actions.alarm),
        "InsufficientDataActions": list(actions.insufficient_data),
        "ActionExecutedAfterMuteWindow": after_mute,
    }
    if isinstance(alarm, CompositeAlarm):
        return body | {"AlarmRule": alarm.rule, "TriggeringChildren": _triggering(change)}
    if isinstance(alarm, LogAlarm):
        lines = {"LogLines": list(change.lines)} if change.lines else {}
        return body | {"Trigger": _query_trigger(alarm)} | lines
    return body | {"Trigger": _trigger(alarm)}


def of_contributor(contributor: Attributes, identity: str) -> dict[str, Any]:
    """Write what the message of a change has of the contributor whose it is; texts of any length are cut."""
    attributes = {name: terminal(value, LONGEST_VALUE) for name, value in contributor}
    return {"AlarmContributorId": identity, "AlarmContributorAttributes": attributes}


def shortened(lines: Iterable[str]) -> tuple[str, ...]:
    """Cut log lines to what fits into a message, as attackers wrote part of them: the first ones, as many as there is room for."""
    kept: list[str] = []
    room = ROOM
    for line in lines:
        shown = terminal(line, LONGEST_LINE)
        room -= len(json.dumps(shown))
        if room < 0:
            break
        kept.append(shown)
    return tuple(kept)


def _triggering(change: Transition) -> list[dict[str, Any]]:
    children = json.loads(change.reason_data or "{}").get("triggeringAlarms", ())
    return [
        {
            "Arn": child["arn"],
            "State": {"Value": child["state"]["value"], "Timestamp": child["state"]["timestamp"]},
        }
        for child in children
    ]


def _trigger(alarm: Alarm) -> dict[str, Any]:
    """Write what is watched, and how."""
    rule: dict[str, Any] = {"EvaluationPeriods": alarm.evaluation_periods}
    if alarm.datapoints_to_alarm is not None:
        rule["DatapointsToAlarm"] = alarm.datapoints_to_alarm
    rule["ComparisonOperator"] = alarm.comparison_operator
    if alarm.threshold is not None:
        rule["Threshold"] = _plain(alarm.threshold)
    low = alarm.evaluate_low_sample_count_percentile
    rule |= {
        "TreatMissingData": alarm.treat_missing_data,
        "EvaluateLowSampleCountPercentile": "" if low == "evaluate" else low,
    }
    if alarm.threshold_metric_id is not None:
        rule["ThresholdMetricId"] = alarm.threshold_metric_id
    if alarm.stat is None:
        return rule | {"Metrics": [_query(query) for query in alarm.queries]}
    stat = alarm.stat
    return _identity(stat.metric) | _statistic(stat) | {"Unit": stat.unit, "Period": stat.period} | rule


def _query_trigger(alarm: LogAlarm) -> dict[str, Any]:
    query = alarm.query
    return {
        "QueryString": query.text,
        "AggregationExpression": query.aggregation,
        "LogGroupIdentifiers": list(query.groups),
        "StartTimeOffset": query.start,
        "EndTimeOffset": query.end,
        "QueryResultsToEvaluate": alarm.evaluated,
        "QueryResultsToAlarm": alarm.needed,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": _plain(alarm.threshold),
        "TreatMissingData": alarm.treat_missing_data,
    }


def _statistic(stat: MetricStat) -> dict[str, str]:
    if parse_statistic(stat.statistic).simple:
        return {"StatisticType": "Statistic", "Statistic": _STATISTICS[stat.statistic]}
    return {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": stat.statistic}


def _query(query: MetricQuery) -> dict[str, Any]:
    body: dict[str, Any] = {"Id": query.id}
    if query.stat is not None:
        stat = query.stat
        unit = {} if stat.unit is None else {"Unit": stat.unit}
        body["MetricStat"] = {
            "Metric": _identity(stat.metric), "Period": stat.period, "Stat": stat.statistic, **unit,
        }  # fmt: skip
    else:
        body["Expression"] = query.expression
    if query.label is not None:
        body["Label"] = query.label
    return body | {"ReturnData": query.returned}


def _identity(metric: Metric) -> dict[str, Any]:
    dimensions = [{"value": value, "name": name} for name, value in metric.dimensions]
    return {"MetricName": metric.name, "Namespace": metric.namespace, "Dimensions": dimensions}


def _plain(value: float) -> float | None:
    """Leave out what JSON does not know."""
    return value if math.isfinite(value) else None
