"""Whether no news is good news: what a watcher has to say about itself when deliveries stop, come late, or cannot be read.

All here is pure. `judge` gives the changes of state of alarms, each with its reason; `notification_of` makes the message.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

import msgspec

from rolewatch.base.clock import moment_of, spelled
from rolewatch.base.sanitise import terminal
from rolewatch.notify.grouping import identify
from rolewatch.notify.notification import Notification

Condition = Literal["quiet", "late", "failing"]
CONDITIONS: Final[tuple[Condition, ...]] = ("quiet", "late", "failing")
_WORD: Final = 200  # characters of a source's word in a name
_OFF: Final = "This is not watched for any more."
_LATE: Final = (
    "CloudTrail delivers late, or the watcher does not keep up, or the clock of its machine is wrong"
)
_LISTED: Final = "`rolewatch deliveries failed` lists them"


class Limits(NamedTuple):
    """From when on something is wrong; None is never.

    `quiet`: time without any delivery of a source; `late`: age of the newest event when a delivery arrives; `failures`:
    deliveries of a source that could not be read within `window`.
    """

    quiet: timedelta | None = timedelta(hours=1)
    late: timedelta | None = timedelta(hours=2)
    failures: int = 3
    window: timedelta = timedelta(hours=1)


class Facts(NamedTuple):
    """What is known of a source. Times in milliseconds since 1970.

    `last`: when the last delivery arrived, or since when there could have been one; `age`: seconds since then; `lag`: seconds
    from the newest event to the last delivery, None if unknown; `failed`: deliveries that failed within the window.
    `settled`: what was there at the start is done, so that silence means something. `steady`: the clock has not jumped.
    `over`: nothing can arrive any more.
    """

    source: str
    last: int
    age: float
    lag: float | None
    failed: int
    settled: bool = True
    steady: bool = True
    over: bool = False


class Standing(msgspec.Struct, frozen=True):
    """An alarm that stands: since when (milliseconds), and when the last delivery before it had arrived."""

    since: int
    last: int


Alarms = dict[Condition, Standing]


class Change(NamedTuple):
    """An alarm's change of state, on or off, with the reason as people read it. `since` names the incident."""

    condition: Condition
    on: bool
    since: int
    reason: str


def decode(text: str) -> Alarms:
    """Read the alarms that stand, as `encode` wrote them; those of other versions of rolewatch are left out."""
    found = _decoder.decode(text)
    return {name: found[name] for name in CONDITIONS if name in found}


def encode(alarms: Alarms) -> str:
    """Write the alarms that stand."""
    return msgspec.json.encode(alarms).decode()


_decoder = msgspec.json.Decoder(dict[str, Standing])


def judge(facts: Facts, limits: Limits, alarms: Alarms, now: int) -> list[Change]:
    """Give what changes at a moment (milliseconds): alarms to raise, and those that are over."""
    changes = []
    for condition, wrong, right in _judgements(facts, limits, alarms):
        standing = alarms.get(condition)
        if wrong and standing is None:
            changes.append(Change(condition, on=True, since=now, reason=wrong))
        elif right and standing is not None:
            changes.append(Change(condition, on=False, since=standing.since, reason=right))
    return changes


def after(alarms: Alarms, changes: list[Change], last: int) -> Alarms:
    """Give the alarms that stand after some changes."""
    kept = dict(alarms)
    for change in changes:
        if change.on:
            kept[change.condition] = Standing(change.since, last)
        else:
            kept.pop(change.condition, None)
    return kept


def ended(alarms: Alarms) -> list[Change]:
    """End all alarms of a source that nobody follows any more."""
    return [Change(name, on=False, since=standing.since, reason=_OFF) for name, standing in alarms.items()]


def _judgements(facts: Facts, limits: Limits, alarms: Alarms) -> Iterator[tuple[Condition, str, str]]:
    """Yield each condition with the reason why it holds and the reason why it does not; where both are empty, nobody knows."""
    yield ("quiet", *_quiet(facts, limits.quiet, alarms.get("quiet")))
    yield ("late", *_late(facts, limits.late))
    yield ("failing", *_failing(facts, limits))


def _quiet(facts: Facts, limit: timedelta | None, standing: Standing | None) -> tuple[str, str]:
    if limit is None or facts.over:
        return "", _OFF
    if standing is not None and facts.last != standing.last:
        return "", f"A delivery arrived at {_moment(facts.last)}."
    if facts.settled and facts.age > limit.total_seconds():
        return f"No delivery has arrived for {_span(facts.age)}, since {_moment(facts.last)}.", ""
    return "", ""


