"""What is out of reach, counted: by service and account, by day, and of late. No document is read to count.

A finding is blind if it is blocked or silent, and of a severity: what does no harm has none (`findings/severity.py`).
"""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.store.finding_lists import unindexed
from rolewatch.store.schema import FINDINGS as F
from rolewatch.store.state import parts

BLIND: Final = ("blocked", "silent")
HARM: Final = 1  # the least severity, as an index of LEVELS, of what leaves somebody blind

Pair = tuple[str, str]  # service, account


class Cell(NamedTuple):
    """How much of an account is out of a service's reach.

    `place`: the greatest of what is blocked, twice the severity and 1 for a security service (`schema.FINDINGS`), -1 for
    nothing; `since`: when the first denial was of what is blocked, else of what is silent, "" if that is not known.
    """

    service: str
    account: str
    blocked: int
    silent: int
    place: int
    security: bool
    since: str


class Latest(NamedTuple):
    """How many findings there are of a kind, and the ids of the latest of them."""

    total: int
    ids: Sequence[str]


def cells(
    connection: sa.Connection, pairs: Collection[Pair] | None = None, *, seek: bool = False
) -> dict[Pair, Cell]:
    """Count what is blind by service and account: everywhere, or for some pairs of these.

    `seek` looks these up one by one, which is quicker as long as they have few findings.
    """
    status = unindexed(connection, F.c.status)
    # Everywhere: in the order of the index that begins with these.
    service: sa.ColumnElement[str] = F.c.service
    account: sa.ColumnElement[str] = F.c.account
    if pairs is not None:
        service, account = unindexed(connection, service), unindexed(connection, account)
    blocked, known = F.c.status == "blocked", sa.func.nullif(F.c.first_denied, "")
    statement = (
        sa.select(
            service.label("service"),
            account.label("account"),
            sa.func.sum(sa.case((blocked, 1), else_=0)),
            sa.func.sum(sa.case((blocked, 0), else_=1)),
            sa.func.max(sa.case((blocked, F.c.place), else_=-1)),
            sa.func.max(F.c.place % 2),
            sa.func.min(sa.case((blocked, known))),
            sa.func.min(known),
        )
        .where(status.in_(BLIND), F.c.severity >= HARM)
        .group_by(sa.text("1"), sa.text("2"))
    )
    asked = [statement]
    if pairs is not None:
        among = _sought if seek else partial(_among, service, account)
        asked = [statement.where(among(part)) for part in parts(sorted(pairs))]
    found: dict[Pair, Cell] = {}
    for each in asked:
        for name, owner, many, silent, place, security, first, earlier in connection.execute(each):
            since = (first if many else earlier) or ""
            found[name, owner] = Cell(name, owner, many, silent, place, bool(security), since)
    return found


def total(connection: sa.Connection) -> int:
    """Count the findings that are blind."""
    statement = sa.select(sa.func.count()).where(
        unindexed(connection, F.c.status).in_(BLIND), F.c.severity >= HARM
    )
    return connection.execute(statement).scalar() or 0


def resources(connection: sa.Connection) -> int:
    """Count the resources that are blocked, each once."""
    statement = sa.select(sa.func.count(sa.distinct(F.c.resource))).where(
        unindexed(connection, F.c.status) == "blocked", F.c.severity >= HARM
    )
    return connection.execute(statement).scalar() or 0


def written(connection: sa.Connection, since: int, number: int) -> set[Pair] | None:
    """Say of which services and accounts findings were written at a moment or later; None for more findings than so many."""
    statement = sa.select(F.c.service, F.c.account).where(F.c.changed >= since).limit(number + 1)
    rows = connection.execute(statement).all()
    return None if len(rows) > number else {(row.service, row.account) for row in rows}


def began(connection: sa.Connection, since: str) -> dict[str, int]:
    """Count findings by the day of their first denial, from a day (`YYYY-MM-DD`) on, whatever has become of them."""
    return _by_day(connection, F.c.first_denied, since)


def ended(connection: sa.Connection, since: str) -> dict[str, int]:
    """Count the findings that are over by the day on which they ended, from a day (`YYYY-MM-DD`) on."""
    return _by_day(connection, F.c.ended, since)


def newest_began(connection: sa.Connection, since: str, number: int) -> Latest:
    """Give the findings whose first denial was at a time or later, the latest first."""
    conditions = (F.c.first_denied >= since, F.c.severity >= HARM)
    return _latest(connection, conditions, F.c.first_denied, number)


def newest_ended(connection: sa.Connection, status: str, since: str, number: int) -> Latest:
    """Give the findings that recovered, or of which the resource went (`status`: recovered, gone), since a time."""
    conditions = (F.c.ended >= since, F.c.status == status, F.c.severity >= HARM)
    return _latest(connection, conditions, F.c.ended, number)


def fell_silent(connection: sa.Connection, since: str, until: str, number: int) -> Latest:
    """Give the silent findings that were last denied between two times, the latest first."""
    conditions = (F.c.status == "silent", F.c.last_denied.between(since, until), F.c.severity >= HARM)
    return _latest(connection, conditions, F.c.last_denied, number)


def documents(connection: sa.Connection, ids: Collection[str]) -> dict[str, str]:
    """Give the documents of some findings, by id."""
    statement = sa.select(F.c.id, F.c.document).where(F.c.id.in_(sorted(ids)))
    return {row.id: row.document for row in connection.execute(statement)}


def _by_day(connection: sa.Connection, time: sa.ColumnElement[str], since: str) -> dict[str, int]:
    day = sa.func.substr(time, 1, 10)
    statement = sa.select(day.label("day"), sa.func.count().label("number"))
    rows = connection.execute(statement.where(time >= since, F.c.severity >= HARM).group_by(sa.text("1")))
    return {row.day: row.number for row in rows}


def _latest(
    connection: sa.Connection,
    conditions: Sequence[sa.ColumnElement[bool]],
    by: "sa.Column[str]",
    number: int,
) -> Latest:
    statement = sa.select(F.c.id, sa.func.count().over().label("total")).where(*conditions)
    rows = connection.execute(statement.order_by(by.desc(), F.c.id).limit(number)).all()
    return Latest(rows[0].total if rows else 0, [row.id for row in rows])


def _among(
    service: sa.ColumnElement[str], account: sa.ColumnElement[str], pairs: Collection[Pair]
) -> sa.ColumnElement[bool]:
    return sa.tuple_(service, account).in_(pairs)


def _sought(pairs: Collection[Pair]) -> sa.ColumnElement[bool]:
    """Say the same so that each pair is looked up in the index of services."""
    return sa.or_(*(sa.and_(F.c.account == account, F.c.service == service) for service, account in pairs))
