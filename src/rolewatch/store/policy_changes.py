"""Calls that changed policies, by resource and in the order of time, each once however often it was delivered."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import FINDINGS, FINDINGS_BEGINNING, POLICY_CHANGES, beginning, storable
from rolewatch.store.state import insert, parts

_C: Final = POLICY_CHANGES.c
_LOCK: Final = 0x706F6C69  # the kind of PostgreSQL's advisory locks of resources …
_LOCKS: Final = 256  # … and how many there are

#: Made once: it is asked for each finding of a resource whose policy was changed.
_LAST: Final = (
    sa.select(*(column for column in _C if column.name not in ("place", "mark")))
    .where(_C.place == sa.bindparam("place"), _C.time <= sa.bindparam("until"))
    .order_by(_C.time.desc(), _C.mark.desc())
    .limit(sa.bindparam("number"))
)


class ChangeRow(NamedTuple):
    """A change of a policy; the columns are those of `schema.POLICY_CHANGES` beside its keys."""

    time: str
    resource: str
    event_name: str
    principal: str
    source_ip: str | None
    user_agent: str | None
    event_id: str | None
    shared_id: str | None
    policy: str | None


def hold(connection: sa.Connection, changed: Iterable[str], looked_at: Iterable[str]) -> None:
    """Wait for other transactions of a PostgreSQL that change what is known of some resources, or look at it to tell.

    A change and a denial of one resource that two writers bring at once could else miss each other. SQLite has one writer.
    """
    if connection.dialect.name != "postgresql":
        return
    exclusive = {_lock_of(resource) for resource in changed}
    for place in sorted({_lock_of(resource) for resource in looked_at} | exclusive):  # always in this order
        lock = sa.func.pg_advisory_xact_lock if place in exclusive else sa.func.pg_advisory_xact_lock_shared
        connection.execute(sa.select(lock(_LOCK, place)))


def add(connection: sa.Connection, rows: Iterable[ChangeRow]) -> dict[str, str]:
    """Keep changes; returns the resources of those that are new, each with the time of the first of them."""
    values = {(row["place"], row["time"], row["mark"]): row for row in map(_values, rows)}
    found: dict[str, str] = {}
    for part in parts(values[key] for key in sorted(values)):
        statement = insert(connection, POLICY_CHANGES).on_conflict_do_nothing()
        new = connection.execute(statement.returning(_C.resource, _C.time), part)
        for resource, time in new:
            found[resource] = min(time, found.get(resource, time))
    return found


def known(connection: sa.Connection, resources: Iterable[str]) -> set[str]:
    """Give those of some resources of which a change is kept."""
    places = {_digest(resource): resource for resource in resources}
    found: set[str] = set()
    if not places or connection.execute(sa.select(_C.time).limit(1)).first() is None:
        return found
    for part in parts(sorted(places)):
        rows = connection.execute(sa.select(_C.place).where(_C.place.in_(part)).distinct())
        found.update(places[bytes(place)] for place in rows.scalars())
    return found


def last(
    connection: sa.Connection, resource: str, until: str, number: int, *, passed_over: Sequence[str] = ()
) -> list[ChangeRow]:
    """Give the last changes of a resource up to a time, at most so many, the latest first.

    The first of them is none that sets no policy and is called as one of those to be `passed_over` begins.
    """
    asked = {"place": _digest(resource), "until": until, "number": number}
    names = [_C.event_name.startswith(name, autoescape=True) for name in passed_over]
    if names:
        first = _LAST.where(sa.or_(_C.policy.is_not(None), ~sa.or_(*names)))
        row = connection.execute(first, asked | {"number": 1}).first()
        if row is None:
            return []
        asked["until"] = row.time
    return [ChangeRow(*row) for row in connection.execute(_LAST, asked)]


def expire(connection: sa.Connection, before: str) -> int:
    """Forget changes before a time, but for the last two of each resource, and the last two before a finding began.

    Returns how many.
    """
    newer = POLICY_CHANGES.alias("newer")
    later = sa.tuple_(newer.c.time, newer.c.mark) > sa.tuple_(_C.time, _C.mark)
    two = sa.select(sa.literal(1)).where(newer.c.place == _C.place, later).offset(1).limit(1)
    told = FINDINGS.c.first_denied
    needed = sa.select(sa.literal(1)).where(
        FINDINGS.c.resource == _C.resource,
        beginning(_C.resource) == FINDINGS_BEGINNING,
        told >= _C.time,
        ~two.where(newer.c.time <= told).correlate(POLICY_CHANGES, FINDINGS).exists(),
    )
    old = sa.delete(POLICY_CHANGES).where(
        _C.time < before,
        two.correlate(POLICY_CHANGES).exists(),
        ~needed.correlate(POLICY_CHANGES).exists(),
    )
    return connection.execute(old).rowcount


def _values(row: ChangeRow) -> dict[str, object]:
    event = row.event_id or f"{row.event_name} {row.principal}"
    return {**row._asdict(), "place": _digest(row.resource), "mark": _digest(event)}


def _lock_of(resource: str) -> int:
    return _digest(resource)[0] % _LOCKS


def _digest(text: str) -> bytes:
    return hashlib.sha256(storable(text).encode()).digest()[:16]
