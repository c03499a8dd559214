"""Checks of the alarms that count denials: whether they can ring, whether they do, and whether they then do anything."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rolewatch.aws.checks import Case, Check, Verdict
from rolewatch.aws.checks_fix import command, put_alarm
from rolewatch.aws.checks_group import there
from rolewatch.aws.doctor_setup import Answer
from rolewatch.aws.doctor_wiring import Wiring
from rolewatch.lint.advice import Severity
from rolewatch.lint.setup import stats_of

LONG: Final = timedelta(days=1)  # in one state
Each = tuple[Wiring, str]
#: Rules of our lint that have a check of their own here, or are about a file: here filters of other groups and Regions are not seen.
_NOT_HERE: Final = ("no-action", "unknown-metric", "unknown-alarm", "half-read")
_INCOMING: Final = "AWS/Logs"


def alarms(case: Case) -> Iterator[Each]:
    """Give the names of the alarms on denials, each with its log group."""
    for wiring in there(case):
        names = [*(each.name for each in wiring.counting), *(each.name for each, _ in wiring.querying)]
        yield from ((wiring, each) for each in names)


def _listening(case: Case) -> Iterator[Each]:
    """Give these, and those on the incoming events."""
    yield from alarms(case)
    for wiring in there(case):
        yield from ((wiring, each.name) for each in wiring.silence)


def _readable(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    del case
    for each in wiring.template.left_out:
        yield Verdict(
            "unknown",
            each.name,
            f"It is not known what the alarm {each.name} does, which rolewatch cannot evaluate: {each.notice.message}",
        )


def _actions(case: Case, subject: Each) -> Iterator[Verdict]:
    wiring, name = subject
    region = wiring.group.id.region
    above = [each.name for each in wiring.above(name)]
    described = {each: wiring.described(each) for each in (name, *above)}
    telling = [each for each, found in described.items() if _acts(found)]
    if telling:
        yield Verdict("ok", name, f"{' and '.join(telling)} acts when {name} goes to ALARM.")
        return
    disabled = [each for each, found in described.items() if found.get("AlarmActions")]
    if disabled:
        yield Verdict(
            "problem",
            name,
            f"The actions of {' and '.join(disabled)} are disabled: {name} goes to ALARM, and nobody is told.",
            command("cloudwatch", "enable-alarm-actions", "--alarm-names", *disabled, region=region),
        )
        return
    others = " nor any composite alarm above it" if above else ""
    yield Verdict(
        "problem",
        name,
        f"Neither the alarm {name}{others} has an action for ALARM: it goes off, and nobody is told."
        if above
        else f"The alarm {name} has no action for ALARM, and no composite alarm looks at it: it goes off, and nobody is told.",
        put_alarm(described[name], region, AlarmActions=[case.some_topic(wiring)]),
    )


def _acts(described: Answer) -> bool:
    return bool(described.get("AlarmActions")) and bool(described.get("ActionsEnabled", True))


def _settings(case: Case, subject: Each) -> Iterator[Verdict]:
    del case
    wiring, name = subject
    region, found = wiring.group.id.region, False
    for kind, own, advice in wiring.advice:
        if (
            kind == "metricFilters"
            or own != name
            or advice.rule in _NOT_HERE
            or advice.severity is Severity.INFO
        ):
            continue
        if advice.rule == "always-breaching" and any(each.default for each in wiring.filters):
            continue  # told by the check of the filter's default value
        found = True
        changes = _changes(advice.fix, wiring.described(name))
        yield Verdict(
            "problem" if advice.severity is Severity.ERROR else "warning",
            name,
            f"The alarm {name}: {advice.message}",
            put_alarm(wiring.described(name), region, **changes) if changes else _show(kind, name, region),
        )
    if not found:
        yield Verdict("ok", name, f"The settings of the alarm {name} are as they should be.")


def _changes(fix: str | None, described: Answer) -> Mapping[str, Any]:
    """Read the corrected line of our lint, `Period: 300`; nothing if it is about something within a property."""
    key, _, value = (fix or "").partition(": ")
    if key == "StartTimeOffset":
        query = described["ScheduledQueryConfiguration"]
        schedule = {**query["ScheduleConfiguration"], key: int(value)}
        return {"ScheduledQueryConfiguration": {**query, "ScheduleConfiguration": schedule}}
    if key not in ("TreatMissingData", "Statistic", "Threshold", "Period"):
        return {}
    changes: dict[str, Any] = {key: float(value) if key == "Threshold" else int(value) if key == "Period" else value}  # fmt: skip
    return {**changes, "ExtendedStatistic": None} if key == "Statistic" else changes


def _show(kind: str, name: str, region: str) -> str:
    words = ("--alarm-names", name, "--alarm-types", kind.removesuffix("s"))
    return command("cloudwatch", "describe-alarms", *words, region=region)


def _lasting(case: Case, described: Answer, state: str) -> str | None:
    """Say since when an alarm is in a state, if that is long; of one whose change is not told, if it was described at all."""
    if described.get("StateValue") != state:
        return None
    since = described.get("StateTransitionedTimestamp") or described.get("StateUpdatedTimestamp")
    if not isinstance(since, datetime) or case.setup.now - since <= LONG:
        return None
    return f"{since.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _insufficient(case: Case, subject: Each) -> Iterator[Verdict]:
    wiring, name = subject
    described, region = wiring.described(name), wiring.group.id.region
    since = _lasting(case, described, "INSUFFICIENT_DATA")
    if since is None:
        yield Verdict("ok", name, f"The alarm {name} is not without data.")
        return
    on = " and ".join(
        dict.fromkeys(
            f"{stat.metric.namespace}/{stat.metric.name}"
            for each in wiring.template.alarms
            if each.name == name
            for stat in stats_of(each)
        )
    )
    yield Verdict(
        "problem",
        name,
        f"The alarm {name} has been in INSUFFICIENT_DATA since {since}: {f'there are no data of {on}' if on else 'its query has no results'}. "
        "Either nothing is counted, or silence looks the same as peace; nobody can tell.",
        put_alarm(described, region, TreatMissingData="breaching" if described.get("Namespace") == _INCOMING else "notBreaching"),
    )  # fmt: skip


def _stuck(case: Case, subject: Each) -> Iterator[Verdict]:
    wiring, name = subject
    since = _lasting(case, wiring.described(name), "ALARM")
    if since is None:
        return
    yield Verdict(
        "warning",
        name,
        f"The alarm {name} has been in ALARM since {since}. It acts when its state changes, not while it lasts: what is refused now, nobody is "
        "told. See what is refused all the time, and mend it; rolewatch tells of each resource by itself.",
        f"rolewatch scan lookup://{wiring.group.id.region}",
    )


def _name(subject: Each) -> str:
    return f"the alarm {subject[1]}"


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("alarm-unreadable", "alarm", "what all alarms do", there, _readable, lambda each: f"the log group {each.name}"),
    Check("alarm-actions", "alarm", "whether it acts", alarms, _actions, _name),
    Check("alarm-settings", "alarm", "whether it can ring", alarms, _settings, _name),
    Check("alarm-insufficient-data", "alarm", "whether it has data", _listening, _insufficient, _name),
    Check("alarm-lasting", "alarm", "whether it can ring anew", alarms, _stuck, _name),
)  # fmt: skip
