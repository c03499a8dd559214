"""The life of a finding as told to people: what was told last, what is to be told now, and the reason of either.

People are told once when something becomes blocked and once when it recovers. `docs/findings-life.md` has the rules in
words. All here is pure; the clock is a parameter.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from rolewatch.base.clock import spelled
from rolewatch.base.errors import UsageError
from rolewatch.findings.mutes import Mute

Finding = dict[str, Any]
Told = Literal["", "blocked", "reopened", "recovered", "gone"]
Message = Literal["blocked", "reopened", "recovered", "summary"]
#: `reading`: the backlog of the very first start is not read to its end yet; `drained`: right after that; else `live`.
Phase = Literal["reading", "drained", "live"]
Reason = Literal[
    "new", "blocked-again", "denied-again", "actionable", "mute-ended", "worse-than-muted", "recovered", "gone",
    "replaced", "backlog", "first-silent", "first-over",
    "reading-backlog", "already-told", "already-listed", "already-over", "never-told", "harmless",
    "service-not-enabled", "muted", "silent", "no-proof",
]  # fmt: skip

#: Each reason as people read it; the first twelve tell, the others do not.
REASONS: Final[Mapping[Reason, str]] = {
    "new": "it is blocked, and nobody had been told",
    "blocked-again": "it is blocked again after its end was told",
    "denied-again": "it was denied again; before, it was only listed in a summary",
    "actionable": "its verdict is one that somebody can act on now; before, it was not",
    "mute-ended": "the mute that held it back has ended, and it is still so",
    "worse-than-muted": "it is critical now, which the mute that held it back does not cover",
    "recovered": "every denied action has a later success that proves it",
    "gone": "its resource does not exist any more; that is no proof of access",
    "replaced": "its denials count for another finding now, since other records of them name more",
    "backlog": "it was found in the backlog of the first start, which is told in one summary",
    "first-silent": "it had been silent for long when it was first seen, so it is listed in a summary",
    "first-over": "it was over when it was first seen, so it is listed in a summary",
    "reading-backlog": "the backlog of the first start is still being read; a summary follows",
    "already-told": "people were told that it is blocked, and it still is",
    "already-listed": "a summary has listed it, and nothing has changed since",
    "already-over": "people were told of its end",
    "never-told": "it is over, and nobody had been told that it was blocked",
    "harmless": "AWS documents that the service works nevertheless; listed, never told",
    "service-not-enabled": "the service that is asked is off, so nothing is missing; listed, never told",
    "muted": "a mute holds it back",
    "silent": "nobody tried again for long; that is no good news, so nothing is told",
    "no-proof": "it looks recovered, but no event is there that proves it for every action",
}
OPEN: Final = ("blocked", "reopened")
OVER: Final = ("recovered", "gone")
#: Verdicts that nobody can act on; each is the name of its reason, too.
IDLE: Final[Mapping[str, Reason]] = {"harmless": "harmless", "service-not-enabled": "service-not-enabled"}
KEPT: Final = 20

#: What people know by a summary that has one of these reasons; by the others, only that there is such a finding.
_BY_SUMMARY: Final[Mapping[Reason, Told]] = {"backlog": "blocked", "gone": "gone", "replaced": "gone"}


class Decided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision. `kind` is the message that was made, or held back; `notification` its id, once it has one."""

    at: str
    kind: Message | None
    told: bool
    reason: str
    detail: str = ""
    severity: str = ""
    notification: str | None = None


class Acknowledged(msgspec.Struct, frozen=True):
    """Who has seen it, when, and what they said."""

    by: str
    at: str
    note: str = ""


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    """An incident that is open, by its dedup_key.

    `opened`: when it was, in milliseconds since 1970. `alike`: the digest by which others join it, "" if none may.
    """

    key: str
    opened: int
    alike: str = ""


