"""The properties of an `AWS::CloudWatch::AlarmMuteRule`, or what `get-alarm-mute-rule` prints, in; a definition out.

Source of the rules: the references of CloudFormation (`AWS::CloudWatch::AlarmMuteRule`) and of the API (`PutAlarmMuteRule`).
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import NamedTuple, TypeVar

from rolewatch.base.errors import UsageError
from rolewatch.templates.definitions import AlarmMuteRule
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.fields import Fields, Identity
from rolewatch.templates.schedule import parse_duration, parse_schedule
from rolewatch.templates.timezones import parse_timezone

MOST_TARGETS = 500  # CloudFormation's limit; the API reference says 100
T = TypeVar("T")


class ReadMuteRule(NamedTuple):
    """A mute rule, and the errors that are no more than warnings."""

    rule: AlarmMuteRule
    warnings: list[TemplateError]


def read_mute_rule(fields: Fields, identity: Identity) -> ReadMuteRule:
    """Read a mute rule; TemplateError if AWS would refuse it. Whether its targets exist is not looked at here."""
    own = fields.text("Name", longest=255, shortest=1) or identity.name
    fields.text("Description", longest=1024)
    rule = _present(fields, "Rule")
    schedule = _present(rule, "Schedule")
    expression = schedule.required("Expression", longest=256)
    _parsed(schedule, "Expression", expression, parse_schedule)
    duration = _parsed(schedule, "Duration", schedule.required("Duration", longest=50), parse_duration)
    timezone = schedule.text("Timezone", longest=50, shortest=1) or "UTC"
    zone = _parsed(schedule, "Timezone", timezone, parse_timezone)
    start, expire = _date(fields, "StartDate", zone), _date(fields, "ExpireDate", zone)
    if start is not None and expire is not None and start >= expire:
        raise fields.error("StartDate has to be before ExpireDate", "ExpireDate")
    targets = _targets(fields)
    warnings = [] if targets else [fields.error("it has no MuteTargets, so it mutes nothing", "MuteTargets")]
    found = AlarmMuteRule(
        identity.logical_id, own, expression, duration, timezone, targets, start, expire, identity.place
    )
    return ReadMuteRule(found, warnings)


def _targets(fields: Fields) -> tuple[str, ...]:
    inner = fields.inner("MuteTargets")
    if inner is None:
        return ()
    names = inner.texts("AlarmNames")
    if len(names) > MOST_TARGETS:
        raise inner.error(
            f"AlarmNames holds {len(names)} alarms, at most {MOST_TARGETS} are possible", "AlarmNames"
        )
    for name in names:
        if not 1 <= len(name.text) <= 255:
            raise inner.constraint("AlarmNames", name, "length between 1 and 255")
    return tuple(dict.fromkeys(name.text for name in names))


def _present(fields: Fields, name: str) -> Fields:
    return fields.present(name, fields.inner(name))


def _date(fields: Fields, name: str, zone: tzinfo) -> int | None:
    """Read a time in epoch seconds; without an offset it is in the schedule's time zone."""
    text = fields.text(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return int((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp())
    except (ValueError, OverflowError):
        raise fields.error(
            f"{name} {text[:60]!r} is no time", name, remedy="write it as in 2026-04-15T08:00"
        ) from None


def _parsed(fields: Fields, name: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except UsageError as error:
        raise fields.error(error.message, name, remedy=error.remedy) from None
