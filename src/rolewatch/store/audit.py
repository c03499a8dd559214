"""The audit log: who changed what through the dashboard and its API, and when."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, moment_of
from rolewatch.store.schema import AUDIT as T


class Entry(NamedTuple):
    """One change. `how` they were known: by a token, a session or a proxy."""

    at: datetime
    who: str
    how: str
    action: str
    subject: str
    details: Mapping[str, Any]


def add(connection: sa.Connection, entry: Entry) -> None:
    """Write an entry, which nothing changes afterwards."""
    row = entry._asdict() | {"at": milliseconds(entry.at), "details": json.dumps(entry.details)}
    connection.execute(sa.insert(T).values(**row))


def latest(connection: sa.Connection, number: int, before: int | None = None) -> Sequence[tuple[int, Entry]]:
    """Give so many entries with their numbers, the latest first; only those before a number if one is given."""
    statement = sa.select(T).order_by(T.c.id.desc()).limit(number)
    if before is not None:
        statement = statement.where(T.c.id < before)
    return [
        (
            row.id,
            Entry(
                moment_of(row.at),
                row.who,
                row.how,
                row.action,
                row.subject,
                json.loads(row.details),
            ),
        )
        for row in connection.execute(statement)
    ]
