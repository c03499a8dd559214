"""Log alarms of templates: the records that their queries look at, and what evaluating them has left.

What is in the fields and in the memory is for those to know who evaluate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import LOG_ALARMS, LOG_RECORDS
from rolewatch.store.state import insert, upsert

_R = LOG_RECORDS.c


class Record(NamedTuple):
    """How often a record counts for a query; the columns are those of `schema.LOG_RECORDS`."""

    query: bytes
    time: int
    digest: bytes
    seen: int
    number: int
    fields: bytes
    message: bytes | None = None


class LogAlarmRow(NamedTuple):
    """What there is of a log alarm; the columns are those of `schema.LOG_ALARMS`."""

    alarm: str
    digest: bytes
    memory: bytes


def add(connection: sa.Connection, records: Iterable[Record]) -> None:
    """Add records to those that are kept."""
    statement = insert(connection, LOG_RECORDS)
    statement = statement.on_conflict_do_update(
        index_elements=["query", "time", "digest", "seen"],
        set_={"number": _R.number + statement.excluded.number},
    )
    rows = [
        each._asdict() for each in sorted(records)
    ]  # in one order, so that writers never wait for each other
    if rows:
        connection.execute(statement, rows)


def load(connection: sa.Connection, query: bytes, since: int, before: int) -> list[Record]:
    """Give the records of a query in `since <= time < before` (milliseconds), in order, without their messages."""
    columns = [_R[name] for name in Record._fields if name != "message"]
    statement = sa.select(*columns).where(_R.query == query, _R.time >= since, _R.time < before)
    return _records(connection.execute(statement.order_by(_R.time, _R.digest, _R.seen)))


def newest(
    connection: sa.Connection, query: bytes, within: tuple[int, int], run: int, number: int
) -> list[bytes]:
    """Give the messages of so many records of a query in `since <= time < before`, seen at a run (seconds), the newest first."""
    since, before = within
    statement = sa.select(_R.message, _R.number).where(_R.query == query, _R.time >= since, _R.time < before)
    statement = statement.where(_R.seen <= run, _R.message.is_not(None))
    statement = statement.order_by(_R.time.desc(), _R.digest.desc()).limit(number)
    found = [bytes(message) for message, times in connection.execute(statement) for _ in range(times)]
    return found[:number]


def show(connection: sa.Connection, after: int) -> None:
    """Let all that comes see at once what was not to be seen before a time `after` (seconds)."""
    statement = sa.delete(LOG_RECORDS).where(_R.seen > after)
    found = _records(connection.execute(statement.returning(*(_R[name] for name in Record._fields))))
    add(connection, (each._replace(seen=0) for each in found))


def expire(connection: sa.Connection, before: Mapping[bytes, int]) -> None:
    """Forget the records of each query before a time (milliseconds)."""
    for query, time in sorted(before.items()):
        connection.execute(sa.delete(LOG_RECORDS).where(_R.query == query, _R.time < time))


def expire_all(connection: sa.Connection, before: int) -> None:
    """Forget all records before a time (milliseconds), also of queries that nobody evaluates any more."""
    expire(connection, dict.fromkeys(_queries(connection), before))


def forget(connection: sa.Connection, known: Iterable[bytes]) -> None:
    """Forget the records of all queries but those that are known."""
    for query in set(_queries(connection)).difference(known):
        connection.execute(sa.delete(LOG_RECORDS).where(_R.query == query))


def memories(connection: sa.Connection) -> dict[str, LogAlarmRow]:
    """Give what there is of log alarms, by their names."""
    rows = (LogAlarmRow(*row) for row in connection.execute(sa.select(LOG_ALARMS)))
    return {row.alarm: LogAlarmRow(row.alarm, bytes(row.digest), bytes(row.memory)) for row in rows}


def save(connection: sa.Connection, rows: Sequence[LogAlarmRow]) -> None:
    """Write what there is of log alarms, new or known."""
    upsert(connection, LOG_ALARMS, [row._asdict() for row in rows])


def _queries(connection: sa.Connection) -> Iterator[bytes]:
    """Yield the queries of which records are kept, from one to the next, without a look at each record."""
    first = sa.select(_R.query).order_by(_R.query).limit(1)
    found = connection.execute(first).scalar()
    while found is not None:
        yield bytes(found)
        found = connection.execute(first.where(_R.query > found)).scalar()


def _records(rows: Iterable[Any]) -> list[Record]:
    found = (Record(*row) for row in rows)
    return [
        Record(
            bytes(each.query), each.time, bytes(each.digest), each.seen, each.number, bytes(each.fields),
            None if each.message is None else bytes(each.message),
        )
        for each in found
    ]  # fmt: skip
