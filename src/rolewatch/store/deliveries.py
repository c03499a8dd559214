"""What is known of deliveries: those that are done, those that failed, and the notes that sources left."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from rolewatch.store.quick import among, insert_new
from rolewatch.store.schema import COUNTERS, DONE, FAILED, FOR_LAKE, NOTES, RECENT
from rolewatch.store.state import insert, parts, upsert


class Failure(NamedTuple):
    """A delivery that could not be read, or not to its end. Times in milliseconds.

    `locator` is how to find it again, if that is possible. `records` of it were whole and counted; `counted` are the
    identities of the denials among them, 16 bytes each, so that nothing counts again when it is read once more.
    """

    mark: bytes
    name: str
    source: str
    reason: str
    locator: str | None
    first: int
    last: int
    attempts: int
    records: int = 0
    counted: bytes = b""


def mark_of(identity: str) -> bytes:
    """Name a delivery's identity in 16 bytes."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()[:16]


def known(connection: sa.Connection, identities: Iterable[str]) -> set[str]:
    """Give those of some identities that are done."""
    marks = {mark_of(identity): identity for identity in identities}
    return {marks[mark] for mark in among(connection, DONE.c.mark, list(marks))}


def finish(connection: sa.Connection, until: Mapping[str, int]) -> bool:
    """Mark identities as done, each until when it is remembered (milliseconds); False if any was done already."""
    rows = sorted((mark_of(identity), moment) for identity, moment in until.items())
    return insert_new(connection, DONE, rows) == len(rows)


def keep_recent(connection: sa.Connection, locators: Mapping[str, str], at: int) -> None:
    """Remember how to find deliveries again, by their identities."""
    _keep(connection, RECENT, locators, at)


def recent(connection: sa.Connection, since: int) -> list[str]:
    """Give the locators of deliveries that were done since a moment, in order."""
    statement = sa.select(RECENT.c.locator).where(RECENT.c.at >= since).order_by(RECENT.c.at)
    return list(connection.execute(statement).scalars())


def expire_recent(connection: sa.Connection, before: int) -> None:
    """Forget how to find deliveries that were done before a moment."""
    connection.execute(sa.delete(RECENT).where(RECENT.c.at < before))


def keep_for_lake(connection: sa.Connection, locators: Mapping[str, str], at: int) -> None:
    """Remember how to find deliveries that are to go into the lake, by their identities."""
    _keep(connection, FOR_LAKE, locators, at)


def for_lake(connection: sa.Connection, number: int) -> dict[bytes, str]:
    """Give deliveries that are to go into the lake, so many at most, the oldest first: mark → locator."""
    statement = sa.select(FOR_LAKE.c.mark, FOR_LAKE.c.locator).order_by(FOR_LAKE.c.at, FOR_LAKE.c.mark)
    return {bytes(row.mark): row.locator for row in connection.execute(statement.limit(number))}


def in_lake(connection: sa.Connection, marks: Sequence[bytes]) -> None:
    """Forget deliveries that are in the lake."""
    for part in parts(marks):
        connection.execute(sa.delete(FOR_LAKE).where(FOR_LAKE.c.mark.in_(part)))


def forget(connection: sa.Connection, identities: Iterable[str]) -> None:
    """Take marks away, so that their deliveries count as not done."""
    marks = [mark_of(identity) for identity in identities]
    connection.execute(sa.delete(DONE).where(DONE.c.mark.in_(marks)))


def expire(connection: sa.Connection, now: int) -> int:
    """Forget marks whose time is over; returns how many."""
    return connection.execute(sa.delete(DONE).where(DONE.c.until < now)).rowcount


def fail(connection: sa.Connection, failures: Sequence[Failure]) -> None:
    """Remember deliveries that could not be read; one that failed before keeps the time of the first failure."""
    if not failures:
        return
    statement = insert(connection, FAILED)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["mark"],
        set_={
            "reason": new.reason,
            "last": new.last,
            "locator": new.locator,
            "attempts": FAILED.c.attempts + 1,
            "records": new.records,
            "counted": new.counted,
        },
    )
    connection.execute(statement, [failure._asdict() for failure in failures])


def failures(connection: sa.Connection) -> list[Failure]:
    """List the deliveries that failed, the latest first."""
    rows = connection.execute(sa.select(FAILED).order_by(FAILED.c.last.desc(), FAILED.c.name))
    return [Failure(*row)._replace(mark=bytes(row.mark), counted=bytes(row.counted)) for row in rows]


def take_failure(connection: sa.Connection, failure: Failure) -> bool:
    """Take away a failure that was read again; False if somebody else has read it since it was listed."""
    same = (FAILED.c.mark == failure.mark, FAILED.c.attempts == failure.attempts)
    return bool(connection.execute(sa.delete(FAILED).where(*same)).rowcount)


def failed_since(connection: sa.Connection, moment: int) -> dict[str, int]:
    """Count the deliveries of each source that failed since a moment."""
    statement = sa.select(FAILED.c.source, sa.func.count().label("number")).where(FAILED.c.last >= moment)
    return {row.source: row.number for row in connection.execute(statement.group_by(FAILED.c.source))}


def failed_number(connection: sa.Connection) -> int:
    """Count the deliveries that failed."""
    return connection.execute(sa.select(sa.func.count()).select_from(FAILED)).scalar() or 0


def expire_failures(connection: sa.Connection, before: int) -> int:
    """Forget deliveries that failed for the last time before a moment; returns how many."""
    return connection.execute(sa.delete(FAILED).where(FAILED.c.last < before)).rowcount


def note(connection: sa.Connection, source: str) -> str | None:
    """Give the note that a source left."""
    return connection.execute(sa.select(NOTES.c.note).where(NOTES.c.source == source)).scalar()


def take_note(connection: sa.Connection, name: str) -> str | None:
    """Give a note and take it away; nobody else gets it."""
    statement = sa.delete(NOTES).where(NOTES.c.source == name).returning(NOTES.c.note)
    return connection.execute(statement).scalar()


def add_to_note(connection: sa.Connection, name: str, words: Iterable[str]) -> None:
    """Add words to a note, with blanks between them."""
    text = " ".join(words)
    statement = insert(connection, NOTES).values(source=name, note=text)
    longer = NOTES.c.note + " " + statement.excluded.note
    connection.execute(statement.on_conflict_do_update(index_elements=["source"], set_={"note": longer}))


def keep_notes(connection: sa.Connection, notes: Mapping[str, str]) -> None:
    """Keep the notes of sources, in place of older ones."""
    upsert(connection, NOTES, [{"source": source, "note": text} for source, text in sorted(notes.items())])


def count(connection: sa.Connection, numbers: Mapping[str, int]) -> None:
    """Add to counters."""
    rows = [{"name": name, "value": value} for name, value in sorted(numbers.items()) if value]
    if rows:
        statement = insert(connection, COUNTERS)
        statement = statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": COUNTERS.c.value + statement.excluded.value}
        )
        connection.execute(statement, rows)


def counters(connection: sa.Connection, names: Collection[str] = ()) -> dict[str, int]:
    """Give the counters, all of them or some."""
    statement = sa.select(COUNTERS)
    if names:
        statement = statement.where(COUNTERS.c.name.in_(names))
    return {row.name: row.value for row in connection.execute(statement)}


def _keep(connection: sa.Connection, table: sa.Table, locators: Mapping[str, str], at: int) -> None:
    insert_new(
        connection,
        table,
        [(mark_of(identity), at, text) for identity, text in sorted(locators.items())],
    )
