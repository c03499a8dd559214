"""The identities of denials, in one table for each event day, so that a denial counts once however often it arrives."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import day_of, day_table
from rolewatch.store.state import insert, parts

KEPT_DAYS: Final = 45
AHEAD_DAYS: Final = 2  # an event of later than that is not to be believed: a clock is wrong
_LOCK: Final = 0x64617973  # PostgreSQL's advisory lock of whoever makes a day's table


class Entry(NamedTuple):
    """A denial as it is remembered.

    `case` is the number of its case, `at` the second of its day, `event` its event id where the identity does not spell it.
    """

    identity: bytes
    case: int
    rank: int
    at: int
    event: str | None


def enter(connection: sa.Connection, day: str, entries: Sequence[Entry]) -> dict[bytes, Entry]:
    """Add the denials of a day; returns those that were there already, as they are remembered."""
    table = _table(day)
    _make(connection, day)
    rows = sorted(entries)  # always in the same order, so that two writers never wait for each other
    new: set[bytes] = set()
    statement = insert(connection, table).on_conflict_do_nothing().returning(table.c.identity)
    for part in parts(rows):
        found = connection.execute(statement, [entry._asdict() for entry in part])
        new.update(bytes(identity) for identity in found.scalars())
    others = [entry.identity for entry in rows if entry.identity not in new]
    return {entry.identity: entry for entry in _entries(connection, table, others)}


def replace(connection: sa.Connection, day: str, entry: Entry) -> None:
    """Remember a better copy in place of the one that is there."""
    table = _table(day)
    connection.execute(sa.update(table).where(table.c.identity == entry.identity).values(**entry._asdict()))


def days(connection: sa.Connection) -> list[str]:
    """List the days that have a table, in order."""
    names = sa.inspect(connection).get_table_names()
    return sorted(day for name in names if (day := day_of(name)))


def drop(connection: sa.Connection, before: str) -> list[str]:
    """Forget the denials of all days before one; returns these days."""
    dropped = [day for day in days(connection) if day < before]
    for day in dropped:
        _table(day).drop(connection)
    return dropped


@lru_cache(maxsize=128)
def _table(day: str) -> sa.Table:
    return day_table(day)


def _make(connection: sa.Connection, day: str) -> None:
    table = _table(day)
    if sa.inspect(connection).has_table(table.name):
        return
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    table.create(connection, checkfirst=True)


def _entries(connection: sa.Connection, table: sa.Table, identities: Collection[bytes]) -> Iterator[Entry]:
    for part in parts(identities):
        statement = sa.select(table).where(table.c.identity.in_(part))
        if connection.dialect.name == "postgresql":
            statement = statement.with_for_update()
        yield from map(_entry, connection.execute(statement))


def _entry(row: "sa.Row[tuple[bytes, int, int, int, str | None]]") -> Entry:
    return Entry(bytes(row.identity), row.case, row.rank, row.at, row.event)
