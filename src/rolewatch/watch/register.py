"""Findings within one transaction: what has changed them, what they are now, and what people are told of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, spelled
from rolewatch.findings.build import finding_id
from rolewatch.findings.life import Phase, decide, replaced
from rolewatch.findings.mutes import Mute, ended_by_recovery, muted_by
from rolewatch.findings.severity import LEVELS, raise_blindings
from rolewatch.findings.tally import Key, finding_key
from rolewatch.notify.grouping import Event, event_of
from rolewatch.notify.notification import Notification
from rolewatch.scan.proofs import Witness
from rolewatch.store import accounts, findings, mutes
from rolewatch.watch import blaming
from rolewatch.watch.entry import Entered, enter
from rolewatch.watch.following import Fact, Following, awaited
from rolewatch.watch.intake import Taken
from rolewatch.watch.kept import Explain, Kept, Spans, unexplained
from rolewatch.watch.telling import Teller

NEIGHBOURS: Final = 1000  # findings of one service that are looked at for a blinding
_HOUR: Final = timedelta(hours=1)
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_GRAVE: Final = ("high", "critical")
NONE: Final[Mapping[Fact, Witness]] = {}


NOBODY: Final[Mapping[str, int]] = {}


class Changed(NamedTuple):
    """What a transaction has changed: the findings written, those that are no more, and how many notifications were made and denials were new, repeated and late.

    `told`: the notifications; `held`: (finding, reason) of each decision to tell nothing that is new; `services`: service →
    how many denials of it were new.
    """

    findings: Mapping[str, Kept]
    left: Sequence[str] = ()
    notifications: int = 0
    denials: int = 0
    repeated: int = 0
    late: int = 0
    told: Sequence[Notification] = ()
    held: Sequence[tuple[str, str]] = ()
    services: Mapping[str, int] = NOBODY

    def follow(self, following: Following) -> None:
        """Wait for what the findings wait for now; to be called when the transaction is through."""
        for name in self.left:
            following.leave(name)
        for kept in self.findings.values():
            following.follow(kept.id, awaited(kept.tally, kept.proven))


class Register:
    """Changes findings within a transaction, at a moment of the clock; without a teller nothing is decided about telling.

    With `blame`, changes of policies are kept, and findings say who changed theirs last before they began.
    """

    def __init__(
        self,
        connection: sa.Connection,
        now: datetime,
        spans: Spans,
        phase: Phase,
        teller: Teller | None,
        *,
        explain: Explain = unexplained,
        blame: bool = False,
    ) -> None:
        self._connection, self._now, self._spans = connection, now, spans
        self._phase, self._teller, self._explain = phase, teller, explain
        self._blame = blame
        self._held: list[tuple[str, str]] = []
        self._mutes = [mute_of(row) for row in mutes.active(connection, milliseconds(now))]

    def take(self, taken: Taken, following: Following) -> Changed:
        """Take in what a batch of deliveries holds."""
        blamed = self._changes(taken)
        seen = accounts.advance(self._connection, self._believable(taken.last_seen))
        entered = enter(self._connection, taken.denials, taken.copies, taken.examples, self._now)
        kept = self._load(self._touched(taken, entered, following, seen).union(blamed))
        for key in entered.added:
            kept.setdefault(finding_id(key), Kept(key))
        _add(kept, entered)
        empty = {name: each for name, each in kept.items() if not each.tally.cases}
        kept = {name: each for name, each in kept.items() if name not in empty}
        _prove(kept.values(), taken.witnesses)
        changed = self._finish(kept, empty.values())
        findings.delete(self._connection, list(empty))  # all of their denials count for others now
        return changed._replace(
            left=list(empty),
            denials=sum(found.denials for found in entered.added.values()) - len(entered.replaced),
            repeated=entered.repeated,
            late=sum(entered.late.values()),
            services=_services(entered, kept),
        )

    def look_again(self, ids: Iterable[str], witnesses: Mapping[Fact, Witness] = NONE) -> Changed:
        """Look at findings again, because time has passed, a mute has ended, or the backlog is through."""
        kept = self._load(ids)
        _prove(kept.values(), witnesses)
        return self._finish(kept)

    def _believable(self, last_seen: Mapping[str, str]) -> dict[str, str]:
        """Leave out times to come, which a delivery's name can claim."""
        latest = spelled(self._now + _HOUR)
        return {account: min(time, latest) for account, time in last_seen.items()}

    def _touched(
        self, taken: Taken, entered: Entered, following: Following, seen: Mapping[str, str]
    ) -> set[str]:
        ids = {finding_id(key) for key in (*entered.added, *entered.names)}
        ids |= {finding_id(finding_key(case)) for case, _ in entered.replaced}
        for fact in taken.witnesses:
            ids.update(following.owners(fact))
        ids.update(findings.due(self._connection, seen))
        return ids

    def _changes(self, taken: Taken) -> Iterable[str]:
        """Take in changes of policies; returns the findings that they may be the beginning of."""
        if not self._blame:
            return ()
        denied = {denial.case.resource.arn for denial in taken.denials}
        return blaming.take(self._connection, taken.changes, denied)

    def _load(self, ids: Iterable[str]) -> dict[str, Kept]:
        return {name: Kept.of(row) for name, row in findings.load(self._connection, ids).items()}

    def _finish(self, kept: dict[str, Kept], empty: Iterable[Kept] = ()) -> Changed:
        """Say what findings are now and what is told of them, also of those of which nothing is left, and write them."""
        self._present(kept.values())
        kept |= self._blinded(kept)
        told: Sequence[Notification] = ()
        if self._teller:
            events = chain(self._decide(kept.values()), self._endings(empty))
            made = self._teller.tell(self._connection, events, self._now)
            for each in kept.values():
                each.life = made.lives.get(each.id, each.life)
            told = made.notifications
        findings.save(self._connection, [each.to_row(self._now) for each in kept.values()])
        return Changed(kept, notifications=len(told), told=told, held=self._held)

    def _present(self, kept: Iterable[Kept]) -> None:
        found = list(kept)
        seen = accounts.last_events(self._connection, sorted({each.key[0] for each in found}))
        for each in found:
            each.present(seen.get(each.key[0]), self._now, self._spans, self._explain)
        if self._blame:
            blaming.put(self._connection, [each.document for each in found])

    def _decide(self, kept: Iterable[Kept]) -> Iterator[Event]:
        for each in kept:
            finding = each.document
            for mute in ended_by_recovery(finding, self._mutes, self._now):
                mutes.save(self._connection, row_of(mute))
                self._mutes = [mute if mute.id == other.id else other for other in self._mutes]
            decision = decide(
                each.life,
                finding,
                now=self._now,
                muted=muted_by(finding, self._mutes, self._now),
                phase=self._phase,
            )
            event = event_of(decision, finding)
            if event is None and decision.life is not each.life:
                self._held.append((each.id, decision.reason))
            each.life = decision.life
            if event:
                yield event

    def _endings(self, empty: Iterable[Kept]) -> Iterator[Event]:
        """Tell the end of findings that people take to be blocked, and of which nothing is left."""
        for each in empty:
            if each.row and each.life.incident:
                finding = msgspec.json.decode(each.row.document) | {"status": "gone"}
                yield Event("summary", finding, replaced(each.life, self._now))

    def _blinded(self, kept: Mapping[str, Kept]) -> dict[str, Kept]:
        """Raise the findings of services that lost several resources within an hour; returns those not touched otherwise."""
        moments: dict[tuple[str, str], list[datetime]] = {}
        for each in kept.values():
            finding = each.document
            if finding["security_service"] and finding["severity"] in _GRAVE and _is_news(each):
                moment = _moment(finding["first_denied"])
                if moment:
                    moments.setdefault((finding["account"], finding["service"]), []).append(moment)
        others: set[str] = set()
        for (account, service), times in moments.items():
            for since, until in _windows(times):
                span = findings.Began(account, service, since, until)
                others |= _raised(span, findings.that_began(self._connection, span, NEIGHBOURS), kept)
        loaded = self._load(others)
        self._present(loaded.values())
        for each in loaded.values():
            each.raise_to("critical")
        return loaded


