"""Notifications on their way: put in with the change that they tell of, taken out when their target has them."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from rolewatch.store.schema import OUTBOX as O
from rolewatch.store.state import insert, parts

WAITING: Final = "waiting"
SENT: Final = "sent"
DEAD: Final = "dead"
HELD: Final = "held"  # beyond the rate of its target: it goes into a summary
MERGED: Final = "merged"  # it went into one


_LOCK: Final = 0x6F757462  # the kind of PostgreSQL's advisory locks of targets


class Letter(NamedTuple):
    """One notification for one target. `target` is a digest of its URL, `name` the URL without secrets. Times in milliseconds.

    `incident` is the notification's `dedup_key`.
    """

    id: str
    target: str
    name: str
    kind: str
    body: bytes
    state: str
    created: int
    due: int
    attempts: int
    error: str | None
    incident: str


def claim(connection: sa.Connection, target: str) -> None:
    """Make others wait who want to say what a target is to be sent, until this transaction is through; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        place = int(target[:7], 16) if all(each in "0123456789abcdef" for each in target[:7]) else 0
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, place)))


def earlier_due(connection: sa.Connection, letter: Letter, besides: Sequence[str]) -> int | None:
    """Say when the last letter is due that was made before this one, of the same incident, and still waits; None if none does.

    `besides`: ids of those that do not count, as they are on their way.
    """
    statement = sa.select(sa.func.max(O.c.due)).where(
        O.c.target == letter.target,
        O.c.state == WAITING,
        O.c.incident == letter.incident,
        O.c.id.not_in([letter.id, *besides]),
        O.c.created <= letter.created,
    )
    return connection.execute(statement).scalar()


def put(connection: sa.Connection, letters: Sequence[Letter]) -> None:
    """Add letters; what is there already, from before a crash, stays as it is."""
    if letters:
        rows = [letter._asdict() for letter in sorted(letters, key=lambda letter: letter[:2])]
        connection.execute(insert(connection, O).on_conflict_do_nothing(), rows)


def take(connection: sa.Connection, target: str, now: int, until: int, number: int) -> list[Letter]:
    """Give the letters that are due for a target, the oldest first, and put off until when nobody else takes them."""
    statement = (
        sa.select(O)
        .where(O.c.state == WAITING, O.c.target == target, O.c.due <= now)
        .order_by(O.c.due, O.c.created, O.c.id)
        .limit(number)
        .with_for_update(skip_locked=True)
    )
    letters = [_letter(row) for row in connection.execute(statement)]
    for letter in letters:
        settle(connection, letter._replace(due=until))
    return letters


def settle(connection: sa.Connection, letter: Letter) -> None:
    """Write down what has become of a letter."""
    connection.execute(
        sa.update(O)
        .where(O.c.id == letter.id, O.c.target == letter.target)
        .values(state=letter.state, due=letter.due, attempts=letter.attempts, error=letter.error)
    )


def held(connection: sa.Connection, target: str, ids: Sequence[str]) -> list[Letter]:
    """Give letters that are held back for a target, in the order of their ids as named."""
    statement = sa.select(O).where(O.c.target == target, O.c.state == HELD, O.c.id.in_(ids))
    found = {row.id: _letter(row) for row in connection.execute(statement)}
    return [found[name] for name in ids if name in found]


def next_due(connection: sa.Connection, target: str) -> int | None:
    """Say when the next letter for a target is due; None if none waits."""
    statement = sa.select(sa.func.min(O.c.due)).where(O.c.state == WAITING, O.c.target == target)
    return connection.execute(statement).scalar()


def latest_created(connection: sa.Connection, target: str) -> int | None:
    """Say when the latest letter that waits for a target was made; None if none waits."""
    statement = sa.select(sa.func.max(O.c.created)).where(O.c.state == WAITING, O.c.target == target)
    return connection.execute(statement).scalar()


def hasten(connection: sa.Connection, target: str, now: int) -> None:
    """Have all letters that wait for a target sent now, as if they had been made now where they are of a later time."""
    statement = sa.update(O).where(O.c.state == WAITING, O.c.target == target, O.c.due > now)
    created = sa.case((O.c.created > now, now), else_=O.c.created)
    connection.execute(statement.values(due=now, created=created))


def bury(connection: sa.Connection, targets: Sequence[str], reason: str) -> int:
    """Give up letters for other targets than these, which are not configured any more; returns how many."""
    statement = sa.update(O).where(O.c.state.in_((WAITING, HELD)), O.c.target.not_in(targets))
    return connection.execute(statement.values(state=DEAD, error=reason)).rowcount


def listed(connection: sa.Connection, states: Sequence[str], number: int = 1000) -> list[Letter]:
    """List letters of some states, the latest first."""
    statement = (
        sa.select(O)
        .where(O.c.state.in_(states))
        .order_by(O.c.created.desc(), O.c.id, O.c.target)
        .limit(number)
    )
    return [_letter(row) for row in connection.execute(statement)]


def fates(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Say of letters by their ids what has become of each: pairs of the target's URL without secrets, and the state."""
    found: dict[str, list[tuple[str, str]]] = {}
    for part in parts(sorted(set(ids))):
        statement = sa.select(O.c.id, O.c.name, O.c.state).where(O.c.id.in_(part))
        for row in connection.execute(statement.order_by(O.c.name, O.c.target)):
            found.setdefault(row.id, []).append((row.name, row.state))
    return found


def counts(connection: sa.Connection) -> dict[str, int]:
    """Count the letters by state."""
    statement = sa.select(O.c.state, sa.func.count().label("number")).group_by(O.c.state)
    return {row.state: row.number for row in connection.execute(statement)}


def expire(connection: sa.Connection, before: int) -> int:
    """Forget letters that were sent before a moment; returns how many."""
    return connection.execute(
        sa.delete(O).where(O.c.state.in_((SENT, MERGED)), O.c.created < before)
    ).rowcount


def _letter(row: Any) -> Letter:
    return Letter(*row[:])._replace(body=bytes(row.body))
