"""Decisions of one commit in, notifications out: one for all that a single change has blocked.

What becomes blocked together is an incident, with one dedup_key. Only the message that tells of its last open finding has
that key again, and so resolves it. Other messages are no incident's: their dedup_key is their own id.
"""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple, TypeVar

from rolewatch.base.clock import spelled
from rolewatch.findings.life import Decision, Life, Message
from rolewatch.findings.severity import LEVELS
from rolewatch.notify.notification import Notification

Finding = dict[str, Any]
_Thing = TypeVar("_Thing")
#: The targets of a message: its kind, the finding, and the finding's severity when it was told to be blocked.
Targets = Callable[[str, Finding, str], tuple[str, ...]]

MOST: Final = 200  # findings in one notification
_STATUSES: Final = ("blocked", "silent", "gone", "recovered")
_KINDS: Final = ("blocked", "reopened", "summary", "recovered")


class Event(NamedTuple):
    """One decision that tells something: its kind, the finding, and the life after it."""

    kind: Message
    finding: Finding
    life: Life

    @property
    def severity(self) -> str:
        """Give the severity that decides on its targets: what was told as critical is over as critical."""
        severity: str = self.finding["severity"]
        return self.life.told_severity if self.life.told in ("recovered", "gone") else severity


class Grouped(NamedTuple):
    """Notifications, the worst first; their targets by their ids; and by finding id, the lives of all that they tell of.

    A life names the notification; its `group` is the incident that is open with it, "" if none is.
    """

    notifications: list[Notification]
    targets: dict[str, tuple[str, ...]]
    lives: dict[str, Life]


class _Made(NamedTuple):
    notification: Notification
    targets: tuple[str, ...]
    lives: dict[str, Life]  # also of what a summary leaves out
    opens: bool = False


def event_of(decision: Decision, finding: Finding) -> Event | None:
    """Make an event of a decision; None of one that tells nothing."""
    return None if decision.kind is None else Event(decision.kind, finding, decision.life)


def nowhere(kind: str, finding: Finding, severity: str) -> tuple[str, ...]:
    """Name no target, whatever is told: then nothing is told apart for its targets."""
    del kind, finding, severity
    return ()


def grouped(
    events: Iterable[Event], *, now: datetime, members: Callable[[str], int], targets: Targets = nowhere
) -> Grouped:
    """Make the notifications of one commit, in which each finding has one event; their order does not matter.

    `members`: an incident's dedup_key → how many findings have it as their `group` before this commit. What has other
    targets goes into another notification, so that nobody is told what is not theirs. One has at most 200 findings: more
    make several, except for a summary, which counts those that it leaves out.
    """
    together: dict[tuple[tuple[str, ...], Message, tuple[Hashable, ...]], list[Event]] = {}
    leaving: dict[str, list[Event]] = {}
    listed: list[Event] = []
    for event in events:
        if event.life.group:
            leaving.setdefault(event.life.group, []).append(event)
        elif event.kind == "summary":
            listed.append(event)
        else:
            where = targets(event.kind, event.finding, event.severity)
            together.setdefault((where, event.kind, _alike(event.finding)), []).append(event)
    made = _summaries(listed, now, targets)
    for (where, _, _), group in together.items():
        made += _notifications(group, now, where)
    for key, group in leaving.items():
        made += _endings(key, group, members(key) - len(group), now, targets)
    return _result(made)


def summary(events: Iterable[Event], *, now: datetime, targets: Targets = nowhere) -> Grouped:
    """Tell of events that are to be listed: one summary for each set of targets, which has the worst 200 findings.

    Of the others it keeps the lives only, so that the events of a large backlog may come one after the other.
    """
    return _result(_summaries(events, now, targets))


