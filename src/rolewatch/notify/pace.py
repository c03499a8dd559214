"""How fast a target is told: at most so many notifications in a period, and one summary of those beyond.

Of critical ones as many again are sent at once, so that a flood of others cannot delay them. Two kinds are never held:
alarms, which no summary can stand for, and the message that resolves an incident which the target was told of by itself,
as it would stay open there. Each notification is sent once, by itself or in one summary.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from rolewatch.base.clock import milliseconds, moment_of, spelled
from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.notify.grouping import MOST, Finding, identify, worst_first
from rolewatch.notify.notification import Notification
from rolewatch.notify.quiet import URGENT
from rolewatch.notify.routes import severity_of

Reason = Literal["within-rate", "alarm", "resolves", "urgent", "beyond-rate", "behind-held"]
REASONS: Final[Mapping[Reason, str]] = {
    "within-rate": "the target has room for it",
    "alarm": "alarms are never held back",
    "resolves": "it resolves an incident that the target was told of",
    "urgent": "it is critical, and the target has room for what is",
    "beyond-rate": "the target was told as much as it takes in a period; a summary follows",
    "behind-held": "others are held back already, and it goes into their summary",
}
KEPT: Final = 1000  # incidents that are remembered for a target; of older ones, the end may be held
_WORDS: Final = re.compile(r"([0-9]{1,4})\s*/\s*([0-9]{0,4})\s*([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Rate(NamedTuple):
    """At most `limit` notifications in any `period`."""

    limit: int = 20
    period: timedelta = timedelta(minutes=10)


RATE: Final = Rate()


class Held(NamedTuple):
    """The id of a notification that is held, and the incidents that it opens and ends, "" for none."""

    id: str
    opens: str
    ends: str = ""


class Pace(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of a target, to be kept as JSON.

    `sent` and `urgent`: when the latest were sent, in milliseconds since 1970; `urgent` are those that only went because
    they are critical. `held`: what waits for the summary, the first first. `told`: incidents, by dedup_key, that the
    target was told of one by one; those that are resolved come first.
    """

    sent: tuple[int, ...] = ()
    urgent: tuple[int, ...] = ()
    held: tuple[Held, ...] = ()
    told: tuple[str, ...] = ()


class Offered(NamedTuple):
    """Whether to send it now, else it is held; why; and what is to be remembered."""

    send: bool
    reason: Reason
    pace: Pace


class Released(NamedTuple):
    """The ids of what is to be sent as one now, in order; and what is to be remembered."""

    ids: tuple[str, ...]
    pace: Pace


def parse_rate(text: str, place: str = "rate") -> Rate | None:
    """Read `20/10m`: a number and a span (s, m, h, d; `1/h` is one an hour); None for `off`. UsageError names the place."""
    if text.strip().lower() == "off":
        return None
    found = _WORDS.fullmatch(text.strip().lower())
    if not found or not int(found[1]) or not int(found[2] or 1):
        raise UsageError(
            f"{place}: {terminal(text, 60)!r} is no rate", remedy="write such as 20/10m, 100/h, or off"
        )
    period = timedelta(**{_UNITS[found[3]]: int(found[2] or 1)})
    if period > timedelta(days=7):
        raise UsageError(
            f"{place}: {terminal(text, 60)!r} counts over more than a week", remedy="write a shorter period"
        )
    return Rate(int(found[1]), period)


