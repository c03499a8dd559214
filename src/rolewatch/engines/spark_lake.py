"""A plan and a lake in, rows out: the same files as DuckDB reads, by Spark's executors."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rolewatch.engines.answers import Answer
from rolewatch.engines.lake import can_matter
from rolewatch.engines.lake_fields import TIMESTAMP
from rolewatch.engines.spark import relation, rows_over
from rolewatch.engines.spark_session import failing
from rolewatch.engines.spark_sql import literal
from rolewatch.lake.lake import Lake
from rolewatch.lake.manifest import Part
from rolewatch.lake.schema import COLUMNS, RECORD
from rolewatch.plan import Get, Plan, Type, gets
from rolewatch.scan.rows import steps_of
from rolewatch.sources import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_GLOB: Final = re.compile(r"[*?{}\[\]\\]")  # what Hadoop takes for a pattern in a path
_MILLISECONDS: Final = "unix_millis(eventTime)"


def answer_spark(spark: "SparkSession", plan: Plan, lake: Lake, window: Window, *, most: int) -> Answer:
    """Run a plan over a lake, and take `most` rows of it.

    Raises CannotDo if there is no lake, or Spark fails; in a folder, parts that are damaged are named in the answer.
    """
    started = time.monotonic()
    wanted = gets(plan)
    unreadable = [(name, "this is no file of the lake") for name in lake.strangers()]
    parts = [part for part in lake.manifest().parts if can_matter(part, window)]
    used, paths = _paths(lake, parts, unreadable)
    with failing():
        frame = _within(spark.read.parquet(*paths), window) if paths else spark.createDataFrame([], _empty())
        exact = not any(part.inexact for part in used)
        rows, matched = rows_over(relation(frame, wanted, columns_of(wanted, exact=exact), RECORD), plan, most=most + 1)  # fmt: skip
    statistics = {
        "records_matched": matched,
        "records_scanned": sum(part.rows for part in used),
        "bytes_scanned": sum(part.bytes for part in used),
        "duplicates": 0,
        "deliveries": len(used),
        "seconds": round(time.monotonic() - started, 3),
    }
    return Answer(plan, rows[:most], len(rows) > most, statistics, (), [], sorted(unreadable))


def _paths(
    lake: Lake, parts: Sequence[Part], unreadable: list[tuple[str, str]]
) -> tuple[list[Part], list[str]]:
    """Give the parts that can be read, and where they lie; what lies in S3 is read by the executors themselves."""
    if "://" in lake.place.name:
        return list(parts), [f"{lake.place.name}/{part.path}" for part in parts]
    before, lake.tell = lake.tell, lambda name, reason: unreadable.append((name, reason))
    try:
        with lake.readable(parts) as readable:
            return [part for part, _ in readable], [
                _GLOB.sub(r"\\\g<0>", f"file://{path.resolve()}") for _, path in readable
            ]
    finally:
        lake.tell = before


def columns_of(wanted: Sequence[Get], *, exact: bool) -> Mapping[Get, str]:
    """Give expressions for the fields that have a column; those whose column may not hold all there is are decoded."""
    found: dict[Get, str] = {}
    for get in wanted:
        steps = steps_of(get)
        field = COLUMNS.get(tuple(map(str, steps))) if steps else None
        if get.steps == ("@message",):
            found[get] = RECORD
        elif get.steps == TIMESTAMP.steps:
            found[get] = _MILLISECONDS
        elif steps is None:
            found[get] = "NULL"
        elif field and field.kind == "text":
            found[get] = f"`{field.column}`"
        elif field and exact and field.kind == "truth":
            found[get] = f"CASE WHEN `{field.column}` THEN '1' WHEN NOT `{field.column}` THEN '0' END"
        elif field and exact:
            found[get] = "date_format(eventTime, \"yyyy-MM-dd'T'HH:mm:ss'Z'\")"
    return found


def _within(frame: "DataFrame", window: Window) -> "DataFrame":
    """Leave only the records of a window."""
    for condition in conditions(window):
        frame = frame.where(condition)
    return frame


def conditions(window: Window) -> list[str]:
    """Write the conditions that a window is."""
    found = []
    if window.since:
        found.append(f"{_MILLISECONDS} >= {window.since.timestamp() * 1000!r}D")
    if window.until:
        found.append(f"{_MILLISECONDS} < {window.until.timestamp() * 1000!r}D")
    for column, names in (("recipientAccountId", window.accounts), ("awsRegion", window.regions)):
        if names:
            found.append(f"{column} IN ({', '.join(literal(name, Type.TEXT) for name in sorted(names))})")
    return found


def _empty() -> str:
    types = {"text": "STRING", "truth": "BOOLEAN", "time": "TIMESTAMP"}
    columns = [f"`{field.column}` {types[field.kind]}" for field in COLUMNS.values()]
    return ", ".join([*columns, "inexact BOOLEAN", "record STRING"])
