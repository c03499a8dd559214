"""A plan and the records it asks about in, its rows out: Spark, on this machine or on a cluster."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rolewatch.engines.answers import Row
from rolewatch.engines.functions import PREFIX
from rolewatch.engines.spark_functions import IN_PYTHON, Called
from rolewatch.engines.spark_session import failing
from rolewatch.engines.spark_sql import SPARK, TYPES
from rolewatch.engines.sql import FIELDS, matching, statement
from rolewatch.plan import Get, Plan, gets
from rolewatch.scan.rows import Reader

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_DECODED: Final = "rolewatch_decoded"
_CALLED: Final = re.compile(rf"\b{PREFIX}(\w+)\(")


def rows_of(
    spark: "SparkSession", plan: Plan, fields: Mapping[Get, Sequence[Any]], number: int, *, most: int
) -> tuple[list[Row], int]:
    """Run a plan over columns of so many records, as `engines.duckdb.rows_of` does."""
    wanted = gets(plan)
    schema = ", ".join(["n BIGINT", *(f"f{place} {type_of(get)}" for place, get in enumerate(wanted))])
    given = list(zip(range(number), *(fields[get] for get in wanted), strict=True))
    with failing():
        return rows_over(spark.createDataFrame(given, schema, verifySchema=False), plan, most=most)


def rows_over(records: "DataFrame", plan: Plan, *, most: int) -> tuple[list[Row], int]:
    """Run a plan over records whose fields, those of `gets(plan)`, are columns f0, f1 …; returns what `rows_of` does."""
    spark, wanted = records.sparkSession, gets(plan)
    written, counted = statement(plan, SPARK), statement(matching(plan), SPARK, wanted)
    with failing():
        register(spark, f"{written} {counted}")
        records.createOrReplaceTempView(FIELDS)
        rows = [tuple(row) for row in spark.sql(written).limit(most).collect()]
        ((matched,),) = spark.sql(counted).collect()
    return rows, int(matched)


def relation(
    frame: "DataFrame", wanted: Sequence[Get], columns: Mapping[Get, str], record: str
) -> "DataFrame":
    """Make the relation that `rows_over` takes of a frame which has whole records as a column of texts.

    `columns` are expressions over the frame, for fields that have a column there; all others are decoded of the record.
    """
    from pyspark.sql.functions import col, expr, udf  # noqa: PLC0415 - part of an extra

    others = [get for get in wanted if get not in columns]
    if others:
        read: Any = udf(Decoded(others), "array<string>", useArrow=False)
        frame = frame.withColumn(_DECODED, read(col(record)))
    places = {get: f"{_DECODED}[{place}]" for place, get in enumerate(others)}
    made = [
        expr(f"CAST({columns.get(get) or places[get]} AS {type_of(get)})").alias(f"f{number}")
        for number, get in enumerate(wanted)
    ]
    return frame.select(*made) if made else frame


class Decoded:
    """Takes fields out of a record, as a list of texts; only their names travel to the executors."""

    def __init__(self, fields: Sequence[Get]) -> None:
        self.__name__ = "decoded"
        self._fields = tuple(fields)
        self._reader: Reader | None = None

    def __call__(self, record: str | None) -> list[str | None]:
        """Decode a record; all is missing of what is none."""
        if self._reader is None:
            self._reader = Reader(self._fields)
        values = None if record is None else self._reader(record.encode())
        return [None if each is None else str(each) for each in values or (None,) * len(self._fields)]


def register(spark: "SparkSession", written: str) -> None:
    """Make those functions written in Python known that a statement names."""
    from pyspark.sql.functions import udf  # noqa: PLC0415 - part of an extra

    for name in sorted(set(_CALLED.findall(written)).intersection(IN_PYTHON)):
        function: Any = udf(Called(name), IN_PYTHON[name].type, useArrow=False)
        spark.udf.register(f"{PREFIX}{name}", function)


def type_of(get: Get) -> str:
    """Give the type that a field of a record has in Spark."""
    return TYPES.get(get.type, "STRING")
