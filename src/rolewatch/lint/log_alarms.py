"""Rules about log alarms: what their queries find, which records no run looks at, and whom they tell."""

import json
from collections.abc import Iterator
from math import inf
from typing import Final

from rolewatch.alarms.errors import AlarmError
from rolewatch.engines.duckdb import Sieve
from rolewatch.insights.log_alarm import Question, question
from rolewatch.insights.lower import TIMESTAMP
from rolewatch.lint import trail
from rolewatch.lint.advice import Rule, Said, Severity
from rolewatch.lint.alarms import DELIVERY, LESS, MORE, no_action
from rolewatch.lint.denials import LINKED_ROLE, SPELLINGS
from rolewatch.lint.query_fields import unknown_fields
from rolewatch.lint.setup import LogCase, shown
from rolewatch.lint.thresholds import COMPARE, SIGNS
from rolewatch.plan import Get, Group, Plan, Shown, Where, gets
from rolewatch.scan.rows import Reader

_QUERY: Final = "ScheduledQueryConfiguration.QueryString"
_SCHEDULE: Final = "ScheduledQueryConfiguration.ScheduleConfiguration"
_COUNTS: Final = ("count", "count_distinct")
#: Fields by which records of CloudTrail are told from others.
_OWN: Final = frozenset(("userIdentity", "eventSource", "eventName", "errorCode", "recipientAccountId"))


def _wrong_query(case: LogCase) -> Iterator[Said]:
    try:
        question(case.alarm)
    except AlarmError as error:
        own = error.text == case.alarm.query.text
        where = _QUERY if own else "ScheduledQueryConfiguration.AggregationExpression"
        yield Said(Severity.ERROR, f"The query cannot be run: {error}.", property=where)


def _unknown_field(case: LogCase) -> Iterator[Said]:
    for name, near in (
        unknown_fields(each.steps for each in _fields(case)).items() if _about_trail(case) else ()
    ):
        meant = f" Did you mean {near}?" if near else ""
        yield Said(
            Severity.ERROR, f"No record of CloudTrail has a field {name}: it is always missing.{meant}", property=_QUERY
        )  # fmt: skip


def _forgotten_codes(case: LogCase) -> Iterator[Said]:
    found = _asked(case)
    if found is None or Get(trail.ERROR_CODE) not in gets(found.plan):
        return
    passed = _let_through(found)
    missed = [code for code in SPELLINGS if code not in passed]
    if passed and missed:
        yield Said(
            Severity.WARNING,
            f"A refusal has many names, and the query misses {len(missed)} of the {len(SPELLINGS)} known ones: {', '.join(missed)}.",
            property=_QUERY,
        )


def _let_through(found: Question) -> set[str]:
    """Give the spellings of a refusal of a service-linked role that the query's first filters let through."""
    fields = tuple(dict.fromkeys((TIMESTAMP, *gets(found.plan))))
    plan = Plan(found.lead, tuple(Shown("", get) for get in fields))
    sieve = Sieve.of(plan, 0)
    own = gets(plan)
    issuer = {"type": "Role", "arn": LINKED_ROLE}
    identity = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": issuer}}
    reader = Reader(own)
    rows = [reader(json.dumps({"userIdentity": identity, "errorCode": code}).encode()) for code in SPELLINGS]
    columns = [[row[place] if row else None for row in rows] for place in range(len(own))]
    places = range(len(rows)) if sieve is None else sieve(columns, len(rows))[0]
    return {SPELLINGS[place] for place in places}


def _gaps(case: LogCase) -> Iterator[Said]:
    query = case.alarm.query
    window = query.start - query.end
    if window < query.every:
        yield Said(
            Severity.ERROR,
            f"A run looks at {window} seconds, and the next one comes {query.every} seconds after it: no run looks at what lies in between.",
            property=f"{_SCHEDULE}.StartTimeOffset",
            old=f"StartTimeOffset: {query.start}",
            fix=f"StartTimeOffset: {query.end + query.every}",
        )


def _short_window(case: LogCase) -> Iterator[Said]:
    query = case.alarm.query
    wanted = DELIVERY + query.every
    if query.start < wanted and query.start - query.end >= query.every and _about_trail(case):
        yield Said(
            Severity.WARNING,
            f"CloudTrail delivers records about {DELIVERY // 60} minutes after the call, and a run looks back {query.start} seconds: "
            f"with {query.every} seconds from one run to the next, what takes longer than {query.start - query.every} seconds may never be looked at.",
            property=f"{_SCHEDULE}.StartTimeOffset",
            old=f"StartTimeOffset: {query.start}",
            fix=f"StartTimeOffset: {wanted}",
        )


