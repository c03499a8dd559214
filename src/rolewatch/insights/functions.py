"""The functions of the language: data. Source: spec/insights-ql.md §6; what is marked there as newer is taken as well."""

from typing import NamedTuple

from rolewatch.insights.primitives import PRIMITIVES, Primitive

MANY = 100  # arguments


class Function(NamedTuple):
    """A function: how many arguments it takes, and whether it sums up several rows."""

    name: str  # as the documentation writes it
    least: int
    most: int
    aggregate: bool = False


def _of(primitive: Primitive) -> Function:
    least = len(primitive.arguments)
    return Function(primitive.function, least, MANY if primitive.more else least + len(primitive.optional))


#: By name in lower case.
FUNCTIONS = {name: _of(primitive) for name, primitive in PRIMITIVES.items()} | {
    row.name.lower(): row
    for row in (
        *(Function(name, 1, 1) for name in ("toNumber", "toDouble", "isNumeric", "ispresent", "unmask")),
        Function("coalesce", 1, MANY),
        Function("if", 3, 3),
        Function("case", 3, 21),
        Function("regexReplace", 3, 3),
        # time
        Function("bin", 1, 1),
        *(Function(name, 2, 2) for name in ("datefloor", "dateceil")),
        *(Function(name, 1, 1) for name in ("fromMillis", "toMillis")),
        *(Function(name, 0, 0) for name in ("now", "queryStartTime", "queryEndTime", "queryTimeRange", "messageSize")),
        # of several rows
        Function("count", 0, 1, aggregate=True),
        *(Function(name, 1, 1, aggregate=True) for name in ("avg", "count_distinct", "max", "min", "stddev", "variance", "sum", "earliest", "latest", "sortsFirst", "sortsLast", "values")),
        Function("pct", 2, 2, aggregate=True),
    )
}  # fmt: skip

AGGREGATES = frozenset(name for name, function in FUNCTIONS.items() if function.aggregate)