class Life(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept with a finding. Every field has a default, so that what was stored before it existed can be read.

    `status` is that of the last decision. `episode` counts how often it became blocked or silent, from 1; 0 is a finding
    that was over when first seen. `told` is what people were told last, `told_at` and `told_episode` belong to that,
    `told_severity` to the last time that it was told to be blocked. `listed` is the episode that a summary has listed.
    `incident` is the one in which it was told, until its end is told. `decisions` are the latest, each run of equal ones
    once.
    """

    first_seen: str = ""
    status: str = ""
    episode: int = 0
    told: Told = ""
    told_at: str = ""
    told_episode: int = 0
    told_severity: str = ""
    listed: int = -1
    incident: Incident | None = None
    acknowledged: Acknowledged | None = None
    assigned: str = ""
    decisions: tuple[Decided, ...] = ()

    def sent(self, notification: str, incident: Incident | None) -> "Life":
        """Note the id of the message that its last decision went into, and the incident in which it is open now."""
        last = msgspec.structs.replace(self.decisions[-1], notification=notification)
        return msgspec.structs.replace(self, incident=incident, decisions=(*self.decisions[:-1], last))


class Decision(NamedTuple):
    """The message to make (None: tell nothing), the reason, and the life after it; the same object if nothing changed."""

    kind: Message | None
    reason: Reason
    life: Life


def decide(
    life: Life, finding: Finding, *, now: datetime, muted: Mute | None = None, phase: Phase = "live"
) -> Decision:
    """Decide what to tell of a finding as it is now; `muted` as `mutes.muted_by` gives it.

    The same life and finding give the same decision, so one that a crash undid is made again alike.
    """
    at = spelled(now)
    if phase == "reading":
        after = msgspec.structs.replace(life, first_seen=life.first_seen or at)
        return _held(life, after, at, "reading-backlog")
    after = _seen(life, finding["status"], at)
    kind, reason = _outcome(after, finding, phase)
    severity = finding["severity"]
    # Of what people know to be blocked, they also hear the end.
    if kind and muted and life.told not in OPEN:
        detail = f"by {muted.by} until {spelled(muted.end)}: {muted.reason}"
        return _held(life, after, at, "muted", kind=kind, detail=detail, severity=severity)
    if kind is None:
        return _held(life, after, at, reason, severity=severity)
    decided = Decided(at=at, kind=kind, told=True, reason=reason, severity=severity)
    return Decision(kind, reason, _told(_noted(after, decided), kind, reason, at, severity))


def replaced(life: Life, now: datetime) -> Life:
    """Decide to tell the end of a finding of which nothing is left: all of its denials count for others now."""
    at = spelled(now)
    decided = Decided(at=at, kind="summary", told=True, reason="replaced", severity=life.told_severity)
    return _told(_noted(life, decided), "summary", "replaced", at, life.told_severity)


def proven(finding: Finding) -> bool:
    """Whether each denied action has an event in `proof` that shows that access was granted."""
    proof = {
        str(event["iam_action"]).lower() for event in finding.get("proof") or () if event.get("event_id")
    }
    return bool(proof) and proof.issuperset(
        action["iam_action"].lower() for action in finding["actions"].values()
    )


def acknowledge(life: Life, by: str, at: datetime, note: str = "") -> Life:
    """Note that somebody has seen it; a new episode takes that back. UsageError without a person."""
    if not by.strip():
        raise UsageError("nobody is named who acknowledges it", remedy="write --by NAME")
    return msgspec.structs.replace(life, acknowledged=Acknowledged(by.strip(), spelled(at), note.strip()))


def assign(life: Life, person: str) -> Life:
    """Note whose it is; nobody's if the name is empty. It stays so when it is blocked again."""
    return msgspec.structs.replace(life, assigned=person.strip())


def _seen(life: Life, status: str, at: str) -> Life:
    """Note the status; one that is open where there was none, or one that is over, begins an episode."""
    begins = status not in OVER and life.status in ("", *OVER)
    return msgspec.structs.replace(
        life,
        first_seen=life.first_seen or at,
        status=status,
        episode=life.episode + begins,
        acknowledged=None if begins else life.acknowledged,
    )


def _outcome(life: Life, finding: Finding, phase: Phase) -> tuple[Message | None, Reason]:
    """Say what would be told if there were no mutes."""
    status, idle = finding["status"], IDLE.get(finding["verdict"])
    if life.told in OPEN:
        if status == "recovered":
            return ("recovered", "recovered") if proven(finding) else (None, "no-proof")
        if status == "gone":
            return "summary", "gone"
        return None, "silent" if status == "silent" else "already-told"
    if status in OVER and life.told and life.told_episode == life.episode:
        return None, "already-over"
    if status in OVER and life.episode:
        return None, "never-told"
    if idle:
        return None, idle
    if status != "blocked":
        if life.listed == life.episode:
            return None, "already-listed"
        if status == "recovered" and not proven(finding):
            return None, "no-proof"
        return "summary", "first-silent" if status == "silent" else "first-over"
    if life.told:
        return "reopened", _why(life, finding, "blocked-again")
    if phase == "drained":
        return "summary", "backlog"
    return "blocked", _why(life, finding, "denied-again" if life.listed == life.episode else "new")


def _why(life: Life, finding: Finding, otherwise: Reason) -> Reason:
    """Say why it is told now and was not before; the last decision tells what held it back."""
    last = life.decisions[-1] if life.decisions else None
    if last is None:
        return otherwise
    if last.reason == "muted":
        worse = finding["severity"] == "critical" != last.severity
        return "worse-than-muted" if worse else "mute-ended"
    return "actionable" if last.reason in IDLE else otherwise


def _told(life: Life, kind: Message, reason: Reason, at: str, severity: str) -> Life:
    """Note what people are told by a message; a summary may only list it."""
    told = _BY_SUMMARY.get(reason, "") if kind == "summary" else kind
    if kind == "summary" and told != "gone":
        life = msgspec.structs.replace(life, listed=life.episode)
    if not told:
        return life
    return msgspec.structs.replace(
        life,
        told=told,
        told_at=at,
        told_episode=life.episode,
        told_severity=severity if told in OPEN else life.told_severity,
    )


def _held(
    before: Life,
    after: Life,
    at: str,
    reason: Reason,
    *,
    kind: Message | None = None,
    detail: str = "",
    severity: str = "",
) -> Decision:
    """Tell nothing; the life is the same object as before if that is nothing new."""
    decided = Decided(at=at, kind=kind, told=False, reason=reason, detail=detail, severity=severity)
    after = _noted(after, decided)
    return Decision(None, reason, before if after == before else after)


def _noted(life: Life, decided: Decided) -> Life:
    """Add a decision; one that tells nothing and repeats the last one is not added again."""
    if life.decisions and not decided.told:
        last = life.decisions[-1]
        if msgspec.structs.replace(decided, at=last.at) == last:
            return life
    return msgspec.structs.replace(life, decisions=(*life.decisions, decided)[-KEPT:])