def _raised(
    span: findings.Began, known: Iterable[tuple[str, str, int, int]], kept: Mapping[str, Kept]
) -> set[str]:
    """Raise what is critical together with its neighbours; returns the ids of those that are not among `kept`."""
    account, service, since, until = span
    rows: list[dict[str, Any]] = [
        {
            "id": name, "account": account, "service": service, "security_service": True, "first_denied": first,
            "severity": LEVELS[own], "known": LEVELS[now],
        }
        for name, first, own, now in known
        if name not in kept
    ]  # fmt: skip
    rows += [
        {**each.document, "severity": LEVELS[each.own], "known": None}
        for each in kept.values()
        if (each.document["account"], each.document["service"]) == (account, service)
        and since <= (each.document["first_denied"] or "") <= until
    ]
    raise_blindings(rows)
    others = set()
    for row in rows:
        if row["severity"] != "critical":
            continue
        if row["known"] is None:
            kept[row["id"]].raise_to("critical")
        elif row["known"] != "critical":
            others.add(row["id"])
    return others


def mute_of(row: mutes.MuteRow) -> Mute:
    """Read a mute."""
    return msgspec.json.decode(row.body, type=Mute)


def row_of(mute: Mute) -> mutes.MuteRow:
    """Write a mute down."""
    ended = None if mute.ended is None else milliseconds(mute.ended)
    return mutes.MuteRow(mute.id, milliseconds(mute.until), ended, msgspec.json.encode(mute).decode())


