"""Lists of findings: filtered, searched, in an order, a page at a time, and counted in groups.

All that a list asks for is in one index (`schema.FINDINGS`), so that a million rows need not be looked at to find a hundred.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from rolewatch.store.schema import FINDINGS as F
from rolewatch.store.state import parts

_ID: Final = re.compile("[0-9a-fA-F]{6,16}")  # the beginning of an id that somebody looks for
_PLUS: Final = custom_op[str]("+")
#: Orders by name: the columns that decide, each with whether the greatest comes first; the id decides between equals.
ORDERS: Final[Mapping[str, tuple[tuple[str, bool], ...]]] = {
    "worst": (("place", True), ("last_denied", True)),
    "latest": (("last_denied", True),),
    "newest": (("first_denied", True),),
    "resource": (("resource", False),),
    "account": (("account", False), ("resource", False)),
    "service": (("service", False), ("resource", False)),
}
#: By what findings can be counted in groups.
GROUPS: Final = ("service", "account", "cause", "change", "verdict", "status", "severity")
_COLUMNS: Final = {"change": "blamed"}  # the others are called as what they hold


class Listed(NamedTuple):
    """What a list shows of a finding. `marks`: the values by which it stands where it does, its id last."""

    id: str
    life: str
    document: str
    marks: tuple[str | int, ...]


class Wanted(NamedTuple):
    """Which findings a list holds; empty means all. `after` are the marks of the one before.

    `text` is sought in the resource, at the beginning of the account and the id; `named` are services that are meant by it too.
    """

    statuses: Sequence[str] = ()
    services: Sequence[str] = ()
    accounts: Sequence[str] = ()
    severity: int = 0
    after: tuple[str | int, ...] | None = None
    verdicts: Sequence[str] = ()
    text: str = ""
    order: str = "worst"
    causes: Sequence[str] = ()
    changes: Sequence[str] = ()
    named: Sequence[str] = ()


def page(connection: sa.Connection, wanted: Wanted, number: int) -> list[Listed]:
    """Give so many findings of a list, in its order."""
    order = ORDERS[wanted.order]
    columns = [F.c[name] for name, _ in order]
    statement = sa.select(*columns, F.c.id).where(*_conditions(connection, wanted))
    if wanted.after:
        statement = statement.where(_behind(order, wanted.after))
    ordered = [F.c[name].desc() if down else F.c[name] for name, down in order]
    marks = {
        row[-1]: tuple(row) for row in connection.execute(statement.order_by(*ordered, F.c.id).limit(number))
    }
    found: dict[str, Listed] = {}
    for part in parts(marks):
        rows = sa.select(F.c.id, F.c.life, F.c.document).where(F.c.id.in_(part))
        found |= {row.id: Listed(*row, marks[row.id]) for row in connection.execute(rows)}
    return [found[name] for name in marks if name in found]


def count(connection: sa.Connection, wanted: Wanted) -> int:
    """Count the findings of a list, whatever page is shown."""
    statement = sa.select(sa.func.count()).select_from(F).where(*_conditions(connection, wanted))
    return connection.execute(statement).scalar() or 0


class Tallied(NamedTuple):
    """How many findings of a service there are in an account, by status, and the worst severity of those blocked or silent."""

    service: str
    account: str
    blocked: int
    silent: int
    recovered: int
    gone: int
    severity: int

    @property
    def findings(self) -> int:
        """How many there are in all."""
        return self.blocked + self.silent + self.recovered + self.gone


def tallied(connection: sa.Connection, wanted: Wanted) -> list[Tallied]:
    """Count the findings of a list by service and account, in one pass over the index that begins with these."""
    number = [
        sa.func.sum(sa.case((F.c.status == status, 1), else_=0))
        for status in ("blocked", "silent", "recovered", "gone")
    ]
    worst = sa.func.max(sa.case((F.c.status.in_(("blocked", "silent")), F.c.severity), else_=0))
    pair = (F.c.service, F.c.account)
    statement = sa.select(*pair, *number, worst).where(*_conditions(connection, wanted)).group_by(*pair)
    return [Tallied._make(row) for row in connection.execute(statement)]


def grouped(
    connection: sa.Connection, wanted: Wanted, by: Collection[str]
) -> list[tuple[tuple[str | int, ...], int]]:
    """Count the findings of a list by the values of some of GROUPS: (values, how many)."""
    # As expressions, for SQLite would rather look up each row by the index of one of them.
    columns: list[sa.ColumnElement[Any]] = [
        unindexed(connection, F.c[_COLUMNS.get(name, name)]) for name in by
    ]
    statement = (
        sa.select(*columns, sa.func.count()).where(*_conditions(connection, wanted)).group_by(*columns)
    )
    return [(tuple(row[:-1]), row[-1]) for row in connection.execute(statement)]


def documents(connection: sa.Connection, changes: Sequence[str]) -> dict[str, str]:
    """Give the document of one finding for each of some changes of policies, by their event ids."""
    found: dict[str, str] = {}
    for part in parts(changes):
        one = sa.select(sa.func.min(F.c.id)).where(F.c.blamed.in_(part)).group_by(F.c.blamed)
        rows = sa.select(F.c.blamed, F.c.document).where(F.c.id.in_(one))
        found |= {row.blamed: row.document for row in connection.execute(rows)}
    return found


def changed(connection: sa.Connection, since: int, number: int) -> list[tuple[str, int]]:
    """Give (id, when) of findings that were written at a moment or later, the latest first, so many at most."""
    statement = (
        sa.select(F.c.id, F.c.changed).where(F.c.changed >= since).order_by(F.c.changed.desc(), F.c.id)
    )
    return [(row.id, row.changed) for row in connection.execute(statement.limit(number))]


def newest(connection: sa.Connection) -> int:
    """Say when a finding was written last; 0 where there is none."""
    return connection.execute(sa.select(sa.func.max(F.c.changed))).scalar() or 0


def _behind(order: Sequence[tuple[str, bool]], marks: Sequence[str | int]) -> sa.ColumnElement[bool]:
    """Say that a finding comes behind the one that has these marks."""
    names = (*order, ("id", False))
    found: list[sa.ColumnElement[bool]] = []
    for place, (name, down) in enumerate(names):
        same = [F.c[other] == mark for (other, _), mark in zip(names[:place], marks, strict=False)]
        found.append(sa.and_(*same, F.c[name] < marks[place] if down else F.c[name] > marks[place]))
    first, down = names[0]
    return sa.and_(  # the second says it once more in a way that an index can begin with
        sa.or_(*found), F.c[first] <= marks[0] if down else F.c[first] >= marks[0]
    )


def _conditions(connection: sa.Connection, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    for column, values in (
        (F.c.status, wanted.statuses),
        (F.c.service, wanted.services),
        (F.c.account, wanted.accounts),
        (F.c.verdict, wanted.verdicts),
        (F.c.cause, wanted.causes),
        (F.c.blamed, wanted.changes),
    ):
        if values:
            found.append(unindexed(connection, column).in_(values))
    if wanted.severity:
        found.append(F.c.severity >= wanted.severity)
    if wanted.text:
        found.append(_sought(connection, wanted))
    return found


def _sought(connection: sa.Connection, wanted: Wanted) -> sa.ColumnElement[bool]:
    text, resource = wanted.text, F.c.resource
    # SQLite's LIKE and its lower() know the case of the same letters, and lower() takes its time.
    contains = resource.contains if connection.dialect.name == "sqlite" else resource.icontains
    ways = [contains(text, autoescape=True)]
    if text.isascii() and text.isdigit():
        ways.append(unindexed(connection, F.c.account).startswith(text))
    if _ID.fullmatch(text):
        ways.append(F.c.id.startswith(text.lower()))
    if wanted.named:
        ways.append(unindexed(connection, F.c.service).in_(wanted.named))
    return sa.or_(*ways)


def unindexed(connection: sa.Connection, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Keep SQLite from looking at every row of a status or service: all that lists ask for is in one index."""
    return column if connection.dialect.name != "sqlite" else UnaryExpression(column, operator=_PLUS)
