"""A plan and SOURCEs in, rows out: straight over deliveries, of which only records that can matter are decoded."""

import re
import time
from collections.abc import Sequence
from functools import partial
from itertools import takewhile
from typing import Final

from rolewatch.engines.answers import Answer
from rolewatch.engines.duckdb import Sieve, rows_of
from rolewatch.patterns.match import Pattern
from rolewatch.patterns.syntax import And, Comparison, Condition, Json, Or, Selector, Text
from rolewatch.plan import Apply, Constant, Expression, Get, Plan, Where, gets
from rolewatch.scan.pool import Tell, fold
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.rows import Rows, Table
from rolewatch.scan.run import without_collector
from rolewatch.sources import deliveries_of

_MANY: Final = 200  # values beyond which looking for each of them takes longer than to decode
#: A star stands for anything, and this character for bytes that are no UTF-8, of which no literal can tell.
_HIDDEN: Final = re.compile("[*\ufffd\ud800-\udfff]")


def answer(
    plan: Plan, sources: Sequence[str], request: ScanRequest, *, most: int, progress: Tell | None = None
) -> Answer:
    """Run a plan over deliveries, and take `most` rows of it.

    Raises SourceError for a SOURCE that does not exist and CannotDo for what stops everything; deliveries that cannot be
    read are named in the answer.
    """
    started = time.monotonic()
    problems: list[tuple[str, str]] = []
    listed = deliveries_of(sources, request.window, problems)
    fields = gets(plan)
    make = partial(Rows, fields, needed(plan), request, Sieve.of(plan, most + 1))
    with without_collector(), fold(listed, make, request.jobs, progress) as crew:
        table: Table = crew.summary
    columns = dict(zip(fields, table.columns, strict=True))
    rows, matched = rows_of(plan, columns, table.number, most=most + 1, threads=request.jobs)
    statistics = {
        "records_matched": matched + table.matched,
        "records_scanned": table.counts["records"],
        "bytes_scanned": table.counts["bytes"],
        "duplicates": table.duplicates,
        "deliveries": table.counts["deliveries"],
        "seconds": round(time.monotonic() - started, 3),
    }
    unreadable = sorted([*table.unreadable, *problems])
    absent = tuple(get for get, column in columns.items() if all(value is None for value in column))
    return Answer(plan, rows[:most], len(rows) > most, statistics, absent, sorted(table.skipped), unreadable)


def needed(plan: Plan) -> Pattern | None:
    """Make a pattern that all records match which the filters at a plan's beginning let through; None if there is none."""
    first = takewhile(lambda step: isinstance(step, Where), plan.steps)
    found = [found for step in first if isinstance(step, Where) and (found := _condition(step.condition))]
    return Pattern("", Json(And(tuple(found)))) if found else None


def _condition(expression: Expression) -> Condition | None:
    """Translate what can be told by texts that a record holds."""
    if not isinstance(expression, Apply):
        return None
    found = [_condition(each) for each in expression.arguments]
    match expression:
        case Apply("and"):
            parts = tuple(each for each in found if each)
            return And(parts) if parts else None
        case Apply("or"):
            parts = tuple(each for each in found if each)
            return Or(parts) if len(parts) == len(found) else None
        case Apply("equal_text", (Get() as get, Constant(str() as text))) | Apply(
            "equal_text", (Constant(str() as text), Get() as get)
        ):
            return _comparison(get, text, "")
        case Apply("contains", (Get() as get, Constant(str() as text))):
            return _comparison(get, text, "*")
        case Apply("among", (Get() as get, *values)):
            texts = [each.value for each in values if isinstance(each, Constant)]
            told = [_comparison(get, text, "") for text in texts if isinstance(text, str)]
            parts = tuple(each for each in told if each)
            return Or(parts) if len(parts) == len(values) <= _MANY else None
    return None


def _comparison(get: Get, text: str, around: str) -> Condition | None:
    """Write that a field is a text, or holds one; None where a pattern would mean something else."""
    steps = get.steps
    if (
        steps[0].startswith("@")
        or any(step.isdigit() for step in steps)
        or any(map(_HIDDEN.search, (text, *steps)))
    ):
        return None
    return Comparison(Selector(steps, ".".join(steps)), "=", Text(f"{around}{text}{around}"))
