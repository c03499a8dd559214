"""Queries that people saved in the dashboard, by their names."""

from typing import NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import SAVED
from rolewatch.store.state import upsert


class SavedRow(NamedTuple):
    """A query, who saved it, and when (milliseconds since 1970)."""

    name: str
    query: str
    by: str
    at: int


def listed(connection: sa.Connection) -> list[SavedRow]:
    """List all queries, by their names."""
    return [SavedRow(*row) for row in connection.execute(sa.select(SAVED).order_by(SAVED.c.name))]


def one(connection: sa.Connection, name: str) -> SavedRow | None:
    """Give the query of a name; None if there is none."""
    row = connection.execute(sa.select(SAVED).where(SAVED.c.name == name)).one_or_none()
    return None if row is None else SavedRow(*row)


def save(connection: sa.Connection, row: SavedRow) -> None:
    """Write a query, new or in the place of another one of that name."""
    upsert(connection, SAVED, [row._asdict()])


def count(connection: sa.Connection) -> int:
    """Count the queries."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(SAVED)).scalar_one())


def remove(connection: sa.Connection, name: str) -> bool:
    """Forget a query; False if there was none of that name."""
    return connection.execute(sa.delete(SAVED).where(SAVED.c.name == name)).rowcount > 0
