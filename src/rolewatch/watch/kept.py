"""A finding between the store and the rules: read from its row, added to, and written back with all that follows."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, spelled
from rolewatch.findings.build import facts_about, finding_id, finding_of
from rolewatch.findings.life import Life
from rolewatch.findings.severity import LEVELS
from rolewatch.findings.tally import Key, Tally, finding_key
from rolewatch.scan.proofs import Witness
from rolewatch.store import findings
from rolewatch.store.findings import FindingRow, Sums
from rolewatch.watch.following import Fact, awaited

Finding = dict[str, Any]
Explain = Callable[[Finding], None]
GONE: Final = ""  # stands for the disappearance of the resource where accesses have the name of their action
OVER: Final = ("recovered", "gone")
OPEN: Final = ("blocked", "silent", "gone")  # findings that still wait for something
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


def unexplained(finding: Finding) -> None:
    """Leave a finding as its messages tell it."""
    del finding


class Spans(NamedTuple):
    """How long it takes: `silent` without an attempt until a finding is silent, `settle` of event time until one is over."""

    silent: timedelta = timedelta(days=7)
    settle: timedelta = timedelta(minutes=15)


class Beside(msgspec.Struct, array_like=True):
    """What is kept beside the tally.

    The latest proof of each action (GONE: of the resource's end), and how many denials came so late that nothing but their
    delivery tells them from repeats.
    """

    proofs: dict[str, Witness]
    late: int = 0


class Kept:
    """One finding; `row` is as it was read, None if it is new."""

    def __init__(self, key: Key, row: FindingRow | None = None) -> None:
        self.key, self.row = key, row
        self.id = finding_id(key)
        self.tally = Tally.decode(row.tally) if row else Tally({}, [], [])
        self._beside = _beside.decode(row.proofs) if row else Beside({})
        self.life = _life.decode(row.life) if row else Life()
        self.severity = row.severity if row else 0
        self.document: Finding = {}
        self.due: str | None = None

    @classmethod
    def of(cls, row: FindingRow) -> "Kept":
        """Take up a finding from its row."""
        kept = cls(("", "", ""), row)
        kept.key = finding_key(next(iter(kept.tally.cases)))
        kept.id = row.id
        return kept

    @property
    def proven(self) -> dict[str, str]:
        """The time of the latest proof of each action, by its name in lower case."""
        return {action: witness.time for action, witness in self._beside.proofs.items()}

    def witness(self, fact: tuple[str, ...], witness: Witness) -> None:
        """Take what a record proves, if it is later than what was known."""
        action = fact[1] if len(fact) > 1 else GONE
        known = self._beside.proofs.get(action)
        if known is None or witness > known:
            self._beside.proofs[action] = witness

    def came_late(self, number: int) -> None:
        """Count denials that came late."""
        self._beside.late += number

    def present(
        self, last_seen: str | None, now: datetime, spans: Spans, explain: Explain = unexplained
    ) -> Finding:
        """Make the finding as it is at a time of the clock; `last_seen` is the latest event of its account.

        `explain` puts in what policies say of it.
        """
        finding = finding_of(self.key, self.tally, self._facts(), None, spans.silent)
        self.due = None
        if finding["status"] in OVER:
            settled = _plus(finding["ended"], spans.settle)
            if last_seen is None or last_seen < settled:
                self.due = settled
                finding |= {"status": "blocked", "ended": None, "settling": finding["ended"]}
        if finding["status"] == "recovered":
            finding["proof"] = self._proof(finding)
        elif finding["status"] == "blocked" and self.due is None:
            last = finding["last_denied"]
            if last and last < spelled(now - spans.silent):
                finding["status"] = "silent"
        if self._beside.late:
            finding["late"] = self._beside.late
        explain(finding)
        own = LEVELS.index(finding["severity"])
        self.severity = max(own, self.severity) if own == LEVELS.index("high") else own
        finding["severity"] = LEVELS[self.severity]
        self.document = finding
        return finding

    def raise_to(self, severity: str) -> None:
        """Make it as severe as others of its service make it."""
        self.severity = LEVELS.index(severity)
        self.document["severity"] = severity

    @property
    def own(self) -> int:
        """Its severity by itself, as an index of LEVELS."""
        return min(self.severity, LEVELS.index("high"))

    def to_row(self, now: datetime) -> FindingRow:
        """Write it down."""
        finding, incident = self.document, self.life.incident
        return FindingRow(
            id=self.id,
            account=finding["account"],
            service=finding["service"],
            resource=finding["resource"],
            status=finding["status"],
            verdict=finding["verdict"],
            cause=f"{finding['cause']['kind'] or ''}/{finding['cause']['policy_type'] or ''}",
            blamed=(finding.get("blame") or {}).get("event_id"),
            own=self.own,
            severity=self.severity,
            place=2 * self.severity + finding["security_service"],
            first_denied=finding["first_denied"] or "",
            last_denied=finding["last_denied"] or "",
            ended=finding["ended"],
            due=self.due,
            incident=incident.key if incident else None,
            opened=incident.opened if incident else None,
            alike=incident.alike or None if incident else None,
            changed=milliseconds(now),
            tally=self.tally.encode(),
            proofs=_encode(self._beside),
            life=msgspec.json.encode(self.life).decode(),
            document=msgspec.json.encode(finding).decode(),
        )

    def _facts(self) -> Mapping[tuple[str, ...], str]:
        access, gone = facts_about(next(iter(self.tally.cases)))
        return {
            (access[0], action, access[2]) if action else gone: witness.time
            for action, witness in self._beside.proofs.items()
        }

    def _proof(self, finding: Finding) -> list[dict[str, str]]:
        names = sorted({action["iam_action"] for action in finding["actions"].values()})
        found = ((name, self._beside.proofs.get(name.lower())) for name in names)
        return [
            {"iam_action": name, "event_id": witness.event_id, "event_time": witness.time}
            for name, witness in found
            if witness
        ]


def awaited_by(row: Sums) -> dict[Fact, str]:
    """Name the facts that a finding waits for, as `following.awaited` does, by what it is made of."""
    proofs = _beside.decode(row.proofs).proofs
    return awaited(Tally.decode(row.tally), {action: witness.time for action, witness in proofs.items()})


def followed(connection: sa.Connection) -> list[tuple[str, dict[Fact, str]]]:
    """Give the findings that still wait for something, by id, and what each waits for."""
    return [(row.id, awaited_by(row)) for row in findings.sums(connection, OPEN)]


_beside = msgspec.msgpack.Decoder(Beside)
_life = msgspec.json.Decoder(Life)
_encode = msgspec.msgpack.Encoder().encode


def _plus(time: str, span: timedelta) -> str:
    """Add a span to an event's time; what is no time is never reached."""
    try:
        return (datetime.fromisoformat(time) + span).strftime(_TIME)
    except (ValueError, OverflowError):
        return "9999"