def _threshold(case: LogCase, *, always: bool) -> bool:
    """Whether a number of records always breaches, or never does."""
    alarm = case.alarm
    found = _asked(case)
    if found is None or not _counts(found):
        return False
    compare = COMPARE[alarm.comparison_operator]
    least = compare(1 if found.grouped else 0, alarm.threshold)
    greatest = compare(inf, alarm.threshold)
    return (least and greatest) if always else not (least or greatest)


def _unreachable_threshold(case: LogCase) -> Iterator[Said]:
    if _threshold(case, always=False) and case.alarm.treat_missing_data != "breaching":
        yield Said(
            Severity.ERROR,
            f"{_told(case)} never comes true{_of_contributors(case)}.",
            property="Threshold",
            old=f"Threshold: {shown(case.alarm.threshold)}",
        )


def _always_breaching(case: LogCase) -> Iterator[Said]:
    found = _asked(case)
    if found is not None and not found.grouped and _threshold(case, always=True):
        yield Said(
            Severity.ERROR,
            f"{_told(case)} is true of every run, whatever it finds: the alarm rings at the first and stays in ALARM.",
            property="Threshold",
            old=f"Threshold: {shown(case.alarm.threshold)}",
            fix="Threshold: 1",
        )


def _told(case: LogCase) -> str:
    alarm = case.alarm
    return f"A number of records {SIGNS[alarm.comparison_operator]} {shown(alarm.threshold)}"


def _of_contributors(case: LogCase) -> str:
    found = _asked(case)
    grouped = found is not None and found.grouped
    return ": a contributor without any record is none, so that each has at least one" if grouped else ""


def _missing_data(case: LogCase) -> Iterator[Said]:
    alarm, found = case.alarm, _asked(case)
    if found is None or (_counts(found) and not found.grouped):
        return
    looks_for_more = alarm.comparison_operator.startswith("Greater")
    if found.grouped and not looks_for_more:
        yield Said(
            Severity.WARNING,
            "A contributor without any record for a while has disappeared, and is OK whatever TreatMissingData says: "
            "an alarm that looks for too few does not notice that there are none.",
            property="ScheduledQueryConfiguration.AggregationExpression",
        )
        return
    told = (_CONTRIBUTORS if found.grouped else MORE if looks_for_more else LESS).get(
        alarm.treat_missing_data
    )
    if told:
        severity, why = told
        yield Said(
            severity,
            f"A run that finds nothing has no result. {why}",
            property="TreatMissingData",
            old=f"TreatMissingData: {alarm.treat_missing_data}",
            fix=f"TreatMissingData: {'notBreaching' if looks_for_more else 'breaching'}",
        )


_CONTRIBUTORS: Final = {
    "breaching": (Severity.ERROR, "With `breaching` the alarm rings before there is any contributor, and each run without a result counts against those that there are."),
    "missing": (Severity.WARNING, "With `missing`, the default, the alarm is in INSUFFICIENT_DATA before there is any contributor, and one of few results may stay in ALARM."),
    "ignore": (Severity.WARNING, "With `ignore` the alarm keeps its state before there is any contributor, and one of few results may stay in ALARM."),
}  # fmt: skip


def _counts(found: Question) -> bool:
    """Whether the value is a number of records, or of different values."""
    value = found.plan.shown[-1].expression
    last = found.plan.steps[found.last_group]
    assert isinstance(last, Group)  # noqa: S101 - it is the one
    return any(
        getattr(value, "number", None) == number and each.primitive in _COUNTS
        for number, each in last.aggregates
    )


def _asked(case: LogCase) -> Question | None:
    try:
        return question(case.alarm)
    except AlarmError:  # it has advice of its own
        return None


def _fields(case: LogCase) -> tuple[Get, ...]:
    found = _asked(case)
    return () if found is None else gets(found.plan)


def _about_trail(case: LogCase) -> bool:
    """Whether a query looks at a field by which records of CloudTrail are told from others."""
    found = _asked(case)
    filtered = found is not None and any(isinstance(step, Where) for step in found.lead)
    return filtered and any(each.steps[0] in _OWN for each in _fields(case))


RULES: tuple[Rule[LogCase], ...] = (
    Rule("wrong-query", "a query that cannot be run", _wrong_query),
    Rule("unknown-field", "a field that CloudTrail does not write", _unknown_field),
    Rule("forgotten-codes", "spellings of a refusal that a query misses", _forgotten_codes),
    Rule("gaps", "records that no run of a query looks at", _gaps),
    Rule("short-window", "a window that is over before CloudTrail delivers", _short_window),
    Rule("unreachable-threshold", "a threshold that no number of records reaches", _unreachable_threshold),
    Rule("always-breaching", "a threshold that any number of records reaches", _always_breaching),
    Rule("missing-data", "a treatment of missing data that hides or invents an alarm", _missing_data),
    Rule("no-action", "an alarm that tells nobody", no_action),
)