def _add(kept: Mapping[str, Kept], entered: Entered) -> None:
    """Add to the sums of findings, and take out what a better copy counts for."""
    for key, found in entered.added.items():
        kept[finding_id(key)].tally.merge(found)
    for case, denial in entered.replaced:
        kept[finding_id(finding_key(case))].tally.subtract(case, denial)
    for key, names in entered.names.items():
        kept[finding_id(key)].tally.name(names)
    for key, number in entered.late.items():
        kept[finding_id(key)].came_late(number)


def _services(entered: Entered, kept: Mapping[str, Kept]) -> dict[str, int]:
    """Count new denials by service; one that counts in place of a worse copy is not new."""
    numbers: dict[Key, int] = {key: found.denials for key, found in entered.added.items()}
    for _, denial in entered.replaced:
        numbers[finding_key(denial.case)] -= 1
    services: dict[str, int] = {}
    for key, number in numbers.items():
        service = kept[finding_id(key)].document["service"] or ""
        services[service] = services.get(service, 0) + max(number, 0)
    return services


def _prove(kept: Iterable[Kept], witnesses: Mapping[Fact, Witness]) -> None:
    """Take in what records prove about findings that wait for it."""
    for each in kept if witnesses else ():
        for fact in awaited(each.tally, each.proven):
            witness = witnesses.get(fact)
            if witness:
                each.witness(fact, witness)


def _is_news(kept: Kept) -> bool:
    """Whether a finding may make others of its service worse than they were."""
    row = kept.row
    return row is None or row.first_denied != kept.document["first_denied"] or row.own != kept.own


def _moment(time: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(time or "")
    except ValueError:
        return None


def _windows(moments: list[datetime]) -> Iterator[tuple[str, str]]:
    """Give the spans of time, an hour around each moment, that do not overlap."""
    start = end = None
    for moment in sorted(moments):
        if start is None or end is None:
            start, end = moment - _HOUR, moment + _HOUR
        elif moment - _HOUR <= end:
            end = moment + _HOUR
        else:
            yield start.strftime(_TIME), end.strftime(_TIME)
            start, end = moment - _HOUR, moment + _HOUR
    if start and end:
        yield start.strftime(_TIME), end.strftime(_TIME)
