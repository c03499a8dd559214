"""The properties of an `AWS::CloudWatch::LogAlarm` in, a definition out. Source of the rules: the API reference, `PutLogAlarm`.

Whether the query makes sense is looked at when the alarm is evaluated, as with an `AlarmRule`.
"""

import re
from typing import Final, NamedTuple

from rolewatch.templates.alarms import BAND_OPERATORS, MISSING_DATA, STATIC_OPERATORS, read_actions
from rolewatch.templates.definitions import LogAlarm, LogQuery, WarmUp
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.fields import Fields, Identity

MOST_RESULTS: Final = 100
MOST_GROUPS: Final = 50
MOST_LINES: Final = 50
LONGEST_OFFSET: Final = 30 * 86_400
LONGEST_WARM_UP: Final = 2880  # minutes
_RATE: Final = re.compile(r"rate\(\s*([0-9]{1,6})\s+(minute|hour|day)s?\s*\)")
_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
_GROUP_ARN: Final = re.compile(r"arn:[^:]+:logs:[^:]*:[^:]*:log-group:([^:]+)(?::.*)?", re.DOTALL)


class ReadLogAlarm(NamedTuple):
    """A log alarm, and the errors that are no more than warnings."""

    alarm: LogAlarm
    warnings: list[TemplateError]


def read_log_alarm(fields: Fields, identity: Identity) -> ReadLogAlarm:
    """Read a log alarm; TemplateError if AWS would refuse it."""
    own = fields.text("AlarmName", longest=255, shortest=1) or identity.name
    name = "ScheduledQueryConfiguration"
    query = _query(fields.present(name, fields.inner(name)))
    evaluated = _within(fields, "QueryResultsToEvaluate", 1, MOST_RESULTS)
    needed = fields.present("QueryResultsToAlarm", fields.whole("QueryResultsToAlarm"))
    if not 1 <= needed <= evaluated:
        text = f"QueryResultsToAlarm must be between 1 and QueryResultsToEvaluate ({evaluated}), not {needed}"
        raise fields.error(text, "QueryResultsToAlarm")
    actions, warnings = read_actions(fields)
    alarm = LogAlarm(
        identity.logical_id,
        own,
        fields.text("AlarmDescription", longest=1024),
        query,
        evaluated,
        needed,
        fields.present("Threshold", fields.number("Threshold")),
        _operator(fields),
        fields.choice("TreatMissingData", MISSING_DATA) or "missing",
        _lines(fields),
        _warm_up(fields.inner("WarmUpConfiguration")),
        actions,
        identity.place,
    )
    return ReadLogAlarm(alarm, warnings)


def _query(given: Fields) -> LogQuery:
    written = given.present("QueryString", given.scalar("QueryString", longest=10_000))
    aggregation = given.present(
        "AggregationExpression", given.scalar("AggregationExpression", longest=2048, shortest=1)
    )
    given.required("ScheduledQueryRoleARN", longest=1024)
    name = "ScheduleConfiguration"
    schedule = given.present(name, given.inner(name))
    start = _within(schedule, "StartTimeOffset", 1, LONGEST_OFFSET)
    end = schedule.whole("EndTimeOffset") or 0
    if not 0 <= end < start:
        text = f"EndTimeOffset must be at least 0 and less than StartTimeOffset ({start}), not {end}"
        raise schedule.error(text, "EndTimeOffset")
    return LogQuery(
        written.text,
        aggregation.text,
        _groups(given),
        _every(schedule),
        start,
        end,
        given.spelling("QueryString", written),
        given.spelling("AggregationExpression", aggregation),
    )


def _every(schedule: Fields) -> int:
    """Read how often a query runs, in seconds; the reference names no other schedule than a rate."""
    name = "ScheduleExpression"
    text = schedule.required(name, longest=256)
    found = _RATE.fullmatch(text)
    if not found or not int(found[1]):
        raise schedule.error(
            f"{text[:60]!r} is no schedule of a log alarm", name, remedy="write it as in rate(5 minutes)"
        )
    return int(found[1]) * _SECONDS[found[2]]


def _groups(given: Fields) -> tuple[str, ...]:
    """Read the names of log groups, also of those that are given by their ARNs."""
    name = "LogGroupIdentifiers"
    found = given.texts(name)
    if given.has(name) and not 1 <= len(found) <= MOST_GROUPS:
        raise given.error(f"{name} holds {len(found)} log groups, 1 to {MOST_GROUPS} are possible", name)
    for each in found:
        if not 1 <= len(each.text) <= 1024:
            raise given.constraint(name, each, "length between 1 and 1024")
    names = ((arn[1] if (arn := _GROUP_ARN.fullmatch(each.text)) else each.text) for each in found)
    return tuple(dict.fromkeys(names))


def _operator(fields: Fields) -> str:
    name = "ComparisonOperator"
    operator = fields.present(name, fields.choice(name, (*STATIC_OPERATORS, *BAND_OPERATORS)))
    if operator in BAND_OPERATORS:
        text = f"{name} {operator} is not for a log alarm"
        raise fields.error(text, name, remedy=f"use {', '.join(STATIC_OPERATORS)}")
    return operator


def _lines(fields: Fields) -> int:
    """Read how many log lines go with a notification, which needs a role that reads them."""
    name, role = "ActionLogLineCount", "ActionLogLineRoleArn"
    has_role = fields.has(role)
    if not fields.has(name):
        return 0
    lines = _within(fields, name, 0, MOST_LINES)
    if lines and not has_role:
        raise fields.error(f"required key [{role}] not found", remedy=f"{name} needs it above 0")
    return lines


def _warm_up(given: Fields | None) -> WarmUp | None:
    if given is None:
        return None
    minutes = _within(given, "WarmUpPeriodDurationInMinutes", 1, LONGEST_WARM_UP)
    return WarmUp(60 * minutes, given.truth("OnlyStartEvaluatingAfterWarmUpPeriodEnds", otherwise=False))


def _within(fields: Fields, name: str, least: int, most: int) -> int:
    found = fields.present(name, fields.whole(name))
    if not least <= found <= most:
        raise fields.error(f"{name} must be between {least} and {most}, not {found}", name)
    return found
