"""The state store as a whole: where it lies, its transactions, and what goes wrong with them."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, exc

from rolewatch.base.errors import CannotDo, UsageError

FILE: Final = "state.db"
BUSY_SECONDS: Final = 30.0  # a writer waits so long for another one
ATTEMPTS: Final = 5  # of a transaction that another one got in the way of
_ASKED: Final = 500  # values in one statement
_TRIES: Final = 100  # of setting a new file's mode, a twentieth of a second apart
_POSTGRES: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")
_EXTRA: Final = "pip install 'rolewatch[postgres]', in a checkout pip install '.[postgres]'"
#: How long libpq waits for a server that has gone without a word: seconds, but milliseconds for what was sent.
_ALIVE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
#: SQLSTATE: serialization_failure, deadlock_detected, lock_not_available, unique_violation (of a table made twice at once).
_CONFLICTS: Final = frozenset(("40001", "40P01", "55P03", "23505", "42P07"))

T = TypeVar("T")
X = TypeVar("X")


class Unavailable(CannotDo):
    """The store cannot be reached or written just now; the same may work later, and nothing was changed."""


class State:
    """The state in a folder (SQLite) or behind a URL (PostgreSQL). `name` is what is printed: it holds no password."""

    def __init__(self, place: str) -> None:
        self.shared = place.startswith(_POSTGRES)
        self.folder = None if self.shared or "://" in place else Path(place)
        if self.folder is None and not self.shared:
            raise UsageError(
                f"--state: {place.partition('://')[0]}:// is no store",
                remedy="name a folder, or postgresql://user@host/database",
            )
        self.name = place
        self._engine = _postgres(place) if self.shared else _sqlite(str(self.folder))
        if self.shared:
            self.name = self._engine.url.render_as_string(hide_password=True)

    @property
    def exists(self) -> bool:
        """Whether there can be something to read: a folder is made by the first who writes."""
        return self.folder is None or (self.folder / FILE).exists()

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction that only reads; Unavailable if the store cannot be reached."""
        return self._run(work, write=False)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction of its own, and commit: all of it or nothing.

        Where another writer of the same PostgreSQL got in the way it is run again, so it must change nothing else. Raises
        Unavailable if the store cannot be reached or written; then nothing was changed, unless the very answer to the commit
        was lost: what is done again must find out by itself.
        """
        self.make()
        return self._run(work, write=True)

    def make(self) -> None:
        """Make the folder, if it is one and does not exist; CannotDo if that is impossible."""
        if self.folder is not None and not self.exists:
            _make(self.folder)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _run(self, work: Callable[[sa.Connection], T], *, write: bool) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._engine.connect().execution_options(write=write) as connection, connection.begin():
                    return work(connection)
            except exc.TimeoutError as error:  # all connections are waiting for an answer
                raise Unavailable(
                    f"the state {self.name}: no answer", remedy=_remedy("", shared=self.shared)
                ) from error
            except exc.DBAPIError as error:
                if attempt == ATTEMPTS or not _is_conflict(error):
                    raise self._unavailable(error) from error
                time.sleep(0.05 * attempt)
        raise AssertionError  # the last attempt returns or raises

    def _unavailable(self, error: exc.DBAPIError) -> Exception:
        if isinstance(error, exc.ProgrammingError | exc.IntegrityError | exc.DataError):
            return error  # a mistake of ours
        reason = str(error.orig).strip().partition("\n")[0]
        return Unavailable(f"the state {self.name}: {reason}", remedy=_remedy(reason, shared=self.shared))


def parts(items: Iterable[X]) -> Iterator[list[X]]:
    """Yield items in lists that are short enough to be asked for in one statement."""
    iterator = iter(items)
    while part := list(islice(iterator, _ASKED)):
        yield part


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write whole rows, new ones and such as replace what has their primary key."""
    if rows:
        statement = insert(connection, table)
        changes = {
            column.name: statement.excluded[column.name] for column in table.c if not column.primary_key
        }
        keys = [column.name for column in table.primary_key]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Begin an INSERT that knows ON CONFLICT, in the store's own dialect."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_sqlite  # noqa: PLC0415 - one of the two is used

        return insert_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as insert_postgres  # noqa: PLC0415 - as above

    return insert_postgres(table)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CannotDo(
            f"the state {folder}: {error.strerror or error}", remedy="name another folder with --state"
        ) from None


def _sqlite(folder: str) -> sa.Engine:
    url = sa.URL.create("sqlite", database=os.path.join(folder, FILE))  # noqa: PTH118 - a string is wanted
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=4)

    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        _write_ahead(cursor)
        for pragma in ("synchronous = FULL", "temp_store = MEMORY", "cache_size = -65536"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: sa.Connection) -> None:
        # A writer says so at once, so that it never has to give up what it has read because another one wrote meanwhile.
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN"
        )

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _write_ahead(cursor: Any) -> None:
    """Set the journal's mode, which the file remembers; while another process does, SQLite refuses without waiting."""
    for left in range(_TRIES, -1, -1):
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not left or "locked" not in str(error):
                raise
            time.sleep(0.05)
        else:
            return


def _postgres(place: str) -> sa.Engine:
    try:
        url = sa.make_url(place).set(drivername="postgresql+psycopg")
    except (exc.ArgumentError, ValueError):
        raise UsageError(
            "--state: this is no URL of a database", remedy="write postgresql://user@host/database"
        ) from None
    try:
        return sa.create_engine(url, pool_pre_ping=True, pool_size=4, connect_args=_ALIVE)
    except ImportError:
        raise CannotDo("PostgreSQL is spoken to by psycopg, which is not installed", remedy=_EXTRA) from None


def _is_conflict(error: exc.DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _CONFLICTS


def _remedy(reason: str, *, shared: bool) -> str:
    if shared:
        return "check that PostgreSQL runs, and the URL of --state"
    if "full" in reason:
        return "make room on the disk; the work goes on by itself then"
    if "I/O" in reason:
        return "check the disk, its room and the quota; the work goes on by itself then"
    if "locked" in reason:
        return "another process writes to it"
    return "check the folder of --state, its rights and its disk"
