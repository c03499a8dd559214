"""A plan: data, and nothing else. Its steps take rows one after the other; the first one takes the records.

A plan holds nothing that a user typed but constants: columns have numbers, and the names are in `Plan.shown` only.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class Type(Enum):
    """What an expression gives; any of it may be missing but a TRUTH."""

    TEXT = "text"
    NUMBER = "number"  # a double, always finite
    TRUTH = "truth"
    TIME = "time"  # milliseconds since 1970, a whole number
    STRUCTURE = "structure"  # JSON text: of an object or an array, or of what was reached in one


class Column(NamedTuple):
    """A column that an earlier step made, by its number."""

    number: int
    type: Type


class Get(NamedTuple):
    """A field of the record: `@timestamp` (a time), `@message` and the like, or the leaf at the end of some steps.

    A step of digits is the index of an array's element, or a name.
    """

    steps: tuple[str, ...]
    type: Type = Type.TEXT


class Constant(NamedTuple):
    """A value; None is a missing one."""

    value: str | float | bool | None
    type: Type


class Apply(NamedTuple):
    """A primitive, which engines know by its name, of some values."""

    primitive: str
    arguments: tuple["Expression", ...]
    type: Type


Expression = Column | Get | Constant | Apply


class Where(NamedTuple):
    """Rows for which a TRUTH is true."""

    condition: Expression


class Extend(NamedTuple):
    """More columns, by their numbers."""

    columns: tuple[tuple[int, Expression], ...]


class Aggregate(NamedTuple):
    """A primitive of several rows."""

    primitive: str
    arguments: tuple[Expression, ...]
    type: Type


class Group(NamedTuple):
    """One row for each combination of the keys, with these columns only; without keys it is one row in any case."""

    keys: tuple[tuple[int, Expression], ...]
    aggregates: tuple[tuple[int, Aggregate], ...]


class Key(NamedTuple):
    """What rows are sorted by: texts in the language's own order, missing values before all others."""

    expression: Expression
    descending: bool


class Order(NamedTuple):
    """The order of rows from here on."""

    keys: tuple[Key, ...]


class Limit(NamedTuple):
    """The first rows of the order at hand, or the last ones."""

    number: int
    last: bool


class Distinct(NamedTuple):
    """The first row, in the order at hand, of each combination of values; rows with a missing one stay."""

    expressions: tuple[Expression, ...]


class Unnest(NamedTuple):
    """A row for each element of a STRUCTURE, as a column, and its place, a TIME, as another.

    What is no array is its own only element, and so is what is missing.
    """

    number: int
    place: int
    structure: Expression


Step = Where | Extend | Group | Order | Limit | Distinct | Unnest


class Shown(NamedTuple):
    """A column of the result."""

    name: str
    expression: Expression


class Plan(NamedTuple):
    """Steps, and what is shown of the rows that are left, in the order at hand."""

    steps: tuple[Step, ...]
    shown: tuple[Shown, ...]


def children(step: Step) -> Iterator[Expression]:
    """Yield the expressions of a step."""
    match step:
        case Where(expression) | Unnest(_, _, expression):
            yield expression
        case Extend(columns):
            yield from (expression for _, expression in columns)
        case Group(keys, aggregates):
            yield from (expression for _, expression in keys)
            for _, aggregate in aggregates:
                yield from aggregate.arguments
        case Order(keys):
            yield from (key.expression for key in keys)
        case Distinct(expressions):
            yield from expressions
        case Limit():
            return


def gets(plan: Plan) -> tuple[Get, ...]:
    """Give the fields of the record that a plan needs, each once, in the order in which they occur."""
    found: dict[Get, None] = {}
    expressions = [expression for step in plan.steps for expression in children(step)]
    pending = [*expressions, *(shown.expression for shown in plan.shown)][::-1]
    while pending:
        node = pending.pop()
        if isinstance(node, Get):
            found[node] = None
        elif isinstance(node, Apply):
            pending += reversed(node.arguments)
    return tuple(found)
