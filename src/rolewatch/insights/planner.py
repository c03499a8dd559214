"""A parsed query in, a plan out: its commands as steps over rows whose columns have numbers."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from rolewatch.insights.errors import QueryError
from rolewatch.insights.functions import AGGREGATES
from rolewatch.insights.lower import MESSAGE, TIMESTAMP, Lowering, Moments, as_scalar, as_text
from rolewatch.insights.names import canonical
from rolewatch.insights.syntax import (
    Anomaly,
    Call,
    Command,
    Dedup,
    Diff,
    Display,
    Expression,
    Field,
    Fields,
    Filter,
    Limit,
    Lookup,
    ParseGlob,
    ParseRegex,
    PatternOf,
    Query,
    Sort,
    Source,
    Stats,
    Unmask,
    Unnest,
)
from rolewatch.insights.syntax import Column as Named
from rolewatch.patterns.regex import compiled
from rolewatch.plan import Aggregate, Apply, Column, Constant, Plan, Shown, Step, Type
from rolewatch.plan import Distinct as DistinctStep
from rolewatch.plan import Expression as Node
from rolewatch.plan import Extend as ExtendStep
from rolewatch.plan import Group as GroupStep
from rolewatch.plan import Key as OrderKey
from rolewatch.plan import Limit as LimitStep
from rolewatch.plan import Order as OrderStep
from rolewatch.plan import Unnest as UnnestStep
from rolewatch.plan import Where as WhereStep
from rolewatch.plan.stages import Cluster, Match, Segment, Stage, segments

#: The columns of patterns, and of patterns that are compared.
_PATTERN: Final = {
    "@pattern": Type.TEXT, "@ratio": Type.NUMBER, "@sampleCount": Type.NUMBER, "@severityLabel": Type.TEXT,
}  # fmt: skip
_DIFFERENCE: Final = _PATTERN | {"@diffEventCount": Type.NUMBER, "@differenceDescription": Type.TEXT}
#: The order of records: newest first; two of the same second by their text, so that it is the same in every engine.
NEWEST_FIRST: Final = (OrderKey(TIMESTAMP, descending=True), OrderKey(MESSAGE, descending=False))


def plan_query(query: Query, moments: Moments) -> Plan:
    """Make the plan of a query; QueryError for what is not supported, and for commands that take more than one plan."""
    staged = next((each for each in query.commands if isinstance(each, PatternOf | Diff | Lookup)), None)
    if staged:
        raise not_supported(query, staged)
    (segment,) = plan_segments(query, moments)
    return segment.plan


def plan_segments(query: Query, moments: Moments) -> tuple[Segment, ...]:
    """Make the plans of a query, with the stages between them; QueryError for what is not supported."""
    planner = _Planner(query, moments)
    for command in query.commands:
        planner.take(command)
    return planner.finish()


def not_supported(query: Query, command: Command) -> QueryError:
    """Make the error for a command that cannot be run."""
    start, end = command.span
    word = query.text[start:end].split(maxsplit=1)[0]
    return QueryError(f"the command {word!r} is not supported", query.text, start, start + len(word))


class _Planner:
    def __init__(self, query: Query, moments: Moments) -> None:
        self._query = query
        self._moments = moments
        self._lowering = Lowering(query, moments)
        self._steps: list[Step | Stage] = []
        self._shown: dict[str, Node] = {}
        self._looked_up: dict[str, Column] = {}  # which is shown behind the rest
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
            PatternOf: self._pattern,
            Diff: self._diff,
            Lookup: self._lookup,
            Anomaly: self._anomaly,
        }

    def take(self, command: Command) -> None:
        """Add the steps of a command."""
        self._take[type(command)](command)

    def finish(self) -> tuple[Segment, ...]:
        """Give the plan, or several where there are stages."""
        self._put_in_order()
        shown = self._display
        if shown is None:
            shown = self._shown or {
                "@timestamp": self._named("@timestamp", TIMESTAMP),
                "@message": self._named("@message", MESSAGE),
            }
            shown = shown | {name: node for name, node in self._looked_up.items() if name not in shown}
        return segments(self._steps, tuple(Shown(name, node) for name, node in shown.items()))

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
        before, after = self._lowering, Lowering(self._query, self._moments)
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
        self._shown, self._display, self._looked_up = shown, None, {}

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

    def _anomaly(self, anomaly: Anomaly) -> None:
        raise not_supported(self._query, anomaly)

    def _pattern(self, pattern: PatternOf) -> None:
        self._cluster(as_text(self._lowering.value(pattern.expression)), _PATTERN)

    def _diff(self, diff: Diff) -> None:
        text = as_text(self._named("@message", MESSAGE))
        last = self._steps[-1] if self._steps else None
        if isinstance(last, Cluster) and not last.compared:
            self._steps.pop()
            text = last.text
        elif self._lowering.only_names:
            raise self._refused("diff compares patterns: it follows pattern, or stands before stats", diff)
        if any(isinstance(step, Cluster | Match) for step in self._steps):
            raise self._refused("diff cannot follow another diff, or lookup", diff)
        self._cluster(text, _DIFFERENCE, diff.with_)

    def _refused(self, message: str, command: Command) -> QueryError:
        return QueryError(message, self._query.text, *command.span)

    def _cluster(self, text: Node, made: dict[str, Type], compared: str | None = None) -> None:
        """Put patterns into the place of rows, those first of which there are most, or whose number changed most."""
        columns = {name: self._column(kind) for name, kind in made.items()}
        self._steps.append(Cluster(text, tuple(columns.values()), compared))
        self._lowering = Lowering(self._query, self._moments)
        self._lowering.only_names = True
        self._lowering.names |= columns
        self._shown, self._display, self._looked_up = dict(columns), None, {}
        most: Node = columns["@sampleCount"]
        if compared:
            most = Apply("abs", (columns["@diffEventCount"],), Type.NUMBER)
        self._order = (OrderKey(most, descending=True), OrderKey(columns["@pattern"], descending=False))
        self._ordered = False

    def _lookup(self, lookup: Lookup) -> None:
        """Add the columns of a table; with OUTPUTNEW only where there is no value yet."""
        keys = tuple((name, as_text(self._lowering.value(field))) for name, field in lookup.keys)
        found = {name: self._column(Type.TEXT) for name in lookup.names}
        old = {name: as_text(self._lowering.value(Field((name,), lookup.span))) for name in lookup.names}
        self._steps.append(Match(lookup.table, keys, tuple(found.items())))
        if not lookup.overwrite:
            nodes = [Apply("coalesce", (old[name], column), Type.TEXT) for name, column in found.items()]
            found = dict(zip(found, self._extend(nodes), strict=True))
        self._lowering.names |= found
        for shown in (self._shown, self._display or {}):
            shown.update((name, column) for name, column in found.items() if name in shown)
        self._looked_up |= found


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
