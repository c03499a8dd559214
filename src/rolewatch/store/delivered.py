"""The days of which log files of a trail came, by account and Region; and the days between that are missing."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import days_between
from rolewatch.store.schema import DELIVERED as T
from rolewatch.store.state import insert

Folder = tuple[str, str, str]  # account, Region, day: a folder of the layout in which CloudTrail delivers


class Gap(NamedTuple):
    """An account and Region of which log files came, of `first` and of `last` and of days between, but not of `missing` ones."""

    account: str
    region: str
    first: str
    last: str
    missing: Sequence[str]


def add(connection: sa.Connection, numbers: Mapping[Folder, int]) -> None:
    """Count log files that came."""
    if not numbers:
        return
    statement = insert(connection, T)
    more = {"number": T.c.number + statement.excluded.number}
    rows = [
        {"account": account, "region": region, "day": day, "number": number}
        for (account, region, day), number in sorted(numbers.items())
    ]
    keys = ["account", "region", "day"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=more), rows)


def folders(connection: sa.Connection, since: str) -> int:
    """Count the accounts and Regions of which log files of a day or a later one came."""
    each = sa.select(T.c.account, T.c.region).where(T.c.day >= since).distinct().subquery()
    return connection.execute(sa.select(sa.func.count()).select_from(each)).scalar() or 0


def gaps(connection: sa.Connection, since: str, number: int) -> tuple[list[Gap], int]:
    """Give so many accounts and Regions with days missing between others, from a day on, the latest first; and how many there are."""
    place = (T.c.account, T.c.region)
    statement = (
        sa.select(*place, sa.func.min(T.c.day), sa.func.max(T.c.day), sa.func.count())
        .where(T.c.day >= since)
        .group_by(*place)
    )
    rows: Sequence[Any] = connection.execute(statement).all()
    lacking = [row for row in rows if _days(row[2], row[3]) > row[4]]
    lacking.sort(key=lambda row: (row[0], row[1]))
    lacking.sort(key=lambda row: row[3], reverse=True)
    found = []
    for account, region, first, last, _ in lacking[:number]:
        there = sa.select(T.c.day).where(T.c.account == account, T.c.region == region, T.c.day >= since)
        known = set(connection.execute(there).scalars())
        missing = [day for day in days_between(first, last) if day not in known]
        found.append(Gap(account, region, first, last, missing))
    return found, len(lacking)


def expire(connection: sa.Connection, before: str) -> int:
    """Forget the days before one; returns how many rows that were."""
    return connection.execute(sa.delete(T).where(T.c.day < before)).rowcount


def _days(first: str, last: str) -> int:
    """Count the days from the first to the last one, these included; 0 where one of them is none: folder names can lie."""
    try:
        return (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    except ValueError:
        return 0
