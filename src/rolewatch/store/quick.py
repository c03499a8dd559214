"""Statements that the driver runs as they are: for what is asked and written once for each delivery, by the ten thousand.

SQLAlchemy takes several times as long as the database to look at so many values.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from rolewatch.store.state import parts


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Sequence[Any]]) -> int:
    """Write rows, their values in the order of the table's columns, but for those that are there; returns how many were new."""
    if not rows:
        return 0
    statement = _insert(connection.dialect.name, table)
    return connection.exec_driver_sql(statement, [tuple(row) for row in rows]).rowcount


def among(connection: sa.Connection, column: "sa.Column[bytes]", values: Sequence[bytes]) -> list[bytes]:
    """Give those of some values that are in a column."""
    start = f"SELECT {column.name} FROM {column.table.name} WHERE {column.name}"  # noqa: S608 - names of our own schema
    found: list[bytes] = []
    for part in parts(values):
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"{start} IN ({_places('?', len(part))})", tuple(part))
        else:
            rows = connection.exec_driver_sql(f"{start} = ANY(%s)", (part,))
        found += [bytes(value) for (value,) in rows]
    return found


@lru_cache(64)
def _insert(dialect: str, table: sa.Table) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    values = _places("?" if dialect == "sqlite" else "%s", len(table.columns))
    return f"INSERT INTO {table.name} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608 - as above


def _places(mark: str, number: int) -> str:
    return ", ".join([mark] * number)
