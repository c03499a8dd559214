"""A plan and a lake in, rows out: the files that can matter, read by DuckDB where they lie."""

import json
import re
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rolewatch.engines.answers import Answer, Row
from rolewatch.engines.duckdb import connect
from rolewatch.engines.duckdb_sql import DUCKDB, literal
from rolewatch.engines.sql import FIELDS, filters_of, matching, statement
from rolewatch.lake.checks import NAMES
from rolewatch.lake.lake import Lake
from rolewatch.lake.manifest import Part
from rolewatch.lake.schema import COLUMNS, INEXACT, RECORD
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
from rolewatch.scan.rows import Reader, steps_of
from rolewatch.sources import Window

if TYPE_CHECKING:
    import duckdb

TIMESTAMP: Final = Get(("@timestamp",), Type.TIME)
_FUNCTION: Final = "rolewatch_field"  # takes a field out of a record that DuckDB may spell otherwise
_LONGEST: Final = 9  # digits of an index
_NAME: Final = re.compile(r"\w+", re.ASCII)


def answer_lake(
    plan: Plan, lake: Lake, window: Window, *, most: int, threads: int, doubtful: Callable[[Get], bool]
) -> Answer:
    """Run a plan over a lake, and take `most` rows of it. Only `doubtful` fields are looked for among the absent ones.

    Raises CannotDo if there is no lake, or it cannot be read; parts that are damaged are named in the answer.
    """
    started = time.monotonic()
    unreadable: list[tuple[str, str]] = []
    parts = [part for part in lake.manifest().parts if can_matter(part, window)]
    unreadable += [(name, "this is no file of the lake") for name in lake.strangers()]
    lake_tell, lake.tell = lake.tell, lambda name, reason: unreadable.append((name, reason))
    try:
        with lake.readable(parts) as readable:
            asked = _Asked(plan, lake, readable, window, threads)
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


class _Asked:
    """One question to some parts."""

    def __init__(
        self, plan: Plan, lake: Lake, readable: Sequence[tuple[Part, Path]], window: Window, threads: int
    ) -> None:
        self._plan = plan
        self._lake = lake
        self._readable = list(readable)
        self._window = window
        self._threads = threads

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
        with connect(written, self._threads, [path for _, path in self._readable]) as connection:
            if _FUNCTION in relation:
                options: Any = {"null_handling": "special"}  # it is called with NULL, and may give it
                connection.create_function(_FUNCTION, _field, ["VARCHAR", "VARCHAR"], "VARCHAR", **options)
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
        through = any(get.steps == ("@message",) or _pointer(get) for get in asked)
        return names if through else names - {RECORD}

    def _leave_out_damaged(self, names: Collection[str]) -> None:
        """Go on without files of which columns are not as they were written; they are told."""
        with ThreadPoolExecutor(self._threads) as threads:
            sound = list(
                threads.map(lambda each: self._lake.is_sound(each[0], each[1], names), self._readable)
            )
        self._readable = list(compress(self._readable, sound))

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
            return f"SELECT {', '.join(f'{_null(get)} AS f{number}' for number, get in enumerate(wanted)) or '0'} WHERE FALSE"
        return relation(
            wanted,
            files(self._readable),
            condition_of(self._window),
            inexact=any(part.inexact for part, _ in self._readable),
        )


def relation(wanted: Sequence[Get], source: str, condition: str, *, inexact: bool) -> str:
    """Write a statement that gives the fields f0, f1 … of the records of a lake's files."""
    pointers = {get: pointer for get in wanted if (pointer := _pointer(get))}
    places = {pointer: number for number, pointer in enumerate(dict.fromkeys(pointers.values()), 1)}
    columns = [
        f"{_expression(get, places.get(pointers.get(get, '')), inexact=inexact)} AS f{number}"
        for number, get in enumerate(wanted)
    ]
    inner = source
    if places:
        found = f"CAST(json_extract({RECORD}, [{', '.join(literal(pointer, Type.TEXT) for pointer in places)}]) AS VARCHAR[])"
        if inexact:
            found = f"CASE WHEN NOT {INEXACT} THEN {found} END"
        inner = f"(SELECT *, {found} AS j FROM {source}{condition})"
        condition = ""
    return f"SELECT {', '.join(columns) or '0 AS n'} FROM {inner}{condition}"


