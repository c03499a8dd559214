"""A plan and the fields it asks for in, its rows out: DuckDB, in memory, in this process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rolewatch.engines.answers import Row
from rolewatch.engines.duckdb_sql import DUCKDB
from rolewatch.engines.functions import FUNCTIONS, PREFIX
from rolewatch.engines.sql import FIELDS, matching, statement, surviving
from rolewatch.plan import Get, Plan, Type, gets

if TYPE_CHECKING:
    import duckdb

_TYPES: Final = {Type.NUMBER: "DOUBLE", Type.TIME: "BIGINT", Type.TRUTH: "BOOLEAN", Type.TEXT: "VARCHAR"}
_NULLS: Final[Any] = {"null_handling": "special"}  # functions are called with NULL, and may give it


class Limits(NamedTuple):
    """What an engine may use: bytes of memory, and bytes of files in a folder for what does not fit into that.

    `started` is told of each engine, and may ask it for its progress from another thread.
    """

    memory: int
    spill: int
    folder: str
    started: Callable[["duckdb.DuckDBPyConnection"], None]


def rows_of(
    plan: Plan, fields: Mapping[Get, Sequence[Any]], number: int, *, most: int, threads: int = 1, limits: Limits | None = None
) -> tuple[list[Row], int]:  # fmt: skip
    """Run a plan over columns of so many records: texts or None, times as milliseconds.

    Returns `most` rows of what it shows, and how many records its first filters let through. A text is a str, a number a
    float, a truth a bool, a time an int of milliseconds, a structure its JSON; or None.
    """
    wanted = gets(plan)
    written, counted = statement(plan, DUCKDB), statement(matching(plan), DUCKDB, wanted)
    columns = [fields[get] for get in wanted]
    with _loaded((written, counted), wanted, columns, number, threads=threads, limits=limits) as connection:
        rows: list[Row] = connection.execute(written).fetchmany(most)
        (matched,) = connection.execute(counted).fetchone() or (0,)
    return rows, int(matched)


class Sieve:
    """Sorts out rows that a plan no longer needs; `most` rows of what it shows are wanted."""

    def __init__(self, fields: Sequence[Get], needed: str, matched: str) -> None:
        self._fields = fields
        self._needed = needed
        self._matched = matched

    @classmethod
    def of(cls, plan: Plan, most: int) -> "Sieve | None":
        """Make the sieve of a plan; None if it may need all rows."""
        written = surviving(plan, DUCKDB, most)
        return None if written is None else cls(gets(plan), *written)

    def __call__(self, columns: Sequence[Sequence[Any]], number: int) -> tuple[list[int], list[int]]:
        """Give the places of rows that are needed, and of all that the first filters let through."""
        statements = (self._needed, self._matched)
        with _loaded(statements, self._fields, columns, number, threads=1) as connection:
            kept, matched = (
                [place for (place,) in connection.execute(written).fetchall()] for written in statements
            )
        return kept, matched


def start(threads: int, limits: Limits | None = None) -> "duckdb.DuckDBPyConnection":
    """Start an engine, which takes a while; it is `guarded` before it is asked anything."""
    import duckdb  # noqa: PLC0415 - takes a while, and only queries need it

    config: dict[str, Any] = {
        "threads": threads, "autoinstall_known_extensions": False, "autoload_known_extensions": False,
    }  # fmt: skip
    if limits is None:
        return duckdb.connect(config=config)
    config |= {
        "memory_limit": f"{limits.memory}B", "temp_directory": limits.folder, "max_temp_directory_size": f"{limits.spill}B",
    }  # fmt: skip
    connection = duckdb.connect(config=config)
    connection.execute("SET enable_progress_bar = true")  # without it there is no progress to ask for
    connection.execute("SET enable_progress_bar_print = false")
    limits.started(connection)
    return connection


def guarded(
    connection: "duckdb.DuckDBPyConnection", written: str, paths: Sequence[Path] = ()
) -> "duckdb.DuckDBPyConnection":
    """Make an engine ready for statements, with those functions written in Python that they name.

    It has no access to files or network, but for the files given.
    """
    for name, function in FUNCTIONS.items():
        if f"{PREFIX}{name}(" in written:
            types: list[Any] = [_TYPES[each] for each in function.arguments]
            made = _total(function.call)
            connection.create_function(f"{PREFIX}{name}", made, types, _TYPES[function.type], **_NULLS)
    if paths:
        connection.execute("SET allowed_paths = $paths", {"paths": [str(path) for path in paths]})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def _loaded(
    statements: Sequence[str], fields: Sequence[Get], columns: Sequence[Sequence[Any]], number: int, *, threads: int,
    limits: Limits | None = None,
) -> "Iterator[duckdb.DuckDBPyConnection]":  # fmt: skip
    """Open an engine with the relation that the first step of a plan reads: its fields, and the places `n` of the records."""
    import numpy as np  # noqa: PLC0415 - takes a while, and only queries need it

    loaded: dict[str, Any] = {"n": np.arange(number)}
    for place, values in enumerate(columns):
        loaded[f"f{place}"] = column = np.empty(number, dtype=object)
        column[:] = values
    types = "".join(f", CAST(f{place} AS {_TYPES[get.type]}) AS f{place}" for place, get in enumerate(fields))
    with guarded(start(threads, limits), " ".join(statements)) as connection:
        connection.register("loaded", loaded)
        connection.execute(f"CREATE VIEW {FIELDS} AS SELECT n{types} FROM loaded")
        yield connection


def _total(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that gives None for None."""

    @wraps(function)
    def total(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return total
