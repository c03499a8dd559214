"""Which names a query may use where: a name is given once, and after `stats` only its own outputs are there.

Texts: spec/insights-ql.md §8, seen in the service's answers.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from rolewatch.insights.errors import QueryError
from rolewatch.insights.functions import AGGREGATES
from rolewatch.insights.syntax import (
    Anomaly,
    Call,
    Column,
    Command,
    Dedup,
    Diff,
    Display,
    Expression,
    Field,
    Fields,
    Filter,
    Join,
    Limit,
    List,
    Lookup,
    Nested,
    ParseGlob,
    ParseRegex,
    PatternOf,
    Query,
    Sort,
    Source,
    Span,
    Star,
    Stats,
    Unmask,
    Unnest,
)

MOST_STATS: Final = 10
#: What functions look at without being told.
_IMPLIED: Final = {"bin": "@timestamp", "messagesize": "@message"}


def check_names(query: Query) -> None:
    """Raise QueryError for a name that is given twice, or that cannot be there, and for commands in an order that cannot be."""
    _Scope(query).enter_all()
    for place in query.within:
        if isinstance(place, Nested):
            _Scope(place.query).enter_all()


def canonical(expression: Expression) -> str:
    """Write an expression in one way, however it was spelled: what names an output of `stats` that has no other name."""
    match expression:
        case Field():
            return expression.name
        case Star():
            return "*"
        case List(items):
            return f"[{','.join(map(canonical, items))}]"
        case Call(name, arguments):
            return f"{name}({','.join(map(canonical, arguments))})"
        case _:
            return repr(expression[:-1])


class _Scope:
    """What is known of names on the way through a query; before the first `stats`, any name may be a field's."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._given: dict[str, Span] = {}
        self._outputs: set[str] | None = None
        self._stats = 0
        self._after_dedup = False
        self._sorted: Span | None = None  # a sort or limit behind a `stats`
        self._joined: tuple[str, _Scope] | None = None  # the name and scope of the other query

    def enter_all(self) -> None:
        """Check all commands."""
        for command in self._query.commands:
            self.enter(command)

    def enter(self, command: Command) -> None:
        """Check a command, and take in the names it gives."""
        if self._after_dedup and not isinstance(command, Limit):
            raise self._error("only limit may follow dedup", command.span)
        match command:
            case Fields(columns, span):
                self._free(columns)
                for column in columns:
                    if column.named:
                        self._give(column.name, span)
            case Display(columns):
                self._free(columns)
            case Filter(condition):
                self._check([condition])
            case Sort(keys, span):
                self._check([key.expression for key in keys])
                self._sorted = span
            case Limit(span=span):
                self._sorted = span
            case Stats():
                self._enter_stats(command)
            case ParseGlob(source, _, names, span) | ParseRegex(source, _, names, _, span):
                self._check([source])
                for name in (
                    *names,
                    *([command.multi] if isinstance(command, ParseRegex) and command.multi else []),
                ):
                    self._give(name, span)
            case Unnest(field, name, span):
                self._check([field])
                self._give(name, span)
            case Dedup(fields) | Unmask(fields):
                self._check(fields)
                self._after_dedup = isinstance(command, Dedup)
            case Lookup(keys=keys, names=names):
                self._check([field for _, field in keys])
                if self._outputs is not None:
                    self._outputs.update(names)
            case Join():
                self._enter_join(command)
            case PatternOf(expression):
                self._check([expression])
                self._outputs = self._joined = None
            case Anomaly() | Diff() | Source():
                pass

    def _enter_join(self, join: Join) -> None:
        """Take in another query, whose names have an alias in front; those here can have one."""
        if any(isinstance(each, Join) for each in self._query.commands[: self._query.commands.index(join)]):
            raise self._error("a query has at most one join", join.span)
        other = _Scope(join.query)
        other.enter_all()
        self._check([here for here, _ in join.keys])
        other._check([there for _, there in join.keys])
        self._joined = join.right, other
        if self._outputs is not None:
            self._outputs |= {f"{join.left}.{name}" for name in self._outputs}

    def _enter_stats(self, stats: Stats) -> None:
        self._stats += 1
        if self._stats > MOST_STATS:
            raise self._error(f"a query has at most {MOST_STATS} stats", stats.span)
        if self._stats > 1 and self._sorted:
            raise self._error("sort and limit come after the last stats", self._sorted)
        self._free(stats.groups)
        outputs = {name for column in stats.groups for name in _names(column)}
        unknown: dict[str, None] = {}
        for column in stats.aggregates:
            self._check(_inside(column.expression))
            unknown |= dict.fromkeys(
                name for name in _outside(column.expression) if not _is_among(name, outputs)
            )
            outputs.update(_names(column))
        self._complain(unknown, stats.span)
        self._outputs, self._sorted, self._joined = outputs, None, None
        self._given = {}
        for column in (*stats.groups, *stats.aggregates):
            if column.named:
                self._give(column.name, stats.span)

    def _free(self, columns: Iterable[Column]) -> None:
        self._check([column.expression for column in columns])

    def _check(self, expressions: Iterable[Expression]) -> None:
        """Complain about a function of several rows, and about what cannot be there."""
        for expression in expressions:
            aggregate = next((call for call in self._calls(expression) if call.name in AGGREGATES), None)
            if aggregate:
                raise self._error(
                    f"{aggregate.name} is a function of several rows: it stands in stats, and not within another one",
                    aggregate.span,
                )
            self._complain(self._missing([expression]), expression.span)

    def _calls(self, expression: Expression) -> Iterator[Call]:
        """Yield the calls in an expression that are no outputs of `stats`."""
        if isinstance(expression, Call) and not self._is_output(expression):
            yield expression
            for argument in expression.arguments:
                yield from self._calls(argument)

    def _is_output(self, expression: Expression) -> bool:
        return self._outputs is not None and canonical(expression) in self._outputs

    def _missing(self, expressions: Iterable[Expression]) -> dict[str, None]:
        """Give what expressions refer to that cannot be there, in their order."""
        outputs = self._outputs
        if outputs is None and self._joined is None:
            return {}
        found: dict[str, None] = {}
        for expression in expressions:
            for name in _references(expression, outputs or ()):
                if not self._is_there(name):
                    found[name] = None
        return found

    def _is_there(self, name: str) -> bool:
        """Whether something can have a name: an output, whatever a record may have, or what another query gives."""
        alias, _, rest = name.partition(".")
        if self._joined and rest and alias == self._joined[0]:
            return self._joined[1]._is_there(rest)  # noqa: SLF001 - of its own class
        return self._outputs is None or _is_among(name, self._outputs)

    def _complain(self, unknown: dict[str, None], span: Span) -> None:
        if unknown:
            raise self._error(
                f"Unknown symbols found in or after stats: {', '.join(unknown)}", span,
                remedy="after stats there are only its own outputs: what stands before and behind its by, or their names after as",
            )  # fmt: skip

    def _give(self, name: str, span: Span) -> None:
        if name in self._given:
            raise self._error(f"Ephemeral field is already defined: {name} ([{span.start},{span.end}])", span)
        self._given[name] = span
        if self._outputs is not None:
            self._outputs.add(name)

    def _error(self, message: str, span: Span, *, remedy: str | None = None) -> QueryError:
        return QueryError(message, self._query.text, *span, remedy=remedy)


