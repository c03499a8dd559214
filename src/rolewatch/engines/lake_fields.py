"""Fields of a lake's records as SQL of DuckDB: a column, or a way into the record, which some records need read by rolewatch."""

import json
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from rolewatch.engines.duckdb_sql import literal
from rolewatch.lake.manifest import Part
from rolewatch.lake.schema import COLUMNS, INEXACT, RECORD
from rolewatch.plan import Get, Type
from rolewatch.scan.rows import Reader, steps_of
from rolewatch.sources import Window

TIMESTAMP: Final = Get(("@timestamp",), Type.TIME)
FUNCTION: Final = "rolewatch_field"  # takes a field out of a record that DuckDB may spell otherwise
_LONGEST: Final = 9  # digits of an index


def relation(wanted: Sequence[Get], source: str, condition: str, *, inexact: bool) -> str:
    """Write a statement that gives the fields f0, f1 … of the records of a lake's files."""
    pointers = {get: pointer for get in wanted if (pointer := pointer_to(get))}
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
        return null(get)
    names = tuple(map(str, steps))
    by_hand = f"{FUNCTION}({RECORD}, {literal(json.dumps(names), Type.TEXT)})"
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


def pointer_to(get: Get) -> str:
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


def null(get: Get) -> str:
    """Write a missing value of a field's type."""
    return "CAST(NULL AS BIGINT)" if get.type is Type.TIME else "CAST(NULL AS VARCHAR)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def field(record: str | None, steps: str | None) -> str | None:
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
