"""The schema's versions: a state made by an older rolewatch is brought up to date, and keeps all it knows."""

from collections.abc import Callable, Mapping
from typing import Final

import sqlalchemy as sa

from rolewatch.base.errors import CannotDo
from rolewatch.store.schema import META, METADATA
from rolewatch.store.state import State, insert

VERSION: Final = 2
_NAME: Final = "schema"
_LOCK: Final = 0x726F6C65  # PostgreSQL's advisory lock of whoever changes the schema

Step = Callable[[sa.Connection], None]


def prepare(state: State) -> None:
    """Make the tables where there are none, and bring older ones up to date; CannotDo for those of a newer version."""
    if not state.exists or state.read(version) != VERSION:
        state.write(_upgraded)


def require(state: State) -> None:
    """Check that there is a state that can be read as it is, for those who only look at it; CannotDo if not."""
    found = state.read(version) if state.exists else None
    if found is None:
        raise CannotDo(
            f"{state.name} holds no state yet", remedy="run `rolewatch watch SOURCE`, or name another --state"
        )
    if found != VERSION:
        prepare(state)


def version(connection: sa.Connection) -> int | None:
    """Give the version of a store's schema; None where there is none."""
    if not sa.inspect(connection).has_table(META.name):
        return None
    value = connection.execute(sa.select(META.c.value).where(META.c.name == _NAME)).scalar()
    return int(value) if value else None


def _upgraded(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    found = version(connection)
    if found is not None and found > VERSION:
        raise CannotDo(
            f"this state was written by a newer rolewatch (schema {found}, this one knows {VERSION})",
            remedy="install that version again",
        )
    if found is None:
        METADATA.create_all(connection)
    for step in range((found or VERSION) + 1, VERSION + 1):
        STEPS[step](connection)
    row = insert(connection, META).values(name=_NAME, value=str(VERSION))
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value}))


def _version_2(connection: sa.Connection) -> None:
    """Version 2: when a finding ended is a column and no longer in its document alone; of which days log files came is known."""
    taken = (
        "document::json->>'ended'"
        if connection.dialect.name == "postgresql"
        else "json_extract(document, '$.ended')"
    )
    connection.exec_driver_sql("ALTER TABLE findings ADD COLUMN ended TEXT")
    connection.exec_driver_sql(f"UPDATE findings SET ended = {taken} WHERE status IN ('recovered', 'gone')")  # noqa: S608 -- one of two texts of ours
    connection.exec_driver_sql(
        "CREATE INDEX findings_ended ON findings (ended, status, severity) WHERE ended IS NOT NULL"
    )
    rowid = "" if connection.dialect.name == "postgresql" else " WITHOUT ROWID"
    connection.exec_driver_sql(
        "CREATE TABLE delivered (account TEXT NOT NULL, region TEXT NOT NULL, day TEXT NOT NULL, number BIGINT NOT NULL, "
        f"PRIMARY KEY (account, region, day)){rowid}"
    )
    connection.exec_driver_sql("CREATE INDEX delivered_by_day ON delivered (day)")


#: What has to be done to a state of the version before, by the version it makes. Written out and never changed: a step makes
#: the tables as they were in its version, whatever has become of them in `schema`.
STEPS: Final[Mapping[int, Step]] = {2: _version_2}
