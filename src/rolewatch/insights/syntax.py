"""The parts of a parsed query: data, and nothing else. Source of the language: spec/insights-ql.md.

Places count characters of the query from 0; ends are exclusive.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, NamedTuple


class Span(NamedTuple):
    """Where something stands in the query."""

    start: int
    end: int


class Number(NamedTuple):
    """A number as written, exactly."""

    value: Decimal
    span: Span


class Text(NamedTuple):
    """A quoted text."""

    value: str
    span: Span


class Truth(NamedTuple):
    """`true` or `false`."""

    value: bool
    span: Span


class Regex(NamedTuple):
    """What stands between two slashes, as RE2 reads it."""

    source: str
    span: Span


class Period(NamedTuple):
    """A span of time such as `5m`: so many milliseconds, or calendar months."""

    milliseconds: int
    months: int
    span: Span


class Star(NamedTuple):
    """The `*` of `count(*)`."""

    span: Span


class Field(NamedTuple):
    """A field's name, step by step: `a.b`, `a[0]` and a step in backticks are several."""

    steps: tuple[str | int, ...]
    span: Span

    @property
    def name(self) -> str:
        """The steps with dots between them, as discovered fields are named."""
        return ".".join(map(str, self.steps))


class Call(NamedTuple):
    """A function by its name in lower case, or an operator by its sign, and its arguments.

    Operators: `+ - * / % ^ = != < <= > >= and or not negative like not-like in not-in`; the second argument of `like` is a
    Text or a Regex, that of `in` a List.
    """

    name: str
    arguments: tuple["Expression", ...]
    span: Span


class List(NamedTuple):
    """`[a, b]`: literals."""

    items: tuple["Expression", ...]
    span: Span


class Nested(NamedTuple):
    """A query in parentheses behind `in`: its one column has the values."""

    query: "Query"
    span: Span


Expression = Number | Text | Truth | Regex | Period | Star | Field | Call | List | Nested


class Column(NamedTuple):
    """An expression and the name that its values have: the one after `as`, else its own text."""

    name: str
    expression: Expression
    named: bool  # by `as`


class Fields(NamedTuple):
    """`fields`: columns that are shown; those with names can be used from here on."""

    columns: tuple[Column, ...]
    span: Span


class Display(NamedTuple):
    """`display`: the only columns that are shown."""

    columns: tuple[Column, ...]
    span: Span


class Filter(NamedTuple):
    """`filter`, `where` and `filterIndex`: rows stay for which the condition is true."""

    condition: Expression
    span: Span


class Stats(NamedTuple):
    """`stats`: one row for each group, with aggregates of its rows."""

    aggregates: tuple[Column, ...]
    groups: tuple[Column, ...]
    offset: Period | None
    span: Span


class Key(NamedTuple):
    """What rows are sorted by."""

    expression: Expression
    descending: bool


class Sort(NamedTuple):
    """`sort`."""

    keys: tuple[Key, ...]
    span: Span


class Limit(NamedTuple):
    """`limit`, `head`; with `last` it is `tail`, and with `any` the first rows that are found."""

    number: int
    last: bool
    any: bool
    span: Span


class ParseGlob(NamedTuple):
    """`parse` with a text: `texts` are what stands around the runs that are taken, one more than there are names."""

    source: Expression
    texts: tuple[str, ...]
    names: tuple[str, ...]
    span: Span


class ParseRegex(NamedTuple):
    """`parse` with a regular expression, whose named groups become fields; with `multi` a list of all that is found."""

    source: Expression
    regex: Regex
    names: tuple[str, ...]
    multi: str | None
    span: Span


class Dedup(NamedTuple):
    """`dedup`: the first row of each combination of values."""

    fields: tuple[Field, ...]
    span: Span


class Unnest(NamedTuple):
    """`unnest`: a row for each element of a list."""

    field: Field
    name: str
    span: Span


class PatternOf(NamedTuple):
    """`pattern`: what messages have in common."""

    expression: Expression
    span: Span


class Anomaly(NamedTuple):
    """`anomaly`."""

    span: Span


class Diff(NamedTuple):
    """`diff`: patterns of this time and of one before; `with_` is "previous" for the time just before."""

    with_: Literal["previous", "previousday", "previousweek", "previousmonth"]
    span: Span


class Unmask(NamedTuple):
    """`unmask`: nothing is masked here."""

    fields: tuple[Field, ...]
    span: Span


class Lookup(NamedTuple):
    """`lookup`: columns of a table by keys, as (column of the table, field)."""

    table: str
    keys: tuple[tuple[str, Field], ...]
    overwrite: bool
    names: tuple[str, ...]
    span: Span


class Join(NamedTuple):
    """`join`: beside each row those of another query that have equal values; without `inner` rows stay that have none.

    The keys are pairs of a field here and a field there, without the aliases that tell the two apart.
    """

    inner: bool
    left: str
    right: str
    keys: tuple[tuple[Field, Field], ...]
    query: "Query"
    span: Span


class Source(NamedTuple):
    """`SOURCE`: which log groups or data sources are asked, by the name of the choice and its texts."""

    groups: tuple[tuple[str, tuple[str, ...]], ...] | None
    data: tuple[str, ...] | None
    span: Span


Command = (
    Fields | Display | Filter | Stats | Sort | Limit | ParseGlob | ParseRegex | Dedup | Unnest
    | PatternOf | Anomaly | Diff | Unmask | Lookup | Join | Source
)  # fmt: skip


class Query(NamedTuple):
    """A whole query."""

    commands: tuple[Command, ...]
    text: str

    @property
    def limit(self) -> int | None:
        """The number of its last `limit`; None without one."""
        return next((each.number for each in reversed(self.commands) if isinstance(each, Limit)), None)

    @property
    def offset(self) -> int:
        """By how many milliseconds the bins of its first `stats` are moved."""
        first = next((each for each in self.commands if isinstance(each, Stats)), None)
        return first.offset.milliseconds if first and first.offset else 0

    @property
    def within(self) -> "tuple[Nested | Join, ...]":
        """The places in it where another query stands, in their order."""
        return tuple(_within(self.commands))

    @property
    def chooses_groups(self) -> bool:
        """Whether it, or a query within it, says which log groups it is asked of."""
        return any(
            isinstance(each.commands[0], Source) for each in (self, *(place.query for place in self.within))
        )


def _within(parts: tuple[object, ...]) -> Iterator[Nested | Join]:
    for part in parts:
        if isinstance(part, Nested | Join):
            yield part
        elif isinstance(part, tuple):
            yield from _within(part)
