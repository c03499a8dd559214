"""The latest event of each account: how far its records have come."""

from collections.abc import Mapping

import sqlalchemy as sa

from rolewatch.store.schema import ACCOUNTS
from rolewatch.store.state import insert


def advance(connection: sa.Connection, last_seen: Mapping[str, str]) -> dict[str, str]:
    """Take in the latest events of accounts; returns for these accounts what is latest now."""
    if not last_seen:
        return {}
    statement = insert(connection, ACCOUNTS)
    new = statement.excluded.last_seen
    latest = sa.case((new > ACCOUNTS.c.last_seen, new), else_=ACCOUNTS.c.last_seen)
    statement = statement.on_conflict_do_update(index_elements=["account"], set_={"last_seen": latest})
    rows = [{"account": account, "last_seen": time} for account, time in sorted(last_seen.items())]
    connection.execute(statement, rows)
    return last_events(connection, list(last_seen))


def last_events(connection: sa.Connection, accounts: list[str] | None = None) -> dict[str, str]:
    """Give the time of the latest event of some accounts, or of all."""
    statement = sa.select(ACCOUNTS)
    if accounts is not None:
        statement = statement.where(ACCOUNTS.c.account.in_(accounts))
    return {row.account: row.last_seen for row in connection.execute(statement)}