def offer(pace: Pace, notification: Notification, now: datetime, rate: Rate | None = RATE) -> Offered:
    """Decide whether a notification is sent to a target now, or held; None as rate holds nothing."""
    key, (opens, ends) = notification.dedup_key, _incidents(notification)
    moment = milliseconds(now)
    reason: Reason
    if notification.kind == "alarm":
        reason = "alarm"
    elif not opens and key in pace.told:
        reason = "resolves"
    elif rate is None or (not pace.held and _room(pace.sent, moment, rate)):
        reason = "within-rate"
    elif severity_of(notification) == URGENT and _room(pace.urgent, moment, rate):
        reason = "urgent"
        pace = msgspec.structs.replace(pace, urgent=(*pace.urgent, moment)[-rate.limit :])
    else:
        reason = "behind-held" if pace.held else "beyond-rate"
        held = (*pace.held, Held(notification.id, opens, ends))
        return Offered(send=False, reason=reason, pace=msgspec.structs.replace(pace, held=held))
    if reason == "resolves":
        # Kept, since a crash may offer it again before it was sent; but the first to be forgotten.
        told = (key, *(each for each in pace.told if each != key))
        pace = msgspec.structs.replace(pace, told=told)
    return Offered(send=True, reason=reason, pace=_sent(pace, moment, opens, rate))


def due(pace: Pace, now: datetime, rate: Rate | None = RATE) -> datetime | None:
    """Say when what is held may be released; None if nothing is held."""
    if not pace.held:
        return None
    if rate is None or len(pace.sent) < rate.limit:
        return now
    time = moment_of(pace.sent[-rate.limit]) + rate.period
    return now if time - now > rate.period else time  # the clock was put back


def release(pace: Pace, now: datetime, rate: Rate | None = RATE) -> Released:
    """Release what is held, if its time has come: `merged` makes one notification of it, which then is sent."""
    time = due(pace, now, rate)
    if time is None or now < time:
        return Released((), pace)
    opens = _only_incident((each.opens, each.ends) for each in pace.held)
    freed = _sent(msgspec.structs.replace(pace, held=()), milliseconds(now), opens, rate)
    return Released(tuple(each.id for each in pace.held), freed)


def merged(notifications: Sequence[Notification], now: datetime) -> Notification:
    """Make one summary of what was held, in the order in which it was held; of a single one nothing is made.

    A finding that is told of several times stands there once, as it was at last. Where all that is open belongs to one
    incident, the summary has the key of that, and ends with it; otherwise it is an incident of its own, which nothing ends.
    """
    if len(notifications) == 1:
        return notifications[0]
    latest: dict[str, Finding] = {
        finding["id"]: finding for notification in notifications for finding in notification.findings
    }
    findings = worst_first(latest.values())
    name = identify("summary", *sorted(notification.id for notification in notifications))
    return Notification(
        id=name,
        kind="summary",
        dedup_key=_only_incident(map(_incidents, notifications)) or name,
        time=spelled(now),
        findings=tuple(findings[:MOST]),
        left_out=max(0, len(findings) - MOST) + sum(each.left_out for each in notifications),
        reason="beyond-rate",
    )


def _incidents(notification: Notification) -> tuple[str, str]:
    """Give the incidents that a notification opens and ends, "" for none; an alarm is nothing to remember."""
    key = notification.dedup_key
    if notification.kind == "alarm":
        return "", ""
    return key if notification.opens else "", key if notification.ends else ""


def _only_incident(changes: Iterable[tuple[str, str]]) -> str:
    """Give the incident that is open after some were opened and ended, one after the other; "" if it is not exactly one."""
    still = set[str]()
    for opens, ends in changes:
        still = (still | {opens}) - {ends, ""}
    return still.pop() if len(still) == 1 else ""


def _room(sent: Sequence[int], moment: int, rate: Rate) -> bool:
    """Whether one more is within the rate; a clock that was put back does not make it wait for longer than a period."""
    period = rate.period // timedelta(milliseconds=1)
    return sum(abs(moment - time) < period for time in sent) < rate.limit


def _sent(pace: Pace, moment: int, opens: str, rate: Rate | None) -> Pace:
    """Note that one was sent, and the incident that it opens."""
    limit = rate.limit if rate else RATE.limit
    return msgspec.structs.replace(
        pace,
        sent=(*pace.sent, moment)[-limit:],
        told=(*pace.told, opens)[-KEPT:] if opens and opens not in pace.told else pace.told,
    )
