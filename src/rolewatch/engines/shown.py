"""A plan in, one statement out for people who run it themselves: over a lake's view, or over CloudTrail's own table in Athena."""

import re
from typing import Final, NamedTuple

from rolewatch.base.sanitise import encodable
from rolewatch.engines.athena import athena_sql
from rolewatch.engines.duckdb_sql import DUCKDB
from rolewatch.engines.functions import PREFIX
from rolewatch.engines.lake_fields import condition_of, relation
from rolewatch.engines.spark_lake import columns_of, conditions
from rolewatch.engines.spark_sql import SPARK, literal
from rolewatch.engines.sql import FIELDS, statement
from rolewatch.plan import Get, Plan, Type, gets
from rolewatch.scan.rows import steps_of
from rolewatch.sources import Window

_PLAIN: Final = re.compile(r"\$(\.[A-Za-z]\w*)+", re.ASCII)
_OUTPUT: Final = re.compile(r" AS o([0-9]+)(?=, | FROM )")
_FUNCTION: Final = re.compile(rf"\b{PREFIX}\w+(?=\()")


class Shown(NamedTuple):
    """A statement, the fields that it cannot reach, which are NULL in it, and the functions in it that only rolewatch has."""

    statement: str
    missing: tuple[Get, ...] = ()
    functions: tuple[str, ...] = ()


def shown(plan: Plan, window: Window, engine: str, table: str, *, lake: bool) -> Shown:
    """Write a plan for `duckdb`, `spark` or `athena`; without `lake` the table is the one that CloudTrail's console makes.

    CannotDo for what Athena has no words for.
    """
    if engine == "athena":
        written, missing = athena_sql(plan, table, window, lake=lake)
        return Shown(_titled(written, plan, '"'), tuple(missing))
    wanted = gets(plan)
    if engine == "duckdb":
        records = relation(wanted, table, condition_of(window), inexact=False)
        written = _titled(named(records, statement(plan, DUCKDB, wanted)), plan, '"')
    else:
        columns = columns_of(wanted, exact=True)
        made = [f"{columns.get(get) or _of_record(get)} AS f{number}" for number, get in enumerate(wanted)]
        within = " AND ".join(conditions(window))
        records = f"SELECT {', '.join(made) or '0 AS n'} FROM {table}{f' WHERE {within}' if within else ''}"
        written = _titled(named(records, statement(plan, SPARK, wanted)), plan, "`")
    return Shown(written, functions=tuple(sorted(set(_FUNCTION.findall(written)))))


def named(records: str, body: str) -> str:
    """Put the relation that a statement reads in front of it."""
    rest = body.removeprefix("WITH ")
    return f"WITH {FIELDS} AS ({records}){',' if rest != body else ''}\n{rest}"


def _titled(written: str, plan: Plan, quote: str) -> str:
    """Give the columns of the result their names."""
    *parts, last = written.split("\n")
    names = [encodable(each.name).replace(quote, quote * 2).replace("\n", " ") for each in plan.shown]
    last = _OUTPUT.sub(lambda found: f" AS {quote}{names[int(found[1])]}{quote}" if names else found[0], last)
    return "\n".join([*parts, last])


def _of_record(get: Get) -> str:
    """Write a field that has no column, as Spark itself reads it: truths are `true` and `false`."""
    steps = steps_of(get)
    if steps is None:
        return "NULL"
    path = "$" + "".join(f"[{step}]" if str(step).isdigit() else f"['{step}']" for step in steps)
    plain = "$." + ".".join(map(str, steps))
    written = f"'{plain}'" if _PLAIN.fullmatch(plain) else literal(path, Type.TEXT)
    return f"get_json_object(record, {written})"
