"""What is known of each SOURCE: how far its deliveries have come, and the alarms about itself that stand."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import SOURCES as S
from rolewatch.store.state import insert


class SourceRow(NamedTuple):
    """A source by its word; the columns are those of `schema.SOURCES`. Times and `lag` in milliseconds."""

    source: str
    since: int
    arrived: int | None
    newest: int | None
    lag: int | None
    alarms: str


class Came(NamedTuple):
    """What a commit tells of a source: when, the newest event in what came, and whether that tells how late it is."""

    source: str
    at: int
    newest: int | None
    live: bool


def follow(connection: sa.Connection, words: Collection[str], now: int) -> list[str]:
    """Remember since when sources are followed; returns those that never were before."""
    if not words:
        return []
    rows = [
        {"source": word, "since": now, "arrived": None, "newest": None, "lag": None, "alarms": "{}"}
        for word in sorted(words)
    ]
    statement = insert(connection, S).on_conflict_do_nothing().returning(S.c.source)
    return list(connection.execute(statement, rows).scalars())


def came(connection: sa.Connection, arrivals: Iterable[Came]) -> None:
    """Note that deliveries came, of sources that are followed."""
    for each in sorted(arrivals):
        newest: sa.ColumnElement[int | None] = S.c.newest
        if each.newest is not None:
            newest = sa.case((S.c.newest > each.newest, S.c.newest), else_=each.newest)
        lag = sa.case((newest.is_(None), None), (newest > each.at, 0), else_=each.at - newest)
        values = {"arrived": each.at, "newest": newest} | ({"lag": lag} if each.live else {})
        connection.execute(sa.update(S).where(S.c.source == each.source).values(values))


def set_lag(connection: sa.Connection, source: str, lag: int | None) -> None:
    """Set how late the deliveries of a source are; None where that is not known."""
    connection.execute(sa.update(S).where(S.c.source == source).values(lag=lag))


def rows(connection: sa.Connection, words: Collection[str] | None = None) -> list[SourceRow]:
    """Give what is known of some sources, or of all."""
    statement = sa.select(S).order_by(S.c.source)
    if words is not None:
        statement = statement.where(S.c.source.in_(words))
    return [SourceRow(*row) for row in connection.execute(statement)]


def locked(connection: sa.Connection, word: str) -> SourceRow | None:
    """Give what is known of a source whose alarms are about to be changed; other writers wait."""
    row = connection.execute(sa.select(S).where(S.c.source == word).with_for_update()).first()
    return SourceRow(*row) if row else None


def keep_alarms(connection: sa.Connection, word: str, alarms: str) -> None:
    """Keep the alarms that stand about a source, in place of earlier ones."""
    connection.execute(sa.update(S).where(S.c.source == word).values(alarms=alarms))