def identify(*words: str) -> str:
    """Derive an id from words: 32 hex digits, the same wherever it is computed."""
    return hashlib.sha256("\n".join(words).encode("utf-8", "replace")).hexdigest()[:32]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings as they are read: what is still blocked, the worst, those of security services, the newest."""
    return _sorted(findings, lambda finding: finding)


def _sorted(things: Iterable[_Thing], finding_of: Callable[[_Thing], Finding]) -> list[_Thing]:
    """Sort things by their findings; sorts are stable, so the least important key is sorted by first."""
    found = sorted(things, key=lambda thing: str(finding_of(thing)["id"]))
    found.sort(key=lambda thing: finding_of(thing)["last_denied"] or "", reverse=True)
    found.sort(key=lambda thing: _rank(finding_of(thing)))
    return found


def _rank(finding: Finding) -> tuple[int, int, bool]:
    return (
        _STATUSES.index(finding["status"]),
        -LEVELS.index(finding["severity"]),
        not finding["security_service"],
    )


def _alike(finding: Finding) -> tuple[Hashable, ...]:
    """Give what findings have in common that one change has blocked."""
    return (
        finding["account"],
        finding["role_arn"] or finding["service"],
        finding["verdict"],
        *sorted((key, str(value)) for key, value in finding["cause"].items()),
    )


def _notifications(
    events: Sequence[Event], now: datetime, where: tuple[str, ...], resolves: str = ""
) -> Iterable[_Made]:
    """Tell of findings of one kind; the last message resolves an incident, if one is named."""
    lives = {event.finding["id"]: event.life for event in events}
    ordered = worst_first(event.finding for event in events)
    kind = events[0].kind
    opens = kind != "recovered"
    for start in range(0, len(ordered), MOST):
        part = ordered[start : start + MOST]
        own = {finding["id"]: lives[finding["id"]] for finding in part}
        episodes = sorted(f"{name} {life.episode}" for name, life in own.items())
        name = identify(kind, *episodes)
        key = identify("incident", *episodes) if opens else name
        if resolves and start + MOST >= len(ordered):
            key = resolves
        notification = _notification(name, part, own, kind=kind, key=key, now=now)
        yield _Made(notification, where, own, opens)


def _summaries(events: Iterable[Event], now: datetime, targets: Targets) -> list[_Made]:
    """Make one summary for each set of targets."""
    together: dict[tuple[str, ...], _Listing] = {}
    for event in events:
        where = targets("summary", event.finding, event.severity)
        together.setdefault(where, _Listing()).add(event)
    return [listing.made(now, where) for where, listing in together.items()]


class _Listing:
    """A summary that is being made: the worst findings, and the lives of all."""

    def __init__(self) -> None:
        self._worst: list[Finding] = []
        self._names: list[str] = []
        self._lives: dict[str, Life] = {}

    def add(self, event: Event) -> None:
        finding, life = event.finding, event.life
        # With the status, as one episode can be listed as silent, and later because its resource is gone.
        self._names.append(f"{finding['id']} {life.episode} {finding['status']}")
        self._lives[finding["id"]] = life
        self._worst.append(finding)
        if len(self._worst) >= 2 * MOST:
            self._worst = worst_first(self._worst)[:MOST]

    def made(self, now: datetime, where: tuple[str, ...], resolves: str = "") -> _Made:
        name = identify("summary", *sorted(self._names))
        worst = worst_first(self._worst)[:MOST]
        notification = _notification(name, worst, self._lives, kind="summary", key=resolves or name, now=now)
        return _Made(notification, where, self._lives)


def _endings(
    key: str, events: Sequence[Event], left: int, now: datetime, targets: Targets
) -> Iterable[_Made]:
    """Tell of findings that are no longer part of an incident, of which some may be left.

    If none is, a recovery resolves it; only where all of them are gone, the summary that says so does.
    """
    recovered = [event for event in events if event.kind == "recovered"]
    gone = [event for event in events if event.kind != "recovered"]
    resolves = "" if left > 0 else key
    if recovered:
        yield from _notifications(recovered, now, _union(recovered, targets), resolves)
    if gone:
        listing = _Listing()
        for event in gone:
            listing.add(event)
        yield listing.made(now, _union(gone, targets), "" if recovered else resolves)


def _union(events: Iterable[Event], targets: Targets) -> tuple[str, ...]:
    """Give every target of some findings: those of an incident had the same ones, unless the routes have changed."""
    ordered = _sorted(events, lambda event: event.finding)
    urls = (targets(event.kind, event.finding, event.severity) for event in ordered)
    return tuple(dict.fromkeys(chain.from_iterable(urls)))


def _notification(
    name: str,
    findings: Sequence[Finding],
    lives: Mapping[str, Life],
    *,
    kind: Message,
    key: str,
    now: datetime,
) -> Notification:
    return Notification(
        id=name,
        kind=kind,
        dedup_key=key,
        time=spelled(now),
        findings=tuple(findings),
        left_out=len(lives) - len(findings),
        reason=lives[findings[0]["id"]].decisions[-1].reason,
    )


def _result(made: Iterable[_Made]) -> Grouped:
    """Put notifications into the order of their worst findings, and tell the lives where they went."""
    found = _sorted(made, lambda each: each.notification.findings[0])
    found.sort(key=lambda each: _KINDS.index(each.notification.kind))
    lives: dict[str, Life] = {}
    for notification, _, own, opens in found:
        group = notification.dedup_key if opens else ""
        lives |= {name: life.sent(notification.id, group) for name, life in own.items()}
    return Grouped(
        [each.notification for each in found],
        {each.notification.id: each.targets for each in found},
        lives,
    )
