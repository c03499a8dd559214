"""Datapoints of metrics: how often each value was published in each minute.

What arrives later than the next evaluation of alarms waits apart, until evaluations have come to the time at which it is seen.
So evaluations that are caught up with see what they would have seen then. Times are in seconds since 1970.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import ARRIVING, DATAPOINTS, SERIES
from rolewatch.store.state import insert, parts

_LOCK: Final = 0x73657269  # PostgreSQL's advisory lock of those who use the numbers of series, and of who takes some away

Dimensions = tuple[tuple[str, str], ...]
Values = dict[int, dict[float, int]]  # start of the minute → value → number of occurrences


class Named(NamedTuple):
    """A metric with its unit (`None` spelled out where it has none); dimensions are sorted by name."""

    namespace: str
    name: str
    dimensions: Dimensions
    unit: str


class Point(NamedTuple):
    """How often a value of a series, by its number, was published in a minute."""

    series: int
    minute: int
    value: float
    number: int


def number(connection: sa.Connection, wanted: Iterable[Named]) -> dict[Named, int]:
    """Give the number of each series; new ones get one. Whoever adds to one does so in the same transaction."""
    digests = {_digest(*each): each for each in wanted}
    if not digests:
        return {}
    _hold(connection, exclusive=False)
    found = dict(_known(connection, list(digests)))
    rows = [_row(digest, digests[digest]) for digest in sorted(digests.keys() - found.keys())]
    if rows:
        connection.execute(insert(connection, SERIES).on_conflict_do_nothing(), rows)
        found |= dict(_known(connection, [row["digest"] for row in rows]))
    return {digests[digest]: place for digest, place in found.items()}


def units(connection: sa.Connection, namespace: str, name: str, dimensions: Dimensions) -> dict[str, int]:
    """Give the numbers of a metric's series, by unit."""
    metric = _digest(namespace, name, dimensions)
    rows = connection.execute(sa.select(SERIES.c.unit, SERIES.c.id).where(SERIES.c.metric == metric))
    return {row.unit: row.id for row in rows}


def listed(connection: sa.Connection) -> dict[int, Named]:
    """List all series by their numbers."""
    rows = connection.execute(sa.select(SERIES).order_by(SERIES.c.namespace, SERIES.c.name, SERIES.c.id))
    return {row.id: Named(row.namespace, row.name, _dimensions(row.dimensions), row.unit) for row in rows}


def add(connection: sa.Connection, points: Iterable[Point]) -> None:
    """Add to datapoints."""
    statement = insert(connection, DATAPOINTS)
    statement = statement.on_conflict_do_update(
        index_elements=["series", "minute", "value"],
        set_={"number": DATAPOINTS.c.number + statement.excluded.number},
    )
    rows = [
        point._asdict() for point in sorted(points)
    ]  # in one order, so that writers never wait for each other
    if rows:
        connection.execute(statement, rows)


def announce(connection: sa.Connection, seen: Mapping[int, Sequence[Point]]) -> None:
    """Add to datapoints that wait, by the time from which on they are seen."""
    statement = insert(connection, ARRIVING)
    statement = statement.on_conflict_do_update(
        index_elements=["seen", "series", "minute", "value"],
        set_={"number": ARRIVING.c.number + statement.excluded.number},
    )
    rows = [{"seen": time, **point._asdict()} for time in sorted(seen) for point in sorted(seen[time])]
    if rows:
        connection.execute(statement, rows)


def take(connection: sa.Connection, until: int | None) -> dict[int, list[Point]]:
    """Take away what waits, as far as it is seen at a time (None: all of it); returns it by its time, in order."""
    statement = sa.delete(ARRIVING).returning(ARRIVING)
    if until is not None:
        statement = statement.where(ARRIVING.c.seen <= until)
    found: dict[int, list[Point]] = {}
    for row in sorted(tuple(row) for row in connection.execute(statement)):
        found.setdefault(row[0], []).append(Point(*row[1:]))
    return found


def load(
    connection: sa.Connection, series: Iterable[int], since: int, before: int | None = None
) -> dict[int, Values]:
    """Give the datapoints of series in `since <= minute < before`."""
    found: dict[int, Values] = {}
    columns = (DATAPOINTS.c[name] for name in Point._fields)
    statement = sa.select(*columns).where(DATAPOINTS.c.minute >= since)
    if before is not None:
        statement = statement.where(DATAPOINTS.c.minute < before)
    for part in parts(sorted(set(series))):
        for place, minute, value, times in connection.execute(statement.where(DATAPOINTS.c.series.in_(part))):
            found.setdefault(place, {}).setdefault(minute, {})[value] = times
    return found


def expire(connection: sa.Connection, before: int) -> int:
    """Forget the datapoints of minutes before a time, and series without any; returns how many datapoints."""
    _hold(connection, exclusive=True)
    number = connection.execute(sa.delete(DATAPOINTS).where(DATAPOINTS.c.minute < before)).rowcount
    connection.execute(sa.delete(ARRIVING).where(ARRIVING.c.minute < before))
    used = (sa.exists().where(table.c.series == SERIES.c.id) for table in (DATAPOINTS, ARRIVING))
    connection.execute(sa.delete(SERIES).where(*(~each for each in used)))
    return number


def _hold(connection: sa.Connection, *, exclusive: bool) -> None:
    """Keep series from being taken away by others while they are used; SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock if exclusive else sa.func.pg_advisory_xact_lock_shared
        connection.execute(sa.select(lock(_LOCK)))


def _known(connection: sa.Connection, digests: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    for part in parts(digests):
        statement = sa.select(SERIES.c.digest, SERIES.c.id).where(SERIES.c.digest.in_(part))
        yield from ((bytes(row.digest), row.id) for row in connection.execute(statement))


def _row(digest: bytes, named: Named) -> dict[str, Any]:
    metric = _digest(*named[:3])
    return {**named._asdict(), "dimensions": json.dumps(named.dimensions), "digest": digest, "metric": metric}


def _dimensions(text: str) -> Dimensions:
    return tuple((name, value) for name, value in json.loads(text))


def _digest(*words: Any) -> bytes:
    return hashlib.sha256(json.dumps(words).encode()).digest()[:16]
