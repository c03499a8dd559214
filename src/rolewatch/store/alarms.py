"""Alarms of templates: the state that each is in, what they did, and how far evaluation has come.

Times are in seconds since 1970. What is in the rows is for those to know who evaluate.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from rolewatch.store import deliveries, log_alarms
from rolewatch.store.schema import ALARMS as A
from rolewatch.store.schema import LOG_ALARMS
from rolewatch.store.schema import TRANSITIONS as T
from rolewatch.store.state import upsert

ITSELF: Final = b""  # in place of a contributor: the alarm's own changes
EVALUATED: Final = "alarms-evaluated"  # the note that says until when alarms were evaluated
_LONGEST: Final = 30 * 86_400  # seconds that a query looks back
_LOCK: Final = 0x616C726D  # PostgreSQL's advisory lock of whoever evaluates


class AlarmRow(NamedTuple):
    """An alarm as it is now; the columns are those of `schema.ALARMS`."""

    name: str
    kind: str
    arn: str
    description: str | None
    digest: bytes
    created: int
    updated: int
    state: str
    since: int
    reason: str
    reason_data: str | None
    open: bool
    definition: str | None = None


class TransitionRow(NamedTuple):
    """A change of state, of an alarm or of one of its contributors; the columns are those of `schema.TRANSITIONS`."""

    alarm: str
    time: int
    before: str
    after: str
    reason: str
    reason_data: str | None
    actions: str
    acted: int | None
    suppressed_by: str | None
    waiting: bool
    notification: str | None
    contributor: bytes = ITSELF
    attributes: str | None = None
    lines: str | None = None


_COLUMNS: Final = [T.c[name] for name in TransitionRow._fields]


def alarm_states(connection: sa.Connection) -> list[AlarmRow]:
    """List the alarms, those that ring first."""
    order = (sa.case((A.c.state == "ALARM", 0), (A.c.state == "INSUFFICIENT_DATA", 1), else_=2), A.c.name)
    return [
        AlarmRow(*row)._replace(digest=bytes(row.digest))
        for row in connection.execute(sa.select(A).order_by(*order))
    ]


def evaluated(connection: sa.Connection) -> int | None:
    """Say until when alarms were evaluated, None if they never were."""
    text = deliveries.note(connection, EVALUATED)
    return int(text) if text else None


def keep_evaluated(connection: sa.Connection, until: int) -> None:
    """Remember until when alarms were evaluated."""
    deliveries.keep_notes(connection, {EVALUATED: str(until)})


def claim(connection: sa.Connection) -> bool:
    """Claim the evaluation for this transaction; False if another watcher of the same state is at it."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))).scalar())


def save(connection: sa.Connection, rows: Sequence[AlarmRow]) -> None:
    """Write alarms, new or known."""
    upsert(connection, A, [row._asdict() for row in rows])


def forget(connection: sa.Connection, names: Iterable[str]) -> None:
    """Take alarms away, with all that they did."""
    for name in names:
        connection.execute(sa.delete(A).where(A.c.name == name))
        connection.execute(sa.delete(T).where(T.c.alarm == name))
        connection.execute(sa.delete(LOG_ALARMS).where(LOG_ALARMS.c.alarm == name))


def record(connection: sa.Connection, rows: Sequence[TransitionRow]) -> None:
    """Write changes of state, new or known."""
    upsert(connection, T, [row._asdict() for row in rows])


def waiting(connection: sa.Connection) -> list[TransitionRow]:
    """List the changes that may still invoke actions, the oldest first."""
    return _transitions(
        connection, sa.select(*_COLUMNS).where(T.c.waiting).order_by(T.c.time, T.c.alarm, T.c.contributor)
    )


def since(connection: sa.Connection, alarm: str, time: int) -> list[TransitionRow]:
    """List the changes of an alarm itself from a time on, in order."""
    statement = sa.select(*_COLUMNS).where(T.c.alarm == alarm, T.c.contributor == ITSELF, T.c.time >= time)
    return _transitions(connection, statement.order_by(T.c.time))


def history(
    connection: sa.Connection,
    alarm: str | None = None,
    number: int = 100,
    after: tuple[int, str, bytes] | None = None,
) -> list[TransitionRow]:
    """List the latest changes, of one alarm or of all, with those of contributors, the latest first.

    Only those behind one in this order, by its time, alarm and contributor, if it is given.
    """
    statement = sa.select(*_COLUMNS)
    if alarm is not None:
        statement = statement.where(T.c.alarm == alarm)
    if after is not None:
        time, name, contributor = after
        later = sa.or_(T.c.alarm > name, sa.and_(T.c.alarm == name, T.c.contributor > contributor))
        statement = statement.where(sa.or_(T.c.time < time, sa.and_(T.c.time == time, later)))
    return _transitions(
        connection, statement.order_by(T.c.time.desc(), T.c.alarm, T.c.contributor).limit(number)
    )


def changes(
    connection: sa.Connection, since: int, alarm: str | None = None, number: int = 50_000
) -> list[tuple[str, int, str, str]]:
    """List the latest changes of alarms themselves after a time, in order: alarm, time, state before, state after."""
    statement = sa.select(T.c.alarm, T.c.time, T.c.before, T.c.after)
    statement = statement.where(T.c.contributor == ITSELF, T.c.time > since)
    if alarm is not None:
        statement = statement.where(T.c.alarm == alarm)
    found = connection.execute(statement.order_by(T.c.time.desc()).limit(number))
    return sorted(tuple(row) for row in found)


def one(connection: sa.Connection, name: str) -> AlarmRow | None:
    """Find an alarm by its name."""
    row = connection.execute(sa.select(A).where(A.c.name == name)).first()
    return None if row is None else AlarmRow(*row)._replace(digest=bytes(row.digest))


def newest(connection: sa.Connection) -> int:
    """Say when an alarm changed last (seconds since 1970); 0 if none ever did."""
    return connection.execute(sa.select(sa.func.max(T.c.time))).scalar() or 0


def expire(connection: sa.Connection, before: int) -> int:
    """Forget changes before a time that wait for nothing, and records that no query can look at; returns how many changes."""
    log_alarms.expire_all(connection, (before - _LONGEST) * 1000)
    return connection.execute(sa.delete(T).where(T.c.time < before, ~T.c.waiting)).rowcount


def _transitions(connection: sa.Connection, statement: "sa.Select[Any]") -> list[TransitionRow]:
    found = [TransitionRow(*row) for row in connection.execute(statement)]
    return [row._replace(contributor=bytes(row.contributor)) for row in found]
