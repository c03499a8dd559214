"""The rows of mutes; what is in them is for the room of findings to know."""

from typing import NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import MUTES
from rolewatch.store.state import upsert


class MuteRow(NamedTuple):
    """A mute as JSON, and when it ends: in its time, and earlier if somebody ended it (milliseconds)."""

    id: str
    until: int
    ended: int | None
    body: str


def save(connection: sa.Connection, row: MuteRow) -> None:
    """Write a mute, new or changed."""
    upsert(connection, MUTES, [row._asdict()])


def active(connection: sa.Connection, now: int) -> list[MuteRow]:
    """List the mutes that hold at a moment."""
    return _rows(connection, MUTES.c.until > now, sa.or_(MUTES.c.ended.is_(None), MUTES.c.ended > now))


def ended_between(connection: sa.Connection, before: int, now: int) -> list[MuteRow]:
    """List the mutes that ended later than one moment and not later than another."""
    end = sa.func.coalesce(MUTES.c.ended, MUTES.c.until)
    return _rows(connection, end > before, end <= now)


def listed(connection: sa.Connection) -> list[MuteRow]:
    """List all mutes that are remembered."""
    return _rows(connection)


def expire(connection: sa.Connection, before: int) -> int:
    """Forget mutes that ended before a moment; returns how many."""
    return connection.execute(
        sa.delete(MUTES).where(sa.func.coalesce(MUTES.c.ended, MUTES.c.until) < before)
    ).rowcount


def _rows(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[MuteRow]:
    statement = sa.select(MUTES).where(*conditions).order_by(MUTES.c.until, MUTES.c.id)
    return [MuteRow(*row) for row in connection.execute(statement)]
