"""A plan and a lake in, rows out: the files that can matter, read by DuckDB where they lie."""

import re
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from rolewatch.engines.answers import Answer, Row
from rolewatch.engines.duckdb import Limits, guarded, start
from rolewatch.engines.duckdb_sql import DUCKDB
from rolewatch.engines.lake_fields import (
    FUNCTION,
    TIMESTAMP,
    condition_of,
    field,
    files,
    null,
    pointer_to,
    relation,
)
from rolewatch.engines.sql import FIELDS, filters_of, matching, statement
from rolewatch.lake.checks import NAMES
from rolewatch.lake.lake import Lake
from rolewatch.lake.manifest import Part
from rolewatch.lake.schema import RECORD
from rolewatch.plan import (
    Aggregate,
    Apply,
    Column,
    Constant,
    Extend,
    Get,
    Group,
    Limit,
    Order,
    Plan,
    Shown,
    Type,
    Unnest,
    Where,
    gets,
)
from rolewatch.sources import Window

if TYPE_CHECKING:
    import duckdb

_NAME: Final = re.compile(r"\w+", re.ASCII)


def answer_lake(
    plan: Plan, lake: Lake, window: Window, *, most: int, threads: int, doubtful: Callable[[Get], bool],
    limits: Limits | None = None,
) -> Answer:  # fmt: skip
    """Run a plan over a lake, and take `most` rows of it. Only `doubtful` fields are looked for among the absent ones.

    Raises CannotDo if there is no lake, or it cannot be read; parts that are damaged are named in the answer.
    """
    started = time.monotonic()
    unreadable: list[tuple[str, str]] = []
    parts = [part for part in lake.manifest().parts if can_matter(part, window)]
    lake_tell, lake.tell = lake.tell, lambda name, reason: unreadable.append((name, reason))
    try:
        with _Starting(threads, limits) as engines, lake.readable(parts) as readable:
            unreadable += [(name, "this is no file of the lake") for name in lake.strangers()]
            asked = _Asked(plan, lake, readable, window, engines)
            rows, matched, absent = asked.run(most + 1, [get for get in gets(plan) if doubtful(get)])
            used = asked.parts
    finally:
        lake.tell = lake_tell
    statistics = {
        "records_matched": matched,
        "records_scanned": sum(part.rows for part in used),
        "bytes_scanned": sum(part.bytes for part in used),
        "duplicates": 0,
        "deliveries": len(used),
        "seconds": round(time.monotonic() - started, 3),
    }
    return Answer(plan, rows[:most], len(rows) > most, statistics, tuple(absent), [], sorted(unreadable))


