"""The commands that every engine has words for, as steps over rows whose columns have numbers."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from rolewatch.insights.errors import QueryError
from rolewatch.insights.functions import AGGREGATES
from rolewatch.insights.lower import MESSAGE, TIMESTAMP, Found, Lowering, Moments, as_scalar, as_text
from rolewatch.insights.names import canonical
from rolewatch.insights.syntax import (
    Call,
    Command,
    Dedup,
    Display,
    Expression,
    Fields,
    Filter,
    Limit,
    ParseGlob,
    ParseRegex,
    Query,
    Sort,
    Source,
    Stats,
    Unmask,
    Unnest,
)
from rolewatch.insights.syntax import Column as Named
from rolewatch.patterns.regex import compiled
from rolewatch.plan import Aggregate, Apply, Column, Constant, Step, Type
from rolewatch.plan import Distinct as DistinctStep
from rolewatch.plan import Expression as Node
from rolewatch.plan import Extend as ExtendStep
from rolewatch.plan import Group as GroupStep
from rolewatch.plan import Key as OrderKey
from rolewatch.plan import Limit as LimitStep
from rolewatch.plan import Order as OrderStep
from rolewatch.plan import Unnest as UnnestStep
from rolewatch.plan import Where as WhereStep

if TYPE_CHECKING:
    from rolewatch.plan.stages import Stage

#: The order of records: newest first; two of the same second by their text, so that it is the same in every engine.
NEWEST_FIRST: Final = (OrderKey(TIMESTAMP, descending=True), OrderKey(MESSAGE, descending=False))


class Later:
    """Holds the place of a stage that is only known at the end."""


class Steps:
    """Makes steps of the commands that every engine has words for; `found` is what queries within the query gave."""

    def __init__(self, query: Query, moments: Moments, found: Found | None) -> None:
        self._query = query
        self._moments = moments
        self._found = found
        self._lowering = self._fresh()
        self._steps: list[Step | Stage | Later] = []
        self._shown: dict[str, Node] = {}
        self._beside: dict[str, Column] = {}  # what is shown behind the rest, if nothing else was asked for
        self._display: dict[str, Node] | None = None
        self._order: tuple[OrderKey, ...] = NEWEST_FIRST
        self._ordered = False  # whether the rows have it already
        self._columns = 0
        self._take: dict[type[Command], Callable[..., None]] = {
            Fields: self._fields,
            Display: self._displayed,
            Filter: lambda each: self._steps.append(WhereStep(self._lowering.truth(each.condition))),
            Stats: self._stats,
            Sort: self._sort,
            Limit: self._limit,
            ParseGlob: self._parse_glob,
            ParseRegex: self._parse_regex,
            Dedup: self._dedup,
            Unnest: self._unnest,
            **dict.fromkeys(
                (Unmask, Source), lambda _: None
            ),  # nothing is masked; the sources are those of the command
        }

    def take(self, command: Command) -> None:
        """Add the steps of a command."""
        self._take[type(command)](command)

    def _fresh(self) -> Lowering:
        return Lowering(self._query, self._moments, self._found)

    def _named(self, name: str, otherwise: Node) -> Node:
        return self._lowering.names.get(name, otherwise)

    def _column(self, type_: Type) -> Column:
        self._columns += 1
        return Column(self._columns, type_)

    def _extend(self, nodes: Iterable[Node]) -> list[Column]:
        """Make columns of expressions."""
        made = [(self._column(node.type), node) for node in nodes]
        self._steps.append(ExtendStep(tuple((column.number, node) for column, node in made)))
        return [column for column, _ in made]

    def _fields(self, fields: Fields) -> None:
        for name, node in self._evaluated(fields.columns):
            self._shown.setdefault(name, node)

    def _displayed(self, display: Display) -> None:
        self._display = dict(self._evaluated(display.columns))

    def _evaluated(self, columns: Iterable[Named]) -> Iterator[tuple[str, Node]]:
        """Yield the names and values of columns; what has a name can be used from then on."""
        for column in columns:
            node = self._lowering.value(column.expression)
            if column.named:
                (node,) = self._extend([node])
                self._lowering.names[column.name] = node
            yield column.name, node

    def _stats(self, stats: Stats) -> None:
        self._move_bins(stats)
        before, after = self._lowering, self._fresh()
        after.only_names = True
        keys: list[tuple[int, Node]] = []
        shown: dict[str, Node] = {}
        for group in stats.groups:
            node = as_scalar(before.value(group.expression))
            column = self._column(node.type)
            keys.append((column.number, node))
            after.names |= {canonical(group.expression): column, group.name: column}
            shown[group.name] = column
        order = tuple(OrderKey(column, descending=False) for column in shown.values())
        aggregates: dict[Aggregate, Column] = {}
        for call in (each for output in stats.aggregates for each in _aggregates_in(output.expression)):
            aggregate = before.aggregate(call)
            after.names[canonical(call)] = aggregates.setdefault(aggregate, self._column(aggregate.type))
        numbered = tuple((column.number, aggregate) for aggregate, column in aggregates.items())
        self._steps.append(GroupStep(tuple(keys), numbered))
        self._lowering, self._order, self._ordered = after, order, False
        for output in stats.aggregates:
            value = after.value(output.expression)
            made = value if isinstance(value, Column) else self._extend([value])[0]
            after.names |= {canonical(output.expression): made, output.name: made}
            shown[output.name] = made
        self._shown, self._display, self._beside = shown, None, {}

    def _move_bins(self, stats: Stats) -> None:
        """Let bins count what was so much earlier."""
        if stats.offset is None:
            return
        if stats.offset.months:
            raise QueryError("an offset is so many weeks, days or less: months differ", self._query.text, *stats.offset.span)  # fmt: skip
        if not any(_has_bin(group.expression) for group in stats.groups):
            raise QueryError("an offset moves bins, and there is no bin() behind by", self._query.text, *stats.offset.span)  # fmt: skip
        self._lowering.offset = stats.offset.milliseconds

    def _sort(self, sort: Sort) -> None:
        keys = tuple(
            OrderKey(as_scalar(self._lowering.value(key.expression)), key.descending) for key in sort.keys
        )
        sorted_by = {key.expression for key in keys}
        rest = tuple(key for key in self._order if key.expression not in sorted_by)
        self._order, self._ordered = (*keys, *rest), False

    def _put_in_order(self) -> None:
        if not self._ordered:
            self._steps.append(OrderStep(self._order))
            self._ordered = True

    def _limit(self, limit: Limit) -> None:
        self._put_in_order()
        self._steps.append(LimitStep(limit.number, limit.last))

    def _dedup(self, dedup: Dedup) -> None:
        self._put_in_order()
        self._steps.append(
            DistinctStep(tuple(as_scalar(self._lowering.value(field)) for field in dedup.fields))
        )

    def _parse_glob(self, parse: ParseGlob) -> None:
        *texts, last = map(re.escape, parse.texts)
        body = "(.*?)".join(texts) + ("(.*?)" + last if last else "(.*)$")
        self._take_groups(parse.source, f"(?s){body}", dict(enumerate(parse.names, 1)))

    def _parse_regex(self, parse: ParseRegex) -> None:
        groups: dict[str, int] = compiled(parse.regex.source).groupindex
        if parse.multi:
            text = as_text(self._lowering.value(parse.source))
            found = Apply("extract_all", (text, Constant(parse.regex.source, Type.TEXT)), Type.STRUCTURE)
            (self._lowering.names[parse.multi],) = self._extend([found])
            return
        self._take_groups(parse.source, parse.regex.source, {groups[name]: name for name in parse.names})

    def _take_groups(self, source: Expression, regex: str, groups: dict[int, str]) -> None:
        text, expression = as_text(self._lowering.value(source)), Constant(regex, Type.TEXT)
        nodes = [
            Apply("extract", (text, expression, Constant(number, Type.NUMBER)), Type.TEXT)
            for number in groups
        ]
        for name, column in zip(groups.values(), self._extend(nodes), strict=True):
            self._lowering.names[name] = column

    def _unnest(self, unnest: Unnest) -> None:
        value = self._lowering.value(unnest.field)
        if value.type is Type.STRUCTURE:
            column, place = self._column(Type.STRUCTURE), self._column(Type.TIME)
            self._steps.append(UnnestStep(column.number, place.number, value))
            self._order = (*self._order, OrderKey(place, descending=False))
            self._ordered = False
        else:
            (column,) = self._extend([value])  # what is no list is a list of itself
        self._lowering.names[unnest.name] = column


def _has_bin(expression: Expression) -> bool:
    return isinstance(expression, Call) and (
        expression.name == "bin" or any(map(_has_bin, expression.arguments))
    )


def _aggregates_in(expression: Expression) -> Iterator[Call]:
    """Yield the calls of functions of several rows, from left to right."""
    if isinstance(expression, Call):
        if expression.name in AGGREGATES:
            yield expression
        else:
            for argument in expression.arguments:
                yield from _aggregates_in(argument)
