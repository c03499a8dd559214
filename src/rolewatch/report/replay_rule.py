"""An alarm in; when it goes off and what it looks at, in a few words, out.

Nothing here makes text safe to show, as in `replay_words`.
"""

from typing import Final

from rolewatch.alarms.history import AnyAlarm
from rolewatch.report.replay_cause import period_of
from rolewatch.report.replay_words import metric, number, span
from rolewatch.templates.definitions import Alarm, CompositeAlarm, LogAlarm, MetricQuery, MetricStat

COMPARISONS: Final = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": "≥",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside",
    "LessThanLowerThreshold": "below",
    "GreaterThanUpperThreshold": "above",
}
MISSING: Final = {
    "missing": "missing as missing",
    "ignore": "missing ignored",
    "breaching": "missing breaching",
    "notBreaching": "missing not breaching",
}


def rule(alarm: AnyAlarm) -> str:
    """Return when an alarm goes off: "Sum ≥ 1 over 300 s, 1 of 12, missing not breaching"."""
    if isinstance(alarm, CompositeAlarm):
        return alarm.rule
    if isinstance(alarm, LogAlarm):
        return _log_rule(alarm)
    sign = COMPARISONS.get(alarm.comparison_operator, alarm.comparison_operator)
    bound = "the anomaly band" if alarm.threshold is None else number(alarm.threshold)
    needed = alarm.datapoints_to_alarm or alarm.evaluation_periods
    parts = [
        f"{_value(alarm)} {sign} {bound} over {period_of(alarm)} s",
        f"{needed} of {alarm.evaluation_periods}",
        MISSING.get(alarm.treat_missing_data, alarm.treat_missing_data),
    ]
    return ", ".join(parts)


def _log_rule(alarm: LogAlarm) -> str:
    query = alarm.query
    over = (
        f"the last {span(query.start)}"
        if not query.end
        else f"the time from {span(query.start)} to {span(query.end)} before"
    )
    parts = [
        f"result {COMPARISONS[alarm.comparison_operator]} {number(alarm.threshold)} every {span(query.every)} over {over}",
        f"{alarm.needed} of {alarm.evaluated}",
        MISSING[alarm.treat_missing_data],
    ]
    return ", ".join(parts)


def looked_at(alarm: Alarm | LogAlarm) -> list[str]:
    """Return what an alarm looks at: the metric's name, its queries one by one, or the lines of its Insights query."""
    if isinstance(alarm, LogAlarm):
        return [
            *filter(None, map(str.strip, alarm.query.text.splitlines())),
            f"stats {alarm.query.aggregation.strip()}",
        ]
    if alarm.stat:
        return [metric(alarm.stat.metric)]
    return [
        f"{query.id} = {query.expression or (_stat(query.stat) if query.stat else '')}"
        for query in alarm.queries
    ]


def returned(alarm: Alarm) -> MetricQuery | None:
    """Return the query that is held against the threshold: of an anomaly alarm the metric, not the band."""
    chosen = [query for query in alarm.queries if query.returned and query.id != alarm.threshold_metric_id]
    return chosen[0] if chosen else None


def _value(alarm: Alarm) -> str:
    if alarm.stat:
        return alarm.stat.statistic
    query = returned(alarm)
    return (query.expression or (_stat(query.stat) if query.stat else query.id)) if query else "the metric"


def _stat(stat: MetricStat) -> str:
    return f"{stat.statistic} of {metric(stat.metric)}"