class _Starting:
    """Engines, the first of which starts while files are looked at."""

    def __init__(self, threads: int, limits: Limits | None) -> None:
        self.threads = threads
        self._limits = limits
        self._pool = ThreadPoolExecutor(1)
        self._first = [self._pool.submit(start, threads, limits)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for first in self._first:
            first.result().close()

    def next(self) -> "duckdb.DuckDBPyConnection":
        """Give an engine that nobody has used."""
        return self._first.pop().result() if self._first else start(self.threads, self._limits)


class _Asked:
    """One question to some parts."""

    def __init__(
        self,
        plan: Plan,
        lake: Lake,
        readable: Sequence[tuple[Part, Path]],
        window: Window,
        engines: _Starting,
    ) -> None:
        self._plan = plan
        self._lake = lake
        self._readable = list(readable)
        self._window = window
        self._engines = engines

    @property
    def parts(self) -> list[Part]:
        """The parts that could be read."""
        return [part for part, _ in self._readable]

    def run(self, most: int, doubtful: Sequence[Get]) -> tuple[list[Row], int, list[Get]]:
        """Give rows, how many records the first filters let through, and which of the doubtful fields none of these has."""
        import duckdb  # noqa: PLC0415 - takes a while, and only queries need it

        self._leave_out_damaged(self._read_through())
        try:
            return self._run(most, doubtful)
        except duckdb.Error:
            before = len(self._readable)
            self._leave_out_damaged({RECORD})
            if len(self._readable) == before:
                raise
        return self._run(most, doubtful)

    def _run(self, most: int, doubtful: Sequence[Get]) -> tuple[list[Row], int, list[Get]]:
        plan, wanted = self._plan, gets(self._plan)
        written, relation = statement(plan, DUCKDB), self._relation(wanted)
        with guarded(self._engines.next(), written, [path for _, path in self._readable]) as connection:
            if FUNCTION in relation:
                options: Any = {"null_handling": "special"}  # it is called with NULL, and may give it
                connection.create_function(FUNCTION, field, ["VARCHAR", "VARCHAR"], "VARCHAR", **options)
            connection.execute(f"CREATE VIEW {FIELDS} AS {relation}")
            absent = self._absent(connection, doubtful)
            filters = len(filters_of(plan))
            following = plan.steps[filters] if len(plan.steps) > filters else None
            if isinstance(following, Group):
                return *_grouped(connection, plan, filters, following, most), absent
            if isinstance(following, Order) and following.keys[0][:] == (TIMESTAMP, True):
                plan, matched = _among_the_newest(connection, plan, filters, most)
            else:
                (matched,) = _one(connection, statement(matching(plan), DUCKDB, wanted))
            rows = connection.execute(f"{statement(plan, DUCKDB, wanted)}\nLIMIT {most:d}").fetchall()
        return rows, int(matched), absent

    def _read_through(self) -> set[str]:
        """Name the columns that are read from end to end: not the records where they are only shown, which is of some.

        Those are looked at when DuckDB stumbles over them.
        """
        names = set(NAMES).intersection(_NAME.findall(self._relation(gets(self._plan))))
        steps = tuple(step for step in self._plan.steps if not isinstance(step, Order))
        asked = gets(Plan(steps, ()))
        through = any(get.steps == ("@message",) or pointer_to(get) for get in asked)
        return names if through else names - {RECORD}

    def _leave_out_damaged(self, names: Collection[str]) -> None:
        """Go on without files of which columns are not as they were written; they are told."""
        many = self._engines.threads

        def sound(first: int) -> list[bool]:
            return [self._lake.is_sound(part, path, names) for part, path in self._readable[first::many]]

        found = [False] * len(self._readable)
        with ThreadPoolExecutor(many) as threads:
            for number, each in enumerate(threads.map(sound, range(many))):
                found[number::many] = each
        self._readable = list(compress(self._readable, found))

    def _absent(self, connection: "duckdb.DuckDBPyConnection", doubtful: Sequence[Get]) -> list[Get]:
        if not doubtful:
            return []
        filters = tuple(filters_of(self._plan))
        counts = tuple((number, Aggregate("count", (get,), Type.NUMBER)) for number, get in enumerate(doubtful, 1_000_000))  # fmt: skip
        shown = tuple(Shown("", Column(number, Type.NUMBER)) for number, _ in counts)
        counted = Plan((*filters, Group((), counts)), shown)
        found = _one(connection, statement(counted, DUCKDB, gets(self._plan)))
        return [get for get, number in zip(doubtful, found, strict=True) if not number]

    def _relation(self, wanted: Sequence[Get]) -> str:
        """Write the relation that a plan reads, of the columns of files."""
        if not self._readable:
            return f"SELECT {', '.join(f'{null(get)} AS f{number}' for number, get in enumerate(wanted)) or '0'} WHERE FALSE"
        return relation(
            wanted,
            files(self._readable),
            condition_of(self._window),
            inexact=any(part.inexact for part, _ in self._readable),
        )


def _grouped(
    connection: "duckdb.DuckDBPyConnection", plan: Plan, filters: int, group: Group, most: int
) -> tuple[list[Row], int]:
    """Run a plan that groups what its filters let through, so that the same pass counts them."""
    numbers = [number for number, _ in (*group.keys, *group.aggregates)]
    counted = max([*numbers, *_numbers(plan), 0]) + 1
    counting = group._replace(aggregates=(*group.aggregates, (counted, Aggregate("count", (), Type.NUMBER))))
    shown = tuple(Shown("", Column(number, Type.NUMBER)) for number in (*numbers, counted))
    first = statement(Plan((*plan.steps[:filters], counting), shown), DUCKDB, gets(plan))
    named = ", ".join(f"o{place} AS c{number}" for place, number in enumerate((*numbers, counted)))
    connection.execute(f"CREATE TEMP TABLE grouped AS SELECT {named} FROM ({first})")
    (matched,) = _one(connection, f"SELECT coalesce(sum(c{counted}), 0) FROM grouped")
    connection.execute(f"CREATE OR REPLACE VIEW {FIELDS} AS SELECT * FROM grouped")
    rest = Plan(plan.steps[filters + 1 :], plan.shown)
    rows = connection.execute(f"{statement(rest, DUCKDB, gets(rest))}\nLIMIT {most:d}").fetchall()
    return rows, int(matched)


def _among_the_newest(
    connection: "duckdb.DuckDBPyConnection", plan: Plan, filters: int, most: int
) -> tuple[Plan, int]:
    """Count the records that a plan's filters let through, and leave out those that are older than all it can need.

    What it needs is sorted by more than the time, and what else it sorts by is only read of the rest then.
    """
    limit = plan.steps[filters + 1] if len(plan.steps) > filters + 1 else Limit(most, last=False)
    number = limit.number if isinstance(limit, Limit) and not limit.last else 0
    if len(plan.steps) > filters + 1 and not isinstance(limit, Limit):
        number = 0  # what follows may take as many as there are
    shown = (Shown("", TIMESTAMP),)
    times = statement(Plan(plan.steps[:filters], shown), DUCKDB, gets(plan))
    if not 0 < number < 1_000_000:
        (matched,) = _one(connection, f"SELECT count(*) FROM ({times})")
        return plan, int(matched)
    matched, newest = _one(connection, f"SELECT count(*), max(o0, {number:d}) FROM ({times})")
    if not newest or len(newest) < number:
        return plan, int(matched)
    oldest = Constant(int(newest[-1]), Type.TIME)
    cut = Where(Apply("up_to", (oldest, TIMESTAMP), Type.TRUTH))
    return plan._replace(steps=(cut, *plan.steps)), int(matched)


def _numbers(plan: Plan) -> list[int]:
    """Give the numbers of columns that the steps of a plan make."""
    found: list[int] = []
    for step in plan.steps:
        if isinstance(step, Extend):
            found += [number for number, _ in step.columns]
        elif isinstance(step, Group):
            found += [number for number, _ in (*step.keys, *step.aggregates)]
        elif isinstance(step, Unnest):
            found += [step.number, step.place]
    return found


def _one(connection: "duckdb.DuckDBPyConnection", written: str) -> tuple[Any, ...]:
    found = connection.execute(written).fetchone()
    assert found is not None  # noqa: S101 - an aggregate of everything is one row
    return tuple(found)


def can_matter(part: Part, window: Window) -> bool:
    """Whether a part can hold records of a window."""
    if window.since is None and window.until is None:
        return True
    if part.first is None or part.last is None:
        return False
    since = window.since.timestamp() * 1000 if window.since else float("-inf")
    until = window.until.timestamp() * 1000 if window.until else float("inf")
    return part.last >= since and part.first < until