def _names(column: Column) -> tuple[str, ...]:
    """Give the names of an output: its own, and how its expression is written."""
    return (column.name,) if column.named else (column.name, canonical(column.expression))


def _is_among(name: str, outputs: set[str]) -> bool:
    """Whether a name is an output's, or leads into one that is a structure."""
    steps = name.split(".")
    return any(".".join(steps[:size]) in outputs for size in range(1, len(steps) + 1))


def _references(expression: Expression, outputs: Iterable[str]) -> Iterator[str]:
    """Yield the names that an expression refers to, other than by an output's whole text."""
    if isinstance(expression, Field):
        yield expression.name
    elif isinstance(expression, Call):
        if canonical(expression) in outputs:
            return
        if expression.name in _IMPLIED:
            yield _IMPLIED[expression.name]
        for argument in expression.arguments:
            yield from _references(argument, outputs)


def _inside(expression: Expression) -> Iterator[Expression]:
    """Yield the arguments of functions of several rows: they see the rows that come in."""
    if isinstance(expression, Call):
        if expression.name in AGGREGATES:
            yield from expression.arguments
        else:
            for argument in expression.arguments:
                yield from _inside(argument)


def _outside(expression: Expression) -> Iterator[str]:
    """Yield the names used outside of such functions: they see the outputs of this `stats`."""
    if isinstance(expression, Call) and expression.name not in AGGREGATES:
        if expression.name in _IMPLIED:
            yield _IMPLIED[expression.name]
        for argument in expression.arguments:
            yield from _outside(argument)
    elif isinstance(expression, Field):
        yield expression.name