def files(readable: Collection[tuple[Part, Path]]) -> str:
    """Write the relation of some files."""
    paths = ", ".join(literal(str(path), Type.TEXT) for _, path in readable)
    return f"read_parquet([{paths}], hive_partitioning = false)"


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


def condition_of(window: Window) -> str:
    """Write the condition that a window is, of columns that files have statistics of."""
    found = []
    if window.since:
        found.append(f"eventTime >= to_timestamp({window.since.timestamp()!r})")
    if window.until:
        found.append(f"eventTime < to_timestamp({window.until.timestamp()!r})")
    for column, names in (("recipientAccountId", window.accounts), ("awsRegion", window.regions)):
        if names:
            found.append(f"{column} IN ({', '.join(literal(name, Type.TEXT) for name in sorted(names))})")
    return f" WHERE {' AND '.join(found)}" if found else ""


def _expression(get: Get, place: int | None, *, inexact: bool) -> str:
    """Write a field of a record: of a column, of what was found in the record, or by reading the record here."""
    if get.steps == ("@message",):
        return RECORD
    if get == TIMESTAMP or get.steps == ("@timestamp",):
        return "epoch_ms(eventTime)"
    steps = steps_of(get)
    if steps is None:
        return _null(get)
    names = tuple(map(str, steps))
    by_hand = f"{_FUNCTION}({RECORD}, {literal(json.dumps(names), Type.TEXT)})"
    field = COLUMNS.get(names)
    if field and field.kind == "text":
        return _quoted(field.column)
    if field and field.kind == "truth":
        written = f"CASE WHEN {_quoted(field.column)} THEN '1' WHEN NOT {_quoted(field.column)} THEN '0' END"
    elif field:
        written = f"strftime(make_timestamp(epoch_us({field.column})), '%Y-%m-%dT%H:%M:%SZ')"
    elif place:
        written = _leaf(f"j[{place}]")
    else:
        return by_hand
    return f"CASE WHEN {INEXACT} THEN {by_hand} ELSE {written} END" if inexact else written


def _leaf(found: str) -> str:
    """Write the text of a leaf, of what was found as JSON."""
    return (
        f"CASE {found}[1] WHEN '\"' THEN json_extract_string({found}, '$') WHEN 't' THEN '1' WHEN 'f' THEN '0' "
        f"WHEN 'n' THEN NULL WHEN '{{' THEN NULL WHEN '[' THEN NULL ELSE {found} END"
    )


def _pointer(get: Get) -> str:
    """Write the way to a field as a JSON pointer; "" where it has a column, or where a pointer may mean something else."""
    steps = steps_of(get)
    if steps is None or tuple(map(str, steps)) in COLUMNS or get.steps[0].startswith("@@"):
        return ""
    parts = []
    for step in map(str, steps):
        if not step or (
            step.isdigit() and (not step.isascii() or len(step) > _LONGEST or step != str(int(step)))
        ):
            return ""
        parts.append("/" + step.replace("~", "~0").replace("/", "~1"))
    return "".join(parts)


def _null(get: Get) -> str:
    return "CAST(NULL AS BIGINT)" if get.type is Type.TIME else "CAST(NULL AS VARCHAR)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _field(record: str | None, steps: str | None) -> str | None:
    """Take a field out of a record, as it is taken out of deliveries."""
    if record is None or steps is None:
        return None
    values = _reader(steps)(record.encode())
    value = values[0] if values else None
    return value if isinstance(value, str) else None


@lru_cache(maxsize=256)
def _reader(steps: str) -> Reader:
    names = json.loads(steps)
    names[0] = f"@{names[0]}" if names[0].startswith("@") else names[0]
    return Reader([Get(tuple(names))])
