"""The rows of findings: read, locked, written, listed. What is in them is for those to know who write them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import BEGINNING, FINDINGS_BEGINNING, storable
from rolewatch.store.schema import FINDINGS as F
from rolewatch.store.state import parts, upsert

_LOCK: Final = 0x66696E64  # the kind of PostgreSQL's advisory locks of findings …
_INCIDENT: Final = 0x696E6369  # … and of incidents …
_LOCKS: Final = 256  # … and how many there are of each


#: Made once: it is asked for each service of each batch.
_BEGAN: Final = (
    sa.select(F.c.id, F.c.first_denied, F.c.own, F.c.severity)
    .where(
        F.c.account == sa.bindparam("account"),
        F.c.service == sa.bindparam("service"),
        F.c.first_denied.between(sa.bindparam("since"), sa.bindparam("until")),
    )
    .order_by(F.c.first_denied, F.c.id)
    .limit(sa.bindparam("number"))
)


class FindingRow(NamedTuple):
    """A finding as it is kept; the columns are those of `schema.FINDINGS`."""

    id: str
    account: str
    service: str
    resource: str
    status: str
    verdict: str
    cause: str
    blamed: str | None
    own: int
    severity: int
    place: int
    first_denied: str
    last_denied: str
    ended: str | None
    due: str | None
    incident: str | None
    opened: int | None
    alike: str | None
    changed: int
    tally: bytes
    proofs: bytes
    life: str
    document: str


class Sums(NamedTuple):
    """What a finding is made of, without all that follows from it."""

    id: str
    tally: bytes
    proofs: bytes


def load(connection: sa.Connection, ids: Iterable[str]) -> dict[str, FindingRow]:
    """Read findings that are about to be changed or made; another writer waits until this transaction is over."""
    found: dict[str, FindingRow] = {}
    wanted = sorted(set(ids))
    _lock(connection, _LOCK, wanted)
    for part in parts(wanted):
        statement = sa.select(F).where(F.c.id.in_(part)).order_by(F.c.id)
        for row in connection.execute(
            statement.with_for_update()
        ):  # which SQLite does not need, and leaves out
            found[row.id] = FindingRow(*row)._replace(tally=bytes(row.tally), proofs=bytes(row.proofs))
    return found


def _lock(connection: sa.Connection, kind: int, ids: Iterable[str]) -> None:
    """Keep other writers of a PostgreSQL off things, also off those that have no row to lock yet. SQLite has one writer."""
    if connection.dialect.name != "postgresql":
        return
    # A bounded number, whatever there is to lock, and always in the same order.
    for place in sorted({int(name, 16) % _LOCKS for name in ids}):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(kind, place)))


def save(connection: sa.Connection, rows: Sequence[FindingRow]) -> None:
    """Write findings, new or known."""
    upsert(connection, F, [row._asdict() for row in sorted(rows, key=lambda row: row.id)])


def delete(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Take findings away."""
    if ids:
        connection.execute(sa.delete(F).where(F.c.id.in_(ids)))


def expire(connection: sa.Connection, statuses: Sequence[str], before: int) -> int:
    """Forget findings of some statuses that were last written before a moment, unless their end is still to be told.

    Returns how many.
    """
    old = (F.c.changed < before, F.c.status.in_(statuses), F.c.incident.is_(None))
    return connection.execute(sa.delete(F).where(*old)).rowcount


def numbers(connection: sa.Connection) -> dict[tuple[str, int], int]:
    """Count the findings by status and severity, the latter as an index of LEVELS."""
    statement = sa.select(F.c.status, F.c.severity, sa.func.count().label("number")).group_by(
        F.c.status, F.c.severity
    )
    rows = connection.execute(statement)
    return {(row.status, row.severity): row.number for row in rows}


def one(connection: sa.Connection, start: str) -> list[FindingRow]:
    """Give the findings whose id begins like this, at most two: an id may be shortened where that is clear."""
    statement = sa.select(F).where(F.c.id >= start, F.c.id < start + "g").order_by(F.c.id).limit(2)
    return [FindingRow(*row) for row in connection.execute(statement)]