def _late(facts: Facts, limit: timedelta | None) -> tuple[str, str]:
    if limit is None:
        return "", _OFF
    if facts.lag is None:
        return "", "What was there at the start is done."
    if facts.lag <= limit.total_seconds():
        return "", f"The newest event was {_span(facts.lag)} old when the last delivery arrived."
    if not facts.steady:
        return "", ""
    since = f"The newest event was {_span(facts.lag)} old when the last delivery arrived, at {_moment(facts.last)}"
    return f"{since}: {_LATE}.", ""


def _failing(facts: Facts, limits: Limits) -> tuple[str, str]:
    window = _span(limits.window.total_seconds())
    if facts.failed >= limits.failures:
        return f"{facts.failed:,} deliveries could not be read within {window}; {_LISTED}.", ""
    return "", "" if facts.failed else f"No delivery failed within {window}."


class _Kind(NamedTuple):
    """How an alarm is told: its name, what it means, and the metric that it is about."""

    name: str
    meaning: str
    metric: str
    unit: str


_KINDS: Final[Mapping[Condition, _Kind]] = {
    "quiet": _Kind(
        "rolewatch: no deliveries from {}",
        "While no deliveries arrive, nothing that becomes blocked is seen. Check the trail, its bucket, queue or log group, "
        "and what this watcher may read.",
        "SecondsSinceLastDelivery",
        "Seconds",
    ),
    "late": _Kind(
        "rolewatch: deliveries from {} are late",
        "What becomes blocked is seen only so much later.",
        "SecondsFromNewestEventToDelivery",
        "Seconds",
    ),
    "failing": _Kind(
        "rolewatch: deliveries from {} cannot be read",
        "What these deliveries hold is not seen. Read them again with `rolewatch deliveries retry` when the reason is gone.",
        "FailedDeliveries",
        "Count",
    ),
}  # fmt: skip


def notification_of(source: str, change: Change, limits: Limits, now: datetime) -> Notification:
    """Make the message of a change; raising and ending one alarm have the same dedup_key."""
    key = identify("rolewatch about itself", source, change.condition, str(change.since))
    state = "ALARM" if change.on else "OK"
    return Notification(
        id=identify(key, state),
        kind="alarm",
        dedup_key=key,
        time=spelled(now),
        alarm=_alarm(source, change, limits, now),
        reason=f"self-check-{change.condition}",
    )


def _alarm(source: str, change: Change, limits: Limits, now: datetime) -> dict[str, Any]:
    """Write an alarm as CloudWatch does; it belongs to no account and no region."""
    kind = _KINDS[change.condition]
    stamp = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000+0000}"
    word = terminal(source, _WORD)
    return {
        "AlarmName": kind.name.format(word),
        "AlarmDescription": kind.meaning,
        "AWSAccountId": "",
        "AlarmConfigurationUpdatedTimestamp": stamp,
        "NewStateValue": "ALARM" if change.on else "OK",
        "NewStateReason": change.reason,
        "StateChangeTime": stamp,
        "Region": "",
        "AlarmArn": "",
        "OldStateValue": "OK" if change.on else "ALARM",
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "ActionExecutedAfterMuteWindow": False,
        "Trigger": {
            "MetricName": kind.metric,
            "Namespace": "rolewatch",
            "StatisticType": "Statistic",
            "Statistic": "MAXIMUM",
            "Unit": kind.unit,
            "Dimensions": [{"value": word, "name": "Source"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold"
            if change.condition == "failing"
            else "GreaterThanThreshold",
            "Threshold": _threshold(change.condition, limits),
            "TreatMissingData": "breaching",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def _threshold(condition: Condition, limits: Limits) -> float:
    spans = {"quiet": limits.quiet, "late": limits.late}
    span = spans.get(condition)
    return span.total_seconds() if span else float(limits.failures if condition == "failing" else 0)


def _moment(milliseconds: int) -> str:
    return f"{moment_of(milliseconds):%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: float) -> str:
    """Say how long something takes, in the two largest units."""
    left, words = round(seconds), []
    for name, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        number, left = divmod(left, size)
        if number:
            words.append(f"{number:,} {name}{'' if number == 1 else 's'}")
    return " ".join(words[:2]) or "0 seconds"
