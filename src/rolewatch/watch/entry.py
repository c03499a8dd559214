"""Denials into the store: each identity once, the better of two copies in place of the other, sums by finding."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from rolewatch.denials.denial import Case, Denial, spelled
from rolewatch.findings.tally import Key, Tally, finding_key, tally
from rolewatch.store import cases, identities
from rolewatch.store.identities import Entry

_encode = msgspec.msgpack.Encoder().encode
_case = msgspec.msgpack.Decoder(Case)


class Entered(NamedTuple):
    """What denials change.

    `added`: sums by finding; `replaced`: denials that count now in place of a worse copy, with the case that one had;
    `names`: further (eventTime, eventID) by finding; `late`: how many came late, by finding; `repeated`: how many were there.
    """

    added: dict[Key, Tally]
    replaced: list[tuple[Case, Denial]]
    names: dict[Key, set[tuple[str, str]]]
    late: dict[Key, int]
    repeated: int


def enter(
    connection: sa.Connection,
    denials: Sequence[Denial],
    copies: Mapping[bytes, set[str]],
    examples: Mapping[Key, set[str]],
    now: datetime,
) -> Entered:
    """Add denials that are not there yet; those of days that are not remembered any more are taken as they come."""
    first = (now - timedelta(days=identities.KEPT_DAYS)).astimezone(UTC).date().isoformat()
    last = (now + timedelta(days=identities.AHEAD_DAYS)).astimezone(UTC).date().isoformat()
    days: dict[str, list[Denial]] = {}
    late: dict[Key, int] = {}
    new: list[Denial] = []
    for denial in denials:
        day = _day(denial.time)
        if day and first <= day <= last:
            days.setdefault(day, []).append(denial)
        else:
            key = finding_key(denial.case)
            late[key] = late.get(key, 0) + 1
            new.append(denial)
    numbers = _numbers(connection, {denial.case for group in days.values() for denial in group})
    worse: list[tuple[Entry, Denial]] = []
    repeats: list[tuple[Entry, Denial]] = []
    for day, group in sorted(days.items()):
        entries = {denial.identity: _entry(denial, numbers[denial.case]) for denial in group}
        known = identities.enter(connection, day, list(entries.values()))
        for denial in group:
            old, entry = known.get(denial.identity), entries[denial.identity]
            if old is None:
                new.append(denial)
            elif _preference(entry) > _preference(old):
                identities.replace(connection, day, entry)
                worse.append((old, denial))
                new.append(denial)
            else:
                repeats.append((old, denial))
    by_number = _cases(connection, (old.case for old, _ in (*worse, *repeats)))
    names: dict[Key, set[tuple[str, str]]] = {}
    for old, denial in (*worse, *repeats):
        ids = {event_id(old), denial.event_id or "", *copies.get(denial.identity, ())} - {""}
        case = denial.case if (old, denial) in worse else by_number[old.case]
        if len(ids) > 1:  # not the same record once more
            names.setdefault(finding_key(case), set()).update((denial.time or "", each) for each in ids)
    replaced = [(by_number[old.case], denial) for old, denial in worse]
    return Entered(tally(new, copies, examples), replaced, names, late, len(repeats) + len(worse))


def event_id(entry: Entry) -> str:
    """Give the event id of a denial that is remembered, "" if it has none."""
    return spelled(entry.identity) if entry.event is None else entry.event


def _preference(entry: Entry) -> tuple[int, str]:
    return entry.rank, event_id(entry)


def _entry(denial: Denial, case: int) -> Entry:
    time = denial.time or ""
    moment = datetime.fromisoformat(time)
    second = moment.hour * 3600 + moment.minute * 60 + moment.second
    return Entry(denial.identity, case, denial.rank, second, denial.named)


def _day(time: str | None) -> str | None:
    """Give the day of an event's time; None of what is no time."""
    try:
        return datetime.fromisoformat(time or "").date().isoformat()
    except ValueError:
        return None


def _numbers(connection: sa.Connection, wanted: Iterable[Case]) -> dict[Case, int]:
    bodies = {_encode(case): case for case in wanted}
    return {bodies[body]: number for body, number in cases.number(connection, bodies).items()}


def _cases(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, Case]:
    return {number: _case.decode(body) for number, body in cases.bodies(connection, numbers).items()}
