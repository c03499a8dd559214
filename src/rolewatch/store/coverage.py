"""What was read and what was not, as people ask for it: failed deliveries a page at a time, quiet accounts, letters by target."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from rolewatch.store.deliveries import Failure
from rolewatch.store.outbox import DEAD, HELD, WAITING
from rolewatch.store.schema import ACCOUNTS, FAILED, OUTBOX

_SHOWN: Final = (FAILED.c.mark, FAILED.c.name, FAILED.c.source, FAILED.c.reason, FAILED.c.locator, FAILED.c.first, FAILED.c.last, FAILED.c.attempts, FAILED.c.records)  # fmt: skip


class After(NamedTuple):
    """The failure behind which a page begins: when it failed last, and its mark."""

    last: int
    mark: bytes


class Queue(NamedTuple):
    """Letters for a target that it does not have; `name` is its URL without secrets, times in milliseconds.

    `oldest`: when the first of those that wait was made; `error`: why one of them was not taken.
    """

    name: str
    waiting: int
    held: int
    dead: int
    oldest: int | None
    error: str | None


def failures(connection: sa.Connection, after: After | None, number: int) -> list[Failure]:
    """Give so many deliveries that failed, the latest first, without the identities that were counted."""
    statement = sa.select(*_SHOWN).order_by(FAILED.c.last.desc(), FAILED.c.mark)
    if after:
        behind = sa.and_(FAILED.c.last == after.last, FAILED.c.mark > after.mark)
        statement = statement.where(sa.or_(FAILED.c.last < after.last, behind))
    rows = connection.execute(statement.limit(number))
    return [Failure(bytes(row.mark), *row[1:]) for row in rows]


def quietest(connection: sa.Connection, number: int) -> list[tuple[str, str]]:
    """Give (account, time of its latest event) of so many accounts, those first that were heard of last the longest ago."""
    statement = sa.select(ACCOUNTS).order_by(ACCOUNTS.c.last_seen, ACCOUNTS.c.account).limit(number)
    return [(row.account, row.last_seen) for row in connection.execute(statement)]


def accounts(connection: sa.Connection) -> tuple[int, str]:
    """Count the accounts of which an event was seen, and give the time of the latest event, "" if there is none."""
    row: Any = connection.execute(sa.select(sa.func.count(), sa.func.max(ACCOUNTS.c.last_seen))).one()
    return row[0], row[1] or ""


def queues(connection: sa.Connection) -> Sequence[Queue]:
    """Count the letters that their targets do not have, by target."""
    numbers = [sa.func.sum(sa.case((OUTBOX.c.state == state, 1), else_=0)) for state in (WAITING, HELD, DEAD)]
    oldest = sa.func.min(sa.case((OUTBOX.c.state == WAITING, OUTBOX.c.created)))
    statement = (
        sa.select(OUTBOX.c.name, *numbers, oldest, sa.func.max(OUTBOX.c.error))
        .where(OUTBOX.c.state.in_((WAITING, HELD, DEAD)))
        .group_by(OUTBOX.c.target, OUTBOX.c.name)
        .order_by(OUTBOX.c.name)
    )
    rows: Sequence[Any] = connection.execute(statement).all()
    return [Queue(*row) for row in rows]