def due(connection: sa.Connection, last_seen: Mapping[str, str]) -> list[str]:
    """Give the ids of findings whose status becomes final now that records of these times were seen, by account."""
    if not last_seen:
        return []
    statement = sa.select(F.c.id, F.c.account, F.c.due).where(F.c.due <= max(last_seen.values()))
    return [row.id for row in connection.execute(statement) if row.due <= last_seen.get(row.account, "")]


def stale(connection: sa.Connection, before: str, number: int) -> list[str]:
    """Give the ids of blocked findings that were last denied before a time."""
    statement = sa.select(F.c.id).where(
        F.c.status == "blocked", F.c.last_denied < before, F.c.last_denied > ""
    )
    return list(connection.execute(statement.limit(number)).scalars())


class Began(NamedTuple):
    """Findings of a service that began between two times, those included."""

    account: str
    service: str
    since: str
    until: str


def that_began(connection: sa.Connection, span: Began, number: int) -> list[tuple[str, str, int, int]]:
    """Give (id, first_denied, own severity, severity) of the findings of a span, in order, at most so many."""
    return [tuple(row) for row in connection.execute(_BEGAN, {**span._asdict(), "number": number})]


def changed_since(connection: sa.Connection, moment: int) -> Iterator[Sums]:
    """Yield what findings are made of that were written at a moment or later, in order of that."""
    return _sums(connection, F.c.changed >= moment)


def sums(connection: sa.Connection, statuses: Sequence[str]) -> Iterator[Sums]:
    """Yield what all findings of some statuses are made of."""
    return _sums(connection, F.c.status.in_(statuses))


def _sums(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Iterator[Sums]:
    statement = sa.select(F.c.id, F.c.tally, F.c.proofs).where(condition).order_by(F.c.changed)
    for row in connection.execute(statement.execution_options(yield_per=500)):
        yield Sums(row.id, bytes(row.tally), bytes(row.proofs))


def with_status(connection: sa.Connection, statuses: Sequence[str]) -> Iterator[FindingRow]:
    """Yield all findings of some statuses."""
    statement = sa.select(F).where(F.c.status.in_(statuses))
    for row in connection.execute(statement.execution_options(yield_per=500)):
        yield FindingRow(*row)._replace(tally=bytes(row.tally), proofs=bytes(row.proofs))


def names(connection: sa.Connection) -> list[str]:
    """Give the ids of all findings."""
    return list(connection.execute(sa.select(F.c.id)).scalars())


def about(connection: sa.Connection, resources: Mapping[str, str]) -> list[str]:
    """Give the ids of findings of some resources that began at a time or later, by resource; or nobody knows when."""
    found: list[str] = []
    for part in parts(sorted({storable(name): time for name, time in resources.items()}.items())):
        times = dict(part)
        statement = sa.select(F.c.id, F.c.resource, F.c.first_denied).where(
            FINDINGS_BEGINNING.in_(sorted({name[:BEGINNING] for name in times})),
            F.c.resource.in_(list(times)),
        )
        for name, resource, began in connection.execute(statement):
            found += [name] if not began or began >= times[resource] else []
    return found


def hold_incidents(connection: sa.Connection, names: Iterable[str]) -> None:
    """Wait until no other transaction opens, joins or ends incidents of these digests or keys (hexadecimal)."""
    _lock(connection, _INCIDENT, names)


def members(connection: sa.Connection, incident: str, most: int) -> int:
    """Count the findings that are told in an incident, not further than to `most`."""
    some = sa.select(F.c.id).where(F.c.incident == incident).limit(most).subquery()
    return connection.execute(sa.select(sa.func.count()).select_from(some)).scalar() or 0


def open_incident(connection: sa.Connection, alike: str, since: int) -> tuple[str, int] | None:
    """Give (dedup_key, when it was opened) of the incident with a digest that was opened last, not before a moment."""
    statement = (
        sa.select(F.c.incident, F.c.opened)
        .where(F.c.alike == alike, F.c.opened >= since)
        .order_by(F.c.opened.desc(), F.c.incident.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return None if row is None else (row.incident, row.opened)
