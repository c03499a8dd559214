"""A parsed query in, a plan out: its commands as steps, and those that no engine has words for as stages between plans."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rolewatch.insights.errors import QueryError
from rolewatch.insights.lower import MESSAGE, TIMESTAMP, Found, Moments, as_number, as_scalar, as_text
from rolewatch.insights.steps import Later, Steps
from rolewatch.insights.syntax import (
    Anomaly,
    Command,
    Diff,
    Display,
    Field,
    Fields,
    Join,
    Lookup,
    Nested,
    PatternOf,
    Query,
    Span,
)
from rolewatch.plan import Apply, Column, Constant, Plan, Shown, Step, Type
from rolewatch.plan import Expression as Node
from rolewatch.plan import Key as OrderKey
from rolewatch.plan.stages import Cluster, Joined, Match, Segment, Stage, segments

#: The columns of patterns, and of patterns that are compared.
_PATTERN: Final = {
    "@pattern": Type.TEXT, "@ratio": Type.NUMBER, "@sampleCount": Type.NUMBER, "@severityLabel": Type.TEXT,
}  # fmt: skip
_DIFFERENCE: Final = _PATTERN | {"@diffEventCount": Type.NUMBER, "@differenceDescription": Type.TEXT}

#: Where the join of a query goes.
JOINED: Final = Later()


def plan_query(query: Query, moments: Moments) -> Plan:
    """Make the plan of a query; QueryError for what is not supported, and for commands that take more than one plan."""
    staged = next(
        (each for each in query.commands if isinstance(each, PatternOf | Diff | Lookup | Join)), None
    )
    if staged:
        raise not_supported(query, staged)
    (segment,) = _planned(query, moments, None).finish()
    return segment.plan


def plan_segments(
    query: Query, moments: Moments, found: Mapping[Span, tuple[Constant, ...]] | None = None
) -> tuple[Segment, ...]:
    """Make the plans of a query, with the stages between them; QueryError for what is not supported.

    `found` are the values that the queries behind `in` gave, by their places; without it they give none.
    """
    return _planned(query, moments, found or {}).finish()


def plan_nested(query: Query, moments: Moments) -> dict[Span, tuple[Segment, ...]]:
    """Make the plans of the queries behind `in`, by their places; QueryError for one that has not one column."""
    made = {}
    for place in query.within:
        if isinstance(place, Nested):
            parts = made[place.span] = _inner(place.query, query, moments).finish()
            if len(parts[-1].plan.shown) != 1:
                names = ", ".join(each.name for each in parts[-1].plan.shown)
                raise QueryError(
                    f"a query behind in gives one column, and this one gives {names}", query.text, *place.span,
                    remedy="end it with `| display field`",
                )  # fmt: skip
    return made


def _planned(query: Query, moments: Moments, found: Found | None) -> "_Planner":
    planner = _Planner(query, moments, found)
    for command in query.commands:
        planner.take(command)
    return planner


def _inner(query: Query, whole: Query, moments: Moments) -> "_Planner":
    """Plan a query within another one."""
    for command in query.commands:
        if isinstance(command, Diff):
            raise QueryError("diff cannot stand in a query within a query", whole.text, *command.span)
    return _planned(query, moments, None)


def not_supported(query: Query, command: Command) -> QueryError:
    """Make the error for a command that cannot be run."""
    start, end = command.span
    word = query.text[start:end].split(maxsplit=1)[0]
    return QueryError(f"the command {word!r} is not supported", query.text, start, start + len(word))


class _Planner(Steps):
    def __init__(self, query: Query, moments: Moments, found: Found | None) -> None:
        super().__init__(query, moments, found)
        self._joined: _Joining | None = None
        self._take |= {
            Fields: lambda each: self._choose(self._fields, each),
            Display: lambda each: self._choose(self._displayed, each),
            PatternOf: self._pattern,
            Diff: self._diff,
            Lookup: self._lookup,
            Join: self._join,
            Anomaly: self._anomaly,
        }

    def finish(self) -> tuple[Segment, ...]:
        """Give the plan, or several where there are stages."""
        return self.segments(self.shown)

    @property
    def shown(self) -> dict[str, Node]:
        """What the query shows."""
        shown = self._display
        if shown is None:
            shown = self._shown or {
                "@timestamp": self._named("@timestamp", TIMESTAMP),
                "@message": self._named("@message", MESSAGE),
            }
            shown = shown | {name: node for name, node in self._beside.items() if name not in shown}
        return shown

    def segments(self, shown: Mapping[str, Node]) -> tuple[Segment, ...]:
        """Give the plans that show something else."""
        self._put_in_order()
        steps: list[Step | Stage] = []
        for each in self._steps:
            if not isinstance(each, Later):
                steps.append(each)
            elif self._joined:
                steps.append(self._joined.stage())
        return segments(steps, tuple(Shown(name, node) for name, node in shown.items()))

    def value(self, field: Field) -> Node:
        """Give what a field is at the end of the query."""
        return self._lowering.value(field)

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
        if any(isinstance(step, Stage) for step in self._steps):
            raise self._refused("diff cannot follow another diff, lookup or join", diff)
        self._cluster(text, _DIFFERENCE, diff.with_)

    def _refused(self, message: str, command: Command) -> QueryError:
        return QueryError(message, self._query.text, *command.span)

    def _cluster(self, text: Node, made: dict[str, Type], compared: str | None = None) -> None:
        """Put patterns into the place of rows, those first of which there are most, or whose number changed most."""
        columns = {name: self._column(kind) for name, kind in made.items()}
        self._steps.append(Cluster(text, tuple(columns.values()), compared))
        self._lowering = self._fresh()
        self._lowering.only_names = True
        self._lowering.names |= columns
        self._shown, self._display, self._beside = dict(columns), None, {}
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
        self._beside |= found

    def _choose(self, take: Callable[..., None], command: Fields | Display) -> None:
        """Take what is to be shown, which then is all that is shown of a join."""
        if self._joined:
            self._beside = {
                name: node for name, node in self._beside.items() if name not in self._joined.names
            }
        take(command)

    def _join(self, join: Join) -> None:
        """Let the fields of another query be reached by its alias; which of them are wanted is known at the end."""
        other = _inner(join.query, self._query, self._moments)
        keys = [_comparable(self._lowering.value(here), other.value(there)) for here, there in join.keys]
        place = self._column(Type.TIME)
        self._joined = joined = _Joining(join, other, keys, place, self._column)
        self._steps.append(JOINED)
        known = self._lowering.value
        self._lowering.aliases = {join.left: known, join.right: joined.reach}
        self._beside |= {name: joined.column(node) for name, node in joined.named.items()}
        self._order = (*self._order, OrderKey(place, descending=False))
        self._ordered = False


class _Joining:
    """A join whose outputs are being found out."""

    def __init__(
        self,
        join: Join,
        other: _Planner,
        keys: Sequence[tuple[Node, Node]],
        place: Column,
        new: Callable[[Type], Column],
    ) -> None:
        self._inner = join.inner
        self._other = other
        self._keys = keys
        self._place = place
        self._new = new
        self._outputs: dict[Node, Column] = {}
        self.named = {f"{join.right}.{name}": node for name, node in other.shown.items()}
        self.names = frozenset(self.named)

    def reach(self, field: Field) -> Node:
        """Give the column that a field of the other query becomes."""
        return self.column(self._other.value(field))

    def column(self, node: Node) -> Column:
        """Give the column that a value of the other query becomes."""
        if node not in self._outputs:
            self._outputs[node] = self._new(node.type)
        return self._outputs[node]

    def stage(self) -> Joined:
        """Give the stage, once all that is wanted of it is known."""
        there = [*(node for _, node in self._keys), *self._outputs]
        other = self._other.segments({str(number): node for number, node in enumerate(there)})
        return Joined(
            tuple(node for node, _ in self._keys),
            other,
            tuple(self._outputs.values()),
            self._place,
            self._inner,
        )


def _comparable(here: Node, there: Node) -> tuple[Node, Node]:
    """Make two values of one type: texts if both are, else numbers."""
    here, there = as_scalar(here), as_scalar(there)
    if here.type is Type.TEXT and there.type is Type.TEXT:
        return here, there
    return as_number(here), as_number(there)
