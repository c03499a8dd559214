"""Decisions of one commit in, notifications out: one for all that a single change has blocked.

What a single change has blocked is an incident, with one dedup_key, and what it blocks later joins that. A summary of what
is blocked is an incident, too. Only the message that tells of the last finding of an incident has its dedup_key again, and
so resolves it. Other messages are no incident's: their dedup_key is their own id.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from rolewatch.base.clock import milliseconds, spelled
from rolewatch.findings.life import OPEN, OVER, Decision, Incident, Life, Message
from rolewatch.findings.severity import LEVELS
from rolewatch.notify.likeness import JOINED, Incidents, likeness
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
        return self.life.told_severity if self.life.told in OVER else severity


class Grouped(NamedTuple):
    """Notifications, the worst first; their targets by their ids; and by finding id, the lives of all that they tell of.

    A life names the notification, and the incident in which its finding is open now.
    """

    notifications: list[Notification]
    targets: dict[str, tuple[str, ...]]
    lives: dict[str, Life]


class _Made(NamedTuple):
    notification: Notification
    targets: tuple[str, ...]
    lives: dict[str, Life]  # also of what a summary leaves out
    incident: Incident | None = None  # of those of them that are told to be blocked


def event_of(decision: Decision, finding: Finding) -> Event | None:
    """Make an event of a decision; None of one that tells nothing."""
    return None if decision.kind is None else Event(decision.kind, finding, decision.life)


def nowhere(kind: str, finding: Finding, severity: str) -> tuple[str, ...]:
    """Name no target, whatever is told: then nothing is told apart for its targets."""
    del kind, finding, severity
    return ()


def grouped(
    events: Iterable[Event], *, now: datetime, incidents: Incidents, targets: Targets = nowhere
) -> Grouped:
    """Make the notifications of one commit, in which each finding has one event; their order does not matter.

    What has other targets goes into another notification, so that nobody is told what is not theirs. One has at most 200
    findings: more make several, except for a summary, which counts those that it leaves out.
    """
    together: dict[tuple[tuple[str, ...], tuple[Hashable, ...]], list[Event]] = {}
    leaving: dict[Incident, list[Event]] = {}
    listed: list[Event] = []
    never_opened: list[Event] = []
    for event in events:
        if event.life.incident:
            leaving.setdefault(event.life.incident, []).append(event)
        elif event.kind in OPEN:
            where = targets(event.kind, event.finding, event.severity)
            together.setdefault((where, likeness(event.finding)), []).append(event)
        else:
            (listed if event.kind == "summary" else never_opened).append(event)
    openings = [_Opening(where, alike, group) for (where, alike), group in together.items()]
    incidents.hold(
        {name for each in openings for name in each.digests} | {each.alike or each.key for each in leaving}
    )
    made = _summaries(listed, now, targets)
    joined: Counter[str] = Counter()
    for opening in openings:
        incident = opening.incident(incidents, now)
        joined[incident.key] += len(opening.events)
        made += opening.made(incident, now)
    for incident, group in leaving.items():
        left = incidents.members(incident.key, len(group) + 1) - len(group) + joined[incident.key]
        made += _endings(group, now, targets, "" if left > 0 else incident.key)
    return _result([*made, *_endings(never_opened, now, targets)])


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


class _Opening(NamedTuple):
    """Findings that are alike, go to the same targets, and are blocked now, or again."""

    where: tuple[str, ...]
    alike: tuple[Hashable, ...]
    events: list[Event]

    @property
    def digests(self) -> tuple[str, ...]:
        """Give the digest of the incident that they open, and those of others that they may join.

        What is critical joins none that is not: an incident tool would not call anybody for it.
        """
        marks = LEVELS[-1:] if self._is_critical else ("", *LEVELS[-1:])
        return tuple(identify("alike", repr((sorted(self.where), self.alike, mark))) for mark in marks)

    @property
    def _is_critical(self) -> bool:
        return any(event.finding["severity"] == LEVELS[-1] for event in self.events)

    def incident(self, incidents: Incidents, now: datetime) -> Incident:
        """Give the incident that they join, the latest, or else the one that they open."""
        since = milliseconds(now - JOINED)
        found = [each for name in self.digests if (each := incidents.latest(name, since))]
        if found:
            return max(found, key=lambda each: (each.opened, each.key))
        episodes = sorted(f"{event.finding['id']} {event.life.episode}" for event in self.events)
        return Incident(identify("incident", *episodes), milliseconds(now), self.digests[0])

    def made(self, incident: Incident, now: datetime) -> Iterable[_Made]:
        """Tell of them, in messages of one kind each."""
        for kind in OPEN:
            group = [event for event in self.events if event.kind == kind]
            for made in _notifications(group, now, self.where):
                yield _keyed(made, incident.key)._replace(incident=incident)


def _notifications(events: Sequence[Event], now: datetime, where: tuple[str, ...]) -> Iterable[_Made]:
    """Tell of findings in messages of the same kind, the worst first."""
    lives = {event.finding["id"]: event.life for event in events}
    ordered = worst_first(event.finding for event in events)
    for start in range(0, len(ordered), MOST):
        part = ordered[start : start + MOST]
        own = {finding["id"]: lives[finding["id"]] for finding in part}
        kind = events[0].kind
        name = identify(kind, *sorted(f"{name} {life.episode}" for name, life in own.items()))
        yield _Made(_notification(name, part, own, kind=kind, now=now), where, own)


def _keyed(made: _Made, key: str) -> _Made:
    """Give a message the key of an incident."""
    return made._replace(notification=msgspec.structs.replace(made.notification, dedup_key=key))


def _summaries(events: Iterable[Event], now: datetime, targets: Targets) -> list[_Made]:
    """Make one summary for each set of targets; one that tells what is blocked opens an incident, which nothing joins."""
    together: dict[tuple[str, ...], list[Event]] = {}
    for event in events:
        together.setdefault(targets("summary", event.finding, event.severity), []).append(event)
    made = []
    for where, group in together.items():
        summary = _summary(group, now, where)
        incident = Incident(summary.notification.dedup_key, milliseconds(now))
        made.append(summary._replace(incident=incident))
    return made


def _summary(events: Sequence[Event], now: datetime, where: tuple[str, ...]) -> _Made:
    """List findings, of many the worst."""
    lives = {event.finding["id"]: event.life for event in events}
    # With the status, as one episode can be listed as silent, and later because its resource is gone.
    names = (f"{event.finding['id']} {event.life.episode} {event.finding['status']}" for event in events)
    name = identify("summary", *sorted(names))
    worst = worst_first(event.finding for event in events)[:MOST]
    return _Made(_notification(name, worst, lives, kind="summary", now=now), where, lives)


def _endings(events: Sequence[Event], now: datetime, targets: Targets, resolves: str = "") -> Iterable[_Made]:
    """Tell of findings that are over, those that are gone in a summary.

    To each set of targets the last message resolves the incident `resolves`: a recovery, unless all of them are gone.
    """
    together: dict[tuple[str, ...], list[Event]] = {}
    for event in events:
        together.setdefault(targets(event.kind, event.finding, event.severity), []).append(event)
    for where, group in together.items():
        recovered: dict[tuple[Hashable, ...], list[Event]] = {}
        for event in group:
            if event.kind == "recovered":
                recovered.setdefault(likeness(event.finding), []).append(event)
        gone = [event for event in group if event.kind != "recovered"]
        made = [_summary(gone, now, where)] if gone else []
        told = chain.from_iterable(_notifications(each, now, where) for each in recovered.values())
        made += _sorted(told, _first)
        if resolves:
            made[-1] = _keyed(made[-1], resolves)
        yield from made


def _notification(
    name: str,
    findings: Sequence[Finding],
    lives: Mapping[str, Life],
    *,
    kind: Message,
    now: datetime,
) -> Notification:
    return Notification(
        id=name,
        kind=kind,
        dedup_key=name,
        time=spelled(now),
        findings=tuple(findings),
        left_out=len(lives) - len(findings),
        reason=lives[findings[0]["id"]].decisions[-1].reason,
    )


def _first(made: _Made) -> Finding:
    return made.notification.findings[0]


def _result(made: Iterable[_Made]) -> Grouped:
    """Put notifications into the order of their worst findings, and tell the lives where they went."""
    found = _sorted(made, _first)
    found.sort(key=lambda each: _KINDS.index(each.notification.kind))
    lives = {
        name: life.sent(each.notification.id, each.incident if life.told in OPEN else None)
        for each in found
        for name, life in each.lives.items()
    }
    return Grouped(
        [each.notification for each in found],
        {each.notification.id: each.targets for each in found},
        lives,
    )
