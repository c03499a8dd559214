"""What no engine has words for: stages between plans. A plan's rows go in, rows for the next plan come out.

A query with stages is cut into segments. The first plan reads records, on whatever engine; the others read the rows that a
stage made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.plan.nodes import (
    Aggregate,
    Apply,
    Column,
    Constant,
    Distinct,
    Expression,
    Extend,
    Get,
    Group,
    Key,
    Limit,
    Order,
    Plan,
    Shown,
    Step,
    Type,
    Unnest,
    Where,
    children,
)

_OWN: Final = "\ud800"  # half of a character: no query can name such a field
PLACE: Final = Get((_OWN, "place"), Type.TIME)  # the order of the rows that a stage gives


class Cluster(NamedTuple):
    """One row for each pattern of a text, with these columns only.

    They are the pattern, its share of the rows with a text, their number, and a level if the pattern names one. With
    `compared`, rows of a time before count as well: how many more there are now than then, and what that comes to.
    """

    text: Expression
    columns: tuple[Column, ...]
    compared: str | None = None


class Match(NamedTuple):
    """More columns, from the row of a table whose columns have the values of some expressions: texts, or missing."""

    table: str
    keys: tuple[tuple[str, Expression], ...]
    outputs: tuple[tuple[str, Column], ...]


class Joined(NamedTuple):
    """The rows of another query beside those whose keys, texts or numbers, have the same values; nothing missing is the same.

    The other query shows its keys, and behind them what goes into the outputs. `place` tells its rows apart, from 0 beside each
    row. Without `inner` rows stay that have none beside them.
    """

    keys: tuple[Expression, ...]
    other: "tuple[Segment, ...]"
    outputs: tuple[Column, ...]
    place: Column
    inner: bool


Stage = Cluster | Match | Joined


class Segment(NamedTuple):
    """A plan, the stage its rows go into, if any, and the fields that the next segment's plan reads.

    The plan shows what the stage takes, and behind it what is handed on. The fields are what the stage makes, what is
    handed on, and the place.
    """

    plan: Plan
    stage: Stage | None = None
    fields: tuple[Get, ...] = ()


def segments(steps: Sequence[Step | Stage], shown: Sequence[Shown]) -> tuple[Segment, ...]:
    """Cut a query at its stages."""
    stages = [(place, step) for place, step in enumerate(steps) if isinstance(step, Stage)]
    plain = [step for step in steps if not isinstance(step, Stage)]
    if not stages:
        return (Segment(Plan(tuple(plain), tuple(shown))),)
    place, stage = stages[0]
    before, rest = tuple(plain[:place]), steps[place + 1 :]
    made, leaves = _made(stage), tuple(_leaves(rest, shown))
    later = {number for step in rest for number in _numbers(step)}
    own = {*made, *(leaf for leaf in leaves if isinstance(leaf, Column) and leaf.number in later)}
    given = [leaf for leaf in leaves if leaf not in own]
    names: dict[Column | Get, Expression] = {column: field_of(column) for column in made}
    handed: list[Column | Get] = []
    if isinstance(stage, Cluster):  # of the rows that went in, nothing is left
        names |= {leaf: Constant(None, leaf.type) for leaf in given}
    else:
        names |= {leaf: field_of(leaf) for leaf in given if isinstance(leaf, Column)}
        handed = given
    first = Plan(
        before, tuple(Shown(str(number), each) for number, each in enumerate((*_taken(stage), *handed)))
    )
    fields = (*(field_of(each) for each in (*made, *handed)), PLACE)
    again = [Order((Key(PLACE, descending=False),)), *(_renamed(step, names) for step in rest)]
    seen = [Shown(each.name, _named(each.expression, names)) for each in shown]
    return (Segment(first, stage, fields), *segments(again, seen))


def stages_of(parts: Iterable[Segment]) -> Iterator[Stage]:
    """Yield the stages of a query, and of those that are joined to it."""
    for part in parts:
        if part.stage:
            yield part.stage
        if isinstance(part.stage, Joined):
            yield from stages_of(part.stage.other)


def renamed(plan: Plan, names: Mapping[Get, Get]) -> Plan:
    """Write a plan without stages with other fields."""
    fields: dict[Column | Get, Expression] = dict(names.items())
    steps = [_renamed(step, fields) for step in plan.steps]
    plain = tuple(step for step in steps if not isinstance(step, Stage))
    return Plan(plain, tuple(Shown(each.name, _named(each.expression, fields)) for each in plan.shown))


def field_of(leaf: Column | Get) -> Get:
    """Give the field by which a later segment reads a column; a field of the record keeps its name."""
    return leaf if isinstance(leaf, Get) else Get((_OWN, str(leaf.number)), leaf.type)


def is_made(expression: Expression) -> bool:
    """Whether an expression is a column that came through a stage."""
    return isinstance(expression, Get) and expression.steps[0] == _OWN


def _taken(stage: Stage) -> tuple[Expression, ...]:
    match stage:
        case Cluster(text):
            return (text,)
        case Match(_, keys):
            return tuple(expression for _, expression in keys)
        case Joined(keys=expressions):
            return expressions


def _made(stage: Stage) -> tuple[Column, ...]:
    match stage:
        case Cluster(_, columns):
            return columns
        case Match(_, _, outputs):
            return tuple(column for _, column in outputs)
        case Joined(outputs=columns_, place=place):
            return (*columns_, place)


def _numbers(step: Step | Stage) -> Iterator[int]:
    """Yield the numbers of the columns that a step makes."""
    match step:
        case Extend(columns):
            yield from (number for number, _ in columns)
        case Group(keys, aggregates):
            yield from (number for number, _ in (*keys, *aggregates))
        case Unnest(number, place, _):
            yield from (number, place)
        case Cluster() | Match() | Joined():
            yield from (column.number for column in _made(step))


def _leaves(steps: Iterable[Step | Stage], shown: Iterable[Shown]) -> Iterator[Column | Get]:
    """Yield the columns and fields that steps and what is shown refer to, each once."""
    expressions = [
        each for step in steps for each in (_taken(step) if isinstance(step, Stage) else children(step))
    ]
    pending, found = [*expressions, *(each.expression for each in shown)][::-1], dict[Column | Get, None]()
    while pending:
        node = pending.pop()
        if isinstance(node, Column | Get):
            found[node] = None
        elif isinstance(node, Apply):
            pending += reversed(node.arguments)
    yield from found


def _named(expression: Expression, names: Mapping[Column | Get, Expression]) -> Expression:
    """Write an expression with what columns and fields have become."""
    if isinstance(expression, Column | Get):
        return names.get(expression, expression)
    if isinstance(expression, Apply):
        return expression._replace(arguments=tuple(_named(each, names) for each in expression.arguments))
    return expression


def _renamed(step: Step | Stage, names: Mapping[Column | Get, Expression]) -> Step | Stage:
    """Write a step with what columns and fields have become."""

    def named(expression: Expression) -> Expression:
        return _named(expression, names)

    match step:
        case Where(condition):
            return Where(named(condition))
        case Extend(columns):
            return Extend(tuple((number, named(each)) for number, each in columns))
        case Group(keys, aggregates):
            again = ((number, Aggregate(name, tuple(map(named, given)), kind)) for number, (name, given, kind) in aggregates)  # fmt: skip
            return Group(tuple((number, named(each)) for number, each in keys), tuple(again))
        case Order(keys_):
            return Order(tuple(Key(named(key.expression), key.descending) for key in keys_))
        case Limit():
            return step
        case Distinct(expressions):
            return Distinct(tuple(map(named, expressions)))
        case Unnest(number, place, structure):
            return Unnest(number, place, named(structure))
        case Cluster(text):
            return step._replace(text=named(text))
        case Match(_, pairs):
            return step._replace(keys=tuple((name, named(each)) for name, each in pairs))
        case Joined(keys=expressions_):
            return step._replace(keys=tuple(map(named, expressions_)))
